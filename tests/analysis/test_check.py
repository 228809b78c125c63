"""`losscli check`: what files are, and every finding in a file that has it, and in none that has not."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from commands import SAMPLE_DATA

from losscli.analysis import check
from losscli.engine import job as job_module
from losscli.engine.collectors import label_alignment as alignment
from losscli.engine.collectors import prediction_kind as kinds
from losscli.findings import CODES, ERROR, NOTE, WARNING
from losscli.io import join
from losscli.losses import FAMILIES

RNG = np.random.default_rng(7)
LABELS = RNG.integers(0, 4, 300)
LOGITS = RNG.normal(size=(300, 4)) + 4 * np.eye(4)[LABELS]
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
SCORES = RNG.normal(size=200) + 3 * np.where(np.arange(200) % 3 == 0, 1, -1)
OUTCOMES = (np.arange(200) % 3 == 0).astype(int)
HEADER = ("ant", "bee", "cat", "dog")
STATE = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Give every test the same random numbers, whichever tests ran before it in this process."""
    RNG.bit_generator.state = STATE


@pytest.fixture
def checked(run):
    """Run `losscli check ...`: the report, whose findings are by name."""

    def call(*words, code=0, stdin=b""):
        done = run("check", *words, "-f", "json", stdin=stdin)
        assert done.code == code, (done.out, done.err)
        assert done.err == ""
        report = json.loads(done.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        for finding in report["findings"]:
            assert set(finding) == {"code", "severity", "message", "places", "cure"}
            assert finding["code"] in CODES
            assert finding["message"]
            assert finding["cure"]
        report["by"] = {finding["code"]: finding for finding in report["findings"]}
        assert len(report["by"]) == len(report["findings"])
        return report

    return call


def codes(report):
    return {finding["code"] for finding in report["findings"]}


def table(names, rows):
    return ",".join(names) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


class TestFacts:
    def test_of_classes(self, checked, save):
        found = checked(save("z.npy", LOGITS, "f4"), save("y.npy", LABELS))
        assert found["findings"] == []
        assert found["predictions"] == {
            "file": "z.npy",
            "shape": [300, 4],
            "dtype": "float32",
            "kind": "logits",
            "evidence": found["predictions"]["evidence"],
            "nan": 0,
            "infinite": 0,
        }
        assert f"values from {LOGITS.min():.4g} to {LOGITS.max():.4g}" in found["predictions"]["evidence"]
        counts = np.bincount(LABELS)
        assert found["targets"] == {
            "file": "y.npy",
            "shape": [300],
            "dtype": "int64",
            "kind": "index",
            "classes": {str(i): int(n) for i, n in enumerate(counts)},
            "unseen": [],
        }
        assert found["read_as"] == {"loss": "softmax-cross-entropy", "from": "logits"}
        assert found["accuracy"] == pytest.approx(np.mean(LOGITS.argmax(axis=1) == LABELS))
        assert found["majority"] == counts.max() / 300
        assert found["loss"] == pytest.approx(-np.log(PROBS[np.arange(300), LABELS]).mean(), rel=1e-6)
        assert found["baseline"] == pytest.approx(-(counts / 300 * np.log(counts / 300)).sum())
        # What shuffled labels cost on average: each label with every row.
        expected = -(np.log(PROBS).mean(axis=0) * counts / 300).sum()
        assert found["shuffled"] == pytest.approx(expected, rel=0.05)

    def test_of_names_and_ids(self, checked, write):
        ids = [f"r{i}" for i in range(300)]
        write("z.csv", table(["id", *HEADER], ([i, *row] for i, row in zip(ids, LOGITS.tolist(), strict=True))))
        rows = [[i, HEADER[k]] for i, k in zip(ids, LABELS, strict=True)]
        write("y.csv", table(["id", "label"], rows[::-1]))
        found = checked("z.csv", "y.csv", "--id", "id")
        assert found["findings"] == []
        assert found["targets"]["kind"] == "name"
        assert list(found["targets"]["classes"]) == list(HEADER)
        assert found["predictions"]["columns"] == list(HEADER)
        write("y.csv", table(["id", "label"], rows[10:]))
        assert checked("z.csv", "y.csv", "--id", "id", "--on-unmatched", "drop")["dropped"] == 10

    def test_of_outcomes(self, checked, save):
        found = checked(save("s.npy", SCORES), save("t.npy", OUTCOMES))
        assert found["findings"] == []
        assert (found["read_as"]["loss"], found["targets"]["kind"]) == ("sigmoid-cross-entropy", "binary")
        assert found["targets"]["classes"] == {"0": 133, "1": 67}
        assert found["accuracy"] == pytest.approx(np.mean((SCORES > 0) == OUTCOMES))

    def test_of_several_outcomes(self, checked, save):
        happened = RNG.integers(0, 2, (100, 3))
        z = RNG.normal(size=(100, 3)) + 2 * (2 * happened - 1)
        found = checked(save("z.npy", z), save("t.npy", happened))
        assert found["findings"] == []
        assert found["read_as"]["loss"] == "sigmoid-cross-entropy"
        assert found["targets"]["positives"] == {str(i): int(n) for i, n in enumerate(happened.sum(axis=0))}
        assert found["accuracy"] == pytest.approx(np.mean((z > 0) == happened))

    def test_of_numbers(self, checked, save):
        t = RNG.normal(size=100)
        found = checked(save("p.npy", t + 0.1), save("t.npy", t))
        assert found["findings"] == []
        assert found["read_as"] == {"loss": "squared-error"}
        assert found["predictions"]["kind"] == "numbers"
        assert found["loss"] == pytest.approx(0.01)
        assert found["baseline"] == pytest.approx(t.var())
        assert f"{t.min():.4g} to {t.max():.4g}" in found["targets"]["evidence"]

    @pytest.mark.parametrize(
        ("targets", "loss"),
        [
            (np.eye(4)[LABELS], "softmax-cross-entropy"),
            (0.9 * np.eye(4)[LABELS] + 0.025, "softmax-cross-entropy"),
            (RNG.integers(0, 2, (300, 4)), "sigmoid-cross-entropy"),
            (LOGITS, "squared-error"),
        ],
    )
    def test_rows_of_targets_say_what_they_are_for(self, checked, save, targets, loss):
        assert checked(save("z.npy", LOGITS), save("t.npy", targets))["read_as"]["loss"] == loss

    def test_a_loss_may_be_named(self, checked, save, run):
        found = checked(save("s.npy", SCORES), save("t.npy", OUTCOMES), "--loss", "hinge")
        assert (found["read_as"], found["findings"]) == ({"loss": "hinge"}, [])
        run("check", "s.npy", "t.npy", "--loss", "center").refuses(2, "center")
        run("check", "s.npy", "t.npy", "--loss", "hing").refuses(2, "hinge")

    def test_ignored_rows_do_not_exist(self, checked, save):
        labels = LABELS.copy()
        labels[:5] = -100
        z = LOGITS.copy()
        z[0] = np.nan
        found = checked(save("z.npy", z), save("y.npy", labels), "--ignore-index", "-100")
        assert (found["findings"], found["samples"], found["ignored"]) == ([], 295, 5)

    def test_a_pipe(self, checked, save, folder):
        save("y.npy", LABELS)
        save("z.npy", LOGITS)
        assert checked("-", "y.npy", stdin=(folder / "z.npy").read_bytes())["findings"] == []

    def test_are_those_of_any_blocks(self, checked, save, monkeypatch):

        words = save("z.npy", LOGITS), save("y.npy", LABELS)
        whole = checked(*words)
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 37)
        parts = checked(*words, "--threads", "2")
        for name in ("accuracy", "majority", "targets", "predictions", "samples"):
            assert parts[name] == whole[name]
        happened = RNG.integers(0, 2, (100, 3))
        found = checked(save("h.npy", 2.0 * happened - 0.9), save("t.npy", happened))
        assert (found["accuracy"], sum(found["targets"]["positives"].values())) == (1, happened.sum())

    def test_of_more_classes_than_can_be_compared(self, checked, save):
        k = alignment.MOST_CLASSES + 200
        labels = np.arange(400)
        z = np.zeros((400, k))
        z[np.arange(400), labels] = 9
        found = checked(save("z.npy", z), save("y.npy", labels))
        assert (codes(found), found["accuracy"]) == ({"classes-unseen"}, 1)

    @pytest.mark.parametrize(
        ("given", "least"), [("logits", lambda p: np.log(p / (1 - p))), ("probs", lambda p: p), ("log-probs", np.log)]
    )
    def test_accuracy_of_outcomes_is_about_one_half(self, checked, save, given, least):
        p = np.array([0.4, 0.6, 0.45, 0.55, 0.5])
        found = checked(save("p.npy", least(p)), save("t.npy", [0, 1, 1, 0, 0]), "--from", given)
        assert found["accuracy"] == 0.6

    def test_of_no_rows(self, checked, save):
        found = checked(save("z.npy", LOGITS), save("y.npy", np.full(300, 9)), "--ignore-index", "9", code=3)
        assert "all rows are ignored" in found["by"]["unusable"]["message"]
        found = checked(save("z.npy", LOGITS[:0]), save("y.npy", LABELS[:0]), code=3)
        assert "no rows" in found["by"]["unusable"]["message"]

    def test_a_column_of_a_pipe(self, checked, run, save):
        save("t.npy", [1.0, 0, 1])
        assert checked("-:p", "t.npy", stdin=b"p,q\n2,x\n-2,y\n1,z\n")["accuracy"] == 1
        done = run("check", "-:p", save("u.npy", [1.0, 0]), stdin=b"p,q\n2,x\n-2,y\n1,z\n")
        done.refuses(3, "standard input has 3 rows")


class TestKinds:
    """Logits, probabilities or neither, from the whole file."""

    def kind(self, checked, save, x, *words):
        return checked(save("p.npy", x), save("y.npy", LABELS[: len(x)]), *words)["predictions"]["kind"]

    def test_of_classes(self, checked, save):
        assert self.kind(checked, save, LOGITS) == "logits"
        assert self.kind(checked, save, PROBS) == "probabilities"
        assert self.kind(checked, save, np.log(PROBS)) == "log-probabilities"
        assert self.kind(checked, save, PROBS * 0.7) == "neither"
        assert self.kind(checked, save, -np.abs(LOGITS)) == "logits"
        assert "50% outside [0, 1]" in checked(save("p.npy", [[0.5, 3.0], [1, -1]]), save("y.npy", [0, 1]))["predictions"]["evidence"]  # fmt: skip

    def test_with_nan(self, checked, save):
        x = PROBS.copy()
        x[3] = np.nan
        found = checked(save("p.npy", x), save("y.npy", LABELS), code=3)
        assert found["predictions"]["kind"] == "probabilities"
        found = checked(save("p.npy", np.full((300, 4), np.nan)), "y.npy", code=3)
        assert (found["predictions"]["kind"], found["predictions"]["nan"]) == ("neither", 1200)

    def test_one_value_at_the_end_of_the_file_decides(self, checked, save, monkeypatch):

        monkeypatch.setattr(job_module, "CHUNK_ROWS", 64)
        x = PROBS.copy()
        x[-1] = [1.5, 0, 0, -0.5]
        assert self.kind(checked, save, x) == "logits"

    def test_damaged_rows_leave_them_probabilities(self, checked, save):
        x = PROBS.copy()
        x[17] *= 0.5
        found = checked(save("p.npy", x), save("y.npy", LABELS))
        assert found["predictions"]["kind"] == "probabilities"
        assert "299 of 300 rows sum to 1" in found["predictions"]["evidence"]
        assert found["by"]["row-sums"]["places"] == ["p.npy[17]"]
        assert "double-softmax" in codes(found)

    def test_values_are_those_of_any_blocks(self):
        x = np.concatenate([PROBS, LOGITS, [[np.nan, np.inf, 0, 1]], np.zeros((2, 4))])
        whole = kinds.Values.of(x, np.arange(len(x)))
        parts = [kinds.Values.of(part, rows) for part, rows in zip(np.array_split(x, 7), np.array_split(np.arange(len(x)), 7), strict=True)]  # fmt: skip
        added = kinds.Values()
        for part in parts:
            added = added + part
        for name, expected in whole._asdict().items():
            assert np.array_equal(getattr(added, name), expected), name
        assert (whole.nan, whole.infinite, whole.rows, whole.elements) == (1, 1, 603, 603 * 4)
        assert (whole.zeros, whole.ones) == (9, 1)
        assert not whole.constant


class TestDoubleSoftmax:
    def test_says_the_floor(self, checked, save):
        x = RNG.dirichlet([0.1] * 3, 100)
        found = checked(save("p.npy", x), save("y.npy", x.argmax(axis=1)))["by"]["double-softmax"]
        assert found["severity"] == WARNING
        assert "0.5514" in found["message"]  # log(e + 2) - 1
        assert "--from probs" in found["cure"]

    @pytest.mark.parametrize("k", [2, 3, 10])
    def test_the_floor_is_reached_by_certain_predictions_only(self, compute, save, k):
        least = kinds.floor(k)[1]
        assert compute("ce", save("p.npy", np.eye(k)), save("y.npy", np.arange(k))).json["value"] == pytest.approx(
            least
        )
        assert kinds.floor(None)[1] == pytest.approx(math.log1p(math.exp(-1)))

    def test_is_no_finding_of_what_is_said_to_be_probabilities(self, checked, save):
        assert checked(save("p.npy", PROBS), save("y.npy", LABELS), "--from", "probs")["findings"] == []

    def test_of_outcomes_is_called_by_its_function(self, checked, save):
        found = checked(save("p.npy", 1 / (1 + np.exp(-SCORES))), save("t.npy", OUTCOMES))
        assert codes(found) == {"double-sigmoid"}
        assert "0.3133" in found["by"]["double-sigmoid"]["message"]

    def test_compute_warns_too(self, compute, save):
        done = compute("ce", save("p.npy", PROBS), save("y.npy", LABELS))
        assert done.code == 0
        assert done.err.startswith("losscli: warning: double-softmax: p.npy")
        assert done.err.count("\n") == 1

    def test_scores_of_margin_losses(self, checked, compute, save):
        p, t = save("p.npy", 1 / (1 + np.exp(-SCORES))), save("t.npy", OUTCOMES)
        assert codes(checked(p, t, "--loss", "hinge")) == {"unsigned-scores"}
        assert "unsigned-scores" in compute("hinge", p, t).err


class TestLabels:
    """Labels that do not belong to the predictions beside them."""

    def both(self, checked, compute, save, labels, code, *words, x=LOGITS, loss="ce"):
        """The finding of `check`; `compute` must warn of the same."""
        p, t = save("p.npy", x), save("y.npy", labels)
        found = checked(p, t, *words)
        assert codes(found) == {code}
        assert found["by"][code]["severity"] == WARNING
        done = compute(loss, p, t, *words)
        assert done.code == 0
        assert done.err.startswith(f"losscli: warning: {code}: y.npy")
        return found["by"][code]

    def test_unrelated(self, checked, compute, save):
        found = self.both(checked, compute, save, RNG.permutation(LABELS), "labels-unrelated")
        assert "--id" in found["cure"]

    @pytest.mark.parametrize(("by", "side"), [(1, "after"), (-1, "before")])
    def test_shifted_by_a_row(self, checked, compute, save, by, side):
        found = self.both(checked, compute, save, np.roll(LABELS, by), "labels-shifted")
        assert f"from the row {side} it" in found["message"]

    @pytest.mark.parametrize(("by", "side"), [(1, "before"), (-1, "after")])
    def test_shifted_by_a_class(self, checked, compute, save, by, side):
        found = self.both(checked, compute, save, (LABELS + by) % 4, "labels-shifted")
        assert f"the class {side} it" in found["message"]

    def test_from_one_in_a_file_with_a_class_to_spare(self, checked, compute, save):
        wide = np.column_stack([LOGITS, np.full(300, -9.0)])
        found = checked(save("p.npy", wide), save("y.npy", LABELS + 1))
        assert "--label-base 1" in found["by"]["labels-shifted"]["cure"]
        assert codes(checked("p.npy", "y.npy", "--label-base", "1")) == {"classes-unseen"}

    @pytest.mark.parametrize("order", [[1, 0, 2, 3], [2, 0, 3, 1], [3, 1, 2, 0]])
    def test_permuted(self, checked, compute, save, order):
        found = self.both(checked, compute, save, np.array(order)[LABELS], "labels-permuted")
        moved = next(k for k in range(4) if order[k] != k)
        assert f"{order[moved]} as {moved}" in found["message"]
        right = np.mean(LOGITS.argmax(axis=1) == np.array(order)[LABELS])
        assert f"{right:.1%} of the labels are the predicted class" in found["message"]
        assert f"{np.mean(LOGITS.argmax(axis=1) == LABELS):.1%} would be" in found["message"]

    def test_outcomes_that_are_swapped(self, checked, compute, save):
        self.both(checked, compute, save, 1 - OUTCOMES, "labels-permuted", x=SCORES, loss="bce")

    def test_numbers(self, checked, compute, save):
        t = RNG.normal(size=300)
        self.both(checked, compute, save, RNG.permutation(t), "labels-unrelated", x=t, loss="mse")
        self.both(checked, compute, save, np.roll(t, 1), "labels-shifted", x=t, loss="mse")

    @pytest.mark.parametrize("loss", ["hinge", "softmax-focal", "brier", "logistic", "huber", "kl"])
    def test_under_any_loss_of_rows(self, compute, save, loss):
        x, right = (SCORES, OUTCOMES) if loss in ("hinge", "logistic") else (LOGITS, LABELS)
        if loss == "huber":
            x = right = LOGITS[:, 0]
        p, t = save("p.npy", x), save("y.npy", right)
        assert compute(loss, p, t).err == ""
        assert "labels-unrelated" in compute(loss, p, save("u.npy", RNG.permutation(right))).err

    def test_soft_targets(self, checked, save):
        soft = 0.8 * np.eye(4)[LABELS] + 0.05
        assert checked(save("z.npy", LOGITS), save("t.npy", soft))["findings"] == []
        assert codes(checked("z.npy", save("u.npy", RNG.permutation(soft)))) == {"labels-unrelated"}

    def test_sorted_labels_are_shuffled_all_the_same(self, compute, save):
        order = np.argsort(LABELS)
        assert compute("ce", save("z.npy", LOGITS[order]), save("y.npy", LABELS[order])).err == ""
        z = RNG.normal(size=(300, 4))
        assert "labels-unrelated" in compute("ce", save("z.npy", z), save("y.npy", LABELS[order])).err

    def test_nothing_is_concluded_from_few_rows_one_label_or_one_prediction(self, compute, save):
        z = RNG.normal(size=(49, 4))
        assert compute("ce", save("z.npy", z), save("y.npy", RNG.integers(0, 4, 49))).err == ""
        z = RNG.normal(size=(300, 4))
        assert compute("ce", save("z.npy", z), save("y.npy", np.zeros(300, int))).err == ""
        assert compute("ce", save("z.npy", np.tile(z[0], (300, 1))), save("y.npy", LABELS)).err == ""
        assert compute("squared-error", save("w.npy", z), "0").err == ""

    @pytest.mark.parametrize("loss", ["dice", "lovasz-hinge", "two-way", "nt-xent"])
    def test_losses_that_couple_rows_are_not_tried_on_rows(self, compute, save, loss):
        t = RNG.integers(0, 2, (60, 4)) if loss != "nt-xent" else np.arange(60) // 2
        t[..., 0] = 0
        done = compute(loss, save("z.npy", RNG.normal(size=(60, 4))), save("t.npy", t))
        assert done.err == "" or "labels" not in done.err

    def test_are_quiet_on_the_sample_data(self, compute):
        for loss, p, t in (
            ("ce", "digits_logits.npy", "digits_labels.npy"),
            ("bce", "cancer_logits.npy", "cancer_labels.npy"),
            ("mse", "diabetes_predictions.npy", "diabetes_targets.npy"),
        ):
            assert compute(loss, str(SAMPLE_DATA / p), str(SAMPLE_DATA / t)).err == ""

    @pytest.mark.parametrize(
        "words",
        [
            "ce pixels_logits.npy pixels_labels.npy --class-axis 1",
            "ce letters_logits.npy letters.npy --class-axis -1 --ignore-index -100 --shift 1",
            "bce holes_logits.csv holes.csv --id id --missing ignore",
        ],
    )
    def test_are_quiet_on_the_sample_data_of_pictures_lines_and_holes(self, compute, monkeypatch, words):
        monkeypatch.chdir(SAMPLE_DATA)
        assert compute(*words.split()).err == ""

    def test_find_the_missing_shift_of_the_sample_data(self, checked, monkeypatch):
        monkeypatch.chdir(SAMPLE_DATA)
        words = ("letters_logits.npy", "letters.npy", "--class-axis", "-1", "--ignore-index", "-100")
        found = checked(*words)
        assert found["by"]["labels-shifted"]["cure"] == "say --shift 1"
        assert "labels-shifted" not in codes(checked(*words, "--shift", "1"))

    @pytest.mark.parametrize("share", [0.2, 0.02, 0.004])
    def test_rare_classes_are_no_reason_to_warn_and_hide_nothing(self, compute, save, share):
        rng = np.random.default_rng(12)
        happened = (np.arange(4000) % round(1 / share) == 0).astype(int)
        z = math.log(share / (1 - share)) + rng.normal(size=4000) + 4 * happened
        assert compute("bce", save("z.npy", z), save("t.npy", happened)).err == ""
        for _ in range(3):
            warned = compute("bce", "z.npy", save("t.npy", rng.permutation(happened))).err
            assert warned.startswith("losscli: warning: labels-unrelated: ")

    def test_neighbours_are_those_of_a_run(self):
        rows = np.array([3, 4, 5, 9, 10, 20])
        assert alignment._neighbours(rows, 1).tolist() == [1, 2, 0, 4, 3, 5]
        assert alignment._neighbours(rows, -1).tolist() == [2, 0, 1, 4, 3, 5]

    def test_a_few_huge_losses_do_not_hide_that_the_others_are_related(self, compute, save):
        z = LOGITS.copy()
        z[:3] *= 1e6
        assert compute("ce", save("z.npy", z), save("y.npy", LABELS)).err == ""
        assert "labels-unrelated" in compute("ce", "z.npy", save("y.npy", RNG.permutation(LABELS))).err
        t = RNG.normal(size=300)
        p = t + 0.1 * RNG.normal(size=300)
        p[0] = 1e5
        assert compute("mse", save("p.npy", p), save("t.npy", t)).err == ""

    def test_a_file_of_many_rows_is_sampled_in_runs(self, compute, save, monkeypatch):
        kept = []
        compared = alignment.compared

        def watched(job, sample):
            kept.append(np.concatenate(sample.rows))
            return compared(job, sample)

        monkeypatch.setattr("losscli.measurement.measure.compared", watched)
        monkeypatch.setattr(alignment, "MOST_ROWS", 640)
        labels = RNG.integers(0, 2, 50_000)
        z = RNG.normal(size=(50_000, 2)) + 3 * np.eye(2)[labels]
        assert compute("ce", save("z.npy", z), save("y.npy", labels)).err == ""
        assert "labels-shifted" in compute("ce", "z.npy", save("y.npy", np.roll(labels, 1))).err
        assert len(kept) == 2
        for rows in kept:
            assert 500 <= len(rows) <= 640 + alignment.RUN
            assert rows.max() > 48_000
            assert np.count_nonzero(np.diff(rows) == 1) > 0.9 * len(rows)

    def test_the_sample_has_runs_from_everywhere(self):
        sampling = alignment.Sampling(100)
        every = np.concatenate([sampling.rows(start, 37) + start for start in range(0, 1000, 37)])
        assert every.tolist() == [row for row in range(1000 + 36) if row % 100 < alignment.RUN and row < 27 * 37 + 37]
        assert sampling.rows(40, 30).tolist() == []
        assert sampling.rows(90, 20).tolist() == list(range(10, 20))

    def test_rows_of_many_classes_are_fewer(self, save):
        from losscli.definition.request import Request
        from losscli.lookup.names import find
        from losscli.measurement.prepare import prepare

        z, y = save("z.npy", np.zeros((500, 10_000), np.float32)), save("y.npy", np.arange(500))
        made = prepare(Request(find("ce").bind(), z, y)).job
        kept = len(alignment.Sampling.for_job(made).rows(0, 500))
        assert alignment.MOST_BYTES / 40_000 * 0.6 < kept <= alignment.MOST_BYTES / 40_000 + alignment.RUN

    def test_the_sample_is_that_of_any_number_of_threads(self, compute, save):
        labels = RNG.integers(0, 2, 300_000)
        p, t = save("z.npy", RNG.normal(size=(300_000, 2))), save("y.npy", labels)
        found = {compute("ce", p, t, "--threads", threads).err for threads in "123"}
        assert len(found) == 1
        assert "labels-unrelated" in found.pop()

    def test_shuffles_are_shuffles(self):
        orders = [alignment._order(500, number) for number in range(alignment.SHUFFLES)]
        for order in orders:
            assert sorted(order) == list(range(500))
            assert np.count_nonzero(order == np.arange(500)) < 10
            assert abs(np.corrcoef(order, np.arange(500))[0, 1]) < 0.2
        assert len({tuple(order) for order in orders}) == len(orders)


class TestPermuted:
    """The rule by which classes look exchanged."""

    def found(self, *rows):
        made = alignment.permuted(np.array(rows), list("abcdefgh"))
        return None if made is None else made.code

    def test_a_good_model_is_left_alone(self):
        assert self.found([90, 5, 5], [5, 90, 5], [5, 5, 90]) is None

    def test_a_model_that_confuses_classes_is_left_alone(self):
        assert self.found([45, 50, 5], [40, 55, 5], [5, 5, 90]) is None
        assert self.found([50, 45, 5], [52, 43, 5], [5, 5, 90]) is None

    def test_a_model_that_predicts_one_class_is_left_alone(self):
        assert self.found([0, 100, 0], [0, 100, 0], [0, 100, 0]) is None

    def test_two_of_three_exchanged(self):
        assert self.found([5, 90, 5], [90, 5, 5], [5, 5, 90]) == "labels-permuted"

    def test_a_few_rows_are_no_ground(self):
        assert self.found([0, 4, 0], [4, 0, 0], [0, 0, 500]) is None
        assert self.found([0, 10], [10, 0]) is None
        assert self.found([0, 12, 0], [12, 0, 0], [0, 0, 500]) is None
        assert self.found([4, 20, 0], [20, 4, 0], [0, 0, 660]) is None
        assert self.found([0, 20, 0], [20, 0, 0], [0, 0, 500]) == "labels-permuted"

    def test_many_are_not_all_named(self):
        rows = np.eye(6, dtype=int)[[1, 0, 3, 2, 5, 4]] * 50
        message = alignment.permuted(rows, list("abcdef")).message
        assert "(a as b, b as a, c as d, d as c ... and 2 more)" in message
        assert "more" not in alignment.permuted(rows[:4, :4], list("abcd")).message

    def test_a_chain_is_a_shift_only_where_each_goes_to_its_neighbour(self):
        assert self.found([0, 0, 0, 0], [90, 5, 0, 5], [0, 90, 5, 5], [5, 0, 90, 5]) == "labels-shifted"
        assert self.found([0, 0, 0, 0], [5, 5, 0, 90], [90, 0, 5, 5], [5, 90, 0, 5]) is None


class TestDamagedTargets:
    """A few damaged rows do not make targets something else; they are found."""

    @pytest.mark.parametrize("row", [[0, 0, 0, 0], [1, 1, 0, 0], [-0.2, 1.2, 0, 0], [0.6, 0.6, 0, 0]])
    def test_rows_of_classes(self, checked, save, row):
        t = np.eye(4)[LABELS]
        t[7] = row
        found = checked(save("z.npy", LOGITS), save("t.npy", t), code=3)
        assert codes(found) == {"targets-not-probabilities"}
        assert found["by"]["targets-not-probabilities"]["places"][0].startswith("t.npy[7")

    @pytest.mark.parametrize("values", [(1, 2), (0, 255)])
    def test_two_numbers(self, checked, save, values):
        found = checked(save("s.npy", SCORES), save("t.npy", np.where(OUTCOMES == 1, values[1], values[0])), code=3)
        assert codes(found) == {"label-not-a-class"}
        assert checked("s.npy", save("t.npy", [[1.0, 2.5][i] for i in OUTCOMES]))["read_as"]["loss"] == "squared-error"

    def test_nan_among_labels(self, checked, save):
        t = LABELS.astype(float)
        t[4] = np.nan
        found = checked(save("z.npy", LOGITS), save("t.npy", t), code=3)["by"]["nan-targets"]
        assert "--ignore-index nan" in found["cure"]
        assert checked("z.npy", "t.npy", "--ignore-index", "nan")["findings"] == []


class TestHealthyData:
    def test_of_rare_events(self, checked, save):
        rng = np.random.default_rng(1)
        y = (rng.random(5000) < 0.01).astype(int)
        s = -4.6 + rng.normal(0, 1, 5000) + 2 * y
        assert checked(save("s.npy", s), save("y.npy", y))["findings"] == []

    def test_of_several_outcomes_as_probabilities(self, checked, save):
        t = RNG.integers(0, 2, (60, 4))
        found = checked(save("p.npy", np.clip(t * 0.6 + RNG.random((60, 4)) * 0.4, 0.01, 0.99)), save("t.npy", t))
        assert codes(found) == {"double-sigmoid"}

    def test_a_class_that_is_ignored_is_not_missed(self, checked, save):
        assert checked(save("z.npy", LOGITS), save("y.npy", LABELS), "--ignore-index", "0")["findings"] == []


class TestOtherFindings:
    def test_numbers_that_are_the_same(self, checked, save):
        x = RNG.normal(size=300)
        assert codes(checked(save("a.npy", x), save("b.npy", x))) == {"same-data"}

    def test_a_column_that_counts_rows(self, checked, save):
        z = np.column_stack([np.arange(7, 307), LOGITS])
        found = checked(save("z.npy", z), save("y.npy", LABELS), code=3)
        assert "--columns '!1'" in found["by"]["doubtful-columns"]["cure"]
        assert "id-as-prediction" in codes(checked("z.npy", "y.npy", "--columns", "*"))

    def test_percentages(self, checked, save):
        found = checked(save("p.npy", PROBS * 100), save("y.npy", LABELS))
        assert found["predictions"]["kind"] == "neither"
        assert "divide by 100" in found["by"]["row-sums"]["cure"]
        for other in (0.99, 1.01):  # of one row
            factors = np.where(np.arange(len(PROBS)) == 7, other, 1)[:, None]
            found = checked(save("p.npy", PROBS * 100 * factors), save("y.npy", LABELS))
            assert "divide by 100" not in found["by"].get("row-sums", {}).get("cure", "")

    def test_numbers_so_large_that_they_have_no_spread(self, compute, save):
        """There is a loss, and no word about labels: not even one of NumPy's."""
        z = RNG.normal(size=(50, 3)) * 1e300
        done = compute("ce", save("z.npy", z), save("y.npy", RNG.integers(0, 3, 50)), "-f", "value")
        assert np.isfinite(done.value)
        assert done.err == ""

    def test_labels_that_are_turned_around(self, checked, compute, save):
        t = RNG.normal(size=300)
        found = checked(save("p.npy", -t), save("t.npy", t))
        assert "t.npy: targets look turned around" in found["by"]["labels-unrelated"]["message"]
        assert "turned around" in compute("mse", "p.npy", "t.npy").err

    def test_cures_of_names_are_about_names(self, checked, write):
        names = np.array(HEADER)
        write("z.csv", table(names[[1, 0, 2, 3]], LOGITS.tolist()))
        write("y.csv", table(["label"], [[names[i]] for i in LABELS]))
        assert "Correct them" in checked("z.csv", "y.csv")["by"]["labels-permuted"]["cure"]

    def test_files_that_cannot_be_parsed_are_named(self, run, checked, write, save):
        write("p.csv", "a,b\n1,2\n1\n")
        found = checked("p.csv", save("t.npy", [0, 1]), code=3)
        assert (found["predictions"]["file"], found["targets"]["file"]) == ("p.csv", "t.npy")
        assert "None" not in run("check", "p.csv", "t.npy").out


class TestValuesThatWereLost:
    def test_infinities_of_float16(self, checked, compute, save):
        z = LOGITS.astype(np.float16)
        z[3, 0] = z[9, 1] = -np.inf
        p, t = save("z.npy", z), save("y.npy", np.where(LABELS < 2, 2, LABELS))
        found = checked(p, t)["by"]["float16-overflow"]
        assert found["places"] == ["z.npy[3, 0]", "z.npy[9, 1]"]
        assert "2 values like this" in found["message"]
        assert "float16-overflow: z.npy[3, 0]" in compute("ce", p, t).err

    def test_the_end_of_float16(self, checked, save):
        z = LOGITS.astype(np.float16)
        z[5, LABELS[5]] = 65504
        assert "float16-overflow" in codes(checked(save("z.npy", z), save("y.npy", LABELS)))
        assert checked(save("z.npy", z.astype(np.float32)), "y.npy")["findings"] == []

    def test_an_infinity_that_has_no_loss_is_an_error(self, checked, save):
        z = LOGITS.astype(np.float16)
        z[3, :] = np.inf
        found = checked(save("z.npy", z), save("y.npy", LABELS), code=3)["by"]["undefined-loss"]
        assert "float32" in found["cure"]

    def test_infinities_of_float32(self, checked, save):
        z = LOGITS.astype(np.float32)
        z[3, (LABELS[3] + 1) % 4] = -np.inf
        found = checked(save("z.npy", z), save("y.npy", LABELS))
        assert {code: one["severity"] for code, one in found["by"].items()} == {"infinite-predictions": NOTE}
        z[3, LABELS[3]] = np.inf
        assert checked(save("z.npy", z), "y.npy")["by"]["infinite-predictions"]["severity"] == WARNING

    def test_saturated_probabilities(self, checked, compute, save):
        x = PROBS.copy()
        x[8] = np.eye(4)[LABELS[8]]
        p, t = save("p.npy", x), save("y.npy", LABELS)
        found = checked(p, t, "--from", "probs")
        assert codes(found) == {"saturated-probabilities"}
        assert "1 probability of exactly 1, and 3 of exactly 0" in found["by"]["saturated-probabilities"]["message"]
        assert "saturated" not in compute("ce", p, t, "--from", "probs").err
        x[8] = np.eye(4)[(LABELS[8] + 1) % 4]
        save("p.npy", x)
        assert checked(p, t, "--from", "probs")["by"]["saturated-probabilities"]["places"] == ["p.npy[8]"]
        assert "saturated-probabilities: p.npy[8]" in compute("ce", p, t, "--from", "probs").err

    def test_log_probabilities_read_as_logits_make_no_difference(self, checked, compute, save):
        p, t = save("p.npy", np.log(PROBS)), save("y.npy", LABELS)
        found = checked(p, t)
        assert found["by"]["log-probabilities"]["severity"] == NOTE
        assert codes(found) == {"log-probabilities"}
        assert compute("ce", p, t).json["value"] == pytest.approx(
            compute("ce", p, t, "--from", "log-probs").json["value"]
        )

    def test_one_prediction_for_all(self, checked, save):
        found = checked(save("z.npy", np.tile([3.0, 1, 0, 0], (300, 1))), save("y.npy", LABELS))
        assert {"constant-predictions", "one-class-predicted"} <= codes(found)
        z = RNG.normal(size=(300, 4)) + np.array([50, 0, 0, 0])
        assert "one-class-predicted" in codes(checked(save("z.npy", z), "y.npy"))

    def test_classes_that_no_row_has(self, checked, save):
        z = np.column_stack([LOGITS, np.full((300, 2), -9.0)])
        found = checked(save("z.npy", z), save("y.npy", LABELS))
        assert codes(found) == {"classes-unseen"}
        assert found["targets"]["unseen"] == ["4", "5"]
        assert found["by"]["classes-unseen"]["severity"] == NOTE


class TestDuplicates:
    def test_of_rows(self, checked, save):
        z, y = LOGITS.copy(), LABELS.copy()
        for row, earlier in ((7, 3), (11, 3), (290, 200)):
            z[row], y[row] = z[earlier], y[earlier]
        z[299], y[299] = z[6], (y[6] + 1) % 4  # another label
        found = checked(save("z.npy", z), save("y.npy", y))
        assert codes(found) == {"duplicate-rows"}
        assert "4 rows like this" in found["by"]["duplicate-rows"]["message"]
        assert "equal to z.npy[3]" in found["by"]["duplicate-rows"]["message"]
        assert found["by"]["duplicate-rows"]["places"] == ["z.npy[7]", "z.npy[11]", "z.npy[290]"]

    def test_are_found_in_many_piles_and_by_several_threads(self, checked, save, monkeypatch):

        monkeypatch.setattr(join, "PILE_BYTES", 400)
        monkeypatch.setattr(job_module, "CHUNK_ROWS", 50)
        z, y = np.tile(RNG.normal(size=(500, 3)), (2, 1)), np.tile(RNG.integers(0, 3, 500), 2)
        found = checked(save("z.npy", z), save("y.npy", y), "--threads", "2")["by"]["duplicate-rows"]
        assert "500 rows like this" in found["message"]
        assert found["places"] == ["z.npy[500]", "z.npy[501]", "z.npy[502]"]

    @pytest.mark.parametrize("k", [2, 3, 5])
    def test_of_rounded_and_hard_predictions_are_natural(self, checked, save, k):
        p = RNG.dirichlet(np.ones(k), 500).round(2)
        p[:, -1] = np.maximum(0, 1 - p[:, :-1].sum(axis=1))
        p = p[np.abs(p.sum(axis=1) - 1) < 1e-9]
        y = p.argmax(axis=1)
        assert "duplicate-rows" not in codes(checked(save("p.npy", p), save("y.npy", y), "--from", "probs"))
        assert "duplicate-rows" not in codes(checked(save("p.npy", np.eye(k)[y]), "y.npy", "--from", "probs"))

    def test_of_a_batch_with_other_labels(self, checked, save):
        z = np.concatenate([LOGITS, LOGITS[:150]])
        found = checked(save("z.npy", z), save("y.npy", np.concatenate([LABELS, (LABELS[:150] + 1) % 4])))
        assert "150 rows like this" in found["by"]["duplicate-rows"]["message"]

    def test_one_row_over_and_over_is_found_in_bounded_memory(self, checked, save, monkeypatch):
        monkeypatch.setattr(join, "PILE_BYTES", 400)
        monkeypatch.setattr(join, "SKEWED", 1)
        z = np.tile(RNG.normal(size=(1, 200)), (3000, 1))
        monkeypatch.setattr(check, "QUANTISED", 0)
        found = checked(save("z.npy", z), save("y.npy", np.zeros(3000, int)))["by"]["duplicate-rows"]
        number = int(re.search(r"at least ([\d,]+) rows", found["message"])[1].replace(",", ""))
        assert 1 < number < 100

    def test_rows_that_differ_in_one_bit_or_in_order_are_none(self, checked, save):
        z = np.tile(LOGITS[:1], (300, 1))
        z[:, 0] += np.spacing(z[0, 0]) * np.arange(300)
        found = codes(checked(save("z.npy", z), save("y.npy", np.zeros(300, int))))
        assert "duplicate-rows" not in found
        z = np.array([[1.0, 2, 3], [3, 2, 1], [2, 1, 3], [1, 3, 2]] * 1)
        assert "duplicate-rows" not in codes(checked(save("z.npy", z), save("y.npy", [0, 0, 0, 0])))

    def test_of_ids(self, checked, write):
        write("p.csv", table(["id", "x"], [["a", 1], ["b", 2], ["a", 3]]))
        write("t.csv", table(["id", "t"], [["a", 1], ["b", 2]]))
        found = checked("p.csv", "t.csv", "--id", "id", code=3)["by"]["duplicate-ids"]
        assert found["severity"] == ERROR
        assert found["places"] == ['p.csv:2, column "id"']


class TestErrors:
    """What compute would refuse, with as much more as can be said."""

    def test_rows_that_differ(self, checked, save):
        found = checked(save("p.npy", PROBS), save("y.npy", LABELS[1:]), code=3)
        assert found["by"]["rows-differ"]["severity"] == ERROR
        assert "--id" in found["by"]["rows-differ"]["cure"]
        assert found["predictions"]["kind"] == "probabilities"
        assert "double-softmax" in codes(found)

    def test_nan(self, checked, save):
        z = LOGITS.copy()
        z[[4, 8]] = np.nan
        found = checked(save("z.npy", z), save("y.npy", LABELS), code=3)
        assert found["by"]["nan-predictions"]["places"][0] == "z.npy[4, 0]"
        assert found["predictions"]["nan"] == 8
        assert "loss" not in found
        found = checked("z.npy", save("y.npy", LABELS[1:]), code=3)
        assert {"nan-predictions", "rows-differ"} <= codes(found)

    def test_several_at_once(self, checked, save):
        x = PROBS.copy()
        x[2], x[5, 1] = [0.5, 0.1, 0.1, 0.1], 1.5
        found = checked(save("p.npy", x), save("y.npy", RNG.permutation(LABELS)), "--from", "probs", code=3)
        assert found["by"]["not-probabilities"]["places"] == ["p.npy[5, 1]"]
        assert {"not-probabilities", "labels-unrelated"} <= codes(found)

    def test_row_sums(self, checked, save):
        x = PROBS.copy()
        x[2] = [0.5, 0.1, 0.1, 0.1]
        found = checked(save("p.npy", x), save("y.npy", LABELS), "--from", "probs", code=3)["by"]["row-sums"]
        assert (found["severity"], found["places"]) == (ERROR, ["p.npy[2]"])
        found = checked(save("p.npy", PROBS * 0.9), "y.npy")["by"]["row-sums"]
        assert found["severity"] == WARNING
        assert "300 of 300 rows" in found["message"]

    @pytest.mark.parametrize(
        ("labels", "code"),
        [
            ([0, 1, 4], "label-out-of-range"),
            ([1, 2, 4], "label-out-of-range"),
            ([0, 0.5, 1], "label-not-a-class"),
            ([[1, 0, 0, 0], [0.5, 0.2, 0, 0], [0, 0, 1, 0]], "targets-not-probabilities"),
        ],
    )
    def test_labels(self, checked, save, labels, code):
        z, t = save("z.npy", LOGITS[:3]), save("y.npy", labels)
        loss = ("--loss", "ce") if code.startswith("targets") else ()
        found = checked(z, t, *loss, code=3)
        assert found["by"][code]["severity"] == ERROR
        assert found["predictions"]["kind"] == "logits"

    def test_names(self, checked, write):
        write("z.csv", table(HEADER, LOGITS[:3].tolist()))
        write("y.csv", "label\nant\nbea\n")
        assert codes(checked("z.csv", "y.csv", code=3)) == {"rows-differ"}
        write("y.csv", 'label\nant\nbea\n""\n')
        assert codes(checked("z.csv", "y.csv", code=3)) == {"empty-labels"}
        write("y.csv", "label\nant\nbea\ncat\n")
        found = checked("z.csv", "y.csv", code=3)["by"]["label-not-a-class"]
        assert found["places"] == ['y.csv:3, column "label"']
        write("y.csv", table(["w", "x", "y", "z"], np.eye(4)[:3].astype(int).tolist()))
        assert codes(checked("z.csv", "y.csv", code=3)) == {"names-differ"}

    def test_ids(self, checked, write):
        write("p.csv", table(["id", "x"], [["a", 1], ["b", 2]]))
        write("t.csv", table(["id", "t"], [["a", 1], ["c", 2]]))
        found = checked("p.csv", "t.csv", "--id", "id", code=3)
        assert codes(found) == {"unmatched-ids"}
        assert "--on-unmatched drop" in found["by"]["unmatched-ids"]["cure"]
        write("t.csv", table(["id", "t"], [["a", 1], ["", 2]]))
        assert codes(checked("p.csv", "t.csv", "--id", "id", code=3)) == {"empty-ids"}

    def test_a_cell_in_the_middle(self, checked, write):
        write("p.csv", "x\n1\n2\nthree\n")
        write("t.csv", "t\n1.5\n2\n3\n")
        found = checked("p.csv", "t.csv", code=3)["by"]["unusable"]
        assert found["places"] == ['p.csv:4, column "x"']

    def test_a_target_that_is_nan(self, checked, save):
        t = np.arange(5.0)
        t[3] = np.nan
        found = checked(save("p.npy", np.arange(5.0)), save("t.npy", t), code=3)["by"]["nan-targets"]
        assert found["places"] == ["t.npy[3]"]

    def test_weights(self, checked, save):
        z, y = save("z.npy", LOGITS), save("y.npy", LABELS)
        w = np.ones(300)
        assert checked(z, y, "--sample-weight", save("w.npy", w))["findings"] == []
        w[6] = -1
        found = checked(z, y, "--sample-weight", save("w.npy", w), code=3)["by"]["bad-weights"]
        assert found["places"] == ["w.npy[6]"]
        found = checked(z, y, "--sample-weight", save("w.npy", 0 * w), code=3)["by"]["bad-weights"]
        assert "all weights are 0" in found["message"]

    def test_what_a_loss_does_not_take(self, checked, save):
        p, t = save("p.npy", [1.0, 2, 3]), save("t.npy", [1.0, -2, 3])
        found = checked(p, t, "--loss", "gamma-deviance", code=3)["by"]["outside-domain"]
        assert found["places"] == ["t.npy[1]"]

    def test_the_same_data_and_ids_among_predictions(self, checked, compute, save, write):
        p = save("p.npy", np.arange(60.0))
        assert codes(checked(p, p)) == {"same-data"}
        assert "same-data" in compute("mse", p, p).err
        write("p.csv", table(["id", "a", "b"], [[i, i % 2, (i + 1) % 2] for i in range(3)]))
        write("y.npy", b"")
        save("y.npy", [0, 1, 2])
        assert "id-as-prediction" in codes(checked("p.csv", "y.npy"))
        assert "id-as-prediction" in compute("ce", "p.csv", "y.npy").err

    def test_keys_in_another_order(self, checked, write):
        p = write("p.csv", table(["key", "a"], [[i, i + 0.5] for i in range(9)]))
        t = write("t.csv", table(["key", "b"], [[i, i + 0.25] for i in reversed(range(9))]))
        found = checked(f"{p}:a", f"{t}:b")["by"]["keys-in-another-order"]
        assert found["severity"] == "warning"
        assert "--id key" in found["cure"]

    def test_files_that_cannot_be_opened_are_one_line(self, run, save, write):
        p = save("p.npy", [1.0])
        run("check", p, "t.npy").refuses(3, "t.npy")
        write("t.npy", "no array")
        run("check", p, "t.npy").refuses(3, "t.npy")
        run("check", p, "t.npy", "--label-base", "3").refuses(2, "--label-base")


class TestTable:
    def test_has_it_all(self, run, save):
        done = run("check", save("p.npy", PROBS), save("y.npy", RNG.permutation(LABELS)))
        assert done.code == 0
        for part in ("p.npy: 300 x 4, float64", "probabilities: values from", "class indices", "0: ", "accuracy"):
            assert part in done.out
        assert re.search(r"^warning +double-softmax: ", done.out, re.MULTILINE)
        assert re.search(r"^warning +labels-unrelated: ", done.out, re.MULTILINE)

    def test_errors_first(self, run, save):
        z = LOGITS.copy()
        z[0] = np.nan
        z = np.column_stack([z, np.full(300, -9.0)])
        done = run("check", save("z.npy", z), save("y.npy", LABELS))
        assert done.code == 3
        assert done.err == ""
        lines = [line.split()[0] for line in done.out.splitlines() if line.startswith(("error", "warning", "note"))]
        assert lines == ["error", "note"]

    def test_rows_of_infinite_loss(self, run, compute, save):
        p, t = save("p.npy", [1.0, 2.0, 3.0, 4.0]), save("t.npy", [1.0, 0.0, 3.0, 0.0])
        done = run("check", p, t, "--loss", "mape", "-f", "json").json
        (found,) = (one for one in done["findings"] if one["code"] == "infinite-loss")
        assert found["places"] == ["p.npy[1]", "p.npy[3]"]
        assert "the loss of the row is inf (2 rows like this)" in found["message"]
        assert "--epsilon" in found["cure"]

    def test_parts_of_different_widths(self, run, save):
        save("p_1.npy", np.ones((2, 1)))
        save("p_2.npy", np.ones((1, 2)))
        done = run("check", "p_*.npy", save("t.npy", [1.0, 2.0, 3.0]))
        assert done.code == 3
        assert "p_2.npy: shape (1, 2) does not go with p_1.npy's (2, 1)" in done.out

    @pytest.mark.parametrize("tail", [(), (4,)])
    def test_parts_of_targets_of_different_widths(self, run, save, tail):
        save("t_1.npy", np.ones((1, 2, *tail)))
        save("t_2.npy", np.ones((2, 9, *tail)))
        done = run("check", save("p.npy", np.ones((3, 2))), "t_*.npy")
        assert done.code == 3
        assert "3 x *" in done.out
        assert "t_2.npy: shape (2, 9" in done.out

    def test_nothing_found_is_said(self, run, save):
        assert "findings     none\n" in run("check", save("z.npy", LOGITS), save("y.npy", LABELS)).out


def test_every_finding_is_under_test():
    """A finding that no test names could be one that no file has. Sequences and losses that compare rows are
    not read by check, but by compute.
    """
    tests = Path(__file__).parent.parent
    of_compute = ("losses/test_sequence.py", "measurement/test_vacuous.py")
    text = "".join(path.read_text() for path in (Path(__file__), *(tests / name for name in of_compute)))
    assert [code for code in CODES if f'"{code}"' not in text and f"{code}:" not in text] == []


def test_families_take_classes_where_targets_are_classes():
    assert {name for name, family in FAMILIES.items() if family.takes_classes} >= {"softmax", "sigmoid", "margin"}
    assert not any(
        family.takes_classes
        for family in FAMILIES.values()
        if family.target_type == "numbers" and not family.thresholds
    )


def test_losses_whose_mean_overflows_are_no_warning_of_numpy(run, save):
    """Warnings are errors in tests. The squares are up to 9e308, and the means of shuffled ones are infinite."""
    generator = np.random.default_rng(0)
    words = (save("p.npy", 1e154 * generator.normal(size=50)), save("t.npy", 1e154 * generator.normal(size=50)))
    assert run("compute", "mse", *words, "-f", "value").out == "inf\n"


class TestClassAxis:
    @pytest.mark.parametrize("axis", ["4", "-5", "10000000000000000000"])
    def test_one_that_there_is_not_is_refused_as_by_compute(self, run, compute, save, axis):
        files = save("p.npy", np.ones((2, 4, 2, 3))), save("t.npy", np.ones((2, 4, 2, 3)) / 3)
        told = f"--class-axis {axis}: p.npy has shape (2, 4, 2, 3), with 4 axes"
        run("check", *files, "--class-axis", axis).refuses(2, told)
        compute("ce", *files, "--class-axis", axis).refuses(2, told)

    @pytest.mark.parametrize(("axis", "sums"), [("0", True), ("-4", True), ("3", False)])
    def test_rows_of_targets_lie_along_it(self, run, save, axis, sums):
        """Of a single sample the first axis may be that of the classes: here only its numbers add up to 1."""
        targets = np.stack([np.full((4, 2, 3), 0.25), np.full((4, 2, 3), 0.75)])
        checked = run(
            "check", save("p.npy", np.ones((2, 4, 2, 3))), save("t.npy", targets), "--class-axis", axis, "-f", "json"
        )
        assert (checked.json["read_as"]["loss"] == "softmax-cross-entropy") == sums
