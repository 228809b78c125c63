"""Who else computes these losses, and with what. Standard library only: the modules beside it import the frameworks.

Each of those has one function, `prepare(loss, predictions, targets, gradient=False, threads=None, **options)`. It
turns NumPy arrays into what the framework computes with, and returns a function without arguments that does the work
and returns the mean: called once by a script (whole.py), and again and again in one process (in_process.py).
"""

from dataclasses import dataclass
from importlib.util import find_spec

ALL = frozenset({"softmax-cross-entropy", "sigmoid-cross-entropy", "sigmoid-focal", "huber", "squared-error"})


@dataclass(frozen=True)
class Peer:
    """A way to get the mean loss of two files without losscli."""

    name: str
    module: str
    needs: tuple[str, ...]
    """What is imported; without one of them it is 'not installed'."""
    reader: str = "npy"
    losses: frozenset[str] = ALL
    smooths: bool = True
    differentiates: bool = True
    shapes: bool = False
    """Whether it takes an array of more than two axes, of which class_axis has the classes."""

    @property
    def format(self) -> str:
        return "npy" if self.reader == "npy" else "csv"

    def missing(self) -> list[str]:
        return [name for name in self.needs if find_spec(name) is None]

    def applies(self, loss: str, options: dict[str, float], gradient: bool = False) -> bool:
        return (
            loss in self.losses
            and (self.smooths or "label_smoothing" not in options)
            and (self.differentiates or not gradient)
            and (self.shapes or "class_axis" not in options)
        )


PEERS = (
    Peer("torch", "with_torch", ("torch",), shapes=True),
    Peer("optax", "with_optax", ("jax", "optax"), shapes=True),
    Peer(
        "scikit-learn",
        "with_sklearn",
        ("sklearn", "scipy"),
        losses=frozenset({"softmax-cross-entropy", "sigmoid-cross-entropy"}),
        smooths=False,
        differentiates=False,
    ),
    Peer("numpy", "with_numpy", ("numpy",)),
    Peer("polars + numpy", "with_numpy", ("polars", "numpy"), reader="polars"),
    Peer("pandas + numpy", "with_numpy", ("pandas", "numpy"), reader="pandas"),
    Peer("np.loadtxt + numpy", "with_numpy", ("numpy",), reader="loadtxt"),
    Peer("polars + torch", "with_torch", ("polars", "torch"), reader="polars"),
)

FRAMEWORKS = ("torch", "jax", "optax", "scikit-learn", "scipy", "pandas", "polars")
"""Distributions whose versions, or absence, the heading of the table gives; NumPy is always there."""
