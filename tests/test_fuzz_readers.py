"""A few hundred of the cases of `tools/fuzz_readers.py`, and the attacks that it might not draw."""

from __future__ import annotations

import collections
import hashlib
import io
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.errors import DepthmaskError, MachineError
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.verify import verify
from tools import fuzz_readers

CASES = 200


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + bytes(8)


def jpeg_header(width: int, height: int) -> bytes:
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    scan = struct.pack(">HB", 8, 1) + b"\x01\0\0\x3f\0"
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xda" + scan + bytes(9)


# The duplicate names of a hostile zip are meant.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_failure_is_one_line_of_ours(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failures = fuzz_readers.report(fuzz_readers.fuzz(plain, 0, range(CASES)))
    capsys.readouterr()
    assert failures == []


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    fuzz_readers.make_plain(folder)
    return folder


@pytest.fixture
def out(plain: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the dataset of the writer that the test names."""
    return Path(shutil.copytree(plain / request.param, tmp_path / "out"))


def edit(path: Path, **changes: Any) -> None:
    """Change a sealed file as somebody would who knows how to seal it."""
    data = read_sealed(location(path))
    assert data is not None
    write_sealed(location(path), {**data, **changes})


def record(out: Path) -> dict[str, Any]:
    data = read_sealed(location(out / "records" / "train-000000.json"))
    assert data is not None
    return data


def refused(out: Path, *parts: str) -> None:
    with pytest.raises(DepthmaskError) as caught:
        collections.deque(depthmask.open(out), maxlen=1)
    text = str(caught.value)
    assert text.isprintable()
    for part in (str(out), *parts):
        assert part in text


PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "beyond the file": lambda file, places: [*places[:-1], [0, file["bytes"], 1]],
    "longer than the file": lambda file, places: [[0, 0, file["bytes"] + 1], *places[1:]],
    "far beyond": lambda file, places: [*places[:-1], [0, 2**62, 1]],
    "negative offset": lambda file, places: [[0, -1, 1], *places[1:]],
    "negative size": lambda file, places: [[0, 9, -1], *places[1:]],
    "overlapping": lambda file, places: [places[0], places[0], *places[2:]],
    "of another file": lambda file, places: [[1, 0, 1], *places[1:]],
    "fractions": lambda file, places: [[0, 1.0, 1], *places[1:]],
    "one too few": lambda file, places: places[1:],
    "one too many": lambda file, places: [*places, [0, 0, 1]],
}


@pytest.mark.parametrize("out", ["webdataset", "zip"], indirect=True)
@pytest.mark.parametrize("kind", PLACES)
def test_places_outside_of_the_file(out: Path, kind: str) -> None:
    data = record(out)
    places = PLACES[kind](data["files"][0], data["members"]["json"])
    edit(
        out / "records" / "train-000000.json",
        members={**data["members"], "json": places},
    )
    refused(out, "the record of train-000000 is missing or damaged")
    assert next(problem.shard for problem in verify(out)) == "train-000000"


@pytest.mark.parametrize("out", ["webdataset", "npz"], indirect=True)
@pytest.mark.parametrize(
    "name",
    [
        "../secret.tar",
        "a/../../secret.tar",
        "/etc/passwd",
        "a\0b",
        "",
        ".",
        "a//b",
        "..\\x",
        "x" * 5000,
    ],
)
def test_names_that_lead_elsewhere(out: Path, name: str) -> None:
    (out / "secret.tar").write_bytes((out / "shards" / next_file(out)).read_bytes())
    file = {**record(out)["files"][0], "name": name}
    edit(out / "records" / "train-000000.json", files=[file])
    refused(out, "the record of train-000000 is missing or damaged")


def next_file(out: Path) -> str:
    return str(record(out)["files"][0]["name"])


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize("split", ["../../etc/x", "/etc/x", "a\0b", "a/b", ""])
def test_a_split_that_leads_elsewhere(out: Path, split: str) -> None:
    edit(out / "dataset.json", splits={split: {"share": 1_000_000}})
    refused(out, f"split {split!r}")
    assert main(["verify", str(out)]) == 1


@pytest.mark.parametrize("out", ["webdataset", "zip", "npz", "folder"], indirect=True)
def test_links_are_not_followed(out: Path) -> None:
    path = out / "shards" / next_file(out)
    path.rename(out / "elsewhere")
    path.symlink_to(out / "elsewhere")
    refused(out, path.name, "is a link; links in a dataset are not followed")
    with pytest.raises(MachineError, match=f"{path.name}: is a link; "):
        verify(out)


@pytest.mark.parametrize("out", ["folder"], indirect=True)
def test_a_folder_that_is_a_link(out: Path) -> None:
    (out / "shards" / "train-000000").rename(out / "elsewhere")
    (out / "shards" / "train-000000").symlink_to(out / "elsewhere")
    refused(out, "shards/train-000000: is a link")


@pytest.mark.parametrize("out", ["webdataset", "npz"], indirect=True)
def test_a_pipe_is_not_waited_for(out: Path) -> None:
    path = out / "shards" / next_file(out)
    path.unlink()
    os.mkfifo(path)
    file = {**record(out)["files"][0], "bytes": 0}
    edit(out / "records" / "train-000000.json", files=[file], members={})
    refused(out)
    assert verify(out)


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize(
    "changes",
    [
        {"samples": 10**12, "shards": 10**12, "shard_size": 1},
        {"samples": 10**15},
        {"samples": True},
        {"shard_size": 0},
        {"shards": 3},
        {"size": [10**6, 10**6]},
        {"size": [8]},
        {"depth": {"kind": "metric_z"}},
        {"statistics": []},
        {"schema": 1},
        {"splits": {}},
        {"splits": {"train": {"share": 5}}},
        {"splits": {"train": {"share": 2_000_000}, "val": {"share": -1_000_000}}},
        {"splits": {"train": {"share": 500_000}, "val": {"share": 500_000}}},
        {"variants": 0},
    ],
    ids=str,
)
def test_a_dataset_json_that_cannot_be(out: Path, changes: dict[str, Any]) -> None:
    edit(out / "dataset.json", **changes)
    refused(out)
    assert main(["verify", str(out)]) == 1


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize("config", [None, {}, {"writer": {"stage": "os.system"}}, {"writer": 3}])
def test_a_plan_json_that_cannot_be(out: Path, config: Any) -> None:
    edit(out / "plan.json", config=config)
    refused(out)
    assert main(["render", str(out), "--index", "0"]) in (1, 2)


def npz(out: Path, arrays: dict[str, bytes]) -> None:
    """Put another npz in the place of the first shard, and tell the record of its size."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in arrays.items():
            archive.writestr(name, data)
    path = out / "shards" / next_file(out)
    path.write_bytes(file.getvalue())
    entry = {**record(out)["files"][0], "bytes": path.stat().st_size}
    edit(out / "records" / "train-000000.json", files=[entry])


def npy(descr: str, shape: tuple[int, ...], data: bytes) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return file.getvalue() + data


@pytest.mark.parametrize("out", ["npz"], indirect=True)
@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"depth.npy": npy("<f4", (4, 10**6, 10**6), b"")}, "'depth': float32 [4, 1000000"),
        ({"depth.npy": npy("<f4", (4, -1), b"")}, "'depth': float32 [4, -1]"),
        ({"depth.npy": npy("<f4", (4, 2**24), bytes(2**28))}, "that unpack from"),
        ({"depth.npy": npy("|O", (4,), bytes(32))}, "'depth': object [4]"),
        ({"depth.npy": npy("<f4", (4, 2), bytes(31))}, "'depth': float32 [4, 2] in"),
        ({"depth.npy": npy("<f4", (3, 2), bytes(24))}, "does not suit 4 samples"),
        ({"depth.npy": b"hello"}, "'depth': cannot be read"),
        ({"jpg.npy": npy("|u1", (4,), b"abcd")}, "no jpg and no png"),
        ({f"{number}.npy": npy("|u1", (0,), b"") for number in range(65)}, "65 arrays"),
        (
            {
                "jpg_offsets.npy": npy("<i8", (5,), np.array([0, 9, 3, 4, 4], "<i8").tobytes()),
                "jpg.npy": npy("|u1", (4,), b"abcd"),
            },
            "'jpg_offsets': int64 [5] does not suit",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arrays_that_lie(out: Path, arrays: dict[str, bytes], reason: str) -> None:
    npz(out, arrays)
    refused(out, reason)


@pytest.mark.parametrize("out", ["npz"], indirect=True)
def test_pickles_are_not_loaded(out: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.array([print] * 4, dtype=object), allow_pickle=True)
    npz(out, {"depth.npy": file.getvalue()})
    refused(out, "'depth': object [4]")


@pytest.mark.parametrize("out", ["npz"], indirect=True)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_array_twice(out: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for _ in range(2):
            archive.writestr("depth.npy", npy("<f4", (4, 2), bytes(32)))
    path = out / "shards" / next_file(out)
    path.write_bytes(file.getvalue())
    entry = {**record(out)["files"][0], "bytes": path.stat().st_size}
    edit(out / "records" / "train-000000.json", files=[entry])
    refused(out, "'depth': occurs twice")


@pytest.mark.parametrize("out", ["folder"], indirect=True)
@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("json", b"[" * 200_000, "json: cannot be read"),
        ("json", b"[1]", "json: not the description of a sample"),
        ("json", b'{"a": ' + b"9" * 5000 + b"}", "json: cannot be read"),
        ("png", b"\x89PNG\r\n\x1a\n" + bytes(100), "png: cannot be read"),
        ("png", b"", "png: cannot be read"),
        ("png", png_header(60_000, 60_000), "png: no PNG of up to 768 pixels"),
        ("mask.jpg", b"\xff\xd8\xff", "mask.jpg: cannot be read"),
        ("mask.jpg", jpeg_header(65_000, 65_000), "mask.jpg: 65000x65000, more than"),
        ("depth.png", png_header(0, 0), "depth.png: "),
    ],
)
def test_members_that_are_none(out: Path, member: str, content: bytes, reason: str) -> None:
    data = record(out)
    number = data["members"][member][0][0]
    (out / "shards" / data["files"][number]["name"]).write_bytes(content)
    data["files"][number]["bytes"] = len(content)
    data["members"][member][0][2] = len(content)
    edit(out / "records" / "train-000000.json", files=data["files"], members=data["members"])
    refused(out, "000000000: ", reason)


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize("name", ["records/train-000000.json", "dataset.json", "plan.json"])
@pytest.mark.parametrize("depth", [500, 990, 5_000, 200_000])
def test_json_that_is_nested_deep(out: Path, name: str, depth: int) -> None:
    text = ',"a":' + "[" * depth + "]" * depth + "}"
    checksum = hashlib.sha256(text.encode()).hexdigest()
    (out / name).write_text(f'{{"checksum":"{checksum}"{text}')
    refused(out)
    assert verify(out)


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize(
    "places",
    [
        ["A" * 100_000, *[""] * 100_000],
        [[0, 0, 1], [0, 2, True]],
        [[0, 0, 1], [0, 2, 10**30]],
        [[0, 0, 1, 0], [0, 2]],
        {"a": 1},
        [0, 0, 0],
    ],
)
def test_places_that_are_none(out: Path, places: Any) -> None:
    record = out / "records" / "train-000000.json"
    data = read_sealed(location(record))
    assert data
    edit(record, members={**data["members"], "json": places})
    refused(out, "train-000000")
    assert verify(out)


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize("sha256", ["\ud800", "AB" * 32, "../x"])
def test_a_hash_that_is_none(out: Path, sha256: str) -> None:
    record = out / "records" / "train-000000.json"
    data = read_sealed(location(record))
    assert data
    edit(record, files=[{**data["files"][0], "sha256": sha256}])
    assert verify(out)


@pytest.mark.parametrize("out", ["webdataset"], indirect=True)
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_record_that_is_no_file(out: Path, kind: str) -> None:
    record = out / "records" / "train-000000.json"
    record.unlink()
    if kind == "link":
        record.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(record)
    else:
        record.mkdir()
    refused(out, "train-000000")
    if kind == "link":
        with pytest.raises(MachineError, match=r"train-000000\.json: is a link; "):
            verify(out)
        return
    assert any("train-000000: its record is missing" in str(one) for one in verify(out))
