"""The command, whole and very small: the same table after a kill, the page, what is absent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.usefulness.sets import CHOOSING, FINAL, POOL, part_of
from depthmask.reports.evaluation.boundaries import can_find_edges
from tests.support.paths import ROOT

RECIPES = {
    "depth/untouched-160": {"about": "As it is.", "side": 160, "small": True},
    "masks/random": {
        "about": "Furniture over rooms.",
        "words": ["source=rooms", "source.rooms=2", "source.furniture=2", "depth=none",
                  "geometry=none"],
        "small": True,
    },
    "masks/measured": {
        "about": "Never.", "words": ["depth=none"], "needs": ["measured"], "small": True,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recipes, and photographs of which some are in each half."""
    folder = tmp_path_factory.mktemp("usefulness")
    for name, recipe in RECIPES.items():
        path = folder / "recipes" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(recipe))
    for kind, write in (("rgbd", write_pair), ("people", write_people)):
        (folder / "data" / kind).mkdir(parents=True)
        counts = {POOL: 0, CHOOSING: 0, FINAL: 0}
        for number in range(60):
            name = f"scene{number}__1"
            part = part_of(kind, f"scene{number}")
            if counts[part] < 3:
                counts[part] += 1
                write(folder / "data" / kind, name, number)
    return folder


def write_pair(folder: Path, name: str, number: int) -> None:
    picture, ramp = made_picture(number)
    cv2.imwrite(str(folder / f"{name}.rgb.png"), picture)
    cv2.imwrite(str(folder / f"{name}.depth_mm.png"), (1000 + 10 * ramp).astype(np.uint16))


def write_people(folder: Path, name: str, number: int) -> None:
    picture, ramp = made_picture(number)
    for part, image in (("images", picture), ("masks", (ramp > 40).astype(np.uint8))):
        (folder / part).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / part / f"{name}.png"), image)


def made_picture(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture [60, 80, 3], and the column of each pixel."""
    pixels = np.random.default_rng(number).integers(0, 255, (60, 80, 3), np.uint8)
    return pixels, np.tile(np.arange(80), (60, 1))


def run(folder: Path, out: str, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "benchmarks.usefulness", "--tiny", *words]
    command += ["--data", str(folder / "data"), "--out", str(folder / out)]
    command += ["--recipes", str(folder / "recipes")]
    environment = {**os.environ, "DEPTHMASK_CACHE": str(folder / "cache")}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False
    )
    return ended.returncode, ended.stdout + (ended.stderr if ended.returncode else "")


def rows_of(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(("masks ", "depth "))]


def scores_of(lines: list[str]) -> dict[str, object]:
    """The scores of each run; in which order they ended is chance."""
    read = [json.loads(line) for line in lines]
    return {line["key"]: line["scores"] for line in read}


@pytest.mark.skipif(can_find_edges(), reason="scikit-image is there")
def test_scikit_image_is_asked_for(folder: Path) -> None:
    code, output = run(folder, "none")
    assert code == 1
    assert output.splitlines() == ["scikit-image is absent: pip install -e '.[evaluate]'"]


@pytest.mark.skipif(not can_find_edges(), reason="scikit-image is absent")
def test_the_same_table_after_a_kill(folder: Path) -> None:
    code, output = run(folder, "whole")
    assert code == 0, output
    assert "masks/measured: left out, for measured is absent" in output
    rows = rows_of(output)
    assert [row.partition(":")[0] for row in rows] == [
        "depth untouched-160 (runs", "masks random (runs",
    ]  # fmt: skip
    page = (folder / "whole" / "tiny-choosing.html").read_text()
    assert page.count("data:image/jpeg;base64") == 6, "picture, truth and prediction, twice"
    table = json.loads((folder / "whole" / "tiny-choosing.json").read_text())
    assert [row["recipe"] for row in table["rows"]] == ["untouched-160", "random"]
    assert f"iou {table['rows'][1]['means']['iou']:.3f}" in rows[1]
    of_runs = table["rows"][1]["of_runs"]
    assert [run["number"] for run in of_runs] == [0, 1]
    assert [run["steps_done"] for run in of_runs] == [2, 2]
    assert np.mean([run["means"]["iou"] for run in of_runs]) == table["rows"][1]["means"]["iou"]
    assert of_runs[0]["tensorflow"]
    assert of_runs[0]["pixels"] != of_runs[1]["pixels"], "each seed has data of its own"
    # Killed within the last line; the data is made anew as well.
    (folder / "killed").mkdir()
    kept = (folder / "whole" / "runs.jsonl").read_bytes()
    (folder / "killed" / "runs.jsonl").write_bytes(kept[:-20])
    shutil.copytree(folder / "whole" / "sheets", folder / "killed" / "sheets")
    code, output = run(folder, "killed", "--only", "untouched")
    assert rows_of(output)[0] == rows[0]
    assert len(rows_of(output)) == 2, "the table has all that was ever run"
    code, output = run(folder, "killed")
    assert rows_of(output) == rows
    assert (folder / "killed" / "tiny-choosing.html").read_text() == page
    again = (folder / "killed" / "runs.jsonl").read_text().splitlines()
    assert scores_of(again) == scores_of(kept.decode().splitlines())
    require_a_committed_final_table(folder, {json.loads(line)["commit"] for line in again})


def require_a_committed_final_table(folder: Path, commits: set[str]) -> None:
    """A look is noted, or refused where the files of this checkout have changes."""
    code, output = run(folder, "killed", "--final")
    looks = folder / "killed" / "looks.jsonl"
    if any(commit.endswith("-dirty") for commit in commits):
        assert code == 1
        assert output.splitlines()[-1].startswith("--final: runs were made at")
        assert not looks.exists()
    else:
        assert code == 0, output
        assert len(looks.read_text().splitlines()) == 1
