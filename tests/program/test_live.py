"""The golden files against the libraries themselves, where they are installed; elsewhere these tests are skipped.

losscli is compared with the same files by test_frameworks.py and test_conventions.py. So an installed library of another version,
or on another machine, is compared with losscli too: within what the files promise.
"""

import importlib.metadata
import importlib.util
import json
import re
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from commands import ROOT
from numpy.typing import NDArray

FOLDER = ROOT / "tests" / "libraries"
NEEDS = {
    "torch": ("torch",),
    "keras": ("keras", "tensorflow"),
    "tensorflow": ("tensorflow",),
    "optax": ("optax", "jax"),
    "scikit-learn": ("sklearn",),
}
TOLERANCE = {"float32": 2e-5, "float64": 1e-10}
SOMETIMES = 3
"""Every so many cases are run: a call of TensorFlow or JAX takes as long as a hundred of the others."""


def framework(name: str, makers: Any) -> Any:
    """The function that evaluates a library's calls; the test is skipped where the library is not installed."""
    missing = [module for module in NEEDS[name] if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    version = importlib.metadata.version(NEEDS[name][0] if name != "scikit-learn" else name)
    made_with = next(cases("libraries.json", name))["library"].split()[1] if name != "keras" else version
    if numbers_of(version) < numbers_of(made_with):
        pytest.skip(f"{name} {version} is older than {made_with}, which the files were made with")
    known = {"torch": makers.pytorch, "scikit-learn": makers.scikit_learn}
    return (known.get(name) or getattr(makers, name))()[1]


def numbers_of(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:2]]


def cases(file: str, name: str) -> Iterator[dict[str, Any]]:
    found = [case for case in json.loads((FOLDER / file).read_text()) if case["library"].split()[0] == name]
    yield from found if name in ("torch", "scikit-learn") else found[::SOMETIMES]


def array(values: Any, dtype: str) -> NDArray[Any]:
    """An array of numbers and of 'inf'; whole numbers stay whole, as class indices are."""
    found = np.array(values, object)
    whole = all(isinstance(value, int) for value in found.reshape(-1))
    return found.astype(np.int64) if whole else found.astype(float).astype(dtype)


@pytest.mark.parametrize("name", NEEDS)
def test_losses_and_gradients_are_those_of_the_file(name: str) -> None:
    import make_frameworks

    run = framework(name, make_frameworks)
    for case in cases("frameworks.json", name):
        dtype, tolerance = case["dtype"], TOLERANCE[case["dtype"]]
        p = np.array(case["predictions"], object).astype(float).astype(dtype)
        t = array(case["targets"], dtype)
        more = [np.array(case["beside"], dtype)] if "beside" in case else []
        losses, gradient = run(case["call"], p, t if t.ndim < p.ndim else t.astype(dtype), *more)
        expected = np.array(case["losses"], object).astype(float)
        np.testing.assert_allclose(losses, expected, rtol=tolerance, atol=1e-6, err_msg=case["call"])
        if gradient is not None and case["gradient"] is not None:
            slopes = np.array(case["gradient"], object).astype(float)
            there = np.isfinite(slopes)
            np.testing.assert_allclose(
                np.asarray(gradient)[there], slopes[there], rtol=10 * tolerance, atol=1e-5, err_msg=case["call"]
            )


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # torch, of its kl_div
@pytest.mark.parametrize("name", NEEDS)
def test_whole_numbers_are_those_of_the_file(name: str) -> None:
    import make_libraries

    run = framework(name, make_libraries)
    for case in cases("libraries.json", name):
        dtype, options = case["dtype"], case["options"]
        p = np.array(case["predictions"], object).astype(float).astype(dtype)
        given = {"p": p, "t": array(case["targets"], dtype)}
        for letter, values in (
            ("b", case.get("beside")),
            ("w", options.get("sample_weight")),
            ("c", options.get("class_weight")),
            ("q", options.get("pos_weight")),
        ):
            if values is not None:
                given[letter] = np.array(values, dtype)
        with warnings.catch_warnings():  # scikit-learn warns of rows that do not sum to 1
            warnings.simplefilter("ignore")
            value = run(case["call"], make_libraries.typed(given, SimpleNamespace(call=case["call"])))
        expected = float(case["value"])
        assert float(value) == pytest.approx(expected, rel=TOLERANCE[dtype], abs=1e-6), case["call"]
