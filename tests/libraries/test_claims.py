"""The call that is printed, run by Python on the very arrays, gives the number that is printed.

`tests/support/claims.py` draws arrays, options and parameters for each call of each library; a sample of its runs is made here,
where the libraries are installed. The numbers that are written out were printed by torch 2.13.0 for the same arrays.
"""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import claims
import numpy as np
import pytest

from losscli.libraries import libraries

COMPLETE = {"torch": 600, "keras": 240, "sklearn": 240, "tf1": 200, "optax": 240}
"""Libraries of which every call is held to the claim, and the number of runs."""
PART = {"sklearn": 0.35}
"""The part of a library's runs that compare two numbers, if others say how many calls take one number per row, or hard labels."""
Compute = Callable[..., Any]
Save = Callable[..., str]


@pytest.mark.parametrize("library", COMPLETE)
def test_a_sample_of_random_runs(library: str) -> None:
    if not claims.installed(library):
        pytest.skip(f"{library} is not installed")
    counts, failed, largest = claims.run([library], None, COMPLETE[library], seed=11)
    assert [claims.described(*one) for one in failed[:3]] == []
    found = counts[library]
    assert 0 < largest[library] <= claims.UNITS
    # A harness that refuses everything would find nothing: three in five runs compare two numbers.
    assert sum(found[verdict] for verdict in claims.COMPARED) > COMPLETE[library] * PART.get(library, 0.57)


@pytest.mark.skipif(not claims.installed("torch"), reason="torch is not installed")
class TestHarness:
    """It finds what it is for."""

    def case(self, **options: Any) -> claims.Case:
        arrays = {"p": np.array([1.5, 1.0, 5.0]), "t": np.array([1.0, 2.0, 3.0])}
        return claims.Case("a case", "torch", "huber", "logits", arrays, options)

    @pytest.mark.parametrize(
        ("changed", "verdict"),
        [
            (lambda claim: claim, "same"),
            (lambda claim: claim._replace(value=claim.value * (1 + 1e-12)), "different"),
            (lambda claim: claim._replace(value=math.inf), "different"),
            (lambda claim: claim._replace(value="refused: for no reason"), "refused alone"),
            (lambda claim: claim._replace(call=claim.call.replace("delta=0.5", "delta=1")), "different"),
            (lambda claim: claim._replace(call=claim.call.replace("delta", "beta")), "number alone"),
            (lambda claim: claim._replace(call=f"float('nan') * {claim.call}"), "number alone"),
        ],
    )
    def test_a_claim_that_does_not_hold(
        self, monkeypatch: pytest.MonkeyPatch, changed: Callable[[claims.Claim], claims.Claim], verdict: str
    ) -> None:
        claim = changed(claims.claimed(self.case(delta=0.5)))
        monkeypatch.setattr(claims, "claimed", lambda case: claim)
        assert claims.judged(self.case(delta=0.5)).verdict == verdict

    def test_every_call_of_a_library_gets_its_runs(self) -> None:
        drawn = list(claims.cases(["torch"], None, 2 * len(libraries()["torch"].calls), 1))
        assert [case.loss for case in drawn[: len(drawn) // 2]] == [call.loss for call in libraries()["torch"].calls]

    def test_shares_are_all_runs_and_each_call_is_in_one_of_them(self) -> None:
        shares = [{case.name for case in claims.cases(["torch"], None, 100, 1, (i, 2))} for i in (0, 1)]
        assert shares[0] | shares[1] == {case.name for case in claims.cases(["torch"], None, 100, 1)}
        calls = [{name.rsplit("-", 1)[0] for name in share} for share in shares]
        assert not calls[0] & calls[1]

    def test_the_table_names_versions(self) -> None:
        lines = claims.table({"torch": Counter(same=2, different=1)}, {"torch": 1.25}).splitlines()
        assert lines[-1].startswith("| `torch`: torch 2.")
        assert lines[-1].split(" | ")[1:3] == ["3", "2"]
        assert lines[-1].endswith("| 1.25 |")


ROWS = ([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], [0, 2])
LABELS = ([[0.2, 0.7, 0.9], [0.6, 0.4, 0.1]], [[1, 0, 1], [0, 1, 0]])
TWO_LABELS = ([[0.2, 0.7], [0.6, 0.4]], [[1, 0], [0, 1]])
KAPPA = [[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]
STEPS = [[[0.5, -1, 2], [1, 1, 0], [-2, 0.5, 0.25]], [[0, 3, -1], [1, 0, 1], [0, 0, 0]]]
PAIR = ([[0.0, 0]], [[3.0, 4]])


@pytest.mark.parametrize(
    ("loss", "words", "arrays", "expected", "part"),
    [
        ("ce", "--from probs", ROWS, 1.4978661367769954, "nll_loss(torch.tensor(numpy.log(p)), torch.tensor(t))"),
        ("ce", "--from probs", (ROWS[0][:1], [[0.2, 0.3, 0.5]]), 1.30454023362682, "cross_entropy(torch.tensor(numpy.log(p))"),
        ("ce", "--class-weight 0=0,1=2 --label-smoothing 0.1", ([[1.0, 2], [0, 1]], [0, 1]), 0.3132616875182229, "[0.0, 2.0]"),
        ("bce", "--from probs --class-weight 0=2,1=3", ([0.2, 0.9], [0, 1]), 0.3811843248009492, "weight=torch.tensor("),
        ("gaussian-nll", "--variance 1e-8", ([1.0], [1.5]), 124993.09224472102, "numpy.full(p.shape, 1e-08)"),
        ("gaussian-nll", "--full 1 --variance v.npy", ([1.0, 2.5, 3], [1.5, 4.0, 0.5]), 41667.55385344021, "full=True"),
        ("poisson", "", ([-1e-9, 2.0], [1, 0]), 10.263020629305096, "eps=1e-08"),
        ("poisson", "--full 1", ([1.0, 2.5, 3], [1.5, 4.0, 0.5]), 1.8908876010559468, "eps=1e-08, full=True"),
        ("log-poisson", "--full 1", ([1.0, 2.5, 3], [1.5, 4.0, 0.5]), 8.457814873338457, "full=True"),
        ("huber", "--delta 0.5", ([1.5, 1, 5], [1, 2, 3]), 0.4583333333333333, "delta=0.5"),
        ("triplet", "--swap 1 --margin 2 --negative n.npy", PAIR, 5.999999599999504, "swap=True, eps=1e-06"),
        ("cosine-embedding", "--other n.npy", ([[0.0, 0]], [1]), 1.0, "torch.tensor(other)"),
        ("hinge-embedding", "--other n.npy", ([[1.0, 0], [4, 4]], [1, -1]), 3.0, "numpy.sqrt(((p - other) ** 2).sum(axis=1))"),
        ("bce", "--pos-weight 3", ([0.0, 0], [1, 0]), 2 * math.log(2), "pos_weight=torch.tensor(3.0"),
        ("mse", "--sample-weight e.npy", ([[1.0, 2], [3, 5]], [[0.0, 1], [1, 1]]), 4.75, "weight=torch.tensor(w)"),
        ("mse", "--sample-weight w.npy", ([[1.0, 2], [3, 5]], [[0.0, 1], [1, 1]]), 7.0, "numpy.broadcast_to(w[:, None], p.shape)"),
        ("ctc", "", (STEPS, [[1, 2], [2, -1]]), 2.5684405551259553, "p.transpose(1, 0, 2) - numpy.logaddexp.reduce("),
        ("ctc", "", (11 * STEPS, 11 * [[1, 2], [2, -1]]), 2.5684405551259553, "numpy.logical_not(t == -1).sum(axis=1)"),
    ],
)  # fmt: skip
def test_numbers_and_calls_of_torch(
    compute: Compute, save: Save, loss: str, words: str, arrays: Any, expected: float, part: str
) -> None:
    save("n.npy", [[4.0, 4.0]] * len(arrays[0])), save("v.npy", [1e-8, 2.0, 0.5])
    save("w.npy", [1.0, 2.0]), save("e.npy", [[1.0, 2.0], [0.0, 1.0]])
    p, t = save("p.npy", arrays[0]), save("t.npy", arrays[1])
    found = compute(loss, p, t, *words.split(), "--as", "torch", "-f", "json").json
    assert found["value"] == pytest.approx(expected, rel=1e-14)
    call = found["receipt"]["as"]
    assert part in call["call"]
    assert call["imports"][-1] == "import torch"
    if claims.installed("torch"):
        names = {"p": np.load(p), "t": np.load(t), "negative": np.load("n.npy"), "other": np.load("n.npy")}
        names |= {"variance": np.load("v.npy"), "w": np.load("e.npy" if "e.npy" in words else "w.npy")}
        exec("\n".join(call["imports"]), names)
        assert float(eval(call["call"], names)) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "words", "arrays", "expected", "call"),
    [
        ("bce", "--from probs", LABELS, 1.3155445799830408, "log_loss(t, p)"),
        ("bce", "--from probs --reduction sum", LABELS, 2.6310891599660815, "log_loss(t, p, normalize=False)"),
        ("sigmoid-brier", "--from probs", LABELS, 0.935, "brier_score_loss(t, p)"),
        ("sigmoid-brier", "--from probs", TWO_LABELS, 0.4625, "brier_score_loss(t, p)"),
        ("zero-one", "", ([0.0, 2], [0, 1]), 0.0, "zero_one_loss(t, p > 0)"),
        ("multiclass-zero-one", "", ([[1.0, 1], [0, 3], [0, 2]], [0, 1, 0]), 0.33333333333333337, "zero_one_loss(t, p.argmax(axis=1))"),
        ("zero-one", "", ([[1.0, 2, 0], [0.5, -1, 3]], [[1, 0, 1], [0, 0, 1]]), 0.5, "hamming_loss(t, p > 0)"),
        ("qwk-loss", "--from probs", (KAPPA, [0, 1, 2, 2]), 0.8333333333333334, "cohen_kappa_score(t, p.argmax(axis=1), labels=numpy.arange(p.shape[1]), weights='quadratic')"),
        ("hinge", "", ([-2.0, 3], [1, 1]), 2.0, "hinge_loss(t, p)"),
        ("hinge", "", ([-2.0, 3], [-1, -1]), 2.0, "hinge_loss(t, p)"),
        ("tweedie-deviance", "", ([1, 2.5, 0.5], [1.5, 2, 0.25]), 0.17172426453599288, "mean_tweedie_deviance(t, p, power=1.5)"),
        ("median-absolute-error", "", ([1.5, 3, 2, 4], [1.0, 2, 4, 8]), 1.5, "median_absolute_error(t, p)"),
        ("max-error", "", ([1.5, 3, 2, 4], [1.0, 2, 4, 8]), 4.0, "max_error(t, p)"),
    ],
)  # fmt: skip
def test_numbers_and_calls_of_sklearn(
    compute: Compute, save: Save, loss: str, words: str, arrays: Any, expected: float, call: str
) -> None:
    """Printed by scikit-learn 1.9.1 for the same arrays."""
    p, t = save("p.npy", arrays[0]), save("t.npy", arrays[1])
    found = compute(loss, p, t, *words.split(), "--as", "sklearn", "-f", "json").json
    assert found["value"] == pytest.approx(expected, rel=1e-14)
    assert found["receipt"]["as"]["call"].removeprefix("1 - ") == f"sklearn.metrics.{call}"


def test_files_of_float16_are_converted_for_sklearn(compute: Compute, save: Save) -> None:
    """log_loss of float16 is 3.8 here: it clips by the epsilon of float16, and adds up in it."""
    p, t = save("p.npy", [0.0, 0.5], np.float16), save("t.npy", [1, 0])
    found = compute("bce", p, t, "--from", "probs", "--as", "sklearn", "-f", "json").json
    assert found["receipt"]["as"]["call"] == "sklearn.metrics.log_loss(t, p.astype('float32'))"
    assert found["value"] == pytest.approx(8.317766189575195, rel=1e-7)  # scikit-learn 1.9.1 of that


@pytest.mark.parametrize(
    ("loss", "words", "p", "t", "code", "said"),
    [
        ("bce", "--from probs", [0.2, 0.9], [1, 1], 3, "give rows of both, or call it from Python with labels=[0, 1]"),
        ("qwk-loss", "--from probs", [[0.5, 0.5], [0.2, 0.8]], [[1, 1], [0, 1]], 3, "give targets with one"),
        ("ce", "--from probs", [[0.5, 0.2, 0.3], [0.2, 0.2, 0.6]], [0, 2], 3, "2 of the 3 classes here; give rows of every class"),
        ("multiclass-hinge", "", [[0.5, 0.2], [0.2, 0.6]], [0, 1], 3, "give the difference of the two columns"),
        ("multiclass-hinge", "", [[0.5, 0.2, 1, 1]] * 3, [0, 1, 2], 3, "3 of the 4 classes here; give rows of every class"),
        ("hinge", "", [[0.5, 0.2], [0.2, 0.6]], [[0, 1], [1, 1]], 2, "one number per row"),
        ("poisson-deviance", "", [0.0, 0.2], [0, 1], 3, "takes predictions above 0 only"),
        ("tweedie-deviance", "--power=-1", [0.0, 0.2], [0, 1], 3, "takes predictions above 0 only"),
        ("poisson-deviance", "", [[0.5, 0.2], [0.2, 0.6]], [[0, 1], [1, 1]], 2, "one number per row"),
        ("bce", "--from probs", [0.2, 0.9], [0.5, 1], 2, "no soft targets"),
        ("mse", "", [math.inf, 0.9], [0.5, 1], 3, "finite numbers only"),
        ("bce", "--from probs --reduction sum --sample-weight w.npy", [0.2, 0.9], [0, 1], 3, "weights that are all 0"),
        ("mse", "--sample-weight ww.npy", [[0.5, 0.2], [0.2, 0.6]], [[0, 1.0], [1, 1]], 2, "one weight per row"),
    ],
)  # fmt: skip
def test_where_sklearn_raises_an_error(
    compute: Compute, save: Save, loss: str, words: str, p: Any, t: Any, code: int, said: str
) -> None:
    save("w.npy", [0.0, 0.0]), save("ww.npy", [[1.0, 2.0], [2.0, 1.0]])
    p, t = save("p.npy", p), save("t.npy", t)
    compute(loss, p, t, *words.split(), "--as", "sklearn").refuses(code, "--as sklearn", said)


@pytest.mark.parametrize(
    ("loss", "words", "arrays", "expected", "part"),
    [
        ("cosine-distance", "", ([[3.0, 4], [1, 0]], [[1.0, 2], [0.5, 1]]), -4.75, "axis=1)"),
        ("mse", "--sample-weight w.npy", ([3.0, 4.0], [1.0, 2.0]), 0.0, "weights=tensorflow.constant(w, 'float32')"),
        ("mse", "--sample-weight w.npy", ([[3.0, 4]] * 2, [[1.0, 2]] * 2), 0.0, "weights=tensorflow.constant(w[:, None], 'float32')"),
        ("hinge", "", ([0.5, 0.5], [1, -1]), 1.5, "hinge_loss(tensorflow.constant(t, 'float32')"),
        ("mse", "--reduction mean", ([3.0, 4.0], [1.0, 2.0]), 4.0, "reduction='weighted_mean'"),
        (
            "log-poisson",
            "--full 1",
            ([1.0, 2.5, 3], [1.5, 4.0, 0.5]),
            pytest.approx(8.457814873338457),
            "compute_full_loss=True",
        ),
    ],
)  # fmt: skip
def test_numbers_and_calls_of_tf1(
    compute: Compute, save: Save, loss: str, words: str, arrays: Any, expected: float, part: str
) -> None:
    """Printed by tensorflow 2.21.0 for the same arrays."""
    save("w.npy", [0.0, 0.0]), save("steps.npy", [2, 3])
    p, t = save("p.npy", arrays[0]), save("t.npy", arrays[1])
    found = compute(loss, p, t, *words.split(), "--as", "tf1", "-f", "json").json
    assert found["value"] == expected
    assert part in found["receipt"]["as"]["call"]


def test_numbers_that_are_too_large_for_float32_are_infinite_there(compute: Compute, save: Save) -> None:
    p, t = save("p.npy", [-100.0, 1.0], np.float32), save("t.npy", [1, 1])
    assert compute("SoftMarginLoss", p, t, "--as", "torch", "-f", "value").value == math.inf
    # 3e38 fits, and the sum of two does not.
    p, zero = save("p.npy", [1.75e19, 1.75e19], np.float32), save("z.npy", [0.0, 0.0], np.float32)
    assert compute("mse", p, zero, "--as", "torch", "-f", "value").value == math.inf
    assert compute("mse", p, zero, "-f", "value").value == pytest.approx(3.0625e38, rel=1e-6)


def test_where_the_library_has_nan_there_is_no_number(compute: Compute, save: Save) -> None:
    """torch multiplies infinities by 0: a masked logit with a soft target of 0, a row of weight 0, labels at infinite logits."""
    p, t = save("p.npy", [[-math.inf, 0.0, 1.0]]), save("t.npy", [[0.0, 0.5, 0.5]])
    assert compute("ce", p, t, "-f", "value").value == pytest.approx(math.log(1 + math.e) - 0.5)
    compute("ce", p, t, "--as", "torch").refuses(3, "p.npy[0]", "undefined")
    z, y = save("z.npy", [math.inf, 1.0]), save("y.npy", [1, 1])
    compute("bce", z, y, "--as", "torch").refuses(3, "z.npy[0]", "undefined")
    x, w = save("x.npy", [math.inf, 1.0]), save("w.npy", [0.0, 1.0])
    assert compute("mse", x, y, "--sample-weight", w, "-f", "value").value == 0
    compute("mse", x, y, "--sample-weight", w, "--as", "torch").refuses(3, "NaN")


class TestArguments:
    """What a call does not take is refused, unless it is what the call does anyway."""

    @pytest.mark.parametrize(
        ("words", "option"),
        [
            ("bce p.npy t.npy --from probs --pos-weight 3 --as torch", "--pos-weight"),
            ("bce p.csv t.csv --from probs --pos-weight a=3 --as torch", "--pos-weight"),
            ("bce p.npy t.npy --from probs --pos-weight 3 --as keras", "--pos-weight"),
            ("bce p.npy t.npy --from probs --pos-weight 3 --as sklearn", "--pos-weight"),
            ("bce p.npy t.npy --pos-weight 3 --as optax", "--pos-weight"),
            ("bce p.npy t.npy --from probs --label-smoothing 0.1 --as torch", "--label-smoothing"),
            ("ce r.npy t.npy --from probs --label-smoothing 0.1 --as sklearn", "--label-smoothing"),
            ("mape p.npy t.npy --epsilon 0.5 --as keras", "--epsilon"),
            ("dice p.npy t.npy --from probs --smooth 1 --as keras", "--smooth"),
            ("triplet r.npy r.npy --negative r.npy --swap 1 --as optax", "--swap"),
            ("mse p.npy t.npy --reduction sum --as sklearn", "--reduction"),
            ("dice r.npy i.npy --from probs --exclude-class 0 --as keras", "--exclude-class"),
            ("mse r.npy r.npy --missing ignore --as torch", "--missing"),
            ("ctc s.npy i.npy --input-lengths 1 --as keras", "--input-lengths"),
            ("ctc s.npy i.npy --target-lengths 1 --as keras", "--target-lengths"),
            ("ctc s.npy i.npy --blank 1 --as keras", "--blank"),
        ],
    )
    def test_not_taken(self, compute: Compute, save: Save, words: str, option: str) -> None:
        save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1]), save("r.npy", [[0.5, 0.5], [0.25, 0.75]])
        Path("p.csv").write_text("a,b\n0.25,0.5\n"), Path("t.csv").write_text("a,b\n0,1\n")
        (
            save("s.npy", [[[0.5, 0.5, 1], [0, 1, 2]]]),
            save("i.npy", np.array([[0, 2]]) if "blank" in words else [[2, -1]]),
        )
        save("i.npy", [[1, 0], [0, 1]]) if "exclude" in words else None
        loss, p, t, *more = words.split()
        compute(loss, p, t, *more).refuses(2, f"--as {more[-1]}", f"leave {option} out")

    @pytest.mark.parametrize(
        "words",
        [
            "bce p.npy t.npy --from probs --pos-weight 1 --as torch",
            "mape p.npy t.npy --epsilon 1e-7 --as keras",
            "triplet r.npy r.npy --negative r.npy --swap 0 --as optax",
            "mse p.npy t.npy --reduction mean --as sklearn",
            "bce p.npy t.npy --label-smoothing 0 --as torch",
        ],
    )
    def test_what_it_does_anyway(self, compute: Compute, save: Save, words: str) -> None:
        save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1]), save("r.npy", [[0.5, 0.5], [0.25, 0.75]])
        loss, p, t, *more = words.split()
        assert compute(loss, p, t, *more).code == 0

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("mse --as torch", 1 / 3),  # the mean over the elements that are there
            ("mse --as sklearn", 1 / 3),
            ("mse --as keras", None),  # which takes one axis for one sample
            ("mse --as tf1", None),
            ("mse --sample-weight w.npy --as torch", None),
            ("dice --from probs --as optax", None),
            ("listwise-softmax --as optax", None),
        ],
    )
    def test_masks_within_rows(self, compute: Compute, save: Save, words: str, expected: float | None) -> None:
        """p[mask != 0] has one axis, whatever the rows were."""
        p, t, mask = save("p.npy", [[1.0, 0], [1, 1]]), save("t.npy", [[1, 1], [1, 0]]), save("m.npy", [[1, 1], [1, 0]])
        save("w.npy", [1.0, 2.0])
        loss, *more = words.split()
        found = compute(loss, p, t, "--mask", mask, *more, "-f", "value")
        if expected is None:
            found.refuses(2, "give a mask with one number per row")
        else:
            assert found.value == pytest.approx(expected)

    def test_one_of_several_libraries_says_it_in_its_line(self, compute: Compute, save: Save) -> None:
        p, t = save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1])
        words = ("bce", p, t, "--from", "probs", "--label-smoothing", "0.1", "--as", "keras,torch")
        found = compute(*words, "-f", "json").json["as"]
        assert [side["value"] is None for side in found] == [False, True]
        assert "no label smoothing" in found[1]["refused"]
        assert "no label smoothing" in compute(*words, "-f", "table").out


def test_several_libraries_print_their_calls_below_the_table(compute: Compute, save: Save) -> None:
    p, t = save("p.npy", [1.5, 1.0]), save("t.npy", [1.0, 2.0])
    words = ("huber", p, t, "--delta", "0.5", "--as", "torch,keras")
    out = compute(*words, "-f", "table").out
    table, _, calls = out.partition("\n\n")
    assert "huber_loss" not in table
    assert (
        "# torch\nimport torch\ntorch.nn.functional.huber_loss(torch.tensor(p), torch.tensor(t), delta=0.5)\n" in calls
    )
    assert "```python\n# torch\nimport torch\n" in compute(*words, "-f", "markdown").out
    assert [side["imports"] for side in compute(*words, "-f", "json").json["as"]] == [
        ["import torch"],
        ["import keras"],
    ]


@pytest.mark.parametrize(
    ("loss", "shapes", "words", "p", "t"),
    [
        ("ce", ((2, 3, 4), (2, 4)), "--class-axis 1", "numpy.moveaxis(p, 1, -1).reshape(-1, 3)", "t.reshape(-1)"),
        ("mse", ((4, 1), (4,)), "", "p.reshape(-1)", "t, dtype=torch.float64"),
        ("ce", ((3, 3), (3,)), "--label-base 1", "p", "t - 1"),
        ("mse", ((4,), None), "", "p", "numpy.full(p.shape, 2.0)"),
        ("multi-margin", ((3, 3), (3,)), "--ignore-index 1", "p[t != 1]", "t[t != 1]"),
    ],
)
def test_operands_as_the_file_has_them(
    compute: Compute, save: Save, loss: str, shapes: Any, words: str, p: str, t: str
) -> None:
    """Axes, squeezed shapes, labels from 1, constants and ignored rows are written in NumPy."""
    predictions = save("p.npy", np.random.default_rng(0).normal(size=shapes[0]))
    targets = "2.0" if shapes[1] is None else save("t.npy", np.resize([1, 2], shapes[1]))
    found = compute(loss, predictions, targets, *words.split(), "--as", "torch", "-f", "json").json
    call = found["receipt"]["as"]["call"]
    assert f"(torch.tensor({p}), torch.tensor({t})" in call
    if claims.installed("torch"):
        names: dict[str, Any] = {"p": np.load(predictions), "t": None if shapes[1] is None else np.load(targets)}
        exec("\n".join(found["receipt"]["as"]["imports"]), names)
        assert float(eval(call, names)) == pytest.approx(found["value"], rel=1e-14)


@pytest.mark.parametrize(
    ("loss", "words", "labels", "expected", "part"),
    [
        ("ce", "", "cab", [0, 1, 2], "({p}, {t}, dtype=torch.int64))"),
        ("ce", "--ignore-index b", "cab", [0, 1], "-1 if label == 'b' else "),
        ("ce", "--ignore-index ? --columns *", "c?b", [0, 2], "ignore_index=-1)"),
        ("multi-margin", "", "cab", [0, 1, 2], "({p}, {t}, dtype=torch.int64), "),
        ("multi-margin", "--ignore-index ? --columns *", "c?b", [0, 2], "[t != '?']"),
        ("ce", "--class-weight a=1,b=1,c=1", "cab", [0, 1, 2], "({p}, {t}, dtype=torch.int64), weight="),
    ],
)  # fmt: skip
def test_classes_that_have_names(
    compute: Compute, write: Any, loss: str, words: str, labels: str, expected: list[int], part: str
) -> None:
    """The labels that are left are c, a and b, whose losses are worked out here."""
    z, y = np.array([[0.5, -1, 2], [1, 1, 0.25], [-2, 0.5, 3]]), np.array(list(labels))
    write("z.csv", "a,b,c\n" + "".join(f"{','.join(map(str, row))}\n" for row in z.tolist()))
    write("y.csv", "label\n" + "".join(f"{label}\n" for label in labels))
    right = {
        "ce": np.log(np.exp(z).sum(axis=1)) - z[range(3), [2, 0, 1]],
        # by hand: what each other class's score lacks to be 1 below, over 3
        "multi-margin": np.array([0, 1 + 0.25, 3.5]) / 3,
    }
    found = compute(loss, "z.csv", "y.csv", *words.split(), "--as", "torch", "-f", "json").json
    assert found["value"] == pytest.approx(right[loss][expected].mean(), rel=1e-14)
    call = found["receipt"]["as"]["call"]
    index = "numpy.array([['a', 'b', 'c'].index(label) for label in t])"
    assert part.format(p="torch.tensor(p)", t=f"torch.tensor({index}") in call
    if claims.installed("torch"):
        names: dict[str, Any] = {"p": z, "t": y}
        exec("\n".join(found["receipt"]["as"]["imports"]), names)
        assert float(eval(call, names)) == pytest.approx(found["value"], rel=1e-14)


def test_classes_that_are_called_by_numbers(compute: Compute, save: Save, write: Any) -> None:
    """The loss is worked out here."""
    z = np.array([[0.5, -1, 2], [1, 1, 0.25], [-2, 0.5, 3]])
    write("z.csv", "30,10,20\n" + "".join(f"{','.join(map(str, row))}\n" for row in z.tolist()))
    found = compute("ce", "z.csv", save("y.npy", [20, 30, 10]), "--header", "--as", "torch", "-f", "json").json
    assert found["value"] == pytest.approx((np.log(np.exp(z).sum(axis=1)) - z[range(3), [2, 0, 1]]).mean(), rel=1e-14)
    assert found["receipt"]["as"]["call"] == (
        "torch.nn.functional.cross_entropy(torch.tensor(p), "
        "torch.tensor(numpy.array([[30, 10, 20].index(label) for label in t]), dtype=torch.int64))"
    )


TURNED = ([[1.0, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8], [0.6, 0.8]], [1, 1, 2, 2, 3])
"""Features of unit length, the last row of which is alone in its class: it has no loss, and is a negative of all others."""


@pytest.mark.parametrize(
    ("loss", "words", "arrays", "expected"),
    [
        ("circle", "", ([[2.0, 0], [1, 1], [0, 3], [-1, 1]], [0, 0, 1, 1]), 27.2),  # features that are not of unit length
        ("circle", "", TURNED, 21.632434844970703),
        ("circle", "", ([[1.0, 0], [1, 0], [0, -1], [0, -1]], [1, 1, 2, 2]), 1.5243731624203782e-11),
        ("msle", "", ([-0.5], [1.0]), math.log(2) ** 2),
        ("poisson", "", ([0.5], [-2.0]), 0.5 + 2 * math.log(0.5 + 1e-7)),
        ("tversky", "--from probs --alpha 0.3 --beta 0.7", ([0.6, 0.3, 0.2], [1, 0, 1]), 1 - 0.8 / 1.37),
        ("dice", "--from probs", ([0.0, 0.0], [0, 0]), 1.0),
        ("cosine-distance", "", ([[0.0, 0], [3, 4]], [[1.0, 2], [3, 4]]), -0.5),
        ("focal", "--alpha 0.25", ([0.0, 0.0], [1, -1]), math.log(2) / 4 * (0.25 + 0.75) / 2),
        ("mse", "--sample-weight zero.npy", ([1.0, 2.0], [0.0, 0.0]), 0.0),
        ("mse", "--sample-weight zero.npy --reduction mean", ([1.0, 2.0], [0.0, 0.0]), 0.0),
        ("gce", "--from probs --q 0.25", ([[0.0625, 0.9375]], [0]), 2.0),
        ("ctc", "", (STEPS, [[1, 2], [2, -1]]), 3.3295724391937256),
    ],
)  # fmt: skip
def test_numbers_and_calls_of_keras(
    compute: Compute, save: Save, loss: str, words: str, arrays: Any, expected: float
) -> None:
    """By the formula with Keras's conventions or, with all digits, as Keras 3.15.1 printed it on PyTorch."""
    save("zero.npy", [0.0, 0.0])
    p, t = save("p.npy", arrays[0]), save("t.npy", arrays[1])
    found = compute(loss, p, t, *words.split(), "--as", "keras", "-f", "json").json
    assert found["value"] == pytest.approx(expected, rel=1e-6)
    if claims.installed("keras"):
        names: dict[str, Any] = {"p": np.load(p), "t": np.load(t), "w": np.zeros(2)}
        exec("\n".join(found["receipt"]["as"]["imports"]), names)
        assert float(eval(found["receipt"]["as"]["call"], names)) == pytest.approx(expected, rel=1e-6)


def test_rows_that_have_no_loss_make_a_loss_of_0_in_keras(compute: Compute, save: Save) -> None:
    """Rows whose loss is 0 are left out; of none it is 0."""
    p, t = save("p.npy", [[1.0, 0], [1, 0], [0, 1], [0, 1]]), save("t.npy", [0, 0, 1, 1])
    assert compute("circle", p, t, "--as", "keras", "--gamma", "1000", "-f", "value").value == 0


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ("mse r.npy r.npy --sample-weight r.npy", 2, "takes one weight per row"),
        ("gce r.npy t.npy --from probs --q 1", 3, "a q between 0 and 1"),
        ("gce r.npy r.npy --from probs", 2, "takes labels"),
    ],
)
def test_what_keras_raises_for_is_refused(compute: Compute, save: Save, words: str, code: int, part: str) -> None:
    save("r.npy", [[0.5, 0.5], [0.25, 0.75], [0.375, 0.625]]), save("t.npy", [0, 1, 0])
    compute(*words.split(), "--as", "keras").refuses(code, "--as keras", part)
