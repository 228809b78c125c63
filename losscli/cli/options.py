"""The options of compute, each written once; a command's signature is spliced together from them.

A loss gets the options that its family takes, and its own parameters as options of their own.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from losscli.errors import UsageError

if TYPE_CHECKING:
    from losscli.definition.loss import BoundLoss, Family, Loss
    from losscli.definition.request import Request

Given = Literal["logits", "probs", "log-probs"]
Mode = Literal["uniform", "half", "others"]
ReductionName = Literal["mean", "sum", "none", "sum-over-batch-size", "sum-by-nonzero-weights"]
FormatName = Literal["table", "json", "jsonl", "csv", "tsv", "markdown", "value"]
ListFormat = Annotated[Literal["table", "json"], typer.Option("-f", "--format", help="Format of standard output.")]

FORMAT_HELP = "Format of standard output: table, json, jsonl, csv, tsv, markdown or value."
READING, LOSS, REDUCING, WRITING = "Reading", "The loss", "Weights and reduction", "Output"
RUNNING = "Running"
PICTURE = "The picture"


class Shared(NamedTuple):
    """An option or operand that several losses share."""

    name: str
    annotation: Any
    default: Any = inspect.Parameter.empty
    when: Callable[["Family"], bool] = lambda family: True

    @property
    def panel(self) -> str | None:
        """The heading under which help shows it; None for an operand."""
        return getattr(self.annotation.__metadata__[0], "rich_help_panel", None)

    @property
    def flag(self) -> str:
        """Its first flag, such as '--from' or '--header/--no-header'; '' for an operand."""
        return str(getattr(self.annotation.__metadata__[0], "default", ""))


def _option(kind: Any, *names: str, panel: str, **more: Any) -> Any:
    return Annotated[kind, typer.Option(*names, rich_help_panel=panel, **more)]


Predictions = Annotated[
    str,
    typer.Argument(
        metavar="PREDICTIONS",
        show_default=False,
        help="FILE (.npy .npz .csv .tsv .parquet), FILE:COLUMN, FILE.npz:KEY, '-' or a quoted glob.",
    ),
]
Targets = Annotated[str, typer.Argument(metavar="TARGETS", show_default=False, help="The same kinds of file.")]
From = _option(Given, "--from", panel=LOSS, help="What the predictions are. Never guessed.")
Ignore = _option(
    str | None,
    "--ignore-index",
    metavar="LABEL",
    panel=READING,
    help="Leave out the rows with this label.",
)
Id = _option(
    str | None,
    "--id",
    metavar="COLUMN",
    panel=READING,
    help="Join the files by this column.",
)
Unmatched = _option(
    Literal["error", "drop"],
    "--on-unmatched",
    metavar="error|drop",
    panel=READING,
    help="What becomes of rows whose id is not in every file.",
)
Classes = _option(
    str | None,
    "--classes",
    metavar="A,B,...|FILE",
    panel=READING,
    help="Names of the classes in their order: of the columns of predictions that have no names, and of labels that are indices. For one score a row: NEGATIVE,POSITIVE.",
)
LabelBase = _option(
    int,
    "--label-base",
    metavar="0|1",
    panel=READING,
    help="The label of the first class, where labels are indices.",
)
SampleWeight = _option(
    str | None, "--sample-weight", metavar="FILE[:COLUMN]", panel=REDUCING, help="One weight per row."
)
ColumnNames = _option(
    str | None,
    "--columns",
    metavar="'P_*'",
    panel=READING,
    help="Columns of the first file: names or patterns, separated by commas.",
)
Header = _option(
    bool | None,
    "--header/--no-header",
    panel=READING,
    show_default=False,
    help="Whether tables have a header. Default: the first row is one unless it is all numbers.",
)

Threads = _option(
    int | None,
    "--threads",
    metavar="N",
    panel=RUNNING,
    show_default=False,
    help="Default: the cores this process may use. Results are the same for any number.",
)
Progress = _option(
    bool | None,
    "--progress/--no-progress",
    panel=RUNNING,
    show_default=False,
    help="Rows done, rate and time left on standard error. Default: on a terminal.",
)

SHARED: tuple[Shared, ...] = (
    Shared("predictions", Predictions),
    Shared("targets", Targets),
    Shared(
        "prediction_kind",
        From,
        "logits",
        lambda family: family.takes_from,
    ),
    Shared(
        "label_smoothing",
        _option(float, "--label-smoothing", metavar="E", panel=LOSS, help="Smooth the targets by E in [0, 1)."),
        0.0,
        lambda family: family.smoothing is not None,
    ),
    Shared(
        "smoothing_mode",
        _option(
            Mode | None,
            "--smoothing-mode",
            panel=LOSS,
            show_default=False,
            help="uniform: t(1-E)+E/k (softmax default); half: t(1-E)+E/2 (sigmoid default); others: 1-E on the right class, E/(k-1) on each other. k: number of classes or outputs.",
        ),
        None,
        lambda family: family.smoothing is not None,
    ),
    Shared(
        "pos_weight",
        _option(
            str | None,
            "--pos-weight",
            metavar="X|NAME=X,...",
            panel=LOSS,
            help="Factor of the positive term.",
        ),
        None,
        lambda family: family.takes_pos_weight,
    ),
    Shared(
        "centers",
        _option(
            str | None,
            "--centers",
            metavar="FILE",
            panel=LOSS,
            help="Class centers, shape (k, d); a column 'class' names them.",
        ),
        None,
        lambda family: family.takes_centers,
    ),
    *(
        Shared(
            "third_operand",
            _option(str | None, f"--{name}", metavar="FILE", panel=LOSS, help=text),
            None,
            lambda family, name=name: family.third_operand == name,  # type: ignore[misc]
        )
        for name, text in (
            ("variance", "Variances of the predictions, in their shape."),
            ("negative", "Features of the negatives, in the predictions' shape."),
            ("other", "Features of the other one of each pair, in the predictions' shape."),
        )
    ),
    Shared(
        "per",
        _option(
            Literal["row", "column", "file"] | None,
            "--per",
            panel=LOSS,
            show_default=False,
            help="What is one mask, or one series: each row (default), each column, or all elements of the file (default for one number a row).",
        ),
        None,
        lambda family: family.coupled == "masks",
    ),
    Shared(
        "over_outputs",
        _option(
            Literal["mean", "sum"],
            "--over-outputs",
            panel=LOSS,
            help="How the outputs of a sample become its loss.",
        ),
        "mean",
        lambda family: family.several_outputs,
    ),
    Shared(
        "ignore_index",
        Ignore,
        None,
    ),
    Shared(
        "id",
        Id,
        None,
    ),
    Shared("on_unmatched", Unmatched, "error"),
    Shared("classes", Classes, None, lambda family: family.takes_classes),
    Shared(
        "operands",
        _option(
            Literal["predictions,targets", "targets,predictions"] | None,
            "--operands",
            metavar="FIRST,SECOND",
            panel=LOSS,
            help="Which operand of a loss of a file is which, where their names do not say it: predictions,targets or targets,predictions.",
        ),
        None,
        lambda family: family.custom,
    ),
    Shared(
        "takes",
        _option(
            Given | None,
            "--takes",
            panel=LOSS,
            show_default=False,
            help="What a loss of a file wants for predictions, where its names do not say it; they are converted from --from.",
        ),
        None,
        lambda family: family.custom,
    ),
    Shared("label_base", LabelBase, 0, lambda family: family.takes_classes and family.target_type != "signs"),
    Shared(
        "columns",
        ColumnNames,
        None,
    ),
    Shared(
        "header",
        Header,
        None,
    ),
    Shared("sample_weight", SampleWeight, None),
    Shared(
        "class_weight",
        _option(
            str | None,
            "--class-weight",
            metavar="A=1,B=4|FILE|balanced",
            panel=REDUCING,
            help="One weight per class; classes not named get 1. With several outputs a sample: one weight per output.",
        ),
        None,
        lambda family: family.takes_class_weight,
    ),
    Shared(
        "reduction",
        _option(
            ReductionName,
            "--reduction",
            panel=REDUCING,
            help="mean: sum(wl)/sum(w); sum; none; sum-over-batch-size: sum(wl)/n; sum-by-nonzero-weights: sum(wl)/count(w!=0).",
            metavar="NAME",
        ),
        "mean",
    ),
    Shared(
        "library",
        _option(
            str | None,
            "--as",
            metavar="LIBRARY[,...]",
            panel=REDUCING,
            help="The number that torch, keras, tf1, optax or sklearn gives, with its conventions; several side by side.",
        ),
        None,
    ),
    Shared("threads", Threads, None),
    Shared("progress", Progress, None),
    Shared(
        "format",
        _option(FormatName, "-f", "--format", metavar="NAME", panel=WRITING, help=FORMAT_HELP),
        "table",
    ),
    Shared(
        "output",
        _option(
            str | None,
            "-o",
            "--output",
            metavar="FILE",
            panel=WRITING,
            help="The result to a file as well: .json .jsonl .csv .tsv .md .npy .parquet. Written whole or not at all.",
        ),
        None,
    ),
    Shared(
        "per_sample",
        _option(
            bool,
            "--per-sample",
            panel=WRITING,
            show_default=False,
            help="A row a sample (jsonl, csv, tsv, npy, parquet: always).",
        ),
        False,
    ),
    Shared(
        "elements",
        _option(
            bool,
            "--elements",
            panel=WRITING,
            show_default=False,
            help="A row a sample, with the loss of each of its outputs.",
        ),
        False,
        lambda family: family.several_outputs,
    ),
    Shared(
        "gradient",
        _option(
            str | None,
            "--gradient",
            metavar="FILE",
            panel=WRITING,
            help="d loss / d prediction of each row, before weights and reduction, to .npy or .csv.",
        ),
        None,
    ),
    Shared(
        "require",
        _option(
            list[str],
            "--require",
            metavar="'STAT OP X'",
            panel=WRITING,
            help="Exit 1 unless met, as in 'mean <= 0.35'. Repeatable. STAT: value mean std min max p50 p90 p99 samples ignored, and rmse rmsle perplexity ece mce where they apply.",
        ),
        [],
    ),
    Shared(
        "quiet",
        _option(
            bool,
            "-q",
            "--quiet",
            panel=WRITING,
            show_default=False,
            help="No notes, warnings and progress on standard error.",
        ),
        False,
    ),
)

OF_LOSSES: dict[str, Shared] = {
    item.flag.split("/")[0].removeprefix("--"): item
    for item in SHARED
    if item.panel in (READING, LOSS, REDUCING) and item.name != "library"
}
"""The options that bear on the loss of a row, by what they are called without the dashes."""


def requested(loss: "BoundLoss", predictions: str, targets: str, given: Mapping[str, Any]) -> "Request":
    """A request from options that were given, by their names in OF_LOSSES, or in the request.

    Raises
    ------
    UsageError
        for an option that the loss does not take.
    """
    from losscli.definition.request import Request
    from losscli.losses import FAMILIES

    for name in [name for name in given if name in OF_LOSSES]:
        if not OF_LOSSES[name].when(loss.family):
            takers = [family.name for family in FAMILIES.values() if OF_LOSSES[name].when(family)]
            raise UsageError(f"--{name}: {loss.name} takes none; it is for losses of: {', '.join(takers)}")
    fields = {OF_LOSSES[name].name if name in OF_LOSSES else name: value for name, value in given.items()}
    return Request(loss, predictions, targets, **fields)


def spliced(own: Callable[..., int], options: Mapping[str, Shared]) -> Callable[..., int]:
    """A command of a function's own parameters and of these options, of which it gets those that were typed as `given`."""

    def command(context: typer.Context, **values: Any) -> int:
        shared = {name: values.pop(variable) for variable, name in variables.items()}
        default = {name for variable, name in variables.items() if _is_default(context, variable)}
        return own(**values, given={name: value for name, value in shared.items() if name not in default})

    variables = {f"of_{name.replace('-', '_')}": name for name in options}
    mine = [item for item in inspect.signature(own).parameters.values() if item.name != "given"]
    shared = [
        inspect.Parameter(
            variable, inspect.Parameter.KEYWORD_ONLY, annotation=options[name].annotation, default=options[name].default
        )
        for variable, name in variables.items()
    ]
    first = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in mine]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    vars(command)["__signature__"] = inspect.Signature([context, *first, *shared])
    command.__annotations__ = {item.name: item.annotation for item in [context, *first, *shared]}
    command.__doc__ = own.__doc__
    return command


def _is_default(context: typer.Context, variable: str) -> bool:
    source = context.get_parameter_source(variable)
    return source is None or source.name == "DEFAULT"


Spec = Annotated[
    str,
    typer.Argument(
        metavar="SPEC", show_default=False, help="LOSS[:PARAM=VALUE]..., as cross-entropy or softmax-focal:gamma=2."
    ),
]
TargetsOption = Annotated[
    str,
    typer.Option(
        "--targets", metavar="TARGETS", show_default=False, help="What all models are to predict, or one number."
    ),
]
Report = _option(
    Literal["table", "json", "markdown"], "-f", "--format", panel=WRITING, help="Format of standard output."
)
ReportFile = _option(
    str | None, "-o", "--output", metavar="FILE", panel=WRITING, help="The result to a file as well: .json or .md."
)
Seed = _option(int, "--seed", metavar="N", panel=RUNNING, help="Of the resamples: the same seed gives the same digits.")
Silent = _option(
    bool, "-q", "--quiet", panel=WRITING, show_default=False, help="No notes, warnings and progress on standard error."
)

Picture = _option(
    str, "-o", "--output", metavar="FILE", panel=PICTURE, show_default=False, help="The picture: .png, .svg or .pdf."
)
Title = _option(str | None, "--title", metavar="TEXT", panel=PICTURE, help="Title; '' for none.")
Size = _option(str | None, "--size", metavar="W,H", panel=PICTURE, help="Width and height in inches, from 1 to 100.")
Dpi = _option(int, "--dpi", metavar="N", panel=PICTURE, help="Pixels an inch, from 10 to 1200.")
ThemeName = _option(Literal["light", "dark"], "--theme", panel=PICTURE, help="Colours on white, or on black.")
Quiet = _option(
    bool, "-q", "--quiet", panel=PICTURE, show_default=False, help="No notes and warnings on standard error."
)
PanelName = Literal["distribution", "classes", "confidence", "concentration"]

PICTURED: tuple[Shared, ...] = (
    *(item for item in SHARED if item.panel != WRITING and item.name != "library"),
    Shared("output", Picture),
    Shared(
        "panel",
        _option(
            PanelName | None,
            "--panel",
            panel=PICTURE,
            show_default=False,
            help="One panel only. Default: all that the files allow.",
        ),
        None,
    ),
    Shared(
        "log",
        _option(
            bool | None,
            "--log/--no-log",
            panel=PICTURE,
            show_default=False,
            help="Scale of the loss. Default: logarithmic where p99 is above 20 times the median.",
        ),
        None,
    ),
    Shared("title", Title, None),
    Shared("size", Size, None),
    Shared("dpi", Dpi, 150),
    Shared("theme", ThemeName, "light"),
    Shared("quiet", Quiet, False),
)
"""The options of a picture of a loss's samples: all that bear on the numbers, and those of pictures."""


def signature(loss: "Loss", options: tuple[Shared, ...] = SHARED) -> inspect.Signature:
    """The signature of a loss's own command: operands, its parameters, and the options that its family takes."""
    shared = [
        inspect.Parameter(item.name, inspect.Parameter.KEYWORD_ONLY, annotation=item.annotation, default=item.default)
        for item in options
        if item.when(loss.family)
    ]
    own = [
        inspect.Parameter(
            parameter.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[
                float if parameter.default is not None else float | None,
                typer.Option(
                    f"--{parameter.name.replace('_', '-')}",
                    metavar="X",
                    rich_help_panel=LOSS,
                    help=f"{parameter.help[0].upper()}{parameter.help[1:]}; in {parameter.domain}.",
                ),
            ],
            default=parameter.default,
        )
        for parameter in loss.parameters.values()
    ]
    if loss.family.target_type == "numbers":
        number = typer.Argument(
            metavar="TARGETS", show_default=False, help="The same, or one number for all predictions."
        )
        shared[1] = shared[1].replace(annotation=Annotated[str, number])
    return inspect.Signature([*shared[:2], *own, *shared[2:]])


def flags() -> dict[str, Shared]:
    """The shared options by their flags, such as '--from'."""
    return {flag: item for item in SHARED for flag in item.flag.split("/")}
