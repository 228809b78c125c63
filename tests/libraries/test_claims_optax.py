"""What optax does otherwise than losscli, on arrays small enough to be read; the numbers were printed by optax 0.2.8 (JAX in float64).

Random arrays are in test_claims.py.
"""

import math
from collections.abc import Callable
from typing import Any

import claims
import numpy as np
import pytest

Compute = Callable[..., Any]
Save = Callable[..., str]

ROWS = [[1.0, 2, 0], [0.5, -1, 3]]
LOG_ROWS = np.log([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
SOFT = [[0.2, 0.3, 0.5], [0.0, 1, 0]]
SHORT = [[1e-9, 2e-9], [1, 2], [2, -1], [0, 3]]
"""Features, the first of which are shorter than optax takes them for."""
STEPS = [[[0.5, -1, 2], [1, 1, 0], [-2, 0.5, 0.25]], [[0, 3, -1], [1, 0, 1], [0, 0, 0]]]
"""Logits of two samples, of three steps and classes."""
ANY = [[-0.5, 2, 0], [1.0, 0, 3]]
INFINITE = math.inf


@pytest.mark.parametrize(
    ("loss", "words", "arrays", "expected", "part"),
    [
        ("ce", "--label-smoothing 0.1", (ROWS, SOFT), 2.749973480262715, "t * (1 - 0.1) + 0.1 / 3"),
        ("ce", "--from log-probs", (LOG_ROWS, [0, 2]), math.log(20) / 2, "softmax_cross_entropy(jax.numpy.asarray(p), "),
        ("kl-divergence", "--from log-probs", (LOG_ROWS, SOFT), 0.2490153854382281, "kl_divergence("),
        ("focal", "--alpha 0.25 --gamma 1.5", ([1.0, -2], [0.3, 0.9]), 0.3472295771461626, "gamma=1.5, alpha=0.25"),
        ("poly-1", "--epsilon 0.5", (ROWS, [0, 2]), 0.9632680481010536, "epsilon=0.5"),
        ("poly-1", "--epsilon 0.5 --label-smoothing 0.1", (ROWS, [0, 2]), 1.083771924650553, "+ 0.1 / 3"),
        ("triplet", "--negative n.npy", ([[0.0, 0]], [[3.0, 4]]), 4.585786184073558, "norm_degree=2.0"),
        ("cosine-distance", "", ([[1.0, 2], [3, -1]], [[0.0, 1], [2, 2]]), 0.32917960675006314, "cosine_distance("),
        ("listwise-softmax", "", (ROWS, ANY), 1.49705313216205, "reduce_fn=None"),
        ("nt-xent", "--temperature 0.5", (SHORT, [0, 0, 1, 1]), 1.881493396111051, "temperature=0.5"),
        ("nt-xent", "--temperature 0.5", ([*SHORT, [1, 1]], [0, 0, 1, 1, 1]), 1.613192185084829, "ntxent("),
        ("dice", "", ([1.0, -2, 0.5], [1, 0, 1]), 0.139909386156441, "(jax.numpy.asarray(p[None]), jax.numpy.asarray(t[None]"),
        ("dice", "--smooth 0.5", (ROWS, [[1, 0, 1], [0, 0, 1]]), 0.2834805999471112, "smooth=0.5"),
        ("hinge", "", ([2.0, -3], [0, 1]), 2.5, "hinge_loss("),
        ("multiclass-hinge", "", (ROWS, [0, 2]), 1.0, "multiclass_hinge_loss("),
        ("sparsemax", "", (ROWS, [0, 2]), 0.5, "multiclass_sparsemax_loss("),
        ("generalized-kl", "", ([[1.0, 2, 0.5], [3, 0.25, 1]], [[0.0, 2.5, 1], [1, 1, 1]]), 1.3943440656486252, "jax.numpy.log(jax"),
        ("tversky", "--alpha 0.25 --beta 0.75", (ROWS, [[1, 0, 1], [0, 0, 1]]), 0.24616273404201053, "beta=0.75, smooth=1.0)[0]"),
        ("ctc", "--input-lengths steps.npy", (STEPS, [[1, 2], [2, -1]]), 4.358961560506433, "numpy.arange(3) >= numpy.array([2, 3])[:, None], 'float64'"),
        ("ctc", "--time-axis 1", ([STEPS[0][:1]], [[1, 2]]), 99999.00402161866, "numpy.where(t == -1, 0, t), 'int64'), jax.numpy.asarray(t == -1, 'float64')"),  # the labels do not fit
    ],
)  # fmt: skip
def test_numbers_and_calls(
    compute: Compute, save: Save, loss: str, words: str, arrays: Any, expected: float, part: str
) -> None:
    save("n.npy", [[1.0, 1]]), save("steps.npy", [2, 3])
    p, t = save("p.npy", arrays[0]), save("t.npy", arrays[1])
    found = compute(loss, p, t, *words.split(), "--as", "optax", "-f", "json").json
    assert found["value"] == pytest.approx(expected, rel=1e-14)
    call = found["receipt"]["as"]
    assert part in call["call"]
    if claims.installed("optax"):
        names = {"p": np.load(p), "t": np.load(t), "negative": np.load("n.npy")}
        exec("\n".join(call["imports"]), names)
        assert float(eval(call["call"], names)) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "words", "p", "t", "plain"),
    [
        ("ce", "", [[-INFINITE, 0, 1]], [[0, 1, 0]], 1.3132616875182228),
        ("kl-divergence", "--from probs", [[0.5, 0.5, 0]], [[0.5, 0.5, 0]], 0.0),
        ("bce", "", [INFINITE, 1], [1, 1], 0.15663084375911142),
        ("multiclass-perceptron", "", [[-INFINITE, 2]], [1], 0.0),
        ("triplet", "--negative n.npy --p 3", [[0, 0]], [[3, 4]], 91 ** (1 / 3) - 2 ** (1 / 3) + 1),
        ("dice", "--smooth 0 --from probs", [[0, 0]], [[0, 0]], 0.0),
    ],
)  # fmt: skip
def test_where_optax_has_nan_there_is_no_number(
    compute: Compute, save: Save, loss: str, words: str, p: Any, t: Any, plain: float
) -> None:
    """Infinities times targets of 0, roots of negative sums, masks without anything."""
    save("n.npy", [[1.0, 1]])
    files = save("p.npy", np.array(p, float)), save("t.npy", t)
    assert compute(loss, *files, *words.split(), "-f", "value").value == pytest.approx(plain)
    compute(loss, *files, *words.split(), "--as", "optax").refuses(3, "undefined")


def test_lengths_are_computed_in_the_dtype_of_the_features(compute: Compute, save: Save) -> None:
    """The square of 1e30 is infinite in float32, so that the cosine is 0."""
    p, t = save("p.npy", [[1.0, 1]], np.float32), save("t.npy", [[0, 1e30]], np.float32)
    assert compute("cosine-distance", p, t, "--as", "optax", "-f", "value").value == 1
    assert compute("cosine-distance", p, t, "-f", "value").value == pytest.approx(1 - math.sqrt(0.5))


def test_masks_of_classes_are_no_numbers_where_a_logit_is_infinite(compute: Compute, save: Save) -> None:
    """The largest logit of a row is subtracted from all, and infinity less infinity is NaN."""
    p, t = save("p.npy", [[INFINITE, 0.0], [0.0, 1.0]]), save("t.npy", [0, 1])
    compute("tversky", p, t, "--as", "optax").refuses(3, "the largest logit of a row is infinite")
    p = save("p.npy", [[-INFINITE, 0.0], [0.0, 1.0]])
    assert math.isfinite(compute("tversky", p, t, "--as", "optax", "-f", "value").value)
