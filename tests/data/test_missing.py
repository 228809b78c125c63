"""Targets of several outputs of which some do not exist: --missing ignore, as a newcomer meets it."""

import math

import numpy as np
import pytest

P = [[2.0, -1.0], [0.5, 3.0], [-0.25, 1.0]]
HOLES = [[1.0, np.nan], [0.0, 1.0], [np.nan, np.nan]]


def loss(z: float, t: float) -> float:
    return math.log1p(math.exp(-z if t else z))


EACH = [loss(2, 1), loss(0.5, 0), loss(3, 1)]
"""The losses of the three targets that exist."""


@pytest.fixture
def arrays(save):
    return save("p.npy", P), save("t.npy", HOLES)


@pytest.fixture
def tables(write):
    return write("p.csv", "a,b\n2,-1\n0.5,3\n-0.25,1\n"), write("t.csv", "a,b\n1,\n0,1\nNA,null\n")


@pytest.mark.parametrize("files", ["arrays", "tables"])
def test_the_mean_is_over_what_exists(compute, request, files):
    found = compute("bce", *request.getfixturevalue(files), "--missing", "ignore").json
    assert found["value"] == pytest.approx(sum(EACH) / 3, rel=1e-15)
    assert (found["samples"], found["ignored"]) == (2, 1)


def test_per_sample_is_the_mean_of_the_rows_means(compute, arrays):
    found = compute("bce", *arrays, "--missing", "ignore", "--per", "sample").json["value"]
    assert found == pytest.approx((EACH[0] + (EACH[1] + EACH[2]) / 2) / 2, rel=1e-15)


@pytest.mark.parametrize("files", ["arrays", "tables"])
def test_each_element_may_be_a_position(compute, request, files):
    found = compute("bce", *request.getfixturevalue(files), "--missing", "ignore", "--per", "position").json
    assert found["value"] == pytest.approx(sum(EACH) / 3, rel=1e-15)
    assert (found["samples"], found["ignored"]) == (3, 3)


def test_cells_have_the_shape_of_the_table(compute, arrays):
    assert compute("bce", *arrays, "--missing", "ignore", "--per", "sample,class", "-o", "cells.npy").code == 0
    right = [[EACH[0], np.nan], [EACH[1], EACH[2]], [np.nan, np.nan]]
    np.testing.assert_allclose(np.load("cells.npy"), right, rtol=1e-15)


def test_output_shows_a_missing_target_as_missing(compute, tables):
    lines = compute("bce", *tables, "--missing", "ignore", "-f", "csv").out.splitlines()
    assert [line.split(",")[:3] for line in lines] == [
        ["sample", "target_a", "target_b"],
        ["0", "1.0", "NaN"],
        ["1", "0.0", "1.0"],
    ]


def test_an_empty_cell_names_the_option(compute, tables):
    compute("bce", *tables).refuses(3, 't.csv:4, column "a"', "a missing value?", "--missing ignore")


def test_a_missing_number_names_the_option(compute, arrays):
    compute("mse", *arrays).refuses(3, "t.npy[0, 1]", "--missing ignore")
    compute("bce", *arrays).refuses(3, "t.npy[0, 1]", "--missing ignore")


def test_check_counts_what_exists(run, arrays):
    out = run("check", *arrays, "--missing", "ignore", "-f", "json").json
    assert out["read_as"]["loss"] == "sigmoid-cross-entropy"
    assert out["targets"]["positives"] == {"0": 1, "1": 1}
    assert out["accuracy"] == pytest.approx(2 / 3)
    assert out["loss"] == pytest.approx(sum(EACH) / 3)


def test_a_label_can_stand_for_what_is_missing(compute, save, arrays):
    holes = save("minus.npy", np.nan_to_num(HOLES, nan=-1))
    words = ("bce", arrays[0], holes, "--missing", "ignore", "--ignore-index", "-1")
    assert compute(*words).json["value"] == compute("bce", *arrays, "--missing", "ignore").json["value"]
    compute("bce", arrays[0], holes, "--ignore-index", "-1").refuses(2, "--missing ignore")


def test_a_label_and_nan_may_both_stand_for_it(compute, save, arrays):
    both = save("both.npy", [[1.0, -1], [0.0, 1.0], [np.nan, np.nan]])
    words = ("bce", arrays[0], both, "--missing", "ignore", "--ignore-index", "-1")
    assert compute(*words).json["value"] == compute("bce", *arrays, "--missing", "ignore").json["value"]


def test_a_mask_leaves_out_others(compute, save, arrays):
    mask = save("m.npy", [[1, 1], [0, 1], [1, 1]])
    found = compute("bce", *arrays, "--missing", "ignore", "--mask", mask, "-f", "value").value
    assert found == pytest.approx((EACH[0] + EACH[2]) / 2, rel=1e-15)


def test_weights_of_elements_come_from_tables_too(compute, write, save):
    p, t = write("p.csv", "a,b\n2,-1\n0.5,3\n"), write("t.csv", "a,b\n1,0\n0,1\n")
    w = write("w.csv", "a,b\n1,2\n3,0\n")
    each, weights = [loss(2, 1), loss(-1, 0), loss(0.5, 0), loss(3, 1)], [1, 2, 3, 0]
    right = sum(one * weight for one, weight in zip(each, weights, strict=True)) / 6
    assert compute("bce", p, t, "--sample-weight", w).json["value"] == pytest.approx(right, rel=1e-15)
    arrays = save("p.npy", [[2.0, -1], [0.5, 3]]), save("t.npy", [[1, 0], [0, 1]]), save("w.npy", [[1.0, 2], [3, 0]])
    assert compute("bce", *arrays[:2], "--sample-weight", arrays[2]).json["value"] == pytest.approx(right, rel=1e-15)


def test_the_sum_of_a_sample_has_no_perplexity(compute, save):
    p, t = save("p.npy", np.zeros((2, 3, 4))), save("t.npy", np.zeros((2, 3), int))
    words = ("ce", p, t, "--class-axis", "-1", "--per", "sample")
    assert compute(*words).json["summary"]["perplexity"] == pytest.approx(4)
    assert "perplexity" not in compute(*words, "--over-positions", "sum").json["summary"]
