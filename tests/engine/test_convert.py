"""`convert`: the same samples in other files, byte for byte where the formats allow it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.reading.dataset import Dataset
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed

SAMPLES = 10
ROOMS = [
    "source.rooms=2", "source.furniture=3", "source.oversample=1", "size=[32,40]",
    f"samples={SAMPLES}", "shard_size=4", "runner.workers=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten samples in three shards, with instance maps and two splits."""
    out = tmp_path_factory.mktemp("made") / "rooms"
    words = ["encode.instances=png", "split.train=0.8", "split.val=0.2", "split.alike=0"]
    assert main([*ROOMS, *words, f"output={out}"]) == 0
    return out


def convert(source: StorePath | Path, out: Path, *words: str) -> Dataset:
    assert main(["convert", str(source), f"output={out}", "runner.workers=1", *words]) == 0
    return depthmask.open(out)


def members(dataset: Dataset) -> list[dict[str, bytes]]:
    return [dataset.encoded(index).members for index in range(len(dataset))]


def test_a_chain_of_conversions_gives_the_same_files(made: Path, tmp_path: Path) -> None:
    """The files that come back are those that were there, to the last byte."""
    there: StorePath | Path = made
    for writer in ("zip", "npz", "folder", "webdataset"):
        there = convert(there, tmp_path / writer, f"writer={writer}").path
    old, new = depthmask.open(made), depthmask.open(there)
    assert members(new) == members(old)
    shards = {path.name: path.read_bytes() for path in (made / "shards").iterdir()}
    assert {path.name: path.read_bytes() for path in (there / "shards").iterdir()} == shards
    assert new.stats == old.stats
    same = ("samples", "splits", "size", "backgrounds", "foregrounds", "depth", "manifest_sha256")
    assert {key: new.info[key] for key in same} == {key: old.info[key] for key in same}
    assert new.split("val").stats == old.split("val").stats
    assert main(["verify", str(there)]) == 0


def test_statistics_of_other_shards_are_of_the_decoded_pixels(made: Path, tmp_path: Path) -> None:
    old, new = depthmask.open(made), convert(made, tmp_path / "out", "shard_size=3")
    assert members(new) == members(old)
    pixels = np.stack([sample.image for sample in old]) / 255
    assert new.stats["image"]["mean"] == pytest.approx(pixels.mean((0, 1, 2)).tolist())
    assert new.stats["depth"]["mean"] == pytest.approx(old.stats["depth"]["mean"])
    assert len(list((new.path / "shards").iterdir())) == 4


def test_only_changed_fields_are_encoded_again(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = depthmask.open(made)
    new = convert(made, tmp_path / "out", "encode.depth=npz", "encode.instances=none")
    for before, after in zip(members(old), members(new), strict=True):
        assert set(after) == {"jpg", "mask.png", "depth.npz", "json"}
        assert {name: after[name] for name in ("jpg", "mask.png", "json")} == {
            name: before[name] for name in ("jpg", "mask.png", "json")
        }
    for one, other in zip(old, new, strict=True):
        assert np.array_equal(one.depth, other.depth)  # type: ignore[arg-type]
    assert "note: the label instances is left out" in capfd.readouterr().err


def test_losses_are_reported(made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    new = convert(made, tmp_path / "out", "encode.quality=30", "encode.depth=none")
    said = capfd.readouterr().err
    assert "note: images are encoded again, as JPEG of quality 30" in said
    assert "note: depth is left out" in said
    assert "masks" not in said
    assert new.contract is None
    assert new[0].depth is None
    assert members(new)[0]["jpg"] != members(depthmask.open(made))[0]["jpg"]


def test_raw_pixels_come_back_without_loss(made: Path, tmp_path: Path) -> None:
    old = depthmask.open(made)
    raw = convert(made, tmp_path / "raw", "writer=npz", "writer.images=raw")
    new = convert(raw.path, tmp_path / "new", "writer=zip")
    assert set(members(new)[0]) == {"png", "mask.png", "instances.png", "depth.png", "json"}
    for one, other in zip(old, new, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.depth, other.depth)  # type: ignore[arg-type]


def test_exact_depth_stays_exact(tmp_path: Path) -> None:
    """An npz shard keeps float32, whatever `encode.depth` says; a PNG would round it."""
    assert main([*ROOMS, "writer=npz", f"output={tmp_path / 'npz'}"]) == 0
    old = depthmask.open(tmp_path / "npz")
    new = convert(old.path, tmp_path / "zip", "writer=zip")
    assert "depth.npz" in members(new)[0]
    for one, other in zip(old, new, strict=True):
        assert np.array_equal(one.depth, other.depth)  # type: ignore[arg-type]


def test_the_same_command_resumes_and_completes(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = convert(made, tmp_path / "out", "writer=zip")
    for lost in ("records/train-000001.json", "dataset.json"):
        (first.path / lost).unlink()
    assert convert(made, tmp_path / "out", "writer=zip").info == first.info
    assert "(6 are already made)" in capfd.readouterr().err
    convert(made, tmp_path / "out", "writer=zip")
    assert "nothing is left to do" in capfd.readouterr().err


def test_workers_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    one = convert(made, tmp_path / "one", "writer=npz")
    two = convert(made, tmp_path / "two", "writer=npz", "runner.workers=2")
    assert one.info["manifest_sha256"] == two.info["manifest_sha256"]


def test_verify_repairs_from_the_input(made: Path, tmp_path: Path) -> None:
    out = convert(made, tmp_path / "out", "writer=zip", "encode.depth=npz16").path
    shard = out / "shards" / "train-000000.zip"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100])
    assert main(["verify", str(out)]) == 1
    assert main(["verify", str(out), "--repair"]) == 0
    assert shard.read_bytes() == whole


def refused(capfd: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    assert main(["convert", *words]) == code
    lines = capfd.readouterr().err.splitlines()
    return next(line for line in reversed(lines) if not line.startswith("  "))


def test_another_dataset_is_refused(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    assert main([*ROOMS, f"output={source}"]) == 0
    convert(source, out)
    assert main([*ROOMS, f"output={source}", "samples=12"]) == 0
    text = refused(capfd, str(source), f"output={out}")
    assert f"{out} holds another dataset: samples was 10 and is 12" in text
    text = refused(capfd, str(out), f"output={source}")
    assert "job was generate and is convert" in text


def test_the_input_is_not_overwritten(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is named, and if it lies deeper in the folder."""
    source = convert(made, tmp_path / "source").path
    inner = convert(made, Path(str(source)) / "inner").path
    (tmp_path / "link").symlink_to(tmp_path / "source")
    monkeypatch.chdir(tmp_path)
    for given in (source, inner):
        for out in (source, "source/", "./inner/../source", "link"):
            text = refused(capfd, str(given), f"output={out}", "overwrite=true", "writer=npz")
            assert f"holds the input, {given}; choose another output" in text
    for dataset in (source, inner):
        assert main(["verify", str(dataset)]) == 0


def test_damage_in_the_input_is_an_error(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = convert(made, tmp_path / "source").path
    shard = source / "shards" / "train-000000.tar"
    content = bytearray(shard.read_bytes())
    content[700] ^= 1
    shard.write_bytes(bytes(content))
    text = refused(capfd, str(source), f"output={tmp_path / 'out'}", code=1)
    assert "train-000000.tar has different content" in text
    assert "verify" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "convert needs a dataset first"),
        (
            ["output=x"],
            "convert needs a dataset first, before output=x, or a folder of photographs, "
            "as in `python -m depthmask convert OUT writer=npz output=NPZ`",
        ),
        (["DIR", "placement=grid"], "convert does not accept placement; accepted: output"),
        (["DIR", "samples=3"], "convert does not accept samples; accepted: output"),
        (["DIR", "-m", "writer=zip,npz"], "one dataset at a time"),
        (["DIR", "DIR"], "one dataset at a time"),
        (["DIR", "writer=nosuch"], "writer=nosuch: no such writer"),
        (["DIR", "encode.labels=coco"], "encode.labels=coco: cannot be added to existing samples"),
        (["nosuch"], "nosuch: no such file or folder"),
    ],
)
def test_bad_commands_in_one_line(
    made: Path, capfd: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    text = refused(capfd, *[str(made) if word == "DIR" else word for word in words])
    assert said in text, text


def test_a_converted_dataset_cannot_be_rendered(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = convert(made, tmp_path / "out").path
    assert main(["render", str(out), "--index", "0"]) == 2
    assert f"made by `convert` from {made}" in capfd.readouterr().err


def test_plan_says_which_dataset(made: Path, tmp_path: Path) -> None:
    out = convert(made, tmp_path / "out").path
    plan: Any = read_sealed(out / "plan.json")
    wanted = depthmask.open(made).info["manifest_sha256"]
    assert plan["dataset"] == {"sha256": wanted}
    assert plan["unhashed"]["dataset"] == {"paths": [str(made)]}
    assert set(plan["config"]) == {"samples", "size", "shard_size", "encode", "writer"}


def test_without_output_the_folder_is_named_after_the_input(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", str(made), "writer=zip", "runner.workers=1"]) == 0
    (name,) = os.listdir("outputs")
    assert name.startswith("rooms-zip-")
