"""Weights, masks and third operands with one number for each prediction: columns meet by name, or are refused."""

import math

import numpy as np
import pytest
from by_hand import near

pytestmark = pytest.mark.quick

PREDICTIONS = "b,a\n0.2,0.9\n0.4,0.3\n"
TARGETS = "a,b\n1,0\n0,1\n"
FIRST = -(math.log(0.9) + math.log(0.7)) / 2
"""The mean of the losses of column a, whose targets are 1 and 0."""


@pytest.fixture
def files(write):
    return write("p.csv", PREDICTIONS), write("t.csv", TARGETS)


class TestNames:
    @pytest.mark.parametrize("option", ["--sample-weight", "--mask"])
    @pytest.mark.parametrize("beside", ["a,b\n1,0\n1,0\n", "b,a\n0,1\n0,1\n", "w_a,w_b\n1,0\n1,0\n", "B,A\n0,1\n0,1\n"])
    @pytest.mark.parametrize("classes", [(), ("--classes", "a,b")])
    def test_columns_are_those_of_the_predictions_names(self, compute, write, files, option, beside, classes):
        words = ("bce", *files, "--from", "probs", option, write("w.csv", beside), *classes)
        assert compute(*words, "-f", "value").value == near(FIRST)

    @pytest.mark.parametrize("option", ["--sample-weight", "--mask"])
    def test_what_is_not_named_as_predictions_is_named_as_targets(self, compute, write, option):
        write("p.csv", "x,y\n0.2,0.9\n0.4,0.3\n")
        write("t.csv", TARGETS)
        words = (
            "mse",
            "p.csv",
            "t.csv",
            option,
            write("w.csv", "b,a\n1,0\n0,1\n"),
        )  # b of the first row, a of the second
        assert compute(*words, "-f", "value").value == near((0.9**2 + 0.4**2) / 2)

    def test_and_so_it_is_beside_an_array(self, compute, write, save):
        save("p.npy", [[0.2, 0.9], [0.4, 0.3]])
        write("t.csv", TARGETS)
        words = ("mse", "p.npy", "t.csv", "--sample-weight", write("w.csv", "b,a\n1,0\n0,1\n"))
        assert compute(*words, "-f", "value").value == near((0.9**2 + 0.4**2) / 2)

    def test_variances(self, compute, write):
        write("p.csv", "b,a\n1,2\n3,5\n")
        write("t.csv", "a,b\n1,0\n0,1\n")
        words = ("gaussian-nll", "p.csv", "t.csv", "--variance", write("v.csv", "a,b\n1,10\n1,10\n"))
        expected = [(math.log(v) + gap**2 / v) / 2 for gap, v in ((1, 1), (1, 10), (5, 1), (2, 10))]
        assert compute(*words, "-f", "value").value == near(sum(expected) / 4)

    def test_what_a_mask_hides_may_be_anything_in_targets_of_another_order(self, compute, write, files):
        write("t.csv", "a,b\n9,0\n0,1\n")
        words = ("bce", *files, "--from", "probs", "--mask", write("m.csv", "a,b\n0,1\n1,1\n"))
        expected = -(math.log(0.8) + math.log(0.7) + math.log(0.4)) / 3
        assert compute(*words, "-f", "value").value == near(expected)

    def test_the_gradient_has_the_order_of_the_predictions_file(self, compute, write, files):
        words = ("bce", *files, "--from", "probs", "--sample-weight", write("w.csv", "a,b\n1,0\n1,0\n"))
        compute(*words, "--gradient", "g.npy")
        np.testing.assert_allclose(np.load("g.npy"), [[0, -1 / 0.9], [0, 1 / 0.7]], rtol=1e-6)


class TestTwoOrders:
    """Predictions and targets have their columns in different orders, and nothing says in which the others are."""

    @pytest.mark.parametrize("option", ["--sample-weight", "--mask"])
    def test_without_names(self, compute, save, files, option):
        w = save("w.npy", [[1, 0], [1, 0]])
        compute("bce", *files, "--from", "probs", option, w).refuses(3, "w.npy", "p.csv", "t.csv", "orders", "(b, a)")

    def test_with_other_names(self, compute, write, files):
        w = write("w.csv", "x,y\n1,0\n1,0\n")
        compute("bce", *files, "--from", "probs", "--sample-weight", w).refuses(3, "w.csv", "different orders")

    def test_with_some_of_the_names(self, compute, write, files):
        w = write("w.csv", "a,y\n1,0\n1,0\n")
        compute("bce", *files, "--from", "probs", "--sample-weight", w).refuses(
            3, "w.csv", "not named as the predictions'"
        )

    def test_one_order_needs_no_names(self, compute, write, save):
        p, t = write("p.csv", PREDICTIONS), write("t.csv", "b,a\n0,1\n1,0\n")
        words = ("bce", p, t, "--from", "probs", "--sample-weight", save("w.npy", [[0, 1], [0, 1]]))
        assert compute(*words, "-f", "value").value == near(FIRST)

    def test_a_mask_of_whole_rows_has_no_order(self, compute, save, write):
        write("p.csv", "b,a\n1,2\n3,1\n")
        write("t.csv", "a,b\n1,0\n0,1\n")
        assert compute("ce", "p.csv", "t.csv", "--mask", save("m.npy", [[1, 1], [0, 0]])).json["samples"] == 1


class TestLabels:
    """One label per row stands for several outputs; weights have one number for each of these."""

    def test_columns_that_are_called_as_the_predictions_are_weights_of_outputs(self, compute, write):
        write("p.csv", "b,a\n0.2,0.9\n0.4,0.3\n0.5,0.5\n")
        write("t.csv", "label\na\nb\na\n")
        words = ("bce", "p.csv", "t.csv", "--from", "probs", "--classes", "a,b", "--sample-weight")
        w = write("w.csv", "a,b\n1,0\n1,0\n0,0\n")
        assert compute(*words, w, "-f", "value").value == near(FIRST)

    def test_others_are_asked_for(self, compute, write):
        write("p.csv", "b,a\n0.2,0.9\n0.4,0.3\n0.5,0.5\n")
        write("t.csv", "label\na\nb\na\n")
        words = ("bce", "p.csv", "t.csv", "--from", "probs", "--classes", "a,b", "--sample-weight")
        compute(*words, write("w.csv", "a,weight\n1,0\n1,0\n0,0\n")).refuses(
            3, "w.csv: which column holds the weights?"
        )
