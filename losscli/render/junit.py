"""JUnit XML, which CI systems show as tests."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from losscli.records import NamedTuple
from losscli.wording import on_one_line

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot contain."""
FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"


class Case(NamedTuple):
    """A test case: its name and, if it did not pass, what happened."""

    name: str
    outcome: str | None = None
    """FAILURE, ERROR or SKIPPED."""
    message: str = ""
    kind: str = ""
    text: Sequence[str] = ()
    """Lines that say more of what happened."""
    out: Sequence[str] = ()
    """Lines of output that are shown for a case, even if it passed."""


def suite(name: str, home: str, cases: Sequence[Case], counted: tuple[str, ...], out: Sequence[str] = ()) -> Element:
    """Return a test suite.

    Parameters
    ----------
    home
        the class name of its cases.
    counted
        the numbers that the suite states, such as 'tests' and 'failures'.
    out
        lines of output that are shown for the suite.
    """
    element = Element("testsuite", name=_text(name))
    for what in counted:
        element.set(what, str(sum(what == "tests" or case.outcome == what.removesuffix("s") for case in cases)))
    for case in cases:
        added = SubElement(element, "testcase", classname=_text(home), name=_text(case.name))
        if case.outcome == SKIPPED:
            SubElement(added, SKIPPED, message=_text(case.message))
        elif case.outcome is not None:
            SubElement(added, case.outcome, message=_text(case.message), type=case.kind).text = _lines(case.text)
        if case.out:
            SubElement(added, "system-out").text = _lines(case.out)
    if out:
        SubElement(element, "system-out").text = _lines(out)
    return element


def suites(name: str, made: Sequence[Element], counted: tuple[str, ...]) -> Element:
    """Return suites under one name, with the sums of their numbers."""
    root = Element("testsuites", name=_text(name))
    for what in counted:
        root.set(what, str(sum(int(element.get(what, "0")) for element in made)))
    root.extend(made)
    return root


def written(root: Element) -> str:
    """Return the text of a file."""
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _text(text: str) -> str:
    """Return text on one line, in which characters that XML cannot contain are replaced."""
    return NO_XML.sub("\ufffd", on_one_line(text))


def _lines(lines: Sequence[str]) -> str:
    """Return lines as text. None begins as a command does that GitHub Actions finds in what is printed, `::error`."""
    return "\n".join(f"\\{text}" if (text := _text(line)).lstrip().startswith("::") else text for line in lines)
