"""Blends: how the pixels of a cut-out get into the picture."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from depthmask.data import UInt8, UInt16
from depthmask.stage import Stage


@dataclass(frozen=True, slots=True)
class Patch:
    """The pixels of a cut-out, at the size that they have in the picture.

    rgb: uint8 [h, w, 3], straight colours. alpha: uint8 [h, w]. weighted: uint16 [h, w, 3],
    rgb * alpha + 128. passing: uint16 [h, w, 3], 255 - alpha, what the background keeps. The last
    two are made once for each cut-out and not at each use: a third of the time of blending.
    """

    rgb: UInt8
    alpha: UInt8
    weighted: UInt16
    passing: UInt16

    @classmethod
    def of(cls, rgb: UInt8, alpha: UInt8) -> Patch:
        """The patch with these colours and this alpha."""
        weight = np.repeat(alpha.astype(np.uint16)[..., None], 3, axis=2)
        return cls(rgb, alpha, rgb * weight + np.uint16(128), 255 - weight)

    def window(self, rows: slice, columns: slice) -> Patch:
        """A part of it, as views."""
        place = (rows, columns)
        return Patch(self.rgb[place], self.alpha[place], self.weighted[place], self.passing[place])

    @property
    def nbytes(self) -> int:
        """Of all its arrays."""
        return sum(getattr(self, name).nbytes for name in Patch.__slots__)


class Blend(Stage):
    """Mixes a patch into the canvas; what hides what was settled before."""

    kind: ClassVar[str] = "blend"

    @abstractmethod
    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> None:
        """Change `canvas` in place.

        canvas: uint8 [H, W, 3]. patch: its alpha is the visible part. top, left: where it lies;
        it is wholly within the canvas.
        """
