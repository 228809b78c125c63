"""Plain data: values of losscli's own types as JSON and arrays, in a file from which nothing can be executed.

A file is a ZIP archive with JSON texts (`NAME.json`) and arrays in NumPy's format (`NAME/0.npy`, `NAME/1.npy` ...). In a text
stand, beside what JSON knows itself:

- {"array": i} for an array, {"scalar": i} for a number of a NumPy type, which are in `NAME/i.npy`
- {"float": "nan"} for a float that JSON does not know; {"tuple": [...]}, {"set": [...]}, {"map": [[key, value], ...]}
- {"record": "module:Type", "fields": {...}} for a record of losscli, {"type": ...} for the type itself, {"function": ...}
  for a function: names in the package losscli, and nothing else
"""

import json
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from importlib import import_module
from types import FunctionType
from typing import Any, Self

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.records import dataclass, field, fields, is_dataclass

PACKAGE = "losscli"
MOST_TEXT = 1 << 30
"""Bytes of a text that is read at most."""


def _place(thing: Any) -> str:
    """Return where a type or function is defined; raise a TypeError if it cannot be found there again."""
    place = f"{thing.__module__}:{thing.__qualname__}"
    try:
        found = _found(place)
    except (ValueError, AttributeError, ImportError):
        found = None
    if found is not thing:
        raise TypeError(f"{place} is no name of a module")
    return place


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    if module.split(".")[0] != PACKAGE or not name:
        raise ValueError(f"{place!r} is not in {PACKAGE}")
    return reduce(getattr, name.split("."), import_module(module))


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")))


@dataclass(frozen=True)
class Special:
    """How values that are no plain records are written: as another value, and back.

    `applies` says which values these are, `pack` returns what is written in their place, and `unpack` makes a value of that
    again.
    """

    tag: str
    applies: Callable[[Any], bool]
    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


@dataclass
class Packer:
    """Turns values into what JSON can hold, and numbered arrays.

    `apart` says that plain numbers are arrays, too, so that many values of the same form can be held together: see `Stack`.
    """

    special: Sequence[Special] = ()
    apart: bool = False
    arrays: list[Array] = field(default_factory=list)

    def pack(self, value: Any) -> Any:
        """Return the value as JSON; raise a TypeError for what is no plain data."""
        for one in self.special:
            if one.applies(value):
                return {one.tag: self.pack(one.pack(value))}
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, np.ndarray):
            return {"array": self._kept(value)}
        if isinstance(value, np.generic):
            return {"scalar": self._kept(np.asarray(value))}
        if isinstance(value, int | float):
            return self._number(value)
        return self._structure(value)

    def _kept(self, array: Array) -> int:
        if array.dtype.hasobject:
            raise TypeError("an array of objects is no plain data")
        self.arrays.append(array)
        return len(self.arrays) - 1

    def _number(self, value: float) -> Any:
        if self.apart:
            return {type(value).__name__ + "s": self._kept(np.asarray(value))}
        return value if math.isfinite(value) else {"float": str(value)}

    def _structure(self, value: Any) -> Any:
        if _is_record(type(value)):
            names = getattr(value, "_fields", None) or [one.name for one in fields(value)]
            return {"record": _place(type(value)), "fields": {name: self.pack(getattr(value, name)) for name in names}}
        if isinstance(value, np.dtype):
            return {"dtype": value.str}
        if isinstance(value, type):
            return {"type": _place(value)}
        if isinstance(value, FunctionType):
            return {"function": _place(value)}
        if isinstance(value, list):
            return [self.pack(one) for one in value]
        if isinstance(value, tuple):
            return {"tuple": [self.pack(one) for one in value]}
        if isinstance(value, set | frozenset):
            return {"set": [self.pack(one) for one in sorted(value)]}
        if isinstance(value, Mapping):
            return {"map": [[self.pack(key), self.pack(one)] for key, one in value.items()]}
        raise TypeError(f"{type(value).__name__} is no plain data")


@dataclass(frozen=True)
class Unpacker:
    """Makes the values again that a `Packer` wrote."""

    arrays: Sequence[Array]
    special: Sequence[Special] = ()

    def unpack(self, text: Any) -> Any:
        """Return the value; raise a ValueError for what no `Packer` wrote."""
        if isinstance(text, list):
            return [self.unpack(one) for one in text]
        if not isinstance(text, dict):
            return text
        tag, content = next(iter(text.items()))
        for one in self.special:
            if one.tag == tag:
                return one.unpack(self.unpack(content))
        if tag not in _FORMS:
            raise ValueError(f"{tag!r} is no form of plain data")
        return _FORMS[tag](self, content, text)

    def record(self, place: str, packed: Mapping[str, Any]) -> Any:
        """Return a record of a type of losscli with these fields."""
        kind = _found(place)
        if not _is_record(kind):
            raise ValueError(f"{place} is no record")
        values = {name: self.unpack(one) for name, one in packed.items()}
        if issubclass(kind, tuple):
            return kind(**values)
        record = object.__new__(kind)
        for name in (one.name for one in fields(kind)):
            object.__setattr__(record, name, values[name])
        return record


_FORMS: Mapping[str, Callable[[Unpacker, Any, Any], Any]] = {
    "array": lambda self, i, text: self.arrays[i],
    "scalar": lambda self, i, text: self.arrays[i][()],
    "floats": lambda self, i, text: float(self.arrays[i]),
    "ints": lambda self, i, text: int(self.arrays[i]),
    "float": lambda self, word, text: float(word),
    "tuple": lambda self, parts, text: tuple(map(self.unpack, parts)),
    "set": lambda self, parts, text: frozenset(map(self.unpack, parts)),
    "map": lambda self, pairs, text: {self.unpack(key): self.unpack(one) for key, one in pairs},
    "dtype": lambda self, word, text: np.dtype(word),
    "record": lambda self, place, text: self.record(place, text["fields"]),
    "type": lambda self, place, text: _typed(place, type),
    "function": lambda self, place, text: _typed(place, FunctionType),
}
"""The forms of values that JSON does not know: the key of an object -> what makes the value of it."""


def _typed(place: str, kind: type) -> Any:
    found = _found(place)
    if not isinstance(found, kind):
        raise ValueError(f"{place} is no {kind.__name__}")
    return found


def stacked(values: Sequence[Any]) -> Any:
    """Return many values as few arrays: the numbers in the same place of all values of the same form are one array.

    `unstacked` makes the values again.
    """
    forms: dict[str, tuple[list[int], list[list[Array]]]] = {}
    for number, value in enumerate(values):
        packer = Packer(apart=True)
        form = json.dumps(packer.pack(value))
        numbers, rows = forms.setdefault(form, ([], []))
        numbers.append(number)
        rows.append(packer.arrays)
    return {
        "forms": [
            {
                "form": form,
                "numbers": np.array(numbers),
                "columns": [_column(list(column)) for column in zip(*rows, strict=True)],
            }
            for form, (numbers, rows) in forms.items()
        ]
    }


def _column(parts: list[Array]) -> Any:
    """Return arrays as one, with their shapes if these differ."""
    if len({(part.shape, part.dtype) for part in parts}) == 1:
        return np.stack(parts)
    if len({part.dtype for part in parts}) > 1:
        return parts
    flat = np.concatenate([part.reshape(-1) for part in parts])
    return (flat, [part.shape for part in parts])


def _parts(column: Any) -> list[Array]:
    """Return the arrays of which `_column` made one."""
    if not isinstance(column, tuple):
        return list(column)
    flat, shapes = column
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]


def unstacked(text: Any) -> list[Any]:
    """Return the values that `stacked` put together."""
    values: dict[int, Any] = {}
    for one in text["forms"]:
        form, columns = json.loads(one["form"]), [_parts(column) for column in one["columns"]]
        for place, number in enumerate(one["numbers"].tolist()):
            values[number] = Unpacker([column[place] for column in columns]).unpack(form)
    return [values[number] for number in range(len(values))]


@dataclass
class _Stream:
    """What an archive is written to: bytes one after another. Nothing more is written to one that is `dropped`."""

    file: Any
    dropped: bool = False

    def write(self, data: bytes) -> int:
        return len(data) if self.dropped else int(self.file.write(data))

    def flush(self) -> None:
        pass


class Writer:
    """Writes values to an archive, one after another, each under a name of its own. After an error nothing more is written.

    Parameters
    ----------
    file
        has the method `write`.
    special
        how values of other types are written.
    """

    def __init__(self, file: Any, special: Sequence[Special] = ()) -> None:
        self.stream = _Stream(file)
        written: Any = self.stream
        self.archive = zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.special = special

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is not None:
            self.drop()
        self.close()

    def add(self, name: str, value: Any) -> None:
        """Write a value."""
        packer = Packer(self.special)
        text = packer.pack(value)
        for number, array in enumerate(packer.arrays):
            with self.archive.open(f"{name}/{number}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array))  # of numbers: `Packer` refuses others
        self.archive.writestr(f"{name}.json", json.dumps(text))

    def add_json(self, name: str, value: Any) -> None:
        """Write what JSON can hold as it is, for readers that know nothing of losscli."""
        self.archive.writestr(f"{name}.json", json.dumps(value, indent=1))

    def close(self) -> None:
        """Write the end of the archive."""
        self.archive.close()

    def drop(self) -> None:
        """Write nothing more, not even the end, which an archive writes by itself when nobody holds it any more."""
        self.stream.dropped = True


class Reader:
    """Reads the values of an archive.

    Raises a DataError, in which `what` says what the file should be, if it is damaged or no such archive.
    """

    def __init__(self, name: str, file: Any, what: str, special: Sequence[Special] = ()) -> None:
        self.name, self.what, self.special = name, what, special
        try:
            self.archive = zipfile.ZipFile(file)
            self.names = set(self.archive.namelist())
        except Exception as error:  # zipfile raises six kinds of errors for what is no archive
            raise self.another() from error

    def __contains__(self, name: str) -> bool:
        return f"{name}.json" in self.names

    def get(self, name: str, checked: Callable[[Any], Any] = lambda value: value) -> Any:
        """Return the value of a name, or what `checked` makes of it; an error of that, too, says that the file is damaged."""
        try:
            return checked(Unpacker(_Members(self, name), self.special).unpack(self._text(name)))  # type: ignore[arg-type]
        except DataError:
            raise
        except Exception as error:  # whatever damage does to the text or to what it names
            raise self.damaged(name) from error

    def get_json(self, name: str) -> Any:
        """Return what `add_json` wrote."""
        try:
            return self._text(name)
        except Exception as error:
            raise self.damaged(name) from error

    def another(self) -> DataError:
        """Return the error that a file is another one."""
        return DataError(f"{self.name}: not {self.what}; is it another file, or was it not copied whole?")

    def damaged(self, name: str) -> DataError:
        """Return the error that a value is not what was written."""
        return DataError(f"{self.name}: {self.what} that is damaged ({name}); make it again")

    def _text(self, name: str) -> Any:
        if self.archive.getinfo(f"{name}.json").file_size > MOST_TEXT:
            raise ValueError("too long")
        return json.loads(self.archive.read(f"{name}.json"))

    def close(self) -> None:
        self.archive.close()


@dataclass(frozen=True)
class _Members:
    """The arrays of a value, each read when it is asked for."""

    reader: Reader
    name: str

    def __getitem__(self, number: int) -> Array:
        with self.reader.archive.open(f"{self.name}/{int(number)}.npy") as member:
            array: Array = np.lib.format.read_array(member)
            return array
