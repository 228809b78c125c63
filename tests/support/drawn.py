"""Random data that a loss takes, for tests that run over the whole registry."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from losscli.data.scalars import DOMAINS
from losscli.data.target_encoding import TargetEncoding
from losscli.definition.batch import Everyone, Extras, Sequences
from losscli.definition.domain import REAL, Interval
from losscli.definition.loss import Loss
from losscli.engine.job import Job
from losscli.io.source import MemorySource

K = 4
"""Classes, and columns of most predictions."""
FEATURES = 3
WIDTHS = {
    "views": 3 * K,
    "class-masks": 2 * K,
    "class-overlap": 2 * K,
    "label-matrix": 2 * K,
    "quantile-file": 2 * K,
    "box": 4,
    "interval": 2,
}
FEATURED = (
    "embedding",
    "cosine",
    "cosine-pair",
    "pair",
    "triplet",
    "batch",
    "paired",
    "mutual",
    "mined",
    "every-triplet",
    "proxy",
)
CENTERS = np.random.default_rng(99).normal(size=(K, FEATURES))


class Drawn(NamedTuple):
    """What a loss gets: predictions, targets as they stand in a file, their form, and what else a lift needs."""

    predictions: np.ndarray
    targets: np.ndarray
    encoding: TargetEncoding
    extras: Extras

    def job(self, loss: Loss, dtype: Any, **changes: Any) -> Job:
        """A job of this data, as it would be of files."""
        third_operand = self.extras.third_operand
        made = Job(
            loss.bind(),
            MemorySource("predictions", self.predictions.astype(dtype)),
            MemorySource("targets", self.targets),
            self.encoding,
            np.dtype(dtype),
            self.extras._replace(third_operand=None),
            rows=True,
            gradient=True,
            third_operand=None if third_operand is None else MemorySource("third", third_operand.astype(dtype)),
        )
        return replace(made, **changes)


def numbers_in(domain: Interval, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random numbers of a domain, of moderate size."""
    if domain == REAL:
        return generator.normal(0, 3, shape)
    if domain.whole:
        return generator.integers(int(domain.low), int(min(domain.high, domain.low + 1)) + 1, shape).astype(float)
    if np.isinf(domain.low):
        return domain.high - generator.lognormal(0, 0.7, shape)
    if np.isinf(domain.high):
        return domain.low + generator.lognormal(0, 0.7, shape)
    return domain.low + (domain.high - domain.low) * generator.uniform(0.02, 0.98, shape)


def drawn(loss: Loss, n: int, seed: int, k: int = K, elements: bool = False) -> Drawn:
    """Data of n rows, float64: of k classes or columns; of several outputs per sample where `elements` asks for them."""
    generator = np.random.default_rng(seed)
    family = loss.family
    domains = loss.domains(loss.bind().parameters)
    width = FEATURES if family.name in FEATURED else family.width or WIDTHS.get(family.name, k)
    rows = not (family.several_outputs or (family.name == "pair")) or (elements and family.several_outputs)
    shape = (n, width) if rows else (n,)
    predictions = numbers_in(domains.predictions, generator, shape)
    if family.name in ("angular",):
        predictions = np.clip(predictions, -0.97, 0.97)
    if family.name == "pair":
        predictions = np.abs(predictions)
    extras = Extras()
    if family.target_type == "classes":
        classes = k if family.name not in (*FEATURED, "views") else K
        targets: Any = generator.integers(0, classes, n)
        form = TargetEncoding("index", "indices", classes)
        if family.soft:
            targets, form = generator.dirichlet(np.ones(k), n), TargetEncoding("soft", "rows", k)
    elif family.target_type == "sequences":
        classes = max(2, k // 2)
        targets = Sequences.of(generator.integers(1, classes, (n, 1)).tolist(), [k // classes] * n).t
        form = TargetEncoding("sequences", "sequences", classes)
        extras = extras._replace(columns=classes)
    elif family.target_type == "numbers":
        one = (n, 2) if family.coupled == "file" else (n,)  # one per row of the file, of which each row here holds two
        targets = numbers_in(domains.targets, generator, one if family.one_target else shape)
        form = TargetEncoding("numbers", "numbers", K)
    else:
        targets = generator.integers(0, 2, shape[:1] if family.one_target else shape)
        form = TargetEncoding("binary", family.target_type, K)
        if loss.name in ("log-dice", "log-jaccard", "log-tversky"):
            targets[:, 0] = 1  # without a true element they are infinite
    if family.name == "box":
        least = 3.2 if loss.name == "log-box-iou" else 0.2  # of boxes that are apart it is infinite
        corners = generator.uniform(0, 3, (2, n, 2)), generator.uniform(least, least + 2.8, (2, n, 2))
        predictions, targets = (np.concatenate([a, a + b], axis=1) for a, b in zip(*corners, strict=True))
    if family.name == "interval":
        predictions = np.sort(predictions, axis=1)
    if family.takes_levels:
        extras = extras._replace(levels=np.linspace(0, 1, (width // 2 if family.coupled else width) + 2)[1:-1])
    if family.name == "label-matrix":
        targets = np.tile([0, 1, 1, 0, 1, 0, 0, 1], (n, 1))  # each label has both kinds
        targets[generator.random(n) < 0.5] = [1, 0, 0, 1, 0, 1, 1, 0]
    if family.takes_class_counts:
        extras = extras._replace(class_counts=1.0 + np.arange(k) ** 2)
    if family.takes_centers:
        extras = extras._replace(centers=CENTERS)
    if family.third_operand is not None and family.name != "pair":
        third = generator.normal(0, 2, shape)
        if family.third_operand in DOMAINS or family.third_operand == "reference":
            third = np.exp(third / 4) if family.third_operand in DOMAINS else -np.abs(third)
        third = (third > 0).astype(float) if family.third_operand == "event" else third
        extras = extras._replace(third_operand=third)
    if family.coupled == "rows":
        others = generator.normal(size=(4 * K, FEATURES))
        if family.target_type == "numbers":
            others = targets
        labels = np.arange(len(others)) % K
        assert family.meets is not None
        everyone = Everyone(family.meets(others), labels, np.ones(len(others), bool))
        if family.both_ways:
            everyone = everyone._replace(sources=family.meets(predictions))
        extras = extras._replace(everyone=everyone, at=np.arange(n))
    if family.coupled == "file":
        extras = extras._replace(columns=width // 2)
    return Drawn(predictions, targets, form, extras)
