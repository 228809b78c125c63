"""Files as real tools write them: read right, or refused in one line whose cure works when it is followed.

All files hold the same few numbers, thus the expected loss is one number for each loss, from its definition.
"""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from real_data import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, LABELS, MEASURED, PROBABILITIES, SQUARED_ERROR

HERE = Path(__file__).parent / "real_files"
EXPECTED = {"ce": CROSS_ENTROPY, "bce": BINARY_CROSS_ENTROPY, "mse": SQUARED_ERROR}

READ = """
ce pandas/logits.csv pandas/labels.csv
ce pandas/both.csv pandas/both.csv:label
ce pandas/both.csv.gz pandas/both.csv.gz:label
ce pandas/both_quoted.csv pandas/both_quoted.csv:label
ce pandas/both_nonnumeric.csv pandas/both_nonnumeric.csv:label
ce pandas/both_bom.csv pandas/both_bom.csv:label
ce pandas/both_other_order.csv pandas/both_other_order.csv:label
ce pandas/both.parquet pandas/both.parquet:label
ce pandas/both_categorical.parquet pandas/both_categorical.parquet:label
ce pandas/logits_unnamed_index.parquet pandas/labels.csv
ce pandas/logits_number_index.parquet pandas/labels.csv
ce pandas/logits_number_index.parquet pandas/labels.csv --columns '*'
ce pandas/logits_id.parquet pandas/labels.csv
ce pandas/logits.csv pandas/indices_nullable.parquet
ce pandas/both.feather pandas/both.feather:label
ce pandas/both.jsonl pandas/both.jsonl:label
ce pandas/logits.npy numpy/labels.npy
ce pandas/logits.npy pandas/labels.npy --classes cat,dog,eel
ce pandas/logits.npy pandas/indices.csv
ce pandas/logits.npy pandas/indices_float.csv
bce pandas/scores.csv:score pandas/scores.csv:outcome
bce pandas/scores.csv pandas/scores.csv:outcome
bce pandas/scores.parquet pandas/scores.parquet:outcome
bce pandas/scores_nullable.parquet pandas/scores_nullable.parquet:outcome
bce pandas/scores.feather pandas/scores.feather:outcome
bce pandas/scores.jsonl pandas/scores.jsonl:outcome
bce pandas/scores.npy pandas/outcomes.npy
mse pandas/predicted.csv pandas/measured.csv
mse pandas/predicted.parquet pandas/measured.parquet
mse pandas/predicted.feather pandas/measured.feather
mse pandas/predicted.jsonl pandas/measured.jsonl
mse pandas/predicted.npy pandas/measured.npy
mse pandas/predicted.csv pandas/measured.npy
ce polars/both.csv polars/both.csv:label
ce polars/both.tsv polars/both.tsv:label
ce polars/both_enum.parquet polars/both_enum.parquet:label
ce polars/both_categorical.arrow polars/both_categorical.arrow:label
ce polars/both.arrow polars/both.arrow:label
ce polars/both.arrows polars/both.arrows:label
ce polars/both.ndjson polars/both.ndjson:label
ce polars/lists.parquet polars/lists.parquet:label
ce polars/lists.parquet:logits numpy/labels.npy
ce polars/arrays.parquet polars/arrays.parquet:label
ce polars/lists.ndjson polars/lists.ndjson:label
ce polars/lists.arrow polars/lists.arrow:label
bce polars/scores.csv:score polars/scores.csv:outcome
ce pyarrow/both.csv pyarrow/both.csv:label
ce pyarrow/both.parquet pyarrow/both.parquet:label
ce pyarrow/both.feather pyarrow/both.feather:label
ce pyarrow/fixed.parquet pyarrow/fixed.parquet:label
ce pyarrow/dictionary.parquet pyarrow/dictionary.parquet:label
ce pyarrow/float16.parquet pyarrow/float16.parquet:label
ce duckdb/both.csv duckdb/both.csv:label
ce duckdb/both_decimal.parquet duckdb/both_decimal.parquet:label
ce duckdb/both.json duckdb/both.json:label
ce duckdb/by_label duckdb/by_label:label
bce duckdb/scores.csv:score duckdb/scores.csv:outcome
ce sklearn/proba.txt sklearn/indices.txt --from probs
ce sklearn/proba.csv sklearn/indices.txt --from probs
ce sklearn/proba.npy sklearn/indices.txt --from probs
ce sklearn/proba.txt sklearn/labels.txt --from probs --no-header --classes cat,dog,eel
ce sklearn/proba_header.csv numpy/labels.npy --from probs
ce sklearn/proba_plain_header.csv pandas/labels.csv --from probs
ce datasets/saved datasets/saved:label
ce datasets/saved:logits datasets/saved:label
ce datasets/data.parquet datasets/data.parquet:label
ce datasets/data.json datasets/data.json:label
ce datasets/data.csv datasets/data.csv:label
ce lightgbm/logits_LightGBM_predict_result.txt numpy/labels.npy
ce lightgbm/logits_LightGBM_predict_result.txt pandas/indices.csv
ce lightgbm/logits_savetxt.txt numpy/labels.npy
bce lightgbm/scores_LightGBM_predict_result.txt pandas/outcomes.npy
bce lightgbm/scores_savetxt.txt pandas/scores.csv:outcome
ce xgboost/proba.txt numpy/labels.npy --from probs
ce xgboost/proba.npy numpy/labels.npy --from probs
bce xgboost/scores_proba.txt pandas/outcomes.npy --from probs
bce xgboost/scores_proba.npy pandas/outcomes.npy --from probs
ce catboost/raw.tsv catboost/raw.tsv:Label --id SampleId
ce catboost/raw.tsv catboost/raw.tsv:Label --columns 'RawFormulaVal*'
ce catboost/probability.tsv catboost/probability.tsv:Label --from probs --columns 'Prob*'
ce catboost/probability_only.tsv pandas/labels.csv --from probs --columns 'Prob*'
bce catboost/scores.tsv:RawFormulaVal catboost/scores.tsv:Label
ce numpy/all.npz:logits numpy/all.npz:labels
ce numpy/one.npz numpy/labels.npy
ce numpy/logits_header.txt pandas/labels.csv
ce numpy/logits.csv numpy/labels.npy
ce numpy/logits.csv numpy/labels_column.npy
ce numpy/logits.csv numpy/labels_uint8.npy
ce numpy/logits.csv numpy/one_hot.npy
ce numpy/logits.csv numpy/one_hot_bool.npy
ce numpy/logits_fortran.npy numpy/labels.npy
ce numpy/logits_big_endian.npy numpy/labels.npy
ce numpy/logits_float16.npy numpy/labels.npy
ce safetensors/all.safetensors:logits safetensors/all.safetensors:labels
ce torch/all.pt:logits torch/all.pt:labels
ce torch/logits_bfloat16.pt numpy/labels.npy
ce r/write_csv_no_row_names.csv r/write_csv_no_row_names.csv:label
ce r/write_csv2_no_row_names.csv r/write_csv2_no_row_names.csv:label --decimal ,
ce r/write_table.txt r/write_table.txt:label
ce r/write_table_logits.txt r/write_table_labels.txt
ce r/write_table_logits.txt r/write_csv_labels.csv --id ''
ce r/readr.csv r/readr.csv:label
ce numpy/logits.csv r/factor_codes.csv --label-base 1
bce r/scores.csv:score r/scores.csv:outcome
ce spark/both_csv spark/both_csv:label
ce 'spark/both_csv/part-*.csv' 'spark/both_csv/part-*.csv:label'
ce spark/both_json spark/both_json:label
ce spark/empty_part_csv spark/empty_part_csv:label
ce excel/utf8.csv excel/utf8.csv:label
ce excel/trailing_rows.csv excel/trailing_rows.csv:label --decimal ,
ce excel/trailing_rows_commas.csv excel/trailing_rows_commas.csv:label
ce excel/text_tabs.txt excel/text_tabs.txt:label
ce excel/no_last_line_end.csv excel/no_last_line_end.csv:label
bce excel/scores.csv:score excel/scores.csv:outcome
"""
"""Command lines, without `compute`, that give the expected number."""

INDEX = ("column 1 has no name", "--columns", "--id ''")
REFUSED = [
    ("ce pandas/logits_index.csv pandas/labels_index.csv", INDEX, ["--id ''"]),
    ("ce pandas/logits_index.csv pandas/labels.csv", INDEX, ["--columns cat,dog,eel"]),
    ("ce pandas/both_index.csv pandas/both_index.csv:label", INDEX, ["--id ''", "--columns cat,dog,eel"]),
    ("mse pandas/predicted_index.csv pandas/measured_index.csv", INDEX, ["--id ''", "--columns mass,height"]),
    ("bce pandas/scores_index.csv pandas/scores_index.csv:outcome", INDEX, ["--id ''", "--columns score"]),
    ("ce pandas/logits_id.csv pandas/labels_id.csv", ("'id' is in both files", "--id id"), ["--id id"]),
    (
        "ce pandas/logits_id.parquet pandas/labels_id.parquet",
        ("their index 'id' has the same values in another order", "from row 0", "--id id", "--columns '*'"),
        ["--id id"],
    ),
    (
        "ce pandas/both_semicolon.csv pandas/both_semicolon.csv:label",
        ("both_semicolon.csv:2", "'0,5' is not a number", "--decimal ,"),
        ["--decimal ,"],
    ),
    (
        "ce pandas/both_no_header.csv pandas/both_no_header.csv:4",
        ("both_no_header.csv:1", "--header or --no-header"),
        ["--no-header --classes cat,dog,eel"],
    ),
    ("ce pandas/logits_numbered.csv numpy/labels.npy", ("the first row is 0,1,2", "--header"), ["--header"]),
    (
        "ce pandas/logits.csv pandas/indices.csv",
        ("'1' is not a class", "--classes 0,1,2", "NPY integers"),
        ["--classes 0,1,2"],
    ),
    ("ce numpy/logits_header.txt r/factor_codes.csv", ("'2' is not a class", "--classes 1,2,3"), ["--classes 1,2,3"]),
    ("ce pandas/both.csv pandas/labels.csv", ("'label'", "name of the targets'", "!label"), ["--columns '!label'"]),
    ("ce pandas/logits.csv pandas/labels_missing.csv", ("labels_missing.csv:6", "'NA' is not a class"), []),
    ("ce pandas/logits.csv pandas/indices_missing.parquet", ("indices_missing.parquet[4]", "empty"), []),
    ("mse pandas/predicted.csv pandas/measured_gap.csv", ("measured_gap.csv:4", '"height"', "the cell is empty"), []),
    ("mse pandas/predicted.csv pandas/measured_na_rep.csv", ("measured_na_rep.csv:4", "a missing value? Fill it"), []),
    ("mse pandas/predicted.csv pandas/measured_gap.parquet", ("measured_gap.parquet[2]", "the cell is empty"), []),
    ("ce pandas/logits_two_headers.csv numpy/labels.npy", ("3 columns are called 'logit'",), ["--skip-rows 1"]),
    ("ce pandas/both.pkl numpy/labels.npy", ("is a pickle", "numpy.save"), []),
    ("ce pandas/both_values.npy numpy/labels.npy", ("pickled Python objects", "numpy.save"), []),
    (
        "ce polars/both_row_index.csv polars/both_row_index.csv:label",
        ("'index'", "--columns '!index'"),
        ["--columns '!index'", "--id index"],
    ),
    ("ce pandas/logits.csv polars/labels_missing.csv", ("labels_missing.csv:6", "a missing value"), []),
    ("ce polars/lists.parquet:logits pandas/labels.csv", ("--classes NAME",), ["--classes cat,dog,eel"]),
    ("ce pyarrow/both.orc numpy/labels.npy", ("an ORC file", "pandas.read_orc("), []),
    ("ce duckdb/lists.csv duckdb/lists.csv:label", ("'dog' is not a class",), ["--classes cat,dog,eel"]),
    ("ce duckdb/lists.parquet duckdb/lists.parquet:label", ("--classes NAME",), ["--classes cat,dog,eel"]),
    (
        "ce sklearn/proba.npy sklearn/labels.txt --from probs --classes cat,dog,eel",
        ("5 rows", "first row (dog) was taken for a header", "--no-header"),
        ["--no-header"],
    ),
    ("ce sklearn/proba_plain_header.csv sklearn/labels.txt --from probs", ("first row (dog) was taken", "header"), []),
    ("ce sklearn/proba.joblib numpy/labels.npy --from probs", ("is a pickle", "numpy.save"), []),
    ("ce sklearn/proba.pkl numpy/labels.npy --from probs", ("is a pickle", "numpy.save"), []),
    ("ce datasets/saved_splits numpy/labels.npy", ("(test)", "datasets/saved_splits/test"), []),
    ("ce xgboost/proba_flat.txt numpy/labels.npy --from probs", ("(15,)", "flattened", "(5, 3)"), []),
    (
        "ce catboost/raw.tsv catboost/raw.tsv:Label",
        ("--id SampleId", "RawFormulaVal:Class=*"),
        ["--id SampleId", "--columns 'RawFormulaVal:Class=*'"],
    ),
    (
        "ce catboost/probability_only.tsv pandas/labels.csv --from probs",
        ("'SampleId'", "--columns 'Probability:Class=*'"),
        ["--columns 'Probability:Class=*'"],
    ),
    (
        "ce catboost/probability.tsv catboost/probability.tsv:Label --from probs",
        ('"Class"', "--columns"),
        ["--columns 'Prob*'"],
    ),
    (
        "bce catboost/scores.tsv catboost/scores.tsv:Label",
        ("--id SampleId", "catboost/scores.tsv:RawFormulaVal catboost/scores.tsv:Label"),
        ["--id SampleId"],
    ),
    ("bce catboost/scores_raw_only.tsv pandas/outcomes.npy", ("'SampleId'", "!SampleId"), ["--columns '!SampleId'"]),
    ("ce numpy/all.npz numpy/labels.npy", ("2 arrays (logits, labels)", "all.npz:KEY"), []),
    ("ce safetensors/all.safetensors numpy/labels.npy", ("2 tensors", "all.safetensors:KEY"), []),
    ("ce numpy/logits_batch_axis.npy numpy/labels.npy", ("(1, 5, 3)", "--class-axis"), []),
    ("ce numpy/logits_transposed.npy numpy/labels.npy", ("3 rows", "transposed"), []),
    ("ce numpy/logits_object.npy numpy/labels.npy", ("pickled Python objects",), []),
    ("ce numpy/logits_record.npy numpy/labels.npy", ("structured",), []),
    ("ce numpy/logits.bin numpy/labels.npy", ("neither text nor a format",), []),
    ("ce r/write_csv.csv r/write_csv.csv:label", INDEX, ["--id ''", "--columns cat,dog,eel"]),
    ("ce r/write_csv2.csv r/write_csv2.csv:label --decimal ,", INDEX, ["--id ''"]),
    ("ce r/write_table_tabs.tsv r/write_table_tabs.tsv:label", INDEX, ["--id ''"]),
    ("ce r/write_table_unquoted.txt r/write_table_unquoted.txt:label", ("--sep blanks",), ["--sep blanks"]),
    ("bce r/scores_row_names.csv r/scores_row_names.csv:outcome", INDEX, ["--id ''"]),
    ("mse r/predicted.csv r/measured.csv", INDEX, ["--id ''", "--columns mass,height"]),
    ("ce numpy/logits.csv r/factor_codes.csv", ("label 3", "--label-base 1"), ["--label-base 1"]),
    (
        "ce spark/both_csv_no_header spark/both_csv_no_header:4",
        ("differ", "first rows are data", "--no-header"),
        ["--no-header --classes cat,dog,eel"],
    ),
    ("ce spark/vectors_json spark/vectors_json:label", ("a vector of Spark", "vector_to_array"), []),
    ("ce spark/vectors_json:probability spark/vectors_json:label", ("a vector of Spark", "vector_to_array"), []),
    ("ce excel/utf8_semicolons.csv excel/utf8_semicolons.csv:label", ("'0,5'", "--decimal ,"), ["--decimal ,"]),
    (
        "ce excel/sep_line.csv excel/sep_line.csv:label",
        ("excel/sep_line.csv:1", "--skip-rows 1"),
        ["--skip-rows 1 --decimal ,"],
    ),
    ("ce excel/sep_line_comma.csv excel/sep_line_comma.csv:label", ("--skip-rows 1",), ["--skip-rows 1"]),
    (
        "ce excel/trailing_columns.csv excel/trailing_columns.csv:label --decimal ,",
        ("2 columns have no name (5, 6)", "--columns"),
        ["--columns cat,dog,eel"],
    ),
    (
        "ce excel/text_tabs_decimal_comma.txt excel/text_tabs_decimal_comma.txt:label",
        ("'0,5'", "--decimal ,"),
        ["--decimal ,"],
    ),
    ("ce excel/macintosh.csv excel/macintosh.csv:label", ("bare carriage return",), []),
    (
        "bce excel/scores_german.csv:score excel/scores_german.csv:outcome --decimal ,",
        ("'WAHR'", "--classes NEGATIVE,POSITIVE"),
        ["--classes FALSCH,WAHR"],
    ),
    ("ce excel/proba_percent.csv numpy/labels.npy --from probs", ("a percentage?", "0.25 for 25%"), []),
    ("mse excel/predicted_thousands.csv pandas/measured.csv", ("'60,500.00'", "thousands without commas"), []),
]
"""A command line, parts of its message, and the options of each cure with which it gives the expected number."""

SAVED = [
    ("ce pandas/both_utf16.csv {0}.csv:label", "UTF-16", None),
    ("ce excel/unicode_text.txt {0}.csv:label --decimal ,", "UTF-16", None),
    ("ce excel/latin1.csv {0}.csv:label --decimal ,", "UTF-8", None),
    ("ce pandas/both.json {0}.jsonl:label", ".json", "pandas"),
    ("ce pandas/both_columns.json {0}.jsonl:label", "one JSON object", "pandas"),
    ("ce polars/both.json {0}.jsonl:label", ".json", "pandas"),
]
"""Files that the Python in the message saves anew, and what it imports."""

NARROW = ("arrays", "fixed", "saved", "datasets/data.parquet", "float16", "safetensors", "xgboost")
"""Parts of the names of files of float32 numbers, or narrower ones, whose losses are computed in float32."""


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    """Run in the folder of the files."""
    monkeypatch.chdir(HERE)


def expected(line):
    return pytest.approx(EXPECTED[line.split()[0]], rel=1e-6 if any(name in line for name in NARROW) else 1e-12)


@pytest.mark.parametrize("line", READ.split("\n")[1:-1])
def test_is_read_right(compute, line):
    if ".pt" in line:
        pytest.importorskip("torch")
    assert compute(*shlex.split(line), "-f", "value").value == expected(line)


@pytest.mark.parametrize(("line", "parts", "cures"), REFUSED, ids=[line for line, *_ in REFUSED])
def test_is_refused_with_a_cure_that_works(compute, line, parts, cures):
    compute(*shlex.split(line)).refuses(3, *parts)
    for cure in cures:
        assert compute(*shlex.split(f"{line} {cure}"), "-f", "value").value == expected(line), cure


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("line", "part", "module"), SAVED, ids=[line for line, *_ in SAVED])
def test_the_python_in_a_message_saves_it(compute, folder, monkeypatch, line, part, module):
    loss, file, targets, *options = shlex.split(line)
    name = Path(file).name
    shutil.copy(file, folder)
    monkeypatch.chdir(folder)
    found = compute(loss, name, f"{name}:label", *options)
    found.refuses(3, name, part)
    modules = {} if module is None else {module: pytest.importorskip(module)}
    exec(re.search(r"(pandas\.|open\().*", found.err)[0], modules)
    new = targets.format(name)
    assert compute(loss, new.removesuffix(":label"), new, *options, "-f", "value").value == expected(line)


def test_every_file_is_read_by_a_test():
    used = " ".join([READ, *(line for line, *_ in REFUSED), *(line for line, *_ in SAVED)])
    files = [path.relative_to(HERE) for path in HERE.rglob("*") if path.is_file() and path.parent != HERE]
    unused = [str(path) for path in files if not any(str(part) in used for part in (path, *path.parents[:-2]))]
    assert not unused


def test_the_folder_is_small():
    assert sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file()) < 200_000


def test_the_numbers_are_those_of_the_definitions():
    assert -np.log(PROBABILITIES[range(5), LABELS]).mean() == pytest.approx(CROSS_ENTROPY, rel=1e-12)
    residuals = [-0.5, -0.25, 2.25, 0, -1.75, 0.125, 0.75, 0.125, 0.5, -0.125]
    assert sum(r * r for r in residuals) / 10 == SQUARED_ERROR
    assert MEASURED.shape == (5, 2)
