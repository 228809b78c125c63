"""Options of pictures."""

from typing import TYPE_CHECKING, Annotated

from losscli.cli.options.declare import PICTURE, option
from losscli.cli.options.output import output_option, quiet_option
from losscli.errors import UsageError
from losscli.numerals import as_number
from losscli.records import NamedTuple
from losscli.render.words import ThemeName

if TYPE_CHECKING:
    from losscli.plots.style import Look

Picture = Annotated[
    str | None,
    output_option(
        "The picture: .png, .svg or .pdf. Default: the command's word, as in curves.png; its name is printed.",
        panel=PICTURE,
        show_default=False,
    ),
]
Quiet = Annotated[bool, quiet_option("No notes and warnings on standard error.", PICTURE)]


class Looks(NamedTuple):
    """How a picture looks."""

    title: Annotated[str | None, option("--title", metavar="TEXT", panel=PICTURE, help="Title; '' for none.")] = None
    size: Annotated[
        str | None,
        option("--size", metavar="W,H", panel=PICTURE, help="Width and height in inches, from 1 to 100."),
    ] = None
    dpi: Annotated[int, option("--dpi", metavar="N", panel=PICTURE, help="Pixels per inch, from 10 to 1200.")] = 150
    theme: Annotated[
        ThemeName, option("--theme", panel=PICTURE, help="Dark lines on white, or light ones on dark grey.")
    ] = "light"
    show: Annotated[
        bool,
        option("--show", panel=PICTURE, show_default=False, help="Open a window; a file as well only with -o."),
    ] = False

    def look(self) -> "Look":
        """Return the look of a picture.

        Raises
        ------
        UsageError
            for a size that is not two numbers, and numbers outside their domains.
        """
        from losscli.plots.style import Look

        return Look(self.title, pair(self.size, "--size", "8,5"), self.dpi, self.theme, self.show)


def pair(text: str | None, option: str, example: str) -> tuple[float, float] | None:
    """Read two numbers with a comma, a colon, '..', 'x' or a space between them; return None if nothing was typed."""
    if text is None:
        return None
    for between in (",", ":", "..", "x", None):
        parts = text.split(between)
        if len(parts) == 2:
            try:
                return as_number(parts[0]), as_number(parts[1])
            except ValueError:
                continue
    raise UsageError(f"{option} {text!r} is not two numbers, as in {option} {example}")


def numbers(text: str | None, option: str) -> tuple[float, ...]:
    """Read numbers with commas between them; return none if nothing was typed.

    Raises
    ------
    UsageError
        if one of them is not a number.
    """
    if text is None:
        return ()
    try:
        return tuple(map(as_number, text.split(",")))
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is not a number, nor several with commas, as in {option} 0,0.1,0.5"
        ) from None
