"""What the rest asks of a store, whatever holds the bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, ClassVar, Generic, Protocol, TypeVar

from depthmask.storage.location import Location
from depthmask.storage.record import ShardFile

DRAFTS = ".drafts"
"""Folder of unfinished shards; whatever a killed run left there is garbage."""
LOCK = ".lock"
"""Name of what says that a run is at work."""
TEMPORARY = ".tmp"
"""How the names of files end before they are whole."""


Where = TypeVar("Where", bound=Location)
"""The kind of location that a store has."""


class Opened(Protocol):
    """A published file, for reads anywhere in it."""

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes at each (offset, size), in order; those of one sample lie side by side."""

    def close(self) -> None:
        """Give it back."""


class Store(ABC, Generic[Where]):
    """Holds datasets. A file is either whole, durable and under its name, or it is not there."""

    readers: ClassVar[int]
    """How many small files are best read side by side."""

    @abstractmethod
    def drafts(self, output: Where) -> Path:
        """The local folder for unfinished shards of a dataset; it need not exist."""

    @abstractmethod
    def publish(self, draft: Path, shards: Where) -> tuple[ShardFile, ...]:
        """Hash all files of a draft and move them to the folder of the shards, durably."""

    @abstractmethod
    def write(self, path: Where, content: bytes) -> None:
        """Put a small file in its place, durably, in one step that a reader sees whole or not."""

    @abstractmethod
    def new_file(self, path: Where) -> AbstractContextManager[Path]:
        """A local path for a file that is made step by step, and gets its place at the end."""

    @abstractmethod
    def appended(self, path: Where) -> AbstractContextManager[Path]:
        """A local path for a file that each run appends to; it gets its place however that ends."""

    @abstractmethod
    def read(self, path: Where, most: int) -> bytes:
        """A small file; OSError or ValueError unless it is one, of so many bytes at most."""

    @abstractmethod
    def open(self, folder: Where, file: ShardFile) -> Opened:
        """A published file; DepthmaskError unless it has the size that it was published with."""

    @abstractmethod
    def stream(self, folder: Where, file: ShardFile) -> BinaryIO:
        """The same, for what reads and seeks."""

    @abstractmethod
    def difference(self, folder: Where, file: ShardFile) -> str | None:
        """What is there instead of a published file, by its content; None if it is the same."""

    @abstractmethod
    def stands(self, folder: Where, file: ShardFile) -> bool:
        """Whether a published file has the content that it had, for a run that goes on.

        As `difference` says, or as the store itself vouches for.
        """

    @abstractmethod
    def files(self, folder: Where) -> Iterator[str]:
        """The names of all files below a folder, with forward slashes."""

    @abstractmethod
    def remove(self, path: Where) -> None:
        """Delete a file, or a folder with all that is in it."""

    @abstractmethod
    def make_folder(self, path: Where) -> None:
        """Make a folder whose name is durable, where folders are things of their own."""

    @abstractmethod
    def remove_leftovers(self, output: Where) -> None:
        """Remove what a killed run left unfinished."""

    @abstractmethod
    def free(self, output: Where) -> int | None:
        """Bytes that are free there; None where nobody counts them."""

    @abstractmethod
    def locked(self, output: Where) -> AbstractContextManager[Callable[[], None]]:
        """Hold a dataset; UsageError if another run has it. Gives what raises once it is lost."""
