"""Corners that were wrong once: data that real people have, and zeros that meet infinities."""

import numpy as np
import polars as pl
import pytest


def test_one_output_a_row_has_two_classes_to_weigh(save, compute):
    """(n, 1) against (n, 1) is what Keras models give: class weights are those of the labels 0 and 1."""
    z, y = np.array([0.5, -1.0, 2.0, 0.1]), np.array([1, 0, 0, 1])
    save("z.npy", z)
    save("y.npy", y)
    save("z1.npy", z[:, None])
    save("y1.npy", y[:, None])
    for weights in ("balanced", "0=1,1=5"):
        flat = compute("bce", "z.npy", "y.npy", "--class-weight", weights)
        column = compute("bce", "z1.npy", "y1.npy", "--class-weight", weights, "--gradient", "g.npy")
        assert column.json["value"] == flat.json["value"]
        assert np.load("g.npy").shape == (4, 1)
    losses = np.logaddexp(0, np.where(y == 1, -z, z))
    np.testing.assert_allclose(flat.json["value"], np.average(losses, weights=np.where(y == 1, 5, 1)), rtol=1e-12)


@pytest.mark.parametrize("options", [["--pos-weight", "0"], ["--class-weight", "0=0"]])
def test_a_weight_of_zero_times_an_infinite_loss_is_zero(save, compute, options):
    save("p.npy", np.array([[0.0, 0.5], [0.5, 0.5]]))
    save("t.npy", np.array([[1, 0], [1, 1]]))
    done = compute("bce", "p.npy", "t.npy", "--from", "probs", "--gradient", "g.npy", *options)
    assert done.code == 0
    assert done.json["summary"]["max"] is not None
    assert not np.isnan(np.load("g.npy")).any()
    assert np.load("g.npy")[0, 0] == 0


def test_an_alpha_of_zero_times_an_infinite_loss_is_zero(save, compute):
    save("p.npy", np.array([0.0, 0.5]))
    save("t.npy", np.array([1, 0]))
    done = compute("focal", "p.npy", "t.npy", "--from", "probs", "--alpha", "0")
    # Of alpha = 0 only the negative term is left: (1 - alpha) p^2 (-log q) at p = 1/2.
    np.testing.assert_allclose(done.json["value"], 0.25 * np.log(2) / 2, rtol=1e-14)


@pytest.mark.parametrize(
    "words",
    [
        ("bce", "--pos-weight", "0"),
        ("bce", "--class-weight", "0=0"),
        ("focal", "--alpha", "0"),
        ("hinge", "--class-weight", "0=0"),
    ],
)
def test_a_weight_of_zero_does_not_hide_a_nan(save, run, words):
    loss, *options = words
    save("p.npy", np.array([[np.nan, 0.5], [0.5, 0.5]]))
    save("t.npy", np.array([[1, 0], [1, 1]]))
    run("compute", loss, "p.npy", "t.npy", *options).refuses(3, "p.npy[0, 0]", "NaN")


def test_centers_of_one_feature_may_stand_in_a_table(save, write, compute):
    save("x.npy", np.array([[1.0], [4.0]]))
    save("y.npy", np.array([0, 1]))
    write("c.csv", "class,a\nfirst,0\nsecond,2\n")
    assert compute("center", "x.npy", "y.npy", "--centers", "c.csv").json["value"] == (0.5 * 1 + 0.5 * 4) / 2


@pytest.mark.parametrize(("loss", "best"), [("mse", 1.5), ("mae", 1.5)])
def test_an_infinite_target_of_weight_zero_leaves_the_baseline_alone(save, compute, loss, best):
    save("p.npy", np.array([1.0, 2.0, 0.0]))
    save("t.npy", np.array([1.0, 2.0, np.inf]))
    save("w.npy", np.array([1.0, 1.0, 0.0]))
    assert compute(loss, "p.npy", "t.npy", "--sample-weight", "w.npy").json["baseline"]["prediction"] == best


def test_a_lone_0_above_fractions_may_be_a_header(write, run):
    write("p.csv", "0\n0.3\n0.7\n")
    assert run("compute", "mse", "p.csv", "0").code == 3
    assert run("compute", "mse", "p.csv", "0", "--header", "-f", "value").out == f"{(0.09 + 0.49) / 2}\n"
    write("labels.csv", "0\n1\n2\n")  # labels of whole numbers start with 0 often
    assert run("compute", "mse", "labels.csv", "0", "-f", "value").code == 0


def test_no_output_is_lost_where_names_are_alike(write, run):
    write("p.csv", "loss,loss_loss\n1,2\n3,4\n")
    lines = run("compute", "mse", "p.csv", "0", "--elements", "-f", "csv").out.splitlines()
    assert len(set(lines[0].split(","))) == 6
    assert sorted(map(float, lines[1].split(",")))[-3:] == [1.0, 2.5, 4.0]


def test_a_column_of_lists_is_refused_with_a_cure(run):
    pl.DataFrame({"p": [[0.1, 0.2], [0.3, 0.4]]}).write_parquet("p.parquet")
    done = run("compute", "mse", "p.parquet", "0")
    done.refuses(3, "p.parquet", '"p"', "one number each")


def test_parquet_of_float32_is_computed_in_float32(compute):
    pl.DataFrame({"p": np.array([0.1, 0.2], np.float32)}).write_parquet("p.parquet")
    assert compute("mse", "p.parquet", "0").json["receipt"]["computed_in"] == "float32"


def test_two_arrays_in_one_file_are_refused(save, write, run):
    data = save("a.npy", np.zeros((3, 2)))
    del data
    with open("a.npy", "rb") as file:
        once = file.read()
    with open("two.npy", "wb") as file:
        file.write(once + once)
    run("compute", "mse", "two.npy", "0").refuses(3, "two.npy", "several arrays")
    run("compute", "mse", "-", "0", stdin=once + once).refuses(3, "standard input", "several arrays")


def test_gaps_among_labels_can_be_ignored(save, write, compute):
    save("z.npy", np.array([[1.0, 0], [0, 1], [2, 0]]))
    save("y.npy", np.array([0.0, np.nan, 1.0]))
    write("y.csv", "label\n0\n\n1\n")
    by_nan = compute("ce", "z.npy", "y.npy", "--ignore-index", "nan").json
    by_gap = compute("ce", "z.npy", "y.csv", "--ignore-index", "").json
    assert by_nan["ignored"] == by_gap["ignored"] == 1
    expected = (np.log1p(np.exp(-1)) + np.log1p(np.exp(2))) / 2
    np.testing.assert_allclose([by_nan["value"], by_gap["value"]], expected, rtol=1e-14)


def test_class_weights_take_names_with_and_without_their_prefix(write, compute):
    write("p.csv", "c_0,c_1\n1,2\n3,1\n2,2\n")
    write("t.csv", "label\n0\n1\n1\n")
    short = compute("ce", "p.csv", "t.csv", "--class-weight", "1=3").json
    full = compute("ce", "p.csv", "t.csv", "--class-weight", "c_1=3").json
    assert short["denominator"] == full["denominator"] == 7
    assert short["value"] == full["value"]


def test_labels_that_are_all_positive_take_the_names_of_both_conventions(save, compute):
    save("s.npy", np.array([0.5, -0.5]))
    save("t.npy", np.array([1, 1]))
    assert compute("hinge", "s.npy", "t.npy", "--class-weight=-1=2,1=3").json["denominator"] == 6


def test_truth_values_of_parquet_are_indices(compute):
    pl.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]}).write_parquet("p.parquet")
    pl.DataFrame({"t": [True, False]}).write_parquet("t.parquet")
    np.testing.assert_allclose(
        compute("ce", "p.parquet", "t.parquet").json["numerator"],
        np.log1p(np.exp(1)) + np.log1p(np.exp(-1)),
        rtol=1e-14,
    )


def test_the_same_data_on_both_sides_is_said(save, run):
    save("s.npy", np.array([1.0, 2.0]))
    done = run("compute", "mse", "s.npy", "s.npy", "-f", "value")
    assert done.out == "0.0\n"
    assert "same data" in done.err


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a;b\n1,5;2,5\n2,5;3,5\n", "semicolons"),
        ('"cat","dog"\n"1",1.5,2\n"2",1,3\n', "one name too few"),
        ("sep=,\ncat,dog\n1,2\n", "sep="),
        ("a\n１\n", "is not a number"),
        ('a,b\n"1,000",2\n', "thousands"),
    ],
)
def test_tables_of_other_programs_are_refused_with_what_they_are(write, run, text, part):
    write("p.csv", text)
    done = run("compute", "mse", "p.csv", "0")
    done.refuses(3, "p.csv", part)


@pytest.mark.parametrize("name", ["model.pt", "preds.pkl", "preds.json", "preds.xlsx"])
def test_files_of_other_formats_are_refused_with_a_way_to_save_them(write, run, name):
    write(name, "1\n2\n")
    run("compute", "mse", name, "0").refuses(3, name, "does not read", "save it ")


def test_an_option_given_twice_is_refused(save, run):
    save("s.npy", np.array([1.0]))
    run("compute", "mse", "s.npy", "0", "-o", "a.md", "--output", "b.csv").refuses(2, "--output is given twice")


def test_an_option_of_other_losses_is_refused_with_theirs(save, run):
    save("s.npy", np.array([1.0]))
    run("compute", "mse", "s.npy", "0", "--pos-weight", "3").refuses(2, "mse takes no --pos-weight", "sigmoid")


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss", "BCEWithLogitsLoss", "SparseCategoricalCrossentropy"])
def test_names_of_classes_of_frameworks_are_understood(run, name):
    assert run("explain", name).code == 0


def test_centers_are_not_rounded_to_the_dtype_of_the_features(save, compute):
    """A difference is no better than the coarser of its two numbers, and here both are exact."""
    center = 1 + 2.0**-40
    save("x.npy", np.array([[1.0], [1.0]], np.float32))
    save("y.npy", np.array([0, 0]))
    save("c.npy", np.array([[center]]))
    found = compute("center", "x.npy", "y.npy", "--centers", "c.npy").json
    assert found["receipt"]["computed_in"] == "float64"
    assert found["value"] == 2.0**-81


@pytest.mark.parametrize("text", ["class,weight\ndog,4\ncat,1\n", "cat,dog\n1,4\n", "weight\n1\n4\n"])
def test_class_weights_of_a_table_in_three_forms(write, compute, text):
    write("p.csv", "cat,dog\n1,2\n3,1\n")
    write("t.csv", "label\ncat\ndog\n")
    write("w.csv", text)
    found = compute("ce", "p.csv", "t.csv", "--class-weight", "w.csv").json
    assert found["denominator"] == 5
    np.testing.assert_allclose(found["numerator"], np.log1p(np.exp(1)) + 4 * np.log1p(np.exp(2)), rtol=1e-14)
