"""Losses of latent variables: of the normal distributions that an encoder predicts, against a prior."""

import numpy as np

from losscli.arrays import Array
from losscli.definition.loss import same
from losscli.definition.registry import loss
from losscli.losses.distribution import gaussian
from losscli.losses.stable import exp_rest


@loss(
    gaussian,
    "((y - t)**2 + v - 1 - log(v)) / 2",
    slope="y - t",
    aliases=("gaussian-kl-divergence", "vae-kl", "kld-normal", "latent-kl"),
    source="Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114, appendix B",
    special=(
        "predictions are means, --variance has variances (the exponential of log-variances), and targets are the means of the "
        "prior, of variance 1: mostly 0",
        "of one latent dimension; the sum over a sample's dimensions, as in the source, is --over-outputs sum",
        "0 where the mean is that of the prior and the variance 1",
    ),
    relations=(
        same("half_squared_error(y - t) + (v - 1 - log(v)) / 2"),
        same("gaussian_nll(y, t, 1 + 0 * v) + (v - 1 - log(v)) / 2"),
    ),
    wide=lambda parameters: True,
    facts=("convex",),
)
def gaussian_kl(y: Array, t: Array, v: Array) -> tuple[Array, Array]:
    """The Kullback-Leibler divergence of a normal distribution from one of variance 1, as in variational autoencoders."""
    gap = y - t
    return (gap * gap + exp_rest(np.log(v))) / 2, gap
