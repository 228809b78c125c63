"""What a plot command delivers: files, which are opened before the work and published together, and a window."""

import itertools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscli.analysis.curves import Curve
    from losscli.plots.style import Look

DATA_SUFFIXES = (".csv", ".json")


def unused(kind: str) -> str:
    """Return the first of KIND.png, KIND-2.png, KIND-3.png ... that does not exist in the working folder."""
    names = itertools.chain([f"{kind}.png"], (f"{kind}-{number}.png" for number in itertools.count(2)))
    return next(name for name in names if not os.path.lexists(name))


def named(*operands: object) -> str:
    """Return the words of operands, which name files and columns, as the small print has them; those that are None are left out."""
    return ", ".join("standard input" if one == "-" else str(one) for one in operands if one is not None)


class PlotDelivery:
    """The picture of a plot command, in a file and in a window, and the file of its numbers if one is asked for.

    Parameters
    ----------
    kind
        the command's word, which names the picture if the user does not: 'curves' is written to curves.png.
    output
        the picture; its suffix says the format. None for a name that no file has yet, which is printed; with --show
        for no file.
    data
        the file of the numbers: .csv or .json.

    Raises
    ------
    UsageError
        for a suffix that is no format.
    DataError
        if a file cannot be written, or a window cannot be opened.
    """

    def __init__(self, kind: str, output: str | None, look: "Look", data: str | None = None) -> None:
        from losscli.io.sinks import Outputs
        from losscli.io.writers import suffix_of
        from losscli.plots.style import FORMATS

        self.look = look
        self.named_here = None if output is not None or look.window else unused(kind)
        path = self.named_here if output is None else output
        self.suffix = None if path is None else suffix_of(path, tuple(FORMATS), "--output", of_special=".png")
        self.data_suffix = None if data is None else suffix_of(data, DATA_SUFFIXES, "--data")
        if look.window:
            from losscli.plots.window import open_backend

            open_backend()
        self.files = Outputs()
        try:
            self.picture = None if path is None else self.files.open(path)
            self.data = None if data is None else self.files.open(data)
        except BaseException:
            self.files.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()
        if self.look.window:
            from losscli.plots.window import close

            close()

    def keep_apart(self, inputs: frozenset[str]) -> None:
        """Raise a UsageError if an output is one of the inputs, which are real paths."""
        from losscli.io.sinks import keep_apart

        for file in self.files.files:
            keep_apart(file.path, inputs)

    def write_data(self, curves: "Sequence[Curve]") -> None:
        """Write the numbers of the picture as CSV, or as JSON with one record for each row."""
        from losscli.analysis.curves import records
        from losscli.io.rows import records as rows_of
        from losscli.io.strict_json import strict_json
        from losscli.io.writers import TextWriter

        if self.data is None:
            return
        if self.data_suffix == ".csv":
            TextWriter(self.data, ",").write(records(curves))
            return
        rows = [strict_json(row) for part in rows_of(records(curves, nested=True)) for row in part]
        self.data.write(("[\n  " + ",\n  ".join(rows) + "\n]\n").encode())

    def publish(self, draw: "Callable[[], Figure]", description: str) -> list[str]:
        """Draw the picture, publish all files, show the window until it is closed, and return notes for the user.

        The name of a file that the user has not named is printed on standard output.

        Parameters
        ----------
        description
            says how the picture came about; it is stored in the file.
        """
        from losscli.plots.style import TooSmallError, drawing, render, scales, title_of

        sizes = scales(self.look)
        for scale in sizes:
            with drawing(self.look, scale):
                figure = draw()
                about = {"Title": title_of(figure) or "losscli", "Description": description}
                try:
                    data, notes = render(figure, self.suffix or ".png", self.look, about)
                except TooSmallError:
                    if scale == sizes[-1]:
                        raise
                    continue  # with smaller letters
                if self.picture is not None:
                    self.picture.write(data)
                self.files.publish()
                if self.named_here is not None:
                    print(self.named_here, flush=True)
                if self.look.window:
                    from losscli.plots.window import wait

                    wait()
            break
        return notes
