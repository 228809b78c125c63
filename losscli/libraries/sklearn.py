"""scikit-learn: sklearn.metrics."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Clip, Extras, Indices, Probability, Targets
from losscli.definition.convention import Bound, Convention
from losscli.definition.request import Request
from losscli.elementary import log1p
from losscli.libraries.arithmetic import converted, dense, own
from losscli.libraries.call import HARD, Accepts, Call, Facts, Library, Operands
from losscli.libraries.steps import AddUp, Change, Compute, CutProbabilities, Multiply, convened
from losscli.records import dataclass

WEIGHT = {"sample_weight": "sample_weight={w:rows}"}
SUM = {"reduction": "{}"}
Parameters = Mapping[str, Any]


# What is refused with an error.


def finite(operands: Operands, parameters: Parameters) -> str | None:
    """All operands are looked at for NaN and infinities first."""
    numbers = (operands.predictions, operands.targets)
    return (
        None
        if all(np.isfinite(x).all() for x in numbers)
        else "takes finite numbers only; leave out the rows with others, or --as"
    )


def means_of_zero(operands: Operands, parameters: Parameters) -> str | None:
    """Means must be above 0, but for the power 0."""
    if parameters.get("power", 1) != 0 and (operands.predictions == 0).any():
        return "takes predictions above 0 only"
    return finite(operands, parameters)


def some_weight(operands: Operands, parameters: Parameters) -> str | None:
    """A sum whose weights are all 0 is refused, too; infinite scores are no longer so among what the call takes."""
    weights = operands.weights
    return (
        "takes no weights that are all 0; give a row that counts" if weights is not None and not weights.any() else None
    )


def both_outcomes(operands: Operands, parameters: Parameters) -> str | None:
    """The classes are those that occur."""
    found = len(np.unique(operands.targets > 0))
    return (
        some_weight(operands, parameters)
        if found == 2
        else "knows only the labels that occur, and all targets here are of one class; give rows of both, or call it from "
        "Python with labels=[0, 1]"
    )


def one_class(operands: Operands, parameters: Parameters) -> str | None:
    """Labels are compared, one of each row."""
    t = operands.targets
    single = t.ndim == 1 or bool(((t > 0).sum(axis=1) == 1).all())
    return None if single else "takes one class per row; give targets with one"


def absent(found: int, k: int) -> str:
    """Return what is said where fewer classes occur than there are columns."""
    return (
        f"knows only the labels that occur, which are {found} of the {k} classes here; give rows of every class, or call it "
        "from Python with all classes as labels="
    )


def all_classes(operands: Operands, parameters: Parameters) -> str | None:
    """The classes are those that occur, unless each row has a number for each."""
    if operands.targets.ndim == 2 and operands.targets.shape[1] > 1:
        return some_weight(operands, parameters)
    found, k = len(np.unique(operands.targets)), operands.predictions.shape[1]
    return some_weight(operands, parameters) if found == k else absent(found, k)


def margins_of_classes(operands: Operands, parameters: Parameters) -> str | None:
    """Rows of decisions are for three classes or more."""
    t, k = operands.targets, operands.predictions.shape[1]
    found = len(np.unique(t.argmax(axis=1) if t.ndim == 2 and t.shape[1] > 1 else t))
    if k == 2:
        return "takes one number per row where there are two classes; give the difference of the two columns, and hinge"
    return finite(operands, parameters) if found == k else absent(found, k)


# Formulas, in the dtype of the operands, where losscli's own keep more digits or have other limits.


def xlogy(x: Array, y: Array) -> Array:
    """Return x log(y), and 0 where x is 0."""
    return np.where(x == 0, 0, x * np.log(y))


def poisson(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return 2 (t log(t / p) - t + p)."""
    y = dense(t, p)
    return 2 * (xlogy(y, y / p) - y + p)


def gamma(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return 2 (log(p / t) + t / p - 1)."""
    y = dense(t, p)
    return 2 * (np.log(p / y) + y / p - 1)


def tweedie(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the deviance of a power as it stands: three terms, most of which cancel."""
    power, y = parameters["power"], dense(t, p)
    if power == 0:
        return (y - p) ** 2
    if power == 1:
        return poisson(p, t, extras, parameters)
    if power == 2:
        return gamma(p, t, extras, parameters)
    first = np.where(y > 0, y, 0) if power < 0 else y
    return 2 * (
        first ** (2 - power) / ((1 - power) * (2 - power))
        - y * p ** (1 - power) / (1 - power)
        + p ** (2 - power) / (2 - power)
    )


def squared_log(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the squared difference of log(1 + t) and log(1 + p)."""
    return (log1p(dense(t, p)) - log1p(p)) ** 2


def wrong_sign(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return 1 where the prediction is another outcome than the target; scores of 0 are negative."""
    return ((p > 0) != (dense(t, p) > 0)).astype(p.dtype)


def wrong_class(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return 1 where the first of the largest scores is not that of the target."""
    index = t.index if isinstance(t, Indices) else dense(t, p).argmax(axis=1)
    return (p.argmax(axis=1) != index).astype(p.dtype)


def cut(dtype: "np.dtype[Any]") -> Clip:
    """Return the clip of log_loss: by the machine epsilon of the probabilities' dtype."""
    epsilon = float(np.finfo(dtype).eps)
    return Clip(epsilon, 1 - epsilon)


def clipped(p: Array, extras: Extras, over_classes: bool) -> Array:
    """Return the probabilities, cut into what log_loss takes."""
    assert extras.clip is not None
    p = converted(p, extras.prediction_kind, "probs", over_classes)
    return np.clip(p, p.dtype.type(extras.clip.low), p.dtype.type(extras.clip.high))


def of_two_classes(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the logarithm of the probability of each outcome, where 1 - p is cut like p."""
    assert extras.clip is not None
    p, y = converted(p, extras.prediction_kind, "probs", False), dense(t, p)
    low, high = p.dtype.type(extras.clip.low), p.dtype.type(extras.clip.high)
    return -np.log(np.clip(np.where(y > 0, p, 1 - p), low, high))


def of_labels(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return -t log(p) of each label: a label that is not there has no term."""
    return -xlogy(dense(t, p), clipped(p, extras, False))


def of_classes(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the logarithm of the probability of each row's class."""
    assert isinstance(t, Indices)
    return -np.log(own(clipped(p, extras, True), t))


def brier_of_two_classes(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return half of (t - p)**2 of both outcomes, of which one has the probability 1 - p."""
    p, y = converted(p, extras.prediction_kind, "probs", False), dense(t, p)
    half = p.dtype.type(0.5)
    return half * (((1 - y) - (1 - p)) ** 2 + (y - p) ** 2)


def brier_of_labels(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return (t - p)**2 of each label."""
    return (dense(t, p) - converted(p, extras.prediction_kind, "probs", False)) ** 2


def brier(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return sum((t - p)**2) over the classes."""
    return ((dense(t, p) - converted(p, extras.prediction_kind, "probs", True)) ** 2).sum(axis=1)


def kappa(x: Probability, t: Array) -> tuple[Array, None]:
    """Return one minus the kappa with quadratic weights of decisions: the first of the largest probabilities of each row."""
    k = t.shape[1]
    counts = np.zeros((k, k))
    np.add.at(counts, (t.argmax(axis=1), x.p.argmax(axis=1)), 1)
    weights = (np.arange(k) - np.arange(k)[:, None]) ** 2
    with np.errstate(all="ignore"):
        expected = np.outer(counts.sum(axis=0), counts.sum(axis=1)) / counts.sum()
        return np.asarray(1 - (1 - (weights * counts).sum() / (weights * expected).sum())), None


@dataclass(frozen=True)
class OneLabel:
    """Where one label occurs alone it is the negative one, even if it is 1."""

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        labels = facts.labels()
        if len(labels) != 1 or labels[0] <= 0:
            return "", request
        bounds = (*request.convention.bounds, Bound("targets", -np.inf, 0.0))
        return self.words(), convened(request, bounds=bounds)

    def words(self) -> str:
        return "takes a label that occurs alone for the negative one"


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: Any) -> Call:
    """Return the record of a call in sklearn.metrics; all take weights of samples, and nearly all finite numbers only."""
    accepts = more.pop("accepts", Accepts())
    if accepts.raises is None:
        accepts = accepts._replace(raises=finite)
    template = f"sklearn.metrics.{expression}"
    return Call(loss, tuple(names.split()), template, arguments=dict(arguments) | WEIGHT, accepts=accepts, **more)


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
    call(
        "squared-log-error",
        "mean_squared_log_error",
        "mean_squared_log_error({t}, {p}, {arguments})",
        steps=(Compute("", squared_log),),
    ),
    call(
        "quantile",
        "mean_pinball_loss",
        "mean_pinball_loss({t}, {p}, {arguments})",
        {"tau": "alpha={}"},
        notes=("at alpha = 0.5 it is half the absolute error",),
    ),
    Call(
        "median-absolute-error",
        ("median_absolute_error",),
        "sklearn.metrics.median_absolute_error({t}, {p})",
        accepts=Accepts(columns="one", raises=finite),
        notes=("of several outputs it is the mean of their medians",),
    ),
    Call(
        "max-error",
        ("max_error",),
        "sklearn.metrics.max_error({t}, {p})",
        accepts=Accepts(columns="one", raises=finite),
    ),
    Call(
        "quadratic-kappa",
        (),
        "1 - sklearn.metrics.cohen_kappa_score({t:index}, {p}.argmax(axis=1), labels=numpy.arange({p}.shape[1]), weights='quadratic')",
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, raises=one_class),
        steps=(Compute("takes the first of the largest probabilities of a row for its class", core=kappa),),
        notes=(
            "a score, which is 1 where all agree, and has no weights by default; the loss is 1 minus it",
            "takes decisions, not probabilities",
        ),
    ),
    call(
        "poisson-deviance",
        "mean_poisson_deviance",
        "mean_poisson_deviance({t}, {p}, {arguments})",
        accepts=Accepts(columns="one", raises=means_of_zero),
        steps=(Compute("", poisson),),
    ),
    call(
        "gamma-deviance",
        "mean_gamma_deviance",
        "mean_gamma_deviance({t}, {p}, {arguments})",
        accepts=Accepts(columns="one", raises=means_of_zero),
        steps=(Compute("", gamma),),
    ),
    call(
        "tweedie-deviance",
        "mean_tweedie_deviance",
        "mean_tweedie_deviance({t}, {p}, {arguments})",
        {"power": "power={}"},
        accepts=Accepts(columns="one", raises=means_of_zero),
        steps=(Compute("", tweedie),),
        notes=("power is 0 by default there, which is the squared error",),
    ),
    call(
        "hinge",
        "",
        "hinge_loss({t}, {p}, {arguments})",
        accepts=Accepts(kinds=HARD, columns="one"),
        steps=(OneLabel(),),
        notes=("of two labels, whatever they are, the larger one is positive",),
        defects=("scikit-learn 1.9.1: labels of 1 alone are taken for negative ones, without a word",),
    ),
    call(
        "multiclass-hinge",
        "",
        "hinge_loss({t:index}, {p}, {arguments})",
        accepts=Accepts(kinds=HARD, raises=margins_of_classes),
        notes=("for labels of more than two classes",),
    ),
    call(
        "zero-one",
        "zero_one_loss hamming_loss",
        "zero_one_loss({t:outcomes}, {p} > 0, {arguments})",
        SUM,
        accepts=Accepts(kinds=HARD, columns="one", raises=some_weight),
        steps=(Compute("takes the outcome p > 0, so that a score of 0 is a negative one", wrong_sign),),
        notes=("takes labels, not scores; of several outputs per sample one wrong one makes the sample wrong",),
    ),
    call(
        "zero-one",
        "",
        "hamming_loss({t:outcomes}, {p} > 0, {arguments})",
        accepts=Accepts(kinds=HARD, columns="several", raises=some_weight),
        steps=(Compute("takes the outcomes p > 0, so that a score of 0 is a negative one", wrong_sign),),
        notes=("the share of wrong labels; zero_one_loss takes a sample for wrong if one of its labels is",),
    ),
    call(
        "multiclass-zero-one",
        "",
        "zero_one_loss({t:index}, {p}.argmax(axis=1), {arguments})",
        SUM,
        accepts=Accepts(kinds=HARD, raises=some_weight),
        steps=(Compute("takes the first of the largest scores", wrong_class),),
        notes=("takes labels, not scores",),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss({t:outcomes}, {p}, {arguments})",
        SUM,
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, columns="one", raises=both_outcomes),
        steps=(CutProbabilities(cut), Compute("", of_two_classes)),
        notes=("labels of one class alone need labels=[0, 1]",),
        defects=("scikit-learn before 1.2: eps was 1e-15 for every dtype, and 1 - 1e-15 is 1 in float32",),
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss({t:outcomes}, {p}, {arguments})",
        SUM,
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, columns="several", raises=some_weight),
        outputs="sum",
        steps=(CutProbabilities(cut), Compute("takes columns for classes: has no term for labels of 0", of_labels)),
    ),
    call(
        "softmax-cross-entropy",
        "",
        "log_loss({t}, {p}, {arguments})",
        {"class_weight": "sample_weight={w:rows}"} | SUM,
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, raises=all_classes),
        steps=(CutProbabilities(cut), Compute("", of_classes)),
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
        accepts=Accepts(kinds=HARD, columns="one", raises=some_weight),
        steps=(Compute("", brier_of_two_classes),),
    ),
    call(
        "sigmoid-brier",
        "",
        "brier_score_loss({t:outcomes}, {p}, {arguments})",
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, columns="several", raises=some_weight),
        outputs="sum",
        steps=(Compute("takes columns for classes", brier_of_labels), Multiply(0.5, "two columns")),
    ),
    call(
        "brier",
        "brier_score_loss",
        "brier_score_loss({t}, {p}, {arguments})",
        prediction_kind="probs",
        accepts=Accepts(kinds=HARD, raises=all_classes),
        steps=(Compute("", brier), Multiply(0.5, "two columns")),
        notes=("scale_by_half=False is the sum over the classes for two classes, too",),
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array, in the dtype in which losscli computes: float16 would be computed in float16."""
    if same:
        return text
    bracketed = text if re.fullmatch(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])*", text) else f"({text})"
    return f"{bracketed}.astype('{dtype}')"


LIBRARY = Library(
    name="sklearn",
    title="scikit-learn 1.9.1",
    imports=("import sklearn.metrics",),
    tensor=tensor,
    reduces={"": "mean", "sample_weight": "mean"},
    reductions={"mean": "normalize=True", "sum": "normalize=False"},
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    steps=(Change("", Convention(plain_products=True)), AddUp()),
    takes_whole_numbers=True,
    notes=("weights of samples are divided by their sum", "float16 is computed in float16 there, and in float32 here"),
)
