"""Random cases, whole and damaged, against the slow reference of fuzz.py; and what such cases have found before."""

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import fuzz_commands
import fuzz_relations
import numpy as np
import polars as pl
import pytest
import zstandard
from fuzz import WORDS, Case, Outcome, judge, made, one
from fuzz_relations import RELATIONS, Judge
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from slow import RefusedError, expected

from losscli.cli import mending
from losscli.engine import job
from losscli.losses import LOSSES


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**48))
def test_every_input_gives_a_true_number_or_one_line(seed):
    one(seed)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(cells=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.sampled_from(WORDS)), max_size=4), ends=st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_every_cell_gives_a_true_number_or_one_line(cells, ends):
    """As above, from cells that hypothesis picks, and makes fewer where something fails."""
    rows = [["id", "ant", "bee"], *[[f"r{i}", str(i / 7), str(1 - i / 3)] for i in range(8)]]
    for row, column, word in cells:
        rows[row % len(rows)][column] = word
    p = ends.join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows) + ends
    t = "id,label\n" + "".join(f"r{i},{('ant', 'bee')[i % 2]}\n" for i in range(8))
    words = ["compute", "softmax-cross-entropy", "p.csv", "t.csv", "--id", "id"]
    Path("p.csv").write_bytes(p.encode())
    with mp.workdps(30):
        judge(Case(words, {"p.csv": p.encode(), "t.csv": t.encode()}, ["cells"] if cells else []))


def test_inputs_of_all_kinds_are_as_they_should_be():
    """Every command with options at random, relations of numbers, and damaged files, as a long run has them."""
    script = Path(__file__).parents[1] / "support" / "fuzz_run.py"
    words = [sys.executable, script, "--inputs", "700", "--folder", "run"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_every_command_and_every_option_can_be_drawn(folder):
    """What is not known by its name has values all the same; and words of a metavar that is gone are not kept."""
    paths = fuzz_commands.paths()
    assert set(fuzz_commands.SHARES) <= set(paths)
    metavars = set()
    for path in paths:
        _, command = fuzz_commands.command_of(path, "softmax-cross-entropy")
        for param in command.params:
            metavars |= {param.metavar}
            if not getattr(param, "is_flag", False):
                assert isinstance(fuzz_commands.value(random.Random(0), param, ["p.npy"]), str)
    assert len(metavars & set(fuzz_commands.KNOWN)) > 15


@pytest.mark.parametrize("relation", [one for one, _ in RELATIONS], ids=lambda one: one.__name__)
def test_numbers_that_must_go_together(relation, folder):
    for seed in range(2):
        relation(Judge(random.Random(seed), seed))


def test_a_case_is_that_of_its_seed():
    assert made(7) == made(7)
    assert made(7) != made(8)


def test_a_wrong_number_is_found(monkeypatch):
    """The harness can fail: a loss that is off by a ten-millionth part is."""
    right = LOSSES["brier"].core

    def wrong(*words, **how):
        value, slope = right(*words, **how)
        return value * (1 + 1e-7), slope

    monkeypatch.setitem(vars(LOSSES["brier"]), "core", wrong)
    x = np.array([[0.5, 1.5], [2.0, 1.0]])
    file = Path("p.npy")
    np.save(file, x)
    np.save("t.npy", np.array([0, 1]))
    files = {"p.npy": file.read_bytes(), "t.npy": Path("t.npy").read_bytes()}
    with pytest.raises(AssertionError, match="is not"), mp.workdps(30):
        judge(Case(["compute", "brier", "p.npy", "t.npy"], files))


class TestFaultsThatTheHarnessFinds:
    """Each is built in for a moment: the harness must not be silent about it."""

    @pytest.mark.parametrize("relation", ["slices", "repeated", "elementwise"])
    def test_a_loss_that_is_wrong_for_some_rows(self, relation, folder, monkeypatch):
        right = LOSSES["squared-error"].core

        def wrong(*words, **how):
            value, slope = right(*words, **how)
            return value * np.linspace(1, 1.001, len(value)).reshape(-1, *[1] * (value.ndim - 1)), slope

        monkeypatch.setitem(vars(LOSSES["squared-error"]), "core", wrong)
        monkeypatch.setattr(Judge, "loss", lambda judge: "mse")
        monkeypatch.setattr(fuzz_relations, "ROWS", ("mse",))
        monkeypatch.setattr(fuzz_relations, "BINARY", ("mse",) * 3)
        with pytest.raises(AssertionError):  # noqa: PT012 - one of the first cases has rows enough
            for seed in range(6):
                getattr(fuzz_relations, relation)(Judge(random.Random(seed), seed))

    def test_a_file_that_a_refused_command_leaves(self, folder, monkeypatch):
        line = fuzz_commands.Line(["compute", "mse", "no.npy", "0"], {}, command=("compute",))
        assert fuzz_commands.judge_line(line, 1) == "files"

        def run(words, given=b""):
            Path(".o.json.1-2.losscli").write_text("half")
            return Outcome(3, "", "losscli: no.npy: there is no such file\n")

        monkeypatch.setattr(fuzz_commands, "run", run)
        with pytest.raises(AssertionError, match="left behind"):
            fuzz_commands.judge_line(line, 1)

    @pytest.mark.parametrize(
        ("done", "fault"),
        [
            (Outcome(70, "", "losscli: a defect of losscli\n"), "exit 70"),
            (Outcome(1, "", "Traceback (most recent call last)\n"), "Traceback"),
            (Outcome(3, "0.5\n", "losscli: p.npy: is cut off\n"), "with output"),
            (Outcome(2, "", "losscli: no\nlosscli: and no\n"), "not one line"),
            (Outcome(0, "0.5\n", "RuntimeWarning: overflow\n"), "not a line"),
            (Outcome(0, '{"value": NaN}', ""), "is no JSON"),
        ],
        ids=["defect", "traceback", "output of an error", "two lines", "a warning", "a NaN"],
    )
    def test_what_a_command_says(self, done, fault):
        with pytest.raises(AssertionError, match=fault):
            fuzz_commands.sound(["compute", "mse", "p.npy", "0", "-f", "json"], ["compute"], done)

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("o.json", b'{"a": 1'),
            ("o.csv", b"a,b\n1\n"),
            ("o.csv", b"a,b\n1,2"),
            ("o.png", b"\x89PNG...."),
            ("o.html", b"<html>"),
        ],
    )
    def test_an_output_that_is_cut_off(self, name, data, folder):
        Path(name).write_bytes(data)
        with pytest.raises((AssertionError, ValueError)):
            fuzz_commands.complete(Path(name))


def test_a_number_where_there_is_none_is_found():
    files = {"p.csv": b"1\nnan\n", "t.csv": b"1\n2\n"}
    for name, data in files.items():
        Path(name).write_bytes(data)
    with pytest.raises(RefusedError):
        expected(["compute", "squared-error", "p.csv", "t.csv"])


class TestFound:
    """The smallest form of what the harness found."""

    def test_a_batch_without_a_row_that_counts(self, compute, save, monkeypatch):
        monkeypatch.setattr(job, "CHUNK_ROWS", 1)
        p, t = save("p.npy", [[2.0, -1.0, 0.0], [0.5, 1.0, 0.0]]), save("t.npy", [9, 1])
        found = compute("asymmetric", p, t, "--ignore-index", "9").json
        assert (found["samples"], found["ignored"]) == (1, 1)

    def test_a_folder_with_a_link_to_nothing(self, run, save, folder):
        (folder / "parts").mkdir()
        os.symlink("nothing", folder / "parts" / "_old")
        t = save("t.npy", [1.0, 2.0])
        save("parts/a.npy", [1.0, 2.0, 3.0])
        run("compute", "mse", t, t, "--sample-weight", "parts").refuses(3, "parts")

    def test_a_cure_that_cannot_be_looked_for_hides_no_message(self, run, save, monkeypatch):
        monkeypatch.setattr(mending, "completed", lambda *words: 1 / 0)
        run("compute", "ce", save("p.npy", np.eye(2)), "no.npy").refuses(3, "no.npy")
        run("compute", "ce", "p.npy").refuses(2, "TARGETS")

    @pytest.mark.parametrize("more", [[], ["--also", "l1"], ["--plus", "l1"]], ids=["one", "several", "sum"])
    def test_a_requirement_that_does_not_apply_beside_a_note(self, run, save, more):
        """The note, about the shape, would be a second line."""
        p = save("p.npy", [[1.0, 2.0, 3.0]])
        run("compute", "mse", p, "0", *more, "--require", f"{'mse ' if '--also' in more else ''}ece < 1").refuses(
            2, "ece"
        )

    def test_a_requirement_that_does_not_apply_to_parts(self, run, save):
        run("compute", "mse", save("p.npy", [[1.0, 2.0, 3.0]]), "0", "--part", "1/1", "-o", "a.part")
        run("merge", "a.part", "--require", "ece < 1").refuses(2, "ece")

    def test_a_page_of_merged_parts(self, run, save, folder):
        """Parts do not hold what the pictures by class are made of; the page has the distribution of the losses."""
        p, t = save("p.npy", np.eye(4, 3)), save("t.npy", [0, 1, 2, 1])
        for part in ("1/2", "2/2"):
            run("compute", "ce", p, t, "--part", part, "-o", f"{part[0]}.part")
        assert run("merge", "1.part", "2.part", "-o", "o.html", "-q").code == 0
        assert (folder / "o.html").read_text().count("<figure") == 1

    def test_weights_whose_sums_overflow_between_chunks(self, run, save, monkeypatch):
        monkeypatch.setattr(job, "CHUNK_ROWS", 1)
        p, t = save("p.npy", np.linspace(-1, 1, 6)), save("t.npy", [0, 1, 1, 0, 1, 0])
        done = run("rank", "squared-hinge", p, t, "--sample-weight", "1e308")
        assert done.code in (0, 2, 3), done.err

    @pytest.mark.parametrize("suffix", ["parquet", "arrow"])
    def test_a_table_of_no_rows(self, compute, save, folder, suffix):
        frame = pl.DataFrame({"a": [], "b": []}, schema={"a": pl.Float64, "b": pl.Float64})
        (frame.write_parquet if suffix == "parquet" else frame.write_ipc)(folder / f"p.{suffix}")
        compute("ce", f"p.{suffix}", save("t.npy", [0, 1])).refuses(3)
        compute("ce", save("q.npy", np.eye(2)), f"p.{suffix}").refuses(3)

    def header(self, write, text):
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(16)
        return write("p.npy", data)

    @pytest.mark.parametrize(
        "text",
        ["{'descr': '<f8', 'shape': (2,\n", "{'descr': '<f8', 'shape': '(2,", "{", "[1", "'''", "(" * 300, "1L\n("],
    )
    def test_a_header_that_python_cannot_take_apart(self, compute, write, text):
        compute("l1", self.header(write, text), "0").refuses(3, "p.npy", "not an NPY file")

    def test_a_header_that_python_2_wrote(self, compute, write):
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2L,), }".ljust(117) + "\n"
        assert compute("squared-error", self.header(write, text), "0").err == ""

    def test_a_shape_of_truth_values(self, compute, write):
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }".ljust(117) + "\n"
        compute("l1", self.header(write, text), "0").refuses(3, "p.npy", "shape")

    @pytest.mark.skipif(np.dtype("g").itemsize == 8, reason="a long double is a double here")
    def test_long_doubles(self, compute, save):
        t = save("t.npy", [1.0, 4], "g")
        assert compute("l1", save("p.npy", [1.0, 2]), t, "--per-sample").json["rows"][1]["target"] == 4
        assert compute("l1", t, "0", stdin=Path(t).read_bytes()).json["value"] == 2.5
        assert compute("l1", "-", "0", stdin=Path(t).read_bytes()).json["value"] == 2.5

    def test_centers_of_text(self, compute, save):
        x, y = save("x.npy", np.zeros((2, 2))), save("y.npy", [0, 1])
        compute("center", x, y, "--centers", save("c.npy", [["0", "1"], ["1", "0"]])).refuses(3, "c.npy", "text")

    def test_a_label_of_hundreds_of_digits(self, compute, save, write):
        t = write("t.csv", "label\n0\n" + "9" * 400 + "\n")
        compute("ce", save("p.npy", np.zeros((2, 2))), t).refuses(3, "t.csv:3")

    def test_a_row_that_is_too_long_beside_columns_that_are_not_read(self, compute, save, write):
        t = write("t.csv", "id,label,note\na,x,New York\nb,y,London, England\n")
        compute("l1", save("p.npy", [1.0, 2]), f"{t}:label").refuses(3, "t.csv:3", "4 cells instead of 3")

    def test_a_number_that_is_cut_off_within_quotes(self, compute, write):
        compute("squared-error", write("p.csv", '"x"\n"1.25"\n"10.67'), "0").refuses(3, "p.csv", "quote")

    def test_an_archive_in_which_a_reader_would_go_before_the_beginning(self, compute, write):
        compute("l1", write("p.npz", b"PK\x03\x04PK\x05\x06" + bytes(18)), "0").refuses(3, "p.npz")

    @pytest.mark.parametrize("member", ["1", "-inf"])
    def test_an_infinite_observation_of_an_ensemble(self, compute, write, member):
        p, t = write("p.csv", f"{member},2\n"), write("t.csv", "inf\n")
        assert compute("crps", p, t, "--gradient", "g.npy", "-f", "value").value == np.inf
        assert np.load("g.npy").tolist() == [[-0.25, -0.75]]

    @pytest.mark.parametrize(
        ("loss", "p", "t", "slopes"),
        [
            ("crps", "inf,2", "1", [0.25, 0.75]),
            ("zlpr", "-inf,0", "1,0", [-1, 0.5]),
            ("zlpr", "1,inf", "1,0", [-1 / (1 + np.e), 1]),
            ("sparsemax", "0,inf,1", "0,0,1", [0, 1, -1]),
            ("sparsemax", "0,-inf,1", "0,1,0", [0.5, -1, 0.5]),
        ],
    )
    def test_gradients_beside_infinite_numbers(self, compute, write, loss, p, t, slopes):
        words = [
            write("p.csv", p + "\n"),
            write("t.csv", t + "\n"),
            "--no-header",
            "--gradient",
            "g.npy",
            "-f",
            "value",
        ]
        assert compute(loss, *words).code == 0
        np.testing.assert_allclose(np.load("g.npy")[0], slopes, rtol=1e-12)

    @pytest.mark.parametrize(("loss", "steepest"), [("two-way", 1.0), ("distribution-balanced", 0.5498323179)])
    @pytest.mark.parametrize(("row", "place"), [("0.5,inf", 1), ("-inf,-1", 0)])
    def test_gradients_beside_infinite_numbers_of_the_file(self, compute, write, loss, steepest, row, place):
        p, t = write("p.csv", f"{row}\n0.3,1\n"), write("t.csv", "1,0\n0,1\n")
        assert compute(loss, p, t, "--no-header", "--gradient", "g.npy", "-f", "value").value == np.inf
        slopes = np.load("g.npy")
        assert np.isfinite(slopes).all()
        assert abs(slopes[0, place]) == pytest.approx(steepest)

    @pytest.mark.parametrize(("loss", "label", "slopes"), [("contrastive", 1, [np.inf, 0]), ("hinge-embedding", 1, [1, 0]), ("contrastive", 0, [0, 0])])  # fmt: skip
    def test_the_gradient_of_a_distance_that_is_infinite(self, compute, save, loss, label, slopes):
        p, t = save("p.npy", [[np.inf, 1.0]]), save("t.npy", [label])
        other = save("o.npy", [[0.0, 2.0]])
        assert compute(loss, p, t, "--other", other, "--gradient", "g.npy").code == 0
        assert np.load("g.npy").tolist() == [slopes]

    def test_the_gradient_towards_a_positive_that_is_infinitely_far(self, compute, write):
        a, b, n = write("a.csv", "1,2\n"), write("b.csv", "inf,2\n"), write("n.csv", "1,3\n")
        words = ["--negative", n, "--no-header", "--gradient", "g.npy", "-f", "value"]
        assert compute("triplet", a, b, *words).value == np.inf
        assert np.load("g.npy").tolist() == [[-1, 1]]

    def test_names_of_two_classes_for_a_margin(self, compute, write):
        p = write("p.csv", "z\n1\n-2\n")
        words = ["-f", "value", "--reduction", "sum"]
        named = compute("hinge", p, write("t.csv", "label\nham\nspam\n"), "--classes", "ham,spam", *words).value
        assert named == compute("hinge", p, write("n.csv", "label\n0\n1\n"), *words).value == 5

    @pytest.mark.parametrize(("per", "rows"), [("column", [(0, 1), (1, 2)]), ("file", [(0, 3)])])
    def test_masks_of_several_rows_have_no_row_and_no_class(self, compute, write, per, rows):
        p = write("p.csv", "id,a,b\nr0,1,2\nr1,3,4\nr2,5,6\n")
        t = write("t.csv", "id,a,b\nr1,0,1\nr0,1,1\n")
        words = ["--id", "id", "--on-unmatched", "drop", "--per", per]
        assert [(row["sample"], row["target"]) for row in compute("dice", p, t, *words, "-f", "jsonl").lines] == rows
        lines = compute("dice", p, t, *words, "-f", "csv").out.splitlines()
        assert lines[0] == "sample,target,loss"
        assert {line.count(",") for line in lines} == {2}
        assert compute("dice", p, t, *words, "--per-sample", "--gradient", "g.npy").code == 0
        assert not np.load("g.npy")[2].any()

    def test_a_table_called_npz_has_columns(self, compute, folder):
        pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]}).write_parquet(folder / "p.npz")
        assert compute("l1", "p.npz:b", "0").json["value"] == 4
        compute("l1", "p.npz:c", "0").refuses(3, "no column 'c'")
        np.savez(folder / "q.npz", a=[1.0, 2.0], b=[3.0, 5.0])
        assert compute("l1", "q.npz:b", "0").json["value"] == 4

    def test_targets_that_are_infinite_have_no_baseline(self, compute, save, monkeypatch):
        monkeypatch.setattr(job, "CHUNK_ROWS", 3)
        p, t = save("p.npy", np.zeros(12)), save("t.npy", [0, np.inf, *[0.0] * 6, -np.inf, *[0.0] * 3])
        found = compute("l2", p, t, "--reduction", "sum").json
        assert found["nonfinite"]["value"] == "inf"

    def test_a_label_that_is_ignored_in_a_loss_of_the_file(self, compute, write):
        p, t = write("p.csv", "a,b\n1,1\n1,1\n1,1\n"), write("t.csv", "label\nx\na\nb\n")
        words = ["--ignore-index", "x", "--per-sample"]
        assert compute("lovasz-softmax", p, t, *words).json["rows"] == [{"sample": 0, "target": 2, "loss": 0.5}]

    @pytest.mark.parametrize("checksum", [True, False])
    def test_a_zstd_file_that_was_cut_off(self, compute, write, checksum):
        text = "".join(f"{i / 3}\n" for i in range(60_000)).encode()
        frame = zstandard.ZstdCompressor(write_checksum=checksum).compress(text)
        for data in (frame, frame + b"\x50\x2a\x4d\x18\x03\0\0\0abc" + frame):
            write("p.csv.zst", data)
            assert compute("mse", "p.csv.zst", "0").json["samples"] == 60_000 * (1 + (data != frame))
            for cut in (1, 3, len(data) // 2, len(data) - 10):
                compute("mse", write("p.csv.zst", data[:-cut]), "0").refuses(3, "p.csv.zst", "cut off")

    def test_letters_that_are_none(self, compute, save):
        letters = np.array([0x110000, ord("b")], np.uint32).view("<U1")
        t = save("t.npy", letters)
        compute("ce", save("p.npy", np.zeros((2, 2))), t, "--classes", "a,b").refuses(3, "t.npy", "letters")

    def test_no_object_of_python_is_told(self, compute, write):
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (x,), }".ljust(117) + "\n"
        compute("l1", self.header(write, text), "0").refuses(3, "p.npy", "its header does not describe an array")

    def test_a_file_of_classes_whose_first_line_holds_two(self, compute, save, write):
        words = [save("p.npy", np.zeros((1, 3))), save("t.npy", [0]), "--classes"]
        compute("ce", *words, write("names.txt", "a,b\nc\nd\n")).refuses(3, "names.txt", "2 names")

    def test_a_balanced_weight_beyond_all_numbers(self, compute, write):
        t = write("t.csv", "5e-324,1\n")
        words = ["--no-header", "--class-weight", "balanced"]
        compute("ce", write("p.csv", "1,2\n"), t, *words).refuses(3, "t.csv", "balanced")
