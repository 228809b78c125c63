"""Isotonic regression: against its definition in exact arithmetic, and against scikit-learn."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from losscli.analysis.calibration import isotonic
from losscli.analysis.calibration.isotonic import Steps

GOLDEN = json.loads((Path(__file__).parent / "calibrators.json").read_text())["cancer"]["isotonic"]
"""By make_calibrators.py: scikit-learn 1.9.1."""


def by_minimax(scores, right, weights):
    """The fitted mean at each score, in rising order, as max over starts of min over ends of the mean between (Barlow et al. 1972)."""
    at = sorted(set(scores))
    sums = [
        (
            sum(Fraction(w) * int(r) for s, r, w in zip(scores, right, weights, strict=True) if s == x),
            sum(Fraction(w) for s, w in zip(scores, weights, strict=True) if s == x),
        )
        for x in at
    ]

    def mean(i, j):
        return sum(a for a, _ in sums[i : j + 1]) / sum(b for _, b in sums[i : j + 1])

    n = len(at)
    return at, [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]


rows = some.lists(some.tuples(some.integers(-4, 4), some.booleans(), some.integers(1, 5)), min_size=1, max_size=12)


class TestSteps:
    @given(rows)
    def test_every_score_has_the_value_of_the_definition(self, found):
        scores, right, weights = (list(column) for column in zip(*found, strict=True))
        at, expected = by_minimax(scores, right, weights)
        steps = Steps.of(np.array(scores, float), np.array(right), np.array(weights, float))
        # Means of whole numbers are rounded once.
        assert steps.at(np.array(at, float)).tolist() == [float(y) for y in expected]
        assert (np.diff(steps.x) > 0).all()
        assert (np.diff(steps.y) >= 0).all()

    @pytest.mark.parametrize("shrinks", [0.0, 2.0])
    @given(found=rows)
    def test_both_ways_of_pooling_agree(self, shrinks, found):
        scores, right, weights = (np.array(column, float) for column in zip(*found, strict=True))
        expected = Steps.of(scores, right, weights)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                isotonic, "SHRINKS", shrinks
            )  # one after the other from the beginning, or all at once to the end
            other = Steps.of(scores, right, weights)
        assert (other.x.tolist(), other.y.tolist()) == (expected.x.tolist(), expected.y.tolist())

    def test_blocks_keep_their_ends(self):
        steps = Steps.of(np.array([1.0, 2, 3, 4, 5]), np.array([0, 1, 0, 1, 1]), np.ones(5))
        assert (steps.x.tolist(), steps.y.tolist()) == ([1, 2, 3, 4, 5], [0, 0.5, 0.5, 1, 1])
        assert steps.levels == 3
        assert steps.at(np.array([-9, 1.5, 2.5, 3.5, 9])).tolist() == [0, 0.25, 0.5, 0.75, 1]

    def test_infinite_scores_are_the_ends(self):
        inf = np.inf
        steps = Steps.of(np.array([-inf, 1, 2, inf]), np.array([0, 1, 0, 1]), np.ones(4))
        assert steps.at(np.array([-inf, -5, 1.5, 5, inf])).tolist() == [0, 0.5, 0.5, 0.5, 1]
        only = Steps.of(np.array([-inf, inf]), np.array([0, 1]), np.ones(2))
        assert only.at(np.array([-inf, 3, inf])).tolist() == [0, 0, 1]

    def test_many_blocks_that_each_pool_with_the_last(self):
        # Rising means, and one that is below all of them: block after block joins it from the end.
        n = 2000
        positive = np.append(np.arange(1.0, n), 0)
        weight = np.append(np.full(n - 1, float(n)), 1e13)
        assert isotonic.pooled(positive, weight).tolist() == [0]


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("name", ["logits", "weighted", "probs"])
    def test_points(self, run, save, sample_data, name):
        s = np.load(sample_data / "cancer_logits.npy").astype(np.float64)
        t = str(sample_data / "cancer_labels.npy")
        words = {
            "logits": lambda: (save("s.npy", s), t),
            "weighted": lambda: (
                save("s.npy", s.round(1)),
                t,
                "--sample-weight",
                save("w.npy", 1.0 + np.arange(len(s)) % 3),
            ),
            "probs": lambda: (save("p.npy", 1 / (1 + np.exp(-s))), t, "--from", "probs"),
        }[name]()
        [column] = run("calibrate", *words, "--method", "isotonic", "-f", "json").json["map"]["columns"]
        assert column["x"] == pytest.approx(GOLDEN[name]["x"], rel=1e-15)
        assert column["y"] == pytest.approx(GOLDEN[name]["y"], rel=1e-15)
