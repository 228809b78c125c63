"""Columns that may be no predictions: the first look at a few rows misses none that a longer look would suspect."""

import numpy as np
import pytest

from losscli.engine.collectors import spare_columns


@pytest.mark.parametrize("seed", range(40))
def test_a_glance_clears_no_column_that_more_rows_make_suspicious(seed):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, spare_columns.SAMPLED + 1))
    logits = rng.normal(0, 2, rows)
    t = np.stack([logits, rng.normal(0, 2, rows), *rng.random((3, rows))], axis=1)
    kinds = {
        "index": np.arange(rows),
        "fold": rng.integers(0, 5, rows),
        "chance": rng.random(rows),
        "copied": logits,
        "largest": np.full(rows, 9.5),
    }
    for name, column in kinds.items():
        x = np.column_stack([column, rng.normal(0, 2, (rows, 4))]).astype(np.float32)
        beside = t if name != "copied" else np.column_stack([x[:, 0], t[:, 1:]])
        suspected = spare_columns._suspected(x, beside)
        assert suspected[0] or name == "fold"
        assert not (
            suspected & ~spare_columns._possible(x[: spare_columns.GLANCED], beside[: spare_columns.GLANCED])
        ).any()


def test_records_without_suspicion_add_up_their_rows():
    found = spare_columns._cleared(100, 3) + spare_columns._cleared(28, 3)
    assert found.rows == 128
    assert not (found.whole | found.equal | found.largest | found.unit).any()
