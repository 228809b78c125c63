"""The best constant prediction, and the skill over it."""

import math

import numpy as np
import pytest
from by_hand import near

from losscli.definition.batch import Extras
from losscli.engine.collectors import baseline as baselines
from losscli.losses import find


class TestBaseline:
    def test_the_mean_for_squared_error(self, compute, save):
        p, t = save("p.npy", [1.0, 2.0, 9.0]), save("t.npy", [1.0, 2.0, 6.0])
        found = compute("mse", p, t).json
        assert found["baseline"]["prediction"] == near(3)
        assert found["baseline"]["value"] == near((4 + 1 + 9) / 3)
        assert found["baseline"]["skill"] == near(1 - 3 / (14 / 3))

    def test_the_median_for_absolute_error(self, compute, save):
        p, t = save("p.npy", [1.0, 2.0, 9.0]), save("t.npy", [1.0, 2.0, 6.0])
        best = compute("mae", p, t).json["baseline"]
        assert (best["prediction"], best["value"]) == (2, near(5 / 3))

    def test_the_frequencies_for_cross_entropy(self, compute, save):
        p, t = save("p.npy", np.zeros((4, 2))), save("t.npy", [0, 1, 1, 1])
        best = compute("ce", p, t).json["baseline"]
        assert best["prediction"] == near([0.25, 0.75])
        assert best["value"] == near(-(math.log(0.25) + 3 * math.log(0.75)) / 4)

    def test_it_is_under_the_run_s_own_reduction_and_weights(self, compute, save):
        # Weights 1 and 3: the weighted mean of 0 and 4 is 3; squares 9 and 1.
        p, t, w = save("p.npy", [0.0, 0.0]), save("t.npy", [0.0, 4.0]), save("w.npy", [1.0, 3.0])
        best = compute("mse", p, t, "--sample-weight", w, "--reduction", "sum").json["baseline"]
        assert (best["prediction"], best["value"]) == (near(3), near(9 + 3 * 1))

    def test_several_outputs_have_one_prediction_each(self, compute, save):
        p, t = save("p.npy", np.ones((2, 2))), save("t.npy", [[0.0, 1.0], [2.0, 5.0]])
        best = compute("mse", p, t).json["baseline"]
        assert (best["prediction"], best["value"]) == (near([1, 3]), near((1 + 4) / 2))

    def test_smoothing_changes_the_targets_and_so_the_baseline(self, compute, save):
        p, t = save("p.npy", [0.0, 0.0, 0.0, 0.0]), save("t.npy", [1, 1, 1, 0])
        best = compute("bce", p, t, "--label-smoothing", "0.2").json["baseline"]
        assert best["prediction"] == near((3 * 0.9 + 0.1) / 4)

    @pytest.mark.parametrize("loss", ["huber", "tukey", "smooth-l1"])
    def test_null_where_one_pass_cannot_give_it(self, compute, save, loss):
        found = compute(loss, save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, 4.0])).json
        assert "baseline" in found
        assert found["baseline"] is None

    def test_targets_that_are_all_equal_leave_no_skill(self, compute, save):
        found = compute("mse", save("p.npy", [1.0, 2.0]), save("t.npy", [3.0, 3.0])).json
        assert (found["baseline"]["value"], found["baseline"]["skill"]) == (0, None)


@pytest.mark.quick
class TestBestConstants:
    LABELS = ((1, 0), (0, 1), (1, 1))

    @pytest.mark.parametrize("how", ["sum", "mean"])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_the_best_constant_has_no_skill_over_the_baseline(self, compute, save, how, reduction):
        words = (save("t.npy", self.LABELS), "--class-weight", "0=3,1=5", "--over-outputs", how)
        best = save("p.npy", [[2 / 3, 2 / 3]] * 3)  # two of three labels of each output are positive
        found = compute("bce", best, *words, "--from", "probs", "--reduction", reduction).json
        assert found["baseline"]["prediction"] == near([2 / 3, 2 / 3])
        assert found["baseline"]["value"] == near(found["value"])
        assert found["baseline"]["skill"] == pytest.approx(0, abs=1e-12)

    def test_the_frequencies_of_smoothed_classes_under_kl_divergence(self, compute, save):
        words = (save("t.npy", [0, 1, 1, 2]), "--label-smoothing", "0.3", "--from", "probs")
        best = compute("kl", save("q.npy", [[0.5, 0.25, 0.25]] * 4), *words).json["baseline"]
        assert best["prediction"] == near([0.275, 0.45, 0.275])
        assert best["value"] == near(compute("kl", save("p.npy", [best["prediction"]] * 4), *words).json["value"])

    def test_the_median_is_the_middle_of_two_where_half_the_weight_falls_between_them(self, compute, save):
        best = compute("l1", save("p.npy", np.zeros(4)), save("t.npy", [10, 0, 1, 2])).json["baseline"]
        assert (best["prediction"], best["value"]) == (1.5, 11 / 4)

    def test_the_frequencies_know_of_pos_weight(self, compute, save):
        p, t = save("p.npy", [0.75] * 10), save("t.npy", [1] * 6 + [0] * 4)
        found = compute("bce", p, t, "--from", "probs", "--pos-weight", "2").json
        assert found["baseline"]["prediction"] == near(12 / 16)  # six heads count twice
        assert found["baseline"]["value"] == near(found["value"])

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
    def test_the_mean_of_parts_is_that_of_the_whole(self, order):
        t, w = np.array([[1.0], [2.0], [6.0]]), np.array([1.0, 2.0, 1.0])
        parts = [(t[:1], w[:1]), (t[1:], w[1:]), (t, 0 * w)]  # the last one has no weight
        one, two, three = (baselines.Mean.of(*parts[i]) for i in order)
        mean, losses = (one + two + three).best(find("mse").bind(), Extras())
        assert (mean, losses) == (near([11 / 4]), near([1.75**2 + 2 * 0.75**2 + 3.25**2]))

    def test_too_many_targets_have_no_median(self, monkeypatch):
        monkeypatch.setattr(baselines, "MOST_MEDIAN_VALUES", 5)
        part = baselines.Median.of(np.ones((2, 1)), np.ones(2))
        loss = find("l1").bind()
        assert (part + part).best(loss, Extras()) is not None
        assert (part + part + part).best(loss, Extras()) is None


@pytest.mark.parametrize(("loss", "best"), [("mse", 1.5), ("mae", 1.5)])
def test_an_infinite_target_of_weight_zero_leaves_the_baseline_alone(save, compute, loss, best):
    save("p.npy", np.array([1.0, 2.0, 0.0]))
    save("t.npy", np.array([1.0, 2.0, np.inf]))
    save("w.npy", np.array([1.0, 1.0, 0.0]))
    assert compute(loss, "p.npy", "t.npy", "--sample-weight", "w.npy").json["baseline"]["prediction"] == best
