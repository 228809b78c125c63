"""What commands import: help is quick because it loads Typer and rich, and none of the arithmetic."""

import subprocess
import sys

import numpy as np
import pytest

HEAVY = (
    "numpy",
    "numpy.random",
    "polars",
    "matplotlib",
    "matplotlib.pyplot",
    "scipy",
    "pandas",
    "sklearn",
    "pydantic",
    "obstore",
)
REPORT = """
import sys
{before}
from losscli.cli.main import run
code = run(sys.argv[1:])
print(code, *sorted(name for name in {heavy} if name in sys.modules), file=sys.stderr)
"""


def imported(*words, before=""):
    """Run a command line in a fresh process; its exit code and which heavy packages were loaded at its end."""
    script = REPORT.format(before=before, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    code, *names = done.stderr.splitlines()[-1].split()
    return int(code), set(names)


@pytest.mark.parametrize(
    "words", [("--help",), ("run", "--help"), ("plot", "--help"), ("plot", "curves", "--help")], ids=" ".join
)
def test_help_imports_nothing_heavy(words):
    assert imported(*words) == (0, set())


def test_version_imports_nothing_heavy():
    assert imported("--version") == (0, set())


def test_a_misspelt_command_imports_nothing_heavy():
    assert imported("computer") == (2, set())


@pytest.mark.parametrize("name", ["numpy", "polars", "matplotlib", "pydantic"])
def test_the_test_can_fail(name):
    assert imported("--help", before=f"import {name}")[1] >= {name}


@pytest.mark.parametrize("words", [("list",), ("explain", "huber"), ("compute", "huber", "--help")])
def test_the_catalogue_needs_numpy_at_most(words):
    code, names = imported(*words)
    assert code == 0
    assert names <= {"numpy"}


def test_arrays_need_no_polars(save):
    p, t = save("p.npy", np.zeros((3, 2))), save("t.npy", [0, 1, 0])
    words = ("ce", p, t, "--per-sample", "-o", "out.json", "--gradient", "slopes.npy", "--require", "mean < 1")
    assert imported("compute", *words, "--class-weight", "0=2") == (0, {"numpy"})


def test_lines_of_json_need_no_polars(save):
    p, t = save("p.npy", np.zeros((3, 2))), save("t.npy", [0, 1, 0])
    assert imported("compute", "ce", p, t, "-f", "jsonl", "-o", "out.npy") == (0, {"numpy"})


def test_suites_alone_need_pydantic(save, write):
    save("p.npy", np.zeros(3))
    write("s.toml", '[measure.a]\nloss = "l1"\npredictions = "p.npy"\ntargets = 0\n')
    assert imported("run", "s.toml") == (0, {"numpy", "pydantic"})
    assert imported("run", "--init") == (0, {"numpy"})


def test_small_tables_need_no_polars(write):
    p, t = write("p.csv", "id,a,b\nx,1,2\ny,3,4\n"), write("t.csv", "id,label\ny,a\nx,b\n")
    assert imported("compute", "ce", p, t, "--id", "id") == (0, {"numpy"})


def test_other_tables_need_polars_and_no_matplotlib(write):
    assert imported("compute", "l1", write("p.csv", "v\n" + "1.25\n" * 20_000), "0") == (0, {"numpy", "polars"})


def test_plots_need_matplotlib_without_its_windows():
    assert imported("plot", "curves", "huber", "-o", "x.svg", "--data", "x.json") == (0, {"numpy", "matplotlib"})


def test_losses_that_cannot_be_compared_are_refused_without_matplotlib():
    assert imported("plot", "curves", "huber", "hinge", "-o", "x.svg") == (2, {"numpy"})


def test_garbage_is_looked_for_rarely_but_still():
    script = "import atexit, gc; atexit.register(lambda: print(gc.isenabled(), *gc.get_threshold()[:1])); from losscli.cli.start import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True 10000"
