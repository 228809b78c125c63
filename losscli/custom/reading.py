"""Finds a loss in a file: its framework, the order of its operands, and the kind of predictions that it takes.

All of this is read from names: of parameters (y_true, y_pred; labels, logits; input, target), classes and modules. If
names do not say it, options do, and the user is shown what was concluded.
"""

import ast
import hashlib
import importlib.util
import inspect
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from losscli.custom.frameworks import import_quietly, missing, settle_keras
from losscli.definition.loss import OWN, Loss
from losscli.definition.request import Request
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.small_file import opened_small
from losscli.losses import undeclared
from losscli.records import dataclass, fields, replace
from losscli.wording import fault_of

TARGETS = [
    "y_true",
    "ytrue",
    "true",
    "truth",
    "target",
    "targets",
    "label",
    "labels",
    "y",
    "t",
    "gt",
    "ground_truth",
    "y_target",
    "one_hot",
    "onehot",
    "expected",
]
PREDICTIONS = [
    "y_pred",
    "ypred",
    "pred",
    "preds",
    "prediction",
    "predictions",
    "predicted",
    "input",
    "inputs",
    "output",
    "outputs",
    "score",
    "scores",
    "y_hat",
    "yhat",
    "x",
]
LOGITS = ["logit", "logits", "z"]
PROBS = ["prob", "probs", "probability", "probabilities", "p", "p_hat", "proba", "softmax_output"]
LOG_PROBS = ["log_prob", "log_probs", "logprobs", "logp", "log_p", "log_probabilities"]
METHODS = ("call", "forward", "__call__")
ROOTS = ("torch", "keras", "tensorflow", "jax")
EITHER = "either"
"""The kind of predictions of a loss that is told it by its parameter from_logits."""
TOLD = frozenset({"from_logits", "reduction"})
"""Parameters that losscli sets itself: by the kind of predictions, and so that there is one number per row."""
WORDS = """
    also as axis beside by calibration centers class_counts class_weight classes cluster columns confidence dim dpi dtype elements event format from given gradient
    header help id ignore_index label_base label_smoothing library log loss name negative no_header no_log no_progress
    on_unmatched operands other output prediction_kind reference third_operand
    over_outputs panel part per per_sample plus pos_weight predictions progress quiet reduction require require_each resamples sample_weight seed size
    smoothing_mode reduce size_average takes targets theme threads title variance weight
"""
THEIRS = frozenset({"temperature", "scale", "dispersion", "levels"})
"""Parameters that a loss keeps although losscli has an option of this name."""
OURS = (frozenset(WORDS.split()) | {field.name for field in fields(Request)}) - THEIRS
"""Parameters that keep their defaults: losscli has an option of this name, or they are not numbers of the loss."""
NOT_GIVEN = inspect.Parameter.empty


@dataclass(frozen=True)
class Found:
    """A loss in a file.

    `make` binds values of parameters, and returns the function of the two operands in the file's own order.
    """

    where: str
    """The text that named it."""
    file: str
    """The file that contains its code."""
    kind: str
    """In words, such as 'a torch.nn.Module'."""
    make: Callable[[Mapping[str, Any]], Callable[[Any, Any], Any]]
    parameters: Mapping[str, float | None]
    """Numbers that may be set, with their defaults; None for no default."""
    required: tuple[str, ...]
    """The parameters that have no default."""
    framework: str
    targets_first: bool | None
    """The order of the operands; None if their names do not tell."""
    wants: str | None
    """'logits', 'probs' or 'log-probs', if a name says it; EITHER if it has a parameter from_logits; else None."""
    operands: tuple[str, str]
    """Names of the operands in their own order."""
    told: frozenset[str] = frozenset()
    """Those of the parameters from_logits and reduction that it has."""
    summary: str = ""
    """The first paragraph of its docstring."""
    loss: Loss | None = None
    """The declaration, if it is declared like losscli's own losses."""


class CallError(DataError):
    """The user's code failed, or returned something that is not a loss."""


class _Stdout:
    """Sends the prints of the user's code, in any thread, to standard error, since standard output is for data."""

    def __init__(self) -> None:
        self.lock, self.depth, self.kept = threading.Lock(), 0, sys.stdout

    def turn(self) -> None:
        with self.lock:
            if not self.depth:
                self.kept, sys.stdout = sys.stdout, sys.stderr
            self.depth += 1

    def back(self) -> None:
        with self.lock:
            self.depth -= 1
            if not self.depth:
                sys.stdout = self.kept


STDOUT = _Stdout()


@contextmanager
def foreign(file: str, what: str) -> Iterator[None]:
    """Run the user's code: its prints go to standard error, and all that it raises becomes an error of one line.

    Parameters
    ----------
    what
        what part of the file is run, for the message.

    Raises
    ------
    DataError
        for an exception of the user's code.
    """
    STDOUT.turn()
    try:
        with np.errstate(all="ignore"):
            yield
    except LosscliError:
        raise
    except ImportError as error:
        raise DataError(f"{located(file, error)}: {missing(error)}") from error
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        raise CallError(f"{located(file, error)}: {type(error).__name__}: {text}"[:600] + f" ({what})") from error
    finally:
        STDOUT.back()


def located(file: str, error: BaseException) -> str:
    """Return a file with the line at which an exception was raised in it."""
    real = os.path.realpath(file)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if os.path.realpath(frame.filename) == real]
    return f"{file}:{lines[-1]}" if lines else file


def stamp(path: str) -> str:
    """Return a text that changes if a path names another file, or its content changes; '' if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{os.path.realpath(path)}:{status.st_mtime_ns}:{status.st_size}"


@lru_cache(maxsize=64)
def digest(path: str, stamp: str) -> str:
    """Return the SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_same(path: str, sha256: str) -> None:
    """Raise a DataError if a file, which another process has read, is not there or another one in this process."""
    known = stamp(path)
    if not known or digest(path, known) != sha256:
        from socket import gethostname

        what = "is another file there" if known else "is not there"
        raise DataError(
            f"{path}: the code of the loss {what}, on {gethostname()}; all workers need this file under this path"
        )


def own_module(path: str, sha256: str) -> ModuleType:
    """Return the module of a file that another process has read; raises a DataError as `check_same` does."""
    check_same(path, sha256)
    return module_of(path)


def module_of(path: str) -> ModuleType:
    """Execute a file, once in a process, and return its module."""
    return _executed(path, stamp(path))


@lru_cache(maxsize=64)
def _executed(path: str, stamp: str) -> ModuleType:
    """Execute a file and return its module.

    Raises
    ------
    DataError
        if the file is missing, or fails, with the line; or if a package is not installed.
    """
    if not os.path.isfile(path):
        raise DataError(f"{path}: no such file; is the path right?")
    name = f"{OWN}{hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]}"
    imported = _imported_by(path)
    if "keras" in imported:
        settle_keras()
    if imported & {"keras", "tensorflow"}:
        import_quietly(imported)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no compiled files in the user's folder
    try:
        with foreign(path, "when the file is executed"), undeclared(), neighbours(path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = writes
    return module


@contextmanager
def neighbours(path: str) -> Iterator[None]:
    """Let a file import files in its folder, as when Python runs it. Later imports prefer everything
    that is installed.
    """
    folder = os.path.dirname(os.path.abspath(path))
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def _imported_by(path: str) -> set[str]:
    """Return the packages that a file imports; raise a DataError if it cannot be read."""
    try:
        code = opened_small(path, "is it the right file? A loss is Python code that people write")
        return _imported(ast.parse(code.read(0, code.size), path))
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        fact = error.msg if isinstance(error, SyntaxError) else fault_of(error)
        raise DataError(f"{path}{line}: not Python that can be read: {fact}; correct it") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _imported(tree: ast.Module) -> set[str]:
    """Return the packages that the code of a file imports."""
    packages = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").partition(".")[0])
    return packages


def _summary(found: Any) -> str:
    """Return the first paragraph of an object's docstring; '' for an object that inherits it from its framework."""
    text = found.__doc__ if inspect.isclass(found) or inspect.isroutine(found) else None
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


def _is_own(value: Any, module: ModuleType) -> bool:
    """Whether a module defines something that may be a loss, and did not import it."""
    if isinstance(value, Loss):
        return True
    home = getattr(value, "__module__", None) if callable(value) else None
    return home == module.__name__ or (callable(value) and not hasattr(value, "__name__"))


def recognised(text: str, path: str, found: Any) -> Found:
    """Return how an object can be called as a loss.

    Raises
    ------
    UsageError
        if it cannot.
    """
    return replace(_recognised(text, path, found), summary=_summary(found))


def _recognised(text: str, path: str, found: Any) -> Found:
    if isinstance(found, Loss):
        return Found(
            text,
            path,
            "a declaration of losscli",
            lambda values: found.core,
            {},
            (),
            "numpy",
            False,
            None,
            ("", ""),
            loss=replace(found, name=text),
        )
    if inspect.isclass(found):
        return _of_class(text, path, found)
    if inspect.iscoroutinefunction(found):
        raise UsageError(
            f"{text}: a coroutine (async def), which returns no numbers when it is called; leave out async"
        )
    if inspect.isroutine(found) or isinstance(_plain(found), FunctionType):
        return _of_function(text, path, found)
    if callable(found):
        return _of_object(text, path, found, type(found), lambda values: found, {}, ())
    raise UsageError(f"{text}: {type(found).__name__} is no loss: name a function, or a class with call or forward")


def _framework_of(kind: type) -> str:
    """Return the framework of a class, from the classes that it inherits from."""
    roots = [base.__module__.partition(".")[0] for base in kind.__mro__]
    return next((root for root in ROOTS if root in roots), "numpy")


def _of_class(text: str, path: str, kind: type) -> Found:
    """Recognise a class whose objects are losses."""
    parameters, required, told = _numbers(text, _signature(kind))

    def make(values: Mapping[str, Any]) -> Any:
        return kind(**values, **({"reduction": "none"} if "reduction" in told else {}))

    return _of_object(text, path, kind, kind, make, parameters, required, told)


def _of_object(
    text: str,
    path: str,
    found: Any,
    kind: type,
    make: Callable[[Mapping[str, Any]], Any],
    parameters: Mapping[str, float | None],
    required: tuple[str, ...],
    told: frozenset[str] = frozenset(),
) -> Found:
    """Recognise an object, or the objects of a class, with a method that computes the loss."""
    framework = _framework_of(kind)
    method = next((name for name in METHODS if any(name in vars(base) for base in kind.__mro__[:-1])), None)
    if method is None:
        raise UsageError(f"{text}: the class has neither call nor forward nor __call__; it is no loss")
    signature = [name for name in _signature(getattr(kind, method)) if name != "self"]
    if framework == "numpy":
        framework = framework_of(getattr(kind, method))
    words = {"torch": "a torch.nn.Module", "keras": "a keras Loss", "tensorflow": "a TensorFlow class"}
    described = words.get(framework, "a class") + ("" if inspect.isclass(found) else ", as an object")
    first, wants, operands = _operands(text, signature)
    if "from_logits" in told and wants is None:
        wants = EITHER
    return Found(
        text,
        path,
        described,
        lambda values: _method(make(values), method),
        parameters,
        required,
        framework,
        first,
        wants,
        operands,
        told & TOLD,
    )


def _method(instance: Any, method: str) -> Any:
    """Return the function of an object. Keras's `call` is used, since `__call__` takes the mean over the rows."""
    if method != "forward":
        return getattr(instance, method)
    if hasattr(instance, "reduction") and isinstance(instance.reduction, str):
        instance.reduction = "none"
    if not hasattr(instance, "to"):
        return instance
    # Class weights and other tensors of a module are float32 by default, and torch does not mix dtypes.
    return lambda one, other: instance.to(one.dtype if one.is_floating_point() else other.dtype)(one, other)


def _of_function(text: str, path: str, function: Any) -> Found:
    """Recognise a function that is a loss, or a factory that returns one."""
    signature = _signature(function)
    positional = [
        name for name, item in signature.items() if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)
    ]
    known = {*TARGETS, *PREDICTIONS, *LOGITS, *PROBS, *LOG_PROBS}
    needed = [name for name in positional if signature[name].default is NOT_GIVEN]
    if not positional and any(item.kind is item.VAR_POSITIONAL for item in signature.values()):
        raise UsageError(
            f"{text}: its operands have no names (*args), and no order; write them out, as (y_true, y_pred)"
        )
    is_factory = len(needed) < 2 and not any(name in known for name in positional[:2])
    framework = framework_of(function)
    if is_factory:
        return _of_factory(text, path, function, signature, framework)
    if len(positional) < 2:
        raise UsageError(
            f"{text}: takes {len(positional)} operands by position; a loss takes two, such as (y_true, y_pred)"
        )
    first, wants, operands = _operands(text, positional)
    parameters, required, told = _numbers(text, signature, without=operands)
    if "from_logits" in told and wants is None:
        wants = EITHER

    def make(values: Mapping[str, Any]) -> Any:
        fixed = dict(values)
        if "reduction" in signature:
            fixed["reduction"] = "none"
        return lambda one, other: function(one, other, **fixed)

    word = {"numpy": "a function of NumPy arrays", "tensorflow": "a TensorFlow function"}.get(
        framework, f"a {framework} function"
    )
    return Found(text, path, word, make, parameters, required, framework, first, wants, operands, told & TOLD)


def _of_factory(
    text: str, path: str, function: Any, signature: Mapping[str, inspect.Parameter], framework: str
) -> Found:
    """Recognise a function that returns a loss."""
    parameters, required, told = _numbers(text, signature)
    if required:
        inner = None
    else:
        with foreign(path, f"in {text.rpartition(':')[2]}, taken for a factory, which returns a loss"):
            inner = function()
    if inner is not None and not callable(inner):
        raise UsageError(
            f"{text}: returned {type(inner).__name__} without operands; a loss takes two, such as (y_true, y_pred)"
        )
    names = [] if inner is None else list(_signature(inner if not hasattr(inner, "call") else inner.call))
    first, wants, operands = (
        _operands(text, [name for name in names if name != "self"]) if names else (None, None, ("", ""))
    )
    framework = _framework_of_made(inner) or framework
    return Found(
        text,
        path,
        f"a factory of a {'NumPy' if framework == 'numpy' else framework} loss",
        lambda values: function(**values),
        parameters,
        required,
        framework,
        first,
        EITHER if "from_logits" in told and wants is None else wants,
        operands,
        told & TOLD,
    )


def completed(found: Found, values: Mapping[str, Any]) -> Found:
    """Return what a factory makes, once the parameters without defaults are known; other
    losses are returned as they are.
    """
    if found.operands != ("", ""):
        return found
    with foreign(found.file, f"in {found.where.rpartition(':')[2]}"):
        inner = found.make(values)
    if not callable(inner):
        raise UsageError(f"{found.where}: returned {type(inner).__name__}, which is no loss")
    names = [name for name in _signature(inner) if name != "self"]
    first, wants, operands = _operands(found.where, names)
    framework = _framework_of_made(inner) or found.framework
    return replace(found, targets_first=first, wants=found.wants or wants, operands=operands, framework=framework)


def _framework_of_made(inner: Any) -> str | None:
    """Return the framework of the object that a factory returned."""
    if inner is None:
        return None
    own = _framework_of(type(inner))
    return used_by(inner) if own == "numpy" else own


def _signature(found: Any) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function, or none if it has no signature."""
    try:
        return inspect.signature(found).parameters
    except (TypeError, ValueError):
        return {}


def _numbers(
    text: str, signature: Mapping[str, inspect.Parameter], without: tuple[str, ...] = ()
) -> tuple[dict[str, float | None], tuple[str, ...], frozenset[str]]:
    """Return the parameters that take a number, those of them without a default, and the names of all others."""
    defaults: dict[str, float | None] = {}
    required: list[str] = []
    others = set()
    for name, item in signature.items():
        if name in without or item.kind in (item.VAR_KEYWORD, item.VAR_POSITIONAL):
            continue
        default = item.default
        if name in OURS and (default is not NOT_GIVEN or name in TOLD):
            others.add(name)
        elif default is NOT_GIVEN and name in OURS:
            raise UsageError(f"{text}: its parameter {name} has no default, and losscli does not set it; give it one")
        elif default is NOT_GIVEN:
            defaults[name] = None
            required.append(name)
        elif (isinstance(default, int | float) and not isinstance(default, bool)) or default is None:
            defaults[name] = default
        else:
            others.add(name)
    return defaults, tuple(required), frozenset(others)


def _operands(text: str, names: list[str]) -> tuple[bool | None, str | None, tuple[str, str]]:
    """Return whether targets come first, the kind of predictions, and the names of both operands; None for unknown."""
    if len(names) < 2:
        raise UsageError(f"{text}: takes {len(names)} operands; a loss takes two, such as (y_true, y_pred)")
    one, other = (name.lower().strip("_") for name in names[:2])
    kinds = [_kind_of(name) for name in (one, other)]
    targets = [name in TARGETS for name in (one, other)]
    predictions = [name in PREDICTIONS or kind is not None for name, kind in zip((one, other), kinds, strict=True)]
    first = _targets_first(targets, predictions)
    kind = None if first is None else kinds[1 if first else 0]
    return first, kind, (names[0], names[1])


def _targets_first(targets: list[bool], predictions: list[bool]) -> bool | None:
    """Return whether the first of two operands is the targets; None if their names do not tell.

    `targets` and `predictions` say of each name whether it speaks of targets, and of predictions.
    """
    if (targets[0] and not targets[1]) or (predictions[1] and not predictions[0]):
        return True
    if (targets[1] and not targets[0]) or (predictions[0] and not predictions[1]):
        return False
    return None


def _kind_of(name: str) -> str | None:
    """Return the kind of predictions that an operand's name speaks of; None if it speaks of none."""
    known = (("log-probs", LOG_PROBS), ("probs", PROBS), ("logits", LOGITS))
    return next((kind for kind, names in known if name in names), None)


def framework_of(function: Any) -> str:
    """Return the framework of a function: that of the names it uses, or else the one that its file imports."""
    used = used_by(function)
    if used is None and isinstance(inner := _plain(function), FunctionType):
        homes = [str(_home(value)).partition(".")[0] for value in inner.__globals__.values()]
        imported = [root for root in (*ROOTS, "numpy") if root in homes]
        used = imported[0] if len(imported) == 1 else None  # methods of arrays do not tell the framework
    return used or "numpy"


def _plain(function: Any) -> Any:
    """Return the function inside a method or a wrapper: a decorator, functools.partial, jax.jit, tf.function."""
    while isinstance(function, partial):
        function = function.func
    return inspect.unwrap(getattr(function, "__func__", function))


def _home(value: Any) -> str:
    return value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""


def used_by(function: Any, seen: "set[int] | None" = None) -> str | None:
    """Return the framework whose names are used by a function, or by functions of its file that
    it calls; 'numpy' if no other.
    """
    seen = set() if seen is None else seen
    function = _plain(function)
    if not isinstance(function, FunctionType) or id(function) in seen:
        return None
    seen.add(id(function))
    space = function.__globals__ | {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
        if _is_filled(cell)
    }
    roots = set()
    for name in _names(function.__code__):
        value = space.get(name)
        root = str(_home(value)).partition(".")[0]
        if root in (*ROOTS, "numpy"):
            roots.add(root)
        elif isinstance(value, FunctionType) and value.__module__ == function.__module__:
            deeper = used_by(value, seen)
            roots |= {deeper} if deeper else set()
    return next((root for root in (*ROOTS, "numpy") if root in roots), None)


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _names(code: CodeType) -> set[str]:
    """Return the global names that code uses, including those in functions inside it."""
    names = {*code.co_names, *code.co_freevars}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names
