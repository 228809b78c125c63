"""What losscli says about saved runs: measure every epoch, check against the frameworks' numbers, compare, rank, draw.

Usage: `python report.py FOLDER`, FOLDER being where torch_digits.py or keras_digits.py has saved its runs. losscli is run
as a user runs it, by command lines in that folder; each of them stands in `sessions.json` with what it printed, the
numbers in `numbers.json`, the pictures in `pictures/`. Where a number is not the framework's own, the report ends with exit code 1.
"""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pictures

TOLERANCE = 2e-5
"""Relative; the frameworks sum float32 numbers in float32."""
OBJECTIVE = {
    "ce": {"loss": "cross-entropy"},
    "focal": {"loss": "softmax-focal:gamma=2"},
    "smoothing": {"loss": "cross-entropy", "label-smoothing": 0.1},
}
"""What digits.py calls a loss, as a measurement of a suite."""


class Session:
    """The command lines of losscli, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shown: dict[str, str] = {}

    def run(self, line: str, show: str = "") -> str:
        """What a command line prints; kept to be shown under a name. The shell's `losscli` is this interpreter's."""
        command = f'losscli() {{ {shlex.quote(sys.executable)} -m losscli "$@"; }}\n{line}'
        environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
        how = {"cwd": self.folder, "env": environment, "stdin": subprocess.DEVNULL}
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, **how)
        if done.returncode:
            raise SystemExit(f"{line}\nended with exit code {done.returncode}: {done.stderr}")
        if show:
            self.shown[show] = self.shown.get(show, "") + f"$ {line}\n{done.stdout}"
        return done.stdout

    def json(self, line: str) -> Any:
        return json.loads(self.run(f"{line} -f json"))


def fields(record: dict[str, Any]) -> str:
    """An inline table of TOML."""
    return ", ".join(f"{name} = {json.dumps(value)}" for name, value in record.items())


class Report:
    """One framework's runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.session = folder, Session(folder)
        self.case = json.loads((folder / "case.json").read_text())
        self.runs: dict[str, dict[str, Any]] = {run["name"]: run for run in self.case["runs"]}
        self.epochs: int = self.case["epochs"]
        self.histories = {name: json.loads((folder / name / "history.json").read_text()) for name in self.runs}
        self.pictures = folder / "pictures"
        self.pictures.mkdir(exist_ok=True)

    def file(self, run: str, what: str = "logits") -> str:
        """What a run saved after its last epoch."""
        return f"{run}/epoch-{self.epochs:02}/{what}.npy"

    # Every epoch, in one suite

    def measures(self) -> Iterator[tuple[str, str]]:
        """Name and body of each measurement of the suite."""
        for name, run in self.runs.items():
            for epoch in range(1, self.epochs + 1):
                files = {"predictions": f"{name}/epoch-{epoch:02}/logits.npy", "targets": "labels.npy"}
                at = f"{name}-{epoch:02}"
                yield f"{at}-cross-entropy", self.lines({"loss": "cross-entropy"} | files)
                yield f"{at}-focal", self.lines({"loss": "softmax-focal:gamma=2"} | files)
                yield f"{at}-error", self.lines({"loss": "multiclass-zero-one"} | files)
                objective = OBJECTIVE[run["loss"]] | files
                if run["weight"]:
                    folder = f"{name}/epoch-{epoch:02}"
                    center = {"name": "center", "weight": run["weight"], "loss": "center"}
                    center |= {"predictions": f"{folder}/features.npy", "targets": "labels.npy"}
                    center |= {"centers": f"{folder}/centers.npy"}
                    terms = ({"name": "ce"} | objective, center)
                    yield f"{at}-objective", "terms = [" + "".join(f"\n  {{ {fields(one)} }}," for one in terms) + "\n]"
                else:
                    yield f"{at}-objective", self.lines(objective)

    @staticmethod
    def lines(record: dict[str, Any]) -> str:
        return "\n".join(f"{name} = {json.dumps(value)}" for name, value in record.items())

    def measure(self) -> dict[str, dict[str, list[float]]]:
        """Of each run, what losscli measures after each epoch; accuracy is 1 - the zero-one loss."""
        bodies = [f'[measure."{name}"]\n{body}\n' for name, body in self.measures()]
        title = f'name = "{self.case["framework"]}: every epoch"\n'
        (self.folder / "suite.toml").write_text("\n".join([title, *bodies]))
        self.session.run("losscli run suite.toml --save suite.json > suite.txt", "suite")
        self.session.run("head -2 suite.txt", "suite")
        found = {one["name"]: one for one in json.loads((self.folder / "suite.json").read_text())["measures"]}
        curves: dict[str, dict[str, list[float]]] = {}
        for name in self.runs:
            ats = [f"{name}-{epoch:02}" for epoch in range(1, self.epochs + 1)]
            curves[name] = {
                what: [found[f"{at}-{what}"]["value"] for at in ats] for what in ("cross-entropy", "focal", "objective")
            }
            curves[name]["accuracy"] = [1 - found[f"{at}-error"]["value"] for at in ats]
            curves[name]["ece"] = [found[f"{at}-cross-entropy"]["summary"]["ece"] for at in ats]
        return curves

    def example(self) -> str:
        """The measurement of cross-entropy and center loss of one run, as it stands in the suite."""
        name = f"{list(self.runs)[-1]}-{self.epochs:02}-objective"
        return f'[measure."{name}"]\n{dict(self.measures())[name]}\n'

    # losscli against the framework

    def checks(self, curves: dict[str, dict[str, list[float]]]) -> Iterator[tuple[str, float, float]]:
        """What, losscli's number, and the framework's own."""
        for name, history in self.histories.items():
            for number, own in enumerate(history):
                at = f"{name}, epoch {number + 1}"
                for what, theirs in (("objective",) * 2, ("cross-entropy", "cross_entropy"), ("accuracy",) * 2):
                    yield f"{what} of {at}", curves[name][what][number], own[theirs]

    def moves(self) -> Iterator[tuple[str, float, float]]:
        """The last move of the centers of each run, made again by `losscli centers`: the largest coordinates' difference."""
        for name, run in self.runs.items():
            if run["weight"]:
                at = f"{name}/last-batch"
                line = f"losscli centers {at}/features.npy {at}/labels.npy --centers {at}/before.npy -o {at}/moved.npy"
                self.session.run(f"{line} --update paper --alpha 0.5 -q")
                ours, own = (np.load(self.folder / at / f"{what}.npy") for what in ("moved", "after"))
                size = float(np.abs(own).max())
                yield f"move of the centers of {name}", size + float(np.abs(ours - own).max()), size

    def agree(self, curves: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
        """Compare all, and end where something differs; how much was compared, and the largest relative difference."""
        found = [*self.checks(curves), *self.moves()]
        apart = [
            f"{what}: {ours!r} by losscli, {own!r} by {self.case['framework']}"
            for what, ours, own in found
            if not math.isclose(ours, own, rel_tol=TOLERANCE, abs_tol=1e-6)
        ]
        if apart:
            raise SystemExit("\n".join(["numbers that should be the same:", *apart]))
        largest = max(abs(ours - own) / max(abs(own), 1e-6) for _, ours, own in found)
        return {"compared": len(found), "largest_relative_difference": largest, "tolerance": TOLERANCE}

    # The last epoch

    def spreads(self) -> dict[str, dict[str, float]]:
        """How far the features of a class are spread, and how far the nearest other center is, by `losscli centers`."""
        found = {}
        for name, run in self.runs.items():
            if run["loss"] == "ce" and not run["seed"]:
                report = self.session.json(f"losscli centers {self.file(name, 'features')} labels.npy")
                nearest = float(np.mean([one["distance"] for one in report["classes"]]))
                spread = math.sqrt(2 * report["loss_after"])
                found[name] = {"lambda": run["weight"], "spread": spread, "nearest": nearest, "ratio": spread / nearest}
        return found

    def losses(self) -> dict[str, np.ndarray[Any, Any]]:
        """The cross-entropy of each test row after the last epoch, of each run."""

        def one(name: str) -> Any:
            self.session.run(f"losscli compute ce {self.file(name)} labels.npy -q -o {name}/losses.npy")
            return np.load(self.folder / name / "losses.npy")

        with ThreadPoolExecutor(2) as pool:
            return dict(zip(self.runs, pool.map(one, self.runs), strict=True))

    def tell(self, curves: dict[str, dict[str, list[float]]]) -> None:
        """The command lines that the documents show."""
        run = self.session.run
        plain = [name for name, of in self.runs.items() if not of["weight"] and name != "ce"]
        centered = [name for name, of in self.runs.items() if of["weight"]]
        focal = next(name for name in plain if self.runs[name]["loss"] == "focal")
        best = min({"ce", *centered}, key=lambda name: curves[name]["cross-entropy"][-1])
        strongest = centered[-1]
        run(f"losscli compute softmax-focal {self.file(focal)} labels.npy", "compute")
        run(f"losscli check {self.file(focal)} labels.npy", "check")
        for show, rivals in (("compare", plain), ("lambdas", centered)):
            files = " ".join(map(self.file, ["ce", *rivals]))
            run(f"losscli compare ce {files} --targets labels.npy | head -{2 + 6 * len(rivals)}", show)
        for loss in ("ce", "softmax-focal"):
            pair = f"{self.file(best)} {self.file(focal)}"
            run(f"losscli compare {loss} {pair} --targets labels.npy | head -8", "best")
        run(f"losscli rank ce {self.file('ce')} labels.npy --top 5", "rank")
        run(f"losscli centers {self.file(strongest, 'features')} labels.npy", "centers")
        batch = f"{strongest}/last-batch"
        files = f"{batch}/features.npy {batch}/labels.npy --centers {batch}/before.npy"
        run(f"losscli centers {files} --update paper --alpha 0.5 -o moved.npy | head -5", "moved")
        for line in (
            f"samples ce {self.file('ce')} labels.npy -o pictures/samples.png",
            f"compare ce {self.file('ce')} {self.file(focal)} --targets labels.npy -o pictures/compare.png",
            f"features {self.file(strongest, 'features')} labels.npy -o pictures/strongest.png",
        ):
            run(f"losscli plot {line}", f"plot-{line.split()[0]}")

    def make(self) -> None:
        """All of it."""
        curves = self.measure()
        numbers = {"case": self.case, "agreement": self.agree(curves), "curves": curves, "spreads": self.spreads()}
        self.tell(curves)
        names = list(self.runs)
        features = {name: np.load(self.folder / self.file(name, "features")) for name in numbers["spreads"]}
        labels = np.load(self.folder / "labels.npy")
        about = f"{self.case['framework']}, test split, {len(labels)} rows, by losscli"
        pictures.curves(self.pictures / "curves.png", self.runs, curves, about)
        pictures.features(self.pictures / "features.png", features, labels, numbers["spreads"], about)
        pictures.distributions(self.pictures / "distributions.png", self.runs, self.losses(), about)
        (self.folder / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
        (self.folder / "sessions.json").write_text(
            json.dumps(self.session.shown | {"measurement": self.example()}, indent=1) + "\n"
        )
        agreement = numbers["agreement"]
        print(
            f"{self.case['framework']}: {agreement['compared']} numbers of {len(names)} runs are losscli's too, "
            f"to {agreement['largest_relative_difference']:.1e} of their size"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Report on a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    Report(parser.parse_args(arguments).folder).make()


if __name__ == "__main__":
    main()
