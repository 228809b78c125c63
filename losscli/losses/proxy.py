"""Proxy losses: of the distances between features and one proxy of each class, all of unit length.

Proxies are what center losses call centers. A core gets the squared distances d of a row's features to all proxies, shape
(n, k), and the classes of the rows. It returns one value per row, and its derivative by every distance.
"""

from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.definition.batch import Extras, Indices, Targets, Values
from losscli.definition.domain import FRACTION, POSITIVE
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.losses.contrastive import logistic, shares, softplus, unit
from losscli.losses.ranking import log_sum_exp, lost


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(d, classes) with d = |a - p|**2 of features a and proxies p of unit length: dd/dx = -2 (p - cos * a) / |x|."""
    assert isinstance(targets, Indices)
    assert extras.centers is not None
    a, length = unit(predictions)
    proxies, _ = unit(extras.centers)
    d = np.stack([row_sums((a - proxy) ** 2) for proxy in proxies], axis=1)
    value, slope = loss.core(d, targets.index)
    value = value + lost(d)
    if not gradient:
        return value, None
    slopes = np.zeros_like(a)
    for proxy, distance, by in zip(proxies, d.T, slope.T, strict=True):
        # cos = 1 - d / 2, written so that near proxies keep their digits
        slopes += 2 * by[:, None] * (a - proxy - (distance / 2)[:, None] * a)
    return value, slopes / length


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([1 - x, x], axis=1)
    return rows, Indices(np.zeros(len(x), np.int64)), Extras(centers=np.array([[1.0, 0.0], [0.0, 1.0]]))


proxy = family(
    name="proxy",
    lift=lift,
    summary="functions of the distances of features to a proxy of each class, all of unit length",
    variables={
        "d": "squared distances between the features of a row and the proxies, all of unit length; one per class",
        "y": "class of the row",
        "others": "all classes but y",
    },
    value="f(d, y)",
    gradient="the sum over the classes k of df/dd_k * -2 * (p_k - cos_k * a) / |x|, with features a and proxies p of unit "
    "length; the proxies are held fixed",
    targets="class indices or names, one per row; or one-hot rows over the classes that have proxies",
    target_type="classes",
    hard=True,
    axes={
        "distance": Axis(
            "D",
            "distance D on the line from the proxy of the row's class to the one other, which is at 1 and at a right angle",
            (0.0, 1.0),
            _place,
            along=(-1.0, 1.0),
            domain=FRACTION,
            own=False,
        )
    },
    several_outputs=False,
    rows="features",
    takes_class_weight=True,
    takes_centers=True,
)

Scale = Annotated[float, POSITIVE, "factor of the squared distances"]
PROXIES = "proxies are read from --centers FILE, one per class; their lengths and those of the features do not count"


def _own(d: Array, index: Array) -> tuple[Array, Array, Array]:
    """Return the distances to the rows' own proxies, those to the others with inf for the own, and which are the own."""
    own = index[:, None] == np.arange(d.shape[1])
    return d[np.arange(len(d)), index], np.where(own, np.inf, d), own


@loss(
    proxy,
    "scale * d[y] + log(sum(exp(-scale * d[k]) for k in others))",
    aliases=("proxy-nca-loss",),
    source="Movshovitz-Attias, Toshev, Leung, Ioffe and Singh 2017, No Fuss Distance Metric Learning using Proxies, "
    "arXiv:1703.07464 (equation 4)",
    special=(
        PROXIES,
        "the sum is over the other proxies, as in the paper: the loss can be below 0. pytorch-metric-learning's ProxyNCALoss "
        "has the own proxy in it too: proxy-nca-plus-plus with its scale",
        "one class only has no other proxy: undefined",
    ),
)
def proxy_nca(d: Array, index: Array, *, scale: Scale = 1.0) -> tuple[Array, Array]:
    """How much nearer the other proxies are than the own one, by the log-sum-exp of their distances."""
    near, far, own = _own(d, index)
    total = log_sum_exp(-scale * far)
    value = np.where(np.isneginf(total), np.nan, scale * near + total)
    return value, scale * (own - shares(-scale * far, total))


@loss(
    proxy,
    "log(1 + sum(exp(scale * (d[y] - d[k])) for k in others))",
    aliases=("proxy-nca++", "proxy-nca-pp"),
    source="Teh, DeVries and Taylor 2020, ProxyNCA++: Revisiting and Revitalizing Proxy Neighborhood Component Analysis, "
    "arXiv:2004.01113 (the scale is one over its temperature, 1/9)",
    special=(PROXIES,),
    relations=(same("log(1 + exp(proxy_nca(d, y, scale=scale)))"),),
)
def proxy_nca_plus_plus(d: Array, index: Array, *, scale: Scale = 9.0) -> tuple[Array, Array]:
    """Cross-entropy of the softmax of minus the squared distances to all proxies."""
    near, far, own = _own(d, index)
    total = log_sum_exp(-scale * far)
    gap = scale * near + total
    return softplus(gap), scale * logistic(gap)[:, None] * (own - shares(-scale * far, total))
