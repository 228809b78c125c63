"""Losses of ensembles beyond their formulas."""

import numpy as np
from calling import called, rows


def test_an_ensemble_of_one_is_the_absolute_error() -> None:
    value, slope = called("crps", [[1.5], [-2], [0]], rows(1.0, 1.0, 0.0))
    assert value.tolist() == [0.5, 3, 0]
    assert slope.tolist() == [[1], [-1], [0]]


def test_members_that_agree_are_one() -> None:
    value, slope = called("crps", [[2, 2, 2, 2]], rows(0.5))
    assert value[0] == 1.5
    np.testing.assert_allclose(slope, 0.25)


def test_crps_is_the_integral_of_the_squared_difference_of_distributions() -> None:
    x, t = np.array([-1.0, 0.3, 0.3, 2.0]), 0.9
    grid = np.linspace(-3, 4, 700_001)
    below = (x[:, None] <= grid).mean(axis=0)
    value, _ = called("crps", [x], rows(t))
    np.testing.assert_allclose(value, [((below - (grid >= t)) ** 2).sum() * (grid[1] - grid[0])], rtol=1e-4)
