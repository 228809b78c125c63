"""The engine: the same digits for any number of threads and any split into blocks."""

import io
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from by_hand import near
from drawn import drawn

from losscli.arrays import row_sums
from losscli.definition.batch import Indices
from losscli.engine import evaluate as run
from losscli.engine import in_memory as in_memory_module
from losscli.engine import job as job_module
from losscli.engine.collectors.summary import Summary
from losscli.io import bytes as raw
from losscli.io import writers
from losscli.io.bytes import RawFile, Reader, Spool, blocks_of
from losscli.io.npy import NpySource
from losscli.io.source import MemorySource, pieces
from losscli.lookup.names import find
from losscli.losses import LOSSES
from losscli.losses.probability import Known, lazy
from losscli.losses.softmax import Shares, _by_index, _every_class
from losscli.measurement.measure import essential

SEED = 20261124
GENERATOR = np.random.default_rng(SEED)
CLASSES = GENERATOR.normal(0, 3, (700, 7)).astype(np.float32)
LABELS = GENERATOR.integers(0, 7, 700)


@pytest.fixture(autouse=True)
def same_numbers(monkeypatch):
    """Random numbers that do not depend on which tests ran before."""
    monkeypatch.setattr(sys.modules[__name__], "GENERATOR", np.random.default_rng(SEED + 1))


def table(array, names):
    lines = [",".join(names), *(",".join(repr(float(x)) for x in row) for row in array)]
    return "\n".join(lines) + "\n"


def files_of(kind, save, write, folder):
    """The same logits and labels in files of a kind."""
    import polars as pl

    names = [f"c{i}" for i in range(7)]
    labels = save("labels.npy", LABELS)
    if kind == "npy":
        return save("logits.npy", CLASSES), labels
    if kind == "fortran":
        return save("logits.npy", np.asfortranarray(CLASSES)), labels
    if kind == "big-endian":
        return save("logits.npy", CLASSES.astype(">f4")), save("labels.npy", LABELS.astype(">i2"))
    if kind == "shards":
        for i, part in enumerate(np.array_split(CLASSES, 6)):
            save(f"shard-{i}.npy", part)
        return "shard-*.npy", labels
    if kind == "npz":
        np.savez(folder / "logits.npz", CLASSES)
        return "logits.npz", labels
    if kind == "compressed npz":
        np.savez_compressed(folder / "logits.npz", CLASSES)
        return "logits.npz", labels
    if kind == "csv":
        text = "\n".join(["label", *(f"c{y}" for y in LABELS)])
        return write("logits.csv", table(CLASSES, names)), write("labels.csv", text)
    if kind == "csv shards":
        for i, part in enumerate(np.array_split(CLASSES, 3)):
            write(f"shard-{i}.csv", table(part, names))
        return "shard-*.csv", labels
    frame = pl.DataFrame(dict(zip(names, CLASSES.T, strict=True)))
    frame.write_parquet(folder / "logits.parquet", row_group_size=64)
    return "logits.parquet", labels


KINDS = ["npy", "fortran", "big-endian", "shards", "npz", "compressed npz", "csv", "csv shards", "parquet"]


@pytest.mark.simd
class TestSameDigits:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("extra", [(), ("--label-smoothing", "0.1"), ("--class-weight", "balanced")], ids=str)
    def test_any_number_of_threads_prints_the_same(self, compute, save, write, folder, small_chunks, kind, extra):
        p, t = files_of(kind, save, write, folder)
        found = []
        for threads in ("1", "2", "5"):
            words = ("--gradient", "g.npy", "-o", "each.csv", "--threads", threads)
            out = compute("ce", p, t, *extra, *words)
            assert out.code == 0, out.err
            found.append((out.out, (folder / "g.npy").read_bytes(), (folder / "each.csv").read_bytes()))
        assert found[0] == found[1] == found[2]
        assert json.loads(found[0][0])["samples"] == 700

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_format_gives_the_losses_of_the_array(self, compute, save, write, folder, small_chunks, kind):
        p, t = files_of(kind, save, write, folder)
        assert compute("ce", p, t, "-o", "each.npy").code == 0
        expected, _ = find("ce").bind()(CLASSES.astype(np.load("each.npy").dtype), Indices(LABELS))
        assert np.load("each.npy").tolist() == expected.tolist()

    @pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_a_rows_loss_does_not_depend_on_its_block(self, loss, dtype):
        bound = loss.bind()
        for k in (2, 10, 1500 if loss.family.name == "softmax" else 120):  # more than are summed at once
            made = drawn(loss, 40, k, k, elements=True)
            x, targets, extras = made.predictions.astype(dtype), made.encoding.targets(made.targets), made.extras
            whole, slopes = bound(x, targets, extras, gradient=True)
            for rows in (1, 3, 7, 40):
                parts = [
                    bound(
                        x[here],
                        in_memory_module._cut(targets, here),
                        in_memory_module._of_rows(extras, here),
                        gradient=True,
                    )
                    for here in (slice(a, a + rows) for a in range(0, 40, rows))
                ]
                assert np.concatenate([value for value, _ in parts]).tolist() == whole.tolist()
                assert np.concatenate([slope for _, slope in parts]).tolist() == slopes.tolist()

    @pytest.mark.parametrize("extra", [(), ("--ignore-index", "-1")], ids=["all", "some ignored"])
    @pytest.mark.parametrize("rows", [(), ("-o", "each.csv")], ids=["result", "rows"])
    @pytest.mark.parametrize(
        ("loss", "shape"),
        [("ce", "labels"), ("ce", "soft"), ("bce", "outputs"), ("huber", "outputs"), ("bce", "labels")],
    )
    def test_one_chunk_and_many_are_the_same_measurement(self, compute, save, monkeypatch, loss, shape, rows, extra):
        """Weights, baselines, ignored rows and percentiles are put together from blocks; nothing is lost between them."""
        soft = GENERATOR.dirichlet(np.ones(7), 700)
        targets = {
            "labels": np.where(LABELS == 3, -1, LABELS) if extra else LABELS,
            "soft": soft,
            "outputs": soft > 0.2,
        }
        if extra and shape != "labels":
            pytest.skip("rows of targets have no label to ignore")
        p, t = save("p.npy", CLASSES), save("t.npy", targets[shape].astype(float))
        w = save("w.npy", GENERATOR.random(700))
        weights = () if loss == "huber" else ("--class-weight", "0=3,5=0.5")
        words = (loss, p, t, "--sample-weight", w, *weights, *rows, *extra)
        whole = compute(*words, "--threads", "1").json
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 60)
        monkeypatch.setattr(job_module, "BATCH_BYTES", 9 * 7 * 4)
        monkeypatch.setattr(job_module, "ELEMENTWISE", 1)
        parts = compute(*words, "--threads", "2").json
        for key in ("value", "numerator", "denominator", "samples", "ignored"):
            assert parts[key] == pytest.approx(whole[key], rel=1e-13), key
        assert parts["summary"] == pytest.approx(whole["summary"], rel=1e-12)
        if whole["baseline"]:
            assert parts["baseline"]["value"] == pytest.approx(whole["baseline"]["value"], rel=1e-12)
            assert parts["baseline"]["prediction"] == pytest.approx(whole["baseline"]["prediction"], rel=1e-12)
        assert whole["denominator"] != pytest.approx(whole["samples"], rel=0.01)

    @pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
    @pytest.mark.parametrize("threads", [1, 3])
    def test_in_memory_is_the_same_as_at_once(self, loss, threads, monkeypatch):
        monkeypatch.setattr(job_module, "BATCH_BYTES", 300)
        monkeypatch.setattr(job_module, "CHUNK_BYTES", 900)
        made = drawn(loss, 101, 4)
        x, targets, extras = made.predictions.astype(np.float32), made.encoding.targets(made.targets), made.extras
        bound = loss.bind()
        values, slopes = in_memory_module.in_memory(bound, x, targets, extras, gradient=True, threads=threads)
        expected, expected_slopes = bound(x, targets, extras, gradient=True)
        assert values.tolist() == expected.tolist()
        assert slopes.tolist() == expected_slopes.tolist()
        assert in_memory_module.in_memory(bound, x, targets, extras)[1] is None
        mean = in_memory_module.mean_in_memory(bound, x, targets, extras, threads)
        assert mean == pytest.approx(float(np.mean(expected, dtype=np.float64)), rel=1e-6)


@pytest.mark.simd
class TestFastPaths:
    """Index targets of logits touch one class a row; the plain path evaluates the core for every class."""

    @pytest.mark.parametrize("name", ["softmax-cross-entropy", "kl-divergence", "softmax-focal"])
    @pytest.mark.parametrize("smooth", [0.0, 0.1, 0.9])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("k", [2, 10, 1025, 2048])
    def test_equal_the_plain_one(self, name, smooth, dtype, k):
        bound = find(name).bind()
        if smooth and not bound.declaration.linear:
            pytest.skip("a core that is not linear has no fast path for smoothed targets")
        z = GENERATOR.normal(0, 4, (50, k)).astype(dtype)
        targets = Indices(GENERATOR.integers(0, k, 50), 1 - smooth + smooth / k, smooth / k)
        with np.errstate(all="ignore"):  # as BoundLoss has it: 0 log 0
            value, slopes = _by_index(bound, z, targets, True)
            plain, plain_slopes = _every_class(bound, z.astype(np.longdouble), targets, "logits", True)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(value, plain.astype(float), rtol=16 * eps, atol=8 * eps)
        np.testing.assert_allclose(slopes, plain_slopes.astype(float), rtol=16 * eps, atol=2 * eps * (1 / k + smooth))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize(("on", "off"), [(1.0, 0.0), (0.925, 0.025)])
    def test_rows_out_of_its_range_are_those_of_the_plain_one(self, dtype, on, off):
        edge = 800.0 if dtype == np.float64 else 90.0
        inf, nan = np.inf, np.nan
        z = [[edge, 0, 0, 0], [-edge] * 4, [0, edge, -edge, 0], [-inf, 1, 2, 3], [inf, 0, 0, 0], [nan, 0, 0, 0]]
        z = np.array([*z, [-inf] * 4, [0, 1, 2, 3], [30, -30, 0, 0]], dtype)
        bound, targets = find("ce").bind(), Indices(np.zeros(len(z), int), on, off)
        with np.errstate(all="ignore"):
            value, slopes = _by_index(bound, z, targets, True)
            plain, plain_slopes = _every_class(bound, z, targets, "logits", True)
            odd = Shares.of(z, targets.index).out_of_range()
            alone = [len(Shares.of(row[None, :], np.zeros(1, int)).out_of_range()) for row in z]
        assert odd.tolist() == [0, 1, 2, 3, 4, 5, 6]
        assert alone == [1] * 7 + [0] * 2
        np.testing.assert_array_equal(value[odd], plain[odd])
        np.testing.assert_array_equal(slopes[odd], plain_slopes.astype(dtype)[odd])

    def test_a_faint_slope_of_a_focal_loss_keeps_its_digits(self):
        """p of the true class is 1 - 1e-13: (1 - p)^2 alone is 1e-26, and its product with 1 / sum(e) is below float32."""
        z = np.array([[60.0, 30.0, 29.0]], np.float32)
        _, slopes = find("softmax-focal").bind()(z, Indices(np.array([0])), gradient=True)
        _, wide = find("softmax-focal").bind()(z.astype(np.float64), Indices(np.array([0])), gradient=True)
        np.testing.assert_allclose(slopes, wide, rtol=1e-5)
        assert (slopes != 0).all()

    @pytest.mark.parametrize("loss", [loss for loss in LOSSES.values() if loss.linear], ids=lambda loss: loss.name)
    def test_what_is_declared_linear_is(self, loss):
        t = np.linspace(0, 1, 11)
        with np.errstate(all="ignore"):
            at_zero = loss.core(Known(0 * t, 1 + 0 * t, 0 * t), t)[0]
            for l in (-1e-9, -0.3, -20.0):
                value, slope = loss.core(Known(l + 0 * t, np.exp(l) + 0 * t, 1 - np.exp(l) + 0 * t), t)
                np.testing.assert_allclose(value, -t * l + at_zero, rtol=1e-14, atol=1e-16)
                np.testing.assert_array_equal(slope, -t)

    def test_long_rows_of_float32_keep_their_digits(self):
        terms = GENERATOR.random((3, 128_000)).astype(np.float32)
        np.testing.assert_allclose(row_sums(terms), terms.sum(axis=1, dtype=np.float64), rtol=1e-7)
        for columns in (1023, 1024, 1025, 4096):
            np.testing.assert_allclose(
                row_sums(terms[:, :columns]), terms[:, :columns].astype(float).sum(axis=1), rtol=1e-6
            )


def test_a_lazy_property_makes_no_thread_wait_for_another():
    """functools.cached_property of Python 3.11 does: it holds one lock for all instances while one is computed."""
    both = threading.Barrier(2, timeout=20)

    class Two:
        @lazy
        def value(self):
            return both.wait()

    with ThreadPoolExecutor(2) as executor:
        assert sorted(executor.map(lambda made: made.value, [Two(), Two()])) == [0, 1]
    calls = []

    class Once:
        @lazy
        def value(self):
            calls.append(1)
            return 5

    made = Once()
    assert (made.value, made.value, calls) == (5, 5, [1])


@pytest.mark.parametrize("kind", ["npy", "fortran", "npz", "shards", "csv", "csv shards"])
def test_a_job_of_files_goes_to_another_process(kind, save, write, folder, small_chunks):
    """As to Dask's executors: what a chunk needs is in the job, and files are opened where they are read."""
    import pickle

    from losscli.definition.request import Request
    from losscli.measurement.prepare import prepare

    job = prepare(Request(find("ce").bind(), *files_of(kind, save, write, folder))).job
    sent = pickle.loads(pickle.dumps(job))
    bounds = job_module.chunks(job)
    assert bounds == job_module.chunks(sent)
    assert len(bounds) > 2
    for start, stop in bounds[1:3]:
        here, there = (run.evaluate_chunk(one, essential(job), start, stop).aggregate[Summary] for one in (job, sent))
        assert (here.weighted, here.samples) == (there.weighted, there.samples)


class TestThreadsOption:
    @pytest.mark.parametrize("threads", ["0", "-2"])
    def test_none_is_refused(self, compute, tiny, threads):
        compute("ce", *tiny, "--threads", threads).refuses(2, "--threads", "1 or more")

    def test_is_no_part_of_the_receipt(self, compute, tiny):
        assert compute("ce", *tiny, "--threads", "3").out == compute("ce", *tiny).out

    def test_pictures_take_it(self, run, tiny, folder):
        assert run("plot", "samples", "ce", *tiny, "-o", "x.svg", "--threads", "2", "--no-progress").code == 0


class TestFiles:
    def test_a_file_that_changes_while_it_is_read_publishes_nothing(self, folder, save, run, monkeypatch):
        p, t = save("p.npy", np.zeros((300, 2))), save("t.npy", np.zeros(300, int))
        chunk = sys.modules["losscli.engine.evaluate"].evaluate_chunk

        def meddled(*words):
            with (folder / p).open("r+b") as file:
                file.seek(-8, 2)
                file.write(np.float64(5).tobytes())
            os.utime(folder / p, ns=(1, 1))
            return chunk(*words)

        monkeypatch.setattr("losscli.engine.evaluate.evaluate_chunk", meddled)
        run("compute", "ce", p, t, "-o", "x.npy").refuses(3, "p.npy", "changed while it was read")
        assert not (folder / "x.npy").exists()

    def test_many_shards_are_not_kept_open(self, compute, save, folder):
        for i in range(130):
            save(f"p-{i}.npy", np.full((2, 2), float(i)))
        found = compute("ce", "p-*.npy", save("t.npy", np.zeros(260, int))).json
        assert found["samples"] == 260
        assert found["value"] == pytest.approx(np.log(2))

    def test_a_spool_goes_to_the_disk_when_it_is_large(self, monkeypatch):
        monkeypatch.setattr(raw, "IN_MEMORY", 100)
        made = Spool("x")
        for i in range(50):
            made.write(bytes([i]) * 10)
        assert made._file is not None
        assert made.size == 500
        assert (
            b"".join(map(bytes, blocks_of(made, 95, 305, 100))) == b"".join(bytes([i]) * 10 for i in range(50))[95:305]
        )
        made.write_at(b"zz", 498)
        assert made.read(496, 4) == b"11zz"

    @pytest.mark.parametrize("limit", [0, 1 << 20])
    def test_bytes_of_a_spool_can_be_written_in_any_order(self, monkeypatch, limit):
        monkeypatch.setattr(raw, "IN_MEMORY", limit)
        made = Spool("x")
        made.allocate(10)
        made.write_at(b"cd", 2)
        made.write_at(b"ab", 0)
        assert made.read(0, 10) == b"abcd" + bytes(6)

    def test_a_full_disk_is_one_line(self, compute, tiny, monkeypatch):
        def full(*words):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(raw, "IN_MEMORY", 0)
        monkeypatch.setattr(raw.os, "pwrite", full)
        data = b"a,b\n1,2\n"
        compute("ce", "-", tiny[1], stdin=data).refuses(3, "No space left", "TMPDIR")

    def test_a_reader_seeks_as_files_do(self):
        spool = Spool("x")
        spool.write(b"0123456789")
        file = Reader(spool)
        assert (file.read(3), file.tell(), file.seek(-2, 2), file.read(), file.seek(1), file.seek(1, 1)) == (
            b"012", 3, 8, b"89", 1, 2,
        )  # fmt: skip

    def test_pieces_of_a_file_share_one_buffer(self, folder, save):
        array = GENERATOR.random((20, 3))
        source = NpySource.open(RawFile("p", folder / save("p.npy", array)), "p")
        found = [(first, part.copy(), part.ctypes.data) for first, part in pieces(source, 2, 18, 5)]
        assert [first for first, *_ in found] == [2, 7, 12, 17]
        assert np.concatenate([part for _, part, _ in found]).tolist() == array[2:18].tolist()
        assert len({address for *_, address in found}) == 1


class TestManyRows:
    """Rows of per-sample output pass through files; what comes out is the same as of a few."""

    def test_json_and_markdown(self, compute, save, small_chunks, monkeypatch):
        monkeypatch.setattr(raw, "IN_MEMORY", 64)
        p, t = save("p.npy", CLASSES), save("t.npy", LABELS)
        found = compute("ce", p, t, "--per-sample", "-o", "x.md").json
        lines = compute("ce", p, t, "-f", "jsonl").lines
        assert found["rows"] == lines
        assert len(lines) == 700
        assert [row["sample"] for row in lines] == list(range(700))
        shown = [line for line in Path("x.md").read_text().splitlines() if line.startswith("| 6")]
        assert len(shown) == 111

    def test_parquet(self, compute, save, small_chunks, monkeypatch):
        import polars as pl

        monkeypatch.setattr(writers, "PART_CELLS", 300)
        p, t = save("p.npy", CLASSES), save("t.npy", LABELS)
        assert compute("ce", p, t, "-o", "x.parquet").code == 0
        assert compute("ce", p, t, "-o", "x.csv").code == 0
        written = pl.read_parquet("x.parquet")
        assert written["sample"].to_list() == list(range(700))
        np.testing.assert_array_equal(
            written["loss"].to_numpy(), pl.read_csv("x.csv")["loss"].cast(pl.Float32).to_numpy()
        )

    def test_an_array_to_a_pipe(self, folder, save, small_chunks):
        p, t = save("p.npy", CLASSES), save("t.npy", LABELS)
        words = [
            sys.executable,
            "-m",
            "losscli",
            "compute",
            "ce",
            p,
            t,
            "-f",
            "value",
            "-q",
            "--gradient",
            "/dev/stderr",
        ]
        done = subprocess.run(words, capture_output=True, check=True)
        assert np.load(io.BytesIO(done.stderr)).shape == CLASSES.shape


def test_errors_of_a_worker_are_those_of_the_first_bad_chunk(compute, write, small_chunks):
    cells = [["0.5"] * 3 for _ in range(900)]
    cells[700][1] = "x"
    cells[400][2] = "y"
    p = write("p.csv", "\n".join(["a,b,c", *map(",".join, cells)]))
    out = compute("ce", p, write("t.csv", "label\n" + "a\n" * 900), "--threads", "3")
    out.refuses(3, "p.csv:402", '"c"', "'y'")


class TestBlocks:
    @pytest.mark.parametrize("loss", ["mse", "l1", "huber", "bce"])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_blocks_change_nothing_but_the_last_digit(self, compute, save, monkeypatch, loss, reduction):
        generator = np.random.default_rng(5)
        t = np.tile([0, 1, 1, 0, -1, 1], 10)
        words = (loss, save("p.npy", generator.normal(size=60)), save("t.npy", t), "--ignore-index", "-1")
        words += ("--sample-weight", save("w.npy", generator.integers(0, 3, 60)), "--reduction", reduction)
        whole = compute(*words).json
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", 3 * 8)
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 9 * 8)
        split = compute(*words).json
        for key in ("value", "numerator", "denominator", "samples", "ignored", "summary", "baseline"):
            assert split[key] == (None if whole[key] is None else near(whole[key])), key


def test_a_block_of_ignored_rows_of_many_outputs(compute, save, monkeypatch):
    monkeypatch.setattr(job_module, "BATCH_BYTES", 4 * 2048 * 4)
    x = np.random.default_rng(0).normal(size=(40, 2048)).astype(np.float32)
    y = np.arange(40)
    y[:20] = -100
    found = compute("bce", save("p.npy", x), save("t.npy", y), "--ignore-index", "-100").json
    assert (found["samples"], found["ignored"]) == (20, 20)


@pytest.mark.parametrize("gradient", [False, True])
def test_every_loss_takes_a_batch_of_which_no_row_exists(gradient):
    for loss in LOSSES.values():
        data = drawn(loss, 3, SEED)
        nothing = MemorySource("mask", np.zeros(len(data.targets), bool))
        chunk = run.evaluate_chunk(
            data.job(loss, np.float64, gradient=gradient, mask=nothing), [], 0, len(data.targets)
        )
        assert not sum(len(rows.loss) for rows in chunk.rows), loss.name


@pytest.mark.parametrize("threads", ["1", "2"])
def test_columns_of_a_piped_array(compute, folder, save, threads):
    save("p.npy", np.arange(12.0).reshape(4, 3))
    words = (save("t.npy", np.zeros(4)), "--columns", "2", "--threads", threads)
    found = compute("mse", "-", *words, stdin=(folder / "p.npy").read_bytes())
    assert found.json["value"] == (1 + 4**2 + 7**2 + 10**2) / 4
