"""Our zip against `zipfile`."""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthmask.codec import zip as ours
from depthmask.codec.zip import Deflater, ZipStream, deflated
from depthmask.errors import DepthmaskError

MEMBERS = {"000000000.jpg": b"one", "000000000.mask.png": b"", "000000001.jpg": b"x" * 70_000}


class Sink(io.RawIOBase):
    """Takes bytes and forgets them."""

    def write(self, data: object) -> int:
        return memoryview(data).nbytes  # type: ignore[arg-type]


def archive(members: dict[str, bytes], *, deflate: bool = False) -> tuple[bytes, list[int]]:
    """An archive, and what `add` said."""
    file = io.BytesIO()
    stream = ZipStream(file)
    offsets = []
    for name, data in members.items():
        if deflate:
            content = Deflater()
            # Fed in two parts, as the npz writer does.
            content.feed(data[: len(data) // 3])
            content.feed(data[len(data) // 3 :])
            offsets.append(stream.add_deflated(name, content.finish()))
        else:
            offsets.append(stream.add(name, data))
    stream.close()
    return file.getvalue(), offsets


@pytest.mark.parametrize("deflate", [False, True])
def test_zipfile_reads_every_member(deflate: bool) -> None:
    data, _ = archive(MEMBERS, deflate=deflate)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert file.namelist() == list(MEMBERS)
        assert {name: file.read(name) for name in MEMBERS} == MEMBERS
        info = file.infolist()[2]
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert info.external_attr >> 16 == 0o644
        assert info.compress_type == (zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
        assert (info.compress_size < 1000) == deflate


def test_names_of_any_letters() -> None:
    members = {"Käfer/日.jpg": b"1", "plain.jpg": b"2"}
    with zipfile.ZipFile(io.BytesIO(archive(members)[0])) as file:
        assert {name: file.read(name) for name in file.namelist()} == members


@given(
    st.dictionaries(st.text("abc_0./", min_size=1, max_size=30), st.binary(max_size=300)),
    st.booleans(),
)
def test_any_members_come_back(members: dict[str, bytes], deflate: bool) -> None:
    data, offsets = archive(members, deflate=deflate)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert {info.filename: file.read(info) for info in file.infolist()} == members
    if not deflate:
        for offset, content in zip(offsets, members.values(), strict=True):
            assert data[offset : offset + len(content)] == content


def test_members_may_mix_stored_and_deflated() -> None:
    file = io.BytesIO()
    stream = ZipStream(file)
    stream.add("a", b"aa")
    content = Deflater()
    content.feed(np.arange(1000, dtype=np.float32).data)
    offset = stream.add_deflated("b", content.finish())
    after = stream.add("c", b"cc")
    stream.close()
    assert after > offset
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert read.read("b") == np.arange(1000, dtype=np.float32).tobytes()
        assert read.read("c") == b"cc"


@given(st.binary(max_size=70_000))
def test_at_once_or_in_parts_it_comes_back(content: bytes) -> None:
    parts = Deflater()
    for start in range(0, len(content), 1000):
        parts.feed(content[start : start + 1000])
    for one in (parts.finish(), deflated(content)):
        assert zlib.decompress(b"".join(one.chunks), -15) == content
        assert (one.size, one.checksum) == (len(content), zlib.crc32(content))


def test_the_same_members_give_the_same_bytes() -> None:
    assert archive(MEMBERS, deflate=True) == archive(MEMBERS, deflate=True)


def test_an_empty_archive_is_one() -> None:
    with zipfile.ZipFile(io.BytesIO(archive({})[0])) as file:
        assert file.namelist() == []


def test_as_many_members_as_zip_without_zip64_holds() -> None:
    file = io.BytesIO()
    stream = ZipStream(file)
    for number in range(65_534):
        stream.add(str(number), b"")
    with pytest.raises(DepthmaskError, match=r"65534 members; choose a smaller shard_size"):
        stream.add("one more", b"")
    stream.close()
    file.seek(0)
    with zipfile.ZipFile(file) as read:
        assert len(read.namelist()) == 65_534


def test_no_more_than_4_gib() -> None:
    stream = ZipStream(Sink())  # type: ignore[arg-type]
    quarter = bytes(1 << 28)
    for number in range(15):
        # `add` would take 0.1 s for each checksum of 256 MiB.
        stream._append(str(number), ours.STORED, [quarter], 0, len(quarter))
    with pytest.raises(DepthmaskError, match="4 GiB"):
        stream._append("last", ours.STORED, [quarter], 0, len(quarter))
