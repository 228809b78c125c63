"""Embedding losses: of a row's features and a point of its class, of pairs of features, and of triplets."""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Indices, Targets, Values
from losscli.definition.domain import AT_LEAST_ONE, FRACTION, NON_NEGATIVE, POSITIVE, Interval
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return the sum over the feature dimension of core(x - c); for soft rows the centers of
    all classes are weighted by them.
    """
    centers = extras.centers
    assert centers is not None
    if isinstance(targets, Indices):
        value, slope = loss.core(predictions - centers[targets.index])
        return _summed(value), slope if gradient else None
    assert isinstance(targets, Dense)
    total = np.zeros(len(predictions), np.promote_types(predictions.dtype, np.float64))
    slopes = np.zeros_like(predictions) if gradient else None
    for center, weight in zip(centers, targets.t.T, strict=True):
        value, slope = loss.core(predictions - center)
        total += np.where(weight == 0, 0, weight * _summed(value))
        if slopes is not None:
            slopes += np.where(weight[:, None] == 0, 0, weight[:, None] * slope)
    return total, slopes


def _summed(value: Array) -> Array:
    """Return the sum of each row, in float64 or wider."""
    return np.asarray(np.einsum("ij->i", value, dtype=np.promote_types(value.dtype, np.float64)))


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x[:, None], Indices(np.zeros(len(x), np.int64)), Extras(centers=np.zeros((1, 1)))


embedding = family(
    name="embedding",
    lift=lift,
    summary="functions of features and of their class's center",
    variables={"x": "features of a row", "c": "center of the row's class", "d": "x - c, one per feature"},
    value="sum over the features of f(d)",
    gradient="df/dd",
    targets="class indices or names, one per row; or one-hot or soft rows over the classes that have centers",
    target_type="classes",
    axes={
        "distance": Axis(
            "D",
            "distance D of the features from the center of their class",
            (0.0, 3.0),
            _place,
            domain=NON_NEGATIVE,
            own=False,
        )
    },
    several_outputs=False,
    rows="features",
    takes_class_weight=True,
    takes_centers=True,
)


@loss(
    embedding,
    "d**2 / 2",
    slope="d",
    aliases=("center-loss",),
    source="Wen, Zhang, Li and Qiao 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, "
    "doi:10.1007/978-3-319-46478-7_31",
    special=(
        "summed, not averaged, over the features: half-squared-error of features and centers, summed",
        "one-hot and soft rows: the sum over the classes of t_k times the loss to center k",
        "centers are read from --centers FILE and not updated",
    ),
    baseline="centroid",
    facts=("convex",),
)
def center(d: Array) -> tuple[Array, Array]:
    """Half the squared distance between features and the center of their class."""
    return 0.5 * d * d, d


def lift_cosine(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(D) with D = 1 - cosine of predictions and targets; dD/dprediction = (cos * a/|a| - b/|b|) / |a|."""
    assert isinstance(targets, Dense)
    a = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    distance, away = _cosine_distance(a, targets.t.astype(a.dtype))
    value, slope = loss.core(distance)
    return value, slope[:, None] * away if gradient else None


def lengths(x: Array) -> Array:
    """Return the Euclidean lengths of rows, shape (n, 1), without squares that overflow or vanish.

    A length that the dtype does not hold is inf.
    """
    most = np.abs(x).max(axis=1)[:, None]
    scale = np.where((most == 0) | ~np.isfinite(most), 1, most)
    part = x / scale
    with np.errstate(over="ignore"):
        return np.sqrt(row_sums(part * part)).astype(x.dtype)[:, None] * scale


def unit(x: Array) -> tuple[Array, Array]:
    """Return the rows divided by their lengths, NaN if a length is 0, and the lengths, shape (n, 1)."""
    size = lengths(x)
    with np.errstate(all="ignore"):
        units = x / size
    long = np.isinf(size[:, 0]) & np.isfinite(x).all(axis=1)
    if long.any():  # the length is beyond the dtype, and the directions are not
        units[long] = unit(x[long] * x.dtype.type(2.0**-40))[0]
    return units, size


def _cosine_distance(a: Array, b: Array) -> tuple[Array, Array]:
    """Return 1 - cosine of the rows, shape (n,), and its derivative by a, shape (n, d)."""
    (left, size), (right, _) = unit(a), unit(b)
    gap = left - right
    # Half the squared distance of the unit vectors keeps the digits that 1 - cos loses if they are close.
    distance = row_sums(gap * gap).astype(a.dtype) / 2
    # The derivative cos * left - right is computed from the difference for the same reason.
    return distance, (gap - distance[:, None] * left) / size


def _place_cosine(x: Array) -> tuple[Array, Targets, Extras]:
    # The targets are turned instead of the predictions, which thus move along the same line at every point.
    """Return predictions, targets and extras at the points x of a drawn curve."""
    angle = x * (np.pi / 2)
    a = np.tile([2 / np.pi, 0.0], (len(x), 1))
    return a, Dense(np.stack([np.cos(angle), -np.sin(angle)], axis=1)), Extras()


RIGHT_ANGLES = Interval(0, 2, True, True)

cosine = family(
    name="cosine",
    lift=lift_cosine,
    summary="functions of the cosine between the features of predictions and of targets",
    variables={"d": "1 - sum(a * b) / (|a| * |b|), of the features a of a prediction and b of its target"},
    value="f(d)",
    gradient="df/dd * (cos * a / |a| - b / |b|) / |a|",
    targets="rows of features, in the predictions' shape",
    target_type="numbers",
    rows="features",
    axes={
        "distance": Axis(
            "D",
            "angular distance D of the features, in right angles",
            (0.0, 2.0),
            _place_cosine,
            along=(0.0, 1.0),
            domain=RIGHT_ANGLES,
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    cosine,
    "d",
    slope="1",
    aliases=("cosine", "cosine-similarity", "cosine-proximity"),
    source="Salton, Wong and Yang 1975, A Vector Space Model for Automatic Indexing, doi:10.1145/361219.361220 "
    "(the cosine)",
    special=(
        "1 - cosine, from 0 for the same direction to 2 for the opposite one",
        "features of length 0 have no direction: an error",
        "lengths do not count: features need not be of unit length",
    ),
    facts=("bounded",),
)
def cosine_distance(d: Array) -> tuple[Array, Array]:
    """One minus the cosine of the angle between two rows of features."""
    return d, np.ones_like(d)


@loss(
    cosine,
    "d * 2",
    slope="2",
    aliases=("byol-loss",),
    source="Grill et al. 2020, Bootstrap Your Own Latent, arXiv:2006.07733 (equation 2)",
    special=("the squared distance of the features after each was divided by its length",),
    relations=(same("2 * cosine_distance(a, b)"),),
    facts=("bounded",),
)
def normalized_squared_distance(d: Array) -> tuple[Array, Array]:
    """The squared distance of two rows of features that were made of unit length."""
    return 2 * d, np.full_like(d, 2)


def lift_cosine_pair(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(D, 2 - D, alike) for pairs of features that are alike or not, with D = 1 - cosine."""
    assert isinstance(targets, Dense)
    assert extras.third_operand is not None
    a = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    b = extras.third_operand.astype(a.dtype)
    distance, away = _cosine_distance(a, b)
    value, slope = loss.core(distance, _cosine_distance(-a, b)[0], targets.t > 0)
    return value, slope[:, None] * away if gradient else None


def _place_cosine_pair(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    a, b, _ = _place_cosine(x)
    assert isinstance(b, Dense)
    return a, Dense(-np.ones(len(x), np.int8)), Extras(third_operand=b.t)


PAIR_TARGETS = "labels in {0, 1} or in {-1, 1}, one a pair: 1 where the two are alike"

cosine_pair = family(
    name="cosine-pair",
    lift=lift_cosine_pair,
    summary="functions of the cosine between two rows of features that are alike or not",
    variables={
        "d": "1 - sum(a * b) / (|a| * |b|), of the features a of a prediction and b of --other",
        "t": "1 where the two are alike, and -1 where not",
    },
    value="f(d, t)",
    gradient="df/dd * (cos * a / |a| - b / |b|) / |a|",
    targets=PAIR_TARGETS,
    target_type="signs",
    rows="features",
    one_target=True,
    third_operand="other",
    axes={
        "distance": Axis(
            "D",
            "angular distance D of two that are not alike, in right angles",
            (0.0, 2.0),
            _place_cosine_pair,
            along=(0.0, 1.0),
            domain=RIGHT_ANGLES,
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    cosine_pair,
    "where(t > 0, d, max(0, 1 - d - margin))",
    slope="where(t > 0, 1, where(d < 1 - margin, -1, 0))",
    aliases=("cosine-embedding-loss",),
    source="PyTorch, CosineEmbeddingLoss, https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html",
    special=(
        "unlike pairs lose what their cosine is above the margin",
        "features of length 0 have no direction: an error",
    ),
    facts=("bounded",),
)
def cosine_embedding(
    d: Array,
    opposite: Array,
    alike: Array,
    *,
    margin: Annotated[float, Interval(-1, 1, True, True), "cosine up to which unlike pairs lose nothing"] = 0.0,
) -> tuple[Array, Array]:
    """Pulls features that are alike together, and others apart, by the angle between them."""
    # The cosine minus the margin, computed from the nearer end, which keeps the digits of cosines near 1 or -1.
    gap = np.where(d < 1, 1 - margin - d, opposite - (1 + margin))
    return np.where(alike, d, np.maximum(gap, 0)), np.where(alike, 1.0, -(gap > 0).astype(d.dtype))


def lift_pair(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(D, alike) with D = |a - b|, or with predictions that are distances; dD/da
    = (a - b) / D, and 0 if D is 0.
    """
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    if extras.third_operand is None:
        value, slope = loss.core(np.where(x < 0, np.nan, x), targets.t > 0)
        return value, slope if gradient else None
    gap = x - extras.third_operand.astype(x.dtype)
    distance = lengths(gap)
    value, slope = loss.core(distance[:, 0], targets.t > 0)
    if not gradient:
        return value, None
    return value, times(directions(gap, distance), slope[:, None])


def directions(gap: Array, distance: Array) -> Array:
    """Return differences divided by their lengths, 0 if a length is 0; of infinite ones only
    infinite elements count.
    """
    infinite = np.isinf(distance)
    gap = np.where(infinite, np.isinf(gap) * np.sign(gap), gap)
    size = np.where(infinite, lengths(gap), distance)
    return gap / np.where(size == 0, 1, size)


def _place_distance(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(-np.ones(len(x), np.int8)), Extras()


pair = family(
    name="pair",
    lift=lift_pair,
    summary="functions of the distance of two rows of features that are alike or not",
    variables={
        "D": "distance |a - b| of the features a of a prediction and b of --other; or the prediction, a distance itself",
        "t": "1 where the two are alike, and -1 where not",
    },
    value="f(D, t)",
    gradient="df/dD * (a - b) / D",
    targets=PAIR_TARGETS,
    target_type="signs",
    one_target=True,
    third_operand="other",
    takes_distances=True,
    axes={
        "distance": Axis(
            "D", "distance D of two that are not alike", (0.0, 2.0), _place_distance, domain=NON_NEGATIVE, own=False
        )
    },
    several_outputs=False,
)

Margin = Annotated[float, POSITIVE, "distance from which on unlike pairs lose nothing"]
PAIR_PREDICTIONS = (
    "predictions are features with those of the other ones in --other FILE, or distances, one per row; a distance below 0 "
    "is an error"
)


@loss(
    pair,
    "where(t > 0, D**2, max(0, margin - D)**2) / 2",
    slope="where(t > 0, D, -max(0, margin - D))",
    aliases=("contrastive-loss", "siamese"),
    source="Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping, "
    "doi:10.1109/CVPR.2006.100",
    special=(
        PAIR_PREDICTIONS,
        "label 1 says alike; in the paper Y = 1 says unlike",
        "libraries differ: some leave out the square, or the half",
        "the gradient at distance 0 of features is 0",
    ),
    relations=(same("hinge_embedding(D, t, margin=margin)**2 / 2"),),
)
def contrastive(D: Array, alike: Array, *, margin: Margin = 1.0) -> tuple[Array, Array]:
    """Half the squared distance of like pairs, and of unlike ones half the square of what misses the margin."""
    gap = np.where(alike, D, np.minimum(D - margin, 0))
    return gap * gap / 2, gap


@loss(
    pair,
    "where(t > 0, D, max(0, margin - D))",
    slope="where(t > 0, 1, where(D < margin, -1, 0))",
    aliases=("hinge-embedding-loss",),
    source="PyTorch, HingeEmbeddingLoss, https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html",
    special=(
        PAIR_PREDICTIONS,
        "the gradient at distance 0 of features is 0, and at the margin, for unlike pairs, too",
    ),
)
def hinge_embedding(D: Array, alike: Array, *, margin: Margin = 1.0) -> tuple[Array, Array]:
    """The distance of like pairs, and what unlike ones miss of the margin."""
    gap = margin - D
    return np.where(alike, D, np.maximum(gap, 0)), np.where(alike, 1.0, -(gap > 0).astype(D.dtype))


def lift_triplet(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return the core of the differences between anchor and positive, anchor and negative, positive and negative."""
    assert isinstance(targets, Dense)
    assert extras.third_operand is not None
    a = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    positive, negative = targets.t.astype(a.dtype), extras.third_operand.astype(a.dtype)
    value, slope = loss.core(a - positive, a - negative, positive - negative, gradient=gradient)
    return value, slope if gradient else None


def _place_triplet(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x[:, None], Dense(np.zeros((len(x), 1))), Extras(third_operand=np.full((len(x), 1), 1.0))


triplet_family = family(
    name="triplet",
    lift=lift_triplet,
    summary="functions of the distances of an anchor to a positive and to a negative",
    variables={
        "a": "features of the anchor, a row of predictions",
        "b": "features of the positive, which is like the anchor: the row of targets",
        "n": "features of the negative, which is not: the row of --negative",
    },
    value="f(a, b, n)",
    gradient="df/da; positive and negative are held fixed",
    targets="rows of features of the positives, in the predictions' shape",
    target_type="numbers",
    rows="features",
    third_operand="negative",
    axes={
        "distance": Axis(
            "D",
            "distance D of the anchor from its positive; the one negative is at 1 on the same line",
            (0.0, 2.0),
            _place_triplet,
            domain=NON_NEGATIVE,
            own=False,
        )
    },
    several_outputs=False,
)


def norm_of(gap: Array, p: float, epsilon: float) -> tuple[Array, Array]:
    """Return the p-norm of rows after epsilon was added to their elements, and its
    derivative by them; 0 if the norm is 0.
    """
    gap = gap + gap.dtype.type(epsilon)
    size = np.abs(gap)
    most = size.max(axis=1)
    infinite = most == np.inf  # then only infinite elements give the direction
    size = np.where(infinite[:, None], np.isinf(size), size)
    scale = np.where((most == 0) | ~np.isfinite(most), 1, most)[:, None]
    part = (size / scale) ** p
    total = row_sums(part).astype(gap.dtype)
    norm = total ** (1 / p)
    with np.errstate(all="ignore"):
        turn = np.sign(gap) * (size / scale) ** (p - 1) * (total ** (1 / p - 1))[:, None]
    return np.where(infinite, np.inf, norm * scale[:, 0]), np.where((norm == 0)[:, None], 0, turn)


@loss(
    triplet_family,
    "max(0, norm(a - b) - where(swap == 1, min(norm(a - n), norm(b - n)), norm(a - n)) + margin)",
    aliases=("triplet-margin", "triplet-loss", "triplet-margin-loss", "triplet-margin-with-distance-loss"),
    source="Schroff, Kalenichenko and Philbin 2015, FaceNet: A Unified Embedding for Face Recognition and Clustering, "
    "arXiv:1503.03832 (there of squared distances); Balntas, Riba, Ponsa and Mikolajczyk 2016, Learning Local Feature "
    "Descriptors with Triplets and Shallow Convolutional Neural Networks (as here, and the swap)",
    special=(
        "norm(x) is (sum of abs(x_i + epsilon)**p)**(1/p)",
        "distances are not squared; FaceNet squares them",
        "at distance 0 the gradient of that distance is 0",
        "mining triplets is not done here: a row is one triplet",
    ),
)
def triplet(
    ab: Array,
    an: Array,
    bn: Array,
    *,
    margin: Annotated[float, POSITIVE, "by how much the negative is to be farther away"] = 1.0,
    p: Annotated[float, AT_LEAST_ONE, "the norm: 2 is Euclidean"] = 2.0,
    swap: Annotated[
        float, FRACTION._replace(whole=True), "1 to take the positive's distance to the negative where it is smaller"
    ] = 0.0,
    epsilon: Annotated[float, NON_NEGATIVE, "added to every difference, as PyTorch does with 1e-6"] = 0.0,
) -> tuple[Array, Callable[[], Array]]:
    """By how much the negative is not farther from the anchor than the positive and a margin."""
    near, near_slope = norm_of(ab, p, epsilon)
    far, far_slope = norm_of(an, p, epsilon)
    if swap:
        other, _ = norm_of(bn, p, epsilon)
        far_slope = np.where((other < far)[:, None], 0, far_slope)
        far = np.minimum(far, other)
    gap = near - far + margin
    active = (gap > 0).astype(gap.dtype)[:, None]
    return np.maximum(gap, 0), lambda: active * (near_slope - far_slope)
