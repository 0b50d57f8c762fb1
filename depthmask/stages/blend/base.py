"""Blends: how the pixels of a foreground are mixed into the image."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from depthmask.data import UInt8, brief, made_often
from depthmask.stage import Stage, setting, settings


@made_often
@dataclass(frozen=True, slots=True)
class Patch:
    """The pixels of a foreground at their size in the image.

    rgb: uint8 [h, w, 3], straight (not premultiplied) colours. alpha: uint8 [h, w]. Products of the
    two are not stored: to load them from memory takes longer than to compute them.
    """

    rgb: UInt8
    alpha: UInt8

    __repr__ = brief

    def window(self, rows: slice, columns: slice) -> Patch:
        """A rectangle of the patch, as views."""
        return Patch(self.rgb[rows, columns], self.alpha[rows, columns])

    @property
    def nbytes(self) -> int:
        """Bytes of both arrays."""
        return self.rgb.nbytes + self.alpha.nbytes


@settings
class Blend(Stage):
    """Mixes a patch into the canvas. Occlusion is already resolved."""

    kind: ClassVar[str] = "blend"
    setting_versions: ClassVar[Mapping[str, int]] = {"match": 2, "shadow": 2}
    """2: computed in integers and by tables, the same on all processors."""

    match: float = setting(
        0.0, ge=0, le=1, help="how far the colours of cut-outs move to those around them, 0..1"
    )
    shadow: float = setting(
        0.0, ge=0, le=1, help="darkness of soft shadows of cut-outs on a known floor, 0..1"
    )

    @abstractmethod
    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Mix the patch into `canvas`, in place and only within the patch's box.

        canvas: uint8 [H, W, 3]. patch: its alpha is the visible alpha. top, left: its position; the
        box lies within the canvas. Returns False if the stage fell back to a simpler method, which
        the run counts.
        """

    def mended(self, rgba: UInt8) -> UInt8:
        """The colours of a foreground, uint8 [h, w, 3], as its layers are to have them.

        rgba: uint8 [h, w, 4], before it is scaled. Called once for each foreground in a worker, as
        far as memory allows; a pure function of `rgba` and the settings. The default leaves the
        colours as they are.
        """
        return rgba[..., :3]

    @property
    def variants(self) -> int:
        """The number of samples that show each scene, one for each variant of the blend."""
        return 1

    def variant(self, number: int) -> Blend:
        """The blend of a variant, counted from 0."""
        return self
