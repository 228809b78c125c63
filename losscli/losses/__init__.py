"""The mathematics: one module a family, each a lift and its losses. NumPy and nothing else.

Importing this package declares every loss.
"""

from importlib import import_module

from losscli.core import FAMILIES, LOSSES, find

for _family in ("residual", "margin", "sigmoid", "softmax", "embedding"):  # the order in which lists show them
    import_module(f"{__name__}.{_family}")

__all__ = ["FAMILIES", "LOSSES", "find"]
