"""Makes a collection such as people have: many photographs of real sizes and large cut-outs.

The photographs are enlarged backgrounds with noise and another exposure, so that no two files are
alike; the same arguments give the same pictures. 1,540 photographs and 600 cut-outs take a minute
and 410 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS, LARGE, CUT_OUTS = 1500, 40, 600
PHOTO, LARGE_PHOTO = (640, 480), (4000, 3000)
"""Widths and heights of photographs, in pixels: 0.3 and 12 megapixels."""


def make_collection(assets: Path, into: Path) -> Path:
    """Make `bg/` and `fg/` in a new folder from those of `assets`; returns the folder."""
    rng = np.random.default_rng(0)
    for name in ("bg", "fg"):
        (into / name).mkdir(parents=True)
    backgrounds, foregrounds = (sorted((assets / name).iterdir()) for name in ("bg", "fg"))
    for prefix, count, size in (("photo", PHOTOS, PHOTO), ("large", LARGE, LARGE_PHOTO)):
        for number in range(count):
            picture = _photograph(backgrounds, number, size, rng)
            picture.save(into / "bg" / f"{prefix}{number:05d}.jpg", quality=92)
    for number in range(CUT_OUTS):
        cut_out = _cut_out(foregrounds[number % len(foregrounds)], rng)
        cut_out.save(into / "fg" / f"thing{number:04d}.png", compress_level=1)
    return into


def _photograph(
    backgrounds: Sequence[Path], number: int, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    with Image.open(backgrounds[number % len(backgrounds)]) as opened:
        picture = opened.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    noise = rng.integers(-12, 13, (size[1], size[0], 1)) + rng.integers(-20, 21)
    noisy = np.asarray(picture).astype(np.int16) + noise
    picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    return picture if number % 2 else picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _cut_out(path: Path, rng: np.random.Generator) -> Image.Image:
    """A cut-out, 2 to 5 times as large and turned a little."""
    with Image.open(path) as opened:
        cut_out = opened.convert("RGBA")
    scale = rng.uniform(2, 5)
    size = (int(cut_out.width * scale), int(cut_out.height * scale))
    return cut_out.resize(size, Image.Resampling.BICUBIC).rotate(rng.uniform(-3, 3), expand=True)
