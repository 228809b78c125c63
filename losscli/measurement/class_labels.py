"""The names of classes and outputs, as results show them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.data.target_encoding import DecodedTargets
    from losscli.engine.job import Job


def output_names(job: "Job", decoded: "DecodedTargets") -> list[str]:
    """Return the names of the outputs or classes: those of the columns, or else numbers from 0."""
    shape = job.predictions.shape
    k = shape[1] if len(shape) == 2 else 1
    names = job.predictions.columns
    if job.loss.family.target_type == "classes" or job.loss.family.thresholds:
        names, k = decoded.classes, job.encoding.k
    return [str(name) for name in names] if names and len(names) == k else [str(i) for i in range(k)]


def group_names(job: "Job", decoded: "DecodedTargets") -> list[str]:
    """Return the names of the classes or outputs by which losses are grouped."""
    encoding, classes = job.encoding, decoded.classes
    if encoding.stored_as in ("signs", "outcomes") and not job.several:
        return ["-1", "1"] if encoding.kind == "signed" else list(classes or ("0", "1"))
    return list(classes) if classes and len(classes) == encoding.k else output_names(job, decoded)
