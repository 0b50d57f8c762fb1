"""Cut-outs with known alpha over photographs: how far a soft rim is from it.

`python tests/known_alpha.py` prints the figures of the README.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
from PIL import Image

from depthmask_coco._rim import soft_cut_out

Array: TypeAlias = np.ndarray[Any, Any]
SEED_ASSETS = Path(__file__).resolve().parents[4] / "shared" / "seed-assets"
SIDE = 160


class Case(NamedTuple):
    """A cut-out [160, 160, 4] and two photographs [160, 160, 3]: the old and a new background."""

    cut_out: Array
    photograph: Array
    other: Array


class Error(NamedTuple):
    """Means over the pixels of the rim, whose true alpha is neither 0 nor 255.

    alpha: of the difference to the true alpha, 0..1; hard: of that of the hard mask. everywhere:
    sum of the differences of all pixels, relative to that of the hard mask. colour, hard_colour:
    of the difference of RGB, 0..255, once it is pasted on the other photograph.
    """

    alpha: float
    hard: float
    everywhere: float
    colour: float
    hard_colour: float


def seeds(count: int = 40) -> Iterator[Case]:
    """Cut-outs of the reference assets."""
    photographs, files = _photographs(), sorted((SEED_ASSETS / "fg").iterdir())
    for number in range(count):
        rgba = np.asarray(Image.open(files[number * 5 % len(files)]).convert("RGBA"))
        whole = np.zeros((SIDE, SIDE, 4), np.uint8)
        top, left = (SIDE - rgba.shape[0]) // 2, (SIDE - rgba.shape[1]) // 2
        whole[top : top + rgba.shape[0], left : left + rgba.shape[1]] = rgba
        yield Case(whole, photographs[number * 7 % 60], photographs[(number * 7 + 9) % 60])


def hair(count: int = 40) -> Iterator[Case]:
    """Made hair: a disk with 250 strands of less than a pixel to 1.4 pixels."""
    photographs = _photographs()
    for number in range(count):
        yield Case(_hair(number), photographs[(number * 11 + 3) % 60], photographs[number % 60])


def error(case: Case, quality: int | None = None, rim: int = 2) -> Error:
    """The error of one case. quality: of the JPEG that the photograph is kept in, or None."""
    alpha = case.cut_out[..., 3] / 255
    picture = _pasted(case.cut_out[..., :3], alpha, case.photograph)
    hard = (alpha >= 0.5).astype(np.uint8)
    rgba = soft_cut_out(picture if quality is None else _jpeg(picture, quality), hard, rim)
    is_rim = (alpha > 0) & (alpha < 1)
    differences = [np.abs(one - alpha) for one in (rgba[..., 3] / 255, hard)]
    truth = _pasted(case.cut_out[..., :3], alpha, case.other)
    colours = [
        np.abs(_pasted(rgb, a, case.other).astype(float) - truth)[is_rim].mean()
        for rgb, a in ((rgba[..., :3], rgba[..., 3] / 255), (picture, hard))
    ]
    means = [float(one[is_rim].mean()) for one in differences]
    everywhere = float(differences[0].sum() / differences[1].sum())
    return Error(means[0], means[1], everywhere, float(colours[0]), float(colours[1]))


def mean_error(cases: Iterator[Case], **options: Any) -> Error:
    errors = np.array([error(case, **options) for case in cases])
    return Error(*map(float, errors.mean(axis=0)))


def _photographs() -> list[Array]:
    return [
        np.asarray(Image.open(one).convert("RGB")) for one in sorted((SEED_ASSETS / "bg").iterdir())
    ]


def _hair(seed: int, scale: int = 8) -> Array:
    rng = np.random.default_rng(seed)
    side, middle = SIDE * scale, SIDE * scale // 2
    mask, radius = np.zeros((side, side), np.uint8), side // 5
    cv2.circle(mask, (middle, middle), radius, 255, -1)
    for _ in range(250):
        turn, length = rng.uniform(0, 2 * np.pi), rng.uniform(4, 18) * scale
        x, y = middle + radius * 0.9 * np.cos(turn), middle + radius * 0.9 * np.sin(turn)
        points, turn = [], turn + rng.normal(0, 0.4)
        for _ in range(12):
            points.append((x, y))
            x, y = x + length / 12 * np.cos(turn), y + length / 12 * np.sin(turn)
            turn += rng.normal(0, 0.15)
        corners = np.round(np.array(points)).astype(np.int32)
        cv2.polylines(mask, [corners], False, 255, max(1, int(rng.uniform(0.4, 1.4) * scale)))
    alpha = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    rgb = rng.uniform(20, 120, 3) + rng.normal(0, 12, (SIDE, SIDE, 1))
    return np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), alpha])


def _pasted(rgb: Array, alpha: Array, photograph: Array) -> Array:
    share = alpha[..., None]
    return np.rint(rgb * share + photograph * (1 - share)).astype(np.uint8)


def _jpeg(picture: Array, quality: int) -> Array:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


if __name__ == "__main__":
    kinds: dict[str, Callable[[], Iterator[Case]]] = {"seed cut-outs": seeds, "made hair": hair}
    for name, cases in kinds.items():
        for quality in (None, 95, 85):
            one = mean_error(cases(), quality=quality)
            sys.stdout.write(
                f"{name}, JPEG {quality}: alpha {one.alpha:.3f} of {one.hard:.3f} "
                f"({one.alpha / one.hard:.2f}), everywhere {one.everywhere:.2f}, "
                f"colours {one.colour:.1f} of {one.hard_colour:.1f}\n"
            )
