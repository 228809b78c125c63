"""Masks of single elements: of lists they make shorter lists, and losses of whole rows refuse them."""

import numpy as np
import pytest

import losscli
from losscli.arrays import Array

RNG = np.random.default_rng(9)
SCORES = RNG.normal(size=(40, 7)).astype(np.float32)
RELEVANT = RNG.integers(0, 2, (40, 7)).astype(np.float32)
KEPT = RNG.integers(0, 2, (40, 7)).astype(bool)
KEPT[:, 3] = True
KEPT[5] = False
LISTS = ["listnet", "listwise-softmax", "multilabel-margin", "zlpr"]


def alone(loss: str, row: int) -> tuple[float, Array]:
    """The loss and the gradient of one list without its padding."""
    one = losscli.compute(loss, SCORES[row, KEPT[row]][None], RELEVANT[row, KEPT[row]][None], gradient=True)
    assert one.losses is not None
    assert one.gradient is not None
    return float(one.losses[0]), one.gradient[0]


@pytest.mark.filterwarnings("ignore:nothing-compared")  # some lists have one item
@pytest.mark.parametrize("loss", LISTS)
@pytest.mark.parametrize("padding", [7.0, np.nan, np.inf])
def test_a_padded_list_is_the_shorter_list(loss: str, padding: float) -> None:
    """Loss and gradient are those of the list without padding, whatever the padding holds; a list of padding is none."""
    scores, relevant = np.where(KEPT, SCORES, np.float32(padding)), np.where(KEPT, RELEVANT, np.float32(np.nan))
    result = losscli.compute(loss, scores, relevant, mask=KEPT, gradient=True)
    rows = [row for row in range(40) if row != 5]
    assert result.losses is not None
    assert result.gradient is not None
    np.testing.assert_allclose(result.losses, [alone(loss, row)[0] for row in rows], rtol=1e-6)
    gradient = np.zeros((40, 7))
    for row in rows:
        gradient[row, KEPT[row]] = alone(loss, row)[1]
    np.testing.assert_allclose(result.gradient, gradient, rtol=1e-6)
    assert result.gradient.dtype == np.float32


def test_lists_in_arrays_are_padded_too() -> None:
    """Lists along the last axis of more axes take a mask of their items."""
    deep, flat = (x.reshape(8, 5, 7) for x in (SCORES, RELEVANT)), KEPT.reshape(8, 5, 7)
    result = losscli.compute("listnet", *deep, mask=flat)
    assert result.value == pytest.approx(losscli.compute("listnet", SCORES, RELEVANT, mask=KEPT).value)


@pytest.mark.parametrize("loss", ["cosine-distance", "normalized-squared-distance", "softmax-cross-entropy"])
@pytest.mark.parametrize("shape", [(40, 7), (8, 5, 7)])
def test_losses_of_whole_rows_take_no_mask_of_elements(loss: str, shape: tuple[int, ...]) -> None:
    """A mask of elements is refused with what the loss takes, for tables and for more axes."""
    targets = np.abs(SCORES) / np.abs(SCORES).sum(axis=1, keepdims=True)
    axis = {"class_axis": -1} if loss == "softmax-cross-entropy" else {}
    with pytest.raises(losscli.LosscliError, match=r"mask"):
        losscli.compute(loss, SCORES.reshape(shape), targets.reshape(shape), mask=KEPT.reshape(shape), **axis)
    of_rows = np.arange(40).reshape(shape[:-1]) % 2
    assert losscli.compute(loss, SCORES.reshape(shape), targets.reshape(shape), mask=of_rows, **axis).value > 0


def test_a_mask_of_0_and_255_names_the_cure() -> None:
    """Images of masks often hold 255 for 1; other numbers are weights."""
    with pytest.raises(losscli.DataError, match=r"255 in a mask.*divide by 255, or save mask != 0"):
        losscli.compute("mse", [1.0, 2.0], [0.0, 0.0], mask=[0, 255])
    with pytest.raises(losscli.DataError, match="weights are --sample-weight"):
        losscli.compute("mse", [1.0, 2.0], [0.0, 0.0], mask=[0.5, 255])
