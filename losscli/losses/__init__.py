"""The mathematics: one module a family, each a lift and its losses. NumPy and nothing else.

Importing this package declares every loss.
"""

from losscli.core import FAMILIES, LOSSES, find
from losscli.losses import embedding, margin, residual, sigmoid, softmax

__all__ = ["FAMILIES", "LOSSES", "embedding", "find", "margin", "residual", "sigmoid", "softmax"]
