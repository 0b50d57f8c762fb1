"""What the rest asks of a store, whatever holds the bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from depthmask.location import Location
from depthmask.output.record import ShardFile

DRAFTS = ".drafts"
"""Folder of unfinished shards; whatever a killed run left there is garbage."""
LOCK = ".lock"
"""Name of what says that a run is at work."""
TEMPORARY = ".tmp"
"""How the names of files end before they are whole."""


class Opened(Protocol):
    """A published file, for reads anywhere in it."""

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes at each (offset, size), in order; those of one sample lie side by side."""

    def close(self) -> None:
        """Give it back."""


class Store(ABC):
    """Holds datasets. A file is either whole, durable and under its name, or it is not there."""

    @abstractmethod
    def drafts(self, output: Location) -> Path:
        """The local folder for unfinished shards of a dataset; it need not exist."""

    @abstractmethod
    def publish(self, draft: Path, shards: Location) -> tuple[ShardFile, ...]:
        """Hash all files of a draft and move them to the folder of the shards, durably."""

    @abstractmethod
    def write(self, path: Location, content: bytes) -> None:
        """Put a small file in its place, durably, in one step that a reader sees whole or not."""

    @abstractmethod
    def new_file(self, path: Location) -> AbstractContextManager[Path]:
        """A local path for a file that is made step by step, and gets its place at the end."""

    @abstractmethod
    def read(self, path: Location, most: int) -> bytes:
        """A small file; OSError or ValueError unless it is one, of so many bytes at most."""

    @abstractmethod
    def open(self, folder: Location, file: ShardFile) -> Opened:
        """A published file; DepthmaskError unless it has the size that it was published with."""

    @abstractmethod
    def stream(self, folder: Location, file: ShardFile) -> BinaryIO:
        """The same, for what reads and seeks."""

    @abstractmethod
    def difference(self, folder: Location, file: ShardFile) -> str | None:
        """What is there instead of a published file, by its content; None if it is the same."""

    @abstractmethod
    def files(self, folder: Location) -> Iterator[Location]:
        """All files below a folder."""

    @abstractmethod
    def remove(self, path: Location) -> None:
        """Delete a file, or a folder with all that is in it."""

    @abstractmethod
    def make_folder(self, path: Location) -> None:
        """Make a folder whose name is durable, where folders are things of their own."""

    @abstractmethod
    def remove_leftovers(self, output: Location) -> None:
        """Remove what a killed run left unfinished."""

    @abstractmethod
    def free(self, output: Location) -> int | None:
        """Bytes that are free there; None where nobody counts them."""

    @abstractmethod
    def locked(self, output: Location) -> AbstractContextManager[None]:
        """Hold a dataset; UsageError if another run has it."""
