"""Losses of a file: all its rows together have one loss.

The lift's batch is one row that holds the elements of all rows of the file, one row after the other. A core gets
them in the file's shape (n, k), as probabilities or as logits, and returns one number, and a function that computes
its derivative by every element.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Probability, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, POSITIVE
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.contrastive import logistic, shares, softplus
from losscli.losses.overlap import BY_CLASS, CLASS_AXIS, CLASS_TARGETS, OF_CLASS, UNREAD, lovasz_gradient
from losscli.losses.probability import Known
from losscli.losses.ranking import log_sum_exp, lost
from losscli.losses.sigmoid import MAKERS as OF_OUTCOMES
from losscli.losses.softmax import MAKERS as OF_CLASSES
from losscli.losses.softmax import through_softmax
from losscli.records import NamedTuple

Slopes = Callable[[], Array]


def _each(
    loss: BoundLoss,
    predictions: Array,
    targets: Targets,
    columns: int | None,
    gradient: bool,
    work: Callable[[Array, Array], tuple[Array | float, Slopes]],
) -> Values:
    """Compute the loss of each row of a batch, which holds the content of a file; `columns`
    is the file's number of columns.
    """
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    values = np.zeros(len(x))
    slopes = np.zeros_like(x) if gradient else None
    for i, (row, t) in enumerate(zip(x, targets.t.astype(x.dtype), strict=True)):
        shape = (-1, columns or len(row))
        values[i], slope = work(row.reshape(shape), t.reshape(shape))
        if slopes is not None:
            slopes[i] = slope().reshape(-1)
    return values, slopes


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(p, t) of the probabilities of all rows and the classes that count; the gradient goes through the softmax of
    all classes, or the sigmoid.
    """
    by_softmax = extras.activation != "sigmoid"
    counted = slice(None) if extras.class_terms is None else np.flatnonzero(extras.class_terms)

    def work(x: Array, t: Array) -> tuple[Array | float, Slopes]:
        chance = (OF_CLASSES if by_softmax else OF_OUTCOMES)[extras.prediction_kind](x)
        some = Known(chance.l[:, counted], chance.p[:, counted], chance.q[:, counted])
        value, of_some = loss.core(some, t[:, counted], gradient=gradient)

        def slope() -> Array:
            by_p = np.zeros_like(x)
            by_p[:, counted] = of_some
            if extras.prediction_kind == "probs":
                return by_p
            s = by_p * chance.p
            if extras.prediction_kind == "log-probs":
                return s
            return through_softmax(s, chance) if by_softmax else s * chance.q

        return value + lost(x[:, counted]).sum(), slope

    return _each(loss, predictions, targets, extras.columns, gradient, work)


IN_MEMORY = "all rows have one loss: the file is held in memory, and there is nothing to list a row"

class_masks = family(
    name="class-masks",
    lift=lift,
    summary="functions of the sorted errors of the masks that the classes make of all rows of the file",
    variables=OF_CLASS,
    value="f of the masks of all classes",
    gradient=BY_CLASS,
    targets=CLASS_TARGETS,
    target_type="outcomes",
    rows="one number per class",
    coupled="file",
    held_bytes=130,
    axes={"probability": CLASS_AXIS},
    several_outputs=False,
    takes_from=True,
)


@loss(
    class_masks,
    definition="for each class c with a target: sort the errors e = abs(t_c - p_c) of all rows, the largest first; sum "
    "e_i * (J_i - J_(i-1)), where J_i is one minus the intersection over union if the first i rows were all wrong, and "
    "J_0 = 0; the mean over these classes",
    aliases=("lovasz-softmax-loss",),
    source="Berman, Rannen Triki and Blaschko 2018, The Lovász-Softmax Loss: A Tractable Surrogate for the Optimization of the "
    "Intersection-over-Union Measure in Neural Networks, arXiv:1705.08790",
    special=(
        "classes without a target do not count; without any target the loss is 0",
        "a target counts as 1 above 0.5 and as 0 up to it, for masks are not soft",
        "rows of one error keep their order: the gradient depends on it, the loss does not",
        IN_MEMORY,
    ),
    facts=("bounded",),
)
def lovasz_softmax(x: Probability, t: Array) -> tuple[Any, Slopes]:
    """The mean over the classes of the Lovász extension of one minus intersection over union."""
    true = t.T > 0.5
    present = np.asarray(true.any(axis=1))
    errors = np.where(true, x.q.T, x.p.T)
    order = np.argsort(-errors, axis=1, kind="stable")
    weights = lovasz_gradient(np.take_along_axis(true, order, axis=1).astype(t.dtype))
    each = row_sums(np.take_along_axis(errors, order, axis=1) * weights)
    count = max(1, int(present.sum()))

    def slope() -> Array:
        slopes = np.zeros_like(errors)
        np.put_along_axis(slopes, order, weights, axis=1)
        return (np.where(true, -slopes, slopes) * present[:, None] / count).T

    return float(each[present].sum() / count), slope


UNDEFINED_KAPPA = (
    "kappa is undefined: all targets are of one class, and all predictions certain of it",
    "give rows of more than one class",
)


@loss(
    class_masks,
    definition="with the weights w[i][j] = (i - j)**2 of classes i and j by their positions: the sum over all rows and classes of "
    "t_i * p_j * w[i][j], over the same sum with each row's p_j replaced by its mean over the rows",
    aliases=("qwk-loss", "quadratic-weighted-kappa-loss", "cohen-kappa-loss"),
    source="Cohen 1968, Weighted Kappa, doi:10.1037/h0026256",
    special=(
        "1 minus Cohen's kappa with quadratic weights: of predictions that are certain, 1 - cohen_kappa_score(weights='quadratic')",
        "from 0 to 2; 1 for predictions that do not depend on the row",
        "positions are those among the classes that count; without any target the loss is 0",
        IN_MEMORY,
    ),
    facts=("bounded",),
    undefined=UNDEFINED_KAPPA,
)
def quadratic_kappa(x: Probability, t: Array) -> tuple[Any, Slopes]:
    """One minus Cohen's kappa with quadratic weights, of probabilities."""
    value, _, slope = _disagreement(x, t)
    return value, slope


def _disagreement(x: Probability, t: Array) -> tuple[Any, Any, Slopes]:
    """Return one minus the kappa with quadratic weights, what that is less 1, and a function that computes its derivative by p."""
    if not t.any():
        return 0.0, -1.0, lambda: np.zeros_like(t)
    place = np.arange(t.shape[1], dtype=t.dtype)
    cost = t @ (place[:, None] - place) ** 2  # what the probability of each class costs in each row
    by_chance = cost.mean(axis=0)
    seen, expected, beyond = (times(x.p, part).sum() for part in (cost, by_chance, cost - by_chance))
    with np.errstate(all="ignore"):
        value = seen / expected
        return value, beyond / expected, lambda: (cost - value * by_chance) / expected


@loss(
    class_masks,
    definition="the logarithm of quadratic-kappa plus epsilon",
    aliases=("weighted-kappa-loss", "log-kappa"),
    source="de la Torre, Puig and Valls 2018, Weighted Kappa Loss Function for Multi-Class Classification of Ordinal Data in Deep "
    "Learning, doi:10.1016/j.patrec.2017.05.018",
    special=(
        "log(1 - kappa + epsilon): below 0 where the agreement is better than chance, and -inf where all agree for certain and "
        "epsilon is 0",
        "TensorFlow Addons' WeightedKappaLoss has epsilon = 1e-6",
        "positions are those among the classes that count; without any target the loss is log(epsilon)",
        IN_MEMORY,
    ),
    wide=lambda parameters: True,
    undefined=UNDEFINED_KAPPA,
)
def log_quadratic_kappa(
    x: Probability, t: Array, *, epsilon: Annotated[float, NON_NEGATIVE, "added within the logarithm"] = 0.0
) -> tuple[Any, Slopes]:
    """The logarithm of one minus Cohen's kappa with quadratic weights."""
    value, beyond, slope = _disagreement(x, t)
    with np.errstate(all="ignore"):
        log = log1p(beyond + epsilon) if abs(beyond) < 0.5 else np.log(value + epsilon)
        return log, lambda: slope() / (value + epsilon)


def lift_logits(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(z, t) of the logits of all rows; the core's slope is the gradient."""

    def work(z: Array, t: Array) -> tuple[Array | float, Slopes]:
        value, slope = loss.core(z, t, gradient=gradient)
        return value + lost(z).sum(), lambda: np.asarray(slope)

    return _each(loss, predictions, targets, extras.columns, gradient, work)


def _place_logits(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([x, np.full(len(x), -1.0), np.full(len(x), -1.0), np.full(len(x), 1.0)], axis=1)
    return rows, Dense(np.tile([1, 0, 0, 1], (len(x), 1)).astype(bool)), Extras(columns=2)


label_matrix = family(
    name="label-matrix",
    lift=lift_logits,
    summary="functions of the logits and labels of all rows of the file, multi-label",
    variables={"z": "logits, one per row and label", "t": "targets, 0 or 1"},
    value="f of all rows and labels",
    gradient="df/dz, one per row and label",
    targets="rows of labels in {0, 1} or {-1, 1}; or class indices or names, one per row, read as one-hot rows",
    target_type="outcomes",
    rows="one number per label",
    coupled="file",
    tables_only=True,
    held_bytes=125,
    axes={
        "logit": Axis(
            "z",
            "logit z of a true label, in the first of two rows of two labels; the others have the right sign, and size 1",
            (-6.0, 6.0),
            _place_logits,
            along=(1.0, 0.0, 0.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)

PositiveTemperature = Annotated[float, POSITIVE, "temperature of the positives"]
NegativeTemperature = Annotated[float, POSITIVE, "temperature of the negatives"]


@loss(
    label_matrix,
    definition="the mean over the rows that have a positive label of softplus(tn * LSE(z_negative / tn) + tp * "
    "LSE(-z_positive / tp)), plus the mean of the same over the columns that have a positive row; LSE is the logarithm of "
    "the sum of exponentials",
    aliases=("two-way-loss",),
    source="Kobayashi 2023, Two-Way Multi-Label Loss, doi:10.1109/CVPR52729.2023.00722",
    special=(
        "rows and columns without a positive label do not count, and those without a negative one add 0",
        "a target counts as positive above 0.5",
        IN_MEMORY,
    ),
    facts=("convex",),
)
def two_way(z: Array, t: Array, *, tp: PositiveTemperature = 4.0, tn: NegativeTemperature = 1.0) -> tuple[Any, Slopes]:
    """Positive above negative logits, in each row and in each column."""
    true = t > 0.5
    by_row, row_slope = _one_way(z, true, tp, tn)
    by_column, column_slope = _one_way(z.T, true.T, tp, tn)
    return by_row + by_column, lambda: row_slope() + column_slope().T


def _one_way(z: Array, true: Array, tp: float, tn: float) -> tuple[float, Slopes]:
    """Return the loss over rows, or over columns if both arrays are transposed, and a
    function that computes its derivative.
    """
    chosen = np.asarray(true.any(axis=1))
    count = max(1, int(chosen.sum()))
    far, near = np.where(true, -np.inf, z / tn), np.where(true, -z / tp, -np.inf)
    negative, positive = log_sum_exp(far), log_sum_exp(near)
    gap = np.where(chosen, tn * negative + tp * positive, -np.inf)
    value = float(softplus(gap)[chosen].sum() / count)

    def slope() -> Array:
        wrong = np.where(chosen, logistic(gap), 0)[:, None] / count
        return wrong * (shares(far, negative) - shares(near, positive))

    return value, slope


@loss(
    label_matrix,
    "sum(w(i, c) * where(t[i][c] > 0.5, g(-h(i, c)), g(neg_scale * h(i, c)) / neg_scale) for i in rows for c in labels)"
    " * focal_balance / (len(rows) * len(labels))",
    aliases=("db-loss", "distribution-balanced-loss"),
    source="Wu, Huang, Liu, Wang and Lin 2020, Distribution-Balanced Loss for Multi-Label Classification in Long-Tailed "
    "Datasets, arXiv:2007.09654",
    special=(
        "a target counts as 1 above 0.5 and as 0 up to it",
        "h(i, c) = z[i][c] - init_bias / neg_scale * log(N / n(c) - 1), with n(c) the positives of label c among N rows: "
        "those of the file itself, which must have both kinds of each label",
        "w(i, c) = map_alpha + 1 / (1 + exp(-map_beta * (r(i, c) - map_mu))), with r(i, c) = (1 / n(c)) / sum(t[i][j] / n(j))",
        "g(x) = log(1 + exp(x)) / (1 + exp(-x))**focal_gamma",
        "the mean over rows and labels; a row without a positive label has r(i, c) infinite and w(i, c) = map_alpha + 1",
        IN_MEMORY,
    ),
    wide=lambda parameters: (parameters["focal_gamma"] or 0) > 2,
)
def distribution_balanced(
    z: Array,
    t: Array,
    *,
    map_alpha: Annotated[float, NON_NEGATIVE, "least weight of an element"] = 0.1,
    map_beta: Annotated[float, POSITIVE, "steepness of the weight"] = 10.0,
    map_mu: Annotated[float, NON_NEGATIVE, "where the weight is half-way up"] = 0.2,
    neg_scale: Annotated[float, POSITIVE, "factor of the logits of negatives"] = 2.0,
    init_bias: Annotated[float, NON_NEGATIVE, "factor of each label's log-odds, taken from its logits"] = 0.05,
    focal_gamma: Annotated[float, NON_NEGATIVE, "power of the focal factor"] = 2.0,
    focal_balance: Annotated[float, POSITIVE, "factor of the whole"] = 2.0,
) -> tuple[Any, Slopes]:
    """Focal cross-entropy of labels, balanced by how often each occurs and with whom."""
    true = t > 0.5
    t = true.astype(z.dtype)
    rows, counts = len(t), t.sum(axis=0)
    with np.errstate(all="ignore"):
        odds = np.log(rows / counts - 1)
        odds[~np.isfinite(odds)] = np.nan  # for a label that all rows have, or no row
        rarity = (1 / counts) / (t / counts).sum(axis=1, keepdims=True)
        weight = map_alpha + logistic(map_beta * (rarity - map_mu))
        weight = np.where(np.isposinf(rarity), map_alpha + 1, weight)
    h = z - init_bias / neg_scale * odds
    x = np.where(true, -h, neg_scale * h)
    chance = logistic(x)
    focus = chance**focal_gamma
    scale = focal_balance * weight / t.size
    value = float((scale * np.where(true, 1, 1 / neg_scale) * softplus(x) * focus).sum())

    def slope() -> Array:
        turn = focus * (chance + focal_gamma * times(logistic(-x), softplus(x)))
        return np.where(true, -scale, scale) * turn

    return value, slope


class SeriesSums(NamedTuple):
    """Sums over the elements of series, each of shape (series,); sums that a core does not read may be left out."""

    error: Array = UNREAD
    """Sum of abs(y - t)."""
    size: Array = UNREAD
    """Sum of abs(t)."""
    squares: Array = UNREAD
    """Sum of (y - t)**2 / s, with the scale s of each element."""
    number: Array = UNREAD
    """Number of elements."""


class SeriesSlopes(NamedTuple):
    """Derivatives by the sums that depend on predictions."""

    error: Array | float = 0.0
    squares: Array | float = 0.0


LARGEST_SQUARE = 1e290
"""Squares up to it can be added, however many there are."""


class SeriesElements:
    """Elements of series with their targets, shape (n,) or (n, k): the parts that are summed, and the gradient."""

    def __init__(self, y: Array, targets: Targets, extras: Extras) -> None:
        assert isinstance(targets, Dense)
        self.t = targets.t.astype(y.dtype, copy=False)
        self.gap, self.terms = y - self.t, extras.class_terms
        self.scale = None if extras.third_operand is None else extras.third_operand.astype(y.dtype, copy=False)

    def part(self, name: str) -> Array:
        """Return what each element adds to a sum, in the shape of the elements."""
        if name == "number":
            return self._counted(np.ones_like(self.gap))
        if name == "squares":
            assert self.scale is not None
            square = self.gap * (self.gap / self.scale)
            # The root of a sum that overflows is infinite, and the true one is not: no number is better than that one.
            beyond = (square > LARGEST_SQUARE) & np.isfinite(self.gap)
            return self._counted(np.where(beyond, np.nan, square))
        return self._counted(np.abs(self.gap if name == "error" else self.t))

    def gradient(self, by: SeriesSlopes) -> Array:
        """Return derivatives by the predictions, from those by the sums."""
        slope = np.where(self.gap == 0, 0, np.sign(self.gap) * by.error)
        if self.scale is not None:
            slope = slope + np.where(self.gap == 0, 0, 2 * (self.gap / self.scale) * by.squares)
        return self._counted(slope)

    def _counted(self, part: Array) -> Array:
        """Return numbers of elements with 0 for elements that do not exist."""
        return part if self.terms is None else times(self.terms, part)


def lift_series(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(sums) of each row, which is a series."""
    elements = SeriesElements(predictions.astype(np.promote_types(predictions.dtype, np.float64)), targets, extras)
    value, slopes = loss.core(SeriesSums(**{name: row_sums(elements.part(name)) for name in loss.sums}))
    if not gradient:
        return value, None
    by = SeriesSlopes(*(part[:, None] if isinstance(part, np.ndarray) else part for part in slopes))
    return value, elements.gradient(by)


def _place_series(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([1 + x, np.ones(len(x))], axis=1), Dense(np.tile([1.0, 2.0], (len(x), 1))), Extras()


series = family(
    name="series",
    lift=lift_series,
    summary="ratios of sums over a series, which is a row or the file",
    variables={"y": "predictions of a series", "t": "targets of a series"},
    value="f of the sums of a series",
    gradient="df/dy, one per element",
    targets="numbers, one for each prediction",
    target_type="numbers",
    coupled="masks",
    tables_only=True,
    elements=SeriesElements,
    sums=SeriesSums,
    axes={
        "residual": Axis(
            "r",
            "residual r of a target of 1; the series has another target of 2, predicted as 1",
            (-3.0, 3.0),
            _place_series,
            along=(1.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)
SERIES = (
    "each row of (n, k) predictions is a series, and (n,) is one; --per column takes each column for one, and --per file "
    "all elements"
)


@loss(
    series,
    "sum(abs(a - b) for a, b in zip(y, t)) / max(sum(abs(b) for b in t), epsilon)",
    aliases=("wmape", "weighted-mean-absolute-percentage-error", "wape"),
    source="Hyndman and Koehler 2006, Another Look at Measures of Forecast Accuracy, "
    "doi:10.1016/j.ijforecast.2006.03.001 (percentage errors and their troubles)",
    special=(
        "the sum of errors over the sum of targets, not a mean of ratios",
        "a fraction, not times 100",
        "0 where all predictions hit, and inf for others where all targets are 0 and epsilon is 0",
        SERIES,
    ),
    facts=("convex",),
)
def weighted_percentage_error(
    sums: SeriesSums, *, epsilon: Annotated[float, NON_NEGATIVE, "least denominator"] = 0.0
) -> tuple[Array, SeriesSlopes]:
    """The absolute errors of a series over the size of its targets."""
    below = np.maximum(sums.size, epsilon)
    with np.errstate(all="ignore"):
        return np.where(sums.error == 0, 0, sums.error / below), SeriesSlopes(1 / below)


def _place_scaled(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    y, targets, extras = _place_series(x)
    return y, targets, extras._replace(third_operand=np.ones_like(y))


scaled_series = family(
    name="scaled-series",
    lift=lift_series,
    summary="roots of mean squares over a series, which is a row or the file, in units of a scale",
    variables={
        "y": "predictions of a series",
        "t": "targets of a series",
        "s": "scales of a series, one for each prediction",
    },
    value="f of the sums of a series",
    gradient="df/dy, one for each prediction; scales are held fixed",
    targets="numbers, one for each prediction",
    target_type="numbers",
    coupled="masks",
    tables_only=True,
    third_operand="scale",
    elements=SeriesElements,
    sums=SeriesSums,
    axes={
        "residual": Axis(
            "r",
            "residual r of a target of 1; the series has another target of 2, predicted as 1; scale 1",
            (-3.0, 3.0),
            _place_scaled,
            along=(1.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    scaled_series,
    "sqrt(sum((a - b)**2 / c for a, b, c in zip(y, t, s)) / len(y))",
    aliases=("rmsse", "root-mean-squared-scaled-error"),
    source="Makridakis, Spiliotis and Assimakopoulos 2022, The M5 Accuracy Competition: Results, Findings, and Conclusions, "
    "doi:10.1016/j.ijforecast.2021.11.013",
    special=(
        "--scale is the mean squared error of the naive forecast in the training series, not its root: the mean of "
        "(x[i] - x[i - m])**2, with m = 1 or the length of a season",
        "--sample-weight weighs series, as in WRMSSE",
        SERIES,
        "the slope where all predictions hit is 0",
    ),
    undefined=(
        "the squares of its errors overflow, or infinite values cancel",
        "divide predictions and targets by a number such as 1e150, and --scale by its square; the loss stays as it is",
    ),
    facts=("convex",),
)
def root_scaled_error(sums: SeriesSums) -> tuple[Array, SeriesSlopes]:
    """The root of the mean squared error of a series, relative to that of the naive forecast."""
    with np.errstate(all="ignore"):
        value = np.sqrt(sums.squares / sums.number)
        return value, SeriesSlopes(squares=np.where(value == 0, 0, 0.5 / value / sums.number))


def lift_sizes(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(abs(y - t)) of each row, which is a series, and its derivatives by the predictions."""
    assert isinstance(targets, Dense)
    y = predictions.astype(np.promote_types(predictions.dtype, np.float64), copy=False)
    gap = y - targets.t.astype(y.dtype, copy=False)
    value, slope = loss.core(np.abs(gap), gradient=gradient)
    return value, slope * np.sign(gap) if gradient else None


sizes = family(
    name="series-order",
    lift=lift_sizes,
    summary="functions of the sorted errors of a series, which is a row or the file",
    variables={"y": "predictions of a series", "t": "targets of a series"},
    value="f of the sizes of all errors of a series",
    gradient="df/dy, one for each prediction",
    targets="numbers, one for each prediction",
    target_type="numbers",
    coupled="masks",
    tables_only=True,
    held_bytes=45,
    axes={
        "residual": Axis(
            "r",
            "residual r of a target of 1; the series has another target of 2, predicted as 1",
            (-3.0, 3.0),
            _place_series,
            along=(1.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)
HELD = "a series is held in memory, and refused if it is too large for it"


@loss(
    sizes,
    "max(abs(a - b) for a, b in zip(y, t))",
    aliases=("maximum-error", "max-absolute-error"),
    source="scikit-learn, max_error, https://scikit-learn.org/stable/modules/model_evaluation.html; after Chebyshev 1854",
    special=(
        SERIES,
        HELD,
        "at ties the slope is shared by all of the largest errors",
    ),
    facts=("convex",),
)
def max_error(size: Array) -> tuple[Array, Slopes]:
    """The largest absolute error of a series."""
    value = size.max(axis=1)

    def slope() -> Array:
        largest = size == value[:, None]
        return largest / largest.sum(axis=1, keepdims=True)

    return value, slope


@loss(
    sizes,
    definition="sort abs(y - t) of all elements of the series; the one in the middle, and of an even number of elements the mean "
    "of the two in the middle",
    aliases=("medae",),
    source="scikit-learn, median_absolute_error, https://scikit-learn.org/stable/modules/model_evaluation.html",
    special=(
        SERIES,
        HELD,
        "the slope is that of the errors in the middle; of equal errors those come first that stand first",
    ),
)
def median_absolute_error(size: Array) -> tuple[Array, Slopes]:
    """The median of the absolute errors of a series: half of them are not larger."""
    n = size.shape[1]
    order = np.argsort(size, axis=1, kind="stable")
    middle = order[:, (n - 1) // 2 : n // 2 + 1]  # one, or the two in the middle
    parts = np.take_along_axis(size, middle, axis=1) / middle.shape[1]
    value = np.where(np.isnan(size).any(axis=1), np.nan, row_sums(parts))

    def slope() -> Array:
        slopes = np.zeros_like(size)
        np.put_along_axis(slopes, middle, 1 / middle.shape[1], axis=1)
        return slopes

    return value, slope
