"""Outlines, hidden areas and captions of the cut-outs: `labels=[edges]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask import (
    DepthContract,
    FinishedSample,
    Float32,
    LabelCodec,
    LabelOutput,
    Labels,
    Size,
    setting,
    stage,
)

_EDGES = "255 on the outlines of the visible foregrounds, else 0"
_HIDDEN = "hidden share, 0..1, of the foreground that is hidden at each pixel, 0 where none is"
_CAPTION = "text: the objects of the image, in words; count: their number"


@stage("edges")
class Edges(Labels):
    """Outlines of the visible foregrounds, how much of each others hide, and a caption."""

    width: int = setting(1, ge=1, le=16, help="width of the outlines in pixels")

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        pixels = size[0] * size[1]
        return [
            LabelOutput("edges", LabelCodec.png, _EDGES, bytes=100 + pixels // 50),
            LabelOutput("hidden", LabelCodec.npz, _HIDDEN, bytes=300 + pixels // 50),
            LabelOutput("caption", LabelCodec.json, _CAPTION, bytes=60),
        ]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        edges = _outlines(sample.instances, self.width)
        names = Counter(layer.label for layer in sample.composite.layers)
        text = ", ".join(f"{count} {name}" for name, count in sorted(names.items()))
        return {
            "edges": edges.astype(np.uint8) * 255,
            "hidden": _hidden(sample),
            "caption": {"text": text, "count": names.total()},
        }


def _outlines(instances: NDArray[Any], width: int) -> NDArray[np.bool_]:
    """Foreground pixels with another instance at most `width` pixels away in row or column."""
    height, length = instances.shape
    padded = np.pad(instances, width, mode="edge")
    edges = np.zeros(instances.shape, bool)
    for step in range(1, width + 1):
        for down, right in ((step, 0), (-step, 0), (0, step), (0, -step)):
            top, left = width + down, width + right
            edges |= instances != padded[top : top + height, left : left + length]
    return edges & (instances > 0)


def _hidden(sample: FinishedSample) -> Float32:
    """Float32 [h, w]: the hidden share of the most hidden foreground behind each pixel."""
    shares = np.zeros(sample.size, np.float32)
    for number in range(1, len(sample.composite.layers) + 1):
        whole = sample.amodal(number)
        hidden = whole & ~sample.visible(number)
        share = np.float32(hidden.sum() / max(whole.sum(), 1))
        shares[hidden] = np.maximum(shares[hidden], share)
    return shares
