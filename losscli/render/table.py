"""Tables of rows, which fit the screen: the one place where columns get their widths, and where some are left out.

A table declares which of its columns may go where there is no room, and which hold sentences, that may be broken between words.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from losscli.records import NamedTuple
from losscli.render.screen import INDENT, Screen, can_show, fold, width_of, wrapped

LEGIBLE = 20
"""Columns that a sentence needs: with fewer, each row is a paragraph."""
READABLE = 28
"""Columns that a sentence should have, before columns are left out for it."""
ROUND = ("╭─┬╮", "│ ││", "├─┼┤", "╰─┴╯")
"""The frame of a table on a terminal: for the top, a row, the line below the header, and the bottom, each the left end, what
fills cells, what stands between them, and the right end."""
PLAIN = ("+-++", "| ||", "+-++", "+-++")
"""The same in ASCII."""

Row = Mapping[str, Any]


class Table(NamedTuple):
    """Rows below a title.

    `less` names the columns that may be left out where there is no room, the first one first; a tuple of them goes together.
    `prose` names the columns that hold sentences, and `numbers` those that hold numbers as text, which stand on the right.
    """

    title: str
    rows: Sequence[Row]
    less: tuple[str | tuple[str, ...], ...] = ()
    prose: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def laid_out(table: Table, screen: Screen, text: Callable[[Any], str]) -> list[str]:
    """Return the rows of a table as lines in a frame, without its title; none if there are no rows.

    On a terminal the lines fit: sentences are broken, then columns are left out, which a line below says. If that is not
    enough, each row is a paragraph with a line for each of its cells. Nothing is ever cut.

    Parameters
    ----------
    text
        returns the text of a cell's value.
    """
    if not table.rows:
        return []
    rows = [{name: screen.safe(text(value)) for name, value in row.items()} for row in table.rows]
    numeric = {name: name in table.numbers or isinstance(value, float | int) for name, value in table.rows[0].items()}
    natural = {
        name: max(width_of(part) for part in (screen.safe(name), *(row[name] for row in rows))) for name in numeric
    }
    if screen.width is None:
        return _framed(rows, natural, numeric, screen)
    least = {name: _least(name, [row[name] for row in rows], natural[name], table.prose) for name in natural}
    readable = {
        name: max(least[name], min(natural[name], READABLE)) if name in table.prose else natural[name]
        for name in natural
    }
    shown = list(natural)
    for names in ((), *((name,) if isinstance(name, str) else name for name in table.less)):
        shown = [name for name in shown if name not in names]
        if _total(readable[name] for name in shown) <= screen.columns:
            widths = _shared({name: readable[name] for name in shown}, natural, screen.columns)
            break
    else:
        if _total(least[name] for name in shown) > screen.columns:
            return _paragraphs(rows, screen)
        widths = _shared({name: least[name] for name in shown}, natural, screen.columns)
    gone = [screen.safe(name) for name in natural if name not in shown]
    lines = _framed(rows, widths, numeric, screen)
    if gone:
        room = _total(readable.values())
        whom = "it" if len(gone) == 1 else "them"
        said = f"left out: {', '.join(gone)}; a terminal of {room} columns shows {whom}, and so does --format json"
        lines += wrapped(said, screen.columns)
    return lines


def _least(name: str, cells: list[str], natural: int, prose: tuple[str, ...]) -> int:
    """Return the least width of a column: that of its longest word if it holds sentences, and LEGIBLE; otherwise of its longest cell."""
    if name not in prose:
        return natural
    return max(
        min(natural, LEGIBLE), *(width_of(word) for word in [name, *(word for cell in cells for word in cell.split())])
    )


def _total(widths: Iterable[int]) -> int:
    """Return how many columns a row takes with its frame."""
    return sum(width + 3 for width in widths) + 1


def _shared(widths: dict[str, int], natural: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the widths of columns with what is left of the room, which goes where most is missing."""
    widths = dict(widths)
    for _ in range(room - _total(widths.values())):
        name = max(widths, key=lambda name: natural[name] - widths[name])
        if widths[name] >= natural[name]:
            break
        widths[name] += 1
    return widths


def _framed(
    rows: Sequence[Mapping[str, str]], widths: Mapping[str, int], numeric: Mapping[str, bool], screen: Screen
) -> list[str]:
    """Return rows in a frame; cells that are wider than their column are broken between words."""
    round_ = screen.width is not None and can_show("".join(ROUND), screen.encoding)
    top, middle, below, bottom = ROUND if round_ else PLAIN

    def rule(marks: str) -> str:
        return marks[0] + marks[2].join(marks[1] * (width + 2) for width in widths.values()) + marks[3]

    def lines(cells: Mapping[str, str], style: str = "") -> list[str]:
        parts = {name: wrapped(cells[name], width) for name, width in widths.items()}
        return [
            f"{middle[0]} "
            + f" {middle[2]} ".join(
                _padded(part[i] if i < len(part) else "", widths[name], numeric[name], screen, style)
                for name, part in parts.items()
            )
            + f" {middle[3]}"
            for i in range(max(map(len, parts.values())))
        ]

    header = lines({name: screen.safe(name) for name in widths}, "bold")
    return [rule(top), *header, rule(below), *(line for row in rows for line in lines(row)), rule(bottom)]


def _padded(text: str, width: int, right: bool, screen: Screen, style: str) -> str:
    room, text = " " * (width - width_of(text)), screen.paint(text, style)
    return room + text if right else text + room


def _paragraphs(rows: Sequence[Mapping[str, str]], screen: Screen) -> list[str]:
    """Return rows as paragraphs with a line for each cell that is not empty."""
    lines: list[str] = []
    for row in rows:
        wide = max(map(width_of, row))
        lines += [""] if lines else []
        for name, text in row.items():
            if text:
                room = " " * (wide + 2 - width_of(name))
                value = wrapped(text, screen.columns, " " * (wide + 2), wide + 2)
                lines += [screen.paint(name, "cyan") + room + value[0], *value[1:]]
    return lines


def code_lines(text: str, screen: Screen) -> list[str]:
    """Return a line of Python, broken on a terminal where Python allows it: inside of parentheses, behind a comma."""
    if screen.width is None or width_of(text) <= screen.columns:
        return [text]
    pieces, depth, begin = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth > 0 and text[i : i + 2] == ", ":
            pieces.append(text[begin : i + 2])
            begin = i + 2
    shorter: list[str] = []
    for piece in [*pieces, text[begin:]]:
        # An argument that no line has room for begins on the next line.
        while width_of(piece) > screen.columns - len(INDENT) and "(" in piece:
            head, _, piece = piece.partition("(")
            shorter.append(f"{head}(")
        shorter.append(piece)
    return fold(shorter, screen.columns, INDENT)
