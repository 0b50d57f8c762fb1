"""Datasets of an earlier version open, verify, and can be repaired and extended."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.storage.identity import DatasetIdentity
from tests.support.paths import SHARED
from tests.support.tiny import sha256s

ARCHIVE = SHARED / "old-datasets" / "made-at-5a80b6a.tar.gz"
SHARD_SIZE = 5
COMMON = ("size=[48,64]", f"shard_size={SHARD_SIZE}", "runner.workers=1")
ROOMS = ("source=rooms", "source.rooms=3", "source.furniture=4")
COMMANDS = {
    "assets-zip-coco-split": (
        "source=assets", "source.root=assets", "geometry=source", "split.train=0.75",
        "split.val=0.25", "encode.instances=png", "encode.labels=coco", "writer=zip",
    ),
    "rooms-npz-fastdepth": (*ROOMS, "depth=fastdepth", "writer=npz"),
    "rooms-webdataset-ground": (
        *ROOMS, "objects=[1,3]", "placement=ground", "blend=feather", "blend.match=0.3",
        "blend.shadow=0.5",
    ),
}  # fmt: skip
"""The settings of each dataset, without `samples=12`."""
WITHOUT_NETWORK = ("assets-zip-coco-split", "rooms-webdataset-ground")

pytestmark = pytest.mark.skipif(not ARCHIVE.is_file(), reason="no datasets of earlier versions")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The datasets and their assets, in the working directory: paths in the plans are relative."""
    # Python 3.11.2, which is Debian's, has no filters yet.
    options: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(tmp_path, **options)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pixels_sha256(output: Path) -> str:
    """Hash image, mask and depth of all samples in order, with their types and shapes."""
    digest = hashlib.sha256()
    dataset = depthmask.open(output)
    for index in range(len(dataset)):
        sample = dataset[index]
        for pixels in (sample.image, sample.mask, sample.depth):
            if pixels is not None:
                digest.update(f"{pixels.dtype}{pixels.shape}".encode())
                digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def plan(output: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((output / "plan.json").read_bytes())
    return content


def has_its_versions(output: Path) -> bool:
    """Whether the installed encoders have the versions that the plan names."""
    named = plan(output)["versions"]
    own = {"depthmask": named["depthmask"], "zlib": zlib.ZLIB_RUNTIME_VERSION}
    return all(
        (own.get(name) or importlib.metadata.version(name)) == version
        for name, version in named.items()
    )


def require_its_versions(output: Path) -> None:
    """Skip the test where another encoder is installed: depthmask refuses to go on then."""
    if not has_its_versions(output):
        pytest.skip("the encoders have other versions than those of the dataset")


def full_shards(output: Path) -> dict[str, str]:
    """sha256 of the shards that have `SHARD_SIZE` samples."""
    records = [json.loads(path.read_bytes()) for path in (output / "records").iterdir()]
    full = {one["shard"] for one in records if one["stop"] - one["start"] == SHARD_SIZE}
    return {file: hash for file, hash in sha256s(output).items() if Path(file).stem in full}


def require_refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that has to be refused; return the line that says why."""
    assert main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[0].startswith("error: ")
    # Further settings that differ stand below the first.
    assert all(line.startswith("  ") for line in lines[1:])
    return lines[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_opens_and_verifies(name: str, folder: Path) -> None:
    expected = json.loads((folder / "pixels.json").read_text())
    assert sorted(expected) == sorted(COMMANDS)
    assert pixels_sha256(folder / name) == expected[name]
    assert main(["verify", name]) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_the_fingerprint_is_that_of_the_description(name: str, folder: Path) -> None:
    description = plan(folder / name)
    del description["checksum"]
    assert description.pop("fingerprint") == DatasetIdentity(description).fingerprint


@pytest.mark.parametrize("name", WITHOUT_NETWORK)
def test_a_lost_shard_comes_back(name: str, folder: Path) -> None:
    output = folder / name
    require_its_versions(output)
    made = sha256s(output)
    next((output / "shards").glob("train-000001.*")).unlink()
    assert main(["verify", name]) == 1
    assert main(["verify", name, "--repair"]) == 0
    assert sha256s(output) == made


@pytest.mark.parametrize("name", COMMANDS)
def test_is_extended(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder / name
    full = full_shards(output)
    assert full
    words = [*COMMANDS[name], *COMMON, f"output={name}"]
    if not has_its_versions(output):
        assert "versions." in require_refusal([*words, "samples=12"], capsys)
        require_refusal([*words, "samples=20"], capsys)
        assert main(["verify", name]) == 0
        return
    assert main([*words, "samples=20"]) == 0
    assert len(depthmask.open(output)) == 20
    assert main(["verify", name]) == 0
    extended = sha256s(output)
    assert {file: extended[file] for file in full} == full


def test_another_version_of_an_encoder_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "rooms-webdataset-ground"
    monkeypatch.setattr(importlib.metadata, "version", lambda package: "9.9.9")
    words = [*COMMANDS[name], *COMMON, f"output={name}"]
    line = require_refusal([*words, "samples=12"], capsys)
    assert name in line
    assert "versions." in line
    assert "9.9.9" in line
    require_refusal([*words, "samples=20"], capsys)
    monkeypatch.undo()
    assert main(["verify", str(folder / name)]) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", WITHOUT_NETWORK)
def test_it_is_resumed_extended_and_repeated_from_its_folder(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    require_its_versions(Path(name))
    assert main(["resume", name]) == 0
    assert "nothing is left to do" in capsys.readouterr().err
    assert main(["repeat", name, "output=again", "runner.workers=1"]) == 0
    assert sha256s(Path("again")).keys() == sha256s(Path(name)).keys()
    assert main(["extend", name, "samples=14", "runner.workers=1"]) == 0
    assert len(depthmask.open(name)) == 14
