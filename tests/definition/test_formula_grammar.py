"""docs/formulas.md is the whole grammar: the formulas of the losses hold what its tables list, and all of it."""

import ast
import math
import re
from collections.abc import Iterator

import pytest
from commands import ROOT

from losscli.losses import FAMILIES, LOSSES

PAGE = (ROOT / "docs" / "formulas.md").read_text(encoding="utf-8")
TEXTS = [
    pytest.param(name, text, id=f"{name}-{part}")
    for name, loss in LOSSES.items()
    for part, text in {"formula": loss.formula, "slope": loss.slope, **loss.where}.items()
    if text
]


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of the page, without the row of titles."""
    section = re.search(rf"^##+ {heading}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None, heading
    lines = [line for line in section[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def column(heading: str) -> set[str]:
    """The words of the first column of a table."""
    return {row[0].strip("`") for row in table(heading)}


EXPRESSIONS = column("Expressions")
OPERATORS = column("Operators")
FUNCTIONS = column("Functions")
CONSTANTS = column("Constants")
VARIABLES = {row[0].strip("`"): set(re.findall(r"`([^`]+)`:", row[2])) for row in table("Variables")}
FURTHER = {row[0].strip("`"): set(row[1].split(", ")) for row in table("Further names")}


def further(family: str) -> set[str]:
    """The further names that the page gives a family's formulas."""
    return {name for name, families in FURTHER.items() if family in families}


def parsed(text: str) -> list[ast.AST]:
    """The nodes of a formula, but for its root and for whether a name is read or bound."""
    return [
        node
        for node in ast.walk(ast.parse(text, mode="eval"))
        if not isinstance(node, ast.Expression | ast.Load | ast.Store)
    ]


def bound(text: str) -> set[str]:
    """The loop variables of a formula."""
    return {node.id for node in parsed(text) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def faults(text: str, names: set[str], functions: set[str]) -> Iterator[str]:
    """What a formula holds that the page does not list; names may be read, and functions called."""
    for node in parsed(text):
        kind = type(node).__name__
        if isinstance(node, ast.operator | ast.unaryop | ast.cmpop | ast.boolop):
            if kind not in OPERATORS:
                yield f"operator {kind}"
            continue
        if kind not in EXPRESSIONS:
            yield f"expression {kind}"
        match node:
            case ast.Constant(value) if value is not None and type(value) not in (int, float):
                yield f"constant {value!r}"
            case ast.Name(name, ast.Load()) if name not in names | functions | bound(text):
                yield f"name {name}"
            case ast.Call(function, arguments, keywords):
                if not isinstance(function, ast.Name) or function.id not in functions or keywords:
                    yield f"call {ast.unparse(node)}"
                elif function.id not in ("sum", "max", "min") and any(
                    isinstance(one, ast.GeneratorExp) for one in arguments
                ):
                    yield f"generator in {ast.unparse(node)}"
            case ast.Compare(_, operators) if len(operators) > 1:
                yield f"chained comparison {ast.unparse(node)}"
            case ast.Slice() if ast.unparse(node) != ":-1":
                yield f"slice {ast.unparse(node)}"
            case ast.comprehension(_, _, conditions) if len(conditions) > 1:
                yield "several conditions of one loop"


def known(name: str, before: str | None = None) -> tuple[set[str], set[str]]:
    """The names and functions of a loss's formulas; of the definition of a name of `where`, only the names before it."""
    loss = LOSSES[name]
    defined = list(loss.where)
    defined = defined if before is None else defined[: defined.index(before)]
    names = CONSTANTS | VARIABLES[loss.family.name] | set(loss.parameters) | set(defined)
    return names | further(loss.family.name), FUNCTIONS | further(loss.family.name)


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_formulas_hold_only_what_the_page_lists(name: str, text: str) -> None:
    assert list(faults(text, *known(name))) == []


def test_definitions_of_where_use_only_the_names_before_them() -> None:
    for name, loss in LOSSES.items():
        for defined, text in loss.where.items():
            assert list(faults(text, *known(name, before=defined))) == []


def test_what_the_page_lists_occurs() -> None:
    nodes = [node for _, text in (param.values for param in TEXTS) for node in parsed(text)]
    kinds = {type(node).__name__ for node in nodes}
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    read = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert kinds >= EXPRESSIONS | OPERATORS
    assert called >= FUNCTIONS
    assert read >= CONSTANTS
    for name, families in FURTHER.items():
        for family in families:
            texts = [text for loss, text in (param.values for param in TEXTS) if LOSSES[loss].family.name == family]
            assert any(isinstance(node, ast.Name) and node.id == name for text in texts for node in parsed(text))


def test_the_page_has_the_variables_of_every_family() -> None:
    assert {name: set(family.variables) for name, family in FAMILIES.items()} == VARIABLES


def named(after: str, before: str) -> set[str]:
    """The names in the first passage of the page between two words."""
    passage = re.search(re.escape(after) + "(.*?)" + re.escape(before), PAGE, re.DOTALL)
    assert passage is not None, after
    return set(re.findall(r"`([^`]+)`", passage[1]))


def test_the_page_names_every_exception() -> None:
    whole = {name for name, loss in LOSSES.items() if loss.whole}
    without = {name for name, loss in LOSSES.items() if not loss.formula}
    none = {
        f"{p} of {name}" for name, loss in LOSSES.items() for p, one in loss.parameters.items() if one.default is None
    }
    infinite = {
        f"{p} of {name}"
        for name, loss in LOSSES.items()
        for p, one in loss.parameters.items()
        if any(math.isinf(x) and x in one.domain for x in (-math.inf, math.inf))
    }
    assert named("have a definition in words:", "Nothing on this page") == without
    assert named("says which.", "are the exceptions") == {
        name for name in whole if LOSSES[name].family.name == "softmax"
    }
    assert named("In formulas of whole rows", "arithmetic works") == whole | {"triplet"}
    words = " ".join(PAGE.split())
    said = re.search(r"domains\. Only (.*?) may be None, and only (.*?) may be infinite", words)
    assert said is not None
    assert {set_.replace("`", "") for set_ in said[1].split(" and ")} == none
    assert {said[2].replace("`", "")} == infinite


@pytest.mark.parametrize("name", LOSSES)
def test_no_name_of_a_loss_has_two_meanings(name: str) -> None:
    loss = LOSSES[name]
    meanings = [
        FUNCTIONS | CONSTANTS,
        VARIABLES[loss.family.name] - FUNCTIONS,  # `ordinal` says again what cumsum is
        set(loss.parameters),
        set(loss.where),
        further(loss.family.name) - VARIABLES[loss.family.name],
        set().union(*(bound(text) for text in (loss.formula, loss.slope, *loss.where.values()) if text)),
    ]
    assert sum(map(len, meanings)) == len(set().union(*meanings))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sinh(r)", "name sinh"),
        ("r.real", "expression Attribute"),
        ("r @ r", "operator MatMult"),
        ("r // 2", "operator FloorDiv"),
        ("lambda: r", "expression Lambda"),
        ("[r, r]", "expression List"),
        ("r * gamma", "name gamma"),
        ("max(r, default=0)", "call max(r, default=0)"),
        ("where(0 < r < 1, r, 0)", "chained comparison 0 < r < 1"),
        ("r or 1", "operator Or"),
        ("abs(r for i in range(0, 2))", "generator in abs((r for i in range(0, 2)))"),
        ("r[1:]", "slice 1:"),
        ("'r'", "constant 'r'"),
        ("True", "constant True"),
    ],
)
def test_other_formulas_are_noticed(text: str, fault: str) -> None:
    assert fault in list(faults(text, *known("squared-error")))
