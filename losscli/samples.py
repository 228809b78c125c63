"""Per-sample results as columns: what a row of output is called and holds."""

from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.core import Array

if TYPE_CHECKING:
    from losscli.calculation import Calculation
    from losscli.run import Rows

RESERVED = ("sample", "id", "target", "loss", "weight")


def columns(calculation: "Calculation", rows: "Rows", nested: bool) -> dict[str, Any]:
    """Columns of a run of rows, in the order in which every format has them.

    Parameters
    ----------
    nested
        JSON: several targets or losses of a sample are one list; otherwise each is a column.
    """
    masks = calculation.job.masks is not None  # whose numbers are not those of rows, and which have no id and no class
    found: dict[str, Any] = {"sample": rows.sample if masks else calculation.original(rows.sample)}
    if calculation.ids is not None and not masks:
        found["id"] = calculation.ids.take(found["sample"])
    target = targets(calculation, rows.target)
    names = outputs(calculation)
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


def outputs(calculation: "Calculation") -> list[str]:
    """Names of the outputs or classes: the columns' own, else numbers."""
    shape = calculation.job.predictions.shape
    k = shape[1] if len(shape) == 2 else 1
    found = calculation.job.predictions.columns
    if calculation.job.loss.loss.family.reads == "classes":
        found, k = calculation.plan.classes, calculation.job.form.k
    return [str(name) for name in found] if found and len(found) == k else [str(i) for i in range(k)]


def targets(calculation: "Calculation", block: Array) -> Any:
    """Targets as the file has them: class names, whole numbers for labels, numbers otherwise."""
    form, classes = calculation.job.form, calculation.plan.classes
    two = form.kind == "binary" and block.ndim == 1 and not form.one_hot and calculation.job.masks is None
    if classes and (form.kind == "name" or two):
        return [classes[i] for i in block.astype(np.int64)]
    if form.kind in ("index", "binary", "signed", "one-hot"):
        return block.astype(np.int64) + calculation.plan.base
    return block


def groups(calculation: "Calculation") -> list[str]:
    """Names of the classes or outputs that losses are grouped by."""
    form, classes = calculation.job.form, calculation.plan.classes
    if form.reads in ("signs", "outcomes") and not calculation.job.several:
        return ["-1", "1"] if form.kind == "signed" else list(classes or ("0", "1"))
    return list(classes) if classes and len(classes) == form.k else outputs(calculation)
