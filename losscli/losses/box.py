"""Box losses: of predicted and true boxes, with four numbers per row: the corners x1, y1 and x2, y2, or as --box says.

A core is written in numbers that carry their derivatives by the predicted numbers (forward differentiation), so that it
returns value and gradient at once, however boxes are written.
"""

from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, POSITIVE
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.records import dataclass


@dataclass
class Dual:
    """Numbers, shape (n,), and their derivatives by the four numbers of the predicted boxes, shape (n, 4)."""

    value: Array
    slope: Array

    @staticmethod
    def _of(other: "Dual | float | Array", like: Array) -> "Dual":
        """Return another operand as a Dual; a plain number has the derivative 0."""
        return other if isinstance(other, Dual) else Dual(np.asarray(other, like.dtype), np.zeros((1, 4), like.dtype))

    def __add__(self, other: Any) -> "Dual":
        other = self._of(other, self.value)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Any) -> "Dual":
        other = self._of(other, self.value)
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: Any) -> "Dual":
        other = self._of(other, self.value)
        return Dual(
            self.value * other.value,
            self.slope * np.atleast_1d(other.value)[:, None] + other.slope * np.atleast_1d(self.value)[:, None],
        )

    def __truediv__(self, other: Any) -> "Dual":
        other = self._of(other, self.value)
        ratio = self.value / other.value
        turn = (self.slope - np.atleast_1d(ratio)[:, None] * other.slope) / np.atleast_1d(other.value)[:, None]
        return Dual(ratio, turn)

    def both(self) -> tuple[Array, Array]:
        """Return value and gradient, as a core returns them."""
        return self.value, self.slope

    def least(self, other: "Dual") -> "Dual":
        """Return the smaller of two numbers; if they are equal, with the mean of their derivatives."""
        return self._choose(other, self.value - other.value)

    def most(self, other: "Dual") -> "Dual":
        """Return the larger of two numbers; if they are equal, with the mean of their derivatives."""
        return self._choose(other, other.value - self.value)

    def _choose(self, other: "Dual", gap: Array) -> "Dual":
        share = np.where(gap < 0, 1.0, np.where(gap == 0, 0.5, 0.0))[:, None]
        value = np.where(gap <= 0, self.value, np.where(np.isnan(gap), np.nan, other.value))
        return Dual(value, share * self.slope + (1 - share) * other.slope)

    def positive(self) -> "Dual":
        """Return max(0, x), whose derivative at 0 is 0."""
        return Dual(np.maximum(self.value, 0), self.slope * (self.value > 0)[:, None])

    def size(self) -> "Dual":
        """Return |x|, whose derivative at 0 is 0."""
        return self._mapped(np.abs(self.value), np.sign(self.value))

    def tail(self) -> "Dual":
        """Return 1 - exp(-x), with all digits of a small x."""
        return self._mapped(-np.expm1(-self.value), np.exp(-self.value))

    def power(self, exponent: float) -> "Dual":
        """Return x**exponent of x >= 0."""
        steep = exponent * self.value ** (exponent - 1)
        return self._mapped(self.value**exponent, steep)

    def _mapped(self, value: Array, steep: Array) -> "Dual":
        """Return a function of x from its value and its derivative; what does not move x does not move the function."""
        return Dual(value, np.where(self.slope == 0, 0, np.atleast_1d(steep)[:, None] * self.slope))

    def angle(self, other: "Dual") -> "Dual":
        """Return the angle of the point (other, x) above the first axis, atan(x / other); NaN for the origin."""
        size = self.value**2 + other.value**2
        turn = other.value[:, None] * self.slope - self.value[:, None] * other.slope
        return Dual(np.where(size == 0, np.nan, np.arctan2(self.value, other.value)), turn / size[:, None])


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(predicted corners, true corners); NaN for a box whose corners are in the wrong order."""
    assert isinstance(targets, Dense)
    form = extras.box or "xyxy"
    b = predictions.astype(np.promote_types(predictions.dtype, np.float64), copy=False)
    t = targets.t.astype(b.dtype)
    units = np.eye(4, dtype=b.dtype)
    predicted = [Dual(b[:, i], np.broadcast_to(units[i], b.shape)) for i in range(4)]
    true = [Dual(t[:, i], np.zeros_like(b)) for i in range(4)]
    value, slope = loss.core(*_corners(form, predicted, true))
    impossible = (crossed(b, form) | crossed(t, form)).any(axis=1)
    return np.where(impossible, np.nan, value), slope if gradient else None


def crossed(boxes: Array, form: str) -> Array:
    """Return which numbers make a box impossible, shape (n, 4): a second corner before the first, or a size below 0.

    `form` is a `BoxFormat`. NaN makes no box impossible here; it is a fault of its own.
    """
    wrong = np.zeros(boxes.shape, bool)
    wrong[:, 2:] = boxes[:, 2:] < (boxes[:, :2] if form == "xyxy" else 0)
    return wrong


def _corners(form: str, predicted: list[Dual], true: list[Dual]) -> "tuple[Corners, Corners]":
    """Return the corners x1, y1, x2, y2 of predicted and true boxes that are written in a `BoxFormat`.

    Boxes with width and height are seen from the predicted box's own corner or middle: losses depend on where boxes are
    from each other only, and far from the origin a corner plus a width would lose digits of the width.
    """
    if form == "xyxy":
        return predicted, true
    nowhere = Dual(np.zeros_like(predicted[0].value), np.zeros_like(predicted[0].slope))
    away = [there - here for there, here in zip(true[:2], predicted[:2], strict=True)]
    sides = []
    for starts, sizes in (([nowhere, nowhere], predicted[2:]), (away, true[2:])):
        if form == "cxcywh":
            halves = [size * 0.5 for size in sizes]
            low = [start - half for start, half in zip(starts, halves, strict=True)]
            high = [start + half for start, half in zip(starts, halves, strict=True)]
        else:
            low, high = starts, [start + size for start, size in zip(starts, sizes, strict=True)]
        sides.append([*low, *high])
    return sides[0], sides[1]


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    boxes = np.stack([x, np.zeros_like(x), x + 1, np.ones_like(x)], axis=1)
    return boxes, Dense(np.tile([0.0, 0.0, 1.0, 1.0], (len(x), 1))), Extras()


box = family(
    name="box",
    lift=lift,
    summary="functions of a predicted and a true box, four numbers per row: x1, y1, x2, y2, or as --box says",
    variables={
        "a": "the predicted box: corners a[0], a[1] and a[2], a[3]",
        "b": "the true box",
        "I": "area of their intersection",
        "U": "area of their union",
        "C": "area of the smallest box around both",
    },
    value="f(a, b)",
    gradient="df/da, one a number, by the numbers as they are written",
    targets="rows of four numbers, the true boxes, written as the predicted ones: x1, y1, x2, y2 with x1 <= x2 and "
    "y1 <= y2, or as --box says",
    target_type="numbers",
    rows="the corners x1, y1 and x2, y2, or corner or middle, width and height with --box",
    width=4,
    boxes=True,
    axes={
        "distance": Axis(
            "D",
            "distance D by which a unit square is moved along the x axis",
            (0.0, 3.0),
            _place,
            along=(1.0, 0.0, 1.0, 0.0),
            domain=NON_NEGATIVE,
            own=False,
        )
    },
    several_outputs=False,
)

Corners = list[Dual]
CORNERS = (
    "boxes are x1, y1, x2, y2, or as --box says; one whose second corner is before its first is an error, and so are a "
    "negative width or height and a union of area 0"
)


def _areas(a: Corners, b: Corners) -> tuple[Dual, Dual]:
    """Return the areas of intersection and union of two boxes."""
    width = (a[2].least(b[2]) - a[0].most(b[0])).positive()
    height = (a[3].least(b[3]) - a[1].most(b[1])).positive()
    inside = width * height
    area_of_a, area_of_b = ((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return inside, area_of_a + area_of_b - inside


def _around(a: Corners, b: Corners) -> tuple[Dual, Dual]:
    """Return width and height of the smallest box that contains both."""
    return a[2].most(b[2]) - a[0].least(b[0]), a[3].most(b[3]) - a[1].least(b[1])


@loss(
    box,
    "1 - I / U",
    aliases=("box-iou", "iou-loss"),
    source="Yu, Jiang, Wang, Cao and Huang 2016, UnitBox: An Advanced Object Detection Network, arXiv:1608.01471 (of its "
    "logarithm)",
    special=(CORNERS, "no gradient where the boxes are apart"),
    relations=(same("alpha_iou(a, b, alpha=1)"),),
    facts=("bounded",),
)
def iou(a: Corners, b: Corners) -> tuple[Array, Array]:
    """One minus the intersection over the union of two boxes."""
    inside, union = _areas(a, b)
    return ((union - inside) / union).both()


@loss(
    box,
    "1 - I / U + (C - U) / C",
    aliases=("generalized-box-iou", "generalized-box-iou-loss", "giou-loss"),
    source="Rezatofighi, Tsoi, Gwak, Sadeghian, Reid and Savarese 2019, Generalized Intersection over Union, "
    "arXiv:1902.09630",
    special=(CORNERS,),
    facts=("bounded",),
)
def giou(a: Corners, b: Corners) -> tuple[Array, Array]:
    """IoU loss plus the part of the box around both that neither covers."""
    inside, union = _areas(a, b)
    width, height = _around(a, b)
    hull = width * height
    return ((union - inside) / union + (hull - union) / hull).both()


DISTANCE = "((a[0] + a[2] - b[0] - b[2])**2 + (a[1] + a[3] - b[1] - b[3])**2) / 4 / (W**2 + H**2)"
WHERE = {"W": "max(a[2], b[2]) - min(a[0], b[0])", "H": "max(a[3], b[3]) - min(a[1], b[1])"}


def _diou(a: Corners, b: Corners) -> tuple[Dual, Dual]:
    """Return the DIoU loss and the IoU loss."""
    inside, union = _areas(a, b)
    width, height = _around(a, b)
    x, y = a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]
    plain = (union - inside) / union
    return plain + (x * x + y * y) / (width * width + height * height) * 0.25, plain


@loss(
    box,
    f"1 - I / U + {DISTANCE}",
    where=WHERE,
    aliases=("distance-box-iou", "distance-box-iou-loss", "diou-loss"),
    source="Zheng, Wang, Liu, Li, Ye and Ren 2020, Distance-IoU Loss, arXiv:1911.08287",
    special=(CORNERS,),
    facts=("bounded",),
)
def diou(a: Corners, b: Corners) -> tuple[Array, Array]:
    """IoU loss plus the squared distance of the centers over that of the corners of the box around both."""
    return _diou(a, b)[0].both()


@loss(
    box,
    f"1 - I / U + {DISTANCE} + v * v / (1 - I / U + v)",
    where=WHERE | {"v": "4 / pi**2 * (atan((b[2] - b[0]) / (b[3] - b[1])) - atan((a[2] - a[0]) / (a[3] - a[1])))**2"},
    aliases=("complete-box-iou", "complete-box-iou-loss", "ciou-loss"),
    source="Zheng, Wang, Liu, Li, Ye and Ren 2020, Distance-IoU Loss, arXiv:1911.08287",
    special=(
        CORNERS,
        "a box of width and height 0 has no shape: an error",
        "the gradient is that of the formula; torchvision holds the weight v / (1 - I / U + v) fixed",
    ),
    facts=("bounded",),
)
def ciou(a: Corners, b: Corners) -> tuple[Array, Array]:
    """DIoU loss plus a penalty of the difference of the shapes."""
    distance, plain = _diou(a, b)
    angle_of_b, angle_of_a = ((c[2] - c[0]).angle(c[3] - c[1]) for c in (b, a))
    gap = angle_of_b - angle_of_a
    v = gap * gap * (4 / np.pi**2)
    weighed = plain + v
    alike = weighed.value == 0  # 0 / 0, as the boxes are equal
    safe = Dual(np.where(alike, 1, weighed.value), weighed.slope)
    return (distance + v * v / safe).both()


@loss(
    box,
    "-log(I / U)",
    aliases=("iou-log-loss", "negative-log-iou", "unitbox"),
    source="Yu, Jiang, Wang, Cao and Huang 2016, UnitBox: An Advanced Object Detection Network, arXiv:1608.01471",
    special=(CORNERS, "inf where the boxes are apart or only touch, with no gradient there"),
)
def log_box_iou(a: Corners, b: Corners) -> tuple[Array, Array]:
    """Minus the logarithm of the intersection over the union of two boxes."""
    inside, union = _areas(a, b)
    apart = (union - inside) / union
    value = np.where(apart.value < 0.5, -log1p(-apart.value), np.log(union.value / inside.value))
    return value, np.where(inside.value[:, None] == 0, 0, (union / inside).slope * (inside / union).value[:, None])


@loss(
    box,
    "1 - (I / U)**alpha",
    aliases=("alpha-iou-loss", "power-iou-loss"),
    source="He, Erfani, Ma, Bailey, Chi and Hua 2021, Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding "
    "Box Regression, arXiv:2110.13675",
    special=(CORNERS, "no gradient where the boxes are apart; for alpha below 1 it is infinite next to there"),
    relations=(same("iou(a, b)", alpha=1),),
    facts=("bounded",),
)
def alpha_iou(
    a: Corners,
    b: Corners,
    *,
    alpha: Annotated[float, POSITIVE, "power of the IoU; above 1, near boxes count more"] = 3.0,
) -> tuple[Array, Array]:
    """One minus a power of the intersection over the union of two boxes."""
    inside, union = _areas(a, b)
    apart = (union - inside) / union
    # 1 - (1 - x)**alpha, with all digits of a small x, and the slope of a power of I / U.
    return -np.expm1(alpha * log1p(-apart.value)), -(inside / union).power(alpha).slope


@loss(
    box,
    f"1 - I / U + {DISTANCE} + (a[2] - a[0] - b[2] + b[0])**2 / W**2 + (a[3] - a[1] - b[3] + b[1])**2 / H**2",
    where=WHERE,
    aliases=("efficient-iou", "efficient-iou-loss", "eiou-loss"),
    source="Zhang, Ren, Zhang, Jia, Wang and Tan 2021, Focal and Efficient IOU Loss for Accurate Bounding Box Regression, "
    "arXiv:2101.08158 (equation 11)",
    special=(CORNERS,),
    facts=("bounded",),
)
def eiou(a: Corners, b: Corners) -> tuple[Array, Array]:
    """DIoU loss plus the squared differences of widths and heights over those of the box around both."""
    total = _diou(a, b)[0]
    for side, around in zip(_sizes(a, b), _around(a, b), strict=True):
        gap = (side[0] - side[1]) / around
        total = total + gap * gap
    return total.both()


def _sizes(a: Corners, b: Corners) -> list[tuple[Dual, Dual]]:
    """Return the widths of both boxes, and their heights."""
    return [(a[2] - a[0], b[2] - b[0]), (a[3] - a[1], b[3] - b[1])]


@loss(
    box,
    "1 - I / U + (1 - exp(-(2 - L) * dx**2 / W**2) + 1 - exp(-(2 - L) * dy**2 / H**2)"
    " + (1 - exp(-abs(w - w_b) / max(w, w_b)))**theta + (1 - exp(-abs(h - h_b) / max(h, h_b)))**theta) / 2",
    where=WHERE
    | {
        "dx": "(a[0] + a[2] - b[0] - b[2]) / 2",
        "dy": "(a[1] + a[3] - b[1] - b[3]) / 2",
        "L": "2 * abs(dx) * abs(dy) / (dx**2 + dy**2)",
        "w": "a[2] - a[0]",
        "w_b": "b[2] - b[0]",
        "h": "a[3] - a[1]",
        "h_b": "b[3] - b[1]",
    },
    aliases=("scylla-iou", "scylla-iou-loss", "siou-loss"),
    source="Gevorgyan 2022, SIoU Loss: More Powerful Learning for Bounding Box Regression, arXiv:2205.12740",
    special=(
        CORNERS,
        "L is the paper's 1 - 2 sin(asin(s) - pi / 4)**2, with the sine s of the angle between the centers and an axis: 0 where "
        "one center is straight above or beside the other, and 1 on the diagonal",
    ),
    facts=("bounded",),
)
def siou(
    a: Corners,
    b: Corners,
    *,
    theta: Annotated[float, POSITIVE, "power of the shape's terms; 2 to 6 in the paper"] = 4.0,
) -> tuple[Array, Array]:
    """IoU loss plus penalties of the distance of the centers, softer on the diagonal, and of the difference of the shapes."""
    inside, union = _areas(a, b)
    centers = [(a[i] + a[i + 2] - b[i] - b[i + 2]) * 0.5 for i in (0, 1)]
    squares = centers[0] * centers[0] + centers[1] * centers[1]
    together = squares.value == 0  # 0 / 0; there the distance and its slope are 0, whatever the angle
    angle = centers[0].size() * centers[1].size() * 2 / Dual(np.where(together, 1, squares.value), squares.slope)
    penalty = Dual(np.zeros_like(inside.value), np.zeros_like(inside.slope))
    for gap, around, (ours, theirs) in zip(centers, _around(a, b), _sizes(a, b), strict=True):
        part = gap / around
        penalty = penalty + ((angle * -1 + 2) * part * part).tail()
        larger = ours.most(theirs)
        none = larger.value == 0  # both are lines: the same width, 0
        penalty = penalty + ((ours - theirs).size() / Dual(np.where(none, 1, larger.value), larger.slope)).tail().power(
            theta
        )
    return ((union - inside) / union + penalty * 0.5).both()
