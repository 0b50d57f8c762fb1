"""The plan: sample number -> recipe, without opening any image.

Sample i depends on (plan, i) alone: never on worker, order, time or shard size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from depthmask.data import Recipe, sample_key
from depthmask.errors import UsageError
from depthmask.plan.layout import Layout
from depthmask.plan.numbering import Numbering
from depthmask.plan.rng import Stream

REDRAWS = 30
"""How often a sample draws other assets where no placement fits."""
_DRAWN_AT_ONCE = 1024
"""Recipes."""


class Sampling(Enum):
    """How the sample numbers run through the assets."""

    random = "random"
    product = "product"


@dataclass(frozen=True, slots=True)
class SplitAssets:
    """What a split is made from; share: of the samples, in millionths."""

    split: str
    share: int
    backgrounds: tuple[str, ...]
    foregrounds: tuple[str, ...]


@dataclass(frozen=True)
class Plan(Layout):
    """Everything that decides what the samples are.

    objects: the least and the greatest number of foregrounds in a sample. repeats: positions for
    each pair of assets in `product` order, which nests as DepthMaskDataset's loop did: background,
    foreground, repeat, and with `flips` the cut-out and its mirror image. variants: so many
    consecutive samples show the same scene. parts: what each split is made from.
    """

    seed: int
    samples: int
    shard_size: int
    sampling: Sampling
    objects: tuple[int, int]
    flips: bool
    repeats: int
    parts: tuple[SplitAssets, ...]
    variants: int = 1

    def __post_init__(self) -> None:
        for part in self.parts:
            if self.objects[1] > len(part.foregrounds):
                whose = "the source" if len(self.parts) == 1 else f"split.{part.split}"
                raise UsageError(
                    f"objects={self.objects[1]}: {whose} has {len(part.foregrounds)} foregrounds, "
                    "and those of one sample are all different; ask for fewer objects"
                )

    @cached_property
    def numbering(self) -> Numbering:
        """Which sample is in which split."""
        return Numbering(tuple((part.split, part.share) for part in self.parts), self.variants)

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Of all splits."""
        return tuple(key for part in self.parts for key in part.backgrounds)

    @property
    def foregrounds(self) -> tuple[str, ...]:
        """Of all splits."""
        return tuple(key for part in self.parts for key in part.foregrounds)

    def recipes(self, indices: Sequence[int]) -> Iterator[Recipe]:
        """The recipes of these samples."""
        stream = Stream(self.seed, "plan")
        for first in range(0, len(indices), _DRAWN_AT_ONCE):
            some = indices[first : first + _DRAWN_AT_ONCE]
            # As lists, since a scalar of NumPy takes ten times as long as Python's to work with.
            rows = stream.rows([index // self.variants for index in some], self._chances).tolist()
            yield from map(self._recipe, some, rows)

    def redrawn(self, recipe: Recipe) -> Recipe | None:
        """Other assets for a sample; None if it has drawn often enough, or `product` decides them.

        A pure function of the sample's number and of how often it was drawn.
        """
        attempt = recipe.attempt + 1
        if attempt > REDRAWS or self.sampling is Sampling.product:
            return None
        stream = Stream(self.seed, "plan").at(recipe.scene, attempt)
        chances = stream.random(self._chances).tolist()
        return replace(self._recipe(recipe.index, chances), attempt=attempt)

    def recipe(self, index: int) -> Recipe:
        """The recipe of one sample at first; IndexError outside 0..samples-1."""
        self.require(index)
        return next(self.recipes([index]))

    def require(self, index: int) -> None:
        """IndexError if there is no such sample."""
        if not 0 <= index < self.samples:
            raise IndexError(f"sample {index} is not one of 0..{self.samples - 1}")

    @property
    def _chances(self) -> int:
        """How many random numbers a recipe takes."""
        return 2 + 2 * self.objects[1]

    def _recipe(self, index: int, chances: list[float]) -> Recipe:
        split, rank = self.numbering.at(index)
        part = self._part[split]
        least, greatest = self.objects
        count = least + _pick(chances[1], greatest - least + 1)
        background = _pick(chances[0], len(part.backgrounds))
        first = _pick(chances[2], len(part.foregrounds))
        flips = [self.flips and chance < 0.5 for chance in chances[-count:]]
        if self.sampling is Sampling.product:
            background, first, flips[0] = self._product(part, rank // self.variants)
        chosen = _others(first, chances[3 : 2 + count], len(part.foregrounds))
        names = [part.foregrounds[one] for one in chosen]
        scene, variant = divmod(index, self.variants)
        return Recipe(
            index=index,
            key=sample_key(index),
            split=split,
            background=part.backgrounds[background],
            foregrounds=tuple(zip(names, flips, strict=True)),
            scene=scene,
            variant=variant,
        )

    @cached_property
    def _part(self) -> dict[str, SplitAssets]:
        return {part.split: part for part in self.parts}

    def _product(self, part: SplitAssets, scene: int) -> tuple[int, int, bool]:
        """(background, foreground, flip) of the nested loops; they start anew when they end."""
        rest, flip = divmod(scene, 2) if self.flips else (scene, 0)
        rest //= self.repeats
        rest, foreground = divmod(rest, len(part.foregrounds))
        return rest % len(part.backgrounds), foreground, flip == 1


def _pick(chance: float, count: int) -> int:
    return int(chance * count)


def _others(first: int, chances: Iterable[float], count: int) -> list[int]:
    """`first` and one more number below `count` for each chance, all different."""
    chosen = [first]
    for chance in chances:
        pick = _pick(chance, count - len(chosen))
        for taken in sorted(chosen):
            pick += pick >= taken
        chosen.append(pick)
    return chosen
