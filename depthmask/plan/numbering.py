"""Which sample belongs to which split: an even interleaving, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from depthmask.plan.shares import MILLION


@dataclass(frozen=True, slots=True)
class Numbering:
    """Sample number <-> (split, rank within the split).

    shares: (name, millionths) of each split, in order. Scene r of a split with share s stands at
    (2r + 1) / s, and the scenes of all splits are numbered by their positions, so
    that any run of numbers holds about its share of each split, and a longer dataset begins as a
    shorter one. variants: so many consecutive samples show one scene, and stay together.
    """

    shares: tuple[tuple[str, int], ...]
    variants: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the splits, in order."""
        return tuple(name for name, _ in self.shares)

    def at(self, index: int) -> tuple[str, int]:
        """The split of sample `index`, and its rank there."""
        if len(self.shares) == 1:
            return self.shares[0][0], index
        scene, variant = divmod(index, self.variants)
        split, rank = self._scene_at(scene)
        return split, rank * self.variants + variant

    def index(self, split: str, rank: int) -> int:
        """The number of the sample with this rank in a split."""
        if len(self.shares) == 1:
            return rank
        scene, variant = divmod(rank, self.variants)
        return self._scene(self.names.index(split), scene) * self.variants + variant

    def indices(self, split: str, start: int, stop: int) -> Sequence[int]:
        """The numbers of the samples start..stop-1 of a split."""
        if len(self.shares) == 1:
            return range(start, stop)
        return [self.index(split, rank) for rank in range(start, stop)]

    def count(self, split: str, samples: int) -> int:
        """How many of the first `samples` samples are in a split."""
        if len(self.shares) == 1:
            return samples
        scenes, rest = divmod(samples, self.variants)
        # At most one off for each other split, and that is soon put right.
        own = self.names.index(split)
        count = max(0, scenes * self.shares[own][1] // MILLION - len(self.shares))
        while self._scene(own, count) < scenes:
            count += 1
        return count * self.variants + (rest if self._scene(own, count) == scenes else 0)

    def _scene_at(self, scene: int) -> tuple[str, int]:
        for own, (name, share) in enumerate(self.shares):
            near = scene * share // MILLION
            for rank in range(max(0, near - len(self.shares)), near + len(self.shares) + 1):
                if self._scene(own, rank) == scene:
                    return name, rank
        raise AssertionError("every scene belongs to a split")

    def _scene(self, own: int, rank: int) -> int:
        """The number of a split's scene: how many scenes of all splits come before it."""
        position, share = 2 * rank + 1, self.shares[own][1]
        number = rank
        for other, (_, its_share) in enumerate(self.shares):
            if other != own:
                # Whole numbers only: of two at the same position, the earlier split is first.
                reached = (position * its_share - (other > own)) // share
                number += (reached + 1) // 2
        return number
