"""Which losses have other digits with other instructions of the processor.

NumPy's exp, log, tanh and others are other code for each level of instructions, whose last digits differ. This computes every
loss with some levels switched off, in processes of their own, and compares the numbers with those of all levels.
`python tests/support/digits.py` writes what it finds to losscli/measurement/digits.json, which receipts say, and to the table in
docs/robustness.md. It should run on a processor with AVX-512: of a narrower one, it sees fewer differences.
"""

import contextlib
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from drawn import drawn

from losscli.losses import LOSSES

ROWS = 500
CLASSES = (4, 24)
ROOT = Path(__file__).parents[2]
LISTED = ROOT / "losscli" / "measurement" / "digits.json"
TABLE = ROOT / "docs" / "robustness.md"
DISPATCHED = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "float_power", "cbrt", "sin", "cos", "tan"),
    *("arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
)
"""Functions that NumPy has for several levels of instructions."""


class Differences(NamedTuple):
    """The largest difference of the values, and of the gradient, relative to the largest number of the array."""

    value: float
    gradient: float


class Traced:
    """A function of NumPy's that notes with which float types it is called."""

    def __init__(self, function, seen):
        self.function, self.seen = function, seen

    def __call__(self, *operands, **options):
        found = self.function(*operands, **options)
        if np.size(found) > 1 and getattr(found, "dtype", None) in (np.float32, np.float64):
            self.seen.add(f"{self.function.__name__} of {found.dtype}")
        return found

    def __getattr__(self, name):
        return getattr(self.function, name)


def dispatched():
    """Return the levels of instructions that NumPy dispatches on and this processor has, the lowest first."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__[name]]


def levels():
    """Return what to switch off for each kind of processor that this one can stand for."""
    names = dispatched()
    wide = [name for name in names if name.startswith(("AVX512", "X86_V4"))]
    found = {}
    if wide:
        found["without AVX-512"] = wide
    if names:
        found["without AVX"] = names
    return found


def losses():
    """Return the losses by name, without aliases."""
    return dict(sorted((loss.name, loss) for loss in LOSSES.values()))


def parameters_of(loss):
    """Return the defaults, and other values of all parameters."""
    yield {}
    for factor, otherwise in ((1.5, 0.5), (0.5, 2.0)):
        found = {}
        for name, parameter in loss.parameters.items():
            tried = (otherwise if parameter.default is None else parameter.default * factor, 0.25, 0.5, 1, 2, 3, 4)
            fits = [one for one in tried if float(one) in parameter.domain]
            if fits:
                found[name] = fits[0]
        if found:
            yield found


def operands(rows=ROWS, classes=CLASSES, variants=3):
    """Return what every loss is computed from; numbers are drawn once, since drawing needs exp and log as well."""
    made = []
    for name, loss in losses().items():
        for k in classes:
            data = drawn(loss, rows, k, k, elements=True)
            made += [
                (name, dtype, chosen, data)
                for chosen in list(parameters_of(loss))[:variants]
                for dtype in ("float32", "float64")
            ]
    return made


def computed(made, traced=None):
    """Return value and gradient of each loss; `traced` gets the functions that each needs, by its name and dtype."""
    found, known = {}, losses()
    with np.errstate(all="ignore"):
        for name, dtype, chosen, data in made:
            with contextlib.ExitStack() as stack:
                if traced is not None:
                    stack.enter_context(tracing(traced.setdefault((name, dtype), set())))
                targets = data.encoding.targets(data.targets)
                bound = known[name].bind(**chosen)
                found.setdefault((name, dtype), []).append(
                    bound(data.predictions.astype(dtype), targets, data.extras, gradient=True)
                )
    return found


@contextlib.contextmanager
def tracing(seen):
    """Note in `seen` which of the functions that NumPy dispatches are called."""
    own = {name: getattr(np, name) for name in DISPATCHED}
    try:
        for name, function in own.items():
            setattr(np, name, Traced(function, seen))
        yield
    finally:
        for name, function in own.items():
            setattr(np, name, function)


def elsewhere(made, off):
    """Return value and gradient of each loss as a process computes them in which some levels are switched off."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "operands.pickle"
        path.write_bytes(pickle.dumps(made))
        words = [sys.executable, __file__, "--compute", str(path)]
        places = os.pathsep.join([*sys.path, os.path.dirname(__file__)])
        environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(off), "PYTHONPATH": places}
        subprocess.run(words, env=environment, check=True, capture_output=True)
        return pickle.loads(path.read_bytes())


def largest(one, other):
    """Return the largest difference of two arrays, relative to the largest number in them; 0 for the same bits."""
    if one.tobytes() == other.tobytes():
        return 0.0
    one, other = (array.astype(np.float64) for array in (one, other))
    if not (np.isfinite(one) == np.isfinite(other)).all():
        return np.inf
    one, other = (array[np.isfinite(array)] for array in (one, other))
    return float(np.abs(one - other).max() / np.abs(one).max())


def differences(off, made):
    """Return the differences of those losses whose digits differ where some levels are switched off, by name and dtype."""
    here, there = computed(made), elsewhere(made, off)
    found = {}
    for key, results in here.items():
        pairs = list(zip(results, there[key], strict=True))
        both = Differences(*(max(largest(one[i], other[i]) for one, other in pairs) for i in (0, 1)))
        if any(both):
            found[key] = both
    return found


def listed():
    """Return what may differ, as digits.json has it: by loss and dtype, the largest differences and the functions that are called.

    A float32 loss that is computed in float64 on the way differs once in many millions of rows, and may be here with 0.
    """
    made, worst, functions = operands(), {}, {}
    computed(made, functions)
    for off in levels().values():
        for key, found in differences(off, made).items():
            worst[key] = tuple(map(max, worst.get(key, (0.0, 0.0)), found))
    entries = {}
    for (name, dtype), called in sorted(functions.items()):
        value, gradient = worst.get((name, dtype), (0.0, 0.0))
        if called or value or gradient:
            entry = {"value": float(f"{value:.1e}"), "gradient": float(f"{gradient:.1e}")}
            entry["functions"] = sorted(called) or [f"power of {dtype}"]  # `**` is not seen
            entries.setdefault(name, {})[dtype] = entry
    return entries


def table(entries):
    """Return the list as a Markdown table."""
    lines = ["| loss | value, float32 | gradient | value, float64 | gradient |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, by_dtype in entries.items():
        numbers = [
            by_dtype.get(dtype, {}).get(what) for dtype in ("float32", "float64") for what in ("value", "gradient")
        ]
        lines.append(
            f"| `{name}` | "
            + " | ".join("same" if x is None else f"{x:.0e}" if x else "not seen" for x in numbers)
            + " |"
        )
    return "\n".join(lines)


def main():
    entries = listed()
    rows = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items()]
    LISTED.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    begin, end = "<!-- begin digits -->\n", "\n<!-- end digits -->"
    page = re.sub(f"{begin}.*?{end}", lambda _: begin + table(entries) + end, TABLE.read_text(), flags=re.DOTALL)
    TABLE.write_text(page)
    print(f"{len(entries)} of {len(losses())} losses; levels switched off: {levels()}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--compute"]:
        path = Path(sys.argv[2])
        path.write_bytes(pickle.dumps(computed(pickle.loads(path.read_bytes()))))
    else:
        main()
