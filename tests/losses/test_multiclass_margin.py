"""Losses of a row's scores beyond their formulas: ties, masked scores, two classes."""

from typing import Any

import numpy as np
import pytest
from calling import INF, called, every_dtype, index, signs

from losscli.definition.batch import Indices
from losscli.losses import find


def test_two_classes_are_a_margin() -> None:
    z = np.random.default_rng(5).normal(0, 2, (50, 2))
    y = np.random.default_rng(6).integers(0, 2, 50)
    m = z[np.arange(50), y] - z[np.arange(50), 1 - y]
    for rowwise, margin in (
        ("multiclass-hinge", "hinge"),
        ("sparsemax", "binary-sparsemax"),
        ("multiclass-perceptron", "perceptron"),
    ):
        expected, _ = find(margin).bind()(m, signs(*np.ones(50)))
        np.testing.assert_allclose(find(rowwise).bind()(z, Indices(y))[0], expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(find("multiclass-zero-one").bind()(z, Indices(y))[0], m <= 0)


def test_categorical_hinge_is_multiclass_hinge_where_another_score_is_above_zero() -> None:
    z = np.random.default_rng(8).normal(0, 2, (50, 4))
    y = np.random.default_rng(9).integers(0, 4, 50)
    others = z.copy()
    others[np.arange(50), y] = -INF
    value, _ = find("categorical-hinge").bind()(z, Indices(y))
    again, _ = find("multiclass-hinge").bind()(z, Indices(y))
    above = others.max(axis=1) > 0
    np.testing.assert_array_equal(value[above], again[above])
    assert (value[~above] >= again[~above]).all()
    assert 0 < above.sum() < 50


def test_ties_of_scores() -> None:
    value, slope = called("multiclass-hinge", [[0, 1, 1]], index(0))
    assert (value[0], slope[0].tolist()) == (2, [-1, 1, 0])
    value, slope = called("multiclass-perceptron", [[1, 1, 0]], index(1))
    assert (value[0], slope[0].tolist()) == (0, [0, 0, 0])
    assert called("multiclass-zero-one", [[1, 1], [2, 1]], index(0, 0))[0].tolist() == [1, 0]
    value, slope = called("categorical-hinge", [[-1, -2, 0]], index(0))
    assert (value[0], slope[0].tolist()) == (2, [-1, 0, 0])


@every_dtype
def test_sparsemax_is_zero_from_a_lead_of_one_and_keeps_digits_before(dtype: Any) -> None:
    value, slope = called("sparsemax", [[1, 0, 0], [5, 4, -9], [2, 0.5, 1]], index(0, 0, 0), dtype=dtype)
    assert value.tolist() == [0, 0, 0]
    assert not slope.any()
    z = dtype(1 - 2**-10)
    value, slope = called("sparsemax", [[z, 0]], index(0), dtype=dtype)
    assert value[0] == 2.0**-22
    assert slope[0].tolist() == [-(2.0**-11), 2.0**-11]
    value, slope = called("sparsemax", [[0, 1e6]], index(0))
    assert (value[0], slope[0].tolist()) == (1e6, [-1, 1])


@pytest.mark.parametrize("name", ["multiclass-hinge", "categorical-hinge", "multi-margin", "multiclass-perceptron"])
def test_a_masked_score_takes_no_part(name: str) -> None:
    masked_out, slope = called(name, [[0.5, -INF, 1.0]], index(0))
    without, _ = called(name, [[0.5, 1.0]], index(0))
    factor = 2 / 3 if name == "multi-margin" else 1  # over the number of classes
    np.testing.assert_allclose(masked_out, without * factor)
    assert slope[0, 1] == 0
