"""What plot commands deliver: a file under the user's name or one of their own, and a window."""

import os
import sys
from pathlib import Path

import pytest
from matplotlib import pyplot

from losscli.errors import DataError
from losscli.plots import window

SMALL = ("--dpi", "40", "--no-gradient")


@pytest.fixture
def windows(monkeypatch):
    """Figures that stand in windows, which a test closes at once."""
    shown = []

    def show(block):
        assert block, "the command ends when the window is closed"
        shown.extend(pyplot.figure(number) for number in pyplot.get_fignums())

    monkeypatch.setattr(window, "open_backend", lambda: pyplot.switch_backend("agg"))
    monkeypatch.setattr(pyplot, "show", show)
    return shown


class TestName:
    def test_the_command_names_the_picture_and_says_so(self, run, folder):
        done = run("plot", "curves", "huber", *SMALL)
        assert (done.code, done.out, done.err) == (0, "curves.png\n", "")
        assert Path("curves.png").read_bytes()[1:4] == b"PNG"

    def test_no_file_is_replaced(self, run, folder):
        Path("curves.png").write_text("another picture")
        os.symlink("nowhere", "curves-2.png")
        assert run("plot", "curves", "huber", *SMALL).out == "curves-3.png\n"
        assert Path("curves.png").read_text() == "another picture"
        assert os.readlink("curves-2.png") == "nowhere"

    def test_a_name_of_the_users_is_not_repeated(self, run, folder):
        assert run("plot", "curves", "huber", *SMALL, "-o", "mine.svg").out == ""
        assert os.listdir() == ["mine.svg"]

    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (("reliability", "z.npy", "y.npy"), "reliability.png"),
            (("features", "z.npy", "y.npy"), "features.png"),
            (("samples", "ce", "z.npy", "y.npy", "--panel", "distribution"), "samples.png"),
            (("compare", "ce", "z.npy", "r.npy", "--targets", "y.npy"), "compare.png"),
        ],
        ids=lambda words: words[0] if isinstance(words, tuple) else "",
    )
    def test_each_kind_has_its_own(self, run, data, words, name):
        done = run("plot", *words, "--dpi", "40")
        assert (done.code, done.out) == (0, name + "\n"), done.err
        assert os.path.isfile(name)


class TestShow:
    def test_a_window_and_no_file(self, run, folder, windows):
        done = run("plot", "curves", "huber", *SMALL, "--show", "--size", "5,4")
        assert (done.code, done.out, done.err) == (0, "", "")
        (figure,) = windows
        assert figure.get_size_inches().tolist() == [5, 4]
        assert figure.axes[0].get_lines()
        assert (os.listdir(), pyplot.get_fignums()) == ([], [])

    def test_with_a_name_the_same_file_as_without_a_window(self, run, folder, windows):
        for more, name in ((), "plain.svg"), (("--show",), "shown.svg"):
            assert run("plot", "curves", "huber", *SMALL, *more, "-o", name).code == 0
        assert Path("plain.svg").read_bytes() == Path("shown.svg").read_bytes()
        assert len(windows) == 1

    def test_what_is_refused_leaves_no_window_behind(self, run, folder, windows):
        run("plot", "curves", "zero-one", "--range", "1,2", "--log", "--show").refuses(2, "--log")
        assert (windows, pyplot.get_fignums()) == ([], [])

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a display is always there")
    def test_without_a_display_one_line_says_so_before_any_work(self, process, folder):
        nowhere = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "MPLBACKEND": "tkagg"}
        done = process("plot", "samples", "ce", "missing.npy", "missing.npy", "--show", "-o", "x.png", env=nowhere)
        assert (done.code, done.out) == (3, "")
        assert done.err.startswith("losscli: --show: ")
        assert "leave --show out" in done.err  # -o was said
        assert "-o" not in done.err
        assert done.err.count("\n") == 1
        assert os.listdir() == []

    @pytest.mark.parametrize("backend", ["agg", "svg", "nonsense", "module://nowhere"])
    def test_a_backend_without_a_window_is_passed_over(self, monkeypatch, backend):
        monkeypatch.setenv("MPLBACKEND", backend)
        monkeypatch.setenv("DISPLAY", ":7")
        tried = []

        def switch(name):
            tried.append(name)
            if name not in ("agg", "svg", "tkagg"):
                raise ImportError if "nowhere" not in name else ValueError

        monkeypatch.setattr(pyplot, "switch_backend", switch)
        window.open_backend()
        assert (tried[0], tried[-1]) == (backend, "tkagg")

    def test_without_any_toolkit_the_cure_is_said(self, monkeypatch):
        def switch(name):
            raise ImportError

        monkeypatch.setenv("DISPLAY", ":7")
        monkeypatch.setattr(pyplot, "switch_backend", switch)
        with pytest.raises(DataError, match=r"toolkit for a window; install one.*or leave --show out"):
            window.open_backend()
