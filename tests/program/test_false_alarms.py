"""Healthy files of many kinds are never refused. More of them: python tests/support/false_alarms.py."""

import pytest
from false_alarms import at_random, refusals


@pytest.mark.parametrize("seed", range(21))
def test_random_healthy_files(folder, seed):
    assert list(refusals(at_random(seed))) == []
