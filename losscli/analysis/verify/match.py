"""Finding which of losscli's losses a loss of the user's own computes, and with which parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import get_args

import numpy as np

from losscli.analysis.shared.points import LABELS, grid
from losscli.analysis.verify.model import Matched
from losscli.analysis.verify.patterns import close
from losscli.analysis.verify.subject import Reference, Subject
from losscli.custom.dotted import is_dotted
from losscli.custom.guess import guessed
from losscli.custom.loss import CLASSES, NUMBERS, Settings, settled
from losscli.custom.reading import EITHER, CallError, Found
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.definition.words import PredictionKind
from losscli.errors import UsageError
from losscli.libraries import names
from losscli.lookup.names import find
from losscli.lookup.spec import single


def known(where: str) -> list[str]:
    """Return the losses that a library means by a dotted name, such as torch.nn.functional.huber_loss."""
    if not is_dotted(where):
        return []
    return sorted(names().get(where.rpartition(".")[2].lower().replace("_", ""), ()))


class Matcher:
    """Finds how a loss is called: if its names do not tell, by trying which way fits a reference best."""

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
        """The kinds of predictions that it may take."""
        said = self.takes or (None if self.found.wants == EITHER else self.found.wants)
        if said:
            return (said,)
        return ("logits", "probs") if self.found.wants == EITHER else get_args(PredictionKind)

    def matched(self) -> Matched:
        """Return the way of calling it whose losses differ least from those of a reference; the first of several.

        Raises
        ------
        UsageError
            if the reference has no grid.
        CallError
            if the loss cannot be called in any way.
        """
        errors: list[CallError] = []
        best: tuple[float, Matched] | None = None
        for bound in self.references():
            for candidate in self._tried(bound, errors):
                misfit = self._misfit(candidate, errors)
                if misfit is not None and (best is None or misfit < best[0]):
                    best = misfit, candidate
        if best is not None:
            return best[1]
        if errors:
            raise errors[0]
        return self._without()

    def references(self) -> Iterator[BoundLoss]:
        """Yield the losses to compare with, with the parameters that both have under the same name."""
        guesses = dict.fromkeys(
            [*known(self.found.where), *(guessed(self.found.where, columns) for columns in (True, False))]
        )
        for name in filter(None, [self.against] if self.against else guesses):
            bound = single(name)
            family = bound.family
            if not (family.several_outputs or (family.target_type == "classes" and family.takes_from)):
                if not self.against:
                    continue
                raise UsageError(f"--against {name}: no grid is known for losses of {family.name}; choose another")
            yield bound.declaration.bind(**dict(bound.parameters) | self._shared(bound))

    def _shared(self, bound: BoundLoss) -> dict[str, float | None]:
        """Return parameters that both losses have under the same name, unless the SPEC set them."""
        set_by_spec = {part.partition("=")[0].replace("-", "_") for part in (self.against or "").split(":")[1:]}
        own = bound.declaration.parameters
        return {
            name: value
            for name, value in self.parameters.items()
            if name in own and name not in set_by_spec and (value is not None or own[name].default is None)
        }

    def _tried(self, bound: BoundLoss, errors: list[CallError]) -> Iterator[Matched]:
        """Yield the ways of calling it that may fit a reference; `errors` gets those that fail."""
        family = bound.family
        alpha = self.parameters.get("alpha")
        # Users often multiply by an alpha that the reference does not have.
        factors = [1.0] if alpha is None or "alpha" in bound.declaration.parameters else [float(alpha), 1.0]
        for prediction_kind in self.kinds if family.takes_from else self.kinds[:1]:
            try:
                settings = self._settled(family.target_type == "classes", prediction_kind)
            except CallError as error:
                errors.append(error)
                continue
            for labels in LABELS if family.target_type in ("signs", "outcomes") else LABELS[:1]:
                for factor in factors:
                    yield Matched(settings, prediction_kind, family, Reference(bound, prediction_kind, factor), labels)

    def _settled(self, columns: bool, prediction_kind: str) -> Settings:
        """Return how it is called for columns of classes, or for one number per row."""
        request = Request(
            find("mse").bind(), "", "", prediction_kind=prediction_kind, operands=self.operands, takes=self.takes
        )
        family, row = (CLASSES, (3,)) if columns else (NUMBERS, ())
        return settled(self.found, self.parameters, request, family, row, np.dtype(np.float64))

    def _misfit(self, candidate: Matched, errors: list[CallError]) -> float | None:
        """Return the share of a grid on which it differs from the reference; None if it fails."""
        assert candidate.reference is not None
        points = grid(candidate.family, candidate.prediction_kind, candidate.labels)
        subject = Subject(self.found, candidate.settings, self.parameters, candidate.prediction_kind)
        try:
            return float(np.mean(~close(subject.values(points), candidate.reference(points))))
        except CallError as error:
            errors.append(error)
            return None

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
                candidate = replace(candidate, settings=self._settled(columns, candidate.prediction_kind))
                values = Subject(self.found, candidate.settings, self.parameters, candidate.prediction_kind).values(
                    grid(family, candidate.prediction_kind)
                )
            except CallError as error:
                errors.append(error)
                continue
            finite = values[np.isfinite(values)]
            if len(finite) and finite.min() < finite.max():
                return candidate
        raise errors[0] if errors else CallError(f"{self.found.where}: returns one number, whatever it is given")
