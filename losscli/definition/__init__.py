"""The definition of a loss: its declaration, its family, its domain, and the registry of all losses."""
