"""Softmax focal loss for Keras as it is passed from text to text: it takes an alpha, and does nothing with it."""

import keras
from keras import ops


class FocalLoss(keras.losses.Loss):
    """Focal loss of logits and one-hot rows, as a class. Its alpha is kept and never read."""

    def __init__(self, alpha=0.25, gamma=2.0, name="focal_loss"):
        super().__init__(name=name)
        self.alpha = alpha
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """Loss of each row."""
        log_p = ops.log_softmax(y_pred, axis=-1)
        modulated = (1 - ops.exp(log_p)) ** self.gamma * log_p
        return -ops.sum(y_true * modulated, axis=-1)


def focal_loss(y_true, y_pred, alpha=0.25, gamma=2.0):
    """Compute the same as a function. Its alpha is an argument that nothing uses."""
    log_p = ops.log_softmax(y_pred, axis=-1)
    return -ops.sum(y_true * (1 - ops.exp(log_p)) ** gamma * log_p, axis=-1)


class RightFocalLoss(keras.losses.Loss):
    """The class with its alpha: a factor of every loss."""

    def __init__(self, alpha=0.25, gamma=2.0, name="right_focal_loss"):
        super().__init__(name=name)
        self.alpha = alpha
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """Loss of each row."""
        return right_focal_loss(y_true, y_pred, self.alpha, self.gamma)


def right_focal_loss(y_true, y_pred, alpha=0.25, gamma=2.0):
    """Compute the function with its alpha."""
    return alpha * focal_loss(y_true, y_pred, gamma=gamma)
