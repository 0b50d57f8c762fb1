"""Mixing colours by alpha."""

from __future__ import annotations

from depthmask.data import UInt8
from depthmask.kernels.compiled import dense_rows, native


def blend_alpha(canvas: UInt8, rgb: UInt8, alpha: UInt8) -> None:
    """Add (rgb - canvas) * alpha / 255, rounded to the nearest level, to the canvas, in place.

    canvas, rgb: uint8 [h, w, 3]; alpha: uint8 [h, w]. The pixels of a row of the canvas lie side by
    side.
    """
    if not alpha.size:
        return
    if native is None:
        _blend_alpha(canvas, rgb, alpha)
    else:
        native.blend_alpha(canvas, dense_rows(rgb), dense_rows(alpha))


def _blend_alpha(canvas: UInt8, rgb: UInt8, alpha: UInt8) -> None:
    """By OpenCV: the step is the absolute difference times alpha.

    The result is the median of canvas + step, canvas - step and `rgb`, since no step goes beyond
    `rgb`. OpenCV's product is float32, whose error never reaches the next level: no multiple of
    1/255 is a tie.
    """
    # Imported here, since that takes 0.1 s, which would slow down `--help`.
    import cv2

    of_colours = cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    step = cv2.absdiff(rgb, canvas)
    cv2.multiply(step, of_colours, step, 1 / 255)
    up = cv2.add(canvas, step)
    cv2.min(up, rgb, up)
    cv2.subtract(canvas, step, step)
    cv2.max(up, step, canvas)
