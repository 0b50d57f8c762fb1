"""Blends: how the pixels of a cut-out get into the picture."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from depthmask.data import UInt8
from depthmask.stage import Stage


@dataclass(frozen=True, slots=True)
class Patch:
    """The pixels of a cut-out, at the size that they have in the picture.

    rgb: uint8 [h, w, 3], straight colours. alpha: uint8 [h, w]. alphas: uint8 [h, w, 3], alpha for
    each channel: without broadcasting NumPy multiplies three times as fast. Nothing larger is kept:
    products in 16 bits, made once, took longer to come from memory than to make anew.
    """

    rgb: UInt8
    alpha: UInt8
    alphas: UInt8

    @classmethod
    def of(cls, rgb: UInt8, alpha: UInt8) -> Patch:
        """The patch with these colours and this alpha."""
        return cls(rgb, alpha, np.repeat(alpha[..., None], 3, axis=2))

    def window(self, rows: slice, columns: slice) -> Patch:
        """A part of it, as views."""
        place = (rows, columns)
        return Patch(self.rgb[place], self.alpha[place], self.alphas[place])

    @property
    def nbytes(self) -> int:
        """Of all its arrays."""
        return self.rgb.nbytes + self.alpha.nbytes + self.alphas.nbytes


class Blend(Stage):
    """Mixes a patch into the canvas; what hides what was settled before."""

    kind: ClassVar[str] = "blend"

    @abstractmethod
    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> None:
        """Change `canvas` in place.

        canvas: uint8 [H, W, 3]. patch: its alpha is the visible part. top, left: where it lies;
        it is wholly within the canvas.
        """
