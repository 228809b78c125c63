"""The collectors: one statistic of a pass per file."""
