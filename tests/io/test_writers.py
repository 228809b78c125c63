"""Rows on their way into files."""

import numpy as np


def test_rows_as_objects_are_few_at_a_time(monkeypatch):
    from losscli.io import rows

    monkeypatch.setattr(rows, "RECORDS", 12)
    parts = list(rows.records({"sample": np.arange(10), "losses": np.zeros((10, 3))}))
    assert [len(part) for part in parts] == [3, 3, 3, 1]
    assert [row["sample"] for part in parts for row in part] == list(range(10))
