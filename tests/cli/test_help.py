"""Help: examples that run, names that are whole in every width, and `losscli help X`."""

import re
import shlex
import sys

import pytest
from commands import ROOT

from losscli.cli.examples import EXAMPLES, of_loss
from losscli.cli.main import COMMANDS, app, typer
from losscli.lookup.tasks import TASKS
from losscli.losses import FAMILIES, LOSSES
from losscli.render.screen import width_of

NEEDS = {"torch": "torch", "sklearn": "sklearn"}
"""A word of an example -> the package without which it is not run."""


@pytest.fixture
def checkout(folder):
    """A folder with what examples name, where they may write."""
    for name in ("sample_data", "examples"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def words_of(example):
    """Return the words of an example; what goes to a file is printed here."""
    words = shlex.split(example)
    assert words.pop(0) == "losscli"
    return words[: words.index(">")] if ">" in words else words


def test_every_command_has_two_or_three_examples(run):
    root = typer.main.get_command(app)
    plots = root.get_command(None, "plot")
    expected = {"", *COMMANDS, *(f"plot {name}" for name in plots.list_commands(None))}
    assert set(EXAMPLES) == expected
    assert all(2 <= len(lines) <= 3 for lines in EXAMPLES.values())
    for command, lines in EXAMPLES.items():
        out = re.sub(r"\s*\\\n\s*", " ", run(*command.split(), "--help").out)
        assert all(f"  {line}\n" in f"{out}\n" for line in lines), command


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: command or "losscli")
def test_examples_run(command, run, checkout):
    for example in EXAMPLES[command]:
        for word, package in NEEDS.items():
            if word in example.split():
                pytest.importorskip(package)
        done = run(*words_of(example))
        wrong = command == "verify" or command == "audit"  # some of these losses are wrong, and the command says so
        assert done.code in ((0, 1) if wrong else (0,)), (example, done.err)
        assert "warning" not in done.err, (example, done.err)


@pytest.mark.parametrize("loss", ["huber", "hinge", "softmax-focal", "sigmoid-cross-entropy", "multiclass-hinge"])
def test_examples_of_losses_run(loss, run, checkout):
    lines = of_loss(LOSSES[loss])
    assert 2 <= len(lines) <= 3
    assert all(run(*words_of(line)).code == 0 for line in lines)


def test_most_losses_have_examples():
    assert sum(bool(of_loss(loss)) for loss in LOSSES.values()) > 60


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("words", ["", "compute", "compute ce", "compare", "plot curves", "run"])
def test_names_are_whole_in_every_width(words, width):
    out = in_terminal(["losscli", *words.split(), "--help"], width)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    root = typer.main.get_command(app)
    if words.startswith("compute "):
        assert "--smoothing-mode uniform|half|others" in out.replace("\x1b[0m", "").replace("\x1b[36m", "")
    elif words and words != "compute":
        found = root
        for word in words.split():
            found = found.get_command(None, word)
        flags = {flag for item in found.params for flag in item.opts if flag.startswith("--")}
        assert all(any(flag in line.split() or f"{flag}," in line for line in lines) for flag in flags)
    assert "…" not in out
    longest = max(
        (width_of(word) + 6 for line in lines for word in re.split(r" {2,}", line) if word.startswith("-")), default=0
    )
    assert all(width_of(line) <= max(width, longest, 46) for line in lines)


def in_terminal(words, width):
    """Return what a command prints in a terminal of so many columns."""
    import fcntl
    import os
    import pty
    import struct
    import subprocess
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", *words]
    child = subprocess.Popen(line, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    blocks = []
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:
            break
        if not block:
            break
        blocks.append(block)
    os.close(master)
    assert child.wait() == 0
    return b"".join(blocks).decode().replace("\r\n", "\n")


def test_compute_help_is_short_and_names_every_kind_of_loss(run):
    out = run("compute", "--help").out
    assert len(out.splitlines()) < 60
    assert sorted(family for families in TASKS.values() for family in families) == sorted(FAMILIES)
    assert "softmax-cross-entropy" in out
    assert "More: losscli list" in out


class TestHelp:
    def test_of_a_command(self, run):
        assert run("help", "compare").out == run("compare", "--help").out
        assert run("help").out == run("--help").out
        assert run("help", "plot", "curves").out == run("plot", "curves", "--help").out
        assert run("help", "curves").out == run("plot", "curves", "--help").out

    def test_of_a_loss(self, run):
        assert run("help", "mse").out == run("compute", "mse", "--help").out
        assert run("help", "huber:delta=2").out == run("compute", "huber", "--help").out

    def test_of_an_option(self, run):
        out = run("help", "--per").out
        assert "--per position|sample|class|sample,class|file\n" in out
        assert "compute" in out.split("In: ")[1]
        assert "compute huber" in run("help", "--delta").out
        assert "--no-header" in run("help", "--no-header").out
        assert run("help", "-f").out.startswith("-f, --format")

    @pytest.mark.parametrize(
        ("word", "hint"),
        [("compar", "did you mean compare?"), ("hubr", "did you mean huber?"), ("--detla", "did you mean --delta?")],
    )
    def test_unknown(self, run, word, hint):
        run("help", word).refuses(2, hint)

    def test_of_a_statistic(self, run):
        run("help", "rmse").refuses(2, "losscli compute mse PREDICTIONS TARGETS")


def test_version_by_its_letter(run):
    assert run("-V").out == run("--version").out


def test_a_loss_without_compute(run):
    run("mse", "a b.csv", "t.csv").refuses(2, "mse is a loss, and no command: losscli compute mse 'a b.csv' t.csv")
