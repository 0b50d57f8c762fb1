"""Whole files or none."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.location import location
from depthmask.storage.path import DRAFTS
from depthmask.storage.publish import (
    Draft,
    disk_error,
    full_disk_as_os_error,
    full_disk_behind,
    read_sealed,
    require_sealed,
    write_sealed,
)
from depthmask.storage.record import Record, ShardFile, as_byte_ranges


def test_files_are_hashed_and_moved(tmp_path: Path) -> None:
    with Draft(tmp_path, "train-000000") as draft:
        (draft.folder / "b.tar").write_bytes(b"bb")
        (draft.folder / "a").mkdir()
        (draft.folder / "a" / "x.jpg").write_bytes(b"x")
        (draft.folder / "a" / "y.jpg").write_bytes(b"")
        assert not (tmp_path / "shards").exists()
        files = draft.publish()
    sha256 = {text: hashlib.sha256(text).hexdigest() for text in (b"bb", b"x", b"")}
    assert files == (
        ShardFile("a/x.jpg", 1, sha256[b"x"]),
        ShardFile("a/y.jpg", 0, sha256[b""]),
        ShardFile("b.tar", 2, sha256[b"bb"]),
    )
    assert (tmp_path / "shards" / "b.tar").read_bytes() == b"bb"
    assert (tmp_path / "shards" / "a" / "x.jpg").read_bytes() == b"x"
    assert list((tmp_path / DRAFTS).iterdir()) == []


def test_a_failure_publishes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "train-000000")

    def write() -> None:
        with draft:
            (draft.folder / "a.tar").write_bytes(b"half")
            raise RuntimeError("writer")

    with pytest.raises(RuntimeError, match="writer"):
        write()
    assert not draft.folder.exists()
    assert not (tmp_path / "shards").exists()


def test_what_a_killed_run_left_is_not_published(tmp_path: Path) -> None:
    left = Draft(tmp_path, "train-000000").folder
    left.mkdir(parents=True)
    (left / "old.tar").write_bytes(b"garbage")
    with Draft(tmp_path, "train-000000") as draft:
        (draft.folder / "new.tar").write_bytes(b"new")
        draft.publish()
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["new.tar"]


@pytest.mark.parametrize("old", [b"", b"longer than the new one"])
def test_a_file_takes_the_place_of_another(tmp_path: Path, old: bytes) -> None:
    target = tmp_path / "shards" / "a.tar"
    target.parent.mkdir()
    target.write_bytes(old)
    with target.open("rb") as reader, Draft(tmp_path, "a") as draft:
        (draft.folder / "a.tar").write_bytes(b"new")
        draft.publish()
        # Whoever has the old one open keeps it whole: it was replaced, not overwritten.
        assert reader.read() == old
    assert target.read_bytes() == b"new"


def test_drafts_of_one_shard_do_not_meet(tmp_path: Path) -> None:
    """Machines of a cluster may be at the same shard with the same process number."""
    with Draft(tmp_path, "a") as slow, Draft(tmp_path, "a") as other:
        (slow.folder / "a.tar").write_bytes(b"ha")
        (other.folder / "a.tar").write_bytes(b"half and half")
        assert [file.bytes for file in other.publish()] == [13]
    assert (tmp_path / "shards" / "a.tar").read_bytes() == b"half and half"


def test_a_shard_made_twice_at_once_is_always_there(tmp_path: Path) -> None:
    """Folders cannot be renamed over each other, so this is the hard case."""

    def publish() -> None:
        for _ in range(50):
            with Draft(tmp_path, "a") as draft:
                (draft.folder / "a").mkdir()
                (draft.folder / "a" / "1.jpg").write_bytes(b"same")
                assert [file.name for file in draft.publish()] == ["a/1.jpg"]

    with ThreadPoolExecutor(3) as threads:
        for made in [threads.submit(publish) for _ in range(3)]:
            made.result()
    assert [path.name for path in (tmp_path / "shards").rglob("*")] == ["a", "1.jpg"]
    assert list((tmp_path / DRAFTS).iterdir()) == []


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    target = tmp_path / "shards" / "a"
    target.mkdir(parents=True)
    (target / "3.jpg").write_bytes(b"of a longer shard")
    with Draft(tmp_path, "a") as draft:
        (draft.folder / "a").mkdir()
        (draft.folder / "a" / "1.jpg").write_bytes(b"new")
        draft.publish()
    assert [path.name for path in target.iterdir()] == ["1.jpg"]


def test_other_shards_stay(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with Draft(tmp_path, name) as draft:
            (draft.folder / f"{name}.tar").write_bytes(name.encode())
            draft.publish()
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == ["a.tar", "b.tar"]


def test_sealed_file_is_replaced_whole(tmp_path: Path) -> None:
    path = location(tmp_path / "plan.json")
    data = {"name": "Stühle", "values": [1, 2.5, None]}
    write_sealed(path, data)
    assert read_sealed(path) == data
    with pytest.raises(TypeError):
        write_sealed(path, {"name": {1, 2}})
    assert read_sealed(path) == data
    write_sealed(path, {})
    assert read_sealed(path) == {}
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_every_damage_to_a_sealed_file_is_noticed(tmp_path: Path) -> None:
    path = location(tmp_path / "record.json")
    assert read_sealed(path) is None
    write_sealed(path, {"shard": "train-000000", "files": [{"bytes": 12}], "seconds": 0.25})
    whole = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        assert read_sealed(path) is None
    for bit in range(8 * (len(whole) - 1)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(changed))
        assert read_sealed(path) is None, changed
    path.write_bytes(b"[]")
    assert read_sealed(path) is None
    with pytest.raises(UsageError, match=r"record.json is damaged"):
        require_sealed(path)


def test_a_record_survives_json() -> None:
    record = Record(
        shard="train-000001",
        split="train",
        lineage="ef",
        start=5,
        stop=7,
        files=(ShardFile("a.tar", 515, "ab" * 32), ShardFile("b.tar", 20, "cd" * 32)),
        members={"jpg": as_byte_ranges([(0, 512, 3), (1, 0, 4)])},
        statistics={"image": {"count": 1, "sum": [10**30], "sum_of_squares": [1]}},
        seconds={"encode": 0.5},
    )
    again = Record.from_json(json.loads(json.dumps(record.as_json())))
    assert again.as_json() == record.as_json()
    assert again.files == record.files
    assert (len(record), record.bytes) == (2, 535)
    damaged = record.as_json()
    del damaged["stop"]
    with pytest.raises(KeyError):
        Record.from_json(damaged)


class LibraryError(Exception):
    """An error of a library that knows nothing of errno."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database or disk is full"),
        LibraryError("write failed: No space left on device"),
        OSError("Can't write data (errno = 28, error message = 'No space left on device')"),
        caused(LibraryError("write failed"), OSError(errno.EDQUOT, "Disk quota exceeded")),
    ],
)
def test_errors_of_libraries_that_mean_a_full_disk(error: Exception, tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="No space left on device") as caught,
        full_disk_as_os_error(tmp_path, 1),
    ):
        raise error
    assert caught.value.errno == errno.ENOSPC
    line = str(disk_error(caught.value, location(tmp_path)))
    assert line.startswith(f"{tmp_path}: No space left on device ({type(error).__name__}: ")
    assert "bytes are free" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a mistake"),
        LibraryError("quota exceeded: 3 requests a second"),
        PermissionError(errno.EACCES, "Permission denied"),
        OSError(errno.ENOSPC, "No space left on device"),
        DepthmaskError("the disk is full of snow"),
    ],
)
def test_other_errors_stay_as_they_are(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as caught, full_disk_as_os_error(tmp_path, 1):
        raise error
    assert caught.value is error


def inodes(monkeypatch: pytest.MonkeyPatch, free: int, of: int = 4000) -> None:
    disk = os.statvfs("/")
    fields = [*disk[:5], of, free, free, *disk[8:]]
    monkeypatch.setattr(os, "statvfs", lambda folder: os.statvfs_result(fields))


@pytest.mark.parametrize("output", ["{}/out", "memory://bucket/out"])
@pytest.mark.parametrize(("free", "said"), [(0, "no inodes"), (4000, "Make room and")])
def test_a_disk_with_too_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, free: int, said: str
) -> None:
    inodes(monkeypatch, free)
    error = OSError(errno.ENOSPC, "No space left on device")
    line = str(disk_error(error, location(output.format(tmp_path))))
    assert said in line
    assert ("Make room" in line) == bool(free)
    assert line.endswith("run the same command again: published shards are kept")


def test_a_library_that_lacks_inodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inodes(monkeypatch, 0)
    with (
        pytest.raises(OSError, match="No space left") as caught,
        full_disk_as_os_error(tmp_path, 1),
    ):
        raise LibraryError("unable to open database file")
    assert caught.value.errno == errno.ENOSPC


def test_what_a_disk_lacks_is_measured_before_the_draft_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft(tmp_path / "out", "train-000000")

    def full(folder: Path) -> object:
        assert draft.folder.is_dir()
        return os.statvfs_result([1] * 5 + [4000, 0, 0, 0, 255])

    monkeypatch.setattr(os, "statvfs", full)
    with pytest.raises(DepthmaskError, match="no inodes"), draft:
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not draft.folder.exists()


def test_a_quota_that_is_used_up(tmp_path: Path) -> None:
    error = OSError(errno.EDQUOT, "Disk quota exceeded")
    assert str(disk_error(error, location(tmp_path))) == (
        f"{tmp_path}: Disk quota exceeded; delete files of this user, or ask for a larger quota, "
        "and run the same command again: published shards are kept"
    )


def test_a_disk_without_room_is_full(tmp_path: Path) -> None:
    """A library that gave back what it had reserved has left little room, but some."""
    full = pytest.raises(OSError, match=r"No space left on device \(LibraryError: it failed\)")
    with full, full_disk_as_os_error(tmp_path, 1 << 60):
        raise LibraryError("it failed")
    assert full_disk_behind(LibraryError("it failed")) is None
