"""Blends: how the pixels of a cut-out get into the picture."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from depthmask.data import UInt8
from depthmask.stage import Stage, setting, settings


@dataclass(frozen=True, slots=True)
class Patch:
    """The pixels of a cut-out, at the size that they have in the picture.

    rgb: uint8 [h, w, 3], straight colours. alpha: uint8 [h, w]. Nothing that could be calculated
    from them is kept: products took longer to come from memory than to make anew.
    """

    rgb: UInt8
    alpha: UInt8

    def window(self, rows: slice, columns: slice) -> Patch:
        """A part of it, as views."""
        return Patch(self.rgb[rows, columns], self.alpha[rows, columns])

    @property
    def nbytes(self) -> int:
        """Of all its arrays."""
        return self.rgb.nbytes + self.alpha.nbytes


@settings
class Blend(Stage):
    """Mixes a patch into the canvas; what hides what was settled before."""

    kind: ClassVar[str] = "blend"

    match: float = setting(
        0.0, ge=0, le=1, help="how far colours of cut-outs move to those around them, 0..1"
    )
    shadow: float = setting(
        0.0, ge=0, le=1, help="darkness of a soft shadow under what stands on a known floor, 0..1"
    )

    @abstractmethod
    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Change `canvas` in place, nowhere but where the patch lies.

        canvas: uint8 [H, W, 3]. patch: its alpha is the visible part. top, left: where it lies;
        it is wholly within the canvas. Returns False where the stage's own way would have failed
        and a plainer one was used, which is counted.
        """

    @property
    def variants(self) -> int:
        """How many samples show each scene, one for each variant of the blend."""
        return 1

    def variant(self, number: int) -> Blend:
        """The blend of that variant, 0 is the first."""
        return self
