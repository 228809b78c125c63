"""Label smoothing: every mode's number, worked out from the formulas."""

import math

import pytest
from by_hand import TINY_LOSSES, binary, cross_entropy, near, probabilities


class TestLabelSmoothing:
    @pytest.mark.parametrize(
        ("mode", "right", "wrong"),
        [
            ([], 0.9 + 0.1 / 3, 0.1 / 3),
            (["--smoothing-mode", "uniform"], 0.9 + 0.1 / 3, 0.1 / 3),
            (["--smoothing-mode", "half"], 0.95, 0.05),
            (["--smoothing-mode", "others"], 0.9, 0.05),
        ],
    )
    @pytest.mark.parametrize("form", ["index", "one-hot"])
    def test_softmax(self, compute, save, mode, right, wrong, form):
        z = [1.0, 2.0, 4.0]
        p = save("p.npy", [z])
        t = save("t.npy", [1] if form == "index" else [[0, 1, 0]])
        expected = sum((right if k == 1 else wrong) * cross_entropy(z, k) for k in range(3))
        assert compute("ce", p, t, "--label-smoothing", "0.1", *mode, "-f", "value").value == near(expected)

    @pytest.mark.parametrize(
        ("mode", "right"),
        [
            ([], 0.95),
            (["--smoothing-mode", "half"], 0.95),
            (["--smoothing-mode", "uniform"], 0.95),
            (["--smoothing-mode", "others"], 0.9),
        ],
    )
    @pytest.mark.parametrize("label", [0, 1])
    def test_one_sigmoid_output_has_two_classes(self, compute, save, mode, right, label):
        p, t = save("p.npy", [1.5]), save("t.npy", [label])
        expected = binary(1.5, right if label else 1 - right)
        assert compute("bce", p, t, "--label-smoothing", "0.1", *mode, "-f", "value").value == near(expected)

    @pytest.mark.parametrize(
        ("mode", "right", "wrong"),
        [
            ([], 0.9, 0.1),
            (["--smoothing-mode", "half"], 0.9, 0.1),
            (["--smoothing-mode", "uniform"], 0.8 + 0.2 / 3, 0.2 / 3),
            (["--smoothing-mode", "others"], 0.8, 0.1),
        ],
    )
    def test_several_sigmoid_outputs(self, compute, save, mode, right, wrong):
        p, t = save("p.npy", [[1.0, 2.0, -4.0]]), save("t.npy", [[1, 0, 0]])
        expected = (binary(1, right) + binary(2, wrong) + binary(-4, wrong)) / 3
        assert compute("bce", p, t, "--label-smoothing", "0.2", *mode, "-f", "value").value == near(expected)

    def test_focal_is_linear_in_the_smoothed_target(self, compute, save):
        z = [1.0, 2.0, 4.0]
        p, t = save("p.npy", [z]), save("t.npy", [1])
        targets = [0.1 / 3, 0.9 + 0.1 / 3, 0.1 / 3]
        each = [(1 - q) ** 2 * -math.log(q) for q in probabilities(z)]
        expected = sum(t * loss for t, loss in zip(targets, each, strict=True))
        assert compute("softmax-focal", p, t, "--label-smoothing", "0.1", "-f", "value").value == near(expected)

    def test_zero_is_no_smoothing(self, compute, tiny):
        assert compute("ce", *tiny, "--label-smoothing", "0", "-f", "value").value == near(sum(TINY_LOSSES) / 3)

    def test_half_of_many_classes_is_warned_of(self, compute, tiny):
        words = ("--label-smoothing", "0.1", "--smoothing-mode", "half")
        assert "warning" in compute("ce", *tiny, *words).err

    def test_one_column_of_outputs_is_smoothed_as_two_classes(self, compute, save):
        words = ("--label-smoothing", "0.2", "--smoothing-mode", "uniform")
        found = compute("bce", save("p.npy", [[1], [2]]), save("t.npy", [[1], [0]]), *words).json["value"]
        smoothed = [0.9 * binary(1, 1) + 0.1 * binary(1, 0), 0.1 * binary(2, 1) + 0.9 * binary(2, 0)]
        assert found == near(sum(smoothed) / 2)
