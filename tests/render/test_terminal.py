"""Every command's tables on terminals of several widths: nothing is cut, nothing broken inside a number or a name."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from commands import SAMPLE_DATA

from losscli.render.screen import Screen, width_of

CLASSES = ("a_class_with_a_name_of_forty_one_letters_1", "猫" * 14, "chien", "name with blanks")
IDS = [f"sample-{i:03d}-of-a-long-identifier" for i in range(24)]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
DIGITS = str(SAMPLE_DATA / "digits_logits.npy"), str(SAMPLE_DATA / "digits_labels.npy")
JOINED = ("p.csv", "t.csv", "--id", "id")
COMMANDS = {
    "list": ("list",),
    "search": ("list", "quantile"),
    "explain": ("explain", "softmax-focal"),
    "rank": ("rank", "ce", *JOINED, "--top", "4", "--by", "class"),
    "rank numbers": ("rank", "ce", *DIGITS, "--top", "4", "--by", "class"),
    "centers": ("centers", "f.csv", "t.csv", "--id", "id", "--centers", "c.csv"),
    "calibrate": ("calibrate", *JOINED, "--bias"),
    "libraries": ("compute", "ce", *DIGITS, "--as", "torch,keras,optax,sklearn,tf1", "--label-smoothing", "0.1"),
    "check": ("check", *JOINED),
    "compare": ("compare", "ce", "p.csv", "q.csv", "p.csv", "--targets", "t.csv", "--id", "id", "--resamples", "200"),
    "compare infinite": ("compare", "ce", "p.csv", "i.csv", "--targets", "t.csv", "--id", "id", "--resamples", "200"),
    "compare gate": (
        "compare",
        "ce",
        "p.csv",
        "猫猫.csv",
        "--targets",
        "t.csv",
        "--id",
        "id",
        "--fail-if",
        "not-better",
        "--as",
        "torch",
    ),
    "history": ("history", "results"),
    "verify": ("verify", "own.py:huber_loss"),
    "run": ("run", "s.toml"),
    "bless": ("run", "b.toml", "--bless", "--baseline", "results/run-2-of-a-long-name.json"),
    "compute": ("compute", "ce", *JOINED, "--per-sample", "--sample-weight", "w.csv", "--require", "value <= 0.5"),
    "elements": ("compute", "mse", "f.csv", "0", "--id", "id", "--elements"),
    "plus": ("compute", "ce", *JOINED, "--plus", "0.5*softmax-focal:gamma=2", "--plus", "0.1*multiclass-zero-one"),
    "refused": ("compute", "mse", *DIGITS),
    "not found": ("list", "no-such-loss"),
}
NAMED = {"rank", "centers", "calibrate", "check", "compare", "compare infinite", "compare gate"}
"""Commands that show names of classes."""


@pytest.fixture
def files(write):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(24, 4)) * 3, np.arange(24) % 4

    def table(name, header, rows):
        write(name, "".join(",".join(map(str, row)) + "\n" for row in [header, *rows]))

    table("p.csv", ["id", *CLASSES], [[i, *row] for i, row in zip(IDS, z.tolist(), strict=True)])
    table("q.csv", ["id", *CLASSES], [[i, *row] for i, row in zip(IDS, (z + 0.5 * z[::-1]).tolist(), strict=True)])
    table("猫猫.csv", ["id", *CLASSES], [[i, *row] for i, row in zip(IDS, (z + 0.1).tolist(), strict=True)])
    endless = np.where((np.arange(24)[:, None] % 7 == 3) & (np.arange(4) == y[:, None]), -np.inf, z)
    table("i.csv", ["id", *CLASSES], [[i, *row] for i, row in zip(IDS, endless.tolist(), strict=True)])
    table("t.csv", ["id", "label"], [[i, CLASSES[k]] for i, k in zip(IDS, y, strict=True)])
    table("w.csv", ["id", "weight"], [[i, w] for i, w in zip(IDS, rng.uniform(0.5, 2, 24).tolist(), strict=True)])
    table("f.csv", ["id", "x", "y"], [[i, *row] for i, row in zip(IDS, (z[:, :2] * 1e5).tolist(), strict=True)])
    table("c.csv", ["class", "x", "y"], [[name, k / 3, 1.0] for k, name in enumerate(CLASSES)])
    suite = 'predictions = "p.csv"\ntargets = "t.csv"\nid = "id"\n'
    write(
        "s.toml",
        f'[measure.a-measurement-with-a-long-name]\nloss = "ce"\n{suite}require = ["mean <= 0.2", "samples >= 9"]\n'
        f'[measure."猫猫"]\nloss = "softmax-focal"\n{suite}[measure.gone]\nloss = "l1"\npredictions = "x.csv"\ntargets = 0\n',
    )
    write("b.toml", f'[measure."猫猫"]\nloss = "softmax-focal"\n{suite}')
    os.mkdir("results")
    for number, signature in ((1, "loss:softmax-focal|gamma:1"), (2, "loss:softmax-focal|gamma:2")):
        record = {"value": 0.1234567890123 * number, "signature": signature, "summary": {"p99": 1.23456789012345}}
        found = {"measures": [{"name": name, **record} for name in ("猫猫", "a-measurement-with-a-long-name")]}
        write(f"results/run-{number}-of-a-long-name.json", json.dumps(found))
    write(
        "own.py",
        "import numpy as np\ndef huber_loss(y_true, y_pred):\n    r = np.abs(y_true - y_pred)\n    return np.where(r < 1, r * r, r)\n",
    )


def numbers(text):
    """The numbers with decimals that stand alone, without those of signatures."""
    return re.findall(r"(?<![\w.:,|/+-])-?\d+\.\d+(?:e[-+]?\d+)?(?![\w.])", re.sub(r"\S*\|\S*", "", text))


def significant(number):
    return len(re.sub(r"e.*|[.-]", "", number).lstrip("0"))


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_fits(run, files, monkeypatch, command, width):
    monkeypatch.setattr(Screen, "of", lambda stream: Screen(width))
    done = run(*COMMANDS[command])
    text = done.out + done.err
    assert done.code in (0, 1, 2, 3)
    assert "defect" not in done.err
    assert [line for line in text.splitlines() if width_of(line) > width] == []
    assert "\x1b" not in text
    if command != "explain":
        assert [number for number in numbers(done.out) if significant(number) > 7] == []
    if command in NAMED:
        assert [name for name in CLASSES if name not in done.out] == []


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"explain"}))
def test_ascii_has_the_same_without_other_characters(run, files, monkeypatch, command):
    monkeypatch.setattr(Screen, "of", lambda stream: Screen(80, True, "ascii"))
    done = run(*COMMANDS[command])
    assert (done.out + done.err).isascii()
    lines = [line for line in COLOUR.sub("", done.out + done.err).splitlines() if width_of(line) > 80]
    assert [line for line in lines if r"\u732b" not in line] == []  # a name that is wider than the terminal stays whole
    framed = re.findall(r"^\+-.*(?:\n[|+].*)+", COLOUR.sub("", done.out), re.MULTILINE)
    assert all(len({len(line) for line in frame.splitlines()}) == 1 for frame in framed)


def on_a_terminal(words, width, **environment):
    """Run losscli on a pseudo-terminal of this width; what it wrote."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    bare = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "losscli", *words],
        stdin=side,
        stdout=side,
        stderr=side,
        env=bare | {"TERM": "xterm-256color"} | environment,
    ):
        os.close(side)
        parts = []
        while True:
            try:
                parts.append(os.read(main, 65536))
            except OSError:  # Linux ends a pseudo-terminal so
                break
            if not parts[-1]:
                break
    os.close(main)
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_a_real_terminal_says_how_wide_it_is():
    for width, gone in ((60, "p_target, p_predicted, margin"), (120, "")):
        text = on_a_terminal(("rank", "ce", *DIGITS, "--top", "3"), width)
        assert "\x1b[" in text
        lines = COLOUR.sub("", text).splitlines()
        assert max(map(len, lines)) <= width
        assert any(line.startswith(f"left out: {gone};") for line in lines) == bool(gone)
        assert re.search(r"│ +327 │ +4 │ 4\.198 │", text)


def test_a_real_terminal_without_colours_and_in_ascii():
    text = on_a_terminal(("list", "focal"), 60, NO_COLOR="1", PYTHONIOENCODING="ascii")
    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 60
    assert "  softmax-focal" in text


def test_an_error_on_a_real_terminal():
    words = ("compute", "mse", *DIGITS)
    coloured, plain = on_a_terminal(words, 60), on_a_terminal(words, 60, NO_COLOR="1")
    assert coloured.startswith("\x1b[1;31mlosscli:\x1b[0m squared-error: ")
    assert COLOUR.sub("", coloured) == plain
    places = [word for word in plain.split() if "digits" in word]
    assert places == list(DIGITS)
