"""Make frameworks.json: losses and gradients from PyTorch, Keras, optax, TensorFlow and scikit-learn.

Usage: `python tests/make_frameworks.py`, where torch, keras, optax, jax, tensorflow and scikit-learn are
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
  targets      integers for class indices, hard labels (0 and 1, or -1 and 1) and one-hot rows; else floats
  losses       unreduced: one a row for softmax losses, else one an element; ignored rows are left out
  gradient     of the sum of the losses by the predictions, 0 in ignored rows; null where the library has
               none, or one through its own division of probabilities by their sum
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
)

import numpy as np
from numpy.typing import NDArray

OUTPUT = Path(__file__).with_name("frameworks.json")
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


def flat(kind: "Kind") -> "Kind":
    """The first column of a kind: predictions (n,)."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
        p, t = kind(rng, n, k)
        return p[:, 0], t[:, 0]

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


Kind = Callable[[np.random.Generator, int, int], tuple[Array, Array]]

COLUMN = (flat(numbers), flat(far_numbers))
NUMBERS = (*COLUMN, numbers)
MARGINS = (flat(margins), margins, flat(far_margins))
HARD = (flat(binary), binary)
HARD_AND_SOFT = (flat(binary), binary, flat(soft_binary), soft_binary)
FAR_BINARY = (far_binary, far_soft_binary)
INDICES = (classes, classes, far_classes, sure_classes, huge_classes, masked, masked_class)
ROWS = (one_hot, soft, soft_with_zeros, far_soft, huge_soft)
BINARY_PROBS = (flat(binary_probs), binary_probs, flat(soft_binary_probs), soft_binary_probs)


# The libraries. Each evaluates a call, so that the call of a case is what was run.

Run = Callable[[str, Array, Array], tuple[Array, Array | None]]


def pytorch() -> tuple[str, Run]:
    import torch

    def run(call: str, predictions: Array, targets: Array) -> tuple[Array, Array | None]:
        p = torch.tensor(predictions, requires_grad=True)
        losses = eval(call, {"torch": torch, "F": torch.nn.functional, "p": p, "t": torch.tensor(targets)})
        (gradient,) = torch.autograd.grad(losses.sum(), p)
        return losses.detach().numpy(), gradient.numpy()

    return f"torch {torch.__version__.split('+')[0]}", run


def of_tensorflow(names: dict[str, Any]) -> Run:
    import tensorflow as tf

    def run(call: str, predictions: Array, targets: Array) -> tuple[Array, Array | None]:
        p = tf.constant(predictions)
        with tf.GradientTape() as tape:
            tape.watch(p)
            losses = eval(call, {"tf": tf, "p": p, "t": tf.constant(targets)} | names)
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

    def run(call: str, predictions: Array, targets: Array) -> tuple[Array, Array | None]:
        def losses(p: Any) -> Any:
            return eval(call, {"jax": jax, "optax": optax, "p": p, "t": jax.numpy.asarray(targets)})

        p = jax.numpy.asarray(predictions)
        return np.asarray(losses(p)), np.asarray(jax.grad(lambda p: losses(p).sum())(p))

    return f"optax {optax.__version__}", run


def scikit_learn() -> tuple[str, Run]:
    import sklearn
    from sklearn import _loss, metrics

    def run(call: str, predictions: Array, targets: Array) -> tuple[Array, Array | None]:
        found = eval(call, {"metrics": metrics, "_loss": _loss, "np": np, "p": predictions, "t": targets})
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


GRID: tuple[tuple[Callable[[], tuple[str, Run]], Callable[[], Iterator[Entry]]], ...] = (
    (pytorch, torch_entries),
    (keras, keras_entries),
    (optax, optax_entries),
    (tensorflow, tensorflow_entries),
    (scikit_learn, scikit_learn_entries),
)


def cases(library: str, run: Run, entry: Entry) -> Iterator[Case]:
    """Draw inputs for an entry and run its call on them."""
    by_row = entry.loss.startswith(("softmax", "kl"))
    for turn, kind in enumerate(entry.kinds):
        for dtype in entry.dtypes:
            # Inputs depend on the call and on the kind's place alone: other entries do not change them.
            words = f"{library.split()[0]} {entry.call} {entry.loss} {turn} {dtype}"
            rng = np.random.default_rng([SEED, zlib.crc32(words.encode())])
            n, k = int(rng.integers(4, 7)), int(rng.integers(2, 8 if by_row else 4))
            p, t = kind(rng, n, entry.k or k)
            p = p.astype(dtype)
            if t.dtype != np.int64:
                t = t.astype(dtype)
            losses, gradient = run(entry.call, p, t if t.ndim < p.ndim else t.astype(dtype))
            for made in (losses, gradient):
                if made is not None and made.dtype != p.dtype:
                    raise TypeError(f"{library}: {entry.call} turned {dtype} into {made.dtype}")
            yield {
                "library": library,
                "call": entry.call,
                "loss": entry.loss,
                "parameters": entry.parameters,
                "options": entry.options,
                "dtype": dtype,
                "predictions": plain(p),
                "targets": plain(t),
                "losses": plain(losses),
                "gradient": plain(gradient) if entry.differentiable and gradient is not None else None,
            }


def plain(values: Any) -> Any:
    """Nested lists of integers, shortest decimals that read back the same, and names of infinities."""
    if isinstance(values, np.ndarray):
        return [plain(value) for value in values]
    if isinstance(values, np.integer):
        return int(values)
    return float(str(values)) if math.isfinite(values) else str(values)


# The comparison: what a case says, in float64.


def expected(case: Case) -> tuple[Array, Array]:
    """Losses and gradient by the formulas."""
    p = np.array(case["predictions"], dtype=case["dtype"]).astype(np.float64)
    targets = np.array(case["targets"])
    t = targets if targets.ndim < p.ndim else targets.astype(case["dtype"]).astype(np.float64)
    options = case["options"]
    if case["loss"] in ELEMENTWISE:
        return ELEMENTWISE[case["loss"]](p, t, **case["parameters"])
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


ELEMENTWISE: dict[str, Callable[..., tuple[Array, Array]]] = {
    "squared-error": lambda p, t: ((p - t) ** 2, 2 * (p - t)),
    "half-squared-error": lambda p, t: ((p - t) ** 2 / 2, p - t),
    "absolute-error": lambda p, t: (np.abs(p - t), np.sign(p - t)),
    "huber": huber,
    "smooth-l1": smooth_l1,
    "hinge": lambda p, t: (np.maximum(1 - t * p, 0), np.where(t * p < 1, -t, 0)),
    "squared-hinge": lambda p, t: (np.maximum(1 - t * p, 0) ** 2, -2 * t * np.maximum(1 - t * p, 0)),
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


def softmax(x: Array, t: Array, given: str, kl: bool, gamma: float = 0) -> tuple[Array, Array]:
    """Cross-entropy is the focal loss with gamma 0; s is the derivative by the log-probabilities."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = log_softmax(x) if given == "logits" else np.log(x) if given == "probs" else x
        p = np.exp(log_p)
        terms = t * (np.log(t) - log_p) if kl else -t * (1 - p) ** gamma * log_p
        s = -t * (1 - p) ** gamma
        if gamma:
            s += t * gamma * (1 - p) ** (gamma - 1) * p * log_p
        slopes = {"logits": s - p * s.sum(1, keepdims=True), "probs": s / p, "log-probs": s}
    return np.where(t == 0, 0, terms).sum(1), slopes[given]


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
