"""Our tar against `tarfile` and the `webdataset` library."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st

from depthmask.codec.tar import TarStream, header
from depthmask.errors import DepthmaskError

MEMBERS = {
    "000000000.jpg": b"one",
    "000000000.mask.png": b"x" * 512,
    "000000000.json": b'{"a":1}',
    "000000001.jpg": b"",
    "000000001.mask.png": b"y" * 513,
    "000000001.json": b'{"a":2}',
}


def archive(members: dict[str, bytes]) -> tuple[bytes, list[int]]:
    """An archive, and what `add` said."""
    file = io.BytesIO()
    stream = TarStream(file)
    offsets = [stream.add(name, data) for name, data in members.items()]
    stream.close()
    return file.getvalue(), offsets


def test_tarfile_reads_every_member() -> None:
    data, offsets = archive(MEMBERS)
    # Mode "r:" seeks to the end and checks every header's checksum.
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        infos = tar.getmembers()
        assert [info.name for info in infos] == list(MEMBERS)
        assert [info.offset_data for info in infos] == offsets
        for info, content in zip(infos, MEMBERS.values(), strict=True):
            opened = tar.extractfile(info)
            assert opened is not None
            assert opened.read() == content
            assert info.isreg()
            assert (info.mode, info.uid, info.gid, info.mtime) == (0o644, 0, 0, 0)
            assert (info.uname, info.gname, info.linkname) == ("", "", "")


def test_headers_are_those_of_tarfile_but_for_the_device() -> None:
    for name, content in MEMBERS.items():
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o644
        ours, theirs = header(name.encode(), len(content)), info.tobuf(tarfile.USTAR_FORMAT)
        checksum, device = slice(148, 156), slice(329, 345)
        assert ours[: checksum.start] == theirs[: checksum.start]
        assert ours[checksum.stop : device.start] == theirs[checksum.stop : device.start]
        assert ours[device.stop :] == theirs[device.stop :]


@given(st.dictionaries(st.text("abc_0./-", min_size=1, max_size=99), st.binary(max_size=1100)))
def test_offsets_point_at_the_content(members: dict[str, bytes]) -> None:
    data, offsets = archive(members)
    for offset, content in zip(offsets, members.values(), strict=True):
        assert data[offset : offset + len(content)] == content
    assert len(data) % 512 == 0
    assert data[-1024:] == bytes(1024)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_webdataset_streams_the_samples(tmp_path: Path) -> None:
    path = tmp_path / "train-000000.tar"
    path.write_bytes(archive(MEMBERS)[0])
    samples = list(webdataset.WebDataset(str(path), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == ["000000000", "000000001"]
    assert samples[0]["mask.png"] == b"x" * 512
    assert samples[1]["jpg"] == b""
    assert samples[1]["json"] == b'{"a":2}'


def test_an_empty_archive_is_one() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive({})[0]), mode="r:") as tar:
        assert tar.getmembers() == []


def test_the_same_members_give_the_same_bytes() -> None:
    assert archive(MEMBERS) == archive(MEMBERS)


@pytest.mark.parametrize("name", ["n" * 100 + ".jpg", "ü" * 50 + ".jpg", "a/" * 60 + "日" * 40])
def test_names_of_any_length_and_letters(name: str) -> None:
    data, offsets = archive({"before": b"1", name: b"content", "after": b"2"})
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        assert tar.getnames() == ["before", name, "after"]
        opened = tar.extractfile(name)
        assert opened is not None
        assert opened.read() == b"content"
    assert data[offsets[1] : offsets[1] + 7] == b"content"


def test_names_and_sizes_have_a_limit() -> None:
    longest, largest = "n" * 99, 8**11 - 1
    with tarfile.open(fileobj=io.BytesIO(archive({longest: b"x"})[0])) as tar:
        assert tar.getnames() == [longest]
    info = tarfile.TarInfo.frombuf(header(b"big", largest), "ascii", "strict")
    assert info.size == largest
    with pytest.raises(DepthmaskError, match="8 GiB"):
        header(b"big", largest + 1)
