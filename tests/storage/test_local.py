"""A local path is one of pathlib's as well."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import depthmask
from depthmask.errors import UsageError
from depthmask.stages.writer.reader import open_published
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.publish import Draft


def test_a_local_path_is_a_path(tmp_path: Path) -> None:
    path = location(tmp_path / "a.txt")
    assert isinstance(path, LocalPath)
    assert issubclass(LocalPath, Path)
    assert path == tmp_path / "a.txt"
    assert hash(path) == hash(tmp_path / "a.txt")
    path.write_bytes(b"text")
    with open(path, encoding="ascii") as file:
        assert file.read() == "text"
    assert path.stat().st_size == 4
    assert (tmp_path / path.name).samefile(path)


def test_what_is_derived_from_it_is_local_too(tmp_path: Path) -> None:
    path = LocalPath(tmp_path)
    (path / "a").mkdir()
    derived = [path / "a", path.parent, path.absolute(), path.with_name("b"), *path.iterdir()]
    assert {type(one) for one in derived} == {LocalPath}


def test_plain_paths_are_taken_where_plugins_hand_them_in(tmp_path: Path) -> None:
    with Draft(tmp_path, "a") as draft:
        (draft.folder / "a.tar").write_bytes(b"content")
        (file,) = draft.publish()
    with open_published(tmp_path / "shards", file) as stream:
        assert stream.read() == b"content"


def test_locations_are_public() -> None:
    assert issubclass(LocalPath, depthmask.StorePath)
    assert issubclass(depthmask.ObjectPath, depthmask.StorePath)


def test_whoever_may_write_a_dataset_may_lock_it(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        with LocalPath(tmp_path / "out").locked():
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "out" / ".lock").stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize("name", ["file", "file/a/b", "dangling", "dangling/a", "loop"])
def test_no_folder_can_be_made_there(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    top = tmp_path / name.partition("/")[0]
    what = "is a file" if top.name == "file" else "is a link that leads nowhere"
    with pytest.raises(UsageError, match=rf"^{top}: {what}, and no folder; choose another path$"):
        LocalPath(tmp_path / name).make_folder()
    assert sorted(os.listdir(tmp_path)) == ["dangling", "file", "loop"]


def test_workers_make_the_same_folder_at_once(tmp_path: Path) -> None:
    begin = Barrier(8)

    def make(path: LocalPath) -> None:
        begin.wait()
        path.make_folder()

    with ThreadPoolExecutor(8) as threads:
        for number in range(300):
            path = LocalPath(tmp_path / str(number) / "shards")
            list(threads.map(make, [path] * 8))
            assert path.is_dir()
