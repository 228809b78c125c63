"""Boxes: how they are written, as the names of their columns or --box say, and the columns in the right order."""

import re
from collections.abc import Iterator, Sequence
from typing import cast

from losscli.data.class_names import trimmed
from losscli.data.dataset import Dataset
from losscli.definition.words import BoxFormat
from losscli.errors import DataError
from losscli.io.source import Reordered, Source
from losscli.records import NamedTuple, replace
from losscli.wording import listing

PARTS: dict[str, tuple[str, ...]] = {
    "x1": ("x1", "x0", "xmin", "minx", "left", "xleft", "xtl", "tlx", "startx", "xstart", "l"),
    "y1": ("y1", "y0", "ymin", "miny", "top", "ytop", "ytl", "tly", "starty", "ystart", "t"),
    "x2": ("x2", "xmax", "maxx", "right", "xright", "xbr", "brx", "endx", "xend", "r"),
    "y2": ("y2", "ymax", "maxy", "bottom", "ybottom", "ybr", "bry", "endy", "yend", "b"),
    "cx": (
        "cx",
        "xc",
        "xcenter",
        "centerx",
        "xcentre",
        "centrex",
        "xctr",
        "ctrx",
        "xmid",
        "midx",
        "xmiddle",
        "middlex",
    ),
    "cy": (
        "cy",
        "yc",
        "ycenter",
        "centery",
        "ycentre",
        "centrey",
        "yctr",
        "ctry",
        "ymid",
        "midy",
        "ymiddle",
        "middley",
    ),
    "x": ("x",),
    "y": ("y",),
    "w": ("w", "width", "boxwidth", "bw"),
    "h": ("h", "height", "boxheight", "bh"),
}
"""A number of a box -> the names by which columns call it, in lower case and without signs between words."""
MEANING = {name: part for part, names in PARTS.items() for name in names}
FORMS: dict[BoxFormat, tuple[tuple[str, ...], ...]] = {
    "xyxy": (("x1", "x"), ("y1", "y"), ("x2",), ("y2",)),
    "xywh": (("x", "x1"), ("y", "y1"), ("w",), ("h",)),
    "cxcywh": (("cx", "x"), ("cy", "y"), ("w",), ("h",)),
}
"""A format -> for each of its four numbers what the column may be; the first is what the number is."""
WORDS: dict[BoxFormat, str] = {
    "xyxy": "corners x1, y1, x2, y2",
    "xywh": "corner x, y, width, height",
    "cxcywh": "middle x, y, width, height",
}
AMBIGUOUS = "if x and y are the middle, say --box cxcywh"


class Told(NamedTuple):
    """What the names of four columns say: in which formats they may be, and what number of the box each column is."""

    forms: tuple[BoxFormat, ...]
    """The likeliest first."""
    parts: tuple[str, ...]

    def order(self, form: BoxFormat) -> tuple[int, ...]:
        """Return for each number of the format the column that holds it."""
        return tuple(next(i for i, part in enumerate(self.parts) if part in allowed) for allowed in FORMS[form])


class Boxes(NamedTuple):
    """Predicted boxes with their columns in order, and how boxes are written."""

    form: BoxFormat
    predictions: Source


def told(names: Sequence[str] | None) -> Told | None:
    """Return what the names of four columns say, or None if not all of them are names of a box's numbers.

    A beginning and an end that all names share are left out, and case and signs do not count: pred_X-min is xmin.
    """
    if names is None or len(names) != 4:
        return None
    for left in _shortened(names):
        parts = _parts(left)
        if None not in parts and len(set(parts)) == 4:
            known = cast("tuple[str, ...]", parts)
            forms = tuple(form for form in FORMS if all(any(p in allowed for p in known) for allowed in FORMS[form]))
            return Told(forms, known)
    return None


def _shortened(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the names without what all share, from nothing to the longest; letters such as t of tx1 only if no name is
    known without that: cx, cy, cw, ch are not x, y, w, h of something called c.
    """
    for _, left in trimmed(names):
        yield left
    if not any(len(name) > 1 and part for name, part in zip(names, _parts(names), strict=True)):
        for letters in range(1, min(map(len, names))):
            if len({name[:letters].lower() for name in names}) == 1:
                yield [name[letters:] for name in names]


def _parts(names: Sequence[str]) -> tuple[str | None, ...]:
    """Return which number of a box each name means; None for a name that means none."""
    bare = [re.sub(r"[\W_]", "", name.lower()) for name in names]
    parts = [MEANING.get(name) for name in bare]
    for axis in "xy":  # x0 and x1 are the two corners where there is no x2
        first, second = axis + "0", axis + "1"
        if first in bare and second in bare:
            parts[bare.index(second)] = axis + "2"
    return tuple(parts)


def settled(given: str | None, dataset: Dataset, predictions: Source, notes: list[str]) -> Boxes:
    """Decide how boxes are written, and bring the columns of predictions and targets into the order of the format.

    Parameters
    ----------
    given
        the format that --box names, or None.
    dataset
        its targets get their columns in the order of the format.
    predictions
        a source of shape (n, 4).
    notes
        gets a note if names decide, or columns are brought into order.

    Raises
    ------
    DataError
        if names contradict --box or each other, or tell so little that boxes may be written in more than one way.
    """
    targets = dataset.targets
    theirs = None if targets is None else targets.names
    named: list[tuple[str, Sequence[str]]] = [(predictions.name, predictions.columns)] if predictions.columns else []
    named += [(targets.name, theirs)] if targets is not None and theirs else []
    form = _form(cast("BoxFormat | None", given), named, notes)
    for file, names in named:
        _check_names(file, names, form, given)
    ours = told(predictions.columns)
    orders = [None if one is None else one.order(form) for one in (ours, told(theirs))]
    _check_orders(orders, [predictions.name, "" if targets is None else targets.name])
    if orders[0] not in (None, (0, 1, 2, 3)):
        notes.append(_of_order(predictions.name, predictions.columns or (), orders[0] or (), form))
        predictions = Reordered(predictions, orders[0] or ())
    if targets is not None and orders[1] not in (None, (0, 1, 2, 3)):
        notes.append(_of_order(targets.name, theirs or (), orders[1] or (), form))
        dataset.targets = replace(targets, numbers=[targets.numbers[i] for i in orders[1] or ()])
    return Boxes(form, predictions)


def alike(ours: Sequence[str] | None, theirs: Sequence[str] | None) -> bool:
    """Whether the names of both sides say what each column is, so that columns in order need no equal names."""
    return told(ours) is not None and told(theirs) is not None


def _form(given: BoxFormat | None, named: "list[tuple[str, Sequence[str]]]", notes: list[str]) -> BoxFormat:
    """Return the format that --box or the columns' names say; two corners if nothing does.

    Raises a DataError if the names say something else, or two files two things.
    """
    found = [(file, names, said) for file, names in named if (said := told(names)) is not None]
    for file, names, said in found:
        if given is not None and given not in said.forms:
            meaning = f"say {_or(said.forms)}" if said.forms else "say no format"
            cure = f"say --box {said.forms[0]}" if said.forms else "name them as the format does"
            raise DataError(
                f"{file}: the columns {listing(names)} {meaning}, and --box {given} is {WORDS[given]}; {cure}, or rename the "
                "columns"
            )
        if not said.forms:
            raise DataError(
                f"{file}: the columns {listing(names)} are no box: neither two corners, nor a corner or a middle with width "
                "and height; pick the columns with --columns, or rename them"
            )
    if given is not None or not found:
        return given or "xyxy"
    shared = [form for form in found[0][2].forms if all(form in said.forms for _, _, said in found)]
    if not shared:
        (file, names, said), (other, others, says) = found
        raise DataError(
            f"{file}: the columns {listing(names)} say {_or(said.forms)}, and those of {other}, {listing(others)}, say "
            f"{_or(says.forms)}; write both in the same format, or rename the columns"
        )
    file, names, said = found[0] if len(found[0][2].forms) <= len(found[-1][2].forms) else found[-1]
    if shared[0] != "xyxy":
        doubt = f"; {AMBIGUOUS}" if len(shared) > 1 else ""
        notes.append(
            f"{file}: boxes are {WORDS[shared[0]]} (--box {shared[0]}), as the columns {listing(names)} say{doubt}"
        )
    return shared[0]


def _or(forms: Sequence[BoxFormat]) -> str:
    """Return formats in words."""
    return " or ".join(f"{WORDS[form]} (--box {form})" for form in forms)


def _check_names(file: str, names: Sequence[str], form: BoxFormat, given: str | None) -> None:
    """Raise a DataError if only some names mean a number of a box, and one of these is another number than its place says."""
    if told(names) is not None or len(names) != 4:
        return
    for _, left in trimmed(names):
        for name, whole, part, allowed in zip(left, names, _parts(left), FORMS[form], strict=True):
            if len(name) > 1 and part is not None and part not in allowed:
                said = f"--box {form} is" if given else "without --box boxes are"
                raise DataError(
                    f"{file}: the column {whole!r} of {listing(names)} does not fit: {said} {WORDS[form]}, in this order; say "
                    "with --box how boxes are written, or rename the columns"
                )


def _check_orders(orders: "list[tuple[int, ...] | None]", files: list[str]) -> None:
    """Raise a DataError if one file has its columns in an order of its own, and those of the other file have no names."""
    for order, other, file, nameless in zip(orders, orders[::-1], files, files[::-1], strict=True):
        if order not in (None, (0, 1, 2, 3)) and other is None and nameless:
            raise DataError(
                f"{file}: its columns are in an order of their own, and in which order those of {nameless} are, their names "
                "do not say; name them alike, or save both in the order of --box"
            )


def _of_order(file: str, names: Sequence[str], order: Sequence[int], form: BoxFormat) -> str:
    """Return the note about columns that were brought into the order of the format."""
    return f"{file}: its columns ({listing(names)}) were brought into the order {listing(names[i] for i in order)} (--box {form})"
