"""Large JPEGs are decoded at a part of their size: the pixels, the places, and faulty files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.errors import UsageError
from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source.assets import Assets
from tests.support.paths import SHARED

CANVAS = (48, 64)
SEED_ASSETS = SHARED / "seed-assets" / "bg"


def jpeg(pixels: np.ndarray | Image.Image, **save: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, "JPEG", **{"quality": 92, **save})
    return file.getvalue()


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels)[: 2 + (channels > 1)]
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """A picture of which every part differs from every other one."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(9 * x + 5 * y), np.cos(7 * y - 4 * x), np.sin(11 * x * y)]
    return (128 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def psnr_db(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def difference_db(data: bytes, canvas: tuple[int, int]) -> tuple[float, int]:
    """How far a picture is from Lanczos of the whole file, and how much smaller it was decoded."""
    whole = colours.resize_picture(images.load(Path("a.jpg"), data), canvas)
    picture = images.load_for(Path("a.jpg"), data, canvas)
    return psnr_db(colours.resize_picture(picture, canvas), whole), picture.shrink


@pytest.mark.parametrize("shrink", [2, 4, 8])
@pytest.mark.parametrize("save", [{}, {"subsampling": 0}, {"progressive": True}], ids=str)
def test_white_noise_is_the_worst_case(shrink: int, save: dict[str, Any]) -> None:
    data = jpeg(noise(3 * 48 * shrink, 3 * 64 * shrink), **save)
    db, decoded_at = difference_db(data, CANVAS)
    assert decoded_at == shrink
    assert db >= 40


@pytest.mark.skipif(not SEED_ASSETS.is_dir(), reason=f"no {SEED_ASSETS}")
@pytest.mark.parametrize("canvas", [(160, 160), (90, 160)])
def test_photographs_differ_less(canvas: tuple[int, int]) -> None:
    for path in sorted(SEED_ASSETS.iterdir())[:3]:
        with Image.open(path) as image:
            large = image.convert("RGB").resize((1601, 1203), Image.Resampling.BICUBIC)
        assert difference_db(jpeg(large), canvas)[0] >= 50


@pytest.mark.parametrize("size", [(301, 403), (403, 301), (640, 480), (1207, 613)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_place_is_right_for_any_size_and_orientation(
    size: tuple[int, int], orientation: int
) -> None:
    """Also where the last block of the file reaches beyond it: half a pixel would be 40 dB."""
    exif = Image.Exif()
    exif[274] = orientation
    db, shrink = difference_db(jpeg(smooth(*size), exif=exif), (24, 40))
    assert shrink > 1
    assert db >= 52


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_modes(mode: str) -> None:
    data = jpeg(Image.fromarray(smooth(480, 640)).convert(mode))
    db, shrink = difference_db(data, CANVAS)
    assert shrink == 2
    assert db >= 50


@pytest.mark.parametrize("size", [(287, 400), (48, 64), (10, 10)])
def test_smaller_ones_are_decoded_whole(size: tuple[int, int]) -> None:
    db, shrink = difference_db(jpeg(noise(*size)), CANVAS)
    assert shrink == 1
    assert db > 90


def test_png_and_webp_are_decoded_whole() -> None:
    for name in ("PNG", "WEBP"):
        file = io.BytesIO()
        Image.fromarray(smooth(480, 640)).save(file, name)
        assert images.load_for(Path("a"), file.getvalue(), CANVAS).shrink == 1


@pytest.mark.parametrize("part", [0.1, 0.5, 0.98])
@pytest.mark.parametrize("save", [{}, {"progressive": True}], ids=str)
def test_a_truncated_file_is_still_refused(
    assets_root: Path, save: dict[str, Any], part: float
) -> None:
    data = jpeg(noise(600, 800), **save)
    (assets_root / "bg" / "cut.jpg").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(UsageError, match=r"bg/cut\.jpg: .*replace or remove it"):
        Assets(root=str(assets_root)).check(CANVAS)


def test_what_is_given_in_pixels_of_the_file_stays_so(assets_root: Path) -> None:
    """The focal length, keypoints, and the aspect of a depth map."""
    (assets_root / "bg" / "large.jpg").write_bytes(jpeg(smooth(600, 800)))
    (assets_root / "bg_depth").mkdir()
    Image.fromarray(np.full((600, 800), 2500, np.uint16)).save(assets_root / "bg_depth/large.png")
    (assets_root / "assets.csv").write_text(
        'key,f_px,meta\nlarge,700,"{""keypoints"": [[400, 300]]}"\n'
    )
    background = Assets(root=str(assets_root)).background("large", CANVAS)
    assert background.camera is not None
    assert background.camera.f_px == pytest.approx(700 * 64 / 800)
    assert background.meta == {"keypoints": [[32.0, 24.0]]}
    assert background.depth_m is not None
    assert background.depth_m.shape == CANVAS
