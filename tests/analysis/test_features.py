"""Features as points of a plane: classes as they stand in their file, and principal components by scikit-learn."""

import os
import re
import tracemalloc
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import PCA

from losscli.analysis import features as cloud
from losscli.analysis.features import load
from losscli.errors import DataError, UsageError


def near(expected, rel=1e-10, abs=1e-12):
    return pytest.approx(expected, rel=rel, abs=abs)


@contextmanager
def refused(kind, *parts):
    """An error that holds all of these parts."""
    with pytest.raises(kind) as caught:
        yield
    missing = [part for part in parts if part not in str(caught.value)]
    assert not missing, f"{missing} not in {caught.value}"


def classes_of(found):
    """The class of each point by name."""
    return [found.names[i] for i in found.index]


X = np.arange(12.0).reshape(6, 2)


class TestLabels:
    def text(self, write, save, cells):
        return load(save("x.npy", X[: len(cells)]), write("y.csv", "label\n" + "".join(f"{cell}\n" for cell in cells)))

    def test_text_stays_as_it_stands(self, write, save):
        found = self.text(write, save, ["007", "7", "NA", "null", "1.0", "007"])
        assert classes_of(found) == ["007", "7", "NA", "null", "1.0", "007"]
        assert sorted(found.names) == sorted({"007", "7", "NA", "null", "1.0"})

    def test_names_are_in_natural_order(self, write, save):
        found = self.text(write, save, ["class_10", "class_2", "b", "class_1", "9", "10"])
        assert found.names == ("9", "10", "b", "class_1", "class_2", "class_10")
        assert classes_of(found) == ["class_10", "class_2", "b", "class_1", "9", "10"]

    @pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, np.float64, ">i2"])
    def test_numbers_are_in_the_order_of_numbers(self, save, dtype):
        found = load(save("x.npy", X), save("y.npy", [10, 2, 0, 2, 10, 2], dtype))
        assert found.names == ("0", "2", "10")
        assert found.index.tolist() == [2, 1, 0, 1, 2, 1]

    def test_negative_numbers(self, save):
        found = load(save("x.npy", X), save("y.npy", [1, -1, -1, 1, 1, -1]))
        assert found.names == ("-1", "1")
        assert found.index.tolist() == [1, 0, 0, 1, 1, 0]

    @pytest.mark.parametrize(("labels", "names"), [([False, True] * 3, ("0", "1")), ([2**62 + 1, 2**62] * 3, None)])
    def test_truth_values_and_numbers_beyond_float64(self, save, labels, names):
        found = load(save("x.npy", X), save("y.npy", labels))
        assert found.names == (names or (str(2**62), str(2**62 + 1)))
        assert found.index.tolist() == ([0, 1] if names else [1, 0]) * 3

    def test_one_column_is_one_label_a_row(self, save):
        found = load(save("x.npy", X), save("y.npy", [[1], [0], [1], [0], [0], [0]]))
        assert classes_of(found) == ["1", "0", "1", "0", "0", "0"]

    def test_an_array_of_text(self, save):
        found = load(save("x.npy", X), save("y.npy", ["b", "a", "c", "a", "a", "c"]))
        assert found.names == ("a", "b", "c")
        assert classes_of(found) == ["b", "a", "c", "a", "a", "c"]

    def test_typed_columns(self, save, folder):
        pl.DataFrame({"n": [3, 1, 1, 3, 3, 2], "f": [3.0, 1, 1, 3, 3, 2], "s": list("caacbb")}).write_parquet("y.pq")
        save("x.npy", X)
        for column, names in (("n", "123"), ("f", "123"), ("s", "abc")):
            found = load("x.npy", f"y.pq:{column}")
            assert "".join(found.names) == names
        assert classes_of(found) == list("caacbb")

    @pytest.mark.parametrize("label", [1.5, np.nan, np.inf])
    def test_a_number_that_is_no_class(self, save, label):
        with refused(DataError, "y.npy[2]", "not a class"):
            load(save("x.npy", X), save("y.npy", [0, 1, label, 1, 0, label]))

    def test_an_empty_label(self, write, save):
        with refused(DataError, 'y.csv:4, column "label"', "empty"):
            load(save("x.npy", X[:4]), write("y.csv", "label,n\na,1\nb,2\n,3\nc,4\n") + ":label")

    def test_several_columns(self, save, write):
        with refused(DataError, "y.npy", "(6, 2)", "one label per row"):
            load(save("x.npy", X), save("y.npy", X))
        with refused(DataError, "y.csv", "FILE:COLUMN"):
            load("x.npy", write("y.csv", "a,b\n" + "1,2\n" * 6))


class TestIgnored:
    def test_text(self, write, save):
        y = write("y.csv", "label\na\nskip\nb\nskip\na\nb\n")
        found = load(save("x.npy", X), y, ignore_index="skip")
        assert found.names == ("a", "b")
        assert classes_of(found) == ["a", "b", "a", "b"]
        assert found.points.tolist() == X[[0, 2, 4, 5]].tolist()
        assert found.ignored == 2

    @pytest.mark.parametrize(("label", "dtype"), [(-1, np.int64), (-1, np.float32), (np.nan, np.float64)])
    def test_numbers(self, save, label, dtype):
        y = save("y.npy", [1, label, 0, label, 1, 0], dtype)
        found = load(save("x.npy", X), y, ignore_index=str(label))
        assert (found.names, found.index.tolist(), found.ignored) == (("0", "1"), [1, 0, 1, 0], 2)
        assert found.points.tolist() == X[[0, 2, 4, 5]].tolist()

    def test_none(self, save):
        assert load(save("x.npy", X), save("y.npy", np.zeros(6, int))).ignored == 0

    def test_words_among_numbers(self, save):
        with refused(UsageError, "--ignore-index skip"):
            load(save("x.npy", X), save("y.npy", np.zeros(6, int)), ignore_index="skip")

    @pytest.mark.parametrize("centers", [None, "c.npy"])
    def test_all(self, save, centers):
        save("c.npy", [[0.0, 0]])
        with refused(DataError, "x.npy", "all rows are ignored"):
            load(save("x.npy", X), save("y.npy", np.full(6, -1)), centers, ignore_index="-1")

    @pytest.mark.parametrize("centers", [None, "c.npy"])
    @pytest.mark.parametrize("d", [2, 3])
    def test_no_rows(self, save, centers, d):
        save("c.npy", np.zeros((1, d)))
        with refused(DataError, "x.npy", "the file has no rows"):
            load(save("x.npy", np.zeros((0, d))), save("y.npy", np.zeros(0, int)), centers)

    def test_what_is_ignored_is_no_part_of_the_components(self, save):
        generator = np.random.default_rng(0)
        x, y = generator.normal(size=(40, 4)), generator.integers(0, 3, 40)
        x[y == 2] = np.nan
        found = load(save("x.npy", x), save("y.npy", y), ignore_index="2")
        expected = PCA(2).fit_transform(x[y != 2])
        assert np.abs(found.points) == near(np.abs(expected))


class TestRows:
    def test_meet_by_id(self, write):
        x = write("x.csv", "id,u,v\np,1,2\nq,3,4\nr,5,6\n")
        y = write("y.csv", "id,label\nr,c\np,a\nq,b\n")
        found = load(x, y, id="id")
        assert found.points.tolist() == [[1, 2], [3, 4], [5, 6]]
        assert classes_of(found) == ["a", "b", "c"]
        assert found.labels == ("u", "v")

    def test_meet_by_id_with_centers(self, write):
        x = write("x.csv", "id,u,v\np,1,2\nq,3,4\nr,5,6\n")
        y = write("y.csv", "id,label\nr,c\np,a\nq,b\n")
        c = write("c.csv", "class,v,u\nb,9,8\nc,7,6\na,5,4\n")
        found = load(x, y, c, id="id")
        assert classes_of(found) == ["a", "b", "c"]
        assert dict(zip(found.names, found.centers.tolist(), strict=True)) == {"a": [4, 5], "b": [8, 9], "c": [6, 7]}
        assert found.centers_given

    def test_labels_beside_the_features(self, write):
        x = write("x.csv", "u,v,label\n1,2,a\n3,4,b\n")
        found = load(x, f"{x}:label")
        assert (found.points.tolist(), classes_of(found), found.labels) == ([[1, 2], [3, 4]], ["a", "b"], ("u", "v"))

    @pytest.mark.parametrize("words", [("a_*.npy", "y.npy"), ("x.npy", "y.npy", "a_*.npy"), ("x.npy", "a_*.npy")])
    def test_of_shards_of_different_widths_are_refused(self, save, words):
        save("x.npy", np.zeros((3, 2)))
        save("y.npy", [0, 1, 0])
        save("a_1.npy", np.zeros((1, 2)))
        save("a_2.npy", np.zeros((2, 3)))
        with pytest.raises(DataError, match=re.escape("a_2.npy: shape (2, 3) does not go with a_1.npy's (1, 2)")):
            load(*words)

    @pytest.mark.parametrize("shape", [(2, 2), (2, 1, 1), (2, 4, 2)])
    def test_have_one_label_each(self, save, shape):
        with pytest.raises(DataError, match=re.escape(f"more.npy: shape {shape}; give one label per row, (n,)")):
            load(save("x.npy", np.zeros((2, 2))), save("more.npy", np.zeros(shape, int)))

    @pytest.mark.parametrize("centers", [None, "c.npy"])
    def test_a_column_of_ids_among_them_is_worth_a_warning(self, write, save, centers):
        save("c.npy", np.zeros((2, 3)))
        found = load(write("x.csv", "id,u,v\n1,2,3\n2,4,5\n"), save("y.npy", [0, 1]), centers)
        assert [note for note in found.notes if note.startswith("warning: id-as-prediction: x.csv: column 'id'")]

    @pytest.mark.parametrize("centers", [None, "c.npy"])
    def test_dropping_needs_an_id(self, save, centers):
        save("c.npy", np.zeros((2, 2)))
        with refused(UsageError, "--on-unmatched drop", "--id COLUMN"):
            load(save("x.npy", X), save("y.npy", [0, 1] * 3), centers, on_unmatched="drop")

    def test_columns_are_picked(self, write, save):
        x = write("x.csv", "u,v,w\n1,2,3\n4,5,6\n")
        found = load(x, save("y.npy", [0, 1]), columns="w,u")
        assert dict(zip(found.labels, found.points.T.tolist(), strict=True)) == {"u": [1, 4], "w": [3, 6]}

    def test_without_a_header(self, write, save):
        found = load(write("x.csv", "1,2\n3,4\n"), save("y.npy", [0, 1]), header=False)
        assert found.points.tolist() == [[1, 2], [3, 4]]
        assert found.labels == ("feature 0", "feature 1")

    def test_all_files_that_were_read_are_known(self, save, folder):
        found = load(save("x.npy", X), save("y.npy", np.zeros(6, int)), save("c.npy", [[0.0, 0]]))
        assert found.files == {os.path.realpath(name) for name in ("x.npy", "y.npy", "c.npy")}

    def test_different_lengths(self, save):
        with refused(DataError, "x.npy", "6 rows", "y.npy 5"):
            load(save("x.npy", X), save("y.npy", np.zeros(5, int)))

    @pytest.mark.parametrize("centers", [None, "c.npy"])
    @pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 0)])
    def test_fewer_than_two_features(self, save, centers, shape):
        save("c.npy", np.zeros((1, 1)))
        with refused(DataError, "x.npy", str(shape)):
            load(save("x.npy", np.zeros(shape)), save("y.npy", np.zeros(6, int)), centers)

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    @pytest.mark.parametrize("d", [2, 3])
    def test_a_feature_that_is_no_finite_number(self, save, value, d):
        x = np.zeros((6, d))
        x[4, 1] = value
        y = save("y.npy", [0, -1, -1, 0, 1, 1])
        with refused(DataError, "x.npy[4, 1]", "finite"):
            load(save("x.npy", x), y, ignore_index="-1")

    @pytest.mark.parametrize("d", [2, 5])
    def test_a_feature_whose_square_overflows(self, save, d):
        x = np.ones((4, d))
        x[2, 1] = -1e200
        with refused(DataError, "x.npy[2, 1]", "-1e+200 is too large"):
            load(save("x.npy", x), save("y.npy", [0, 1, 0, 1]))

    def test_a_center_whose_square_overflows(self, save):
        with refused(DataError, "--centers", "1e+200 is too large"):
            load(save("x.npy", X), save("y.npy", [0] * 6), save("c.npy", [[1.0, 1e200]]))

    def test_its_place_in_a_table_in_another_block(self, write, save, monkeypatch):
        monkeypatch.setattr("losscli.io.source.SCAN_BYTES", 32)
        x = write("x.csv", "id,u,v\n" + "".join(f"{i},{i},{'inf' if i == 5 else 1}\n" for i in range(8)))
        y = write("y.csv", "id,label\n" + "".join(f"{i},{i % 2}\n" for i in reversed(range(8))))
        with refused(DataError, 'x.csv:7, column "v"', "finite"):
            load(x, y, id="id")

    def test_an_infinite_feature_of_an_ignored_row_does_not_matter(self, save):
        x = X.copy()
        x[2] = np.inf
        found = load(save("x.npy", x), save("y.npy", [0, 0, -1, 1, 1, 1]), ignore_index="-1")
        assert found.points.tolist() == X[[0, 1, 3, 4, 5]].tolist()


class TestCenters:
    def test_without_a_file_they_are_the_means_of_the_classes(self, save):
        found = load(save("x.npy", X), save("y.npy", [1, 0, 1, -1, 0, 1]), ignore_index="-1")
        assert found.centers == near(np.array([X[[1, 4]].mean(axis=0), X[[0, 2, 5]].mean(axis=0)]))
        assert not found.centers_given

    def test_of_several_dimensions_they_are_the_means_of_the_points(self, save):
        generator = np.random.default_rng(3)
        y = generator.integers(0, 3, 50)
        found = load(save("x.npy", generator.normal(size=(50, 6))), save("y.npy", y))
        assert found.centers == near(np.array([found.points[y == k].mean(axis=0) for k in range(3)]))

    def test_of_a_file(self, save):
        c = np.array([[1.0, 2], [3, 4], [50, 60]])
        found = load(save("x.npy", X), save("y.npy", [1, 0, 1, 1, 0, 1]), save("c.npy", c))
        assert found.centers_given
        assert found.names == ("0", "1", "2")
        assert found.centers.tolist() == c.tolist()
        assert found.index.tolist() == [1, 0, 1, 1, 0, 1]

    def test_of_a_file_are_projected_as_the_features_are(self, save):
        x = np.random.default_rng(4).normal(size=(30, 5)) * [1, 2, 3, 4, 5] + 7
        found = load(save("x.npy", x), save("y.npy", np.arange(30) % 4), save("c.npy", x[:4]))
        assert found.centers == near(found.points[:4])

    @pytest.mark.parametrize("labels", ["one-hot", "index"])
    def test_of_labels_in_every_form(self, save, labels):
        y = np.array([1, 0, 2, 1, 0, 1])
        t = save("t.npy", np.eye(3)[y] if labels == "one-hot" else y)
        found = load(save("x.npy", X), t, save("c.npy", np.zeros((3, 2))))
        assert found.index.tolist() == y.tolist()

    def test_a_label_to_ignore(self, write, save):
        c = write("c.csv", "class,u,v\nb,1,2\na,3,4\n")
        found = load(save("x.npy", X), write("y.csv", "label\na\nskip\nb\na\nskip\nskip\n"), c, ignore_index="skip")
        assert (classes_of(found), found.ignored) == (["a", "b", "a"], 3)
        assert found.points.tolist() == X[[0, 2, 3]].tolist()

    def test_soft_labels(self, save):
        with refused(DataError, "t.npy", "soft"):
            load(save("x.npy", X), save("t.npy", np.full((6, 2), 0.5)), save("c.npy", np.zeros((2, 2))))

    def test_a_label_without_a_center(self, save):
        with refused(DataError, "y.npy[5]", "3"):
            load(save("x.npy", X), save("y.npy", [0, 1, 2, 0, 1, 3]), save("c.npy", np.zeros((3, 2))))

    def test_a_name_without_a_center(self, save, write):
        c = write("c.csv", "class,u,v\ncat,1,2\ndog,3,4\n")
        with refused(DataError, "y.csv:3", "'dgo'", "did you mean dog?"):
            load(save("x.npy", X[:2]), write("y.csv", "label\ncat\ndgo\n"), c)

    def test_another_number_of_features(self, save):
        with refused(DataError, "c.npy", "(3, 4)", "(6, 2)"):
            load(save("x.npy", X), save("y.npy", np.zeros(6, int)), save("c.npy", np.zeros((3, 4))))

    def test_one_that_is_no_point(self, save):
        with refused(DataError, "c.npy[1, 0]", "finite"):
            load(save("x.npy", X), save("y.npy", np.zeros(6, int)), save("c.npy", [[0, 0], [np.inf, 0]]))


def parts(found):
    """The parts of the variance that the two axes' labels say, in percent."""
    return [float(label.split("(")[1].split(" %")[0]) for label in found.labels]


class TestComponents:
    @pytest.mark.parametrize("shape", [(60, 3), (60, 10), (500, 40), (5, 40), (3, 3), (4, 5), (2, 7)])
    @pytest.mark.parametrize("far", [0, 1e6])
    def test_against_scikit_learn(self, save, shape, far):
        generator = np.random.default_rng(shape[1])
        x = generator.normal(size=shape) @ generator.normal(size=(shape[1], shape[1])) + far
        found = load(save("x.npy", x), save("y.npy", np.zeros(len(x), int)))
        expected = PCA(2).fit(x - far)
        tolerance = 1e-9 * np.ptp(x) if far == 0 else 1e-6
        assert np.abs(found.points) == near(np.abs(expected.transform(x - far)), abs=tolerance)
        assert parts(found) == pytest.approx((100 * expected.explained_variance_ratio_).tolist(), rel=6e-3, abs=1e-6)
        for number, label in enumerate(found.labels, 1):
            assert label.startswith(f"principal component {number} (")
        assert found.dimensions == shape[1]

    def test_explained_variance_by_hand(self, save):
        x = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1]])
        found = load(save("x.npy", x), save("y.npy", np.zeros(6, int)))
        assert parts(found) == pytest.approx([100 * 9 / 14, 100 * 4 / 14], abs=0.05)
        assert found.points == near(x[:, :2])

    def test_distances_in_the_plane_are_kept(self, save):
        generator = np.random.default_rng(9)
        plane = generator.normal(size=(30, 2))
        x = plane @ np.linalg.qr(generator.normal(size=(5, 5)))[0][:2] + 3
        found = load(save("x.npy", x), save("y.npy", np.zeros(30, int)))
        one, other = (np.linalg.norm(p[:, None] - p, axis=2) for p in (found.points, plane))
        assert one == near(other)
        assert sum(parts(found)) == pytest.approx(100, abs=0.1)

    @pytest.mark.parametrize("shape", [(50, 4), (4, 9)])
    @pytest.mark.parametrize("seed", range(4))
    def test_the_largest_entry_of_an_axis_is_positive(self, save, shape, seed):
        x = np.random.default_rng(seed).normal(size=shape)
        steps = x.mean(axis=0) + np.eye(shape[1])
        found = load(save("x.npy", x), save("y.npy", np.zeros(len(x), int)), save("c.npy", steps))
        axes = found.centers.T  # where a step along each feature leads
        assert axes @ axes.T == near(np.eye(2))
        for axis in axes:
            assert axis[np.abs(axis).argmax()] > 0

    def test_signs_do_not_depend_on_those_of_the_features(self, save):
        x = np.random.default_rng(1).normal(size=(30, 3)) * [5, 2, 1]
        y = save("y.npy", np.zeros(30, int))
        plain, turned = load(save("x.npy", x), y), load(save("m.npy", -x), y)
        assert turned.points == near(-plain.points)

    def test_any_size_of_blocks(self, save, monkeypatch):
        x = np.random.default_rng(2).normal(size=(101, 6))
        words = save("x.npy", x), save("y.npy", np.random.default_rng(3).integers(0, 3, 101))
        whole = load(*words, ignore_index="2")
        monkeypatch.setattr("losscli.io.source.SCAN_BYTES", 300)
        found = load(*words, ignore_index="2")
        assert found.points == near(whole.points)
        assert found.index.tolist() == whole.index.tolist()

    @pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, ">f8"])
    def test_are_computed_in_float64(self, save, dtype):
        x = np.random.default_rng(2).normal(size=(60, 4)) * [50, 20, 10, 5]
        x = (x + 1000).astype(dtype)
        found = load(save("x.npy", np.asfortranarray(x)), save("y.npy", np.zeros(60, int)))
        assert found.points.dtype == np.float64
        assert np.abs(found.points) == near(np.abs(PCA(2).fit_transform(x.astype(np.float64))), abs=1e-8)

    def peak(self, *words):
        """Bytes that are held at once; not of the first run, which imports."""
        load(*words)
        tracemalloc.start()
        try:
            load(*words)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_few_rows_of_many_features_need_no_matrix_of_all_features(self, save):
        x = save("x.npy", np.random.default_rng(0).normal(size=(3, 1500)))
        assert self.peak(x, save("y.npy", [0, 0, 1])) < 1500 * 1500 * 8 / 4

    def test_many_rows_of_few_features_are_not_held_at_once(self, save, monkeypatch):
        monkeypatch.setattr("losscli.io.source.SCAN_BYTES", 1 << 16)
        x = np.random.default_rng(0).normal(size=(20_000, 30))
        assert self.peak(save("x.npy", x), save("y.npy", np.zeros(20_000, int))) < x.nbytes / 2

    def test_of_constant_features(self, save):
        found = load(save("x.npy", np.full((5, 4), 7.5)), save("y.npy", np.zeros(5, int)))
        assert found.points.tolist() == [[0, 0]] * 5
        assert parts(found) == [0, 0]

    @pytest.mark.parametrize("d", [3, 4, 9])
    def test_of_one_row(self, save, d):
        found = load(save("x.npy", np.arange(1.0, d + 1)[None]), save("y.npy", [3]))
        assert found.points.tolist() == [[0, 0]]
        assert parts(found) == [0, 0]
        assert found.names == ("3",)

    def test_of_one_direction_only(self, save):
        x = np.outer(np.arange(5.0) - 2, [0, -2, 1, 0])
        found = load(save("x.npy", x), save("y.npy", np.zeros(5, int)))
        # The largest entry of the axis is that of the second feature, which is positive on it.
        assert found.points[:, 0] == near(-(np.arange(5) - 2) * np.sqrt(5))
        assert found.points[:, 1] == near(np.zeros(5), abs=1e-12)
        assert parts(found) == pytest.approx([100, 0], abs=1e-9)

    def test_two_dimensions_stay_as_they_are(self, save):
        found = load(save("x.npy", X * [1, -100]), save("y.npy", np.zeros(6, int)))
        assert found.points.tolist() == (X * [1, -100]).tolist()
        assert found.labels == ("feature 0", "feature 1")

    @pytest.mark.parametrize(("shape", "too_many"), [((4, 4), True), ((3, 50), False), ((50, 3), False)])
    def test_of_more_than_can_be_solved(self, save, monkeypatch, shape, too_many):
        monkeypatch.setattr(cloud, "LARGEST", 3)
        words = save("x.npy", np.random.default_rng(0).normal(size=shape)), save("y.npy", np.zeros(shape[0], int))
        if too_many:
            with refused(DataError, "x.npy", "4 features of 4 rows", "--columns"):
                load(*words)
        else:
            assert load(*words).points.shape == (shape[0], 2)


def test_of_many_rows_a_sample_is_kept_and_all_count(save, monkeypatch):
    """Memory of the points is bounded; means and numbers of rows are those of all rows, over several batches."""
    monkeypatch.setattr("losscli.analysis.features.MOST_DRAWN", 50)
    x, y = np.random.default_rng(1).normal(size=(300_000, 2)), np.arange(300_000) % 3
    found = load(save("x.npy", x), save("y.npy", y))
    assert found.points.shape == (50, 2)
    assert all((x[y == k] == point).all(axis=1).any() for point, k in zip(found.points, found.index, strict=True))
    assert found.rows.tolist() == [100_000] * 3
    assert found.centers == pytest.approx(np.array([x[y == k].mean(axis=0) for k in range(3)]), rel=1e-9)
