"""Units: the things that have one loss each, and where they are in the predictions' file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.definition.loss import Family
from losscli.definition.words import UnitKind
from losscli.errors import UsageError
from losscli.io.row_lists import Lists
from losscli.records import dataclass

if TYPE_CHECKING:
    from losscli.io.join import Selection
    from losscli.io.positions import Layout

ROWS_AT_ONCE = 1 << 17
"""Rows of a gradient that are put in their places at once."""
SYNONYMS: dict[str, UnitKind] = {"row": "sample", "column": "class"}


def unit_kind(family: Family, per: str | None, several: bool, layout: "Layout | None", name: str) -> UnitKind:
    """Return what has one loss, for losses of which every position has a loss of its own.

    Parameters
    ----------
    per
        the user's word, or None for what is usual: a position.
    several
        whether a position has several outputs.
    name
        name of the loss, for messages.

    Raises
    ------
    UsageError
        if such predictions have no such units.
    """
    kind = SYNONYMS.get(per or "", per or "position")
    if kind == "file" or (kind == "sample" and layout is not None):
        return kind  # type: ignore[return-value]
    if kind in ("position", "sample"):
        return "position"
    if not family.several_outputs:
        cure = "; the means of the classes are in losscli rank --by class" if family.over_classes else ""
        raise UsageError(
            f"--per {per}: {name} has one loss for all classes of a position: position, sample or file{cure}"
        )
    if not several:
        axis = "; say with --class-axis which axis holds the outputs" if layout is not None else ""
        raise UsageError(f"--per {per}: the predictions have one output: position, sample or file{axis}")
    return kind  # type: ignore[return-value]


def has_unit(family: Family, per: str) -> bool:
    """Whether losses of a family may have such units, whatever the shape of the predictions."""
    kind = SYNONYMS.get(per, per)
    if family.coupled is None:
        return family.several_outputs or kind in ("position", "sample", "file")
    return kind != "position" if family.coupled == "masks" else kind in ("sample", "file")


@dataclass(frozen=True)
class Units:
    """The things that have one loss each. The engine numbers them from 0; in the file they may be elsewhere.

    `shape` is the shape of the predictions in their file, before anything is squeezed or left out. `selection` says
    which rows of it are kept; None for all. `layout` says which sample each position belongs to; None if rows are samples.
    """

    shape: tuple[int, ...]
    selection: "Selection | None" = None
    kind: UnitKind = "position"
    layout: "Layout | None" = None

    @property
    def dropped(self) -> int | None:
        """Number of units of the file that are left out; None if none could be."""
        return None if self.selection is None else self.shape[0] - self.selection.height

    @property
    def height(self) -> int:
        """Number of rows of the file among which units that are rows have their places."""
        if self.kind == "file":
            return 1
        if self.kind in ("class", "sample,class"):
            outputs = self.outputs
            return outputs if self.kind == "class" else outputs * self.samples
        if self.layout is None:
            return self.shape[0]
        return self.layout.rows if self.kind == "position" else self.layout.samples

    @property
    def samples(self) -> int:
        """Number of samples in the file."""
        return self.shape[0] if self.layout is None else self.layout.samples

    @property
    def outputs(self) -> int:
        """Number of outputs of a position."""
        if self.layout is not None:
            return self.layout.grids[0].classes
        return self.shape[1] if len(self.shape) == 2 else 1

    def original(self, units: Array) -> Array:
        """Return the rows of the file that units are; both numbers ascend."""
        if self.selection is None or self.layout is not None or not len(units):
            return units
        first = int(units[0])
        return self.selection.rows.read(first, int(units[-1]) + 1)[units - first]

    def located(self, row: int) -> int:
        """Return the unit that a row of the file is; the row must not be left out."""
        if self.selection is None:
            return row
        from bisect import bisect_left

        return bisect_left(range(self.selection.height), row, key=self.selection.original)

    def indices(self, units: Array) -> tuple[Array, Array | None]:
        """Return the sample of each unit, shape (m,), and its position within the sample, shape (m, axes).

        The position is None if a unit is a whole sample.
        """
        if self.layout is None or self.kind != "position":
            return self.original(units), None
        return self.layout.indices(units)

    @property
    def shaped(self) -> bool:
        """Whether losses of all units have more than one axis: positions have that of the file, and cells (samples, outputs)."""
        return (self.layout is not None and self.kind == "position") or self.kind == "sample,class"

    def in_shape(self, values: Array, units: Array, span: tuple[int, int]) -> Array:
        """Return numbers of units in the shape of their file, shape (samples, ...), and NaN for units that are ignored.

        Parameters
        ----------
        values, units
            the numbers, shape (m,) or (m, outputs), and the positions that they are of.
        span
            the first position of some whole samples, and the one after their last.
        """
        start, stop = span
        whole = np.full((stop - start, *values.shape[1:]), np.nan, values.dtype)
        whole[units - start] = values
        if self.kind == "sample,class":
            return whole.reshape(-1, self.outputs)
        assert self.layout is not None
        parts = []
        for number, low, high in self.layout.shards(start, stop):
            grid = self.layout.grids[number]
            grid = grid if values.ndim == 2 else grid.without_classes
            first = self.layout.first_rows[number] - start
            part = grid.restored(whole[first + low : first + high], (high - low) // grid.kept, np.nan)
            parts.append(part[None] if grid.single else part)
        if not parts:
            grid = self.layout.grids[0] if values.ndim == 2 else self.layout.grids[0].without_classes
            tail = grid.shape if grid.single else grid.shape[1:]
            return np.zeros((0, *tail), values.dtype)
        return np.concatenate(parts)

    def check_shape(self, what: str) -> None:
        """Raise a UsageError if the shards of a file have different shapes, so that no array holds `what` of all."""
        different = self.layout is not None and not self.layout.alike and len(self.layout.grids) > 1
        if different and self.kind != "sample,class":
            raise UsageError(f"{what}: the shards differ in shape, and one array cannot hold all; give one at a time")

    def restored(self, slopes: Array, first: int, order: tuple[int, ...] | None = None) -> Iterator[Array]:
        """Yield gradients of the rows from `first` on in the shape of the file, with 0 for rows that are left out.

        Rows left out before these units are included, and after the last unit of the file also the rows that follow.

        Parameters
        ----------
        slopes
            gradients, one per row; of positions those of whole samples.
        order
            the column of the file that each column of `slopes` is, if the order is another one.
        """
        if order is not None:
            slopes = slopes[:, np.argsort(order)]
        if isinstance(self.layout, Lists):
            slopes = self.layout.in_file(slopes)
        elif self.layout is not None:
            yield from self._restored_positions(slopes, first)
            return
        shape = self.shape[1:]
        shaped = slopes.reshape(len(slopes), *shape)
        if self.selection is None or not len(slopes):
            yield shaped
            return
        rows = self.selection.rows
        before = int(rows.read(first - 1, first)[0]) + 1 if first else 0
        last = len(slopes) + first == rows.shape[0]
        kept = rows.read(first, first + len(slopes))
        stop = self.shape[0] if last else int(kept[-1]) + 1 if len(kept) else before
        for start in range(before, stop, ROWS_AT_ONCE):
            end = min(start + ROWS_AT_ONCE, stop)
            low, high = np.searchsorted(kept, (start, end))
            whole = np.zeros((end - start, *shape), slopes.dtype)
            whole[kept[low:high] - start] = shaped[low:high]
            yield whole

    def _restored_positions(self, slopes: Array, first: int) -> Iterator[Array]:
        """Yield the gradients of positions of whole samples in the shape of the samples' file."""
        assert self.layout is not None
        if not len(slopes):
            yield np.zeros((0, *self.shape[1:]), slopes.dtype)
            return
        done = 0
        for number, low, high in self.layout.shards(first, first + len(slopes)):
            grid = self.layout.grids[number]
            part = slopes[done : done + high - low]
            shaped = grid.restored(part, (high - low) // grid.kept)
            yield shaped[None] if grid.single and len(self.layout.grids) > 1 else shaped
            done += high - low
