"""From a word to a loss: one that is built in, a library's name for it, FILE.py:NAME, or a SPEC with parameters."""
