"""Every loss of an array of any rank is that of the flat table of its positions, whichever axis holds the classes."""

from typing import Any

import numpy as np
import pytest

import losscli
from losscli.definition.domain import LOG_PROBABILITIES
from losscli.definition.loss import Family
from losscli.losses import LOSSES

LEAD, K = (3, 2, 4), 4
"""Samples, two axes of positions; and the classes, outputs, or numbers of a row."""
BY_POSITION = [name for name, loss in LOSSES.items() if not loss.family.coupled and not loss.family.of_three_axes]
WHOLE_TARGETS = ("multilabel-margin", "zlpr")
"""Losses of lists whose targets are 0 or 1."""


def made(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Predictions, targets and further operands of a loss: the classes, outputs or numbers of a row are on the last axis."""
    family = LOSSES[name].family
    shape = (*LEAD, family.width or K * family.parts)
    p = rng.uniform(0.05, 0.95, shape)
    t = rng.uniform(0.05, 0.95, shape)
    more: dict[str, Any] = {}
    if family.name == "box":
        p[..., 2:], t[..., 2:] = p[..., :2] + 0.5, t[..., :2] + 0.6
    if family.soft:
        t = rng.dirichlet(np.ones(K), LEAD)
    elif family.target_type == "classes":
        t = rng.integers(0, K, LEAD)
    elif family.one_target:
        t = rng.integers(0, 2, LEAD).astype(float)
    elif family.target_type in ("signs", "outcomes") or name in WHOLE_TARGETS:
        t = rng.integers(0, 2, shape).astype(float)
    if family.name == "interval":
        p = np.sort(p, axis=-1)
    if family.takes_levels:
        more["levels"] = "0.1,0.4,0.6,0.9"
    if family.third_operand:
        more[family.third_operand] = rng.uniform(0.1, 0.9, shape)
    if LOSSES[name].domains(LOSSES[name].bind().parameters).predictions == LOG_PROBABILITIES:
        p, more = -p, {operand: -array for operand, array in more.items()}
    return p, t, more


def for_all(family: Family) -> dict[str, Any]:
    """What a loss needs that does not depend on the rows."""
    options: dict[str, Any] = {"centers": np.eye(K)} if family.takes_centers else {}
    return options | ({"class_counts": np.arange(1.0, K + 1)} if family.takes_class_counts else {})


def flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1) if array.shape == LEAD else array.reshape(-1, array.shape[-1])


def axis_first(array: np.ndarray) -> np.ndarray:
    """The classes on axis 1, as PyTorch has them."""
    return array if array.shape == LEAD else np.ascontiguousarray(np.moveaxis(array, -1, 1))


@pytest.mark.filterwarnings("ignore::losscli.api.LosscliWarning")
@pytest.mark.parametrize("name", BY_POSITION)
def test_a_loss_of_any_rank_is_that_of_the_flat_table(name: str) -> None:
    family = LOSSES[name].family
    p, t, more = made(name, np.random.default_rng(BY_POSITION.index(name)))
    of_all = for_all(family)

    def computed(turn: Any, **options: Any) -> losscli.Result:
        operands = {key: array if isinstance(array, str) else turn(array) for key, array in more.items()}
        return losscli.compute(name, turn(p), turn(t), gradient=True, **operands, **of_all, **options)

    table = computed(flat)
    assert table.losses is not None
    assert table.gradient is not None
    last = computed(lambda array: array, **({"class_axis": -1} if family.takes_class_axis else {}))
    assert (last.value, last.losses.tolist()) == (table.value, table.losses.reshape(LEAD).tolist())  # type: ignore[union-attr]
    np.testing.assert_array_equal(last.gradient, table.gradient.reshape(p.shape))
    if family.takes_class_axis:
        first = computed(axis_first, class_axis=1)
        assert (first.value, first.losses.tolist()) == (last.value, last.losses.tolist())  # type: ignore[union-attr]
        np.testing.assert_array_equal(first.gradient, axis_first(last.gradient))  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::losscli.api.LosscliWarning")
@pytest.mark.parametrize("name", BY_POSITION)
def test_the_loss_of_a_sample_is_the_mean_of_its_positions(name: str) -> None:
    family = LOSSES[name].family
    p, t, more = made(name, np.random.default_rng(7))
    options = for_all(family)
    options |= {"class_axis": -1} if family.takes_class_axis else {}
    positions = losscli.compute(name, p, t, **more, **options).losses
    samples = losscli.compute(name, p, t, per="sample", gradient=True, **more, **options)
    summed = losscli.compute(name, p, t, per="sample", over_positions="sum", **more, **options)
    assert positions is not None
    np.testing.assert_allclose(samples.losses, positions.astype(float).mean(axis=(1, 2)), rtol=1e-14)
    np.testing.assert_allclose(summed.losses, positions.astype(float).sum(axis=(1, 2)), rtol=1e-14)
    slopes = losscli.compute(name, p, t, gradient=True, **more, **options).gradient
    assert slopes is not None
    np.testing.assert_allclose(samples.gradient, slopes / (LEAD[1] * LEAD[2]), rtol=1e-14)
