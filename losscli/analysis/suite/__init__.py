"""Suites of measurements and requirements: `schema` declares the file, `load` reads it, `measure` runs it; `model` has the records."""
