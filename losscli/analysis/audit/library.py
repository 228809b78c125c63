"""Auditing a library: which of its calls, with which versions, one after another."""

import platform
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from losscli.analysis.audit.model import Audited
from losscli.errors import UsageError
from losscli.libraries import libraries
from losscli.libraries.call import Call, Library
from losscli.losses import LOSSES
from losscli.version import __version__
from losscli.wording import did_you_mean, listing

NAMES = {"tensorflow": "tf1", "tf": "tf1", "scikit-learn": "sklearn", "pytorch": "torch"}
"""Other names of libraries -> losscli's."""
PACKAGES = {"tf1": "tensorflow"}
"""Library -> the package that is imported, if it has another name."""
INSTALLED = {"sklearn": "scikit-learn", "tensorflow": "tensorflow-cpu"}
"""Package -> the name by which it is installed."""
BESIDE = {"optax": ("jax",), "keras": ("torch", "tensorflow", "jax")}
"""Library -> packages whose versions matter too, if they are imported."""


def audited(name: str, losses: Sequence[str] = (), progress: Callable[[str], None] | None = None) -> Audited:
    """Audit an installed library.

    Parameters
    ----------
    name
        losscli's name of the library, or the package's own.
    losses
        names of losses, losscli's or the library's, to which the audit is restricted.
    progress
        is told which call comes next.

    Raises
    ------
    UsageError
        if the library is unknown or not installed, if it has no such loss, or if mpmath is not installed.
    """
    library = known(name)
    calls = chosen(library, losses)
    needed(library, name)
    from losscli.analysis.audit.proof import Prover
    from losscli.analysis.audit.run import RUNNERS
    from losscli.analysis.audit.subject import subjects
    from losscli.analysis.shared.oracle.formulas import DIGITS

    runner = RUNNERS[library.name]()
    found = [*subjects(library, calls)]
    report = Audited(library.name, "", {}, DIGITS)
    for number, subject in enumerate(found, 1):
        if progress is not None:
            progress(f"{subject.record.function}: {number} of {len(found)} calls")
        report.calls.append(Prover(subject, runner).judged())
    report.versions = versions(library)
    package = PACKAGES.get(library.name, library.name)
    report.title = f"{INSTALLED.get(package, package) if package == 'sklearn' else package} {report.versions[package]}"
    return report


def known(name: str) -> Library:
    """Return the library of a name; raise a UsageError if losscli knows none."""
    every = libraries()
    library = every.get(NAMES.get(name.lower(), name.lower()))
    if library is None:
        hint = did_you_mean(name, [*every, *NAMES])
        raise UsageError(f"audit {name}: is no library that losscli knows{hint}; it knows {listing(every)}")
    return library


def needed(library: Library, name: str) -> None:
    """Raise a UsageError if the library, or what the audit needs, is not installed."""
    package = PACKAGES.get(library.name, library.name)
    if package not in sys.modules and find_spec(package) is None:
        raise UsageError(f"audit {name}: {package} is not installed: pip install {INSTALLED.get(package, package)}")
    if find_spec("mpmath") is None:
        raise UsageError("audit: mpmath, which computes with 60 digits, is not installed: pip install 'losscli[audit]'")


def chosen(library: Library, losses: Sequence[str]) -> list[Call]:
    """Return the calls of some losses; all of them if none are named.

    Raises
    ------
    UsageError
        for a name that is neither losscli's nor the library's, or a loss that the library does not have.
    """
    if not losses:
        return list(library.calls)
    found: list[Call] = []
    for name in losses:
        calls = [call for call in library.calls if plain(name) in keys(call)]
        if not calls:
            have = sorted({call.loss for call in library.calls})
            hint = did_you_mean(name, {*have, *(one for call in library.calls for one in call.names)})
            raise UsageError(f"audit {library.name}: it has no loss {name!r}{hint}; it has {listing(have, 40)}")
        found += [call for call in calls if call not in found]
    return found


def keys(call: Call) -> set[str]:
    """Return the names by which a call is chosen: those of the library and of losscli, and of its function."""
    loss = LOSSES[call.loss]
    return {plain(name) for name in (call.loss, *loss.aliases, *call.names, call.function)}


def plain(name: str) -> str:
    """Return the last part of a dotted name without capitals, '-' and '_'."""
    return name.rpartition(".")[2].lower().replace("_", "").replace("-", "")


def versions(library: Library) -> dict[str, str]:
    """Return the versions of the library and of what it was run with."""
    package = PACKAGES.get(library.name, library.name)
    beside = [name for name in BESIDE.get(library.name, ()) if name in sys.modules]
    found = {name: version_of(name) for name in (package, *beside, "numpy", "mpmath")}
    return found | {"python": platform.python_version(), "losscli": __version__}


def version_of(package: str) -> str:
    """Return the version of a package that is imported, without the label of its build."""
    try:
        text = version(INSTALLED.get(package, package))
    except PackageNotFoundError:
        text = str(getattr(import_module(package), "__version__", "unknown"))
    return text.partition("+")[0]
