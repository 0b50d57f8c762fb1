"""Writers: how encoded samples become the files of a shard."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import ClassVar, Protocol

from depthmask.codec.sample import Encode, SizeEstimate
from depthmask.data import Encoded, Sample
from depthmask.errors import SettingError
from depthmask.plan.layout import Layout
from depthmask.stage import Stage
from depthmask.stage.calls import StageCalls
from depthmask.stages.writer.reader import MemberReader, ShardReader
from depthmask.storage.path import StorePath
from depthmask.storage.record import Members, Record


class ShardKind(Enum):
    """The layout of a shard for other programs, of which dataset cards say how to read it."""

    archive = "one tar or zip file with the members as files named KEY.MEMBER"
    files = "a folder with the members as files named KEY.MEMBER"
    parquet = "one Parquet file with the columns key, image, mask, depth, json and so on"
    table = "one file with a table of samples or members, in any format"
    other = "anything else"


class PublishedDataset(Protocol):
    """A dataset whose shards are all published, as `derive` of writers and labels sees it."""

    @property
    def path(self) -> StorePath:
        """The folder to write into: that of the dataset, or a draft of it."""

    def records(self) -> Iterator[Record]:
        """The record of each shard, in order."""

    def folder_of(self, record: Record) -> StorePath:
        """The folder of the files of a shard."""

    @property
    def writer(self) -> Writer:
        """The writer of its shards."""

    @property
    def foreground_labels(self) -> tuple[str, ...]:
        """The labels of all foregrounds of the source, sorted; empty if it does not tell them."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""

    def split(self, name: str) -> PublishedDataset:
        """The samples of one split, numbered from 0."""

    def __len__(self) -> int:
        """The number of samples."""

    def encoded(self, index: int) -> Encoded:
        """The members of a sample, undecoded."""

    def __iter__(self) -> Iterator[Sample]:
        """All samples, in order."""


class Writer(Stage):
    """Writes and reads the files of a shard; the same samples always give the same bytes."""

    kind: ClassVar[str] = "writer"
    open_shards: ClassVar[int] = 400
    """The number of shards that a dataset keeps open, each with its record."""
    reads_arrays: ClassVar[bool] = True
    """Whether `write` reads the arrays of a sample; if not, `convert` moves members without
    decoding them, and samples have no arrays."""
    shard_kind: ClassVar[ShardKind] = ShardKind.other
    """The layout of a shard for other programs."""
    member_bytes: ClassVar[int] = 0
    """About the bytes that a shard takes for each member beside its content, for estimates."""
    any_size: ClassVar[bool] = False
    """Whether the samples of a shard may differ in size, as photographs do; their keys are then
    names like `holiday/IMG_0123`."""

    @abstractmethod
    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `count` samples to one or more files in `folder`, named after `shard`.

        The framework then syncs, hashes and publishes all files in the folder. Returns the file,
        offset and size of each member, or {} if `read` finds the samples by an index in the files.
        """

    def most_samples(self, expected: SizeEstimate) -> int | None:
        """The most samples of the expected size that fit into a shard; None without a limit."""
        return None

    def stored_as(self, encode: Encode) -> Encode:
        """The encode settings whose members take as many bytes as what is stored, for estimates."""
        return encode

    def member_path(self, shard: str, sample: Encoded, member: str) -> str:
        """The path by which other programs find a member, with forward slashes.

        It is below the folder of the shards where members are files, and else within the archive.
        Paths differ between all samples of a dataset. By default it is that of `shard_kind`.
        """
        name = f"{sample.key}.{member}"
        return f"{shard}/{name}" if self.shard_kind is ShardKind.files else name

    def derive(self, dataset: PublishedDataset) -> None:
        """Write files about the whole dataset into its folder, from its published shards."""

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open a published shard; by default at the offsets that `write` returned."""
        return MemberReader(folder, record)


def check_shard_size(writer: Writer, expected: SizeEstimate, layout: Layout) -> None:
    """Raise `SettingError` if a shard would be too large, before any sample is made."""
    calls = StageCalls(writer, "most_samples")
    with calls:
        most = writer.most_samples(expected)
    if most is not None and (type(most) is not int or most < 0):
        raise calls.returned(most, "a number of samples, or None")
    if most is not None and min(layout.shard_size, layout.samples) > most:
        fits = f"shard_size={most}" if most else "writer=webdataset"
        raise SettingError(
            "shard_size",
            layout.shard_size,
            f"writer={writer.name} holds {most:,} such samples in a file; {fits} fits",
        )
