"""The number of each of several libraries for the same files, and the conventions that make it differ from losscli's.

Beginning with losscli's own number, one convention after another is adopted, and the number is computed again.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.request import Request
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.summary import Summary
from losscli.engine.reduction import REDUCTIONS, reduced
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.source import whole
from losscli.libraries import libraries
from losscli.libraries.call import Facts, Library, Operands
from losscli.measurement.conventions import Adopted, adopt
from losscli.measurement.measure import Measurement
from losscli.measurement.printed import Printed, printed
from losscli.records import NamedTuple, dataclass, replace

if TYPE_CHECKING:
    from losscli.engine.job import Job

SAME = 1e-12
"""Numbers whose relative difference is smaller are equal, since libraries add in another order."""

CLIPPING = ("cuts ", "within the logarithm", "raises predictions below")
"""Parts of the words of conventions that clip probabilities."""


@dataclass(frozen=True)
class Side:
    """The number of one library; if it cannot compute the loss, `value` is None and `refused` says why."""

    library: str
    title: str
    call: str
    value: float | None
    steps: tuple[tuple[str, float | None], ...] = ()
    """Each convention in words, and the number with it and all conventions before it; None where there is none."""
    refused: str | None = None
    imports: tuple[str, ...] = ()
    """The statements that the call needs before it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        record: dict[str, Any] = {
            "library": self.library,
            "version": self.title,
            "call": self.call,
            "imports": list(self.imports),
            "value": self.value,
        }
        if self.refused is not None:
            return record | {"refused": self.refused}
        return record | {"conventions": [{"convention": words, "value": value} for words, value in self.steps]}


def facts_of(measurement: Measurement) -> Facts:
    """Return the facts about a measurement's files on which conventions depend."""
    opened = measurement.opened
    shape = opened.predictions.shape
    columns = shape[1] if len(shape) == 2 else 1
    encoding = opened.encoding
    return Facts(
        opened.predictions.dtype,
        encoding.kind,
        columns,
        opened.layout is not None,
        opened.dtype,
        encoding.stored_as == "rows",
        opened.element_weights is not None,
        opened.mask is not None and len(opened.mask.shape) > 1 and columns > 1,
        lambda: np.unique(_kept(whole(opened.targets), _keep(opened))),
    )


def _keep(opened: "Job") -> Array | None:
    """Return which rows are neither ignored nor masked as a whole, as booleans; None for all."""
    keep = opened.encoding.keep(whole(opened.targets))
    keep = keep if keep is None or keep.ndim == 1 else None
    if opened.mask is None or len(opened.mask.shape) > 1:
        return keep
    exists: Array = whole(opened.mask) != 0
    return exists if keep is None else exists & keep


def _kept(part: Array, keep: Array | None) -> Array:
    return part if keep is None else part[keep]


class AsLibrary(NamedTuple):
    """How a library measures files: its conventions, and its call."""

    library: Library
    adopted: Adopted
    printed: Printed


def adopted_by(measurement: Measurement, name: str, typed: Iterable[str]) -> AsLibrary:
    """Return how a library measures the files of a measurement; the library may still refuse what they hold.

    Raises
    ------
    UsageError
        if it has no such loss or option.
    """
    library = libraries()[name]
    request = replace(measurement.request, library=name)
    adopted = adopt(library, request, facts_of(measurement), typed)
    written = printed(library, adopted.call, adopted.request, measurement.opened, measurement.decoded, adopted.usual)
    return AsLibrary(library, adopted, written)


def check(measurement: Measurement, way: AsLibrary) -> None:
    """Raise a DataError if the library raises an error for what the files hold."""
    call, opened = way.adopted.call, measurement.opened
    if call.accepts.raises is None:
        return
    reason = call.accepts.raises(_operands(opened), way.adopted.request.loss.parameters)
    if reason is not None:
        raise DataError(f"--as {way.library.name}: {call.function} {reason}")


def _operands(opened: "Job") -> Operands:
    """Return the operands that a library looks at."""
    keep = _keep(opened)
    parts = (opened.predictions, opened.targets, opened.weights, opened.third_operand)
    operands = Operands(*(None if part is None else _kept(whole(part), keep) for part in parts))  # type: ignore[arg-type]
    if opened.class_weights is None:
        return operands
    of_classes = opened.encoding.class_weights(operands.targets, opened.class_weights)
    return operands._replace(weights=of_classes if operands.weights is None else operands.weights * of_classes)


def as_library(measurement: Measurement, name: str, typed: Iterable[str]) -> Measurement:
    """Return the measurement by the conventions of a library, which its receipt lists.

    Parameters
    ----------
    name
        name of the library.
    typed
        names of the parameters and options that the user gave: these keep their values.

    Raises
    ------
    UsageError
        if the library cannot compute the loss or has no such option.
    DataError
        if it takes no such numbers.
    """
    way = adopted_by(measurement, name, typed)
    check(measurement, way)
    settled = measurement.settled(way.adopted.request)
    settled.receipt["as"] = _in_receipt(way, [step.words for step in way.adopted.steps])
    return settled


def _in_receipt(way: AsLibrary, conventions: list[str]) -> dict[str, Any]:
    """Return what a receipt says of a library."""
    return {
        "library": way.library.name,
        "version": way.library.title,
        "call": way.printed.call,
        "imports": list(way.printed.imports),
        "conventions": conventions,
    }


def rows_as_library(measurement: Measurement, name: str, typed: Iterable[str]) -> Measurement:
    """Return the measurement whose rows have the losses of a library, and whose mean stays that of losscli.

    It is for models whose rows are compared with each other; the library's reduction, which is the same for all of
    them, is left out. Parameters are those of `as_library`.

    Raises
    ------
    UsageError
        if the library cannot compute the loss or has no such option, or which rows count depends on their losses.
    DataError
        if it takes no such numbers.
    """
    way = adopted_by(measurement, name, typed)
    request, convention = way.adopted.request, way.adopted.request.convention
    if convention.skips_zeros or convention.pairs:
        raise UsageError(
            f"--as {name}: {way.adopted.call.function} counts rows by their losses, which differ between models; leave --as out"
        )
    check(measurement, way)
    befores = [measurement.request, *(step.request for step in way.adopted.steps)]
    conventions = [
        step.words
        for before, step in zip(befores, way.adopted.steps, strict=False)
        if step.request.reduction == before.reduction
    ]
    settled = measurement.settled(replace(request, reduction=measurement.request.reduction))
    settled.receipt["as"] = _in_receipt(way, conventions)
    return settled


def clips(measurement: Measurement, name: str, typed: Iterable[str] = ()) -> bool:
    """Return whether a library computes the loss of such files and clips probabilities, so that its losses are finite."""
    try:
        way = adopted_by(measurement, name, typed)
        check(measurement, way)
    except LosscliError:
        return False
    return bool(clipping(step.words for step in way.adopted.steps))


def clipping(conventions: Iterable[str]) -> list[str]:
    """Return those of a library's conventions, in words, that keep the logarithm of a probability of 0 finite."""
    return [words for words in conventions if any(part in words for part in CLIPPING)]


class Numbers:
    """Values of requests for the same files. Requests that differ only in the reduction share one pass
    over the files.
    """

    def __init__(self, measurement: Measurement, threads: int | None) -> None:
        self.measurement, self.threads = measurement, threads
        self.passes: list[tuple[Request, Measurement, Aggregate]] = []

    def value(self, request: Request) -> float:
        """Return the value of a request, from a pass that was made already if there is one.

        Raises
        ------
        DataError
            if there is none, as `Measurement.run` does.
        """
        key = replace(request, reduction="mean", library=None)
        known = next((pass_made for pass_made in self.passes if pass_made[0] == key), None)
        if known is None:
            settled = self.measurement.settled(key)
            known = key, settled, settled.pass_over(threads=self.threads)
            self.passes.append(known)
        _, settled, aggregate = known
        value, _, _ = reduced(settled.job, aggregate[Summary], REDUCTIONS[request.reduction])
        return value

    def before(self, request: Request) -> float | None:
        """Return the value of a request that is on the way to another one; None if it has none."""
        try:
            return self.value(request)
        except LosscliError:
            return None


def side_by_side(
    measurement: Measurement, names: Iterable[str], typed: Iterable[str], threads: int | None
) -> tuple[float | None, list[Side]]:
    """Return losscli's own number, None where it has none, and one `Side` for each library.

    Raises
    ------
    UsageError, DataError
        if neither losscli nor any of the libraries can compute it, with losscli's own reason; or if none of the libraries can,
        with the reason of the first one.
    """
    typed = frozenset(typed)
    numbers = Numbers(measurement, threads)
    own, sides, reasons = numbers.before(measurement.request), [], []
    for name in names:
        library = libraries()[name]
        written: Printed | None = None
        try:
            way = adopted_by(measurement, name, typed)
            written = way.printed
            check(measurement, way)
            value = numbers.value(way.adopted.request)
        except LosscliError as error:
            reasons.append(error)
            reason = str(error).removeprefix(f"--as {name}: ")
            call, imports = ("-", ()) if written is None else written
            sides.append(Side(name, library.title, call, None, refused=reason, imports=imports))
            continue
        values = tuple((step.words, numbers.before(step.request)) for step in way.adopted.steps)
        sides.append(Side(name, library.title, way.printed.call, value, values, imports=way.printed.imports))
    if len(reasons) == len(sides):
        if own is None:
            numbers.value(measurement.request)
        raise reasons[0]
    return own, sides


def lines(loss: str, own: float | None, reduction: str, sides: Iterable[Side], show: Any) -> list[dict[str, str]]:
    """Return a table with one row per convention: library, value, why the number differs, and the call.

    `show` turns a number into text.
    """
    rows = [{"library": "losscli", "value": show(own), "difference": f"{REDUCTIONS[reduction].formula}", "call": loss}]
    for side in sides:
        for i, line in enumerate(_differences(own, side, show)):
            first = i == 0
            rows.append(
                {
                    "library": side.library if first else "",
                    "value": show(side.value) if first else "",
                    "difference": line,
                    "call": "; ".join([*side.imports, side.call]) if first else "",
                }
            )
    return rows


def _differences(own: float | None, side: Side, show: Any) -> list[str]:
    """Return in words, one line each, why a library's number differs from losscli's own, or why there is none."""
    if side.refused is not None:
        return [side.refused]
    before, words = own, []
    for text, value in side.steps:
        same = value == before
        if value is not None and before is not None:
            same = same or math.isclose(value, before, rel_tol=SAME, abs_tol=0)
        words.append(f"{text}: {'no change here' if same else show(value)}")
        before = value
    return words or ["nothing: as losscli"]
