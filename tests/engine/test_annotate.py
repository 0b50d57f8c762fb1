"""`annotate`: new depth for samples that are there."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.data import Size
from depthmask.engine.annotate import Annotate, annotate
from depthmask.engine.inputs.open import open_input
from tests.support.tiny import sha256s

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


PHOTOS: dict[str, Size] = {
    "IMG_1.jpg": (60, 80),
    "IMG_2.JPG": (80, 60),
    "more/IMG_1.jpg": (50, 50),
    "more/c.png": (64, 48),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in") / "photos"
    rng = np.random.default_rng(0)
    for name, (height, width) in PHOTOS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        small.resize((width, height), Image.Resampling.BICUBIC).save(folder / name)
    (folder / "d.heic").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def annotated(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("annotated") / "out"
    words = ["depth=fastdepth", "writer=zip", "runner.workers=1", f"output={out}"]
    assert main(["annotate", str(photos), *words]) == 0
    return out


def test_photographs_get_depth_at_their_own_size(annotated: Path) -> None:
    from depthmask.stages.depth.fastdepth import FastDepth

    dataset = depthmask.open(annotated)
    assert "4 samples of 50x50 to 80x60 (train 4): image, mask, depth in m" in repr(dataset)
    assert [sample.key for sample in dataset] == ["IMG_1", "IMG_2", "more/IMG_1", "more/c"]
    assert [sample.meta["file"] for sample in dataset] == list(PHOTOS)
    for sample, size in zip(dataset, PHOTOS.values(), strict=True):
        assert sample.size == size
        assert sample.depth is not None
        assert sample.depth.shape == size
        expected = FastDepth().estimate(sample.image[None])[0]
        assert np.abs(sample.depth - expected).max() <= 0.00051
    info = dataset.info
    assert (info["size"], info["smallest"], info["named"]) == ([80, 60], [50, 50], True)
    assert info["left_out"] == [
        {"file": "d.heic", "reason": ".heic is not read; convert it to JPEG or PNG"}
    ]
    with zipfile.ZipFile(next((annotated / "shards").iterdir())) as archive:
        assert "more/IMG_1.depth.png" in archive.namelist()


def test_the_first_lines_say_what_is_used(
    photos: Path, annotated: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same command has nothing to do."""
    words = ["depth=fastdepth", "writer=zip", "runner.workers=1", f"output={annotated}"]
    assert main(["annotate", str(photos), *words]) == 0
    error = capfd.readouterr().err
    assert f"input     4 photographs of 50x50 to 80x60 in {photos} and the folders below" in error
    assert "not used  1 file: 1 .heic (convert to JPEG or PNG)" in error
    assert "encoded   1 picture as jpeg: 1 PNG; the others are copied" in error
    assert "nothing is left to do" in error


def test_photographs_are_verified_repaired_and_converted(annotated: Path, tmp_path: Path) -> None:
    before = sha256s(annotated)
    next((annotated / "shards").iterdir()).unlink()
    assert main(["verify", str(annotated)]) == 1
    assert main(["verify", str(annotated), "--repair"]) == 0
    assert sha256s(annotated) == before
    for command, out in (("folder", tmp_path / "one"), ("zip", tmp_path / "two")):
        source = annotated if command == "folder" else tmp_path / "one"
        words = [f"writer={command}", f"output={out}", "runner.workers=1"]
        assert main(["convert", str(source), *words]) == 0
    assert sha256s(tmp_path / "two") == before
    assert (tmp_path / "one/shards/train-000000/more/IMG_1.depth.png").is_file()


def test_commands_about_photographs(
    annotated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Report, figures, pictures and the cards know that sizes differ."""
    assert main(["stats", str(annotated)]) == 0
    assert "4 samples of 50x50 to 80x60" in capsys.readouterr().out
    assert main(["report", str(annotated)]) == 0
    assert "50x50 to 80x60" in (annotated / "report.html").read_text()
    assert main(["pictures", str(annotated), "--into", str(tmp_path / "pictures")]) == 0
    with Image.open(tmp_path / "pictures/more/IMG_1.png") as picture:
        assert picture.size == (50, 50)
    assert "4 pictures of 50x50 to 80x60 pixels" in (annotated / "README.md").read_text()
    croissant = json.loads((annotated / "croissant.json").read_text())
    assert [one["@type"] for one in croissant["distribution"]] == ["cr:FileObject"]
    assert main(["evaluate", "depth=fastdepth", f"on={annotated}"]) == 0


def test_batches_need_one_size(annotated: Path) -> None:
    from depthmask.adapters.stack import stacked

    dataset = depthmask.open(annotated)
    with pytest.raises(depthmask.DepthmaskError, match=r"images of 50x50 and 60x80.*size=\[H,W\]"):
        stacked(dataset[:3], dataset.contract)
    assert stacked(dataset[:1], dataset.contract)["depth"].shape == (1, 60, 80, 1)


@pytest.mark.parametrize("writer", ["npz", "depthmaskdataset"])
def test_writers_of_one_size(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], writer: str
) -> None:
    """They refuse several sizes at the start, and take resized photographs."""
    out = tmp_path / "out"
    words = ["depth=fastdepth", f"writer={writer}", f"output={out}", "runner.workers=1"]
    assert main(["annotate", str(photos), *words]) == 2
    assert f"writer={writer}: holds samples of one size" in capfd.readouterr().err
    assert not out.exists()
    assert main(["annotate", str(photos), *words, "size=[40,56]"]) == 0
    dataset = depthmask.open(out)
    assert {sample.size for sample in dataset} == {(40, 56)}
    assert [sample.key for sample in dataset] == ["IMG_1", "IMG_2", "more/IMG_1", "more/c"]
    shard = next(path for path in (out / "shards").rglob("*") if path.is_file())
    shard.unlink()
    assert main(["verify", str(out), "--repair"]) == 0


def test_damaged_photographs_are_left_out_if_asked_for(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes((photos / "IMG_1.jpg").read_bytes())
    (tmp_path / "in/b.jpg").write_bytes((photos / "IMG_1.jpg").read_bytes()[:400])
    out = tmp_path / "out"
    words = ["annotate", str(tmp_path / "in"), "depth=fastdepth", f"output={out}"]
    assert main([*words, "runner.workers=1"]) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert "1 of 2 pictures cannot be used: b.jpg: cannot be decoded" in error
    assert "--skip-damaged leaves them out" in error
    assert not out.exists()
    assert main([*words, "--skip-damaged", "runner.workers=1"]) == 0
    dataset = depthmask.open(out)
    assert [one["file"] for one in dataset.info["left_out"]] == ["b.jpg"]
    assert len(dataset) == 1
    next((out / "shards").iterdir()).unlink()
    assert main(["verify", str(out), "--repair"]) == 0


def test_the_output_may_be_below_the_photographs(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes((photos / "IMG_1.jpg").read_bytes())
    words = ["annotate", str(tmp_path / "in"), "depth=fastdepth", f"output={tmp_path / 'in/out'}"]
    for _ in range(2):
        assert main([*words, "runner.workers=1"]) == 0
    assert len(depthmask.open(tmp_path / "in/out")) == 1


def test_a_dataset_named_by_numbers_is_refused_by_one_line(
    annotated: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As earlier versions made them of photographs."""
    from depthmask.storage.identity import DatasetIdentity
    from depthmask.storage.location import location
    from depthmask.storage.publish import read_sealed, write_sealed

    out = tmp_path / "out"
    words = ["annotate", str(photos), "depth=fastdepth", "writer=zip", f"output={out}"]
    assert main([*words, "runner.workers=1"]) == 0
    path = location(out) / "plan.json"
    plan = read_sealed(path)
    assert plan is not None
    del plan["dataset"]["photographs"]
    identity = DatasetIdentity.of_plan({key: plan[key] for key in plan if key != "checksum"})
    write_sealed(path, {**identity.description, "fingerprint": identity.fingerprint})
    assert main([*words, "runner.workers=1"]) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert "holds another dataset: dataset.photographs was null and is {" in error


def test_large_photographs_are_not_decoded_by_the_dozen(tmp_path: Path) -> None:
    for number in range(9):
        Image.new("RGB", (4000, 3000)).save(tmp_path / f"{number}.jpg", quality=1)
    job = annotate(open_input([str(tmp_path)]), compose_root(["depth=fastdepth"]), ())
    assert isinstance(job, Annotate)
    batches = list(job._batch_indices(range(9)))
    assert [index for batch in batches for index in batch] == list(range(9))
    assert max(map(len, batches)) == 2
    assert job.plan.shard_size < 30


def test_other_photographs_are_named_without_their_hash(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = Path(shutil.copytree(photos, tmp_path / "mine"))
    words = ["annotate", str(mine), "depth=fastdepth", f"output={tmp_path / 'out'}"]
    assert main([*words, "runner.workers=1"]) == 0
    picture = next(path for path in mine.rglob("*") if path.suffix == ".jpg")
    with Image.open(picture) as image:
        turned = image.rotate(180)
    turned.save(picture)
    assert main([*words, "runner.workers=1"]) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert "the samples or pictures of the input are not those that it was made from" in error
    assert "sha256" not in error
