"""Histories of results: which files they are, the numbers, changed conventions, and what is refused."""

import json
import math

import numpy as np
import pytest

import losscli
from losscli.analysis.history import history

SUITE = """
[measure.errors]
loss = "{loss}"
predictions = "x.npy"
targets = 0
[measure.squares]
loss = "mse"
predictions = "x.npy"
targets = 0
"""


@pytest.fixture
def results(run, write, save, folder):
    """Save the results of runs with growing numbers of a file: run-1.json, run-2.json, run-10.json ..."""
    (folder / "results").mkdir()

    def call(values, loss="l1", start=1):
        for number, value in enumerate(values, start):
            save("x.npy", np.full(3, value))
            write("s.toml", SUITE.format(loss=loss))
            done = run("run", "s.toml", "-f", "json", "-q")
            write(f"results/run-{number}.json", done.out)

    return call


class TestNumbers:
    def test_are_those_of_the_files_in_their_natural_order(self, run, results):
        results([5.0, 4.0, 3.0, 2.0, 1.0, 2.5, 2.5, 2.5, 2.5, 2.0])
        found = run("history", "results/*.json", "-f", "json").json
        assert found["files"] == [f"results/run-{i}.json" for i in range(1, 11)]
        errors, squares = found["measurements"]
        assert [point["value"] for point in errors["points"]] == [5, 4, 3, 2, 1, 2.5, 2.5, 2.5, 2.5, 2]
        assert (errors["name"], errors["first"], errors["last"], errors["results"]) == ("errors", 5, 2, 10)
        assert errors["best"] == {"file": "results/run-5.json", "value": 1}
        assert errors["change"] == pytest.approx(-0.6)
        assert errors["conventions"] == []
        assert (squares["first"], squares["best"]["value"]) == (25, 1)

    @pytest.mark.parametrize(
        ("named", "order"),
        [
            (("10", "1", "2"), ("10", "1", "2")),  # as they are named
            (("1", "10", "2"), ("1", "2", "10")),  # as a shell sorts what a pattern matches
            (("2", "1", "2"), ("2", "1")),
        ],
    )
    def test_are_in_the_order_in_which_files_are_named(self, run, results, named, order):
        results([float(i) for i in range(1, 11)])
        found = run("history", *(f"results/run-{name}.json" for name in named), "-f", "json").json
        assert [point["value"] for point in found["measurements"][0]["points"]] == [float(name) for name in order]

    def test_of_another_statistic(self, run, results):
        results([1.0, 2.0])
        found = run("history", "results", "--statistic", "samples", "-f", "json").json
        assert found["measurements"][0]["points"][0] == {"file": "results/run-1.json", "value": 3}
        run("history", "results", "--statistic", "p9").refuses(
            2, "--statistic p9", "did you mean p99", "value, samples"
        )

    def test_are_cut_where_the_conventions_change(self, run, results):
        """From the third run on it is another loss under the same name: 1, 2, then (4 - 1/2), (3 - 1/2) of huber."""
        results([1.0, 2.0])
        results([4.0, 3.0], "huber:delta=1", 3)
        errors, squares = run("history", "results", "-f", "json").json["measurements"]
        assert errors["conventions"] == [
            {"file": "results/run-3.json", "change": "loss:absolute-error -> loss:huber|delta:1"}
        ]
        assert (errors["first"], errors["last"], errors["best"]["value"]) == (3.5, 2.5, 2.5)
        assert errors["change"] == pytest.approx(-1 / 3.5)
        assert squares["conventions"] == []
        out = run("history", "results").out
        assert "| other conventions from here on" in out
        assert "loss:absolute-error -> loss:huber|delta:1" in out

    def test_of_another_version_are_comparable(self, results, folder):
        results([1.0, 2.0])
        path = folder / "results" / "run-2.json"
        path.write_text(path.read_text().replace(f"losscli:{losscli.__version__}", "losscli:9.9.9"))
        assert history(["results"]).series[0].changes == []

    def test_that_are_missing_or_infinite_are_shown_as_such(self, run, results, folder, write):
        results([1.0, 2.0, 1e200, math.nan, 3.0])
        found = run("history", "results", "-f", "json").json
        errors, squares = found["measurements"]
        assert [point["value"] for point in errors["points"]] == [1, 2, 1e200, None, 3]
        assert found["nonfinite"]["measurements.1.points.2.value"] == "inf"
        assert (squares["first"], squares["last"], squares["best"]["value"]) == (1, 9, 1)
        out = run("history", "results").out
        assert "? no number, ^ infinite" in out
        path = folder / "results" / "run-5.json"
        record = json.loads(path.read_text())
        del record["measures"][1]
        path.write_text(json.dumps(record))
        squares = history(["results"]).series[1]
        assert squares.last.value is None
        assert math.isnan(squares.change)
        assert "_ not in the file" in run("history", "results").out

    def test_of_compute(self, run, compute, write, save):
        for number, value in ((1, 2.0), (2, 1.0)):
            save("x.npy", [value])
            write(f"r{number}.json", compute("huber", "x.npy", "0", "--also", "huber:delta=2", "--also", "l1").out)
            write(f"p{number}.json", compute("l1", "x.npy", "0", "--plus", "0.5*mse").out)
        found = {one.name: [point.value for point in one.points] for one in history(["r*.json"]).series}
        assert found == {
            "huber:delta=1": [1.5, 0.5],
            "huber:delta=2": [2, 0.5],
            "absolute-error": [2, 1],
        }
        assert [point.value for point in history(["p1.json", "p2.json"]).series[0].points] == [4, 1.5]

    def test_a_file_counts_once(self, results):
        results([1.0, 2.0])
        assert len(history(["results", "results/*.json", "results/run-1.json"]).files) == 2

    def test_in_python(self, results):
        results([2.0, 1.0])
        found = losscli.history("results/*.json", statistic="max")
        assert [point.value for point in found.series[0].points] == [2, 1]
        assert found.to_dict()["measurements"][0]["change"] == -0.5


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "content", "parts"),
        [
            ("a.json", "not json", ["a.json: not JSON"]),
            ("a.json", b"\xff\xfe\x00", ["a.json: not JSON"]),
            ("a.json", "", ["a.json: not JSON"]),
            ("a.json", "[" * 100_000, ["a.json: nested too deeply"]),
            ("a.json", "[]", ["a.json: JSON, but no result"]),
            ("a.json", "3", ["a.json: JSON, but no result"]),
            ("a.json", '{"measures": []}', ["a.json: JSON, but no result"]),
            ("a.json", '{"measures": [{"name": "a"}]}', ["a.json: JSON, but no result"]),
            ("a.json", '{"loss": "l1", "value": 1}', ["a.json: JSON, but no result"]),
            ("b.json", "{}", ["a.json: no such file"]),
        ],
    )
    def test_of_what_is_no_result(self, run, write, name, content, parts):
        write(name, content)
        run("history", "a.json").refuses(3, *parts)

    def test_of_other_results(self, run, write, save):
        save("a.npy", np.arange(30.0))
        write("c.json", run("compare", "l1", "a.npy", "a.npy", "--targets", "0", "-f", "json").out)
        run("history", "c.json").refuses(3, "c.json: JSON, but no result")

    def test_of_nothing(self, run, folder):
        run("history").refuses(2, "FILE")
        run("history", "none-*.json").refuses(3, "none-*.json: no file matches")
        (folder / "empty").mkdir()
        run("history", "empty").refuses(3, "empty: a folder without .json files")

    def test_to_write_over_a_result(self, run, results):
        results([1.0])
        run("history", "results", "-o", "results/run-1.json").refuses(2, "input")

    def test_a_bom_is_no_fault(self, run, results, folder):
        results([1.0])
        path = folder / "results" / "run-1.json"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        assert run("history", "results").code == 0


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_whole_number_that_no_float64_holds_is_infinite(run, write, digits):
    write("r.json", '{"loss": "huber", "value": 1%s, "signature": "loss:huber"}' % ("0" * digits))
    (measurement,) = run("history", "r.json", "-f", "json").json["measurements"]
    assert measurement["best"] is None
    assert measurement["results"] == 1
