"""The requirements on a writer."""

from __future__ import annotations

import itertools
import os
import resource
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from depthmask.codec.labels import LabelCodec, LabelOutput
from depthmask.codec.sample import DepthFormat, Encode, ImageFormat, InstancesFormat, decode
from depthmask.data import Encoded, Sample, Size, sample_key
from depthmask.errors import DepthmaskError
from depthmask.stages.writer.base import ShardKind, Writer
from depthmask.storage.location import location
from depthmask.storage.publish import Draft
from depthmask.storage.record import Record, as_byte_ranges
from depthmask.testing.base import StageSuite

_SHARD = "train-000004"
_FIRST = 40
_ENCODES = (
    Encode(image=ImageFormat.png),
    Encode(image=ImageFormat.png, instances=InstancesFormat.png, depth=DepthFormat.npz),
    Encode(image=ImageFormat.png, depth=DepthFormat.none),
)
_LABELS = (
    LabelOutput("instances", LabelCodec.png, "number of the foreground", 100),
    LabelOutput("flow", LabelCodec.npz, "a label that no writer knows", 6000),
    LabelOutput("caption", LabelCodec.json, "another one", 50),
)


_PHOTOGRAPHS = (
    ("a b/Käfer", (20, 24)),
    ("a b-c", (24, 20)),
    ("a", (24, 30)),
    ("日" * 30 + "/" + "x" * 20, (9, 9)),
)
"""Keys and sizes of photographs; one key is longer than the 99 bytes of a name in a tar."""
_ALIKE = (("IMG_0001", (24, 30)), ("IMG-2", (24, 30)))
"""Keys and sizes of photographs of one size."""


class WriterSuite(StageSuite):
    """Samples can be read back, the same samples give the same bytes, and shards are complete."""

    stage_class: ClassVar[type[Writer]]

    @pytest.mark.parametrize("encode", _ENCODES, ids=["default", "all", "no-depth"])
    def test_samples_come_back_in_any_order(
        self, stage: Any, encode: Encode, tmp_path: Path
    ) -> None:
        """Image, masks, depth, labels and description are read from the published files alone."""
        samples = _samples(encode)
        reader = stage.read(location(tmp_path / "shards"), _published(stage, tmp_path, samples))
        for number in (2, 0, 1, 0):
            sample = decode(reader.read(number, samples[number].key))
            expected = decode(samples[number])
            assert (sample.key, sample.meta) == (expected.key, expected.meta)
            for name in ("image", "mask", "instances", "depth"):
                assert np.array_equal(getattr(sample, name), getattr(expected, name)), name
            assert sample.labels.keys() == expected.labels.keys()
            for name, value in expected.labels.items():
                assert np.array_equal(sample.labels[name], value), name
        reader.close()
        assert reader.read(1, samples[1].key).key == samples[1].key
        reader.close()

    def test_threads_read_at_the_same_time(self, stage: Any, tmp_path: Path) -> None:
        """Keras and `tf.data` read from several threads."""
        samples = _samples(_ENCODES[0], 8)
        reader = stage.read(location(tmp_path / "shards"), _published(stage, tmp_path, samples))
        barrier = threading.Barrier(4)

        def read(first: int) -> list[bool]:
            barrier.wait(timeout=60)
            numbers = [(first + step) % len(samples) for step in range(5 * len(samples))]
            decoded = [
                (number, decode(reader.read(number, samples[number].key))) for number in numbers
            ]
            return [one.meta == decode(samples[number]).meta for number, one in decoded]

        before = _open_files()
        with ThreadPoolExecutor(4) as threads:
            assert all(itertools.chain.from_iterable(threads.map(read, range(4))))
        reader.close()
        assert _open_files() == before

    def test_the_same_samples_give_the_same_bytes(self, stage: Any, tmp_path: Path) -> None:
        """Files contain no times, machine names or folders."""
        one = _published(stage, tmp_path / "one", _samples(_ENCODES[0]))
        other = _published(stage, tmp_path / "other", _samples(_ENCODES[0]))
        assert one.as_json() == other.as_json()

    def test_files_bear_the_name_of_the_shard(self, stage: Any, tmp_path: Path) -> None:
        """File names begin with the shard's name, so that shards share a folder."""
        record = _published(stage, tmp_path, _samples(_ENCODES[0]))
        assert all(file.name.startswith(_SHARD) for file in record.files)

    def test_members_are_files_where_it_says(self, stage: Any, tmp_path: Path) -> None:
        """`member_path` leads to the file of a member if `shard_kind` says that members are files.

        The paths of all samples differ.
        """
        samples = _samples(_ENCODES[0])
        _published(stage, tmp_path, samples)
        paths = [stage.member_path(_SHARD, one, name) for one in samples for name in one.members]
        assert len(set(paths)) == sum(len(one.members) for one in samples)
        contents = [data for one in samples for data in one.members.values()]
        if stage.shard_kind is ShardKind.files:
            files = [tmp_path / "shards" / path for path in paths]
            assert [file.read_bytes() for file in files] == contents

    def test_a_shard_of_one_sample(self, stage: Any, tmp_path: Path) -> None:
        """The last shard of a dataset may have a single sample."""
        samples = _samples(_ENCODES[0], 1)
        reader = stage.read(location(tmp_path / "shards"), _published(stage, tmp_path, samples))
        assert decode(reader.read(0, samples[0].key)).meta == decode(samples[0]).meta
        reader.close()

    def test_samples_are_taken_one_by_one(self, stage: Any, tmp_path: Path) -> None:
        """An error between samples is raised, and no file stays open."""
        samples = _samples(_ENCODES[0])

        def breaking() -> Iterator[Encoded]:
            yield samples[0]
            raise ArithmeticError("a stage failed")

        before = _open_files()
        with pytest.raises(ArithmeticError), Draft(tmp_path, _SHARD) as draft:
            stage.write(draft.folder, _SHARD, 3, breaking())
        assert _open_files() == before
        assert not draft.folder.exists()

    def test_samples_with_names(self, stage: Any, tmp_path: Path) -> None:
        """Keys may be names of photographs; with `any_size`, they may have folders and any letters.

        Then the samples may differ in size, too.
        """
        photographs = _PHOTOGRAPHS if stage.any_size else _ALIKE
        samples = [_named(name, size) for name, size in photographs]
        reader = stage.read(location(tmp_path / "shards"), _published(stage, tmp_path, samples))
        for number, written in enumerate(samples):
            sample, expected = decode(reader.read(number, written.key)), decode(written)
            assert (sample.key, sample.meta) == (expected.key, expected.meta)
            assert np.array_equal(sample.image, expected.image)
            assert np.array_equal(sample.depth, expected.depth)  # type: ignore[arg-type]
        reader.close()

    def test_a_disk_that_takes_no_more_is_an_error(self, stage: Any, tmp_path: Path) -> None:
        """A full disk raises an error instead of making a shorter shard."""
        samples = _samples(_ENCODES[0], 40)
        before = _open_files()
        failure = pytest.raises((OSError, DepthmaskError))
        with Draft(tmp_path, _SHARD) as draft, _files_of_at_most(1000), failure:
            stage.write(draft.folder, _SHARD, len(samples), iter(samples))
        assert _open_files() == before


def _samples(encode: Encode, count: int = 3) -> list[Encoded]:
    labels = _LABELS if encode.instances is InstancesFormat.png else ()
    return [encode.encode(_sample(_FIRST + number), labels) for number in range(count)]


def _sample(index: int) -> Sample:
    """A sample of noise, which cannot be compressed; depth is 1 to 9 m, with one invalid pixel."""
    rng = np.random.default_rng(index)
    depth_m = rng.integers(1000, 9000, (24, 30)).astype(np.float32) / np.float32(1000)
    depth_m[0, 0] = 0
    return Sample(
        key=sample_key(index),
        image=rng.integers(0, 256, (24, 30, 3), dtype=np.uint8),
        mask=rng.integers(0, 256, (24, 30), dtype=np.uint8),
        instances=None,
        depth=depth_m,
        meta=_meta(index),
        labels={
            "instances": rng.integers(0, 3, (24, 30), dtype=np.uint8),
            "flow": rng.random((24, 30, 2), dtype=np.float32),
            "caption": {"text": "zwei Stühle", "objects": index % 3},
        },
    )


def _named(key: str, size: Size) -> Encoded:
    """A sample with this key and this size."""
    sample = _sample(_FIRST)
    height, width = size
    assert sample.depth is not None, "it has depth"
    changed = replace(
        sample,
        key=key,
        image=sample.image[:height, :width].copy(),
        mask=sample.mask[:height, :width].copy(),
        depth=sample.depth[:height, :width].copy(),
        meta={**sample.meta, "key": key},
    )
    return _ENCODES[0].encode(changed)


def _meta(index: int) -> dict[str, Any]:
    layer = {"foreground": "stühle 1", "label": "Stühle", "box": [-1, 0, 2, 3]}
    return {"key": sample_key(index), "index": index, "background": "wand", "layers": [layer]}


def _published(stage: Writer, output: Path, samples: Sequence[Encoded]) -> Record:
    """Publish a shard as the framework does; returns its record, read back from JSON."""
    with Draft(output, _SHARD) as draft:
        members = stage.write(draft.folder, _SHARD, len(samples), iter(samples))
        files = draft.publish()
    ranges = {member: as_byte_ranges(of_member) for member, of_member in members.items()}
    stop = _FIRST + len(samples)
    record = Record(_SHARD, "train", "", _FIRST, stop, files, ranges, {}, {})
    return Record.from_json(record.as_json())


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """Limit the size of files, like a disk that is full after `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
