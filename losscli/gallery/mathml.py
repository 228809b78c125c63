"""Formulas as presentation MathML, which browsers set as a book would: fractions, roots, sums with their index below."""

import ast
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}
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
WHOLE = frozenset({"classes", "items", "rows", "labels", "views", "thresholds"})
"""Lists of all positions, which need not be said below a sum."""
VECTORS = frozenset({"l", "p", "t", "z", "e", "own"})
"""Names that stand for vectors where a sum has no index of its own."""
INDICES = "ijkuv"
SUM, PRODUCT, POWER, ATOM = range(4)
FONTS = "font-family: 'Latin Modern Math', 'STIX Two Math', 'Cambria Math', 'DejaVu Math TeX Gyre', math"
"""Fonts whose brackets and roots grow, by their names, since not every browser finds one by itself."""
TIMES, APPLY = "\u2062", "\u2061"
LONGEST_EXPONENT = 14
"""Nodes of an exponent that is still read easily; beyond, exp( ) is written."""


@dataclass(frozen=True)
class Piece:
    """A part of a formula: its elements, how tightly it binds, and what stands at its ends."""

    text: str
    binds: int = ATOM
    minus: bool = False
    """Whether it begins with a minus sign."""
    opens: str = "name"
    """What it begins with: a 'name', a 'digit', a 'word' of several letters, a 'fraction' or a 'bracket'."""
    open_ended: bool = False
    """Whether what follows would seem to belong to it, as to a sum."""

    @property
    def in_row(self) -> str:
        return f"<mrow>{self.text}</mrow>"


@dataclass(frozen=True)
class Place:
    """Where an expression stands."""

    small: bool = False
    """Whether in an exponent or a fraction, where fractions are written with a slash."""
    names: Mapping[str, str] = field(default_factory=dict)
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
    Text of MathML Core, in one line without line breaks: where it can be wider than the page, let its container scroll.

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
    return f'<math display="block" alttext="{html.escape(said)}" style="{FONTS}"><mrow>{body}</mrow></math>'


def name(text: str) -> str:
    """Return a name as elements: a Greek letter, a letter with its subscript, or a word as it is typed."""
    return _name(text).text


def _name(text: str) -> Piece:
    if text == "inf":
        return Piece("<mi>∞</mi>")
    if text in GREEK:
        return Piece(f"<mi>{GREEK[text]}</mi>")
    if len(text) == 1:
        return Piece(f"<mi>{text}</mi>")
    if len(text) == 2 and text[1].isdigit():
        return Piece(f"<msub><mi>{text[0]}</mi><mn>{text[1]}</mn></msub>")
    parts = text.split("_")
    main = next((part for part in parts if part in GREEK or len(part) == 1), None)
    if main is None or len(parts) != 2:
        return Piece(f"<mtext>{html.escape(text)}</mtext>", opens="word")
    other = parts[1 - parts.index(main)]
    below = f"<mi>{other}</mi>" if len(other) == 1 else f"<mtext>{html.escape(other)}</mtext>"
    return Piece(f"<msub><mi>{GREEK.get(main, main)}</mi>{below}</msub>")


def _fenced(inner: str, left: str = "(", right: str = ")") -> Piece:
    """Return what stands between brackets that grow with it."""
    fence = '<mo fence="true" stretchy="true" form="{}">{}</mo>'
    return Piece(
        f"<mrow>{fence.format('prefix', left)}{inner}{fence.format('postfix', right)}</mrow>",
        opens="bracket",
    )


def _at_least(piece: Piece, binds: int) -> Piece:
    """Return a piece in brackets if it binds more loosely."""
    return piece if piece.binds >= binds else _fenced(piece.text)


def _piece(node: ast.AST, place: Place) -> Piece:
    """Return a node of the grammar."""
    match node:
        case ast.Constant(None):
            return Piece("<mtext>none</mtext>", opens="word")
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return Piece(f"<mn>{value:g}</mn>", opens="digit")
        case ast.Name(text):
            return _read(text, place)
        case ast.UnaryOp(ast.USub(), operand):
            inner = _at_least(_piece(operand, place), PRODUCT)
            inner = _fenced(inner.text) if inner.minus else inner
            return Piece(f"<mo form='prefix'>−</mo>{inner.text}", PRODUCT, minus=True, open_ended=inner.open_ended)
        case ast.BinOp(left, ast.Add() | ast.Sub() as operator, right):
            return _sum(left, isinstance(operator, ast.Sub), right, place)
        case ast.BinOp(left, ast.Mult(), right):
            return _product(_piece(left, place), _piece(right, place))
        case ast.BinOp(left, ast.Div(), right):
            return _quotient(left, right, place)
        case ast.BinOp(base, ast.Pow(), exponent):
            return _power(base, exponent, place)
        case ast.BinOp(left, ast.BitAnd(), right) | ast.BoolOp(ast.And(), [left, right]):
            return _both(left, right, place)
        case ast.Compare(left, [ast.Is()], [_]):
            return Piece(f"{_piece(left, place).text}<mtext>&#xa0;is not given</mtext>", SUM)
        case ast.Compare(left, [operator], [right]):
            sign = COMPARISONS[type(operator)]
            return Piece(f"{_piece(left, place).text}<mo>{html.escape(sign)}</mo>{_piece(right, place).text}", SUM)
        case ast.IfExp() | ast.Call(ast.Name("where")):
            return _cases(node, place)
        case ast.Call(ast.Name(function), arguments, []):
            return _call(function, arguments, place)
        case ast.Subscript():
            return _element(node, place)
    raise ValueError(f"not in the grammar of formulas: {ast.unparse(node)}")


def _read(text: str, place: Place) -> Piece:
    """Return a name where it is read: a loop variable as what it stands for, a vector as its element."""
    if text in place.names:
        return Piece(place.names[text])
    plain = _name(text)
    if place.index is not None and text in VECTORS:
        return Piece(f"<msub>{plain.text}<mi>{place.index}</mi></msub>")
    return plain


def _sum(left: ast.AST, minus: bool, right: ast.AST, place: Place) -> Piece:
    first, second = _piece(left, place), _piece(right, place)
    second = _at_least(second, PRODUCT if minus or second.minus else SUM)
    second = _fenced(second.text) if second.minus else second
    return Piece(
        f"{first.text}<mo>{'−' if minus else '+'}</mo>{second.text}",
        SUM,
        first.minus,
        open_ended=second.open_ended,
    )


def _product(first: Piece, second: Piece) -> Piece:
    first, second = _at_least(first, PRODUCT), _at_least(second, PRODUCT)
    first = _fenced(first.text) if first.open_ended else first
    second = _fenced(second.text) if second.minus else second
    plain = second.opens not in ("digit", "word") and first.opens != "word"
    between = f"<mo>{TIMES}</mo>" if plain else "<mo>⋅</mo>"
    if plain and second.opens == "function":
        between = '<mspace width="0.17em"/>'
    return Piece(
        first.text + between + second.text,
        PRODUCT,
        first.minus,
        first.opens if first.opens != "word" else "word",
        second.open_ended,
    )


def _quotient(left: ast.AST, right: ast.AST, place: Place) -> Piece:
    inside = replace(place, small=True)
    top, bottom = _piece(left, inside), _piece(right, inside)
    if place.small:
        top = _fenced(top.text) if top.binds < PRODUCT or top.open_ended else top
        bottom = _at_least(bottom, POWER)
        return Piece(f"{top.text}<mo>/</mo>{bottom.text}", PRODUCT, top.minus, top.opens)
    sign, text = "", top.text
    if top.minus and top.binds >= PRODUCT:  # -a / b is minus a fraction
        sign, text = text[: len(MINUS)], text[len(MINUS) :]
    fraction = f"<mfrac><mrow>{text}</mrow>{bottom.in_row}</mfrac>"
    return Piece(sign + fraction, PRODUCT, bool(sign), "fraction")


MINUS = "<mo form='prefix'>−</mo>"


def _power(base: ast.AST, exponent: ast.AST, place: Place) -> Piece:
    below = _piece(base, place)
    function = isinstance(base, ast.Call) and below.opens == "function"
    if below.binds < ATOM or below.opens == "fraction" or function:
        below = _fenced(below.text)
    above = _piece(exponent, replace(place, small=True))
    return Piece(f"<msup>{_one(below.text)}{above.in_row}</msup>", POWER, opens=below.opens)


def _one(text: str) -> str:
    """Return elements as one."""
    return f"<mrow>{text}</mrow>"


def _both(left: ast.AST, right: ast.AST, place: Place) -> Piece:
    """Return two conditions; of a < b and b < c the chain."""
    first, second = _piece(left, place).text, _piece(right, place).text
    match left, right:
        case ast.Compare(_, [ast.Lt() | ast.LtE()], [middle]), ast.Compare(same, [ast.Lt() | ast.LtE()], [_]):
            shared = _piece(middle, place).text
            if ast.dump(middle) == ast.dump(same):
                return Piece(first + second.removeprefix(shared), SUM)
    return Piece(f"{first}<mtext>&#xa0;and&#xa0;</mtext>{second}", SUM)


def _cases(node: ast.AST, place: Place) -> Piece:
    """Return values with their conditions, one below the other; values that are cases themselves are more of them."""
    rows = []
    inside = replace(place, small=True)
    while True:
        match node:
            case ast.IfExp(condition, yes, no) | ast.Call(ast.Name("where"), [condition, yes, no]):
                rows.append((_piece(yes, place).text, f"<mtext>if&#xa0;</mtext>{_piece(condition, inside).text}"))
                node = no
            case _:
                break
    rows.append((_piece(node, place).text, "<mtext>otherwise</mtext>"))
    cells = "".join(
        f'<mtr><mtd style="text-align: left; padding-inline: 0.2em 1em">{value}</mtd>'
        f'<mtd style="text-align: left; padding-inline: 0">{condition}</mtd></mtr>'
        for value, condition in rows
    )
    brace = '<mo fence="true" stretchy="true" form="prefix">{</mo>'
    return Piece(f"<mrow>{brace}<mtable>{cells}</mtable></mrow>", opens="bracket", open_ended=True)


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
            return Piece(f"<msqrt>{_piece(one, place).in_row}</msqrt>", opens="bracket")
        case "exp", [one] if sum(1 for _ in ast.walk(one)) <= LONGEST_EXPONENT and not _has(one, ast.Call):
            return Piece(f"<msup><mi>e</mi>{_piece(one, replace(place, small=True)).in_row}</msup>", POWER)
        case "len", [one]:
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
    between = "<mo separator='true'>,</mo>"
    inner = _fenced(between.join(_piece(one, place).text for one in arguments)).text
    called = _name(function) if len(function) <= 2 else Piece(f"<mi>{FUNCTIONS.get(function, function)}</mi>")
    return Piece(f"{called.text}<mo>{APPLY}</mo>{inner}", opens="function")


def _has(node: ast.AST, *kinds: type[ast.AST]) -> bool:
    return any(isinstance(one, kinds) for one in ast.walk(node))


def _over(function: str, element: ast.AST, loops: list[ast.comprehension], place: Place) -> Piece:
    """Return a sum, or the largest or smallest one, over loops, which are written below."""
    below: list[str] = []
    above = ""
    conditions: list[ast.expr] = []
    for loop in loops:
        place, said, above = _loop(loop, place)
        below += said
        conditions += loop.ifs
    words = [_piece(one, replace(place, small=True)).text for one in conditions]
    comma = "<mo separator='true'>,</mo>"
    under = comma.join(below) + (
        f"<mo separator='true'>:</mo>{'<mtext>&#xa0;and&#xa0;</mtext>'.join(words)}" if words else ""
    )
    return _large(function, under, above, _piece(element, place))


def _loop(loop: ast.comprehension, place: Place) -> tuple[Place, list[str], str]:
    """Return the place inside of a loop, and what is written below and above for it."""
    match loop.target, loop.iter:
        case ast.Name(variable), ast.Call(ast.Name("range"), [start, stop]):
            last = _piece(stop, replace(place, small=True)).text
            match stop:
                case ast.BinOp(end, ast.Add(), ast.Constant(1)):
                    last = _piece(end, replace(place, small=True)).text
            letter = _name(variable).text
            inside = replace(place, names={**place.names, variable: letter})
            return inside, [f"{letter}<mo>=</mo>{_piece(start, place).text}"], last
        case ast.Name(variable), ast.Name("others"):
            letter = _name(variable).text
            inside = replace(place, names={**place.names, variable: letter})
            return inside, [f"{letter}<mo>≠</mo><mi>y</mi>"], ""
        case ast.Name(variable), ast.Name(listed) if listed in WHOLE:
            letter = _name(variable).text
            return replace(place, names={**place.names, variable: letter}), [letter], ""
        case ast.Name(variable), ast.Name("positives" | "negatives" as listed):
            letter = _name(variable).text
            inside = replace(place, names={**place.names, variable: letter})
            return inside, [f"{letter}<mo>∈</mo><mtext>{listed}</mtext>"], ""
        case ast.Name(variable), ast.BinOp(ast.Name(first), ast.Add(), ast.Name(second)):
            letter = _name(variable).text
            inside = replace(place, names={**place.names, variable: letter})
            return inside, [f"{letter}<mo>∈</mo><mtext>{first}</mtext><mo>∪</mo><mtext>{second}</mtext>"], ""
    index = next(letter for letter in INDICES if letter not in place.taken)
    names = dict(place.names)
    for variable, vector in _pairs(loop):
        names[variable] = _indexed(vector, f"<mi>{index}</mi>", place)
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
    all_but_last = _has(vector, ast.Slice)
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
    return Piece(operator + inner.text, PRODUCT, opens="function", open_ended=True)


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
        below.insert(0, _piece(inner.slice, replace(place, small=True, index=None)))
        inner = inner.value
    comma = any(one.opens == "digit" for one in below)
    between = "<mo separator='true'>,</mo>" if comma and len(below) > 1 else ""
    return Piece(_indexed(inner, between.join(one.text for one in below), place))
