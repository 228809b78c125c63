"""Intervals in closed form: against SciPy's resamples, the published algorithm in its own words, and exact fractions of sums."""

import json
from fractions import Fraction
from functools import reduce
from operator import add
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from losscli.engine.influences import Influences

SCIPY = json.loads((Path(__file__).parent.parent / "measurement" / "intervals.json").read_text())["cases"]
"""Made by SciPy 1.17.1: scipy.stats.bootstrap((w x, w), sum / sum, paired=True, method="BCa", random_state=1)."""


def data(n, power, weighted):
    """The data of SciPy's cases: quantiles of a distribution with a long tail, and weights."""
    i = np.arange(n)
    return (-np.log((i + 0.5) / n)) ** power, 1.0 + (7 * i) % 5 if weighted else np.ones(n)


def of(values, weights, parts=1):
    """The record of one slice, added up of some parts."""
    pieces = zip(np.array_split(weights * values, parts), np.array_split(weights, parts), strict=True)
    return reduce(add, [Influences.of(np.zeros(len(a), np.int64), a, b, 1) for a, b in pieces])


@pytest.mark.parametrize("case", SCIPY, ids=lambda case: f"{case['n']}, power {case['power']}, {case['weighted']}")
def test_ends_are_those_of_many_resamples(case):
    """SciPy's ends are of random resamples; both methods differ by a part of the standard error that falls as 1 / n."""
    values, weights = data(case["n"], case["power"], case["weighted"])
    found = of(values, weights).interval(0, case["confidence"])
    near = case["se"] * (0.02 if case["n"] > 20 else 0.1)
    assert found == pytest.approx((case["low"], case["high"]), abs=near)


def published(values, weights, confidence):
    """`abcnon` of Efron and Tibshirani (1993, An Introduction to the Bootstrap, appendix), with its finite differences."""
    n, normal = len(values), NormalDist()

    def statistic(p):
        return float((p * weights * values).sum() / (p * weights).sum())

    start, step = np.full(n, 1 / n), 0.001 / n
    t0 = statistic(start)
    first, second = np.zeros(n), np.zeros(n)
    for i in range(n):
        way = np.eye(n)[i] - start
        up, down = statistic(start + step * way), statistic(start - step * way)
        first[i], second[i] = (up - down) / (2 * step), (up - 2 * t0 + down) / step**2
    sigma = np.sqrt((first**2).sum()) / n
    a = (first**3).sum() / (6 * n**3 * sigma**3)
    delta = first / (n**2 * sigma)
    far = 0.01  # a larger step than the book's loses no digits here
    bend = (statistic(start + far * delta) - 2 * t0 + statistic(start - far * delta)) / (2 * sigma * far**2)
    bias = second.sum() / (2 * n**2)
    z0 = normal.inv_cdf(2 * normal.cdf(a) * normal.cdf(bend - bias / sigma))
    ends = []
    for part in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = z0 + normal.inv_cdf(part)
        ends.append(statistic(start + z / (1 - a * z) ** 2 * delta))
    return ends


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_it_is_the_published_algorithm(weighted, confidence):
    values, weights = data(25, 1.5, weighted)
    expected = published(values, weights, confidence)
    assert of(values, weights).interval(0, confidence) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_parts_add_up_to_the_sums_of_fractions(weighted, shift):
    values, weights = data(101, 2, weighted)
    values = values + shift
    exact = [(Fraction(float(w * x)), Fraction(float(w))) for x, w in zip(values, weights, strict=True)]
    m = sum(a for a, _ in exact) / sum(b for _, b in exact)
    d = [(a - m * b, b) for a, b in exact]
    sums = {
        "dd": sum(d**2 for d, _ in d),
        "ddd": sum(d**3 for d, _ in d),
        "ddb": sum(d * d * b for d, b in d),
        "dbb": sum(d * b * b for d, b in d),
        "bbb": sum(b**3 for _, b in d),
    }
    found = of(values, weights, parts=7)
    for name, expected in sums.items():
        scale = max(1.0, shift) * float(sum(b**2 for _, b in d)) if name == "dbb" else abs(float(expected))
        assert float(getattr(found, name)[0]) == pytest.approx(float(expected), rel=1e-9, abs=1e-9 * scale), name
    assert found.interval(0, 0.95) == pytest.approx(of(values, weights).interval(0, 0.95), rel=1e-11)


def test_slices_do_not_know_each_other():
    values, weights = data(60, 1, weighted=True)
    index = np.arange(60) % 3
    values[index == 1] = np.inf
    together = Influences.of(index, weights * values, weights, 4)
    for i in (0, 2):
        alone = of(values[index == i], weights[index == i])
        assert together.interval(i, 0.95) == pytest.approx(alone.interval(0, 0.95), rel=1e-12)
    assert np.isnan(together.interval(1, 0.95)).all()  # it is infinite
    assert np.isnan(together.interval(3, 0.95)).all()  # it is empty


def test_two_slices_are_two():
    values, weights = data(40, 1, weighted=True)
    index = np.arange(40) % 2
    together = Influences.of(index, weights * values, weights, 2)
    for i in (0, 1):
        alone = of(values[index == i], weights[index == i])
        assert together.interval(i, 0.95) == pytest.approx(alone.interval(0, 0.95), rel=1e-12)


def test_equal_values_have_no_width():
    found = of(np.full(1000, 0.1), np.arange(1.0, 1001.0), parts=3)
    low, high = found.interval(0, 0.95)
    assert low == high == pytest.approx(0.1, rel=1e-15)


def test_coverage_of_skewed_samples():
    """Of 400 samples of 100 exponential numbers, whose mean is 1, about 95 % of the intervals hold 1."""
    rng = np.random.default_rng(7)
    drawn = rng.exponential(size=(400, 100))
    ends = [of(one, np.ones(100)).interval(0, 0.95) for one in drawn]
    assert 0.91 <= np.mean([low <= 1 <= high for low, high in ends]) <= 0.98
