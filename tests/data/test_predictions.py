"""Which columns predictions are, and what they are taken for: logits, probabilities, log-probabilities."""

import math

import numpy as np
import pytest
from by_hand import LOG2, binary, near


class TestFrom:
    def test_probabilities_are_used_as_given(self, compute, save):
        # The row misses 1 by 0.0008: allowed, and not renormalised.
        p, t = save("p.npy", [[0.5, 0.4992]]), save("t.npy", [0])
        assert compute("ce", p, t, "--from", "probs", "-f", "value").value == near(LOG2)

    def test_log_probabilities(self, compute, save):
        p, t = save("p.npy", np.log([[0.25, 0.75], [0.5, 0.5]])), save("t.npy", [1, 0])
        assert compute("ce", p, t, "--from", "log-probs", "-f", "value").value == near((-math.log(0.75) + LOG2) / 2)

    def test_probability_zero_of_the_true_class_is_infinite_and_not_clipped(self, compute, save):
        p, t = save("p.npy", [[0.0, 1.0], [0.5, 0.5]]), save("t.npy", [0, 0])
        found = compute("ce", p, t, "--from", "probs").json
        assert found["value"] is None
        assert found["nonfinite"]["value"] == "inf"

    def test_probability_zero_of_another_class_adds_nothing(self, compute, save):
        p, t = save("p.npy", [[0.0, 1.0]]), save("t.npy", [[0.0, 1.0]])
        assert compute("ce", p, t, "--from", "probs", "-f", "value").value == 0

    @pytest.mark.parametrize(
        ("rows", "parts"),
        [
            ([[0.5, 0.5], [0.3, 0.5]], ("p.npy[1]", "0.8")),
            ([[0.5, 0.5], [1.5, -0.5]], ("p.npy[1, 0]", "1.5", "--from logits")),
            ([[0.5, 0.5], [0.5, 0.5015]], ("p.npy[1]", "1.0015")),
        ],
    )
    def test_what_is_not_a_distribution_is_refused(self, compute, save, rows, parts):
        p, t = save("p.npy", rows), save("t.npy", [0, 1])
        compute("ce", p, t, "--from", "probs").refuses(3, *parts)

    def test_log_probabilities_above_zero_are_refused(self, compute, save):
        p, t = save("p.npy", [[-0.7, 0.7]]), save("t.npy", [0])
        compute("ce", p, t, "--from", "log-probs").refuses(3, "p.npy[0, 1]", "0.7")

    def test_log_probabilities_that_do_not_sum_to_one_are_refused(self, compute, save):
        p, t = save("p.npy", [[-1.0, -3.0]]), save("t.npy", [0])
        compute("ce", p, t, "--from", "log-probs").refuses(3, "p.npy[0]")

    def test_a_sigmoid_probability_outside_0_and_1_is_refused(self, compute, save):
        p, t = save("p.npy", [0.5, 1.2]), save("t.npy", [0, 1])
        compute("bce", p, t, "--from", "probs").refuses(3, "p.npy[1]", "1.2", "--from logits")

    @pytest.mark.parametrize("loss", ["bce", "sigmoid-focal"])
    def test_multi_label_probabilities_need_not_sum_to_one(self, compute, save, loss):
        p, t = save("p.npy", [[0.9, 0.8], [0.1, 0.3]]), save("t.npy", [[1, 1], [0, 0]])
        assert compute(loss, p, t, "--from", "probs").code == 0

    @pytest.mark.parametrize(
        ("loss", "p", "t"),
        [("ce", [[0.5, 0.5], [0.25, 0.75]], [0, 1]), ("bce", [0.25, 0.75], [0, 1]), ("focal", [0.25, 0.75], [0, 1])],
    )
    def test_logits_that_look_like_probabilities_are_warned_of(self, compute, save, loss, p, t):
        done = compute(loss, save("p.npy", p), save("t.npy", t))
        assert done.code == 0
        assert "warning" in done.err
        assert "--from probs" in done.err

    def test_the_warning_looks_at_the_whole_file(self, compute, save):
        p = save("p.npy", [[0.5, 0.5], [0.25, 0.75], [3.0, -3.0]])
        assert compute("ce", p, save("t.npy", [0, 1, 0])).err == ""

    def test_quiet_silences_it(self, compute, save):
        p, t = save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1])
        assert compute("bce", p, t, "-q").err == ""

    def test_logits_are_never_taken_for_probabilities(self, compute, save):
        p, t = save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1])
        expected = (binary(0.25, 0) + binary(0.75, 1)) / 2
        assert compute("bce", p, t, "-f", "value").value == near(expected)


class TestColumns:
    @pytest.mark.parametrize("loss", ["mse", "bce", "ce", "hinge"])
    def test_predictions_without_columns_are_refused(self, compute, save, loss):
        done = compute(loss, save("p.npy", np.zeros((2, 0))), save("t.npy", np.zeros((2, 0))))
        done.refuses(3, "p.npy", "(2, 0)", "no columns")

    @pytest.mark.parametrize("columns", ["", ","])
    def test_no_columns_are_a_usage_error(self, compute, write, columns):
        compute("l1", write("p.csv", "a\n1\n"), "0", "--columns", columns).refuses(2, "--columns")

    def test_two_prediction_columns_of_one_name_are_refused(self, compute, write):
        p, t = write("p.csv", "a,a\n1,2\n"), write("t.csv", "a,b\n1,2\n")
        compute("mse", p, t).refuses(3, "p.csv", "'a'", "1, 2")
