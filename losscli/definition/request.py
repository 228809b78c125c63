"""The request: operands and options of a measurement, as they were typed."""

import math
from collections.abc import Mapping
from typing import Any

from losscli.definition.address import shown
from losscli.definition.convention import NONE, Convention
from losscli.definition.dialect import Dialect
from losscli.definition.loss import BoundLoss
from losscli.definition.resampling import Resampling
from losscli.errors import UsageError
from losscli.records import dataclass, field
from losscli.wording import written


@dataclass(frozen=True)
class Request:
    """Operands and options of a measurement, as typed. `docs/conventions.md` says what the options mean."""

    loss: BoundLoss
    predictions: str
    targets: str | None
    """The operand TARGETS; None if there is none, and predictions are the probabilities of what happened."""
    prediction_kind: str = "logits"
    label_smoothing: float = 0.0
    smoothing_mode: str | None = None
    ignore_index: str | None = None
    sample_weight: str | None = None
    class_weight: str | None = None
    class_counts: str | None = None
    """The number of samples of each class in training: NAME=NUMBER,..., a file, or 'targets' for those of the targets."""
    pos_weight: str | None = None
    reduction: str = "mean"
    over_outputs: str = "mean"
    centers: str | None = None
    third_operand: str | None = None
    """The operand of --variance, --scale, --dispersion, --negative, --other, --reference or --event, for losses that have a third
    operand.
    """
    levels: str | None = None
    """Levels of predictions that are quantiles, separated by commas; None for those that the columns are named by."""
    per: str | None = None
    """What has one loss, a `UnitKind`; None for what is usual for the loss and the shape."""
    class_axis: int | None = None
    """The axis of the predictions that holds the classes or outputs, if they have more than two."""
    over_positions: str = "mean"
    """How the losses of a sample's positions become the loss of the sample: 'mean' or 'sum'."""
    mask: str | None = None
    """A file in the shape of the targets; elements for which it is 0 or false do not exist."""
    missing: str = "error"
    """Treatment of missing elements in targets of several outputs: 'error' or 'ignore'."""
    exclude_class: str | None = None
    """Classes that do not count in overlap losses: names or numbers from 0, separated by commas."""
    output_weight: str | None = None
    """One weight per output, separated by commas, or NAME=WEIGHT,..."""
    shift: int = 0
    """Predictions at position i are for the target at position i + shift."""
    bytes: str | None = None
    """The number of bytes behind the units, as a number or as a file of numbers."""
    activation: str | None = None
    """What makes probabilities of the logits of overlap losses: 'sigmoid' or 'softmax'."""
    box: str | None = None
    """How boxes are written, a `BoxFormat`; None for what the columns' names say, which is else two corners."""
    targets_from: str | None = None
    """What targets that are distributions are: 'logits', 'probs' or 'log-probs'; None for probabilities or labels."""
    temperature: float | None = None
    """T of softmax(z / T) of predictions and targets; None for 1."""
    temperature_squared: bool = False
    """Whether losses are multiplied by the square of the temperature."""
    time_axis: int | None = None
    """The axis of predictions that is time, 0 or 1, for CTC; None for the one that the number of targets leaves."""
    input_lengths: str | None = None
    """The number of time steps of each sample, for CTC: a file, or one number for all."""
    target_lengths: str | None = None
    """The number of labels of each sample, for CTC: a file, or one number for all."""
    convention: Convention = NONE
    library: str | None = None
    """The library whose number this is, and its call, for the receipt."""
    summary: bool = True
    """Whether everything is wanted that a result says beside its value: spread and percentiles of the losses, and the baseline."""
    calibration: bool = False
    """Whether calibration errors are wanted, however large the files are."""
    reliability_of: str | None = None
    """What calibration errors are of, a `ReliabilityForm`; None for 'positive' where predictions are those of two outcomes, and
    'predicted' where they are of several classes.
    """
    classwise_ece: bool = False
    """Whether the mean of the calibration errors of all classes is wanted."""
    id: str | None = None
    on_unmatched: str = "error"
    """Treatment of rows whose id is not in every file: 'error' or 'drop'."""
    classes: str | None = None
    """Names of the classes in order: words separated by commas, or a file with one name per line."""
    label_base: int = 0
    """The label of the first class, if labels are indices."""
    columns: str | None = None
    operands: str | None = None
    """Order of the operands of a user's loss: 'predictions,targets' or 'targets,predictions'."""
    takes: str | None = None
    """Kind of predictions that a user's loss takes: 'logits', 'probs' or 'log-probs'."""
    group: str | None = None
    """A column that says of which list each row is an item: its name, FILE or FILE:COLUMN; None if a row is a list."""
    by: tuple[str, ...] = ()
    """Columns by whose words rows are grouped: names, FILE or FILE:COLUMN."""
    interval: Resampling | None = None
    """How the interval of the value is made; None if none is wanted."""
    header: bool | None = None
    sep: str | None = None
    """The sign between the cells of text tables; None to recognise it."""
    decimal: str | None = None
    """The decimal sign of text tables, '.' or ','; None if nothing is said, which is '.'."""
    comment: str | None = None
    """The sign with which the lines of text tables begin that are no rows; None for no such lines."""
    skip_rows: int = 0
    """Number of lines before each text table."""
    dtype: str | None = None
    """The type of numbers whose file says none: 'bfloat16', or None."""
    arrays: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Operands that are arrays in memory, by the words that stand for them."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, str) and "://" in value and shown(value) != value:
                object.__setattr__(self, name, shown(value))  # no secret of an address is anywhere but there
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(f"--label-smoothing {written(self.label_smoothing)} is not in [0, 1)")
        if self.label_base not in (0, 1):
            raise UsageError(f"--label-base {self.label_base} is neither 0 nor 1")
        if self.time_axis not in (None, 0, 1):
            raise UsageError(f"--time-axis {self.time_axis} is neither 0 nor 1")
        if self.temperature is not None and not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise UsageError(f"--temperature {written(self.temperature)} is not a number above 0")
        if self.temperature_squared and self.temperature is None:
            raise UsageError("--temperature-squared multiplies by the square of --temperature T; say which T")
        t = 1.0 if self.temperature is None else self.temperature
        if self.temperature_squared and not 0 < t * t < math.inf:
            raise UsageError(
                f"--temperature-squared: no float64 holds the square of {written(t)}; say a --temperature nearer to 1"
            )
        if self.interval is not None:
            self.interval.check()
        if self.on_unmatched == "drop" and self.id is None:
            raise UsageError("--on-unmatched drop: rows are matched by --id COLUMN only; say which")
        _ = self.dialect  # which raises an error for options that cannot be

    @property
    def says_axes(self) -> bool:
        """Whether an option says something about the axes of a table, which may have to be read in another way."""
        return self.class_axis is not None or self.shift != 0 or self.per in ("position", "sample,class")

    @property
    def dialect(self) -> Dialect:
        """The dialect of text tables, as far as options say it."""
        return Dialect.of(self.sep, self.decimal, self.comment, self.skip_rows)
