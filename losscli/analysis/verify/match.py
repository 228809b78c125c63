"""Finding which of losscli's losses a loss of the user's own computes, and with which parameters."""

import itertools
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import get_args

import numpy as np

from losscli.analysis.shared.points import LABELS, MASK, Points
from losscli.analysis.verify.model import Matched
from losscli.analysis.verify.patterns import LEVELS, close, explained
from losscli.analysis.verify.subject import Reference, Subject
from losscli.arrays import Array
from losscli.custom import NAMED
from losscli.custom.dotted import is_dotted
from losscli.custom.guess import guessed
from losscli.custom.loss import CLASSES, NUMBERS, ORDERS, Settings, settled, values_of
from losscli.custom.read import read
from losscli.custom.reading import EITHER, CallError, Found, completed
from losscli.definition.loss import BoundLoss, Family
from losscli.definition.request import Request
from losscli.definition.words import PredictionKind
from losscli.errors import LosscliError, UsageError
from losscli.libraries import names
from losscli.lookup.names import find
from losscli.lookup.spec import single
from losscli.records import NamedTuple, replace


def known(where: str) -> list[str]:
    """Return the losses that a library means by a dotted name, such as torch.nn.functional.huber_loss."""
    if not is_dotted(where):
        return []
    return sorted(names().get(where.rpartition(".")[2].lower().replace("_", ""), ()))


COMMON = (
    "softmax-cross-entropy",
    "sigmoid-cross-entropy",
    "softmax-focal",
    "sigmoid-focal",
    "squared-error",
    "half-squared-error",
    "absolute-error",
    "huber",
    "smooth-l1",
    "log-cosh",
    "hinge",
    "squared-hinge",
)
"""Losses that a loss whose name tells nothing may be; it must be exactly one of them."""
USUAL = {"gamma": (1.0, 3.0, 0.5, 1.5, 4.0, 5.0), "alpha": (0.25, 0.75), "smooth": (0.5, 1.0)}
"""Values that parameters of a reference have where the code has them as numbers."""
SMOOTH = ("smooth", "smoothing", "eps", "epsilon")
"""Names of what is added to both sides of the fraction of a loss of masks."""


class _Tried(NamedTuple):
    """A way of calling a loss, and what came out on a grid."""

    candidate: Matched
    points: Points
    values: Array
    misfit: float
    """The share of the rows in which it differs from the reference."""


def _guessed(name: str) -> list[str]:
    """Return the losses that a name probably means, for columns of classes and for one number per row."""
    return [loss for loss in (guessed(name, columns) for columns in (True, False)) if loss is not None]


def _takes(bound: BoundLoss, name: str, value: float | None) -> bool:
    """Whether a loss may have a value of a parameter."""
    try:
        bound.declaration.bind(**dict(bound.parameters) | {name: value})
    except UsageError:
        return False
    return True


def taken_for(where: str, parameters: Mapping[str, float | None]) -> Matched | None:
    """Return how a loss of the user's own is called whose names do not tell; None if no reference explains it."""
    found = read(where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # frameworks warn about the shapes that are tried
            found = completed(found, values_of(found, parameters))
            matched = Matcher(found, parameters, None, None, None).matched()
    except LosscliError:
        return None
    return None if matched.reference is None else matched


class Matcher:
    """Finds how a loss is called: if its names do not tell, by trying every way until a reference, or its mistakes, explain it."""

    def __init__(
        self,
        found: Found,
        parameters: Mapping[str, float | None],
        against: str | None,
        operands: str | None,
        takes: str | None,
    ) -> None:
        self.found, self.parameters, self.against = found, parameters, against
        self.operands, self.takes = operands, takes
        self.errors: list[LosscliError] = []

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of predictions that it may take."""
        said = self.takes or (None if self.found.wants == EITHER else self.found.wants)
        if said:
            return (said,)
        return ("logits", "probs") if self.found.wants == EITHER else get_args(PredictionKind)

    @property
    def orders(self) -> tuple[str | None, ...]:
        """The orders of its operands that may be; None for the one that their names tell."""
        if self.operands or self.found.targets_first is not None:
            return (self.operands,)
        return tuple(ORDERS)

    def matched(self) -> Matched:
        """Return the way of calling it whose losses are those of a reference; else those that the fewest mistakes explain.

        If no mistakes that are known explain the losses, it is the way that differs least.

        Raises
        ------
        UsageError
            if the reference has no grid.
        CallError
            if the loss cannot be called in any way.
        """
        references = list(self.references())
        fitting = [one for bound in references for one in self._all_tried(bound)]
        best = next((one.candidate for one in fitting if not one.misfit), None)
        if best is None:
            variants = (
                one for bound in references for other in self._variants(bound) for one in self._all_tried(other)
            )
            best = next((one.candidate for one in variants if not one.misfit), None)
        best = best or self._explained(fitting)
        if best is None and not self._speaks:
            bounds = [self._bound(name) for name in COMMON]
            bounds += [other for bound in bounds for other in self._variants(bound)]
            common = (one for bound in bounds for one in self._all_tried(bound))
            best = next((one.candidate for one in common if not one.misfit), None)
        if best is not None:
            return best
        if fitting and self._speaks:
            return min(fitting, key=lambda one: one.misfit).candidate
        if self._speaks and self.errors:
            raise self.errors[0]
        return self._without()

    def _explained(self, tried: "list[_Tried]") -> Matched | None:
        """Return the way of calling it that is explained by the fewest mistakes; the first of several."""
        for mistakes in LEVELS:
            if mistakes == LEVELS[-1]:
                tried = sorted(tried, key=lambda one: one.misfit)[:1]
            for one in tried:
                reference = one.candidate.reference
                assert reference is not None
                found = explained(reference, one.points, one.values, mistakes)
                if found is not None:
                    return replace(one.candidate, explanation=found)
        return None

    @property
    def _guesses(self) -> list[str]:
        """The losses that its name, or else its parameters or its file's name, speak of."""
        where = self.found.where
        guesses = self._guesses_of_code
        if not guesses and (match := re.fullmatch(NAMED, where)):
            guesses = _guessed(os.path.basename(match["path"]).removesuffix(".py"))
        return list(dict.fromkeys(guesses))

    @property
    def _guesses_of_code(self) -> list[str]:
        """The losses that its name, or else its parameters, speak of."""
        where = self.found.where
        guesses = [*known(where), *_guessed(where)]
        return guesses or (_guessed("focal") if "gamma" in self.parameters else [])

    @property
    def _speaks(self) -> bool:
        """Whether it is known which loss it should be; a file's name alone, such as l2.py, is no more than a first guess."""
        return bool(self.against or self._guesses_of_code)

    def references(self) -> Iterator[BoundLoss]:
        """Yield the losses to compare with, with the parameters that both have under the same name."""
        for name in [self.against] if self.against else self._guesses:
            bound = self._bound(name)
            family = bound.family
            if family.coupled == "masks":
                yield from self._of_masks(bound)
            elif family.several_outputs or (family.target_type == "classes" and family.takes_from):
                yield bound
            elif self.against:
                raise UsageError(f"--against {name}: no grid is known for losses of {family.name}; choose another")

    def _of_masks(self, bound: BoundLoss) -> Iterator[BoundLoss]:
        """Yield a loss of masks with each meaning of what is added to its fraction: to I, or to 2 * I, where it counts half as much."""
        losses = [bound]
        if bound.name == "dice" and not self.against:
            losses.append(single("squared-dice"))
        value = next((self.parameters[name] for name in SMOOTH if self.parameters.get(name) is not None), None)
        for one in losses:
            if "smooth" not in one.parameters:  # nothing is added to a fraction, as in lovasz-hinge
                yield one
                continue
            said = "smooth=" in (self.against or "")
            smooths = [one.parameters["smooth"]] if value is None or said else [value, value / 2]
            for smooth in smooths:
                yield one.declaration.bind(**dict(one.parameters) | {"smooth": smooth})

    def _bound(self, name: str) -> BoundLoss:
        """Return a loss with the parameters that both have under the same name."""
        bound = single(name)
        return bound.declaration.bind(**dict(bound.parameters) | self._shared(bound))

    def _shared(self, bound: BoundLoss) -> dict[str, float | None]:
        """Return parameters that both losses have under the same name, unless the SPEC set them or the reference cannot have them."""
        set_by_spec = {part.partition("=")[0].replace("-", "_") for part in (self.against or "").split(":")[1:]}
        own = bound.declaration.parameters
        return {
            name: value
            for name, value in self.parameters.items()
            if name in own
            and name not in set_by_spec
            and (value is not None or own[name].default is None)
            and _takes(bound, name, value)
        }

    def _variants(self, bound: BoundLoss) -> Iterator[BoundLoss]:
        """Yield a reference with usual values of the parameters that this loss does not have, as where the code has them as numbers."""
        names = [name for name in USUAL if name in bound.declaration.parameters and name not in self.parameters]
        if self.against or not names:
            return
        choices = [(bound.parameters[name], *USUAL[name]) for name in names]
        for values in itertools.product(*choices):
            yield bound.declaration.bind(**dict(bound.parameters) | dict(zip(names, values, strict=True)))

    def _all_tried(self, bound: BoundLoss) -> "list[_Tried]":
        """Return all ways of calling it for a reference that do not fail."""
        return [one for one in map(self._tried, self._candidates(bound)) if one is not None]

    def _candidates(self, bound: BoundLoss) -> "Iterator[Matched]":
        """Yield the ways of calling it that may fit a reference."""
        family = bound.family
        masks = family.coupled == "masks"
        for prediction_kind in self.kinds if family.takes_from else self.kinds[:1]:
            for order in self.orders:
                try:
                    settings, single = self._settled(family, prediction_kind, order)
                except CallError as error:
                    self.errors.append(error)
                    continue
                for labels in LABELS if family.target_type in ("signs", "outcomes") and not masks else LABELS[:1]:
                    for with_alpha, factor in self._factors(bound):
                        reference = Reference(with_alpha, prediction_kind, factor)
                        yield Matched(settings, prediction_kind, family, reference, labels, single=single)

    def _factors(self, bound: BoundLoss) -> list[tuple[BoundLoss, float]]:
        """Return a reference with each factor that its losses may have: users often multiply all of them by an alpha."""
        alpha = self.parameters.get("alpha")
        if alpha is None:
            return [(bound, 1.0)]
        if "alpha" not in bound.declaration.parameters:
            return [(bound, float(alpha)), (bound, 1.0)]
        if alpha == 1 or not _takes(bound, "alpha", alpha):
            without = bound.declaration.bind(**dict(bound.parameters) | {"alpha": None})
            return [(without, float(alpha)), (bound, 1.0)]
        return [(bound, 1.0)]

    def _settled(self, likely: Family, prediction_kind: str, order: str | None) -> tuple[Settings, bool]:
        """Return how it is called with rows as losses of a family take them, and whether it takes float32 only.

        Raises
        ------
        CallError
            if it cannot be called.
        """
        request = Request(find("mse").bind(), "", "", prediction_kind=prediction_kind, operands=order, takes=self.takes)
        family: Family = CLASSES if likely.target_type == "classes" else NUMBERS
        row: tuple[int, ...] = (3,) if family is CLASSES else (MASK,) if likely.coupled == "masks" else ()
        try:
            return settled(self.found, self.parameters, request, family, row, np.dtype(np.float64)), False
        except CallError:
            try:
                return settled(self.found, self.parameters, request, family, row, np.dtype(np.float32)), True
            except CallError:
                pass
            raise

    def _tried(self, candidate: Matched) -> "_Tried | None":
        """Return the losses on a grid, and the share of them in which it differs from the reference; None if it fails."""
        assert candidate.reference is not None
        points = candidate.grid()
        subject = Subject(self.found, candidate.settings, self.parameters, candidate.prediction_kind)
        try:
            values = subject.values(points)
        except CallError as error:
            self.errors.append(error)
            return None
        return _Tried(candidate, points, values, float(np.mean(~close(values, candidate.reference(points)))))

    def _without(self) -> Matched:
        """Return how it is called without a reference: with one number per row if
        possible, else with columns of classes.
        """
        errors = []
        for columns in (False, True):
            likely = "softmax-cross-entropy" if columns else "squared-error"
            if self.found.wants is not None and not columns:
                likely = "sigmoid-cross-entropy"
            family = find(likely).family
            candidate = Matched(Settings(False, None, "numbers"), self.kinds[0], family)
            try:
                settings, only32 = self._settled(family, candidate.prediction_kind, self.operands)
                candidate = replace(candidate, settings=settings, single=only32)
                subject = Subject(self.found, candidate.settings, self.parameters, candidate.prediction_kind)
                values = subject.values(candidate.grid())
            except CallError as error:
                errors.append(error)
                continue
            finite = values[np.isfinite(values)]
            if len(finite) and finite.min() < finite.max():
                return candidate
        raise errors[0] if errors else CallError(f"{self.found.where}: returns one number, whatever it is given")
