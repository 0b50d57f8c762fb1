"""The files below a root of `source=assets`: listed once, and each with one content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from depthmask.errors import DepthmaskError, UsageError
from depthmask.stages.source import _images as images
from depthmask.stages.source._copies import LocalCopy, local_copy
from depthmask.stages.source._folder import (
    AssetError,
    Listing,
    listing,
    listings_of,
    missing_folder,
)
from depthmask.stages.source._folders import FOLDERS, Folders
from depthmask.stages.source._looks import content_hash
from depthmask.stages.source._names import TABLE
from depthmask.stages.source._rows import Rows, picture_names, rows_of
from depthmask.stages.source._table import read_table
from depthmask.stages.source.base import Bar
from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.path import StorePath
from depthmask.storage.remote import ObjectPath


class AssetChangedError(DepthmaskError):
    """A file is another one than the run has looked at."""


class RootFiles:
    """The files that a root has now, or those that were looked at.

    hashes: name -> the hash of each file that was looked at, from then on its only content; None
    before any look.
    """

    def __init__(
        self,
        root: str,
        bar: Bar,
        *,
        is_nested: bool,
        hashes: dict[str, str] | None = None,
        aliases: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """bar: shows what is copied to this machine. is_nested: whether sub-folders are read.

        hashes, aliases: of files that another process has looked at, see `seen`.
        """
        self._root = root
        self._bar = bar
        self._is_nested = is_nested
        self.hashes = hashes
        self._aliases = aliases or {}

    @property
    def seen(self) -> dict[str, Any]:
        """What another process needs to use these files; each copies URLs by itself."""
        return {} if self.hashes is None else {"hashes": self.hashes, "aliases": self.rows.aliases}

    @property
    def title(self) -> str:
        """The root as its user wrote it."""
        return self._root.rstrip("/")

    @property
    def location(self) -> StorePath:
        """The folder or the object store of the root."""
        return location(self._root)

    @property
    def is_local(self) -> bool:
        """Whether the files are not copied to this machine."""
        return isinstance(self.location, LocalPath)

    @property
    def folder(self) -> Path:
        """The root itself, or the copy of an object store."""
        root = self.location
        if not isinstance(root, LocalPath):
            return self.copies.folder
        try:
            is_folder = root.is_dir()
        except PermissionError as error:
            raise _unreadable(error) from None
        if not is_folder:
            raise UsageError(f"source.root={self._root}: {_no_folder(root)}")
        return root

    @cached_property
    def copies(self) -> LocalCopy:
        """The copy of an object store."""
        root = self.location
        assert isinstance(root, ObjectPath), "only object stores are copied"
        return local_copy(root, self._bar, is_nested=self._is_nested)

    @cached_property
    def folders(self) -> Folders:
        """The folders by what they hold."""
        if self.hashes is None:
            return Folders.of_root(self.folder)
        return Folders.of_files(self.folder, self.hashes)

    @cached_property
    def listings(self) -> dict[str, Listing]:
        """The files of each folder, by key; listed once, since a folder may have thousands."""
        if self.hashes is not None:
            return listings_of(self.folders, self.hashes)
        list_one = partial(listing, self.folders, is_nested=self._is_nested)
        if not self.is_local:
            list_one = partial(list_one, deeper=self.copies.deeper, versions=self.copies.versions)
        return {folder: list_one(folder) for folder in FOLDERS}

    @cached_property
    def rows(self) -> Rows:
        """The rows of the table; after a look, of the pictures that it has listed."""
        path = self.folder / TABLE
        if self.hashes is not None:
            table = read_table(path, self.read(path) if TABLE in self.hashes else None)
            return Rows(table, self._aliases)
        table = read_table(path, path.read_bytes() if path.is_file() else None)
        return rows_of(table, picture_names(self.folders.names, self._listed_names()))

    def _listed_names(self) -> Iterator[tuple[str, str]]:
        """Yield the folder of each picture, also of one at fault, and its name in the folder."""
        for one in self.listings.values():
            for path in (*one.files.values(), *(fault.path for fault in one.faults)):
                yield self.folders.place_of(self.name_of(path))

    def of(self, folder: str) -> Mapping[str, Path]:
        """The files of a folder, by key."""
        return self.listings[folder].files

    def required(self, folder: str) -> Mapping[str, Path]:
        """As `of`, of a folder that has to be there."""
        if not self.folders.path(folder).is_dir():
            raise missing_folder(self.folder, folder)
        return self.of(folder)

    def name_of(self, path: Path) -> str:
        """The name below the root of a file, with slashes."""
        return self.folders.name_of(path)

    def hash_of(self, path: Path) -> str | None:
        """The hash of a file, if it was looked at."""
        return (self.hashes or {}).get(self.name_of(path))

    def read(self, path: Path) -> bytes:
        """The content of a file; `AssetChangedError` if it is not the one that was looked at."""
        name = path.name if path.name == TABLE else self.name_of(path)
        hashes = self.hashes
        try:
            data = images.read(path)
        except AssetError:
            if hashes and name in hashes and not path.exists():
                raise self._changed(name) from None
            raise
        # Without a look, there is nothing to compare with.
        if hashes is not None:
            content = content_hash(data)
            if hashes.setdefault(name, content) != content:
                raise self._changed(name)
        return data

    def _changed(self, name: str) -> AssetChangedError:
        return AssetChangedError(
            f"{self.title}/{name}: changed since the run looked at it; run the command again"
        )

    def copied(self) -> Iterator[str]:
        """Yield what was copied to this machine, if anything was."""
        if not self.is_local and self.copies.files:
            yield (
                f"{self.title}: {self.copies.files:,} files of {self.copies.bytes:,} bytes were "
                f"copied to {self.copies.folder.parent}"
            )

    @contextmanager
    def errors_with_url(self) -> Iterator[None]:
        """Replace the folder of a local copy in errors by the URL that it was copied from."""
        try:
            yield
        except PermissionError as error:
            raise _unreadable(error) from None
        except UsageError as error:
            if self.is_local:
                raise
            raise UsageError(str(error).replace(str(self.folder), self.title)) from None


def _no_folder(root: Path) -> str:
    """Why a root cannot be listed, and what to do where it is a file, such as a zip."""
    if not root.exists():
        return "no such folder"
    return "is a file; give the folder that holds bg/ and fg/, and unpack it first if it is a zip"


def _unreadable(error: PermissionError) -> UsageError:
    return UsageError(
        f"{error.filename}: {error.strerror}; this user must be able to read source.root"
    )
