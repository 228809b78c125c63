"""Losses of boxes beyond their formulas: the same, apart, touching, and none."""

import math
from typing import Any

import numpy as np
from calling import INF, called, each, every_dtype, rows

from losscli.definition.batch import Dense
from losscli.definition.loss import Loss


@each("box")
@every_dtype
def test_boxes_that_are_the_same_or_touch(loss: Loss, dtype: Any) -> None:
    boxes = [[0.1, 0.2, 3.7, 4.9], [0, 0, 1, 1], [0, 0, 1, 1]]
    true = np.array([boxes[0], [1, 0, 2, 1], [1, 1, 2, 2]], dtype)
    value, slope = called(loss.name, boxes, Dense(true), dtype=dtype)
    touching = {
        "iou": [1, 1],
        "giou": [1, 1.5],
        "diou": [1 + 1 / 5, 1 + 2 / 8],
        "ciou": [1 + 1 / 5, 1 + 2 / 8],
        "eiou": [1 + 1 / 5, 1 + 2 / 8],
        # Along an axis, and along a diagonal.
        "siou": [1 + (1 - math.exp(-2 / 4)) / 2, 1 + (1 - math.exp(-1 / 4))],
        "alpha-iou": [1, 1],
        "negative-log-iou": [INF, INF],
    }
    assert value[0] == 0
    np.testing.assert_allclose(value[1:], touching[loss.name], rtol=1e-6 if dtype == np.float32 else 1e-15)
    assert np.isfinite(slope).all()


@each("box")
def test_boxes_that_are_none(loss: Loss) -> None:
    true = rows([0, 0, 1, 1])
    for wrong in ([2, 0, 1, 1], [0, 2, 1, 1]):
        assert np.isnan(called(loss.name, [wrong], true)[0]).all()
        assert np.isnan(called(loss.name, [[0, 0, 1, 1]], rows(wrong))[0]).all()
    point = [[0.5, 0.5, 0.5, 0.5]]
    assert np.isnan(called(loss.name, point, rows(point[0]))[0]).all()
    apart = called(loss.name, point, true)[0]
    assert np.isnan(apart).all() == (loss.name == "ciou")  # a point has no shape
    value, slope = called(loss.name, [[0, 0.5, 1, 0.5]], true)
    nearly, _ = called(loss.name, [[0, 0.5, 1, 0.5 + 1e-12]], true)
    if loss.name == "negative-log-iou":
        assert value[0] == INF
        np.testing.assert_allclose(nearly, [12 * math.log(10)], rtol=1e-5)
    else:
        np.testing.assert_allclose(value, nearly, rtol=1e-9)
    assert np.isfinite(slope).all()


def test_shape_is_all_that_ciou_adds() -> None:
    diou, _ = called("diou", [[0, 0, 2, 2]], rows([1, 1, 5, 5]))
    ciou, _ = called("ciou", [[0, 0, 2, 2]], rows([1, 1, 5, 5]))
    assert diou[0] == ciou[0]
    assert called("ciou", [[0, 0, 4, 1]], rows([0, 0, 4, 4]))[0] > called("diou", [[0, 0, 4, 1]], rows([0, 0, 4, 4]))[0]


def test_eiou_adds_what_the_sizes_differ_over_the_box_around_both() -> None:
    # The boxes have one middle: nothing is added for the distance.
    value, _ = called("eiou", [[1, 1, 3, 2]], rows([0, 0, 4, 3]))
    np.testing.assert_allclose(value, [1 - 2 / 12 + 2**2 / 4**2 + 2**2 / 3**2], rtol=1e-15)


def test_siou_of_every_part_by_hand() -> None:
    # Middles (1, 1) and (4, 3): 3 and 2 apart, in a box of 6 by 4; widths 2 and 4, heights 2 and 2.
    value, _ = called("siou", [[0, 0, 2, 2]], rows([2, 2, 6, 4]), theta=2)
    angle = math.atan2(2, 3)
    paper = 1 - 2 * math.sin(math.asin(math.sin(angle)) - math.pi / 4) ** 2
    distance = 2 - math.exp(-(2 - paper) * (3 / 6) ** 2) - math.exp(-(2 - paper) * (2 / 4) ** 2)
    shape = (1 - math.exp(-2 / 4)) ** 2
    np.testing.assert_allclose(value, [1 + (distance + shape) / 2], rtol=1e-14)


def test_powers_and_logarithms_of_iou_keep_the_digits_of_boxes_that_are_nearly_the_same() -> None:
    shift = 2.0**-40
    moved = [[0, 0, 1, 1 + shift]]
    np.testing.assert_allclose(
        called("negative-log-iou", moved, rows([0, 0, 1, 1]))[0], [math.log1p(shift)], rtol=1e-14
    )
    value, slope = called("alpha-iou", moved, rows([0, 0, 1, 1]), alpha=2)
    np.testing.assert_allclose(value, [-math.expm1(-2 * math.log1p(shift))], rtol=1e-14)
    np.testing.assert_allclose(slope[0, 3], 2 / (1 + shift) ** 3, rtol=1e-14)
    value, slope = called("alpha-iou", [[0, 0, 1, 1]], rows([3, 3, 4, 4]), alpha=0.5)
    assert value[0] == 1
    assert not slope.any()
