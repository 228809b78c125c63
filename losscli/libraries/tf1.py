"""TensorFlow's losses of version 1, tf.compat.v1.losses, and the functions of tf.nn."""

from collections.abc import Mapping

from losscli.definition.batch import Clip
from losscli.libraries.call import Call, Library
from losscli.libraries.steps import CutProbabilities, ReadLabels

WEIGHT = {"sample_weight": "weights={w:column}"}
CLASS_WEIGHT = {"class_weight": "weights={w:rows}"}
REDUCTION = {"reduction": "reduction={!r}"}
V1 = "tensorflow.compat.v1.losses."


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in tf.compat.v1.losses; all take weights of samples and a reduction."""
    taken = WEIGHT | REDUCTION | dict(arguments)
    return Call(loss, tuple(names.split()), V1 + expression, arguments=taken, **more)  # type: ignore[arg-type]


SMOOTHING = {"label_smoothing": "label_smoothing={}"}

CALLS = (
    call("squared-error", "mean_squared_error", "mean_squared_error({t}, {p}, {arguments})"),
    call("absolute-error", "absolute_difference", "absolute_difference({t}, {p}, {arguments})"),
    call("huber", "huber_loss", "huber_loss({t}, {p}, {arguments})", {"delta": "delta={}"}),
    call(
        "hinge",
        "hinge_loss",
        "hinge_loss({t}, {p}, {arguments})",
        steps=(ReadLabels("doubled"),),
        notes=("labels are 0 and 1",),
        defects=("tensorflow 2.21.0: labels of -1 become -3, without a word",),
    ),
    call(
        "sigmoid-cross-entropy",
        "sigmoid_cross_entropy",
        "sigmoid_cross_entropy({t:outcomes}, {p}, {arguments})",
        SMOOTHING,
        prediction_kind="logits",
        smoothing="half",
        notes=("tf.nn.sigmoid_cross_entropy_with_logits is the same without a reduction",),
    ),
    Call(
        "sigmoid-cross-entropy",
        ("sigmoid_cross_entropy_with_logits", "weighted_cross_entropy_with_logits"),
        "tensorflow.reduce_mean(tensorflow.nn.weighted_cross_entropy_with_logits({t:outcomes}, {p}, {arguments}))",
        arguments={"pos_weight": "pos_weight={pos_weight}"},
        prediction_kind="logits",
        reduces={"": "mean"},
    ),
    call(
        "sigmoid-cross-entropy",
        "",
        "log_loss({t:outcomes}, {p}, {arguments})",
        prediction_kind="probs",
        steps=(CutProbabilities(lambda dtype: Clip(inside=1e-7)),),
        notes=("a probability of 1 has a loss of -1.2e-7 so",),
    ),
    call(
        "softmax-cross-entropy",
        "softmax_cross_entropy sparse_softmax_cross_entropy softmax_cross_entropy_with_logits"
        " sparse_softmax_cross_entropy_with_logits",
        "softmax_cross_entropy({t:rows}, {p}, {arguments})",
        SMOOTHING | CLASS_WEIGHT | {"sample_weight": "weights={w:rows}"},
        prediction_kind="logits",
        smoothing="uniform",
        reduces={"class_weight": "sum-by-nonzero-weights"},
        notes=(
            "sparse_softmax_cross_entropy takes class indices, and has no label smoothing",
            "weights of classes are given as weights of samples",
        ),
    ),
    Call(
        "log-poisson",
        ("log_poisson_loss",),
        "tensorflow.reduce_mean(tensorflow.nn.log_poisson_loss({t}, {p}))",
        reduces={"": "mean"},
        notes=("compute_full_loss=True adds Stirling's approximation where t > 1", "not reduced: their mean is shown"),
    ),
    call(
        "cosine-distance",
        "",
        "cosine_distance({t}, {p}, axis=1)",
        refused="tf.compat.v1.losses.cosine_distance is 1 - sum(p * t): it does not divide by the lengths; of features of "
        "unit length it is cosine-distance",
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array as a tensor."""
    return f"tensorflow.constant({text})" if same else f"tensorflow.constant({text}, '{dtype}')"


LIBRARY = Library(
    name="tf1",
    title="tensorflow 2.21.0, tf.compat.v1.losses",
    imports=("import tensorflow",),
    tensor=tensor,
    reduces={"": "sum-by-nonzero-weights", "sample_weight": "sum-by-nonzero-weights"},
    reductions={
        "sum-by-nonzero-weights": "weighted_sum_by_nonzero_weights",
        "sum-over-batch-size": "weighted_sum_over_batch_size",
        "mean": "weighted_mean",
        "sum": "weighted_sum",
        "none": "none",
    },
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    notes=("predictions are converted to float32", "weights are divided by the number of those that are not 0"),
)
