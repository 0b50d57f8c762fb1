"""The paths of datasets, in a local folder or in an object store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from os import PathLike
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol, Self

from depthmask.concurrency import cores
from depthmask.errors import DepthmaskError, MachineError
from depthmask.storage.record import ShardFile
from depthmask.storage.shell import command, path_word

ASSETS = "assets.json"
"""Name of the file with the hash of each file of the source, so that a change can be named."""
DRAFTS = ".drafts"
"""Name of the folder of unfinished shards; the next run deletes what a killed one left in it."""
LOCK = ".lock"
"""Name of the file that marks a dataset as in use by a run."""
PENDING_HOOKS = "hooks.json"
"""Name of the file with the plugins whose `depthmask_run_finished` is still to be called."""
PREVIEW = "preview.jpg"
"""Name of the contact sheet of a dataset."""
REPORT = "report.html"
"""Name of the page about a dataset; a run that extends the dataset removes it."""
_NOT_DERIVED = {
    *("shards", "records", DRAFTS),
    *("dataset.json", "plan.json", ASSETS, PENDING_HOOKS, LOCK, "run.log"),
}
"""What a dataset has beside its derived files; anything else is foreign."""
_SMALL = 1 << 18
"""Bytes of a file up to which one thread reads and hashes as many of them as several do."""
TEMPORARY = ".tmp"
"""Suffix of files that are not complete yet."""


class OpenShardFile(Protocol):
    """A published file that is open for reads at any offset."""

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each (offset, size), in order; those of a sample are adjacent."""

    def close(self) -> None:
        """Release the file."""


class StorePath(ABC):
    """A path in a local folder or in an object store.

    The methods named as in `pathlib.Path` behave as there. The others are what makes a dataset
    durable: a file that they write is either whole and under its name, or it does not exist.
    """

    __slots__ = ()

    parallel_reads: ClassVar[int]
    """How many small files are best read at the same time."""

    def parallel_checks(self, mean_bytes: float) -> int:
        """How many files of this mean size to hash at once; hashlib releases the GIL.

        Threads slow down small local files, where most of the time is not spent in hashing.
        """
        return max(cores() if mean_bytes > _SMALL else 1, self.parallel_reads)

    @abstractmethod
    def __truediv__(self, key: str | PathLike[str]) -> Self: ...

    @property
    @abstractmethod
    def name(self) -> str:
        """The last component."""

    @property
    @abstractmethod
    def stem(self) -> str:
        """The name without its suffix."""

    @property
    @abstractmethod
    def suffix(self) -> str:
        """The end of the name, from its last dot."""

    @property
    @abstractmethod
    def parent(self) -> Self:
        """The folder that contains the path."""

    @abstractmethod
    def absolute(self) -> Self:
        """Return the path independent of the working folder."""

    @abstractmethod
    def is_file(self) -> bool:
        """Return whether a file exists here."""

    @abstractmethod
    def is_dir(self) -> bool:
        """Return whether a folder exists here."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether a file or a folder exists here."""

    @abstractmethod
    def has_name(self) -> bool:
        """Return whether anything has this path, a link that leads nowhere included."""

    @abstractmethod
    def read_bytes(self) -> bytes:
        """Return the content of the file; FileNotFoundError if there is none."""

    @abstractmethod
    def write_bytes(self, data: bytes) -> int:
        """Write the file and return its size, without the guarantees of `write_whole`."""

    @abstractmethod
    def write_text(self, data: str, encoding: str) -> int:
        """Write the file and return its length, without the guarantees of `write_whole`."""

    @abstractmethod
    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the file."""

    @abstractmethod
    def iterdir(self) -> Iterator[Self]:
        """Yield the files and folders in this folder."""

    @abstractmethod
    def glob(self, pattern: str) -> Iterator[Self]:
        """Yield the files and folders in this folder whose names match."""

    @abstractmethod
    def rglob(self, pattern: str) -> Iterator[Self]:
        """Yield the files at any depth whose names match; a local folder also yields folders."""

    @abstractmethod
    def write_whole(self, content: bytes) -> None:
        """Write a small file durably; a reader sees the old content or the new, never a mixture."""

    @abstractmethod
    def read_whole(self, most_bytes: int) -> bytes:
        """Read a small file; OSError or ValueError if it is larger or no regular file."""

    @abstractmethod
    def new_file(self) -> AbstractContextManager[Path]:
        """Give a local path to write the file to; it is published when the context ends."""

    @abstractmethod
    def appended(self) -> AbstractContextManager[Path]:
        """Give a local path to append to; it is published however the context ends."""

    @abstractmethod
    def make_folder(self) -> None:
        """Create the folder, and those above it, durably; object stores have none to create."""

    @abstractmethod
    def remove(self) -> None:
        """Delete the file, or the folder with everything in it."""

    @abstractmethod
    def file_names(self) -> Iterator[str]:
        """Yield the names of all files below the folder, relative to it, with forward slashes."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[Callable[[], None]]:
        """Hold the lock of the dataset; UsageError if another run holds it.

        Gives a function that raises DepthmaskError once the lock is lost. A run calls it before
        it publishes anything.
        """

    @abstractmethod
    def recorded(self) -> AbstractContextManager[dict[str, ShardFile]]:
        """Give a mapping which has, after the block, the derived files that the block has written.

        By their names relative to the dataset. They are durable then.
        """

    def derived_names(self) -> Iterator[str]:
        """Yield the names of all files of a dataset beside its shards, records and plan.

        Those of a folder that this process may not list are left out.
        """
        for path in self.iterdir():
            if not is_derived(path.name):
                continue
            if path.is_dir():
                with suppress(MachineError):
                    yield from (f"{path.name}/{name}" for name in path.file_names())
            elif path.is_file():
                yield path.name

    @abstractmethod
    def draft_folder(self) -> Path:
        """Return the local folder for unfinished shards of the dataset; it need not exist."""

    @abstractmethod
    def remove_leftovers(self) -> None:
        """Remove the unfinished files of a killed run from the dataset."""

    @abstractmethod
    def free_bytes(self, *, emptied: bool = False) -> int | None:
        """Return the free space for the dataset; None if it is unlimited.

        emptied: count what the folder takes now as free.
        """

    @abstractmethod
    def publish(self, draft: Path) -> tuple[ShardFile, ...]:
        """Hash all files of a draft and move them into this folder of shards, durably."""

    @abstractmethod
    def open_shard_file(self, file: ShardFile) -> OpenShardFile:
        """Open a published file of this folder; DepthmaskError unless it has its original size."""

    @abstractmethod
    def stream_shard_file(self, file: ShardFile) -> BinaryIO:
        """Open a published file as `open_shard_file` does, as a binary file that can seek."""

    @abstractmethod
    def difference(self, file: ShardFile) -> str | None:
        """Return how the content differs from what was published; None if it is the same."""

    @abstractmethod
    def is_intact(self, file: ShardFile) -> bool:
        """Return whether a published file is intact enough to resume from.

        Object stores vouch for a content by its etag, so that it need not be downloaded.
        """


def is_derived(name: str) -> bool:
    """Whether a name relative to a dataset is that of a derived file, or of none of depthmask's."""
    return name.partition("/")[0] not in _NOT_DERIVED


def not_as_published(
    shards: StorePath, file: ShardFile, *, missing: bool = False
) -> DepthmaskError:
    """Return the error for a file that is missing, or has not the size with which it was published.

    shards: the folder of the shards.
    """
    fault = (
        "is missing" if missing else f"does not have the {file.bytes:,} bytes that were published"
    )
    repair = command("verify", path_word(shards.parent), "--repair")
    return DepthmaskError(f"{shards / file.name}: {fault}; `{repair}` makes the shard again")
