"""Records of how targets are read: their encoding, their smoothing, and the decoded targets that a run uses."""

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Indices, Sequences, Targets
from losscli.definition.words import SignConvention, StoredAs, TargetKind
from losscli.io.source import Source
from losscli.records import NamedTuple, dataclass, field

SUM_TOLERANCE = 1.0002e-3
"""How far the sum of a row of probabilities may be from 1: 1e-3, and the rounding of a sum in float32."""
IGNORED = -1
"""The index that stands for an ignored label, once labels are indices."""


def is_ignored(block: Array, value: float) -> Array:
    """Return which labels of a batch are to be ignored; the value NaN ignores NaN."""
    return np.isnan(block) if value != value else block == value


class Smoothing(NamedTuple):
    """Label smoothing: a target t becomes scale * t + shift.

    `complement` is 1 minus the smoothed target for t = 1, kept apart because it loses digits if it is computed from it.
    """

    amount: float
    mode: str
    scale: float
    shift: float
    complement: float

    @classmethod
    def of(cls, amount: float, mode: str, k: int) -> "Smoothing":
        """Return the smoothing of k classes, or of k outputs, by an amount E.

        The modes are uniform: t(1-E) + E/k (Szegedy et al. 2016, arXiv:1512.00567); half: t(1-E) + E/2; others: 1-E on
        the right class and E/(k-1) on each other class.
        """
        if mode == "half":
            return cls(amount, mode, 1 - amount, amount / 2, amount / 2)
        if mode == "uniform":
            return cls(amount, mode, 1 - amount, amount / k, amount * (k - 1) / k)
        return cls(amount, mode, 1 - amount - amount / (k - 1), amount / (k - 1), amount)

    @property
    def on(self) -> float:
        """The smoothed target for t = 1."""
        return 1 - self.complement


@dataclass(frozen=True)
class TargetEncoding:
    """How a batch of numbers becomes the targets of a lift.

    `kind` is the word for it in the receipt; `stored_as` says what the numbers are: 'numbers', 'signs', 'outcomes',
    'indices' (one per row), 'rows', or 'sequences'. `k` is the number of classes. Rows whose target is `ignore` are left out.
    `one_hot` says that class indices are read as one-hot rows.
    """

    kind: TargetKind
    stored_as: StoredAs
    k: int = 1
    ignore: float | None = None
    one_hot: bool = False
    smoothing: Smoothing | None = None
    dense: bool = False
    """Whether one-hot rows are given to a lift as rows, as some libraries compute with them, and not as class indices."""
    sign_convention: SignConvention | None = None
    """How a library reads signs: 'numbers' as they are, 'doubled' as 2 t - 1, 'truth' as -1 for 0
    and else 1; None for -1 and 1.
    """

    def keep(self, block: Array) -> Array | None:
        """Return which rows of a batch are not ignored, as booleans, or None for all."""
        if self.ignore is None:
            return None
        kept = ~is_ignored(block, self.ignore)
        return None if kept.all() else kept

    def outcomes(self, block: Array) -> Array:
        """Return targets of sigmoid and margin losses before smoothing: booleans for
        positive, or numbers between 0 and 1.
        """
        if self.one_hot:
            return np.asarray(block).astype(np.int64)[:, None] == np.arange(self.k)
        if block.dtype == bool:
            return block
        return block > 0 if self.kind in ("binary", "signed") or self.stored_as == "signs" else block

    def targets(self, block: Array) -> Targets:
        """Return the targets of a lift, smoothed, in float64 or exact in a narrower dtype."""
        smooth = self.smoothing
        if self.stored_as == "numbers":
            return Dense(block)
        if self.stored_as == "sequences":
            return Sequences(block)
        if self.stored_as == "signs" and self.sign_convention is not None:
            t = np.asarray(block, np.float64)
            return Dense(
                {"numbers": t, "doubled": 2 * t - 1, "truth": np.where(t == 0, -1.0, 1.0)}[self.sign_convention]
            )
        if self.stored_as == "signs":
            return Dense(np.where(self.outcomes(block), 1, -1).astype(np.int8))
        if self.stored_as == "outcomes":
            t = self.outcomes(block)
            if smooth is None:
                return Dense(t) if t.dtype == bool else Dense(t, 1 - t.astype(np.float64))
            t = t.astype(np.float64)
            return Dense(smooth.scale * t + smooth.shift, smooth.scale * (1 - t) + smooth.complement)
        if self.stored_as == "indices":
            return self._indices(block.astype(np.int64, copy=False))
        if self.kind == "one-hot" and not self.dense:  # gives the same bits as class indices
            return self._indices(block.argmax(axis=1))
        if smooth is None:
            return Dense(block)
        return Dense(smooth.scale * block.astype(np.float64) + smooth.shift)

    def _indices(self, index: Array) -> Indices:
        smooth = self.smoothing
        return Indices(index) if smooth is None else Indices(index, smooth.on, smooth.shift)

    def class_weights(self, block: Array, weights: Array) -> Array:
        """Return one weight per row, shape (n,), from one per class, shape (k,).

        It is the weight of the row's class or, for soft targets, the mean of the classes'
        weights, weighted by the targets.
        """
        if self.stored_as == "indices":
            return weights[block.astype(np.int64)]
        if self.stored_as == "rows":
            # Not by BLAS, in which a row's digits depend on the rows around it.
            return np.einsum("ij,j->i", block.astype(np.float64), weights)
        positive = self.outcomes(block).astype(np.float64)
        return positive * weights[1] + (1 - positive) * weights[0]


@dataclass
class DecodedTargets:
    """Targets that are ready to be read: a source of numbers, their encoding, and notes about them.

    `classes` are the names of the classes, and `matched` says how columns or labels were
    matched, if there was a choice.
    """

    source: Source
    encoding: TargetEncoding
    classes: tuple[str, ...] | None = None
    matched: str | None = None
    notes: list[str] = field(default_factory=list)
    columns: tuple[str, ...] | None = None
    """Names of the predictions' columns, of which the names of classes may be a part."""
    base: int = 0
    """The label of the first class, which has index 0 here."""
