"""What of a cut-out is visible: its box, without the faint alpha that noise leaves around it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from depthmask.data import FAINT_ALPHA
from depthmask.stages.source._folder import AssetError

Box: TypeAlias = tuple[int, int, int, int]
"""left, top, right, bottom."""
_ABOVE_FAINT = [255 if level > FAINT_ALPHA else 0 for level in range(256)]
_RIM = 2
"""Pixels. A soft edge is faint on one or two pixels, of which none is cut off: all of 100 cut-outs
of DepthMaskDataset keep their box. Noise goes further."""


def visible_box(alpha: Image.Image) -> Box:
    """The box of what is above `FAINT_ALPHA`, with the faint end of a soft edge around it."""
    strong, whole = alpha.point(_ABOVE_FAINT).getbbox(), alpha.getbbox()
    assert strong is not None, "`require_visible` was called"
    assert whole is not None
    left, top, right, bottom = (
        outer if abs(outer - inner) <= _RIM else inner
        for outer, inner in zip(whole, strong, strict=True)
    )
    return left, top, right, bottom


def require_visible(path: Path, alpha: Image.Image) -> None:
    """Raise `AssetError` for the file unless some alpha is above `FAINT_ALPHA`."""
    most = int(np.asarray(alpha).max())
    if most == 0:
        raise AssetError(path, "wholly transparent or black; replace or remove it")
    if most <= FAINT_ALPHA:
        raise AssetError(
            path,
            f"nearly transparent, {most} of 255 at most; save the object as 255 or remove the file",
        )
