"""The output files of a plot command: opened before the work, and published together if all went well."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscli.analysis.curves import Curve
    from losscli.plots.style import Look

DATA_SUFFIXES = (".csv", ".json")


class Gallery:
    """The picture of a plot command, and the file of its numbers if one is asked for.

    Parameters
    ----------
    output
        the picture; its suffix says the format.
    data
        the file of the numbers: .csv or .json.
    """

    def __init__(self, output: str, look: "Look", data: str | None = None) -> None:
        from losscli.io.sinks import Outputs
        from losscli.io.writers import suffix_of
        from losscli.plots.style import FORMATS

        self.look = look
        self.suffix = suffix_of(output, tuple(FORMATS), "--output", of_special=".png")
        self.data_suffix = None if data is None else suffix_of(data, DATA_SUFFIXES, "--data")
        self.files = Outputs()
        try:
            self.picture = self.files.open(output)
            self.data = None if data is None else self.files.open(data)
        except BaseException:
            self.files.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()

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
        """Draw and write the picture, publish all files, and return notes for the user.

        Parameters
        ----------
        description
            says how the picture came about; it is stored in the file.
        """
        from losscli.plots.style import drawing, render

        with drawing(self.look):
            figure = draw()
            title = figure.get_suptitle() or "losscli"
            data, notes = render(figure, self.suffix, self.look, {"Title": title, "Description": description})
        self.picture.write(data)
        self.files.publish()
        return notes
