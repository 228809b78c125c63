"""scikit-learn: sklearn.metrics."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.definition.batch import Clip
from losscli.libraries.call import HARD, Accepts, Call, Library
from losscli.libraries.steps import CutProbabilities, Multiply

WEIGHT = {"sample_weight": "sample_weight={w:rows}"}
SUM = {"reduction": "{}"}


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in sklearn.metrics; all take weights of samples."""
    template = f"sklearn.metrics.{expression}"
    return Call(loss, tuple(names.split()), template, arguments=dict(arguments) | WEIGHT, **more)  # type: ignore[arg-type]


def cut(dtype: "np.dtype[Any]") -> Clip:
    """Return the clip of log_loss: by the machine epsilon of the probabilities' own dtype."""
    epsilon = float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)
    return Clip(epsilon, 1 - epsilon)


CALLS = (
    call("squared-error", "mean_squared_error", "mean_squared_error({t}, {p}, {arguments})"),
    call("absolute-error", "mean_absolute_error", "mean_absolute_error({t}, {p}, {arguments})"),
    call(
        "absolute-percentage-error",
        "mean_absolute_percentage_error",
        "mean_absolute_percentage_error({t}, {p}, {arguments})",
        defaults={"epsilon": float(np.finfo(np.float64).eps)},
        notes=("a fraction, not times 100",),
    ),
    call("squared-log-error", "mean_squared_log_error", "mean_squared_log_error({t}, {p}, {arguments})"),
    call(
        "quantile",
        "mean_pinball_loss",
        "mean_pinball_loss({t}, {p}, {arguments})",
        {"tau": "alpha={}"},
        notes=("at alpha = 0.5 it is half the absolute error",),
    ),
    call(
        "poisson-deviance",
        "mean_poisson_deviance",
        "mean_poisson_deviance({t}, {p}, {arguments})",
        accepts=Accepts(columns="one"),
    ),
    call(
        "gamma-deviance",
        "mean_gamma_deviance",
        "mean_gamma_deviance({t}, {p}, {arguments})",
        accepts=Accepts(columns="one"),
    ),
    call(
        "tweedie-deviance",
        "mean_tweedie_deviance",
        "mean_tweedie_deviance({t}, {p}, {arguments})",
        {"power": "power={}"},
        accepts=Accepts(columns="one"),
        notes=("power is 0 by default there, which is the squared error",),
    ),
    call(
        "hinge",
        "",
        "hinge_loss({t}, {p}, {arguments})",
        accepts=Accepts(columns="one"),
        notes=("of two labels, whatever they are, the larger one is positive",),
    ),
    call(
        "multiclass-hinge",
        "",
        "hinge_loss({t:index}, {p}, {arguments})",
        notes=("for labels of more than two classes",),
    ),
    call(
        "zero-one",
        "zero_one_loss hamming_loss",
        "zero_one_loss({t:outcomes}, {p} > 0, {arguments})",
        SUM,
        accepts=Accepts(columns="one"),
        notes=("takes labels, not scores; of several outputs a sample one wrong one makes the sample wrong",),
    ),
    call(
        "multiclass-zero-one",
        "",
        "zero_one_loss({t:index}, {p}.argmax(axis=1), {arguments})",
        SUM,
        notes=("takes labels, not scores",),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss({t:outcomes}, {p}, {arguments})",
        SUM,
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, columns="one"),
        steps=(CutProbabilities(cut),),
        notes=("labels of one class alone need labels=[0, 1]",),
        defects=("scikit-learn before 1.2: eps was 1e-15 for every dtype, and 1 - 1e-15 is 1 in float32",),
    ),
    call(
        "softmax-cross-entropy",
        "",
        "log_loss({t}, {p}, {arguments})",
        {"class_weight": "sample_weight={w:rows}"} | SUM,
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD),
        steps=(CutProbabilities(cut),),
        notes=(
            "names in labels= do not reorder the columns: they are taken in sorted order",
            "weights of classes are given as weights of samples",
            "rows that do not sum to 1 are a warning, and not divided by their sum",
        ),
    ),
    call(
        "sigmoid-brier",
        "",
        "brier_score_loss({t:outcomes}, {p}, {arguments})",
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, columns="one"),
    ),
    call(
        "brier",
        "brier_score_loss",
        "brier_score_loss({t:index}, {p}, {arguments})",
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD),
        steps=(Multiply(0.5, "two columns"),),
        notes=("scale_by_half=False is the sum over the classes for two classes, too",),
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array, which is taken as it is."""
    return text


LIBRARY = Library(
    name="sklearn",
    title="scikit-learn 1.9.1",
    imports=("import sklearn.metrics",),
    tensor=tensor,
    reduces={"": "mean", "sample_weight": "mean"},
    reductions={"mean": "normalize=True", "sum": "normalize=False"},
    outputs="mean",
    summed_outputs="mean",
    calls=CALLS,
    notes=("weights of samples are divided by their sum",),
)
