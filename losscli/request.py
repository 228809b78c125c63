"""What is asked for, as it was typed."""

from dataclasses import dataclass

from losscli.core import BoundLoss


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
