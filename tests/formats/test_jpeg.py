"""Our JPEG against Pillow's, which is libjpeg-turbo with the accurate transform, too."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.formats.jpeg import SUBSAMPLINGS, encode_jpeg, encode_jpegs

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "seed-assets" / "bg"


def pictures() -> list[np.ndarray]:
    """Something smooth with noise and edges; photographs where there are any."""
    y, x = np.mgrid[0:160, 0:160]
    planes = [128 + 90 * np.sin(x / 17 + i) * np.cos(y / 23) + 60 * (x + y > 150) for i in range(3)]
    noise = np.random.default_rng(0).normal(0, 6, (160, 160, 3))
    made = (np.stack(planes, axis=-1) + noise).clip(0, 255).astype(np.uint8)
    photos = sorted(PHOTOS.glob("*"))[:20]
    return [
        made,
        *(np.asarray(Image.open(one).convert("RGB").resize((160, 160))) for one in photos),
    ]


def by_pillow(image: np.ndarray, quality: int, subsampling: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(
        file, "JPEG", quality=quality, subsampling=["444", "422", "420"].index(subsampling)
    )
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data), formats=["JPEG"]))


def psnr(data: bytes, image: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((decoded(data) - image.astype(float)) ** 2)))


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("quality", [10, 50, 85, 95, 100])
def test_as_good_and_as_small_as_pillows(quality: int, subsampling: str) -> None:
    for image in pictures():
        ours = encode_jpeg(image, quality, subsampling)
        theirs = by_pillow(image, quality, subsampling)
        assert abs(len(ours) / len(theirs) - 1) < 0.01
        assert abs(psnr(ours, image) - psnr(theirs, image)) < 0.02


def test_colours_are_in_order() -> None:
    image = np.full((16, 16, 3), (200, 100, 20), np.uint8)
    assert np.abs(decoded(encode_jpeg(image, 95)) - image.astype(int)).max() <= 2


def test_grey() -> None:
    image = pictures()[0][..., 0]
    found = decoded(encode_jpeg(image, 95))
    assert found.shape == (160, 160)
    assert np.abs(found - image.astype(int)).mean() < 1.5


def test_views_are_as_good_as_copies() -> None:
    image = pictures()[0]
    view = image[::-1, 3:90]
    assert encode_jpeg(view, 95) == encode_jpeg(view.copy(), 95)


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("size", [(160, 160), (16, 16), (48, 33), (40, 24), (17, 30), (1, 1)])
@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_together_as_alone(subsampling: str, size: tuple[int, int], count: int) -> None:
    """More than eight restart markers, sides that units do not divide, and colours that differ."""
    big = np.tile(pictures()[0], (2, 2, 1))
    images = [np.roll(big, 37 * one, axis=1)[: size[0], : size[1]] for one in range(count)]
    images[-1] = 255 - images[-1]
    for quality in (3, 50, 100):
        alone = [encode_jpeg(image, quality, subsampling) for image in images]
        assert encode_jpegs(images, quality, subsampling) == alone


def test_as_many_as_a_picture_has_lines_for_and_more() -> None:
    images = [np.full((6560, 8, 3), level, np.uint8) for level in range(0, 220, 20)]
    assert encode_jpegs(images, 50) == [encode_jpeg(image, 50) for image in images]
