"""--group: losses over lists whose items are rows, so that lists may have different lengths."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from calling import called, rows

import losscli
from losscli.data import lists
from losscli.engine import job
from losscli.losses import FAMILIES, LOSSES

Z = np.array([0.3, 1.2, 0.5, 0.1, -1.0, 2.0])
T = np.array([1.0, 0, 2, 0, 1, 3])
QUERY = ["a", "a", "b", "b", "b", "c"]
APART = [0, 2, 1, 3, 5, 4]
"""An order of the rows in which those of a list do not stand together, and lists begin in the same order."""
LISTWISE = [name for name, loss in LOSSES.items() if loss.family is FAMILIES["ranking"]]
Compute = Callable[..., Any]


def expected(name: str, relevances: np.ndarray = T) -> tuple[list[float], np.ndarray]:
    """The loss of each list by itself, and the gradient of all rows."""
    of = [slice(0, 2), slice(2, 5), slice(5, 6)]
    found = [called(name, Z[None, part], rows(relevances[part])) for part in of]
    return [float(value[0]) for value, _ in found], np.concatenate([slope[0] for _, slope in found])


@pytest.fixture
def files(save: Any, write: Any) -> None:
    save("z.npy", Z), save("t.npy", T), save("g.npy", [5, 5, 3, 3, 3, 9])
    save("hard.npy", T > 0)
    save("zz.npy", Z[APART]), save("tt.npy", T[APART]), save("gg.npy", np.array([5, 5, 3, 3, 3, 9])[APART])
    for name, order in (("", range(6)), ("x", APART)):
        cells = [f"{QUERY[i]},{Z[i]}" for i in order]
        write(f"z{name}.csv", "query,score\n" + "\n".join(cells) + "\n")
        write(f"t{name}.csv", "query,rel\n" + "\n".join(f"{QUERY[i]},{T[i]}" for i in order) + "\n")


@pytest.mark.usefixtures("files")
class TestLists:
    @pytest.mark.parametrize("name", LISTWISE)
    def test_each_list_has_the_loss_that_it_has_alone(self, compute: Compute, name: str) -> None:
        hard = name in ("multilabel-margin", "zlpr")
        each, slopes = expected(name, (T > 0).astype(float) if hard else T)
        found = compute(
            name, "z.npy", "hard.npy" if hard else "t.npy", "--group", "g.npy", "--per-sample", "--gradient", "s.npy"
        )
        assert [row["loss"] for row in found.json["rows"]] == each
        assert [row["group"] for row in found.json["rows"]] == ["5", "3", "9"]
        assert found.json["samples"] == 3
        assert found.json["value"] == pytest.approx(np.mean(each), rel=1e-15)
        assert np.load("s.npy").tolist() == slopes.tolist()

    def test_rows_of_a_list_may_stand_apart(self, compute: Compute) -> None:
        each, slopes = expected("lambdarank")
        for words in (
            ("zz.npy", "tt.npy", "gg.npy"),
            ("zx.csv", "tx.csv", "query"),
            ("zx.csv", "tt.npy", "zx.csv:query"),
        ):
            found = compute("lambdarank", *words[:2], "--group", words[2], "--per-sample", "--gradient", "s.npy")
            assert [row["loss"] for row in found.json["rows"]] == each
            assert np.load("s.npy").tolist() == slopes[APART].tolist()

    def test_a_column_of_either_table_or_of_a_file(self, compute: Compute) -> None:
        each, _ = expected("list-mle")
        pl.read_csv("z.csv").write_parquet("z.parquet")
        for words in (
            ("z.csv", "t.csv", "query"),
            ("z.parquet", "t.csv", "query"),
            ("z.csv:score", "t.csv:rel", "query"),
            ("z.npy", "t.csv", "query"),
            ("z.csv", "t.npy", "query"),
            ("z.npy", "t.npy", "t.csv:query"),
            ("z.npy", "t.npy", "z.parquet:query"),
        ):
            found = compute("list-mle", *words[:2], "--group", words[2], "-f", "json").json
            assert found["value"] == pytest.approx(np.mean(each), rel=1e-15), words
            assert found["receipt"]["group"] == words[2]
            assert (found["receipt"]["lists"], found["receipt"]["longest_list"]) == (3, 3)
            assert f"|group:{words[2]}|per:list|" in found["signature"]

    def test_joined_by_id(self, compute: Compute, write: Any) -> None:
        write("p.csv", "id,score\n" + "".join(f"r{i},{Z[i]}\n" for i in range(6)))
        write("q.csv", "id,query,rel\n" + "".join(f"r{i},{QUERY[i]},{T[i]}\n" for i in [5, 2, 0, 4, 1, 3]) + "r9,z,1\n")
        each, slopes = expected("lambdarank")
        words = ("lambdarank", "p.csv", "q.csv", "--group", "query", "--id", "id")
        compute(*words).refuses(3, "r9")
        found = compute(*words, "--on-unmatched", "drop", "--per-sample", "--gradient", "s.npy")
        assert [row["loss"] for row in found.json["rows"]] == each
        assert [row["group"] for row in found.json["rows"]] == ["a", "b", "c"]
        assert np.load("s.npy").tolist() == slopes.tolist()

    def test_rows_that_are_dropped_have_no_gradient(self, compute: Compute, write: Any) -> None:
        write("p.csv", "id,score\nx,9\n" + "".join(f"r{i},{Z[i]}\n" for i in APART))
        write("q.csv", "id,query,rel\n" + "".join(f"r{i},{QUERY[i]},{T[i]}\n" for i in range(6)))
        compute(
            "lambdarank",
            "p.csv",
            "q.csv",
            "--group",
            "query",
            "--id",
            "id",
            "--on-unmatched",
            "drop",
            "--gradient",
            "s.npy",
        )
        assert np.load("s.npy").tolist() == [0, *expected("lambdarank")[1][APART]]

    def test_a_weight_per_list(self, compute: Compute, save: Any) -> None:
        each, _ = expected("lambdarank")
        words = ("lambdarank", "z.npy", "t.npy", "--group", "g.npy", "--sample-weight")
        found = compute(*words, save("w.npy", [1, 1, 4, 4, 4, 5.0])).json
        assert found["value"] == pytest.approx(np.average(each, weights=[1, 4, 5]), rel=1e-15)
        apart = ("lambdarank", "zz.npy", "tt.npy", "--group", "gg.npy", "--sample-weight")
        assert compute(*apart, save("ww.npy", np.array([1, 1, 4, 4, 4, 5.0])[APART])).json["value"] == found["value"]
        assert compute(*words, "2").json["value"] == pytest.approx(np.mean(each), rel=1e-15)
        compute(*words, save("w.npy", [1, 1, 4, 3, 4, 5.0])).refuses(3, "w.npy[3]: the weight 3", "has 4")
        compute(*words, save("w.npy", [1, 1, -4, -4, -4, 5.0])).refuses(3, "w.npy[2]: the weight -4 is negative")

    def test_items_that_do_not_exist(self, compute: Compute, save: Any) -> None:
        words = ("lambdarank", "--group", "g.npy", "--mask", save("m.npy", [1, 1, 1, 0, 1, 0]))
        z, t = Z.copy(), T.copy()
        z[3] = t[3] = np.nan
        found = compute(*words, save("z.npy", z), save("t.npy", t), "--per-sample", "--gradient", "s.npy").json
        shorter = called("lambdarank", Z[None, [2, 4]], rows(T[[2, 4]]))
        assert [row["loss"] for row in found["rows"]] == [expected("lambdarank")[0][0], shorter[0][0]]
        assert [row["sample"] for row in found["rows"]] == [0, 1]
        assert (found["samples"], found["ignored"]) == (2, 1)
        assert np.load("s.npy").tolist()[2:] == [shorter[1][0, 0], 0, shorter[1][0, 1], 0]

    def test_from_python(self) -> None:
        each, _ = expected("approx-ndcg")
        found = losscli.compute("approx-ndcg", Z, T, group=np.array(QUERY))
        assert found.losses.tolist() == each
        assert losscli.compute("approx-ndcg", Z, T, group=[1, 1, 7, 7, 7, 2]).value == found.value


@pytest.mark.usefixtures("files")
class TestRefusals:
    def test_what_names_no_list(self, compute: Compute, save: Any, write: Any) -> None:
        def refused(*words: str) -> Any:
            return compute("lambdarank", *words)

        refused("z.npy", "t.npy", "--group", save("n.npy", [1, 1, np.nan, 2, 2, 2])).refuses(
            3, "n.npy[2]: the list is NaN"
        )
        write("e.csv", "query,score\na,1\n,2\na,3\nb,1\nb,2\nb,0\n")
        refused("e.csv", "t.npy", "--group", "query").refuses(3, "e.csv:3", "no list is named here")
        refused("z.npy", "t.npy", "--group", save("few.npy", [1, 1, 2])).refuses(3, "6 rows", "few.npy 3")
        refused("z.npy", "t.npy", "--group", save("sizes.npy", [2, 3, 1])).refuses(
            3, "lengths of lists?", "numpy.repeat"
        )
        refused("z.npy", "t.npy", "--group", save("two.npy", np.ones((6, 2)))).refuses(3, "two.npy: shape (6, 2)")
        refused("z.npy", "t.npy", "--group", "quer").refuses(
            3, "--group quer: z.npy is an array, without columns, and no such file"
        )
        refused("z.csv", "t.csv", "--group", "quer").refuses(
            3, "no column 'quer' in z.csv and t.csv (did you mean query?) (query, score, rel)"
        )
        refused("z.csv", "t.csv", "--group", "t.csv").refuses(3, "t.csv has 2 columns; say which")

    def test_two_files_with_other_lists(self, compute: Compute, write: Any) -> None:
        write("u.csv", "query,rel\na,1\nb,0\nb,2\nb,0\nb,1\nc,3\n")
        found = compute("lambdarank", "z.csv", "u.csv", "--group", "query")
        found.refuses(3, "z.csv:3", "the list 'a', and 'b' at u.csv:3", "--group z.csv:query")
        assert compute("lambdarank", "z.csv", "u.csv:rel", "--group", "z.csv:query").code == 0

    def test_options_and_shapes_that_do_not_fit(self, compute: Compute, save: Any) -> None:
        compute("lambdarank", "z.npy", "t.npy").refuses(3, "say with --group which column names its list")
        words = ("--group", "g.npy")
        table = save("table.npy", np.ones((6, 2)))
        compute("lambdarank", table, table, *words).refuses(
            3, "has shape (6, 2); with --group a row is one item of a list"
        )
        cube = save("cube.npy", np.ones((6, 2, 2)))
        compute("lambdarank", cube, cube, *words).refuses(3, "(6, 2, 2)")
        compute("lambdarank", "z.npy", "t.npy", *words, "--per", "sample").refuses(2, "--per sample: with --group")
        compute("mse", "z.npy", "t.npy", *words).refuses(2, "mse takes no --group")
        compute("lambdarank", "z.npy", save("t.npy", -T), *words).refuses(
            3, "t.npy[0]: the target -1 is not in [0, inf)"
        )

    def test_a_bad_number_is_named_by_its_place_in_the_file(self, compute: Compute, save: Any) -> None:
        z = Z[APART].copy()
        z[2] = np.nan
        compute("lambdarank", save("z.npy", z), "tt.npy", "--group", "gg.npy").refuses(
            3, "z.npy[2]: the prediction is NaN"
        )

    def test_an_undefined_loss_is_that_of_a_list(self, compute: Compute, save: Any) -> None:
        z = Z.copy()
        z[2:4] = np.inf
        compute("lambdarank", save("z.npy", z), "t.npy", "--group", "g.npy").refuses(
            3, "z.npy[2]: the loss is undefined"
        )

    def test_rows_that_are_too_many_to_be_gathered(self, compute: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "MOST_BYTES", 100)
        found = compute("lambdarank", "zz.npy", "tt.npy", "--group", "gg.npy")
        found.refuses(3, "do not stand together", "sort the files by list")
        assert compute("lambdarank", "z.npy", "t.npy", "--group", "g.npy").code == 0


def test_digits_do_not_depend_on_chunks_and_threads(
    compute: Compute, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(6)
    lengths = generator.integers(1, 30, 200)
    n = int(lengths.sum())
    save("z.npy", generator.normal(size=n).astype(np.float32)), save("t.npy", generator.integers(0, 4, n))
    save("g.npy", np.repeat(np.arange(200), lengths))
    words = ("lambdarank", "z.npy", "t.npy", "--group", "g.npy", "--per-sample", "-f", "json", "--gradient")
    whole = compute(*words, "a.npy", "--threads", "1")
    monkeypatch.setattr(job, "CHUNK_ROWS", 64)
    monkeypatch.setattr(job, "BATCH_BYTES", 200)
    values = set()
    for threads in ("1", "3"):
        parts = compute(*words, "b.npy", "--threads", threads)
        assert parts.json["rows"] == whole.json["rows"]
        assert Path("a.npy").read_bytes() == Path("b.npy").read_bytes()
        values.add(parts.json["value"])
    assert len(values) == 1
    assert values.pop() == pytest.approx(whole.json["value"], rel=1e-15)  # other chunks have other partial sums


@pytest.mark.usefixtures("files")
class TestOtherCommands:
    def test_rank_lists(self, run: Any) -> None:
        found = run("rank", "lambdarank", "z.csv", "t.csv", "--group", "query", "--top", "2", "-f", "jsonl")
        each, _ = expected("lambdarank")
        listed = [json.loads(line) for line in found.out.splitlines()]
        assert listed == [{"sample": i, "group": "abc"[i], "loss": each[i]} for i in (0, 1)]

    def test_compare_pairs_lists_by_their_names(self, run: Any, write: Any) -> None:
        write("a.csv", "id,score\n" + "".join(f"r{i},{Z[i]}\n" for i in range(6)))
        write("b.csv", "id,score\n" + "".join(f"r{i},{Z[i] if i else 2}\n" for i in [5, 2, 0, 4, 1, 3]))
        write("q.csv", "id,query,rel\n" + "".join(f"r{i},{QUERY[i]},{T[i]}\n" for i in range(6)))
        words = ("--targets", "q.csv", "--group", "query", "--id", "id", "-f", "json")
        found = run("compare", "lambdarank", "a.csv", "b.csv", *words).json
        changed = called("lambdarank", [[2, Z[1]]], rows(T[:2]))[0][0]
        each, _ = expected("lambdarank")
        assert found["difference"] == pytest.approx((changed - each[0]) / 3, rel=1e-14)
        (better,) = found["rows"]["better"]
        assert better == {
            "sample": 0, "group": "a", "loss_a": each[0], "loss_b": changed, "difference": pytest.approx(changed - each[0])
        }  # fmt: skip

    def test_compare_refuses_other_lists(self, run: Any, write: Any) -> None:
        write("less.csv", "query,score\na,1\na,2\nb,0.5\nb,0.1\nb,-1\nb,2\n")
        found = run("compare", "lambdarank", "z.csv", "less.csv", "--targets", "t.npy", "--group", "query")
        found.refuses(3, "less.csv: has no list 'c'")

    def test_suite(self, run: Any, write: Any) -> None:
        each, _ = expected("list-mle")
        write("s.toml", '[measure.m]\nloss = "list-mle"\npredictions = "z.csv"\ntargets = "t.csv"\ngroup = "query"\n')
        found = run("run", "s.toml", "-f", "json")
        assert found.code == 0, found.err
        assert f"{np.mean(each)}" in found.out


@pytest.mark.usefixtures("files")
class TestEvents:
    """--event, and strata of a loss of events by --group."""

    def test_events_as_numbers_and_words(self, compute: Compute, save: Any, write: Any) -> None:
        save("e.npy", [1, 0, 1, 1, 0, 1])
        found = compute("cox", "z.npy", "t.npy", "--event", "e.npy", "--gradient", "s.npy").json
        value, slope = called("cox", Z[None], rows(T), third(1, 0, 1, 1, 0, 1))
        assert found["value"] == value[0]
        assert np.load("s.npy").tolist() == slope[0].tolist()
        assert (found["receipt"]["per"], found["receipt"]["event"], found["samples"]) == ("file", "e.npy", 1)
        write("e.csv", "died\nTrue\nFalse\nTrue\nTrue\nFalse\nTrue\n")
        assert compute("cox", "z.npy", "t.npy", "--event", "e.csv").json["value"] == value[0]
        write("all.csv", "risk,time,died\n" + "".join(f"{Z[i]},{T[i]},{int(i not in (1, 4))}\n" for i in range(6)))
        of_one = compute("cox-breslow", "all.csv:risk", "all.csv:time", "--event", "all.csv:died").json
        assert of_one["value"] == value[0]

    def test_strata(self, compute: Compute, save: Any) -> None:
        save("e.npy", [1, 1, 1, 0, 1, 0])
        found = compute(
            "cox-efron", "z.npy", "t.npy", "--event", "e.npy", "--group", "g.npy", "--reduction", "sum"
        ).json
        parts = [
            called("cox-efron", Z[None, :2], rows(T[:2]), third(1, 1)),
            called("cox-efron", Z[None, 2:5], rows(T[2:5]), third(1, 0, 1)),
        ]
        assert found["value"] == pytest.approx(sum(float(value[0]) for value, _ in parts), rel=1e-15)
        assert found["samples"] == 3

    def test_rows_that_do_not_exist(self, compute: Compute, save: Any) -> None:
        save("e.npy", [1, 0, 1, 1, 0, 1]), save("m.npy", [1, 1, 0, 1, 1, 1])
        some = [0, 1, 3, 4, 5]
        found = compute("cox", "z.npy", "t.npy", "--event", "e.npy", "--mask", "m.npy", "--gradient", "s.npy").json
        value, slope = called("cox", Z[None, some], rows(T[some]), third(1, 0, 1, 0, 1))
        assert found["value"] == value[0]
        assert np.load("s.npy").tolist() == np.insert(slope[0], 2, 0).tolist()

    def test_refusals(self, compute: Compute, save: Any) -> None:
        words = ("cox", "z.npy", "t.npy")
        compute(*words).refuses(2, "cox needs --event FILE")
        compute("cox-ph", *words[1:]).refuses(
            2, "'cox-ph' means different losses", "cox (ties by Breslow", "cox-efron (ties by Efron"
        )
        compute(*words, "--event", save("e.npy", [0] * 6)).refuses(3, "e.npy: no event among 6 rows")
        compute(*words, "--event", save("e.npy", [0, 1, 2, 0, 0, 0])).refuses(3, "e.npy[2]: 2 in --event", "code == 1")
        compute(*words, "--event", save("e.npy", [0, 1, np.nan, 0, 0, 0])).refuses(3, "e.npy[2]: nan in --event")
        compute(*words, "--event", save("e.npy", [0, 1])).refuses(3, "e.npy")
        save("e.npy", [1] * 6)
        event = ("--event", "e.npy")
        wide = save("wide.npy", np.ones((6, 2)))
        compute("cox", wide, "t.npy", *event).refuses(3, "a row has one log-risk")
        compute(*words, *event, "--sample-weight", "z.npy").refuses(2, "one loss for all rows together")
        compute("cox", "z.npy", save("t.npy", [1, 2, np.nan, 1, 1, 1]), *event).refuses(
            3, "t.npy[2]: the target is NaN"
        )


def third(*events: int) -> Any:
    from losscli.definition.batch import Extras

    return Extras(third_operand=np.array([events], float))
