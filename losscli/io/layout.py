"""How a text table is written: where it begins, what stands between its cells, and how decimals are written.

What options do not say is recognised from the first lines. What could be read in two ways is an error with its cures.
"""

import re
from collections.abc import Sequence

import numpy as np

from losscli.definition.dialect import BLANKS, Dialect
from losscli.errors import DataError
from losscli.io.bytes import Raw, behind_mark
from losscli.io.table import is_decimal_comma, parses_as_number
from losscli.records import NamedTuple
from losscli.wording import count, shortened

BLANK, NEWLINE, CARRIAGE_RETURN = b" \n\r"
SAMPLE = 64 << 10
"""Bytes from which a layout is recognised."""
LINES = 50
"""Lines from which a layout is recognised, at most."""
PIECE = 1 << 20
WORDS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", BLANKS: "blanks"}
"""Separators that are recognised, in plain words."""
RIVALS = ("\t", ";", "|", ",")
QUOTED = re.compile(r'"[^"]*"')


class Layout(NamedTuple):
    """How a text table is written."""

    separator: str
    begin: int = 0
    """The byte at which the header or the first row begins."""
    line: int = 1
    """The line, from 1, on which it begins."""
    decimal: str = "."
    comment: str | None = None
    names: tuple[str, ...] | None = None
    """Names of the columns that stand in a comment above the rows."""
    row_names: bool = False
    """Whether the header has no name for the first column, as R writes row names."""
    notes: tuple[str, ...] = ()
    said: bool = False
    """Whether an option says what separates cells, or how decimals are written."""


def layout_of(name: str, raw: Raw, usual: str, dialect: Dialect) -> Layout:
    """Return how a text table is written, from options and from its first lines.

    Parameters
    ----------
    usual
        the separator that its name speaks of, which is taken unless the lines speak for another.
    dialect
        what options say.

    Raises
    ------
    DataError
        if the file is empty, or its first lines are no table, with the option that helps.
    """
    begin, line = _after_skipped(name, raw, dialect.skip_rows)
    begin, line = _after_comments(raw, begin, line, dialect.comment)
    lines = _sample(raw, begin)
    if not lines:
        raise DataError(f"{name}: the file is empty{'; or --skip-rows skips all of it' if dialect.skip_rows else ''}")
    _refuse_blank_first_line(name, lines, line, dialect)
    if lines[0].lower().startswith("sep="):
        skip = dialect.skip_rows + 1
        raise DataError(
            f"{name}:{line}: the line {shortened(lines[0])!r} is for spreadsheets only: say --skip-rows {skip}, or delete it"
        )
    if dialect.comment is not None:
        lines = [text for text in lines if not text.startswith(dialect.comment)]
    above = 0
    while dialect.comment is None and above < len(lines) - 1 and lines[above].startswith("#"):
        above += 1
    if above:
        return _below_comments(name, raw, (begin, line), lines, above, usual, dialect)
    return _of_lines(name, lines, (begin, line), usual, dialect)


def _of_lines(name: str, lines: list[str], at: tuple[int, int], usual: str, dialect: Dialect) -> Layout:
    """Return the layout of a table that begins with the first of some lines, at a byte and a line of the file."""
    if dialect.sep is None:
        separator, decimal, notes = _recognised(name, lines, at[1], usual, dialect.decimal)
    else:
        separator, decimal, notes = dialect.sep, dialect.decimal, []
        _refuse_preamble(name, lines, at[1], separator)
    row_names = _has_row_names(lines, separator)
    if row_names:
        notes.append(
            f"{name}:{at[1]}: the first column has no name, as R writes row names; it is left out, or say --id ''"
        )
    if decimal is None:
        _refuse_decimal_commas(name, lines[0], at[1], separator)
    return Layout(
        separator,
        *at,
        decimal=decimal or ".",
        comment=dialect.comment,
        row_names=row_names,
        notes=tuple(notes),
        said=dialect.sep is not None or dialect.decimal is not None,
    )


def _recognised(
    name: str, lines: list[str], line: int, usual: str, decimal: str | None
) -> tuple[str, str | None, list[str]]:
    """Return what separates cells where no option says so, the decimal sign that goes with it, and notes about both.

    Raises a DataError if a comma may separate two columns, or stand within a number.
    """
    separator, notes = _separator(name, lines, line, usual, decimal), list[str]()
    if separator != usual and max(_widths(lines, separator)) > 1:
        if separator == "," and decimal is None:
            _refuse_pairs(name, lines, line)
        settle = "tab" if usual == "\t" else "','"
        notes.append(f"{name}: cells are separated by {WORDS[separator]}; say --sep {settle} if not")
    if separator == "," and decimal is None:
        _refuse_one_name(name, lines, line)
    if separator == "," and decimal == "," and not _has_quoted_decimals(lines):
        decimal = "."
        notes.append(f"{name}: cells are separated by commas, so that its decimals are points")
    return separator, decimal, notes


def _after_skipped(name: str, raw: Raw, rows: int) -> tuple[int, int]:
    """Return the byte and the line behind the lines that --skip-rows skips, and behind a byte-order mark."""
    begin = behind_mark(raw)
    for line in range(1, rows + 1):
        begin = next_line(raw, begin)
        if begin >= raw.size:
            raise DataError(f"{name}: --skip-rows {rows}: it has only {count(line, 'line')}; skip fewer")
    return begin, rows + 1


def _after_comments(raw: Raw, begin: int, line: int, comment: str | None) -> tuple[int, int]:
    """Return the byte and the line behind the lines that begin with the sign of --comment."""
    while comment is not None and begin < raw.size and raw.read(begin, 1) == comment.encode():
        begin, line = next_line(raw, begin), line + 1
    return begin, line


def next_line(raw: Raw, begin: int) -> int:
    """Return the byte at which the line behind the one at `begin` begins: the end of the file if there is none."""
    while begin < raw.size:
        data = raw.read(begin, min(PIECE, raw.size - begin))
        place = data.find(b"\n")
        if place >= 0:
            return begin + place + 1
        begin += len(data)
    return raw.size


def _sample(raw: Raw, begin: int) -> list[str]:
    """Return the first lines from a byte on, without their ends; the last one only if it is there as a whole.

    Lines from the first one on in which a quote is left open are not among them, unless it is the first of all.
    """
    data = raw.read(begin, min(SAMPLE, raw.size - begin))
    texts = data.decode("utf-8", "replace").split("\n")
    whole = texts if begin + len(data) >= raw.size else texts[:-1] or texts
    lines: list[str] = []
    for text in whole[:LINES]:
        if text.count('"') % 2:
            break
        lines.append(text.removesuffix("\r"))
    while lines and len(lines) == len(whole) and not lines[-1].strip(" \t,;|"):
        lines.pop()
    return lines or [text for text in whole[:1] if text.strip("\r")]


def _refuse_blank_first_line(name: str, lines: list[str], line: int, dialect: Dialect) -> None:
    """Raise a DataError if the first line is blank, with the number of lines to skip."""
    blank = next((number for number, text in enumerate(lines) if text.strip(" \t,;")), len(lines))
    if blank:
        skip = dialect.skip_rows + blank
        raise DataError(
            f"{name}:{line}: the line is blank; begin with the header or the first row, or say --skip-rows {skip}"
        )


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of a line; quoted ones are a lone quote each."""
    bare = QUOTED.sub('"', line)
    return bare.split() if separator == BLANKS else [cell.strip() for cell in bare.split(separator)]


def _widths(lines: Sequence[str], separator: str) -> list[int]:
    return [len(cells_of(line, separator)) for line in lines]


def _is_table(lines: Sequence[str], separator: str) -> bool:
    """Whether lines have the same number of cells, more than one; the first one may lack the name of row names, as R writes it."""
    widths = _widths(lines, separator)
    return widths[-1] > 1 and (len(set(widths)) == 1 or _has_row_names(lines, separator))


def _share_of_numbers(lines: Sequence[str], separator: str, decimal: str | None) -> float:
    """Return which share of the cells below the first line are numbers; decimal commas count unless cells end with commas."""
    cells = [cell for line in (lines[1:] or lines) for cell in cells_of(line, separator) if cell != '"']
    numbers = sum(
        parses_as_number(cell) or (separator != "," and decimal != "." and is_decimal_comma(cell)) for cell in cells
    )
    return numbers / len(cells) if cells else 1.0


def _has_only_numbers(lines: Sequence[str], separator: str, decimal: str | None) -> bool:
    """Whether all cells below the first line are numbers, or in quotes."""
    return _share_of_numbers(lines, separator, decimal) == 1


def _separator(name: str, lines: list[str], line: int, usual: str, decimal: str | None) -> str:
    """Return the separator that the first lines speak for; the usual one, unless it is not there or another one fits better.

    Blanks separate cells only where all cells below the first line are numbers, or in quotes.

    Raises a DataError if the table seems to begin further down, or if it is doubtful whether blanks separate cells.
    """
    ruled_out = "," if decimal == "," and not _has_words_between_commas(lines) else None
    # Commas among words, in a file that is not said to have them as separators, are those of a text.
    textual = "," if usual != "," and not _share_of_numbers(lines, ",", decimal) else None
    rival = _best_rival(lines, (usual, ruled_out, textual), decimal)
    if usual != ruled_out and len(cells_of(lines[0], usual)) > 1:
        return _usual_or_better(name, lines, line, usual, rival, decimal)
    if rival is not None:
        return rival
    if _is_separated_by_blanks(lines, decimal):
        return BLANKS
    _refuse_doubtful_blanks(name, lines, line)
    for separator in (usual, *RIVALS):
        if separator != textual:
            _refuse_preamble(name, lines, line, separator)
    return usual if usual != ruled_out else ";"


def _best_rival(lines: list[str], but: Sequence[str | None], decimal: str | None) -> str | None:
    """Return the separator, but for some, by which lines are a table with the largest share of numbers; None if they never are."""
    fitting = [separator for separator in RIVALS if separator not in but and _is_table(lines, separator)]
    return max(fitting, key=lambda separator: _share_of_numbers(lines, separator, decimal), default=None)


def _usual_or_better(name: str, lines: list[str], line: int, usual: str, rival: str | None, decimal: str | None) -> str:
    """Return the separator of lines of which the first has the usual one: that, or one that fits better.

    The rival or blanks fit better if all lines have the same number of cells by them, and all cells below the first line
    are numbers, which they are not by the usual one; the rival also if lines differ in their number of cells by the usual one.

    Raises a DataError if lines differ by the usual one because the table seems to begin further down.
    """
    regular, numeric = _is_table(lines, usual), _has_only_numbers(lines, usual, decimal)
    if regular and numeric:
        return usual
    if rival is not None and _has_only_numbers(lines, rival, decimal):
        return rival
    if not numeric and _is_separated_by_blanks(lines, decimal):
        return BLANKS
    if not regular:
        _refuse_preamble(name, lines, line, usual)
    return usual


def _has_words_between_commas(lines: list[str]) -> bool:
    """Whether commas separate cells although decimals have commas: the first line has words, and as many commas as the others."""
    first, widths = cells_of(lines[0], ","), _widths(lines, ",")
    return len(first) > 1 and set(widths) == {len(first)} and not any(map(parses_as_number, first))


def _has_quoted_decimals(lines: list[str]) -> bool:
    """Whether numbers with decimal commas stand in quotes, so that commas may separate cells as well."""
    return any(is_decimal_comma(quoted[1:-1]) for line in lines for quoted in QUOTED.findall(line))


def _is_separated_by_blanks(lines: list[str], decimal: str | None) -> bool:
    """Whether blanks separate cells: all lines have as many, and all below the first are numbers or in quotes."""
    return _is_table(lines, BLANKS) and _has_only_numbers(_without_row_names(lines), BLANKS, decimal)


def _without_row_names(lines: list[str]) -> list[str]:
    """Return lines without the first cell of each but the first, if the first line has one cell less."""
    widths = _widths(lines, BLANKS)
    if widths[0] == widths[-1]:
        return lines
    return [lines[0], *(" ".join(cells_of(line, BLANKS)[1:]) for line in lines[1:])]


def _refuse_doubtful_blanks(name: str, lines: list[str], line: int) -> None:
    """Raise a DataError if it is doubtful whether blanks separate cells: there is a column of numbers and one of words.

    In files that are called .csv or .tsv they do not.
    """
    if re.search(r"\.(csv|tsv|tab)(\.\w+)?$", name, re.IGNORECASE) or not _is_table(lines, BLANKS):
        return
    rows = [cells_of(text, BLANKS) for text in lines[1:]]
    if rows and any(all(map(parses_as_number, column)) for column in zip(*rows, strict=True)):
        raise DataError(
            f"{name}:{line}: {shortened(lines[0])!r}: one column of words, or cells separated by blanks? Say --sep ',' or --sep blanks"
        )


def _refuse_preamble(name: str, lines: list[str], line: int, separator: str) -> None:
    """Raise a DataError if the table begins below the first line, with the number of lines to skip.

    The lines below must be as wide as each other, at least three, and wider than the first one.
    """
    widths = _widths(lines, separator)
    start = len(lines) - 1
    while start > 0 and widths[start - 1] == widths[-1]:
        start -= 1
    if start < 1 or len(lines) - start < 3 or widths[0] >= widths[-1] or (start == 1 and widths[0] == widths[-1] - 1):
        return
    if widths[-1] < 2:
        return
    cure = f"--skip-rows {line - 1 + start}"
    if lines[0].startswith("#"):
        cure = f"--comment '#' or {cure}"
    raise DataError(
        f"{name}:{line}: {shortened(lines[0])!r} has {count(widths[0], 'cell')}, and the lines from {line + start} on have "
        f"{widths[-1]}: does the table begin there? Say {cure}"
    )


def _refuse_decimal_commas(name: str, first: str, line: int, separator: str) -> None:
    """Raise a DataError if the first line has numbers with decimal commas, which would be taken for a header."""
    if separator == ",":
        return
    cells = cells_of(first, separator)
    odd = next((cell for cell in cells if is_decimal_comma(cell)), None)
    if odd is not None and all(parses_as_number(cell) or is_decimal_comma(cell) for cell in cells):
        raise DataError(f"{name}:{line}: {odd!r}: a number with a decimal comma? Say --decimal ,")


def _refuse_pairs(name: str, lines: list[str], line: int) -> None:
    """Raise a DataError if every line is two whole numbers with a comma between them: two columns, or one of decimals."""
    if all(map(is_decimal_comma, lines)):
        raise DataError(
            f"{name}:{line}: {lines[0]!r}: say --decimal , for a number with a decimal comma, or --sep , for two columns"
        )


def _refuse_one_name(name: str, lines: list[str], line: int) -> None:
    """Raise a DataError for one name above rows of two whole numbers: one number with a decimal comma, or a row name and a number."""
    if len(lines) > 1 and len(cells_of(lines[0], ",")) == 1 and all(is_decimal_comma(text) for text in lines[1:]):
        raise DataError(
            f"{name}:{line + 1}: {lines[1]!r} below the one name {shortened(lines[0])!r}: a decimal comma? Say --decimal , and if "
            "these are two columns, name the first one as well"
        )


def _has_row_names(lines: Sequence[str], separator: str) -> bool:
    """Whether the first column has row names, as R writes them: it has no name, and its cells are in quotes or 1, 2, 3 ..."""
    widths = _widths(lines, separator)
    if len(lines) < 2 or widths[0] != widths[-1] - 1 or len(set(widths[1:])) > 1:
        return False
    firsts = [cells_of(text, separator)[0] for text in lines[1:]]
    names = cells_of(lines[0], separator)
    if any(map(parses_as_number, names)):
        return False
    return all(cell == '"' for cell in firsts) or firsts == [str(number) for number in range(1, len(firsts) + 1)]


def _below_comments(
    name: str, raw: Raw, at: tuple[int, int], lines: list[str], above: int, usual: str, dialect: Dialect
) -> Layout:
    """Return the layout of a table whose first lines begin with '#', without an option that says what they are.

    Rows of numbers below them make it clear: a last comment with as many words as there are columns has their names, as
    NumPy writes them, and other comments are left out. A name that begins with '#' directly is a name.

    Raises a DataError with the options that help if the lines below are not all numbers.
    """
    (begin, line), rest = at, lines[above:]
    for _ in range(above):
        begin = next_line(raw, begin)
    last = lines[above - 1]
    layout = _of_lines(name, rest, (begin, line + above), usual, dialect)
    width, said = len(cells_of(rest[0], layout.separator)), cells_of(last, layout.separator)
    if above == 1 and len(said) == width > 1 and re.match(r"#[^\s#]", last):
        return _of_lines(name, lines, at, usual, dialect)
    if above == 1 and width == 1 and re.match(r"#[^\s#]+$", last):
        return _of_lines(name, lines, at, usual, dialect)  # one column, whose name or label begins with '#'
    if not _has_only_numbers(["", *rest], layout.separator, layout.decimal):
        raise DataError(
            f"{name}:{line}: {shortened(lines[0])!r}: a comment? Say --comment '#', or --skip-rows {dialect.skip_rows + above}"
        )
    names = tuple(cells_of(last.lstrip("# \t"), layout.separator))
    bad = len(names) != width or any(map(parses_as_number, names)) or (width == 1 and " " in names[0])
    if not bad and len(set(names)) == len(names) and all(names):
        note = f"{name}:{line + above - 1}: the comment {shortened(last)!r} is read as the header; say --comment '#' if it is none"
        return layout._replace(names=names, notes=(*layout.notes, note))
    note = f"{name}: {count(above, 'line')} above the table left out, with comments: {shortened(lines[0])!r}"
    return layout._replace(notes=(*layout.notes, note))


def squeezed(data: bytes) -> bytes:
    """Return lines with one blank where they have blanks or tabs, and none at their beginnings and ends; not within quotes."""
    if b'"' in data:
        data = re.sub(rb'"[^"]*"|[ \t]+', lambda found: found[0] if found[0][:1] == b'"' else b" ", data)
        return re.sub(rb"^ | (?=\r?$)", b"", data, flags=re.MULTILINE)
    letters = np.frombuffer(data.replace(b"\t", b" "), np.uint8)
    blank, ending = letters == BLANK, (letters == NEWLINE) | (letters == CARRIAGE_RETURN)
    before = np.concatenate([[True], (blank | ending)[:-1]])
    letters = letters[~(blank & before)]
    blank, ending = letters == BLANK, (letters == NEWLINE) | (letters == CARRIAGE_RETURN)
    behind = np.concatenate([ending[1:], [True]])
    return letters[~(blank & behind)].tobytes()
