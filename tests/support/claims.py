"""Random inputs for every call of every library: is the number that losscli prints the one that the printed call gives?

    python tests/support/claims.py --runs 50000 --seed 1            all libraries that are installed; a table of what came out, for
                                                                    docs/libraries.md; with --processes 2 in half of the time
    python tests/support/claims.py --library torch --loss huber     some of them
    python tests/support/claims.py --only torch-huber-17            one run again: its arrays, both numbers, the call

A run draws arrays, parameters and options for a loss of a library, asks losscli for the library's number as `--as` does, and lets
Python run the imports and the call that losscli prints, on the very arrays. Then

- both give a number, which is the same within the bound below, or
- both refuse: losscli with a message, and the library with an error, or NaN; or
- losscli says that the call does not take an option or a parameter, or that a loss of this name cannot read such operands at all.

Anything else is a failure, and the exit code is 1.

**The bound** is 4 units in the last place of the dtype in which the library computes, of the result or, where a result is less
than the numbers that it is the sum or the difference of, of these: a loss of 1e-9 that a library computes as log(1 + 1e-9) in
float32 has no digits of its own, and 1000 rows are added up in another order. `sizes` says how large these numbers are. The table
says how many runs are within 4 units of the result itself, and how many need the sizes.
"""

import argparse
import collections
import importlib.metadata
import importlib.util
import math
import multiprocessing
import os
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from losscli import api
from losscli.definition.domain import Interval
from losscli.errors import DataError, UsageError
from losscli.libraries import libraries
from losscli.libraries.call import OPTIONS, Call
from losscli.losses import LOSSES
from losscli.measurement.as_library import adopted_by, as_library
from losscli.measurement.prepare import prepare

Array = NDArray[Any]
BACKEND = os.environ.get("KERAS_BACKEND") or ("torch" if importlib.util.find_spec("torch") else "tensorflow")
os.environ.update(
    CUDA_VISIBLE_DEVICES="",
    JAX_PLATFORMS="cpu",
    KERAS_BACKEND=BACKEND,
    TF_CPP_MIN_LOG_LEVEL="3",
    TF_ENABLE_ONEDNN_OPTS="0",
    XLA_FLAGS="--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",  # compiling takes longest
)
NEEDS = {
    "torch": ("torch",),
    "keras": ("keras", BACKEND),
    "tf1": ("tensorflow",),
    "optax": ("optax", "jax"),
    "sklearn": ("sklearn",),
}
UNITS = 4
TOLD = 2500
"""After so many runs a line says how many there were."""


@dataclass
class Case:
    """One run: what losscli is asked for, and the arrays by their names in the printed call."""

    name: str
    library: str
    loss: str
    kind: str
    """The kind of predictions: 'logits', 'probs' or 'log-probs'."""
    arrays: dict[str, Array]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the loss, whether they are given or not."""
        return {name: self.options.get(name, one.default) for name, one in LOSSES[self.loss].parameters.items()}


class Outcome(NamedTuple):
    """What came out of a run: its verdict, both numbers, the bound, and the call."""

    verdict: str
    claimed: float | str
    given: float | str
    units: float = 0.0
    """The difference in units in the last place of the result."""
    allowed: float = 0.0
    """The difference as a part of the bound."""
    call: str = ""


# Inputs.


class Draw:
    """Draws one case from a seed."""

    def __init__(self, name: str, call: Call, seed: int) -> None:
        self.rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        self.library = name.split("-")[0]
        self.name, self.record = name, call
        self.loss, self.family = LOSSES[call.loss], LOSSES[call.loss].family

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one_of(self, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def case(self, library: str) -> Case:
        kind = "logits"
        if self.family.takes_from:
            kinds = [self.record.prediction_kind or "logits"] * 4 + ["logits", "probs", "log-probs"]
            kind = self.one_of(kinds)
        self.kind = kind
        self.dtype = self.one_of((np.float64, np.float64, np.float32, np.float32, np.float32, np.float16))
        options = self.parameters()
        self.values = {name: options.get(name, one.default) for name, one in self.loss.parameters.items()}
        arrays = self.operands()
        options |= self.options(arrays)
        self.leave_out(arrays, options)
        return Case(self.name, library, self.record.loss, kind, arrays, options)

    def leave_out(self, arrays: dict[str, Array], options: dict[str, Any]) -> None:
        """Leave out most of the weights, options and parameters that the call does not take: they compare nothing."""
        names = {
            name for call in libraries()[self.library].calls if call.loss == self.loss.name for name in call.arguments
        }
        given: dict[str, tuple[dict[str, Any], str]] = {
            name: (options, name) for name in (*OPTIONS, *self.loss.parameters)
        }
        given["sample_weight"] = (arrays, "w")
        for name, (where, key) in given.items():
            if name not in ("reduction", "ignore_index", *names) and key in where and self.chance(0.8):
                del where[key]

    def parameters(self) -> dict[str, Any]:
        given = {}
        for name, one in self.loss.parameters.items():
            if self.chance(0.5):
                values = [one.default, *edges(one.domain)]
                given[name] = self.one_of([value for value in values if value is not None])
        return given

    def shape(self) -> tuple[int, ...]:
        n = int(self.one_of((1, 2, 3, 4, 5, 6, 8, 30)))
        k = int(self.one_of((1, 2, 2, 3, 3, 4, 5, 9)))
        family = self.family
        if self.library == "optax":
            # JAX compiles each operation for each shape. It adds rows up one by one, which alone is more than the bound in
            # float32 from some fifty numbers on.
            n, k = {1: 1, 6: 5, 8: 8, 30: 5}.get(n, 3), min(k, 3)
        if family.of_sequences:
            return n, int(self.rng.integers(2, 8)), max(k, 2)
        if family.width:
            return n, family.width
        if family.coupled == "rows":
            return max(n, 4), k + 1
        if family.rows or self.over_classes:
            return n, max(k, 2)
        if family.one_target:
            return (n,) if self.chance(0.5) else (n, k)
        return (n,) if self.chance(0.5) else (n, k)

    @property
    def over_classes(self) -> bool:
        return self.family.target_type in ("classes", "sequences")

    def operands(self) -> dict[str, Array]:
        shape = self.shape()
        p, t = self.predictions(shape), self.targets(shape)
        if self.family.target_type == "numbers" and self.chance(0.1):  # ties
            tied = np.where(self.rng.random(p.shape) < 0.5, t.astype(p.dtype) if t.shape == p.shape else p, p)
            # A column that is equal as a whole is taken for a key.
            p = p if tied.ndim == 2 and t.shape == p.shape and (tied == t).all(axis=0).any() else tied
        arrays = {"p": p, "t": t}
        name = self.family.third_operand
        if name == "variance":
            v = self.rng.uniform(0.05, 4, shape)
            v = np.where(self.rng.random(shape) < 0.2, self.one_of((1e-8, 0.0, 1e-6, 1e4)), v)
            arrays["variance"] = v.astype(self.beside())
        elif name is not None and len(shape) == 2:
            arrays[name] = self.numbers(shape).astype(self.beside())
        return arrays

    def beside(self) -> Any:
        """The dtype of an operand beside the predictions."""
        return self.dtype if self.chance(0.7) else self.one_of((np.float32, np.float64))

    def numbers(self, shape: tuple[int, ...]) -> Array:
        scale = self.one_of((1e-3, 1.0, 1.0, 2.0, 10.0, 1e3))
        x = self.rng.normal(0, scale, shape)
        if self.chance(0.2):
            x = np.where(self.rng.random(shape) < 0.3, self.one_of((0.0, 1.0, -1.0, 0.5)), x)
        if self.chance(0.08):
            x = np.where(self.rng.random(shape) < 0.3, self.one_of((1e4, -1e4, 3e18, 1e30, -1e36)), x)
        return x.round(3) if self.chance(0.3) else x

    def logits(self, shape: tuple[int, ...]) -> Array:
        z = self.rng.normal(0, self.one_of((0.1, 1.0, 2.0, 5.0, 20.0)), shape)
        if self.chance(0.15):
            z = np.where(self.rng.random(shape) < 0.4, self.one_of((50.0, -50.0, 100.0, -100.0, 1e4, -1e4, 0.0)), z)
        if self.chance(0.05):
            z = np.where(self.rng.random(shape) < 0.2, self.one_of((np.inf, -np.inf)), z)
        return z.round(1) if self.chance(0.2) else z

    def predictions(self, shape: tuple[int, ...]) -> Array:
        domain = self.loss.domains(self.values).predictions
        with np.errstate(all="ignore"):
            if self.family.takes_from:
                x = self.distribution(shape)
            elif self.family.target_type in ("signs", "classes") or self.family.rows:
                x = self.logits(shape) if self.family.target_type != "numbers" else self.numbers(shape)
            else:
                x = self.within(domain, self.numbers(shape))
            return x.astype(self.dtype)

    def distribution(self, shape: tuple[int, ...]) -> Array:
        """Logits, probabilities, or log-probabilities, in the dtype of the predictions."""
        z = self.logits(shape)
        if self.kind == "logits":
            return z
        if self.over_classes:
            z = np.where(np.isfinite(z), z, 0)
            p = np.exp(z - np.logaddexp.reduce(z, axis=-1, keepdims=True))
            if self.chance(0.15):
                p = np.eye(shape[-1])[self.rng.integers(0, shape[-1], shape[:-1])]
        else:
            p = 1 / (1 + np.exp(-z))
            if self.chance(0.15):
                p = np.where(self.rng.random(shape) < 0.4, self.one_of((0.0, 1.0, 1e-9, 1 - 1e-7)), p)
        p = p.astype(self.dtype)
        return p if self.kind == "probs" else np.log(p.astype(np.float64))

    def within(self, domain: Interval, x: Array) -> Array:
        """Numbers of a domain, and sometimes others."""
        if domain.low == -math.inf and domain.high == math.inf:
            return x
        if self.chance(0.1):
            return x
        x = np.abs(x) + (0 if domain.low_closed else 1e-3)
        return x + domain.low if math.isfinite(domain.low) else x

    def targets(self, shape: tuple[int, ...]) -> Array:
        family = self.family
        if family.of_sequences:
            longest = max(1, shape[1] // 2)
            t = self.rng.integers(1, shape[2], (shape[0], longest))
            lengths = self.rng.integers(0, longest + 1, shape[0])
            return np.where(np.arange(longest) < lengths[:, None], t, -1)
        if family.coupled == "rows" and family.target_type == "classes":
            t = np.resize(np.arange(max(2, shape[0] // 2)), shape[0])
            return self.rng.permutation(t)
        if family.target_type == "classes" or family.name == "class-masks":
            return self.classes(shape)
        if family.one_target:
            shape = shape[:1]
        if family.target_type == "signs":
            t = self.rng.integers(0, 2, shape)
            return 2 * t - 1 if self.chance(0.6) else t
        if family.target_type == "outcomes" or family.of_masks:
            return self.outcomes(shape)
        domain = self.loss.domains(self.values).targets
        if domain.whole:
            return self.rng.integers(0, 2, shape)
        t = self.within(domain, self.numbers(shape))
        if math.isfinite(domain.low) and self.chance(0.4):
            t = self.rng.poisson(2.0, shape) + (0 if domain.low_closed else 1)
            return t if self.chance(0.5) else t.astype(self.beside())
        with np.errstate(over="ignore"):
            return t.astype(self.beside())

    def classes(self, shape: tuple[int, ...]) -> Array:
        n, k = shape
        index = self.rng.integers(0, k, n)
        form = self.one_of(("index", "index", "index of floats", "one-hot", "soft", "soft with zeros"))
        if form == "index":
            return index
        if form == "index of floats":
            return index.astype(np.float64)
        if form == "one-hot":
            return np.eye(k, dtype=self.one_of((np.int64, np.float32)))[index]
        t = self.rng.dirichlet(np.ones(k), n)
        if form == "soft with zeros":
            t = np.where(self.rng.random((n, k)) < 0.4, 0, t)
            t[np.arange(n), index] += 1 - t.sum(axis=1)
        return t.astype(self.beside())

    def outcomes(self, shape: tuple[int, ...]) -> Array:
        t = self.rng.integers(0, 2, shape)
        form = self.one_of(("binary", "binary", "signed", "soft", "floats"))
        if form == "signed":
            return 2 * t - 1
        if form == "soft":
            soft = self.rng.random(shape)
            return np.where(self.rng.random(shape) < 0.2, t, soft).astype(self.beside())
        return t.astype(self.beside()) if form == "floats" else t

    def options(self, arrays: dict[str, Array]) -> dict[str, Any]:
        """Weights, smoothing, a reduction, a label to ignore: those that losses of this kind take."""
        family, p, t = self.family, arrays["p"], arrays["t"]
        several = family.several_outputs and p.ndim == 2 and p.shape[1] > 1
        k = p.shape[1] if p.ndim == 2 and p.shape[1] > 1 else 2
        options: dict[str, Any] = {"from_": self.kind} if family.takes_from else {}
        if self.chance(0.25):
            w = self.rng.uniform(0.1, 3, p.shape[0])
            w = np.where(self.rng.random(len(w)) < 0.3, 0, w)
            w = np.zeros(len(w)) if self.chance(0.08) else w
            if several and self.chance(0.2):
                w = self.rng.uniform(0.1, 3, p.shape)
            arrays["w"] = w.astype(self.one_of((np.float32, np.float64)))
        if family.takes_class_weight and not family.takes_centers and self.chance(0.25):
            weights = self.rng.uniform(0.1, 3, k).round(2)
            weights = np.where(self.rng.random(k) < 0.25, 0, weights)
            if weights.any():
                options["class_weight"] = ",".join(f"{i}={weight:g}" for i, weight in enumerate(weights))
        elif several and self.chance(0.08):
            options["output_weight"] = ",".join(f"{weight:.2f}" for weight in self.rng.uniform(0.1, 3, k))
        if family.takes_pos_weight and self.chance(0.25):
            options["pos_weight"] = float(self.one_of((0.0, 0.5, 1.0, 3.0)))
        if family.smoothing is not None and self.chance(0.25):
            options["label_smoothing"] = float(self.one_of((0.0, 0.1, 0.2, 0.9)))
        if self.chance(0.25):
            options["reduction"] = self.one_of(("mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"))
        if family.of_sequences and self.chance(0.1):
            options["input_lengths"] = int(self.rng.integers(1, p.shape[1] + 1))
        labels = t.ndim == 1 and self.over_classes and family.coupled is None and np.array_equal(t, np.floor(t))
        if labels and self.chance(0.15):
            label = self.one_of((-100, 0))
            arrays["t"] = np.where(self.rng.random(len(t)) < 0.3, label, t)
            options["ignore_index"] = label
        return options


def edges(domain: Interval) -> list[float]:
    """Numbers of a domain: its ends and others."""
    numbers = [
        domain.low,
        domain.high,
        domain.low + 0.25,
        domain.high - 0.25,
        0.5,
        1.0,
        1.5,
        2.0,
        3.0,
        10.0,
        1e-3,
        -0.5,
        0.0,
    ]
    return [float(number) for number in numbers if math.isfinite(number) and number in domain]


# Both sides.


def request_of(case: Case) -> Any:
    """The request that `losscli.compute` makes of a case."""
    options = dict(case.options)
    if "w" in case.arrays:
        options["sample_weight"] = case.arrays["w"]
    for name in ("variance", "negative", "other"):
        if name in case.arrays:
            options[name] = case.arrays[name]
    bound, rest = api._bound(case.loss, options)
    return api._computed_request(bound, case.arrays["p"], case.arrays["t"], rest), set(options)


class Claim(NamedTuple):
    """losscli's answer: a number or a refusal, and the call, if it got so far."""

    value: float | str
    imports: tuple[str, ...] = ()
    call: str = ""
    result: Any = None
    dtype: Any = None


def claimed(case: Case) -> Claim:
    """What losscli says that the library's number is, by the steps of `losscli compute --as`."""
    try:
        request, typed = request_of(case)
        measurement = prepare(replace(request, library=case.library))
    except (UsageError, DataError) as error:
        return Claim(f"unreadable: {error}")
    try:
        way = adopted_by(measurement, case.library, typed)
    except UsageError as error:
        return Claim(f"not taken: {error}")
    imports, call = way.printed.imports, way.printed.call
    dtype = np.dtype(way.adopted.request.convention.cast or measurement.opened.dtype)
    try:
        result = as_library(measurement, case.library, typed).run()
    except DataError as error:
        if "say --columns" in str(error):  # random columns that look like a key, or like a confidence
            return Claim(f"unreadable: {error}")
        return Claim(f"refused: {error}", imports, call, None, dtype)
    except UsageError as error:
        return Claim(f"not taken: {error}")
    return Claim(float(result.value), imports, call, result, dtype)  # type: ignore[arg-type]


RAN: dict[str, dict[str, Any]] = {}
"""Statements of imports -> the names that they made."""


def given(case: Case, claim: Claim) -> float | str:
    """What the library gives: the printed imports and the printed call, run by Python."""
    statements = "\n".join(claim.imports)
    if statements not in RAN:
        RAN[statements] = {}
        exec(statements, RAN[statements])
    try:
        value = np.asarray(eval(claim.call, RAN[statements] | case.arrays), np.float64)
    except Exception as error:  # noqa: BLE001 - whatever a library raises
        return f"{type(error).__name__}: {str(error)[:200]}"
    if value.ndim:
        return f"no number: shape {value.shape}"
    return float(value)


def judged(case: Case) -> Outcome:
    """Run both sides and compare them."""
    claim = claimed(case)
    if not claim.call:
        return Outcome(str(claim.value).split(":")[0], claim.value, "")
    number = given(case, claim)
    without = isinstance(number, str) or math.isnan(number)
    if isinstance(claim.value, str):
        # Of nothing there is no number, whatever a library prints: of no rows, with weights of 0, or of rows that are all
        # left out, as Keras's circle does with losses of NaN, the mean of which is 0 then.
        nothing = "no samples left" in claim.value or unweighed(case)
        nothing |= case.library == "keras" and case.loss == "circle" and number == 0
        # Of two infinite logits there are no probabilities, and the largest of NaN is the first.
        nothing |= case.loss == "quadratic-kappa" and not np.isfinite(case.arrays["p"]).all()
        without = without or nothing
        verdict = "both refuse" if without else "refused alone"
        return Outcome(verdict, claim.value, number, call=claim.call)
    if without:
        return Outcome("number alone", claim.value, number, call=claim.call)
    if claim.value == number:
        return Outcome("same", claim.value, number, call=claim.call)
    gap = abs(claim.value - number)
    unit = float(np.spacing(np.abs(np.asarray(number, claim.dtype))))
    size = terms(case, claim)
    epsilon = float(np.finfo(claim.dtype).eps)
    allowed = UNITS * max(unit, epsilon * size)
    if not (math.isfinite(gap) and gap <= allowed):
        verdict = "different"
    else:
        verdict = "within 4 units" if gap <= UNITS * unit else "within 4 units of the terms"
    return Outcome(verdict, claim.value, number, gap / unit, gap / allowed, claim.call)


def unweighed(case: Case) -> bool:
    """Whether all rows that are not ignored have the weight 0."""
    if "w" not in case.arrays:
        return False
    w = case.arrays["w"]
    return not (w[case.arrays["t"] != case.options["ignore_index"]] if "ignore_index" in case.options else w).any()


# How large the numbers are that a result is the sum or the difference of.


def terms(case: Case, claim: Claim) -> float:
    """The size of the terms of a result: those of a row, reduced as the result is, with the largest of the weights."""
    with np.errstate(all="ignore"):
        sizes = np.asarray(SIZES.get(case.loss, lambda case, p, t: np.zeros(1))(case, wide(case, "p"), wide(case, "t")))
        result = claim.result
        own = abs(result.numerator) / (result.denominator or 1)
        rows = len(case.arrays["p"])
        per_row = float(np.nan_to_num(sizes, nan=0.0).sum()) / max(1, sizes.size) * rows
        weights = [float(case.arrays["w"].max())] if "w" in case.arrays else [1.0]
        for name in ("class_weight", "output_weight"):
            if name in case.options:
                weights.append(max(float(part.split("=")[-1]) for part in case.options[name].split(",")))
        weights.append(case.options.get("pos_weight", 1.0) or 1.0)
        outputs = sizes.shape[1] if case.options.get("reduction") == "sum" and sizes.ndim == 2 else 1
        size = per_row * math.prod(max(weight, 1.0) for weight in weights) * outputs / (result.denominator or 1)
    return max(own, size if math.isfinite(size) else 0.0)


def wide(case: Case, name: str) -> Array:
    return np.asarray(case.arrays[name], np.float64)


def of_logits(case: Case, p: Array, t: Array) -> Array:
    """Of the sum of exponentials, whose logarithm is added to a logit."""
    if case.kind == "logits":
        z = np.where(np.isfinite(p), np.abs(p), 0)
        return 1 + (
            z.max(axis=1) - p.min(axis=1) if p.ndim == 2 and LOSSES[case.loss].family.target_type == "classes" else z
        )
    log_p = np.log(p) if case.kind == "probs" else p
    size = 1 + np.where(np.isfinite(log_p), np.abs(log_p), 0)
    return size.sum(axis=1) if LOSSES[case.loss].family.target_type == "classes" else size


def residual(case: Case, p: Array, t: Array) -> Array:
    return np.abs(p) + np.abs(t)


def squared_logarithms(first: Array, second: Array) -> Array:
    """Of the square of a difference d of logarithms of 1 + x, which is as far off as d times what these are off."""
    return (np.abs(first - second) + 1e-7) * (1 + first + second)


def of_masks(case: Case, p: Array, t: Array) -> Array:
    """Of one minus an overlap: 1 for each mask, which is a row in optax, and the whole file elsewhere."""
    return np.full(len(p), 1 if case.library == "optax" and p.ndim == 2 and p.shape[1] > 1 else 1 / len(p))


SIZES: dict[str, Callable[[Case, Array, Array], Array]] = {
    "softmax-cross-entropy": of_logits,
    "softmax-focal": of_logits,
    "softmax-poly-1": of_logits,
    "kl-divergence": of_logits,
    "sigmoid-cross-entropy": of_logits,
    "sigmoid-focal": of_logits,
    "log-cosh": lambda case, p, t: 1 + np.abs(p - t),
    "huber": lambda case, p, t: case.parameters["delta"] * np.abs(p - t),
    "smooth-l1": lambda case, p, t: np.abs(p - t),
    "poisson": lambda case, p, t: np.abs(p) + np.abs(t * np.log(np.abs(p) + 1e-8)),
    "log-poisson": lambda case, p, t: np.exp(p) * (1 + np.abs(p)) + np.abs(t * p),
    "generalized-kl": lambda case, p, t: (
        np.abs(p) + np.abs(t) * (1 + np.abs(np.log(np.abs(p))) + np.abs(np.log(np.abs(t) + 1e-300)))
    ),
    "gaussian-nll": lambda case, p, t: (
        np.abs(np.log(np.maximum(wide(case, "variance"), 1e-6)))
        + (p - t) ** 2 / np.maximum(wide(case, "variance"), 1e-6)
    ),
    "hinge": lambda case, p, t: 1 + np.abs(p),
    "logistic": lambda case, p, t: np.exp(np.minimum(np.abs(p), 80)) * 0 + 1 + np.abs(p),
    "multi-margin": lambda case, p, t: case.parameters["margin"] + np.abs(p).max(axis=1),
    "multilabel-margin": lambda case, p, t: (1 + np.abs(p).max(axis=1)) * p.shape[1],
    "margin-ranking": lambda case, p, t: case.parameters["margin"] + np.abs(p).sum(axis=1),
    "cosine-embedding": lambda case, p, t: np.ones(len(p)),
    "dice": of_masks,
    "tversky": lambda case, p, t: np.full(
        len(p), (p.shape[1] if case.library == "optax" and p.ndim == 2 else 1) / len(p)
    ),
    "nt-xent": lambda case, p, t: np.full(len(p), 2 / case.parameters["temperature"]),
    "sparsemax": lambda case, p, t: 1 + np.abs(np.where(np.isfinite(p), p, 0)).max(axis=1),
    "squared-log-error": lambda case, p, t: squared_logarithms(*(np.log(np.maximum(x, 1e-7) + 1) for x in (p, t))),
    "generalized-cross-entropy": lambda case, p, t: np.full(len(p), 1 / max(case.parameters["q"], 1e-9)),
    "circle": lambda case, p, t: (
        case.parameters["gamma"] * (1 + case.parameters["margin"] + (p**2).sum(axis=1).max() * np.ones(len(p))) ** 2
    ),
    "cosine-distance": lambda case, p, t: (
        1 + (np.abs(p * t).sum(axis=1) if case.library == "tf1" else np.zeros(len(p)))
    ),
    "zero-one": lambda case, p, t: np.ones(len(p)),  # 1 minus the accuracy
    "multiclass-zero-one": lambda case, p, t: np.ones(len(p)),
    "quadratic-kappa": lambda case, p, t: np.full(len(p), 1 / len(p)),  # 1 minus the kappa
    "hinge-embedding": lambda case, p, t: (
        case.parameters["margin"]
        + (np.abs(p) if p.ndim == 1 else (np.abs(p) + np.abs(wide(case, "other"))).sum(axis=1))
    ),
    "triplet": lambda case, p, t: (
        case.parameters["margin"] + (2 * np.abs(p) + np.abs(t) + np.abs(wide(case, "negative"))).sum(axis=1)
    ),
    "ctc": lambda case, p, t: np.abs(np.where(np.isfinite(p), p, 0)).sum(axis=(1, 2)) + 1,
}
"""Losses -> the sizes of the terms of each row or element; for others the losses themselves, whose terms have one sign."""


# Many runs.


def cases(names: list[str], loss: str | None, runs: int, seed: int, share: tuple[int, int] = (0, 1)) -> Iterator[Case]:
    """Draw cases for all calls of some libraries in turn; of a share (i, n) only those for the calls i, i + n, i + 2 n and so on."""
    first, step = share
    calls = [(name, call) for name in names for call in libraries()[name].calls if loss in (None, call.loss)]
    for number in range(-(-runs // len(calls))):
        for name, call in calls[: runs - number * len(calls)][first::step]:
            index = [one for one in libraries()[name].calls if one.loss == call.loss].index(call)
            word = f"{name}-{call.loss}-{index}-{number}"
            yield Draw(word, call, seed).case(name)


VERDICTS = (
    "same",
    "within 4 units",
    "within 4 units of the terms",
    "both refuse",
    "not taken",
    "unreadable",
    "different",
    "number alone",
    "refused alone",
)
COMPARED = VERDICTS[:3]
"""Verdicts of runs in which two numbers were compared and are the same."""
FAILURES = ("different", "number alone", "refused alone")
HEADS = {
    "same": "same",
    "within 4 units": "<= 4 ulp",
    "within 4 units of the terms": "<= 4 ulp of terms",
    "both refuse": "both refuse",
    "not taken": "not an argument",
    "unreadable": "not read at all",
    "different": "different",
    "number alone": "losscli alone",
    "refused alone": "library alone",
}


Counts = Mapping[str, collections.Counter[str]]
"""Libraries -> how many runs have which verdict."""


def installed(name: str) -> bool:
    return all(importlib.util.find_spec(module) is not None for module in NEEDS[name])


def versions(name: str) -> str:
    """What a library's number depends on, with its versions, such as 'optax 0.2.8, jax 0.7.0'."""
    packages = importlib.metadata.packages_distributions()
    found = {module: packages.get(module, [module])[0] for module in NEEDS[name]}
    numbers = {package: importlib.metadata.version(package).split("+")[0] for package in found.values()}
    return ", ".join(f"{package.removesuffix('_cpu')} {number}" for package, number in numbers.items())


def table(counts: Counts, largest: Mapping[str, float] = {}) -> str:
    """A table of verdicts by library, and of the largest difference, as in docs/libraries.md."""
    lines = [
        "| library | runs | " + " | ".join(HEADS.values()) + " | largest, in ulp |",
        "| --- |" + " ---: |" * (len(HEADS) + 2),
    ]
    most = {name: largest.get(name, 0.0) for name in counts}
    rows = {f"`{name}`: {versions(name)}": (found, most[name]) for name, found in counts.items()}
    if len(counts) > 1:
        rows["all"] = sum(counts.values(), collections.Counter()), max(most.values())
    for name, (found, gap) in rows.items():
        numbers = [f"{sum(found.values()):,}", *(f"{found[verdict]:,}" for verdict in VERDICTS), f"{gap:.2f}"]
        lines.append(f"| {name} | {' | '.join(numbers)} |")
    return "\n".join(lines)


class Ran(NamedTuple):
    """What came out of runs."""

    counts: Counts
    failed: list[tuple[Case, Outcome]]
    largest: Mapping[str, float]
    """Libraries -> the largest difference of two numbers that are the same within the bound: in units of the result, or of
    the numbers that it is the sum or the difference of.
    """


def run(names: list[str], loss: str | None, runs: int, seed: int, share: tuple[int, int] = (0, 1)) -> Ran:
    """Run cases, or a share of them."""
    largest: dict[str, float] = collections.defaultdict(float)
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    failed: list[tuple[Case, Outcome]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, case in enumerate(cases(names, loss, runs, seed, share), 1):
            if number % TOLD == 0:
                print(f"part {share[0] + 1} of {share[1]}: {number:,} runs, {len(failed):,} failed", file=sys.stderr)
            outcome = judged(case)
            counts[case.library][outcome.verdict] += 1
            if outcome.verdict in FAILURES:
                failed.append((case, outcome))
            else:
                largest[case.library] = max(largest[case.library], UNITS * outcome.allowed)
    return Ran(counts, failed, dict(largest))


def run_in(processes: int, names: list[str], loss: str | None, runs: int, seed: int) -> Ran:
    """Run cases in several processes, each of which has its own calls, so that JAX compiles each function once."""
    if processes == 1:
        return run(names, loss, runs, seed)
    shares = [(names, loss, runs, seed, (number, processes)) for number in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        parts = pool.starmap(run, shares)
    counts = {name: sum((part.counts[name] for part in parts), collections.Counter()) for name in names}
    largest = {name: max(part.largest.get(name, 0.0) for part in parts) for name in names}
    return Ran(counts, [one for part in parts for one in part.failed], largest)


def described(case: Case, outcome: Outcome) -> str:
    """A case in full, to be run again."""
    arrays = "\n".join(
        f"    {name} = numpy.array({array.tolist()}, '{array.dtype}')" for name, array in case.arrays.items()
    )
    return (
        f"{case.name}: {outcome.verdict}: losscli {outcome.claimed!r}, {case.library} {outcome.given!r}"
        f" ({outcome.units:.3g} units, {outcome.allowed:.3g} of the bound)\n"
        f"    {case.loss} {case.options}\n    {outcome.call}\n{arrays}"
    )


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library", action="append", choices=list(NEEDS))
    parser.add_argument("--loss")
    parser.add_argument("--show", type=int, default=10, help="number of failures that are shown in full")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", help="the name of one run, to run again")
    words = parser.parse_args()
    if words.only:
        library, rest = words.only.split("-", 1)
        loss, index, _ = rest.rsplit("-", 2)
        call = [one for one in libraries()[library].calls if one.loss == loss][int(index)]
        case = Draw(words.only, call, words.seed).case(library)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            print(described(case, judged(case)))
        return 0
    names = words.library or [name for name in NEEDS if installed(name)]
    began = time.perf_counter()
    found, failed, largest = run_in(words.processes, names, words.loss, words.runs, words.seed)
    print(table(found, largest))
    shown: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for case, outcome in failed:
        kind = (case.library, case.loss, outcome.verdict)
        shown[kind] += 1
        if shown[kind] == 1 and len(shown) <= words.show:
            print("\n" + described(case, outcome))
    for (library, loss, verdict), count in shown.items():
        print(f"{library} {loss}: {verdict}: {count}")
    print(f"{words.runs:,} runs with seed {words.seed} in {time.perf_counter() - began:.0f} s; {len(failed):,} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
