"""`losscli targets`: rows by hand and in fractions, files that people have, and compute, to which they are labels."""

import os
import tracemalloc
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

MODES = ("uniform", "others", "half")


def near(expected, rel=1e-15, abs=0.0):
    return pytest.approx(expected, rel=rel, abs=abs)


@pytest.fixture
def targets(run):
    """Run `losscli targets ...`."""

    def call(*words, stdin=b""):
        return run("targets", *words, stdin=stdin)

    return call


def by_rule(index, k, amount, mode):
    """Smoothed targets in fractions, as the rules are written."""
    e = Fraction(amount)
    rows = [[Fraction(int(i == j)) for j in range(k)] for i in index]
    if mode == "others":
        return [[1 - e if t else e / (k - 1) for t in row] for row in rows]
    return [[t * (1 - e) + e / (k if mode == "uniform" else 2) for t in row] for row in rows]


class TestRows:
    def test_one_hot(self, targets, save):
        found = targets(save("y.npy", [2, 0, 1, 2]), "--classes", "3", "-o", "t.npy")
        assert (found.code, found.out, found.err) == (0, "", "")
        made = np.load("t.npy")
        assert made.dtype == np.float64
        assert made.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]

    def test_csv_on_standard_output(self, targets, save):
        found = targets(save("y.npy", [1, 0]), "--classes", "2", "--smoothing", "0.25")
        assert found.out == "class_0,class_1\n0.125,0.875\n0.875,0.125\n"

    @pytest.mark.parametrize(
        ("mode", "on", "off"), [("uniform", 0.8125, 0.0625), ("others", 0.75, 0.25 / 3), ("half", 0.875, 0.125)]
    )
    def test_smoothed_by_hand(self, targets, save, mode, on, off):
        targets(save("y.npy", [3]), "--classes", "4", "--smoothing", "0.25", "--smoothing-mode", mode, "-o", "t.npy")
        assert np.load("t.npy").tolist() == [[off, off, off, on]]

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("amount", [0.1, 0.3, 0.999, 1e-9])
    @pytest.mark.parametrize("k", [2, 3, 7, 1000])
    def test_smoothed_in_fractions(self, targets, save, mode, amount, k):
        index = [0, k - 1, k // 2]
        y = save("y.npy", index)
        targets(y, "--classes", str(k), "--smoothing", repr(amount), "--smoothing-mode", mode, "-o", "t.npy")
        expected = [list(map(float, row)) for row in by_rule(index, k, amount, mode)]
        assert np.load("t.npy") == near(np.array(expected), rel=4e-16, abs=1.2e-16)

    def test_csv_has_every_digit(self, targets, save):
        words = (save("y.npy", [0, 2]), "--classes", "3", "--smoothing", "0.1")
        targets(*words, "-o", "t.npy")
        targets(*words, "-o", "t.csv")
        assert pl.read_csv("t.csv").to_numpy().tobytes() == np.load("t.npy").tobytes()

    def test_names_in_the_order_of_the_option(self, targets, write):
        y = write("y.csv", "label\ndog\ncat\ndog\n")
        assert targets(y, "--classes", "dog,eel,cat").out == "dog,eel,cat\n1.0,0.0,0.0\n0.0,0.0,1.0\n1.0,0.0,0.0\n"
        names = write("names.txt", "eel\ndog\ncat\n")
        assert targets(y, "--classes", names).out.splitlines()[:2] == ["eel,dog,cat", "0.0,1.0,0.0"]

    def test_names_that_occur_are_sorted_and_said(self, targets, write):
        found = targets(write("y.csv", "label\nc10\nc2\nb\n"))
        assert found.out.splitlines()[0] == "b,c2,c10"
        assert "order of their names: b, c2, c10" in found.err
        assert targets("y.csv", "-q").err == ""

    def test_indices_with_names(self, targets, save):
        assert targets(save("y.npy", [1, 0]), "--classes", "cat,dog").out == "cat,dog\n0.0,1.0\n1.0,0.0\n"

    def test_labels_from_1(self, targets, save):
        found = targets(save("y.npy", [1, 3]), "--classes", "3", "--label-base", "1")
        assert found.out == "class_1,class_2,class_3\n1.0,0.0,0.0\n0.0,0.0,1.0\n"

    def test_a_file_wins_over_a_number(self, targets, write, save):
        write("3", "cat\ndog\n")
        assert targets(save("y.npy", [1]), "--classes", "3").out == "cat,dog\n0.0,1.0\n"

    def test_blocks_are_put_together(self, targets, save, monkeypatch):
        from losscli.analysis import encode_targets as encoding

        monkeypatch.setattr(encoding, "BATCH_BYTES", 100)
        index = np.random.default_rng(1).integers(0, 5, 101)
        y = save("y.npy", index)
        targets(y, "--classes", "5", "-o", "t.npy")
        assert np.load("t.npy").tolist() == np.eye(5)[index].tolist()
        targets(y, "--classes", "5", "-o", "t.csv")
        assert pl.read_csv("t.csv").to_numpy().tolist() == np.eye(5)[index].tolist()

    def test_ids_of_several_blocks(self, targets, write, monkeypatch):
        from losscli.analysis import encode_targets as encoding

        monkeypatch.setattr(encoding, "BATCH_BYTES", 64)
        rows = [(f"n{i}", "aab-b"[i % 5]) for i in range(23)]
        y = write("y.csv", "id,label\n" + "".join(f"{name},{label}\n" for name, label in rows))
        lines = targets(y, "--id", "id", "--ignore-index=-").out.splitlines()
        hot = {"a": "1.0,0.0", "b": "0.0,1.0"}
        assert lines == ["id,a,b", *(f"{name},{hot[label]}" for name, label in rows if label != "-")]


class TestComposes:
    """What is written gives compute the number that the labels give."""

    INDEX = np.random.default_rng(8).integers(0, 5, 200)
    LOGITS = np.random.default_rng(7).normal(size=(200, 5)) * 3 + 3 * np.eye(5)[INDEX]

    @pytest.mark.parametrize("suffix", ["npy", "csv"])
    @pytest.mark.parametrize("amount", ["0", "0.1", "0.7"])
    @pytest.mark.parametrize(
        ("loss", "mode"), [("ce", "uniform"), ("ce", "others"), *[("bce", mode) for mode in MODES]]
    )
    def test_like_label_smoothing(self, targets, compute, save, loss, mode, amount, suffix):
        p, y = save("p.npy", self.LOGITS), save("y.npy", self.INDEX)
        targets(y, "--classes", "5", "--smoothing", amount, "--smoothing-mode", mode, "-o", f"t.{suffix}")
        one = compute(loss, p, f"t.{suffix}", "--per-sample")
        other = compute(loss, p, y, "--label-smoothing", amount, "--smoothing-mode", mode, "--per-sample")
        assert [row["loss"] for row in one.json["rows"]] == near([row["loss"] for row in other.json["rows"]], rel=1e-14)
        assert one.json["value"] == near(other.json["value"], rel=1e-14)
        assert one.err == ""

    def test_float32_predictions(self, targets, compute, save):
        p, y = save("p.npy", self.LOGITS, np.float32), save("y.npy", self.INDEX)
        targets(y, "--classes", "5", "--smoothing", "0.1", "-o", "t.npy")
        value = compute("ce", p, y, "--label-smoothing", "0.1").json["value"]
        assert compute("ce", p, "t.npy").json["value"] == near(value, rel=1e-6)

    def test_one_hot_rows_are_recognised(self, targets, compute, save):
        p, y = save("p.npy", self.LOGITS), save("y.npy", self.INDEX)
        targets(y, "--classes", "5", "-o", "t.npy")
        one, other = compute("ce", p, "t.npy").json, compute("ce", p, y).json
        assert "targets:one-hot" in one["signature"]
        assert one["value"] == other["value"]

    def test_half_of_several_classes_is_for_sigmoid_losses(self, targets, compute, save):
        p, y = save("p.npy", self.LOGITS), save("y.npy", self.INDEX)
        words = ("--classes", "5", "--smoothing", "0.1", "--smoothing-mode", "half", "-o", "t.npy")
        found = targets(y, *words)
        assert "each row sum to 1.15" in found.err
        assert compute("ce", p, "t.npy").code == 3
        assert targets(save("y.npy", [0, 1]), "--classes", "2", *words[2:]).err == ""

    def test_columns_meet_by_name(self, targets, compute, write):
        p = write("p.csv", "logit_dog,logit_cat\n1.5,0.5\n-1,2\n")
        y = write("y.csv", "label\ncat\ndog\n")
        targets(y, "-o", "t.csv")
        assert compute("ce", p, "t.csv").json["value"] == near(compute("ce", p, y).json["value"])

    def test_numbered_columns_meet_numbered_columns(self, targets, compute, write, save):
        p, y = write("p.csv", "p_0,p_1,p_2\n1,2,3\n0,1,0\n"), save("y.npy", [2, 0])
        targets(y, "--classes", "3", "-o", "t.csv")
        assert compute("ce", p, "t.csv").json["value"] == compute("ce", p, y).json["value"]

    def test_rows_left_out_meet_by_id(self, targets, compute, write):
        p = write("p.csv", "id,cat,dog\nq,1,2\nr,0,1\ns,5,-1\n")
        y = write("y.csv", "id,label\ns,none\nr,cat\nq,dog\n")
        found = targets(y, "--classes", "cat,dog", "--id", "id", "--ignore-index", "none", "-o", "t.csv")
        assert found.code == 0
        with open("t.csv") as file:
            assert file.read() == "id,cat,dog\nr,1.0,0.0\nq,0.0,1.0\n"
        one = compute("ce", p, "t.csv", "--id", "id", "--on-unmatched", "drop").json
        other = compute("ce", p, y, "--id", "id", "--ignore-index", "none").json
        assert (one["value"], one["samples"]) == (other["value"], other["samples"]) == (other["value"], 2)

    def test_numbers_for_names_are_read_with_header(self, targets, compute, write):
        p = write("p.csv", "3,7\n1,2\n2,1\n")
        y = write("y.csv", "label\n7\n3\n")
        found = targets(y, "--classes", "3,7", "-o", "t.csv")
        assert "--header" in found.err
        one = compute("ce", p, "t.csv", "--header")
        assert one.json["value"] == compute("ce", p, y, "--header").json["value"]
        assert compute("ce", p, "t.csv").code == 3


class TestFiles:
    @pytest.mark.parametrize("dtype", ["u1", "i8", ">i4", "f2", ">f8", "?"])
    def test_dtypes(self, targets, save, dtype):
        found = targets(save("y.npy", [1, 0, 1], dtype), "--classes", "2")
        assert found.out == "class_0,class_1\n0.0,1.0\n1.0,0.0\n0.0,1.0\n"

    def test_a_column_of_an_array(self, targets, save):
        assert targets(save("y.npy", [[1], [0]]), "--classes", "2").out == "class_0,class_1\n0.0,1.0\n1.0,0.0\n"
        np.save("f.npy", np.asfortranarray([[1], [0]]))
        assert targets("f.npy", "--classes", "2").out.splitlines()[1] == "0.0,1.0"

    def test_bom_crlf_and_names_that_look_like_numbers_or_nothing(self, targets, write):
        y = write("y.csv", b'\xef\xbb\xbflabel\r\n007\r\nNA\r\n"a, b"\r\n007\r\n')
        assert targets(y).out.splitlines() == [
            '007,NA,"a, b"',
            "1.0,0.0,0.0",
            "0.0,1.0,0.0",
            "0.0,0.0,1.0",
            "1.0,0.0,0.0",
        ]

    def test_whole_numbers_in_text(self, targets, write):
        assert targets(write("y.csv", "1.0\n0\n2.\n"), "--classes", "3").out.splitlines()[1:] == [
            "0.0,1.0,0.0",
            "1.0,0.0,0.0",
            "0.0,0.0,1.0",
        ]

    def test_a_column_and_standard_input(self, targets, write):
        text = "id,label\na,dog\nb,cat\n"
        expected = "cat,dog\n0.0,1.0\n1.0,0.0\n"
        assert targets(write("y.csv", text) + ":label").out == expected
        assert targets("-:label", stdin=text.encode()).out == expected
        assert targets("y.csv", "--id", "id").out == "id,cat,dog\na,0.0,1.0\nb,1.0,0.0\n"

    def test_shards(self, targets, save):
        for number, index in ((2, [1]), (10, [0])):
            save(f"y-{number}.npy", index)
        assert targets("y-*.npy", "--classes", "2").out == "class_0,class_1\n0.0,1.0\n1.0,0.0\n"

    def test_parquet(self, targets):
        pl.DataFrame({"label": ["b", "a"], "n": [1, 0]}).write_parquet("y.parquet")
        assert targets("y.parquet:label").out == "a,b\n0.0,1.0\n1.0,0.0\n"
        assert targets("y.parquet:n", "--classes", "2").out == "class_0,class_1\n0.0,1.0\n1.0,0.0\n"

    def test_an_ignored_label_that_no_row_has_is_said(self, targets, write):
        found = targets(write("y.csv", "id,label\na,x\nb,y\n"), "--id", "id", "--ignore-index", "-1")
        assert "--ignore-index -1: no row has this label" in found.err

    @pytest.mark.parametrize("suffix", ["npy", "csv"])
    def test_memory_does_not_grow_with_the_file(self, targets, save, monkeypatch, suffix):
        from losscli.analysis import encode_targets as encoding

        monkeypatch.setattr(encoding, "BATCH_BYTES", 1 << 18)
        y = save("y.npy", np.arange(400_000) % 10, np.int8)
        targets(save("few.npy", [0]), "--classes", "10", "-o", f"few.{suffix}")  # imports
        tracemalloc.start()
        assert targets(y, "--classes", "10", "-o", f"t.{suffix}").code == 0
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20  # the targets are 32 MB

    def test_a_device(self, process, save):
        y = save("y.npy", [1, 0])
        found = process("targets", y, "--classes", "2", "-o", "/dev/stdout")
        assert (found.code, found.out) == (0, "class_0,class_1\n0.0,1.0\n1.0,0.0\n")


class TestRefused:
    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            ((), ("y.npy", "how many", "--classes K")),
            (("--classes", "0"), ("--classes 0", "2")),
            (("--classes", "1"), ("--classes 1", "one class")),
            (("--classes", "-3"), ("--classes -3", "whole number")),
            (("--classes", "2.5"), ("--classes 2.5", "whole number")),
            (("--classes", "9" * 5000), ("--classes 9", "whole number")),
            (("--classes", "cat"), ("--classes cat", "one class")),
            (("--classes", "a,,b"), ("--classes", "empty")),
            (("--classes", "a,b,a"), ("--classes", "'a' is named twice")),
            (("--classes", "3", "--smoothing", "1"), ("--smoothing 1 is not in [0, 1)",)),
            (("--classes", "3", "--smoothing", "-0.1"), ("--smoothing -0.1 is not in [0, 1)",)),
            (("--classes", "3", "--smoothing", "nan"), ("--smoothing nan is not in [0, 1)",)),
            (("--classes", "3", "--smoothing-mode", "none"), ("--smoothing-mode", "none")),
            (("--classes", "3", "--label-base", "2"), ("--label-base 2",)),
            (("--classes", "3", "--ignore-index", "2"), ("--ignore-index 2", "--id", "--on-unmatched drop")),
            (("--classes", "3", "-o", "t.json"), ("--output t.json", ".npy, .csv")),
            (("--classes", "3", "-o", "y.npy"), ("y.npy", "input")),
            (("--classes", "3", "--id", "id", "-o", "t.npy"), ("--output t.npy", "--id id", ".csv")),
        ],
        ids=lambda words: " ".join(words)[:40],
    )
    def test_usage(self, targets, save, words, parts):
        save("y.npy", [0, 1, 2])
        targets("y.npy", *words).refuses(2, *parts)

    @pytest.mark.parametrize(
        ("labels", "parts"),
        [
            ([0, 3, 1], ("y.npy[1]", "label 3 is not in 0 ... 2", "--classes says 3 classes")),
            ([1, 2, 3], ("label 3", "--label-base 1")),
            ([0, -1, 1], ("y.npy[1]", "label -1", "--ignore-index -1")),
            ([0, 0.5, 1], ("y.npy[1]", "0.5 is not a class index")),
            ([0, 1, np.nan], ("y.npy[2]", "NaN")),
            ([0, np.inf, 1], ("y.npy[1]", "inf")),
            ([[0, 1], [1, 0]], ("y.npy", "2 columns", "one label per row")),
            ([], ("y.npy", "no samples left", "no rows")),
        ],
    )
    def test_labels_that_are_none(self, targets, save, labels, parts):
        targets(save("y.npy", labels), "--classes", "3", "-o", "t.npy").refuses(3, *parts)
        assert os.listdir() == ["y.npy"]

    @pytest.mark.parametrize(
        ("text", "words", "code", "parts"),
        [
            (
                "label\ncat\ncatt\n",
                ("--classes", "cat,dog"),
                3,
                ("y.csv:3", "'catt'", "--classes has cat, dog", "cat?"),
            ),
            ("label\ncat\ndog\n", ("--classes", "2"), 3, ("y.csv:2", "'cat'", "--classes 2 gives no names", "NAME")),
            ("label\n007\n008\n", ("--classes", "9"), 3, ("y.csv:2", "'007'", "name", "--classes 9 gives no names")),
            ("label\n0\n5\n", ("--classes", "3"), 3, ("y.csv:3", "label 5", "--classes says 3 classes")),
            ("label\n0\n1\n", (), 2, ("y.csv", "numbers", "--classes K")),
            ('label\ncat\n""\ndog\n', ("--classes", "cat,dog"), 3, ("y.csv:3", "empty")),
            ('label\ncat\n""\ndog\n', (), 3, ("y.csv:3", "empty")),
            ("label\ncat\ncat\n", (), 3, ("'cat'", "--classes A,B")),
            ("id,label\na,cat\nb,dog\n", (), 3, ("2 columns (id, label)", "y.csv:COLUMN")),
            ("id,label\na,cat\na,dog\n", ("--id", "id"), 3, ("y.csv:2", "more than once")),
            ("cat,label\na,cat\nb,dog\n", ("--id", "cat"), 3, ("'cat' is the column of ids and a class",)),
            ("id,label\na,x\nb,x\n", ("--id", "id", "--ignore-index", "x"), 3, ("no samples left",)),
            ("id,label\na,1\nb,1\n", ("--id", "id", "--ignore-index", "1", "--classes", "2"), 3, ("no samples left",)),
            ("label\ncat\ndog\n", ("--label-base", "1"), 2, ("--label-base 1", "names")),
            ("label\ncat\ndog\n", ("--classes", "names.txt"), 3, ("--classes names.txt", "no such file")),
        ],
    )
    def test_tables(self, targets, write, text, words, code, parts):
        targets(write("y.csv", text), *words, "-o", "t.csv").refuses(code, *parts)
        assert os.listdir() == ["y.csv"]

    def test_arrays_have_no_ids(self, targets, save):
        targets(save("y.npy", [0, 1]), "--classes", "2", "--id", "id").refuses(3, "y.npy", "'id'")

    def test_the_old_file_stays(self, targets, save, write):
        write("t.csv", "precious")
        targets(save("y.npy", [0, 9]), "--classes", "2", "-o", "t.csv").refuses(3, "label 9")
        with open("t.csv") as file:
            assert file.read() == "precious"

    def test_a_list_of_names_is_not_written_over(self, targets, save, write):
        names = write("names.csv", "cat\ndog\n")
        targets(save("y.npy", [0, 1]), "--classes", names, "-o", names).refuses(2, "names.csv", "input")

    def test_a_process(self, process, save):
        y = save("y.npy", [0, 1])
        assert process("targets", y, "--classes", "2").out == "class_0,class_1\n1.0,0.0\n0.0,1.0\n"
        process("targets", y).refuses(2, "--classes K")
        process("targets", "none.npy", "--classes", "2").refuses(3, "none.npy: no such file (labels)")
        process("targets", y, "--classes", "2", "-o", "no/t.csv").refuses(3, "no/t.csv")
        assert "--smoothing-mode" in process("targets", "--help").out
