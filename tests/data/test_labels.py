"""Labels that no prediction has, or that are none."""

import numpy as np
import polars as pl
import pytest


class TestLabels:
    @pytest.mark.parametrize(
        ("labels", "parts"),
        [
            ([0, 3, 1, 3], ("t.npy[1]", "3", "0 ... 2", "2 rows")),
            ([0, -1, 1, 1], ("t.npy[1]", "-1", "--ignore-index -1")),
            ([0, 255, 1, 1], ("t.npy[1]", "255", "--ignore-index 255")),
            ([0, -(2**31), 1, 1], ("t.npy[1]", "label -2147483648 ", "--ignore-index -2147483648")),
            ([0, -(2**63), 1, 1], ("t.npy[1]", "label -9223372036854775808 ")),
            ([0, 1234567.0, 1, 1], ("t.npy[1]", "label 1234567 ")),
            ([1, 2, 3, 1], ("t.npy[2]", "3", "--label-base 1")),
            ([0, 0.5, 1, 2], ("t.npy[1]", "0.5")),
            ([0, np.nan, 1, 2], ("t.npy[1]", "nan")),
            ([0, np.inf, 1, 2], ("t.npy[1]", "inf")),
        ],
    )
    def test_class_indices(self, compute, save, labels, parts):
        compute("ce", save("p.npy", np.zeros((4, 3))), save("t.npy", labels)).refuses(3, *parts)

    def test_a_label_on_the_last_row_of_a_long_file_is_found_before_any_output(self, compute, save, folder):
        labels = np.zeros(300_000, np.int64)
        labels[-1] = 2
        words = ("ce", save("p.npy", np.zeros((300_000, 2))), save("t.npy", labels), "-o", "out.csv")
        compute(*words).refuses(3, "t.npy[299999]")
        assert not (folder / "out.csv").exists()

    @pytest.mark.parametrize(
        ("loss", "labels", "parts"),
        [
            ("hinge", [0, 1, 2], ("t.npy[2]", "2", "{0, 1}", "{-1, 1}")),
            ("hinge", [0.5, 1, 0], ("t.npy[0]", "0.5")),
            ("hinge", [-1, 0, 1], ("-1", "0")),
            ("ramp", [-1, 0, 1], ("-1", "0")),
            ("squared-hinge", [1, 1, np.nan], ("t.npy[2]",)),
            ("bce", [0, 1, 2], ("t.npy[2]", "2")),
            ("bce", [-1, 0, 1], ("-1", "0")),
            ("bce", [-1, 0.5, 1], ("-1",)),
            ("focal", [0, -0.1, 1], ("t.npy[1]", "-0.1")),
            ("bce", [0, np.nan, 1], ("t.npy[1]",)),
        ],
    )
    def test_binary_labels(self, compute, save, loss, labels, parts):
        compute(loss, save("p.npy", [1.0, 2.0, -3.0]), save("t.npy", labels)).refuses(3, *parts)

    @pytest.mark.parametrize(
        ("rows", "parts"),
        [
            ([[1, 0, 0], [0.5, 0.2, 0.2]], ("t.npy[1]", "0.9")),
            ([[1, 0, 0], [1.5, -0.5, 0]], ("t.npy[1",)),
            ([[1, 0, 0], [0, 0, 0]], ("t.npy[1]", "0")),
            ([[1, 0, 0], [1, 1, 0]], ("t.npy[1]", "2")),
            ([[1, 0, 0], [np.nan, 1, 0]], ("t.npy[1",)),
            ([[1, 0, 0], [0.5, 0.5, 0.0015]], ("t.npy[1]", "1.0015")),
        ],
    )
    def test_rows_that_are_no_distribution(self, compute, save, rows, parts):
        compute("ce", save("p.npy", np.zeros((2, 3))), save("t.npy", rows)).refuses(3, *parts)

    def test_rows_that_miss_one_by_a_little_are_taken(self, compute, save):
        t = save("t.npy", [[0.3333, 0.3333, 0.3333]])
        assert compute("ce", save("p.npy", np.zeros((1, 3))), t).code == 0

    def test_words_need_names_to_be_found_among(self, compute, save, write):
        p, t = save("p.npy", np.zeros((2, 3))), write("t.csv", "label\ncat\ndog\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "'cat'", "header")

    def test_words_are_no_numbers_for_a_residual_loss(self, compute, save, write):
        p, t = save("p.npy", [1.0, 2.0]), write("t.csv", "label\ncat\ndog\n")
        compute("mse", p, t).refuses(3, "t.csv:2", "'cat'")

    @pytest.mark.parametrize("write_number", ["{:.18e}".format, "{:.0e}".format, "{:E}".format])
    def test_indices_in_scientific_notation(self, compute, save, write, write_number):
        p = save("p.npy", np.arange(24.0).reshape(2, 12) % 5)
        t = write("t.txt", "".join(write_number(label) + "\n" for label in (10, 1)))
        assert compute("ce", p, t).json["value"] == compute("ce", p, save("t.npy", [10, 1])).json["value"]

    @pytest.mark.parametrize("cell", ["1e0", "1.5e+00", "1.0e+99", "007", "1.5"])
    def test_other_numbers_are_no_indices(self, compute, save, write, cell):
        compute("ce", save("p.npy", np.zeros((1, 3))), write("t.csv", f"label\n{cell}\n")).refuses(3, "t.csv:2", cell)


class TestNamesThatAreTruths:
    """Two columns called False and True: labels of any type are these names, wherever the columns stand."""

    P = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    """Of False and True."""
    LABELS = np.array([False, True, True])
    EXPECTED = -np.mean(np.log([0.9, 0.8, 0.4]))

    @pytest.mark.parametrize("names", [["False", "True"], ["True", "False"], ["p_true", "p_false"]])
    @pytest.mark.parametrize("kind", ["bool", "int8", "float32", "parquet", "text"])
    def test_in_either_order(self, compute, folder, write, save, names, kind):
        p = self.P if "alse" in names[0] else self.P[:, ::-1]
        z = write("p.csv", "\n".join([",".join(names), *(",".join(map(str, row)) for row in p.tolist()), ""]))
        if kind == "parquet":
            import polars as pl

            pl.DataFrame({"y": self.LABELS}).write_parquet(folder / "y.parquet")
            y = "y.parquet"
        elif kind == "text":
            y = write("y.csv", "y\n" + "".join(f"{label}\n" for label in self.LABELS))
        else:
            y = save("y.npy", self.LABELS, kind)
        found = compute("ce", z, y, "--from", "probs", "-f", "value").value
        assert found == pytest.approx(self.EXPECTED, rel=1e-12)


class TestPositionsAmongNumbers:
    """Labels that are positions, and columns that are called by numbers in another order than theirs."""

    Z = np.array([[0.1, 2, -1], [3, 0.5, 0.25], [0.5, 1, 1.5]])
    """Of 1, 2 and 3."""

    @pytest.fixture
    def z(self, write):
        rows = [",".join(map(str, row)) for row in self.Z[:, [2, 0, 1]].tolist()]
        return write("z.csv", "\n".join(["c_3,c_1,c_2", *rows, ""]))

    @pytest.mark.parametrize("how", [[], ["--label-base", "1"]])
    def test_are_refused_with_a_cure(self, compute, z, save, how):
        y = save("y.npy", np.array([1, 0, 2]) + len(how) // 2)
        ordered = ["--columns", "c_1,c_2,c_3"]
        compute("ce", z, y, *how).refuses(3, "y.npy", "c_3, c_1, c_2", "--columns c_1,c_2,c_3")
        losses = np.log(np.exp(self.Z).sum(axis=1)) - self.Z[[0, 1, 2], [1, 0, 2]]
        expected = pytest.approx(losses.mean(), rel=1e-12)
        assert compute("ce", z, y, *how, *ordered, "-f", "value").value == expected
        assert compute("ce", z, save("y.npy", [2, 1, 3]), "-f", "value").value == expected


@pytest.mark.parametrize("words", [("False", "True"), ("0", "1"), ("no", "yes"), ("FALSE", "TRUE")])
def test_rows_of_one_hot_words(compute, write, words):
    z = write("z.csv", "cat,dog\n1.5,0.25\n-1,0.5\n")
    y = write("y.csv", "is_dog,is_cat\n{0},{1}\n{1},{0}\n".format(*words))
    losses = np.log(np.exp([1.5, -1]) + np.exp([0.25, 0.5])) - [1.5, 0.5]
    assert compute("ce", z, y, "-f", "value").value == pytest.approx(losses.mean(), rel=1e-12)


class TestColumnsBesideClasses:
    """Labels that some columns are called by, with a beginning or an end, while others are no classes."""

    @pytest.mark.parametrize("name", ["prob_{}", "{}_prob", "RawFormulaVal:Class={}"])
    @pytest.mark.parametrize("other", ["confidence", "SampleId"])
    def test_the_message_says_how_to_pick_them(self, compute, write, name, other):
        names = [other, *(name.format(label) for label in ("cat", "dog"))]
        z = write("z.csv", ",".join(names) + "\n0.25,1.5,0.25\n0.5,-1,0.5\n")
        y = write("y.csv", "y\ncat\ndog\n")
        pattern = name.format("*")
        compute("ce", z, y).refuses(3, "y.csv:2", "'cat' is not a class", f"--columns '{pattern}'")
        losses = np.log(np.exp([1.5, -1]) + np.exp([0.25, 0.5])) - [1.5, 0.5]
        assert compute("ce", z, y, "--columns", pattern, "-f", "value").value == pytest.approx(losses.mean(), rel=1e-12)


def test_accents_may_be_stored_in_two_ways(compute, write):
    z = write("z.csv", "Katze,\u00c4al\n1.5,0.25\n-1,0.5\n")
    found = compute("ce", z, write("y.csv", "y\nKatze\nA\u0308al\n"), "-f", "value")
    losses = np.log(np.exp([1.5, -1]) + np.exp([0.25, 0.5])) - [1.5, 0.5]
    assert found.value == pytest.approx(losses.mean(), rel=1e-12)
    assert "accents" in found.err


def test_a_header_of_numbers_over_predictions(compute, write, save):
    z, y = write("z.csv", "1.5,0.5\n2,3\n4,1\n0,1\n"), save("y.npy", [0, 1, 1])
    compute("ce", z, y).refuses(3, "z.csv has 4 rows and y.npy 3", "first row of z.csv is a header, say --header")
    assert compute("ce", z, y, "--header").code == 0


class TestCuresOfColumnsCalledLikeClasses:
    """A cure that is followed leads to a number, and not back to itself."""

    PROBABILITIES = "p0,p1,p2\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.3,0.3,0.4\n"
    ALL = "id,label,p0,p1,p2\na,0,1,0,0\nb,1,0,1,0\nc,2,0,0,1\n"

    def test_labels_that_columns_have_with_a_beginning(self, compute, write):
        p, t = write("p.csv", self.PROBABILITIES), write("t.csv", "label\n0\n1\n2\n")
        for words in ((), ("--columns", "p*")):
            refused = compute("ce", p, t, *words, "--from", "probs")
            refused.refuses(3, "'0' is not a class", "if 'p0' is '0', name the classes with --classes 0,1,2")
            assert "--columns" not in refused.err
        found = compute("ce", p, t, "--classes", "0,1,2", "--from", "probs", "-f", "value").value
        assert (
            found
            == compute(
                "ce", p, write("h.csv", "p0,p1,p2\n1,0,0\n0,1,0\n0,0,1\n"), "--from", "probs", "-f", "value"
            ).value
        )

    def test_a_table_with_more_columns_than_classes(self, compute, write):
        p = write("p.csv", self.PROBABILITIES)
        refused = compute("ce", p, write("t.csv", self.ALL), "--from", "probs")
        refused.refuses(3, "besides the classes it has 'id', 'label'", "t.csv:label")
        assert "--id p0" not in refused.err

    def test_a_table_with_fewer(self, compute, write):
        p = write("p.csv", "p0,p1,p2,p3\n0.7,0.2,0.1,0\n0.1,0.8,0.1,0\n")
        refused = compute("ce", p, write("t.csv", "p0,p1,p2\n1,0,0\n0,1,0\n"), "--from", "probs")
        refused.refuses(3, "it lacks 'p3'")
        assert "--id" not in refused.err

    def test_the_pattern_is_said_once(self, compute, write):
        table = write("a.csv", "id,q0,q1,p0\n1,0.7,0.3,1\n2,0.1,0.9,0\n")
        assert "--columns --columns" not in compute("ce", table, f"{table}:p0").err


class TestManyLabels:
    """Ids that are taken for labels are refused before all of them are in memory."""

    @pytest.mark.parametrize("words", [("compute", "ce", "p.npy"), ("check", "p.npy"), ("targets",)])
    def test_more_than_there_can_be_classes(self, run, write, save, monkeypatch, words):
        monkeypatch.setattr("losscli.io.text.MOST_LABELS", 2)
        save("p.npy", np.eye(3))
        done = run(*words, write("y.csv", "y\na\nb\nc\n"), *(["-o", "x.npy"] if words[0] == "targets" else []))
        assert done.code == 3
        assert 'y.csv:2, column "y": more than 2 different labels in 3 rows' in done.out + done.err

    def test_text_of_an_array(self, run, save, monkeypatch):
        monkeypatch.setattr("losscli.io.text.MOST_LABELS", 2)
        run("targets", save("y.npy", ["a", "b", "c"]), "-o", "x.npy").refuses(3, "y.npy: more than 2 different labels")
        assert run("targets", save("y.npy", ["a", "b", "a"]), "-o", "x.npy").code == 0


class TestLargeIntegers:
    """Labels of rows that belong together, beyond the whole numbers that float64 tells from their neighbours."""

    @pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl", "csv", "npy"])
    def test_neighbours_are_two_classes(self, compute, save, folder, suffix):
        save("x.npy", [[1.0, 2.0], [2.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
        save("small.npy", [1, 0, 1, 0])
        labels = pl.DataFrame({"label": [2**53 + 1, 2**53, 2**53 + 1, 2**53]})
        if suffix == "npy":
            np.save("large.npy", labels["label"].to_numpy())
        else:
            writers = {"parquet": "write_parquet", "arrow": "write_ipc", "jsonl": "write_ndjson", "csv": "write_csv"}
            getattr(labels, writers[suffix])(f"large.{suffix}")
        small = compute("supcon", "x.npy", "small.npy", "-f", "value").value
        assert compute("supcon", "x.npy", f"large.{suffix}", "-f", "value").value == small
