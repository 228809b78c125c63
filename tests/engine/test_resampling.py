"""Intervals and p-values: against SciPy that ran (statistics.json names its version), enumeration, and simulation."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from losscli.engine.resampling import (
    Cells,
    Rows,
    holm,
    interval,
    resampled,
    resampled_cells,
    serially,
    sign_flips,
    smallest_detectable,
    student_interval,
    student_quantile,
)
from losscli.engine.threads import executor_of

GOLDEN = json.loads((Path(__file__).parent / "statistics.json").read_text())
CASES = {case["name"]: case for case in GOLDEN["cases"]}


def rows_of(d, weights=None):
    return Rows.of(np.asarray(d, np.float64), None if weights is None else np.asarray(weights, np.float64))


def cells_of(values, parts=1):
    found = [Cells.of(piece) for piece in np.array_split(np.asarray(values, np.float64), parts)]
    total = found[0]
    for one in found[1:]:
        total = total + one
    return total.trimmed()


def of_rows(d, weights=None, resamples=1000, seed=0, confidence=0.95):
    """Mean, resamples and interval of rows as they are."""
    rows = rows_of(d, weights)
    mean = rows.sums.sum() / rows.weights.sum()
    drawn = resampled(rows, resamples, seed, serially)
    return mean, drawn, interval(mean, rows.sums - rows.weights * mean, None, drawn, confidence)


def of_cells(d, weights=None, resamples=1000, seed=0, confidence=0.95, parts=5):
    """The same through cells of deviations."""
    rows = rows_of(d, weights)
    mean = rows.sums.sum() / rows.weights.sum()
    deviations = cells_of(rows.sums - rows.weights * mean, parts)
    drawn = resampled_cells(deviations, mean, rows.weights.sum(), resamples, seed, serially)
    return mean, drawn, interval(mean, deviations.means, deviations.counts, drawn, confidence)


@pytest.mark.parametrize("name", CASES)
def test_intervals_are_those_of_scipy(name):
    """Both are of random resamples, 400,000 there and 200,000 here, whose ends differ by a part of the standard error."""
    case = CASES[name]
    _, drawn, ends = of_rows(case["d"], resamples=200_000)
    assert drawn.std() == pytest.approx(case["se"], rel=0.01)
    assert ends == pytest.approx([case["low"], case["high"]], abs=0.05 * case["se"])


@pytest.mark.parametrize("name", CASES)
def test_p_values_are_those_of_scipy(name):
    case = CASES[name]
    p, permutations = sign_flips(np.array(case["d"]), 100_000, 0, serially)
    if permutations == 2 ** len(case["d"]):
        assert p == case["p"]  # of all permutations, in both
    else:
        assert p == pytest.approx(case["p"], abs=4 * math.sqrt(case["p"] * (1 - case["p"]) / 100_000) + 1e-5)


def test_resamples_are_drawn_evenly():
    """Of four rows all 256 resamples can be listed."""
    d, w = np.array([-1.0, 0.25, 0.5, 3.0]), np.array([1.0, 2.0, 0.5, 1.0])
    for weights in (None, w):
        drawn = resampled(rows_of(d, weights), 200_000, 3, serially)
        each = np.ones(4) if weights is None else weights
        all_of_them = [
            np.average(d[list(rows)], weights=each[list(rows)]) for rows in itertools.product(range(4), repeat=4)
        ]
        found, counts = np.unique(drawn.round(9), return_counts=True)
        expected, expected_counts = np.unique(np.round(all_of_them, 9), return_counts=True)
        assert found.tolist() == expected.tolist()
        assert counts / 200_000 == pytest.approx(expected_counts / 256, abs=0.004)


DATA = {
    "around 0": lambda rng: rng.standard_gamma(0.3, 3000) * rng.choice([-1, 1.2], 3000),
    "far from 0": lambda rng: 5.05 + 0.01 * rng.normal(size=3000),
    "with zeros": lambda rng: np.where(rng.random(3000) < 0.2, 0, rng.normal(size=3000)),
    "huge": lambda rng: 1e160 * rng.normal(size=3000),
    "tiny": lambda rng: 1e-250 * rng.normal(size=3000),
}


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("data", DATA)
def test_many_rows_in_cells_are_as_good_as_rows(data, weighed):
    rng = np.random.default_rng(5)
    d = DATA[data](rng)
    w = rng.choice([0.25, 0.5, 1.0, 4.0], 3000) if weighed else None
    _, rows, ends = of_rows(d, w, 20_000, 1)
    same, cells, others = of_cells(d, w, 20_000, 1)
    assert same == pytest.approx(np.average(d, weights=w), rel=1e-12)
    wide = (rows / 1e160 if data == "huge" else rows * 1e250 if data == "tiny" else rows).std()
    scale = 1e160 if data == "huge" else 1e-250 if data == "tiny" else 1
    assert (cells / scale).std() == pytest.approx(wide, rel=0.03)
    assert np.array(others) / scale == pytest.approx(np.array(ends) / scale, abs=0.07 * wide)
    contributions = rows_of(d, w).sums
    p, _ = sign_flips(contributions, 20_000, 1, serially)
    q, _ = sign_flips(cells_of(contributions, 3), 20_000, 1, serially)
    assert q == pytest.approx(p, abs=0.015)


def test_cells_are_few_and_do_not_depend_on_where_chunks_end():
    d = np.random.default_rng(2).normal(size=20_000)
    one, several = cells_of(d), cells_of(d, 7)
    assert len(one.counts) < 1000
    assert one.rows == 20_000
    assert one.counts.tolist() == several.counts.tolist()
    assert one.sums == pytest.approx(several.sums, rel=1e-9)
    assert one.sums.sum() == pytest.approx(d.sum(), rel=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e-309])
def test_numbers_that_are_too_small_to_matter_share_a_cell_with_no_others(size):
    found = cells_of(np.array([1.0] * 5 + [1e-5, 1e-6, 1e-7] + [-1e-6] * 2) * size)
    assert sorted(found.counts.tolist()) == [2, 3, 5]


def test_draws_of_rows_without_weight_have_no_mean():
    drawn = resampled(rows_of([3.0, 5.0], [0.0, 1.0]), 200, 0, serially)
    assert np.isnan(drawn).any()
    assert set(drawn[~np.isnan(drawn)]) == {5.0}


def test_the_same_seed_gives_the_same_digits_on_any_number_of_threads():
    rows = rows_of(np.random.default_rng(0).normal(size=500))
    with executor_of(3) as executor:
        many = resampled(rows, 30_000, 9, lambda function, batches: list(executor.map(function, batches)))
    assert (many == resampled(rows, 30_000, 9, serially)).all()
    assert (many != resampled(rows, 30_000, 10, serially)).any()


def test_p_is_never_0():
    d = np.random.default_rng(0).normal(5, 1, 200)
    for values in (d, cells_of(d)):
        assert sign_flips(values, 1000, 0, serially)[0] == 1 / 1001
    assert sign_flips(np.array([1.0, 2.0]), 1000, 0, serially) == (0.5, 4)


def test_no_difference_has_p_1():
    for values in (np.zeros(50), cells_of(np.zeros(50))):
        assert sign_flips(values, 1000, 0, serially)[0] == 1
    assert of_rows(np.zeros(50))[2] == of_cells(np.zeros(50))[2] == (0, 0)


def test_sums_that_rounding_tells_apart_are_equal():
    """0.1 + 0.2 - 0.3 is not 0 in floats, but as far from 0 as its negative is."""
    assert sign_flips(np.array([0.1, 0.2, -0.3]), 1000, 0, serially) == (1.0, 8)


def test_one_row_has_no_interval():
    assert np.isnan(of_rows([3.0])[2]).all()


@pytest.mark.parametrize("scale", [1e-160, 1e-320, 1e150])
def test_the_smallest_and_largest_differences_have_intervals(scale):
    d = np.random.default_rng(0).normal(1, 1, 60)
    low, high = of_rows(d * scale)[2]
    one, other = of_rows(d)[2]
    if scale > 1e-300:
        assert (low / scale, high / scale) == pytest.approx((one, other), rel=1e-9)
    assert low < high


def test_an_interval_that_resamples_cannot_tell_reaches_their_ends():
    """Of a mean of 1,000 zeros and a one the acceleration is beyond what BCa corrects."""
    d = np.zeros(1000)
    d[0] = 1
    mean, drawn, (low, high) = of_rows(d, confidence=0.999999999, resamples=1000)
    assert low <= mean <= high == drawn.max()


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    """By simulation: 600 sets of 80 skewed differences, whose true mean is known."""
    rng, held = np.random.default_rng(11), 0
    for seed in range(600):
        low, high = of_rows(rng.standard_gamma(2.0, 80) - 2.0, seed=seed)[2]
        held += low <= 0 <= high
    assert 0.92 <= held / 600 <= 0.975  # the share's own standard error is 0.9 %


@pytest.mark.parametrize("weighed", [False, True])
def test_the_interval_in_cells_holds_the_true_mean_too(weighed):
    """The same of 150 sets of 3,000 differences around 7."""
    rng, held = np.random.default_rng(12), 0
    for seed in range(150):
        w = rng.choice([0.5, 2.0], 3000) if weighed else None
        low, high = of_cells(rng.standard_gamma(2.0, 3000) / 10 + 6.8, w, 500, seed, 0.9)[2]
        held += low <= 7 <= high
    assert 0.83 <= held / 150 <= 0.96  # 2.4 %


@pytest.mark.parametrize(("part", "freedom", "value"), GOLDEN["student"])
def test_students_quantiles(part, freedom, value):
    assert student_quantile(part, freedom) == pytest.approx(value, rel=1e-10)


def test_students_quantiles_of_many():
    """scipy.stats.t.ppf(0.975, freedom) of SciPy 1.17.1."""
    assert student_quantile(0.975, 401) == pytest.approx(1.9658975, abs=1e-5)
    assert student_quantile(0.975, 100_000) == pytest.approx(1.9599877, abs=1e-6)


def test_students_interval():
    d = np.array([1.0, 2.0, 4.0])
    half = 4.302652729749462 * math.sqrt(((d - d.mean()) ** 2).sum() / 2 / 3)
    found = student_interval(3, d.mean(), ((d - d.mean()) ** 2).sum())
    assert found == pytest.approx((d.mean() - half, d.mean() + half), rel=1e-12)
    # of 0 and 2, by Cauchy's distribution, which is Student's of one degree
    half = math.tan(math.pi * 0.475)
    assert student_interval(2, 1.0, 2.0) == pytest.approx((1 - half, 1 + half), rel=1e-12)
    assert np.isnan(student_interval(1, 3.0, 0.0)).all()


def test_holm():
    """By hand: 3 * 0.01, 2 * 0.02, and 0.03 is not below what came before it."""
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


class TestSmallestDetectable:
    """The smallest difference that rows can show."""

    @pytest.mark.parametrize(
        ("n", "confidence", "effect"),
        [
            (10, 0.95, 0.9960019107624177),
            (20, 0.95, 0.6604416544380307),
            (20, 0.99, 0.8384472461638419),
            (50, 0.95, 0.40418299973778593),
            (50, 0.99, 0.5003467830497419),
            (360, 0.95, 0.14805278402847605),
            (360, 0.99, 0.1809524923916061),
            (2000, 0.95, 0.0626739755657893),
        ],
    )
    def test_is_that_of_statsmodels(self, n, confidence, effect):
        """TTestPower().solve_power(nobs=n, alpha=1 - confidence, power=0.8) of statsmodels 0.15.0, from the noncentral t."""
        x = np.random.default_rng(n).exponential(size=n)
        x -= x.mean()
        found = smallest_detectable(x, None, n, confidence, 0.8)
        assert found == pytest.approx(effect * x.std(ddof=1), rel=0.01)

    def test_of_cells_and_weights(self):
        rng = np.random.default_rng(3)
        d, w = rng.normal(1, 2, 5000), rng.random(5000)
        influence = w * (d - np.average(d, weights=w))
        error = np.sqrt((influence**2).sum() * 5000 / 4999) / w.sum()
        exact = smallest_detectable(influence, None, w.sum(), 0.95, 0.8)
        assert exact == pytest.approx((1.9604 + 0.8418) * error, rel=1e-4)
        cells = cells_of(influence)
        assert smallest_detectable(cells.means, cells.counts, w.sum(), 0.95, 0.8) == pytest.approx(exact, rel=1e-3)

    def test_is_found_four_times_of_five(self):
        """Simulated: of samples whose true difference is as large, the intervals of a comparison show it in 80 %."""
        rng, n, shown, tries = np.random.default_rng(11), 60, 0, 300
        truth = smallest_detectable(np.array([-1.0, 1.0] * (n // 2)) * math.sqrt((n - 1) / n), None, n, 0.95, 0.8)
        for seed in range(tries):
            d = rng.normal(truth, 1, n)
            drawn = resampled(rows_of(d), 400, seed, serially)
            low, _ = interval(d.mean(), d - d.mean(), None, drawn, 0.95)
            shown += low > 0
        assert 0.74 < shown / tries < 0.86

    def test_of_hardly_any_rows_and_of_ties(self):
        assert math.isnan(smallest_detectable(np.zeros(1), None, 1, 0.95, 0.8))
        assert smallest_detectable(np.zeros(9), None, 9, 0.95, 0.8) == 0
        for size in (1e-300, 1e300):  # whose squares no float64 holds
            found = smallest_detectable(np.array([-1.0, 0, 1]) * size, None, 3, 0.95, 0.8)
            assert found / size == pytest.approx((4.302653 + 1.060660) / math.sqrt(3), rel=1e-6)


def test_rows_of_weight_0_are_drawn_alone_in_other_threads_too():
    """Both rows are the one of weight 0 in a quarter of the resamples, whose mean is none; Python warns of nothing."""
    with executor_of(2) as executor:
        run = lambda function, batches: list(executor.map(function, batches))  # noqa: E731
        drawn = resampled(rows_of([3.0, 5.0], [0.0, 1.0]), 2_200_000, 1, run)
    assert np.isnan(drawn).mean() == pytest.approx(0.25, abs=0.01)
    assert set(drawn[~np.isnan(drawn)].tolist()) == {5.0}
