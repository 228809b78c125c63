"""Memory that does not grow with the files."""

import subprocess
import sys
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from losscli.engine import evaluate as run
from losscli.engine import job as job_module
from losscli.engine import threads as threads_module
from losscli.engine.collectors.summary import Summaries, Summary
from losscli.io import npy as npy_module
from losscli.io.bytes import RawFile
from losscli.io.npy import NpySource
from losscli.io.source import MemorySource
from losscli.lookup.names import find


class Ready:
    """An executor that works at once, and counts results that nobody has taken yet."""

    _max_workers = 3

    def __init__(self):
        self.waiting = self.most = 0

    def submit(self, function, *words):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        made: Future[Any] = Future()
        made.set_result(function(*words))
        taken = made.result
        made.result = lambda: (setattr(self, "waiting", self.waiting - 1), taken())[1]  # type: ignore[method-assign]
        return made


class TestBounds:
    def job(self, n=1000, k=4):
        from losscli.data.target_encoding import TargetEncoding

        return job_module.Job(
            find("ce").bind(),
            MemorySource("p", np.zeros((n, k), np.float32)),
            MemorySource("t", np.zeros(n, np.int64)),
            TargetEncoding("index", "indices", k),
            np.dtype(np.float32),
        )

    def test_no_more_chunks_are_computed_ahead_than_there_are_workers(self, monkeypatch):
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 10)
        executor = Ready()
        assert run.evaluate(self.job(), [Summaries()], executor=executor)[Summary].samples == 1000
        assert executor.most == 5  # three, one to begin with when the first is done, and the one that is taken

    def test_many_threads_do_not_hold_more_than_a_few_chunks(self):
        job = self.job()
        assert job_module.threads_for(job, 64) == 1
        wide = MemorySource("p", np.broadcast_to(np.float32(0), (10_000_000, 4)))
        large = run.replace(job, predictions=wide)
        assert len(job_module.chunks(large)) == 39
        most = job_module.threads_for(large, 64)
        assert 8 <= most < 64
        assert most * job_module.CHUNK_ROWS * (16 + 64) <= job_module.IN_FLIGHT

    def test_chunks_cover_all_rows_once(self, monkeypatch):
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 33)
        bounds = job_module.chunks(self.job())
        assert bounds[0][0] == 0
        assert bounds[-1][1] == 1000
        assert all(before[1] == after[0] for before, after in pairwise(bounds))
        assert max(stop - start for start, stop in bounds) == 33

    def test_columns_are_read_in_long_enough_runs(self, folder, save):
        source = NpySource.open(RawFile("p", folder / save("p.npy", np.asfortranarray(np.zeros((1000, 3000))))), "p")
        assert source.grain == npy_module.FORTRAN_ROWS
        job = run.replace(self.job(1000, 3000), predictions=source, dtype=np.dtype(np.float64))
        assert job_module.chunks(job)[0] == (0, job_module.CHUNK_BYTES // 24_000)

    def test_the_default_is_the_cores_that_this_process_may_use(self, monkeypatch):
        monkeypatch.setattr(threads_module.os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
        assert threads_module.available_threads() == 3


PEAK = """
import os, sys
pid = os.posix_spawn(sys.executable, [sys.executable, "-m", "losscli", *sys.argv[1:]], os.environ)
_, status, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss // (1024 if sys.platform == "linux" else 1024**2), file=sys.stderr)
"""


def peak(*words):
    """Peak memory in MB of a command; `ru_maxrss` of a child of this large process would be this process's own."""
    done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, text=True, check=True)
    code, size = done.stderr.splitlines()[-1].split()
    return int(code), int(size), done.stdout


def sparse(path, shape, dtype=np.float32):
    """An array of zeros that takes no room on the disk."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        )
        file.truncate(file.tell() + int(np.prod(shape)) * np.dtype(dtype).itemsize)
    return str(path)


class TestFlatMemory:
    """Of files of 0.3 to 2 GB; the numbers are those of zeros, which mathematics knows."""

    @pytest.mark.parametrize(("n", "k"), [(30_000_000, 10), (4_000, 128_000)])
    def test_of_large_arrays(self, folder, n, k):
        p, t = sparse(folder / "p.npy", (n, k)), sparse(folder / "t.npy", (n,), np.int8)
        code, size, out = peak("compute", "ce", p, t, "-f", "value", "-o", "each.npy")
        assert (code, float(out)) == (0, pytest.approx(np.log(k), rel=1e-6))
        assert size < 250
        assert np.load("each.npy", mmap_mode="r").shape == (n,)

    def test_of_a_gradient_file(self, folder):
        p, t = sparse(folder / "p.npy", (300_000, 500)), sparse(folder / "t.npy", (300_000,), np.int8)
        code, size, _ = peak("compute", "ce", p, t, "-f", "value", "--gradient", "g.npy")
        assert code == 0
        assert size < 300

    @pytest.mark.parametrize("per", ["column", "file"])
    def test_of_masks_of_the_whole_file(self, folder, per):
        """Logits of 0 are probabilities of 1/2, of which none is right."""
        p, t = sparse(folder / "p.npy", (8_000_000, 8)), sparse(folder / "t.npy", (8_000_000, 8), np.int8)
        code, size, out = peak("compute", "dice", p, t, "--per", per, "-f", "value", "--gradient", "g.npy")
        assert (code, float(out)) == (0, 1)
        assert size < 250

    def test_of_images(self, folder):
        """Softmax of 4 equal logits: p = 1/4 and all pixels of the first class; I = n / 4, sum(p) = n, sum(t) = n."""
        p, t = sparse(folder / "p.npy", (30, 4, 1024, 1024)), sparse(folder / "t.npy", (30, 1024, 1024), np.uint8)
        words = ("--class-axis", "1", "--activation", "softmax", "-f", "value")
        code, size, out = peak("compute", "dice", p, t, *words)
        assert (code, float(out)) == (0, pytest.approx(0.75, rel=1e-7))
        assert size < 250

    def test_of_a_picture(self, folder):
        p, t = sparse(folder / "p.npy", (500_000, 500)), sparse(folder / "t.npy", (500_000,), np.int8)
        code, size, _ = peak("plot", "samples", "ce", p, t, "-o", "x.png")
        assert code == 0
        assert size < 350

    def test_of_a_wide_table(self, folder):
        row = ",".join(["0.5"] * 10_000) + "\n"
        (folder / "p.csv").write_text(row * 3000)
        np.save("t.npy", np.zeros(3000, np.int64))
        code, size, out = peak("compute", "ce", "p.csv", "t.npy", "-f", "value")
        assert (code, float(out)) == (0, pytest.approx(np.log(10_000)))
        assert size < 500

    def test_of_a_long_table_with_a_row_a_sample(self, folder):
        (folder / "p.csv").write_text("p\n" + "0.25\n" * 3_000_000)
        code, size, _ = peak("compute", "l1", "p.csv", "0", "-f", "value", "--per-sample", "-o", "each.parquet")
        assert code == 0
        assert size < 400
