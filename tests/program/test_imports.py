"""What commands import: help is quick because it loads Typer and rich, and none of the arithmetic."""

import os
import subprocess
import sys

import numpy as np
import pytest

from losscli.losses import TABLE, names_of_modules

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


UNUSED = (
    "losscli.engine.resampling",
    "losscli.engine.parts",
    "losscli.engine.whole_file",
    "losscli.io.csv",
    "losscli.io.text",
    "losscli.libraries",
    "losscli.lookup.near",
    "losscli.lookup.tasks",
    "losscli.losses.residual",
    "losscli.losses.sequence",
    "losscli.measurement.slices",
    "losscli.render.page",
    "csv",
    "glob",
    "unicodedata",
    "numpy.typing",
    "rich",
)
"""What one number of two arrays does without; each takes some tenths of a millisecond, and together they were a tenth of the start."""


def _one_number(script, p, t):
    """Run a script that computes one number. Other tests may have set a number of threads for Polars, which is looked at where it is set."""
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    words = [sys.executable, "-c", script, "compute", "ce", p, t, "-f", "value"]
    return subprocess.run(words, capture_output=True, text=True, check=True, env=environment)


def test_one_number_imports_nothing_that_it_does_without(save):
    p, t = save("p.npy", np.zeros((3, 2))), save("t.npy", [0, 1, 0])
    script = REPORT.format(before="import numpy, typer", heavy=UNUSED)
    done = _one_number(script, p, t)
    assert done.stderr.split() == ["0"]


NOTED = """
import re, sys
compile, compiled = re._compiler.compile, []

def noted(pattern, flags=0):
    frame = sys._getframe(1)
    while frame.f_globals["__name__"] == "re":
        frame = frame.f_back
    if frame.f_globals["__name__"].startswith("losscli"):
        compiled.append(pattern)
    return compile(pattern, flags)

re._compiler.compile = noted
"""


def test_one_number_compiles_no_pattern_of_ours(save):
    p, t = save("p.npy", np.zeros((3, 2))), save("t.npy", [0, 1, 0])
    script = REPORT.format(before=NOTED, heavy=()) + "print(compiled, file=sys.stderr)"
    done = _one_number(script, p, t)
    assert done.stderr.split() == ["0", "[]"]


def test_one_loss_imports_the_files_of_its_family_alone():
    script = (
        "import sys; from losscli.losses import FAMILY_MODULES, find; found = find('Mean_Squared-ERROR').name; "
        "print(found, *(name for name in FAMILY_MODULES if f'losscli.losses.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["squared-error", "residual"]


def test_lists_have_the_same_order_whichever_loss_was_looked_for_before():
    script = (
        "from losscli.losses import declared; declared('{}'); from losscli.losses import FAMILIES, LOSSES, NAMES; "
        "print(*LOSSES, *FAMILIES, *NAMES)"
    )
    said = [
        subprocess.run([sys.executable, "-c", script.format(name)], capture_output=True, text=True, check=True).stdout
        for name in ("mse", "cox", "no loss")
    ]
    assert said[1:] == said[:1] * 2
    assert said[0].startswith("squared-error ")


def test_the_table_of_names_is_up_to_date():
    """If it is not: python docs/make_tables.py."""
    with open(TABLE, encoding="utf-8") as stream:
        assert stream.read() == names_of_modules()


def test_a_loss_that_the_table_lacks_is_found(write):
    write("names.txt", "softmax mse\n")
    script = "import losscli.losses as losses; losses.TABLE = 'names.txt'; print(losses.find('mse').name, losses.find('ce').name)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["squared-error", "softmax-cross-entropy"]


def test_losses_that_a_file_imports_are_not_forgotten_with_its_own(write):
    text = "import losscli.losses.residual\n\ndef f(predictions, targets):\n    return abs(predictions - targets)\n"
    write("own.py", text)
    script = "import losscli; print(losscli.compute('own.py:f', [0.0], [2.0]).value, losscli.compute('l1', [0.0], [2.0]).value)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2.0", "2.0"]


def test_garbage_is_looked_for_rarely_but_still():
    script = "import atexit, gc; atexit.register(lambda: print(gc.isenabled(), *gc.get_threshold()[:1], gc.get_freeze_count() > 10_000)); from losscli.cli.start import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True 100000 True"
