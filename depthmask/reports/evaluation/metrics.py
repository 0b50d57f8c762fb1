"""Computes scores of depth maps, as defined by Eigen et al. 2014, https://arxiv.org/abs/1406.2283."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthmask.data import DepthKind, Float32

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one image, over its valid pixels.

    abs_rel: mean |p - t| / t. rmse: metres. log10: mean |log10 p - log10 t|. delta1..3: share of
    the pixels with max(p / t, t / p) below 1.25, 1.25**2, 1.25**3. spearman: rank correlation,
    which does not depend on scale and shift; NaN for a constant map.
    """

    abs_rel: float
    rmse: float
    log10: float
    delta1: float
    delta2: float
    delta3: float
    spearman: float


def scores(predicted: Float64, true_m: Float64) -> Scores:
    """Scores of positive depths [n] against true ones [n], both in metres."""
    difference = predicted - true_m
    ratio = np.maximum(predicted / true_m, true_m / predicted)
    return Scores(
        abs_rel=float(np.mean(np.abs(difference) / true_m)),
        rmse=float(np.sqrt(np.mean(difference**2))),
        log10=float(np.mean(np.abs(np.log10(predicted) - np.log10(true_m)))),
        delta1=float(np.mean(ratio < 1.25)),
        delta2=float(np.mean(ratio < 1.25**2)),
        delta3=float(np.mean(ratio < 1.25**3)),
        spearman=spearman(predicted, true_m),
    )


def mean_scores(images: list[Scores]) -> Scores:
    """The mean of each score over images."""
    rows = np.array([list(asdict(image).values()) for image in images])
    return Scores(*(float(value) for value in rows.mean(axis=0)))


def aligned(predicted: Float64, true_m: Float64, kind: DepthKind) -> Float64:
    """The prediction in metres; the scale or shift that its kind leaves open is fitted to `true_m`.

    metric_z: scaled to the median of the truth. relative: scale and shift by least squares.
    disparity: scale and shift of 1 / depth by least squares, as MiDaS is evaluated
    (https://arxiv.org/abs/1907.01341); depths are clipped to 1 mm .. 1 km.
    """
    if kind is DepthKind.metric_z:
        return predicted * (np.median(true_m) / np.median(predicted))
    if kind is DepthKind.relative:
        return np.clip(_fit(predicted, true_m), 1e-3, 1e3)
    return 1 / np.clip(_fit(predicted, 1 / true_m), 1e-3, 1e3)


def spearman(a: Float64, b: Float64) -> float:
    """Rank correlation of two arrays [n]; equal values share their mean rank."""
    ranks = np.stack([_ranks(a), _ranks(b)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(axis=1))
    return float((ranks[0] @ ranks[1]) / norms.prod()) if norms.all() else float("nan")


def at_size(depth: Float32, size: tuple[int, ...]) -> Float32:
    """The map resized to [h, w] bilinearly."""
    if depth.shape == size:
        return depth
    height, width = size
    resized = Image.fromarray(depth).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def valid(depth: Float32, invalid: float = 0.0) -> NDArray[np.bool_]:
    """Bool [h, w]: whether each pixel has a valid depth."""
    return np.isfinite(depth) & (depth != invalid)


def _fit(x: Float64, y: Float64) -> Float64:
    """The values at `x` of the line that fits `y` best."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, y, rcond=None)
    return x * scale + shift


def _ranks(values: Float64) -> Float64:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
