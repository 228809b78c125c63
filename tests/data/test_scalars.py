"""One number where a file of weights or of variances may stand."""

import math

import numpy as np
import pytest

import losscli


@pytest.mark.quick
def test_one_weight_for_all_rows(compute, save):
    predictions, targets = save("p.npy", [1.0, 2.0, 5.0]), save("t.npy", [0.0, 0.0, 0.0])
    found = compute("mse", predictions, targets, "--sample-weight", "2.5").json
    assert (found["value"], found["numerator"], found["denominator"]) == (10, 75, 7.5)
    assert found["receipt"]["sample_weight"] == 2.5
    assert "|sample-weight:2.5|" in found["signature"]
    total = compute("mse", predictions, targets, "--sample-weight", "2", "--reduction", "sum").json
    assert (total["value"], "|sample-weight:2|" in total["signature"]) == (60, True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_variance_for_all_predictions(compute, save, dtype):
    predictions, targets = (
        save("p.npy", [[1.0, 2.0], [4.0, 0.5]], dtype),
        save("t.npy", [[0.0, 2.0], [4.5, 0.5]], dtype),
    )
    found = compute("gaussian-nll", predictions, targets, "--variance", "0.01").json
    # log(v) / 2 + r^2 / (2 v), with residuals 1, 0, -1/2 and 0
    right = math.log(0.01) / 2 + (1 + 0 + 0.25 + 0) / 4 / (2 * 0.01)
    assert found["value"] == pytest.approx(right, rel=1e-6 if dtype == np.float32 else 1e-14)
    assert found["receipt"]["variance"] == 0.01
    assert found["receipt"]["computed_in"] == str(np.dtype(dtype))
    assert "|variance:0.01|" in found["signature"]


def test_numbers_from_python():
    predictions, targets = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    for weight in (3, 3.0, np.float32(3), np.int64(3), "3"):
        found = losscli.compute("mse", predictions, targets, sample_weight=weight)
        assert (found.value, found.denominator, found.receipt["sample_weight"]) == (2.5, 6, 3)
    found = losscli.compute("gaussian-nll", predictions, targets, variance=2)
    assert found.value == pytest.approx(math.log(2) / 2 + 5 / 2 / 4, rel=1e-15)
    assert losscli.compute("gaussian-nll", predictions, targets, variance=[2.0, 2.0]).value == found.value


def test_a_file_of_that_name_comes_first(compute, write, save):
    predictions, targets = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 0.0])
    write("2.5", "1\n0\n")
    assert compute("mse", predictions, targets, "--sample-weight", "2.5", "--no-header").json["value"] == 1


@pytest.mark.parametrize("number", ["-1", "nan", "inf", "-inf"])
def test_numbers_that_are_no_weights(run, save, number):
    predictions, targets = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 0.0])
    found = run("compute", "mse", predictions, targets, "--sample-weight", number)
    assert (found.code, found.err) == (2, f"losscli: --sample-weight {number}: a weight is a finite number >= 0\n")
    found = run("compute", "gaussian-nll", predictions, targets, "--variance", number)
    assert (found.code, found.err) == (2, f"losscli: --variance {number}: a variance is a finite number above 0\n")


def test_weights_and_variances_of_0(run, save):
    predictions, targets = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 0.0])
    found = run("compute", "mse", predictions, targets, "--sample-weight", "0")
    assert (found.code, "all weights are 0" in found.err) == (3, True)
    found = run("compute", "gaussian-nll", predictions, targets, "--variance", "0")
    assert (found.code, "a variance is a finite number above 0" in found.err) == (2, True)


def test_what_is_no_number_is_a_file_that_is_missing(run, save):
    predictions, targets = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 0.0])
    for word in ("2,5", "weights.npy", "1_000"):
        found = run("compute", "mse", predictions, targets, "--sample-weight", word)
        assert (found.code, "no such file" in found.err) == (3, True)
    features = save("f.npy", [[1.0, 2.0], [0.0, 1.0]])
    found = run("compute", "triplet", features, features, "--negative", "2")
    assert (found.code, "no such file" in found.err) == (3, True)


def test_a_weight_goes_with_rows_joined_by_id(compute, write):
    predictions, targets = write("p.csv", "id,p\na,1\nb,2\nc,3\n"), write("t.csv", "id,t\nc,0\na,0\n")
    words = ("--id", "id", "--on-unmatched", "drop", "--sample-weight", "4")
    found = compute("mse", predictions, targets, *words).json
    assert (found["value"], found["denominator"]) == (5, 8)


def test_calibrate_takes_one_weight(run, write):
    rows = "".join(f"{z},{y}\n" for z, y in ((2, 1), (-1, 0), (0.5, 1), (1, 0), (-2, 0), (0.25, 1)))
    predictions = write("p.csv", f"z,y\n{rows}")
    words = ("calibrate", f"{predictions}:z", f"{predictions}:y", "-f", "json")
    plain, weighed = run(*words), run(*words, "--sample-weight", "3", "--output", "c.csv")
    assert (plain.code, weighed.code) == (0, 0), weighed.err


@pytest.mark.parametrize("per", ["sample", "position"])
def test_one_weight_for_samples_of_several_positions(compute, save, per):
    z = np.random.default_rng(0).normal(size=(2, 3, 4))
    words = ("ce", save("z.npy", z), save("t.npy", np.zeros((2, 3), int)), "--class-axis", "-1", "--per", per)
    found = compute(*words, "--sample-weight", "2").json
    losses = np.log(np.exp(z).sum(axis=2)) - z[:, :, 0]
    assert found["value"] == pytest.approx(losses.mean(), rel=1e-14)
    units = 2 if per == "sample" else 6
    assert (found["denominator"], found["numerator"]) == (
        2 * units,
        pytest.approx(2 * units * losses.mean(), rel=1e-14),
    )
