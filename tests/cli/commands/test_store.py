"""`depthmask store`: what the asset store has, and an empty one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthmask.asset_store import prepared
from depthmask.asset_store.entry import Entry
from depthmask.asset_store.folder import save
from depthmask.cli.main import main
from depthmask.data import Background


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["store", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_an_empty_store(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys) == [f"{cache}/store: 0 files, 0 bytes"]
    assert printed(capsys, "--clear") == [f"{cache}/store: 0 files removed, 0 bytes"]


def test_entries_are_counted_by_what_they_are_and_can_be_removed(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("1", "2"):
        room = Background(key, np.zeros((100, 100, 3), np.uint8))
        prepared.save_background("rooms", key, room)
    save("depth/ab", Entry(arrays={"depth_m": np.zeros((50, 50), np.float32)}))
    save("mine/ab", Entry())
    first, *rows = printed(capsys)
    assert first.startswith(f"{cache}/store: 4 files, 70.")
    assert [" ".join(row.split()) for row in rows] == [
        "prepared backgrounds of source=rooms 2 files 60.2 kB",
        "measured depth of backgrounds 1 file 10.0 kB",
        "mine 1 file 15 bytes",
    ]
    assert printed(capsys, "--clear")[0].startswith(f"{cache}/store: 4 files removed, ")
    assert printed(capsys) == [f"{cache}/store: 0 files, 0 bytes"]
