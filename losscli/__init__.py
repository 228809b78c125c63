"""losscli: losses computed from files or arrays of predictions and targets.

>>> import losscli
>>> losscli.compute("huber", [0.0, 2.0], [0.0, 0.0], delta=1.5).value
0.9375

Every function is loaded when it is first used: `import losscli` itself imports nothing else.
"""

from typing import TYPE_CHECKING, Any

from losscli.version import __version__

if TYPE_CHECKING:
    from losscli.api import (
        LosscliWarning,
        audit,
        calibrate,
        check,
        compare,
        compute,
        curves,
        explain,
        history,
        rank,
        verify,
    )
    from losscli.engine.workers import cluster
    from losscli.errors import DataError, LosscliError, UsageError
    from losscli.measurement.result import Result
    from losscli.measurement.sums import Summed
    from losscli.shown import RequirementError

_HOMES = {
    "losscli.api": (
        "LosscliWarning",
        "audit",
        "calibrate",
        "check",
        "compare",
        "compute",
        "curves",
        "explain",
        "history",
        "rank",
        "verify",
    ),
    "losscli.engine.workers": ("cluster",),
    "losscli.errors": ("DataError", "LosscliError", "UsageError"),
    "losscli.measurement.result": ("Result",),
    "losscli.measurement.sums": ("Summed",),
    "losscli.shown": ("RequirementError",),
}
__all__ = [
    "DataError",
    "LosscliError",
    "LosscliWarning",
    "RequirementError",
    "Result",
    "Summed",
    "UsageError",
    "__version__",
    "audit",
    "calibrate",
    "check",
    "cluster",
    "compare",
    "compute",
    "curves",
    "explain",
    "history",
    "rank",
    "verify",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            found = getattr(import_module(module), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'losscli' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
