"""How a picture is cropped to the canvas: whatever its size, inside of it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from depthmask.stages.source._images import crop_box, load, resize_picture, to_rgba

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
    resized = resize_picture(np.asarray(picture), canvas, crop_box(picture, canvas))
    assert (resized == (9, 90, 200)).all()
    assert resized.shape == (*canvas, 3)


def png(values: np.ndarray, bits: int, transparent: list[int]) -> bytes:
    """A PNG of grey [h, w] or RGB [h, w, 3] with a transparent value, as Pillow writes none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = values.shape[:2]
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in values]
    else:
        bitmaps = (values[..., None] >> np.arange(bits)[::-1] & 1).reshape(height, -1)
        rows = [np.packbits(bitmap).tobytes() for bitmap in bitmaps]
    colour = 2 if values.ndim == 3 else 0
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
        + chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_value_of_few_bits(bits: int) -> None:
    """Pillow scales the greys of 2 and 4 bits to 8, and not the transparent one."""
    most = (1 << bits) - 1
    values = np.arange(64).reshape(4, 16) % (most + 1)
    for clear in {0, 1, int(values.max())}:
        rgba = to_rgba(load(Path("few.png"), png(values, bits, [clear])))
        assert rgba is not None
        assert np.array_equal(np.asarray(rgba)[..., 3], np.where(values == clear, 0, 255))
        assert np.array_equal(np.asarray(rgba)[..., 0], values * (255 // most))


def test_the_transparent_colour_of_16_bits() -> None:
    """All 16 bits are compared: other colours may have the same upper 8."""
    values = (np.arange(4 * 16 * 3) * 300).reshape(4, 16, 3)
    values[1, 2] = values[0, 0] + 1
    rgba = to_rgba(load(Path("deep.png"), png(values, 16, values[0, 0].tolist())))
    assert rgba is not None
    expected = np.where((values == values[0, 0]).all(axis=2), 0, 255)
    assert np.array_equal(np.asarray(rgba)[..., 3], expected)
    assert np.array_equal(np.asarray(rgba)[..., :3], values >> 8)
