from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.kernels import resampling
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")
SHAPES = ((1, 1), (2, 129), (35, 46), (60, 92), (97, 31), (160, 160))


def _pixels(seed: int, channels: int) -> Any:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 120, 2)
    shape = (height, width) if channels == 1 else (height, width, channels)
    return rng.integers(0, 256, shape, np.uint8)


def _box(pixels: Any, seed: int) -> resampling.Box:
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    left, top = rng.uniform(0, 0.4, 2) * (width, height)
    right, bottom = rng.uniform(0.6, 1, 2) * (width, height)
    return float(left), float(top), float(right), float(bottom)


def _across_then_down(image: Image.Image, height: int, width: int) -> Image.Image:
    """As Pillow resizes up to version 12; version 13 does what is faster first."""
    across = image.resize((width, image.height), Image.Resampling.LANCZOS)
    return across.resize((width, height), Image.Resampling.LANCZOS)


@COMPILED
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", SHAPES)
def test_the_fallback_gives_the_same_bytes(size: tuple[int, int], channels: int) -> None:
    for seed in range(6):
        pixels = _pixels(seed, channels)
        box = _box(pixels, seed) if seed % 2 else None
        rows, columns = (slice(one // 3, one // 3 + (one + 1) // 2) for one in size)
        window = (rows, columns) if seed % 3 else None
        height, width = pixels.shape[:2]
        fallback = resampling._resample(
            pixels,
            size,
            box or (0, 0, width, height),
            window or (slice(0, size[0]), slice(0, size[1])),
        )
        np.testing.assert_array_equal(resampling.resample(pixels, size, box, window), fallback)


@pytest.mark.parametrize("is_compiled", [pytest.param(True, marks=COMPILED), False])
@pytest.mark.parametrize(
    "window",
    [
        *((slice(3, 3), slice(0, 4)), (slice(0, 4), slice(5, 5)), (slice(4, 2), slice(0, 4))),
        *((slice(0, 9), slice(0, 4)), (slice(-1, 4), slice(0, 4)), (slice(0, 4), slice(2, 7))),
    ],
    ids=str,
)
def test_a_window_that_is_empty_or_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch, window: resampling.Window, is_compiled: bool
) -> None:
    if not is_compiled:
        monkeypatch.setattr(resampling, "native", None)
    with pytest.raises(ValueError, match=r"do not fit|negative"):
        resampling.resample(np.zeros((20, 30, 3), np.uint8), (8, 6), window=window)


def _cut_out(seed: int, channels: int) -> Any:
    """Mostly 0 and 255, in rectangles, with a few other levels."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((150, 170, channels), np.uint8)
    for _ in range(6):
        (top, left), (height, width) = rng.integers(0, 120, 2), rng.integers(1, 90, 2)
        level = rng.choice([0, 255, 255, int(rng.integers(256))])
        pixels[top : top + height, left : left + width] = level
    return pixels[..., 0] if channels == 1 else pixels


@COMPILED
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("seed", range(8))
def test_flat_areas_are_as_by_the_fallback(channels: int, seed: int) -> None:
    pixels, rng = _cut_out(seed, channels), np.random.default_rng(seed)
    size = int(rng.integers(20, 300)), int(rng.integers(20, 300))
    window = slice(size[0] // 5, size[0]), slice(size[1] // 7, size[1] - size[1] // 9)
    fallback = resampling._resample(pixels, size, (0, 0, 170, 150), window)
    np.testing.assert_array_equal(resampling.resample(pixels, size, window=window), fallback)


@COMPILED
def test_all_quotients_are_as_by_pillow() -> None:
    rgba = np.zeros((256, 256, 4), np.uint8)
    rgba[..., 3], rgba[..., 0] = np.indices((256, 256))
    rgba[..., 1], rgba[..., 2] = 255 - rgba[..., 0], rgba[..., 0] // 2
    image = Image.frombuffer("RGBa", (256, 256), rgba.tobytes(), "raw", "RGBa", 0, 1)
    np.testing.assert_array_equal(
        resampling.straight(rgba), np.asarray(image.convert("RGBA"))[..., :3]
    )


@pytest.mark.parametrize("scale", [0.2, 0.5, 0.8, 1.0, 1.7])
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_the_bytes_are_those_of_pillow(channels: int, mode: str, scale: float) -> None:
    for seed in range(5):
        pixels = _pixels(seed, channels)
        height, width = (max(1, round(one * scale)) for one in pixels.shape[:2])
        image = _across_then_down(Image.fromarray(pixels), height, width)
        assert image.mode == mode
        np.testing.assert_array_equal(
            resampling.resample(pixels, (height, width)), np.asarray(image)
        )


@pytest.mark.parametrize(("size", "target"), [((97, 31), (40, 12)), ((60, 92), (42, 107))])
def test_the_order_of_pillow_13_differs_by_little(
    size: tuple[int, int], target: tuple[int, int]
) -> None:
    smooth = np.add.outer(np.arange(size[0]), np.arange(size[1])).astype(np.uint8)
    image = Image.fromarray(smooth).resize(target[::-1], Image.Resampling.LANCZOS)
    made = resampling.resample(smooth, target)
    assert np.abs(made.astype(int) - np.asarray(image)).max() <= 2


@pytest.mark.parametrize("scale", [0.3, 0.9, 1.4])
def test_straight_colours_are_resampled_as_by_pillow(scale: float) -> None:
    for seed in range(5):
        rgba = _pixels(seed, 4)
        height, width = (max(1, round(one * scale)) for one in rgba.shape[:2])
        image = _across_then_down(Image.fromarray(rgba).convert("RGBa"), height, width)
        image = image.convert("RGBA")
        made = resampling.resample_rgba(rgba, (height, width))
        np.testing.assert_array_equal(made, np.asarray(image))


@COMPILED
def test_premultiplied_and_straight_are_as_by_pillow() -> None:
    values = np.arange(256, dtype=np.uint8)
    rgba = np.stack(np.broadcast_arrays(*[values[:, None]] * 3, values[None]), axis=-1)
    premultiplied = np.asarray(Image.fromarray(rgba).convert("RGBa"))
    np.testing.assert_array_equal(resampling.premultiplied(rgba), premultiplied)
    # Also colours above their alpha, which Lanczos makes.
    image = Image.frombuffer("RGBa", (256, 256), rgba.tobytes(), "raw", "RGBa", 0, 1)
    np.testing.assert_array_equal(
        resampling.straight(rgba), np.asarray(image.convert("RGBA"))[..., :3]
    )


def test_a_channel_of_a_picture_is_resampled_where_it_lies() -> None:
    rgba = _pixels(3, 4)
    alone = np.ascontiguousarray(rgba[..., 3])
    np.testing.assert_array_equal(
        resampling.resample(rgba[..., 3], (20, 30)), resampling.resample(alone, (20, 30))
    )
    mirrored = rgba[:, ::-1, :3]
    np.testing.assert_array_equal(
        resampling.resample(mirrored, (20, 30)), resampling.resample(mirrored.copy(), (20, 30))
    )


@COMPILED
def test_what_does_not_fit_is_refused() -> None:
    assert native is not None
    pixels, target = np.zeros((9, 8, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    whole = (0.0, 0.0, 8.0, 9.0)
    for refused in (
        (pixels, target, 3, 4, whole, 0, 0),
        (pixels, target, 4, 4, whole, 1, 0),
        (pixels, target, 4, 4, whole, 0, -1),
        (pixels, target, 4, 4, (0.0, 0.0, 9.0, 9.0), 0, 0),
        (pixels, target, 4, 4, (4.0, 0.0, 4.0, 9.0), 0, 0),
        (pixels, target, 4, 4, (float("nan"), 0.0, 4.0, 9.0), 0, 0),
        (pixels, target, 1 << 20, 4, whole, 0, 0),
        (pixels[:0], target, 4, 4, whole, 0, 0),
        (pixels[..., :2], target, 4, 4, whole, 0, 0),
        (pixels[..., ::-1], target, 4, 4, whole, 0, 0),
        (pixels, target[..., 0], 4, 4, whole, 0, 0),
        (pixels.astype(np.uint16), target, 4, 4, whole, 0, 0),
    ):
        with pytest.raises(ValueError, match=r"fit|expected"):
            native.resample(*refused, False)
    target.setflags(write=False)
    with pytest.raises((ValueError, BufferError)):
        native.resample(pixels, target, 4, 4, whole, 0, 0, False)


@COMPILED
@pytest.mark.parametrize("width", [1, 2, 7, 64, 101, 300, 2100])
def test_a_column_alone_is_that_of_the_whole(width: int) -> None:
    # The right half has the weights of the left half, mirrored; a column alone has its own.
    pixels = np.random.default_rng(width).integers(0, 256, (8, 211), np.uint8)
    whole = resampling.resample(pixels, (8, width))
    for column in range(width // 2, width, 1 + width // 40):
        window = slice(0, 8), slice(column, column + 1)
        alone = resampling.resample(pixels, (8, width), window=window)
        np.testing.assert_array_equal(alone, whole[window])


@COMPILED
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_last_rows_are_resampled_within_their_memory(channels: int) -> None:
    # Vectors read beyond a row: into the next one, or else in a copy.
    shape = (5, 4) if channels == 1 else (5, 4, channels)
    pixels = np.random.default_rng(channels).integers(0, 256, shape, np.uint8)
    for upside in (pixels, pixels[::-1]):
        fallback = resampling._resample(upside, (3, 2), (0, 0, 4, 5), (slice(0, 3), slice(0, 2)))
        np.testing.assert_array_equal(resampling.resample(upside, (3, 2)), fallback)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("width", [1, 2, 15, 16, 17, 40, 61])
def test_a_mirrored_result(channels: int, width: int) -> None:
    pixels, size = _pixels(3, channels), (9, width)
    window = slice(1, 8), slice(0, width)
    made = resampling.resample(pixels, size, window=window)
    flipped = resampling.resample(pixels, size, window=window, flip=True)
    np.testing.assert_array_equal(flipped, made[:, ::-1])
    assert flipped.flags.c_contiguous
