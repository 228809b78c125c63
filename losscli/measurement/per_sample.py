"""Per-sample results as columns: the names and contents of the columns of an output file."""

from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.io.row_lists import Lists
from losscli.measurement.class_labels import output_names

if TYPE_CHECKING:
    from losscli.engine.evaluate import Rows
    from losscli.measurement.measure import Measurement

RESERVED = ("sample", "group", "position", "class", "id", "target", "loss", "weight")
"""Names of columns that every output may have."""


def columns(measurement: "Measurement", rows: "Rows", nested: bool) -> dict[str, Any]:
    """Return the columns of some rows, by name, in the order in which every format has them.

    Parameters
    ----------
    nested
        for JSON: several targets or losses of a sample are one list; otherwise each is a column.
    """
    masks = not measurement.job.of_rows  # masks are not rows of the file: they have no id and no class
    by_name = places(measurement, rows.sample, masks, nested)
    if measurement.ids is not None and not masks and "sample" in by_name and measurement.units.kind != "file":
        by_name["id"] = measurement.ids.take(by_name["sample"])
    by_name |= _slices(measurement, rows, by_name)
    together = rows.target is None or measurement.job.extras.whole is not None  # which have no target together
    target = None if together or rows.target is None else targets(measurement, rows.target)
    names = output_names(measurement.job, measurement.decoded)
    if isinstance(target, np.ndarray) and target.ndim == 2:
        if nested:
            by_name["target"] = target
        else:
            of_targets = measurement.decoded.source.columns or range(target.shape[1])
            own = of_targets if measurement.job.loss.family.of_vectors else names
            by_name |= {f"target_{name}": column for name, column in zip(own, target.T, strict=True)}
    elif target is not None:
        by_name["target"] = target
    by_name["loss"] = rows.loss
    if rows.weight is not None:
        by_name["weight"] = rows.weight
    if rows.elements is not None:
        if nested:
            by_name["losses"] = rows.elements
        else:
            for i, column in enumerate(rows.elements.T):
                name = f"loss_{names[i]}" if names[i].isdecimal() else names[i]
                while name in by_name or name in RESERVED:
                    name = f"loss_{name}"
                by_name[name] = column
    return by_name


def _slices(measurement: "Measurement", rows: "Rows", taken: dict[str, Any]) -> dict[str, list[str]]:
    """Return the columns of --by: the slice of each row, under the column's name, or `by_` and that where the name is taken."""
    found: dict[str, list[str]] = {}
    for column in measurement.slices:
        name = column.label
        while name in taken or name in found or name in RESERVED:
            name = f"by_{name}"
        codes = column.codes_of(measurement.first_rows_of(rows.sample)).tolist()
        found[name] = [column.names[code] for code in codes]
    return found


def places(measurement: "Measurement", numbers: Array, masks: bool, nested: bool) -> dict[str, Any]:
    """Return the columns that say which unit each row is: its sample and, where there are some, its position and its class."""
    units = measurement.units
    if units.layout is None and (masks or units.kind == "position"):
        return {"sample": numbers if masks else units.original(numbers)}
    if units.kind == "file":
        return {"sample": np.zeros(len(numbers), np.int64)}
    names = np.array(output_names(measurement.job, measurement.decoded))
    if units.kind == "class":
        return {"class": names[numbers].tolist()}
    if units.kind == "sample,class":
        return {"sample": units.original(numbers // len(names)), "class": names[numbers % len(names)].tolist()}
    if isinstance(units.layout, Lists):
        return {"sample": numbers, "group": units.layout.named(numbers)}
    samples, positions = units.indices(numbers)
    by_name: dict[str, Any] = {"sample": samples}
    if positions is None or not positions.shape[1]:
        return by_name
    if positions.shape[1] == 1:
        return by_name | {"position": positions[:, 0]}
    if nested:
        return by_name | {"position": positions}
    return by_name | {f"position_{i}": column for i, column in enumerate(positions.T)}


def targets(measurement: "Measurement", block: Array) -> Any:
    """Return targets as they are in the file: class names, whole numbers for labels, numbers otherwise."""
    encoding, classes = measurement.job.encoding, measurement.decoded.classes
    if encoding.kind == "none":
        return None
    if encoding.kind == "sequences":
        labels = [row[2 : 2 + row[1]] for row in block.tolist()]
        return [" ".join(map(str, one)) for one in labels]
    if measurement.job.masks is not None:  # the sum of the targets of a mask
        return block if encoding.kind in ("soft", "numbers", "constant") else block.astype(np.int64)
    # Columns of features beside a third operand are no classes.
    named_outcomes = (
        encoding.kind == "binary" and block.ndim == 1 and not encoding.one_hot and measurement.job.third_operand is None
    )
    if measurement.job.by_elements:
        return block  # NaN where an output does not exist
    if classes and (encoding.kind == "name" or named_outcomes):
        return [classes[i] for i in block.astype(np.int64)]
    if encoding.kind in ("index", "binary", "signed", "one-hot"):
        return block.astype(np.int64) + measurement.decoded.base
    return block
