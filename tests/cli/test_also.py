"""`compute LOSS ... --also SPEC`: each number is the one that the loss has by itself."""

import json
import re

import numpy as np
import pytest

from losscli.engine import evaluate as engine


@pytest.fixture
def files(save):
    generator = np.random.default_rng(3)
    return save("p.npy", generator.normal(size=(40, 3))), save("t.npy", generator.integers(0, 3, 40))


ALSO = ("--also", "brier", "--also", "softmax-focal:gamma=1", "--also", "softmax-focal:gamma=3")
SPECS = ("ce", "brier", "softmax-focal:gamma=1", "softmax-focal:gamma=3")


def test_results_are_those_of_each_loss(run, files):
    options = ("--label-smoothing", "0.1", "--class-weight", "0=2,1=1,2=1")
    together = json.loads(run("compute", "ce", *files, *ALSO, *options, "-f", "json").out)
    assert together == [json.loads(run("compute", one, *files, *options, "-f", "json").out) for one in SPECS]


def test_one_value_per_line(run, files):
    values = [run("compute", one, *files, "-f", "value").out for one in SPECS]
    assert run("compute", "ce", *files, *ALSO, "-f", "value").out == "".join(values)


def test_the_files_are_read_once(run, files, monkeypatch):
    passes = []
    evaluate = engine._evaluate_each
    monkeypatch.setattr(engine, "_evaluate_each", lambda *words: passes.append(words[1:]) or evaluate(*words))
    assert run("compute", "ce", *files, *ALSO).code == 0
    assert passes == [(0, 40)]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet", "npy"])
def test_a_column_for_each_loss(run, files, suffix):
    import polars as pl

    assert run("compute", "ce", *files, *ALSO, "-o", f"o.{suffix}").code == 0
    own = [run("compute", one, *files, "-o", f"{i}.npy") and np.load(f"{i}.npy") for i, one in enumerate(SPECS)]
    if suffix == "npy":
        np.testing.assert_array_equal(np.load("o.npy"), np.stack(own, axis=1))
        return
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}
    frame = pl.read_csv("o.tsv", separator="\t") if suffix == "tsv" else read[suffix](f"o.{suffix}")
    names = ["softmax-cross-entropy", "brier", "softmax-focal:gamma=1", "softmax-focal:gamma=3"]
    assert frame.columns == ["sample", "target", *names]
    np.testing.assert_array_equal(frame.select(names).to_numpy(), np.stack(own, axis=1))


def test_tables_have_a_column_for_each_loss(run, files):
    out = run("compute", "ce", *files, "--also", "brier", "--per-sample").out
    assert re.search(r"^\| +\| +softmax-cross-entropy \| +brier \|$", out, re.MULTILINE)
    assert "| sample | target | softmax-cross-entropy |" in out
    assert "| softmax-cross-entropy | brier |" in run("compute", "ce", *files, "--also", "brier", "-f", "markdown").out


def test_requirements_name_their_loss(run, files):
    words = ("compute", "ce", *files, "--also", "brier", "-f", "value")
    met = run(*words, "--require", "ce mean < 100", "--require", "brier max < 100")
    assert (met.code, met.err.count(": met (")) == (0, 2)
    unmet = run(*words, "--require", "brier mean > 100", "--require", "softmax-cross-entropy p99 < 1000")
    assert (unmet.code, "brier mean > 100: NOT MET" in unmet.err, "p99 < 1000: met" in unmet.err) == (1, True, True)
    for text, said in (
        ("mean < 1", "of which loss?; begin with one of softmax-cross-entropy, brier, as in 'ce mean < 1'"),
        ("breir mean < 1", "did you mean brier?"),
        ("brier.mean < 1", "as in 'ce mean < 1'"),
    ):
        done = run(*words, "--require", text)
        assert (done.code, said in done.err) == (2, True), done.err


def test_options_that_not_all_take_are_told(run, files):
    done = run("compute", "ce", *files, "--also", "multi-margin", "--label-smoothing", "0.1", "-f", "value")
    assert done.code == 0
    assert "--label-smoothing: not for multi-margin" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--also ce", "is there already"),
        ("--also brier --plus dice", "say one of the two"),
        ("--also brier --gradient g.npy", "leave out --also"),
        ("--also brier --elements", "takes no --elements"),
        ("--also brier --per-sample -f json", "say -f jsonl"),
        ("--also brier --part 1/2 -o 1.part", "give each loss parts"),
        ("--also brier --as torch,keras", "name one library"),
        ("--also nonsense", "no loss is called"),
        ("--also mse", "shape"),
        ("--also brier --reduction none -f value", "choose another"),
        ("--also dice --activation softmax --per class -f csv", "no rows together"),
    ],
)
def test_what_is_refused(run, files, words, said):
    done = run("compute", "ce", *files, *words.split())
    assert done.code in (2, 3)
    assert said in done.err
    assert done.out == ""
