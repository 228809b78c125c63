"""What the pictures of a file's losses are made of: groups, confidences and contributions, from one pass."""

import itertools
import math
from functools import reduce
from operator import add

import numpy as np
import pytest
from by_hand import near
from reference import sigmoid, softmax

from losscli.definition.request import Request
from losscli.engine import aggregates as reductions
from losscli.engine.aggregates import Quantiles
from losscli.engine.classes import groups_of, has_confidence
from losscli.engine.collectors.breakdown import Profile, Profiler, concentration
from losscli.engine.evaluate import evaluate_chunk
from losscli.errors import DataError
from losscli.lookup.names import find
from losscli.measurement.class_labels import group_names
from losscli.measurement.prepare import prepare

ACROSS = np.linspace(0, 1, 51)


def prepared(loss, p, t, **options):
    """A calculation that keeps a profile."""
    parameters = {name: options.pop(name) for name in find(loss).parameters if name in options}
    made = prepare(Request(find(loss).bind(**parameters), p, t, **options))
    job = made.job
    weighted = job.weights is not None or job.class_weights is not None or job.output_weights is not None
    made.observe(Profiler(groups_of(job), has_confidence(job), weighted))
    return made


def profiled(loss, p, t, **options):
    """What is kept of the losses of two files."""
    return prepared(loss, p, t, **options).run().aggregate[Profile]


def by_group(loss, p, t, **options):
    """Kind of the groups, and of each by its name the number of its losses and their sum."""
    made = prepared(loss, p, t, **options)
    found = made.run().aggregate[Profile]
    table = zip(group_names(made.job, made.decoded), found.rows.tolist(), found.sums.tolist(), strict=True)
    return groups_of(made.job), {name: (rows, total) for name, rows, total in table}


def grouped(names, labels, losses):
    """The same, worked out row by row."""
    found = dict.fromkeys(names, (0, 0.0))
    for label, loss in zip(labels, losses, strict=True):
        rows, total = found[label]
        found[label] = (rows + 1, total + loss)
    return found


def same(found, expected):
    assert list(found) == list(expected)
    for name, (rows, total) in expected.items():
        assert found[name] == (rows, near(total)), name


Z = np.array([[1.0, 2, 4], [0, -1, 0.5], [2, 2, 2], [3, 0, 1], [-1, 0, 5], [0.5, 0, 0]])
Y = np.array([2, 0, 0, 2, 2, 0])
"""Labels of Z; no row is of class 1."""


CE = -np.log(softmax(Z)[np.arange(6), Y])
S = np.array([1.5, -2.0, 0.25, 3.0, -0.5])
T = np.array([1, 0, 0, 1, 1])
BCE = np.log1p(np.exp(np.where(T == 1, -S, S)))
M = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
ELEMENTS = np.log1p(np.exp(np.where(M == 1, -Z, Z)))
"""Losses of Z's outputs for the labels M."""


class TestGroups:
    def test_of_class_indices(self, save):
        kind, found = by_group("ce", save("p.npy", Z), save("t.npy", Y))
        assert kind == "classes"
        same(found, grouped(["0", "1", "2"], Y.astype(str), CE))

    def test_of_class_names(self, write):
        rows = "\n".join(",".join(map(str, row)) for row in Z)
        p = write("p.csv", f"z_cat,z_dog,z_eel\n{rows}\n")
        t = write("t.csv", "label\n" + "".join(f"{('cat', 'dog', 'eel')[y]}\n" for y in Y))
        kind, found = by_group("ce", p, t)
        assert kind == "classes"
        same(found, grouped(["cat", "dog", "eel"], [("cat", "dog", "eel")[y] for y in Y], CE))

    def test_of_indices_beside_named_columns(self, write, save):
        rows = "\n".join(",".join(map(str, row)) for row in Z)
        _, found = by_group("ce", write("p.csv", f"cat,dog,eel\n{rows}\n"), save("t.npy", Y))
        same(found, grouped(["cat", "dog", "eel"], [("cat", "dog", "eel")[y] for y in Y], CE))

    def test_of_one_hot_rows(self, save):
        kind, found = by_group("kl", save("p.npy", Z), save("t.npy", np.eye(3)[Y]))
        assert kind == "classes"
        same(found, grouped(["0", "1", "2"], Y.astype(str), CE))

    def test_soft_rows_have_none(self, save):
        made = prepared("ce", save("p.npy", Z), save("t.npy", np.full((6, 3), 1 / 3)))
        found = made.run().aggregate[Profile]
        assert groups_of(made.job) is None
        assert not has_confidence(made.job)
        assert (found.rows, found.sums, found.judged, found.right) == (None, None, None, None)

    @pytest.mark.parametrize(("labels", "names"), [(T, ["0", "1"]), (2 * T - 1, ["-1", "1"])])
    @pytest.mark.parametrize("loss", ["bce", "hinge"])
    def test_of_two_labels(self, save, loss, labels, names):
        kind, found = by_group(loss, save("p.npy", S), save("t.npy", labels))
        losses = BCE if loss == "bce" else np.maximum(0, 1 - np.where(T == 1, S, -S))
        assert kind == "classes"
        same(found, grouped(names, labels.astype(str), losses))

    def test_a_label_that_no_row_has_is_a_group_without_rows(self, save):
        _, found = by_group("bce", save("p.npy", S), save("t.npy", np.zeros(5, int)))
        assert found["1"] == (0, 0.0)
        assert found["0"] == (5, near(np.log1p(np.exp(S)).sum()))

    def test_fractions_as_targets_have_none(self, save):
        made = prepared("bce", save("p.npy", S), save("t.npy", [0.25, 0, 1, 0.5, 0.75]))
        assert groups_of(made.job) is None
        assert not has_confidence(made.job)
        assert made.run().aggregate[Profile].rows is None

    @pytest.mark.parametrize("over", ["mean", "sum"])
    def test_of_several_labels_a_row_are_the_outputs(self, save, over):
        kind, found = by_group("bce", save("p.npy", Z), save("t.npy", M), over_outputs=over)
        assert kind == "outputs"
        same(found, {str(k): (6, ELEMENTS[:, k].sum()) for k in range(3)})

    def test_outputs_that_do_not_exist_are_in_no_group(self, save):
        m = np.where(np.eye(6, 3, dtype=bool), np.nan, M)
        _, found = by_group("bce", save("p.npy", Z), save("t.npy", m), missing="ignore")
        same(found, {str(k): (5, np.delete(ELEMENTS[:, k], k).sum()) for k in range(3)})

    def test_of_several_fractions_a_row_are_the_outputs(self, save):
        made = prepared("bce", save("p.npy", Z), save("t.npy", np.full((6, 3), 0.5)))
        found = made.run().aggregate[Profile]
        assert groups_of(made.job) == "outputs"
        assert found.judged is None
        elements = (np.log1p(np.exp(Z)) + np.log1p(np.exp(-Z))) / 2
        assert found.rows.tolist() == [6] * 3
        assert found.sums == near(elements.sum(axis=0))

    def test_outputs_have_the_columns_names(self, write, save):
        rows = "\n".join(",".join(map(str, row)) for row in Z)
        _, found = by_group("mse", write("p.csv", f"x,y,z\n{rows}\n"), save("t.npy", M))
        same(found, {name: (6, ((Z - M)[:, k] ** 2).sum()) for k, name in enumerate("xyz")})
        kind, found = by_group("bce", "p.csv", "t.npy")
        assert (kind, list(found)) == ("outputs", ["x", "y", "z"])

    def test_of_several_margins_a_row_are_the_outputs(self, save):
        kind, found = by_group("hinge", save("p.npy", Z), save("t.npy", 2 * M - 1))
        hinge = np.maximum(0, 1 - (2 * M - 1) * Z)
        assert kind == "outputs"
        same(found, {str(k): (6, hinge[:, k].sum()) for k in range(3)})

    def test_numbers_have_none(self, save):
        made = prepared("mse", save("p.npy", S), save("t.npy", T))
        assert (groups_of(made.job), has_confidence(made.job)) == (None, False)
        assert made.run().aggregate[Profile].rows is None

    @pytest.mark.parametrize("targets", ["numbers", "constant"])
    def test_of_rows_of_numbers_are_the_outputs(self, save, targets):
        t = save("t.npy", np.full((6, 3), 2.0)) if targets == "numbers" else "2"
        kind, found = by_group("mae", save("p.npy", Z), t)
        assert kind == "outputs"
        same(found, {str(k): (6, np.abs(Z - 2)[:, k].sum()) for k in range(3)})

    def test_of_one_label_a_row_of_several_sigmoids_are_the_classes(self, save):
        kind, found = by_group("bce", save("p.npy", Z), save("t.npy", Y))
        hot = np.eye(3)[Y]
        losses = np.log1p(np.exp(np.where(hot == 1, -Z, Z))).mean(axis=1)
        assert kind == "classes"
        same(found, grouped(["0", "1", "2"], Y.astype(str), losses))

    def test_of_one_name_a_row_of_several_sigmoids_are_the_classes(self, write):
        rows = "\n".join(",".join(map(str, row)) for row in Z)
        p = write("p.csv", f"p_a,p_b,p_c\n{rows}\n")
        t = write("t.csv", "label\n" + "".join(f"{'abc'[y]}\n" for y in Y))
        kind, found = by_group("bce", p, t, over_outputs="sum")
        losses = np.log1p(np.exp(np.where(np.eye(3)[Y] == 1, -Z, Z))).sum(axis=1)
        assert kind == "classes"
        same(found, grouped(["a", "b", "c"], ["abc"[y] for y in Y], losses))

    def test_of_one_output_a_row_are_two_labels(self, save):
        kind, found = by_group("bce", save("p.npy", S[:, None]), save("t.npy", T[:, None]))
        assert kind == "classes"
        same(found, grouped(["0", "1"], T.astype(str), BCE))

    @pytest.mark.parametrize("targets", ["index", "one-hot"])
    def test_of_features_are_the_classes(self, save, write, targets):
        centers = np.array([[0.0, 0, 1], [1, 1, 1], [0, 2, 4]])
        rows = "".join(f"{name},{','.join(map(str, row))}\n" for name, row in zip("abc", centers, strict=True))
        c = write("c.csv", f"class,u,v,w\n{rows}")
        t = save("t.npy", Y if targets == "index" else np.eye(3)[Y])
        made = prepared("center", save("p.npy", Z), t, centers=c)
        assert (groups_of(made.job), has_confidence(made.job)) == ("classes", False)
        losses = ((Z - centers[Y]) ** 2).sum(axis=1) / 2
        same(by_group("center", "p.npy", t, centers=c)[1], grouped("abc", ["abc"[y] for y in Y], losses))

    def test_soft_targets_of_features_have_none(self, save):
        c, t = save("c.npy", np.zeros((2, 3))), save("t.npy", np.full((6, 2), 0.5))
        made = prepared("center", save("p.npy", Z), t, centers=c)
        assert groups_of(made.job) is None

    @pytest.mark.parametrize("weights", [{"class_weight": "0=3,2=0"}, {"sample_weight": "w.npy"}])
    def test_are_of_losses_before_weights(self, save, weights):
        save("w.npy", [1, 2, 3, 0, 5, 6])
        _, found = by_group("ce", save("p.npy", Z), save("t.npy", Y), **weights)
        same(found, grouped(["0", "1", "2"], Y.astype(str), CE))

    @pytest.mark.parametrize("loss", ["ce", "bce"])
    def test_ignored_rows_are_in_none(self, save, loss):
        labels = np.where(np.arange(6) % 3 == 1, -100, Y)
        _, found = by_group(loss, save("p.npy", Z), save("t.npy", labels), ignore_index="-100")
        kept = labels != -100
        _, expected = by_group(loss, save("q.npy", Z[kept]), save("u.npy", Y[kept]))
        assert sum(rows for rows, _ in found.values()) == 4
        same(found, expected)

    def test_an_infinite_loss_is_its_group_s_alone(self, save):
        p = save("p.npy", [[0.0, 1], [0.5, 0.5], [0.25, 0.75]])
        _, found = by_group("ce", p, save("t.npy", [0, 0, 1]), prediction_kind="probs")
        assert found == {"0": (2, math.inf), "1": (1, near(math.log(4 / 3)))}


def of_classes(p, y):
    """Counts of the probability of the true class against the largest of another class."""
    each = np.arange(len(y))
    others = p.copy()
    others[each, y] = 0
    return np.histogram2d(p[each, y], others.max(axis=1), [ACROSS, ACROSS])[0]


def of_outcomes(p, t):
    """Counts of the probability of the positive outcome, for each outcome."""
    return np.stack([np.histogram(np.ravel(p)[np.ravel(t) == k], ACROSS)[0] for k in (0, 1)])


class TestConfidence:
    generator = np.random.default_rng(11)
    z, y = generator.normal(0, 2, (300, 4)), generator.integers(0, 4, 300)
    s, t = generator.normal(0, 3, 300), generator.integers(0, 2, 300)
    m = generator.integers(0, 2, (300, 4))

    def of_outputs(self, found, p, t):
        assert np.array_equal(found.judged, of_outcomes(p, t))
        assert found.right.tolist() == [np.count_nonzero(p[t == 0] <= 0.5), np.count_nonzero(p[t == 1] > 0.5)]

    @pytest.mark.parametrize("targets", ["index", "one-hot"])
    @pytest.mark.parametrize("loss", ["ce", "softmax-focal"])
    def test_of_several_classes(self, save, loss, targets):
        t = save("t.npy", self.y if targets == "index" else np.eye(4)[self.y])
        found = profiled(loss, save("p.npy", self.z), t)
        assert np.array_equal(found.judged, of_classes(softmax(self.z), self.y))
        assert found.judged.sum() == 300
        assert found.right.tolist() == [np.count_nonzero(self.z.argmax(axis=1) == self.y)]

    def test_of_equal_predictions_the_first_class_is_the_predicted_one(self, save):
        found = profiled("ce", save("p.npy", np.zeros((4, 4))), save("t.npy", [0, 1, 2, 0]))
        assert found.right.tolist() == [2]
        assert found.judged[12, 12] == 4

    @pytest.mark.parametrize("signed", [False, True])
    def test_of_two_outcomes(self, save, signed):
        found = profiled("bce", save("p.npy", self.s), save("t.npy", 2 * self.t - 1 if signed else self.t))
        self.of_outputs(found, sigmoid(self.s), self.t)

    def test_an_even_chance_is_no_prediction_of_the_positive_outcome(self, save):
        found = profiled("bce", save("p.npy", np.zeros(3)), save("t.npy", [0, 1, 1]))
        assert found.right.tolist() == [1, 0]

    def test_two_classes_are_two_outcomes(self, save):
        z = np.stack([-self.s, 0 * self.s], axis=1)
        self.of_outputs(profiled("ce", save("p.npy", z), save("t.npy", self.t)), sigmoid(self.s), self.t)

    def test_of_several_labels_are_those_of_the_outputs(self, save):
        found = profiled("bce", save("p.npy", self.z), save("t.npy", self.m))
        self.of_outputs(found, sigmoid(self.z), self.m)

    def test_of_one_label_a_row_of_several_sigmoids_are_those_of_the_outputs(self, save):
        found = profiled("bce", save("p.npy", self.z), save("t.npy", self.y))
        self.of_outputs(found, sigmoid(self.z), np.eye(4)[self.y])

    def test_outputs_that_do_not_exist_are_not_counted(self, save):
        m = np.where(self.generator.random(self.m.shape) < 0.3, np.nan, self.m)
        found = profiled("bce", save("p.npy", self.z), save("t.npy", m), missing="ignore")
        there = ~np.isnan(m)
        self.of_outputs(found, sigmoid(self.z)[there], m[there])

    @pytest.mark.parametrize("given", ["probs", "log-probs"])
    def test_does_not_depend_on_what_predictions_are(self, save, given):
        chances = softmax(self.z)
        p = save("p.npy", chances if given == "probs" else np.log(chances))
        found = profiled("ce", p, save("t.npy", self.y), prediction_kind=given)
        assert np.array_equal(found.judged, of_classes(chances, self.y))

    def test_of_two_outcomes_from_probabilities(self, save):
        p = save("p.npy", sigmoid(self.s))
        self.of_outputs(profiled("bce", p, save("t.npy", self.t), prediction_kind="probs"), sigmoid(self.s), self.t)

    @pytest.mark.parametrize("given", ["logits", "probs", "log-probs"])
    def test_are_those_at_the_temperature(self, save, given):
        p = {"logits": self.z, "probs": softmax(self.z), "log-probs": np.log(softmax(self.z))}[given]
        found = profiled("ce", save("p.npy", p), save("t.npy", self.y), prediction_kind=given, temperature=2.5)
        assert np.array_equal(found.judged, of_classes(softmax(self.z / 2.5), self.y))

    def test_of_outcomes_at_the_temperature(self, save):
        p, t = save("p.npy", sigmoid(self.z)), save("t.npy", self.m)
        found = profiled("bce", p, t, prediction_kind="probs", temperature=0.5)
        self.of_outputs(found, sigmoid(2 * self.z), self.m)

    @pytest.mark.parametrize(
        "options", [{"label_smoothing": 0.2}, {"label_smoothing": 0.2, "smoothing_mode": "others"}]
    )
    def test_smoothing_leaves_them(self, save, options):
        found = profiled("ce", save("p.npy", self.z), save("t.npy", self.y), **options)
        assert np.array_equal(found.judged, of_classes(softmax(self.z), self.y))

    @pytest.mark.parametrize("options", [{"label_smoothing": 0.2}, {"pos_weight": "5"}])
    def test_what_changes_the_loss_of_outcomes_leaves_them(self, save, options):
        found = profiled("bce", save("p.npy", self.s), save("t.npy", self.t), **options)
        self.of_outputs(found, sigmoid(self.s), self.t)

    def test_ignored_rows_are_not_counted(self, save):
        labels = np.where(self.s > 1, -1, self.y)
        found = profiled("ce", save("p.npy", self.z), save("t.npy", labels), ignore_index="-1")
        kept = self.s <= 1
        assert np.array_equal(found.judged, of_classes(softmax(self.z[kept]), self.y[kept]))

    def test_certainties(self, save):
        p = save("p.npy", [[0.0, 1, 0], [0, 1, 0], [1, 0, 0]])
        found = profiled("ce", p, save("t.npy", [0, 1, 1]), prediction_kind="probs")
        assert (found.judged[0, 49], found.judged[49, 0], found.judged.sum()) == (2, 1, 3)
        assert found.right.tolist() == [1]

    def test_a_nan_is_an_error_as_everywhere(self, save):
        p = save("p.npy", [[0.0, 1], [math.nan, 1], [0, math.nan]])
        with pytest.raises(DataError, match=r"p\.npy\[1, 0\].*NaN"):
            profiled("ce", p, save("t.npy", [0, 0, 1]))

    def test_a_row_without_a_possible_class_is_an_error_as_everywhere(self, save):
        p = save("p.npy", [[0.0, 1], [-math.inf, -math.inf]])
        with pytest.raises(DataError, match=r"p\.npy\[1\].*undefined"):
            profiled("ce", p, save("t.npy", [0, 0]))


class TestContributions:
    def spectrum(self, found):
        values, counts = found.contributions.spectrum()
        return np.repeat(values, counts)

    def test_there_are_none_without_weights(self, save):
        assert profiled("ce", save("p.npy", Z), save("t.npy", Y)).contributions is None

    def test_of_sample_weights(self, save):
        w = np.array([1, 2, 0.5, 0, 3, 1])
        found = profiled("ce", save("p.npy", Z), save("t.npy", Y), sample_weight=save("w.npy", w))
        assert self.spectrum(found) == near(np.sort(w * CE))

    def test_of_class_weights_and_sample_weights(self, save):
        w = np.array([1, 2, 0.5, 0, 3, 1])
        found = profiled(
            "ce", save("p.npy", Z), save("t.npy", Y), sample_weight=save("w.npy", w), class_weight="0=2,2=7"
        )
        assert self.spectrum(found) == near(np.sort(w * np.array([2, 0, 7])[Y] * CE))

    def test_of_output_weights(self, save):
        found = profiled("bce", save("p.npy", Z), save("t.npy", M), class_weight="0=1,1=2,2=6")
        # The weighted mean over outputs times the mean weight is the mean over outputs of weight times loss.
        assert self.spectrum(found) == near(np.sort((ELEMENTS * [1, 2, 6]).mean(axis=1)))

    def test_an_infinite_loss_of_weight_zero_adds_nothing(self, save):
        p, t = save("p.npy", [[0.0, 1], [0.5, 0.5]]), save("t.npy", [0, 0])
        found = profiled("ce", p, t, prediction_kind="probs", sample_weight=save("w.npy", [0, 2]))
        assert self.spectrum(found) == near(np.array([0, 2 * math.log(2)]))

    def test_an_infinite_loss_is_an_infinite_contribution(self, save):
        p, t = save("p.npy", [[0.0, 1], [0.5, 0.5]]), save("t.npy", [0, 0])
        found = profiled("ce", p, t, prediction_kind="probs", sample_weight=save("w.npy", [1, 2]))
        assert self.spectrum(found).tolist() == [near(2 * math.log(2)), math.inf]


def makers():
    """Requests of all kinds of targets, as functions of `save`."""
    generator = np.random.default_rng(5)
    n, k = 97, 4
    z, s = generator.normal(0, 2, (n, k)), generator.normal(0, 2, n)
    y, m, w = generator.integers(0, k, n), generator.integers(0, 2, (n, k)), generator.random(n)
    some = np.where(generator.random(n) < 0.5, -1, y)
    some[20:50] = -1  # whole blocks of rows that are ignored
    soft = softmax(generator.normal(0, 1, (n, k)))
    return {
        "index": lambda save: ("ce", save("p", z), save("t", y), {}),
        "ignored": lambda save: ("ce", save("p", z), save("t", some), {"ignore_index": "-1"}),
        "one-hot": lambda save: ("kl", save("p", z), save("t", np.eye(k)[y]), {"label_smoothing": 0.1}),
        "soft": lambda save: ("ce", save("p", z), save("t", soft), {"sample_weight": save("w", w)}),
        "binary": lambda save: ("bce", save("p", s), save("t", m[:, 0]), {"class_weight": "balanced"}),
        "signed": lambda save: ("hinge", save("p", s), save("t", 2 * m[:, 0] - 1), {}),
        "labels": lambda save: ("bce", save("p", z), save("t", m), {"class_weight": "0=2"}),
        "one label": lambda save: ("bce", save("p", z), save("t", y), {}),
        "numbers": lambda save: ("mse", save("p", s), save("t", w), {"sample_weight": save("w", w)}),
        "rows": lambda save: ("mse", save("p", z), save("t", soft), {}),
        "center": lambda save: ("center", save("p", z), save("t", y), {"centers": save("c", np.eye(k))}),
        "infinite": lambda save: (
            "ce",
            save("p", np.eye(k)[y]),
            save("t", (y + m[:, 0]) % k),
            {"prediction_kind": "probs"},
        ),
    }


def assert_same_profile(found, expected):
    for one, other in ((found.rows, expected.rows), (found.judged, expected.judged), (found.right, expected.right)):
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)
    assert (found.sums is None) == (expected.sums is None)
    if found.sums is not None:
        np.testing.assert_allclose(found.sums, expected.sums, rtol=1e-13)
    assert (found.contributions is None) == (expected.contributions is None)
    if found.contributions is not None:
        mine, theirs = found.contributions.spectrum(), expected.contributions.spectrum()
        assert np.array_equal(mine[0], theirs[0])
        assert np.array_equal(mine[1], theirs[1])


class TestMerging:
    """One profile, however the rows are divided."""

    @pytest.mark.parametrize("kind", makers())
    def test_any_split_of_the_rows(self, save, kind):
        loss, p, t, options = makers()[kind](lambda name, array: save(f"{name}.npy", array))
        made = prepared(loss, p, t, **options)
        job, collectors, n = made.job, made.collectors, made.job.samples
        whole = evaluate_chunk(job, collectors, 0, n).aggregate[Profile]
        generator = np.random.default_rng(1)
        for pieces in (2, 3, 7, 20):
            cuts = [0, *sorted(generator.choice(np.arange(1, n), pieces - 1, replace=False).tolist()), n]
            parts = [
                evaluate_chunk(job, collectors, low, high).aggregate[Profile] for low, high in itertools.pairwise(cuts)
            ]
            assert_same_profile(reduce(add, parts), whole)
            assert_same_profile(parts[0] + reduce(add, parts[1:]), whole)

    @pytest.mark.parametrize("kind", makers())
    @pytest.mark.parametrize("size", [1, 100, 700])
    def test_any_size_of_blocks_and_chunks(self, save, monkeypatch, kind, size):
        loss, p, t, options = makers()[kind](lambda name, array: save(f"{name}.npy", array))
        whole = profiled(loss, p, t, **options)
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", size)
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 3 * size)
        assert_same_profile(profiled(loss, p, t, **options), whole)


class TestConcentration:
    """The share of the total that the worst rows carry."""

    def of(self, losses):
        return concentration(*np.unique(np.asarray(losses, float), return_counts=True))

    @pytest.mark.parametrize("losses", [[1, 2, 3, 4], [5, 0, 0, 5, 1, 1], [3], [2, 2, 2], [0, 0, 0, 7.5]])
    def test_is_the_most_that_so_many_rows_can_carry(self, losses):
        rows, share = self.of(losses)
        for m in range(len(losses) + 1):
            most = max(sum(chosen) for chosen in itertools.combinations(losses, m))
            assert np.interp(m / len(losses), rows, share) == near(most / sum(losses))

    def test_of_random_losses(self):
        losses = np.random.default_rng(2).lognormal(0, 2, 500)
        rows, share = self.of(losses)
        worst = sorted(losses, reverse=True)
        for m in (1, 5, 25, 50, 499, 500):
            assert np.interp(m / 500, rows, share) == near(sum(worst[:m]) / sum(worst))
        assert (rows[0], share[0], rows[-1], share[-1]) == (0, 0, 1, 1)

    def test_of_a_hundred_equal_losses_is_the_diagonal(self):
        rows, share = self.of([3.0] * 100)
        assert np.interp([0.25, 0.5], rows, share) == near(np.array([0.25, 0.5]))

    def test_of_many_rows_from_a_histogram_is_near(self, monkeypatch):
        losses = np.random.default_rng(2).lognormal(0, 3, 5000)
        exact = concentration(*Quantiles.of(losses).spectrum())
        monkeypatch.setattr(reductions, "EXACT_LOSSES", 1000)
        rough = concentration(*Quantiles.of(losses).spectrum())
        assert len(rough[0]) < len(exact[0])
        at = np.array([0.001, 0.01, 0.1, 0.5])
        # Each loss is off by at most 2^-11 of itself, and so are a part's sum and the total.
        np.testing.assert_allclose(np.interp(at, *rough), np.interp(at, *exact), rtol=2.0**-10)
