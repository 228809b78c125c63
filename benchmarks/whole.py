"""What a user would write instead of `losscli compute`: read two files, print the mean loss.

Usage: `python whole.py MODULE READER LOSS PREDICTIONS TARGETS OPTIONS_AS_JSON`, with a module of peers/.
"""

import json
import sys
from importlib import import_module
from typing import Any


def npy(predictions: str, targets: str) -> tuple[Any, Any]:
    import numpy as np

    return np.load(predictions), np.load(targets)


def polars(predictions: str, targets: str) -> tuple[Any, Any]:
    """Classes are named c0, c1, ..., and so are the columns."""
    import polars as pl

    labels = pl.read_csv(targets)["label"].str.strip_prefix("c").cast(pl.Int64)
    return pl.read_csv(predictions).to_numpy(), labels.to_numpy(writable=True)


def join(predictions: str, targets: str) -> tuple[Any, Any]:
    """Both files have ids, by which the labels are brought into the order of the predictions."""
    import polars as pl

    table = pl.read_csv(predictions).join(pl.read_csv(targets), on="id", how="left", maintain_order="left")
    labels = table["label"].str.strip_prefix("c").cast(pl.Int64)
    return table.drop("id", "label").to_numpy(), labels.to_numpy(writable=True)


def pandas(predictions: str, targets: str) -> tuple[Any, Any]:
    import pandas as pd

    labels = pd.read_csv(targets)["label"].str.removeprefix("c").astype(int)
    return pd.read_csv(predictions).to_numpy(), labels.to_numpy()


def loadtxt(predictions: str, targets: str) -> tuple[Any, Any]:
    import numpy as np

    names = np.loadtxt(targets, dtype=str, skiprows=1)
    return np.loadtxt(predictions, delimiter=",", skiprows=1), np.strings.lstrip(names, "c").astype(np.int64)


READERS = {"npy": npy, "polars": polars, "join": join, "pandas": pandas, "loadtxt": loadtxt}

if __name__ == "__main__":
    module, reader, loss, predictions, targets, options = sys.argv[1:]
    prepare = import_module(f"peers.{module}").prepare
    print(repr(float(prepare(loss, *READERS[reader](predictions, targets), **json.loads(options))())))
