"""Files and streams that come out: whole or not at all, in every format, and what is left when a run ends early."""

import contextlib
import csv
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

SUFFIXES = [".json", ".jsonl", ".csv", ".tsv", ".md", ".npy", ".parquet"]


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def words(save):
    """Losses 1, 2, 3 with weights 1, 2, 3; row 1 is ignored."""
    p, t = save("p.npy", [1.0, 2.0, 3.0]), save("t.npy", [0.0, -9.0, 0.0])
    return ("l1", p, t, "--ignore-index", "-9", "--sample-weight", save("w.npy", [1.0, 2.0, 3.0]))


class TestResultFiles:
    def test_json(self, compute, words, folder):
        out = compute(*words, "-o", "out.json").out
        assert (folder / "out.json").read_text() == out

    def test_markdown(self, compute, words, folder):
        assert (folder / "out.md").exists() is False
        out = compute(*words, "-o", "out.md", "-f", "markdown").out
        assert (folder / "out.md").read_text() == out

    def test_jsonl(self, compute, words, folder):
        out = compute(*words, "-o", "out.jsonl", "-f", "jsonl").out
        assert (folder / "out.jsonl").read_text() == out
        assert len(out.splitlines()) == 2

    @pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t")])
    def test_csv_and_tsv(self, compute, words, folder, suffix, separator):
        compute(*words, "-o", f"out{suffix}")
        with (folder / f"out{suffix}").open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=separator))
        assert [[float(cell) for cell in row.values()] for row in rows] == [[0, 0, 1, 1], [2, 0, 3, 3]]
        assert list(rows[0]) == ["sample", "target", "loss", "weight"]

    def test_npy(self, compute, words, folder):
        compute(*words, "-o", "out.npy")
        found = np.load(folder / "out.npy")
        assert (found.tolist(), found.dtype, found.shape) == ([1, 3], np.float64, (2,))

    def test_parquet(self, compute, words, folder):
        compute(*words, "-o", "out.parquet")
        frame = pl.read_parquet(folder / "out.parquet")
        assert frame.columns == ["sample", "target", "loss", "weight"]
        assert frame["loss"].to_list() == [1, 3]

    def test_npy_of_elements_has_a_column_an_output(self, compute, save, folder):
        compute("l1", save("p.npy", [[1.0, 2.0], [3.0, 4.0]]), "0", "--elements", "-o", "out.npy")
        assert np.load(folder / "out.npy").tolist() == [[1, 2], [3, 4]]

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_ids_and_names_in_every_format(self, compute, write, folder, suffix):
        p, t = write("p.csv", "id,cat,dog\nx1,1,2\n"), write("t.csv", "id,label\nx1,dog\n")
        assert compute("ce", p, t, "--id", "id", "-o", f"out{suffix}", "--per-sample").code == 0
        content = (folder / f"out{suffix}").read_bytes()
        assert suffix == ".npy" or (b"x1" in content and b"dog" in content)

    def test_parquet_of_names_and_ids(self, compute, write, folder):
        p, t = write("p.csv", "id,NA,007\n1,1,2\n"), write("t.csv", "id,label\n1,007\n")
        compute("ce", p, t, "--id", "id", "-o", "out.parquet")
        row = pl.read_parquet(folder / "out.parquet").row(0, named=True)
        assert (row["id"], row["target"]) == ("1", "007")

    def test_json_has_rows_where_they_are_asked_for(self, compute, words, folder):
        compute(*words, "-o", "out.json", "-f", "table", "--per-sample")
        assert '"rows"' in (folder / "out.json").read_text()

    @pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv", "tsv", "markdown", "value"])
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_standard_output_does_not_depend_on_the_file(self, compute, words, folder, format, suffix):
        alone = compute(*words, "-f", format)
        both = compute(*words, "-f", format, "-o", f"out{suffix}")
        assert (both.code, both.out) == (alone.code, alone.out)
        assert (folder / f"out{suffix}").stat().st_size > 0

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_an_unmet_requirement_publishes_all_the_same(self, compute, words, folder, suffix):
        assert compute(*words, "-o", f"out{suffix}", "--require", "mean < 0").code == 1
        assert (folder / f"out{suffix}").exists()

    @pytest.mark.parametrize("name", ["out.txt", "out", "out.npz", "out.csv.gz"])
    def test_an_unknown_suffix_is_a_usage_error_that_lists_the_known(self, compute, words, name):
        compute(*words, "-o", name).refuses(2, name, *SUFFIXES)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_capitals_in_a_suffix_do_not_matter(self, compute, words, folder, suffix):
        assert compute(*words, "-o", f"out{suffix.upper()}").code == 0
        assert (folder / f"out{suffix.upper()}").exists()

    def test_float32_losses_of_one_output_stay_float32(self, compute, save, folder):
        compute("l1", save("p.npy", [1.0, 2.0], np.float32), "0", "-o", "out.npy")
        assert np.load(folder / "out.npy").dtype == np.float32

    def test_several_chunks_are_one_file(self, compute, save, folder):
        values = np.arange(2_500_000.0)  # 20 MB: more than one chunk
        compute("l1", save("p.npy", values), "0", "-o", "out.npy", "--gradient", "slopes.npy")
        assert np.array_equal(np.load(folder / "out.npy"), values)
        assert np.load(folder / "slopes.npy").sum() == len(values) - 1  # the slope at 0 is 0

    def test_losses_of_several_float32_outputs_are_as_exact_in_npy_as_in_json(self, compute, save, folder):
        p, t = save("p.npy", [[0.1, 0.7], [0.3, -2]], np.float32), save("t.npy", [[1, 0], [0, 1]])
        rows = compute("bce", p, t, "--per-sample", "-o", "out.npy").json["rows"]
        found = np.load(folder / "out.npy")
        assert found.dtype == np.float64
        assert found.tolist() == [row["loss"] for row in rows]


class TestGradientFiles:
    def test_has_the_predictions_shape_with_zero_in_ignored_rows(self, compute, save, folder):
        z = [[1.0, 2.0], [5.0, 5.0], [0.0, 0.0]]
        p, t = save("p.npy", z), save("t.npy", [0, -1, 1])
        compute("ce", p, t, "--ignore-index", "-1", "--gradient", "slopes.npy")
        # softmax minus one-hot
        low = 1 / (1 + np.exp(1.0))
        expected = [[low - 1, 1 - low], [0, 0], [0.5, -0.5]]
        assert np.allclose(np.load(folder / "slopes.npy"), expected, rtol=1e-14, atol=0)

    def test_is_before_weights_and_reduction(self, compute, words, folder):
        compute(*words, "--reduction", "sum", "--gradient", "slopes.npy")
        assert np.load(folder / "slopes.npy").tolist() == [1, 0, 1]

    def test_n_by_1_predictions_have_an_n_by_1_gradient(self, compute, save, folder):
        p, t = save("p.npy", [[3.0], [1.0]]), save("t.npy", [1.0, 1.0])
        compute("l2", p, t, "--gradient", "slopes.npy")
        assert np.load(folder / "slopes.npy").tolist() == [[2.0], [0.0]]

    def test_of_several_outputs_holds_the_mean_over_outputs(self, compute, save, folder):
        p = save("p.npy", [[3.0, -1.0]])
        compute("l2", p, "0", "--gradient", "mean.npy")
        compute("l2", p, "0", "--gradient", "sum.npy", "--over-outputs", "sum")
        assert np.load(folder / "mean.npy").tolist() == [[1.5, -0.5]]
        assert np.load(folder / "sum.npy").tolist() == [[3.0, -1.0]]

    @pytest.mark.parametrize(
        ("given", "p", "slope"), [("logits", 0.0, -0.5), ("probs", 0.25, -4.0), ("log-probs", np.log(0.25), -1.0)]
    )
    def test_is_with_respect_to_the_predictions_as_given(self, compute, save, folder, given, p, slope):
        words = ("bce", save("p.npy", [p]), save("t.npy", [1]), "--from", given)
        compute(*words, "--gradient", "slopes.npy")
        assert np.load(folder / "slopes.npy") == pytest.approx([slope], rel=1e-14)

    def test_csv_has_the_predictions_columns(self, compute, write, folder):
        p, t = write("p.csv", "id,cat,dog\na,0,0\nb,0,0\n"), write("t.csv", "id,label\nb,cat\na,dog\n")
        compute("ce", p, t, "--id", "id", "--gradient", "slopes.csv")
        with (folder / "slopes.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(float(row["cat"]), float(row["dog"])) for row in rows] == [(0.5, -0.5), (-0.5, 0.5)]

    @pytest.mark.parametrize("p", [[1.0, 2.0], [[1.0, 2.0]]])
    def test_csv_of_arrays_has_a_header_too(self, compute, save, folder, p):
        compute("l2", save("p.npy", p), "0", "--gradient", "slopes.csv", "--over-outputs", "sum")
        with (folder / "slopes.csv").open(newline="") as file:
            header, *rows = list(csv.reader(file))
        assert len(header) == len(set(header)) == (2 if np.ndim(p) == 2 else 1)
        assert np.ravel(np.asarray(rows, float)).tolist() == [1, 2]

    def test_float32_stays_float32(self, compute, save, folder):
        compute("l2", save("p.npy", [1.0], np.float32), "0", "--gradient", "slopes.npy")
        assert np.load(folder / "slopes.npy").dtype == np.float32

    def test_alone_reads_back_in_fortran_order_s_right_places(self, compute, save, folder):
        p = save("p.npy", np.asfortranarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
        compute("l2", p, "0", "--gradient", "slopes.npy", "--over-outputs", "sum")
        assert np.load(folder / "slopes.npy").tolist() == [[1, 2, 3], [4, 5, 6]]

    @pytest.mark.parametrize("name", ["slopes.json", "slopes.parquet", "slopes"])
    def test_other_suffixes_are_a_usage_error(self, compute, words, name):
        compute(*words, "--gradient", name).refuses(2, name, ".npy", ".csv")

    def test_a_gradient_is_npy_or_csv(self, compute, save):
        compute("l1", save("p.npy", [1.0]), "0", "--gradient", "g.tsv").refuses(2, "--gradient", ".npy, .csv")


class TestWholeOrNotAtAll:
    @pytest.fixture
    def broken(self, save):
        """Predictions of more than one chunk, whose last row is NaN: found only when the rest is done."""
        values = np.zeros((5000, 500))
        values[-1, -1] = np.nan
        return ("ce", save("p.npy", values), save("t.npy", np.zeros(5000, int)))

    @pytest.mark.quick
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_an_error_on_the_way_publishes_nothing(self, compute, broken, folder, suffix):
        compute(*broken, "-o", f"out{suffix}", "--gradient", "slopes.npy", "-f", "csv").refuses(3, "NaN")
        assert listing(folder) == ["p.npy", "t.npy"]

    def test_an_error_on_the_way_publishes_no_table_of_slopes(self, compute, save, folder):
        compute("l1", save("p.npy", [1.0, np.nan]), "0", "--gradient", "slopes.csv", "-f", "jsonl").refuses(3, "NaN")
        assert listing(folder) == ["p.npy"]

    def test_an_old_file_stays_as_it_was(self, compute, broken, write, folder):
        write("out.csv", "old")
        compute(*broken, "-o", "out.csv").refuses(3, "NaN")
        assert (folder / "out.csv").read_text() == "old"

    def test_two_outputs_of_one_name_are_refused(self, compute, words, folder):
        before = listing(folder)
        assert compute(*words, "-o", "out.npy", "--gradient", "./out.npy").code in (2, 3)
        assert listing(folder) == before

    @pytest.mark.parametrize("option", ["-o", "--gradient"])
    @pytest.mark.parametrize("name", ["p.npy", "./p.npy", "w.npy", "t.npy"])
    def test_an_input_is_never_overwritten(self, compute, words, folder, option, name):
        before = (folder / name).read_bytes()
        compute(*words, option, name).refuses(2, name, "input")
        assert (folder / name).read_bytes() == before

    def test_an_input_behind_a_link_is_not_overwritten(self, compute, words, folder):
        (folder / "link.npy").symlink_to("p.npy")
        before = (folder / "p.npy").read_bytes()
        compute(*words, "-o", "link.npy").refuses(2, "input")
        assert (folder / "p.npy").read_bytes() == before

    def test_a_shard_is_an_input_too(self, compute, save, folder):
        save("s-1.npy", [1.0])
        save("s-2.npy", [2.0])
        before = (folder / "s-1.npy").read_bytes()
        done = compute("l1", "s-*.npy", "0", "-o", "s-1.npy")
        assert done.code == 2
        assert (folder / "s-1.npy").read_bytes() == before

    @pytest.mark.parametrize("option", ["-o", "--gradient"])
    def test_a_folder_that_does_not_exist(self, compute, words, option):
        compute(*words, option, "nowhere/out.npy").refuses(3, "nowhere/out.npy")

    @pytest.mark.parametrize("option", ["-o", "--gradient"])
    def test_a_folder_in_the_file_s_place(self, compute, words, folder, option):
        (folder / "out.npy").mkdir()
        compute(*words, option, "out.npy").refuses(3, "out.npy", "folder")

    def test_a_link_to_a_file_stays_a_link(self, compute, words, folder, write):
        write("real.json", "old")
        (folder / "out.json").symlink_to("real.json")
        out = compute(*words, "-o", "out.json").out
        assert (folder / "out.json").is_symlink()
        assert (folder / "real.json").read_text() == out

    def test_an_old_file_s_permissions_stay(self, compute, words, folder, write):
        write("out.json", "old")
        (folder / "out.json").chmod(0o640)
        compute(*words, "-o", "out.json")
        assert stat.S_IMODE((folder / "out.json").stat().st_mode) == 0o640

    def test_a_new_file_s_permissions_are_the_user_s(self, compute, words, folder):
        before = os.umask(0o027)
        try:
            compute(*words, "-o", "out.json")
        finally:
            os.umask(before)
        assert stat.S_IMODE((folder / "out.json").stat().st_mode) == 0o640

    def test_no_temporary_file_is_left(self, compute, words, folder):
        before = listing(folder)
        compute(*words, "-o", "out.csv", "--gradient", "slopes.csv")
        assert listing(folder) == sorted([*before, "out.csv", "slopes.csv"])

    def test_a_usage_error_publishes_nothing(self, compute, words, folder):
        before = listing(folder)
        compute(*words, "-o", "out.csv", "--require", "nonsense").refuses(2, "nonsense")
        assert listing(folder) == before

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
    @pytest.mark.parametrize("option", ["-o", "--gradient"])
    @pytest.mark.parametrize("format", ["json", "csv", "jsonl"])
    def test_a_full_disk_is_no_defect(self, compute, words, option, format):
        compute(*words, option, "/dev/full", "-f", format).refuses(3, "/dev/full", "No space left")

    def test_no_file_is_published_before_all_are_on_the_disk(self, compute, save, write, folder, monkeypatch):
        whole = []

        def full(descriptor):
            whole.append(descriptor)
            if len(whole) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        write("out.csv", "old")
        done = compute("l1", save("p.npy", [1.0]), "0", "-o", "out.csv", "--gradient", "g.npy")
        done.refuses(3, "g.npy", "No space")
        assert (folder / "out.csv").read_text() == "old"
        assert sorted(path.name for path in folder.iterdir()) == ["out.csv", "p.npy"]

    def test_a_file_is_written_on_the_disk_that_it_will_stay_on(self, compute, save, folder, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "not-there"))
        assert compute("l1", save("p.npy", [1.0]), "0", "-o", "out.csv").code == 0
        assert (folder / "out.csv").exists()

    def test_standard_input_is_no_output(self, folder, write):
        p = write("p.csv", "x\n1\n2\n")
        words = [sys.executable, "-m", "losscli", "compute", "mse", "-", "0", "-f", "csv", "-o", p]
        with (folder / p).open("rb") as file:
            done = subprocess.run(words, stdin=file, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "input of this very command" in done.stderr
        assert (folder / p).read_text() == "x\n1\n2\n"


class TestDevicesAndPipes:
    @pytest.mark.parametrize("format", ["table", "json", "csv", "value"])
    def test_the_null_device_swallows_a_result(self, compute, words, format):
        assert compute(*words, "-o", "/dev/null", "-f", format).code == 0
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)

    def test_the_null_device_swallows_a_gradient(self, compute, words):
        assert compute(*words, "--gradient", "/dev/null").code == 0

    @pytest.mark.parametrize("name", ["pipe.json", "pipe.csv", "pipe.npy", "pipe.parquet", "pipe.jsonl", "pipe.md"])
    def test_a_named_pipe_gets_the_same_bytes_as_a_file(self, compute, words, folder, name):
        compute(*words, "-o", f"as-a-file-{name}")
        os.mkfifo(folder / name)
        got = []
        reader = threading.Thread(target=lambda: got.append((folder / name).read_bytes()))
        reader.start()
        done = compute(*words, "-o", name)
        reader.join(10)
        assert done.code == 0
        assert got == [(folder / f"as-a-file-{name}").read_bytes()]
        assert stat.S_ISFIFO((folder / name).stat().st_mode)

    def test_a_named_pipe_gets_a_gradient(self, compute, words, folder):
        compute(*words, "--gradient", "slopes.npy")
        os.mkfifo(folder / "pipe.npy")
        got = []
        reader = threading.Thread(target=lambda: got.append((folder / "pipe.npy").read_bytes()))
        reader.start()
        assert compute(*words, "--gradient", "pipe.npy").code == 0
        reader.join(10)
        assert got == [(folder / "slopes.npy").read_bytes()]

    def test_standard_output_s_own_name(self, process, words):
        assert process("compute", *words, "-f", "value", "-o", "/dev/stdout").out == "2.5\n2.5\n"

    @pytest.mark.parametrize("rows", [3, 100_000])
    @pytest.mark.parametrize("kind", ["csv", "npy"])
    def test_predictions_from_a_pipe_with_a_name(self, started, save, folder, kind, rows):
        """What a shell makes of <(command): every byte is there once only."""
        save("p.npy", np.ones(rows))
        data = (folder / "p.npy").read_bytes() if kind == "npy" else b"1\n" * rows
        inner, outer = os.pipe()
        running = started("compute", "l1", f"/dev/fd/{inner}", "0", "--reduction", "sum", pass_fds=[inner])
        os.close(inner)
        with contextlib.suppress(BrokenPipeError), open(outer, "wb") as file:
            file.write(data)
        out, err = running.communicate(timeout=20)
        assert (running.returncode, err) == (0, b"")
        assert f"sum {float(rows)} " in " ".join(out.decode().split())


class TestProcesses:
    """Where it matters that losscli is a process: signals, pipes, exit codes of the shell."""

    def test_module(self, process, words):
        done = process("compute", *words, "-f", "value")
        assert (done.code, done.out, done.err) == (0, "2.5\n", "")

    def test_script(self, words):
        script = Path(sys.executable).with_name("losscli")
        done = subprocess.run([script, "compute", *words, "-f", "value"], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("2.5\n", "")

    def test_version(self, run):
        from importlib.metadata import version

        assert run("--version").out == f"losscli {version('losscli')}\n"

    @pytest.mark.parametrize(
        ("more", "code"),
        [(("--require", "mean < 1"), 1), (("--require", "mean < "), 2), (("-o", "nowhere/out.csv"), 3)],
    )
    def test_exit_codes_reach_the_shell(self, process, words, more, code):
        assert process("compute", *words, *more).code == code

    def test_standard_input_through_a_pipe(self, process):
        assert process("compute", "l1", "-", "0", "-f", "value", stdin=b"v\n1\n2\n").out == "1.5\n"

    def test_a_reader_that_goes_away_is_met_quietly(self, started, save):
        p = save("p.npy", np.arange(300_000.0))
        running = started("compute", "l1", p, "0", "-f", "csv")
        running.stdout.read(100)
        running.stdout.close()
        assert running.wait(30) == 141
        assert running.stderr.read() == b""

    def test_a_reader_that_never_read_is_met_quietly(self, started, save):
        running = started("compute", "l1", save("p.npy", [1.0]), "0")
        running.stdout.close()
        assert running.wait(30) == 141
        assert running.stderr.read() == b""

    @pytest.mark.parametrize("words", ["--help", "compute huber --help", "list", "explain huber", "demo", "--version"])
    def test_every_command_meets_a_reader_that_goes_away(self, started, words):
        running = started(*words.split())
        running.stdout.close()
        assert running.wait(30) == 141
        assert b"Traceback" not in running.stderr.read()

    @pytest.mark.parametrize("closed", [0, 1])
    def test_a_closed_standard_stream_is_no_defect(self, words, closed):
        line = [sys.executable, "-m", "losscli", "compute", "l1", "-" if closed == 0 else "p.npy", "0"]
        shell = ["sh", "-c", f'exec "$@" {closed}<&-', "sh", *line]
        done = subprocess.run(shell, capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert done.stderr.startswith("losscli: ")
        assert done.stderr.count("\n") == 1

    def test_a_full_standard_output_is_an_error_of_one_line(self, process, words, monkeypatch):
        # With it, nothing is left to be written at the end, where the message came a second time.
        monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full here")
        with open("/dev/full", "wb") as full:
            done = process("compute", *words, stdout=full)
        assert done.code == 3
        assert done.err.startswith("losscli: ")
        assert done.err.count("\n") == 1

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
    def test_a_run_that_is_ended_leaves_the_old_file(self, started, save, write, folder, number, code):
        write("out.csv", "old")
        p = save("p.npy", np.zeros(4_000_000))
        running = started("compute", "l1", p, "0", "-o", "out.csv")
        while running.poll() is None and not [name for name in listing(folder) if name not in ("p.npy", "out.csv")]:
            time.sleep(0.005)
        running.send_signal(number)
        assert running.wait(30) == code
        assert (folder / "out.csv").read_text() == "old"
        if number != signal.SIGKILL:
            assert listing(folder) == ["out.csv", "p.npy"]
            assert running.stderr.read().count(b"\n") <= 1

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    def test_a_run_that_waits_for_its_input_can_be_ended(self, started, number, code):
        running = started("compute", "l1", "-", "0", stdin=subprocess.PIPE)
        running.stdin.write(b"1\n" * 500_000)  # more than a pipe holds: when it is written, somebody reads
        running.stdin.flush()
        time.sleep(0.3)  # and waits for more; Python looks for signals before it waits and when one wakes it
        running.send_signal(number)
        assert running.wait(30) == code

    def test_colour_is_for_terminals_only(self, process, words):
        done = process("compute", *words, "--per-sample", env={"COLUMNS": "30", "TERM": "xterm-256color"})
        assert "\x1b" not in done.out

    def test_a_terminal_gets_a_table_of_its_own_width(self, write, folder):
        import pty

        p = write("p.csv", "v\n" + "1\n" * 30)
        screen, inner = pty.openpty()
        bare = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        subprocess.run(
            [sys.executable, "-m", "losscli", "compute", "l1", p, "0", "--per-sample"],
            stdout=inner,
            check=True,
            env={**bare, "COLUMNS": "70", "TERM": "xterm-256color"},
        )
        os.close(inner)
        text = b""
        while True:
            try:
                part = os.read(screen, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(screen)
        assert b"\x1b[" in text
        assert "10 more" in text.decode()

    def test_no_defect_under_python_s_development_mode(self, words, folder):
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-m", "losscli", "compute", *words, "-o", "out.npy", "-f", "value"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "2.5\n", "")


def test_no_output_is_lost_where_names_are_alike(write, run):
    write("p.csv", "loss,loss_loss\n1,2\n3,4\n")
    lines = run("compute", "mse", "p.csv", "0", "--elements", "-f", "csv").out.splitlines()
    assert len(set(lines[0].split(","))) == 6
    assert sorted(map(float, lines[1].split(",")))[-3:] == [1.0, 2.5, 4.0]
