"""Finds near-duplicates, pictures that look alike, by a perceptual hash."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.compose.results import background_of, foreground_of
from depthmask.data import Foreground, UInt8
from depthmask.stages.source.base import Source

Hashes: TypeAlias = NDArray[np.uint64]
"""[n, 2]: the hash of each picture and that of its mirror image."""
HASHED_SIZE = (64, 64)
"""The size [h, w] at which pictures are requested from a source."""
_SIDE, _COEFFICIENTS = 32, 8
"""Side in pixels of the picture that is transformed; DCT coefficients along each side in use."""
_GREY = 128
"""The grey level on which foregrounds are hashed."""


def background_hashes(source: Source, keys: Iterable[str]) -> Hashes:
    """The hashes of backgrounds."""
    return _hashes(background_of(source, key, HASHED_SIZE).image for key in keys)


def foreground_hashes(source: Source, keys: Iterable[str]) -> Hashes:
    """The hashes of foregrounds, over grey."""
    return _hashes(_over_grey(foreground_of(source, key, HASHED_SIZE)) for key in keys)


def perceptual_hash(image: UInt8) -> int:
    """A hash of 64 bits that hardly changes if a picture is scaled or encoded again.

    image: uint8 [h, w, 3].

    Each bit says whether one of the 63 lowest DCT coefficients of the brightness is above their
    median ("pHash", Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash
    Functions). Of 100 photographs and 100
    cut-outs, copies of half the size or of JPEG quality 30 differ in 6 bits at most and different
    pictures in 12 or more; of pictures with a twentieth cut off on each side, half are within 10.
    Written here since the library `imagehash` needs SciPy and PyWavelets.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    coefficients = cv2.dct(small.astype(np.float32))[:_COEFFICIENTS, :_COEFFICIENTS].ravel()[1:]
    bits = np.append(coefficients > np.median(coefficients), False)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def alike(hashes: Hashes, most_bits: int) -> list[tuple[int, int]]:
    """The pairs of pictures whose hashes differ in at most `most_bits`, mirrored or not."""
    pairs = []
    for one in range(len(hashes) - 1):
        # One row at a time, since a table of all pairs of 10,000 pictures would not fit the memory.
        differing = np.bitwise_count(hashes[one + 1 :] ^ hashes[one, 0])
        near = np.flatnonzero((differing <= most_bits).any(axis=1))
        pairs += [(one, one + 1 + int(other)) for other in near]
    return pairs


def groups(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The numbers 0..count-1 in groups: both numbers of a pair are in the same group.

    Groups are sorted, and in the order of their first numbers.
    """
    first = list(range(count))

    def root(one: int) -> int:
        while first[one] != one:
            one = first[one] = first[first[one]]
        return one

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    members: dict[int, list[int]] = {}
    for one in range(count):
        members.setdefault(root(one), []).append(one)
    return list(members.values())


def _hashes(images: Iterable[UInt8]) -> Hashes:
    hashes = [(perceptual_hash(image), perceptual_hash(image[:, ::-1].copy())) for image in images]
    return np.array(hashes, np.uint64).reshape(-1, 2)


def _over_grey(foreground: Foreground) -> UInt8:
    rgba = foreground.rgba.astype(np.uint16)
    alpha = rgba[..., 3:]
    return ((rgba[..., :3] * alpha + _GREY * (255 - alpha)) // 255).astype(np.uint8)
