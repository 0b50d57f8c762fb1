"""A placement that arranges all cut-outs at once, and a source with metadata, by other packages."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image

import depthmask
from tests.support.paths import ROOT
from tests.support.plugins import install_package, run_with_plugins
from tests.support.tiny import end, group, sha256s, start

PACKAGES = [ROOT / "tests" / "plugins" / name for name in ("depthmask-disks", "depthmask-rows")]
SIZE = (64, 64)

pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both packages, installed."""
    folder = tmp_path_factory.mktemp("plugins") / "site"
    for package in PACKAGES:
        install_package(package, folder)
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two backgrounds and four cut-outs of 8x6, and one row without a picture."""
    folder = tmp_path_factory.mktemp("rows")
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
    return folder


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that has to succeed."""
    done = run_with_plugins(site, "depthmask", *words)
    assert done.returncode == 0, done.stderr
    return done


def settings(rows: Path, output: Path, *more: str) -> list[str]:
    return [
        *("placement=disks", "placement.max_overlap=0.9", "source=rows", f"source.root={rows}"),
        *("geometry=none", "depth=none", "size=[64,64]", "objects=[2,4]"),
        *("samples=240", "shard_size=10", f"output={output}", *more),
    ]


@pytest.fixture(scope="module")
def dataset(site: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset by one worker, without interruption."""
    output = tmp_path_factory.mktemp("dataset") / "out"
    run(site, *settings(rows, output, "runner.workers=1"))
    return output


def test_packages_pass_the_suites(site: Path, tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(package / "tests", tmp_path / package.name)
    done = run_with_plugins(
        site, "pytest", "-q", "--import-mode=importlib", "-Werror", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout


def test_samples_have_the_metadata_of_their_assets(dataset: Path) -> None:
    samples = depthmask.open(dataset)
    flips = set()
    for index in range(40):
        meta = samples[index].meta
        wall = int(meta["background"].removeprefix("wall"))
        assert meta["background_meta"] == {"caption": f"Wand {wall} \N{BRICK}", "row": wall}
        for number, layer in enumerate(meta["layers"]):
            top, left, height, width = layer["box"]
            # The first point is the top-left corner of the file, the second its opposite.
            across = [left + width, left] if layer["flip"] else [left, left + width]
            assert layer["meta"] == {
                "row": 2 + int(layer["foreground"].removeprefix("cup")),
                "keypoints": [[across[0], top], [across[1], top + height, 2], [0, 0, 0]],
                "disk": number,
                "disks": len(meta["layers"]),
            }
            flips.add(layer["flip"])
    assert flips == {True, False}
    left_out = orjson.loads((dataset / "dataset.json").read_bytes())["left_out"]
    assert [one["reason"] for one in left_out] == ["its picture is missing"]


def test_cut_outs_keep_their_distance(dataset: Path) -> None:
    for sample in depthmask.open(dataset):
        boxes = np.array([layer["box"] for layer in sample.meta["layers"]])
        middles = (boxes[:, :2] + boxes[:, 2:] / 2) / SIZE
        gaps = np.hypot(*(middles[:, None] - middles).transpose(2, 0, 1))
        # Each may be moved by the jitter and by half a pixel.
        assert (gaps + np.eye(len(gaps)) > 0.3 - 2 * 0.02 - 2 / 64).all()


def test_workers_and_kills_change_no_byte(
    site: Path, rows: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    words = settings(rows, output, "runner.workers=2")
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    monkeypatch.setenv("PYTHONPATH", path)
    running = start(words)
    deadline = time.monotonic() + 60
    while not list(output.glob("records/*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    end(group(running.pid))
    assert 0 < len(list(output.glob("records/*.json"))) < 24
    run(site, *words)
    assert sha256s(output) == sha256s(dataset)


def test_metadata_survives_convert_and_annotate(site: Path, dataset: Path, tmp_path: Path) -> None:
    there, back, deep = (tmp_path / name for name in ("there", "back", "deep"))
    run(site, "convert", str(dataset), "writer=npz", f"output={there}")
    run(site, "convert", str(there), "writer=webdataset", "shard_size=10", f"output={back}")
    assert sha256s(back) == sha256s(dataset)
    run(site, "annotate", str(dataset), "depth=layered", "geometry=fastdepth", f"output={deep}")
    one, other = depthmask.open(dataset)[7].meta, depthmask.open(deep)[7].meta
    assert [layer["meta"] for layer in one["layers"]] == [
        layer["meta"] for layer in other["layers"]
    ]
    assert one["background_meta"] == other["background_meta"]
