"""Optax: optax.losses."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Indices, Sequences, Targets
from losscli.definition.convention import Convention, Taken
from losscli.definition.domain import REAL
from losscli.elementary import log1p
from losscli.libraries.arithmetic import converted, dense, log_softmax, steps_of
from losscli.libraries.call import Accepts, Call, Library, Operands
from losscli.libraries.steps import PAIRS, AddUp, Change, Compute, ReadLabels

Parameters = Mapping[str, Any]
ANYTHING = Taken(REAL, REAL, REAL)
"""No number is looked at before it is computed with; what has no loss is NaN then."""


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in optax.losses."""
    more.setdefault("accepts", Accepts(taken=ANYTHING))
    return Call(loss, tuple(names.split()), f"optax.losses.{expression}", arguments=arguments, **more)  # type: ignore[arg-type]


def parameters(names: str) -> dict[str, str]:
    """Return arguments that are parameters of the loss, by the same names."""
    return {name: f"{name}={{}}" for name in names.split()}


# Formulas, in the dtype of the operands, where losscli's own keep more digits or have other limits.


def log_chances(p: Array, extras: Extras) -> tuple[Array, Array]:
    """Return log(p) and log(1 - p) of the probability p of an outcome."""
    z = converted(p, extras.prediction_kind, "logits", False)
    softplus = log1p(np.exp(-np.abs(z)))
    return -(np.maximum(-z, 0) + softplus), -(np.maximum(z, 0) + softplus)


def with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return -t log(p) - (1 - t) log(1 - p); 0 times infinity is NaN."""
    (log_p, log_q), y = log_chances(p, extras), dense(t, p)
    return -y * log_p - (1 - y) * log_q


def focal(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy times (t (1 - p) + (1 - t) p)**gamma, which is computed by its logarithm."""
    (log_p, log_q), y, number = log_chances(p, extras), dense(t, p), p.dtype.type
    terms, factors = np.stack([log_p, log_q]), np.stack([1 - y, y])
    terms = np.where(factors == 0, -np.inf, terms)
    most = terms.max(axis=0)
    most = np.where(np.isfinite(most), most, 0)
    log_missed = np.log((np.exp(terms - most) * factors).sum(axis=0)) + most
    loss = (-y * log_p - (1 - y) * log_q) * np.exp(number(parameters["gamma"]) * log_missed)
    alpha = parameters["alpha"]
    return loss if alpha is None else (number(alpha) * y + number(1 - alpha) * (1 - y)) * loss


def cross_entropy(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return -sum(t log(p)); 0 times infinity is NaN."""
    log_p = log_softmax(converted(p, extras.prediction_kind, "logits", True))
    return np.asarray(-(dense(t, p) * log_p).sum(axis=1))


def poly_1(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy plus epsilon times sum(t (1 - p))."""
    z, y = converted(p, extras.prediction_kind, "logits", True), dense(t, p)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    missed = (y * (1 - e / e.sum(axis=1, keepdims=True))).sum(axis=1)
    return np.asarray(-(y * log_softmax(z)).sum(axis=1) + p.dtype.type(parameters["epsilon"]) * missed)


def kl_divergence(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return sum(t (log(t) - log(p))), with 0 for the logarithm of 0; 0 times infinity is NaN."""
    log_p, y = converted(p, extras.prediction_kind, "log-probs", True), dense(t, p)
    return np.asarray((y * (np.where(y == 0, 0, np.log(y)) - log_p)).sum(axis=1))


def generalized_kl(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return t (log(t) - log(p)) + exp(log(p)) - t, with 0 for the logarithm of a target of 0; 0 times infinity is NaN."""
    log_p, y = np.log(p), dense(t, p)
    return y * (np.where(y == 0, 0, np.log(y)) - log_p) + (np.exp(log_p) - y)


def listwise(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return -sum(t log(p)) with targets of any sum and sign."""
    return np.asarray(-(dense(t, p) * log_softmax(p)).sum(axis=1))


def one_hot(p: Array, t: Targets) -> Array:
    """Return the rows of 0 and 1 that jax.nn.one_hot makes of labels: in float64, whatever the dtype of scores."""
    index = t.index if isinstance(t, Indices) else np.argmax(t.t, axis=1)
    return np.asarray(np.eye(p.shape[1])[index])


def multiclass_hinge(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(z + 1 - t) - sum(z t); 0 times infinity is NaN."""
    y = one_hot(p, t)
    return np.asarray((p + 1 - y).max(axis=1) - (p * y).sum(axis=1))


def multiclass_perceptron(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(z) - sum(z t); 0 times infinity is NaN."""
    return np.asarray(p.max(axis=1) - (p * one_hot(p, t)).sum(axis=1))


def sparsemax(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return s (z - z_own) + (1 - s s) / 2 with the projection s of scores onto probabilities, for which scores are sorted."""
    assert isinstance(t, Indices)
    ordered, count = -np.sort(-p, axis=1), np.arange(1, p.shape[1] + 1, dtype=p.dtype)
    sums = ordered.cumsum(axis=1)
    used = ((1 / count + (ordered - sums / count)) > 0).sum(axis=1, keepdims=True)
    over = np.take_along_axis(sums, used - 1, axis=1)
    s = np.maximum(1 / used.astype(p.dtype) + (p - over / used.astype(p.dtype)), 0)
    own = np.take_along_axis(p, t.index[:, None], axis=1)
    gap = p - own
    gap[np.arange(len(p)), t.index] = 0
    terms = s * np.where(s != 0, gap, 0)
    return np.asarray(terms.sum(axis=1) + p.dtype.type(0.5) * (1 - (s * s).sum(axis=1)))


def cosine(a: Array, b: Array) -> Array:
    """Return one minus the cosine; that of features of length 0 is NaN."""
    lengths = [np.sqrt((x * x).sum(axis=1, keepdims=True)) for x in (a, b)]
    return np.asarray(1 - (a / lengths[0] * (b / lengths[1])).sum(axis=1))


def cosine_distance(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return one minus the cosine, with lengths in the dtype of the features."""
    return cosine(p, dense(t, p))


def triplet(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(0, d(a, b) - d(a, n) + margin), with d = (sum(x**p) + 1e-6)**(1 / p); powers of negative numbers are NaN."""
    assert extras.third_operand is not None
    number = p.dtype.type
    power, root = number(parameters["p"]), number(1 / parameters["p"])

    def distance(x: Array) -> Array:
        return np.asarray(((x**power).sum(axis=1) + number(1e-6)) ** root)

    gap = distance(p - dense(t, p)) - distance(p - extras.third_operand.astype(p.dtype))
    return np.maximum(gap + number(parameters["margin"]), 0)


def of_length(features: Array) -> Array:
    """Return rows divided by their lengths; squared lengths below the dtype's epsilon are raised to it."""
    squared = (features * features).sum(axis=1, keepdims=True)
    return np.asarray(features / np.sqrt(np.maximum(squared, np.finfo(features.dtype).eps)))


def ntxent(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the mean of -log(e_j / (e_j + sum of e over the negatives)) over a row's positives j."""
    everyone, at = extras.everyone, extras.at
    assert isinstance(t, Indices)
    assert everyone is not None
    assert at is not None
    alike = t.index[:, None] == everyone.labels
    positives = alike & (at[:, None] != np.arange(len(everyone.labels))) & everyone.kept
    z = np.einsum("id,jd->ij", of_length(p), of_length(everyone.features)) / p.dtype.type(parameters["temperature"])
    z = np.where(everyone.kept & (positives | ~alike), z, -np.inf)
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    below = np.where(alike, 0, e).sum(axis=1, keepdims=True) + e
    losses = np.where(positives, np.log(below) - z, 0)
    return np.asarray(losses.sum(axis=1) / positives.sum(axis=1))


FAR = -1e5
"""What stands for the logarithm of 0 in sequences."""


def ctc(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the logarithm of the sum over all alignments, with -1e5 for the logarithm of 0.

    Paths through blanks, `blanks`, and through labels, `emitted`, are kept apart. All is in float64 but the softmax of each step.
    """
    assert isinstance(t, Dense)
    sequences, blank = Sequences(t.t.astype(np.int64)), int(parameters["blank"])
    log_p = steps_of(p, extras.columns, extras.prediction_kind)
    n, count, classes = log_p.shape
    exists = np.arange(sequences.labels.shape[1]) < sequences.lengths[:, None]
    labels = np.where(exists, sequences.labels, 0)
    repeats = np.zeros(labels.shape)
    repeats[:, :-1] = labels[:, :-1] == labels[:, 1:]
    of_labels = np.einsum("btk,bnk->btn", log_p, np.eye(classes)[labels])
    blanks = np.full((n, labels.shape[1] + 1), FAR)
    blanks[:, 0] = 0
    emitted = np.full(labels.shape, FAR)

    def reached(blanks: Array, score: Array) -> Array:
        return np.concatenate([blanks[:, :1], np.logaddexp(blanks[:, 1:], score)], axis=1)

    for step in range(count):
        before, own, gap = reached(blanks, emitted + FAR * repeats), of_labels[:, step], log_p[:, step, blank, None]
        after = reached(before + gap, emitted + gap + FAR * (1 - repeats))
        next_emitted = np.logaddexp(before[:, :-1] + own, emitted + own)
        there = step < sequences.steps[:, None]
        blanks, emitted = np.where(there, after, blanks), np.where(there, next_emitted, emitted)
    ends = reached(blanks, emitted)
    return np.asarray(-(ends * np.eye(ends.shape[1])[sequences.lengths]).sum(axis=1))


def dice(sums: Any, *, smooth: float = 1.0) -> tuple[Array, None]:
    """Return 1 - (I + s) / (I + (FP + FN) / 2 + s), which is NaN for a mask without anything if s is 0."""
    with np.errstate(all="ignore"):
        top = sums.i + smooth
        return 1 - top / (top + (sums.fp + sums.fn) / 2), None


def tversky(sums: Any, *, alpha: float, beta: float, smooth: float) -> tuple[Array, None]:
    """Return 1 - (I + s) / (I + alpha FP + beta FN + s), which is NaN for a mask without anything if s is 0."""
    with np.errstate(all="ignore"):
        top = sums.i + smooth
        return 1 - top / (top + alpha * sums.fp + beta * sums.fn), None


# What is refused with an error.


def sums_of_one(operands: Operands, parameters: Parameters) -> str | None:
    """Without a softmax of its own, dice_loss looks whether rows are distributions."""
    sums = (
        np.exp(operands.predictions).sum(axis=1)
        if (operands.predictions < 0).any()
        else operands.predictions.sum(axis=1)
    )
    alike = np.abs(sums - 1) <= 1e-8 + 1e-5
    return (
        None
        if alike.all()
        else "takes probabilities only where those of each row sum to 1; give logits, with --from logits"
    )


def finite_softmax(operands: Operands, parameters: Parameters) -> str | None:
    """Infinity less infinity is NaN, and so are then the masks of all classes."""
    z = operands.predictions
    infinite = np.isposinf(z).any() or np.isneginf(z).all(axis=1).any()
    return "gives NaN where the largest logit of a row is infinite; leave such rows out" if infinite else None


SMOOTHED = {"label_smoothing": ""}
NOTHING_SMOOTHED = "has no loss for a mask of which nothing is true or predicted, if smooth is 0"

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
        steps=(Compute("multiplies log(p) and log(1 - p) by targets of 0 too", with_logits),),
        defects=("optax 0.2.8: NaN at infinite logits, also where the loss is 0",),
    ),
    call(
        "sigmoid-focal",
        "sigmoid_focal_loss",
        "sigmoid_focal_loss({p}, {t:outcomes}, {arguments}){reduction}",
        parameters("gamma alpha"),
        prediction_kind="logits",
        steps=(Compute("computes (t (1 - p) + (1 - t) p)**gamma by its logarithm", focal),),
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
        steps=(Compute("multiplies log(p) by targets of 0 too", cross_entropy, dense=True),),
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
        steps=(Compute("multiplies log-probabilities by targets of 0 too", kl_divergence, dense=True),),
        defects=("optax 0.2.8: NaN where both the target and exp of the prediction are 0",),
    ),
    call(
        "generalized-kl",
        "generalized_kl_divergence",
        "generalized_kl_divergence(jax.numpy.log({p:column}), {t:column}){reduction}",
        outputs="sum",
        steps=(Compute("takes logarithms of predictions, and multiplies them by targets of 0 too", generalized_kl),),
        notes=("convex_kl_divergence is its old name",),
        defects=("optax 0.2.8: NaN where both the target and the prediction are 0",),
    ),
    call(
        "softmax-poly-1",
        "poly_loss_cross_entropy",
        "poly_loss_cross_entropy({p}, {t:smoothed}, {arguments}){reduction}",
        parameters("epsilon") | SMOOTHED,
        prediction_kind="logits",
        defaults={"epsilon": 2.0},
        smoothing="uniform",
        steps=(Compute("multiplies log(p) by targets of 0 too", poly_1, dense=True),),
    ),
    call(
        "multiclass-hinge",
        "multiclass_hinge_loss",
        "multiclass_hinge_loss({p}, {t:index}){reduction}",
        steps=(Compute("multiplies scores by targets of 0 too", multiclass_hinge),),
    ),
    call(
        "multiclass-perceptron",
        "multiclass_perceptron_loss",
        "multiclass_perceptron_loss({p}, {t:index}){reduction}",
        steps=(Compute("multiplies scores by targets of 0 too", multiclass_perceptron),),
    ),
    call(
        "sparsemax",
        "multiclass_sparsemax_loss",
        "multiclass_sparsemax_loss({p}, {t:index}){reduction}",
        steps=(Compute("takes the differences of scores, which are NaN for two infinite ones", sparsemax),),
    ),
    call("binary-sparsemax", "", "sparsemax_loss({p}, {t}){reduction}", steps=(ReadLabels("truth"),)),
    call(
        "cosine-distance",
        "cosine_distance",
        "cosine_distance({p}, {t}){reduction}",
        steps=(Compute("computes lengths in the dtype of the features", cosine_distance),),
    ),
    call(
        "triplet",
        "",
        "triplet_margin_loss({p}, {t}, {negative}, {arguments}){reduction}",
        {"margin": "margin={}", "p": "norm_degree={}"},
        steps=(Compute("adds 1e-6 to the sum of powers, within the root", triplet),),
        defects=("optax 0.2.8: NaN for odd norms of negative differences, whose size is not taken",),
    ),
    call(
        "listwise-softmax",
        "ranking_softmax_loss",
        "ranking_softmax_loss({p}, {t}, reduce_fn=None){reduction}",
        steps=(Compute("takes any numbers for targets", listwise),),
    ),
    call(
        "nt-xent",
        "ntxent",
        "ntxent({p}, {t:index}, {arguments})",
        parameters("temperature"),
        steps=(
            PAIRS,
            Change("raises squared lengths below the dtype's epsilon to it", Convention(plain_features=True)),
            Compute("computes cosines in the dtype of the features", ntxent),
        ),
    ),
    call(
        "ctc",
        "",
        "ctc_loss({p:samples}, {input_paddings}, {t:padded}, {target_paddings}, {arguments}){reduction}",
        {"blank": "blank_id={:.0f}"},
        prediction_kind="logits",
        steps=(Compute("takes -1e5 for the logarithm of 0", ctc),),
        defects=("optax 0.2.8: some 1e5 where the labels do not fit into the time steps, whose loss is infinite",),
    ),
    call(
        "dice",
        "binary_dice_loss",
        "binary_dice_loss({p:masks}, {t:masks}, {arguments}){reduction}",
        parameters("smooth"),
        prediction_kind="logits",
        per="row",
        activation="sigmoid",
        defaults={"smooth": 1.0},
        steps=(Compute(NOTHING_SMOOTHED, core=dice),),
        notes=(
            "dice_loss, of the masks of classes, is tversky here",
            "of shape (n,) each element is a mask there; p[None] is one mask",
        ),
    ),
    call(
        "tversky",
        "",
        "dice_loss({p:masks}[None], {t:masks}[None], {arguments})[0]",
        parameters("alpha beta smooth") | {"class_weight": "class_weights={class_weight}"},
        prediction_kind="logits",
        accepts=Accepts(columns="several", taken=ANYTHING, raises=finite_softmax),
        reduces={"class_weight": "sum-over-batch-size"},
        per="column",
        activation="softmax",
        defaults={"smooth": 1.0},
        steps=(Compute(NOTHING_SMOOTHED, core=tversky),),
        notes=(
            "of shape (n, k) each element is a mask there; p[None] has the masks of k classes",
            "with alpha = beta = 0.5, the default, it is dice of each class",
        ),
    ),
    call(
        "tversky",
        "",
        "dice_loss({p:masks}[None], {t:masks}[None], apply_softmax=False, {arguments})[0]",
        parameters("alpha beta smooth") | {"class_weight": "class_weights={class_weight}"},
        prediction_kind="probs",
        accepts=Accepts(columns="several", taken=ANYTHING, raises=sums_of_one),
        reduces={"class_weight": "sum-over-batch-size"},
        per="column",
        defaults={"smooth": 1.0},
        steps=(Compute(NOTHING_SMOOTHED, core=tversky),),
    ),
    call(
        "tversky",
        "",
        "dice_loss({p:masks}[..., None], {t:masks}[..., None], {arguments})[0]",
        parameters("alpha beta smooth"),
        prediction_kind="logits",
        accepts=Accepts(columns="one", taken=ANYTHING),
        per="file",
        activation="sigmoid",
        defaults={"smooth": 1.0},
        steps=(Compute(NOTHING_SMOOTHED, core=tversky),),
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
    steps=(Change("", Convention(plain_products=True)), AddUp()),
    notes=("losses are not reduced: their mean is shown",),
)
