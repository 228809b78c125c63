"""Masks, weights and units where they met losses that read them differently: the numbers are made here with NumPy."""

import json
from pathlib import Path

import numpy as np
import pytest

import losscli

RNG = np.random.default_rng(18)
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
KEPT = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0]], bool)


def test_elements_out_of_the_mask_are_in_no_series() -> None:
    """A masked element is in neither sum of weighted-percentage-error."""
    right = [np.abs(a - b)[m].sum() / np.abs(b)[m].sum() for a, b, m in zip(A, B, KEPT, strict=True)]
    result = losscli.compute("weighted-percentage-error", A, B, mask=KEPT)
    np.testing.assert_allclose(result.losses, right)


@pytest.mark.parametrize("loss", ["listnet", "listwise-softmax", "multilabel-margin", "zlpr"])
def test_padding_of_a_list_is_masked_or_refused(loss: str) -> None:
    """A list of two items and one masked item has the loss of the two items, unless the mask is refused."""
    short = losscli.compute(loss, [[2.0, 1.0]], [[1, 0]]).value
    try:
        padded = losscli.compute(loss, [[2.0, 1.0, 9.0]], [[1, 0, 0]], mask=[[1, 1, 0]]).value
    except losscli.LosscliError:
        return
    assert padded == pytest.approx(short)


@pytest.mark.parametrize("loss", ["cosine-distance", "triplet", "giou"])
def test_a_mask_of_single_numbers_of_a_vector_is_not_ignored(loss: str) -> None:
    """A mask that leaves out numbers of a vector or of a box changes the loss or is refused, and is never ignored."""
    boxes = np.sort(np.abs(RNG.normal(size=(4, 4))), axis=1), np.sort(np.abs(RNG.normal(size=(4, 4))), axis=1)
    first, second = boxes if loss == "giou" else (A, B)
    mask = np.ones(first.shape, bool)
    mask[:, 1] = False
    more = {"negative": RNG.normal(size=(4, 3))} if loss == "triplet" else {}
    whole = losscli.compute(loss, first, second, **more).value
    try:
        masked = losscli.compute(loss, first, second, mask=mask, **more).value
    except losscli.LosscliError:
        return
    assert masked != whole


def test_weights_of_samples_count_per_sample_and_class_of_a_table() -> None:
    """(n, k) weighs the pairs of sample and class as (n, k, 1) does."""
    weights = np.array([1.0, 9.0, 2.0, 3.0])
    right = ((A - B) ** 2 * weights[:, None]).sum() / (3 * weights.sum())
    flat = losscli.compute("mse", A, B, sample_weight=weights, per="sample,class").value
    deep = losscli.compute(
        "mse", A[..., None], B[..., None], sample_weight=weights, per="sample,class", class_axis=1
    ).value
    assert deep == pytest.approx(right)
    assert flat == pytest.approx(right)


def test_one_hot_labels_take_a_mask_of_predictions() -> None:
    """One label per row, read as a one-hot row, with a mask of each output: its numbers, or an error of the user's."""
    labels = np.array([0, 1, 2, 1])
    losses = np.logaddexp(0, A) - np.eye(3)[labels] * A
    try:
        value = losscli.compute("bce", A, labels, mask=KEPT).value
    except losscli.LosscliError:
        return
    assert value == pytest.approx(losses[KEPT].mean())


@pytest.mark.filterwarnings("ignore::losscli.LosscliWarning")  # a few samples are enough here
def test_a_comparison_per_sample_takes_weights_within_samples() -> None:
    """compare --per sample with class weights is the difference of what compute gives."""
    logits, labels = RNG.normal(size=(5, 3, 4)), RNG.integers(0, 3, (5, 4))
    options = {"class_axis": 1, "per": "sample", "class_weight": {0: 1, 1: 2, 2: 3}}
    one, two = (losscli.compute("ce", z, labels, **options).value for z in (logits, 2 * logits))
    report = losscli.compare("ce", logits, 2 * logits, targets=labels, **options).to_dict()
    assert report["difference"] == pytest.approx(two - one)


@pytest.mark.filterwarnings("ignore::losscli.LosscliWarning")  # a few samples are enough here
def test_a_comparison_per_sample_and_class_resamples_whole_samples() -> None:
    """Thirty equal columns hold no more than two of them: the interval is as wide."""
    column = RNG.normal(size=(6, 1))
    better = column + 0.1 * RNG.normal(size=(6, 1))
    widths = []
    for k in (2, 30):
        a, b = (np.repeat(x, k, axis=1)[..., None] for x in (column, better))
        report = losscli.compare("mse", a, b, targets=np.zeros_like(a), class_axis=1, per="sample,class").to_dict()
        widths.append(report["interval"][1] - report["interval"][0])
    assert widths[1] == pytest.approx(widths[0], rel=0.2)


@pytest.mark.filterwarnings("ignore::losscli.LosscliWarning")  # a few samples are enough here
def test_more_masks_than_positions_can_be_compared() -> None:
    """compare dice --per sample,class where classes are more than the positions of a sample."""
    logits, labels = RNG.normal(size=(3, 7, 2)), RNG.integers(0, 2, (3, 7, 2))
    losscli.compare(
        "dice", logits, logits + 0.1, targets=labels, class_axis=1, activation="sigmoid", per="sample,class"
    )


def test_an_own_loss_of_the_file_takes_a_mask(tmp_path: Path) -> None:
    """--per file calls the loss with the rows that exist."""
    own = tmp_path / "own.py"
    own.write_text("def rmse(predictions, targets):\n    return ((predictions - targets) ** 2).mean() ** 0.5\n")
    p, t = RNG.normal(size=50), RNG.normal(size=50)
    mask = np.arange(50) % 3 != 0
    p_file, t_file, m_file = (tmp_path / f"{name}.npy" for name in "ptm")
    for file, array in ((p_file, p), (t_file, t), (m_file, mask)):
        np.save(file, array)
    result = losscli.compute(f"{own}:rmse", str(p_file), str(t_file), per="file", mask=str(m_file))
    assert result.value == pytest.approx(np.sqrt(np.mean((p - t)[mask] ** 2)))


@pytest.mark.parametrize("weights", [[1, 2, 3], np.array([1, 2, 3])])
def test_output_weights_are_a_list_or_an_array(weights: object) -> None:
    """The API takes numbers for --output-weight as well as text."""
    assert (
        losscli.compute("mse", A, B, output_weight=weights).value
        == losscli.compute("mse", A, B, output_weight="1,2,3").value
    )


def test_a_sample_whose_weights_are_all_0_adds_0_to_a_sum(compute, save):
    words = ("ce", save("p.npy", np.zeros((2, 2, 2))), save("t.npy", np.zeros((2, 2), int)), "--class-axis", "-1")
    words += ("--sample-weight", save("w.npy", [[0.0, 0], [1, 1]]), "--per", "sample")
    summed = compute(*words, "--over-positions", "sum", "--reduction", "sum-over-batch-size").json
    assert (summed["value"], summed["samples"]) == (pytest.approx(np.log(2)), 2)
    mean = compute(*words).json  # 0 / 0 is the mean of nothing
    assert (mean["value"], mean["samples"], mean["ignored"]) == (pytest.approx(np.log(2)), 1, 1)


@pytest.mark.parametrize("per", ["sample", "file"])
def test_weights_that_are_all_0_are_told_as_such(compute, save, per):
    words = ("ce", save("p.npy", np.zeros((2, 2, 2))), save("t.npy", np.zeros((2, 2), int)), "--class-axis", "-1")
    compute(*words, "--sample-weight", save("w.npy", np.zeros((2, 2))), "--per", per).refuses(3, "all weights are 0")


def test_places_of_weights_of_samples_are_those_of_their_file(compute, save):
    words = ("ce", save("p.npy", np.zeros((2, 2, 2))), save("t.npy", np.zeros((2, 2), int)), "--class-axis", "-1")
    found = compute(*words, "--sample-weight", save("w.npy", [1.0, -1])).refuses(3, "w.npy[1]: the weight -1")
    assert found is None


def test_an_output_of_weight_0_has_a_loss_of_its_own(compute, save):
    words = ("mse", save("p.npy", [[1.0, 2], [3, 4]]), "0", "--mask", save("m.npy", [[1, 1], [1, 0]]), "--per", "class")
    found = compute(*words, "--output-weight", "0,1", "-f", "jsonl")
    assert [row["loss"] for row in map(json.loads, found.out.splitlines())] == [5, 4]
    assert compute(*words, "--output-weight", "0,1").json["value"] == 4


def test_variances_of_what_is_masked_may_be_anything(compute, save):
    words = ("gaussian-nll", save("p.npy", [[1.0, 2], [3, 4]]), "0", "--mask", save("m.npy", [[1, 1], [1, 0]]))
    found = compute(*words, "--variance", save("v.npy", [[1.0, 1], [1, -7]])).json["value"]
    assert found == compute(*words, "--variance", "1").json["value"]


def test_a_row_of_which_only_an_output_of_weight_0_exists_adds_nothing(compute, save):
    words = ("mse", save("p.npy", [[1.0, 2], [3, 4]]), save("t.npy", [[0.0, 0], [1, 1]]), "--mask")
    found = compute(*words, save("m.npy", [[1, 1], [1, 0]]), "--output-weight", "0,1", "-f", "jsonl")
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [(row["loss"], row["weight"]) for row in rows] == [(4, 0.5), (0, 0)]
    assert [row["target"] for row in rows] == [[0, 0], [1, None]]


@pytest.mark.parametrize("rows", [1, 2])
def test_masks_that_are_rows_of_which_elements_exist(compute, save, monkeypatch, rows):
    """1 - 2 sum(p t) / (sum(p) + sum(t)) of the two elements of each row that exist; the true ones are counted."""
    monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", rows)
    p, t = save("p.npy", [[0.5, 0.2, 0.9], [0.1, 0.3, 0.4]]), save("t.npy", [[1, 0, 1], [0, 1, 0]])
    words = ("dice", p, t, "--from", "probs", "--mask", save("m.npy", [[1, 1, 0], [0, 1, 1]]))
    found = [json.loads(line) for line in compute(*words, "-f", "jsonl").out.splitlines()]
    assert [row["loss"] for row in found] == pytest.approx([1 - 1 / 1.7, 1 - 0.6 / 1.7], rel=1e-12)
    assert [row["target"] for row in found] == [1, 1]


def test_places_of_an_own_loss_of_the_file_are_those_of_the_file(compute, save, write):
    own = write("own.py", "def rmse(p, t):\n    return ((p - t) ** 2).mean() ** 0.5\n")
    words = (f"{own}:rmse", save("p.npy", [0, 1, 2, 3, np.nan]), "0", "--per", "file")
    compute(*words, "--mask", save("m.npy", [0, 1, 0, 1, 1])).refuses(3, "p.npy[4]", "NaN")


def test_weights_of_positions_are_in_the_gradients_of_samples(compute, save, folder):
    """Of two equal logits, the gradient of the logits is (-1/2, 1/2) times the share of the position's weight."""
    words = ("ce", save("p.npy", np.zeros((2, 2, 2))), save("t.npy", np.zeros((2, 2), int)), "--class-axis", "-1")
    words += ("--sample-weight", save("w.npy", [[1.0, 3], [1, 1]]), "--per", "sample", "--reduction", "sum")
    assert compute(*words, "--gradient", "g.npy").code == 0
    shares = np.array([[0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(np.load(folder / "g.npy"), shares[..., None] * [-0.5, 0.5], rtol=1e-12)


def test_weights_of_positions_are_in_units_of_classes(compute, save):
    words = ("mse", save("p.npy", np.arange(12.0).reshape(2, 2, 3)), "0", "--class-axis", "1", "--per", "sample,class")
    found = compute(*words, "--sample-weight", save("w.npy", [[1.0, 2, 1], [1, 1, 1]]), "-f", "jsonl")
    losses = [json.loads(line)["loss"] for line in found.out.splitlines()]
    assert losses == pytest.approx([(0 + 2 + 4) / 4, (9 + 32 + 25) / 4, (36 + 49 + 64) / 3, (81 + 100 + 121) / 3])
