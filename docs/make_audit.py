"""Write into docs/audit.md what `losscli audit` finds in the libraries that are installed here.

What is wrong in them is written to losscli/gallery/audited.json as well, for the pages of `losscli gallery`.

Usage: `python docs/make_audit.py`, where torch, keras, optax, scikit-learn and tensorflow are installed; with names of
libraries, only their sections are made anew. It takes some minutes.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from losscli.render.audit import legend

PAGE = Path(__file__).parent / "audit.md"
RECORDS = Path(__file__).parent.parent / "losscli" / "gallery" / "audited.json"
LIBRARIES = ("torch", "keras", "tf1", "optax", "sklearn")
SECTION = re.compile(r"(<!-- (\w+): made by docs/make_audit.py -->\n).*?(?=<!-- \2: end -->)", re.DOTALL)


def audited(name: str) -> str:
    """The report of a library in Markdown, from a process of its own, without its title and what its words mean."""
    words = [sys.executable, "-m", "losscli", "audit", name, "-f", "markdown", "-q"]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{name}: {done.stderr}")
    return (
        f"```sh\nlosscli audit {name}\n```\n\n" + done.stdout.partition("\n\n")[2].replace(legend(), "").strip() + "\n"
    )


def main() -> None:
    """Write the sections of some libraries, or of all."""
    write({"legend": legend()})
    for name in sys.argv[1:] or LIBRARIES:
        write({name: audited(name)})


def write(made: dict[str, str]) -> None:
    """Put sections into the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(SECTION.sub(lambda found: found[1] + made.get(found[2], found[0][len(found[1]) :]), text), "utf-8")
    RECORDS.write_text(records(PAGE.read_text(encoding="utf-8")), "utf-8")


def records(page: str) -> str:
    """Return what the page says is broken, or a warning, as JSON: for each library its version, and its findings by loss."""
    found = {}
    for section in SECTION.finditer(page):
        title = re.search(r"^- library: (.*)$", section[0], re.MULTILINE)
        if title is None:  # the legend
            continue
        losses = {row["call"]: row["loss"] for row in _table(section[0], "Calls")}
        findings: dict[str, list[dict[str, str]]] = {}
        for kind in ("Broken", "Warnings"):
            for row in _table(section[0], kind):
                findings.setdefault(losses[row["call"]], []).append({"kind": kind.lower().removesuffix("s"), **row})
        found[section[2]] = {"version": title[1], "findings": findings}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _table(section: str, title: str) -> list[dict[str, str]]:
    """Return the rows of a table below its title, by the names of its columns."""
    rows = re.search(rf"^\*\*{title}\*\*\n\n((?:\|.*\n)+)", section, re.MULTILINE)
    if rows is None:
        return []
    names, _, *cells = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in rows[1].splitlines()
    ]
    return [dict(zip(names, row, strict=True)) for row in cells]


if __name__ == "__main__":
    main()
