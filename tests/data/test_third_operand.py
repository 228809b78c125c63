"""Losses that take a third operand: rows beside the targets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

GENERATOR = np.random.default_rng(11)
N, D = 12, 3
A, B, C = (GENERATOR.normal(0, 1, (N, D)) for _ in range(3))
SAME = GENERATOR.integers(0, 2, N)
MEANS, TRUTH = GENERATOR.normal(0, 1, (2, N))
VARIANCE = GENERATOR.uniform(0.2, 2, N)
SCORES, MASK = GENERATOR.normal(0, 2, (N, 4)), GENERATOR.integers(0, 2, (N, 4))
LABELS = np.arange(N) % 4
Compute = Callable[..., Any]
Save = Callable[..., str]
Write = Callable[..., str]


@pytest.fixture
def files(save: Save) -> dict[str, str]:
    arrays = {
        "a": A, "b": B, "c": C, "same": SAME, "mean": MEANS, "truth": TRUTH, "variance": VARIANCE,
        "scores": SCORES, "mask": MASK, "labels": LABELS,
    }  # fmt: skip
    return {name: save(f"{name}.npy", array) for name, array in arrays.items()}


def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(((x - y) ** 2).sum(axis=1))


class TestThirdOperand:
    """--variance, --negative and --other have a row for each prediction."""

    def test_variance(self, compute: Compute, files: dict[str, str]) -> None:
        found = compute("gaussian-nll", files["mean"], files["truth"], "--variance", files["variance"], "-f", "json")
        expected = (np.log(VARIANCE) + (MEANS - TRUTH) ** 2 / VARIANCE) / 2
        assert found.json["value"] == pytest.approx(expected.mean(), rel=1e-13)
        assert found.json["receipt"]["variance"] == "variance.npy"
        assert "|variance:variance.npy|" in found.json["signature"]

    def test_several_outputs_have_a_variance_each(self, compute: Compute, save: Save) -> None:
        v = GENERATOR.uniform(0.5, 2, A.shape)
        found = compute("gaussian", save("a.npy", A), save("b.npy", B), "--variance", save("v.npy", v), "-f", "json")
        assert found.json["value"] == pytest.approx(((np.log(v) + (A - B) ** 2 / v) / 2).mean(), rel=1e-13)

    def test_negative(self, compute: Compute, files: dict[str, str]) -> None:
        found = compute("triplet", files["a"], files["b"], "--negative", files["c"], "-f", "json").json["value"]
        expected = np.maximum(0, distance(A, B) - distance(A, C) + 1).mean()
        assert found == pytest.approx(expected, rel=1e-13)

    def test_other(self, compute: Compute, files: dict[str, str], save: Save) -> None:
        d = distance(A, B)
        expected = np.where(SAME == 1, d**2, np.maximum(0, 1.5 - d) ** 2).mean() / 2
        words = ("contrastive", files["a"], files["same"], "--margin", "1.5")
        assert compute(*words, "--other", files["b"]).json["value"] == pytest.approx(expected, rel=1e-13)
        of_distances = compute("contrastive", save("d.npy", d), files["same"], "--margin", "1.5").json["value"]
        assert of_distances == pytest.approx(expected, rel=1e-13)
        compute("contrastive", "d.npy", files["same"], "--other", files["b"]).refuses(2, "distances", "leave it out")

    def test_distances_may_be_a_column(self, compute: Compute, files: dict[str, str], save: Save) -> None:
        d = distance(A, B)
        expected = np.where(SAME == 1, d**2, np.maximum(0, 1.5 - d) ** 2).mean() / 2
        words = ("contrastive", save("d.npy", d[:, None]), files["same"], "--margin", "1.5")
        found = compute(*words)
        assert found.json["value"] == pytest.approx(expected, rel=1e-13)
        assert "d.npy: shape (12, 1) was squeezed to (12,)" in found.err

    def test_it_is_needed_and_has_the_predictions_shape(self, compute: Compute, files: dict[str, str]) -> None:
        compute("triplet", files["a"], files["b"]).refuses(2, "--negative FILE", "features")
        compute("triplet", files["a"], files["b"], "--negative", files["scores"]).refuses(
            3, "(12, 3)", "(12, 4)", "nothing is broadcast"
        )
        compute("gaussian", files["mean"], files["truth"], "--variance", "none.npy").refuses(3, "none.npy")
        compute("huber", files["mean"], files["truth"], "--variance", files["variance"]).refuses(2, "--variance")

    def test_a_variance_is_above_zero(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        v = VARIANCE.copy()
        v[4] = 0
        compute("gaussian", files["mean"], files["truth"], "--variance", save("v.npy", v)).refuses(
            3, "v.npy[4]", "0 is no variance"
        )
        v[4] = np.nan
        compute("gaussian", files["mean"], files["truth"], "--variance", save("v.npy", v)).refuses(3, "v.npy[4]", "nan")

    def test_a_nan_feature_has_its_place(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        c = C.copy()
        c[7, 1] = np.nan
        compute("triplet", files["a"], files["b"], "--negative", save("n.npy", c)).refuses(3, "n.npy[7, 1]", "nan")

    def test_it_is_joined_by_id_and_named_by_column(self, compute: Compute, write: Write) -> None:
        order = GENERATOR.permutation(N)
        text = "id,mean\n" + "".join(f"r{i},{MEANS[i]}\n" for i in range(N))
        truth = "id,truth\n" + "".join(f"r{i},{TRUTH[i]}\n" for i in order)
        third = "id,v\n" + "".join(f"r{i},{VARIANCE[i]}\n" for i in order[::-1])
        words = ("gaussian", write("p.csv", text), write("t.csv", truth), "--variance", write("v.csv", third))
        expected = ((np.log(VARIANCE) + (MEANS - TRUTH) ** 2 / VARIANCE) / 2).mean()
        assert compute(*words, "--id", "id").json["value"] == pytest.approx(expected, rel=1e-12)
        one = write("one.csv", "m,t,v\n" + "".join(f"{MEANS[i]},{TRUTH[i]},{VARIANCE[i]}\n" for i in range(N)))
        found = compute("gaussian", one, f"{one}:t", "--variance", f"{one}:v").json["value"]
        assert found == pytest.approx(expected, rel=1e-12)

    def test_ignored_rows_have_none(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        t = TRUTH.copy()
        t[[2, 5]] = -9
        v = VARIANCE.copy()
        v[2] = -1
        found = compute(
            "gaussian", files["mean"], save("t.npy", t), "--variance", save("v.npy", v), "--ignore-index", "-9"
        )
        kept = np.delete(np.arange(N), [2, 5])
        expected = ((np.log(VARIANCE) + (MEANS - TRUTH) ** 2 / VARIANCE) / 2)[kept].mean()
        assert found.json["value"] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "option", "column", "said"),
    [
        ("cox", "event", "censored", "give 1 - censored"),
        ("cox-efron", "event", "Right_Censoring", "1 where a row is censored"),
        ("gaussian-nll", "variance", "std", "a variance is its square"),
        ("gaussian-crps", "variance", "pred_sd", "a variance is its square"),
        ("beta-nll", "variance", "sigma", "a variance is its square"),
        ("laplace-nll", "scale", "variance", "square of a scale"),
        ("laplace-nll", "scale", "y.var", "square of a scale"),
    ],
)
def test_names_that_say_something_else(
    compute: Compute, write: Write, loss: str, option: str, column: str, said: str
) -> None:
    write("a.csv", f"y,t,{column},{option},not_censored\n0.5,2,1,1,1\n0.1,3,1,1,1\n")
    write("alone.csv", f"{column}\n1\n1\n")
    words = (loss, "a.csv:y", "a.csv:t", f"--{option}")
    compute(*words, f"a.csv:{column}").refuses(3, said, "rename it", repr(column))
    compute(*words, "alone.csv").refuses(3, said)
    for other in (option, "not_censored"):
        assert compute(*words, f"a.csv:{other}").code == 0
