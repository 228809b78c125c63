"""What the pages of a gallery are made of: formulas as MathML, and as JavaScript that a page computes curves with.

The declaration of a loss is the only source of both; the grammar is that of docs/formulas.md.
"""
