"""Histograms of losses: every loss in one bin, of whatever size it is."""

import math

import numpy as np
import pytest
from by_hand import near

from losscli.engine import aggregates as reductions
from losscli.engine.aggregates import EXACT_LOSSES, Quantiles
from losscli.engine.histogram import Histogram


def test_zeros_among_more_losses_than_are_kept_stay_zeros():
    losses = Quantiles.of(np.concatenate([np.zeros(EXACT_LOSSES), np.ones(9)]))
    assert not losses.exact
    assert losses.at((50,)) == [0.0]
    values, counts = losses.spectrum()
    assert (values[0], counts[0]) == (0.0, EXACT_LOSSES)
    found = Histogram.of(losses, 10, log=True)
    assert found.not_positive == EXACT_LOSSES


@pytest.mark.parametrize(
    "losses",
    [
        [5e-324, 1e-323],
        [1.0, np.nextafter(1, 2)],
        [-1.25e-9, np.nextafter(-1.25e-9, 0)],
        [1.7e308],
        [-1.7e308, 1.7e308],
    ],
)
@pytest.mark.parametrize("log", [None, False])
def test_bins_of_any_losses_hold_all_of_them(losses, log):
    found = Histogram.of(Quantiles.of(np.array(losses)), 30, log)
    assert (np.diff(found.edges) > 0).all()
    assert np.isfinite(found.edges).all()
    assert found.counts.sum() == len(losses)


class TestHistogram:
    def of(self, losses, bins=10, log=None):
        return Histogram.of(Quantiles.of(np.asarray(losses, float)), bins, log)

    def test_of_equal_width_from_the_least_to_the_largest(self):
        losses = np.random.default_rng(3).random(1000) + 1
        found = self.of(losses, 8)
        assert found.edges == near(np.linspace(losses.min(), losses.max(), 9))
        assert (found.edges[0], found.edges[-1]) == (losses.min(), losses.max())
        assert found.counts.tolist() == np.histogram(losses, found.edges)[0].tolist()
        assert (found.log, found.not_positive, found.infinite) == (False, 0, 0)

    def test_of_equal_ratio_on_a_logarithmic_scale(self):
        losses = np.random.default_rng(3).lognormal(0, 4, 1000)
        found = self.of(losses, 7)
        assert found.log
        assert found.edges == near(np.geomspace(losses.min(), losses.max(), 8))
        assert (found.edges[0], found.edges[-1]) == (losses.min(), losses.max())
        assert found.counts.sum() == 1000
        assert found.counts.tolist() == np.histogram(losses, found.edges)[0].tolist()

    @pytest.mark.parametrize(("far", "log"), [(19.9, False), (20.0, False), (20.1, True)])
    def test_is_logarithmic_where_p99_is_above_20_medians(self, far, log):
        assert self.of([1.0] * 150 + [far] * 50).log is log

    def test_less_than_one_loss_in_a_hundred_is_no_tail(self):
        assert not self.of([1.0] * 999 + [1e6]).log
        assert not self.of([1.0] * 995 + [1e6] * 5).log
        assert self.of([1.0] * 980 + [1e6] * 20).log

    def test_a_median_of_zero_has_no_multiples(self):
        assert not self.of([0.0] * 60 + [5.0] * 40).log

    @pytest.mark.parametrize("log", [True, False])
    def test_a_scale_that_is_asked_for(self, log):
        assert self.of([1, 2, 3], log=log).log is log
        assert self.of([1.0] * 150 + [1000.0] * 50, log=log).log is log

    def test_what_a_logarithmic_scale_cannot_show_is_counted(self):
        found = self.of([0, 0, -1e-16, 1, 2, 4, math.inf], log=True)
        assert (found.not_positive, found.infinite, found.counts.sum()) == (3, 1, 3)
        assert (found.edges[0], found.edges[-1]) == (1, 4)

    def test_a_linear_scale_shows_zero_and_below(self):
        found = self.of([0, 0, -1, 1, math.inf, math.inf], 4, log=False)
        assert (found.not_positive, found.infinite) == (0, 2)
        assert found.edges.tolist() == [-1, -0.5, 0, 0.5, 1]
        assert found.counts.tolist() == [1, 0, 2, 1]

    @pytest.mark.parametrize(("losses", "log"), [([math.inf] * 2, None), ([0, 0], True), ([-1], True), ([], None)])
    def test_there_is_none_where_nothing_can_be_shown(self, losses, log):
        assert self.of(losses, log=log) is None

    @pytest.mark.parametrize("log", [True, False])
    @pytest.mark.parametrize("loss", [1e-300, 0.7, 3.0, 1e300])
    def test_one_loss_only(self, loss, log):
        found = self.of([loss] * 5, log=log)
        assert found.counts.sum() == 5
        assert (np.diff(found.edges) > 0).all()
        assert found.edges[0] < loss < found.edges[-1]

    @pytest.mark.parametrize("loss", [0.0, -2.0])
    def test_one_loss_that_is_not_positive(self, loss):
        found = self.of([loss] * 5)
        assert found.counts.sum() == 5
        assert found.edges[0] < loss < found.edges[-1]

    def test_losses_that_differ_in_the_last_digits_only(self):
        found = self.of([1.0, np.nextafter(1, 2), np.nextafter(1, 0)] * 3)
        assert found.counts.sum() == 9
        assert (np.diff(found.edges) > 0).all()

    @pytest.mark.parametrize("log", [True, False])
    def test_of_more_rows_than_are_kept(self, monkeypatch, log):
        losses = np.random.default_rng(4).lognormal(0, 1, 3000)
        exact = self.of(losses, log=log)
        monkeypatch.setattr(reductions, "EXACT_LOSSES", 1000)
        found = self.of(losses, log=log)
        assert found.counts.sum() == 3000
        np.testing.assert_allclose(found.edges, exact.edges, rtol=2.0**-11)
        assert np.abs(np.cumsum(found.counts) - np.cumsum(exact.counts)).max() <= 30
