"""What is asked for, as it was typed."""

from dataclasses import dataclass

from losscli.core import BoundLoss
from losscli.errors import UsageError


@dataclass(frozen=True)
class Request:
    """What is asked for: operands and options as typed. The options mean what `docs/conventions.md` says."""

    loss: BoundLoss
    predictions: str
    targets: str
    given: str = "logits"
    label_smoothing: float = 0.0
    smoothing_mode: str | None = None
    ignore_index: str | None = None
    sample_weight: str | None = None
    class_weight: str | None = None
    pos_weight: str | None = None
    reduction: str = "mean"
    over_outputs: str = "mean"
    centers: str | None = None
    id: str | None = None
    columns: str | None = None
    header: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"--label-smoothing {self.label_smoothing:g} is not in [0, 1)")
