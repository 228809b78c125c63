"""The gate of a model as tests: pytest runs them in CI, and shows the table of what is not good enough."""

import losscli

PREDICTIONS, LABELS = "predictions.npy", "labels.npy"


def test_files_are_what_they_should_be():
    losscli.check(PREDICTIONS, LABELS, loss="cross-entropy").require("errors == 0", "warnings == 0")


def test_loss_is_low_enough():
    losscli.compute("cross-entropy", PREDICTIONS, LABELS).require("mean <= 0.2", "p99 <= 3", "samples == 360")


def test_model_is_not_worse_than_the_one_in_use():
    losscli.compare("cross-entropy", "in_use.npy", PREDICTIONS, targets=LABELS).require("verdict != worse")
