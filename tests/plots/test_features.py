"""`losscli plot features`: what is in the picture."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import clouds, discs, names_of, near, of_text, overlap, panel, table

from losscli.analysis import features as features_analysis
from losscli.plots import features as features_picture
from losscli.plots import style


def _linear(colour):
    """Linear RGB of a colour in sRGB (IEC 61966-2-1)."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def _oklab(linear):
    cones = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    cones += [[0.0883024619, 0.2817188376, 0.6299787005]]
    lab = [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099]]
    lab += [[0.0259040371, 0.7827717662, -0.808675766]]
    return np.cbrt(linear @ np.transpose(cones)) @ np.transpose(lab)


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

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_ten_classes_differ_in_colour_and_in_shape(self, picture, save, theme):
        words = save("x.npy", self.x), save("y.npy", np.arange(50) % 10), "--theme", theme
        drawn = picture("features", *words)
        parts = clouds(panel(drawn))
        assert len({to_hex(part.get_facecolor()[0]) for part in parts}) == 10
        assert len({part.get_paths()[0].vertices.tobytes() for part in parts}) == 10
        handles = drawn.legends[0].legend_handles
        colours = [to_hex(part.get_facecolor()[0]) for part in parts]
        assert [to_hex(handle.get_color()) for handle in handles[:10]] == colours

    def test_the_second_ten_of_twenty_classes_are_hollow_and_of_another_shape(self, picture, save):
        words = save("x.npy", np.tile(self.x, (2, 1))), save("y.npy", np.arange(100) % 20)
        parts = clouds(panel(picture("features", *words)))
        shapes = [part.get_paths()[0].vertices.tobytes() for part in parts]
        for first, second, shape, other in zip(parts[:10], parts[10:], shapes[:10], shapes[10:], strict=True):
            assert to_hex(first.get_edgecolor()[0]) == to_hex(second.get_edgecolor()[0])
            assert (len(first.get_facecolor()), len(second.get_facecolor())) == (1, 0)
            assert shape != other
        assert len({(to_hex(part.get_edgecolor()[0]), shape) for part, shape in zip(parts, shapes, strict=True)}) == 20

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_colours_are_told_apart_by_colour_blind_readers_and_from_the_ground(self, theme):
        """Distances in OKLab (Ottosson 2020), as seen with the simulation of Machado, Oliveira and Fernandes (2009)."""
        seen = {
            "all": np.eye(3),
            "no red": [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            "no green": [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.01182, 0.04294, 0.968881],
            ],
        }
        linear = np.array([_linear(colour) for colour in features_picture.COLOURS[theme]])
        for matrix in seen.values():
            lab = _oklab(np.clip(linear @ np.transpose(matrix), 0, 1))
            apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + np.eye(10)
            assert apart.min() > 0.055
        luminance = linear @ [0.2126, 0.7152, 0.0722] + 0.05
        ground = _linear(style.THEMES[theme].ground) @ [0.2126, 0.7152, 0.0722] + 0.05
        assert (np.maximum(luminance, ground) / np.minimum(luminance, ground)).min() > 2.2

    def test_a_center_is_a_symbol_that_no_class_has(self, picture, save):
        axes = panel(picture("features", save("x.npy", self.x), save("y.npy", self.y)))
        for disc, part in zip(discs(axes), clouds(axes), strict=True):
            assert to_hex(disc.get_markerfacecolor()) == "#ffffff"
            at = list(disc.get_xydata()[0])
            [held] = [line for line in axes.lines if line is not disc and list(line.get_xydata()[0]) == at]
            assert to_hex(held.get_markerfacecolor()) == to_hex(part.get_facecolor()[0])

    def test_names_of_centers_do_not_hide_each_other(self, picture, save):
        x = np.stack([np.arange(20) * 0.2, np.arange(20) % 3], axis=1)
        x[-1] = 40  # all others are close together
        axes = panel(picture("features", save("x.npy", x), save("y.npy", np.arange(20)), laid_out=True))
        boxes = [text.get_window_extent() for text in axes.texts]
        assert all(overlap(one, other) <= 0 for one, other in itertools.combinations(boxes, 2))
        assert 0 < len(boxes) <= 20
        inside = axes.get_window_extent()
        assert all(inside.contains(*end) for box in boxes for end in (box.min, box.max))

    def test_means_are_marked_and_named(self, picture, save):
        axes = panel(picture("features", save("x.npy", self.x), save("y.npy", self.y)))
        means = [self.x[self.y == k].mean(axis=0) for k in range(3)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in discs(axes)] == [near(m.tolist()) for m in means]
        assert of_text(axes) == ["0", "1", "2"]
        assert [text.xy for text in axes.texts] == [near(tuple(mean)) for mean in means]

    def test_centers_of_a_file(self, picture, write, save):
        c = write("c.csv", "class,u,v\ncat,1,2\ndog,-3,4\n")
        y = write("y.csv", table("label", [("cat", "dog")[k % 2] for k in self.y]))
        x = write("x.csv", table("u,v", *self.x.T.tolist()))
        drawn = picture("features", x, y, "--centers", c)
        axes = panel(drawn)
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in discs(axes)] == [(1, 2), (-3, 4)]
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
        y = np.concatenate([np.arange(30), np.repeat(np.arange(4, 24), 3)])
        x = np.random.default_rng(0).normal(size=(len(y), 2))
        drawn = picture("features", save("x.npy", x), save("y.npy", y))
        others, *parts = clouds(panel(drawn))
        assert others.get_offsets().tolist() == x[np.isin(y, [0, 1, 2, 3, *range(24, 30)])].tolist()
        assert [part.get_offsets().tolist() for part in parts] == [x[y == k].tolist() for k in range(4, 24)]
        means = [near(x[y == k].mean(axis=0).tolist()) for k in range(4, 24)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in discs(panel(drawn))] == means
        assert set(of_text(panel(drawn))) <= {str(k) for k in range(4, 24)}
        assert names_of(drawn) == [*(f"{k} (n = 4)" for k in range(4, 24)), "10 others (n = 10)", "mean of a class"]
        assert drawn.get_suptitle() == "90 samples in 30 classes"
        assert panel(drawn).get_title() == "the 20 largest of 30 classes in colour"

    def test_of_equally_large_classes_none_is_the_largest(self, picture, save):
        x = np.random.default_rng(0).normal(size=(50, 2))
        drawn = picture("features", save("x.npy", x), save("y.npy", np.arange(50) % 25))
        assert panel(drawn).get_title() == "20 of 25 classes in colour"

    def test_of_too_many_points_some_are_drawn_and_the_picture_says_so(self, picture, save, monkeypatch):
        monkeypatch.setattr(features_analysis, "MOST_DRAWN", 20)
        monkeypatch.setattr(features_picture, "VECTORS", 10)
        y = np.repeat([0, 1], 25)
        drawn = picture("features", save("x.npy", self.x), save("y.npy", y))
        axes = panel(drawn)
        shown = [
            [point for part in clouds(axes)[k::2] for point in part.get_offsets().tolist()] for k in (0, 1)
        ]  # classes are drawn in turns
        assert sum(map(len, shown)) == 20
        for k in (0, 1):  # each of its own class, and none of them twice
            rows = [self.x[y == k].tolist().index(point) for point in shown[k]]
            assert len(rows) == len(set(rows))
            assert len(rows) > 4
        assert axes.get_title() == "20 of 50 rows drawn, chosen at random"
        assert all(part.get_rasterized() for part in clouds(axes))
        assert names_of(drawn)[:2] == ["0 (n = 25)", "1 (n = 25)"]
        means = [self.x[y == k].mean(axis=0).tolist() for k in (0, 1)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in discs(axes)] == [near(mean) for mean in means]

    def test_a_class_of_every_other_row_is_not_left_out(self, picture, save, monkeypatch):
        monkeypatch.setattr(features_analysis, "MOST_DRAWN", 20)
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

    def test_points_on_a_line_are_drawn_on_one(self, picture, save):
        """Two points of three features; the second component is nothing but rounding."""
        axes = panel(
            picture("features", save("x.npy", [[1.0, 0.2, -1], [0, 1, 2]]), save("y.npy", [0, 1]), laid_out=True)
        )
        assert axes.get_ylabel() == "principal component 2 (0 % of the variance)"
        assert np.ptp(axes.get_ylim()) > 1

    @pytest.mark.parametrize("x", [[[1.0, 2]], [[3.0, 3]] * 4, np.ones((3, 5))])
    def test_points_that_all_lie_in_one_place(self, picture, save, x):
        [cloud] = clouds(panel(picture("features", save("x.npy", x), save("y.npy", np.zeros(len(x), int)))))
        assert len(cloud.get_offsets()) == len(x)

    def test_a_title_that_is_asked_for(self, picture, save):
        words = save("x.npy", self.x), save("y.npy", self.y)
        assert picture("features", *words, "--title", "Mine").get_suptitle() == "Mine"
