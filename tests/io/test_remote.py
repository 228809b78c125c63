"""Operands that live elsewhere: the digits of local files, from a server of S3 and from web servers with all their faults."""

import datetime
import io
import json
import os
import pickle
import signal
import ssl
import sys
import threading
import time

import numpy as np
import polars as pl
import pytest
from commands import ROOT
from servers import WebServer

pytest.importorskip("obstore", reason="files that live elsewhere need losscli[remote]")

from losscli.errors import DataError
from losscli.io.remote import file as remote_file
from losscli.io.remote import store
from losscli.io.remote.file import RemoteFile
from losscli.io.remote.store import Address

ROWS, CLASSES = 6000, 7
RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, CLASSES, ROWS)
LOGITS = (RNG.normal(size=(ROWS, CLASSES)) + np.eye(CLASSES)[LABELS]).astype(np.float32)


@pytest.fixture(autouse=True)
def environment(monkeypatch, folder):
    """No credentials but those that a test sets, and short waits."""
    for name in [name for name in os.environ if name.startswith((*store.VARIABLES, "HF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    store._bucket.cache_clear()
    monkeypatch.setattr(store, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(store, "MOST_RETRIES", 3)


@pytest.fixture
def bucket(s3, monkeypatch):
    for name, value in (
        ("AWS_ENDPOINT_URL", s3.url),
        ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "theSecretOfTheEnvironment"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def web():
    with WebServer() as server:
        yield server


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def frame():
    columns = {f"c{i}": LOGITS[:, i] for i in range(CLASSES)}
    return pl.DataFrame({**columns, "label": LABELS, "other": RNG.normal(size=ROWS)})


def parquet(table, **how):
    file = io.BytesIO()
    table.write_parquet(file, **how)
    return file.getvalue()


def gzipped(data):
    import gzip

    return gzip.compress(data)


def compressed(data):
    import zstandard

    return zstandard.compress(data)


def npz(array):
    file = io.BytesIO()
    np.savez(file, logits=array, other=np.zeros(3))
    return file.getvalue()


def safetensors(array):
    entry = {"dtype": "F32", "shape": array.shape, "data_offsets": [0, array.nbytes]}
    header = json.dumps({"logits": entry, "none": {"dtype": "F32", "shape": [0], "data_offsets": [array.nbytes] * 2}})
    return len(header).to_bytes(8, "little") + header.encode() + array.tobytes()


def arrow(table):
    file = io.BytesIO()
    table.write_ipc(file)
    return file.getvalue()


CSV = frame().select(pl.exclude("label", "other")).write_csv().encode()
KINDS = {
    "float32.npy": lambda: npy(LOGITS),
    "float16.npy": lambda: npy(LOGITS.astype(np.float16)),
    "fortran.npy": lambda: npy(np.asfortranarray(LOGITS)),
    "plain.csv": lambda: CSV,
    "packed.csv.gz": lambda: gzipped(CSV),
    "packed.csv.zst": lambda: compressed(CSV),
    "packed.npy.gz": lambda: gzipped(npy(LOGITS)),
    "lines.jsonl": lambda: frame().select(pl.exclude("label", "other")).write_ndjson().encode(),
    "columns.parquet": lambda: parquet(frame().select(pl.exclude("label", "other")), row_group_size=1000),
    "columns.arrow": lambda: arrow(frame().select(pl.exclude("label", "other"))),
    "arrays.npz:logits": lambda: npz(LOGITS),
    "tensors.safetensors:logits": lambda: safetensors(LOGITS),
}


def numbers(outcome):
    result = outcome.json
    return {key: result[key] for key in ("value", "summary", "baseline", "samples")}


class TestSameDigits:
    @pytest.mark.parametrize("name", KINDS)
    def test_of_a_file(self, compute, write, save, bucket, name):
        file, data = name.partition(":")[0], KINDS[name]()
        write(file, data)
        bucket.put(file, data)
        labels = save("labels.npy", LABELS)
        local = compute("ce", name, labels, "-o", "a.jsonl", "--gradient", "a.npy")
        remote = compute("ce", f"s3://bucket/{name}", labels, "-o", "b.jsonl", "--gradient", "b.npy")
        assert numbers(remote) == numbers(local)
        for a, b in (("a.jsonl", "b.jsonl"), ("a.npy", "b.npy")):
            with open(a, "rb") as one, open(b, "rb") as other:
                assert one.read() == other.read()

    def test_of_shards_in_natural_order(self, compute, write, save, bucket):
        for i in range(12):
            data = npy(LOGITS[i * 500 : i * 500 + 500])
            bucket.put(f"shards/shard-{i}.npy", data)
            write(f"shard-{i}.npy", data)
        bucket.put("shards/deeper/shard-99.npy", npy(LOGITS))
        labels = save("labels.npy", LABELS)
        local = compute("ce", "shard-*.npy", labels)
        assert numbers(compute("ce", "s3://bucket/shards/shard-*.npy", labels)) == numbers(local)
        assert numbers(compute("ce", "s3://bucket/shar*/shard-[0-9]*.npy", labels)) == numbers(local)

    def test_of_a_folder(self, compute, write, bucket, folder):
        table = frame()
        for day, rows in (("01", table.head(2000)), ("02", table.tail(4000))):
            data = parquet(rows)
            bucket.put(f"table/day={day}/part-0.parquet", data)
            (folder / "table" / f"day={day}").mkdir(parents=True)
            write(f"table/day={day}/part-0.parquet", data)
        bucket.put("table/_SUCCESS", b"")
        local = compute("ce", "table", "table:label", "--columns", "c*")
        assert numbers(compute("ce", "s3://bucket/table/", "s3://bucket/table:label", "--columns", "c*")) == numbers(
            local
        )

    def test_with_weights_and_from_python(self, compute, save, web):
        import losscli

        weights = np.linspace(0.5, 2, ROWS)
        web.files = {"/p.npy": npy(LOGITS), "/t.npy": npy(LABELS), "/w.npy": npy(weights)}
        local = losscli.compute("ce", LOGITS, LABELS, sample_weight=weights)
        remote = losscli.compute("ce", f"{web.url}/p.npy", f"{web.url}/t.npy", sample_weight=f"{web.url}/w.npy")
        assert remote.value == local.value

    def test_of_all_commands_that_read_files(self, run, save, bucket):
        bucket.put("p.npy", npy(LOGITS))
        bucket.put("q.npy", npy(LOGITS + 0.5 * np.eye(CLASSES, dtype=np.float32)[LABELS]))
        bucket.put("t.npy", npy(LABELS))
        for name, array in (("p.npy", LOGITS), ("t.npy", LABELS)):
            save(name, array)
        p, q, t = (f"s3://bucket/{name}.npy" for name in "pqt")
        assert run("check", p, t, "-f", "json").code == run("check", "p.npy", "t.npy", "-f", "json").code
        assert run("compare", "ce", p, q, "--targets", t, "-f", "json").json["verdict"]
        assert run("rank", "ce", p, t, "-f", "jsonl").out == run("rank", "ce", "p.npy", "t.npy", "-f", "jsonl").out
        assert run("calibrate", p, t, "-f", "json").json["temperature"]

    def test_of_a_suite(self, run, write, bucket):
        bucket.put("p.npy", npy(LOGITS))
        bucket.put("t.npy", npy(LABELS))
        suite = "[measure.m]\nloss = 'ce'\npredictions = 's3://bucket/p.npy'\ntargets = 's3://bucket/t.npy'\nrequire = 'mean <= 9'\n"
        assert run("run", write("suite.toml", suite)).code == 0


class TestRanges:
    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch):
        from losscli.engine import job

        monkeypatch.setattr(job, "CHUNK_BYTES", 100 * CLASSES * 4)  # 60 chunks
        monkeypatch.setattr(job, "BATCH_BYTES", 20 * CLASSES * 4)
        monkeypatch.setattr(remote_file, "HEAD", 128)

    def test_each_byte_of_predictions_is_read_once(self, compute, save, web):
        web.files["/p.npy"] = npy(LOGITS)
        assert compute("ce", f"{web.url}/p.npy", save("t.npy", LABELS)).code == 0
        assert web.sent <= len(web.files["/p.npy"]) + 2 * remote_file.HEAD
        assert len(web.asked) <= 61  # the header, and at most one for each chunk

    def test_requests_overlap(self, compute, save, web):
        web.files["/p.npy"] = npy(LOGITS)
        threads: list[int] = []
        under_way = [0]

        def before(path, part):
            under_way[0] += 1
            threads.append(under_way[0])

        web.behaviour.before, web.behaviour.latency = before, 0.01
        web.behaviour.after = lambda: under_way.__setitem__(0, under_way[0] - 1)
        assert compute("ce", f"{web.url}/p.npy", save("t.npy", LABELS)).code == 0
        assert max(threads) >= 3

    def test_a_parquet_file_is_read_by_columns(self, compute, web, monkeypatch):
        from losscli.io import parquet as parquet_module

        monkeypatch.setattr(parquet_module, "SMALL", 0)
        monkeypatch.setattr(remote_file, "LEAST", 1)
        table = pl.DataFrame({f"c{i}": RNG.normal(size=50_000) for i in range(12)})
        data = web.files["/t.parquet"] = parquet(table, row_group_size=10_000, compression="uncompressed")
        found = compute("mse", f"{web.url}/t.parquet:c3", f"{web.url}/t.parquet:c7")
        assert found.json["value"] == pytest.approx(((table["c3"] - table["c7"]) ** 2).mean(), rel=1e-12)
        assert web.sent < len(data) * 0.25  # two of twelve columns, and the footer twice

    def test_columns_of_lists_and_words_by_ranges(self, compute, write, web, monkeypatch):
        from losscli.io import parquet as parquet_module

        monkeypatch.setattr(parquet_module, "SMALL", 0)
        names = ["cat", "dog", "eel"]
        table = pl.DataFrame(
            {"id": [f"r{i}" for i in range(3000)], "logits": [[1.0, i / 3000, 0.0] for i in range(3000)]}
        )
        table = table.with_columns(label=pl.Series([names[i % 3] for i in range(3000)]))
        data = web.files["/t.parquet"] = parquet(table, row_group_size=500)
        write("t.parquet", data)
        words = ("--classes", "cat,dog,eel")
        remote = compute("ce", f"{web.url}/t.parquet:logits", f"{web.url}/t.parquet:label", *words)
        assert numbers(remote) == numbers(compute("ce", "t.parquet:logits", "t.parquet:label", *words))


class TestFaults:
    @pytest.fixture
    def files(self, web, save):
        web.files["/p.npy"] = npy(np.tile(LOGITS, (4, 1)))
        return f"{web.url}/p.npy", save("t.npy", np.tile(LABELS, 4))

    @pytest.fixture
    def value(self, compute, files, save):
        return compute("ce", save("p.npy", np.tile(LOGITS, (4, 1))), files[1]).json["value"]

    @pytest.fixture(autouse=True)
    def small_requests(self, monkeypatch):
        monkeypatch.setattr(remote_file, "REQUEST", 100_000)

    @pytest.mark.parametrize("tags", [True, False])
    def test_connections_that_break_off(self, compute, web, files, value, tags):
        web.behaviour.dropped, web.behaviour.tags = 3, tags
        assert compute("ce", *files).json["value"] == value
        assert web.behaviour.dropped == 0

    def test_connections_that_always_break_off(self, compute, web, files, monkeypatch):
        monkeypatch.setattr(remote_file, "WAIT", 0.001)
        web.behaviour.dropped = 10_000
        compute("ce", *files).refuses(3, f"{web.url}/p.npy", "broke off, several times")

    def test_answers_that_stop_in_the_middle(self, compute, web, files, value, monkeypatch):
        monkeypatch.setattr(store, "SILENCE", "200ms")
        monkeypatch.setattr(remote_file, "WAIT", 0.001)
        web.behaviour.stalled = 2
        assert compute("ce", *files).json["value"] == value

    def test_503_now_and_then(self, compute, web, files, value):
        web.behaviour.refused = 3
        assert compute("ce", *files).json["value"] == value

    def test_429_now_and_then(self, compute, web, files, value):
        web.behaviour.refused, web.behaviour.refusal = 3, (429, b"")
        assert compute("ce", *files).json["value"] == value

    def test_files_that_moved(self, compute, web, files, value):
        web.behaviour.moved["/old.npy"] = files[0]
        assert compute("ce", files[0].replace("/p.npy", "/old.npy"), files[1]).json["value"] == value

    def test_503_for_good(self, compute, web, files):
        web.behaviour.refused = 10_000
        web.behaviour.refusal = (
            503,
            b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
        )
        said = "the server said 503 SlowDown: Please reduce your request rate, 4 times; try again later"
        compute("ce", *files).refuses(3, f"{web.url}/p.npy", said)

    def test_latency(self, compute, web, files, value):
        web.behaviour.latency = 0.01
        assert compute("ce", *files).json["value"] == value

    def test_404(self, compute, web, files):
        compute("ce", files[0] + "x?sig=1", files[1]).refuses(3, "p.npyx?...: no such file (the server said 404)")
        compute("ce", files[0] + "x", files[1]).refuses(
            3, "p.npyx: no such file (the server said 404)", "is the address right"
        )

    def test_403_says_what_the_server_said(self, compute, web, files):
        web.behaviour.refused, web.behaviour.refusal = 100, (403, b'{"message": "no entry for you"}')
        compute("ce", *files).refuses(3, "the server said 403 no entry for you", "has its signature expired?")

    def test_a_page_is_not_repeated(self, compute, web, files):
        web.behaviour.refused, web.behaviour.refusal = 100, (401, b"<html><body>Log in</body></html>")
        found = compute("ce", *files)
        found.refuses(3, "the server said 401; ")
        assert "html" not in found.err

    def test_no_server(self, compute, save):
        compute("ce", "http://127.0.0.1:9/p.npy", save("t.npy", LABELS)).refuses(3, "the server takes no connection")

    def test_a_server_without_ranges(self, compute, web, files, value):
        web.behaviour.ranges = False
        assert compute("ce", *files).json["value"] == value

    def test_a_server_without_tags_or_dates(self, compute, web, files, value):
        web.behaviour.tags = web.behaviour.dates = False
        found = compute("ce", *files).json
        assert found["value"] == value
        assert found["receipt"]["remote"] == [{"file": files[0], "bytes": len(web.files["/p.npy"])}]

    def test_an_empty_file(self, compute, web, bucket, save):
        web.files["/p.npy"] = b""
        bucket.put("empty.npy", b"")
        for address in (f"{web.url}/p.npy", "s3://bucket/empty.npy", "s3://bucket/emp*.npy"):
            compute("ce", address, save("t.npy", LABELS)).refuses(3, "the file is empty")

    @pytest.mark.parametrize("where", ["first answer", "later answer"])
    def test_a_signal_ends_it_although_a_server_is_silent(self, web, files, started, where):
        asked = threading.Event()

        def before(path, part):
            if where == "first answer" or part[0] > 0:
                asked.set()
                time.sleep(4)

        web.behaviour.before = before
        running = started("compute", "ce", *files)
        assert asked.wait(20)
        time.sleep(0.2)  # until the command waits for the answer
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
        assert time.monotonic() - begun < 2

    def test_a_page_in_place_of_a_file(self, compute, web, save):
        web.files["/p.npy"] = b"<!doctype html><html><body>Log in</body></html>"
        compute("ce", f"{web.url}/p.npy", save("t.npy", LABELS)).refuses(3, "is an HTML page")

    @pytest.mark.parametrize("known_by", ["tag", "date"])
    @pytest.mark.parametrize("output", ["local.csv", "s3://bucket/replaced.csv"])
    def test_an_object_that_is_replaced_half_way(self, compute, web, files, bucket, folder, known_by, output):
        other = npy(np.tile(LOGITS, (4, 1)) + np.float32(1))

        def before(path, part):
            if part[0] > len(other) // 2:
                web.files["/p.npy"] = other
                web.behaviour.changed = "Wed, 02 Sep 2026 10:00:00 GMT"

        web.behaviour.tags, web.behaviour.before = known_by == "tag", before
        compute("ce", *files, "-o", output).refuses(
            3, f"{files[0]}: the object was replaced while it was read; run again"
        )
        assert not (folder / "local.csv").exists()
        assert "replaced.csv" not in bucket.list_keys()
        assert bucket.unfinished() == []

    def test_an_object_of_s3_that_is_replaced(self, bucket):
        bucket.put("changing.npy", npy(LOGITS))
        opened = RemoteFile(Address.parse("s3://bucket/changing.npy"))
        bucket.put("changing.npy", npy(LOGITS + 1))
        with pytest.raises(DataError, match="was replaced while it was read"):
            opened.read(20_000, 10)


class TestAddresses:
    def test_a_column_behind_a_port(self, compute, web):
        web.files["/t.csv"] = b"score,truth\n1,2\n3,5\n"
        assert compute("mse", f"{web.url}/t.csv:score", f"{web.url}/t.csv:truth").json["value"] == 2.5

    def test_a_key_with_colons(self, compute, bucket):
        bucket.put("2026-11-30T10:00:00.csv", b"a:b,truth\n1,2\n3,5\n")
        found = compute("mse", "s3://bucket/2026-11-30T10:00:00.csv:a:b", "s3://bucket/2026-11-30T10:00:00.csv:truth")
        assert found.json["value"] == 2.5

    def test_a_column_that_is_not_there(self, compute, bucket):
        bucket.put("t.csv", b"score,truth\n1,2\n3,5\n")
        compute("mse", "s3://bucket/t.csv:scor", "s3://bucket/t.csv:truth").refuses(
            3, "s3://bucket/t.csv: no column 'scor'", "score"
        )

    @pytest.mark.parametrize("key", ["a b.npy", "a%20b.npy", "a+b#c?d=1.npy", "ä/é.npy", "[x]*.npy"])
    def test_keys_with_signs(self, compute, bucket, key):
        import obstore

        place, _ = Address.parse("s3://bucket/x").connect()
        obstore.put(place, key, npy(np.array([1.0, 3.0])))
        assert compute("l1", f"s3://bucket/{key}", "0").json["value"] == 2

    def test_an_address_with_escapes(self, compute, web):
        web.files["/a b/ü.npy"] = npy(np.array([1.0, 3.0]))
        assert compute("l1", f"{web.url}/a%20b/%C3%BC.npy", "0").json["value"] == 2

    def test_hugging_face(self, compute, web, monkeypatch):
        monkeypatch.setenv("HF_ENDPOINT", web.url)
        monkeypatch.setenv("HF_TOKEN", "hf_theToken")
        web.files["/datasets/u/r/resolve/v1/a/p.npy"] = npy(np.array([1.0, 3.0]))
        found = compute("l1", "hf://datasets/u/r@v1/a/p.npy", "0")
        assert found.json["value"] == 2
        assert web.asked[0].headers["authorization"] == "Bearer hf_theToken"
        assert "hf_theToken" not in found.out + found.err

    @pytest.mark.parametrize(
        ("address", "code", "message"),
        [
            ("s3://", 2, "names no bucket"),
            ("https://", 2, "names no server"),
            ("hf://datasets/u", 2, "names no file of a repository"),
            ("https://user:secret@server/p.npy", 2, "https://...@server/p.npy: names a user"),
            ("s3://bucket/a//b.npy", 2, "empty parts"),
            ("gcs://bucket/p.npy", 3, "addresses begin with s3://, gs://"),
            ("http://127.0.0.1:9/shard-*.npy", 3, "127.0.0.1"),
        ],
    )
    def test_addresses_that_are_none(self, compute, address, code, message):
        found = compute("l1", address, "0")
        found.refuses(code, message)
        assert "secret" not in found.err

    def test_a_pattern_of_a_web_server(self, compute, web):
        compute("l1", f"{web.url}/shard-*.npy", "0").refuses(3, "patterns need a list of the files")

    def test_patterns_and_folders_that_are_not_there(self, compute, bucket):
        compute("l1", "s3://bucket/none-*.npy", "0").refuses(3, "the pattern matches nothing")
        compute("l1", "s3://bucket/none", "0").refuses(
            3, "s3://bucket/none: no such object (the server said 404 NoSuchKey"
        )
        compute("l1", "s3://nobody/none.npy", "0").refuses(3, "404 NoSuchBucket")


class TestSecrets:
    QUERY = "X-Amz-Signature=5ecre7&X-Amz-Credential=AKIDQUERY"

    def test_a_query_is_shown_nowhere(self, run, web, write):
        web.files |= {"/p.npy": npy(LOGITS), "/t.npy": npy(LABELS), "/w.npy": npy(np.ones(ROWS))}
        p, t, w, none = (f"{web.url}/{name}.npy?{self.QUERY}" for name in ("p", "t", "w", "none"))
        outs = [
            run("compute", "ce", p, t, "--sample-weight", w, "-f", "json", "-o", "out.json"),
            run("compute", "ce", p, t, f"--sample-weight={w}", "-o", "out.csv"),
            run("compute", "ce", p, none),
            run("compute", "ce", none, t),
            run("compute", p, t),
            run("compute", "ce", p, f"{t}:column"),
            run("compute", "ce", p, t, "--classes", none),
            run("check", p, t),
            run("rank", "ce", p, t),
            run("rank", "ce", p, t, p),
            run("run", write("s.toml", f"[measure.m]\nloss='ce'\npredictions='{p}'\ntargets='{none}'\n")),
        ]
        assert [out.code for out in outs] == [0, 0, 3, 3, 2, 3, 3, outs[7].code, 0, 2, 3]
        with open("out.json") as one, open("out.csv") as other:
            said = "".join(out.out + out.err for out in outs) + one.read() + other.read()
        assert "5ecre7" not in said
        assert "AKIDQUERY" not in said
        assert f"{web.url}/p.npy?..." in said
        assert all(asked.path.endswith(self.QUERY) for asked in web.asked)

    def test_a_query_is_not_in_a_traceback(self, web, save, process):
        web.behaviour.refused = 100
        web.files["/p.npy"] = npy(LOGITS)
        web.behaviour.refusal = (
            403,
            f"<Error><Code>Denied</Code><Message>/p.npy?{self.QUERY}</Message></Error>".encode(),
        )
        found = process("compute", "ce", f"{web.url}/p.npy?{self.QUERY}", save("t.npy", LABELS), "--traceback")
        assert found.code == 3
        assert "Traceback" in found.err
        assert "the server said 403 Denied: /p.npy?...; does the address need a login" in found.err
        assert "5ecre7" not in found.err

    def test_two_queries_of_one_address_are_two_files(self, compute, web):
        web.files["/p.npy"] = npy(np.array([1.0, 2.0]))
        found = compute("l1", f"{web.url}/p.npy?version=1", f"{web.url}/p.npy?version=2").json
        assert [one["file"] for one in found["receipt"]["remote"]] == [f"{web.url}/p.npy?...", f"{web.url}/p.npy?...2"]
        assert {asked.path for asked in web.asked} == {"/p.npy?version=1", "/p.npy?version=2"}

    def test_a_column_behind_a_query(self, compute, web):
        web.files["/t.csv"] = b"score,truth\n1,2\n3,5\n"
        assert compute("mse", f"{web.url}/t.csv?a=1:score", f"{web.url}/t.csv?a=1:truth").json["value"] == 2.5

    def test_keys_of_the_environment_are_shown_nowhere(self, compute, bucket):
        bucket.put("p.npy", npy(LOGITS))
        for outcome in (compute("l1", "s3://bucket/p.npy", "0"), compute("l1", "s3://bucket/none.npy", "0")):
            assert "AKIDENVIRONMENT" not in outcome.out + outcome.err
            assert "theSecretOfTheEnvironment" not in outcome.out + outcome.err

    def test_keys_of_the_usual_files(self, compute, web, folder, monkeypatch):
        (folder / ".aws").mkdir()
        (folder / ".aws" / "credentials").write_text(
            "[work]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n"
        )
        (folder / ".aws" / "config").write_text(f"[profile work]\nregion = eu-north-1\nendpoint_url = {web.url}\n")
        monkeypatch.setenv("AWS_PROFILE", "work")
        web.files["/bucket/p.npy"] = npy(np.array([1.0, 3.0]))
        assert compute("l1", "s3://bucket/p.npy", "0").json["value"] == 2
        assert "Credential=AKIDFILE/" in web.asked[0].headers["authorization"]
        assert "/eu-north-1/s3/" in web.asked[0].headers["authorization"]
        monkeypatch.setenv("AWS_PROFILE", "other")
        compute("l1", "s3://bucket/p.npy", "0").refuses(3, "AWS_PROFILE=other: neither")

    def test_a_profile_that_logs_in(self, compute, folder):
        (folder / ".aws").mkdir()
        (folder / ".aws" / "config").write_text("[default]\nsso_session = s\n")
        compute("l1", "s3://bucket/p.npy", "0").refuses(3, "by sso_session", "aws configure export-credentials")

    def test_without_credentials(self, compute, web, monkeypatch):
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")  # where machines of a cloud have them
        compute("l1", "s3://bucket/p.npy", "0").refuses(
            3, "no credentials; say AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE=true"
        )

    def test_public_data(self, compute, web, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", web.url)
        monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
        web.files["/bucket/p.npy"] = npy(np.array([1.0, 3.0]))
        assert compute("l1", "s3://bucket/p.npy", "0").json["value"] == 2
        assert "authorization" not in web.asked[0].headers


class TestClouds:
    """gs:// and az:// against a web server that answers as theirs do, not against the clouds."""

    def test_google(self, compute, web, write, monkeypatch):
        account = {
            "gcs_base_url": web.url,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", write("account.json", json.dumps(account)))
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        web.files["/bucket/a/p.npy"] = npy(np.array([1.0, 3.0]))
        assert compute("l1", "gs://bucket/a/p.npy", "0").json["value"] == 2

    def test_azure(self, compute, web, monkeypatch):
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", web.url)
        web.files["/container/a/p.npy"] = npy(np.array([1.0, 3.0]))
        assert compute("l1", "az://container/a/p.npy", "0").json["value"] == 2


class TestElsewhere:
    def test_a_file_is_pickled_without_its_bytes(self, bucket):
        bucket.put("p.npy", npy(LOGITS))
        opened = RemoteFile(Address.parse("s3://bucket/p.npy"))
        pickled = pickle.dumps(opened)
        assert len(pickled) < 500
        assert b"AKID" not in pickled
        again = pickle.loads(pickled)
        assert again.read(128, 8) == LOGITS.tobytes()[:8]
        bucket.put("p.npy", npy(LOGITS + 1))
        with pytest.raises(DataError, match="was replaced"):
            pickle.loads(pickled).read(0, 8)

    def test_a_file_of_a_server_without_ranges_is_pickled_too(self, web):
        web.files["/p.npy"], web.behaviour.ranges = npy(LOGITS), False
        again = pickle.loads(pickle.dumps(RemoteFile(Address.parse(f"{web.url}/p.npy"))))
        assert again.read(128, 8) == LOGITS.tobytes()[:8]
        web.files["/p.npy"] = npy(LOGITS + 1)
        with pytest.raises(DataError, match="was replaced"):
            pickle.loads(pickle.dumps(again)).read(0, 8)

    def test_a_forked_process_does_not_wait_for_ever(self, web, monkeypatch):
        web.files["/p.npy"] = npy(LOGITS)
        opened = RemoteFile(Address.parse(f"{web.url}/p.npy"))
        monkeypatch.setattr(remote_file.os, "getpid", lambda: 1)
        with pytest.raises(DataError, match="'spawn' or 'forkserver'"):
            opened.read(20_000, 10)

    def test_a_query_does_not_travel(self, web):
        from losscli.definition.address import shown

        web.files["/p.npy"] = npy(LOGITS)
        opened = RemoteFile(Address.parse(shown(f"{web.url}/p.npy?sig=1")))
        with pytest.raises(DataError, match="its query may be a secret"):
            pickle.dumps(opened)

    @pytest.mark.parametrize("tags", [True, False])
    def test_parts_of_another_object_are_refused(self, run, web, save, tags):
        labels, name = save("t.npy", LABELS), f"{web.url}/p.npy"
        web.files["/p.npy"], web.behaviour.tags = npy(LOGITS), tags
        assert run("compute", "ce", name, labels, "--part", "1/2", "-o", "1.part").code == 0
        assert run("compute", "ce", name, labels, "--part", "2/2", "-o", "2.part").code == 0
        assert (
            run("merge", "1.part", "2.part", "-f", "value").out == run("compute", "ce", name, labels, "-f", "value").out
        )
        web.files["/p.npy"] = npy(LOGITS + np.float32(1))
        assert run("compute", "ce", name, labels, "--part", "2/2", "-o", "2.part").code == 0
        assert run("merge", "1.part", "2.part").code == 3

    def test_a_part_is_a_file(self, run, web, save):
        web.files["/p.npy"] = npy(LOGITS)
        words = (
            "compute",
            "ce",
            f"{web.url}/p.npy",
            save("t.npy", LABELS),
            "--part",
            "1/2",
            "-o",
            "s3://bucket/1.part",
        )
        run(*words).refuses(2, "losscli merge reads files only")

    def test_the_receipt_says_which_objects_they_were(self, compute, web):
        import hashlib

        web.files = {"/p.npy": npy(LOGITS), "/t.npy": npy(LABELS)}
        found = compute("ce", f"{web.url}/p.npy", f"{web.url}/t.npy").json["receipt"]
        expected = [
            {"file": web.url + name, "bytes": len(data), "etag": hashlib.md5(data).hexdigest()}
            for name, data in web.files.items()
        ]
        assert found["remote"] == expected

    def test_many_objects_are_one_entry_of_the_receipt(self):
        from losscli.io.bytes import identities

        def raws(tag):
            stamps = [remote_file.Stamp(10, f'"{tag if i == 7 else i}"', None) for i in range(150)]
            return [RemoteFile(Address.parse(f"s3://bucket/{i}.npy"), stamp) for i, stamp in enumerate(stamps)]

        (entry,) = identities(raws("a"))
        assert (entry["files"], entry["bytes"]) == (150, 1500)
        assert identities(raws("a")) == [entry] != identities(raws("b"))

    def test_without_obstore(self, compute, monkeypatch):
        monkeypatch.setitem(sys.modules, "obstore", None)
        compute("l1", "s3://bucket/p.npy", "0").refuses(3, "pip install 'losscli[remote]'")

    def test_https_with_a_certificate_of_ones_own(self, compute, folder, monkeypatch):
        x509 = pytest.importorskip("cryptography.x509", reason="makes the certificate")
        web = WebServer({"/p.npy": npy(np.array([1.0, 3.0]))}, context=certified(folder, x509))
        with web:
            compute("l1", f"{web.url}/p.npy", "0").refuses(3, "certificate is not trusted")
            monkeypatch.setenv("SSL_CERT_FILE", str(folder / "root.pem"))
            store._server.cache_clear()
            assert compute("l1", f"{web.url}/p.npy", "0").json["value"] == 2


def certified(folder, x509):
    """Return the settings of an https server with a certificate for 127.0.0.1, and write root.pem, with which it is trusted."""
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now, encoding = datetime.datetime.now(datetime.UTC), serialization.Encoding.PEM

    def certificate(subject, issuer, key, signer, *extensions):
        names = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (issuer, subject))
        made = x509.CertificateBuilder(*names, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        for extension in extensions:
            made = made.add_extension(extension, critical=False)
        return made.sign(signer, hashes.SHA256()).public_bytes(encoding)

    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    (folder / "root.pem").write_bytes(
        certificate("root", "root", root, root, x509.BasicConstraints(ca=True, path_length=None))
    )
    (folder / "cert.pem").write_bytes(certificate("server", "root", key, root, address))
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_the_session_of_the_documents(run, bucket, sample_data):
    import re
    import shlex

    text = (ROOT / "docs" / "larger.md").read_text().partition("## Files that live elsewhere")[2]
    steps = re.findall(r"^\$ losscli (.*)\n((?:(?![$`]).*\n)*)", text, re.MULTILINE)
    for name in ("digits_logits.npy", "digits_labels.npy", "digits_logits.csv", "digits_labels.csv"):
        bucket.put(f"digits/{name}", (sample_data / name).read_bytes())
    for i, part in enumerate(np.split(np.load(sample_data / "digits_logits.npy"), 4)):
        bucket.put(f"digits/shards/part-{i}.npy", npy(part))
    assert len(steps) == 4
    for words, expected in steps:
        outcome = run(*shlex.split(words))
        shown = outcome.out + outcome.err
        if outcome.code == 0:  # the last digits of float32 depend on the processor
            assert float(shown) == pytest.approx(float(expected), rel=1e-6)
        else:
            assert shown == expected
    assert bucket.get("results/losses.csv").startswith(b"sample,id,target,loss\n")
