"""The calls of a library as they are audited: how each is run on the operands of a case, and the conventions that it has.

All of this is what `losscli.libraries` says of the call: its template, its arguments, and its steps.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from losscli.analysis.audit.model import Case
from losscli.arrays import Array
from losscli.definition.convention import Convention
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.libraries.call import Call, Facts, Library
from losscli.libraries.steps import Cast
from losscli.losses import LOSSES
from losscli.records import NamedTuple, dataclass

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
"""A place of a template for an operand, with the form that it has there."""
OF_PREDICTIONS: Mapping[str, str] = {
    "": "p",
    "column": "(p if len(p.shape) > 1 else p[:, None])",
    "first": "p[:, 0]",
    "second": "p[:, 1]",
    "distances": "p",
    "time": "p[:, None, :]",
    "samples": "p[None]",
}
"""Form of the predictions -> how it is made of p, in a way that all frameworks can differentiate."""
ROWS = ("rows", "smoothed")
"""Forms of targets with one number per class; nothing is smoothed here."""
OF_TARGETS = ("", "index", "lists", "labels", "padded", "outcomes", "signs", "column", *ROWS)
"""The forms of targets that are known here."""
DOUBLED = ("doubled", "truth")
"""Readings of labels for which they must be 0 and 1."""


class Applied(NamedTuple):
    """What a library does to a loss of one dtype and width: the loss with its parameters, the convention, and its words."""

    bound: BoundLoss
    convention: Convention
    words: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Subject:
    """A call of a library."""

    library: Library
    record: Call
    code: CodeType
    """The call as Python, in p and in the names that `operands` gives."""
    space: Mapping[str, Any]
    """The modules that the call needs."""

    @property
    def name(self) -> str:
        """The call in p, the predictions, and t, the targets."""
        return self.record.call

    @property
    def bound(self) -> BoundLoss:
        """The loss, with the library's defaults."""
        return LOSSES[self.record.loss].bind(**self.record.defaults)

    @property
    def third(self) -> str:
        """The name of the third operand."""
        return self.bound.family.third_operand or "third"

    @property
    def form(self) -> str:
        """The form of targets over classes: 'index' or 'one-hot'."""
        return form_of(self.record)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes that are worth trying: where everything becomes float32, no narrower ones."""
        converted = any(isinstance(step, Cast) for step in (*self.library.steps, *self.record.steps))
        return ("float32", "float64") if converted else ("float16", "bfloat16", "float32", "float64")

    def __call__(self, operands: Mapping[str, Any]) -> Any:
        """Run the call on operands of its framework."""
        return eval(self.code, {**self.space, **operands})

    def operands(self, case: Case) -> dict[str, Array]:
        """Return the operands of a case as the call takes them, but for the predictions; whole numbers are integers."""
        found = {}
        for name, form in PLACE.findall(self.record.template):
            if name == "t":
                found[f"t_{form}"] = self._targets(case, form)
            elif name in ("input_lengths", "target_lengths"):
                found[name] = np.array([len(case.p) if name == "input_lengths" else case.t.shape[1]])
            elif name in ("input_paddings", "target_paddings"):
                found[name] = np.zeros((1, len(case.p) if name == "input_paddings" else case.t.shape[1]))
            elif name == self.third and case.third is not None:
                found[name] = case.third
        if "pos_weight" in self.code.co_names:
            found["pos_weight"] = np.array(1.0)
        return found

    def _targets(self, case: Case, form: str) -> Array:
        t, classes = case.t, self.bound.family.target_type == "classes"
        if form in ROWS:
            return np.eye(case.p.shape[1])[t] if t.ndim == 1 else t.astype(np.float64)
        if form in ("labels", "padded", "index") or (classes and t.ndim == 1):
            return t.astype(np.int64)
        if form == "lists":
            return np.array([[*np.flatnonzero(row > 0), *[-1] * int((row <= 0).sum())] for row in t])
        if form == "outcomes" or (not form and self.applied("float64", 1).convention.labels in DOUBLED):
            t = t > 0
        t = t.astype(np.float64)
        return t[:, None] if form == "column" and t.ndim == 1 else t

    @lru_cache(maxsize=64)  # noqa: B019 - subjects live as long as the audit
    def applied(self, dtype: str, columns: int) -> Applied:
        """Return what the library does to the loss, of a dtype and a number of columns."""
        single = self.bound
        kind = self.record.prediction_kind or "logits"
        request = Request(single, "", "", prediction_kind=kind, reduction=self.library.reduction(self.record))
        stored = np.dtype("float32" if dtype == "bfloat16" else dtype)
        computed = np.dtype(np.float64 if dtype == "float64" else np.float32)
        facts = Facts(stored, self._kind, columns, computed=computed, passed=stored, in_rows=self.form == "one-hot")
        words = []
        for step in (*self.library.steps, *self.record.steps):
            told, request = step.adopt(request, facts)
            words += [told] if told else []
        return Applied(request.loss, request.convention, tuple(words))

    @property
    def _kind(self) -> str:
        family = self.bound.family
        usual = {"classes": self.form, "outcomes": "binary", "signs": "signed"}
        return usual.get(family.target_type, "numbers")


def form_of(record: Call) -> str:
    """Return the form of a call's targets over classes: 'index' or 'one-hot'."""
    return "one-hot" if any(name == "t" and form in ROWS for name, form in PLACE.findall(record.template)) else "index"


def refusal(record: Call) -> str | None:
    """Return why a call cannot be audited; None if it can."""
    if record.refused is not None:
        return record.refused
    for name, form in PLACE.findall(record.template):
        if (name == "p" and form not in OF_PREDICTIONS) or (name == "t" and form not in OF_TARGETS):
            return f"its operand {{{name}:{form}}} is not known here"
    return None


def is_for_pos_weight(library: Library, record: Call) -> bool:
    """Whether a call is there for its factor of positives, as another one of the same loss has none."""
    alike = [one for one in library.calls if (one.loss, one.prediction_kind) == (record.loss, record.prediction_kind)]
    return "pos_weight" in record.arguments and any("pos_weight" not in one.arguments for one in alike)


def subjects(library: Library, calls: Iterable[Call]) -> Iterator[Subject]:
    """Yield calls of a library as they are audited; the library is imported."""
    space: dict[str, Any] = {"numpy": np}
    for statement in library.imports:
        exec(statement, space)
    for record in calls:
        text = "p" if refusal(record) else expression(library, record)
        yield Subject(library, record, compile(text, record.function, "eval"), space)


def expression(library: Library, record: Call) -> str:
    """Return a call as Python in the names of operands: p, t_rows, variance ... with the library's own defaults."""
    bound = LOSSES[record.loss].bind(**record.defaults)
    words = [
        valued(text, bound.parameters[name])
        for name, text in record.arguments.items()
        if text and bound.parameters.get(name) is not None
    ]
    if is_for_pos_weight(library, record):
        words.append("pos_weight=pos_weight")
    reduction = library.reductions.get(library.reduction(record), "") if "{reduction}" in record.template else ""
    text = record.template.replace("{arguments}", ", ".join(words)).replace("{weights}", "")
    text = PLACE.sub(_placed, text.replace("{reduction}", reduction))
    return re.sub(r", (?=\))|(?<=\(), ", "", text)


def _placed(found: "re.Match[str]") -> str:
    name, form = found[1], found[2] or ""
    if name == "p":
        return OF_PREDICTIONS[form]
    return f"t_{form}" if name == "t" else name


def valued(text: str, value: Any) -> str:
    """Return an argument with its value, such as 'delta=1.0'; ':bool' in its place writes True or False."""
    return text.replace("{:bool}", str(bool(value))).format(value)
