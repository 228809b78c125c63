"""Likelihoods with all of their terms against numbers of SciPy 1.17.1, statsmodels 0.15.0, scoringrules 0.10.0, XGBoost 3.2.0,
LightGBM 4.7.0 and CatBoost 1.2.10; the functions that NumPy does not have, against mpmath; and numbers of any size.
"""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from losscli.definition.batch import Dense, Extras
from losscli.losses import find
from losscli.losses.special_functions import beyond_stirling, erf, half_log_two_pi, log_rising

Y, T, S = [0.5, -1.25, 3.0, 10.0], [1.0, -1.0, 2.5, 4.0], [0.5, 2.0, 1.0, 3.0]
POSITIVE = [1.0, 1.0, 2.5, 4.0]
COUNTS, MEANS, DISPERSIONS = [0, 1, 7, 40], [0.5, 2.0, 6.5, 90.0], [0.5, 2.0, 0.1, 0.01]
RAW, AMOUNTS = [-0.5, 0.25, 1.0, 2.0], [1.0, 2.0, 0.5, 9.0]
CASES = [
    # scipy.stats, minus logpdf or logpmf
    ("laplace-nll", Y, T, ("--scale", S), [1.0, 1.5112943611198908, 1.1931471805599454, 3.7917594692280554]),
    (
        "student-t-nll",
        Y,
        T,
        ("--scale", S, "--df", "3"),
        [0.8831058139671263, 1.7044256639376631, 1.1609742649705825, 3.794096859066027],
    ),
    (
        "student-t-nll",
        Y,
        T,
        ("--scale", S, "--df", "0.5"),
        [1.4413449618526464, 2.02675885047152, 1.6146317569926327, 4.057063647581784],
    ),
    (
        "log-normal-nll",
        Y,
        POSITIVE,
        ("--scale", S),
        [0.7257913526447273, 1.807398213764618, 4.006151422115599, 7.525841007063506],
    ),
    (
        "gaussian-nll",
        Y,
        T,
        ("--variance", [s * s for s in S], "--full", "1"),
        [0.7257913526447274, 1.619898213764618, 1.0439385332046727, 4.017550821872782],
    ),
    (
        "negative-binomial-nll",
        MEANS,
        COUNTS,
        ("--dispersion", DISPERSIONS),
        [0.4462871026284194, 1.721009688091205, 2.1837890422257056, 13.250158050495575],
    ),
    (
        "negative-binomial-nll",
        MEANS,
        COUNTS,
        ("--dispersion", "0"),
        [0.5, 1.3068528194400546, 1.9225461227542748, 20.32825290154679],
    ),
    ("poisson", MEANS, COUNTS, ("--full", "1"), [0.5, 1.3068528194400546, 1.9225461227542748, 20.32825290154679]),
    ("poisson-nloglik", MEANS, COUNTS, (), [0.5, 1.3068528194400546, 1.9225461227542748, 20.32825290154679]),
    # statsmodels, NegativeBinomial(COUNTS, log(MEANS)).loglikeobs([1, 0.5]): its last parameter is log(dispersion)
    (
        "negative-binomial-nll",
        MEANS,
        COUNTS,
        ("--dispersion", repr(math.exp(0.5))),
        [0.36466417916861477, 1.6492067932038743, 3.2880167671265745, 5.147967657420273],
    ),
    # scoringrules and properscoring 0.1, of a normal distribution
    (
        "gaussian-crps",
        Y,
        T,
        ("--variance", [s * s for s in S]),
        [0.30122067881380815, 0.4798406930985418, 0.3314035312548558, 4.35837546505771],
    ),
]


@pytest.fixture
def losses(compute, save):
    """Losses of a command line in which lists of numbers stand for files."""

    def call(name, predictions, targets, *words):
        files = [save(f"{i}.npy", word) if isinstance(word, list) else word for i, word in enumerate(words)]
        found = compute(name, save("p.npy", predictions), save("t.npy", targets), *files, "-f", "jsonl")
        return [row["loss"] for row in found.lines]

    return call


@pytest.mark.parametrize(("name", "predictions", "targets", "words", "expected"), CASES)
def test_numbers_of_other_programs(losses, name, predictions, targets, words, expected):
    found = losses(name, predictions, targets, *words)
    assert found == pytest.approx(expected, rel=4e-15, abs=1e-15)


@pytest.mark.parametrize(
    ("name", "predictions", "targets", "words", "expected", "rel"),
    [  # XGBoost computes in float32; LightGBM and CatBoost write their metrics to ten digits and more
        ("gamma-nloglik", "means", AMOUNTS, (), 1.839570015668869, 1e-7),  # XGBoost
        ("gamma-nloglik", "means", AMOUNTS, (), 1.8395700365565872, 1e-8),  # LightGBM, gamma
        ("log-gamma", RAW, AMOUNTS, (), 1.8395700365565872, 1e-8),
        ("poisson-nloglik", "means", [0.0, 1.0, 4.0, 9.0], (), 1.4319438934326172, 1e-7),  # XGBoost
        ("log-poisson", RAW, [0.0, 1.0, 4.0, 9.0], (), -2.5630264990524827, 1e-14),  # LightGBM and CatBoost
        ("poisson", "means", [0.0, 1.0, 4.0, 9.0], (), -2.5630264990524827, 1e-14),
        ("tweedie-nloglik", "means", AMOUNTS, ("--power", "1.3"), 9.783799648284912, 3e-7),  # XGBoost
        ("tweedie-nloglik", "means", AMOUNTS, ("--power", "1.3"), 9.783798368565007, 3e-7),  # LightGBM: rho is float32
        ("log-tweedie", RAW, AMOUNTS, ("--power", "1.3"), 9.78379985184064, 3e-7),  # CatBoost
    ],
)
def test_metrics_of_the_boosting_libraries(compute, save, name, predictions, targets, words, expected, rel):
    p = np.exp(RAW) if predictions == "means" else predictions
    found = compute(name, save("p.npy", p), save("t.npy", targets), *words, "-f", "value").value
    assert found == pytest.approx(expected, rel=rel)


class TestScales:
    """Scales and dispersions: a file in the predictions' shape or with one number per row, or one number for all."""

    def test_one_number_is_as_good_as_a_file_of_it(self, compute, save):
        p, t, s = save("p.npy", [[1.0, 2.0], [3.0, 5.0]]), save("t.npy", [[0.5, 2.5], [3.0, 1.0]]), "s.npy"
        number = compute("laplace-nll", p, t, "--scale", "2").json
        assert number["receipt"]["scale"] == 2.0
        assert "|scale:2|" in number["signature"]
        assert (
            compute("laplace-nll", p, t, "--scale", save(s, [[2.0, 2.0], [2.0, 2.0]])).json["value"] == number["value"]
        )
        assert compute("laplace-nll", p, t, "--scale", save(s, [2.0, 2.0])).json["value"] == number["value"]
        assert compute("laplace-nll", p, t, "--scale", save(s, [[2.0], [2.0]])).json["value"] == number["value"]
        by_row = compute("mase", p, t, "--scale", save(s, [2.0, 4.0]), "-f", "value").value
        assert by_row == ((0.5 + 0.5) / 2 + (0 + 4) / 4) / 4

    def test_columns_go_by_name(self, compute, write):
        p, t = write("p.csv", "a,b\n1,2\n"), write("t.csv", "b,a\n0,0\n")
        assert compute("mase", p, t, "--scale", write("s.csv", "b,a\n4,1\n"), "-f", "value").value == (1 + 2 / 4) / 2

    def test_what_is_none_is_refused(self, compute, save):
        p, t = save("p.npy", Y), save("t.npy", POSITIVE)
        compute("mase", p, t).refuses(2, "--scale FILE or NUMBER")
        compute("mase", p, t, "--scale", "0").refuses(2, "--scale 0: a scale is a finite number above 0")
        compute("mase", p, t, "--variance", "1").refuses(2, "--variance")
        compute("mase", p, t, "--scale", save("s.npy", [1.0, 2, -1, 2])).refuses(3, "s.npy[2]", "-1 is no scale")
        compute("mase", p, t, "--scale", save("s.npy", [1.0, 2])).refuses(3, "s.npy")
        compute("mase", p, t, "--scale", save("s.npy", np.ones((4, 2)))).refuses(3, "(4, 2)", "nothing is broadcast")
        counts = save("c.npy", [1.0, 0, 2, 3])
        words = ("negative-binomial", save("m.npy", MEANS), counts, "--dispersion")
        compute(*words, "-1").refuses(2, "a dispersion is a finite number >= 0")
        compute(*words, save("s.npy", [0.0, 0, -0.5, 1])).refuses(3, "s.npy[2]", "-0.5 is no dispersion", ">= 0")
        compute("negative-binomial", p, counts, "--dispersion", "1").refuses(3, "-1.25 is not in [0, inf)")

    @pytest.mark.parametrize("bad", [-10000.0, -1.0, -np.inf, np.inf, np.nan])
    def test_a_count_that_is_none_is_refused(self, compute, save, bad):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, bad])
        fact = "the target is NaN" if np.isnan(bad) else f"the target {bad:g} is not in [0, inf)"
        compute("negative-binomial", p, t, "--dispersion", "1").refuses(3, "t.npy[1]", fact)
        compute("poisson", p, t, "--full", "1").refuses(3, "t.npy[1]", fact)

    def test_python_takes_arrays_and_numbers(self):
        import losscli

        found = losscli.compute("laplace-nll", np.array(Y), np.array(T), scale=np.array(S), per_sample=True)
        assert found.losses.tolist() == pytest.approx(CASES[0][-1], rel=1e-15)
        assert losscli.compute("mase", np.array(Y), np.array(T), scale=2).value == (0.5 + 0.25 + 0.5 + 6) / 8

    def test_a_parameter_may_have_the_name_of_an_operand(self, compute, save):
        found = compute("arcface", save("c.npy", [[0.5, 0.1], [0.2, 0.9]]), save("t.npy", [0, 1]), "--scale", "30").json
        assert found["receipt"]["parameters"]["scale"] == 30
        assert "|scale:30|" in found["signature"]


def exact(x):
    """A number as mpmath's, with the digits that a long double has beyond float64."""
    first = float(x)
    return mpf(first) + mpf(float(x - type(x)(first)))


def test_erf_has_the_digits_of_float64():
    generator = np.random.default_rng(1)
    x = np.concatenate([10 ** generator.uniform(-300, 1.2, 300), generator.uniform(0, 7, 300), [1.0, 6.0, 1 - 2**-53]])
    for one, found in zip(x, erf(-x), strict=True):
        true = mp.erf(mpf(float(one)))
        assert abs(mpf(float(found)) + true) <= 2 * mpf(float(np.spacing(float(true))))
    assert erf(np.array([0.0, np.inf, -np.inf])).tolist() == [0, 1, -1]
    assert np.isnan(erf(np.array([np.nan])))[0]


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_logarithms_of_gamma_functions(dtype):
    generator, eps = np.random.default_rng(2), mpf(float(np.finfo(dtype).eps))
    x = np.concatenate([10 ** generator.uniform(-30, 12, 50), [1, 2, 15.9999, 16, 17.5, 1e300]]).astype(dtype)
    t = np.concatenate([10 ** generator.uniform(-12, 0, len(x) - 1), [1]]).astype(dtype)
    with mp.workdps(700), np.errstate(over="ignore"):
        for one, found in zip(x, beyond_stirling(x), strict=True):
            a = exact(one)
            true = mp.loggamma(a) - ((a - mpf(1) / 2) * mp.log(a) - a + mp.log(2 * mp.pi) / 2)
            assert abs(exact(found) - true) <= (8 * eps * abs(true) if one >= 16 else 100 * eps)
        for one, r, found in zip(t, x, log_rising(t, x), strict=True):
            a, b = exact(one), exact(r)
            true = mp.loggamma(a + b) - mp.loggamma(b) - a * mp.log(b)
            assert abs(exact(found) - true) <= 100 * eps * max(a * max(1, abs(mp.log(b))), abs(true))
        assert abs(exact(half_log_two_pi(np.dtype(dtype))) - mp.log(2 * mp.pi) / 2) <= eps
    assert beyond_stirling(np.array([np.inf], dtype)) == 0
    assert log_rising(t[:1], np.array([np.inf], dtype)) == 0


class TestLimits:
    def test_gaussian_crps_is_absolute_error_for_a_variance_next_to_0(self):
        value, slope = find("gaussian-crps").bind()(
            np.array([1.0, -3.0, 1e300, 0.0]), Dense(np.zeros(4)), Extras(third_operand=np.full(4, 1e-300)), True
        )
        assert value.tolist() == [
            1,
            3,
            1e300,
            pytest.approx(1e-150 * (math.sqrt(2) - 1) / math.sqrt(math.pi), rel=1e-15),
        ]
        assert slope.tolist() == [1, -1, 1, 0]

    def test_gaussian_crps_far_from_its_target(self):
        value, _ = find("gaussian-crps").bind()(
            np.array([1e10]), Dense(np.zeros(1)), Extras(third_operand=np.full(1, 4.0))
        )
        assert value[0] == pytest.approx(1e10 - 2 / math.sqrt(math.pi), rel=1e-16)

    def test_student_t_of_many_degrees_of_freedom_is_gaussian(self):
        y, t, s = (np.array(side) for side in (Y, T, S))
        many = find("student-t-nll").bind(df=1e15)(y, Dense(t), Extras(third_operand=s))[0]
        normal = find("gaussian-nll").bind(full=1)(y, Dense(t), Extras(third_operand=s * s))[0]
        assert many.tolist() == pytest.approx(normal.tolist(), rel=1e-13)

    @pytest.mark.parametrize("dispersion", [0.0, -0.0, 1e-300, 1e-18])
    def test_negative_binomial_of_no_dispersion_is_poisson(self, dispersion):
        y, t = np.array(MEANS), Dense(np.array(COUNTS, float))
        found = find("negative-binomial").bind()(y, t, Extras(third_operand=np.full(4, dispersion)), True)
        poisson = find("poisson").bind(full=1)(y, t, gradient=True)
        for one, other in zip(found, poisson, strict=True):
            assert one.tolist() == pytest.approx(other.tolist(), rel=1e-14)

    @pytest.mark.parametrize(
        ("name", "full"), [("negative-binomial-nll", None), ("poisson-nloglik", None), ("poisson", 1)]
    )
    def test_a_mean_of_0_is_0_with_either_sign(self, name, full):
        bound = find(name).bind(**({} if full is None else {"full": full}))
        for zero in (0.0, -0.0):
            value, slope = bound(
                np.full(2, zero), Dense(np.array([0.0, 2.0])), Extras(third_operand=np.full(2, 0.5)), True
            )
            assert value.tolist() == [0, math.inf]
            assert slope.tolist() == [1, -math.inf]

    def test_beta_nll_at_1_has_the_slope_of_half_the_squared_error(self):
        _, slope = find("beta-nll").bind(beta=1)(
            np.array(Y), Dense(np.array(T)), Extras(third_operand=np.array(S)), True
        )
        assert slope.tolist() == pytest.approx([-0.5, -0.25, 0.5, 6.0], rel=1e-15)


EXTREMES = [5e-324, 1e-300, 1e-30, 1e-5, 0.3, 1.0, 7.0, 1e5, 1e30, 1e150, 1e300]


def truth(loss, y, t, s):
    from oracle import evaluate

    letter = {"gaussian": "v", "scaled": "s", "counts": "a"}[loss.family.name]
    return evaluate(loss, loss.formula, {"y": y, "t": t, letter: s}, loss.bind().parameters)


@pytest.mark.parametrize(
    "name", ["laplace-nll", "student-t-nll", "log-normal-nll", "gaussian-crps", "negative-binomial-nll"]
)
def test_numbers_of_any_size(name):
    """Within what float64 holds, the value is the formula's, to 14 digits of the largest of its terms."""
    loss = find(name)
    points = [(y, t, s) for y in EXTREMES[::2] for t in EXTREMES[1::3] for s in EXTREMES[1::2]]
    if name == "negative-binomial-nll":  # of counts: gamma functions of larger numbers are beyond mpmath
        points = [(y, t, s) for y in EXTREMES[1:-1] for t in (0.0, 1.0, 7.0, 1e5) for s in (0.0, 1e-12, 0.3, 1e5)]
        points += [(y, 1e30, s) for y in (1e-5, 1.0, 1e30) for s in (0.0, 0.3, 1e5)]
    y, t, s = (np.array(side) for side in zip(*points, strict=True))
    values, slopes = loss.bind()(y, Dense(t), Extras(third_operand=s), True)
    assert not np.isnan(slopes).any()
    with mp.workdps(700):
        for point, value in zip(points, values, strict=True):
            true = truth(loss, *map(mpf, point))
            if abs(true) > 1e308:
                assert value > 1e307
                continue
            size = max(abs(true), abs(mp.log(point[2])) if point[2] else 0, 1 if name != "gaussian-crps" else 0)
            assert abs(mpf(float(value)) - true) <= size * mpf(10) ** -14, (point, value, true)
