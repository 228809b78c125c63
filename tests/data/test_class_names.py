"""Which column is which class: names from a header, from --classes or from a file, and labels that begin with 1."""

import math

import numpy as np
import polars as pl
import pytest
from by_hand import cross_entropy, near

LOGITS = [[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]]
LOSSES = [[math.log(sum(math.exp(z) for z in row)) - row[k] for k in range(3)] for row in LOGITS]


def mean(*columns: int) -> float:
    """The mean loss where row i is of the class of column columns[i]."""
    return sum(LOSSES[i][k] for i, k in enumerate(columns)) / 3


@pytest.fixture(autouse=True)
def files(save, write):
    save("z.npy", np.array(LOGITS))
    write("z.csv", "cat,dog,eel\n" + "".join(",".join(map(str, row)) + "\n" for row in LOGITS))
    write("y.csv", "label\ndog\neel\ncat\n")


class TestNames:
    def test_name_columns_that_have_none(self, compute):
        assert compute("ce", "z.npy", "y.csv", "--classes", "cat,dog,eel").json["value"] == pytest.approx(mean(1, 2, 0))

    def test_another_order_reorders(self, compute):
        assert compute("ce", "z.npy", "y.csv", "--classes", "dog,cat,eel").json["value"] == pytest.approx(mean(0, 2, 1))
        assert compute("ce", "z.npy", "y.csv", "--classes", "eel,cat,dog").json["value"] == pytest.approx(mean(2, 0, 1))

    def test_are_in_the_receipt_and_in_rows(self, compute):
        assert compute("ce", "z.npy", "y.csv", "--classes", "dog,cat,eel").json["receipt"]["classes"] == [
            "dog",
            "cat",
            "eel",
        ]
        rows = compute("ce", "z.npy", "y.csv", "--classes", "dog,cat,eel", "-f", "jsonl").lines
        assert [row["target"] for row in rows] == ["dog", "eel", "cat"]

    @pytest.mark.parametrize(
        "content",
        ["dog\ncat\neel\n", "dog\ncat\neel", "\ufeffdog\r\ncat\r\neel\r\n", '"dog"\ncat\neel\n', "dog,cat,eel\n"],
    )
    def test_of_a_file(self, compute, write, content):
        write("names.txt", content)
        assert compute("ce", "z.npy", "y.csv", "--classes", "names.txt").json["value"] == pytest.approx(mean(0, 2, 1))

    def test_with_commas(self, compute, write):
        write("y.csv", 'label\n"dog, brown"\neel\ncat\n')
        words = ("--classes", '"dog, brown",cat,eel')
        assert compute("ce", "z.npy", "y.csv", *words).json["value"] == pytest.approx(mean(0, 2, 1))

    def test_bring_columns_with_names_into_their_order(self, compute, save):
        # Names meet names whatever the order; an index counts along --classes.
        for order in ("cat,dog,eel", "eel,dog,cat"):
            assert compute("ce", "z.csv", "y.csv", "--classes", order).json["value"] == pytest.approx(mean(1, 2, 0))
        save("y.npy", [0, 1, 2])
        assert compute("ce", "z.csv", "y.npy").json["value"] == pytest.approx(mean(0, 1, 2))
        assert compute("ce", "z.csv", "y.npy", "--classes", "eel,cat,dog").json["value"] == pytest.approx(mean(2, 0, 1))

    def test_of_one_hot_columns_without_names(self, compute, save):
        save("y.npy", np.eye(3))
        assert compute("ce", "z.csv", "y.npy", "--classes", "eel,cat,dog").json["value"] == pytest.approx(mean(2, 0, 1))

    def test_meet_the_names_of_one_hot_columns(self, compute, write):
        write("y.csv", "eel,cat,dog\n1,0,0\n0,1,0\n0,0,1\n")
        assert compute("ce", "z.npy", "y.csv", "--classes", "cat,dog,eel").json["value"] == pytest.approx(mean(2, 0, 1))

    def test_leave_the_gradient_in_the_order_of_the_file(self, compute, save, folder):
        save("y.npy", [0, 1, 2])
        p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
        expected = p - np.eye(3)[[2, 0, 1]]
        for gradient in ("g.npy", "g.csv"):
            compute("ce", "z.csv", "y.npy", "--classes", "eel,cat,dog", "--gradient", gradient)
        assert np.load(folder / "g.npy") == pytest.approx(expected)
        assert (folder / "g.csv").read_text().splitlines()[0] == "cat,dog,eel"
        assert np.loadtxt(folder / "g.csv", delimiter=",", skiprows=1) == pytest.approx(expected)

    def test_weigh_classes(self, compute):
        words = ("--classes", "dog,cat,eel", "--class-weight", "dog=2,eel=0")
        expected = (2 * LOSSES[0][0] + LOSSES[2][1]) / 3
        assert compute("ce", "z.npy", "y.csv", *words).json["value"] == pytest.approx(expected)

    @pytest.mark.parametrize("option", ["x_dog=2,x_eel=0", "dog=2,eel=0", "p_x_dog=2,p_x_eel=0"])
    def test_weigh_classes_by_any_of_their_names(self, compute, write, option):
        write("z.csv", "p_x_cat,p_x_dog,p_x_eel\n" + "".join(",".join(map(str, row)) + "\n" for row in LOGITS))
        words = ("--classes", "x_cat,x_dog,x_eel", "--class-weight", option)
        weighed = compute("ce", "z.csv", "y.csv", *words).json
        plain = compute("ce", "z.csv", "y.csv", "--class-weight", "p_x_dog=2,p_x_eel=0").json
        assert weighed["value"] == plain["value"]
        assert weighed["receipt"]["class_weight"] == [1.0, 2.0, 0.0]

    def test_a_digit_of_another_script_is_no_index(self, compute, write):
        write("y.csv", "0\n1\u0663\n")
        write("z.csv", "1,2\n2,1\n")
        compute("ce", "z.csv", "y.csv", "--no-header").refuses(3, "y.csv:2", "not a class index")

    def test_call_columns_that_have_names_of_their_own(self, compute, write):
        write("z.csv", "out_0,out_1,out_2\n" + "".join(",".join(map(str, row)) + "\n" for row in LOGITS))
        done = compute("ce", "z.csv", "y.csv", "--classes", "dog,cat,eel")
        assert done.json["value"] == pytest.approx(mean(0, 2, 1))
        assert "called by --classes" in done.err

    def test_remove_a_prefix(self, compute, write):
        write("z.csv", "p_cat,p_dog,p_eel\n" + "".join(",".join(map(str, row)) + "\n" for row in LOGITS))
        done = compute("ce", "z.csv", "y.csv", "--classes", "eel,dog,cat").json
        assert done["value"] == pytest.approx(mean(1, 2, 0))

    def test_name_centers(self, compute, save):
        save("x.npy", [[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]])
        save("c.npy", [[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
        words = ("center", "x.npy", "y.csv", "--centers", "c.npy", "--classes")
        assert compute(*words, "dog,eel,cat").json["value"] == pytest.approx(0.5 / 3)
        assert compute(*words, "eel,dog,cat").json["value"] == pytest.approx((0.5 + 1) / 3)

    def test_name_outputs(self, compute, save, write):
        save("z2.npy", [[1.0, -1.0], [0.0, 2.0]])
        write("t.csv", "wet,cold\n0,1\n1,0\n")
        soft = lambda z: math.log1p(math.exp(z))  # noqa: E731
        found = compute("bce", "z2.npy", "t.csv", "--classes", "cold,wet").json["value"]
        assert found == pytest.approx((soft(-1) + soft(-1) + soft(0) + soft(-2)) / 4)

    def test_say_which_of_two_is_positive(self, compute, save, write):
        save("s.npy", [2.0, -1.0, 0.5])
        write("y.csv", "label\nspam\nham\nham\n")
        soft = lambda z: math.log1p(math.exp(z))  # noqa: E731
        done = compute("bce", "s.npy", "y.csv", "--classes", "ham,spam", "--per-sample").json
        assert done["value"] == pytest.approx((soft(-2) + soft(-1) + soft(0.5)) / 3)
        assert [row["target"] for row in done["rows"]] == ["spam", "ham", "ham"]
        turned = compute("bce", "s.npy", "y.csv", "--classes", "spam,ham").json["value"]
        assert turned == pytest.approx((soft(2) + soft(1) + soft(-0.5)) / 3)
        weighed = compute("bce", "s.npy", "y.csv", "--classes", "ham,spam", "--class-weight", "spam=3").json["value"]
        assert weighed == pytest.approx((3 * soft(-2) + soft(-1) + soft(0.5)) / 5)

    @pytest.mark.parametrize("loss", ["hinge", "squared-hinge", "logistic", "zero-one"])
    def test_say_which_side_of_a_margin_is_positive(self, compute, save, write, loss):
        s = save("s.npy", [2.0, -3.0, 0.5])
        write("y.csv", "label\nno\nno\nyes\n")
        named = compute(loss, s, "y.csv", "--classes", "no,yes", "-f", "csv").out
        numbered = compute(loss, s, save("t.npy", [0, 0, 1]), "-f", "csv").out
        assert [line.split(",")[2] for line in named.split()] == [line.split(",")[2] for line in numbered.split()]

    def test_are_part_of_the_signature(self, compute, save):
        save("y.npy", [0, 1, 1])
        signatures = {
            compute("ce", "z.csv", "y.npy", *words).json["signature"]
            for words in ((), ("--classes", "eel,dog,cat"), ("--classes", "cat,dog,eel"))
        }
        assert len(signatures) == 3
        assert "label-base:1" in compute("ce", "z.npy", save("o.npy", [1, 2, 3]), "--label-base", "1").json["signature"]

    def test_with_blanks_around_them(self, compute, write):
        assert compute("ce", "z.npy", "y.csv", "--classes", "dog, cat , eel").json["value"] == pytest.approx(
            mean(0, 2, 1)
        )
        write("names.txt", "dog\n cat\neel\n\n")
        assert compute("ce", "z.npy", "y.csv", "--classes", "names.txt").json["value"] == pytest.approx(mean(0, 2, 1))


class TestWrongNames:
    @pytest.mark.parametrize(
        ("content", "parts"),
        [
            ("cat, black\ndog\neel\n", ("names.txt:1", "2 names", "quotes")),
            ("cat\ndog,x\neel\n", ("names.txt:2", "2 names")),
            ("cat\n\ndog\neel\n", ("names.txt:2", "no name")),
        ],
    )
    def test_lines_of_a_file_that_are_no_name(self, compute, write, content, parts):
        write("names.txt", content)
        compute("ce", "z.npy", "y.csv", "--classes", "names.txt").refuses(3, *parts)

    def test_a_quote_that_is_never_closed(self, compute, write):
        write("names.txt", '"cat\ndog\neel\n')
        compute("ce", "z.npy", "y.csv", "--classes", "names.txt").refuses(2, "names.txt", "quotes")

    @pytest.mark.parametrize("name", ["classes.txt", "folder/names"])
    def test_a_file_that_is_missing(self, compute, name):
        compute("ce", "z.npy", "y.csv", "--classes", name).refuses(3, name, "no such file")

    def test_another_number_of_them(self, compute):
        compute("ce", "z.npy", "y.csv", "--classes", "cat,dog").refuses(3, "2 names", "3 columns", "z.npy")
        compute("ce", "z.csv", "y.csv", "--classes", "cat,dog").refuses(3, "2 names", "3 columns", "z.csv")

    def test_of_a_header_only_in_part(self, compute):
        compute("ce", "z.csv", "y.csv", "--classes", "cat,dog,eal").refuses(3, "'eal'", "z.csv", "did you mean eel")

    @pytest.mark.parametrize(("text", "part"), [("cat,,eel", "empty"), ("cat,cat,eel", "twice"), ("", "empty")])
    def test_empty_and_doubled(self, compute, text, part):
        compute("ce", "z.npy", "y.csv", "--classes", text).refuses(2, "--classes", part)

    def test_a_label_that_is_none(self, compute):
        compute("ce", "z.npy", "y.csv", "--classes", "cat,dog,emu").refuses(3, "y.csv:3", "'eel'", "cat, dog, emu")

    def test_names_are_asked_for(self, compute):
        compute("ce", "z.npy", "y.csv").refuses(3, "y.csv:2", "--classes")

    def test_columns_with_other_names_never_meet_by_position(self, compute, write):
        write("y.csv", "a,b,c\n1,0,0\n0,1,0\n0,0,1\n")
        compute("ce", "z.csv", "y.csv").refuses(3, "y.csv", "a, b, c", "cat, dog, eel", "never meet by position")
        write("y.csv", "cat,dog,ell\n1,0,0\n0,1,0\n0,0,1\n")
        compute("ce", "z.csv", "y.csv").refuses(3, "never meet by position", "did you mean eel")
        compute("mse", "z.csv", "y.csv").refuses(3, "never meet by position")

    def test_losses_without_classes_take_none(self, compute):
        compute("mse", "z.npy", "z.npy", "--classes", "a,b,c").refuses(2, "--classes")

    def test_a_file_of_several_columns(self, compute, write):
        write("names.csv", "dog,1\ncat,2\neel,3\n")
        compute("ce", "z.npy", "y.csv", "--classes", "names.csv").refuses(3, "names.csv:1", "one name a line")

    def test_the_file_is_no_output(self, compute, write):
        write("names.csv", "dog\ncat\neel\n")
        words = ("--classes", "names.csv", "-o", "names.csv")
        compute("ce", "z.npy", "y.csv", *words).refuses(2, "names.csv", "input")


class TestLabelsFromOne:
    @pytest.mark.parametrize("dtype", ["u1", "i8", "f4", ">i2"])
    def test_are_the_labels_from_zero(self, compute, save, dtype):
        save("y.npy", [2, 3, 1], dtype)
        done = compute("ce", "z.npy", "y.npy", "--label-base", "1", "--per-sample").json
        assert done["value"] == pytest.approx(mean(1, 2, 0))
        assert [row["target"] for row in done["rows"]] == [2, 3, 1]
        assert done["receipt"]["label_base"] == 1
        assert done["receipt"]["classes"] == ["1", "2", "3"]
        named = compute("ce", "z.npy", "y.npy", "--label-base", "1", "--classes", "cat,dog,owl").json
        assert (named["value"], named["receipt"]["classes"]) == (done["value"], ["cat", "dog", "owl"])

    def test_in_text(self, compute, write):
        write("y.csv", "label\n2\n3\n1\n")
        done = compute("ce", "z.npy", "y.csv", "--label-base", "1", "--class-weight", "1=0")
        assert done.json["value"] == pytest.approx((LOSSES[0][1] + LOSSES[1][2]) / 2)

    def test_of_text_are_written_as_they_stand(self, compute, write):
        write("y.csv", "label\n2\nnone\n1\n")
        words = ("--label-base", "1", "--ignore-index", "none", "--per-sample")
        rows = compute("ce", "z.npy", "y.csv", *words).json["rows"]
        assert [row["target"] for row in rows] == [2, 1]

    def test_all_of_text_may_be_ignored(self, compute, write):
        write("y.csv", "label\nnone\nnone\nnone\n")
        compute("ce", "z.npy", "y.csv", "--ignore-index", "none").refuses(3, "all 3 rows are ignored")

    def test_ignored_labels_are_as_they_stand(self, compute, save):
        save("y.npy", np.array([2, 255, 1], "u1"))
        done = compute("ce", "z.npy", "y.npy", "--label-base", "1", "--ignore-index", "255").json
        assert (done["value"], done["ignored"]) == (pytest.approx((LOSSES[0][1] + LOSSES[2][0]) / 2), 1)
        save("y.npy", np.array([2, 3, 1], "u1"))
        done = compute("ce", "z.npy", "y.npy", "--label-base", "1", "--ignore-index", "1").json
        assert (done["value"], done["ignored"]) == (pytest.approx((LOSSES[0][1] + LOSSES[1][2]) / 2), 1)

    def test_of_outputs(self, compute, save):
        save("y.npy", [2, 3, 1])
        same = compute("bce", "z.npy", save("y0.npy", [1, 2, 0])).json["value"]
        assert compute("bce", "z.npy", "y.npy", "--label-base", "1").json["value"] == same

    def test_zero_is_none_of_them(self, compute, save, write):
        save("y.npy", [2, 0, 1])
        words = ("--label-base", "1")
        compute("ce", "z.npy", "y.npy", *words).refuses(3, "y.npy[1]", "label 0", "1 ... 3", "leave out --label-base")
        save("y.npy", [2, 4, 1])
        compute("ce", "z.npy", "y.npy", *words).refuses(3, "y.npy[1]", "label 4", "1 ... 3")
        save("y.npy", [1, 0, 1])
        assert "--ignore-index" not in compute("ce", "z.npy", "y.npy", *words).err
        text = write("t.csv", "label\n2\n0\n1\n")
        compute("ce", "z.npy", text, *words).refuses(3, "t.csv:3", "label 0", "1 ... 3", "leave out --label-base")

    def test_are_suggested(self, compute, save):
        compute("ce", "z.npy", save("y.npy", [2, 3, 1])).refuses(3, "y.npy[1]", "--label-base 1")

    def test_have_no_meaning_for_names_and_rows(self, compute, save):
        words = ("--label-base", "1")
        compute("ce", "z.csv", "y.csv", *words).refuses(2, "--label-base", "names")
        compute("ce", "z.npy", save("y.npy", np.eye(3)), *words).refuses(2, "--label-base", "y.npy")
        compute("bce", save("s.npy", [1.0, 2.0]), save("t.npy", [0, 1]), *words).refuses(2, "--label-base")

    def test_other_numbers(self, compute, save):
        compute("ce", "z.npy", save("y.npy", [2, 3, 1]), "--label-base", "2").refuses(2, "--label-base 2")


def test_names_and_indices_go_together(compute, write):
    write("y.csv", "label\n007\n7\nNA\n")
    done = compute("ce", "z.npy", "y.csv", "--classes", "7,NA,007", "-f", "jsonl").lines
    assert [row["target"] for row in done] == ["007", "7", "NA"]
    assert [row["loss"] for row in done] == pytest.approx([LOSSES[0][2], LOSSES[1][0], LOSSES[2][1]])


class TestLabelsOfFiles:
    def test_labels_that_are_an_array_of_bytes_are_names(self, compute, write, save):
        p = write("p.csv", "cat,dog\n0,1\n0,1\n")
        found = compute("ce", p, save("t.npy", [b"dog", b"cat"])).json
        assert found["value"] == near((math.log1p(math.exp(-1)) + math.log1p(math.exp(1))) / 2)


LABELS = "label\ndog\ncat\n"


# Rows (1, 2) of class 1 and (3, 5) of class 0: the example of most tests here.
EXPECTED = pytest.approx((cross_entropy([1, 2], 1) + cross_entropy([3, 5], 0)) / 2, rel=1e-12)


@pytest.mark.quick
class TestNamesInTables:
    @pytest.mark.parametrize(
        ("header", "labels"),
        [
            ("cat,dog", ("dog", "cat")),
            ("p_cat,p_dog", ("dog", "cat")),
            ("p_cat,p_dog", ("p_dog", "p_cat")),
            ("logit_class_0,logit_class_1", ("class_1", "class_0")),
            ("logit_class_0,logit_class_1", ("1", "0")),
            ("a_b_cat,a_b_dog", ("b_dog", "b_cat")),
            ("p_0,p_1", ("1", "0")),
            ("class NA,NA", ("NA", "class NA")),
            ("null,None", ("None", "null")),
            ('"a, b",c', ("c", '"a, b"')),
            ('"say ""hi""",c', ("c", '"say ""hi"""')),
            ("[bold],[/INST]", ("[/INST]", "[bold]")),
            ("7,007", ("007", "7")),
            ("1.0,1", ("1", "1.0")),
            ("Ärger,猫", ("猫", "Ärger")),
            ("cat,Cat", ("Cat", "cat")),
        ],
    )
    def test_names_match_as_they_stand_or_after_one_prefix(self, compute, write, header, labels):
        p = write("p.csv", f"{header}\n1,2\n3,5\n")
        t = write("t.csv", "label\n" + "\n".join(labels) + "\n")
        assert compute("ce", p, t, "--header", "-f", "value").value == EXPECTED

    def test_a_mean_of_names_that_a_reader_would_help_with_is_kept_in_the_output(self, compute, write):
        p, t = write("p.csv", "NA,007\n1,2\n3,5\n"), write("t.csv", "label\n007\nNA\n")
        assert [row["target"] for row in compute("ce", p, t, "-f", "jsonl").lines] == ["007", "NA"]

    def test_007_is_not_7(self, compute, write):
        p, t = write("p.csv", "c_7,c_8\n1,2\n3,5\n"), write("t.csv", "label\n8\n007\n")
        compute("ce", p, t).refuses(3, "t.csv:3", "'007'", "7, 8")

    def test_007_is_no_index(self, compute, save, write):
        p, t = save("p.npy", [[1.0] * 8]), write("t.csv", "label\n007\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "'007'")

    def test_a_label_in_text_is_a_name_never_a_position(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n"), write("t.csv", "label\n1\n0\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "'1'", "cat", "dog")

    def test_a_label_of_an_integer_array_is_a_position(self, compute, write, save):
        p = write("p.csv", "cat,dog\n1,2\n3,5\n")
        assert compute("ce", p, save("t.npy", [1, 0]), "-f", "value").value == EXPECTED

    def test_an_unknown_label_is_placed_counted_and_answered_with_the_nearest(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n0,0\n"), write("t.csv", "label\ndog\ndgo\ndgo\n")
        compute("ce", p, t).refuses(3, "t.csv:3", "'dgo'", "did you mean dog?", "2 rows")

    def test_an_empty_label_is_no_class(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n0,0\n"), write("t.csv", 'label\ndog\n""\ncat\n')
        compute("ce", p, t).refuses(3, "t.csv:3", "empty")

    def test_class_order_is_the_columns_never_the_alphabet_s(self, compute, write):
        p, t = write("p.csv", "dog,cat\n2,1\n5,3\n"), write("t.csv", LABELS)
        assert compute("ce", p, t, "-f", "value").value == EXPECTED

    def test_one_hot_columns_are_matched_by_name(self, compute, write):
        p, t = write("p.csv", "p_cat,p_dog\n1,2\n3,5\n"), write("t.csv", "dog,cat\n1,0\n0,1\n")
        done = compute("ce", p, t)
        assert done.json["value"] == EXPECTED
        assert "order" in done.err

    def test_multi_label_columns_are_matched_by_name(self, compute, write):
        p, t = write("p.csv", "a,b\n0,7\n"), write("t.csv", "b,a\n7,0\n")
        assert compute("mse", p, t, "-f", "value").value == 0

    def test_columns_with_other_names_are_matched_by_position_with_a_note(self, compute, write):
        p, t = write("p.csv", "a,b\n0,7\n"), write("t.csv", "x,y\n0,7\n")
        done = compute("mse", p, t)
        assert done.json["value"] == 0
        assert "by position" in done.err

    def test_the_removed_prefix_is_in_the_receipt(self, compute, write):
        p, t = write("p.csv", "p_cat,p_dog\n1,2\n3,5\n"), write("t.csv", LABELS)
        receipt = compute("ce", p, t).json["receipt"]
        assert "p_" in receipt["targets"]["matched"]
        assert receipt["classes"] == ["cat", "dog"]


class TestTrims:
    """Columns whose names say more than the labels, at both ends, as libraries and people write them."""

    @pytest.mark.parametrize(
        "column",
        [
            "p.{}",
            "p={}",
            "p:{}",
            "p-{}",
            "Probability:Class={}",
            "proba[{}]",
            "prob({})",
            "p{{{}}}",
            "<{}>",
            "{}_prob",
            "{}.prob",
            "{} (probability)",
            "Class {}",
            "model_1/{}",
            "P(y = {})",
            "proba['{}']".replace("'", "_"),
        ],
    )
    @pytest.mark.parametrize("labels", [["dog", "cat"], ["1", "0"], ["b_2", "b_1"]])
    def test_what_all_names_share_is_left_out(self, compute, write, column, labels):
        header = ",".join(column.format(label) for label in labels[::-1])
        p, t = write("p.csv", f"{header}\n1,2\n3,5\n"), write("t.csv", "label\n" + "\n".join(labels) + "\n")
        found = compute("ce", p, t, "--header").json
        assert found["value"] == EXPECTED
        assert found["receipt"]["classes"] == labels[::-1]

    def test_both_ends_are_in_the_receipt(self, compute, write):
        p, t = write("p.csv", "proba[cat],proba[dog]\n1,2\n3,5\n"), write("t.csv", LABELS)
        assert (
            compute("ce", p, t).json["receipt"]["targets"]["matched"]
            == "by name, prefix 'proba[' and suffix ']' removed"
        )

    def test_the_case_of_what_is_left_out_does_not_matter(self, compute, write):
        p, t = write("p.csv", "Prob_cat,prob_dog\n1,2\n3,5\n"), write("t.csv", LABELS)
        found = compute("ce", p, t)
        assert (found.json["value"], found.err) == (EXPECTED, "")

    def test_names_in_another_case_match_with_a_note(self, compute, write):
        p, t = write("p.csv", "Prob_Cat,Prob_Dog\n1,2\n3,5\n"), write("t.csv", LABELS)
        found = compute("ce", p, t)
        assert found.json["value"] == EXPECTED
        assert "t.csv: labels are classes but for capital letters: 'dog' is 'Dog'" in found.err

    @pytest.mark.parametrize(
        ("header", "labels"), [("p_Cat,p_cat", "CAT\nCAT"), ("p_Cat,p_Dog", "cat\nCAT"), ("p_Cat,p_Dog", "cat\neel")]
    )
    def test_names_in_another_case_that_may_be_two_are_refused(self, compute, write, header, labels):
        p, t = write("p.csv", f"{header}\n1,2\n3,5\n"), write("t.csv", f"label\n{labels}\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "is not a class")

    def test_numbers_are_never_trimmed(self, compute, write):
        p, t = write("p.csv", "0.5,0.9\n1,2\n3,5\n"), write("t.csv", "label\n9\n5\n")
        compute("ce", p, t, "--header").refuses(3, "t.csv:2", "'9' is not a class")

    def test_blanks_around_labels_do_not_matter(self, compute, write):
        p, t = write("p.csv", "cat, dog\n1, 2\n3, 5\n"), write("t.csv", "id, label\nx, dog\ny,cat \n")
        assert compute("ce", p, f"{t}:label").json["value"] == EXPECTED

    def test_one_hot_columns_weights_and_classes_know_them(self, compute, write, save):
        p, t = write("p.csv", "proba[cat],proba[dog]\n1,2\n3,5\n"), write("t.csv", "is dog?,is cat?\n1,0\n0,1\n")
        assert compute("ce", p, t).json["value"] == EXPECTED
        labels = save("t.npy", [0, 1])
        assert compute("ce", p, labels, "--classes", "dog,cat").json["value"] == EXPECTED
        weighted = compute("ce", p, write("l.csv", LABELS), "--class-weight", "dog=0").json["value"]
        assert weighted == pytest.approx(np.log1p(np.exp(2)))


class TestNumbersAsNames:
    """Classes that are called 3, 4, 5: labels that are numbers are these names, in any kind of file."""

    @pytest.fixture(params=["t.npy", "t.parquet", "t.csv", "floats.npy"])
    def labels(self, request, save, write, folder):
        def make(numbers):
            if request.param.endswith("parquet"):
                pl.DataFrame({"label": numbers}).write_parquet(folder / request.param)
                return request.param
            if request.param.endswith("csv"):
                return write(request.param, "label\n" + "".join(f"{number}\n" for number in numbers))
            return save(request.param, numbers, float if request.param == "floats.npy" else int)

        return make

    def test_of_the_option(self, compute, save, labels):
        p = save("p.npy", [[1.0, 2.0], [3.0, 5.0]])
        found = compute("ce", p, labels([4, 3]), "--classes", "3,4")
        assert found.json["value"] == EXPECTED
        assert found.json["receipt"]["classes"] == ["3", "4"]

    def test_of_columns_in_another_order(self, compute, write, labels):
        p = write("p.csv", "prob_1,prob_0\n1,2\n3,5\n")
        assert compute("ce", p, labels([0, 1])).json["value"] == EXPECTED

    def test_of_columns_that_begin_with_1(self, compute, write, labels):
        p = write("p.csv", "prob_1,prob_2\n1,2\n3,5\n")
        assert compute("ce", p, labels([2, 1])).json["value"] == EXPECTED

    def test_some_may_be_left_out(self, compute, save, labels):
        p = save("p.npy", [[1.0, 2.0], [9.0, 9.0], [3.0, 5.0]])
        found = compute("ce", p, labels([4, -1, 3]), "--classes", "3,4", "--ignore-index", "-1").json
        assert (found["value"], found["ignored"]) == (EXPECTED, 1)

    def test_outputs_of_sigmoid_losses_and_targets(self, compute, run, save, labels):
        p, t = save("p.npy", [[1.0, 2.0], [3.0, 5.0]]), labels([4, 3])
        assert (
            compute("bce", p, t, "--classes", "3,4").json["value"]
            == compute("bce", p, save("i.npy", [1, 0]), "--columns", "*").json["value"]
        )
        assert run("targets", t, "--classes", "3,4").out.split() == ["3,4", "0.0,1.0", "1.0,0.0"]


def test_labels_that_may_be_names_or_positions_are_refused_until_the_names_are_said(compute, write, save):
    p, t = write("p.csv", "prob_1,prob_2,prob_3\n1,2,0\n3,5,1\n"), save("t.npy", [1, 2])
    compute("ce", p, t).refuses(3, "t.npy", "names of columns", "positions", "--classes 1,2,3")
    by_name = compute("ce", p, t, "--classes", "1,2,3").json["value"]
    assert by_name == compute("ce", p, write("t.csv", "label\n1\n2\n")).json["value"]
    by_position = compute("ce", p, save("z.npy", [0, 2])).json["value"]  # 0 is no name
    assert by_position == compute("ce", save("p.npy", [[1, 2, 0], [3, 5, 1]]), "z.npy").json["value"]


def test_the_label_0_may_be_a_name_or_a_position_too(compute, write, save):
    p, t = write("p.csv", "prob_0,prob_1,prob_3\n1,2,0\n3,5,1\n"), save("t.npy", [0, 1])
    compute("ce", p, t).refuses(3, "t.npy", "names of columns", "positions", "--classes 0,1,3")


class TestBlanks:
    """Blanks around labels do not make another class, wherever labels are read."""

    def test_of_groups(self, compute, save, write):
        p = save("p.npy", [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
        labels = write("t.csv", "label\na\n a\nb \nb\n")
        assert (
            compute("supcon", p, labels).json["value"]
            == compute("supcon", p, save("t.npy", [0, 0, 1, 1])).json["value"]
        )

    def test_of_centers_and_targets(self, run, save, write):
        p, labels = save("p.npy", [[1.0, 0.0], [3.0, 2.0], [0.0, 1.0]]), write("t.csv", "label\na\n a\nb \n")
        assert run("centers", p, labels, "-o", "c.csv").code == 0
        assert run("targets", labels).out.split() == ["a,b", "1.0,0.0", "1.0,0.0", "0.0,1.0"]
        found = run("compute", "center", p, labels, "--centers", "c.csv", "-f", "value")
        assert found.value == pytest.approx((1 + 1 + 0) / 3)  # the center of a is (2, 1): half of 1 + 1 for either row

    def test_of_a_label_to_leave_out(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n9,9\n3,5\n"), write("t.csv", "label\ndog\n NA\ncat\n")
        assert compute("ce", p, t, "--ignore-index", "NA").json["value"] == EXPECTED
