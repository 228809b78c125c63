"""Optax: optax.losses."""

from collections.abc import Mapping

from losscli.libraries.call import HARD, Accepts, Call, Library
from losscli.libraries.steps import PAIRS, ReadLabels


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in optax.losses."""
    return Call(loss, tuple(names.split()), f"optax.losses.{expression}", arguments=arguments, **more)  # type: ignore[arg-type]


def parameters(names: str) -> dict[str, str]:
    """Return arguments that are parameters of the loss, by the same names."""
    return {name: f"{name}={{}}" for name in names.split()}


SMOOTHED = {"label_smoothing": ""}

CALLS = (
    call("squared-error", "squared_error", "squared_error({p}, {t}){reduction}"),
    call("half-squared-error", "", "l2_loss({p}, {t}){reduction}"),
    call("huber", "huber_loss", "huber_loss({p}, {t}, {arguments}){reduction}", parameters("delta")),
    call("log-cosh", "log_cosh", "log_cosh({p}, {t}){reduction}"),
    call(
        "hinge",
        "",
        "hinge_loss({p}, {t}){reduction}",
        steps=(ReadLabels("numbers"),),
        notes=("labels must be -1 and 1",),
        defects=(
            "optax 0.2.8: labels of 0 are taken as they are and give a loss of 1, whatever the score, without a word",
        ),
    ),
    call("perceptron", "perceptron_loss", "perceptron_loss({p}, {t}){reduction}", steps=(ReadLabels("numbers"),)),
    call(
        "sigmoid-cross-entropy",
        "sigmoid_binary_cross_entropy",
        "sigmoid_binary_cross_entropy({p}, {t:outcomes}){reduction}",
        prediction_kind="logits",
    ),
    call(
        "sigmoid-focal",
        "sigmoid_focal_loss",
        "sigmoid_focal_loss({p}, {t:outcomes}, {arguments}){reduction}",
        parameters("gamma alpha"),
        prediction_kind="logits",
        accepts=Accepts(kinds=HARD),
        notes=("not linear in the target: soft targets make another function of it",),
        defects=("optax up to 0.2.4: NaN gradients at large logits for gamma below 2 (issue 1267)",),
    ),
    call(
        "softmax-cross-entropy",
        "softmax_cross_entropy softmax_cross_entropy_with_integer_labels safe_softmax_cross_entropy",
        "softmax_cross_entropy({p}, {t:smoothed}){reduction}",
        SMOOTHED,
        prediction_kind="logits",
        smoothing="uniform",
        notes=(
            "softmax_cross_entropy_with_integer_labels takes class indices",
            "label smoothing is smooth_labels(t, e) of one-hot rows",
        ),
        defects=(
            "optax 0.2.8: a class index of -1 counts as the last class, and one beyond the last gives NaN, without a word",
            "optax 0.2.8: NaN where a logit is -inf and its target 0; safe_softmax_cross_entropy gives 0 there",
        ),
    ),
    call(
        "kl-divergence",
        "kl_divergence kl_divergence_with_log_targets",
        "kl_divergence({p}, {t:rows}){reduction}",
        prediction_kind="log-probs",
        defects=("optax 0.2.8: NaN where both the target and exp of the prediction are 0",),
    ),
    call(
        "softmax-poly-1",
        "poly_loss_cross_entropy",
        "poly_loss_cross_entropy({p}, {t:smoothed}, {arguments}){reduction}",
        parameters("epsilon") | SMOOTHED,
        prediction_kind="logits",
        defaults={"epsilon": 2.0},
        smoothing="uniform",
    ),
    call("multiclass-hinge", "multiclass_hinge_loss", "multiclass_hinge_loss({p}, {t:index}){reduction}"),
    call(
        "multiclass-perceptron", "multiclass_perceptron_loss", "multiclass_perceptron_loss({p}, {t:index}){reduction}"
    ),
    call("sparsemax", "multiclass_sparsemax_loss", "multiclass_sparsemax_loss({p}, {t:index}){reduction}"),
    call("binary-sparsemax", "", "sparsemax_loss({p}, {t}){reduction}", steps=(ReadLabels("truth"),)),
    call("cosine-distance", "cosine_distance", "cosine_distance({p}, {t}){reduction}"),
    call(
        "triplet",
        "",
        "triplet_margin_loss({p}, {t}, {negative}, {arguments}){reduction}",
        {"margin": "margin={}", "p": "norm_degree={}"},
        notes=("1e-6 is added to the sum of squares, within the root",),
        defects=("optax 0.2.8: NaN for odd norms of negative differences, whose size is not taken",),
    ),
    call("listwise-softmax", "ranking_softmax_loss", "ranking_softmax_loss({p}, {t}, reduce_fn=None){reduction}"),
    call("nt-xent", "ntxent", "ntxent({p}, {t:index}, {arguments})", parameters("temperature"), steps=(PAIRS,)),
    call(
        "dice",
        "binary_dice_loss",
        "binary_dice_loss({p}, {t:outcomes}, {arguments}){reduction}",
        parameters("smooth"),
        prediction_kind="logits",
        per="row",
        activation="sigmoid",
        defaults={"smooth": 1.0},
        notes=(
            "dice_loss takes a softmax over the classes, and has alpha and beta as tversky has them",
            "of shape (n,) each element is a mask there; give it p[None]",
        ),
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array as one of JAX."""
    return f"jax.numpy.asarray({text})" if same else f"jax.numpy.asarray({text}, '{dtype}')"


LIBRARY = Library(
    name="optax",
    title="optax 0.2.8",
    imports=("import jax", "import optax", "jax.config.update('jax_enable_x64', True)"),
    tensor=tensor,
    reduces={"": "mean"},
    reductions={"mean": ".mean()", "sum": ".sum()", "none": ""},
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    notes=("losses are not reduced: their mean is shown",),
)
