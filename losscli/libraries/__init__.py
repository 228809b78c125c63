"""Facts about other libraries: which of their calls compute a loss, their conventions and known defects.

One module per library, each a table of calls. `losscli.measurement.conventions` turns a call into the conventions that
make its number differ, one at a time; `compute --as`, `explain` and the search for names read these tables.
"""

from functools import lru_cache
from importlib import import_module

from losscli.libraries.call import Call, Library

NAMES = ("torch", "keras", "tf1", "optax", "sklearn")
"""The names of the libraries for --as."""


@lru_cache(maxsize=1)
def libraries() -> dict[str, Library]:
    """Return all libraries, by their names for --as."""
    return {name: import_module(f"{__name__}.{name}").LIBRARY for name in NAMES}


@lru_cache(maxsize=1)
def names() -> dict[str, set[str]]:
    """Return the libraries' names of losses, in lower case and without '_' -> losscli's
    names of the losses that they mean.
    """
    by_name: dict[str, set[str]] = {}
    for library in libraries().values():
        for call in library.calls:
            for name in call.names:
                by_name.setdefault(name.lower().replace("_", ""), set()).add(call.loss)
    return by_name


def calls_of(loss: str) -> dict[str, list[Call]]:
    """Return the calls that compute a loss, by library."""
    by_library = {name: [call for call in library.calls if call.loss == loss] for name, library in libraries().items()}
    return {name: calls for name, calls in by_library.items() if calls}


MEANINGS = {
    "brier-score-loss": "scikit-learn halves it for two classes, and sums over more",
    "contrastive-loss": "pytorch-metric-learning's has no square and no half; MONAI's ContrastiveLoss is nt-xent",
    "cosine-similarity": "the loss of Keras is minus the cosine; of torch and optax it is the cosine itself, no loss",
    "dice-loss": "optax's takes a softmax over the classes and smooth = 1, segmentation-models' pools the batch, MONAI's takes "
    "the mean over rows and classes",
    "focal": "of one sigmoid an output here; with a softmax over the classes it is softmax-focal",
    "hinge-loss": "scikit-learn's is multiclass-hinge for more than two classes; torchmetrics' takes a sigmoid first",
    "kl-div-loss": "torch's default divides by the number of elements, not of rows",
    "l2": "half the square here; LightGBM's l2 has no half",
    "l2-loss": "optax's is half the square of each element, tf.nn's half the sum of squares",
    "mape": "a fraction here and in scikit-learn, times 100 in Keras; LightGBM and CatBoost divide by max(1, |t|)",
    "poisson": "of rates here and in Keras; torch's PoissonNLLLoss takes logarithms of rates by default, which is log-poisson",
    "poisson-nll-loss": "torch's default takes logarithms of rates; with log_input=False it is poisson",
    "sigmoid-focal-loss": "alpha is 0.25 by default in torchvision and kornia, none in optax and here",
    "smape": "from 0 to 2 here and in torchmetrics, times 100 in CatBoost",
    "sparsemax-loss": "optax's sparsemax_loss is that of one output, binary-sparsemax; its multiclass_sparsemax_loss is this",
    "triplet-margin-loss": "of given triplets here, in torch and in optax; pytorch-metric-learning's makes all triplets of a batch",
    "tversky": "alpha weighs false positives here; in Keras up to 3.15 it weighs false negatives",
    "zero-one-loss": "of scores here; scikit-learn's takes labels, and of several outputs a sample one wrong one counts as all",
}
"""Names that mean different things in different libraries -> what they mean."""


def meaning(name: str) -> str | None:
    """Return what a name means in other libraries, if that is something else; None otherwise."""
    plain = name.rpartition(".")[2].lower().replace("_", "").replace("-", "")
    return next((text for known, text in MEANINGS.items() if known.replace("-", "") == plain), None)


__all__ = ["NAMES", "Call", "Library", "calls_of", "libraries", "meaning", "names"]
