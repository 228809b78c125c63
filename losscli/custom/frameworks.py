"""Frameworks in which a loss may be written: they convert arrays, and their autograd computes the gradient.

A framework is imported only for a loss that is written in it.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.wording import listing

Function = Callable[[Any, Any], Any]
"""A loss of predictions and targets, in this order, both in the framework's own arrays."""
INSTALL = {
    "torch": "pip install torch",
    "keras": "pip install keras, with torch, tensorflow or jax",
    "tensorflow": "pip install tensorflow",
    "jax": "pip install jax",
}
"""Package -> how to install it."""
STEP = 2.0**-17
"""Relative step of central differences, near the cube root of the rounding error of float64."""

MOST_DIFFERENCES = 1 << 15
"""Elements for which differences of a loss of all rows are made: each takes two calls with the whole file."""

LEAST = 1e-12
"""The smallest probability, or 1 - probability, from which the step is computed."""


class Framework(Protocol):
    """The operations that losscli needs from a framework."""

    name: str

    def array(self, values: Array) -> Any:
        """Return NumPy values as an array of the framework, of the same dtype."""
        ...

    def numbers(self, values: Any) -> Array:
        """Return the result of a loss as a NumPy array, whatever its type is."""
        ...

    def gradient(self, function: Function, x: Array, t: Array, probs: bool = False) -> tuple[Any, Array]:
        """Return the result of a function, and the derivative of its sum by x, in the shape of
        x; NaN if autograd cannot tell.

        Parameters
        ----------
        x
            predictions, shape (n,) or (n, k).
        t
            targets.
        probs
            whether x are probabilities, so that differences must stay between 0 and 1.
        """
        ...


def framework(name: str) -> Framework:
    """Return the framework of a name.

    Raises
    ------
    DataError
        if it is not installed, with how to install it.
    """
    try:
        return MAKERS[name]()
    except ImportError as error:
        raise missing(error, name) from error


def missing(error: ImportError, name: str | None = None) -> DataError:
    """Return the error about a package that cannot be imported."""
    package = (error.name or name or "").partition(".")[0]
    if not package or sys.modules.get(package) is not None or not isinstance(error, ModuleNotFoundError):
        return DataError(f"it cannot import: {' '.join(str(error).split())}")
    how = INSTALL.get(package, f"pip install {package}")
    return DataError(f"{package} is not installed, which the loss needs: {how}")


class NumPy:
    """Plain arrays. Gradients are central differences, for one column of all rows at once, as
    rows do not depend on each other.
    """

    name = "numpy"

    def array(self, values: Array) -> Any:
        return values

    def numbers(self, values: Any) -> Array:
        return np.asarray(values)

    def gradient(self, function: Function, x: Array, t: Array, probs: bool = False) -> tuple[Any, Array]:
        wide = x.astype(np.float64)
        wide_t = t.astype(np.float64) if t.dtype.kind == "f" else t
        columns = [...] if x.ndim == 1 else [(slice(None), column) for column in range(x.shape[1])]
        slopes = np.zeros_like(wide)
        for column in columns:
            step = _steps(wide[column], probs)
            ends = []
            for sign in (1, -1):
                moved = wide.copy()
                moved[column] += sign * step
                ends.append((moved[column].copy(), rows_of(function(moved, wide_t.copy()), len(x))))
            (above, high), (below, low) = ends
            slopes[column] = (high - low) / (above - below)
        return function(x.copy(), t.copy()), slopes

    def gradient_of_all(self, function: Function, x: Array, t: Array, probs: bool = False) -> tuple[Any, Array]:
        """Return what `gradient` does for a function whose result depends on all rows together.

        Differences are made for one element after another, which takes two calls with all rows for each.
        """
        wide = x.astype(np.float64)
        wide_t = t.astype(np.float64) if t.dtype.kind == "f" else t
        steps, slopes = _steps(wide, probs), np.zeros_like(wide)
        for place in np.ndindex(wide.shape):
            ends = []
            for sign in (1, -1):
                moved = wide.copy()
                moved[place] += sign * steps[place]
                ends.append((moved[place], float(np.asarray(function(moved, wide_t.copy()), np.float64).sum())))
            (above, high), (below, low) = ends
            slopes[place] = (high - low) / (above - below)
        return function(x.copy(), t.copy()), slopes


def _steps(values: Array, probs: bool) -> Array:
    """Return the step of the difference at each value; probabilities stay between 0 and 1."""
    return STEP * (np.maximum(LEAST, np.minimum(values, 1 - values)) if probs else np.maximum(1, np.abs(values)))


def rows_of(values: Any, rows: int) -> Array:
    """Return one number per row, shape (rows,): the sum over all other axes of the result of a loss."""
    numbers = np.asarray(values, np.float64)
    return numbers.reshape(rows, -1).sum(axis=1) if numbers.size and numbers.ndim else numbers


class Torch:
    """PyTorch: tensors on the CPU."""

    name = "torch"

    def __init__(self) -> None:
        self.torch = import_module("torch")

    def array(self, values: Array) -> Any:
        return self.torch.from_numpy(np.ascontiguousarray(values))

    def numbers(self, values: Any) -> Array:
        return np.asarray(values.detach().cpu().numpy() if hasattr(values, "detach") else values)

    def gradient(self, function: Function, x: Array, t: Array, probs: bool = False) -> tuple[Any, Array]:
        tracked = self.array(x.copy()).requires_grad_(True)
        value = function(tracked, self.array(t.copy()))
        if not getattr(value, "requires_grad", False):
            return value, np.full(x.shape, np.nan)  # it was computed outside autograd
        (slopes,) = self.torch.autograd.grad(value.sum(), tracked, allow_unused=True)
        return value, np.zeros_like(x) if slopes is None else self.numbers(slopes)


class TensorFlow:
    """TensorFlow: eager tensors."""

    name = "tensorflow"

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.tf = import_module("tensorflow")

    def array(self, values: Array) -> Any:
        return self.tf.convert_to_tensor(values)

    def numbers(self, values: Any) -> Array:
        return np.asarray(values)

    def gradient(self, function: Function, x: Array, t: Array, probs: bool = False) -> tuple[Any, Array]:
        tracked = self.tf.convert_to_tensor(x)
        with self.tf.GradientTape() as tape:
            tape.watch(tracked)
            value = function(tracked, self.tf.convert_to_tensor(t))
            total = self.tf.reduce_sum(value)
        slopes = tape.gradient(total, tracked)
        return value, np.zeros_like(x) if slopes is None else self.numbers(slopes)


class Jax:
    """JAX, with float64 enabled."""

    name = "jax"

    def __init__(self) -> None:
        self.jax = import_module("jax")
        self.jax.config.update("jax_enable_x64", True)  # otherwise float64 becomes float32

    def array(self, values: Array) -> Any:
        return self.jax.numpy.asarray(values)

    def numbers(self, values: Any) -> Array:
        return np.asarray(values)

    def gradient(self, function: Function, x: Array, t: Array, probs: bool = False) -> tuple[Any, Array]:
        def total(own: Any) -> Any:
            return self.jax.numpy.sum(function(own, self.array(t)))

        return function(self.array(x), self.array(t)), np.asarray(self.jax.grad(total)(self.array(x)))


def keras() -> Framework:
    """Return the framework of the Keras backend, whose arrays Keras uses.

    Raises
    ------
    DataError
        if losscli does not know the backend.
    """
    backend = import_module("keras").backend.backend()
    by_backend: dict[str, Callable[[], Framework]] = {
        "torch": Torch,
        "tensorflow": TensorFlow,
        "jax": Jax,
        "numpy": NumPy,
    }
    if backend not in by_backend:
        raise DataError(
            f"keras: its backend is {backend}, which losscli does not run; set KERAS_BACKEND to {listing(by_backend)}"
        )
    return by_backend[backend]()


MAKERS: dict[str, Callable[[], Framework]] = {
    "numpy": NumPy,
    "torch": Torch,
    "tensorflow": TensorFlow,
    "jax": Jax,
    "keras": keras,
}


def import_quietly(imported: set[str]) -> None:
    """Import TensorFlow, if it is needed, without its messages about the machine on standard error."""
    wanted = "tensorflow" in imported or os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
    if not wanted or "tensorflow" in sys.modules or find_spec("tensorflow") is None:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums depend on the machine
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        tensorflow = import_module("tensorflow")
        tensorflow.constant(0.0)  # it searches for devices when the first array is made
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def settle_keras() -> None:
    """Let Keras use a backend that is installed, unless the environment names one.

    Keras writes its settings file by itself, with TensorFlow, so what the file names counts only where that is installed.
    """
    if "KERAS_BACKEND" in os.environ:
        return
    try:
        with open(os.path.expanduser("~/.keras/keras.json"), encoding="utf-8") as file:
            named = str(json.load(file).get("backend"))
    except (OSError, ValueError, AttributeError, RecursionError):
        named = ""
    for name in (named, "tensorflow", "torch", "jax"):
        if name.isidentifier() and find_spec(name) is not None:
            os.environ["KERAS_BACKEND"] = name
            return
