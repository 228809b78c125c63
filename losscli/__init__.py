"""losscli: losses computed from files of predictions and targets."""


def __getattr__(name: str) -> str:
    # Read on demand: importlib.metadata costs more than the rest of `losscli --help`'s own imports.
    if name == "__version__":
        from importlib.metadata import version

        return version("losscli")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
