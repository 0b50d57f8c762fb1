"""Each asset is looked at once: what is known, what makes a run look again, and how it is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.asset_store import names
from depthmask.caching import nothing_stored
from depthmask.data import AssetCatalogue
from depthmask.errors import UsageError
from depthmask.stages.source import _looks
from depthmask.stages.source._folder import AssetError
from depthmask.stages.source._inspection import OnBadAsset
from depthmask.stages.source._looks import Asset, Look
from depthmask.stages.source.assets import Assets
from depthmask.stages.source.base import checks_shown
from depthmask.storage.location import location

SIZE = (24, 32)
BASE = ["bg/room0", "bg/room1", "bg/room2", "fg/cup", "fg/vase"]


@dataclass
class Checks:
    """Checks of a folder, each as in a new process; `looked_at` are the assets of the last one."""

    root: Path
    looked_at: list[str] = field(default_factory=list)
    bars: list[tuple[str, int, int]] = field(default_factory=list)

    def check(self, stage: Assets | None = None, **settings: Any) -> AssetCatalogue:
        _looks._in_memory.clear()
        return self.next_job(stage, **settings)

    def next_job(self, stage: Assets | None = None, **settings: Any) -> AssetCatalogue:
        """A check in the same process."""
        self.looked_at.clear()
        self.bars.clear()
        stage = stage or Assets(root=str(self.root), **settings)
        with checks_shown(self._bar):
            return stage.check(SIZE)

    @contextmanager
    def _bar(self, total: int, title: str) -> Iterator[Callable[[int], None]]:
        counts = [0]
        yield counts.append
        self.bars.append((title, total, sum(counts)))


@pytest.fixture
def checks(assets_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checks:
    """Checks of files that have settled, with a cache of their own."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_looks, "_SETTLED_NS", 0)
    checks = Checks(assets_root)
    look = Assets._look

    def recorded(self: Assets, asset: Asset, size: tuple[int, int]) -> Look:
        checks.looked_at.append(f"{asset.folder}/{asset.key}")
        checks.looked_at.sort()
        return look(self, asset, size)

    monkeypatch.setattr(Assets, "_look", recorded)
    return checks


def save_cut_out(path: Path, colour: int = 9) -> None:
    cut_out = np.full((10, 8, 4), colour, np.uint8)
    cut_out[3:7, 2:6, 3] = 255
    Image.fromarray(cut_out).save(path)


def test_a_second_run_looks_at_nothing(checks: Checks) -> None:
    first = checks.check()
    assert (checks.looked_at, checks.bars) == (BASE, [("check", 5, 5)])
    assert checks.check() == first
    assert (checks.looked_at, checks.bars) == ([], [("check", 0, 0)])
    # Neither the canvas nor the settings change what a look tells.
    checks.check(foreground_scale=None, on_bad_asset=OnBadAsset.skip)
    assert checks.looked_at == []


def test_one_more_picture_is_one_look(checks: Checks) -> None:
    checks.check()
    save_cut_out(checks.root / "fg" / "bag.png")
    assert "bag" in checks.check().foregrounds
    assert checks.looked_at == ["fg/bag"]
    checks.check()
    assert checks.looked_at == []


def test_files_that_have_just_changed_are_looked_at_again(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The times of file systems are coarse: another change may not show."""
    monkeypatch.setattr(_looks, "_SETTLED_NS", 10**12)
    checks.check()
    checks.check()
    assert checks.looked_at == BASE


def _replaced(root: Path) -> None:
    shutil.copy(root / "bg" / "room1.png", root / "bg" / "room0.png")


def _same_size_and_time(root: Path) -> None:
    path = root / "fg" / "cup.png"
    before = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _depth(root: Path) -> None:
    (root / "bg_depth").mkdir()
    Image.fromarray(np.ones((24, 32), np.uint16)).save(root / "bg_depth" / "room1.png")


def _unused_mask(root: Path) -> None:
    (root / "fg_mask").mkdir()
    Image.new("L", (8, 10), 255).save(root / "fg_mask" / "cup.png")


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a picture is replaced": (_replaced, ["bg/room0"]),
    "bytes are written in place": (_same_size_and_time, ["fg/cup"]),
    "a picture is renamed": (
        lambda root: (root / "bg" / "room2.png").rename(root / "bg" / "room3.png"), ["bg/room3"],
    ),
    "a picture is gone": (lambda root: (root / "bg" / "room2.png").unlink(), []),
    "a depth map comes": (_depth, ["bg/room1"]),
    "a mask comes": (_unused_mask, ["fg/cup"]),
    "the row of a picture": (
        lambda root: (root / "assets.csv").write_text("key,f_px\nroom1,30\n"), ["bg/room1"],
    ),
    "a label": (lambda root: (root / "assets.csv").write_text("key,label\ncup,Tasse\n"), []),
    "another format": (
        lambda root: (root / "bg" / "room2.png").rename(root / "bg" / "room2.jpg"), ["bg/room2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_makes_a_run_look_again(checks: Checks, change: str) -> None:
    make, looks = CHANGES[change]
    checks.check()
    make(checks.root)
    known = checks.check()
    assert checks.looked_at == looks
    # It is as if nothing had been known.
    assert checks.check(recheck=True) == known


def _cut_outs_with_faults(root: Path) -> None:
    picture = (root / "bg" / "room0.png").read_bytes()
    for name in ("plain", "masked", "cup_mask"):
        (root / "fg" / f"{name}.png").write_bytes(picture)
    (root / "bg" / "cut.png").write_bytes(picture[:-40])
    (root / "bg" / "text.png").write_text("no picture")
    for folder in ("fg_mask", "bg_depth"):
        (root / folder).mkdir()
    Image.new("L", (3, 3), 255).save(root / "fg_mask" / "masked.png")
    Image.fromarray(np.ones((9, 9), np.uint16)).save(root / "bg_depth" / "room1.png")
    (root / "assets.csv").write_text("key,f_px\nroom2,900000\n")


def test_faults_have_the_same_words_and_order(checks: Checks) -> None:
    _cut_outs_with_faults(checks.root)
    texts = []
    rounds: list[dict[str, Any]] = [{}, {}, {"recheck": True}]
    for settings in rounds:
        with pytest.raises(UsageError) as caught:
            checks.check(**settings)
        texts.append((str(caught.value), list(checks.looked_at)))
    (first, _), (known, looked_at), (rechecked, _) = texts
    assert first == known == rechecked
    assert "; 6 more:" in first
    assert looked_at == []
    skipped = checks.check(on_bad_asset=OnBadAsset.skip)
    assert len(skipped.left_out) == 7
    assert skipped == checks.check(on_bad_asset=OnBadAsset.skip, recheck=True)
    # A reason that names other files follows their names.
    (checks.root / "fg_mask" / "masked.png").rename(checks.root / "fg_mask" / "plain_mask.png")
    renamed = checks.check(on_bad_asset=OnBadAsset.skip)
    assert checks.looked_at == ["fg/masked"]
    assert any("fg_mask/plain_mask.png may be its mask" in one.reason for one in renamed.left_out)
    assert renamed == checks.check(on_bad_asset=OnBadAsset.skip, recheck=True)


def test_a_mended_file_is_no_fault(checks: Checks) -> None:
    (checks.root / "fg" / "bag.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"bag\.png"):
        checks.check()
    save_cut_out(checks.root / "fg" / "bag.png")
    assert "bag" in checks.check().foregrounds
    assert checks.looked_at == ["fg/bag"]


def test_what_was_seen_before_an_interruption_is_kept(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthmask.stages.source._looking.cores", lambda: 1)
    look = Assets._look

    def interrupted(self: Assets, asset: Asset, size: tuple[int, int]) -> Look:
        if asset.key == "cup":
            raise KeyboardInterrupt
        return look(self, asset, size)

    with monkeypatch.context() as patch:
        patch.setattr(Assets, "_look", interrupted)
        with pytest.raises(KeyboardInterrupt):
            checks.check()
    checks.check()
    assert checks.looked_at == ["fg/cup", "fg/vase"]


# How it is kept


def kept_files(checks: Checks) -> list[Path]:
    return list((checks.root.parent / "cache" / "store" / "checks").glob("*/*"))


@pytest.mark.parametrize("place", [0, 200, -1])
def test_a_damaged_file_costs_time_alone(checks: Checks, place: int) -> None:
    first = checks.check()
    (path,) = kept_files(checks)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert checks.check() == first
    assert checks.looked_at == BASE
    path.write_bytes(data[:100])
    assert checks.check() == first
    assert checks.looked_at == BASE


def test_another_version_looks_again(checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    checks.check()
    monkeypatch.setattr(names, "_machine", lambda: "another version of Pillow")
    checks.check()
    assert checks.looked_at == BASE


def test_another_folder_of_the_same_files(checks: Checks) -> None:
    checks.check()
    other = shutil.copytree(checks.root, checks.root.parent / "other")
    checks.check(Assets(root=str(other)))
    assert checks.looked_at == BASE
    checks.check()
    assert checks.looked_at == []


@pytest.mark.parametrize("is_dry", [False, True])
def test_where_nothing_can_be_kept_the_jobs_of_a_sweep_share_looks(
    checks: Checks, monkeypatch: pytest.MonkeyPatch, is_dry: bool
) -> None:
    if is_dry:
        with nothing_stored():
            checks.check()
    else:
        (checks.root.parent / "file").write_text("")
        monkeypatch.setenv("DEPTHMASK_CACHE", str(checks.root.parent / "file"))
        checks.check()
    checks.next_job()
    assert checks.looked_at == []
    assert not (checks.root.parent / "cache").exists()


def test_a_subclass_may_find_other_faults(checks: Checks) -> None:
    """Its code may change without a version, so that only this process keeps its looks."""

    class Stricter(Assets):
        def background(self, key: str, size: tuple[int, int]) -> Any:
            if key == "room1":
                raise AssetError(self._files.of("bg")[key], "too dull")
            return super().background(key, size)

    checks.check()
    with pytest.raises(UsageError, match="too dull"):
        checks.check(Stricter(root=str(checks.root)))
    assert len(kept_files(checks)) == 1
    with pytest.raises(UsageError, match="too dull"):
        checks.next_job(Stricter(root=str(checks.root)))
    # The others are known; this one was not read.
    assert checks.looked_at == ["bg/room1"]


def test_an_object_with_the_same_etag_is_not_looked_at_again(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_looks, "_SETTLED_NS", 10**12)
    top = location(f"memory://bucket/{checks.root.parent.name}")
    for path in checks.root.glob("*/*"):
        (top / path.parent.name / path.name).write_whole(path.read_bytes())
    source = Assets(root=str(top))
    first = checks.check(source)
    assert (checks.looked_at, checks.bars) == (BASE, [("copy", 5, 5), ("check", 5, 5)])
    assert checks.check(source).hashes == first.hashes
    assert checks.bars == [("check", 0, 0)]
    assert checks.looked_at == []
    (top / "bg" / "room0.png").write_whole((checks.root / "bg" / "room1.png").read_bytes())
    assert checks.check(source).digest != first.digest
    assert checks.looked_at == ["bg/room0"]
