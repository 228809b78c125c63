"""The closed sets of words that the questions of `losscli.analysis` use, for options to list; it imports nothing else."""

from typing import Literal

CenterRule = Literal["paper", "sgd", "mean"]
"""How class centers follow from features; `losscli.analysis.centers.RULES` has the formulas."""
Binning = Literal["width", "mass"]
"""Whether bins of confidence have equal widths, or equally many rows."""
CalibrationMethod = Literal["temperature", "platt", "isotonic"]
"""What is fitted to calibrate: T of softmax(z / T); a and b of sigmoid(a s + b) of each column; or steps that never fall of each column."""
FailingVerdict = Literal["worse", "not-better"]
"""Verdicts of a comparison on which a command can fail; 'not-better' stands for all but 'better'."""
