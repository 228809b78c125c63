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
        ],
    )
    def test_nothing_broadcasts(self, compute, save, loss, p, t, parts):
        compute(loss, save("p.npy", np.zeros(p)), save("t.npy", np.zeros(t))).refuses(3, *parts)

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
