"""Whether a loss of the user's own is right: its properties, each met or broken with the smallest counterexample.

Values and gradients are compared with a reference of losscli's own on a grid, at extremes, and on the user's files;
other properties need no reference. If a difference follows a pattern, the pattern is named.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from losscli.analysis.shared.points import LABELS, Points, endless, perfect
from losscli.analysis.verify.match import SMOOTH, Matcher
from losscli.analysis.verify.model import BROKEN, MET, SKIPPED, WARNING, Example, Matched, Property, Verified
from losscli.analysis.verify.patterns import TOLERANCE, Explanation, averaged_first, clips, close, patterns
from losscli.analysis.verify.subject import Reference, Subject
from losscli.arrays import Array
from losscli.custom.coupling import CoupledError
from losscli.custom.loss import CLASSES, ONE, declared, described, values_of
from losscli.custom.read import read
from losscli.custom.reading import CallError, Found, completed
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.errors import UsageError
from losscli.io.operands import Opener
from losscli.io.source import blocks
from losscli.measurement.row_losses import score
from losscli.records import replace
from losscli.wording import short

TINY = 1e-6
"""Losses whose reference is smaller than this must have two right digits, or there is a warning."""
SLOPES = 1e-4
"""A gradient is broken if it differs from differences, whose own error is near 1e-9, by
more than this times max(1, |it|).
"""

ROWS_TOGETHER = 9
"""Number of rows that are tested together and one by one."""


def verify(
    where: str | Found,
    against: str | None = None,
    operands: str | None = None,
    takes: str | None = None,
    files: Request | None = None,
    parameters: Mapping[str, float | None] | None = None,
) -> Verified:
    """Test a loss of the user's own.

    Parameters
    ----------
    where
        path/to/file.py:name, the name under which a package registers it, or a loss that was read already.
    against
        the SPEC of the reference; None for the one that its name suggests.
    operands, takes
        as in a request.
    files
        a request of the user's files, whose losses are compared row by row.
    parameters
        parameters of the loss that differ from its defaults.

    Raises
    ------
    UsageError, DataError
        if the loss cannot be recognised, or files cannot be used.
    """
    found = where if isinstance(where, Found) else read(where)
    all_parameters = dict(found.parameters) | dict(parameters or {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # frameworks warn about the shapes that are tried
        return _verified(found, against, operands, takes, files, all_parameters)


def _verified(
    found: Found,
    against: str | None,
    operands: str | None,
    takes: str | None,
    files: Request | None,
    parameters: Mapping[str, float | None],
) -> Verified:
    where = found.where
    try:
        found = completed(found, values_of(found, parameters))
        matched = Matcher(found, parameters, against, operands, takes).matched()
    except CallError as error:
        words = f"{where}: {found.kind} of ({', '.join(found.operands)})"
        return Verified(where, words, against, [Property("call", BROKEN, str(error))])
    report = Verified(
        where, _described(found, matched, operands), None if matched.reference is None else matched.reference.name
    )
    Prover(Subject(found, matched.settings, parameters, matched.prediction_kind), matched, report).run()
    if files is not None:
        report.properties.append(_on_files(files, found, parameters, matched))
    return report


def _on_files(files: Request, found: Found, parameters: Mapping[str, float | None], matched: Matched) -> Property:
    """Compare the loss with the reference on the user's own rows, unless its rows have no losses of their own."""
    try:
        return on_files(files, found, parameters, matched)
    except CoupledError as error:
        return Property("value on the files", BROKEN, f"it couples rows: {error.fact}")


def _described(found: Found, matched: Matched, operands: str | None) -> str:
    """Return in words how the loss is called; `operands` is the order that the user said."""
    settings = matched.settings
    if settings.wants is None and matched.family.target_type != "numbers":
        settings = replace(settings, wants=matched.prediction_kind)
    words = described(found, settings, matched.prediction_kind)
    if matched.labels == LABELS[1]:
        words += f" in {{{LABELS[1][0]:g}, {LABELS[1][1]:g}}}"
    found_out = []
    if settings is not matched.settings and matched.reference is not None:
        found_out.append(f"that it wants {matched.prediction_kind}")
    if found.targets_first is None and operands is None:
        found_out.append(f"that {'targets' if settings.targets_first else 'predictions'} come first")
    return words + (f"; {' and '.join(found_out)} is what fits the reference best" if found_out else "")


class Prover:
    """Tests one property after another."""

    def __init__(self, subject: Subject, matched: Matched, report: Verified) -> None:
        self.subject, self.matched, self.report = subject, matched, report
        self.reference = matched.reference
        self.explanation: Explanation | None = None
        self.points = matched.grid()

    def run(self) -> None:
        """Test all properties that need no files."""
        looks: dict[str, Callable[[], None]] = {
            "shape and dtype": self._shape,
            "value": self._value,
            "value at extremes": self._extremes,
            "infinite logits": self._infinite,
            "gradient": self._gradient,
            "gradient against the reference": self._gradient_of_reference,
            "gradient at extremes": self._gradient_at_extremes,
            "per sample": self._independent,
            "permutation": self._permuted,
            "shift of logits": self._shifted,
            "perfect prediction": self._perfect,
            "parameters": self._effects,
            "inputs": self._unchanged,
        }
        for name, look in looks.items():
            try:
                look()
            except CallError as error:
                self._add(name, BROKEN, str(error))
        self.report.patterns = list(dict.fromkeys(self.report.patterns))

    def _add(self, name: str, verdict: str, words: str, example: Example | None = None) -> None:
        self.report.properties.append(Property(name, verdict, words, example))

    @property
    def _is_scalar(self) -> bool:
        return self.subject.settings.returns == ONE

    def _shape(self) -> None:
        for dtype in self.matched.dtypes:
            points = self.points.as_(dtype).take(slice(0, 5))
            losses = self.subject.raw(points)
            if losses.size not in (1, 5) and losses.shape != points.x.shape:
                words = f"5 rows of shape {points.x.shape} give shape {losses.shape}, not a number per row"
                self._add("shape and dtype", BROKEN, words)
                return
            if losses.dtype != dtype:
                words = f"predictions of {np.dtype(dtype)} give losses of {losses.dtype}"
                verdict = WARNING if losses.dtype.kind == "f" else BROKEN
                self._add("shape and dtype", verdict, words, self.points.shown(0))
                return
        if self.matched.single:
            self._add("shape and dtype", WARNING, "it takes predictions of float32 only, and fails with float64")
            return
        what = "one number for all rows" if self._is_scalar else f"shape {losses.shape} of predictions {points.x.shape}"
        self._add("shape and dtype", MET, f"{what}, in their dtype")

    def _value(self) -> None:
        if self.reference is None:
            self._add("value", SKIPPED, "no reference is known by its name; name one with --against SPEC")
            return
        for dtype in self.matched.dtypes:
            points = self.points.as_(dtype)
            values = self.subject.values(points)
            if not self._same("value", points, values, f"on a grid, {np.dtype(dtype)}"):
                self.explanation = self.matched.explanation or patterns(self.reference, points, values)
                self.report.patterns += [] if self.explanation is None else self.explanation.words
                return
        self._add("value", MET, f"that of {self.reference.name} on a grid of {len(values)} rows")

    def _same(self, name: str, points: Points, values: Array, words: str) -> bool:
        """Whether values agree with the reference's; if not, the property is added as broken."""
        assert self.reference is not None
        true = self.reference(points)
        wrong = np.isfinite(true) & ~close(values, true)
        if not wrong.any():
            return True
        row = int(wrong.argmax())  # the first one: the points are in order of their size
        if not np.isfinite(values[row]):
            words = f"not finite where {self.reference.name} is {words}"
        else:
            words = f"differs from {self.reference.name} in {int(wrong.sum())} of {len(true)} rows {words}"
        self._add(name, BROKEN, words, _pair(points, row, values, true))
        return False

    def _extremes(self) -> None:
        if self.reference is None:
            return
        lost: Example | None = None
        for dtype in self.matched.dtypes:
            points = self.matched.extremes().as_(dtype)
            values, true = self.subject.values(points), self.reference(points)
            if not self._same("value at extremes", points, values, f"at extremes, {np.dtype(dtype)}"):
                if not any("clipped" in words or "added" in words for words in self.report.patterns):
                    self.report.patterns += clips(self.reference, points, values, self.explanation)
                return
            small = (true > np.finfo(dtype).tiny) & (true < TINY)
            tiny = small & (np.abs(values - np.where(small, true, 0)) > 0.01 * true)
            if tiny.any() and lost is None:
                row = int(tiny.argmax())
                lost = _pair(points, row, values, true) | {"dtype": str(np.dtype(dtype))}
        self._add("value at extremes", MET, "that of the reference, and finite wherever it is")
        if lost is not None:
            self._add("tiny values", WARNING, "losses below 1e-6 are lost, or have fewer than two right digits", lost)

    def _infinite(self) -> None:
        if self.reference is None or self.subject.prediction_kind != "logits" or not self.matched.family.takes_from:
            return
        if self.matched.masks:
            return
        points = self.matched.cast(endless(self.matched.family, self.matched.labels))
        values, true = self.subject.values(points), self.reference(points)
        bad = np.isfinite(true) & ~np.isfinite(values)
        if bad.any():
            words = "not finite at an infinite logit, where the loss has a limit"
            self._add("infinite logits", WARNING, words, _pair(points, int(bad.argmax()), values, true))
        else:
            self._add("infinite logits", MET, "finite where the loss has a limit")

    def _gradient(self) -> None:
        name = self.subject.own.framework.name
        if name == "numpy":
            self._add("gradient", SKIPPED, "by differences: NumPy has no autograd to compare them with")
            return
        points = self._fewer
        slopes = self.subject.gradient(points)
        if np.isnan(slopes).all():
            self._add(
                "gradient", BROKEN, f"{name} knows none: the loss leaves its arrays on the way (.numpy(), .item())"
            )
            return
        numeric = self.subject.differences(points)
        wrong = np.logical_and.reduce([~_near(slopes, differences) for differences in numeric])
        if wrong.any():
            words = "autograd differs from differences of its own values, as where a part is detached"
            self._add("gradient", BROKEN, words, _slopes(points, wrong, slopes, numeric[0], "differences"))
        else:
            self._add("gradient", MET, "autograd agrees with differences of its values")

    @property
    def _fewer(self) -> Points:
        """The points for gradients; fewer of them if each row needs a call of its own."""
        return self.points.take(slice(None, None, 5)) if self._is_scalar else self.points

    def _gradient_of_reference(self) -> None:
        if self.reference is None:
            return
        points = self._fewer
        true = self.reference.gradient(points)
        numeric = self.subject.own.framework.name == "numpy"
        gradients = self.subject.differences(points) if numeric else [self.subject.gradient(points)]
        tolerance = SLOPES if numeric else TOLERANCE
        wrong = np.logical_and.reduce([~_near(slopes, true, tolerance) for slopes in gradients])
        if wrong.any():
            example = _slopes(points, wrong, gradients[0], true, "reference")
            words = f"differs from that of {self.reference.name}"
            self._add("gradient against the reference", BROKEN, words, example)
        else:
            self._add("gradient against the reference", MET, f"that of {self.reference.name}")

    def _gradient_at_extremes(self) -> None:
        """Test the gradient where powers of 0 and infinite logarithms behind a mask give
        NaN, although the value is right.
        """
        if self.reference is None or self.subject.own.framework.name == "numpy":
            return
        points = self.matched.extremes()
        slopes, true = self.subject.gradient(points), self.reference.gradient(points)
        wrong = np.isfinite(true) & ~_near(slopes, true, TOLERANCE)
        name = "gradient at extremes"
        if not wrong.any():
            self._add(name, MET, "that of the reference, and finite wherever it is")
            return
        infinite = wrong & ~np.isfinite(slopes)
        right = all(one.verdict == MET for one in self.report.properties if one.name.startswith("value"))
        if right and self.subject.prediction_kind == "probs" and not infinite.any():
            words = "finite, but not that of the reference where a probability is nearly 0: it is cut off there"
            self._add(name, WARNING, words, _slopes(points, wrong, slopes, true, "reference"))
            return
        words = "not finite where that of {} is" if infinite.any() else "differs from that of {}"
        where = infinite if infinite.any() else wrong
        words = words.format(self.reference.name)
        self._add(name, BROKEN, words, _slopes(points, where, slopes, true, "reference"))

    def _independent(self) -> None:
        points = self.points.take(slice(0, ROWS_TOGETHER))
        if self._is_random:
            self._add("per sample", BROKEN, "it is random, or remembers earlier calls: the same rows have other losses")
            return
        alone = np.array([self.subject.values(points.take(slice(i, i + 1)))[0] for i in range(ROWS_TOGETHER)])
        if self._is_scalar:
            together = float(self.subject.raw(points).item())
            for name, expected in (("mean", alone.mean()), ("sum", alone.sum())):
                if abs(together - expected) <= TOLERANCE * max(1, abs(expected)):
                    self._add("per sample", MET, f"one number: the {name} of the rows' own losses")
                    return
            if self.matched.masks:
                self._add(
                    "per sample",
                    SKIPPED,
                    "several masks that are passed together are one mask: their elements are pooled",
                )
                return
            words = "the loss of several rows is neither the mean nor the sum of each row's own"
            example = {"rows": ROWS_TOGETHER, "value": together, "mean of the rows": float(alone.mean())}
            self._add("per sample", BROKEN, words, example)
            if self.reference is not None and self.explanation is None:
                self.report.patterns += filter(None, [averaged_first(self.reference, points, together)])
            return
        each = self.subject.values(points)
        wrong = ~(close(each, alone) | (np.isnan(each) & np.isnan(alone)))
        if wrong.any():
            row = int(wrong.argmax())
            shown = points.shown(row) | {f"among {ROWS_TOGETHER} rows": float(each[row]), "alone": float(alone[row])}
            self._add("per sample", BROKEN, "a row's loss depends on the rows beside it", shown)
        else:
            self._add("per sample", MET, "a row's loss does not depend on the others")

    @property
    def _is_random(self) -> bool:
        """Whether the same rows have other losses when the loss is called again."""
        points = self.points.take(slice(0, ROWS_TOGETHER))
        one, other = (self.subject.raw(points).astype(np.float64) for _ in range(2))
        return one.shape != other.shape or not (close(one, other) | (np.isnan(one) & np.isnan(other))).all()

    def _permuted(self) -> None:
        if self._is_random:
            self._add("permutation", SKIPPED, "it is random, or remembers earlier calls")
            return
        order = np.random.default_rng(0).permutation(len(self.points.x))
        if self._is_scalar:
            losses = [self.subject.raw(points).astype(np.float64) for points in (self.points, self.points.take(order))]
            values, permuted = (np.atleast_1d(points) for points in losses)
        else:
            values, permuted = self.subject.values(self.points)[order], self.subject.values(self.points.take(order))
        same = close(permuted, values) | (np.isnan(values) & np.isnan(permuted))
        if same.all():
            self._add("permutation", MET, "rows in another order have the same losses")
        else:
            example = {"value": float(values[~same][0]), "permuted": float(permuted[~same][0])}
            self._add("permutation", BROKEN, "rows in another order have other losses", example)

    def _shifted(self) -> None:
        known = self.reference is not None or self.subject.own.found.wants == "logits"
        if not known or self.matched.masks or self.points.x.ndim != 2 or self.subject.prediction_kind != "logits":
            return
        values = self.subject.values(self.points)
        for shift in (-3.0, 10.0):
            moved = self.subject.values(Points(self.points.x + shift, self.points.targets))
            wrong = ~close(moved, values)
            if wrong.any():
                row = int(wrong.argmax())
                shown = self.points.shown(row) | {
                    "value": float(values[row]),
                    f"all logits {shift:+g}": float(moved[row]),
                }
                words = "adding a number to all logits of a row changes its loss, and leaves its softmax as it is"
                self._add("shift of logits", BROKEN, words, shown)
                return
        self._add("shift of logits", MET, "a number added to all logits of a row changes nothing")

    def _perfect(self) -> None:
        if self.reference is None and self.matched.family.target_type != "classes":
            self._add("perfect prediction", SKIPPED, "without a reference it is not known what a perfect prediction is")
            return
        values = self.subject.values(self.points)
        sure = self.matched.cast(perfect(self.points, self.matched.family, self.subject.prediction_kind))
        best = self.subject.values(sure)
        worse = ~(values >= best - TOLERANCE)
        if worse.any():
            row = int(worse.argmax())
            shown = self.points.shown(row) | {
                "value": float(values[row]),
                "at a perfect prediction": float(best[row]),
            }
            self._add("perfect prediction", BROKEN, "another prediction has a smaller loss than the perfect one", shown)
        else:
            zero = bool((np.abs(best) <= TOLERANCE).all())
            self._add("perfect prediction", MET, f"the smallest loss, {'0' if zero else f'{best.max():g}'}")

    def _effects(self) -> None:
        base = self.subject.values(self.points)
        for name, value in self.subject.parameters.items():
            same: list[float] = []
            for other in _others(value):
                try:
                    changed = self.subject.but(**{name: other}).values(self.points)
                except (CallError, UsageError):
                    continue
                if not np.array_equal(changed, base, equal_nan=True):
                    self._effect(name, value)
                    break
                same.append(other)
            else:
                told = "none" if value is None else short(value)
                if same:
                    words = f"{name}={short(same[0])} gives the same losses as {name}={told}: it has no effect"
                    self._add(f"parameter {name}", BROKEN, words)
                else:
                    self._add(f"parameter {name}", SKIPPED, "it fails with every other number that was tried")

    def _effect(self, name: str, value: float | None) -> None:
        """Test a parameter that changes the losses: if the reference has it too, the losses must change as the reference's do.

        Mistakes may hide behind a default: with delta = 1 the Huber loss may lack the factor delta.
        """
        for other in _others(value):
            reference = self._with(name, value, other)
            if reference is None:
                continue
            try:
                changed = self.subject.but(**{name: other}).values(self.points)
            except (CallError, UsageError):
                continue
            true = reference(self.points)
            wrong = np.isfinite(true) & ~close(changed, true)
            if not wrong.any():
                self._gradient_with(name, other, reference)
                return
            words = (
                f"with {name}={short(other)} it differs from {reference.name} in {int(wrong.sum())} of {len(true)} rows"
            )
            self._add(f"parameter {name}", BROKEN, words, _pair(self.points, int(wrong.argmax()), changed, true))
            found = patterns(reference, self.points, changed)
            self.report.patterns += [] if found is None else found.words
            return
        self._add(f"parameter {name}", MET, "changes the losses")

    def _gradient_with(self, name: str, other: float, reference: Reference) -> None:
        """Test the gradient with another value of a parameter, with which the losses are right: a default of 0 hides a part that is detached."""
        if self.subject.own.framework.name != "numpy":
            points = self._fewer
            slopes, true = self.subject.but(**{name: other}).gradient(points), reference.gradient(points)
            known = not any(one.name.startswith("gradient") and one.verdict == BROKEN for one in self.report.properties)
            wrong = np.isfinite(true) & ~_near(slopes, true, TOLERANCE)
            if wrong.any() and known:
                words = f"with {name}={short(other)} its gradient differs from that of {reference.name}"
                self._add(f"parameter {name}", BROKEN, words, _slopes(points, wrong, slopes, true, "reference"))
                return
        self._add(f"parameter {name}", MET, f"changes the losses, to those of {reference.name}")

    def _with(self, name: str, value: float | None, other: float) -> Reference | None:
        """Return the reference with another value of a parameter; None if it has none, or not this value, or the losses are wrong anyway."""
        reference = self.reference
        if (
            reference is None
            or self.explanation is not None
            or any(one.name == "value" and one.verdict == BROKEN for one in self.report.properties)
        ):
            return None
        if name in SMOOTH and value and reference.bound.parameters.get("smooth"):
            return reference.but(smooth=float(reference.bound.parameters["smooth"] or 0) / value * other)
        if name == "alpha" and reference.factor == value and reference.bound.parameters.get("alpha") is None:
            return replace(reference, factor=other)
        if value is None or reference.bound.parameters.get(name) != value:
            return None
        try:
            return reference.but(**{name: other})
        except UsageError:
            return None

    def _unchanged(self) -> None:
        points = self.points.take(slice(0, 6))
        x = points.x.copy()
        kept = self.subject.own.targets(points.targets, points.x)
        t = kept.copy()
        self.subject.called(x, t)
        for what, before, after in (("predictions", points.x, x), ("targets", kept, t)):
            changed = (before != after).reshape(len(before), -1).any(axis=1)
            if changed.any():
                row = int(changed.argmax())
                example = points.shown(row) | {"afterwards": after[row].tolist()}
                self._add("inputs", BROKEN, f"{what} are changed in place", example)
                return
        self._add("inputs", MET, "left as they are")


def on_files(files: Request, found: Found, parameters: Mapping[str, float | None], matched: Matched) -> Property:
    """Compare the loss with the reference on the user's own rows."""
    name, reference = "value on the files", matched.reference
    if reference is None:
        return Property(name, SKIPPED, "no reference is known; name one with --against SPEC")
    opener = Opener.of(files)
    bound = BoundLoss(declared(found, matched.settings, CLASSES), parameters)
    takes = matched.prediction_kind if matched.family.takes_from else None
    own = score(replace(files, loss=bound, takes=takes), opener)
    true = score(replace(files, loss=reference.bound), opener)
    worst: tuple[float, Example] = (TOLERANCE, {})
    wrong = rows = 0
    for start, values in blocks(own.losses):
        expected = true.losses.read(start, start + len(values)) * reference.factor
        with np.errstate(all="ignore"):
            gap = np.abs(values - expected) / np.maximum(1, np.abs(expected))
        finite = np.isfinite(expected)
        gap = np.where(finite, np.where(np.isnan(gap), np.inf, gap), 0)
        rows, wrong = rows + int(finite.sum()), wrong + int((gap > TOLERANCE).sum())
        at = int(gap.argmax())
        if gap[at] > worst[0]:
            shown = {"sample": start + at, "value": float(values[at]), "reference": float(expected[at])}
            worst = float(gap[at]), shown
    if wrong:
        return Property(
            name, BROKEN, f"differs from {reference.name} in {wrong:,} of {rows:,} rows, most here", worst[1]
        )
    return Property(name, MET, f"that of {reference.name} in {rows:,} rows")


def _pair(points: Points, row: int, values: Array, true: Array) -> Example:
    return points.shown(row) | {"value": float(values[row]), "reference": float(true[row])}


def _slopes(points: Points, wrong: Array, slopes: Array, other: Array, called: str) -> Example:
    row = int(wrong.reshape(len(wrong), -1).any(axis=1).argmax())
    return points.shown(row) | {"gradient": slopes[row].tolist(), called: other[row].tolist()}


def _near(slopes: Array, other: Array, tolerance: float = SLOPES) -> Array:
    with np.errstate(all="ignore"):
        return np.abs(slopes - other) <= tolerance * np.maximum(1, np.abs(other))


def _others(value: float | None) -> list[float]:
    """Return other values of a parameter, some of which may be outside its domain."""
    base = 0.5 if value is None else float(value)
    candidates = [base * 1.5 + 0.3, base * 0.5 + 0.1, 0.5, 0.25, base + 1, 2.0, 1.0, 0.0]
    return [number for number in candidates if number != value]
