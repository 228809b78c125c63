"""Verification of all losses in a file."""

from typing import Any

from losscli.analysis.verify.model import BROKEN, MET, SKIPPED, Property, Verified
from losscli.analysis.verify.properties import verify
from losscli.custom.candidates import candidates
from losscli.errors import LosscliError
from losscli.measurement.requirement import Judged
from losscli.records import dataclass


@dataclass(frozen=True, repr=False)
class VerifiedFile(Judged):
    """The reports on the losses in a file."""

    file: str
    reports: list[Verified]

    @property
    def broken(self) -> int:
        """Number of losses that have a broken property."""
        return sum(report.broken > 0 for report in self.reports)

    def required(self) -> list[dict[str, float | str]]:
        return [{"broken": self.broken}]

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {
            "file": self.file,
            "verdict": BROKEN if self.broken else MET,
            "losses": [report.to_dict() for report in self.reports],
        }


def verify_file(path: str, operands: str | None = None, takes: str | None = None) -> VerifiedFile:
    """Test all that looks like a loss in a file; a loss that cannot be called as it stands is skipped, with the reason.

    Raises
    ------
    DataError
        if the file is missing or fails.
    """
    return VerifiedFile(path, [_verified(f"{path}:{name}", operands, takes) for name in candidates(path)])


def _verified(where: str, operands: str | None, takes: str | None) -> Verified:
    try:
        return verify(where, operands=operands, takes=takes)
    except LosscliError as error:
        words = str(error).removeprefix(f"{where}: ")
        return Verified(where, where, None, [Property("call", SKIPPED, words)])
