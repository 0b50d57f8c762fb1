"""Labels of each object in the format of COCO: https://cocodataset.org/#format-data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from depthmask.codec.coco import instance_label
from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.data import DepthContract, Size
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
    nothing were in front of it. Beside the shards, `coco_SPLIT.json` has all samples of a split;
    categories have the same ids in the files of all splits.
    """

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        """The values of each layer."""
        meaning = "visible box, area and mask of each object, and the same without occlusion"
        expected = round(size[0] * size[1] * _BYTES_PER_PIXEL)
        return [LabelOutput("coco", LabelCodec.layers, meaning, expected)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        """The values of each layer of a sample."""
        numbers = range(1, len(sample.composite.layers) + 1)
        return {"coco": [_of_layer(sample, number) for number in numbers]}

    def derive(self, dataset: PublishedDataset) -> None:
        """Write `coco_SPLIT.json` for each split with samples."""
        write_coco(dataset)


def _of_layer(sample: FinishedSample, number: int) -> dict[str, Any]:
    """The label of a layer, with its label as if no other layer were in front of it."""
    amodal = instance_label(sample.amodal(number))
    renamed = {"box" if name == "visible_box" else name: value for name, value in amodal.items()}
    return {**instance_label(sample.visible(number)), "amodal": renamed}
