"""Mergeable records: any split into blocks gives the same record, and extreme values stay what they are."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscli.definition.convention import NONE
from losscli.engine import aggregates as reductions
from losscli.engine.aggregates import (
    Faults,
    GroupMoments,
    Moments,
    Quantiles,
    Total,
    sum_and_moments,
)
from losscli.engine.collectors.summary import Summary
from losscli.engine.reduction import REDUCTIONS, reduced
from losscli.errors import DataError

floats = st.floats(-1e6, 1e6)


@pytest.mark.quick
def test_a_compensated_sum_keeps_what_plain_addition_loses() -> None:
    parts = [1e16, 1.0, -1e16] * 3
    total = Total()
    for part in parts:
        total = total + Total.of(np.array([part]))
    assert sum(parts) != 3.0
    assert total.value == 3.0


def test_an_infinite_sum_is_infinite_and_not_nan() -> None:
    assert (Total.of(np.array([math.inf])) + Total.of(np.array([1.0]))).value == math.inf
    assert math.isnan((Total(math.inf) + Total(-math.inf)).value)


@given(st.lists(floats, min_size=1), st.lists(floats, min_size=1))
def test_moments_of_parts_are_moments_of_the_whole(left: list[float], right: list[float]) -> None:
    merged = Moments.of(np.array(left)) + Moments.of(np.array(right))
    whole = np.array(left + right)
    assert merged.n == len(whole)
    np.testing.assert_allclose(merged.mean, whole.mean(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(merged.std, whole.std(), rtol=1e-7, atol=1e-6)
    assert (merged.least, merged.most) == (whole.min(), whole.max())


def test_moments_of_large_values_do_not_cancel() -> None:
    values = np.random.default_rng(0).normal(1e8, 1e-2, 3000)
    parts = [Moments.of(part) for part in np.split(values, 30)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged + part
    np.testing.assert_allclose(merged.std, values.std(), rtol=1e-6)


def test_nothing_merges_with_something() -> None:
    some = Moments.of(np.array([1.0, 2.0]))
    assert Moments() + some == some + Moments() == some
    assert math.isnan(Moments().std)


@given(st.lists(floats, min_size=1), st.lists(floats, min_size=1))
def test_exact_percentiles_interpolate_linearly(left: list[float], right: list[float]) -> None:
    merged = Quantiles.of(np.array(left)) + Quantiles.of(np.array(right))
    expected = np.percentile(np.array(left + right), (50, 90, 99))
    assert merged.exact
    np.testing.assert_allclose(merged.at((50, 90, 99)), expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_percentiles_from_a_histogram_are_within_their_stated_error(
    monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    monkeypatch.setattr(reductions, "EXACT_LOSSES", 1000)
    values = np.random.default_rng(1).lognormal(0, 2, 50_000) * scale
    values[::2] *= -1
    parts = [Quantiles.of(part) for part in np.array_split(values, 7)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged + part
    assert not merged.exact
    for found, true in zip(merged.at((1, 25, 90, 99)), np.percentile(values, (1, 25, 90, 99)), strict=True):
        assert abs(found - true) <= 1.01 * reductions.SKETCH_ERROR * abs(true)


def test_a_histogram_holds_infinities_and_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reductions, "EXACT_LOSSES", 10)
    values = np.array([0.0] * 30 + [math.inf] * 30)
    low, high = Quantiles.of(values).at((25, 75))
    assert low == pytest.approx(0, abs=1e-300)
    assert high == math.inf


def test_a_block_without_rows_leaves_a_histogram_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where all rows of a block are ignored, in a file of more rows than percentiles are exact for."""
    monkeypatch.setattr(reductions, "EXACT_LOSSES", 10)
    some, none = Quantiles.of(np.arange(30.0)), Quantiles.of(np.array([]))
    assert not some.exact
    for merged in (some + none, none + some, none + some + none):
        assert merged.n == 30
        assert merged.at((50,)) == some.at((50,))


@pytest.mark.quick
def test_percentiles_beside_infinities_are_not_nan() -> None:
    assert Quantiles.of(np.array([1.0, math.inf, math.inf])).at((50, 99)) == [math.inf, math.inf]
    assert Quantiles.of(np.array([1.0, 2.0, math.inf])).at((50,)) == [2.0]


def test_a_row_of_weight_zero_adds_nothing_even_if_infinite() -> None:
    partial = Summary.of(np.array([math.inf, 2.0]), np.array([0.0, 3.0]))
    assert (partial.weighted.value, partial.weight.value, partial.nonzero) == (6.0, 3.0, 1)


def test_faults_keep_the_first_places_and_the_count() -> None:
    left = Faults({"nan": (2, ((0, 1, math.nan), (3, 0, math.nan)))})
    right = Faults({"nan": (5, ((9, 0, math.nan), (10, 0, math.nan), (11, 0, math.nan)))})
    number, places = (left + right).found["nan"]
    assert number == 7
    assert [place[0] for place in places] == [0, 3, 9]


class TestTotalsAndQuantiles:
    def test_a_sum_of_sums_keeps_what_each_has_kept(self):
        left, right = Total(-1e16), Total(1e16) + Total(1.0)
        assert ((left + right).value, (right + left).value) == (1.0, 1.0)

    def test_nothing_has_no_values(self):
        assert [part.tolist() for part in Quantiles().spectrum()] == [[], []]

    def test_percentiles_are_exact_up_to_the_stated_number_of_losses(self, monkeypatch):
        monkeypatch.setattr(reductions, "EXACT_LOSSES", 10)
        assert Quantiles.of(np.ones(10)).exact
        assert not Quantiles.of(np.ones(11)).exact
        assert (Quantiles.of(np.ones(5)) + Quantiles.of(np.ones(5))).exact
        assert not (Quantiles.of(np.ones(5)) + Quantiles.of(np.ones(6))).exact


class TestSumWithoutSpread:
    """The sum has the digits that it has beside moments, for it is the same value that is printed."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("n", [0, 1, 7, reductions.BLOCK, 3 * reductions.BLOCK + 5])
    def test_has_the_same_digits(self, dtype, n):
        values = np.random.default_rng(n).lognormal(0, 3, n).astype(dtype)
        (total, moments), (whole, _) = sum_and_moments(values, spread=False), sum_and_moments(values)
        assert total == whole
        assert moments.n == n

    @pytest.mark.parametrize("place", [0, reductions.BLOCK + 3])
    @pytest.mark.parametrize("odd", [math.inf, 1.7e308])
    def test_of_numbers_that_are_infinite_or_overflow(self, place, odd):
        values = np.ones(2 * reductions.BLOCK)
        values[place : place + 2] = odd
        (total, moments), (whole, _) = sum_and_moments(values, spread=False), sum_and_moments(values)
        assert total == whole
        assert (moments.n, moments.endless) == (len(values), odd == math.inf)
        assert (moments.least, moments.most) == (1.0, odd)


class TestNumbersThatOverflow:
    """Expected values are exact fractions, and roots of them."""

    def test_the_mean_of_numbers_whose_sum_overflows(self):
        total = Total.of(np.array([1.5e308, 1.7e308])) + Total.of(np.array([1e308]))
        assert total.value == math.inf
        assert total.over(3.0) == pytest.approx(1.4e308, rel=1e-15)
        assert (total + Total(-1.5e308) + Total(-1.7e308)).value == pytest.approx(1e308, rel=1e-15)
        assert (Total(1.5e308) + Total(1.7e308)).over(2.0) == pytest.approx(1.6e308, rel=1e-15)

    def test_weights_whose_sum_overflows(self):
        summary = Summary.of(np.array([1.0, 4.0]), np.array([1e308, 1.5e308]))
        assert summary.weighted.over(summary.weight) == pytest.approx(7 / 2.5, rel=1e-15)

    def test_an_infinite_loss_of_weight_zero_is_in_no_sum_that_overflows(self):
        weights = np.array([0.0, 1e308, 1.5e308])
        with np.errstate(all="ignore"):
            total = Total.of_products(weights, np.array([math.inf, 1.0, 4.0]))
        assert total.over(Total.of(weights)) == pytest.approx(7 / 2.5, rel=1e-15)

    @pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-150, 1.0, 1e155, 1e200, 1e307])
    def test_the_spread_of_large_and_small_numbers(self, size):
        values = np.array([1.0, 3.0, 5.0, 7.0]) * size
        for cut in (0, 1, 2, 4):
            moments = Moments.of(values[:cut]) + Moments.of(values[cut:])
            assert moments.mean == pytest.approx(4 * size, rel=1e-15)
            assert moments.std == pytest.approx(math.sqrt(5) * size, rel=1e-3 if size < 1e-300 else 1e-15)

    def test_the_spread_of_the_largest_numbers_of_both_signs(self):
        ends = np.array([1.7e308, -1.7e308])
        for moments in (Moments.of(ends), Moments.of(ends[:1]) + Moments.of(ends[1:])):
            assert (moments.mean, moments.std) == (0.0, 1.7e308)
        assert Moments.of(np.array([1e308, 1e308])).std == 0

    def test_the_spread_with_an_infinite_number_is_infinite(self):
        assert Moments.of(np.array([1.0, math.inf])).std == math.inf
        assert (Moments.of(np.array([1.0])) + Moments.of(np.array([math.inf, -math.inf]))).std == math.inf

    def test_the_spread_of_groups(self):
        values, groups = np.array([1e200, 3e200, 5.0, 7.0]), np.array([0, 0, 1, 1])
        whole = GroupMoments.of(groups, values, 2)
        parts = GroupMoments.of(groups[::2], values[::2], 2) + GroupMoments.of(groups[1::2], values[1::2], 2)
        for found in (whole, parts):
            assert found.mean.tolist() == [2e200, 6]
            assert np.sqrt(found.squares).astype(float).tolist() == pytest.approx([math.sqrt(2) * 1e200, math.sqrt(2)])


class TestUndefinedResults:
    def test_weights_whose_sum_overflows_still_have_a_mean(self, compute, save):
        files = save("p.npy", [1.0, 2.0, 3.0]), save("t.npy", [0.0, 0.0, 1.0])
        found = compute("mse", *files, "--sample-weight", save("w.npy", [1e308, 1e308, 1e308])).json
        assert (found["value"], found["baseline"]) == (3.0, None)
        assert found["summary"]["rmse"] == math.sqrt(3)

    @pytest.mark.parametrize(
        ("losses", "weights", "words"),
        [
            ([math.inf, -math.inf], [1.0, 1.0], "losses are inf and -inf; their mean is undefined"),
            ([1.0, 2.0], [math.inf, math.inf], "the sum of the weights, or of weights times losses, is too large"),
        ],
    )
    def test_what_is_no_number_is_an_error(self, losses, weights, words):
        job = SimpleNamespace(predictions=SimpleNamespace(name="p.npy"), convention=NONE, weighed=True)
        with pytest.raises(DataError, match=words):
            reduced(job, Summary.of(np.array(losses), np.array(weights)), REDUCTIONS["mean"])

    def test_a_comparison_of_numbers_that_overflow_is_refused(self, run, save):
        files = (
            save("a.npy", [1.0, 2.0, 3.0]),
            save("b.npy", [3.0, 2.0, 1.0]),
            "--targets",
            save("t.npy", [0.0, 0.0, 1.0]),
        )
        found = run("compare", "mse", *files, "--sample-weight", save("w.npy", [1e308, 1e308, 1e308]))
        found.refuses(3, "too large for an interval; divide the weights")


class TestPasses:
    """What is looked at in few passes, against the plain way."""

    @pytest.mark.parametrize(
        "odd", [[], [0.0], [-1.5], [1e-42], [math.inf], [float(np.finfo(np.float32).tiny)]], ids=str
    )
    def test_a_histogram_of_float32_is_that_of_the_same_numbers_in_float64(self, odd: list[float]) -> None:
        values = np.exp(np.random.default_rng(3).uniform(-80, 80, 3000)).astype(np.float32)
        values = np.concatenate([values, np.array(odd, np.float32)])
        few, many = (Quantiles.of(array, many=True).spectrum() for array in (values, values.astype(np.float64)))
        np.testing.assert_array_equal(few[0], many[0])
        np.testing.assert_array_equal(few[1], many[1])

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_sum_and_moments_of_several_blocks(self, dtype: type) -> None:
        values = np.random.default_rng(4).normal(1e6, 2, 2 * reductions.BLOCK + 7).astype(dtype)
        total, moments = reductions.sum_and_moments(values)
        exact = [float(value) for value in values]
        mean = math.fsum(exact) / len(exact)
        assert total.value == pytest.approx(math.fsum(exact), rel=1e-15)
        assert moments.mean == pytest.approx(mean, rel=1e-15)
        assert moments.squares == pytest.approx(math.fsum((value - mean) ** 2 for value in exact), rel=1e-10)
        assert (moments.n, moments.least, moments.most) == (len(exact), min(exact), max(exact))

    def test_a_sum_that_overflows_float32_is_a_float64(self) -> None:
        assert Total.of(np.full(10, 3e38, np.float32)).value == pytest.approx(3e39, rel=1e-7)
