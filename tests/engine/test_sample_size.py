"""The estimate of the size of a sample: right to a fifth for rooms and for photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthmask.config.compose import compose_root
from depthmask.engine.annotate import annotate
from depthmask.engine.convert import convert
from depthmask.engine.display import Silent
from depthmask.engine.from_config import job_from_config
from depthmask.engine.inputs.open import open_input
from depthmask.engine.run import run_job

ROOMS = ("source.rooms=6", "source.furniture=8")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Backgrounds with detail of all sizes, smooth and rough ones, with depth; and cut-outs."""
    root = tmp_path_factory.mktemp("photographs")
    for name in ("bg", "bg_depth", "fg"):
        (root / name).mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        image = np.full((480, 640, 3), 128.0)
        for octave in range(1, 9):
            coarse = rng.normal(size=(2**octave, 2**octave, 3)) * 50 / (1.2 + number / 8) ** octave
            for channel in range(3):
                layer = Image.fromarray(coarse[..., channel].astype(np.float32))
                image[..., channel] += np.asarray(
                    layer.resize((640, 480), Image.Resampling.BICUBIC)
                )
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(root / "bg" / f"b{number}.jpg")
        depth_mm = np.linspace(5000, 1000, 480)[:, None] + np.zeros(640) + image[..., 0]
        Image.fromarray(depth_mm.astype(np.uint16)).save(root / "bg_depth" / f"b{number}.png")
    y, x = np.mgrid[-1:1:300j, -1:1:200j]
    for number in range(5):
        rgba = rng.integers(90, 140, (300, 200, 4), dtype=np.uint8)
        rgba[..., 3] = 255 * (x**2 * (1 + number) + y**2 < 1)
        Image.fromarray(rgba).save(root / "fg" / f"f{number}.png")
    return root


def ratio(tmp_path: Path, samples: int, *words: str) -> float:
    """The estimate, divided by the size of the files of a run."""
    settings = [*words, f"output={tmp_path / 'out'}", f"samples={samples}", "runner.workers=1"]
    job = job_from_config(compose_root([*settings, "overwrite=true", "shard_size=1000"]))
    run_job(job, Silent())
    files = (tmp_path / "out" / "shards").rglob("*")
    size = sum(path.stat().st_size for path in files if path.is_file())
    return job.sample_bytes * samples / size


@pytest.mark.parametrize("writer", ["webdataset", "zip", "npz", "folder"])
def test_rooms(tmp_path: Path, writer: str) -> None:
    assert 0.8 < ratio(tmp_path, 24, f"writer={writer}", *ROOMS) < 1.2


def test_large_rooms(tmp_path: Path) -> None:
    assert 0.8 < ratio(tmp_path, 8, "size=[480,640]", *ROOMS, "source.oversample=1") < 1.25


@pytest.mark.parametrize(
    "words",
    [
        ("writer=webdataset",),
        ("writer=zip", "depth=none", "objects=[1,3]"),
        ("writer=npz",),
        ("writer=depthmaskdataset",),
        ("encode.image=png", "encode.mask=jpeg", "encode.depth=npz"),
        ("encode.quality=60", "encode.subsampling=444", "encode.depth=compact"),
        ("size=[480,640]",),
        ("size=[480,640]", "writer=npz"),
    ],
)
def test_photographs(tmp_path: Path, photographs: Path, words: tuple[str, ...]) -> None:
    assets = ("source=assets", f"source.root={photographs}", "geometry=source")
    samples = 8 if "size=[480,640]" in words else 24
    assert 0.8 < ratio(tmp_path, samples, *assets, *words) < 1.2


def test_an_asset_that_cannot_be_read_leaves_the_estimate_to_the_tables(
    photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["source=assets", f"source.root={photographs}", "samples=4"]
    measured = job_from_config(compose_root(words)).sample_bytes

    def broken(*_: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr("depthmask.engine.sample_size._stand_in", broken)
    assert measured != job_from_config(compose_root(words)).sample_bytes > 0


def test_a_huge_canvas_is_estimated_in_a_moment(photographs: Path) -> None:
    words = ["source=assets", f"source.root={photographs}", "samples=4", "depth=none"]
    large = job_from_config(compose_root([*words, "size=[8192,8192]"])).sample_bytes
    small = job_from_config(compose_root([*words, "size=[1024,1024]"])).sample_bytes
    assert 20 < large / small < 64


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of rooms."""
    out = tmp_path_factory.mktemp("rooms") / "out"
    words = (*ROOMS, "samples=24", "size=[240,320]", "runner.workers=1", f"output={out}")
    run_job(job_from_config(compose_root(words)), Silent())
    return out


@pytest.mark.parametrize("words", [("writer=npz",), ("encode.image=png",), ("encode.depth=npz",)])
def test_convert(rooms: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    root = compose_root([*words, f"output={tmp_path / 'out'}", "runner.workers=1"])
    job = convert(open_input([str(rooms)]), root, [word.partition("=")[0] for word in words])
    before = job.input.sample_bytes
    after = run_job(job, Silent()).dataset.metadata.bytes / 24
    assert after > 1.3 * before
    assert 0.75 < job.sample_bytes / after < 1.33


def test_annotate_replaces_the_depth_of_its_input(rooms: Path, tmp_path: Path) -> None:
    root = compose_root(["depth=fastdepth", f"output={tmp_path / 'out'}", "runner.workers=1"])
    job = annotate(open_input([str(rooms)]), root, ["depth"])
    after = run_job(job, Silent()).dataset.metadata.bytes / 24
    assert 0.75 < job.sample_bytes / after < 1.33
