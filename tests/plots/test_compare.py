"""`losscli plot compare`: how the picture names the models. What it counts is in tests/analysis/test_compare.py."""

import numpy as np
import pytest
from reference import softmax

from losscli.plots.compare import told_apart


@pytest.mark.parametrize(
    ("first", "other", "names"),
    [
        ("a.npy", "b.npy", ("a", "b")),
        ("digits_logits.npy", "digits_mlp.csv", ("digits_logits.npy", "digits_mlp.csv")),
        ("runs/1/resnet50/fold-1/p.npy", "runs/1/convnext/fold-1/p.npy", ("resnet50", "convnext")),
        ("exp/p.npy", "exp/best/p.npy", ("p", "best/p")),
        ("p.csv:first", "p.csv:second", ("first", "second")),
        ("old/p.csv:score", "new/p.csv:score", ("old", "new")),
        ("p.npz:a.1", "p.npz:b.1", ("a", "b")),
        ("p.csv", "p.csv", ("A", "B")),
        ("v1.2.npy", "v1.3.npy", ("v1.2", "v1.3")),
        (".npy", "b.npy", (".npy", "b.npy")),
        ("a.csv.gz", "b.csv.gz", ("a", "b")),
        ("$x_1$/p.npy", "a model with a very long name indeed/p.npy", ("$x_1$", "a model with…name indeed")),
        (r"C:\runs\a\p.npy", r"C:\runs\b\p.npy", ("a", "b")),
    ],
)
def test_names_hold_what_tells_two_models_apart(first, other, names):
    assert told_apart(first, other) == names


@pytest.fixture
def models(save, folder):
    generator = np.random.default_rng(0)
    z, y = generator.normal(0, 2, (60, 3)), generator.integers(0, 3, 60)
    for name, times in (("runs/small/z.npy", 1), ("runs/large/z.npy", 0.5)):
        (folder / name).parent.mkdir(parents=True)
        save(name, times * z)
    return "runs/small/z.npy", "runs/large/z.npy", "--targets", save("y.npy", y)


def test_title_axes_and_legend_name_the_models(picture, models):
    drawn = picture("compare", "ce", *models, laid_out=True)
    differences, losses, _ = drawn.axes
    first, _, last = drawn.get_suptitle().splitlines()
    assert first == "softmax-cross-entropy: large against small"
    z, y = np.load(models[0]), np.load(models[3])
    small, large = (-np.log(softmax(times * z)[np.arange(60), y]) for times in (1, 0.5))
    assert last.endswith(f": 60 rows, {np.sum(large < small)} won by large, 0 ties, {np.sum(large > small)} lost")
    assert differences.get_xlabel().splitlines()[0] == "loss of large \u2212 loss of small, row by row"
    assert losses.get_xlabel().splitlines()[0] == "loss of small (log scale)"
    assert losses.get_ylabel() == "loss of large (log scale)"
    names = [text.get_text() for text in differences.get_legend().get_texts()]
    assert {"large is better", "large is worse", "about equal"} <= set(names)
    box = losses.get_window_extent()
    assert box.width == pytest.approx(box.height)
    assert drawn.about["Description"].startswith("A: runs/small/z.npy, B: runs/large/z.npy")
