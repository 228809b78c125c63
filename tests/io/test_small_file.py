"""Files that are read whole: they are read up to a limit, whatever they are, and must not change meanwhile."""

import os

import numpy as np
import pytest

from losscli.analysis import features
from losscli.errors import DataError
from losscli.io import small_file
from losscli.io.small_file import opened_small, small_text, text_of

LOGITS, LABELS = "a,b,c\n1,0,0\n0,2,1\n1,1,3\n", "y\na\nb\nc\n"


@pytest.fixture
def endless(folder):
    """A file of 10^12 bytes, none of which is on the disk."""

    def make(name):
        with (folder / name).open("wb") as file:
            file.truncate(10**12)
        return name

    return make


class TestLimit:
    def test_is_the_last_size_that_is_read(self, write):
        assert small_text(write("a", "x" * 100), "no", 100) == "x" * 100
        with pytest.raises(DataError, match="more than 0 MB; no"):
            opened_small(write("a", "x" * 101), "no", 100)

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/random"])
    def test_holds_for_devices_that_never_end(self, device):
        with pytest.raises(DataError, match=f"{device}: more than 4 MB"):
            opened_small(device, "no")

    def test_a_pipe_is_read_whole(self):
        read, written = os.pipe()
        os.write(written, b"one\ntwo\n")
        os.close(written)
        assert small_text(f"/dev/fd/{read}", "no") == "one\ntwo\n"
        os.close(read)

    def test_lines_end_alike(self, write):
        assert small_text(write("a", b"\xef\xbb\xbfa\r\nb\rc\n"), "no") == "a\nb\nc\n"

    def test_a_file_that_changes_between_two_looks(self, write):
        raw = opened_small(write("a", "before"), "no")
        write("a", "after all")
        with pytest.raises(DataError, match="the file changed"):
            text_of(raw)


class TestCommands:
    """Each file that a command reads whole has a limit; without it, these would take all memory."""

    def test_a_suite(self, run, endless):
        run("run", endless("suite.toml")).refuses(3, "suite.toml: more than 4 MB", "suite")

    def test_a_baseline(self, run, endless, write):
        suite = write("s.toml", '[measure.a]\nloss = "mse"\npredictions = "p.csv"\ntargets = "p.csv"\n')
        run("run", suite, "--baseline", endless("b.json")).refuses(3, "b.json: more than 64 MB")

    def test_results_of_earlier_runs(self, run, endless):
        run("history", endless("b.json")).refuses(3, "b.json: more than 64 MB", "--per-sample")

    def test_a_calibration(self, run, endless, write):
        p = write("p.csv", LOGITS)
        run("calibrate", p, "--map", endless("m.json"), "-o", "c.csv").refuses(3, "m.json: more than 64 MB")

    @pytest.mark.parametrize("words", [("compute", "ce"), ("check",), ("calibrate",)])
    def test_names_of_classes(self, run, endless, write, words):
        p, y = write("p.csv", LOGITS), write("y.csv", LABELS)
        done = run(*words, p, y, "--classes", endless("names"))
        assert done.code == 3
        assert "names: more than 16 MB; give a text file with one name a line" in done.out + done.err

    def test_code(self, run, endless, write):
        p = write("p.csv", LOGITS)
        run("compute", f"{endless('own.py')}:loss", p, p).refuses(3, "own.py: more than 4 MB", "Python code")

    def test_the_sample_data_of_a_demo(self, run, endless, folder):
        (folder / "sample_data").mkdir()
        endless("sample_data/centers.npy")
        run("demo", "--copy").refuses(3, "sample_data/centers.npy: exists and is not the sample data's")


class TestDevices:
    """A device that never ends would be copied until the disk is full."""

    @pytest.mark.parametrize(
        "words",
        [
            ("compute", "mse", "/dev/zero", "0"),
            ("compute", "mse", "p.csv", "/dev/urandom"),
            ("compute", "ce", "p.csv", "y.csv", "--class-weight", "/dev/zero"),
            ("compute", "center", "p.csv", "y.csv", "--centers", "/dev/full"),
        ],
    )
    def test_are_no_data(self, run, write, words):
        write("p.csv", LOGITS), write("y.csv", LABELS)
        run(*words).refuses(3, "/dev/", "a device, which may never end; give a file or a pipe")

    def test_are_no_standard_input(self, process):
        with open("/dev/zero", "rb") as zeros:
            from commands import start

            started = start("compute", "mse", "-", "0", stdin=zeros)
            assert b"standard input: a device" in started.communicate(timeout=60)[1]
            assert started.returncode == 3

    def test_nothing_is_an_empty_file(self, run):
        run("compute", "mse", "/dev/null", "0").refuses(3, "/dev/null: the file is empty")

    def test_are_no_parts(self, run):
        run("merge", "/dev/zero").refuses(3, "/dev/zero: a pipe or a device", "compute --part")


class TestChanges:
    def test_names_of_classes_that_change_during_a_run(self, run, write, save, monkeypatch):
        p, y = save("p.npy", np.eye(3)), write("y.csv", LABELS)
        names = write("names.txt", "a\nb\nc\n")
        write("x.csv", "old")
        original = small_file.text_of

        def meddled(raw):
            text = original(raw)
            write("names.txt", "c\nb\na\n\n")
            return text

        monkeypatch.setattr("losscli.data.class_names.text_of", meddled)
        for words in (("compute", "ce", p, y, "-o", "x.csv"), ("centers", p, y, "-o", "x.csv")):
            write("names.txt", "a\nb\nc\n")
            run(*words, "--classes", names).refuses(3, "names.txt: the file changed while it was read")
        write("names.txt", "a\nb\nc\n")
        run("targets", y, "--classes", names, "-o", "x.csv").refuses(3, "names.txt: the file changed")
        with open("x.csv") as file:
            assert file.read() == "old"

    @pytest.mark.parametrize("words", [(), ("--centers", "c.npy")])
    def test_features_that_change_while_they_are_drawn(self, run, save, monkeypatch, words):
        p, y = save("p.npy", np.eye(3)), save("y.npy", [0, 1, 2])
        save("c.npy", np.eye(3))
        original = features._components

        def meddled(*given):
            save("y.npy", [0, 1, 2, 0, 1])
            return original(*given)

        monkeypatch.setattr(features, "_components", meddled)
        run("plot", "features", p, y, *words, "-o", "x.png").refuses(3, "y.npy: the file changed while it was read")
        assert not os.path.exists("x.png")

    def test_many_names_are_compared_quickly(self, write, save, run):
        """Each with all others, 100,000 names would take minutes."""
        names = write("names.txt", "".join(f"n{i}\n" for i in range(100_000)) + "n7\n")
        run("compute", "ce", save("p.npy", np.eye(3)), save("y.npy", [0, 1, 2]), "--classes", names).refuses(
            2, "'n7' is named twice"
        )
