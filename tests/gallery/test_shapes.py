"""Shapes of losses against known truths, and against chords between random predictions."""

import numpy as np
import pytest

from losscli.definition.batch import Dense, Extras
from losscli.gallery.shapes import WORDS, far_axis, of_one_number, shape_of
from losscli.losses import LOSSES

C, B, G, R = "convex", "bounded", "robust", "redescending"
KNOWN = {
    # M-estimators: Huber 1964, and Hampel, Ronchetti, Rousseeuw and Stahel 1986, Robust Statistics, sections 2.4 and 2.6
    "squared-error": {C},
    "absolute-error": {C, G},
    "huber": {C, G},
    "pseudo-huber": {C, G},
    "log-cosh": {C, G},
    "fair": {C, G},
    "quantile": {C, G},
    "expectile": {C},
    "epsilon-insensitive": {C, G},
    "squared-epsilon-insensitive": {C},
    "tukey-biweight": {B, G, R},
    "hampel": {B, G, R},
    "andrews": {B, G, R},
    "welsch": {B, G, R},
    "geman-mcclure": {B, G, R},
    "truncated-squared": {B, G, R},
    "cauchy": {G, R},
    "student-t": {G, R},
    "lq": {C},  # |r|^1.5: convex, with the slope 1.5 sqrt(|r|)
    "barron": {C, G},  # alpha = 1 is Charbonnier's loss
    "wing": {G},  # a logarithm, and then a line: neither convex nor bounded
    # losses of a margin: Bartlett, Jordan and McAuliffe 2006; Masnadi-Shirazi and Vasconcelos 2008 (savage)
    "hinge": {C, G},
    "squared-hinge": {C},
    "modified-huber": {C, G},
    "logistic": {C, G},
    "exponential": {C},
    "perceptron": {C, G},
    "ramp": {B, G, R},
    "zero-one": {B, G, R},
    "savage": {B, G, R},
    # by logits
    "sigmoid-cross-entropy": {C, G},
    "softmax-cross-entropy": {C, G},
    "sigmoid-focal": {G},
    "sigmoid-brier": {B, G, R},
    "generalized-cross-entropy": {B, G, R},  # Zhang and Sabuncu 2018
    # of means and their logarithms
    "poisson": {C},
    "log-poisson": {C},
    "log-gamma": {C},  # x + t exp(-x), which falls ever more steeply below
    "gamma-deviance": set(),
    # several numbers at once: what one line cannot prove is not said
    "dice": {B},
    "contrastive": set(),
    "triplet": set(),
    "center": {C},
}


@pytest.mark.parametrize("name", KNOWN)
def test_shapes_are_the_known_ones(name):
    assert set(shape_of(LOSSES[name]).words) == KNOWN[name]


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_what_a_loss_declares_is_part_of_its_shape(loss):
    shape = shape_of(loss)
    declared = loss.facts & {C, B}
    assert declared <= set(shape.words)
    assert shape.always <= declared
    if of_one_number(
        loss
    ):  # which the tests of the losses prove for all parameters; of others they look at the defaults
        assert shape.always == declared
    if R in loss.facts:
        assert shape.redescending
    if shape.redescending:
        assert shape.robust
        assert not shape.convex
    assert set(shape.words) <= set(WORDS)
    assert shape.axis == far_axis(loss)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES.values() if of_one_number(loss)], ids=lambda loss: loss.name)
def test_convex_are_those_without_a_chord_below_the_graph(loss):
    """Between random predictions, near and far, beside several targets: what the curve beside one target does not show."""
    bound = loss.bind()
    generator = np.random.default_rng(0)
    domains, excess = loss.domains(bound.parameters), 0.0
    for target in (0.3, 1.0, 4.0) if loss.family.target_type == "numbers" else (1,):
        ends = generator.normal(0, 1, (2, 4000)) * 10.0 ** generator.uniform(-3, 2, 4000) + target
        ends = ends[:, ~domains.predictions.outside(ends).any(axis=0)]
        targets = Dense(np.full(ends.shape[1], target))
        extras = Extras(third_operand=np.ones(ends.shape[1]) if loss.family.third_operand else None)
        one, other, middle = (bound(np.ascontiguousarray(x), targets, extras)[0] for x in (*ends, ends.mean(axis=0)))
        with np.errstate(invalid="ignore"):
            above = (middle - (one + other) / 2) / (1 + np.abs(one) + np.abs(other))
        excess = max(excess, float(np.nanmax(above)))
    assert shape_of(loss).convex == (excess < 1e-12)


@pytest.mark.parametrize("name", ["pearson-chi-square", "renyi", "softmax-poly-1", "sigmoid-poly-1"])
def test_a_line_does_not_say_that_a_convex_loss_is_not(name):
    """The first two are a sum and a logarithm of sums of exponentials of linear functions of the logits: convex, but not declared."""
    assert shape_of(LOSSES[name]).convex is None


@pytest.mark.parametrize("name", ["softmax-focal", "brier", "triplet", "spherical"])
def test_a_line_says_that_a_loss_is_not_convex(name):
    """Each falls ever slower on one side of a point and ever faster on the other, along a line of its predictions."""
    assert shape_of(LOSSES[name]).convex is False
