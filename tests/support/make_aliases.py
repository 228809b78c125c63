"""Make tests/lookup/aliases.json: what the libraries give for the calls of aliases.py.

Usage: `python tests/support/make_aliases.py [LIBRARY ...]`, where the libraries that are named are installed, by default all of those in
the table. The tests need none of them. Running the script again with the same versions writes the same numbers.

The file has one line per call: the call, the version of the library that ran, and the number. Keras and TensorFlow compute in float32,
and so do LightGBM and CatBoost where they print. The wheel of torchvision on PyPI needs a build of PyTorch for CUDA.
"""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from aliases import USES, Use, inputs_of

os.environ.update(CUDA_VISIBLE_DEVICES="", JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu", TF_CPP_MIN_LOG_LEVEL="3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

OUTPUT = Path(__file__).parent.parent / "lookup" / "aliases.json"
TORCH = (
    "torch",
    "torchmetrics",
    "torchvision",
    "timm",
    "segmentation-models-pytorch",
    "pytorch-metric-learning",
    "monai",
    "kornia",
)
"""The libraries whose functions take tensors of PyTorch; the others take arrays of NumPy."""
DISTRIBUTIONS = {"tensorflow": "tensorflow-cpu"}
"""Libraries whose package has another name."""
NEEDED = [
    "keras.losses",
    "optax",
    "scipy.special",
    "scipy.spatial.distance",
    "scipy.stats",
    "sklearn.metrics",
    "sklearn._loss.loss",
    "statsmodels.robust.norms",
    "torchmetrics.functional.classification",
    "torchmetrics.functional.regression",
    "torchvision.ops",
    "timm.loss",
    "segmentation_models_pytorch.losses._functional",
    "pytorch_metric_learning.losses",
    "monai.losses",
    "kornia.losses",
]
"""Modules that calls name; importing one binds the package that it is in."""


def library_of(use: Use) -> str:
    """The name of the distribution that a call runs."""
    return use.source.split()[0]


def number(use: Use) -> float:
    """What a library gives for a call."""
    library = library_of(use)
    values: dict[str, Any] = inputs_of(use.inputs)
    names: dict[str, Any] = {"numpy": np, **HELPERS}
    if library in TORCH:
        import torch

        names["torch"] = torch
        values = {name: torch.tensor(array) for name, array in values.items()}
    for module in NEEDED:
        if module.split(".")[0] in use.call:
            importlib.import_module(module)
            names[module.split(".")[0]] = sys.modules[module.split(".")[0]]
    if library == "tensorflow":
        import tensorflow

        names["tf"] = tensorflow
    if "exp(" in use.call:
        names["exp"] = np.exp
    found = eval(use.call, names | values)
    return float(np.mean(np.asarray(found.detach() if hasattr(found, "detach") else found)))


def scipy_cost(name: str, p: Any, t: Any) -> float:
    """The mean cost of residuals in scipy.optimize.least_squares, at its f_scale of 1."""
    from scipy.optimize import least_squares

    return float(least_squares(lambda x: p - t + 0 * x[0], [0.0], loss=name, max_nfev=1).cost / len(p))


def sgd_loss(name: str, p: Any, t: Any, *arguments: float) -> float:
    """The mean of a loss of SGDClassifier and SGDRegressor."""
    from sklearn.linear_model import _sgd_fast

    loss = getattr(_sgd_fast, name)(*arguments)
    return float(np.mean([loss.py_loss(*pair) for pair in zip(p, t, strict=True)]))


def lightgbm_metric(name: str, p: Any, t: Any) -> float:
    """A metric of LightGBM for given predictions: those of a model of no trees, which start from the initial scores."""
    import lightgbm

    raw = np.log(p) if name in ("gamma", "poisson", "tweedie") else p
    objective = {"gamma": "gamma", "mape": "mape"}.get(name, "regression")
    quiet = {
        "objective": objective,
        "metric": name,
        "verbose": -1,
        "min_data_in_leaf": 1000,
        "boost_from_average": False,
    }
    data = lightgbm.Dataset(
        np.zeros((len(t), 1)), t, init_score=raw, params={"verbose": -1, "feature_pre_filter": False}
    )
    booster = lightgbm.Booster(quiet, data)
    return float(booster.eval_train()[0][2])


def catboost_metric(name: str, p: Any, t: Any) -> float:
    """A metric of CatBoost for given raw predictions; of lists, each row is one."""
    from catboost.utils import eval_metric

    if np.ndim(p) == 1:
        return float(eval_metric(np.asarray(t, float), np.asarray(p, float), name)[0])
    groups = np.repeat(np.arange(len(p)), p.shape[1])
    return float(eval_metric(np.ravel(t).astype(float), np.ravel(p), name, group_id=groups)[0])


def catboost_pairs(z: Any, t: Any) -> float:
    """PairLogit of CatBoost: each row is a group of two, of which one is better."""
    import catboost

    first = np.arange(len(z)) * 2
    pairs = np.stack([np.where(t == 1, first, first + 1), np.where(t == 1, first + 1, first)], 1)
    data = catboost.Pool(
        np.zeros((z.size, 1)),
        np.zeros(z.size),
        group_id=np.repeat(np.arange(len(z)), 2),
        pairs=pairs,
        baseline=np.ravel(z),
    )
    model = catboost.CatBoost(
        {
            "loss_function": "PairLogit",
            "iterations": 1,
            "verbose": False,
            "allow_writing_files": False,
            "learning_rate": 1e-6,
            "allow_const_label": True,
        }
    )
    model.fit(
        catboost.Pool(
            np.arange(z.size)[:, None], np.zeros(z.size), group_id=np.repeat(np.arange(len(z)), 2), pairs=pairs
        )
    )
    return float(model.eval_metrics(data, "PairLogit")["PairLogit"][-1])


def with_weights(loss: Any, weights: Any) -> Any:
    """A loss of pytorch-metric-learning whose class vectors are given."""
    import torch

    name = "W" if hasattr(loss, "W") else "weight"
    setattr(loss, name, torch.nn.Parameter(weights))
    return loss


HELPERS: dict[str, Any] = {
    "catboost_metric": catboost_metric,
    "catboost_pairs": catboost_pairs,
    "lightgbm_metric": lightgbm_metric,
    "scipy_cost": scipy_cost,
    "sgd_loss": sgd_loss,
    "with_weights": with_weights,
}


def lines(uses: Iterable[Use]) -> list[dict[str, Any]]:
    """Run calls: their lines in the file."""
    found = []
    for use in uses:
        library = library_of(use)
        version = importlib.metadata.version(DISTRIBUTIONS.get(library, library)).split("+")[0]
        found.append({"call": use.call, "inputs": use.inputs, "library": f"{library} {version}", "value": number(use)})
    return found


def is_installed(library: str) -> bool:
    """Whether a library can be run here, by the name of its distribution."""
    modules = {"scikit-learn": ("sklearn",), "keras": ("keras", "tensorflow")}.get(
        library, (library.replace("-", "_"),)
    )
    return all(importlib.util.find_spec(module) is not None for module in modules)


def main(libraries: list[str]) -> None:
    """Run the calls of some libraries, of all by default, and write the file; --installed prints those of libraries that are installed."""
    called = [use for use in USES if use.call]
    if libraries == ["--installed"]:
        print(json.dumps(lines(use for use in called if is_installed(library_of(use)))))
        return
    kept = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else []
    found = lines(use for use in called if not libraries or library_of(use) in libraries)
    by_call = {(line["call"], line["inputs"]): line for line in [*kept, *found]}
    ordered = [by_call[use.call, use.inputs] for use in called if (use.call, use.inputs) in by_call]
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(line) for line in ordered) + "\n]\n", encoding="utf-8")
    print(f"{len(ordered)} calls in {OUTPUT}")


if __name__ == "__main__":
    main(sys.argv[1:])
