"""Scores of the boundaries in a depth map: of Depth Pro, and of iBims-1.

Boundary F1 and recall: Bochkovskii et al. 2024, "Depth Pro" (https://arxiv.org/abs/2410.02073,
https://github.com/apple/ml-depth-pro, `boundary_metrics.py`). They depend on ratios of depths
alone, so no scale is fitted. Depth boundary errors: Koch et al. 2018
(https://arxiv.org/abs/1805.01328); their edges need scikit-image, the extra `evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bool: TypeAlias = NDArray[np.bool_]
Float64: TypeAlias = NDArray[np.float64]

RATIOS = np.linspace(1.05, 1.25, 10)
"""The ratios of neighbouring depths that count as a boundary."""
_WEIGHTS = RATIOS / RATIOS.sum()
_LEAST_M = 1e-6
CANNY = (0.15, 0.3)
"""Canny's thresholds on a map that is scaled to 0..1, as in the script of iBims-1."""
MOST_PX = 10.0
"""Predicted edges farther than this from any true one do not count for accuracy; no distance that
counts for completeness is longer."""


class Boundaries(NamedTuple):
    """The scores of a map's boundaries; the errors are NaN without scikit-image, or any edge."""

    f1: float
    accuracy: float
    completeness: float


class BoundaryErrors(NamedTuple):
    """Mean distances in pixels, NaN where the truth has no edge.

    accuracy: from predicted edges to the nearest true one. completeness: over predicted and true
    edges alike, to the nearest of the other, at most MOST_PX. The paper's formula of completeness
    goes from true edges alone; the script of iBims-1, which published figures come from, does not.
    """

    accuracy: float
    completeness: float


def boundaries(predicted: Float64, true: Float64, is_valid: Bool) -> Boundaries:
    """All scores of depths [h, w] against true ones, which are known where `is_valid`."""
    f1 = boundary_f1(predicted, true, is_valid)
    if not can_find_edges():
        return Boundaries(f1, float("nan"), float("nan"))
    return Boundaries(f1, *boundary_errors(predicted, depth_edges(true, is_valid), is_valid))


def mean_boundaries(images: list[Boundaries]) -> Boundaries:
    """The mean of each score over the images that have it."""
    return Boundaries(*(mean_of_known(column) for column in np.array(images, np.float64).T))


def mean_of_known(values: Float64) -> float:
    """The mean of those that are not NaN; NaN if none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def boundary_f1(predicted: Float64, true: Float64, is_valid: Bool | None = None) -> float:
    """Depth Pro's boundary F1 of depths [h, w], 0..1, over neighbours that are both valid."""
    known = np.ones(true.shape, bool) if is_valid is None else is_valid
    both = [pair[0] & pair[1] for pair in _neighbours(known)]
    ours, theirs = ([_ratios(one) for one in _neighbours(_inverse(d))] for d in (predicted, true))
    return float(_WEIGHTS @ [_f1(ours, theirs, both, ratio) for ratio in RATIOS])


def boundary_recall(predicted: Float64, mask: Bool) -> float:
    """Depth Pro's share of the mask's boundary [h, w] where the depth becomes larger outward.

    Of each run of neighbours that are a boundary only the steepest counts.
    """
    steps = [_ratios(one) for one in _neighbours(_inverse(predicted))]
    edges = [one[1] & ~one[0] for one in _neighbours(mask)]
    return float(_WEIGHTS @ [_recall(steps, edges, ratio) for ratio in RATIOS])


def can_find_edges() -> bool:
    """Whether scikit-image is there."""
    return find_spec("skimage") is not None


def depth_edges(depth: Float64, is_valid: Bool | None = None) -> Bool:
    """The edges of a depth map [h, w] by Canny; 0 is no depth. Needs scikit-image."""
    from skimage.feature import canny

    scaled = depth.astype(np.float32)
    scaled[scaled == 0 if is_valid is None else ~is_valid] = np.nan
    scaled = scaled - np.nanmin(scaled)
    scaled = scaled / (np.nanmax(scaled) or 1)
    low, high = CANNY
    if is_valid is not None:
        scaled = np.where(is_valid, scaled, 0)
    return np.asarray(
        canny(scaled, sigma=np.sqrt(2), low_threshold=low, high_threshold=high, mask=is_valid)
    )


def boundary_errors(
    predicted: Float64, true_edges: Bool, is_valid: Bool | None = None
) -> BoundaryErrors:
    """The errors of a depth map [h, w] against edges [h, w]; needs scikit-image."""
    from scipy.ndimage import distance_transform_edt

    if not true_edges.any():
        return BoundaryErrors(float("nan"), float("nan"))
    to_true = distance_transform_edt(~true_edges)
    edges = depth_edges(predicted, is_valid)
    near = edges & (to_true < MOST_PX)
    if not near.any():
        return BoundaryErrors(MOST_PX, MOST_PX)
    ways = [to_true[edges], distance_transform_edt(~edges)[true_edges]]
    completeness = np.minimum(np.concatenate(ways), MOST_PX).mean()
    return BoundaryErrors(float(to_true[near].mean()), float(completeness))


def _inverse(depth: Float64) -> Float64:
    return 1 / depth.clip(min=_LEAST_M)


def _neighbours(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield [2, ..., h, w] of neighbours: the one that may be nearer is the second.

    Two across, then two down. `values` is [..., h, w].
    """
    across = values[..., :, :-1], values[..., :, 1:]
    down = values[..., :-1, :], values[..., 1:, :]
    for first, second in (across, down):
        yield np.stack([second, first])
        yield np.stack([first, second])


def _ratios(pair: NDArray[Any]) -> Float64:
    return np.asarray(pair[1] / pair[0], np.float64)


def _share(part: Bool, whole: Bool) -> float:
    return int(np.count_nonzero(part & whole)) / max(int(np.count_nonzero(whole)), 1)


def _f1(ours: list[Float64], theirs: list[Float64], both: list[Bool], ratio: float) -> float:
    precision = recall = 0.0
    for predicted, true, known in zip(ours, theirs, both, strict=True):
        edge, true_edge = (predicted > ratio) & known, (true > ratio) & known
        precision += _share(true_edge, edge) / 4
        recall += _share(edge, true_edge) / 4
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _recall(steps: list[Float64], edges: list[Bool], ratio: float) -> float:
    thin = [
        _thinned(step, ratio) if is_across else _thinned(step.T, ratio).T
        for step, is_across in zip(steps, (True, True, False, False), strict=True)
    ]
    return sum(_share(one, edge) for one, edge in zip(thin, edges, strict=True)) / 4


def _thinned(step: Float64, ratio: float) -> Bool:
    """Of each run along a row above `ratio`: the first of its largest."""
    rows, columns = np.nonzero(step > ratio)
    edges = np.zeros(step.shape, bool)
    if len(rows):
        begins = np.r_[True, (np.diff(rows) != 0) | (np.diff(columns) != 1)]
        order = np.lexsort((columns, -step[rows, columns], np.cumsum(begins)))
        steepest = order[begins]
        edges[rows[steepest], columns[steepest]] = True
    return edges
