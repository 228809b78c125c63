"""Operands, and the options that say how files are read and joined."""

from typing import Annotated, Any

from losscli.cli.options.declare import READING, operand, option
from losscli.definition.words import UnmatchedRule, UntypedName

Predictions = Annotated[
    str,
    operand(
        "PREDICTIONS",
        help="FILE (.npy .npz .csv .tsv .parquet .arrow .jsonl .safetensors), FILE:COLUMN, FILE.npz:KEY, '-' or a quoted glob.",
    ),
]
Targets = Annotated[str, operand("TARGETS", help="The same kinds of file.")]
LikelihoodTargets = Annotated[
    str | None,
    operand("[TARGETS]", help="The same kinds of file; none where predictions are the likelihoods of what happened."),
]
NumberTargets = Annotated[str, operand("TARGETS", help="The same, or one number for all predictions.")]
ClassPredictions = Annotated[
    str, operand("PREDICTIONS", help="Logits or probabilities, (n, k) or, for two classes, (n,).")
]
CalibrationTargets = Annotated[
    str | None,
    operand(
        "[TARGETS]",
        help="The true classes: indices, names, or one-hot rows; 0 and 1 a column with --activation sigmoid. None with --map.",
    ),
]
ClassTargets = Annotated[
    str,
    operand(
        "TARGETS", help="The true classes: indices, names, or one-hot rows; 0 and 1 a column with --activation sigmoid."
    ),
]
Labels = Annotated[str, operand("LABELS", help="The class of each row: indices or names.")]
TargetsOption = Annotated[
    str | None,
    option(
        "--targets",
        metavar="TARGETS",
        show_default=False,
        help="What all models are to predict, or one number. Required.",
    ),
]

IgnoreIndex = Annotated[
    str | None, option("--ignore-index", metavar="LABEL", panel=READING, help="Leave out the rows with this label.")
]
ClassAxis = Annotated[
    int | None,
    option(
        "--class-axis",
        metavar="A",
        panel=READING,
        show_default=False,
        help="The axis of the classes where predictions have more than two: 1 (PyTorch, MONAI), -1 (Keras, optax, HF).",
    ),
]
Shift = Annotated[
    int,
    option(
        "--shift",
        metavar="N",
        panel=READING,
        help="Predictions at position i are for the target at i + N (1: the next token).",
    ),
]
Mask = Annotated[
    str | None,
    option(
        "--mask",
        metavar="FILE",
        panel=READING,
        help="A file in the shape of the targets; elements where it has 0 or false are left out.",
    ),
]
OnUnmatched = Annotated[
    UnmatchedRule,
    option(
        "--on-unmatched",
        metavar="error|drop",
        panel=READING,
        help="What becomes of rows whose id is not in every file.",
    ),
]
LabelBase = Annotated[
    int,
    option(
        "--label-base", metavar="0|1", panel=READING, help="The label of the first class, where labels are indices."
    ),
]
ColumnNames = Annotated[
    str | None,
    option(
        "--columns",
        metavar="'P_*'",
        panel=READING,
        help="Columns of the first file: names or patterns, separated by commas; '!X' leaves X out, and '*' takes all. Of arrays: 1,2,3.",
    ),
]
Header = Annotated[
    bool | None,
    option(
        "--header/--no-header",
        panel=READING,
        show_default=False,
        help="Whether tables have a header. Default: the first row is one unless it is all numbers.",
    ),
]
Sep = Annotated[
    str | None,
    option(
        "--sep",
        metavar="S",
        panel=READING,
        show_default=False,
        help="What stands between the cells of text tables: ',', ';', '|', tab, or blanks for one blank or more. Default: recognised.",
    ),
]
Decimal = Annotated[
    str | None,
    option(
        "--decimal",
        metavar=".|,",
        panel=READING,
        show_default=False,
        help="The decimal sign of text tables. Default: '.', and an error where numbers may have commas.",
    ),
]
Comment = Annotated[
    str | None,
    option(
        "--comment", metavar="'#'", panel=READING, help="Leave out the lines of text tables that begin with this sign."
    ),
]
SkipRows = Annotated[
    int, option("--skip-rows", metavar="N", panel=READING, help="Leave out the first N lines of text tables.")
]
Dtype = Annotated[
    UntypedName | None,
    option(
        "--dtype",
        metavar="bfloat16",
        panel=READING,
        help="The type of the numbers in NPY files whose header names none.",
    ),
]


def id_option(help: str) -> Any:
    """Declare --id; `help` says what the column is for."""
    return option("--id", metavar="COLUMN", panel=READING, help=help)


def classes_option(help: str, metavar: str = "A,B,...|FILE") -> Any:
    """Declare --classes; `help` says which classes are named."""
    return option("--classes", metavar=metavar, panel=READING, help=help)


Id = Annotated[str | None, id_option("Join the files by this column.")]
Classes = Annotated[
    str | None,
    classes_option(
        "Names of the classes in their order: of the columns of predictions that have no names, and of labels that are indices. For one score per row: NEGATIVE,POSITIVE."
    ),
]
