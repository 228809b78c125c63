"""Losses of the cosines of classes beyond their formulas."""

import math

import numpy as np
from calling import INF, called, index

from losscli.definition.batch import Indices


def test_angular_losses_at_both_ends() -> None:
    value, slope = called("arcface", [[1, 0], [-1, 0]], index(0, 0), scale=2)
    h = np.array([math.cos(0.5), -1 - 0.5 * math.sin(0.5)])
    np.testing.assert_allclose(value, np.log1p(np.exp(-2 * h)), rtol=1e-14)
    assert slope[0, 0] == -INF
    np.testing.assert_allclose(slope[1], np.array([-2, 2]) / (1 + np.exp(2 * h[1])), rtol=1e-14)
    value, slope = called("arcface", [[1, 0], [-1, 0]], index(0, 0), scale=2, margin=0)
    np.testing.assert_allclose(value, np.log1p(np.exp([-2, 2])), rtol=1e-14)
    assert np.isfinite(slope).all()
    value, slope = called("sphereface", [[1, 0], [-1, 0]], index(0, 0), margin=3)
    h = np.array([1, -5])  # cos(3 pi) - 2 * 2
    np.testing.assert_allclose(value, np.log1p(np.exp(-h)), rtol=1e-14)
    np.testing.assert_allclose(slope[:, 0], -9 / (1 + np.exp(h)), rtol=1e-14)


def test_arcface_jumps_at_pi_less_the_margin() -> None:
    edge = -math.cos(0.5)
    value, _ = called("arcface", [[edge + 1e-9, 0], [edge - 1e-9, 0]], index(0, 0), scale=1)
    np.testing.assert_allclose(value, np.log1p(np.exp([1, -edge + 0.5 * math.sin(0.5)])), rtol=1e-4)


def test_sphereface_falls_over_all_angles() -> None:
    c = np.cos(np.linspace(0, math.pi, 400))
    value, _ = called("sphereface", np.stack([c, np.zeros(400)], axis=1), Indices(np.zeros(400, int)))
    assert (np.diff(value) > 0).all()
