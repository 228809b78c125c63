"""The training case from end to end: train in PyTorch and Keras, then measure, check, compare, rank and draw with losscli.

Usage: `python examples/training/run.py`, and with `--short` for two epochs of a few runs. All files go to --out, by default
`out` beside this file, with a folder for each framework. With `--docs` the numbers, command lines and pictures of
docs/training.md are those of this run.
"""

import argparse
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NEEDS = {"torch": ("sklearn", "torch"), "keras": ("sklearn", "torch", "keras")}
PAGE = ROOT / "docs" / "training.md"
FIGURES = ROOT / "docs" / "figures" / "training"
SHOWN = {
    "torch": ("curves", "features", "distributions", "samples", "compare", "strongest"),
    "keras": ("curves", "features"),
}
MADE = re.compile(r"(<!-- (\S+): made by examples/training/run.py -->\n).*?(?=<!-- \2: end -->)", re.DOTALL)


def missing(framework: str) -> list[str]:
    """The packages that a framework's case needs and that are not installed."""
    return [name for name in NEEDS[framework] if importlib.util.find_spec(name) is None]


def make(framework: str, out: Path, short: bool) -> float:
    """Train and report on one framework, in processes of their own; the seconds that took."""
    start = time.perf_counter()
    folder = out / framework
    if folder.exists():
        shutil.rmtree(folder)
    for words in ([f"{framework}_digits.py", str(folder), *(["--short"] if short else [])], ["report.py", str(folder)]):
        if subprocess.run([sys.executable, str(HERE / words[0]), *words[1:]]).returncode:
            raise SystemExit(1)
    return time.perf_counter() - start


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, whose first row is its header."""
    lines = [rows[0], ["---"] + ["---:"] * (len(rows[0]) - 1), *rows[1:]]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def blocks(framework: str, out: Path) -> dict[str, str]:
    """What the page shows of a framework, by name."""
    sessions = json.loads((out / framework / "sessions.json").read_text())
    numbers: dict[str, Any] = json.loads((out / framework / "numbers.json").read_text())
    kinds = {"measurement": "toml"}
    found = {name: f"```{kinds.get(name, 'text')}\n{text}```\n" for name, text in sessions.items()}
    last = [("run", "cross-entropy", "focal loss", "accuracy", "ECE", "its own objective", "seconds")]
    for run in numbers["case"]["runs"]:
        curve = numbers["curves"][run["name"]]
        values = (curve[what][-1] for what in ("cross-entropy", "focal", "accuracy", "ece", "objective"))
        last.append((f"`{run['name']}`", *(f"{value:.4f}" for value in values), f"{run['seconds']:g}"))
    spreads = [("λ", "spread of a class", "distance of the nearest other center", "spread / distance")]
    for one in numbers["spreads"].values():
        spreads.append((f"{one['lambda']:g}", *(f"{one[what]:.4g}" for what in ("spread", "nearest", "ratio"))))
    agreement = numbers["agreement"]
    found |= {"last": table(last), "spreads": table(spreads)}
    found["agreement"] = (
        f"{agreement['compared']} numbers were compared; the largest difference was "
        f"{agreement['largest_relative_difference']:.1e} of the number, and {agreement['tolerance']:g} is allowed.\n"
    )
    return {f"{framework}-{name}": text for name, text in found.items()}


def write_page(out: Path) -> None:
    """Put this run's numbers and pictures into the documents."""
    found = {name: text for framework in SHOWN for name, text in blocks(framework, out).items()}
    text = MADE.sub(lambda block: block[1] + found[block[2]], PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
    FIGURES.mkdir(parents=True, exist_ok=True)
    for framework, names in SHOWN.items():
        for name in names:
            shutil.copyfile(out / framework / "pictures" / f"{name}.png", FIGURES / f"{framework}-{name}.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases that can be run here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--short", action="store_true", help="two epochs of a few runs, on a part of the digits")
    parser.add_argument("--only", choices=NEEDS, help="one framework (default: those that are installed)")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for all files (default: %(default)s)")
    parser.add_argument("--docs", action="store_true", help="put numbers and pictures into docs/training.md")
    given = parser.parse_args(arguments)
    if given.docs and (given.short or given.only):
        parser.error("--docs shows whole runs of both frameworks; leave out --short and --only")
    for framework in [given.only] if given.only else NEEDS:
        lacking = missing(framework)
        if lacking and (given.only or given.docs or framework == "torch"):
            raise SystemExit(f"not installed: {', '.join(lacking)}; pip install -r {HERE / 'requirements.txt'}")
        if lacking:
            print(f"{framework}: left out, for {', '.join(lacking)} is not installed")
            continue
        print(f"{framework}: {make(framework, given.out, given.short):.0f} s in all")
    if given.docs:
        write_page(given.out)
    print(f"pictures and numbers: {given.out}/*/pictures, {given.out}/*/numbers.json")


if __name__ == "__main__":
    main()
