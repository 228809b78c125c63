"""The closed sets of words that declarations and requests use, each with one meaning."""

from typing import Literal

TargetType = Literal["numbers", "signs", "outcomes", "classes"]
"""What a family's targets are: numbers of any size; -1 or 1; 0 to 1; or one of several classes per row."""
TargetKind = Literal["constant", "numbers", "binary", "signed", "soft", "index", "name", "one-hot"]
"""What the targets of a file turned out to be; the receipt says which."""
StoredAs = Literal["numbers", "signs", "outcomes", "indices", "rows"]
"""What the numbers of a targets' source are: 'indices' are one class per row, 'rows' one number per class and row."""
SignConvention = Literal["numbers", "doubled", "truth"]
"""How a library reads the labels of margin losses: as they are, as 2 t - 1, or as 1 for all but 0."""
ThirdOperandName = Literal["variance", "negative", "other"]
"""The third operand of some losses, as its option is called."""
Coupling = Literal["masks", "file", "rows"]
"""What has one loss, or meets, beyond a row: a mask (a row, a column or the file), the file, or all other rows."""
