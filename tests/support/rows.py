"""Numbers for the oracle's formulas of whole rows, as the package has them."""

from losscli.analysis.shared.oracle.rows import Dual, Row, cumsum, divided, lifted, plain, power, times

__all__ = ["Dual", "Row", "cumsum", "divided", "lifted", "plain", "power", "times"]
