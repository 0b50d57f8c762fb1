"""Publishing: a file is either whole, on the disk and under its name, or it is not there.

Writers fill a draft folder inside the output, so that a rename is atomic; the framework syncs,
hashes and renames. A plugin writer cannot get it wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

from depthmask.output.record import ShardFile

DRAFTS = ".drafts"
"""Folder of unfinished shards in the output; whatever a killed run left there is garbage."""


class Draft:
    """A temporary folder for the files of one shard: a context, gone at its end."""

    def __init__(self, output: Path, shard: str) -> None:
        self._shards = output / "shards"
        self.folder = output / DRAFTS / f"{shard}.{os.getpid()}"

    def __enter__(self) -> Draft:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> tuple[ShardFile, ...]:
        """Sync and hash every file, then move them to the folder of the shards."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        files = tuple(self._sealed(path) for path in paths)
        for folder in sorted({path.parent for path in paths} - {self.folder}):
            sync_folder(folder)
        self._shards.mkdir(exist_ok=True)
        for entry in sorted(self.folder.iterdir()):
            _replace(entry, self._shards / entry.name)
        sync_folder(self._shards)
        return files

    def _sealed(self, path: Path) -> ShardFile:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(self.folder).as_posix()
        return ShardFile(name, path.stat().st_size, digest)


def write_json(path: Path, data: Any) -> None:
    """Write plain data atomically: temporary name, sync, rename, sync of the folder."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(data, file, separators=(",", ":"))
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(entry: Path, target: Path) -> None:
    # A folder cannot be renamed over a full one; without its record the old one counts for nothing.
    if entry.is_dir() and target.exists():
        shutil.rmtree(target)
    os.replace(entry, target)
