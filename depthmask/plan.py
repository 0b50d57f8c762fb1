"""The plan: sample number -> recipe, without opening any image.

Sample i depends on (plan, i) alone: never on worker, order, time or shard size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from depthmask.data import Recipe, sample_key
from depthmask.errors import UsageError
from depthmask.streams import Stream

REDRAWS = 30
"""How often a sample draws other assets where no placement fits."""
_DRAWN_AT_ONCE = 1024
"""Recipes."""


class Sampling(Enum):
    """How the sample numbers run through the assets."""

    random = "random"
    product = "product"


@dataclass(frozen=True, slots=True)
class Shard:
    """A run of consecutive samples start..stop-1 of one split."""

    number: int
    split: str
    start: int
    stop: int

    @property
    def name(self) -> str:
        """`train-000042`: the stem of its files, and of its record."""
        return f"{self.split}-{self.number:06d}"

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Plan:
    """Everything that decides what the samples are.

    objects: the least and the greatest number of foregrounds in a sample. repeats: positions for
    each pair of assets in `product` order, which nests as DepthMaskDataset's loop did: background,
    foreground, repeat, and with `flips` the cut-out and its mirror image.
    """

    seed: int
    samples: int
    shard_size: int
    sampling: Sampling
    objects: tuple[int, int]
    flips: bool
    repeats: int
    backgrounds: tuple[str, ...]
    foregrounds: tuple[str, ...]
    split: str = "train"

    def __post_init__(self) -> None:
        if self.objects[1] > len(self.foregrounds):
            raise UsageError(
                f"objects={self.objects[1]}: the source has {len(self.foregrounds)} foregrounds, "
                "and those of one sample are all different; ask for fewer objects"
            )

    def recipes(self, start: int, stop: int) -> Iterator[Recipe]:
        """The recipes of the samples start..stop-1."""
        stream, count = Stream(self.seed, "plan"), 2 + 2 * self.objects[1]
        for first in range(start, stop, _DRAWN_AT_ONCE):
            last = min(first + _DRAWN_AT_ONCE, stop)
            # As lists, since a scalar of NumPy takes ten times as long as Python's to work with.
            rows = stream.rows(first, last, count).tolist()
            yield from map(self._recipe, range(first, last), rows)

    def redrawn(self, recipe: Recipe) -> Recipe | None:
        """Other assets for a sample; None if it has drawn often enough, or `product` decides them.

        A pure function of the sample's number and of how often it was drawn.
        """
        attempt = recipe.attempt + 1
        if attempt > REDRAWS or self.sampling is Sampling.product:
            return None
        stream = Stream(self.seed, "plan").at(recipe.index, attempt)
        chances = stream.random(2 + 2 * self.objects[1]).tolist()
        return replace(self._recipe(recipe.index, chances), attempt=attempt)

    def recipe(self, index: int) -> Recipe:
        """The recipe of one sample at first; IndexError outside 0..samples-1."""
        if not 0 <= index < self.samples:
            raise IndexError(f"sample {index} is not one of 0..{self.samples - 1}")
        return next(self.recipes(index, index + 1))

    def shard_count(self) -> int:
        """How many shards the plan has."""
        return -(-self.samples // self.shard_size)

    def shard(self, number: int) -> Shard:
        """The shard with this number."""
        start = number * self.shard_size
        return Shard(number, self.split, start, min(start + self.shard_size, self.samples))

    def shards(self, done: Iterable[int] = ()) -> Shards:
        """All shards but those with the numbers in `done`."""
        return Shards(self, frozenset(done))

    def _recipe(self, index: int, chances: list[float]) -> Recipe:
        least, greatest = self.objects
        count = least + _pick(chances[1], greatest - least + 1)
        background = _pick(chances[0], len(self.backgrounds))
        first = _pick(chances[2], len(self.foregrounds))
        flips = [self.flips and chance < 0.5 for chance in chances[-count:]]
        if self.sampling is Sampling.product:
            background, first, flips[0] = self._product(index)
        chosen = _others(first, chances[3 : 2 + count], len(self.foregrounds))
        names = [self.foregrounds[one] for one in chosen]
        return Recipe(
            index=index,
            key=sample_key(index),
            split=self.split,
            background=self.backgrounds[background],
            foregrounds=tuple(zip(names, flips, strict=True)),
        )

    def _product(self, index: int) -> tuple[int, int, bool]:
        """(background, foreground, flip) of the nested loops; they start anew when they end."""
        index, flip = divmod(index, 2) if self.flips else (index, 0)
        index //= self.repeats
        index, foreground = divmod(index, len(self.foregrounds))
        return index % len(self.backgrounds), foreground, flip == 1


@dataclass(frozen=True)
class Shards(Collection[Shard]):
    """The shards of a plan less those that are done, made as they are asked for.

    A plan may have a million of them, and most of them are far off when a run starts.
    """

    plan: Plan
    done: frozenset[int]

    def __len__(self) -> int:
        return self.plan.shard_count() - len(self.done)

    def __iter__(self) -> Iterator[Shard]:
        for number in range(self.plan.shard_count()):
            if number not in self.done:
                yield self.plan.shard(number)

    def __contains__(self, shard: object) -> bool:
        return (
            isinstance(shard, Shard)
            and 0 <= shard.number < self.plan.shard_count()
            and shard.number not in self.done
            and shard == self.plan.shard(shard.number)
        )

    @property
    def samples(self) -> int:
        """Of all these shards together."""
        return self.plan.samples - sum(len(self.plan.shard(number)) for number in self.done)


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
