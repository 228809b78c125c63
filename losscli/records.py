"""Dataclasses and named tuples whose methods are ready-made, so that a class costs next to nothing when its module is imported.

The standard library writes the source of methods of each class, and compiles it: half a millisecond for a dataclass of five
fields, and a tenth for a named tuple. For the classes of `losscli compute` that was the largest part of its start. Here the
same declarations give classes that behave the same:

- A dataclass is described by the standard library, so that its `fields`, `replace` and `asdict` know it, but its methods
  walk through the fields when they are called. To make an object takes about two microseconds, twice as long as otherwise.
- A named tuple takes the code of its `__new__` from another one with as many fields, and is as quick as otherwise.
"""

import dataclasses
from collections import namedtuple
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, field, fields, is_dataclass, replace
from functools import cache
from operator import itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["NamedTuple", "dataclass", "field", "fields", "is_dataclass", "replace"]

Fields = tuple[Field[Any], ...]

if TYPE_CHECKING:
    from dataclasses import dataclass  # for who uses them, they are the same
    from typing import NamedTuple
else:
    try:
        from collections import _tuplegetter
    except ImportError:  # as in the standard library, which does without it on other Pythons

        def _tuplegetter(place, doc):
            return property(itemgetter(place), doc=doc)

    def dataclass(cls=None, /, *, frozen=False, eq=True, repr=True):
        """Give a class with annotated fields its methods, as the standard library's decorator of this name does."""
        if cls is None:
            return lambda cls: dataclass(cls, frozen=frozen, eq=eq, repr=repr)
        cls.__doc__ = cls.__doc__ or cls.__name__  # without a docstring, the signature would be written out for it
        own = set(vars(cls))
        dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        items = fields(cls)
        methods = {"__init__": _initializer(cls, items)}
        if repr:
            methods["__repr__"] = _representer(items)
        if eq:
            methods["__eq__"], hashed = _comparer(items)
            methods["__hash__"] = hashed if frozen else None
        if frozen:
            methods["__setattr__"] = methods["__delattr__"] = _refuse
        for name, method in methods.items():
            if name not in own:
                setattr(cls, name, method)
        return cls

    class _Kind(type):
        """What makes a class of tuples from a class with annotated fields."""

        def __new__(kind, name, bases, space):
            if not bases:
                return super().__new__(kind, name, bases, space)  # NamedTuple itself
            bases = tuple(_Tuple if base is NamedTuple else base for base in bases)
            cls = type(name, bases, space | {"__slots__": ()})
            cls._fields = cls.__match_args__ = names = tuple(cls.__annotations__)
            cls._field_defaults = defaults = {name: space[name] for name in names if name in space}
            if tuple(defaults) != names[len(names) - len(defaults) :]:
                raise TypeError(f"a field of {name} without a default follows one with a default")
            cls.__new__ = _constructor(names, tuple(defaults.values()))
            for place, name in enumerate(names):
                setattr(cls, name, _tuplegetter(place, None))
            return cls

    class _Tuple(tuple):
        """What all named tuples can do."""

        __slots__ = ()

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **named):
            values = [named.pop(name, value) for name, value in zip(self._fields, self, strict=True)]
            if named:
                raise ValueError(f"{type(self).__name__} has no {', '.join(named)}")
            return self._make(values)

        @classmethod
        def _make(cls, values):
            return cls(*values)

    class NamedTuple(metaclass=_Kind):
        """A tuple with annotated fields, as `typing.NamedTuple` is."""


def _initializer(cls: type, fields: Fields) -> Callable[..., None]:
    """Return the `__init__` of a class: fields by position or by name, their defaults, and `__post_init__` at the end."""
    items = [(item.name, item.default, item.default_factory) for item in fields]
    names = [name for name, _, _ in items]
    put = object.__setattr__  # that of a frozen class refuses
    finish = getattr(cls, "__post_init__", None)

    def initialize(self: Any, /, *values: Any, **named: Any) -> None:
        given = len(values)
        for name, value in zip(names, values, strict=False):
            put(self, name, value)
        for name, default, factory in items[given:] if given else items:
            if name in named:
                put(self, name, named.pop(name))
            elif default is not MISSING:
                put(self, name, default)
            elif factory is not MISSING:
                put(self, name, factory())
            else:
                raise TypeError(f"{cls.__name__} needs {name}")
        if named or given > len(names):
            raise TypeError(f"{cls.__name__} takes each of {', '.join(names)} once, and nothing else")
        if finish is not None:
            finish(self)

    return initialize


_under_way: set[int] = set()
"""Records of which the text is being made."""


def _representer(fields: Fields) -> Callable[[Any], str]:
    """Return the `__repr__` of a class."""
    names = [item.name for item in fields if item.repr]

    def represent(self: Any) -> str:
        if id(self) in _under_way:  # it holds itself
            return "..."
        _under_way.add(id(self))
        try:
            return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"
        finally:
            _under_way.discard(id(self))

    return represent


def _comparer(fields: Fields) -> tuple[Callable[[Any, object], bool], Callable[[Any], int]]:
    """Return the `__eq__` and the `__hash__` of a class."""
    names = [item.name for item in fields if item.compare]

    def are_equal(self: Any, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return [getattr(self, name) for name in names] == [getattr(other, name) for name in names]

    def hash_of(self: Any) -> int:
        return hash(tuple([getattr(self, name) for name in names]))

    return are_equal, hash_of


def _refuse(self: object, name: str, *value: object) -> NoReturn:
    """Refuse to change an attribute of a frozen object, or to take it away."""
    raise FrozenInstanceError(f"{name} of {type(self).__name__} cannot be changed")


@cache
def _making(count: int) -> Callable[..., Any]:
    """Return the `__new__` of a named tuple of the standard library with so many fields."""
    return namedtuple("_", [f"x{i}" for i in range(count)]).__new__  # noqa: PYI024 -- it takes names that are made here


def _constructor(names: tuple[str, ...], defaults: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the `__new__` of a class of tuples with these fields, of which the last ones have defaults."""
    made: Any = _making(len(names))
    code = made.__code__.replace(co_varnames=("_cls", *names))
    return FunctionType(code, made.__globals__, "__new__", defaults)
