"""scikit-learn: sklearn.metrics."""

from typing import Any

import numpy as np

from losscli.definition.batch import Clip
from losscli.libraries.call import Call, Library


def call(loss: str, names: str, expression: str, **more: object) -> Call:
    """Return the record of a call in sklearn.metrics."""
    return Call(loss, tuple(names.split()), f"sklearn.metrics.{expression}", **more)  # type: ignore[arg-type]


def cut(dtype: "np.dtype[Any]") -> Clip:
    """Return the clip of log_loss: by the machine epsilon of the probabilities' own dtype."""
    epsilon = float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)
    return Clip(epsilon, 1 - epsilon)


CALLS = (
    call("squared-error", "mean_squared_error", "mean_squared_error(t, p)"),
    call("absolute-error", "mean_absolute_error", "mean_absolute_error(t, p)"),
    call(
        "absolute-percentage-error",
        "mean_absolute_percentage_error",
        "mean_absolute_percentage_error(t, p)",
        defaults={"epsilon": float(np.finfo(np.float64).eps)},
        notes=("a fraction, not times 100",),
    ),
    call("squared-log-error", "mean_squared_log_error", "mean_squared_log_error(t, p)"),
    call(
        "quantile",
        "mean_pinball_loss",
        "mean_pinball_loss(t, p, alpha=tau)",
        notes=("at alpha = 0.5 it is half the absolute error",),
    ),
    call("poisson-deviance", "mean_poisson_deviance", "mean_poisson_deviance(t, p)"),
    call("gamma-deviance", "mean_gamma_deviance", "mean_gamma_deviance(t, p)"),
    call(
        "tweedie-deviance",
        "mean_tweedie_deviance",
        "mean_tweedie_deviance(t, p, power=power)",
        notes=("power is 0 by default there, which is the squared error",),
    ),
    call(
        "hinge",
        "",
        "hinge_loss(t, p)",
        notes=("of two labels, whatever they are, the larger one is positive",),
    ),
    call("multiclass-hinge", "", "hinge_loss(t, p)", notes=("for labels of more than two classes",)),
    call(
        "zero-one",
        "zero_one_loss hamming_loss",
        "zero_one_loss(t, p > 0)",
        one_output=True,
        notes=("takes labels, not scores; of several outputs a sample one wrong one makes the sample wrong",),
    ),
    call(
        "multiclass-zero-one",
        "",
        "zero_one_loss(t, p.argmax(axis=1))",
        notes=("takes labels, not scores",),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss(t, p)",
        prediction_kind="probs",
        clip=cut,
        notes=("labels of one class alone need labels=[0, 1]",),
        defects=("scikit-learn before 1.2: eps was 1e-15 for every dtype, and 1 - 1e-15 is 1 in float32",),
    ),
    call(
        "softmax-cross-entropy",
        "",
        "log_loss(t, p)",
        prediction_kind="probs",
        clip=cut,
        class_weighted="mean",
        notes=(
            "names in labels= do not reorder the columns: they are taken in sorted order",
            "weights of classes are given as weights of samples",
            "rows that do not sum to 1 are a warning, and not divided by their sum",
        ),
    ),
    call("sigmoid-brier", "", "brier_score_loss(t, p)", prediction_kind="probs"),
    call(
        "brier",
        "brier_score_loss",
        "brier_score_loss(t, p)",
        prediction_kind="probs",
        scale_of_two=0.5,
        notes=("scale_by_half=False is the sum over the classes for two classes, too",),
    ),
)

LIBRARY = Library(
    name="sklearn",
    title="scikit-learn 1.9.1",
    reduction="mean",
    weighted="mean",
    reductions={"mean": "normalize=True", "sum": "normalize=False"},
    outputs="mean",
    summed_outputs="mean",
    calls=CALLS,
    notes=("weights of samples are divided by their sum",),
)
