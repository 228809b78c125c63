"""Residual losses: functions of r = prediction - target."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import EXTENDED, FRACTION, NON_NEGATIVE, POSITIVE
from losscli.definition.loss import SHARED, Axis, BoundLoss, Parameters, Slope, root, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.stable import exp_rest, held, within_squares


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(r) with r = prediction - target, elementwise: dr/dprediction is 1."""
    assert isinstance(targets, Dense)
    r = np.subtract(predictions, targets.t, dtype=loss.work(predictions.dtype))
    value, slope = loss.core(r, gradient=gradient)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.zeros_like(x)), Extras()


def either_side(*names: str) -> Callable[[Parameters], Mapping[str, float]]:
    """Return the breaks of a loss that changes its form at some parameters, and at their negatives."""

    def breaks(parameters: Parameters) -> Mapping[str, float]:
        at = {name: float(parameters[name] or 0) for name in names}
        return {f"-{name}": -x for name, x in reversed(at.items())} | at

    return breaks


residual = family(
    name="residual",
    lift=lift,
    summary="functions of the residual, elementwise",
    variables={"r": "prediction - target"},
    value="f(r)",
    gradient="df/dr",
    targets="numbers, one for each prediction; or one number for all",
    target_type="numbers",
    axes={"residual": Axis("r", "residual r = prediction - target", (-3.0, 3.0), _place, shared=SHARED["residual"])},
    several_outputs=True,
)


@loss(
    residual,
    "r**2",
    slope="2*r",
    aliases=("mse", "mean-squared-error", "mse-loss"),
    source="Legendre 1805, Nouvelles methodes pour la determination des orbites des cometes (least squares)",
    relations=(same("2 * half_squared_error(r)"),),
    baseline="mean",
    facts=("convex",),
    statistics={"rmse": root},
)
def squared_error(r: Array) -> tuple[Array, Slope]:
    """The square of the residual."""
    return r * r, lambda: 2 * r


@loss(
    residual,
    "r**2 / 2",
    slope="r",
    aliases=("l2", "l2-loss"),
    source="Legendre 1805 (least squares); the half makes the slope the residual itself",
    relations=(same("squared_error(r) / 2"),),
    baseline="mean",
    facts=("convex",),
)
def half_squared_error(r: Array) -> tuple[Array, Array]:
    """Half the square of the residual."""
    return 0.5 * r * r, r


@loss(
    residual,
    "abs(r)",
    slope="sign(r)",
    aliases=("l1", "mae", "mean-absolute-error", "l1-loss"),
    source="Boscovich 1757 (least absolute deviations)",
    special=("the slope at r = 0 is 0",),
    relations=(same("2 * quantile(r, tau=0.5)"),),
    breaks=lambda parameters: {"0": 0.0},
    baseline="median",
    facts=("convex",),
)
def absolute_error(r: Array) -> tuple[Array, Slope]:
    """The size of the residual."""
    return np.abs(r), lambda: np.sign(r)


@loss(
    residual,
    "where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))",
    slope="where(abs(r) <= delta, r, delta * sign(r))",
    aliases=("huber-loss",),
    source="Huber 1964, Robust Estimation of a Location Parameter, doi:10.1214/aoms/1177703732",
    relations=(
        same("delta * smooth_l1(r, beta=delta)"),
        same("half_squared_error(r)", delta=math.inf),
        same("delta * absolute_error(r)", delta=0),
    ),
    breaks=either_side("delta"),
    facts=("convex",),
)
def huber(
    r: Array, *, delta: Annotated[float, POSITIVE, "residual beyond which the loss is linear"] = 1.0
) -> tuple[Array, Array]:
    """Quadratic up to delta, linear beyond."""
    slope = np.clip(r, -delta, delta)
    value = -0.5 * slope
    value += r
    value *= slope
    return value, slope


@loss(
    residual,
    "where(abs(r) < beta, r**2 / (2 * beta), abs(r) - beta / 2)",
    slope="where(abs(r) < beta, r / beta, sign(r))",
    aliases=("smooth-l1-loss",),
    source="Girshick 2015, Fast R-CNN, arXiv:1504.08083 (beta = 1)",
    relations=(
        same("huber(r, delta=beta) / beta"),
        same("half_squared_error(r) / beta", beta=math.inf),
        same("absolute_error(r)", beta=0),
    ),
    breaks=either_side("beta"),
    facts=("convex",),
)
def smooth_l1(
    r: Array, *, beta: Annotated[float, NON_NEGATIVE, "residual beyond which the slope is 1"] = 1.0
) -> tuple[Array, Array]:
    """Absolute error with a quadratic bottom of width beta."""
    if beta == 0:
        return np.abs(r), np.sign(r)
    slope = np.clip(r / beta, -1, 1)
    return slope * (r - 0.5 * beta * slope), slope


@loss(
    residual,
    "where(abs(r) <= c, c**2 / 6 * (1 - (1 - (r / c)**2)**3), c**2 / 6)",
    slope="where(abs(r) <= c, r * (1 - (r / c)**2)**2, 0)",
    aliases=("tukey", "biweight"),
    source="Beaton and Tukey 1974, The Fitting of Power Series, doi:10.1080/00401706.1974.10489171; "
    "c = 4.6851 gives 95 % efficiency at the normal distribution of unit variance",
    special=(
        "constant, with slope 0, beyond c: a gross outlier has no pull",
        "c is in units of the residual; divide predictions and targets by a robust scale first if it is not 1",
    ),
    relations=(same("half_squared_error(r)", c=math.inf),),
    breaks=either_side("c"),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def tukey_biweight(
    r: Array, *, c: Annotated[float, POSITIVE, "residual beyond which the loss is constant"] = 4.6851
) -> tuple[Array, Array]:
    """Quadratic near zero, constant beyond c."""
    x = np.clip(r, -c, c)
    u = (x / c) ** 2
    rest = (c - x) / c * ((c + x) / c)  # 1 - u, from a difference that is exact if it is small
    return x * x * (3 * rest + u * u) / 6, x * rest * rest


Scale = Annotated[float, POSITIVE, "residual at which the loss bends, in units of the residual"]


@loss(
    residual,
    "delta**2 * (sqrt(1 + (r / delta)**2) - 1)",
    slope="r / sqrt(1 + (r / delta)**2)",
    aliases=("soft-l1", "pseudo-huber-loss"),
    source="Charbonnier, Blanc-Feraud, Aubert and Barlaud 1997, Deterministic Edge-Preserving Regularization in "
    "Computed Imaging, doi:10.1109/83.551699",
    special=("sqrt(r**2 + delta**2), which some call charbonnier, is this loss / delta + delta",),
    relations=(
        same("delta**2 * barron(r, alpha=1, c=delta)"),
        same("half_squared_error(r)", delta=math.inf),
        same("delta * absolute_error(r)", delta=0),
    ),
    facts=("convex",),
)
def pseudo_huber(
    r: Array, *, delta: Annotated[float, POSITIVE, "residual around which the loss turns linear"] = 1.0
) -> tuple[Array, Array]:
    """Huber's loss without a break: quadratic near zero, and a line with slope delta far from it."""
    x = held(r / delta)
    length = np.hypot(1, x)
    return delta * (x / (1 + length)) * r, delta * (x / length)


@loss(
    residual,
    "log(cosh(r))",
    slope="tanh(r)",
    aliases=("logcosh", "log-cosh-loss", "log-cosh-error"),
    source="Keras, LogCosh, https://keras.io/api/losses/regression_losses/",
    special=("abs(r) - log(2) far from zero: no cosh overflows",),
    relations=(same("logistic(2 * r) + r - log(2)"),),
    facts=("convex",),
)
def log_cosh(r: Array) -> tuple[Array, Array]:
    """The logarithm of the hyperbolic cosine: quadratic near zero, and a line with slope 1 far from it."""
    size = np.abs(r)
    # Near zero cosh(r) - 1 = 2 sinh(r / 2)^2; far from it exp(-2 |r|) is what remains of the smaller exponential.
    near = log1p(2 * np.square(np.sinh(np.minimum(size, 4) / 2)))
    return np.where(size < 4, near, size + (log1p(np.exp(-2 * size)) - math.log(2))), np.tanh(r)


@loss(
    residual,
    "c**2 / 2 * log(1 + (r / c)**2)",
    slope="r / (1 + (r / c)**2)",
    aliases=("lorentzian", "cauchy-loss"),
    source="Holland and Welsch 1977, Robust Regression Using Iteratively Reweighted Least-Squares, "
    "doi:10.1080/03610927708827533; Black and Anandan 1996, doi:10.1006/cviu.1996.0006 (as the Lorentzian)",
    special=("where 1 + (r / c)**2 / 2 is in the logarithm elsewhere, c is smaller by sqrt(2)",),
    relations=(
        same("c**2 / 2 * barron(r, alpha=0, c=c / sqrt(2))"),
        same("student_t(r, c=c, df=1)"),
        same("half_squared_error(r)", c=math.inf),
    ),
    wide=lambda parameters: True,
    facts=("redescending",),
)
def cauchy(r: Array, *, c: Scale = 1.0) -> tuple[Array, Array]:
    """Minus the log-density of a Cauchy distribution, but for constants: it grows as a logarithm."""
    x = r / c
    near = within_squares(x)
    return c * c / 2 * log1p(x * x), c * (near / (1 + near * near))


@loss(
    residual,
    "c**2 / 2 * (1 - exp(-(r / c)**2))",
    slope="r * exp(-(r / c)**2)",
    aliases=("leclerc", "correntropy", "welsch-loss"),
    source="Dennis and Welsch 1978, Techniques for Nonlinear Least Squares and Robust Regression, "
    "doi:10.1080/03610917808812083; Leclerc 1989, doi:10.1007/BF00054839",
    special=("where exp(-(r / c)**2 / 2) is written elsewhere, c is smaller by sqrt(2)",),
    relations=(
        same("c**2 / 2 * barron(r, alpha=-inf, c=c / sqrt(2))"),
        same("half_squared_error(r)", c=math.inf),
    ),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def welsch(r: Array, *, c: Scale = 1.0) -> tuple[Array, Array]:
    """Quadratic near zero, and as good as constant beyond a few c."""
    x = r / c
    square = x * x
    return c * c / 2 * -np.expm1(-square), held(r) * np.exp(-square)


@loss(
    residual,
    "c**2 / 2 * r**2 / (c**2 + r**2)",
    slope="r * (c**2 / (c**2 + r**2))**2",
    aliases=("geman-mcclure-loss",),
    source="Geman and McClure 1987, Statistical Methods for Tomographic Image Reconstruction, Bulletin of the "
    "International Statistical Institute 52(4)",
    special=("c**2 * r**2 / (c**2 + r**2), as some write it, is twice this loss",),
    relations=(
        same("c**2 / 4 * barron(r, alpha=-2, c=c / 2)"),
        same("half_squared_error(r)", c=math.inf),
    ),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def geman_mcclure(r: Array, *, c: Scale = 1.0) -> tuple[Array, Array]:
    """Quadratic near zero; towards half of c squared far from it."""
    x = within_squares(r / c)
    rest = 1 / (1 + x * x)
    return c * c / 2 * (x * x * rest), c * (x * rest * rest)


@loss(
    residual,
    "where(alpha == 2, x**2 / 2, where(alpha == 0, log(x**2 / 2 + 1), where(alpha == -inf, 1 - exp(-x**2 / 2), "
    "where(alpha == inf, exp(x**2 / 2) - 1, b / alpha * ((x**2 / b + 1)**(alpha / 2) - 1)))))",
    slope="where(alpha == 2, x / c, where(alpha == -inf, x / c * exp(-x**2 / 2), "
    "where(alpha == inf, x / c * exp(x**2 / 2), x / c * (x**2 / b + 1)**(alpha / 2 - 1))))",
    where={"x": "r / c", "b": "abs(alpha - 2)"},
    aliases=("general-robust", "adaptive-robust", "barron-loss"),
    source="Barron 2019, A General and Adaptive Robust Loss Function, doi:10.1109/CVPR.2019.00446, arXiv:1701.03077",
    special=(
        "not multiplied by c**2: its second derivative at r = 0 is 1 / c**2",
        "alpha = 2, 0, inf and -inf are the limits of the formula; alpha may be as near to them as numbers are",
        "convex for alpha >= 1, redescending for alpha < 1, bounded for alpha < 0",
    ),
    relations=(
        same("half_squared_error(r) / c**2", alpha=2),
        same("pseudo_huber(r, delta=c) / c**2", alpha=1),
        same("cauchy(r, c=c * sqrt(2)) / c**2", alpha=0),
        same("geman_mcclure(r, c=2 * c) / c**2", alpha=-2),
        same("welsch(r, c=c * sqrt(2)) / c**2", alpha=-math.inf),
    ),
    wide=lambda parameters: True,
)
def barron(
    r: Array,
    *,
    alpha: Annotated[float, EXTENDED, "shape: the lower, the less an outlier counts"] = 1.0,
    c: Scale = 1.0,
) -> tuple[Array, Array]:
    """One family of many robust losses, whose shape is a number."""
    x = r / c
    square = x * x
    if alpha == 2:
        return square / 2, x / c
    if alpha == -math.inf:
        return -np.expm1(-square / 2), held(x) / c * np.exp(-square / 2)
    if alpha == math.inf:
        return np.expm1(square / 2), x / c * np.exp(square / 2)
    shape = r.dtype.type(alpha)  # alpha - 2 is rounded in the dtype of the computation
    distance = abs(shape - 2)
    logarithm = log1p(square / distance)
    value = logarithm if alpha == 0 else distance / shape * np.expm1(shape / 2 * logarithm)
    near = within_squares(x)
    return value, near / c * np.exp((shape / 2 - 1) * log1p(near * near / distance))


@loss(
    residual,
    "where(abs(r) <= pi * c, c**2 * (1 - cos(r / c)), 2 * c**2)",
    slope="where(abs(r) < pi * c, c * sin(r / c), 0)",
    aliases=("andrews-wave", "andrew-wave"),
    source="Andrews 1974, A Robust Method for Multiple Linear Regression, doi:10.1080/00401706.1974.10489233; "
    "c = 1.339 gives 95 % efficiency at the normal distribution of unit variance",
    special=("constant, with slope 0, beyond pi * c: a gross outlier has no pull",),
    relations=(same("half_squared_error(r)", c=math.inf),),
    breaks=lambda parameters: {"-pi*c": -math.pi * (parameters["c"] or 0), "pi*c": math.pi * (parameters["c"] or 0)},
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def andrews(
    r: Array, *, c: Annotated[float, POSITIVE, "the loss is constant beyond pi times this residual"] = 1.339
) -> tuple[Array, Array]:
    """Half a wave of the cosine, constant beyond."""
    x = r / c
    # 1 - cos(x) = 2 sin(x / 2)^2, which keeps its digits near zero.
    value = 2 * c * c * np.square(np.sin(np.clip(x, -math.pi, math.pi) / 2))
    return value, np.where(np.abs(x) >= math.pi, 0, c * np.sin(x))


@loss(
    residual,
    "where(abs(r) <= a, r**2 / 2, where(abs(r) <= d, a * abs(r) - a**2 / 2, where(abs(r) < e, "
    "a * (d + e - a) / 2 - a * (e - abs(r))**2 / (2 * (e - d)), a * (d + e - a) / 2)))",
    slope="where(abs(r) <= a, r, where(abs(r) <= d, a * sign(r), where(abs(r) < e, "
    "a * sign(r) * (e - abs(r)) / (e - d), 0)))",
    where={"d": "max(a, b)", "e": "max(d, c)"},
    source="Hampel 1974, The Influence Curve and Its Role in Robust Estimation, doi:10.1080/01621459.1974.10482962",
    special=(
        "meant for a <= b <= c: a b below a counts as a, and a c below b as b",
        "constant, with slope 0, beyond c: a gross outlier has no pull",
    ),
    relations=(same("huber(r, delta=a)", b=math.inf, c=math.inf),),
    breaks=lambda parameters: _hampel_breaks(parameters),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def hampel(
    r: Array,
    *,
    a: Annotated[float, POSITIVE, "residual beyond which the loss is linear"] = 2.0,
    b: Annotated[float, POSITIVE, "residual beyond which the slope declines"] = 4.0,
    c: Annotated[float, POSITIVE, "residual beyond which the loss is constant"] = 8.0,
) -> tuple[Array, Array]:
    """Quadratic up to a, linear up to b, then ever flatter, and constant beyond c."""
    b, c = _in_order(a, b, c)
    size = np.abs(r)
    first = np.minimum(size, a)
    width = c - b or 1.0  # if c equals b, the part beyond b is empty
    beyond = np.clip(size, b, c) - b
    value = first * first / 2 + a * (np.clip(size, a, b) - a) + a * beyond * (1 - beyond / (2 * width))
    pull = np.minimum(size, a * ((c - np.clip(size, b, c)) / width) if c > b else np.where(size > b, 0, a))
    return value, np.copysign(pull, r)


def _in_order(a: float, b: float, c: float) -> tuple[float, float]:
    """Return the second and third of Hampel's parameters, at least as large as the one before."""
    return max(a, b), max(a, b, c)


def _hampel_breaks(parameters: Parameters) -> Mapping[str, float]:
    """Return the breaks of Hampel's loss."""
    a, b, c = (float(parameters[name] or 0) for name in "abc")
    b, c = _in_order(a, b, c)
    return {"-c": -c, "-b": -b, "-a": -a, "a": a, "b": b, "c": c}


@loss(
    residual,
    "where(r > 0, (1 - tau) * r, -tau * r)",
    slope="where(r > 0, 1 - tau, -tau)",
    aliases=("pinball", "pinball-loss", "quantile-loss", "mean-pinball-loss"),
    source="Koenker and Bassett 1978, Regression Quantiles, doi:10.2307/1913643",
    special=(
        "the slope at r = 0 is -tau",
        "a prediction below its target has r < 0 and costs tau each unit",
        "tau = 0 and tau = 1 are the least and the largest number: only errors above, or below, the target cost",
    ),
    relations=(same("absolute_error(r) / 2", tau=0.5),),
    breaks=lambda parameters: {"0": 0.0},
    facts=("convex",),
)
def quantile(
    r: Array, *, tau: Annotated[float, FRACTION, "the quantile whose prediction is best"] = 0.5
) -> tuple[Array, Array]:
    """Tau times what is missing, and 1 - tau times what is too much."""
    over = np.heaviside(r, 0)
    return np.maximum(times(1 - tau, r), times(-tau, r)), (1 - tau) * over - tau * (1 - over)


@loss(
    residual,
    "where(r > 0, 1 - tau, tau) * r**2",
    slope="2 * where(r > 0, 1 - tau, tau) * r",
    aliases=("asymmetric-squared-error", "expectile-loss"),
    source="Newey and Powell 1987, Asymmetric Least Squares Estimation and Testing, doi:10.2307/1911031",
    special=(
        "a prediction below its target has r < 0 and weighs tau",
        "tau = 0 and tau = 1: only errors above, or below, the target cost",
    ),
    relations=(same("half_squared_error(r)", tau=0.5),),
    breaks=lambda parameters: {} if parameters["tau"] == 0.5 else {"0": 0.0},
    facts=("convex",),
)
def expectile(
    r: Array, *, tau: Annotated[float, FRACTION, "the expectile whose prediction is best"] = 0.5
) -> tuple[Array, Array]:
    """The squared residual, times tau for what is missing and 1 - tau for what is too much."""
    over, under = np.maximum(r, 0), np.minimum(r, 0)
    value = _weighed_square(1 - tau, over) + _weighed_square(tau, under)
    return value, 2 * (times(1 - tau, over) + times(tau, under))


def _weighed_square(weight: float, x: Array) -> Array:
    """Return weight * x**2, which is 0 for a weight of 0, and does not overflow where only the square does."""
    return x * (weight * x) if weight else np.zeros_like(x)


@loss(
    residual,
    "max(0, abs(r) - epsilon)",
    slope="where(abs(r) > epsilon, sign(r), 0)",
    aliases=("svr", "epsilon-insensitive-loss"),
    source="Vapnik 1995, The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0",
    special=("the slope at abs(r) = epsilon is 0",),
    relations=(same("absolute_error(r)", epsilon=0),),
    breaks=either_side("epsilon"),
    wide=lambda parameters: True,
    facts=("convex",),
)
def epsilon_insensitive(
    r: Array, *, epsilon: Annotated[float, NON_NEGATIVE, "residual up to which nothing is lost"] = 0.1
) -> tuple[Array, Array]:
    """Absolute error beyond epsilon, and nothing within."""
    gap = np.abs(r) - epsilon
    return np.maximum(gap, 0), np.sign(r) * np.heaviside(gap, 0)


@loss(
    residual,
    "max(0, abs(r) - epsilon)**2",
    slope="2 * sign(r) * max(0, abs(r) - epsilon)",
    aliases=("squared-epsilon-insensitive-loss",),
    source="scikit-learn, SGDRegressor, loss='squared_epsilon_insensitive'; after Vapnik 1995, "
    "doi:10.1007/978-1-4757-2440-0",
    relations=(same("epsilon_insensitive(r, epsilon=epsilon)**2"), same("squared_error(r)", epsilon=0)),
    breaks=lambda parameters: either_side("epsilon")(parameters) if parameters["epsilon"] else {},
    wide=lambda parameters: True,
    facts=("convex",),
)
def squared_epsilon_insensitive(
    r: Array, *, epsilon: Annotated[float, NON_NEGATIVE, "residual up to which nothing is lost"] = 0.1
) -> tuple[Array, Array]:
    """The square of what the residual has beyond epsilon."""
    gap = np.maximum(np.abs(r) - epsilon, 0)
    return gap * gap, 2 * np.sign(r) * gap


@loss(
    residual,
    "abs(r)**exponent",
    slope="where(r == 0, 0, exponent * abs(r)**(exponent - 1) * sign(r))",
    aliases=("lp", "lq-loss"),
    source="Rice and White 1964, Norms for Smoothing and Estimation, SIAM Review 6(3)",
    special=(
        "the slope at r = 0 is 0",
        "convex for exponent >= 1; below 1 the slope grows without bound towards r = 0, and small residuals count for more",
    ),
    relations=(same("absolute_error(r)", exponent=1), same("squared_error(r)", exponent=2)),
    breaks=lambda parameters: {"0": 0.0} if 2 != (parameters["exponent"] or 0) <= 3 else {},
    wide=lambda parameters: parameters["exponent"] not in (1, 1.5, 2),
)
def lq(r: Array, *, exponent: Annotated[float, POSITIVE, "power of the residual's size"] = 1.5) -> tuple[Array, Array]:
    """A power of the size of the residual."""
    size = np.abs(r)
    below = r.dtype.type(exponent) - 1  # rounded in the dtype of the computation
    return size**exponent, np.where(size == 0, 0, exponent * size**below * np.sign(r))


@loss(
    residual,
    "c**2 * (abs(r) / c - log(1 + abs(r) / c))",
    slope="r / (1 + abs(r) / c)",
    aliases=("fair-loss",),
    source="Fair 1974, On the Robust Estimation of Econometric Models, Annals of Economic and Social Measurement 3(4)",
    relations=(same("half_squared_error(r)", c=math.inf), same("c * absolute_error(r)", c=0)),
    breaks=lambda parameters: {"0": 0.0},
    wide=lambda parameters: True,
    facts=("convex",),
)
def fair(r: Array, *, c: Scale = 1.0) -> tuple[Array, Array]:
    """Quadratic near zero; far from it nearly a line with slope c."""
    x = held(r / c)
    logarithm = log1p(np.abs(r) / c)
    # With x = exp(logarithm) - 1 the difference x - logarithm is exp_rest, which keeps its digits near zero.
    return c * c * exp_rest(logarithm), c * (x / (1 + np.abs(x)))


@loss(
    residual,
    "c**2 / 2 * atan((r / c)**2)",
    slope="r / (1 + (r / c)**4)",
    aliases=("arctan-loss",),
    source="SciPy, scipy.optimize.least_squares, loss='arctan'",
    relations=(same("half_squared_error(r)", c=math.inf),),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def arctan(r: Array, *, c: Scale = 1.0) -> tuple[Array, Array]:
    """Quadratic near zero; towards pi / 4 of c squared far from it."""
    x = r / c
    near = within_squares(x)
    square = near * near
    return c * c / 2 * np.arctan(x * x), c * (near / (1 + square * square))


@loss(
    residual,
    "(1 - exp(-a * abs(r)) * (1 + a * abs(r))) / a**2",
    slope="r * exp(-a * abs(r))",
    aliases=("ramsay-e", "ramsay-ea"),
    source="Ramsay 1977, A Comparative Study of Several Robust Estimates of Slope, Intercept, and Scale in Linear "
    "Regression, Journal of the American Statistical Association 72(359)",
    relations=(same("half_squared_error(r)", a=0),),
    breaks=lambda parameters: {"0": 0.0},
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def ramsay(
    r: Array, *, a: Annotated[float, POSITIVE, "how fast the pull of a residual declines"] = 0.3
) -> tuple[Array, Array]:
    """Quadratic near zero; towards 1 / a**2 far from it."""
    z = a * np.abs(r)
    near = np.minimum(z, 100)  # beyond 100, the difference from 1 is smaller than the last digit
    return np.exp(-near) * exp_rest(near) / (a * a), held(r) * np.exp(-z)


@loss(
    residual,
    "min(r**2, c**2) / 2",
    slope="where(abs(r) <= c, r, 0)",
    aliases=("talwar", "trimmed-mean", "truncated-quadratic"),
    source="Hinich and Talwar 1975, A Simple Method for Robust Regression, Journal of the American Statistical "
    "Association 70(349)",
    special=("constant, with slope 0, beyond c: a gross outlier has no pull", "the slope at abs(r) = c is r"),
    relations=(same("half_squared_error(r)", c=math.inf),),
    breaks=either_side("c"),
    facts=("bounded", "redescending"),
)
def truncated_squared(
    r: Array, *, c: Annotated[float, POSITIVE, "residual beyond which the loss is constant"] = 2.0
) -> tuple[Array, Array]:
    """Half the squared residual, cut off at c."""
    near = np.clip(r, -c, c)
    return near * near / 2, np.where(np.abs(r) > c, 0, r)


@loss(
    residual,
    "c**2 * df / 2 * log(1 + (r / c)**2 / df)",
    slope="r / (1 + (r / c)**2 / df)",
    aliases=("student-t-loss",),
    source="Lange, Little and Taylor 1989, Robust Statistical Modeling Using the t Distribution, doi:10.2307/2290063",
    special=("scaled to r**2 / 2 near zero: a t distribution's is this / c**2 * (df + 1) / df",),
    relations=(
        same("cauchy(r, c=c * sqrt(df))"),
        same("half_squared_error(r)", df=math.inf),
        same("half_squared_error(r)", c=math.inf),
    ),
    wide=lambda parameters: True,
    facts=("redescending",),
)
def student_t(
    r: Array,
    *,
    c: Annotated[float, POSITIVE, "scale of the residual"] = 2.3849,
    df: Annotated[float, POSITIVE, "degrees of freedom: the fewer, the less an outlier counts"] = 4.0,
) -> tuple[Array, Array]:
    """Minus the log-density of a t distribution, but for constants: it grows as a logarithm."""
    x = r / c
    near = within_squares(x)
    return c * c * df / 2 * log1p(x * x / df), c * (near / (1 + near * near / df))


@loss(
    residual,
    "where(abs(r) < width, width * log(1 + abs(r) / curvature), abs(r) - width + width * log(1 + width / curvature))",
    slope="sign(r) * where(abs(r) < width, width / (curvature + abs(r)), 1)",
    aliases=("wing-loss",),
    source="Feng, Kittler, Awais, Huber and Wu 2018, Wing Loss for Robust Facial Landmark Localisation with "
    "Convolutional Neural Networks, doi:10.1109/CVPR.2018.00238, arXiv:1711.06753",
    special=(
        "the slope at r = 0 is 0, and at abs(r) = width it is 1 in size",
        "width 5 and curvature 0.5 are of common code; the paper also has width 10 and curvature 2",
    ),
    relations=(same("absolute_error(r)", width=0),),
    breaks=lambda parameters: {"-width": -(parameters["width"] or 0), "0": 0.0, "width": parameters["width"] or 0},
    wide=lambda parameters: True,
)
def wing(
    r: Array,
    *,
    width: Annotated[float, POSITIVE, "residual beyond which the loss is linear"] = 5.0,
    curvature: Annotated[float, POSITIVE, "the less, the steeper the loss is near zero"] = 0.5,
) -> tuple[Array, Array]:
    """A logarithm up to width, so that small residuals count for more; linear beyond."""
    size = np.abs(r)
    near = np.minimum(size, width)
    value = width * log1p(near / curvature) + (size - near)
    return value, np.sign(r) * np.where(size < width, width / (curvature + size), 1)


@loss(
    residual,
    "where(abs(r) <= c, r**2 / 2 * (1 - 2 / 3 * (r / c)**4 + (r / c)**8 / 5), 4 * c**2 / 15)",
    slope="where(abs(r) <= c, r * (1 - (r / c)**4)**2, 0)",
    source="statsmodels, robust.norms.TukeyQuartic, with k = 4; after Beaton and Tukey 1974, The Fitting of Power "
    "Series, doi:10.1080/00401706.1974.10489171",
    special=("constant, with slope 0, beyond c: a gross outlier has no pull",),
    relations=(same("half_squared_error(r)", c=math.inf),),
    breaks=either_side("c"),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def tukey_quartic(
    r: Array, *, c: Annotated[float, POSITIVE, "residual beyond which the loss is constant"] = 3.61752
) -> tuple[Array, Array]:
    """Quadratic near zero, constant beyond c; flatter in between than the biweight."""
    near = np.clip(r, -c, c)
    fourth = (near / c) ** 4
    rest = (c - near) / c * ((c + near) / c) * (1 + (near / c) ** 2)  # 1 - fourth, from an exact difference
    return near * near / 2 * (1 - 2 * fourth / 3 + fourth * fourth / 5), near * rest * rest
