"""The names of classes and outputs, as results show them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.data.target_encoding import Plan
    from losscli.engine.job import Job


def output_names(job: "Job", plan: "Plan") -> list[str]:
    """Names of the outputs or classes: the columns' own, else numbers."""
    shape = job.predictions.shape
    k = shape[1] if len(shape) == 2 else 1
    found = job.predictions.columns
    if job.loss.loss.family.reads == "classes":
        found, k = plan.classes, job.form.k
    return [str(name) for name in found] if found and len(found) == k else [str(i) for i in range(k)]


def group_names(job: "Job", plan: "Plan") -> list[str]:
    """Names of the classes or outputs that losses are grouped by."""
    form, classes = job.form, plan.classes
    if form.reads in ("signs", "outcomes") and not job.several:
        return ["-1", "1"] if form.kind == "signed" else list(classes or ("0", "1"))
    return list(classes) if classes and len(classes) == form.k else output_names(job, plan)
