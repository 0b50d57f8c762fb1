"""Compares two depth maps of a composite: their difference, and the edges of foregrounds.

The depth of a dataset (`layered`) is compared with the prediction of a network for the composite.
Pixels inside and outside the mask are scored separately, since depth maps of networks are worst at
the boundaries of foregrounds: Koch et al. 2018, "Evaluation of CNN-based Single-Image Depth
Estimation Methods" (https://arxiv.org/abs/1805.01328). Their boundary errors need edges that are
detected in both maps; here the mask gives the edges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from depthmask.data import DepthKind, Float32, UInt8
from depthmask.reports.evaluation.boundaries import boundary_f1, boundary_recall, mean_of_known
from depthmask.reports.evaluation.metrics import aligned, valid

FAR_PX = 4
"""The distance from the boundary at which a pixel surely has the depth of its side."""
LEAST_STEP = 0.1
"""The least step that counts as an edge, relative to the depth of the nearer side."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement for one sample, or the mean over samples; NaN if nothing could be measured.

    inside, outside: mean |network - label| / label where the mask is 128 or more, and where it is
    0, after scaling (`metrics.aligned`). step, near: the network's step across the mask's boundary,
    relative to the label's step, between pixels `FAR_PX` apart from it and between neighbours.
    label_near: the label's own step between neighbours, relative to its whole step. f1, recall:
    of boundaries (`boundaries`), of the label and of the mask.
    """

    inside: float
    outside: float
    step: float
    near: float
    label_near: float
    f1: float
    recall: float


def agreement(label_m: Float32, network: Float32, mask: UInt8, kind: DepthKind) -> Agreement | None:
    """Compare float32 [h, w] maps under a uint8 [h, w] mask; None if no pixel is valid in both."""
    is_valid = valid(label_m) & valid(network)
    if not is_valid.any():
        return None
    label = label_m.astype(np.float64)
    scaled = np.zeros_like(label)
    scaled[is_valid] = aligned(network[is_valid].astype(np.float64), label[is_valid], kind)
    error = np.abs(scaled - label) / np.where(is_valid, label, 1)
    return Agreement(
        _mean(error[is_valid & (mask >= 128)]),
        _mean(error[is_valid & (mask == 0)]),
        *_edges(label, scaled, mask >= 128, is_valid),
        boundary_f1(scaled, label, is_valid),
        boundary_recall(scaled, mask >= 128) if (mask >= 128).any() else float("nan"),
    )


def mean_agreement(samples: Iterable[Agreement]) -> Agreement:
    """The mean of each number over the samples in which it could be measured."""
    rows = np.array([list(asdict(sample).values()) for sample in samples])
    return Agreement(*(mean_of_known(column) for column in rows.T))


def _edges(
    label: NDArray[np.float64],
    network: NDArray[np.float64],
    inside: NDArray[np.bool_],
    is_valid: NDArray[np.bool_],
) -> tuple[float, float, float]:
    """`step`, `near` and `label_near`, over all profiles of 8 pixels across the boundary."""
    across = _profiles(label, network, inside, is_valid)
    down = _profiles(label.T, network.T, inside.T, is_valid.T)
    label_far, label_near, far, near = np.concatenate([across, down], axis=1)
    whole = np.abs(label_far).sum()
    if whole == 0:
        return float("nan"), float("nan"), float("nan")
    # A step in the wrong direction counts as negative.
    direction = np.sign(label_far)
    return (
        float(direction @ far) / whole,
        float(direction @ near) / whole,
        float(direction @ label_near) / whole,
    )


def _profiles(
    label: NDArray[np.float64],
    network: NDArray[np.float64],
    inside: NDArray[np.bool_],
    is_valid: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Steps along rows, [4, profiles]: the label's far and near, the network's far and near."""
    if label.shape[1] < 2 * FAR_PX:
        return np.zeros((4, 0))
    side = sliding_window_view(inside, 2 * FAR_PX, axis=1)
    left, right = side[..., :FAR_PX], side[..., FAR_PX:]
    crossing = (left.all(axis=-1) & ~right.any(axis=-1)) | (~left.any(axis=-1) & right.all(axis=-1))
    crossing &= sliding_window_view(is_valid, 2 * FAR_PX, axis=1).all(axis=-1)
    of_label, of_network = (
        sliding_window_view(values, 2 * FAR_PX, axis=1)[crossing] for values in (label, network)
    )
    steps = np.stack(
        [
            values[:, FAR_PX - 1 + reach] - values[:, FAR_PX - reach]
            for values in (of_label, of_network)
            for reach in (FAR_PX, 1)
        ]
    )
    nearer = np.minimum(of_label[:, 0], of_label[:, -1])
    return np.asarray(steps[:, np.abs(steps[0]) > LEAST_STEP * nearer], np.float64)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
