"""Columns that nobody meant: what is refused, what settles it, and what is healthy."""

import json

import numpy as np
import polars as pl
import pytest

import losscli

RNG = np.random.default_rng(16)
LABELS = RNG.integers(0, 3, 60)
LOGITS = RNG.normal(size=(60, 3)) + 2 * np.eye(3)[LABELS]
NAMES = ("cat", "dog", "owl")


def cross_entropy(z, labels):
    """The mean cross-entropy, from its definition."""
    z = np.asarray(z, float)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]))


def near(value):
    return pytest.approx(value, rel=1e-12)


SPARE = {
    "rows": np.arange(60),
    "ids": 1000 + 3 * np.arange(60),
    "shuffled": RNG.permutation(60) + 500,
    "fold": np.arange(60) % 5,
    "half": np.arange(60) % 2,
    "label": LABELS,
    "epoch": 10 + np.arange(60) // 20,
    "day": 20240101 + np.arange(60),
    "time": 1_700_000_000 + 60 * np.arange(60),
    "weight": RNG.random(60),
}
"""Columns that are no classes, by what they are."""
EXPECTED = near(cross_entropy(LOGITS, LABELS))


def table(names, *columns):
    """CSV text of named columns."""
    rows = zip(*(np.asarray(column).tolist() for column in columns), strict=True)
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows), ""])


@pytest.fixture
def logits(write):
    """Logits with one more column, and labels, as CSV."""

    def make(name, column, labels=np.array(NAMES)[LABELS]):
        write("y.csv", table(["label"], labels))
        return write("z.csv", table([*NAMES, name], *LOGITS.T, column)), "y.csv"

    return make


class TestEqualColumns:
    """A key in both files would be an output without any error."""

    KEY = "key,y\n11,1\n25,2\n37,3\n", "key,y\n11,2\n25,3\n37,4\n"
    """Two files whose mean squared error is 1, and 0.5 if the key counts."""

    @pytest.fixture
    def files(self, write):
        return write("p.csv", self.KEY[0]), write("t.csv", self.KEY[1])

    def test_are_refused_with_both_cures(self, compute, files):
        compute("mse", *files).refuses(3, "p.csv", "'key'", "t.csv", "--id key", "--columns '!key'", "--columns '*'")

    @pytest.mark.parametrize(
        ("how", "expected"),
        [(["--id", "key"], 1.0), (["--columns", "!key"], 1.0), (["--columns", "y"], 1.0), (["--columns", "*"], 0.5)],
    )
    def test_are_settled_by_each_cure(self, compute, files, how, expected):
        assert compute("mse", *files, *how, "-f", "value").value == expected

    @pytest.mark.parametrize("kind", ["npy", "csv"])
    def test_without_names(self, compute, save, write, kind):
        p, t = np.array([[11.0, 1], [25, 2], [37, 3]]), np.array([[11.0, 2], [25, 3], [37, 4]])
        if kind == "npy":
            files = save("p.npy", p), save("t.npy", t)
        else:
            files = [write(name, "".join(f"{a:g},{b:g}\n" for a, b in x)) for name, x in (("p.csv", p), ("t.csv", t))]
        files = [*files, "--sep", ","] if kind == "csv" else files  # these could be decimal commas as well
        compute("mse", *files).refuses(3, "column 1", "--columns '!1'")
        assert compute("mse", *files, "--columns", "!1", "-f", "value").value == 1
        assert compute("mse", *files, "--columns", "2", "-f", "value").value == 1
        assert compute("mse", *files, "--columns", "1,2", "-f", "value").value == 0.5

    def test_are_found_in_any_chunk(self, compute, save, monkeypatch):
        monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", 7)
        key, y = RNG.normal(size=50), RNG.normal(size=50)
        save("p.npy", np.stack([key, y], axis=1))
        save("t.npy", np.stack([key, y + 1], axis=1))
        compute("mse", "p.npy", "t.npy").refuses(3, "column 1")
        other = key.copy()
        other[49] += 1
        save("t.npy", np.stack([other, y + 1], axis=1))
        assert compute("mse", "p.npy", "t.npy").code == 0

    def test_of_one_row_or_two_say_nothing(self, compute, save):
        assert compute("mse", save("p.npy", [[1.0, 2], [3, 4]]), save("t.npy", [[1.0, 2], [3, 3]])).code == 0

    def test_of_a_constant_or_of_outcomes_say_nothing(self, compute, save):
        t = np.stack([np.arange(9) % 2, np.arange(9) % 3 == 0, np.zeros(9)], axis=1)
        assert compute("l1", save("p.npy", t * [1, 0.5, 1]), save("t.npy", t)).code == 0

    def test_in_a_suite_and_in_compare(self, run, files, write):
        write("s.toml", "[measure.a]\nloss = 'mse'\npredictions = 'p.csv'\ntargets = 't.csv'\n")
        done = run("run", "s.toml")
        assert done.code == 3
        assert "'key'" in done.out
        run("compare", "mse", *files[:1], files[0], "--targets", files[1]).refuses(3, "'key'")


class TestKeysAsOutputs:
    """A key in both files whose rows are in another order: no column is equal, and no row is met by its own target."""

    def test_are_refused(self, compute, write):
        p = write("p.csv", "key,y\n11,1.5\n25,2.5\n37,3.5\n")
        t = write("t.csv", "key,y\n37,3\n11,1\n25,2\n")
        compute("mse", p, t).refuses(3, "'key'", "t.csv in other rows", "--id key", "--columns '!key'")
        assert compute("mse", p, t, "--id", "key", "-f", "value").value == 0.25

    def test_of_arrays(self, compute, save):
        y = RNG.normal(size=40)
        key = RNG.permutation(40) + 100
        files = save("p.npy", np.stack([key, y], axis=1)), save("t.npy", np.stack([np.sort(key), y + 1], axis=1))
        compute("mse", *files).refuses(3, "column 1", "t.npy in other rows")

    def test_outputs_that_rise_are_none(self, compute, save):
        rows = np.arange(9.0)
        p, t = np.stack([rows, 10 * rows + 0.5], axis=1), np.stack([rows + 1, 10 * rows], axis=1)
        assert compute("mse", save("p.npy", p), save("t.npy", t)).code == 0
        whole = np.stack([rows, 10 * rows], axis=1)
        assert compute("mse", save("p.npy", whole), save("t.npy", whole[::-1])).code == 0


class TestSpareColumns:
    """A column that is no class, recognised by its numbers."""

    @pytest.mark.parametrize("name", SPARE)
    @pytest.mark.parametrize("place", [0, 3])
    def test_of_an_array_are_refused(self, compute, save, name, place):
        z = np.insert(LOGITS, place, SPARE[name], axis=1)
        files = save("z.npy", z), save("y.npy", LABELS + (place == 0))
        compute("ce", *files).refuses(3, f"column {place + 1}", f"--columns '!{place + 1}'")
        save("y.npy", LABELS)
        assert compute("ce", *files, "--columns", f"!{place + 1}", "-f", "value").value == EXPECTED

    @pytest.mark.parametrize("place", [0, 3])
    def test_that_repeats_the_largest_of_each_row(self, compute, save, place, monkeypatch):
        monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", 13)
        p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
        save("y.npy", LABELS + (place == 0))
        save("p.npy", np.insert(p, place, p.max(axis=1), axis=1))
        compute("ce", "p.npy", "y.npy").refuses(3, f"column {place + 1}", "confidence", f"--columns '!{place + 1}'")
        other = p.max(axis=1)
        other[59] = 0
        assert compute("ce", save("p.npy", np.insert(p, place, other, axis=1)), "y.npy").code == 0

    @pytest.mark.parametrize("rows", [7, 13, 60])
    def test_several_within_0_and_1_are_named_at_once(self, compute, save, monkeypatch, rows):
        monkeypatch.setattr("losscli.engine.job.CHUNK_ROWS", rows)
        save("z.npy", np.column_stack([LOGITS, RNG.random((60, 2))])), save("y.npy", LABELS)
        compute("ce", "z.npy", "y.npy").refuses(3, "column 4 and column 5 lie within 0 and 1", "--columns '!4,!5'")
        assert compute("ce", "z.npy", "y.npy", "--columns", "!4,!5", "-f", "value").value == EXPECTED

    @pytest.mark.parametrize("name", SPARE)
    def test_of_a_table_with_labels_that_are_numbers(self, compute, logits, save, name):
        save("y.npy", LABELS)
        z, _ = logits(name, SPARE[name])
        compute("ce", z, "y.npy").refuses(3, repr(name), f"--columns '!{name}'")
        assert compute("ce", z, "y.npy", "--columns", f"!{name}", "-f", "value").value == EXPECTED

    @pytest.mark.parametrize("name", ["weight", "score"])
    def test_beside_classes_that_labels_call_by_numbers(self, compute, logits, name):
        files = logits(name, SPARE["weight"], LABELS)
        cure = f"--columns {','.join(NAMES)} --classes 0,1,2"
        compute("ce", *files).refuses(3, f"3 for 4 columns: with {cure}", "or with --classes 0,1,2,3")
        assert compute("ce", *files, *cure.split(), "-f", "value").value == EXPECTED

    def test_one_within_0_and_1_is_spoken_of_as_one(self, compute, save):
        save("z.npy", np.column_stack([LOGITS, RNG.random(60)])), save("y.npy", LABELS)
        compute("ce", "z.npy", "y.npy").refuses(
            3, "z.npy: column 4 lies within 0 and 1", "leave it out with --columns '!4'"
        )

    def test_a_fold_beside_numbers_within_0_and_1(self, compute, save):
        save("p.npy", np.column_stack([RNG.random((60, 3)), SPARE["fold"]])), save("y.npy", LABELS)
        compute("ce", "p.npy", "y.npy").refuses(3, "column 4 holds whole numbers only, from 0 to 4")

    def test_in_both_files_it_may_be_a_key(self, compute, write):
        names = ["a", "b", "key"]
        write("p.csv", table(names, *LOGITS.T[:2], SPARE["ids"]))
        write("t.csv", table(names, *LOGITS.T[1:], SPARE["ids"][::-1]))
        cures = ("join by it with --id key", "--columns '!key'")
        compute("mse", "p.csv", "t.csv").refuses(
            3, "'key'", *cures, ": losscli compute mse p.csv t.csv -f json --id key"
        )
        assert compute("mse", "p.csv", "t.csv", "--id", "key").code == 0

    def test_a_header_without_a_name_that_is_meant(self, compute, write, save):
        z = write("z.csv", ",b,c\n5,0.5,-1\n7,2,1\n6,0,3\n")
        found = compute("ce", z, save("y.npy", [0, 1, 2]), "--header")
        assert "warning: id-as-prediction: z.csv: column 1 has no name and is taken for predictions" in found.err

    @pytest.mark.parametrize("name", ["fold", "pred", "weight", "confidence", "X", "...1", "level_0", "timestamp"])
    def test_that_no_label_names(self, compute, logits, name):
        z, y = logits(name, RNG.random(60))
        compute("ce", z, y).refuses(3, repr(name), "y.csv", "--columns")
        assert compute("ce", z, y, "--columns", f"!{name}", "-f", "value").value == EXPECTED
        assert compute("ce", z, y, "--columns", "*").code == 0
        assert compute("ce", z, y, "--classes", ",".join([*NAMES, name])).code == 0

    def test_beside_classes_with_a_prefix_that_speaks_of_all_of_them(self, compute, write):
        labels = np.array(NAMES)[LABELS]
        names = [f"score_{name}" for name in (*NAMES, "total")]
        z = write("z.csv", table([*names, "label"], *LOGITS.T, np.full(60, 9.5), labels))
        compute("ce", z, f"{z}:label").refuses(3, "'score_total'", "--columns '!score_total'", "--columns '*'")
        assert compute("ce", z, f"{z}:label", "--columns", "!score_total", "-f", "value").value == EXPECTED
        z = write("z.csv", table([*names[:-1], "score_yak", "label"], *LOGITS.T, np.full(60, 9.5), labels))
        assert compute("ce", z, f"{z}:label").code == 0  # a class without rows

    def test_with_the_name_of_the_targets(self, compute, logits, write):
        z, _ = logits("target", LABELS)
        y = write("y.csv", table(["target"], np.array(NAMES)[LABELS]))
        compute("ce", z, y).refuses(3, "'target'", "y.csv", "copy")
        assert compute("ce", z, y, "--columns", "!target", "-f", "value").value == EXPECTED

    def test_all_columns_are_those_that_nothing_else_uses(self, compute, write):
        names = np.array(NAMES)[LABELS]
        ids = [f"r{i}" for i in range(60)]
        z = write("z.csv", table(["id", *NAMES, "yak", "label"], ids, *LOGITS.T, RNG.normal(size=60), names))
        y = f"{z}:label"
        compute("ce", z, y, "--id", "id").refuses(3, "'yak'")
        found = compute("ce", z, y, "--id", "id", "--columns", "*").json["receipt"]["predictions"]["columns"]
        assert found == [*NAMES, "yak"]
        assert compute("ce", z, y, "--id", "id", "--columns", "!yak", "-f", "value").value == EXPECTED

    def test_check_says_it_as_an_error(self, run, logits):
        done = run("check", *logits("fold", SPARE["fold"]))
        assert done.code == 3
        assert "doubtful-columns" in done.out

    def test_nothing_is_left_behind(self, compute, save, folder):
        z = save("z.npy", np.column_stack([LOGITS, np.arange(60)]))
        compute("ce", z, save("y.npy", LABELS), "--gradient", "g.npy", "-o", "rows.csv").refuses(3, "column 4")
        assert sorted(path.name for path in folder.iterdir()) == ["y.npy", "z.npy"]


class TestTwoColumns:
    """Two columns of logits with one label per row: softmax of both is sigmoid of their difference."""

    Z = np.array([[0.5, 1.5], [2.0, -1.0], [0.25, 0.5]])
    T = np.array([1, 0, 0])

    @pytest.mark.parametrize(("loss", "other"), [("bce", "softmax-cross-entropy"), ("sigmoid-focal", "softmax-focal")])
    def test_are_no_two_outcomes_unless_it_is_said(self, compute, save, loss, other):
        files = save("z.npy", self.Z), save("y.npy", self.T)
        compute(loss, *files).refuses(3, "z.npy", other, "--columns 2", "--columns '*'")

    def test_each_cure_works(self, compute, save, write):
        files = save("z.npy", self.Z), save("y.npy", self.T)
        assert compute("ce", *files, "-f", "value").value == near(cross_entropy(self.Z, self.T))
        column = np.column_stack([np.zeros(3), self.Z[:, 1]])
        assert compute("bce", *files, "--columns", "2", "-f", "value").value == near(cross_entropy(column, self.T))
        outcomes = [cross_entropy(np.column_stack([np.zeros(3), self.Z[:, k]]), (k == self.T) * 1) for k in (0, 1)]
        assert compute("bce", *files, "--columns", "*", "-f", "value").value == near(sum(outcomes) / 2)

    def test_of_a_table_are_called_by_name(self, compute, write):
        z, y = write("z.csv", table(["no", "yes"], *self.Z.T)), write("y.csv", table(["y"], self.T))
        compute("bce", z, y).refuses(3, "--columns yes")

    def test_three_columns_are_classes_of_one_versus_the_rest(self, compute, save):
        assert compute("bce", save("z.npy", LOGITS), save("y.npy", LABELS)).code == 0


class TestHealthy:
    """Files that no doubt may stop."""

    @pytest.mark.parametrize("column", [np.zeros(60), np.full(60, -1e9), RNG.normal(size=60), np.full(60, -np.inf)])
    def test_classes_without_rows(self, compute, save, column):
        assert compute("ce", save("z.npy", np.column_stack([LOGITS, column])), save("y.npy", LABELS)).code == 0

    @pytest.mark.parametrize("other", [LOGITS[:, 1] - 9, np.abs(LOGITS[:, 1]), LOGITS[:, 1] / 9])
    def test_logits_within_0_and_1_beside_some_that_hardly_leave_it(self, compute, save, other):
        z = np.column_stack([np.linspace(0.1, 0.9, 60), other, LOGITS[:, 2]])
        assert compute("ce", save("z.npy", z), save("y.npy", LABELS)).code == 0

    def test_probabilities_of_0_and_1(self, compute, save):
        p = np.array([[0.5, 0.5, 0], [0, 0, 1.0], [0.25, 0.75, 0], [0, 0, 1]])
        assert compute("brier", save("p.npy", p), save("y.npy", [0, 2, 1, 2]), "--from", "probs").code == 0

    def test_a_class_that_is_certain_in_some_rows_and_impossible_in_the_others(self, compute, save):
        rest = np.linspace(0.1, 0.9, 40)
        p = np.column_stack([np.zeros(40), rest, 1 - rest])
        p[:5], p[5] = [1, 0, 0], [0, 1, 0]
        assert compute("brier", save("p.npy", p), save("y.npy", LABELS[:40]), "--from", "probs").code == 0

    def test_logits_that_are_all_whole(self, compute, save):
        z = np.round(10 * LOGITS)
        assert compute("ce", save("z.npy", z), save("y.npy", LABELS)).code == 0

    def test_two_columns_that_are_the_same(self, compute, save):
        z = np.repeat(RNG.normal(size=(9, 1)), 2, axis=1)
        assert compute("ce", save("z.npy", z), save("y.npy", np.arange(9) % 2)).code == 0

    def test_one_column_that_counts(self, compute, save):
        assert (
            compute("mse", save("p.npy", np.arange(9.0)), save("t.npy", np.arange(9) + 1.0), "-f", "value").value == 1
        )

    def test_a_score_beside_its_label(self, compute, write):
        file = write("both.csv", table(["score", "label"], LOGITS[:, 0], (LABELS > 0).astype(int)))
        assert compute("bce", file, f"{file}:label").json["receipt"]["predictions"]["shape"] == [60]

    def test_a_class_without_rows_whose_probabilities_complete_the_others(self, compute, write):
        p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
        p = np.column_stack([0.9 * p, np.full(60, 0.1)])
        files = write("p.csv", table([*NAMES, "yak"], *p.T)), write("y.csv", table(["y"], np.array(NAMES)[LABELS]))
        assert compute("ce", *files, "--from", "probs").code == 0
        p[np.arange(60), (LABELS + 1) % 3] = 0  # some probabilities are 0
        write("p.csv", table([*NAMES, "yak"], *(p / p.sum(axis=1, keepdims=True)).T))
        assert compute("ce", *files, "--from", "probs").code == 0

    @pytest.mark.parametrize("name", ["c{}", "n0144{:04}", "class {}"])
    def test_few_rows_of_many_numbered_classes(self, compute, write, name):
        names = [name.format(7 * i) for i in range(12)]
        z = RNG.normal(size=(3, 12))
        p = write("p.csv", "\n".join(",".join(map(str, row)) for row in [names, *z.tolist()]) + "\n")
        t = write("t.csv", "label\n" + "\n".join(names[i] for i in (4, 0, 11)) + "\n")
        assert compute("ce", p, t, "-f", "value").value == near(cross_entropy(z, [4, 0, 11]))

    @pytest.mark.parametrize(("classes", "code"), [(20, 3), (21, 0)])
    def test_few_rows_of_many_classes_with_names_of_their_own(self, compute, write, classes, code):
        names = [chr(97 + i) * 3 for i in range(classes)]
        z = RNG.normal(size=(10, classes))
        p = write("p.csv", "\n".join(",".join(map(str, row)) for row in [names, *z.tolist()]) + "\n")
        t = write("t.csv", "label\n" + "\n".join(names[:10]) + "\n")
        assert compute("ce", p, t).code == code

    def test_a_column_that_has_the_targets_name_is_none_of_numbered_classes(self, compute, write):
        p = write("p.csv", "c0,c1,c2\n2,0,1\n0,2,1\n")
        compute("ce", p, write("t.csv", "c2\nc0\nc1\n")).refuses(3, "c2")

    def test_a_prefix_that_all_have(self, compute, write):
        names = [f"p_{name}" for name in (*NAMES, "yak")]
        files = (
            write("z.csv", table(names, *LOGITS.T, RNG.normal(size=60))),
            write("y.csv", table(["y"], np.array(NAMES)[LABELS])),
        )
        assert compute("ce", *files).code == 0


class TestCures:
    """What Python and programs around it can try."""

    @pytest.mark.parametrize(
        ("loss", "p", "t", "cures"),
        [
            ("ce", ",a,b\n0,1,2\n1,2,3\n", "y\na\nb\n", (("--id", ""),)),
            ("mse", "0,1\n5,6\n", "0,1\n6,7\n", (("--header", None), ("--no-header", None))),
            ("ce", "0,1,2\n5,6,7\n", "y\na\n", (("--header", None), ("--no-header", None))),
            ("mse", "NA\n1\n2\n", "NA\n2\n3\n", (("--header", None), ("--no-header", None))),
            ("bce", "u,v\n2,-1\n0.5,3\n", "y\n1\n0\n", (("--columns", "v"),)),
        ],
    )
    def test_options_of_which_each_settles_it(self, write, loss, p, t, cures):
        with pytest.raises(losscli.LosscliError) as raised:
            losscli.compute(loss, write("p.csv", p), write("t.csv", t))
        assert set(raised.value.cures) == set(cures)


class TestFirstRows:
    """A header of numbers, and data that looks like a header."""

    @pytest.mark.parametrize(
        ("p", "t", "headed"),
        [
            ("1,2,3\n0.5,0.5,0.5\n", "1,2,3\n1.5,1.5,1.5\n", 1.0),
            ("7,3\n0.5,0.25\n", "7,3\n1.5,1.25\n", 1.0),
            ("2019,2020\n5,6\n7,8\n", "2019,2020\n6,7\n8,9\n", 1.0),
            ("0.1,0.5,0.9\n1,2,3\n", "0.1,0.5,0.9\n2,3,4\n", 1.0),
            ('"1","2"\n5,6\n', '"1","2"\n6,7\n', 1.0),
            ("0,1\n5,6\n", "0,1\n6,7\n", 1.0),
        ],
    )
    def test_of_numbers(self, compute, write, p, t, headed):
        files = write("p.csv", p), write("t.csv", t)
        compute("mse", *files).refuses(3, "p.csv:1", "--header", "--no-header")
        assert compute("mse", *files, "--header", "-f", "value").value == headed
        assert compute("mse", *files, "--no-header", "--sep", ",").code == 0

    @pytest.mark.parametrize("first", ["NA", "?", "-", "50%", "null", "N/A", "#N/A"])
    def test_that_miss_a_value(self, compute, write, first):
        files = write("p.csv", f"{first}\n1\n2\n"), write("t.csv", f"{first}\n2\n3\n")
        compute("mse", *files).refuses(3, "p.csv:1", first, "--header", "--no-header")
        assert compute("mse", *files, "--header", "-f", "value").value == 1
        compute("mse", *files, "--no-header").refuses(3, "p.csv:1")

    def test_names_beside_na_are_names(self, compute, write):
        files = write("p.csv", "NA,EU\n1,2\n3,5\n"), write("t.csv", "label\nNA\nEU\n")
        assert compute("ce", *files, "-f", "value").value == near(cross_entropy([[1, 2], [3, 5]], [0, 1]))

    @pytest.mark.parametrize(
        ("p", "t"),
        [
            ("1\n0.5\n0.25\n", "1\n0\n1\n"),
            ("1,0\n0.3,0.7\n", "1,1\n1,0\n"),
            ("3.5,4.5\n1.5,2\n", "3.5,4\n2,2\n"),
        ],
    )
    def test_of_data_are_data(self, compute, write, p, t):
        assert compute("mse", write("p.csv", p), write("t.csv", t)).json["samples"] == p.count("\n")


class TestReceipt:
    def test_has_every_column_with_role_and_reason(self, compute, write):
        p = write("p.csv", "id,cat,dog,note\n1,2,1,x\n2,3,5,y\n")
        t = write("t.csv", "id,label\n2,cat\n1,dog\n")
        found = compute("ce", p, t, "--id", "id", "--columns", "cat,dog").json["receipt"]["columns"]
        assert [(one["file"], one["name"], one["role"], one["reason"]) for one in found] == [
            ("p.csv", "id", "id", "option"),
            ("p.csv", "cat", "prediction", "option"),
            ("p.csv", "dog", "prediction", "option"),
            ("p.csv", "note", "unused", "not asked for"),
            ("t.csv", "id", "id", "option"),
            ("t.csv", "label", "target", "only candidate"),
        ]

    def test_of_arrays(self, compute, save):
        found = compute("l1", save("p.npy", [1.0, 2]), save("t.npy", [1.0, 3])).json["receipt"]["columns"]
        assert [(one["file"], one["role"], one["reason"]) for one in found] == [
            ("p.npy", "prediction", "only candidate"),
            ("t.npy", "target", "only candidate"),
        ]


class TestIndexOfPandas:
    """The metadata of a Parquet file says which columns are an index."""

    @pytest.mark.parametrize("name", ["__index_level_0__", "key"])
    def test_is_no_class_and_no_label(self, compute, folder, name):
        about = {"pandas": json.dumps({"index_columns": [name], "columns": []})}
        p = pl.DataFrame({"cat": [2.0, 0.0], "dog": [0.0, 2.0], name: [7, 3]})
        p.write_parquet("p.parquet", metadata=about)
        pl.DataFrame({"label": ["cat", "dog"], name: [7, 3]}).write_parquet("t.parquet", metadata=about)
        found = compute("ce", "p.parquet", "t.parquet").json
        assert found["value"] == near(cross_entropy([[2, 0], [0, 2]], [0, 1]))
        assert [one["reason"] for one in found["receipt"]["columns"] if one["name"] == name] == ["index", "index"]
        assert compute("ce", "p.parquet", "t.parquet", "--id", name, "-f", "value").value == found["value"]

    def test_a_column_of_that_name_needs_no_metadata(self, compute, save, folder):
        pl.DataFrame({"__index_level_0__": [7, 3], "a": [2.0, 0.0], "b": [0.0, 2.0]}).write_parquet("p.parquet")
        value = compute("ce", "p.parquet", save("y.npy", [0, 1]), "-f", "value").value
        assert value == near(cross_entropy([[2, 0], [0, 2]], [0, 1]))


class TestColumnsOfOtherRoles:
    """A pattern of --columns takes no column that another role has, nor an index; a name does."""

    @pytest.fixture
    def one(self, folder):
        table = {**dict(zip(NAMES, LOGITS.T, strict=True)), "fold": np.arange(60), "label": LABELS, "id": np.arange(60)}
        pl.DataFrame(table).write_parquet(folder / "one.parquet")
        return "one.parquet", "one.parquet:label"

    @pytest.mark.parametrize("columns", ["!fold", "*,!fold", "[cdol]*"])
    def test_are_left_out(self, compute, one, columns):
        found = compute("ce", *one, "--id", "id", "--columns", columns).json
        assert found["value"] == EXPECTED
        roles = {column["name"]: column["role"] for column in found["receipt"]["columns"]}
        assert (roles["label"], roles["id"], roles["fold"]) == ("target", "id", "unused")

    def test_are_taken_by_name(self, compute, one):
        found = compute("mse", *one, "--columns", "label", "-f", "value")
        assert found.value == 0

    def test_an_index_of_pandas(self, compute, folder):
        table = {**dict(zip(NAMES, LOGITS.T, strict=True)), "fold": np.arange(60), "__index_level_0__": np.arange(60)}
        pl.DataFrame(table).write_parquet(folder / "z.parquet")
        pl.DataFrame({"y": LABELS}).write_parquet(folder / "y.parquet")
        assert compute("ce", "z.parquet", "y.parquet", "--columns", "!fold", "-f", "value").value == EXPECTED


class TestUnlikeIndex:
    """Two files whose own indices, as pandas writes them, have the same values in another order."""

    @pytest.fixture
    def files(self, folder):
        def make(index, other, name="__index_level_0__"):
            z = {**dict(zip(NAMES, LOGITS.T, strict=True)), name: index}
            pl.DataFrame(z).write_parquet(folder / "z.parquet")
            pl.DataFrame({"y": np.array(NAMES)[LABELS], name: other}).write_parquet(folder / "y.parquet")
            return "z.parquet", "y.parquet"

        return make

    def test_is_refused_with_its_cures(self, compute, files):
        order = RNG.permutation(60)
        z, y = files(np.arange(60), order)
        place = int(np.argmax(order != np.arange(60)))
        compute("ce", z, y).refuses(3, z, y, "'__index_level_0__'", f"from row {place}", "--id", "--columns '*'")
        assert compute("ce", z, y, "--columns", "*", "-f", "value").value == EXPECTED
        joined = cross_entropy(LOGITS, LABELS[np.argsort(order)])
        assert compute("ce", z, y, "--id", "__index_level_0__", "-f", "value").value == near(joined)

    @pytest.mark.parametrize("other", [np.arange(60), np.arange(60) + 1000, [f"k{i}" for i in range(60)]])
    def test_that_is_equal_or_has_nothing_in_common_says_nothing(self, compute, files, other):
        assert compute("ce", *files(np.arange(60), other), "-f", "value").value == EXPECTED

    def test_in_any_piece_of_the_file(self, compute, files, monkeypatch):
        monkeypatch.setattr("losscli.io.typed.SEGMENT", 7)
        index = np.arange(60)
        index[[57, 58]] = 58, 57
        compute("ce", *files(np.arange(60), index)).refuses(3, "from row 57")

    def test_of_another_type(self, compute, files):
        compute("ce", *files(np.arange(60), [str(i) for i in range(59, -1, -1)])).refuses(3, "another order")

    def test_of_the_weights(self, compute, files, folder):
        files(np.arange(60), np.arange(60))
        weights = {"w": np.ones(60), "__index_level_0__": np.arange(60)[::-1]}
        pl.DataFrame(weights).write_parquet(folder / "w.parquet")
        compute("ce", "z.parquet", "y.parquet", "--sample-weight", "w.parquet").refuses(3, "w.parquet", "another order")


class TestTypedSpareColumns:
    """Columns of a typed file whose type tells that they are no predictions."""

    @pytest.fixture
    def files(self, folder):
        def make(name, column):
            pl.DataFrame({**dict(zip(NAMES, LOGITS.T, strict=True)), name: column}).write_parquet(folder / "z.parquet")
            pl.DataFrame({"y": LABELS}).write_parquet(folder / "y.parquet")
            return "z.parquet", "y.parquet"

        return make

    def test_of_true_and_false(self, compute, files):
        z, y = files("right", LOGITS.argmax(axis=1) == LABELS)
        compute("ce", z, y).refuses(3, "z.parquet", '"right" holds True and False', "--columns '!right'")
        assert compute("ce", z, y, "--columns", "!right", "-f", "value").value == EXPECTED
        assert compute("ce", z, y, "--columns", "*").code == 0

    def test_of_times(self, compute, files):
        z, y = files("time", pl.datetime_range(pl.date(2024, 1, 1), pl.date(2024, 2, 29), eager=True))
        compute("ce", z, y).refuses(3, "z.parquet", '"time"', "Datetime", "--columns")
        assert compute("ce", z, y, "--columns", "!time", "-f", "value").value == EXPECTED

    def test_all_of_true_and_false_are_predictions(self, compute, folder):
        hard = np.eye(3, dtype=bool)[LABELS]
        pl.DataFrame(dict(zip(NAMES, hard.T, strict=True))).write_parquet(folder / "z.parquet")
        pl.DataFrame({"y": LABELS}).write_parquet(folder / "y.parquet")
        assert compute("brier", "z.parquet", "y.parquet", "--from", "probs", "-f", "value").value == 0

    def test_a_key_of_both_files_in_another_order_may_join_them(self, compute, write):
        key, y = 3 * np.arange(60), RNG.normal(size=60)
        p = write("p.csv", table(["key", "y"], key, y))
        t = write("t.csv", table(["key", "y"], key[::-1], y[::-1] + 1))
        compute("mse", p, t).refuses(3, "'key'", "--id key", "--columns '!key'")
        assert compute("mse", p, t, "--id", "key", "-f", "value").value == near(1)


class TestKeysInAnotherOrder:
    """A column of both files that no role uses, as an index that --columns left out: rows that do not belong together."""

    ROWS = "\n0,1.5,0.25\n1,-1,0.5\n2,0.5,1\n"

    def test_is_a_warning_with_the_cure(self, compute, run, write):
        p = write("p.csv", ",cat,dog" + self.ROWS)
        t = write("t.csv", ",y\n2,dog\n0,cat\n1,dog\n")
        words = p, f"{t}:y", "--columns", "cat,dog"
        found = compute("ce", *words)
        assert found.code == 0
        assert "warning: keys-in-another-order: p.csv and t.csv: column ''" in found.err
        assert "--id ''" in found.err
        assert "keys-in-another-order" in run("check", *words).out
        losses = np.log(np.exp([1.5, -1, 0.5]) + np.exp([0.25, 0.5, 1])) - [1.5, 0.5, 1]
        joined = compute("ce", p, t, "--id", "", "-f", "value")
        assert (joined.value, joined.err) == (near(losses.mean()), "")

    @pytest.mark.parametrize(
        ("names", "rows"),
        [
            ("id", [(0, "cat"), (1, "dog"), (2, "dog")]),
            ("id", [(7, "cat"), (8, "dog"), (9, "dog")]),
            ("id", [(1, "cat"), (0, "dog"), (0, "dog")]),
            ("key", [(2, "cat"), (1, "dog"), (0, "dog")]),
        ],
    )
    def test_keys_that_are_equal_others_repeated_or_called_otherwise_say_nothing(self, compute, write, names, rows):
        p = write("p.csv", "id,cat,dog" + self.ROWS)
        t = write("t.csv", f"{names},y\n" + "".join(f"{key},{label}\n" for key, label in rows))
        assert compute("ce", p, f"{t}:y", "--columns", "cat,dog").err == ""

    def test_columns_of_lists_are_no_keys(self, compute, folder):
        for name, order in (("p.parquet", 1), ("t.parquet", -1)):
            lists = LOGITS[::order].tolist()
            pl.DataFrame({"a": LOGITS[:, 0], "y": LOGITS[:, 0] + 0.1 * LOGITS[:, 1], "lists": lists}).write_parquet(
                folder / name
            )
        found = compute("mse", "p.parquet:a", "t.parquet:y")
        assert (found.code, found.err) == (0, "")


class TestNumberedColumns:
    """Columns called 0, 1, 2, as pandas does where nobody names them, in both files."""

    def test_are_no_copy_of_targets_that_are_called_0(self, compute, write):
        z = write("z.csv", table(["", "0", "1", "2"], np.arange(60), *LOGITS.T))
        y = write("y.csv", table(["", "0"], np.arange(60), LABELS))
        assert compute("ce", z, y, "--id", "", "-f", "value").value == EXPECTED

    def test_a_header_over_the_targets_alone(self, compute, write):
        z = write("z.csv", "\n".join(",".join(map(str, row)) for row in LOGITS.tolist()) + "\n")
        y = write("y.csv", "0\n" + "".join(f"{label}\n" for label in LABELS))
        compute("ce", z, y).refuses(3, "z.csv has 60 rows and y.csv 61", "delete it, or give z.csv one too")
        write("y.csv", "".join(f"{label}\n" for label in LABELS))
        assert compute("ce", z, y, "-f", "value").value == EXPECTED


class TestDistinctLabels:
    """Labels that define the classes themselves, and of which nearly every row has another: ids?"""

    WORDS = (("targets",), ("centers", "x.npy"))

    def files(self, write, save, classes, rows):
        save("x.npy", np.arange(2.0 * rows).reshape(rows, 2))
        return write("y.csv", "y\n" + "".join(f"w{i % classes}\n" for i in range(rows)))

    @pytest.mark.parametrize("words", WORDS)
    @pytest.mark.parametrize("rows", [150, 299])
    def test_many_of_one_row_or_two_are_doubtful(self, run, write, save, words, rows):
        labels = self.files(write, save, 150, rows)
        fact = f"y.csv: 150 different labels in {rows} rows, as ids would have"
        run(*words, labels, "-o", "out.npy").refuses(3, fact, "FILE:COLUMN", "--classes FILE")
        write("names.txt", "".join(f"w{i}\n" for i in range(150)))
        assert run(*words, labels, "--classes", "names.txt", "-o", "out.npy").code == 0

    @pytest.mark.parametrize("words", WORDS)
    @pytest.mark.parametrize(("classes", "rows"), [(3, 3), (100, 100), (150, 300)])
    def test_few_labels_and_those_that_repeat_are_classes(self, run, write, save, words, classes, rows):
        assert run(*words, self.files(write, save, classes, rows), "-o", "out.npy").code == 0

    def test_numbers_of_centers(self, run, save):
        files = save("x.npy", np.zeros((150, 2))), save("y.npy", np.arange(150))
        run("centers", *files, "-o", "c.npy").refuses(3, "y.npy: 150 different labels in 150 rows")
