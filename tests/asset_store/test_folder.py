"""The store on disk: it costs time only, whatever state it is in, and keeps its limit."""

from __future__ import annotations

import io
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from depthmask.asset_store import folder
from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import (
    can_store,
    clear,
    is_stored,
    load,
    save,
    set_limit,
    store_folder,
    stored_files,
    trim,
)
from depthmask.caching import FifoCache, nothing_stored

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)
NAME = "depth/abcdef"
HOUR_S = 3600


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that does not exist yet, and a process that has not warned yet."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folder, "_unwritten", FifoCache[bytes](len))
    monkeypatch.setattr(folder, "_limit", None)
    monkeypatch.setattr(folder, "_unchecked_bytes", 0)
    folder._warn.cache_clear()
    return store_folder()


def put(name: str = NAME) -> None:
    save(name, Entry({"key": name}, {"depth_m": ARRAY}))


def assert_loaded(name: str = NAME) -> None:
    entry = load(name)
    assert entry is not None
    assert entry.fields == {"key": name}
    np.testing.assert_array_equal(entry.arrays["depth_m"], ARRAY)


def path_of(name: str) -> Path:
    group, _, digest = name.partition("/")
    return store_folder() / group / digest[:1] / digest


def test_an_entry_comes_back() -> None:
    assert load(NAME) is None
    assert not is_stored(NAME)
    put()
    assert is_stored(NAME)
    assert_loaded()
    assert [path.name for path in path_of(NAME).parent.iterdir()] == ["abcdef"]


def test_two_entries_that_changed_places_are_not_used() -> None:
    put()
    put("depth/abcdee")
    one, other = path_of(NAME), path_of("depth/abcdee")
    content = one.read_bytes()
    shutil.copy(other, one)
    other.write_bytes(content)
    assert load(NAME) is None
    assert load("depth/abcdee") is None


class FullDisk(io.FileIO):
    """A file of which half is written."""

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write half."""
        content = b"".join(lines)
        self.write(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))


@pytest.mark.parametrize("state", ["a file", "read-only", "full", "no home"])
def test_a_store_that_cannot_be_written_ends_nothing(
    store: Path, state: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> str:
        raise RuntimeError("could not determine the home directory")

    usual = Path.open

    def open_full(path: Path, mode: str = "r", **options: Any) -> Any:
        return FullDisk(path, "w") if mode == "wb" else usual(path, mode, **options)

    def no_rights(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    if state == "a file":
        store.parent.touch()
    elif state == "read-only":
        monkeypatch.setattr(Path, "mkdir", no_rights)
    elif state == "full":
        monkeypatch.setattr(Path, "open", open_full)
    else:
        monkeypatch.delenv("DEPTHMASK_CACHE")
        monkeypatch.setattr(platformdirs, "user_cache_dir", refuse)
    assert can_store() == (state == "full")
    for number in range(3):
        put(f"looks/ab{number}")
    put()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("later runs repeat work of this one: ")
    assert record.getMessage().endswith("DEPTHMASK_CACHE=FOLDER")
    # For this run it is in memory.
    assert_loaded()
    assert is_stored(NAME)
    if state == "full":
        assert not [path for path in store.rglob("*") if path.is_file()]


def test_a_dry_run_keeps_nothing(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    with nothing_stored():
        put()
        assert not can_store()
    assert not caplog.records
    assert not store.exists()
    assert load(NAME) is None


def test_a_store_that_is_deleted_is_made_again(store: Path) -> None:
    put()
    shutil.rmtree(store)
    assert load(NAME) is None
    put()
    assert_loaded()
    clear()
    assert not store.exists()
    clear()


def aged(names: list[str]) -> None:
    """Make entries, of which each was used an hour before the next."""
    for hours, name in enumerate(reversed(names)):
        put(name)
        used = time.time() - (hours + 2) * HOUR_S
        os.utime(path_of(name), (used, used))


def test_what_was_not_used_for_the_longest_time_leaves() -> None:
    names = [f"depth/{number:02d}ff" for number in range(10)]
    aged(names)
    size = path_of(names[0]).stat().st_size
    # A use counts, not the time of writing.
    assert_loaded(names[0])
    set_limit(size * 5)
    trim()
    left = [name for name in names if is_stored(name)]
    # Down to nine tenths of the limit.
    assert left == [names[0], *names[7:]]
    trim()
    assert [name for name in names if is_stored(name)] == left


def test_a_process_that_writes_much_keeps_the_limit() -> None:
    put("depth/00")
    size = path_of("depth/00").stat().st_size
    set_limit(size * 30)
    for number in range(200):
        put(f"depth/{number:03d}")
        assert sum(one.bytes for one in stored_files()) <= size * 32


def test_the_store_is_looked_through_once_much_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of bytes: thousands of files take long to look through."""
    put("depth/00")
    size, looks = path_of("depth/00").stat().st_size, []
    monkeypatch.setattr(folder, "_unchecked_bytes", 0)
    monkeypatch.setattr(folder, "_CHECKED_EVERY", 20 * size)
    monkeypatch.setattr(folder, "trim", lambda: looks.append(1))
    for number in range(65):
        put(f"depth/{number:02d}")
    assert len(looks) == 3


def test_without_a_limit_it_is_a_share_of_the_free_space(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"depth/{number:02d}ff" for number in range(10)]
    aged(names)
    size = path_of(names[0]).stat().st_size
    usage = shutil.disk_usage(store_folder())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=size * 14))
    trim()
    # (14 free + 10 stored) / 4 = 6, and nine tenths of it are five.
    assert [name for name in names if is_stored(name)] == names[5:]


def test_old_drafts_of_killed_runs_leave() -> None:
    put()
    old, new = (path_of(NAME).with_name(f"{name}.{'0' * 16}.tmp") for name in ("old", "new"))
    for draft in (old, new):
        draft.touch()
    used = time.time() - 2 * HOUR_S
    os.utime(old, (used, used))
    trim()
    assert not old.exists()
    assert new.exists()
    assert_loaded()


def test_what_is_stored_is_counted_by_group() -> None:
    put()
    put("depth/bb")
    put("rooms-backgrounds/cc")
    assert Counter(one.group for one in stored_files()) == {"depth": 2, "rooms-backgrounds": 1}
    assert all(one.bytes == one.path.stat().st_size for one in stored_files())
