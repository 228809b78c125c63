"""Make tests/libraries/libraries.json: the numbers that PyTorch, Keras, TensorFlow 1, optax and scikit-learn give for whole files.

Usage: `python tests/support/make_libraries.py`, where the libraries that `make_frameworks.py` needs are installed. As there,
the tests need none of them, and running the script again with the same versions writes the same bytes.

A case is an object with
  library      name and version; for Keras those of its backend, too
  call         what was evaluated, with p for the predictions, t for the targets, b for the rows beside them,
               w for weights of rows, c for weights of classes and q for pos_weight
  as           losscli's name for the library
  loss         losscli's name for the loss
  parameters   those that are given on both sides; the library's defaults hold for the others
  options      from, label_smoothing, ignore_index, sample_weight, class_weight, pos_weight, reduction: only those
               that are given on both sides; class_weight has one number per class, reduction is losscli's word
  dtype        of the computation; predictions, and targets that are not integers, are to be rounded to it
  predictions  shape (n,) or (n, k)
  targets      as in frameworks.json
  beside       only for losses with a third operand: its rows
  value        the library's number, as its user gets it: what `losscli compute LOSS --as LIBRARY` is to print
Infinities are the strings "inf" and "-inf"; there is no NaN.

Losses are reduced as their library does it by default, unless `reduction` says otherwise; optax leaves that to its
user, who takes the mean. Keras and TensorFlow 1 compute in float32, whatever they get. Keras gets a second axis, of
length 1, where predictions have one: its losses are means over the last axis, and without one it multiplies the mean
of the losses by the mean of the weights.
"""

import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import make_frameworks as frameworks  # sets what the libraries read from the environment
import numpy as np
from make_frameworks import Array, Case, Kind, flat, plain

OUTPUT = Path(__file__).parent.parent / "libraries" / "libraries.json"
SEED = 1

# Inputs beyond those of frameworks.json.


def certain(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Probabilities of which some are 0 and 1, with both labels."""
    p, t = frameworks.binary_probs(rng, 6, k)
    p[:4], t[:4] = np.array([0.0, 0, 1, 1])[:, None], np.array([0, 1, 0, 1])[:, None]
    return p, t


def certain_rows(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    p = np.array([[0, 0, 1], [0, 0, 1], [0.5, 0.5, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]])
    return p, np.array([2, 0, 1, 2, 1])


def certain_one_hot(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    p, index = certain_rows(rng, n, k)
    return p, np.eye(3, dtype=np.int64)[index]


def certain_soft(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    p, _ = certain_rows(rng, n, k)
    return p, frameworks.distributions(rng, len(p), 3)


def extreme(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Logits of 50 and -50 with both labels."""
    z = np.array([50.0, 50, -50, -50, 0, 3])
    t = np.array([0, 1, 0, 1, 1, 0])
    return np.stack([z, z[::-1]], 1), np.stack([t, 1 - t], 1)


def extreme_classes(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    z = np.array([[50.0, -50, 0], [50, -50, 0], [-50, 50, 49], [0, 0, -50], [1, 2, 3]])
    return z, np.array([0, 1, 2, 2, 0])


def zero_and_one(kind: Kind) -> Kind:
    """Labels 0 and 1 in place of -1 and 1."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, ...]:
        p, t, *beside = kind(rng, n, k)
        return p, (t + 1) // 2, *beside

    return draw


def every_class(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Class indices with every class among them, as scikit-learn wants them."""
    z, _ = frameworks.classes(rng, n, 3)
    return z, rng.permutation(np.arange(n) % 3)


def as_rows(kind: Kind) -> Kind:
    """One-hot rows in place of class indices."""

    def draw(rng: np.random.Generator, n: int, k: int) -> tuple[Array, ...]:
        z, index = kind(rng, n, k)
        return z, np.eye(z.shape[1], dtype=np.int64)[index]

    return draw


def far_triplets(rng: np.random.Generator, n: int, k: int) -> tuple[Array, ...]:
    """Distances of about 10, of which optax's 1e-6 within the root changes nothing in float32."""
    a, b, c = frameworks.triplets(rng, n, k)
    return 4 * a, 4 * b, 4 * c


def units(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Features of length 1 in all digits, and labels of two rows each."""
    x, _ = frameworks.features(rng, 6, 4)
    return x / frameworks.lengths(x), np.array([0, 1, 2, 2, 0, 1])


def twos(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Features, and labels of two rows each."""
    return frameworks.features(rng, 6, 3)[0], np.array([0, 1, 2, 2, 0, 1])


classes, one_hot, soft, probs = frameworks.classes, frameworks.one_hot, frameworks.soft, frameworks.probs
numbers, binary, binary_probs = frameworks.numbers, frameworks.binary, frameworks.binary_probs
soft_binary, margins, amounts = frameworks.soft_binary, frameworks.margins, frameworks.amounts
features, log_probs, ignoring = frameworks.features, frameworks.log_probs, frameworks.ignoring
soft_binary_probs, nonzero, counts = frameworks.soft_binary_probs, frameworks.nonzero, frameworks.counts


def steps(rng: np.random.Generator, n: int, k: int) -> tuple[Array, Array]:
    """Log-probabilities of seven time steps, and at most three labels, padded with -1."""
    z = rng.normal(0, 1.5, (n, 7, k + 1)).round(3)
    t = rng.integers(1, k + 1, (n, 3))
    lengths = rng.permutation(np.resize([3, 0, 2, 1], n))
    return np.log(np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)), np.where(np.arange(3) < lengths[:, None], t, -1)


# The libraries. Each evaluates a call; all give one number.

Run = Callable[[str, dict[str, Array]], Any]


def pytorch() -> tuple[str, Run]:
    import torch

    def run(call: str, given: dict[str, Array]) -> Any:
        names = {name: torch.tensor(array) for name, array in given.items()}
        return eval(call, {"torch": torch, "F": torch.nn.functional} | names).item()

    return frameworks.pytorch()[0], run


def of_tensorflow(names: dict[str, Any]) -> Run:
    import tensorflow as tf

    def run(call: str, given: dict[str, Array]) -> Any:
        found = eval(call, {"tf": tf} | names | {name: tf.constant(array) for name, array in given.items()})
        return found.numpy()

    return run


def keras() -> tuple[str, Run]:
    import keras

    return frameworks.keras()[0], of_tensorflow({"keras": keras})


def tensorflow() -> tuple[str, Run]:
    return frameworks.tensorflow()[0], of_tensorflow({})


def optax() -> tuple[str, Run]:
    import jax
    import optax

    def run(call: str, given: dict[str, Array]) -> Any:
        def compute(given: dict[str, Any]) -> Any:
            return eval(call, {"jax": jax, "optax": optax} | given)

        return np.asarray(jax.jit(compute)(given))

    return frameworks.optax()[0], run


def scikit_learn() -> tuple[str, Run]:
    from sklearn import metrics

    def run(call: str, given: dict[str, Array]) -> Any:
        return eval(call, {"metrics": metrics, "np": np} | given)

    return frameworks.scikit_learn()[0], run


# The grid.


@dataclass(frozen=True)
class Entry:
    """A call, what losscli calls it, and the inputs it is to get. Weights are drawn where `prediction_kind` names them."""

    call: str
    loss: str
    kinds: tuple[Kind, ...]
    parameters: dict[str, float | None] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    prediction_kind: tuple[str, ...] = ()
    """Which of sample_weight, class_weight and pos_weight the call takes."""
    k: int | None = None
    dtypes: tuple[str, ...] = ("float32", "float64")


BOTH, SINGLE, DOUBLE = ("float32", "float64"), ("float32",), ("float64",)
WEIGHTS = ("sample_weight",)
CLASS_WEIGHTS = ("class_weight",)
SUM = {"reduction": "sum"}
LOGITS, PROBS, LOG_PROBS = frameworks.LOGITS, frameworks.PROBS, frameworks.LOG_PROBS
SMOOTH = {"label_smoothing": 0.2}


def torch_entries() -> Iterator[Entry]:
    total = "reduction='sum'"

    def plainly(call: str, loss: str, *kinds: Kind, **more: Any) -> Iterator[Entry]:
        """The mean in both dtypes, and the sum."""
        yield Entry(f"F.{call})", loss, kinds, **more)
        options = more.pop("options", {}) | SUM
        more.pop("dtypes", None)
        yield Entry(f"F.{call}, {total})", loss, kinds[-1:], options=options, dtypes=DOUBLE, **more)

    both = (flat(numbers), numbers)
    for name, loss, more, parameters, takes_weights in (
        ("mse_loss", "squared-error", "", {}, True),
        ("l1_loss", "absolute-error", "", {}, True),
        ("huber_loss", "huber", "", {}, True),
        ("huber_loss", "huber", ", delta=0.5", {"delta": 0.5}, True),
        ("smooth_l1_loss", "smooth-l1", "", {}, False),
        ("smooth_l1_loss", "smooth-l1", ", beta=0.5", {"beta": 0.5}, False),
    ):
        yield from plainly(f"{name}(p, t{more}", loss, *both, parameters=parameters)
        if takes_weights:
            for kind, weight in ((flat(numbers), "w"), (numbers, "w[:, None].expand_as(p)")):
                call = f"F.{name}(p, t{more}, weight={weight}"
                yield Entry(f"{call})", loss, (kind,), parameters, {}, WEIGHTS, dtypes=DOUBLE)
                yield Entry(f"{call}, {total})", loss, (kind,), parameters, SUM, WEIGHTS, dtypes=DOUBLE)

    for full, parameters in (("", {}), (", full=True", {"full": 1.0})):
        whole: dict[str, Any] = {"parameters": parameters}
        both = (flat(counts), counts)
        call = f"poisson_nll_loss(p, t, log_input=False{full}"
        yield from plainly(call, "poisson", *both, dtypes=DOUBLE, **whole)
        both = (flat(frameworks.log_counts), frameworks.log_counts)
        yield from plainly(f"poisson_nll_loss(p, t{full}", "log-poisson", *both, dtypes=DOUBLE, **whole)
        both = (flat(frameworks.normal), frameworks.normal)
        yield from plainly(f"gaussian_nll_loss(p, t, b{full}", "gaussian-nll", *both, **whole)

    both = (flat(margins), margins)
    yield from plainly("soft_margin_loss(p, t", "logistic", *both)
    # Labels of 0 give log(2), whatever the score.
    yield Entry("F.soft_margin_loss(p, t)", "logistic", (zero_and_one(flat(margins)),), dtypes=DOUBLE)

    loss, name = "sigmoid-cross-entropy", "binary_cross_entropy_with_logits"
    both = (flat(binary), flat(soft_binary), binary)
    yield from plainly(f"{name}(p, t", loss, *both, options=LOGITS)
    yield Entry(f"F.{name}(p, t)", loss, (flat(extreme), extreme), {}, LOGITS)
    for kind, weight in ((flat(binary), "w"), (binary, "w[:, None]")):
        yield Entry(f"F.{name}(p, t, weight={weight})", loss, (kind,), {}, LOGITS, WEIGHTS, dtypes=DOUBLE)
        call = f"F.{name}(p, t, weight={weight}, pos_weight=q)"
        yield Entry(call, loss, (kind,), {}, LOGITS, (*WEIGHTS, "pos_weight"), dtypes=DOUBLE)
        call = f"F.{name}(p, t, weight={weight}, {total})"
        yield Entry(call, loss, (kind,), {}, LOGITS | SUM, WEIGHTS, dtypes=DOUBLE)
    yield Entry(f"F.{name}(p, t, pos_weight=q)", loss, both, {}, LOGITS, ("pos_weight",), dtypes=DOUBLE)
    call = f"F.{name}(p, t, pos_weight=q)"
    yield Entry(call, loss, (binary, soft_binary), {}, LOGITS, ("pos_weights",), dtypes=DOUBLE)
    both = (flat(binary_probs), flat(soft_binary_probs), binary_probs)
    yield from plainly("binary_cross_entropy(p, t", loss, *both, options=PROBS)
    yield Entry("F.binary_cross_entropy(p, t)", loss, (flat(certain), certain), {}, PROBS)
    call = "F.binary_cross_entropy(p, t, weight=w)"
    yield Entry(call, loss, (flat(binary_probs), flat(certain)), {}, PROBS, WEIGHTS, dtypes=DOUBLE)
    # Its sum is one of means over the labels: another than that of binary_cross_entropy_with_logits.
    yield Entry("F.multilabel_soft_margin_loss(p, t)", loss, (binary, extreme), {}, LOGITS, dtypes=DOUBLE)

    loss, ce = "softmax-cross-entropy", "F.cross_entropy(p, t"
    yield from plainly("cross_entropy(p, t", loss, one_hot, soft, classes, options=LOGITS)
    yield Entry(f"{ce})", loss, (extreme_classes, as_rows(extreme_classes)), {}, LOGITS)
    smooth = "label_smoothing=0.2"
    yield Entry(f"{ce}, {smooth})", loss, (classes, one_hot, soft), {}, LOGITS | SMOOTH)
    kinds = (classes, one_hot, soft)
    yield Entry(f"{ce}, weight=c)", loss, kinds, {}, LOGITS, CLASS_WEIGHTS, k=3)
    yield Entry(f"{ce}, weight=c, {total})", loss, kinds[:2], {}, LOGITS | SUM, CLASS_WEIGHTS, k=3, dtypes=DOUBLE)
    yield Entry(f"{ce}, weight=c, {smooth})", loss, kinds, {}, LOGITS | SMOOTH, CLASS_WEIGHTS, k=3)
    for label in (-100, 1):
        ignored = LOGITS | {"ignore_index": label}
        kind, more = (ignoring(label),), "" if label == -100 else f", ignore_index={label}"
        yield Entry(f"{ce}{more})", loss, kind, {}, ignored)
        yield Entry(f"{ce}{more}, {total})", loss, kind, {}, ignored | SUM, dtypes=DOUBLE)
        yield Entry(f"{ce}{more}, {smooth})", loss, kind, {}, ignored | SMOOTH, dtypes=DOUBLE)
        yield Entry(f"{ce}{more}, weight=c)", loss, kind, {}, ignored, CLASS_WEIGHTS, k=3, dtypes=DOUBLE)
        call = f"{ce}{more}, weight=c, {smooth})"
        yield Entry(call, loss, kind, {}, ignored | SMOOTH, CLASS_WEIGHTS, k=3, dtypes=DOUBLE)
    yield from plainly("nll_loss(p, t", loss, log_probs(classes), options=LOG_PROBS)
    call, kind = "F.nll_loss(p, t", (log_probs(classes),)
    yield Entry(f"{call}, weight=c)", loss, kind, {}, LOG_PROBS, CLASS_WEIGHTS, k=4, dtypes=DOUBLE)
    kind, ignored = (log_probs(ignoring(-100)),), LOG_PROBS | {"ignore_index": -100}
    yield Entry(f"{call})", loss, kind, {}, ignored, dtypes=DOUBLE)
    yield Entry(f"{call}, weight=c)", loss, kind, {}, ignored, CLASS_WEIGHTS, k=4, dtypes=DOUBLE)

    # The mean is over all elements: the divergence over the number of classes.
    kinds = (log_probs(soft), log_probs(one_hot))
    yield from plainly("kl_div(p, t", "kl-divergence", *kinds, options=LOG_PROBS)

    for p, margin in ((1, 1.0), (2, 0.5)):
        more = "" if p == 1 else f", p={p}, margin={margin}"
        parameters = {} if p == 1 else {"p": p, "margin": margin}
        yield from plainly(f"multi_margin_loss(p, t{more}", "multi-margin", classes, parameters=parameters)
        call = f"F.multi_margin_loss(p, t{more}, weight=c"
        yield Entry(f"{call})", "multi-margin", (classes,), parameters, {}, CLASS_WEIGHTS, k=3, dtypes=DOUBLE)
    call = f"{call}, {total})"
    yield Entry(call, "multi-margin", (classes,), parameters, SUM, CLASS_WEIGHTS, k=3, dtypes=DOUBLE)
    lists = "torch.where(t.sort(1, descending=True).values > 0, t.argsort(1, descending=True), -1)"
    kind = frameworks.labels_in_lists
    yield from plainly(f"multilabel_margin_loss(p, {lists}", "multilabel-margin", kind, dtypes=DOUBLE)
    call = "margin_ranking_loss(p[:, 0], p[:, 1], t"
    yield from plainly(call, "margin-ranking", frameworks.pairs)
    more = {"parameters": {"margin": 0.5}}
    yield from plainly(f"{call}, margin=0.5", "margin-ranking", frameworks.pairs, dtypes=DOUBLE, **more)

    call, kind = "cosine_embedding_loss(p, b, t", frameworks.feature_pairs
    yield from plainly(call, "cosine-embedding", kind)
    yield from plainly(f"{call}, margin=0.5", "cosine-embedding", kind, dtypes=DOUBLE, **more)
    call, kind = "hinge_embedding_loss(p, t", flat(frameworks.distances)
    yield from plainly(call, "hinge-embedding", kind)
    yield from plainly(f"{call}, margin=0.5", "hinge-embedding", kind, dtypes=DOUBLE, **more)
    for words, parameters in (
        ("", {}),
        (", p=1", {"p": 1.0}),
        (", margin=0.5, p=3", {"p": 3.0, "margin": 0.5}),
        (", swap=True", {"swap": 1.0}),
    ):
        call = f"triplet_margin_loss(p, t, b{words}"
        yield from plainly(call, "triplet", frameworks.triplets, parameters=parameters, dtypes=DOUBLE)

    lengths = "torch.full((len(p),), p.shape[1]), (t >= 0).sum(1)"
    yield from plainly(f"ctc_loss(p.transpose(0, 1), t.clamp(0), {lengths}", "ctc", steps, options=LOG_PROBS)


def keras_entries() -> Iterator[Entry]:
    def of(name: str, call: str, loss: str, *kinds: Kind, weighted: bool = True, **more: Any) -> Iterator[Entry]:
        """The default, weights of rows, and sums; where weights are not taken, the first and the last."""
        begin, between = (name[:-1], ", ") if name[-2] != "(" else (name[:-1], "")
        options = more.pop("options", {})
        yield Entry(f"keras.losses.{name}({call})", loss, kinds, options=options, **more)
        sums = f"keras.losses.{begin}{between}reduction='sum')({call}"
        yield Entry(f"{sums})", loss, kinds[-1:], options=options | SUM, **more)
        if weighted:
            of_rows = f"keras.losses.{name}({call}, sample_weight=w)"
            yield Entry(of_rows, loss, kinds, options=options, prediction_kind=WEIGHTS, **more)
            yield Entry(
                f"{sums}, sample_weight=w)", loss, kinds[-1:], options=options | SUM, prediction_kind=WEIGHTS, **more
            )
            mean = f"keras.losses.{begin}{between}reduction='mean_with_sample_weight')({call}, sample_weight=w)"
            yield Entry(mean, loss, kinds[:1], options=options | {"reduction": "mean"}, prediction_kind=WEIGHTS, **more)

    column, rows = "t[:, None], p[:, None]", "t, p"

    def elementwise(name: str, loss: str, kind: Kind, **more: Any) -> Iterator[Entry]:
        yield from of(name, column, loss, flat(kind), **more)
        yield from of(name, rows, loss, kind, **more)

    yield from elementwise("MeanSquaredError()", "squared-error", numbers)
    yield from elementwise("MeanAbsoluteError()", "absolute-error", numbers)
    yield from elementwise("Huber()", "huber", numbers)
    yield from of("Huber(delta=0.5)", column, "huber", flat(numbers), weighted=False, parameters={"delta": 0.5})
    yield from elementwise("LogCosh()", "log-cosh", frameworks.apart)
    percent = "absolute-percentage-error"
    yield from elementwise("MeanAbsolutePercentageError()", percent, nonzero)
    yield Entry(f"keras.losses.MeanAbsolutePercentageError()({column})", percent, (flat(frameworks.zero_targets),))
    yield from elementwise("MeanSquaredLogarithmicError()", "squared-log-error", amounts)
    yield from elementwise("Poisson()", "poisson", counts)
    for labels in (lambda kind: kind, zero_and_one):
        yield from of("Hinge()", column, "hinge", labels(flat(margins)))
        yield from of("Hinge()", rows, "hinge", labels(margins), weighted=False)
        yield from of("SquaredHinge()", column, "squared-hinge", labels(flat(margins)))
        yield from of("SquaredHinge()", rows, "squared-hinge", labels(margins), weighted=False)
    hinge = "categorical-hinge"
    yield from of("CategoricalHinge()", rows, hinge, one_hot, frameworks.negative_scores)

    loss, name = "sigmoid-cross-entropy", "BinaryCrossentropy"
    for words, options, kind, extremes in (
        ("from_logits=True", LOGITS, binary, extreme),
        ("", PROBS, binary_probs, certain),
    ):
        yield from elementwise(f"{name}({words})", loss, kind, options=options)
        yield Entry(f"keras.losses.{name}({words})({rows})", loss, (extremes,), options=options)
        more = f"{words}, label_smoothing=0.2".removeprefix(", ")
        yield from of(f"{name}({more})", column, loss, flat(kind), options=options | SMOOTH)
        yield Entry(f"keras.losses.{name}({more})({rows})", loss, (kind, extremes), options=options | SMOOTH)
        # Label smoothing, and soft targets, are left out: the loss is not linear in the target.
        focal = "BinaryFocalCrossentropy"
        yield from of(f"{focal}({words})", column, "sigmoid-focal", flat(kind), options=options)
        # And so are logits beyond what is cut off on PyTorch and JAX; on TensorFlow nothing is.
        kinds = (kind,) if words else (kind, extremes)
        yield Entry(f"keras.losses.{focal}({words})({rows})", "sigmoid-focal", kinds, options=options)
        balanced = f"gamma=1.0, apply_class_balancing=True, alpha=0.25, {words}".removesuffix(", ")
        parameters = {"gamma": 1.0, "alpha": 0.25}
        yield Entry(f"keras.losses.{focal}({balanced})({rows})", "sigmoid-focal", (kind,), parameters, options)

    loss, name, sparse = "softmax-cross-entropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"
    for words, options, made in (("from_logits=True", LOGITS, lambda kind: kind), ("", PROBS, probs)):
        sure = extreme_classes if words else certain_rows
        yield from of(f"{name}({words})", rows, loss, made(soft), made(one_hot), options=options)
        yield Entry(f"keras.losses.{name}({words})({rows})", loss, (as_rows(sure),), options=options)
        more = f"{words}, label_smoothing=0.2".removeprefix(", ")
        yield from of(f"{name}({more})", rows, loss, made(one_hot), options=options | SMOOTH)
        yield Entry(f"keras.losses.{name}({more})({rows})", loss, (as_rows(sure),), options=options | SMOOTH)
        yield from of(f"{sparse}({words})", rows, loss, made(classes), options=options)
        yield Entry(f"keras.losses.{sparse}({words})({rows})", loss, (sure,), options=options)
        # What fit() makes of class_weight.
        call = f"keras.losses.{sparse}({words})({rows}, sample_weight=tf.gather(c, t))"
        yield Entry(call, loss, (made(classes),), {}, options, CLASS_WEIGHTS, k=3)
        call = f"keras.losses.{name}({words})({rows}, sample_weight=tf.gather(c, tf.argmax(t, 1)))"
        yield Entry(call, loss, (made(one_hot),), {}, options, CLASS_WEIGHTS, k=3)
        # Ignored rows do not count, and neither do their weights.
        ignored, kind = f"ignore_class=-1, {words}".removesuffix(", "), made(ignoring(-1))
        yield from of(f"{sparse}({ignored})", rows, loss, kind, options=options | {"ignore_index": -1})
        focal = "CategoricalFocalCrossentropy"
        yield from of(f"{focal}({words})", rows, "softmax-focal", made(one_hot), made(soft), options=options)
        yield Entry(f"keras.losses.{focal}({words})({rows})", "softmax-focal", (as_rows(sure),), options=options)
        call = f"keras.losses.{focal}({more})({rows})"
        yield Entry(call, "softmax-focal", (made(one_hot),), options=options | SMOOTH)
        call = f"keras.losses.{focal}({f'gamma=1.0, {words}'.removesuffix(', ')})({rows})"
        yield Entry(call, "softmax-focal", (made(one_hot),), {"gamma": 1.0}, options)

    # Targets of 0 are left out: they are taken for 1e-7.
    yield from of("KLDivergence()", rows, "kl-divergence", probs(soft), certain_soft, options=PROBS)
    loss, name = "generalized-cross-entropy", "CategoricalGeneralizedCrossEntropy"
    yield from of(f"{name}()", rows, loss, probs(classes), options=PROBS)
    yield from of(f"{name}(q=0.3)", rows, loss, probs(classes), options=PROBS, parameters={"q": 0.3}, weighted=False)
    yield from of("CosineSimilarity()", rows, "cosine-distance", features)
    yield from of("CTC()", "tf.maximum(t, 0), p", "ctc", steps, options=LOGITS)
    yield from of("Circle()", rows, "circle", units)
    more = {"gamma": 2.0, "margin": 0.25}
    yield from of("Circle(gamma=2.0, margin=0.25)", rows, "circle", units, weighted=False, parameters=more)
    kinds = (flat(frameworks.filled_masks), frameworks.filled_masks)
    yield Entry("keras.losses.Dice()(t, p)", "dice", kinds, options=PROBS)
    yield Entry("keras.losses.Tversky()(t, p)", "tversky", kinds, options=PROBS)
    # Its alpha weighs what losscli's beta does; the names are given as they are.
    call = "keras.losses.Tversky(alpha=0.3, beta=0.7)(t, p)"
    yield Entry(call, "tversky", kinds, {"alpha": 0.3, "beta": 0.7}, PROBS)


def tensorflow_entries() -> Iterator[Entry]:
    v1 = "tf.compat.v1.losses"

    def of(call: str, loss: str, *kinds: Kind, **more: Any) -> Iterator[Entry]:
        """The default, with weights too, and the other reductions with weights."""
        options, parameters = more.pop("options", {}), more
        yield Entry(f"{v1}.{call})", loss, kinds, options=options, **parameters)
        first, last = kinds[0], kinds[-1]
        for kind in dict.fromkeys((first, last)):
            weights = "w[:, None]" if kind in ELEMENTS else "w"
            weighted = f"{v1}.{call}, weights={weights}"
            yield Entry(f"{weighted})", loss, (kind,), options=options, prediction_kind=WEIGHTS, **parameters)
            yield Entry(
                f"{weighted}, reduction='weighted_sum')", loss, (kind,), options=options | SUM, prediction_kind=WEIGHTS
            )
        for word, reduction in (("weighted_mean", "mean"), ("weighted_sum_over_batch_size", "sum-over-batch-size")):
            by = options | {"reduction": reduction}
            yield Entry(f"{weighted}, reduction='{word}')", loss, (kind,), options=by, prediction_kind=WEIGHTS)

    yield from of("mean_squared_error(t, p", "squared-error", flat_numbers, numbers)
    yield from of("absolute_difference(t, p", "absolute-error", flat_numbers, numbers)
    yield from of("huber_loss(t, p", "huber", flat_numbers, numbers)
    call = f"{v1}.huber_loss(t, p, delta=0.5)"
    yield Entry(call, "huber", (flat_numbers, numbers), {"delta": 0.5})
    yield from of("hinge_loss(t, p", "hinge", flat_binary, binary)
    # Labels of -1 become -3.
    yield Entry(f"{v1}.hinge_loss(t, p)", "hinge", (flat(margins), margins))
    loss, call = "sigmoid-cross-entropy", "sigmoid_cross_entropy(t, p"
    yield from of(call, loss, flat_binary, binary, options=LOGITS)
    yield Entry(f"{v1}.{call})", loss, (extreme, soft_binary), {}, LOGITS)
    kinds = (binary, soft_binary, extreme)
    yield Entry(f"{v1}.{call}, label_smoothing=0.2)", loss, kinds, {}, LOGITS | SMOOTH)
    yield from of("log_loss(t, p", loss, flat_binary_probs, binary_probs, options=PROBS)
    yield Entry(f"{v1}.log_loss(t, p)", loss, (flat(certain), certain, soft_binary_probs), {}, PROBS)
    call = "tf.reduce_mean(tf.nn.weighted_cross_entropy_with_logits(labels=t, logits=p, pos_weight=q))"
    yield Entry(call, loss, (flat_binary, binary), {}, LOGITS, ("pos_weight",))
    call = "tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=p))"
    yield Entry(call, loss, (binary,), {}, LOGITS)

    loss, call = "softmax-cross-entropy", "softmax_cross_entropy(t, p"
    yield from of(call, loss, soft, one_hot, options=LOGITS)
    yield Entry(f"{v1}.{call})", loss, (as_rows(extreme_classes),), {}, LOGITS)
    yield Entry(f"{v1}.{call}, label_smoothing=0.2)", loss, (one_hot, soft), {}, LOGITS | SMOOTH)
    weighted = f"{v1}.{call}, weights=tf.gather(c, tf.argmax(t, 1)))"
    yield Entry(weighted, loss, (one_hot,), {}, LOGITS, CLASS_WEIGHTS, k=3)
    call = "sparse_softmax_cross_entropy(t, p"
    yield from of(call, loss, classes, options=LOGITS)
    yield Entry(f"{v1}.{call})", loss, (extreme_classes,), {}, LOGITS)
    weighted = f"{v1}.{call}, weights=tf.gather(c, t))"
    yield Entry(weighted, loss, (classes,), {}, LOGITS, CLASS_WEIGHTS, k=3)
    call = "tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=p))"
    yield Entry(call, loss, (classes,), {}, LOGITS)
    call = f"{v1}.cosine_distance(t, p, axis=1"
    yield Entry(f"{call})", "cosine-distance", (features,))
    yield Entry(f"{call}, weights=w[:, None])", "cosine-distance", (features,), {}, {}, WEIGHTS)
    kinds = (flat(frameworks.log_counts), frameworks.log_counts)
    yield Entry("tf.reduce_mean(tf.nn.log_poisson_loss(t, p))", "log-poisson", kinds)
    call = "tf.reduce_mean(tf.nn.log_poisson_loss(t, p, compute_full_loss=True))"
    yield Entry(call, "log-poisson", kinds, {"full": 1.0})
    lengths = "tf.reduce_sum(tf.cast(t >= 0, tf.int32), 1), tf.fill([len(p)], p.shape[1])"
    call = f"tf.reduce_mean(tf.nn.ctc_loss(tf.maximum(t, 0), p, {lengths}, logits_time_major=False, blank_index=0))"
    yield Entry(call, "ctc", (steps,), {}, LOGITS)


flat_numbers, flat_binary, flat_binary_probs = flat(numbers), flat(binary), flat(binary_probs)
ELEMENTS = (numbers, binary, binary_probs)
"""Kinds with several outputs per row, of which TensorFlow 1 wants the weights as a column."""


def optax_entries() -> Iterator[Entry]:
    def of(call: str, loss: str, *kinds: Kind, **more: Any) -> Iterator[Entry]:
        """The mean, and the sum."""
        options = more.pop("options", {})
        yield Entry(f"optax.losses.{call}.mean()", loss, kinds, options=options, **more)
        more["dtypes"] = DOUBLE
        yield Entry(f"optax.losses.{call}.sum()", loss, kinds[-1:], options=options | SUM, **more)

    both = (flat(numbers), numbers)
    yield from of("squared_error(p, t)", "squared-error", *both)
    yield from of("l2_loss(p, t)", "half-squared-error", *both)
    yield from of("huber_loss(p, t)", "huber", *both)
    yield from of("huber_loss(p, t, delta=0.5)", "huber", *both, parameters={"delta": 0.5}, dtypes=DOUBLE)
    yield from of("log_cosh(p, t)", "log-cosh", flat(frameworks.apart), frameworks.apart)
    both = (flat(margins), margins)
    yield from of("hinge_loss(p, t)", "hinge", *both)
    yield from of("perceptron_loss(p, t)", "perceptron", *both, dtypes=DOUBLE)
    # Labels of 0 are taken as they are.
    yield Entry("optax.losses.hinge_loss(p, t).mean()", "hinge", (zero_and_one(flat(margins)),))
    call = "optax.losses.perceptron_loss(p, t).mean()"
    yield Entry(call, "perceptron", (zero_and_one(flat(margins)),), dtypes=DOUBLE)
    both = (flat(binary), binary)
    yield from of("sparsemax_loss(p, t)", "binary-sparsemax", *both, dtypes=DOUBLE)
    call = "sigmoid_binary_cross_entropy(p, t)"
    yield from of(call, "sigmoid-cross-entropy", *both, soft_binary, options=LOGITS)
    yield Entry(f"optax.losses.{call}.mean()", "sigmoid-cross-entropy", (extreme,), {}, LOGITS)
    yield from of("sigmoid_focal_loss(p, t)", "sigmoid-focal", *both, extreme, options=LOGITS)
    call, parameters = "sigmoid_focal_loss(p, t, alpha=0.25, gamma=1.0)", {"gamma": 1.0, "alpha": 0.25}
    yield from of(call, "sigmoid-focal", *both, options=LOGITS, parameters=parameters, dtypes=DOUBLE)

    loss = "softmax-cross-entropy"
    yield from of("softmax_cross_entropy(p, t)", loss, soft, one_hot, options=LOGITS)
    call = "softmax_cross_entropy_with_integer_labels(p, t)"
    yield from of(call, loss, extreme_classes, classes, options=LOGITS)
    call = "softmax_cross_entropy(p, optax.losses.smooth_labels(t, 0.2))"
    yield from of(call, loss, soft, one_hot, options=LOGITS | SMOOTH)
    kinds = (log_probs(soft), log_probs(frameworks.soft_with_zeros))
    yield from of("kl_divergence(p, t)", "kl-divergence", *kinds, options=LOG_PROBS)
    call, columns = "generalized_kl_divergence(jax.numpy.log({}), {})", ("p[:, None]", "t[:, None]")
    yield from of(call.format(*columns), "generalized-kl", flat(amounts))
    yield from of(call.format("p", "t"), "generalized-kl", amounts)
    yield from of("poly_loss_cross_entropy(p, t)", "softmax-poly-1", soft, one_hot, options=LOGITS)
    call, parameters = "poly_loss_cross_entropy(p, t, epsilon=1.0)", {"epsilon": 1.0}
    yield from of(call, "softmax-poly-1", one_hot, options=LOGITS, parameters=parameters, dtypes=DOUBLE)
    call = "poly_loss_cross_entropy(p, optax.losses.smooth_labels(t, 0.2))"
    yield from of(call, "softmax-poly-1", one_hot, options=LOGITS | SMOOTH, dtypes=DOUBLE)

    yield from of("multiclass_hinge_loss(p, t)", "multiclass-hinge", classes, dtypes=DOUBLE)
    yield from of("multiclass_perceptron_loss(p, t)", "multiclass-perceptron", classes, dtypes=DOUBLE)
    yield from of("multiclass_sparsemax_loss(p, t)", "sparsemax", classes, dtypes=DOUBLE)
    call = "optax.losses.ranking_softmax_loss(p, t)"
    yield Entry(call, "listwise-softmax", (frameworks.relevances,))
    call = "optax.losses.ranking_softmax_loss(p, t, reduce_fn=jax.numpy.sum)"
    yield Entry(call, "listwise-softmax", (frameworks.relevances,), {}, SUM, dtypes=DOUBLE)

    yield from of("cosine_distance(p, t)", "cosine-distance", features)
    yield from of("triplet_margin_loss(p, t, b)", "triplet", far_triplets, dtypes=SINGLE)
    # The mean over pairs is that over rows only where all labels have as many rows.
    yield Entry("optax.losses.ntxent(p, t)", "nt-xent", (twos,))
    yield Entry("optax.losses.ntxent(p, t, temperature=0.5)", "nt-xent", (twos,), {"temperature": 0.5}, dtypes=DOUBLE)
    masks = frameworks.masks
    yield from of("binary_dice_loss(p, t)", "dice", frameworks.soft_masks, masks, options=LOGITS, k=4)
    yield Entry("optax.losses.binary_dice_loss(p[None], t[None]).mean()", "dice", (flat(masks),), {}, LOGITS)
    call = "ctc_loss(p, jax.numpy.zeros(p.shape[:2]), jax.numpy.maximum(t, 0), t < 0)"
    yield from of(call, "ctc", steps, options=LOGITS)
    yield Entry("optax.losses.dice_loss(p[None], t[None])[0]", "tversky", (masks,), {}, LOGITS, k=4)
    call = "optax.losses.dice_loss(p[:, None][None], t[:, None][None])[0]"
    yield Entry(call, "tversky", (flat(masks),), {}, LOGITS, dtypes=DOUBLE)
    call = "optax.losses.dice_loss(p[None], t[None], alpha=0.25, beta=2.0, smooth=0.5)[0]"
    parameters = {"alpha": 0.25, "beta": 2.0, "smooth": 0.5}
    yield Entry(call, "tversky", (masks,), parameters, LOGITS, k=4, dtypes=DOUBLE)
    call = "optax.losses.binary_dice_loss(p, t, smooth=0.5).mean()"
    yield Entry(call, "dice", (masks,), {"smooth": 0.5}, LOGITS, k=4, dtypes=DOUBLE)


def scikit_learn_entries() -> Iterator[Entry]:
    def of(call: str, loss: str, *kinds: Kind, totals: str = "", **more: Any) -> Iterator[Entry]:
        """The default, and weights of rows; sums where there are such."""
        options = more.pop("options", {})
        yield Entry(f"metrics.{call})", loss, kinds, options=options, **more)
        weighted = f"metrics.{call}, sample_weight=w"
        more["dtypes"] = DOUBLE
        yield Entry(f"{weighted})", loss, kinds, options=options, prediction_kind=WEIGHTS, **more)
        if totals:
            yield Entry(f"metrics.{call}, {totals})", loss, kinds[:1], options=options | SUM, **more)
            call = f"{weighted}, {totals})"
            yield Entry(call, loss, kinds[:1], options=options | SUM, prediction_kind=WEIGHTS, **more)

    both = (flat(numbers), numbers)
    yield from of("mean_squared_error(t, p", "squared-error", *both)
    yield from of("mean_absolute_error(t, p", "absolute-error", *both)
    yield from of("mean_pinball_loss(t, p", "quantile", *both, dtypes=DOUBLE)
    yield from of("mean_pinball_loss(t, p, alpha=0.9", "quantile", *both, dtypes=DOUBLE, parameters={"tau": 0.9})
    call, percent = "mean_absolute_percentage_error(t, p", "absolute-percentage-error"
    yield from of(call, percent, flat(nonzero), nonzero)
    yield Entry(f"metrics.{call})", percent, (flat(frameworks.zero_targets),), dtypes=DOUBLE)
    yield Entry("metrics.median_absolute_error(t, p)", "median-absolute-error", (flat(numbers),))
    yield Entry("metrics.max_error(t, p)", "max-error", (flat(numbers),))
    yield from of("mean_squared_log_error(t, p", "squared-log-error", flat(amounts), amounts, dtypes=DOUBLE)
    yield from of("mean_poisson_deviance(t, p", "poisson-deviance", flat(counts), dtypes=DOUBLE)
    yield from of("mean_gamma_deviance(t, p", "gamma-deviance", flat(amounts), dtypes=DOUBLE)
    for power in (1.5, 3.0):
        call, parameters = f"mean_tweedie_deviance(t, p, power={power}", {"power": power}
        yield from of(call, "tweedie-deviance", flat(amounts), dtypes=DOUBLE, parameters=parameters)

    normal = "normalize=False"
    yield from of("hinge_loss(t, p", "hinge", flat(margins), zero_and_one(flat(margins)))
    yield from of("hinge_loss(t, p", "multiclass-hinge", every_class)
    call = "zero_one_loss(t, np.where(p > 0, t.max(), t.min())"
    yield from of(call, "zero-one", flat(margins), zero_and_one(flat(margins)), totals=normal, dtypes=DOUBLE)
    yield from of("hamming_loss(t > 0, p > 0", "zero-one", margins, dtypes=DOUBLE)
    call = "zero_one_loss(t, p.argmax(1)"
    yield from of(call, "multiclass-zero-one", every_class, totals=normal, dtypes=DOUBLE)
    kinds = (flat(binary_probs), flat(certain))
    yield from of("log_loss(t, p", "sigmoid-cross-entropy", *kinds, totals=normal, options=PROBS)
    # Columns are taken for classes.
    yield from of("log_loss(t, p", "sigmoid-cross-entropy", binary_probs, totals=normal, options=PROBS, k=3)
    yield from of("brier_score_loss(t, p", "sigmoid-brier", binary_probs, options=PROBS, k=3)
    kinds = (probs(every_class), certain_rows)
    yield from of("log_loss(t, p", "softmax-cross-entropy", *kinds, totals=normal, options=PROBS, k=3)
    yield Entry("metrics.log_loss(t, p)", "softmax-cross-entropy", (as_rows(certain_rows),), {}, PROBS)
    call = "metrics.log_loss(t, p, sample_weight=c[t])"
    yield Entry(call, "softmax-cross-entropy", (probs(every_class),), {}, PROBS, CLASS_WEIGHTS, k=3, dtypes=DOUBLE)
    yield from of("brier_score_loss(t, p", "sigmoid-brier", flat(binary_probs), flat(certain), options=PROBS)
    call = "1 - metrics.cohen_kappa_score(t, p.argmax(1), labels=np.arange(p.shape[1]), weights='quadratic')"
    yield Entry(call, "quadratic-kappa", (probs(every_class),), {}, PROBS, k=3)
    yield from of("brier_score_loss(t, p", "brier", probs(every_class), certain_rows, options=PROBS, k=3)


GRID: tuple[tuple[str, Callable[[], tuple[str, Run]], Callable[[], Iterator[Entry]], tuple[str, ...]], ...] = (
    ("torch", pytorch, torch_entries, BOTH),
    ("keras", keras, keras_entries, SINGLE),
    ("tf1", tensorflow, tensorflow_entries, SINGLE),
    ("optax", optax, optax_entries, BOTH),
    ("sklearn", scikit_learn, scikit_learn_entries, BOTH),
)
OF_ROWS = np.array([1.5, 0, 0.25, 2, 1, 0.5])
OF_CLASSES = np.array([1.5, 0, 2, 0.25])
"""With label smoothing none is 0: OF_POSITIVES."""
OF_POSITIVES = np.array([0.5, 3, 2, 0.25])


def cases(name: str, library: str, run: Run, entry: Entry) -> Iterator[Case]:
    """Draw inputs for an entry and run its call on them."""
    for turn, kind in enumerate(entry.kinds):
        for dtype in entry.dtypes:
            words = f"{name} {entry.call} {entry.loss} {turn} {dtype}"
            rng = np.random.default_rng([SEED, zlib.crc32(words.encode())])
            n, k = int(rng.integers(4, 7)), entry.k or int(rng.integers(2, 5))
            p, t, *beside = kind(rng, n, k)
            n = len(p)
            arrays = {"p": p.astype(dtype), "t": t if t.dtype == np.int64 else t.astype(dtype)}
            if beside:
                arrays["b"] = beside[0].astype(dtype)
            options = dict(entry.options)
            if "sample_weight" in entry.prediction_kind:
                arrays["w"] = rng.permutation(OF_ROWS[:n]).astype(dtype)
                options["sample_weight"] = plain(arrays["w"])
            if "class_weight" in entry.prediction_kind:
                weights = OF_POSITIVES if "label_smoothing" in options else OF_CLASSES
                arrays["c"] = rng.permutation(weights[: p.shape[1]]).astype(dtype)
                options["class_weight"] = plain(arrays["c"])
            if "pos_weight" in entry.prediction_kind:
                arrays["q"] = np.array(3, dtype)
                options["pos_weight"] = 3.0
            if "pos_weights" in entry.prediction_kind:
                arrays["q"] = rng.permutation(OF_POSITIVES[: p.shape[1]]).astype(dtype)
                options["pos_weight"] = plain(arrays["q"])
            yield {
                "library": library,
                "call": entry.call,
                "as": name,
                "loss": entry.loss,
                "parameters": entry.parameters,
                "options": options,
                "dtype": dtype,
                "predictions": plain(arrays["p"]),
                "targets": plain(arrays["t"]),
                **({"beside": plain(arrays["b"])} if beside else {}),
                "value": number(run(entry.call, typed(arrays, entry))),
            }


def typed(arrays: dict[str, Array], entry: Entry) -> dict[str, Array]:
    """Targets as the libraries want them: integers for class indices alone."""
    t, p = arrays["t"], arrays["p"]
    indices = t.ndim < p.ndim or entry.call.startswith("metrics") or "argsort" in entry.call
    return arrays if indices else arrays | {"t": t.astype(p.dtype)}


def number(value: Any) -> Any:
    """A number as it is written: in as few digits as read back the same in its own dtype."""
    if np.ndim(value):
        raise TypeError(f"{value!r} is not one number")
    value = np.asarray(value)[()]
    if math.isnan(value):
        raise ValueError("NaN")
    return plain(value)


def main() -> None:
    """Write the file, or say what failed."""
    lines, wrong = [], []
    counts: Counter[tuple[str, str]] = Counter()
    for name, framework, entries, dtypes in GRID:
        library, run = framework()
        for entry in entries():
            known = tuple(dtype for dtype in entry.dtypes if dtype in dtypes)
            try:
                for case in cases(name, library, run, replace(entry, dtypes=known)):
                    lines.append(json.dumps(case, separators=(",", ":"), allow_nan=False))
                    counts[name, entry.loss] += 1
            except Exception as fault:  # noqa: BLE001 - every call is tried before it is said which ones failed
                wrong.append(f"{name}: {entry.call}: {type(fault).__name__}: {fault}")
    if wrong:
        found = "\n".join(wrong)
        raise SystemExit(f"{found}\n{len(wrong)} calls failed; nothing was written")
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    OUTPUT.write_text(text, encoding="utf-8")
    for (name, loss), cases_of in counts.items():
        print(f"{name:8} {loss:26} {cases_of:4}")
    print(f"{len(lines)} cases, {len(text):,} bytes")


if __name__ == "__main__":
    main()
