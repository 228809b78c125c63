"""Tables: headers, names, ids and labels as they stand in real CSV, TSV and Parquet files."""

import gzip
import math

import polars as pl
import pytest
from by_hand import LOG2, cross_entropy, near

from losscli.io import csv as csvfile
from losscli.io import table as tables
from losscli.io.bytes import RawFile

LABELS = "label\ndog\ncat\n"


# Rows (1, 2) of class 1 and (3, 5) of class 0: the example of most tests here.
EXPECTED = pytest.approx((cross_entropy([1, 2], 1) + cross_entropy([3, 5], 0)) / 2, rel=1e-12)


@pytest.mark.quick
class TestHeader:
    @pytest.mark.parametrize("text", ["a\n1\n3\n", "1\n3\n", '"a"\n1\n3\n', "1.0\n3e0\n", " 1\n 3 \n", "1\n3"])
    def test_a_first_row_that_does_not_parse_as_numbers_is_a_header(self, compute, write, text):
        assert compute("l1", write("p.csv", text), "0").json["summary"]["max"] == 3
        assert compute("l1", "p.csv", "0").json["samples"] == 2

    @pytest.mark.parametrize("text", ["nan\n1\n", "inf\n1\n", "-1e5\n1\n", "+1\n1\n"])
    def test_whatever_reads_as_a_number_is_data(self, compute, write, text):
        done = compute("ce", write("p.csv", "a,b\n1,2\n1,2\n"), write("t.csv", text))
        done.refuses(3, "t.csv:1")

    def test_header_makes_numbers_a_header(self, compute, write):
        assert compute("l1", write("p.csv", "7\n1\n3\n"), "0", "--header").json["samples"] == 2

    def test_no_header_makes_words_data(self, compute, write):
        compute("l1", write("p.csv", "a\n1\n"), "0", "--no-header").refuses(3, "p.csv:1", "'a'", "not a number")

    def test_no_header_of_numbers(self, compute, write):
        assert compute("l1", write("p.csv", "7\n1\n"), "0", "--no-header").json["samples"] == 2


class TestFirstRowOfNumbersInOrder:
    """A first row of 0, 1, 2 is what some tools write as a header: refused until it is settled."""

    @pytest.fixture
    def words(self, write):
        return ("ce", write("p.csv", "0,1,2\n3,4,5\n6,7,8\n"), "t.csv")

    def test_is_refused(self, compute, write, words):
        write("t.csv", "1\n0\n")
        compute(*words).refuses(3, "p.csv:1", "--header", "--no-header")

    def test_header_settles_it(self, compute, save, words):
        assert compute("ce", "p.csv", save("t.npy", [1, 0]), "--header").json["samples"] == 2

    def test_no_header_settles_it(self, compute, save, words):
        assert compute("ce", "p.csv", save("t.npy", [1, 0, 2]), "--no-header").json["samples"] == 3

    def test_columns_settles_it(self, compute, save, words):
        assert compute("ce", "p.csv", save("t.npy", [1, 0, 2]), "--columns", "1,2,3").code == 0

    @pytest.mark.parametrize("text", ["1,2,3\n3,4,5\n", "0.5,1,2\n3,4,5\n", "0,2,1\n3,4,5\n"])
    def test_other_numbers_are_data(self, compute, write, save, text):
        assert compute("ce", write("p.csv", text), save("t.npy", [1, 0])).code == 0

    def test_a_first_row_of_numbers_in_order_is_doubtful_in_shards_too(self, compute, write, save):
        write("p-1.csv", "0,1,2\n3,4,5\n")
        write("p-2.csv", "0,1,2\n6,7,8\n")
        compute("ce", "p-*.csv", save("t.npy", [0, 1])).refuses(3, ".csv:1", "--header", "--no-header")

    def test_columns_called_by_numbers_make_a_first_row_of_numbers_the_header(self, compute, write, save):
        p = write("p.csv", "0,1,2\n3,4,5\n6,8,7\n")
        found = compute("ce", p, save("t.npy", [1, 0]), "--columns", "0,1").json
        assert found["samples"] == 2
        assert found["value"] == near((math.log1p(math.exp(-1)) + math.log1p(math.exp(2))) / 2)

    def test_columns_that_fit_a_header_and_data_alike_settle_nothing(self, compute, write, save):
        p = write("p.csv", "0,1,2\n3,4,5\n")
        compute("ce", p, save("t.npy", [0]), "--columns", "1,2").refuses(3, "p.csv:1", "--columns 1,2")


class TestUnnamedColumn:
    """The index that pandas writes."""

    @pytest.fixture
    def p(self, write):
        write("t.csv", LABELS)
        return write("p.csv", ",cat,dog\n0,1,2\n1,3,5\n")

    def test_is_refused(self, compute, p):
        compute("ce", p, "t.csv").refuses(3, "p.csv:1", "no name", "--columns", "--header")

    def test_columns_settles_it(self, compute, p):
        assert compute("ce", p, "t.csv", "--columns", "cat,dog", "-f", "value").value == EXPECTED

    def test_header_takes_it_as_a_prediction(self, compute, p):
        assert len(compute("ce", p, "t.csv", "--header").json["receipt"]["predictions"]["columns"]) == 3

    def test_in_the_targets_naming_the_column_settles_it(self, compute, p, write):
        write("t.csv", ",label\n0,dog\n1,cat\n")
        assert compute("ce", p, "t.csv:label", "--columns", "cat,dog", "-f", "value").value == EXPECTED


class TestColumns:
    @pytest.mark.parametrize("columns", ["p_*", "p_cat,p_dog", "p_c*,p_d*", "p_?a?,p_dog"])
    def test_picks_by_name_and_pattern(self, compute, write, columns):
        p = write("p.csv", "when,p_cat,p_dog,note\nx,1,2,y\nx,3,5,y\n")
        assert compute("ce", p, write("t.csv", LABELS), "--columns", columns, "-f", "value").value == EXPECTED

    def test_a_pattern_that_matches_nothing_lists_the_columns(self, compute, write):
        p = write("p.csv", "p_cat,p_dog\n1,2\n3,5\n")
        compute("ce", p, write("t.csv", LABELS), "--columns", "q_*").refuses(3, "q_*", "p_cat", "p_dog")

    def test_all_columns_but_id_target_and_weight_are_predictions(self, compute, write):
        p = write("p.csv", "name,cat,label,dog,w\na,1,dog,2,1\nb,3,cat,5,1\n")
        words = ("ce", p, f"{p}:label", "--id", "name", "--sample-weight", f"{p}:w")
        found = compute(*words).json
        assert found["value"] == EXPECTED
        assert found["receipt"]["predictions"]["columns"] == ["cat", "dog"]

    def test_targets_of_the_predictions_own_file_must_be_named(self, compute, write):
        p = write("p.csv", "cat,dog,label\n1,2,dog\n")
        compute("ce", p, p).refuses(3, "p.csv:COLUMN")

    def test_targets_with_an_id_column_are_told_to_name_their_own_column(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n"), write("t.csv", "id,label\na,dog\nb,cat\n")
        done = compute("ce", p, t)
        done.refuses(3, "t.csv:")
        assert "label" in done.err
        assert "--columns" not in done.err  # that picks columns of PREDICTIONS

    def test_a_missing_column_is_answered_with_the_nearest(self, compute, write):
        p = write("p.csv", "score,label\n1,2\n")
        compute("mse", "p.csv:scroe", f"{p}:label").refuses(3, "scroe", "'score'", "'label'", "did you mean score?")

    def test_two_columns_of_one_name_are_refused_where_one_is_meant(self, compute, write):
        p = write("p.csv", "score,score\n1,2\n")
        compute("mse", "p.csv:score", "0").refuses(3, "score", p)

    def test_two_classes_of_one_name_are_refused(self, compute, write):
        p = write("p.csv", "cat,cat\n1,2\n")
        compute("ce", p, write("t.csv", "label\ncat\n")).refuses(3, "'cat'")

    def test_a_column_by_its_number_where_there_is_no_header(self, compute, write):
        p = write("p.csv", "1,7\n2,9\n")
        assert compute("l1", f"{p}:1", f"{p}:2", "-f", "value").value == 6.5

    def test_column_zero_is_refused(self, compute, write):
        p = write("p.csv", "1,7\n2,9\n")
        compute("l1", f"{p}:0", f"{p}:2").refuses(3, "'0'", "from 1")

    def test_a_column_s_name_may_hold_a_colon(self, compute, write):
        p = write("p.csv", "a:b,t\n1,7\n2,9\n")
        assert compute("l1", f"{p}:a:b", f"{p}:t", "-f", "value").value == 6.5

    def test_a_path_that_exists_as_written_wins(self, compute, write):
        write("p.csv", "a,b\n1,7\n")
        write("p.csv:a", "5\n")
        assert compute("l1", "p.csv:a", "0", "-f", "value").value == 5


@pytest.mark.quick
class TestText:
    """Real files: byte-order marks, Windows line ends, missing and blank last lines, tabs, compression."""

    TABLE = "id,v\na,1\nb,3\n"

    @pytest.mark.parametrize(
        "content",
        [
            TABLE,
            TABLE.rstrip("\n"),
            TABLE + "\n",
            TABLE + "\n\n\n",
            TABLE.replace("\n", "\r\n"),
            TABLE.replace("\n", "\r\n") + "\r\n",
            TABLE.replace("\n", "\r\n").rstrip("\r\n"),
            "\ufeff" + TABLE,
            "\ufeff" + TABLE.replace("\n", "\r\n"),
            'id,"v"\n"a",1\n"b","3"\n',
            '"id",v\n"a\nb",1\nc,3\n',
        ],
    )
    def test_reads_the_same(self, compute, write, content):
        rows = compute("l1", write("p.csv", content), "0", "--id", "id", "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [1, 3]

    def test_a_byte_order_mark_before_numbers_is_no_header(self, compute, write):
        assert compute("l1", write("p.csv", "\ufeff1\n3\n"), "0").json["samples"] == 2

    @pytest.mark.parametrize("name", ["p.tsv", "p.tab", "p.TSV"])
    def test_tabs(self, compute, write, name):
        p = write(name, "id\tcat, big\tdog\nx\t1\t2\ny\t3\t5\n")
        t = write("t.tsv", "id\tlabel\ny\tcat, big\nx\tdog\n")
        assert compute("ce", p, t, "--id", "id", "-f", "value").value == EXPECTED

    @pytest.mark.parametrize("name", ["p.csv.gz", "p.tsv.gz"])
    def test_compressed(self, compute, write, name):
        text = self.TABLE.replace(",", "\t") if "tsv" in name else self.TABLE
        rows = compute("l1", write(name, gzip.compress(text.encode())), "0", "--id", "id", "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [1, 3]

    def test_an_error_in_a_compressed_file_has_its_line(self, compute, write):
        p = write("p.csv.gz", gzip.compress(b"v\n1\nx\n"))
        compute("l1", p, "0").refuses(3, "p.csv.gz:3", '"v"', "'x'")

    def test_parquet(self, compute, folder):
        pl.DataFrame({"id": ["x", "y"], "cat": [1.0, 3.0], "dog": [2.0, 5.0]}).write_parquet(folder / "p.parquet")
        pl.DataFrame({"id": ["y", "x"], "label": ["cat", "dog"]}).write_parquet(folder / "t.parquet")
        assert compute("ce", "p.parquet", "t.parquet", "--id", "id", "-f", "value").value == EXPECTED

    def test_a_column_of_a_parquet_file(self, compute, folder):
        pl.DataFrame({"p": [1, 2], "t": [7, 9]}).write_parquet(folder / "all.parquet")
        assert compute("l1", "all.parquet:p", "all.parquet:t", "-f", "value").value == 6.5

    def test_integer_labels_of_a_parquet_file_are_positions(self, compute, folder):
        pl.DataFrame({"cat": [1.0, 3.0], "dog": [2.0, 5.0]}).write_parquet(folder / "p.parquet")
        pl.DataFrame({"label": [1, 0]}).write_parquet(folder / "t.parquet")
        assert compute("ce", "p.parquet", "t.parquet", "-f", "value").value == EXPECTED

    def test_a_blank_line_inside_a_single_column_is_an_empty_cell(self, compute, write):
        compute("l1", write("p.csv", "v\n1\n\n3\n"), "0").refuses(3, "p.csv:3", "empty")

    def test_a_file_without_rows_has_no_mean(self, compute, write):
        compute("l1", write("p.csv", "v\n"), write("t.csv", "v\n")).refuses(3, "no samples")

    def test_lines_of_an_old_macintosh_are_recognised(self, compute, write):
        compute("l1", write("p.csv", "a\r1\r2\r"), "0").refuses(3, "p.csv", "carriage return")

    @pytest.mark.parametrize("cell", ["-inf", "-Infinity", "-INF"])
    def test_a_masked_logit_is_legal_in_a_table(self, compute, write, cell):
        p = write("p.csv", f"cat,dog,cow\n0,{cell},0\n")
        assert compute("ce", p, write("t.csv", "label\ncat\n")).json["value"] == near(LOG2)


def test_a_lone_0_above_fractions_may_be_a_header(write, run):
    write("p.csv", "0\n0.3\n0.7\n")
    assert run("compute", "mse", "p.csv", "0").code == 3
    assert run("compute", "mse", "p.csv", "0", "--header", "-f", "value").out == f"{(0.09 + 0.49) / 2}\n"
    write("labels.csv", "0\n1\n2\n")  # labels of whole numbers start with 0 often
    assert run("compute", "mse", "labels.csv", "0", "-f", "value").code == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a;b\n1,5;2,5\n2,5;3,5\n", "--decimal ,"),
        ('"cat","dog"\nx,1.5,2\ny,1,3\n', "one name too few"),
        ("sep=,\ncat,dog\n1,2\n", "sep="),
        ("a\n１\n", "is not a number"),
        ('a,b\n"1,000",2\n', "thousands"),
    ],
)
def test_tables_of_other_programs_are_refused_with_what_they_are(write, run, text, part):
    write("p.csv", text)
    done = run("compute", "mse", "p.csv", "0")
    done.refuses(3, "p.csv", part)


def test_tables_of_rows_know_their_longest_chunk(folder, write):
    made = csvfile.TextTable("x", RawFile("x", folder / write("x.csv", "a\n" + "1\n" * 50)), ",", None)
    assert tables.TableSource(made, (0,), "", True).grain == 50
