"""NaN, infinities and probabilities that are none: refused with their place, wherever they are."""

import math

import numpy as np
import pytest


class TestFaults:
    def test_the_first_three_places_of_a_fault_are_shown(self, compute, save):
        done = compute("l1", save("p.npy", [math.nan] * 5), "0")
        done.refuses(3, "p.npy[0]", "5 in all, also row 1, row 2 ...")

    def test_a_weight_of_a_sample_is_one_place(self, compute, save):
        words = ("ce", save("p.npy", np.zeros((2, 3, 4))), save("t.npy", np.zeros((2, 4))), "--class-axis", "1")
        done = compute(*words, "--sample-weight", save("w.npy", [-1.0, 1.0]))
        assert done.err == "losscli: w.npy[0]: the weight -1 is negative or not finite; weights are numbers >= 0\n"
        assert done.code == 3

    @pytest.mark.parametrize(("loss", "p"), [("bce", [-0.1, 0.5]), ("ce", [[-0.2, 0.6, 0.6]] * 2)])
    def test_a_negative_probability_is_refused(self, compute, save, loss, p):
        done = compute(loss, save("p.npy", p), save("t.npy", [0, 1]), "--from", "probs")
        done.refuses(3, "p.npy[0", "-0.", "not a probability")


@pytest.mark.parametrize(
    "words",
    [
        ("bce", "--pos-weight", "0"),
        ("bce", "--class-weight", "0=0"),
        ("focal", "--alpha", "0"),
        ("hinge", "--class-weight", "0=0"),
    ],
)
def test_a_weight_of_zero_does_not_hide_a_nan(save, run, words):
    loss, *options = words
    save("p.npy", np.array([[np.nan, 0.5], [0.5, 0.5]]))
    save("t.npy", np.array([[1, 0], [1, 1]]))
    run("compute", loss, "p.npy", "t.npy", *options).refuses(3, "p.npy[0, 0]", "NaN")


def test_zero_one_of_nan_is_refused(compute, save):
    p, t = save("p.npy", [0.5, 0.2, np.nan, 0.9]), save("t.npy", [0, 1, 1, 0])
    compute("zero-one", p, t).refuses(3, "p.npy[2]", "NaN")


@pytest.mark.quick
class TestNumbers:
    def test_nan_predictions_are_refused_with_the_first_places_and_a_count(self, compute, save):
        p = np.zeros(2000)
        p[[3, 5, 7, 1999]] = np.nan
        compute("mse", save("p.npy", p), "0").refuses(3, "p.npy[3]", "NaN", "5", "7", "4")

    def test_nan_in_a_row_of_logits_has_its_column(self, compute, save):
        p = np.zeros((4, 3))
        p[2, 1] = np.nan
        compute("ce", save("p.npy", p), save("t.npy", [0, 0, 0, 0])).refuses(3, "p.npy[2, 1]", "NaN")

    @pytest.mark.parametrize(
        ("loss", "p", "t"),
        [
            ("hinge", [1.0, np.nan], [0, 1]),
            ("bce", [1.0, np.nan], [0, 1]),
            ("tukey", [1.0, np.nan], [0, 1]),
            ("huber", [1.0, np.nan], [0, 1]),
            ("focal", [1.0, np.nan], [0, 1]),
            ("ramp", [1.0, np.nan], [0, 1]),
        ],
    )
    def test_no_loss_hides_a_nan(self, compute, save, loss, p, t):
        compute(loss, save("p.npy", p), save("t.npy", t)).refuses(3, "p.npy[1]", "NaN")

    def test_a_nan_that_no_term_of_the_loss_uses_is_refused_too(self, compute, save):
        p = save("p.npy", [[0.5, np.nan]])
        compute("ce", p, save("t.npy", [0]), "--from", "probs").refuses(3, "p.npy[0, 1]", "NaN")

    def test_nan_targets_are_refused(self, compute, save):
        compute("mse", save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, np.nan])).refuses(3, "t.npy[1]", "NaN")

    def test_a_row_of_weight_zero_does_not_hide_a_nan(self, compute, save):
        words = ("mse", save("p.npy", [1.0, np.nan]), "0", "--sample-weight", save("w.npy", [1.0, 0.0]))
        compute(*words).refuses(3, "p.npy[1]", "NaN")

    def test_nan_as_a_constant_is_no_target(self, compute, save):
        assert compute("mse", save("p.npy", [1.0]), "nan").code == 3

    def test_an_infinite_prediction_is_legal(self, compute, save):
        found = compute("mse", save("p.npy", [1.0, np.inf]), "0").json
        assert (found["value"], found["nonfinite"]["value"]) == (None, "inf")

    @pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
    def test_an_infinite_target_is_legal_and_leaves_no_python_warnings(self, compute, save, loss):
        done = compute(loss, save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, np.inf]))
        assert (done.json["value"], done.json["nonfinite"]["value"]) == (None, "inf")
        assert done.err.startswith(
            "losscli: warning: infinite-loss: t.npy[1]: the target is inf, and so the loss infinite"
        )
        assert done.err.count("\n") == 1

    def test_masked_logits_are_legal(self, compute, save):
        p, t = save("p.npy", [[-np.inf, 0.0, 0.0]]), save("t.npy", [1])
        assert compute("ce", p, t, "-f", "value").value == pytest.approx(np.log(2))

    @pytest.mark.parametrize(
        ("loss", "p", "t", "value"), [("bce", np.inf, 1, 0), ("bce", -np.inf, 0, 0), ("hinge", np.inf, 1, 0)]
    )
    def test_saturated_scores_are_legal(self, compute, save, loss, p, t, value):
        assert compute(loss, save("p.npy", [p]), save("t.npy", [t]), "-f", "value").value == value

    def test_the_difference_of_two_infinities_is_refused(self, compute, save):
        p, t = save("p.npy", [0.0, np.inf]), save("t.npy", [0.0, np.inf])
        compute("mse", p, t).refuses(3, "p.npy[1]", "undefined")

    def test_a_row_of_masked_logits_only_is_refused(self, compute, save):
        p, t = save("p.npy", [[0.0, 0.0], [-np.inf, -np.inf]]), save("t.npy", [0, 0])
        compute("ce", p, t).refuses(3, "p.npy[1]", "undefined")

    def test_infinite_centers_are_refused(self, compute, save):
        words = (save("x.npy", [[1.0]]), save("y.npy", [0]), "--centers", save("c.npy", [[np.inf]]))
        compute("center", *words).refuses(3, "c.npy[0, 0]")

    def test_no_rows_have_no_mean(self, compute, save):
        compute("mse", save("p.npy", np.zeros(0)), save("t.npy", np.zeros(0))).refuses(3, "no samples")

    @pytest.mark.parametrize("k", [0, 2])
    def test_no_rows_of_classes(self, compute, save, k):
        compute("ce", save("p.npy", np.zeros((0, k))), save("t.npy", np.zeros(0, int))).refuses(3, "p.npy")


class TestInfiniteLosses:
    """Whatever makes a loss infinite, there is a number, and the rows are named."""

    @pytest.mark.parametrize(
        ("words", "p", "t", "place"),
        [
            ("mape", [1.0, 2.0], [1.0, 0.0], "p.npy[1]"),
            ("poisson", [1.0, 0.0], [1.0, 2.0], "p.npy[1]"),
            ("poisson-deviance", [[1.0, 1.0], [1.0, 0.0]], [[1.0, 2.0], [3.0, 4.0]], "p.npy[1]"),
            ("ce", [[1.0, 0.0], [-np.inf, 0.0]], [0, 0], "p.npy[1]"),
            ("ce --from log-probs", [[0.0, -np.inf], [-np.inf, 0.0]], [0, 0], "p.npy[1]"),
            ("mse", [1.0, np.inf], [1.0, 2.0], "p.npy[1]"),
            ("crps", [[1.0, 2.0], [1.0, np.inf]], [1.0, 2.0], "p.npy[1]"),
            ("exponential", [1.0, 1000.0], [1, -1], "p.npy[1]"),
            ("gaussian-nll --variance v.npy", [1.0, 1e200], [1.0, 2.0], "p.npy[1]"),
            ("dpo --reference r.npy", [[-1.0, -2.0], [-np.inf, -1.0]], [1, 1], "p.npy[1]"),
            ("log-jaccard --from probs --per row", [[1.0, 0.0], [0.0, 1.0]], [[1, 0], [1, 0]], "p.npy[1]"),
        ],
    )
    def test_rows_are_named(self, compute, save, words, p, t, place):
        save("v.npy", [1.0, 1.0]), save("r.npy", [[-1.0, -2.0], [-1.0, -2.0]])
        name, *more = words.split()
        done = compute(name, save("p.npy", p), save("t.npy", t), *more, "-f", "value")
        assert np.isinf(done.value)
        assert f"warning: infinite-loss: {place}: the loss of the row is inf (1 row like this)" in done.err

    @pytest.mark.parametrize("unit", ["sample", "sample,class"])
    def test_of_pictures(self, compute, save, unit):
        p = np.zeros((3, 2, 2, 2))
        p[1, 0], p[1, 1] = 1, 0
        t = np.zeros((3, 2, 2), int)
        words = ("--class-axis", "1", "--per", unit, "--from", "probs", "-f", "value")
        p[0, 0] = p[2, 1] = 1  # the last picture is all wrong
        done = compute("log-jaccard", save("p.npy", p), save("t.npy", t), "--exclude-class", "1", *words)
        assert "infinite-loss: p.npy[2, 0, 0]: the loss of the row is inf" in done.err

    @pytest.mark.parametrize(
        ("words", "p"), [("wmape", [1.0, 2.0]), ("wql --levels 0.1,0.9", [[1.0, 2.0], [3.0, 4.0]])]
    )
    def test_of_a_file(self, compute, save, words, p):
        name, *more = words.split()
        done = compute(name, save("p.npy", p), save("t.npy", [0.0, 0.0]), *more, "-f", "value")
        assert np.isinf(done.value)
        assert "warning: infinite-loss: p.npy: the loss of the rows together is inf" in done.err
        assert "--epsilon" in done.err

    def test_of_lists(self, compute, write):
        table = write("l.csv", "q,z,t\na,0,1\na,1,0\nb,-inf,1\nb,0,0\n")
        done = compute("listwise-softmax", f"{table}:z", f"{table}:t", "--group", "q", "-f", "value")
        assert "infinite-loss: l.csv:4" in done.err

    def test_an_overflow_of_float16_says_it_all(self, compute, save):
        done = compute("mse", save("p.npy", np.array([1, np.inf], np.float16)), save("t.npy", [1.0, 2.0]))
        assert "float16-overflow" in done.err
        assert "infinite-loss" not in done.err
