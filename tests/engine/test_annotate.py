"""`annotate`: new depth for samples that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main

ROOMS = [
    "source.rooms=2", "source.furniture=3", "source.oversample=1", "size=[32,40]",
    "samples=10", "shard_size=4", "runner.workers=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "rooms"
    assert main([*ROOMS, "geometry=source", "encode.instances=png", f"output={out}"]) == 0
    return out


def test_layered_depth_on_a_generated_dataset(made: Path, tmp_path: Path) -> None:
    """The stage that gave the samples their depth gives it again, into the same files."""
    bare = tmp_path / "bare"
    words = ["depth=none", "geometry=none", "encode.instances=png", f"output={bare}"]
    assert main([*ROOMS, *words]) == 0
    out = tmp_path / "out"
    words = ["depth=layered", "geometry=source", "runner.workers=1", f"output={out}"]
    assert main(["annotate", str(bare), *words]) == 0
    shards = {path.name: path.read_bytes() for path in (made / "shards").iterdir()}
    assert {path.name: path.read_bytes() for path in (out / "shards").iterdir()} == shards
    old, new = depthmask.open(made), depthmask.open(out)
    assert new.stats == old.stats
    assert new.contract == old.contract
    assert not depthmask.open(bare).contract


def test_a_network_gets_the_decoded_images(made: Path, tmp_path: Path) -> None:
    """Images and masks are moved; depth that was there gives way; a killed run goes on."""
    from depthmask.stages.depth.fastdepth import FastDepth

    out = tmp_path / "out"
    words = ["depth=fastdepth", "encode.depth=npz", f"output={out}"]
    assert main(["annotate", str(made), *words]) == 0
    old, new = depthmask.open(made), depthmask.open(out)
    kept = ("jpg", "mask.png", "instances.png", "json")
    for before, after in zip(*(map(one.encoded, range(10)) for one in (old, new)), strict=True):
        assert {name: before.members[name] for name in kept} == {
            name: after.members[name] for name in kept
        }
        assert set(after.members) == {*kept, "depth.npz"}
    images = np.stack([sample.image for sample in old])
    depth_m = FastDepth().estimate(images)
    for sample, wanted in zip(new, depth_m, strict=True):
        assert np.array_equal(sample.depth, wanted)  # type: ignore[arg-type]
    assert new.contract is not None
    assert new.contract.estimator == "fastdepth"
    assert new.stats["image"] == old.stats["image"]
    assert new.stats["depth"]["mean"] == pytest.approx([float(depth_m.mean())], rel=1e-4)
    shard = out / "shards" / "train-000001.tar"
    whole = shard.read_bytes()
    shard.unlink()
    assert main(["verify", str(out), "--repair"]) == 0
    assert shard.read_bytes() == whole


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["depth=none"], "depth=none: makes no depth"),
        (["depth=fastdepth", "source=rooms"], "annotate does not accept source; accepted: output"),
        (["depth=layered", "geometry=none"], "there is none; choose geometry=auto"),
    ],
)
def test_bad_commands_in_one_line(
    made: Path, capfd: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["annotate", str(made), *words]) == 2
    assert said in capfd.readouterr().err.splitlines()[-1]


def test_layered_depth_needs_a_generated_dataset(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in what was converted, nor in pictures of others."""
    moved = tmp_path / "moved"
    assert main(["convert", str(made), f"output={moved}", "runner.workers=1"]) == 0
    assert main(["annotate", str(moved), f"output={tmp_path / 'out'}"]) == 2
    said = capfd.readouterr().err.splitlines()[-1]
    assert "depth=layered needs the layers of each sample" in said
    assert not (tmp_path / "out").exists()


def test_assets_that_changed_are_refused(
    assets_root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["source=assets", f"source.root={assets_root}", "size=[32,32]", "samples=2"]
    assert main([*words, "depth=none", "geometry=none", f"output={out}"]) == 0
    next((assets_root / "fg").iterdir()).unlink()
    assert main(["annotate", str(out), "geometry=fastdepth", f"output={tmp_path / 'new'}"]) == 2
    assert "its assets have changed" in capfd.readouterr().err
