"""`losscli plot features`: what is in the picture."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import clouds, crosses, names_of, near, of_text, panel, table

from losscli.plots import features as features_picture


def test_a_column_of_standard_input_holds_the_labels(run, write):
    write("x.csv", "u,v\n1,2\n3,4\n5,7\n")
    done = run("plot", "features", "x.csv", "-:label", "-o", "x.png", stdin=b"label\na\nb\na\n")
    assert (done.code, done.err) == (0, "")


class TestFeatures:
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(50, 2)) * [3, 1], generator.integers(0, 3, 50)

    def test_one_point_a_row_by_class(self, picture, save):
        drawn = picture("features", save("x.npy", self.x), save("y.npy", self.y))
        axes = panel(drawn)
        assert len(clouds(axes)) == 3
        for k, cloud in enumerate(clouds(axes)):
            assert cloud.get_offsets().tolist() == self.x[self.y == k].tolist()
        counts = np.bincount(self.y)
        assert names_of(drawn) == [*(f"{k} (n = {counts[k]})" for k in range(3)), "mean of a class"]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("feature 0", "feature 1")
        assert drawn.get_suptitle() == "50 samples in 3 classes"

    def test_classes_differ_in_colour_and_in_shape(self, picture, save):
        drawn = picture("features", save("x.npy", self.x), save("y.npy", np.arange(50) % 7))
        parts = clouds(panel(drawn))
        assert len({to_hex(part.get_facecolor()[0]) for part in parts}) == 7
        assert len({part.get_paths()[0].vertices.tobytes() for part in parts}) == 7
        handles = drawn.legends[0].legend_handles
        assert [to_hex(handle.get_color()) for handle in handles[:7]] == [
            to_hex(part.get_facecolor()[0]) for part in parts
        ]
        crossed = [to_hex(line.get_color()) for line in crosses(panel(drawn))]
        assert crossed == [to_hex(part.get_facecolor()[0]) for part in parts]

    def test_means_are_marked_and_named(self, picture, save):
        axes = panel(picture("features", save("x.npy", self.x), save("y.npy", self.y)))
        means = [self.x[self.y == k].mean(axis=0) for k in range(3)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in crosses(axes)] == [
            near(m.tolist()) for m in means
        ]
        assert of_text(axes) == ["0", "1", "2"]
        assert [text.xy for text in axes.texts] == [near(tuple(mean)) for mean in means]

    def test_centers_of_a_file(self, picture, write, save):
        c = write("c.csv", "class,u,v\ncat,1,2\ndog,-3,4\n")
        y = write("y.csv", table("label", [("cat", "dog")[k % 2] for k in self.y]))
        x = write("x.csv", table("u,v", *self.x.T.tolist()))
        drawn = picture("features", x, y, "--centers", c)
        axes = panel(drawn)
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in crosses(axes)] == [(1, 2), (-3, 4)]
        assert of_text(axes) == ["cat", "dog"]
        assert names_of(drawn)[-1] == "center of a class"
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("u", "v")
        assert drawn.about["Description"].endswith("centers: c.csv")

    def test_more_dimensions_are_components_and_the_axes_say_so(self, picture, save):
        x = np.zeros((6, 3))
        x[[0, 1, 2, 3, 4, 5], [2, 2, 0, 0, 1, 1]] = [3, -3, 2, -2, 1, -1]
        drawn = picture("features", save("x.npy", x), save("y.npy", np.zeros(6, int)))
        assert drawn.get_suptitle() == "6 samples of 3 features in 1 class"
        axes = panel(drawn)
        assert axes.get_xlabel() == f"principal component 1 ({100 * 9 / 14:.3g} % of the variance)"
        assert axes.get_ylabel() == f"principal component 2 ({100 * 4 / 14:.3g} % of the variance)"
        [cloud] = clouds(axes)
        assert np.asarray(cloud.get_offsets()) == near(x[:, [2, 0]])

    def test_ignored_rows(self, picture, save):
        drawn = picture("features", save("x.npy", self.x), save("y.npy", self.y), "--ignore-index", "1")
        parts = clouds(panel(drawn))
        assert [part.get_offsets().tolist() for part in parts] == [self.x[self.y == k].tolist() for k in (0, 2)]
        kept = np.count_nonzero(self.y != 1)
        assert drawn.get_suptitle() == f"{kept} samples ({50 - kept} ignored) in 2 classes"

    def test_the_smallest_of_many_classes_are_drawn_together(self, picture, save):
        y = np.concatenate([np.arange(30), np.repeat(np.arange(4, 28), 3)])
        x = np.random.default_rng(0).normal(size=(len(y), 2))
        drawn = picture("features", save("x.npy", x), save("y.npy", y))
        others, *parts = clouds(panel(drawn))
        assert others.get_offsets().tolist() == x[np.isin(y, [0, 1, 2, 3, 28, 29])].tolist()
        assert [part.get_offsets().tolist() for part in parts] == [x[y == k].tolist() for k in range(4, 28)]
        means = [near(x[y == k].mean(axis=0).tolist()) for k in range(4, 28)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in crosses(panel(drawn))] == means
        assert [list(text.xy) for text in panel(drawn).texts] == means
        assert of_text(panel(drawn)) == [str(k) for k in range(4, 28)]
        assert names_of(drawn)[:2] == ["6 others (n = 6)", "4 (n = 4)"]
        assert drawn.get_suptitle() == "102 samples in 30 classes"

    def test_of_too_many_points_some_are_drawn_and_the_picture_says_so(self, picture, save, monkeypatch):
        monkeypatch.setattr(features_picture, "MOST_DRAWN", 20)
        monkeypatch.setattr(features_picture, "VECTORS", 10)
        y = np.repeat([0, 1], 25)
        drawn = picture("features", save("x.npy", self.x), save("y.npy", y))
        axes = panel(drawn)
        shown = [part.get_offsets().tolist() for part in clouds(axes)]
        assert sum(map(len, shown)) == 20
        for k in (0, 1):  # each of its own class, none of them twice, and in the order of the file
            rows = [self.x[y == k].tolist().index(point) for point in shown[k]]
            assert rows == sorted(set(rows))
            assert len(rows) > 4
        assert axes.get_title() == "20 of 50 rows drawn, chosen at random"
        assert all(part.get_rasterized() for part in clouds(axes))
        assert names_of(drawn)[:2] == ["0 (n = 25)", "1 (n = 25)"]
        means = [self.x[y == k].mean(axis=0).tolist() for k in (0, 1)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in crosses(axes)] == [near(mean) for mean in means]

    def test_a_class_of_every_other_row_is_not_left_out(self, picture, save, monkeypatch):
        monkeypatch.setattr(features_picture, "MOST_DRAWN", 20)
        drawn = picture("features", save("x.npy", np.arange(80.0).reshape(40, 2)), save("y.npy", [0, 1] * 20))
        assert len(clouds(panel(drawn))) == 2
        assert all(len(part.get_offsets()) > 4 for part in clouds(panel(drawn)))

    def test_all_of_few_points_are_drawn_as_they_are(self, picture, save):
        axes = panel(picture("features", save("x.npy", self.x), save("y.npy", self.y)))
        assert axes.get_title() == ""
        assert not any(part.get_rasterized() for part in clouds(axes))

    def test_distances_of_features_of_one_size_are_equal_on_both_axes(self, picture, save):
        y = save("y.npy", self.y)
        assert panel(picture("features", save("x.npy", self.x), y)).get_aspect() == 1
        assert panel(picture("features", save("x.npy", self.x * [100, 1]), y)).get_aspect() == "auto"

    @pytest.mark.parametrize("x", [[[1.0, 2]], [[3.0, 3]] * 4, np.ones((3, 5))])
    def test_points_that_all_lie_in_one_place(self, picture, save, x):
        [cloud] = clouds(panel(picture("features", save("x.npy", x), save("y.npy", np.zeros(len(x), int)))))
        assert len(cloud.get_offsets()) == len(x)

    def test_a_title_that_is_asked_for(self, picture, save):
        words = save("x.npy", self.x), save("y.npy", self.y)
        assert picture("features", *words, "--title", "Mine").get_suptitle() == "Mine"
