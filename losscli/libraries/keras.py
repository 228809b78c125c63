"""Keras 3: keras.losses, with PyTorch as its backend. TensorFlow's numbers are the same within rounding, but where it is said."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Indices, Sequences, Targets
from losscli.definition.convention import Convention, Taken
from losscli.definition.domain import REAL
from losscli.elementary import log1p
from losscli.libraries.arithmetic import converted, ctc, dense, limited, log_softmax, own, sigmoid, steps_of
from losscli.libraries.call import LABELS, Accepts, Call, Library
from losscli.libraries.steps import SKIPS_ZEROS, AddUp, Cast, Change, Compute, Multiply

EPSILON = np.float32(1e-7)
"""keras.config.epsilon(), in keras.config.floatx(), to which operands of every dtype are converted."""
LEAST, MOST = float(EPSILON), float(np.float32(1) - EPSILON)
WEIGHT = {"sample_weight": "sample_weight={w:column}"}
ROW_WEIGHT = {"sample_weight": "sample_weight={w:rows}"}
CLASS_WEIGHT = {"class_weight": "sample_weight={w:rows}"}
SMOOTHING = {"label_smoothing": "label_smoothing={}"}
REDUCTION = {"reduction": "reduction={!r}"}
ANYTHING = Taken(REAL, REAL, REAL)
"""No number is looked at before it is computed with; what has no loss is NaN then."""
Parameters = Mapping[str, Any]


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in keras.losses: `expression` is made with the arguments, and then called."""
    more.setdefault("accepts", Accepts(taken=ANYTHING))
    return Call(loss, tuple(names.split()), f"keras.losses.{expression}", arguments=arguments, **more)  # type: ignore[arg-type]


# Formulas, in float32 as all else, where losscli's own keep more digits or have other limits.


def percentage(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return |t - p| / max(|t|, epsilon)."""
    y = dense(t, p)
    return np.abs((y - p) / np.maximum(np.abs(y), p.dtype.type(parameters["epsilon"])))


def squared_logarithms(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return (log(1 + p) - log(1 + t))**2; numbers below 1e-7 are raised to it, and 1 is added before the logarithm."""
    first, second = (np.log(limited(x, LEAST, np.inf) + 1) for x in (p, dense(t, p)))
    return (first - second) ** 2


def huber(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return r**2 / 2, or delta |r| - delta**2 / 2."""
    gap, delta, half = np.abs(p - dense(t, p)), p.dtype.type(parameters["delta"]), p.dtype.type(0.5)
    return np.where(gap <= delta, half * gap**2, delta * gap - half * delta**2)


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), which is taken for x above 20."""
    return np.where(x > 20, x, log1p(np.exp(x)))


def log_cosh(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return r + log(1 + exp(-2 r)) - log(2)."""
    gap = p - dense(t, p)
    return gap + softplus(gap * -2) - p.dtype.type(np.log(2))


def poisson(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return p - t log(p + epsilon)."""
    return p - dense(t, p) * np.log(p + p.dtype.type(parameters["epsilon"]))


def hinge(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(0, 1 - t p)."""
    return np.maximum(1 - dense(t, p) * p, 0)


def squared_hinge(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the square of the hinge loss."""
    return hinge(p, t, extras, parameters) ** 2


def categorical_hinge(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(0, 1 + max((1 - t) z) - sum(t z)), in which the true class stands for 0 in the maximum."""
    y = dense(t, p)
    return np.maximum(((1 - y) * p).max(axis=1) - (y * p).sum(axis=1) + 1, 0)


def binary_with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of logits: (1 - t) z + log(1 + exp(-z))."""
    z = converted(p, extras.prediction_kind, "logits", False)
    return (1 - dense(t, p)) * z + (log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0))


def cut_off(p: Array) -> Array:
    """Return probabilities in [1e-7, 1 - 1e-7]."""
    return limited(p, LEAST, MOST)


def binary(p: Array, t: Targets) -> Array:
    """Return the cross-entropy of probabilities that are cut off."""
    y, p = dense(t, p), cut_off(p)
    return (y - 1) * log1p(-p) - y * np.log(p)


def binary_of_probabilities(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of probabilities that are cut off."""
    return binary(converted(p, extras.prediction_kind, "probs", False), t)


def focal(p: Array, t: Targets, parameters: Parameters) -> Array:
    """Return the cross-entropy times (1 - p_t)**gamma, where p_t is that of probabilities that are not cut off."""
    y = dense(t, p)
    p_t = y * p + (1 - y) * (1 - p)
    losses = (1 - p_t) ** p.dtype.type(parameters["gamma"]) * binary(p, t)
    if parameters["alpha"] is None:
        return losses
    alpha = p.dtype.type(parameters["alpha"])
    return (y * alpha + (1 - y) * (1 - alpha)) * losses


def binary_focal_with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the focal loss of the probabilities of logits."""
    return focal(sigmoid(converted(p, extras.prediction_kind, "logits", False)), t, parameters)


def binary_focal(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the focal loss of probabilities."""
    return focal(converted(p, extras.prediction_kind, "probs", False), t, parameters)


def categorical_with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of logits; 0 times infinity is NaN."""
    z = converted(p, extras.prediction_kind, "logits", True)
    return np.asarray(-(dense(t, p) * log_softmax(z)).sum(axis=1))


def divided_and_cut(p: Array) -> Array:
    """Return rows of probabilities divided by their sums and cut off."""
    return cut_off(p / p.sum(axis=1, keepdims=True))


def categorical(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of rows of probabilities, which are divided by their sums and cut off."""
    p = divided_and_cut(converted(p, extras.prediction_kind, "probs", True))
    return np.asarray(-(dense(t, p) * np.log(p)).sum(axis=1))


def focal_of_rows(p: Array, t: Targets, parameters: Parameters) -> Array:
    """Return the cross-entropy with each class's term times (1 - p)**gamma."""
    p = divided_and_cut(p)
    factor = (1 - p) ** p.dtype.type(parameters["gamma"])
    return np.asarray((factor * (-dense(t, p) * np.log(p))).sum(axis=1))


def categorical_focal_with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the focal loss of the probabilities of logits."""
    z = converted(p, extras.prediction_kind, "logits", True)
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return focal_of_rows(powers / powers.sum(axis=1, keepdims=True), t, parameters)


def categorical_focal(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the focal loss of rows of probabilities."""
    return focal_of_rows(converted(p, extras.prediction_kind, "probs", True), t, parameters)


def divergence(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return sum(t log(t / p)) with both in [1e-7, 1]."""
    p, y = converted(p, extras.prediction_kind, "probs", True), dense(t, p)
    p, y = limited(p, LEAST, 1), limited(y, LEAST, 1)
    return np.asarray((y * np.log(y / p)).sum(axis=1))


def generalized(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return (1 - p**q) / q of the probability of the true class."""
    assert isinstance(t, Indices)
    q = p.dtype.type(parameters["q"])
    return (1 - own(converted(p, extras.prediction_kind, "probs", True), t) ** q) / q


def cosine(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the cosine; rows are not multiplied by more than 1e7 to make them of length 1."""

    def unit(x: Array) -> Array:
        return x * np.minimum(1 / np.sqrt((x * x).sum(axis=1, keepdims=True)), p.dtype.type(1e7))

    return np.asarray(-(unit(dense(t, p)) * unit(p)).sum(axis=1))


def circle(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return log(1 + the sums over negatives and positives), of products of features whatever their lengths."""
    assert isinstance(t, Indices)
    assert extras.everyone is not None
    everyone, at = extras.everyone, np.asarray(extras.at)
    losses, step = np.empty(len(p), p.dtype), max(1, AT_ONCE // max(1, len(everyone.features)))
    for first in range(0, len(p), step):
        rows = slice(first, first + step)
        alike = t.index[rows, None] == everyone.labels
        itself = at[rows, None] == np.arange(len(everyone.labels))
        products = p[rows] @ everyone.features.T
        losses[rows] = circle_of(products, alike & ~itself & everyone.kept, ~alike & everyone.kept, parameters)
    return losses


AT_ONCE = 1 << 20
"""Products of features that are computed at once."""


def circle_of(products: Array, positives: Array, negatives: Array, parameters: Parameters) -> Array:
    """Return the losses of rows, shape (n,), from their products with all rows, shape (n, all)."""
    number = products.dtype.type
    gamma, margin, distance = number(parameters["gamma"]), number(parameters["margin"]), np.maximum(1 - products, 0)
    pull = -gamma * np.maximum(margin + distance, 0) * (margin - distance)
    push = gamma * np.maximum(1 + margin - distance, 0) * (1 - margin - distance)
    return softplus(log_sum_exp(pull, positives) + log_sum_exp(push, negatives))


def log_sum_exp(terms: Array, counts: Array) -> Array:
    """Return the logarithm of the sum of the exponentials of those terms of each row that count; -inf where none does."""
    terms = np.where(counts, terms, terms.dtype.type(-np.inf))
    most = terms.max(axis=1, keepdims=True)
    most = np.where(np.isfinite(most), most, 0)
    return np.asarray(np.log(np.exp(terms - most).sum(axis=1)) + most[:, 0])


def dice(sums: Any, *, smooth: float) -> tuple[Array, None]:
    """Return 1 - 2 I / (sum(t) + sum(p) + 1e-7)."""
    i, fp, fn = (np.asarray(part, np.float32) for part in (sums.i, sums.fp, sums.fn))
    return np.asarray(1 - 2 * i / ((i + fn) + (i + fp) + EPSILON)), None


def tversky(sums: Any, *, alpha: float, beta: float, smooth: float) -> tuple[Array, None]:
    """Return 1 - I / (I + alpha FN + beta FP + 1e-7), whose parameters are the other way round than elsewhere."""
    i, fp, fn = (np.asarray(part, np.float32) for part in (sums.i, sums.fp, sums.fn))
    return np.asarray(1 - i / (i + fn * np.float32(alpha) + fp * np.float32(beta) + EPSILON)), None


def of_sequences(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the logarithm of the sum over all alignments, of the softmax of each step."""
    assert isinstance(t, Dense)
    return ctc(steps_of(p, extras.columns, extras.prediction_kind), Sequences(t.t.astype(np.int64)), 0)


# What is refused with an error.


def inner_power(operands: Any, parameters: Parameters) -> str | None:
    """CategoricalGeneralizedCrossEntropy takes 0 < q < 1."""
    return None if 0 < parameters["q"] < 1 else "takes a q between 0 and 1 only; give one as --q"


FROM_LOGITS = "from_logits is False by default: logits are then taken for probabilities and clipped, without a word"
CUTS = "cuts p into [1e-07, 0.99999988]"
DIVIDES = f"divides each row by its sum, {CUTS}"

CALLS = (
    call(
        "squared-error",
        "MeanSquaredError mean_squared_error mse",
        "MeanSquaredError({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
    ),
    call(
        "absolute-error",
        "MeanAbsoluteError mean_absolute_error mae",
        "MeanAbsoluteError({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
    ),
    call(
        "huber",
        "Huber huber",
        "Huber({arguments})({t:column}, {p:column}, {weights})",
        {"delta": "delta={}"} | WEIGHT | REDUCTION,
        steps=(Compute("", huber),),
    ),
    call(
        "log-cosh",
        "LogCosh log_cosh logcosh",
        "LogCosh({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        steps=(Compute("computes r + log(1 + exp(-2 r)) - log(2)", log_cosh),),
    ),
    call(
        "absolute-percentage-error",
        "MeanAbsolutePercentageError mean_absolute_percentage_error mape",
        "MeanAbsolutePercentageError({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        steps=(Compute("divides by epsilon where a target is closer to 0", percentage), Multiply(100.0)),
        defaults={"epsilon": 1e-7},
    ),
    call(
        "squared-log-error",
        "MeanSquaredLogarithmicError mean_squared_logarithmic_error msle",
        "MeanSquaredLogarithmicError({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        steps=(Compute("raises predictions and targets below 1e-07 to it", squared_logarithms),),
    ),
    call(
        "poisson",
        "Poisson poisson",
        "Poisson({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        defaults={"epsilon": 1e-7},
        steps=(Compute("computes p - t log(p + epsilon) of any numbers", poisson),),
    ),
    call(
        "hinge",
        "Hinge hinge",
        "Hinge({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        steps=(Compute("", hinge),),
        notes=("labels 0 and 1 become -1 and 1, where a batch has no others",),
    ),
    call(
        "squared-hinge",
        "SquaredHinge squared_hinge",
        "SquaredHinge({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        steps=(Compute("", squared_hinge),),
    ),
    call(
        "categorical-hinge",
        "CategoricalHinge categorical_hinge",
        "CategoricalHinge({arguments})({t:rows}, {p}, {weights})",
        ROW_WEIGHT | REDUCTION,
        steps=(Compute("takes 0 for the true class in the largest of the others", categorical_hinge, dense=True),),
        notes=("targets are one-hot rows",),
    ),
    call(
        "sigmoid-cross-entropy",
        "BinaryCrossentropy binary_crossentropy bce",
        "BinaryCrossentropy(from_logits=True, {arguments})({t:column}, {p:column}, {weights})",
        SMOOTHING | WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="half",
        steps=(Compute("computes (1 - t) z + log(1 + exp(-z)) as it stands", binary_with_logits),),
        notes=(FROM_LOGITS,),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "BinaryCrossentropy({arguments})({t:column}, {p:column}, {weights})",
        SMOOTHING | WEIGHT | REDUCTION,
        prediction_kind="probs",
        smoothing="half",
        steps=(Compute(CUTS, binary_of_probabilities),),
    ),
    call(
        "softmax-cross-entropy",
        "CategoricalCrossentropy categorical_crossentropy SparseCategoricalCrossentropy sparse_categorical_crossentropy",
        "CategoricalCrossentropy(from_logits=True, {arguments})({t:rows}, {p}, {weights})",
        SMOOTHING | CLASS_WEIGHT | ROW_WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="uniform",
        steps=(Compute("multiplies the logarithms by targets of 0 too", categorical_with_logits, dense=True),),
        notes=(
            FROM_LOGITS,
            "SparseCategoricalCrossentropy takes class indices, and has no label smoothing",
            "class_weight of fit() is a weight of samples, divided by their number",
        ),
        defects=(
            "keras 3.15.1: on PyTorch, float64 is rounded to float32 on the way",
            "keras 3.15.1, on TensorFlow: SparseCategoricalCrossentropy of probabilities clips them before it divides them "
            "by their sum; on PyTorch and JAX after it",
        ),
    ),
    call(
        "softmax-cross-entropy",
        "",
        "CategoricalCrossentropy({arguments})({t:rows}, {p}, {weights})",
        SMOOTHING | CLASS_WEIGHT | ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        smoothing="uniform",
        steps=(Compute(DIVIDES, categorical, dense=True),),
    ),
    call(
        "kl-divergence",
        "KLDivergence kl_divergence KLD kld kullback_leibler_divergence",
        "KLDivergence({arguments})({t:rows}, {p}, {weights})",
        ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        steps=(Compute("raises p and targets below 1e-07 to it", divergence, dense=True),),
    ),
    call(
        "sigmoid-focal",
        "BinaryFocalCrossentropy binary_focal_crossentropy",
        "BinaryFocalCrossentropy(from_logits=True, {arguments})({t:column}, {p:column}, {weights})",
        {"gamma": "gamma={}", "alpha": "apply_class_balancing=True, alpha={}"} | SMOOTHING | WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="half",
        steps=(Compute(f"makes probabilities of the logits, {CUTS}", binary_focal_with_logits),),
        notes=(
            "alpha counts only with apply_class_balancing=True",
            "cuts probabilities of logits off on PyTorch and JAX; on TensorFlow it does not",
            "not linear in the target: soft and smoothed targets make another function of it",
        ),
        defects=("keras 3.15.1: alpha does nothing by default, whatever it is",),
    ),
    call(
        "sigmoid-focal",
        "",
        "BinaryFocalCrossentropy({arguments})({t:column}, {p:column}, {weights})",
        {"gamma": "gamma={}", "alpha": "apply_class_balancing=True, alpha={}"} | SMOOTHING | WEIGHT | REDUCTION,
        prediction_kind="probs",
        smoothing="half",
        steps=(Compute(CUTS, binary_focal),),
    ),
    call(
        "softmax-focal",
        "CategoricalFocalCrossentropy categorical_focal_crossentropy",
        "CategoricalFocalCrossentropy(from_logits=True, {arguments})({t:rows}, {p}, {weights})",
        {"gamma": "gamma={}"} | SMOOTHING | ROW_WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="uniform",
        steps=(
            Compute(f"makes probabilities of the logits, {DIVIDES}", categorical_focal_with_logits, dense=True),
            Multiply(0.25),
        ),
        notes=("alpha = 0.25 multiplies every class alike: it only scales the loss",),
    ),
    call(
        "softmax-focal",
        "",
        "CategoricalFocalCrossentropy({arguments})({t:rows}, {p}, {weights})",
        {"gamma": "gamma={}"} | SMOOTHING | ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        smoothing="uniform",
        steps=(Compute(DIVIDES, categorical_focal, dense=True), Multiply(0.25)),
    ),
    call(
        "generalized-cross-entropy",
        "CategoricalGeneralizedCrossEntropy categorical_generalized_cross_entropy",
        "CategoricalGeneralizedCrossEntropy({arguments})({t:index}, {p}, {weights})",
        {"q": "q={}"} | ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        accepts=Accepts(kinds=(*LABELS, "one-hot"), taken=ANYTHING, raises=inner_power),
        defaults={"q": 0.5},
        steps=(Compute("", generalized),),
    ),
    call(
        "cosine-distance",
        "CosineSimilarity cosine_similarity",
        "CosineSimilarity({arguments})({t}, {p}, {weights})",
        ROW_WEIGHT | REDUCTION,
        steps=(Compute("takes minus the cosine, and 0 for features of length 0", cosine),),
        notes=("from -1 for the same direction to 1",),
        defects=("keras 3.15.1: 0 for features of length 0",),
    ),
    call(
        "circle",
        "Circle circle",
        "Circle({arguments})({t:index}, {p}, {weights})",
        {"gamma": "gamma={}", "margin": "margin={}"} | ROW_WEIGHT | REDUCTION,
        steps=(
            Change("takes features as they are, of any length", Convention(plain_features=True)),
            Compute("", circle),
            SKIPS_ZEROS,
        ),
        notes=(
            "wants features of unit length, and does not make them so: their products are taken for cosines",
            "a row without another of its class has the loss 0, and is left out",
        ),
    ),
    call(
        "ctc",
        "CTC ctc",
        "CTC({arguments})({t:padded}, {p:samples}, {weights})",
        ROW_WEIGHT | REDUCTION,
        prediction_kind="logits",
        steps=(Compute("takes the softmax of each step in float32", of_sequences),),
        notes=(
            "class 0 is the blank, and labels of 0 pad a row",
            "all steps of a sample count: it takes no lengths of inputs",
        ),
    ),
    call(
        "dice",
        "Dice dice",
        "Dice({arguments})({t:outcomes}, {p}, {weights})",
        REDUCTION,
        prediction_kind="probs",
        per="file",
        steps=(Compute("adds 1e-07 to the denominator", core=dice),),
        notes=("the whole batch is one mask; Dice(axis=...) makes it smaller",),
        defects=("keras 3.15.1: 1, the worst loss, for an empty mask that is predicted empty",),
    ),
    call(
        "tversky",
        "Tversky tversky",
        "Tversky({arguments})({t:outcomes}, {p}, {weights})",
        {"alpha": "alpha={}", "beta": "beta={}"} | REDUCTION,
        prediction_kind="probs",
        per="file",
        steps=(
            Compute(
                "weighs false negatives by alpha and false positives by beta, and adds 1e-07 to the denominator",
                core=tversky,
            ),
        ),
        defects=(
            "keras up to 3.15.1: alpha weighs false negatives and beta false positives, against its documentation",
        ),
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array, which is taken as it is."""
    return text


LIBRARY = Library(
    name="keras",
    title="keras 3.15.1",
    imports=("import keras",),
    tensor=tensor,
    reduces={"": "sum-over-batch-size", "sample_weight": "sum-over-batch-size"},
    reductions={
        "sum-over-batch-size": "sum_over_batch_size",
        "mean": "mean_with_sample_weight",
        "sum": "sum",
        "none": "none",
    },
    outputs="mean",
    summed_outputs="mean",
    calls=CALLS,
    steps=(Cast("float32"), Change("", Convention(plain_products=True, nothing=0.0)), AddUp()),
    notes=(
        "weights of samples are divided by the number of samples, not by their sum",
        "the result is 0 where all weights are 0",
        "arrays of shape (n,) are one sample there, whose loss is the mean over the rows; here, and with shape (n, 1) there, "
        "they are n samples",
    ),
)
