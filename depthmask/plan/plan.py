"""The plan: sample number -> recipe, without opening any image.

Sample i depends on (plan, i) alone: never on worker, order, time or shard size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from depthmask.data import Recipe, brief, sample_key
from depthmask.errors import UsageError
from depthmask.plan.layout import Layout
from depthmask.plan.numbering import Numbering
from depthmask.plan.rng import Stream

REDRAWS = 30
"""How many times a sample draws other assets if no placement fits."""
_RECIPES_AT_ONCE = 1024
"""Recipes whose random numbers are drawn in one call."""


class Sampling(Enum):
    """How samples choose their assets."""

    random = "random"
    """At random."""
    product = "product"
    """In nested loops over all pairs of assets."""


@dataclass(frozen=True, slots=True)
class SplitAssets:
    """The assets of a split. share: its share of the samples, in millionths."""

    name: str
    share: int
    backgrounds: tuple[str, ...]
    foregrounds: tuple[str, ...]

    __repr__ = brief


@dataclass(frozen=True)
class Plan(Layout):
    """Everything that determines the samples.

    objects: the least and the greatest number of foregrounds in a sample. repeats: positions for
    each pair of assets in `product` order, whose loops are nested as in DepthMaskDataset:
    background, foreground, repeat, and with `flips` the foreground and its mirror image. variants:
    how many consecutive samples show the same scene. splits: the assets of each split.
    """

    seed: int
    samples: int
    shard_size: int
    sampling: Sampling
    objects: tuple[int, int]
    flips: bool
    repeats: int
    splits: tuple[SplitAssets, ...]
    variants: int = 1

    def __post_init__(self) -> None:
        for split in self.splits:
            if self.objects[1] > len(split.foregrounds):
                whose = "the source" if len(self.splits) == 1 else f"split.{split.name}"
                raise UsageError(
                    f"objects={self.objects[1]}: {whose} has {len(split.foregrounds)} foregrounds, "
                    "and those of one sample are all different; ask for fewer objects"
                )

    @cached_property
    def numbering(self) -> Numbering:
        """The split of each sample."""
        return Numbering(tuple((split.name, split.share) for split in self.splits), self.variants)

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Keys of the backgrounds of all splits."""
        return tuple(key for split in self.splits for key in split.backgrounds)

    @property
    def foregrounds(self) -> tuple[str, ...]:
        """Keys of the foregrounds of all splits."""
        return tuple(key for split in self.splits for key in split.foregrounds)

    def recipes(self, indices: Sequence[int]) -> Iterator[Recipe]:
        """The recipes of these samples."""
        stream = Stream(self.seed, "plan")
        for first in range(0, len(indices), _RECIPES_AT_ONCE):
            some = indices[first : first + _RECIPES_AT_ONCE]
            # As lists, since arithmetic with NumPy's scalars takes ten times as long as with
            # Python's.
            rows = stream.rows(
                [index // self.variants for index in some], self._chance_count
            ).tolist()
            yield from map(self._recipe, some, rows)

    def redrawn(self, recipe: Recipe) -> Recipe | None:
        """The recipe with other assets; None after `REDRAWS` draws, or if `product` decides them.

        The result depends only on the sample's number and on the number of earlier draws.
        """
        attempt = recipe.attempt + 1
        if attempt > REDRAWS or self.sampling is Sampling.product:
            return None
        stream = Stream(self.seed, "plan").at(recipe.scene, attempt)
        chances = stream.random(self._chance_count).tolist()
        return replace(self._recipe(recipe.index, chances), attempt=attempt)

    def recipe(self, index: int) -> Recipe:
        """The recipe of a sample before any redraw; IndexError outside 0..samples-1."""
        self.require(index)
        return next(self.recipes([index]))

    def require(self, index: int) -> None:
        """Raise IndexError if there is no such sample."""
        if not 0 <= index < self.samples:
            raise IndexError(f"sample {index} is not one of 0..{self.samples - 1}")

    @property
    def _chance_count(self) -> int:
        """The number of random numbers that a recipe takes."""
        return 2 + 2 * self.objects[1]

    def _recipe(self, index: int, chances: list[float]) -> Recipe:
        """The recipe of a sample from its random numbers."""
        split, rank = self.numbering.at(index)
        assets = self._split_assets[split]
        least, greatest = self.objects
        count = least + _pick(chances[1], greatest - least + 1)
        background = _pick(chances[0], len(assets.backgrounds))
        first = _pick(chances[2], len(assets.foregrounds))
        flips = [self.flips and chance < 0.5 for chance in chances[-count:]]
        if self.sampling is Sampling.product:
            background, first, flips[0] = self._product(assets, rank // self.variants)
        chosen = _others(first, chances[3 : 2 + count], len(assets.foregrounds))
        names = [assets.foregrounds[one] for one in chosen]
        scene, variant = divmod(index, self.variants)
        return Recipe(
            index=index,
            key=sample_key(index),
            split=split,
            background=assets.backgrounds[background],
            foregrounds=tuple(zip(names, flips, strict=True)),
            scene=scene,
            variant=variant,
        )

    @cached_property
    def _split_assets(self) -> dict[str, SplitAssets]:
        return {split.name: split for split in self.splits}

    def _product(self, assets: SplitAssets, scene: int) -> tuple[int, int, bool]:
        """(background, foreground, flip) of the nested loops, which start again when they end."""
        rest, flip = divmod(scene, 2) if self.flips else (scene, 0)
        rest //= self.repeats
        rest, foreground = divmod(rest, len(assets.foregrounds))
        return rest % len(assets.backgrounds), foreground, flip == 1


def _pick(chance: float, count: int) -> int:
    """A number below `count` from a random number in 0..1."""
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
