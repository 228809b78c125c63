"""The slider of each parameter: from where to where it goes, and in which steps, by the parameter's domain and default.

The field beside a slider takes every number of the domain; a slider only has to show what the parameter does.
"""

import math
from typing import Any

from losscli.definition.domain import Interval
from losscli.definition.loss import Parameter
from losscli.records import NamedTuple

STEPS = 200
"""Steps of a slider, unless it goes over whole numbers."""
REACH = 10.0
"""How far a slider of a positive parameter goes, as a factor of its default, up and down."""
WHOLE = 16
"""The most whole numbers that a slider goes over, if its domain has no end."""
EDGE = 0.01
"""How near to an end that does not belong to the domain a slider comes, as a part of its way."""


class Slider(NamedTuple):
    """A slider: its ends, and whether equal steps are equal factors ('log'), equal differences ('linear') or whole numbers ('whole')."""

    low: float
    high: float
    scale: str
    steps: int


def slider_of(parameter: Parameter) -> Slider:
    """Return the slider of a parameter."""
    domain, default = parameter.domain, parameter.default
    start = default if default is not None and math.isfinite(default) else _some(domain)
    if domain.whole or domain.even:
        step = 2 if domain.even else 1
        low = domain.low if math.isfinite(domain.low) else start - WHOLE // 2 * step
        high = min(domain.high, max(start * 2, low + WHOLE * step))
        return Slider(low, high, "whole", round((high - low) / step))
    if domain.low == 0 and not domain.low_closed and math.isinf(domain.high):
        return Slider(_rounded(start / REACH), _rounded(start * REACH), "log", STEPS)
    reach = 3 * max(abs(start), 0.3 if math.isfinite(domain.low) else 1.0)
    low = max(domain.low, start - reach)
    high = min(domain.high, start + reach if start else max(reach, 1.0))
    room = EDGE * (high - low)
    low = low + room if low not in domain else low
    high = high - room if high not in domain else high
    return Slider(_rounded(low), _rounded(high), "linear", STEPS)


def _rounded(number: float) -> float:
    return float(f"{number:.3g}")


def _some(domain: Interval) -> float:
    """Return a number of a domain, for a parameter that has none by default."""
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        return (domain.low + domain.high) / 2
    return domain.low + 1 if math.isfinite(domain.low) else 0.0


def as_data(parameter: Parameter) -> dict[str, Any]:
    """Return what the page's script needs to know of a parameter, ready for JSON: numbers without end are null."""
    domain, slider = parameter.domain, slider_of(parameter)

    def end(number: float) -> float | None:
        return number if math.isfinite(number) else None

    return {
        "name": parameter.name,
        "default": parameter.default,
        "optional": parameter.default is None,
        "domain": {
            "low": end(domain.low),
            "high": end(domain.high),
            "lowClosed": domain.low_closed,
            "highClosed": domain.high_closed,
            "step": 2 if domain.even else 1 if domain.whole else 0,
            "gap": domain.gap,
            "text": str(domain),
        },
        "slider": slider._asdict(),
    }
