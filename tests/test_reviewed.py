"""Corners that a cold reading of the engine found: each was wrong once."""

import io
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from drawn import drawn

from losscli.engine import job as job_module
from losscli.io import bytes as raw
from losscli.io import npy as npy_module
from losscli.lookup.names import find
from losscli.losses import LOSSES


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


class TestOneFileInTwoRoles:
    def test_a_glob_is_one_file_in_both(self, compute, write):
        write("v-1.csv", "p,w\n1,2\n3,0\n")
        write("v-2.csv", "p,w\n5,1\n")
        words = ("mse", "v-*.csv", "0", "--sample-weight", "v-*.csv:w", "-f", "value")
        assert compute(*words).value == (2 * 1 + 0 * 9 + 1 * 25) / 3

    def test_so_is_one_without_names(self, compute, write):
        write("z-1.csv", "1.5,0.5,1\n0.5,2.5,0\n")
        write("z-2.csv", "1.5,0.5,0\n")
        losses = np.log1p(np.exp([1.0, 2.0, -1.0]))
        assert compute("ce", "z-*.csv", "z-*.csv:3", "-f", "value").value == pytest.approx(losses.mean())

    def test_standard_input_is_no_output(self, folder, write):
        p = write("p.csv", "x\n1\n2\n")
        words = [sys.executable, "-m", "losscli", "compute", "mse", "-", "0", "-f", "csv", "-o", p]
        with (folder / p).open("rb") as file:
            done = subprocess.run(words, stdin=file, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "input of this very command" in done.stderr
        assert (folder / p).read_text() == "x\n1\n2\n"


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_no_loss_hides_a_nan(loss):
    """The look for faults begins with the losses, so that a NaN prediction must make a NaN loss."""
    made = drawn(loss, 3, 5)
    x = made.predictions.astype(np.float32)
    x.reshape(3, -1)[1, -1] = np.nan
    values, _ = loss.bind()(x, made.encoding.targets(made.targets), made.extras)
    # Index targets of losses that are sums over the classes look at the own class and at all together.
    assert np.isnan(values).tolist() == [False, True, False]


def test_zero_one_of_nan_is_refused(compute, save):
    p, t = save("p.npy", [0.5, 0.2, np.nan, 0.9]), save("t.npy", [0, 1, 1, 0])
    compute("zero-one", p, t).refuses(3, "p.npy[2]", "NaN")


class TestQuotes:
    def test_a_quote_inside_a_name_loses_no_rows(self, compute, write):
        p = write("h.csv", 'size 5",pred,lab\n1,10,0\n2" x,20,0\n3,30,0\n4,40,0\n')
        compute("l1", f"{p}:pred", f"{p}:lab").refuses(3, "h.csv:1", "quote")

    def test_a_quote_inside_a_cell_is_placed(self, compute, write):
        p = write("h.csv", 'size,pred\na,10\n5" disk,20\nb,30\n')
        compute("l1", f"{p}:pred", "0").refuses(3, "h.csv:3", "quote")


class TestZstandard:
    @pytest.mark.parametrize(
        "text",
        ['id,x\r\n"k\r\nl",1\r\nb,3\r\n', "id,x\na\x1fb,1\nc,3\n", 'id,x\n"a ""q""",1\nb,3', "id,x\na,1\nb,3\n\n"],
    )
    def test_is_the_text_that_was_compressed(self, compute, write, folder, text):
        import zstandard

        (folder / "x.csv.zst").write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
        plain = compute("l1", write("x.csv", text), "0", "--id", "id", "-f", "jsonl").out
        assert compute("l1", "x.csv.zst", "0", "--id", "id", "-f", "jsonl").out == plain

    def test_a_damaged_one_is_refused(self, compute, write, folder):
        import zstandard

        data = zstandard.ZstdCompressor().compress(b"x\n" + b"1\n" * 999)
        compute("l1", write("x.csv.zst", data[:9] + b"zzzz" + data[13:]), "0").refuses(3, "x.csv.zst", "compressed")


class TestPipes:
    def test_one_column_is_squeezed(self, compute, save):
        out = compute("mse", "-", save("t.npy", np.zeros(10)), "-f", "value", stdin=npy(np.full((10, 1), 3.0)))
        assert (out.code, out.value) == (0, 9.0)

    def test_features_are_read_more_than_once(self, run, save, folder):
        x = np.random.default_rng(0).normal(size=(30, 3))
        labels, centers = save("l.npy", np.arange(30) % 3), save("c.npy", np.eye(3))
        out = run("plot", "features", "-", labels, "--centers", centers, "-o", "x.svg", stdin=npy(x))
        assert out.code == 0, out.err
        assert (folder / "x.svg").exists()

    def test_an_archive_has_keys(self, compute, folder):
        np.savez(folder / "x.npz", a=np.array([1.0, 3.0]), b=np.zeros(2))
        data = (folder / "x.npz").read_bytes()
        assert compute("mse", "-:a", "0", "-f", "value", stdin=data).value == 5.0
        compute("mse", "-", "0", stdin=data).refuses(3, "2 arrays", "a, b")

    @pytest.mark.parametrize("limit", [0, 1 << 24])
    def test_parquet(self, compute, folder, monkeypatch, limit):
        import polars as pl

        monkeypatch.setattr(raw, "IN_MEMORY", limit)
        pl.DataFrame({"p": [1.0, 3.0]}).write_parquet(folder / "x.parquet")
        assert compute("mse", "-", "0", "-f", "value", stdin=(folder / "x.parquet").read_bytes()).value == 5.0


def test_a_block_of_ignored_rows_of_many_outputs(compute, save, monkeypatch):
    monkeypatch.setattr(job_module, "BLOCK_BYTES", 4 * 2048 * 4)
    x = np.random.default_rng(0).normal(size=(40, 2048)).astype(np.float32)
    y = np.arange(40)
    y[:20] = -100
    found = compute("bce", save("p.npy", x), save("t.npy", y), "--ignore-index", "-100").json
    assert (found["samples"], found["ignored"]) == (20, 20)


class TestParquetTypes:
    def write(self, folder, **columns):
        import polars as pl

        pl.DataFrame(columns).write_parquet(folder / "c.parquet")

    def test_categories_are_words(self, compute, folder):
        import polars as pl

        self.write(folder, c=pl.Series(["a", "b"], dtype=pl.Categorical), a=[1.0, 0.0], b=[0.0, 1.0])
        found = compute("ce", "c.parquet", "c.parquet:c", "--columns", "a,b").json
        assert found["receipt"]["targets"]["kind"] == "name"
        assert found["value"] == pytest.approx(np.log1p(np.exp(-1)))
        compute("mse", "c.parquet:c", "0").refuses(3, 'column "c"', "'a' is not a number")

    @pytest.mark.parametrize("cells", [[b"a", b"\xff"], [[1, 2], [3, 4]]], ids=["bytes", "lists"])
    def test_others_are_refused(self, compute, folder, cells):
        self.write(folder, c=cells, p=[1.0, 2.0])
        compute("mse", "c.parquet:c", "0").refuses(3, 'column "c"', "its cells are")
        compute("mse", "c.parquet:p", "0", "--id", "c").refuses(3, 'column "c"', "its cells are")


def test_a_header_of_an_absurd_shape_is_refused(compute, write):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f4", "fortran_order": False, "shape": (99999999999999999999,)}
    )
    compute("mse", write("x.npy", file.getvalue()), "0").refuses(3, "x.npy", "damaged")
    compute("mse", "-", "0", stdin=file.getvalue()).refuses(3, "standard input", "damaged")


def test_rows_as_objects_are_few_at_a_time(monkeypatch):
    from losscli.io import writers

    monkeypatch.setattr(writers, "RECORDS", 12)
    parts = list(writers.records({"sample": np.arange(10), "losses": np.zeros((10, 3))}))
    assert [len(part) for part in parts] == [3, 3, 3, 1]
    assert [row["sample"] for part in parts for row in part] == list(range(10))


def test_progress_is_wiped_before_notes_and_result(folder, save):
    """On a real terminal: what comes after the line of progress begins where that began."""
    p, t = save("p.npy", np.full((300_000, 20), 0.05)), save("t.npy", np.zeros(300_000, int))
    script = "import losscli.cli.progress as p; p.EVERY = 0.0; from losscli.cli.main import main; main()"
    main, side = pty.openpty()
    words = [sys.executable, "-c", script, "compute", "ce", p, t, "-f", "value"]
    with subprocess.Popen(words, stdin=side, stdout=side, stderr=side) as process:
        os.close(side)
        text = b""
        while True:
            try:
                piece = os.read(main, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        process.wait()
    os.close(main)
    lines = text.decode().replace("\r\n", "\n").split("\n")
    assert "rows (100 %)" in text.decode()
    assert lines[0].split("\r")[-1].startswith("losscli: warning:")
    assert lines[1].startswith("2.99")


def test_a_stream_that_is_squeezed_keeps_its_rows():
    stream = npy_module.StreamSource(
        "x", io.BytesIO(np.arange(4.0).tobytes()), (4, 1), np.dtype(float), np.dtype(float)
    )
    flat = npy_module.squeezed(stream)
    assert flat.take(0, 4).read(1, 3).tolist() == [1.0, 2.0]


def test_focal_slopes_are_computed_where_they_are_asked_for():
    """What makes a loss without its gradient cheap: the core gives a function, and nobody calls it."""
    value, slope = find("softmax-focal").core(find_chance(), 1.0, gamma=2.0)
    assert callable(slope)
    assert slope().shape == value.shape


def find_chance():
    from losscli.losses.probability import OfLogit

    return OfLogit(np.array([-1.0, 0.5, 3.0]))


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.parquet", "x.csv", "x.tsv"])
def test_an_empty_file_is_called_so(compute, write, name):
    compute("mse", write(name, ""), "0").refuses(3, name, "the file is empty")
