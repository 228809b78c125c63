"""`compute --as`: the numbers of other libraries, on the command line.

Numbers that are written out here were printed by torch 2.13.0, keras 3.15.1, tensorflow 2.21.0, optax 0.2.8 and
scikit-learn 1.9.1 for the same arrays. `libraries.json` has many more, made by `tests/support/make_libraries.py`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.libraries import NAMES, libraries
from losscli.lookup.meanings import ELSEWHERE, each_name
from losscli.lookup.names import find
from losscli.losses import LOSSES

NUMBERS = ([1.5, 1, 5, 1], [1, 2, 3, 0.5])
WEIGHTS = [1, 0, 2, 2]
BINARY = ([2.0, -1, 0.5, -3], [1, 0, 0, 1])
CLASSES = ([[2, 0.5, -1], [0.1, 0.2, 0.3], [-1, 3, 0], [1, 1, 1]], [0, 2, 1, 0])
CLASS_WEIGHTS = "0=1,1=2,2=0.5"
Compute = Callable[..., Any]
Save = Callable[..., str]


@pytest.fixture
def number(compute: Compute, save: Save) -> Callable[..., float]:
    """The number that a line prints for arrays of predictions and targets."""

    def of(loss: str, data: Any, *words: str, dtype: Any = np.float64) -> float:
        p, t = save("p.npy", data[0], dtype), save("t.npy", data[1])
        return float(compute(loss, p, t, *words, "-f", "value", "-q").value)

    return of


@pytest.mark.quick
@pytest.mark.parametrize(
    ("loss", "library", "expected"),
    [
        ("squared-error", "torch", 1.75),
        ("absolute-error", "torch", 1.1),
        ("squared-error", "keras", 2.1875),
        ("squared-error", "tf1", 2.91667),
        ("squared-error", "sklearn", 1.75),
    ],
)
def test_weights_have_three_denominators(
    number: Callable[..., float], save: Save, loss: str, library: str, expected: float
) -> None:
    w = save("w.npy", WEIGHTS)
    found = number(loss, NUMBERS, "--sample-weight", w, "--as", library)
    assert found == pytest.approx(expected, rel=1e-5)


def test_weights_of_huber_are_divided_by_rows_in_torch(number: Callable[..., float], save: Save) -> None:
    w = save("w.npy", WEIGHTS)
    found = number("huber", NUMBERS, "--delta", "10", "--sample-weight", w, "--as", "torch")
    assert 2 * found == pytest.approx(2.1875)


@pytest.mark.parametrize(
    ("reduction", "library", "expected"),
    [
        ("sum", "tf1", 8.75),
        ("sum-over-batch-size", "tf1", 2.1875),
        ("mean", "tf1", 1.75),
        ("mean", "keras", 1.75),
        ("sum-over-batch-size", "keras", 2.1875),
    ],
)
def test_reductions_that_a_library_has(
    number: Callable[..., float], save: Save, reduction: str, library: str, expected: float
) -> None:
    w = save("w.npy", WEIGHTS)
    words = ("--sample-weight", w, "--reduction", reduction, "--as", library)
    assert number("mse", NUMBERS, *words) == pytest.approx(expected)


def test_sums_over_outputs(number: Callable[..., float]) -> None:
    data = ([[1.0, 2], [3, 5]], [[0.0, 0], [0, 1]])
    sums = {name: number("mse", data, "--reduction", "sum", "--as", name) for name in ("torch", "keras", "tf1")}
    assert sums == {"torch": 30, "keras": 15, "tf1": 30}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("library", "words", "expected"),
    [
        ("torch", (), 0.43837),
        ("keras", (), 0.493166),
        ("tf1", (), 0.493166),
        ("sklearn", (), 0.43837),
        ("torch", ("--label-smoothing", "0.2"), 0.629616),
    ],
)
def test_weights_of_classes(
    number: Callable[..., float], library: str, words: tuple[str, ...], expected: float
) -> None:
    found = number("ce", CLASSES, "--class-weight", CLASS_WEIGHTS, *words, "--as", library)
    assert found == pytest.approx(expected, rel=2e-6)


def test_weights_of_classes_and_one_hot_rows_in_torch(number: Callable[..., float]) -> None:
    """0.493166 without, and 0.708318 with label smoothing: rows of probabilities are divided by their number."""
    rows = (CLASSES[0], np.eye(3)[CLASSES[1]].tolist())
    assert number("ce", rows, "--class-weight", CLASS_WEIGHTS, "--as", "torch") == pytest.approx(0.493166, rel=2e-6)
    smoothed = number("ce", rows, "--class-weight", CLASS_WEIGHTS, "--label-smoothing", "0.2", "--as", "torch")
    assert smoothed == pytest.approx(0.708318, rel=2e-6)


@pytest.mark.parametrize(
    ("library", "dtype", "expected"),
    [
        ("torch", np.float64, 100),
        ("keras", np.float32, 16.1181),
        ("tf1", np.float32, 16.1181),
        ("sklearn", np.float64, 36.0437),
        ("sklearn", np.float32, 15.9424),
        ("sklearn", np.float16, 15.9424),
    ],
)
def test_a_probability_of_zero(number: Callable[..., float], library: str, dtype: Any, expected: float) -> None:
    """Of two rows: the other one has the loss 0, up to what clips leave of it. Files of float16 are converted to float32."""
    data = ([0.0, 0.0], [1, 0])
    found = number("bce", data, "--from", "probs", "--as", library, dtype=dtype)
    assert 2 * found == pytest.approx(expected, rel=1e-5)


def test_keras_makes_probabilities_of_logits_for_focal_losses(number: Callable[..., float]) -> None:
    assert number("sigmoid-focal", ([-1000.0, -1000], [1, 1]), "--as", "keras") == pytest.approx(16.1181, rel=1e-5)
    assert number("sigmoid-focal", ([-1000.0, -1000], [1, 1]), "--as", "optax") == pytest.approx(1000)
    assert number("softmax-focal", CLASSES, "--as", "keras") == pytest.approx(0.0563056, rel=1e-5)


@pytest.mark.parametrize(
    ("labels", "library", "expected"),
    [
        ([1, 0, 0, 1], "keras", 1.375),
        ([1, -1, -1, 1], "keras", 1.375),
        ([1, -1, -1, 1], "optax", 1.375),
        ([1, 0, 0, 1], "optax", 1.5),
        ([1, 0, 0, 1], "tf1", 1.375),
        ([1, -1, -1, 1], "tf1", 1.625),
        ([1, 0, 0, 1], "sklearn", 1.375),
    ],
)
def test_labels_of_hinge_losses(number: Callable[..., float], labels: list[int], library: str, expected: float) -> None:
    assert number("hinge", (BINARY[0], labels), "--as", library) == pytest.approx(expected)


def test_soft_margin_of_torch_takes_zeros_as_they_are(number: Callable[..., float]) -> None:
    assert number("SoftMarginLoss", BINARY, "--as", "torch") == pytest.approx(1.14045, rel=1e-5)


def test_factors_and_defaults(number: Callable[..., float]) -> None:
    assert number("mape", NUMBERS, "--as", "keras") == pytest.approx(66.6667, rel=1e-5)
    assert number("mape", NUMBERS, "--as", "sklearn") == pytest.approx(0.666667, rel=1e-5)
    zero = ([1.0, 1.0], [0.0, 2.0])
    assert number("mape", zero, "--as", "keras") == pytest.approx(5e8, rel=1e-5)
    assert number("mape", zero, "--as", "sklearn") == pytest.approx(2.2518e15, rel=1e-4)
    assert number("mape", zero, "--epsilon", "1e-7", "--as", "keras") == pytest.approx(5e8, rel=1e-5)
    assert number("poly-1", CLASSES, "--as", "optax") == pytest.approx(1.39077, rel=1e-5)
    rates = ([0.0, 0.0], [1.0, 1.0])
    assert number("poisson", rates, "--as", "torch") == pytest.approx(18.4207, rel=1e-5)
    assert number("poisson", rates, "--as", "keras") == pytest.approx(16.1181, rel=1e-5)


def test_divergence_of_torch_is_divided_by_the_classes(number: Callable[..., float]) -> None:
    data = ([[0.4, 0.4, 0.2], [0.2, 0.3, 0.5]], [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    assert number("kl", data, "--from", "probs", "--as", "torch") == pytest.approx(0.0370157, rel=1e-5)
    assert number("kl", data, "--from", "probs", "--as", "keras") == pytest.approx(0.111047, rel=1e-5)


MASKS = ([[2, -1, 0.5, -2], [1, -0.5, -1, 3.0]], [[1, 0, 1, 1], [0, 0, 1, 1]])


def test_masks(number: Callable[..., float]) -> None:
    assert number("dice", MASKS, "--as", "keras") == pytest.approx(0.383187, rel=1e-5)
    assert number("dice", MASKS, "--as", "optax") == pytest.approx(0.268515, rel=1e-5)
    assert number("dice", MASKS, "--smooth", "0", "--as", "optax") == pytest.approx(0.386206, rel=1e-5)
    swapped = number("tversky", MASKS, "--alpha", "0.3", "--beta", "0.7", "--as", "keras")
    assert swapped == pytest.approx(0.36163, rel=1e-5)
    assert number("tversky", MASKS, "--alpha", "0.3", "--beta", "0.7", "--per", "file") == pytest.approx(
        0.403335, rel=1e-5
    )


def test_cosines(number: Callable[..., float]) -> None:
    data = ([[1.0, 2, 2]], [[2.0, 0, 1]])
    assert number("cosine-similarity", data, "--as", "keras") == pytest.approx(-0.596285, rel=1e-5)
    assert number("cosine-distance", data, "--as", "optax") == pytest.approx(0.403715, rel=1e-5)


def golden() -> list[dict[str, Any]]:
    path = Path(__file__).with_name("libraries.json")
    return json.loads(path.read_text()) if path.exists() else []


def several(value: Any) -> str:
    return ",".join(f"{i}={one!r}" for i, one in enumerate(value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("case", golden(), ids=lambda case: f"{case['as']}-{case['loss']}")
def test_the_librarys_number_comes_out(compute: Compute, save: Save, case: dict[str, Any]) -> None:
    dtype = np.dtype(case["dtype"])
    targets = np.array(case["targets"])
    p = save("p.npy", np.array(case["predictions"], object).astype(float), dtype)
    t = save("t.npy", targets.astype(dtype) if targets.dtype.kind == "f" else targets)
    words = [case["loss"], p, t, "--as", case["as"], "-f", "json", "-q"]
    for name, value in case["parameters"].items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    for name, value in case["options"].items():
        text = save("w.npy", value) if name == "sample_weight" else several(value)
        words += [f"--{name.replace('_', '-')}", text]
    if case.get("beside") is not None:
        words += [f"--{LOSSES[case['loss']].family.third_operand}", save("b.npy", case["beside"], dtype)]
    expected = case["value"]
    found = compute(*words).json["value"]
    rtol = 1e-9 if dtype == np.float64 and case["as"] in ("torch", "optax", "sklearn") else 5e-6
    assert found == pytest.approx(expected, rel=rtol, abs=1e-7), case["call"]


def test_every_claim_has_a_golden_case() -> None:
    proven = {(case["as"], case["loss"]) for case in golden()}
    claimed = {(name, call.loss) for name, library in libraries().items() for call in library.calls if not call.refused}
    assert claimed - proven == set()


class TestRefusals:
    """What goes together with --as, and what not."""

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (("mse", "--as", "numpy"), ("'numpy' is no library", "torch, keras, tf1, optax, sklearn")),
            (("mse", "--as", "keras,keras"), ("named twice",)),
            (("welsch", "--as", "torch"), ("torch 2.13.0 has no welsch", "huber")),
            (("mse", "--as", "torch", "--gradient", "g.npy"), ("--gradient", "leave out --as")),
            (("mse", "--as", "torch", "--over-outputs", "sum"), ("--over-outputs",)),
            (("mse", "--as", "torch,keras", "--per-sample"), ("--per-sample", "one library")),
            (("mse", "--as", "torch,keras", "-f", "value"), ("--format value", "one library")),
            (("mse", "--as", "torch,keras", "--require", "mean < 1"), ("--require", "one library")),
            (("mse", "--as", "torch", "--reduction", "sum-over-batch-size"), ("no reduction sum-over-batch-size",)),
        ],
    )
    def test_usage(self, compute: Compute, save: Save, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
        p, t = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1])
        compute(words[0], p, t, *words[1:]).refuses(2, *parts)

    def test_smoothing_that_a_library_has_not(self, compute: Compute, save: Save) -> None:
        p, t = save("p.npy", BINARY[0]), save("t.npy", BINARY[1])
        compute("bce", p, t, "--label-smoothing", "0.1", "--as", "torch").refuses(2, "no label smoothing")


class TestNames:
    """Any library's name finds its loss."""

    def test_every_name_finds_a_loss_of_its_library(self) -> None:
        for library in libraries().values():
            for call in library.calls:
                assert call.loss in LOSSES
                for name in call.names:
                    found = find(name).name
                    assert found in {other.loss for other in library.calls if name in other.names}, (library.name, name)
                    assert find(f"some.module.{name}").name == found

    @pytest.mark.parametrize(
        ("name", "loss"),
        [
            ("torch.nn.BCEWithLogitsLoss", "sigmoid-cross-entropy"),
            ("SparseCategoricalCrossentropy", "softmax-cross-entropy"),
            ("tf.nn.sigmoid_cross_entropy_with_logits", "sigmoid-cross-entropy"),
            ("optax.losses.ntxent", "nt-xent"),
            ("mean_pinball_loss", "quantile"),
            ("PoissonNLLLoss", "log-poisson"),
            ("keras.losses.CosineSimilarity", "cosine-distance"),
            ("optax.losses.sparsemax_loss", "binary-sparsemax"),
        ],
    )
    def test_names(self, name: str, loss: str) -> None:
        assert find(name).name == loss

    def test_a_name_that_means_something_else_elsewhere_says_so(self, run: Any, compute: Compute, save: Save) -> None:
        p, t = save("p.npy", NUMBERS[0]), save("t.npy", NUMBERS[1])
        found = compute("l2_loss", p, t)
        assert "l2_loss is half-squared-error here" in found.err
        assert compute("half-squared-error", p, t).err == ""
        for name, text in each_name(ELSEWHERE):
            out = run("explain", name).out
            assert text.split(";")[0].split(",")[0][:40] in " ".join(out.split())

    def test_explain_says_what_weights_are_divided_by(self, run: Any) -> None:
        """torch divides by the weights of class indices, by the rows of soft targets, and in multi_margin_loss by rows."""
        said = {
            name: run("explain", name, "--format", "json").json["libraries"][0]["conventions"]
            for name in ("CrossEntropyLoss", "MultiMarginLoss", "MSELoss")
        }
        of_classes = {
            name: [line for line in lines if "with weights of classes" in line] for name, lines in said.items()
        }
        assert of_classes == {
            "CrossEntropyLoss": ["with weights of classes: sum(w * l) / sum(w); for soft targets sum(w * l) / n"],
            "MultiMarginLoss": ["with weights of classes: sum(w * l) / n"],
            "MSELoss": [],
        }
        assert said["MSELoss"] == ["reduces by mean: sum(w * l) / sum(w)"]

    def test_explain_shows_calls_conventions_and_defects(self, run: Any) -> None:
        out = " ".join(run("explain", "tversky").out.split())
        for part in ("keras.losses.Tversky", "weighs false negatives by alpha", "keras up to 3.15.1", "for one mask"):
            assert part in out
        entry = run("explain", "MSELoss", "--format", "json").json
        assert [item["library"] for item in entry["libraries"]] == ["torch", "keras", "tf1", "optax", "sklearn"]
        assert set(NAMES) == set(libraries())
