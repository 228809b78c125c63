"""Names of losses: aliases, those of frameworks, and those that have several meanings."""

import pytest

from losscli.errors import UsageError
from losscli.losses import AMBIGUOUS, LOSSES, find


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss", "BCEWithLogitsLoss", "SparseCategoricalCrossentropy"])
def test_names_of_classes_of_frameworks_are_understood(run, name):
    assert run("explain", name).code == 0


@pytest.mark.quick
def test_names_and_aliases_of_the_contract() -> None:
    table = {
        "squared-error": "mse mean-squared-error",
        "half-squared-error": "l2 l2-loss",
        "absolute-error": "l1 mae mean-absolute-error",
        "huber": "",
        "smooth-l1": "",
        "tukey-biweight": "tukey biweight",
        "hinge": "",
        "squared-hinge": "",
        "ramp": "",
        "sigmoid-cross-entropy": "bce binary-cross-entropy binary-crossentropy bce-with-logits",
        "softmax-cross-entropy": "ce cross-entropy categorical-crossentropy sparse-categorical-crossentropy "
        "sparse-softmax-cross-entropy",
        "kl-divergence": "kl kullback-leibler",
        "sigmoid-focal": "binary-focal focal",
        "softmax-focal": "categorical-focal sparse-focal",
        "center": "center-loss",
    }
    assert set(table) <= set(LOSSES)
    for name, aliases in table.items():
        for alias in aliases.split():
            assert find(alias).name == name
        assert find(name.replace("-", "_").upper()).name == name
    defaults = {loss: dict(LOSSES[loss].bind().parameters) for loss in table}
    assert defaults["huber"] == {"delta": 1}
    assert defaults["smooth-l1"] == {"beta": 1}
    assert defaults["tukey-biweight"] == {"c": 4.6851}
    assert defaults["ramp"] == {"s": -1}
    assert defaults["sigmoid-focal"] == {"gamma": 2, "alpha": None}
    assert defaults["softmax-focal"] == {"gamma": 2}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_names_are_refused_with_losses_that_exist(name: str) -> None:
    with pytest.raises(UsageError, match="different losses"):
        find(name)
    assert {choice.split()[0] for choice in AMBIGUOUS[name]} <= set(LOSSES)
