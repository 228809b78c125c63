"""Healthy files that no doubt may stop: scikit-learn's data sets and random ones, each written in ten ways.

    python tests/support/false_alarms.py --seeds 200

prints how many command lines ended in a refusal, and the refusals. The suite runs a few seeds of it.
"""

import argparse
import contextlib
import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from losscli.cli.main import run

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


@dataclass
class Case:
    """Predictions and targets of one model, and a loss for them.

    `names` are those of the predictions' columns; labels of classes are written as them in text.
    """

    about: str
    loss: str
    predictions: np.ndarray
    targets: np.ndarray
    names: list[str]
    target_names: list[str]
    options: tuple[str, ...] = ()


def of_scikit_learn() -> Iterator[Case]:
    """Yield a model of each data set that comes with scikit-learn, judged on data that it was not trained on."""
    from sklearn import datasets
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    for name in ("iris", "wine", "digits", "breast_cancer"):
        data = getattr(datasets, f"load_{name}")()
        x, y, words = data.data, data.target, [str(word) for word in data.target_names]
        half = np.arange(len(y)) % 2 == 0
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(x[half], y[half])
        forest = RandomForestClassifier(10, random_state=0).fit(x[half], y[half])
        scores = linear.decision_function(x[~half])
        if scores.ndim == 2:
            yield Case(f"{name} logits", "ce", scores, y[~half], words, ["label"])
        else:
            yield Case(f"{name} logits", "bce", scores[:, None], y[~half], ["score"], ["label"])
        for model, title in ((linear, "linear"), (forest, "forest")):
            p = model.predict_proba(x[~half])
            yield Case(f"{name} {title}", "brier", p, y[~half], words, ["label"], ("--from", "probs"))
    for name in ("diabetes", "linnerud"):
        data = getattr(datasets, f"load_{name}")()
        y = data.target.reshape(len(data.target), -1)
        half = np.arange(len(y)) % 2 == 0
        names = list(getattr(data, "target_names", ["progression"]))
        for model in (LinearRegression(), RandomForestRegressor(10, random_state=0)):
            found = model.fit(data.data[half], y[half] if y.shape[1] > 1 else y[half, 0]).predict(data.data[~half])
            yield Case(f"{name} {type(model).__name__}", "mse", found.reshape(len(found), -1), y[~half], names, names)


def at_random(seed: int) -> Case:
    """Return predictions and targets of a random kind, size and scale."""
    generator = np.random.default_rng(seed)
    n, k = int(generator.integers(1, 400)), int(generator.integers(2, 13))
    kind = ("logits", "probs", "rounded", "outcomes", "numbers", "counts", "single")[seed % 7]
    names = _names(generator, k)
    if kind in ("logits", "probs", "rounded"):
        y = np.concatenate([np.arange(k), generator.integers(0, k, n)])
        z = generator.normal(0, generator.choice([0.1, 1, 30]), (len(y), k)) + 2 * np.eye(k)[y]
        if kind == "logits":
            return Case(kind, "ce", z, y, names, ["label"])
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        if kind == "rounded":
            p = np.round(p, 8)
        return Case(kind, "brier", p, y, names, ["label"], ("--from", "probs"))
    if kind == "outcomes":
        t = generator.integers(0, 2, (n, k))
        return Case(kind, "bce", generator.normal(0, 3, (n, k)), t, names, names)
    if kind == "numbers":
        t = np.cumsum(generator.normal(0, 1, (n, k)), axis=0)
        return Case(kind, "huber", t + generator.normal(0, 0.3, (n, k)), t, names, names)
    if kind == "counts":
        t = generator.poisson(generator.uniform(1, 20, k), (n, k))
        return Case(kind, "mse", generator.poisson(t + 1), t, names, names)
    t = generator.normal(50, 20, (n, 1))
    return Case(kind, "l1", np.round(t + generator.normal(0, 5, (n, 1)), 2), np.round(t, 1), ["y_hat"], ["y"])


def _names(generator: np.random.Generator, k: int) -> list[str]:
    """Return names of columns in one of the usual ways."""
    way = int(generator.integers(0, 4))
    words = (
        [str(i) for i in range(k)] if way == 0 else ["".join(generator.choice(LETTERS, 5)) + str(i) for i in range(k)]
    )
    return [("class_", "p_", "prob.", "")[way] + word for word in words]


def written(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Write a case into the current folder in ten ways; yield the name of each and the operands of its command line."""
    p, t = case.predictions, case.targets
    several = t.ndim == 2 and t.shape[1] > 1
    flat = t if several else t.reshape(-1)
    shown = p if p.shape[1] > 1 else p[:, 0]
    np.save("p.npy", shown)
    np.save("t.npy", flat)
    yield "npy", ["p.npy", "t.npy"]
    np.save("p32.npy", shown.astype(np.float32))
    yield "float32", ["p32.npy", "t.npy"]
    np.savez("a.npz", p=shown, t=flat)
    yield "npz", ["a.npz:p", "a.npz:t"]
    labels = np.array(case.names)[flat] if case.loss in ("ce", "brier") else flat
    frame = pl.DataFrame({name: p[:, i] for i, name in enumerate(case.names)})
    target_frame = (
        pl.DataFrame({name: t[:, i] for i, name in enumerate(case.target_names)})
        if several
        else pl.DataFrame({case.target_names[0]: labels})
    )
    frame.write_csv("p.csv")
    target_frame.write_csv("t.csv")
    yield "csv", ["p.csv", "t.csv"]
    frame.write_csv("p.tsv", separator="\t")
    target_frame.write_csv("t.tsv", separator="\t")
    yield "tsv", ["p.tsv", "t.tsv"]
    frame.write_parquet("p.parquet")
    target_frame.write_parquet("t.parquet")
    yield "parquet", ["p.parquet", "t.parquet"]
    ids = pl.DataFrame({"id": [f"row-{i}" for i in range(len(p))]})
    pl.concat([ids, frame], how="horizontal").write_csv("pi.csv")
    pl.concat([ids, target_frame], how="horizontal").reverse().write_csv("ti.csv")
    yield "by id", ["pi.csv", "ti.csv", "--id", "id"]
    for name in ("p.csv", "t.csv"):
        Path(f"{name}.gz").write_bytes(gzip.compress(Path(name).read_bytes()))
    yield "gz", ["p.csv.gz", "t.csv.gz"]
    np.savetxt("p.txt.csv", shown, delimiter=",")
    np.savetxt("t.txt.csv", flat, delimiter=",", fmt="%.17g")
    yield "savetxt", ["p.txt.csv", "t.txt.csv"]
    if not several:
        pl.concat([frame, pl.DataFrame({"the label": labels})], how="horizontal").write_csv("both.csv")
        yield "one table", ["both.csv", "both.csv:the label"]


def outcomes(case: Case) -> Iterator[tuple[str, str]]:
    """Run a case in each way; yield what it is about, and what was said if it was refused, or ''."""
    for way, operands in written(case):
        err = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            code = run(["compute", case.loss, *operands, *case.options, "-f", "value"])
        yield f"{case.about}, {way}", err.getvalue() if code else ""


def refusals(case: Case) -> Iterator[tuple[str, str]]:
    """Yield the command lines that are refused, and what they say."""
    return ((way, words) for way, words in outcomes(case) if words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=200)
    cases: list[Any] = [*of_scikit_learn(), *(at_random(seed) for seed in range(parser.parse_args().seeds))]
    found = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            found += list(outcomes(case))
            os.chdir("/")
    refused = [(way, words) for way, words in found if words]
    print(f"{len(cases)} data sets, {len(found):,} command lines: {len(refused)} refused")
    for way, words in refused:
        print(f"{way}: {words.strip()}")


if __name__ == "__main__":
    main()
