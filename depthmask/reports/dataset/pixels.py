"""Counts over the pixels of the decoded samples: mask area and depth."""

from __future__ import annotations

import math

import numpy as np

from depthmask.data import DepthContract, Float32, Sample
from depthmask.reports.dataset.histogram import Histogram

_DEPTH_BINS = 20_000
"""The most bins of depth. A bin is a millimetre wide if depth is up to 10 m."""


class Pixels:
    """Histograms of mask area and depth over the decoded samples.

    area: the share of each image that its mask covers. depth: all valid pixels, in the contract's
    unit. at_near, at_far: the number of pixels at the ends of the contract's range.
    """

    def __init__(self, contract: DepthContract | None) -> None:
        self._contract = contract
        self.samples = 0
        self.without_mask = 0
        self.area = Histogram(0.001, 1.0)
        self.depth = Histogram(1.0, 1.0)
        self.invalid = self.at_near = self.at_far = 0
        if contract is not None:
            width = 10.0 ** math.ceil(math.log10(contract.far / _DEPTH_BINS))
            self.depth = Histogram(width, contract.far)

    def add(self, sample: Sample) -> None:
        """Count the pixels of one sample."""
        self.samples += 1
        self.without_mask += not sample.mask.any()
        self.area.add(sample.mask.mean() / 255)
        if sample.depth is not None and self._contract is not None:
            self._add_depth(sample.depth, self._contract)

    @property
    def has_depth(self) -> bool:
        """Whether any decoded sample has a depth map."""
        return self.depth.total + self.invalid > 0

    def _add_depth(self, depth: Float32, contract: DepthContract) -> None:
        valid = depth[depth > 0]
        self.depth.add(valid)
        self.invalid += depth.size - valid.size
        # Depth may be rounded to millimetres.
        step = max(0.0005, (contract.far - contract.near) * 1e-5)
        self.at_near += int(np.count_nonzero(valid <= contract.near + step))
        self.at_far += int(np.count_nonzero(valid >= contract.far - step))
