"""Options of the Python functions: what may be given in place of text, and what is refused with its fact."""

from decimal import Decimal
from fractions import Fraction
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


OTHER_TYPES: list[tuple[Any, dict[str, Any], str]] = [
    (losscli.compute, {"as_": ["torch"]}, r"as_=\['torch'\] is no text, but of type list"),
    (losscli.compute, {"threads": "2"}, "threads='2' is not a whole number"),
    (losscli.compute, {"threads": 0}, "threads=0 is not a number of threads, 1 or more"),
    (losscli.compute, {"plus": 5}, "plus=5 is neither a text nor several, but of type int"),
    (losscli.compute, {"interval": True, "seed": 1.5}, "seed=1.5 is not a whole number"),
    (losscli.compute, {"interval": True, "confidence": "0.9"}, "confidence='0.9' is not a number"),
    (losscli.rank, {"top": 1.5}, "top=1.5 is not a whole number"),
    (losscli.rank, {"by": ["a"] * 4}, "by=.* is no text, but of type list"),
    (losscli.compare, {"b": A, "targets": B, "margin": "0.1"}, "margin='0.1' is not a number"),
]


@pytest.mark.parametrize(("function", "options", "words"), OTHER_TYPES)
def test_other_types_are_refused_by_all_functions(function: Any, options: dict[str, Any], words: str) -> None:
    """Arguments that are no options of `losscli compute` are looked at as well, before anything is read."""
    with pytest.raises(losscli.UsageError, match=words):
        function("mse", A, **({} if "b" in options else {"targets": B}), **options)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: losscli.calibrate(A, [0, 1, 2, 0], bins=1.5), "bins=1.5 is not a whole number"),
        (lambda: losscli.calibrate(A, [0, 1, 2, 0], method=None), "method=None is no text"),  # type: ignore[arg-type]
        (lambda: losscli.check(A, B, loss=3), "loss=3 is no text"),  # type: ignore[arg-type]
        (lambda: losscli.curves(), "specs: there are none; name one or more"),
        (lambda: losscli.curves("huber", range=(0, 1, 2)), "is not two numbers"),  # type: ignore[arg-type]
        (lambda: losscli.curves("huber", range="0,1"), "range='0,1' is not a number"),  # type: ignore[arg-type]
        (lambda: losscli.curves("bce", target="x"), "target='x' is not a number"),  # type: ignore[arg-type]
        (lambda: losscli.curves("bce", x=[1, 2]), "is no text, but of type list"),  # type: ignore[arg-type]
        (lambda: losscli.explain(3), "loss=3 is no text"),  # type: ignore[arg-type]
        (lambda: losscli.history(3), "files=3 is no text"),  # type: ignore[arg-type]
        (lambda: losscli.audit("torch", 3), "losses=3 is no text"),  # type: ignore[arg-type]
    ],
)
def test_other_types_are_refused_by_functions_of_their_own(call: Any, words: str) -> None:
    """Functions that take no loss of two operands look at their arguments, too."""
    with pytest.raises(losscli.UsageError, match=words):
        call()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((x for x in range(4)), "of type generator, of which NumPy makes no array; give a list"),
        ({"p": [1, 2]}, "of type dict, of which NumPy makes no array"),
        (b"p.csv", "of type bytes, of which NumPy makes no array"),
        ([1, None, 2, 3], r"Python objects \(NoneType, int\).*numpy.asarray\(predictions, float\)"),
    ],
)
def test_what_is_no_array_is_refused_with_what_to_give(value: Any, words: str) -> None:
    """The cure is one of Python, not of a file that was saved wrongly."""
    with pytest.raises(losscli.DataError, match=words):
        losscli.compute("mse", value, 0)


def test_numbers_of_other_types_are_numbers_once_they_are_made_so() -> None:
    """The cure in the message works."""
    assert losscli.compute("mse", np.asarray([Decimal("1.5"), Fraction(1, 2)], float), 0).value == 1.25
