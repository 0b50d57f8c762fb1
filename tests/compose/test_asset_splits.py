"""Which assets belong to which split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from depthmask.compose.asset_splits import assign, leakage, split_assets
from depthmask.compose.near_duplicates import Hashes, alike
from depthmask.config.compose import compose_root
from depthmask.data import AssetCatalogue, Background, Foreground, Size
from depthmask.errors import UsageError
from depthmask.plan.plan import SplitAssets
from depthmask.plan.shares import MILLION, Shares
from depthmask.stage import setting, stage
from depthmask.stage.calls import StageError
from depthmask.stages.source.base import Source, catalogue_of
from depthmask.storage.dataset_info import Leakage

EIGHT = Shares(train=0.8, val=0.1, test=0.1)


def unlike(count: int) -> Hashes:
    return np.random.default_rng(1).integers(0, 2**63, (count, 2)).astype(np.uint64)


def keys(count: int) -> list[str]:
    return [f"k{number:03d}" for number in range(count)]


def foregrounds_of(
    foregrounds: Sequence[str], hashes: Hashes, shares: Shares
) -> dict[str, tuple[str, ...]]:
    """Those of each split; there are as many backgrounds, of which none looks like another."""
    pairs = alike(hashes, shares.alike)
    bound = (((1, foregrounds[one]), (1, foregrounds[other])) for one, other in pairs)
    both = AssetCatalogue(
        "", backgrounds=tuple(keys(len(foregrounds))), foregrounds=tuple(foregrounds)
    )
    return {name: hand[1] for name, hand in assign(both, bound, shares).items()}


@pytest.mark.parametrize(
    ("count", "expected"), [(100, (80, 10, 10)), (3, (1, 1, 1)), (5, (3, 1, 1))]
)
def test_each_split_gets_its_share_and_one_at_least(count: int, expected: tuple[int, ...]) -> None:
    hands = foregrounds_of(keys(count), unlike(count), EIGHT)
    assert tuple(map(len, hands.values())) == expected
    assert sorted(key for hand in hands.values() for key in hand) == keys(count)
    assert all(list(hand) == sorted(hand) for hand in hands.values())


def test_the_names_decide_and_not_their_order() -> None:
    hands = foregrounds_of(keys(50), unlike(50), EIGHT)
    backwards = foregrounds_of(keys(50)[::-1], unlike(50)[::-1], EIGHT)
    assert hands == backwards
    # Not simply the first ones: those are often of one place.
    assert hands["train"] != tuple(keys(40))


def test_near_duplicates_are_dealt_together() -> None:
    looks = unlike(40)
    looks[20:] = looks[:20] ^ np.uint64(0b111)
    hands = foregrounds_of(keys(40), looks, EIGHT)
    owner = {key: name for name, hand in hands.items() for key in hand}
    for number in range(20):
        assert owner[f"k{number:03d}"] == owner[f"k{number + 20:03d}"]
    apart = foregrounds_of(keys(40), looks, Shares(train=0.8, val=0.1, test=0.1, alike=2))
    of_train = set(apart["train"])
    assert any((f"k{n:03d}" in of_train) != (f"k{n + 20:03d}" in of_train) for n in range(20))


def test_too_few_that_differ_are_refused() -> None:
    with pytest.raises(UsageError, match=r"3 splits need as many foregrounds .* has 1; add some"):
        foregrounds_of(keys(4), np.zeros((4, 2), np.uint64), EIGHT)


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


HALF = Shares(train=0.5, val=0.5)


def with_splits(backgrounds: dict[str, str], foregrounds: dict[str, str]) -> AssetCatalogue:
    """Eight assets of each kind, of which some have a split."""
    return AssetCatalogue(
        "",
        backgrounds=tuple(keys(8)),
        foregrounds=tuple(keys(8)),
        background_splits=backgrounds,
        foreground_splits=foregrounds,
    )


def test_a_split_of_the_source_counts_and_takes_near_duplicates_along() -> None:
    fixed = with_splits({"k000": "val", "k001": "train"}, {"k000": "train"})
    hands = assign(fixed, [((0, "k000"), (0, "k007")), ((1, "k000"), (1, "k003"))], HALF)
    assert {"k000", "k007"} <= set(hands["val"][0])
    assert "k001" in hands["train"][0]
    assert {"k000", "k003"} <= set(hands["train"][1])
    for kind in (0, 1):
        assert sorted(key for hand in hands.values() for key in hand[kind]) == keys(8)
        assert [len(hand[kind]) for hand in hands.values()] == [4, 4]


def test_what_is_of_a_split_without_a_share_is_in_none() -> None:
    fixed = with_splits({"k000": "test"}, {"k001": "test"})
    hands = assign(fixed, [((0, "k000"), (0, "k007"))], HALF)
    assert not {"k000", "k007"} & {key for hand in hands.values() for key in hand[0]}
    assert "k001" not in {key for hand in hands.values() for key in hand[1]}


def test_a_group_of_two_splits_is_divided_as_the_source_says() -> None:
    fixed = with_splits({"k000": "val", "k001": "train"}, {})
    hands = assign(fixed, [((0, "k000"), (0, "k001")), ((0, "k001"), (0, "k002"))], HALF)
    assert {"k000", "k002"} <= set(hands["val"][0])
    assert "k001" in hands["train"][0]


def test_a_split_to_which_the_source_gives_nothing_is_refused() -> None:
    fixed = with_splits(dict.fromkeys(keys(8), "val"), {})
    with pytest.raises(UsageError, match=r"^split.train: the source has no backgrounds for it"):
        assign(fixed, [], HALF)


@stage("grouped")
class Grouped(Painted):
    """Two backgrounds and four foregrounds of noise for each photograph."""

    alone: bool = setting(False, help="whether backgrounds have no group")

    def backgrounds(self) -> Sequence[str]:
        return keys(24)

    def foregrounds(self) -> Sequence[str]:
        return keys(48)

    def background_group(self, key: str) -> str | None:
        return None if self.alone else f"photograph {int(key[1:]) // 2}"

    def foreground_group(self, key: str) -> str | None:
        return f"photograph {int(key[1:]) // 4}"


def grouped(*, alone: bool = False) -> tuple[Grouped, AssetCatalogue]:
    source = Grouped(alone=alone)
    both = tuple(source.backgrounds()), tuple(source.foregrounds())
    return source, AssetCatalogue("grouped", backgrounds=both[0], foregrounds=both[1])


@pytest.mark.parametrize("alone", [False, True])
def test_a_group_is_in_one_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path))
    source, catalogue = grouped(alone=alone)
    shares = Shares(train=0.5, val=0.25, test=0.25, alike=0)
    splits = split_assets(source, catalogue, shares)
    assert leakage(splits, source, catalogue, shares).assets == 0
    assert [len(split.backgrounds) for split in splits] == [12, 6, 6]
    assert [len(split.foregrounds) for split in splits] == [24, 12, 12]
    for split in splits:
        photographs = {source.foreground_group(key) for key in split.foregrounds}
        assert len(photographs) == len(split.foregrounds) // 4
        if not alone:
            assert photographs == {source.background_group(key) for key in split.backgrounds}
        for key, places in split.cut_from.items():
            own = [split.foregrounds[place] for place in places]
            assert {source.foreground_group(one) for one in own} == {source.background_group(key)}
            assert len(own) == 4
        assert len(split.cut_from) == (0 if alone else len(split.backgrounds))


def test_foregrounds_of_photographs_that_are_backgrounds_are_not_hashed() -> None:
    source, catalogue = grouped()
    split_assets(source, catalogue, Shares(train=0.5, val=0.5, alike=0))
    assert source.asked <= 24
    source, catalogue = grouped(alone=True)
    assert split_assets(source, catalogue, Shares())[0].cut_from == {}


def test_a_group_in_two_splits_is_leakage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path))
    source, catalogue = grouped()
    shares = Shares(train=0.5, val=0.5, alike=0)
    one, two = split_assets(source, catalogue, shares)
    swapped = (
        SplitAssets("train", one.share, one.backgrounds, two.foregrounds),
        SplitAssets("val", two.share, two.backgrounds, one.foregrounds),
    )
    assert leakage(swapped, source, catalogue, shares).assets == 48


def test_groups_must_be_texts() -> None:
    class Odd(Grouped):
        def foreground_group(self, key: str) -> str | None:
            return 7  # type: ignore[return-value]

    _, catalogue = grouped()
    with pytest.raises(StageError, match="foreground_group returned 7; expected a text, or None"):
        split_assets(Odd(), catalogue, Shares())
