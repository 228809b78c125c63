"""Axes: which axis of an array holds the samples, which the classes or outputs, and which are positions.

A table, (n,) or (n, k), needs none of this. Predictions with more axes, predictions that are shifted against their targets, and
a table whose every element is a unit, are read as rows of positions (`losscli.io.positions`), and so are all operands with them.
"""

from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.definition.loss import Family
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.positions import Grid, Layout
from losscli.io.source import ShardedSource
from losscli.records import NamedTuple
from losscli.wording import count, shape_in_words

SAY_AXIS = (
    "say which axis holds the classes: --class-axis 1 (PyTorch, MONAI) or --class-axis -1 (Keras, optax, Hugging Face)"
)
AXES = (("--class-axis", "1"), ("--class-axis", "-1"))


def lay_out(request: Request, dataset: Dataset) -> Layout | None:
    """Read the operands of a request as rows of positions if they are more than tables; return the layout, or None.

    Raises
    ------
    UsageError
        if --class-axis or --shift does not fit the shapes.
    DataError
        if operands have shapes that do not go together, or it is not said which axis holds the classes.
    """
    shape, family = dataset.predictions.shape, request.loss.family
    axis = normalised(request.class_axis, shape, dataset.predictions.name)
    if family.of_three_axes or not (_needs_layout(request, shape) or axis == 0):
        _check_tables(dataset, family)
        return None
    if family.coupled == "rows" or family.tables_only:
        raise DataError(
            f"{request.loss.name}: {dataset.predictions.name} has shape {shape}; it takes (n,) or (n, k), "
            "since all rows have one loss together: save it with numpy.reshape(values, (n, k))"
        )
    laid = _Laid.of(request, dataset, _axis_of_classes(request, dataset, axis))
    laid.lay(dataset)
    return laid.layout


def normalised(axis: int | None, shape: tuple[int, ...], name: str) -> int | None:
    """Return an axis counted from 0; raise a UsageError if the shape has no such axis."""
    if axis is None:
        return None
    if not -len(shape) <= axis < len(shape) or len(shape) < 2:
        raise UsageError(
            f"--class-axis {axis}: {name} has shape {shape_in_words(shape)}, with {count(len(shape), 'axis', 'axes')}; "
            "axes are counted from 0, and -1 is the last"
        )
    return axis % len(shape)


def _needs_layout(request: Request, shape: tuple[int, ...]) -> bool:
    """Whether rows of the file are not the rows that have a loss each."""
    if request.targets is None:
        return len(shape) > 1
    elementwise = request.loss.family.several_outputs and len(shape) == 2 and request.per == "position"
    return len(shape) > 2 or request.shift != 0 or elementwise


def _check_tables(dataset: Dataset, family: Family) -> None:
    """Raise a DataError if an operand has more axes than the predictions, which are a table, or shards of other widths."""
    for columns in dataset.operands:
        columns.operand.check_alike()
        if len(columns.shape) > 2 and not family.of_three_axes:
            raise DataError(
                f"{dataset.predictions.name} has shape {dataset.predictions.shape} and {columns.name} {columns.shape}; "
                "give both the same axes"
            )


def _axis_of_classes(request: Request, dataset: Dataset, said: int | None) -> int | None:
    """Return the axis that holds classes, outputs, or the numbers of a row; None if every element is a position."""
    family, predictions = request.loss.family, dataset.predictions
    if request.targets is None:
        return None
    shape, last = predictions.shape, len(predictions.shape) - 1
    if (family.rows is not None and family.coupled is None) or family.takes_centers:
        return last
    if family.takes_distances:
        return None if request.third_operand is None else last
    if said is not None:
        # One output is none: there is one number for each position.
        return None if shape[said] == 1 and not family.over_classes and last > 1 else said
    if family.over_classes or (family.coupled == "file" and family.of_masks):
        if len(shape) == 2:
            return 1
        cure = SAY_AXIS
        if shape[0] == 1 and dataset.targets is not None and dataset.targets.file_shape[:1] == shape[1:2]:
            cure += f"; its first axis holds one sample: save numpy.reshape(values, {shape[1:]}) if it is one too many"
        raise DataError(
            f"{request.loss.name}: {predictions.name} has shape {shape_in_words(shape)}; {cure}", cures=AXES
        )
    return None


class _Laid(NamedTuple):
    """How predictions are laid out, and what other operands are compared with."""

    request: Request
    layout: Layout
    class_axis: int | None
    single: bool
    shift: int

    @classmethod
    def of(cls, request: Request, dataset: Dataset, class_axis: int | None) -> "_Laid":
        """Return the layout of the predictions."""
        shift, predictions = request.shift, dataset.predictions
        ahead = (max(-shift, 0), max(shift, 0))
        single = class_axis == 0
        grids = tuple(Grid(shape, class_axis, ahead, single) for shape in _shapes(predictions))
        if shift and len(grids[0].axes) != 1:
            what = count(len(grids[0].axes), "axis", "axes")
            raise UsageError(
                f"--shift {shift}: {predictions.name} has shape {predictions.shape}, with {what} of positions; a shift needs "
                "samples and one axis of positions, as (samples, tokens, classes)"
            )
        for grid in grids:
            if (grid.samples and not grid.kept and len(grids) > 1) or (shift and not grid.kept and grid.samples):
                raise DataError(
                    f"{predictions.name}: shape {grid.shape} has no position left"
                    + (f" with --shift {shift}" if shift else "")
                )
        return cls(request, Layout(grids), class_axis, single, shift)

    def lay(self, dataset: Dataset) -> None:
        """Lay out the predictions and all other operands."""
        predictions = dataset.predictions
        predictions.grids = self.layout.grids
        behind = (max(self.shift, 0), max(-self.shift, 0))
        if dataset.targets is not None:
            self._of_shape(dataset.targets, dataset, behind, not self.request.loss.family.one_target)
        if dataset.mask is not None:
            targets = dataset.targets
            rows = targets is not None and targets.grids is not None and targets.grids[0].class_axis is not None
            self._of_shape(dataset.mask, dataset, behind, rows or self.request.loss.family.masks_elements)
        if dataset.third_operand is not None:
            self._of_shape(dataset.third_operand, dataset, self.layout.grids[0].skipped, True)
        weights, samples = dataset.weights, self.layout.samples
        if weights is None:
            return
        if weights.shape in ((samples,), (samples, 1)) and weights.shape != self._other:
            weights.spread = self.layout  # one number per sample, for all of its positions
        else:
            self._of_shape(weights, dataset, behind, self.request.loss.family.several_outputs)

    @property
    def _other(self) -> tuple[int, ...]:
        """The shape of the predictions without the axis of the classes."""
        return _without(self.layout.shape, None if self.class_axis is None else self.class_axis + self._added)

    @property
    def _added(self) -> int:
        # Shards that are one sample each have an axis of samples together.
        return int(self.single and len(self.layout.grids) > 1)

    def _of_shape(self, columns: Columns, dataset: Dataset, skipped: tuple[int, int], rows: bool) -> None:
        """Lay out an operand that has a number for each position or, if `rows`, one for each number of the predictions."""
        shapes = _shapes(columns)
        wanted = [grid.shape for grid in self.layout.grids]
        if len(shapes) != len(wanted):
            wanted, shapes = [self.layout.shape], [columns.shape]
        axis = self.class_axis
        if rows and axis is not None and shapes == wanted:
            columns.grids = tuple(Grid(shape, axis, skipped, self.single) for shape in _shapes(columns))
            return
        fits = all(
            shape == _without(whole, axis) or _squeezes(shape, _without(whole, axis))
            for shape, whole in zip(shapes, wanted, strict=True)
        )
        if not fits or (-1 in columns.shape and len(_shapes(columns)) != len(self.layout.grids)):
            raise self._misfit(columns, dataset, rows)
        columns.grids = tuple(Grid(shape, None, skipped, self.single) for shape in _shapes(columns))
        if shapes != [_without(whole, axis) for whole in wanted]:
            note = f"{columns.name}: shape {shape_in_words(columns.file_shape)} was squeezed to {shape_in_words(self._other)}"
            if len(columns.file_shape) < len(self._other):
                note = f"{dataset.predictions.name}: shape {shape_in_words(self._other)} was squeezed to {shape_in_words(columns.file_shape)}"
            dataset.notes.append(note)

    def _misfit(self, columns: Columns, dataset: Dataset, rows: bool) -> DataError:
        """Return the error about an operand whose shape does not go with that of the predictions."""
        shape, family = self.layout.shape, self.request.loss.family
        forms = [shape_in_words(self._other)] if self._other != shape or not rows else []
        forms += [shape_in_words(shape)] if rows else []
        hint = ""
        fitting = [axis for axis in range(1, len(shape)) if _without(shape, axis) == columns.file_shape]
        if fitting and family.takes_class_axis and family.target_type != "numbers":
            said = " or ".join(f"--class-axis {axis}" for axis in fitting)
            hint = f"; {said} fits the {columns.role}"
        return DataError(
            f"{self.request.loss.name}: predictions {dataset.predictions.name} have shape {shape_in_words(shape)} and {columns.role} "
            f"{columns.name} {shape_in_words(columns.file_shape)}; nothing is broadcast: give {' or '.join(dict.fromkeys(forms))}{hint}",
            cures=tuple(("--class-axis", str(axis)) for axis in fitting) if hint else (),
        )


def _shapes(columns: Columns) -> list[tuple[int, ...]]:
    """Return the shapes of the shards of an operand, or that of the only one."""
    content = columns.operand.content
    if isinstance(content, ShardedSource) and columns.arranged is None:
        return [tuple(part.shape) for part in content.parts]
    return [columns.file_shape]


def _without(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    """Return a shape without one of its axes, or as it is for None."""
    return shape if axis is None else shape[:axis] + shape[axis + 1 :]


def _squeezes(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes are the same but for one axis of length 1, behind the first, that only one of them has."""
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return len(longer) == len(shorter) + 1 and any(
        longer[axis] == 1 and _without(longer, axis) == shorter for axis in range(1, len(longer))
    )
