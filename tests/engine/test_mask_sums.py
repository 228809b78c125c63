"""Masks that go through several rows: columns, images, classes of images and files, against PyTorch and against themselves."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.engine import job as job_module
from losscli.engine.aggregates import Totals
from losscli.engine.mask_sums import segment_sums

torch = pytest.importorskip("torch")

Compute = Callable[..., Any]
Save = Callable[..., str]
RNG = np.random.default_rng(18)
N, C, H, W = 3, 4, 5, 6
Z = RNG.normal(0, 2, (N, C, H, W))
Y = RNG.integers(0, C, (N, H, W))
UNITS = {"sample": (1, 2, 3), "class": (0, 2, 3), "sample,class": (2, 3), "file": (0, 1, 2, 3)}
"""Each unit, and the axes of (N, C, H, W) that its sums go through."""


def sums(p: Any, t: Any, axes: Any) -> tuple[Any, Any, Any]:
    return (p * t).sum(axes), p.sum(axes), t.sum(axes)


def dice(p: Any, t: Any, axes: Any) -> Any:
    i, a, b = sums(p, t, axes)
    return 1 - 2 * i / (a + b)


def jaccard(p: Any, t: Any, axes: Any) -> Any:
    i, a, b = sums(p, t, axes)
    return 1 - i / (a + b - i)


def squared_dice(p: Any, t: Any, axes: Any) -> Any:
    return 1 - 2 * (p * t).sum(axes) / ((p * p).sum(axes) + (t * t).sum(axes))


def log_dice(p: Any, t: Any, axes: Any) -> Any:
    return -torch.log(1 - dice(p, t, axes))


def mcc(p: Any, t: Any, axes: Any) -> Any:
    i, fp, fn, tn = (part.sum(axes) for part in (p * t, p * (1 - t), (1 - p) * t, (1 - p) * (1 - t)))
    return 1 - (i * tn - fp * fn) / torch.sqrt((i + fp) * (i + fn) * (tn + fp) * (tn + fn))


def generalized_dice(p: Any, t: Any, axes: Any) -> Any:
    """MONAI's GeneralizedDiceLoss without smoothing: by sample, or of the whole batch."""
    i, a, b = sums(p, t, tuple(axis for axis in axes if axis != 1))
    w = 1 / b**2
    w = torch.where(torch.isinf(w), torch.where(torch.isinf(w), 0.0, w).amax(-1, keepdim=True), w)
    return 1 - 2 * (w * i).sum(-1) / (w * (a + b)).sum(-1)


OF_MASKS = {"dice": dice, "jaccard": jaccard, "squared-dice": squared_dice, "log-dice": log_dice, "mcc": mcc}


def one_hot(y: Any) -> Any:
    return torch.moveaxis(torch.nn.functional.one_hot(torch.as_tensor(y), C), -1, 1).double()


def truth(function: Any, z: Any, y: Any, activation: str, unit: str, kept: Any = None) -> tuple[float, Any, Any]:
    """The mean over the masks, the loss of each, and the gradient of their sum, by autograd."""
    x = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    p, t = (torch.softmax(x, 1) if activation == "softmax" else torch.sigmoid(x)), one_hot(y)
    if kept is not None:
        p, t = p * kept, t * kept
    each = function(p, t, UNITS[unit])
    each.sum().backward()
    return float(each.detach().mean()), each.detach().numpy().reshape(-1), x.grad.numpy()


class TestImages:
    """(N, C, H, W) and (N, H, W), as segmentation models write them."""

    @pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
    @pytest.mark.parametrize("unit", UNITS)
    @pytest.mark.parametrize("name", OF_MASKS)
    def test_values_and_gradients_are_those_of_torch(
        self, compute: Compute, save: Save, folder: Path, name: str, unit: str, activation: str
    ) -> None:
        words = (
            name,
            save("z.npy", Z),
            save("y.npy", Y),
            "--class-axis",
            "1",
            "--activation",
            activation,
            "--per",
            unit,
        )
        value, each, gradient = truth(OF_MASKS[name], Z, Y, activation, unit)
        found = compute(*words, "--gradient", "g.npy", "-f", "json", "--per-sample").json
        assert found["value"] == pytest.approx(value, rel=1e-13)
        assert [row["loss"] for row in found["rows"]] == pytest.approx(each.tolist(), rel=1e-12)
        np.testing.assert_allclose(np.load(folder / "g.npy"), gradient, rtol=1e-9, atol=1e-15)
        assert found["receipt"]["per"] == unit
        assert found["receipt"]["activation"] == activation
        assert f"|activation:{activation}|" in found["signature"]
        assert found["receipt"]["predictions"]["shape"] == [N, C, H, W]

    @pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
    @pytest.mark.parametrize("unit", ["sample", "file"])
    def test_generalized_dice(self, compute: Compute, save: Save, folder: Path, unit: str, activation: str) -> None:
        y = np.where(Y == 2, 0, Y)
        y[1:][Y[1:] == 2] = 2  # an image without a class
        words = ("generalized-dice", save("z.npy", Z), save("y.npy", y), "--class-axis", "1", "--per", unit)
        value, _, gradient = truth(generalized_dice, Z, y, activation, unit)
        found = compute(*words, "--activation", activation, "--gradient", "g.npy", "-f", "json").json
        assert found["value"] == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(np.load(folder / "g.npy"), gradient, rtol=1e-9, atol=1e-15)

    def test_an_image_is_a_mask_if_nothing_is_said(self, compute: Compute, save: Save) -> None:
        words = (
            "dice",
            save("z.npy", Z),
            save("y.npy", Y),
            "--class-axis",
            "1",
            "--activation",
            "softmax",
            "-f",
            "json",
        )
        found = compute(*words).json
        assert found["receipt"]["per"] == "sample"
        assert (
            found["value"]
            == compute(*words, "--per", "sample").json["value"]
            == compute(*words, "--per", "row").json["value"]
        )
        assert compute(*words, "--per", "class").json["value"] == compute(*words, "--per", "column").json["value"]
        gdl = compute("generalized-dice", "z.npy", "y.npy", "--class-axis", "1", "-f", "json").json
        assert (gdl["receipt"]["per"], gdl["receipt"]["activation"], gdl["samples"]) == ("sample", "softmax", N)

    @pytest.mark.parametrize("unit", UNITS)
    def test_the_axis_of_the_classes_changes_no_digit(
        self, compute: Compute, save: Save, folder: Path, unit: str
    ) -> None:
        words = ("--activation", "softmax", "--per", unit, "-f", "json", "--per-sample")
        first = compute(
            "dice", save("z.npy", Z), save("y.npy", Y), "--class-axis", "1", *words, "--gradient", "g.npy"
        ).json
        last = save("l.npy", np.moveaxis(Z, 1, -1))
        other = compute("dice", last, "y.npy", "--class-axis", "-1", *words, "--gradient", "h.npy").json
        assert [row["loss"] for row in first["rows"]] == [row["loss"] for row in other["rows"]]
        assert np.array_equal(np.load(folder / "g.npy"), np.moveaxis(np.load(folder / "h.npy"), -1, 1))

    @pytest.mark.parametrize("unit", UNITS)
    def test_rows_say_what_they_are(self, compute: Compute, save: Save, unit: str) -> None:
        words = ("--class-axis", "1", "--activation", "softmax", "--per", unit, "-f", "jsonl")
        lines = compute("dice", save("z.npy", Z), save("y.npy", Y), *words).lines
        table = one_hot(Y).sum(UNITS[unit]).numpy().reshape(-1)
        assert [line["target"] for line in lines] == table.tolist()
        samples = {"sample": range(N), "file": [0], "sample,class": [i for i in range(N) for _ in range(C)]}
        if unit in samples:
            assert [line["sample"] for line in lines] == list(samples[unit])
        if "class" in unit:
            assert [line["class"] for line in lines] == [str(c) for c in range(C)] * (N if "sample" in unit else 1)

    def test_multi_label_images_need_no_word(self, compute: Compute, save: Save) -> None:
        t = RNG.integers(0, 2, Z.shape)
        t[0, :, 0, 0] = 1
        x = torch.sigmoid(torch.tensor(Z))
        found = compute("dice", save("z.npy", Z), save("t.npy", t), "--class-axis", "1", "--per", "sample,class").json
        assert found["value"] == pytest.approx(float(dice(x, torch.tensor(t), (2, 3)).mean()), rel=1e-13)
        assert found["receipt"]["activation"] == "sigmoid"
        # Without an axis of classes, an image is one mask of all its elements.
        whole = compute("dice", "z.npy", "t.npy").json
        assert whole["value"] == pytest.approx(float(dice(x, torch.tensor(t), (1, 2, 3)).mean()), rel=1e-13)
        compute("dice", "z.npy", "t.npy", "--per", "class").refuses(2, "--per class", "--class-axis")
        compute("dice", "z.npy", "t.npy", "--activation", "softmax").refuses(2, "--activation softmax", "no classes")

    def test_lovasz_of_each_image(self, compute: Compute, save: Save) -> None:
        words = ("lovasz-softmax", "--class-axis", "1", "-f", "jsonl")
        lines = compute(words[0], save("z.npy", Z), save("y.npy", Y), *words[1:]).lines
        for i, line in enumerate(lines):
            rows = save("r.npy", np.moveaxis(Z[i], 0, -1).reshape(-1, C))
            alone = compute("lovasz-softmax", rows, save("l.npy", Y[i].reshape(-1))).json["value"]
            assert line["loss"] == alone
        t = RNG.integers(0, 2, Z.shape)
        lines = compute(
            "lovasz-hinge", "z.npy", save("t.npy", t), "--class-axis", "1", "--per", "sample,class", "-f", "jsonl"
        ).lines
        rows, labels = (save(f"{name}.npy", values.reshape(N * C, -1)) for name, values in (("r", Z), ("l", t)))
        each = compute("lovasz-hinge", rows, labels, "-f", "jsonl").lines
        assert [line["loss"] for line in lines] == [line["loss"] for line in each]


class TestModels:
    """Images, or classes of images, are what two models share, and what is ranked."""

    words = ("--class-axis", "1", "--activation", "softmax")

    @pytest.mark.parametrize("unit", ["sample", "sample,class"])
    def test_compare(self, compute: Compute, run: Any, save: Save, unit: str) -> None:
        better = np.moveaxis(np.eye(C)[Y], -1, 1) * 3
        paths = save("z.npy", Z), save("b.npy", better)
        y = save("y.npy", Y)
        values = [compute("dice", path, y, *self.words, "--per", unit).json["value"] for path in paths]
        found = run("compare", "dice", *paths, "--targets", y, *self.words, "--per", unit, "-f", "json").json
        assert found["difference"] == pytest.approx(values[1] - values[0], rel=1e-12)
        assert found["samples"] == N
        refused = run("compare", "dice", *paths, "--targets", y, *self.words, "--per", "class")
        refused.refuses(2, "dice is a loss of masks", "--per sample")

    def test_rank(self, run: Any, save: Save) -> None:
        words = ("dice", save("z.npy", Z), save("y.npy", Y), *self.words, "-f", "json", "--top", "3")
        _, each, _ = truth(dice, Z, Y, "softmax", "sample,class")
        worst = np.argsort(-each)[:3]
        found = run("rank", *words, "--per", "sample,class").json["rows"]
        assert [(row["sample"], row["class"]) for row in found] == [(i // C, str(i % C)) for i in worst]
        assert [row["loss"] for row in found] == pytest.approx(each[worst].tolist(), rel=1e-12)
        run("rank", *words, "--per", "class").refuses(2, "dice is a loss of masks", "--per sample")


class TestWhatCounts:
    """Positions and classes that do not count."""

    words = ("--class-axis", "1", "--activation", "softmax", "-f", "json", "--per-sample")

    @pytest.mark.parametrize("unit", UNITS)
    def test_excluded_classes(self, compute: Compute, save: Save, folder: Path, unit: str) -> None:
        """MONAI's include_background=False: the softmax is over all classes, and the first is left out behind it."""

        def without(p: Any, t: Any, axes: Any) -> Any:
            return dice(p[:, 1:], t[:, 1:], axes)

        value, _, gradient = truth(without, Z, Y, "softmax", unit)
        words = ("dice", save("z.npy", Z), save("y.npy", Y), *self.words, "--per", unit, "--exclude-class", "0")
        found = compute(*words, "--gradient", "g.npy").json
        assert found["value"] == pytest.approx(value, rel=1e-13)
        assert found["receipt"]["exclude_class"] == "0"
        np.testing.assert_allclose(np.load(folder / "g.npy"), gradient, rtol=1e-9, atol=1e-15)

    @pytest.mark.parametrize("name", ["generalized-dice", "lovasz-softmax"])
    def test_excluded_classes_of_losses_of_all_classes(
        self, compute: Compute, save: Save, folder: Path, name: str
    ) -> None:
        p = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
        words = ("--class-axis", "1", "--from", "probs", "-f", "json")
        t = save("t.npy", one_hot(Y).numpy()[:, [0, 1, 3]])
        fewer = compute(name, save("p.npy", p[:, [0, 1, 3]]), t, *words, "--gradient", "f.npy").json["value"]
        words = (name, save("q.npy", p), save("y.npy", Y), *words, "--exclude-class", "2", "--gradient", "g.npy")
        assert compute(*words).json["value"] == fewer
        gradient = np.load(folder / "g.npy")
        assert not gradient[:, 2].any()
        assert np.array_equal(gradient[:, [0, 1, 3]], np.load(folder / "f.npy"))

    def test_words_for_classes(self, compute: Compute, save: Save, write: Any) -> None:
        table = write("z.csv", "sky,sea,land\n" + "\n".join(",".join(map(str, row)) for row in Z[0, :3, 0].T))
        names = write("y.csv", "label\n" + "\n".join(np.array(["sky", "sea", "land"])[Y[0, 0] % 3]))
        words = ("dice", table, names, "--per", "column", "--activation", "softmax", "-f", "json")
        assert (
            compute(*words, "--exclude-class", "sky,land").json["value"]
            == compute(*words, "--exclude-class", "0, 2").json["value"]
        )
        compute(*words, "--exclude-class", "sun").refuses(2, "'sun' is no class", "sky, sea, land")
        compute(*words, "--exclude-class", "sky,sea,land").refuses(2, "no class is left")
        z, t = save("z.npy", Z[0, 0, 0]), save("t.npy", Z[0, 0, 1] > 0)
        compute("dice", z, t, "--exclude-class", "0").refuses(2, "--exclude-class", "no classes")
        compute("dice", z, t, "--class-weight", "0=2").refuses(2, "--class-weight", "no classes")

    @pytest.mark.parametrize("unit", UNITS)
    def test_class_weights(self, compute: Compute, save: Save, folder: Path, unit: str) -> None:
        w = torch.tensor([1.0, 2.0, 0.0, 0.5])

        def weighed(p: Any, t: Any, axes: Any) -> Any:
            if "class" not in unit:
                i, a, b = sums(p * w[:, None, None], t, axes), p * w[:, None, None], t * w[:, None, None]
                return 1 - 2 * i[0] / (a.sum(axes) + b.sum(axes))
            return dice(p, t, axes) * w / w.mean()

        value, _, _ = truth(weighed, Z, Y, "softmax", unit)
        words = ("dice", save("z.npy", Z), save("y.npy", Y), *self.words, "--per", unit)
        found = compute(*words, "--class-weight", "1=2,2=0,3=0.5").json
        assert found["value"] == pytest.approx(value, rel=1e-13)
        assert found["receipt"]["class_weight"] == [1, 2, 0, 0.5]
        assert compute(*words, "--class-weight", save("w.npy", w.numpy())).json["value"] == found["value"]

    @pytest.mark.parametrize("unit", UNITS)
    @pytest.mark.parametrize("how", ["ignore-index", "mask"])
    def test_a_position_that_does_not_exist_is_in_no_sum(
        self, compute: Compute, save: Save, folder: Path, unit: str, how: str
    ) -> None:
        there = RNG.random(Y.shape) > 0.3
        z = np.where(there[:, None], Z, np.nan)  # whatever is there
        y = np.where(there, Y, 255) if how == "ignore-index" else Y
        option = ("--ignore-index", "255") if how == "ignore-index" else ("--mask", save("m.npy", there))
        words = ("dice", save("z.npy", z), save("y.npy", y), *self.words, "--per", unit, *option)
        value, _, gradient = truth(dice, Z, Y, "softmax", unit, torch.tensor(there[:, None]))
        found = compute(*words, "--gradient", "g.npy").json
        assert found["value"] == pytest.approx(value, rel=1e-13)
        assert found["receipt"]["positions"] == {"counted": int(there.sum()), "ignored": int((~there).sum())}
        np.testing.assert_allclose(np.load(folder / "g.npy"), gradient, rtol=1e-9, atol=1e-15)

    def test_a_mask_without_positions_is_no_mask(self, compute: Compute, save: Save) -> None:
        y = Y.copy()
        y[1] = 255
        words = ("dice", save("z.npy", Z), save("y.npy", y), *self.words, "--ignore-index", "255")
        found = compute(*words).json
        assert [row["sample"] for row in found["rows"]] == [0, 2]
        assert (found["samples"], found["ignored"]) == (2, 1)
        others = compute("dice", save("z2.npy", Z[[0, 2]]), save("y2.npy", Y[[0, 2]]), *self.words).json
        assert found["value"] == others["value"]
        by_class = compute(*words, "--per", "sample,class").json
        assert (by_class["samples"], by_class["ignored"]) == (2 * C, C)
        compute("dice", "z.npy", save("n.npy", np.full_like(Y, 255)), *self.words, "--ignore-index", "255").refuses(
            3, "no samples left"
        )

    @pytest.mark.parametrize("per", ["row", "column", "file"])
    def test_single_elements_of_a_table(self, compute: Compute, save: Save, folder: Path, per: str) -> None:
        z, t, there = Z[:, :, 0, 0], RNG.integers(0, 2, (N, C)), np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 0]])
        t[:, 1] = 1
        axis = {"row": 1, "column": 0, "file": (0, 1)}[per]
        p = torch.tensor(1 / (1 + np.exp(-z))) * torch.tensor(there)
        words = ("dice", save("z.npy", z), save("t.npy", t), "--per", per, "--mask", save("m.npy", there))
        expected = float(dice(p, torch.tensor(t * there), axis).mean())
        assert compute(*words, "--gradient", "g.npy").json["value"] == pytest.approx(expected, rel=1e-13)
        anything = save("a.npy", np.where(there == 0, np.nan, z))
        assert compute("dice", anything, *words[2:]).json["value"] == pytest.approx(expected, rel=1e-13)
        gradient = np.load(folder / "g.npy")
        assert gradient.any()
        assert not gradient[there == 0].any()
        compute("lovasz-hinge", *words[1:]).refuses(3, "the mask hides some numbers of a row", "lovasz-hinge")

    @pytest.mark.parametrize("per", ["row", "column", "file"])
    def test_single_elements_of_series(self, compute: Compute, save: Save, folder: Path, per: str) -> None:
        y, t, there = (
            Z[:, :, 0, 0].copy(),
            RNG.normal(size=(N, C)),
            np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 0]]),
        )
        axis = {"row": 1, "column": 0, "file": (0, 1)}[per]
        words = ("wmape", save("y.npy", y), save("t.npy", t), "--per", per, "--mask", save("m.npy", there))
        size = (there * np.abs(t)).sum(axis=axis, keepdims=True)
        expected = ((there * np.abs(y - t)).sum(axis=axis, keepdims=True) / size).mean()
        assert compute(*words, "--gradient", "g.npy").json["value"] == pytest.approx(expected, rel=1e-13)
        assert np.load(folder / "g.npy") == pytest.approx(there * np.sign(y - t) / size, rel=1e-13)
        y[there == 0] = np.nan
        assert compute(*words[:1], save("n.npy", y), *words[2:]).json["value"] == pytest.approx(expected, rel=1e-13)

    def test_weights_of_samples(self, compute: Compute, save: Save) -> None:
        w = np.array([1.0, 3.0, 0.0])
        words = ("dice", save("z.npy", Z), save("y.npy", Y), *self.words, "--sample-weight", save("w.npy", w))
        for unit, shape in (("sample", (N,)), ("sample,class", (N, C))):
            _, each, _ = truth(dice, Z, Y, "softmax", unit)
            each = each.reshape(shape)
            expected = (each.T * w).sum() / (w.sum() * each.size / N)
            assert compute(*words, "--per", unit).json["value"] == pytest.approx(expected, rel=1e-13)
        assert compute(*words).json["value"] == compute(*words, "--per", "sample").json["value"]
        compute(*words, "--per", "file").refuses(2, "--sample-weight", "one loss for all rows")
        compute(*words[:-1], save("e.npy", np.ones(Y.shape))).refuses(2, "one weight per sample")
        compute(*words[:-1], save("b.npy", -w)).refuses(3, "b.npy[0]", "negative")


class TestActivation:
    """What makes probabilities of logits is never guessed where both ways are possible."""

    logits = np.array([[2, 0, -1], [0.1, 1.2, 0.3], [1, 1, 1], [-0.5, 0.2, 2], [0.3, 0.9, 0.1]])
    labels = np.array([0, 1, 1, 2, 1])

    def test_labels_need_a_word(self, compute: Compute, save: Save) -> None:
        """Numbers to four digits from an independent implementation in PyTorch: 0.4735 and 0.3878."""
        z, y = save("z.npy", self.logits), save("y.npy", self.labels)
        words = ("dice", z, y, "--per", "column")
        compute(*words).refuses(2, "--activation", "softmax", "sigmoid")
        compute("dice", z, save("h.npy", np.eye(3)[self.labels])).refuses(2, "--activation", "softmax", "sigmoid")
        assert compute(*words, "--activation", "sigmoid").json["value"] == pytest.approx(0.4735, abs=5e-5)
        found = compute(*words, "--activation", "softmax").json
        assert found["value"] == pytest.approx(0.3878, abs=5e-5)
        assert "|from:logits|activation:softmax|targets:index|per:column|" in found["signature"]

    def test_where_one_way_is_possible_it_is_taken(self, compute: Compute, save: Save) -> None:
        z = save("z.npy", self.logits)
        several = compute("dice", z, save("t.npy", self.logits > 0.5)).json
        assert several["receipt"]["activation"] == "sigmoid"
        one = compute("dice", save("o.npy", self.logits[:, 0]), save("b.npy", self.labels > 0)).json
        assert one["receipt"]["activation"] == "sigmoid"
        compute("dice", "o.npy", "b.npy", "--activation", "softmax").refuses(2, "--activation softmax", "one number")

    def test_probabilities_need_none(self, compute: Compute, save: Save) -> None:
        e = np.exp(self.logits)
        p, y = save("p.npy", e / e.sum(axis=1, keepdims=True)), save("y.npy", self.labels)
        found = compute("dice", p, y, "--from", "probs", "--per", "column").json
        assert found["value"] == pytest.approx(0.3878, abs=5e-5)
        assert "activation" not in found["receipt"]
        compute("dice", p, y, "--from", "probs", "--activation", "softmax").refuses(2, "--activation", "probs")

    def test_a_library_says_it(self, compute: Compute, save: Save) -> None:
        z, t = save("z.npy", self.logits), save("t.npy", np.eye(3)[self.labels])
        found = compute("dice", z, t, "--as", "optax").json
        assert found["receipt"]["activation"] == "sigmoid"
        own = compute("dice", z, t, "--smooth", "1", "--activation", "sigmoid").json["value"]
        assert found["value"] == pytest.approx(own, rel=1e-15)  # optax adds up in another order
        compute("dice", z, t, "--as", "optax", "--activation", "softmax").refuses(2, "binary_dice_loss", "sigmoid")

    def test_generalized_losses_take_the_softmax_if_nothing_is_said(self, compute: Compute, save: Save) -> None:
        words = ("generalized-dice", save("z.npy", self.logits), save("y.npy", self.labels))
        assert compute(*words).json["value"] == compute(*words, "--activation", "softmax").json["value"]
        assert compute(*words).json["receipt"]["activation"] == "softmax"
        assert compute(*words).json["value"] != compute(*words, "--activation", "sigmoid").json["value"]

    def test_explain_says_what_happens_with_logits(self, run: Any) -> None:
        for name in ("dice", "generalized-dice"):
            words = " ".join(run("explain", name).out.split())
            assert "--activation softmax" in words or "--activation sigmoid" in words


class TestUnits:
    """What masks there are, and where faults lie."""

    def test_what_is_no_mask_is_refused(self, compute: Compute, save: Save) -> None:
        z, t = save("z.npy", Z[0, 0]), save("t.npy", Z[0, 1] > 0)
        compute("dice", z, t, "--per", "sample,class").refuses(2, "--per sample,class", "rows, columns or the file")
        compute("dice", z, t, "--per", "position").refuses(2, "--per position", "no mask")
        compute("generalized-dice", z, t, "--per", "column").refuses(2, "--per column", "all classes and rows")
        compute("generalized-dice", z, t, "--per", "row").refuses(2, "--per row", "leave --per out")

    @pytest.mark.parametrize("per", ["column", "file"])
    def test_faults_have_their_place_in_the_file(self, compute: Compute, save: Save, per: str) -> None:
        z, t = Z[0, 0].copy(), Z[0, 1] > 0
        z[3, 2] = np.nan
        words = (save("z.npy", z), save("t.npy", t), "--per", per)
        compute("dice", *words).refuses(3, "z.npy[3, 2]", "NaN")
        compute("lovasz-hinge", *words).refuses(3, "z.npy[3, 2]", "NaN")
        p = np.abs(np.tanh(Z[0, 0]))
        p[1, 4] = 1.5
        compute("dice", save("p.npy", p), "t.npy", "--per", per, "--from", "probs").refuses(3, "p.npy[1, 4]", "1.5")

    def test_faults_of_images(self, compute: Compute, save: Save) -> None:
        z = Z.copy()
        z[1, 3, 2, 4] = np.nan
        z[2, :, 0, 0] = -np.inf
        words = (save("y.npy", Y), "--class-axis", "1", "--activation", "softmax")
        compute("dice", save("z.npy", z), *words).refuses(3, "z.npy[1, 3, 2, 4]", "NaN")
        compute("dice", save("w.npy", np.where(np.isnan(z), 0, z)), *words).refuses(3, "w.npy[2, 0, 0]", "undefined")

    def test_the_receipt_shows_the_files_own_shape(self, compute: Compute, save: Save) -> None:
        for name in ("dice", "lovasz-hinge"):
            words = (name, save("z.npy", Z[0, 0].astype(np.float32)), save("t.npy", (Z[0, 1] > 0).astype(np.int8)))
            receipt = compute(*words, "--per", "column").json["receipt"]
            assert (receipt["predictions"]["shape"], receipt["predictions"]["dtype"]) == ([H, W], "float32")
            assert (receipt["targets"]["shape"], receipt["targets"]["dtype"]) == ([H, W], "int8")
            assert receipt["per"] == "column"


class TestDigits:
    """Neither batches nor chunks nor threads nor neighbours change a sample's digits."""

    z = RNG.normal(0, 2, (7, 3, 40, 50)).astype(np.float32)
    y = RNG.integers(0, 3, (7, 40, 50))
    words = ("--class-axis", "1", "--activation", "softmax", "-f", "json", "--per-sample")

    @pytest.mark.parametrize("name", ["dice", "generalized-dice", "mcc"])
    def test_a_sample_is_the_same_alone(
        self, compute: Compute, save: Save, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(job_module, "BATCH_BYTES", 4 * 12 * 700)  # a sample in three batches
        z, y = save("z.npy", self.z), save("y.npy", self.y)
        every = [row["loss"] for row in compute(name, z, y, *self.words).json["rows"]]
        monkeypatch.setattr(job_module, "CHUNK_BYTES", 12 * 2000 * 3)
        assert [row["loss"] for row in compute(name, z, y, *self.words, "--threads", "3").json["rows"]] == every
        alone = compute(name, save("o.npy", self.z[3:4]), save("l.npy", self.y[3:4]), *self.words).json
        assert alone["rows"][0]["loss"] == every[3]

    @pytest.mark.parametrize("unit", ["class", "file"])
    def test_chunks_and_threads(
        self, compute: Compute, save: Save, folder: Path, monkeypatch: pytest.MonkeyPatch, unit: str
    ) -> None:
        z, y = save("z.npy", self.z.astype(np.float64)), save("y.npy", self.y)
        words = ("dice", z, y, *self.words, "--per", unit)
        whole = compute(*words, "--gradient", "g.npy").json
        monkeypatch.setattr(job_module, "CHUNK_BYTES", 24 * 900)
        parts = [compute(*words, "--threads", count, "--gradient", "h.npy").json for count in ("1", "4")]
        assert parts[0]["rows"] == parts[1]["rows"]
        for one, other in zip(whole["rows"], parts[0]["rows"], strict=True):
            assert one["loss"] == pytest.approx(other["loss"], rel=1e-15)
        np.testing.assert_allclose(np.load(folder / "g.npy"), np.load(folder / "h.npy"), rtol=1e-12, atol=1e-19)

    def test_a_sum_of_many_is_exact(self, compute: Compute, save: Save) -> None:
        """Of a million probabilities of 0.1 and as many targets: I = FN / 9, without an error that grows with their number."""
        n = 1_000_000
        words = (save("p.npy", np.full(n, 0.1)), save("t.npy", np.ones(n, np.int8)), "--from", "probs")
        assert compute("dice", *words).json["value"] == pytest.approx(0.9 / 1.1, rel=4e-16)
        words = (save("p.npy", np.full((n, 2), 0.1)), save("t.npy", np.ones((n, 2), np.int8)), "--from", "probs")
        found = compute("dice", *words, "--per", "column", "-f", "json", "--per-sample").json["rows"]
        assert [row["loss"] for row in found] == pytest.approx([0.9 / 1.1] * 2, rel=4e-16)

    def test_sums_of_chunks_are_compensated(self) -> None:
        total = Totals(np.array([[1e16, 3.0]]), np.zeros((1, 2)))
        for _ in range(10):
            total = total + Totals(np.array([[1.0, -1e17]]), np.zeros((1, 2)))
        total = total + Totals(np.array([[-1e16, 1e18]]), np.zeros((1, 2)))
        assert total.value.tolist() == [[10.0, 3.0]]
        endless = total + Totals(np.array([[np.inf, 0.0]]), np.zeros((1, 2)))
        assert endless.value.tolist() == [[np.inf, 3.0]]

    def test_sums_of_long_columns_keep_their_digits(self) -> None:
        """Added one after another, the last of so many numbers would lose their last digits."""
        part = np.random.default_rng(1).random((200_000, 3))
        exact = [math.fsum(column) for column in part.T]
        found = segment_sums(part, np.zeros(1, np.int64), 3)[0]
        np.testing.assert_allclose(found, exact, rtol=2e-15)
        assert segment_sums(part, np.array([0, 5, 5, 200_000]), 1)[[1, 3], 0].tolist() == [0, 0]
