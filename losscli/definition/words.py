"""The closed sets of words that declarations and requests use, each with one meaning.

They are types, so that the type checker knows every word; `typing.get_args` lists them, as the choices of options do. A
module of words imports nothing but `typing`: help lists choices without loading NumPy.
"""

from typing import Literal

TargetType = Literal["numbers", "signs", "outcomes", "classes", "sequences"]
"""The kind of targets that a family takes: numbers of any size; -1 or 1; 0 to 1; one of several classes per row; or a
sequence of classes per row.
"""
TargetKind = Literal["constant", "numbers", "binary", "signed", "soft", "index", "name", "one-hot", "sequences", "none"]
"""The encoding that the targets of a file have; the receipt states it. 'none': there are no targets, and every prediction
is the probability of what happened.
"""
StoredAs = Literal["numbers", "signs", "outcomes", "indices", "rows", "sequences"]
"""The meaning of the numbers of targets: 'indices' are one class per row, 'rows' one number per class and row, 'sequences'
the rows of `losscli.definition.batch.Sequences`.
"""
SignConvention = Literal["numbers", "doubled", "truth"]
"""How a library reads the labels of margin losses: as they are, as 2 t - 1, or as 1 for all but 0."""
ThirdOperandName = Literal["variance", "scale", "dispersion", "negative", "other", "reference", "event"]
"""The third operand of some losses, by the name of its option."""
Coupling = Literal["masks", "file", "rows"]
"""The rows that share a loss or are compared: those of a mask (a row, a column or the
file), the file, or all other rows.
"""
PredictionKind = Literal["logits", "probs", "log-probs"]
"""The kind of predictions."""
SmoothingMode = Literal["uniform", "half", "others"]
"""How label smoothing spreads its amount; `losscli.data.target_encoding.Smoothing` has the formulas."""
ReductionName = Literal[
    "mean",
    "sum",
    "none",
    "sum-over-batch-size",
    "sum-by-nonzero-weights",
]
"""How the losses of the rows become one number; `losscli.engine.reduction.REDUCTIONS` has the formulas."""
OutputReduction = Literal["mean", "sum"]
"""How the losses of a row's outputs become the loss of the row."""
UnitKind = Literal["position", "sample", "class", "sample,class", "file", "row", "column"]
"""What has one loss: a position (a token, a pixel), a sample (the first axis), a class or output, a pair of these, or the
file. 'row' is another word for 'sample', and 'column' for 'class'.
"""
MissingRule = Literal["error", "ignore"]
"""Treatment of elements of targets that are NaN or null, or hold the label to ignore, in targets of several outputs."""
ActivationName = Literal["sigmoid", "softmax"]
"""What makes probabilities of the logits of an overlap loss: of each number alone, or of all classes of a position."""
BoxFormat = Literal["xyxy", "xywh", "cxcywh"]
"""How a box is written: two corners; one corner, width and height; or its middle, width and height."""
OperandOrder = Literal["predictions,targets", "targets,predictions"]
"""Which operand of the user's own loss comes first."""
ReliabilityForm = Literal["positive", "predicted"]
"""What calibration errors and reliability curves are of: the probability of the positive class, against the fraction of
positives; or that of the predicted class, against how often it is right.
"""
UnmatchedRule = Literal["error", "drop"]
"""Treatment of rows whose id is not in every file."""
UntypedName = Literal["bfloat16"]
"""The type of numbers whose file does not say one, since NumPy has no such type."""
AxisName = Literal["residual", "margin", "logit", "probability", "distance"]
"""The axes over which losses are drawn; the families' `axes` describe them."""
