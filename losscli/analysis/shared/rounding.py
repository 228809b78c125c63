"""What rounding alone may do to a mean loss: a smaller difference says nothing of a model."""

from collections.abc import Collection

ROUNDING = {"float32": 1e-6, "float64": 1e-9}
"""The part of a mean loss by which rounding alone may change it, by the dtype that it was computed in.

In float64 it is what another order of additions may change. In float32, NumPy's exp, log and pow have other last digits on
other processors: of all losses with the edges of their parameters, single rows differed by up to 4e-7 and means by up to 2e-8
between AVX-512, AVX2 and neither, and by 4e-6 only the thirtieth power of a small one.
"""


def rounding(dtypes: Collection[str]) -> tuple[str, float]:
    """Return the coarsest of the dtypes that numbers were computed in, and the part of a mean loss that its rounding may change."""
    dtype = "float32" if "float32" in dtypes else "float64"
    return dtype, ROUNDING[dtype]
