"""Every writer: what is written comes back, and the same samples give the same bytes."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthmask.codec.sample import DepthFormat, Encode, ImageFormat, InstancesFormat, decode
from depthmask.data import Encoded, Sample
from depthmask.stages.writer.base import Writer
from depthmask.stages.writer.depthmaskdataset import DepthMaskDataset
from depthmask.stages.writer.folder import Folder
from depthmask.stages.writer.npz import Images, Npz
from depthmask.stages.writer.webdataset import WebDataset
from depthmask.stages.writer.zip import Zip
from depthmask.storage.location import location
from depthmask.storage.publish import Draft
from depthmask.storage.record import Record, as_byte_ranges

MakeSample = Callable[..., Sample]
WRITERS = {
    "webdataset": WebDataset(),
    "zip": Zip(),
    "folder": Folder(),
    "npz": Npz(),
    "depthmaskdataset": DepthMaskDataset(),
    "npz-raw": Npz(images=Images.raw),
}
ENCODES = {
    "default": Encode(),
    "all": Encode(image=ImageFormat.png, instances=InstancesFormat.png, depth=DepthFormat.npz),
    "no-depth": Encode(depth=DepthFormat.none),
}
FIRST = 40


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Writer:
    return WRITERS[request.param]


@pytest.fixture(params=ENCODES)
def encode(request: pytest.FixtureRequest) -> Encode:
    return ENCODES[request.param]


def publish(
    writer: Writer, output: Path, samples: Sequence[Encoded], name: str = "train-000004"
) -> Record:
    """A shard as the framework makes it; its record went through JSON."""
    with Draft(output, name) as draft:
        members = writer.write(draft.folder, name, len(samples), iter(samples))
        files = draft.publish()
    start = FIRST
    places = {member: as_byte_ranges(of_member) for member, of_member in members.items()}
    stop = start + len(samples)
    record = Record(name, "train", "", start, stop, files, places, {}, {})
    return Record.from_json(record.as_json())


def encoded(make_sample: MakeSample, encode: Encode, count: int = 3) -> list[Encoded]:
    return [encode.encode(make_sample(FIRST + number)) for number in range(count)]


def test_samples_come_back_in_any_order(
    writer: Writer, encode: Encode, make_sample: MakeSample, tmp_path: Path
) -> None:
    samples = encoded(make_sample, encode)
    record = publish(writer, tmp_path, samples)
    reader = writer.read(location(tmp_path / "shards"), record)
    for number in (2, 0, 1, 0):
        found = reader.read(number, samples[number].key)
        assert found.key == samples[number].key
        # What a writer keeps as an array says the same as the member.
        for name, data in found.members.items():
            assert data == samples[number].members[name]
        _check_decoded(decode(found), decode(samples[number]), found)
    reader.close()
    assert reader.read(1, samples[1].key).key == samples[1].key
    reader.close()


def _check_decoded(found: Sample, original: Sample, read: Encoded) -> None:
    assert found.meta == original.meta
    assert np.array_equal(found.mask, original.mask)
    if "image" in read.arrays or "png" in read.members:
        assert np.array_equal(found.image, original.image)
    else:
        assert found.image.shape == original.image.shape
    if original.depth is None:
        assert found.depth is None
    else:
        assert found.depth is not None
        assert np.abs(found.depth - original.depth).max() <= 0.0005 + 1e-6


def test_members_are_those_of_the_encoder(
    encode: Encode, make_sample: MakeSample, tmp_path: Path
) -> None:
    samples = encoded(make_sample, encode)
    for name in ("webdataset", "zip", "folder"):
        record = publish(WRITERS[name], tmp_path / name, samples)
        reader = WRITERS[name].read(location(tmp_path / name / "shards"), record)
        assert [reader.read(number, samples[number].key).members for number in range(3)] == [
            sample.members for sample in samples
        ]
        reader.close()


def test_offsets_point_into_the_files(
    make_sample: MakeSample, encode: Encode, tmp_path: Path
) -> None:
    samples = encoded(make_sample, encode)
    for name in ("webdataset", "zip", "folder"):
        record = publish(WRITERS[name], tmp_path / name, samples)
        assert set(record.members) == set(samples[0].members)
        for member, places in record.members.items():
            assert len(places) == 3
            for (file, offset, size), sample in zip(places, samples, strict=True):
                data = (tmp_path / name / "shards" / record.files[file].name).read_bytes()
                assert data[offset : offset + size] == sample.members[member]


def test_the_same_samples_give_the_same_bytes(
    writer: Writer, encode: Encode, make_sample: MakeSample, tmp_path: Path
) -> None:
    one = publish(writer, tmp_path / "one", encoded(make_sample, encode))
    other = publish(writer, tmp_path / "other", encoded(make_sample, encode))
    assert one.as_json() == other.as_json()


def test_a_shard_of_one_sample(
    writer: Writer, encode: Encode, make_sample: MakeSample, tmp_path: Path
) -> None:
    samples = encoded(make_sample, encode, 1)
    record = publish(writer, tmp_path, samples)
    reader = writer.read(location(tmp_path / "shards"), record)
    assert decode(reader.read(0, samples[0].key)).meta == decode(samples[0]).meta
    reader.close()


def test_reading_past_the_end_fails(
    writer: Writer, make_sample: MakeSample, tmp_path: Path
) -> None:
    record = publish(writer, tmp_path, encoded(make_sample, Encode()))
    reader = writer.read(location(tmp_path / "shards"), record)
    with pytest.raises(IndexError):
        reader.read(3, "3")
    reader.close()


def test_files_are_named_after_the_shard(make_sample: MakeSample, tmp_path: Path) -> None:
    samples = encoded(make_sample, Encode(), 1)
    names = {
        name: [file.name for file in publish(writer, tmp_path / name, samples).files]
        for name, writer in WRITERS.items()
    }
    key = samples[0].key
    assert names == {
        "webdataset": ["train-000004.tar"],
        "zip": ["train-000004.zip"],
        "depthmaskdataset": [
            f"train-000004/{name}"
            for name in ("data.zip", "depthmap_output_batch5.npz", "samples.jsonl")
        ],
        "npz": ["train-000004.npz"],
        "npz-raw": ["train-000004.npz"],
        "folder": [
            f"train-000004/{key}.{member}" for member in ("depth.png", "jpg", "json", "mask.png")
        ],
    }


def test_archives_open_with_the_tools_of_everyone(make_sample: MakeSample, tmp_path: Path) -> None:
    samples = encoded(make_sample, Encode())
    expected = {
        f"{sample.key}.{name}": data for sample in samples for name, data in sample.members.items()
    }
    publish(WebDataset(), tmp_path, samples)
    publish(Zip(), tmp_path, samples)
    with tarfile.open(tmp_path / "shards" / "train-000004.tar") as tar:
        assert tar.getnames() == list(expected)
    with zipfile.ZipFile(tmp_path / "shards" / "train-000004.zip") as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == expected


def test_np_load_gives_depth_as_one_array(make_sample: MakeSample, tmp_path: Path) -> None:
    samples = [make_sample(FIRST + number) for number in range(3)]
    found = _np_load(Npz(), samples, tmp_path)
    assert found["depth"].dtype == np.float32
    assert found["depth"].shape == (3, 12, 10)
    for depth_m, sample in zip(found["depth"], samples, strict=True):
        assert np.array_equal(depth_m, sample.depth)  # type: ignore[arg-type]
    assert set(found) == {
        "depth",
        *("jpg", "jpg_offsets"),
        *("mask.png", "mask.png_offsets"),
        *("json", "json_offsets"),
    }
    offsets = found["jpg_offsets"]
    second = found["jpg"][offsets[1] : offsets[2]].tobytes()
    assert second == Encode().encode(samples[1]).members["jpg"]


def test_raw_npz_holds_pictures_as_arrays(make_sample: MakeSample, tmp_path: Path) -> None:
    samples = [make_sample(FIRST + number) for number in range(3)]
    found = _np_load(Npz(images=Images.raw), samples, tmp_path)
    assert set(found) == {"image", "mask", "depth", "json", "json_offsets"}
    assert np.array_equal(found["image"], [sample.image for sample in samples])
    assert np.array_equal(found["mask"], [sample.mask for sample in samples])
    assert found["image"].dtype == found["mask"].dtype == np.uint8


def _np_load(writer: Npz, samples: Sequence[Sample], output: Path) -> dict[str, Any]:
    record = publish(writer, output, [Encode().encode(sample) for sample in samples])
    assert record.members == {}
    with np.load(output / "shards" / record.files[0].name, allow_pickle=False) as file:
        return dict(file)


def test_arrays_of_any_layout_are_kept(make_sample: MakeSample, tmp_path: Path) -> None:
    sample = make_sample(FIRST, (10, 10))
    assert sample.depth is not None
    turned = replace(
        sample,
        image=np.ascontiguousarray(np.swapaxes(sample.image, 0, 1)),
        mask=sample.mask.T,
        depth=sample.depth.T,
    )
    found = _np_load(Npz(images=Images.raw), [replace(turned, mask=turned.mask.copy())], tmp_path)
    assert np.array_equal(found["depth"][0], sample.depth.T)
    assert np.array_equal(found["mask"][0], sample.mask.T)


def test_samples_of_raw_arrays_are_their_owners(make_sample: MakeSample, tmp_path: Path) -> None:
    samples = encoded(make_sample, Encode())
    writer = Npz(images=Images.raw)
    reader = writer.read(location(tmp_path / "shards"), publish(writer, tmp_path, samples))
    reader.read(1, samples[1].key).arrays["image"][:] = 7
    assert np.array_equal(
        reader.read(1, samples[1].key).arrays["image"], samples[1].arrays["image"]
    )
