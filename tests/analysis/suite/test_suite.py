"""Suites: what is measured, judged and reported, and every exit code, through the command line."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from losscli.io.csv import TextTable
from losscli.io.npy import NpySource
from losscli.render.suite import EXAMPLE

LOGITS = np.array([[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]])
LABELS = np.array([1, 2, 0])
LOSS = float(np.mean(np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(3), LABELS]))
ONE = '[measure.one]\nloss = "ce"\npredictions = "z.npy"\ntargets = "y.npy"\n'


@pytest.fixture
def suite(run, write, save):
    """Write a suite beside a few files, and run it; JSON unless the words say otherwise."""
    save("z.npy", LOGITS)
    save("y.npy", LABELS)
    save("x.npy", [1.0, 2.0, 4.0])

    def call(text, *words, **how):
        write("s.toml", text)
        asked = [] if {"-f", "--format"} & set(words) else ["-f", "json"]
        return run("run", "s.toml", *words, *asked, **how)

    return call


def read(done):
    """The JSON report, whatever the exit code."""
    return json.loads(done.out)


class TestMeasuring:
    def test_is_what_compute_computes(self, suite, compute):
        text = """
            [measure.ce]
            loss = "cross-entropy"
            predictions = "z.npy"
            targets = "y.npy"
            label-smoothing = 0.1
            class-weight = { 1 = 2, 2 = 0.5 }
            reduction = "sum"
            [measure."focal two"]
            loss = "softmax-focal:gamma=1.5"
            predictions = "z.npy"
            targets = "y.npy"
            ignore-index = 2
            [measure.penalty]
            loss = "l2"
            predictions = "x.npy"
            targets = 0
            reduction = "sum"
        """
        done = suite(text)
        assert done.code == 0
        one, two, three = done.json["measures"]
        words = ["--label-smoothing", "0.1", "--class-weight", "1=2,2=0.5", "--reduction", "sum"]
        expected = compute("ce", "z.npy", "y.npy", *words).json
        assert (one["name"], one["value"], one["signature"]) == ("ce", expected["value"], expected["signature"])
        assert one["summary"] == expected["summary"]
        expected = compute("softmax-focal", "z.npy", "y.npy", "--gamma", "1.5", "--ignore-index", "2").json
        assert (two["name"], two["value"], two["ignored"]) == ("focal two", expected["value"], 1)
        assert three["value"] == 0.5 * (1 + 4 + 16)

    def test_has_defaults_for_the_losses_that_take_them(self, suite, save):
        p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
        save("p.npy", p)
        text = """
            [defaults]
            predictions = "p.npy"
            targets = "y.npy"
            from = "probs"
            [measure.ce]
            loss = "ce"
            [measure.mse]
            loss = "mse"
            predictions = "x.npy"
            targets = "x.npy"
        """
        ce, mse = suite(text).json["measures"]
        assert ce["value"] == pytest.approx(LOSS, rel=1e-12)
        assert mse["value"] == 0

    def test_takes_defaults_back_with_false(self, suite, write):
        write("p.csv", "id,x\na,1\nb,2\n")
        write("t.csv", "id,x\nb,2\na,1\n")
        text = """
            [defaults]
            id = "id"
            [measure.joined]
            loss = "l1"
            predictions = "p.csv"
            targets = "t.csv"
            [measure.array]
            loss = "l1"
            predictions = "x.npy"
            targets = 0
            id = false
        """
        joined, array = suite(text).json["measures"]
        assert (joined["value"], array["value"]) == (0, pytest.approx(7 / 3))
        assert suite(text.replace("id = false", "")).code == 3

    def test_as_a_library_has_it(self, suite, compute):
        text = ONE + 'as = "torch"\nlabel-smoothing = 0.1\n'
        found = suite(text).json["measures"][0]
        expected = compute("ce", "z.npy", "y.npy", "--as", "torch", "--label-smoothing", "0.1").json
        assert (found["value"], found["signature"]) == (expected["value"], expected["signature"])

    @pytest.mark.parametrize(
        ("words", "option", "value"),
        [
            (("ce", "z.npy", "y.npy", "--class-axis", "-1"), "mask", "m.npy"),
            (("ce", "z.npy", "y.npy", "--class-axis", "-1"), "bytes", "b.npy"),
            (("ce", "z.npy", "y.npy", "--class-axis", "-1"), "bytes", "100"),
            (("ctc", "z.npy", "s.npy"), "input-lengths", "l.npy"),
            (("ctc", "z.npy", "s.npy"), "input-lengths", "2"),
            (("ctc", "z.npy", "s.npy"), "target-lengths", "1"),
            (("mse", "z.npy", "z.npy"), "sample-weight", "2"),
            (("gaussian-nll", "z.npy", "z.npy"), "variance", "2"),
        ],
    )
    def test_options_that_are_files_or_numbers(self, run, compute, save, write, words, option, value):
        Path("in").mkdir()
        rng = np.random.default_rng(0)
        save("in/z.npy", rng.normal(size=(4, 3, 2)))
        save("in/y.npy", rng.integers(0, 2, (4, 3)))
        save("in/m.npy", rng.integers(0, 2, (4, 3)))
        save("in/s.npy", [[1, -1]] * 4)
        save("in/b.npy", [3, 4, 5, 6])
        save("in/l.npy", [3, 2, 3, 1])
        loss, predictions, targets, *more = words
        table = f'[measure.a]\nloss = "{loss}"\npredictions = "{predictions}"\ntargets = "{targets}"\n{option} = "{value}"\n'
        write("in/suite.toml", table + ("class-axis = -1\n" if more else ""))
        given = f"in/{value}" if value.endswith(".npy") else value
        expected = compute(loss, f"in/{predictions}", f"in/{targets}", *more, f"--{option}", given).json
        found = run("run", "in/suite.toml", "-f", "json").json["measures"][0]
        assert (found["value"], found["summary"]) == (expected["value"], expected["summary"])

    def test_of_patterns_and_columns(self, suite, save, write):
        save("s-1.npy", [1.0, 2])
        save("s-2.npy", [3.0])
        save("s-10.npy", [5.0])
        write("t.csv", "id,t\na,0\nb,0\nc,0\nd,1\n")
        text = '[measure.a]\nloss = "l1"\npredictions = "s-*.npy"\ntargets = "t.csv:t"\n'
        assert suite(text).json["measures"][0]["value"] == (1 + 2 + 3 + 4) / 4

    def test_paths_are_from_the_folder_of_the_suite(self, run, suite, folder, monkeypatch):
        assert suite(ONE).code == 0
        (folder / "deep").mkdir()
        monkeypatch.chdir(folder / "deep")
        done = run("run", "../s.toml", "-f", "json")
        assert done.json["measures"][0]["value"] == pytest.approx(LOSS, rel=1e-12)

    def test_reads_a_file_once(self, suite, monkeypatch, write):
        """One pass over the predictions, whatever the number of measurements; a table is parsed once."""
        rows, parsed = [], []
        true, parse = NpySource.read, TextTable.quick

        def counted(self, start, stop, out=None):
            if self.name.endswith("z.npy"):
                rows.append((start, stop))
            return true(self, start, stop, out)

        def quick(self, chunk, numbers):
            parsed.append((self.name, chunk))
            return parse(self, chunk, numbers)

        monkeypatch.setattr(NpySource, "read", counted)
        monkeypatch.setattr(TextTable, "quick", quick)
        monkeypatch.setattr("losscli.io.csv.SMALL", 0)
        write("p.csv", "1\n2\n3\n")
        write("t.csv", "1\n1\n1\n")
        measures = "".join(
            f'[measure.m{i}]\nloss = "softmax-focal:gamma={i}"\npredictions = "z.npy"\n' for i in range(5)
        )
        more = "".join(
            f'[measure.r{i}]\nloss = "{loss}"\npredictions = "p.csv"\ntargets = "t.csv"\n'
            for i, loss in enumerate(("l1", "l2", "huber"))
        )
        done = suite('[defaults]\ntargets = "y.npy"\n' + measures + more)
        assert done.code == 0
        assert rows == [(0, 3)]
        assert sorted(set(parsed)) == [("p.csv", 0), ("t.csv", 0)]
        assert parsed.count(("t.csv", 0)) == 1
        assert len(done.json["measures"]) == 8

    def test_is_the_same_on_any_number_of_threads(self, suite, save, monkeypatch):
        rng = np.random.default_rng(0)
        save("z.npy", rng.normal(size=(300, 3)))
        save("y.npy", rng.integers(0, 3, 300))
        monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", 17)
        text = ONE + ONE.replace("one", "two").replace('"ce"', '"brier"')
        one, many = suite(text, "--threads", "1"), suite(text, "--threads", "3")
        assert one.json == many.json


class TestSums:
    TEXT = """
        [defaults]
        targets = "y.npy"
        [measure.objective]
        terms = [
          { name = "ce", loss = "ce", predictions = "z.npy" },
          { name = "center", weight = 0.5, loss = "center", predictions = "z.npy", centers = "c.npy" },
          { name = "penalty", weight = 1e-2, loss = "l2", predictions = "x.npy", targets = 0, reduction = "sum" },
        ]
        require = ["value <= 5", "penalty < 10", "ce >= 0"]
    """

    def test_are_weighted_sums_of_terms(self, suite, save):
        save("c.npy", np.zeros((3, 3)))
        done = suite(self.TEXT)
        found = done.json["measures"][0]
        center = float((LOGITS**2).sum(axis=1).mean() / 2)
        values = [LOSS, center, 10.5]
        assert [term["value"] for term in found["terms"]] == pytest.approx(values, rel=1e-12)
        assert [term["contribution"] for term in found["terms"]] == pytest.approx([LOSS, center / 2, 0.105], rel=1e-12)
        assert found["value"] == pytest.approx(LOSS + 0.5 * center + 0.105, rel=1e-12)
        assert [check["status"] for check in found["checks"]] == ["met", "not met", "met"]
        assert done.code == 1

    def test_need_every_term(self, suite):
        done = suite(self.TEXT)  # without centers
        assert done.code == 3
        found = read(done)["measures"][0]
        assert (found["status"], found["value"]) == ("unmeasured", None)
        assert "c.npy" in found["errors"][0]
        assert found["terms"][0]["value"] == pytest.approx(LOSS, rel=1e-12)

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ('[measure.a]\nterms = []\n', ["measure.a.terms"]),
            ('[measure.a]\nterms = [{loss = "l1", predictions = "x.npy", targets = 0}, {loss = "l1", predictions = "x.npy", targets = 1}]\n', ["'absolute-error' is the name of two terms"]),
            ('[measure.a]\nloss = "l1"\nterms = []\n', ["measure.a.loss", "no such key"]),
            ('[measure.a]\nterms = [{loss = "l1", predictions = "x.npy", targets = 0, weight = "2"}]\n', ["weight", "'2'"]),
            ('[measure.a]\nrequire = "mean < 1"\nterms = [{loss = "l1", predictions = "x.npy", targets = 0}]\n', ["no statistic 'mean'", "value, absolute-error"]),
        ],
    )  # fmt: skip
    def test_refusals(self, suite, text, parts):
        suite(text).refuses(2, "s.toml", *parts)


class TestRequirements:
    @pytest.mark.parametrize(
        ("wish", "status", "code"),
        [
            ("mean <= 0.8", "met", 0),
            ("mean <= 0.7", "not met", 1),
            ("samples == 3", "met", 0),
            ("ece < 2", "met", 0),
            ("rmse < 2", "unmeasured", 3),
        ],
    )
    def test_are_judged(self, suite, wish, status, code):
        done = suite(ONE + f'require = ["{wish}", "max < 9"]\n')
        assert done.code == code
        checks = read(done)["measures"][0]["checks"]
        assert [check["status"] for check in checks] == [status, "met"]
        assert checks[0]["check"] == wish

    def test_infinite_losses_meet_no_limit(self, suite, save):
        save("p.npy", [[1.0, 0], [0.5, 0.5]])
        save("y.npy", [1, 0])
        text = ONE.replace("z.npy", "p.npy") + 'from = "probs"\nrequire = "value < 1e300"\n'
        done = suite(text)
        assert done.code == 1
        assert read(done)["nonfinite"]["measures.0.value"] == "inf"

    def test_unmeasured_wins_over_not_met(self, suite, save):
        save("nan.npy", [1.0, np.nan, 2])
        bad = '[measure.nan]\nloss = "l1"\npredictions = "nan.npy"\ntargets = 0\nrequire = "mean < 5"\n'
        done = suite(ONE + 'require = "mean <= 0"\n' + bad)
        assert done.code == 3
        report = read(done)
        assert report["status"] == "unmeasured"
        assert report["counts"] == {"met": 0, "not met": 1, "unmeasured": 1}
        assert "nan.npy[1]" in report["measures"][1]["errors"][0]
        assert report["measures"][0]["value"] == pytest.approx(LOSS, rel=1e-12)

    @pytest.mark.parametrize(
        "bad",
        [
            '[measure.b]\nloss = "ce"\npredictions = "gone.npy"\ntargets = "y.npy"\n',
            '[measure.b]\nloss = "ce"\npredictions = "x.npy"\ntargets = "y.npy"\n',
            '[measure.b]\nloss = "ce"\npredictions = "z.npy"\ntargets = "y.npy"\nclass-weight = "9=2"\n',
            '[measure.b]\nloss = "l1"\npredictions = "bad.csv"\ntargets = 0\n',
            '[measure.b]\nloss = "l1"\npredictions = "none-*.npy"\ntargets = 0\n',
        ],
    )
    def test_what_cannot_be_measured_leaves_the_rest(self, suite, write, bad):
        write("bad.csv", "1\nx\n")
        done = suite(bad + ONE)
        assert done.code == 3
        first, second = read(done)["measures"]
        assert first["status"] == "unmeasured"
        assert len(first["errors"]) == 1
        assert second["status"] == "met"


class TestBaselines:
    def save(self, suite, text, name="b.json"):
        done = suite(text, "--save", name)
        assert done.code == 0, done.err
        return done

    def test_hold_what_was_reported(self, suite, folder):
        done = self.save(suite, ONE)
        assert json.loads((folder / "b.json").read_text()) == done.json

    @pytest.mark.parametrize(
        ("tolerance", "factor", "code"),
        [
            ("", 1.0, 0),
            ("", 0.9, 0),
            ("", 1.001, 1),
            ("tolerance = { relative = 0.01 }", 1.009, 0),
            ("tolerance = { relative = 0.01 }", 1.011, 1),
            ("tolerance = { absolute = 0.5 }", 1.2, 0),
            ("tolerance = { absolute = 0.5 }", 1.3, 1),
            ("tolerance = { absolute = 0.5, relative = 0.5 }", 1.4, 0),
            ('tolerance = { statistic = "max", absolute = 0.5 }', 1.2, 1),
        ],
    )
    def test_are_compared_within_a_tolerance(self, suite, save, tolerance, factor, code):
        """Losses of x.npy against 0 are its sizes: mean 7/3, largest 4."""
        text = f'baseline = "b.json"\n[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\n{tolerance}\n'
        self.save(suite, text)
        save("x.npy", np.array([1.0, 2, 4]) * factor)
        done = suite(text)
        assert done.code == code
        check = read(done)["measures"][0]["checks"][0]
        assert check["check"] == ("max against b.json" if "max" in tolerance else "value against b.json")
        assert "before" in check["words"]

    @pytest.mark.parametrize(
        ("dtype", "factor", "code", "why"),
        [
            ("float32", 1 + 6e-7, 0, "1e-06 of it for rounding in float32"),
            ("float32", 1 + 2e-6, 1, "1e-06 of it for rounding in float32"),
            ("float64", 1 + 1e-10, 0, "1e-09 of it for rounding in float64"),
            ("float64", 1 + 6e-7, 1, "1e-09 of it for rounding in float64"),
        ],
    )
    def test_are_compared_as_the_dtype_allows(self, suite, save, dtype, factor, code, why):
        values = np.array([1.0, 2, 4], dtype)
        save("x.npy", values)
        text = '[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\n'
        self.save(suite, text)
        save("x.npy", (values * factor).astype(dtype))
        done = suite(text, "--baseline", "b.json")
        assert (done.code, why in read(done)["measures"][0]["checks"][0]["words"]) == (code, True)
        done = suite(text + "tolerance = { relative = 1e-12 }\n", "--baseline", "b.json")
        assert (done.code, "tolerance of the suite: relative = 1e-12" in done.out) == (1, True)

    def test_of_a_sum_whose_terms_cancel_are_compared_by_the_size_of_the_terms(self, suite, save):
        """7/3 - 6.9/3, of which each is off by 6e-7 of itself: the difference changes by 4e-5 of itself."""
        values = np.array([1.0, 2, 4], np.float32)
        text = "[measure.a]\nterms = [" + ", ".join(
            f'{{ loss = "l1", name = "{name}", weight = {weight}, predictions = "{name}.npy", targets = 0 }}'
            for name, weight in (("x", 1), ("y", -1))
        )
        save("x.npy", values), save("y.npy", values - np.float32(0.1 / 3))
        self.save(suite, text + "]\n")
        save("x.npy", values * np.float32(1 + 6e-7))
        assert suite(text + "]\n", "--baseline", "b.json").code == 0

    def test_say_what_else_differs_where_they_are_not_met(self, suite, save, folder):
        text = '[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\n'
        self.save(suite, text)
        path = folder / "b.json"
        report = json.loads(path.read_text())
        now = report["measures"][0]["arithmetic"]
        assert now["numpy"] == np.__version__
        report["measures"][0]["arithmetic"] = now | {"simd": "ABACUS"}
        path.write_text(json.dumps(report))
        words = f"it was computed with numpy {np.__version__}, simd ABACUS, and now with numpy {np.__version__}, simd"
        done = suite(text, "--baseline", "b.json")
        assert (done.code, words in done.out) == (0, False)
        save("x.npy", [9.0])
        done = suite(text, "--baseline", "b.json")
        assert (done.code, words in done.out) == (1, True)

    def test_of_a_processor_without_simd_are_met(self, suite, save, folder):
        """float32 exp has other last digits there."""
        from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

        names = " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name])
        if not names:
            pytest.skip("NumPy dispatches on nothing that this processor has")
        generator = np.random.default_rng(4)
        save("z.npy", generator.normal(0, 8, (999, 5)).astype(np.float32)), save("y.npy", generator.integers(0, 5, 999))
        text = '[measure.a]\nloss = "ce"\npredictions = "z.npy"\ntargets = "y.npy"\n'
        here = self.save(suite, text).json["measures"][0]
        words = [sys.executable, "-m", "losscli", "run", "s.toml", "--save", "b.json"]
        plain = os.environ | {"NPY_DISABLE_CPU_FEATURES": names}
        subprocess.run(words, env=plain, check=True, capture_output=True)
        there = json.loads((folder / "b.json").read_text())["measures"][0]
        assert here["arithmetic"]["simd"] != there["arithmetic"]["simd"]
        assert here["signature"] == there["signature"]
        assert suite(text, "--baseline", "b.json").code == 0

    def test_may_be_named_on_the_command_line(self, suite, save):
        text = '[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\n'
        self.save(suite, text, "old.json")
        save("x.npy", [9.0])
        assert suite(text).code == 0
        assert suite(text, "--baseline", "old.json").code == 1

    def test_of_other_conventions_are_no_measure(self, suite):
        self.save(suite, ONE)
        done = suite(ONE + "label-smoothing = 0.1\n", "--baseline", "b.json")
        assert done.code == 3
        assert "computed otherwise" in read(done)["measures"][0]["checks"][0]["words"]

    def test_of_another_version_can_be_compared(self, suite, folder):
        self.save(suite, ONE)
        path = folder / "b.json"
        path.write_text(re.sub(r"losscli:[\d.]+", "losscli:0.0.1", path.read_text()))
        assert suite(ONE, "--baseline", "b.json").code == 0

    def test_without_the_measurement_are_no_pass(self, suite):
        self.save(suite, ONE)
        done = suite(ONE.replace("one", "ones"), "--baseline", "b.json")
        assert done.code == 3
        assert "no 'ones' (did you mean one?)" in read(done)["measures"][0]["checks"][0]["words"]

    def test_that_are_missing_are_no_pass(self, suite, folder):
        text = 'baseline = "b.json"\n' + ONE
        suite(text).refuses(3, "b.json", "--save b.json")
        done = suite(text, "--save", "b.json")  # the first time
        assert done.code == 0
        assert "nothing to compare with" in done.err
        assert suite(text).code == 0

    @pytest.mark.parametrize(
        "content", ["", "{}", "[1]", '{"measures": [1]}', '{"measures": {"a": 1}}', "\xff", "[" * 10**5]
    )
    def test_that_are_none_are_refused(self, suite, write, content):
        write("b.json", content.encode("latin-1"))
        suite(ONE, "--baseline", "b.json").refuses(3, "b.json")

    def test_without_a_number_are_no_pass(self, suite, folder):
        self.save(suite, ONE)
        path = folder / "b.json"
        report = json.loads(path.read_text())
        report["measures"][0]["value"] = None
        path.write_text(json.dumps(report))
        assert suite(ONE, "--baseline", "b.json").code == 3

    def test_are_not_saved_where_something_is_unmeasured(self, suite, folder):
        (folder / "b.json").write_text("old")
        done = suite(ONE.replace("z.npy", "gone.npy"), "--save", "b.json")
        assert done.code == 3
        assert "not saved" in done.err
        assert (folder / "b.json").read_text() == "old"
        assert not [path for path in folder.iterdir() if path.name.endswith(".losscli")]

    def test_are_saved_where_something_is_not_met(self, suite, folder):
        assert suite(ONE + 'require = "mean < 0"\n', "--save", "b.json").code == 1
        assert json.loads((folder / "b.json").read_text())["status"] == "not met"


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("", ["no [measure.NAME]", "--init"]),
            ("measures = 1\n", ["measures: no such key (did you mean measure?)"]),
            (ONE + 'lable-smoothing = 0.1\n', ["measure.one.lable-smoothing", "did you mean label-smoothing?"]),
            (ONE + "gamma = 2\n", ["measure.one.gamma", "SPEC"]),
            (ONE + "label-smoothing = 2\n", ["measure.one", "label-smoothing"]),
            (ONE + 'label-smoothing = "0.1"\n', ["measure.one.label-smoothing", "'0.1' is not a number"]),
            (ONE + "header = 1\n", ["measure.one.header", "neither true nor false"]),
            (ONE + 'from = "prob"\n', ["measure.one.from", "did you mean probs?"]),
            (ONE + 'reduction = "none"\n', ["measure.one.reduction"]),
            (ONE + 'require = "mean"\n', ["measure.one.require", "'mean'"]),
            (ONE + "require = 1\n", ["measure.one.require"]),
            (ONE + 'require = ["meen < 1"]\n', ["did you mean mean?"]),
            (ONE + "tolerance = { absolut = 1 }\n", ["measure.one.tolerance.absolut", "did you mean absolute?"]),
            (ONE + "tolerance = { absolute = -1 }\n", ["measure.one.tolerance.absolute"]),
            (ONE + 'tolerance = { statistic = "men" }\n', ["did you mean mean?"]),
            (ONE + "tolerance = 0.1\n", ["measure.one.tolerance", "not a table"]),
            (ONE + 'as = "pytorch2"\n', ["measure.one.as"]),
            (ONE + 'as = "torch,keras"\n', ["several libraries"]),
            (ONE.replace('"ce"', '"cee"'), ["measure.one.loss", "cee"]),
            (ONE.replace('"ce"', '"softmax-focal:gamma=1,2"'), ["2 losses"]),
            (ONE.replace('"ce"', '"softmax-focal:gamma=-1"'), ["gamma"]),
            (ONE.replace('targets = "y.npy"\n', ""), ["measure.one: has no targets"]),
            (ONE.replace('"z.npy"', '"-"'), ["standard input"]),
            (ONE.replace('"z.npy"', "[1]"), ["measure.one.predictions"]),
            (ONE + 'pos-weight = 2\n', ["measure.one", "pos-weight", "sigmoid"]),
            ("measure = 1\n", ["measure: is not a table"]),
            ("[defaults]\nloss = 'ce'\n" + ONE, ["defaults.loss", "no such key"]),
        ],
    )  # fmt: skip
    def test_of_keys_and_values_name_the_place(self, suite, text, parts):
        suite(text).refuses(2, "s.toml", *parts)

    def test_of_what_is_no_toml(self, suite, run, write, folder):
        suite("[measure\n").refuses(3, "s.toml", "not TOML", "line 1")
        run("run", "gone.toml").refuses(3, "gone.toml", "--init")
        write("latin.toml", b"name = '\xff'\n")
        run("run", "latin.toml").refuses(3, "UTF-8")
        run("run").refuses(2, "--init")
        run("run", ".").refuses(3, "cannot be read")

    def test_of_outputs(self, suite, folder):
        suite(ONE, "-o", "r.txt").refuses(2, "r.txt", ".xml")
        suite(ONE, "--save", "gone/b.json").refuses(3, "gone/b.json")
        save = (folder / "z.npy").read_bytes()
        suite(ONE, "--save", "z.npy").refuses(2, "z.npy", "input")
        suite(ONE, "--save", "s.toml").refuses(2, "s.toml", "input")
        assert (folder / "z.npy").read_bytes() == save

    def test_a_byte_order_mark_is_none_of_the_suite(self, suite):
        assert suite("\ufeff" + ONE).code == 0


class TestMended:
    """What a review found."""

    def test_a_name_of_a_term_does_not_change_its_library(self, suite, save):
        save("w.npy", [1.0, 2.0, 4.0])
        term = '{ loss = "l1", predictions = "x.npy", targets = 0, sample-weight = "w.npy" }'
        text = (
            '[defaults]\nas = "keras"\n[measure.a]\nterms = ['
            + term
            + ", "
            + term.replace("{", '{ name = "q",')
            + "]\n"
        )
        one, other = suite(text).json["measures"][0]["terms"]
        assert one["value"] == other["value"] == pytest.approx((1 + 4 + 16) / 3)

    def test_a_default_library_is_for_the_losses_that_it_has(self, suite):
        text = '[defaults]\nas = "torch"\n[measure.a]\nloss = "tukey"\npredictions = "x.npy"\ntargets = 0\n'
        assert suite(text).json["measures"][0]["status"] == "met"
        own = text.replace('[defaults]\nas = "torch"\n', "") + 'as = "torch"\n'
        assert suite(own).code == 3
        assert suite(ONE + "as = false\n").code == 0

    def test_files_of_names_are_inputs_too(self, suite, write, folder):
        write("names.md", "a\nb\nc\n")
        suite(ONE + 'classes = "names.md"\n', "-o", "names.md").refuses(2, "names.md", "input")
        assert (folder / "names.md").read_text() == "a\nb\nc\n"

    def test_a_baseline_is_not_replaced_by_what_is_worse(self, suite, save, folder):
        text = '[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\n'
        suite(text, "--save", "b.json")
        kept = (folder / "b.json").read_text()
        save("x.npy", [9.0])
        for _ in range(2):
            done = suite(text, "--baseline", "b.json", "--save", "b.json")
            assert done.code == 1
            assert "not saved" in done.err
        suite(text, "--baseline", "b.json", "-o", "b.json").refuses(2, "b.json")
        assert (folder / "b.json").read_text() == kept
        save("x.npy", [0.5])
        assert suite(text, "--baseline", "b.json", "--save", "b.json").code == 0
        assert (folder / "b.json").read_text() != kept

    @pytest.mark.parametrize("option", ["--baseline", "--save"])
    def test_a_variable_that_is_not_set_is_no_file(self, suite, option):
        suite(ONE, option, "").refuses(2, option, "empty")

    def test_a_total_that_is_no_number_is_unmeasured(self, suite, save):
        save("inf.npy", [np.inf, 1.0])
        term = '{{ name = "{}", loss = "{}", weight = {}, predictions = "inf.npy", targets = 0 }}'
        for one, other in ((("a", "l1", 0), ("b", "l1", 1)), (("a", "l1", 1), ("b", "mse", -1))):
            done = suite(f"[measure.s]\nterms = [{term.format(*one)}, {term.format(*other)}]\n")
            assert done.code == 3
            assert "not a number" in read(done)["measures"][0]["errors"][0]

    def test_an_infinite_value_says_so_and_is_no_baseline(self, suite, save, folder):
        save("inf.npy", [np.inf, 1.0])
        text = '[measure.a]\nloss = "l1"\npredictions = "inf.npy"\ntargets = 0\n'
        suite(text, "--save", "b.json")
        assert json.loads((folder / "b.json").read_text())["nonfinite"]["measures.0.value"] == "inf"
        assert suite(text, "--baseline", "b.json").code == 3

    @pytest.mark.parametrize("value", ["1e999", "Infinity", "-Infinity", "NaN", "9" * 400, "true", '"1"'])
    def test_a_baseline_without_a_number_is_no_pass(self, suite, folder, value):
        suite(ONE, "--save", "b.json")
        path = folder / "b.json"
        path.write_text(re.sub(r'"value": [\d.]+', f'"value": {value}', path.read_text()))
        assert suite(ONE, "--baseline", "b.json").code == 3

    @pytest.mark.parametrize(
        "text",
        [
            ONE + f"label-smoothing = {'9' * 400}\n",
            ONE + f"label-base = {'9' * 400}\n",
            ONE + f"tolerance = {{ absolute = {'9' * 400} }}\n",
            f'[measure.a]\nterms = [{{ loss = "l1", predictions = "x.npy", targets = 0, weight = {"9" * 400} }}]\n',
            ONE + "class-weight = { 0 = nan }\n",
            ONE + 'class-weight = { "0=1,1" = 3 }\n',
            ONE + "require = [3]\n",
            ONE + "predictions = true\n".replace("predictions", "sample-weight"),
            '[defaults]\nfrom = "bogus"\n' + ONE,
            "[defaults]\nlabel-smoothing = true\n" + ONE,
            '[measure.a]\nterms = [{ name = "value", loss = "l1", predictions = "x.npy", targets = 0 }]\n',
        ],
    )
    def test_values_of_no_use_are_refused_once(self, suite, text):
        done = suite(text)
        done.refuses(2, "s.toml")
        assert done.err.count("s.toml") == 1

    @pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a=" + "[" * 20_000 + "]" * 20_000])
    def test_toml_without_end(self, suite, text):
        suite(text).refuses(3, "s.toml")

    def test_names_with_commas(self, suite, write):
        write("z.csv", '"a,b",c\n1,2\n2,1\n')
        write("y.csv", 'l\n"a,b"\nc\n')
        text = '[measure.a]\nloss = "ce"\npredictions = "z.csv"\ntargets = "y.csv"\nclasses = ["a,b", "c"]\n'
        assert suite(text).code == 0

    def test_a_folder_whose_name_is_a_pattern(self, run, folder, save, monkeypatch):
        (folder / "g[1]").mkdir()
        save("g[1]/p-1.npy", [1.0])
        save("g[1]/p-2.npy", [3.0])
        text = '[measure.a]\nloss = "l1"\npredictions = "p-*.npy"\ntargets = 0\n'
        (folder / "g[1]" / "s.toml").write_text(text)
        assert run("run", "g[1]/s.toml", "-f", "json").json["measures"][0]["value"] == 2

    def test_names_of_suites_are_no_commands(self, suite):
        out = suite('name = "s\\n::error ::pwn"\n' + ONE, "-f", "github").out
        assert out.count("\n") == 1
        assert not out.startswith("::")

    def test_annotations_find_names_of_any_script(self, suite):
        text = ONE + '[measure."é"]\nloss = "l1"\npredictions = "gone.npy"\ntargets = 0\n'
        assert "line=5," in suite(text, "-f", "github").out

    def test_requirements_of_the_defaults_are_for_losses(self, suite):
        term = '[measure.s]\nterms = [{ loss = "l1", predictions = "x.npy", targets = 0 }]\n'
        done = suite('[defaults]\nrequire = "mean <= 9"\n' + ONE + term)
        assert [len(one["checks"]) for one in done.json["measures"]] == [1, 0]
        suite('[defaults]\nrequire = "men <= 9"\n' + ONE).refuses(2, "defaults.require", "did you mean mean")


class TestReports:
    TEXT = (
        ONE
        + 'require = ["mean <= 0.7", "max < 9"]\n[measure."<&>"]\nloss = "l1"\npredictions = "gone\\u0007%.npy"\ntargets = 0\n'
    )

    def test_are_tables(self, suite):
        out = suite(self.TEXT, "-f", "table").out
        assert "result  unmeasured: 2 measurements, 0 met, 1 not met, 1 unmeasured" in out
        assert "NOT MET" in out
        out = suite(self.TEXT, "-f", "markdown").out
        assert "| one | 0.794309 | mean <= 0.7 | NOT MET | mean is 0.794309" in out

    def test_are_junit(self, suite):
        done = suite(self.TEXT, "-f", "junit")
        assert done.code == 3
        root = ElementTree.fromstring(done.out)
        assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
            "tests": "3",
            "failures": "1",
            "errors": "1",
        }
        cases = [
            (case.get("classname"), case.get("name"), [child.tag for child in case]) for case in root.iter("testcase")
        ]
        assert cases == [
            ("s.one", "mean <= 0.7", ["failure"]),
            ("s.one", "max < 9", []),
            ("s.<&>", "measured", ["error"]),
        ]

    def test_are_annotations(self, suite):
        lines = suite(self.TEXT, "-f", "github").out.splitlines()
        assert lines[0].startswith("::error file=s.toml,line=1,title=one%3A mean <= 0.7%3A not met::mean is 0.79430")
        assert lines[1].startswith("::error file=s.toml,line=6,title=<&>%3A not measured::")
        assert "%25.npy" in lines[1]
        assert lines[2] == "losscli run s: unmeasured: 2 measurements, 0 met, 1 not met, 1 unmeasured"
        assert len(lines) == 3

    def test_names_are_no_commands(self, suite):
        out = suite(
            '[measure."::error::x\\n::error::y"]\nloss = "l1"\npredictions = "gone.npy"\ntargets = 0\n', "-f", "github"
        ).out
        assert len(out.splitlines()) == 2
        assert len([line for line in out.splitlines() if line.startswith("::")]) == 1
        assert "%0A" in out

    def test_go_to_several_files(self, suite, folder):
        done = suite(self.TEXT, "-o", "r.json", "-o", "r.xml", "-o", "r.md")
        assert json.loads((folder / "r.json").read_text()) == read(done)
        ElementTree.parse(folder / "r.xml")
        assert "UNMEASURED" in (folder / "r.md").read_text()

    def test_notes_name_the_measurement(self, suite):
        done = suite(ONE + "ignore-index = 77\n")
        assert "losscli: note: one: --ignore-index 77: no row has this label" in done.err
        assert suite(ONE + "ignore-index = 77\n", "-q").err == ""


class TestExample:
    def test_is_a_suite_that_runs(self, run, folder, sample_data):
        done = run("run", "--init")
        assert done.code == 0
        (folder / "losscli.toml").write_text(done.out)
        for name, here in (("digits_logits.npy", "logits.npy"), ("digits_labels.npy", "labels.npy")):
            (folder / here).write_bytes((sample_data / name).read_bytes())
        assert run("run", "losscli.toml", "-f", "json").json["status"] == "met"

    def test_holds_with_its_comments_removed(self, run, folder, sample_data):
        whole = re.sub(
            r"^# (\[measure|terms|  \{|\]|require|by =|baseline =|tolerance =)", r"\1", EXAMPLE, flags=re.MULTILINE
        )
        assert whole.count("[measure.") == 3
        (folder / "losscli.toml").write_text(whole)
        found = {"logits": "digits_logits", "labels": "digits_labels", "weights": "centers"}
        for here, name in found.items():
            (folder / f"{here}.npy").write_bytes((sample_data / f"{name}.npy").read_bytes())
        rng = np.random.default_rng(0)
        np.save("features.npy", rng.normal(size=(360, 2)))
        np.save("centers.npy", rng.normal(size=(10, 2)))
        np.save("regions.npy", np.arange(360) % 3)
        assert run("run", "losscli.toml", "--save", "baseline.json").code == 0
        assert run("run", "losscli.toml").code == 0


def test_exit_codes_of_a_process(process, write, save):
    save("x.npy", [1.0])
    for limit, code in (("2", 0), ("0", 1)):
        write("s.toml", f'[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\nrequire = "mean < {limit}"\n')
        assert process("run", "s.toml").code == code
    Path("x.npy").unlink()
    assert process("run", "s.toml").code == 3


class TestBless:
    """`run --bless` accepts the results as the baseline, and says what changes."""

    TEXT = (
        'baseline = "b.json"\n'
        '[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\n'
        '[measure.b]\nloss = "mse"\npredictions = "x.npy"\ntargets = 0\nrequire = "value <= 10"\n'
    )

    def blessed(self, suite, text, *words):
        done = suite(text, "--bless", "-f", "json", *words)
        return done, json.loads(done.out)

    def test_makes_the_first_baseline(self, suite, folder):
        done, found = self.blessed(suite, self.TEXT)
        assert done.code == 0
        assert found["blessed"] == {"file": "b.json", "first": True, "changes": []}
        saved = json.loads((folder / "b.json").read_text())
        assert saved == {key: value for key, value in found.items() if key != "blessed"}
        assert suite(self.TEXT).code == 0

    def test_shows_every_number_that_changes(self, suite, save, folder):
        """Losses of x.npy against 0: 1, 2, 4, and then 2, 4, 8; their squares 1, 4, 16, and 4, 16, 64."""
        self.blessed(suite, self.TEXT)
        save("x.npy", [2.0, 4.0, 8.0])
        assert suite(self.TEXT).code == 1
        done, found = self.blessed(suite, self.TEXT)
        assert done.code == 1  # the requirement of b is not met, whatever the baseline is
        assert found["measures"][0]["checks"] == []  # nothing is compared with what is replaced
        changes = {(one["measurement"], one["statistic"]): one for one in found["blessed"]["changes"]}
        assert changes["a", "value"]["before"] == pytest.approx(7 / 3, rel=1e-15)
        assert changes["a", "value"]["now"] == pytest.approx(14 / 3, rel=1e-15)
        assert changes["a", "value"]["relative"] == 1
        assert (changes["a", "max"]["before"], changes["a", "max"]["now"]) == (4, 8)
        assert (changes["b", "value"]["before"], changes["b", "value"]["now"]) == (7, 28)
        assert ("a", "samples") not in changes
        assert json.loads((folder / "b.json").read_text())["measures"][1]["value"] == 28
        again, found = self.blessed(suite, self.TEXT)
        assert found["blessed"]["changes"] == []
        out = suite(self.TEXT, "--bless", "-f", "table").out
        assert "b.json: nothing changes" in out
        assert again.code == 1

    def test_names_what_is_new_gone_or_computed_otherwise(self, suite):
        self.blessed(suite, self.TEXT)
        other = self.TEXT.replace("measure.b", "measure.c").replace('loss = "l1"', 'loss = "huber:delta=1"')
        _, found = self.blessed(suite, other)
        words = {one["measurement"]: one["words"] for one in found["blessed"]["changes"] if "statistic" not in one}
        assert words == {
            "a": "computed otherwise: loss:absolute-error -> loss:huber|delta:1",
            "b": "no longer measured",
            "c": "new",
        }

    def test_writes_nothing_where_something_was_not_measured(self, suite, save, folder):
        self.blessed(suite, self.TEXT)
        before = (folder / "b.json").read_bytes()
        save("x.npy", [1.0, np.nan])
        done, found = self.blessed(suite, self.TEXT)
        assert done.code == 3
        assert "blessed" not in found
        assert "b.json: not saved, for not everything was measured" in done.err
        assert (folder / "b.json").read_bytes() == before

    def test_shows_slices(self, suite, save, write):
        write("g.csv", "g\nnorth\nsouth\nsouth\n")
        text = '[measure.a]\nloss = "l1"\npredictions = "x.npy"\ntargets = 0\nby = "g.csv:g"\n'
        self.blessed(suite, text, "--baseline", "b.json")
        save("x.npy", [1.0, 2.0, 6.0])
        _, found = self.blessed(suite, text, "--baseline", "b.json")
        changes = {one["statistic"]: (one["before"], one["now"]) for one in found["blessed"]["changes"]}
        assert changes["value of g = south"] == (3, 4)
        assert "value of g = north" not in changes

    def test_a_number_that_stays_nan_does_not_change(self):
        from losscli.analysis.suite.changes import changes

        record = {"value": math.nan, "signature": "loss:l1", "samples": 3.0}
        assert changes({"a": record}, {"a": dict(record)}) == ()
        (change,) = changes({"a": record}, {"a": record | {"value": 1.0}})
        assert (change.statistic, change.now, math.isnan(change.relative)) == ("value", 1.0, True)

    def test_needs_a_baseline(self, suite, run):
        line = "losscli run s.toml --bless --baseline baseline.json"
        done = suite(ONE, "--bless")
        done.refuses(2, line)
        assert run(*line.split()[1:]).code == 0
        suite(self.TEXT, "--bless", "--save", "c.json").refuses(2, "--save c.json", "leave out --save")
        suite(ONE, "--bless", "--baseline", "s3://bucket/b.json").refuses(2, "s3://bucket/b.json is on a server")

    def test_does_not_replace_a_file_that_is_no_baseline(self, suite, write, folder):
        write("b.json", "notes of mine")
        suite(self.TEXT, "--bless").refuses(3, "b.json: not JSON")
        assert (folder / "b.json").read_text() == "notes of mine"

    @pytest.mark.parametrize("text", ["notes of mine", "{}"])
    def test_says_how_such_a_file_is_made_anew(self, suite, write, folder, text):
        write("b.json", text)
        for words in ([], ["--save", "b.json"]):
            suite(self.TEXT, *words).refuses(
                3, "If so, delete it and make it with losscli run SUITE.toml --save b.json"
            )
        (folder / "b.json").unlink()
        assert suite(self.TEXT, "--save", "b.json").code == 0
        assert suite(self.TEXT).code == 0

    @pytest.mark.parametrize("format", ["github", "junit"])
    def test_says_it_beside_formats_without_a_place_for_it(self, suite, save, format):
        self.blessed(suite, self.TEXT)
        save("x.npy", [2.0, 4.0, 8.0])
        done = suite(self.TEXT, "--bless", "-f", format)
        assert "note: b: value 7.0 -> 28.0" in done.err
        assert "blessed" not in done.out

    def test_numbers_that_are_not_finite_come_back(self, suite, save):
        text = 'baseline = "b.json"\n[measure.a]\nloss = "mse"\npredictions = "x.npy"\ntargets = 0\n'
        save("x.npy", [1e200, 1.0])
        self.blessed(suite, text)
        _, found = self.blessed(suite, text)
        assert found["blessed"]["changes"] == []
        save("x.npy", [1.0, 1.0])
        _, found = self.blessed(suite, text)
        value = found["blessed"]["changes"][0]
        assert (value["before"], value["now"]) == (None, 1)
        assert found["nonfinite"]["blessed.changes.0.before"] == "inf"


class TestSlices:
    """`by` and `require-each`: requirements of every slice, which reports name."""

    HEAD = '[measure.one]\nloss = "l1"\npredictions = "p.csv:p"\ntargets = 0\n'
    EACH = HEAD + 'by = "region"\nrequire-each = ["value <= 2", "samples >= 1"]\n'

    @pytest.fixture(autouse=True)
    def table(self, write):
        write("p.csv", "p,region\n1,north\n3,south\n2,north\n1,\n")

    def test_each_is_a_check(self, suite):
        done = suite(self.EACH)
        assert done.code == 1
        (one,) = read(done)["measures"]
        found = [(check["check"], check["status"], check["actual"], check["slice"]) for check in one["checks"]]
        assert found == [
            ("value <= 2 of region = south", "not met", 3.0, "south"),
            ("value <= 2 of region = north", "met", 1.5, "north"),
            ("value <= 2 of region = (empty)", "met", 1.0, ""),
            ("samples >= 1 of region = south", "met", 1, "south"),
            ("samples >= 1 of region = north", "met", 2, "north"),
            ("samples >= 1 of region = (empty)", "met", 1, ""),
        ]
        assert {record["slice"]: record["value"] for record in one["by"]} == {"south": 3.0, "north": 1.5, "": 1.0}
        assert suite(self.EACH.replace("<= 2", "<= 3")).code == 0

    def test_reports_name_the_slice(self, suite):
        done = suite(self.EACH, "-f", "junit")
        cases = ElementTree.fromstring(done.out).findall(".//testcase")
        assert len(cases) == 6
        assert [case.get("name") for case in cases if case.find("failure") is not None] == [
            "value <= 2 of region = south"
        ]
        text = suite(self.EACH, "-f", "markdown").out
        assert "| value <= 2 of region = south | NOT MET | value is 3.0 |" in text
        assert "| value <= 2 of the others by region | met | met by 2 slices |" in text
        assert "| samples >= 1 of each by region | met | met by 3 slices |" in text
        assert "region = south" in suite(self.EACH, "-f", "github").out

    def test_defaults_are_for_all(self, suite):
        text = (
            '[defaults]\nby = "region"\nrequire-each = "value <= 2"\n'
            + self.HEAD
            + "by = false\n"
            + self.HEAD.replace("one", "two")
        )
        measures = read(suite(text))["measures"]
        assert [len(one["checks"]) for one in measures] == [0, 3]

    def test_paths_are_from_the_folder_of_the_suite(self, run, folder, write, save):
        (folder / "sub").mkdir()
        write("sub/k.csv", "kind\na\nb\na\nb\n")
        write("sub/p.csv", "p,region\n1,north\n3,south\n2,north\n1,\n")
        save("sub/g.npy", [1, 1, 2, 2])
        (folder / "sub" / "s.toml").write_text(self.HEAD + 'by = ["region", "k.csv:kind", "g.npy"]\n')
        (one,) = run("run", "sub/s.toml", "-f", "json").json["measures"]
        assert {record["column"] for record in one["by"]} == {"region", "kind", "g.npy"}

    def test_a_column_of_lists_is_no_path(self, run, folder, write):
        (folder / "sub").mkdir()
        write("sub/p.csv", "q,s,t\n1,0.5,1\n1,1,0\n2,2,1\n2,1,0\n")
        (folder / "sub" / "s.toml").write_text(
            '[measure.a]\nloss = "listnet"\npredictions = "p.csv:s"\ntargets = "p.csv:t"\ngroup = "q"\n'
        )
        assert run("run", "sub/s.toml", "-f", "json").json["measures"][0]["samples"] == 2

    @pytest.mark.parametrize(
        ("text", "code", "part"),
        [
            (HEAD + 'require-each = "value < 1"\n', 2, "measure.one.require-each: of which slices? Say by = 'COLUMN'"),
            (HEAD + 'by = 3\n', 2, "measure.one.by: 3 is not the name of a column, or a list of names"),
            (HEAD + 'by = "region"\nrequire-each = "p99 < 1"\n', 2, "measure.one.require-each: 'p99 < 1': no statistic 'p99'"),
            (HEAD + 'require_each = "value < 1"\n', 2, "no such key (did you mean require-each?)"),
        ],
    )  # fmt: skip
    def test_refusals(self, suite, text, code, part):
        suite(text).refuses(code, part)

    def test_what_cannot_be_measured_is_no_pass(self, suite):
        done = suite(self.HEAD + 'by = "region"\nrequire-each = "rmse < 1"\n')
        assert done.code == 3
        assert read(done)["measures"][0]["checks"][0]["words"] == (
            "'rmse < 1': slices have no rmse; they have value, mean, std, min, max, samples"
        )
        assert suite(self.HEAD + 'by = "nowhere"\n').code == 3
