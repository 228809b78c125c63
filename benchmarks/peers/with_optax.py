"""Optax on the CPU, under `jax.jit`; the gradient by `jax.value_and_grad`. JAX takes the threads it finds."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax


def mean(loss: str, predictions: Any, targets: Any, **options: float) -> Any:
    """Compute the mean loss, as in a training loop."""
    if "class_axis" in options:  # which optax has last
        moved = jnp.moveaxis(predictions, int(options["class_axis"]), -1)
        return optax.softmax_cross_entropy_with_integer_labels(moved, targets).mean()
    if loss == "softmax-cross-entropy" and options.get("label_smoothing"):
        rows = jax.nn.one_hot(targets, predictions.shape[1], dtype=predictions.dtype)
        return optax.softmax_cross_entropy(predictions, optax.smooth_labels(rows, options["label_smoothing"])).mean()
    if loss == "softmax-cross-entropy":
        return optax.softmax_cross_entropy_with_integer_labels(predictions, targets).mean()
    if loss == "sigmoid-cross-entropy":
        return optax.sigmoid_binary_cross_entropy(predictions, targets).mean()
    if loss == "huber":
        return optax.huber_loss(predictions, targets, **options).mean()
    if loss == "squared-error":
        return optax.squared_error(predictions, targets).mean()
    return optax.sigmoid_focal_loss(predictions, targets, **options).mean()


def prepare(
    loss: str,
    predictions: Any,
    targets: Any,
    gradient: bool = False,
    threads: int | None = None,
    **options: float,
) -> Callable[[], float]:
    """Return what computes the mean, or the mean and the gradient, and waits for both."""
    if predictions.dtype == np.float64:
        jax.config.update("jax_enable_x64", True)
    # Arrays of 64-byte alignment are shared, others copied. The targets are an argument: a constant would be folded.
    x, t = jax.device_put(predictions), jax.device_put(targets)

    def of(x: Any, t: Any) -> Any:
        return mean(loss, x, t, **options)

    compiled = jax.jit(jax.value_and_grad(of) if gradient else of)

    def compute() -> float:
        found = jax.block_until_ready(compiled(x, t))
        return float(found[0] if gradient else found)

    return compute
