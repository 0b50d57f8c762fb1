"""A file that changes after the check ends the run by its name; identities of assets."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from depthmask.cli.main import main
from depthmask.errors import DepthmaskError, UsageError
from depthmask.stages.source._root_files import AssetChangedError
from depthmask.stages.source.assets import Assets
from depthmask.stages.source.rooms import Rooms
from tests.support import tiny

SIZE = (24, 32)


def source(root: Path, **settings: Any) -> Assets:
    """A checked source, as a worker gets it."""
    stage = Assets(root=str(root), **settings)
    stage.check(SIZE)
    copy: Assets = pickle.loads(pickle.dumps(stage))
    return copy


@pytest.fixture
def root(assets_root: Path) -> Path:
    """A folder in which a picture has depth, and a cut-out a mask and a row."""
    (assets_root / "bg_depth").mkdir()
    Image.fromarray(np.ones((24, 32), np.uint16)).save(assets_root / "bg_depth" / "room1.png")
    (assets_root / "fg_mask").mkdir()
    shutil.copy(assets_root / "bg" / "room0.png", assets_root / "fg" / "bag.png")
    mask = np.zeros((24, 32), np.uint8)
    mask[4:20, 4:20] = 255
    Image.fromarray(mask).save(assets_root / "fg_mask" / "bag.png")
    (assets_root / "assets.csv").write_text("key,label\nbag,bag\nroom1,\n")
    return assets_root


def opened(stage: Assets) -> list[np.ndarray]:
    """The pixels of all assets, and their labels."""
    backgrounds = [stage.background(key, SIZE) for key in stage.backgrounds()]
    foregrounds = [stage.foreground(key, SIZE) for key in stage.foregrounds()]
    return [
        *(one.image for one in backgrounds),
        *(one.depth_m for one in backgrounds if one.depth_m is not None),
        *(one.rgba for one in foregrounds),
        np.array([one.label for one in foregrounds]),
    ]


@pytest.mark.parametrize(
    "name", ["bg/room0.png", "fg/cup.png", "fg_mask/bag.png", "bg_depth/room1.png", "assets.csv"]
)
@pytest.mark.parametrize("is_gone", [False, True])
def test_a_changed_file_is_named(root: Path, name: str, is_gone: bool) -> None:
    stage = source(root)
    path = root / name
    path.unlink() if is_gone else path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(AssetChangedError) as caught:
        opened(stage)
    assert str(caught.value) == (
        f"{path}: changed since the run looked at it; run the command again"
    )
    assert caught.value.final


def _another_label(root: Path) -> None:
    (root / "assets.csv").write_text("key,label\nbag,sack\n")


def _more_files(root: Path) -> None:
    shutil.copytree(root / "bg_depth", root / "bg_depth2")
    shutil.copy(root / "bg_depth" / "room1.png", root / "bg_depth" / "room2.png")
    shutil.copy(root / "bg" / "room1.png", root / "bg" / "room9.png")
    shutil.copy(root / "fg_mask" / "bag.png", root / "fg_mask" / "cup.png")


def test_what_comes_after_the_check_is_not_used(root: Path) -> None:
    (root / "assets.csv").unlink()
    stage = source(root)
    before = opened(source(root))
    _more_files(root)
    _another_label(root)
    assert not stage.has_depth("room2")
    for one, other in zip(before, opened(stage), strict=True):
        assert np.array_equal(one, other)


def test_another_check_looks_at_a_changed_file_again(root: Path) -> None:
    stage = Assets(root=str(root))
    stage.check(SIZE)
    shutil.copy(root / "bg" / "room0.png", root / "bg" / "room1.png")
    with pytest.raises(AssetChangedError, match=r"bg/room1\.png: changed since"):
        stage.background("room1", SIZE)
    stage.check(SIZE)
    assert stage.background("room1", SIZE).key == "room1"


def test_a_check_that_failed_is_none(root: Path) -> None:
    bad = root / "fg" / "bad.png"
    bad.write_text("no picture")
    stage = Assets(root=str(root))
    with pytest.raises(UsageError, match=r"bad\.png"):
        stage.check(SIZE)
    shutil.copy(root / "fg" / "cup.png", bad)
    copy = pickle.loads(pickle.dumps(stage))
    assert "bad" in copy.foregrounds()
    assert copy.foreground("bad", SIZE).key == "bad"


def test_without_a_check_files_may_change(root: Path) -> None:
    stage = Assets(root=str(root))
    before = stage.background("room0", SIZE).image
    shutil.copy(root / "bg" / "room1.png", root / "bg" / "room0.png")
    assert not np.array_equal(stage.background("room0", SIZE).image, before)


@pytest.fixture
def changed_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose cut-outs become dark once a run has checked them."""
    root = tiny.make_assets(tmp_path / "assets")
    check = Assets.check

    def changed_afterwards(self: Assets, size: tuple[int, int]) -> Any:
        catalogue = check(self, size)
        for path in (root / "fg").iterdir() if self.root == str(root) else ():
            _darker(path)
        return catalogue

    monkeypatch.setattr(Assets, "loads_quickly", False)
    monkeypatch.setattr(Assets, "check", changed_afterwards)
    return root


def words(root: Path, out: Path) -> list[str]:
    return tiny.words(root, out, "samples=8", "shard_size=2", "runner.workers=1", "depth=none")


def test_a_run_publishes_nothing_of_a_changed_file(
    changed_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # Other tests have the same assets in the store of this session.
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("depthmask.engine.from_config.can_store", lambda: False)
    assert main(words(changed_root, tmp_path / "out")) == DepthmaskError.exit_code
    error = capfd.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {changed_root}/fg/")
    assert error.endswith(": changed since the run looked at it; run the command again")
    assert not list((tmp_path / "out" / "shards").glob("*"))


def test_a_store_has_the_pixels_that_the_run_has_looked_at(
    changed_root: Path, tmp_path: Path
) -> None:
    untouched = shutil.copytree(changed_root, tmp_path / "untouched")
    shards = []
    for root in (untouched, changed_root):
        out = tmp_path / f"out-{root.name}"
        assert main(words(root, out)) == 0
        shards.append({path.name: path.read_bytes() for path in (out / "shards").iterdir()})
    assert shards[0] == shards[1]


# Identities


def identities(stage: Assets | Rooms, size: tuple[int, int] = SIZE) -> dict[str, str | None]:
    return {f"bg/{key}": stage.background_identity(key, size) for key in stage.backgrounds()} | {
        f"fg/{key}": stage.foreground_identity(key, size) for key in stage.foregrounds()
    }


def _darker(path: Path) -> None:
    with Image.open(path) as image:
        image.load()
    image.point(lambda level: level // 2).save(path)


IDENTITIES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a picture": (lambda root: _darker(root / "bg" / "room0.png"), {"bg/room0"}),
    "a depth map": (
        lambda root: Image.fromarray(np.full((24, 32), 2, np.uint16)).save(
            root / "bg_depth" / "room1.png"
        ),
        {"bg/room1"},
    ),
    "a depth map is gone": (lambda root: (root / "bg_depth/room1.png").unlink(), {"bg/room1"}),
    "a mask": (
        lambda root: Image.fromarray(np.tri(24, 32, dtype=np.uint8) * 255).save(
            root / "fg_mask" / "bag.png"
        ),
        {"fg/bag"},
    ),
    "a label": (_another_label, {"fg/bag"}),
    "metadata": (
        lambda root: (root / "assets.csv").write_text("key,label,meta.a\nbag,bag,\nroom1,,b\n"),
        {"bg/room1"},
    ),
    "a focal length": (
        lambda root: (root / "assets.csv").write_text("key,label,f_px\nbag,bag,\nroom1,,30\n"),
        {"bg/room1"},
    ),
    "a height": (
        lambda root: (root / "assets.csv").write_text("key,label,height_m\nbag,bag,1\nroom1,,\n"),
        {"fg/bag"},
    ),
}


@pytest.mark.parametrize("change", IDENTITIES)
def test_an_identity_changes_with_what_decides_the_pixels(root: Path, change: str) -> None:
    make, others = IDENTITIES[change]
    before = identities(source(root))
    make(root)
    after = identities(source(root))
    assert {name for name in before if before[name] != after[name]} == others


def test_an_identity_is_that_of_contents_and_settings(root: Path) -> None:
    stage = source(root)
    here = identities(stage)
    assert None not in here.values()
    assert len({*here.values()}) == len(here) - 1, "cup and vase are the same picture"
    (root / "bg" / "room0.png").rename(root / "bg" / "another.png")
    moved = root.rename(root.parent / "moved")
    there = identities(source(moved))
    assert there.pop("bg/another") == here.pop("bg/room0")
    assert there == here
    larger = source(moved, foreground_scale=0.5)
    assert identities(larger)["bg/room1"] == here["bg/room1"]
    assert identities(larger)["fg/cup"] != here["fg/cup"]
    assert not {*identities(larger, (8, 8)).values()} & {*here.values(), *there.values()}


def test_what_has_no_identity(root: Path) -> None:
    assert {*identities(Assets(root=str(root))).values()} == {None}, "before any check"

    class Darker(Assets):
        pass

    class OtherRooms(Rooms):
        pass

    darker = Darker(root=str(root))
    darker.check(SIZE)
    assert {*identities(darker).values()} == {None}
    assert {*identities(OtherRooms(rooms=2, furniture=2)).values()} == {None}


def test_identities_of_rooms() -> None:
    rooms = Rooms(rooms=2, furniture=2)
    here = identities(rooms)
    assert len({*here.values()}) == 4
    assert identities(Rooms(rooms=2, furniture=2)) == here
    for other in (Rooms(rooms=2, furniture=2, seed=1), Rooms(rooms=2, furniture=2, oversample=1)):
        assert not {*identities(other).values()} & {*here.values()}
    assert not {*identities(rooms, (8, 8)).values()} & {*here.values()}
