"""Survival losses: the partial likelihood of Cox's model, of log-risks, times, and what ended the times.

A file, or with --group each of its strata, has one loss. A core gets the log-risks of its rows, shape (n,), the latest
time first, and the `Ties` of their times. It returns the loss of each event in the order of the rows, shape (events,), and a
function that computes the derivative of their sum by every log-risk, shape (n,). All takes linear time but for the order.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Annotated

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, Domains, Interval
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.contrastive import logistic, softplus
from losscli.losses.ranking import from_largest, log_sums_before, lost
from losscli.records import dataclass

Slopes = Callable[[], Array]

YES_OR_NO = Interval(0, 1, True, True, whole=True)


@dataclass(frozen=True)
class Ties:
    """Rows in groups of the same time, the latest group first.

    `begins`, shape (groups,), are the first rows of the groups, `of` the group of each row, and `event` says for each row
    whether an event ended its time; both have the shape (n,).
    """

    begins: Array
    of: Array
    event: Array

    @classmethod
    def among(cls, times: Array, event: Array) -> "Ties":
        """Return the groups of rows whose times fall."""
        new = np.append(True, times[1:] != times[:-1])
        return cls(np.flatnonzero(new), np.cumsum(new) - 1, event)

    @cached_property
    def events(self) -> Array:
        """The number of events of each group."""
        return np.add.reduceat(self.event.astype(np.float64), self.begins)

    def log_sums(self, x: Array, some: Array) -> Array:
        """Return for each group the logarithm of the sum of exp(x) over some of its rows; -inf where there are none."""
        x = np.where(some, x, -np.inf)
        top = np.maximum.reduceat(x, self.begins)
        held = np.where(np.isneginf(top), 0, top)
        sums = np.add.reduceat(np.exp(x - held[self.of]), self.begins, dtype=np.longdouble)
        return held + np.log(sums).astype(np.float64)

    def log_sums_of_others(self, x: Array) -> Array:
        """Return for each row the logarithm of the sum of exp(x) over the other rows of its group."""
        top = np.maximum.reduceat(x, self.begins)
        rows = np.arange(len(x))
        largest = np.minimum.reduceat(np.where(x == top[self.of], rows, len(x)), self.begins)
        e = np.exp(x - top[self.of])
        e[largest[largest < len(x)]] = 0  # kept apart, so that what is beside it keeps its digits
        beside = np.add.reduceat(e, self.begins, dtype=np.longdouble)[self.of]
        others = np.where(rows == largest[self.of], beside, (beside - e) + 1)
        return top[self.of] + np.log(np.maximum(others, 0)).astype(np.float64)

    def before(self, of_groups: Array) -> Array:
        """Return for each group the logarithm of the sum of exp(of_groups) over the groups before it."""
        return log_sums_before(of_groups[None])[0]

    def behind(self, of_groups: Array) -> Array:
        """Return for each group the logarithm of the sum of exp(of_groups) over the groups behind it."""
        return self.before(of_groups[::-1])[::-1]

    @cached_property
    def numbers(self) -> Array:
        """The number of each event among those of its group, from 0, shape (events,)."""
        counts = self.events[self.events > 0].astype(np.int64)
        return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return for each row, which holds the log-risks of a file, the sum of its events' losses, or their mean."""
    assert isinstance(targets, Dense)
    assert extras.third_operand is not None
    z = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    values, slopes = np.zeros(len(z)), np.zeros_like(z) if gradient else None
    for i, (row, times, event) in enumerate(zip(z, targets.t, extras.third_operand != 0, strict=True)):
        if not event.any():
            continue
        order = np.argsort(-times.astype(np.float64), kind="stable")
        terms, slope = loss.core(
            from_largest(row[None])[0, order], Ties.among(times[order], event[order]), gradient=gradient
        )
        parts = len(terms) if loss.parameters["per_event"] else 1
        values[i] = float(np.sum(terms, dtype=np.longdouble)) / parts
        if slopes is not None:
            slopes[i, order] = slope / parts
    return values + lost(z), slopes


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    n = len(x)
    rows = np.stack([x, np.zeros(n), np.zeros(n)], axis=1)
    events = Extras(third_operand=np.tile([1.0, 1.0, 0.0], (n, 1)))
    return rows, Dense(np.tile([1.0, 2.0, 3.0], (n, 1))), events


survival = family(
    name="survival",
    lift=lift,
    summary="partial likelihoods of the log-risks of all rows, whose times end with an event or are censored",
    variables={
        "z": "log-risks, one per row",
        "t": "times, one per row",
        "e": "1 where an event ended the time of a row, and 0 where it is censored",
    },
    value="f of all rows",
    gradient="df/dz, one per row",
    targets="times, numbers, one per row; --event says how each of them ended",
    target_type="numbers",
    coupled="file",
    tables_only=True,
    lists=True,
    third_operand="event",
    held_bytes=300,
    axes={
        "logit": Axis(
            "z",
            "log-risk z of the first of two events; that of the second, and of a row that is censored later, is 0",
            (-3.0, 3.0),
            _place,
            along=(1.0, 0.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)

PerEvent = Annotated[float, YES_OR_NO, "1 to divide by the number of events, as libraries for training do"]
SUM = "the sum over all events: minus the log-likelihood of lifelines, statsmodels and scikit-survival; with --per-event 1 the mean"
RISK = "rows that are censored at the time of an event are still at risk then"
SHIFT = "log-risks have no zero: adding a number to all of them changes nothing"
NO_EVENTS = "a file without any event is refused; with --group, a stratum without events has the loss 0"


@loss(
    survival,
    "sum(log(sum(exp(z[j] - z[k]) for j in rows if t[j] >= t[k])) for k in rows if e[k] == 1)"
    " / where(per_event == 1, sum(e), 1)",
    aliases=("cox-breslow", "cox-partial-likelihood"),
    source="Cox 1972, Regression Models and Life-Tables, doi:10.1111/j.2517-6161.1972.tb00899.x; ties by Breslow 1974, Covariance "
    "Analysis of Censored Survival Data, doi:10.2307/2529620",
    special=(
        "events at the same time share the sum over all rows at risk; cox-efron is nearer to the exact likelihood",
        RISK,
        SUM,
        SHIFT,
        NO_EVENTS,
    ),
    facts=("convex",),
    domains=lambda parameters: Domains(targets=NON_NEGATIVE),
)
def cox(z: Array, ties: Ties, *, per_event: PerEvent = 0.0) -> tuple[Array, Slopes]:
    """Minus the log partial likelihood of Cox's model, with ties by Breslow."""
    event, of = ties.event, ties.of
    before = ties.before(ties.log_sums(z, np.full(len(z), True)))
    # Of the others at risk, beside the row itself.
    gap = np.logaddexp(before[of], ties.log_sums_of_others(z)) - z

    def slope() -> Array:
        risk = np.logaddexp(before, ties.log_sums(z, np.full(len(z), True)))
        earlier = ties.behind(np.log(ties.events) - risk)  # events at which a row is still at risk
        tied = np.log(ties.events[of] - event) - risk[of]
        return np.exp(z + np.logaddexp(earlier[of], tied)) - np.where(event, logistic(gap), 0)

    return softplus(gap[event]), slope


@loss(
    survival,
    "sum(log(sum(exp(z[j] - z[k]) for j in rows if t[j] >= t[k])"
    " - sum(e[j] for j in rows if t[j] == t[k] and j < k) / sum(e[j] for j in rows if t[j] == t[k])"
    " * sum(e[j] * exp(z[j] - z[k]) for j in rows if t[j] == t[k])) for k in rows if e[k] == 1)"
    " / where(per_event == 1, sum(e), 1)",
    source="Efron 1977, The Efficiency of Cox's Likelihood Function for Censored Data, doi:10.1080/01621459.1977.10480613",
    special=(
        "of d events at the same time, each next one counts 1 / d less of the events among the rows at risk",
        "without ties it is cox",
        RISK,
        SUM,
        SHIFT,
        NO_EVENTS,
    ),
    facts=("convex",),
    domains=lambda parameters: Domains(targets=NON_NEGATIVE),
)
def cox_efron(z: Array, ties: Ties, *, per_event: PerEvent = 0.0) -> tuple[Array, Slopes]:
    """Minus the log partial likelihood of Cox's model, with ties by Efron."""
    event, of = ties.event, ties.of
    group = of[event]
    alone = ties.events[group] == 1
    with_events = ties.log_sums(z, event)
    rest = np.logaddexp(ties.before(ties.log_sums(z, np.full(len(z), True))), ties.log_sums(z, ~event))
    share = log1p(-ties.numbers / ties.events[group])
    # From the events of the group, so that differences of large log-risks keep their digits.
    excess = np.logaddexp((rest - with_events)[group], share)
    gap = rest[group] - z[event]
    terms = np.where(alone, softplus(gap), excess + (with_events[group] - z[event]))

    def slope() -> Array:
        total = np.full(len(z), np.nan)
        total[event] = with_events[group] + excess
        by_all = ties.log_sums(-total, event)
        less = np.zeros(len(z))
        less[event] = share
        by_events = ties.log_sums(less - total, event)
        earlier = ties.behind(by_all)
        own = np.where(event, by_events[of], by_all[of])
        slopes = np.exp(z + np.logaddexp(earlier[of], own)) - event
        slopes[event] = np.where(alone, np.exp(z[event] + earlier[group]) - logistic(gap), slopes[event])
        return slopes

    return terms, slope
