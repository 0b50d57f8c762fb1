"""Near-duplicates: pictures that look alike, by a perceptual hash."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Foreground, UInt8
from depthmask.stages.source.base import Source

Looks: TypeAlias = NDArray[np.uint64]
"""[n, 2]: the hash of each picture and that of its mirror image."""
LOOKED_AT = (64, 64)
"""Size [h, w] at which a source is asked for the pictures."""
_SIDE, _WAVES = 32, 8
_BEHIND = 128
"""Grey level behind foregrounds."""


def background_looks(source: Source, keys: Iterable[str]) -> Looks:
    """The hashes of backgrounds."""
    return _looks(source.background(key, LOOKED_AT).image for key in keys)


def foreground_looks(source: Source, keys: Iterable[str]) -> Looks:
    """The hashes of foregrounds, over grey."""
    return _looks(_over_gray(source.foreground(key, LOOKED_AT)) for key in keys)


def perceptual_hash(image: UInt8) -> int:
    """64 bits that hardly change where a picture is scaled or encoded anew; uint8 [h, w, 3] -> int.

    Which of the 63 slowest waves of its brightness are above their median ("pHash", Zauner 2010,
    Implementation and Benchmarking of Perceptual Image Hash Functions). Of 100 photographs and 100
    cut-outs, copies of half the size or of JPEG quality 30 differ in 6 bits at most and different
    pictures in 12 or more; of pictures with a twentieth cut off on each side, half are within 10.
    Written here since the library `imagehash` needs SciPy and PyWavelets.
    """
    import cv2

    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    waves = cv2.dct(small.astype(np.float32))[:_WAVES, :_WAVES].ravel()[1:]
    bits = np.append(waves > np.median(waves), False)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def alike(looks: Looks, most_bits: int) -> list[tuple[int, int]]:
    """Pairs of pictures that differ in `most_bits` or less, mirrored or not."""
    pairs = []
    for one in range(len(looks) - 1):
        # Row by row: a table of 10,000 pictures squared would not fit the memory.
        differing = np.bitwise_count(looks[one + 1 :] ^ looks[one, 0])
        near = np.flatnonzero((differing <= most_bits).any(axis=1))
        pairs += [(one, one + 1 + int(other)) for other in near]
    return pairs


def groups(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """0..count-1 in groups that no pair reaches across, each sorted, by their first."""
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


def _looks(images: Iterable[UInt8]) -> Looks:
    hashes = [(perceptual_hash(image), perceptual_hash(image[:, ::-1].copy())) for image in images]
    return np.array(hashes, np.uint64).reshape(-1, 2)


def _over_gray(foreground: Foreground) -> UInt8:
    rgba = foreground.rgba.astype(np.uint16)
    alpha = rgba[..., 3:]
    return ((rgba[..., :3] * alpha + _BEHIND * (255 - alpha)) // 255).astype(np.uint8)
