"""Losses of lists and of pairs of scores beyond their formulas."""

import math

import numpy as np
import pytest
from calling import called, rows, signs
from reference import softmax

from losscli.definition.batch import Dense
from losscli.losses import ranking


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


# Two lists, as scores and relevances; the second relevances have no ties, whose order libraries draw.
Z = np.array([[0.5, -1.2, 0.3, 2.0, -0.4], [1.0, 0.2, 0.1, -0.3, -2.0]])
T = np.array([[2.0, 0, 1, 0, 3], [0, 1, 0, 4, 1]])
DISTINCT = np.array([[2.0, 0, 1, 4, 3], [0, 1, 2, 4, 3]])


def test_values_of_allrank() -> None:
    # allRank 1.4.3: approxNDCGLoss(alpha=1), which lacks the 1; lambdaLoss(weighing_scheme="lambdaRank_scheme", sigma=1,
    # reduction="sum", reduction_log="natural"); listMLE. It adds 1e-10 within logarithms and denominators.
    assert called("approx-ndcg", Z, Dense(T), temperature=1)[0].mean() == pytest.approx(
        1 - 0.5357065651508186, rel=1e-8
    )
    assert called("lambdarank", Z, Dense(T))[0].sum() == pytest.approx(2.767923612133203, rel=1e-7)
    assert called("list-mle", Z, Dense(DISTINCT))[0].mean() == pytest.approx(5.758449636379769, rel=1e-8)


@pytest.mark.parametrize(
    ("truncation", "gradient"),
    [
        # XGBoost 3.2.0, rank:ndcg with lambdarank_pair_method=topk of 5 and of 2 items, and both normalizations off: the
        # gradients, from the leaves of trees that split off one item each (float32)
        (None, [-0.0603369260, 0.0243644874, -0.00506788691, 0.530384887, -0.489344592]),
        (2, [-0.0637293969, 0.0127186389, -0.0342847558, 0.560205949, -0.474910461]),
    ],
)
def test_gradient_of_lambdarank_is_that_of_xgboost(truncation: int | None, gradient: list[float]) -> None:
    _, slope = called("lambdarank", Z[:1], Dense(T[:1]), truncation=truncation)  # type: ignore[arg-type]
    np.testing.assert_allclose(slope[0], gradient, rtol=1e-5)
    # LightGBM 4.7.0, lambdarank_norm=false, has the same for the items whose splits it takes: 0.5303862 and 0.5602073 for
    # the fourth one; its sigmoid comes from a table.
    assert slope[0, 3] == pytest.approx(0.5303862 if truncation is None else 0.5602073, rel=1e-5)


def test_lambdarank_by_hand() -> None:
    """Two items in the wrong order: NDCG would change by 1 - 1 / log2(3)."""
    change = 1 - 1 / math.log2(3)
    value, slope = called("lambdarank", [[0, 1]], rows([1, 0]), sigma=2)
    assert value[0] == pytest.approx(change * math.log1p(math.exp(2)), rel=1e-15)
    assert slope[0, 0] == pytest.approx(-2 * change / (1 + math.exp(-2)), rel=1e-15)
    assert slope[0, 1] == -slope[0, 0]


@pytest.mark.parametrize("name", ["lambdarank", "approx-ndcg"])
def test_nothing_relevant_or_one_item_has_no_loss(name: str) -> None:
    for z, t in (([[1, 2, 3]], [0, 0, 0]), ([[1]], [2])):
        value, slope = called(name, z, rows(t))
        assert value[0] == 0
        assert not slope.any()
    assert called("list-mle", [[1]], rows([2]))[0][0] == 0


def test_list_mle_of_scores_that_are_far_apart() -> None:
    value, slope = called("list-mle", [[0, 1000, 3000]], rows([3, 2, 1]))
    assert value[0] == 3000 + 2000
    assert slope.tolist() == [[-1, -1, 2]]
    assert called("list-mle", [[900, 0, -900]], rows([3, 2, 1]))[0][0] == 0


def test_list_mle_of_a_long_list_keeps_its_digits() -> None:
    n = 100_000
    assert called("list-mle", [np.zeros(n)], rows(np.arange(n)))[0][0] == pytest.approx(math.lgamma(n + 1), rel=1e-14)


def test_gains_of_large_relevances_do_not_overflow() -> None:
    """NDCG then depends on the most relevant item alone."""
    value, _ = called("lambdarank", [[0, 1]], rows([5000, 3]))
    assert value[0] == pytest.approx((1 - 1 / math.log2(3)) * math.log1p(math.e), rel=1e-15)
    value, _ = called("approx-ndcg", [[0, 50]], rows([5000, 3]), temperature=1)
    assert value[0] == pytest.approx(1 - 1 / math.log2(3), rel=1e-14)


def test_a_list_is_computed_in_pieces_without_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    z, t = np.random.default_rng(3).normal(size=(2, 4, 30))
    for name in ("lambdarank", "approx-ndcg"):
        whole = called(name, z, Dense(np.abs(t)))
        with monkeypatch.context() as patch:
            patch.setattr(ranking, "PAIRS_AT_ONCE", 100)
            pieces = called(name, z, Dense(np.abs(t)))
        assert [one.tobytes() for one in pieces] == [one.tobytes() for one in whole]
