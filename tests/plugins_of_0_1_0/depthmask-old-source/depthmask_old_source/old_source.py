"""Stripes and disks: what a source looks like."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from depthmask import Background, Checked, Foreground, Size, Source, setting, stage


@stage("old_source")
class OldSourceSource(Source):
    """Striped backgrounds and disks of one colour."""

    stripes: int = setting(10, ge=1, le=10_000, help="how many backgrounds")
    disks: int = setting(10, ge=1, le=10_000, help="how many foregrounds")

    def backgrounds(self) -> Sequence[str]:
        """Keys, sorted."""
        return [f"stripes{number:04d}" for number in range(self.stripes)]

    def foregrounds(self) -> Sequence[str]:
        """Keys, sorted."""
        return [f"disk{number:04d}" for number in range(self.disks)]

    def background(self, key: str, size: Size) -> Background:
        """uint8 [h, w, 3] of the canvas size: the same key gives the same pixels."""
        random = np.random.default_rng([0, _number(key)])
        across, down = random.uniform(-0.3, 0.3, 2)
        y, x = np.mgrid[: size[0], : size[1]]
        wave = np.sin(y * down + x * across)[..., None]
        image = 128 + wave * random.uniform(20, 100, 3)
        return Background(key, image.astype(np.uint8))

    def foreground(self, key: str, size: Size) -> Foreground:
        """uint8 [h, w, 4], straight alpha, trimmed: it reaches all four edges."""
        random = np.random.default_rng([1, _number(key)])
        across = max(3, int(min(size) * random.uniform(0.2, 0.6)))
        y, x = np.mgrid[-1 : 1 : across * 1j, -1 : 1 : across * 1j]
        rgba = np.empty((across, across, 4), np.uint8)
        rgba[..., :3] = random.integers(0, 256, 3)
        rgba[..., 3] = np.clip((1.05 - np.hypot(y, x)) * across / 2, 0, 1) * 255
        return Foreground(key, "disk", rgba)

    def check(self, size: Size) -> Checked:
        """A hash of all that decides the pixels: of files, names and contents."""
        return Checked(hashlib.sha256(f"1 {self.stripes} {self.disks}".encode()).hexdigest())


def _number(key: str) -> int:
    return int(key[-4:])
