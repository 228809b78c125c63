"""Records do what those of the standard library do: each class here is made by both, and both are asked the same."""

import copy
import dataclasses
import pickle
import re
import typing
from pathlib import Path

import pytest

import losscli
from losscli import records

pytestmark = pytest.mark.quick


def made(dataclass):
    """Return classes of every kind that losscli has, made by a decorator."""

    @dataclass(frozen=True)
    class Point:
        """A point."""

        x: int
        y: float = 0.5
        tags: list[str] = records.field(default_factory=list)

        @property
        def size(self):
            return self.x + self.y

    @dataclass(frozen=True)
    class Named(Point):
        """A point with a name, and a note that does not count."""

        name: str = ""
        note: str = records.field(default="", repr=False, compare=False)

    @dataclass
    class Open:
        x: int
        y: int = 2

        def __post_init__(self):
            self.y *= 10

    @dataclass(frozen=True, eq=False)
    class Alone:
        x: int = 1

    @dataclass(repr=False)
    class Quiet:
        x: int = 1

        def __repr__(self):
            return "quiet"

    @dataclass(frozen=True)
    class Own:
        x: int = 1

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 7

    @dataclass
    class Below(Open):
        """Without a decorator of its own further down."""

    class Undecorated(Below):
        pass

    return {kind.__name__: kind for kind in (Point, Named, Open, Alone, Quiet, Own, Below, Undecorated)}


OURS, THEIRS = made(records.dataclass), made(dataclasses.dataclass)
CALLS = {
    "Point": [
        "(1)",
        "(1, 2.0)",
        "(x=1, y=2)",
        "(1, y=3)",
        "(1, 2.0, ['a'])",
        "()",
        "(1, x=2)",
        "(1, z=2)",
        "(1, 2, [], 4)",
    ],
    "Named": ["(1)", "(1, 0.5, [], 'n')", "(1, name='n', note='o')", "(1, note='p')"],
    "Open": ["(1)", "(1, 3)", "(y=3)"],
    "Alone": ["()", "(2)"],
    "Quiet": ["()", "(x=2)"],
    "Own": ["()", "(3)"],
    "Below": ["(4)"],
    "Undecorated": ["(4)", "()"],
}
ASKED = {
    "repr": repr,
    "hash": hash,
    "fields": lambda one: [
        (item.name, item.type, item.init, item.repr, item.compare) for item in dataclasses.fields(one)
    ],
    "dict": dataclasses.asdict,
    "replaced": lambda one: repr(dataclasses.replace(one, x=5)),
    "replaced by a wrong name": lambda one: dataclasses.replace(one, z=5),
    "changed": lambda one: setattr(one, "x", 9),
    "set anew": lambda one: setattr(one, "other", 9),
    "removed": lambda one: delattr(one, "x"),
    "copied": lambda one: repr(copy.deepcopy(one)),
    "docstring": lambda one: bool(type(one).__doc__),
    "match": lambda one: type(one).__match_args__,
}


def answer(question, *things):
    """Return what comes of a question: its answer, or the type of its error."""
    try:
        return question(*things)
    except (AttributeError, TypeError, ValueError) as error:
        return type(error)


def each(classes):
    """Return what each call makes, by class and call."""
    return {
        (name, call): answer(eval, f"kind{call}", {"kind": classes[name]})
        for name, calls in CALLS.items()
        for call in calls
    }


@pytest.mark.parametrize("question", ASKED)
def test_an_object_answers_as_a_dataclass_does(question):
    ours, theirs = each(OURS), each(THEIRS)
    refused = {key for key, one in theirs.items() if isinstance(one, type)}
    assert {key for key, one in ours.items() if isinstance(one, type) and one is theirs[key]} == refused
    assert 5 <= len(refused) < len(theirs) / 2
    for key in theirs.keys() - refused:
        expected = answer(ASKED[question], theirs[key])
        if question == "hash" and key[0] == "Alone":
            expected = object.__hash__(ours[key])
        assert answer(ASKED[question], ours[key]) == expected, key


def test_objects_are_equal_as_dataclasses_are():
    pairs = []
    for classes in (OURS, THEIRS):
        objects = [one for one in each(classes).values() if not isinstance(one, type)]
        objects += [one for one in each(classes).values() if not isinstance(one, type)] + [1]
        pairs.append([[one == other for other in objects] for one in objects])
    assert pairs[0] == pairs[1]
    assert any(map(any, pairs[0]))


def test_equal_objects_have_the_same_hash():
    kind = OURS["Point"]
    assert len({kind(1, 2.0, ()), kind(1, 2.0, ()), kind(1, 3.0, ())}) == 2


def tuples(base):
    """Return classes of tuples of every kind that losscli has, made from a base."""

    class Point(base):
        """A point."""

        x: int
        y: float = 0.5
        tags: tuple[str, ...] = ()

        unit = "m"

        @property
        def size(self):
            return self.x + self.y

        def __add__(self, other):
            return type(self)(self.x + other.x, self.y + other.y)

        @classmethod
        def at(cls, x):
            return cls(x, y=x)

    class One(base):
        x: int

    class Empty(base):
        pass

    class Shown(Point):
        def __repr__(self):
            return "shown"

    class Further(Point):
        """Without anything of its own."""

    class Holding(base, typing.Generic[Kind]):
        x: Kind
        y: Kind | None = None

    return {kind.__name__: kind for kind in (Point, One, Empty, Shown, Further, Holding)}


Kind = typing.TypeVar("Kind")
TUPLES = tuples(records.NamedTuple), tuples(typing.NamedTuple)
TUPLE_CALLS = {
    "Point": [
        "(1)",
        "(1, 2.0)",
        "(x=1, y=2)",
        "(1, y=3)",
        "(1, 2, ('a',))",
        "()",
        "(1, x=2)",
        "(1, z=2)",
        "(1, 2, (), 4)",
    ],
    "One": ["(1)", "(x=2)", "()", "(1, 2)"],
    "Empty": ["()", "(1)"],
    "Shown": ["(1)"],
    "Further": ["(1)", "(1, 3)"],
    "Holding": ["(1)", "(1, 2)", "()"],
}
TUPLE_QUESTIONS = {
    "repr": repr,
    "as a tuple": tuple,
    "hash": hash,
    "dict": lambda one: one._asdict(),
    "fields": lambda one: (type(one)._fields, type(one)._field_defaults, type(one).__match_args__),
    "replaced": lambda one: one._replace(x=5),
    "replaced by a wrong name": lambda one: one._replace(z=5),
    "made": lambda one: type(one)._make([1] * len(one)),
    "made of too many": lambda one: type(one)._make([1] * 4),
    "parts": lambda one: (one.x, one[0], one[-1], one.y),
    "changed": lambda one: setattr(one, "x", 9),
    "set anew": lambda one: setattr(one, "other", 9),
    "added": lambda one: one + one,
    "made by itself": lambda one: type(one).at(3),
    "constant and property": lambda one: (one.unit, one.size, type(one).unit),
    "copied": copy.deepcopy,
    "annotations": lambda one: typing.get_type_hints(type(one)),
    "of a kind": lambda one: str(type(one)[int]).rpartition(".")[2],
    "arguments": lambda one: one.__getnewargs__(),
}


@pytest.mark.parametrize("question", TUPLE_QUESTIONS)
def test_a_tuple_answers_as_a_named_tuple_does(question):
    ours, theirs = (
        {
            (name, call): answer(eval, f"kind{call}", {"kind": classes[name]})
            for name, calls in TUPLE_CALLS.items()
            for call in calls
        }
        for classes in TUPLES
    )
    assert len({key for key, one in theirs.items() if one is TypeError}) >= 8
    for key, one in theirs.items():
        if isinstance(one, type):
            assert ours[key] is one, key
        else:
            assert answer(TUPLE_QUESTIONS[question], ours[key]) == answer(TUPLE_QUESTIONS[question], one), key
            assert ours[key] == one
            assert isinstance(ours[key], tuple)


@pytest.mark.parametrize("base", [records.NamedTuple, typing.NamedTuple])
def test_a_field_without_a_default_after_one_with_a_default_is_refused(base):
    with pytest.raises(TypeError, match="default"):
        exec("class Wrong(base):\n    x: int = 1\n    y: int", {"base": base})


@records.dataclass(frozen=True)
class Sent:
    x: int
    y: int = 2


class SentTuple(records.NamedTuple):
    x: int
    y: int = 2


def test_objects_are_pickled():
    for one in (Sent(1), SentTuple(1)):
        back = pickle.loads(pickle.dumps(one))
        assert back == one
        assert type(back) is type(one)


def test_no_class_of_losscli_has_compiled_methods():
    """Such a class takes up to fifteen times as long to define; `losscli/records.py` says how much that was of a start."""
    folder = Path(losscli.__file__).parent
    texts = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    assert [name for name, text in texts.items() if "from dataclasses import" in text] == ["records.py"]
    assert [name for name, text in texts.items() if re.search("from typing import .*NamedTuple", text)] == [
        "records.py"
    ]


@pytest.mark.parametrize("kind", [OURS["Point"], THEIRS["Point"]])
def test_an_object_that_holds_itself_has_a_text(kind):
    one = kind(1)
    object.__setattr__(one, "y", one)
    assert repr(one) == f"{kind.__qualname__}(x=1, y=..., z=[])".replace("z=[]", repr(one).partition("..., ")[2][:-1])
    assert repr(one).count("...") == 1
