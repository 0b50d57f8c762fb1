"""A depth network: what has to be written around the call of any framework."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from depthmask import FixedBatchEstimator, Float32, Resolution, SettingError, Size, setting, stage


@stage("network")
class Network(FixedBatchEstimator):
    """Depth as a weighted sum of red, green and blue: three weights, in a text file."""

    weights: Path = setting(by_content=True, help="text file with three weights, in metres")
    batch: int = setting(8, ge=1, help="images at a time")
    resolution: Resolution = setting(Resolution.image, help="size of the depth maps")

    def check_resources(self) -> None:
        """Called in the process of a run, before anything is written."""
        if not self.weights.is_file():
            raise SettingError("weights", self.weights, "no such file")

    @cached_property
    def _model(self) -> Float32:
        """The model, loaded by each worker at its first sample; import its library here."""
        return np.loadtxt(self.weights, dtype=np.float32)

    @cached_property
    def weights_sha256(self) -> str:
        """The hash of the file, for the contract of the dataset."""
        return hashlib.sha256(self.weights.read_bytes()).hexdigest()

    @property
    def cache_key(self) -> str:
        """Everything that depth depends on."""
        return f"{self.name} {self.weights_sha256} {self.resolution.name}"

    @property
    def value_range(self) -> tuple[float, float]:
        """Least and greatest depth in metres; other values are moved to these."""
        return 0.1, 10.0

    def input_size(self, size: Size) -> Size:
        """Images are resized to this (height, width)."""
        return 96, 128

    def output_size(self, size: Size) -> Size:
        """The network gives maps of this (height, width)."""
        return 96, 128

    def run(self, inputs: Float32) -> Float32:
        """float32 [1, 96, 128, 3], 0..1 -> float32 [1, 96, 128]."""
        return np.asarray(inputs @ self._model)
