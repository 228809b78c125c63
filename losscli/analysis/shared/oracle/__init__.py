"""The oracle: losses in 60-digit arithmetic, from the formulas of their declarations. It needs mpmath."""
