"""Parameters at the ends of their domains, and beyond them, against numbers of scikit-learn 1.9.1 and of limits."""

import math

import numpy as np
import pytest
from by_hand import near

from losscli.definition.batch import Dense
from losscli.losses import find

P = [0.5, 1.25, 2, 3.5]
T = [-1.5, 0, 2.5, 3]


@pytest.mark.parametrize(
    ("loss", "words", "value"),
    [  # scikit-learn 1.9.1: mean_tweedie_deviance(T, P, power=...), mean_pinball_loss(T, P, alpha=...)
        ("tweedie-deviance", ("--power=0",), 1.515625),
        ("tweedie-deviance", ("--power=-1.5",), 0.9577012188266576),
        ("tweedie-deviance", ("--power=-3",), 3.2848632812500043),
        ("quantile", ("--tau=0",), 0.9375),
        ("quantile", ("--tau=0.1",), 0.85625),
        ("quantile", ("--tau=1",), 0.125),
        ("expectile", ("--tau=0",), (2**2 + 1.25**2 + 0.5**2) / 4),
        ("expectile", ("--tau=1",), 0.5**2 / 4),
        ("lq", ("--exponent=0.5",), (math.sqrt(2) + math.sqrt(1.25) + 2 * math.sqrt(0.5)) / 4),
        ("smooth-l1", ("--beta=0",), (2 + 1.25 + 0.5 + 0.5) / 4),
        ("barron", ("--alpha=inf",), (math.expm1(2) + math.expm1(1.25**2 / 2) + 2 * math.expm1(0.125)) / 4),
    ],
)
def test_ends(compute, save, loss, words, value):
    assert compute(loss, save("p.npy", P), save("t.npy", T), *words, "-f", "value").value == near(value)


def test_log_gamma_takes_a_target_of_zero(compute, save):
    p, t = save("p.npy", [-2.0, 1.0]), save("t.npy", [0.0, 0.0])
    assert compute("log-gamma", p, t, "-f", "value").value == near(-0.5)
    compute("log-gamma", p, save("t.npy", [0.0, -1.0])).refuses(3, "-1 is not in [0, inf)")


@pytest.mark.parametrize("power", ["0.5", "1e-3", "0.999"])
def test_no_tweedie_distribution_has_a_power_between_0_and_1(compute, save, power):
    words = (save("p.npy", P), save("t.npy", T), "--power", power)
    compute("tweedie-deviance", *words).refuses(2, "is not in (-inf, 0] or [1, inf)")


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize(
    ("name", "parameters", "of_nothing", "slope"),
    [
        ("poisson-deviance", {}, 0, 2),
        ("generalized-kl", {}, 0, 1),
        ("tweedie-deviance", {"power": 1}, 0, 2),
        ("tweedie-deviance", {"power": 1.5}, 0, math.inf),
        ("tweedie-nloglik", {"power": 1.5}, 0, math.inf),
        ("gamma-deviance", {}, None, None),
        ("tweedie-deviance", {"power": 3}, None, None),
    ],
)
def test_a_mean_of_0_is_right_for_a_target_of_0_and_infinitely_wrong_for_others(
    name, parameters, of_nothing, slope, zero
):
    bound = find(name).bind(**parameters)
    value, by = bound(np.full(3, zero), Dense(np.array([0.0, 1e-300, 2.0])), gradient=True)
    assert value[1:].tolist() == [math.inf, math.inf]
    assert by[1:].tolist() == [-math.inf, -math.inf]
    assert of_nothing is None or (value[0], by[0]) == (of_nothing, slope)


def test_a_mean_of_0_for_powers_up_to_0(compute, save):
    words = (save("p.npy", [0.0, 1.0]), save("t.npy", [1.0, 1.0]), "-f", "value")
    assert compute("tweedie-deviance", *words, "--power=0").value == 0.5
    assert compute("tweedie-deviance", *words, "--power=-1").value == near(2 / (2 * 3) / 2)
    compute("tweedie-deviance", save("n.npy", [-1.0, 1.0]), "1", "--power=-1").refuses(3, "-1 is not in [0, inf)")


P_AND_T = ([0.5, 1.25, 2, 3.5], [1.5, 0.25, 2.5, 3])


@pytest.mark.parametrize(
    ("power", "value"),
    [  # scikit-learn 1.9.1: HalfTweedieLoss(power=...)(T, log P); at power 0 it adds the mean of t**2 / 2
        (-1.5, -1.6598746311304944),
        (0, -1.8828125),
        (1, 0.6856945065313496),
        (1.5, 5.413222285723522),
        (2, 1.695762344238109),
        (2.5, -0.8145397207263403),
        (3, -0.017691326530612263),
    ],
)
def test_log_tweedie_of_all_powers(compute, save, power, value):
    p, t = P_AND_T
    words = (save("t.npy", t), f"--power={power}", "-f", "value")
    assert compute("log-tweedie", save("p.npy", np.log(p)), *words).value == near(value)
    assert compute("tweedie-nloglik", save("p.npy", p), *words).value == near(value)


@pytest.mark.parametrize("name", ["log-tweedie", "tweedie-nloglik"])
def test_powers_of_likelihoods(compute, save, name):
    words = (save("p.npy", [1.0, 2.0]), save("t.npy", [-1.0, 0.0]))
    compute(name, *words, "--power=0.5").refuses(2, "is not in (-inf, 0] or [1, inf)")
    compute(name, *words, "--power=1").refuses(3, "the target -1 is not in [0, inf)")
    assert compute(name, *words, "--power=-1").code == 0


@pytest.mark.parametrize("power", [-5.0, 0.0, 1.0, 1.3, 2.0, 4.0])
def test_log_tweedie_far_out_is_its_limit(power):
    """Both terms overflow, or one of them meets 0."""
    y = np.array([-1e4, 1e4, -np.inf, np.inf])
    value, slope = find("log-tweedie").bind(power=power)(y, Dense(np.full(4, 2.0)), gradient=True)
    low = math.inf if power >= 1 else 0.0
    low_slope = {True: -math.inf, False: 0.0}[power > 1] if power != 1 else -2.0
    high = math.inf if power <= 2 else 0.0
    if power == 1:
        assert value[0] == 2e4
    if power == 2:
        assert value[1] == 1e4
    assert value[2:].tolist() == [low, high]
    assert slope[2] == low_slope
    assert slope[3] == (math.inf if power < 2 else 1.0 if power == 2 else 0.0)


@pytest.mark.parametrize(("tau", "free"), [(0.0, -math.inf), (1.0, math.inf)])
@pytest.mark.parametrize("name", ["quantile", "expectile"])
def test_one_direction_costs_nothing_even_infinitely_far(name, tau, free):
    value, slope = find(name).bind(tau=tau)(np.array([free, -free]), Dense(np.zeros(2)), gradient=True)
    assert value.tolist() == [0, math.inf]
    assert slope[0] == 0
    assert slope[1] * free < 0


@pytest.mark.parametrize("y", [1e-30, 3.0, 1e5])
def test_tweedie_deviance_of_negative_power_far_from_its_target(y):
    """Both exponentials of the general form overflow there; for power -30 the deviance is its largest term."""
    value, slope = find("tweedie-deviance").bind(power=-30)(
        np.array([y], np.float32), Dense(np.array([1e-38], np.float32)), gradient=True
    )
    y = float(np.float32(y))
    exact = 2 * y**32 / 32 if y > 1e-20 else 0.0
    assert value[0] == pytest.approx(exact if exact < 3e38 else math.inf, rel=1e-5)
    assert not np.isnan(slope).any()


def test_full_poisson_with_an_epsilon():
    value, _ = find("poisson").bind(epsilon=0.5, full=1)(np.array([2.0]), Dense(np.array([3.0])))
    assert value[0] == near(2 - 3 * math.log(2.5) + math.log(6))


def test_what_only_the_square_is_too_large_for():
    """A weight next to 0 makes a number of what overflows without it."""
    value, _ = find("expectile").bind(tau=1 - 2.0**-40)(np.array([2.0**100], np.float32), Dense(np.zeros(1)))
    assert value[0] == np.inf
    value, _ = find("expectile").bind(tau=1 - 2.0**-40)(np.array([2.0**70], np.float32), Dense(np.zeros(1)))
    assert value[0] == 2.0**100


def test_an_epsilon_beyond_the_rate_leaves_the_rate():
    for y, t in ((1e-30, 0.0), (3.0, 0.0)):
        value, _ = find("poisson").bind(epsilon=1e38, full=1)(np.array([y]), Dense(np.array([t])))
        assert value[0] == y


@pytest.mark.parametrize(
    ("y", "t", "true"), [(2.0, 3.0, math.inf), (0.5, 0.25, 0.0), (2.0, -3.0, math.inf), (0.5, 0.5, 0.0)]
)
def test_tweedie_deviance_of_a_steep_negative_power_is_no_nan(y, t, true):
    value, slope = find("tweedie-deviance").bind(power=-1e190)(np.array([y]), Dense(np.array([t])), gradient=True)
    assert value[0] == true
    assert not np.isnan(slope).any()
