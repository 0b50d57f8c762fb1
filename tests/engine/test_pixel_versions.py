"""Pixel versions decide what is continued, shown and repaired; versions of packages do not."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask._version import PIXEL_VERSION
from depthmask.cli.main import main
from depthmask.stages.source.rooms import Rooms
from depthmask.storage.identity import DatasetIdentity
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed, require_sealed, write_sealed
from depthmask.storage.verify import verify
from tests.support import tiny
from tests.support.plugins import run_with_plugins, write_plugin

STAGES = """
from depthmask import Blend, Placement, scaled_layer, stage

@stage("mine")
class Mine(Placement):
    "Always in the corner."
    {pixels}

    def place(self, scene, foreground, flip, rng):
        return scaled_layer(foreground, top={top}, left=2, scale=1.0, flip=flip)

@stage("flat")
class Flat(Blend):
    "The colours of the foreground."
    {pixels}

    def blend(self, canvas, patch, top, left):
        height, width = patch.alpha.shape
        window = canvas[top : top + height, left : left + width]
        window[patch.alpha > 127] = patch.rgb[patch.alpha > 127]
        return True
"""
ROOMS = ("source.rooms=1", "source.furniture=2", "size=[24,32]", "geometry=source", "shard_size=2")
WORDS = (*ROOMS, "placement=mine", "runner.workers=1")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The package `mine` 1.0 with pixel version 1."""
    install(tmp_path / "site", "1.0")
    return tmp_path / "site"


def install(site: Path, version: str, pixel_version: int = 1, top: int = 2) -> None:
    """Replace the package. top: what its placement gives."""
    pixels = f"pixel_version = {pixel_version}" if pixel_version > 1 else ""
    write_plugin(site, "mine", version, STAGES.format(pixels=pixels, top=top))


def run(site: Path, *words: str, code: int = 0) -> str:
    """What a command says on stderr."""
    done = run_with_plugins(site, "depthmask", *words, cwd=site.parent)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def error(site: Path, *words: str, code: int = 2) -> str:
    """The line of a command that is refused."""
    lines = run(site, *words, code=code).splitlines()
    (line,) = (line for line in lines if line.startswith("error: "))
    return line


def make(site: Path, samples: int = 4, *more: str) -> Path:
    run(site, *WORDS, f"samples={samples}", "output=out", *more)
    return site.parent / "out"


def plan_of(output: Path) -> dict[str, Any]:
    return require_sealed(location(output) / "plan.json")


def files(output: Path) -> dict[str, bytes]:
    folders = (output / "shards", output / "records")
    paths = [output / "plan.json", *(path for folder in folders for path in folder.iterdir())]
    return {path.name: path.read_bytes() for path in paths}


def lineages(output: Path) -> set[str]:
    return {json.loads(path.read_bytes())["lineage"] for path in (output / "records").iterdir()}


def as_made_before(output: Path) -> None:
    """Leave the dataset as versions before pixel versions made it, with their hashes."""
    folder, description = location(output), plan_of(output)
    for name in ("packages", "pixel_versions", "environments", "fingerprint"):
        del description[name]
    samples = {**description["config"], "samples": None}
    fingerprint, lineage = (
        hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        for data in (description, {**description, "config": samples})
    )
    write_sealed(folder / "plan.json", {**description, "fingerprint": fingerprint})
    info = require_sealed(folder / "dataset.json")
    write_sealed(folder / "dataset.json", {**info, "fingerprint": fingerprint})
    for path in (folder / "records").iterdir():
        write_sealed(path, {**require_sealed(path), "lineage": lineage})
    assert verify(output) == []


def lose(output: Path, *names: str) -> None:
    for name in names:
        (output / name).unlink()


def test_the_plan_has_the_pixel_versions(site: Path) -> None:
    install(site, "1.4", pixel_version=3)
    plan = plan_of(make(site))
    assert plan["versions"]["mine"] == "1.4"
    assert plan["pixel_versions"] == {
        "depthmask": PIXEL_VERSION, "source=rooms": Rooms.pixel_version, "geometry=source": 1,
        "placement=mine": 3, "blend=alpha": 1, "depth=layered": 1, "writer=webdataset": 1,
    }  # fmt: skip


def test_another_version_of_the_package_continues(site: Path) -> None:
    """Extended and repaired by 1.1 what 1.0 made."""
    output = make(site)
    before = files(output)
    install(site, "1.1")
    assert "nothing is left to do" in run(site, *WORDS, "samples=4", "output=out")
    assert files(output) == before
    make(site, samples=7)
    after = files(output)
    kept = [name for name in before if name != "plan.json"]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert lineages(output) == {DatasetIdentity.of_plan(plan_of(output)).lineage}
    assert plan_of(output)["versions"]["mine"] == "1.0"
    assert verify(output) == []
    lose(output, "shards/train-000000.tar", "records/train-000001.json", "shards/train-000003.tar")
    run(site, "verify", "out", "--repair")
    shards = {name: after[name] for name in after if name.endswith(".tar")}
    assert {name: files(output)[name] for name in shards} == shards
    assert verify(output) == []
    run(site, "render", "out", "--index", "5")
    whole = make(site, 7, "output=whole").with_name("whole")
    assert tiny.sha256s(whole) == tiny.sha256s(output)


def test_the_default_folder_stays(site: Path) -> None:
    run(site, *WORDS, "samples=2")
    (folder,) = (site.parent / "outputs").iterdir()
    install(site, "2.0")
    assert "nothing is left to do" in run(site, *WORDS, "samples=2")
    install(site, "2.1", pixel_version=2)
    run(site, *WORDS, "samples=2")
    assert len(list((site.parent / "outputs").iterdir())) == 2
    assert folder.is_dir()


@pytest.mark.parametrize(("first", "then"), [(1, 2), (3, 2)])
def test_another_pixel_version_is_refused(site: Path, first: int, then: int) -> None:
    install(site, "1.0", first)
    output = make(site)
    before = files(output)
    install(site, "1.1", then)
    changed = f"placement=mine has pixel version {first} there and {then} now"
    made_by = "(made by mine 1.0: `pip install 'mine==1.0'`)"
    for samples in (4, 8):
        assert error(site, *WORDS, f"samples={samples}", "output=out") == (
            f"error: output=out cannot be continued: {changed} {made_by}; choose another output, "
            "or overwrite=true"
        )
    # A cause that lies nearer is named first.
    line = error(site, *WORDS, "samples=8", "seed=1", "output=out")
    assert "holds another dataset: seed was 0 and is 1; choose" in line
    assert error(site, "render", "out", "--index", "1") == (
        f"error: out: the published sample cannot be shown: {changed} {made_by}"
    )
    assert not (site.parent / "render").exists()
    annotate = ("annotate", "out", "depth=layered", "geometry=source", "depth.relief=false")
    assert changed in error(site, *annotate, "output=new")
    assert files(output) == before
    run(site, "convert", "out", "writer=zip", "output=converted")
    run(site, "verify", "out")


def test_a_plan_without_pixel_versions_means_1(site: Path) -> None:
    output = make(site)
    as_made_before(output)
    line = error(site, *WORDS, "samples=8", "output=out")
    assert f"depthmask has pixel version 1 there and {PIXEL_VERSION} now, which changed " in line
    assert "has pixel version 1 there" in error(site, "render", "out", "--index", "0")


def test_a_stage_inside_another_counts(site: Path) -> None:
    words = (*ROOMS, "blend=several", "blend.of=[alpha,flat]", "samples=4", "output=out")
    run(site, *words)
    assert plan_of(site.parent / "out")["pixel_versions"]["blend=flat"] == 1
    install(site, "1.1", 2)
    assert "blend=flat has pixel version 1 there and 2 now" in error(site, *words)


LOSSES = {
    "file": ("shards/train-000001.tar",),
    "record": ("records/train-000001.json",),
    "both": ("shards/train-000001.tar", "records/train-000001.json"),
    "records": ("records/train-000000.json", "records/train-000001.json"),
}


@pytest.mark.parametrize("loss", ["file", "both", "records"])
def test_repair_by_another_pixel_version_that_gives_the_same_bytes(site: Path, loss: str) -> None:
    output = make(site, 6)
    before = tiny.sha256s(output)
    lose(output, *LOSSES[loss])
    install(site, "1.1", 2)
    run(site, "verify", "out", "--repair")
    assert tiny.sha256s(output) == before
    assert verify(output) == []


@pytest.mark.parametrize(
    ("loss", "pixel_version"), [("file", 1), ("file", 2), ("record", 2), ("records", 1)]
)
def test_repair_never_publishes_other_bytes(site: Path, loss: str, pixel_version: int) -> None:
    """With pixel version 1 as well: the author may have forgotten to raise it."""
    output = make(site, 6)
    lose(output, *LOSSES[loss])
    before = files(output)
    install(site, "1.1", pixel_version, top=5)
    line = error(site, "verify", "out", "--repair", code=1)
    assert "train-000001" in line
    assert "cannot be made again to the same bytes on this machine (" in line
    assert line.endswith(" named as damaged")
    assert ("placement=mine has pixel version 1 there" in line) == (pixel_version == 2)
    assert files(output) == before
    assert (output / "dataset.json").is_file()
    assert not (output / ".drafts").exists() or not list((output / ".drafts").iterdir())


def test_what_can_be_repaired_is_repaired(site: Path) -> None:
    """Only some of the shards have other bytes: those whose foregrounds are placed elsewhere."""
    output = make(site, 6)
    before = tiny.sha256s(output)
    lose(output, *(f"shards/train-00000{number}.tar" for number in range(3)))
    install(site, "1.1", 2, top="2 + 3 * (scene.index == 2)")  # type: ignore[arg-type]
    assert "out: train-000001 cannot be made" in error(site, "verify", "out", "--repair", code=1)
    assert tiny.sha256s(output) == {
        name: digest for name, digest in before.items() if name != "train-000001.tar"
    }
    assert [str(one) for one in verify(output)] == ["train-000001: train-000001.tar is missing"]


def test_nothing_is_proven_without_record_and_manifest(site: Path) -> None:
    output = make(site, 6)
    lose(output, "records/train-000001.json", "dataset.json")
    before = files(output)
    install(site, "1.1", 2)
    line = error(site, "verify", "out", "--repair", code=1)
    cause = "placement=mine has pixel version 1 there"
    assert f"the same bytes on this machine (nothing tells their bytes: {cause}" in line
    assert files(output) == before
    install(site, "1.1")
    done = run_with_plugins(site, "depthmask", "verify", "out", "--repair", cwd=site.parent)
    assert done.returncode == 0
    assert "as published" not in done.stdout
    assert "1 of the shards are new, from train-000001 on" in done.stdout
    assert verify(output) == []


def test_a_lost_summary_is_written_by_another_pixel_version(site: Path) -> None:
    """All records are there, so no sample is made."""
    output = make(site, 4)
    before = read_sealed(location(output) / "dataset.json")
    lose(output, "dataset.json")
    install(site, "1.1", 2)
    run(site, "verify", "out", "--repair")
    assert read_sealed(location(output) / "dataset.json") == before


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    """The words of a run without plugins, which has been made."""
    words = [*ROOMS, "runner.workers=1", f"output={tmp_path / 'own'}"]
    assert main([*words, "samples=4"]) == 0
    return words


def test_our_own_version_decides_nothing(
    own: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plan_of(tmp_path / "own")
    monkeypatch.setattr("depthmask.config.versions.__version__", "99")
    assert main([*own, "samples=6"]) == 0
    assert verify(tmp_path / "own") == []
    assert main([*own, "samples=4", f"output={tmp_path / 'new'}"]) == 0
    new = plan_of(tmp_path / "new")
    assert new["versions"]["depthmask"] == "99"
    assert new["fingerprint"] == before["fingerprint"]
    assert depthmask.open(tmp_path / "new").info["versions"]["depthmask"] == "99"


@pytest.mark.parametrize("job", ["generate", "convert"])
def test_our_own_pixel_version_decides(
    own: list[str],
    job: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [*own, "samples=4"]
    if job == "convert":
        words = ["convert", str(tmp_path / "own"), "writer=zip", f"output={tmp_path / 'zip'}"]
        assert main(words) == 0
    monkeypatch.setattr("depthmask.config.versions.__version__", "99")
    assert main(words) == 0
    monkeypatch.setattr("depthmask.config.versions.PIXEL_VERSION", PIXEL_VERSION + 1)
    monkeypatch.setattr(
        "depthmask.storage.packages.PIXEL_CHANGES", {PIXEL_VERSION + 1: "the colour of shadows"}
    )
    capsys.readouterr()
    assert main(words) == 2
    assert (
        f"depthmask has pixel version {PIXEL_VERSION} there and {PIXEL_VERSION + 1} now, which "
        f"changed the colour of shadows (made by depthmask {depthmask.__version__}: "
        f"`pip install 'depthmask=={depthmask.__version__}'`)"
    ) in capsys.readouterr().err


def test_a_stage_of_another_package_is_refused(site: Path) -> None:
    """The name of the package decides, unlike its version."""
    output = make(site)
    shutil.rmtree(site)
    write_plugin(site, "other", "1.0", STAGES.format(pixels="", top=2))
    line = error(site, *WORDS, "samples=8", "output=out")
    assert "holds another dataset: placement=mine was of the package mine and is of other" in line
    assert verify(output) == []
