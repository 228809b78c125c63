"""Results in Python: they show themselves as the commands' tables, and raise an AssertionError where they are not good enough."""

import os
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from commands import ROOT

import losscli

EXAMPLE = str(ROOT / "examples" / "losses" / "clipped_ce.py")


class Cells(HTMLParser):
    """Collects the texts of the cells of HTML tables, and checks that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


@pytest.fixture
def digits(sample_data):
    return str(sample_data / "digits_logits.csv"), str(sample_data / "digits_labels.csv")


@pytest.fixture
def results(digits, sample_data):
    """Each kind of result with the words of its command."""
    logits, labels = digits
    other = str(sample_data / "digits_mlp.csv")
    return {
        ("compute", "ce", logits, labels, "--id", "id"): losscli.compute("ce", logits, labels, id="id"),
        ("compute", "ce", logits, labels, "--id", "id", "--plus", "0.5*brier"): losscli.compute(
            "ce", logits, labels, id="id", plus="0.5*brier"
        ),
        ("check", logits, labels, "--id", "id"): losscli.check(logits, labels, id="id"),
        ("compare", "ce", logits, other, "--targets", labels, "--id", "id"): losscli.compare(
            "ce", logits, other, targets=labels, id="id"
        ),
        ("rank", "ce", logits, labels, "--id", "id", "--top", "3"): losscli.rank("ce", logits, labels, id="id", top=3),
        ("calibrate", logits, labels, "--id", "id"): losscli.calibrate(logits, labels, id="id"),
        ("verify", f"{EXAMPLE}:clipped_cross_entropy"): losscli.verify(f"{EXAMPLE}:clipped_cross_entropy"),
        ("verify", EXAMPLE): losscli.verify(EXAMPLE),
        ("explain", "huber"): losscli.explain("huber"),
    }


def test_results_are_printed_as_the_commands_print_them(results, run):
    for words, result in results.items():
        printed = run(*words).out.rstrip("\n")
        assert str(result) == printed, words
        assert repr(result) == printed, words


def test_notebooks_show_the_same_in_html(results):
    for words, result in results.items():
        shown = result._repr_html_()
        cells = Cells(shown).cells
        first = str(result).split()[0]
        assert first in cells or "&" in shown or words[0] == "explain", words
        assert first in shown
        assert "NaN" not in shown


def test_histories(run, save):
    predictions = [save("p.npy", [1.0, 2.0]), save("q.npy", [1.5, 2.0])]
    for i, name in enumerate(predictions):
        assert run("compute", "mse", name, "0", "-f", "json", "-o", f"r{i}.json").code == 0
    found = losscli.history("r0.json", "r1.json")
    assert str(found) == run("history", "r0.json", "r1.json").out.rstrip("\n")
    assert "<th" in found._repr_html_()


def test_names_from_files_are_escaped(write):
    write("p.csv", "id,<script>alert(1)</script>,b&b\n<i>,2.0,1.0\nx,0.0,1.0\n")
    write("t.csv", "id,label\n<i>,<script>alert(1)</script>\nx,b&b\n")
    ranked = losscli.rank("ce", "p.csv", "t.csv", id="id")._repr_html_()
    checked = losscli.check("p.csv", "t.csv", id="id")._repr_html_()
    for shown in (ranked, checked):
        assert "<script>" not in shown
        assert "<i>" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_curves_show_where_they_are_smallest_and_largest():
    shown = losscli.curves("huber:delta=1,2", range=(-3, 2))
    assert [line.split("|")[1:-1] for line in str(shown).splitlines() if "huber" in line] == [
        [" huber:delta=1 ", " 1,201  ", " 0        ", " 0             ", " 2.5     ", " -3           "],
        [" huber:delta=2 ", " 1,201  ", " 0        ", " 0             ", " 4       ", " -3           "],
    ]
    assert repr(shown[0]).count("huber") == 1
    assert "huber:delta=2" in Cells(shown._repr_html_()).cells


class TestRequire:
    def test_returns_the_result_that_meets_all(self):
        result = losscli.compute("mse", [1.0, 3.0], 0)
        assert result.require("mean <= 5", "max < 10").require("samples == 2") is result
        assert [entry["require"] for entry in result.requirements] == ["mean <= 5", "max < 10", "samples == 2"]

    def test_raises_an_assertion_error_with_the_table(self):
        result = losscli.compute("mse", [1.0, 3.0], 0)
        with pytest.raises(AssertionError) as caught:
            result.require("samples == 2", "mean <= 1", "max < 2")
        assert type(caught.value) is losscli.RequirementError
        assert not isinstance(caught.value, losscli.LosscliError)
        lines = str(caught.value).splitlines()
        assert lines[:4] == ["mean <= 1: NOT MET (5.0)", "max < 2: NOT MET (9.0)", "samples == 2: met (2)", ""]
        assert "\n".join(lines[4:]) == str(result)
        assert ["require", "mean", "<=", "1", "NOT", "MET", "(5.0)"] in [line.split() for line in lines]

    def test_the_same_requirement_is_noted_once(self):
        result = losscli.compute("mse", [1.0, 3.0], 0)
        result.require("mean <= 5").require("mean <= 5")
        assert len(result.requirements) == 1

    def test_every_slice(self):
        table = {"p": [1.0, 3.0, 2.0], "t": [0.0, 0.0, 0.0]}
        result = losscli.compute("mse", table["p"], table["t"], by=["a", "b", "a"])
        assert result.require_each("mean <= 9") is result
        with pytest.raises(AssertionError, match=r"mean <= 4 of .* = 'b': NOT MET \(9.0\)") as caught:
            result.require_each("mean <= 4").require("mean <= 1")
        assert "= 'a': met (2.5)" in str(caught.value)
        assert str(caught.value).endswith(str(result))
        assert "by" in result._repr_html_()

    def test_sums(self):
        result = losscli.compute("mse", [1.0, 3.0], 0, plus="0.5*mae")
        assert result.value == 5 + 0.5 * 2
        assert result.require("value <= 6") is result
        with pytest.raises(AssertionError, match=r"value < 6: NOT MET \(6.0\)"):
            result.require("value < 6")
        assert result.require() is result  # which requires nothing

    def test_comparisons(self):
        rows = np.linspace(0, 1, 50)
        compared = losscli.compare("mse", rows + 1, rows + 0.1, targets=rows)
        assert compared.require("verdict == better", "verdict != worse") is compared
        with pytest.raises(AssertionError, match=r"verdict == worse: NOT MET \(better\)"):
            compared.require("verdict == worse")

    def test_checks_and_verifications(self, digits):
        report = losscli.check(*digits, id="id")
        assert report.require("errors == 0", "warnings == 0") is report
        verified = losscli.verify(f"{EXAMPLE}:clipped_cross_entropy")
        with pytest.raises(AssertionError, match=r"broken == 0: NOT MET \(1\)") as caught:
            verified.require("broken == 0")
        assert "probabilities are clipped at 1e-07" in str(caught.value)
        with pytest.raises(AssertionError, match="broken == 0: NOT MET"):
            losscli.verify(EXAMPLE).require("broken == 0")

    @pytest.mark.parametrize("text", ["verdict = better", "verdict better", "mean <= 1", "verdict < better"])
    def test_what_is_no_requirement_is_refused(self, text):
        rows = np.linspace(0, 1, 50)
        compared = losscli.compare("mse", rows + 1, rows + 0.1, targets=rows)
        with pytest.raises(losscli.UsageError, match="require"):
            compared.require(text)
        with pytest.raises(losscli.UsageError, match="no statistic 'foo'"):
            losscli.compute("mse", [1.0], 0).require("foo <= 1")


GATE = """
import losscli


def test_good_enough():
    result = losscli.compute("mse", [1.0, 3.0], 0)
    result.require("mean <= 5")
    result.require("max < 2")
"""


def test_pytest_shows_the_requirement_and_the_table(write, folder):
    write("test_gate.py", GATE)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "test_gate.py"]
    found = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=100, env=os.environ | {"COLUMNS": "100"}
    )
    lines = found.stdout.splitlines()
    assert found.returncode == 1
    start = next(i for i, line in enumerate(lines) if line.startswith("E "))
    shown = lines[start : start + 4]
    assert lines[start - 1] == '>       result.require("max < 2")'
    assert shown[0] == "E       losscli.RequirementError: max < 2: NOT MET (9.0)"
    assert [line.split()[1:3] for line in shown[2:4]] == [["loss", "squared-error"], ["mean", "5.0"]]
    assert any(line.split()[1:] == ["require", "max", "<", "2", "NOT", "MET", "(9.0)"] for line in lines[start:])
    assert not any("shown.py" in line or "result.py" in line for line in lines)  # its own frames are hidden
    assert "FAILED test_gate.py::test_good_enough - losscli.RequirementError: max < 2: NOT" in found.stdout
