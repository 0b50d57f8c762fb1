"""Near-duplicates."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from depthmask.compose.near_duplicates import alike, groups, perceptual_hash
from depthmask.data import UInt8
from tests.support.paths import SHARED

SHARED = SHARED / "seed-assets" / "bg"


def picture(seed: int, size: tuple[int, int] = (120, 160)) -> UInt8:
    """Soft patches of colour, as a photograph has."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def encoded_anew(image: UInt8, quality: int = 30) -> UInt8:
    data = BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def bits(one: UInt8, other: UInt8) -> int:
    return (perceptual_hash(one) ^ perceptual_hash(other)).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_near_and_other_pictures_far(seed: int) -> None:
    image = picture(seed)
    assert bits(image, encoded_anew(image)) <= 6
    assert bits(image, image[::2, ::2]) <= 6
    assert bits(image, np.clip(image.astype(int) + 10, 0, 255).astype(np.uint8)) <= 10
    assert bits(image, picture(seed + 100)) > 10


def test_a_hash_has_64_bits() -> None:
    assert all(0 <= perceptual_hash(picture(seed)) < 2**64 for seed in range(20))
    assert perceptual_hash(np.zeros((9, 9, 3), np.uint8)) == 0


def test_mirrored_pictures_are_alike() -> None:
    looks = np.array([[0b1111, 0b1], [0b111, 0xFFFF], [0b1111 << 40, 0b1110]], np.uint64)
    # 0 and 1 differ in one bit; 0 and the mirror image of 2 in one; 1 and 2 in many.
    assert alike(looks, 1) == [(0, 1), (0, 2)]
    assert alike(looks, 0) == []


def test_what_is_alike_by_way_of_another_is_one_group() -> None:
    assert groups(6, [(0, 3), (3, 5), (1, 2)]) == [[0, 3, 5], [1, 2], [4]]
    assert groups(3, []) == [[0], [1], [2]]
    assert groups(0, []) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="no reference photographs")
def test_copies_of_photographs_are_found_and_others_are_not() -> None:
    images = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(SHARED.iterdir())[:30]]
    hashes = [perceptual_hash(image) for image in images]
    for number, image in enumerate(images):
        copy = perceptual_hash(encoded_anew(image[::2, ::2]))
        near = [one for one, other in enumerate(hashes) if (copy ^ other).bit_count() <= 10]
        assert number in near
        # One photograph of the hundred is there twice; that is no error of the hash.
        assert len(near) <= 2
