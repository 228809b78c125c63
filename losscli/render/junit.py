"""JUnit XML, which CI systems show as tests."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""
FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"


class Case(NamedTuple):
    """A test case: what it is, and what came of it, if it did not pass."""

    name: str
    outcome: str | None = None
    """FAILURE, ERROR or SKIPPED."""
    message: str = ""
    kind: str = ""
    text: str = ""
    out: str = ""
    """What stands beside a case that passed."""


def suite(name: str, home: str, cases: Sequence[Case], counted: tuple[str, ...], out: str = "") -> Element:
    """Test cases under one name; `home` is what they are said to be of, and `counted` which numbers the suite has."""
    made = Element("testsuite", name=_text(name))
    for what in counted:
        made.set(what, str(sum(what == "tests" or case.outcome == what.removesuffix("s") for case in cases)))
    for case in cases:
        added = SubElement(made, "testcase", classname=_text(home), name=_text(case.name))
        if case.outcome == SKIPPED:
            SubElement(added, SKIPPED, message=_text(case.message))
        elif case.outcome is not None:
            SubElement(added, case.outcome, message=_text(case.message), type=case.kind).text = _text(case.text)
        if case.out:
            SubElement(added, "system-out").text = _text(case.out)
    if out:
        SubElement(made, "system-out").text = _text(out)
    return made


def suites(name: str, made: Sequence[Element], counted: tuple[str, ...]) -> Element:
    """Suites under one name, with the sums of their numbers."""
    root = Element("testsuites", name=_text(name))
    for what in counted:
        root.set(what, str(sum(int(one.get(what, "0")) for one in made)))
    root.extend(made)
    return root


def written(root: Element) -> str:
    """The text of a file."""
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _text(text: str) -> str:
    return NO_XML.sub("\ufffd", text.encode(errors="backslashreplace").decode())
