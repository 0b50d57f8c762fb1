"""Types of arrays, sizes and metadata, and the limits of what is accepted."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

UInt8: TypeAlias = NDArray[np.uint8]
"""An array of dtype uint8, such as an image [h, w, 3] or a mask [h, w], 0..255."""
UInt16: TypeAlias = NDArray[np.uint16]
"""An array of dtype uint16, such as an instance map [h, w] of 256 layers or more."""
Float32: TypeAlias = NDArray[np.float32]
"""An array of dtype float32, such as a depth map [h, w] in metres."""
Flags: TypeAlias = NDArray[np.bool_]
"""An array of dtype bool, such as the pixels [h, w] of an instance."""
PixelNumbers: TypeAlias = NDArray[np.uint32]
"""uint32 [n]: numbers of pixels, each row * width + column."""
Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""
Rows: TypeAlias = tuple[int, int]
"""(first row, row after the last)."""
MOST_BOX_PIXELS = 1 << 25
"""The most pixels of a layer's box; more are a mistake, which would take gigabytes. A cut-out that
fills a canvas of 1024x1024 thirty times over is allowed."""
MOST_INSTANCES = 10_000
"""The most instances of a background: instance maps have 65,535 numbers, also for layers."""
MOST_INSTANCE_PIXELS = 1 << 27
"""The most pixels of all instances of a background together, each with its box, on a large canvas:
134 MB. On a smaller one it is 64 times the canvas, or 4 million if that is more."""
FAINT_ALPHA = 16
"""The greatest alpha, of 255, that does not show: 6 %. What is fainter everywhere is no cut-out.

It is above the noise of a JPEG mask of quality 95 (8 of 255 at most) and, for
99 of 100 pixels with noise, above that of JPEG of quality 85 (16) and WebP of quality 80 (12). At
quality 75 that is 27, at 50 it is 48, but only in the 8 pixels around an object. Measured on the
masks of DepthMaskDataset, hard and soft. A greater one would cut off soft shadows."""
MOST_HEIGHT_M = 20.0
"""The greatest real height of a foreground, metres; a larger number is most likely centimetres."""
Meta: TypeAlias = dict[str, Any]
"""Free metadata as plain JSON data, up to 64 KiB as JSON; `codec/metadata.py` has the rules.

`keypoints` are a list or a mapping of [x, y] or [x, y, v] in pixels of the image that they come
with: x from the left edge, y from the top edge, so that the first pixel has its centre at 0.5, 0.5.
"""
