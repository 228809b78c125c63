"""Records of what a library does: its conventions for all losses, and one call.

What is said here is applied: by `losscli.measurement.conventions`, which changes a request until it gives the library's number,
and by `losscli.measurement.printed`, which writes the call that gives it. Words only explain.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from losscli.arrays import Array
from losscli.definition.convention import Taken
from losscli.definition.request import Request
from losscli.records import NamedTuple, dataclass, field


class Facts(NamedTuple):
    """Facts about files on which conventions depend."""

    dtype: np.dtype[Any]
    """Dtype of the predictions in their file."""
    kind: str
    """Encoding of the targets, such as 'index' or 'soft'."""
    columns: int
    """Number of columns of the predictions; 1 for one number per row."""
    positions: bool = False
    """Whether rows are positions of samples."""
    computed: np.dtype[Any] = np.dtype(np.float64)
    """Dtype of the computation: float32 for files of float16 and float32, and float64 for all others."""
    in_rows: bool = False
    """Whether targets over classes are rows with one number per class."""
    weighs_outputs: bool = False
    """Whether each output of a row has a weight of its own in --sample-weight."""
    masks_elements: bool = False
    """Whether --mask says of each number of a row, and not of rows, whether it exists."""
    labels: Callable[[], Array] = lambda: np.empty(0)
    """Returns the targets that occur, each once."""
    passed: np.dtype[Any] | None = None
    """Dtype of the arrays that the library gets; None for that of the computation, in which losscli writes them."""


class Step(Protocol):
    """Something that a library does otherwise. `losscli.libraries.steps` has all kinds."""

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        """Return in words what is done to a request, and the request with it; an equal request if nothing is done to it."""
        ...

    def words(self) -> str:
        """Return in words what is done, whatever is asked for; '' for what needs no words."""
        ...


class Operands(NamedTuple):
    """The operands of a call in memory, for a look at what it refuses: the rows that count; None for what there is not."""

    predictions: Array
    targets: Array
    weights: Array | None
    """The weights of rows, times those of their classes."""
    third_operand: Array | None


class Accepts(NamedTuple):
    """What a call takes; by default all that losscli's loss takes. What is not taken is refused with the reason."""

    kinds: tuple[str, ...] | None = None
    """The encodings of targets, such as 'index' or 'soft'."""
    columns: str | None = None
    """'one' for predictions with one number per row only, 'several' for rows of several numbers only."""
    taken: Taken = Taken()
    """The numbers that operands may be, if they are others than those of losscli's loss."""
    raises: Callable[[Operands, Mapping[str, Any]], str | None] | None = None
    """Says why the library raises an error for some operands and parameters of the loss; None if it does not."""


EVERYTHING = Accepts()
LABELS = ("index", "name")
"""Encodings of targets with one class per row."""
ROWS = ("one-hot", "soft")
"""Encodings of targets with one number per class."""
HARD = ("binary", "signed", "index", "name", "one-hot")
"""Encodings of targets that are labels, and not numbers between 0 and 1."""


@dataclass(frozen=True, eq=False)  # one of a kind; comparing fields would only cost at start
class Call:
    """How a library computes a loss.

    Every field but the first three is None, empty or neutral if the library does the same as losscli.
    """

    loss: str
    """losscli's name of the loss."""
    names: tuple[str, ...]
    """The library's names of the loss, by which losscli finds it as well."""
    template: str
    """The call in Python, with places for operands and arguments; `losscli.measurement.printed` says which there are."""
    prediction_kind: str | None = None
    """The kind of predictions, if the library takes only one: 'logits', 'probs' or 'log-probs'."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """losscli's parameters and options that the call takes -> how each is written: {} stands for its value.

    What is not here is refused, unless it is what the call does anyway. An empty text says that the template writes it.
    """
    accepts: Accepts = EVERYTHING
    steps: tuple[Step, ...] = ()
    """What it does to operands and losses, in this order."""
    defaults: Mapping[str, float | None] = field(default_factory=dict)
    """Parameters of the loss that have another default in the library; what they are there, if it does not take them."""
    reduces: Mapping[str, str] = field(default_factory=dict)
    """The reductions that are not the library's usual ones; the keys are those of `Library.reduces`."""
    outputs: str | None = None
    """How the outputs of a sample are added up, 'mean' or 'sum', if it is not the library's usual way."""
    per: str | None = None
    """The extent of one mask: 'row', 'column' or 'file'."""
    activation: str | None = None
    """What it does with logits of masks, 'sigmoid' or 'softmax'; None if it takes none."""
    smoothing: str | None = None
    """The mode of label smoothing, or None if there is none."""
    refused: str | None = None
    """Why losscli cannot compute the library's number, or None if it can."""
    notes: tuple[str, ...] = ()
    """What else is worth knowing, and has no bearing on the number."""
    defects: tuple[str, ...] = ()
    """Known defects, each with the versions that have it."""

    @property
    def function(self) -> str:
        """The name of the function, such as 'torch.nn.functional.huber_loss'."""
        return re.split(r"[({]", self.template, maxsplit=1)[0]

    @property
    def call(self) -> str:
        """The call in p, the predictions, and t, the targets, with the parameters of the loss by their names."""
        words = [
            text.format(name) for name, text in self.arguments.items() if text.count("{}") == 1 and name not in OPTIONS
        ]
        text = (
            self.template.replace("{arguments}", ", ".join(words)).replace("{reduction}", "").replace("{weights}", "")
        )
        return re.sub(r", (?=\))", "", re.sub(r"\{(\w+)(:\w+)?\}", r"\1", text))


OPTIONS = (
    "sample_weight",
    "class_weight",
    "output_weight",
    "pos_weight",
    "label_smoothing",
    "ignore_index",
    "reduction",
)
"""Options of losses that a call may take as arguments; all other arguments are parameters of the loss."""


@dataclass(frozen=True, eq=False)  # one of a kind; comparing fields would only cost at start
class Library:
    """A library: its usual conventions, and its calls."""

    name: str
    title: str
    """The library's full name, with the version that was run."""
    imports: tuple[str, ...]
    """The statements that its calls need."""
    tensor: Callable[[str, str, bool], str]
    """Writes an operand as the library takes it: called with a NumPy expression, the name of the dtype that is wanted, and
    whether the expression has it already.
    """
    reduces: Mapping[str, str]
    """The usual reductions, by losscli's names: of rows without weights, '', with weights of samples, 'sample_weight', with
    weights of classes, 'class_weight', and with these where targets are rows of numbers, 'soft'.
    """
    reductions: Mapping[str, str]
    """losscli's names of reductions -> how the library writes them, for those that can be asked for."""
    outputs: str
    summed_outputs: str
    """How the outputs of a sample are added up under the reduction 'sum'."""
    calls: tuple[Call, ...]
    steps: tuple[Step, ...] = ()
    """What all its calls do, before the steps of the call itself."""
    takes_whole_numbers: bool = False
    """Whether targets that are whole numbers or booleans are taken as they are, beside predictions in any dtype."""
    notes: tuple[str, ...] = ()

    def reduction(self, call: Call, weighted: str = "") -> str:
        """Return the default reduction of a call, by losscli's name; `weighted` is a key of `reduces`."""
        usual = {"": "mean"} | dict(self.reduces) | dict(call.reduces)
        return usual.get(
            weighted, usual["class_weight"] if weighted == "soft" and "class_weight" in usual else usual[""]
        )
