"""Losses of boxes beyond their formulas: the same, apart, touching, and none."""

from typing import Any

import numpy as np
import pytest
from calling import called, each, every_dtype, rows

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
        "log-box-iou": [np.inf, np.inf],
        "alpha-iou": [1, 1],
        "eiou": [1 + 1 / 5, 1 + 2 / 8],
        # A center beside the other has the angle 0, and one on the diagonal 1: exp(-2 / 4), and exp(-1 / 4) on both axes.
        "siou": [1 + (1 - np.exp(-1 / 2)) / 2, 1 + (1 - np.exp(-1 / 4))],
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
    if loss.name == "log-box-iou":  # which is infinite for a box of height 0
        assert (value[0], nearly[0]) == (np.inf, pytest.approx(12 * np.log(10), rel=1e-6))
    else:
        np.testing.assert_allclose(value, nearly, rtol=1e-9)
    assert np.isfinite(slope).all()


def test_shape_is_all_that_ciou_adds() -> None:
    diou, _ = called("diou", [[0, 0, 2, 2]], rows([1, 1, 5, 5]))
    ciou, _ = called("ciou", [[0, 0, 2, 2]], rows([1, 1, 5, 5]))
    assert diou[0] == ciou[0]
    assert called("ciou", [[0, 0, 4, 1]], rows([0, 0, 4, 4]))[0] > called("diou", [[0, 0, 4, 1]], rows([0, 0, 4, 4]))[0]
