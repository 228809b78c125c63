"""Running a suite: every measurement is made, compared with its baseline, and judged."""

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losscli.analysis.suite.model import MET, UNMEASURED, UNMET, Check, Outcome, Part, Report, Suite, _total
from losscli.engine.aggregates import divide
from losscli.engine.evaluate import Pass, evaluate_together
from losscli.engine.job import Job, read_alike, threads_for
from losscli.engine.threads import available_threads, pool
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.measurement.as_library import as_library
from losscli.measurement.prepare import prepare
from losscli.wording import did_you_mean


def measure(
    suite: Suite,
    baseline: "Baseline | None" = None,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Measure all that a suite asks for, and judge it."""
    openers: dict[bool | None, Opener] = {}
    parts = {(one.name, i): Part(term) for one in suite.measures for i, term in enumerate(one.terms)}
    for part in parts.values():
        request = part.term.request
        opener = openers.setdefault(request.header, Opener(request.header, looked, request.arrays))
        try:
            measurement = prepare(request, opener=opener, once=False)
            if part.term.library is not None:
                measurement = as_library(measurement, part.term.library, part.term.prediction_kind)
            part.measurement = measurement
        except LosscliError as error:
            part.error = str(error)
    ready = [part for part in parts.values() if part.measurement is not None]
    while ready:
        first = ready[0]
        together = [part for part in ready if part is first or _alike(first, part)]
        ready = [part for part in ready if part not in together]
        _run(together, threads, begun, seen)
    outcomes, notes = [], []
    for one in suite.measures:
        own = [parts[one.name, i] for i in range(len(one.terms))]
        errors = [part.error for part in own if part.error is not None]
        if not errors and math.isnan(_total(one.terms, [part.result for part in own])):
            errors.append("the total is not a number: terms are infinite, of both signs or with the weight 0")
        files = [(part.term.request.predictions, part.term.request.targets) for part in own]
        outcome = Outcome(one, [part.result for part in own], list(dict.fromkeys(errors)), files=files)
        _judge(outcome, baseline)
        outcomes.append(outcome)
        for part in own:
            notes += [_named(one.name, note) for note in (part.measurement.notes if part.measurement else [])]
    paths = {path for opener in openers.values() for path in opener.paths} | {os.path.realpath(suite.file)}
    paths |= {path for part in parts.values() if part.measurement is not None for path in part.measurement.files}
    return Report(suite, outcomes, list(dict.fromkeys(notes)), frozenset(paths))


def _named(name: str, note: str) -> str:
    warning = note.startswith("warning: ")
    return f"{'warning: ' if warning else ''}{name}: {note.removeprefix('warning: ')}"


def _alike(one: Part, other: Part) -> bool:
    assert one.measurement is not None
    assert other.measurement is not None
    return read_alike(one.measurement.job, other.measurement.job)


def _run(parts: list[Part], threads: int | None, begun: Callable[[Job], None], seen: Callable[[int], None]) -> None:
    """Make the results of parts whose predictions are the same, in one pass."""
    calculations = [part.measurement for part in parts if part.measurement is not None]
    passes = [Pass(measurement.job, measurement.collectors) for measurement in calculations]
    begun(passes[0].job)
    try:
        with pool(threads_for(passes[0].job, threads or available_threads())) as executor:
            aggregates = evaluate_together(passes, executor, seen)
        for raw in calculations[0].raws:
            raw.check()
    except LosscliError as error:
        for part in parts:
            part.error = str(error)
        return
    for part, measurement, aggregate in zip(parts, calculations, aggregates, strict=True):
        try:
            part.result = measurement.finished(aggregate)
        except LosscliError as error:
            part.error = str(error)


def _judge(outcome: Outcome, baseline: "Baseline | None") -> None:
    """Evaluate the requirements, and compare with the earlier result."""
    for requirement in outcome.measure.requirements:
        if outcome.errors:
            outcome.checks.append(Check(requirement.text, UNMEASURED, None, "not measured"))
            continue
        try:
            actual = outcome.statistic(requirement.statistic)
        except UsageError as error:
            outcome.checks.append(Check(requirement.text, UNMEASURED, None, str(error).removeprefix("--require ")))
            continue
        status = MET if requirement.met(actual) else UNMET
        outcome.checks.append(Check(requirement.text, status, actual, f"{requirement.statistic} is {actual!r}"))
    if baseline is not None:
        outcome.checks.append(_compared(outcome, baseline))


def _compared(outcome: Outcome, baseline: "Baseline") -> Check:
    tolerance = outcome.measure.tolerance
    what = f"{tolerance.statistic} against {baseline.file}"
    if outcome.errors:
        return Check(what, UNMEASURED, None, "not measured")
    earlier = baseline.measures.get(outcome.measure.name)
    if earlier is None:
        why = f"{baseline.file} has no {outcome.measure.name!r}{did_you_mean(outcome.measure.name, baseline.measures)}"
        return Check(what, UNMEASURED, None, f"{why}; save it with --save")
    if _conventions(str(earlier.get("signature"))) != _conventions(outcome.signature):
        why = f"the earlier result was computed otherwise: {earlier.get('signature')}, now {outcome.signature}"
        return Check(what, UNMEASURED, None, f"{why}; save it anew with --save")
    try:
        actual = outcome.statistic(tolerance.statistic)
    except UsageError as error:
        return Check(what, UNMEASURED, None, str(error).removeprefix("--require "))
    before = earlier.get("value") if tolerance.statistic == "value" else _summary(earlier).get(tolerance.statistic)
    if not isinstance(before, float) or not math.isfinite(before) or actual is None:
        return Check(what, UNMEASURED, actual, f"{baseline.file} has no number for it; save it anew with --save")
    limit = tolerance.limit(before)
    change = actual - before
    share = divide(100 * change, abs(before))
    relative = "" if share != share else f", {share:+.3g} %"
    words = f"{before!r} before, {actual!r} now ({change:+.4g}{relative}); at most {limit!r}"
    return Check(what, MET if actual <= limit else UNMET, actual, words)


def _summary(earlier: Mapping[str, Any]) -> Mapping[str, Any]:
    found = earlier.get("summary")
    own = {key: earlier[key] for key in ("samples", "ignored") if key in earlier}
    return own | dict(found) if isinstance(found, Mapping) else own


def _conventions(signature: str) -> str:
    """A signature without the version, which may differ between two results that can be compared."""
    return re.sub(r"\|losscli:[^| ]*", "", signature)


@dataclass(frozen=True)
class Baseline:
    """Earlier results."""

    file: str
    measures: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, file: str) -> "Baseline":
        """Read the JSON report of an earlier run.

        Raises
        ------
        DataError
            for a file that is missing, or none.
        """
        try:
            found = json.loads(Path(file).read_text(encoding="utf-8-sig"), parse_int=float)
        except OSError as error:
            raise DataError(
                f"{file}: cannot be read: {error.strerror or error} (the baseline); make it with losscli run ... --save {file}"
            ) from error
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise DataError(f"{file}: not JSON ({error}); save it again with --save") from error
        measures = found.get("measures") if isinstance(found, dict) else None
        if not isinstance(measures, list) or not all(isinstance(one, dict) and "name" in one for one in measures):
            raise DataError(f"{file}: not the result of losscli run; save it again with --save")
        return cls(file, {str(one["name"]): one for one in measures})
