"""Options that are given twice, or that are of other losses."""

import ast
import os
from collections import Counter

import numpy as np
from commands import ROOT


def test_an_option_given_twice_is_refused(save, run):
    save("s.npy", np.array([1.0]))
    run("compute", "mse", "s.npy", "0", "-o", "a.md", "--output", "b.csv").refuses(2, "--output is given twice")
    run("compute", "mse", "s.npy", "0", "--header", "--no-header").refuses(2, "--header / --no-header is given twice")


def test_an_option_of_other_losses_is_refused_with_theirs(save, run):
    save("s.npy", np.array([1.0]))
    run("compute", "mse", "s.npy", "0", "--pos-weight", "3").refuses(2, "mse takes no --pos-weight", "sigmoid")
    run("compute", "quantile", "s.npy", "0", "--levels", "0.1").refuses(2, "for: multi-quantile, weighted-quantile")


def test_every_option_is_declared_once():
    """What an option is called, and what its help says, is in one place for all commands that have it."""
    declared = Counter(
        word.value
        for path in (ROOT / "losscli" / "cli").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).lower().endswith("option")
        for word in node.args
        if isinstance(word, ast.Constant) and str(word.value).startswith("--")
    )
    assert len(declared) > 60
    assert [name for name, times in declared.items() if times > 1] == []


def test_more_threads_than_polars_can_start_are_no_error(run, save, monkeypatch):
    """The user said --threads; a message about a variable of Polars, which was set for it, would help nobody."""
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    save("s.npy", [1.0, 3.0])
    assert run("compute", "mse", "s.npy", "0", "--threads", "100000", "-f", "value").out == "5.0\n"
    assert os.environ["POLARS_MAX_THREADS"] == "4096"
