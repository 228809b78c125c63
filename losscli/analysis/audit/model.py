"""The report of `losscli audit`: for each call of a library what holds and what does not, with a small counterexample."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.records import dataclass, field
from losscli.shown import Shown

WRONG, NOT_FINITE, ENDLESS, LOST = "wrong", "not-finite", "infinite-logits", "lost"
CONVENTION, HOLDS, REFUSED = "convention", "holds", "not-run"
"""Verdicts on a call, the worst first. `convention`: it differs from the mathematics as losscli says that the library does."""
FAULTS = (WRONG, NOT_FINITE, ENDLESS, LOST, CONVENTION)
"""The verdicts that have an example."""
BROKEN = (WRONG, NOT_FINITE)
"""Verdicts for which the exit code is 1; as in verify, the others are warnings."""
WORDS = {
    WRONG: "wrong",
    NOT_FINITE: "NaN or inf where the truth is finite",
    ENDLESS: "NaN or inf at an infinite logit, where the loss has a limit",
    LOST: "loses small values",
    CONVENTION: "holds by its own convention",
    HOLDS: "holds",
    REFUSED: "not run",
}
VALUE, GRADIENT = "value", "gradient"
DTYPES = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Case:
    """What a library is called with once: one row, or a few rows that make one number.

    Arrays are float64 whatever the dtype of the call is, and hold numbers of that dtype exactly.
    """

    p: Array
    t: Array
    third: Array | None = None
    """The rows of the third operand, such as variances."""

    @property
    def numbers(self) -> list[float]:
        """The predictions as a flat list."""
        return [float(x) for x in self.p.reshape(-1)]

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from other cases."""
        third = () if self.third is None else (self.third.shape, self.third.tobytes())
        return (self.p.shape, self.p.tobytes(), self.t.shape, self.t.dtype.kind, self.t.tobytes(), *third)

    def shown(self, dtype: str, third: str) -> dict[str, Any]:
        """Return its operands for people and JSON, in as few digits as identify them in a dtype.

        `third` is the name of the third operand.
        """
        shown: dict[str, Any] = {"predictions": brief(self.p, dtype), "targets": brief(self.t, dtype)}
        return shown | ({} if self.third is None else {third: brief(self.third, dtype)})


@dataclass(frozen=True)
class Finding:
    """A way in which a call does not hold: in which dtypes, at how many of the points, and its smallest example."""

    verdict: str
    of: str
    """VALUE or GRADIENT."""
    dtypes: Mapping[str, int]
    """Dtype -> number of points at which it is so."""
    example: Mapping[str, Any]
    up_to: Mapping[str, float] = field(default_factory=dict)
    """Of values that are lost because they are small: dtype -> the largest of them, in truth."""
    convention: tuple[str, ...] = ()
    """In words, what the library does to the example besides the mathematics."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        record = {"verdict": self.verdict, "of": self.of, "dtypes": dict(self.dtypes), "example": dict(self.example)}
        record |= {"up_to": dict(self.up_to)} if self.up_to else {}
        return record | ({"convention": list(self.convention)} if self.convention else {})


@dataclass(frozen=True)
class Tried:
    """What was tried in one dtype: at how many points, and the largest error of a value and of a gradient.

    An error is |value - truth| / max(1, |truth|); only points that hold count.
    """

    points: int
    value_error: float
    gradient_error: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {"points": self.points, "value_error": self.value_error, "gradient_error": self.gradient_error}


@dataclass
class Judged:
    """One call of the library, and what was found of it."""

    call: str
    """The call in p, the predictions, and t, the targets."""
    loss: str
    prediction_kind: str | None
    tried: dict[str, Tried] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Dtype -> why the call could not be run in it, or not at some of the points."""
    findings: list[Finding] = field(default_factory=list)

    def verdict_of(self, of: str) -> str | None:
        """Return the verdict on its values or its gradients; None for gradients that it does not have."""
        if not self.tried:
            return REFUSED
        if of == GRADIENT and all(tried.gradient_error is None for tried in self.tried.values()):
            return None
        found = {finding.verdict for finding in self.findings if finding.of == of}
        return next((verdict for verdict in FAULTS if verdict in found), HOLDS)

    @property
    def verdict(self) -> str:
        """The worse one of the verdicts on values and gradients."""
        order = list(WORDS)
        both = [verdict for verdict in map(self.verdict_of, (VALUE, GRADIENT)) if verdict is not None]
        return min(both, key=order.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {
            "call": self.call,
            "loss": self.loss,
            "from": self.prediction_kind,
            "verdict": self.verdict,
            "value": self.verdict_of(VALUE),
            "gradient": self.verdict_of(GRADIENT),
            "dtypes": {name: tried.to_dict() for name, tried in self.tried.items()},
            "not_run": self.refused,
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(repr=False)
class Audited(Shown):
    """The report on a library."""

    library: str
    title: str
    """The library's full name with its version."""
    versions: Mapping[str, str]
    digits: int
    calls: list[Judged] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """Number of calls whose value or gradient is wrong, or not finite."""
        return sum(call.verdict in BROKEN for call in self.calls)

    def count(self, verdict: str) -> int:
        """Number of calls with a verdict."""
        return sum(call.verdict == verdict for call in self.calls)

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {
            "library": self.library,
            "title": self.title,
            "versions": dict(self.versions),
            "digits": self.digits,
            "verdict": "broken" if self.broken else "met",
            "counts": {verdict: self.count(verdict) for verdict in WORDS},
            "calls": [call.to_dict() for call in self.calls],
        }


def rounded(x: Array, dtype: str) -> Array:
    """Return numbers rounded to a dtype, to the nearest one and half to even, as float64."""
    if dtype != "bfloat16":
        with np.errstate(over="ignore", under="ignore"):
            return x.astype(dtype).astype(np.float64)
    # The first half of the bits of a float32. Numbers are first rounded to odd float32 bits, so that none is rounded twice.
    with np.errstate(over="ignore", under="ignore"):
        near = x.astype(np.float32)
    bits = near.view(np.uint32).copy()
    inexact = np.isfinite(near) & (near.astype(np.float64) != x)
    farther = np.abs(near.astype(np.float64)) > np.abs(x)
    bits = np.where(inexact & farther, bits - 1, bits)
    bits = np.where(inexact, bits | 1, bits).astype(np.uint64)
    bits = np.where(np.isfinite(near), bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1)), bits)
    return ((bits >> np.uint64(16)) << np.uint64(16)).astype(np.uint32).view(np.float32).astype(np.float64)


def brief(x: Array, dtype: str) -> Any:
    """Return numbers of a dtype as nested lists, each with as few digits as identify it; whole numbers as they are."""
    if x.dtype.kind == "i":
        return x.tolist()
    flat = [_brief(one, dtype) for one in x.reshape(-1).tolist()]
    return np.array(flat, np.float64).reshape(x.shape).tolist()


def _brief(x: float, dtype: str) -> float:
    if not math.isfinite(x) or float(rounded(np.array(x), dtype)) != x:
        return x
    return next(
        y for y in (float(f"{x:.{digits}g}") for digits in range(1, 18)) if float(rounded(np.array(y), dtype)) == x
    )


@dataclass(frozen=True)
class Precision:
    """What a dtype can hold."""

    eps: float
    tiny: float
    most: float


PRECISIONS = {
    "float16": Precision(2.0**-10, 2.0**-14, 65504.0),
    "bfloat16": Precision(2.0**-7, 2.0**-126, (2 - 2.0**-7) * 2.0**127),
    "float32": Precision(2.0**-23, 2.0**-126, (2 - 2.0**-23) * 2.0**127),
    "float64": Precision(2.0**-52, 2.0**-1022, (2 - 2.0**-52) * 2.0**1023),
}
