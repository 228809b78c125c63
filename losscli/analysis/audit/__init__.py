"""Audit of an installed library: whether its losses and their gradients are right, against formulas at 60 digits."""
