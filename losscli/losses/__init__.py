"""The mathematics: one module per family, each with a lift and its losses. NumPy and nothing else.

Importing this package declares every loss.
"""

from importlib import import_module

from losscli.definition.registry import FAMILIES, LOSSES, declared, find

FAMILY_MODULES = (
    "residual",
    "relative",
    "distribution",
    "latent",
    "likelihood",
    "margin",
    "sigmoid",
    "softmax",
    "divergence",
    "class_logits",
    "longtail",
    "ordinal",
    "thresholds",
    "multiview",
    "multiclass_margin",
    "ranking",
    "embedding",
    "angular",
    "contrastive",
    "proxy",
    "mined",
    "two_views",
    "preference",
    "adversarial",
    "overlap",
    "whole_file",
    "box",
    "ensemble",
    "forecast",
    "sequence",
    "survival",
)
"""The modules in the order in which lists show their losses."""

for _family in FAMILY_MODULES:
    import_module(f"{__name__}.{_family}")

__all__ = ["FAMILIES", "LOSSES", "declared", "find"]
