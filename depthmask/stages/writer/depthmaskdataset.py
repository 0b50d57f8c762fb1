"""Writes the files of DepthMaskDataset: a zip, label tables, and batches of depth."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from depthmask.codec.members import JSON, Member, member_of
from depthmask.codec.npz import npy_header, read_npz
from depthmask.codec.planes import from_planes
from depthmask.codec.sample import DepthFormat, Encode, SizeEstimate, from_millimetres
from depthmask.codec.zip import LARGEST, Deflater, ZipStream, most_samples
from depthmask.data import Encoded, Float32
from depthmask.errors import DepthmaskError
from depthmask.stage import setting, stage
from depthmask.stages.writer.base import PublishedDataset, Writer
from depthmask.stages.writer.reader import MemberReader, ShardReader, open_published
from depthmask.storage.path import StorePath
from depthmask.storage.record import Members, Record
from depthmask.untrusted import untrusted

_ARRAYS = ("depth", "meta")
"""What the batches and the descriptions hold instead of the zip."""
_ZIP, _DESCRIPTIONS = "data.zip", "samples.jsonl"
_BATCH = "depthmap_output_batch{}.npz"
_LABELS = "data/labels"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@stage("depthmaskdataset")
class DepthMaskDataset(Writer):
    """The names, tables and batches of DepthMaskDataset, a folder for each shard.

    `SHARD/data.zip`: `data/fg_bg/bg001/bg001_fg001_000001.jpg`, `data/fg_bg_mask/...`, stored,
    numbered over the whole dataset from 1; labels in `data/fg_bg_NAME/...`.
    `SHARD/depthmap_output_batchN.npz`, N from 1: `output` float32 [n, dh, dw, 1], metres divided by
    `far_m` (0.01..1 for DenseDepth), and `ulps`, the correction of its last bits to the exact
    metres. `SHARD/samples.jsonl`: the descriptions of the samples. Beside the shards
    `data/labels/bg001_label_info.txt` and `data_label.txt`: image, mask, x, y, width and height of
    each object [px], separated by tabs.
    """

    # The depth of an open shard is in memory as a whole after the first access.
    open_shards = 8
    # Two headers, each with the name.
    member_bytes = 140

    far_m: float = setting(10.0, gt=0, help="metres that 1 stands for in depth batches")

    def most_samples(self, expected: SizeEstimate) -> int:
        """Less than 4 GiB and 65,535 members in the zip, and less than 4 GiB of depth."""
        stacked = LARGEST // (2 * expected.arrays.get("depth", 0) + 1)
        return min(stacked, most_samples(expected.members, expected.bytes))

    def stored_as(self, encode: Encode) -> Encode:
        """Depth is deflated as floats."""
        return (
            encode if encode.depth is DepthFormat.none else replace(encode, depth=DepthFormat.npz)
        )

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write the zip and the descriptions, sample by sample, then the batch."""
        into = folder / shard
        into.mkdir()
        members: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
        batch, line_start = _Batch(count, self.far_m), 0
        with ExitStack() as files:
            archive = ZipStream(files.enter_context((into / _ZIP).open("wb", buffering=1 << 20)))
            descriptions = files.enter_context((into / _DESCRIPTIONS).open("wb"))
            for sample in samples:
                line = sample.members[JSON.name]
                meta = orjson.loads(line)
                for name, data in sample.members.items():
                    if member_of(name).carries not in _ARRAYS:
                        offset = archive.add(path_of(meta, name), data)
                        members[name].append((0, offset, len(data)))
                descriptions.write(line + b"\n")
                members[JSON.name].append((1, line_start, len(line)))
                line_start += len(line) + 1
                batch.add(sample.arrays)
            archive.close()
        if batch.write(into / _BATCH.format(int(shard.rpartition("-")[2]) + 1)):
            # The record lists files sorted by name, so the batch precedes the descriptions.
            members[JSON.name] = [(2, start, size) for _, start, size in members[JSON.name]]
        return members

    def member_path(self, shard: str, sample: Encoded, member: str) -> str:
        """The name in the zip, which is another one in each shard."""
        return path_of(orjson.loads(sample.members[JSON.name]), member)

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open the zip at the offsets in the record; the batch is read at the first access."""
        return _Reader(folder, record, self.far_m)

    def derive(self, dataset: PublishedDataset) -> None:
        """Write the label tables, in the order of the shards."""
        labels = dataset.path / _LABELS
        labels.make_folder()
        with tempfile.TemporaryDirectory(prefix="depthmask-") as scratch:
            for record in dataset.records():
                for name, rows in _tables(dataset, record).items():
                    with (Path(scratch) / name).open("a", encoding="ascii") as file:
                        file.writelines(f"{row}\n" for row in rows)
            for table in Path(scratch).iterdir():
                with (labels / table.name).new_file() as path:
                    shutil.copyfile(table, path)


def path_of(meta: Mapping[str, Any], member: str) -> str:
    """`data/fg_bg/bg001/bg001_fg001_000001.jpg`, named by background and first foreground."""
    background = _safe(meta["background"])
    keys = [background, *(_safe(layer["foreground"]) for layer in meta["layers"][:1])]
    name = "_".join([*keys, f"{meta['index'] + 1:06d}"])
    return f"data/{_folder(member_of(member))}/{background}/{name}.{member_of(member).suffix}"


def _folder(member: Member) -> str:
    """The folder in the zip: that of the original for images and masks, one for each label."""
    return "fg_bg" if member.carries == "image" else f"fg_bg_{_safe(member.carries)}"


def _safe(key: str) -> str:
    """The key with characters that every archive and file system allows."""
    return _UNSAFE.sub("_", key)


def _tables(dataset: PublishedDataset, record: Record) -> dict[str, list[str]]:
    """Name of a label table -> its rows from a shard; `data_label.txt` has all rows."""
    tables: defaultdict[str, list[str]] = defaultdict(list)
    for meta in _described(dataset, record):
        rows = _rows(meta, record.members)
        tables[f"{_safe(meta['background'])}_label_info.txt"] += rows
        tables["data_label.txt"] += rows
    return tables


def _rows(meta: Mapping[str, Any], members: Mapping[str, Any]) -> list[str]:
    """One row for each layer whose box is known."""
    image, mask = (
        path_of(meta, next(name for name in members if member_of(name).carries == field))
        for field in ("image", "mask")
    )
    boxes = [layer["box"] for layer in meta["layers"] if "box" in layer]
    return [
        "\t".join([image, mask, *map(str, (left, top, width, height))])
        for top, left, height, width in boxes
    ]


def _described(dataset: PublishedDataset, record: Record) -> Iterator[dict[str, Any]]:
    """The description of each sample of a shard."""
    number = int(record.members[JSON.name][0][0])
    lines = open_published(dataset.folder_of(record), record.files[number])
    with lines, untrusted(f"{dataset.path}: {record.shard}"):
        for line in lines:
            yield orjson.loads(line)


class _Batch:
    """The depth maps of a shard, deflated one by one."""

    def __init__(self, count: int, far_m: float) -> None:
        self._count = count
        self._far = np.float32(far_m)
        self._arrays: dict[str, Deflater] = {}

    def add(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Append the map of a sample, if it has one."""
        depth = _metres(arrays)
        if depth is not None:
            output = depth / self._far
            correction = depth.view(np.int32) - (output * self._far).view(np.int32)
            for name, array in (("output", output), ("ulps", correction.astype(np.int8))):
                if name not in self._arrays:
                    self._arrays[name] = Deflater()
                    shape = (self._count, *array.shape, 1)
                    self._arrays[name].feed(npy_header(array.dtype, shape))
                self._arrays[name].feed(np.ascontiguousarray(array).data)

    def write(self, path: Path) -> bool:
        """Write the npz file; False if there is no depth."""
        if self._arrays:
            with path.open("wb") as file:
                archive = ZipStream(file)
                for name, array in self._arrays.items():
                    archive.add_deflated(f"{name}.npy", array.finish())
                archive.close()
        return bool(self._arrays)


def _metres(arrays: Mapping[str, NDArray[Any]]) -> Float32 | None:
    """The depth map of a sample in metres; None if it has none."""
    if "depth_planes" in arrays:
        return from_millimetres(from_planes(arrays["depth_planes"]))
    depth = arrays.get("depth")
    return None if depth is None else depth.astype(np.float32)


class _Reader(MemberReader):
    """Reads members at their offsets, and depth from the batch."""

    def __init__(self, folder: StorePath, record: Record, far_m: float) -> None:
        super().__init__(folder, record)
        self._far = np.float32(far_m)
        self._batch = next((file for file in record.files if file.name.endswith(".npz")), None)

    def read(self, number: int, key: str) -> Encoded:
        """The members of sample `number`, and its depth as an array."""
        encoded = super().read(number, key)
        if self._batch is None:
            return encoded
        return Encoded(key, encoded.members, {"depth": self._depth[number].copy()})

    def close(self) -> None:
        """Close the files and free the depth."""
        super().close()
        self.__dict__.pop("_depth", None)

    @cached_property
    def _depth(self) -> Float32:
        """float32 [n, dh, dw], metres."""
        assert self._batch is not None, "checked by the caller"
        file = open_published(self._folder, self._batch)
        with file, untrusted(str(self._folder / self._batch.name)):
            return _exact(read_npz(file, self._batch.bytes), len(self._record), self._far)


def _exact(arrays: Mapping[str, NDArray[Any]], count: int, far: np.float32) -> Float32:
    """The exact metres [n, dh, dw]: `output` in metres, with the correction `ulps`."""
    output, ulps = arrays["output"], arrays["ulps"]
    types_fit = output.dtype == np.float32 and ulps.dtype == np.int8
    if not types_fit or output.shape != ulps.shape or (len(output), output.ndim) != (count, 4):
        raise DepthmaskError(f"output: {output.dtype} {output.shape} for {count} samples")
    return ((output * far).view(np.int32) + ulps).view(np.float32)[..., 0]
