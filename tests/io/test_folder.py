"""Folders of parts, as Spark, Hive and the data sets of Hugging Face write them."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from commands import npy

pytestmark = pytest.mark.quick
LOGITS = np.random.default_rng(0).normal(size=(12, 3))
LABELS = np.arange(12) % 3
MEAN = (np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(12), LABELS]).mean()
NAMES = ("ant", "bee", "cat")


def frame(rows, **more):
    columns = dict(zip(NAMES, LOGITS[rows].T, strict=True)) | {"label": [NAMES[i] for i in LABELS[rows]]}
    return pl.DataFrame(columns | more)


@pytest.fixture
def put(folder):
    """Write a file in folders that are made for it."""

    def make(name, data=b""):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, pl.DataFrame):
            writers = {".parquet": data.write_parquet, ".csv": data.write_csv, ".arrow": data.write_ipc_stream}
            writers[path.suffix](path)
        else:
            path.write_bytes(data if isinstance(data, bytes) else data.encode())

    return make


@pytest.fixture
def value(compute):
    def of(*words):
        return compute("ce", *words, "-f", "value").value

    return of


SERIAL = "4fa0b9c2-1d3e-4b5a-9c7d-0123456789ab-c000"


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow"])
def test_what_spark_writes(value, put, suffix):
    for i in range(12):  # part-00010 is behind part-00009, and all are of one row
        put(f"out/part-{i:05}-{SERIAL}.{suffix}", frame([i]))
        put(f"out/.part-{i:05}-{SERIAL}.{suffix}.crc", b"crc\0\0\0\2\0")
    put("out/_SUCCESS")
    put("out/._SUCCESS.crc", b"crc")
    put("out/_metadata", b"PAR1")
    assert value("out", "out:label") == pytest.approx(MEAN)
    assert value("out/", "out:label") == pytest.approx(MEAN)


def test_empty_parts_of_spark_are_no_rows(value, put):
    put("out/part-00000.csv", frame(range(12)))
    put("out/part-00001.csv")
    assert value("out", "out:label") == pytest.approx(MEAN)


def test_parts_in_their_natural_order(compute, put, save):
    for i in range(12):
        put(f"out/part-{i}.npy", npy(LOGITS[[i]]))
    assert compute("ce", "out", save("t.npy", LABELS), "-f", "value").value == pytest.approx(MEAN)


def test_compressed_parts(value, put):
    for i in range(2):
        put(f"out/part-{i}.csv.gz", gzip.compress(frame(range(6 * i, 6 * i + 6)).write_csv().encode()))
    assert value("out", "out:label") == pytest.approx(MEAN)


class TestHive:
    @pytest.fixture(params=["parquet", "csv"])
    def table(self, put, request):
        for i, (day, split) in enumerate([("2024-01-01", "a%20b"), ("2024-01-02", "__HIVE_DEFAULT_PARTITION__")]):
            put(f"out/day={day}/split={split}/data_0.{request.param}", frame(range(6 * i, 6 * i + 6)))
        put("out/_SUCCESS")
        return "out"

    def test_keys_are_no_predictions(self, value, table):
        assert value(table, f"{table}:label") == pytest.approx(MEAN)

    def test_keys_are_columns_of_words(self, run, compute, table):
        found = compute("l1", f"{table}:ant", f"{table}:ant", "--id", "day")
        found.refuses(3, "2024-01-01")
        words = ("rank", "ce", table, f"{table}:label", "--by", "day", "-f", "json")
        assert {row["slice"] for row in run(*words).json["rows"]} == {"2024-01-01", "2024-01-02"}

    def test_a_key_as_labels(self, compute, put):
        for label in NAMES:
            rows = np.flatnonzero(NAMES.index(label) == LABELS)
            put(f"by/label={label}/0.parquet", frame(rows).drop("label"))
        assert compute("ce", "by", "by:label", "-f", "value").value == pytest.approx(MEAN)

    def test_a_key_that_is_a_column_too(self, compute, put):
        for label in NAMES:
            put(f"by/label={label}/0.parquet", frame(np.flatnonzero(NAMES.index(label) == LABELS)))
        assert compute("ce", "by", "by:label", "-f", "value").value == pytest.approx(MEAN)

    def test_lists(self, compute, put, save):
        for i in range(2):
            put(f"out/fold={i}/0.parquet", pl.DataFrame({"x": LOGITS[6 * i : 6 * i + 6].tolist()}))
        assert compute("ce", "out", save("t.npy", LABELS), "-f", "value").value == pytest.approx(MEAN)

    def test_layers_that_differ(self, compute, put):
        put("out/a=1/0.parquet", frame([0]))
        put("out/0.parquet", frame([1]))
        compute("ce", "out", "out:label").refuses(3, "out", "deeper than others")


class TestDatasets:
    """What `save_to_disk` of Hugging Face's datasets writes."""

    @pytest.fixture
    def saved(self, put):
        def make(folder="set", indices=None):
            state = {"_data_files": [{"filename": f"data-{i:05}-of-00002.arrow"} for i in range(2)]}
            put(f"{folder}/state.json", json.dumps(state | {"_fingerprint": "x", "_indices_files": indices}))
            put(f"{folder}/dataset_info.json", "{}")
            for i in range(2):
                put(f"{folder}/data-{i:05}-of-00002.arrow", frame(range(6 * i, 6 * i + 6)))
            put(f"{folder}/cache-0123456789abcdef.arrow", frame(range(3)))
            return folder

        return make

    def test_its_parts(self, value, saved):
        assert value(saved(), "set:label") == pytest.approx(MEAN)

    def test_a_selection_of_rows(self, compute, saved):
        compute("ce", saved(indices=[{"filename": "indices.arrow"}]), "0").refuses(3, "set", "flatten_indices()")

    def test_a_part_that_is_missing(self, compute, saved):
        Path(saved(), "data-00001-of-00002.arrow").unlink()
        compute("ce", "set", "set:label").refuses(3, "set", "data-00001-of-00002.arrow", "missing")

    def test_several_splits(self, value, compute, saved, put):
        saved("all/train")
        saved("all/test")
        put("all/dataset_dict.json", '{"splits": ["train", "test"]}')
        compute("ce", "all", "0").refuses(3, "all", "folders in it (test, train)", "name one, as all/test")
        assert value("all/test", "all/test:label") == pytest.approx(MEAN)

    def test_files_of_several_splits(self, compute, put):
        put("set/train-00000-of-00001.parquet", frame([0]))
        put("set/test-00000-of-00001.parquet", frame([1]))
        compute("ce", "set", "set:label").refuses(3, "set", "several names", "pattern such as 'set/te")

    def test_shards_that_are_missing(self, compute, put):
        for i in (0, 2):
            put(f"set/train-{i:05}-of-00004.parquet", frame([i]))
        compute("ce", "set", "set:label").refuses(3, "set", "2 parts of 4 not there (1, 3)")


class TestNoParts:
    def test_several_formats(self, compute, put):
        put("out/a-1.csv", frame([0]))
        put("out/a-2.parquet", frame([1]))
        put("out/a-3.parquet", frame([1]))
        compute("ce", "out", "out:label").refuses(3, "several formats (1 .csv, 2 .parquet)", "'out/a-*.csv'")

    def test_several_names(self, compute, put):
        put("out/logits.npy", npy(LOGITS))
        put("out/labels.npy", npy(LABELS))
        compute("ce", "out", "0").refuses(3, "several names (labels.npy, logits.npy)", "name a file")

    def test_nothing(self, compute, put):
        put("out/_SUCCESS")
        compute("ce", "out", "0").refuses(3, "out", "without files of data")

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("_delta_log/0.json", "a Delta table"),
            ("_temporary/0/x", "not finished"),
            (".hoodie/x", "a Hudi table"),
            ("metadata/v1.metadata.json", "an Iceberg table"),
        ],
    )
    def test_folders_whose_files_do_not_all_count(self, compute, put, name, said):
        put("out/part-0.parquet", frame([0]))
        put(f"out/{name}", "{}")
        compute("ce", "out", "out:label").refuses(3, "out", said)

    def test_a_damaged_part_is_named(self, compute, put):
        put("out/part-0.parquet", frame([0]))
        put("out/part-1.parquet", b"PAR1" + bytes(20))
        compute("ce", "out", "out:label").refuses(3, "out/part-1.parquet", "write it again")

    def test_parts_of_other_columns(self, compute, put):
        put("out/part-0.csv", "v\n1\n")
        put("out/part-1.csv", "w\n1\n")
        compute("l1", "out", "0").refuses(3, "out/part-1.csv", "differ from those of out/part-0.csv")
