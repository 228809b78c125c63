"""Which units losses may have, by their family; what their losses are is tested with the losses."""

import numpy as np
import pytest

from losscli.data.units import has_unit
from losscli.lookup.names import find

EVERY = {"position", "sample", "row", "class", "column", "sample,class", "file"}
OUTPUTS = {"class", "column", "sample,class"}


@pytest.mark.parametrize(
    ("loss", "units"),
    [
        ("mse", EVERY),
        ("ce", EVERY - OUTPUTS),  # all classes of a position have one loss
        ("dice", EVERY - {"position"}),
        ("cox", {"sample", "row", "file"}),
    ],
)
def test_units_of_families(loss, units):
    assert {per for per in EVERY if has_unit(find(loss).family, per)} == units


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("missing", [(0, 50, 99), (40, 41), (98, 99)])
def test_gradients_of_rows_that_a_join_leaves_out_are_0(compute, write, missing):
    rows = np.arange(100)
    there = ~np.isin(rows, missing)
    write("p.csv", "id,p\n" + "".join(f"{i},{i / 4}\n" for i in rows))
    write("t.csv", "id,t\n" + "".join(f"{i},{i / 8}\n" for i in rows[there][::-1]))
    assert compute("mse", "p.csv", "t.csv", "--id", "id", "--on-unmatched", "drop", "--gradient", "g.npy").code == 0
    expected = np.where(there, 2 * (rows / 4 - rows / 8), 0)  # of (p - t)^2
    np.testing.assert_allclose(np.load("g.npy").reshape(-1), expected, rtol=1e-14)
