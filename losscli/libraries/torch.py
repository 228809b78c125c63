"""PyTorch: torch.nn and torch.nn.functional."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Extras, Indices, Targets
from losscli.definition.convention import Convention, Taken
from losscli.definition.domain import BELOW_INFINITY, NON_NEGATIVE, REAL
from losscli.elementary import log1p
from losscli.libraries.arithmetic import converted, dense, log_softmax, own
from losscli.libraries.call import EVERYTHING, LABELS, Accepts, Call, Library
from losscli.libraries.steps import BY_LENGTH, AddUp, Change, Compute, Multiply, OnlyMean, WeighTerms

F = "torch.nn.functional."
BY_ROWS = "sum-over-batch-size"
Parameters = Mapping[str, Any]

REDUCTION = {"reduction": "reduction={!r}"}
WEIGHT = {"sample_weight": "weight={w:elements}"}
ANYTHING = Taken(REAL, REAL, REAL)
"""No number is looked at before it is computed with; what has no loss is NaN then."""


def call(loss: str, names: str, expression: str, arguments: Mapping[str, str] = {}, **more: object) -> Call:
    """Return the record of a call in torch.nn.functional; all take a reduction."""
    more.setdefault("accepts", Accepts(taken=ANYTHING))
    return Call(loss, tuple(names.split()), F + expression, arguments=dict(arguments) | REDUCTION, **more)  # type: ignore[arg-type]


def parameters(names: str) -> dict[str, str]:
    """Return arguments that are parameters of the loss, by the same names."""
    return {name: f"{name}={{}}" for name in names.split()}


# Formulas, in the dtype of the operands, where losscli's own keep more digits or have other limits.


def logistic(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return log(1 + exp(-t p)), which is infinite from some margin on."""
    return log1p(np.exp(-p * dense(t, p)))


def with_logits(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of logits: (1 - t) z + (1 + (w - 1) t) log(1 + exp(-z)) with the factor w of positives."""
    z, y = converted(p, extras.prediction_kind, "logits", False), dense(t, p)
    log_weight = 1 if extras.pos_weight is None else 1 + (np.asarray(extras.pos_weight, p.dtype) - 1) * y
    return (1 - y) * z + log_weight * (log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0))


def of_probabilities(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of probabilities, whose logarithms are cut off at -100."""
    p, y = converted(p, extras.prediction_kind, "probs", False), dense(t, p)
    return (y - 1) * np.maximum(log1p(-p), -100) - y * np.maximum(np.log(p), -100)


def cross_entropy(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the cross-entropy of logits, or of what is taken for logits, with each class's term weighed."""
    log_p = log_softmax(converted(p, extras.prediction_kind, "logits", True))
    if isinstance(t, Indices) and (t.on, t.off) == (1, 0) and extras.class_terms is None:
        return -own(log_p, t)
    terms = -log_p * dense(t, p)
    if isinstance(t, Indices):
        # Two sums with a factor each: a class of the target 0 has no term, not even where it is infinite.
        k = p.shape[1]
        spread = t.off * k
        weighed = -log_p if extras.class_terms is None else -log_p * extras.class_terms.astype(p.dtype)
        hard = (1 - spread) * own(weighed, t)
        return hard + (spread / k * weighed.sum(axis=1) if spread else 0)
    return (terms if extras.class_terms is None else terms * extras.class_terms.astype(p.dtype)).sum(axis=1)


def nll(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return minus the log-probability of each row's class."""
    assert isinstance(t, Indices)
    return -own(converted(p, extras.prediction_kind, "log-probs", True), t)


def kl_div(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return sum(t log(t) - t log(p)); 0 log(0) is 0, and 0 times infinity is NaN."""
    log_p, y = converted(p, extras.prediction_kind, "log-probs", True), dense(t, p)
    return np.asarray((np.where(y == 0, 0, y * np.log(y)) - y * log_p).sum(axis=1))


def poisson(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return p - t log(p + eps), with Stirling's approximation of log(t!) if it is full."""
    y = dense(t, p)
    value = p - y * np.log(p + p.dtype.type(parameters["epsilon"]))
    return value + stirling(y) if parameters["full"] else value


def log_poisson(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return exp(p) - t p, with Stirling's approximation of log(t!) if it is full."""
    y = dense(t, p)
    value = np.exp(p) - y * p
    return value + stirling(y) if parameters["full"] else value


def stirling(t: Array) -> Array:
    """Return t log(t) - t + log(2 pi t) / 2 of targets above 1, and 0 of others."""
    number = t.dtype.type
    return np.where(t <= 1, number(0), t * np.log(t) - t + number(0.5) * np.log(number(2 * math.pi) * t))


def gaussian(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return half of log(v) + (p - t)**2 / v; variances below 1e-6 are raised to it. Full losses have log(2 pi) / 2 more."""
    assert extras.third_operand is not None
    number = p.dtype.type
    variance = np.maximum(extras.third_operand.astype(p.dtype), number(1e-6))
    value = number(0.5) * (np.log(variance) + (p - dense(t, p)) ** 2 / variance)
    return value + number(0.5 * math.log(2 * math.pi)) if parameters["full"] else value


def multi_margin(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return sum(max(0, margin - own + z)**p) / k over the other classes."""
    assert isinstance(t, Indices)
    gap = p.dtype.type(parameters["margin"]) - own(p, t)[:, None] + p
    gap = np.where(gap > 0, gap, 0)
    gap = gap * gap if parameters["p"] == 2 else gap
    gap[np.arange(len(p)), t.index] = 0
    return gap.sum(axis=1) / p.dtype.type(p.shape[1])


def multilabel_margin(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return sum(max(0, 1 - z_a + z_b)) / k over the relevant items a and the other items b."""
    relevant, total = dense(t, p) > 0, np.zeros(len(p), p.dtype)
    for a in range(p.shape[1]):
        gap = 1 - p[:, a, None] + p
        counts = (gap > 0) & relevant[:, a, None] & ~relevant
        total = total + np.where(counts, gap, 0).sum(axis=1)
    return total / p.dtype.type(p.shape[1])


def cosine_embedding(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return 1 - cos, or what the cosine is above the margin; 1e-12 is added to the squared lengths."""
    assert extras.third_operand is not None
    other, number = extras.third_operand.astype(p.dtype), p.dtype.type
    epsilon = number(np.float32(1e-12))  # a constant in float32 there, whatever the dtype
    lengths = [(x * x).sum(axis=1) + epsilon for x in (p, other)]
    cosine = (p * other).sum(axis=1) / np.sqrt(lengths[0] * lengths[1])
    return np.where(dense(t, p) > 0, 1 - cosine, np.maximum(cosine - number(parameters["margin"]), 0))


def hinge_embedding(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return the distance of like pairs, and what unlike ones miss of the margin."""
    if extras.third_operand is not None:
        p = np.sqrt(((p - extras.third_operand.astype(p.dtype)) ** 2).sum(axis=1))
    return np.where(dense(t, p) > 0, p, np.maximum(p.dtype.type(parameters["margin"]) - p, 0))


def triplet(p: Array, t: Targets, extras: Extras, parameters: Parameters) -> Array:
    """Return max(0, margin + |a - b| - |a - n|), with eps added to each difference."""
    assert extras.third_operand is not None
    power, eps, number = parameters["p"], p.dtype.type(parameters["epsilon"]), p.dtype.type
    near, far = dense(t, p), extras.third_operand.astype(p.dtype)

    def distance(a: Array, b: Array) -> Array:
        gap = np.abs(a - b + eps)
        if math.isinf(power):
            return np.asarray(gap.max(axis=1))
        if power == 2:
            return np.sqrt((gap * gap).sum(axis=1))
        return gap.sum(axis=1) if power == 1 else (gap ** number(power)).sum(axis=1) ** number(1 / power)

    beyond = distance(p, far)
    if parameters["swap"]:
        beyond = np.minimum(beyond, distance(near, far))
    return np.maximum(number(parameters["margin"]) + distance(p, near) - beyond, 0)


# What is refused with an error.


def whole_norm(operands: Any, parameters: Parameters) -> str | None:
    """multi_margin_loss has two norms only."""
    return None if parameters["p"] in (1, 2) else "takes the norms p = 1 and p = 2 only; give one of them as --p"


CLASS_WEIGHT = {"class_weight": "weight={class_weight}"}
IGNORE = {"ignore_index": "ignore_index={:d}"}
SMOOTHING = {"label_smoothing": "label_smoothing={}"}
FULL = {"full": "full={:bool}"}
STIRLING = "full=True adds Stirling's approximation where t > 1, and nothing to others: not log(t!)"

CALLS = (
    call(
        "squared-error",
        "MSELoss mse_loss",
        "mse_loss({p}, {t}, {arguments})",
        WEIGHT,
        reduces={"sample_weight": "mean"},
    ),
    call(
        "absolute-error", "L1Loss l1_loss", "l1_loss({p}, {t}, {arguments})", WEIGHT, reduces={"sample_weight": "mean"}
    ),
    call(
        "huber",
        "HuberLoss huber_loss",
        "huber_loss({p}, {t}, {arguments})",
        parameters("delta") | WEIGHT,
        reduces={"sample_weight": BY_ROWS},
        notes=("weights are divided by the number of elements here, and by their sum in mse_loss and l1_loss",),
    ),
    call(
        "smooth-l1",
        "SmoothL1Loss smooth_l1_loss",
        "smooth_l1_loss({p}, {t}, {arguments})",
        parameters("beta"),
        notes=("beta = 0 is the absolute error there",),
    ),
    call(
        "poisson",
        "",
        "poisson_nll_loss({p}, {t}, log_input=False, {arguments})",
        {"epsilon": "eps={}"} | FULL,
        defaults={"epsilon": 1e-8},
        steps=(Compute("computes p - t log(p + eps) of any numbers", poisson),),
        notes=(STIRLING,),
    ),
    call(
        "log-poisson",
        "PoissonNLLLoss poisson_nll_loss",
        "poisson_nll_loss({p}, {t}, {arguments})",
        FULL,
        steps=(Compute("computes exp(p) - t p of any numbers", log_poisson),),
        notes=("log_input=True is the default: predictions are logarithms of rates", STIRLING),
    ),
    call(
        "gaussian-nll",
        "GaussianNLLLoss gaussian_nll_loss",
        "gaussian_nll_loss({p}, {t}, {variance}, {arguments})",
        FULL,
        accepts=Accepts(taken=Taken(REAL, REAL, NON_NEGATIVE)),
        steps=(Compute("raises variances below 1e-6 to it", gaussian),),
        notes=("full=True adds log(2 pi) / 2",),
    ),
    call(
        "logistic",
        "SoftMarginLoss soft_margin_loss",
        "soft_margin_loss({p}, {t}, {arguments})",
        steps=(
            Change("multiplies labels as they are: 0 stays 0", Convention(labels="numbers")),
            Compute("computes log(1 + exp(-m)), which is inf beyond some margin", logistic),
        ),
        defects=(
            "torch 2.13.0: labels of 0 are taken as they are and give log(2), without a word",
            "torch 2.13.0: inf for margins below -88 in float32",
        ),
    ),
    call(
        "sigmoid-cross-entropy",
        "BCEWithLogitsLoss binary_cross_entropy_with_logits MultiLabelSoftMarginLoss multilabel_soft_margin_loss",
        "binary_cross_entropy_with_logits({p}, {t:outcomes}, {arguments})",
        WEIGHT
        | {
            "class_weight": "weight={w:elements}",
            "output_weight": "weight={w:elements}",
            "pos_weight": "pos_weight={pos_weight}",
        },
        prediction_kind="logits",
        reduces={"sample_weight": BY_ROWS, "class_weight": BY_ROWS},
        steps=(Compute("computes (1 - t) z + log(1 + exp(-z)) as it stands", with_logits),),
        defects=("torch 2.13.0: NaN at a logit of +inf with target 1, whose loss is 0",),
        notes=(
            "pos_weight weighs the positive term, weight the whole loss",
            "multilabel_soft_margin_loss is the same, but that its sum is one of means over the labels",
        ),
    ),
    call(
        "sigmoid-cross-entropy",
        "BCELoss binary_cross_entropy",
        "binary_cross_entropy({p}, {t:outcomes}, {arguments})",
        WEIGHT | {"class_weight": "weight={w:elements}", "output_weight": "weight={w:elements}"},
        prediction_kind="probs",
        accepts=EVERYTHING,
        reduces={"sample_weight": BY_ROWS, "class_weight": BY_ROWS},
        steps=(Compute("cuts log(p) off at -100", of_probabilities),),
    ),
    call(
        "softmax-cross-entropy",
        "CrossEntropyLoss cross_entropy",
        "cross_entropy({p}, {t}, {arguments})",
        CLASS_WEIGHT | IGNORE | SMOOTHING,
        prediction_kind="logits",
        reduces={"class_weight": "mean", "soft": BY_ROWS},
        smoothing="uniform",
        steps=(
            WeighTerms(),
            Compute("subtracts the log-sum-exp, and multiplies it by targets of 0 too", cross_entropy, dense=True),
        ),
        notes=(
            "weights of classes: divided by their sum over the rows for class indices, by the number of rows for rows of "
            "probabilities",
            "label -100 is ignored by default",
            "soft targets are not checked: they may be negative, or sum to anything",
        ),
        defects=(
            "torch 1.10: label_smoothing with weight, ignore_index and reduction='mean' has a wrong denominator, or fails (issues 69339, 91383)",
            "torch 2.13.0: NaN for a soft target where a logit is -inf and its target 0",
            "torch 2.13.0: NaN where all rows are ignored",
        ),
    ),
    call(
        "softmax-cross-entropy",
        "NLLLoss2d",
        "nll_loss({p}, {t}, {arguments})",
        CLASS_WEIGHT | IGNORE,
        prediction_kind="log-probs",
        accepts=Accepts(kinds=LABELS, taken=ANYTHING),
        reduces={"class_weight": "mean"},
        steps=(Compute("takes minus the log-probability of the class", nll),),
        notes=("takes log-probabilities; probabilities give minus their mean, without a word",),
    ),
    call(
        "softmax-cross-entropy",
        "",
        "cross_entropy({p}, {t}, {arguments})",
        CLASS_WEIGHT | IGNORE | SMOOTHING,
        prediction_kind="log-probs",
        reduces={"class_weight": "mean", "soft": BY_ROWS},
        smoothing="uniform",
        steps=(WeighTerms(), Compute("divides each row of probabilities by its sum", cross_entropy, dense=True)),
        notes=("nll_loss takes neither rows of targets nor label smoothing",),
    ),
    call(
        "kl-divergence",
        "KLDivLoss kl_div",
        "kl_div({p}, {t:rows}, {arguments})",
        prediction_kind="log-probs",
        steps=(Compute("multiplies log-probabilities by targets of 0 too", kl_div), Multiply(when="per column")),
        notes=("reduction='batchmean' divides by the number of rows alone, which is the divergence",),
        defects=("torch 2.13.0: NaN where both the target and exp of the prediction are 0",),
    ),
    call(
        "multi-margin",
        "MultiMarginLoss multi_margin_loss",
        "multi_margin_loss({p}, {t:index}, {arguments})",
        {"p": "p={:.0f}"} | parameters("margin") | CLASS_WEIGHT,
        accepts=Accepts(taken=ANYTHING, raises=whole_norm),
        reduces={"class_weight": BY_ROWS},
        steps=(Compute("computes it in the dtype of the predictions", multi_margin),),
    ),
    call(
        "multilabel-margin",
        "MultiLabelMarginLoss multilabel_margin_loss",
        "multilabel_margin_loss({p}, {t:lists}, {arguments})",
        accepts=EVERYTHING,
        steps=(Compute("leaves out what is no number", multilabel_margin),),
        notes=("targets there are lists of labels, ended by -1; here a row of 0 and 1",),
    ),
    call(
        "margin-ranking",
        "MarginRankingLoss margin_ranking_loss",
        "margin_ranking_loss({p:first}, {p:second}, {t:signs}, {arguments})",
        parameters("margin"),
        notes=("targets are -1 and 1",),
    ),
    call(
        "cosine-embedding",
        "CosineEmbeddingLoss cosine_embedding_loss",
        "cosine_embedding_loss({p}, {other}, {t:signs}, {arguments})",
        parameters("margin"),
        steps=(
            Compute(
                "adds 1e-12 to the squared lengths, so that features of length 0 have the cosine 0", cosine_embedding
            ),
        ),
    ),
    call(
        "hinge-embedding",
        "HingeEmbeddingLoss hinge_embedding_loss",
        "hinge_embedding_loss({p:distances}, {t:signs}, {arguments})",
        parameters("margin"),
        steps=(Compute("takes any numbers for distances", hinge_embedding),),
    ),
    call(
        "triplet",
        "TripletMarginLoss triplet_margin_loss TripletMarginWithDistanceLoss triplet_margin_with_distance_loss",
        "triplet_margin_loss({p}, {t}, {negative}, {arguments})",
        parameters("margin p") | {"swap": "swap={:bool}", "epsilon": "eps={}"},
        defaults={"epsilon": 1e-6},
        steps=(Compute("computes norms in the dtype of the features", triplet),),
    ),
    call(
        "ctc",
        "CTCLoss ctc_loss",
        "ctc_loss({p:time}, {t:labels}, {input_lengths}, {target_lengths}, {arguments})",
        {"blank": "blank={:.0f}"},
        prediction_kind="log-probs",
        accepts=Accepts(taken=Taken(BELOW_INFINITY)),
        reduces={"": BY_ROWS},
        steps=(OnlyMean(BY_LENGTH, BY_ROWS),),
        notes=(
            "predictions have the shape (time, samples, classes) there",
            "zero_infinity=True makes infinite losses 0; by default their gradients are NaN",
            "the gradient is that by logits, also where log-probabilities are given that no log-softmax has made",
        ),
    ),
)


def tensor(text: str, dtype: str, same: bool) -> str:
    """Write an array as a tensor."""
    return f"torch.tensor({text})" if same else f"torch.tensor({text}, dtype=torch.{dtype})"


LIBRARY = Library(
    name="torch",
    title="torch 2.13.0",
    imports=("import torch",),
    tensor=tensor,
    reduces={"": "mean"},
    reductions={"mean": "mean", "sum": "sum", "none": "none"},
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    steps=(Change("", Convention(plain_products=True)), AddUp()),
    notes=("reduction='mean' divides by the number of elements",),
)
