"""Surface normals of each sample, from its depth: `labels=[normals]`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from depthmask import (
    Camera,
    DepthContract,
    DepthKind,
    FinishedSample,
    Float32,
    LabelCodec,
    LabelOutput,
    Labels,
    SettingError,
    Size,
    UInt8,
    setting,
    stage,
)


@stage("normals")
class Normals(Labels):
    """The direction of the surface at each pixel, as an RGB picture.

    In camera coordinates (x right, y down, z forward), towards the camera: a component n in -1..1
    is stored as 127.5 * (n + 1), and a pixel without depth as 0, 0, 0. Normals are cross products
    of the differences between neighbours, as in Nakagawa et al. 2015, "Estimating surface normals
    with depth image gradients for fast and accurate registration".
    """

    reads_geometry = True
    reads_depth = True

    fov_deg: float = setting(
        60.0, gt=5, lt=150, help="horizontal field of view where the camera is not known"
    )

    def outputs(self, size: Size, contract: DepthContract | None) -> Sequence[LabelOutput]:
        """One picture, of the size of the depth map."""
        if contract is None or contract.kind is not DepthKind.metric_z:
            kind = "none" if contract is None else contract.kind.name
            raise SettingError("depth", kind, "normals need depth in metres, such as depth=layered")
        height, width = contract.resolution
        meaning = "surface normal, 127.5 * (n + 1), x right, y down, z forward; 0 = no depth"
        return [LabelOutput("normals", LabelCodec.png, meaning, bytes=height * width)]

    def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
        """The picture of a sample."""
        depth_m = sample.depth
        assert depth_m is not None, "outputs has checked it"
        camera = sample.composite.background.camera or self._assumed(sample.size)
        # The depth map may have another resolution than the camera, which is that of the image.
        points = _points(depth_m, camera, sample.size)
        normals = _cross_products(points)
        return {"normals": _as_picture(normals, depth_m > 0)}

    def _assumed(self, size: Size) -> Camera:
        """A camera in the middle of the picture, with the assumed field of view."""
        height, width = size
        f_px = width / 2 / math.tan(math.radians(self.fov_deg) / 2)
        return Camera(f_px=f_px, cx=width / 2, cy=height / 2, height_m=0.0, pitch=0.0)


def _points(depth_m: Float32, camera: Camera, size: Size) -> Float32:
    """The point of each pixel in metres [h, w, 3]."""
    rows, columns = depth_m.shape
    x = (np.arange(columns) + 0.5) * size[1] / columns - camera.cx
    y = (np.arange(rows) + 0.5) * size[0] / rows - camera.cy
    across, down = depth_m * (x / camera.f_px), depth_m * (y / camera.f_px)[:, None]
    return np.stack([across, down, depth_m], axis=-1).astype(np.float32)


def _cross_products(points: Float32) -> Float32:
    """Unit vectors [h, w, 3] towards the camera, across the steps to the neighbours."""
    down, right = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normals = np.cross(down, right)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.asarray(normals / np.maximum(lengths, 1e-12), np.float32)


def _as_picture(normals: Float32, valid: np.ndarray[Any, np.dtype[np.bool_]]) -> UInt8:
    levels = np.rint(127.5 * (normals + 1)).astype(np.uint8)
    levels[~valid] = 0
    return levels
