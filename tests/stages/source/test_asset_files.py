"""Files of a source: names that lead out, contents that change, looks that are kept."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask import AssetError, AssetFolder, DepthmaskError
from depthmask.stages.source import asset_files
from depthmask.stages.source._looks import _SETTLED_NS


@contextmanager
def no_bar(count: int) -> Iterator[Callable[[int], None]]:
    yield lambda done: None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.png", "deep/b.png")):
        Image.new("RGB", (8, 6), (number, 20, 30)).save(root / name)
    return root


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "not a name"),
        ("a\nb.png", "not a name"),
        ("a\u2028b.png", "not a name"),
        ("a\u202fb.png", "no such file"),
        ("../a.png", "leads out"),
        ("deep/../../a.png", "leads out"),
        ("/etc/passwd", "leads out"),
        ("~/a.png", "leads out"),
        ("deep\\b.png", "leads out"),
        ("https://host/a.png", "a URL"),
        ("missing.png", "no such file"),
        ("a.png/b.png", "no such file"),
        ("x" * 300, "no such file"),
        ("deep", "not a regular file"),
        ("out.png", "a link out of its folder"),
        ("outside/c.png", "a link out of its folder"),
        ("circle.png", "a link that leads nowhere"),
        ("dead.png", "no such file"),
    ],
)
def test_names_that_are_no_files_below(folder: Path, name: str, reason: str) -> None:
    (folder.parent / "c.png").write_bytes(b"x")
    (folder / "out.png").symlink_to(folder.parent / "c.png")
    (folder / "outside").symlink_to(folder.parent)
    (folder / "circle.png").symlink_to("circle.png")
    (folder / "dead.png").symlink_to("nowhere.png")
    with pytest.raises(AssetError, match=reason):
        AssetFolder(folder).read(name)


def test_a_link_within_is_read(folder: Path) -> None:
    (folder / "link.png").symlink_to("deep/b.png")
    assert AssetFolder(folder).read("link.png") == (folder / "deep/b.png").read_bytes()


def test_too_many_bytes(folder: Path) -> None:
    with pytest.raises(AssetError, match="bytes, the most is 5"):
        AssetFolder(folder).read("a.png", 5)


def test_a_copy_refuses_another_content(folder: Path) -> None:
    files = AssetFolder(folder)
    files.read("a.png")
    copy = pickle.loads(pickle.dumps(files))
    Image.new("RGB", (8, 6)).save(folder / "a.png")
    for one in (files, copy):
        with pytest.raises(DepthmaskError, match=r"a\.png: changed since the run looked at it"):
            one.read("a.png")


def test_pictures_and_values(folder: Path) -> None:
    files = AssetFolder(folder)
    assert files.picture("deep/b.png")[0, 0].tolist() == [1, 20, 30]
    pixels, size = files.picture_for("a.png", (3, 4))
    assert (pixels.shape, size) == ((3, 4, 3), (6, 8))
    image = Image.new("P", (4, 3), 200)
    image.putpalette(list(range(256)) * 3)
    image.save(folder / "values.png")
    assert np.array_equal(files.values("values.png"), np.full((3, 4), 200))
    with pytest.raises(AssetError, match="mode RGB; numbers need a grey or palette PNG"):
        files.values("a.png")


def test_looks_are_kept_until_a_file_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthmask.stages.source._looks._SETTLED_NS", 0)
    assert _SETTLED_NS == 2 * 10**9
    time.sleep(0.05)
    names, seen = ["a.png", "deep/b.png", "missing.png"], list[str]()

    def look(name: str, data: bytes) -> list[int]:
        seen.append(name)
        if name == "a.png":
            raise AssetError(folder / name, "is not liked")
        return [len(data)]

    def looked(*, recheck: bool = False) -> dict[str, asset_files.FileLook]:
        seen.clear()
        return AssetFolder(folder).look(names, look, "test 1", no_bar, recheck=recheck)

    first = looked()
    assert sorted(seen) == ["a.png", "deep/b.png"]
    assert first["a.png"].fault == "is not liked"
    assert first["deep/b.png"].facts == [(folder / "deep/b.png").stat().st_size]
    assert first["missing.png"].fault.startswith("no such file")
    assert looked() == first
    assert seen == []
    looked(recheck=True)
    assert sorted(seen) == ["a.png", "deep/b.png"]
    Image.new("RGB", (9, 9)).save(folder / "deep/b.png")
    assert looked()["deep/b.png"] != first["deep/b.png"]
    assert seen == ["deep/b.png"]


def test_a_look_depends_on_all_files_that_it_reads(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthmask.stages.source._looks._SETTLED_NS", 0)
    time.sleep(0.05)
    seen = []

    def look(name: str, data: bytes) -> str:
        seen.append(name)
        return files.read("deep/b.png").hex()

    for count in (1, 1, 2):
        if count == 2:
            os.utime(folder / "deep/b.png", ns=(1, 1))
        files = AssetFolder(folder)
        one = files.look(["a.png"], look, "test 2", no_bar, read_with=lambda name: ["deep/b.png"])
        assert len(seen) == count
        assert {*one["a.png"].hashes} == {"a.png", "deep/b.png"} == {*files.hashes}
        assert files.sizes == {name: (folder / name).stat().st_size for name in files.hashes}


def test_a_fault_of_a_file_read_with_another_names_it(folder: Path) -> None:
    looks = AssetFolder(folder).look(
        ["a.png"], lambda name, data: None, "test 3", no_bar, read_with=lambda name: ["none.png"]
    )
    assert looks["a.png"].fault.startswith(f"{folder / 'none.png'}: no such file")


def test_a_file_of_too_many_bytes_is_not_looked_at(folder: Path) -> None:
    seen, most = list[str](), (folder / "a.png").stat().st_size
    for limit in (most, most - 1):
        looks = AssetFolder(folder).look(
            ["a.png"], lambda name, _: seen.append(name), "test 4", no_bar, most_bytes=limit
        )
    assert seen == ["a.png"]
    assert looks["a.png"].fault.startswith(f"{most:,} bytes, the most is {most - 1:,}; make it")
