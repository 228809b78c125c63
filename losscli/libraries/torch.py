"""PyTorch: torch.nn and torch.nn.functional."""

from losscli.definition.batch import Clip
from losscli.libraries.call import Call, Library

F = "torch.nn.functional."
BY_ROWS = "sum-over-batch-size"


def call(loss: str, names: str, expression: str, **more: object) -> Call:
    """Return the record of a call in torch.nn.functional."""
    return Call(loss, tuple(names.split()), F + expression, **more)  # type: ignore[arg-type]


def bce_clip(dtype: object) -> Clip:
    """Return the clip of binary_cross_entropy, which cuts logarithms off at -100."""
    return Clip(floor=-100.0)


CALLS = (
    call("squared-error", "MSELoss mse_loss", "mse_loss(p, t)", weighted="mean"),
    call("absolute-error", "L1Loss l1_loss", "l1_loss(p, t)", weighted="mean"),
    call(
        "huber",
        "HuberLoss huber_loss",
        "huber_loss(p, t, delta=delta)",
        weighted=BY_ROWS,
        notes=("weights are divided by the number of elements here, and by their sum in mse_loss and l1_loss",),
    ),
    call(
        "smooth-l1",
        "SmoothL1Loss smooth_l1_loss",
        "smooth_l1_loss(p, t, beta=beta)",
        notes=("beta = 0 is the absolute error there",),
    ),
    call(
        "poisson",
        "",
        "poisson_nll_loss(p, t, log_input=False)",
        defaults={"epsilon": 1e-8},
        notes=("full=True adds Stirling's approximation where t > 1, not log(t!)",),
    ),
    call(
        "log-poisson",
        "PoissonNLLLoss poisson_nll_loss",
        "poisson_nll_loss(p, t)",
        notes=("log_input=True is the default: predictions are logarithms of rates",),
    ),
    call(
        "gaussian-nll",
        "GaussianNLLLoss gaussian_nll_loss",
        "gaussian_nll_loss(p, t, variance)",
        notes=("variances below 1e-6 are raised to it, without a gradient", "full=True adds log(2 pi) / 2"),
    ),
    call(
        "logistic",
        "SoftMarginLoss soft_margin_loss",
        "soft_margin_loss(p, t)",
        labels="numbers",
        defects=(
            "torch 2.13.0: labels of 0 are taken as they are and give log(2), without a word",
            "torch 2.13.0: inf for margins below -88 in float32",
        ),
    ),
    call(
        "sigmoid-cross-entropy",
        "BCEWithLogitsLoss binary_cross_entropy_with_logits",
        "binary_cross_entropy_with_logits(p, t)",
        prediction_kind="logits",
        weighted=BY_ROWS,
        defects=("torch 2.13.0: NaN at a logit of +inf with target 1, whose loss is 0",),
        notes=("pos_weight weighs the positive term, weight the whole loss",),
    ),
    call(
        "sigmoid-cross-entropy",
        "BCELoss binary_cross_entropy",
        "binary_cross_entropy(p, t)",
        prediction_kind="probs",
        weighted=BY_ROWS,
        clip=bce_clip,
    ),
    call(
        "sigmoid-cross-entropy",
        "MultiLabelSoftMarginLoss multilabel_soft_margin_loss",
        "multilabel_soft_margin_loss(p, t)",
        prediction_kind="logits",
        weighted="none",
    ),
    call(
        "softmax-cross-entropy",
        "CrossEntropyLoss cross_entropy",
        "cross_entropy(p, t)",
        prediction_kind="logits",
        weighted="none",
        class_weighted="mean",
        soft_weighted=BY_ROWS,
        terms_by_class=True,
        smoothing="uniform",
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
        "nll_loss(p, t)",
        prediction_kind="log-probs",
        weighted="none",
        class_weighted="mean",
        notes=("takes log-probabilities; probabilities give minus their mean, without a word",),
    ),
    call(
        "kl-divergence",
        "KLDivLoss kl_div",
        "kl_div(p, t)",
        prediction_kind="log-probs",
        weighted="none",
        scale_by_outputs=True,
        notes=("reduction='batchmean' divides by the number of rows alone, which is the divergence",),
        defects=("torch 2.13.0: NaN where both the target and exp of the prediction are 0",),
    ),
    call(
        "multi-margin",
        "MultiMarginLoss multi_margin_loss",
        "multi_margin_loss(p, t, p=p, margin=margin)",
        weighted="none",
        class_weighted=BY_ROWS,
    ),
    call(
        "multilabel-margin",
        "MultiLabelMarginLoss multilabel_margin_loss",
        "multilabel_margin_loss(p, t)",
        weighted="none",
        notes=("targets there are lists of labels, ended by -1; here a row of 0 and 1",),
    ),
    call(
        "margin-ranking",
        "MarginRankingLoss margin_ranking_loss",
        "margin_ranking_loss(p[:, 0], p[:, 1], t, margin=margin)",
        weighted="none",
        notes=("targets are -1 and 1",),
    ),
    call(
        "cosine-embedding",
        "CosineEmbeddingLoss cosine_embedding_loss",
        "cosine_embedding_loss(p, other, t, margin=margin)",
        weighted="none",
        notes=("1e-12 is added to the squared lengths, so that features of length 0 have the cosine 0",),
    ),
    call(
        "hinge-embedding",
        "HingeEmbeddingLoss hinge_embedding_loss",
        "hinge_embedding_loss(p, t, margin=margin)",
        weighted="none",
    ),
    call(
        "triplet",
        "TripletMarginLoss triplet_margin_loss TripletMarginWithDistanceLoss triplet_margin_with_distance_loss",
        "triplet_margin_loss(p, t, negative, margin=margin, p=p)",
        weighted="none",
        defaults={"epsilon": 1e-6},
    ),
    call(
        "ctc",
        "CTCLoss ctc_loss",
        "ctc_loss(p, t, input_lengths, target_lengths, blank=blank)",
        prediction_kind="log-probs",
        reduction=BY_ROWS,
        weighted="none",
        by_length=True,
        notes=(
            "predictions have the shape (time, samples, classes) there",
            "zero_infinity=True makes infinite losses 0; by default their gradients are NaN",
            "the gradient is that by logits, also where log-probabilities are given that no log-softmax has made",
        ),
    ),
)

LIBRARY = Library(
    name="torch",
    title="torch 2.13.0",
    reduction="mean",
    weighted="none",
    reductions={"mean": "mean", "sum": "sum", "none": "none"},
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
    notes=("reduction='mean' divides by the number of elements",),
)
