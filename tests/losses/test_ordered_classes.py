"""CORAL, CORN and the kappa loss: numbers of coral-pytorch and scikit-learn, classes out of range, and what kappa needs."""

import numpy as np
import pytest

CORN = 0.16452402686337858
LEVELS = [[2.1, 1.8, -2.1, -1.8], [1.9, -1.0, -1.5, -1.3], [1.9, 1.8, 1.7, 1.6]]


def test_coral_is_that_of_coral_pytorch(compute, save):
    """The example of coral_pytorch.losses.coral_loss (version 1.4.0), whose documentation prints 0.6920."""
    found = compute("coral", save("p.npy", LEVELS), save("t.npy", [2, 1, 4]), "-f", "value").value
    assert round(found, 4) == 0.6920


def test_corn_is_that_of_coral_pytorch(compute, save):
    """corn_loss of coral-pytorch 1.4.0 with torch 2.13.0 in float64 gave CORN for these; it divides by the thresholds that count."""
    classes = [2, 1, 4]
    found = compute("corn", save("p.npy", LEVELS), save("t.npy", classes), "--reduction", "sum", "-f", "value").value
    assert found / (3 + 2 + 4) == pytest.approx(CORN, rel=1e-12)


@pytest.mark.parametrize("loss", ["coral", "corn"])
def test_a_class_above_the_last_threshold_is_refused(compute, save, loss):
    p = save("p.npy", LEVELS)
    compute(loss, p, save("t.npy", [2, 5, 4])).refuses(3, "t.npy[1]", "K classes have K - 1 logits")
    compute(loss, p, save("t.npy", [3, 2, 5])).refuses(3, "label 5 is not in 0 ... 4")
    compute(loss, p, save("t.npy", [2, -1, 4])).refuses(3, "t.npy[1]")
    compute(loss, p, save("t.npy", [2, 1.5, 4])).refuses(3, "t.npy[1]", "names that --classes has")
    compute(loss, p, "7").refuses(3, "p.npy[0]", "K classes have K - 1 logits")
    compute(loss, p, p).refuses(3, "one target per row")


NAMES = "none,low,middle,high,top"


class TestNamesOfOrderedClasses:
    """Labels that are words have the order of --classes, and only that."""

    WORDS = "level\nmiddle\nlow\ntop\n"

    @pytest.mark.parametrize("loss", ["coral", "corn"])
    @pytest.mark.parametrize("header", ["", "z0,z1,z2,z3\n", "low,none,top,middle\n"])
    def test_names_are_the_numbers_of_their_order(self, compute, save, write, loss, header):
        right = compute(loss, save("p.npy", LEVELS), save("t.npy", [2, 1, 4]), "-f", "value").value
        p = write("p.csv", header + "".join(",".join(map(str, row)) + "\n" for row in LEVELS))
        found = compute(loss, p, write("t.csv", self.WORDS), "--classes", NAMES, "-f", "json").json
        assert found["value"] == right
        assert found["receipt"]["classes"] == NAMES.split(",")
        # The columns are thresholds: what they are called says nothing about the order of classes.
        compute(loss, p, "t.csv").refuses(3, "t.csv:2", "--classes NAME,...", "the lowest first")

    @pytest.mark.parametrize("loss", ["coral", "corn"])
    @pytest.mark.parametrize("names", ["gt_mid,gt_low", "high,mid"])
    def test_thresholds_that_are_called_as_the_classes_stand_in_their_order(self, compute, write, loss, names):
        t, options = write("t.csv", "y\nmid\n"), ("--classes", "low,mid,high")
        turned = ",".join(reversed(names.split(",")))
        expected = compute(loss, write("right.csv", f"{turned}\n2,-1\n"), t, *options, "-f", "value").value
        p = write("p.csv", f"{names}\n-1,2\n")
        compute(loss, p, t, *options).refuses(3, "p.csv", "another order", f"--columns {turned}")
        assert compute(loss, p, t, *options, "--columns", turned, "-f", "value").value == expected

    def test_other_orders_are_other_losses(self, compute, save, write):
        p, t = save("p.npy", LEVELS), write("t.csv", self.WORDS)
        turned = ",".join(reversed(NAMES.split(",")))
        found = compute("coral", p, t, "--classes", turned, "-f", "value").value
        assert found == compute("coral", p, save("n.npy", [2, 3, 0]), "-f", "value").value

    def test_too_few_names(self, compute, save, write):
        refused = compute("coral", save("p.npy", LEVELS), write("t.csv", self.WORDS), "--classes", "low,middle,top")
        refused.refuses(3, "3 names", "name 5 classes in their order")
        unknown = compute("coral", "p.npy", "t.csv", "--classes", "none,low,medium,high,top")
        unknown.refuses(3, "t.csv:2", "'middle' is not a class; the classes are none, low, medium")

    def test_label_base_and_labels_to_leave_out(self, compute, save, write):
        p, t = save("p.npy", LEVELS), save("t.npy", [2, 1, 4])
        right = compute("coral", p, t, "-f", "value").value
        assert compute("coral", p, save("from1.npy", [3, 2, 5]), "--label-base", "1", "-f", "value").value == right
        without = compute("coral", p, t, "--ignore-index", "4", "-f", "value").value
        words = (p, write("t.csv", self.WORDS), "--classes", NAMES)
        assert compute("coral", *words, "--ignore-index", "top", "-f", "value").value == without
        assert without != right

    def test_weights_of_classes(self, compute, save, write):
        words = (save("p.npy", LEVELS), write("t.csv", self.WORDS), "--classes", NAMES)
        losses = [row["loss"] for row in compute("coral", *words, "-f", "jsonl").lines]
        found = compute("coral", *words, "--class-weight", "top=3,low=0.5", "-f", "value").value
        assert found == pytest.approx((losses[0] + 0.5 * losses[1] + 3 * losses[2]) / 4.5, rel=1e-14)
        by_number = (words[0], save("t.npy", [2, 1, 4]), "--class-weight", "4=3,1=0.5")
        assert compute("coral", *by_number, "-f", "value").value == found

    def test_slices_by_class(self, run, save, write):
        words = (save("p.npy", LEVELS), write("t.csv", self.WORDS), "--classes", NAMES, "--by", "class", "-f", "json")
        found = run("rank", "coral", *words).json["slices"]
        assert {one["slice"] for one in found} == {"low", "middle", "top"}


def test_kappa_of_certain_predictions_is_that_of_scikit_learn(compute, save):
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(3)
    true, said = generator.integers(0, 5, (2, 60))
    kappa = metrics.cohen_kappa_score(true, said, weights="quadratic")
    p, t = save("p.npy", np.eye(5)[said]), save("t.npy", true)
    assert compute("quadratic-kappa", p, t, "--from", "probs", "-f", "value").value == pytest.approx(
        1 - kappa, rel=1e-12
    )


def test_kappa_of_one_class_is_undefined(compute, save):
    p, t = save("p.npy", [[0.0, 1.0], [0.0, 1.0]]), save("t.npy", [1, 1])
    compute("qwk-loss", p, t, "--from", "probs").refuses(3, "kappa is undefined", "more than one class")


def test_the_same_for_every_row_is_one(compute, save):
    p, t = save("p.npy", [[0.2, 0.3, 0.5]] * 4), save("t.npy", [0, 1, 2, 2])
    assert compute("qwk-loss", p, t, "--from", "probs", "-f", "value").value == pytest.approx(1, rel=1e-14)


def test_the_loss_of_the_paper_is_the_logarithm(compute, save):
    p, t = save("p.npy", [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]), save("t.npy", [0, 2, 1])
    words = (p, t, "--from", "probs", "-f", "value")
    # What the probabilities cost, and what their sums 1/2, 3/4 and 7/4 cost against classes 0, 1 and 2.
    expected = (5 / 4 + 1 / 2 + 1) / ((0.5 * 5 + 0.75 * 2 + 1.75 * 5) / 3)
    assert compute("quadratic-kappa", *words).value == pytest.approx(expected, rel=1e-14)
    assert compute("weighted-kappa-loss", *words).value == pytest.approx(np.log(expected), rel=1e-13)
    assert compute("log-kappa", *words, "--epsilon", "0.5").value == pytest.approx(np.log(expected + 0.5), rel=1e-13)
