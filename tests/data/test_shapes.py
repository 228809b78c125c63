"""Shapes of predictions and targets that do not fit: nothing broadcasts."""

import numpy as np
import pytest


class TestShapes:
    @pytest.mark.parametrize(
        ("loss", "p", "t", "parts"),
        [
            ("mse", (3,), (4,), ("3", "4", "--id")),
            ("mse", (3,), (3, 2), ("(3,)", "(3, 2)")),
            ("mse", (3, 2), (3,), ("(3, 2)", "(3,)")),
            ("mse", (3, 2), (3, 4), ("(3, 2)", "(3, 4)")),
            ("mse", (3, 2), (3, 1), ("(3, 2)", "(3, 1)")),
            ("mse", (4, 3), (3,), ("4", "3")),
            ("hinge", (3, 2), (3,), ("(3, 2)", "(3,)")),
            ("bce", (3, 2), (3, 3), ("(3, 2)", "(3, 3)")),
            ("ce", (3, 2), (4,), ("3", "4")),
            ("ce", (3, 2), (3, 3), ("2", "3")),
            ("ce", (2, 3), (3,), ("transposed",)),
            ("ce", (3,), (3,), ("(3,)",)),
            ("ce", (3, 2), (3, 1, 1), ("(3, 2)", "(3, 1, 1)")),
            ("mse", (3, 2), (3, 2, 1), ("(3, 2)", "(3, 2, 1)")),
            ("ctc", (3, 4, 2), (3, 2, 1), ("(3, 2, 1)",)),
        ],
    )
    def test_nothing_broadcasts(self, compute, save, loss, p, t, parts):
        compute(loss, save("p.npy", np.zeros(p)), save("t.npy", np.zeros(t))).refuses(3, *parts)

    @pytest.mark.parametrize("words", [("mse", "p*.npy", "0"), ("ce", "p*.npy", "t.npy"), ("mse", "q.npy", "p*.npy")])
    def test_shards_of_tables_have_the_same_width(self, compute, save, words):
        save("p1.npy", np.zeros((3, 2)))
        save("p2.npy", np.zeros((4, 3)))
        save("t.npy", np.zeros(7, int))
        save("q.npy", np.zeros((7, 2)))
        compute(*words).refuses(3, "p2.npy", "(4, 3)", "p1.npy", "(3, 2)")

    def test_a_header_taken_for_data_s_sake_is_thought_of(self, compute, save, write):
        p, t = save("p.npy", np.zeros((3, 4))), write("t.csv", "a\nb\na\n")
        compute("ce", p, t).refuses(3, "3", "2", "--no-header")

    @pytest.mark.parametrize(
        ("x", "centers", "parts"),
        [((2, 3), (2, 2), ("(2, 2)", "(2, 3)")), ((2, 3), (3,), ("(3,)",)), ((2,), (2, 2), ("(2,)",))],
    )
    def test_centers_have_the_features_dimension(self, compute, save, x, centers, parts):
        words = (save("x.npy", np.zeros(x)), save("y.npy", [0, 1]), "--centers", save("c.npy", np.zeros(centers)))
        compute("center", *words).refuses(3, *parts)

    def test_a_label_beyond_the_centers(self, compute, save):
        words = (save("x.npy", np.zeros((2, 2))), save("y.npy", [0, 2]), "--centers", save("c.npy", np.zeros((2, 2))))
        compute("center", *words).refuses(3, "y.npy[1]", "2", "0 ... 1")
