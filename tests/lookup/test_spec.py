"""SPECs: a loss with values, or lists of values, of its parameters."""

import itertools
import math

import pytest
from curve_points import one
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from losscli.errors import UsageError
from losscli.lookup.spec import parse, spec, specs
from losscli.losses import LOSSES

quick = settings(max_examples=25, deadline=None, derandomize=True)


class TestSpecs:
    def test_a_loss_alone_has_its_defaults(self):
        (bound,) = parse("huber")
        assert (bound.name, dict(bound.parameters)) == ("huber", {"delta": 1.0})

    def test_values_are_losses_in_their_order(self):
        found = parse("softmax-focal:gamma=5,0,0.5")
        assert [bound.parameters["gamma"] for bound in found] == [5, 0, 0.5]
        assert {bound.name for bound in found} == {"softmax-focal"}

    def test_two_parameters_are_crossed(self):
        found = parse("focal:gamma=0,2:alpha=none,0.25,0.5")
        pairs = [(bound.parameters["gamma"], bound.parameters["alpha"]) for bound in found]
        assert pairs == list(itertools.product((0, 2), (None, 0.25, 0.5)))

    @pytest.mark.parametrize("text", ["Smooth_L1:beta=2", "SmoothL1Loss:beta=2e0", "smooth-l1: beta = 2"])
    def test_names_are_read_as_everywhere(self, text):
        (bound,) = parse(text)
        assert (bound.name, dict(bound.parameters)) == ("smooth-l1", {"beta": 2.0})

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("hubert", ["no loss is called 'hubert'", "did you mean huber?"]),
            ("", ["no loss is called ''"]),
            ("nll", ["say one of", "softmax-cross-entropy", "sigmoid-cross-entropy"]),
            ("huber:", ["huber:", "PARAM=VALUE"]),
            ("huber:delta", ["huber:delta", "'delta' is not PARAM=VALUE"]),
            ("huber:delta=", ["delta", "is not a number"]),
            ("huber:delta=1,", ["delta", "is not a number"]),
            ("huber:delta=wide", ["delta='wide' is not a number"]),
            ("huber:detla=1", ["huber: no parameter 'detla'", "did you mean delta?"]),
            ("mse:delta=1", ["squared-error: no parameter 'delta'", "none"]),
            ("huber:delta=1:delta=2", ["delta is named twice", "delta=A,B"]),
            ("huber:delta=-1", ["delta=-1 is not in (0, inf)"]),
            ("huber:delta=1,0", ["delta=0 is not in (0, inf)"]),
            ("huber:delta=nan", ["delta=nan is not in (0, inf)"]),
            ("huber:delta=inf", ["delta=inf is not in (0, inf)"]),
            ("ramp:s=1", ["s=1 is not in (-inf, 1)"]),
            ("focal:alpha=1.5", ["alpha=1.5 is not in [0, 1]"]),
        ],
    )
    def test_what_is_no_spec_is_refused_with_its_reason(self, text, parts):
        with pytest.raises(UsageError) as refused:
            parse(text)
        assert [part for part in parts if part not in str(refused.value)] == []

    @pytest.mark.parametrize(
        ("texts", "name"),
        [
            (["huber", "huber:delta=1"], "huber:delta=1 "),
            (["bce", "hinge", "binary-cross-entropy"], "sigmoid-cross-entropy "),
            (["ramp:s=0,-1,0.0"], "ramp:s=0 "),
            (["focal", "focal:gamma=2:alpha=none"], "sigmoid-focal:gamma=2 "),
        ],
    )
    def test_a_loss_named_twice_is_refused(self, texts, name):
        with pytest.raises(UsageError, match=f"^{name}is named twice"):
            specs(texts)

    def test_losses_that_differ_in_anything_are_kept_in_their_order(self):
        found = specs(["huber:delta=2", "smooth-l1:beta=2", "huber:delta=2.0000000000000004", "focal", "focal:alpha=1"])
        assert [bound.name for bound in found] == ["huber", "smooth-l1", "huber", *["sigmoid-focal"] * 2]

    @quick
    @given(st.floats(0, exclude_min=True, allow_infinity=False), st.floats(max_value=1, exclude_max=True))
    def test_a_spec_reads_back_as_the_same_loss(self, delta, s):
        assume(math.isfinite(s))
        for name, values in (("huber", {"delta": delta}), ("ramp", {"s": s})):
            bound = LOSSES[name].bind(**values)
            assert one(spec(bound)) == bound

    def test_specs_by_hand(self):
        assert spec(one("mse")) == "squared-error"
        assert spec(one("tukey")) == "tukey-biweight:c=4.6851"
        assert spec(one("focal")) == "sigmoid-focal:gamma=2"
        assert spec(one("focal:gamma=0.5:alpha=0.25")) == "sigmoid-focal:gamma=0.5:alpha=0.25"
