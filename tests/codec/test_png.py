"""Our PNG against Pillow's decoder."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from depthmask.codec.png import GREY_8, GREY_16, RGB_8, decode_png, encode_png

MODES = {
    ("uint8", 1): "L",
    ("uint16", 1): "I;16",
    ("uint8", 3): "RGB",
    ("uint8", 4): "RGBA",
}


def picture(height: int, width: int, channels: int, dtype: str, seed: int = 0) -> np.ndarray:
    """Noise, with the extreme values in it."""
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    values = rng.integers(0, top + 1, (height, width, channels), dtype=dtype)
    values[rng.random(values.shape) < 0.2] = top
    values[rng.random(values.shape) < 0.2] = 0
    return values[..., 0] if channels == 1 else values


def decoded(data: bytes) -> Image.Image:
    """Checksums included: Pillow verifies each chunk's."""
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.load()
    return image


@pytest.mark.parametrize(("dtype", "channels"), MODES)
@given(height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 9))
def test_pillow_decodes_the_same_pixels(
    dtype: str, channels: int, height: int, width: int, seed: int
) -> None:
    pixels = picture(height, width, channels, dtype, seed)
    image = decoded(encode_png(pixels))
    assert image.mode == MODES[dtype, channels]
    assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(("dtype", "channels"), MODES)
@given(height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 9))
def test_we_decode_the_same_pixels(
    dtype: str, channels: int, height: int, width: int, seed: int
) -> None:
    pixels = picture(height, width, channels, dtype, seed)
    found = decode_png(encode_png(pixels), 400, (channels, pixels.itemsize))
    assert found is not None
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)
    assert found.flags.writeable


def test_we_decode_nothing_that_is_damaged_or_too_large() -> None:
    data = encode_png(picture(12, 9, 1, "uint16"))
    assert decode_png(data, 107, GREY_16) is None
    assert decode_png(data, 108, GREY_8, RGB_8) is None
    assert decode_png(data, 108, GREY_16) is not None
    for size in range(len(data)):
        assert decode_png(data[:size], 108, GREY_16) is None
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert decode_png(bytes(changed), 108, GREY_16) is None, bit
    assert decode_png(data + b"x", 108, GREY_16) is None


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGB"])
def test_what_pillow_made_is_left_to_pillow(mode: str) -> None:
    file = io.BytesIO()
    Image.fromarray(picture(30, 20, 3, "uint8")).convert(mode).save(file, "PNG")
    assert decode_png(file.getvalue(), 600, GREY_8, RGB_8) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (160, 160)])
@pytest.mark.parametrize(("dtype", "channels"), MODES)
def test_thin_and_usual_sizes(size: tuple[int, int], dtype: str, channels: int) -> None:
    pixels = picture(*size, channels, dtype)
    assert np.array_equal(np.asarray(decoded(encode_png(pixels))), pixels)


def test_grey_with_an_axis_of_one() -> None:
    pixels = picture(5, 7, 1, "uint8")
    assert encode_png(pixels[..., None]) == encode_png(pixels)


@pytest.mark.parametrize(("dtype", "channels"), MODES)
def test_views_give_the_bytes_of_their_copies(dtype: str, channels: int) -> None:
    pixels = picture(24, 30, channels, dtype)
    for view in (pixels[::-1], pixels[:, ::-1], pixels[3:20:2, 4:9], np.swapaxes(pixels, 0, 1)):
        assert not view.flags.c_contiguous
        data = encode_png(view)
        assert data == encode_png(view.copy(order="C"))
        assert np.array_equal(np.asarray(decoded(data)), view)


def test_byte_order_of_the_array_does_not_matter() -> None:
    pixels = np.array([[1, 256], [65535, 4660]], "<u2")
    assert encode_png(pixels.astype(">u2")) == encode_png(pixels)


def test_chunks_and_header_by_hand() -> None:
    data = encode_png(np.array([[7, 9], [8, 8]], np.uint8))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    # 13 bytes: width 2, height 2, 8 bits, grey, deflate, adaptive filters, not interlaced.
    assert data[8:33] == (
        b"\0\0\0\rIHDR\0\0\0\2\0\0\0\2\x08\0\0\0\0"
        + zlib.crc32(b"IHDR\0\0\0\2\0\0\0\2\x08\0\0\0\0").to_bytes(4, "big")
    )
    size = int.from_bytes(data[33:37], "big")
    assert zlib.decompress(data[41 : 41 + size]) == b"\0\7\x09\0\x08\x08"
    assert data[-12:] == b"\0\0\0\0IEND\xaeB`\x82"


def test_depth_is_filtered() -> None:
    data = encode_png(np.array([[7, 9], [8, 8]], np.uint16))
    # Filter 2, "up": 8 - 7 = 1 and 8 - 9 = 255.
    assert zlib.decompress(data[41:-16]) == b"\2\0\7\0\x09\2\0\1\0\xff"


def test_the_input_is_left_alone_and_the_bytes_repeat() -> None:
    pixels = picture(9, 9, 3, "uint8")
    before = pixels.copy()
    assert encode_png(pixels) == encode_png(pixels)
    assert np.array_equal(pixels, before)
