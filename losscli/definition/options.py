"""Which losses take which options: asked of the family, by the command line and by the Python functions alike."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.definition.loss import Family  # which needs NumPy, and help does not

Taken = Callable[["Family"], bool]

TAKEN_BY: Mapping[str, Taken] = {
    "from": lambda family: family.takes_from,
    "label-smoothing": lambda family: family.smoothing is not None,
    "smoothing-mode": lambda family: family.smoothing is not None,
    "pos-weight": lambda family: family.takes_pos_weight,
    "centers": lambda family: family.takes_centers,
    "variance": lambda family: family.third_operand == "variance",
    "scale": lambda family: family.third_operand == "scale",
    "dispersion": lambda family: family.third_operand == "dispersion",
    "levels": lambda family: family.takes_levels,
    "negative": lambda family: family.third_operand == "negative",
    "other": lambda family: family.third_operand == "other",
    "reference": lambda family: family.third_operand == "reference",
    "event": lambda family: family.third_operand == "event",
    "group": lambda family: family.lists and not family.custom,
    "per": lambda family: family.has_units,
    "class-axis": lambda family: family.takes_class_axis,
    "over-positions": lambda family: family.has_units and family.coupled is None,
    "mask": lambda family: family.has_units,
    "missing": lambda family: family.several_outputs,
    "exclude-class": lambda family: family.takes_activation,
    "output-weight": lambda family: family.several_outputs,
    "shift": lambda family: family.takes_class_axis and family.coupled is None,
    "bytes": lambda family: family.of_true_class,
    "activation": lambda family: family.takes_activation,
    "box": lambda family: family.boxes,
    "targets-from": lambda family: family.takes_distributions,
    "temperature": lambda family: family.takes_distributions,
    "temperature-squared": lambda family: family.takes_distributions,
    "time-axis": lambda family: family.of_sequences,
    "input-lengths": lambda family: family.of_sequences,
    "target-lengths": lambda family: family.of_sequences,
    "over-outputs": lambda family: family.several_outputs,
    "classes": lambda family: family.takes_classes,
    "reliability-of": lambda family: family.likelihood is not None,
    "classwise-ece": lambda family: family.likelihood is not None,
    "operands": lambda family: family.custom,
    "takes": lambda family: family.custom,
    "label-base": lambda family: family.takes_classes and family.target_type != "signs",
    "class-weight": lambda family: family.takes_class_weight,
    "class-counts": lambda family: family.takes_class_weight,
    "elements": lambda family: family.several_outputs,
}
"""Options by their names without the dashes; every loss takes what is not here."""
FILES = (
    "sample-weight",
    "centers",
    "mask",
    "bytes",
    "input-lengths",
    "target-lengths",
    "variance",
    "scale",
    "dispersion",
    "negative",
    "other",
    "reference",
    "event",
    "group",
)
"""Options whose value is a file."""
FILES_OR_NUMBERS = ("sample-weight", "variance", "scale", "dispersion", "bytes", "input-lengths", "target-lengths")
"""Those of them in whose place one number may stand."""


def takes(family: "Family", option: str) -> bool:
    """Whether losses of a family take an option."""
    taken = TAKEN_BY.get(option)
    return taken is None or taken(family)
