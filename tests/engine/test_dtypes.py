"""Which dtype a loss is computed in."""

import numpy as np
import pytest


class TestWhatIsComputedIn:
    def test_a_constant_target_does_not_widen_float32(self, compute, save):
        found = compute("l1", save("p.npy", [0.1], np.float32), "0.3").json
        assert found["receipt"]["computed_in"] == "float32"

    @pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float64, np.float32)])
    def test_a_residual_of_mixed_dtypes_is_computed_in_the_wider(self, compute, save, dtypes):
        p, t = (save(name, [0.1], dtype) for name, dtype in zip(("p.npy", "t.npy"), dtypes, strict=True))
        found = compute("l1", p, t).json
        assert found["value"] == abs(float(np.float32(0.1)) - 0.1)
        assert found["receipt"]["computed_in"] == "float64"
