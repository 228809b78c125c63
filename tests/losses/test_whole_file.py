"""Losses of label matrices and of series beyond their formulas."""

import numpy as np
from calling import INF, called, masked, rows

from losscli.definition.batch import Extras


def test_two_way_counts_rows_and_columns_with_a_positive() -> None:
    z = [[0.3, -1.0, 2.0, 0.7]]
    value, slope = called("two-way", z, masked([0, 0, 0, 0]), Extras(columns=2))
    assert value[0] == 0
    assert not slope.any()
    value, slope = called("two-way", z, masked([1, 1, 1, 1]), Extras(columns=2))
    assert value[0] == 0
    assert not slope.any()
    value, _ = called("two-way", z, masked([1, 0, 0, 0]), Extras(columns=2), tp=1, tn=1)
    # The first row: the negative -1 above the positive 0.3; the first column: the negative 2 above it.
    np.testing.assert_allclose(value, [np.log1p(np.exp(-1.3)) + np.log1p(np.exp(1.7))], rtol=1e-14)


def test_labels_of_one_kind_have_no_balance() -> None:
    value, _ = called("distribution-balanced", [[0.1, 0.2, 0.3, 0.4]], masked([1, 0, 1, 1]), Extras(columns=2))
    assert np.isnan(value).all()
    value, _ = called("distribution-balanced", [[0.1, 0.2, 0.3, 0.4]], masked([0, 0, 1, 1]), Extras(columns=2))
    assert np.isfinite(value).all()


def test_soft_labels_are_masks_to_losses_of_labels() -> None:
    z = [[0.1, 0.2, 0.3, 0.4]]
    for loss in ("two-way", "distribution-balanced"):
        soft, slope = called(loss, z, rows([0.7, 0.5, 0.1, 0.9]), Extras(columns=2))
        hard, steep = called(loss, z, masked([1, 0, 0, 1]), Extras(columns=2))
        assert soft == hard
        assert (slope == steep).all()


def test_series_of_zeros() -> None:
    value, slope = called("weighted-percentage-error", [[0, 0], [1, 0], [1, 3]], rows([0, 0], [0, 0], [2, 2]))
    assert value.tolist() == [0, INF, 0.5]
    assert not np.isnan(slope).any()
    value, _ = called("weighted-percentage-error", [[1, 0]], rows([0, 0]), epsilon=0.5)
    assert value[0] == 2
