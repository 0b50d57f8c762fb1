"""JPEGs are decoded into the array itself: the pixels, and the errors, are those of Pillow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from depthmask.errors import UsageError
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from tests.support.paths import SHARED

SEED_ASSETS = SHARED / "seed-assets" / "bg"
CANVAS = (20, 28)
SIZES = ((1, 1), (3, 200), (37, 53), (130, 175), (340, 470))
"""The last one is decoded at a quarter of its size."""


def jpeg(size: tuple[int, int] = (130, 175), mode: str = "RGB", **save: Any) -> bytes:
    """Noise over waves, so that all coefficients are used."""
    rng = np.random.default_rng(size[0])
    y, x = np.mgrid[0 : size[0], 0 : size[1]] / 20
    waves = 128 + 90 * np.stack([np.sin(x + y), np.cos(x - y), np.sin(x * y)], axis=-1)
    pixels = (waves + rng.integers(-12, 13, (*size, 3))).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, save.pop("format", "JPEG"), **save)
    return file.getvalue()


def outcome(data: bytes) -> tuple[Any, ...]:
    """The pixels, before and after resizing, and what else a picture tells; or the error."""
    try:
        picture = images.load_for(Path("bg/a.jpg"), data, CANVAS)
        resized = colours.resize_picture(picture, CANVAS).tobytes()
    except UsageError as error:
        return (str(error),)
    pixels = picture.rgb
    where = picture.width, picture.height, picture.shrink, picture.left, picture.top
    return pixels.shape, pixels.tobytes(), resized, where


def outcome_of_pillow(data: bytes) -> tuple[Any, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "_decoded_jpeg", lambda *_: None)
        return outcome(data)


def is_decoded_apart(data: bytes) -> bool:
    return images.load_for(Path("a.jpg"), data, CANVAS).decoded is not None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_all_kinds_of_files_have_the_pixels_of_pillow(
    size: tuple[int, int], subsampling: int, progressive: bool
) -> None:
    for quality in (20, 75, 92):
        data = jpeg(size, quality=quality, subsampling=subsampling, progressive=progressive)
        assert is_decoded_apart(data)
        assert outcome(data) == outcome_of_pillow(data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", SIZES)
def test_all_orientations_are_upright(size: tuple[int, int], orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    data = jpeg(size, exif=exif)
    assert is_decoded_apart(data)
    assert outcome(data) == outcome_of_pillow(data)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("size", SIZES)
def test_other_modes_are_left_to_pillow(size: tuple[int, int], mode: str) -> None:
    data = jpeg(size, mode)
    assert not is_decoded_apart(data)
    assert outcome(data) == outcome_of_pillow(data)


def test_a_file_with_more_pictures_is_its_first() -> None:
    more = [Image.new("RGB", (90, 70), "red")]
    data = jpeg((340, 470), format="MPO", save_all=True, append_images=more)
    assert is_decoded_apart(data)
    assert outcome(data) == outcome_of_pillow(data)


@pytest.mark.skipif(not SEED_ASSETS.is_dir(), reason=f"no {SEED_ASSETS}")
def test_photographs_have_the_pixels_of_pillow() -> None:
    paths = [path for path in sorted(SEED_ASSETS.iterdir()) if path.suffix == ".jpg"]
    assert paths
    for path in paths:
        assert outcome(path.read_bytes()) == outcome_of_pillow(path.read_bytes())


@pytest.mark.parametrize("progressive", [False, True])
def test_damaged_files_are_judged_by_pillow(
    progressive: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same pixels or the same error, and no warning of libjpeg on the terminal."""
    whole, rng = jpeg((340, 470), progressive=progressive), np.random.default_rng(0)
    damaged = [whole + bytes(100), whole + b"\xff\xd8\xff", whole[:-2]]
    for _ in range(40):
        at, byte = int(rng.integers(2, len(whole))), int(rng.integers(256))
        damaged.append(whole[:at])
        damaged.append(whole[:at] + b"\xff\xd9")
        damaged.append(whole[:at] + bytes([byte]) + whole[at + 1 :])
    for data in damaged:
        assert outcome(data) == outcome_of_pillow(data)
    assert capfd.readouterr() == ("", "")


def test_memory_is_taken_by_the_size_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = jpeg()
    expected = outcome(data)

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("decoded by another size")

    monkeypatch.setattr(simplejpeg, "decode_jpeg_header", lambda _: (60_000, 60_000, "YCbCr", ""))
    monkeypatch.setattr(simplejpeg, "decode_jpeg", refuse)
    assert outcome(data) == expected
