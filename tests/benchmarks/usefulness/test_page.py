"""The page."""

from __future__ import annotations

import numpy as np

from benchmarks.usefulness import (
    page,
)


def test_unknown_depth_has_its_own_colour() -> None:
    depth = np.tile(np.linspace(1, 4, 160, dtype=np.float32), (160, 1))
    depth[:80] = 0
    (shown,) = page._shown("depth", depth[None])
    assert (shown[:80] == page.UNKNOWN).all()
    assert (shown[80:].std(axis=-1) == 0).all()
    assert shown[80, 0, 0] > shown[80, -1, 0]
