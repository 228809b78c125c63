"""Sums of finite numbers that a float64 does not hold: the ratio or total is right where it is a number, and else undefined (exit 3)."""

import json
from fractions import Fraction

import numpy as np
import pytest

from losscli.losses.embedding import unit

pytestmark = pytest.mark.quick
LOSSES = [1.0, 2.0, 4.5]
LARGEST = float(np.finfo(np.float64).max)


@pytest.fixture
def files(save):
    return save("p.npy", LOSSES), save("t.npy", [0.0, 0.0, 0.0])


def exactly(weights, losses=LOSSES):
    above = sum(Fraction(w) * Fraction(x) for w, x in zip(weights, losses, strict=True))
    return float(above / sum(map(Fraction, weights)))


@pytest.mark.parametrize("weights", [[1e308] * 3, [LARGEST] * 3, [1e308, 1e308, 0], [1e308, 1, 1e-300], [5e-324] * 3])
def test_a_weighted_mean_is_a_number(compute, files, save, weights):
    found = compute("l1", *files, "--sample-weight", save("w.npy", weights)).json["value"]
    assert found == pytest.approx(exactly(weights), rel=1e-15)


def test_a_mean_of_the_largest_losses(compute, save):
    ran = compute("l1", save("p.npy", [LARGEST, -LARGEST, LARGEST / 2]), save("t.npy", [0.0] * 3)).json
    assert ran["value"] == pytest.approx(exactly([1, 1, 1], [LARGEST, LARGEST, LARGEST / 2]), rel=1e-15)
    assert ran["summary"]["std"] == pytest.approx(LARGEST / 2 * np.sqrt(2) / 3, rel=1e-14)


@pytest.mark.parametrize("reduction", ["sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
def test_a_sum_that_no_number_holds_is_undefined(compute, files, save, folder, reduction):
    ran = compute("l1", *files, "--sample-weight", save("w.npy", [1e308] * 3), "--reduction", reduction, "-o", "x.json")
    ran.refuses(3, "too large for a number", f"the {reduction} is undefined", "--reduction mean")
    assert not (folder / "x.json").exists()


def test_a_sum_of_infinite_losses_is_infinite_all_the_same(compute, save):
    files = save("p.npy", [np.inf, 1.0]), save("t.npy", [0.0, 0.0])
    assert compute("l1", *files, "--reduction", "sum").json["nonfinite"]["value"] == "inf"


@pytest.mark.parametrize("factor", ["1e308", "-1e308"])
def test_a_total_that_no_number_holds_is_undefined(compute, files, factor):
    compute("l1", *files, f"--plus={factor}*mse").refuses(3, "the total is too large for a number")


def test_a_total_is_a_number_where_only_a_part_of_it_is_none(compute, files):
    # 2.5 - 1e308 * 4.5 + 1e308 * 4.5 - 2e300, where no term can be said alone
    ran = compute(
        "l1", *files, "--plus=-1e308*half-squared-error", "--plus=1e308*huber:delta=9", "--plus=-2e300*log-cosh"
    ).json
    assert ran["value"] == pytest.approx(-2e300 * np.mean(np.log(np.cosh(LOSSES))), rel=1e-12)


def test_weights_of_outputs(compute, save):
    two = save("two.npy", [[1.0, 2.0], [3.0, 5.0]])
    other = save("zero.npy", [[0.0, 0.0], [0.0, 0.0]])
    compute("mse", two, other, "--output-weight", "1e308,1e308").refuses(2, "too large", "divide the weights")
    assert compute("l1", two, other, "--output-weight", "1e308,0").json["value"] == 2.0


def test_slices_say_what_is_undefined(compute, files, save, write):
    by = write("g.csv", "g\na\nb\nb\n")
    weights = save("w.npy", [1.0, 1e308, 1e308])
    ran = compute("l1", *files, "--sample-weight", weights, "--by", f"{by}:g", "--reduction", "sum", "-f", "json")
    ran.refuses(3, "too large for a number")


def test_parts_give_what_a_single_pass_gives(run, compute, files, save):
    words = ["l1", *files, "--sample-weight", save("w.npy", [1e308] * 3)]
    for part in (1, 2):
        assert run("compute", *words, "--part", f"{part}/2", "-o", f"{part}.part").code == 0
    merged = json.loads(run("merge", "1.part", "2.part", "-f", "json").out)
    assert merged["value"] == pytest.approx(2.5, rel=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_directions_of_vectors_whose_length_no_number_holds(dtype):
    largest = np.finfo(dtype).max
    found = unit(np.array([[largest, -largest], [largest, largest / 2], [3, 4], [np.inf, 1]], dtype))[0]
    half, fifth = np.sqrt(0.5), np.sqrt(0.2)
    right = np.array([[half, -half], [2 * fifth, fifth], [0.6, 0.8], [np.nan, 0]])
    np.testing.assert_allclose(found, right, rtol=4 * np.finfo(dtype).eps)


def test_batch_losses_of_vectors_whose_length_no_number_holds(run, save, write):
    """Only directions count: those of 1.7e308 (1, 1) and (1, -1) are those of (1, 1) and (1, -1)."""
    rows, labels = np.array([[1, 1], [1, -1], [-1, 1], [1, 0.5]]), save("y.npy", [0, 1, 1, 0])
    small, large = save("small.npy", rows), save("large.npy", rows * 1.7e308)
    for loss in ("nt-xent", "supcon", "multi-similarity", "circle"):
        plain, extreme = (run("compute", loss, file, labels, "-f", "json") for file in (small, large))
        assert extreme.code == 0, extreme
        assert json.loads(extreme.out)["value"] == pytest.approx(json.loads(plain.out)["value"], rel=1e-12)


@pytest.mark.parametrize("rows", [[[1e308, 1e308], [1e308, 1.0]], [[np.inf, -np.inf], [0.5, 0.5]]])
def test_check_of_targets_whose_sums_are_no_numbers(run, save, rows):
    ran = run("check", save("p.npy", [[0.1, 0.2], [0.3, 0.4]]), save("t.npy", rows), "-f", "json")
    assert ran.code in (0, 3)
    assert "Warning" not in ran.err


@pytest.mark.parametrize("weight", [1e308, 5e-324])
@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_calibration_refuses_weights_that_it_cannot_compute_with(run, save, method, weight):
    scores = np.linspace(-2, 2, 40)
    files = save("z.npy", scores), save("y.npy", (scores + np.tile([1.5, -1.5], 20) > 0).astype(int))
    words = ("calibrate", *files, "--method", method, "--sample-weight", save("w.npy", np.full(40, weight)))
    run(*words).refuses(3, "z.npy: its weights", "divide them by their largest")


@pytest.mark.parametrize("weight", [1e308, 5e-324, 1e-200])
def test_compare_refuses_weights_that_it_cannot_compute_with(run, files, save, weight):
    other, weights = save("q.npy", [1.0, 2.0, 2.5]), save("w.npy", [weight] * 3)
    run("compare", "l1", files[0], other, "--targets", files[1], "--sample-weight", weights).refuses(3, "q.npy:", "too")


def test_slices_of_weights_that_are_too_small(compute, files, save, write):
    by = write("g.csv", "g\na\na\nb\n")
    ran = compute("l1", *files, "--sample-weight", save("w.npy", [5e-324, 5e-324, 1.0]), "--by", f"{by}:g").json
    assert {one["slice"]: one["value"] for one in ran["by"]} == {"b": 4.5, "a": None}


def test_an_interval_of_one_row_is_undefined(run, save):
    p, q, t = save("p.npy", [1.0]), save("q.npy", [2.0]), save("t.npy", [0.0])
    out = run("compare", "l1", p, q, "--targets", t, "-f", "table").out
    assert "interval  undefined: one row" in out
    assert "nan" not in out


@pytest.mark.parametrize(
    ("losses", "weights"),
    [
        ([1e160, 1e-160, 1.0, 1e-300, 7.0], [2.0, 1e308, 1e308, 1e308, 1.0]),
        ([1e-140, 1e-140, 1e-160, 3.0, 7.0], [1e-200, 1e-200, 1e-200, 0.0, 1.0]),
        ([1e-300, 2.0, 0.0, 1e-310, 7.0], [1e-200, 0.0, 1e-200, 1e-200, 1.0]),
    ],
)
def test_no_slice_is_a_wrong_number(compute, save, write, losses, weights):
    words = ["l1", save("p.npy", losses), save("t.npy", [0.0] * 5), "--sample-weight", save("w.npy", weights)]
    found = {
        one["slice"]: one["value"]
        for one in compute(*words, "--by", write("g.csv", "g\na\na\na\na\nb\n") + ":g").json["by"]
    }
    assert found == {"a": None, "b": 7.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("more", [(), ("--output-weight", "1,2,1"), ("--sample-weight", "2")])
def test_a_mean_over_outputs_of_the_largest_losses(compute, save, dtype, more):
    largest = float(np.finfo(dtype).max)
    files = save("p.npy", [[largest, largest, largest / 2], [1, 2, 4]], dtype), save("t.npy", np.zeros((2, 3)), dtype)
    weights = [1, 2, 1] if "--output-weight" in more else [1, 1, 1]
    right = [exactly(weights, row) for row in ([largest, largest, largest / 2], [1, 2, 4])]
    ran = compute("l1", *files, *more, "--per-sample").json
    assert [row["loss"] for row in ran["rows"]] == pytest.approx(right, rel=1e-15)
    assert ran["value"] == pytest.approx(right[0] / 2, rel=1e-15)


def test_a_mean_over_outputs_that_exist(compute, save):
    largest = float(np.finfo(np.float64).max)
    files = save("p.npy", [[largest, largest, 3.0]]), save("t.npy", [[0.0, 0.0, np.nan]])
    assert compute("l1", *files, "--missing", "ignore").json["value"] == pytest.approx(largest, rel=1e-15)


def test_weights_that_add_up_to_infinity_leave_no_best_constant(run, save):
    files = save("p.npy", [[1.0, 2.0, 0.5]] * 4), save("t.npy", [0, 1, 2, 1])
    checked = run("check", *files, "--from", "logits", "--sample-weight", "1e308", "-f", "json")
    logits = np.exp([1.0, 2.0, 0.5]).sum()
    assert (checked.code, checked.json["loss"]) == (0, pytest.approx(np.log(logits) - (1 + 2 + 0.5 + 2) / 4, rel=1e-14))
    assert "baseline" not in checked.json
