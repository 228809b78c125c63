"""The version, in the one place where it is written; importlib.metadata would cost a tenth of a small computation's time."""

__version__ = "0.1.0"
