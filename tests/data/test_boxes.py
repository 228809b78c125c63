"""Boxes: how they are written, told by --box or by the columns' names, and columns in other orders."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

import losscli

PREDICTED, TRUE = [0.5, 0.5, 1.0, 1.0], [0.6, 0.6, 1.0, 1.0]
"""Two boxes as middle, width and height."""


def generalised(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """The formula of Rezatofighi et al. 2019 for two boxes x1, y1, x2, y2, in fractions."""
    width, height = (max(Fraction(0), min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in range(2))
    union = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)) - width * height
    hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return 1 - width * height / union + (hull - union) / hull


def corners(form: str, box: Sequence[float]) -> list[Fraction]:
    x, y, w, h = map(Fraction, box)
    if form == "xyxy":
        return [x, y, w, h]
    return [x, y, x + w, y + h] if form == "xywh" else [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def table(write, name: str, header: str, *rows: Sequence[float]) -> str:
    return write(name, "\n".join([header, *(",".join(map(repr, row)) for row in rows)]) + "\n")


@pytest.mark.quick
def test_names_of_middle_and_size_decide(compute, write):
    found = compute("giou", table(write, "p.csv", "cx,cy,w,h", PREDICTED), table(write, "t.csv", "cx,cy,w,h", TRUE))
    right = generalised(corners("cxcywh", PREDICTED), corners("cxcywh", TRUE))
    assert round(float(right), 4) == 0.3359
    assert found.json["value"] == pytest.approx(float(right), rel=1e-15)
    assert found.json["receipt"]["box"] == "cxcywh"
    assert "box:cxcywh" in found.json["signature"]
    assert "p.csv: boxes are middle x, y, width, height (--box cxcywh), as the columns cx, cy, w, h say" in found.err


def test_two_corners_are_usual_and_not_in_the_signature(compute, save):
    found = compute("giou", save("p.npy", [[0.0, 0, 1, 1]]), save("t.npy", [[0.0, 0, 1, 1]]))
    assert found.json["receipt"]["box"] == "xyxy"
    assert "box" not in found.json["signature"]
    assert "boxes are" not in found.err


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("xyxy", "x1,y1,x2,y2"),
        ("xyxy", "x0,y0,x1,y1"),
        ("xyxy", "XMin,YMin,XMax,YMax"),
        ("xyxy", "x_min,y_min,x_max,y_max"),
        ("xyxy", "pred_left,pred_top,pred_right,pred_bottom"),
        ("xyxy", "px1,py1,px2,py2"),
        ("xywh", "x,y,w,h"),
        ("xywh", "bbox.x,bbox.y,bbox.width,bbox.height"),
        ("xywh", "left,top,width,height"),
        ("xywh", "xmin,ymin,w,h"),
        ("cxcywh", "cx,cy,w,h"),
        ("cxcywh", "x_center,y_center,width,height"),
        ("cxcywh", "Center X,Center Y,Width,Height"),
        ("cxcywh", "xc,yc,w,h"),
    ],
)
def test_names_that_tell(write, save, form, names):
    boxes, true = [0.25, 0.5, 1.5, 2.0], [0.5, 0.25, 1.25, 2.5]
    found = losscli.compute("giou", table(write, "p.csv", names, boxes), save("t.npy", [true]))
    right = float(generalised(corners(form, boxes), corners(form, true)))
    assert (found.value, found.receipt["box"]) == (pytest.approx(right, rel=1e-14), form)


@pytest.mark.parametrize("form", ["xyxy", "xywh", "cxcywh"])
def test_the_option_decides_for_arrays(form):
    boxes, true = np.array([[0.25, 0.5, 1.5, 2.0]]), np.array([[0.5, 0.25, 1.25, 2.5]])
    found = losscli.compute("giou", boxes, true, box=form)
    assert found.value == pytest.approx(float(generalised(corners(form, boxes[0]), corners(form, true[0]))), rel=1e-14)


def test_middle_may_be_called_x_and_y(compute, write):
    found = compute("giou", table(write, "p.csv", "x,y,w,h", PREDICTED), table(write, "t.csv", "x,y,w,h", TRUE))
    assert found.json["receipt"]["box"] == "xywh"
    assert "if x and y are the middle, say --box cxcywh" in found.err
    said = compute("giou", "p.csv", "t.csv", "--box", "cxcywh")
    assert (said.json["receipt"]["box"], said.err) == ("cxcywh", "")
    known = compute("giou", "p.csv", table(write, "u.csv", "cx,cy,w,h", TRUE))
    assert known.json["receipt"]["box"] == "cxcywh"


@pytest.mark.parametrize(
    ("names", "option", "cure"),
    [
        ("cx,cy,w,h", "xyxy", "say --box cxcywh"),
        ("cx,cy,w,h", "xywh", "say --box cxcywh"),
        ("x1,y1,x2,y2", "cxcywh", "say --box xyxy"),
        ("x,y,w,h", "xyxy", "say --box xywh"),
        ("left,top,width,height", "cxcywh", "say --box xywh"),
    ],
)
def test_names_that_contradict_the_option(run, write, save, names, option, cure):
    predictions = table(write, "p.csv", names, PREDICTED)
    found = run("compute", "giou", predictions, save("t.npy", [TRUE]), "--box", option)
    assert found.code == 3
    assert f"p.csv: the columns {names.replace(',', ', ')} say" in found.err
    assert cure in found.err
    assert len(found.err.splitlines()) == 1


def test_files_that_contradict_each_other(run, write):
    predictions, targets = table(write, "p.csv", "cx,cy,w,h", PREDICTED), table(write, "t.csv", "x1,y1,x2,y2", TRUE)
    found = run("compute", "giou", predictions, targets)
    assert found.code == 3
    assert "cx, cy, w, h" in found.err
    assert "x1, y1, x2, y2, say" in found.err
    assert "write both in the same format" in found.err


@pytest.mark.parametrize("names", ["bx,by,bw,bh", "cx,cy,cw,ch", "a,b,width,height", "x1,x2,w,h"])
def test_names_of_which_only_some_tell_are_doubtful(run, write, save, names):
    found = run("compute", "iou", table(write, "p.csv", names, [0, 0, 1, 1]), save("t.npy", [TRUE]))
    assert found.code == 3
    assert names.replace(",", ", ") in found.err


@pytest.mark.parametrize("names", ["a,b,c,d", "one,two,three,four", "l,e,f,t"])
def test_names_that_tell_nothing(write, save, names):
    found = losscli.compute("iou", table(write, "p.csv", names, [0, 0, 1, 1]), save("t.npy", [[0.0, 0, 1, 1]]))
    assert (found.value, found.receipt["box"]) == (0, "xyxy")


def test_columns_in_another_order(compute, write, folder):
    predictions = table(write, "p.csv", "ymin,xmin,ymax,xmax", [0.5, 0, 1, 2], [1, 0, 3, 1])
    targets = table(write, "t.csv", "x1,x2,y1,y2", [0, 1, 0.5, 1], [0, 2, 0, 3])
    found = compute("iou", predictions, targets, "--gradient", "g.csv")
    # 2 x 0.5 against 1 x 0.5: one half; 1 x 2 within 2 x 3: one third
    assert found.json["value"] == pytest.approx((1 / 2 + 2 / 3) / 2, rel=1e-15)
    assert "p.csv: its columns (ymin, xmin, ymax, xmax) were brought into the order xmin, ymin, xmax, ymax" in found.err
    assert "t.csv: its columns (x1, x2, y1, y2) were brought into the order x1, y1, x2, y2" in found.err
    header, first, second = (folder / "g.csv").read_text().splitlines()
    assert header == "ymin,xmin,ymax,xmax"
    # By xmax: the first box covers the true one, so that the loss is 1 - 1 / width, at width 2; the second is within the
    # true one, whose area is 6, so that the loss is 1 - 2 * width / 6.
    assert float(first.split(",")[3]) == pytest.approx(1 / 4, rel=1e-15)
    assert float(second.split(",")[3]) == pytest.approx(-1 / 3, rel=1e-15)


def test_an_order_that_the_other_file_cannot_share(run, write, save):
    predictions = table(write, "p.csv", "ymin,xmin,ymax,xmax", [0.5, 0, 1, 2])
    found = run("compute", "iou", predictions, save("t.npy", [[0.0, 0, 1, 1]]))
    assert found.code == 3
    assert "in which order those of t.npy are" in found.err
    other = run("compute", "iou", "t.npy", predictions)
    assert other.code == 3


@pytest.mark.parametrize(
    ("form", "wrong", "words"),
    [
        ("xywh", [0, 0, -1, 1], "p.npy[1, 2]: the width of the box is -1, less than 0"),
        ("cxcywh", [0, 0, 1, -0.5], "p.npy[1, 3]: the height of the box is -0.5, less than 0"),
        ("xyxy", [0, 2, 1, 1], "p.npy[1, 3]: y2 of the box is 1, less than its y1"),
    ],
)
def test_impossible_boxes(run, save, form, wrong, words):
    right = [0.0, 0, 1, 1]
    good, bad = save("t.npy", [right, right]), save("p.npy", [right, wrong])
    found = run("compute", "diou", bad, good, "--box", form)
    assert (found.code, words in found.err) == (3, True)
    assert "--box" in found.err
    found = run("compute", "diou", good, bad, "--box", form)
    assert (found.code, words in found.err) == (3, True)


def test_nan_is_not_an_impossible_box(run, save):
    found = run("compute", "iou", save("p.npy", [[0, 0, np.nan, 1]]), save("t.npy", [[0.0, 0, 1, 1]]), "--box", "xywh")
    assert found.code == 3
    assert "the prediction is NaN" in found.err


@pytest.mark.parametrize("loss", ["iou", "giou", "diou", "ciou"])
@pytest.mark.parametrize("form", ["xywh", "cxcywh"])
def test_value_and_gradient_are_those_of_the_corners(loss, form):
    random = np.random.default_rng(1)
    boxes = np.hstack([random.uniform(-4, 4, (50, 2)), random.uniform(0.5, 3, (50, 2))])
    true = boxes + random.uniform(-0.4, 0.4, (50, 4))
    low, high = (-0.5, 0.5) if form == "cxcywh" else (0, 1)
    matrix = np.block([[np.eye(2), low * np.eye(2)], [np.eye(2), high * np.eye(2)]])  # corners = matrix @ box
    whole = losscli.compute(loss, boxes @ matrix.T, true @ matrix.T, gradient=True)
    found = losscli.compute(loss, boxes, true, box=form, gradient=True)
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-12)
    np.testing.assert_allclose(found.gradient, whole.gradient @ matrix, atol=1e-12)
    step = 1e-6
    for i in range(4):
        ahead, behind = (
            losscli.compute(loss, boxes + sign * step * np.eye(4)[i], true, box=form).losses for sign in (1, -1)
        )
        np.testing.assert_allclose(found.gradient[:, i], (ahead - behind) / (2 * step), atol=1e-8)


@pytest.mark.parametrize("form", ["xywh", "cxcywh"])
def test_boxes_far_from_the_origin_keep_their_digits(form):
    boxes, true = [[2.0**30, -(2.0**40), 2.0**-20 * 3, 1e-5]], [[2.0**30, -(2.0**40), 2.0**-20, 3e-5]]
    right = float(generalised(corners(form, boxes[0]), corners(form, true[0])))
    assert losscli.compute("giou", boxes, true, box=form).value == pytest.approx(right, rel=1e-14)


def test_boxes_that_are_equal_have_the_loss_0():
    boxes = np.random.default_rng(2).uniform(0.1, 1, (100, 4)).astype(np.float32)
    for form in ("xywh", "cxcywh"):
        assert not losscli.compute("giou", boxes, boxes.copy(), box=form).losses.any()


def test_only_losses_of_boxes_take_the_option(run, save):
    assert run("compute", "mse", save("p.npy", [1.0]), save("t.npy", [1.0]), "--box", "xywh").code == 2
    with pytest.raises(losscli.UsageError, match="box: squared-error takes none"):
        losscli.compute("mse", [1.0], [1.0], box="xywh")
    with pytest.raises(losscli.UsageError, match="box='xyhw' is not one of"):
        losscli.compute("iou", [[0.0, 0, 1, 1]], [[0.0, 0, 1, 1]], box="xyhw")
