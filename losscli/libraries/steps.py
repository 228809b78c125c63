"""The kinds of things that a library does otherwise: each changes a request, and says so in words."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Clip
from losscli.definition.convention import Bound, Convention, Formula, OperandName
from losscli.definition.request import Request
from losscli.definition.words import SignConvention
from losscli.libraries.call import Facts
from losscli.records import dataclass, replace
from losscli.wording import short


def convened(request: Request, **changes: Any) -> Request:
    """Return a request with changes of its convention."""
    return replace(request, convention=request.convention._replace(**changes))


@dataclass(frozen=True)
class Cast:
    """All operands are converted to a dtype, and the loss is computed in it."""

    dtype: str

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        if facts.computed == np.dtype(self.dtype):
            return "", request
        return self.words(), convened(request, cast=self.dtype)

    def words(self) -> str:
        return f"converts everything to {self.dtype}"


@dataclass(frozen=True)
class Cut:
    """Numbers of an operand are cut off."""

    operand: OperandName
    low: float = -math.inf
    high: float = math.inf

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        bounds = (*request.convention.bounds, Bound(self.operand, self.low, self.high))
        return self.words(), convened(request, bounds=bounds)

    def words(self) -> str:
        names = {"predictions": "predictions", "targets": "targets", "third_operand": "the third operand"}
        parts = [f"raises {names[self.operand]} below {short(self.low)} to it"] if self.low > -math.inf else []
        parts += [f"lowers {names[self.operand]} above {short(self.high)} to it"] if self.high < math.inf else []
        return ", ".join(parts)


@dataclass(frozen=True)
class CutProbabilities:
    """Probabilities are changed before their logarithm is taken: those that are given, or those that the library makes of
    logits. `clip` makes the change from the dtype of the predictions that the library gets.
    """

    clip: Callable[[np.dtype[Any]], Clip]

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        clip = self.clip(facts.computed if facts.passed is None else facts.passed)
        return clip_words(clip, request.prediction_kind == "logits"), convened(request, clip=clip)

    def words(self) -> str:
        return f"{clip_words(self.clip(np.dtype(np.float32)))} (float32)"


def clip_words(clip: Clip, of_logits: bool = False) -> str:
    """Return a clip in words."""
    parts = ["makes probabilities of the logits"] if of_logits else []
    if clip.low > 0 or clip.high < 1:
        parts.append(
            f"cuts p into [{clip.low:.9g}, {clip.high:.9g}]" if clip.high < 1 else f"cuts p off at {clip.low:.9g}"
        )
    parts += [f"adds {clip.inside:g} within the logarithm"] if clip.inside else []
    parts += [f"cuts log(p) off at {clip.floor:g}"] if clip.floor > -np.inf else []
    return ", ".join(parts)


@dataclass(frozen=True)
class ReadLabels:
    """Labels of margin losses are read in another way."""

    how: SignConvention

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        return self.words(), convened(request, labels=self.how)

    def words(self) -> str:
        return {
            "numbers": "multiplies labels as they are: 0 stays 0",
            "doubled": "makes 2 t - 1 of every label, of -1 and 1 too",
            "truth": "takes every label but 0 for positive, -1 too",
        }[self.how]


@dataclass(frozen=True)
class Change:
    """A convention with a fixed value, in words or, if there is nothing to say, without."""

    text: str
    convention: Convention

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        neutral, changed = Convention(), self.convention
        fields = {name: value for name, value in changed._asdict().items() if value != getattr(neutral, name)}
        return self.text, convened(request, **fields)

    def words(self) -> str:
        return self.text


@dataclass(frozen=True)
class Compute:
    """The loss is computed by the library's own formula, or with its own core, where that gives other numbers."""

    text: str
    formula: Formula | None = None
    core: Callable[..., tuple[Array, Any]] | None = None
    dense: bool = False
    """Whether the formula gets one-hot rows as rows of numbers."""

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        return self.text, convened(request, formula=self.formula, core=self.core, dense=self.dense)

    def words(self) -> str:
        return self.text


@dataclass(frozen=True)
class Multiply:
    """Losses are multiplied by a number: 'always', only for 'two columns', or divided by the number of columns with
    'per column', unless they are summed.
    """

    factor: float = 1.0
    when: Literal["always", "two columns", "per column"] = "always"

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        if self.when == "per column":
            if request.reduction == "sum":
                return "", request
            words = f"divides by the number of classes too, {facts.columns}"
            return words, convened(request, scale=request.convention.scale / facts.columns)
        if self.when == "two columns" and facts.columns != 2:
            return "", request
        return f"multiplies by {short(self.factor)}", convened(request, scale=request.convention.scale * self.factor)

    def words(self) -> str:
        if self.when == "per column":
            return "divides by the number of classes too, unless it sums"
        where = " where there are two classes" if self.when == "two columns" else ""
        return f"multiplies by {short(self.factor)}{where}"


@dataclass(frozen=True)
class AddUp:
    """Losses are added up in the dtype of the computation, and are infinite beyond its range."""

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        return "", convened(request, sums_in=request.convention.cast or facts.computed.name)

    def words(self) -> str:
        return ""


@dataclass(frozen=True)
class WeighTerms:
    """Class weights multiply each class's term of a smoothed or soft target, and not the row."""

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        if request.class_weight is None or not (request.label_smoothing or facts.in_rows):
            return "", request
        return self.words(), convened(request, class_terms=True)

    def words(self) -> str:
        return "weighs each class's term of a smoothed or soft target, and not the row"


@dataclass(frozen=True)
class OnlyMean:
    """A step that is not taken if losses are summed."""

    step: Change
    reduction: str

    def adopt(self, request: Request, facts: Facts) -> tuple[str, Request]:
        if request.reduction != self.reduction:
            return "", request
        return self.step.adopt(request, facts)

    def words(self) -> str:
        return f"{self.step.text}, unless it sums"


PAIRS = Change(
    "takes the mean over all pairs, so that a row counts as often as it has positives", Convention(pairs=True)
)
BY_LENGTH = Change("divides each loss by the number of its labels, at least 1", Convention(by_length=True))
SKIPS_ZEROS = Change("leaves rows out whose loss is 0", Convention(skips_zeros=True))
