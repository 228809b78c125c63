"""The command line. Typer is used here and nowhere else; every command parses, calls one function, and renders."""
