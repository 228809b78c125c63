"""Reading one loss of the user's own from a Python file, or one of an installed package."""

import re
from typing import Any

from losscli.custom import NAMED, dotted
from losscli.custom.reading import Found, _is_own, module_of, recognised
from losscli.errors import UsageError
from losscli.wording import did_you_mean, listing


def read(text: str) -> Found:
    """Return the loss of path/to/file.py:name, of package.module.name, or of the name under which a package registers it.

    Raises
    ------
    UsageError
        if the file has no such name, or it is not a loss.
    DataError
        if the file cannot be used.
    """
    match = re.fullmatch(NAMED, text)
    if match is None:
        from losscli.custom import registered

        entry = registered.named(text)
        if entry is None and dotted.is_dotted(text):
            return dotted.read(text)
        if entry is None:
            raise UsageError(f"{text}: is neither FILE.py:NAME nor package.module.name, and no package registers it")
        return registered.read(entry)
    path, name = match["path"], match["name"]
    if match["rest"]:
        options = " ".join(f"--{part.replace('=', ' ')}" for part in match["rest"].split(":") if part)
        raise UsageError(f"{text}: parameters are options here: {path}:{name} {options}")
    module = module_of(path)
    member: Any = module
    for part in name.split("."):
        if not hasattr(member, part):
            names = [known for known, value in vars(module).items() if _is_own(value, module)]
            known_names = f"it has {listing(names)}" if names else "it defines no function or class"
            raise UsageError(f"{path}: no {name!r}{did_you_mean(name, names)}; {known_names}")
        member = getattr(member, part)
    return recognised(text, path, member)
