"""Maps that were saved: the JSON of `losscli calibrate`, from which other predictions are calibrated without another fit."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from losscli.analysis.calibration.isotonic import Steps
from losscli.analysis.calibration.maps import CalibrationMap, Isotonic, Platt, Tempered
from losscli.analysis.calibration.temperature import Point
from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.small_file import MOST_BYTES_OF_RESULTS, small_text
from losscli.records import NamedTuple
from losscli.wording import NESTED, written


class Saved(NamedTuple):
    """A map, with the shape and the columns of the predictions that it was fitted to; the columns are None if they had no names."""

    map: CalibrationMap
    shape: tuple[int, ...]
    columns: tuple[str, ...] | None


def read_map(file: str) -> Saved:
    """Read the map of a file that `losscli calibrate -f json` has written.

    Raises
    ------
    DataError
        if the file cannot be read, or holds no map.
    """
    try:
        record = json.loads(small_text(file, "is it what losscli calibrate -f json wrote?", MOST_BYTES_OF_RESULTS))
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _no_map(file, NESTED if isinstance(error, RecursionError) else "it is not JSON") from error
    try:
        about, shape = record["map"], tuple(map(int, record["predictions"]["shape"]))
        width = 1 if len(shape) == 1 else shape[1]
        found = _map(about, width, several=_activation(about) == "sigmoid" and width > 1)
        names = record["predictions"].get("columns")
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise _no_map(
            file, f"{error}" if isinstance(error, (ValueError, OverflowError)) else "something is missing"
        ) from error
    return Saved(found, shape, None if names is None else tuple(map(str, names)))


def _activation(about: Mapping[str, Any]) -> str:
    if about["activation"] not in ("softmax", "sigmoid"):
        raise ValueError(f"activation is {about['activation']!r}")
    return str(about["activation"])


def _number(value: Any) -> float:
    """Return a number of JSON, which true is not; raise a ValueError for what is none, an OverflowError if it is beyond float64."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _no_map(file: str, why: str) -> DataError:
    return DataError(
        f"{file}: no calibration map ({why}); give the output of losscli calibrate PREDICTIONS TARGETS -f json"
    )


def _map(about: Mapping[str, Any], width: int, several: bool) -> CalibrationMap:
    """Return the map of its record in JSON; raise a ValueError, KeyError or TypeError if it is none."""
    kind, method = str(about["from"]), about["method"]
    if kind not in ("logits", "probs", "log-probs"):
        raise ValueError(f"from is {kind!r}")
    if method == "temperature":
        temperature, bias = _number(about["temperature"]), about.get("bias")
        if not (temperature > 0 and math.isfinite(temperature)):
            raise ValueError(f"the temperature is {written(temperature)}")
        numbers = None if bias is None else _numbers(bias, max(width, 2))
        return Tempered(kind, several, Point(1 / temperature, numbers))
    columns = about["columns"]
    if len(columns) != width:
        raise ValueError(f"it has {len(columns)} columns, and the predictions {width}")
    if method == "platt":
        a, b = (_numbers([column[name] for column in columns], width) for name in ("a", "b"))
        return Platt(kind, several, a, b)
    if method == "isotonic":
        return Isotonic(kind, several, tuple(_steps(column) for column in columns))
    raise ValueError(f"the method is {method!r}")


def _numbers(values: Sequence[Any], size: int) -> Array:
    """Return finite numbers as an array; raise a ValueError if there are more or fewer than `size`, or others."""
    numbers = np.array([_number(value) for value in values])
    if len(numbers) != size or not np.isfinite(numbers).all():
        raise ValueError("its numbers are not as many as columns, or not finite")
    return numbers


def _steps(column: Mapping[str, Any]) -> Steps:
    """Return the points of a column. At its ends x may be null, which is infinite."""
    ends = list(column["x"])
    if ends and ends[0] is None:
        ends[0] = -math.inf
    if ends and ends[-1] is None:
        ends[-1] = math.inf
    x, y = np.array([_number(value) for value in ends]), np.array([_number(value) for value in column["y"]])
    rising = len(x) == len(y) > 0 and (np.diff(x) > 0).all() and (np.diff(y) >= 0).all()
    if not (rising and y[0] >= 0 and y[-1] <= 1):
        raise ValueError("x does not rise, or y falls or is no probability")
    return Steps(x, y)
