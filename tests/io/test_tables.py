"""Tables: headers, names, ids and labels as they stand in real CSV, TSV and Parquet files."""

import gzip
import math

import polars as pl
import pytest

LABELS = "label\ndog\ncat\n"


def cross_entropy(logits, label):
    return math.log(sum(math.exp(z) for z in logits)) - logits[label]


# Rows (1, 2) of class 1 and (3, 5) of class 0: the example of most tests here.
EXPECTED = pytest.approx((cross_entropy([1, 2], 1) + cross_entropy([3, 5], 0)) / 2, rel=1e-12)


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


class TestClassNames:
    @pytest.mark.parametrize(
        ("header", "labels"),
        [
            ("cat,dog", ("dog", "cat")),
            ("p_cat,p_dog", ("dog", "cat")),
            ("p_cat,p_dog", ("p_dog", "p_cat")),
            ("logit_class_0,logit_class_1", ("class_1", "class_0")),
            ("logit_class_0,logit_class_1", ("1", "0")),
            ("a_b_cat,a_b_dog", ("b_dog", "b_cat")),
            ("p_0,p_1", ("1", "0")),
            ("class NA,NA", ("NA", "class NA")),
            ("null,None", ("None", "null")),
            ('"a, b",c', ("c", '"a, b"')),
            ('"say ""hi""",c', ("c", '"say ""hi"""')),
            ("[bold],[/INST]", ("[/INST]", "[bold]")),
            ("7,007", ("007", "7")),
            ("1.0,1", ("1", "1.0")),
            ("Ärger,猫", ("猫", "Ärger")),
            ("cat,Cat", ("Cat", "cat")),
        ],
    )
    def test_names_match_as_they_stand_or_after_one_prefix(self, compute, write, header, labels):
        p = write("p.csv", f"{header}\n1,2\n3,5\n")
        t = write("t.csv", "label\n" + "\n".join(labels) + "\n")
        assert compute("ce", p, t, "--header", "-f", "value").value == EXPECTED

    def test_a_mean_of_names_that_a_reader_would_help_with_is_kept_in_the_output(self, compute, write):
        p, t = write("p.csv", "NA,007\n1,2\n3,5\n"), write("t.csv", "label\n007\nNA\n")
        assert [row["target"] for row in compute("ce", p, t, "-f", "jsonl").lines] == ["007", "NA"]

    def test_007_is_not_7(self, compute, write):
        p, t = write("p.csv", "c_7,c_8\n1,2\n3,5\n"), write("t.csv", "label\n8\n007\n")
        compute("ce", p, t).refuses(3, "t.csv:3", "'007'", "7, 8")

    def test_007_is_no_index(self, compute, save, write):
        p, t = save("p.npy", [[1.0] * 8]), write("t.csv", "label\n007\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "'007'")

    def test_a_label_in_text_is_a_name_never_a_position(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n"), write("t.csv", "label\n1\n0\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "'1'", "cat", "dog")

    def test_a_label_of_an_integer_array_is_a_position(self, compute, write, save):
        p = write("p.csv", "cat,dog\n1,2\n3,5\n")
        assert compute("ce", p, save("t.npy", [1, 0]), "-f", "value").value == EXPECTED

    def test_an_unknown_label_is_placed_counted_and_answered_with_the_nearest(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n0,0\n"), write("t.csv", "label\ndog\ndgo\ndgo\n")
        compute("ce", p, t).refuses(3, "t.csv:3", "'dgo'", "did you mean dog?", "2 rows")

    def test_an_empty_label_is_no_class(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,5\n0,0\n"), write("t.csv", 'label\ndog\n""\ncat\n')
        compute("ce", p, t).refuses(3, "t.csv:3", "empty")

    def test_class_order_is_the_columns_never_the_alphabet_s(self, compute, write):
        p, t = write("p.csv", "dog,cat\n2,1\n5,3\n"), write("t.csv", LABELS)
        assert compute("ce", p, t, "-f", "value").value == EXPECTED

    def test_one_hot_columns_are_matched_by_name(self, compute, write):
        p, t = write("p.csv", "p_cat,p_dog\n1,2\n3,5\n"), write("t.csv", "dog,cat\n1,0\n0,1\n")
        done = compute("ce", p, t)
        assert done.json["value"] == EXPECTED
        assert "order" in done.err

    def test_multi_label_columns_are_matched_by_name(self, compute, write):
        p, t = write("p.csv", "a,b\n0,7\n"), write("t.csv", "b,a\n7,0\n")
        assert compute("mse", p, t, "-f", "value").value == 0

    def test_columns_with_other_names_are_matched_by_position_with_a_note(self, compute, write):
        p, t = write("p.csv", "a,b\n0,7\n"), write("t.csv", "x,y\n0,7\n")
        done = compute("mse", p, t)
        assert done.json["value"] == 0
        assert "by position" in done.err

    def test_the_removed_prefix_is_in_the_receipt(self, compute, write):
        p, t = write("p.csv", "p_cat,p_dog\n1,2\n3,5\n"), write("t.csv", LABELS)
        receipt = compute("ce", p, t).json["receipt"]
        assert "p_" in receipt["targets"]["matched"]
        assert receipt["classes"] == ["cat", "dog"]


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
