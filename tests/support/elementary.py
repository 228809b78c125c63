"""Elementary functions against 60 digits: python tests/support/elementary.py --points 1000000 prints the largest errors."""

import argparse

import mpmath
import numpy as np

from losscli import elementary

DOMAINS = {"log1p": (mpmath.log1p, -1.0)}
"""Each function in mpmath, and the least number that it takes."""


def points(dtype, number, least, seed=0):
    """Return numbers of all magnitudes, the same ones on every processor; a third of them around where one way of computing ends and another begins."""
    generator, form = np.random.default_rng(seed), np.finfo(dtype)
    third = number // 3
    with np.errstate(over="ignore"):
        size = np.ldexp(
            generator.uniform(-1, 1, third), generator.integers(form.minexp - form.nmant, form.maxexp, third)
        )
        middle = generator.uniform(-1, 4, third)
        edges = generator.choice([-1, -0.75, -0.5, -0.25, 1, 3, 7], number - 2 * third).astype(dtype)
        edges *= (1 + form.eps * generator.integers(-9, 9, len(edges))).astype(dtype)
        found = np.concatenate([size.astype(dtype), middle.astype(dtype), edges])
    return found[np.isfinite(found) & (found > least)]


def errors(name, x):
    """Return the errors of a function at numbers of a float type, in units in the last place of the true value."""
    exact, _ = DOMAINS[name]
    form = np.finfo(x.dtype)
    found = []
    with mpmath.workdps(60):
        for number, result in zip(x.tolist(), getattr(elementary, name)(x).tolist(), strict=True):
            true = exact(mpmath.mpf(number))
            place = max(mpmath.frexp(true)[1] - 1, form.minexp) - form.nmant
            found.append(float(abs(mpmath.mpf(result) - true) / mpmath.ldexp(1, place)))
    return np.array(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name, (_, least) in DOMAINS.items():
        for dtype in (np.float32, np.float64):
            x = points(dtype, arguments.points, least, arguments.seed)
            found = errors(name, x)
            print(f"{name} of {dtype.__name__}: {found.max():.3f} ulp at {x[found.argmax()]!r}, of {len(x):,} numbers")


if __name__ == "__main__":
    main()
