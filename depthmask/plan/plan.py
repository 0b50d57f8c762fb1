"""The plan: sample number -> recipe, without opening any image.

Sample i depends on (plan, i) alone: never on worker, order, time or shard size.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import accumulate

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
    """The assets of a split.

    share: its share of the samples, in millionths. cut_from: a background -> the places in
    `foregrounds`, sorted, of those that are cut from it, and so are never pasted into it.
    """

    name: str
    share: int
    backgrounds: tuple[str, ...]
    foregrounds: tuple[str, ...]
    cut_from: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)

    __repr__ = brief

    @property
    def pairs(self) -> int:
        """The number of pairs of a background and a foreground that is not cut from it."""
        return len(self.backgrounds) * len(self.foregrounds) - sum(map(len, self.cut_from.values()))

    @property
    def most_objects(self) -> int:
        """The most foregrounds that a sample on any of the backgrounds can have."""
        return min(map(self.usable, self.backgrounds), default=0)

    def usable(self, background: str) -> int:
        """How many foregrounds are not cut from a background."""
        return len(self.foregrounds) - len(self.cut_from.get(background, ()))

    def for_objects(self, most: int) -> SplitAssets:
        """The split without backgrounds that have too few foregrounds for so many in a sample.

        As it is where no background would be left.
        """
        kept = tuple(one for one in self.backgrounds if self.usable(one) >= most)
        if len(kept) in (0, len(self.backgrounds)):
            return self
        names = set(kept)
        cut_from = {one: places for one, places in self.cut_from.items() if one in names}
        return replace(self, backgrounds=kept, cut_from=cut_from)


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
            if self.objects[1] > split.most_objects:
                raise UsageError(f"objects={self.objects[1]}: {self._too_few(split)}")

    def _too_few(self, split: SplitAssets) -> str:
        """Why a split has too few foregrounds for a sample, and what to do."""
        whose = "the source" if len(self.splits) == 1 else f"split.{split.name}"
        if self.objects[1] > len(split.foregrounds):
            return (
                f"{whose} has {len(split.foregrounds)} foregrounds, "
                "and those of one sample are all different; ask for fewer objects"
            )
        short = [one for one in split.backgrounds if split.usable(one) < self.objects[1]]
        background = max(short, key=split.usable)
        usable = split.usable(background)
        # With none, there is no smaller number to ask for.
        do = "ask for fewer objects" if usable else "choose other backgrounds"
        return (
            f"{whose} has {usable} foregrounds for {background}, without those that "
            f"are cut from it; {do}, or add photographs"
        )

    @cached_property
    def numbering(self) -> Numbering:
        """The split of each sample."""
        return Numbering(tuple((split.name, split.share) for split in self.splits), self.variants)

    @cached_property
    def backgrounds(self) -> tuple[str, ...]:
        """Keys of the backgrounds of all splits."""
        return tuple(key for split in self.splits for key in split.backgrounds)

    @cached_property
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
        chances = self._redrawing.at(recipe.scene, attempt).random(self._chance_count).tolist()
        return replace(self._recipe(recipe.index, chances), attempt=attempt)

    def recipe(self, index: int) -> Recipe:
        """The recipe of a sample before any redraw; IndexError outside 0..samples-1."""
        self.require(index)
        return next(self.recipes([index]))

    def require(self, index: int) -> None:
        """Raise IndexError if there is no such sample."""
        if not 0 <= index < self.samples:
            raise IndexError(f"sample {index} is not one of 0..{self.samples - 1}")

    @cached_property
    def _redrawing(self) -> Stream:
        """The stream of `recipes`; to make one takes 50 us."""
        return Stream(self.seed, "plan")

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
        flips = [self.flips and chance < 0.5 for chance in chances[-count:]]
        first: list[int] = []
        if self.sampling is Sampling.product:
            background, foreground, flips[0] = self._product(assets, rank // self.variants)
            first = [foreground]
        taken = assets.cut_from.get(assets.backgrounds[background], ())
        chosen = _different(
            first, chances[2 + len(first) : 2 + count], len(assets.foregrounds), taken
        )
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
        pair = rest // self.repeats % assets.pairs
        if not assets.cut_from:
            background, foreground = divmod(pair, len(assets.foregrounds))
            return background, foreground, flip == 1
        starts = self._first_pairs[assets.name]
        background = bisect_right(starts, pair) - 1
        taken = assets.cut_from.get(assets.backgrounds[background], ())
        return background, _free(pair - starts[background], taken), flip == 1

    @cached_property
    def _first_pairs(self) -> dict[str, list[int]]:
        """For each split the number of the first pair of each background, in the nested loops."""
        return {
            split.name: [
                0,
                *accumulate(
                    len(split.foregrounds) - len(split.cut_from.get(key, ()))
                    for key in split.backgrounds
                ),
            ][:-1]
            for split in self.splits
        }


def _pick(chance: float, count: int) -> int:
    """A number below `count` from a random number in 0..1."""
    return int(chance * count)


def _free(rank: int, taken: Iterable[int]) -> int:
    """The number of this rank among those that are not taken. taken: sorted."""
    for one in taken:
        rank += rank >= one
    return rank


def _different(
    first: Sequence[int], chances: Iterable[float], count: int, taken: Sequence[int]
) -> list[int]:
    """`first` and one more number below `count` for each chance: all different, none taken."""
    chosen = list(first)
    for chance in chances:
        rank = _pick(chance, count - len(taken) - len(chosen))
        chosen.append(_free(rank, sorted([*taken, *chosen])))
    return chosen
