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
from depthmask.data import AssetCatalogue
from depthmask.errors import UsageError
from depthmask.plan.plan import SplitAssets
from depthmask.plan.shares import MILLION, Shares
from depthmask.stages.source.base import Source
from depthmask.storage.dataset_info import Leakage


def split_assets(
    source: Source, catalogue: AssetCatalogue, shares: Shares
) -> tuple[SplitAssets, ...]:
    """The splits, each with its own backgrounds and foregrounds.

    Raises `UsageError` where there are too few assets for so many splits.
    """
    millionths = shares.millionths()
    if len(millionths) == 1:
        ((name, share),) = millionths
        return (SplitAssets(name, share, catalogue.backgrounds, catalogue.foregrounds),)
    looks = Appearance(source, catalogue)
    backgrounds = assign(catalogue.backgrounds, looks.backgrounds, shares, "backgrounds")
    foregrounds = assign(catalogue.foregrounds, looks.foregrounds, shares, "foregrounds")
    return tuple(
        SplitAssets(name, share, backgrounds[name], foregrounds[name]) for name, share in millionths
    )


class Appearance:
    """How the assets of a catalogue look, kept on disk under their hash."""

    def __init__(self, source: Source, catalogue: AssetCatalogue) -> None:
        self._source = source
        self._catalogue = catalogue

    @property
    def backgrounds(self) -> Looks:
        """Hashes of all backgrounds, in their order."""
        keys = self._catalogue.backgrounds
        return self._kept("backgrounds", keys, lambda: background_looks(self._source, keys))

    @property
    def foregrounds(self) -> Looks:
        """Hashes of all foregrounds, in their order."""
        keys = self._catalogue.foregrounds
        return self._kept("foregrounds", keys, lambda: foreground_looks(self._source, keys))

    def _kept(self, kind: str, keys: Sequence[str], make: Callable[[], Looks]) -> Looks:
        digest = self._catalogue.digest
        text = "\n".join([kind, self._source.name, digest, *keys])
        path = (
            cache_folder() / "looks" / f"{blake2b(text.encode(), digest_size=16).hexdigest()}.npy"
        )
        looks = load_array(path, np.uint64) if digest else None
        if looks is None or looks.shape != (len(keys), 2):
            looks = make()
            if digest:
                store_array(path, looks)
        return looks


def assign(
    keys: Sequence[str], looks: Looks, shares: Shares, kind: str
) -> Mapping[str, tuple[str, ...]]:
    """The keys of each split, sorted; those that look alike stay together.

    In an order by hashes of the keys, which no seed changes: two datasets from the same assets
    have the same splits. Each group goes to the split that lacks most of its share.
    """
    millionths = dict(shares.millionths())
    alike_groups = [
        [keys[one] for one in group] for group in groups(len(keys), alike(looks, shares.alike))
    ]
    if len(alike_groups) < len(millionths):
        raise UsageError(
            f"split: {len(millionths)} splits need as many {kind} that do not look alike, the "
            f"source has {len(alike_groups)}; add some, or ask for fewer splits"
        )
    alike_groups.sort(key=lambda group: blake2b(group[0].encode()).digest())
    assigned: dict[str, list[str]] = {name: [] for name in millionths}
    for number, group in enumerate(alike_groups):
        empty = [name for name, members in assigned.items() if not members]
        # The last groups are for the splits that have none yet, however small their share.
        is_short = len(alike_groups) - number <= len(empty)
        lacks = {
            name: millionths[name] * len(keys) - MILLION * len(assigned[name])
            for name in (empty if is_short else assigned)
        }
        assigned[max(lacks, key=lambda name: lacks[name])] += group
    return {name: tuple(sorted(members)) for name, members in assigned.items()}


def leakage(
    splits: Sequence[SplitAssets], source: Source, catalogue: AssetCatalogue, shares: Shares
) -> Leakage:
    """How many assets are in two splits, and how many pairs of near-duplicates lie across them."""
    if len(splits) == 1:
        return Leakage(assets=0, near_duplicates=0)
    looks = Appearance(source, catalogue)
    kinds = (
        (catalogue.backgrounds, looks.backgrounds, [set(split.backgrounds) for split in splits]),
        (catalogue.foregrounds, looks.foregrounds, [set(split.foregrounds) for split in splits]),
    )
    shared = across = 0
    for keys, hashes, owned in kinds:
        owners = {key: [key in own for own in owned] for key in keys}
        shared += sum(sum(own) > 1 for own in owners.values())
        pairs = alike(hashes, shares.alike)
        across += sum(owners[keys[one]] != owners[keys[other]] for one, other in pairs)
    return Leakage(assets=shared, near_duplicates=across)
