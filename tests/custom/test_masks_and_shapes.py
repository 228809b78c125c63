"""Losses of the user's own of what a mask leaves, of arrays with more axes, and of the whole file in its own shape."""

import numpy as np
import pytest

import losscli
from losscli.arrays import Array

OWN = """
import numpy as np

def rmse(predictions, targets): return np.sqrt(np.mean((predictions - targets) ** 2))
def squares(predictions, targets): return (predictions - targets) ** 2
def mse(predictions, targets): return np.mean((predictions - targets) ** 2)
def rmse_of_images(predictions, targets): return np.sqrt(((predictions - targets) ** 2).mean(axis=(1, 2)))
def correlation(predictions, targets): return 1 - np.corrcoef(predictions, targets)[0, 1]
def ce(labels, logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(labels)), labels]
"""
RNG = np.random.default_rng(4)
X, T = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
DEEP, DEEP_T = RNG.normal(size=(4, 3, 5)), RNG.normal(size=(4, 3, 5))
ROWS = np.array([1, 0, 1, 1, 0, 1], bool)
CELLS = RNG.random((6, 3)) < 0.6
CELLS[2] = False
POINTS = RNG.random((4, 3, 5)) < 0.6


@pytest.fixture(autouse=True)
def _own(write):
    write("own.py", OWN)


def rmse(one: Array, other: Array) -> float:
    """The root of the mean squared difference."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


@pytest.mark.parametrize(
    ("x", "t", "mask"), [(X, T, ROWS), (X, T, CELLS), (DEEP, DEEP_T, POINTS)], ids=["rows", "cells", "points"]
)
def test_the_whole_file_is_what_the_mask_leaves(x, t, mask):
    """Value and gradient of the function over the rest; what is masked may be NaN and has the gradient 0."""
    x = x.copy()
    x[~mask] = np.nan
    result = losscli.compute("own.py:rmse", x, t, per="file", mask=mask, gradient=True)
    assert result.value == pytest.approx(rmse(x[mask], t[mask]))
    slopes = np.zeros(x.shape)
    slopes[mask] = (x[mask] - t[mask]) / (x[mask].size * rmse(x[mask], t[mask]))
    np.testing.assert_allclose(result.gradient, slopes, atol=1e-8)


def test_numbers_of_elements_take_a_mask_of_elements():
    """A loss that returns one number per element has the mean over those that exist, as a built-in one has."""
    mine = losscli.compute("own.py:squares", X, T, mask=CELLS, gradient=True)
    built_in = losscli.compute("mse", X, T, mask=CELLS, gradient=True)
    assert mine.value == pytest.approx(((X - T) ** 2)[CELLS].mean())
    np.testing.assert_allclose(mine.losses, built_in.losses)
    np.testing.assert_allclose(mine.gradient, built_in.gradient, atol=1e-8)


def test_numbers_of_rows_take_a_mask_of_rows_only():
    """A loss that returns one number for a row is never called with a part of the row."""
    with pytest.raises(losscli.UsageError, match="takes one number per row"):
        losscli.compute("own.py:mse", X, T, mask=CELLS)
    assert losscli.compute("own.py:mse", X, T, mask=ROWS).value == pytest.approx(((X - T) ** 2)[ROWS].mean())


def test_the_whole_file_has_its_own_shape():
    """A loss that averages over images gets them, if all of the file exists; one of one axis gets that."""
    result = losscli.compute("own.py:rmse_of_images", DEEP, DEEP_T, per="file", gradient=True)
    roots = np.sqrt(((DEEP - DEEP_T) ** 2).mean(axis=(1, 2)))
    assert result.value == pytest.approx(roots.mean())
    assert any("in its shape (4, 3, 5)" in note for note in result.notes)
    np.testing.assert_allclose(result.gradient, (DEEP - DEEP_T) / (60 * roots[:, None, None]), atol=1e-8)
    summed = losscli.compute("own.py:squares", DEEP, DEEP_T, per="file", over_positions="sum")
    assert summed.value == pytest.approx(((DEEP - DEEP_T) ** 2).sum())
    flat = losscli.compute("own.py:correlation", DEEP, DEEP_T, per="file")
    assert flat.value == pytest.approx(1 - np.corrcoef(DEEP.ravel(), DEEP_T.ravel())[0, 1])
    with pytest.raises(losscli.DataError, match="axis 1 is out of bounds"):
        losscli.compute("own.py:rmse_of_images", DEEP, DEEP_T, per="file", mask=POINTS)


@pytest.mark.parametrize("per", [None, "file"])
def test_classes_may_lie_along_any_axis(per):
    """One label per position makes classes of the axis that is named, as in a table."""
    labels = RNG.integers(0, 3, (4, 5))
    mask = labels != 1
    mine = losscli.compute("own.py:ce", DEEP, labels, class_axis=1, mask=mask, per=per)
    assert mine.value == pytest.approx(losscli.compute("ce", DEEP, labels, class_axis=1, mask=mask).value)
