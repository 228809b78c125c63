"""The line of progress: on terminals only, and gone before the result."""

import io
import os
import pty
import subprocess
import sys

import numpy as np

from losscli.io import csv as csvfile


def test_progress_is_wiped_before_notes_and_result(folder, save):
    """On a real terminal: what comes after the line of progress begins where that began."""
    p, t = save("p.npy", np.full((300_000, 20), 0.05)), save("t.npy", np.zeros(300_000, int))
    script = "import losscli.cli.progress as p; p.EVERY = 0.0; from losscli.cli.main import main; main()"
    main, side = pty.openpty()
    words = [sys.executable, "-c", script, "compute", "ce", p, t, "-f", "value"]
    with subprocess.Popen(
        words, stdin=side, stdout=side, stderr=side, env=os.environ | {"NO_COLOR": "1", "COLUMNS": "500"}
    ) as process:
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


class Terminal(io.StringIO):
    """A stream that takes itself for one."""

    def isatty(self):
        return True


class TestProgress:
    def test_says_how_far_how_fast_and_how_long(self):
        from losscli.cli.progress import describe

        assert describe(250, 1000, 4_000_000_000, 0.5) == "losscli: 250 of 1,000 rows (25 %), 2 GB/s, 2 s left"
        assert (
            describe(10, 20_000_000, 80_000_000, 1.0)
            == "losscli: 10 of 20,000,000 rows (0 %), 40 B/s, 555 h 33 min left"
        )
        assert describe(1, 100, 100_000, 1.0).endswith("1 kB/s, 1 min 39 s left")

    def test_a_table_is_looked_through_first(self, compute, write, monkeypatch):
        from losscli.cli import progress

        monkeypatch.setattr(progress, "EVERY", 0.0)
        monkeypatch.setattr(csvfile, "CHUNK_BYTES", 0)
        p = write("p.csv", "p\n" + "0.25\n" * 200_000)
        lines = compute("l1", p, "0", "--progress", "-f", "value").err.splitlines()
        assert lines[0] == "losscli: p.csv: looking for its rows (26 %)"
        assert lines[-1].startswith("losscli: 200,000 of 200,000 rows (100 %)")

    def test_nothing_in_a_pipe_unless_asked_for(self, process, tiny):
        assert process("compute", "ce", *tiny).err == ""
        assert "3 of 3 rows (100 %)" in process("compute", "ce", *tiny, "--progress").err

    def test_a_terminal_gets_one_line_that_is_wiped_away(self, monkeypatch):
        from losscli.cli import progress

        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(progress, "EVERY", 0.0)
        with progress.Progress(None) as shown:
            shown.of(100, 4000)
            shown(50)
            shown(100)
        text = screen.getvalue()
        assert text.count("\r") == 4
        assert "\n" not in text
        assert "50 of 100 rows (50 %)" in text
        assert text.endswith("\r" + " " * max(map(len, text.split("\r")[1:3])) + "\r")

    def test_nothing_on_a_terminal_that_asked_for_none(self, monkeypatch):
        from losscli.cli import progress

        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(progress, "EVERY", 0.0)
        with progress.Progress(False) as shown:
            shown.of(100, 4000)
            shown(50)
        assert screen.getvalue() == ""
