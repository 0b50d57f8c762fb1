"""Coded backgrounds come from the asset store, by identity and settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.asset_store.folder import clear, stored_files
from depthmask.compose.stored_assets import StoredJpegs
from depthmask.stages.source.rooms import Rooms

SIZE = (32, 48)


class Plain(Rooms):
    """A source that gives its backgrounds no identity."""

    def background_identity(self, key: str, size: tuple[int, int]) -> None:
        """None."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))


def made(source: Rooms, key: str, content: bytes, *settings: object) -> bytes:
    """The stored file of a background, or else `content`, which is stored."""
    files = StoredJpegs(source, SIZE, settings)
    stored = files.get(key)
    if stored is None:
        files.keep(key, content)
    return content if stored is None else bytes(stored)


def test_a_file_is_made_once_for_a_background_and_its_settings() -> None:
    rooms = Rooms()
    assert made(rooms, "room0000", b"one", 50, "420") == b"one"
    # Another process, or a later run.
    assert made(Rooms(), "room0000", b"not used", 50, "420") == b"one"
    assert made(rooms, "room0000", b"two", 95, "420") == b"two"
    assert made(rooms, "room0001", b"three", 50, "420") == b"three"
    assert {file.group for file in stored_files()} == {"rooms-jpegs"}
    clear()
    assert made(rooms, "room0000", b"four", 50, "420") == b"four"


def test_a_damaged_file_is_made_again() -> None:
    made(Rooms(), "room0000", b"one", 50)
    (file,) = stored_files()
    content = bytearray(file.path.read_bytes())
    content[-1] ^= 1
    file.path.write_bytes(content)
    assert made(Rooms(), "room0000", b"again", 50) == b"again"
    assert made(Rooms(), "room0000", b"not used", 50) == b"again"


def test_without_an_identity_nothing_is_stored() -> None:
    for content in (b"one", b"two"):
        assert made(Plain(), "room0000", content, 50) == content
    assert not list(stored_files())
