"""NumPy shards, which `np.load` opens; depth is one array."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthmask.codec.members import DEPTH_ARRAYS, MEMBERS
from depthmask.codec.npz import deflate_array, npy_header, read_npz
from depthmask.codec.sample import DepthFormat, Encode, ImageFormat, SizeEstimate
from depthmask.codec.zip import LARGEST, Deflater, ZipStream, most_samples
from depthmask.data import Encoded
from depthmask.errors import DepthmaskError
from depthmask.stage import setting, stage
from depthmask.stages.writer.base import Writer
from depthmask.stages.writer.reader import ShardReader, open_published
from depthmask.storage.path import StorePath
from depthmask.storage.record import Members, Record
from depthmask.untrusted import untrusted


class Images(Enum):
    """The form in which npz shards store images."""

    encoded = "encoded"
    raw = "raw"


@stage("npz")
class Npz(Writer):
    """One npz file for each shard.

    `depth` is float32 [n, dh, dw] by the dataset's contract (or `depth_planes` uint8
    [n, 2, dh, dw], with `encode.depth=compact`). Images are either `raw`, `image` uint8
    [n, h, w, 3] and `mask` uint8 [n, h, w], or `encoded`: member `jpg` of sample i is
    `jpg[jpg_offsets[i]:jpg_offsets[i + 1]]`, uint8. The JSON is stored like encoded images.
    """

    # An open shard is in memory as a whole.
    open_shards = 8

    images: Images = setting(Images.encoded, help="images as encoded bytes or as raw arrays")

    def most_samples(self, expected: SizeEstimate) -> int:
        """The limits of a zip archive: 4 GiB, for each array before it is deflated as well."""
        arrays = expected.arrays
        size = sum(arrays.values()) if self.images is Images.raw else arrays.get("depth", 0)
        stacked = LARGEST // (size + 1)
        # The members of the shard are a few arrays, whatever the number of samples.
        return min(stacked, most_samples(1, expected.bytes))

    def stored_as(self, encode: Encode) -> Encode:
        """Depth is deflated as floats; raw images take about the bytes of PNG."""
        if encode.depth is DepthFormat.png16:
            encode = replace(encode, depth=DepthFormat.npz)
        return replace(encode, image=ImageFormat.png) if self.images is Images.raw else encode

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD.npz`; arrays are deflated sample by sample, bytes are stored."""
        stacks: dict[str, Deflater] = {}
        blobs: dict[str, list[bytes]] = {}
        stacked = set(DEPTH_ARRAYS)
        if self.images is Images.raw:
            stacked |= {"image", "mask"}
        replaced = {name for name, member in MEMBERS.items() if member.carries in stacked}
        for sample in samples:
            for name, array in sample.arrays.items():
                if name in stacked:
                    if name not in stacks:
                        stacks[name] = Deflater()
                        stacks[name].feed(npy_header(array.dtype, (count, *array.shape)))
                    stacks[name].feed(np.ascontiguousarray(array).data)
            for name, data in sample.members.items():
                if name not in replaced:
                    blobs.setdefault(name, []).append(data)
        with (folder / f"{shard}.npz").open("wb") as file:
            archive = ZipStream(file)
            for name, stack in stacks.items():
                archive.add_deflated(f"{name}.npy", stack.finish())
            for name, items in blobs.items():
                offsets = np.cumsum([0, *map(len, items)], dtype=np.int64)
                archive.add_deflated(f"{name}_offsets.npy", deflate_array(offsets))
                content = npy_header(np.dtype(np.uint8), (int(offsets[-1]),)) + b"".join(items)
                archive.add(f"{name}.npy", content)
            archive.close()
        return {}

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open the npz file; arrays are read at the first access."""
        return NpzReader(folder, record)


class NpzReader:
    """Reads samples of an npz file, whose arrays are kept in memory."""

    def __init__(self, folder: StorePath, record: Record) -> None:
        self._folder = folder
        self._record = record
        self._loaded: dict[str, NDArray[Any]] | None = None
        self._lock = threading.Lock()

    @property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        # Not `cached_property`: in Python 3.11 all instances share one lock, which may stay locked
        # after a fork.
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> dict[str, NDArray[Any]]:
        file = self._record.files[0]
        content = open_published(self._folder, file)
        with untrusted(str(self._folder / file.name)), content:
            arrays = read_npz(content, file.bytes)
            for name, array in arrays.items():
                self._check(name, array, arrays)
        return arrays

    def _check(self, name: str, array: NDArray[Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Raise `DepthmaskError` unless an array has an item or range of bytes for each sample."""
        samples = len(self._record)
        if name.endswith("_offsets"):
            blob = arrays.get(name.removesuffix("_offsets"), np.zeros(0))
            fits = (
                array.dtype == np.int64
                and array.shape == (samples + 1,)
                and blob.dtype == np.uint8
                and blob.ndim == 1
                and bool(np.all(array[1:] >= array[:-1]))
                and (array[0], array[-1]) == (0, len(blob))
            )
        else:
            fits = f"{name}_offsets" in arrays or array.shape[:1] == (samples,)
        if not fits:
            raise DepthmaskError(
                f"{name!r}: {array.dtype} {list(array.shape)} does not suit {samples} samples"
            )

    def read(self, number: int, key: str) -> Encoded:
        """Sample `number`: its stacked arrays, and its other members as bytes."""
        if not 0 <= number < len(self._record):
            raise IndexError(f"{number} is not one of {len(self._record)} samples")
        members, arrays, kept = {}, {}, self._arrays
        for name, array in kept.items():
            offsets = kept.get(f"{name}_offsets")
            if offsets is not None:
                members[name] = array[offsets[number] : offsets[number + 1]].tobytes()
            elif not name.endswith("_offsets"):
                # A copy, so that writes to a sample do not reach other readers.
                arrays[name] = array[number].copy()
        return Encoded(key, members, arrays)

    def close(self) -> None:
        """Free the arrays."""
        self._loaded = None
