"""What audit computes with: dtypes, the truth at 60 digits, and smaller counterexamples."""

from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf

from losscli.analysis.audit.cases import MAKERS, cases
from losscli.analysis.audit.judge import judged
from losscli.analysis.audit.model import LOST, NOT_FINITE, PRECISIONS, WRONG, Case, brief, rounded
from losscli.analysis.audit.shrink import cost, shrunk
from losscli.analysis.audit.subject import Subject, expression, form_of, refusal
from losscli.analysis.audit.truth import OF_BATCHES, OF_ROWS, condition, gradient, is_finite, precise, truth
from losscli.analysis.shared.oracle.arithmetic import Number, array
from losscli.definition.batch import Clip
from losscli.definition.convention import Bound, Convention
from losscli.libraries import NAMES, libraries
from losscli.losses import LOSSES

ml_dtypes = pytest.importorskip("ml_dtypes")


def test_numbers_are_rounded_as_the_dtypes_round():
    generator = np.random.default_rng(5)
    x = generator.normal(size=20000) * 10.0 ** generator.uniform(-45, 40, 20000)
    halves = (1 + (2 * np.arange(64) + 1) * 2.0**-8) * np.array([1.0, 2.0**-100])[:, None]  # ties of bfloat16
    nearly = halves * (1 + 2.0**-40)
    for part in (
        x,
        halves.ravel(),
        nearly.ravel(),
        -nearly.ravel(),
        np.array([0.0, np.inf, -np.inf, 3.3895e38, 3.4e38]),
    ):
        with np.errstate(all="ignore"):
            for name in ("float16", "float32"):
                assert np.array_equal(rounded(part, name), part.astype(name).astype(np.float64))
    # From float64 at once: ml_dtypes itself goes by float32, and rounds twice.
    for value in [*halves.ravel()[:20], *nearly.ravel()[:20]]:
        unit = Fraction(2) ** (int(np.floor(np.log2(value))) - 7)
        exact = Fraction(float(value)) / unit
        below = exact.numerator // exact.denominator
        rest = exact - below
        up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1)
        assert Fraction(float(rounded(np.array(value), "bfloat16"))) == (below + up) * unit
    with np.errstate(all="ignore"):
        near = x.astype(np.float32).astype(np.float64)
        assert np.array_equal(rounded(near, "bfloat16"), near.astype(ml_dtypes.bfloat16).astype(np.float64))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_numbers_are_written_in_few_digits(dtype):
    x = rounded(np.array([0.1, 1e-3, 20.0, 1 / 3, np.nan, np.inf]), dtype)
    assert brief(x, dtype)[:3] == [0.1, 0.001, 20.0]
    assert np.array_equal(rounded(np.array(brief(x, dtype)), dtype), x, equal_nan=True)
    assert brief(np.array([3, -1]), dtype) == [3, -1]


def test_arithmetic_of_60_digits_keeps_the_rules_of_floating_point():
    with mp.workdps(60):
        x = array([mpf(0), mpf(-1), mpf("1e-50"), mp.inf], (4,))
        with np.errstate(all="ignore"):
            plain = np.array([0.0, -1.0, 1e-50, np.inf])
            for work in (
                np.exp,
                np.log,
                np.log1p,
                np.sqrt,
                np.tanh,
                np.abs,
                lambda y: 1 / y,
                lambda y: 0 * y,
                lambda y: y - y,
            ):
                found = np.array([float(one.value if isinstance(one, Number) else one) for one in work(x)])
                assert found == pytest.approx(work(plain), nan_ok=True, rel=1e-14, abs=0)
        assert abs(np.log1p(x)[2].value / (mpf("1e-50") - mpf("1e-100") / 2) - 1) < mpf(10) ** -55


def row(loss, kind, p, t, convention=Convention(), third=None, **parameters):
    case = Case(np.array(p, float), np.array(t), None if third is None else np.array(third, float))
    return truth(LOSSES[loss].bind(**parameters), kind, convention, case), [mpf(one) for one in case.numbers]


@pytest.mark.parametrize(
    ("loss", "kind", "p", "t", "expected"),
    [
        ("huber", None, [3.0], [0.5], "2"),  # 2.5 - 1/2
        ("squared-hinge", None, [0.5], [-1], "2.25"),
        ("brier", "probs", [[0.5, 0.25, 0.25]], [1], "0.875"),  # 1/4 + 9/16 + 1/16
        ("absolute-percentage-error", None, [1.0], [2.0], "0.5"),
        ("multiclass-hinge", None, [[1.0, 0.5, 2.0]], [0], "2"),
        ("triplet", None, [[0.0, 0.0]], [[3.0, 4.0]], "1"),  # 5 - 5 + 1, of negatives (-3, -4)
        ("dice", "probs", [[1.0, 1.0]], [[1, 0]], "0.3333333333333333333333333333333333333333"),
    ],
)
def test_truths_in_fractions(loss, kind, p, t, expected):
    third = -np.array(t) if loss == "triplet" else None
    parameters = {"epsilon": 0.0} if loss == "triplet" else {"smooth": 0.0} if loss == "dice" else {}
    value, x = row(loss, kind, p, t, third=third, **parameters)
    with mp.workdps(60):
        assert abs(value(x) - mpf(expected)) < mpf(10) ** -39


def test_conventions_change_the_truth():
    plain, x = row("sigmoid-cross-entropy", "probs", [0.0], [1])
    assert precise(lambda: plain(x), 0) == mp.inf
    for convention, expected in (
        (Convention(clip=Clip(0.25, 0.75)), mp.log(4)),
        (Convention(clip=Clip(floor=-100.0)), mpf(100)),
        (Convention(clip=Clip(inside=0.5), scale=3.0), 3 * mp.log(2)),
    ):
        value, x = row("sigmoid-cross-entropy", "probs", [0.0], [1], convention)
        assert abs(precise(lambda value=value, x=x: value(x), 0) - expected) < mpf(10) ** -14
    value, x = row("squared-error", None, [-3.0], [1.0], Convention(bounds=(Bound("predictions", 0.0, 1e9),)))
    assert precise(lambda: value(x), 0) == 1


def test_slopes_are_derivatives_and_know_kinks():
    value, x = row("absolute-error", None, [2.0], [2.0])
    (slope,) = precise(lambda: gradient(value, x), 0, 110)
    assert (slope.left, slope.right, slope.smooth) == (-1, 1, False)
    value, x = row("log-cosh", None, [0.5], [0.0])
    (slope,) = precise(lambda: gradient(value, x), 0, 110)
    assert abs(slope.middle - mp.tanh(mpf("0.5"))) < mpf(10) ** -15
    assert slope.smooth
    assert float(condition(x, [slope])) == pytest.approx(0.5 * np.tanh(0.5))


def test_every_family_has_cases_and_truths():
    assert set(MAKERS) == OF_ROWS.keys() | OF_BATCHES.keys()


@pytest.mark.parametrize("library", NAMES)
def test_every_call_has_a_case_with_a_finite_truth(library):
    """Of the calls that losscli knows, whether the library is installed or not."""
    for record in libraries()[library].calls:
        bound = LOSSES[record.loss].bind(**record.defaults)
        if bound.family.name not in MAKERS:
            continue
        if "{p:masks}" in record.template:  # which audit does not write: it says so, and does not run the call
            assert "not known" in str(refusal(record))
            continue
        assert refusal(record) in (None, record.refused)
        tried = cases(bound, record.prediction_kind, "float64", form_of(record), mated=library == "sklearn")
        assert 8 < len(tried) < 400, record.function
        case = tried[len(tried) // 3]
        value = truth(bound, record.prediction_kind, Convention(), case)
        found = precise(lambda value=value, case=case: value([mpf(one) for one in case.numbers]), 1000)
        assert is_finite(found), record.function
        assert expression(libraries()[library], record).startswith(record.function)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_library_s_formula_is_evaluated_with_its_clip(dtype):
    """log_loss cuts probabilities by the machine epsilon of their dtype, and what it says of 0 is minus the logarithm of that."""
    record = next(one for one in libraries()["sklearn"].calls if one.loss == "softmax-cross-entropy")
    subject = Subject(libraries()["sklearn"], record, compile("0", "call", "eval"), {})
    applied = subject.applied(dtype, 3)
    case = Case(np.array([[0.0, 1.0, 0.0]]), np.array([0]))
    found = truth(applied.bound, record.prediction_kind, applied.convention, case)([mpf(0), mpf(1), mpf(0)])
    assert abs(found + mp.log(mpf(float(np.finfo(dtype).eps)))) < mpf(10) ** -20


def test_judging():
    single = PRECISIONS["float32"]

    def judge(value, true, largest=1.0, slack=0):
        return judged(value, mpf(true), single, largest, lambda: mpf(slack))

    assert judge(1.0, 1.0) is None
    assert judge(1.000009, 1.0) is None
    assert judge(1.001, 1.0) == WRONG
    assert judge(1.001, 1.0, largest=1e4) == LOST  # what rounding does beside ten thousand
    assert judge(1.001, 1.0, slack=1e4) is None  # what rounding of the operands does
    assert judge(0.0, 1e-7) == LOST
    assert judge(0.0, 1e-40) is None  # below the normal numbers of float32
    assert judge(float("nan"), 1.0) == NOT_FINITE
    assert judge(float("inf"), 1e39) is None  # more than float32 holds
    assert judge(float("nan"), "inf") is None


def test_counterexamples_become_small():
    def fail(cases):
        return [bool(abs(case.p).max() > 88.7) for case in cases]

    case = Case(np.array([[731.4376, -12.345, 3.3]]), np.array([0]))
    small = shrunk(case, "float64", fail, lambda one: True)
    assert cost(small) < cost(case)
    assert small.p.tolist() in ([[100.0, 0.0]], [[-100.0, 0.0]])
    assert small.t.tolist() == [0]
