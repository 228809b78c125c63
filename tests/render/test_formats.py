"""Every form in which a result comes out."""

import csv
import io
import itertools
import re

import numpy as np
import pytest
from by_hand import cross_entropy

COMMON_OPTIONS = [
    "--ignore-index",
    "--sample-weight",
    "--reduction",
    "--format",
    "--output",
    "--per-sample",
    "--gradient",
    "--require",
    "--quiet",
    "--id",
    "--columns",
    "--header",
    "--no-header",
]

OWN_OPTIONS = {
    "huber": ["--delta", "--over-outputs", "--elements"],
    "smooth-l1": ["--beta", "--over-outputs", "--elements"],
    "tukey-biweight": ["--c", "--over-outputs", "--elements"],
    "ramp": ["--s", "--over-outputs", "--elements", "--class-weight"],
    "sigmoid-focal": [
        "--gamma",
        "--alpha",
        "--from",
        "--label-smoothing",
        "--smoothing-mode",
        "--class-weight",
        "--pos-weight",
        "--over-outputs",
        "--elements",
    ],
    "softmax-focal": ["--gamma", "--from", "--label-smoothing", "--smoothing-mode", "--class-weight"],
    "center": ["--centers", "--class-weight"],
}

KEYS = [
    "loss",
    "parameters",
    "value",
    "reduction",
    "numerator",
    "denominator",
    "samples",
    "ignored",
    "summary",
    "baseline",
    "requirements",
    "receipt",
    "signature",
]


def cells(text, separator=","):
    return list(csv.DictReader(io.StringIO(text), delimiter=separator))


class TestJson:
    @pytest.mark.quick
    def test_keys_are_those_of_the_contract(self, compute, tiny):
        found = compute("ce", *tiny, "--require", "mean <= 0.8").json
        assert list(found) == KEYS
        assert set(found["summary"]) >= {"mean", "std", "min", "p50", "p90", "p99", "max"}
        assert set(compute("l1", *tiny[:1], "0").json["summary"]) == {"mean", "std", "min", "p50", "p90", "p99", "max"}
        assert set(found["baseline"]) == {"prediction", "value", "skill"}
        assert [set(entry) for entry in found["requirements"]] == [{"require", "met", "actual"}]

    def test_per_sample_adds_rows(self, compute, tiny):
        found = compute("ce", *tiny, "--per-sample").json
        assert sorted(found) == sorted([*KEYS, "rows"])
        assert [set(row) for row in found["rows"]] == [{"sample", "target", "loss"}] * 3

    def test_parameters_are_the_loss_s_own(self, compute, save):
        words = (save("p.npy", [1.0, 2.0]), save("t.npy", [0, 1]))
        assert compute("huber", *words, "--delta", "2").json["parameters"] == {"delta": 2}
        assert compute("focal", *words).json["parameters"] == {"gamma": 2, "alpha": None}

    def test_whole_numbers_of_counts_are_integers(self, compute, tiny):
        found = compute("ce", *tiny).json
        assert (found["samples"], found["ignored"]) == (3, 0)
        assert type(found["samples"]) is type(found["ignored"]) is int

    def test_an_infinite_number_is_null_and_said(self, compute, save):
        done = compute("l1", save("p.npy", [np.inf, 1.0]), "0")
        found = done.json
        assert [found["value"], found["numerator"], found["summary"]["max"]] == [None] * 3
        assert found["nonfinite"]["value"] == "inf"
        assert found["nonfinite"]["summary.max"] == "inf"
        assert found["nonfinite"]["summary.std"] == "inf"
        assert found["summary"]["min"] == 1

    def test_infinite_rows_are_null_and_said(self, compute, save):
        done = compute("l1", save("p.npy", [np.inf, 1.0]), "0", "--per-sample")
        assert [row["loss"] for row in done.json["rows"]] == [None, 1.0]
        assert "inf" in str(done.json["rows"][0])

    def test_infinite_lines_are_null_and_said(self, compute, save):
        first, second = compute("l1", save("p.npy", [np.inf, 1.0]), "0", "-f", "jsonl").lines
        assert first["loss"] is None
        assert "inf" in str(first["nonfinite"])
        assert "nonfinite" not in second

    def test_names_of_every_script_are_written_as_they_are(self, compute, write):
        p, t = write("p.csv", '猫,"say ""x"""\n1,2\n'), write("t.csv", "l\n猫\n")
        done = compute("ce", p, t)
        assert "猫" in done.out
        assert done.json["receipt"]["classes"] == ["猫", 'say "x"']

    def test_full_precision(self, compute, save):
        p = save("p.npy", [0.1, 0.2])
        assert compute("l1", p, "0").json["summary"]["max"] == 0.2
        assert compute("l1", p, "0", "--reduction", "sum").json["value"] == 0.1 + 0.2

    def test_the_receipt_says_what_the_number_depends_on(self, compute, tiny, save):
        words = ("--label-smoothing", "0.1", "--ignore-index", "2", "--class-weight", "0=2", "--sample-weight")
        receipt = compute("ce", *tiny, *words, save("w.npy", [1.0, 2.0, 3.0])).json["receipt"]
        words = str(receipt)
        for part in (
            "logits.npy",
            "labels.npy",
            "w.npy",
            "float64",
            "uniform",
            "mean",
            "index",
            "logits",
            "0.1",
            "2.0",
        ):
            assert part in words

    def test_the_signature_is_one_line_that_tells_conventions_apart(self, compute, tiny):
        options = ["", "--reduction sum", "--label-smoothing 0.1", "--ignore-index 2", "--class-weight 0=2"]
        found = [compute("ce", *tiny, *words.split()).json["signature"] for words in options]
        assert len(set(found)) == len(options)
        assert all("\n" not in text for text in found)
        assert found[0].startswith("loss:softmax-cross-entropy|from:logits|targets:index|")
        assert "reduction:mean" in found[0]


class TestLines:
    def test_jsonl_has_a_line_a_sample(self, compute, write):
        p, t = write("p.csv", "id,cat,dog\nw0,1,2\nw1,3,5\n"), write("t.csv", "id,label\nw1,cat\nw0,dog\n")
        lines = compute("ce", p, t, "--id", "id", "-f", "jsonl").lines
        assert [list(line) for line in lines] == [["sample", "id", "target", "loss"]] * 2
        assert lines[0] == {
            "sample": 0,
            "id": "w0",
            "target": "dog",
            "loss": pytest.approx(cross_entropy([1, 2], 1)),
        }

    def test_id_is_there_only_where_there_is_one(self, compute, tiny):
        assert all("id" not in line for line in compute("ce", *tiny, "-f", "jsonl").lines)

    @pytest.mark.parametrize(("format", "separator"), [("csv", ","), ("tsv", "\t")])
    def test_csv_and_tsv_have_a_header_and_a_row_a_sample(self, compute, tiny, format, separator):
        done = compute("ce", *tiny, "-f", format)
        rows = cells(done.out, separator)
        assert list(rows[0]) == ["sample", "target", "loss"]
        assert [row["sample"] for row in rows] == ["0", "1", "2"]
        assert [row["target"] for row in rows] == ["1", "2", "0"]
        assert float(rows[1]["loss"]) == pytest.approx(cross_entropy([0.4, 0.2, 0.9], 2), rel=1e-15)

    def test_numbers_read_back_to_the_same_bits(self, compute, save):
        values = np.array([0.1, 1 / 3, 1e-310, 1e300, 5e-324])
        rows = cells(compute("l1", save("p.npy", values), "0", "-f", "csv").out)
        assert [float(row["loss"]) for row in rows] == values.tolist()

    def test_ids_with_commas_quotes_and_line_breaks_survive_csv(self, compute, write):
        ids = ["a,b", 'say "x"', "two\nlines", " spaced "]
        quoted = ['"' + name.replace('"', '""') + '"' for name in ids]
        p = write("p.csv", "id,v\n" + "".join(f"{name},1\n" for name in quoted))
        assert [row["id"] for row in cells(compute("l1", p, "0", "--id", "id", "-f", "csv").out)] == ids

    @pytest.mark.parametrize("format", ["csv", "tsv", "jsonl"])
    def test_ignored_rows_are_absent(self, compute, save, format):
        p, t = save("p.npy", [1.0, 2.0, 3.0]), save("t.npy", [0.0, -9.0, 0.0])
        done = compute("l1", p, t, "--ignore-index", "-9", "-f", format)
        text = done.out.replace("\t", ",")
        assert len(text.splitlines()) == (2 if format == "jsonl" else 3)
        assert "-9" not in text

    def test_elements_have_a_column_an_output(self, compute, save):
        p = save("p.npy", [[1.0, 2.0]])
        row = cells(compute("l1", p, "0", "--elements", "-f", "csv").out)[0]
        assert (float(row["loss"]), float(row["loss_0"]), float(row["loss_1"])) == (1.5, 1, 2)

    def test_elements_are_called_as_the_columns_are(self, compute, write):
        p = write("p.csv", "rain,snow\n1,2\n")
        row = cells(compute("l1", p, "0", "--elements", "-f", "csv").out)[0]
        assert (float(row["rain"]), float(row["snow"])) == (1, 2)

    def test_a_column_called_loss_does_not_hide_the_loss(self, compute, write):
        p = write("p.csv", "loss,sample\n1,2\n")
        row = cells(compute("l1", p, "0", "--elements", "-f", "csv").out)[0]
        assert (row["sample"], float(row["loss"])) == ("0", 1.5)
        assert sorted(float(value) for name, value in row.items() if name.startswith("loss_")) == [1, 2]

    def test_elements_in_json_are_a_list(self, compute, save):
        line = compute("l1", save("p.npy", [[1.0, 2.0]]), "0", "--elements", "-f", "jsonl").lines[0]
        assert line["losses"] == [1, 2]

    def test_elements_of_a_loss_with_one_output_are_a_usage_error(self, compute, save):
        compute("l1", save("p.npy", [1.0, 2.0]), "0", "--elements").refuses(2, "--elements")

    def test_sample_is_the_row_number_after_a_join(self, compute, write):
        p, t = write("p.csv", "id,v\na,1\nb,2\n"), write("t.csv", "id,v\nb,0\na,0\n")
        lines = compute("l1", p, t, "--id", "id", "-f", "jsonl").lines
        assert [(line["sample"], line["id"], line["loss"]) for line in lines] == [(0, "a", 1), (1, "b", 2)]


class TestValue:
    def test_is_the_bare_number_at_full_precision(self, compute, save):
        done = compute("l1", save("p.npy", [0.1, 0.2]), "0", "--reduction", "sum", "-f", "value")
        assert done.out == "0.30000000000000004\n"

    @pytest.mark.parametrize(("p", "text"), [([np.inf], "inf\n"), ([2.0], "2.0\n"), ([1e-300], "1e-300\n")])
    def test_every_number_has_a_form(self, compute, save, p, text):
        assert compute("l1", save("p.npy", p), "0", "-f", "value").out == text

    def test_of_no_reduction_is_a_usage_error(self, compute, tiny):
        compute("ce", *tiny, "--reduction", "none", "-f", "value").refuses(2, "--reduction none", "value")


@pytest.mark.quick
class TestTable:
    def test_is_the_default(self, run, tiny):
        assert run("compute", "ce", *tiny).out == run("compute", "ce", *tiny, "-f", "table").out

    def test_has_the_number_and_what_it_stands_for(self, run, tiny):
        out = run("compute", "ce", *tiny).out
        for part in (
            "softmax-cross-entropy",
            "mean",
            "0.79430902",
            "samples",
            "baseline",
            "skill",
            "p99",
            "loss:softmax",
        ):
            assert part in out

    def test_has_no_colour_in_a_pipe(self, run, tiny):
        assert "\x1b" not in run("compute", "ce", *tiny, "--per-sample").out

    def test_is_not_cut_in_a_pipe(self, run, write, monkeypatch):
        monkeypatch.setenv("COLUMNS", "20")
        name = "a_very_long_class_name_" * 20
        p, t = write("p.csv", f"{name},other\n1,2\n"), write("t.csv", f"label\n{name}\n")
        assert name in run("compute", "ce", p, t, "--per-sample").out

    @pytest.mark.parametrize("name", ["[bold]", "[/INST]", "[red]x[/red]", ":smile:", "a[0]", "[link=x]"])
    @pytest.mark.parametrize("format", ["table", "markdown"])
    def test_markup_in_names_survives(self, run, write, name, format):
        p, t = write("p.csv", f"{name},other\n1,2\n"), write("t.csv", f"label\n{name}\n")
        done = run("compute", "ce", p, t, "--per-sample", "-f", format)
        assert done.code == 0
        assert name in done.out

    def test_shows_the_first_twenty_samples_and_says_how_many_more(self, run, save):
        out = run("compute", "l1", save("p.npy", np.arange(100, 150.0)), "0", "--per-sample").out
        shown = [line.split()[1::2] for line in out.splitlines() if re.match(r"\| +\d+ \|", line)]
        assert [(int(sample), float(loss)) for sample, _, loss in shown] == [(i, 100.0 + i) for i in range(20)]
        assert "30 more" in out

    def test_twenty_samples_are_all_of_them(self, run, save):
        assert " more " not in run("compute", "l1", save("p.npy", np.arange(20.0)), "0", "--per-sample").out

    def test_an_infinite_value_is_shown(self, run, save):
        assert "inf" in run("compute", "l1", save("p.npy", [np.inf, 1.0]), "0", "--per-sample").out

    def test_ignored_rows_are_counted(self, run, save):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, -9.0])
        assert "1 ignored" in run("compute", "l1", p, t, "--ignore-index", "-9").out

    def test_requirements_are_listed(self, run, tiny):
        out = run("compute", "ce", *tiny, "--require", "mean < 0.1", "--require", "samples == 3").out
        assert re.search(r"mean < 0.1 +NOT MET", out)
        assert re.search(r"samples == 3 +met", out)

    def test_a_sum_is_divided_by_nothing(self, compute, save):
        lines = compute("l1", save("p.npy", [1.0, 2.0]), "0", "--reduction", "sum", "-f", "table").out.splitlines()
        assert [line.split() for line in lines if line.startswith("sum")] == [["sum", "3.0"]]


class TestMarkdown:
    def test_is_a_table(self, compute, tiny):
        lines = [line for line in compute("ce", *tiny, "-f", "markdown").out.splitlines() if line.startswith("|")]
        assert re.fullmatch(r"\|( -+ \|)+", lines[1])
        assert len({line.count("|") for line in lines}) == 1
        assert any("0.794309" in line for line in lines)

    def test_per_sample_has_every_row(self, compute, save):
        out = compute("l1", save("p.npy", np.arange(50.0)), "0", "--per-sample", "-f", "markdown").out
        assert all(f"| {number} |" in out for number in range(50))

    def test_a_bar_in_a_name_does_not_break_a_row(self, compute, write):
        p, t = write("p.csv", "a|b,c\n1,2\n"), write("t.csv", "label\na|b\n")
        assert "a\\|b" in compute("ce", p, t, "--per-sample", "-f", "markdown").out

    def test_a_line_break_in_a_name_does_not_break_a_row_of_markdown(self, compute, write):
        p = write("p.csv", 'id,v\n"one\ntwo",1\n')
        out = compute("l1", p, "0", "--id", "id", "--per-sample", "-f", "markdown").out
        rows = [line for line in out.splitlines() if "one" in line]
        assert [row for row in rows if "two" in row] == rows
        assert len(rows) == 1


class TestOptions:
    """Every option of the contract is in the help of a loss whose family takes it, and in no other's."""

    @pytest.mark.parametrize("loss", OWN_OPTIONS)
    def test_help(self, run, loss, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")
        done = run("compute", loss, "--help")
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", done.out))
        everything = {*COMMON_OPTIONS, *itertools.chain(*OWN_OPTIONS.values())}
        assert done.code == 0
        assert named & everything == {*COMMON_OPTIONS, *OWN_OPTIONS[loss]}

    def test_help_says_formula_domain_and_default(self, run, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")
        out = run("compute", "huber", "--help").out
        for part in ("delta", "(0, inf)", "Default: 1.", "abs(r)"):
            assert part in out

    @pytest.mark.parametrize("words", [("--help",), ("-h",), ("compute", "--help"), ("list", "-h"), ("demo", "--help")])
    def test_every_command_has_help(self, run, words):
        done = run(*words)
        assert done.code == 0
        assert "Usage" in done.out

    def test_help_lists_the_commands(self, run):
        out = run("--help").out
        assert all(name in out for name in ("compute", "list", "explain", "demo"))

    @pytest.mark.parametrize("words", [(), ("compute",)])
    def test_no_arguments_are_answered_with_help_and_a_usage_code(self, run, words):
        done = run(*words)
        assert done.code == 2
        assert "Usage" in done.out + done.err

    def test_options_may_stand_anywhere(self, run, tiny):
        p, t = tiny
        assert (
            run("compute", "ce", "-f", "value", p, "--from", "logits", t).out
            == run("compute", "ce", p, t, "-f", "value").out
        )
