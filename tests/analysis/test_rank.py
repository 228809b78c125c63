"""The worst rows: which they are, what is told of them, slices and concentration, against NumPy; formats and exit codes."""

import csv
import io
import json
import math

import numpy as np
import polars as pl
import pytest

from losscli.analysis.rank import Slices
from losscli.engine import job as job_module

NAMES = ("cat", "dog", "eel")


@pytest.fixture
def rank(run):
    """Run `losscli rank ...`; JSON unless the words say otherwise."""

    def call(*words, **how):
        asked = [] if {"-f", "--format"} & set(words) else ["-f", "json"]
        return run("rank", *words, *asked, **how)

    return call


@pytest.fixture
def data(save):
    """Logits of three classes and labels, in files; and their probabilities and losses."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    z = rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[y]
    save("z.npy", z)
    save("y.npy", y)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return z, y, p, -np.log(p[np.arange(300), y])


def tables(write, z, y, order=None, site=None):
    """The same as tables with ids, names and sites; the labels in another order."""
    order = range(len(y)) if order is None else order
    site = ["x"] * len(y) if site is None else site
    write("p.csv", "id,cat,dog,eel\n" + "".join(f"r{i},{','.join(map(str, z[i]))}\n" for i in range(len(y))))
    write("t.csv", "id,label,site\n" + "".join(f"r{i},{NAMES[y[i]]},{site[i]}\n" for i in order))


class TestRows:
    def test_are_the_worst(self, rank, data):
        _z, y, p, losses = data
        rows = rank("ce", "z.npy", "y.npy", "--top", "7").json["rows"]
        worst = np.argsort(-losses)[:7]
        assert [row["sample"] for row in rows] == worst.tolist()
        confidence = [p[y == k, k].mean() for k in range(3)]
        for row, i in zip(rows, worst, strict=True):
            guess = int(p[i].argmax())
            others = np.delete(p[i], y[i])
            assert row["loss"] == pytest.approx(losses[i], rel=1e-12)
            assert (row["target"], row["predicted"]) == (y[i], guess)
            assert row["p_target"] == pytest.approx(p[i, y[i]], rel=1e-12)
            assert row["p_predicted"] == pytest.approx(p[i, guess], rel=1e-12)
            assert row["margin"] == pytest.approx(p[i, y[i]] - others.max(), rel=1e-12)
            better = guess != y[i] and p[i, guess] >= confidence[guess]
            assert row["suggested"] == (guess if better else None)
        assert {row["suggested"] is None for row in rows} == {True, False}

    def test_do_not_depend_on_chunks_and_threads(self, rank, data, monkeypatch):
        one = rank("ce", "z.npy", "y.npy", "--top", "30", "--by", "class", "--threads", "1").json
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 11)
        monkeypatch.setattr(job_module, "BATCH_BYTES", 100)
        several = rank("ce", "z.npy", "y.npy", "--top", "30", "--by", "class", "--threads", "3").json
        assert several["rows"] == one["rows"]
        for mine, theirs in zip(several["slices"], one["slices"], strict=True):
            assert mine["mean"] == pytest.approx(theirs["mean"], rel=1e-12)
            assert mine["interval"] == pytest.approx(theirs["interval"], rel=1e-10)

    def test_of_equal_losses_are_the_first(self, rank, save, monkeypatch):
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 3)
        save("p.npy", [1.0, 2, 2, 1, 2, 2, 2, 1])
        rows = rank("l1", "p.npy", "0", "--top", "4").json["rows"]
        assert [row["sample"] for row in rows] == [1, 2, 4, 5]

    def test_have_ids_and_names_in_any_order(self, rank, write, data):
        z, y, _, losses = data
        order = np.random.default_rng(1).permutation(300)
        tables(write, z, y, order)
        rows = rank("ce", "p.csv", "t.csv:label", "--id", "id", "--top", "3").json["rows"]
        worst = np.argsort(-losses)[:3]
        assert [row["id"] for row in rows] == [f"r{i}" for i in worst]
        assert [row["target"] for row in rows] == [NAMES[y[i]] for i in worst]
        assert [row["predicted"] for row in rows] == [NAMES[z[i].argmax()] for i in worst]

    def test_are_numbered_as_in_the_file_where_some_are_dropped(self, rank, write, data):
        z, y, _, losses = data
        gone = int(losses.argmax())
        tables(write, z, y, [i for i in range(300) if i not in (0, gone)])
        words = ["--id", "id", "--on-unmatched", "drop", "--by", "site"]
        done = rank("ce", "p.csv", "t.csv:label", *words, "--top", "2").json
        second = int(np.argsort(-losses)[1])
        assert (done["rows"][0]["sample"], done["rows"][0]["id"]) == (second, f"r{second}")

    def test_of_ignored_labels_are_absent(self, rank, data):
        _, y, _, _losses = data
        rows = rank("ce", "z.npy", "y.npy", "--ignore-index", "1", "--top", "300").json["rows"]
        assert sorted(row["sample"] for row in rows) == np.flatnonzero(y != 1).tolist()

    def test_have_weights_where_there_are(self, rank, data, save):
        _, y, _, losses = data
        save("w.npy", np.linspace(0, 3, 300))
        row = rank("ce", "z.npy", "y.npy", "--sample-weight", "w.npy", "--class-weight", "2=5", "--top", "1").json[
            "rows"
        ][0]
        i = int(losses.argmax())
        assert row["sample"] == i
        assert row["weight"] == pytest.approx(np.linspace(0, 3, 300)[i] * (5 if y[i] == 2 else 1))

    @pytest.mark.parametrize(("given", "made"), [("probs", lambda p: p), ("log-probs", np.log)])
    def test_of_probabilities(self, rank, data, save, given, made):
        _, _, p, _losses = data
        save("p.npy", made(p))
        rows = rank("ce", "p.npy", "y.npy", "--from", given, "--top", "3").json["rows"]
        logits = rank("ce", "z.npy", "y.npy", "--top", "3").json["rows"]
        for row, other in zip(rows, logits, strict=True):
            assert row["p_predicted"] == pytest.approx(other["p_predicted"], rel=1e-9)
            assert row["margin"] == pytest.approx(other["margin"], rel=1e-9)

    def test_of_one_score_a_row(self, rank, save):
        save("z.npy", [2.0, -3.0, 0.5])
        save("y.npy", [0, 1, 1])
        rows = rank("bce", "z.npy", "y.npy").json["rows"]
        p = 1 / (1 + math.exp(3))
        assert rows[0]["sample"] == 1
        assert (rows[0]["target"], rows[0]["predicted"]) == (1, 0)
        assert rows[0]["p_target"] == pytest.approx(p, rel=1e-12)
        assert rows[0]["p_predicted"] == pytest.approx(1 - p, rel=1e-12)
        assert rows[0]["margin"] == pytest.approx(2 * p - 1, rel=1e-12)
        assert rows[1]["margin"] == pytest.approx(1 - 2 / (1 + math.exp(-2)), rel=1e-12)
        named = rank("bce", "z.npy", "y.npy", "--classes", "ham,spam").json["rows"]
        assert (named[0]["target"], named[0]["predicted"]) == ("spam", "ham")

    def test_of_margins_have_no_probabilities(self, rank, save):
        save("z.npy", [2.0, -3.0, 0.5])
        save("y.npy", [-1, 1, 1])
        row = rank("hinge", "z.npy", "y.npy").json["rows"][0]
        assert (row["target"], row["predicted"], row["margin"]) == (1, -1, -3)
        assert "p_target" not in row
        assert row["suggested"] is None

    def test_of_regression(self, rank, save):
        save("p.npy", [2.0, -3.0])
        save("t.npy", [0.0, 1])
        row = rank("mse", "p.npy", "t.npy").json["rows"][0]
        assert row == {"sample": 1, "target": 1.0, "loss": 16.0, "prediction": -3.0, "residual": -4.0}

    def test_of_several_outputs_name_the_worst(self, rank, write):
        write("p.csv", "a,b\n1,2\n5,0\n")
        write("t.csv", "a,b\n1,2\n1,1\n")
        row = rank("mse", "p.csv", "t.csv").json["rows"][0]
        assert (row["target"], row["output"], row["output_loss"], row["loss"]) == ([1.0, 1.0], "a", 16.0, 8.5)

    def test_of_soft_targets_have_no_label(self, rank, save):
        save("z.npy", [[1.0, 2], [3, 0]])
        save("t.npy", [[0.5, 0.5], [0.25, 0.75]])
        row = rank("ce", "z.npy", "t.npy").json["rows"][0]
        assert row["target"] == [0.25, 0.75]
        assert "predicted" not in row

    def test_with_infinite_losses_come_first(self, rank, save):
        save("p.npy", [[0.5, 0.5], [1.0, 0.0], [0.1, 0.9]])
        save("y.npy", [0, 1, 0])
        done = rank("ce", "p.npy", "y.npy", "--from", "probs").json
        assert [row["sample"] for row in done["rows"]] == [1, 2, 0]
        assert done["rows"][0]["loss"] is None
        assert done["nonfinite"]["rows.0.loss"] == "inf"
        assert done["concentration"] is None

    def test_from_a_pipe(self, rank, data, folder):
        piped = rank("ce", "-", "y.npy", "--top", "4", stdin=(folder / "z.npy").read_bytes()).json
        assert piped["rows"] == rank("ce", "z.npy", "y.npy", "--top", "4").json["rows"]


class TestSlices:
    def test_are_of_classes(self, rank, data):
        _, y, _, losses = data
        done = rank("ce", "z.npy", "y.npy", "--by", "class", "--top", "0").json
        assert done["rows"] == []
        assert [one["mean"] for one in done["slices"]] == sorted((one["mean"] for one in done["slices"]), reverse=True)
        for one in done["slices"]:
            mine = losses[y == int(one["slice"])]
            assert one["rows"] == len(mine)
            assert one["mean"] == pytest.approx(mine.mean(), rel=1e-12)
            assert one["share"] == pytest.approx(mine.sum() / losses.sum(), rel=1e-12)
            half = mine.std(ddof=1) / math.sqrt(len(mine))
            # Student's quantiles of 90 to 110 degrees of freedom are between 1.981 and 1.987.
            assert (one["interval"][1] - one["mean"]) / half == pytest.approx(1.984, abs=0.005)
            assert one["mean"] - one["interval"][0] == pytest.approx(one["interval"][1] - one["mean"], rel=1e-9)

    @pytest.mark.parametrize("where", ["targets", "predictions"])
    def test_are_of_a_column_of_either_file(self, rank, write, data, where):
        z, y, _, losses = data
        rng = np.random.default_rng(2)
        site = rng.choice(["a", "NA", "007", "b,c"], 300)
        order = rng.permutation(300)
        quoted = [f'"{one}"' for one in site]
        if where == "targets":
            tables(write, z, y, order, quoted)
        else:
            rows = (f"r{i},{quoted[i]},{','.join(map(str, z[i]))}\n" for i in range(300))
            write("p.csv", "id,site,cat,dog,eel\n" + "".join(rows))
            write("t.csv", "id,label\n" + "".join(f"r{i},{NAMES[y[i]]}\n" for i in order))
        label = "t.csv:label" if where == "targets" else "t.csv"
        done = rank("ce", "p.csv", label, "--id", "id", "--by", "site", "--top", "5").json
        assert {one["slice"]: one["rows"] for one in done["slices"]} == {
            name: int((site == name).sum()) for name in ("a", "NA", "007", "b,c")
        }
        for one in done["slices"]:
            assert one["mean"] == pytest.approx(losses[site == one["slice"]].mean(), rel=1e-12)
        assert [row["slice"] for row in done["rows"]] == [site[i] for i in np.argsort(-losses)[:5]]

    def test_of_a_column_of_numbers_in_a_typed_file(self, rank, folder):
        pl.DataFrame({"x": [1.0, 2, 3], "fold": [1, 1, 2]}).write_parquet(folder / "p.parquet")
        slices = rank("l1", "p.parquet", "0", "--by", "fold").json["slices"]
        assert [(one["slice"], one["rows"], one["mean"]) for one in slices] == [("2", 1, 3.0), ("1", 2, 1.5)]
        assert slices[0]["interval"] == [None, None]

    def test_share_the_weighted_loss(self, rank, write):
        write("p.csv", "x,g,w\n1,a,0\n2,b,1\n3,b,2\n")
        done = rank("l1", "p.csv", "0", "--by", "g", "--sample-weight", "p.csv:w").json
        assert {one["slice"]: one["share"] for one in done["slices"]} == {"a": 0.0, "b": 1.0}

    def test_merge_to_the_same(self):
        rng = np.random.default_rng(0)
        index, values = rng.integers(0, 4, 200), rng.normal(size=200)
        whole = Slices.of(index, values, values, 5)
        parts = Slices.of(index[:3], values[:3], values[:3], 5)
        parts = parts + Slices.of(index[3:90], values[3:90], values[3:90], 5)
        parts = parts + Slices.of(index[90:], values[90:], values[90:], 5)
        for mine, theirs in zip((*parts.losses, parts.sums), (*whole.losses, whole.sums), strict=True):
            assert mine == pytest.approx(theirs, rel=1e-10, abs=1e-12)

    @pytest.mark.parametrize(
        ("words", "code", "parts"),
        [
            (["mse", "x.npy", "0", "--by", "class"], 2, ["--by class", "squared-error"]),
            (["mse", "p.csv", "t.csv:t", "--by", "sit"], 3, ["'sit'", "p.csv", "t.csv"]),
            (["mse", "p.csv", "t.csv:t", "--by", "s"], 3, ["p.csv and t.csv", "--by p.csv:s"]),
            (["mse", "x.npy", "0", "--by", "s"], 3, ["x.npy is an array"]),
        ],
    )
    def test_that_there_are_none_of(self, rank, write, save, words, code, parts):
        write("p.csv", "x,s\n1,a\n2,b\n")
        write("t.csv", "t,s\n1,a\n2,b\n")
        save("x.npy", [1.0])
        rank(*words).refuses(code, *parts)


class TestConcentration:
    def test_is_that_of_sorted_losses(self, rank, data):
        losses = np.sort(data[3])[::-1]
        found = rank("ce", "z.npy", "y.npy").json["concentration"]
        for one in found["worst"]:
            assert one["share"] == pytest.approx(losses[: round(300 * one["part"])].sum() / losses.sum(), rel=1e-9)
        rows = np.searchsorted(np.cumsum(losses), losses.sum() / 2)
        assert found["half_of_the_loss"] == pytest.approx((rows + 0.5) / 300, abs=0.6 / 300)

    def test_of_zeros_is_none(self, rank, save):
        save("p.npy", np.zeros(4))
        assert rank("l1", "p.npy", "0").json["concentration"] is None


class TestOutput:
    def test_csv_and_jsonl_are_the_rows_alone(self, rank, data):
        rows = rank("ce", "z.npy", "y.npy", "--top", "4").json["rows"]
        assert rank("ce", "z.npy", "y.npy", "--top", "4", "-f", "jsonl").lines == rows
        for format, separator in (("csv", ","), ("tsv", "\t")):
            out = rank("ce", "z.npy", "y.npy", "--top", "4", "-f", format).out
            read = list(csv.DictReader(io.StringIO(out), delimiter=separator))
            assert [float(row["loss"]) for row in read] == [row["loss"] for row in rows]
            assert [row["suggested"] for row in read] == [
                "" if row["suggested"] is None else str(row["suggested"]) for row in rows
            ]

    def test_of_no_rows_is_the_slices(self, rank, data):
        lines = rank("ce", "z.npy", "y.npy", "--top", "0", "--by", "class", "-f", "jsonl").lines
        assert lines == rank("ce", "z.npy", "y.npy", "--by", "class").json["slices"]
        out = rank("ce", "z.npy", "y.npy", "--top", "0", "--by", "class", "-f", "csv").out
        assert out.splitlines()[0] == "slice,rows,mean,low,high,share"

    def test_is_a_table(self, rank, data):
        out = rank("ce", "z.npy", "y.npy", "--top", "2", "--by", "class", "-f", "table").out
        for part in ("worst rows' share of the loss", "worst 2 rows", "slices by class", "p_predicted"):
            assert part in out

    def test_goes_to_files(self, rank, data, folder):
        done = rank("ce", "z.npy", "y.npy", "-o", "r.json")
        assert json.loads((folder / "r.json").read_text()) == done.json
        rank("ce", "z.npy", "y.npy", "-o", "r.csv")
        assert (folder / "r.csv").read_text() == rank("ce", "z.npy", "y.npy", "-f", "csv").out

    def test_cells_that_are_markup_are_text(self, rank, write):
        write("p.csv", "id,[bold],=1+1\nx,1,2\n[/INST],2,1\n")
        write("t.csv", "id,label\nx,[bold]\n[/INST],=1+1\n")
        out = rank("ce", "p.csv", "t.csv", "--id", "id", "-f", "csv").out
        assert "1,[/INST],=1+1," in out

    def test_of_few_rows_is_all_of_them(self, rank, save):
        save("p.npy", [1.0, 2.0])
        assert len(rank("l1", "p.npy", "0", "--top", "50").json["rows"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["ce", "z.npy", "y.npy", "--top", "-1"], 2, ["--top"]),
        (["ce", "z.npy", "y.npy", "--top", "0"], 2, ["--top 0", "--by"]),
        (["softmax-focal:gamma=0,1", "z.npy", "y.npy"], 2, ["2 losses"]),
        (["mse", "z.npy", "y.npy", "--from", "probs"], 2, ["--from", "squared-error"]),
        (["lovasz-softmax", "z.npy", "y.npy"], 2, ["lovasz-softmax"]),
        (["ce", "z.npy", "gone.npy"], 3, ["gone.npy"]),
        (["ce", "z.npy", "y.npy", "-o", "r.png"], 2, ["r.png"]),
        (["ce", "nan.npy", "y.npy"], 3, ["nan.npy[4"]),
    ],
)
def test_refusals(rank, data, save, words, code, parts):
    z = data[0].copy()
    z[4, 1] = np.nan
    save("nan.npy", z)
    rank(*words).refuses(code, *parts)


def test_exit_codes_of_a_process(process, data):
    found = process("rank", "ce", "z.npy", "y.npy", "--top", "2", "-f", "jsonl")
    assert (found.code, found.err, len(found.lines)) == (0, "", 2)
    process("rank", "ce", "z.npy", "y.npy", "--top", "x").refuses(2, "--top")
    process("rank", "ce", "z.npy", "none.npy").refuses(3, "none.npy")


def test_a_target_that_does_not_exist_has_no_number(run, write, save):
    p, t = save("p.npy", np.array([[1.0, 2], [3, 5]])), save("t.npy", np.array([[7.0, 0], [7, 1]]))
    words = ("rank", "mse", p, t, "--mask", save("m.npy", np.array([[0, 1], [1, 1]])), "-f")
    assert [row["target"] for row in run(*words, "jsonl").lines] == [[7.0, 1.0], [None, 0.0]]
    assert run(*words, "csv").out.splitlines()[-1].startswith("0,nan,0.0,")
