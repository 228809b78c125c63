"""The closed sets of words that the questions of `losscli.analysis` use, for options to list; it imports nothing else."""

from typing import Literal

CenterRule = Literal["paper", "sgd", "mean"]
"""How class centers follow from features; `losscli.analysis.centers.RULES` has the formulas."""
Binning = Literal["width", "mass"]
"""Whether bins of confidence have equal widths, or equally many rows."""
FailingVerdict = Literal["worse", "not-better"]
"""Verdicts of a comparison on which a command can fail; 'not-better' stands for all but 'better'."""
