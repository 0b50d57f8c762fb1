"""The stage `parquet`, which writes shards as Parquet files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from depthmask import (
    Encoded,
    Members,
    Record,
    ShardKind,
    ShardReader,
    StorePath,
    Writer,
    setting,
    stage,
)
from numpy.typing import NDArray

from depthmask_parquet.reader import ParquetReader
from depthmask_parquet.schema import Schema, arrays, members_of, schema


@stage("parquet")
class Parquet(Writer):
    """One Parquet file for each shard, for Hugging Face `datasets`.

    Columns: `key`; `image`, `mask`, `instances` and `depth` (if it is a PNG) as Image features;
    `depth` as Array2D of float32 or float16 if `encode.depth` is npz or npz16, `depth_planes` uint8
    if it is compact; `json`, the description of the sample; a column for each label: an Image
    feature, a text for JSON, or binary.
    """

    # A reader keeps a row group in memory.
    open_shards = 40
    shard_kind = ShardKind.parquet

    row_group: int = setting(
        100, ge=1, le=100_000, help="samples in a row group, which is read as a whole"
    )

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD.parquet`, a row group at a time."""
        import pyarrow.parquet as pq

        first, samples = _first(samples)
        columns = schema(first)
        # Parquet's names of the values in nested lists. JPEG and PNG are already compressed.
        packed = {
            name + ".list.element" * first.arrays[name].ndim: "zstd" for name in arrays(first)
        }
        with (folder / f"{shard}.parquet").open("wb") as file:
            writer = pq.ParquetWriter(
                file,
                columns,
                compression=packed or "none",
                use_dictionary=False,
                write_statistics=["key"],
            )
            try:
                for group in _groups(samples, self.row_group):
                    writer.write_table(_table(group, columns), row_group_size=self.row_group)
            finally:
                writer.close()
        return {}

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open the file; a row group is read at the first access to one of its samples."""
        return ParquetReader(folder, record)


def _first(samples: Iterable[Encoded]) -> tuple[Encoded, Iterable[Encoded]]:
    """The first sample, and all samples including the first."""
    iterator = iter(samples)
    first = next(iterator)
    return first, itertools.chain([first], iterator)


def _groups(samples: Iterable[Encoded], size: int) -> Iterator[list[Encoded]]:
    iterator = iter(samples)
    while group := list(itertools.islice(iterator, size)):
        yield group


def _table(group: list[Encoded], columns: Schema) -> Any:
    import pyarrow as pa

    members = members_of(columns)
    data: dict[str, Any] = {}
    for name in columns.names:
        if name == "key":
            data[name] = [sample.key for sample in group]
        elif name == "json":
            data[name] = [sample.members["json"].decode() for sample in group]
        elif name in members:
            data[name] = [_cell(sample, members[name], columns.field(name)) for sample in group]
        else:
            data[name] = _lists(np.stack([sample.arrays[name] for sample in group]))
    return pa.table(data, schema=columns)


def _cell(sample: Encoded, member: str, column: Any) -> Any:
    """The content of a member as the column has it: an image, a text, or bytes."""
    data = sample.members[member]
    if column.type == "string":
        return data.decode()
    if column.type == "binary":
        return data
    return {"bytes": data, "path": f"{sample.key}.{member}"}


def _lists(stack: NDArray[Any]) -> Any:
    """[n, h, w] as n lists of h lists of w numbers, without Python objects for the numbers."""
    import pyarrow as pa

    values = pa.array(np.ascontiguousarray(stack).ravel())
    for length in reversed(stack.shape[1:]):
        starts = np.arange(0, len(values) + 1, length, dtype=np.int32)
        values = pa.ListArray.from_arrays(starts, values)
    return values
