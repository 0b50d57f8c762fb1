"""Whole objects, read by ranges: in memory, and in an S3 server."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from depthmask.errors import DepthmaskError
from depthmask.stages.writer.reader import open_published
from depthmask.storage import object_store
from depthmask.storage.choice import store_of
from depthmask.storage.location import Address, location
from depthmask.storage.publish import Draft, read_sealed, write_sealed
from depthmask.storage.record import ShardFile


@pytest.fixture(params=["memory", "s3"])
def output(request: pytest.FixtureRequest) -> Address:
    if request.param == "s3":
        request.getfixturevalue("s3")
    place = location(f"{request.param}://bucket/{os.urandom(8).hex()}")
    assert isinstance(place, Address)
    return place


def published(output: Address, shard: str, **files: bytes) -> tuple[ShardFile, ...]:
    """In a folder of the shard's name."""
    with Draft(output, shard) as draft:
        (draft.folder / shard).mkdir()
        for name, content in files.items():
            (draft.folder / shard / name).write_bytes(content)
        return draft.publish()


def test_files_are_hashed_and_put(output: Address) -> None:
    files = published(output, "a", x=b"xx", y=b"")
    assert [(file.name, file.bytes) for file in files] == [("a/x", 2), ("a/y", 0)]
    assert sorted(store_of(output).files(output)) == ["shards/a/x", "shards/a/y"]
    for file in files:
        assert store_of(output).difference(output / "shards", file) is None


def test_a_folder_takes_the_place_of_another(output: Address) -> None:
    published(output, "a", x=b"old", z=b"of a longer shard")
    published(output, "ab", z=b"another's")
    published(output, "a", x=b"new")
    assert sorted(store_of(output).files(output)) == ["shards/a/x", "shards/ab/z"]
    assert (output / "shards" / "a" / "x").read_bytes() == b"new"


def test_a_failure_publishes_nothing_and_leaves_nothing(output: Address) -> None:
    def fail() -> None:
        with Draft(output, "a") as draft:
            (draft.folder / "a.tar").write_bytes(b"half")
            raise RuntimeError("writer")

    with pytest.raises(RuntimeError, match="writer"):
        fail()
    assert not output.exists()
    assert list(store_of(output).drafts(output).iterdir()) == []


def test_what_a_killed_run_left_here_goes(output: Address) -> None:
    left = store_of(output).drafts(output) / "a.4711"
    left.mkdir(parents=True)
    store_of(output).remove_leftovers(output)
    assert not left.exists()


def test_drafts_are_no_one_elses(
    output: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert store_of(output).drafts(output).is_relative_to(tmp_path)
    assert (tmp_path / f"depthmask-{os.getuid()}").stat().st_mode & 0o777 == 0o700
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"depthmask-{os.getuid()}").rmdir()
    (tmp_path / f"depthmask-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DepthmaskError, match="not a folder of ours"):
        store_of(output).drafts(output)


def test_sealed_files(output: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    path = output / "plan.json"
    assert read_sealed(path) is None
    write_sealed(path, {"a": 1})
    assert read_sealed(path) == {"a": 1}
    path.write_bytes(path.read_bytes()[:-2])
    assert read_sealed(path) is None
    monkeypatch.setattr("depthmask.storage.publish.MOST_SEALED", 5)
    assert read_sealed(path) is None


def test_reads_anywhere(output: Address) -> None:
    content = bytes(range(256)) * 1024
    (file,) = published(output, "a", x=content)
    opened = store_of(output).open(output / "shards", file)
    far = len(content) - 3
    assert opened.read([(0, 2), (2, 3)]) == [content[:2], content[2:5]]
    assert opened.read([(far, 3), (5, 0), (1, 2)]) == [content[far:], b"", content[1:3]]
    opened.close()
    with open_published(output / "shards", file) as stream:
        assert stream.read(10) == content[:10]
        assert stream.seek(-2, os.SEEK_END) == far + 1
        assert stream.read() == content[-2:]
        stream.seek(300)
        assert stream.read() == content[300:]


def test_members_side_by_side_are_one_request(
    output: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = published(output, "a", x=bytes(300_000))
    spans: list[object] = []
    get = object_store.get

    def noted(root: str, key: str, span: tuple[int, int]) -> object:
        spans.append(span)
        return get(root, key, span)

    monkeypatch.setattr(object_store, "get", noted)
    opened = store_of(output).open(output / "shards", file)
    opened.read([(512, 100), (1024, 50), (2048, 10)])
    assert spans == [(512, 2058)]
    opened.read([(0, 10), (290_000, 10)])
    assert spans[1:] == [(0, 10), (290_000, 290_010)]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "is missing"),
        (b"01234", "has 5 bytes and was published with 10"),
        (b"0123456780", "has another content (sha256 differs)"),
    ],
)
def test_what_is_not_as_published(output: Address, content: bytes | None, text: str) -> None:
    (file,) = published(output, "a", x=b"0123456789")
    path = output / "shards" / "a" / "x"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert store_of(output).difference(output / "shards", file) == text
    opened = store_of(output).open(output / "shards", file)
    if content is None:
        with pytest.raises(DepthmaskError, match="no such object"):
            opened.read([(1, 2)])
    elif len(content) != 10:
        with pytest.raises(DepthmaskError, match="not the file of 10 bytes that was published"):
            opened.read([(1, 2)])


def test_what_stands_is_told_by_the_etag(output: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """No byte is fetched for a run that goes on; a copy is hashed."""
    store, shards = store_of(output), output / "shards"
    (file,) = published(output, "a", x=b"0123456789")
    assert file.as_json()["etag"] == file.etag
    with monkeypatch.context() as patched:
        patched.setattr(object_store, "stream", None)
        assert store.stands(shards, file)
        assert not store.stands(shards, replace(file, bytes=9))
    assert store.stands(shards, replace(file, etag="of another place"))
    (shards / "a" / "x").write_bytes(b"012345678x")
    assert not store.stands(shards, file)
    (shards / "a" / "x").unlink()
    assert not store.stands(shards, file)


def test_a_log_is_continued_whatever_happens(output: Address) -> None:
    def fails() -> None:
        with store_of(output).appended(output / "run.log") as log, log.open("a") as file:
            file.write("two\n")
            file.flush()
            raise RuntimeError("a run")

    with store_of(output).appended(output / "run.log") as log:
        log.write_text("one\n")
    with pytest.raises(RuntimeError):
        fails()
    assert (output / "run.log").read_bytes() == b"one\ntwo\n"
