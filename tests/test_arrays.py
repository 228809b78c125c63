"""Sums of rows, and running sums."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from by_hand import near

from losscli.arrays import row_sums, running_sums
from losscli.engine.collectors.baseline import weighted_median
from losscli.losses.multiclass_margin import sparsemax_of
from losscli.losses.overlap import lovasz_gradient


class TestRowSums:
    def test_a_long_row_of_float32_terms_is_summed_to_their_last_digits(self):
        terms = np.full((2, 128_000), 0.1, np.float32)
        assert row_sums(terms).tolist() == near([128_000 * float(terms[0, 0])] * 2, rel=1e-6)


class TestRunningSums:
    """Against exact fractions."""

    def test_of_many_terms_keep_their_digits(self):
        terms = np.random.default_rng(0).normal(size=20_000)
        exact = [float(one) for one in itertools.accumulate(map(Fraction, terms))]
        assert running_sums(terms[None])[0].tolist() == pytest.approx(exact, rel=1e-15, abs=1e-15)

    def test_of_infinities_are_infinite(self):
        assert running_sums(np.array([[1.0, -np.inf, 2.0, -np.inf]])).tolist() == [[1, -np.inf, -np.inf, -np.inf]]

    def test_a_median_is_between_two_values_where_half_of_the_weight_is_reached(self):
        """Ten times 0.1 is 1, and five times half of it; added up one by one it is 0.9999999999999999."""
        assert weighted_median(np.arange(10.0), np.full(10, 0.1)) == 4.5

    def test_sparsemax_of_many_classes(self):
        z = 1000 + np.random.default_rng(0).uniform(0, 1e-5, 20_000)
        tau = (sum(map(Fraction, z)) - 1) / len(z)  # the support is all of them
        assert sparsemax_of(z[None])[0].tolist() == near([float(Fraction(one) - tau) for one in z], rel=2e-8)

    def test_weights_of_the_lovasz_extension(self):
        """1 / u at a true element, and m / (u * (u + 1)) at another: u is the union before it, and m of the true ones are left."""
        true = np.random.default_rng(2).random(50_000) < 0.3
        left = union = int(true.sum())
        exact = []
        for one in true:
            exact.append(float(Fraction(1, union) if one else Fraction(left, union * (union + 1))))
            left, union = left - int(one), union + int(not one)
        assert lovasz_gradient(true[None].astype(float))[0].tolist() == near(exact, rel=1e-15)
