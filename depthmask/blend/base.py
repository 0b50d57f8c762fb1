"""Blends: how the pixels of a cut-out get into the picture."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from depthmask.data import UInt8
from depthmask.stage import Stage


class Blend(Stage):
    """Mixes a patch into the canvas; what hides what was settled before."""

    kind: ClassVar[str] = "blend"

    @abstractmethod
    def blend(self, canvas: UInt8, rgb: UInt8, alpha: UInt8, top: int, left: int) -> None:
        """Change `canvas` in place.

        canvas: uint8 [H, W, 3]. rgb: uint8 [h, w, 3], straight colours. alpha: uint8 [h, w], the
        visible part. top, left: where the patch lies; it is wholly within the canvas.
        """
