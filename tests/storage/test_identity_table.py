"""One thing changes: the run is refused before a byte is written, and the field is named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from depthmask.cli.main import main
from depthmask.contract import contract_as_json
from depthmask.data import DepthContract
from depthmask.storage.location import location
from depthmask.storage.path import LOCK
from tests.support import tiny

PLAN = ("samples=4", "shard_size=2", "runner.workers=1", "progress=none")


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """assets/ and out/."""
    folder = tmp_path_factory.mktemp("guard")
    tiny.make_assets(folder / "assets")
    assert main(tiny.words(folder / "assets", folder / "out", *PLAN)) == 0
    return folder


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of all that is there."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.stat()
        found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


def refused(arena: Path, capsys: pytest.CaptureFixture[str], assets: Path, *more: str) -> str:
    before = state(arena / "out")
    capsys.readouterr()
    assert main(tiny.words(assets, arena / "out", *PLAN, *more)) == 2
    assert state(arena / "out") == before
    line, *others = capsys.readouterr().err.splitlines()
    assert all(one.startswith("  ") for one in others)
    start = f"error: output={arena / 'out'} holds "
    assert line.startswith(start)
    return line.removeprefix(start).removeprefix("another dataset: ")


CONFIG = {
    "samples=3": "4 samples, more than samples=3; ",
    "seed=1": "seed was 0 ",
    "size=[32,40]": "size was [32,32] ",
    "objects=[1,2]": "objects was 1 ",
    "sampling=product": "sampling was random ",
    "flips=false": "flips was true ",
    "repeats=3": "repeats was 20 ",
    "shard_size=3": "shard_size was 2 ",
    "encode.image=png": "encode.image was jpeg ",
    "encode.quality=80": "encode.quality was 95 ",
    "encode.depth=npz": "encode.depth was png16 ",
    "encode.mask=jpeg": "encode.mask was png ",
    "source.foreground_scale=0.5": "source.foreground_scale was 0.9375 ",
    "geometry=auto": "geometry was source ",
    "placement=grid": "placement was random ",
    "placement.min_visible=0.5": "placement.min_visible was 0.25 ",
    "writer=zip": "writer was webdataset ",
}


@pytest.mark.parametrize("word", CONFIG)
def test_config(arena: Path, capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert refused(arena, capsys, arena / "assets", word).startswith(CONFIG[word])


CHANGES = {
    "content": "bg/wall1.png changed",
    "name": "fg/box1b.png new, fg/box1.png gone",
    "depth": "bg_depth/wall1.png changed",
    "new": "2 new (bg/wall9.png, bg_depth/wall9.png)",
    "gone": "fg/box1.png gone",
}


@pytest.mark.parametrize("change", CHANGES)
def test_assets(
    arena: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    assets = Path(shutil.copytree(arena / "assets", tmp_path / "assets"))
    picture, depth = assets / "bg" / "wall1.png", assets / "bg_depth" / "wall1.png"
    if change == "content":
        with Image.open(picture) as image:
            pixels = image.copy()
        pixels.putpixel((0, 0), (1, 2, 3))
        pixels.save(picture)
    elif change == "name":
        (assets / "fg" / "box1.png").rename(assets / "fg" / "box1b.png")
    elif change == "depth":
        with Image.open(depth) as image:
            metres = image.copy()
        metres.putpixel((0, 0), 4321)
        metres.save(depth)
    elif change == "new":
        shutil.copy(picture, assets / "bg" / "wall9.png")
        shutil.copy(depth, assets / "bg_depth" / "wall9.png")
    else:
        (assets / "fg" / "box1.png").unlink()
    assert refused(arena, capsys, assets).startswith(f"assets: {CHANGES[change]}; choose ")


def test_weights(
    arena: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(contract: DepthContract | None) -> dict[str, Any]:
        return {**(contract_as_json(contract) or {}), "weights_sha256": "0" * 64}

    monkeypatch.setattr("depthmask.engine.from_config.contract_as_json", other)
    assert refused(arena, capsys, arena / "assets").startswith("depth.weights_sha256 was null ")


def test_what_decides_nothing(
    arena: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tiny.sha256s(arena / "out")
    (arena / "link").symlink_to(arena / "out")
    monkeypatch.chdir(arena)
    monkeypatch.setattr("depthmask.config.versions.__version__", "99")
    monkeypatch.setattr("depthmask.config.versions._installed", lambda package: "99")
    outputs = (arena / "out", Path("out"), Path("./assets/../out"), arena / "link")
    for output in outputs:
        for word in ("runner.workers=2", "runner.timeout=5"):
            capsys.readouterr()
            assert main(tiny.words(arena / "assets", output, *PLAN[:2], word)) == 0
            assert "nothing is left to do" in capsys.readouterr().err
    assert tiny.sha256s(arena / "out") == before


def test_two_runs_at_once(arena: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tiny.words(arena / "assets", arena / "out", *PLAN)
    capsys.readouterr()
    with location(arena / "out").locked():
        assert main(words) == 2
        error = capsys.readouterr().err
        assert f"another run is at work there (process {os.getpid()})" in error
    assert main(words) == 0


def test_a_stale_lock_file_with_a_living_process(arena: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as foreign:
        (arena / "out" / LOCK).write_text(f"{foreign.pid}\n")
        assert main(tiny.words(arena / "assets", arena / "out", *PLAN)) == 0
        foreign.kill()
