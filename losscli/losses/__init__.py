"""The mathematics: one module per family, each with a lift and its losses. NumPy and nothing else.

Importing this package declares every loss.
"""

from importlib import import_module

from losscli.definition.registry import AMBIGUOUS, FAMILIES, LOSSES, find, is_known

FAMILY_MODULES = (
    "residual",
    "relative",
    "distribution",
    "margin",
    "sigmoid",
    "softmax",
    "divergence",
    "class_logits",
    "longtail",
    "ordinal",
    "multiview",
    "multiclass_margin",
    "ranking",
    "embedding",
    "angular",
    "contrastive",
    "overlap",
    "whole_file",
    "box",
    "ensemble",
    "sequence",
)
"""The modules in the order in which lists show their losses."""

for _family in FAMILY_MODULES:
    import_module(f"{__name__}.{_family}")

__all__ = ["AMBIGUOUS", "FAMILIES", "LOSSES", "find", "is_known"]
