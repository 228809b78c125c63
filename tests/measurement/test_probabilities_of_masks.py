"""Probabilities that overlap losses read as logits: the warning speaks of what makes probabilities of them."""

import math

import numpy as np
import pytest

import losscli

RNG = np.random.default_rng(2)
PROBS = RNG.dirichlet([1, 1, 1], (4, 5))
LABELS = RNG.integers(0, 3, (4, 5))


@pytest.mark.parametrize("loss", ["dice", "lovasz-softmax"])
@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [("softmax", 1 / (1 + 2 * math.e), math.e / (math.e + 2)), ("sigmoid", 0.5, math.e / (math.e + 1))],
)
def test_the_function_applied_twice_is_named(loss: str, activation: str, low: float, high: float) -> None:
    """Softmax or sigmoid, with the numbers between which its results of numbers in [0, 1] lie; no word of cross-entropy."""
    words = f"double-{activation}: .*the {activation} of probabilities lies between {low:.4f} and {high:.4f}"
    with pytest.warns(losscli.LosscliWarning, match=words) as told:
        losscli.compute(loss, PROBS, LABELS, class_axis=-1, activation=activation)
    assert not any("cross-entropy" in str(one.message) for one in told)


def test_overlap_of_probabilities_that_are_said_to_be_some_is_quiet() -> None:
    """With --from probs nothing is applied twice."""
    assert losscli.compute("dice", PROBS, LABELS, class_axis=-1, from_="probs").value < 1
