"""Interleaves the splits evenly: computes the split of each sample without any table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from depthmask.plan.shares import MILLION


@dataclass(frozen=True, slots=True)
class Numbering:
    """Sample number <-> (split, rank within the split).

    shares: (name, millionths) of each split, in order. Scene r of a split with share s has the
    position (2r + 1) / s, and the scenes of all splits are numbered in the order of their
    positions. So any run of numbers has about its share of each split, and a longer dataset begins
    like a shorter one. variants: how many consecutive samples show one scene; they are in the same
    split.
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
        split, rank = self._split_of_scene(scene)
        return split, rank * self.variants + variant

    def index(self, split: str, rank: int) -> int:
        """The number of the sample with this rank in a split."""
        if len(self.shares) == 1:
            return rank
        scene, variant = divmod(rank, self.variants)
        return self._scene_number(self.names.index(split), scene) * self.variants + variant

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
        # Begins below the count, which differs from its share by at most one for each split.
        split_number = self.names.index(split)
        count = max(0, scenes * self.shares[split_number][1] // MILLION - len(self.shares))
        while self._scene_number(split_number, count) < scenes:
            count += 1
        return count * self.variants + (
            rest if self._scene_number(split_number, count) == scenes else 0
        )

    def _split_of_scene(self, scene: int) -> tuple[str, int]:
        """The split of a scene, and its rank there."""
        for split_number, (name, share) in enumerate(self.shares):
            near = scene * share // MILLION
            for rank in range(max(0, near - len(self.shares)), near + len(self.shares) + 1):
                if self._scene_number(split_number, rank) == scene:
                    return name, rank
        raise AssertionError("every scene belongs to a split")

    def _scene_number(self, split_number: int, rank: int) -> int:
        """The number of a split's scene, which is the number of scenes of all splits before it."""
        position, share = 2 * rank + 1, self.shares[split_number][1]
        number = rank
        for other, (_, its_share) in enumerate(self.shares):
            if other != split_number:
                # In integers. Of two scenes at the same position, that of the earlier split is
                # first.
                reached = (position * its_share - (other > split_number)) // share
                number += (reached + 1) // 2
        return number
