"""A blend with a table that is large and quickly made: workers make it themselves."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np

from depthmask import Blend, Patch, UInt8, setting, stage


@stage("palette")
class Palette(Blend):
    """Cut-outs in few colours."""

    levels: int = setting(4, ge=2, le=256, help="levels of each colour")

    @cached_property
    def _table(self) -> UInt8:
        """uint8 [256]: the level of each value."""
        steps = np.rint(np.arange(256) * (self.levels - 1) / 255)
        return np.rint(steps * 255 / (self.levels - 1)).astype(np.uint8)

    def __getstate__(self) -> dict[str, Any]:
        """The settings alone are pickled."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Replace the pixels that are at least half covered."""
        height, width = patch.alpha.shape
        window = canvas[top : top + height, left : left + width]
        np.copyto(window, self._table[patch.rgb], where=patch.alpha[..., None] >= 128)
        return True
