"""One file in several roles."""

import numpy as np
import pytest


def test_the_same_data_on_both_sides_is_said(save, run):
    save("s.npy", np.array([1.0, 2.0]))
    done = run("compute", "mse", "s.npy", "s.npy", "-f", "value")
    assert done.out == "0.0\n"
    assert "same data" in done.err


class TestOneFileInTwoRoles:
    def test_a_glob_is_one_file_in_both(self, compute, write):
        write("v-1.csv", "p,w\n1,2\n3,0\n")
        write("v-2.csv", "p,w\n5,1\n")
        words = ("mse", "v-*.csv", "0", "--sample-weight", "v-*.csv:w", "-f", "value")
        assert compute(*words).value == (2 * 1 + 0 * 9 + 1 * 25) / 3

    def test_so_is_one_without_names(self, compute, write):
        write("z-1.csv", "1.5,0.5,1\n0.5,2.5,0\n")
        write("z-2.csv", "1.5,0.5,0\n")
        losses = np.log1p(np.exp([1.0, 2.0, -1.0]))
        assert compute("ce", "z-*.csv", "z-*.csv:3", "-f", "value").value == pytest.approx(losses.mean())
