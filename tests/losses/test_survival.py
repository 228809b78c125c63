"""Cox's partial likelihood against libraries that fit it, and where ties, censoring and sizes are extreme."""

import math

import numpy as np
import pytest
from calling import called, rows

from losscli.definition.batch import Extras

X = np.array(
    [[1, 0], [0, 1], [1, 1], [2, 0], [0, 2], [1, 2], [2, 1], [2, 2], [3, 1], [0, 0]],
    float,
)
TIMES, EVENTS = [5, 3, 3, 2, 2, 2, 7, 1, 3, 6], [1, 1, 1, 0, 1, 1, 0, 1, 1, 1]


def cox(name: str, z: object, t: object, e: object, **more: float) -> tuple[float, np.ndarray]:
    value, slope = called(name, [z], rows(t), Extras(third_operand=np.array([e], float)), **more)
    return float(value[0]), slope[0]


@pytest.mark.parametrize(
    ("name", "value", "score"),
    [
        # statsmodels 0.15.0, PHReg(ties=...).loglike and .score at (0.4, -0.7), negated; scikit-survival 0.28.0,
        # CoxPHOptimizer.nlog_likelihood times the rows, gives the same values.
        ("cox", 17.486797243341286, (3.0222838738145605, -4.561009588538286)),
        ("cox-efron", 16.940568501435404, (2.7424278311592496, -4.839269569685058)),
    ],
)
def test_value_and_score_of_statsmodels(name: str, value: float, score: tuple[float, float]) -> None:
    found, slope = cox(name, X @ [0.4, -0.7], TIMES, EVENTS)
    assert found == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(slope @ X, score, rtol=1e-13)


def test_value_of_lifelines_at_its_maximum() -> None:
    # lifelines 0.30.3, CoxPHFitter().fit: log_likelihood_ and params_, ties by Efron
    found, slope = cox("cox-efron", X @ [-0.3690655246873578, 1.7402191523058732], TIMES, EVENTS)
    assert found == pytest.approx(9.97615262941141, rel=1e-13)
    np.testing.assert_allclose(slope @ X, 0, atol=1e-3)  # where lifelines stops


def test_without_ties_both_are_the_same_and_list_mle_of_events_only() -> None:
    z, t = np.random.default_rng(4).normal(size=(2, 9))
    breslow, efron = (cox(name, z, t, np.ones(9)) for name in ("cox", "cox-efron"))
    assert breslow[0] == pytest.approx(efron[0], rel=1e-15)
    np.testing.assert_allclose(breslow[1], efron[1], rtol=1e-12, atol=1e-15)
    value, slope = called("list-mle", [z], rows(-t))
    assert breslow[0] == pytest.approx(value[0], rel=1e-15)
    np.testing.assert_allclose(breslow[1], slope[0], rtol=1e-12, atol=1e-15)


def test_equal_risks_count_the_rows_at_risk() -> None:
    t, e = [1, 1, 1, 2], [1, 1, 0, 1]
    assert cox("cox", [0] * 4, t, e)[0] == pytest.approx(2 * math.log(4), rel=1e-15)
    assert cox("cox-efron", [0] * 4, t, e)[0] == pytest.approx(math.log(4) + math.log(3), rel=1e-15)
    for name in ("cox", "cox-efron"):
        whole, slope = cox(name, [0] * 4, t, e)
        mean, part = cox(name, [0] * 4, t, e, per_event=1)
        assert mean == pytest.approx(whole / 3, rel=1e-15)
        np.testing.assert_allclose(part, slope / 3, rtol=1e-15, atol=1e-17)


@pytest.mark.parametrize("name", ["cox", "cox-efron"])
def test_risks_that_are_far_apart_neither_overflow_nor_vanish(name: str) -> None:
    # Each event's risk is far below that of the rows that live longer: the loss is the sum of the gaps.
    assert cox(name, [0, 1000, 2500], [1, 2, 3], [1, 1, 0])[0] == 2500 + 1500
    value, slope = cox(name, [800, 0, -800], [1, 2, 3], [1, 1, 1])
    assert value == 0
    assert not slope.any()
    assert cox(name, [40, 0], [1, 2], [1, 0])[0] == pytest.approx(math.exp(-40), rel=1e-14)


@pytest.mark.parametrize("name", ["cox", "cox-efron"])
def test_many_rows_keep_their_digits(name: str) -> None:
    # log(n!) of n rows of equal risks that end one after the other
    n = 100_000
    assert cox(name, np.zeros(n), np.arange(n), np.ones(n))[0] == pytest.approx(math.lgamma(n + 1), rel=1e-14)


def test_a_stratum_without_events_has_no_loss() -> None:
    value, slope = cox("cox", [1, 2], [1, 2], [0, 0], per_event=1)
    assert value == 0
    assert not slope.any()


@pytest.mark.parametrize("name", ["cox", "cox-efron"])
def test_times_are_not_negative(compute, write, name: str) -> None:
    write("a.csv", "z,t,e\n1,-2,1\n0.5,3,0\n")
    compute(name, "a.csv:z", "a.csv:t", "--event", "a.csv:e").refuses(3, "a.csv:2", "-2")
    write("b.csv", "z,t,e\n1,0,1\n0.5,3,0\n")
    assert compute(name, "b.csv:z", "b.csv:t", "--event", "b.csv:e").code == 0


class TestEventsByTheNameOfTheirColumn:
    TABLE = "time,risk,died\n5,0.2,1\n3,1.2,0\n8,-0.3,1\n2,0.9,1\n"

    def test_a_column_of_the_predictions_or_the_targets(self, compute, write):
        both = write("s.csv", self.TABLE)
        right = compute("cox", f"{both}:risk", f"{both}:time", "--event", f"{both}:died", "-f", "value").value
        assert compute("cox", f"{both}:risk", f"{both}:time", "--event", "died", "-f", "value").value == right
        risks = write("r.csv", "risk\n0.2\n1.2\n-0.3\n0.9\n")
        assert compute("cox", risks, f"{both}:time", "--event", "died", "-f", "value").value == right

    def test_a_file_of_that_name_comes_first(self, compute, write):
        both = write("s.csv", self.TABLE)
        write("died", "0\n1\n1\n1\n")
        found = compute("cox", f"{both}:risk", f"{both}:time", "--event", "died", "-f", "json").json
        other = compute("cox", f"{both}:risk", f"{both}:time", "--event", f"{both}:died", "-f", "json").json
        assert found["value"] != other["value"]

    def test_neither_or_both(self, compute, write):
        both, other = write("s.csv", self.TABLE), write("o.csv", self.TABLE)
        compute("cox", f"{both}:risk", f"{both}:time", "--event", "dead").refuses(3, "dead: no such file (--event)")
        refused = compute("cox", f"{both}:risk", f"{other}:time", "--event", "died")
        refused.refuses(3, "--event died", "have such a column each", "as s.csv:died")
