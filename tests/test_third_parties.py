"""Six packages as other authors would write them, installed by pip: what depthmask does for each.

A label, a placement, a writer, a depth network, a source, and hooks with a command and a statistic.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image

import depthmask
from depthmask.codec.members import MEMBERS
from tests.support.paths import ROOT
from tests.support.plugins import install_module, pip_install, run_with_plugins
from tests.support.tiny import make_assets, sha256s

pytest.importorskip("scipy")

PACKAGES = sorted((ROOT / "tests" / "plugins").iterdir())
SAMPLES, SHARD_SIZE = 40, 4
KILLER = """
import multiprocessing, os, signal
import depthmask

published = []

@depthmask.hookimpl
def depthmask_shard_published(record):
    published.append(record.shard)
    if len(published) == int(os.environ.get("SHARDS_UNTIL_SIGKILL", 0)):
        for worker in multiprocessing.active_children():
            worker.kill()
        os.kill(os.getpid(), signal.SIGKILL)
"""
COMMANDS = """
import json, sys
from depthmask.cli.main import main

if __name__ == "__main__":
    for words in json.loads(sys.argv[1]):
        if code := main(words):
            sys.exit(f"exit code {code} of {words}")
"""


ASSETS = ("source=assets", "source.root=assets", "geometry=source", "depth=layered")
SIZE = ("size=[32,32]", f"samples={SAMPLES}", f"shard_size={SHARD_SIZE}")
DATASETS = ("out", "there", "back")


@dataclass(frozen=True)
class Case:
    """What is done with a package.

    words: the settings of its dataset, with those of its writer apart. sweep: a setting with two
    values, the first that of the dataset. other: the writer to convert to. help, report, card: what
    they say about the package.
    """

    words: tuple[str, ...]
    sweep: str
    help: tuple[str, ...]
    card: tuple[str, ...]
    report: tuple[str, ...]
    writer: tuple[str, ...] = ("writer=webdataset",)
    other: str = "npz"

    @property
    def run(self) -> tuple[str, ...]:
        """The settings of the dataset."""
        return (*self.words, *self.writer, self.sweep.partition(",")[0], *SIZE)


CASES = {
    "edges": Case(
        words=(*ASSETS, "labels=[edges]", "objects=[1,3]", "placement.max_overlap=0.9"),
        sweep="labels.edges.width=1,3",
        help=("labels=[edges]  (depthmask-edges 0.3.0)", "labels.edges.width=1  int 1..16"),
        card=("| edges | `KEY.edges.png` | 255 on", "`KEY.hidden.npz`", "`KEY.caption.json`"),
        report=("edges.png", "hidden.npz", "255 on the outlines of the visible foregrounds"),
    ),
    "disks": Case(
        words=(*ASSETS, "placement=disks", "placement.max_overlap=0.9", "objects=[2,3]"),
        sweep="placement.gap=0.3,0.2",
        help=("placement=disks  (depthmask-disks 0.3.0)", "placement.gap=0.3"),
        card=("placement=disks",),
        report=("depthmask-disks",),
    ),
    "sqlite": Case(
        words=(*ASSETS, "labels=[edges,coco]"),
        sweep="writer.page_size=4096,512",
        help=("writer=sqlite  (depthmask-sqlite 0.3.0)", "writer.page_size=4096"),
        card=("writer=sqlite", "`KEY.edges.png`"),
        report=("depthmask-sqlite", "edges.png"),
        writer=("writer=sqlite",),
        other="webdataset",
    ),
    "tinynet": Case(
        words=(*ASSETS[:2], "geometry=none", "depth=tinynet"),
        sweep="depth.far=10.0,5.0",
        help=("depth=tinynet  (depthmask-tinynet 0.3.0)", "geometry=tinynet", "depth.far=10.0"),
        card=("| made by | tinynet, estimated, weights", "| range | 0.1 to 10.0 |"),
        report=("depthmask-tinynet",),
    ),
    "rows": Case(
        words=("source=rows", "source.root=rows", "geometry=none", "depth=none", "objects=[1,4]"),
        sweep="source.height=0.5,0.25",
        help=("source=rows  (depthmask-rows 0.3.0)", "source.height=0.5"),
        card=("source=rows", "1 of the asset files could not be used"),
        report=("depthmask-rows", "its picture is missing"),
    ),
    "notify": Case(
        words=ASSETS,
        sweep="objects=1,2",
        help=("notified  (depthmask-notify 0.3.0)", "covered  (depthmask-notify 0.3.0)"),
        card=(f"{SAMPLES} composites",),
        report=("Share of the image that foregrounds cover.",),
    ),
}


@dataclass(frozen=True)
class Made:
    """What became of a case: a folder with its datasets, and what the killed run left."""

    case: Case
    folder: Path
    killed: int
    """The exit code of the run that was killed."""
    left: int
    """The number of shards that it had published."""

    @property
    def dataset(self) -> Path:
        """The dataset that was completed after the kill."""
        return self.folder / "out"

    @property
    def jobs(self) -> list[dict[str, str]]:
        """The rows of the sweep's table."""
        with (self.folder / "sweep" / "sweep.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def shards_of_job(self, number: int) -> dict[str, str]:
        """sha256 of the shards that a job of the sweep made."""
        return sha256s(self.folder / self.jobs[number]["dataset"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all packages, a plugin that kills a run, and a module with many commands."""
    folder = tmp_path_factory.mktemp("plugins") / "site"
    pip_install(PACKAGES, folder)
    install_module(folder, "killer", KILLER)
    (folder / "commands.py").write_text(COMMANDS)
    return folder


@pytest.fixture(scope="module")
def all_made(
    site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Made]]]:
    """All cases, two at a time."""
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(make, case, site, folders[name]) for name, case in CASES.items()}


@pytest.fixture(params=CASES)
def made(request: pytest.FixtureRequest, all_made: dict[str, Future[Made]]) -> Made:
    """Each case."""
    return all_made[request.param].result()


def make(case: Case, site: Path, folder: Path) -> Made:
    """Kill a run, complete it, check it, convert it there and back, report on it, and sweep."""
    make_assets(folder / "assets")
    make_rows(folder / "rows")
    run = [*case.run, "output=out", "runner.workers=2"]
    killed = run_with_plugins(site, "depthmask", *run, cwd=folder, SHARDS_UNTIL_SIGKILL="3")
    left = len(list(folder.glob("out/records/*.json")))
    here = [f"shard_size={SHARD_SIZE}", "runner.workers=1"]
    commands(
        site,
        folder,
        run,
        ["verify", "out"],
        ["convert", "out", f"writer={case.other}", "output=there", *here],
        ["convert", "there", *case.writer, "output=back", *here],
        ["report", "out"],
        ["-m", *case.words, *case.writer, case.sweep, *SIZE, "output=sweep", here[1]],
    )
    return Made(case, folder, killed.returncode, left)


def make_rows(folder: Path) -> None:
    """Two backgrounds and four cut-outs of 8x6, and one row without a picture."""
    folder.mkdir()
    table: list[dict[str, Any]] = [
        {"key": f"wall{number}", "kind": "background", "caption": f"Wand {number} \N{BRICK}"}
        for number in range(2)
    ]
    table += [
        {"key": f"cup{number}", "kind": "foreground", "keypoints": [[0, 0], [6, 8, 2], [0, 0, 0]]}
        for number in range(4)
    ]
    for row in table:
        size = (80, 80) if row["kind"] == "background" else (6, 8)
        Image.new("RGB", size, "grey").save(folder / f"{row['key']}.png")
    table.append({"key": "lost", "kind": "foreground"})
    for number, row in enumerate(table):
        row |= {"file": f"{row['key']}.png", "row": number}
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, table)))


def commands(site: Path, folder: Path, *several: list[str]) -> str:
    """What several commands print, run by one process in this folder; all have to succeed."""
    notified = str(folder / "notified")
    done = run_with_plugins(
        site, "commands", json.dumps(several), cwd=folder, DEPTHMASK_NOTIFY=notified
    )
    assert done.returncode == 0, done.stderr
    # Not those of other packages: coverage warns where it meets an installed package.
    assert not [line for line in done.stderr.splitlines() if line.startswith("warning:")]
    return done.stdout


def test_the_packages_pass_their_tests(site: Path, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(package / "tests", tmp_path / package.name)
    done = run_with_plugins(
        site, "pytest", "-q", "--import-mode=importlib", "-Werror", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout


def test_help_lists_all(site: Path) -> None:
    done = run_with_plugins(site, "depthmask", "--help")
    for case in CASES.values():
        for text in case.help:
            assert text in done.stdout
    assert done.returncode == 0, done.stderr


def test_two_workers_and_a_kill_change_no_byte(made: Made) -> None:
    """The first job of the sweep is the same dataset, made by one process without a kill."""
    assert made.killed == -signal.SIGKILL
    assert 3 <= made.left < SAMPLES // SHARD_SIZE
    assert len(sha256s(made.dataset)) == SAMPLES // SHARD_SIZE
    assert sha256s(made.dataset) == made.shards_of_job(0)


def test_a_sweep_over_a_setting(made: Made) -> None:
    setting, _, values = made.case.sweep.partition("=")
    assert [job["status"] for job in made.jobs] == ["made", "made"]
    assert [job[setting] for job in made.jobs] == values.split(",")
    assert made.shards_of_job(0) != made.shards_of_job(1)


def test_converted_there_and_back(made: Made) -> None:
    assert sha256s(made.folder / "back") == sha256s(made.dataset)
    assert not set(sha256s(made.folder / "there")) & set(sha256s(made.dataset))
    infos = [orjson.loads((made.folder / name / "dataset.json").read_bytes()) for name in DATASETS]
    assert [info["samples"] for info in infos] == [SAMPLES] * 3


def test_the_report_and_the_card(made: Made) -> None:
    page = (made.dataset / "report.html").read_text()
    card = (made.dataset / "README.md").read_text()
    assert [text for text in made.case.report if text not in page] == []
    assert [text for text in made.case.card if text not in card] == []
    json.loads((made.dataset / "croissant.json").read_text())


def test_labels_of_the_cut_outs(all_made: dict[str, Future[Made]]) -> None:
    made = all_made["edges"].result()
    wide = depthmask.open(made.folder / made.jobs[1]["dataset"])
    shares = []
    for thin, other in zip(depthmask.open(made.dataset), wide, strict=True):
        edges, hidden, layers = thin.labels["edges"], thin.labels["hidden"], thin.meta["layers"]
        assert (edges.dtype, edges.shape) == (np.uint8, (32, 32))
        assert set(np.unique(edges)) == {0, 255}
        assert (other.labels["edges"] >= edges).all()
        assert other.labels["edges"].sum() > edges.sum()
        assert (hidden.dtype, hidden.shape) == (np.float32, (32, 32))
        shares.append(float(hidden.max()))
        assert thin.labels["caption"] == {
            "text": f"{len(layers)} foreground",
            "count": len(layers),
        }
    assert min(shares) == 0 < max(shares) <= 0.75


def test_cut_outs_keep_their_distance(all_made: dict[str, Future[Made]]) -> None:
    for sample in depthmask.open(all_made["disks"].result().dataset):
        layers = sample.meta["layers"]
        assert [layer["meta"] for layer in layers] == [
            {"disk": number, "disks": len(layers)} for number in range(len(layers))
        ]
        boxes = np.array([layer["box"] for layer in layers])
        middles = (boxes[:, :2] + boxes[:, 2:] / 2) / 32
        gaps = np.hypot(*(middles[:, None] - middles).transpose(2, 0, 1))
        # Each may be moved by the jitter and by half a pixel.
        assert (gaps + np.eye(len(gaps)) > 0.3 - 2 * 0.02 - 2 / 32).all()


def test_a_database_holds_labels_that_its_writer_does_not_know(
    all_made: dict[str, Future[Made]],
) -> None:
    made = all_made["sqlite"].result()
    card = (made.dataset / "README.md").read_text()
    assert "mlcroissant" not in card
    assert "load_dataset" not in card
    assert json.loads((made.dataset / "croissant.json").read_text())["recordSet"] == []
    there = depthmask.open(made.folder / "there")
    with closing(sqlite3.connect(made.dataset / "shards" / "train-000001.sqlite")) as database:
        for index in range(SHARD_SIZE, 2 * SHARD_SIZE):
            query = "SELECT name, data FROM members WHERE key = ? ORDER BY id"
            members = dict(database.execute(query, (f"{index:09d}",)))
            assert [name for name in members if name not in MEMBERS] == [
                *("caption.json", "edges.png", "hidden.npz"),
            ]
            assert members == there.encoded(index).members
    coco = (made.dataset / "coco_train.json").read_bytes()
    assert coco == (made.folder / "there" / "coco_train.json").read_bytes()


def test_depth_of_the_network(all_made: dict[str, Future[Made]]) -> None:
    dataset = depthmask.open(all_made["tinynet"].result().dataset)
    weights = next(PACKAGES[0].parent.glob("*/*/weights.npz")).read_bytes()
    contract = dataset.contract
    assert contract is not None
    assert contract.weights_sha256 == hashlib.sha256(weights).hexdigest()
    assert dataset.info["versions"]["depthmask-tinynet"] == "0.3.0"
    maps = np.stack([sample.depth for sample in dataset if sample.depth is not None])
    assert len(maps) == SAMPLES
    assert 0.1 <= maps.min() < maps.max() <= 10
    assert len(np.unique(maps)) > 100


def test_samples_have_the_metadata_of_their_rows(all_made: dict[str, Future[Made]]) -> None:
    made = all_made["rows"].result()
    flips = set()
    for sample in depthmask.open(made.dataset):
        wall = int(sample.meta["background"].removeprefix("wall"))
        expected = {"caption": f"Wand {wall} \N{BRICK}", "row": wall}
        assert sample.meta["background_meta"] == expected
        for layer in sample.meta["layers"]:
            top, left, height, width = layer["box"]
            # The first point is the top-left corner of the file, the second its opposite.
            across = [left + width, left] if layer["flip"] else [left, left + width]
            assert layer["meta"] == {
                "row": 2 + int(layer["foreground"].removeprefix("cup")),
                "keypoints": [[across[0], top], [across[1], top + height, 2], [0, 0, 0]],
            }
            flips.add(layer["flip"])
    assert flips == {True, False}
    left_out = orjson.loads((made.dataset / "dataset.json").read_bytes())["left_out"]
    assert [one["reason"] for one in left_out] == ["its picture is missing"]


def test_metadata_survives_annotate(all_made: dict[str, Future[Made]], site: Path) -> None:
    made = all_made["rows"].result()
    annotate = ["annotate", "out", "depth=tinynet", "geometry=none", "output=deep"]
    commands(site, made.folder, [*annotate, "runner.workers=1"])
    deep = depthmask.open(made.folder / "deep")
    for one, other in zip(depthmask.open(made.dataset), deep, strict=True):
        assert other.depth is not None
        assert one.meta["background_meta"] == other.meta["background_meta"]
        for layer, annotated in zip(one.meta["layers"], other.meta["layers"], strict=True):
            assert layer["meta"] == annotated["meta"]


def test_hooks_tell_of_each_dataset_once(all_made: dict[str, Future[Made]], site: Path) -> None:
    made = all_made["notify"].result()
    printed = commands(site, made.folder, ["notified"], ["notified", "--last", "1"]).splitlines()
    lines = [line.rpartition(": ") for line in printed]
    datasets = [*DATASETS, *(job["dataset"] for job in made.jobs)]
    paths = [str(made.folder / name) for name in datasets]
    assert [Path(made.folder, path) for path, _, _ in lines] == [
        Path(path) for path in [*paths, paths[-1]]
    ]
    assert {text for _, _, text in lines} == {f"{SAMPLES} samples"}


def test_statistics_of_each_dataset(all_made: dict[str, Future[Made]]) -> None:
    made = all_made["notify"].result()
    samples = depthmask.open(made.dataset)
    (covered,) = samples.info["added_statistics"].values()
    expected = np.mean([sample.mask.mean() / 255 for sample in samples])
    assert covered["mean"] == pytest.approx(expected, rel=1e-12)
    assert covered["samples"] == SAMPLES
    for name in DATASETS[1:]:
        copied = depthmask.open(made.folder / name).info["added_statistics"]
        assert copied == samples.info["added_statistics"]
