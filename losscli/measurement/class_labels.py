"""The names of classes and outputs, as results show them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.data.target_encoding import DecodedTargets
    from losscli.engine.job import Job


def output_names(job: "Job", decoded: "DecodedTargets") -> list[str]:
    """Names of the outputs or classes: the columns' own, else numbers."""
    shape = job.predictions.shape
    k = shape[1] if len(shape) == 2 else 1
    found = job.predictions.columns
    if job.loss.family.target_type == "classes":
        found, k = decoded.classes, job.encoding.k
    return [str(name) for name in found] if found and len(found) == k else [str(i) for i in range(k)]


def group_names(job: "Job", decoded: "DecodedTargets") -> list[str]:
    """Names of the classes or outputs that losses are grouped by."""
    form, classes = job.encoding, decoded.classes
    if form.stored_as in ("signs", "outcomes") and not job.several:
        return ["-1", "1"] if form.kind == "signed" else list(classes or ("0", "1"))
    return list(classes) if classes and len(classes) == form.k else output_names(job, decoded)
