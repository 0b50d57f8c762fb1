"""What is particular to object stores; `test_path` has what they share with folders."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from depthmask.errors import DepthmaskError
from depthmask.storage import object_store
from depthmask.storage.location import location
from depthmask.storage.publish import Draft
from depthmask.storage.record import ShardFile
from depthmask.storage.remote import ObjectPath


@pytest.fixture(params=["memory", "s3"])
def output(request: pytest.FixtureRequest) -> ObjectPath:
    if request.param == "s3":
        request.getfixturevalue("s3")
    place = location(f"{request.param}://bucket/{os.urandom(8).hex()}")
    assert isinstance(place, ObjectPath)
    return place


def published(output: ObjectPath, shard: str, **files: bytes) -> tuple[ShardFile, ...]:
    """In a folder of the shard's name."""
    with Draft(output, shard) as draft:
        (draft.folder / shard).mkdir()
        for name, content in files.items():
            (draft.folder / shard / name).write_bytes(content)
        return draft.publish()


def test_drafts_are_no_one_elses(
    output: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert output.draft_folder().is_relative_to(tmp_path)
    assert (tmp_path / f"depthmask-{os.getuid()}").stat().st_mode & 0o777 == 0o700
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"depthmask-{os.getuid()}").rmdir()
    (tmp_path / f"depthmask-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DepthmaskError, match="not a folder that belongs to this user"):
        output.draft_folder()


def test_members_side_by_side_are_one_request(
    output: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = published(output, "a", x=bytes(300_000))
    spans: list[object] = []
    get = object_store.get

    def noted(root: str, key: str, span: tuple[int, int]) -> object:
        spans.append(span)
        return get(root, key, span)

    monkeypatch.setattr(object_store, "get", noted)
    opened = (output / "shards").open_shard_file(file)
    opened.read([(512, 100), (1024, 50), (2048, 10)])
    assert spans == [(512, 2058)]
    opened.read([(0, 10), (290_000, 10)])
    assert spans[1:] == [(0, 10), (290_000, 290_010)]


def test_the_etag_vouches_for_a_content(
    output: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No byte is fetched for a run that goes on; a copy is hashed."""
    shards = output / "shards"
    (file,) = published(output, "a", x=b"0123456789")
    assert file.as_json()["etag"] == file.etag
    with monkeypatch.context() as patched:
        patched.setattr(object_store, "stream", None)
        assert shards.is_intact(file)
        assert not shards.is_intact(replace(file, bytes=9))
    assert shards.is_intact(replace(file, etag="of another place"))
    (shards / "a" / "x").write_bytes(b"012345678x")
    assert not shards.is_intact(file)
    (shards / "a" / "x").unlink()
    assert not shards.is_intact(file)
