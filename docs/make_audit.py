"""Write into docs/audit.md what `losscli audit` finds in the libraries that are installed here.

Usage: `python docs/make_audit.py`, where torch, keras, optax, scikit-learn and tensorflow are installed; with names of
libraries, only their sections are made anew. It takes some minutes.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from losscli.render.audit import legend

PAGE = Path(__file__).parent / "audit.md"
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


if __name__ == "__main__":
    main()
