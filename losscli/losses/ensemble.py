"""Ensemble losses: of several predictions per row, the members of an ensemble, and the one number that was observed."""

from collections.abc import Callable

import numpy as np

from losscli.arrays import Array, by_row, row_sums
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(x, t) of each row; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(x, targets.t.astype(x.dtype), gradient=gradient)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x - 0.5, x, x + 0.5], axis=1), Dense(np.zeros(len(x))), Extras()


ensemble = family(
    name="ensemble",
    lift=lift,
    summary="functions of the members of an ensemble and of one observed number per row",
    variables={"x": "predictions of a row, one a member", "t": "the number observed", "M": "number of members"},
    value="f(x, t)",
    gradient="df/dx, one a member",
    targets="numbers, one per row; or one number for all",
    target_type="numbers",
    rows="the members of an ensemble",
    one_target=True,
    axes={
        "residual": Axis(
            "r",
            "residual r of the middle one of three members, half a unit apart",
            (-3.0, 3.0),
            _place,
            along=(1.0, 1.0, 1.0),
            own=False,
        )
    },
    several_outputs=False,
)


def lift_vectors(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(x, t) of each row; a row of predictions has one member after the other, each as long as a row of targets."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    t = by_row(targets.t.astype(x.dtype))
    value, slope = loss.core(x.reshape(len(x), x.shape[1] // t.shape[1], t.shape[1]), t, gradient=gradient)
    return value, slope.reshape(predictions.shape) if gradient else None


def _place_vectors(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve: three members of two dimensions."""
    apart = [np.full(len(x), one) for one in (0.5, 0.0, -0.5)]
    rows = np.stack([x - 0.5, apart[0], x, apart[1], x + 0.5, apart[2]], axis=1)
    return rows, Dense(np.zeros((len(x), 2))), Extras()


vector_ensemble = family(
    name="vector-ensemble",
    lift=lift_vectors,
    summary="functions of the members of an ensemble, each a vector, and of one observed vector per sample",
    variables={
        "x": "predictions of a sample, one vector per member",
        "t": "the vector observed",
        "M": "number of members",
    },
    value="f(x, t)",
    gradient="df/dx, one for each member and dimension",
    targets="vectors, one per sample, (samples, dimensions); or one number for all",
    target_type="numbers",
    rows="the members of an ensemble",
    one_target=True,
    of_vectors=True,
    axes={
        "residual": Axis(
            "r",
            "residual r of one of two dimensions of the middle one of three members",
            (-3.0, 3.0),
            _place_vectors,
            along=(1.0, 0.0, 1.0, 0.0, 1.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    ensemble,
    "sum(abs(one - t) for one in x) / M - sum(abs(one - other) for one in x for other in x) / (2 * M**2)",
    aliases=("crps-ensemble", "continuous-ranked-probability-score"),
    source="Matheson and Winkler 1976, Scoring Rules for Continuous Probability Distributions, doi:10.1287/mnsc.22.10.1087; "
    "Gneiting and Raftery 2007, Strictly Proper Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437 "
    "(of the differences)",
    special=(
        "the distribution is the members', each with the probability 1 / M; fair-crps divides by M * (M - 1)",
        "with one member it is absolute-error",
        "at ties the slope is that of the sign 0",
    ),
)
def crps(x: Array, t: Array) -> tuple[Array, Callable[[], Array]]:
    """The continuous ranked probability score of an ensemble."""
    return _score(x, t, fair=False)


@loss(
    ensemble,
    "sum(abs(one - t) for one in x) / M - sum(abs(one - other) for one in x for other in x) / (2 * M * (M - 1))",
    source="Ferro 2014, Fair Scores for Ensemble Forecasts, doi:10.1002/qj.2270",
    special=(
        "its mean does not depend on the number of members: the score that an ensemble of infinitely many would have",
        "it may be negative, and needs two members",
        "at ties the slope is that of the sign 0",
    ),
    undefined=(
        "the loss of the row is undefined: the ensemble has one member, or infinite ones on both sides",
        "give two members or more; of one, crps is the absolute error",
    ),
)
def fair_crps(x: Array, t: Array) -> tuple[Array, Callable[[], Array]]:
    """The continuous ranked probability score that the members' own distribution would have."""
    return _score(x, t, fair=True)


def _score(x: Array, t: Array, fair: bool) -> tuple[Array, Callable[[], Array]]:
    """Return the score of each row, and a function that computes its derivative by each member."""
    members = x.shape[1]
    others = members - 1 if fair else members
    gap = x - t[:, None]
    ordered = np.sort(gap, axis=1)
    below = np.arange(1, members) / members
    # The integral of (F - 1[x >= t])**2: F is constant between neighbours.
    upper, lower = np.diff(np.maximum(ordered, 0), axis=1), np.diff(np.minimum(ordered, 0), axis=1)
    value = row_sums(upper * (1 - below) ** 2) + row_sums(lower * below**2)
    if fair:  # the differences of the members count more
        value = value - row_sums((upper + lower) * (below * (1 - below))) / np.float64(others)
    ends = np.maximum(ordered[:, 0], 0) - np.minimum(ordered[:, -1], 0)
    # If the observation is infinitely far from all members, their differences would be NaN.
    value = np.where(np.isinf(ends), 0, value)

    def slope() -> Array:
        rank = np.zeros_like(x)
        for member in range(members):  # one member at a time: all pairs at once would need `members` times the memory
            other = x[:, member, None]
            rank += (x > other).astype(x.dtype) - (x < other)  # 0 for equal infinities too
        return (np.sign(gap) - rank / others) / members

    return value + ends, slope


@loss(
    vector_ensemble,
    "sum(sqrt(sum((a - b)**2 for a, b in zip(one, t))) for one in x) / M - "
    "sum(sqrt(sum((a - b)**2 for a, b in zip(one, other))) for one in x for other in x) / (2 * M**2)",
    aliases=("es-ensemble",),
    source="Gneiting and Raftery 2007, Strictly Proper Scoring Rules, Prediction, and Estimation, "
    "doi:10.1198/016214506000001437, equation 22 with beta = 1; Gneiting, Stanberry, Grimit, Held and Johnson 2008, Assessing "
    "Probabilistic Forecasts of Multivariate Quantities, doi:10.1007/s11749-008-0114-x (of ensembles)",
    special=(
        "predictions are an array (samples, members, dimensions) and targets (samples, dimensions); of (samples, members) with "
        "one number per sample, one dimension, it is crps",
        "the distribution is the members', each with the probability 1 / M; fair-energy-score divides by M * (M - 1)",
        "dimensions of different units are weighed by their sizes: divide each by its standard deviation first",
        "of members that are equal, or equal to the target, the slope is 0",
    ),
)
def energy_score(x: Array, t: Array) -> tuple[Array, Callable[[], Array]]:
    """The continuous ranked probability score of an ensemble of vectors, with Euclidean distances."""
    return _energy(x, t, fair=False)


@loss(
    vector_ensemble,
    "sum(sqrt(sum((a - b)**2 for a, b in zip(one, t))) for one in x) / M - "
    "sum(sqrt(sum((a - b)**2 for a, b in zip(one, other))) for one in x for other in x) / (2 * M * (M - 1))",
    source="Ferro 2014, Fair Scores for Ensemble Forecasts, doi:10.1002/qj.2270; Gneiting and Raftery 2007, Strictly Proper "
    "Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437, equation 22 (of distributions)",
    special=(
        "predictions are an array (samples, members, dimensions) and targets (samples, dimensions); of (samples, members) with "
        "one number per sample, one dimension, it is fair-crps",
        "its mean does not depend on the number of members: the score that an ensemble of infinitely many would have",
        "it may be negative, and needs two members",
        "of members that are equal, or equal to the target, the slope is 0",
    ),
    undefined=(
        "the loss of the row is undefined: the ensemble has one member, or an infinite one",
        "give two members or more; energy-score takes one, too",
    ),
)
def fair_energy_score(x: Array, t: Array) -> tuple[Array, Callable[[], Array]]:
    """The energy score that the members' own distribution would have."""
    return _energy(x, t, fair=True)


def _energy(x: Array, t: Array, fair: bool) -> tuple[Array, Callable[[], Array]]:
    """Return the score of each row, and a function that computes its derivative by each number of its members."""
    members = x.shape[1]
    others = members - 1 if fair else members
    gap = x - t[:, None]
    far = _lengths(gap)
    apart = np.zeros(len(x), x.dtype)
    for i in range(members - 1):  # one member at a time: all pairs at once would need `members` times the memory
        apart += row_sums(_lengths(x[:, i + 1 :] - x[:, i, None]))
    value = row_sums(far) / members - apart / members / np.float64(others)
    # Members that agree on an infinity differ by NaN there; what is observed is infinitely far from them all the same.
    endless = np.isinf(far).any(axis=1) & ~np.isnan(far).any(axis=1)
    if fair:
        endless &= np.isfinite(x).all(axis=(1, 2))
    value = np.where(endless, np.inf, value)

    def slope() -> Array:
        pull = _directions(gap)
        for i in range(members):
            pull -= _directions(x - x[:, i, None]) / others
        return pull / members

    return value, slope


def _lengths(vectors: Array) -> Array:
    """Return the Euclidean lengths of vectors along the last axis, shape (n, members)."""
    squares: Array = np.einsum("ijk,ijk->ij", vectors, vectors)
    lengths = np.sqrt(squares)
    limits = np.finfo(vectors.dtype)
    far = ~((squares > limits.tiny / limits.eps) & (squares < limits.max))  # or so near that squares lose digits
    if far.any():
        parts, size = _scaled(vectors[far])
        lengths[far] = size * np.where(np.isinf(size), 1, np.sqrt(np.einsum("ij,ij->i", parts, parts)))
    return lengths


def _scaled(vectors: Array) -> tuple[Array, Array]:
    """Return vectors, shape (n, d), divided by the size of their largest number, and that size, shape (n,).

    Of vectors with infinite numbers, these are 1 or -1 and the others 0.
    """
    size = np.abs(vectors).max(axis=1)
    parts = vectors / np.where(size > 0, size, 1)[:, None]
    return np.where(np.isinf(size)[:, None], np.sign(vectors) * np.isinf(vectors), parts), size


def _directions(vectors: Array) -> Array:
    """Return vectors along the last axis divided by their lengths; zeros for those of length 0."""
    lengths = _lengths(vectors)
    usual = (lengths > 0) & np.isfinite(lengths)
    units: Array = np.zeros_like(vectors)
    np.divide(vectors, lengths[..., None], out=units, where=usual[..., None])
    if (endless := np.isinf(lengths)).any():
        parts, _ = _scaled(vectors[endless])
        units[endless] = parts / np.sqrt(np.einsum("ij,ij->i", parts, parts))[:, None]
    return units
