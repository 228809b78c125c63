"""Which of losscli's losses a name probably means: `FocalLoss`, `my_bce_with_logits`, `smooth_l1`."""

import re

GUESSES = (
    (
        r"(dice|jaccard|tversky).*(bce|cross|focal|(^|_)ce($|_))|(bce|cross|focal|(^|_)ce_).*(dice|jaccard)",
        (None, None),
    ),
    (r"dice", ("dice", None)),
    (r"jaccard", ("jaccard", None)),
    (r"tversky", (None, None)),
    (r"focal", ("softmax-focal", "sigmoid-focal")),
    (r"bce|binary", (None, "sigmoid-cross-entropy")),
    (r"cross_?entropy|xent|(^|_)s?c?ce($|_)|nll", ("softmax-cross-entropy", "sigmoid-cross-entropy")),
    (r"kl|kullback", ("kl-divergence", None)),
    (r"brier", ("brier", "sigmoid-brier")),
    (r"squared_?hinge", (None, "squared-hinge")),
    (r"hinge", (None, "hinge")),
    (r"smooth_?l1", (None, "smooth-l1")),
    (r"huber", (None, "huber")),
    (r"tukey|biweight", (None, "tukey-biweight")),
    (r"mse|mean_?squared|squared_?error|(^|_)l2($|_)", (None, "squared-error")),
    (r"mae|mean_?absolute|absolute_?error|(^|_)l1($|_)", (None, "absolute-error")),
    (r"log_?cosh", (None, "log-cosh")),
    (r"quantile|pinball", (None, "quantile")),
)
"""Pattern of a name -> the loss for columns of classes, and the loss for one score per row."""


def guessed(name: str, columns: bool) -> str | None:
    """Return the loss that a name probably means, for columns of classes or for one score
    per row; None if there is none.
    """
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(":")[2]).lower()
    for pattern, (of_classes, of_scores) in GUESSES:
        if re.search(pattern, plain):
            return of_classes if columns else of_scores
    return None
