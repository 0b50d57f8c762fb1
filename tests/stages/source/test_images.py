"""How a picture is cropped to the canvas: whatever its size, inside of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from depthmask.stages.source._images import crop_box, resize_picture

CANVASES = [
    *[(side, side) for side in (32, 128, 160, 176, 224, 299)],
    *[(240, 320), (480, 640), (1080, 1920), (320, 240), (100, 300), (33, 47), (8, 8192)],
]
SIDES = np.arange(8, 701)


def of_size(width: int, height: int) -> Image.Image:
    return cast(Image.Image, SimpleNamespace(width=width, height=height))


def unclamped(width: Any, height: Any, canvas: tuple[int, int]) -> tuple[Any, ...]:
    """The box by its definition, as it was before; of numbers or of arrays."""
    scale = np.minimum(width / canvas[1], height / canvas[0])
    left, top = (width - canvas[1] * scale) / 2, (height - canvas[0] * scale) / 2
    return left, top, left + canvas[1] * scale, top + canvas[0] * scale


@pytest.mark.parametrize("canvas", CANVASES)
def test_the_box_is_in_every_picture_and_otherwise_as_before(canvas: tuple[int, int]) -> None:
    """All sizes from 8 to 700: Pillow refused those whose box began at -3e-14."""
    left, top, right, bottom = unclamped(SIDES[None], SIDES[:, None], canvas)
    # Pillow keeps boxes as float32, which rounds the ends to the picture.
    assert (np.float32(right) <= SIDES[None]).all()
    assert (np.float32(bottom) <= SIDES[:, None]).all()
    refused = (left < 0) | (top < 0)
    for height, width in SIDES[np.argwhere(refused)].tolist():
        box = crop_box(of_size(width, height), canvas)
        assert box[0] >= 0
        assert box[1] >= 0
        assert np.float32(box[2]) <= width
        assert np.float32(box[3]) <= height
    worked = np.random.default_rng(0).permutation(SIDES[np.argwhere(~refused)])[:1000]
    for height, width in worked.tolist():
        assert crop_box(of_size(width, height), canvas) == unclamped(width, height, canvas)


@pytest.mark.parametrize(
    ("width", "height", "canvas"),
    [
        *[(640, 488, (176, 176)), (600, 400, (176, 176)), (444, 640, (176, 176))],
        *[(640, 478, (224, 224)), (457, 640, (224, 224)), (640, 248, (240, 320))],
        *[(1, 8000, (8, 8)), (8000, 1, (8, 8)), (1, 8000, (224, 224)), (9, 9, (8, 8192))],
    ],
)
def test_ordinary_photographs_are_resized(width: int, height: int, canvas: tuple[int, int]) -> None:
    picture = Image.new("RGB", (width, height), (9, 90, 200))
    assert (resize_picture(picture, canvas) == (9, 90, 200)).all()
    assert resize_picture(picture, canvas).shape == (*canvas, 3)
