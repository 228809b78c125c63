"""Reductions, and what sums and means over the outputs of a sample are."""

import math

import numpy as np
import pytest
from by_hand import binary, near

pytestmark = pytest.mark.quick


class TestReductions:
    """Losses 1, 2, 3, 4 with weights 0, 1, 2, 3: the weighted sum is 20."""

    @pytest.fixture
    def words(self, save):
        return ("l1", save("p.npy", [1.0, 2, 3, 4]), "0", "--sample-weight", save("w.npy", [0, 1, 2, 3]))

    @pytest.mark.parametrize(
        ("reduction", "value"),
        [("mean", 20 / 6), ("sum", 20), ("sum-over-batch-size", 20 / 4), ("sum-by-nonzero-weights", 20 / 3)],
    )
    def test_value(self, compute, words, reduction, value):
        found = compute(*words, "--reduction", reduction).json
        assert found["reduction"] == reduction
        assert found["value"] == near(value)
        assert found["numerator"] == 20
        assert found["numerator"] / found["denominator"] == found["value"]

    def test_mean_is_the_default(self, compute, words):
        assert compute(*words, "-f", "value").value == near(20 / 6)

    def test_none_has_no_value(self, compute, words):
        found = compute(*words, "--reduction", "none").json
        assert found["value"] is None
        assert "value" not in found.get("nonfinite", {})
        assert found["summary"]["mean"] == 2.5

    def test_the_summary_is_of_losses_before_weights(self, compute, words):
        assert compute(*words).json["summary"] == near(
            {"mean": 2.5, "std": math.sqrt(1.25), "min": 1, "p50": 2.5, "p90": 3.7, "p99": 3.97, "max": 4}
        )

    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_a_row_of_weight_zero_adds_zero_even_where_its_loss_is_infinite(self, compute, save, reduction):
        p, w = save("p.npy", [np.inf, 3.0]), save("w.npy", [0.0, 1.0])
        found = compute("l1", p, "0", "--sample-weight", w, "--reduction", reduction).json
        assert found["numerator"] == 3

    def test_the_mean_of_weights_zero_is_undefined(self, compute, save):
        p, w = save("p.npy", [1.0, 3.0]), save("w.npy", [0.0, 0.0])
        compute("l1", p, "0", "--sample-weight", w).refuses(3, "weights are 0")

    def test_the_sum_of_weights_zero_is_zero(self, compute, save):
        p, w = save("p.npy", [1.0, 3.0]), save("w.npy", [0.0, 0.0])
        assert compute("l1", p, "0", "--sample-weight", w, "--reduction", "sum", "-f", "value").value == 0

    def test_the_weight_penalty_of_a_file(self, compute, save):
        w = save("w.npy", [3.0, -4.0])
        assert compute("l2", w, "0", "--reduction", "sum", "-f", "value").value == 12.5


class TestOverOutputs:
    @pytest.mark.parametrize(("how", "expected"), [([], [1.5, 9.0]), (["sum"], [3.0, 18.0]), (["mean"], [1.5, 9.0])])
    def test_regression_with_several_outputs(self, compute, save, how, expected):
        p, t = save("p.npy", [[1.0, 2.0], [6.0, 12.0]]), save("t.npy", np.zeros((2, 2)))
        words = ["--over-outputs", *how] if how else []
        found = compute("l1", p, t, "--per-sample", *words).json
        assert [row["loss"] for row in found["rows"]] == expected
        assert found["value"] == sum(expected) / 2

    def test_multi_label(self, compute, save):
        p, t = save("p.npy", [[1.0, -2.0]]), save("t.npy", [[1, 1]])
        both = binary(1, 1) + binary(-2, 1)
        assert compute("bce", p, t, "-f", "value").value == near(both / 2)
        assert compute("bce", p, t, "--over-outputs", "sum", "-f", "value").value == near(both)

    def test_elements_are_each_output_s_own_loss(self, compute, save):
        p, t = save("p.npy", [[1.0, 2.0], [6.0, 12.0]]), save("t.npy", np.zeros((2, 2)))
        rows = compute("l1", p, t, "--elements").json["rows"]
        assert [row["losses"] for row in rows] == [[1.0, 2.0], [6.0, 12.0]]
        assert [row["loss"] for row in rows] == [1.5, 9.0]

    def test_softmax_losses_have_one_output(self, compute, tiny):
        compute("ce", *tiny, "--over-outputs", "sum").refuses(2, "--over-outputs")


class TestOutputWeights:
    LOGITS, LABELS = ((1.0, -2.0), (0.5, 3.0), (-1.0, 0.0)), ((1, 0), (0, 1), (1, 1))

    @pytest.mark.parametrize(("how", "outputs"), [("sum", 1), ("mean", 2)])
    def test_output_weights_and_sample_weights_multiply(self, compute, save, how, outputs):
        p, t, w = save("p.npy", self.LOGITS), save("t.npy", self.LABELS), save("w.npy", [1, 2, 4])
        words = ("--class-weight", "0=3,1=5", "--over-outputs", how, "--reduction", "sum")
        losses = [
            3 * binary(z[0], y[0]) + 5 * binary(z[1], y[1]) for z, y in zip(self.LOGITS, self.LABELS, strict=True)
        ]
        assert compute("bce", p, t, *words).json["value"] == near(sum(losses) / outputs)
        weighted = losses[0] + 2 * losses[1] + 4 * losses[2]
        assert compute("bce", p, t, *words, "--sample-weight", w).json["value"] == near(weighted / outputs)
