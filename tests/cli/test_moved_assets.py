"""Assets count by content: a folder that has moved is named, or found by `source.root=`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from tests.support import tiny

SAMPLES = ("samples=4", "shard_size=2", "runner.workers=1")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """assets/, and OUT, whose plan names `assets`."""
    folder = tmp_path_factory.mktemp("moved")
    tiny.make_assets(folder / "assets")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(tiny.words(Path("assets"), Path("OUT"), *SAMPLES)) == 0
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same in a folder of its own, which is the working directory; the assets are in `st3`."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    (tmp_path / "assets").rename(tmp_path / "st3")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan() -> dict[str, Any]:
    return require_sealed(location("OUT") / "plan.json")


def write_older_plan() -> None:
    """Let the plan be one that has the root in its hash, as before."""
    old = plan()
    del old["unhashed"], old["fingerprint"]
    old["config"]["source"]["root"] = "assets"
    identity = DatasetIdentity.of_plan(old)
    write_sealed(location("OUT/plan.json"), {**old, "fingerprint": identity.fingerprint})
    for path in Path("OUT/records").glob("*.json"):
        record = require_sealed(location(path))
        write_sealed(location(path), {**record, "lineage": identity.lineage})
    info = require_sealed(location("OUT/dataset.json"))
    write_sealed(location("OUT/dataset.json"), {**info, "fingerprint": identity.fingerprint})


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("root", ["st3", "./st3/", "{folder}/st3"])
def test_the_same_command_continues(folder: Path, root: str, older: bool) -> None:
    if older:
        write_older_plan()
    before, shards = plan(), tiny.sha256s(Path("OUT"))
    words = tiny.words(
        Path("x"), Path("OUT"), *SAMPLES, f"source.root={root.format(folder=folder)}"
    )
    assert main(words) == 0
    assert plan()["fingerprint"] == before["fingerprint"]
    assert tiny.sha256s(Path("OUT")) == shards
    assert main([*words, "samples=6"]) == 0
    assert tiny.sha256s(Path("OUT")).items() > shards.items()
    assert main(["verify", "OUT"]) == 0


def test_default_folders_have_the_same_name_wherever_the_assets_are(folder: Path) -> None:
    for root in ("st3", str(folder / "st3")):
        words = tiny.words(Path(root), Path("x"), *SAMPLES)
        assert main([*words, "output=null"]) == 0
    assert len(list(Path("outputs").iterdir())) == 1


ASKED = (
    "error: source.root=assets: no such folder; the assets of OUT were there, so add source.root="
)
COMMANDS = {
    "render": ["render", "OUT", "--index", "1"],
    "repair": ["verify", "OUT", "--repair"],
    "resume": ["resume", "OUT"],
    "extend": ["extend", "OUT", "samples=6"],
    "repeat": ["repeat", "OUT", "output=AGAIN"],
}


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("folder")
def test_the_plan_does_not_say_where_the_assets_are(
    command: str, older: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if older:
        write_older_plan()
    shards, damaged = tiny.sha256s(Path("OUT")), Path("OUT/shards/train-000001.tar")
    if command in ("repair", "resume"):
        damaged.write_bytes(b"damaged")
    assert main(COMMANDS[command]) == 2
    assert ASKED in capsys.readouterr().err
    assert main([*COMMANDS[command], "source.root=st3"]) == 0
    assert tiny.sha256s(Path("OUT")).items() >= shards.items()
    if command in ("repair", "resume", "extend"):
        # The plan names the new place from now on, and the fingerprint stays.
        assert plan()["unhashed"]["source"]["root"] == "st3"
        assert main(["resume", "OUT"]) == 0
        assert main(["verify", "OUT"]) == 0
    if command == "repeat":
        assert tiny.sha256s(Path("AGAIN")).keys() == shards.keys()


@pytest.mark.usefixtures("folder")
def test_repair_from_python() -> None:
    shards = tiny.sha256s(Path("OUT"))
    Path("OUT/shards/train-000000.tar").unlink()
    assert depthmask.verify("OUT", repair=True, assets="st3", progress="none") == []
    assert tiny.sha256s(Path("OUT")) == shards


@pytest.mark.usefixtures("folder")
def test_other_contents_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("st3/fg/box0.png", "st3/fg/box7.png")
    shutil.copy("st3/fg/box1.png", "st3/fg/box0.png")
    changes = "fg/box0.png changed, fg/box7.png new"
    for command in ("resume", "render"):
        assert main([*COMMANDS[command], "source.root=st3"]) == 2
        assert changes in capsys.readouterr().err
    Path("OUT/assets.json").unlink()
    assert main(["resume", "OUT", "source.root=st3"]) == 2
    assert "the assets are not those that it was made from" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_an_input_may_move(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "OUT", "writer=zip", "output=ZIP", "runner.workers=1"]) == 0
    shards = tiny.sha256s(Path("ZIP"))
    Path("OUT").rename("MOVED")
    next(Path("ZIP/shards").iterdir()).unlink()
    assert main(["convert", "MOVED", "writer=zip", "output=ZIP", "runner.workers=1"]) == 0
    assert tiny.sha256s(Path("ZIP")) == shards
    assert main(["verify", "ZIP"]) == 0
    assert main(["resume", "ZIP", "source.root=st3"]) == 2
    assert "source.root=st3: ZIP is made by `convert` and has no root" in capsys.readouterr().err
