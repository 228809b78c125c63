"""Make tests/libraries/frameworks.json: losses and gradients from PyTorch, Keras, optax, TensorFlow and scikit-learn.

Usage: `python tests/support/make_frameworks.py`, where torch, keras, optax, jax, tensorflow and scikit-learn are
installed. The tests need none of them: they read `frameworks.json`, which holds only what these libraries
returned, one case a line. Running the script again with the same versions writes the same bytes.

A case is an object with
  library      name and version; for Keras those of its backend, too
  call         what was evaluated, with p for the predictions and t for the targets
  loss         losscli's name for it
  parameters   the parameters of the loss
  options      from, label_smoothing, smoothing_mode, pos_weight, ignore_index: only those that are needed
  dtype        of the computation; predictions, and targets that are not integers, are to be rounded to it
  predictions  shape (n,) or (n, k)
  targets      integers for class indices, counts, hard labels (0 and 1, or -1 and 1) and one-hot rows; else floats
  beside       only for losses with a third operand: its rows
  scale, shift only where needed: the library's losses are scale * those of losscli + shift
  losses       unreduced: one per row for losses of rows, else one per element; ignored rows are left out
  gradient     of the sum of the losses by the predictions, 0 in ignored rows, and for losses in which rows meet of
               each row's own loss; null where the library has none, or one through its own division of
               probabilities by their sum
Infinities are the strings "inf" and "-inf"; there is no NaN.

Every line is read back and compared with `expected`, plain float64 formulas of what the line says, so that no
case is described wrongly. It may be off by `TOLERANCE` times the right value plus `SLACK` machine epsilons,
because the libraries round probabilities near 1. Where one is off by more, gives NaN, or has a convention of
its own, the grid leaves that input out, and a comment says so.
"""

import json
import math
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.update(
    CUDA_VISIBLE_DEVICES="",
    JAX_ENABLE_X64="1",
    JAX_PLATFORMS="cpu",
    KERAS_BACKEND="tensorflow",
    TF_CPP_MIN_LOG_LEVEL="3",
    TF_ENABLE_ONEDNN_OPTS="0",
    XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",  # compiling takes longest
)

import numpy as np
from numpy.typing import NDArray

OUTPUT = Path(__file__).parent.parent / "libraries" / "frameworks.json"
SEED = 1
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
SLACK = 4

Array = NDArray[Any]
Case = dict[str, Any]


# Inputs. Each kind draws predictions, in float64 and with few decimals, and targets; the extreme ones have
# a shape of their own.


def logits(rng: np.random.Generator, n: int, k: int) -> Array:
    """Moderate logits: Keras clips the probabilities it makes of them at 1e-7."""
    return np.clip(rng.normal(0, 2, (n, k)), -5, 5).round(3)


def distributions(rng: np.random.Generator, n: int, k: int) -> Array:
    """Rows of probabilities that sum to 1, with four decimals, none below 0.02."""
    rows = (0.02 + (1 - 0.02 * k) * rng.dirichlet(np.ones(k), n)).round(4)
    rows[np.arange(n), rows.argmax(1)] += 1 - rows.sum(1)
    return rows.round(4)


def numbers(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return rng.normal(0, 2, (n, k)).round(3), rng.normal(0, 2, (n, k)).round(3)


def far_numbers(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Residuals of 0, of each delta and beta of the grid, tiny and huge."""
    r = np.array([0, 0.5, -1, 3, -2, 1e-3, 1e4, -1e6])[:, None]
    t = np.array([0.25, 1, -0.5, 2, 0, 1, 0, 0])[:, None]
    return r + t, t


def unequal_numbers(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """As `far_numbers`, without the residual of 0."""
    p, t = far_numbers(rng, n, k)
    return p[1:], t[1:]


def margins(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Scores and signs; no margin is exactly 1, where the slope is a matter of taste."""
    return (rng.normal(0, 1.5, (n, k)).round(3) + 0.0005).round(4), rng.choice([-1, 1], (n, k))


def far_margins(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    t = np.array([1, -1, 1, -1, 1, -1, 1, -1])[:, None]
    return t * np.array([50.0, 50, -100, -100, 1e4, -1e4, 0, 0.999])[:, None], t


def coins(rng: np.random.Generator, n: int, k: int) -> Array:
    """Labels 0 and 1, with both of them in every column."""
    labels = rng.integers(0, 2, (n, k))
    labels[0], labels[1] = 0, 1
    return labels


def binary(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return logits(rng, n, k), coins(rng, n, k)


def soft_binary(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    t = rng.uniform(0, 1, (n, k)).round(3)
    t[0], t[1] = 0, 1
    return logits(rng, n, k), t


def far_binary(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Every extreme with both labels."""
    z = np.array([50.0, -50, 100, -100, 1e4, -1e4, 20, -20])
    t = np.array([1, 0, 1, 1, 0, 1, 1, 0])
    return np.stack([z, z], 1), np.stack([t, 1 - t], 1)


def far_soft_binary(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, t = far_binary(rng, n, k)
    return z, np.where(t, 0.9, 0.25)


def binary_probs(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return rng.uniform(0.02, 0.98, (n, k)).round(4), coins(rng, n, k)


def soft_binary_probs(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return rng.uniform(0.02, 0.98, (n, k)).round(4), soft_binary(rng, n, k)[1]


def far_binary_probs(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    p = np.array([1e-6, 1e-6, 1e-10, 1e-10, 0.9999, 0.9999, 0.5])[:, None]
    return p, np.array([0, 1, 0, 1, 0, 1, 1])[:, None]


def classes(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return logits(rng, n, k), rng.integers(0, k, n)


def one_hot(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, index = classes(rng, n, k)
    return z, np.eye(k, dtype=np.int64)[index]


def soft(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return logits(rng, n, k), distributions(rng, n, k)


def soft_with_zeros(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """The last class has no target in any row, and the first row is one-hot."""
    t = distributions(rng, n, k)
    t[:, -2] += t[:, -1]
    t[:, -1] = 0
    t[0] = np.eye(k)[0]
    return logits(rng, n, k), t.round(4)


def ignoring(label: int) -> "Kind":
    """Class indices of which about a third are `label`, at least one and not all."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
        z, index = classes(rng, n, k)
        index[rng.random(n) < 1 / 3] = label
        index[1] = label
        index[2] = (label + 1) % k
        return z, index

    return draw


def far_classes(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z = [[50, -50, 0], [50, -50, 0], [100, -100, 0], [-100, 100, 99], [-50, -50, -49], [0, 0, -100]]
    return np.array(z, float), np.array([0, 1, 2, 2, 0, 2])


def sure_classes(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Losses of which little is left if they are a difference of two numbers of the logits' size."""
    return np.array([[20.0, 0, 0], [30, 0, 1], [10, -5, 0], [0, 40, 0]]), np.array([0, 0, 0, 1])


def huge_classes(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z = [[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 9999.5, 9999], [-1e4, -1e4, -9999], [0, -1e4, 0.5]]
    return np.array(z), np.array([0, 1, 1, 0, 2])


def far_soft(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, _index = far_classes(rng, n, k)
    return z, distributions(rng, len(z), z.shape[1])


def huge_soft(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, _index = huge_classes(rng, n, k)
    return z, distributions(rng, len(z), z.shape[1])


def masked(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Logits of -inf, none of them that of the row's class."""
    z, index = classes(rng, n, k)
    z[rng.random((n, k)) < 0.4] = -np.inf
    z[0, :-1] = -np.inf
    index[0] = k - 1
    z[np.arange(n), index] = rng.normal(0, 2, n).round(3)
    return z, index


def masked_class(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """As `masked`, but in row 1 it is the row's own class that is masked: an infinite loss."""
    z, index = masked(rng, n, k)
    z[1] = np.arange(k) / 2
    z[1, index[1]] = -np.inf
    return z, index


def masked_rows(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, index = masked(rng, n, k)
    return z, np.eye(k, dtype=np.int64)[index]


def apart(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Residuals of which none is small: log-cosh is a difference of numbers near 1 in libraries."""
    t = rng.normal(0, 2, (n, k)).round(3)
    return (t + rng.choice([-1, 1], (n, k)) * rng.uniform(0.4, 5, (n, k))).round(3), t


def far_apart(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    p, t = far_numbers(rng, n, k)
    return p[[3, 4, 6, 7]], t[[3, 4, 6, 7]]


def nonzero(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Targets of both signs that are not near 0."""
    t = (rng.choice([-1, 1], (n, k)) * rng.uniform(0.2, 5, (n, k))).round(3)
    return rng.normal(0, 2, (n, k)).round(3), t


def zero_targets(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return np.array([0.5, 1, -2.5, 3, 1e-9])[:, None], np.array([0.0, 2, 0, -1, 1e-8])[:, None]


def amounts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Positive numbers; a prediction is off by a factor of at least 1.5, as libraries' deviances cancel near 0."""
    t = rng.uniform(0.5, 4, (n, k)).round(3)
    return (t * np.exp(rng.choice([-1, 1], (n, k)) * rng.uniform(0.4, 2, (n, k)))).round(3), t


def far_amounts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return np.array([0.001, 1e4, 3, 1e5, 1e-4, 0.5])[:, None], np.array([2, 0.001, 1e4, 2e6, 0.01, 0.05])[:, None]


def counts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Rates and counts, 0 among them; no count is near its rate."""
    t = rng.integers(0, 7, (n, k))
    t[0] = 0
    return ((t + 0.3) * np.exp(rng.choice([-1, 1], (n, k)) * rng.uniform(0.4, 2, (n, k)))).round(3), t


def far_counts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return np.array([0.001, 1e4, 3, 1e5, 1e-4, 50])[:, None], np.array([2, 0, 1000, 2, 1, 0])[:, None]


def log_counts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return rng.normal(0, 1.5, (n, k)).round(3), rng.integers(0, 7, (n, k))


def far_log_counts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return np.array([-50.0, 10, 80, -1000, 30, 0])[:, None], np.array([3, 0, 7, 1, 1000, 0])[:, None]


def log_amounts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return rng.normal(0, 1.5, (n, k)).round(3), rng.uniform(0.05, 5, (n, k)).round(3)


def far_log_amounts(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return np.array([-30.0, 30, 5, -5, 0])[:, None], np.array([0.5, 3, 1e4, 1e-3, 1])[:, None]


def normal(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array, Array]:
    """Means, targets and variances."""
    return *numbers(rng, n, k), rng.uniform(0.05, 4, (n, k)).round(3)


def far_normal(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array, Array]:
    p, t = far_numbers(rng, n, k)
    return p, t, np.array([1, 1e-4, 1e4, 0.01, 1e6, 1e-3, 2, 50])[:, None]


def steep_margins(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Margins up to 50: exp of 100 is infinite in float32, and so is PyTorch's log(1 + exp(100))."""
    t = np.array([1, -1, 1, -1, 1, -1])[:, None]
    return t * np.array([50.0, 30, -50, -20, 0, 0.999])[:, None], t


def far_sides(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """As `far_margins`, without a margin of 0."""
    p, t = far_margins(rng, n, k)
    return p[:6], t[:6]


def far_scores(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """No two scores of a row lead together, where the slope is a matter of taste."""
    z = [[50, -50, 0], [50, -50, 0], [100, -100, 0], [-100, 100, 99], [-50, -51, -49], [1e4, -1e4, 0], [3, 0.5, -2]]
    return np.array(z, float), np.array([0, 1, 2, 2, 0, 1, 0])


def one_hot_scores(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, index = far_scores(rng, n, k)
    return z, np.eye(3, dtype=np.int64)[index]


def negative_scores(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, rows = one_hot(rng, n, k)
    return z - 8, rows


def labels_in_lists(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Scores, and rows of 0 and 1 with at least one of both where there are two."""
    t = rng.integers(0, 2, (n, k))
    t[:, 0], t[:, 1] = 1, 0
    return logits(rng, n, k), rng.permuted(t, axis=1)


def relevances(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    t = rng.integers(0, 5, (n, k))
    t[0] = 0
    return logits(rng, n, k), t


def far_relevances(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z, _ = far_classes(rng, n, k)
    return z, rng.integers(0, 5, z.shape)


def pairs(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Two scores per row, and which one should be the larger."""
    z = rng.normal(0, 1.5, (n, 2)).round(3)
    return (z + np.array([0.0005, 0])).round(4), rng.choice([-1, 1], n)


def far_pairs(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z = np.array([[20.0, -20], [-20, 20], [1, 1.25], [1000, 999], [40, 0]])
    return z, np.array([1, 1, -1, -1, -1])


def features(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return rng.normal(0, 1.5, (n, k)).round(3), rng.normal(0, 1.5, (n, k)).round(3)


def far_features(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Of lengths that are huge and tiny."""
    a, b = features(rng, 4, 3)
    return a * np.array([1e4, 1e-3, 1, 1e-2])[:, None], b * np.array([1e-2, 1, 1e5, 1e-2])[:, None]


def feature_pairs(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array, Array]:
    """Features, which pairs are alike, and the other ones' features."""
    a, b = features(rng, n, k)
    t = rng.choice([-1, 1], n)
    t[:2] = 1, -1
    return a, t, b


def distances(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    t = rng.choice([-1, 1], (n, k))
    t[0], t[1] = 1, -1
    return (rng.uniform(0, 2, (n, k)).round(3) + 0.0005).round(4), t


def far_distances(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return np.array([1e4, 1e4, 0, 0, 1e-6, 1e-6])[:, None], np.array([1, -1, 1, -1, 1, -1])[:, None]


def triplets(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array, Array]:
    """Anchors, positives and negatives."""
    return *features(rng, n, k), rng.normal(0, 1.5, (n, k)).round(3)


def labelled(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Features, and labels of which each has two rows at least."""
    return features(rng, n, k)[0], rng.permutation(np.arange(n) % (n // 2))


def masks(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Logits and elements of masks; the first mask is empty, and the second full."""
    t = rng.integers(0, 2, (n, k))
    t[0], t[1] = 0, 1
    return logits(rng, n, k), t


def filled_masks(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Probabilities of masks of which none is empty: what Keras adds to the denominator would show."""
    t = rng.integers(0, 2, (n, k))
    t[:, 0] = 1
    return rng.uniform(0.05, 0.98, (n, k)).round(4), rng.permuted(t, axis=1)


def soft_masks(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    return logits(rng, n, k), rng.uniform(0, 1, (n, k)).round(3)


def far_masks(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z = np.array([[50.0, -50, 20], [50, -50, 20], [1e4, -1e4, 0], [-100, -100, -100], [30, 30, 30]])
    return z, np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]])


def flat(kind: "Kind") -> "Kind":
    """The first column of a kind: predictions (n,)."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, ...]:
        return tuple(part[:, 0] for part in kind(rng, n, k))

    return draw


def probs(kind: "Kind") -> "Kind":
    """Probabilities with the targets of a kind."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
        return distributions(rng, n, k), kind(rng, n, k)[1]

    return draw


def log_probs(kind: "Kind") -> "Kind":
    """Log-probabilities of the logits of a kind."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
        z, t = kind(rng, n, k)
        return log_softmax(z), t

    return draw


Kind = Callable[[np.random.Generator, int, int], tuple[Array, ...]]
"""Draws predictions, targets and, of losses with a third operand, what is beside them."""

COLUMN = (flat(numbers), flat(far_numbers))
NUMBERS = (*COLUMN, numbers)
MARGINS = (flat(margins), margins, flat(far_margins))
SIDES = (flat(margins), flat(far_sides), margins)
HARD = (flat(binary), binary)
HARD_AND_SOFT = (flat(binary), binary, flat(soft_binary), soft_binary)
FAR_BINARY = (far_binary, far_soft_binary)
INDICES = (classes, classes, far_classes, sure_classes, huge_classes, masked, masked_class)
ROWS = (one_hot, soft, soft_with_zeros, far_soft, huge_soft)
BINARY_PROBS = (flat(binary_probs), binary_probs, flat(soft_binary_probs), soft_binary_probs)
APART = (flat(apart), flat(far_apart), apart)
UNEQUAL = (flat(numbers), flat(unequal_numbers))
AMOUNTS = (flat(amounts), flat(far_amounts), amounts)
COUNTS = (flat(counts), flat(far_counts), counts)
LOG_COUNTS = (flat(log_counts), flat(far_log_counts), log_counts)
SCORES = (classes, far_scores)


# The libraries. Each evaluates a call, so that the call of a case is what was run.

Run = Callable[..., tuple[Array, Array | None]]
"""Evaluates a call of predictions p, targets t and, if given, rows b beside them."""


def pytorch() -> tuple[str, Run]:
    import torch

    def run(call: str, predictions: Array, *more: Array) -> tuple[Array, Array | None]:
        p = torch.tensor(predictions, requires_grad=True)
        names = {"torch": torch, "F": torch.nn.functional, "p": p} | dict(
            zip("tb", map(torch.tensor, more), strict=False)
        )
        losses = eval(call, names)
        (gradient,) = torch.autograd.grad(losses.sum(), p)
        return losses.detach().numpy(), gradient.numpy()

    return f"torch {torch.__version__.split('+')[0]}", run


def of_tensorflow(names: dict[str, Any]) -> Run:
    import tensorflow as tf

    def run(call: str, predictions: Array, *more: Array) -> tuple[Array, Array | None]:
        p = tf.constant(predictions)
        with tf.GradientTape() as tape:
            tape.watch(p)
            losses = eval(call, {"tf": tf, "p": p} | dict(zip("tb", map(tf.constant, more), strict=False)) | names)
        return losses.numpy(), tape.gradient(losses, p).numpy()

    return run


def tensorflow() -> tuple[str, Run]:
    import tensorflow as tf

    return f"tensorflow {tf.__version__}", of_tensorflow({})


def keras() -> tuple[str, Run]:
    """On TensorFlow: elsewhere Keras 3.15 rounds float64 to float32 on the way (its issue 23223)."""
    import keras
    import tensorflow as tf

    library = f"keras {keras.__version__} ({keras.backend.backend()} {tf.__version__})"
    return library, of_tensorflow({"keras": keras})


def optax() -> tuple[str, Run]:
    import jax
    import optax

    def run(call: str, predictions: Array, *more: Array) -> tuple[Array, Array | None]:
        @jax.jit
        def compute(p: Any, *more: Any) -> Any:
            """Compiled at once: an operation at a time takes several times as long."""
            given = {"jax": jax, "optax": optax} | dict(zip("tb", more, strict=False))
            losses, back = jax.vjp(lambda p: eval(call, given | {"p": p}), p)
            return losses, back(jax.numpy.ones_like(losses))[0]

        losses, gradient = compute(predictions, *more)
        return np.asarray(losses), np.asarray(gradient)

    return f"optax {optax.__version__}", run


def scikit_learn() -> tuple[str, Run]:
    import sklearn
    from sklearn import _loss, metrics
    from sklearn.linear_model import _sgd_fast

    def of_sgd(loss: Any, targets: Array, predictions: Array) -> tuple[Array, Array]:
        """Losses of SGDClassifier and SGDRegressor know single numbers only."""
        pairs = list(zip(predictions, targets, strict=True))
        return np.array([loss.py_loss(*pair) for pair in pairs]), np.array([loss.py_dloss(*pair) for pair in pairs])

    names = {"metrics": metrics, "_loss": _loss, "np": np, "_sgd_fast": _sgd_fast, "of_sgd": of_sgd}

    def run(call: str, predictions: Array, targets: Array) -> tuple[Array, Array | None]:
        found = eval(call, names | {"p": predictions, "t": targets})
        if isinstance(found, tuple):
            return found
        return np.asarray(found, predictions.dtype), None

    return f"scikit-learn {sklearn.__version__}", run


# The grid.


@dataclass(frozen=True)
class Entry:
    """A call, what losscli calls it, and the kinds of inputs it is to get; `k` is drawn if it is None."""

    call: str
    loss: str
    kinds: tuple[Kind, ...]
    parameters: dict[str, float | None] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    k: int | None = None
    dtypes: tuple[str, ...] = ("float32", "float64")
    differentiable: bool = True
    scale: float = 1.0
    shift: float = 0.0


LOGITS = {"from": "logits"}
PROBS = {"from": "probs"}
LOG_PROBS = {"from": "log-probs"}
HALF = {"label_smoothing": 0.1, "smoothing_mode": "half"}
UNIFORM = {"label_smoothing": 0.1, "smoothing_mode": "uniform"}


def torch_entries() -> Iterator[Entry]:
    none = "reduction='none'"
    yield Entry(f"F.mse_loss(p, t, {none})", "squared-error", NUMBERS)
    yield Entry(f"F.l1_loss(p, t, {none})", "absolute-error", NUMBERS)
    for delta in (0.5, 1.0, 3.0):
        yield Entry(f"F.huber_loss(p, t, delta={delta}, {none})", "huber", NUMBERS, {"delta": delta})
    for beta in (0.5, 1.0, 2.0):
        yield Entry(f"F.smooth_l1_loss(p, t, beta={beta}, {none})", "smooth-l1", NUMBERS, {"beta": beta})

    name, bce = "sigmoid-cross-entropy", "F.binary_cross_entropy_with_logits"
    yield Entry(f"{bce}(p, t, {none})", name, HARD_AND_SOFT + FAR_BINARY, {}, LOGITS)
    call = f"{bce}(p, t, pos_weight=torch.tensor(3.0), {none})"
    yield Entry(call, name, HARD_AND_SOFT + FAR_BINARY, {}, LOGITS | {"pos_weight": 3.0})
    for weights in ([0.5, 2.0, 3.0], [4.0, 0.25]):
        call = f"{bce}(p, t, pos_weight=torch.tensor({weights}), {none})"
        yield Entry(call, name, (binary, soft_binary), {}, LOGITS | {"pos_weight": weights}, k=len(weights))
    # Probabilities of 0 and 1 are left out: PyTorch cuts log(p) off at -100, and p (1 - p) at 1e-12.
    call = f"F.binary_cross_entropy(p, t, {none})"
    yield Entry(call, name, (*BINARY_PROBS, flat(far_binary_probs)), {}, PROBS)

    # Rows as targets are left out where a logit is masked: PyTorch gives NaN for 0 times infinity.
    name, ce = "softmax-cross-entropy", "F.cross_entropy"
    yield Entry(f"{ce}(p, t, {none})", name, INDICES + ROWS, {}, LOGITS)
    kinds: tuple[Kind, ...] = (classes, classes, one_hot, soft, far_classes, far_soft, masked)
    yield Entry(f"{ce}(p, t, label_smoothing=0.1, {none})", name, kinds, {}, LOGITS | UNIFORM)
    for label in (-100, 1):
        more = {"ignore_index": label}
        call = f"{ce}(p, t, ignore_index={label}, {none})[t != {label}]"
        yield Entry(call, name, (ignoring(label),) * 2, {}, LOGITS | more)
        call = f"F.nll_loss(p, t, ignore_index={label}, {none})[t != {label}]"
        yield Entry(call, name, (log_probs(ignoring(label)),), {}, LOG_PROBS | more)
    call = f"{ce}(p, t, ignore_index=-100, label_smoothing=0.1, {none})[t != -100]"
    yield Entry(call, name, (ignoring(-100),), {}, LOGITS | UNIFORM | {"ignore_index": -100})
    kinds = tuple(log_probs(kind) for kind in (classes, far_classes, huge_classes, masked, masked_class))
    yield Entry(f"F.nll_loss(p, t, {none})", name, kinds, {}, LOG_PROBS)

    name = "kl-divergence"
    kinds = (soft, soft_with_zeros, far_soft, one_hot)
    yield Entry(f"F.kl_div(p, t, {none}).sum(1)", name, tuple(map(log_probs, kinds)), {}, LOG_PROBS)
    call = f"F.kl_div(F.log_softmax(p, 1), t, {none}).sum(1)"
    yield Entry(call, name, (*kinds, huge_soft), {}, LOGITS)

    call = f"F.multilabel_soft_margin_loss(p.reshape(-1, 1), t.reshape(-1, 1), {none}).reshape(p.shape)"
    yield Entry(call, "sigmoid-cross-entropy", (binary, far_binary), {}, LOGITS)
    yield Entry(f"F.soft_margin_loss(p, t, {none})", "logistic", (flat(margins), margins, flat(steep_margins)))
    call = f"F.poisson_nll_loss(p, t, log_input=False, {none})"
    yield Entry(call, "poisson", COUNTS, {"epsilon": 1e-8})
    yield Entry(f"F.poisson_nll_loss(p, t, {none})", "log-poisson", LOG_COUNTS)
    yield Entry(f"F.gaussian_nll_loss(p, t, b, {none})", "gaussian-nll", (flat(normal), flat(far_normal), normal))

    for p, margin in ((1, 1.0), (2, 1.0), (1, 0.25), (2, 3.0)):
        call = f"F.multi_margin_loss(p, t, p={p}, margin={margin}, {none})"
        yield Entry(call, "multi-margin", SCORES, {"p": p, "margin": margin})
    # PyTorch's targets are lists of labels that end with -1.
    lists = "torch.where(t.sort(1, descending=True).values > 0, t.argsort(1, descending=True), -1)"
    call = f"F.multilabel_margin_loss(p, {lists}, {none})"
    yield Entry(call, "multilabel-margin", (labels_in_lists,) * 3)
    for margin in (0.0, 0.5):
        call = f"F.margin_ranking_loss(p[:, 0], p[:, 1], t, margin={margin}, {none})"
        yield Entry(call, "margin-ranking", (pairs, far_pairs), {"margin": margin})
    yield Entry(f"F.soft_margin_loss(p[:, 0] - p[:, 1], t, {none})", "pairwise-logistic", (pairs, far_pairs))

    call = "F.cosine_similarity(p, t, dim=1)"
    yield Entry(call, "cosine-distance", (features, far_features), scale=-1.0, shift=1.0)
    for margin in (0.0, 0.3, -0.5):
        call = f"F.cosine_embedding_loss(p, b, t, margin={margin}, {none})"
        yield Entry(call, "cosine-embedding", (feature_pairs,) * 2, {"margin": margin})
    for margin in (1.0, 0.5):
        call = f"F.hinge_embedding_loss(p, t, margin={margin}, {none})"
        yield Entry(call, "hinge-embedding", (flat(distances), flat(far_distances)), {"margin": margin})
        call = f"F.hinge_embedding_loss(F.pairwise_distance(p, b, eps=0.0), t, margin={margin}, {none})"
        yield Entry(call, "hinge-embedding", (feature_pairs,), {"margin": margin})
    for more, parameters in (
        ("", {}),
        ("p=1, ", {"p": 1.0}),
        ("p=3, margin=0.5, ", {"p": 3.0, "margin": 0.5}),
        ("swap=True, margin=2.0, ", {"swap": 1.0, "margin": 2.0}),
        ("eps=0.01, ", {"epsilon": 0.01}),
    ):
        call = f"F.triplet_margin_loss(p, t, b, {more}{none})"
        yield Entry(call, "triplet", (triplets,) * 2, {"epsilon": 1e-6} | parameters)
    call = f"F.triplet_margin_with_distance_loss(p, t, b, {none})"
    yield Entry(call, "triplet", (triplets,), {"epsilon": 1e-6})


def keras_entries() -> Iterator[Entry]:
    """Elementwise ones average over the last axis: they get data with one more, of length 1."""

    def call(function: str, *more: str) -> str:
        return f"keras.losses.{function}({', '.join(['t[..., None]', 'p[..., None]', *more])})"

    yield Entry(call("mean_squared_error"), "squared-error", NUMBERS)
    yield Entry(call("mean_absolute_error"), "absolute-error", NUMBERS)
    for delta in (0.5, 1.0, 3.0):
        yield Entry(call("huber", f"delta={delta}"), "huber", NUMBERS, {"delta": delta})
    yield Entry(call("hinge"), "hinge", MARGINS)
    yield Entry(call("squared_hinge"), "squared-hinge", MARGINS)

    # Only hard labels for the focal loss: Keras is not linear in the target.
    name, focal = "sigmoid-cross-entropy", "binary_focal_crossentropy"
    yield Entry(call("binary_crossentropy", "from_logits=True"), name, HARD_AND_SOFT, {}, LOGITS)
    yield Entry(call("binary_crossentropy"), name, BINARY_PROBS, {}, PROBS)
    smooth = "label_smoothing=0.1"
    smooth_call = call("binary_crossentropy", "from_logits=True", smooth)
    yield Entry(smooth_call, name, HARD_AND_SOFT, {}, LOGITS | HALF)
    yield Entry(call("binary_crossentropy", smooth), name, BINARY_PROBS, {}, PROBS | HALF)
    balanced = ("apply_class_balancing=True", "alpha=0.25")
    for gamma in (0.0, 1.0, 2.0):
        for alpha, more in ((None, ("apply_class_balancing=False",)), (0.25, balanced)):
            parameters = {"gamma": gamma, "alpha": alpha}
            words = (f"gamma={gamma}", *more)
            yield Entry(call(focal, *words, "from_logits=True"), "sigmoid-focal", HARD, parameters, LOGITS)
            yield Entry(call(focal, *words), "sigmoid-focal", (flat(binary_probs),), parameters, PROBS)

    # Keras divides rows of probabilities by their sum, which is 1; its gradient goes through that division.
    name, ce = "softmax-cross-entropy", "keras.losses.categorical_crossentropy"
    yield Entry(f"{ce}(t, p, from_logits=True)", name, (one_hot, soft), {}, LOGITS)
    yield Entry(f"{ce}(t, p)", name, (probs(one_hot), probs(soft)), {}, PROBS, differentiable=False)
    smooth_call = f"{ce}(t, p, from_logits=True, {smooth})"
    yield Entry(smooth_call, name, (one_hot, soft), {}, LOGITS | UNIFORM)
    yield Entry(f"{ce}(t, p, {smooth})", name, (probs(one_hot),), {}, PROBS | UNIFORM, differentiable=False)
    sparse = "keras.losses.sparse_categorical_crossentropy"
    yield Entry(f"{sparse}(t, p, from_logits=True)", name, (classes, classes), {}, LOGITS)
    yield Entry(f"{sparse}(t, p)", name, (probs(classes),), {}, PROBS, differentiable=False)
    ignore = f"{sparse}(t, p, from_logits=True, ignore_class=-100)[t != -100]"
    yield Entry(ignore, name, (ignoring(-100),), {}, LOGITS | {"ignore_index": -100})

    name = "softmax-focal"
    for gamma in (0.5, 1.0, 2.0, 5.0):
        begin = f"keras.losses.categorical_focal_crossentropy(t, p, alpha=1.0, gamma={gamma}"
        parameters, options = {"gamma": gamma}, LOGITS | UNIFORM
        yield Entry(f"{begin}, from_logits=True)", name, (one_hot, soft), parameters, LOGITS)
        yield Entry(f"{begin}, from_logits=True, {smooth})", name, (one_hot,), parameters, options)
        yield Entry(f"{begin})", name, (probs(one_hot),), parameters, PROBS, differentiable=False)
    # Targets of 0 are left out: Keras takes them for 1e-7.
    yield Entry("keras.losses.kl_divergence(t, p)", "kl-divergence", (probs(soft),) * 3, {}, PROBS)

    # Its logarithm of 2 is one of float32.
    yield Entry(call("log_cosh"), "log-cosh", APART, dtypes=("float32",))
    kinds = (flat(nonzero), flat(zero_targets), nonzero)
    parameters = {"epsilon": 1e-7}
    percent = call("mean_absolute_percentage_error")
    yield Entry(percent, "absolute-percentage-error", kinds, parameters, scale=100.0)
    yield Entry(call("mean_squared_logarithmic_error"), "squared-log-error", AMOUNTS)
    yield Entry(call("poisson"), "poisson", COUNTS, parameters)
    categorical = "keras.losses.categorical_hinge(t, p)"
    yield Entry(categorical, "categorical-hinge", (one_hot, one_hot, negative_scores, one_hot_scores))
    for q in (0.3, 0.5, 0.9):
        gce = "keras.losses.categorical_generalized_cross_entropy(t, "
        yield Entry(f"{gce}p, q={q})", "generalized-cross-entropy", (probs(classes),), {"q": q}, PROBS)
        yield Entry(f"{gce}tf.nn.softmax(p), q={q})", "generalized-cross-entropy", (classes,), {"q": q}, LOGITS)
    cosine = "keras.losses.cosine_similarity(t, p)"
    yield Entry(cosine, "cosine-distance", (features, features), shift=-1.0)
    # What Keras adds to the denominator is 1e-7. It has alpha and beta the other way round.
    yield Entry("keras.losses.dice(t, p, axis=1)", "dice", (filled_masks,) * 2, {}, PROBS, dtypes=("float32",))
    for fp, fn in ((0.3, 0.7), (1.0, 1.0), (0.9, 0.2)):
        tversky = f"keras.losses.tversky(t, p, alpha={fn}, beta={fp}, axis=1)"
        parameters = {"alpha": fp, "beta": fn}
        yield Entry(tversky, "tversky", (filled_masks,), parameters, PROBS, dtypes=("float32",))
    # Each row's own gradient: the others are held fixed. Keras leaves it to its user to make lengths 1.
    unit = "tf.math.l2_normalize(p, 1)"
    double: dict[str, Any] = {"dtypes": ("float64",)}
    for gamma, margin in ((80, 0.4), (2, 0.25)):
        more = f"ref_labels=t, ref_embeddings=tf.stop_gradient({unit}), gamma={gamma}, margin={margin}"
        circle = f"keras.losses.circle(t, {unit}, {more})"
        yield Entry(circle, "circle", (labelled, labelled), {"gamma": gamma, "margin": margin}, **double)


def optax_entries() -> Iterator[Entry]:
    yield Entry("optax.squared_error(p, t)", "squared-error", NUMBERS)
    yield Entry("optax.l2_loss(p, t)", "half-squared-error", NUMBERS)
    for delta in (0.5, 1.0, 3.0):
        yield Entry(f"optax.huber_loss(p, t, delta={delta})", "huber", NUMBERS, {"delta": delta})
    yield Entry("optax.hinge_loss(p, t)", "hinge", MARGINS)

    # Only hard labels for the focal loss: optax is not linear in the target.
    call = "optax.sigmoid_binary_cross_entropy(p, t)"
    yield Entry(call, "sigmoid-cross-entropy", HARD_AND_SOFT + FAR_BINARY, {}, LOGITS)
    for gamma in (0.5, 1.0, 2.0, 5.0):
        for alpha in (None, 0.25):
            call = f"optax.sigmoid_focal_loss(p, t, alpha={alpha}, gamma={gamma})"
            parameters = {"gamma": gamma, "alpha": alpha}
            yield Entry(call, "sigmoid-focal", (*HARD, far_binary), parameters, LOGITS)

    name = "softmax-cross-entropy"
    yield Entry("optax.softmax_cross_entropy(p, t)", name, ROWS, {}, LOGITS)
    yield Entry("optax.safe_softmax_cross_entropy(p, t)", name, (soft, masked_rows), {}, LOGITS)
    # A difference of two numbers of the logits' size: tiny losses, and 1e4 in float32, are left out.
    call = "optax.softmax_cross_entropy_with_integer_labels(p, t)"
    yield Entry(call, name, (classes, classes, far_classes, masked, masked_class), {}, LOGITS)
    yield Entry(call, name, (huge_classes,), {}, LOGITS, dtypes=("float64",))

    kinds = (soft, soft_with_zeros, far_soft)
    yield Entry("optax.kl_divergence(p, t)", "kl-divergence", tuple(map(log_probs, kinds)), {}, LOG_PROBS)
    yield Entry("optax.kl_divergence(jax.nn.log_softmax(p), t)", "kl-divergence", kinds, {}, LOGITS)
    call = "optax.losses.kl_divergence_with_log_targets(jax.nn.log_softmax(p), jax.numpy.log(t))"
    yield Entry(call, "kl-divergence", (soft,), {}, LOGITS)

    yield Entry("optax.log_cosh(p, t)", "log-cosh", APART)
    yield Entry("optax.losses.perceptron_loss(p, t)", "perceptron", SIDES)
    # Between margins of -1 and 1 it is a square, and at both ends it has a slope.
    yield Entry("optax.losses.sparsemax_loss(p, t)", "binary-sparsemax", (flat(binary), binary, far_binary))
    for epsilon in (2.0, -0.5):
        call = f"optax.losses.poly_loss_cross_entropy(p, t, epsilon={epsilon})"
        yield Entry(call, "softmax-poly-1", (one_hot, soft, far_soft), {"epsilon": epsilon}, LOGITS)
    call = "optax.losses.generalized_kl_divergence(jax.numpy.log(p)[..., None], t[..., None])"
    yield Entry(call, "generalized-kl", (flat(amounts), amounts))
    # These turn float32 into float64 wherever JAX has it.
    double: dict[str, Any] = {"dtypes": ("float64",)}
    yield Entry("optax.losses.multiclass_hinge_loss(p, t)", "multiclass-hinge", SCORES, **double)
    yield Entry("optax.losses.multiclass_perceptron_loss(p, t)", "multiclass-perceptron", SCORES, **double)
    yield Entry("optax.losses.multiclass_sparsemax_loss(p, t)", "sparsemax", SCORES, **double)
    call = "optax.losses.ranking_softmax_loss(p, t, reduce_fn=None)"
    yield Entry(call, "listwise-softmax", (relevances, far_relevances))
    yield Entry("optax.losses.cosine_distance(p, t)", "cosine-distance", (features, far_features))
    # Its 1e-6 is added within the root; of odd powers it does not take the size.
    for p, margin in ((2, 1.0), (4, 2.5)):
        call = f"optax.losses.triplet_margin_loss(p, t, b, norm_degree={p}, margin={margin}, eps=0.0)"
        yield Entry(call, "triplet", (triplets,), {"p": p, "margin": margin, "epsilon": 0.0})
    for smooth in (1.0, 0.0):
        kinds = (masks, soft_masks, far_masks)
        call = f"optax.losses.binary_dice_loss(p, t, smooth={smooth})"
        yield Entry(call, "dice", kinds if smooth else kinds[1:], {"smooth": smooth}, LOGITS, k=4)
        for fp, fn in ((0.3, 0.7), (1.0, 1.0)):
            more = f"alpha={fp}, beta={fn}, smooth={smooth}"
            call = f"optax.losses.dice_loss(p[..., None], t[..., None], {more})"
            parameters = {"alpha": fp, "beta": fn, "smooth": smooth}
            yield Entry(call, "tversky", (soft_masks, far_masks), parameters, LOGITS, k=4)
        call = f"optax.losses.dice_loss(p[..., None], t[..., None], alpha=1.0, beta=1.0, smooth={smooth})"
        yield Entry(call, "jaccard", (soft_masks, far_masks), {"smooth": smooth}, LOGITS, k=4)


def tensorflow_entries() -> Iterator[Entry]:
    name = "sigmoid-cross-entropy"
    call = "tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=p)"
    yield Entry(call, name, HARD_AND_SOFT + FAR_BINARY, {}, LOGITS)
    for weight in (3.0, 0.5):
        call = f"tf.nn.weighted_cross_entropy_with_logits(labels=t, logits=p, pos_weight={weight})"
        yield Entry(call, name, HARD_AND_SOFT + FAR_BINARY, {}, LOGITS | {"pos_weight": weight})
    name = "softmax-cross-entropy"
    # Rows as targets are left out where a logit is masked, as in PyTorch.
    call = "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=p)"
    yield Entry(call, name, INDICES, {}, LOGITS)
    call = "tf.nn.softmax_cross_entropy_with_logits(labels=t, logits=p)"
    yield Entry(call, name, ROWS, {}, LOGITS)
    yield Entry("tf.nn.log_poisson_loss(t, p)", "log-poisson", LOG_COUNTS)

    # Version 1's losses are float32 always.
    single: dict[str, Any] = {"dtypes": ("float32",)}
    v1, none = "tf.compat.v1.losses", "reduction='none'"
    yield Entry(f"{v1}.mean_squared_error(t, p, {none})", "squared-error", NUMBERS, **single)
    yield Entry(f"{v1}.absolute_difference(t, p, {none})", "absolute-error", NUMBERS, **single)
    yield Entry(f"{v1}.huber_loss(t, p, delta=0.5, {none})", "huber", NUMBERS, {"delta": 0.5}, **single)
    yield Entry(f"{v1}.hinge_loss(t, p, {none})", "hinge", (flat(binary), binary), **single)
    name, kinds = "sigmoid-cross-entropy", (flat(binary), binary, far_binary)
    call = f"{v1}.sigmoid_cross_entropy(t, p, label_smoothing=0.1, {none})"
    yield Entry(call, name, kinds, {}, LOGITS | HALF, **single)
    yield Entry(f"{v1}.log_loss(t, p, epsilon=0.0, {none})", name, BINARY_PROBS[:2], {}, PROBS, **single)
    name = "softmax-cross-entropy"
    yield Entry(f"{v1}.sparse_softmax_cross_entropy(t, p, {none})", name, (classes,), {}, LOGITS, **single)
    call = f"{v1}.softmax_cross_entropy(t, p, label_smoothing=0.1, {none})"
    yield Entry(call, name, (one_hot, far_soft), {}, LOGITS | UNIFORM, **single)
    # It takes features for vectors of length 1.
    unit = "tf.math.l2_normalize"
    call = f"{v1}.cosine_distance({unit}(t, 1), {unit}(p, 1), axis=1, {none})[:, 0]"
    yield Entry(call, "cosine-distance", (features,), **single)


def scikit_learn_entries() -> Iterator[Entry]:
    """Of the losses its models minimise; and of metrics, where a weight of 1 for one row gives its own."""
    yield Entry("_loss.HalfSquaredError().loss_gradient(t, p)", "half-squared-error", COLUMN)
    call = "metrics.mean_squared_error(t[None], p[None], multioutput='raw_values')"
    yield Entry(call, "squared-error", COLUMN)
    # Its slope of the absolute error at 0 is -1.
    call = "_loss.AbsoluteError().loss_gradient(t, p)"
    yield Entry(call, "absolute-error", (flat(numbers), flat(unequal_numbers)))
    for delta in (0.5, 3.0):
        call = f"_loss.HuberLoss(delta={delta}).loss_gradient(t, p)"
        yield Entry(call, "huber", COLUMN, {"delta": delta})
    call = "[metrics.hinge_loss(t, p, sample_weight=w) for w in np.eye(len(t))]"
    yield Entry(call, "hinge", (flat(margins), flat(far_margins)))

    name, kinds = "sigmoid-cross-entropy", (binary, soft_binary, far_binary, far_soft_binary)
    yield Entry("_loss.HalfBinomialLoss().loss_gradient(t, p)", name, tuple(map(flat, kinds)), {}, LOGITS)
    call = "[metrics.log_loss(t, p, sample_weight=w) for w in np.eye(len(t))]"
    yield Entry(call, name, (flat(binary_probs),), {}, PROBS)
    # A difference of two numbers of the logits' size, as in optax.
    name = "softmax-cross-entropy"
    call = "_loss.HalfMultinomialLoss(n_classes=p.shape[1]).loss_gradient(t.astype(p.dtype), p)"
    yield Entry(call, name, (classes, classes, far_classes, masked, masked_class), {}, LOGITS)
    yield Entry(call, name, (huge_classes,), {}, LOGITS, dtypes=("float64",))
    call = "[metrics.log_loss(t, p, labels=range(p.shape[1]), sample_weight=w) for w in np.eye(len(t))]"
    yield Entry(call, name, (probs(classes),) * 2, {}, PROBS)

    def raw(function: str, *more: str) -> str:
        words = ("t[None]", "p[None]", *more, "multioutput='raw_values'")
        return f"metrics.{function}({', '.join(words)})"

    def rows(function: str, more: str = "") -> str:
        return f"[metrics.{function}{more}, sample_weight=w) for w in np.eye(len(t))]"

    for tau in (0.1, 0.5, 0.9):
        yield Entry(raw("mean_pinball_loss", f"alpha={tau}"), "quantile", (flat(far_numbers),), {"tau": tau})
        call = f"_loss.PinballLoss(quantile={tau}).loss_gradient(t, p)"
        yield Entry(call, "quantile", UNEQUAL, {"tau": tau})
    double: dict[str, Any] = {"dtypes": ("float64",)}
    for epsilon in (0.1, 0.75):
        call = f"of_sgd(_sgd_fast.EpsilonInsensitive({epsilon}), t, p)"
        yield Entry(call, "epsilon-insensitive", COLUMN, {"epsilon": epsilon}, **double)
        call = f"of_sgd(_sgd_fast.SquaredEpsilonInsensitive({epsilon}), t, p)"
        yield Entry(call, "squared-epsilon-insensitive", COLUMN, {"epsilon": epsilon}, **double)
    kinds = (flat(nonzero), flat(zero_targets))
    parameters = {"epsilon": float(np.finfo(np.float64).eps)}
    yield Entry(raw("mean_absolute_percentage_error"), "absolute-percentage-error", kinds, parameters)
    yield Entry(raw("mean_squared_log_error"), "squared-log-error", (flat(amounts), flat(far_amounts)))

    identity = "_loss.HalfTweedieLossIdentity(power={}).loss_gradient(t, p)"
    kinds = (flat(counts), flat(far_counts))
    yield Entry(identity.format(1), "poisson-deviance", kinds, scale=0.5)
    yield Entry(rows("mean_poisson_deviance(t, p"), "poisson-deviance", kinds, **double)
    kinds = (flat(amounts), flat(far_amounts))
    yield Entry(identity.format(2), "gamma-deviance", kinds, scale=0.5)
    yield Entry(rows("mean_gamma_deviance(t, p"), "gamma-deviance", kinds, **double)
    for power in (1.0, 1.2, 1.5, 2.0, 3.0):
        parameters = {"power": power}
        yield Entry(identity.format(power), "tweedie-deviance", kinds, parameters, scale=0.5)
        call = rows(f"mean_tweedie_deviance(t, p, power={power}")
        yield Entry(call, "tweedie-deviance", kinds[:1], parameters, **double)
    yield Entry("_loss.HalfPoissonLoss().loss_gradient(t, p)", "log-poisson", tuple(LOG_COUNTS[:2]))
    kinds = (flat(log_amounts), flat(far_log_amounts))
    yield Entry("_loss.HalfGammaLoss().loss_gradient(t, p)", "log-gamma", kinds)
    for power in (1.2, 1.5):
        call = f"_loss.HalfTweedieLoss(power={power}).loss_gradient(t, p)"
        yield Entry(call, "log-tweedie", kinds, {"power": power})

    yield Entry("_loss.HalfBinomialLoss().loss_gradient(t, p)", "logistic", (flat(binary), flat(far_binary)))
    yield Entry("_loss.loss.ExponentialLoss().loss_gradient(t, p)", "exponential", (flat(binary),))
    for loss, name in (
        ("Hinge(1.0)", "hinge"),
        ("Hinge(0.0)", "perceptron"),
        ("SquaredHinge(1.0)", "squared-hinge"),
        ("ModifiedHuber()", "modified-huber"),
    ):
        call = f"of_sgd(_sgd_fast.{loss}, t, p)"
        yield Entry(call, name, SIDES[:2] if name == "perceptron" else MARGINS[::2], **double)
    call = rows("zero_one_loss(t, np.where(p > 0, 1, -1)")
    yield Entry(call, "zero-one", (flat(margins),))
    kinds = (classes, far_scores)
    yield Entry(rows("zero_one_loss(t, p.argmax(1)"), "multiclass-zero-one", kinds)
    call = rows("hinge_loss(t, p, labels=range(p.shape[1])")
    yield Entry(call, "multiclass-hinge", kinds, k=3)
    yield Entry(rows("brier_score_loss(t, p"), "sigmoid-brier", (flat(binary_probs),), {}, PROBS)
    call = rows("brier_score_loss(t, p, labels=range(p.shape[1])")
    yield Entry(call, "brier", (probs(classes),) * 2, {}, PROBS, k=4)


GRID: tuple[tuple[Callable[[], tuple[str, Run]], Callable[[], Iterator[Entry]]], ...] = (
    (pytorch, torch_entries),
    (keras, keras_entries),
    (optax, optax_entries),
    (tensorflow, tensorflow_entries),
    (scikit_learn, scikit_learn_entries),
)


def cases(library: str, run: Run, entry: Entry) -> Iterator[Case]:
    """Draw inputs for an entry and run its call on them."""
    by_row = entry.loss.startswith(("softmax", "kl")) or entry.loss in BY_ROWS
    for turn, kind in enumerate(entry.kinds):
        for dtype in entry.dtypes:
            # Inputs depend on the call and on the kind's place alone: other entries do not change them.
            words = f"{library.split()[0]} {entry.call} {entry.loss} {turn} {dtype}"
            rng = np.random.default_rng([SEED, zlib.crc32(words.encode())])
            n, k = int(rng.integers(4, 7)), int(rng.integers(2, 8 if by_row else 4))
            p, t, *beside = kind(rng, n, entry.k or k)
            p, beside = p.astype(dtype), [b.astype(dtype) for b in beside]
            if t.dtype != np.int64:
                t = t.astype(dtype)
            losses, gradient = run(entry.call, p, t if t.ndim < p.ndim else t.astype(dtype), *beside)
            for made in (losses, gradient):
                if made is not None and made.dtype != p.dtype:
                    raise TypeError(f"{library}: {entry.call} turned {dtype} into {made.dtype}")
            case = {
                "library": library,
                "call": entry.call,
                "loss": entry.loss,
                "parameters": entry.parameters,
                "options": entry.options,
                "dtype": dtype,
                "predictions": plain(p),
                "targets": plain(t),
            }
            case |= {"beside": plain(beside[0])} if beside else {}
            case |= {"scale": entry.scale} if entry.scale != 1 else {}
            case |= {"shift": entry.shift} if entry.shift else {}
            case["losses"] = plain(losses)
            case["gradient"] = plain(gradient) if entry.differentiable and gradient is not None else None
            yield case


def plain(values: Any) -> Any:
    """Nested lists of integers, shortest decimals that read back the same, and names of infinities."""
    if isinstance(values, np.ndarray):
        return [plain(value) for value in values]
    if isinstance(values, np.integer):
        return int(values)
    return float(str(values)) if math.isfinite(values) else str(values)


# The comparison: what a case says, in float64.


def expected(case: Case) -> tuple[Array, Array]:
    """The library's losses and gradient by the formulas."""
    losses, gradient = of_losscli(case)
    return case.get("scale", 1) * losses + case.get("shift", 0), case.get("scale", 1) * gradient


def of_losscli(case: Case) -> tuple[Array, Array]:
    def rounded(values: Any) -> Array:
        return np.array(values, dtype=case["dtype"]).astype(np.float64)

    p = rounded(case["predictions"])
    targets = np.array(case["targets"])
    t = targets if targets.ndim < p.ndim else rounded(targets)
    options = case["options"]
    beside = (rounded(case["beside"]),) if "beside" in case else ()
    if case["loss"] in PLAIN:
        return PLAIN[case["loss"]](p, t, *beside, **case["parameters"])
    if case["loss"] in MARGIN:
        sign = np.where(t > 0, 1, -1)
        losses, slope = MARGIN[case["loss"]](sign * p)
        return losses, sign * slope
    if case["loss"] in OF_MASKS:
        chance = p if options["from"] == "probs" else np.exp(-np.logaddexp(0, -p))
        losses, by_p = tversky(chance, t, *OF_MASKS[case["loss"]](**case["parameters"]))
        return losses, by_p if options["from"] == "probs" else by_p * chance * (1 - chance)
    if case["loss"] in OF_CHANCES:
        chance = p if options["from"] == "probs" else np.exp(log_softmax(p))
        rows = t if t.ndim == p.ndim else np.eye(p.shape[1])[t]
        losses, by_p = OF_CHANCES[case["loss"]](chance, rows, **case["parameters"])
        if options["from"] == "logits":
            by_p = chance * (by_p - (chance * by_p).sum(1, keepdims=True))
        return losses, by_p
    if case["loss"].startswith("sigmoid"):
        return sigmoid(p, t, options, **case["parameters"])
    kept = t != options["ignore_index"] if "ignore_index" in options else np.ones(len(t), bool)
    if t.ndim < p.ndim:
        t = np.eye(p.shape[1])[np.where(kept, t, 0)]
    t = smoothed(t, options, uniform=1 / p.shape[1])
    losses, gradient = softmax(p, t, options["from"], case["loss"] == "kl-divergence", **case["parameters"])
    return losses[kept], np.where(kept[:, None], gradient, 0) if "ignore_index" in options else gradient


def huber(p: Array, t: Array, delta: float) -> tuple[Array, Array]:
    r = p - t
    inside = np.abs(r) <= delta
    losses = np.where(inside, r**2 / 2, delta * (np.abs(r) - delta / 2))
    return losses, np.where(inside, r, delta * np.sign(r))


def smooth_l1(p: Array, t: Array, beta: float) -> tuple[Array, Array]:
    r = p - t
    inside = np.abs(r) < beta
    return np.where(inside, r**2 / (2 * beta), np.abs(r) - beta / 2), np.where(inside, r / beta, np.sign(r))


def insensitive(p: Array, t: Array, epsilon: float) -> tuple[Array, Array]:
    r = p - t
    return np.maximum(np.abs(r) - epsilon, 0), np.sign(r) * (np.abs(r) > epsilon)


def squared_insensitive(p: Array, t: Array, epsilon: float) -> tuple[Array, Array]:
    size, side = insensitive(p, t, epsilon)
    return size**2, 2 * size * side


def percentage(p: Array, t: Array, epsilon: float) -> tuple[Array, Array]:
    size = np.maximum(np.abs(t), epsilon)
    return np.abs(p - t) / size, np.sign(p - t) / size


def deviance(p: Array, t: Array, power: float) -> tuple[Array, Array]:
    a, b = 1 - power, 2 - power
    if power == 1:
        half = t * np.log(np.where(t == 0, 1, t) / p) - t + p
    elif power == 2:
        half = np.log(p / t) + t / p - 1
    else:
        half = t**b / (a * b) - t * p**a / a + p**b / b
    return 2 * half, 2 * (p - t) * p**-power


def log_tweedie(p: Array, t: Array, power: float) -> tuple[Array, Array]:
    a, b = 1 - power, 2 - power
    return np.exp(b * p) / b - t * np.exp(a * p) / a, np.exp(b * p) - t * np.exp(a * p)


def gaussian(p: Array, t: Array, v: Array) -> tuple[Array, Array]:
    return (np.log(v) + (p - t) ** 2 / v) / 2, (p - t) / v


def class_rows(z: Array, y: Array) -> Array:
    """One-hot rows of classes; rows stay as they are."""
    return y if y.ndim == z.ndim else np.eye(z.shape[1])[y]


def rival_hinge(z: Array, y: Array, floor: float = -np.inf) -> tuple[Array, Array]:
    own = class_rows(z, y)
    others = np.where(own, -np.inf, z)
    best = np.maximum(others.max(1), floor)
    gap = 1 + best - (own * z).sum(1)
    rival = (others == best[:, None]).astype(float)
    return np.maximum(gap, 0), np.where(gap > 0, 1, 0)[:, None] * (rival - own)


def multi_margin(z: Array, y: Array, p: float, margin: float) -> tuple[Array, Array]:
    own = class_rows(z, y)
    gap = np.where(own, 0, np.maximum(margin - (own * z).sum(1, keepdims=True) + z, 0))
    pull = p * np.where(gap > 0, gap, 1) ** (p - 1) * (gap > 0) / z.shape[1]
    return (gap**p).sum(1) / z.shape[1], pull - own * pull.sum(1, keepdims=True)


def perceptron_of_classes(z: Array, y: Array) -> tuple[Array, Array]:
    own = class_rows(z, y)
    return z.max(1) - (own * z).sum(1), np.eye(z.shape[1])[z.argmax(1)] - own


def sparsemax(z: Array, y: Array) -> tuple[Array, Array]:
    """By halving what is taken off the scores: what remains of them above 0 is to sum to 1."""
    low, high = z.max(1, keepdims=True) - 1, z.max(1, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        over = np.maximum(z - middle, 0).sum(1, keepdims=True) > 1
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    p = np.maximum(z - low, 0)
    own = class_rows(z, y)
    shifted = np.where(p > 0, z - (own * z).sum(1, keepdims=True), 0)
    return (p * shifted).sum(1) + (1 - (p * p).sum(1)) / 2, p - own


def multilabel_margin(z: Array, t: Array) -> tuple[Array, Array]:
    losses, gradient = np.zeros(len(z)), np.zeros_like(z)
    for row, (scores, relevant) in enumerate(zip(z, t, strict=True)):
        for a in np.flatnonzero(relevant):
            for b in np.flatnonzero(relevant == 0):
                gap = (1 - scores[a] + scores[b]) / len(scores)
                losses[row] += max(gap, 0)
                gradient[row, a] -= (gap > 0) / len(scores)
                gradient[row, b] += (gap > 0) / len(scores)
    return losses, gradient


def listwise(z: Array, t: Array) -> tuple[Array, Array]:
    return -(t * log_softmax(z)).sum(1), t.sum(1, keepdims=True) * np.exp(log_softmax(z)) - t


def margin_ranking(z: Array, t: Array, margin: float) -> tuple[Array, Array]:
    lead = t * (z[:, 0] - z[:, 1])
    slope = np.where(lead < margin, -t, 0)
    return np.maximum(margin - lead, 0), np.stack([slope, -slope], 1)


def pairwise_logistic(z: Array, t: Array) -> tuple[Array, Array]:
    losses, slope = MARGIN["logistic"](t * (z[:, 0] - z[:, 1]))
    return losses, np.stack([t * slope, -t * slope], 1)


def lengths(x: Array) -> Array:
    return np.sqrt((x * x).sum(1, keepdims=True))


def cosine_distance(a: Array, b: Array) -> tuple[Array, Array]:
    left, right = a / lengths(a), b / lengths(b)
    cosine = (left * right).sum(1)
    return 1 - cosine, (cosine[:, None] * left - right) / lengths(a)


def cosine_embedding(a: Array, t: Array, b: Array, margin: float) -> tuple[Array, Array]:
    distance, away = cosine_distance(a, b)
    gap = 1 - distance - margin
    losses = np.where(t > 0, distance, np.maximum(gap, 0))
    return losses, np.where(t > 0, 1, -1.0 * (gap > 0))[:, None] * away


def hinge_embedding(x: Array, t: Array, other: Array | None = None, *, margin: float) -> tuple[Array, Array]:
    distance = x if other is None else lengths(x - other)[:, 0]
    losses = np.where(t > 0, distance, np.maximum(margin - distance, 0))
    slope = np.where(t > 0, 1, -1.0 * (distance < margin))
    return losses, slope if other is None else slope[:, None] * (x - other) / distance[:, None]


def triplet(
    a: Array, b: Array, c: Array, margin: float = 1.0, p: float = 2.0, swap: float = 0.0, epsilon: float = 0.0
) -> tuple[Array, Array]:
    def norm(gap: Array) -> tuple[Array, Array]:
        total = (np.abs(gap + epsilon) ** p).sum(1, keepdims=True)
        slope = np.sign(gap + epsilon) * np.abs(gap + epsilon) ** (p - 1) * total ** (1 / p - 1)
        return total[:, 0] ** (1 / p), slope

    (near, pull), (far, push), (other, _) = norm(a - b), norm(a - c), norm(b - c)
    swapped = (other < far) & (swap == 1)
    gap = near - np.where(swapped, other, far) + margin
    return np.maximum(gap, 0), (gap > 0)[:, None] * (pull - np.where(swapped[:, None], 0, push))


def circle(x: Array, labels: Array, gamma: float, margin: float) -> tuple[Array, Array]:
    """A row's own loss and gradient, with all other rows held fixed."""
    units = x / lengths(x)
    losses, gradient = np.zeros(len(x)), np.zeros_like(x)
    for i, anchor in enumerate(units):
        others = np.delete(units, i, 0)
        alike = np.delete(labels, i) == labels[i]
        s = others @ anchor
        far, near = np.maximum(s + margin, 0), np.maximum(1 + margin - s, 0)
        apart = np.exp(gamma * far * (s - margin)) * ~alike
        together = np.exp(-gamma * near * (s - 1 + margin)) * alike
        product = apart.sum() * together.sum()
        losses[i] = np.log1p(product)
        by_s = apart / apart.sum() * gamma * (far + (far > 0) * (s - margin))
        by_s -= together / together.sum() * gamma * (near - (near > 0) * (s - 1 + margin))
        pull = product / (1 + product) * by_s @ others
        gradient[i] = (pull - (pull @ anchor) * anchor) / lengths(x)[i]
    return losses, gradient


PLAIN: dict[str, Callable[..., tuple[Array, Array]]] = {
    "squared-error": lambda p, t: ((p - t) ** 2, 2 * (p - t)),
    "half-squared-error": lambda p, t: ((p - t) ** 2 / 2, p - t),
    "absolute-error": lambda p, t: (np.abs(p - t), np.sign(p - t)),
    "huber": huber,
    "smooth-l1": smooth_l1,
    "log-cosh": lambda p, t: (np.logaddexp(p - t, t - p) - math.log(2), np.tanh(p - t)),
    "quantile": lambda p, t, tau: (np.maximum(tau * (t - p), (tau - 1) * (t - p)), np.where(p > t, 1 - tau, -tau)),
    "epsilon-insensitive": insensitive,
    "squared-epsilon-insensitive": squared_insensitive,
    "absolute-percentage-error": percentage,
    "squared-log-error": lambda p, t: (
        (np.log1p(p) - np.log1p(t)) ** 2,
        2 * (np.log1p(p) - np.log1p(t)) / (1 + p),
    ),
    "poisson": lambda p, t, epsilon: (p - t * np.log(p + epsilon), 1 - t / (p + epsilon)),
    "log-poisson": lambda p, t: (np.exp(p) - t * p, np.exp(p) - t),
    "poisson-deviance": lambda p, t: deviance(p, t, 1),
    "gamma-deviance": lambda p, t: deviance(p, t, 2),
    "tweedie-deviance": deviance,
    "log-gamma": lambda p, t: (p + t * np.exp(-p), 1 - t * np.exp(-p)),
    "log-tweedie": log_tweedie,
    "generalized-kl": lambda p, t: (t * np.log(t / p) - t + p, (p - t) / p),
    "gaussian-nll": gaussian,
    "multiclass-hinge": rival_hinge,
    "categorical-hinge": lambda z, t: rival_hinge(z, t, floor=0),
    "multi-margin": multi_margin,
    "multiclass-perceptron": perceptron_of_classes,
    "multiclass-zero-one": lambda z, y: (np.where(z.argmax(1) == y, 0.0, 1.0), np.zeros_like(z)),
    "sparsemax": sparsemax,
    "multilabel-margin": multilabel_margin,
    "listwise-softmax": listwise,
    "margin-ranking": margin_ranking,
    "pairwise-logistic": pairwise_logistic,
    "cosine-distance": cosine_distance,
    "cosine-embedding": cosine_embedding,
    "hinge-embedding": hinge_embedding,
    "triplet": triplet,
    "circle": circle,
    "sigmoid-brier": lambda p, t: ((p - t) ** 2, 2 * (p - t)),
}

MARGIN: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "hinge": lambda m: (np.maximum(1 - m, 0), np.where(m < 1, -1, 0)),
    "squared-hinge": lambda m: (np.maximum(1 - m, 0) ** 2, -2 * np.maximum(1 - m, 0)),
    "logistic": lambda m: (np.logaddexp(0, -m), -np.exp(-np.logaddexp(0, m))),
    "exponential": lambda m: (np.exp(-m), -np.exp(-m)),
    "modified-huber": lambda m: (
        np.where(m < -1, -4 * m, np.maximum(1 - m, 0) ** 2),
        np.where(m < -1, -4, -2 * np.maximum(1 - m, 0)),
    ),
    "perceptron": lambda m: (np.maximum(-m, 0), np.where(m < 0, -1, 0)),
    "zero-one": lambda m: (np.where(m > 0, 0.0, 1.0), np.zeros_like(m)),
    "binary-sparsemax": lambda m: (
        np.where(m < -1, -m, np.maximum(1 - m, 0) ** 2 / 4),
        -np.clip((1 - m) / 2, 0, 1),
    ),
}


def tversky(p: Array, t: Array, alpha: float, beta: float, smooth: float) -> tuple[Array, Array]:
    """Of rows of probabilities, and its derivative by them."""
    both, over, under = (p * t).sum(1), (p * (1 - t)).sum(1), ((1 - p) * t).sum(1)
    below = both + alpha * over + beta * under + smooth
    right = (both + smooth)[:, None] * (t + alpha * (1 - t) - beta * t)
    return 1 - (both + smooth) / below, (right - t * below[:, None]) / below[:, None] ** 2


OF_MASKS: dict[str, Callable[..., tuple[float, float, float]]] = {
    "dice": lambda smooth=0.0: (0.5, 0.5, smooth),
    "jaccard": lambda smooth=0.0: (1.0, 1.0, smooth),
    "tversky": lambda alpha, beta, smooth=0.0: (alpha, beta, smooth),
}
OF_CHANCES: dict[str, Callable[..., tuple[Array, Array]]] = {
    "softmax-poly-1": lambda p, t, epsilon: (
        (t * (epsilon * (1 - p) - np.log(np.where(p == 0, 1, p)))).sum(1),
        -t * (epsilon + 1 / np.where(p == 0, np.inf, p)),
    ),
    "generalized-cross-entropy": lambda p, t, q: ((t * (1 - p**q) / q).sum(1), -t * p ** (q - 1)),
    "brier": lambda p, t: (((p - t) ** 2).sum(1), 2 * (p - t)),
}
BY_ROWS = {
    *OF_MASKS,
    *OF_CHANCES,
    "multiclass-hinge",
    "categorical-hinge",
    "multi-margin",
    "multiclass-perceptron",
    "multiclass-zero-one",
    "sparsemax",
    "multilabel-margin",
    "listwise-softmax",
    "cosine-distance",
    "cosine-embedding",
    "triplet",
    "circle",
}


def smoothed(t: Array, options: dict[str, Any], uniform: float) -> Array:
    amount = options.get("label_smoothing", 0)
    share = {"uniform": uniform, "half": 0.5}[options["smoothing_mode"]] if amount else 0
    return (1 - amount) * t + amount * share


def sigmoid(
    x: Array, t: Array, options: dict[str, Any], gamma: float = 0, alpha: float | None = None
) -> tuple[Array, Array]:
    """Cross-entropy is the focal loss with gamma 0; pos_weight and alpha are weights of the two outcomes."""
    t = smoothed(t, options, uniform=math.nan)
    if options["from"] == "logits":
        lp, lq = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    else:
        lp, lq = np.log(x), np.log1p(-x)
    p, q = np.exp(lp), np.exp(lq)
    a, b = (1, 1) if alpha is None else (alpha, 1 - alpha)
    up = a * t * np.array(options.get("pos_weight", 1))
    down = b * (1 - t)
    losses = -up * q**gamma * lp - down * p**gamma * lq
    by_logit = up * q**gamma * (gamma * p * lp - q) - down * p**gamma * (gamma * q * lq - p)
    return losses, by_logit if options["from"] == "logits" else by_logit / (p * q)


def log_softmax(z: Array) -> Array:
    shifted = z - z.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def softmax(x: Array, t: Array, prediction_kind: str, kl: bool, gamma: float = 0) -> tuple[Array, Array]:
    """Cross-entropy is the focal loss with gamma 0; s is the derivative by the log-probabilities."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = log_softmax(x) if prediction_kind == "logits" else np.log(x) if prediction_kind == "probs" else x
        p = np.exp(log_p)
        terms = t * (np.log(t) - log_p) if kl else -t * (1 - p) ** gamma * log_p
        s = -t * (1 - p) ** gamma
        if gamma:
            s += t * gamma * (1 - p) ** (gamma - 1) * p * log_p
        slopes = {"logits": s - p * s.sum(1, keepdims=True), "probs": s / p, "log-probs": s}
    return np.where(t == 0, 0, terms).sum(1), slopes[prediction_kind]


def disagreement(case: Case) -> str | None:
    """Say where a case is not what the formulas give, if anywhere."""
    epsilon = np.finfo(case["dtype"]).eps
    for name, right in zip(("losses", "gradient"), expected(case), strict=True):
        if case[name] is None:
            continue
        found = np.array(case[name], dtype=case["dtype"]).astype(np.float64)
        if found.shape != right.shape:
            return f"{name} of shape {found.shape}, not {right.shape}"
        near = np.isclose(found, right, rtol=TOLERANCE[case["dtype"]], atol=SLACK * epsilon)
        if not near.all():
            at = tuple(int(i) for i in np.argwhere(~near)[0])
            return f"{name}{list(at)} is {found[at]!r}, not {right[at]!r}"
    return None


def main() -> None:
    """Write the file, or say which cases do not hold."""
    lines, wrong = [], []
    counts: Counter[tuple[str, str]] = Counter()
    for framework, entries in GRID:
        library, run = framework()
        for entry in entries():
            for case in cases(library, run, entry):
                line = json.dumps(case, separators=(",", ":"), allow_nan=False)
                fault = disagreement(json.loads(line))
                if fault:
                    wrong.append(f"{library}: {entry.call}: {fault}\n  {line}")
                lines.append(line)
                counts[library, entry.loss] += 1
    if wrong:
        found = "\n".join(wrong)
        raise SystemExit(f"{found}\n{len(wrong)} of {len(lines)} cases do not hold; nothing was written")
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    OUTPUT.write_text(text, encoding="utf-8")
    for (library, loss), number in counts.items():
        print(f"{library:33} {loss:22} {number:4}")
    print(f"{len(lines)} cases, {len(text):,} bytes")


if __name__ == "__main__":
    main()
