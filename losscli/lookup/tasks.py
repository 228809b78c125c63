"""What losses are for: the tasks by which help and the gallery sort them."""

from collections.abc import Mapping

TASKS: Mapping[str, tuple[str, ...]] = {
    "numbers (regression)": ("residual", "relative"),
    "counts, amounts, means with a variance": ("distribution", "gaussian", "scaled", "counts"),
    "two outcomes, several labels": ("sigmoid", "margin", "adversarial", "label-matrix"),
    "one of several classes": (
        "softmax",
        "shares",
        "class-logits",
        "scores",
        "long-tail",
        "ordinal",
        "thresholds",
        "views",
    ),
    "lists and pairs (ranking)": ("ranking", "pairs"),
    "embeddings": (
        *("cosine", "cosine-pair", "pair", "triplet", "batch", "paired", "mutual", "embedding", "angular", "proxy"),
        *("mined", "every-triplet", "two-views"),
    ),
    "preferences of language models": ("preference", "feedback", "odds"),
    "masks (segmentation)": ("overlap", "class-overlap", "mask-margins", "class-masks"),
    "boxes (detection)": ("box",),
    "forecasts": (
        "ensemble",
        "vector-ensemble",
        "interval",
        "quantiles",
        "quantile-file",
        "series",
        "scaled-series",
        "series-order",
    ),
    "sequences": ("sequence",),
    "times of events": ("survival",),
}
"""What targets are -> the families of losses for them, as the help of a group of losses and the gallery name them."""
OTHER_WORDS: Mapping[str, str] = {
    "two outcomes, several labels": "binary classification, multilabel classification",
    "one of several classes": "multiclass classification",
    "embeddings": "metric learning, representation learning, contrastive learning",
    "preferences of language models": "alignment",
    "forecasts": "forecasting, time series",
    "times of events": "survival analysis",
}
"""Task -> what else it is called, for a search."""


def task_of(family: str) -> str:
    """Return the task of a family of losses, by the family's name."""
    return next(task for task, families in TASKS.items() if family in families)
