"""Checking two files: what they contain, and what is wrong with them; all findings of one pass, not just the first."""

import contextlib
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.data.axes import normalised
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset, assign
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.data.truth import read_words
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.engine.aggregates import Faults
from losscli.engine.batch import Batch
from losscli.engine.classes import classes, confusion, has_names, names_classes, predicted
from losscli.engine.collector import Aggregate, BatchCollector
from losscli.engine.collectors.label_alignment import (
    LEAST_ROWS,
    MOST_CLASSES,
    Compared,
    Sample,
    Sampling,
    compared,
    mixed,
    permuted,
    suspicions,
)
from losscli.engine.collectors.prediction_kind import (
    MOSTLY,
    Kind,
    Values,
    kind,
    misread,
    suspicious,
)
from losscli.engine.collectors.probability_look import LookLikeProbabilities
from losscli.engine.collectors.row_faults import findings as faulty
from losscli.engine.collectors.shifted_targets import ShiftedTargets
from losscli.engine.collectors.shifted_targets import applies as shifted_applies
from losscli.engine.collectors.summary import Summary
from losscli.engine.job import Job
from losscli.engine.reduction import baseline
from losscli.errors import DataError
from losscli.findings import ERROR, NOTE, WARNING, Finding
from losscli.io.bytes import Looked
from losscli.io.join import PRINT, SHOWN, Piles, together
from losscli.io.operands import Opener
from losscli.io.positions import Grid
from losscli.io.source import Source, blocks
from losscli.lookup.names import find
from losscli.measurement.class_labels import group_names
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.measurement.requirement import Judged
from losscli.records import NamedTuple, dataclass, field, replace
from losscli.wording import count, listing

CLAUSE = re.compile(r"(.*?)(; (?!and )|(?<=\?) (?=Say |Save )|: (?=if |each prediction )|$)(.*)", re.DOTALL)
"""Parts of an error message: the fact, the words between fact and cure, and the cure."""
LEAST_VALUES = 10
"""With fewer targets than this, nothing is concluded from there being only two distinct numbers."""
QUANTISED = 0.5
"""If less than this share of a sample's values is distinct, equal rows are natural."""
SAMPLE_BYTES = 64 << 20
"""Bytes of rows that are kept to test labels: more than `compute` keeps, since check may take longer."""


@dataclass(repr=False)
class Report(Judged):
    """The result of a check: facts by name, and findings."""

    facts: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Number of findings that are errors."""
        return sum(finding.severity == ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        """Number of findings that are warnings."""
        return sum(finding.severity == WARNING for finding in self.findings)

    def required(self) -> list[dict[str, float | str]]:
        return [{"errors": self.errors, "warnings": self.warnings}]

    def to_dict(self) -> dict[str, Any]:
        """Return the report with the keys of the JSON contract."""
        return {**self.facts, "findings": [finding._asdict() for finding in self.findings]}


class Seen(NamedTuple):
    """Mergeable record of a pass: values of the predictions, and for classes how often
    each was predicted for each label.
    """

    values: Values
    labels: Array | None = None
    """Number of rows of each class, shape (k,)."""
    predicted: Array | None = None
    """Number of rows for which each class is predicted, shape (k,)."""
    right: int = 0
    confusion: Array | None = None
    positives: Array | None = None
    """For each output the number of rows in which it happened, shape (k,)."""
    outcomes: int = 0
    """Number of outcomes that exist, of all outputs."""
    targets: Values | None = None
    """Values of the targets, if they are numbers."""
    prints: tuple[Array, ...] = ()
    """Fingerprints of the rows, on their way from another process."""

    def __add__(self, other: "Seen") -> "Seen":  # type: ignore[override]
        def added(first: Array | None, second: Array | None) -> Array | None:
            return None if first is None or second is None else first + second

        return Seen(
            self.values + other.values,
            added(self.labels, other.labels),
            added(self.predicted, other.predicted),
            self.right + other.right,
            added(self.confusion, other.confusion),
            added(self.positives, other.positives),
            self.outcomes + other.outcomes,
            None if self.targets is None or other.targets is None else self.targets + other.targets,
            self.prints + other.prints,
        )


class Twins:
    """Finds rows of predictions that occur more than once, equal in every bit, with memory that does not grow."""

    def __init__(self, job: Job) -> None:
        self.piles = Piles(job.predictions.name, PRINT, job.samples)
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[type["TwinsElsewhere"], tuple[()]]:
        return TwinsElsewhere, ()

    def add(self, batch: Batch) -> tuple[Array, ...]:
        """Take the rows of a batch; batches may arrive in any order. Returns nothing that a record would have to carry."""
        self.take(_prints(batch))
        return ()

    def take(self, *parts: Array) -> None:
        """Take fingerprints of rows."""
        with self.lock:
            for prints in parts:
                self.piles.add_prints(prints)

    def found(self) -> tuple[int, bool, list[tuple[int, int]]]:
        """Return how many rows equal an earlier one, whether all were counted, and the first few with
        the earlier row.
        """
        number, all_of_them = 0, True
        pairs: list[tuple[int, int]] = []
        for pile in range(self.piles.number):
            all_of_them = all_of_them and self.piles.spools[pile].size <= self.piles.limit
            prints = self.piles.take(pile, self.piles.limit)
            # Threads add batches in any order; sorting makes the first of equal rows the earlier one.
            prints, new = together(prints.take(np.argsort(prints["row"], kind="stable")))
            number += int(np.count_nonzero(~new))
            starts = np.flatnonzero(new)
            again = np.flatnonzero(~new)
            first = starts[np.searchsorted(starts, again, side="right") - 1]
            pairs += list(zip(prints["row"][again].tolist(), prints["row"][first].tolist(), strict=True))
            pairs = sorted(pairs)[:SHOWN]
        return number, all_of_them, pairs


class TwinsElsewhere:
    """Fingerprints of rows in another process, whose records carry them to the piles."""

    def add(self, batch: Batch) -> tuple[Array, ...]:
        """Return the fingerprints of the rows of a batch."""
        return (_prints(batch),)


def _prints(batch: Batch) -> Array:
    """Return a fingerprint of each row of a batch."""
    prints = np.zeros(len(batch.targets), PRINT)
    prints["row"] = batch.rows
    bits = np.ascontiguousarray(batch.predictions, np.float64).view(np.uint64)
    bits = bits ^ (bits >> np.uint64(31))
    for number, half in enumerate(("high", "low")):
        # Sums of products with odd numbers, which differ for each half and column.
        odd = mixed(np.arange(bits.shape[1], dtype=np.uint64) + np.uint64(number << 32)) | np.uint64(1)
        prints[half] = mixed((bits * odd).sum(axis=1, dtype=np.uint64))
    return prints


@dataclass
class Watcher(BatchCollector):
    """Looks at predictions and labels of each batch, for `losscli check`."""

    record = Seen

    twins: Twins | None

    def received(self, record: Seen) -> Seen:
        if self.twins is not None:
            self.twins.take(*record.prints)
        return record._replace(prints=())

    def of(self, job: Job, batch: Batch) -> Seen:
        prints = () if self.twins is None else self.twins.add(batch)
        return self._of(job, batch)._replace(prints=prints)

    def _of(self, job: Job, batch: Batch) -> Seen:
        values = Values.of(batch.predictions, batch.rows)
        if not names_classes(job):
            if job.encoding.kind in ("binary", "signed") and job.several:
                happened = job.encoding.outcomes(batch.targets)
                present = np.ones(happened.shape, bool) if batch.present is None else batch.present
                right = int(np.count_nonzero(present & (happened == (predicted(job, batch.predictions) == 1))))
                outcomes = int(np.count_nonzero(present))
                return Seen(values, right=right, positives=(happened & present).sum(axis=0), outcomes=outcomes)
            return Seen(values, targets=Values.of(batch.targets))
        k = max(job.encoding.k, 2)
        label, guess = classes(job, batch.targets), predicted(job, batch.predictions)
        return Seen(
            values,
            np.bincount(label, minlength=k),
            np.bincount(guess, minlength=k),
            int(np.count_nonzero(label == guess)),
            confusion(label, guess, k) if k <= MOST_CLASSES else None,
        )


def check(
    request: Request,
    loss: BoundLoss | None = None,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Report what the files of a request contain, and what is wrong with them.

    Parameters
    ----------
    loss
        the loss that they are for; None for the one that shapes and targets suggest.
    begun
        called with the job before the pass.
    seen
        called with the number of rows done so far.

    Raises
    ------
    DataError
        if files are missing or cannot be opened.
    """
    report = Report()
    _check(request, loss, report, threads, looked, begun, seen)
    report.findings = _ordered(report.findings)
    return report


def _check(
    request: Request,
    loss: BoundLoss | None,
    report: Report,
    threads: int | None,
    looked: Looked,
    begun: Callable[[Job], None],
    seen: Callable[[int], None],
) -> None:
    """Fill the report."""
    try:
        choose = lambda dataset: loss or supposed(dataset, request.class_axis)  # noqa: E731
        measurement = prepare(request, choose=choose, looked=looked, once=False)
    except DataError as error:
        apart(request, loss, report, error)
        return
    shape, layout = measurement.job.predictions.shape, measurement.job.layout
    twins = (
        Twins(measurement.job) if len(shape) == 2 and shape[1] > 2 and layout is None else None
    )  # rows of two columns may hold only one independent number
    sampling = Sampling.for_job(measurement.job, SAMPLE_BYTES)
    measurement.collectors = [
        *measurement.essential(),
        *([] if sampling is None else [sampling]),
        Watcher(twins),
        *([ShiftedTargets()] if shifted_applies(measurement.job) else []),
    ]
    begun(measurement.job)
    _described(measurement, report)
    try:
        aggregate = measurement.collect(threads=threads, seen=seen)
    except DataError as error:
        report.findings.append(of_error(error))
        return
    _judged(measurement, aggregate, twins, report)


def supposed(dataset: Dataset, class_axis: int | None = None) -> BoundLoss:
    """Return the loss that files are most likely for: cross-entropy of classes or outcomes, or squared error of numbers.

    `class_axis` is the axis of the classes, if predictions have more than two and the user says which.
    """
    shape, targets = dataset.predictions.shape, dataset.targets
    if len(shape) > 2 and targets is not None:
        return find(_of_axes(dataset.predictions, targets, class_axis)).bind()
    single = len(shape) == 1 or shape[1] == 1
    if targets is None:
        name = "squared-error"
    elif single:
        name = "sigmoid-cross-entropy" if _two_values(targets) else "squared-error"
    elif len(targets.shape) == 1 or targets.shape[1] == 1:
        name = "softmax-cross-entropy"
    else:
        name = _of_rows(_numbers(targets))
    return find(name).bind()


def _of_axes(predictions: Columns, targets: Columns, class_axis: int | None) -> str:
    """Return the name of the loss for predictions with more than two axes; targets have all of them, or all but the classes'."""
    shape = predictions.shape
    axis = normalised(class_axis, shape, predictions.name)
    if len(targets.shape) == len(shape) - 1 and 1 not in (shape[1], shape[-1]):
        return "softmax-cross-entropy"
    if targets.shape == shape and axis is not None:
        source = _numbers(replace(targets, grids=(Grid(shape, axis, single=axis == 0),)))
        return _of_rows(source)
    return "sigmoid-cross-entropy" if _two_values(targets) else "squared-error"


def _numbers(targets: Columns) -> Source:
    """Return targets as numbers, which words such as True and False stand for as well."""
    try:
        return targets.source()
    except DataError:
        read_words(targets)
        return targets.source()


def _two_values(targets: Columns) -> bool:
    """Whether targets are words, or only 0 and 1, or -1 and 1, or two whole numbers besides labels that
    are left out.
    """
    text = targets.text()
    if text is not None and not targets.operand.is_table:
        return True
    try:
        source = targets.source()
    except DataError:
        return True
    seen: set[float] = set()
    for _, batch in blocks(source):
        seen |= set(np.unique(batch[~np.isnan(batch)] if batch.dtype.kind == "f" else batch).tolist())
        if len(seen) > 3:
            return False
    several = source.shape[0] >= LEAST_VALUES
    return seen <= {-1, 0, 1} or (
        several and len(seen - {-100, 255}) <= 2 and all(value == int(value) for value in seen)
    )


def _of_rows(source: Source) -> str:
    """Return the loss for rows of targets: those of classes sum to 1, those of outcomes are
    in [0, 1], others are numbers.

    A few damaged rows do not change this.
    """
    rows = inside = sums = 0
    for _, batch in blocks(source):
        within = (((batch >= 0) & (batch <= 1)) | (batch != batch)).all(axis=1)  # NaN is a missing target
        rows += len(batch)
        inside += int(np.count_nonzero(within))
        with np.errstate(all="ignore"):  # infinite numbers, and sums that overflow, are not 1
            sums += int(np.count_nonzero(np.abs(batch.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE))
    if inside < MOSTLY * rows:
        return "squared-error"
    return "softmax-cross-entropy" if sums >= MOSTLY * rows else "sigmoid-cross-entropy"


def of_error(error: DataError) -> Finding:
    """Return an error as a finding: the text before its first colon is the place, its last clause the cure."""
    fact, _, cure = CLAUSE.fullmatch(str(error)).group(1, 2, 3)  # type: ignore[union-attr]
    place = fact.split(": ")[0]
    places = () if error.finding == "rows-differ" or place == fact else (place,)
    return Finding(error.finding or "unusable", ERROR, fact, places, cure or "look at the file, and at what wrote it")


def apart(request: Request, loss: BoundLoss | None, report: Report, error: DataError) -> None:
    """Describe files that do not fit together, each by itself.

    Raises
    ------
    DataError
        if a file cannot be opened, or is standard input, which can be read only once.
    """
    assert request.targets is not None
    words = (request.predictions, request.targets)
    if any(word == "-" or word.startswith("-:") for word in words):
        raise error
    opener = Opener.of(request)
    predictions, targets = opener.open(words[0], "predictions"), opener.open(words[1], "targets")
    report.findings.append(of_error(error))
    report.facts |= {"predictions": {"file": predictions.name}, "targets": {"file": targets.name}}
    with contextlib.suppress(DataError):  # which was reported already
        dataset = assign(predictions, targets, None, request.id, request.columns)
        report.facts["predictions"]["shape"] = list(dataset.predictions.shape)
        report.facts["targets"] = {
            "file": targets.name,
            "shape": list(dataset.targets.shape if dataset.targets else ()),
        }
        _alone(dataset, loss, request.prediction_kind, report)


def _alone(dataset: Dataset, loss: BoundLoss | None, prediction_kind: str, report: Report) -> None:
    """Add facts about the predictions that do not depend on the targets."""
    if -1 in dataset.predictions.shape:  # parts that differ in shape have no rows together
        return
    source = dataset.predictions.source()
    report.facts["predictions"] = _file(source)
    values = Values()
    for start, batch in blocks(source):
        values = values + Values.of(batch, np.arange(start, start + len(batch)))
    likely = loss or supposed(dataset)
    report.facts["read_as"] = _read_as(likely, prediction_kind)
    _of_values(values, likely, source, prediction_kind, report)
    if values.nan:
        fact = f"{source.name}: {count(values.nan, 'prediction is', 'predictions are')} NaN"
        report.findings.append(Finding("nan-predictions", ERROR, fact, (), "correct the rows or leave them out"))


def _read_as(loss: BoundLoss, prediction_kind: str) -> dict[str, Any]:
    """Return the loss, and the kind of predictions if it takes several."""
    return {"loss": loss.name} | ({"from": prediction_kind} if loss.family.takes_from else {})


def _of_values(values: Values, loss: BoundLoss, source: Source, prediction_kind: str, report: Report) -> Kind:
    """Add facts and findings about the predictions' values, and return their kind."""
    recognised = kind(values, loss.family)
    report.facts["predictions"] |= {
        "kind": recognised.name,
        "evidence": recognised.evidence,
        "nan": values.nan,
        "infinite": values.infinite,
    }
    report.findings += suspicious(values, recognised, source, prediction_kind, loss.family)
    if values.rows > 1 and recognised.name == "probabilities":
        report.findings += misread(loss.declaration, source.name, prediction_kind, values.classes, recognised.evidence)
    return recognised


def _file(source: Source) -> dict[str, Any]:
    """Return name, shape, dtype and columns of a source."""
    facts: dict[str, Any] = {"file": source.name, "shape": list(source.shape), "dtype": str(source.dtype)}
    return facts | ({"columns": list(source.columns)} if source.columns else {})


def _described(measurement: Measurement, report: Report) -> None:
    """Add what is known before the pass."""
    job = measurement.job
    shapes = measurement.shapes
    report.facts["predictions"] = _file(job.predictions) | (
        {"shape": list(shapes["predictions"])} if "predictions" in shapes else {}
    )
    report.facts["targets"] = {
        "file": job.targets.name,
        "shape": list(shapes.get("targets", job.targets.shape)),
        "dtype": "text" if job.encoding.kind == "name" else str(job.targets.dtype),
        "kind": job.encoding.kind,
    }
    report.facts["read_as"] = _read_as(job.loss, job.extras.prediction_kind)
    report.facts["columns"] = [column.described() for column in measurement.columns]
    if measurement.units.dropped is not None:
        report.facts["dropped"] = measurement.units.dropped
    report.facts["notes"] = [note for note in measurement.notes if not note.startswith("warning:")]
    report.findings += measurement.findings


def _judged(measurement: Measurement, aggregate: Aggregate, twins: Twins | None, report: Report) -> None:
    """Add what the pass tells."""
    job, seen, names = measurement.job, aggregate.get(Seen), group_names(measurement.job, measurement.decoded)
    summary, sample = aggregate[Summary], aggregate.get(Sample)
    report.findings += faulty(job, aggregate[Faults])
    if not summary.samples or seen is None:
        why = "all rows are ignored" if summary.ignored else "the file has no rows"
        message = f"{job.predictions.name}: no samples left: {why}"
        report.findings.append(Finding("unusable", ERROR, message, (), "a loss of nothing is undefined"))
        return
    if job.weights is not None and not summary.weight.value:
        fact = f"{job.weights.name}: all weights are 0"
        report.findings.append(
            Finding("bad-weights", ERROR, fact, (), "a mean of nothing is undefined; give some row a weight")
        )
    recognised = _of_values(seen.values, job.loss, job.predictions, job.extras.prediction_kind, report)
    if summary.samples > 1 and aggregate[LookLikeProbabilities].all and recognised.name != "probabilities":
        report.findings += misread(
            job.loss.declaration, job.predictions.name, job.extras.prediction_kind, job.encoding.k
        )
    against = None if sample is None else compared(job, sample)
    if not report.errors:
        report.facts |= _scores(job, aggregate, against)
    _judge_targets(seen, names, report, job)
    report.facts |= {"samples": summary.samples, "ignored": summary.ignored}
    report.findings += _of_equal_targets(job, summary)
    if sample is not None:
        report.findings += suspicions(job, sample, against, names)
    if twins is not None and not quantised(sample):
        report.findings += _of_twins(job, twins)
    report.findings += measurement.collected_findings(aggregate)
    report.findings += [of_error(doubt.error()) for doubt in measurement.doubts(aggregate)]


def _judge_targets(seen: Seen, names: list[str], report: Report, job: Job) -> None:
    """Add to a report what the pass has seen of targets: labels of classes, outcomes or numbers."""
    if seen.labels is not None:
        understood = not {finding.code for finding in report.findings} & {"double-sigmoid", "unsigned-scores"}
        no_better = report.facts.get("loss", np.inf) >= report.facts.get("baseline", 0.0)
        report.findings += _of_classes(seen, names, report, job, understood and no_better)
    elif seen.positives is not None:
        report.facts["targets"]["positives"] = dict(zip(names, seen.positives.tolist(), strict=True))
        report.facts["accuracy"] = seen.right / seen.outcomes
    elif seen.targets is not None:
        report.facts["targets"]["evidence"] = f"values from {seen.targets.least:.4g} to {seen.targets.most:.4g}"


def _of_equal_targets(job: Job, summary: Summary) -> list[Finding]:
    """Return a finding if several predictions of numbers are all equal to their targets, so that no loss is above 0."""
    if job.loss.family.target_type != "numbers" or summary.samples < 2 or summary.losses.most:
        return []
    fact = f"{job.predictions.name}: every prediction is equal to its target in {job.targets.name}"
    return [Finding("same-data", WARNING, fact, (), "is the same file, or column, saved twice?")]


def _ordered(findings: list[Finding]) -> list[Finding]:
    """Return the gravest findings first, with one finding per code, since some are found in two ways."""
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.severity)):
        kept.setdefault(finding.code, finding)
    return list(kept.values())


def _of_classes(seen: Seen, names: list[str], report: Report, job: Job, poor: bool) -> list[Finding]:
    """Add counts of classes and accuracy, and return findings about them.

    `poor` says that the predictions are no better than a constant one, without a reason that is known already.
    """
    assert seen.labels is not None
    assert seen.predicted is not None
    n = int(seen.labels.sum())
    unseen = [names[i] for i in np.flatnonzero(seen.labels == 0) if i != job.encoding.ignore]
    report.facts["targets"]["classes"] = dict(zip(names, seen.labels.tolist(), strict=True))
    report.facts["targets"]["unseen"] = unseen
    report.facts["accuracy"] = seen.right / n
    report.facts["majority"] = int(seen.labels.max()) / n
    findings = []
    if unseen:
        findings.append(
            Finding(
                "classes-unseen",
                NOTE,
                f"{job.targets.name}: {count(len(unseen), 'class', 'classes')} of {len(names)} no row has: {listing(unseen)}",
                cure="if it should have, look at how the labels were made",
            )
        )
    guessed = np.flatnonzero(seen.predicted)
    if poor and len(guessed) == 1 and n >= LEAST_ROWS and np.count_nonzero(seen.labels) > 1:
        findings.append(
            Finding(
                "one-class-predicted",
                WARNING,
                f"{job.predictions.name}: every row predicts {names[guessed[0]]}, and the labels have "
                f"{np.count_nonzero(seen.labels)} classes",
                cure="has the model collapsed, or is a column of ids among the predictions?",
            )
        )
    exchanged = None if seen.confusion is None else permuted(seen.confusion, names, has_names(job))
    if exchanged is not None:
        findings.append(exchanged._replace(message=f"{job.targets.name}: {exchanged.message}"))
    return findings


def _scores(job: Job, aggregate: Aggregate, against: Compared | None) -> dict[str, Any]:
    """Return the mean loss, and those of the best constant prediction and of shuffled labels if they are known."""
    summary = aggregate[Summary]
    mean = summary.weighted.over(summary.weight) if job.by_elements else summary.mean
    scores: dict[str, Any] = {"loss": mean}
    best = baseline(job, aggregate, "mean", mean)
    if best is not None:
        scores["baseline"] = best.value
    if against is not None:
        scores["shuffled"] = against.shuffled
    return scores


def quantised(sample: Sample | None) -> bool:
    """Whether predictions have few distinct values, such as rounded or hard ones, for which equal rows are natural."""
    if sample is None or not sample.predictions:
        return False
    values = np.concatenate(sample.predictions)
    return len(np.unique(values)) < QUANTISED * values.size


def _of_twins(job: Job, twins: Twins) -> list[Finding]:
    """Return a finding if rows of predictions occur more than once."""
    number, all_of_them, pairs = twins.found()
    if not number:
        return []
    places = tuple(job.predictions.place(row) for row, _ in pairs)
    return [
        Finding(
            "duplicate-rows",
            WARNING,
            f"{places[0]}: the predictions are equal to {job.predictions.place(pairs[0][1])} "
            f"({'' if all_of_them else 'at least '}{count(number, 'row')} like this)",
            places,
            "was a batch written twice, or a sample drawn again?",
        )
    ]
