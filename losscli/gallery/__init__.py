"""The losses as pages for a browser: what `losscli gallery` writes.

The declaration of a loss is the only source of a page: of its text, of its formulas as MathML, and of the JavaScript that
computes its curves, by the grammar of docs/formulas.md.
"""
