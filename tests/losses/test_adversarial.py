"""Losses of the two sides of a generative adversarial network, computed by hand."""

import math
from typing import Any

import pytest

SCORES, LABELS = [2.0, -0.5, 0.25, -3.0], [1, 1, 0, 0]
BY_HAND = {
    "lsgan": [0.5, 1.125, 0.03125, 4.5],
    "hinge-gan": [0.0, 1.5, 1.25, 0.0],
    "wasserstein-gan": [-2.0, 0.5, 0.25, -3.0],
    "non-saturating-gan": [math.log1p(math.exp(x)) for x in (-2, 0.5, 0.25, -3)],
}
"""The discriminator's loss of two real and of two generated samples."""


@pytest.mark.quick
@pytest.mark.parametrize("name", BY_HAND)
def test_the_discriminators_loss(compute: Any, save: Any, name: str) -> None:
    for labels in (LABELS, [1, 1, -1, -1]):
        found = compute(name, save("p.npy", SCORES), save("t.npy", labels), "-f", "value").value
        assert found == pytest.approx(sum(BY_HAND[name]) / 4, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "losses"),
    [
        ("lsgan-generator", [0.28125, 8.0]),
        ("wgan-generator", [-0.25, 3.0]),
        ("hinge-gan-generator", [-0.25, 3.0]),
        ("non-saturating", [math.log1p(math.exp(-0.25)), math.log1p(math.exp(3))]),
    ],
)
def test_the_generator_wants_its_samples_to_be_taken_for_real(
    compute: Any, save: Any, name: str, losses: list[float]
) -> None:
    found = compute(name, save("p.npy", SCORES[2:]), "1", "-f", "value").value
    assert found == pytest.approx(sum(losses) / 2, rel=1e-15)


def test_other_numbers_may_stand_for_real_and_for_generated(compute: Any, save: Any) -> None:
    """Equation 8 of the paper: generated samples are -1, and real ones 1."""
    words = (save("p.npy", SCORES), save("t.npy", LABELS), "--fake", "-1", "-f", "value")
    assert compute("lsgan", *words).value == (0.5 + 1.125 + 1.25**2 / 2 + 2) / 4


def test_scores_of_patches_have_a_label_each_or_one_for_all(compute: Any, save: Any) -> None:
    patches = save("p.npy", [SCORES, SCORES])
    compute("hinge-gan", patches, save("t.npy", [1, 0])).refuses(3, "(2, 4)")
    assert compute("hinge-gan", patches, "1", "-f", "value").value == (0 + 1.5 + 0.75 + 4) / 4
    compute("hinge-gan", patches, "0.5").refuses(2, "0.5 is not a target")
