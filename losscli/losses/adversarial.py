"""Adversarial losses: terms of the two sides of a generative adversarial network.

Predictions are the discriminator's scores, without a sigmoid. For the discriminator's loss, labels say which samples are
real. A generator wants its samples to be taken for real: its loss is that of its samples' scores with the label 1. A core
gets the scores and which of them should be taken for real, elementwise.
"""

from typing import Annotated

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import REAL
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.losses.contrastive import logistic, softplus


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(scores, real), elementwise; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    value, slope = loss.core(predictions.astype(loss.work(predictions.dtype, wide=True), copy=False), targets.t > 0)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.ones(len(x), np.int8)), Extras()


adversarial = family(
    name="adversarial",
    lift=lift,
    summary="functions of a discriminator's scores of real and of generated samples, elementwise",
    variables={
        "s": "score of a sample",
        "t": "1 where the sample is real, or should be taken for real, and -1 where it is generated",
    },
    value="f(s, t)",
    gradient="df/ds",
    targets="labels in {0, 1} or in {-1, 1}, one for each score: 1 where the sample is real; or the constant 1, for the "
    "generator's loss of its samples",
    target_type="signs",
    axes={"margin": Axis("s", "score s of a sample that is real, or should be taken for it", (-3.0, 3.0), _place)},
    several_outputs=True,
    takes_class_weight=True,
)

TWO_SIDES = (
    "the discriminator's loss in papers is the mean over real samples plus that over generated ones: twice the mean here, "
    "for as many of both"
)
GENERATOR = "the generator's loss is that of its samples' scores with the constant 1 as TARGETS"


@loss(
    adversarial,
    "(s - where(t > 0, real, fake))**2 / 2",
    slope="s - where(t > 0, real, fake)",
    aliases=("lsgan-loss", "least-squares-gan", "lsgan-discriminator", "lsgan-generator"),
    source="Mao, Li, Xie, Lau, Wang and Smolley 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076 "
    "(equation 9: fake 0, real 1)",
    special=(TWO_SIDES, GENERATOR, "many implementations leave out the half"),
    relations=(same("half_squared_error(s - where(t > 0, real, fake))"),),
    facts=("convex",),
)
def lsgan(
    s: Array,
    is_real: Array,
    *,
    real: Annotated[float, REAL, "score that is wanted of real samples, and of the generator's"] = 1.0,
    fake: Annotated[float, REAL, "score that is wanted of generated samples"] = 0.0,
) -> tuple[Array, Array]:
    """Half the squared distance of a score from the number that stands for real, or for generated."""
    gap = s - np.where(is_real, real, fake)
    return 0.5 * gap * gap, gap


def signed(s: Array, is_real: Array) -> tuple[Array, Array]:
    """Return the margins of scores, which are positive where the discriminator is right, and their derivatives 1 and -1."""
    sign = np.where(is_real, 1.0, -1.0)
    return sign * s, sign


@loss(
    adversarial,
    "max(0, 1 - t * s)",
    slope="where(t * s < 1, -t, 0)",
    aliases=("hinge-gan-loss", "hinge-gan-discriminator", "gan-hinge", "hinge-discriminator"),
    source="Lim and Ye 2017, Geometric GAN, arXiv:1705.02894; Miyato, Kataoka, Koyama and Yoshida 2018, Spectral "
    "Normalization for Generative Adversarial Networks, arXiv:1802.05957",
    special=(
        TWO_SIDES,
        "the generator's loss is no hinge but minus the score: wasserstein-gan with the constant 1 as TARGETS",
        "the slope at t * s = 1 is 0",
    ),
    relations=(same("hinge(t * s)"),),
    breaks=lambda parameters: {"1": 1.0},
    facts=("convex",),
)
def hinge_gan(s: Array, is_real: Array) -> tuple[Array, Array]:
    """Zero for scores beyond 1 on the right side of 0, linear below: the discriminator's loss."""
    m, sign = signed(s, is_real)
    return np.maximum(1 - m, 0), -sign * np.heaviside(1 - m, 0)


@loss(
    adversarial,
    "-t * s",
    slope="-t",
    aliases=("wgan", "wgan-loss", "wasserstein-gan-loss", "wgan-critic", "wgan-generator", "hinge-gan-generator"),
    source="Arjovsky, Chintala and Bottou 2017, Wasserstein GAN, arXiv:1701.07875",
    special=(
        TWO_SIDES,
        GENERATOR + "; that of hinge GANs is the same",
        "it has no least value by itself: the critic is kept from growing by other means, such as a gradient penalty, which "
        "is not in it",
    ),
    facts=("convex",),
)
def wasserstein_gan(s: Array, is_real: Array) -> tuple[Array, Array]:
    """Minus the score of what is real, and the score of what is not."""
    m, sign = signed(s, is_real)
    return -m, -sign


@loss(
    adversarial,
    "log(1 + exp(-t * s))",
    slope="-t / (1 + exp(t * s))",
    aliases=("non-saturating-gan-loss", "vanilla-gan", "non-saturating", "ns-gan"),
    source="Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville and Bengio 2014, Generative Adversarial "
    "Networks, arXiv:1406.2661",
    special=(
        TWO_SIDES,
        GENERATOR
        + ": minus the log-probability of being taken for real, which does not saturate as the log-probability of "
        "being found out does",
    ),
    relations=(same("sigmoid_cross_entropy(t * s, 1)"),),
    facts=("convex",),
)
def non_saturating_gan(s: Array, is_real: Array) -> tuple[Array, Array]:
    """Minus the log-probability of what a sample is, or should be taken for, for scores that are logits."""
    m, sign = signed(s, is_real)
    return softplus(-m), -sign * logistic(-m)
