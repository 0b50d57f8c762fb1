"""Which assets belong to which split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from depthmask.compose.asset_splits import assign, leakage, split_assets
from depthmask.compose.near_duplicates import Hashes
from depthmask.config.compose import compose_root
from depthmask.data import AssetCatalogue, Background, Foreground, Size
from depthmask.errors import UsageError
from depthmask.plan.plan import SplitAssets
from depthmask.plan.shares import MILLION, Shares
from depthmask.stage import setting, stage
from depthmask.stages.source.base import Source, catalogue_of
from depthmask.storage.dataset_info import Leakage

EIGHT = Shares(train=0.8, val=0.1, test=0.1)


def unlike(count: int) -> Hashes:
    return np.random.default_rng(1).integers(0, 2**63, (count, 2)).astype(np.uint64)


def keys(count: int) -> list[str]:
    return [f"k{number:03d}" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "expected"), [(100, (80, 10, 10)), (3, (1, 1, 1)), (5, (3, 1, 1))]
)
def test_each_split_gets_its_share_and_one_at_least(count: int, expected: tuple[int, ...]) -> None:
    hands = assign(keys(count), unlike(count), EIGHT, "backgrounds")
    assert tuple(map(len, hands.values())) == expected
    assert sorted(key for hand in hands.values() for key in hand) == keys(count)
    assert all(list(hand) == sorted(hand) for hand in hands.values())


def test_the_names_decide_and_not_their_order() -> None:
    hands = assign(keys(50), unlike(50), EIGHT, "backgrounds")
    backwards = assign(keys(50)[::-1], unlike(50)[::-1], EIGHT, "backgrounds")
    assert hands == backwards
    # Not simply the first ones: those are often of one place.
    assert hands["train"] != tuple(keys(40))


def test_near_duplicates_are_dealt_together() -> None:
    looks = unlike(40)
    looks[20:] = looks[:20] ^ np.uint64(0b111)
    hands = assign(keys(40), looks, EIGHT, "backgrounds")
    owner = {key: name for name, hand in hands.items() for key in hand}
    for number in range(20):
        assert owner[f"k{number:03d}"] == owner[f"k{number + 20:03d}"]
    apart = assign(keys(40), looks, Shares(train=0.8, val=0.1, test=0.1, alike=2), "backgrounds")
    of_train = set(apart["train"])
    assert any((f"k{n:03d}" in of_train) != (f"k{n + 20:03d}" in of_train) for n in range(20))


def test_too_few_that_differ_are_refused() -> None:
    with pytest.raises(UsageError, match=r"3 splits need as many foregrounds .* has 1; add some"):
        assign(keys(4), np.zeros((4, 2), np.uint64), EIGHT, "foregrounds")


@stage("painted")
class Painted(Source):
    """Pictures of noise; every second one is the mirror image of the one before."""

    count: int = setting(12, help="of each")
    asked: int = setting(0, help="how many pictures were asked for")

    def backgrounds(self) -> Sequence[str]:
        return keys(self.count)

    def foregrounds(self) -> Sequence[str]:
        return keys(self.count)

    def background(self, key: str, size: Size) -> Background:
        self.asked += 1
        number = int(key[1:])
        small = np.random.default_rng(number // 2).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        image = small.repeat(8, axis=0).repeat(8, axis=1)
        return Background(key, image[:, ::-1] if number % 2 else image)

    def foreground(self, key: str, size: Size) -> Foreground:
        image = self.background(key, size).image
        alpha = np.full((*image.shape[:2], 1), 255, np.uint8)
        return Foreground(key, "x", np.concatenate([image, alpha], axis=2))

    def has_depth(self, key: str) -> bool:
        return False

    def check(self, size: Size) -> AssetCatalogue:
        return AssetCatalogue("")


def catalogue(digest: str = "") -> AssetCatalogue:
    return AssetCatalogue(digest, backgrounds=tuple(keys(12)), foregrounds=tuple(keys(12)))


def test_a_single_split_looks_at_no_picture() -> None:
    source = Painted()
    assert split_assets(source, catalogue(), Shares()) == (
        SplitAssets("train", MILLION, tuple(keys(12)), tuple(keys(12))),
    )
    assert source.asked == 0


def test_how_pictures_look_is_kept_under_the_hash_of_the_assets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path))
    source = Painted()
    first = split_assets(source, catalogue("abc"), EIGHT)
    assert source.asked == 24
    assert split_assets(source, catalogue("abc"), EIGHT) == first
    assert source.asked == 24
    split_assets(source, catalogue("other"), EIGHT)
    assert source.asked == 48


@pytest.mark.parametrize("at", [10, -20])
def test_damaged_hashes_change_no_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """A bit of the header, and one of the hashes of the last picture."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path))
    first = split_assets(Painted(), catalogue("abc"), EIGHT)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        content = bytearray(path.read_bytes())
        content[at] ^= 64
        path.write_bytes(content)
    for asked in (24, 0):
        source = Painted()
        assert split_assets(source, catalogue("abc"), EIGHT) == first
        assert source.asked == asked


def test_leakage_counts_shared_assets_and_pairs_across(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path))
    source = Painted()
    good = split_assets(source, catalogue("abc"), EIGHT)
    assert leakage(good, source, catalogue("abc"), EIGHT) == Leakage(assets=0, near_duplicates=0)
    even, odd = tuple(keys(12)[::2]), tuple(keys(12)[1::2])
    bad = (SplitAssets("train", 1, even, even), SplitAssets("val", 1, odd, (*odd, "k000")))
    # Six mirror images of each kind; of k000 and k001 the cut-outs are both in val as well.
    assert leakage(bad, source, catalogue("abc"), EIGHT) == Leakage(assets=1, near_duplicates=12)


def test_made_rooms_can_be_split() -> None:
    words = ["split.train=0.5", "split.val=0.5", "source.rooms=4", "source.furniture=6"]
    root = compose_root(words)
    catalogue = catalogue_of(root.source, root.canvas)
    splits = split_assets(root.source, catalogue, root.split)
    assert [(one.name, len(one.backgrounds), len(one.foregrounds)) for one in splits] == [
        ("train", 2, 3),
        ("val", 2, 3),
    ]
