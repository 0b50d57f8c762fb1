"""Reads samples of a new shard back: a writer that loses data ends the run at its start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from depthmask.codec.sample import decode
from depthmask.data import Encoded
from depthmask.errors import DepthmaskError
from depthmask.stage.calls import StageCalls, StageError, described
from depthmask.stages.writer.base import Writer
from depthmask.storage.path import StorePath
from depthmask.storage.record import Record


def require_readable(
    writer: Writer, folder: StorePath, record: Record, first: Encoded, last: Encoded
) -> None:
    """Raise `StageError` unless the writer reads two samples of a shard as they were written.

    folder: that of the published shards. first, last: the first and last sample of the shard.
    """
    calls = StageCalls(writer, "read")
    ends = {0: first, len(record) - 1: last}
    try:
        for number, written in ends.items():
            read = published_sample(writer, folder, record, number, written.key)
            if fault := _difference(written, read):
                raise calls.fault(f"of sample {written.key} returned {fault}")
    except StageError:
        raise
    except DepthmaskError as error:
        raise calls.fault(f"cannot read a new shard: {error}") from error


def published_sample(
    writer: Writer, folder: StorePath, record: Record, number: int, key: str
) -> Encoded:
    """Sample `number` of a published shard, as the writer reads it; raises `DepthmaskError`.

    folder: that of the published shards.
    """
    calls = StageCalls(writer, "read")
    with calls:
        reader = writer.read(folder, record)
    try:
        with calls:
            read = reader.read(number, key)
    finally:
        with calls:
            reader.close()
    if not isinstance(read, Encoded):
        raise calls.returned(read, "the members of a sample as Encoded")
    return read


def _difference(written: Encoded, read: Encoded) -> str | None:
    """What is not as it was written, as text; None if all is."""
    # Those arrays alone that the writer stores beside members, or instead of them.
    arrays = {name: array for name, array in written.arrays.items() if name in read.arrays}
    try:
        one, other = decode(replace(written, arrays=arrays)), decode(read)
    except DepthmaskError as error:
        return f"members that cannot be decoded: {error}"
    if read.key != written.key or other.meta != one.meta:
        return f"the JSON of {described(other.meta.get('key'))}; expected that of this sample"
    pairs: dict[str, tuple[Any, Any]] = {
        name: (getattr(one, name), getattr(other, name)) for name in ("image", "mask", "depth")
    }
    pairs |= {name: (value, other.labels.get(name)) for name, value in one.labels.items()}
    for name, (value, same) in pairs.items():
        if not np.array_equal(value, same):
            return f"another {name} than was written: {described(same)}"
    return None
