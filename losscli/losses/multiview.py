"""Losses of several views of a row: predictions for the row and for augmented copies of it, which should agree."""

from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Extras, Indices, Probability, Targets, Values
from losscli.definition.domain import NON_NEGATIVE
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.softmax import dense, log_softmax, through_softmax
from losscli.losses.stable import NEAR, exp_tail

VIEWS = 3


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(probabilities of each view, targets); the gradient goes through each view's softmax."""
    x = predictions.astype(loss.work(predictions.dtype, wide=True))
    views = [log_softmax(part) for part in np.split(x, VIEWS, axis=1)]
    value, slopes = loss.core(views, dense(targets, views[0].p), gradient=gradient)
    if not gradient:
        return value, None
    return value, np.concatenate([through_softmax(s, view) for s, view in zip(slopes, views, strict=True)], axis=1)


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.zeros((len(x), 2 * VIEWS))
    rows[:, 0] = x
    rows[:, 2::2] = 1.0
    return rows, Indices(np.zeros(len(x), np.int64)), Extras()


views = family(
    name="views",
    lift=lift,
    summary="functions of the probabilities of three views of a row: the row as it is, and two augmented copies",
    variables={
        "l": "log-probabilities of the classes, a row for each view: l[0] is that of the row as it is",
        "p": "exp(l)",
        "t": "target of a class",
        "m": "mean of the views' p, one per class",
        "views": "0, 1, 2",
    },
    value="f(l, t)",
    gradient="df/dz through each view's softmax",
    targets="one per row: class indices or class names; or rows: one-hot, or soft (each >= 0, summing to 1)",
    target_type="classes",
    rows="the logits of three views, one view after the other, 3 * k columns",
    parts=VIEWS,
    axes={
        "logit": Axis(
            "z",
            "logit z of the true class, of two, in the first view; in the others it is 1, and that of the other class 0",
            (-6.0, 6.0),
            _place,
            along=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
    smoothing="uniform",
    takes_class_weight=True,
)


@loss(
    views,
    "-sum(t[k] * l[0][k] for k in classes) + alpha * sum(sum(p[s][k] * (l[s][k] - log(m[k])) for k in classes) "
    "for s in views) / 3",
    aliases=("jsd-ce", "augmix", "augmix-loss"),
    source="Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan 2020, AugMix: A Simple Data Processing Method to "
    "Improve Robustness and Uncertainty, arXiv:1912.02781",
    wide=lambda parameters: True,
    special=(
        "predictions have 3 * k columns: the logits of the row, of one augmented copy, and of another",
        "timm cuts the mean of the views off at 1e-7, and smooths labels by 0.1 by default; here say --label-smoothing 0.1",
    ),
)
def jsd_cross_entropy(
    views: list[Probability],
    t: Array,
    *,
    alpha: Annotated[float, NON_NEGATIVE, "weight of the Jensen-Shannon divergence of the views"] = 12.0,
) -> tuple[Array, object]:
    """Cross-entropy of the row as it is, plus the Jensen-Shannon divergence of its views."""
    mean, rest = (sum((getattr(view, name) for view in views[1:]), getattr(views[0], name)) / VIEWS for name in "pq")
    log_mean = np.where(mean > 0.5, log1p(-rest), np.log(mean))
    gaps = [view.l - log_mean for view in views]
    entropy = row_sums(times(t, -views[0].l))
    apart = [row_sums(_apart(view.p, mean, gap)) / VIEWS for view, gap in zip(views, gaps, strict=True)]
    value = entropy + alpha * sum(apart[1:], apart[0])

    def slope() -> list[Array]:
        each = [alpha / VIEWS * times(view.p, gap) for view, gap in zip(views, gaps, strict=True)]
        return [each[0] - t, *each[1:]]

    return value, slope


def _apart(p: Array, mean: Array, gap: Array) -> Array:
    """Return p log(p / mean) - p + mean, from gap = log(p / mean): what a class adds to a divergence.

    Summed over the views, p and their mean cancel. Unlike p log(p / mean) these terms are never below 0, so that they do
    not cancel where the views are alike.
    """
    return np.where(np.abs(gap) < NEAR, times(p, exp_tail(-gap)), mean - p + times(p, gap))
