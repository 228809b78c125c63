"""How tests call losses of whole rows: one loss of each family, a few rows of each, and short ways to say them."""

import math
from typing import Any

import numpy as np
import pytest
from oracle import settings
from row_formulas import FAMILIES, MAKERS, Case

from losscli.definition.batch import Dense, Everyone, Extras, Indices, Sequences, Targets
from losscli.definition.loss import Loss
from losscli.losses import LOSSES, find
from losscli.losses.contrastive import unit

DTYPES = (np.float32, np.float64)
INF, NAN = math.inf, math.nan


def each(*families: str) -> Any:
    chosen = [loss for loss in LOSSES.values() if loss.family.name in (families or FAMILIES)]
    return pytest.mark.parametrize("loss", chosen, ids=lambda loss: loss.name)


every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def cases(loss: Loss, dtype: Any, seed: int = 7) -> list[Case]:
    return list(MAKERS[loss.family.name](loss, next(settings(loss)), dtype, np.random.default_rng(seed)))


def called(
    name: str, predictions: Any, targets: Any, extras: Extras = Extras(), dtype: Any = np.float64, **more: float
) -> tuple[np.ndarray, np.ndarray]:
    return find(name).bind(**more)(np.array(predictions, dtype), targets, extras, gradient=True)  # type: ignore[return-value]


def rows(*values: Any) -> Dense:
    return Dense(np.array(values))


def index(*labels: int) -> Indices:
    return Indices(np.array(labels))


def signs(*labels: int) -> Dense:
    return Dense(np.array(labels, np.int8))


def masked(*labels: Any) -> Dense:
    return Dense(np.array(labels, bool))


def block(loss: Loss, dtype: Any, n: int, k: int) -> tuple[np.ndarray, Targets, Extras]:
    """Many rows of a family's operands."""
    generator = np.random.default_rng(n * 100 + k)
    x = generator.normal(0, 2, (n, k)).astype(dtype)
    extras, name = Extras(), loss.family.name
    if name == "angular":
        x = np.clip(x / 6, -1, 1)
    if name == "box":
        x = np.sort(generator.uniform(-5, 5, (n, 2, 2)), axis=1).reshape(n, 4).astype(dtype)
    if name in ("pairs", "preference", "odds"):
        x = x[:, :2]
    if name in ("preference", "odds", "feedback"):
        x = -np.abs(x)
    if name in ("feedback", "adversarial"):
        x = x[:, 0].copy()
    if name == "views":
        x = np.concatenate([x, x[::-1], x / 2], axis=1)
    labels = generator.integers(0, min(k, 5), n)
    targets: Targets = Dense(x[::-1].astype(np.float64))
    if name in ("scores", "angular", "views", "class-logits", "long-tail"):
        targets = Indices(labels)
        extras = Extras(class_counts=1.0 + np.arange(k) % 7) if name == "long-tail" else extras
    elif loss.name in ("multilabel-margin", "zlpr", "lovasz-hinge") or name == "label-matrix":
        targets = Dense(generator.integers(0, 2, x.shape).astype(bool))
    elif name == "ranking":
        targets = Dense(np.abs(targets.t))
    elif name == "survival":
        targets = Dense(generator.integers(0, 3, x.shape).astype(float))
        extras = Extras(third_operand=generator.integers(0, 2, x.shape).astype(float))
    elif loss.family.target_type == "signs" and name != "mask-margins":
        targets = Dense(generator.choice([-1, 1], n).astype(np.int8))
        extras = Extras(third_operand=None if loss.family.third_operand is None else x[::-1].copy())
    elif name == "triplet":
        extras = Extras(third_operand=np.roll(x, 1, axis=0))
    elif name == "overlap":
        targets = Dense(generator.integers(0, 2, x.shape).astype(bool))
    elif name in ("class-masks", "class-overlap"):
        x = x[:, : len(x[0]) // 2 * 2]
        first = generator.integers(0, 2, (n, len(x[0]) // 2, 1))
        targets, extras = Dense(np.concatenate([first, 1 - first], axis=2).reshape(x.shape)), Extras(columns=2)
    elif name == "thresholds":
        targets = Dense(generator.integers(0, k + 1, n).astype(float))
    elif name == "sequence":
        targets, extras = Sequences.of([[1, 1]] * n, [1 if k % 2 else k // 2] * n), Extras(columns=k if k % 2 else 2)
    elif name in ("ensemble", "interval", "quantiles"):
        targets = Dense(generator.normal(size=n))
        x = np.sort(x[:, :2], axis=1) if name == "interval" else x
        extras = Extras(levels=np.linspace(0, 1, k + 2)[1:-1])
    elif name == "vector-ensemble":
        d = 2 if len(x[0]) % 2 == 0 < len(x[0]) - 2 else 1
        targets = Dense(generator.normal(size=(n, d)))
    elif name == "quantile-file":
        x = x[:, : len(x[0]) // 2 * 2]
        targets = Dense(generator.normal(size=(n, len(x[0]) // 2)))
        extras = Extras(levels=np.array([0.2, 0.7]), columns=2)
    elif name == "scaled-series":
        extras = Extras(third_operand=np.abs(x[::-1]) + 0.1)
    elif name == "batch":
        targets = Indices(labels)
        extras = Extras(everyone=Everyone(unit(x)[0], labels, np.ones(n, bool)), at=np.arange(n))
    elif name in ("mined", "every-triplet"):
        targets = Indices(labels)
        extras = Extras(everyone=Everyone(x.astype(float), labels, np.ones(n, bool)), at=np.arange(n))
    elif name == "proxy":
        targets, extras = Indices(labels), Extras(centers=generator.normal(size=(5, x.shape[1])))
    elif name == "two-views":
        extras = Extras(columns=1)
    elif name in ("paired", "mutual"):
        targets = Dense(x[::-1].copy())
        everyone = Everyone(unit(x[::-1])[0], np.zeros(0), np.ones(n, bool), sources=unit(x)[0])
        extras = Extras(everyone=everyone, at=np.arange(n))
    return x, targets, extras


def chosen(targets: Targets, extras: Extras, where: Any) -> tuple[Targets, Extras]:
    taken = Indices(targets.index[where]) if isinstance(targets, Indices) else Dense(targets.t[where])
    return taken, extras._replace(
        third_operand=None if extras.third_operand is None else extras.third_operand[where],
        at=None if extras.at is None else extras.at[where],
    )


def label_block() -> tuple[np.ndarray, Targets, Extras]:
    z = np.random.default_rng(3).normal(size=(2, 6)).astype(np.float32)
    return z, masked([1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 0, 1]), Extras(columns=2)
