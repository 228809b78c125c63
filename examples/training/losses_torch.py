"""Custom losses in PyTorch: focal loss as a function and as a class, and center loss with the paper's rule."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """(1 - p)^gamma (-log p), p the probability of the true class; the mean over the batch.

    log p comes from log_softmax and 1 - p from expm1, so that neither is rounded away where p is near 0 or 1.
    """
    if gamma != 0 and gamma < 1:
        raise ValueError(f"gamma {gamma}: say 0, or 1 and more; in between the gradient has no limit at p = 1")
    log_p = F.log_softmax(logits, dim=1).gather(1, labels[:, None]).squeeze(1)
    return ((-torch.expm1(log_p)) ** gamma * -log_p).mean()


class FocalLoss(nn.Module):
    """The same as a module, which a training script makes once."""

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return focal_loss(logits, labels, self.gamma)


class CenterLoss(nn.Module):
    """Half the squared distance of features from the center of their class; the mean over the batch.

    The centers are no parameters: no gradient goes into them, and `move` moves them (Wen et al. 2016, equation 4).
    """

    centers: Tensor

    def __init__(self, classes: int, features: int, alpha: float = 0.5) -> None:
        super().__init__()
        self.alpha = alpha
        self.register_buffer("centers", torch.zeros(classes, features))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        return (features - self.centers[labels]).square().sum(dim=1).mean() / 2

    @torch.no_grad()
    def move(self, features: Tensor, labels: Tensor) -> None:
        """Move them to c - alpha sum(c - x) / (1 + n), over the rows of the batch with that label."""
        rows = torch.bincount(labels, minlength=len(self.centers))
        pull = torch.zeros_like(self.centers).index_add_(0, labels, self.centers[labels] - features)
        self.centers -= self.alpha * pull / (1 + rows)[:, None]
