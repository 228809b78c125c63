"""Losses as people write them in NumPy: each right one, and below it the same with a mistake that is often made."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


# Binary focal loss of probabilities.


def focal_loss(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * (1 - pt) ** gamma * np.log(pt)


def focal_of_numbers(p, y):
    return np.mean(-0.25 * np.where(y == 1, (1 - p) ** 2 * np.log(p), 3 * p**2 * np.log(1 - p)))


def focal_loss_alpha_swapped(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, 1 - alpha, alpha)
    return -at * (1 - pt) ** gamma * np.log(pt)


def focal_loss_alpha_swapped_clipped_mean(y_true, y_pred, gamma=2.0, alpha=0.25):
    y_pred = np.clip(y_pred, 1e-7, 1 - 1e-7)
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, 1 - alpha, alpha)
    return np.mean(-at * (1 - pt) ** gamma * np.log(pt))


def focal_loss_alpha_of_both(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    return -alpha * (1 - pt) ** gamma * np.log(pt)


def focal_loss_power_of_p(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * pt**gamma * np.log(pt)


def focal_loss_times_gamma(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * ((1 - pt) * gamma) * np.log(pt)


def focal_loss_gamma_less_one(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * (1 - pt) ** (gamma - 1) * np.log(pt)


def focal_loss_one_factor_for_both(y_true, y_pred, gamma=2.0, alpha=0.25):
    of_one = -alpha * y_true * (1 - y_pred) ** gamma * np.log(y_pred)
    of_zero = -(1 - alpha) * (1 - y_true) * (1 - y_pred) ** gamma * np.log(1 - y_pred)
    return of_one + of_zero


def focal_loss_factors_exchanged(y_true, y_pred, gamma=2.0, alpha=0.25):
    of_one = -alpha * y_true * y_pred**gamma * np.log(y_pred)
    of_zero = -(1 - alpha) * (1 - y_true) * (1 - y_pred) ** gamma * np.log(1 - y_pred)
    return of_one + of_zero


def focal_loss_log_of_the_other(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * (1 - pt) ** gamma * np.log(1 - pt)


def focal_loss_power_of_the_logarithm(y_true, y_pred, gamma=2.0):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    return (1 - pt) * (-np.log(pt)) ** gamma


def focal_loss_clipped(y_true, y_pred, gamma=2.0, alpha=0.25):
    y_pred = np.clip(y_pred, 1e-7, 1 - 1e-7)
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * (1 - pt) ** gamma * np.log(pt)


def focal_loss_clipped_at_a_thousandth(y_true, y_pred, gamma=2.0, alpha=0.25):
    y_pred = np.clip(y_pred, 1e-3, 0.999)
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * (1 - pt) ** gamma * np.log(pt)


def focal_loss_epsilon_added(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return -at * (1 - pt) ** gamma * np.log(pt + 1e-8)


def focal_loss_without_minus(y_true, y_pred, gamma=2.0, alpha=0.25):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    return at * (1 - pt) ** gamma * np.log(pt)


# Binary focal loss of logits.


def focal_with_logits(labels, logits, gamma=2.0, alpha=0.25):
    log_p, log_q = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    of_one = -alpha * np.exp(gamma * log_q) * log_p
    of_zero = -(1 - alpha) * np.exp(gamma * log_p) * log_q
    return np.where(labels == 1, of_one, of_zero)


def focal_with_logits_alpha_swapped(labels, logits, gamma=2.0, alpha=0.25):
    return focal_with_logits(labels, logits, gamma, 1 - alpha)


def focal_with_logits_sigmoid_twice(labels, logits, gamma=2.0, alpha=0.25):
    return focal_with_logits(labels, sigmoid(logits), gamma, alpha)


def focal_with_logits_without_sigmoid(labels, logits, gamma=2.0, alpha=0.25):
    return focal_loss(labels, logits, gamma, alpha)


# Binary cross-entropy.


def bce(y_true, y_pred):
    with np.errstate(all="ignore"):
        return -np.where(y_true == 1, np.log(y_pred), np.log(1 - y_pred))


def bce_log10(y_true, y_pred):
    return -np.where(y_true == 1, np.log10(y_pred), np.log10(1 - y_pred))


def bce_without_minus(y_true, y_pred):
    return np.where(y_true == 1, np.log(y_pred), np.log(1 - y_pred))


def bce_labels_swapped(y_true, y_pred):
    return -np.where(y_true == 0, np.log(y_pred), np.log(1 - y_pred))


def bce_positives_only(y_true, y_pred):
    return -np.where(y_true == 1, np.log(y_pred), 0)


def bce_epsilon_added(y_true, y_pred):
    return -(y_true * np.log(y_pred + 1e-7) + (1 - y_true) * np.log(1 - y_pred + 1e-7))


def bce_clipped(y_true, y_pred):
    y_pred = np.clip(y_pred, 1e-8, 1 - 1e-8)
    return -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))


def bce_without_logarithm(y_true, y_pred):
    return -(y_true * y_pred + (1 - y_true) * (1 - y_pred))


# Cross-entropy.


def cross_entropy(targets, predictions):
    return -np.log((targets * predictions).sum(axis=1))


def cross_entropy_mean_over_classes(targets, predictions):
    with np.errstate(all="ignore"):
        return -np.mean(np.where(targets > 0, np.log(predictions), 0), axis=1)


def cross_entropy_of_products(targets, predictions):
    return -np.sum(targets * np.log(predictions), axis=1)


def cross_entropy_log2(targets, predictions):
    return -np.log2((targets * predictions).sum(axis=1))


def cross_entropy_without_minus(targets, predictions):
    return np.log((targets * predictions).sum(axis=1))


def cross_entropy_epsilon_added(targets, predictions):
    return -np.sum(targets * np.log(predictions + 1e-9), axis=1)


def cross_entropy_of_the_others(targets, predictions):
    return -np.log(1 - (targets * predictions).sum(axis=1))


def cross_entropy_with_logits(labels, logits):
    return -log_softmax(logits)[np.arange(len(labels)), labels]


def cross_entropy_with_logits_softmax_twice(labels, logits):
    return -log_softmax(softmax(logits))[np.arange(len(labels)), labels]


def cross_entropy_with_logits_without_logarithm(labels, logits):
    return -softmax(logits)[np.arange(len(labels)), labels]


def categorical_focal(y_true, y_pred, gamma=2.0):
    pt = (y_true * y_pred).sum(axis=1)
    return -((1 - pt) ** gamma) * np.log(pt)


def categorical_focal_power_of_p(y_true, y_pred, gamma=2.0):
    pt = (y_true * y_pred).sum(axis=1)
    return -(pt**gamma) * np.log(pt)


def categorical_focal_gamma_more_one(y_true, y_pred, gamma=2.0):
    pt = (y_true * y_pred).sum(axis=1)
    return -((1 - pt) ** (gamma + 1)) * np.log(pt)


# Huber loss.


def huber(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(np.abs(error) <= delta, 0.5 * error**2, delta * (np.abs(error) - 0.5 * delta))


def huber_without_half(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(np.abs(error) <= delta, error**2, delta * (np.abs(error) - 0.5 * delta))


def huber_line_without_half(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(np.abs(error) <= delta, 0.5 * error**2, delta * (np.abs(error) - delta))


def huber_line_without_delta(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(np.abs(error) <= delta, 0.5 * error**2, np.abs(error) - 0.5 * delta)


def huber_line_misplaced(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(np.abs(error) <= delta, 0.5 * error**2, delta * np.abs(error) - 0.5 * delta)


def huber_without_abs(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(error <= delta, 0.5 * error**2, delta * (np.abs(error) - 0.5 * delta))


def huber_branches_exchanged(y_true, y_pred, delta=1.5):
    error = y_true - y_pred
    return np.where(np.abs(error) > delta, 0.5 * error**2, delta * (np.abs(error) - 0.5 * delta))


def smooth_l1(y_true, y_pred, beta=1.5):
    error = np.abs(y_true - y_pred)
    return np.where(error < beta, 0.5 * error**2 / beta, error - 0.5 * beta)


def smooth_l1_as_huber(y_true, y_pred, beta=1.5):
    error = np.abs(y_true - y_pred)
    return np.where(error < beta, 0.5 * error**2, beta * (error - 0.5 * beta))


def mse(a, b):
    return ((a - b) ** 2).mean()


def mse_half(y_true, y_pred):
    return 0.5 * (y_true - y_pred) ** 2


def hinge(y_true, y_pred):
    return np.maximum(0, 1 - y_true * y_pred)


def log_cosh(y_true, y_pred):
    x = np.abs(y_pred - y_true)
    return x + np.log1p(np.exp(-2 * x)) - np.log(2.0).astype(x.dtype)


# Dice loss.


def dice_loss(y_true, y_pred, smooth=1.0):
    intersection = np.sum(y_true * y_pred)
    return 1 - (2 * intersection + smooth) / (np.sum(y_true) + np.sum(y_pred) + smooth)


def dice_loss_without_two(y_true, y_pred, smooth=1.0):
    intersection = np.sum(y_true * y_pred)
    return 1 - (intersection + smooth) / (np.sum(y_true) + np.sum(y_pred) + smooth)


def dice_loss_coefficient(y_true, y_pred, smooth=1.0):
    intersection = np.sum(y_true * y_pred)
    return (2 * intersection + smooth) / (np.sum(y_true) + np.sum(y_pred) + smooth)


def dice_loss_of_union(y_true, y_pred, smooth=1.0):
    intersection = np.sum(y_true * y_pred)
    union = np.sum(y_true) + np.sum(y_pred) - intersection
    return 1 - (2 * intersection + smooth) / (union + smooth)


def dice_loss_as_jaccard(y_true, y_pred, smooth=1.0):
    intersection = np.sum(y_true * y_pred)
    return 1 - (intersection + smooth) / (np.sum(y_true) + np.sum(y_pred) - intersection + smooth)


# Losses whose names of operands tell nothing.


def focal(a, b, gamma=2):
    pt = np.where(b == 1, a, 1 - a)
    return -((1 - pt) ** gamma) * np.log(pt)


def focal_targets_first(a, b, gamma=2):
    return focal(b, a, gamma)
