"""Which axis holds the classes is said and never guessed; messages say what fits."""

import numpy as np
import pytest

Z = np.random.default_rng(0).normal(size=(2, 3, 4))


def test_three_axes_do_not_tell_which_one_holds_the_classes(compute, save):
    z, t = save("z.npy", Z), save("t.npy", np.zeros((2, 4), int))
    compute("ce", z, t, "-q").refuses(3, "z.npy has shape (2, 3, 4)", "--class-axis 1", "--class-axis -1")
    # by hand: softmax over axis 1, and minus the logarithm of its first entry
    expected = (np.log(np.exp(Z).sum(axis=1)) - Z[:, 0]).mean()
    assert compute("ce", z, t, "--class-axis", "1", "-f", "value").value == pytest.approx(expected, rel=1e-14)


def test_an_axis_of_one_sample_may_be_one_too_many(compute, save):
    z, t = save("z.npy", Z[:1]), save("t.npy", np.zeros(3, int))
    compute("ce", z, t, "-q").refuses(3, "its first axis holds one sample: save numpy.reshape(values, (3, 4)) if")


def test_the_axis_that_fits_the_targets_is_named(compute, save):
    z, t = save("z.npy", Z), save("t.npy", np.zeros((2, 4), int))
    compute("ce", z, t, "--class-axis", "-1").refuses(3, "(2, 3, 4)", "t.npy (2, 4)", "--class-axis 1 fits the targets")


def test_an_axis_that_is_not_there(compute, save):
    z, t = save("z.npy", Z), save("t.npy", np.zeros((2, 4), int))
    for axis in ("3", "-4"):
        compute("ce", z, t, "--class-axis", axis).refuses(2, f"--class-axis {axis}", "with 3 axes", "counted from 0")


def test_operands_of_more_axes_than_a_table(compute, save):
    z, t = save("z.npy", Z[0]), save("t.npy", np.zeros((3, 4, 1, 1)))
    compute("mse", z, t).refuses(3, "z.npy has shape (3, 4) and t.npy (3, 4, 1, 1)", "give both the same axes")


def test_a_shard_without_positions(compute, save):
    save("z-0.npy", np.zeros((2, 0, 4))), save("z-1.npy", Z)
    save("t-0.npy", np.zeros((2, 0), int)), save("t-1.npy", np.zeros((2, 3), int))
    words = ("z-[01].npy", "t-[01].npy", "--class-axis", "-1")
    compute("ce", *words).refuses(3, "shape (2, 0, 4) has no position left")


def test_a_shift_needs_one_axis_of_positions(compute, save):
    z, t = save("z.npy", Z), save("t.npy", np.zeros((2, 3), int))
    compute(
        "ce", save("w.npy", Z[None]), save("u.npy", np.zeros((1, 2, 3), int)), "--class-axis", "-1", "--shift", "1"
    ).refuses(2, "--shift 1", "with 2 axes of positions")
    compute("ce", z, t, "--class-axis", "-1", "--shift", "3").refuses(3, "no position left", "with --shift 3")
    # by hand: positions 0 and 1 against the targets of 1 and 2
    expected = (np.log(np.exp(Z).sum(axis=2)) - Z[:, :, 0])[:, :2].mean()
    assert compute("ce", z, t, "--class-axis", "-1", "--shift", "1", "-f", "value").value == pytest.approx(
        expected, rel=1e-14
    )


def test_a_third_operand_has_the_axes_of_the_predictions(compute, save):
    p, t, v = Z, Z[::-1], 1 + Z**2
    words = ("gaussian-nll", save("p.npy", p), save("t.npy", t), "--variance", save("v.npy", v), "--class-axis", "1")
    expected = (np.log(v) + (p - t) ** 2 / v) / 2
    assert compute(*words, "-f", "value").value == pytest.approx(expected.mean(), rel=1e-14)
    compute(*words[:4], save("w.npy", v[:, 0]), *words[5:]).refuses(3, "w.npy", "in the predictions' shape")
