"""True and False, yes and no, where targets are 0 and 1: the number that 0 and 1 give."""

import math

import numpy as np
import pytest

PAIRS = ["True False", "true false", "TRUE FALSE", "yes no", "Yes No", "t f", "T F", "y n", "Y N"]
SCORES = [2.0, -1.0, 0.5]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("loss", ["bce", "hinge", "logistic", "focal", "zero-one"])
def test_words_give_the_number_of_0_and_1(compute, write, save, pair, loss):
    yes, no = pair.split()
    p, t = save("p.npy", SCORES), save("t.npy", [1, 0, 0])
    expected = compute(loss, p, t).json["value"]
    for text in (f"y\n{yes}\n{no}\n{no}\n", f"y\n {yes}\n{no} \n{no}\n"):
        assert compute(loss, p, write("t.csv", text)).json["value"] == expected
    assert compute("bce", p, "t.csv").json["value"] == pytest.approx(
        (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)) + math.log1p(math.exp(0.5))) / 3
    )


def test_several_outputs_may_have_several_pairs(compute, write, save):
    p = write("p.csv", "a,b,c\n2,-1,0.5\n0,1,-3\n")
    expected = compute("bce", p, save("t.npy", [[1, 0, 1], [0, 0, 1]])).json["value"]
    assert compute("bce", p, write("t.csv", "a,b,c\nTrue,no,1\nFalse,no,1\n")).json["value"] == expected
    assert compute("bce", p, write("r.csv", "c,b,a\n1,no,True\n1,no,False\n")).json["value"] == expected


def test_joined_by_ids(compute, write):
    p = write("p.csv", "id,z\nx,2\ny,-1\n")
    t, n = write("t.csv", "id,y\ny,no\nx,yes\n"), write("n.csv", "id,y\ny,0\nx,1\n")
    assert compute("bce", p, t, "--id", "id").json["value"] == compute("bce", p, n, "--id", "id").json["value"]


def test_a_label_may_be_left_out(compute, write, save):
    p, t = save("p.npy", SCORES), write("t.csv", "y\nTrue\nNA\nFalse\n")
    found = compute("bce", p, t, "--ignore-index", "NA").json
    assert (found["samples"], found["ignored"]) == (2, 1)
    assert found["value"] == compute("bce", save("q.npy", [2.0, 0.5]), save("u.npy", [1, 0])).json["value"]


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (["True", "False", "maybe"], ("t.csv:4", "'maybe' beside 'True'", "True and False")),
        (["True", "1", "False"], ("t.csv:3", "'1' beside 'True'")),
        (["yes", "False", "no"], ("t.csv:3", "'False' beside 'yes'")),
        (["on", "off", "on"], ("t.csv:2", "'on' is not a number", "0 and 1", "--classes NEGATIVE,POSITIVE")),
        (["True", "", "False"], ("t.csv:3", "empty")),
    ],
)
def test_other_words_are_refused(compute, write, save, cells, parts):
    p = save("p.npy", SCORES)
    compute("bce", p, write("t.csv", "y,x\n" + "".join(f"{cell},0\n" for cell in cells)) + ":y").refuses(3, *parts)


def test_names_of_classes_stay_names(compute, write):
    p, t = write("p.csv", "no,yes\n2,0.5\n-1,1\n"), write("t.csv", "y\nyes\nno\n")
    expected = (math.log1p(math.exp(1.5)) + math.log1p(math.exp(2))) / 2
    assert compute("ce", p, t).json["value"] == pytest.approx(expected)


def test_names_of_two_classes_stay_names(compute, write, save):
    p, t = save("p.npy", [2.0, -1.0]), write("t.csv", "y\nyes\nno\n")
    found = compute("bce", p, t, "--classes", "yes,no").json["value"]  # no is the positive one
    assert found == compute("bce", p, save("t.npy", [0, 1])).json["value"]


def test_words_are_no_numbers_for_a_residual_loss(compute, write, save):
    compute("mse", save("p.npy", [2.0, -1.0]), write("t.csv", "y\nyes\nno\n")).refuses(3, "t.csv:2", "'yes'")


def test_check_reads_them(run, write, save):
    found = run(
        "check", save("p.npy", np.linspace(-3, 3, 6)), write("t.csv", "y\n" + "no\n" * 3 + "yes\n" * 3), "-f", "json"
    )
    assert found.code == 0
    assert found.json["targets"]["kind"] == "binary"
    p = save("q.npy", np.linspace(-3, 3, 12).reshape(6, 2))
    found = run("check", p, write("t.csv", "a,b\n" + "no,no\n" * 3 + "yes,yes\n" * 3), "-f", "json")
    assert found.json["targets"]["kind"] == "binary"


def test_rows_that_a_join_leaves_out(compute, write):
    p, t = write("p.csv", "id,a,b\nx,2,-1\ny,0,1\n"), write("t.csv", "id,a,b\ny,no,True\nz,yes,False\nx,no,True\n")
    n = write("n.csv", "id,a,b\ny,0,1\nx,0,1\n")
    words = ("--id", "id", "--on-unmatched", "drop")
    assert compute("bce", p, t, *words).json["value"] == compute("bce", p, n, "--id", "id").json["value"]


def test_a_label_to_leave_out_needs_one_label_a_row(compute, write):
    p, t = write("p.csv", "a,b\n2,-1\n0,1\n"), write("t.csv", "a,b\nno,yes\nyes,NA\n")
    compute("bce", p, t, "--ignore-index", "NA").refuses(2, "t.csv", "--ignore-index", "2 targets per row")
