"""Connectionist temporal classification: PyTorch's numbers, its limits, and how files of three axes are read.

Formula and gradient are compared with the sum over all alignments, in 60 digits, in test_formulas_of_rows.py. `ctc.json` was
made by `tests/support/make_ctc.py`.
"""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import losscli
from losscli.analysis.shared.oracle.references import ctc
from losscli.definition.batch import Extras, Indices, Sequences
from losscli.io import turned
from losscli.losses import find, sequence

pytestmark = pytest.mark.simd

CASES = json.loads((Path(__file__).parent / "ctc.json").read_text())
INF, NAN = math.inf, math.nan
Z = np.random.default_rng(3).normal(0, 2, (4, 9, 5))
LABELS = [[3, 3, 1], [2, 4], [], [1]]
STEPS = [9, 8, 7, 9]
PADDED = np.array([[3, 3, 1], [2, 4, -1], [-1, -1, -1], [1, -1, -1]])


def numbers(values: Any) -> np.ndarray:
    return np.array(values, dtype=object).astype(float)


def called(z: Any, labels: Any, steps: Any, kind: str = "logits", blank: int = 0, gradient: bool = True) -> Any:
    z = np.asarray(z)
    targets = Sequences.of(labels, steps)
    value, slopes = find("ctc").bind(blank=blank)(
        z.reshape(len(z), -1), targets, Extras(kind, columns=z.shape[2]), gradient
    )
    return value, None if slopes is None else slopes.reshape(z.shape)


def log_softmax(z: Any) -> np.ndarray:
    return z - np.logaddexp.reduce(z, axis=-1, keepdims=True)


def expected(z: Any = Z, labels: Any = LABELS, steps: Any = STEPS, blank: int = 0) -> list[float]:
    """The losses by another way: every step's forward variables as probabilities, in 60 digits."""
    found = []
    for rows, own, count in zip(z, labels, steps, strict=True):
        with mp.workdps(60):
            p = [[mp.exp(mpf(float(one))) for one in row] for row in rows[:count]]
            p = [[one / sum(row) for one in row] for row in p]
            states = [blank] + [one for label in own for one in (label, blank)]
            weights = [mpf(1)] + [mpf(0)] * (len(states) - 1)
            for row in p:
                before = weights
                weights = []
                for s, name in enumerate(states):
                    skipped = s > 1 and name not in (blank, states[s - 2])
                    into = before[s] + (before[s - 1] if s else 0) + (before[s - 2] if skipped else 0)
                    weights.append(into * row[name])
            total = sum(weights[-2:] if len(states) > 1 else weights)
            found.append(float(-mp.log(total)) if total else INF)
    return found


class TestAgainstPyTorch:
    @pytest.mark.parametrize(
        "case", CASES, ids=lambda case: f"{np.shape(case['logits'])}-{case['blank']}-{case['dtype']}"
    )
    def test_losses_and_gradients(self, case: dict[str, Any]) -> None:
        dtype = np.dtype(case["dtype"])
        rtol, atol = (2e-5, 2e-6) if dtype == np.float32 else (1e-11, 1e-12)
        z = np.array(case["logits"], dtype)
        value, gradient = called(z, case["targets"], case["input_lengths"], blank=case["blank"])
        assert value.dtype == gradient.dtype == dtype
        np.testing.assert_allclose(value, numbers(case["losses"]), rtol=rtol)
        np.testing.assert_allclose(gradient, case["gradient"], rtol=rtol, atol=atol)

    def test_the_cases_are_of_all_kinds(self) -> None:
        assert {case["library"] for case in CASES} == {"torch 2.13.0"}
        assert {case["dtype"] for case in CASES} == {"float32", "float64"}
        assert any(case["blank"] for case in CASES)
        assert any("inf" in case["losses"] for case in CASES)
        assert any([] in case["targets"] for case in CASES)
        repeated = [one for case in CASES for one in case["targets"] if any(a == b for a, b in pairwise(one))]
        assert len(repeated) > 5


class TestValues:
    def test_published_alignments(self) -> None:
        """Of uniform distributions over c classes in T steps it is the number of alignments over c**T.

        Graves et al. 2006 have B(a-ab-) = B(-aa--abb) = aab. One label has T (T + 1) / 2 alignments.
        """
        for steps in range(1, 12):
            value, _ = called(np.zeros((1, steps, 3)), [[1]], [steps])
            assert value[0] == pytest.approx(steps * math.log(3) - math.log(steps * (steps + 1) / 2), rel=1e-14)
        value, _ = called(np.zeros((1, 4, 3)), [[1, 1, 2]], [4])
        assert value[0] == pytest.approx(4 * math.log(3), rel=1e-15)  # a - a b alone

    def test_the_other_way_to_sum_agrees(self) -> None:
        np.testing.assert_allclose(called(Z, LABELS, STEPS)[0], expected(), rtol=1e-14)
        l = [[mpf(float(one)) for one in row] for row in log_softmax(Z[1, :4])]
        assert expected(Z[1:2], [[2, 4]], [4]) == pytest.approx([float(ctc(l, [2, 4]))], rel=1e-14)

    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    def test_with_one_step_and_one_label_it_is_cross_entropy(self, kind: str) -> None:
        rows = np.concatenate([Z[:, 0], [[0.0, -INF, 1, 2, -1], [1.0, 0, -INF, 0, 0]]])
        if kind != "logits":
            rows = log_softmax(rows)
        rows = np.exp(rows) if kind == "probs" else rows
        index = np.array([1, 2, 3, 4, 1, 1])
        value, gradient = called(rows[:, None], index[:, None].tolist(), [1] * 6, kind)
        same = find("softmax-cross-entropy").bind()(rows, Indices(index), Extras(kind), gradient=True)
        np.testing.assert_allclose(value, same[0], rtol=1e-14)
        np.testing.assert_allclose(gradient[:, 0], same[1], rtol=1e-12, atol=1e-15)

    def test_labels_that_do_not_fit_have_an_infinite_loss_and_no_gradient(self) -> None:
        value, gradient = called(Z, [[1, 1, 2], [1, 2, 3], [], [2]], [3, 2, 0, 0])
        assert value.tolist() == [INF, INF, 0, INF]
        assert not gradient.any()

    def test_steps_beyond_the_length_may_hold_anything(self) -> None:
        held = Z.copy()
        for row, count in zip(held, STEPS, strict=True):
            row[count:] = NAN
        for one, other in zip(called(held, LABELS, STEPS), called(Z, LABELS, STEPS), strict=True):
            np.testing.assert_array_equal(one, other)
        assert not called(held, LABELS, STEPS)[1][1, 8].any()

    def test_gradients_by_log_probabilities_and_probabilities_are_derivatives(self) -> None:
        """By differences of numbers that are not normalised again; PyTorch's by log-probabilities is another one."""
        for kind, given in (("log-probs", log_softmax(Z[:, :5])), ("probs", np.exp(log_softmax(Z[:, :5])))):
            _, gradient = called(given, LABELS, [5] * 4, kind)
            for at in np.ndindex(given.shape):
                step = 1e-5 * (given[at] if kind == "probs" else 1)
                ends = []
                for sign in (1, -1):
                    moved = given[at[0]][None].copy()
                    moved[0, at[1], at[2]] += sign * step
                    ends.append(called(moved, [LABELS[at[0]]], [5], kind, gradient=False)[0][0])
                assert gradient[at] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-14 / step)

    def test_a_class_of_probability_0_has_its_derivative(self) -> None:
        p = np.array([[[0.5, 0.0, 0.5], [0.25, 0.5, 0.25]]])  # alignments of 1: -1, 11, 1-
        _, gradient = called(p, [[1]], [2], "probs")
        total = 0.5 * 0.5
        np.testing.assert_allclose(gradient[0], [[-0.5 / total, -0.75 / total, 0], [0, -0.5 / total, 0]], rtol=1e-15)

    def test_what_is_kept_for_the_gradient_does_not_change_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = called(Z, LABELS, STEPS)
        monkeypatch.setattr(sequence, "MOST_KEPT", 0)
        for one, other in zip(kept, called(Z, LABELS, STEPS), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_far_logits(self) -> None:
        """1,000 steps of logits of 1,000: nothing overflows, and nothing is NaN."""
        z = np.zeros((2, 1000, 4))
        z[..., 1] = 1000
        value, gradient = called(z, [[1], [2]], [1000, 1000])
        assert value[0] == 0
        assert value[1] == pytest.approx(1_000_000 - math.log(1000 * 1001 / 2), rel=1e-15)
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(gradient.sum(axis=2), 0, atol=1e-9)


@pytest.fixture
def files(save: Any) -> dict[str, str]:
    flat = [one for row in LABELS for one in row]
    return {
        "z": save("z.npy", Z),
        "turned": save("turned.npy", Z.transpose(1, 0, 2)),
        "t": save("t.npy", PADDED),
        "flat": save("flat.npy", flat),
        "steps": save("steps.npy", STEPS),
        "lengths": save("lengths.npy", [len(one) for one in LABELS]),
    }


def losses(found: Any) -> list[float]:
    assert found.code == 0, found.err
    return [row["loss"] for row in found.json["rows"]]


class TestFiles:
    def test_either_axis_may_be_time(self, compute: Any, files: dict[str, str]) -> None:
        more = ("--input-lengths", files["steps"], "--per-sample")
        first = compute("ctc", files["z"], files["t"], *more)
        assert losses(first) == pytest.approx(expected(), rel=1e-14)
        assert first.err == ""
        assert first.json["receipt"]["axes"] == ["sample", "time", "class"]
        assert first.json["receipt"]["predictions"]["shape"] == [4, 9, 5]
        assert first.json["receipt"]["targets"] == {
            "file": "t.npy",
            "shape": [4, 3],
            "dtype": "int64",
            "kind": "sequences",
        }
        assert "|axes:sample,time,class|input-lengths:steps.npy|" in first.json["signature"]
        assert [row["target"] for row in first.json["rows"]] == ["3 3 1", "2 4", "", "1"]
        other = compute("ctc", files["turned"], files["t"], *more)
        assert losses(other) == losses(first)
        assert "turned.npy: shape (9, 4, 5) is read as (time, samples, classes)" in other.err
        assert other.json["receipt"]["axes"] == ["time", "sample", "class"]
        said = compute("ctc", files["turned"], files["t"], *more, "--time-axis", "0")
        assert losses(said) == losses(first)
        assert said.err == ""

    def test_what_fits_both_ways_is_refused_until_it_is_said(
        self, compute: Any, save: Any, files: dict[str, str]
    ) -> None:
        square = save("square.npy", Z[:, :4])
        compute("ctc", square, files["t"]).refuses(3, "which axis is time? Say --time-axis 1", "--time-axis 0")
        found = [losses(compute("ctc", square, files["t"], "--time-axis", axis, "--per-sample")) for axis in "10"]
        assert found[0] == pytest.approx(expected(Z[:, :4], steps=[4] * 4), rel=1e-14)
        assert found[1] == pytest.approx(expected(Z[:, :4].transpose(1, 0, 2), steps=[4] * 4), rel=1e-14)
        compute("ctc", files["z"], files["t"], "--time-axis", "0").refuses(3, "those of 4 samples with --time-axis 0")
        compute("ctc", files["z"], files["t"], "--time-axis", "2").refuses(2, "--time-axis 2 is neither 0 nor 1")

    def test_labels_may_stand_one_after_the_other(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        words = ("ctc", files["z"], files["flat"], "--per-sample", "--input-lengths", files["steps"])
        assert losses(compute(*words, "--target-lengths", files["lengths"])) == pytest.approx(expected(), rel=1e-14)
        compute(*words).refuses(3, "say how many each sample has with --target-lengths".capitalize())
        compute(*words, "--target-lengths", save("l.npy", [3, 2, 0, 2])).refuses(3, "6 labels", "sums to 7")
        compute(*words, "--target-lengths", "-1").refuses(2, "--target-lengths -1: is no whole number")
        compute(*words, "--target-lengths", "4").refuses(3, "6 labels", "no samples of --target-lengths 4")
        found = losses(compute("ctc", save("two.npy", Z[:2]), files["flat"], "--target-lengths", "3", "--per-sample"))
        assert found == pytest.approx(expected(Z[:2], [[3, 3, 1], [2, 4, 1]], [9, 9]), rel=1e-14)

    def test_where_labels_end(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        for padding in (-100, 0, 99):
            padded = save("padded.npy", np.where(PADDED < 0, padding, PADDED))
            words = ("ctc", files["z"], padded, "--input-lengths", files["steps"], "--per-sample")
            for more in (("--ignore-index", str(padding)), ("--target-lengths", files["lengths"])):
                found = compute(*words, *more)
                assert losses(found) == pytest.approx(expected(), rel=1e-14)
                assert found.err == ""
        compute(*words, *more, "--ignore-index", "99").refuses(2, "--ignore-index and --target-lengths both say")
        one = save("one.npy", np.where(PADDED < 0, 2, PADDED))
        found = losses(compute("ctc", files["z"], one, "--target-lengths", "1", "--per-sample"))
        assert found == pytest.approx(expected(labels=[[3], [2], [2], [1]], steps=[9] * 4), rel=1e-14)

    @pytest.mark.parametrize(
        ("targets", "options", "code", "words"),
        [
            ([[1, 5], [1, 1], [1, 1], [1, 1]], (), 3, ("t2.npy[0, 1]", "5 is not a class", "5 classes, 0 to 4")),
            ([[1, 1], [1, 0], [1, 1], [1, 1]], (), 3, ("t2.npy[1, 1]", "0 is the blank", "--ignore-index 0")),
            ([[1, 1], [1, 4], [1, 1], [1, 1]], ("--blank", "4"), 3, ("t2.npy[1, 1]", "4 is the blank")),
            ([[1, 1], [1, 1], [-1, 2], [1, 1]], (), 3, ("t2.npy[2, 1]", "2 stands behind the -1")),
            ([[1, 1], [1.5, 1], [1, 2], [1, 1]], (), 3, ("t2.npy[1, 0]", "1.5 is not a class")),
            ([[1, 1]] * 3, (), 3, ("shape (4, 9, 5)", "those of 3 samples")),
            ([[1, 1]] * 4, ("--blank", "5"), 3, ("--blank 5", "5 classes")),
            ([[1, 1]] * 4, ("--blank", "-1"), 2, ("blank=-1 is not in the whole numbers",)),
            ([[1, 1]] * 4, ("--input-lengths", "10"), 3, ("--input-lengths 10: there are no more than 9",)),
            ([[1, 1]] * 4, ("--input-lengths", "-1"), 2, ("--input-lengths -1: is no whole number",)),
            ([[1, 1]] * 4, ("--target-lengths", "3"), 3, ("--target-lengths 3: there are no more than 2",)),
            ([[1, 1]] * 4, ("--input-lengths", "nothing.npy"), 3, ("nothing.npy: no such file (--input-lengths)",)),
        ],
    )
    def test_what_is_refused(
        self, compute: Any, save: Any, files: dict[str, str], targets: Any, options: Any, code: int, words: Any
    ) -> None:
        compute("ctc", files["z"], save("t2.npy", targets), *options).refuses(code, *words)

    def test_lengths_are_one_whole_number_a_sample(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        words = ("ctc", files["z"], files["t"], "--input-lengths")
        compute(*words, save("l.npy", [9, 9, 9])).refuses(3, "l.npy has shape (3,)", "(4,)")
        compute(*words, save("l.npy", [9, 9, 9.5, 9])).refuses(3, "l.npy[2]: 9.5 is no length", "0 to 9")
        compute(*words, save("l.npy", [9, 10, 9, 9])).refuses(3, "l.npy[1]: 10 is no length")
        (Path("l.csv")).write_text("id,steps\na,9\nb,8\nc,7\nd,9\n")
        assert losses(compute(*words, "l.csv:steps", "--per-sample")) == pytest.approx(expected(), rel=1e-14)
        (Path("one.csv")).write_text("steps\n9\n8\n7\n9\n")
        assert losses(compute(*words, "one.csv", "--per-sample")) == pytest.approx(expected(), rel=1e-14)
        compute(*words, "l.csv").refuses(3, "l.csv has 2 columns; say which, as l.csv:COLUMN")

    def test_other_shapes_of_predictions_are_refused(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        compute("ctc", files["t"], files["t"]).refuses(3, "it takes three axes", "save values[None]")
        compute("ctc", save("none.npy", np.zeros((4, 0, 3))), files["t"]).refuses(3, "an axis of length 0")
        compute("ctc", files["z"], "0").refuses(3, "takes no constant")

    def test_one_class_is_the_blank(self, compute: Any, save: Any) -> None:
        z, t = save("one.npy", np.ones((1, 3, 1))), save("none.npy", [[-1, -1]])
        assert compute("ctc", z, t, "-f", "value").value == 0
        compute("ctc", z, t, "--blank", "1").refuses(3, "--blank 1", "1 class")

    def test_it_is_no_loss_of_rows(self, run: Any, compute: Any, files: dict[str, str]) -> None:
        run("check", files["z"], files["t"], "--loss", "ctc").refuses(2, "row by row")

    def test_labels_that_do_not_fit_are_told_of(self, compute: Any, files: dict[str, str]) -> None:
        found = compute("ctc", files["z"], files["t"], "--input-lengths", "3")
        assert found.json["value"] is None
        assert compute("ctc", files["z"], files["t"], "--input-lengths", "3", "-f", "value").out == "inf\n"
        assert "no-alignment: z.npy[0]: the labels need 4 time steps" in found.err
        assert "(1 row like this)" in found.err

    def test_faults_have_a_place_of_three_axes(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        holed = Z.copy()
        holed[2, 3, 1] = NAN
        compute("ctc", save("h.npy", holed), files["t"]).refuses(3, "h.npy[2, 3, 1]: the prediction is NaN")
        compute("ctc", save("h.npy", holed.transpose(1, 0, 2)), files["t"]).refuses(3, "h.npy[3, 2, 1]: the prediction")
        found = compute("ctc", "h.npy", files["t"], "--input-lengths", save("s.npy", [9, 9, 3, 9]))
        assert found.code == 0
        p = np.exp(log_softmax(Z))
        p[1, 2] *= 0.9
        words = (save("p.npy", p), files["t"], "--from", "probs")
        compute("ctc", *words).refuses(3, "p.npy[1, 2, 0]: the probabilities of the row sum to 0.9")
        p[1, 2] = 2
        assert compute("ctc", save("p.npy", p), *words[1:], "--input-lengths", save("s.npy", [9, 2, 9, 9])).code == 0

    def test_probabilities_read_as_logits_are_told_of(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        words = (save("p.npy", np.exp(log_softmax(Z))), files["t"])
        assert "double-softmax" in compute("ctc", *words).err
        assert compute("ctc", *words, "--from", "probs").err == ""

    @pytest.mark.usefixtures("small_chunks")
    def test_gradients_have_the_shape_of_the_file(self, compute: Any, save: Any) -> None:
        generator = np.random.default_rng(1)
        z = generator.normal(size=(200, 6, 4)).astype(np.float32)
        labels = generator.integers(1, 4, (200, 2))
        t, steps = save("t.npy", labels), save("steps.npy", generator.integers(4, 7, 200))
        _, true = called(z, labels.tolist(), np.load("steps.npy").tolist())
        for name, array, turn in (("z.npy", z, (0, 1, 2)), ("turned.npy", z.transpose(1, 0, 2), (1, 0, 2))):
            save(name, array)
            assert compute("ctc", name, t, "--input-lengths", steps, "--gradient", "g.npy").code == 0
            found = np.load("g.npy")
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, true.transpose(turn))
        assert compute("ctc", "z.npy", t, "--input-lengths", steps, "--gradient", "g.csv").code == 0
        table = np.loadtxt("g.csv", delimiter=",", skiprows=1)
        np.testing.assert_allclose(table, true.reshape(200, 24), rtol=1e-6)

    def test_order_in_the_file_and_shards_make_no_difference(
        self, compute: Any, save: Any, files: dict[str, str]
    ) -> None:
        whole = compute("ctc", files["z"], files["t"], "-f", "value").out
        np.save("fortran.npy", np.asfortranarray(Z))
        np.save("part-1.npy", Z[:1])
        np.save("part-2.npy", Z[1:])
        for name in ("fortran.npy", "part-*.npy"):
            assert compute("ctc", name, files["t"], "-f", "value").out == whole
        piped = compute("ctc", "-", files["t"], "-f", "value", stdin=Path(files["z"]).read_bytes())
        assert piped.out == whole

    def test_time_first_has_a_limit(self, compute: Any, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(turned, "MOST_TURNED", 100)
        compute("ctc", files["turned"], files["t"]).refuses(3, "limited to 100 numbers", "(samples, time, classes)")
        assert compute("ctc", files["z"], files["t"]).code == 0

    def test_from_python(self) -> None:
        found = losscli.compute("ctc", Z, PADDED, input_lengths=np.array(STEPS), gradient=True)
        assert found.losses.tolist() == pytest.approx(expected(), rel=1e-14)
        assert found.gradient.shape == Z.shape
        turned_found = losscli.compute("ctc", Z.transpose(1, 0, 2), PADDED, input_lengths=9, time_axis=0, gradient=True)
        assert turned_found.gradient.shape == (9, 4, 5)
        assert turned_found.losses.tolist() == pytest.approx(expected(steps=[9] * 4), rel=1e-14)

    def test_weights_of_samples(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        weight = save("w.npy", [1.0, 2, 0, 1])
        found = compute("ctc", files["z"], files["t"], "--sample-weight", weight).json["value"]
        true = expected(steps=[9] * 4)
        assert found == pytest.approx((true[0] + 2 * true[1] + true[3]) / 4, rel=1e-14)

    def test_two_models_are_compared_sample_by_sample(self, run: Any, save: Any, files: dict[str, str]) -> None:
        better = save("better.npy", np.concatenate([Z] * 10))
        worse = save("worse.npy", np.concatenate([Z / 2] * 10))
        t = save("many.npy", np.concatenate([PADDED] * 10))
        found = run("compare", "ctc", better, worse, "--targets", t, "-f", "json").json
        difference = np.mean(expected(Z / 2, steps=[9] * 4)) - np.mean(expected(steps=[9] * 4))
        assert found["comparisons"][0]["difference"] == pytest.approx(difference, rel=1e-12)

    def test_labels_of_one_length_need_no_padding(self, compute: Any, save: Any, files: dict[str, str]) -> None:
        """What ends the labels of a sequence is no label of a row, and no note says that no row has it."""
        words = ("ctc", files["z"], save("full.npy", [[1], [2], [3], [1]]), "--ignore-index", "-1")
        assert "no row has this label" not in compute(*words).err
