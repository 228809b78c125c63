"""A method that was made a function, and still speaks of self."""

from keras import ops


def focal_loss(y_true, y_pred):
    """Compute the focal loss of logits and one-hot rows, with the gamma of an object that is not there."""
    log_p = ops.log_softmax(y_pred, axis=-1)
    return -ops.sum(y_true * (1 - ops.exp(log_p)) ** self.gamma * log_p, axis=-1)  # noqa: F821


def right_focal_loss(gamma=2.0):
    """Make the loss of a gamma: what is not an operand comes with the function that is returned."""

    def focal(y_true, y_pred):
        log_p = ops.log_softmax(y_pred, axis=-1)
        return -ops.sum(y_true * (1 - ops.exp(log_p)) ** gamma * log_p, axis=-1)

    return focal
