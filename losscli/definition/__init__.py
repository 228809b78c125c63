"""What a loss is: its declaration, its family, its domain, and the registry of all losses."""
