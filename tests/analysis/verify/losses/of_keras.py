"""Losses as people write them for Keras 3: right ones, and the same with mistakes that are often made."""

import keras
from keras import ops


def focal_loss(gamma=2.0, alpha=0.25):
    def focal_loss_fixed(y_true, y_pred):
        pt_1 = ops.where(ops.equal(y_true, 1), y_pred, ops.ones_like(y_pred))
        pt_0 = ops.where(ops.equal(y_true, 0), y_pred, ops.zeros_like(y_pred))
        of_one = -alpha * ops.power(1.0 - pt_1, gamma) * ops.log(pt_1)
        of_zero = -(1 - alpha) * ops.power(pt_0, gamma) * ops.log(1.0 - pt_0)
        return ops.mean(of_one + of_zero)

    return focal_loss_fixed


def focal_loss_summed_and_clipped(gamma=2.0, alpha=0.25):
    def focal_loss_fixed(y_true, y_pred):
        pt_1 = ops.clip(ops.where(ops.equal(y_true, 1), y_pred, ops.ones_like(y_pred)), 1e-3, 0.999)
        pt_0 = ops.clip(ops.where(ops.equal(y_true, 0), y_pred, ops.zeros_like(y_pred)), 1e-3, 0.999)
        of_one = -ops.sum(alpha * ops.power(1.0 - pt_1, gamma) * ops.log(pt_1))
        return of_one - ops.sum((1 - alpha) * ops.power(pt_0, gamma) * ops.log(1.0 - pt_0))

    return focal_loss_fixed


def focal_loss_alpha_of_both(gamma=2.0, alpha=0.25):
    def focal_loss_fixed(y_true, y_pred):
        pt = ops.where(ops.equal(y_true, 1), y_pred, 1 - y_pred)
        return -ops.sum(alpha * ops.power(1.0 - pt, gamma) * ops.log(pt))

    return focal_loss_fixed


def focal_loss_alpha_swapped(gamma=2.0, alpha=0.25):
    def focal_loss_fixed(y_true, y_pred):
        y_pred = ops.clip(y_pred, keras.backend.epsilon(), 1.0 - keras.backend.epsilon())
        pt = ops.where(ops.equal(y_true, 1), y_pred, 1 - y_pred)
        at = ops.where(ops.equal(y_true, 1), 1 - alpha, alpha)
        return ops.mean(-at * ops.power(1.0 - pt, gamma) * ops.log(pt))

    return focal_loss_fixed


def categorical_focal_loss(gamma=2.0, alpha=0.25):
    def loss(y_true, y_pred):
        epsilon = keras.backend.epsilon()
        y_pred = ops.clip(y_pred, epsilon, 1.0 - epsilon)
        cross_entropy = -y_true * ops.log(y_pred)
        weight = alpha * ops.power(1 - y_pred, gamma)
        return ops.sum(weight * cross_entropy, axis=-1)

    return loss


def categorical_focal_loss_mean(gamma=2.0, alpha=0.25):
    def loss(y_true, y_pred):
        cross_entropy = -y_true * ops.log(y_pred)
        weight = alpha * ops.power(1 - y_pred, gamma)
        return ops.mean(weight * cross_entropy, axis=-1)

    return loss


class BinaryFocal(keras.losses.Loss):
    def __init__(self, gamma=2.0, alpha=0.25):
        super().__init__()
        self.gamma, self.alpha = gamma, alpha

    def call(self, y_true, y_pred):
        pt = ops.where(ops.equal(y_true, 1), y_pred, 1 - y_pred)
        at = ops.where(ops.equal(y_true, 1), self.alpha, 1 - self.alpha)
        return -at * ops.power(1.0 - pt, self.gamma) * ops.log(pt)


def weighted_bce(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)
