"""NumPy shards: `np.load` opens them, depth comes as one array."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.data import Encoded, sample_key
from depthmask.formats.npz import deflate_array, npy_header
from depthmask.formats.zip import Deflated, ZipStream
from depthmask.output.record import Members, Record
from depthmask.stage import setting, stage
from depthmask.writer.base import ShardReader, Writer


class Images(Enum):
    """How npz shards keep pictures."""

    encoded = "encoded"
    raw = "raw"


@stage("npz")
class Npz(Writer):
    """One npz file for each shard.

    `depth` float32 [n, dh, dw] as the dataset's contract says. Pictures either `raw`, `image`
    uint8 [n, h, w, 3] and `mask` uint8 [n, h, w], or `encoded`: member `jpg` of sample i is
    `jpg[jpg_offsets[i]:jpg_offsets[i + 1]]`, uint8. The JSON is kept in the same way.
    """

    images: Images = setting(Images.encoded, help="pictures as encoded bytes or as raw arrays")

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD.npz`; arrays are deflated as they come, bytes are stored."""
        stacks: dict[str, Deflated] = {}
        blobs: dict[str, list[bytes]] = {}
        stacked = {"image", "mask", "depth"} if self.images is Images.raw else {"depth"}
        for sample in samples:
            for name, array in sample.arrays.items():
                if name in stacked:
                    if name not in stacks:
                        stacks[name] = Deflated()
                        stacks[name].feed(npy_header(array.dtype, (count, *array.shape)))
                    stacks[name].feed(np.ascontiguousarray(array).data)
            for name, data in sample.members.items():
                if _ARRAYS.get(name) not in stacked:
                    blobs.setdefault(name, []).append(data)
        with (folder / f"{shard}.npz").open("wb") as file:
            archive = ZipStream(file)
            for name, stack in stacks.items():
                archive.add_deflated(f"{name}.npy", stack)
            for name, items in blobs.items():
                offsets = np.cumsum([0, *map(len, items)], dtype=np.int64)
                archive.add_deflated(f"{name}_offsets.npy", deflate_array(offsets))
                content = npy_header(np.dtype(np.uint8), (int(offsets[-1]),)) + b"".join(items)
                archive.add(f"{name}.npy", content)
            archive.close()
        return {}

    def read(self, folder: Path, record: Record) -> ShardReader:
        """Open the npz file; arrays are read when first asked for."""
        return NpzReader(folder / record.files[0].name, record.start)


_ARRAYS = {
    "jpg": "image",
    "png": "image",
    "mask.png": "mask",
    "mask.jpg": "mask",
    "depth.png": "depth",
    "depth.npz": "depth",
}
"""Which array says the same as a member."""


class NpzReader:
    """Keeps the arrays of one shard in memory: an npz file is deflated as a whole."""

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        self._start = start

    @cached_property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        with np.load(self._path, allow_pickle=False) as file:
            return dict(file)

    def read(self, number: int) -> Encoded:
        """Sample `number`: stacked arrays as arrays, the rest as members."""
        members, arrays = {}, {}
        for name, array in self._arrays.items():
            offsets = self._arrays.get(f"{name}_offsets")
            if offsets is not None:
                members[name] = array[offsets[number] : offsets[number + 1]].tobytes()
            elif not name.endswith("_offsets"):
                arrays[name] = array[number]
        return Encoded(sample_key(self._start + number), members, arrays)

    def close(self) -> None:
        """Forget the arrays."""
        self.__dict__.pop("_arrays", None)
