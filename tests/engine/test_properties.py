"""Properties of a run, for every loss and any data: what ignoring, weighting, reordering and splitting may change."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn import K, drawn
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from losscli.data.target_encoding import Smoothing
from losscli.definition.loss import Loss
from losscli.engine import job as job_module
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.summary import Summary
from losscli.engine.evaluate import ChunkResult, evaluate
from losscli.engine.job import Job
from losscli.engine.reduction import REDUCTIONS, baseline, reduced
from losscli.io.source import MemorySource
from losscli.losses import LOSSES
from losscli.measurement.measure import essential


def job_of(loss: Loss, n: int, seed: int, dtype: Any = np.float32, **changes: Any) -> Job:
    """A job over random data that the loss takes."""
    return drawn(loss, n, seed).job(loss, dtype, **changes)


def outcome(job: Job, executor: Any = None) -> tuple[Aggregate, np.ndarray, np.ndarray, np.ndarray]:
    """Aggregate, row numbers, per-sample losses and gradient of a job."""
    chunks: list[ChunkResult] = []
    partial = evaluate(job, essential(job), chunks.append, executor)
    rows = [rows for chunk in chunks for rows in chunk.rows]
    gradient = np.concatenate([part for chunk in chunks for part in chunk.gradient])
    sample, loss = (np.concatenate([getattr(part, name) for part in rows]) for name in ("sample", "loss"))
    return partial, sample, loss, gradient


def chosen(source: Any, rows: Any) -> MemorySource:
    return MemorySource(source.name, source.array[rows])


def rows_of(job: Job, rows: Any) -> Job:
    operands = ("predictions", "targets", "weights", "third_operand")
    given = {name: getattr(job, name) for name in operands}
    return replace(job, **{name: chosen(source, rows) for name, source in given.items() if source is not None})


def those(wanted: Callable[[Loss], bool]) -> Any:
    return pytest.mark.parametrize(
        "loss", [loss for loss in LOSSES.values() if wanted(loss)], ids=lambda loss: loss.name
    )


every_loss = those(lambda loss: True)
independent = those(lambda loss: loss.family.coupled != "rows")
"""Losses of rows that do not meet each other."""
labelled = those(lambda loss: loss.family.coupled is None and drawn(loss, 2, 0).targets.ndim == 1)
"""Losses of one target per row, which so can be marked as ignored."""
quick = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks of a few rows and chunks of a few blocks, so that small data is split in many places."""
    monkeypatch.setattr(job_module, "BATCH_BYTES", 64)
    monkeypatch.setattr(job_module, "CHUNK_BYTES", 256)
    return


@every_loss
@quick
@given(n=st.integers(1, 200), seed=st.integers(0, 2**32 - 1), block=st.sampled_from([16, 64, 100, 4096]))
def test_splitting_into_blocks_changes_no_bit_of_a_row(loss: Loss, n: int, seed: int, block: int) -> None:
    job = job_of(loss, n, seed)
    _, _, whole, slopes = outcome(job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_module, "BATCH_BYTES", block)
        patch.setattr(job_module, "CHUNK_BYTES", block * 3)
        _, _, split, again = outcome(job)
    assert whole.tobytes() == split.tobytes()
    assert slopes.tobytes() == again.tobytes()


@independent
@quick
@given(n=st.integers(2, 60), seed=st.integers(0, 2**32 - 1))
def test_permuting_rows_permutes_losses(loss: Loss, n: int, seed: int) -> None:
    job = job_of(loss, n, seed)
    order = np.random.default_rng(seed).permutation(n)
    _, _, losses, slopes = outcome(job)
    _, _, moved, moved_slopes = outcome(rows_of(job, order))
    assert losses[order].tobytes() == moved.tobytes()
    assert slopes[order].tobytes() == moved_slopes.tobytes()


@labelled
@quick
@given(n=st.integers(2, 60), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_ignoring_a_row_is_deleting_it(loss: Loss, n: int, seed: int, data: Any) -> None:
    job = job_of(loss, n, seed)
    drop = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    drop[0] = False
    marked = job.targets.read(0, n).copy()
    marked[drop] = -100
    weights = MemorySource("weights", np.random.default_rng(seed).random(n) + 0.5)
    ignoring = replace(
        job, targets=MemorySource("targets", marked), encoding=replace(job.encoding, ignore=-100.0), weights=weights
    )
    kept = np.flatnonzero(~drop)
    deleted = rows_of(replace(job, weights=weights), kept)
    left, sample, losses, slopes = outcome(ignoring)
    right, _, others, other_slopes = outcome(deleted)
    assert losses.tobytes() == others.tobytes()
    np.testing.assert_array_equal(sample, kept)
    assert left[Summary].ignored == drop.sum()
    assert not slopes[drop].any()
    assert slopes[kept].tobytes() == other_slopes.tobytes()
    for reduction in ("mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"):
        assert reduced(ignoring, left[Summary], REDUCTIONS[reduction]) == reduced(
            deleted, right[Summary], REDUCTIONS[reduction]
        )


@independent
@quick
@given(n=st.integers(1, 60), seed=st.integers(0, 2**32 - 1), factor=st.floats(0.1, 10))
@example(n=21, seed=2097151, factor=1.0)  # log-quadratic-kappa is -inf for some of these rows
def test_weights_only_scale_rows(loss: Loss, n: int, seed: int, factor: float) -> None:
    job = job_of(loss, n, seed, np.float64)
    w = np.random.default_rng(seed).integers(0, 3, n).astype(float)
    w[0] = 1
    plain, _, losses, slopes = outcome(job)
    weighted, _, same_losses, same_slopes = outcome(replace(job, weights=MemorySource("w", w)))
    assert losses.tobytes() == same_losses.tobytes()
    assert slopes.tobytes() == same_slopes.tobytes()
    # As text: where a loss is infinite, the sum of squares is NaN, which equals nothing.
    assert repr(weighted[Summary].losses) == repr(plain[Summary].losses)
    total = w[w > 0] @ losses[w > 0]  # a row of weight 0 adds 0, even where its loss is infinite
    value, numerator, denominator = reduced(job, weighted[Summary], REDUCTIONS["mean"])
    np.testing.assert_allclose([numerator, denominator, value], [total, w.sum(), total / w.sum()], rtol=1e-12)
    scaled, *_ = outcome(replace(job, weights=MemorySource("w", w * factor)))
    np.testing.assert_allclose(reduced(job, scaled[Summary], REDUCTIONS["mean"])[0], value, rtol=1e-12)
    repeated, *_ = outcome(rows_of(job, np.repeat(np.arange(n), w.astype(int))))
    np.testing.assert_allclose(reduced(job, repeated[Summary], REDUCTIONS["mean"])[0], value, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
def test_the_digits_are_the_same_for_every_executor() -> None:
    job = job_of(LOSSES["softmax-cross-entropy"], 500, 7)
    serial = outcome(job)
    with ThreadPoolExecutor(3) as threads:
        threaded = outcome(job, threads)
    assert serial[0][Summary].weighted == threaded[0][Summary].weighted
    assert serial[0][Summary].losses == threaded[0][Summary].losses
    assert serial[2].tobytes() == threaded[2].tobytes()


def test_a_chunk_can_be_computed_in_another_process() -> None:
    job = job_of(LOSSES["softmax-focal"], 50, 8)
    with ProcessPoolExecutor(1) as processes:
        elsewhere = outcome(job, processes)
    assert outcome(job)[2].tobytes() == elsewhere[2].tobytes()


@pytest.mark.parametrize(
    "loss",
    [loss for loss in LOSSES.values() if not loss.family.takes_centers],
    ids=lambda loss: loss.name,
)
@pytest.mark.parametrize("smoothing", [None, *(Smoothing.of(0.1, mode, K) for mode in ("uniform", "half", "others"))])
def test_gradient_is_the_central_difference(loss: Loss, smoothing: Smoothing | None) -> None:
    job = job_of(loss, 40, 5, np.float64)
    if smoothing and loss.family.smoothing:
        job = replace(job, encoding=replace(job.encoding, smoothing=smoothing))
    _, _, _, slopes = outcome(job)
    x = job.predictions.read(0, 40)
    step = 1e-6
    for column in range(x.shape[1] if x.ndim == 2 else 1):
        moved = []
        for sign in (1, -1):
            shifted = x.copy()
            shifted[(..., column) if x.ndim == 2 else ...] += sign * step
            moved.append(outcome(replace(job, predictions=MemorySource("p", shifted)))[2])
        found = slopes[:, column] if x.ndim == 2 else slopes
        smooth = np.abs((moved[0] - moved[1]) / (2 * step) - found) < 1e-5
        assert smooth.sum() >= 39  # a probe may sit on a kink


@pytest.mark.parametrize("name", [loss.name for loss in LOSSES.values() if loss.baseline])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_prediction_beats_the_baseline(name: str, weighted: bool) -> None:
    """The baseline is evaluated by running the loss on the constant; neighbours of the constant are no better."""
    n = 80
    job = job_of(LOSSES[name], n, 21, np.float64)
    if weighted:
        job = replace(job, weights=MemorySource("w", np.random.default_rng(22).random(n)))
    partial, *_ = outcome(job)
    best = baseline(job, partial, "mean", 1.0)
    assert best is not None
    classes = LOSSES[name].family.takes_from
    given = "probs" if classes else "logits"
    constant = np.array(best.prediction, dtype=float)

    def value_at(prediction: np.ndarray) -> float:
        rows = np.broadcast_to(prediction, job.predictions.shape).copy()
        made = replace(job, predictions=MemorySource("p", rows), extras=job.extras._replace(prediction_kind=given))
        found, *_ = outcome(made)
        return reduced(made, found[Summary], REDUCTIONS["mean"])[0]

    np.testing.assert_allclose(value_at(constant), best.value, rtol=1e-12)
    for step in (1e-3, -1e-3, 0.05, -0.05):
        size = constant.size
        other = constant + step * np.eye(size)[0] - step * np.eye(size)[1] if constant.ndim else constant + step
        assert value_at(other) >= best.value - 1e-12
    for far in np.linspace(-3, 3, 25) if not classes and not constant.ndim else []:
        assert value_at(np.array(far)) >= best.value - 1e-12
