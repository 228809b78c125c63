"""Losses of ensembles beyond their formulas."""

import numpy as np
import pytest
from calling import called, rows

from losscli.definition.batch import Dense


def test_an_ensemble_of_one_is_the_absolute_error() -> None:
    value, slope = called("crps", [[1.5], [-2], [0]], rows(1.0, 1.0, 0.0))
    assert value.tolist() == [0.5, 3, 0]
    assert slope.tolist() == [[1], [-1], [0]]


def test_members_that_agree_are_one() -> None:
    value, slope = called("crps", [[2, 2, 2, 2]], rows(0.5))
    assert value[0] == 1.5
    np.testing.assert_allclose(slope, 0.25)


def test_crps_is_the_integral_of_the_squared_difference_of_distributions() -> None:
    x, t = np.array([-1.0, 0.3, 0.3, 2.0]), 0.9
    grid = np.linspace(-3, 4, 700_001)
    below = (x[:, None] <= grid).mean(axis=0)
    value, _ = called("crps", [x], rows(t))
    np.testing.assert_allclose(value, [((below - (grid >= t)) ** 2).sum() * (grid[1] - grid[0])], rtol=1e-4)


VECTORS = [[[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], [[0.0, 0.0], [1.0, 1.0], [-2.0, 4.0]], [[2.0, 2.0]] * 3]
"""Samples by members by dimensions."""
OBSERVED = [[0.5, 1.0], [1.0, -1.0], [2.0, 1.0]]


class TestEnergyScore:
    """Ensembles of vectors: an array of three axes, with one vector of targets per sample."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [  # scoringrules 0.10.0: es_ensemble(OBSERVED, VECTORS), and with estimator="fair"
            ("energy-score", [0.98549537594321, 1.9562784630181362, 1.0]),
            ("fair-energy-score", [0.5098069985286238, 1.3935567849908053, 1.0]),
        ],
    )
    def test_numbers_of_scoringrules(self, compute, save, name, expected):
        found = compute(name, save("p.npy", VECTORS), save("t.npy", OBSERVED), "-f", "jsonl")
        assert [row["loss"] for row in found.lines] == pytest.approx(expected, rel=1e-14)
        assert [row["target"] for row in found.lines] == OBSERVED

    @pytest.mark.parametrize("fair", ["", "fair-"])
    @pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1)])
    @pytest.mark.parametrize("targets", [(5,), (5, 1)])
    def test_of_one_dimension_it_is_crps(self, compute, save, fair, shape, targets):
        rng = np.random.default_rng(4)
        x, t = rng.normal(size=(5, 4)), rng.normal(size=5)
        crps = compute(f"{fair}crps", save("x.npy", x), save("t.npy", t), "-f", "value").value
        words = (save("p.npy", x.reshape(shape)), save("u.npy", t.reshape(targets)), "-f", "value")
        assert compute(f"{fair}energy-score", *words).value == pytest.approx(crps, rel=1e-14)

    def test_one_member_has_the_distance_as_its_loss(self, compute, save):
        words = (save("p.npy", [[[3.0, 4.0]], [[0.0, 0.0]]]), "0")
        assert [row["loss"] for row in compute("energy-score", *words, "-f", "jsonl").lines] == [5, 0]
        refused = compute("fair-energy-score", *words)
        assert refused.code == 3
        assert "the ensemble has one member" in refused.err

    @pytest.mark.parametrize("size", [1e-200, 1e-160, 1e160, 1e300])
    def test_numbers_whose_squares_are_out_of_range(self, size):
        one, _ = called("energy-score", np.reshape(VECTORS, (3, 6)), Dense(np.array(OBSERVED)))
        found, slope = called("energy-score", size * np.reshape(VECTORS, (3, 6)), Dense(size * np.array(OBSERVED)))
        np.testing.assert_allclose(found / size, one, rtol=1e-14)
        assert np.isfinite(slope).all()

    def test_an_infinite_observation_and_infinite_members(self):
        x, t = np.reshape(VECTORS, (3, 6)), np.array(OBSERVED)
        t[0, 1], x[1, 3] = np.inf, -np.inf
        assert called("energy-score", x, Dense(t))[0][:2].tolist() == [np.inf, np.inf]
        fair = called("fair-energy-score", x, Dense(t))[0]
        assert fair[0] == np.inf
        assert np.isnan(fair[1])

    def test_the_gradient_has_the_shape_of_the_file_and_the_columns_of_targets_their_names(self, compute, write, save):
        targets = write("t.csv", "u,v\n0.5,1\n1,-1\n2,1\n")
        found = compute(
            "energy-score", save("p.npy", VECTORS), targets, "--gradient", "g.npy", "-f", "csv", "--per-sample"
        )
        assert found.out.splitlines()[0] == "sample,target_u,target_v,loss"
        gradient = np.load("g.npy")
        assert gradient.shape == (3, 3, 2)
        # At the last sample all members agree, one unit above what was observed.
        np.testing.assert_allclose(gradient[2], [[0, 1 / 3]] * 3, rtol=1e-15)

    @pytest.mark.parametrize(
        ("shape", "targets", "words"),
        [
            ((3, 6), (3, 2), ("one member after the other", "numpy.reshape(values, (-1, 3, 2))")),
            ((3, 5), (3, 2), ("5 columns are no whole number of members",)),
            ((3, 2, 4), (3, 2), ("give targets (3, 4)", "numpy.swapaxes(values, 1, 2)")),
            ((4, 3, 2), (3, 2), ("give targets (4, 2)", "numpy.swapaxes(values, 0, 1)")),
            ((3, 4, 2), (3,), ("give targets (3, 2)",)),
            ((3, 4, 2, 2), (3, 2), ("(samples, members, dimensions)",)),
            ((3, 0, 2), (3, 2), ("(samples, members, dimensions)",)),
            ((3,), (3,), ("rows of several numbers",)),
        ],
    )
    def test_other_shapes_are_refused(self, compute, save, shape, targets, words):
        refused = compute("energy-score", save("p.npy", np.ones(shape)), save("t.npy", np.ones(targets)))
        assert refused.code == 3
        assert all(word in refused.err for word in words)
