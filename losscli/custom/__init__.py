"""Losses of the user's own: found in a Python file, and run like those of losscli.

A file is executed because the user named it, and for no other reason.
"""

import re

NAMED = r"(?s)(?P<path>.+\.py):(?P<name>[A-Za-z_][\w.]*)(?P<rest>:.*)?"
"""path/to/file.py:name, and in a SPEC its parameters after another colon."""


def is_custom(text: str) -> bool:
    """Whether a word that stands for a loss names a Python file."""
    return ".py:" in text and re.fullmatch(NAMED, text) is not None
