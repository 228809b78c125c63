"""Elementary functions from basic arithmetic, against 60 digits."""

import hashlib
import os
import subprocess
import sys

import elementary as oracle
import numpy as np
import pytest

from losscli.elementary import BLOCK_BYTES, log1p

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
DIGEST = "from test_elementary import digest; print(digest())"


def digest():
    """Return the digest of what the functions give for the same numbers everywhere."""
    results = [log1p(oracle.points(dtype, 30_000, -1.0)) for dtype in (np.float32, np.float64)]
    return hashlib.sha256(b"".join(result.tobytes() for result in results)).hexdigest()


class TestLog1p:
    @FLOATS
    def test_has_an_error_below_two_units_in_the_last_place(self, dtype):
        assert oracle.errors("log1p", oracle.points(dtype, 6_000, -1.0)).max() < 1.4

    @FLOATS
    def test_of_special_numbers(self, dtype):
        form = np.finfo(dtype)
        x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -1, -2, form.smallest_subnormal, -form.tiny], dtype)
        found = log1p(x)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, [0, 0, np.inf, np.nan, np.nan, -np.inf, np.nan, x[7], x[8]])
        assert np.signbit(found[:2]).tolist() == [False, True]

    @FLOATS
    def test_of_the_largest_number(self, dtype):
        largest = np.finfo(dtype).max
        assert log1p(np.array([largest])).tolist() == pytest.approx(
            [np.log(float(largest))], rel=float(np.finfo(dtype).eps)
        )

    @FLOATS
    def test_of_a_number_does_not_depend_on_those_around_it(self, dtype):
        """Blocks take one of three ways, by their extremes."""
        around = np.nextafter(dtype(-0.5), np.array([-1, 0], dtype))  # 1 + x is rounded to 1/2
        x = np.concatenate([oracle.points(dtype, 3_000, -1.0), around])
        alone = np.concatenate([log1p(x[i : i + 1]) for i in range(len(x))])
        beside = log1p(np.append(x, dtype(-5)))[:-1]
        np.testing.assert_array_equal(log1p(x), alone)
        np.testing.assert_array_equal(beside, alone)
        assert (np.signbit(beside) == np.signbit(alone)).all()

    @FLOATS
    def test_of_several_blocks_in_any_layout(self, dtype):
        x = np.linspace(0, 3, 2 * (BLOCK_BYTES // np.dtype(dtype).itemsize + 5), dtype=dtype).reshape(-1, 2)
        whole = log1p(x)
        np.testing.assert_array_equal(log1p(x[:, 1]), whole[:, 1])
        np.testing.assert_array_equal(log1p(np.asfortranarray(x)), whole)
        into = x.copy()
        assert log1p(into, out=into) is into
        np.testing.assert_array_equal(into, whole)

    def test_of_other_types_is_numpys(self):
        assert log1p(2) == np.log1p(2)
        assert log1p(np.longdouble(1) / 3) == np.log1p(np.longdouble(1) / 3)
        assert log1p(np.zeros((0, 3))).shape == (0, 3)
        assert isinstance(log1p(np.float32(2)), np.float32)


def test_the_bits_are_the_same_with_other_instructions():
    """Where NumPy dispatches on nothing, there is but one set of instructions, and the test says nothing."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    names = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, os.path.dirname(__file__)])}
    for off in {" ".join(names), " ".join(names[1:])}:
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=environment | {"NPY_DISABLE_CPU_FEATURES": off},
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == digest()
