"""What the pictures of a file's losses show, collected on the pass that computes them: for `plot samples`, and for pages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.engine.job import Job
    from losscli.measurement.measure import Measurement
    from losscli.measurement.result import Result
    from losscli.plots.samples import Sampled


def observe(measurement: "Measurement", confidence: bool) -> None:
    """Let a pass collect what the panels show; `confidence` says whether the panel of confidence is one of them."""
    from losscli.engine.classes import groups_of
    from losscli.engine.collectors.breakdown import Profiler

    job = measurement.job
    weighted = job.weights is not None or job.class_weights is not None
    measurement.observe(Profiler(groups_of(job), confidence, weighted))


def sampled(measurement: "Measurement", result: "Result", log: bool | None = None) -> "Sampled":
    """Return what the panels show, after the pass; `log` says whether the scale of the loss is logarithmic, None for what fits."""
    from losscli.engine.classes import groups_of
    from losscli.engine.collectors.breakdown import Profile
    from losscli.measurement.class_labels import group_names
    from losscli.plots.samples import Sampled

    profile = result.aggregate.get(Profile)
    if profile is None:  # of parts, which do not hold it
        return Sampled(result, Profile(None, None, None, None, None), None, [], log)
    groups = groups_of(measurement.job)
    names = group_names(measurement.job, measurement.decoded) if groups else []
    return Sampled(result, profile, groups, names, log)


def missing_panels(job: "Job") -> dict[str, str]:
    """Return the panels that cannot be drawn from these files, each with the reason."""
    from losscli.engine.classes import groups_of, has_confidence

    loss, soft = job.loss.declaration, job.encoding.kind == "soft"
    found = {}
    if not groups_of(job):
        found["classes"] = (
            "soft targets name no class" if soft else f"the targets of {loss.name} are numbers, not classes"
        )
        if loss.family.coupled in ("masks", "file") and loss.family.target_type != "numbers":
            found["classes"] = f"{loss.name} is a loss of masks, not of rows that have a class"
    if not has_confidence(job):
        found["confidence"] = "soft targets name no true class"
        if loss.family.likelihood is None:
            found["confidence"] = f"the predictions of {loss.name} are no probabilities, nor logits of one"
    return found
