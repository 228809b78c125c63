"""Rows that meet by id: as a dictionary would have it, whatever the piles are, and dropping a row is deleting it."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from by_hand import cross_entropy

from losscli.io import bytes as raw
from losscli.io import csv as csvfile
from losscli.io import join

NAMES = ("cat", "dog", "eel")


def table(ids: list[str], **columns: list[object]) -> str:
    lines = [",".join(["id", *columns])]
    lines += [",".join([f'"{word}"', *map(str, row)]) for word, *row in zip(ids, *columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def small_piles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Piles of a few records, and copies that go to the disk at once."""
    monkeypatch.setattr(join, "PILE_BYTES", 500)
    monkeypatch.setattr(join, "SCAN_BYTES", 200)
    monkeypatch.setattr(raw, "IN_MEMORY", 64)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that are cut every few rows, and parsed by Polars however small they are."""
    from losscli.io import csv as csvfile

    monkeypatch.setattr(csvfile, "SMALL", 0)
    monkeypatch.setattr(csvfile, "CHUNK_ROWS", 7)
    monkeypatch.setattr(csvfile, "PIECE", 64)


class Case:
    """Predictions, targets and weights with ids of their own, and the loss of the rows that are in all three."""

    def __init__(self, write: Callable[..., str], seed: int, rows: int, gone: int) -> None:
        rng = np.random.default_rng(seed)
        ids = [f"row {i}, {'é' * (i % 3)}" for i in range(rows + gone)]
        z = rng.normal(size=(rows + gone, 3)).round(3)
        y = rng.integers(0, 3, rows + gone)
        w = rng.uniform(0.5, 2, rows + gone).round(3)
        picked = [sorted(rng.permutation(rows + gone)[:rows]) for _ in range(3)]
        for which in (1, 2):
            rng.shuffle(picked[which])
        first, second, third = picked
        write("p.csv", table([ids[i] for i in first], **{name: z[first, k].tolist() for k, name in enumerate(NAMES)}))
        write("t.csv", table([ids[i] for i in second], label=[NAMES[y[i]] for i in second]))
        write("w.csv", table([ids[i] for i in third], weight=[w[i] for i in third]))
        both = set(second) & set(third)
        self.rows = [place for place, i in enumerate(first) if i in both]
        self.kept = [first[place] for place in self.rows]
        self.ids = [ids[i] for i in self.kept]
        self.losses = np.log(np.exp(z).sum(axis=1))[self.kept] - z[self.kept, y[self.kept]]
        self.mean = float(np.average(self.losses, weights=w[self.kept]))
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        self.gradient = np.zeros((rows, 3))
        self.gradient[self.rows] = (p - np.eye(3)[y])[self.kept]
        self.targets = [NAMES[y[i]] for i in self.kept]


JOINED = ("p.csv", "t.csv", "--id", "id", "--sample-weight", "w.csv")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gone", [0, 3])
def test_rows_meet_as_a_dictionary_has_it(compute, write, seed, gone):
    case = Case(write, seed, 60, gone)
    done = compute("ce", *JOINED, "--on-unmatched", "drop").json
    assert done["value"] == pytest.approx(case.mean, rel=1e-12)
    assert done["samples"] == len(case.kept)


@pytest.mark.usefixtures("small_piles", "cut")
class TestManyPiles:
    @pytest.mark.parametrize("seed", range(4))
    def test_the_same_comes_out(self, compute, write, folder, seed):
        case = Case(write, seed, 300, 40)
        done = compute("ce", *JOINED, "--on-unmatched", "drop", "--gradient", "g.npy", "-f", "jsonl", "--threads", "2")
        assert [row["sample"] for row in done.lines] == case.rows
        assert [row["id"] for row in done.lines] == case.ids
        assert [row["target"] for row in done.lines] == case.targets
        assert [row["loss"] for row in done.lines] == pytest.approx(case.losses.tolist(), rel=1e-12)
        gradient = np.load(folder / "g.npy")
        assert gradient == pytest.approx(case.gradient, abs=1e-14)

    def test_there_are_many(self, write, monkeypatch):
        numbers = []
        made = join.Piles.__init__

        def watched(self, *words):
            made(self, *words)
            numbers.append(self.number)

        monkeypatch.setattr(join.Piles, "__init__", watched)
        from losscli.cli.main import run

        Case(write, 0, 300, 0)
        assert run(["compute", "ce", *JOINED, "-q"]) == 0
        assert max(numbers) > 10

    def test_ids_of_one_half_alike_are_told_apart(self, compute, write, monkeypatch):
        of = join.Printer.of

        def alike(self, cells):
            prints, blank = of(self, cells)
            prints["high"] = 7
            return prints, blank

        monkeypatch.setattr(join.Printer, "of", alike)
        monkeypatch.setattr(join, "SKEWED", 1000)
        case = Case(write, 1, 100, 5)
        assert compute("ce", *JOINED, "--on-unmatched", "drop").json["value"] == pytest.approx(case.mean, rel=1e-12)

    def test_one_id_over_and_over_is_found_in_bounded_memory(self, compute, write, monkeypatch):
        taken = []
        take = join.Piles.take

        def watched(self, number, most=None):
            found = take(self, number, most)
            taken.append(found.nbytes)
            return found

        monkeypatch.setattr(join.Piles, "take", watched)
        write("p.csv", table(["same"] * 5000, a=[0.5] * 5000))
        write("t.csv", table(["same"], t=[1.0]))
        compute("mse", "p.csv", "t.csv", "--id", "id").refuses(
            3, "p.csv:2", 'column "id"', "1 id more than once: 'same'"
        )
        assert max(taken) <= join.SKEWED * 5000 * 24 / 240 + 24


class TestUnmatched:
    @pytest.fixture(autouse=True)
    def files(self, write):
        write("p.csv", table(["a", "b", "c", "d", "007"], x=[1, 2, 3, 4, 5]))
        write("t.csv", table(["7", "d", "x", "b", "y", "z", "a"], t=[0, 1, 0, 3, 0, 0, 5]))

    def test_is_an_error_with_the_first_few_and_their_number(self, compute):
        compute("mse", "p.csv", "t.csv", "--id", "id").refuses(
            3, "t.csv: no row for 2 ids of p.csv: 'c', '007'", "4 ids that p.csv does not have: '7', 'x', 'y' ... and 1 more",
            "--on-unmatched drop",
        )  # fmt: skip

    def test_dropping_is_deleting(self, compute):
        done = compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop", "--per-sample")
        found = done.json
        assert [(row["sample"], row["id"], row["loss"]) for row in found["rows"]] == [
            (0, "a", 16.0),
            (1, "b", 1.0),
            (3, "d", 9.0),
        ]
        assert found["value"] == pytest.approx(26 / 3)
        assert (found["receipt"]["dropped"], found["receipt"]["on_unmatched"]) == (2, "drop")
        assert "no row for 2 ids of p.csv: 'c', '007'" in done.err
        assert "4 ids that p.csv does not have" in done.err
        assert "left out" in done.err

    def test_bad_targets_of_rows_that_are_dropped_do_not_matter(self, compute, write):
        write("t.csv", table(["a", "zzz"], t=[1, "NaN"]))
        assert compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop").json["value"] == 0

    @pytest.mark.usefixtures("cut")
    @pytest.mark.parametrize("bad", range(30))
    def test_a_cell_that_is_no_number_is_refused_wherever_it_is(self, compute, write, bad):
        """Whether its chunk holds rows that stay or not."""
        ids = [f"r{i}" for i in range(30)]
        write("p.csv", table(ids, x=["x" if i == bad else 1.5 for i in range(30)]))
        write("t.csv", table(["r29", "r3"], t=[1, 1]))
        done = compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop")
        done.refuses(3, f"p.csv:{bad + 2}", "'x' is not a number")

    def test_a_bad_target_is_named_by_its_own_line(self, compute, write):
        write("t.csv", table(["zzz", "d", "a"], t=[1, "NaN", 1]))
        compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop").refuses(3, "t.csv:3")

    def test_a_bad_prediction_is_named_by_its_own_line(self, compute, write):
        write("p.csv", table(["a", "b", "c"], x=[1, 2, "nan"]))
        write("t.csv", table(["c", "a"], t=[1, 1]))
        compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop").refuses(3, "p.csv:4")

    def test_a_bad_label_is_named_by_its_own_line(self, compute, write):
        write("p.csv", table(["a", "b", "c"], cat=[1, 2, 3], dog=[3, 2, 1]))
        write("t.csv", table(["zzz", "c", "a"], t=["emu", "cat", "catt"]))
        compute("ce", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop").refuses(3, "t.csv:4", "'catt'")

    def test_labels_of_rows_that_are_dropped_are_no_labels(self, compute, write):
        write("p.csv", table(["a", "b", "c"], cat=[1, 2, 3], dog=[3, 2, 1]))
        write("t.csv", table(["zzz", "c", "a"], t=["emu", "cat", "dog"]))
        done = compute("ce", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop", "--class-weight", "balanced")
        assert done.json["receipt"]["class_weight"] == [1.0, 1.0]

    def test_columns_of_one_file_are_dropped_together(self, compute, write):
        write("p.csv", table(["a", "b", "c"], x=[1, 2, 3], t=[1, 0, 0]))
        write("w.csv", table(["c", "a"], w=[3, 1]))
        words = ("mse", "p.csv:x", "p.csv:t", "--id", "id", "--sample-weight", "w.csv", "--on-unmatched", "drop")
        assert compute(*words).json["value"] == pytest.approx(27 / 4)

    def test_nothing_in_common_is_no_result(self, compute, write):
        write("t.csv", table(["A", "B"], t=[1, 2]))
        compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop").refuses(
            3, "no id is in every file", "'a'", "t.csv has 'A'"
        )
        compute("mse", "p.csv", "t.csv", "--id", "id").refuses(3, "no id is in every file", "written in the same way")

    def test_a_long_id_is_cut_in_the_message(self, compute, write):
        write("p.csv", table(["a", "b" * 10_000], x=[1, 2]))
        write("t.csv", table(["a"], t=[1]))
        done = compute("mse", "p.csv", "t.csv", "--id", "id")
        done.refuses(3, "no row for 1 id")
        assert len(done.err) < 300

    def test_needs_ids(self, compute):
        compute("mse", "p.csv:x", "t.csv:t", "--on-unmatched", "drop").refuses(2, "--on-unmatched", "--id")

    def test_gradients_keep_the_shape_of_the_file(self, compute, folder):
        compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop", "--gradient", "g.csv")
        assert (folder / "g.csv").read_text().split() == ["x", "-8.0", "-2.0", "0.0", "6.0", "0.0"]


class TestDuplicates:
    @pytest.mark.parametrize("mode", ["error", "drop"])
    def test_are_errors_in_either_file(self, compute, write, mode):
        write("p.csv", table(["a", "b", "a", "b", "c"], x=[1, 2, 3, 4, 5]))
        write("t.csv", table(["a", "b", "c"], t=[1, 2, 3]))
        words = ("--id", "id", "--on-unmatched", mode)
        compute("mse", "p.csv", "t.csv", *words).refuses(3, "p.csv:2", "2 ids more than once: 'a', 'b'")
        compute("mse", "t.csv", "p.csv", *words).refuses(3, "p.csv:2", "2 ids more than once: 'a', 'b'")

    def test_are_errors_where_there_is_one_file(self, compute, write):
        write("p.csv", table(["a", "b", "a"], x=[1, 2, 3], t=[1, 2, 3]))
        compute("mse", "p.csv:x", "p.csv:t", "--id", "id").refuses(3, "1 id more than once: 'a'")

    def test_empty_ids(self, compute, write):
        write("p.csv", table(["a", "", ""], x=[1, 2, 3]))
        compute("mse", "p.csv", "0", "--id", "id").refuses(3, "p.csv:3", "the id is empty (2 rows)")


def test_ids_of_parquet_files(compute, folder):
    pl.DataFrame({"id": [3, 1, 2], "x": [1.0, 2.0, 3.0]}).write_parquet(folder / "p.parquet")
    pl.DataFrame({"t": [0.0, 0.0], "id": ["1", "3"]}).write_parquet(folder / "t.parquet")
    done = compute("mse", "p.parquet", "t.parquet", "--id", "id", "--on-unmatched", "drop", "-f", "jsonl")
    assert [(row["id"], row["loss"]) for row in done.lines] == [("3", 1.0), ("1", 4.0)]


def test_soft_targets_move_with_their_rows(compute, write):
    write("p.csv", table(["a", "b"], cat=[0, 1], dog=[0, 0]))
    write("t.csv", table(["b", "a"], dog=[1, 0.5], cat=[0, 0.5]))
    done = compute("ce", "p.csv", "t.csv", "--id", "id", "-f", "jsonl")
    assert [row["loss"] for row in done.lines] == pytest.approx([np.log(2), np.log1p(np.e)])


def test_ids_are_what_the_receipt_says(compute, write):
    write("p.csv", table(["a", "b"], x=[0, 1]))
    found = compute("mse", "p.csv", "0", "--id", "id").json["receipt"]
    assert (found["id"], found["on_unmatched"], found.get("dropped")) == ("id", "error", None)
    assert json.dumps(found)


class TestPictures:
    """What is dropped and how classes are called bears on pictures of files too."""

    def words(self, write):
        write("p.csv", table(["a", "b", "c", "d"], x=[1, 2, 3, -1], y=[3, 1, 1, 1]))
        write("t.csv", table(["d", "b", "zzz", "a"], label=["y", "x", "x", "y"]))
        return "p.csv", "t.csv", "--id", "id"

    @pytest.mark.parametrize("command", ["samples ce", "reliability", "features"])
    def test_rows_without_a_partner(self, run, write, folder, command):
        words = self.words(write)
        run("plot", *command.split(), *words, "-o", "x.png").refuses(3, "t.csv: no row for 1 id of p.csv: 'c'")
        done = run("plot", *command.split(), *words, "--on-unmatched", "drop", "-o", "x.svg")
        assert done.code == 0, done.err
        assert "left out" in done.err
        assert (folder / "x.svg").exists()

    @pytest.mark.parametrize("command", ["samples ce", "reliability"])
    def test_names_of_classes_and_labels_from_one(self, run, write, save, command):
        z = save("z.npy", [[1.0, 0], [0, 1.0], [2.0, 1.0]])
        write("t.csv", "label\na\nb\na\n")
        run("plot", *command.split(), z, "t.csv", "-o", "x.png").refuses(3, "--classes")
        assert run("plot", *command.split(), z, "t.csv", "--classes", "a,b", "-o", "x.png").code == 0
        save("y.npy", [1, 2, 1])
        run("plot", *command.split(), z, "y.npy", "-o", "x.png").refuses(3, "--label-base 1")
        assert run("plot", *command.split(), z, "y.npy", "--label-base", "1", "-o", "x.png").code == 0


class TestIds:
    def test_ids_are_unique_beside_a_constant_too(self, compute, write):
        p = write("p.csv", "id,v\na,1\na,2\n")
        compute("l1", p, "0", "--id", "id").refuses(3, "p.csv", "more than once", "a")

    def test_an_id_that_was_picked_is_meant(self, compute, write):
        p = write("p.csv", "id,score\n1,5\n2,6\n")
        assert compute("l1", p, "0", "--columns", "id").err == ""
        assert "--id" in compute("mse", p, write("t.csv", "id,score\n1,5\n2,6\n")).err


@pytest.mark.quick
class TestJoinById:
    PREDICTIONS = "id,cat,dog\nx1,1,2\nx2,3,5\n"

    def test_brings_targets_and_weights_into_the_predictions_order(self, compute, write):
        p = write("p.csv", self.PREDICTIONS)
        t, w = write("t.csv", "id,label\nx2,cat\nx1,dog\n"), write("w.csv", "w,id\n3,x2\n1,x1\n")
        rows = compute("ce", p, t, "--id", "id", "--sample-weight", w, "-f", "jsonl").lines
        assert [(row["id"], row["target"], row["weight"]) for row in rows] == [("x1", "dog", 1), ("x2", "cat", 3)]
        assert rows[1]["loss"] == pytest.approx(cross_entropy([3, 5], 0))

    def test_ids_are_text(self, compute, write):
        p, t = write("p.csv", "id,v\n7,1\n007,2\n"), write("t.csv", "id,v\n007,2\n7,1\n")
        rows = compute("mse", p, t, "--id", "id", "-f", "jsonl").lines
        assert [(row["id"], row["loss"]) for row in rows] == [("7", 0), ("007", 0)]

    @pytest.mark.parametrize("id_", ["NA", "null", "nan", "1e3", " a"])
    def test_an_id_stays_as_it_stands_in_the_file(self, compute, write, id_):
        p, t = write("p.csv", f"id,v\n{id_},1\nb,2\n"), write("t.csv", f"id,v\nb,2\n{id_},1\n")
        assert compute("mse", p, t, "--id", "id", "-f", "jsonl").lines[0]["id"] == id_

    def test_rows_of_other_order_without_id_are_not_joined(self, compute, write):
        p, t = write("p.csv", "v\n1\n2\n"), write("t.csv", "v\n2\n1\n")
        assert compute("mse", p, t, "-f", "value").value == 1

    def test_missing_ids_are_counted_and_shown(self, compute, write):
        p, t = write("p.csv", "id,v\na,1\nb,2\nc,3\n"), write("t.csv", "id,v\nb,2\n")
        compute("mse", p, t, "--id", "id").refuses(3, "t.csv", "2 ids", "a", "c")

    def test_extra_ids_are_counted_and_shown(self, compute, write):
        p, t = write("p.csv", "id,v\nb,2\n"), write("t.csv", "id,v\na,1\nb,2\nc,3\n")
        compute("mse", p, t, "--id", "id").refuses(3, "t.csv", "2 ids", "a", "c")

    @pytest.mark.parametrize("twice", ["p.csv", "t.csv"])
    def test_duplicate_ids_are_refused(self, compute, write, twice):
        texts = {"p.csv": "id,v\na,1\nb,2\n", "t.csv": "id,v\na,1\nb,2\n"}
        texts[twice] += "b,2\n"
        for name, text in texts.items():
            write(name, text)
        compute("mse", "p.csv", "t.csv", "--id", "id").refuses(3, twice, "b", "more than once")

    def test_an_empty_id_is_refused(self, compute, write):
        p, t = write("p.csv", "id,v\na,1\n,2\n"), write("t.csv", "id,v\na,1\nb,2\n")
        compute("mse", p, t, "--id", "id").refuses(3, "p.csv:3", "empty")

    def test_a_file_without_the_id_column_is_refused(self, compute, write):
        p, t = write("p.csv", "id,v\na,1\n"), write("t.csv", "key,v\na,1\n")
        compute("mse", p, t, "--id", "id").refuses(3, "t.csv", "'id'", "'key'")

    def test_an_array_has_no_ids(self, compute, write, save):
        p, t = write("p.csv", "id,v\na,1\n"), save("t.npy", [1.0])
        compute("mse", p, t, "--id", "id").refuses(3, "t.npy", "--id")

    def test_a_bad_cell_is_placed_in_its_own_file_s_order(self, compute, write):
        p, t = write("p.csv", "id,v\na,1\nb,2\n"), write("t.csv", "id,v\nb,2\na,x\n")
        compute("mse", p, t, "--id", "id").refuses(3, "t.csv:3", '"v"', "'x'")

    def test_a_constant_needs_no_ids(self, compute, write):
        rows = compute("l1", write("p.csv", "id,v\na,1\nb,2\n"), "0", "--id", "id", "-f", "jsonl").lines
        assert [row["id"] for row in rows] == ["a", "b"]


class TestSpellings:
    """Keys that are the same but for how they are written: said with both places, never matched."""

    @pytest.mark.parametrize(
        ("ours", "theirs", "normal"),
        [
            ("1", "001", "1"),
            ("7.0", "7", "7"),
            ("2024-01-05", "2024-01-05 00:00:00", "2024-01-05"),
            ("2024-01-05", "2024-01-05T00:00:00.000Z", "2024-01-05"),
            ("2024/01/05", "2024-01-05", "2024-01-05"),
            ("2024-01-05 10:30:00", "2024-01-05T10:30:00Z", "2024-01-05 10:30:00"),
        ],
    )
    def test_two_spellings(self, compute, write, ours, theirs, normal):
        p, t = write("p.csv", f"id,v\nx,1\n{ours},2\n"), write("t.csv", f"v,id\n1,x\n2,{theirs}\n")
        fact = f"p.csv:3 has '{ours}' and t.csv:3 '{theirs}', which may be the same key"
        compute("l1", p, t, "--id", "id").refuses(3, fact, f"write both as '{normal}'", "--on-unmatched drop")
        found = compute("l1", p, t, "--id", "id", "--on-unmatched", "drop")
        assert found.json["samples"] == 1
        assert f"warning: {fact}" in found.err

    @pytest.mark.parametrize("small", [True, False])
    def test_more_of_them_are_counted(self, compute, write, small, monkeypatch):
        monkeypatch.setattr(csvfile, "SMALL", 1 << 16 if small else 0)
        p = write("p.csv", "id,v\n" + "".join(f"{i},1\n" for i in range(1, 31)))
        t = write("t.csv", "id,v\n" + "".join(f"{i:02},1\n" for i in range(1, 31)))
        compute("l1", p, t, "--id", "id").refuses(3, "p.csv:2 has '1' and t.csv:2 '01'", "8 more", "write both as '1'")

    def test_spellings_that_both_files_have_are_different_keys(self, compute, write):
        p, t = write("p.csv", "id,v\n1,2\n001,5\n"), write("t.csv", "id,v\n001,5\n1,4\n")
        assert compute("l1", p, t, "--id", "id").json["value"] == 1

    @pytest.mark.parametrize("small", [True, False])
    def test_blanks_around_ids_do_not_count(self, compute, write, small, monkeypatch):
        monkeypatch.setattr(csvfile, "SMALL", 1 << 16 if small else 0)
        p, t = write("p.csv", "id, v\nx, 1\ny, 2\n"), write("t.csv", "v, id\n4, y\n1, x \n")
        assert compute("l1", p, t, "--id", "id").json["value"] == 1
        blank = write("b.csv", "v, id\n4, y\n1,  \n")
        compute("l1", p, blank, "--id", "id").refuses(3, "b.csv:3", "the id is empty")


@pytest.mark.parametrize("apart", [1, 1 << 40, 1 << 63], ids=["last bits", "middle", "leading bits"])
@pytest.mark.parametrize("half", ["high", "low"])
def test_fingerprints_that_differ_somewhere_are_told_apart(half, apart):
    """Sorting looks at leading bits only, which may be alike."""
    prints = np.zeros(60, join.PRINT)
    prints["row"] = np.arange(60)
    values = np.random.default_rng(0).integers(0, 4, 60)
    prints[half] = values.astype(np.uint64) * np.uint64(apart)
    ordered, new = join.together(prints)
    groups = {}
    for number, row in zip(np.cumsum(new).tolist(), ordered["row"].tolist(), strict=True):
        groups.setdefault(number, []).append(row)
    expected = {}
    for row, value in enumerate((values % 2 if apart == 1 << 63 else values).tolist()):
        expected.setdefault(value, []).append(row)
    assert sorted(groups.values()) == sorted(expected.values())
