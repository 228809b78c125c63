"""The audit itself: each call of a library at each case in each dtype, judged, with the smallest counterexamples."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from mpmath import mp, mpf

from losscli.analysis.audit.cases import cases
from losscli.analysis.audit.judge import ROUNDINGS, TOLERANCE, error_of, judged, tolerance
from losscli.analysis.audit.model import (
    CONVENTION,
    ENDLESS,
    FAULTS,
    GRADIENT,
    LOST,
    NOT_FINITE,
    PRECISIONS,
    VALUE,
    Case,
    Finding,
    Judged,
    Precision,
    Tried,
    brief,
    rounded,
)
from losscli.analysis.audit.run import Outcome, Runner, quietly
from losscli.analysis.audit.shrink import cost, shrunk
from losscli.analysis.audit.subject import Applied, Subject, refusal
from losscli.analysis.audit.truth import (
    MORE_DIGITS,
    Slope,
    bend,
    bend_of_vector,
    condition,
    gradient,
    is_finite,
    is_known,
    plain,
    precise,
    truth,
)
from losscli.definition.convention import Convention
from losscli.definition.loss import BoundLoss

EXPONENTIAL = ("sigmoid", "softmax", "margin", "ranking", "batch", "overlap")
"""Families whose predictions are exponents: with large ones, more digits are needed to keep 60."""
FEATURES = ("cosine", "cosine-pair", "pair", "triplet", "batch")
"""Families whose predictions are features: a rounding of one coordinate is one of the vector."""
PREFERRED = ("float32", "float64", "float16", "bfloat16")
"""The dtype of an example: the first of these in which it is found."""


class Truth:
    """The truth of one case under one convention, computed as far as it is asked for."""

    def __init__(self, bound: BoundLoss, kind: str | None, convention: Convention, case: Case) -> None:
        if convention.cast is not None:
            case = cast(case, convention.cast)
        self.case, self.convention = case, convention
        self.function = truth(bound, kind, convention, case)
        exponential = bound.family.name in EXPONENTIAL and kind in (None, "logits")
        self.features = bound.family.name in FEATURES
        self.largest = 2 * float(np.abs(case.p[np.isfinite(case.p)]).max(initial=0)) if exponential else 0.0

    @cached_property
    def x(self) -> list[Any]:
        return [mpf(one) for one in self.case.numbers]

    @cached_property
    def value(self) -> Any:
        return precise(lambda: self.function(self.x), self.largest)

    @property
    def endless(self) -> bool:
        """Whether predictions are infinite, so that the loss is a limit; its gradient is not judged."""
        return not np.isfinite(self.case.p).all()

    @cached_property
    def slopes(self) -> list[Slope | None]:
        if self.endless:
            return [None] * len(self.x)
        found: list[Slope | None] = precise(lambda: gradient(self.function, self.x), self.largest, MORE_DIGITS)
        return found

    def condition(self) -> Any:
        """How far rounding moves the value. A library that cuts probabilities rounds 1 - p, beside 1."""
        return condition(self.x, self.slopes) + self.cut

    @property
    def cut(self) -> int:
        return int(self.convention.clip is not None)

    def bend(self, i: int) -> Any:
        """How far rounding moves the derivative by the i-th prediction."""
        return (
            self._bend_of_vector
            if self.features
            else precise(lambda: bend(self.function, self.x, i), self.largest, MORE_DIGITS)
        )

    def is_beside_a_kink(self, i: int, found: float, eps: float) -> bool:
        """Whether a derivative is that on one of the sides of a kink, which is nearer than the rounding of the prediction."""
        if not math.isfinite(found):
            return False
        step = mpf(ROUNDINGS * eps) * abs(self.x[i])

        def sides() -> list[Slope | None]:
            moved = ([*self.x[:i], self.x[i] + sign * step, *self.x[i + 1 :]] for sign in (1, -1))
            return [gradient(self.function, x)[i] for x in moved]

        ends = [slope.middle for slope in precise(sides, self.largest, MORE_DIGITS) if slope is not None]
        return len(ends) == 2 and not _same(*ends) and any(_same(mpf(found), end) for end in ends)

    @cached_property
    def _bend_of_vector(self) -> Any:
        return precise(lambda: bend_of_vector(self.function, self.x), self.largest, MORE_DIGITS)

    @cached_property
    def operand(self) -> float:
        """The largest number among the operands."""
        case = self.case
        parts = [case.p, case.t, *([] if case.third is None else [case.third])]
        return max(float(np.abs(part[np.isfinite(part)]).max(initial=0)) for part in parts)


def _same(one: Any, other: Any) -> bool:
    """Whether two derivatives are the same within the tolerance."""
    return bool(abs(one - other) <= mpf(TOLERANCE) * max(mpf(1), abs(other)))


def cast(case: Case, dtype: str) -> Case:
    """Return a case whose operands are converted to a dtype."""
    t = rounded(case.t, dtype) if case.t.dtype.kind == "f" else case.t
    return Case(rounded(case.p, dtype), t, None if case.third is None else rounded(case.third, dtype))


class Prover:
    """Judges one call of a library."""

    def __init__(self, subject: Subject, runner: Runner) -> None:
        self.subject, self.runner = subject, runner
        self.mated = subject.library.name == "sklearn"  # which wants all classes among the targets
        self.truths: dict[Any, Truth] = {}
        self.up_to: dict[str, float] = {}

    def judged(self) -> Judged:
        """Return the report on the call."""
        subject = self.subject
        report = Judged(subject.name, subject.record.loss, subject.record.prediction_kind)
        unknown = None if is_known(subject.bound) else "no cases are known for losses of this family"
        if (reason := refusal(subject.record) or unknown) is not None:
            report.refused = {"every dtype": reason}
            return report
        seen: dict[tuple[str, str], dict[str, list[Case]]] = {}
        for dtype in subject.dtypes:
            if dtype in self.runner.dtypes:
                self._in(dtype, report, seen)
        for of in (VALUE, GRADIENT):
            for verdict in FAULTS:
                if (verdict, of) in seen:
                    report.findings.append(self._finding(verdict, of, seen[verdict, of]))
        return report

    def _in(self, dtype: str, report: Judged, seen: dict[tuple[str, str], dict[str, list[Case]]]) -> None:
        """Try all cases in a dtype; `seen` gets those that do not hold, by verdict."""
        subject = self.subject
        tried = cases(subject.bound, subject.record.prediction_kind, dtype, subject.form, self.mated)
        outcomes = self._run(tried, dtype)
        raised = [outcome.raised for outcome in outcomes if outcome.raised is not None]
        if len(raised) == len(outcomes):
            report.refused[dtype] = str(raised[0]) if raised else "no case is in its domain"
            return
        errors = {VALUE: 0.0, GRADIENT: 0.0}
        graded = False
        for case, outcome in zip(tried, outcomes, strict=True):
            if outcome.raised is not None:
                continue
            graded |= self._graded(outcome)
            for of in (VALUE, GRADIENT):
                verdict, error = self._verdict(case, outcome, dtype, of)
                if verdict == LOST and of == VALUE:
                    self._note(case, outcome, dtype)
                if verdict is not None:
                    seen.setdefault((verdict, of), {}).setdefault(dtype, []).append(case)
                else:
                    errors[of] = max(errors[of], error)
        points = len(outcomes) - len(raised)
        report.tried[dtype] = Tried(points, errors[VALUE], errors[GRADIENT] if graded else None)
        if raised:
            report.refused[f"{dtype} ({len(raised)} of {len(outcomes)} points)"] = str(raised[0])

    def _graded(self, outcome: Outcome) -> bool:
        """Whether a gradient is judged: not of whole batches, where libraries differentiate features as they are, of any length."""
        return outcome.gradient is not None and self.subject.bound.family.coupled != "rows"

    def _run(self, tried: Sequence[Case], dtype: str) -> list[Outcome]:
        subject = self.subject
        outcomes: list[Outcome] = quietly(lambda: self.runner.outcomes(subject, tried, dtype, subject.operands))
        return outcomes

    def _applied(self, case: Case, dtype: str) -> Applied:
        return self.subject.applied(dtype, case.p.shape[1] if case.p.ndim == 2 else 1)

    def _truth(self, case: Case, dtype: str, mathematics: bool) -> Truth:
        """Return the truth by the mathematics alone, or by the library's convention."""
        applied = self._applied(case, dtype)
        convention = plain(applied.convention) if mathematics else applied.convention
        key = (case.key, convention, tuple(applied.bound.parameters.values()))
        if key not in self.truths:
            self.truths[key] = Truth(applied.bound, self.subject.record.prediction_kind, convention, case)
        return self.truths[key]

    def _precision(self, case: Case, dtype: str) -> Precision:
        """Return the precision of the computation: the coarser one of the operands' and that to which they are converted."""
        own = self._applied(case, dtype).convention.cast
        return max((PRECISIONS[name] for name in (dtype, own or dtype)), key=lambda precision: precision.eps)

    def _verdict(self, case: Case, outcome: Outcome, dtype: str, of: str) -> tuple[str | None, float]:
        """Return what is wrong with a value or a gradient, and its error if nothing is.

        What is not the mathematics may be that with the library's convention.
        """
        if of == GRADIENT and not self._graded(outcome):
            return None, 0.0
        judge = self._of_value if of == VALUE else self._of_gradient
        precision, mathematics = self._precision(case, dtype), self._truth(case, dtype, True)
        verdict, error = judge(mathematics, outcome, precision)
        endless = of == VALUE and math.isfinite(outcome.value) and not is_finite(mathematics.value)
        convention = self._applied(case, dtype).convention
        if (verdict is None and not endless) or convention == plain(convention):
            return verdict, error
        other = self._truth(case, dtype, False)
        if not is_finite(other.value):  # the library's formula has no number either: that is no excuse
            return verdict, error
        by_convention, other_error = judge(other, outcome, precision)
        if by_convention is None:
            return CONVENTION, other_error
        return (None, error) if verdict is None else (by_convention, other_error)

    @staticmethod
    def _of_value(true: Truth, outcome: Outcome, precision: Precision) -> tuple[str | None, float]:
        verdict = judged(outcome.value, true.value, precision, true.operand, true.condition)
        verdict = ENDLESS if verdict == NOT_FINITE and true.endless else verdict
        return verdict, error_of(outcome.value, true.value)

    @staticmethod
    def _of_gradient(true: Truth, outcome: Outcome, precision: Precision) -> tuple[str | None, float]:
        assert outcome.gradient is not None
        worst, error = [], 0.0
        for i, (found, slope) in enumerate(zip(outcome.gradient.reshape(-1).tolist(), true.slopes, strict=True)):
            if slope is None:
                continue
            if not slope.smooth:
                low, high = min(slope.left, slope.right), max(slope.left, slope.right)
                room = mpf(1e-5) * max(mpf(1), abs(low), abs(high))
                if math.isfinite(found) and low - room <= found <= high + room:
                    continue
            verdict = judged(found, slope.middle, precision, true.operand, lambda i=i: true.bend(i))  # type: ignore[misc]
            if verdict is not None and true.is_beside_a_kink(i, found, precision.eps):
                continue
            if verdict is not None:
                worst.append(verdict)
            error = max(error, error_of(found, slope.middle))
        return (min(worst, key=FAULTS.index) if worst else None), error

    def _finding(self, verdict: str, of: str, seen: Mapping[str, list[Case]]) -> Finding:
        """Return the finding about a verdict, with the smallest example."""
        dtype = next(name for name in PREFERRED if name in seen)
        case = min(seen[dtype], key=cost)

        def fail(smaller: Sequence[Case]) -> list[bool]:
            return [
                outcome.raised is None and self._verdict(one, outcome, dtype, of)[0] == verdict
                for one, outcome in zip(smaller, self._run(smaller, dtype), strict=True)
            ]

        if self._may_shrink(case):
            case = shrunk(case, dtype, fail, self._valid)
        (outcome,) = self._run([case], dtype)
        example = {"dtype": dtype} | case.shown(dtype, self.subject.third)
        example |= self._numbers(case, outcome, dtype, of, verdict)
        up_to = self.up_to if (verdict, of) == (LOST, VALUE) else {}
        words = self._applied(case, dtype).words if verdict == CONVENTION else ()
        return Finding(verdict, of, {name: len(found) for name, found in seen.items()}, example, up_to, words)

    def _note(self, case: Case, outcome: Outcome, dtype: str) -> None:
        """Note how large a value is that is lost because it is small, and not beside large operands."""
        true = self._truth(case, dtype, True).value
        if error_of(outcome.value, true) <= tolerance(self._precision(case, dtype)):
            self.up_to[dtype] = max(self.up_to.get(dtype, 0.0), float(abs(true)))

    def _numbers(self, case: Case, outcome: Outcome, dtype: str, of: str, verdict: str) -> dict[str, Any]:
        """Return what came out and what is true: of a convention what the mathematics says, else what it was judged by."""
        mathematics, own = (self._truth(case, dtype, plain) for plain in (True, verdict == CONVENTION))
        if of == VALUE:
            return {
                "value": brief(np.array(outcome.value), dtype),
                "truth": number(nearer(mathematics.value, own.value)),
            }
        assert outcome.gradient is not None
        slopes = [
            None if one is None or other is None else small(nearer(one.middle, other.middle))
            for one, other in zip(mathematics.slopes, own.slopes, strict=True)
        ]
        return {"gradient": brief(outcome.gradient, dtype), "truth": nested(slopes, case.p.shape)}

    def _may_shrink(self, case: Case) -> bool:
        """Rows of probabilities must sum to 1, and features of a batch have unit length."""
        rows = self.subject.bound.family.name == "softmax" and self.subject.record.prediction_kind in (
            "probs",
            "log-probs",
        )
        return not rows and self.subject.bound.family.name not in ("batch", "sequence")

    def _valid(self, case: Case) -> bool:
        bound = self.subject.bound
        domains = bound.declaration.domains(bound.parameters)
        if self.subject.record.prediction_kind == "probs" and not ((case.p >= 0) & (case.p <= 1)).all():
            return False
        if bound.family.target_type == "classes" and case.t.dtype.kind == "f" and not self._is_one_hot(case):
            return False
        if bound.family.third_operand == "variance" and case.third is not None and (case.third <= 0).any():
            return False
        numeric = bound.family.target_type == "numbers"
        outside = domains.predictions.outside(case.p).any() or (numeric and domains.targets.outside(case.t).any())
        return bool(np.isfinite(case.p).all() and not outside)

    @staticmethod
    def _is_one_hot(case: Case) -> bool:
        return bool(((case.t == 0) | (case.t == 1)).all() and (case.t.sum(axis=-1) == 1).all())


def nested(items: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return a flat list as nested lists of a shape."""
    if len(shape) < 2:
        return list(items)
    step = len(items) // shape[0]
    return [nested(items[i : i + step], shape[1:]) for i in range(0, len(items), step)]


def nearer(mathematics: Any, own: Any) -> Any:
    """Return the truth by a convention, or that of the mathematics if it is the same but for what nobody sees."""
    if not is_finite(own):
        return mathematics
    if not is_finite(mathematics):
        return own
    return mathematics if abs(mathematics - own) <= mpf(1e-9) * max(mpf(1), abs(own)) else own


def number(x: Any) -> float | str:
    """Return an mpf as a float; as text if it is too large for one."""
    made = float("nan") if isinstance(x, mp.mpc) else float(x)
    return str(mp.nstr(x, 6)) if math.isinf(made) and mp.isfinite(x) else made


def small(x: Any) -> float | str:
    """Return a derivative as a float; 0 if it is what is left of a difference."""
    return 0.0 if abs(x) < mpf(10) ** -80 else number(x)
