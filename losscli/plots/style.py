"""How pictures look, and how they become bytes: themes, sizes, and colours that suit colour-blind readers and print."""

import io
import os
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.cbook import is_math_text
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import AutoLocator, FuncFormatter, MaxNLocator

from losscli.errors import UsageError
from losscli.records import dataclass
from losscli.version import __version__

FORMATS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}
FONT = 9.5
"""Size of letters in points, in pictures of the usual size."""
USUAL = 24.0
"""Square inches from which on letters have the usual size; smaller pictures have smaller ones."""
SMALLER = (0.85, 0.75, 0.65)
"""Parts of the usual size that letters may have where a picture does not fit otherwise; the last is 6 points."""
LEAST_PANEL = 0.4
"""Inches that a panel must have at least in both directions."""
MOST_PIXELS = 20_000
"""The most pixels per side; Matplotlib draws up to 2^16, and 20,000 squared are 1.6 GB."""
SMALL = 7.5
"""Size of the small print in points."""
INCHES_A_LETTER = 0.078
"""Approximate width of a letter of a legend in inches."""
SLACK = 3
"""Pixels by which a label may leave the figure: the empty space that Matplotlib leaves around letters."""
LINE_OF_LEGEND = 0.2
"""Height of a line of a legend in inches."""
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (8, 1.5, 1.2, 1.5, 1.2, 1.5)))
FEWER_TICKS = (4, 3, 2, 1)
"""Steps of an axis that are tried where its numbers overlap."""
MOST_TICKS = 9
"""Steps of an axis for which nothing else is said, where there is room; Matplotlib's number."""
BETWEEN_NUMBERS = 0.6
"""Room between two numbers of an axis that lie side by side, as a part of the size of letters: one that is narrower reads as a space."""
MARKERS = "os^DvPX*<>"


@dataclass(frozen=True)
class Theme:
    """Colours of a picture. `colours` distinguish curves and classes; `scale` is a colour map for ordered things."""

    ground: str
    ink: str
    faint: str
    colours: tuple[str, ...]
    scale: str
    within: tuple[float, float]
    """The part of the colour map that stands out from the ground."""


# Okabe and Ito's colours ("Color Universal Design", 2008), without those that are hard to see on the ground.
THEMES = {
    "light": Theme(
        "#ffffff",
        "#1a1a1a",
        "#d9d9d9",
        ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"),
        "viridis",
        (0.0, 0.72),
    ),
    "dark": Theme(
        "#16181d",
        "#e8e8e8",
        "#3a3d45",
        ("#56b4e9", "#e69f00", "#00c794", "#cc79a7", "#f0e442", "#ff7b33", "#ffffff"),
        "viridis",
        (0.3, 1.0),
    ),
}


@dataclass(frozen=True)
class Look:
    """The options that every picture has. `size` is in inches."""

    title: str | None = None
    size: tuple[float, float] | None = None
    dpi: int = 150
    theme: str = "light"
    window: bool = False
    """Whether the figure is shown in a window, beside the file or in place of it."""

    def __post_init__(self) -> None:
        if not 10 <= self.dpi <= 1200:
            raise UsageError(f"--dpi {self.dpi} is not in [10, 1200]")
        if self.size is not None:
            words = f"--size {self.size[0]:g},{self.size[1]:g}"
            if not all(1 <= side <= 100 for side in self.size):
                raise UsageError(
                    f"{words}: width and height are inches, from 1 to 100; --dpi says how many pixels each"
                )
            if max(self.size) * self.dpi > MOST_PIXELS:
                raise UsageError(f"{words} with --dpi {self.dpi}: more than {MOST_PIXELS:,} pixels a side")

    @property
    def colours(self) -> Theme:
        return THEMES[self.theme]


class TooSmallError(UsageError):
    """The picture does not fit into its size."""


def scales(look: Look) -> tuple[float, ...]:
    """Return the sizes of letters that a picture may have, as parts of the usual one, in the order in which they are tried.

    A picture without a size of the user's own has the usual one, since its size follows from what it shows.
    """
    if look.size is None:
        return (1.0,)
    first = min(1.0, max(SMALLER[-1], (look.size[0] * look.size[1] / USUAL) ** 0.5))
    return first, *(one for one in SMALLER if one < first)


@contextmanager
def drawing(look: Look, scale: float = 1.0) -> Iterator[None]:
    """Use Matplotlib's defaults and this look, whatever the user's settings are; restore everything afterwards.

    Parameters
    ----------
    scale
        the size of letters, as a part of the usual one; see `scales`.
    """
    theme = look.colours
    with mpl.rc_context(), np.errstate(all="ignore"):  # Matplotlib may overflow with the largest numbers
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "text.parse_math": False,  # a '$' in a name is a dollar
                "axes.unicode_minus": True,
                "font.size": FONT * scale,
                "axes.titlesize": 10.5 * scale,
                "figure.titlesize": 11.5 * scale,
                "lines.linewidth": 1.5 * scale,
                "xtick.major.pad": 3.5 * scale,
                "ytick.major.pad": 3.5 * scale,
                "axes.labelpad": 4.0 * scale,
                "figure.facecolor": theme.ground,
                "savefig.facecolor": theme.ground,
                "axes.facecolor": theme.ground,
                "text.color": theme.ink,
                "axes.labelcolor": theme.ink,
                "axes.edgecolor": theme.ink,
                "xtick.color": theme.ink,
                "ytick.color": theme.ink,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": theme.faint,
                "grid.linewidth": 0.6,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "lines.solid_capstyle": "butt",  # a line ends where its numbers end
                "legend.frameon": False,
                "legend.handlelength": 3.2,
                "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
                "svg.hashsalt": "losscli",  # the same command writes the same bytes
                "pdf.fonttype": 42,
            }
        )
        yield


def blank(look: Look, width: float, height: float) -> Figure:
    """Return an empty figure of the size asked for, else of `width` x `height` inches."""
    size = look.size or (width, height)
    if look.window:
        from matplotlib import pyplot

        return pyplot.figure(figsize=size, layout="constrained", num="losscli", clear=True)
    return Figure(figsize=size, layout="constrained")


def style_of(number: int, look: Look) -> dict[str, Any]:
    """Return colour and dashes of the curve with this number; each of them alone distinguishes it."""
    colours = look.colours.colours
    return {"color": colours[number % len(colours)], "linestyle": DASHES[number % len(DASHES)]}


def ordered_style(number: int, of: int, look: Look) -> dict[str, Any]:
    """Return colour and dashes of a curve of a sweep, whose colours go from dark to light or back."""
    low, high = look.colours.within
    colour = mpl.colormaps[look.colours.scale](low + (high - low) * number / max(1, of - 1))
    return {"color": colour, "linestyle": DASHES[number % len(DASHES)]}


def count_colours(look: Look) -> ListedColormap:
    """Return a colour map for counts: larger counts differ more from the ground, and even a count of 1 stands out."""
    theme = look.colours
    low, high = theme.within
    ends = (low, high) if low > 1 - high else (high, low)
    return ListedColormap(mpl.colormaps[theme.scale](np.linspace(*ends, 256)))


def clean(text: str, most: int = 40) -> str:
    """Return a name that can be drawn: without control characters, and cut if it is too long to read."""
    text = "".join(letter if letter.isprintable() else " " if letter.isspace() else "\ufffd" for letter in text)
    # Cut in the middle, since names of one table often begin alike.
    return text if len(text) <= most else f"{text[: most // 2]}…{text[most // 2 + 1 - most :]}"


def number(value: float, form: str = ".4g") -> str:
    """Return a number as axes write it, with a minus sign."""
    return f"{value:{form}}".replace("-", "\u2212")


def letters(points: float) -> float:
    """Return a size in points, of letters or markers, in proportion to the size that letters have now."""
    return points * float(mpl.rcParams["font.size"]) / 9.5


def fitted(text: str, inches: float) -> str:
    """Return a label in as many lines as it needs beside a panel that has this many inches, including
    its other labels.
    """
    return textwrap.fill(text, max(8, int(0.9 * inches / letter_width())))


def letter_width() -> float:
    """Return the approximate width of a letter of a label in inches, at the size that letters have now."""
    return INCHES_A_LETTER * _scale()


def _scale() -> float:
    """Return the size that letters have now, as a part of the usual one."""
    return float(mpl.rcParams["font.size"]) / FONT


def plain_ticks(axis: Any) -> None:
    """Write the numbers of a logarithmic axis in plain digits, at the powers of ten."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def legend_below(
    figure: Figure,
    handles: Sequence[Any],
    labels: Sequence[str],
    handle: int = 10,
    math: bool = False,
    by_rows: bool = False,
    note: str = "",
    **how: Any,
) -> None:
    """Place a legend under the panels, where it hides nothing, in as many columns as fit.

    Parameters
    ----------
    handle
        the width of a handle, in letters.
    math
        whether formulas stand between dollar signs in the labels; see `plain`.
    by_rows
        whether the labels are read row by row, and not column by column.
    note
        small print above the labels.
    how
        is passed to Matplotlib.
    """
    columns = legend_columns(labels, figure.get_figwidth(), handle, math, by_rows)
    if by_rows:  # Matplotlib fills column by column
        order = [i for column in range(columns) for i in range(column, len(labels), columns)]
        handles, labels = [handles[i] for i in order], [labels[i] for i in order]
    legend = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        **{"columnspacing": 1.6} | how,
    )
    for text in legend.get_texts():
        text.set_parse_math(math)
    if note:
        lines = textwrap.fill(note, max(20, int(0.95 * figure.get_figwidth() / letter_width() * FONT / SMALL)))
        legend.set_title(lines, prop=FontProperties(size=SMALL * _scale()))


def legend_height(
    labels: Sequence[str], width: float, handle: int = 10, math: bool = False, by_rows: bool = False
) -> float:
    """Return how many inches a legend under the panels of a figure of this width takes."""
    return LINE_OF_LEGEND * _scale() * -(-len(labels) // legend_columns(labels, width, handle, math, by_rows))


def legend_columns(
    labels: Sequence[str], width: float, handle: int = 10, math: bool = False, by_rows: bool = False
) -> int:
    """Return how many columns of a legend fit into a width in inches; a handle is as wide as `handle` letters."""
    widths = [text_size(one)[0] if math and is_math_text(one) else len(one) * letter_width() for one in labels]
    beside = handle * letter_width()
    if not by_rows:
        return max(1, min(len(labels), int(width / (max(widths) + beside))))
    fitting = (
        columns
        for columns in range(len(labels), 1, -1)
        if sum(max(widths[column::columns]) + beside for column in range(columns)) <= width
    )
    rows = -(-len(labels) // next(fitting, 1))
    return -(-len(labels) // rows)


def plain(text: str) -> str:
    """Return text, such as a name, as it stands in text with formulas: a dollar sign in it is a dollar sign."""
    return text.replace("$", r"\$")


def text_size(text: str, points: float | None = None) -> tuple[float, float]:
    """Return width and height in inches of one line of text with formulas, by default in the size of labels."""
    font = FontProperties(size=points or mpl.rcParams["font.size"])
    width, height, _ = text_to_path.get_text_width_height_descent(text, font, ismath=bool(is_math_text(text)))
    return width / 72, height / 72


def headline(figure: Figure, text: str, spoken: str | None = None) -> None:
    """Set the title of a figure, in as many lines as it needs.

    If Matplotlib breaks lines, it reads words between dollar signs as formulas, whatever its settings are.

    Parameters
    ----------
    spoken
        the same in words, for those who do not see it, if the title holds formulas between dollar signs; its lines are
        then not broken.
    """
    title = figure.suptitle(text, wrap=spoken is None and "$" not in text)
    if spoken is not None:
        title.set_parse_math(True)
        title.set_label(spoken)


def title_of(figure: Figure) -> str:
    """Return the title of a figure in words, '' if it has none."""
    text = figure.get_suptitle()
    return next((str(one.get_label()) for one in figure.texts if one.get_text() == text and one.get_label()), text)


def small_print(figure: Figure, text: str) -> None:
    """Write a line at the foot of the figure that says how its numbers were computed."""
    letters = max(20, int(figure.get_figwidth() / letter_width() * FONT / SMALL))
    lines: list[str] = []
    line = ""
    for word in re.split(r"(?<=[|;,/ ])", text):
        if line and len(line + word) > letters:
            lines, line = [*lines, line], ""
        line += word
    figure.supxlabel("\n".join([*lines, line]), fontsize=SMALL * _scale(), alpha=0.75, x=0.01, ha="left")


@contextmanager
def _without_date() -> Iterator[None]:
    """Hide SOURCE_DATE_EPOCH from Matplotlib, which reads it for the date that pictures here do not have, and fails if it is no date."""
    held = os.environ.pop("SOURCE_DATE_EPOCH", None)
    try:
        yield
    finally:
        if held is not None:
            os.environ["SOURCE_DATE_EPOCH"] = held


def render(figure: Figure, suffix: str, look: Look, about: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """Return a figure as the bytes of a file, and notes for the user.

    Raises
    ------
    TooSmallError
        if the picture does not fit into its size.
    """
    kind = FORMATS[suffix]
    maker = f"losscli {__version__}"
    title, text = (clean(about[key].replace("\n", "; "), 2000) for key in ("Title", "Description"))
    described = {"Title": title, ("Subject" if kind == "pdf" else "Description"): text}
    dated: dict[str, Any] = {"svg": {"Creator": maker, "Date": None}, "pdf": {"Creator": maker, "CreationDate": None}}
    _thin_ticks(figure)
    if look.size is not None and _crowded(figure):
        raise _too_small(figure)
    out = io.BytesIO()
    with warnings.catch_warnings(record=True) as caught, _without_date():
        warnings.simplefilter("always")
        figure.savefig(out, format=kind, dpi=look.dpi, metadata=described | dated.get(kind, {"Software": maker}))
    notes = []
    for warning in caught:
        text = str(warning.message)
        if "constrained_layout not applied" in text:
            raise _too_small(figure)
        if "Glyph" in text and kind != "svg":  # in SVG it is text in the reader's font
            notes.append("warning: the font lacks letters of a name, which are drawn as boxes")
    return out.getvalue(), sorted(set(notes))


def _thin_ticks(figure: Figure) -> None:
    """Give axes whose numbers run into each other fewer of them; names of classes and the like are left alone."""
    every = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    for most in FEWER_TICKS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figure.draw_without_rendering()
        for axis in every if most == FEWER_TICKS[0] else ():
            automatic: Any = axis.get_major_locator()
            if isinstance(
                automatic, AutoLocator
            ):  # else the file, whose layout differs by a hair, may have more of them
                automatic.set_params(nbins=min(MOST_TICKS, max(1, axis.get_tick_space())))
        tight = [axis for axis in every if _overlapping(axis)]
        for axis in tight:
            locator: Any = axis.get_major_locator()
            locator.set_params(nbins=most)
        if not tight:
            return


def _overlapping(axis: Any) -> bool:
    """Whether numbers at the ticks of an axis with even steps overlap, or are so near that they read as one."""
    if not isinstance(axis.get_major_locator(), MaxNLocator):
        return False
    boxes = _numbers(axis)
    gap = BETWEEN_NUMBERS * float(mpl.rcParams["font.size"]) / 72 * axis.get_figure(root=True).dpi
    across = axis.axis_name == "x"
    return any(one.padded(gap if across else 0, 0).overlaps(other) for one, other in pairwise(boxes))


def _numbers(axis: Any) -> list[Any]:
    """Return the boxes of what is written at the ticks of an axis."""
    low, high = sorted(axis.get_view_interval())
    at_ticks = [(tick.label1, tick.label2) for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [one.get_window_extent() for pair in at_ticks for one in pair if one.get_visible() and one.get_text()]


def _too_small(figure: Figure) -> TooSmallError:
    """Return the error about a size that is too small."""
    width, height = figure.get_size_inches()
    return TooSmallError(f"--size {width:g},{height:g} is too small for this picture; give it more inches")


def _crowded(figure: Figure) -> bool:
    """Whether numbers, labels, title or a legend leave the figure or overlap, or a panel is too small to be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure.draw_without_rendering()
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.label.get_text()]
    boxes = [label.get_window_extent() for label in labels if label.get_visible()]
    others = [one.get_window_extent() for one in (*figure.legends, *figure.texts)]
    boxes += [legend.get_window_extent() for axes in figure.axes if (legend := axes.get_legend()) is not None]
    every = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    others += [box for axis in every for box in _numbers(axis)]
    whole = figure.bbox
    outside = any(
        box.x0 < whole.x0 - SLACK or box.x1 > whole.x1 + SLACK or box.y0 < whole.y0 - SLACK or box.y1 > whole.y1 + SLACK
        for box in (*boxes, *others)
    )
    small = any(min(axes.bbox.width, axes.bbox.height) < LEAST_PANEL * figure.dpi for axes in figure.axes)
    crossed = any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])
    return outside or small or crossed or any(map(_overlapping, every))
