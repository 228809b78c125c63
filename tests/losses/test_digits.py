"""The same digits with other instructions of the processor, for all losses but those in digits.json, which says by how much they differ."""

import json

import digits
import numpy as np
import pytest

LISTED = json.loads(digits.LISTED.read_text())


@pytest.mark.parametrize("without", ["without AVX-512", "without AVX"])
def test_losses_that_are_not_listed_have_the_same_bits(without):
    off = digits.levels().get(without)
    if not off:
        pytest.skip(f"NumPy uses no instructions here that a processor {without} has not: one kind was compared")
    found = digits.differences(off, digits.operands(rows=60, classes=(4,), variants=2))
    assert {key for key in found if key[1] not in LISTED.get(key[0], {})} == set()
    for (name, dtype), differs in found.items():
        known = LISTED[name][dtype]
        rounding = 4 * float(np.finfo(dtype).eps)
        assert differs.value <= 4 * known["value"] + rounding, name
        assert differs.gradient <= 4 * known["gradient"] + rounding, name


def test_the_functions_of_all_losses_are_listed():
    """A function that NumPy dispatches, and that a loss did not call until now: python tests/support/digits.py lists it."""
    called = {}
    digits.computed(digits.operands(rows=20, classes=(4,), variants=2), called)
    listed = {(name, dtype): entry["functions"] for name, one in LISTED.items() for dtype, entry in one.items()}
    assert {key: new for key, functions in called.items() if (new := functions - {*listed.get(key, [])})} == {}


def test_listed_losses_exist():
    assert set(LISTED) <= set(digits.losses())
