"""The assets of each split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import numpy as np

from depthmask.caching import cache_folder, load_array, store_array
from depthmask.compose.near_duplicates import (
    Looks,
    alike,
    background_looks,
    foreground_looks,
    groups,
)
from depthmask.errors import UsageError
from depthmask.plan.plan import SplitAssets
from depthmask.plan.shares import MILLION, Shares
from depthmask.stages.source.base import Source


def parts(source: Source, shares: Shares, inputs: str) -> tuple[SplitAssets, ...]:
    """The splits, each with its own backgrounds and foregrounds.

    inputs: the hash of the assets (`Source.check`). Raises `UsageError` where there are too few
    assets for so many splits.
    """
    backgrounds, foregrounds = tuple(source.backgrounds()), tuple(source.foregrounds())
    given = shares.millionths()
    if len(given) == 1:
        ((name, share),) = given
        return (SplitAssets(name, share, backgrounds, foregrounds),)
    looks = Appearance(source, inputs)
    own_backgrounds = assign(backgrounds, looks.backgrounds, shares, "backgrounds")
    own_foregrounds = assign(foregrounds, looks.foregrounds, shares, "foregrounds")
    return tuple(
        SplitAssets(name, share, own_backgrounds[name], own_foregrounds[name])
        for name, share in given
    )


class Appearance:
    """How the assets of a source look, kept on disk under their hash."""

    def __init__(self, source: Source, inputs: str) -> None:
        self._source = source
        self._inputs = inputs

    @property
    def backgrounds(self) -> Looks:
        """Of all backgrounds, in their order."""
        keys = self._source.backgrounds()
        return self._kept("backgrounds", keys, lambda: background_looks(self._source, keys))

    @property
    def foregrounds(self) -> Looks:
        """Of all foregrounds, in their order."""
        keys = self._source.foregrounds()
        return self._kept("foregrounds", keys, lambda: foreground_looks(self._source, keys))

    def _kept(self, kind: str, keys: Sequence[str], make: Callable[[], Looks]) -> Looks:
        text = "\n".join([kind, self._source.name, self._inputs, *keys])
        path = (
            cache_folder() / "looks" / f"{blake2b(text.encode(), digest_size=16).hexdigest()}.npy"
        )
        looks = load_array(path, np.uint64) if self._inputs else None
        if looks is None or looks.shape != (len(keys), 2):
            looks = make()
            if self._inputs:
                store_array(path, looks)
        return looks


def assign(
    keys: Sequence[str], looks: Looks, shares: Shares, kind: str
) -> Mapping[str, tuple[str, ...]]:
    """The keys of each split, sorted; those that look alike are dealt together.

    In an order by hashes of the keys, which no seed changes: two datasets from the same assets
    have the same splits. Each group goes to the split that lacks most of its share.
    """
    given = dict(shares.millionths())
    together = [
        [keys[one] for one in group] for group in groups(len(keys), alike(looks, shares.alike))
    ]
    if len(together) < len(given):
        raise UsageError(
            f"split: {len(given)} splits need as many {kind} that do not look alike, the source "
            f"has {len(together)}; add some, or ask for fewer splits"
        )
    together.sort(key=lambda group: blake2b(group[0].encode()).digest())
    hands: dict[str, list[str]] = {name: [] for name in given}
    for number, group in enumerate(together):
        empty = [name for name, hand in hands.items() if not hand]
        # The last groups are for those that got none yet, however small their share.
        open_to = empty if len(together) - number <= len(empty) else list(hands)
        lacks = {name: given[name] * len(keys) - MILLION * len(hands[name]) for name in open_to}
        hands[max(lacks, key=lambda name: lacks[name])] += group
    return {name: tuple(sorted(hand)) for name, hand in hands.items()}


def leakage(
    parts: Sequence[SplitAssets], source: Source, shares: Shares, inputs: str
) -> dict[str, int]:
    """How many assets are in two splits, and how many pairs of near-duplicates lie across them."""
    looks = Appearance(source, inputs)
    if len(parts) == 1:
        return {"assets": 0, "near_duplicates": 0}
    kinds = (
        (source.backgrounds(), looks.backgrounds, [set(part.backgrounds) for part in parts]),
        (source.foregrounds(), looks.foregrounds, [set(part.foregrounds) for part in parts]),
    )
    shared = across = 0
    for keys, seen, owned in kinds:
        owners = {key: [key in part for part in owned] for key in keys}
        shared += sum(sum(own) > 1 for own in owners.values())
        pairs = alike(seen, shares.alike)
        across += sum(owners[keys[one]] != owners[keys[other]] for one, other in pairs)
    return {"assets": shared, "near_duplicates": across}
