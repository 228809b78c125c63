"""Values and gradients that frameworks returned, with their versions; `tests/support/make_frameworks.py` made the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.definition.request import Request
from losscli.engine.evaluate import ChunkResult
from losscli.lookup.names import find
from losscli.measurement.prepare import prepare

pytestmark = pytest.mark.simd

CASES = json.loads((Path(__file__).parent / "frameworks.json").read_text())
OPTIONS = {"from": "prediction_kind", "label_smoothing": "label_smoothing", "smoothing_mode": "smoothing_mode"}


def numbers(values: Any) -> np.ndarray:
    """JSON has no infinities: they are the strings 'inf' and '-inf'."""
    return np.array(values, dtype=object).astype(float)


def request_of(case: dict[str, Any], predictions: Path, targets: Path) -> Request:
    options = {OPTIONS[key]: value for key, value in case["options"].items() if key in OPTIONS}
    if "ignore_index" in case["options"]:
        options["ignore_index"] = str(case["options"]["ignore_index"])
    weight = case["options"].get("pos_weight")
    if isinstance(weight, list):
        weight = ",".join(f"{i}={one!r}" for i, one in enumerate(weight))
    if weight is not None:
        options["pos_weight"] = str(weight)
    bound = find(case["loss"]).bind(**case["parameters"])
    if "beside" in case:
        np.save(predictions.with_name("b.npy"), np.array(case["beside"], case["dtype"]))
        options["third_operand"] = str(predictions.with_name("b.npy"))
    # A framework's gradient is that of the sum of all losses, over the outputs of a sample too.
    return Request(bound, str(predictions), str(targets), over_outputs="sum", **options)


def test_the_file_covers_several_libraries_and_losses() -> None:
    assert {case["library"].split()[0] for case in CASES} == {"torch", "keras", "optax", "tensorflow", "scikit-learn"}
    assert len({case["loss"] for case in CASES}) >= 12
    assert len(CASES) > 500


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['library'].split()[0]}-{case['loss']}")
def test_losses_and_gradients_are_those_of_the_framework(case: dict[str, Any], tmp_path: Path) -> None:
    dtype = np.dtype(case["dtype"])
    predictions = numbers(case["predictions"]).astype(dtype)
    targets = np.array(case["targets"])
    np.save(tmp_path / "p.npy", predictions)
    np.save(tmp_path / "t.npy", targets.astype(dtype) if targets.dtype.kind == "f" else targets)
    loss = find(case["loss"])
    several = predictions.ndim == 2 and loss.family.several_outputs
    request = request_of(case, tmp_path / "p.npy", tmp_path / "t.npy")
    chunks: list[ChunkResult] = []
    prepare(request, rows=True, elements=several, gradient=True).run(chunks.append)
    rows = [rows for chunk in chunks for rows in chunk.rows]
    found = np.concatenate([part.elements if several else part.loss for part in rows])
    rtol, atol = (3e-6, 1e-7) if dtype == np.float32 else (1e-11, 1e-15)
    scale, shift = case.get("scale", 1), case.get("shift", 0)
    np.testing.assert_allclose(scale * found + shift, numbers(case["losses"]), rtol=rtol, atol=atol)
    if case["gradient"] is not None:
        gradient = scale * np.concatenate([part for chunk in chunks for part in chunk.gradient])
        np.testing.assert_allclose(gradient, numbers(case["gradient"]), rtol=rtol * 10, atol=atol * 10)
