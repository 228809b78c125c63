"""Where losscli differs on purpose: what a library of a named version gave, which is a defect, and what is right.

The libraries' values were printed by torch 2.13.0, keras 3.15.1 on tensorflow 2.21.0, optax 0.2.8 and scikit-learn 1.9.1 for
the same arrays. What is right is computed by hand.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

INF, NAN = math.inf, math.nan


class Difference(NamedTuple):
    """A call of a library and what it gave; losscli's loss, options, arrays, and the right value."""

    call: str
    gave: float
    loss: str
    options: str
    predictions: Any
    targets: Any
    right: float
    dtype: Any = np.float64


DIFFERENCES = (
    Difference(
        "torch F.cross_entropy, a soft target of 0 for a masked logit", NAN,
        "softmax-cross-entropy", "", [[-INF, 0, 1]], [[0, 0.5, 0.5]], math.log(1 + math.e) - 0.5,
    ),
    Difference(
        "torch F.binary_cross_entropy_with_logits, a logit of inf", NAN,
        "sigmoid-cross-entropy", "", [INF, INF], [1, 1], 0.0,
    ),
    Difference(
        "torch F.soft_margin_loss, float32, a margin of -100", INF,
        "logistic", "", [-100, -100], [1, 1], 100.0, np.float32,
    ),
    Difference(
        "torch F.cross_entropy, float32, logits 20 and 0", 0.0,
        "softmax-cross-entropy", "", [[20, 0]], [0], 2.0611536181902037e-09, np.float32,
    ),
    Difference(
        "torch F.kl_div, 0 log 0", NAN,
        "kl-divergence", "--from log-probs", [[-INF, 0]], [[0, 1]], 0.0,
    ),
    Difference(
        "optax hinge_loss, labels 0: 1 and 1, whatever the score", 1.0,
        "hinge", "", [5, -5], [0, 0], 3.0,
    ),
    Difference(
        "optax softmax_cross_entropy, a one-hot target of 0 for a masked logit", NAN,
        "softmax-cross-entropy", "", [[-INF, 0]], [[0, 1]], 0.0,
    ),
    Difference(
        "keras Dice, an empty mask predicted empty", 1.0,
        "dice", "--from probs", [[0, 0, 0, 0]], [[0, 0, 0, 0]], 0.0,
    ),
    Difference(
        "keras Tversky(alpha=0.9, beta=0.1), two false positives: its documentation says alpha weighs them", 1 / 6,
        "tversky", "--from probs --alpha 0.9 --beta 0.1", [[1, 1, 1]], [[1, 0, 0]], 1.8 / 2.8,
    ),
    Difference(
        "keras BinaryFocalCrossentropy(alpha=0.75): alpha does nothing", 0.012230807915329933,
        "sigmoid-focal", "--alpha 0.75", [2, -1], [1, 0],
        (0.75 * (1 / (1 + math.exp(2))) ** 2 * math.log1p(math.exp(-2))
         + 0.25 * (1 / (1 + math.exp(1))) ** 2 * math.log1p(math.exp(-1))) / 2,
    ),
    Difference(
        "scikit-learn log_loss, a probability of 0 for what happened", 18.021826694558577,
        "sigmoid-cross-entropy", "--from probs", [0, 0], [0, 1], INF,
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENCES, ids=lambda case: case.call.split(",")[0])
def test_losscli_has_the_right_value(compute: Callable[..., Any], save: Callable[..., str], case: Difference) -> None:
    p, t = save("p.npy", case.predictions, case.dtype), save("t.npy", case.targets)
    found = compute(case.loss, p, t, *case.options.split(), "-f", "value", "-q").value
    assert found == pytest.approx(case.right, rel=1e-6 if case.dtype == np.float32 else 1e-12)
    assert found != pytest.approx(case.gave, rel=1e-3, nan_ok=True)


def test_what_has_no_value_is_refused(compute: Callable[..., Any], save: Callable[..., str]) -> None:
    """Optax takes a class index of -1 for the last class (0.4076); torch gives NaN where all rows are ignored."""
    p = save("p.npy", [[1.0, 2.0, 3.0]])
    compute("ce", p, save("t.npy", [-1])).refuses(3, "label -1", "--ignore-index -1")
    compute("ce", p, save("t.npy", [-1]), "--ignore-index", "-1").refuses(3, "no samples left")
    names = save("q.npy", [[1.0, 0.0], [0.0, 1.0]])
    # Keras gives 0 for features of length 0, which have no direction.
    compute("cosine-distance", names, save("z.npy", [[0.0, 0.0], [0.0, 1.0]])).refuses(3, "q.npy[0]", "undefined")


def test_names_reorder_columns(compute: Callable[..., Any], write: Callable[..., str]) -> None:
    """scikit-learn's log_loss does not bring columns into the order of labels= (36.04 for a perfect prediction)."""
    p = write("p.csv", "dog,cat\n1,0\n0,1\n")
    assert compute("ce", p, write("t.csv", "label\ndog\ncat\n"), "--from", "probs", "-f", "value").value == 0
