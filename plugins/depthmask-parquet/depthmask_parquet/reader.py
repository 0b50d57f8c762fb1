"""Random access to the samples of a Parquet shard."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from depthmask import DepthmaskError, Encoded, Record, StorePath, open_published, untrusted
from numpy.typing import NDArray

from depthmask_parquet.schema import ARRAYS, members_of

LARGEST = 1 << 30
"""The most bytes of an unpacked row group; 100 samples of 160x160 have 1 MB, with npz depth 11."""


class ParquetReader:
    """Reads samples and keeps the last row group in memory."""

    def __init__(self, folder: StorePath, record: Record) -> None:
        self._folder = folder
        self._record = record
        self._file: Any = None
        self._starts: list[int] = []
        self._group = -1
        self._rows: Any = None
        self._lock = threading.Lock()

    def read(self, number: int, key: str) -> Encoded:
        """Sample `number`, whose key is `key`; `DepthmaskError` if the file is damaged."""
        with untrusted(str(self._folder / self._record.files[0].name)), self._lock:
            if self._file is None:
                self._open()
            group = int(np.searchsorted(self._starts, number, side="right")) - 1
            if group != self._group:
                self._rows = self._file.read_row_group(group)
                self._group = group
            return self._sample(number - self._starts[group], key)

    def close(self) -> None:
        """Close the file and free its rows."""
        if self._file is not None:
            self._file.close(force=True)
        self._file, self._rows, self._group = None, None, -1

    def _open(self) -> None:
        import pyarrow.parquet as pq

        content = open_published(self._folder, self._record.files[0])
        try:
            file = pq.ParquetFile(content)
            self._starts = self._checked(file.metadata)
        except BaseException:
            content.close()
            raise
        self._file = file

    def _checked(self, metadata: Any) -> list[int]:
        """The first row of each row group."""
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        counts = [one.num_rows for one in groups]
        if sum(counts) != len(self._record):
            raise DepthmaskError(f"{sum(counts)} rows for {len(self._record)} samples")
        if max(one.total_byte_size for one in groups) > LARGEST:
            raise DepthmaskError(f"a row group of more than {LARGEST:,} bytes")
        return [sum(counts[:number]) for number in range(len(counts))]

    def _sample(self, row: int, key: str) -> Encoded:
        rows, images = self._rows, members_of(self._rows.schema)
        if rows["key"][row].as_py() != key:
            raise DepthmaskError(f"sample {rows['key'][row].as_py()!r} where {key} should be")
        members = {name: _content(rows[column][row].as_py()) for column, name in images.items()}
        members["json"] = rows["json"][row].as_py().encode()
        arrays = [name for name in ARRAYS if name in rows.column_names and name not in images]
        return Encoded(key, members, {name: _array(rows[name][row]) for name in arrays})


def _content(value: Any) -> bytes:
    """The content of a member: of an image, a text, or bytes."""
    if isinstance(value, dict):
        return bytes(value["bytes"])
    return value.encode() if isinstance(value, str) else bytes(value)


def _array(value: Any) -> NDArray[Any]:
    """An array of nested lists of numbers, whose inner lists have one length."""
    shape, values = [len(value)], value.values
    while hasattr(values, "flatten") and values.type.num_fields:
        shape.append(len(values[0]))
        values = values.flatten()
    return values.to_numpy(zero_copy_only=False).reshape(shape).copy()
