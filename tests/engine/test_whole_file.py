"""Losses of which rows meet each other, and masks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import sigmoid, softmax

from losscli.engine import whole_file as coupling
from losscli.losses import LOSSES

GENERATOR = np.random.default_rng(11)
N, D = 12, 3
A, B, C = (GENERATOR.normal(0, 1, (N, D)) for _ in range(3))
SAME = GENERATOR.integers(0, 2, N)
MEANS, TRUTH = GENERATOR.normal(0, 1, (2, N))
VARIANCE = GENERATOR.uniform(0.2, 2, N)
SCORES, MASK = GENERATOR.normal(0, 2, (N, 4)), GENERATOR.integers(0, 2, (N, 4))
LABELS = np.arange(N) % 4
Compute = Callable[..., Any]
Save = Callable[..., str]
Write = Callable[..., str]


@pytest.fixture
def files(save: Save) -> dict[str, str]:
    arrays = {
        "a": A, "b": B, "c": C, "same": SAME, "mean": MEANS, "truth": TRUTH, "variance": VARIANCE,
        "scores": SCORES, "mask": MASK, "labels": LABELS,
    }  # fmt: skip
    return {name: save(f"{name}.npy", array) for name, array in arrays.items()}


class TestMasks:
    """--per says what is one mask."""

    def dice(self, p: np.ndarray, t: np.ndarray) -> float:
        return float(1 - 2 * (p * t).sum() / (p.sum() + t.sum()))

    def test_rows_columns_and_the_file(self, compute: Compute, files: dict[str, str]) -> None:
        p = sigmoid(SCORES)
        words = ("dice", files["scores"], files["mask"], "-f", "json")
        rows = [self.dice(*pair) for pair in zip(p, MASK, strict=True)]
        columns = [self.dice(*pair) for pair in zip(p.T, MASK.T, strict=True)]
        assert compute(*words).json["value"] == pytest.approx(np.mean(rows), rel=1e-12)
        assert compute(*words, "--per", "row").json["samples"] == N
        by_column = compute(*words, "--per", "column").json
        assert by_column["value"] == pytest.approx(np.mean(columns), rel=1e-12)
        assert by_column["samples"] == 4
        assert by_column["receipt"]["per"] == "column"
        assert compute(*words, "--per", "file").json["value"] == pytest.approx(self.dice(p, MASK), rel=1e-12)

    def test_one_number_a_row_is_one_mask(self, compute: Compute, save: Save) -> None:
        z, t = save("z.npy", SCORES[:, 0]), save("t.npy", MASK[:, 0])
        found = compute("dice", z, t).json
        assert found["value"] == pytest.approx(self.dice(sigmoid(SCORES[:, 0]), MASK[:, 0]), rel=1e-12)
        assert found["samples"] == 1
        compute("dice", z, t, "--per", "row").refuses(2, "--per row", "--per file")
        for targets in (t, save("t1.npy", MASK[:, :1])):
            squeezed = compute("dice", save("z1.npy", SCORES[:, :1]), targets)
            assert squeezed.json["value"] == found["value"]
            assert "squeezed" in squeezed.err

    def test_class_labels_are_one_hot_rows(self, compute: Compute, files: dict[str, str]) -> None:
        p, t = sigmoid(SCORES), np.eye(4)[LABELS]
        columns = [self.dice(*pair) for pair in zip(p.T, t.T, strict=True)]
        found = compute("dice", files["scores"], files["labels"], "--per", "column", "--activation", "sigmoid").json[
            "value"
        ]
        assert found == pytest.approx(np.mean(columns), rel=1e-12)

    @pytest.mark.parametrize("per", ["row", "column", "file"])
    def test_the_gradient_has_the_files_shape(
        self, compute: Compute, save: Save, folder: Path, files: dict[str, str], per: str
    ) -> None:
        words = ("dice", files["mask"], "--per", per)
        compute(words[0], files["scores"], *words[1:], "--gradient", "g.npy")
        gradient = np.load(folder / "g.npy")
        assert gradient.shape == SCORES.shape
        step = 1e-6
        for i, j in ((0, 0), (3, 2), (11, 3)):
            moved = []
            for sign in (1, -1):
                z = SCORES.copy()
                z[i, j] += sign * step
                moved.append(compute(words[0], save("m.npy", z), *words[1:], "--reduction", "sum").json["value"])
            assert gradient[i, j] == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-5, abs=1e-9)

    def test_ignored_rows_are_in_no_mask(self, compute: Compute, save: Save, folder: Path) -> None:
        labels = LABELS.copy()
        labels[[1, 6]] = 255
        z, t = save("z.npy", SCORES), save("t.npy", labels)
        words = ("dice", z, t, "--per", "column", "--ignore-index", "255", "--activation", "sigmoid")
        found = compute(*words, "--gradient", "g.npy", "-f", "json").json
        kept = np.delete(np.arange(N), [1, 6])
        p, one_hot = sigmoid(SCORES)[kept], np.eye(4)[LABELS[kept]]
        columns = [self.dice(*pair) for pair in zip(p.T, one_hot.T, strict=True)]
        assert found["value"] == pytest.approx(np.mean(columns), rel=1e-12)
        assert found["ignored"] == 2
        gradient = np.load(folder / "g.npy")
        assert not gradient[[1, 6]].any()
        assert gradient[kept].all()

    def test_a_mask_is_a_row_of_the_result(self, compute: Compute, files: dict[str, str]) -> None:
        lines = compute("dice", files["scores"], files["mask"], "--per", "column", "-f", "jsonl").lines
        assert [line["sample"] for line in lines] == [0, 1, 2, 3]
        assert [line["target"] for line in lines] == MASK.sum(axis=0).tolist()

    def test_weights_of_rows_have_no_meaning(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        w = save("w.npy", np.ones(N))
        assert compute("dice", files["scores"], files["mask"], "--sample-weight", w).code == 0
        compute("dice", files["scores"], files["mask"], "--per", "file", "--sample-weight", w).refuses(
            2, "--sample-weight", "one loss for all rows"
        )

    def test_what_cannot_be_held_is_refused_with_the_reason(
        self, compute: Compute, save: Save, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(coupling, "MOST_BYTES", 4000)
        words = ("lovasz-hinge", files["scores"], files["mask"])
        assert compute(*words).code == 0
        compute(*words, "--per", "file").refuses(
            3, "lovasz-hinge --per file", "48 elements", "in memory", "limit is 0.0 GB", "each mask as a row"
        )
        compute("lovasz-softmax", files["scores"], files["labels"]).refuses(3, "all rows in memory", "files in parts")
        assert compute("dice", files["scores"], files["mask"], "--per", "file").code == 0
        # 20 masks of 36 elements are held one at a time
        masks = save("z.npy", np.ones((20, 6, 6))), save("t.npy", np.ones((20, 6, 6), int))
        assert compute("lovasz-hinge", *masks, "--per", "sample").code == 0
        compute("lovasz-hinge", *masks, "--per", "file").refuses(3, "720 elements")

    def test_series(self, compute: Compute, files: dict[str, str]) -> None:
        expected = np.abs(A - B).sum() / np.abs(B).sum()
        found = compute("wmape", files["a"], files["b"], "--per", "file").json["value"]
        assert found == pytest.approx(expected, rel=1e-13)


class TestRowsThatMeet:
    """In these losses a row's loss depends on all other rows."""

    def test_info_nce(self, compute: Compute, files: dict[str, str]) -> None:
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (A, B))
        logits = a @ b.T / 0.07
        expected = -np.log(softmax(logits)[np.arange(N), np.arange(N)]).mean()
        assert compute("info-nce", files["a"], files["b"]).json["value"] == pytest.approx(expected, rel=1e-11)

    def test_labels_are_any_names(self, compute: Compute, write: Write, files: dict[str, str]) -> None:
        by_number = compute("supcon", files["a"], files["labels"]).json["value"]
        names = write("names.csv", "label\n" + "".join(f"{'NA' if i == 0 else f'00{i}'}\n" for i in LABELS))
        assert compute("supcon", files["a"], names).json["value"] == by_number

    def test_an_ignored_row_meets_nobody(self, compute: Compute, save: Save) -> None:
        labels = np.concatenate([LABELS, [77, 77, 77]])
        rows = np.concatenate([A, GENERATOR.normal(0, 1, (3, D))])
        found = compute("nt-xent", save("x.npy", rows), save("y.npy", labels), "--ignore-index", "77").json
        expected = compute("nt-xent", save("a.npy", A), save("l.npy", LABELS)).json
        assert found["value"] == pytest.approx(expected["value"], rel=1e-13)
        assert found["ignored"] == 3

    def test_the_row_of_a_class_of_one_row_has_no_loss(
        self, compute: Compute, save: Save, files: dict[str, str]
    ) -> None:
        labels = LABELS.copy()
        labels[5] = 9
        found = compute("nt-xent", files["a"], save("y.npy", labels))
        assert (found.json["samples"], found.json["ignored"]) == (len(labels) - 1, 1)
        assert "y.npy: 1 row has no other row" in found.err

    def test_too_many_rows_are_refused_with_the_reason(
        self, compute: Compute, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(coupling, "MOST_ROWS", 11)
        compute("nt-xent", files["a"], files["labels"]).refuses(
            3, "12 rows", "meets all others", "square", "at most 11"
        )

    def test_permuting_the_rows_permutes_the_losses(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        order = GENERATOR.permutation(N)
        lines = compute("nt-xent", files["a"], files["labels"], "-f", "jsonl").lines
        moved = compute("nt-xent", save("m.npy", A[order]), save("y.npy", LABELS[order]), "-f", "jsonl").lines
        losses = np.array([line["loss"] for line in lines])
        np.testing.assert_allclose([line["loss"] for line in moved], losses[order], rtol=1e-12)

    def test_explain_says_so(self, run: Any) -> None:
        for loss in LOSSES.values():
            entry = json.loads(run("explain", loss.name, "--format", "json").out)
            assert bool(entry["rows"]) == (loss.family.coupled is not None)


def test_a_row_without_a_softmax_is_named(compute: Compute, save: Save) -> None:
    z = np.zeros((4, 2))
    z[2] = np.inf
    compute("lovasz-softmax", save("z.npy", z), save("t.npy", [0, 1, 0, 1])).refuses(3, "z.npy[2]", "undefined")


class TestDomains:
    """What a loss cannot take is refused with its place."""

    @pytest.mark.parametrize(
        ("loss", "p", "t", "parts"),
        [
            ("poisson", [1, -0.5], [1, 1], ("p.npy[1]", "prediction -0.5", "[0, inf)")),
            ("gamma-deviance", [1, 1], [1, 0], ("t.npy[1]", "target 0")),
            ("msle", [1, -1.5], [1, 1], ("p.npy[1]", "prediction -1.5")),
            ("arcface", [[0.5, 1.5]], [0], ("p.npy[0, 1]", "prediction 1.5", "[-1, 1]")),
            ("multilabel-margin", [[0.5, 1.5]], [[0, 2]], ("t.npy[0, 1]", "target 2")),
            ("contrastive", [0.5, -0.5], [0, 1], ("p.npy[1]", "prediction -0.5", "[0, inf)")),
        ],
    )
    def test_places(self, compute: Compute, save: Save, loss: str, p: Any, t: Any, parts: tuple[str, ...]) -> None:
        compute(loss, save("p.npy", p, float), save("t.npy", t, float)).refuses(3, *parts)

    @pytest.mark.parametrize(
        ("loss", "p", "t", "parts"),
        [
            ("iou", np.zeros((2, 3)), np.zeros((2, 3)), ("4 numbers per row", "x1, y1")),
            ("margin-ranking", np.zeros((2, 3)), [0, 1], ("2 numbers per row",)),
            ("margin-ranking", np.zeros((2, 2)), np.ones((2, 2)), ("one target per row",)),
            ("cosine-distance", np.zeros(2), np.zeros(2), ("rows of several numbers", "features")),
            ("crps", np.zeros(3), np.zeros(3), ("rows of several numbers", "ensemble")),
            ("jsd-cross-entropy", np.zeros((2, 4)), [0, 1], ("three views",)),
            ("multiclass-hinge", np.zeros((2, 2)), [[0.5, 0.5], [1, 0]], ("soft targets", "one label per row")),
            ("cosine-distance", [[0.0, 0], [1, 1]], [[1.0, 0], [1, 1]], ("p.npy[0]", "undefined")),
        ],
    )
    def test_shapes(self, compute: Compute, save: Save, loss: str, p: Any, t: Any, parts: tuple[str, ...]) -> None:
        compute(loss, save("p.npy", p), save("t.npy", t)).refuses(3, *parts)

    def test_whole_numbers(self, compute: Compute, tiny: tuple[str, str]) -> None:
        compute("taylor-cross-entropy", *tiny, "--order", "2.5").refuses(2, "order=2.5", "whole numbers")


class TestStatistics:
    """What people make of a mean joins the summary."""

    def test_roots_and_exponentials(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        summary = compute("mse", files["mean"], files["truth"]).json["summary"]
        assert summary["rmse"] == pytest.approx(np.sqrt(((MEANS - TRUTH) ** 2).mean()), rel=1e-14)
        positive = save("p.npy", np.abs(MEANS)), save("t.npy", np.abs(TRUTH))
        gap = np.log1p(np.abs(MEANS)) - np.log1p(np.abs(TRUTH))
        found = compute("msle", *positive).json["summary"]["rmsle"]
        assert found == pytest.approx(np.sqrt((gap**2).mean()), rel=1e-13)
        found = compute("ce", files["scores"], files["labels"]).json
        assert found["summary"]["perplexity"] == pytest.approx(np.exp(found["value"]), rel=1e-14)
        smoothed = compute("ce", files["scores"], files["labels"], "--label-smoothing", "0.1").json["summary"]
        assert "perplexity" not in smoothed

    def test_weights_count(self, compute: Compute, save: Save, files: dict[str, str]) -> None:
        w = np.arange(N) % 3.0
        found = compute("mse", files["mean"], files["truth"], "--sample-weight", save("w.npy", w)).json["summary"][
            "rmse"
        ]
        assert found == pytest.approx(np.sqrt((w * (MEANS - TRUTH) ** 2).sum() / w.sum()), rel=1e-14)

    def test_calibration_errors(self, compute: Compute, files: dict[str, str]) -> None:
        p = softmax(SCORES)
        confidence, right = p.max(axis=1), p.argmax(axis=1) == LABELS
        gaps, rows = [], []
        for low in range(15):
            inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
            if inside.any():
                rows.append(inside.sum())
                gaps.append(abs(right[inside].mean() - confidence[inside].mean()))
        summary = compute("ce", files["scores"], files["labels"]).json["summary"]
        assert summary["ece"] == pytest.approx(np.average(gaps, weights=rows), rel=1e-13)
        assert summary["mce"] == pytest.approx(max(gaps), rel=1e-13)

    def test_of_one_score_and_of_large_files(
        self, compute: Compute, save: Save, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        z, t = save("z.npy", SCORES[:, 0]), save("t.npy", MASK[:, 0])
        assert {"ece", "mce"} <= set(compute("bce", z, t).json["summary"])
        monkeypatch.setattr("losscli.measurement.measure.MOST_ELEMENTS", 3)
        assert "ece" not in compute("bce", z, t).json["summary"]
        assert "ece" in compute("bce", z, t, "--require", "ece < 1").json["summary"]

    def test_of_losses_that_have_none(self, compute: Compute, files: dict[str, str]) -> None:
        for statistic in ("rmse", "ece", "perplexity"):
            compute("huber", files["mean"], files["truth"], "--require", f"{statistic} < 1").refuses(
                2, f"--require {statistic}", "huber"
            )
        outcome = compute("mse", files["mean"], files["truth"], "--require", "rmse > 100")
        assert outcome.code == 1


def test_families_of_masks_are_added_up_or_say_what_they_take() -> None:
    from losscli.losses import FAMILIES

    of_masks = [family for family in FAMILIES.values() if family.of_masks]
    assert of_masks
    assert all((family.elements is None) == (family.held_bytes > 0) for family in of_masks)


@pytest.mark.parametrize("name", ["max-error", "medae", "rmsse --scale 1", "wmape"])
def test_losses_of_series_are_not_called_masks(compute, save, name):
    loss, *more = name.split()
    p, t = save("p.npy", np.ones((3, 2))), save("t.npy", np.zeros((3, 2)))
    for unit, said in (("position", "row, column or file"), ("sample,class", "rows, columns or the file")):
        refused = compute(loss, p, t, *more, "--per", unit)
        assert refused.code == 2
        assert said in refused.err
        assert "mask" not in refused.err
    flat = compute(loss, save("p.npy", np.ones(3)), save("t.npy", np.zeros(3)), *more, "--per", "row")
    assert "mask" not in flat.err
    assert "--per file" in flat.err
