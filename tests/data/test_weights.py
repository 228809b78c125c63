"""Weights of samples, of classes and of positives, each number worked out from the formulas."""

import numpy as np
import pytest
from by_hand import LOG2, TINY_LOSSES, binary, cross_entropy, near

pytestmark = pytest.mark.quick


class TestSampleWeights:
    def test_a_file_of_weights(self, compute, tiny, save):
        w = save("w.npy", [1.0, 2.0, 5.0])
        expected = (TINY_LOSSES[0] + 2 * TINY_LOSSES[1] + 5 * TINY_LOSSES[2]) / 8
        assert compute("ce", *tiny, "--sample-weight", w, "-f", "value").value == near(expected)

    def test_a_column_of_weights(self, compute, write):
        write("all.csv", "p,t,w\n1,0,1\n5,0,3\n")
        words = ("l1", "all.csv:p", "all.csv:t", "--sample-weight", "all.csv:w")
        assert compute(*words, "-f", "value").value == near((1 + 15) / 4)

    def test_a_weight_column_of_the_predictions_is_no_prediction(self, compute, write):
        write("p.csv", "cat,dog,w\n1,2,3\n3,4,5\n")
        t = write("t.csv", "label\ndog\ncat\n")
        found = compute("ce", "p.csv", t, "--sample-weight", "p.csv:w").json
        expected = (3 * cross_entropy([1, 2], 1) + 5 * cross_entropy([3, 4], 0)) / 8
        assert found["value"] == near(expected)

    def test_weights_of_another_length_are_refused(self, compute, tiny, save):
        compute("ce", *tiny, "--sample-weight", save("w.npy", [1.0, 2.0])).refuses(3, "w.npy", "3", "2")

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_a_weight_that_is_no_finite_number_from_zero_on_is_refused(self, compute, tiny, save, bad):
        w = save("w.npy", [1.0, bad, 1.0])
        compute("ce", *tiny, "--sample-weight", w).refuses(3, "w.npy[1]", "weight")

    def test_per_sample_losses_are_before_their_weight(self, compute, tiny, save):
        w = save("w.npy", [1.0, 2.0, 5.0])
        rows = compute("ce", *tiny, "--sample-weight", w, "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == near(TINY_LOSSES)
        assert [row["weight"] for row in rows] == [1.0, 2.0, 5.0]


class TestClassWeights:
    def test_by_index(self, compute, tiny):
        expected = (TINY_LOSSES[0] + 4 * TINY_LOSSES[1] + 2 * TINY_LOSSES[2]) / 7
        found = compute("ce", *tiny, "--class-weight", "0=2,1=1,2=4").json
        assert found["value"] == near(expected)
        assert found["denominator"] == 7

    def test_by_name_with_the_prefix_that_labels_lack(self, compute, write):
        p = write("p.csv", "p_cat,p_dog\n1,2\n3,4\n")
        t = write("t.csv", "label\ndog\ncat\n")
        expected = (4 * cross_entropy([1, 2], 1) + cross_entropy([3, 4], 0)) / 5
        assert compute("ce", p, t, "--class-weight", "cat=1,dog=4", "-f", "value").value == near(expected)

    def test_a_name_may_hold_an_equals_sign(self, compute, write):
        p = write("p.csv", "a=b,c\n1,2\n3,4\n")
        t = write("t.csv", "label\nc\na=b\n")
        expected = (cross_entropy([1, 2], 1) + 4 * cross_entropy([3, 4], 0)) / 5
        assert compute("ce", p, t, "--class-weight", "a=b=4,c=1", "-f", "value").value == near(expected)

    def test_an_unknown_class_is_refused_with_the_nearest(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n"), write("t.csv", "label\ndog\n")
        compute("ce", p, t, "--class-weight", "cat=1,dgo=4").refuses(2, "--class-weight", "dgo", "dog")

    def test_a_file_with_one_number_a_class(self, compute, tiny, save):
        w = save("w.npy", [2.0, 1.0, 4.0])
        expected = (TINY_LOSSES[0] + 4 * TINY_LOSSES[1] + 2 * TINY_LOSSES[2]) / 7
        assert compute("ce", *tiny, "--class-weight", w, "-f", "value").value == near(expected)

    def test_a_file_with_names(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,4\n"), write("t.csv", "label\ndog\ncat\n")
        w = write("w.csv", "class,weight\ndog,4\ncat,1\n")
        expected = (4 * cross_entropy([1, 2], 1) + cross_entropy([3, 4], 0)) / 5
        assert compute("ce", p, t, "--class-weight", w, "-f", "value").value == near(expected)

    def test_a_file_with_too_few_is_refused(self, compute, tiny, save):
        compute("ce", *tiny, "--class-weight", save("w.npy", [2.0, 1.0])).refuses(3, "w.npy", "2", "3")

    def test_balanced_is_n_over_k_times_count(self, compute, save):
        # Classes 0, 0, 0, 1 of 2: weights 4 / (2 * 3) and 4 / (2 * 1).
        z = [[1.0, 2.0], [0.0, 1.0], [3.0, 0.0], [0.0, 5.0]]
        p, t = save("p.npy", z), save("t.npy", [0, 0, 0, 1])
        losses = [cross_entropy(row, label) for row, label in zip(z, [0, 0, 0, 1], strict=True)]
        expected = (sum(losses[:3]) * 2 / 3 + losses[3] * 2) / 4
        assert compute("ce", p, t, "--class-weight", "balanced", "-f", "value").value == near(expected)

    @pytest.mark.parametrize("ignored", [(), ("--ignore-index", "9")])
    def test_balanced_counts_rows_that_neither_a_mask_nor_a_label_leaves_out(self, compute, save, ignored):
        # Classes 0, 0, 0, 1 of 2 again, and a row of each kind that does not count.
        z = [[1.0, 2.0], [0.0, 1.0], [3.0, 0.0], [0.0, 5.0], [7.0, 0.0], [1.0, 1.0]]
        labels, mask = [0, 0, 0, 1, 1, 9 if ignored else 1], [1, 1, 1, 1, 0, 1 if ignored else 0]
        p, t = save("p.npy", z), save("t.npy", labels)
        losses = [cross_entropy(row, label) for row, label in zip(z[:4], labels[:4], strict=True)]
        expected = (sum(losses[:3]) * 2 / 3 + losses[3] * 2) / 4
        words = ("ce", p, t, "--class-weight", "balanced", *ignored, "-f", "value", "--mask")
        assert compute(*words, save("m.npy", mask)).value == near(expected)
        assert compute(*words, save("column.npy", np.array(mask)[:, None])).value == near(expected)

    @pytest.mark.parametrize("labels", [[1, 99, 0], [[0, 1], [7, -7], [1, 0]]])
    def test_what_a_mask_hides_need_not_be_a_class(self, compute, save, labels):
        p, t = save("p.npy", [[1.0, 2.0], [3.0, 4.0], [0.0, 5.0]]), save("t.npy", labels)
        expected = (cross_entropy([1, 2], 1) + cross_entropy([0, 5], 0)) / 2
        assert compute("ce", p, t, "--mask", save("m.npy", [1, 0, 1]), "-f", "value").value == near(expected)

    def test_a_class_that_no_row_has_leaves_balanced_defined(self, compute, save):
        p, t = save("p.npy", [[1.0, 2.0, 0.0]] * 2), save("t.npy", [0, 1])
        expected = (cross_entropy([1, 2, 0], 0) + cross_entropy([1, 2, 0], 1)) / 2
        assert compute("ce", p, t, "--class-weight", "balanced", "-f", "value").value == near(expected)

    def test_soft_targets_weigh_by_the_target_before_smoothing(self, compute, save):
        z, t = [[1.0, 2.0], [0.0, 3.0]], [[0.25, 0.75], [1.0, 0.0]]
        weights = [0.25 * 2 + 0.75 * 6, 2.0]
        smoothed = [[0.8 * x + 0.1 for x in row] for row in t]
        losses = [sum(s * cross_entropy(z[i], k) for k, s in enumerate(smoothed[i])) for i in range(2)]
        expected = (weights[0] * losses[0] + weights[1] * losses[1]) / sum(weights)
        words = ("ce", save("p.npy", z), save("t.npy", t), "--class-weight", "0=2,1=6", "--label-smoothing", "0.2")
        assert compute(*words, "-f", "value").value == near(expected)

    @pytest.mark.parametrize("labels", [[1, 0], [1, -1]])
    def test_binary_labels_are_two_classes(self, compute, save, labels):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", labels)
        expected = (4 * binary(1, 1) + 2 * binary(2, 0)) / 6
        assert compute("bce", p, t, "--class-weight", f"{labels[1]}=2,1=4", "-f", "value").value == near(expected)

    def test_multi_label_weights_weigh_their_output(self, compute, save):
        p, t = save("p.npy", [[1.0, 2.0], [3.0, -1.0]]), save("t.npy", [[1, 0], [0, 1]])
        each = [[binary(1, 1), binary(2, 0)], [binary(3, 0), binary(-1, 1)]]
        words = ("bce", p, t, "--class-weight", "0=1,1=3")
        # Every output's loss weighs in sums and denominators alike, as the weighted mean does.
        expected = sum(row[0] + 3 * row[1] for row in each) / (2 * (1 + 3))
        assert compute(*words, "-f", "value").value == near(expected)

    def test_sample_and_class_weights_multiply(self, compute, tiny, save):
        w = save("w.npy", [1.0, 2.0, 5.0])
        weights = [1.0, 2 * 4.0, 5 * 2.0]
        expected = sum(a * b for a, b in zip(weights, TINY_LOSSES, strict=True)) / sum(weights)
        found = compute("ce", *tiny, "--class-weight", "0=2,2=4", "--sample-weight", w, "--per-sample").json
        assert found["value"] == near(expected)
        assert [row["weight"] for row in found["rows"]] == weights

    @pytest.mark.parametrize("option", ["--class-weight", "--pos-weight"])
    def test_a_named_weight_may_be_zero(self, compute, save, option):
        p, t = save("p.npy", [[1, 2], [3, -1]]), save("t.npy", [[1, 1], [1, 1]])
        found = compute("bce", p, t, option, "0=1,1=0", "--reduction", "sum", "--over-outputs", "sum").json["value"]
        assert found == near(binary(1, 1) + binary(3, 1))

    def test_balanced_is_n_over_k_times_count_in_sums_too(self, compute, save):
        words = (save("p.npy", [[0, 0]] * 4), save("t.npy", [0, 0, 0, 1]), "--class-weight", "balanced")
        found = compute("ce", *words, "--reduction", "sum", "--per-sample").json
        assert [row["weight"] for row in found["rows"]] == near([4 / 6, 4 / 6, 4 / 6, 4 / 2])
        assert found["value"] == near(4 * LOG2)

    def test_a_file_of_class_weights_wins_over_names(self, compute, tiny, save):
        by_name = compute("ce", *tiny, "--class-weight", "0=2").json["value"]
        assert compute("ce", *tiny, "--class-weight", save("0=3.npy", [2, 1, 1])).json["value"] == by_name


class TestPosWeight:
    def test_it_is_part_of_the_loss_itself(self, compute, save):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", [1, 0])
        found = compute("bce", p, t, "--pos-weight", "4").json
        assert found["value"] == near((4 * binary(1, 1) + binary(2, 0)) / 2)
        assert found["denominator"] == 2

    def test_by_the_name_of_the_output(self, compute, write):
        p = write("p.csv", "rain,snow\n1,2\n")
        t = write("t.csv", "rain,snow\n1,1\n")
        words = ("bce", p, t, "--pos-weight", "snow=12")
        assert compute(*words, "-f", "value").value == near((binary(1, 1) + 12 * binary(2, 1)) / 2)

    def test_of_focal(self, compute, save):
        p, t = save("p.npy", [0.0]), save("t.npy", [1])
        assert compute("focal", p, t, "--pos-weight", "3", "-f", "value").value == near(3 * 0.25 * LOG2)


def test_one_output_a_row_has_two_classes_to_weigh(save, compute):
    """(n, 1) against (n, 1) is what Keras models give: class weights are those of the labels 0 and 1."""
    z, y = np.array([0.5, -1.0, 2.0, 0.1]), np.array([1, 0, 0, 1])
    save("z.npy", z)
    save("y.npy", y)
    save("z1.npy", z[:, None])
    save("y1.npy", y[:, None])
    for weights in ("balanced", "0=1,1=5"):
        flat = compute("bce", "z.npy", "y.npy", "--class-weight", weights)
        column = compute("bce", "z1.npy", "y1.npy", "--class-weight", weights, "--gradient", "g.npy")
        assert column.json["value"] == flat.json["value"]
        assert np.load("g.npy").shape == (4, 1)
    losses = np.logaddexp(0, np.where(y == 1, -z, z))
    np.testing.assert_allclose(flat.json["value"], np.average(losses, weights=np.where(y == 1, 5, 1)), rtol=1e-12)


@pytest.mark.parametrize("options", [["--pos-weight", "0"], ["--class-weight", "0=0"]])
def test_a_weight_of_zero_times_an_infinite_loss_is_zero(save, compute, options):
    save("p.npy", np.array([[0.0, 0.5], [0.5, 0.5]]))
    save("t.npy", np.array([[1, 0], [1, 1]]))
    done = compute("bce", "p.npy", "t.npy", "--from", "probs", "--gradient", "g.npy", *options)
    assert done.code == 0
    assert done.json["summary"]["max"] is not None
    assert not np.isnan(np.load("g.npy")).any()
    assert np.load("g.npy")[0, 0] == 0


def test_class_weights_take_names_with_and_without_their_prefix(write, compute):
    write("p.csv", "c_0,c_1\n1,2\n3,1\n2,2\n")
    write("t.csv", "label\n0\n1\n1\n")
    short = compute("ce", "p.csv", "t.csv", "--class-weight", "1=3").json
    full = compute("ce", "p.csv", "t.csv", "--class-weight", "c_1=3").json
    assert short["denominator"] == full["denominator"] == 7
    assert short["value"] == full["value"]


def test_labels_that_are_all_positive_take_the_names_of_both_conventions(save, compute):
    save("s.npy", np.array([0.5, -0.5]))
    save("t.npy", np.array([1, 1]))
    assert compute("hinge", "s.npy", "t.npy", "--class-weight=-1=2,1=3").json["denominator"] == 6


@pytest.mark.parametrize("text", ["class,weight\ndog,4\ncat,1\n", "cat,dog\n1,4\n", "weight\n1\n4\n"])
def test_class_weights_of_a_table_in_three_forms(write, compute, text):
    write("p.csv", "cat,dog\n1,2\n3,1\n")
    write("t.csv", "label\ncat\ndog\n")
    write("w.csv", text)
    found = compute("ce", "p.csv", "t.csv", "--class-weight", "w.csv").json
    assert found["denominator"] == 5
    np.testing.assert_allclose(found["numerator"], np.log1p(np.exp(1)) + 4 * np.log1p(np.exp(2)), rtol=1e-14)
