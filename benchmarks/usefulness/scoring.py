"""Scores of predictions on real photographs, for each picture by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.usefulness.sets import SIDE, Picture
from depthmask.data import DepthKind
from depthmask.reports.evaluation.boundaries import boundaries, boundary_recall
from depthmask.reports.evaluation.metrics import aligned, scores

Scores = dict[str, float]
HIGHER_IS_BETTER = {
    "abs_rel": False,
    "delta1": True,
    "detail_r": True,
    "edge_f1": True,
    "edge_off_px": False,
    "edge_miss_px": False,
    "edge_recall": True,
    "iou": True,
    "boundary_f1": True,
}
MAIN = {"depth": ("abs_rel", "detail_r", "edge_f1"), "masks": ("iou", "boundary_f1")}
_LEAST_M = 1e-3
_LEAST_DETAIL = 1e-6
"""The least deviation of log depth from a plane that is more than rounding."""
_WITHOUT_DETAIL = {"edge_off_px", "edge_miss_px", "detail_r"}
"""The scores that a picture has not whose truth has no edge, or is a plane."""
TOLERANCE_PX = 2
"""0.75 % of the diagonal, as Csurka et al. 2013 have it for boundaries of masks."""


def better(metric: str) -> str:
    """Which values of a score are the better ones."""
    return "higher is better" if HIGHER_IS_BETTER[metric] else "lower is better"


class NotFiniteError(ValueError):
    """A network predicts what is no number: its run has failed."""


def require_finite(predictions: NDArray[np.float32]) -> None:
    """Raise `NotFiniteError` if any prediction is NaN or infinite."""
    count = sum(not np.isfinite(map_).all() for map_ in predictions)
    if count:
        raise NotFiniteError(f"NaN or infinity in {count} of {len(predictions)} predictions")


def score(task: str, predictions: NDArray[np.float32], pictures: Sequence[Picture]) -> list[Scores]:
    """The scores of each picture, without those that its truth does not allow.

    Raises `NotFiniteError`.
    """
    require_finite(predictions)
    one = depth_scores if task == "depth" else mask_scores
    rows = [one(map_, picture.truth) for map_, picture in zip(predictions, pictures, strict=True)]
    return [_known(row, picture.key) for row, picture in zip(rows, pictures, strict=True)]


def _known(row: Scores, picture: str) -> Scores:
    known = {name: value for name, value in row.items() if not math.isnan(value)}
    if lost := row.keys() - known.keys() - _WITHOUT_DETAIL:
        raise NotFiniteError(f"{picture}: {', '.join(sorted(lost))} cannot be had")
    return known


def depth_scores(predicted: NDArray[np.float32], truth: NDArray[np.float32]) -> Scores:
    """Scores after scaling to the median, of details and of boundaries.

    truth: metres, 0 = unknown.
    """
    known = truth > 0
    depth = np.maximum(at_side(predicted), _LEAST_M).astype(np.float64)
    scaled = aligned(depth[known], truth[known].astype(np.float64), DepthKind.metric_z)
    plain = scores(scaled, truth[known].astype(np.float64))
    edges = boundaries(depth, truth.astype(np.float64), known)
    return {
        "abs_rel": plain.abs_rel,
        "delta1": plain.delta1,
        "detail_r": detail_correlation(depth, truth, known),
        "edge_f1": edges.f1,
        "edge_off_px": edges.accuracy,
        "edge_miss_px": edges.completeness,
    }


def detail_correlation(
    depth: NDArray[np.float64], truth: NDArray[np.float32], known: NDArray[np.bool_]
) -> float:
    """The correlation of log depth with the truth's, each without the plane that fits it best.

    abs_rel cannot tell a network that sees something from one that has learned only how far things
    are on average in each place of a picture; that one has about 0 here. NaN where the truth is a
    plane. depth, truth: [h, w], larger than 0 where known.
    """
    rows, columns = np.nonzero(known)
    places = np.stack([np.ones(len(rows)), rows, columns], axis=1)

    def details(values: NDArray[Any]) -> NDArray[np.float64]:
        logs = np.log(values[known].astype(np.float64))
        plane, *_ = np.linalg.lstsq(places, logs, rcond=None)
        return np.asarray(logs - places @ plane)

    ours, theirs = details(depth), details(truth)
    if theirs.std() < _LEAST_DETAIL:
        return math.nan
    return float(np.corrcoef(ours, theirs)[0, 1]) if ours.std() >= _LEAST_DETAIL else 0.0


def recall_scores(predictions: NDArray[np.float32], pictures: Sequence[Picture]) -> list[Scores]:
    """Depth's boundary recall at the masks of photographs; raises `NotFiniteError`."""
    require_finite(predictions)
    return [
        {"edge_recall": boundary_recall(np.maximum(at_side(map_), _LEAST_M), picture.truth)}
        for map_, picture in zip(predictions, pictures, strict=True)
    ]


def mask_scores(logits: NDArray[np.float32], truth: NDArray[np.bool_]) -> Scores:
    """IoU, and F1 of boundaries that lie at most TOLERANCE_PX from those of the other."""
    mask = logits > 0
    union = np.count_nonzero(mask | truth)
    iou = np.count_nonzero(mask & truth) / union if union else 1.0
    return {"iou": iou, "boundary_f1": boundary_f1(mask, truth)}


def boundary_f1(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of the inner boundaries of two masks."""
    ours, theirs = _boundary(mask), _boundary(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = (_distance(theirs)[ours] <= TOLERANCE_PX).mean()
    recall = (_distance(ours)[theirs] <= TOLERANCE_PX).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def at_side(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map at SIDE pixels."""
    if depth.shape == (SIDE, SIDE):
        return depth
    resized = cv2.resize(depth, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the mask beside one that is not; the border of the picture is none."""
    inside = mask.astype(np.uint8)
    return mask & (cv2.erode(inside, np.ones((3, 3), np.uint8)) == 0)


def _distance(pixels: NDArray[np.bool_]) -> NDArray[np.float32]:
    rest = (~pixels).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(rest, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
