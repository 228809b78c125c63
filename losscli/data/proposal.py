"""Which operands and options of a command are probably meant, by what the columns of the tables hold and how they are called.

Nothing is computed from a proposal: the user is shown the command line that it makes, and runs it or another one.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from losscli.data.advice import BOOLEANS, sampled
from losscli.data.class_names import trimmed
from losscli.data.dataset import LIKELY_IDS
from losscli.definition.loss import Family
from losscli.io.operands import Operand
from losscli.io.table import MISSING, is_finite_number
from losscli.records import NamedTuple, dataclass
from losscli.wording import listing

MOST_COLUMNS = 1024
"""Tables with more columns are not looked at."""
MOST_LABELS = 20
"""Of more distinct values than this, a column of whole numbers holds no labels, unless it is called so."""
MOST_MODELS = 4
"""Of more columns than this that may be the predictions, none is proposed."""
SUM_TOLERANCE = 1e-3
NO_VALUE = MISSING | {"", "nan", "inf", "-inf"}
"""Cells, in lower case, that say nothing of what their column holds."""
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
OF_PREDICTIONS = frozenset(
    [
        "pred",
        "preds",
        "predicted",
        "prediction",
        "predictions",
        "prob",
        "probs",
        "proba",
        "probability",
        "probabilities",
        "p",
        "score",
        "scores",
        "logit",
        "logits",
        "forecast",
        "forecasts",
        "yhat",
        "hat",
        "estimate",
        "estimated",
        "fitted",
        "output",
        "outputs",
        "confidence",
        "softmax",
        "sigmoid",
    ]
)
"""Words in the names of columns that hold predictions."""
OF_TARGETS = frozenset(
    [
        "target",
        "targets",
        "label",
        "labels",
        "true",
        "truth",
        "actual",
        "actuals",
        "y",
        "class",
        "outcome",
        "observed",
        "gold",
        "answer",
        "response",
        "real",
    ]
)
"""Words in the names of columns that hold targets."""
OF_EVENTS = frozenset(
    [
        "survived",
        "churn",
        "churned",
        "default",
        "defaulted",
        "click",
        "clicked",
        "convert",
        "converted",
        "conversion",
        "fraud",
        "spam",
        "diagnosis",
        "species",
        "won",
    ]
)
"""Words in the names of columns that are targets where no other name says so."""
FITTING: Mapping[str, tuple[str, ...]] = {
    "signs": ("outcomes",),
    "outcomes": ("outcomes", "labels"),
    "classes": ("labels", "outcomes", "words"),
    "numbers": ("numbers", "scores", "labels", "outcomes"),
}
"""The kind of a loss's targets -> the kinds of columns that may hold them, the likeliest first."""


class Proposal(NamedTuple):
    """Operands and options that are probably meant.

    `kind` is 'outcomes' or 'classes' if the targets are such and the loss that was asked for is of something else, else ''.
    """

    predictions: str
    targets: str
    options: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    others: tuple[str, ...] = ()
    """Columns that may be meant as well as that of the predictions."""


@dataclass(frozen=True)
class Look:
    """What a look at the first cells of a column says."""

    name: str
    """As FILE:COLUMN and --columns call it: its name, or its number from 1."""
    cells: Sequence[str]
    kind: str
    """'id', 'outcomes', 'labels', 'scores' (numbers with fractions), 'numbers' or 'words'."""

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word.lower() for word in WORD.findall(self.name))

    @property
    def of_predictions(self) -> bool:
        return bool(self.words & OF_PREDICTIONS)

    @property
    def of_targets(self) -> bool:
        return bool(self.words & OF_TARGETS) and not self.of_predictions

    @property
    def is_number(self) -> bool:
        return all(is_finite_number(cell) for cell in self.cells)

    @property
    def has_commas(self) -> bool:
        """Whether cells are numbers with a decimal comma."""
        return not self.is_number and all(
            is_finite_number(cell) or is_finite_number(cell.replace(",", ".", 1)) for cell in self.cells
        )

    @property
    def in_unit_interval(self) -> bool:
        return all(0 <= float(cell) <= 1 for cell in self.cells)

    def __str__(self) -> str:
        if self.kind == "outcomes":
            return " and ".join(sorted(set(self.cells)))
        if self.kind == "labels":
            return listing(sorted(set(self.cells)), 3)
        if self.kind == "scores" and self.in_unit_interval:
            return "numbers in [0, 1]"
        return {"id": "an id", "scores": "numbers"}.get(self.kind, self.kind)


def looks(operand: Operand | None) -> list[Look]:
    """Return the columns of a table, as far as they have cells; none for arrays, and tables with very many columns."""
    if operand is None or not operand.is_table or not 0 < operand.content.width <= MOST_COLUMNS:
        return []
    table = operand.content
    names = table.names or [str(i + 1) for i in range(table.width)]
    found = []
    for name, cells in zip(names, sampled(table), strict=True):
        numbers = [cell.replace(",", ".", 1) for cell in cells] if table.decimal == "," else cells
        shown = numbers if all(is_finite_number(cell) or cell.lower() in NO_VALUE for cell in numbers) else cells
        found.append((name, [cell for cell in shown if cell.lower() not in NO_VALUE]))
    return [Look(name, cells, _kind(name, cells)) for name, cells in found if cells]


def held(operand: Operand) -> str:
    """Return the columns of a table with what they hold, for a message; '' for an array."""
    return listing((f"{look.name!r} ({look})" for look in looks(operand)), 8)


def _kind(name: str, cells: Sequence[str]) -> str:
    """Return in a word what a column holds."""
    distinct = set(cells)
    numeric = all(is_finite_number(cell) for cell in cells)
    unlike = len(distinct) == len(cells)
    if any({cell.lower() for cell in cells} == pair for pair in BOOLEANS):
        return "outcomes"
    if numeric and any(float(cell) % 1 for cell in cells):
        return "scores"
    if _is_called(name, OF_TARGETS) and not _is_called(name, OF_PREDICTIONS) and len(distinct) <= MOST_LABELS:
        return "outcomes" if len(distinct) == 2 and not numeric else "labels"
    if unlike and (_is_called_id(name) or (not numeric and len(cells) > 2)):
        return "id"
    if numeric and len(distinct) > min(MOST_LABELS, max(2, len(cells) // 2)):
        return "id" if unlike and _counts_up(cells) and not name.isdecimal() else "numbers"
    if not numeric and len(distinct) == 2:
        return "outcomes"
    return "labels" if numeric or len(distinct) <= max(MOST_LABELS, len(cells) // 2) else "words"


def _is_called(name: str, known: frozenset[str]) -> bool:
    """Whether one of the words of a column's name is known."""
    return any(word.lower() in known for word in WORD.findall(name))


def _is_called_id(name: str) -> bool:
    """Whether a column is called as ids are: id, key, customer_id, PassengerId, but not paid."""
    low = name.lower()
    return low in (*LIKELY_IDS, "", "key", "name", "level_0") or WORD.findall(name)[-1:] in (["id"], ["Id"], ["ID"])


def _counts_up(cells: Sequence[str]) -> bool:
    numbers = [float(cell) for cell in cells]
    return len(cells) > 2 and all(after - before == 1 for before, after in pairwise(numbers))


def proposals(
    family: Family, predictions: Operand, targets: Operand | None, said: frozenset[str]
) -> Iterator[Proposal]:
    """Yield what is probably meant, the likeliest first; nothing if the columns do not tell.

    Parameters
    ----------
    family
        the family of the loss that was asked for.
    targets
        the operand of the targets; None if it is missing, so that they are a column of the predictions' file.
    said
        the options that the user gave, which are left as they are, such as '--from'.
    """
    if family.target_type not in ("signs", "outcomes", "classes", "numbers") or family.third_operand or family.boxes:
        return
    same = targets is None or targets.same_file(predictions)
    ours, theirs = looks(predictions), looks(predictions if same else targets)
    if not ours and not theirs:
        return
    join = None if same or "--id" in said else _shared_id(ours, theirs)
    truths = _truths(family, targets, theirs, ours if not same else (), join)
    for truth in truths:
        yield from _with_truth(family, predictions, targets, said, ours, truth, join, same)


def _shared_id(ours: Sequence[Look], theirs: Sequence[Look]) -> str | None:
    """Return the name of a column of ids that both tables have; None without one."""
    held = {look.name: look for look in theirs if look.kind == "id"}
    return next((look.name for look in ours if look.kind == "id" and look.name in held), None)


def _truths(
    family: Family, targets: Operand | None, theirs: Sequence[Look], ours: Sequence[Look], join: str | None
) -> list[Look | None]:
    """Return the column that holds the targets; None for those of an array, and nothing if it is not clear."""
    if targets is not None and not theirs:
        return [None]
    if targets is not None and targets.column is not None:
        return [look for look in theirs if look.name == targets.column]
    fitting = FITTING[family.target_type]
    free = [look for look in theirs if look.kind != "id" and look.name != join and not look.of_predictions]
    fit = [look for look in free if look.kind in fitting]
    if family.target_type == "outcomes":  # soft ones
        fit += [look for look in free if look.kind == "scores" and look.of_targets and look.in_unit_interval]
    alike = {look.name for look in ours}
    for best in (
        fit if len(fit) == 1 else [],
        [look for look in fit if look.name in alike],
        [look for look in fit if _shares_word(look, [*theirs, *ours])],
        [look for look in fit if look.of_targets],
        [look for look in fit if look.words & OF_EVENTS],
        [look for look in fit if family.target_type == "classes" and _named_classes(_numbers(ours or theirs), look)],
        [look for look in fit if family.target_type == "numbers" and look.kind == "scores"],
    ):
        if len(best) == 1:
            return list(best)
        of_kind = [look for look in best if look.kind == fitting[0]]
        if len(of_kind) == 1 and family.target_type != "numbers":
            return list(of_kind)
    return []


def _numbers(found: Sequence[Look]) -> list[Look]:
    """Return the columns of numbers that are no ids."""
    return [look for look in found if look.kind != "id" and look.is_number]


def _shares_word(truth: Look, others: Sequence[Look]) -> bool:
    """Whether predictions are called by the targets' column, as churn_probability by churn."""
    return any(look.of_predictions and truth.words & look.words for look in others)


def _with_truth(
    family: Family,
    predictions: Operand,
    targets: Operand | None,
    said: frozenset[str],
    ours: Sequence[Look],
    truth: Look | None,
    join: str | None,
    same: bool,
) -> Iterator[Proposal]:
    """Yield proposals for one column of targets."""
    if targets is None:
        assert truth is not None
        second = f"{_file(predictions)}:{truth.name}"
    else:
        several = truth is not None and targets.column is None and (same or _left(targets, join) > 1)
        second = f"{targets.text}:{truth.name}" if several and truth is not None else targets.text
    options: tuple[tuple[str, str], ...] = () if join is None else (("--id", join),)
    if truth is not None and family.target_type in ("outcomes", "signs") and "--classes" not in said:
        options += _outcomes(truth, [str(look.name) for look in ours])
    taken = {join} | ({truth.name} if same and truth is not None else set())
    free = [look for look in ours if look.name not in taken]
    if predictions.column is not None:
        free = [look for look in ours if look.name == predictions.column]
    found = _Settled(predictions, second, options, said, free, truth, frozenset(taken))
    yield from _of_classes(family, found) if family.target_type == "classes" else _of_one(family, found)


class _Settled(NamedTuple):
    """What is settled when the columns of the predictions are looked for."""

    predictions: Operand
    targets: str
    options: tuple[tuple[str, str], ...]
    said: frozenset[str]
    free: Sequence[Look]
    """The columns that may be predictions."""
    truth: Look | None
    """The column of the targets; None for those of an array."""
    taken: frozenset[str | None]
    """The columns of other roles in the predictions' file."""

    @property
    def numbers(self) -> list[Look]:
        return _numbers(self.free)

    def proposal(self, column: str = "", options: tuple[tuple[str, str], ...] = (), kind: str = "") -> Proposal:
        """Return what is meant, with a column of the predictions if it has to be named, and with further options."""
        text = self.predictions.text
        return Proposal(f"{text}:{column}" if column else text, self.targets, (*self.options, *options), kind)


def _file(operand: Operand) -> str:
    """Return an operand as it was typed, without its column."""
    return operand.text if operand.column is None else operand.text.removesuffix(f":{operand.column}")


ALIKE = 4
"""Letters that a word of a column's name and an outcome begin with alike, if they speak of the same: churn_probability, churned."""


def _outcomes(truth: Look, columns: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the option that says which of two words is the positive outcome; none where the words tell.

    It is the word of which the names of the columns speak, else the last one as they are sorted, as in scikit-learn.
    """
    distinct = sorted(set(truth.cells))
    if truth.kind != "outcomes" or truth.is_number or {cell.lower() for cell in distinct} in BOOLEANS:
        return ()
    spoken = {part[:ALIKE] for name in (*columns, str(truth.name)) for part in re.findall(r"[a-z]{4,}", name.lower())}
    distinct.sort(key=lambda cell: cell.lower()[:ALIKE] in spoken)  # the sort keeps what is equal in its order
    return (("--classes", ",".join(distinct)),)


NEGATIVES = frozenset(["0", "-1", "no", "n", "false", "f", "neg", "negative"])
"""Words for an outcome that did not happen."""


def _turned(truth: Look, scores: str) -> tuple[tuple[str, str], ...]:
    """Return the option that says which outcome is positive if the name of the scores is one of both: prob_ham, logit_no, p_negative.

    There is none if it is the one that is positive anyway.
    """
    distinct = {cell.lower(): cell for cell in sorted(set(truth.cells))}
    if len(distinct) != 2 or not (truth.kind == "outcomes" or truth.is_number):
        return ()
    parts = re.findall(r"-?[a-z0-9]+", scores.lower())
    plain = set(distinct) in BOOLEANS or truth.is_number
    named = [word for word in distinct if word in parts or (plain and word in NEGATIVES and NEGATIVES & set(parts))]
    if len(named) != 1 or (plain and named[0] not in NEGATIVES):
        return ()
    other = next(cell for word, cell in distinct.items() if word != named[0])
    return (("--classes", f"{other},{distinct[named[0]]}"),)


def _left(operand: Operand, join: str | None) -> int:
    """Return how many columns of a table are left without that of the ids."""
    names = operand.content.names or [""] * operand.content.width
    return sum(name != join for name in names) if join is not None else len(names)


def _of_one(family: Family, found: _Settled) -> Iterator[Proposal]:
    """Yield proposals for losses of one number per row."""
    predictions, truth = found.predictions, found.truth
    words = family.target_type == "numbers" and truth is not None and truth.kind == "outcomes" and not truth.is_number
    over_classes = family.target_type == "outcomes" and truth is not None and truth.kind == "labels"
    if not predictions.is_table:
        kind = "classes" if over_classes else "outcomes" if words else ""
        if kind or found.options or truth is not None:
            yield found.proposal(kind=kind)
        return
    if over_classes:
        yield from (one._replace(kind="classes") for one in _of_classes(None, found))
        return
    scores = _one_score(found.numbers, truth)
    if not scores or (len(scores) > 1 and not all(look.in_unit_interval for look in scores)):
        return
    meant, *others = scores
    turned = () if truth is None or words or "--classes" in found.said else _turned(truth, str(meant.name))
    if turned:
        found = found._replace(options=(*(item for item in found.options if item[0] != "--classes"), *turned))
    width = predictions.content.width
    left = width - len(found.taken - {None})
    named = predictions.column is None and width > 1 and (left != 1 or not found.options)
    given: tuple[tuple[str, str], ...] = ()
    if (family.takes_from or words) and family.target_type != "signs":
        given += _from(found.said, [meant])
    if words and truth is not None:
        given += _outcomes(truth, [str(look.name) for look in found.free])
    one = found.proposal(meant.name if named else "", given, "outcomes" if words else "")
    yield one._replace(others=tuple(look.name for look in others))


def _one_score(numbers: Sequence[Look], truth: Look | None) -> list[Look]:
    """Return the column of the predictions, of one number per row; several if each may be meant, and none if it is not clear."""
    steps = (
        [look for look in numbers if look.of_predictions and truth is not None and truth.words & look.words],
        [look for look in numbers if look.of_predictions and look.kind in ("scores", "numbers")],
        [look for look in numbers if look.of_predictions],
        list(numbers),
        [look for look in numbers if look.kind == "scores"],
        [look for look in numbers if look.kind == "scores" and look.in_unit_interval],
    )
    for fit in steps:
        if len(fit) == 1:
            return fit
        if (one := _positive(fit, truth)) is not None:
            return [one]
    several = steps[1] or steps[-1]
    if len(several) == 2 and all(look.in_unit_interval for look in several) and _sum_to_one(several):
        return []  # two classes, of which it is not clear which one is positive
    return several if 1 < len(several) <= MOST_MODELS else []


def _positive(fit: Sequence[Look], truth: Look | None) -> Look | None:
    """Return that of two columns of probabilities which is the positive class's; None if it is not clear."""
    if len(fit) != 2 or truth is None or truth.kind != "outcomes" or not _sum_to_one(fit):
        return None
    last = sorted({cell.lower() for cell in truth.cells})[-1]
    for _, names in trimmed([look.name for look in fit]):
        folded = [name.lower() for name in names]
        if last in folded:
            return fit[folded.index(last)]
    return None


def _of_classes(family: Family | None, found: _Settled) -> Iterator[Proposal]:
    """Yield proposals for losses with a column for each class; `family` is None if they have another loss."""
    predictions, truth, numbers = found.predictions, found.truth, found.numbers
    if not predictions.is_table or "--columns" in found.said:
        if found.options or truth is not None or predictions.is_table:
            yield found.proposal()
        return
    named = _named_classes(numbers, truth)
    meant = named or [look for look in numbers if look.of_predictions] or numbers
    if len(meant) > 1 and named is None and not any(look.of_predictions for look in meant):
        meant = [look for look in meant if look.kind == "scores"]
    if len(meant) == 1:
        joined = bool(found.options) and len(found.free) == 1
        alone = predictions.column is not None or predictions.content.width == 1 or joined
        given: tuple[tuple[str, str], ...] = _from(found.said, meant)
        if truth is not None and "--classes" not in found.said:
            given += _outcomes(truth, [str(look.name) for look in found.free])
        yield found.proposal("" if alone else meant[0].name, given, "outcomes")
        return
    if not meant or predictions.column is not None:
        return
    names = [look.name for look in meant]
    everything = predictions.content.names or [str(i + 1) for i in range(predictions.content.width)]
    spare = [name for name in everything if name not in names and name not in found.taken]
    picked = (("--columns", _pattern(names, spare, everything)),) if spare else ()
    kind = _from(found.said, meant) if family is None or family.takes_from else ()
    yield found.proposal(options=(*picked, *kind))


def _named_classes(numbers: Sequence[Look], truth: Look | None) -> list[Look] | None:
    """Return the columns that are called by the labels, without a beginning and an end that they share; None without such ones."""
    if truth is None:
        return None
    labels = {_plain(cell) for cell in truth.cells}
    groups = [[look for look in numbers if look.of_predictions], list(numbers)]
    for group in groups:
        if len(group) < 2:
            continue
        for _, names in trimmed([look.name for look in group]):
            if len(labels) > 1 and labels <= {_plain(name) for name in names}:
                return group
    for start in {
        look.name[: -len(label)] for look in numbers for label in labels if label and look.name.endswith(label)
    }:
        group = [look for look in numbers if look.name.startswith(start)]
        if len(labels) > 1 and labels <= {look.name[len(start) :] for look in group}:
            if start:
                return group
            return [look for look in group if look.name in labels]
    return None


def _plain(cell: str) -> str:
    """Return a label as names of columns write it: 1 for 1.0."""
    return str(int(float(cell))) if is_finite_number(cell) and not float(cell) % 1 else cell


def _pattern(names: Sequence[str], spare: Sequence[str], everything: Sequence[str]) -> str:
    """Return what --columns says for some columns of a table: a pattern, those to leave out, or a list."""
    for end in range(len(names[0]) - 1, 0, -1):
        start = names[0][:end]
        if not start[-1].isalnum() and [name for name in everything if name.startswith(start)] == list(names):
            return f"{start}*"
    if len(spare) < len(names):
        return ",".join(f"!{name}" for name in spare)
    return ",".join(names)


def _from(said: frozenset[str], meant: Sequence[Look]) -> tuple[tuple[str, str], ...]:
    """Return the option --from that the numbers of predictions ask for; none for logits, and where it was given."""
    if "--from" in said or not meant:
        return ()
    if all(look.in_unit_interval for look in meant) and (len(meant) == 1 or _sum_to_one(meant)):
        return (("--from", "probs"),)
    if len(meant) > 1 and _sum_to_one(meant, logarithms=True):
        return (("--from", "log-probs"),)
    return ()


def _sum_to_one(meant: Sequence[Look], logarithms: bool = False) -> bool:
    """Whether the first rows of columns are probabilities, or their logarithms, that sum to 1."""
    rows = [[float(cell) for cell in row] for row in zip(*(look.cells for look in meant), strict=False)]
    if logarithms:
        if any(number > 0 for row in rows for number in row):
            return False
        rows = [[math.exp(number) for number in row] for row in rows]
    return all(min(row) >= 0 and abs(sum(row) - 1) <= SUM_TOLERANCE for row in rows)
