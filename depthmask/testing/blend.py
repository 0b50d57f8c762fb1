"""The requirements on a blend."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from depthmask.data import UInt8
from depthmask.stages.blend.base import Blend, Patch
from depthmask.testing.base import StageSuite
from depthmask.testing.job import SAMPLES, small_job

_BOXES = ((0, 0, 1, 1), (0, 0, 24, 32), (3, 5, 10, 12), (20, 1, 4, 30), (23, 31, 1, 1))
"""top, left, height, width on a canvas of 24x32."""


class BlendSuite(StageSuite):
    """A blend changes the canvas in place, only within the box of the patch, and reproducibly."""

    stage_class: ClassVar[type[Blend]]

    def test_changes_nothing_outside_the_patch(self, stage: Any) -> None:
        """Neither pixels outside of the box nor the shape of the canvas change."""
        for variant in _variants(stage):
            for top, left, height, width in _BOXES:
                canvas, before = _picture(24, 32), _picture(24, 32)
                done = variant.blend(canvas, _patch(height, width, 255), top, left)
                assert type(done) is bool
                assert canvas.shape == (24, 32, 3)
                canvas[top : top + height, left : left + width] = 0
                before[top : top + height, left : left + width] = 0
                assert np.array_equal(canvas, before)

    def test_what_is_transparent_does_not_show(self, stage: Any) -> None:
        """An alpha of 0 does not change the canvas."""
        for variant in _variants(stage):
            canvas = _picture(24, 32)
            variant.blend(canvas, _patch(10, 12, 0), 3, 5)
            assert np.array_equal(canvas, _picture(24, 32))

    def test_what_is_opaque_shows(self, stage: Any) -> None:
        """An alpha of 255 changes the canvas."""
        for variant in _variants(stage):
            canvas = _picture(24, 32)
            variant.blend(canvas, _patch(10, 12, 255), 3, 5)
            assert not np.array_equal(canvas, _picture(24, 32))

    def test_gives_the_same_every_time(self, stage: Any) -> None:
        """The result is reproducible, and the shared patch is not changed."""
        for variant in _variants(stage):
            one, other, patch = _picture(24, 32), _picture(24, 32), _patch(10, 12, 180)
            variant.blend(one, patch, 3, 5)
            variant.blend(other, patch, 3, 5)
            assert np.array_equal(one, other)
            assert np.array_equal(patch.rgb, _patch(10, 12, 180).rgb)
            assert np.array_equal(patch.alpha, _patch(10, 12, 180).alpha)

    def test_colours_of_foregrounds_are_reproducible(self, stage: Any) -> None:
        """`mended` gives colours of the same size each time, and leaves its argument as it was."""
        for variant in _variants(stage):
            patch = _patch(10, 12, 180)
            rgba = np.dstack([patch.rgb, patch.alpha])
            colours = variant.mended(rgba.copy())
            assert colours.dtype == np.uint8
            assert colours.shape == (10, 12, 3)
            unchanged = rgba.copy()
            assert np.array_equal(variant.mended(unchanged), colours)
            assert np.array_equal(unchanged, rgba)

    def test_makes_samples(self, stage: Any, tmp_path: Path) -> None:
        """The framework makes samples with it."""
        job = small_job(tmp_path / "out", blend=stage)
        assert all(job.sample(index).mask.any() for index in range(SAMPLES))


def _variants(stage: Blend) -> list[Blend]:
    assert stage.variants >= 1
    return [stage.variant(number) for number in range(stage.variants)]


def _picture(height: int, width: int) -> UInt8:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([y * 5 + 40, x * 4 + 60, x + y + 90], axis=-1).astype(np.uint8)


def _patch(height: int, width: int, alpha: int) -> Patch:
    """A bright ellipse with a soft edge, with this alpha at its centre."""
    y, x = (
        np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j] if height > 1 else np.zeros((2, 1, 1))
    )
    soft = np.clip((1.2 - np.hypot(y, x)) * 4, 0, 1) * alpha
    rgb = np.full((height, width, 3), 230, np.uint8) - _picture(height, width) // 8
    patch = Patch(rgb, soft.astype(np.uint8))
    for array in (patch.rgb, patch.alpha):
        array.setflags(write=False)
    return patch
