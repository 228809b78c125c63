"""Custom losses in Keras: focal loss as a function and as a class, and center loss with the paper's rule.

All of it is keras.ops, so that it runs on any backend.
"""

from typing import Any

import keras
from keras import ops


def _check(gamma: float) -> float:
    if gamma != 0 and gamma < 1:
        raise ValueError(f"gamma {gamma}: say 0, or 1 and more; in between the gradient has no limit at p = 1")
    return gamma


def _focal(y_true: Any, y_pred: Any, gamma: float) -> Any:
    labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    log_p = ops.sum(ops.one_hot(labels, y_pred.shape[-1]) * ops.log_softmax(y_pred, axis=-1), axis=-1)
    return (-ops.expm1(log_p)) ** gamma * -log_p


@keras.saving.register_keras_serializable("digits")
def focal_loss(y_true: Any, y_pred: Any) -> Any:
    """(1 - p)^2 (-log p), p the probability of the true class: one loss per row, which Keras averages.

    A function that `compile(loss=...)` takes has two arguments, so gamma is fixed here; y_pred are logits.
    """
    return _focal(y_true, y_pred, 2.0)


@keras.saving.register_keras_serializable("digits")
class FocalLoss(keras.losses.Loss):
    """The same as a class: with gamma, the reductions of Keras, and a configuration that a saved model keeps."""

    def __init__(self, gamma: float = 2.0, name: str = "focal_loss", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.gamma = _check(gamma)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return _focal(y_true, y_pred, self.gamma)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"gamma": self.gamma}


class CenterLoss:
    """Half the squared distance of features from the center of their class; the mean over the batch.

    Not a `keras.losses.Loss`, for it has a state that each batch moves by a rule of its own (Wen et al. 2016, equation 4).
    """

    def __init__(self, classes: int, features: int, alpha: float = 0.5) -> None:
        self.alpha = alpha
        self.centers = keras.Variable(ops.zeros((classes, features)), trainable=False, name="centers")

    def __call__(self, labels: Any, features: Any) -> Any:
        away = features - ops.take(self.centers, labels, axis=0)
        return ops.mean(ops.sum(ops.square(away), axis=-1)) / 2

    def move(self, labels: Any, features: Any) -> None:
        """Move them to c - alpha sum(c - x) / (1 + n), over the rows of the batch with that label."""
        hot = ops.one_hot(labels, self.centers.shape[0])
        rows = ops.sum(hot, axis=0)[:, None]
        pull = rows * self.centers - ops.matmul(ops.transpose(hot), features)
        self.centers.assign(self.centers - self.alpha * pull / (1 + rows))
