"""Options of the Python functions: what may be given in place of text, and what is refused with its fact."""

from typing import Any

import numpy as np
import pytest

import losscli

RNG = np.random.default_rng(6)
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
DEEP, LABELS = RNG.normal(size=(4, 3, 5)), RNG.integers(0, 3, (4, 5))
OF_MASKS = {"class_axis": 1, "activation": "softmax"}


@pytest.mark.parametrize("given", [[1, 2, 0.123456789], (1.0, 2, 0.123456789), np.array([1, 2, 0.123456789])])
def test_numbers_may_be_a_list(given: Any) -> None:
    """Weights of outputs keep all their digits, as a list, an array or by class."""
    wanted = losscli.compute("mse", A, B, output_weight="1,2,0.123456789").value
    assert losscli.compute("mse", A, B, output_weight=given).value == wanted
    by_class = {0: 1, 1: np.float64(2), 2: 0.123456789}
    assert losscli.compute("mse", A, B, output_weight=by_class).value == wanted


@pytest.mark.parametrize("given", [0, [0], (np.int64(0),), np.array([0]), "0", ["0"]])
def test_classes_may_be_numbers(given: Any) -> None:
    """A class is its number, or a list of them."""
    wanted = losscli.compute("dice", DEEP, LABELS, **OF_MASKS, exclude_class="0").value
    assert losscli.compute("dice", DEEP, LABELS, **OF_MASKS, exclude_class=given).value == wanted


def test_whole_numbers_may_be_those_of_numpy() -> None:
    """Axes and shifts are whole numbers of any type."""
    assert losscli.compute("ce", DEEP, LABELS, class_axis=np.int64(1)).value > 0
    assert losscli.compute("mse", A, B, shift=np.array(1)).value > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_axis": "1"}, "class_axis='1' is not a whole number"),
        ({"class_axis": 1.0}, "class_axis=1.0 is not a whole number"),
        ({"class_axis": True}, "class_axis=True is not a whole number"),
        ({"class_axis": 1, "shift": 1.5}, "shift=1.5 is not a whole number"),
        ({"class_axis": 1, "temperature": [2]}, r"temperature=\[2\] is not a number"),
        ({"class_axis": 1, "temperature": True}, "temperature=True is not a number"),
        ({"class_axis": 1, "temperature": 2, "temperature_squared": 1}, "temperature_squared=1 is neither True nor"),
        ({"class_axis": 1, "label_smoothing": "x"}, "label_smoothing='x' is not a number"),
        ({"class_axis": 1, "ignore_index": [1]}, r"ignore_index: \[1\] is neither a number nor text, but of type list"),
        ({"class_axis": 1, "per": np.array(["file"])}, "is not one of position, sample"),
        ({"class_axis": 1, "id": 5}, "id=5 is no text, but of type int"),
        ({"class_axis": 1, "bytes": 0}, "a text has more bytes than 0"),
    ],
)
def test_other_types_are_refused(options: dict[str, Any], words: str) -> None:
    """The error names the option, the value and what it is to be."""
    with pytest.raises(losscli.UsageError, match=words):
        losscli.compute("ce", DEEP, LABELS, **options)


def test_parameters_are_numbers() -> None:
    """A parameter of a loss that is no number is refused by its name."""
    with pytest.raises(losscli.UsageError, match="delta='x' is not a number"):
        losscli.compute("huber", A, B, delta="x")


def test_masked_words_of_slices_are_refused() -> None:
    by = np.ma.masked_array([0, 1, 0], [True, False, False])
    with pytest.raises(losscli.UsageError, match="some of its elements are masked"):
        losscli.compute("mse", [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], by=by)


def test_a_masked_array_does_not_lose_its_mask() -> None:
    """NumPy would give the numbers behind the mask; one that hides nothing is an array."""
    hidden = np.ma.masked_array([0.0, 9.0], [0, 1])
    with pytest.raises(losscli.DataError, match=r"predictions: a masked array.*mask=~predictions.mask"):
        losscli.compute("mse", hidden, 0)
    with pytest.raises(losscli.DataError, match="targets: a masked array"):
        losscli.compute("mse", [0.0, 9.0], hidden)
    assert losscli.compute("mse", np.ma.masked_array([0.0, 9.0]), 0).value == 40.5
    assert losscli.compute("mse", hidden.data, [0, 0], mask=~hidden.mask).value == 0


def test_a_requirement_is_text_and_may_stand_alone() -> None:
    result = losscli.compute("mse", [1.0, 3.0], [0.0, 0.0], require="mean <= 5")
    assert result.met
    for wrong in (5, None, ["value <= 9"]):
        with pytest.raises(losscli.UsageError, match="a requirement is text"):
            result.require(wrong)
    with pytest.raises(losscli.UsageError, match="is not 'NAME OP VALUE'"):
        losscli.check([1.0, 2.0], [1.0, 2.0]).require(5)  # type: ignore[arg-type]
    each = losscli.compute("mse", [1.0, 3.0], [0.0, 0.0], by=["x", "y"], require_each="value <= 9")
    assert [entry["met"] for entry in each.requirements] == [True, True]
