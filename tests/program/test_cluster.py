"""`--cluster`: other processes compute the chunks, with the digits of threads, and what goes wrong there is one line here.

tests/program/test_dask.py does the same with Dask.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import losscli
from losscli.engine import errand, job, workers
from losscli.engine.cluster import SHARES, Cluster, LostError, _Plan
from losscli.engine.cluster_executor import OfExecutor
from losscli.engine.cluster_local import SERVE, LocalProcesses
from losscli.engine.outlet import Outlet, delivered
from losscli.errors import DataError
from losscli.io.bytes import RawFile
from losscli.io.npy import NpySource
from losscli.io.source import ShardedSource
from losscli.io.travel import Travellers

ROWS = 600


@pytest.fixture(scope="module")
def processes():
    """Two processes that all tests of this file share."""
    with LocalProcesses("local:2", 2) as two:
        yield two


@pytest.fixture
def chunks(monkeypatch):
    """Chunks of 50 rows."""
    monkeypatch.setattr(job, "CHUNK_ROWS", 50)


@pytest.fixture
def on(processes, run):
    """Run a command line on the processes."""

    def call(*words, **how):
        with workers.cluster(processes):
            return run(*words, **how)

    return call


@pytest.fixture
def files(save, write):
    """Files of several formats for the same 600 rows of three classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, ROWS)
    logits = (rng.normal(size=(ROWS, 3)) + 2 * np.eye(3)[labels]).astype(np.float32)
    save("z.npy", logits)
    save("w.npy", rng.normal(size=(ROWS, 3)).astype(np.float32) + 3 * np.eye(3, dtype=np.float32)[labels])
    save("y.npy", labels)
    save("weight.npy", rng.uniform(0.5, 2, ROWS))
    for i, (low, high) in enumerate([(0, 130), (130, 131), (131, 600)]):
        save(f"z-{i}.npy", logits[low:high])
        save(f"y-{i}.npy", labels[low:high])
    order = rng.permutation(ROWS)
    names = np.array(["cat", "dog", "owl"])
    head = "id,cat,dog,owl\n"
    write("z.csv", head + "".join(f"k{i},{','.join(map(repr, row.tolist()))}\n" for i, row in enumerate(logits)))
    write("y.csv", "id,label\n" + "".join(f"k{i},{names[labels[i]]}\n" for i in order[:-9]))
    write("groups.csv", "query\n" + "".join(f"q{i // 7}\n" for i in range(ROWS)))
    images = rng.normal(size=(40, 3, 5, 4)).astype(np.float32)
    save("image.npy", images)
    save("mask.npy", rng.integers(0, 3, (40, 5, 4)))
    save("x.npy", rng.normal(size=ROWS))
    save("t.npy", rng.normal(size=ROWS))
    save("time.npy", rng.uniform(1, 9, ROWS))
    save("event.npy", rng.integers(0, 2, ROWS))
    write(
        "own.py",
        "import numpy as np\n\ndef pinball(y_pred, y_true):\n    r = y_true - y_pred\n    return np.maximum(0.3 * r, -0.7 * r)\n",
    )
    write("suite.toml", '[measure.one]\nloss = "ce"\npredictions = "z.npy"\ntargets = "y.npy"\n')
    return logits, labels


CE = "compute ce z.npy y.npy -f json"
COMMANDS = [
    CE,
    f"{CE} --per-sample --gradient slopes.npy -o out.csv",
    f"{CE} -o out.npy --gradient slopes.csv",
    f"{CE} --sample-weight weight.npy --class-weight 0=2 --label-smoothing 0.1 --ignore-index 2 --gradient slopes.npy",
    "compute ce z-*.npy y-*.npy -f json --gradient slopes.npy",
    "compute ce z.csv y.csv --id id --on-unmatched drop -f json --gradient slopes.npy -o out.jsonl",
    "compute ce z.npy y.npy --plus 0.5*focal -f json",
    "compute ce z.npy y.npy --as torch,keras -f json",
    "compute mse x.npy t.npy -f json -o out.parquet",
    "compute mse x.npy t.npy --per file --gradient slopes.npy -f json",
    "compute ce image.npy mask.npy --class-axis 1 --gradient slopes.npy -f json -o out.npy",
    "compute ce image.npy mask.npy --class-axis 1 --per sample -f json",
    "compute dice image.npy mask.npy --class-axis 1 --activation softmax --gradient slopes.npy -f json",
    "compute dice image.npy mask.npy --class-axis 1 --activation softmax --per class --gradient slopes.npy -f json",
    "compute lovasz-softmax image.npy mask.npy --class-axis 1 --per file -f json",
    "compute cox x.npy time.npy --event event.npy --gradient slopes.npy -f json",
    "compute list-net x.npy t.npy --group groups.csv:query --gradient slopes.npy -f json",
    "compute own.py:pinball x.npy t.npy -f json --gradient slopes.npy",
    "check z.npy y.npy -f json",
    "check z.csv y.csv --id id --on-unmatched drop -f json",
    "rank ce z.npy y.npy -f json --by class",
    "compare ce z.npy w.npy --targets y.npy -f json --resamples 100",
    "calibrate z.npy y.npy -f json",
    "run suite.toml -f json",
    "plot samples ce z.npy y.npy -o out.svg",
    "plot residuals x.npy t.npy -o out.svg",
    "plot reliability z.npy y.npy -o out.svg",
    "plot compare ce z.npy w.npy --targets y.npy -o out.svg",
    "verify own.py:pinball x.npy t.npy --against quantile:tau=0.3 -f json",
    "centers z.npy y.npy -o out.npy -f json",
]
OUTPUTS = ("out.csv", "out.npy", "out.jsonl", "out.parquet", "out.svg", "slopes.npy", "slopes.csv")


def made():
    """The outputs that are there, by name, which are then removed."""
    found = {name: Path(name).read_bytes() for name in OUTPUTS if Path(name).exists()}
    for name in found:
        Path(name).unlink()
    return found


@pytest.mark.usefixtures("files", "chunks")
@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_prints_and_writes_the_same_bytes_as_threads(run, on, processes, line):
    here, files_here = run(*line.split()), made()
    assert here.code == 0, here.err
    before = processes.handed
    there, files_there = on(*line.split()), made()
    assert (there.code, there.out) == (here.code, here.out), there.err
    assert files_there == files_here
    if "lovasz" in line or "cox" in line:
        assert " needs all rows at once, and was computed here, not on local:2" in there.err
    else:
        assert (processes.handed > before, there.err) == (True, here.err)


def test_what_became_of_the_work_of_an_executor():
    cluster = OfExecutor("my:executor", lambda: ThreadPoolExecutor(1))
    pending, cancelled, done, wrong, broken, bare = (Future() for _ in range(6))
    cancelled.cancel()
    done.set_result(b"answer")
    wrong.set_exception(ValueError("no such loss"))
    broken.set_exception(BrokenExecutor("it was killed"))
    bare.set_exception(BrokenExecutor())
    assert [cluster.lost(one) for one in (pending, cancelled, done, wrong, broken, bare)] == [False] * 4 + [True] * 2
    assert cluster.result(done) == b"answer"
    for one, reason in ((broken, "^it was killed$"), (bare, "^BrokenExecutor$"), (cancelled, "^CancelledError$")):
        with pytest.raises(LostError, match=reason):
            cluster.result(one)
    with pytest.raises(DataError, match=r"--cluster my:executor: .*\(ValueError: no such loss\)"):
        cluster.result(wrong)


def test_a_process_ends_with_the_one_that_started_it():
    """Which closes the pipe, however it ends."""
    words = [sys.executable, "-P", "-c", SERVE, json.dumps(sys.path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as started:
        started.stdin.close()
        try:
            assert started.wait(timeout=30) == 0
        finally:
            started.kill()


@pytest.mark.usefixtures("files", "chunks")
class TestInputs:
    def test_an_array_from_a_pipe(self, run, on):
        stdin = Path("z.npy").read_bytes()
        assert on(*["compute", "ce", "-", "y.npy", "-f", "json"], stdin=stdin) == run(
            *["compute", "ce", "-", "y.npy", "-f", "json"], stdin=stdin
        )

    def test_a_compressed_table(self, run, on):
        import gzip

        Path("z.csv.gz").write_bytes(gzip.compress(Path("z.csv").read_bytes()))
        words = [
            "compute",
            "ce",
            "z.csv.gz",
            "y.npy",
            "--columns",
            "cat,dog,owl",
            "--classes",
            "cat,dog,owl",
            "-f",
            "json",
        ]
        assert on(*words) == run(*words)

    def test_arrays_of_a_program(self, files, processes):
        here = losscli.compute("ce", *files, gradient=True)
        with losscli.cluster(processes):
            there = losscli.compute("ce", *files, gradient=True)
        assert there.to_dict() == here.to_dict()
        assert (there.gradient == here.gradient).all()

    def test_the_first_error_of_a_table_is_the_same_with_all_that_is_known_of_it(self, run, on, write):
        write("bad.csv", "id,x\n" + "".join(f"{i},{'oops' if i in (70, 71, 400) else i}\n" for i in range(ROWS)))
        words = ["compute", "mse", "bad.csv:x", "t.npy"]
        here = run(*words)
        assert "bad.csv:72" in here.err
        assert "2 more cells" in here.err
        assert on(*words) == here

    def test_an_executor_of_another_library(self, run):
        here = run(*CE.split())
        with ProcessPoolExecutor(2) as executor, workers.cluster(executor):
            assert run(*CE.split()) == here
            assert executor.submit(int).result() == 0  # it stays open

    def test_a_cluster_ends_with_its_context(self, files):
        with losscli.cluster("local:1"):
            assert workers.current() is not None
        assert workers.current() is None


def test_what_is_kept_from_the_client_is_small(save):
    shards = [
        NpySource.open(RawFile(f"s{i}.npy", Path(save(f"s{i}.npy", np.zeros((3, 2)))), False), f"s{i}.npy")
        for i in range(40)
    ]
    whole = ShardedSource("s*.npy", shards)
    some = Travellers().of(whole, 31, 35)
    assert len(pickle.dumps(some)) < 1500 < len(pickle.dumps(whole)) / 5
    assert some.shape == (120, 2)
    assert some.read(31, 35).shape == (4, 2)
    assert pickle.loads(pickle.dumps(some)).place(33) == "s11.npy[0]"


def test_the_result_of_a_chunk_may_be_anything():
    answer = pickle.loads(errand.run(errand.packed(errand.Errand(max, (), [(0, 5), (5, 9)]))))
    assert (answer.results, answer.error) == ([5, 9], None)


def test_an_errand_is_about_a_second_and_at_most_a_quarter_of_a_share():
    plan = _Plan([(i, i + 1) for i in range(10_000)], single=False)
    assert len(plan.take(8)) == 1
    plan.learn(0.01, 1)
    assert len(plan.take(8)) == 100
    plan.learn(1e-4, 1)
    plan.learn(1e-4, 1)
    plan.learn(1e-4, 1)
    assert len(plan.take(8)) == 10_000 // (SHARES * 8)
    while plan.left:
        last = plan.take(8)
    assert len(last) == 1


class TestFiles:
    def test_a_file_is_found_from_another_folder(self, save, monkeypatch, tmp_path):
        raw = RawFile("a.npy", Path(save("a.npy", np.arange(5))))
        sent = pickle.dumps(raw)
        monkeypatch.chdir("/")
        assert pickle.loads(sent).size == raw.size

    def test_another_file_is_refused(self, save):
        sent = pickle.dumps(RawFile("a.npy", Path(save("a.npy", np.arange(5)))))
        status = os.stat("a.npy")
        save("a.npy", np.arange(5) + 1)
        os.utime("a.npy", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
        with pytest.raises(DataError, match=r"a\.npy: .*a\.npy is another file on .*changed at another time.*cp -p"):
            pickle.loads(sent)
        save("a.npy", np.arange(6))
        with pytest.raises(DataError, match=r"another file on .* \(176 bytes and not 168\)"):
            pickle.loads(sent)

    def test_a_copy_with_its_time_is_the_same_file(self, save):
        sent = pickle.dumps(RawFile("a.npy", Path(save("a.npy", np.arange(5)))))
        subprocess.run(["cp", "-p", "a.npy", "b.npy"], check=True)
        os.replace("b.npy", "a.npy")
        pickle.loads(sent)

    def test_a_file_that_is_not_there_is_refused(self, save):
        sent = pickle.dumps(RawFile("a.npy", Path(save("a.npy", np.arange(5)))))
        Path("a.npy").unlink()
        with pytest.raises(DataError, match=r"a\.npy: cannot be read on .* as /.*No such file.*shared disk"):
            pickle.loads(sent)

    def test_the_code_of_a_loss_must_be_the_same(self, write, run, on, files):
        words = ["compute", "own.py:pinball", "x.npy", "t.npy", "-f", "value"]
        assert on(*words).code == 0

        class Changed(ThreadPoolExecutor):
            def submit(self, *arguments):
                return super().submit(*arguments)

        own = Path("own.py").read_text()
        with workers.cluster(Changing(lambda: write("own.py", own + "# changed\n"))):
            found = run(*words)
        found.refuses(3, "own.py: the code of the loss is another file there")


class Changing(Executor):
    """Runs errands in this process, after it has done something."""

    max_workers = 1

    def __init__(self, first):
        self.first = first

    def submit(self, function, /, *arguments):
        self.first()
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.mark.usefixtures("files", "chunks")
class TestFaults:
    def test_a_worker_without_the_file(self, run):
        with workers.cluster(Changing(lambda: Path("z.npy").unlink(missing_ok=True))):
            run(*CE.split()).refuses(3, "z.npy: cannot be read on", "as /", "shared disk")

    def test_a_worker_of_another_version(self, on, monkeypatch):
        monkeypatch.setattr(errand, "versions", lambda: {"losscli": "0.0.7", "NumPy": np.__version__})
        on(*CE.split()).refuses(
            3, f"has losscli {losscli.__version__}, and losscli 0.0.7 began the pass", "install the same"
        )

    def test_another_numpy(self, on, monkeypatch):
        monkeypatch.setattr(errand, "versions", lambda: {"losscli": losscli.__version__, "NumPy": "1.99"})
        on(*CE.split()).refuses(3, f"NumPy {np.__version__}", "NumPy 1.99")

    def test_other_instructions_are_noted(self, run, monkeypatch):
        from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

        off = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
        if not off:
            pytest.skip("NumPy dispatches on nothing that this processor has")
        monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(off))
        found = run(*CE.split(), "--cluster", "local:1")
        assert "note: some of the work was done with other instructions" in found.err
        assert ", " in found.json["receipt"]["arithmetic"]["simd"]

    def test_a_killed_worker_is_replaced(self, run, write):
        write("dying.py", DYING.format(when="not os.path.exists('died')"))
        here = run(*["compute", "own.py:pinball", "x.npy", "t.npy", "-f", "value"])
        there = run(*["compute", "dying.py:pinball", "x.npy", "t.npy", "-f", "value", "--cluster", "local:2", "-q"])
        assert (there.code, there.out) == (0, here.out)
        assert Path("died").exists()

    def test_a_worker_that_dies_each_time(self, run, write):
        write("dying.py", DYING.format(when="True"))
        found = run(
            *[
                "compute",
                "dying.py:pinball",
                "x.npy",
                "t.npy",
                "-f",
                "value",
                "--cluster",
                "local:2",
                "-q",
                "--gradient",
                "slopes.npy",
            ]
        )
        found.refuses(3, "--cluster local:2: the worker ended each time that rows 0 to 50 were computed (signal 9)")
        assert not [name for name in os.listdir() if "slopes" in name]

    def test_a_full_disk_where_gradients_are_written(self):
        from losscli.engine.collector import Aggregate
        from losscli.engine.evaluate import ChunkResult

        chunk = ChunkResult(Aggregate(), (), (np.zeros((3, 2), np.float32),))
        with pytest.raises(DataError, match=r"slopes\.npy: cannot be written on .*: No space left on device"):
            delivered(chunk, Outlet("/dev/full", "slopes.npy", 0, 8, "float32"), 0)

    def test_gradients_are_written_in_the_dtype_of_the_file_and_at_their_place(self):
        from losscli.engine.collector import Aggregate
        from losscli.engine.evaluate import ChunkResult

        Path("slopes.bin").write_bytes(bytes(3 + 6 * 8))
        slopes = np.arange(1, 7).reshape(3, 2) / 4
        chunk = ChunkResult(Aggregate(), (), (slopes[:1], slopes[1:]))
        found = delivered(chunk, Outlet("slopes.bin", "slopes.npy", 3, 8, "float32"), 2)
        assert (found.gradient, found.written) == ((), 3)
        written = np.frombuffer(Path("slopes.bin").read_bytes(), np.float32, offset=3)
        assert written.reshape(6, 2).tolist() == [[0, 0], [0, 0], *slopes.tolist(), [0, 0]]

    def test_a_worker_that_does_not_see_the_disk_sends_gradients(self, run, monkeypatch):
        here = run(*CE.split(), "--gradient", "slopes.npy"), made()
        elsewhere = property(lambda self: Outlet("/nowhere/x", "x", 0, 1, "f4"), lambda *_: None)
        monkeypatch.setattr(Cluster, "outlet", elsewhere, raising=False)
        with workers.cluster(Changing(lambda: None)):
            assert (run(*CE.split(), "--gradient", "slopes.npy"), made()) == here

    def test_gradients_do_not_go_through_the_client(self, on, processes, monkeypatch):
        seen = []
        whole = Cluster._results
        monkeypatch.setattr(
            Cluster, "_results", lambda *arguments: (seen.append(one) or one for one in whole(*arguments))
        )
        assert on(*CE.split(), "--gradient", "slopes.npy").code == 0
        assert [chunk.gradient for chunk in seen] == [()] * (ROWS // 50)
        assert sum(chunk.written for chunk in seen) == ROWS

    @pytest.mark.parametrize(
        ("where", "parts"),
        [
            ("local:0", ["say how many processes"]),
            ("local:x", ["say how many processes"]),
            ("tcp://", ["not the address of a scheduler"]),
            ("tcp://node7", ["not the address of a scheduler"]),
            ("local:100000", ["too many processes for a machine of"]),
            ("nothing", ["is no cluster", "local:N, tcp://HOST:PORT or module:factory"]),
            ("no_such_module:make", ["No module named 'no_such_module'"]),
            ("json:no_such_function", ["the module json has no function 'no_such_function'"]),
        ],
    )
    def test_what_is_no_cluster(self, run, where, parts):
        run(*CE.split(), "--cluster", where).refuses(2, f"--cluster {where}", *parts)

    def test_a_factory_of_no_executor(self, run):
        run(*CE.split(), "--cluster", "json:JSONDecoder").refuses(
            2, "returned JSONDecoder", "no concurrent.futures.Executor"
        )

    def test_a_factory_that_fails(self, run):
        run(*CE.split(), "--cluster", "json:loads").refuses(3, "--cluster json:loads", "TypeError")

    def test_a_factory_of_a_module_in_a_package(self, run):
        assert run(*CE.split(), "--cluster", "concurrent.futures:ThreadPoolExecutor") == run(*CE.split())

    def test_a_factory_beside_the_data(self, run, write):
        write(
            "mine_here.py",
            "from concurrent.futures import ProcessPoolExecutor\n\ndef make():\n    return ProcessPoolExecutor(1)\n",
        )
        assert run(*CE.split(), "--cluster", "mine_here:make") == run(*CE.split())

    def test_without_a_value_there_must_be_an_address(self, run, monkeypatch):
        monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
        run("compute", "ce", "z.npy", "y.npy", "--cluster", "-q").refuses(2, "DASK_SCHEDULER_ADDRESS")
        run("compute", "ce", "z.npy", "y.npy", "--cluster").refuses(2, "DASK_SCHEDULER_ADDRESS")


DYING = """
import os

import numpy as np


def pinball(y_pred, y_true):
    if os.environ.get("OPENBLAS_NUM_THREADS") == "1" and os.getsid(0) == os.getpid() and {when}:
        open("died", "w").close()
        os.kill(os.getpid(), 9)
    r = y_true - y_pred
    return np.maximum(0.3 * r, -0.7 * r)
"""
"""A loss that kills the worker that runs it, which is the first process of its session, and not this one."""
SLOW = """
import os
import time


def slow(y_pred, y_true):
    time.sleep(0.2 * (os.getsid(0) == os.getpid()))  # in a worker
    return (y_pred - y_true) ** 2
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_command_is_ended(started, write, save, number):
    write("slow.py", SLOW)
    save("x.npy", np.zeros(1_000_000))
    command = started(*["compute", "slow.py:slow", "x.npy", "0", "--cluster", "local:2", "--gradient", "slopes.npy"])
    until = time.monotonic() + 20
    while len(workers_of := children(command.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(workers_of) == 2
    command.send_signal(number)
    out, err = command.communicate(timeout=20)
    assert command.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert (out, err.count(b"\n")) == (b"", number == signal.SIGINT)
    until = time.monotonic() + 10
    while any(map(alive, workers_of)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, workers_of))
    if number != signal.SIGKILL:
        assert sorted(os.listdir()) == ["slow.py", "x.npy"]


def children(pid):
    """The processes that a process has started."""
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        pytest.skip("this system does not say which processes a process has started")


def alive(pid):
    """Whether a process still runs; one that has ended may not be taken notice of yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
