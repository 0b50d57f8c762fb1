"""Divides the assets among the splits; near-duplicates stay in one split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import load, save
from depthmask.asset_store.names import entry_name
from depthmask.compose.near_duplicates import (
    Hashes,
    alike,
    background_hashes,
    foreground_hashes,
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

    Raises `UsageError` if there are too few assets for so many splits.
    """
    millionths = shares.millionths()
    if len(millionths) == 1:
        ((name, share),) = millionths
        return (SplitAssets(name, share, catalogue.backgrounds, catalogue.foregrounds),)
    hashes = AssetHashes(source, catalogue)
    backgrounds = assign(catalogue.backgrounds, hashes.backgrounds, shares, "backgrounds")
    foregrounds = assign(catalogue.foregrounds, hashes.foregrounds, shares, "foregrounds")
    return tuple(
        SplitAssets(name, share, backgrounds[name], foregrounds[name]) for name, share in millionths
    )


class AssetHashes:
    """The perceptual hashes of the assets of a catalogue, stored by its digest."""

    def __init__(self, source: Source, catalogue: AssetCatalogue) -> None:
        self._source = source
        self._catalogue = catalogue

    @property
    def backgrounds(self) -> Hashes:
        """Hashes of all backgrounds, in their order."""
        keys = self._catalogue.backgrounds
        return self._cached("backgrounds", keys, lambda: background_hashes(self._source, keys))

    @property
    def foregrounds(self) -> Hashes:
        """Hashes of all foregrounds, in their order."""
        keys = self._catalogue.foregrounds
        return self._cached("foregrounds", keys, lambda: foreground_hashes(self._source, keys))

    def _cached(self, kind: str, keys: Sequence[str], make: Callable[[], Hashes]) -> Hashes:
        """The hashes from the cache, or else made and stored there."""
        if not (digest := self._catalogue.digest):
            return make()
        name = entry_name("looks", kind, self._source.name, digest, *keys)
        entry = load(name)
        hashes = None if entry is None else entry.arrays["hashes"]
        if hashes is None or hashes.shape != (len(keys), 2):
            hashes = make()
            save(name, Entry(arrays={"hashes": hashes}))
        return hashes


def assign(
    keys: Sequence[str], hashes: Hashes, shares: Shares, kind: str
) -> Mapping[str, tuple[str, ...]]:
    """The keys of each split, sorted; pictures that look alike are in the same split.

    Groups are assigned in the order of hashes of their keys, which no seed changes, so that two
    datasets from the same assets have the same splits. Each group goes to the split that lacks most
    of its share.
    """
    millionths = dict(shares.millionths())
    alike_groups = [
        [keys[one] for one in group] for group in groups(len(keys), alike(hashes, shares.alike))
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
        # The last groups go to the splits that are still empty, however small their share is.
        only_empty = len(alike_groups) - number <= len(empty)
        lacking = {
            name: millionths[name] * len(keys) - MILLION * len(assigned[name])
            for name in (empty if only_empty else assigned)
        }
        assigned[max(lacking, key=lambda name: lacking[name])] += group
    return {name: tuple(sorted(members)) for name, members in assigned.items()}


def leakage(
    splits: Sequence[SplitAssets], source: Source, catalogue: AssetCatalogue, shares: Shares
) -> Leakage:
    """How many assets are in two splits, and how many pairs of near-duplicates lie across them."""
    if len(splits) == 1:
        return Leakage(assets=0, near_duplicates=0)
    asset_hashes = AssetHashes(source, catalogue)
    backgrounds = [set(split.backgrounds) for split in splits]
    foregrounds = [set(split.foregrounds) for split in splits]
    kinds = (
        (catalogue.backgrounds, asset_hashes.backgrounds, backgrounds),
        (catalogue.foregrounds, asset_hashes.foregrounds, foregrounds),
    )
    shared = across = 0
    for keys, hashes, keys_by_split in kinds:
        memberships = {key: [key in split_keys for split_keys in keys_by_split] for key in keys}
        shared += sum(sum(is_member) > 1 for is_member in memberships.values())
        pairs = alike(hashes, shares.alike)
        across += sum(memberships[keys[one]] != memberships[keys[other]] for one, other in pairs)
    return Leakage(assets=shared, near_duplicates=across)
