"""Outputs to a server of S3: whole or not at all, and nothing left on the server."""

import io
import os
import signal
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from servers import WebServer

pytest.importorskip("obstore", reason="files that live elsewhere need losscli[remote]")

from losscli.errors import DataError
from losscli.io.remote import output, store


@pytest.fixture(autouse=True)
def bucket(s3, monkeypatch):
    for name in [name for name in os.environ if name.startswith(store.VARIABLES)]:
        monkeypatch.delenv(name)
    for name, value in (
        ("NO_PROXY", "127.0.0.1"),
        ("AWS_ENDPOINT_URL", s3.url),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(store, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(store, "MOST_RETRIES", 2)
    for key in s3.list_keys():
        s3.send("DELETE", f"/bucket/{key}")
    yield s3
    assert s3.unfinished() == []


@pytest.fixture
def words(save):
    rng = np.random.default_rng(3)
    return ("l1", save("p.npy", rng.normal(size=2000)), save("t.npy", rng.normal(size=2000)))


class TestWhole:
    @pytest.mark.parametrize("suffix", [".json", ".csv", ".jsonl", ".npy", ".parquet", ".md"])
    def test_the_bytes_of_a_local_file(self, compute, bucket, words, folder, suffix):
        assert compute(*words, "-o", f"out{suffix}").code == 0
        assert compute(*words, "-o", f"s3://bucket/a/out{suffix}").code == 0
        if suffix == ".parquet":  # which a process need not write in the same order
            assert pl.read_parquet(io.BytesIO(bucket.get("a/out.parquet"))).equals(pl.read_parquet("out.parquet"))
        else:
            assert bucket.get(f"a/out{suffix}") == (folder / f"out{suffix}").read_bytes()
        assert bucket.list_keys() == [f"a/out{suffix}"]

    def test_gradients_in_several_parts(self, compute, bucket, save, folder, monkeypatch):
        monkeypatch.setattr(output, "PART", 5 << 20)  # the least that S3 takes
        p, t = save("p.npy", np.arange(1_500_000.0)), save("t.npy", np.zeros(1_500_000))
        assert compute("l2", p, t, "--gradient", "g.npy", "-o", "out.json").code == 0
        assert compute("l2", p, t, "--gradient", "s3://bucket/g.npy", "-o", "s3://bucket/out.json").code == 0
        assert bucket.get("g.npy") == (folder / "g.npy").read_bytes()

    def test_of_other_commands(self, run, bucket, save, folder):
        labels = np.random.default_rng(1).integers(0, 3, 300)
        t, p = save("t.npy", labels), save("p.npy", np.random.default_rng(0).normal(size=(300, 3)) + np.eye(3)[labels])
        for command, *words in (
            ("rank.json", p, t),
            ("targets.npy", t, "--classes", "3"),
            ("calibrate.csv", p, t),
            ("plot samples.svg", "ce", p, t),
        ):
            name, _, suffix = command.partition(".")
            words = ["ce", *words] if name == "rank" else words
            where = ("--apply", p, "-o") if name == "calibrate" else ("-o",)
            outcome = run(*name.split(), *words, *where, f"s3://bucket/{name[:4]}.{suffix}")
            assert outcome.code in (0, 1), outcome.err
        assert bucket.list_keys() == ["cali.csv", "plot.svg", "rank.json", "targ.npy"]
        assert bucket.get("plot.svg").startswith(b"<?xml")

    def test_a_requirement_that_is_not_met_is_written_too(self, compute, bucket, words):
        assert compute(*words, "--require", "mean <= 0", "-o", "s3://bucket/out.json").code == 1
        assert bucket.list_keys() == ["out.json"]


class TestNotAtAll:
    def test_a_fault_in_the_last_row(self, compute, bucket, save, folder):
        p = save("p.npy", [*range(5000), np.nan])
        found = compute("l1", p, save("t.npy", np.zeros(5001)), "-o", "s3://bucket/out.csv", "--gradient", "g.npy")
        found.refuses(3, "p.npy[5000]")
        assert bucket.list_keys() == []
        assert not (folder / "g.npy").exists()

    def test_the_old_object_stays(self, compute, bucket, save):
        bucket.put("out.csv", b"old")
        compute("l1", save("p.npy", [1.0, np.nan]), "0", "-o", "s3://bucket/out.csv").refuses(3, "p.npy[1]")
        assert bucket.get("out.csv") == b"old"

    def test_a_bucket_that_is_not_there_is_known_before_the_work(self, compute, words, folder):
        found = compute(*words, "-o", "s3://nobody/out.csv", "--gradient", "g.npy")
        found.refuses(
            3, "s3://nobody/out.csv: cannot be written: the server said 404 NoSuchBucket", "is the bucket's name right?"
        )
        assert not (folder / "g.npy").exists()

    def test_a_server_that_refuses(self, compute, words, monkeypatch):
        with WebServer() as web:  # which does not know how to write
            monkeypatch.setenv("AWS_ENDPOINT_URL", web.url)
            compute(*words, "-o", "s3://bucket/out.csv").refuses(
                3, "s3://bucket/out.csv: cannot be written: the server said 501"
            )

    def test_nothing_is_published_here_if_it_fails_there(self, compute, words, folder, monkeypatch):
        def fail(self):
            raise DataError("it broke off")

        monkeypatch.setattr(output.RemoteOutput, "publish", fail)
        found = compute(*words, "-o", "out.csv", "--gradient", "s3://bucket/g.npy")
        assert (found.code, found.out) == (3, "")
        assert "it broke off" in found.err
        assert not (folder / "out.csv").exists()

    def test_a_signal(self, started, bucket, folder):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (9,)})
        running = started("compute", "l1", "-", "0", "-o", "s3://bucket/out.csv", stdin=-1)
        running.stdin.write(header.getvalue())
        running.stdin.flush()
        until = time.monotonic() + 20
        while bucket.unfinished() != ["out.csv"]:
            assert time.monotonic() < until
            assert running.poll() is None, running.communicate()
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 143
        assert bucket.unfinished() == bucket.list_keys() == []


class TestPlaces:
    def test_an_input_is_not_overwritten(self, compute, bucket, words):
        bucket.put("p.npy", Path(words[1]).read_bytes())
        found = compute("l1", "s3://bucket/p.npy", words[2], "-o", "s3://bucket/p.npy")
        found.refuses(2, "s3://bucket/p.npy: is an input of this very command")

    def test_two_outputs_in_one_place(self, compute, words):
        found = compute(*words, "-o", "s3://bucket/a.npy", "--gradient", "s3://bucket/a.npy")
        found.refuses(2, "s3://bucket/a.npy: named for two outputs")

    @pytest.mark.parametrize(
        ("address", "message"),
        [
            ("https://server/out.csv", "web servers take no files"),
            ("s3://bucket/.csv/", "must be one of"),
            ("s3://.csv", "names no object"),
        ],
    )
    def test_places_that_are_none(self, compute, words, address, message):
        compute(*words, "-o", address).refuses(2, message)
