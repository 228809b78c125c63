"""`compute --by`, `--interval` and `--require-each`: formats, exit codes, parts, processes, several losses."""

import json
import re

import numpy as np
import pytest

import losscli
from losscli.engine import job as engine
from losscli.engine.collectors import slices as collector
from losscli.render.screen import Screen, width_of

ROWS = 300

pytestmark = pytest.mark.filterwarnings("ignore:labels-unrelated")


@pytest.fixture
def files(write):
    rng = np.random.default_rng(1)
    names = rng.choice(["north", "", "a region with a long name", "猫猫猫"], ROWS, p=[0.5, 0.4, 0.08, 0.02])
    p, t, w = rng.normal(size=ROWS), rng.normal(size=ROWS), rng.integers(1, 5, ROWS)
    lines = [f"{a:.6f},{b:.6f},{c},{name}" for a, b, c, name in zip(p, t, w, names, strict=True)]
    write("f.csv", "\n".join(["p,t,w,region", *lines, ""]))
    return ["mse", "f.csv:p", "f.csv:t", "--sample-weight", "f.csv:w", "--by", "region"]


class TestRequirements:
    def test_of_every_slice(self, compute, files):
        done = compute(
            *files, "--require-each", "value <= 2.2", "--require-each", "samples >= 3", "--require", "value < 9"
        )
        slices = {one["slice"]: one for one in done.json["by"]}
        entries = [one for one in done.json["requirements"] if "slice" in one]
        assert len(entries) == 2 * len(slices) == 8
        assert [one["met"] for one in entries] == [slices[one["slice"]]["value"] <= 2.2 for one in entries[:4]] + [
            True
        ] * 4
        assert done.code == 1
        assert compute(*files, "--require-each", "value < 99").code == 0

    def test_say_which_slices(self, compute, files):
        found = {one["slice"]: one["value"] for one in compute(*files).json["by"]}
        worst = max(found, key=found.get)
        limit = sorted(found.values())[-2]
        done = compute(*files, "--require-each", f"value <= {limit}", "-f", "table")
        assert f"NOT MET by 1 of 4 slices: {worst or '(empty)'} ({found[worst]!r})" in done.out
        done = compute(*files, "--require-each", f"value <= {limit}", "-f", "value")
        assert done.out == f"{compute(*files).json['value']!r}\n"
        assert "require-each value <=" in done.err
        assert "NOT MET by 1 of 4 slices" in done.err
        assert done.code == 1

    def test_a_slice_without_a_value_never_passes(self, compute, write):
        write("p.csv", "p,w,g\n1,1,a\n2,0,b\n")
        for comparison in ("<", ">="):
            done = compute(
                "mse",
                "p.csv:p",
                "0",
                "--sample-weight",
                "p.csv:w",
                "--by",
                "g",
                "--require-each",
                f"rmse {comparison} 5",
            )
            entry = next(one for one in done.json["requirements"] if one["slice"] == "b")
            assert (entry["met"], entry["actual"], done.code) == (False, None, 1)

    def test_which_mean(self, compute, write):
        write("p.csv", "p,w,g\n1,9,a\n3,1,a\n2,1,b\n")
        words = ["l1", "p.csv:p", "0", "--sample-weight", "p.csv:w", "--by", "g", "--require-each"]
        compute(*words, "mean <= 1.5").refuses(2, "g = 'a'", "which mean?", "value <= 1.5")
        assert compute(*words, "value <= 2").code == 0
        assert compute(*words, "mean of losses <= 1.5").code == 1

    def test_in_python(self):
        found = losscli.compute("l1", [1.0, 2.0], 0, by=["a", "b"], require_each=["value <= 1.5"])
        assert not found.met
        assert [(one["slice"], one["met"]) for one in found.requirements] == [("b", False), ("a", True)]


class TestFormats:
    def test_rows_have_the_slice(self, compute, files):
        lines = compute(*files, "-f", "csv").out.splitlines()
        assert lines[0] == "sample,region,target,loss,weight"
        rows = [json.loads(line) for line in compute(*files, "-f", "jsonl").out.splitlines()]
        for one in compute(*files).json["by"]:
            own = [row for row in rows if row["region"] == one["slice"]]
            assert len(own) == one["samples"]
            assert np.average([row["loss"] for row in own], weights=[row["weight"] for row in own]) == pytest.approx(
                one["value"]
            )

    def test_a_column_of_a_taken_name(self, compute, write):
        write("p.csv", "p,loss\n1,a\n2,b\n")
        assert compute("l1", "p.csv:p", "0", "--by", "loss", "-f", "csv").out.splitlines()[:2] == [
            "sample,by_loss,target,loss",
            "0,a,0.0,1.0",
        ]

    def test_positions_have_the_slice_of_their_sample(self, compute, save):
        x = np.zeros((2, 3, 2))
        words = [
            "ce",
            save("x.npy", x),
            save("y.npy", np.zeros((2, 2), int)),
            "--class-axis",
            "1",
            "--by",
            save("g.npy", ["a", "b"]),
        ]
        for per, expected in (("position", ["a", "a", "b", "b"]), ("sample", ["a", "b"])):
            lines = compute(*words, "--per", per, "-f", "jsonl").out.splitlines()
            assert [json.loads(line)["g.npy"] for line in lines] == expected

    def test_markdown_and_html(self, compute, files):
        text = compute(*files, "--interval", "-f", "markdown").out
        assert re.search(r"\| 95 % interval \| [\d.]+ to [\d.]+ \|", text)
        assert re.search(r"\| \(empty\) \| \d+ \| [\d.]+ \|", text)
        found = losscli.compute("l1", [1.0, 2.0], 0, by={"<b>": ["x", "y"]})
        assert "slices by &lt;b&gt;" in found._repr_html_()

    @pytest.mark.parametrize("width", [60, 80, 120, 200])
    def test_fits(self, run, files, monkeypatch, width):
        monkeypatch.setattr(Screen, "of", lambda stream: Screen(width))
        for more in ((), ("--also", "l1")):
            each = "mse value <= 1" if more else "value <= 1"
            done = run("compute", *files, "--interval", *more, "--require-each", each)
            assert done.code == 1
            assert [line for line in (done.out + done.err).splitlines() if width_of(line) > width] == []
            for name in ("north", "(empty)", "a region with a long name", "猫猫猫"):
                assert name in done.out
            assert "few samples: fewer than 20" in " ".join(done.out.split())

    def test_many_slices_are_not_all_shown(self, compute, write):
        write("p.csv", "p,g\n" + "".join(f"{i},s{i}\n" for i in range(100)))
        text = compute("l1", "p.csv:p", "0", "--by", "g", "-f", "table").out
        assert "70 more with smaller values" in text
        assert "s99 " in text
        assert "s69 " not in text


class TestElsewhere:
    @pytest.fixture(params=[False, True])
    def many(self, request, monkeypatch):
        monkeypatch.setattr(engine, "CHUNK_ROWS", 64)
        if request.param:
            monkeypatch.setattr(collector, "EXACT_ROWS", 10)
        return request.param

    def test_parts_give_the_same(self, run, compute, save, many):
        rng = np.random.default_rng(0)
        words = [
            "mse",
            save("p.npy", rng.normal(size=ROWS)),
            save("t.npy", rng.normal(size=ROWS)),
            "--by",
            save("g.npy", np.arange(ROWS) % 7),
            "--interval",
        ]
        whole = compute(*words).json
        for i in (1, 2, 3):
            assert run("compute", *words, "--part", f"{i}/3", "-o", f"{i}.part", "--per-sample").code == 0
        assert run("merge", "1.part", "2.part", "3.part", "-f", "json").json == whole
        assert run("merge", "1.part", "2.part", "3.part", "--require-each", "value < 0").code == 1
        assert run("merge", "1.part", "2.part", "3.part", "-f", "csv").out == compute(*words, "-f", "csv").out
        run("compute", *words, "--part", "1/3", "-o", "1.part", "--require-each", "value < 1").refuses(
            2, "--require-each", "losscli merge"
        )
        assert run("compute", *words[:-1], "--part", "1/3", "-o", "1.part", "--per-sample").code == 0
        run("merge", "1.part", "2.part", "3.part").refuses(
            3, "--interval: of confidence 0.95 by 10000 resamples, seed 0"
        )

    def test_merge_without_slices(self, run, save):
        run("compute", "l1", save("p.npy", [1.0]), "0", "--part", "1/1", "-o", "x.part")
        run("merge", "x.part", "--require-each", "value < 1").refuses(2, "of which slices?")

    def test_several_losses(self, compute, files):
        done = compute(*files, "--also", "l1", "--interval", "--require-each", "absolute-error value <= 99")
        assert done.code == 0
        for record, loss in zip(done.json, ("mse", "l1"), strict=True):
            alone = compute(loss, *files[1:], "--interval").json
            assert record["by"] == alone["by"]
            assert record["interval"] == alone["interval"]
        compute(*files, "--also", "l1", "--require-each", "value < 1").refuses(2, "--require-each", "of which loss?")


def test_processes_give_the_same(process, write):
    rng = np.random.default_rng(0)
    write("p.csv", "p,g\n" + "".join(f"{x:.5f},s{i % 5}\n" for i, x in enumerate(rng.normal(size=30_000))))
    words = ["compute", "l1", "p.csv:p", "0", "--by", "g", "--interval", "-f", "json", "-q"]
    assert process(*words, "--cluster", "local:2").out == process(*words, "--threads", "1").out
