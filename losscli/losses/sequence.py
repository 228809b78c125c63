"""Sequence losses: of a distribution over classes for every time step of a sample, and a shorter sequence of labels.

A row of predictions is one sample: its time steps one after the other, with one number per class in each. A core gets the
log-probabilities, shape (n, T, C), and the labels of the samples with their lengths. It returns one loss per sample, and
slopes by the log-probabilities and by the probabilities.
"""

from typing import Annotated, cast

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Sequences, Targets, Values
from losscli.definition.domain import Interval
from losscli.definition.loss import Axis, BoundLoss, Slope
from losscli.definition.registry import family, loss
from losscli.losses.probability import Known, OfLogProbability, OfProbability, Slopes
from losscli.losses.softmax import log_softmax, through_softmax

FAR = 1e8
"""Stands for minus the logarithm of 0 where only the limit of a gradient is wanted, so that differences are numbers."""
MOST_KEPT = 1 << 21
"""Weights of states, 8 bytes each, that are kept in case a gradient is wanted; of more, they are computed again."""
WHOLE = Interval(0, np.inf, low_closed=True, whole=True)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(l, sequences) of each sample; the gradient goes through the softmax of each time step.

    Everything is computed in float64: losses are sums over many steps.
    """
    assert isinstance(targets, Dense)
    assert extras.columns is not None
    sequences, classes = Sequences(targets.t.astype(np.int64, copy=False)), extras.columns
    x = predictions.reshape(-1, classes).astype(np.float64, copy=False)
    chance: Known | OfProbability | OfLogProbability
    if extras.prediction_kind == "logits":
        chance = log_softmax(x)
    else:
        chance = OfProbability(x) if extras.prediction_kind == "probs" else OfLogProbability(x)
    shape = len(predictions), predictions.shape[1] // classes, classes
    value, slopes = loss.core(chance.l.reshape(shape), sequences, gradient=gradient)
    if not gradient:
        return value, None
    if extras.prediction_kind == "probs":
        found = slopes.by_p()
    elif extras.prediction_kind == "log-probs":
        found = slopes.by_log
    else:
        found = through_softmax(slopes.by_log.reshape(-1, classes), chance).reshape(shape)
    used = np.arange(shape[1]) < sequences.steps[:, None]
    return value, np.where(used[:, :, None], found, 0).reshape(predictions.shape)


class Alignments:
    """All alignments of some samples' labels with their time steps, as paths through states, after Graves et al. 2006.

    State 2 i + 1 is label i, and the states before and after a label are blanks. From one time step to the next a path
    stays, goes on to the next state, or skips a blank that is between two unlike labels. Weights of states are logarithms,
    and the largest weight of a sample is taken out of them in every step, so that they keep their digits.
    """

    def __init__(self, l: Array, sequences: Sequences, blank: int) -> None:
        labels, lengths = sequences.labels, sequences.lengths
        count = 2 * labels.shape[1] + 1
        existing = np.arange(labels.shape[1]) < lengths[:, None]
        self.classes = np.full((len(labels), count), blank)
        self.classes[:, 1::2] = np.where(existing, labels, blank)
        self.exists = np.arange(count) < 2 * lengths[:, None] + 1
        self.skips = np.full((len(labels), count), -np.inf)
        self.skips[:, 3::2] = np.where(labels[:, 1:] != labels[:, :-1], 0, -np.inf)
        last = np.arange(count) - 2 * lengths[:, None]
        self.ends = np.where((last == 0) | (last == -1), 0, -np.inf)
        self.l, self.steps = l, sequences.steps

    def emitted(self, step: int) -> Array:
        """Return the log-probability of each state's class in a time step, -inf for states that a sample does not have."""
        own = np.take_along_axis(self.l[:, step], self.classes, axis=1)
        return np.where(self.exists, own, -np.inf)

    def forward(self, keep: bool) -> tuple[Array, list[Array]]:
        """Return the log-probability of the labels, shape (n,), and, if `keep`, what each step's states have been reached with.

        That is a list with one array per step, shape (n, states): the weight of all paths into a state, without the
        probability of the state's own class in this step.
        """
        weights = np.full(self.classes.shape, -np.inf)
        weights[:, 0] = 0
        scale, kept = np.zeros(len(weights)), []
        for step in range(self.l.shape[1]):
            reached = weights.copy()
            reached[:, 1:] = np.logaddexp(reached[:, 1:], weights[:, :-1])
            reached[:, 2:] = np.logaddexp(reached[:, 2:], weights[:, :-2] + self.skips[:, 2:])
            if keep:
                kept.append(reached)
            following, largest = _scaled(reached + self.emitted(step))
            going = step < self.steps
            weights = np.where(going[:, None], following, weights)
            scale += np.where(going, largest, 0)
        return np.logaddexp.reduce(weights + self.ends, axis=1) + scale, kept

    def slopes(self, reached: list[Array]) -> tuple[Array, Array]:
        """Return the derivatives of the logarithm of the sum over all paths, by log-probabilities and by probabilities.

        Both have the shape of the log-probabilities. They are numbers only where the sum is above 0.
        """
        by_log, by_p = np.zeros_like(self.l), np.zeros_like(self.l)
        count = self.l.shape[1]
        later = self.ends
        for step in range(count - 1, -1, -1):
            later = np.where(np.equal(self.steps - 1, step)[:, None], self.ends, later)
            around, own = reached[step] + later, self.emitted(step)
            total = np.logaddexp.reduce(around + own, axis=1)[:, None]
            by_log[:, step] = self._of_classes(np.exp(around + own - total))
            by_p[:, step] = self._of_classes(np.exp(np.where(self.exists, around - total, -np.inf)))
            ahead = later + own
            later = ahead.copy()
            later[:, :-1] = np.logaddexp(later[:, :-1], ahead[:, 1:])
            later[:, :-2] = np.logaddexp(later[:, :-2], ahead[:, 2:] + self.skips[:, 2:])
            later = _scaled(later)[0]
        return by_log, by_p

    def _of_classes(self, states: Array) -> Array:
        """Return the sums of numbers of states, (n, states), over the states of each class, (n, C)."""
        rows, classes = len(states), self.l.shape[2]
        at = self.classes + classes * np.arange(rows)[:, None]
        return np.bincount(at.reshape(-1), states.reshape(-1), rows * classes).reshape(rows, classes)


def _scaled(weights: Array) -> tuple[Array, Array]:
    """Return weights without the largest of each row, and these; rows of -inf only stay as they are."""
    largest = weights.max(axis=1)
    largest = np.where(largest == -np.inf, 0, largest)
    return weights - largest[:, None], largest


def steps_needed(sequences: Sequences) -> Array:
    """Return how many time steps the labels of each sample need, shape (n,): one each, and one between equal neighbours."""
    labels, lengths = sequences.labels, sequences.lengths
    pairs = np.arange(1, labels.shape[1]) < lengths[:, None]
    return lengths + np.count_nonzero((labels[:, 1:] == labels[:, :-1]) & pairs, axis=1)


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    zero = np.zeros_like(x)
    return np.stack([zero, x, zero, zero], axis=1), Sequences.of([[1]] * len(x), [2] * len(x)), Extras(columns=2)


sequence = family(
    name="sequence",
    lift=lift,
    summary="functions of a distribution over classes in every time step of a sample, and of a sequence of labels that is "
    "not aligned with the steps",
    variables={
        "l": "log-probabilities: l[s][k] is that of class k in time step s",
        "t": "labels of the sample, in order; the class blank stands for none",
    },
    value="f(l, t)",
    gradient="df/dl by log-probabilities; df/dp by probabilities; by logits through the softmax of each step",
    targets="a row of class indices per sample, padded with -1 or of the lengths of --target-lengths; or all labels one after "
    "the other, (sum of the lengths,)",
    target_type="sequences",
    rows="one distribution a time step: an array of three axes, (samples, time, classes) or (time, samples, classes)",
    axes={
        "logit": Axis(
            "z",
            "logit z of the only label in one of two time steps; that of the blank, and both in the other step, are 0",
            (-6.0, 6.0),
            _place,
            along=(0.0, 1.0, 0.0, 0.0),
            own=False,
            at=(("blank", 0.0),),
        )
    },
    several_outputs=False,
    takes_from=True,
)


@loss(
    sequence,
    definition="-log of the sum, over all ways to name one class in every time step that give t when runs of equal classes "
    "are merged and blanks then left out, of the product of the named classes' probabilities",
    aliases=("ctc-loss", "connectionist-temporal-classification"),
    source="Graves, Fernández, Gomez and Schmidhuber 2006, Connectionist Temporal Classification: Labelling Unsegmented "
    "Sequence Data with Recurrent Neural Networks, ICML 2006, doi:10.1145/1143844.1143891",
    special=(
        "inf where the labels do not fit into the time steps: one step per label, and one more between two equal labels; the "
        "gradient is 0 there, where PyTorch's is NaN",
        "an empty sequence of labels is legal: minus the sum of the log-probabilities of the blank",
        "by log-probabilities the gradient is the derivative by each number; PyTorch's adds exp(l), as if a log-softmax had "
        "made them; by logits the two agree",
        "with one time step and one label it is softmax-cross-entropy",
        "steps beyond --input-lengths do not exist: they may hold anything, and their gradient is 0",
    ),
)
def ctc(
    l: Array,
    t: Sequences,
    *,
    blank: Annotated[float, WHOLE, "the class that stands for no label"] = 0.0,
) -> tuple[Array, Slope]:
    """Connectionist temporal classification: minus the log-probability of the labels, over all their alignments."""
    paths = Alignments(l, t, int(blank))
    value, reached = paths.forward(keep=paths.classes.size * l.shape[1] <= MOST_KEPT)

    def slope() -> Slopes:
        return _slopes(l, t, int(blank), value, paths, reached or paths.forward(keep=True)[1])

    return -value, cast(Slope, slope)


def _slopes(l: Array, t: Sequences, blank: int, value: Array, paths: Alignments, reached: list[Array]) -> Slopes:
    """Return the slopes of minus `value`, the log-probability of the labels, from what `paths.forward` gave."""
    by_log, by_p = paths.slopes(reached)
    lost = np.flatnonzero(value == -np.inf)
    if len(lost):
        # All probabilities of 0 go to it together, so that paths through the fewest of them are all that is left.
        far = Alignments(np.maximum(l[lost], -FAR), Sequences(t.t[lost]), blank)
        near_log, near_p = far.slopes(far.forward(keep=True)[1])
        none = (steps_needed(t) > t.steps)[lost, None, None]
        by_log[lost], by_p[lost] = np.where(none, 0, near_log), np.where(none, 0, near_p)
    return Slopes(-by_log, lambda: -by_p)
