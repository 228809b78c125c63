"""The baseline and the skill of a library's number are those of the library's loss, or there are none."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscli

P = [[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]
CLASSES = [0, 1, 1, 2]
LABELS = [[1, 0, 1], [0, 1, 1], [0, 1, 0], [0, 0, 1]]
ROWS = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
ENTROPY = math.log(4) / 2 + math.log(2) / 2


def entropy(f: float) -> float:
    return -f * math.log(f) - (1 - f) * math.log(1 - f)


@pytest.mark.parametrize(
    ("loss", "library", "p", "t", "options", "expected"),
    [
        ("kl", "torch", P, CLASSES, {"from_": "probs"}, ENTROPY / 3),  # divided by the number of classes, too
        ("kl", "optax", P, CLASSES, {"from_": "probs"}, ENTROPY),
        ("ce", "torch", P, CLASSES, {"from_": "probs", "class_weight": [1, 3, 2]}, (math.log(9 / 1) + 6 * math.log(9 / 6) + 2 * math.log(9 / 2)) / 9),
        # Of several labels only those that are there have a term, and the terms are summed.
        ("bce", "sklearn", P, LABELS, {"from_": "probs"}, math.log(4) / 4 + math.log(2) / 2 + 0.75 * math.log(4 / 3)),
        ("bce", "torch", P, LABELS, {"from_": "probs"}, (entropy(0.25) + entropy(0.5) + entropy(0.75)) / 3),
        ("bce", "keras", [0.5, 0.25], [1, 1], {"from_": "probs"}, -math.log(1 - 2.0**-23)),  # p is cut off
        ("hinge", "tf1", [0.5, 2.0, 1.0], [0, 1, 1], {}, 2 / 3),
        ("mse", "keras", [0.5, 2.0, 1.0], [0, 1, 2], {}, 2 / 3),
    ],
)  # fmt: skip
def test_the_constant_is_measured_as_the_library_does(
    loss: str, library: str, p: Any, t: Any, options: dict[str, Any], expected: float
) -> None:
    found = losscli.compute(loss, np.array(p), np.array(t), as_=library, **options)
    assert found.baseline is not None
    assert found.baseline.value == pytest.approx(expected, rel=2e-7)
    assert found.baseline.skill == pytest.approx(
        1 - float(found.value or 0) / expected, rel=1e-5
    )  # expected is in float32


@pytest.mark.parametrize(
    ("loss", "p", "t", "options", "expected"),
    [
        ("mse", [1.5, 1, 5, 1], [1, 2, 3, 0.5], {}, -0.4915254237288136),
        ("mae", [1.5, 1, 5, 1], [1, 2, 3, 0.5], {}, -0.1428571428571428),
        ("ce", P, CLASSES, {"from_": "probs"}, 0.22602396837087924),
    ],
)
def test_skills_are_scores_of_sklearn(loss: str, p: Any, t: Any, options: dict[str, Any], expected: float) -> None:
    """r2_score, d2_absolute_error_score and d2_log_loss_score, as scikit-learn 1.9.1 printed them."""
    found = losscli.compute(loss, np.array(p), np.array(t), as_="sklearn", **options)
    assert found.baseline is not None
    assert found.baseline.skill == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "library", "p", "t", "options"),
    [
        ("hinge", "optax", [0.5, 2.0, 1.0], [0, 1, 1], {}),  # a label of 0 has the loss 1, whatever the score
        ("hinge", "tf1", [0.5, 2.0, 1.0], [-1, 1, 1], {}),  # -1 becomes -3
        ("ce", "optax", P, [0, 1, 1, 0], {"from_": "probs"}),  # 0 times the logarithm of 0 is NaN there
        ("kl", "keras", P, P, {"from_": "probs"}),  # the entropies of the targets are not kept
        ("kl", "keras", P, ROWS, {"from_": "probs"}),  # nor is how much of each target was soft
    ],
)
def test_without_one_there_is_none(loss: str, library: str, p: Any, t: Any, options: dict[str, Any]) -> None:
    assert losscli.compute(loss, np.array(p), np.array(t), as_=library, **options).baseline is None


def test_it_is_the_number_of_a_file_of_the_constant(compute: Callable[..., Any], save: Callable[..., str]) -> None:
    words = ("--from", "probs", "--as", "keras", "--label-smoothing", "0.2", "-f", "json")
    t = save("t.npy", CLASSES)
    found = compute("ce", save("p.npy", P), t, *words).json["baseline"]
    constant = save("constant.npy", [found["prediction"]] * 4)
    assert compute("ce", constant, t, *words).json["value"] == pytest.approx(found["value"], rel=1e-6)
