"""TensorFlow's losses of version 1, tf.compat.v1.losses, and the functions of tf.nn."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Sequences, Targets
from losscli.definition.convention import Taken
from losscli.definition.domain import REAL
from losscli.definition.request import Request
from losscli.elementary import log1p
from losscli.libraries.arithmetic import converted, dense, log_softmax, steps_of
from losscli.libraries.call import Accepts, Call, Facts, Library
from losscli.libraries.steps import AddUp, Cast, Compute, ReadLabels, convened
from losscli.records import dataclass

WEIGHT = {"sample_weight": "weights={w:column}"}
CLASS_WEIGHT = {"class_weight": "weights={w:rows}"}
REDUCTION = {"reduction": "reduction={!r}"}
V1 = "tensorflow.compat.v1.losses."


@dataclass(frozen=True)
class NothingIsZero:
    """Where all weights are 0 the result is 0; without weights there is nothing to say."""

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        text = "" if request.sample_weight is None and request.class_weight is None else self.words()
        return text, convened(request, nothing=0.0, plain_products=True)

    def words(self) -> str:
        return "is 0 where all weights are 0"


USUAL = (Cast("float32"), NothingIsZero(), AddUp())
"""What all of tf.compat.v1.losses do."""
ANYTHING = Taken(REAL, REAL, REAL)
"""No number is looked at before it is computed with; what has no loss is NaN then."""
Parameters = Mapping[str, Any]


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: Any) -> Call:
    """Return the record of a call in tf.compat.v1.losses; all take weights of samples and a reduction."""
    taken = WEIGHT | REDUCTION | dict(arguments)
    steps = USUAL + more.pop("steps", ())
    return Call(loss, tuple(names.split()), V1 + expression, arguments=taken, steps=steps, **more)


# Formulas, in float32, where losscli's own keep more digits or have other limits.


def hinge(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(0, 1 - (2 t - 1) p), of labels that are 2 t - 1 already."""
    return np.maximum(1 - dense(t, p) * p, 0)


def with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(z, 0) - z t + log(1 + exp(-|z|))."""
    z = converted(p, extras.prediction_kind, "logits", False)
    return np.maximum(z, 0) - z * dense(t, p) + log1p(np.exp(-np.abs(z)))


def weighted_with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return (1 - t) z + (1 + (w - 1) t) log(1 + exp(-z)) with the factor w of positives."""
    z, y = converted(p, extras.prediction_kind, "logits", False), dense(t, p)
    weight = np.asarray(1 if extras.pos_weight is None else extras.pos_weight, p.dtype)
    return (1 - y) * z + (1 + (weight - 1) * y) * (log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0))


def log_loss(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return -t log(p + 1e-7) - (1 - t) log(1 - p + 1e-7)."""
    p, y = converted(p, extras.prediction_kind, "probs", False), dense(t, p)
    epsilon = p.dtype.type(1e-7)
    return -(y * np.log(p + epsilon)) - (1 - y) * np.log(1 - p + epsilon)


def cross_entropy(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return -sum(t log-softmax(z)), of logits or what is taken for them; 0 times infinity is NaN."""
    log_p = log_softmax(converted(p, extras.prediction_kind, "logits", True))
    return np.asarray(-(dense(t, p) * log_p).sum(axis=1))


def log_poisson(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return exp(p) - t p, with Stirling's approximation of log(t!) for targets that are not from 0 to 1 if it is full."""
    y, number = dense(t, p), p.dtype.type
    value = np.exp(p) - y * p
    if not parameters["full"]:
        return value
    stirling = y * np.log(y) - y + number(0.5) * np.log(number(2 * math.pi) * y)
    return value + np.where((y >= 0) & (y <= 1), number(0), stirling)


def cosine_distance(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return 1 - sum(t p), which is the cosine distance of features of length 1."""
    return np.asarray(1 - (dense(t, p) * p).sum(axis=1))


FAR = np.float32(np.log(1e-307))
"""What stands for the logarithm of 0 where a path through labels may not end."""


def log_sum(x: Array) -> Array:
    """Return the logarithm of the sum of exponentials over the last axis."""
    most = x.max(axis=-1, keepdims=True)
    most = np.where(np.isfinite(most), most, np.float32(0))
    return np.asarray(np.log(np.exp(x - most).sum(axis=-1)) + most[..., 0])


def transitions(labels: Array) -> Array:
    """Return the logarithms of 0 and 1 for each state and the next one, shape (n, states, states).

    State 0 is the start, then come the labels, shape (n, L), and then the blanks before, between and behind them.
    """
    n, count = labels.shape
    own, blanks = np.arange(count + 1), np.arange(count + 1) + count + 1
    next_one = np.tile(np.eye(2 * count + 2, dtype=bool), (n, 1, 1))
    next_one[:, own, blanks] = True
    next_one[:, blanks[:-1], own[1:]] = True
    if count:
        next_one[:, 0, 1] = True
        next_one[:, own[1:-1], own[2:]] = labels[:, 1:] != labels[:, :-1]
    return np.where(next_one, np.float32(0), np.float32(-np.inf))


def ctc(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the logarithm of the sum over all alignments, from the last step to the first, each divided by its sum."""
    assert isinstance(t, Dense)
    assert extras.columns is not None
    sequences, blank = Sequences(t.t.astype(np.int64)), int(parameters["blank"])
    order = [blank, *(one for one in range(extras.columns) if one != blank)]  # the blank comes first
    rows = p.reshape(len(p), p.shape[1] // extras.columns, extras.columns)[:, :, order].reshape(p.shape)
    log_p = steps_of(rows, extras.columns, extras.prediction_kind)
    labels = np.where(np.arange(sequences.labels.shape[1]) < sequences.lengths[:, None], sequences.labels, 0)
    labels = np.where((labels < blank) & (blank != 0), labels + 1, labels)
    n, steps, _ = log_p.shape
    count = labels.shape[1]
    own = np.take_along_axis(log_p, np.broadcast_to(labels[:, None], (n, steps, count)), axis=2)
    start = np.full((n, steps, 1), -np.inf, p.dtype)
    seen = np.concatenate([start, own, np.repeat(log_p[:, :, :1], count + 1, axis=2)], axis=2)
    seen = seen + 0 * log_p.sum(
        axis=2, keepdims=True
    )  # labels are found by sums over all, so that 0 times infinity is NaN
    ends = np.full((n, 2 * count + 2), FAR, p.dtype)
    for place in (sequences.lengths, sequences.lengths + count + 1):
        ends[np.arange(n), place] = 0
    path, total, following = ends, np.zeros(n, p.dtype), transitions(labels)
    for step in range(steps - 1, -1, -1):
        before = log_sum((path + seen[:, step])[:, None] + following)
        sums, there = log_sum(before), step < sequences.steps
        total = total + np.where(there, sums, np.float32(0))
        path = np.where(there[:, None], before - sums[:, None], ends)
    return np.asarray(-(path[:, 0] + total))


SMOOTHING = {"label_smoothing": "label_smoothing={}"}

CALLS = (
    call("squared-error", "mean_squared_error", "mean_squared_error({t}, {p}, {arguments})"),
    call("absolute-error", "absolute_difference", "absolute_difference({t}, {p}, {arguments})"),
    call("huber", "huber_loss", "huber_loss({t}, {p}, {arguments})", {"delta": "delta={}"}),
    call(
        "hinge",
        "hinge_loss",
        "hinge_loss({t}, {p}, {arguments})",
        steps=(ReadLabels("doubled"), Compute("", hinge)),
        notes=("labels are 0 and 1",),
        defects=("tensorflow 2.21.0: labels of -1 become -3, without a word",),
    ),
    call(
        "sigmoid-cross-entropy",
        "sigmoid_cross_entropy",
        "sigmoid_cross_entropy({t:outcomes}, {p}, {arguments})",
        SMOOTHING,
        prediction_kind="logits",
        accepts=Accepts(taken=ANYTHING),
        smoothing="half",
        steps=(Compute("", with_logits),),
        notes=("tf.nn.sigmoid_cross_entropy_with_logits is the same without a reduction",),
    ),
    Call(
        "sigmoid-cross-entropy",
        ("sigmoid_cross_entropy_with_logits", "weighted_cross_entropy_with_logits"),
        "tensorflow.reduce_mean(tensorflow.nn.weighted_cross_entropy_with_logits({t:outcomes}, {p}, {arguments}))",
        arguments={"pos_weight": "pos_weight={pos_weight}"},
        prediction_kind="logits",
        accepts=Accepts(taken=ANYTHING),
        reduces={"": "mean"},
        steps=(Compute("", weighted_with_logits), AddUp()),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss({t:outcomes}, {p}, {arguments})",
        prediction_kind="probs",
        steps=(Compute("adds 1e-07 within the logarithm", log_loss),),
        notes=("a probability of 1 has a loss of -1.2e-7 so",),
    ),
    call(
        "softmax-cross-entropy",
        "softmax_cross_entropy sparse_softmax_cross_entropy softmax_cross_entropy_with_logits"
        " sparse_softmax_cross_entropy_with_logits",
        "softmax_cross_entropy({t:rows}, {p}, {arguments})",
        SMOOTHING | CLASS_WEIGHT | {"sample_weight": "weights={w:rows}"},
        prediction_kind="logits",
        smoothing="uniform",
        steps=(Compute("", cross_entropy, dense=True),),
        reduces={"class_weight": "sum-by-nonzero-weights"},
        notes=(
            "sparse_softmax_cross_entropy takes class indices, and has no label smoothing",
            "weights of classes are given as weights of samples",
        ),
    ),
    Call(
        "log-poisson",
        ("log_poisson_loss",),
        "tensorflow.reduce_mean(tensorflow.nn.log_poisson_loss({t}, {p}, {arguments}))",
        arguments={"full": "compute_full_loss={:bool}"},
        accepts=Accepts(taken=ANYTHING),
        reduces={"": "mean"},
        steps=(Compute("computes exp(p) - t p of any numbers", log_poisson), AddUp()),
        notes=(
            "compute_full_loss=True adds Stirling's approximation where t > 1, not log(t!)",
            "not reduced: their mean is shown",
        ),
    ),
    Call(
        "ctc",
        ("ctc_loss",),
        "tensorflow.reduce_mean(tensorflow.nn.ctc_loss({t:padded}, {p:samples}, {target_lengths}, {input_lengths}, "
        "logits_time_major=False, {arguments}))",
        arguments={"blank": "blank_index={:.0f}"},
        prediction_kind="logits",
        accepts=Accepts(taken=ANYTHING),
        reduces={"": "mean"},
        steps=(Cast("float32"), Compute("divides by the sum over all states in each step", ctc), AddUp()),
        notes=("not reduced: their mean is shown", "tf.compat.v1.nn.ctc_loss has the last class for the blank"),
        defects=(
            "tensorflow 2.21.0: some 700 where the labels do not fit into the time steps, whose loss is infinite",
        ),
    ),
    call(
        "cosine-distance",
        "",
        "cosine_distance({t}, {p}, axis=1, {arguments})",
        {"sample_weight": "weights={w:rows}[:, None]"},
        accepts=Accepts(taken=ANYTHING),
        steps=(Compute("takes 1 - sum(t p), without a division by the lengths", cosine_distance),),
        notes=("features of length 1 give the cosine distance",),
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array as a tensor."""
    return f"tensorflow.constant({text})" if same else f"tensorflow.constant({text}, '{dtype}')"


LIBRARY = Library(
    name="tf1",
    title="tensorflow 2.21.0, tf.compat.v1.losses",
    imports=("import tensorflow",),
    tensor=tensor,
    reduces={"": "sum-by-nonzero-weights", "sample_weight": "sum-by-nonzero-weights"},
    reductions={
        "sum-by-nonzero-weights": "weighted_sum_by_nonzero_weights",
        "sum-over-batch-size": "weighted_sum_over_batch_size",
        "mean": "weighted_mean",
        "sum": "weighted_sum",
        "none": "none",
    },
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    notes=("weights are divided by the number of those that are not 0",),
)
