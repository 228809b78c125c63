"""Text from files in Markdown, JUnit XML and messages: it is shown, letter by letter, and means nothing."""

import re
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from losscli.render import junit
from losscli.render.screen import Screen, message
from losscli.render.text import in_code, in_markdown, markdown_line
from losscli.wording import on_one_line, printable

pytestmark = pytest.mark.quick
READER = MarkdownIt("js-default", {"html": True})
ACTIVE = [
    "![x](http://evil.example/x.png)", "[a](b)", "[a][b](c)", "<img src=x>", "<!-- x", "</table>", "a|b", "a\\|b", "\\", "a\\", "`", "``a`b``",
    "`a", "*a*", "**a** b", "_a_", "__a__", "~~a~~", "~a~", "&lt;b&gt;", "&#35;1", "$x$", ":smile:", "a\n::error::b", "a\r\n| b |", "\u202eabc",
]  # fmt: skip
LINKED = [
    "@octocat",
    "see #123",
    "o/r#1",
    "GH-1",
    "http://a.example",
    "HTTPS://A.example",
    "www.a.example",
    "a@b.example",
    "mailto:a@b",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
]
HARMLESS = [
    "sum(w * l) / sum(w)", "r**2", "a_b_c", "[0.1, 0.2]", "a < b", "a & b", "5 %", "#", "x: y", "x_1", "losscli check 'p_*.npy' t.npy", "~", "12:30", "é", "👩‍🔬",
]  # fmt: skip


def cells(line):
    """What a reader of Markdown makes of the cells of a line."""
    tokens = READER.parse(f"| x | y |\n| --- | --- |\n{line}\n")
    rows = [i for i, token in enumerate(tokens) if token.type == "tr_open"]
    assert len(rows) == 2
    return [token.children for token in tokens[rows[1] :] if token.type == "inline"]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab1 |\\`*_[]()<>!&#;:/.@~$-\n"), max_size=12))
@example("\\|")
@example("`|`")
def test_a_cell_is_its_letters(text):
    first, second = cells(markdown_line([f"x{text}y", 1.5]))
    assert [child.type for child in first] in (["text"], ["code_inline"])
    # A code span of blanks around backticks loses one on each side, and so do those that the table has around a cell.
    assert first[0].content == on_one_line(f"x{text}y")
    assert [child.content for child in second] == ["1.5"]


@pytest.mark.parametrize("text", ACTIVE + LINKED)
def test_nothing_in_a_cell_has_a_meaning(text):
    (children, _) = cells(markdown_line([text, 1.0]))
    assert {child.type for child in children} <= {"text", "code_inline"}
    assert "".join(child.content for child in children).strip() == on_one_line(text).strip()


@pytest.mark.parametrize("text", LINKED)
def test_nobody_is_called_and_nothing_is_linked(text):
    """GitHub links people, issues and addresses in text, but not in code."""
    ((child,), _) = cells(markdown_line([text, 1.0]))
    assert child.type == "code_inline"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_has_no_meaning_stays_as_it_is(text):
    assert in_markdown(text) == text


@pytest.mark.parametrize("text", ["a", "`", "a``b", " a ", "loss:x|file:a`b`.csv"])
def test_code_of_any_text(text):
    (paragraph,) = (token for token in READER.parse(in_code(text)) if token.type == "inline")
    (child,) = paragraph.children
    assert (child.type, child.content) == ("code_inline", text)


VISIBLE = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
"""Marks of formats that are drawn: signs of numbers and verses in Arabic and Syriac, and hieroglyphs around others."""


def test_every_letter_that_cannot_be_seen_is_escaped():
    unseen = [
        chr(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp") and chr(code) not in "\t\n"
    ]
    passed = [f"U+{ord(c):04X}" for c in unseen if printable(f"a{c}b") == f"a{c}b" and ord(c) not in VISIBLE]
    assert passed == []
    for extra in "\u034f\u115f\u3164\uffa0\ufe0f\U000e0100\U000e01ef\U000e0fff":
        assert printable(f"a{extra}b").isascii()


def test_joiners_and_selectors_that_letters_need_stay():
    for text in ("👩‍🔬", "❤️‍🔥", "می‌خواهم", "क्‍ष", "葛\U000e0100"):
        assert printable(text) == text
    assert printable("葛\U000e0100\U000e0101\U000e0102") == "葛\U000e0100\\U000e0101\\U000e0102"


@pytest.mark.parametrize("command", ["##[error]x", "##vso[task.setvariable variable=a]b", "##teamcity[x]"])
def test_commands_that_logs_may_hold_anywhere_are_escaped(command):
    assert on_one_line(f"a {command}") == f"a \\x23{command[1:]}"
    assert printable("## a [b]") == "## a [b]"


def test_a_message_is_one_line():
    assert message("a\n::error::b\u2028c\x85d", Screen()) == "losscli: a ::error::b\\u2028c\\x85d"


def test_no_line_of_junit_is_a_command():
    """GitHub Actions takes every line of a log that begins with `::` for a command, wherever the line came from."""
    bad = ":: error::x\n::error::y\r\n ::add-mask::z\u2028\x00\ud800"
    case = junit.Case(bad, junit.FAILURE, bad, "unmet", [bad, "  ::error::w"], [bad])
    root = junit.suites(bad, [junit.suite(bad, bad, [case], ("tests",), [bad])], ("tests",))
    text = junit.written(root)
    assert not re.search(r"(?m)^\s*::", text)
    assert ElementTree.fromstring(text).find(".//failure").text.splitlines()[1] == "\\  ::error::w"
    assert not set(text) & {"\u2028", "\x00", "\r"}
