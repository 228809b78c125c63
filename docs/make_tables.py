"""Write what the documents take from the program: the table of losses, the output of every console session, pictures.

Usage: `python docs/make_tables.py`, and with `--check` to change nothing, show what has drifted and exit 1.

A session is a block fenced as ```console. Each line that starts with `$ ` is run by the shell, in a scratch folder that
holds copies of sample_data and examples; what it prints replaces the lines below it. Outputs are compared by their words, and their
numbers to within TOLERANCE, for the last digits of a logarithm depend on the processor.

Pictures that sessions write are put into docs/figures. They are not compared, but the pictures that the documents show
must be those that the sessions write, and stand in docs/figures, no more and no fewer. A page of EXAMPLES is written by
a program of its own, which takes longer; of it, only this is checked: that its folder holds the pictures that it shows.
"""

import argparse
import difflib
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from losscli.definition.registry import FAMILIES
from losscli.findings import ERRORS, NOTES, WARNINGS
from losscli.libraries import NAMES
from losscli.render.catalogue import entries, formula_of, parameters_in_short

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/design.md",
    "docs/quickstart.md",
    "docs/files.md",
    "docs/formulas.md",
    "docs/centers.md",
    "docs/calibrate.md",
    "docs/check.md",
    "docs/ci.md",
    "docs/compare.md",
    "docs/conventions.md",
    "docs/libraries.md",
    "docs/losses.md",
    "docs/own-losses.md",
    "docs/plots.md",
    "docs/rank.md",
    "docs/targets.md",
)
FIGURES = ROOT / "docs" / "figures"
EXAMPLES = {"docs/training.md": FIGURES / "training"}
"""Pages of examples, with the folders of their pictures; `python examples/training/run.py --docs` writes docs/training.md."""
SHOWN = re.compile(r"!\[[^]]*\]\([^)]*?([^/)]+\.png)\)")
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"(<!-- (\w+): made by docs/make_tables.py -->\n).*?(?=<!-- \2: end -->)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?(?![\w.])", re.IGNORECASE)
TOLERANCE = 1e-6


def _table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, whose first row is its header."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def losses() -> str:
    """The losses of each family, in tables: formula, parameters, names."""
    text = ""
    for family in FAMILIES.values():
        letters = "; ".join(f"`{letter}`: {meaning}" for letter, meaning in family.variables.items())
        text += f"\n## {family.name}\n\n{family.summary[0].upper()}{family.summary[1:]}. {letters}. "
        text += f"The loss is {family.value}. Targets: {family.targets}.\n\n"
        rows = [("loss", "f", "parameters", "also called")]
        for found in entries(family.name):
            where = "".join(f", {name} = {text}" for name, text in found["where"].items())
            formula = formula_of(found) if "definition" in found else f"`{formula_of(found)}{where}`"
            rows.append((f"`{found['name']}`", formula, parameters_in_short(found), ", ".join(found["aliases"])))
        text += _table(rows)
    return text


def families() -> str:
    """The families with the names of their losses, in a table."""
    rows = [("family", "losses")]
    for name in FAMILIES:
        rows.append((name, ", ".join(f"`{found['name']}`" for found in entries(name))))
    return _table(rows)


def variables() -> str:
    """The variables of each family, in a table."""
    rows = [("family", "the loss is", "variables")]
    for family in FAMILIES.values():
        letters = "<br>".join(f"`{letter}`: {meaning}" for letter, meaning in family.variables.items())
        rows.append((f"`{family.name}`", family.value, letters))
    return _table(rows)


def calls() -> str:
    """The calls of the libraries, loss by loss."""
    rows = [("loss", *NAMES)]
    for found in entries():
        theirs = {name: [item["call"] for item in found["libraries"] if item["library"] == name] for name in NAMES}
        if any(theirs.values()):
            cells = ("<br>".join(f"`{call}`" for call in theirs[name]) for name in NAMES)
            rows.append((f"`{found['name']}`", *cells))
    return _table(rows)


def axes() -> str:
    """What losses can be drawn over, in a table."""
    rows = [("`--x`", "losses of", "what it is")]
    for name in dict.fromkeys(axis for family in FAMILIES.values() for axis in family.axes):
        found: dict[str, list[str]] = {}
        for family in FAMILIES.values():
            if name in family.axes:
                found.setdefault(family.axes[name].label, []).append(family.name)
        rows += [(f"`{name}`", ", ".join(names), label) for label, names in found.items()]
    return _table(rows)


def findings() -> str:
    """What `losscli check` may find, in a table."""
    rows = [("finding", "", "what it is")]
    for severity, codes in (("error", ERRORS), ("warning", WARNINGS), ("note", NOTES)):
        rows += [(f"`{code}`", severity, what) for code, what in codes.items()]
    return _table(rows)


MAKERS = {
    "losses": losses,
    "families": families,
    "variables": variables,
    "calls": calls,
    "axes": axes,
    "findings": findings,
}


def session(block: str, folder: Path) -> str:
    """A console block with its commands run anew."""
    environment = os.environ | {
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    environment.pop("FORCE_COLOR", None)
    shown, code = "", 0
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        run = subprocess.run(
            ["sh", "-c", f"(exit {code}); {line[2:]}"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        code = run.returncode
        output = run.stdout if not run.stdout or run.stdout.endswith("\n") else f"{run.stdout}\n"
        shown += f"{line}\n{output}"
        if "a defect of losscli" in output:
            raise SystemExit(f"make_tables: {shlex.quote(line[2:])} ends in a defect:\n{output}")
    return shown


def refreshed(text: str) -> tuple[str, dict[str, bytes]]:
    """A document as the program of today would have it, where text that only differs in last digits stays; its pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("sample_data", "examples"):
            shutil.copytree(ROOT / name, Path(scratch) / name)

        def again(found: re.Match[str]) -> str:
            block = session(found[1], Path(scratch))
            return found[0] if same(found[1], block) else f"```console\n{block}```"

        text = SESSION.sub(again, text)
        pictures = {path.name: path.read_bytes() for path in Path(scratch).glob("*.png")}
    return MADE.sub(lambda found: found[1] + MAKERS[found[2]](), text), pictures


def same(left: str, right: str) -> bool:
    """Whether two outputs say the same: their words are equal, and their numbers nearly so."""

    def words(text: str) -> list[str]:
        return re.sub(r"-{2,}", "--", NUMBER.sub("#", text)).split()

    def numbers(text: str) -> list[float]:
        return [float(number) for number in NUMBER.findall(text)]

    return words(left) == words(right) and all(
        math.isclose(mine, theirs, rel_tol=TOLERANCE, abs_tol=1e-12)
        for mine, theirs in zip(numbers(left), numbers(right), strict=True)
    )


def drift(name: str) -> tuple[str, str, dict[str, bytes]]:
    """A document as it is, as it should be, and the pictures that its sessions write."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return text, *refreshed(text)


def strays(texts: Sequence[str], made: set[str]) -> list[str]:
    """What is wrong with the pictures: shown and made by no session, made and not shown, not in docs/figures, or only there."""
    shown = {name for text in texts for name in SHOWN.findall(text)}
    there = {path.name for path in FIGURES.iterdir() if path.is_file()}
    faults = {
        "shown, but no session writes it": shown - made,
        "written by a session, but not shown": made - shown,
        "not in docs/figures": made - there,
        "in docs/figures, but no session writes it": there - made,
    }
    return [f"{name}: {fault}" for fault, names in faults.items() for name in sorted(names)]


def missing(name: str, folder: Path) -> list[str]:
    """What is wrong with the pictures of an example's page: shown and not in its folder, or there and not shown."""
    shown = set(SHOWN.findall((ROOT / name).read_text(encoding="utf-8")))
    there = {path.name for path in folder.iterdir()}
    where = folder.relative_to(ROOT)
    lines = [f"{picture}: shown in {name}, but not in {where}" for picture in sorted(shown - there)]
    return lines + [f"{picture}: in {where}, but not shown in {name}" for picture in sorted(there - shown)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents, or with --check compare them; 1 if one has drifted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something has drifted")
    check = parser.parse_args(arguments).check
    with ThreadPoolExecutor() as pool:
        found = dict(zip(DOCUMENTS, pool.map(drift, DOCUMENTS), strict=True))
    stale = {name: (old, new) for name, (old, new, _) in found.items() if old != new}
    pictures = {name: data for _, _, made in found.values() for name, data in made.items()}
    if not check:
        FIGURES.mkdir(exist_ok=True)
        for name, data in pictures.items():
            (FIGURES / name).write_bytes(data)
    wrong = strays([new for _, new, _ in found.values()], set(pictures))
    wrong += [line for name, folder in EXAMPLES.items() for line in missing(name, folder)]
    for line in wrong:
        print(line)
    for name, (old, new) in stale.items():
        if check:
            lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, f"{name} of today")
            sys.stdout.writelines(lines)
        else:
            (ROOT / name).write_text(new, encoding="utf-8")
            print(f"{name} was written")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run python docs/make_tables.py")
    return int(bool(wrong) or (check and bool(stale)))


if __name__ == "__main__":
    sys.exit(main())
