"""Losses in which all rows of a file meet, mined triplets and proxies: the numbers of libraries, and rows without a partner."""

from typing import Any

import numpy as np
import pytest

FEATURES = np.array(
    [[1, 2, 0.5], [0.5, -1, 2], [-1, 0.25, 1], [2, 1, -0.5], [0.75, 1.5, -2], [-0.5, -2, 0.25], [0.25, 0.5, 0.75]]
)
LABELS = [0, 1, 0, 1, 2, 2, 0]
ALONE = [0, 1, 0, 1, 2, 3, 0]
"""Two of seven rows have a class of their own."""
OTHER_VIEW = FEATURES[:6] + np.array(
    [[0.1, -0.2, 0.3], [0, 0.1, -0.1], [0.2, 0.2, 0], [-0.3, 0, 0.1], [0.05, -0.05, 0.15], [0, 0, 0.25]]
)

PUBLISHED = [
    # The functions of BatchHardTripletLoss, BatchSemiHardTripletLoss and BatchAllTripletLoss of sentence-transformers 3.3.1,
    # of Euclidean distances, on PyTorch 2.13.0.
    ("batch-hard", 6, LABELS, ("--margin", "0.5"), 2.008553346274065),
    ("batch-hard", 7, LABELS, ("--margin", "0.5"), 1.7862342476096902),
    ("semi-hard", 6, LABELS, ("--margin", "0.5"), 0.1241987458664476),
    ("semi-hard", 7, LABELS, ("--margin", "0.5", "--class-weight", "0=2,1=1,2=1"), 0.14358046906894897),
    ("batch-all", 6, LABELS, ("--margin", "0.5"), 1.3680319290156542),
    ("batch-all", 7, LABELS, ("--margin", "0.5"), 1.3856318446846816),
    # pytorch-metric-learning 2.9.0 on PyTorch 2.13.0: TripletMarginLoss of LpDistance(normalize_embeddings=False), with
    # BatchHardMiner and MeanReducer or as it is; CircleLoss and SupConLoss as they are.
    ("batch-hard", 7, ALONE, ("--margin", "0.5"), 1.4160261143702173),
    ("batch-all", 7, ALONE, ("--margin", "0.5"), 1.1828875300773167),
    ("circle", 7, LABELS, (), 127.72022090771806),
    ("circle", 7, ALONE, (), 84.19951334677214),
    ("supcon", 7, ALONE, (), 5.1884290827876445),
]


@pytest.mark.parametrize(("name", "rows", "labels", "words", "value"), PUBLISHED)
def test_numbers_of_libraries(
    compute: Any, save: Any, name: str, rows: int, labels: list[int], words: tuple[str, ...], value: float
) -> None:
    files = save("x.npy", FEATURES[:rows]), save("y.npy", labels[:rows])
    assert compute(name, *files, *words, "-f", "value").value == pytest.approx(value, rel=1e-14)


def test_a_row_without_another_of_its_class_is_no_anchor_but_a_negative(compute: Any, save: Any) -> None:
    """CircleLoss of pytorch-metric-learning 2.9.0, and of Keras, whose number has fewer digits."""
    x = save("x.npy", [[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8], [0.6, 0.8]])
    found = compute("circle", x, save("y.npy", [1, 1, 2, 2, 3]), "--gradient", "g.npy", "--per-sample")
    assert found.json["value"] == pytest.approx(21.632432029146884, rel=1e-14)
    assert (found.json["samples"], found.json["ignored"], found.json["receipt"]["without_positive"]) == (4, 1, 1)
    assert [row["sample"] for row in found.json["rows"]] == [0, 1, 2, 3]
    assert "y.npy: 1 row has no other row of the same class" in found.err
    slopes = np.load("g.npy")
    assert slopes.shape == (5, 2)
    assert not slopes[4].any()
    without = compute("circle", save("z.npy", np.load("x.npy")[:4]), save("y.npy", [1, 1, 2, 2]), "-f", "value").value
    assert without < 20


@pytest.mark.usefixtures("small_chunks")
def test_rows_without_partners_are_left_out_wherever_chunks_begin(compute: Any, save: Any) -> None:
    generator = np.random.default_rng(5)
    x, labels = generator.normal(size=(150, 4)), generator.integers(0, 20, 150)
    labels[generator.choice(150, 30, replace=False)] = np.arange(100, 130)
    files = save("x.npy", x), save("y.npy", labels)
    for name in ("nt-xent", "batch-hard", "batch-all", "semi-hard"):
        found = compute(name, *files, "-o", "losses.csv").json
        partners = np.array([np.count_nonzero(labels == one) > 1 for one in labels])
        assert (found["samples"], found["ignored"]) == (partners.sum(), 150 - partners.sum())
        rows = np.genfromtxt("losses.csv", delimiter=",", names=True)
        assert rows["sample"].tolist() == np.flatnonzero(partners).tolist()
        assert (rows["target"] == labels[partners]).all()


def test_what_has_no_anchor_is_refused(compute: Any, save: Any) -> None:
    x = save("x.npy", FEATURES)
    compute("circle", x, save("y.npy", np.arange(7))).refuses(3, "y.npy[0]", "no other row", "two rows of a class")
    compute("batch-hard", x, save("y.npy", np.zeros(7, int))).refuses(3, "y.npy", "the same label", "two classes")
    assert compute("supcon", x, "y.npy", "-q").code == 0  # which needs no negatives
    holed = FEATURES.copy()
    holed[5, 1] = np.nan  # of a row that has no loss of its own
    for name in ("batch-hard", "batch-all", "semi-hard", "circle"):
        assert compute(name, save("n.npy", holed), save("y.npy", ALONE)).code == 3
        compute(name, save("n.npy", holed), save("y.npy", LABELS)).refuses(3, "n.npy[5, 1]", "NaN")


def test_without_triplets_above_0_the_loss_is_0(compute: Any, save: Any) -> None:
    x, y = save("x.npy", [[0.0], [0.1], [9.0], [9.1]]), save("y.npy", [0, 0, 1, 1])
    found = compute("batch-all", x, y, "--gradient", "g.npy")
    assert found.json["value"] == 0
    assert not np.load("g.npy").any()


def test_mined_triplets_by_hand(compute: Any, save: Any) -> None:
    """On a line: anchors 0 and 3 with negatives at 1 and 5; anchors 1 and 5 with negatives at 0 and 3."""
    files = save("x.npy", [[0.0], [3.0], [1.0], [5.0]]), save("y.npy", [0, 0, 1, 1])
    losses = {
        # From the farthest positive minus the nearest negative, plus 1.
        "batch-hard": [3 - 1 + 1, 3 - 2 + 1, 4 - 1 + 1, 4 - 2 + 1],
        # Farther than 3 from 0 is 5; from 3 nothing is, and the farthest are at 2; from 1 and from 5: 2 and 5.
        "semi-hard": [0, 3 - 2 + 1, 4 - 2 + 1, 0],
    }
    for name, expected in losses.items():
        compute(name, *files, "-o", "losses.npy")
        assert np.load("losses.npy").tolist() == expected
    # Above 0 are those of negatives nearer than the positive and 1: 3, 2 + 2, 4 + 3 and 3; one, two, two and one of them.
    assert compute("batch-all", *files, "-f", "value").value == pytest.approx((3 + 4 + 7 + 3) / 6, rel=1e-15)


def test_largest_and_smallest_features(compute: Any, save: Any) -> None:
    y = save("y.npy", LABELS)
    plain = compute("batch-hard", save("x.npy", FEATURES), y, "--margin", "0", "-f", "value").value
    for scale in (2.0**1000, 2.0**-1000):
        found = compute("batch-hard", save("x.npy", FEATURES * scale), y, "--margin", "0", "-f", "value").value
        assert found == plain * scale


TWO_SIDES = [
    # Written from the pseudo-code of both papers, on PyTorch 2.13.0: cross_entropy of both directions, and logsigmoid.
    ("clip", (), 0.012939573565025453),
    ("clip", ("--temperature", "0.1"), 0.04339345445169636),
    ("siglip", (), 0.7717052802856982),
    # VICRegLoss of pytorch-metric-learning 2.9.0, which the authors' code agrees with.
    ("vicreg", (), 3.3730694982427254),
    # The authors' code: batch norm, which adds 1e-5 to variances, on PyTorch 2.13.0.
    ("barlow-twins", ("--epsilon", "1e-5"), 0.007171032768473282),
]


@pytest.mark.parametrize(("name", "words", "value"), TWO_SIDES)
def test_numbers_of_two_sides(compute: Any, save: Any, name: str, words: tuple[str, ...], value: float) -> None:
    sides = save("a.npy", FEATURES[:6]), save("b.npy", OTHER_VIEW)
    assert compute(name, *sides, *words, "-f", "value").value == pytest.approx(value, rel=1e-13)
    both = compute(name, *reversed(sides), *words, "-f", "value").value
    assert both == pytest.approx(value, rel=1e-13)  # all are the same both ways round


def test_what_two_sides_cannot_be(compute: Any, save: Any) -> None:
    a, b = save("a.npy", FEATURES[:6]), save("b.npy", OTHER_VIEW)
    for name in ("clip", "siglip", "vicreg", "barlow-twins"):
        compute(name, a, save("c.npy", OTHER_VIEW[:5])).refuses(3, "6 rows")
        compute(name, a, save("d.npy", OTHER_VIEW[:, :2])).refuses(3, "(6, 2)")
        holed = OTHER_VIEW.copy()
        holed[2, 1] = np.nan
        assert compute(name, a, save("e.npy", holed)).code == 3
    compute("vicreg", save("f.npy", FEATURES[:1]), save("g.npy", FEATURES[:1])).refuses(3, "undefined")
    still = np.where(np.arange(3) == 1, 1.0, FEATURES[:6])
    compute("barlow-twins", a, save("h.npy", still)).refuses(3, "undefined")
    assert np.isfinite(compute("barlow-twins", a, "h.npy", "--epsilon", "1e-5", "-f", "value").value)
    compute("vicreg", a, b, "--sample-weight", save("w.npy", np.ones(6))).refuses(2, "--sample-weight")


def test_views_are_the_same_in_parts_of_any_size(monkeypatch: pytest.MonkeyPatch, compute: Any, save: Any) -> None:
    """Matrices of features by features are made some columns at a time."""
    generator = np.random.default_rng(3)
    sides = save("a.npy", generator.normal(size=(20, 7))), save("b.npy", generator.normal(size=(20, 7)))
    for name in ("vicreg", "barlow-twins"):
        whole = compute(name, *sides, "--gradient", "g.npy", "-f", "value").value
        slopes = np.load("g.npy")
        with monkeypatch.context() as patch:
            patch.setattr("losscli.losses.two_views.AT_ONCE", 15)
            assert compute(name, *sides, "--gradient", "g.npy", "-f", "value").value == pytest.approx(whole, rel=1e-14)
        np.testing.assert_allclose(np.load("g.npy"), slopes, rtol=1e-12, atol=1e-15)


def test_proxies(compute: Any, save: Any, write: Any) -> None:
    """With the own proxy in the sum, it is ProxyNCALoss of pytorch-metric-learning 2.9.0, on PyTorch 2.13.0."""
    proxies = [[1, 1, 0], [0, -1, 1], [0.5, 0.5, -1.0]]
    words = (save("x.npy", FEATURES), save("y.npy", LABELS), "--centers", save("c.npy", proxies), "--scale", "2")
    found = compute("proxy-nca++", *words, "-f", "value").value
    assert found == pytest.approx(2.1286961587127484, rel=1e-14)
    compute("proxy-nca", *words, "-o", "losses.npy")
    assert np.logaddexp(0, np.load("losses.npy")).mean() == pytest.approx(found, rel=1e-14)
    compute("proxy-nca", *words[:2]).refuses(2, "--centers")
    one = (save("z.npy", np.zeros(7, int)), "--centers", save("d.npy", proxies[:1]))
    compute("proxy-nca", "x.npy", *one).refuses(3, "undefined")
    named = write("c.csv", "class,a,b,c\ncat,1,1,0\ndog,0,-1,1\neel,0.5,0.5,-1\n")
    labels = write("y.csv", "label\n" + "\n".join(("cat", "dog", "eel")[i] for i in LABELS) + "\n")
    assert compute("proxy-nca++", "x.npy", labels, "--centers", named, "--scale", "2", "-f", "value").value == found
