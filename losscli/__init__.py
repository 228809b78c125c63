"""losscli: losses computed from files of predictions and targets."""

__version__ = "0.1.0"
"""The one place where it is written; importlib.metadata would cost a tenth of a small computation's time."""
