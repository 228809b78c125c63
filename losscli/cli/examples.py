"""Examples of every command: its help and the manual page print them, and a test runs each of them.

They run in a folder that has the sample data as sample_data, such as a clone of the repository. A command of losses
has examples that follow from the loss's declaration.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losscli.definition.loss import Loss

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "": (
        "losscli demo",
        "losscli compute mse sample_data/diabetes_predictions.npy sample_data/diabetes_targets.npy",
        "losscli check sample_data/digits_logits.npy sample_data/digits_labels.npy",
    ),
    "compute": (
        "losscli compute mse sample_data/diabetes.csv:prediction sample_data/diabetes.csv:target",
        "losscli compute bce sample_data/cancer.csv:logit sample_data/cancer.csv:label --sample-weight sample_data/cancer.csv:weight",
        "losscli compute ce sample_data/digits_logits.csv sample_data/digits_labels.csv --id id --require 'mean < 0.2'",
    ),
    "merge": (
        "losscli compute ce sample_data/digits_logits.npy sample_data/digits_labels.npy --part 1/2 -o digits-1.part",
        "losscli compute ce sample_data/digits_logits.npy sample_data/digits_labels.npy --part 2/2 -o digits-2.part",
        "losscli merge digits-1.part digits-2.part",
    ),
    "list": ("losscli list", "losscli list quantile", "losscli list --family margin --format json"),
    "explain": ("losscli explain huber:delta=2", "losscli explain rmse", "losscli explain ce --libraries"),
    "plot": (
        "losscli plot curves huber:delta=0.5,1,2 -o curves.png",
        "losscli plot samples ce sample_data/digits_logits.csv sample_data/digits_labels.csv --id id -o samples.png",
        "losscli plot reliability sample_data/digits_logits.npy sample_data/digits_labels.npy -o reliability.png",
    ),
    "plot curves": (
        "losscli plot curves huber:delta=0.5,1,2 -o curves.png",
        "losscli plot curves softmax-focal:gamma=0,1,2 ce --x probability -o focal.svg --data focal.csv",
    ),
    "plot samples": (
        "losscli plot samples ce sample_data/digits_logits.csv sample_data/digits_labels.csv --id id -o samples.png",
        "losscli plot samples mse sample_data/diabetes_predictions.npy sample_data/diabetes_targets.npy -o errors.png",
    ),
    "plot residuals": (
        "losscli plot residuals sample_data/diabetes_predictions.npy sample_data/diabetes_targets.npy -o residuals.png",
        "losscli plot residuals sample_data/diabetes.csv:prediction sample_data/diabetes.csv:target --theme dark -o dark.svg",
    ),
    "plot reliability": (
        "losscli plot reliability sample_data/digits_logits.npy sample_data/digits_labels.npy -o reliability.png",
        "losscli plot reliability sample_data/digits_probs.csv sample_data/digits_labels.csv --id id --from probs -o bins.png",
    ),
    "plot features": (
        "losscli plot features sample_data/features.npy sample_data/features_labels.npy -o features.png",
        "losscli plot features sample_data/features.csv sample_data/features_labels.csv --id id --centers sample_data/centers.csv -o centers.png",
    ),
    "plot compare": (
        "losscli plot compare ce sample_data/digits_logits.npy sample_data/digits_mlp.npy --targets sample_data/digits_labels.npy -o models.png",
        "losscli plot compare brier sample_data/digits_logits.npy sample_data/digits_mlp.npy --targets sample_data/digits_labels.npy -o brier.svg",
    ),
    "check": (
        "losscli check sample_data/digits_logits.npy sample_data/digits_labels.npy",
        "losscli check sample_data/digits_probs.csv sample_data/digits_labels.csv --id id --from probs",
        "losscli check sample_data/diabetes.csv:prediction sample_data/diabetes.csv:target --loss mse --format json",
    ),
    "compare": (
        "losscli compare ce sample_data/digits_logits.npy sample_data/digits_mlp.npy --targets sample_data/digits_labels.npy",
        "losscli compare brier sample_data/digits_logits.csv sample_data/digits_mlp.csv --targets sample_data/digits_labels.csv --id id --fail-if worse",
    ),
    "rank": (
        "losscli rank ce sample_data/digits_logits.csv sample_data/digits_labels.csv --id id --top 5",
        "losscli rank mse sample_data/diabetes.csv:prediction sample_data/diabetes.csv:target --top 3 --format jsonl",
    ),
    "calibrate": (
        "losscli calibrate sample_data/digits_logits.npy sample_data/digits_labels.npy",
        "losscli calibrate sample_data/digits_probs.csv sample_data/digits_labels.csv --id id --from probs -o calibrated.csv",
    ),
    "centers": (
        "losscli centers sample_data/features.csv sample_data/features_labels.csv --id id -o means.csv",
        "losscli centers sample_data/features.npy sample_data/features_labels.npy --centers sample_data/centers.npy --alpha 0.1 -o moved.npy",
    ),
    "targets": (
        "losscli targets sample_data/tiny_labels.npy --classes 3",
        "losscli targets sample_data/digits_labels.csv:label --smoothing 0.1 -o smoothed.npy",
    ),
    "run": ("losscli run sample_data/losscli.toml", "losscli run --init > suite.toml"),
    "history": (
        "losscli run sample_data/losscli.toml -o run-1.json",
        "losscli compute mse sample_data/diabetes.csv:prediction sample_data/diabetes.csv:target -o run-2.json",
        "losscli history 'run-*.json'",
    ),
    "verify": (
        "losscli verify examples/losses/swapped_alpha.py",
        "losscli verify examples/losses/sigmoid_focal.py:right_sigmoid_focal",
        "losscli verify examples/losses/clipped_ce.py:clipped_cross_entropy --format json",
    ),
    "audit": ("losscli audit torch HuberLoss", "losscli audit sklearn log_loss"),
    "gallery": ("losscli gallery -o gallery", "losscli gallery -o site/losses"),
    "help": ("losscli help huber", "losscli help --per", "losscli help plot curves"),
    "demo": ("losscli demo", "losscli demo --copy", "losscli demo --format json"),
}
"""Words of a command -> complete command lines."""

SAMPLES: Mapping[str, str] = {
    "numbers": "sample_data/diabetes_predictions.npy sample_data/diabetes_targets.npy",
    "signs": "sample_data/cancer_logits.npy sample_data/cancer_labels.npy",
    "outcomes": "sample_data/cancer_logits.npy sample_data/cancer_labels.npy",
    "classes": "sample_data/digits_logits.npy sample_data/digits_labels.npy",
}
"""The kind of a loss's targets -> predictions and targets among the sample data."""
PLAIN = ("residual", "margin", "sigmoid", "softmax", "class-logits", "scores")
"""Families that need nothing but predictions and targets, of any size."""


def of_loss(loss: "Loss") -> tuple[str, ...]:
    """Return examples of `losscli compute` with a loss; none for those that need files of another kind."""
    if loss.family.name not in PLAIN:
        return ()
    files = SAMPLES[loss.family.target_type]
    parameter = next((item for item in loss.parameters.values() if item.default is not None), None)
    lines = [f"losscli compute {loss.name} {files}", f"losscli compute {loss.name} {files} --per-sample -f csv"]
    if parameter is not None:
        lines.insert(1, f"losscli compute {loss.name}:{parameter.name}={parameter.default:g} {files}")
    return tuple(lines)
