"""`losscli centers`: the rules against exact fractions and other libraries' formulas, and files that people have."""

import math
import os
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from losscli.analysis.centers import Sums, checked_rule, moved, opened, request_of
from losscli.engine import job as job_module

X = [[0.0, 0.0], [2.0, 0.0], [4.0, 6.0]]
Y = [0, 0, 1]
C = [[1.0, 1.0], [4.0, 4.0]]
BY_HAND = {
    # sum(c - x) is (0, 2) for class 0 of two rows, and (0, -2) for class 1 of one row; alpha is 1/2.
    "paper": ([[1, Fraction(2, 3)], [4, Fraction(9, 2)]], [Fraction(1, 3), Fraction(1, 2)], Fraction(185, 216)),
    "sgd": ([[1, 0], [4, 5]], [1, 1], Fraction(1, 2)),
    "mean": ([[1, 0], [4, 6]], [1, 2], Fraction(1, 3)),
}
"""Rule -> centers, how far each moved, and the mean loss afterwards; before it is 4/3."""

# What follows is in TensorFlow 2.21.0: Variable.scatter_sub of (1 - alfa) (c - x) with alfa = 0.7, as facenet has it, and of
# 0.3 (c - x) / (1 + n), with n from unique_with_counts; and in PyTorch 2.13.0: c - 0.3 dL/dc, L half the squared distances.
FEATURES = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5], [-2.0, 0.25, 1.0], [0.125, 3.0, -1.5], [2.5, -0.5, 0.0]]
LABELS = [0, 2, 0, 1, 0]
CENTERS = [[0.25, 0.5, -0.75], [1.0, 2.0, -1.0], [0.5, 0.5, 0.5], [9.0, 8.0, 7.0]]
GOLDEN = {
    "sgd": [[0.325, -0.4, 0.825], [0.7375, 2.3, -1.15], [0.8, 0.575, 0.2], [9.0, 8.0, 7.0]],
    "paper": [[0.26875, 0.275, -0.35625], [0.86875, 2.15, -1.075], [0.65, 0.5375, 0.35], [9.0, 8.0, 7.0]],
}
GOLDEN_LOSS = 2.9578125


def near(expected, rel=1e-14, abs=1e-15):
    return pytest.approx(expected, rel=rel, abs=abs)


@pytest.fixture
def centers(run):
    """Run `losscli centers ... -f json`."""

    def call(*words, stdin=b""):
        return run("centers", *words, "-f", "json", stdin=stdin)

    return call


@pytest.fixture
def files(save):
    """The example by hand: names of features, labels and centers."""
    return save("x.npy", X), save("y.npy", Y), save("c.npy", C)


def of(found, key):
    return [line[key] for line in found.json["classes"]]


@pytest.mark.simd
class TestRules:
    @pytest.mark.parametrize("update", BY_HAND)
    def test_by_hand(self, centers, files, update):
        x, y, c = files
        found = centers(x, y, "--centers", c, "--update", update, "-o", "new.npy")
        expected, steps, loss = BY_HAND[update]
        new = np.load("new.npy")
        assert new.dtype == np.float64
        assert new.tolist() == [near([float(value) for value in row]) for row in expected]
        assert of(found, "moved") == near(list(map(float, steps)))
        assert of(found, "count") == [2, 1]
        assert found.json["loss_before"] == near(4 / 3)
        assert found.json["loss_after"] == near(float(loss))
        assert found.json["alpha"] == (None if update == "mean" else 0.5)

    def test_spread_and_distance_by_hand(self, centers, files):
        x, y, c = files
        found = centers(x, y, "--centers", c)
        assert found.json["update"] == "paper"
        assert of(found, "spread") == near([math.sqrt(13 / 9), 1.5])
        assert of(found, "loss_before") == near([1.0, 2.0])
        assert of(found, "loss_after") == near([13 / 18, 9 / 8])
        assert of(found, "nearest") == ["1", "0"]
        assert of(found, "distance") == near([math.hypot(3, 4.5 - 2 / 3)] * 2)

    def test_means_without_centers(self, centers, files):
        x, y, _ = files
        found = centers(x, y, "-o", "new.npy")
        assert found.json["update"] == "mean"
        assert np.load("new.npy").tolist() == [[1.0, 0.0], [4.0, 6.0]]
        assert of(found, "moved") == [None, None]
        assert of(found, "spread") == [1.0, 0.0]
        assert (found.json["loss_before"], found.json["loss_after"]) == (None, near(1 / 3))

    @pytest.mark.parametrize("update", GOLDEN)
    def test_other_libraries_formulas(self, centers, save, update):
        x, y, c = save("x.npy", FEATURES), save("y.npy", LABELS), save("c.npy", CENTERS)
        found = centers(x, y, "--centers", c, "--update", update, "--alpha", "0.3", "-o", "new.npy")
        assert np.load("new.npy") == near(np.array(GOLDEN[update]))
        assert found.json["loss_before"] == near(GOLDEN_LOSS)
        assert np.load("new.npy")[3].tolist() == CENTERS[3]
        assert found.json["classes"][3]["moved"] == 0
        assert found.json["classes"][3]["spread"] is None
        assert "no row has 3" in found.err

    @pytest.mark.parametrize("alpha", [0, 1])
    @pytest.mark.parametrize("update", ["paper", "sgd"])
    def test_the_ends_of_alpha(self, centers, files, update, alpha):
        x, y, c = files
        centers(x, y, "--centers", c, "--update", update, "--alpha", str(alpha), "-o", "new.npy")
        n = {"paper": [[2 / 3], [1 / 2]], "sgd": [[2], [1]]}[update]
        means = np.array([[1.0, 0.0], [4.0, 6.0]])
        assert np.load("new.npy") == near(np.array(C) + alpha * np.array(n) * (means - np.array(C)))

    @pytest.mark.parametrize("update", ["paper", "sgd", "mean"])
    def test_exact_fractions(self, files, save, update):
        """Against the rule in fractions of the very floats, where a plain sum loses digits.

        The error is that of the last operations: the sum is rounded once, so is what follows from it, and so is the new
        center. Besides, a row's distance from a far center is rounded before it is summed, which sgd does not divide by n.
        """
        draw = np.random.default_rng(3)
        scale = np.ldexp(1.0, draw.integers(-20, 21, (4000, 1)))  # the same numbers on every processor
        x = draw.normal(size=(4000, 2)) * scale + 1e6
        y, c = draw.integers(0, 3, 4000), draw.normal(size=(3, 2)) + 1e6
        words = (save("x.npy", x), save("y.npy", y))
        made = moved(opened(request_of(*words, centers=save("c.npy", c))), update, None if update == "mean" else 0.5)
        for j in range(3):
            rows = [list(map(Fraction, row)) for row in x[y == j].tolist()]
            for column in range(2):
                old = Fraction(float(c[j, column]))
                total, n = sum(row[column] for row in rows), len(rows)
                step = Fraction(1, 2) * (n * old - total)
                new = {"mean": total / n, "sgd": old - step, "paper": old - step / (1 + n)}[update]
                lost = sum(abs(Fraction(float(row[column]) - float(old)) - (row[column] - old)) for row in rows) / 2
                roundings, beside = {
                    "mean": (2 * abs(new), 0),
                    "sgd": (abs(step) + abs(new), lost),
                    "paper": ((2 * abs(step) / (1 + n)) + abs(new), lost / (1 + n)),
                }[update]
                error = abs(Fraction(float(made.after[j, column])) - new)
                assert error <= roundings / 2**53 + beside
        squares = sum(
            (Fraction(float(value)) - Fraction(float(center))) ** 2
            for row, label in zip(x, y, strict=True)
            for value, center in zip(row, made.after[label], strict=True)
        )
        assert made.losses()[1] == near(float(squares / 2 / 4000), rel=1e-13)

    def test_a_mean_far_from_zero_keeps_its_digits(self, centers, save):
        x = np.float64(2.0**40) + np.array([[0.0], [2.0**-12], [3 * 2.0**-12]])
        found = centers(save("x.npy", x), save("y.npy", [0, 0, 0]), "-o", "new.npy")
        assert np.load("new.npy")[0, 0] == float(sum(map(Fraction, x[:, 0].tolist())) / 3)
        assert of(found, "nearest") == [None]
        assert of(found, "spread") == near([2.0**-12 * math.sqrt(5 / 3)])  # from the center as it is written

    def test_sums_of_parts_cancel_exactly(self):
        x = np.array([[1e16], [1.0], [-1e16], [1e-8]])
        index = np.zeros(4, np.int64)
        parts = [Sums.of(part, index[:1], index[:1]) for part in np.split(x, 4)]
        whole = parts[0] + parts[1] + parts[2] + parts[3]
        assert (whole.high + whole.low)[0, 0] == 1.00000001
        assert whole.rows.tolist() == [4]

    def test_a_step_that_overshoots_is_said(self, run, files):
        x, y, c = files
        assert "warning" not in run("centers", x, y, "--centers", c, "--update", "sgd", "--alpha", "1").err
        x, y = "x3.npy", "y3.npy"
        np.save(x, np.zeros((5, 2)))
        np.save(y, np.array([0, 0, 0, 1, 1]))
        found = run("centers", x, y, "--centers", c, "--update", "sgd", "--alpha", "0.75")
        assert "alpha times the number of rows is 2.25 for 0" in found.err
        assert "warning" not in run("centers", x, y, "--centers", c, "--alpha", "0.75").err


@pytest.mark.simd
class TestComposes:
    """The written file gives compute the loss that was reported."""

    @pytest.mark.parametrize("suffix", ["npy", "csv"])
    @pytest.mark.parametrize("update", ["paper", "sgd", "mean"])
    def test_sample_data(self, centers, compute, sample_data, suffix, update):
        data = [str(sample_data / name) for name in ("features.csv", "features_labels.csv", "centers.csv")]
        more = ["--id", "id", *(["--classes", "class_0,class_1,class_2"] if suffix == "npy" else [])]
        asked = [] if update == "mean" else ["--alpha", "0.01"]
        found = centers(*data[:2], *more, "--centers", data[2], "--update", update, *asked, "-o", f"new.{suffix}")
        for when, name in (("before", data[2]), ("after", f"new.{suffix}")):
            loss = compute("center", *data[:2], *more, "--centers", name)
            assert loss.json["value"] == near(found.json[f"loss_{when}"], rel=1e-13)
            assert loss.json["samples"] == found.json["samples"]

    def test_a_table_has_the_names_and_every_digit(self, centers, write):
        x = write("x.csv", "length,width\n0.1,1\n0.2,2\n0.7,1e-300\n")
        y = write("y.csv", 'label\n007\n"a, ""b"""\nNA\n')
        found = centers(x, y, "-o", "c.csv")
        assert of(found, "class") == ["007", "NA", 'a, "b"']
        with open("c.csv") as file:
            assert file.read() == 'class,length,width\n007,0.1,1.0\nNA,0.7,1e-300\n"a, ""b""",0.2,2.0\n'

    def test_written_names_are_read_again(self, centers, compute, write):
        x, y = write("x.csv", "u,v\n1,2\n3,5\n4,4\n"), write("y.csv", 'label\n007\n"a, ""b"""\n007\n')
        found = centers(x, y, "-o", "c.csv")
        assert compute("center", x, y, "--centers", "c.csv").json["value"] == near(found.json["loss_after"])
        again = centers(x, y, "--centers", "c.csv", "--update", "mean", "-o", "d.csv")
        assert of(again, "moved") == [0.0, 0.0]
        with open("c.csv", "rb") as one, open("d.csv", "rb") as two:
            assert one.read() == two.read()

    def test_indices_have_no_column_of_names(self, centers, compute, files):
        x, y, _ = files
        found = centers(x, y, "-o", "c.csv")
        with open("c.csv") as file:
            assert file.read() == "feature_0,feature_1\n1.0,0.0\n4.0,6.0\n"
        assert compute("center", x, y, "--centers", "c.csv").json["value"] == near(found.json["loss_after"])

    @pytest.mark.parametrize("centers_first", [False, True])
    def test_labels_from_1(self, centers, compute, save, centers_first):
        x, y = save("x.npy", X), save("y.npy", [1, 1, 2])
        given = ["--centers", save("c.npy", C)] if centers_first else []
        found = centers(x, y, "--label-base", "1", *given, "-o", "c.csv")
        assert of(found, "class") == ["1", "2"]
        again = compute("center", x, y, "--centers", "c.csv", "--label-base", "1")
        assert again.json["value"] == near(found.json["loss_after"])

    def test_labels_in_text_from_1(self, centers, compute, save, write):
        x, y, c = save("x.npy", X), write("y.csv", "label\n1\n1\n2\n"), save("c.npy", C)
        found = centers(x, y, "--label-base", "1", "--centers", c, "-o", "d.csv")
        assert of(found, "class") == ["1", "2"]
        again = compute("center", x, y, "--centers", "d.csv", "--label-base", "1")
        assert again.json["value"] == near(found.json["loss_after"])

    def test_one_hot_labels_with_centers(self, centers, save):
        x, y, c = save("x.npy", X), save("y.npy", [[1, 0], [1, 0], [0, 1]]), save("c.npy", C)
        assert of(centers(x, y, "--centers", c), "count") == [2, 1]
        soft = save("s.npy", [[0.5, 0.5], [1, 0], [0, 1]])
        centers(x, soft, "--centers", c).refuses(3, "s.npy", "soft targets name no class")

    def test_the_order_of_classes_is_that_of_the_option(self, centers, save, write):
        x, y = save("x.npy", X), write("y.csv", "label\ncat\ncat\nbee\n")
        found = centers(x, y, "--classes", "cat,bee", "-o", "c.npy")
        assert of(found, "class") == ["cat", "bee"]
        assert np.load("c.npy").tolist() == [[1.0, 0.0], [4.0, 6.0]]
        assert of(centers(x, y), "class") == ["bee", "cat"]


class TestFiles:
    @pytest.mark.parametrize("dtype", ["f2", ">f4", "<f4", ">f8", "i2", "u1"])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_dtypes_and_orders(self, centers, files, dtype, order):
        _, y, _ = files
        np.save("z.npy", np.asarray(X, dtype, order=order))
        centers("z.npy", y, "-o", "c.npy")
        assert np.load("c.npy").tolist() == [[1.0, 0.0], [4.0, 6.0]]

    def test_float16_sums_do_not_overflow(self, centers, save):
        centers(save("x.npy", np.full((9, 2), 60000), np.float16), save("y.npy", [0] * 9), "-o", "c.npy")
        assert np.load("c.npy").tolist() == [[float(np.float16(60000))] * 2]

    def test_bom_and_crlf(self, centers, write):
        x = write("x.csv", b"\xef\xbb\xbfid,u,v\r\na,0,0\r\nb,2,0\r\nc,4,6\r\n")
        y = write("y.csv", b"\xef\xbb\xbfid,label\r\nc,two\r\na,one\r\nb,one\r\n")
        found = centers(x, y, "--id", "id", "-o", "c.csv")
        assert of(found, "count") == [2, 1]
        with open("c.csv") as file:
            assert file.read() == "class,u,v\none,1.0,0.0\ntwo,4.0,6.0\n"

    def test_centers_with_columns_and_rows_in_another_order(self, centers, write):
        x, y = write("x.csv", "u,v\n0,0\n2,0\n4,6\n"), write("y.csv", "label\na\na\nb\n")
        c = write("c.csv", "class,v,u\nb,4,4\na,1,1\n")
        centers(x, y, "--centers", c, "-o", "d.csv")
        with open("d.csv") as file:
            assert [line.split(",")[0] for line in file] == ["class", "b", "a"]
        with open("d.csv") as file:
            assert file.readline() == "class,u,v\n"
            assert file.readline() == "b,4.0,4.5\n"

    def test_one_feature(self, centers, save):
        centers(save("x.npy", [[1.0], [3.0]]), save("y.npy", [[0], [0]]), "-o", "c.csv")
        with open("c.csv") as file:
            assert file.read() == "feature_0\n2.0\n"
        centers(save("x.npy", [1.0, 3.0]), "y.npy").refuses(3, "x.npy", "shape (2,)")

    def test_rows_to_leave_out(self, centers, save):
        x = save("x.npy", [*X, [math.nan, math.inf]])
        found = centers(x, save("y.npy", [0, 0, 1, 255]), "--ignore-index", "255", "-o", "c.npy")
        assert (found.json["samples"], found.json["ignored"]) == (3, 1)
        assert np.load("c.npy").tolist() == [[1.0, 0.0], [4.0, 6.0]]

    def test_an_ignored_label_that_no_row_has_is_said(self, run, files):
        assert "--ignore-index 9: no row has this label" in run("centers", *files[:2], "--ignore-index", "9").err
        assert run("centers", *files[:2], "--ignore-index", "9", "-q").err == ""

    def test_unmatched_rows_are_dropped(self, centers, write):
        x, y = write("x.csv", "id,u,v\na,0,0\nq,9,9\nb,2,0\n"), write("y.csv", "id,label\nb,one\na,one\n")
        centers(x, y, "--id", "id").refuses(3, "'q'")
        assert of(centers(x, y, "--id", "id", "--on-unmatched", "drop", "-o", "c.npy"), "count") == [2]
        assert np.load("c.npy").tolist() == [[1.0, 0.0]]

    def test_standard_input(self, centers, files):
        with open(files[0], "rb") as file:
            found = centers("-", files[1], stdin=file.read())
        assert found.json["loss_after"] == near(1 / 3)

    def test_the_number_of_threads_makes_no_difference(self, centers, save, monkeypatch):

        monkeypatch.setattr(job_module, "CHUNK_BYTES", 4096)
        monkeypatch.setattr(job_module, "BATCH_BYTES", 512)
        draw = np.random.default_rng(5)
        x, y = save("x.npy", draw.normal(size=(3000, 7)) * 1e3, np.float32), save("y.npy", draw.integers(0, 20, 3000))
        made = [centers(x, y, "--threads", str(n), "-o", f"c{n}.npy").out for n in (1, 3)]
        assert made[0] == made[1]
        assert np.load("c1.npy").tobytes() == np.load("c3.npy").tobytes()
        wide, labels = np.load(x).astype(np.float64), np.load(y)
        for j in range(20):
            exact = [math.fsum(column) / len(column) for column in wide[labels == j].T]
            assert np.load("c1.npy")[j] == near(np.array(exact), rel=3e-16)

    def test_memory_is_that_of_the_centers(self, save, monkeypatch):

        monkeypatch.setattr(job_module, "CHUNK_BYTES", 1 << 18)
        monkeypatch.setattr(job_module, "BATCH_BYTES", 1 << 16)
        x, y = save("x.npy", np.ones((400_000, 16)), np.float32), save("y.npy", np.arange(400_000) % 10, np.int8)
        tracemalloc.start()
        moved(opened(request_of(x, y)), "mean", None, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20  # the features are 24 MiB; a scan of labels takes 4 of them

    def test_a_class_that_comes_late(self, centers, save, monkeypatch):

        monkeypatch.setattr(job_module, "CHUNK_BYTES", 64)
        monkeypatch.setattr(job_module, "BATCH_BYTES", 16)
        y = [2, 2, 0, 2, 1, 1, 0, 0, 3]
        x = np.arange(18.0).reshape(9, 2)
        found = centers(save("x.npy", x), save("y.npy", y), "-o", "c.npy")
        expected = np.stack([x[np.array(y) == j].mean(axis=0) for j in range(4)])
        assert np.load("c.npy") == near(expected)
        assert of(found, "count") == [3, 2, 3, 1]
        away = [np.sqrt(((x[np.array(y) == j] - expected[j]) ** 2).sum(axis=1).mean()) for j in range(4)]
        assert of(found, "spread") == near(away)


class TestRefused:
    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (("--update", "paper"), ("--update paper", "--centers")),
            (("--update", "sgd"), ("--update sgd", "--centers")),
            (("--alpha", "0.5"), ("--alpha 0.5", "no alpha", "no --centers")),
            (("--update", "mean", "--alpha", "0.5"), ("--alpha 0.5", "no alpha")),
            (("--centers", "c.npy", "--update", "mean", "--alpha", "0.5"), ("--alpha 0.5", "no alpha")),
            (("--centers", "c.npy", "--alpha", "1.5"), ("--alpha 1.5 is not in [0, 1]",)),
            (("--centers", "c.npy", "--alpha", "nan"), ("--alpha nan is not in [0, 1]",)),
            (("--centers", "c.npy", "--alpha", "-0.1"), ("--alpha -0.1 is not in [0, 1]",)),
            (("--update", "delta"), ("--update", "delta")),
            (("-o", "c.json"), ("--output c.json", ".npy, .csv")),
            (("-o", "x.npy"), ("x.npy", "input")),
            (("--centers", "c.npy", "-o", "c.npy"), ("c.npy", "input")),
            (("--threads", "0"), ("--threads 0",)),
            (("--on-unmatched", "drop"), ("--on-unmatched drop",)),
        ],
        ids=" ".join,
    )
    def test_usage(self, centers, files, words, parts):
        del files
        centers("x.npy", "y.npy", *words).refuses(2, *parts)

    @pytest.mark.parametrize(
        "words", [("a_*.npy", "y.npy"), ("x.npy", "y.npy", "--centers", "a_*.npy"), ("x.npy", "a_*.npy")]
    )
    def test_shards_of_different_widths(self, centers, files, save, words):
        save("a_1.npy", np.zeros((1, 2)))
        save("a_2.npy", np.zeros((2, 3)))
        centers(*words).refuses(3, "a_2.npy: shape (2, 3) does not go with a_1.npy's (1, 2)")

    @pytest.mark.parametrize("shape", [(3, 2), (3, 3), (3, 1, 1), (3, 4, 2)])
    def test_more_than_one_label_per_row(self, centers, files, save, shape):
        centers("x.npy", save("more.npy", np.zeros(shape, int))).refuses(
            3, f"more.npy: shape {shape}; give one label per row, (n,)\n"
        )

    @pytest.mark.parametrize(
        ("value", "what"),
        [
            ("nan", "nan is not a finite number; a feature"),
            ("inf", "inf is not a finite number"),
            ("-inf", "-inf is not"),
            ("1e200", "too large"),
        ],
    )
    @pytest.mark.parametrize("given", [False, True])
    def test_features_that_are_none(self, centers, files, write, value, what, given):
        x = write("x.csv", f"u,v\n0,0\n2,{value}\n4,6\n")
        words = ["--centers", files[2]] if given else []
        found = centers(x, files[1], *words, "-o", "new.npy")
        found.refuses(3, "x.csv:3", 'column "v"', what)
        assert not os.path.exists("new.npy")

    def test_the_first_of_several_places_is_named(self, centers, save, monkeypatch):

        monkeypatch.setattr(job_module, "CHUNK_BYTES", 64)
        monkeypatch.setattr(job_module, "BATCH_BYTES", 16)
        x = np.zeros((40, 2))
        x[[7, 30], [1, 0]] = np.inf
        centers(save("x.npy", x), save("y.npy", np.zeros(40))).refuses(3, "x.npy[7, 1]: inf")

    @pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
    def test_centers_that_are_none(self, centers, files, save, value):
        centers(*files[:2], "--centers", save("bad.npy", [[1, value], [2, 2]])).refuses(3)

    def test_classes_without_a_row(self, centers, files, write):
        x, y, _ = files
        centers(x, y, "--classes", "a,b,c").refuses(3, "--classes", "'c'", "no mean", "--centers")
        centers(x, "y5.npy").refuses(3, "no such file (labels)")
        np.save("y5.npy", np.array([0, 0, 3]))
        centers(x, "y5.npy").refuses(3, "y5.npy", "no row has label 1", "go up to 3", "--ignore-index 3")

    @pytest.mark.parametrize(
        ("labels", "parts"),
        [
            ([0, 0, -1], ("y.npy[2]", "label -1", "--ignore-index -1")),
            ([0, 0.5, 1], ("y.npy[1]", "0.5 is not a class index")),
            ([0, math.nan, 1], ("y.npy[1]", "NaN")),
            ([0, math.inf, 1], ("y.npy[1]", "inf")),
            ([[0, 1], [1, 0], [1, 0]], ("y.npy", "shape (3, 2)", "one label per row")),
            ([0, 1], ("3 rows", "2")),
        ],
    )
    def test_labels_that_are_none(self, centers, files, save, labels, parts):
        centers(files[0], save("y.npy", labels)).refuses(3, *parts)

    def test_names_that_are_not_among_the_classes(self, centers, files, write):
        y = write("y.csv", "label\ncat\ncatt\ndog\n")
        centers(files[0], y, "--classes", "cat,dog").refuses(3, "y.csv:3", "'catt'", "--classes has cat, dog", "cat?")
        centers(files[0], write("e.csv", 'label\ncat\n""\ndog\n')).refuses(3, "e.csv:3", "empty")
        centers(files[0], "y.csv", "--label-base", "1").refuses(2, "--label-base 1", "names")

    def test_labels_without_a_center(self, centers, compute, files, write):
        x, _, c = files
        named = write("c.csv", "class,u,v\ncat,1,1\ndog,2,2\n")
        for call in (centers, lambda *words: compute("center", *words)):
            call(x, write("y.csv", "label\ncat\ncatt\ndog\n"), "--centers", named).refuses(
                3, "y.csv:3", "'catt'", "the centers are those of cat, dog", "cat?"
            )
            call(x, "y.csv", "--centers", c).refuses(3, "y.csv:2", "the centers have no names", "--classes NAME")
            np.save("y9.npy", [0, 9, 1])
            call(x, "y9.npy", "--centers", c).refuses(3, "label 9", "there are 2 centers")

    def test_no_rows(self, centers, save, files):
        x, y = save("n.npy", np.zeros((0, 2))), save("m.npy", np.zeros(0, np.int64))
        centers(x, y).refuses(3, "no samples left: the file has no rows")
        centers(x, y, "--centers", files[2]).refuses(3, "no samples left: the file has no rows")
        ignored = save("k.npy", [7, 7, 7])
        centers(files[0], ignored, "--ignore-index", "7").refuses(3, "all 3 rows are ignored")

    def test_a_feature_that_is_called_as_the_names_are(self, centers, write):
        x, y = write("x.csv", "u,name\n1,2\n3,4\n"), write("y.csv", "label\na\nb\n")
        centers(x, y, "-o", "c.csv").refuses(3, "'name'", ".npy")
        assert centers(x, y, "-o", "c.npy").code == 0

    def test_nothing_is_written_when_something_is_wrong(self, centers, write, files):
        write("out.csv", "precious")
        x = write("x.csv", "u,v\n0,0\n2,nan\n4,6\n")
        centers(x, files[1], "-o", "out.csv").refuses(3, "x.csv:3")
        with open("out.csv") as file:
            assert file.read() == "precious"
        centers(*files[:2], "-o", "nowhere/c.csv").refuses(3, "nowhere/c.csv")
        assert sorted(os.listdir()) == ["c.npy", "out.csv", "x.csv", "x.npy", "y.npy"]

    def test_the_rules_of_the_library(self):
        assert checked_rule(None, None, True) == ("paper", 0.5)
        assert checked_rule(None, None, False) == ("mean", None)


class TestShown:
    def test_the_table(self, run, files):
        x, y, c = files
        lines = run("centers", x, y, "--centers", c).out.splitlines()
        assert lines[0] == "update       paper: c - alpha * sum(c - x) / (1 + n), alpha = 0.5"
        assert lines[1] == "samples      3"
        assert lines[2] == "centers      2 x 2"
        assert lines[3] == f"loss before  {4 / 3!r}"
        header = [cell.strip() for cell in lines[8].split("|")[1:-1]]
        assert header == ["class", "count", "moved", "spread", "loss_before", "loss_after", "nearest", "distance"]

    def test_means_show_no_columns_without_numbers(self, run, files):
        out = run("centers", *files[:2]).out
        assert "moved" not in out
        assert "before" not in out

    def test_many_classes(self, run, save):
        x, y = save("x.npy", np.arange(50.0).reshape(25, 2)), save("y.npy", np.arange(25))
        out = run("centers", x, y).out
        assert "classes; 5 more, --format json has them all" in out
        assert len(out.splitlines()) == 4 + 2 + 4 + 20

    def test_a_process(self, process, files):
        found = process("centers", *files[:2], "-o", "c.npy")
        assert (found.code, found.err) == (0, "")
        process("centers", *files[:2], "--alpha", "1").refuses(2, "--alpha")
        process("centers", "none.npy", files[1]).refuses(3, "none.npy")
        helped = process("centers", "--help")
        assert helped.code == 0
        assert "--update" in helped.out
