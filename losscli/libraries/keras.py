"""Keras 3: keras.losses."""

from collections.abc import Mapping

import numpy as np

from losscli.definition.batch import Clip
from losscli.libraries.call import HARD, Accepts, Call, Library
from losscli.libraries.steps import SKIPS_ZEROS, Add, CutProbabilities, Exchange, Multiply

EPSILON = np.float32(1e-7)
"""keras.config.epsilon(), in keras.config.floatx(): predictions of every dtype are converted to it."""
LEAST, MOST = float(EPSILON), float(np.float32(1) - EPSILON)
WEIGHT = {"sample_weight": "sample_weight={w:column}"}
ROW_WEIGHT = {"sample_weight": "sample_weight={w:rows}"}
CLASS_WEIGHT = {"class_weight": "sample_weight={w:rows}"}
SMOOTHING = {"label_smoothing": "label_smoothing={}"}
REDUCTION = {"reduction": "reduction={!r}"}


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in keras.losses: `expression` is made with the arguments, and then called."""
    return Call(loss, tuple(names.split()), f"keras.losses.{expression}", arguments=arguments, **more)  # type: ignore[arg-type]


def cut(dtype: object) -> Clip:
    """Return the clip of probabilities, which is the same for every dtype."""
    return Clip(LEAST, MOST)


def divided_and_cut(dtype: object) -> Clip:
    """Return the clip of rows of probabilities, which are divided by their sum first."""
    return Clip(LEAST, MOST, renormalise=True)


FLOAT32 = "predictions are converted to float32"
FROM_LOGITS = "from_logits is False by default: logits are then taken for probabilities and clipped, without a word"

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
    ),
    call(
        "log-cosh",
        "LogCosh log_cosh logcosh",
        "LogCosh({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
    ),
    call(
        "absolute-percentage-error",
        "MeanAbsolutePercentageError mean_absolute_percentage_error mape",
        "MeanAbsolutePercentageError({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        steps=(Multiply(100.0),),
        defaults={"epsilon": 1e-7},
    ),
    call(
        "squared-log-error",
        "MeanSquaredLogarithmicError mean_squared_logarithmic_error msle",
        "MeanSquaredLogarithmicError({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        notes=("predictions and targets below 1e-7 are raised to it",),
    ),
    call(
        "poisson",
        "Poisson poisson",
        "Poisson({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        defaults={"epsilon": 1e-7},
    ),
    call(
        "hinge",
        "Hinge hinge",
        "Hinge({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
        notes=("labels 0 and 1 become -1 and 1, where a batch has no others"),
    ),
    call(
        "squared-hinge",
        "SquaredHinge squared_hinge",
        "SquaredHinge({arguments})({t:column}, {p:column}, {weights})",
        WEIGHT | REDUCTION,
    ),
    call(
        "categorical-hinge",
        "CategoricalHinge categorical_hinge",
        "CategoricalHinge({arguments})({t:rows}, {p}, {weights})",
        ROW_WEIGHT | REDUCTION,
        notes=("targets are one-hot rows",),
    ),
    call(
        "sigmoid-cross-entropy",
        "BinaryCrossentropy binary_crossentropy bce",
        "BinaryCrossentropy(from_logits=True, {arguments})({t:column}, {p:column}, {weights})",
        SMOOTHING | WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="half",
        notes=(FROM_LOGITS,),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "BinaryCrossentropy({arguments})({t:column}, {p:column}, {weights})",
        SMOOTHING | WEIGHT | REDUCTION,
        prediction_kind="probs",
        smoothing="half",
        steps=(CutProbabilities(cut),),
    ),
    call(
        "softmax-cross-entropy",
        "CategoricalCrossentropy categorical_crossentropy SparseCategoricalCrossentropy sparse_categorical_crossentropy",
        "CategoricalCrossentropy(from_logits=True, {arguments})({t:rows}, {p}, {weights})",
        SMOOTHING | CLASS_WEIGHT | ROW_WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="uniform",
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
        steps=(CutProbabilities(divided_and_cut),),
    ),
    call(
        "kl-divergence",
        "KLDivergence kl_divergence KLD kld kullback_leibler_divergence",
        "KLDivergence({arguments})({t:rows}, {p}, {weights})",
        ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        steps=(CutProbabilities(lambda dtype: Clip(LEAST, 1.0)),),
        notes=("targets are clipped to [1e-7, 1] too",),
    ),
    call(
        "sigmoid-focal",
        "BinaryFocalCrossentropy binary_focal_crossentropy",
        "BinaryFocalCrossentropy(from_logits=True, {arguments})({t:column}, {p:column}, {weights})",
        {"gamma": "gamma={}", "alpha": "apply_class_balancing=True, alpha={}"} | WEIGHT | REDUCTION,
        prediction_kind="logits",
        accepts=Accepts(kinds=HARD),
        steps=(CutProbabilities(cut, of_logits=True),),
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
        {"gamma": "gamma={}", "alpha": "apply_class_balancing=True, alpha={}"} | WEIGHT | REDUCTION,
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD),
        steps=(CutProbabilities(cut),),
    ),
    call(
        "softmax-focal",
        "CategoricalFocalCrossentropy categorical_focal_crossentropy",
        "CategoricalFocalCrossentropy(from_logits=True, {arguments})({t:rows}, {p}, {weights})",
        {"gamma": "gamma={}"} | SMOOTHING | ROW_WEIGHT | REDUCTION,
        prediction_kind="logits",
        smoothing="uniform",
        steps=(CutProbabilities(divided_and_cut, of_logits=True), Multiply(0.25)),
        notes=("alpha = 0.25 multiplies every class alike: it only scales the loss",),
    ),
    call(
        "softmax-focal",
        "",
        "CategoricalFocalCrossentropy({arguments})({t:rows}, {p}, {weights})",
        {"gamma": "gamma={}"} | SMOOTHING | ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        smoothing="uniform",
        steps=(CutProbabilities(divided_and_cut), Multiply(0.25)),
    ),
    call(
        "generalized-cross-entropy",
        "CategoricalGeneralizedCrossEntropy categorical_generalized_cross_entropy",
        "CategoricalGeneralizedCrossEntropy({arguments})({t:rows}, {p}, {weights})",
        {"q": "q={}"} | ROW_WEIGHT | REDUCTION,
        prediction_kind="probs",
        defaults={"q": 0.5},
    ),
    call(
        "cosine-distance",
        "CosineSimilarity cosine_similarity",
        "CosineSimilarity({arguments})({t}, {p}, {weights})",
        ROW_WEIGHT | REDUCTION,
        steps=(Add(-1.0),),
        notes=("minus the cosine: from -1 for the same direction to 1",),
        defects=("keras 3.15.1: 0 for features of length 0",),
    ),
    call(
        "circle",
        "Circle circle",
        "Circle({arguments})({t:index}, {p}, {weights})",
        {"gamma": "gamma={}", "margin": "margin={}"} | ROW_WEIGHT | REDUCTION,
        steps=(SKIPS_ZEROS,),
        notes=(
            "wants features of unit length, and does not make them so",
            "a row without another of its class has the loss 0, and is left out",
        ),
    ),
    call(
        "dice",
        "Dice dice",
        "Dice({arguments})({t:outcomes}, {p}, {weights})",
        REDUCTION,
        prediction_kind="probs",
        per="file",
        notes=("the whole batch is one mask; Dice(axis=...) makes it smaller", "1e-7 is added to the denominator"),
        defects=("keras 3.15.1: 1, the worst loss, for an empty mask that is predicted empty",),
    ),
    call(
        "tversky",
        "Tversky tversky",
        "Tversky({arguments})({t:outcomes}, {p}, {weights})",
        {"alpha": "alpha={}", "beta": "beta={}"} | REDUCTION,
        prediction_kind="probs",
        per="file",
        steps=(Exchange("alpha", "beta"),),
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
    notes=(
        "weights of samples are divided by the number of samples, not by their sum",
        FLOAT32,
        "arrays of shape (n,) are one sample there, whose loss is the mean over the rows; here, and with shape (n, 1) there, "
        "they are n samples",
    ),
)
