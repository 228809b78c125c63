"""Measurements: from a request and its files to a result, with everything that its number depends on."""
