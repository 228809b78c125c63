"""Finding the built-in loss, and its parameters, that a loss of the user's own computes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from losscli.analysis.verify.model import Matched
from losscli.analysis.verify.patterns import close
from losscli.analysis.verify.points import LABELS, grid
from losscli.analysis.verify.subject import Reference, Subject
from losscli.custom.guess import guessed
from losscli.custom.loss import CLASSES, NUMBERS, Settings, settled
from losscli.custom.reading import EITHER, CallError, Found
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.errors import UsageError
from losscli.lookup.names import find
from losscli.lookup.spec import single


class Matcher:
    """Finds how a loss is called: where its names do not say it, as what fits a reference best."""

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

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its predictions may be."""
        said = self.takes or (None if self.found.wants == EITHER else self.found.wants)
        if said:
            return (said,)
        return ("logits", "probs") if self.found.wants == EITHER else ("logits", "probs", "log-probs")

    def matched(self) -> Matched:
        """The way of calling it whose losses differ least from a reference's; the first of several.

        Raises
        ------
        UsageError
            for a reference that has no grid.
        CallError
            for a loss that can be called in no way.
        """
        errors: list[CallError] = []
        best: tuple[float, Matched] | None = None
        for bound in self.references():
            for made in self._tried(bound, errors):
                misfit = self._misfit(made, errors)
                if misfit is not None and (best is None or misfit < best[0]):
                    best = misfit, made
        if best is not None:
            return best[1]
        if errors:
            raise errors[0]
        return self._without()

    def references(self) -> Iterator[BoundLoss]:
        """What it may be compared with, with the parameters that both have by one name."""
        names = (
            dict.fromkeys([self.against])
            if self.against
            else dict.fromkeys(guessed(self.found.where, columns) for columns in (True, False))
        )
        for name in filter(None, names):
            bound = single(name)
            family = bound.family
            if not (family.several_outputs or (family.target_type == "classes" and family.takes_from)):
                raise UsageError(f"--against {name}: no grid is known for losses of {family.name}; choose another")
            yield bound.declaration.bind(**dict(bound.parameters) | self._shared(bound))

    def _shared(self, bound: BoundLoss) -> dict[str, float | None]:
        """Parameters that both losses have by the same name, where the SPEC did not set them."""
        set_by_spec = {part.partition("=")[0].replace("-", "_") for part in (self.against or "").split(":")[1:]}
        own = bound.declaration.parameters
        return {
            name: value
            for name, value in self.parameters.items()
            if name in own and name not in set_by_spec and (value is not None or own[name].default is None)
        }

    def _tried(self, bound: BoundLoss, errors: list[CallError]) -> Iterator[Matched]:
        family = bound.family
        alpha = self.parameters.get("alpha")
        # People multiply by an alpha where the reference has none.
        factors = [1.0] if alpha is None or "alpha" in bound.declaration.parameters else [float(alpha), 1.0]
        for given in self.kinds if family.takes_from else self.kinds[:1]:
            try:
                settings = self._settled(family.target_type == "classes", given)
            except CallError as error:
                errors.append(error)
                continue
            for labels in LABELS if family.target_type in ("signs", "outcomes") else LABELS[:1]:
                for factor in factors:
                    yield Matched(settings, given, family, Reference(bound, given, factor), labels)

    def _settled(self, columns: bool, prediction_kind: str) -> Settings:
        request = Request(
            find("mse").bind(), "", "", prediction_kind=prediction_kind, operands=self.operands, takes=self.takes
        )
        family, row = (CLASSES, (3,)) if columns else (NUMBERS, ())
        return settled(self.found, self.parameters, request, family, row, np.dtype(np.float64))

    def _misfit(self, made: Matched, errors: list[CallError]) -> float | None:
        """The part of a grid on which it differs from the reference."""
        assert made.reference is not None
        points = grid(made.family, made.prediction_kind, made.labels)
        subject = Subject(self.found, made.settings, self.parameters, made.prediction_kind)
        try:
            return float(np.mean(~close(subject.values(points), made.reference(points))))
        except CallError as error:
            errors.append(error)
            return None

    def _without(self) -> Matched:
        """Without a reference: one number a row if it can, or else columns of classes."""
        errors = []
        for columns in (False, True):
            likely = "softmax-cross-entropy" if columns else "squared-error"
            if self.found.wants is not None and not columns:
                likely = "sigmoid-cross-entropy"
            family = find(likely).family
            made = Matched(Settings(False, None, "numbers"), self.kinds[0], family)
            try:
                made = replace(made, settings=self._settled(columns, made.prediction_kind))
                values = Subject(self.found, made.settings, self.parameters, made.prediction_kind).values(
                    grid(family, made.prediction_kind)
                )
            except CallError as error:
                errors.append(error)
                continue
            finite = values[np.isfinite(values)]
            if len(finite) and finite.min() < finite.max():
                return made
        raise errors[0] if errors else CallError(f"{self.found.where}: returns one number, whatever it is given")
