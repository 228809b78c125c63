"""What is asked for, as it was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from losscli.definition.batch import Clip
from losscli.definition.loss import BoundLoss
from losscli.definition.words import SignConvention
from losscli.errors import UsageError


class Convention(NamedTuple):
    """What a library does to a loss that no option does: see `losscli.libraries`."""

    clip: Clip | None = None
    labels: SignConvention | None = None
    class_terms: bool = False
    pairs: bool = False
    """Whether rows count as often as they have positives, in losses in which every row meets all others."""
    skips_zeros: bool = False
    """Whether rows whose loss is 0 do not exist."""
    scale: float = 1.0
    shift: float = 0.0


NONE = Convention()


@dataclass(frozen=True)
class Request:
    """What is asked for: operands and options as typed. The options mean what `docs/conventions.md` says."""

    loss: BoundLoss
    predictions: str
    targets: str
    prediction_kind: str = "logits"
    label_smoothing: float = 0.0
    smoothing_mode: str | None = None
    ignore_index: str | None = None
    sample_weight: str | None = None
    class_weight: str | None = None
    pos_weight: str | None = None
    reduction: str = "mean"
    over_outputs: str = "mean"
    centers: str | None = None
    third_operand: str | None = None
    """The third operand, of losses that have one: --variance, --negative or --other."""
    per: str | None = None
    """What is one mask, for losses of masks: 'row', 'column' or 'file'."""
    convention: Convention = NONE
    library: str | None = None
    """The library whose number it is, and its call, for the receipt."""
    calibration: bool = False
    """Whether calibration errors are wanted, however large the files are."""
    id: str | None = None
    on_unmatched: str = "error"
    """What becomes of rows whose id is not in every file: 'error' or 'drop'."""
    classes: str | None = None
    """Names of the classes in order: words separated by commas, or a file with one a line."""
    label_base: int = 0
    """The label of the first class, where labels are indices."""
    columns: str | None = None
    operands: str | None = None
    """Of a loss of a file which operand comes first: 'predictions,targets' or 'targets,predictions'."""
    takes: str | None = None
    """What it wants for predictions: 'logits', 'probs' or 'log-probs'."""
    by: str | None = None
    """A column by whose words rows are grouped."""
    header: bool | None = None
    arrays: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Operands that are arrays in memory, by the words that stand for them."""

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"--label-smoothing {self.label_smoothing:g} is not in [0, 1)")
        if self.label_base not in (0, 1):
            raise UsageError(f"--label-base {self.label_base} is neither 0 nor 1")
        if self.on_unmatched == "drop" and self.id is None:
            raise UsageError("--on-unmatched drop: rows are matched by --id COLUMN only; say which")
