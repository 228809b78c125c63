"""Options that are given twice, or that are of other losses."""

import numpy as np


def test_an_option_given_twice_is_refused(save, run):
    save("s.npy", np.array([1.0]))
    run("compute", "mse", "s.npy", "0", "-o", "a.md", "--output", "b.csv").refuses(2, "--output is given twice")


def test_an_option_of_other_losses_is_refused_with_theirs(save, run):
    save("s.npy", np.array([1.0]))
    run("compute", "mse", "s.npy", "0", "--pos-weight", "3").refuses(2, "mse takes no --pos-weight", "sigmoid")
