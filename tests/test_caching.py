"""The cache on disk: it costs time only, whatever state it is in."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from depthmask import caching
from depthmask.caching import FifoCache, cache_folder, load_array, nothing_stored, store_array
from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.download import fetch
from depthmask.networks.weight_file import PublishedWeights
from depthmask.storage.fault_list import with_all_faults

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)
NAME = "geometry/ab/abc.npy"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that does not exist yet, and a process that has not warned yet."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(caching, "_unwritten", FifoCache[np.ndarray](lambda array: array.nbytes))
    caching._warn.cache_clear()
    return cache_folder()


@pytest.fixture
def no_folder(cache: Path) -> Path:
    """A file is where the folder should be."""
    cache.touch()
    return cache


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("DEPTHMASK_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", refuse)


def loaded() -> np.ndarray:
    array = load_array(NAME, np.float32)
    assert array is not None
    return array


def test_an_array_comes_back(cache: Path) -> None:
    assert load_array(NAME, np.float32) is None
    store_array(NAME, ARRAY)
    np.testing.assert_array_equal(loaded(), ARRAY)
    assert load_array(NAME, np.uint64) is None
    # Also a program that knows no checksums can read it.
    np.testing.assert_array_equal(np.load(cache / NAME), ARRAY)
    assert [path.name for path in (cache / NAME).parent.iterdir()] == ["abc.npy"]


def test_any_flipped_bit_is_noticed(cache: Path) -> None:
    """One in the header was a `TokenError` in every later run, one in the data another result."""
    store_array(NAME, ARRAY)
    whole = (cache / NAME).read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        (cache / NAME).write_bytes(damaged)
        assert load_array(NAME, np.float32) is None
    for length in range(len(whole)):
        (cache / NAME).write_bytes(whole[:length])
        assert load_array(NAME, np.float32) is None


def test_an_array_without_a_checksum_is_not_used(cache: Path) -> None:
    """As earlier versions wrote them: nobody knows whether it is damaged."""
    (cache / NAME).parent.mkdir(parents=True)
    np.save(cache / NAME, ARRAY)
    assert load_array(NAME, np.float32) is None
    store_array(NAME, ARRAY)
    np.testing.assert_array_equal(loaded(), ARRAY)


def test_a_cache_that_cannot_be_written_ends_nothing(
    no_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        store_array(f"looks/{number}.npy", ARRAY)
    store_array(NAME, ARRAY)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"later runs repeat work of this one: the cache {no_folder} cannot be written (Not a "
        "directory); name another folder with DEPTHMASK_CACHE=FOLDER"
    )
    # For this run it is in memory.
    np.testing.assert_array_equal(loaded(), ARRAY)


def test_a_full_disk_leaves_no_piece(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def write_half(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    store_array(NAME, ARRAY)
    assert not list((cache / NAME).parent.iterdir())
    assert "(No space left on device)" in caplog.text
    np.testing.assert_array_equal(loaded(), ARRAY)


@pytest.mark.usefixtures("no_home")
def test_a_user_without_a_home(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UsageError, match=r"no home.*name one with DEPTHMASK_CACHE=FOLDER$"):
        cache_folder()
    assert load_array(NAME, np.float32) is None
    store_array(NAME, ARRAY)
    assert "name one with DEPTHMASK_CACHE=FOLDER" in caplog.text
    np.testing.assert_array_equal(loaded(), ARRAY)
    text = with_all_faults("a: bad", [f"{number}: bad" for number in range(40)], "see the rest")
    assert "see the rest" in text


def test_a_dry_run_keeps_nothing(no_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with nothing_stored():
        store_array(NAME, ARRAY)
    assert not caplog.records
    assert load_array(NAME, np.float32) is None


def test_a_folder_may_begin_with_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DEPTHMASK_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine"


def test_weights_need_a_cache(no_folder: Path) -> None:
    with pytest.raises(DepthmaskError) as caught:
        fetch(PublishedWeights("some", "a.h5", "http://127.0.0.1:9/a.h5", None, None))
    assert str(caught.value) == (
        f"the cache {no_folder} cannot be written (Not a directory); "
        "name another folder with DEPTHMASK_CACHE=FOLDER"
    )
