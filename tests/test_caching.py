"""A cache that cannot be written: one line that names the setting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import platformdirs
import pytest

from depthmask.caching import cache_folder, store_array
from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.download import fetch
from depthmask.networks.weight_file import PublishedWeights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that cannot be made."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "file" / "cache"))
    return cache_folder()


def refused(cache: Path) -> str:
    return (
        f"^the cache {cache} cannot be written .Not a directory.; "
        "name another folder with DEPTHMASK_CACHE=FOLDER$"
    )


def test_an_array(cache: Path) -> None:
    with pytest.raises(DepthmaskError, match=refused(cache)):
        store_array(cache / "geometry" / "a.npy", np.zeros(3))


def test_weights(cache: Path) -> None:
    weights = PublishedWeights("some", "a.h5", "http://127.0.0.1:9/a.h5", None, None)
    with pytest.raises(DepthmaskError, match=refused(cache)):
        fetch(weights)


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("DEPTHMASK_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_dir", refuse)
    with pytest.raises(UsageError, match=r"^no cache folder: .*name one with DEPTHMASK_CACHE="):
        cache_folder()
