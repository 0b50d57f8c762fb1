"""The whole flow: the same samples whatever the workers and shards, resumed and extended."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import depthmask
from depthmask.cli.commands.render import render
from depthmask.cli.main import main
from depthmask.codec.sample import Encode
from depthmask.config.compose import compose_root
from depthmask.engine.from_config import job_from_config
from depthmask.engine.job import Progress, ShardLog
from depthmask.engine.shard import make_shard
from depthmask.errors import ShardError, UsageError
from depthmask.reading.dataset import Dataset
from depthmask.stages.depth.layered import Layered
from depthmask.statistics.pixels import Statistics
from depthmask.storage.location import location
from depthmask.storage.path import StorePath


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three backgrounds with depth and four cut-outs, of 32 pixels or so."""
    root = tmp_path_factory.mktemp("assets")
    for name in ("bg", "fg", "bg_depth"):
        (root / name).mkdir()
    rng = np.random.default_rng(1)
    for number in range(3):
        coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((40, 40)).save(root / "bg" / f"wall{number}.jpg")
        depth = np.linspace(5000, 1000, 40 * 40).reshape(40, 40).astype(np.uint16)
        Image.fromarray(depth).save(root / "bg_depth" / f"wall{number}.png")
    for number in range(4):
        rgba = rng.integers(0, 256, (20 + number, 14, 4), dtype=np.uint8)
        rgba[..., 3] = np.where(np.arange(14) % 5 == 0, 90, 255)
        Image.fromarray(rgba).save(root / "fg" / f"box{number}.png")
    return root


def make(assets: Path, out: Path, *words: str) -> Dataset:
    code = main(
        ["source=assets", f"source.root={assets}", "size=[32,32]", f"output={out}",
         "runner.workers=1", *words]
    )  # fmt: skip
    assert code == 0
    return depthmask.open(out)


def members(dataset: Dataset) -> list[dict[str, bytes]]:
    return [dataset.encoded(index).members for index in range(len(dataset))]


def shards(out: StorePath | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(f"{out}/shards").iterdir())}


def test_samples_do_not_depend_on_workers_or_shards(assets: Path, tmp_path: Path) -> None:
    words = ("samples=60", "objects=[1,2]", "encode.instances=png")
    one = make(assets, tmp_path / "one", *words, "shard_size=20")
    two = make(assets, tmp_path / "two", *words, "shard_size=20", "runner.workers=2")
    other = make(assets, tmp_path / "other", *words, "shard_size=7", "runner.workers=2")
    assert shards(one.path) == shards(two.path)
    assert len(shards(one.path)) == 3
    assert members(one) == members(other)
    assert one.stats == two.stats == other.stats
    assert set(members(one)[0]) == {"jpg", "mask.png", "instances.png", "depth.png", "json"}


def test_every_sample_is_there_once_and_in_order(assets: Path, tmp_path: Path) -> None:
    dataset = make(assets, tmp_path / "out", "samples=25", "shard_size=10")
    names = []
    for path in sorted((tmp_path / "out/shards").iterdir()):
        with tarfile.open(path) as archive:
            names += archive.getnames()
    keys = [name.split(".")[0] for name in names if name.endswith(".json")]
    assert keys == [f"{index:09d}" for index in range(25)]
    assert [sample.meta["index"] for sample in dataset] == list(range(25))
    assert dataset[-1].key == "000000024"
    assert [sample.key for sample in dataset[3:5]] == ["000000003", "000000004"]
    with pytest.raises(IndexError, match="it has 25"):
        dataset[25]


def test_a_sample_rendered_alone_equals_that_of_the_run(assets: Path, tmp_path: Path) -> None:
    dataset = make(assets, tmp_path / "out", "samples=40", "shard_size=16")
    for index in (0, 17, 39):
        encoded, difference = render(location(tmp_path / "out"), index)
        assert (encoded.members, difference) == (dataset.encoded(index).members, "")
    into = tmp_path / "render"
    assert main(["render", str(tmp_path / "out"), "--index", "17", "--into", str(into)]) == 0
    assert (into / "000000017.jpg").read_bytes() == dataset.encoded(17).members["jpg"]
    assert main(["render", str(tmp_path / "out"), "--index", "40"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["blend=alpha", "placement.min_scale=0.1", "placement.max_scale=0.4"],
        ["blend=feather", "blend.match=0.5", "objects=[1,4]"],
        ["blend=several", "blend.shadow=0.8", "placement=ground", "objects=[1,3]"],
        ["blend=poisson", "encode.subsampling=444", "size=[64,90]"],
        ["encode.optimize=true", "encode.quality=50"],
    ],
)
def test_reused_strips_equal_newly_coded_ones(words: list[str], tmp_path: Path) -> None:
    """Of whole shards, where most are taken from the background, against sample by sample."""
    rooms = ["source.rooms=2", "source.furniture=6", "samples=48", f"output={tmp_path}"]
    job = job_from_config(compose_root([*rooms, *words]))
    shard = job.plan.shard(0)
    for made in job.encoded(shard, ShardLog()):
        sample = job.sample(int(made.key))
        assert sample.strip_source is not None
        first, stop = sample.strip_source.touched
        outside = np.r_[0:first, stop : len(sample.image)]
        background = sample.strip_source.background
        assert np.array_equal(sample.image[outside], background[outside])
        assert made.members == job.root.encode.encode(sample).members


def test_labels_agree_with_the_pixels(assets: Path, tmp_path: Path) -> None:
    dataset = make(
        assets, tmp_path / "out", "samples=12", "encode.image=png", "encode.depth=npz",
        "encode.instances=png",
    )  # fmt: skip
    assert dataset.contract is not None
    assert dataset.contract.mode is depthmask.DepthMode.composited
    for sample in dataset:
        (layer,) = sample.meta["layers"]
        assert sample.instances is not None
        assert sample.depth is not None
        owned = sample.instances == 1
        assert (owned == (sample.mask >= 128)).all()
        assert np.allclose(sample.depth[owned], layer["depth_m"], atol=1e-4)
        with Image.open(assets / "bg" / f"{sample.meta['background']}.jpg") as picture:
            plain = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS))
        assert (sample.image[sample.mask == 0] == plain[sample.mask == 0]).all()
        assert layer["visible"] >= 0.25


def test_statistics_are_those_of_the_pixels(assets: Path, tmp_path: Path) -> None:
    dataset = make(assets, tmp_path / "out", "samples=30", "encode.image=png", "shard_size=7")
    images = np.stack([sample.image for sample in dataset]) / 255
    masks = np.stack([sample.mask for sample in dataset]) / 255
    depths = np.stack([sample.depth for sample in dataset])  # type: ignore[misc]
    stats = dataset.stats
    assert np.allclose(stats["image"]["mean"], images.mean((0, 1, 2)), atol=1e-12)
    assert np.allclose(stats["image"]["std"], images.std((0, 1, 2)), atol=1e-12)
    assert np.allclose(stats["mask"]["std"], masks.std(), atol=1e-12)
    assert np.allclose(stats["depth"]["mean"], depths.mean(dtype=np.float64), atol=1e-6)
    assert np.allclose(stats["depth"]["std"], depths.std(dtype=np.float64), atol=1e-6)


def test_resume_makes_what_is_missing_to_the_same_bytes(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    make(assets, out, "samples=40", "shard_size=10")
    before = shards(out)
    for lost in ("records/train-000001.json", "shards/train-000002.tar"):
        (out / lost).unlink()
    (out / "dataset.json").unlink()
    (out / "records/train-000003.json").write_text('{"shard": "tra')
    (out / ".drafts/train-000009.1").mkdir(parents=True)
    capsys.readouterr()
    make(assets, out, "samples=40", "shard_size=10")
    assert "20 samples (20 are already made)" in capsys.readouterr().err
    assert shards(out) == before
    assert not (out / ".drafts/train-000009.1").exists()
    make(assets, out, "samples=40", "shard_size=10")
    assert "nothing is left to do" in capsys.readouterr().err


def test_more_samples_extend_a_finished_dataset(assets: Path, tmp_path: Path) -> None:
    make(assets, tmp_path / "grown", "samples=25", "shard_size=10")
    grown = make(assets, tmp_path / "grown", "samples=41", "shard_size=10")
    whole = make(assets, tmp_path / "whole", "samples=41", "shard_size=10")
    assert shards(grown.path) == shards(whole.path)
    assert grown.stats == whole.stats
    assert grown.info["manifest_sha256"] == whole.info["manifest_sha256"]


def test_product_sampling_nests_as_the_original_loop(assets: Path, tmp_path: Path) -> None:
    dataset = make(
        assets, tmp_path / "out", "samples=48", "sampling=product", "repeats=2", "+preset=pairs"
    )
    found = [
        (s.meta["background"], s.meta["layers"][0]["foreground"], s.meta["layers"][0]["flip"])
        for s in dataset
    ]
    expected = [
        (f"wall{background}", f"box{foreground}", flip)
        for background in range(3)
        for foreground in range(4)
        for _ in range(2)
        for flip in (False, True)
    ]
    assert found == expected


@pytest.mark.parametrize("writer", ["webdataset", "zip", "npz", "folder"])
def test_every_writer_gives_back_the_same_samples(
    assets: Path, tmp_path: Path, writer: str
) -> None:
    reference = make(assets, tmp_path / "reference", "samples=12", "shard_size=5")
    dataset = make(assets, tmp_path / writer, "samples=12", "shard_size=5", f"writer={writer}")
    for expected, sample in zip(reference, dataset, strict=True):
        assert (sample.image == expected.image).all()
        assert (sample.mask == expected.mask).all()
        assert sample.depth is not None
        assert expected.depth is not None
        assert np.abs(sample.depth - expected.depth).max() <= 0.000501
        assert sample.meta == expected.meta


# The library leaves its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_library_reads_the_shards(assets: Path, tmp_path: Path) -> None:
    import webdataset

    make(assets, tmp_path / "out", "samples=12", "shard_size=6")
    urls = str(tmp_path / "out/shards/train-{000000..000001}.tar")
    samples = list(webdataset.WebDataset(urls, shardshuffle=False))
    gc.collect()
    assert [sample["__key__"] for sample in samples] == [f"{index:09d}" for index in range(12)]
    for sample in samples:
        assert {"jpg", "mask.png", "depth.png", "json"} <= set(sample)
        assert json.loads(sample["json"])["key"] == sample["__key__"]
        depth = np.asarray(Image.open(io.BytesIO(sample["depth.png"])))
        assert depth.dtype == np.uint16
        assert 1000 <= depth.min() <= depth.max() <= 5000


def test_default_output_is_found_again(
    assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["source=assets", f"source.root={assets}", "size=[32,32]", "samples=3", "+preset=pairs"]
    for _ in range(2):
        assert main(words) == 0
    assert main([*words, "seed=1"]) == 0
    assert len(list((tmp_path / "outputs").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


def test_run_leaves_preview_and_log(assets: Path, tmp_path: Path) -> None:
    make(assets, tmp_path / "out", "samples=30")
    with Image.open(tmp_path / "out/preview.jpg") as preview:
        assert preview.width > 1000
    log = (tmp_path / "out/run.log").read_text()
    assert "train-000000: samples 0..29" in log


def test_stats_verb(assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = make(assets, tmp_path / "out", "samples=5")
    capsys.readouterr()
    assert main(["stats", str(tmp_path / "out")]) == 0
    table = capsys.readouterr().out
    assert f"{dataset.stats['image']['mean'][0]:.5f}" in table
    assert main(["stats", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == dataset.stats
    assert main(["stats", str(tmp_path)]) == 2
    advice = f"{tmp_path} holds a dataset, and is none; give one, such as {tmp_path / 'out'}"
    assert advice in capsys.readouterr().err


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_goes_on(
    assets: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    words = ["source=assets", f"source.root={assets}", "size=[32,32]", "output=out",
             "samples=60000", "shard_size=200", "runner.workers=2", "+preset=pairs"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "depthmask", *words],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    records = tmp_path / "out" / "records"
    deadline = time.monotonic() + 60
    while not (records.is_dir() and any(records.glob("*.json"))):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, sent)
    _, text = process.communicate(timeout=20)
    assert process.returncode == code
    assert "interrupted; run the same command again to resume" in text
    assert "Traceback" not in text
    assert not (tmp_path / "out" / "dataset.json").exists()
    done = len(list(records.glob("*.json")))
    assert 0 < done < 300


@pytest.mark.parametrize("station", ["depth", "statistics", "encode"])
def test_an_error_names_the_failed_sample(
    station: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though several go through the stations together."""

    def fail_at_5(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 6:
            raise ValueError("boom")
        return before(*arguments)

    calls: list[Any] = []
    owner, name = {
        "depth": (Layered, "annotate"),
        "statistics": (Statistics, "add"),
        "encode": (Encode, "encode_around"),
    }[station]
    before = getattr(owner, name)
    words = ["source.rooms=1", "source.furniture=1", "samples=20", f"output={tmp_path}"]
    job = job_from_config(compose_root(words))
    monkeypatch.setattr(owner, name, fail_at_5)
    with pytest.raises(ShardError, match=r"train-000000: sample 5 \(room.*ValueError: boom"):
        make_shard(job, job.plan.shard(0), Progress())


def test_a_sample_that_is_not_in_the_plan(tmp_path: Path) -> None:
    job = job_from_config(compose_root(["source.rooms=1", "source.furniture=1", "samples=5"]))
    assert job.sample(4).index == 4
    for index in (-1, 5, 10**6):
        with pytest.raises(IndexError):
            job.sample(index)


LABELS = "key,label,height_m\nbox0,chair,0.9\nbox1,sofa,\nbox2,,\nbox3,office chair,\n"


@pytest.mark.parametrize(
    ("heights", "hint"),
    [
        ("{chiar:0.9}", "{chiar: ...}: no foreground has this label; did you mean chair?"),
        (
            "{unicorn:1}",
            "{unicorn: ...}: no foreground has this label; the labels are chair, foreground, "
            "office chair, sofa",
        ),
        ("{chair:0.9,Sofa:1}", "{Sofa: ...}: no foreground has this label; did you mean sofa?"),
        ("{1:0.9}", "{1: ...}: no foreground has this label; the labels are"),
    ],
)
def test_a_height_for_a_label_that_nobody_has_is_refused(
    assets: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    heights: str,
    hint: str,
) -> None:
    shutil.copytree(assets, tmp_path / "assets")
    (tmp_path / "assets" / "assets.csv").write_text(LABELS)
    words = ["source=assets", f"source.root={tmp_path / 'assets'}", "placement=ground"]
    assert main([*words, f"placement.heights={heights}", f"output={tmp_path / 'out'}"]) == 2
    assert f"error: placement.heights={hint}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_heights_by_label_without_any_labels(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(assets, tmp_path / "assets")
    (tmp_path / "assets" / "assets.csv").unlink(missing_ok=True)
    words = ["source=assets", f"source.root={tmp_path / 'assets'}", "placement=ground"]
    assert main([*words, "placement.heights={cup:0.1}", f"output={tmp_path / 'out'}"]) == 2
    line = "{cup: ...}: no foreground has a label; source=assets reads them from the column label"
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(
    ("heights", "hint"),
    [
        ("{cup:90}", "and at most 20; 90 cm is 0.9"),
        ("{cup:[40,180]}", "and at most 20; 180 cm is 1.8"),
        ("cup:0.9", "in quotes for the shell, as in 'placement.heights={chair: 0.9, person: ["),
    ],
)
def test_heights_that_are_none(heights: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        compose_root(["placement=ground", f"placement.heights={heights}"])
    assert hint in str(caught.value)


def test_labels_of_assets_that_are_left_out_and_of_other_splits_are_known(
    assets: Path, tmp_path: Path
) -> None:
    root = tmp_path / "assets"
    shutil.copytree(assets, root)
    (root / "assets.csv").write_text(LABELS)
    (root / "fg" / "box1.png").write_bytes(b"")
    words = ["source=assets", f"source.root={root}", "source.on_bad_asset=skip", "split.val=0.5",
             "placement=ground", "placement.heights={sofa:1,chair:2,foreground:1,office chair:1}",
             "split.train=0.5", "split.alike=0"]  # fmt: skip
    job = job_from_config(compose_root(words))
    assert len(job.plan.splits) == 2


def test_rooms_know_their_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["placement=ground", "source.furniture=3", f"output={tmp_path / 'out'}"]
    assert main([*words, "placement.heights={sofa:1}"]) == 2
    assert "the labels are chair, plant, armchair" in capsys.readouterr().err


def test_who_is_too_tall_is_named_at_the_end(
    assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = tmp_path / "assets", tmp_path / "out"
    shutil.copytree(assets, root)
    (root / "assets.csv").write_text("key,height_m\nbox0,19\nbox1,0.9\nbox2,0.9\nbox3,0.9\n")
    rows = np.arange(40)[:, None]
    floor = np.where(rows > 20, 30000 / np.maximum(rows - 19.5, 1), 20000).astype(np.uint16)
    for path in (root / "bg_depth").iterdir():
        Image.fromarray(np.ascontiguousarray(np.broadcast_to(floor, (40, 40)))).save(path)
    words = ["source=assets", f"source.root={root}", "placement=ground", "geometry=source",
             "depth=layered", "size=[32,32]", "samples=20", "runner.workers=1"]  # fmt: skip
    assert main([*words, f"output={out}"]) == 0
    text = " ".join(capsys.readouterr().err.split())
    assert "too tall for its place: foreground box0 (" in text
    assert "check height_m in assets.csv" in text
    record = json.loads(next((out / "records").glob("*.json")).read_text())
    assert any("box0" in one for one in record["redraws"])
    # A run that has nothing to do says it as well.
    assert main([*words, f"output={out}"]) == 0
    assert "foreground box0 (" in " ".join(capsys.readouterr().err.split())
