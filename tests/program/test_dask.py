"""`--cluster tcp://...`: a scheduler of Dask's with workers that are processes, some of which the tests kill."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from losscli.engine import cluster_dask, job, workers
from losscli.engine.cluster_dask import Dask

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'losscli[dask]'")
pytestmark = pytest.mark.filterwarnings("default")  # Dask and tornado have warnings of their own
ROWS = 400
CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers={workers}, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
SLOW = """
import os
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__)) + "/"


def slow(y_pred, y_true):
    until = time.monotonic() + 60
    while os.path.exists(HERE + "go") and threading.current_thread() is not threading.main_thread():  # in a worker
        open(HERE + f"seen-{os.getpid()}", "w").close()
        time.sleep(0.05)
        if time.monotonic() > until:
            break
    return (y_pred - y_true) ** 2
"""


def started_cluster(folder, number):
    """A cluster in a process of its own, and the address of its scheduler."""
    script = Path(folder) / "cluster.py"
    script.write_text(CLUSTER.format(workers=number))
    process = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return process, process.stdout.readline().decode().strip()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A cluster of two workers that all tests share."""
    process, where = started_cluster(tmp_path_factory.mktemp("dask"), 2)
    yield where
    process.communicate(b"", timeout=30)


@pytest.fixture(scope="module")
def two(address):
    """A connection to this cluster that all tests share."""
    with Dask(address) as cluster:
        yield cluster


@pytest.fixture
def doomed(tmp_path_factory):
    """A cluster of two workers whose test ends some of its processes: Dask does not always replace them."""
    process, where = started_cluster(tmp_path_factory.mktemp("doomed"), 2)
    yield process, where
    process.kill()
    process.communicate()


@pytest.fixture
def files(save, write, monkeypatch):
    monkeypatch.setattr(job, "CHUNK_ROWS", 20)
    rng = np.random.default_rng(0)
    for i in range(3):
        save(f"z{i}.npy", rng.normal(size=(ROWS // 4 * (1 + (i == 2)), 3)).astype(np.float32))
    save("y.npy", rng.integers(0, 3, ROWS))
    save("x.npy", rng.normal(size=ROWS))
    write("slow.py", SLOW)


CE = ("compute", "ce", "z*.npy", "y.npy", "-f", "json", "-q")
OWN = ("compute", "slow.py:slow", "x.npy", "0", "-f", "value", "-q")


@pytest.mark.usefixtures("files")
class TestDigits:
    @pytest.mark.parametrize(
        "words",
        [
            (*CE, "--gradient", "slopes.npy", "--per-sample"),
            ("check", "z*.npy", "y.npy", "-f", "json"),
            ("rank", "ce", "z*.npy", "y.npy", "-f", "json"),
        ],
        ids=lambda words: words[0],
    )
    def test_they_are_those_of_threads(self, run, two, words):
        here, slopes = run(*words), [path.read_bytes() for path in Path().glob("slopes.npy")]
        with workers.cluster(two):
            there = run(*words)
        assert there == here
        assert here.code == 0
        assert [path.read_bytes() for path in Path().glob("slopes.npy")] == slopes

    def test_the_address_may_come_from_the_environment(self, run, address, monkeypatch):
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
        assert run(*CE, "--cluster") == run(*CE)

    def test_progress_says_what_the_cluster_is(self, run, address):
        err = run(*CE[:-1], "--progress", "--cluster", address).err
        assert "rows (100 %)" in err
        assert "on 2 workers, 2 threads" in err


def begun(started, address, *more):
    """A command whose two workers are computing until the file `go` is gone, and the process ids of these."""
    np.save("x.npy", np.random.default_rng(1).normal(size=3_000_000))
    Path("go").touch()
    command = started(*OWN, "--cluster", address, *more)
    until = time.monotonic() + 30
    while len(seen()) < 2 and time.monotonic() < until and command.poll() is None:
        time.sleep(0.02)
    assert len(seen()) == 2, command.communicate()
    return command, sorted(seen())


def seen():
    """The process ids of the workers that have computed something."""
    return {int(path.name.removeprefix("seen-")) for path in Path().glob("seen-*")}


@pytest.mark.usefixtures("files")
class TestFaults:
    def test_a_worker_that_is_killed_in_the_middle(self, process, started, doomed):
        command, pids = begun(started, doomed[1])
        os.kill(pids[0], signal.SIGKILL)
        Path("go").unlink()
        out, err = command.communicate(timeout=60)
        assert (command.returncode, err) == (0, b"")
        assert out.decode() == process(*OWN).out

    def test_a_loss_that_kills_every_worker(self, run, doomed, write, monkeypatch):
        monkeypatch.setattr(cluster_dask, "WITHOUT", 20)
        write("dying.py", SLOW.replace("time.sleep(0.05)", "os.kill(os.getpid(), 9)"))
        Path("go").touch()
        with Dask(doomed[1]) as cluster, workers.cluster(cluster):
            found = run("compute", "dying.py:slow", "x.npy", "0", "-f", "value", "-q", "--gradient", "slopes.npy")
        found.refuses(3, "--cluster tcp://")
        # On a busy machine Dask may give up replacing workers that ended, before it gives up the work.
        assert re.search(
            "the worker ended each time that rows .* is memory short|has had no workers for 20 s", found.err
        )
        assert not [name for name in os.listdir() if "slopes" in name]

    def test_a_worker_whose_file_is_another_one(self, run, two, save, monkeypatch):
        whole = Dask.submit

        def submit(self, data):
            save("y.npy", np.zeros(ROWS, np.int64))
            return whole(self, data)

        monkeypatch.setattr(Dask, "submit", submit)
        with workers.cluster(two):
            run(*CE).refuses(3, "y.npy: ", "is another file on ")

    def test_a_scheduler_that_goes_away(self, started, doomed):
        cluster, where = doomed
        command, pids = begun(started, where, "--gradient", "slopes.npy")
        cluster.kill()
        out, err = command.communicate(timeout=60)
        for pid in pids:
            with suppress(ProcessLookupError):  # a worker may have ended by itself
                os.kill(pid, signal.SIGKILL)
        assert (command.returncode, out) == (3, b"")
        assert err.startswith(b"losscli: --cluster tcp://"), err
        assert err.count(b"\n") == 1, err
        assert b"the scheduler is gone" in err
        assert not [name for name in os.listdir() if "slopes" in name]

    def test_ctrl_c(self, started, address):
        command, _ = begun(started, address)
        command.send_signal(signal.SIGINT)
        assert command.communicate(timeout=20) == (b"", b"losscli: interrupted\n")
        Path("go").unlink()
        assert command.returncode == 130

    def test_no_scheduler(self, run, monkeypatch):
        monkeypatch.setattr(cluster_dask, "PATIENCE", 0.5)
        run(*CE, "--cluster", "tcp://127.0.0.1:9").refuses(
            3, "--cluster tcp://127.0.0.1:9: no scheduler of Dask answers"
        )
        for address in ("nonsense://x:1", "nonsense://x", "tcp://x"):
            run(*CE, "--cluster", address).refuses(2, f"--cluster {address}: not the address of a scheduler")

    def test_no_workers(self, run, monkeypatch, tmp_path_factory):
        monkeypatch.setattr(cluster_dask, "WITHOUT", 1)
        cluster, where = started_cluster(tmp_path_factory.mktemp("idle"), 0)
        run(*CE, "--cluster", where).refuses(3, "the scheduler has had no workers for 1 s", f"dask worker {where}")
        cluster.communicate(b"")
