"""Center loss beyond its formula: centers of weight zero, far ones, and digits."""

import math
from typing import Any

import numpy as np
from by_hand import near

from losscli.definition.batch import Dense, Extras
from losscli.losses import find


class TestCenterLoss:
    def test_center_loss_of_many_float32_features_is_summed_in_float64(self, compute, save):
        n = 1 << 20
        x, c = save("x.npy", np.full((1, n), 0.1), np.float32), save("c.npy", np.zeros((1, n)), np.float32)
        found = compute("center", x, save("y.npy", [0]), "--centers", c).json["value"]
        assert found == near(n * float(np.float32(0.1)) ** 2 / 2, rel=2e-7)

    def center(self, features: Any, targets: Any, centers: Any) -> Any:
        extras = Extras(centers=np.array(centers, float))
        return find("center").bind()(np.array(features, float), Dense(np.array(targets, float)), extras, gradient=True)

    def test_a_center_of_weight_zero_adds_nothing_however_far_it_is(self):
        value, gradient = self.center([[1, 0]], [[0.5, 0.5, 0]], [[0, 0], [2, 0], [1e200, 0]])
        assert value.tolist() == [0.5]
        assert gradient.tolist() == [[0, 0]]

    def test_a_center_of_weight_zero_has_no_slope_at_infinite_features(self):
        value, gradient = self.center([[math.inf, 1]], [[0.5, 0.5, 0]], [[0, 0], [2, 0], [4, 0]])
        assert value.tolist() == [math.inf]
        assert gradient.tolist() == [[math.inf, 1]]


def test_centers_are_not_rounded_to_the_dtype_of_the_features(save, compute):
    """A difference is no better than the coarser of its two numbers, and here both are exact."""
    center = 1 + 2.0**-40
    save("x.npy", np.array([[1.0], [1.0]], np.float32))
    save("y.npy", np.array([0, 0]))
    save("c.npy", np.array([[center]]))
    found = compute("center", "x.npy", "y.npy", "--centers", "c.npy").json
    assert found["receipt"]["computed_in"] == "float64"
    assert found["value"] == 2.0**-81
