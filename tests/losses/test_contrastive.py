"""Losses of features, of pairs, of triplets and of rows that meet all others, beyond their formulas."""

from typing import Any

import numpy as np
import pytest
from calling import NAN, block, called, each, every_dtype, rows, signs

from losscli.definition.batch import Dense, Everyone, Extras, Indices
from losscli.definition.loss import Loss
from losscli.losses import LOSSES, find
from losscli.losses.contrastive import unit


def test_one_positive_has_the_same_loss_among_its_negatives_in_both_contrastive_losses() -> None:
    s = np.random.default_rng(10).uniform(-1, 1, (1, 6))
    positives = np.eye(1, 6, dtype=bool)
    left, _ = find("nt-xent").bind(temperature=0.1).core(s, positives, ~positives)
    right, _ = find("supcon").bind(temperature=0.1).core(s, positives, ~positives)
    third, _ = find("info-nce").bind(temperature=0.1).core(s, positives, ~positives)
    np.testing.assert_allclose([left, right], [right, third], rtol=1e-12)


@every_dtype
def test_cosines_of_one_and_minus_one(dtype: Any) -> None:
    a, b = [[3, 4], [3, 4], [3, 4]], rows([6, 8], [-3, -4], [3e-9, 4e-9])
    value, slope = called("cosine-distance", a, b, dtype=dtype)
    np.testing.assert_allclose(value, [0, 2, 0], atol=1e-16)
    np.testing.assert_allclose(slope, 0, atol=1e-16)
    value, _ = called(
        "cosine-embedding", a[:2], signs(-1, -1), Extras(third_operand=np.array([[6, 8], [-3, -4.0]])), margin=-1
    )
    np.testing.assert_allclose(value, [2, 0], atol=1e-15)


def test_lengths_do_not_overflow_or_vanish() -> None:
    for a, b in ((1e200, 1e-200), (1e-200, 1e200), (1e-310, 1.0)):
        value, slope = called("cosine-distance", [[a, 0], [a, a]], rows([b, b], [b, b]))
        np.testing.assert_allclose(value, [1 - 2**-0.5, 0], rtol=1e-10, atol=1e-16)
        assert not np.isnan(slope).any()
    value, _ = called("hinge-embedding", [[3e200, 0]], signs(1), Extras(third_operand=np.array([[0, 4e200]])))
    np.testing.assert_allclose(value, [5e200])
    np.testing.assert_allclose(unit(np.array([[3e200, 4e200]]))[0], [[0.6, 0.8]])


def test_features_without_length_have_no_cosine() -> None:
    zero, one = [[0, 0]], rows([1, 0])
    for name in ("cosine-distance", "normalized-squared-distance"):
        assert np.isnan(called(name, zero, one)[0]).all()
        assert np.isnan(called(name, [[1, 0]], rows([0, 0]))[0]).all()
    for other in ([[0.0, 0]], [[1.0, 0]]):
        assert np.isnan(called("cosine-embedding", [[0, 0]], signs(-1), Extras(third_operand=np.array(other)))[0]).all()


@pytest.mark.parametrize("name", ["contrastive", "hinge-embedding"])
def test_pairs_at_distance_zero(name: str) -> None:
    a = np.array([[1.0, 2], [1, 2]])
    value, slope = called(name, a, signs(1, -1), Extras(third_operand=a))
    assert value.tolist() == [0, 0.5 if name == "contrastive" else 1]
    assert not slope.any()


@pytest.mark.parametrize("name", ["contrastive", "hinge-embedding"])
def test_distances_are_taken_for_what_they_are(name: str) -> None:
    far = np.array([[3.0, 4], [0.3, 0.4], [3, 4]])
    by_features, _ = called(name, far, signs(1, -1, -1), Extras(third_operand=np.zeros((3, 2))))
    by_distance, slope = called(name, [5, 0.5, 5], signs(1, -1, -1))
    np.testing.assert_allclose(by_features, by_distance, rtol=1e-15)
    assert slope[2] == 0
    assert np.isnan(called(name, [-1.0], signs(1))[0]).all()


def test_triplets_at_distance_zero() -> None:
    a, n = [[1.0, 2]], np.array([[4.0, 6]])
    value, slope = called("triplet", a, Dense(np.array(a)), Extras(third_operand=n), margin=6)
    assert value[0] == 1
    np.testing.assert_allclose(slope, [[0.6, 0.8]])
    value, slope = called("triplet", a, Dense(np.array(a)), Extras(third_operand=np.array(a)))
    assert value[0] == 1
    assert not slope.any()
    value, _ = called("triplet", [[0, 0]], rows([3, 0]), Extras(third_operand=np.array([[4.0, 0]])), swap=1)
    assert value[0] == 3 - 1 + 1


def test_squared_chord_is_the_squared_distance_of_unit_features() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, 20, 4))
    value, _ = called("normalized-squared-distance", a, Dense(b))
    np.testing.assert_allclose(value, ((unit(a)[0] - unit(b)[0]) ** 2).sum(axis=1), rtol=1e-14)


def met(name: str, x: np.ndarray, labels: np.ndarray, kept: np.ndarray | None = None, **more: float) -> Any:
    kept = np.ones(len(x), bool) if kept is None else kept
    extras = Extras(everyone=Everyone(unit(x)[0], labels, kept), at=np.flatnonzero(kept))
    return find(name).bind(**more)(x[kept], Indices(labels[kept]), extras, gradient=True)


@each("batch")
def test_ignored_rows_are_not_met(loss: Loss) -> None:
    generator = np.random.default_rng(2)
    x, labels = generator.normal(size=(8, 3)), np.array([0, 0, 1, 1, -1, 0, -1, 1])
    kept = labels >= 0
    x[4], x[6] = NAN, 0
    value, slope = met(loss.name, x, labels, kept)
    again, again_slope = met(loss.name, x[kept], labels[kept])
    np.testing.assert_allclose(value, again, rtol=1e-14)
    np.testing.assert_allclose(slope, again_slope, rtol=1e-13)


@each("batch")
def test_lengths_of_features_do_not_count(loss: Loss) -> None:
    generator = np.random.default_rng(2)
    x, labels = generator.normal(size=(6, 3)), np.array([0, 0, 1, 1, 0, 1])
    size = 2.0 ** generator.integers(-300, 300, (6, 1))
    value, slope = met(loss.name, x, labels)
    again, again_slope = met(loss.name, x * size, labels)
    np.testing.assert_allclose(value, again, rtol=1e-13)
    np.testing.assert_allclose(slope, again_slope * size, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["nt-xent", "supcon"])
def test_a_row_without_a_positive_is_undefined(name: str) -> None:
    value, _ = met(name, np.random.default_rng(1).normal(size=(3, 2)), np.array([0, 0, 1]))
    assert np.isnan(value).tolist() == [False, False, True]


def test_rows_are_met_in_parts_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    x, targets, extras = block(LOSSES["supcon"], np.float32, 30, 5)
    whole = LOSSES["supcon"].bind()(x, targets, extras, gradient=True)
    monkeypatch.setattr("losscli.losses.contrastive.AT_ONCE", 70)
    parts = LOSSES["supcon"].bind()(x, targets, extras, gradient=True)
    assert all(one.tobytes() == other.tobytes() for one, other in zip(whole, parts, strict=True))  # type: ignore[union-attr]
