"""Every command once, on the sample data: its exit code and what it is for."""

import os

import numpy as np
import pytest
from commands import ROOT

CE = ("ce", "digits_logits.csv", "digits_labels.csv", "--id", "id")
FEATURES = ("features.csv", "features_labels.csv", "--id", "id")


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("compute", *CE, "-f", "value", "--require", "mean <= 0.2"), "0.1"),
        (("list",), "softmax-cross-entropy"),
        (("explain", "huber"), "delta"),
        (("check", "digits_probs.csv", "digits_labels.csv", "--id", "id"), "probabilities"),
        (("compare", "ce", "digits_logits.csv", "digits_mlp.csv", "--targets", *CE[2:]), "verdict"),
        (("rank", *CE, "--top", "3", "--by", "class"), "d1660"),
        (("calibrate", *CE[1:]), "temperature"),
        (("centers", *FEATURES, "--centers", "centers.csv"), "class"),
        (("targets", "tiny_labels.csv:label", "--smoothing", "0.1"), "cat"),
        (("run", "losscli.toml"), "wine"),
        (("verify", str(ROOT / "examples" / "losses" / "clipped_ce.py") + ":right_cross_entropy"), "result"),
        (("audit", "sklearn", "mean_absolute_error"), "holds"),
        (("demo",), "losscli"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_a_command_does_what_it_is_for(run, sample_data, words, part):
    os.chdir(sample_data)
    done = run(*words)
    assert done.code == 0, done.err
    assert part in done.out


@pytest.mark.quick
@pytest.mark.parametrize(
    "words",
    [
        ("samples", *CE),
        ("curves", "huber", "mse"),
        ("reliability", *CE[1:]),
        ("features", *FEATURES),
    ],
    ids=lambda words: words[0],
)
def test_a_picture_is_drawn(run, sample_data, folder, words):
    os.chdir(sample_data)
    assert run("plot", *words, "-o", str(folder / "x.svg"), "-q" if words[0] == "samples" else "--title=x").code == 0
    assert (folder / "x.svg").read_text().rstrip().endswith("</svg>")


@pytest.mark.quick
def test_a_process_computes_from_its_standard_input(process, save):
    assert (
        process("compute", "mse", save("p.npy", np.array([1.0, 3])), "-", "-f", "value", stdin=b"0\n0\n").out == "5.0\n"
    )
