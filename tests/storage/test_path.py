"""One interface for folders and object stores: every test runs on disk, in memory and in S3."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from depthmask.errors import DepthmaskError, UsageError
from depthmask.stages.writer.reader import open_published
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import LOCK, StorePath
from depthmask.storage.publish import Draft, read_sealed, write_sealed
from depthmask.storage.record import ShardFile


@pytest.fixture(params=["local", "memory", "s3"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> StorePath:
    """A dataset that does not exist yet."""
    if request.param == "local":
        return location(tmp_path / "out")
    if request.param == "s3":
        request.getfixturevalue("s3")
    return location(f"{request.param}://bucket/{os.urandom(8).hex()}/out")


def write(path: StorePath, content: bytes = b"content") -> StorePath:
    path.parent.make_folder()
    path.write_whole(content)
    return path


def published(output: StorePath, shard: str, **files: bytes) -> tuple[ShardFile, ...]:
    """Files in a folder with the shard's name."""
    with Draft(output, shard) as draft:
        (draft.folder / shard).mkdir()
        for name, content in files.items():
            (draft.folder / shard / name).write_bytes(content)
        return draft.publish()


def test_names(output: StorePath) -> None:
    path = output / "a" / "train-000001.tar"
    assert path == output / "a/train-000001.tar"
    assert (path.name, path.stem, path.suffix) == ("train-000001.tar", "train-000001", ".tar")
    assert path.parent.parent == output
    assert path.absolute() == path
    assert str(path) == f"{output}/a/train-000001.tar"
    assert location(str(path)) == location(path) == path
    assert {path: 1}[output / "a/train-000001.tar"] == 1


def test_files_and_folders(output: StorePath) -> None:
    assert not output.exists()
    assert list(output.glob("*")) == []
    for name in ("b/x.json", "b/y.txt", "b/c/z.json", "d.json"):
        write(output / name, name.encode())
    write(output.parent / "outside" / "x.json")
    assert output.is_dir()
    assert output.exists()
    assert not output.is_file()
    assert (output / "d.json").is_file()
    assert (output / "d.json").exists()
    assert not (output / "d.json").is_dir()
    assert sorted(path.name for path in output.iterdir()) == ["b", "d.json"]
    assert list((output / "b").glob("*.json")) == [output / "b" / "x.json"]
    assert set(output.rglob("*.json")) == {
        output / "b/x.json", output / "b/c/z.json", output / "d.json"
    }  # fmt: skip
    assert sorted(output.file_names()) == ["b/c/z.json", "b/x.json", "b/y.txt", "d.json"]
    assert (output / "b" / "x.json").read_bytes() == b"b/x.json"


def test_files_are_written_and_deleted(output: StorePath) -> None:
    path = write(output / "a.txt", b"old")
    path.write_whole(b"new")
    assert path.read_bytes() == b"new"
    path.write_bytes(b"bytes")
    assert path.read_bytes() == b"bytes"
    path.write_text("Stühle", encoding="utf-8")
    assert path.read_bytes() == "Stühle".encode()
    assert list(output.file_names()) == ["a.txt"]
    path.unlink()
    path.unlink(missing_ok=True)
    assert not path.exists()
    with pytest.raises(FileNotFoundError, match=r"a\.txt"):
        path.read_bytes()


def test_small_files_are_read_up_to_a_limit(output: StorePath) -> None:
    path = write(output / "a.txt", b"12345")
    assert path.read_whole(5) == b"12345"
    with pytest.raises(ValueError, match="4 bytes"):
        path.read_whole(4)
    with pytest.raises(FileNotFoundError):
        (output / "b.txt").read_whole(4)


def test_remove_takes_files_and_folders(output: StorePath) -> None:
    for name in ("a/b/c", "a/d", "ab", "e"):
        write(output / name)
    (output / "a").remove()
    (output / "e").remove()
    assert list(output.file_names()) == ["ab"]


def test_a_folder_is_made_with_those_above(output: StorePath) -> None:
    for _ in range(2):
        (output / "a" / "b").make_folder()
    write(output / "a" / "b" / "c")
    assert list(output.file_names()) == ["a/b/c"]


def test_a_new_file_appears_when_it_is_complete(output: StorePath) -> None:
    output.make_folder()

    def fail() -> None:
        with (output / "coco.json").new_file() as path:
            path.write_bytes(b"half")
            raise RuntimeError("a job")

    with pytest.raises(RuntimeError):
        fail()
    assert not (output / "coco.json").exists()
    with (output / "coco.json").new_file() as path:
        path.write_bytes(b"whole")
        assert not (output / "coco.json").exists()
    assert (output / "coco.json").read_bytes() == b"whole"


def test_a_log_is_continued_whatever_happens(output: StorePath) -> None:
    output.make_folder()

    def fails() -> None:
        with (output / "run.log").appended() as log, log.open("a") as file:
            file.write("two\n")
            file.flush()
            raise RuntimeError("a run")

    with (output / "run.log").appended() as log:
        log.write_text("one\n")
    with pytest.raises(RuntimeError):
        fails()
    assert (output / "run.log").read_bytes() == b"one\ntwo\n"


def test_a_log_hides_no_error(output: StorePath) -> None:
    """A run may be refused before it has written anything."""
    output.make_folder()
    with pytest.raises(RuntimeError, match="refused"), (output / "run.log").appended():
        raise RuntimeError("refused")


def test_sealed_files(output: StorePath, monkeypatch: pytest.MonkeyPatch) -> None:
    path = output / "plan.json"
    assert read_sealed(path) is None
    output.make_folder()
    write_sealed(path, {"a": 1})
    assert read_sealed(path) == {"a": 1}
    content = path.read_bytes()
    path.write_bytes(content[:-2])
    assert read_sealed(path) is None
    path.write_bytes(content)
    monkeypatch.setattr("depthmask.storage.publish.MOST_SEALED", 5)
    assert read_sealed(path) is None


def test_files_are_hashed_and_published(output: StorePath) -> None:
    files = published(output, "a", x=b"xx", y=b"")
    assert [(file.name, file.bytes) for file in files] == [("a/x", 2), ("a/y", 0)]
    assert sorted((output / "shards").file_names()) == ["a/x", "a/y"]
    for file in files:
        assert (output / "shards").difference(file) is None
        assert (output / "shards").is_intact(file)


def test_a_shard_replaces_another_of_its_name(output: StorePath) -> None:
    published(output, "a", x=b"old", z=b"of a longer shard")
    published(output, "ab", z=b"another's")
    published(output, "a", x=b"new")
    assert sorted((output / "shards").file_names()) == ["a/x", "ab/z"]
    assert (output / "shards" / "a" / "x").read_bytes() == b"new"


def test_a_failure_publishes_nothing_and_leaves_nothing(output: StorePath) -> None:
    def fail() -> None:
        with Draft(output, "a") as draft:
            (draft.folder / "a.tar").write_bytes(b"half")
            raise RuntimeError("writer")

    with pytest.raises(RuntimeError, match="writer"):
        fail()
    assert not (output / "shards").exists()
    assert list(output.draft_folder().iterdir()) == []


def test_drafts_of_a_killed_run_are_removed(output: StorePath) -> None:
    draft = output.draft_folder() / "a.4711"
    draft.mkdir(parents=True)
    output.remove_leftovers()
    assert not draft.exists()


def test_free_space_is_known_or_unlimited(output: StorePath) -> None:
    free = output.free_bytes()
    assert free is None or free > 0
    assert (free is None) == (not isinstance(output, LocalPath))


def test_published_files_are_read_anywhere(output: StorePath) -> None:
    content = bytes(range(256)) * 1024
    (file,) = published(output, "a", x=content)
    opened = (output / "shards").open_shard_file(file)
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


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "is missing"),
        (b"01234", "has 5 bytes and was published with 10"),
        (b"0123456780", "has different content (sha256 differs)"),
    ],
)
def test_damaged_files_are_noticed(output: StorePath, content: bytes | None, text: str) -> None:
    (file,) = published(output, "a", x=b"0123456789")
    path = output / "shards" / "a" / "x"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert (output / "shards").difference(file) == text
    assert not (output / "shards").is_intact(file)
    reason = None
    if content is None:
        reason = "x: is missing; `python -m depthmask verify .* --repair` makes the shard"
    elif len(content) != 10:
        reason = "does not have the 10 bytes that were published"
    if reason:
        with pytest.raises(DepthmaskError, match=reason):
            (output / "shards").open_shard_file(file).read([(1, 2)])
        with pytest.raises(DepthmaskError, match=reason):
            open_published(output / "shards", file).read()


def test_one_run_at_a_time(output: StorePath) -> None:
    with output.locked() as require_lock:
        require_lock()
        with pytest.raises(UsageError, match="another run is at work there"):
            output.locked().__enter__()
        with (output / "beside").locked():
            pass
    with output.locked():
        assert (output / LOCK).is_file()


def test_paths_go_to_other_processes_but_memory_does_not(output: StorePath) -> None:
    if str(output).startswith("memory://"):
        with pytest.raises(UsageError, match=r"exists in one process only; set runner.workers=1"):
            pickle.dumps(output)
        return
    copy = pickle.loads(pickle.dumps(output / "a"))
    assert copy == output / "a"
    assert type(copy) is type(output)
