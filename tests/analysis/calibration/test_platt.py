"""Platt scaling: against its definition at 40 digits, and against scipy and scikit-learn."""

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from reference import sigmoid

from losscli.analysis.calibration import platt

GOLDEN = json.loads((Path(__file__).parent / "calibrators.json").read_text())["cancer"]["platt"]
"""By make_calibrators.py: scipy 1.17.1 minimises the objective of scikit-learn 1.9.1."""


@pytest.fixture
def fitted(run):
    """Fit by `losscli calibrate --method platt`, and return JSON."""
    return lambda *words: run("calibrate", *words, "--method", "platt", "-f", "json").json


def slopes(s, y, w, a, b):
    """Derivatives of Platt's objective by a and b at 40 digits."""
    with mpmath.workdps(40):
        n1 = mpmath.fsum(w_ for y_, w_ in zip(y, w, strict=True) if y_)
        n0 = mpmath.fsum(w) - n1
        t = [(n1 + 1) / (n1 + 2) if y_ else 1 / (n0 + 2) for y_ in y]
        p = [1 / (1 + mpmath.exp(-(mpmath.mpf(a) * s_ + mpmath.mpf(b)))) for s_ in s]
        terms = [w_ * (p_ - t_) for w_, p_, t_ in zip(w, p, t, strict=True)]
        return float(mpmath.fdot(terms, s)), float(mpmath.fsum(terms))


class TestTheMinimum:
    @pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-6, 0), (1e5, 3e5), (1, 1e4)])
    def test_slopes_are_zero(self, fitted, save, scale, shift):
        random = np.random.default_rng(1)
        s = random.normal(0, 2, 40) * scale + shift
        y = (random.random(40) < sigmoid((s - shift) / scale / 2)).astype(int)
        w = random.integers(1, 4, 40)
        words = save("s.npy", s), save("y.npy", y), "--sample-weight", save("w.npy", w)
        found = fitted(*words)
        [column] = found["map"]["columns"]
        of_a, of_b = slopes(s.tolist(), y.tolist(), w.tolist(), column["a"], column["b"])
        # In units of the scores' size, for a is large where they are small.
        assert of_a / np.abs(s).max() == pytest.approx(0, abs=1e-8)
        assert of_b == pytest.approx(0, abs=1e-8)
        assert (found["converged"], found["temperature"]) == (True, None)

    def test_divided_labels_have_a_minimum_and_a_warning(self, run, save):
        s, y = [-3.0, -2, -1, 1, 2, 3], [0, 0, 0, 1, 1, 1]
        done = run("calibrate", save("s.npy", s), save("y.npy", y), "--method", "platt", "-f", "json")
        [column] = done.json["map"]["columns"]
        assert slopes(s, y, [1] * 6, column["a"], column["b"]) == pytest.approx((0, 0), abs=1e-12)
        assert "a score divides the labels without error: a would grow without limit" in done.err

    def test_scores_too_near_to_each_other_for_a_slope(self, run, save):
        p, t = save("p.npy", np.array([0, 1, 2, 3]) * 1e-310), save("t.npy", [0, 1, 0, 1])
        run("calibrate", p, t, "--method", "platt").refuses(
            3, "p.npy: the scores of a column are too near", "multiply them all"
        )

    def test_equal_scores(self, run, save):
        done = run(
            "calibrate",
            save("s.npy", np.full(6, 2.0)),
            save("y.npy", [0, 0, 0, 0, 1, 1]),
            "--method",
            "platt",
            "-f",
            "json",
        )
        [column] = done.json["map"]["columns"]
        # The mean of the smoothed targets: (2 * 3/4 + 4 * 1/6) / 6.
        assert (column["a"], sigmoid(np.array(column["b"]))) == (0, pytest.approx(13 / 36))
        assert "all rows have the same score" in done.err

    def test_scores_that_point_away_from_the_labels(self, run, save):
        s, y = np.array([0.0, 1, 2, 3, 4, 5]), [1, 1, 0, 1, 0, 0]
        done = run("calibrate", save("s.npy", s), save("y.npy", y), "--method", "platt", "-f", "json")
        assert done.json["map"]["columns"][0]["a"] < 0
        assert "a < 0: the higher the score, the less probable it becomes" in done.err

    def test_what_does_not_converge_says_so(self, run, save, monkeypatch):
        monkeypatch.setattr(platt, "MOST_STEPS", 1)
        words = save("s.npy", [0.0, 1, 2, 3]), save("y.npy", [0, 1, 0, 1])
        done = run("calibrate", *words, "--method", "platt", "-f", "json")
        assert done.json["converged"] is False
        assert "has not converged after 1 step" in done.err

    def test_steps_that_are_too_long_are_halved(self, fitted, save, monkeypatch):
        s, y = np.array([-1.0, -0.5, 0.2, 0.4, 3, 40]), [0, 1, 0, 1, 1, 1]
        words = save("s.npy", s), save("y.npy", y)
        expected = fitted(*words)["map"]["columns"][0]
        newton = platt._newton
        monkeypatch.setattr(platt, "_newton", lambda sums: 5 * newton(sums))  # beyond the minimum, and up again
        monkeypatch.setattr(platt, "MOST_STEPS", 1000)
        found = fitted(*words)["map"]["columns"][0]
        assert (found["a"], found["b"]) == pytest.approx((expected["a"], expected["b"]), rel=1e-5)


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("name", ["logits", "weighted", "probs"])
    def test_a_and_b(self, fitted, save, sample_data, name):
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
            "probs": lambda: (save("p.npy", sigmoid(s)), t, "--from", "probs"),
        }[name]()
        [column] = fitted(*words)["map"]["columns"]
        assert [column["a"], column["b"]] == pytest.approx(GOLDEN[name], rel=1e-7)
