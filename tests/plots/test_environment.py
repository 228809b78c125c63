"""Plot commands where the surroundings are hostile: settings of Matplotlib that cannot be read, closed streams."""

import os
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The picture as it is where nothing is set."""
    path = tmp_path_factory.mktemp("usual") / "huber.svg"
    subprocess.run([sys.executable, "-m", "losscli", "plot", "curves", "huber", "-o", str(path)], check=True)
    return path.read_bytes()


@pytest.mark.parametrize(
    "settings",
    [b"\xff\xfe garbage", b"no.such.key: 3\n", b"lines.linewidth: abc\n", b"text.usetex: True\nfigure.dpi: 30\n"],
    ids=["not-utf-8", "bad-key", "bad-value", "valid"],
)
def test_settings_in_the_working_folder_have_no_influence(process, write, folder, usual, settings):
    write("matplotlibrc", settings)
    done = process("plot", "curves", "huber", "-o", "huber.svg")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (folder / "huber.svg").read_bytes() == usual


@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": "nonsense"},
        {"MATPLOTLIBRC": "theirs"},
        {"MPLCONFIGDIR": "/proc/nothing"},
        {"HOME": "/proc", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "MPLCONFIGDIR": ""},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_neither_has_the_environment(process, write, folder, usual, environment):
    write("theirs", "lines.linewidth: 9\nsavefig.facecolor: red\nbad\n")
    done = process("plot", "curves", "huber", "-o", "huber.svg", env=environment)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (folder / "huber.svg").read_bytes() == usual


def test_the_environment_is_as_it_was_after_the_import():
    script = (
        "import os; os.environ.update(MPLBACKEND='nonsense', MATPLOTLIBRC='theirs')\n"
        "before, place = dict(os.environ), os.getcwd()\n"
        "import losscli.plots\n"
        "assert dict(os.environ) == before and os.getcwd() == place"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("shell", ["2>&-", "2>/dev/full"])
def test_an_error_that_nobody_can_be_told_is_still_an_exit_code(folder, shell):
    command = f'"{sys.executable}" -m losscli plot curves huber -o huber.gif {shell}'
    done = subprocess.run(["sh", "-c", command], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")
    assert not list(folder.iterdir())


def test_a_total_that_overflows_is_no_warning_of_numpy(process, save):
    p, t, w = save("p.npy", [1.0, 2.0, 3.0]), save("t.npy", np.zeros(3)), save("w.npy", [1e308] * 3)
    done = process("plot", "samples", "half-squared-error", p, t, "--sample-weight", w, "-o", "l2.png")
    assert (done.code, done.out, done.err) == (
        0,
        "",
        "losscli: note: no panel of concentration: the total is infinite\n",
    )


@pytest.mark.parametrize("date", ["abc", "99999999999999999999"])
@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_a_date_that_is_none_does_not_matter(run, monkeypatch, folder, date, suffix):
    """Pictures have no date, so that they are the same whenever they are made; Matplotlib reads this variable all the same."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    assert run("plot", "curves", "huber", "-o", f"huber.{suffix}").code == 0
    assert os.environ["SOURCE_DATE_EPOCH"] == date
