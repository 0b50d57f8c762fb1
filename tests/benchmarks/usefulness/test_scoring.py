"""Scores of predictions, by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.usefulness import (
    scoring,
    sets,
)


def test_scores_of_masks_by_hand() -> None:
    truth = np.zeros((20, 20), bool)
    truth[5:15, 5:15] = True
    logits = np.where(np.roll(truth, 2, axis=1), 1.0, -1.0).astype(np.float32)
    found = scoring.mask_scores(logits, truth)
    assert found["iou"] == pytest.approx(80 / 120)
    assert found["boundary_f1"] == 1, "all boundaries are at most two pixels away"
    far = np.where(np.roll(truth, 5, axis=1), 1.0, -1.0).astype(np.float32)
    assert 0 < scoring.mask_scores(far, truth)["boundary_f1"] < 1
    nothing = np.full((20, 20), -1, np.float32)
    assert scoring.mask_scores(nothing, truth) == {"iou": 0, "boundary_f1": 0}
    assert scoring.mask_scores(nothing, truth & False) == {"iou": 1, "boundary_f1": 1}


def test_scores_of_depth_do_not_depend_on_its_scale() -> None:
    truth = np.tile(np.linspace(1, 4, 160, dtype=np.float32), (160, 1))
    truth[60:100, 60:100] = 1
    truth[:10] = 0
    found = scoring.depth_scores(3 * truth, truth)
    assert found["abs_rel"] == pytest.approx(0, abs=1e-6)
    assert found["delta1"] == 1
    assert found["edge_f1"] == pytest.approx(1)
    double = truth.repeat(2, axis=0).repeat(2, axis=1)
    assert scoring.depth_scores(double, truth)["abs_rel"] < 0.02


def test_who_knows_the_mean_layout_alone_has_no_details() -> None:
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:160, :160] / 160
    layout = np.exp(0.8 - rows + 0.3 * columns)
    boxes = np.zeros((160, 160))
    for top, left in rng.integers(0, 120, (12, 2)):
        boxes[top : top + 30, left : left + 30] -= 0.1
    truth = (layout * np.exp(boxes)).astype(np.float32)
    truth[:20, :30] = 0
    known = truth > 0

    def found(depth: np.ndarray) -> float:
        return scoring.detail_correlation(depth, truth, known)

    assert found(truth + 0.0 + (truth == 0)) == pytest.approx(1)
    assert found(7 * layout) == 0, "the plane that fits best is all of it"
    assert found(np.exp(boxes)) == pytest.approx(1), "without any layout"
    assert found(np.exp(-boxes)) == pytest.approx(-1)
    other = np.exp(np.roll(boxes, 80, axis=0)) * layout
    assert abs(found(other)) < 0.3
    assert np.isnan(scoring.detail_correlation(truth + 1.0, layout.astype(np.float32), known))


def test_a_network_that_predicts_no_numbers_has_failed() -> None:
    truth = np.tile(np.linspace(1, 4, 160, dtype=np.float32), (160, 1))
    image = np.zeros((160, 160, 3), np.uint8)
    picture = sets.Picture("rgbd", "a", "a", image, image, truth)
    flat = dataclasses.replace(picture, truth=np.full((160, 160), 2, np.float32))
    maps = np.ones((1, 160, 160), np.float32)
    kept = scoring.score("depth", maps, [flat])[0]
    assert not {"edge_miss_px", "detail_r"} & kept.keys(), "its truth has no edge, and is a plane"
    maps[0, 3, 3] = np.nan
    for task in ("depth", "masks"):
        with pytest.raises(scoring.NotFiniteError, match="1 of 1 predictions"):
            scoring.score(task, maps, [picture])
