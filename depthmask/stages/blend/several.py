"""Several blends of the same scene, one for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from depthmask.data import UInt8
from depthmask.errors import DepthmaskError, SettingError
from depthmask.stage import Lookup, setting, stage
from depthmask.stages.blend.base import Blend, Patch


@stage("several")
class Several(Blend):
    """Shows each scene with each of several blends, in consecutive samples.

    A network that sees the same objects with different seams learns to ignore the seam (Dwibedi et
    al. 2017, "Cut, Paste and Learn", https://arxiv.org/abs/1708.01642). The blends have their
    default settings except for `match` and `shadow`. All samples of a scene are in one split.
    """

    of: list[str] = setting(["alpha", "feather", "poisson"], help="names of the blends")

    def __post_init__(self) -> None:
        if not self.of or self.name in self.of:
            raise SettingError("of", self.of, "must be names of other blends, one at least")
        self._lookup: Lookup | None = None

    def bind(self, lookup: Lookup) -> None:
        """Keep the lookup, for the classes of the blends."""
        self._lookup = lookup

    def inner_stages(self) -> Sequence[Blend]:
        """The blends of the list."""
        return self._blends

    @property
    def variants(self) -> int:
        """The number of blends."""
        return len(self._blends)

    def variant(self, number: int) -> Blend:
        """Blend `number` of the list, counted from 0."""
        return self._blends[number]

    def blend(self, canvas: UInt8, patch: Patch, top: int, left: int) -> bool:
        """Blend with the first blend."""
        return self._blends[0].blend(canvas, patch, top, left)

    @cached_property
    def _blends(self) -> list[Blend]:
        if self._lookup is None:
            raise DepthmaskError("blend=several: call `bind` before the stage is used")
        blends: list[Blend] = []
        for name in self.of:
            cls: Any = self._lookup("blend", name)
            blends.append(cls(match=self.match, shadow=self.shadow))
            blends[-1].bind(self._lookup)
        return blends
