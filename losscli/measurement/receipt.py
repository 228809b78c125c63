"""Receipt and signature: everything that a number depends on, in full and in one line."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from losscli.arrays import Array, instructions
from losscli.data.labels import Renumbered
from losscli.data.weights import rule_of
from losscli.definition.words import ThirdOperandName
from losscli.engine.reduction import REDUCTIONS
from losscli.io.source import ConstantSource, Source
from losscli.io.turned import TimeFirst
from losscli.version import __version__
from losscli.wording import short

if TYPE_CHECKING:
    from losscli.data.columns import Column
    from losscli.data.target_encoding import DecodedTargets, TargetEncoding
    from losscli.data.units import Units
    from losscli.definition.dialect import Dialect
    from losscli.definition.loss import Loss
    from losscli.definition.request import Request
    from losscli.engine.job import Job


def receipt(
    request: "Request",
    job: "Job",
    decoded: "DecodedTargets",
    units: "Units",
    columns: "Sequence[Column]" = (),
    shapes: "Mapping[str, tuple[int, ...]]" = MappingProxyType({}),
    remote: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return everything that the number depends on, ready for JSON.

    Parameters
    ----------
    units
        what has one loss.
    columns
        the columns of all files, with their roles and reasons.
    shapes
        the shapes of predictions and targets in their files, where they are read as rows of positions.
    remote
        what tells the state of each file that is not on this machine.
    """
    loss, encoding = request.loss.declaration, job.encoding
    entries: dict[str, Any] = {
        "losscli": __version__,
        **_loss_entries(request),
        "predictions": _described(job.predictions) | _shape(shapes, "predictions"),
        "targets": _targets(job, decoded) | _shape(shapes, "targets"),
        "class_axis": request.class_axis,
        **_list_entries(request, job),
        "shift": request.shift or None,
        "mask": request.mask,
        "missing": request.missing if job.missing else None,
        "computed_in": str(job.dtype),
        "arithmetic": arithmetic() | _dispatched(job),
        "classes": list(decoded.classes) if decoded.classes else None,
        "reduction": request.reduction,
        "reduction_formula": REDUCTIONS[request.reduction].formula,
        "over_outputs": request.over_outputs if job.several else None,
        "label_smoothing": _smoothing(encoding),
        "class_order": request.classes,
        "label_base": request.label_base or None,
        "ignore_index": request.ignore_index,
        **_weight_entries(request, job),
        "centers": request.centers,
        "per": _per(request, job, loss, units),
        "over_positions": request.over_positions
        if (job.unit != "row" and job.lists is None) or job.extras.whole is not None
        else None,
        "box": job.extras.box,
        "axes": _axes(job),
        "input_lengths": request.input_lengths,
        "target_lengths": request.target_lengths,
        "without_positive": _without_positive(job),
        **_third_operand_entry(request, job),
        "levels": _listed(job.extras.levels),
        "targets_from": request.targets_from,
        "temperature": request.temperature,
        "temperature_squared": request.temperature_squared or None,
        "id": request.id,
        "on_unmatched": request.on_unmatched if request.id is not None else None,
        "dropped": units.dropped,
        "picked": request.columns,
        "columns": [column.described() for column in columns],
        "dialect": _said(request.dialect),
        "dtype": request.dtype,
        "remote": [dict(one) for one in remote] or None,
    }
    return {key: value for key, value in entries.items() if value is not None}


def _dispatched(job: "Job") -> dict[str, list[str]]:
    """Return which of the functions of a loss have other last digits with other instructions; nothing if it is not known.

    digits.json has what `python tests/support/digits.py` found for losses of logits and numbers.
    """
    loss, extras = job.loss.declaration, job.extras
    plain = extras.prediction_kind == "logits" and extras.temper is None and job.convention.formula is None
    if loss.family.custom or not plain or str(job.dtype) not in ("float32", "float64"):
        return {}
    return {"dispatched": _digits().get(loss.name, {}).get(str(job.dtype), {}).get("functions", [])}


@cache
def _digits() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("digits.json").read_bytes())
    return found


@cache
def arithmetic() -> dict[str, str]:
    """Return what digits depend on besides files and conventions: NumPy, and the instructions that it uses here.

    exp, log and pow of float32 have other last digits with other instructions. The name is NumPy's own, of the highest level
    that it dispatches to on this processor, or of what it is built for if that is all.
    """
    used = instructions()
    return {"numpy": np.__version__} | ({"simd": used} if used else {})


def _list_entries(request: "Request", job: "Job") -> dict[str, Any]:
    """Return which column names the lists, how many there are, and the length of the longest; nothing without --group."""
    if job.lists is None:
        return {}
    return {"group": request.group, "lists": job.lists.samples, "longest_list": job.lists.longest}


def _loss_entries(request: "Request") -> dict[str, Any]:
    """Return what the receipt says of the loss and of how it reads predictions; None for what it does not have."""
    loss = request.loss.declaration
    return {
        "loss": loss.name,
        "formula": loss.formula or None,
        "definition": None if loss.formula else loss.definition,
        "code": dict(loss.code) if loss.code else None,
        "parameters": dict(request.loss.parameters),
        "operands": request.operands,
        "takes": request.takes,
        "from": request.prediction_kind if loss.family.takes_from else None,
        "activation": request.activation,
    }


def _weight_entries(request: "Request", job: "Job") -> dict[str, Any]:
    """Return what the receipt says of the weights of samples, classes and outputs; None for those that there are not."""
    return {
        "sample_weight": _operand(request.sample_weight, job.weights),
        "class_weight": _listed(job.class_weights if job.class_factors is None else job.class_factors),
        "class_weight_rule": _rule(request),
        "class_counts": _listed(job.extras.class_counts),
        "exclude_class": request.exclude_class,
        "output_weight": _listed(job.output_weights),
        "pos_weight": _listed(job.extras.pos_weight),
    }


def _rule(request: "Request") -> str | None:
    """Return how the weights of classes follow from their counts n, with the rule's name; None if they do not."""
    rule = rule_of(request.class_weight)
    return None if rule is None else f"{request.class_weight}: {rule.formula}"


def _third_operand_entry(request: "Request", job: "Job") -> dict[str, Any]:
    """Return the file or the number of the third operand, under its name; nothing if there is none."""
    if not request.third_operand:
        return {}
    return {str(request.loss.family.third_operand): _operand(request.third_operand, job.third_operand)}


def _without_positive(job: "Job") -> int | None:
    """Return how many rows have no loss since no other row is of their class; None if there are none."""
    if job.extras.everyone is None:
        return None
    from losscli.engine.whole_file import without_positive

    return without_positive(job) or None


def _targets(job: "Job", decoded: "DecodedTargets") -> dict[str, Any]:
    """Return the source of the targets, what kind they are, and how they were matched with the classes, if they were."""
    kind = job.encoding.kind if job.extras.whole is None else decoded.encoding.kind
    if kind == "none":
        return {"kind": kind}
    stored_as = "text" if kind == "name" and not isinstance(decoded.source, Renumbered) else None
    matched = {"matched": decoded.matched} if decoded.matched else {}
    return _described(job.targets, stored_as) | {"kind": kind} | matched


def _shape(shapes: "Mapping[str, tuple[int, ...]]", name: str) -> dict[str, Any]:
    return {"shape": list(shapes[name])} if name in shapes else {}


def _per(request: "Request", job: "Job", loss: "Loss", units: "Units") -> str | None:
    """Return what has one loss; None for losses in which rows meet each other. Rows of tables are positions and samples alike."""
    if job.masks:
        return job.masks.per
    if job.extras.whole is not None:
        return "file"
    if loss.family.coupled == "masks":
        return "row"
    if not loss.family.has_units:
        return None
    if units.layout is None and request.per in ("sample", "row"):
        return "sample"
    return units.kind


def _unit(receipt: Mapping[str, Any]) -> str | None:
    """Return what has one loss, for the signature; None for the rows of a table, which need not be told."""
    per: str | None = receipt.get("per")
    return None if per == "position" and len(receipt["predictions"]["shape"]) <= 2 else per


def _axes(job: "Job") -> list[str] | None:
    """Return what the axes of the predictions are, for losses of sequences; None for others."""
    if job.encoding.kind != "sequences":
        return None
    return ["time", "sample", "class"] if isinstance(job.predictions, TimeFirst) else ["sample", "time", "class"]


def _said(dialect: "Dialect") -> dict[str, Any] | None:
    """Return what options say of the dialect of text tables; None if they say nothing."""
    return {name: value for name, value in dialect._asdict().items() if value} or None


def _smoothing(encoding: "TargetEncoding") -> dict[str, Any] | None:
    """Return what smoothing makes of targets, with the least cross-entropy possible then; None if there is none."""
    smooth = encoding.smoothing
    if not smooth:
        return None
    entries: dict[str, Any] = {
        "amount": smooth.amount,
        "mode": smooth.mode,
        "target_of_true": smooth.on,
        "target_of_others": smooth.shift,
    }
    if encoding.stored_as == "indices" and math.isclose(smooth.on + (encoding.k - 1) * smooth.shift, 1):
        # The entropy of a smoothed target: the cross-entropy of no prediction is below it.
        entropy = -sum(t * math.log(t) for t in [smooth.on] + [smooth.shift] * (encoding.k - 1) if t > 0)
        entries["least_cross_entropy"] = entropy
    return entries


def _described(source: Source, kind: str | None = None) -> dict[str, Any]:
    """Return the name, shape, dtype and columns of a source."""
    described: dict[str, Any] = {"file": source.name, "shape": list(source.shape), "dtype": kind or str(source.dtype)}
    if source.columns:
        described["columns"] = list(source.columns)
    return described


def _operand(text: str | None, source: Source | None) -> str | float | None:
    """Return what an option names: a file, or the number that stands in its place."""
    return source.value if text is not None and isinstance(source, ConstantSource) else text


def _listed(numbers: Array | float | None) -> list[float] | float | None:
    return numbers.tolist() if isinstance(numbers, np.ndarray) else numbers


def signature(receipt: Mapping[str, Any]) -> str:
    """Return the receipt's conventions in one line, for papers and logs: if they differ, numbers differ."""
    parts = {
        "loss": receipt["loss"],
        "as": receipt["as"]["library"] if "as" in receipt else None,
        **{name: short(value) for name, value in receipt["parameters"].items() if value is not None},
        "operands": receipt.get("operands"),
        "takes": receipt.get("takes"),
        "from": receipt.get("from"),
        "activation": receipt.get("activation"),
        "targets": receipt["targets"]["kind"],
        "smoothing": _smoothing_words(receipt.get("label_smoothing")),
        "classes": receipt.get("class_order"),
        "label-base": receipt.get("label_base"),
        "ignore": receipt.get("ignore_index"),
        "sample-weight": _word(receipt.get("sample_weight")),
        "class-weight": _words(receipt.get("class_weight", receipt.get("output_weight"))),
        "class-counts": _words(receipt.get("class_counts")),
        "exclude-class": receipt.get("exclude_class"),
        "pos-weight": _words(receipt.get("pos_weight")),
        "over-positions": receipt.get("over_positions"),
        "class-axis": receipt.get("class_axis"),
        "shift": receipt.get("shift"),
        "mask": receipt.get("mask"),
        "missing": receipt.get("missing"),
        "centers": receipt.get("centers"),
        **{name: _word(receipt[name]) for name in get_args(ThirdOperandName) if name in receipt},
        "levels": _words(receipt.get("levels")),
        "group": receipt.get("group"),
        "per": _unit(receipt),
        **_of_distributions(receipt),
        "box": None if receipt.get("box") == "xyxy" else receipt.get("box"),
        "axes": ",".join(receipt["axes"]) if "axes" in receipt else None,
        "input-lengths": receipt.get("input_lengths"),
        "target-lengths": receipt.get("target_lengths"),
        "bytes": short(receipt["bytes"]) if "bytes" in receipt else None,
        "over-outputs": receipt.get("over_outputs"),
        "reduction": receipt["reduction"],
        "dtype": receipt["computed_in"],
        "losscli": receipt["losscli"],
    }
    return "|".join(f"{key}:{value}" for key, value in parts.items() if value is not None)


def _of_distributions(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the signature says of distributions as targets and of the temperature, if the receipt does.

    Nothing else, since a loss may have a parameter of the same name.
    """
    words = {"targets-from": receipt.get("targets_from")}
    if "temperature" in receipt:
        words["temperature"] = short(receipt["temperature"])
    return words | ({"temperature-squared": "yes"} if "temperature_squared" in receipt else {})


def _word(operand: Any) -> Any:
    """Return a number in few digits, and a file as it is."""
    return short(operand) if isinstance(operand, float) else operand


def _words(numbers: list[float] | float | None) -> str | None:
    if numbers is None or isinstance(numbers, float):
        return None if numbers is None else short(numbers)
    return ",".join(short(number) for number in numbers)


def _smoothing_words(smoothing: Mapping[str, Any] | None) -> str | None:
    return None if smoothing is None else f"{smoothing['mode']}-{short(smoothing['amount'])}"
