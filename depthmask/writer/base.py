"""Writers: how encoded samples become the files of a shard, and how they are read back."""

from __future__ import annotations

import os
import stat
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Protocol

from depthmask.data import Encoded
from depthmask.encode import Expected
from depthmask.errors import DepthmaskError, SettingError
from depthmask.output.record import Members, Record, ShardFile
from depthmask.shards import Layout
from depthmask.stage import Stage


class ShardReader(Protocol):
    """Random access to the samples of one shard.

    Threads may read at the same time; a forked process makes readers of its own. `close` comes when
    nobody reads.
    """

    def read(self, number: int, key: str) -> Encoded:
        """The sample `number` (0 is the first of the shard), whose key is `key`."""

    def close(self) -> None:
        """Give back files and memory."""


class Writer(Stage):
    """A pair of `write` and `read`; the same samples always give the same bytes."""

    kind: ClassVar[str] = "writer"
    open_shards: ClassVar[int] = 400
    """How many a dataset keeps open, each with its record."""
    reads_arrays: ClassVar[bool] = True
    """Whether `write` looks at the arrays of a sample. For one that does not, samples that are
    there already are moved unopened, and have none."""

    @abstractmethod
    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `count` samples to one or more files in `folder`, named after `shard`.

        The framework syncs, hashes and publishes whatever lies in the folder afterwards. Returns
        where each member lies, or {} if `read` finds the samples by other means.
        """

    def most_samples(self, expected: Expected) -> int | None:
        """How many such samples fit one shard; None if there is no limit."""
        return None

    def read(self, folder: Path, record: Record) -> ShardReader:
        """Open a published shard; here by the places that `write` returned."""
        return MemberReader(folder, record)


def check_shard_size(writer: Writer, expected: Expected, layout: Layout) -> None:
    """Raise `SettingError` now, and not after minutes of work, if a shard would be too large."""
    most = writer.most_samples(expected)
    if most is not None and min(layout.shard_size, layout.samples) > most:
        fits = f"shard_size={most}" if most else "writer=webdataset"
        raise SettingError(
            "shard_size",
            layout.shard_size,
            f"writer={writer.name} holds {most:,} such samples in a file; {fits} fits",
        )


def open_published(folder: Path, file: ShardFile) -> int:
    """A descriptor of a published file; DepthmaskError unless it is one, of the size it had.

    By `file.name` below `folder`, never by a link: a dataset that came from elsewhere must not
    make us read, or wait for, what is not a part of it.
    """
    path = folder / file.name
    for part in path.relative_to(folder).parents:
        if part.name and (folder / part).is_symlink():
            raise DepthmaskError(f"{path}: {folder / part} is a link; a shard is read from none")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "a link; a shard is read from none" if path.is_symlink() else error.strerror
        raise DepthmaskError(f"{path}: {reason}") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.bytes:
        os.close(handle)
        raise DepthmaskError(
            f"{path}: not the file of {file.bytes:,} bytes that was published; "
            "`python -m depthmask verify OUT --repair` makes the shard again"
        )
    return handle


class MemberReader:
    """Reads members at the offsets in the record: no scan of an archive, no index of its own."""

    def __init__(self, folder: Path, record: Record) -> None:
        self._folder = folder
        self._record = record
        self._open: dict[int, int] = {}

    def read(self, number: int, key: str) -> Encoded:
        """The members of sample `number`, as they were encoded."""
        members = {
            name: self._bytes(*places[number]) for name, places in self._record.members.items()
        }
        return Encoded(key, members, {})

    def close(self) -> None:
        """Close the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _bytes(self, file: int, offset: int, size: int) -> bytes:
        if file in self._open:
            return os.pread(self._open[file], size, offset)
        handle = open_published(self._folder, self._record.files[file])
        if len(self._record.files) == 1:
            kept = self._open.setdefault(file, handle)
            if kept != handle:
                # Another thread was first.
                os.close(handle)
            return os.pread(kept, size, offset)
        # One file for each member, thousands in a shard: too many to keep open.
        with os.fdopen(handle, "rb") as content:
            content.seek(offset)
            return content.read(size)
