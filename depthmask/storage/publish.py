"""Publishing: a file is either whole, durable and under its name, or it is not there.

Writers fill a draft folder; the framework has the store publish it. A plugin writer cannot get it
wrong.
"""

from __future__ import annotations

import errno
import hashlib
import json
import secrets
import shutil
from types import TracebackType
from typing import Any

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage.choice import store_of
from depthmask.storage.location import Location
from depthmask.storage.record import ShardFile

_SEAL = b'{"checksum":"%b"'
"""How a sealed file begins: with the sha256, in hexadecimal, of all that follows."""
_SEAL_BYTES = len(_SEAL % bytes(64))
MOST_SEALED = 1 << 26
"""Bytes of a sealed file; the record of a shard of 100,000 files has 20 MB."""


class Draft:
    """A temporary folder for the files of one shard: a context, gone at its end."""

    def __init__(self, output: Location, shard: str) -> None:
        self._store = store_of(output)
        self._shards = output / "shards"
        # Not the process's number: two machines of a cluster may be at the same shard.
        self.folder = self._store.drafts(output) / f"{shard}.{secrets.token_hex(8)}"

    def __enter__(self) -> Draft:
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
        """Hash every file, then have it in the folder of the shards, durably."""
        return self._store.publish(self.folder, self._shards)


def write_sealed(path: Location, data: dict[str, Any]) -> None:
    """Write plain data with a checksum of its own, whole or not at all."""
    fields = json.dumps(data, separators=(",", ":")).encode().removeprefix(b"{")
    text = (b"," if data else b"") + fields + b"\n"
    if len(text) > MOST_SEALED - _SEAL_BYTES:
        raise DepthmaskError(
            f"{path}: {len(text):,} bytes, and we read no more than {MOST_SEALED:,}; "
            "a smaller shard_size makes smaller ones"
        )
    store_of(path).write(path, _seal(text) + text)


def read_sealed(path: Location) -> dict[str, Any] | None:
    """What `write_sealed` wrote; None if the file is absent, cut, changed or another's."""
    try:
        content = store_of(path).read(path, MOST_SEALED)
        if content[:_SEAL_BYTES] != _seal(content[_SEAL_BYTES:]):
            return None
        data: dict[str, Any] = json.loads(content)
        del data["checksum"]
        return data
    except (OSError, ValueError, KeyError, RecursionError):
        return None


def require_sealed(path: Location) -> dict[str, Any]:
    """What `write_sealed` wrote; UsageError if it is not there or not whole."""
    data = read_sealed(path)
    if data is None:
        state = "is damaged" if path.exists() else "is missing"
        raise UsageError(f"{path}: {path.name} {state}, so this is no dataset to read")
    return data


def disk_error(error: OSError, output: Location) -> DepthmaskError:
    """An error of the disk in one line: the path, what happened, what is free."""
    where = error.filename or output
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        free = store_of(output).free(output)
        return DepthmaskError(
            f"{where}: {error.strerror}; {free:,} bytes are free in {output}. "
            "Make room and run the same command again: what is published stays"
        )
    return DepthmaskError(f"{where}: {error.strerror or error}")


def _seal(text: bytes) -> bytes:
    return _SEAL % hashlib.sha256(text).hexdigest().encode()
