"""Per-sample results as columns: what a row of output is called and holds."""

from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.measurement.class_labels import output_names

if TYPE_CHECKING:
    from losscli.engine.evaluate import Rows
    from losscli.measurement.measure import Measurement

RESERVED = ("sample", "id", "target", "loss", "weight")


def columns(measurement: "Measurement", rows: "Rows", nested: bool) -> dict[str, Any]:
    """Columns of a run of rows, in the order in which every format has them.

    Parameters
    ----------
    nested
        JSON: several targets or losses of a sample are one list; otherwise each is a column.
    """
    masks = measurement.job.masks is not None  # whose numbers are not those of rows, and which have no id and no class
    found: dict[str, Any] = {"sample": rows.sample if masks else measurement.units.original(rows.sample)}
    if measurement.ids is not None and not masks:
        found["id"] = measurement.ids.take(found["sample"])
    target = targets(measurement, rows.target)
    names = output_names(measurement.job, measurement.decoded)
    if isinstance(target, np.ndarray) and target.ndim == 2:
        if nested:
            found["target"] = target
        else:
            found |= {f"target_{name}": column for name, column in zip(names, target.T, strict=True)}
    else:
        found["target"] = target
    found["loss"] = rows.loss
    if rows.weight is not None:
        found["weight"] = rows.weight
    if rows.elements is not None:
        if nested:
            found["losses"] = rows.elements
        else:
            for i, column in enumerate(rows.elements.T):
                name = f"loss_{names[i]}" if names[i].isdecimal() else names[i]
                while name in found or name in RESERVED:
                    name = f"loss_{name}"
                found[name] = column
    return found


def targets(measurement: "Measurement", block: Array) -> Any:
    """Targets as the file has them: class names, whole numbers for labels, numbers otherwise."""
    form, classes = measurement.job.encoding, measurement.decoded.classes
    two = form.kind == "binary" and block.ndim == 1 and not form.one_hot and measurement.job.masks is None
    if classes and (form.kind == "name" or two):
        return [classes[i] for i in block.astype(np.int64)]
    if form.kind in ("index", "binary", "signed", "one-hot"):
        return block.astype(np.int64) + measurement.decoded.base
    return block
