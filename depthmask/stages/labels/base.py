"""Labels: what is stored about each sample beside image, mask and depth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from depthmask.codec.labels import LabelOutput
from depthmask.data import (
    Composite,
    DepthContract,
    Float32,
    LayerPixels,
    Size,
    UInt8,
    UInt16,
    brief,
)
from depthmask.stage import Stage
from depthmask.stages.writer.base import PublishedDataset


@dataclass(frozen=True)
class FinishedSample:
    """A composite with its depth, before it is encoded; do not change its arrays.

    composite: image, mask, layers and the background with its geometry. depth: float32 [dh, dw] by
    `contract`, or None. Layers are numbered from 1, in the order of placing:
    `composite.layers[number - 1]`. `composite.background_instances` are what the background shows
    by itself.
    """

    composite: Composite
    depth: Float32 | None
    contract: DepthContract | None

    __repr__ = brief

    @property
    def size(self) -> Size:
        """(height, width) of the canvas in pixels."""
        height, width = self.composite.mask.shape
        return height, width

    @cached_property
    def instances(self) -> UInt8 | UInt16:
        """uint8 or uint16 [h, w]: the number of the front layer at each pixel, 0: background."""
        numbers = self.composite.instances
        numbers.setflags(write=False)
        return numbers

    @cached_property
    def all_instances(self) -> UInt8 | UInt16:
        """As `instances`, with those of the background, numbered after the layers."""
        if not self.composite.background_instances:
            return self.instances
        numbers = self.composite.all_instances
        numbers.setflags(write=False)
        return numbers

    def visible(self, number: int) -> NDArray[np.bool_]:
        """Bool [h, w]: the pixels that belong to this layer, by the rule of `LayerPixels.shown`.

        Raises `IndexError` for a number that no layer has.
        """
        self._require(number)
        return np.asarray(self.instances == number)

    def amodal(self, number: int) -> NDArray[np.bool_]:
        """Bool [h, w]: the pixels that would belong to this layer if nothing were in front.

        Neither other layers nor the background hide it here. Raises like `visible`.
        """
        self._require(number)
        mask = np.zeros(self.size, bool)
        pixels = self._pixels[number]
        mask[pixels.window] = pixels.amodal
        return mask

    def _require(self, number: int) -> None:
        count = len(self.composite.layers)
        if not 1 <= number <= count:
            raise IndexError(f"no layer {number}: layers are numbered from 1 to {count}")

    @cached_property
    def _pixels(self) -> dict[int, LayerPixels]:
        return {pixels.number: pixels for pixels in self.composite.layer_pixels}


class Labels(Stage):
    """Computes labels of finished samples. A run may have several label stages, one of each name.

    Labels depend on the sample and the settings alone, and change nothing else: image, mask and
    depth are the same with and without them. `label` is called in the workers, each with a copy of
    the stage, once for each sample in any order.
    """

    kind: ClassVar[str] = "labels"
    reads_geometry: ClassVar[bool] = False
    """Whether `label` needs the background's depth, camera or plane."""
    reads_depth: ClassVar[bool] = False
    """Whether labels depend on the sample's depth; `annotate` leaves them out when it changes."""

    @abstractmethod
    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        """The labels that `label` returns, for a canvas of `size` and depth by `contract`.

        Raises `SettingError` or `UsageError` where the stage cannot label such samples, for example
        because it needs depth and `contract` is None.
        """

    @abstractmethod
    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        """The values of all `outputs` by name; all random numbers come from `rng`."""

    def derive(self, dataset: PublishedDataset) -> None:
        """Write files about the whole dataset into its folder, from its published shards.

        Called in the process of the run, before `dataset.json` is written; also for a dataset that
        `convert` or `annotate` made from one with these labels.
        """
