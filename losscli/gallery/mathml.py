"""Formulas as presentation MathML, which browsers set as a book would: fractions, roots, sums with their index below."""

import ast
import html
from collections.abc import Iterator, Mapping
from itertools import pairwise

from losscli.definition.grammar import GREEK, WHOLE
from losscli.records import dataclass, field, replace

FUNCTIONS = {"atan": "arctan", "acos": "arccos", "lgamma": "log Γ"}
"""Functions that books call otherwise."""
COMPARISONS: Mapping[type[ast.AST], str] = {
    ast.Eq: "=",
    ast.NotEq: "≠",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
}
VECTORS = frozenset({"l", "p", "t", "z", "e", "own"})
"""Names that stand for vectors where a sum has no index of its own."""
INDICES = "ijkuv"
SUM, PRODUCT, POWER, ATOM = range(4)
AND = "<mtext>&#xa0;and&#xa0;</mtext>"
MINUS = '<mo form="prefix">−</mo>'
COMMA = '<mo separator="true">,</mo>'
TIMES, APPLY = "\u2062", "\u2061"
LONGEST_EXPONENT = 10
"""Parts of an exponent that is still read easily; beyond, exp( ) is written."""


@dataclass(frozen=True)
class Piece:
    """A part of a formula: its elements, how tightly it binds, and what stands at its ends."""

    text: str
    binds: int = ATOM
    minus: bool = False
    """Whether it begins with a minus sign."""
    kind: str = "name"
    """What a neighbour has to know: a 'name', a 'digit', a 'word' of several letters, a 'bar', a 'fraction', a 'function'
    with its arguments in brackets, or something in 'brackets'.
    """
    ends: str = ""
    """What would seem to go on with what follows: 'cases' or a 'sum'."""

    @property
    def in_row(self) -> str:
        return f"<mrow>{self.text}</mrow>"


@dataclass(frozen=True)
class Place:
    """Where an expression stands."""

    small: bool = False
    """Whether in an exponent or a fraction, where fractions are written with a slash."""
    script: bool = False
    """Whether in an exponent or below something."""
    names: Mapping[str, Piece] = field(default_factory=dict)
    """What loop variables are written as."""
    index: str | None = None
    """The index of elements, where vectors stand for their elements."""
    taken: frozenset[str] = frozenset()
    """Letters that are indices already."""


def mathml(source: str, left: str = "") -> str:
    """Return a formula, slope or definition as a `<math display="block">` element.

    Parameters
    ----------
    source
        an expression of the grammar of docs/formulas.md.
    left
        what it is equal to, in the same notation, such as `f(r)`; nothing if empty.

    Returns
    -------
    Text of MathML Core without styles. A page's style sheet names a font for mathematics, whose brackets grow, sets the cells of
    a table to the left, and lets the container scroll: formulas are not broken into lines.

    Raises
    ------
    SyntaxError
        if the formula is not an expression.
    ValueError
        if it holds what the grammar does not list.
    """
    tree = ast.parse(source, mode="eval").body
    place = Place(taken=frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))
    body = _piece(tree, place).text
    said = source
    if left:
        body = f"{_piece(ast.parse(left, mode='eval').body, place).text}<mo>=</mo>{body}"
        said = f"{left} = {source}"
    return f'<math display="block" alttext="{html.escape(said)}"><mrow>{body}</mrow></math>'


def _name(text: str) -> Piece:
    """Return a name: a Greek letter, a letter with its subscript, or a word as it is typed."""
    if text == "inf":
        return Piece("<mi>∞</mi>")
    if text in GREEK:
        return Piece(f"<mi>{GREEK[text]}</mi>")
    if len(text) == 1:
        return Piece(f"<mi>{text}</mi>")
    parts = text.split("_")
    main = next((part for part in parts if part in GREEK or len(part) == 1), None)
    if main is None or len(parts) != 2:
        return Piece(f"<mi>{html.escape(text)}</mi>", kind="word")
    other = parts[1 - parts.index(main)]
    return Piece(f"<msub><mi>{GREEK.get(main, main)}</mi><mi>{html.escape(other)}</mi></msub>")


def _fenced(inner: str, left: str = "(", right: str = ")") -> Piece:
    """Return what stands between brackets that grow with it."""
    fence = '<mo fence="true" stretchy="true" form="{}">{}</mo>'
    text = f"<mrow>{fence.format('prefix', left)}{inner}{fence.format('postfix', right)}</mrow>"
    return Piece(text, kind="bar" if left == "|" else "brackets")


def _at_least(piece: Piece, binds: int) -> Piece:
    """Return a piece in brackets if it binds more loosely."""
    return piece if piece.binds >= binds else _fenced(piece.text)


def _piece(node: ast.AST, place: Place) -> Piece:
    """Return a node of the grammar: one case for each kind of node."""
    match node:
        case ast.Constant(None):
            return Piece("<mtext>none</mtext>", kind="word")
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return Piece(f"<mn>{value:g}</mn>", kind="digit")
        case ast.Name(text):
            return _read(text, place)
        case ast.UnaryOp(ast.USub(), operand):
            inner = _at_least(_piece(operand, place), PRODUCT)
            inner = _fenced(inner.text) if inner.minus else inner
            return replace(inner, text=MINUS + inner.text, binds=PRODUCT, minus=True)
        case ast.BinOp(_, ast.Add() | ast.Sub(), _):
            return _sum(list(_terms(node)), place)
        case ast.BinOp(left, ast.Mult(), right):
            tops, bottoms = _factors(node)
            if bottoms and not place.small:
                return _product([_piece(left, place), _piece(right, place)])
            return _fraction(tops, bottoms, place)
        case ast.BinOp(_, ast.Div(), _):
            return _fraction(*_factors(node), place)
        case ast.BinOp(base, ast.Pow(), exponent):
            return _power(base, exponent, place)
        case ast.BinOp(left, ast.BitAnd(), right) | ast.BoolOp(ast.And(), [left, right]):
            return _both(left, right, place)
        case ast.Compare(left, [ast.Is()], [ast.Constant(None)]):
            return Piece(f"{_piece(left, place).text}<mtext>&#xa0;is not given</mtext>", SUM)
        case ast.Compare(left, [operator], [right]) if type(operator) in COMPARISONS:
            sign = COMPARISONS[type(operator)]
            return Piece(f"{_piece(left, place).text}<mo>{html.escape(sign)}</mo>{_piece(right, place).text}", SUM)
        case ast.IfExp() | ast.Call(ast.Name("where"), [_, _, _], []):
            return _cases(node, place)
        case ast.Call(ast.Name(function), arguments, []):
            return _call(function, arguments, place)
        case ast.Subscript():
            return _element(node, place)
    raise ValueError(f"not in the grammar of formulas: {ast.unparse(node)}")


def _read(text: str, place: Place) -> Piece:
    """Return a name where it is read: a loop variable as what it stands for, a vector as its element."""
    if text in place.names:
        return place.names[text]
    plain = _name(text)
    if place.index is not None and text in VECTORS:
        return replace(plain, text=f"<msub>{plain.text}<mi>{place.index}</mi></msub>")
    return plain


def _terms(node: ast.AST, minus: bool = False) -> Iterator[tuple[bool, ast.AST]]:
    """Yield the terms of a sum from left to right, and whether each is taken away."""
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub() as operator, right):
            yield from _terms(left, minus)
            yield isinstance(operator, ast.Sub), right
        case _:
            yield minus, node


def _sum(terms: list[tuple[bool, ast.AST]], place: Place) -> Piece:
    text, piece = "", Piece("")
    for i, (minus, node) in enumerate(terms):
        piece = _piece(node, place)
        if i and (piece.minus or (minus and piece.binds < PRODUCT)):
            piece = _fenced(piece.text)
        if piece.ends == "cases" and i < len(terms) - 1:
            piece = _fenced(piece.text)
        text += (f"<mo>{'−' if minus else '+'}</mo>" if i else "") + piece.text
    return Piece(text, SUM, minus=text.startswith(MINUS), ends=piece.ends)


def _factors(node: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """Return what is multiplied, and what is divided by, from left to right."""
    match node:
        case ast.BinOp(left, ast.Mult() | ast.Div() as operator, right):
            tops, bottoms = _factors(left)
            (tops if isinstance(operator, ast.Mult) else bottoms).append(right)
            return tops, bottoms
    return [node], []


def _fraction(tops: list[ast.AST], bottoms: list[ast.AST], place: Place) -> Piece:
    """Return a product over another one: with a slash where it is small; -a / b is minus a fraction."""
    sign = False
    match tops:
        case [ast.UnaryOp(ast.USub(), operand), *others]:
            sign, tops = True, [operand, *others]
    inside = replace(place, small=True) if bottoms else place
    top, bottom = (_product([_piece(node, inside) for node in _squared(nodes)]) for nodes in (tops, bottoms))
    tall = (top.ends or bottom.ends) and not place.script
    if not bottoms:
        found = top
    elif place.small and not tall:
        top = _fenced(top.text) if top.binds < PRODUCT or top.ends else top
        slash = '<mo lspace="0" rspace="0">/</mo>'
        found = Piece(top.text + slash + _at_least(bottom, POWER).text, PRODUCT, top.minus, top.kind)
    else:
        found = Piece(f"<mfrac>{top.in_row}{bottom.in_row}</mfrac>", PRODUCT, kind="fraction")
    if not sign:
        return found
    found = _fenced(found.text) if found.minus or found.binds < PRODUCT else found
    return replace(found, text=MINUS + found.text, binds=PRODUCT, minus=True)


def _squared(factors: list[ast.AST]) -> list[ast.AST]:
    """Return factors with v * v as a square."""
    found: list[ast.AST] = []
    for node in factors:
        if found and ast.dump(found[-1]) == ast.dump(node):
            assert isinstance(node, ast.expr)
            found[-1] = ast.BinOp(node, ast.Pow(), ast.Constant(2))
        else:
            found.append(node)
    return found


def _product(pieces: list[Piece]) -> Piece:
    """Return a product; what would seem to go on is its last factor."""
    if len(pieces) < 2:
        return pieces[0] if pieces else Piece("")
    pieces = [_at_least(piece, PRODUCT) for piece in pieces]
    pieces = [_fenced(piece.text) if i and piece.minus else piece for i, piece in enumerate(pieces)]
    if not pieces[0].minus:
        pieces.sort(key=lambda piece: bool(piece.ends))
    pieces = [_fenced(piece.text) if piece.ends and i < len(pieces) - 1 else piece for i, piece in enumerate(pieces)]
    text = pieces[0].text
    for first, second in pairwise(pieces):
        dot = second.kind in ("digit", "word") or first.kind == "word" or first.kind == second.kind == "bar"
        between = "<mo>⋅</mo>" if dot else f"<mo>{TIMES}</mo>"
        text += ('<mspace width="0.17em"/>' if second.kind == "function" and not dot else between) + second.text
    return Piece(text, PRODUCT, pieces[0].minus, pieces[-1].kind, pieces[-1].ends)


def _power(base: ast.AST, exponent: ast.AST, place: Place) -> Piece:
    below = _piece(base, place)
    extreme = isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id in ("max", "min")
    if below.binds < ATOM or below.kind == "fraction" or below.ends or (below.kind == "function" and not extreme):
        below = _fenced(below.text)
    above = _piece(exponent, replace(place, small=True, script=True)).in_row
    if below.text.startswith("<msub>") and below.kind in ("name", "word"):
        text = below.text.removeprefix("<msub>").removesuffix("</msub>")
        return Piece(f"<msubsup>{text}{above}</msubsup>", POWER, kind=below.kind)
    kind = "word" if below.kind == "word" else "name" if below.kind == "function" else below.kind
    return Piece(f"<msup>{below.in_row}{above}</msup>", POWER, kind=kind)


def _both(left: ast.AST, right: ast.AST, place: Place) -> Piece:
    """Return two conditions; of a < b and b < c the chain."""
    first, second = _piece(left, place).text, _piece(right, place).text
    match left, right:
        case ast.Compare(_, [ast.Lt() | ast.LtE()], [middle]), ast.Compare(same, [ast.Lt() | ast.LtE()], [_]):
            shared = _piece(middle, place).text
            if ast.dump(middle) == ast.dump(same):
                return Piece(first + second.removeprefix(shared), SUM)
    return Piece(first + AND + second, SUM)


def _cases(node: ast.AST, place: Place) -> Piece:
    """Return values with their conditions, one below the other; values that are cases themselves are more of them."""
    rows = []
    inside = replace(place, small=True)
    while True:
        match node:
            case ast.IfExp(condition, yes, no) | ast.Call(ast.Name("where"), [condition, yes, no], []):
                rows.append((_piece(yes, place).text, f"<mtext>if&#xa0;</mtext>{_piece(condition, inside).text}"))
                node = no
            case _:
                break
    rows.append((_piece(node, place).text, "<mtext>otherwise</mtext>"))
    cells = "".join(f"<mtr><mtd>{value}</mtd><mtd>{condition}</mtd></mtr>" for value, condition in rows)
    brace = '<mo fence="true" stretchy="true" form="prefix">{</mo>'
    return Piece(f"<mrow>{brace}<mtable>{cells}</mtable></mrow>", kind="brackets", ends="cases")


def _call(function: str, arguments: list[ast.expr], place: Place) -> Piece:
    """Return a function of its arguments, as books write it."""
    match function, arguments:
        case "abs", [one]:
            return _fenced(_piece(one, place).text, "|", "|")
        case "norm", [one]:
            return _fenced(_piece(one, place).text, "‖", "‖")
        case "floor", [one]:
            return _fenced(_piece(one, place).text, "⌊", "⌋")
        case "sqrt", [one]:
            return Piece(f"<msqrt>{_piece(one, place).in_row}</msqrt>", kind="brackets")
        case "exp", [one] if _is_short(one):
            return Piece(f"<msup><mi>e</mi>{_piece(one, replace(place, small=True, script=True)).in_row}</msup>", POWER)
        case "len", [ast.Name("positives" | "negatives" | "rows" | "labels") as one]:
            return _fenced(_piece(one, place).text, "|", "|")
        case "sum" | "max" | "min", [ast.GeneratorExp(element, loops)]:
            return _over(function, element, loops, place)
        case "sum" | "max" | "min", [one]:
            return _over_elements(function, one, place)
    if all(isinstance(one, ast.Name) and (one.id in place.names or one.id == "y") for one in arguments) and (
        function not in FUNCTIONS and len(function) <= 2
    ):
        below = "".join(_piece(one, place).text for one in arguments)
        return Piece(f"<msub>{_name(function).text}<mrow>{below}</mrow></msub>")
    inner = _fenced(COMMA.join(_piece(one, place).text for one in arguments)).text
    called = _name(function) if len(function) <= 2 else Piece(f"<mi>{FUNCTIONS.get(function, function)}</mi>")
    return Piece(f"{called.text}<mo>{APPLY}</mo>{inner}", kind="function")


def _is_short(node: ast.AST) -> bool:
    """Whether an exponent is read easily."""
    nodes = [one for one in ast.walk(node) if isinstance(one, ast.expr)]
    called = [one.func for one in nodes if isinstance(one, ast.Call)]
    others = [one for one in called if not (isinstance(one, ast.Name) and one.id == "abs")]
    return len(nodes) <= LONGEST_EXPONENT and not others


def _over(function: str, element: ast.AST, loops: list[ast.comprehension], place: Place) -> Piece:
    """Return a sum, or the largest or smallest one, over loops, which are written below."""
    below: list[str] = []
    above = ""
    conditions: list[ast.expr] = []
    for loop in loops:
        place, said, above = _loop(loop, place)
        below += said
        conditions += loop.ifs
    if len(below) == len(loops) == 1 and not above and conditions:
        match loops[0].target, conditions[0]:
            case ast.Name(variable), ast.Compare(ast.Name(same), [ast.NotEq()], [_]) if variable == same:
                below = []  # j != k says both
    words = [_piece(one, replace(place, small=True, script=True)).text for one in conditions]
    under = COMMA.join(below) + ('<mo separator="true">:</mo>' if below and words else "") + AND.join(words)
    return _large(function, under, above, _piece(element, place))


def _loop(loop: ast.comprehension, place: Place) -> tuple[Place, list[str], str]:
    """Return the place inside of a loop, and what is written below and above for it."""
    script = replace(place, small=True, script=True)
    above, element = "", ""
    match loop.iter:
        case ast.Call(ast.Name("range"), [start, stop]):
            last = stop.left if isinstance(stop, ast.BinOp) and ast.unparse(stop).endswith(" + 1") else stop
            above, element = _piece(last, script).text, f"<mo>=</mo>{_piece(start, script).text}"
        case ast.Name("others"):
            element = "<mo>≠</mo><mi>y</mi>"
        case ast.Name("positives" | "negatives" as listed):
            element = f"<mo>∈</mo><mi>{listed}</mi>"
        case ast.BinOp(ast.Name(one), ast.Add(), ast.Name(other)):
            element = f"<mo>∈</mo><mi>{one}</mi><mo>∪</mo><mi>{other}</mi>"
        case ast.Name(listed) if listed in WHOLE:
            pass
        case _:
            return _through(loop, place)
    if not isinstance(loop.target, ast.Name):
        raise ValueError(f"not in the grammar of formulas: for {ast.unparse(loop.target)}")
    letter = _name(loop.target.id)
    return replace(place, names={**place.names, loop.target.id: letter}), [letter.text + element], above


def _through(loop: ast.comprehension, place: Place) -> tuple[Place, list[str], str]:
    """Return the same for a loop through the elements of vectors, which get an index."""
    index = next(letter for letter in INDICES if letter not in place.taken)
    names = dict(place.names)
    for variable, vector in _pairs(loop):
        names[variable] = replace(_piece(vector, place), text=_indexed(vector, f"<mi>{index}</mi>", place))
    return replace(place, names=names, taken=place.taken | {index}), [f"<mi>{index}</mi>"], ""


def _pairs(loop: ast.comprehension) -> Iterator[tuple[str, ast.AST]]:
    """Yield each loop variable with the vector whose elements it is."""
    match loop.target, loop.iter:
        case ast.Name(variable), listed:
            yield variable, listed
        case ast.Tuple(variables), ast.Call(ast.Name("zip"), vectors):
            for one, listed in zip(variables, vectors, strict=True):
                assert isinstance(one, ast.Name)
                yield one.id, listed
        case _:
            raise ValueError(f"not in the grammar of formulas: for {ast.unparse(loop.target)}")


def _indexed(listed: ast.AST, index: str, place: Place) -> str:
    """Return an element of a vector, or of a vector that is an element itself."""
    plain = _piece(listed, replace(place, index=None)).text
    if plain.startswith("<msub>") and plain.endswith("</mrow></msub>"):
        return plain.removesuffix("</mrow></msub>") + f"{index}</mrow></msub>"
    return f"<msub>{plain}<mrow>{index}</mrow></msub>"


def _over_elements(function: str, vector: ast.AST, place: Place) -> Piece:
    """Return a sum, or the largest or smallest one, of the elements of a vector."""
    index = next(letter for letter in INDICES if letter not in place.taken)
    inside = replace(place, index=index, taken=place.taken | {index})
    if isinstance(vector, ast.Name):
        element = Piece(_indexed(vector, f"<mi>{index}</mi>", place))
        return _large(function, f"<mi>{index}</mi>", "", element)
    all_but_last = any(isinstance(one, ast.Slice) for one in ast.walk(vector))
    under = f"<mi>{index}</mi>" + ("<mo>&lt;</mo><mi>K</mi>" if all_but_last else "")
    return _large(function, under, "", _piece(vector, inside))


def _large(function: str, under: str, above: str, element: Piece) -> Piece:
    """Return a large operator, what is below and above it, and what it is over."""
    sign = (
        '<mo movablelimits="false" largeop="true">∑</mo>'
        if function == "sum"
        else f"<mo movablelimits='false'>{function}</mo>"
    )
    tag = "munderover" if above else "munder"
    operator = f"<{tag}>{sign}<mrow>{under}</mrow>{f'<mrow>{above}</mrow>' if above else ''}</{tag}>"
    inner = _at_least(element, PRODUCT)
    inner = _fenced(inner.text) if inner.minus else inner
    return Piece(operator + inner.text, PRODUCT, kind="function", ends="sum")


def _element(node: ast.Subscript, place: Place) -> Piece:
    """Return an element of a vector, or the sums of a vector up to each of its elements but the last."""
    match node:
        case ast.Subscript(ast.Call(ast.Name("cumsum"), [vector]), ast.Slice()) if place.index is not None:
            index = next(letter for letter in INDICES if letter not in place.taken)
            inside = replace(place, index=index, taken=place.taken | {index})
            return _large("sum", f"<mi>{index}</mi><mo>≤</mo><mi>{place.index}</mi>", "", _piece(vector, inside))
        case ast.Subscript(_, ast.Slice()):
            raise ValueError(f"not in the grammar of formulas: {ast.unparse(node)}")
    below: list[Piece] = []
    inner: ast.AST = node
    while isinstance(inner, ast.Subscript):
        below.insert(0, _piece(inner.slice, replace(place, small=True, script=True, index=None)))
        inner = inner.value
    comma = any(one.kind == "digit" for one in below)
    between = COMMA if comma and len(below) > 1 else ""
    whole = _piece(inner, replace(place, index=None))
    return replace(whole, text=_indexed(inner, between.join(one.text for one in below), place))
