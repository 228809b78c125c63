"""Results that are the same whatever was predicted: lists of one item, relevances of 0, one row that should meet others."""

import numpy as np

from losscli.engine.job import Job
from losscli.findings import WARNING, Finding
from losscli.io.source import blocks

OF_ONE_ITEM = ("zlpr",)
"""Losses of lists that compare each score with 0, too, so that a list of one item says something."""
OF_GAINS = ("lambdarank", "approx-ndcg")
"""Losses whose gains are those of the relevances: without any, every order is as good."""


def nothing_compared(job: Job) -> list[Finding]:
    """Return a finding if the rows and targets leave the loss of a job nothing to compare; else nothing."""
    fact = _of_rows(job) or _of_lists(job)
    return [] if fact is None else [Finding("nothing-compared", WARNING, fact[0], (), fact[1])]


def _of_rows(job: Job) -> tuple[str, str] | None:
    """Return the fact and the cure about a single row, which a loss compares with all other rows."""
    family, rows = job.loss.family, job.predictions.shape[0]
    if family.coupled != "rows" or family.target_type == "classes" or rows != 1:
        return None
    fact = f"{job.predictions.name}: one row, and {job.loss.name} compares each row with all others"
    return fact, "there is nothing to compare it with; give a whole batch"


def _of_lists(job: Job) -> tuple[str, str] | None:
    """Return the fact and the cure about lists in which no order is better than another."""
    name, shape = job.loss.name, job.predictions.shape
    if not job.loss.family.lists or not shape[0]:
        return None
    if job.lists is not None:
        alone = bool((np.diff(job.lists.starts) <= 1).all())
    else:
        alone = (shape[0] if job.loss.family.coupled == "file" else shape[-1]) == 1
    if alone and name not in OF_ONE_ITEM:
        fact = f"{job.predictions.name}: every list has one item, and {name} compares the items of a list"
        cure = "does --group name a column of rows, not of lists?" if job.lists is not None else "give whole lists"
        return fact, f"the result says nothing about the predictions; {cure}"
    if name in OF_GAINS and not any(block.any() for _, block in blocks(job.targets)):
        fact = f"{job.targets.name}: all relevances are 0, so that {name} takes every order for equally good"
        return fact, "the result says nothing about the predictions; is it another column?"
    return None
