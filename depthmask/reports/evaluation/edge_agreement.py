"""Two depth maps of one composite: where they differ, and how sharp the object's edge is in each.

Known depth with the objects set in (`layered`) against a network that looks at the composite.
Scores are told apart by the mask, as depth maps of networks fail at the boundaries of objects
first: Koch et al. 2018, "Evaluation of CNN-based Single-Image Depth Estimation Methods"
(https://arxiv.org/abs/1805.01328), whose boundary errors need edges to be found in either map; here
the mask says where they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from depthmask.data import DepthKind, Float32, UInt8
from depthmask.reports.evaluation.metrics import aligned, valid

FAR_PX = 4
"""How far from the boundary a pixel shows what is on its side of it."""
LEAST_STEP = 0.1
"""Of depth, by the nearer side: less is no edge to be sharp."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one sample, or the mean over many; NaN where nothing could be measured.

    inside, outside: mean |network - label| / label where the mask is 128 or more, and where it is
    0, after scaling (`metrics.aligned`). step, near: what the network shows of the label's step
    across the mask's boundary, between pixels `FAR_PX` on either side, and between neighbours.
    label_near: what the label shows of its own step between neighbours. 1 is all of it.
    """

    inside: float
    outside: float
    step: float
    near: float
    label_near: float


def agreement(label_m: Float32, network: Float32, mask: UInt8, kind: DepthKind) -> Agreement | None:
    """Of float32 [h, w] maps and a uint8 [h, w] mask; None where no pixel is valid in both."""
    both = valid(label_m) & valid(network)
    if not both.any():
        return None
    label = label_m.astype(np.float64)
    scaled = np.zeros_like(label)
    scaled[both] = aligned(network[both].astype(np.float64), label[both], kind)
    error = np.abs(scaled - label) / np.where(both, label, 1)
    return Agreement(
        _mean(error[both & (mask >= 128)]),
        _mean(error[both & (mask == 0)]),
        *_edges(label, scaled, mask >= 128, both),
    )


def mean_agreement(of: Iterable[Agreement]) -> Agreement:
    """The mean of each number, over the samples in which it could be measured."""
    rows = np.array([list(asdict(one).values()) for one in of])
    return Agreement(*(_mean(column[np.isfinite(column)]) for column in rows.T))


def _edges(
    label: NDArray[np.float64],
    network: NDArray[np.float64],
    inside: NDArray[np.bool_],
    both: NDArray[np.bool_],
) -> tuple[float, float, float]:
    """`step`, `near` and `label_near`, over all clean profiles of 8 pixels across the boundary."""
    across = _profiles(label, network, inside, both)
    down = _profiles(label.T, network.T, inside.T, both.T)
    wanted, own_near, far, near = np.concatenate([across, down], axis=1)
    whole = np.abs(wanted).sum()
    if whole == 0:
        return float("nan"), float("nan"), float("nan")
    # A step the wrong way counts against it.
    direction = np.sign(wanted)
    step, its_near, label_near = (float(direction @ part) / whole for part in (far, near, own_near))
    return step, its_near, label_near


def _profiles(
    label: NDArray[np.float64],
    network: NDArray[np.float64],
    inside: NDArray[np.bool_],
    both: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Along rows: the label's step far and near, the network's far and near; [4, profiles]."""
    if label.shape[1] < 2 * FAR_PX:
        return np.zeros((4, 0))
    side = sliding_window_view(inside, 2 * FAR_PX, axis=1)
    left, right = side[..., :FAR_PX], side[..., FAR_PX:]
    crossing = (left.all(axis=-1) & ~right.any(axis=-1)) | (~left.any(axis=-1) & right.all(axis=-1))
    crossing &= sliding_window_view(both, 2 * FAR_PX, axis=1).all(axis=-1)
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
