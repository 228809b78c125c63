"""Intervals and p-values: against SciPy that ran (tests/statistics.json names its version), enumeration, and simulation."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from losscli.resampling import (
    Cells,
    holm,
    interval,
    resampled,
    serially,
    sign_flips,
    student_interval,
    student_quantile,
)
from losscli.run import executor_of

GOLDEN = json.loads((Path(__file__).parent / "statistics.json").read_text())
CASES = {case["name"]: case for case in GOLDEN["cases"]}


def cells_of(d, weights=None, exact=True, parts=1):
    pieces = np.array_split(np.asarray(d, np.float64), parts)
    weighed = [None] * parts if weights is None else np.array_split(np.asarray(weights, np.float64), parts)
    found = [Cells.of(piece, w, exact) for piece, w in zip(pieces, weighed, strict=True)]
    total = found[0]
    for one in found[1:]:
        total = total + one
    return total.trimmed()


@pytest.mark.parametrize("name", CASES)
def test_intervals_are_those_of_scipy(name):
    """Both are of random resamples, 400,000 there and 200,000 here, whose ends differ by a part of the standard error."""
    case = CASES[name]
    cells = cells_of(case["d"])
    drawn = resampled(cells, 200_000, 0, serially)
    low, high = interval(cells, drawn, 0.95)
    assert drawn.std() == pytest.approx(case["se"], rel=0.01)
    assert [low, high] == pytest.approx([case["low"], case["high"]], abs=0.05 * case["se"])


@pytest.mark.parametrize("name", CASES)
def test_p_values_are_those_of_scipy(name):
    case = CASES[name]
    p, permutations = sign_flips(cells_of(case["d"]), 100_000, 0, serially)
    if permutations == 2 ** len(case["d"]):
        assert p == case["p"]  # of all permutations, in both
    else:
        assert p == pytest.approx(case["p"], abs=4 * math.sqrt(case["p"] * (1 - case["p"]) / 100_000) + 1e-5)


def test_resamples_are_drawn_evenly():
    """Of four rows all 256 resamples can be listed."""
    d, w = np.array([-1.0, 0.25, 0.5, 3.0]), np.array([1.0, 2.0, 0.5, 1.0])
    for weights in (None, w):
        drawn = resampled(cells_of(d, weights), 200_000, 3, serially)
        each = np.ones(4) if weights is None else weights
        all_of_them = [
            np.average(d[list(rows)], weights=each[list(rows)]) for rows in itertools.product(range(4), repeat=4)
        ]
        found, counts = np.unique(drawn.round(9), return_counts=True)
        expected, expected_counts = np.unique(np.round(all_of_them, 9), return_counts=True)
        assert found.tolist() == expected.tolist()
        assert counts / 200_000 == pytest.approx(expected_counts / 256, abs=0.004)


@pytest.mark.parametrize("weighed", [False, True])
def test_many_rows_in_cells_are_as_good_as_rows(weighed):
    rng = np.random.default_rng(5)
    d = rng.standard_gamma(0.3, 3000) * rng.choice([-1, 1.2], 3000)
    d[::7] = 0
    w = rng.choice([0.0, 0.5, 1.0, 4.0], 3000) if weighed else None
    exact, cells = cells_of(d, w), cells_of(d, w, exact=False, parts=5)
    assert len(cells.counts) < 1500
    assert cells.rows == 3000
    assert cells.mean == pytest.approx(np.average(d, weights=w), rel=1e-12)
    of_rows, of_cells = (resampled(one, 40_000, 1, serially) for one in (exact, cells))
    assert of_cells.std() == pytest.approx(of_rows.std(), rel=0.02)
    wide = of_rows.std()
    assert interval(cells, of_cells, 0.95) == pytest.approx(interval(exact, of_rows, 0.95), abs=0.05 * wide)
    p, _ = sign_flips(exact, 40_000, 1, serially)
    q, _ = sign_flips(cells, 40_000, 1, serially)
    assert q == pytest.approx(p, abs=0.012)


def test_cells_do_not_depend_on_where_chunks_end():
    d = np.random.default_rng(2).normal(size=1000)
    one, several = cells_of(d, exact=False), cells_of(d, exact=False, parts=7)
    assert one.counts.tolist() == several.counts.tolist()
    assert one.sums == pytest.approx(several.sums, rel=1e-12)


def test_the_same_seed_gives_the_same_digits_on_any_number_of_threads():
    cells = cells_of(np.random.default_rng(0).normal(size=500))
    with executor_of(3) as executor:
        many = resampled(cells, 30_000, 9, lambda function, batches: list(executor.map(function, batches)))
    assert (many == resampled(cells, 30_000, 9, serially)).all()
    assert (many != resampled(cells, 30_000, 10, serially)).any()


def test_p_is_never_0():
    d = np.random.default_rng(0).normal(5, 1, 200)
    for exact in (True, False):
        assert sign_flips(cells_of(d, exact=exact), 1000, 0, serially)[0] == 1 / 1001
    assert sign_flips(cells_of([1.0, 2.0]), 1000, 0, serially) == (0.5, 4)


def test_no_difference_has_p_1():
    for exact in (True, False):
        cells = cells_of(np.zeros(50), exact=exact)
        assert sign_flips(cells, 1000, 0, serially)[0] == 1
        assert interval(cells, resampled(cells, 1000, 0, serially), 0.95) == (0, 0)


def test_sums_that_rounding_tells_apart_are_equal():
    """0.1 + 0.2 - 0.3 is not 0 in floats, but as far from 0 as its negative is."""
    d = [0.1, 0.2, -0.3]
    assert sign_flips(cells_of(d), 1000, 0, serially) == (1.0, 8)


def test_one_row_has_no_interval():
    cells = cells_of([3.0])
    assert np.isnan(interval(cells, resampled(cells, 100, 0, serially), 0.95)).all()


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    """By simulation: 600 sets of 80 skewed differences, whose true mean is known."""
    rng, held = np.random.default_rng(11), 0
    for seed in range(600):
        d = rng.standard_gamma(2.0, 80) - 2.0
        cells = cells_of(d)
        low, high = interval(cells, resampled(cells, 1000, seed, serially), 0.95)
        held += low <= 0 <= high
    assert 0.92 <= held / 600 <= 0.975  # the share's own standard error is 0.9 %


def test_the_interval_in_cells_holds_the_true_mean_too():
    rng, held = np.random.default_rng(12), 0
    for seed in range(150):
        cells = cells_of(rng.standard_gamma(2.0, 3000) - 2.0, exact=False)
        low, high = interval(cells, resampled(cells, 500, seed, serially), 0.9)
        held += low <= 0 <= high
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
    assert np.isnan(student_interval(1, 3.0, 0.0)).all()


def test_holm():
    """By hand: 3 * 0.01, 2 * 0.02, and 0.03 is not below what came before it."""
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
