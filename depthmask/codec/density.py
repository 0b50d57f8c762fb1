"""How many bytes a pixel takes once it is encoded, for estimates of the size of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_PIXELS = (160 * 160, 480 * 640, 1024 * 1024)
"""The sizes of canvas at which the densities were measured."""
_QUALITIES = (1, 50, 75, 85, 90, 95, 100)
_BY_QUALITY = (0.08, 0.32, 0.45, 0.58, 0.76, 1.0, 1.63)
"""JPEG bytes at these qualities, as a share of those at 95."""
_BY_SUBSAMPLING = {"420": 1.0, "422": 1.1, "444": 1.22}
_OPTIMIZED = 0.85


@dataclass(frozen=True, slots=True)
class Densities:
    """Bytes per pixel of each kind of member, at each size of `_PIXELS`.

    image, mask: by format, JPEG at quality 95, 4:2:0. depth: by format, of all depth formats.
    """

    image: Mapping[str, Sequence[float]]
    mask: Mapping[str, Sequence[float]]
    depth: Mapping[str, Sequence[float]]

    def image_bytes(self, image: str, pixels: int, quality: int, subsampling: str) -> float:
        """The bytes of an image. quality, subsampling: of JPEG."""
        total = _at(pixels, self.image[image])
        if image == "jpeg":
            share = float(np.interp(quality, _QUALITIES, _BY_QUALITY))
            total *= share * _BY_SUBSAMPLING[subsampling]
        return total

    def mask_bytes(self, mask: str, pixels: int) -> float:
        """The bytes of a mask."""
        return _at(pixels, self.mask[mask])

    def depth_bytes(self, depth: str, pixels: int) -> float:
        """The bytes of a depth map."""
        return _at(pixels, self.depth[depth])


def optimized(jpeg_bytes: float) -> float:
    """The bytes of a JPEG file that was optimised."""
    return _OPTIMIZED * jpeg_bytes


def _at(pixels: int, densities: Sequence[float]) -> float:
    """The bytes of so many pixels; between the sizes that were measured on a line in logarithms."""
    return pixels * float(np.exp(np.interp(np.log(pixels), np.log(_PIXELS), np.log(densities))))


# Means over composites of the reference photographs, with depth by a network, and of the rooms,
# whose depth is exact.
PHOTOGRAPHS = Densities(
    image={"jpeg": (0.38, 0.155, 0.111), "png": (1.4, 0.64, 0.4)},
    mask={"png": (0.082, 0.049, 0.036), "jpeg": (0.105, 0.032, 0.023)},
    depth={
        "png16": (0.9, 0.32, 0.18),
        "npz": (3.1, 1.5, 1.1),
        "npz16": (1.25, 0.54, 0.35),
        "compact": (0.55, 0.19, 0.115),
    },
)
ROOMS = Densities(
    image={"jpeg": (0.385, 0.232, 0.174), "png": (1.78, 1.5, 1.33)},
    mask={"png": (0.034, 0.0167, 0.0132), "jpeg": (0.078, 0.029, 0.0194)},
    depth={
        "png16": (0.285, 0.173, 0.12),
        "npz": (1.74, 2.07, 1.87),
        "npz16": (0.377, 0.226, 0.2),
        "compact": (0.24, 0.14, 0.103),
    },
)
