"""How softmax losses are computed: the logarithm of their rows, and gradients in memory that is given."""

import math

import numpy as np
import pytest

from losscli.definition.batch import Extras, Indices
from losscli.lookup.names import find
from losscli.losses import softmax


def test_the_logarithm_has_all_digits_from_tiny_to_huge():
    ratios = np.concatenate([10.0 ** np.arange(-300, 140), np.linspace(1e-9, 3, 500), [0, 2**-53, 2**-52, 1]])
    found = softmax._log_of_one_more(ratios.copy())
    np.testing.assert_allclose(found, [math.log1p(one) for one in ratios], rtol=4.5e-16)


def test_tiny_losses_are_not_rounded_to_zero():
    loss = find("softmax-cross-entropy").bind()
    values, _ = loss(np.array([[20, 0], [0, 20]], np.float32), Indices(np.array([0, 0])))
    np.testing.assert_allclose(values, [2.0611536e-9, 20], rtol=2e-7)  # log(1 + exp(-20)), and 20 more


@pytest.mark.parametrize("name", ["softmax-cross-entropy", "softmax-focal", "brier"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_in_given_memory_is_the_same(name, dtype):
    rng = np.random.default_rng(1)
    z, y = rng.normal(0, 3, (7, 5)).astype(dtype), Indices(rng.integers(5, size=7))
    z[3] *= 60  # its exponentials overflow, so that the row is computed again
    loss, room = find(name).bind(), np.full((7, 5), 7, dtype)
    values, slopes = loss(z, y, Extras(), True)
    again, filled = loss(z, y, Extras(room=room), True)
    np.testing.assert_array_equal(values, again)
    np.testing.assert_array_equal(slopes, filled)
    # The gradient of every row sums to 0, as adding a number to all of its logits changes nothing.
    np.testing.assert_allclose(filled.sum(axis=1), 0, atol=20 * np.finfo(dtype).eps)


def test_cross_entropy_uses_the_given_memory():
    room = np.empty((2, 3), np.float32)
    _, slopes = find("ce").bind()(np.zeros((2, 3), np.float32), Indices(np.array([0, 1])), Extras(room=room), True)
    assert slopes is room
