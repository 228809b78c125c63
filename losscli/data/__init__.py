"""Which column of which file is what: predictions, targets, labels, weights and third
operands, ready to be computed with.
"""
