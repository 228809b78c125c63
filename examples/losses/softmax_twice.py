"""A model whose last layer is a softmax, and a loss that takes what it returns for logits."""

import torch
import torch.nn.functional as F
from torch import nn


class Classifier(nn.Module):
    """Three classes; returns probabilities, or with `logits` what is before them."""

    def __init__(self, features=4, logits=False):
        super().__init__()
        self.layer = nn.Linear(features, 3)
        self.logits = logits

    def forward(self, x):
        """Return a row of classes for each row of features."""
        z = self.layer(x)
        return z if self.logits else torch.softmax(z, dim=1)


def cross_entropy(probs, labels):
    """Compute the loss that is trained with: cross_entropy applies softmax to the model's probabilities once more."""
    return F.cross_entropy(probs, labels, reduction="none")


def right_cross_entropy(logits, labels):
    """Compute the loss of `Classifier(logits=True)`."""
    return F.cross_entropy(logits, labels, reduction="none")


def right_cross_entropy_of_probs(probs, labels):
    """Compute the loss of `Classifier()`: the logarithm of the right class alone, for that of a 0 beside it has no gradient."""
    return -torch.log(probs.gather(1, labels[:, None])[:, 0])
