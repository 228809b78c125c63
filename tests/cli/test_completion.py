"""Completion: what may follow on a command line, and that bash, zsh and fish ask for it."""

import gzip
import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from commands import ROOT

from losscli.cli import completion
from losscli.cli.completion import SCRIPTS, candidates, columns, load, split
from losscli.cli.completion_source import source

HEAVY = ("typer", "numpy", "polars", "rich", "click", "json", "argparse")


@pytest.fixture(autouse=True)
def table():
    load()


def after(line):
    """Return what may follow on a line."""
    words, last = split(line)
    return list(candidates(words[1:], last))


def test_the_table_is_up_to_date():
    """If it is not: python docs/make_tables.py."""
    with open(completion.TABLE, encoding="utf-8") as stream:
        assert stream.read() == source()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("losscli comp", ["compute", "compare"]),
        ("losscli --inst", ["--install-completion"]),
        ("losscli plot cu", ["curves"]),
        ("losscli plot ", ["curves", "residuals", "reliability", "features", "compare", "samples"]),
        ("losscli compute hub", ["huber", "huber-loss"]),
        ("losscli compute bin", None),
        ("losscli compute huber:del", ["huber:delta="]),
        ("losscli compute hampel:a=1:", ["hampel:a=1:b=", "hampel:a=1:c="]),
        ("losscli compute huber p.npy t.npy --del", ["--delta"]),
        ("losscli compute huber p.npy t.npy --pos", []),
        ("losscli compute bce p.npy t.npy --pos", ["--pos-weight"]),
        ("losscli compute ce p.npy t.npy --from ", ["logits", "probs", "log-probs"]),
        ("losscli compute ce p.npy t.npy --from=pr", ["--from=probs"]),
        ("losscli compute ce p.npy t.npy --as t", ["torch", "tf1"]),
        ("losscli compute ce p.npy t.npy --also 0.5*bri", None),
        ("losscli check p.npy t.npy --loss hube", ["huber", "huber-loss"]),
        ("losscli plot curves huber tuk", None),
        ("losscli plot samples ce --pan", ["--panel"]),
        ("losscli help --per-", ["--per-sample"]),
        ("losscli help calib", ["calibrate"]),
        ("losscli list --family marg", ["margin"]),
        ("losscli compute ce ", None),
    ],
)
def test_names(line, expected):
    found = after(line)
    begun = split(line)[1]
    assert all(one.startswith(begun) for one in found)
    assert (found == expected) if expected is not None else (found or line.endswith("ce "))


def test_an_option_that_is_given_is_not_offered_again():
    assert after("losscli compute ce p t --per-sample --per-s") == []
    assert "--require" in after("losscli compute ce p t --require 'mean < 1' --req")


class TestColumns:
    TABLE = "id,age,churn probability,churn\n1,2,0.5,Yes\n"

    def test_of_a_csv_file(self, write):
        write("c.csv", self.TABLE)
        names = ["id", "age", "churn probability", "churn"]
        assert after("losscli compute bce c.csv:") == [f"c.csv:{name}" for name in names]
        assert after("losscli compute bce c.csv:age c.csv:ch") == ["c.csv:churn probability", "c.csv:churn"]
        assert after("losscli compute bce c.csv --id ") == names
        assert after("losscli check c.csv --id a") == ["age"]
        assert after("losscli compute bce c.csv --columns age,ch") == ["age,churn probability", "age,churn"]
        assert after("losscli rank bce c.csv c.csv:churn --by ag") == ["age"]
        assert after("losscli compute bce p.npy c.csv:churn --sample-weight c.csv:a") == ["c.csv:age"]

    @pytest.mark.parametrize(
        ("name", "text", "names"),
        [
            ("t.tsv", "a\tb c\n1\t2\n", ["a", "b c"]),
            ("s.csv", "a;b\n1,5;2\n", ["a", "b"]),
            ("bom.csv", "\ufeffa,b\r\n1,2\r\n", ["a", "b"]),
            ("none.csv", "1,2\n3,4\n", []),
            ("empty.csv", "", []),
            ("index.csv", ",a\n0,1\n", ["a"]),
            ("lines.jsonl", '{"p": [1, 2], "y": 0}\n', ["p", "y"]),
            ("broken.npz", "PK", []),
            ("broken.npy", "\x93NUMPY", []),
        ],
    )
    def test_of_other_text(self, write, name, text, names):
        write(name, text)
        assert columns(name) == names

    def test_of_arrays_and_typed_tables(self, folder, save):
        save("a.npy", np.zeros((2, 3)))
        save("b.npy", np.zeros(3))
        np.savez("z.npz", logits=np.zeros(2), labels=np.zeros(2))
        (folder / "c.csv.gz").write_bytes(gzip.compress(b"x,y\n1,2\n"))
        import polars as pl

        pl.DataFrame({"p q": [1.0]}).write_parquet("t.parquet")
        pl.DataFrame({"r": [1.0]}).write_ipc("t.arrow")
        assert columns("a.npy") == ["1", "2", "3"]
        assert columns("b.npy") == []
        assert columns("z.npz") == ["logits", "labels"]
        assert columns("c.csv.gz") == ["x", "y"]
        assert columns("t.parquet") == ["p q"]
        assert columns("t.arrow") == ["r"]
        assert columns("nowhere.csv") == []
        assert after("losscli compute ce z.npz:lo") == ["z.npz:logits"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("losscli a 'b c' d", (["losscli", "a", "b c"], "d")),
        ('losscli "a b" ', (["losscli", "a b"], "")),
        ("losscli a\\ b", (["losscli"], "a b")),
        ("losscli 'a b", (["losscli"], "a b")),
    ],
)
def test_words_are_those_of_a_shell(line, words):
    assert split(line) == words


def test_names_need_no_import_of_a_command():
    script = f"import sys; sys.argv = ['losscli']; import atexit; atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)); from losscli.cli.start import main; main()"
    environment = os.environ | {
        "_LOSSCLI_COMPLETE": "zsh",
        "_LOSSCLI_LINE": "losscli compute hub",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("huber\nhuber-loss\n", "[]\n")


@pytest.fixture
def program(folder, monkeypatch):
    """A folder on the PATH with losscli, and a home of its own."""
    place = folder / "bin"
    place.mkdir()
    start = place / "losscli"
    start.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m losscli "$@"\n'
    )
    start.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TERM", "dumb")
    (folder / "c d.csv").write_text(TestColumns.TABLE)
    (folder / "c.csv").write_text(TestColumns.TABLE)
    return folder


def typed(shell, keys, expected, setup=""):
    """Type keys into an interactive shell; return what it shows, as soon as that has what is expected."""
    child, master = pty.fork()
    if child == 0:
        os.execvp(shell[0], shell)
    shown = b""
    try:
        for sent in (*([setup] if setup else []), "echo re''ady\n"):
            os.write(master, sent.encode())
        shown = _until(master, b"ready", shown)
        os.write(master, keys.encode())
        return _until(master, expected.encode(), b"").decode(errors="replace")
    finally:
        os.close(master)
        os.kill(child, 9)
        os.waitpid(child, 0)


def _until(master, expected, shown, seconds=30):
    end = time.monotonic() + seconds
    while expected not in shown and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                shown += os.read(master, 65536).replace(b"\x07", b"")
            except OSError:
                break
    return shown


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
needs_zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
needs_fish = pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
LINES = [
    ("losscli compute squared-hi\t", "squared-hinge"),
    ("losscli compute huber:del\t3", "huber:delta=3"),
    ("losscli compute ce c.csv --fr\tlog-\t", "log-probs"),
    ("losscli compute bce c.csv:churn\\ \t", "churn\\ probability"),
    ("losscli compute bce c.csv --id ag\t", "--id age"),
]


@needs_bash
class TestBash:
    def replies(self, line):
        """Return what the function leaves in COMPREPLY."""
        script = f"{SCRIPTS['bash']}\nCOMP_LINE={shlex.quote(line)}; COMP_POINT=${{#COMP_LINE}}; _losscli_completion losscli 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split("\n")[
            :-1
        ]

    def test_replies(self, program):
        assert self.replies("losscli compute hub") == ["huber", "huber-loss"]
        assert self.replies("losscli compute huber:d") == ["delta="]  # bash breaks words at colons
        assert self.replies("losscli compute bce c.csv:ch") == ["churn\\ probability", "churn"]
        assert self.replies("losscli compute bce p.npy t.npy --from=pr") == ["probs"]
        assert self.replies("losscli run ") == [""]  # names of files

    @pytest.mark.parametrize(("keys", "expected"), LINES)
    def test_a_tab_in_a_terminal(self, program, run, keys, expected):
        assert run("--install-completion", "bash").code == 0
        shown = typed(["bash", "--noprofile", "-i"], keys, expected)
        assert expected in shown


@needs_zsh
class TestZsh:
    @pytest.mark.parametrize(("keys", "expected"), LINES)
    def test_a_tab_in_a_terminal(self, program, run, keys, expected):
        assert run("--install-completion", "zsh").code == 0
        shown = typed(["zsh", "-i"], keys, expected)
        assert expected in shown


@needs_fish
class TestFish:
    def follow(self, line):
        """Return what fish itself would offer."""
        script = f"complete -C {shlex.quote(line)}"
        done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True)
        return [one.split("\t")[0] for one in done.stdout.splitlines()]

    def test_what_fish_offers(self, program, run):
        assert run("--install-completion", "fish").code == 0
        assert self.follow("losscli compute hub") == ["huber", "huber-loss"]
        assert self.follow("losscli compute huber:de") == ["huber:delta="]
        assert self.follow("losscli compute bce c.csv:ch") == ["c.csv:churn", "c.csv:churn probability"]
        assert self.follow("losscli compute bce c.csv --id a") == ["age"]
        assert "c.csv" in self.follow("losscli check ")


class TestInstall:
    def test_twice_is_once(self, program, run):
        for _ in range(2):
            assert run("--install-completion", "bash").code == 0
        assert (program / ".bashrc").read_text().count("completion.bash") == 1

    def test_a_start_file_keeps_what_it_has(self, program, run):
        (program / ".zshrc").write_text("alias x=y")
        assert run("--install-completion", "zsh").code == 0
        assert (program / ".zshrc").read_text().startswith("alias x=y\nsource ")

    def test_by_the_environment(self, program, run, monkeypatch):
        monkeypatch.setenv("SHELL", "/usr/bin/fish")
        assert ".config/fish/completions/losscli.fish" in run("--install-completion").out
        assert run("--show-completion").out == SCRIPTS["fish"]
        monkeypatch.setenv("SHELL", "/bin/tcsh")
        run("--show-completion").refuses(2, "'tcsh'", "bash, zsh, fish")

    def test_show(self, run):
        assert run("--show-completion", "zsh").out == SCRIPTS["zsh"]
        run("--show-completion", "csh").refuses(2, "say one of: bash, zsh, fish")
