"""The formula of Huber and smooth L1 losses, with the mistakes that are often made in it."""

import numpy as np

from losscli.analysis.shared.points import Points
from losscli.analysis.verify.form import Mistake
from losscli.analysis.verify.subject import Reference
from losscli.arrays import Array
from losscli.records import dataclass


@dataclass(frozen=True)
class Robust:
    """A Huber or smooth L1 loss, quadratic up to a limit and linear beyond, whose parts may be wrong."""

    reference: Reference
    limit: float
    smooth: bool
    """Whether it is the smooth L1 loss, which is divided by the limit."""
    inside: str = "right"
    line: str = "right"
    branch: str = "right"

    def __call__(self, points: Points) -> Array:
        """Return the loss of each row, shape (n,)."""
        r = points.x.astype(np.float64) - points.labels
        size, limit = np.abs(r), self.limit
        inside = {"whole": r * r, "other": r * r / 2 if self.smooth else r * r / (2 * limit), "linear": size}.get(
            self.inside, r * r / 2
        )
        line = {
            "without half": limit * (size - limit),
            "without factor": size - limit / 2,
            "misplaced": limit * size - limit / 2,
            "no constant": limit * size,
            "plus": limit * (size + limit / 2),
        }.get(self.line, limit * (size - limit / 2))
        if self.smooth:
            inside, line = (inside if self.inside == "other" else inside / limit), line / limit
            line = {"half": size - 0.5, "times": limit * (size - limit / 2)}.get(self.line, line)
        quadratic = {
            "one side": r <= limit,
            "other side": -r <= limit,
            "exchanged": size > limit,
            "everywhere": np.ones(len(r), bool),
            "nowhere": np.zeros(len(r), bool),
            "at one": size <= 1,
        }.get(self.branch, size <= limit)
        return np.where(quadratic, inside, line) * self.reference.factor


def mistakes(form: Robust) -> list[Mistake]:
    """Return the mistakes that are possible in a Huber or smooth L1 loss."""
    name = "beta" if form.smooth else "delta"
    shared = [
        Mistake(
            "branch", "one side", f"abs is missing: prediction - target <= {name} decides, and not its absolute value"
        ),
        Mistake(
            "branch", "other side", f"abs is missing: target - prediction <= {name} decides, and not its absolute value"
        ),
        Mistake("branch", "exchanged", f"the two parts are exchanged: it is linear up to {name}, and quadratic beyond"),
        Mistake("branch", "everywhere", f"it is quadratic everywhere: {name} has no effect"),
        Mistake("branch", "nowhere", "it is linear everywhere"),
        Mistake("branch", "at one", f"it turns from quadratic to linear at 1, and not at {name}"),
        Mistake("inside", "whole", "the half is missing in the quadratic part"),
        Mistake("inside", "linear", "the square is missing in the quadratic part"),
    ]
    if form.smooth:
        return [
            *shared,
            Mistake("inside", "other", "the quadratic part is not divided by beta"),
            Mistake("line", "half", "the linear part is abs(r) - 1/2 for abs(r) - beta / 2"),
            Mistake("line", "times", "the linear part is multiplied by beta, as that of the Huber loss"),
            Mistake("line", "without half", "the linear part is abs(r) - beta for abs(r) - beta / 2"),
            Mistake("line", "no constant", "the linear part is abs(r) for abs(r) - beta / 2"),
        ]
    return [
        *shared,
        Mistake("inside", "other", "the quadratic part is divided by delta, as that of the smooth L1 loss"),
        Mistake("line", "without half", "the linear part is delta * (abs(r) - delta): the half is missing"),
        Mistake("line", "without factor", "the linear part is abs(r) - delta / 2: the factor delta is missing"),
        Mistake("line", "misplaced", "the linear part is delta * abs(r) - delta / 2 for delta * (abs(r) - delta / 2)"),
        Mistake("line", "no constant", "the linear part is delta * abs(r): - delta^2 / 2 is missing"),
        Mistake("line", "plus", "the linear part is delta * (abs(r) + delta / 2): the sign is wrong"),
    ]
