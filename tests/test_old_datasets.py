"""Datasets of an earlier version open and verify; one line says why they are not continued."""

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
    """Skip the test where another encoder is installed: it may give other bytes."""
    if not has_its_versions(output):
        pytest.skip("the encoders have other versions than those of the dataset")


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


CHANGED = (
    "depthmask has pixel version 1 there and 2 now, which changed how pictures, masks and "
    "assets.csv are read, cut-outs are trimmed, and layers get depth (made by depthmask 0.1.0: "
    "`pip install 'depthmask==0.1.0'`)"
)


@pytest.mark.parametrize("name", WITHOUT_NETWORK)
def test_a_lost_shard_is_not_made_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """It would get other bytes, so it stays missing, and nothing else changes.

    One has another depth and other files of assets, the other colours that feather has mended.
    """
    output = folder / name
    require_its_versions(output)
    next((output / "shards").glob("train-000001.*")).unlink()
    left = sha256s(output)
    assert main(["verify", name, "--repair"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == (
        f"error: {name}: train-000001 cannot be made again to the same bytes on this machine "
        f"({CHANGED}); it stays named as damaged"
    )
    assert sha256s(output) == left


@pytest.mark.parametrize("name", COMMANDS)
def test_is_not_continued_with_other_pixels(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = folder / name
    made, before = sha256s(output), plan(output)
    words = [*COMMANDS[name], *COMMON, f"output={name}"]
    for samples in (12, 20):
        assert CHANGED in require_refusal([*words, f"samples={samples}"], capsys)
    assert CHANGED in require_refusal(["resume", name], capsys)
    assert CHANGED in require_refusal(["extend", name, "samples=14"], capsys)
    assert (sha256s(output), plan(output)) == (made, before)
    assert main(["verify", name]) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", WITHOUT_NETWORK)
def test_is_repeated_and_converted(name: str) -> None:
    """The same settings make a dataset of today; the samples that are there can be copied."""
    require_its_versions(Path(name))
    assert main(["repeat", name, "output=again", "runner.workers=1"]) == 0
    assert sha256s(Path("again")).keys() == sha256s(Path(name)).keys()
    assert main(["extend", "again", "samples=14", "runner.workers=1"]) == 0
    assert len(depthmask.open("again")) == 14
    assert main(["convert", name, "writer=folder", "output=copy", "runner.workers=1"]) == 0
    assert pixels_sha256(Path("copy")) == pixels_sha256(Path(name))
