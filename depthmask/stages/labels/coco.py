"""Labels of each object in the format of COCO: https://cocodataset.org/#format-data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from depthmask.codec.coco import instance_label
from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.data import DepthContract, Flags, InstancePixels, LayerPixels, Size
from depthmask.stage import stage
from depthmask.stages.labels.base import FinishedSample, Labels
from depthmask.stages.labels.coco_file import write_coco
from depthmask.stages.writer.base import PublishedDataset

_BYTES_PER_PIXEL = 0.03
"""Of the run lengths of one object in 60 composites of the reference photographs, 160x160."""


@stage("coco")
class Coco(Labels):
    """Visible box, area and mask of each object, and the same without occlusion, in JSON.

    In the sample's JSON, each layer gets `area` in pixels, `visible_box` [top, left, height, width]
    and `counts` (COCO's run lengths) of its visible pixels, and `amodal` for the object as if
    nothing were in front of it; so does each of `background_instances`. Beside the shards,
    `coco_SPLIT.json` has all samples of a split; categories have the same ids in the files of all
    splits.
    """

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        """The values of each layer."""
        meaning = "visible box, area and mask of each object, and the same without occlusion"
        expected = round(size[0] * size[1] * _BYTES_PER_PIXEL)
        return [LabelOutput("coco", LabelCodec.layers, meaning, expected)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        """The values of each layer of a sample, and of each instance of its background."""
        layer_pixels = sorted(sample.composite.layer_pixels, key=attrgetter("number"))
        of_layers = [_of_layer(sample, pixels) for pixels in layer_pixels]
        own = sample.composite.background_instances
        return {"coco": [*of_layers, *(label_of_instance(sample.size, pixels) for pixels in own)]}

    def derive(self, dataset: PublishedDataset) -> None:
        """Write `coco_SPLIT.json` for each split with samples."""
        write_coco(dataset)


def _of_layer(sample: FinishedSample, pixels: LayerPixels) -> dict[str, Any]:
    """The label of a layer, with its label as if no other layer were in front of it.

    Only the layer's window is read, since it has no pixel elsewhere.
    """
    visible = np.asarray(sample.instances[pixels.window] == pixels.number)
    return _label(visible, pixels.amodal, pixels.top, pixels.left, sample.size)


def label_of_instance(size: Size, pixels: InstancePixels) -> dict[str, Any]:
    """The label of an instance of the background, with its label before anything covered it.

    Each has its own mask: where two of them overlap, the pixels belong to both, as in the
    annotations.
    """
    one = pixels.instance
    return _label(pixels.shown, one.mask, one.top, one.left, size)


def _label(visible: Flags, amodal: Flags, top: int, left: int, size: Size) -> dict[str, Any]:
    """The label of the visible and of all pixels, bool [h, w], at (top, left) on a canvas."""
    whole = instance_label(amodal, top, left, size)
    renamed = {"box" if name == "visible_box" else name: value for name, value in whole.items()}
    return {**instance_label(visible, top, left, size), "amodal": renamed}
