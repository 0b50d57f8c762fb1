"""Divides the assets among the splits; near-duplicates stay in one split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import load, save
from depthmask.asset_store.names import entry_name
from depthmask.compose.asset_groups import Asset, AssetGroups, groups_of
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

_MOST_NAMED = 3
"""The most backgrounds in a note."""


def split_assets(
    source: Source, catalogue: AssetCatalogue, shares: Shares
) -> tuple[SplitAssets, ...]:
    """The splits, each with its own backgrounds and foregrounds.

    Raises `UsageError` if there are too few assets for so many splits.
    """
    groups = groups_of(source, catalogue)
    millionths = shares.millionths()
    if len(millionths) == 1:
        ((name, share),) = millionths
        keys = _allowed(catalogue, name)
        _require_some(name, keys)
        return (_split(name, share, *keys, groups),)
    hashes = AssetHashes(source, catalogue, groups)
    pairs = (alike(hashes.backgrounds, shares.alike), alike(hashes.foregrounds, shares.alike))
    assigned = assign(catalogue, _bound(pairs, hashes, groups), shares)
    return tuple(_split(name, share, *assigned[name], groups) for name, share in millionths)


def _fixed(catalogue: AssetCatalogue) -> dict[Asset, str]:
    """The split of each asset of which the source knows it."""
    splits = (catalogue.background_splits, catalogue.foreground_splits)
    return {(kind, key): name for kind, one in enumerate(splits) for key, name in one.items()}


def _allowed(catalogue: AssetCatalogue, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The backgrounds and foregrounds that the only split of a run may have."""
    fixed = _fixed(catalogue)
    backgrounds, foregrounds = (
        tuple(key for key in keys if fixed.get((kind, key), name) == name)
        for kind, keys in enumerate((catalogue.backgrounds, catalogue.foregrounds))
    )
    return backgrounds, foregrounds


def _require_some(name: str, keys: Sequence[Sequence[str]]) -> None:
    """Raise `UsageError` if the source gives all assets of a kind to other splits."""
    for plural, some in zip(("backgrounds", "foregrounds"), keys, strict=True):
        if not some:
            raise UsageError(
                f"split.{name}: the source has no {plural} for it, since all are of other splits; "
                f"give it some, or set split.{name}=0"
            )


def _split(
    name: str,
    share: int,
    backgrounds: tuple[str, ...],
    foregrounds: tuple[str, ...],
    groups: AssetGroups,
) -> SplitAssets:
    return SplitAssets(
        name, share, backgrounds, foregrounds, groups.cut_from(backgrounds, foregrounds)
    )


def _bound(
    pairs: tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]],
    hashes: AssetHashes,
    groups: AssetGroups,
) -> list[tuple[Asset, Asset]]:
    """The pairs of assets that belong into one split: of near-duplicates, and of groups.

    pairs: of near-duplicates among all backgrounds, and among the foregrounds that are hashed.
    """
    backgrounds, foregrounds = hashes.keys
    of_backgrounds, of_foregrounds = pairs
    return [
        *(((0, backgrounds[one]), (0, backgrounds[other])) for one, other in of_backgrounds),
        *(((1, foregrounds[one]), (1, foregrounds[other])) for one, other in of_foregrounds),
        *groups.links(),
    ]


class AssetHashes:
    """The perceptual hashes of the assets of a catalogue, stored by its digest.

    Without those of foregrounds that are cut from a background of their group: they are wherever
    that is.
    """

    def __init__(self, source: Source, catalogue: AssetCatalogue, groups: AssetGroups) -> None:
        self._source = source
        self._catalogue = catalogue
        cut = groups.cut_from(catalogue.backgrounds, catalogue.foregrounds)
        leaning = {place for places in cut.values() for place in places}
        self.keys = (
            catalogue.backgrounds,
            tuple(key for at, key in enumerate(catalogue.foregrounds) if at not in leaning),
        )
        """The backgrounds and the foregrounds that have hashes."""

    @property
    def backgrounds(self) -> Hashes:
        """Hashes of the backgrounds, in their order."""
        keys = self.keys[0]
        return self._cached("backgrounds", keys, lambda: background_hashes(self._source, keys))

    @property
    def foregrounds(self) -> Hashes:
        """Hashes of the foregrounds, in their order."""
        keys = self.keys[1]
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
    catalogue: AssetCatalogue, bound: Iterable[tuple[Asset, Asset]], shares: Shares
) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The backgrounds and the foregrounds of each split, sorted.

    bound: pairs of assets that belong into one split. An asset of which the source knows the split
    is in that one, or in none if it has no share, and what it is bound to goes along. Other groups
    are assigned in the order of hashes of their keys, which no seed changes, so that two datasets
    from the same assets have the same splits. Each group goes to the split that lacks most of its
    share. Groups of both kinds come first, so that the others fill up what they leave.
    """
    kinds = [catalogue.backgrounds, catalogue.foregrounds]
    assets = [(kind, key) for kind, keys in enumerate(kinds) for key in keys]
    number = {asset: at for at, asset in enumerate(assets)}
    joined = groups(len(assets), ((number[one], number[other]) for one, other in bound))
    members = [[assets[at] for at in group] for group in joined]
    hands = _Hands(shares, (len(kinds[0]), len(kinds[1])))
    if fixed := _fixed(catalogue):
        members = hands.deal_fixed(members, fixed)
    for has in ((0, 1), (0,), (1,)):
        hands.deal([group for group in members if _kinds(group) == has])
    hands.require_all(members)
    return hands.sorted()


def _kinds(group: Sequence[Asset]) -> tuple[int, ...]:
    return tuple(sorted({kind for kind, _ in group}))


class _Hands:
    """What each split has got so far. counts: of all backgrounds and of all foregrounds."""

    def __init__(self, shares: Shares, counts: tuple[int, int]) -> None:
        self._millionths = dict(shares.millionths())
        self._counts = counts
        self._keys: dict[str, tuple[list[str], list[str]]] = {
            name: ([], []) for name in self._millionths
        }

    def deal_fixed(
        self, members: Sequence[Sequence[Asset]], fixed: Mapping[Asset, str]
    ) -> list[list[Asset]]:
        """Assign the groups with an asset whose split is known; returns the others.

        Assets without one go with the first that has one.
        """
        free = []
        for group in members:
            known = [fixed[asset] for asset in group if asset in fixed]
            if not known:
                free.append(list(group))
            for asset in group if known else ():
                name, (kind, key) = fixed.get(asset, known[0]), asset
                if name in self._keys:
                    self._keys[name][kind].append(key)
        return free

    def deal(self, members: Sequence[Sequence[Asset]]) -> None:
        """Assign groups of the same kinds, the order of the hashes of their first keys."""
        in_order = sorted(members, key=lambda group: blake2b(group[0][1].encode()).digest())
        for number, group in enumerate(in_order):
            kinds = _kinds(group)
            empty = [name for name in self._keys if not all(self._keys[name][one] for one in kinds)]
            # The last groups go to the splits that are still empty, however small their share is.
            only_empty = len(in_order) - number <= len(empty)
            lacking = {
                name: sum(self._lack(name, kind) for kind in kinds)
                for name in (empty if only_empty else self._keys)
            }
            for kind, key in group:
                self._keys[max(lacking, key=lambda name: lacking[name])][kind].append(key)

    def _lack(self, name: str, kind: int) -> int:
        """How much a split lacks of a kind; both kinds weigh the same, however many they are."""
        count, other = self._counts[kind], self._counts[1 - kind]
        return (self._millionths[name] * count - MILLION * len(self._keys[name][kind])) * other

    def require_all(self, members: Sequence[Sequence[Asset]]) -> None:
        """Raise `UsageError` unless each split has assets of both kinds."""
        for kind, plural in enumerate(("backgrounds", "foregrounds")):
            if not all(keys[kind] for keys in self._keys.values()):
                count = sum(kind in _kinds(group) for group in members)
                if not count:
                    name = next(name for name, keys in self._keys.items() if not keys[kind])
                    _require_some(name, self._keys[name])
                raise UsageError(
                    f"split: {len(self._keys)} splits need as many {plural} that do not look "
                    f"alike, the source has {count}; add some, or ask for fewer splits"
                )

    def sorted(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """The keys of each split, sorted."""
        return {
            name: (tuple(sorted(backgrounds)), tuple(sorted(foregrounds)))
            for name, (backgrounds, foregrounds) in self._keys.items()
        }


def unused_by_split(catalogue: AssetCatalogue, splits: Sequence[SplitAssets]) -> Iterator[str]:
    """Yield a note about assets that are of splits for which the run has no samples."""
    used = [(one.backgrounds, one.foregrounds) for one in splits]
    unused = {
        "background": len(catalogue.backgrounds) - sum(len(keys) for keys, _ in used),
        "foreground": len(catalogue.foregrounds) - sum(len(keys) for _, keys in used),
    }
    counts = [
        f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in unused.items() if count
    ]
    if counts:
        yield f"split: not used: {' and '.join(counts)} of splits without a share of the samples"


def crowded_backgrounds(
    before: Sequence[SplitAssets], after: Sequence[SplitAssets], most: int
) -> Iterator[str]:
    """Yield a note about the backgrounds that `SplitAssets.for_objects(most)` has left out."""
    kept = {key for split in after for key in split.backgrounds}
    names = [key for split in before for key in split.backgrounds if key not in kept]
    if names:
        more = ", ..." if len(names) > _MOST_NAMED else ""
        yield (
            f"backgrounds: {len(names):,} not used, since fewer than objects={most} foregrounds "
            f"are cut from others: {', '.join(names[:_MOST_NAMED])}{more}"
        )


def leakage(
    splits: Sequence[SplitAssets], source: Source, catalogue: AssetCatalogue, shares: Shares
) -> Leakage:
    """How many assets are in two splits, and how many pairs of near-duplicates lie across them.

    A group that is in two splits counts as one asset.
    """
    if len(splits) == 1:
        return Leakage(assets=0, near_duplicates=0)
    of_source = groups_of(source, catalogue)
    hashes = AssetHashes(source, catalogue, of_source)
    owners: dict[Asset, list[str]] = defaultdict(list)
    for split in splits:
        for kind, keys in enumerate((split.backgrounds, split.foregrounds)):
            for key in keys:
                owners[kind, key].append(split.name)
    shared = sum(len(names) > 1 for names in owners.values())
    shared += sum(_are_apart(owners[one], owners[other]) for one, other in of_source.links())
    across = 0
    for kind, (keys, values) in enumerate(
        zip(hashes.keys, (hashes.backgrounds, hashes.foregrounds), strict=True)
    ):
        pairs = alike(values, shares.alike)
        across += sum(
            _are_apart(owners[kind, keys[one]], owners[kind, keys[other]]) for one, other in pairs
        )
    return Leakage(assets=shared, near_duplicates=across)


def _are_apart(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two assets are in different splits; one of a split without a share is in none."""
    return bool(one) and bool(other) and one != other
