"""Arrays of any rank, as the contract has them: what other libraries returned, properties, places in messages, refusals.

`tests/support/make_shapes.py` made the golden file, in which every case names the library that ran, its version and the
call. The rest is arithmetic on flat tables: (n, C, H, W) is the table (n * H * W, C), whose rows are its positions.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Outcome, npy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import losscli

GOLDEN = json.loads((Path(__file__).parent.parent / "data" / "golden_shapes.json").read_text())
CASES: list[dict[str, Any]] = GOLDEN["cases"]
RTOL = {"float64": 1e-12, "float32": 4e-7, "float16": 4e-7}
"""Units in the last place: 2**-52 is 2.2e-16, and the libraries' own float64 sums lose up to some thousand of them where a
loss is a small difference. 2**-23 is 1.2e-7: a loss in float32 is rounded at its exponentials (up to two units), at their
sum and at the end. float16 is computed in float32. The files hold exactly what the libraries got."""
SLOPES = 4
"""A slope is a product or a difference of two numbers that are rounded as a loss is; so many times the tolerance, of the
largest slope of its unit."""
SAME = 1e-14
"""Compensated sums in float64 of the same numbers in another order."""
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Compute = Callable[..., Outcome]
Save = Callable[..., str]


def array_of(name: str) -> np.ndarray:
    stored = GOLDEN["arrays"][name]
    values = np.array(stored["values"], dtype=object)
    return values.astype({"float": float, "int": np.int64, "bool": bool}[stored["kind"]])


def numbers(values: Any) -> np.ndarray:
    """Nested lists as an array, with NaN for what does not exist."""
    return np.array(values, dtype=object).astype(float)


def saved(case: dict[str, Any], dtype: str, save: Save) -> list[str]:
    """The words of a case, with the names of its arrays' files; predictions and numbers to predict are of the dtype."""
    words = []
    for place, word in enumerate(case["words"]):
        if word.startswith("{"):
            array = array_of(word[1:-1])
            operand = place in (1, 2) and array.dtype.kind == "f"
            word = save(f"{word[1:-1]}.npy", array.astype(dtype) if operand else array)
        words.append(word)
    return words


def identity(case: dict[str, Any]) -> str:
    return f"{case['library'].split()[0]}-{case['name'].replace(' ', '-')}"


def by_positions(case: dict[str, Any]) -> bool:
    """Whether each position has a loss, so that the losses have the shape of the targets."""
    return "--per" not in case["words"] and case["words"][0] in (
        "ce",
        "kl",
        "softmax-focal",
        "mse",
        "l1",
        "huber",
        "bce",
    )


class TestGolden:
    """What PyTorch, Keras, optax and MONAI returned."""

    def test_the_file_covers_the_libraries_and_the_shapes(self) -> None:
        assert {case["library"].split()[0] for case in CASES} == {"torch", "keras", "optax", "monai"}
        assert {np.ndim(stored["values"]) for stored in GOLDEN["arrays"].values()} >= {1, 2, 3, 4, 5}
        assert len(CASES) > 150
        assert sum("gradient" in case for case in CASES) > 80

    @pytest.mark.parametrize("dtype", RTOL)
    @pytest.mark.parametrize("case", [case for case in CASES if case["value"] is not None], ids=identity)
    def test_the_value_is_that_of_the_library(
        self, compute: Compute, save: Save, case: dict[str, Any], dtype: str
    ) -> None:
        found = compute(*saved(case, dtype, save)).json
        tolerance = max(RTOL[dtype], case.get("rtol", 0))
        assert found["value"] == pytest.approx(case["value"], rel=tolerance, abs=0), case["call"]

    @pytest.mark.simd
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("case", [case for case in CASES if "losses" in case], ids=identity)
    def test_the_losses_are_those_of_the_library(
        self, compute: Compute, save: Save, case: dict[str, Any], dtype: str
    ) -> None:
        assert compute(*saved(case, dtype, save), "-o", "losses.npy").code == 0
        found, right = np.load("losses.npy"), numbers(case["losses"])
        exists = ~np.isnan(right)
        if exists.all() and by_positions(case) and "--shift" not in case["words"]:
            assert found.shape == right.shape
        # What does not exist has a place in an array of the file's shape, as the last tokens of a shift have.
        kept = found[exists] if found.shape == right.shape else found[~np.isnan(found)]
        powers = 2 if case["words"][0] == "softmax-focal" else 1  # its loss is a product of three rounded numbers
        np.testing.assert_allclose(kept, right[exists].reshape(kept.shape), rtol=powers * RTOL[dtype], atol=1e-14)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("case", [case for case in CASES if "gradient" in case], ids=identity)
    def test_the_gradient_is_that_of_the_library(
        self, compute: Compute, save: Save, case: dict[str, Any], dtype: str
    ) -> None:
        """Of each unit's loss; where units share their logits, as the classes do under a softmax, of the units' sum."""
        assert compute(*saved(case, dtype, save), "--gradient", "gradient.npy").code == 0
        found, right = np.load("gradient.npy"), numbers(case["gradient"])
        assert found.shape == right.shape
        tolerance = SLOPES * RTOL[dtype]
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance * np.abs(right).max())

    @pytest.mark.parametrize("case", [case for case in CASES if "none" in case["words"]], ids=identity)
    def test_unreduced_losses_have_no_value(self, compute: Compute, save: Save, case: dict[str, Any]) -> None:
        assert compute(*saved(case, "float64", save)).json["value"] is None

    def test_masks_of_more_than_two_classes_are_not_read_as_either(self, compute: Compute, save: Save) -> None:
        """Dice of softmax and of sigmoid are both sensible: 0.3878 and 0.4735, as PyTorch has them by hand."""
        logits = [[2, 0, -1], [0.1, 1.2, 0.3], [1, 1, 1], [-0.5, 0.2, 2], [0.3, 0.9, 0.1]]
        words = ("dice", save("p.npy", logits), save("t.npy", [0, 1, 1, 2, 1]), "--per", "column")
        refused(compute(*words), "--activation", "softmax", "sigmoid")
        assert compute(*words, "--activation", "softmax").json["value"] == pytest.approx(0.3878, abs=5e-5)
        assert compute(*words, "--activation", "sigmoid").json["value"] == pytest.approx(0.4735, abs=5e-5)


def refused(found: Outcome, *parts: str) -> None:
    """Assert an error of usage or of data: which of them is a matter of where the reason lies."""
    assert found.code in (2, 3), (found.code, found.out, found.err)
    found.refuses(found.code, *parts)


def flat(array: np.ndarray, axis: int) -> np.ndarray:
    """The table of an array: a row for each position, in their order, and a column for each class."""
    return np.ascontiguousarray(np.moveaxis(array, axis, -1)).reshape(-1, array.shape[axis])


def back(table: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """The array of a shape whose table it is."""
    moved = [*np.delete(shape, axis), shape[axis]]
    return np.moveaxis(table.reshape(moved), -1, axis)


class Drawn:
    """Logits of a random rank, class axis and dtype, and labels in the shape of the positions."""

    def __init__(self, seed: int, rank: int | None = None, dtype: Any = None) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.rank = rank or int(rng.integers(2, 6))
        self.axis = int(rng.integers(1, self.rank))
        self.k = int(rng.integers(2, 6))
        self.others = tuple(int(each) for each in rng.integers(2, 5, self.rank - 1))
        self.shape = (*self.others[: self.axis], self.k, *self.others[self.axis :])
        self.p = rng.normal(0, 2, self.shape).astype(dtype or rng.choice(["f4", "f8"]))
        self.t = rng.integers(0, self.k, self.others)
        self.mask = rng.random(self.others) < 0.6
        self.mask.flat[rng.integers(self.mask.size)] = True

    @property
    def words(self) -> tuple[str, str]:
        """Either name of the axis."""
        return "--class-axis", str(self.axis if self.rng.random() < 0.5 else self.axis - self.rank)


seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(params=["whole", "small_chunks"])
def pieces(request: pytest.FixtureRequest) -> None:
    """Files as they are, and again in chunks of a few rows: arrays are then cut in many places."""
    if request.param == "small_chunks":
        request.getfixturevalue("small_chunks")


@pytest.mark.usefixtures("pieces")
class TestPositions:
    """An array of any rank is the table of its positions."""

    @quick
    @given(seed=seeds)
    def test_an_array_is_its_table(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed)
        words = ("ce", save("p.npy", drawn.p), save("t.npy", drawn.t), *drawn.words)
        table = ("ce", save("q.npy", flat(drawn.p, drawn.axis)), save("u.npy", drawn.t.reshape(-1)))
        whole = compute(*words, "-o", "losses.npy", "--gradient", "gradient.npy").json
        right = compute(*table, "-o", "rows.npy", "--gradient", "slopes.npy").json
        assert whole["value"] == pytest.approx(right["value"], rel=SAME)
        assert whole["denominator"] == right["denominator"] == drawn.t.size
        assert np.load("losses.npy").shape == drawn.t.shape
        assert np.load("losses.npy").tobytes() == np.load("rows.npy").tobytes()
        gradient = np.load("gradient.npy")
        assert gradient.shape == drawn.shape
        assert gradient.dtype == drawn.p.dtype
        np.testing.assert_array_equal(gradient, back(np.load("slopes.npy"), drawn.shape, drawn.axis))

    @quick
    @given(seed=seeds)
    def test_the_class_axis_changes_no_digit(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed)
        target = save("t.npy", drawn.t)
        values, losses = set(), set()
        for axis in {drawn.axis, 1, drawn.rank - 1}:
            turned = np.ascontiguousarray(np.moveaxis(drawn.p, drawn.axis, axis))
            found = compute("ce", save("p.npy", turned), target, "--class-axis", str(axis), "-o", "losses.npy").json
            values.add(found["value"])
            losses.add(np.load("losses.npy").tobytes())
        assert len(values) == len(losses) == 1

    @pytest.mark.parametrize(
        ("loss", "options"), [("ce", ()), ("ce", ("--label-smoothing", "0.1")), ("softmax-focal", ())]
    )
    @quick
    @given(seed=seeds)
    def test_masking_a_position_is_deleting_it(
        self, compute: Compute, save: Save, loss: str, options: tuple[str, ...], seed: int
    ) -> None:
        drawn = Drawn(seed)
        mask = drawn.mask.astype(drawn.rng.choice(["?", "u1", "i8", "f4"]))
        words = (loss, save("p.npy", drawn.p), save("t.npy", drawn.t), "--mask", save("m.npy", mask), *drawn.words)
        kept = drawn.mask.reshape(-1)
        table = (save("q.npy", flat(drawn.p, drawn.axis)[kept]), save("u.npy", drawn.t.reshape(-1)[kept]))
        masked = compute(*words, *options, "--gradient", "gradient.npy").json
        deleted = compute(loss, *table, *options, "--gradient", "slopes.npy").json
        assert masked["value"] == pytest.approx(deleted["value"], rel=SAME)
        assert masked["denominator"] == deleted["denominator"] == kept.sum()
        assert masked["summary"]["max"] == deleted["summary"]["max"]
        slopes = flat(np.load("gradient.npy"), drawn.axis)
        assert not slopes[~kept].any()
        np.testing.assert_array_equal(slopes[kept], np.load("slopes.npy"))

    @quick
    @given(seed=seeds)
    def test_what_is_masked_may_be_anything(self, compute: Compute, save: Save, seed: int) -> None:
        """NaN in predictions, and labels that are no classes, at positions that do not exist."""
        drawn = Drawn(seed)
        words = ("--mask", save("m.npy", drawn.mask), *drawn.words)
        right = compute("ce", save("p.npy", drawn.p), save("t.npy", drawn.t), *words).json["value"]
        table = flat(drawn.p, drawn.axis)
        table[~drawn.mask.reshape(-1)] = np.nan
        spoiled = back(table, drawn.shape, drawn.axis)
        t = np.where(drawn.mask, drawn.t, 1000)
        assert compute("ce", save("p.npy", spoiled), save("t.npy", t), *words).json["value"] == right

    @quick
    @given(seed=seeds)
    def test_an_ignored_label_is_a_masked_position(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed)
        p, ignored = save("p.npy", drawn.p), np.where(drawn.mask, drawn.t, -100)
        masked = compute("ce", p, save("t.npy", drawn.t), "--mask", save("m.npy", drawn.mask), *drawn.words).json
        found = compute("ce", p, save("i.npy", ignored), "--ignore-index", "-100", *drawn.words).json
        assert (found["value"], found["denominator"]) == (masked["value"], masked["denominator"])

    @quick
    @given(seed=seeds)
    def test_permuting_the_positions_changes_nothing(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed)
        order = drawn.rng.permutation(drawn.t.size)
        turned = back(flat(drawn.p, drawn.axis)[order], drawn.shape, drawn.axis)
        t = drawn.t.reshape(-1)[order].reshape(drawn.others)
        before = compute("ce", save("p.npy", drawn.p), save("t.npy", drawn.t), *drawn.words, "-o", "losses.npy").json
        after = compute("ce", save("q.npy", turned), save("u.npy", t), *drawn.words, "-o", "turned.npy").json
        assert after["value"] == pytest.approx(before["value"], rel=SAME)
        assert np.load("losses.npy").reshape(-1)[order].tobytes() == np.load("turned.npy").tobytes()

    @quick
    @given(seed=seeds)
    def test_the_mean_of_the_samples_means(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed, rank=int(np.random.default_rng(seed).integers(3, 6)))
        mask = drawn.mask.copy()
        mask.reshape(len(mask), -1)[:, 0] = True
        words = ("ce", save("p.npy", drawn.p), save("t.npy", drawn.t), "--mask", save("m.npy", mask), *drawn.words)
        assert compute("ce", *words[1:3], *drawn.words, "-o", "losses.npy").code == 0
        losses = np.load("losses.npy").astype(float)
        samples = [each[exists] for each, exists in zip(losses, mask, strict=True)]
        rel = 1e-12 if drawn.p.dtype == "f8" else 2e-7  # the loss of a sample is rounded to the dtype
        for options, right in (
            ((), np.concatenate(samples).mean()),
            (("--per", "position"), np.concatenate(samples).mean()),
            (("--per", "sample"), np.mean([each.mean() for each in samples])),
            (("--per", "row"), np.mean([each.mean() for each in samples])),
            (("--per", "sample", "--over-positions", "sum"), np.mean([each.sum() for each in samples])),
        ):
            assert compute(*words, *options).json["value"] == pytest.approx(right, rel=rel), options
        found = compute(*words, "--per", "sample", "-o", "samples.npy", "--gradient", "gradient.npy").json
        assert found["samples"] == found["denominator"] == len(drawn.t)
        np.testing.assert_allclose(np.load("samples.npy"), [each.mean() for each in samples], rtol=rel)
        # The loss of a sample is the mean over its positions, and so is the slope.
        assert compute(*words, "--gradient", "slopes.npy").code == 0
        count = np.array([each.size for each in samples]).reshape(-1, *[1] * (drawn.rank - 1))
        np.testing.assert_allclose(np.load("gradient.npy"), np.load("slopes.npy") / count, rtol=SLOPES * rel)

    @quick
    @given(seed=seeds)
    def test_shards_along_the_first_axis_are_the_whole(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed)
        whole = compute("ce", save("p.npy", drawn.p), save("t.npy", drawn.t), *drawn.words, "-o", "losses.npy").json
        cut = int(drawn.rng.integers(1, len(drawn.t)))
        for name, array in (("p", drawn.p), ("t", drawn.t)):
            save(f"{name}-0.npy", array[:cut])
            save(f"{name}-1.npy", array[cut:])
        shards = compute("ce", "p-[01].npy", "t-[01].npy", *drawn.words, "-o", "shards.npy").json
        assert shards["value"] == pytest.approx(whole["value"], rel=SAME)
        assert np.load("losses.npy").tobytes() == np.load("shards.npy").tobytes()

    def test_shards_may_differ_in_the_other_axes(self, compute: Compute, save: Save) -> None:
        """One file per case, each of another size."""
        rng = np.random.default_rng(1)
        losses = []
        for number, size in enumerate([(1, 4, 5), (2, 3, 3), (1, 6, 2)]):
            p, t = rng.normal(size=(size[0], 3, *size[1:])), rng.integers(0, 3, size)
            words = (save(f"p-{number}.npy", p), save(f"t-{number}.npy", t), "--class-axis", "1", "-o", "losses.npy")
            assert compute("ce", *words).code == 0
            losses += list(np.load("losses.npy"))
        words = ("ce", "p-*.npy", "t-*.npy", "--class-axis", "1")
        assert compute(*words).json["value"] == pytest.approx(
            np.concatenate([each.reshape(-1) for each in losses]).mean(), rel=1e-12
        )
        found = compute(*words, "--per", "sample").json
        assert found["value"] == pytest.approx(np.mean([each.mean() for each in losses]), rel=1e-12)
        assert found["samples"] == 4

    @quick
    @given(seed=seeds, shift=st.integers(1, 3))
    def test_shifting_is_slicing(self, compute: Compute, save: Save, seed: int, shift: int) -> None:
        rng = np.random.default_rng(seed)
        n, steps, k = (int(each) for each in rng.integers((1, 4, 2), (4, 8, 6)))
        p, t = rng.normal(size=(n, steps, k)), rng.integers(0, k, (n, steps))
        last = ("--class-axis", "-1", "--gradient", "gradient.npy")
        found = compute("ce", save("p.npy", p), save("t.npy", t), *last, "--shift", str(shift)).json
        gradient = np.load("gradient.npy")
        right = compute("ce", save("q.npy", p[:, :-shift]), save("u.npy", t[:, shift:]), *last).json
        assert found["value"] == pytest.approx(right["value"], rel=SAME)
        assert found["denominator"] == n * (steps - shift)
        assert gradient.shape == p.shape
        assert not gradient[:, -shift:].any()
        np.testing.assert_array_equal(gradient[:, :-shift], np.load("gradient.npy"))


def elements(seed: int, rank: int | None = None) -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of a random rank from 1 to 5, numbers to predict, and a mask."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 5, rank or int(rng.integers(1, 6))))
    dtype = rng.choice(["f4", "f8"])
    mask = rng.random(shape) < 0.6
    mask.flat[0] = True
    return rng, rng.normal(0, 2, shape).astype(dtype), rng.normal(0, 2, shape).astype(dtype), mask


@pytest.mark.usefixtures("pieces")
class TestElements:
    """Losses of elements take any shape that is equal on both sides."""

    @pytest.mark.parametrize("loss", ["mse", "huber", "bce"])
    @quick
    @given(seed=seeds)
    def test_an_array_is_the_column_of_its_elements(self, compute: Compute, save: Save, loss: str, seed: int) -> None:
        _, p, t, _ = elements(seed)
        t = (t > 0).astype(np.int8) if loss == "bce" else t
        words = (loss, save("p.npy", p), save("t.npy", t))
        column = (loss, save("q.npy", p.reshape(-1)), save("u.npy", t.reshape(-1)))
        several = ("--elements",) if p.ndim == 2 else ()
        found = compute(*words, "--gradient", "gradient.npy", "-o", "losses.npy", *several).json
        right = compute(*column, "--gradient", "slopes.npy", "-o", "column.npy").json
        assert found["value"] == pytest.approx(right["value"], rel=1e-12 if p.dtype == "f8" or p.ndim != 2 else 2e-7)
        assert np.load("losses.npy").shape == np.load("gradient.npy").shape == p.shape
        np.testing.assert_array_equal(np.load("losses.npy").reshape(-1), np.load("column.npy"))
        # Of two axes a row has a loss, the mean over its outputs; beyond, every element has one.
        outputs = p.shape[1] if p.ndim == 2 else 1
        np.testing.assert_allclose(np.load("gradient.npy").reshape(-1), np.load("slopes.npy") / outputs, rtol=2e-7)

    @quick
    @given(seed=seeds)
    def test_masking_an_element_is_deleting_it(self, compute: Compute, save: Save, seed: int) -> None:
        rng, p, t, mask = elements(seed)
        p[~mask] = rng.choice([np.nan, 1e30])
        words = ("mse", save("p.npy", p), save("t.npy", t), "--mask", save("m.npy", mask), "--gradient", "gradient.npy")
        found = compute(*words).json
        right = compute("mse", save("q.npy", p[mask]), save("u.npy", t[mask])).json
        assert found["value"] == pytest.approx(right["value"], rel=1e-12 if p.ndim != 2 or p.dtype == "f8" else 2e-7)
        gradient = np.load("gradient.npy")
        assert gradient.shape == p.shape
        assert not gradient[~mask].any()

    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    def test_what_does_not_exist_is_no_fault(self, compute: Compute, save: Save, kind: str) -> None:
        rng = np.random.default_rng(32)
        z, t, there = rng.normal(size=(5, 3)), rng.integers(0, 2, (5, 3)), rng.random((5, 3)) < 0.6
        p = {"logits": z, "probs": 1 / (1 + np.exp(-z)), "log-probs": -np.log1p(np.exp(-z))}[kind]
        words = ("--from", kind, "--mask", save("m.npy", there), "-f", "value")
        right = compute("bce", save("e.npy", p[there]), save("u.npy", t[there]), "--from", kind, "-f", "value").value
        for hidden in (p, np.where(there, p, np.nan)):
            found = compute("bce", save("p.npy", hidden), save("t.npy", t), *words).value
            assert found == pytest.approx(right, rel=1e-13)

    @pytest.mark.parametrize("shape", [(6, 3), (3, 3), (2, 4, 3)])
    def test_labels_that_are_read_as_one_hot_rows(self, compute: Compute, save: Save, shape: tuple[int, ...]) -> None:
        rng = np.random.default_rng(31)
        labels, mask = rng.integers(0, 3, shape[:-1]), rng.random(shape) < 0.7
        p, t, rows = save("p.npy", rng.normal(size=shape)), save("t.npy", labels), save("r.npy", np.eye(3)[labels])
        words = ("--class-axis", "-1", "-f", "value")
        for more in ((), ("--missing", "ignore"), ("--mask", save("m.npy", mask)), ("--per", "class")):
            assert compute("bce", p, t, *words, *more).value == compute("bce", p, rows, *words, *more).value

    @quick
    @given(seed=seeds)
    def test_a_weight_per_element(self, compute: Compute, save: Save, seed: int) -> None:
        """Whole weights count an element so many times; a weight of 0 is a mask."""
        rng, p, t, _ = elements(seed, rank=int(np.random.default_rng(seed).choice([1, 3, 4, 5])))
        w = rng.integers(0, 4, p.shape)
        w.flat[0] = 1
        found = compute(
            "l1", save("p.npy", p), save("t.npy", t), "--sample-weight", save("w.npy", w.astype(float))
        ).json
        repeated = [np.repeat(each.reshape(-1), w.reshape(-1)) for each in (p, t)]
        right = compute("l1", save("q.npy", repeated[0]), save("u.npy", repeated[1])).json
        assert found["value"] == pytest.approx(right["value"], rel=SAME)
        assert found["denominator"] == w.sum()

    @pytest.mark.parametrize("loss", ["mse", "bce", "dice"])
    @pytest.mark.parametrize("longer", ["predictions", "targets"])
    def test_a_last_axis_of_one_is_squeezed_with_a_note(
        self, compute: Compute, save: Save, loss: str, longer: str
    ) -> None:
        rng = np.random.default_rng(3)
        p, t = rng.normal(size=(2, 3, 4)), rng.integers(0, 2, (2, 3, 4)).astype(np.int8)
        right = compute(loss, save("p.npy", p), save("t.npy", t))
        assert "(2, 3, 4" not in right.err
        given = (p[..., None], t) if longer == "predictions" else (p, t[..., None])
        found = compute(loss, save("p.npy", given[0]), save("t.npy", given[1]))
        assert found.json["value"] == right.json["value"]
        assert "(2, 3, 4, 1)" in found.err


class TestMasks:
    """Overlap losses: what has one loss, and what is in no sum."""

    @staticmethod
    def sums(p: np.ndarray, t: np.ndarray, axes: tuple[int, ...]) -> Any:
        return np.mean(1 - 2 * (p * t).sum(axis=axes) / (p + t).sum(axis=axes))

    @pytest.mark.usefixtures("pieces")
    @quick
    @given(seed=seeds)
    def test_units_of_probabilities(self, compute: Compute, save: Save, seed: int) -> None:
        rng = np.random.default_rng(seed)
        rank = int(rng.integers(3, 6))
        shape = tuple(rng.integers(2, 4, rank))
        axis = int(rng.integers(1, rank))
        p, t = rng.random(shape), rng.integers(0, 2, shape)
        t.flat[0] = 1
        mask = rng.random(shape) < 0.8
        mask.flat[0] = True
        words = ("dice", save("p.npy", p), save("t.npy", t), "--from", "probs", "--class-axis", str(axis))
        masked = (*words, "--mask", save("m.npy", mask))
        every = tuple(range(rank))
        for per, axes in (
            ((), every[1:]),
            (("--per", "sample"), every[1:]),
            (("--per", "row"), every[1:]),
            (("--per", "class"), tuple(np.delete(every, axis))),
            (("--per", "column"), tuple(np.delete(every, axis))),
            (("--per", "sample,class"), tuple(each for each in every[1:] if each != axis)),
            (("--per", "file"), every),
        ):
            right = self.sums(p, t, axes)
            assert compute(*words, *per).json["value"] == pytest.approx(right, rel=1e-12), per
            with np.errstate(invalid="ignore"):
                right = self.sums(p * mask, t * mask, axes)
            if np.isfinite(right):  # else a mask has no element left
                assert compute(*masked, *per).json["value"] == pytest.approx(right, rel=1e-12), per

    @quick
    @given(seed=seeds)
    def test_the_class_axis_changes_nothing(self, compute: Compute, save: Save, seed: int) -> None:
        drawn = Drawn(seed, rank=4, dtype="f8")
        target = save("t.npy", drawn.t)
        for per in ("sample", "class", "sample,class", "file"):
            found = [
                compute(
                    "dice",
                    save("p.npy", np.moveaxis(drawn.p, drawn.axis, axis)),
                    target,
                    *("--activation", "softmax", "--class-axis", str(axis), "--per", per),
                ).json["value"]
                for axis in (1, 2, -1)
            ]
            assert found[1:] == pytest.approx([found[0]] * 2, rel=1e-13), per

    def test_two_axes_stay_as_they_were(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(5)
        p, t = rng.random((4, 6)), rng.integers(0, 2, (4, 6))
        words = ("dice", save("p.npy", p), save("t.npy", t), "--from", "probs")
        for per, axes in (
            ((), (1,)),
            (("--per", "row"), (1,)),
            (("--per", "sample"), (1,)),
            (("--per", "column"), (0,)),
            (("--per", "class"), (0,)),
            (("--per", "file"), (0, 1)),
        ):
            assert compute(*words, *per).json["value"] == pytest.approx(self.sums(p, t, axes), rel=1e-13), per

    def test_the_receipt_has_the_file_s_shape(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(6)
        p, t = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 3, (2, 4, 5))
        words = ("dice", save("p.npy", p), save("t.npy", t), "--class-axis", "1", "--activation", "softmax")
        for per in ("sample", "class", "sample,class", "file"):
            found = compute(*words, "--per", per).json
            receipt = found["receipt"]
            assert receipt["predictions"]["shape"] == [2, 3, 4, 5]
            assert receipt["targets"]["shape"] == [2, 4, 5]
            assert receipt["predictions"]["dtype"] == "float64"
            assert receipt["targets"]["dtype"] == "int64"
            assert receipt["per"] == per
            assert receipt["class_axis"] in (1, "1")
            assert receipt["activation"] == "softmax"
            assert "softmax" in found["signature"].partition("|")[2]


class TestReceipt:
    def test_it_names_the_unit(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(7)
        p, t = save("p.npy", rng.normal(size=(2, 5, 3))), save("t.npy", rng.integers(0, 3, (2, 5)))
        words = ("ce", p, t, "--class-axis", "-1")
        assert compute(*words).json["receipt"]["per"] == "position"
        samples, positions = compute(*words, "--per", "sample").json, compute(*words, "--per", "position").json
        assert samples["receipt"]["per"] == "sample"
        assert samples["signature"] != positions["signature"]
        assert positions["signature"] == compute(*words).json["signature"]

    @pytest.mark.parametrize("per", ["sample", "class", "file"])
    def test_what_positions_become_is_named(self, compute: Compute, save: Save, per: str) -> None:
        rng = np.random.default_rng(9)
        words = ("mse", save("p.npy", rng.normal(size=(4, 5, 3))), save("t.npy", rng.normal(size=(4, 5, 3))))
        words += ("--class-axis", "-1", "--per", per)
        mean, summed = compute(*words).json, compute(*words, "--over-positions", "sum").json
        assert mean["value"] != summed["value"]
        assert summed["receipt"]["over_positions"] == "sum"
        assert mean["signature"] != summed["signature"]

    def test_rows_that_weigh_alike_are_samples(self, compute: Compute, save: Save) -> None:
        words = ("mse", save("p.npy", [[1, 2], [3, 4]]), save("t.npy", [[0, np.nan], [0, 0]]), "--missing", "ignore")
        rows, all_elements = compute(*words, "--per", "sample").json, compute(*words).json
        assert rows["value"] != all_elements["value"]
        assert rows["receipt"]["per"] == "sample"
        assert all_elements["receipt"]["per"] == "position"

    def test_a_mask_is_named(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(8)
        p, t = save("p.npy", rng.normal(size=(2, 5, 3))), save("t.npy", rng.integers(0, 3, (2, 5)))
        found = compute("ce", p, t, "--class-axis", "-1", "--mask", save("mask.npy", rng.random((2, 5)) < 0.5)).json
        assert "mask.npy" in json.dumps(found["receipt"])


LAYOUTS: dict[str, Callable[[np.ndarray], bytes]] = {
    "fortran": lambda p: npy(np.asfortranarray(p)),
    "big-endian": lambda p: npy(p.astype(p.dtype.newbyteorder(">"))),
    "big-endian fortran": lambda p: npy(np.asfortranarray(p.astype(p.dtype.newbyteorder(">")))),
    "version 2": lambda p: npy(p).replace(b"\x93NUMPY\x01\x00v\x00", b"\x93NUMPY\x02\x00v\x00\x00\x00"),
}


class TestStorage:
    """However the numbers lie in the file, they are the same."""

    @pytest.mark.usefixtures("pieces")
    @pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
    @pytest.mark.parametrize("axis", ["1", "-1"])
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_layouts(
        self, compute: Compute, save: Save, write: Callable[..., str], layout: str, axis: str, dtype: str
    ) -> None:
        rng = np.random.default_rng(9)
        p, t = rng.normal(size=(3, 4, 5, 4)).astype(dtype), rng.integers(0, 4, (3, 5, 4))
        t = t if axis == "1" else rng.integers(0, 4, (3, 4, 5))
        more = ("--class-axis", axis, "--gradient", "gradient.npy", "-o", "losses.npy")
        right = compute("ce", save("p.npy", p), save("t.npy", t), *more).json
        losses, gradient = np.load("losses.npy"), np.load("gradient.npy")
        write("q.npy", LAYOUTS[layout](p))
        np.testing.assert_array_equal(np.load("q.npy"), p)
        write("u.npy", LAYOUTS[layout](t))
        found = compute("ce", "q.npy", "u.npy", *more).json
        assert found["value"] == right["value"]
        np.testing.assert_array_equal(np.load("losses.npy"), losses)
        np.testing.assert_array_equal(np.load("gradient.npy"), gradient)

    def test_float16_is_computed_in_float32(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(10)
        p, t = rng.normal(size=(2, 3, 4, 5)).astype(np.float16), save("t.npy", rng.integers(0, 3, (2, 4, 5)))
        half = compute("ce", save("p.npy", p), t, "--class-axis", "1").json
        single = compute("ce", save("q.npy", p.astype(np.float32)), t, "--class-axis", "1").json
        assert half["value"] == single["value"]
        assert half["receipt"]["computed_in"] == "float32"

    def test_members_of_archives(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(11)
        p, t = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 3, (2, 4, 5))
        right = compute("ce", save("p.npy", p), save("t.npy", t), "--class-axis", "1").json["value"]
        np.savez("stored.npz", logits=p, labels=t)
        np.savez_compressed("packed.npz", logits=p, labels=t)
        for name in ("stored.npz", "packed.npz"):
            found = compute("ce", f"{name}:logits", f"{name}:labels", "--class-axis", "1").json
            assert found["value"] == right

    @pytest.mark.filterwarnings("default")
    def test_arrays_in_python(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(12)
        p, t, mask = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 3, (2, 4, 5)), rng.random((2, 4, 5)) < 0.7
        words = (save("p.npy", p), save("t.npy", t), "--mask", save("m.npy", mask), "--class-axis", "1")
        assert losscli.compute("ce", p, t, class_axis=1, mask=mask).value == compute("ce", *words).json["value"]
        whole = losscli.compute("ce", p, t, class_axis=1, gradient=True)
        assert whole.losses.shape == (2, 4, 5)
        assert whole.gradient.shape == p.shape


class TestTheChosenUnit:
    """What other commands count is the unit that `--per` says."""

    @pytest.fixture
    def sequences(self, save: Save) -> tuple[str, str, str, np.ndarray, np.ndarray]:
        """Logits of two models, labels, and the losses of both by hand."""
        rng = np.random.default_rng(13)
        a, b, t = rng.normal(size=(12, 5, 4)), rng.normal(size=(12, 5, 4)), rng.integers(0, 4, (12, 5))
        losses = [np.log(np.exp(each).sum(-1)) - np.take_along_axis(each, t[..., None], -1)[..., 0] for each in (a, b)]
        return save("a.npy", a), save("b.npy", b), save("t.npy", t), *losses

    def test_rank(self, run: Compute, sequences: Any) -> None:
        a, _, t, losses, _ = sequences
        words = ("rank", "ce", a, t, "--class-axis", "-1", "--top", "2", "-f", "jsonl")
        worst = run(*words, "--per", "sample").lines
        assert [line["sample"] for line in worst] == list(np.argsort(-losses.mean(1))[:2])
        assert worst[0]["loss"] == pytest.approx(losses.mean(1).max(), rel=1e-12)
        assert run(*words).lines[0]["loss"] == pytest.approx(losses.max(), rel=1e-12)

    @pytest.mark.filterwarnings("default")
    def test_compare(self, run: Compute, sequences: Any) -> None:
        a, b, t, first, second = sequences
        words = ("compare", "ce", a, b, "--targets", t, "--class-axis", "-1", "-f", "json")
        samples, positions = run(*words, "--per", "sample").json, run(*words).json
        difference = (second - first).mean()
        assert samples["difference"] == pytest.approx(difference, rel=1e-12)
        assert positions["difference"] == pytest.approx(difference, rel=1e-12)
        assert samples["samples"] == 12
        wins = (second.mean(1) < first.mean(1)).sum()
        assert samples["wins"] == wins

    @pytest.mark.parametrize("words", [("ce",), ("dice", "--activation", "softmax")])
    def test_a_sample_does_not_depend_on_its_neighbours(self, compute: Compute, save: Save, words: Any) -> None:
        rng = np.random.default_rng(14)
        p, t = rng.normal(size=(300, 70, 5)), rng.integers(0, 5, (300, 70))
        losses = []
        for first, last in ((0, 300), (7, 300), (7, 40), (7, 8)):
            save("p.npy", p[first:last])
            save("t.npy", t[first:last])
            more = ("--class-axis", "-1", "--per", "sample", "-o", "l.npy", *words[1:])
            compute(words[0], "p.npy", "t.npy", *more)
            losses.append(np.load("l.npy")[max(0, 7 - first) :])
        assert all((one == losses[0][: len(one)]).all() for one in losses)

    def test_per_sample_output(self, compute: Compute, sequences: Any) -> None:
        a, _, t, losses, _ = sequences
        lines = compute("ce", a, t, "--class-axis", "-1", "--per", "sample", "-f", "jsonl").lines
        assert [line["sample"] for line in lines] == list(range(12))
        assert [line["loss"] for line in lines] == pytest.approx(list(losses.mean(1)), rel=1e-12)
        assert len(compute("ce", a, t, "--class-axis", "-1", "-f", "jsonl").lines) == losses.size

    def test_summary(self, compute: Compute, sequences: Any) -> None:
        a, _, t, losses, _ = sequences
        for per, units in (("sample", losses.mean(1)), ("position", losses.reshape(-1))):
            summary = compute("ce", a, t, "--class-axis", "-1", "--per", per).json["summary"]
            assert summary["max"] == pytest.approx(units.max(), rel=1e-12)
            assert summary["p50"] == pytest.approx(np.median(units), rel=1e-12)
            assert summary["std"] == pytest.approx(units.std(), rel=1e-12)

    def test_perplexity_is_of_the_tokens(self, compute: Compute, sequences: Any) -> None:
        a, _, t, losses, _ = sequences
        found = compute("ce", a, t, "--class-axis", "-1").json["summary"]["perplexity"]
        assert found == pytest.approx(math.exp(losses.mean()), rel=1e-12)


WIDE = (2, 5, 20, 120)
"""A rank of four in which the place [1, 3, 17, 112] exists."""


class TestPlaces:
    """Messages name a place as NumPy would: by all axes of the file."""

    @pytest.fixture
    def wide(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(14)
        return rng.normal(size=WIDE).astype(np.float32), rng.integers(0, 5, (2, 20, 120))

    @pytest.mark.usefixtures("pieces")
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_nan_among_logits(self, compute: Compute, save: Save, wide: Any, order: Any) -> None:
        p, t = wide
        p[1, 3, 17, 112] = np.nan
        found = compute("ce", save("p.npy", np.array(p, order=order)), save("t.npy", t), "--class-axis", "1")
        found.refuses(3, "p.npy[1, 3, 17, 112]", "NaN")

    def test_nan_with_the_class_axis_last(self, compute: Compute, save: Save, wide: Any) -> None:
        p, t = wide
        p = np.moveaxis(p, 1, -1).copy()
        p[1, 17, 112, 3] = np.nan
        found = compute("ce", save("p.npy", p), save("t.npy", t), "--class-axis", "-1")
        found.refuses(3, "p.npy[1, 17, 112, 3]", "NaN")

    @pytest.mark.usefixtures("pieces")
    @pytest.mark.parametrize("loss", ["mse", "huber", "bce", "hinge"])
    def test_nan_among_elements(self, compute: Compute, save: Save, wide: Any, loss: str) -> None:
        p, _ = wide
        t = (p > 0).astype(np.int8)
        p[1, 3, 17, 112] = np.nan
        compute(loss, save("p.npy", p), save("t.npy", t)).refuses(3, "p.npy[1, 3, 17, 112]", "NaN")

    def test_nan_among_targets(self, compute: Compute, save: Save, wide: Any) -> None:
        p, _ = wide
        t = p.copy()
        t[1, 3, 17, 112] = np.nan
        compute("mse", save("p.npy", p), save("t.npy", t)).refuses(3, "t.npy[1, 3, 17, 112]", "NaN")

    @pytest.mark.usefixtures("pieces")
    def test_nan_in_masks(self, compute: Compute, save: Save, wide: Any) -> None:
        p, t = wide
        p[1, 3, 17, 112] = np.nan
        words = ("dice", save("p.npy", p), save("t.npy", t), "--class-axis", "1", "--activation", "softmax")
        for per in ("sample", "class", "sample,class", "file"):
            compute(*words, "--per", per).refuses(3, "p.npy[1, 3, 17, 112]", "NaN")

    @pytest.mark.usefixtures("pieces")
    @pytest.mark.parametrize("label", [5, -100, -1])
    def test_a_label_that_is_no_class(self, compute: Compute, save: Save, wide: Any, label: int) -> None:
        p, t = wide
        t[1, 17, 112] = label
        found = compute("ce", save("p.npy", p), save("t.npy", t), "--class-axis", "1")
        found.refuses(3, "t.npy[1, 17, 112]", str(label), "0 ... 4")

    def test_a_soft_target_that_does_not_sum_to_one(self, compute: Compute, save: Save, wide: Any) -> None:
        p, _ = wide
        t = np.full(WIDE, 0.2)
        t[1, 3, 17, 112] = 0.7
        compute("ce", save("p.npy", p), save("t.npy", t), "--class-axis", "1").refuses(3, "t.npy[1", "17, 112]")

    def test_probabilities_that_do_not_sum_to_one(self, compute: Compute, save: Save, wide: Any) -> None:
        _, t = wide
        p = np.full(WIDE, 0.2)
        p[1, 3, 17, 112] = 0.7
        words = ("ce", save("p.npy", p), save("t.npy", t), "--class-axis", "1", "--from", "probs")
        compute(*words).refuses(3, "p.npy[1", "17, 112]")

    def test_a_weight_below_zero(self, compute: Compute, save: Save, wide: Any) -> None:
        p, t = wide
        w = np.ones(t.shape)
        w[1, 17, 112] = -1
        words = ("ce", save("p.npy", p), save("t.npy", t), "--class-axis", "1", "--sample-weight", save("w.npy", w))
        compute(*words).refuses(3, "w.npy[1, 17, 112]", "-1")

    def test_a_place_in_a_shard(self, compute: Compute, save: Save, wide: Any) -> None:
        p, t = wide
        p[1, 3, 17, 112] = np.nan
        for name, array in (("p", p), ("t", t)):
            save(f"{name}-0.npy", array[:1])
            save(f"{name}-1.npy", array[1:])
        compute("ce", "p-*.npy", "t-*.npy", "--class-axis", "1").refuses(3, "p-1.npy[0, 3, 17, 112]", "NaN")


class TestRefusals:
    """Nothing is guessed and nothing broadcasts."""

    @pytest.fixture
    def logits(self, save: Save) -> str:
        return save("p.npy", np.random.default_rng(15).normal(size=(2, 3, 4, 5)))

    @pytest.mark.parametrize("loss", ["ce", "softmax-focal", "kl", "brier"])
    @pytest.mark.parametrize("shape", [(2, 4, 5), (2, 3, 4), (2, 3, 4, 5)])
    def test_the_class_axis_is_never_guessed(
        self, compute: Compute, save: Save, logits: str, loss: str, shape: tuple[int, ...]
    ) -> None:
        """Not even where the targets fit one axis only."""
        t = save("t.npy", np.full(shape, 1 / 3) if len(shape) == 4 else np.zeros(shape, int))
        refused(compute(loss, logits, t), "--class-axis 1", "--class-axis -1", "(2, 3, 4, 5)")

    @pytest.mark.parametrize("axis", ["4", "-5", "17"])
    def test_a_class_axis_that_is_not_there(self, compute: Compute, save: Save, logits: str, axis: str) -> None:
        t = save("t.npy", np.zeros((2, 4, 5), int))
        refused(compute("ce", logits, t, "--class-axis", axis), "--class-axis", axis, "(2, 3, 4, 5)")

    @pytest.mark.parametrize(
        "shape", [(2, 5, 4), (3, 4, 5), (2, 3, 4), (2, 4), (2,), (2, 1, 1), (1, 4, 5), (2, 1, 5), (40,), (2, 20)]
    )
    def test_labels_of_another_shape(self, compute: Compute, save: Save, logits: str, shape: tuple[int, ...]) -> None:
        found = compute("ce", logits, save("t.npy", np.zeros(shape, int)), "--class-axis", "1")
        found.refuses(3, str(shape), "(2, 3, 4, 5)")

    @pytest.mark.parametrize(
        "shape", [(1, 3, 4, 5), (2, 1, 4, 5), (2, 3, 4, 1), (3, 4, 5), (2, 3, 4), (4, 5), (2,), (2, 60)]
    )
    @pytest.mark.parametrize("loss", ["mse", "bce", "dice"])
    def test_nothing_broadcasts(
        self, compute: Compute, save: Save, logits: str, shape: tuple[int, ...], loss: str
    ) -> None:
        compute(loss, logits, save("t.npy", np.zeros(shape, np.int8))).refuses(3, str(shape), "(2, 3, 4, 5)")

    @pytest.mark.parametrize("shape", [(2,), (2, 3, 4, 5), (2, 5, 4), (4, 5), (1, 4, 5), (2, 4, 1), (40,)])
    def test_a_mask_of_another_shape(self, compute: Compute, save: Save, logits: str, shape: tuple[int, ...]) -> None:
        words = ("ce", logits, save("t.npy", np.zeros((2, 4, 5), int)), "--class-axis", "1")
        compute(*words, "--mask", save("mask.npy", np.ones(shape, bool))).refuses(
            3, "mask.npy", str(shape), "(2, 4, 5)"
        )

    @pytest.mark.parametrize("shape", [(3,), (2, 5, 4), (4, 5), (1, 4, 5), (40,)])
    def test_weights_of_another_shape(self, compute: Compute, save: Save, logits: str, shape: tuple[int, ...]) -> None:
        words = ("ce", logits, save("t.npy", np.zeros((2, 4, 5), int)), "--class-axis", "1")
        compute(*words, "--sample-weight", save("w.npy", np.ones(shape))).refuses(3, "w.npy", str(shape))

    @pytest.mark.parametrize("per", ["position", "sample"])
    def test_nothing_is_left(self, compute: Compute, save: Save, logits: str, per: str) -> None:
        shape = (2, 4, 5)
        words = ("ce", logits, save("t.npy", np.zeros(shape, int)), "--class-axis", "1", "--per", per)
        compute(*words, "--mask", save("mask.npy", np.zeros(shape, bool))).refuses(3)
        compute(*words, "--ignore-index", "0").refuses(3)

    @pytest.mark.parametrize("per", ["sample", "class", "sample,class", "file"])
    def test_no_mask_is_left(self, compute: Compute, save: Save, logits: str, per: str) -> None:
        shape = (2, 4, 5)
        words = ("dice", logits, save("t.npy", np.zeros(shape, int)), "--class-axis", "1", "--activation", "softmax")
        compute(*words, "--per", per, "--mask", save("mask.npy", np.zeros(shape, bool))).refuses(3)

    def test_missing_targets_name_the_cure(self, compute: Compute, save: Save) -> None:
        p, t = np.zeros((3, 4)), np.zeros((3, 4))
        t[2, 1] = np.nan
        compute("mse", save("p.npy", p), save("t.npy", t)).refuses(3, "t.npy[2, 1]", "NaN", "--missing ignore")

    @pytest.mark.parametrize("per", ["position", "sample", "file"])
    @pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
    def test_a_weight_that_is_none(self, compute: Compute, save: Save, logits: str, per: str, weight: float) -> None:
        words = ("ce", logits, save("t.npy", np.zeros((2, 4, 5), int)), "--class-axis", "1", "--per", per)
        compute(*words, "--sample-weight", save("w.npy", [1, weight])).refuses(3, "w.npy[1]", "negative or not finite")

    def test_a_mask_of_positions_beside_outputs(self, compute: Compute, save: Save, logits: str) -> None:
        t, mask = save("t.npy", np.zeros((2, 3, 4, 5))), save("m.npy", np.ones((2, 4, 5)))
        refused(compute("mse", logits, t, "--class-axis", "1", "--mask", mask), "(2, 4, 5)", "(2, 3, 4, 5)")

    def test_masks_of_numbers_that_have_one_loss(self, compute: Compute, save: Save, logits: str) -> None:
        rows = np.full((4, 3), 1 / 3)
        words = ("ce", save("q.npy", np.zeros((4, 3))), save("t.npy", rows), "--mask")
        mask = np.ones((4, 3), int)
        mask[2] = 0
        assert compute(*words, save("m.npy", mask)).json["ignored"] == 1
        mask[1, 2] = 0
        compute(*words, save("m.npy", mask)).refuses(3, "m.npy[1]", "one loss for all of them")

    @pytest.mark.parametrize("per", ["sample", "class", "sample,class", "file"])
    def test_elements_of_units(self, compute: Compute, save: Save, logits: str, per: str) -> None:
        words = ("mse", logits, save("t.npy", np.zeros((2, 3, 4, 5))), "--class-axis", "1", "--elements", "-o", "l.npy")
        refused(compute(*words, "--per", per), "--elements", f"--per {per}")
        assert compute(*words, "--per", "position").code == 0
        assert np.load("l.npy").shape == (2, 3, 4, 5)

    def test_positions_that_make_no_units(self, compute: Compute, save: Save, logits: str) -> None:
        t = save("t.npy", np.zeros((2, 4, 5), int))
        for more in ((), ("--per", "position")):
            found = compute("ce", logits, t, "--class-axis", "1", "--over-positions", "sum", *more)
            refused(found, "--over-positions", "--per sample")

    def test_a_shift_beyond_the_end(self, compute: Compute, save: Save) -> None:
        words = ("ce", save("p.npy", np.zeros((2, 3, 4))), save("t.npy", np.zeros((2, 3), int)), "--class-axis", "-1")
        refused(compute(*words, "--shift", "3"), "--shift")
        refused(compute(*words, "--shift", "-3"), "--shift")

    @pytest.mark.parametrize("given", [(2, 3, 4, 5), (2, 3, 5, 4)])
    def test_both_activations_are_possible(
        self, compute: Compute, save: Save, logits: str, given: tuple[int, ...]
    ) -> None:
        """Class indices over logits of three classes: softmax or sigmoid."""
        axis = "1" if given[1:] == (3, 4, 5) else "-1"
        shape = (2, 4, 5) if axis == "1" else (2, 3, 4)
        t = save("t.npy", np.random.default_rng(16).integers(0, 3, shape))
        found = compute("dice", logits, t, "--class-axis", axis)
        refused(found, "--activation", "softmax", "sigmoid")

    def test_two_axes_need_no_class_axis_and_take_it(self, compute: Compute, save: Save) -> None:
        rng = np.random.default_rng(17)
        p, t = save("p.npy", rng.normal(size=(6, 3))), save("t.npy", rng.integers(0, 3, 6))
        right = compute("ce", p, t).json["value"]
        for axis in ("1", "-1"):
            assert compute("ce", p, t, "--class-axis", axis).json["value"] == right
