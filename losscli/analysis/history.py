"""How results went over time: a measurement's number in each of many files of results, from the first to the last."""

import glob
import json
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

from losscli.analysis.shared.records import differing, statistics, without_version
from losscli.engine.aggregates import divide
from losscli.errors import DataError, UsageError
from losscli.io.small_file import MOST_BYTES_OF_RESULTS, small_text
from losscli.io.strict_json import restored
from losscli.records import NamedTuple, dataclass
from losscli.shown import Shown
from losscli.wording import NESTED, did_you_mean, listing, natural

MOST_DIGITS = 300
"""Digits of a whole number that a float64 surely holds; a longer one is a float64, or infinite."""


class Point(NamedTuple):
    """The number of a measurement in one file of results; None if it could not be measured, or is not in the file."""

    file: str
    value: float | None
    signature: str | None
    """The conventions by which it was computed; None if the measurement is not in the file."""

    @property
    def finite(self) -> bool:
        """Whether there is a finite number."""
        return self.value is not None and math.isfinite(self.value)


class Otherwise(NamedTuple):
    """A file from which on a measurement was computed by other conventions, and which."""

    number: int
    """The number of the point, from 0."""
    file: str
    words: str


@dataclass(frozen=True)
class Series:
    """A measurement over all files."""

    name: str
    points: tuple[Point, ...]

    @property
    def changes(self) -> list[Otherwise]:
        """Where the conventions are others than in the result before, so that the numbers cannot be compared."""
        found, before = [], None
        for number, point in enumerate(self.points):
            if point.signature is None or point.value is None:
                continue  # what could not be measured has no conventions
            now = without_version(point.signature)
            if before is not None and now != before:
                found.append(Otherwise(number, point.file, differing(before, now)))
            before = now
        return found

    @property
    def comparable(self) -> tuple[Point, ...]:
        """The points with finite numbers since the conventions changed last, which can be compared with each other."""
        changes = self.changes
        return tuple(point for point in self.points[changes[-1].number if changes else 0 :] if point.finite)

    @property
    def last(self) -> Point:
        """The last result, whatever it is."""
        return [point for point in self.points if point.signature is not None][-1]

    @property
    def best(self) -> Point | None:
        """The smallest of the comparable numbers, the first one of several; None if there are none."""
        return min(self.comparable, key=lambda point: point.value or 0.0, default=None)

    @property
    def change(self) -> float:
        """The last number minus the first comparable one, as a part of its size; NaN if one of them is missing."""
        points = self.comparable
        if len(points) < 2 or self.last != points[-1]:
            return math.nan
        first, last = points[0].value or 0.0, points[-1].value or 0.0
        return divide(last - first, abs(first))

    def to_dict(self) -> dict[str, Any]:
        """Return the series with the keys of JSON."""
        points, best = self.comparable, self.best
        return {
            "name": self.name,
            "points": [{"file": point.file, "value": point.value} for point in self.points],
            "results": sum(point.signature is not None for point in self.points),
            "first": points[0].value if points else None,
            "last": self.last.value,
            "best": None if best is None else {"file": best.file, "value": best.value},
            "change": self.change,
            "conventions": [{"file": one.file, "change": one.words} for one in self.changes],
            "signature": self.last.signature,
        }


@dataclass(frozen=True, repr=False)
class History(Shown):
    """All measurements of some files of results, which are in the natural order of their names."""

    files: tuple[str, ...]
    statistic: str
    series: tuple[Series, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the history with the keys of JSON."""
        return {
            "statistic": self.statistic,
            "files": list(self.files),
            "measurements": [series.to_dict() for series in self.series],
        }


def history(operands: Iterable[str], statistic: str = "value") -> History:
    """Read files of results, and follow each measurement through them.

    Parameters
    ----------
    operands
        files of `losscli run` and `losscli compute` with `-f json`, patterns of such files, or folders of them.
    statistic
        which number of a result: 'value', 'samples', one of its summary, or the name of a term.

    Raises
    ------
    DataError
        for a file that cannot be read or is no such result, and if there are no files.
    UsageError
        for a statistic that none of the results has.
    """
    files = _files(operands)
    results = [dict(_measurements(file)) for file in files]
    names = dict.fromkeys(name for result in results for name in result)
    known = dict.fromkeys(word for result in results for record in result.values() for word in statistics(record))
    if statistic not in known:
        raise UsageError(
            f"--statistic {statistic}: no result has it{did_you_mean(statistic, known)}; they have {listing(known, 20)}"
        )
    return History(
        tuple(files),
        statistic,
        tuple(
            Series(
                name,
                tuple(_point(file, result.get(name), statistic) for file, result in zip(files, results, strict=True)),
            )
            for name in names
        ),
    )


def _point(file: str, record: Mapping[str, Any] | None, statistic: str) -> Point:
    if record is None:
        return Point(file, None, None)
    return Point(file, statistics(record).get(statistic), str(record.get("signature")))


def _files(operands: Iterable[str]) -> list[str]:
    """Return the files of operands, each once: files in the order in which they are named, those of patterns and folders in the
    natural order of their names.

    Names that are sorted already come from a shell, to which run-10 is before run-2; they get the natural order as well.
    """
    found: list[str] = []
    for operand in operands:
        if os.path.isdir(operand):
            paths = glob.glob(os.path.join(glob.escape(operand), "*.json"))
            if not paths:
                raise DataError(f"{operand}: a folder without .json files; name the files of results")
        elif os.path.exists(operand):
            paths = [operand]
        else:
            paths = glob.glob(operand)
            if not paths:
                what = "no file matches the pattern" if glob.has_magic(operand) else "no such file (results)"
                raise DataError(f"{operand}: {what}; make one with losscli run FILE.toml -f json > results/1.json")
        found += sorted(paths, key=natural)
    named: dict[str, str] = {}
    for path in found:
        named.setdefault(os.path.realpath(path), path)
    once = list(named.values())
    by_a_shell = once in (sorted(once), sorted(once, key=str.casefold))
    return sorted(once, key=natural) if by_a_shell else once


def _measurements(file: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the results in a file, each with its name: that of the suite, or that of the loss."""
    try:
        text = small_text(file, "save results without --per-sample", MOST_BYTES_OF_RESULTS)
        found = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < MOST_DIGITS else float(digits))
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        fact = NESTED if isinstance(error, RecursionError) else "not JSON"
        raise DataError(f"{file}: {fact}, and so no result of losscli run or compute -f json") from error
    if isinstance(found, dict) and isinstance(found.get("measures"), list):
        named = [
            (str(one.get("name")), one) for one in restored(found)["measures"] if _is_result(one) and "name" in one
        ]
        if len(named) == len(found["measures"]) and named:
            return named
    results = found if isinstance(found, list) else [found]
    if not results or not all(_is_result(one) and "loss" in one and "comparisons" not in one for one in results):
        raise DataError(f"{file}: JSON, but no result of losscli run or compute -f json; leave it out")
    return _named([restored(one) for one in results])


def _is_result(record: Any) -> bool:
    """Whether a record has a number, or had none, and says by which conventions."""
    return isinstance(record, dict) and "value" in record and isinstance(record.get("signature"), str)


def _named(results: list[dict[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return results with the names of their losses; with their parameters too, if a file has several of a loss."""
    losses = [str(one["loss"]) for one in results]
    names: list[str] = []
    for loss, one in zip(losses, results, strict=True):
        parameters = one.get("parameters") if losses.count(loss) > 1 else None
        settings = parameters.items() if isinstance(parameters, dict) else ()
        name = ":".join([loss, *(f"{key}={value:g}" for key, value in settings if isinstance(value, float | int))])
        same = sum(known == name or known.startswith(f"{name} (") for known in names)
        names.append(f"{name} ({same + 1})" if same else name)
    return list(zip(names, results, strict=True))
