"""Caches in memory, and the folder for what is kept on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import platformdirs
import pytest

from depthmask.caching import FifoCache, PerArray, cache_folder
from depthmask.data import UInt8
from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.download import fetch
from depthmask.networks.weight_file import PublishedWeights
from depthmask.storage.fault_list import with_all_faults


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that does not exist yet."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
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


@pytest.mark.usefixtures("no_home")
def test_a_user_without_a_home() -> None:
    with pytest.raises(UsageError, match=r"no home.*name one with DEPTHMASK_CACHE=FOLDER$"):
        cache_folder()
    text = with_all_faults("a: bad", [f"{number}: bad" for number in range(40)], "see the rest")
    assert "see the rest" in text


def test_a_limit_is_kept_and_the_newest_stay() -> None:
    values = FifoCache[bytes](len, 10)
    for key in "abc":
        assert values.get(key, lambda: b"1234") == b"1234"
    assert values.peek("a") is None
    assert values.peek("b") == values.peek("c") == b"1234"
    # What is larger than the limit is handed out, and pushes nothing out.
    assert values.get("d", lambda: b"1" * 11) == b"1" * 11
    assert values.peek("d") is None
    assert values.peek("c") == b"1234"


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


def test_what_is_made_for_an_array_is_forgotten_with_it() -> None:
    made: list[int] = []

    def total(array: UInt8) -> int:
        made.append(int(array.sum()))
        return made[-1]

    totals = PerArray(total)
    one, other = np.full((2, 3), 4, np.uint8), np.full((2, 3), 5, np.uint8)
    assert [totals.of(array) for array in (one, other)] == [None, None]
    assert not made
    assert [totals.of(array) for array in (one, other, one, other)] == [24, 30, 24, 30]
    assert made == [24, 30]
    del one
    assert len(totals._values) == 1
    assert totals.of(other) == 30
