"""Losses of ordered classes beyond their formulas."""

import math

import numpy as np
from calling import called, index
from mpmath import mp, mpf

from losscli.losses.ordinal import running_sums


def test_sums_up_to_each_of_many_classes_are_rounded_once() -> None:
    terms = np.random.default_rng(1).normal(0, 1, (2, 20_000)) * 10.0 ** np.random.default_rng(2).uniform(-9, 0, 20_000)
    sums = running_sums(terms)
    for row in (0, 1):
        for end in (1, 2, 777, 20_000):
            true = math.fsum(terms[row, :end])
            assert abs(sums[row, end - 1] - true) <= np.spacing(abs(true))


def test_ranked_probability_score_of_many_classes_keeps_its_digits() -> None:
    k, y = 3000, 1234
    z = np.random.default_rng(3).normal(0, 1, k)
    value, _ = called("ranked-probability-score", [z], index(y))
    with mp.workdps(40):
        exponentials = [mp.exp(mpf(one)) for one in z]
        total, below, true = mp.fsum(exponentials), mpf(0), mpf(0)
        for i, one in enumerate(exponentials[:-1]):
            below += one / total
            true += (below - (i >= y)) ** 2
        assert abs(value[0] - true) <= 2 * np.spacing(value[0])


def test_views_that_are_alike_add_nothing_to_the_cross_entropy() -> None:
    for row in ([40.0, 0, -3], [30.0, 0, 5], [12.0, 3, 0], [800.0, 0, 1], [0.1, 0.2, 0.3]):
        alone, _ = called("softmax-cross-entropy", [row], index(0))
        for weight in (12.0, 1e6):
            value, _ = called("jsd-cross-entropy", [row * 3], index(0), alpha=weight)
            assert value[0] >= 0
            assert abs(value[0] - alone[0]) <= np.spacing(alone[0])
