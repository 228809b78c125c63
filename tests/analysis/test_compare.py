"""Two models row for row: numbers against NumPy, verdicts and exit codes through the command line, and the picture."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from losscli.analysis import compare as comparing
from losscli.engine import job

NAMES = ("cat", "dog", "eel")


def log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


@pytest.fixture
def compare(run):
    """Run `losscli compare ...`; JSON unless the words say otherwise."""

    def call(*words, **how):
        asked = [] if {"-f", "--format"} & set(words) else ["-f", "json"]
        return run("compare", *words, *asked, **how)

    return call


@pytest.fixture
def models(save):
    """Logits of two models, and labels: names of the files, and what their losses are."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    a = rng.normal(size=(200, 3)) + 2 * np.eye(3)[y]
    b = a + rng.normal(0, 0.5, (200, 3)) + 0.3 * np.eye(3)[y]
    save("a.npy", a)
    save("b.npy", b)
    save("y.npy", y)
    rows = np.arange(200)
    return -log_softmax(a)[rows, y], -log_softmax(b)[rows, y], y


class TestNumbers:
    def test_are_those_of_numpy(self, compare, models):
        a, b, y = models
        d = b - a
        found = compare("ce", "a.npy", "b.npy", "--targets", "y.npy").json
        assert found["difference"] == pytest.approx(d.mean(), rel=1e-12)
        assert found["value"] == pytest.approx(b.mean(), rel=1e-12)
        assert found["against_value"] == pytest.approx(a.mean(), rel=1e-12)
        assert found["relative"] == pytest.approx(d.mean() / a.mean(), rel=1e-12)
        assert found["std"] == pytest.approx(d.std(), rel=1e-12)
        assert (found["samples"], found["wins"], found["ties"], found["losses"]) == (
            200,
            (d < 0).sum(),
            0,
            (d > 0).sum(),
        )
        se = d.std() / math.sqrt(200)
        assert found["interval"] == pytest.approx([d.mean() - 1.96 * se, d.mean() + 1.96 * se], abs=0.25 * se)
        assert found["verdict"] == "better"
        assert 0 < found["p"] < 0.01
        by_class = {one["class"]: one for one in found["classes"]}
        assert by_class.keys() == {"0", "1", "2"}
        for name, one in by_class.items():
            mine = d[y == int(name)]
            assert one["rows"] == len(mine)
            assert one["difference"] == pytest.approx(mine.mean(), rel=1e-9)
            half = (one["interval"][1] - one["interval"][0]) / 2
            assert half == pytest.approx(mine.std(ddof=1) / math.sqrt(len(mine)) * 1.997, rel=0.01)
        worst = [(row["sample"], row["target"]) for row in found["rows"]["worse"]]
        assert worst == [(row, y[row]) for row in np.argsort(-d)[:5].tolist()]
        best = found["rows"]["better"][0]
        row = int(d.argmin())
        assert (best["sample"], best["difference"]) == (row, pytest.approx(d[row], rel=1e-9))
        assert (best["loss_a"], best["loss_b"]) == pytest.approx((a[row], b[row]), rel=1e-12)
        assert found["signature"].startswith("loss:softmax-cross-entropy|from:logits")

    def test_swapping_the_models_turns_the_sign(self, compare, models):
        one = compare("ce", "a.npy", "b.npy", "--targets", "y.npy").json
        other = compare("ce", "b.npy", "a.npy", "--targets", "y.npy").json
        assert other["difference"] == pytest.approx(-one["difference"], rel=1e-12)
        assert (other["wins"], other["losses"]) == (one["losses"], one["wins"])
        assert other["p"] == pytest.approx(one["p"], abs=2e-4)
        assert other["verdict"] == "worse"

    def test_with_weights(self, compare, models, save):
        a, b, y = models
        w = np.random.default_rng(1).choice([0, 0.5, 2], 200)
        save("w.npy", w)
        words = ["--sample-weight", "w.npy", "--class-weight", "1=3"]
        found = compare("ce", "a.npy", "b.npy", "--targets", "y.npy", *words).json
        assert found["difference"] == pytest.approx(np.average(b - a, weights=w * np.where(y == 1, 3, 1)), rel=1e-12)

    def test_of_options_are_those_of_compute(self, compare, compute, models):
        words = ["--label-smoothing", "0.1", "--ignore-index", "2"]
        found = compare("softmax-focal:gamma=1.5", "a.npy", "b.npy", "--targets", "y.npy", *words).json
        a, b = (
            compute("softmax-focal", name, "y.npy", "--gamma", "1.5", *words).json["value"]
            for name in ("a.npy", "b.npy")
        )
        assert found["parameters"] == {"gamma": 1.5}
        assert (found["against_value"], found["value"]) == pytest.approx((a, b), rel=1e-12)
        assert found["difference"] == pytest.approx(b - a, rel=1e-9)
        assert found["samples"] == 200 - (models[2] == 2).sum()

    def test_of_regression_have_no_classes(self, compare, save):
        save("a.npy", [1.0, 2, 3])
        save("b.npy", [1.5, 2, 5])
        found = compare("mse", "a.npy", "b.npy", "--targets", "1").json
        assert found["difference"] == pytest.approx((0.25 + 0 + 12) / 3)
        assert found["ties"] == 1
        assert "classes" not in found
        assert found["rows"]["worse"][0] == {
            "sample": 2,
            "target": 1.0,
            "loss_a": 4.0,
            "loss_b": 16.0,
            "difference": 12.0,
        }

    def test_of_several_outputs(self, compare, save):
        save("a.npy", [[1.0, 2], [3, 4]])
        save("b.npy", [[1.0, 3], [3, 4]])
        save("t.npy", [[1.0, 2], [3, 3]])
        found = compare("l1", "a.npy", "b.npy", "--targets", "t.npy", "--over-outputs", "sum").json
        assert found["difference"] == 0.5
        assert found["rows"]["worse"][0]["target"] == [1.0, 2.0]

    def test_do_not_depend_on_threads_or_cells(self, compare, models, monkeypatch):
        words = ["ce", "a.npy", "b.npy", "--targets", "y.npy", "--resamples", "2000"]
        one = compare(*words, "--threads", "1").json
        monkeypatch.setattr(job, "CHUNK_ROWS", 13)
        monkeypatch.setattr(comparing, "SCAN_BYTES", 8 * 17)
        several = compare(*words, "--threads", "3").json
        assert several["interval"] == pytest.approx(one["interval"], rel=1e-12)
        assert several["rows"] == one["rows"]
        assert [row["class"] for row in several["classes"]] == [row["class"] for row in one["classes"]]
        monkeypatch.setattr(comparing, "EXACT_ROWS", 100)
        cells = compare(*words).json
        assert 10 < cells["cells"] < 200
        width = one["interval"][1] - one["interval"][0]
        assert cells["interval"] == pytest.approx(one["interval"], abs=0.06 * width)
        assert cells["difference"] == pytest.approx(one["difference"], rel=1e-12)

    def test_several_models_are_each_against_the_first(self, compare, models, save):
        rng = np.random.default_rng(3)
        save("c.npy", np.load("a.npy") + rng.normal(0, 0.01, (200, 3)))
        done = compare("ce", "a.npy", "b.npy", "c.npy", "--targets", "y.npy")
        assert "difference" not in done.json
        first, second = done.json["comparisons"]
        assert (first["model"], second["model"]) == ("b.npy", "c.npy")
        alone = compare("ce", "a.npy", "c.npy", "--targets", "y.npy").json
        assert second["interval"] == alone["interval"]
        assert first["p_adjusted"] == pytest.approx(2 * first["p"])
        assert second["p_adjusted"] == pytest.approx(max(second["p"], 2 * first["p"]))


class TestJoins:
    def tables(self, write):
        rng = np.random.default_rng(4)
        n = 60
        z, w = rng.normal(size=(n, 3)).round(3), rng.normal(size=(n, 3)).round(3)
        y = rng.integers(0, 3, n)

        def table(name, x, order, columns):
            picked = [NAMES.index(column.removeprefix("p_")) for column in columns]
            rows = [f"r{i}," + ",".join(str(x[i, k]) for k in picked) for i in order]
            write(name, "\n".join([",".join(["id", *columns]), *rows]) + "\n")

        table("a.csv", z, range(n), NAMES)
        table("b.csv", w, rng.permutation(n).tolist(), ["p_eel", "p_cat", "p_dog"])
        write("y.csv", "id,label\n" + "".join(f"r{i},{NAMES[y[i]]}\n" for i in rng.permutation(n)))
        losses = [-log_softmax(x)[np.arange(n), y] for x in (z, w)]
        return losses, y, rng, table, (z, w)

    def test_rows_meet_by_id_and_columns_by_name(self, compare, write):
        (a, b), y, *_ = self.tables(write)
        found = compare("ce", "a.csv", "b.csv", "--targets", "y.csv", "--id", "id").json
        assert found["difference"] == pytest.approx((b - a).mean(), rel=1e-12)
        row = int((b - a).argmax())
        worst = found["rows"]["worse"][0]
        assert (worst["sample"], worst["id"], worst["target"]) == (row, f"r{row}", NAMES[y[row]])
        assert {one["class"] for one in found["classes"]} == set(NAMES)

    def test_rows_without_a_partner(self, compare, write):
        (a, b), y, rng, table, (_, w) = self.tables(write)
        order = [i for i in rng.permutation(60).tolist() if i not in (3, 40)]
        table("b.csv", w, order, NAMES)
        write("y.csv", "id,label\n" + "".join(f"r{i},{NAMES[y[i]]}\n" for i in range(59, 0, -1)))
        words = ["ce", "a.csv", "b.csv", "--targets", "y.csv", "--id", "id"]
        compare(*words).refuses(3, "r0", "--on-unmatched drop")
        done = compare(*words, "--on-unmatched", "drop")
        both = np.setdiff1d(np.arange(60), (0, 3, 40))
        assert done.json["samples"] == 57
        assert done.json["difference"] == pytest.approx((b - a)[both].mean(), rel=1e-12)
        row = int(both[(b - a)[both].argmax()])
        assert (done.json["rows"]["worse"][0]["id"], done.json["rows"]["worse"][0]["target"]) == (
            f"r{row}",
            NAMES[y[row]],
        )
        assert "r3" in done.err

    def test_an_id_that_one_model_lacks(self, compare, write):
        _, _, _, table, (_, w) = self.tables(write)
        table("b.csv", w, [i for i in range(60) if i != 7], NAMES)
        words = ["l1", "a.csv", "b.csv", "--targets", "0", "--id", "id"]
        compare(*words).refuses(3, "b.csv: no row for 1 id of a.csv: 'r7'")
        done = compare(*words, "--on-unmatched", "drop")
        assert done.json["samples"] == 59
        assert "'r7'; left out" in done.err

    def test_models_of_different_length(self, compare, save):
        save("a.npy", np.zeros(3))
        save("b.npy", np.zeros(4))
        save("t.npy", np.zeros(3))
        compare("l1", "a.npy", "b.npy", "--targets", "t.npy").refuses(3, "b.npy", "4")
        compare("l1", "a.npy", "b.npy", "--targets", "0").refuses(3, "a.npy has 3 rows and b.npy 4", "--id")

    def test_columns_of_one_table(self, compare, folder):
        pl.DataFrame({"t": [1.0, 2, 3], "a": [1.0, 2, 4], "b": [1.0, 2, 3]}).write_parquet(folder / "m.parquet")
        assert compare("l1", "m.parquet:a", "m.parquet:b", "--targets", "m.parquet:t").json[
            "difference"
        ] == pytest.approx(-1 / 3)

    def test_targets_from_a_pipe_serve_all_models(self, compare, models):
        done = compare("ce", "a.npy", "b.npy", "--targets", "-", stdin=Path("y.npy").read_bytes())
        a, b, _ = models
        assert done.json["difference"] == pytest.approx((b - a).mean(), rel=1e-12)
        compare("ce", "-", "b.npy", "--targets", "-", stdin=b"1\n").refuses(2, "one operand only")


class TestVerdicts:
    @pytest.mark.parametrize(
        ("shift", "spread", "words", "verdict"),
        [
            (0.5, 0.1, [], "worse"),
            (-0.5, 0.1, [], "better"),
            (-0.5, 0.1, ["--margin", "0.6"], "better"),
            (0.0, 0.0, [], "better or equal"),
            (0.02, 1.0, [], "inconclusive"),
            (-0.02, 1.0, [], "inconclusive"),
            (0.5, 0.1, ["--margin", "0.6"], "better or equal"),
            (0.5, 0.1, ["--margin", "0.4"], "worse"),
            (0.5, 0.1, ["--margin", "0.5"], "inconclusive"),
        ],
    )
    def test_are_those_of_the_interval(self, compare, save, shift, spread, words, verdict):
        rng = np.random.default_rng(0)
        a = rng.uniform(5, 6, 100)
        save("a.npy", a)
        noise = rng.normal(size=100)
        save("b.npy", a + shift + spread * (noise - noise.mean()))
        line = ["l1", "a.npy", "b.npy", "--targets", "0", *words]
        done = compare(*line)
        assert done.code == 0
        assert done.json["verdict"] == verdict
        gated = compare(*line, "--fail-if", "worse")
        assert gated.code == (1 if verdict == "worse" else 0)
        assert {key: value for key, value in gated.json.items() if key not in ("fail_if", "failed")} == done.json
        strict = compare(*line, "--fail-if", "not-better")
        assert (strict.code, strict.json["fail_if"]) == (0 if verdict == "better" else 1, "not-better")
        assert strict.json["failed"] == bool(strict.code)

    @pytest.mark.parametrize(("dtype", "part"), [("f4", 1e-6), ("f8", 1e-9)])
    @pytest.mark.parametrize(("times", "verdict"), [(0.5, "better or equal"), (3.0, None)])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_what_rounding_may_change_is_no_difference(self, compare, save, dtype, part, times, verdict, sign):
        a = np.full(50, 4.0, dtype)
        b = (a + sign * times * part * 4).astype(dtype)
        assert (a != b).all()
        done = compare("l1", save("a.npy", a), save("b.npy", b), "--targets", "0", "--fail-if", "worse")
        verdict = verdict or ("worse" if sign > 0 else "better")
        assert (done.json["verdict"], done.code) == (verdict, int(verdict == "worse"))

    @pytest.mark.parametrize(
        ("times", "words"), [(0.5, "no more than rounding may change"), (-0.5, "no more than rounding may change")]
    )
    def test_what_rounding_may_change_is_said(self, compare, save, times, words):
        a = np.full(50, 4.0)
        b = save("b.npy", a + times * 4e-9)
        asked = ("l1", save("a.npy", a), b, "--targets", "0")
        assert words in compare(*asked, "-f", "table").out
        assert compare(*asked).json["rounding"] == pytest.approx(4e-9, rel=1e-12)
        margin = compare(*asked[:2], save("c.npy", a + 0.1), *asked[3:], "--margin", "0.2", "-f", "table").out
        assert words not in margin
        assert "worse, but not by more than the margin 0.2" in margin

    def test_rounding_is_a_part_of_losses_that_cancel(self, compare, save):
        scores = np.where(np.arange(1000) % 2, 1000, -1000).astype("f4")
        words = [save("a.npy", np.nextafter(scores, np.float32(np.inf))), save("b.npy", scores)]
        assert (
            compare("wasserstein-gan", *words, "--targets", save("y.npy", np.ones(1000))).json["verdict"]
            == "better or equal"
        )

    def test_a_constant_added_to_float32_logits_makes_no_model_worse(self, compare, save):
        a = np.random.default_rng(0).normal(0, 3, (300, 5)).astype("f4")
        words = [save("a.npy", a), save("b.npy", a + np.float32(7)), "--targets", save("y.npy", np.arange(300) % 5)]
        found = compare("ce", *words).json
        assert found["difference"] != 0
        assert found["verdict"] == "better or equal"

    def test_one_worse_of_several_fails(self, compare, save):
        for name, value in (("a", 1.0), ("b", 0.5), ("c", 1.5)):
            save(f"{name}.npy", np.full(30, value))
        words = ["l1", "a.npy", "b.npy", "c.npy", "--targets", "0", "--fail-if", "worse"]
        done = compare(*words)
        assert done.code == 1
        assert [one["verdict"] for one in done.json["comparisons"]] == ["better", "worse"]

    def test_one_row_decides_nothing(self, compare, save):
        save("a.npy", [1.0])
        save("b.npy", [9.0])
        done = compare("l1", "a.npy", "b.npy", "--targets", "0", "--fail-if", "worse")
        assert done.code == 0
        assert done.json["verdict"] == "inconclusive"
        assert done.json["interval"] == [None, None]
        assert "warning: 1 row: too few" in done.err

    def test_an_end_that_is_only_rounding_is_0(self, run, save):
        """One row of very many differs: a third of the resamples do not have it, and their difference is 0."""
        z = np.random.default_rng(1).normal(size=(30_000, 3)).astype(np.float32)
        labels = np.zeros(len(z), int)
        other = z.copy()
        other[5, 0] += 1
        a, b, t = save("a.npy", z), save("b.npy", other), save("t.npy", labels)
        found = json.loads(run("compare", "ce", a, b, "--targets", t, "-f", "json", "-q").out)
        assert found["interval"][1] == 0
        assert found["verdict"] == "better or equal"


@pytest.fixture
def forests(save):
    """Probabilities of a logistic regression and of two forests, of which each tree votes: some votes are 0 for what is true."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 120)
    z = rng.normal(size=(120, 3)) + 2 * np.eye(3)[y]
    p = np.exp(log_softmax(z))
    votes = [rng.multinomial(40, 0.97 * p + 0.01) / 40 for _ in range(2)]
    for one in votes:
        one[one[np.arange(120), y] == 0] = [0.5, 0.25, 0.25]
    one, other = votes
    one[[3, 50]] = np.roll(np.eye(3), 1, axis=1)[y[[3, 50]]]
    other[[3, 60, 61, 90]] = np.roll(np.eye(3), 1, axis=1)[y[[3, 60, 61, 90]]]
    for name, x in (("logistic", p), ("forest", one), ("other", other), ("y", y)):
        save(f"{name}.npy", x)
    return p, one, other, y


class TestInfiniteLosses:
    """A forest whose trees all vote against the truth has p = 0 for it, and an infinite loss."""

    WORDS = ("--targets", "y.npy", "--from", "probs")

    def test_of_b_alone_make_it_worse(self, compare, forests):
        p, one, _, y = forests
        done = compare("ce", "logistic.npy", "forest.npy", *self.WORDS)
        found, rows = done.json, np.arange(120)
        assert done.code == 0
        assert (found["verdict"], found["difference"], found["value"], found["p"]) == ("worse", None, None, None)
        assert found["interval"] == [None, None]
        assert found["nonfinite"]["difference"] == "inf"
        a, b = -np.log(p[rows, y]), -np.log(np.maximum(one[rows, y], 1e-300))
        finite = ~np.isin(rows, (3, 50))
        assert found["against_value"] == pytest.approx(a.mean(), rel=1e-12)
        assert found["finite"]["samples"] == 118
        assert found["finite"]["difference"] == pytest.approx((b - a)[finite].mean(), rel=1e-12)
        assert found["finite"]["against_value"] == pytest.approx(a[finite].mean(), rel=1e-12)
        assert found["losses"] == (b > a)[finite].sum() + 2
        infinite = found["infinite"]
        assert (infinite["a_alone"], infinite["b_alone"], infinite["both"]) == (0, 2, 0)
        assert sum(entry["b"] for entry in infinite["classes"]) == 2
        assert [row["place"] for row in infinite["rows"]] == ["forest.npy[3]", "forest.npy[50]"]
        assert [row["why"] for row in infinite["rows"]] == [f"p = 0 for {y[i]}" for i in (3, 50)]
        assert found["rows"]["worse"][0]["sample"] == 3
        assert "2 rows of forest.npy have an infinite loss" in done.err

    def test_of_a_alone_make_b_better_and_a_gate_pass(self, compare, forests):
        done = compare("ce", "forest.npy", "logistic.npy", *self.WORDS, "--fail-if", "not-better")
        assert (done.code, done.json["verdict"], done.json["nonfinite"]["difference"]) == (0, "better", "-inf")

    @pytest.mark.parametrize("gate", [[], ["--fail-if", "worse"], ["--fail-if", "not-better"]])
    def test_of_both_leave_no_difference(self, compare, forests, gate):
        _, one, other, y = forests
        done = compare("ce", "forest.npy", "other.npy", *self.WORDS, *gate)
        found = json.loads(done.out)
        assert done.code == 3
        assert (found["verdict"], found["difference"], found["nonfinite"]["difference"]) == ("undefined", None, "nan")
        infinite = found["infinite"]
        assert (infinite["a_alone"], infinite["b_alone"], infinite["both"]) == (1, 3, 1)
        rows = np.setdiff1d(np.arange(120), (3, 50, 60, 61, 90))
        d = np.log(one[rows, y[rows]]) - np.log(other[rows, y[rows]])
        assert found["finite"]["difference"] == pytest.approx(d.mean(), rel=1e-12)
        assert done.err.splitlines()[-1].startswith("losscli: forest.npy and other.npy: both have infinite losses")

    def test_cures_are_complete_and_work(self, compare, run, forests):
        import shlex

        done = compare("ce", "forest.npy", "other.npy", *self.WORDS, "--margin", "0.5", "--top", "1", "-f", "table")
        lines = [line[line.index("losscli compare") :] for line in done.err.splitlines() if "losscli compare" in line]
        assert len(lines) == 2
        for line in lines:
            assert "--from probs --margin 0.5" in line
            assert run(*shlex.split(line)[1:], "-f", "json").code == 0

    def test_are_clipped_as_a_library_does(self, compare, forests):
        """scikit-learn's log_loss clips p at the epsilon of the dtype, and divides nothing afterwards."""
        _, one, other, y = forests
        rows = np.arange(120)
        a, b = (-np.log(np.maximum(x[rows, y], np.finfo(float).eps)) for x in (one, other))
        found = compare("ce", "forest.npy", "other.npy", *self.WORDS, "--as", "sklearn").json
        assert found["difference"] == pytest.approx((b - a).mean(), rel=1e-12)
        assert "infinite" not in found
        assert found["receipt"]["as"]["conventions"] == ["cuts p into [2.22044605e-16, 1]"]
        assert "|as:sklearn|" in found["signature"]
        out = compare("ce", "forest.npy", "other.npy", *self.WORDS, "--as", "sklearn", "-f", "table").out
        assert "losses are clipped: sklearn cuts p into [2.22044605e-16, 1]" in out

    def test_of_a_table_are_named_by_place_id_and_class(self, compare, write):
        write("a.csv", "id,cat,dog\nr1,0.5,0.5\nr2,0.9,0.1\nr3,0.2,0.8\n")
        write("b.csv", "id,dog,cat\nr3,1,0\nr2,1,0\nr1,0.5,0.5\n")
        write("y.csv", "id,label\nr1,cat\nr2,cat\nr3,dog\n")
        done = compare("ce", "a.csv", "b.csv", "--targets", "y.csv", "--from", "probs", "--id", "id")
        assert done.json["infinite"]["rows"] == [
            {"model": "b.csv", "place": "b.csv:3", "sample": 1, "id": "r2", "target": "cat", "why": "p = 0 for cat"}
        ]
        assert done.json["infinite"]["classes"] == [{"class": "cat", "a": 0, "b": 1}]
        by_class = {one["class"]: one for one in done.json["classes"]}
        assert (by_class["cat"]["rows"], by_class["cat"]["difference"]) == (2, None)

    def test_of_outputs_and_numbers(self, compare, save):
        save("t.npy", [[1, 0], [0, 1]])
        save("a.npy", [[0.5, 0.5], [0.5, 0.5]])
        save("b.npy", [[0.5, 1.0], [0.0, 0.0]])
        found = compare("bce", "a.npy", "b.npy", "--targets", "t.npy", "--from", "probs").json["infinite"]
        assert [row["why"] for row in found["rows"]] == ["p = 1 for 1", "p = 0 for 1"]
        save("x.npy", [1.0, 2])
        save("z.npy", [1e200, 2])
        done = compare("mse", "x.npy", "z.npy", "--targets", "0")
        assert (done.code, done.json["verdict"]) == (0, "worse")
        assert done.json["infinite"]["rows"][0]["why"] == "prediction 1e+200, target 0"

    def test_of_features_and_lists(self, compare, save, write):
        """Features are no predictions of classes, and lists have names."""
        save("c.npy", np.zeros((2, 1)))
        save("y.npy", [1, 0])
        save("a.npy", [[1.0], [2.0]])
        save("b.npy", [[1.0], [1e200]])
        found = compare("center", "a.npy", "b.npy", "--targets", "y.npy", "--centers", "c.npy").json
        assert found["infinite"]["rows"] == [{"model": "b.npy", "place": "b.npy[1]", "sample": 1, "target": 0}]
        save("s.npy", [1.0, 0, 1, 2])
        save("r.npy", [1.0, 0, -np.inf, 2])
        save("t.npy", [1, 0, 1, 0])
        write("q.csv", "q\nx\nx\ny\ny\n")
        found = compare("listwise-softmax", "s.npy", "r.npy", "--targets", "t.npy", "--group", "q.csv:q").json
        assert [(row["sample"], row["group"]) for row in found["infinite"]["rows"]] == [(1, "y")]

    def test_of_rows_that_a_join_moves(self, compare, write):
        """r2 has no partner and is dropped; the places are those of each model's own file."""
        write("a.csv", "id,p\nr1,0.5\nr2,0.5\nr3,0\nr4,0.5\n")
        write("b.csv", "id,p\nr4,0\nr3,0.5\nr1,0.5\nr9,0.5\n")
        write("y.csv", "id,t\nr1,1\nr3,1\nr4,1\nr2,0\nr9,1\n")
        words = ("--targets", "y.csv", "--from", "probs", "--id", "id", "--on-unmatched", "drop")
        found = json.loads(compare("bce", "a.csv", "b.csv", *words).out)
        assert [(row["place"], row["id"], row["sample"]) for row in found["infinite"]["rows"]] == [
            ('a.csv:4, column "p"', "r3", 2),
            ('b.csv:2, column "p"', "r4", 0),
        ]
        assert (found["samples"], found["verdict"]) == (3, "undefined")

    def test_of_every_row(self, compare, save):
        save("t.npy", [1, 1])
        save("a.npy", [0.5, 0.25])
        save("b.npy", [0.0, 0.0])
        words = ("--targets", "t.npy", "--from", "probs")
        found = compare("bce", "a.npy", "b.npy", *words).json
        assert (found["verdict"], "finite" in found) == ("worse", False)
        done = compare("bce", "b.npy", "b.npy", *words, "-f", "table")
        assert done.code == 3
        assert "nan" not in done.out

    def test_of_many_rows_are_counted_in_every_part(self, compare, forests, monkeypatch):
        words = ("ce", "forest.npy", "other.npy", *self.WORDS, "--resamples", "500")
        one = json.loads(compare(*words).out)
        monkeypatch.setattr(comparing, "SCAN_BYTES", 8 * 17)
        assert json.loads(compare(*words).out)["infinite"] == one["infinite"]
        monkeypatch.setattr(comparing, "EXACT_ROWS", 50)
        cells = json.loads(compare(*words).out)
        assert cells["finite"]["difference"] == pytest.approx(one["finite"]["difference"], rel=1e-12)

    def test_of_one_of_three_models(self, compare, forests):
        done = compare("ce", "logistic.npy", "forest.npy", "logistic.npy", *self.WORDS)
        first, second = done.json["comparisons"]
        assert ("p_adjusted" in first, second["p_adjusted"]) == (False, 1)
        assert [first["verdict"], second["verdict"]] == ["worse", "better or equal"]

    def test_have_no_place_in_a_picture(self, run, forests):
        words = ("plot", "compare", "ce", "logistic.npy", "forest.npy", *self.WORDS, "-o", "c.png")
        run(*words).refuses(3, "2 rows of forest.npy", "--as sklearn")
        assert not Path("c.png").exists()
        assert run(*words, "--as", "sklearn").code == 0

    def test_in_python(self, forests):
        import losscli

        p, one, other, y = forests
        with pytest.warns(losscli.LosscliWarning) as warned:
            found = losscli.compare("ce", one, other, targets=y, from_="probs", fail_if="not-better", top=0)
        assert any("as_='sklearn' clips" in str(one.message) for one in warned)
        assert (found.undefined, found.fails(), found.comparisons[0].verdict) == (True, True, "undefined")
        found = losscli.compare("ce", p, one, targets=y, from_="probs", as_="sklearn", fail_if="worse")
        assert found.fails() == (found.comparisons[0].verdict == "worse")
        with pytest.raises(losscli.UsageError, match="--fail-if"):
            losscli.compare("ce", p, one, targets=y, from_="probs", fail_if="better")


class TestWords:
    def test_what_so_many_rows_can_show(self, compare, save):
        rng = np.random.default_rng(0)
        a = rng.uniform(5, 6, 360)
        noise = rng.normal(size=360)
        save("a.npy", a)
        save("b.npy", a + 0.1 * (noise - noise.mean()) / noise.std(ddof=1))
        done = compare("l1", "a.npy", "b.npy", "--targets", "0")
        # 0.148053 of a standard deviation, by statsmodels 0.15.0
        assert done.json["detectable"] == pytest.approx(0.0148053, rel=1e-3)
        assert done.json["power"] == 0.8
        out = compare("l1", "a.npy", "b.npy", "--targets", "0", "-f", "table").out
        assert (
            "360 rows can show a difference of about 0.015 or more (0.27 % of A), at 95 % confidence with 80 % power"
            in out
        )
        better = compare("l1", "b.npy", "a.npy", "--targets", "0", "-f", "table", "--margin", "1").out
        assert "can show" not in better

    def test_a_gate_has_the_last_word(self, compare, models, save):
        save("c.npy", np.load("a.npy"))
        words = ("ce", "a.npy", "b.npy", "c.npy", "--targets", "y.npy", "-f", "table", "--fail-if")
        failed = compare(*words, "not-better")
        assert failed.code == 1
        assert failed.out.splitlines()[-1] == (
            "FAILED (--fail-if not-better): B is better; C is better or equal (A is a.npy, B is b.npy, C is c.npy)"
        )
        passed = compare(*words, "worse")
        assert passed.code == 0
        assert passed.out.splitlines()[-1].startswith("passed (--fail-if worse): B is better; C is better or equal")
        alone = compare("ce", "a.npy", "b.npy", "--targets", "y.npy", "-f", "table", "--fail-if", "worse").out
        assert alone.splitlines()[-1].startswith("passed (--fail-if worse): B is better: B is 1")
        assert alone.splitlines()[-1].endswith("(A is a.npy, B is b.npy)")
        markdown = compare(*words[:-3], "--fail-if", "worse", "-f", "markdown").out
        assert markdown.splitlines()[-1].startswith("passed (--fail-if worse)")

    def test_of_several_models_there_is_a_list_the_best_first(self, compare, save):
        for name, value in (("a", 1.0), ("b", 1.5), ("c", 0.5)):
            save(f"{name}.npy", np.full(30, value))
        words = ("l1", "a.npy", "b.npy", "--targets", "0", "-f", "table")
        out = compare(*words[:3], "c.npy", *words[3:]).out
        lines = out[out.index("models, the smallest mean loss first") :].splitlines()
        assert [line.split("|")[1:6] for line in lines[4:7]] == [
            [" C ", " c.npy ", "  0.5 ", "  -50 % ", " better  "],
            [" A ", " a.npy ", "  1.0 ", "        ", "         "],
            [" B ", " b.npy ", "  1.5 ", "  +50 % ", " worse   "],
        ]
        assert "models, the" not in compare(*words).out

    def test_equal_within_the_margin_says_that_it_is_worse(self, compare, save):
        a = np.random.default_rng(0).uniform(5, 6, 100)
        save("a.npy", a)
        save("b.npy", a + 0.5)
        out = compare("l1", "a.npy", "b.npy", "--targets", "0", "--margin", "0.6", "-f", "table").out
        assert "; worse, but not by more than the margin 0.6" in out

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (["--as", "torch,keras"], ["one library at a time"]),
            (["--as", "tensorflow1"], ["no library"]),
            (["--as", "sklearn", "--label-smoothing", "0.1"], ["sklearn", "label smoothing"]),
        ],
    )
    def test_libraries_that_cannot_be(self, compare, models, words, parts):
        compare("ce", "a.npy", "b.npy", "--targets", "y.npy", *words).refuses(2, *parts)

    def test_numbers_that_a_library_makes_nan_of_are_refused(self, compare, save):
        """torch.nn.functional.cross_entropy multiplies log p = -inf by a target of 0, which is NaN in torch 2.13.0 too."""
        save("a.npy", np.zeros((3, 2)))
        save("b.npy", [[0.0, 0], [0.0, -np.inf], [0, 0]])
        save("t.npy", [[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]])
        words = ("ce", "a.npy", "b.npy", "--targets", "t.npy")
        assert compare(*words).json["samples"] == 3
        compare(*words, "--as", "torch").refuses(3, "b.npy[1]: as torch computes it, the loss is NaN", "leave --as out")

    def test_what_has_no_loss_is_told_as_compute_does(self, compare, save):
        save("a.npy", np.zeros((3, 2)))
        save("b.npy", [[0.0, 0], [0.0, np.nan], [0, 0]])
        save("t.npy", [0, 1, 0])
        compare("ce", "a.npy", "b.npy", "--targets", "t.npy").refuses(
            3, "b.npy[1, 1]: the prediction is NaN; correct the row"
        )
        save("m.npy", [1.0, -2, 3])
        save("c.npy", [1.0, 2, 3])
        compare("poisson", "c.npy", "m.npy", "--targets", "c.npy").refuses(
            3, "m.npy[1]: the prediction -2 is not in [0, inf)"
        )

    def test_the_defaults_of_a_library_are_its_own(self, compare, models):
        """optax.losses.poly_loss_cross_entropy has epsilon = 2 by default, which a SPEC replaces."""
        words = ("a.npy", "b.npy", "--targets", "y.npy", "--as", "optax")
        assert compare("poly-1", *words).json["parameters"] == {"epsilon": 2.0}
        assert compare("poly-1:epsilon=1.5", *words).json["parameters"] == {"epsilon": 1.5}

    def test_a_library_keeps_what_the_spec_says(self, compare, save):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(2, 40)) * 3
        save("a.npy", a)
        save("b.npy", b)
        plain = compare("huber:delta=2", "a.npy", "b.npy", "--targets", "0").json
        torch = compare("huber:delta=2", "a.npy", "b.npy", "--targets", "0", "--as", "torch").json
        assert torch["parameters"] == {"delta": 2.0}
        assert torch["difference"] == pytest.approx(plain["difference"], rel=1e-12)


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "code", "parts"),
        [
            (["ce", "a.npy", "--targets", "y.npy"], 2, ["one model"]),
            (["ce", "a.npy", "b.npy"], 2, ["--targets"]),
            (
                ["cross-entorpy", "a.npy", "b.npy", "--targets", "y.npy"],
                2,
                ["cross-entorpy", "did you mean cross-entropy"],
            ),
            (["softmax-focal:gamma=1,2", "a.npy", "b.npy", "--targets", "y.npy"], 2, ["2 losses"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--margin", "-1"], 2, ["--margin"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--margin", "nan"], 2, ["--margin"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--confidence", "95"], 2, ["--confidence"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--resamples", "10"], 2, ["--resamples"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--fail-if", "better"], 2, ["--fail-if"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--pos-weight", "2"], 2, ["--pos-weight", "sigmoid"]),
            (["generalized-dice", "a.npy", "b.npy", "--targets", "y.npy"], 2, ["generalized-dice", "whole file"]),
            (["ce", "a.npy", "gone.npy", "--targets", "y.npy"], 3, ["gone.npy", "no such file (predictions)"]),
            (["ce", "a.npy", "b.npy", "--targets", "y.npy", "--ignore-index", "9", "-o", "b.npy"], 2, ["-", "suffix"]),
        ],
    )
    def test_of_options_and_files(self, compare, models, words, code, parts):
        compare(*words).refuses(code, *parts)

    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (
                ["p.npy", "q.npy", "--targets", "y.npy"],
                "softmax-cross-entropy p.npy q.npy --targets y.npy --from probs",
            ),
            (["p.npy", "q.npy", "y.npy"], "softmax-cross-entropy p.npy q.npy --targets y.npy --from probs"),
            (["a.npy", "b.npy", "y.npy"], "softmax-cross-entropy a.npy b.npy --targets y.npy"),
            (["ce", "p.npy", "q.npy", "y.npy", "--from", "probs"], "ce p.npy q.npy --targets y.npy --from probs"),
            (["x.npy", "x.npy", "--targets", "x.npy"], "squared-error x.npy x.npy --targets x.npy"),
        ],
    )
    def test_of_what_is_missing_say_the_whole_line(self, compare, run, models, save, words, line):
        save("p.npy", np.exp(log_softmax(np.load("a.npy"))))
        save("q.npy", np.exp(log_softmax(np.load("b.npy"))))
        save("x.npy", [1.5, 2.0, 3.0])
        compare(*words).refuses(2, f": losscli compare {line}")
        assert run("compare", *line.split(), "-f", "json").code == 0
        run("plot", "compare", *words, "-o", "c.png").refuses(2, f": losscli plot compare {line}")

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (["ce", "a.npy", "b.npy"], ["no --targets", "losscli compare ce A B --targets TARGETS"]),
            (["a.npy", "b.npy"], ["no loss and no --targets", "losscli compare LOSS A B --targets TARGETS"]),
            (["huberr", "b.npy", "a.npy"], ["did you mean huber", "--targets TARGETS"]),
            (["huber:delta=-1", "b.npy", "a.npy"], ["delta", "--targets TARGETS"]),
        ],
    )
    def test_of_what_nobody_can_guess(self, compare, models, words, parts):
        compare(*words).refuses(2, *parts)

    def test_of_losses_that_are_not_finite(self, compare, models, save):
        b = np.load("b.npy")
        b[7, 0] = np.nan
        save("b.npy", b)
        compare("ce", "a.npy", "b.npy", "--targets", "y.npy").refuses(3, "b.npy[7")
        b[7] = [0, -np.inf, 0]
        save("b.npy", b)
        y = np.load("y.npy")
        y[7] = 1
        save("y.npy", y)
        assert compare("ce", "a.npy", "b.npy", "--targets", "y.npy").json["verdict"] == "worse"
        weights = np.ones(200)
        weights[7] = 0
        save("w.npy", weights)
        done = compare("ce", "a.npy", "b.npy", "--targets", "y.npy", "--sample-weight", "w.npy")
        assert math.isfinite(done.json["difference"])

    def test_of_nothing(self, compare, models):
        compare("ce", "a.npy", "b.npy", "--targets", "y.npy", *(["--ignore-index", "0"])).json  # noqa: B018
        np.save("y.npy", np.zeros(200, int))
        compare("ce", "a.npy", "b.npy", "--targets", "y.npy", "--ignore-index", "0").refuses(3, "no samples left")

    @pytest.mark.parametrize(
        ("make", "words", "parts"),
        [
            (lambda save: (save("p.npy", np.zeros((3, 2))), save("q.npy", np.zeros(3))), [], ["2 columns", "one number"]),
            (lambda save: (save("p.npy", np.zeros((3, 2))), save("q.npy", np.zeros((3, 4)))), [], ["2 columns", "4 columns"]),
        ],
    )  # fmt: skip
    def test_of_models_of_other_outputs(self, compare, save, make, words, parts):
        p, q = make(save)
        compare("mse", p, q, "--targets", "0", *words).refuses(3, *parts)

    def test_of_columns_in_another_order_where_labels_are_indices(self, compare, write, save):
        write("p.csv", "cat,dog\n1,2\n2,1\n")
        write("q.csv", "dog,cat\n2,1\n1,2\n")
        save("y.npy", [0, 1])
        compare("ce", "p.csv", "q.csv", "--targets", "y.npy").refuses(3, "q.csv", "dog, cat", "--classes")
        write("y.csv", "l\ncat\ndog\n")
        assert compare("ce", "p.csv", "q.csv", "--targets", "y.csv").json["difference"] == 0
        assert compare("ce", "p.csv", "q.csv", "--targets", "y.npy", "--classes", "cat,dog").json["difference"] == 0

    def test_of_weights_that_depend_on_the_model(self, compare, models):
        words = ["--class-weight", "balanced", "--id", "id", "--on-unmatched", "drop"]
        compare("ce", "a.npy", "b.npy", "--targets", "y.npy", *words).refuses(2, "balanced", "drop")

    def test_of_more_confidence_than_resamples_give(self, compare, models):
        words = ["--confidence", "0.999999"]
        compare("ce", "a.npy", "b.npy", "--targets", "y.npy", *words).refuses(2, "--resamples")

    @pytest.mark.parametrize("command", [[], ["plot"]])
    def test_to_write_over_any_model(self, run, save, folder, command):
        save("a.npy", np.zeros(30))
        save("b.npy", np.ones(30))
        suffix = "png" if command else "json"
        (folder / f"link.{suffix}").symlink_to("b.npy")
        words = ["compare", "l1", "a.npy", "b.npy", "--targets", "0", "-o", f"link.{suffix}"]
        run(*command, *words).refuses(2, f"link.{suffix}", "input")
        assert np.load("b.npy").sum() == 30


class TestHardNumbers:
    def test_differences_that_are_close_together_have_an_interval(self, compare, save):
        """Of many rows around 5 the spread is that of their deviations."""
        save("a.npy", np.zeros(30_000))
        b = 5.05 + 0.01 * np.random.default_rng(3).normal(size=30_000)
        save("b.npy", b)
        found = compare("l1", "a.npy", "b.npy", "--targets", "0", "--resamples", "2000").json
        half = 1.96 * b.std() / math.sqrt(30_000)
        assert found["interval"] == pytest.approx([b.mean() - half, b.mean() + half], abs=0.15 * half)

    def test_many_weights_do_not_make_many_cells(self, compare, save):
        rng = np.random.default_rng(0)
        a, b, w = rng.normal(size=40_000), rng.normal(size=40_000), rng.random(40_000)
        for name, values in (("a", a), ("b", b), ("w", w)):
            save(f"{name}.npy", values)
        found = compare(
            "mse", "a.npy", "b.npy", "--targets", "0", "--sample-weight", "w.npy", "--resamples", "2000"
        ).json
        assert found["cells"] < 1500
        d = b**2 - a**2
        mean = np.average(d, weights=w)
        half = 1.96 * math.sqrt((w**2 * (d - mean) ** 2).sum()) / w.sum()
        assert found["interval"] == pytest.approx([mean - half, mean + half], abs=0.15 * half)

    def test_rows_of_weight_0_do_not_count(self, compare, save):
        a = np.arange(30.0)
        b = a.copy()
        b[7] += 5
        save("a.npy", a)
        save("b.npy", b)
        save("w.npy", np.where(np.arange(30) == 7, 0.0, 1))
        found = compare("l1", "a.npy", "b.npy", "--targets", "0", "--sample-weight", "w.npy").json
        assert (found["samples"], found["losses"], found["std"], found["rows"]["worse"]) == (29, 0, 0, [])

    @pytest.mark.parametrize("scale", [1e-200, 1e-320, 1e150])
    def test_the_smallest_and_the_largest(self, compare, run, save, scale):
        rng = np.random.default_rng(1)
        save("a.npy", rng.random(50) * scale)
        save("b.npy", rng.random(50) * scale)
        assert compare("l1", "a.npy", "b.npy", "--targets", "0").code == 0
        assert run("plot", "compare", "l1", "a.npy", "b.npy", "--targets", "0", "-o", "c.png").code in (0, 3)


class TestOutput:
    def test_is_a_table_of_everything(self, compare, models):
        out = compare("ce", "a.npy", "b.npy", "--targets", "y.npy", "-f", "table").out
        for part in (
            "B - A",
            "95 % interval",
            "verdict        better: B is 1",
            "won by B",
            "by class",
            "became worse",
        ):
            assert part in out

    def test_is_read_aloud(self, run, sample_data):
        """The words of a person for the numbers of JSON."""
        p, q = (str(sample_data / f"digits_{name}.npy") for name in ("logits", "mlp"))
        line = ("compare", "ce", p, q, "--targets", str(sample_data / "digits_labels.npy"))
        words = next(text for text in run(*line).out.splitlines() if text.startswith("verdict"))
        found = json.loads(run(*line, "-f", "json").out)
        low, high = found["interval"]
        assert words.removeprefix("verdict").strip() == (
            f"better: B is {-100 * found['relative']:.1f} % lower; 95 % interval {low:.3f} to {high:.3f}"
        )

    @pytest.mark.parametrize(
        ("numbers", "relative", "words"),
        [
            ((-0.0385, -0.0552, -0.0179), -0.2368, "B is 23.7 % lower; 95 % interval -0.055 to -0.018"),
            ((0.5, -2.0, 3.0), 0.004, "B is 0.4 % higher; 95 % interval -2.0 to 3.0"),
            ((-12.0, -14.0, -10.0), math.nan, "B is 12 lower; 95 % interval -14.0 to -10.0"),
            ((1500.0, 1000.0, 2000.0), 30.0, "B is 3,000 % higher; 95 % interval 1000 to 2000"),
            ((0.0, 0.0, 0.0), 0.0, "B is as A; 95 % interval 0 to 0"),
            ((8.0, math.nan, math.nan), 8.0, "B is 800 % higher; no interval"),
            ((-1e-12, -2e-12, -1e-13), -0.1, "B is 10 % lower; 95 % interval -2e-12 to -1e-13"),
            ((-0.01, -0.03, 0.0001), -0.1, "B is 10 % lower; 95 % interval -0.0300 to 0.0001"),
        ],
    )
    def test_numbers_in_words(self, numbers, relative, words):
        from types import SimpleNamespace

        from losscli.render.compare import _read_aloud

        difference, low, high = numbers
        assert _read_aloud("B", SimpleNamespace(difference=difference, low=low, high=high), relative, 0.95) == words

    def test_of_three_models_no_two_rows_have_the_same_name(self, compare, models):
        out = compare("ce", "a.npy", "b.npy", "a.npy", "--targets", "y.npy", "-f", "table").out
        names = [line.split("  ")[0] for line in out.split("\n\n")[0].splitlines()]
        assert len(names) == len(set(names))
        assert {"B: verdict", "C: verdict", "B: 95 % interval"} <= set(names)

    def test_is_markdown(self, compare, models):
        out = compare("ce", "a.npy", "b.npy", "--targets", "y.npy", "-f", "markdown").out
        assert "| verdict | better: B is 1" in out
        assert "| class | rows | difference | low | high |" in out

    def test_goes_to_files(self, compare, models, folder):
        words = ["ce", "a.npy", "b.npy", "--targets", "y.npy"]
        done = compare(*words, "-o", "c.json")
        assert json.loads((folder / "c.json").read_text()) == done.json
        compare(*words, "-o", "c.md")
        assert "verdict" in (folder / "c.md").read_text()
        compare(*words, "-o", "c.csv").refuses(2, "c.csv", ".json")
        (folder / "y.json").write_text("{}")

    def test_of_the_top_rows(self, compare, models):
        words = ["ce", "a.npy", "b.npy", "--targets", "y.npy", "--top"]
        assert compare(*words, "0").json["rows"] == {"worse": [], "better": []}
        assert len(compare(*words, "1000").json["rows"]["worse"]) == compare(*words, "0").json["losses"]


class TestPicture:
    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_is_drawn(self, run, models, folder, suffix):
        done = run("plot", "compare", "ce", "a.npy", "b.npy", "--targets", "y.npy", "-o", f"c.{suffix}")
        assert (done.code, done.out) == (0, "")
        assert (folder / f"c.{suffix}").stat().st_size > 5000

    def test_says_what_compare_says(self, run, compare, models, folder):
        found = compare("ce", "a.npy", "b.npy", "--targets", "y.npy").json
        run("plot", "compare", "ce", "a.npy", "b.npy", "--targets", "y.npy", "-o", "c.svg")
        text = (folder / "c.svg").read_text()
        assert f"{found['difference']:.4g}".replace("-", "\u2212") in text
        assert f"{found['interval'][0]:.4g}".replace("-", "\u2212") in text
        assert "better: 200 rows" in text

    def test_counts_every_row(self, models):
        from losscli.plots.compare import Counts

        class Made:
            low = high = difference = 0.0

            def __init__(self, parts):
                self.meeting = parts

        a, b, _ = models
        part = comparing.Paired(np.arange(200), np.arange(200), a, b, None, None)
        found = Counts.of(Made([part]))
        assert found.counts.sum() == found.joint.sum() == 200
        assert found.beyond == (np.abs(b - a) > found.edges[-1]).sum()
        assert found.counts[:30].sum() == (b - a < found.edges[30]).sum()
        assert found.edges[30] < 0 < found.edges[31]

    @pytest.mark.parametrize(
        ("a", "b"),
        [(np.zeros(5), np.zeros(5)), (np.full(3, 1e200), np.zeros(3)), ([1.0], [2.0]), (np.zeros(4), np.ones(4))],
    )
    def test_of_hard_numbers(self, run, save, a, b):
        save("a.npy", a)
        save("b.npy", b)
        done = run("plot", "compare", "l1", "a.npy", "b.npy", "--targets", "0", "-o", "c.png")
        assert done.code == (3 if np.max(a) > 1e100 else 0), done.err

    def test_ties_are_no_losses(self, run, models, folder):
        from losscli.plots import compare as picture

        assert picture.BINS % 2 == 1
        done = run("plot", "compare", "ce", "a.npy", "a.npy", "--targets", "y.npy", "-o", "c.svg", "--margin", "0.25")
        assert done.code == 0
        text = (folder / "c.svg").read_text()
        assert "about equal" in text
        assert "by a margin of 0.25" in text

    def test_losses_below_0_and_titles_with_dollars(self, run, save):
        rng = np.random.default_rng(0)
        save("a.npy", rng.normal(size=40))
        save("b.npy", rng.normal(size=40))
        save("v.npy", np.full(40, 0.01))
        words = ["a.npy", "b.npy", "--targets", "0", "--variance", "v.npy", "-o", "c.png", "--title", "$_{$ a"]
        assert run("plot", "compare", "gaussian-nll", *words).code == 0

    def test_is_of_two_models(self, run, models):
        words = ["--targets", "y.npy", "-o", "c.png"]
        run("plot", "compare", "ce", "a.npy", "b.npy", "a.npy", *words).refuses(2, "3 models")
        run("plot", "compare", "ce", "a.npy", *words).refuses(2, "1 model")
        run("plot", "compare", "ce", "a.npy", "b.npy", "--targets", "y.npy", "-o", "c.bmp").refuses(2, "c.bmp")


def test_exit_codes_of_a_process(process, models, save):
    words = ["compare", "ce", "a.npy", "b.npy", "--targets", "y.npy", "--resamples", "500", "--fail-if", "worse"]
    assert process(*words).code == 0
    assert (
        process(*(word.translate(str.maketrans("ab", "ba")) if word.endswith(".npy") else word for word in words)).code
        == 1
    )
    process(*words, "--margin", "-1").refuses(2, "--margin")
    save("b.npy", np.zeros((3, 3)))
    process(*words).refuses(3, "b.npy")


def test_rows_of_each_model_are_counted_as_they_are_read(compare, models, monkeypatch):
    """Which is what a bar of progress shows."""
    done, score = [], comparing.score

    def counted(request, opener, threads, begun, seen, *rest, **more):
        return score(request, opener, threads, begun, done.append, *rest, **more)

    monkeypatch.setattr(comparing, "score", counted)
    assert compare("ce", "a.npy", "b.npy", "--targets", "y.npy").code == 0
    assert done.count(200) == 2


class TestColumnsInAnotherOrder:
    """The same model twice, its columns in two orders: no difference, or refused where something has no names."""

    @pytest.fixture(autouse=True)
    def files(self, write, save):
        write("a.csv", "a,b\n1,2\n3,5\n7,1\n")
        write("b.csv", "b,a\n2,1\n5,3\n1,7\n")
        write("t.csv", "b,a\n0,1\n0,2\n0,0\n")
        write("ab.csv", "a,b\n1,9\n1,9\n1,9\n")
        write("label.csv", "y\na\nb\nb\n")
        write("n.csv", "3\n1\n")
        write("c.csv", "class,a,b\na,0,1\nb,1,0\n")
        save("t.npy", np.array([[0.0, 1], [0, 2], [0, 0]]))
        save("w.npy", np.array([[1.0, 0]] * 3))
        save("c.npy", np.array([[0.0, 1], [1, 0]]))

    @pytest.mark.parametrize(
        "line",
        [
            "mse --targets t.csv",
            "mse --targets 0",
            "mse --targets t.npy --columns a,b",
            "mse --targets t.csv --sample-weight ab.csv",
            "mse --targets t.csv --output-weight a=1,b=3",
            "gaussian-nll --targets t.csv --variance ab.csv",
            "ce --targets label.csv",
            "ce --targets label.csv --class-weight a=3,b=1",
            "logit-adjusted --targets label.csv --class-counts a=3,b=1",
            "center --targets label.csv --centers c.csv",
        ],
    )
    def test_is_no_difference(self, compare, line):
        loss, *words = line.split()
        assert compare(loss, "a.csv", "b.csv", *words).json["difference"] == 0

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ("mse --targets t.npy", "targets"),
            ("poisson --targets t.npy", "targets"),
            ("mse --targets 0 --sample-weight w.npy", "weights"),
            ("mse --targets 0 --mask w.npy", "masks"),
            ("mse --targets t.csv --output-weight 1,3", "output weights"),
            ("logit-adjusted --targets label.csv --class-counts n.csv", "class counts"),
            ("center --targets label.csv --classes a,b --centers c.npy", "centers"),
        ],
    )
    def test_is_refused_where_positions_count(self, compare, line, what):
        loss, *words = line.split()
        compare(loss, "a.csv", "b.csv", *words).refuses(
            3, "b.csv", "a.csv", f"the {what} are matched with either by position"
        )

    def test_one_number_for_all_targets_has_no_order_either_where_rows_are_joined(self, compare, write):
        write("ia.csv", "id,a,b\nx,1,2\ny,3,5\n")
        write("ib.csv", "id,b,a\ny,5,3\nx,2,1\n")
        assert compare("mse", "ia.csv", "ib.csv", "--targets", "0", "--id", "id").json["difference"] == 0
