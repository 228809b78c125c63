"""TensorFlow's losses of version 1, tf.compat.v1.losses, and the functions of tf.nn."""

from losscli.definition.batch import Clip
from losscli.libraries.call import Call, Library


def call(loss: str, names: str, expression: str, **more: object) -> Call:
    """Return the record of a call in tf.compat.v1.losses."""
    return Call(loss, tuple(names.split()), f"tf.compat.v1.losses.{expression}", **more)  # type: ignore[arg-type]


CALLS = (
    call("squared-error", "mean_squared_error", "mean_squared_error(t, p)"),
    call("absolute-error", "absolute_difference", "absolute_difference(t, p)"),
    call("huber", "huber_loss", "huber_loss(t, p, delta=delta)"),
    call(
        "hinge",
        "hinge_loss",
        "hinge_loss(t, p)",
        labels="doubled",
        notes=("labels are 0 and 1",),
        defects=("tensorflow 2.21.0: labels of -1 become -3, without a word",),
    ),
    call(
        "sigmoid-cross-entropy",
        "sigmoid_cross_entropy",
        "sigmoid_cross_entropy(t, p)",
        prediction_kind="logits",
        smoothing="half",
        notes=("tf.nn.sigmoid_cross_entropy_with_logits is the same without a reduction",),
    ),
    Call(
        "sigmoid-cross-entropy",
        ("sigmoid_cross_entropy_with_logits", "weighted_cross_entropy_with_logits"),
        "tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=p)",
        prediction_kind="logits",
        weighted="none",
        reduction="mean",
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss(t, p)",
        prediction_kind="probs",
        clip=lambda dtype: Clip(inside=1e-7),
        notes=("a probability of 1 has a loss of -1.2e-7 so",),
    ),
    call(
        "softmax-cross-entropy",
        "softmax_cross_entropy sparse_softmax_cross_entropy softmax_cross_entropy_with_logits"
        " sparse_softmax_cross_entropy_with_logits",
        "softmax_cross_entropy(t, p)",
        prediction_kind="logits",
        smoothing="uniform",
        class_weighted="sum-by-nonzero-weights",
        soft_weighted="sum-by-nonzero-weights",
        notes=(
            "sparse_softmax_cross_entropy takes class indices, and has no label smoothing",
            "weights of classes are given as weights of samples",
        ),
    ),
    Call(
        "log-poisson",
        ("log_poisson_loss",),
        "tf.nn.log_poisson_loss(t, p)",
        weighted="none",
        reduction="mean",
        notes=("compute_full_loss=True adds Stirling's approximation where t > 1", "not reduced: their mean is shown"),
    ),
    call(
        "cosine-distance",
        "",
        "cosine_distance(t, p, axis=1)",
        refused="tf.compat.v1.losses.cosine_distance is 1 - sum(p * t): it does not divide by the lengths; of features of "
        "unit length it is cosine-distance",
    ),
)

LIBRARY = Library(
    name="tf1",
    title="tensorflow 2.21.0, tf.compat.v1.losses",
    reduction="sum-by-nonzero-weights",
    weighted="sum-by-nonzero-weights",
    reductions={
        "sum-by-nonzero-weights": "SUM_BY_NONZERO_WEIGHTS",
        "sum-over-batch-size": "SUM_OVER_BATCH_SIZE",
        "mean": "MEAN",
        "sum": "SUM",
        "none": "NONE",
    },
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    notes=("predictions are converted to float32", "weights are divided by the number of those that are not 0"),
)
