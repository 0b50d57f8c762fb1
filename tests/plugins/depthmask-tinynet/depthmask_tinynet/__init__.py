"""A network of two layers, with weights in the package: `depth=tinynet`, `geometry=tinynet`."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from depthmask import FixedBatchEstimator, Float32, Resolution, Size, setting, stage

_STEP = 4
"""Pixels of the input, along each side, for one of the output."""


@stage("tinynet")
class TinyNet(FixedBatchEstimator):
    """Depth by a network of two layers: 4x4 pixels to 8 channels, and these to one distance.

    Its weights are arbitrary numbers, so its depth means nothing.
    """

    far: float = setting(10.0, gt=0.1, le=65, help="greatest depth in metres")
    batch: int = setting(4, ge=1, le=4096, help="images in each batch of the network")
    resolution: Resolution = setting(
        Resolution.image, help="size of the depth maps: the image's, or the network's quarter"
    )

    @property
    def cache_key(self) -> str:
        return f"tinynet {self.weights_sha256} {self.far} {self.batch} {self.resolution.name}"

    @property
    def weights_sha256(self) -> str:
        return hashlib.sha256(_weights_file()).hexdigest()

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.1, self.far

    def input_size(self, size: Size) -> Size:
        """The next smaller multiples of 4, at least 4."""
        height, width = (max(_STEP, side // _STEP * _STEP) for side in size)
        return height, width

    def output_size(self, size: Size) -> Size:
        height, width = self.input_size(size)
        return height // _STEP, width // _STEP

    def run(self, inputs: Float32) -> Float32:
        weights = _weights()
        hidden = np.maximum(_blocks(inputs) @ weights["blocks"] + weights["bias"], 0)
        return np.asarray(1 / (1 + np.exp(-hidden @ weights["distance"])), np.float32)

    def to_depth(self, raw: Float32) -> Float32:
        """0..1 -> 0.1 m to `far`."""
        near, far = self.value_range
        return np.asarray(near + raw * (far - near), np.float32)


def _blocks(images: Float32) -> Float32:
    """float32 [n, h, w, 3] -> [n, h / 4, w / 4, 48], the pixels of each block in a row."""
    count, height, width, _ = images.shape
    cut = images.reshape(count, height // _STEP, _STEP, width // _STEP, _STEP, 3)
    return cut.swapaxes(2, 3).reshape(count, height // _STEP, width // _STEP, -1)


@cache
def _weights_file() -> bytes:
    return files("depthmask_tinynet").joinpath("weights.npz").read_bytes()


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    """Float32: `blocks` [48, 8], `bias` [8], `distance` [8]."""
    with np.load(io.BytesIO(_weights_file()), allow_pickle=False) as arrays:
        return dict(arrays)
