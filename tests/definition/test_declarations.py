"""What a loss declares: complete, with domains that hold, and pickled by name."""

import math
import pickle
from typing import Any

import pytest

from losscli.definition.domain import Interval
from losscli.definition.loss import Loss, Relation
from losscli.errors import UsageError
from losscli.losses import LOSSES, find

INF = math.inf


def each(*families: str) -> list[Any]:
    return [pytest.param(loss, id=loss.name) for loss in LOSSES.values() if loss.family.name in families]


ELEMENTWISE = ("residual", "relative", "distribution", "gaussian", "margin", "sigmoid")


@pytest.mark.parametrize("loss", each(*ELEMENTWISE, "softmax"))
def test_parameters_outside_their_domain_are_refused(loss: Loss) -> None:
    for name, parameter in loss.parameters.items():
        domain = parameter.domain
        wrong = [math.nan, domain.high if not domain.high_closed else domain.high + 1]
        wrong += [domain.low if not domain.low_closed else domain.low - 1]
        for value in wrong:
            if math.isinf(value) and value in domain:
                continue  # nothing is beyond it
            with pytest.raises(UsageError, match=rf"{loss.name}: {name}=.* is not in "):
                loss.bind(**{name: value})


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"huber: no parameter 'detla'; its parameters: delta \(did you mean delta\?\)"
    ):
        find("huber").bind(detla=1.0)


def test_intervals_print_and_hold_their_edges() -> None:
    assert str(Interval(0, INF)) == "(0, inf)"
    assert str(Interval(0, 1, True, True)) == "[0, 1]"
    assert 0 not in Interval(0, 1)
    assert 0 in Interval(0, 1, low_closed=True)
    assert 1 not in Interval(0, 1, low_closed=True)
    assert math.nan not in Interval(-INF, INF, True, True)


@pytest.mark.quick
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_declarations_are_complete(loss: Loss) -> None:
    assert loss.summary.endswith(".")
    assert loss.source
    assert loss.formula or loss.definition
    assert loss.slope or loss.whole or loss.family.name not in (*ELEMENTWISE, "softmax", "embedding")
    assert all(isinstance(relation, Relation) for relation in loss.relations)
    assert all(parameter.help for parameter in loss.parameters.values())


def test_a_bound_loss_pickles_by_name() -> None:
    bound = pickle.loads(pickle.dumps(find("huber").bind(delta=2.5)))
    assert bound.parameters == {"delta": 2.5}
    assert bound.declaration is LOSSES["huber"]
