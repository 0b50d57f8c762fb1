"""Where a dataset or its assets lie: in a folder, or in an object store at an address."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote

from depthmask.errors import UsageError
from depthmask.storage import object_store

SCHEMES = ("s3", "gs", "memory")
"""Object stores; `file://` is a folder."""


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """A place in an object store, with as much of `pathlib.Path` as a dataset needs.

    root: scheme and bucket, as `s3://bucket`. key: below it, without slashes at its ends.
    """

    root: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.root}/{self.key}".rstrip("/")

    def __reduce__(self) -> tuple[type[Address], tuple[str, str]]:
        if self.is_memory:
            raise UsageError(f"{self}: memory:// lives in one process; say runner.workers=1")
        return Address, (self.root, self.key)

    def __truediv__(self, name: str | PurePosixPath) -> Address:
        return Address(self.root, f"{self.key}/{name}".strip("/"))

    @property
    def is_memory(self) -> bool:
        """Whether no other process sees what is there."""
        return self.root.startswith("memory://")

    @property
    def name(self) -> str:
        """Behind the last slash; of a whole bucket its own."""
        return str(self).rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """What the name ends with, from its last dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Address:
        """The folder, as far as object stores have any."""
        return Address(self.root, self.key.rpartition("/")[0])

    def absolute(self) -> Address:
        """Itself: an address depends on no working folder."""
        return self

    def is_file(self) -> bool:
        """Whether there is an object."""
        return self.key != "" and object_store.head(self.root, self.key) is not None

    def is_dir(self) -> bool:
        """Whether there are objects below."""
        return any(True for _ in object_store.listed(self.root, self._below))

    def exists(self) -> bool:
        """Whether there is anything."""
        return self.is_file() or self.is_dir()

    def read_bytes(self) -> bytes:
        """The whole object; FileNotFoundError if there is none."""
        return object_store.get(self.root, self.key)[1]

    def write_bytes(self, content: bytes) -> None:
        """Put the whole object."""
        object_store.put(self.root, self.key, content)

    def write_text(self, text: str, *, encoding: str) -> None:
        """Put the whole object."""
        self.write_bytes(text.encode(encoding))

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Delete the object; object stores do not say whether it was there."""
        object_store.delete(self.root, [self.key])

    def iterdir(self) -> Iterator[Address]:
        """Objects and folders right below."""
        return (Address(self.root, key) for key in object_store.children(self.root, self._below))

    def glob(self, pattern: str) -> Iterator[Address]:
        """Those of `iterdir` whose name fits."""
        return (path for path in self.iterdir() if fnmatch(path.name, pattern))

    def rglob(self, pattern: str) -> Iterator[Address]:
        """Objects at any depth whose name fits."""
        found = (Address(self.root, one.key) for one in object_store.listed(self.root, self._below))
        return (path for path in found if fnmatch(path.name, pattern))

    @property
    def _below(self) -> str:
        return f"{self.key}/" if self.key else ""


Location: TypeAlias = Path | Address


def location(text: str | PathLike[str] | Address) -> Location:
    """The place that a user names: a path, or a URL; UsageError if it is neither."""
    if isinstance(text, Address):
        return text
    given = os.fspath(text)
    scheme, separator, rest = given.partition("://")
    if not separator:
        return Path(given)
    refuse_passwords(given)
    if scheme == "file":
        if not rest.startswith("/"):
            raise UsageError(f"{given}: a file URL begins with file:///")
        return Path(unquote(rest))
    name, _, key = rest.partition("/")
    if scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in ("file", *SCHEMES))
        raise UsageError(f"{given}: {scheme}:// is no place that we know; there are {known}")
    parts = key.strip("/").split("/") if key.strip("/") else []
    if not name or {"", ".", ".."} & set(parts) or "?" in rest or "#" in rest:
        raise UsageError(f"{given}: expected {scheme}://BUCKET/NAME, without ?, #, // and ..")
    return Address(f"{scheme}://{name}", "/".join(parts))


def refuse_passwords(text: str) -> None:
    """UsageError, without the text, if there is a URL with a user before its host in it."""
    found = re.search(r"(\w+)://[^/,\s]*@", text)
    if found:
        raise UsageError(
            f"{found[1]}://...@...: a URL with a name or password in it, which would end up in "
            "files; leave them out, they come from the environment or the cloud's own config"
        )
