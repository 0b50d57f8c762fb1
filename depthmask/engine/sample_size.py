"""Estimates the bytes of a sample, before any is made: for the disk, and for the size of shards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from depthmask.codec.density import PHOTOGRAPHS, Densities
from depthmask.codec.sample import DepthFormat, Encode, SizeEstimate, decode
from depthmask.compose.describe import describe_instance
from depthmask.compose.stored_assets import stored_background, stored_foreground
from depthmask.config.root import Root
from depthmask.data import (
    Background,
    DepthContract,
    Float32,
    Foreground,
    InstancePixels,
    Sample,
    Size,
    UInt8,
    sample_key,
)
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.labels import label_stages
from depthmask.plan.plan import Plan
from depthmask.stages.depth.base import Estimator
from depthmask.stages.geometry.estimated import as_geometry
from depthmask.stages.labels.coco import Coco, label_of_instance
from depthmask.stages.source.base import Source

T = TypeVar("T")

_STAND_INS = 8
"""The backgrounds that are measured: the mean over them is right to about a tenth."""
_SAMPLES = 4
"""The samples of an input that are measured."""
_MOST_PIXELS = 1 << 20
"""A larger canvas is measured at this size."""
_GROWTH = 0.8
"""Bytes grow with this power of the pixels: larger pictures are smoother."""
_SCALE = 0.7
"""The size of a pasted cut-out, as a share of its own: the canvas cuts off a part of many."""
_NEARER = 0.7
"""The depth of a pasted cut-out, as a share of the nearest depth of its background."""


def sample_size(root: Root, plan: Plan, contract: DepthContract | None) -> SizeEstimate:
    """The estimate for a sample as the writer stores it, without labels of foregrounds.

    The size of photographs depends on what they show, so it is measured on some of the assets,
    pasted without placement, if the source loads these quickly.
    """
    encode = root.writer.stored_as(root.encode)
    resolution = contract.resolution if contract else None
    depths = root.source.densities if _keeps_depth(root, plan) else PHOTOGRAPHS
    estimate = encode.expected(root.canvas, resolution, (root.source.densities, depths))
    if root.source.loads_quickly:
        # A fault of an asset or of the source is reported by the run, with the sample's name.
        with suppress(Exception):
            estimate = replace(estimate, bytes=_measured(root, plan, encode, resolution, depths))
    overhead = estimate.members * root.writer.member_bytes
    arrays = root.encode.expected(root.canvas, resolution).arrays
    return replace(estimate, bytes=estimate.bytes + overhead, arrays=arrays)


def recoded_bytes(job_input: JobInput, root: Root) -> int:
    """About the bytes of a sample of an input, encoded and written by the settings of the root."""
    stored = root.writer.stored_as(root.encode)
    if stored == job_input.stored:
        return job_input.sample_bytes
    before, after = _bytes_of_some(job_input, job_input.stored, stored)
    return -(-job_input.sample_bytes * after // before)


def depth_bytes(job_input: JobInput) -> int:
    """About the bytes that the depth of a sample of an input takes; 0 without depth."""
    if job_input.contract is None:
        return 0
    stored = job_input.stored
    whole, others = _bytes_of_some(job_input, stored, replace(stored, depth=DepthFormat.none))
    return job_input.sample_bytes * (whole - others) // whole


def _bytes_of_some(job_input: JobInput, *encodes: Encode) -> list[int]:
    """The bytes of some samples of an input, encoded by each of these settings."""
    totals = [0] * len(encodes)
    for index in _some(range(job_input.samples), _SAMPLES):
        sample = decode(job_input.read(index), job_input.most_pixels)
        for number, encode in enumerate(encodes):
            totals[number] += sum(map(len, encode.encode(sample).members.values()))
    return totals


def _keeps_depth(root: Root, plan: Plan) -> bool:
    """Whether the depth of samples is that of the source, not of a network."""
    if isinstance(root.depth, Estimator):
        return False
    has_depth = root.source.has_depth(plan.backgrounds[0])
    return not as_geometry(root.geometry).needs_measuring(has_depth)


def _measured(
    root: Root, plan: Plan, encode: Encode, resolution: Size | None, depths: Densities
) -> int:
    """The mean bytes of some stand-ins for samples."""
    height, width = root.canvas
    shrink = min(1.0, (_MOST_PIXELS / (height * width)) ** 0.5)
    size = round(height * shrink), round(width * shrink)
    growth = (height * width / (size[0] * size[1])) ** _GROWTH
    objects = round(sum(root.object_range) / 2)
    keeps_depth = resolution is not None and _keeps_depth(root, plan)
    has_coco = any(isinstance(one, Coco) for one in label_stages(root))
    backgrounds = _some(plan.backgrounds, _STAND_INS)
    total = 0.0
    for number, key in enumerate(backgrounds):
        keys = [plan.foregrounds[(number * 31 + n * 7) % len(plan.foregrounds)]
                for n in range(objects)]  # fmt: skip
        sample = _stand_in(root.source, key, keys, size, has_coco=has_coco)
        measured = sample if keeps_depth else replace(sample, depth=None)
        total += growth * sum(map(len, encode.encode(measured).members.values()))
        if measured.depth is None:
            total += encode.depth_bytes(resolution, depths)
    return int(total / len(backgrounds))


def _some(items: Sequence[T], most: int) -> list[T]:
    """Some of the items, evenly from all of them."""
    count = min(most, len(items))
    return [items[number * len(items) // count] for number in range(count)]


def _stand_in(
    source: Source, background: str, foregrounds: Sequence[str], size: Size, *, has_coco: bool
) -> Sample:
    """A background with cut-outs pasted side by side: about as many bytes as a sample.

    has_coco: whether the JSON has COCO's labels, here those of the background's instances alone.
    """
    scene = stored_background(source, background, size)
    canvas = _Canvas(
        scene.image.copy(),
        np.zeros(size, np.uint8),
        None if scene.depth_m is None else scene.depth_m.copy(),
    )
    for number, key in enumerate(foregrounds):
        left = size[1] * (number + 1) // (len(foregrounds) + 1)
        canvas.paste(stored_foreground(source, key, size), left)
    meta: dict[str, Any] = {
        "key": background,
        "layers": [{"foreground": key} for key in foregrounds],
        "": " " * 90,
    }
    if scene.instances:
        meta["background_instances"] = _own_instances(scene, size, has_coco=has_coco)
    return Sample(sample_key(0), canvas.image, canvas.mask, None, canvas.depth_m, meta)


def _own_instances(background: Background, size: Size, *, has_coco: bool) -> list[dict[str, Any]]:
    """The JSON of the instances of a background, as if no cut-out hid any."""
    all_pixels = (InstancePixels(0, one, one.mask, 1.0) for one in background.instances)
    return [
        describe_instance(one) | (label_of_instance(size, one) if has_coco else {})
        for one in all_pixels
    ]


@dataclass(frozen=True)
class _Canvas:
    image: UInt8
    mask: UInt8
    depth_m: Float32 | None

    def paste(self, foreground: Foreground, middle: int) -> None:
        """Paste a cut-out at half height around a column, cropped to the canvas."""
        height, width = self.mask.shape
        rgba = _scaled(foreground.rgba)
        top, left = (height - rgba.shape[0]) // 2, middle - rgba.shape[1] // 2
        rows = slice(max(top, 0), min(top + rgba.shape[0], height))
        columns = slice(max(left, 0), min(left + rgba.shape[1], width))
        rgba = rgba[rows.start - top : rows.stop - top,
                    columns.start - left : columns.stop - left]  # fmt: skip
        alpha = rgba[..., 3:]
        under = self.image[rows, columns]
        share = alpha / np.float32(255)
        self.image[rows, columns] = under + share * (rgba[..., :3] - under.astype(np.float32))
        self.mask[rows, columns] = np.maximum(self.mask[rows, columns], alpha[..., 0])
        if self.depth_m is not None:
            self.depth_m[rows, columns][alpha[..., 0] > 127] = _NEARER * self.depth_m.min()


def _scaled(rgba: UInt8) -> UInt8:
    """A cut-out at `_SCALE`."""
    height, width = (max(round(_SCALE * length), 1) for length in rgba.shape[:2])
    return np.asarray(Image.fromarray(rgba).resize((width, height)))
