"""Options of what a command writes: formats, files and notes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, get_args

from losscli.cli.options.declare import WRITING, option
from losscli.errors import UsageError
from losscli.records import NamedTuple
from losscli.render.words import ROW_FORMATS, RecordFormat, ReportFormat, ResultFormat

if TYPE_CHECKING:
    from losscli.measurement.requirement import Requirement

FORMAT_HELP = "Format of standard output"


def format_option(help: str = f"{FORMAT_HELP}.", panel: str | None = WRITING, **more: Any) -> Any:
    """Declare --format; its choices are the words of the type beside it."""
    return option("-f", "--format", panel=panel, help=help, **more)


def formats_option(formats: Any, panel: str | None = WRITING, more: str = "") -> Any:
    """Declare --format with a help that names all formats, which are too many for the column of choices.

    Parameters
    ----------
    formats
        a Literal of the formats.
    more
        the end of the sentence, about the last format; '' for its name only.
    """
    *first, last = get_args(formats)
    words = f"{', '.join(first)}{more or f' or {last}'}"
    return format_option(f"{FORMAT_HELP}: {words}.", panel, metavar="NAME")


def output_option(help: str, **more: Any) -> Any:
    """Declare --output; `help` says what is written, and in which formats."""
    return option("-o", "--output", **{"panel": WRITING, "metavar": "FILE"} | more, help=help)


def result_output(suffixes: str, more: str = "") -> Any:
    """Declare --output of a result that is printed as well."""
    return output_option(f"The result to a file as well: {suffixes}.{more}")


def quiet_option(help: str = "No notes, warnings and progress on standard error.", panel: str = WRITING) -> Any:
    """Declare --quiet; `help` says what is not printed."""
    return option("-q", "--quiet", panel=panel, show_default=False, help=help)


def top_option(help: str) -> Any:
    """Declare --top; `help` says which rows are shown."""
    return option("--top", metavar="N", panel=WRITING, help=help)


ListFormat = Annotated[RecordFormat, format_option(panel=None)]
Report = Annotated[ReportFormat, format_option()]
PageFile = Annotated[str | None, result_output(".json, .md, or .html for a browser")]
ReportFile = Annotated[str | None, result_output(".json or .md")]
Quiet = Annotated[bool, quiet_option()]


Format = Annotated[ResultFormat, formats_option(ResultFormat)]
Output = Annotated[
    str | None,
    result_output(".json .jsonl .csv .tsv .md .npy .parquet, or .html for a browser", " Written whole or not at all."),
]
PerSample = Annotated[
    bool,
    option(
        "--per-sample",
        panel=WRITING,
        show_default=False,
        help="One row per sample (jsonl, csv, tsv, npy, parquet: always).",
    ),
]
Gradient = Annotated[
    str | None,
    option(
        "--gradient",
        metavar="FILE",
        panel=WRITING,
        help="d loss / d prediction of each row, before weights and reduction, to .npy or .csv.",
    ),
]
Require = Annotated[
    list[str],
    option(
        "--require",
        metavar="'STAT OP X'",
        panel=WRITING,
        help="Exit 1 unless met, as in 'mean <= 0.35'. Repeatable. STAT: value mean std min max p50 p90 p99 samples ignored, and rmse rmsle perplexity bits bits_per_byte ece mce classwise_ece where they apply.",
    ),
]
RequireEach = Annotated[
    list[str],
    option(
        "--require-each",
        metavar="'STAT OP X'",
        panel=WRITING,
        help="Exit 1 unless every slice of --by meets it. Repeatable. STAT: value mean std min max samples, and rmse and the like.",
    ),
]


class Wanted(NamedTuple):
    """What `losscli compute` prints and writes."""

    format: Format = "table"
    output: Output = None
    per_sample: PerSample = False
    elements: Annotated[
        bool,
        option(
            "--elements",
            panel=WRITING,
            show_default=False,
            help="One row per sample, with the loss of each of its outputs.",
        ),
    ] = False
    gradient: Gradient = None
    require: Require = []  # noqa: RUF012 - Typer copies it
    require_each: RequireEach = []  # noqa: RUF012
    part: Annotated[
        str | None,
        option(
            "--part",
            metavar="I/N",
            panel=WRITING,
            show_default=False,
            help="Part I of N of the pass only, to -o FILE.part; losscli merge puts all parts together.",
        ),
    ] = None
    quiet: Quiet = False

    def needed(self, requirements: "Iterable[Requirement]") -> dict[str, Any]:
        """Return the fields of a request that say which statistics are printed, written or required.

        One number and single rows need no more than the pass makes for them anyway, which is much faster for large files.
        """
        from losscli.io.writers import WRITERS

        of_rows = self.output is None or self.output.lower().endswith(tuple(WRITERS))
        shown = self.format not in ("value", *ROW_FORMATS) or not of_rows or self.part is not None
        fields: dict[str, Any] = {"summary": shown}
        for requirement in requirements:
            fields |= requirement.wanted
        return fields

    def check_value(self, reduction: str) -> None:
        """Raise a UsageError if one number is wanted, and the reduction leaves none."""
        if self.format == "value" and reduction == "none":
            raise UsageError(
                "--format value prints one number, and --reduction none leaves none; choose another of either"
            )

    def under(self, reduction: str) -> "Wanted":
        """Return what is printed under a reduction: without one, the table shows the samples, as there is nothing else to show."""
        return self._replace(per_sample=True) if reduction == "none" and self.format == "table" else self


class Merged(NamedTuple):
    """What `losscli merge` prints and writes."""

    format: Format = "table"
    output: Output = None
    per_sample: PerSample = False
    gradient: Gradient = None
    require: Require = []  # noqa: RUF012 - Typer copies it
    require_each: RequireEach = []  # noqa: RUF012
    quiet: Quiet = False

    def wanted(self, elements: bool) -> Wanted:
        """Return the same for `losscli compute`; `elements` says whether the parts have the losses of outputs."""
        return Wanted(**self._asdict(), elements=elements and self.per_sample)
