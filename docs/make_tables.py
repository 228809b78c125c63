"""Write what the documents take from the program: the table of losses, and the output of every console session.

Usage: `python docs/make_tables.py`, and with `--check` to change nothing, show what has drifted and exit 1.

A session is a block fenced as ```console. Each line that starts with `$ ` is run by the shell, in a scratch folder that
holds a copy of sample_data; what it prints replaces the lines below it. Outputs are compared by their words, and their
numbers to within TOLERANCE, for the last digits of a logarithm depend on the processor.
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

from losscli.catalogue import entries, parameters_in_short

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/design.md", "docs/conventions.md")
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOSSES = re.compile(r"(?<=<!-- losses: made by docs/make_tables.py -->\n).*?(?=<!-- losses: end -->)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?(?![\w.])", re.IGNORECASE)
TOLERANCE = 1e-6


def losses() -> str:
    """The table of losses, in Markdown."""
    rows: list[tuple[str, ...]] = [("loss", "family", "f", "parameters", "also called")]
    for found in entries():
        formula = found["formula"].replace("|", "\\|")
        names = ", ".join(found["aliases"])
        rows.append((f"`{found['name']}`", found["family"], f"`{formula}`", parameters_in_short(found), names))
    rows.insert(1, ("---",) * len(rows[0]))
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


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


def refreshed(text: str) -> str:
    """A document as the program of today would have it; text that only differs in last digits stays."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / "sample_data", Path(scratch) / "sample_data")

        def again(found: re.Match[str]) -> str:
            block = session(found[1], Path(scratch))
            return found[0] if same(found[1], block) else f"```console\n{block}```"

        text = SESSION.sub(again, text)
    return LOSSES.sub(lambda _: losses(), text)


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


def drift(name: str) -> tuple[str, str]:
    """A document as it is, and as it should be."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return text, refreshed(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents, or with --check compare them; 1 if one has drifted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something has drifted")
    check = parser.parse_args(arguments).check
    with ThreadPoolExecutor() as pool:
        found = dict(zip(DOCUMENTS, pool.map(drift, DOCUMENTS), strict=True))
    stale = {name: texts for name, texts in found.items() if texts[0] != texts[1]}
    for name, (old, new) in stale.items():
        if check:
            lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, f"{name} of today")
            sys.stdout.writelines(lines)
        else:
            (ROOT / name).write_text(new, encoding="utf-8")
            print(f"{name} was written")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run python docs/make_tables.py")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
