"""Text tables as other programs write them: read right, or refused with the option that helps."""

import gzip
import math
from itertools import product

import numpy as np
import pytest

from losscli.io import csv as csvfile

NEAR = pytest.approx
SIGNS = {"tabs": "\t", "semicolons": ";", "bars": "|"}
SMALL_AND_LARGE = pytest.mark.parametrize("small", [True, False], ids=["small", "large"])
TWO_LOGITS = (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(-2))) / 2
"""Cross-entropy of logits 2, 0.5 of the first class and -1, 1 of the second."""


@pytest.fixture
def sized(monkeypatch, small):
    """Small files are read by Python, and large ones by Polars."""
    monkeypatch.setattr(csvfile, "SMALL", 1 << 16 if small else 0)


@SMALL_AND_LARGE
@pytest.mark.usefixtures("sized")
class TestSeparators:
    @pytest.mark.parametrize(
        ("word", "suffix", "header"), list(product(SIGNS, [".csv", ".txt", ".dat", "", ".tsv"], [True, False]))
    )
    def test_are_recognised_whatever_the_suffix(self, compute, write, word, suffix, header):
        sign = SIGNS[word]
        rows = [["a", "b"]] * header + [["1.5", "2"], ["-3", "4"]]
        text = "".join(sign.join(row) + "\n" for row in rows)
        p, t = write("p" + suffix, text), write("t.csv", "a,b\n" * header + "0,0\n0,0\n")
        found = compute("mse", p, t)
        assert found.json["value"] == (1.5**2 + 4 + 9 + 16) / 4
        usual = suffix == ".tsv" and word == "tabs"
        other = "tab" if suffix == ".tsv" else "','"
        assert (f"{p}: cells are separated by {word}; say --sep {other} if not" in found.err) is not usual

    def test_numpy_writes_one_blank(self, compute, write):
        p = write("p.txt", "2.000000000000000000e+00 5.000000000000000000e-01\n-1.0e+00 1.0e+00\n")
        assert compute("ce", p, write("t.csv", "0\n1\n")).json["value"] == NEAR(TWO_LOGITS)

    def test_runs_of_blanks_and_tabs(self, compute, write):
        p = write("p.txt", "   cat \t  dog\n   2.0    0.5  \n  -1      1\t\r\n")
        found = compute("ce", p, write("t.csv", "label\ncat\ndog\n"))
        assert found.json["value"] == NEAR(TWO_LOGITS)
        assert found.json["receipt"]["predictions"]["columns"] == ["cat", "dog"]

    def test_a_message_names_the_line_of_the_file(self, compute, write):
        p = write("p.txt", "  cat   dog\n  2.0   0.5\n  -1   one\n")
        compute("ce", p, write("t.csv", "label\ncat\ndog\n"), "--sep", "blanks").refuses(3, "p.txt:3", '"dog"', "'one'")

    def test_compressed_files_of_any_suffix(self, compute, write):
        p = write("p.txt.gz", gzip.compress(b"cat\tdog\n2\t0.5\n-1\t1\n"))
        assert compute("ce", p, write("t.csv", "label\ncat\ndog\n")).json["value"] == NEAR(TWO_LOGITS)

    def test_shards_of_one_kind(self, compute, write):
        write("p-1.txt", "cat\tdog\n2\t0.5\n")
        write("p-2.txt", "cat\tdog\n-1\t1\n")
        assert compute("ce", "p-*.txt", write("t.csv", "label\ncat\ndog\n")).json["value"] == NEAR(TWO_LOGITS)

    @pytest.mark.parametrize("quote", ["", '"'])
    def test_row_names_of_r_are_no_data(self, compute, write, quote):
        p = write("p.txt", f'"cat" "dog"\n{quote}1{quote} 2 0.5\n{quote}2{quote} -1 1\n')
        found = compute("ce", p, write("t.csv", "label\ncat\ndog\n"))
        assert found.json["value"] == NEAR(TWO_LOGITS)
        assert "p.txt:1: the first column has no name" in found.err

    def test_row_names_of_r_can_be_ids(self, compute, write):
        p = write("p.csv", '"cat","dog"\n"x",2,0.5\n"y",-1,1\n')
        t = write("t.csv", '"label"\n"y","dog"\n"x","cat"\n')
        assert compute("ce", p, t, "--id", "").json["value"] == NEAR(TWO_LOGITS)

    @pytest.mark.parametrize("sep", ["tab", r"\t", "\t"])
    def test_an_option_settles_it(self, compute, write, sep):
        p = write("p.csv", "a,x\tb\n1\t2\n")
        found = compute("mse", p, "0", "--sep", sep)
        assert (found.json["value"], found.json["receipt"]["dialect"]) == (2.5, {"sep": "\t"})
        assert "separated" not in found.err

    def test_words_with_blanks_stay_one_column(self, compute, write):
        p, t = write("p.csv", "black bear,brown bear\n2,0.5\n-1,1\n"), "class label\nblack bear\nbrown bear\n"
        for name in ("t.csv", "t.txt"):
            assert compute("ce", p, write(name, t)).json["value"] == NEAR(TWO_LOGITS)

    @pytest.mark.parametrize("sign", ["|", ";", "\t"])
    def test_signs_in_labels_separate_nothing(self, compute, write, sign):
        p, t = write("p.csv", f"a{sign}b,c\n1,2\n"), write("t.csv", f"label\na{sign}b\n")
        found = compute("ce", p, t)
        assert (found.json["value"], found.err) == (NEAR(math.log1p(math.exp(1))), "")

    def test_commas_in_words_do_not_hide_semicolons(self, compute, write):
        p = write("p.csv", "length, cm;width, cm\n1.5;2\n-3;4\n")
        assert compute("mse", p, "0").json["value"] == (1.5**2 + 4 + 9 + 16) / 4

    def test_other_signs_in_all_lines_do_not_hide_commas(self, compute, write):
        p = write("p.csv", "id,a;b,z\nx,1;2,1.5\ny,3;4,2.5\n")
        found = compute("l1", f"{p}:z", "0")
        assert (found.json["value"], found.err) == (2, "")

    def test_other_signs_in_words_do_not_hide_commas(self, compute, write):
        p = write("p.csv", "id,note,cat,dog\nx,a;b,2,0.5\ny,c;d,-1,1\n")
        found = compute("ce", p, write("t.csv", "label\ncat\ndog\n"), "--columns", "cat,dog")
        assert found.json["value"] == NEAR(TWO_LOGITS)
        assert found.err == ""

    def test_words_and_numbers_between_blanks_are_doubtful(self, compute, write):
        p = write("p.txt", "id score\nx 0.5\ny 0.7\n")
        compute("l1", f"{p}:score", "0").refuses(3, "p.txt:1", "--sep ','", "--sep blanks")
        assert compute("l1", f"{p}:score", "0", "--sep", "blanks").json["value"] == NEAR(0.6)
        compute("l1", f"{p}:score", "0", "--sep", ",").refuses(3, "no column 'score'", "--sep blanks")

    @pytest.mark.parametrize(
        "words", [("--sep", "ab"), ("--sep", "1"), ("--sep", ""), ("--decimal", ";"), ("--sep", '"')]
    )
    def test_what_cannot_be_a_sign(self, compute, write, words):
        compute("l1", write("p.csv", "a\n1\n"), "0", *words).refuses(2, words[0])

    def test_signs_that_contradict_each_other(self, compute, write):
        p = write("p.csv", "a\n1\n")
        compute("l1", p, "0", "--sep", ",", "--decimal", ",").refuses(2, "--sep", "--decimal")
        compute("l1", p, "0", "--sep", "#", "--comment", "#").refuses(2, "--sep", "--comment")
        compute("l1", p, "0", "--skip-rows", "-1").refuses(2, "--skip-rows")


@SMALL_AND_LARGE
@pytest.mark.usefixtures("sized")
class TestCommasAmongWords:
    """In a file with tabs, commas in labels separate nothing."""

    @pytest.mark.parametrize(
        "text", ["label\na,b\ncat\na,b\na,b\na,b\n", "label\ncat\na,b\na,b\na,b\na,b\n", "a,b\na,b\ncat\na,b\na,b\n"]
    )
    def test_labels_of_a_tsv_file(self, compute, write, save, text):
        rows = text.count("\n") - text.startswith("label")
        p = save("p.npy", np.tile([[1.0, 2.0]], (rows, 1)))
        words = [] if text.startswith("label") else ["--no-header"]
        found = compute("ce", p, write("y.tsv", text), "--classes", '"a,b",cat', *words).json
        cats = text.count("cat")
        log_sum = np.log(np.exp(1) + np.exp(2))
        assert found["value"] == pytest.approx(log_sum - (2 * cats + rows - cats) / rows)

    def test_numbers_are_no_words(self, compute, write):
        p, t = write("p.tsv", "a,b\n1,2\n3,4\n"), write("t.tsv", "a,b\n1,3\n3,5\n")
        assert compute("mse", p, t, "--columns", "b", "-f", "value").value == 1


class TestDecimalCommas:
    @pytest.mark.parametrize(
        "text",
        [
            "a;b\n1,5;2,5\n-0,5;3\n",
            "1,5;2,5\n-0,5;3\n",
            "a\tb\n1,5\t2,5\n-0,5\t3\n",
            "a b\n1,5 2,5\n-0,5 3\n",
            'a,b\n"1,5","2,5"\n"-0,5",3\n',
            "a;b\n15e-1;2,5\n-5,0e-1;3,\n",
        ],
    )
    def test_need_an_option(self, compute, write, text):
        p = write("p.csv", text)
        compute("mse", p, "0").refuses(3, "p.csv", "--decimal ,")
        found = compute("mse", p, "0", "--decimal", ",")
        assert found.json["value"] == (1.5**2 + 2.5**2 + 0.5**2 + 9) / 4

    def test_three_decimals_may_be_thousands(self, compute, write):
        p = write("p.csv", "a;b\n0,125;1\n2;3\n")
        compute("mse", p, "0").refuses(3, "p.csv:2", "thousands", "--decimal ,")

    def test_in_one_column(self, compute, write):
        p, t = write("p.csv", "y\n1,5\n2,5\n"), write("t.csv", "y\n1,0\n2,0\n")
        compute("mse", p, t).refuses(3, "p.csv:2", "--decimal ,")
        assert compute("mse", p, t, "--decimal", ",").json["value"] == 0.25

    @pytest.mark.parametrize("cell", ["1.5", "1.000", "1.234,5"])
    def test_points_are_no_decimals_then(self, compute, write, cell):
        p = write("p.csv", f"a;b\n1,5;2,5\n{cell};3\n")
        compute("mse", p, "0", "--decimal", ",").refuses(3, "p.csv:3", f"'{cell}' has a point")

    def test_another_file_may_have_commas_between_cells(self, compute, write):
        p, t = write("p.csv", "a;b\n1,5;2,5\n0,5;1\n"), write("t.csv", "a,b\n1.5,2\n0,1\n")
        found = compute("mse", p, t, "--decimal", ",")
        assert found.json["value"] == (0.25 + 0.25) / 4
        assert "t.csv: cells are separated by commas, so that its decimals are points" in found.err


@SMALL_AND_LARGE
@pytest.mark.usefixtures("sized")
class TestOtherLines:
    def test_a_comment_of_numpy_has_the_names(self, compute, write):
        p = write("p.txt", "# dog cat\n0.5 2\n1 -1\n")
        found = compute("ce", p, write("t.csv", "label\ncat\ndog\n"))
        assert found.json["value"] == NEAR(TWO_LOGITS)
        assert "p.txt:1: the comment '# dog cat' is read as the header" in found.err
        unnamed = compute("ce", p, write("i.csv", "1\n0\n"), "--comment", "#")
        assert unnamed.json["value"] == NEAR(TWO_LOGITS)
        assert "columns" not in unnamed.json["receipt"]["predictions"]

    def test_a_comment_of_other_words_is_left_out_with_a_note(self, compute, write):
        p = write("p.csv", "# trained on Monday\n2,0.5\n-1,1\n")
        found = compute("ce", p, write("t.csv", "0\n1\n"))
        assert found.json["value"] == NEAR(TWO_LOGITS)
        assert "p.csv: 1 line above the table left out" in found.err

    def test_a_comment_above_a_header_is_refused_with_the_option(self, compute, write):
        p, t = (
            write("p.csv", "# by X\nid,cat,dog\nx,2,0.5\n# in between, too\ny,-1,1\n"),
            write("t.csv", "id,l\ny,dog\nx,cat\n"),
        )
        compute("ce", p, t, "--id", "id").refuses(3, "p.csv:1", "'# by X'", "--comment '#'", "--skip-rows 1")
        found = compute("ce", p, t, "--id", "id", "--comment", "#", "-f", "csv")
        assert [line.split(",")[1] for line in found.out.split()] == ["id", "x", "y"]
        assert compute("ce", p, t, "--id", "id", "--comment", "#").json["value"] == NEAR(TWO_LOGITS)

    def test_a_message_below_comments_names_the_line(self, compute, write):
        p = write("p.csv", "# by X\nid,cat,dog\n# more\nx,2,0.5\n# yet more\ny,-1,one\n")
        compute("ce", p, "t.csv", "--columns", "cat,dog", "--comment", "#").refuses(3)
        t = write("t.csv", "label\ncat\ndog\n")
        compute("ce", p, t, "--columns", "cat,dog", "--comment", "#").refuses(3, "p.csv:6", "'one'")

    def test_a_name_may_begin_with_the_sign(self, compute, write):
        p = write("p.csv", "#id,cat,dog\n1,2,0.5\n2,-1,1\n")
        found = compute("ce", p, write("t.csv", "label\ncat\ndog\n"), "--columns", "cat,dog")
        assert (found.json["value"], found.err) == (NEAR(TWO_LOGITS), "")

    def test_lines_above_a_table_are_refused_with_the_option(self, compute, write):
        p = write("p.csv", "Model: resnet\n\nid,cat,dog\nx,2,0.5\ny,-1,1\n")
        compute("l1", f"{p}:cat", "0").refuses(3, "p.csv:1", "'Model: resnet' has 1 cell", "--skip-rows 2")
        assert compute("l1", f"{p}:cat", "0", "--skip-rows", "2").json["value"] == 1.5
        compute("l1", f"{p}:id", "0", "--skip-rows", "2").refuses(3, "p.csv:4", "'x'")
        compute("l1", p, "0", "--skip-rows", "9").refuses(3, "p.csv", "--skip-rows 9", "5 lines")

    def test_a_line_for_spreadsheets_is_refused_with_the_option(self, compute, write):
        p = write("p.csv", "sep=;\na;b\n1;2\n3;4\n5;6\n")
        compute("mse", p, "0").refuses(3, "p.csv:1", "'sep=;'", "--skip-rows 1")
        assert compute("l1", p, "0", "--skip-rows", "1").json["value"] == 3.5

    def test_a_blank_first_line_is_refused_with_the_option(self, compute, write):
        p = write("p.csv", "\n\na\n1\n")
        compute("l1", p, "0").refuses(3, "p.csv:1", "blank", "--skip-rows 2")
        assert compute("l1", p, "0", "--skip-rows", "2").json["value"] == 1

    @pytest.mark.parametrize(("end", "lines"), [(",\n,\n", 2), (" , \n\n", 1), ("  \n", 1), (",", 1), ("\n,\r\n\n", 2)])
    def test_empty_rows_of_spreadsheets_are_left_out_with_a_note(self, compute, write, end, lines):
        p = write("p.csv", "cat,dog\n2,0.5\n-1,1\n" + end)
        found = compute("ce", p, write("t.csv", "label\ncat\ndog\n"))
        assert found.json["value"] == NEAR(TWO_LOGITS)
        assert f"p.csv: {lines} line{'s' * (lines > 1)} without a value at the end left out" in found.err

    def test_an_empty_cell_of_the_last_row_stays(self, compute, write):
        p = write("p.csv", "cat,dog\n2,0.5\n-1,\n")
        compute("ce", p, write("t.csv", "label\ncat\ndog\n")).refuses(3, "p.csv:3", '"dog"', "empty")

    @pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n", "  \n"])
    def test_an_empty_last_line_of_one_column_may_be_a_missing_value(self, compute, write, end):
        p = write("p.csv", "v\n1\n2\n" + end)
        compute("l1", p, "0").refuses(3, "p.csv:4", "missing value", "delete it")


@SMALL_AND_LARGE
@pytest.mark.usefixtures("sized")
class TestNoRowIsLost:
    @pytest.mark.parametrize(("sep", "said"), [(" ", "blanks"), ("\t", "tab"), (";", "';'")])
    def test_a_first_line_of_numbers_is_no_name(self, compute, write, sep, said):
        p = write("p.csv", f"0.5{sep}0.7{sep}3\n1\n2\n")
        compute("l1", p, "0").refuses(3, "p.csv:1: one column", f"--sep {said}")

    @pytest.mark.parametrize("sign", ["\t", "|"])
    def test_quotes_that_are_letters_of_the_text(self, compute, write, sign):
        rows = ["a|1", '"b|2', "c|3", 'd"|4', "e|5"]
        p = write("p.tsv", "".join(row.replace("|", sign) + "\n" for row in ["text|v", *rows]))
        compute("l1", f"{p}:v", "0").refuses(3, "p.tsv:3: a quote opens in this line and closes in line 5", "twice")

    def test_lines_within_quotes_are_one_cell(self, compute, write):
        p = write("p.tsv", 'text\tv\na\t1\n"b\nc ""d"""\t2\n')
        found = compute("l1", f"{p}:v", "0").json
        assert (found["value"], found["samples"]) == (1.5, 2)


class TestLimits:
    """Files without line ends, or transposed ones, are refused before they are parsed."""

    @pytest.fixture(autouse=True)
    def low(self, monkeypatch):
        monkeypatch.setattr(csvfile, "MOST_COLUMNS", 50)
        monkeypatch.setattr(csvfile, "LONGEST_RECORD", 4000)
        monkeypatch.setattr(csvfile, "FIRST", 1000)
        monkeypatch.setattr(csvfile, "PIECE", 500)

    @pytest.mark.parametrize(("sep", "end"), [*product(",\t ;", ["", "\n"]), (",", "\n1\n")])
    def test_one_endless_line(self, compute, write, sep, end):
        p = write("p.csv", sep.join(["0.5"] * 51) + end)
        compute("l1", p, "0").refuses(3, "p.csv:1: 51 columns", "transposed", "numpy.save")
        p = write("q.csv", sep.join(["0.5"] * 50) + "\n")
        assert compute("l1", p, "0").json["value"] == 0.5

    @pytest.mark.parametrize("header", ["", "v\n"])
    def test_one_endless_cell(self, compute, write, header):
        p = write("p.csv", header + "5" * 20_000 + "\n1\n")
        compute("l1", p, "0").refuses(3, f"p.csv:{1 + bool(header)}: a row of more than", "MB", "one sample a line")

    def test_an_endless_cell_in_the_middle(self, compute, write):
        p = write("p.csv", "a,b\n" + "1,2\n" * 500 + '1,"' + "5\n" * 5000 + '"\n1,2\n')
        compute("l1", f"{p}:a", "0").refuses(3, "p.csv:502: a row of more than")


def test_all_commands_that_read_tables_take_them(run, write):
    p, t = write("p.txt", "x\n\ncat;dog\n2,0;0,5\n-1,0;1,0\n#\n2;0\n"), write("t.txt", "x\n\nlabel\ncat\ndog\n#\ncat\n")
    said = ("--sep", ";", "--decimal", ",", "--comment", "#", "--skip-rows", "2")
    for words in (
        ("compute", "ce", p, t),
        ("check", p, t),
        ("compare", "ce", p, p, "--targets", t),
        ("rank", "ce", p, t),
        ("calibrate", p, t),
        ("centers", p, t),
        ("targets", t, "-o", "one.csv"),
        ("plot", "samples", "ce", p, t, "-o", "a.svg"),
        ("plot", "features", p, t, "-o", "b.svg"),
        ("plot", "reliability", p, t, "-o", "c.svg"),
        ("plot", "compare", "ce", p, p, "--targets", t, "-o", "d.svg"),
    ):
        found = run(*words, *said)
        assert found.code == 0, (words, found.err)
        run(*words, *said[:-1], "1").refuses(3, ".txt:2", "blank", "--skip-rows 2")


def test_suites_and_python_take_them(run, write):
    import losscli

    p = write("p.csv", "# a\nx\na;b\n1,5;2,5\n")
    write(
        "s.toml",
        "[measure.one]\nloss = 'mse'\npredictions = 'p.csv'\ntargets = 0\nsep = ';'\ndecimal = ','\ncomment = '#'\nskip-rows = 2\n",
    )
    assert run("run", "s.toml", "-f", "json").json["measures"][0]["value"] == (1.5**2 + 2.5**2) / 2
    write("b.txt", "id x\na 1\nb 2\n")
    write("t.toml", "[measure.one]\nloss = 'l1'\npredictions = 'b.txt:x'\ntargets = 0\nsep = ' '\n")
    assert run("run", "t.toml", "-f", "json").json["measures"][0]["value"] == 1.5
    said = {"sep": ";", "decimal": ",", "comment": "#", "skip_rows": 2}
    assert losscli.compute("mse", p, 0, **said).value == (1.5**2 + 2.5**2) / 2
