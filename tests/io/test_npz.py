"""NPZ archives."""

import numpy as np
import pytest

pytestmark = pytest.mark.quick


class TestArchives:
    def test_an_archive_of_a_lone_number_is_refused(self, compute, folder):
        np.savez(folder / "p.npz", np.float64(3))
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "shape () is one number")
