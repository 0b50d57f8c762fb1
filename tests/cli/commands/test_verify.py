"""`verify` finds every damage and names the shard; `--repair` gives the same bytes back."""

from __future__ import annotations

import io
import random
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed, write_sealed
from depthmask.storage.verify import verify
from tests.support import tiny

Files = dict[str, tuple[bytes, int]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tar shards of two samples."""
    folder = tmp_path_factory.mktemp("verify")
    words = tiny.words(tiny.make_assets(folder / "assets"), folder / "out", "samples=6")
    assert main([*words, "shard_size=2", "runner.workers=1"]) == 0
    return folder / "out"


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage, with the assets beside it."""
    shutil.copytree(whole.parent / "assets", tmp_path / "assets")
    return Path(shutil.copytree(whole, tmp_path / "out"))


def files(out: Path) -> Files:
    """Content of everything that is published, and when it was (inodes are used again)."""
    folders = (out / "shards", out / "records")
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def found(out: Path) -> str:
    return "\n".join(map(str, verify(out)))


def test_an_intact_dataset_has_no_problem(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(whole)]) == 0
    assert "every shard is as published" in capsys.readouterr().out


def test_a_shard_truncated_anywhere(out: Path) -> None:
    shard = out / "shards" / "train-000001.tar"
    content = shard.read_bytes()
    for size in range(0, len(content), 512):
        shard.write_bytes(content[:size])
        assert found(out).startswith("train-000001: train-000001.tar has ")
    shard.write_bytes(content)
    assert verify(out) == []


def test_a_thousand_flipped_bits(out: Path) -> None:
    """At random places, so most fall into shards; each record and manifest gets some of its own."""
    chance = random.Random(4)
    paths = [path for folder in ("shards", "records") for path in sorted((out / folder).iterdir())]
    paths += [out / "plan.json", out / "dataset.json"]
    sizes = [path.stat().st_size for path in paths]
    targets = chance.choices(paths, sizes, k=700) + [path for path in paths[3:] for _ in range(60)]
    assert len(targets) == 1000
    for path in targets:
        content = path.read_bytes()
        bit = chance.randrange(8 * len(content))
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        name = path.stem if path.parent != out else path.name
        assert found(out).startswith(name), f"bit {bit} of {path.name}"
        path.write_bytes(content)
    assert verify(out) == []


def delete(out: Path) -> list[str]:
    (out / "shards" / "train-000001.tar").unlink()
    return ["train-000001: train-000001.tar is missing"]


def swap(out: Path) -> list[str]:
    one, two = (out / "shards" / f"train-00000{number}.tar" for number in (0, 2))
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    return ["train-000000: train-000000.tar has ", "train-000002: train-000002.tar has "]


def extra(out: Path) -> list[str]:
    shutil.copy(out / "shards" / "train-000001.tar", out / "shards" / "train-000009.tar")
    return ["shards/train-000009.tar: belongs to no shard"]


def duplicate(out: Path) -> list[str]:
    shard = out / "shards" / "train-000001.tar"
    with tarfile.open(shard) as tar:
        member = tar.getmembers()[0]
        content = tar.extractfile(member)
        assert content
        data = content.read()
    with tarfile.open(shard, "a") as tar:
        tar.addfile(member, io.BytesIO(data))
    return ["train-000001: train-000001.tar has "]


def empty_record(out: Path) -> list[str]:
    (out / "records" / "train-000001.json").write_bytes(b"")
    return ["train-000001: its record is missing or damaged"]


def lost_record(out: Path) -> list[str]:
    (out / "records" / "train-000001.json").unlink()
    return ["train-000001: its record is missing or damaged"]


def foreign_record(out: Path) -> list[str]:
    shutil.copy(out / "records" / "train-000000.json", out / "records" / "train-000001.json")
    return ["train-000001: its record is missing or damaged"]


def shard_of_another_dataset(out: Path) -> list[str]:
    """Whole, with its own record, and of the same samples: but not of this plan."""
    other = out.with_name("other")
    words = [*tiny.words(out.with_name("assets"), other, "samples=6", "seed=1"), "shard_size=2"]
    assert main([*words, "runner.workers=1"]) == 0
    for name in ("shards/train-000001.tar", "records/train-000001.json"):
        shutil.copy(other / name, out / name)
    return [
        "train-000001: its record is of another dataset",
        "the records do not match the checksum in dataset.json",
    ]


def lost_manifest(out: Path) -> list[str]:
    (out / "dataset.json").unlink()
    return [
        f"dataset.json is missing: the dataset is unfinished; `python -m depthmask resume {out}` "
    ]


def other_manifest(out: Path) -> list[str]:
    summary = read_sealed(location(out) / "dataset.json")
    assert summary
    write_sealed(location(out) / "dataset.json", {**summary, "manifest_sha256": "0" * 64})
    return ["the records do not match the checksum in dataset.json"]


DAMAGES = [
    delete, swap, extra, duplicate, empty_record, lost_record, foreign_record,
    shard_of_another_dataset, lost_manifest, other_manifest,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_named_and_repaired(
    out: Path, damage: Callable[[Path], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(out)
    expected = damage(out)
    capsys.readouterr()
    assert main(["verify", str(out)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)
    assert main(["verify", str(out), "--repair"]) == 0
    after = files(out)
    assert tiny.keys(out) == [f"{index:09d}" for index in range(6)]
    harmed = {line.split(":")[0] for line in lines if line.startswith("train-")}
    for name, (content, written) in before.items():
        if name.endswith(".tar"):
            assert after[name][0] == content
        assert (after[name][1] != written) == (Path(name).stem in harmed), name
    assert after.keys() == before.keys()


def test_a_lost_plan_cannot_be_repaired(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "plan.json").write_text("{}")
    assert main(["verify", str(out), "--repair"]) == 1
    assert "plan.json is damaged; make the dataset again" in capsys.readouterr().err
    assert (out / "dataset.json").exists()


def test_a_refused_repair_changes_nothing(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    extra(out)
    delete(out)
    before = files(out)
    monkeypatch.setattr("depthmask.engine.from_config.SCHEMA", 99)
    assert main(["verify", str(out), "--repair"]) == 2
    assert "and is 99; choose" in capsys.readouterr().err
    assert files(out) == before
    assert (out / "dataset.json").exists()


def test_readers_refuse_an_unfinished_dataset(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "dataset.json").unlink()
    with pytest.raises(depthmask.UsageError, match="unfinished; `python -m depthmask resume"):
        depthmask.open(out)
    assert main(["stats", str(out)]) == 2
    assert "unfinished" in capsys.readouterr().err
    (out / "dataset.json").write_text('{"samples": 6}')
    with pytest.raises(depthmask.UsageError, match=r"dataset.json is damaged"):
        depthmask.open(out)


def test_problems_come_with_the_command_that_repairs_them(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    delete(out)
    assert main(["verify", str(out)]) == 1
    command = f"python -m depthmask verify {out} --repair"
    assert f"`{command}` makes damaged shards again" in capsys.readouterr().err
    assert main(command.split()[3:]) == 0
    assert "--repair" not in capsys.readouterr().err


def test_nothing_is_counted_where_no_sample_is_missing(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "dataset.json").unlink()
    capsys.readouterr()
    assert main(["verify", str(out), "--repair"]) == 0
    text = capsys.readouterr().err
    assert f"all 6 samples are already made, into {out}" in text
    assert "0 of 0" not in text
