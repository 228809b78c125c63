"""`losscli plot compare`: how the picture names the models. What it counts is in tests/analysis/test_compare.py."""

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
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
    assert {"large is better", "large is worse"} <= set(names)
    [middle] = [
        bar for bar in differences.patches if bar.get_x() < 0 < bar.get_x() + bar.get_width() and bar.get_height()
    ]
    assert f"about equal (within \u00b1{middle.get_width() / 2:.2g})" in names
    assert differences.get_ylim()[1] > 1.2 * max(bar.get_height() for bar in differences.patches)
    box = losses.get_window_extent()
    assert box.width == pytest.approx(box.height)
    assert drawn.about["Description"].startswith("A: runs/small/z.npy, B: runs/large/z.npy")


def squares(axes):
    """Rows in each square, the lowest first, and the edges of the squares."""
    [drawn] = [part for part in axes.collections if isinstance(part, QuadMesh)]
    return np.ma.filled(drawn.get_array(), 0), np.asarray(drawn.get_coordinates())[0, :, 0]


def named(axis):
    return {label.get_text(): at for at, label in zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)}


def test_losses_of_0_stand_apart_and_are_counted(picture, save):
    a, b = np.linspace(1, 9, 60), np.zeros(60)
    a[:4] = 1e-9
    save("a.npy", a)
    save("b.npy", b)
    axes = picture("compare", "l1", "a.npy", "b.npy", "--targets", "0", laid_out=True).axes[1]
    assert axes.get_xlabel() == "loss of a (log scale)"
    assert axes.get_ylabel() == "loss of b (log scale)\n0 in 60 rows"
    counts, edges = squares(axes)
    assert counts[0].sum() == counts.sum() == 60
    assert counts[0, 0] == 4
    assert edges[1] < edges[2] == pytest.approx(9e-5)
    assert not counts[:, 1].any()
    assert edges[0] < named(axes.yaxis)["0"] < edges[1]
    assert edges[0] < named(axes.xaxis)["<9e-05".replace("-", "\u2212")] < edges[1]


def test_losses_beyond_a_scale_with_negative_ones_stand_apart_on_both_sides(picture, save):
    rng = np.random.default_rng(0)
    for name in "ab":
        save(f"{name}.npy", rng.normal(0, 0.1, 400))
    save("v.npy", np.full(400, 0.01))
    axes = picture(
        "compare", "gaussian-nll", "a.npy", "b.npy", "--targets", "0", "--variance", "v.npy", laid_out=True
    ).axes[1]
    counts, edges = squares(axes)
    losses = [0.5 * (np.log(0.01) + np.load(f"{name}.npy") ** 2 / 0.01) for name in "ab"]
    assert counts.sum() == 400
    low, high = edges[2], edges[-3]
    for sums, loss in zip((counts.sum(axis=0), counts.sum(axis=1)), losses, strict=True):
        assert (sums[0], sums[-1]) == ((loss < low).sum(), (loss > high).sum())
    assert not axes.get_ylabel().endswith("rows")


def test_classes_whose_interval_holds_0_are_hollow(picture, save):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    z = rng.normal(0, 1, (400, 2))
    other = z + rng.normal(0, 0.3, (400, 2))
    other[y == 1, 1] += 3
    axes = picture("compare", "ce", save("a.npy", z), save("b.npy", other), "--targets", save("y.npy", y)).axes[2]
    points = [line for line in axes.lines if line.get_marker() in ("o", "^", "v")]
    hollow = {line.get_xdata()[0]: line.get_markerfacecolor() != line.get_color() for line in points}
    by_class = {
        label.get_text().split()[0]: hollow[x]
        for x, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    }
    assert by_class == {"0": True, "1": False}
    assert "hollow: the interval contains 0" in axes.get_xlabel()
