"""Losses of installed packages by their dotted names, such as torch.nn.functional.huber_loss: imported, and read as code."""

import inspect
import os
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from losscli.custom.frameworks import import_quietly, settle_keras
from losscli.custom.reading import Found, foreign, recognised
from losscli.errors import DataError, UsageError
from losscli.losses import undeclared
from losscli.wording import did_you_mean

DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
PACKAGES = {"sklearn": "scikit-learn", "tensorflow": "tensorflow-cpu"}
"""Packages that are installed by another name than they are imported by."""


def is_dotted(text: str) -> bool:
    """Whether a word may be package.module.name."""
    return DOTTED.fullmatch(text) is not None


def read(text: str) -> Found:
    """Return the loss of a dotted name.

    Raises
    ------
    UsageError
        if the package is not installed, it has no such name, or it is no loss.
    DataError
        if the package cannot be imported.
    """
    package, *rest = text.split(".")
    if package not in sys.modules and find_spec(package) is None:
        if os.path.isfile(f"{package}.py"):
            raise UsageError(f"{text}: {package}.py is a file here, and no package: {package}.py:{'.'.join(rest)}")
        raise UsageError(
            f"{text}: {package} is not installed: pip install {PACKAGES.get(package, package)}; or name FILE.py:NAME"
        )
    if package == "keras":
        settle_keras()
    import_quietly({package})
    member: Any = _imported(package, text)
    way = package
    for part in rest:
        if not hasattr(member, part):
            _import_module(f"{way}.{part}", text)
        if not hasattr(member, part):
            raise UsageError(f"{text}: {way} has no {part!r}{did_you_mean(part, _public(member))}")
        member, way = getattr(member, part), f"{way}.{part}"
    return recognised(text, _file_of(member, package), member)


def _imported(package: str, text: str) -> Any:
    """Import a package; raise a DataError if that fails."""
    try:
        with foreign(package, "when it is imported"), undeclared():
            return import_module(package)
    except DataError as error:
        raise DataError(f"{text}: {error}") from error


def _import_module(name: str, text: str) -> None:
    """Import a module of a package if there is one, so that the package has it as an attribute."""
    try:
        known = find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return
    if known:
        _imported(name, text)


def _public(member: Any) -> list[str]:
    return [name for name in dir(member) if not name.startswith("_")]


def _file_of(member: Any, package: str) -> str:
    """Return the file that contains an object's code, or that of its package."""
    try:
        return inspect.getsourcefile(inspect.unwrap(member)) or inspect.getfile(member)
    except (TypeError, ValueError):
        return str(getattr(sys.modules[package], "__file__", None) or package)
