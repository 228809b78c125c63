"""JSON lines: objects, lists or numbers, a line each."""

import gzip
import json

import numpy as np
import polars as pl
import pytest

from losscli.io import jsonl

pytestmark = pytest.mark.quick
LOGITS = [[0.5, 1.25, -2.0], [3.0, 0.25, 0.75], [-1.5, 0.0, 2.5], [0.125, 4.0, 1.0]]
LABELS = [1, 0, 2, 1]
NAMES = ("ant", "bee", "cat")
X = np.array(LOGITS)
MEAN = (np.log(np.exp(X).sum(axis=1)) - X[np.arange(4), LABELS]).mean()


def lines(values):
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.fixture
def of(compute, write):
    """The cross-entropy of the logits and labels in such lines."""

    def value(values, *words, name="p.jsonl"):
        write(name, values if isinstance(values, str | bytes) else lines(values))
        return compute("ce", name, *(words or (f"{name}:label",)), "-f", "value").value

    return value


class TestObjects:
    def test_a_list_and_a_label(self, of):
        assert of({"logits": x, "label": y} for x, y in zip(LOGITS, LABELS, strict=True)) == pytest.approx(MEAN)

    def test_a_key_for_each_class(self, of):
        rows = [dict(zip(NAMES, x, strict=True)) | {"label": NAMES[y]} for x, y in zip(LOGITS, LABELS, strict=True)]
        assert of(rows) == pytest.approx(MEAN)

    def test_keys_in_any_order(self, of):
        rows = [
            {"label": y, "logits": x} if y else {"logits": x, "label": y} for x, y in zip(LOGITS, LABELS, strict=True)
        ]
        assert of(rows) == pytest.approx(MEAN)

    def test_by_id(self, compute, write):
        p = write("p.jsonl", lines({"id": f"r{i}", "logits": x} for i, x in enumerate(LOGITS)))
        t = write("t.csv", "id,label\n" + "".join(f"r{i},{LABELS[i]}\n" for i in (2, 0, 3, 1)))
        assert compute("ce", p, t, "--id", "id", "-f", "value").value == pytest.approx(MEAN)

    @pytest.mark.parametrize("name", ["p.jsonl", "p.ndjson", "p.json", "p", "p.jsonl.gz"])
    def test_names(self, of, name):
        text = lines({"logits": x, "label": y} for x, y in zip(LOGITS, LABELS, strict=True)).encode()
        assert of(gzip.compress(text) if name.endswith("gz") else text, name=name) == pytest.approx(MEAN)

    def test_standard_input(self, compute, save):
        text = lines({"logits": x} for x in LOGITS).encode()
        assert compute("ce", "-", save("t.npy", LABELS), "-f", "value", stdin=text).value == pytest.approx(MEAN)

    def test_what_losscli_writes_can_be_read(self, compute, save):
        p, t = save("p.npy", X), save("t.npy", LABELS)
        compute("ce", p, t, "-o", "out.jsonl")
        assert compute("l1", "out.jsonl:loss", "0", "-f", "value").value == pytest.approx(MEAN)

    @pytest.mark.parametrize("numbers", [[1, 2.5], [1, True], [0, -3], [1e300, 1], [18446744073709551615, 1]])
    def test_kinds_of_numbers(self, compute, write, numbers):
        found = compute("l1", write("p.jsonl", lines({"v": v} for v in numbers)), "0", "-f", "value").value
        assert found == np.abs(np.array(numbers, float)).mean()

    def test_windows_lines_blank_lines_and_a_mark(self, compute, write):
        write("p.jsonl", b'\xef\xbb\xbf{"v": 1}\r\n\r\n{"v": 3}\r\n\n')
        assert compute("l1", "p.jsonl", "0", "-f", "value").value == 2


class TestValues:
    def test_lists(self, of, save):
        assert of(LOGITS, save("t.npy", LABELS)) == pytest.approx(MEAN)

    def test_labels(self, of, save, write):
        assert of(LOGITS, write("t.jsonl", lines(LABELS))) == pytest.approx(MEAN)
        words = write("t.jsonl", lines(NAMES[i] for i in LABELS))
        assert of(LOGITS, words, "--classes", "ant,bee,cat") == pytest.approx(MEAN)

    def test_numbers(self, compute, write):
        assert compute("l1", write("p.jsonl", "1\n-2.5\n\n4\n"), "0", "-f", "value").value == 2.5


class TestNotFinite:
    """Python writes NaN and Infinity, which are no JSON."""

    def test_infinities(self, compute, write):
        p = write("p.jsonl", '{"p": [0.0, -Infinity]}\n{"p": [-0.6931471805599453, -0.6931471805599453]}\n')
        t = write("t.jsonl", "0\n1\n")
        assert compute("ce", p, t, "--from", "log-probs", "-f", "value").value == pytest.approx(np.log(2) / 2)

    def test_nan(self, compute, write):
        compute("l1", write("p.jsonl", '{"v": 1}\n\n{"v": NaN}\n'), "0").refuses(3, 'p.jsonl:3, column "v"', "NaN")

    def test_a_number_that_is_too_large(self, compute, write):
        compute("l1", write("p.jsonl", '{"v": 1}\n{"v": 1e999}\n'), "0").refuses(3, "p.jsonl:2", "1e999 is too large")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"v": 1}\n{"v": 2\n', ("p.jsonl:2", "not JSON", "cut off")),
        ('{"v": 1}\n\n{"v": }\n', ("p.jsonl:3", "not JSON")),
        ('{"v": 1}\n[2]\n', ("p.jsonl:2", "objects", "one kind")),
        ("[1]\n2\n", ("p.jsonl", 'column "values"', "int, list")),
        ('{"v": 1}\n{"w": 2}\n', ("p.jsonl:2", "empty")),
        ('{"v": null}\n{"v": 2}\n', ("p.jsonl:1", "empty")),
        ('{"v": "x"}\n{"v": 2}\n', ("p.jsonl:1", "'x' is not a number")),
        ('{"v": {"a": 1}}\n', ('p.jsonl, column "v"', "its cells are Struct")),
        ('{"v": {"a": 1, "b": [2]}}\n{"v": {"a": 2, "b": []}}\n', ("its cells are Struct", "save a column for each")),
        ('{"v": [1, 2]}\n\n{"v": [1]}\n', ('p.jsonl:3, column "v"', "a list of 1", "same length")),
        ('{"v": [1, 2]}\n{"v": [1, null]}\n', ('p.jsonl:2, column "v"[1]', "no value")),
        ('[\n{"v": 1},\n{"v": 2}\n]\n', ("p.jsonl:1", "one JSON value over several lines", "lines=True")),
        ('{\n"v": [1, 2]\n}\n', ("p.jsonl:1", "one JSON value over several lines")),
        ('{"v": "caf\xe9"}\n'.encode("latin-1"), ("p.jsonl:1", "not JSON")),
        ("\n \n", ("p.jsonl", "empty")),
        ('{"v": 1}\n{"v": 2, "w": 0, "v": 3}\n', ("p.jsonl:2", "the key 'v' is there twice")),
        ('{"v": 1}\n' * 200 + '{"v": NaN}\n{"v": 2, "v": 3}\n', ("p.jsonl:202", "the key 'v' is there twice")),
        ('{"v": 1, "w": "' + "x" * 5_000_000 + '"}\n{"v": 2, "v": 3}\n', ("p.jsonl:2", "the key 'v' is there twice")),
        ('{"v": 1, "w": {"a": 1, "a": 2}}\n', ("p.jsonl:1", "the key 'a' is there twice")),
        ('{"v": ' + "[" * 5000 + "1" + "]" * 5000 + "}\n", ("p.jsonl",)),
    ],
)
def test_what_is_wrong_is_said_in_one_line(compute, write, text, parts):
    compute("l1", write("p.jsonl", text), "0").refuses(3, *parts)


@pytest.mark.parametrize("text", ['[{"v": 1}, {"v": 2}]', '{\n  "v": 1\n}\n'])
def test_json_that_is_no_lines(compute, write, text):
    compute("l1", write("p.json", text), "0").refuses(3, "p.json: losscli does not read .json files", "lines=True")


def test_a_large_file_is_parsed_to_the_disk(compute, write, monkeypatch):
    values = np.random.default_rng(0).normal(size=(5000, 3))
    text = "".join(json.dumps({"x": row, "y": str(i)}) + "\n" for i, row in enumerate(values.tolist()))
    monkeypatch.setattr(jsonl, "IN_MEMORY", 1000)
    found = compute("squared-error", write("p.jsonl", text), "0", "--columns", "x", "-f", "value").value
    assert found == pytest.approx((values**2).mean(), rel=1e-13)
    pl.DataFrame({"x": values.tolist()}).write_parquet("p.parquet")
    assert found == compute("squared-error", "p.parquet", "0", "-f", "value").value


@pytest.mark.parametrize("row", ['{"x": [%s]}', "[%s]"])
@pytest.mark.parametrize("before", [0, 2])
def test_a_line_longer_than_a_row_may_be_is_refused_before_it_is_held(compute, write, monkeypatch, row, before):
    monkeypatch.setattr(jsonl, "LONGEST_RECORD", 1 << 20)
    monkeypatch.setattr("losscli.io.bytes.PIECE", 1 << 16)
    wide = ",".join(["0.5"] * 300_000)
    write("p.jsonl", (row % "1" + "\n") * before + row % wide + "\n")
    compute("mse", "p.jsonl", "0").refuses(3, f"p.jsonl:{before + 1}: a line of more than 1 MB", "one value per line")


def test_lines_together_may_be_longer(compute, write, monkeypatch):
    monkeypatch.setattr(jsonl, "LONGEST_RECORD", 1000)
    write("p.jsonl", lines([{"x": [1.0] * 150}] * 4000))
    assert compute("mse", "p.jsonl", "0", "-f", "value").value == 1


def test_a_whole_number_that_no_table_holds_is_refused_in_its_line(compute, write):
    file = write("p.jsonl", '{"p": 1, "t": 1}\n{"p": 1%s, "t": 2}\n' % ("0" * 400))
    compute("mse", f"{file}:p", f"{file}:t").refuses(3, "p.jsonl:2: a whole number of 401 digits", "in quotes")
