"""The map of instances: which foreground, or instance of the background, each pixel shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.data import DepthContract, Size
from depthmask.stage import stage
from depthmask.stages.labels.base import FinishedSample, Labels

_BYTES_PER_PIXEL = 0.02
"""Of instance maps of 60 composites of the reference photographs, 160x160, four objects."""


@stage("instances")
class Instances(Labels):
    """The number of the front foreground at each pixel, from 1 in the order of placing, as PNG.

    8 bits, or 16 bits with 256 or more foregrounds; 0 is the background. A pixel belongs to the
    front foreground whose alpha there is at least half of its usual alpha: the median away
    from its edges, 255 for an opaque one. So glass has pixels of its own.

    Instances of the background, where it is annotated, are behind all foregrounds and have the
    numbers that follow, in the order of `background_instances` in the sample's JSON. Of two that
    share a pixel, the one with fewer pixels has it.
    """

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        """The map `instances`, of the size of the image."""
        meaning = "number of the foreground or annotated instance at each pixel, 0 = none"
        expected = round(size[0] * size[1] * _BYTES_PER_PIXEL)
        return [LabelOutput("instances", LabelCodec.png, meaning, expected)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        """The map of a sample."""
        return {"instances": sample.all_instances}
