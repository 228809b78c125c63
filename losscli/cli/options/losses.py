"""The options of losses: which of them a loss takes follows from its family, and its parameters are options too.

`SHARED` are the options of `losscli compute`. `OF_LOSSES` are those of them that change the loss of a row; other commands
and suites take them as well.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from losscli.cli.options import files
from losscli.cli.options.declare import LOSS, READING, REDUCING, Option, operand, option, options_of
from losscli.cli.options.output import Wanted
from losscli.cli.options.running import Running
from losscli.cli.options.slices import Slicing
from losscli.definition.options import FILES_OR_NUMBERS, TAKEN_BY
from losscli.definition.words import (
    ActivationName,
    BoxFormat,
    MissingRule,
    OperandOrder,
    OutputReduction,
    PredictionKind,
    ReductionName,
    ReliabilityForm,
    SmoothingMode,
    ThirdOperandName,
    UnitKind,
)
from losscli.errors import UsageError

if TYPE_CHECKING:
    from losscli.definition.loss import BoundLoss, Family, Loss, Parameter
    from losscli.definition.request import Request


def centers_option(help: str, panel: str | None = LOSS) -> Any:
    """Declare --centers, with what is done with them."""
    return option("--centers", metavar="FILE", panel=panel, help=help)


def as_option(help: str, metavar: str, panel: str) -> Any:
    """Declare --as, with what is done as a library does it."""
    return option("--as", metavar=metavar, panel=panel, help=help)


def bins_option(help: str, panel: str | None = None) -> Any:
    """Declare --bins, with what they are for."""
    return option("--bins", metavar="N", panel=panel, help=help)


def label_smoothing_option(metavar: str, help: str, panel: str | None = LOSS) -> Any:
    """Declare --label-smoothing, of one number or of several."""
    return option("--label-smoothing", metavar=metavar, panel=panel, help=help)


def pos_weight_option(metavar: str, help: str, panel: str | None = LOSS) -> Any:
    """Declare --pos-weight, of one number, of several, or by names."""
    return option("--pos-weight", metavar=metavar, panel=panel, help=help)


def activation_option(help: str, panel: str | None = LOSS) -> Any:
    """Declare --activation, with what it makes probabilities of."""
    return option("--activation", panel=panel, show_default=False, help=help)


OF_COLUMNS = (
    "What predictions with several columns are: softmax, one class of several (default); or sigmoid, where each column holds or not "
    "by itself (multi-label)."
)
"""The help of --activation where cross-entropy is computed."""


def method_option(help: str, panel: str | None = None, **more: Any) -> Any:
    """Declare --method of calibrations, with what it is for."""
    return option("--method", metavar="NAME", panel=panel, help=help, **more)


def reliability_option(of: str, panel: str | None = REDUCING) -> Any:
    """Declare --reliability-of, with what it is about."""
    return option(
        "--reliability-of",
        panel=panel,
        show_default=False,
        help=f"What {of} are of: positive, p(positive) against the fraction of positives (default for one score per row); "
        "or predicted, p(predicted class) against how often it is right (default for classes).",
    )


def smoothing_mode_option(help: str, **more: Any) -> Any:
    """Declare --smoothing-mode, with the formula of each mode."""
    return option("--smoothing-mode", panel=LOSS, help=help, **more)


From = Annotated[PredictionKind, option("--from", panel=LOSS, help="What the predictions are. Never guessed.")]
SampleWeight = Annotated[
    str | None,
    option(
        "--sample-weight",
        metavar="FILE[:COLUMN]|X",
        panel=REDUCING,
        help="One weight per sample, or one per element, in the targets' shape; or one number for all.",
    ),
]
Spec = Annotated[str, operand("SPEC", help="LOSS[:PARAM=VALUE]..., such as cross-entropy or softmax-focal:gamma=2.")]
THIRD_OPERANDS: dict[ThirdOperandName, str] = {
    "variance": "Variances of the predictions, in their shape; or one number for all.",
    "scale": "Scales of the predictions, in their shape or one per row; or one number for all.",
    "dispersion": "Dispersions of the predictions, in their shape or one per row; or one number for all.",
    "negative": "Features of the negatives, in the predictions' shape.",
    "other": "Features of the other one of each pair, in the predictions' shape.",
    "reference": "Log-probabilities under the reference model, in the predictions' shape.",
    "event": "1 where an event ended the time of a row, and 0 where it is censored.",
}
"""The name of a third operand, which is the name of its option too -> the help of the option."""

OF_THE_LOSS: tuple[Option, ...] = (
    Option("prediction_kind", From, "logits", TAKEN_BY["from"]),
    Option(
        "label_smoothing",
        Annotated[float, label_smoothing_option("E", "Smooth the targets by E in [0, 1).")],
        0.0,
        TAKEN_BY["label-smoothing"],
    ),
    Option(
        "smoothing_mode",
        Annotated[
            SmoothingMode | None,
            smoothing_mode_option(
                "uniform: t(1-E)+E/k (softmax default); half: t(1-E)+E/2 (sigmoid default); others: 1-E on the right class, E/(k-1) on each other. k: number of classes or outputs.",
                show_default=False,
            ),
        ],
        None,
        TAKEN_BY["smoothing-mode"],
    ),
    Option(
        "pos_weight",
        Annotated[
            str | None,
            pos_weight_option("X|NAME=X,...", "Factor of the positive term."),
        ],
        None,
        TAKEN_BY["pos-weight"],
    ),
    Option(
        "centers",
        Annotated[str | None, centers_option("Class centers, shape (k, d); a column 'class' names them.")],
        None,
        TAKEN_BY["centers"],
    ),
    *(
        Option(
            "third_operand",
            Annotated[
                str | None,
                option(f"--{name}", metavar="FILE|X" if name in FILES_OR_NUMBERS else "FILE", panel=LOSS, help=text),
            ],
            None,
            TAKEN_BY[name],
        )
        for name, text in THIRD_OPERANDS.items()
    ),
    Option(
        "levels",
        Annotated[
            str | None,
            option(
                "--levels",
                metavar="Q,...",
                panel=LOSS,
                help="Levels of the quantiles, one per column, as 0.1,0.5,0.9. Default: the columns' names, where they are such.",
            ),
        ],
        None,
        TAKEN_BY["levels"],
    ),
    Option(
        "group",
        Annotated[
            str | None,
            option(
                "--group",
                metavar="COLUMN|FILE[:COLUMN]",
                panel=LOSS,
                help="The column that says to which list each row belongs: each list then has one loss, and lists may differ in length.",
            ),
        ],
        None,
        TAKEN_BY["group"],
    ),
    Option(
        "per",
        Annotated[
            UnitKind | None,
            option(
                "--per",
                metavar="position|sample|class|sample,class|file",
                panel=LOSS,
                show_default=False,
                help="What has one loss: each position (token, pixel), each sample (row), each class (column), each pair of these, or the file.",
            ),
        ],
        None,
        TAKEN_BY["per"],
    ),
    Option(
        "over_positions",
        Annotated[
            OutputReduction,
            option(
                "--over-positions",
                panel=LOSS,
                help="With --per sample: how the losses of its positions become its loss.",
            ),
        ],
        "mean",
        TAKEN_BY["over-positions"],
    ),
    Option(
        "activation",
        Annotated[
            ActivationName | None,
            activation_option(
                "What makes probabilities of logits: sigmoid of each number, or softmax over the classes."
            ),
        ],
        None,
        TAKEN_BY["activation"],
    ),
    Option(
        "exclude_class",
        Annotated[
            str | None,
            option(
                "--exclude-class",
                metavar="NAME,...",
                panel=LOSS,
                help="Classes that do not count, such as the background.",
            ),
        ],
        None,
        TAKEN_BY["exclude-class"],
    ),
    Option(
        "box",
        Annotated[
            BoxFormat | None,
            option(
                "--box",
                panel=LOSS,
                show_default=False,
                help="How boxes are written: x1,y1,x2,y2 (default), x,y,width,height, or middle x,y and width,height.",
            ),
        ],
        None,
        TAKEN_BY["box"],
    ),
    Option(
        "targets_from",
        Annotated[
            PredictionKind | None,
            option(
                "--targets-from",
                panel=LOSS,
                show_default=False,
                help="What the targets are if they are distributions, with one number per class.",
            ),
        ],
        None,
        TAKEN_BY["targets-from"],
    ),
    Option(
        "temperature",
        Annotated[
            float | None,
            option(
                "--temperature",
                metavar="T",
                panel=LOSS,
                show_default=False,
                help="softmax(z / T) of predictions, and of targets that are logits or log-probs; T > 0.",
            ),
        ],
        None,
        TAKEN_BY["temperature"],
    ),
    Option(
        "temperature_squared",
        Annotated[
            bool,
            option(
                "--temperature-squared",
                panel=LOSS,
                show_default=False,
                help="Multiply losses by T squared, as in distillation.",
            ),
        ],
        False,
        TAKEN_BY["temperature-squared"],
    ),
    Option(
        "bytes",
        Annotated[
            str | None,
            option(
                "--bytes",
                metavar="FILE|NUMBER",
                panel=LOSS,
                help="Bytes of text behind the tokens, one number per sample or for all: adds bits per byte to the summary.",
            ),
        ],
        None,
        TAKEN_BY["bytes"],
    ),
    Option(
        "time_axis",
        Annotated[
            int | None,
            option(
                "--time-axis",
                metavar="0|1",
                panel=LOSS,
                show_default=False,
                help="Which axis of the predictions is time: 1 of (samples, time, classes), 0 of (time, samples, classes). Default: the one that the number of targets leaves.",
            ),
        ],
        None,
        TAKEN_BY["time-axis"],
    ),
    *(
        Option(
            name,
            Annotated[str | None, option(f"--{name.replace('_', '-')}", metavar="FILE|N", panel=LOSS, help=text)],
            None,
            TAKEN_BY[name.replace("_", "-")],
        )
        for name, text in (
            ("input_lengths", "Time steps of each sample. Default: all."),
            ("target_lengths", "Labels of each sample. Default: all, or up to the first -1."),
        )
    ),
    Option(
        "over_outputs",
        Annotated[
            OutputReduction,
            option("--over-outputs", panel=LOSS, help="How the outputs of a sample become its loss."),
        ],
        "mean",
        TAKEN_BY["over-outputs"],
    ),
    Option(
        "operands",
        Annotated[
            OperandOrder | None,
            option(
                "--operands",
                metavar="FIRST,SECOND",
                panel=LOSS,
                help="Which operand of a loss of a file is which, where their names do not say it: predictions,targets or targets,predictions.",
            ),
        ],
        None,
        TAKEN_BY["operands"],
    ),
    Option(
        "takes",
        Annotated[
            PredictionKind | None,
            option(
                "--takes",
                panel=LOSS,
                show_default=False,
                help="What a loss of a file wants for predictions, where its names do not say it; they are converted from --from.",
            ),
        ],
        None,
        TAKEN_BY["takes"],
    ),
)
OF_READING: tuple[Option, ...] = (
    Option("class_axis", files.ClassAxis, None, TAKEN_BY["class-axis"]),
    Option("shift", files.Shift, 0, TAKEN_BY["shift"]),
    Option("mask", files.Mask, None, TAKEN_BY["mask"]),
    Option(
        "missing",
        Annotated[
            MissingRule,
            option(
                "--missing",
                metavar="error|ignore",
                panel=READING,
                help="Targets of several outputs that are NaN, null or --ignore-index: an error, or left out.",
            ),
        ],
        "error",
        TAKEN_BY["missing"],
    ),
    Option("ignore_index", files.IgnoreIndex, None),
    Option("id", files.Id, None),
    Option("on_unmatched", files.OnUnmatched, "error"),
    Option("classes", files.Classes, None, TAKEN_BY["classes"]),
    Option("label_base", files.LabelBase, 0, TAKEN_BY["label-base"]),
    Option("columns", files.ColumnNames, None),
    Option("header", files.Header, None),
    Option("sep", files.Sep, None),
    Option("decimal", files.Decimal, None),
    Option("comment", files.Comment, None),
    Option("skip_rows", files.SkipRows, 0),
    Option("dtype", files.Dtype, None),
)
OF_REDUCING: tuple[Option, ...] = (
    Option("sample_weight", SampleWeight, None),
    Option(
        "class_weight",
        Annotated[
            str | None,
            option(
                "--class-weight",
                metavar="A=1,B=4|FILE|balanced|effective:BETA",
                panel=REDUCING,
                help="One weight per class; classes not named get 1. With several outputs per sample: one weight per output.",
            ),
        ],
        None,
        TAKEN_BY["class-weight"],
    ),
    Option(
        "class_counts",
        Annotated[
            str | None,
            option(
                "--class-counts",
                metavar="A=100,B=5|FILE|targets",
                panel=REDUCING,
                help="How many samples each class has in training: for losses that need it, and for balanced and effective weights.",
            ),
        ],
        None,
        TAKEN_BY["class-counts"],
    ),
    Option(
        "output_weight",
        Annotated[
            str | None,
            option(
                "--output-weight",
                metavar="W,...|NAME=W,...",
                panel=REDUCING,
                help="One weight per output of a sample; outputs not named get 1.",
            ),
        ],
        None,
        TAKEN_BY["output-weight"],
    ),
    Option(
        "reduction",
        Annotated[
            ReductionName,
            option(
                "--reduction",
                metavar="NAME",
                panel=REDUCING,
                help="mean: sum(wl)/sum(w); sum; none; sum-over-batch-size: sum(wl)/n; sum-by-nonzero-weights: sum(wl)/count(w!=0).",
            ),
        ],
        "mean",
    ),
    Option(
        "library",
        Annotated[
            str | None,
            as_option(
                "The number that torch, keras, tf1, optax or sklearn gives, with its conventions; several side by side.",
                "LIBRARY[,...]",
                REDUCING,
            ),
        ],
        None,
    ),
)

OF_CALIBRATION: tuple[Option, ...] = (
    Option(
        "reliability_of",
        Annotated[ReliabilityForm | None, reliability_option("ece and mce")],
        None,
        TAKEN_BY["reliability-of"],
    ),
    Option(
        "classwise_ece",
        Annotated[
            bool,
            option(
                "--classwise-ece",
                panel=REDUCING,
                show_default=False,
                help="Add classwise_ece, the mean over classes of the ece of each class's probability. Takes several times as long as the loss.",
            ),
        ],
        False,
        TAKEN_BY["classwise-ece"],
    ),
)
"""The options of calibration errors, which change no loss."""
PLUS = Option(
    "plus",
    Annotated[
        list[str],
        option(
            "--plus",
            metavar="[W*]SPEC",
            panel=REDUCING,
            help="Add [W*]SPEC to the loss: one number, the weighted sum. Repeatable.",
        ),
    ],
    [],
)
"""The further terms of a sum, which compute alone takes."""
ALSO = Option(
    "also",
    Annotated[
        list[str],
        option(
            "--also",
            metavar="SPEC",
            panel=LOSS,
            help="Compute SPEC as well, in the same pass: a number and a column for each loss. Repeatable.",
        ),
    ],
    [],
)
"""Further losses in the same pass, which compute alone takes."""
SHARED: tuple[Option, ...] = (
    Option("predictions", files.Predictions),
    Option("targets", files.Targets),
    *OF_THE_LOSS,
    *OF_READING,
    *OF_REDUCING,
    *OF_CALIBRATION,
    PLUS,
    ALSO,
    *options_of(Slicing),
    *options_of(Running),
    *options_of(Wanted, elements=TAKEN_BY["elements"]),
)
"""The operands and options of `losscli compute`; the command of a loss has those that its family takes."""

OF_LOSSES: dict[str, Option] = {
    item.word: item for item in (*OF_THE_LOSS, *OF_READING, *OF_REDUCING) if item.name != "library"
}
"""The options that change the loss of a row, by their names without the dashes."""
OF_DIALECTS = ("sep", "decimal", "comment", "skip-rows")
"""The options that say how text tables are written, by their names without the dashes."""
READ = tuple(item.word for item in OF_READING)
"""The options that say how files are read, by their names without the dashes."""


def without(*words: str) -> dict[str, Option]:
    """Return `OF_LOSSES` without some options."""
    return {word: item for word, item in OF_LOSSES.items() if word not in words}


def only(*words: str) -> dict[str, Option]:
    """Return some options of `OF_LOSSES`, in this order."""
    return {word: OF_LOSSES[word] for word in words}


OF_SUITES = OF_LOSSES | {item.word: item for item in OF_CALIBRATION}
"""The options of a measurement of `losscli run`."""
OF_COMPARISONS = without("reduction", "bytes") | {
    "as": Option(
        "library",
        Annotated[
            str | None,
            as_option(
                "Losses as torch, keras, tf1, optax or sklearn computes them, with its clipping and its parameters.",
                "LIBRARY",
                LOSS,
            ),
        ],
        None,
    )
}
"""The options of losses that are compared row by row."""


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request from options, whose keys are those of `OF_SUITES` or the fields' own names."""
    return {OF_SUITES[name].name if name in OF_SUITES else name: value for name, value in given.items()}


def requested(loss: "BoundLoss", predictions: str, targets: str, given: Mapping[str, Any]) -> "Request":
    """Make a request from options, whose keys are those of `OF_SUITES` or the names of the request's fields.

    Raises
    ------
    UsageError
        for an option that the loss does not take.
    """
    from losscli.definition.request import Request
    from losscli.losses import FAMILIES

    for name in [name for name in given if name in OF_SUITES]:
        if not OF_SUITES[name].when(loss.family):
            takers = [family.name for family in FAMILIES.values() if OF_SUITES[name].when(family)]
            raise UsageError(f"--{name}: {loss.name} takes none; it is for losses of: {', '.join(takers)}")
    return Request(loss, predictions, targets, **fields(given))


def library_of(spec: str, given: dict[str, Any]) -> tuple[str | None, frozenset[str]]:
    """Take --as out of the typed options of a comparison; return the library, and the names of all that was typed.

    Raises
    ------
    UsageError
        for what is no library, for several, and for options that do not go together with one.
    """
    from losscli.lookup.spec import named_parameters
    from losscli.measurement.conventions import one

    text = given.pop("as", None)
    typed = frozenset(fields(given)) | named_parameters(spec)
    return (None if text is None else one(text, typed)), typed


def options_for(families: "Sequence[Family]", options: tuple[Option, ...] = SHARED) -> tuple[Option, ...]:
    """Return the options that losses of any of some families take.

    Where two options have the same name, as those of third operands do, the one that an earlier family takes is there.
    """
    chosen: dict[str, Option] = {}
    for family in families:
        chosen = {item.name: item for item in options if item.when(family)} | chosen
    return tuple(item for item in options if chosen.get(item.name) is item)


def signature(loss: "Loss", options: tuple[Option, ...] = SHARED, others: "Sequence[Family]" = ()) -> inspect.Signature:
    """Return the signature of a loss's command: operands, the loss's parameters, and the options of its family.

    A parameter of the loss stands for an option of the same name. `others` are the families of further losses that the command computes, whose options it takes as well.
    """
    chosen = options_for((loss.family, *others), options)
    predictions, targets, *rest = (item for item in chosen if item.name not in loss.parameters)
    if loss.family.target_type == "numbers":
        targets = targets._replace(annotation=files.NumberTargets)
    if options is SHARED and loss.of_true_class:
        targets = targets._replace(annotation=files.LikelihoodTargets, default=None)
    own = [_of_parameter(parameter) for parameter in loss.parameters.values()]
    return inspect.Signature([item.parameter() for item in (predictions, targets, *own, *rest)])


def _of_parameter(parameter: "Parameter") -> Option:
    """Declare the option of a parameter of a loss."""
    declared = option(
        f"--{parameter.name.replace('_', '-')}",
        metavar="X",
        panel=LOSS,
        help=f"{parameter.help[0].upper()}{parameter.help[1:]}; in {parameter.domain}.",
    )
    kind = float if parameter.default is not None else float | None
    return Option(parameter.name, Annotated[kind, declared], parameter.default)


def flags() -> dict[str, Option]:
    """Return the options of `losscli compute` by their flags, such as '--from'."""
    return {flag: item for item in SHARED for flag in item.flag.split("/")}
