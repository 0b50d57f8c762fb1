"""Writers: how encoded samples become the files of a shard, and how they are read back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol

from depthmask.codec.sample import SizeEstimate
from depthmask.data import Encoded
from depthmask.errors import SettingError
from depthmask.plan.layout import Layout
from depthmask.stage import Stage
from depthmask.storage.location import location
from depthmask.storage.path import OpenShardFile, StorePath
from depthmask.storage.record import Members, Record, ShardFile

if TYPE_CHECKING:
    from depthmask.reading.dataset import Dataset


_FEW = 3
"""Files of a shard that stay open: with one for each member there are thousands."""


class ShardReader(Protocol):
    """Random access to the samples of one shard.

    Threads may read at the same time; a forked process makes readers of its own. `close` comes when
    nobody reads.
    """

    def read(self, number: int, key: str) -> Encoded:
        """The sample `number` (0 is the first of the shard), whose key is `key`."""

    def close(self) -> None:
        """Give back files and memory."""


class ShardKind(Enum):
    """How a shard looks to those who read it without depthmask; what the cards say of it."""

    archive = "one tar or zip file with the members as files named KEY.MEMBER"
    files = "a folder with the members as files named KEY.MEMBER"
    table = "one file with the columns key, image, mask, depth, json and so on"
    other = "anything else"


class Writer(Stage):
    """A pair of `write` and `read`; the same samples always give the same bytes."""

    kind: ClassVar[str] = "writer"
    open_shards: ClassVar[int] = 400
    """How many a dataset keeps open, each with its record."""
    reads_arrays: ClassVar[bool] = True
    """Whether `write` looks at the arrays of a sample. For one that does not, samples that are
    there already are moved unopened, and have none."""
    shard_kind: ClassVar[ShardKind] = ShardKind.other

    @abstractmethod
    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `count` samples to one or more files in `folder`, named after `shard`.

        The framework syncs, hashes and publishes whatever lies in the folder afterwards. Returns
        where each member lies, or {} if `read` finds the samples by other means.
        """

    def most_samples(self, expected: SizeEstimate) -> int | None:
        """How many such samples fit one shard; None if there is no limit."""
        return None

    def derive(self, dataset: Dataset) -> None:
        """Write files about the whole dataset into its folder, from its published shards."""

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open a published shard; here by the places that `write` returned."""
        return MemberReader(folder, record)


def check_shard_size(writer: Writer, expected: SizeEstimate, layout: Layout) -> None:
    """Raise `SettingError` now, and not after minutes of work, if a shard would be too large."""
    most = writer.most_samples(expected)
    if most is not None and min(layout.shard_size, layout.samples) > most:
        fits = f"shard_size={most}" if most else "writer=webdataset"
        raise SettingError(
            "shard_size",
            layout.shard_size,
            f"writer={writer.name} holds {most:,} such samples in a file; {fits} fits",
        )


def open_published(folder: StorePath | Path, file: ShardFile) -> BinaryIO:
    """A published file, for what reads and seeks; DepthmaskError unless it has the size it had.

    By `file.name` below `folder`, never by a link: a dataset that came from elsewhere must not
    make us read, or wait for, what is not a part of it.
    """
    return location(folder).stream_shard_file(file)


class MemberReader:
    """Reads members at the offsets in the record: no scan of an archive, no index of its own."""

    def __init__(self, folder: StorePath | Path, record: Record) -> None:
        self._folder = location(folder)
        self._record = record
        self._archives: dict[int, OpenShardFile] = {}
        """By their numbers: a dict sets once, whichever thread comes first."""

    def read(self, number: int, key: str) -> Encoded:
        """The members of sample `number`, as they were encoded."""
        members = self._record.members
        places = [of_member[number].tolist() for of_member in members.values()]
        if len(self._record.files) == 1:
            contents = self._of_archive(0, [(offset, size) for _, offset, size in places])
        elif len(self._record.files) <= _FEW:
            contents = [
                self._of_archive(file, [(offset, size)])[0] for file, offset, size in places
            ]
        else:
            contents = [self._of_file(*place) for place in places]
        return Encoded(key, dict(zip(members, contents, strict=True)), {})

    def close(self) -> None:
        """Close the archives."""
        while self._archives:
            self._archives.popitem()[1].close()

    def _of_archive(self, file: int, spans: list[tuple[int, int]]) -> list[bytes]:
        archive = self._archives.get(file)
        if archive is None:
            mine = self._folder.open_shard_file(self._record.files[file])
            archive = self._archives.setdefault(file, mine)
            if archive is not mine:
                # Another thread was first.
                mine.close()
        return archive.read(spans)

    def _of_file(self, file: int, offset: int, size: int) -> bytes:
        opened = self._folder.open_shard_file(self._record.files[file])
        try:
            return opened.read([(offset, size)])[0]
        finally:
            opened.close()
