"""Verification of a loss of the user's own: whether its values and gradients are those of a reference."""
