"""Prepared assets come back from the store as they were, under the key that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from depthmask.asset_store import prepared
from depthmask.asset_store.folder import stored_files
from depthmask.asset_store.names import _machine, entry_name
from depthmask.data import Background, BackgroundInstance, Camera, Foreground, Plane

SIZE = (4, 5)
ROOM = Background(
    key="room",
    image=np.arange(60, dtype=np.uint8).reshape(*SIZE, 3),
    depth_m=np.linspace(1, 9, 20, dtype=np.float32).reshape(SIZE),
    camera=Camera(0.1 + 0.2, 1 / 3, 2e-17, 1.5, sys.float_info.min),
    plane=Plane((0.1, 1 / 3, -0.0), 1.7),
    floor=np.array([3, 4], np.uint32),
    guessed=True,
    meta={"caption": "ü", "keypoints": [[0.5, 1.25, 2]]},
)
CUP = Foreground(
    key="cup",
    label="a cup",
    rgba=np.arange(80, dtype=np.uint8).reshape(*SIZE, 4),
    relief_m=np.full(SIZE, 0.1, np.float32),
    height_m=0.1 + 0.2,
    meta={"row": 1},
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))


def assert_same(one: object, other: object) -> None:
    assert type(one) is type(other)
    for item in fields(one):  # type: ignore[arg-type]
        value, wanted = getattr(one, item.name), getattr(other, item.name)
        assert type(value) is type(wanted), item.name
        np.testing.assert_array_equal(value, wanted)


def test_instances_come_back() -> None:
    shapes = [(1, 1), (3, 5), (4, 2)]
    rng = np.random.default_rng(0)
    before = tuple(
        BackgroundInstance(
            f"ü {number}",
            rng.random(shape) < 0.6,
            number,
            is_crowd=number == 1,
            is_in_mask=number == 2,
            meta={"id": number} if number else None,
        )
        for number, shape in enumerate(shapes)
    )
    prepared.save_background("rooms", "id", replace(ROOM, instances=before))
    loaded = prepared.load_background("rooms", "id", "room")
    assert loaded is not None
    for one, other in zip(loaded.instances, before, strict=True):
        for item in fields(one):
            np.testing.assert_array_equal(getattr(one, item.name), getattr(other, item.name))
        assert one.mask.dtype == np.bool_
        assert not one.mask.flags.writeable


def test_a_background_without_instances_has_no_bytes_for_them() -> None:
    """Entries of earlier versions are read, and new ones have their bytes."""
    prepared.save_background("rooms", "id", ROOM)
    (path,) = (one.path for one in stored_files())
    assert b"instances" not in path.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"depth_m": None, "camera": None, "plane": None, "floor": None, "meta": None},
        {"guessed": False, "floor": np.empty(0, np.uint32)},
    ],
)
def test_a_background_comes_back(change: dict[str, object]) -> None:
    room = replace(ROOM, **change)  # type: ignore[arg-type]
    assert prepared.load_background("rooms", "1", "room") is None
    prepared.save_background("rooms", "1", room)
    found = prepared.load_background("rooms", "1", "room")
    assert found is not None
    assert_same(found, room)
    # The same content has the same entry under all its names.
    found = prepared.load_background("rooms", "1", "hall")
    assert found is not None
    assert found.key == "hall"


@pytest.mark.parametrize("change", [{}, {"relief_m": None, "height_m": None, "meta": None}])
def test_a_foreground_comes_back(change: dict[str, object]) -> None:
    cup = replace(CUP, **change)  # type: ignore[arg-type]
    prepared.save_foreground("assets", "1", cup)
    found = prepared.load_foreground("assets", "1", "cup")
    assert found is not None
    assert_same(found, cup)


def test_numbers_of_numpy_become_those_of_python() -> None:
    """Or arithmetic with float32 would differ between a fresh asset and a stored one."""
    assert ROOM.camera is not None
    wide = replace(ROOM.camera, f_px=np.float64(0.1))
    prepared.save_background("rooms", "1", replace(ROOM, camera=wide))
    found = prepared.load_background("rooms", "1", "room")
    assert found is not None
    assert found.camera is not None
    assert type(found.camera.f_px) is float
    assert found.camera.f_px == 0.1


def test_sources_and_kinds_are_counted_apart() -> None:
    prepared.save_background("rooms", "1", ROOM)
    prepared.save_foreground("rooms", "1", CUP)
    assert prepared.has_background("rooms", "1")
    assert prepared.has_foreground("rooms", "1")
    assert not prepared.has_background("assets", "1")
    assert prepared.load_background("rooms", "2", "room") is None
    assert sorted(one.group for one in stored_files()) == ["rooms-backgrounds", "rooms-foregrounds"]


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr("depthmask.asset_store.names.PIXEL_VERSION", 99),
        lambda patch: patch.setattr("depthmask.asset_store.names.__version__", "9.9"),
        lambda patch: patch.setattr("importlib.metadata.version", lambda name: "9.9"),
        lambda patch: patch.setenv("OPENBLAS_CORETYPE", "Sandybridge"),
        lambda patch: patch.setattr("depthmask.asset_store.names._CODE", (Path(__file__).parent,)),
    ],
)
def test_other_software_and_processors_have_other_entries(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    _machine.cache_clear()
    before = entry_name("depth", "room", 1)
    assert entry_name("depth", "room", 1) == before
    assert entry_name("depth", "room", 2) != before
    with monkeypatch.context() as patch:
        change(patch)
        _machine.cache_clear()
        assert entry_name("depth", "room", 1) != before
    _machine.cache_clear()
    assert entry_name("depth", "room", 1) == before
