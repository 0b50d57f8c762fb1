"""The same bytes with and without compiled code, and by the instructions of other processors."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from depthmask.compose.light import cast_shadow, match_colours
from depthmask.data import Background, Camera, Layer, Plane
from depthmask.kernels.blending import blend_alpha
from depthmask.kernels.compiled import SWITCH
from depthmask.kernels.covering import least_depth, least_depths
from depthmask.kernels.mending import mended
from depthmask.kernels.resampling import resample, resample_rgba
from depthmask.kernels.runs import mask_runs
from depthmask.kernels.sums import byte_sum, byte_sums, byte_sums_beside, depth_sums, sums_above
from depthmask.stages.blend.base import Patch
from tests.support.paths import ROOT

OTHERS = (
    {SWITCH: "python"},
    {"OPENBLAS_CORETYPE": "Sandybridge"},
    {"OPENCV_CPU_DISABLE": "AVX2,AVX512-SKX,FMA3"},
    {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX"},
    {
        SWITCH: "python",
        "OPENCV_CPU_DISABLE": "AVX2,AVX512-SKX,FMA3",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX",
    },
)


def digest() -> str:
    """A hash of what the kernels make of a small scene."""
    rng = np.random.default_rng(0)
    made = hashlib.sha256()
    cut_out = rng.integers(0, 256, (90, 70, 4), np.uint8)
    cut_out[..., 3] = np.where(cut_out[..., 3] > 128, 255, cut_out[..., 3])
    rows = (np.arange(120) + 0.5 - 30) / 100
    depth_m = np.repeat(np.where(rows > 0.05, 1.5 / np.maximum(rows, 0.05), 30)[:, None], 160, 1)
    background = Background(
        "floor",
        resample(rng.integers(0, 256, (200, 300, 3), np.uint8), (120, 160), (3.5, 2.0, 290.0, 199)),
        depth_m.astype(np.float32),
        Camera(100.0, 80.0, 30.0, 1.5, 0.0),
        Plane((0.0, 1.0, 0.0), 1.5),
    )
    canvas = background.image.copy()
    for width, left, amount in ((20, 30, 0.3), (41, 70, 1.0), (70, 60, 0.7)):
        height = round(width * 9 / 7)
        scaled = resample_rgba(cut_out, (height, width))
        patch = Patch(scaled[..., :3].copy(), scaled[..., 3].copy())
        layer = Layer("fg", "", 110 - height, left, height, width, False, depth_m=1.9)
        patch = match_colours(canvas, patch, layer.top, left, amount)
        made.update(str(cast_shadow(canvas, background, layer, amount)).encode())
        window = canvas[layer.top : 110, left : left + width]
        blend_alpha(window, patch.rgb, patch.alpha)
        made.update(canvas.tobytes())
    return made.hexdigest()


def digest_of_sums() -> str:
    """A hash of sums, of least depths, and of mended rims."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (75, 91, 3), np.uint8)
    alpha = np.where(pixels[..., 0] > 90, pixels[..., 0], 0).astype(np.uint8)
    depth_m = rng.uniform(0, 40, (75, 91)).astype(np.float32)
    depth_m[depth_m < 3] = 0
    depth_m[:40, :40] = 0
    taps = np.asarray([1, 40, 900, 3000, 900, 40, 1], np.float64)
    rgba = np.dstack([pixels, alpha])
    results = [
        byte_sum(alpha),
        byte_sums(pixels),
        sums_above(pixels).tolist(),
        byte_sums_beside(pixels, sums_above(pixels[::-1].copy()), (13, 60)),
        depth_sums(depth_m),
        least_depth(depth_m, alpha, 200),
        least_depths(depth_m[:, 3:]).tolist(),
        mended(rgba, 250, taps, 1e5).tolist(),
        mask_runs(alpha > 128, 2, 5, (90, 100)),
    ]
    return hashlib.sha256(repr(results).encode()).hexdigest()


@pytest.mark.parametrize("variables", OTHERS, ids=lambda one: "-".join(one))
def test_the_bytes_are_the_same(variables: dict[str, str]) -> None:
    script = (
        "from tests.kernels.test_processors import digest, digest_of_sums; "
        "print(digest(), digest_of_sums())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split()[-2:] == [digest(), digest_of_sums()]


def test_the_bytes_are_those_of_the_first_version() -> None:
    assert digest() == "543e06fbd20d744b72f98448edd7c7d806183309dc574089fcf3dd0daf978d21"
    assert digest_of_sums() == "a5ccfe5eba59be9c9bb4ef504b4908ebbe578117e24ff1b26b5a07ac72b31d1e"
