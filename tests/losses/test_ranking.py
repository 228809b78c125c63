"""Losses of lists and of pairs of scores beyond their formulas."""

import math

import numpy as np
from calling import called, rows, signs
from reference import softmax

from losscli.definition.batch import Dense


def test_lists_without_relevant_items() -> None:
    z = [[1.0, -2.0, 0.5]]
    for name in ("listwise-softmax", "multilabel-margin"):
        value, slope = called(name, z, rows([0, 0, 0]))
        assert value[0] == 0
        assert not slope.any()
    value, _ = called("zlpr", z, rows([0, 0, 0]))
    np.testing.assert_allclose(value, np.log(1 + np.exp(z).sum()))
    value, _ = called("zlpr", z, rows([1, 1, 1]))
    np.testing.assert_allclose(value, np.log(1 + np.exp(-np.array(z)).sum()))
    assert called("multilabel-margin", z, rows([1, 1, 1]))[0][0] == 0


def test_listnet_is_least_at_the_relevances() -> None:
    t = np.array([[0.3, 2.0, -1.0]])
    value, slope = called("listnet", t, Dense(t))
    p = softmax(t)
    np.testing.assert_allclose(value, [-(p * np.log(p)).sum()], rtol=1e-14)
    np.testing.assert_allclose(slope, 0, atol=1e-16)


def test_tiny_list_losses_keep_their_digits() -> None:
    value, slope = called("listwise-softmax", [[50, 0]], rows([1, 0]))
    np.testing.assert_allclose(value, [math.exp(-50)], rtol=1e-14)
    np.testing.assert_allclose(slope, [[-math.exp(-50), math.exp(-50)]], rtol=1e-14)
    value, slope = called("zlpr", [[50, -50]], rows([1, 0]))
    np.testing.assert_allclose(value, [2 * math.exp(-50)], rtol=1e-14)
    np.testing.assert_allclose(slope, [[-math.exp(-50), math.exp(-50)]], rtol=1e-14)


def test_slopes_of_pairs_at_their_margin() -> None:
    assert called("margin-ranking", [[1, 0.5]], signs(1), margin=0.5)[1].tolist() == [[0, 0]]
    assert called("pairwise-logistic", [[1e4, 0], [0, 1e4]], signs(1, 1))[0].tolist() == [0, 1e4]
