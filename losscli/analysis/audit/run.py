"""Running a library's call on cases: its value, and its gradient by the framework's own differentiation."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from losscli.analysis.audit.model import Case
from losscli.arrays import Array
from losscli.custom.frameworks import import_quietly, settle_keras
from losscli.errors import UsageError
from losscli.records import dataclass
from losscli.wording import listing

Function = Callable[[Mapping[str, Any]], Any]
"""A call: it takes operands of the framework by their names, such as p, and returns one number, or one per row of a single row."""
Named = Callable[[Case], Mapping[str, Array]]


@dataclass(frozen=True)
class Outcome:
    """What came out: the number and the derivatives by the predictions, or the message of what was raised."""

    value: float = float("nan")
    gradient: Array | None = None
    """In the shape of the predictions; None if there is none."""
    raised: str | None = None


class Runner(Protocol):
    """A framework in which calls are run."""

    dtypes: tuple[str, ...]

    def outcomes(self, function: Function, cases: Sequence[Case], dtype: str, named: Named) -> list[Outcome]:
        """Run a call on each of some cases, in a dtype; `named` gives its operands but the predictions, by their names."""
        ...


def raised(error: Exception) -> Outcome:
    """Return the outcome of a call that raised."""
    text = " ".join(str(error).split())
    return Outcome(raised=f"{type(error).__name__}: {text[:160]}")


class Torch:
    """PyTorch on the CPU."""

    dtypes: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")

    def __init__(self) -> None:
        self.torch = import_module("torch")

    def tensor(self, values: Array, dtype: str) -> Any:
        """Return values as a tensor: integers as they are, others in the dtype."""
        made = self.torch.from_numpy(np.array(values))
        return made if values.dtype.kind == "i" else made.to(getattr(self.torch, dtype))

    def outcomes(self, function: Function, cases: Sequence[Case], dtype: str, named: Named) -> list[Outcome]:
        return [self._one(function, case, dtype, named) for case in cases]

    def _one(self, function: Function, case: Case, dtype: str, named: Named) -> Outcome:
        try:
            p = self.tensor(case.p, dtype).requires_grad_(True)
            value = function({"p": p, **{name: self.tensor(x, dtype) for name, x in named(case).items()}}).sum()
            slopes = None
            if value.requires_grad:
                (slopes,) = self.torch.autograd.grad(value, p, allow_unused=True)
            made = None if slopes is None else slopes.to(self.torch.float64).numpy()
            return Outcome(float(value), made)
        except Exception as error:  # noqa: BLE001 - whatever the library raises is what is reported
            return raised(error)


class TensorFlow:
    """TensorFlow, eager."""

    dtypes: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")

    def __init__(self) -> None:
        import_quietly({"tensorflow"})
        self.tf = import_module("tensorflow")

    def outcomes(self, function: Function, cases: Sequence[Case], dtype: str, named: Named) -> list[Outcome]:
        return [self._one(function, case, dtype, named) for case in cases]

    def _one(self, function: Function, case: Case, dtype: str, named: Named) -> Outcome:
        tf = self.tf

        def make(values: Array) -> Any:
            return tf.constant(values) if values.dtype.kind == "i" else tf.cast(tf.constant(values), dtype)

        try:
            p = make(case.p)
            with tf.GradientTape() as tape:
                tape.watch(p)
                value = tf.reduce_sum(function({"p": p, **{name: make(x) for name, x in named(case).items()}}))
            slopes = tape.gradient(value, p)
            made = None if slopes is None else np.asarray(tf.cast(slopes, "float64"))
            return Outcome(float(value), made)
        except Exception as error:  # noqa: BLE001 - whatever the library raises is what is reported
            return raised(error)


class Jax:
    """JAX, with float64 enabled for float64 alone.

    A call is compiled, as its users compile it, for cases of the same shapes together: each case is a call of its own that is
    mapped over them. Fewer cases are filled up, so that nothing is compiled twice.
    """

    together = 128

    dtypes: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")

    def __init__(self) -> None:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        self.jax = import_module("jax")
        self.compiled: dict[Any, Any] = {}

    def outcomes(self, function: Function, cases: Sequence[Case], dtype: str, named: Named) -> list[Outcome]:
        by_shape: dict[Any, list[int]] = {}
        for i, case in enumerate(cases):
            by_shape.setdefault((case.p.shape, case.t.shape, case.t.dtype.kind), []).append(i)
        with self.jax.enable_x64(dtype == "float64"):  # as users have it: some calls fail for float32 otherwise
            return self._outcomes(function, cases, dtype, named, by_shape)

    def _outcomes(
        self, function: Function, cases: Sequence[Case], dtype: str, named: Named, by_shape: Mapping[Any, list[int]]
    ) -> list[Outcome]:
        found: list[Outcome] = [Outcome()] * len(cases)
        for every in by_shape.values():
            for first in range(0, len(every), self.together):
                rows = every[first : first + self.together]
                some = [cases[i] for i in rows]
                some += some[:1] * (self.together - len(some))
                try:
                    made = self._together(function, some, dtype, named)
                except Exception:  # noqa: BLE001 - what cannot be mapped is run one by one, unless it cannot be run either
                    one = self._alone(function, some[0], dtype, named)
                    rest = rows[1:]
                    others = [one if one.raised else self._alone(function, cases[i], dtype, named) for i in rest]
                    made = [one, *others]
                for i, outcome in zip(rows, made, strict=False):
                    found[i] = outcome
        return found

    def _make(self, dtype: str) -> Callable[[Array], Any]:
        numbers = self.jax.numpy
        return lambda values: numbers.asarray(values, None if values.dtype.kind == "i" else getattr(numbers, dtype))

    def _graded(self, function: Function) -> Any:
        numbers = self.jax.numpy
        return self.jax.value_and_grad(lambda p, others: numbers.sum(function({"p": p, **others})))

    def _together(self, function: Function, cases: Sequence[Case], dtype: str, named: Named) -> list[Outcome]:
        make = self._make(dtype)
        p = make(np.stack([case.p for case in cases]))
        every = [named(case) for case in cases]
        others = {name: make(np.stack([one[name] for one in every])) for name in every[0]}
        if function not in self.compiled:
            self.compiled[function] = self.jax.jit(self.jax.vmap(self._graded(function)))
        values, slopes = self.compiled[function](p, others)
        values, slopes = np.asarray(values, np.float64), np.asarray(slopes, np.float64)
        return [Outcome(float(value), slope) for value, slope in zip(values, slopes, strict=True)]

    def _alone(self, function: Function, case: Case, dtype: str, named: Named) -> Outcome:
        make = self._make(dtype)
        try:
            value, slopes = self._graded(function)(make(case.p), {name: make(x) for name, x in named(case).items()})
            return Outcome(float(value), np.asarray(slopes, np.float64))
        except Exception as error:  # noqa: BLE001 - whatever the library raises is what is reported
            return raised(error)


class NumPy:
    """NumPy arrays, for a library without gradients."""

    dtypes: tuple[str, ...] = ("float16", "float32", "float64")

    def outcomes(self, function: Function, cases: Sequence[Case], dtype: str, named: Named) -> list[Outcome]:
        def make(values: Array) -> Any:
            return values.copy() if values.dtype.kind == "i" else values.astype(dtype)

        found = []
        for case in cases:
            try:
                found.append(
                    Outcome(float(function({"p": make(case.p), **{name: make(x) for name, x in named(case).items()}})))
                )
            except Exception as error:  # noqa: BLE001 - whatever the library raises is what is reported
                found.append(raised(error))
        return found


def keras() -> Runner:
    """Return the runner of the backend of Keras: the one that is set, or the first one that is installed."""
    settle_keras()
    import_quietly({"keras"})
    backend = import_module("keras").backend.backend()
    by_backend: dict[str, Callable[[], Runner]] = {"torch": Torch, "tensorflow": TensorFlow, "jax": Jax}
    if backend not in by_backend:
        raise UsageError(f"audit keras: its backend is {backend}; set KERAS_BACKEND to {listing(by_backend)}")
    return by_backend[backend]()


RUNNERS: dict[str, Callable[[], Runner]] = {
    "torch": Torch,
    "keras": keras,
    "tf1": TensorFlow,
    "optax": Jax,
    "sklearn": NumPy,
}


def quietly(work: Callable[[], Any]) -> Any:
    """Run a library without its warnings, which the cases provoke on purpose."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return work()
