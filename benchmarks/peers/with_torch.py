"""PyTorch on the CPU: `torch.nn.functional`, and `torch.autograd.grad` of the mean."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everyone calls it that


def mean(loss: str, predictions: Any, targets: Any, **options: float) -> Any:
    """Compute the mean loss, as in a training loop."""
    if "class_axis" in options:  # which torch has second
        return F.cross_entropy(predictions.movedim(int(options["class_axis"]), 1), targets)
    if loss == "softmax-cross-entropy":
        return F.cross_entropy(predictions, targets, **options)
    if loss == "sigmoid-cross-entropy":
        return F.binary_cross_entropy_with_logits(predictions, targets)
    if loss == "huber":
        return F.huber_loss(predictions, targets, **options)
    if loss == "squared-error":
        return F.mse_loss(predictions, targets)
    each = F.binary_cross_entropy_with_logits(predictions, targets, reduction="none")
    p = torch.sigmoid(predictions)
    p_t = p * targets + (1 - p) * (1 - targets)
    return ((1 - p_t) ** options["gamma"] * each).mean()


def prepare(
    loss: str,
    predictions: Any,
    targets: Any,
    gradient: bool = False,
    threads: int | None = None,
    **options: float,
) -> Callable[[], float]:
    """Return what computes the mean, or the mean and the gradient. Tensors share the arrays' memory."""
    if threads:
        torch.set_num_threads(threads)
    x, t = torch.from_numpy(predictions), torch.from_numpy(targets)

    def with_gradient() -> float:
        leaf = x.detach().requires_grad_()
        value = mean(loss, leaf, t, **options)
        torch.autograd.grad(value, leaf)
        return value.item()

    return with_gradient if gradient else lambda: mean(loss, x, t, **options).item()
