"""A name that two packages have means neither, until the user decides; built-in names are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthmask.errors import DepthmaskError, UsageError
from tests.support.plugins import install_module, registry_of, run_with_plugins

STAGES = """
from depthmask import Blend, Labels, Placement, scaled_layer, setting, stage

@stage("{name}")
class Mine(Placement):
    "Always in the corner."
    {package}: int = setting(3, ge=0, help="of this package only")

    def place(self, scene, foreground, flip, rng):
        return scaled_layer(foreground, top=0, left=0, scale=1.0, flip=flip)

@stage("{name}")
class Soft(Blend):
    "Nothing."
    def blend(self, canvas, patch, top, left):
        return True

@stage("{name}")
class Noted(Labels):
    "None."
    def outputs(self, size, contract):
        return []
    def label(self, sample, rng):
        return {{}}
"""
COMMAND = """
import depthmask

@depthmask.hookimpl
def depthmask_commands():
    return [depthmask.Command("greet", "Greet.", lambda words: print("{package}"))]

@depthmask.hookimpl
def depthmask_statistics():
    return [depthmask.Statistic("width", "Of the image.", lambda sample: {value})]
"""
PRESETS = """
import depthmask

@depthmask.hookimpl
def depthmask_config_paths():
    return ["pkg://{package}_conf"]
"""
PRESET = "# Of {package}.\ndefaults: [/schema/placement/random@_here_, _self_]\nattempts: {value}\n"
ROOMS = ("samples=2", "source.rooms=1", "source.furniture=1", "size=[32,32]", "+preset=pairs")
DECIDE = "decide by DEPTHMASK_PREFER=aaa or DEPTHMASK_PREFER=bbb"


def install_stages(site: Path, package: str, name: str = "twin") -> None:
    install_module(site, package, STAGES.format(name=name, package=package))


def install_presets(site: Path, package: str, *files: str, value: int = 1) -> None:
    """A package with these presets, such as `placement/far`."""
    install_module(site, package, PRESETS.format(package=package))
    for file in files:
        path = site / f"{package}_conf" / f"{file}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        is_stage = file.startswith("placement/")
        text = PRESET if is_stage else "# @package _global_\n# Of {package}.\nseed: {value}\n"
        path.write_text(text.format(package=package, value=value))


@pytest.fixture
def twins(tmp_path: Path) -> Path:
    """Two packages with stages of one name."""
    for package in ("aaa", "bbb"):
        install_stages(tmp_path, package)
    return tmp_path


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("placement=twin", "placement=twin"),
        ("labels=[coco,twin]", "labels=twin"),
        ("blend=several blend.of=[alpha,twin]", "blend=twin"),
    ],
)
def test_who_chooses_the_name_has_to_decide(twins: Path, word: str, name: str) -> None:
    done = run_with_plugins(twins, "depthmask", *word.split(), *ROOMS, "output=out")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert line == f"error: {name} is in aaa 1.2 and in bbb 1.2; {DECIDE}"
    assert not (twins / "out").exists()


def test_a_run_that_chooses_another_stage_gets_one_line(twins: Path) -> None:
    done = run_with_plugins(twins, "depthmask", "placement=random", *ROOMS, "output=out")
    assert done.returncode == 0
    (warning,) = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert warning == (
        "warning: placement=twin, blend=twin, labels=twin are in aaa 1.2 and in bbb 1.2; " + DECIDE
    )


def test_plugins_lists_the_collision(twins: Path) -> None:
    text = run_with_plugins(twins, "depthmask", "plugins").stdout
    assert text.count("twin") == 3
    assert "are in aaa 1.2 and in bbb 1.2" in text.partition("\nwarnings:\n")[2]
    text = run_with_plugins(twins, "depthmask", "plugins", DEPTHMASK_PREFER="bbb").stdout
    assert "placement=twin  (bbb 1.2)" in text
    assert "(aaa 1.2)" not in text
    assert "warnings:" not in text
    assert "decided by DEPTHMASK_PREFER:\n  placement=twin, blend=twin, labels=twin are" in text
    assert "; DEPTHMASK_PREFER decides for bbb 1.2" in text


@pytest.mark.parametrize("package", ["aaa", "bbb"])
def test_the_preferred_package_is_used_in_workers_too(twins: Path, package: str) -> None:
    words = ("placement=twin", f"placement.{package}=5", "runner.workers=2", "shard_size=1")
    command = ("depthmask", *words, *ROOMS, "output=out")
    done = run_with_plugins(twins, *command, DEPTHMASK_PREFER=f"other-one,{package.upper()}")
    assert done.returncode == 0, done.stderr
    assert json.loads((twins / "out" / "plan.json").read_text())["packages"] == {
        "placement=twin": package
    }
    assert " is in aaa 1.2" not in done.stderr


def test_a_dataset_made_before_the_second_package_came(tmp_path: Path) -> None:
    install_stages(tmp_path, "aaa")
    command = ("depthmask", "placement=twin", *ROOMS, "output=out")
    assert run_with_plugins(tmp_path, *command).returncode == 0
    install_stages(tmp_path, "bbb")
    said = f"placement=twin is in aaa 1.2 and in bbb 1.2; {DECIDE}\n"
    for words in (command, ("depthmask", "render", "out", "--index", "0")):
        refused = run_with_plugins(tmp_path, *words)
        assert refused.returncode == 2
        assert refused.stderr.endswith(said)
        assert run_with_plugins(tmp_path, *words, DEPTHMASK_PREFER="aaa").returncode == 0
    for line in ("verify out", "stats out", "convert out output=copy"):
        done = run_with_plugins(tmp_path, "depthmask", *line.split())
        assert done.returncode == 0, done.stderr
    refused = run_with_plugins(tmp_path, *command, DEPTHMASK_PREFER="bbb")
    assert "holds another dataset" in refused.stderr


def test_commands_and_statistics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, package in enumerate(("aaa", "bbb")):
        install_module(tmp_path, package, COMMAND.format(package=package, value=value))
    refused = run_with_plugins(tmp_path, "depthmask", "greet")
    assert refused.stderr == f"error: command greet is in aaa 1.2 and in bbb 1.2; {DECIDE}\n"
    assert refused.returncode == 2
    with registry_of(tmp_path) as known:
        assert (known.commands, known.statistics) == ({}, {})
    monkeypatch.setenv("DEPTHMASK_PREFER", "bbb")
    assert run_with_plugins(tmp_path, "depthmask", "greet").stdout == "bbb\n"
    with registry_of(tmp_path) as known:
        assert known.statistics["width"].provider.name == "bbb"


def test_the_first_preferred_package_of_three_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("aaa", "bbb", "ccc"):
        install_stages(tmp_path, package)
    with registry_of(tmp_path) as known, pytest.raises(UsageError, match=r"aaa .* bbb .* ccc 1.2"):
        known.stage("placement", "twin")
    monkeypatch.setenv("DEPTHMASK_PREFER", "ccc, aaa")
    with registry_of(tmp_path) as known:
        assert known.stages["placement"]["twin"].provider.name == "ccc"
        assert known.warnings == []
    monkeypatch.setenv("DEPTHMASK_BLOCK", "aaa")
    monkeypatch.setenv("DEPTHMASK_PREFER", "")
    with registry_of(tmp_path) as known, pytest.raises(UsageError, match=r"bbb .* ccc 1.2"):
        known.stage("placement", "twin")


def test_a_blocked_package_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("aaa", "bbb"):
        install_stages(tmp_path, package)
    monkeypatch.setenv("DEPTHMASK_BLOCK", "AAA")
    with registry_of(tmp_path) as known:
        assert known.stages["placement"]["twin"].provider.name == "bbb"
        assert known.warnings == []


def test_strict_plugins_may_not_collide(twins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMASK_STRICT_PLUGINS", "1")
    with pytest.raises(DepthmaskError, match=r"are in aaa 1\.2 and in bbb"), registry_of(twins):
        pass


def test_one_class_by_two_entry_points_is_one_stage(tmp_path: Path) -> None:
    install_stages(tmp_path, "aaa")
    entries = tmp_path / "aaa-1.2.dist-info" / "entry_points.txt"
    entries.write_text("[depthmask]\none = aaa:Mine\nall = aaa\n")
    with registry_of(tmp_path) as known:
        assert known.stages["placement"]["twin"].provider.name == "aaa"
        assert known.problems == []


def test_two_stages_of_one_name_in_a_package(tmp_path: Path) -> None:
    install_stages(tmp_path, "aaa")
    code = STAGES.format(name="twin", package="aaa")
    (tmp_path / "second.py").write_text(code)
    entries = tmp_path / "aaa-1.2.dist-info" / "entry_points.txt"
    entries.write_text("[depthmask]\none = aaa:Mine\ntwo = second:Mine\n")
    with registry_of(tmp_path) as known:
        assert [str(problem) for problem in known.problems] == [
            "placement=twin of plugin two (aaa 1.2) is left out: the name is taken by aaa 1.2; "
            "give it another one"
        ]
        assert known.stages["placement"]["twin"].stage.__module__ == "aaa"


@pytest.mark.parametrize("name", ["random", "original"])
def test_a_built_in_name_is_kept(tmp_path: Path, name: str) -> None:
    """`original` is a preset, `random` a stage."""
    install_stages(tmp_path, "aaa", name)
    listing = run_with_plugins(tmp_path, "depthmask", "plugins").stdout
    left_out = listing.partition("\nleft out:\n")[2]
    assert left_out.startswith(
        f"  placement={name} of plugin aaa (aaa 1.2) is left out: the name is taken by built-in; "
        "give it another one\n"
    )
    assert f"placement={name}  (aaa 1.2)" not in listing
    assert f"blend={name}  (aaa 1.2)" in listing
    assert "is disabled" not in listing


@pytest.mark.parametrize(
    ("file", "choice"),
    [
        ("placement/random", "placement=random"),
        ("placement/original", "placement=original"),
        ("preset/pairs", "preset=pairs"),
        ("experiment/placements", "experiment=placements"),
    ],
)
def test_a_preset_with_a_built_in_name_is_left_out(tmp_path: Path, file: str, choice: str) -> None:
    install_presets(tmp_path, "aaa", file, "placement/far")
    with registry_of(tmp_path) as known:
        assert [str(problem) for problem in known.problems] == [
            f"{choice} of plugin aaa (aaa 1.2) is left out: the name is taken by built-in; give it "
            "another one"
        ]
        assert [*known.presets] == ["placement=far"]


def test_a_preset_with_the_name_of_a_stage_of_its_package(tmp_path: Path) -> None:
    install_presets(tmp_path, "aaa", "placement/twin")
    code = STAGES.format(name="twin", package="aaa") + PRESETS.format(package="aaa")
    (tmp_path / "aaa.py").write_text(code)
    with registry_of(tmp_path) as known:
        assert "the name is taken by aaa 1.2" in str(*known.problems)
        assert "twin" in known.stages["placement"]


@pytest.mark.parametrize(
    ("prefer", "attempts"), [("aaa", "attempts: 7"), ("bbb", "attempts: 8"), ("ccc", "ccc: 3")]
)
def test_presets_and_a_stage_of_one_name(tmp_path: Path, prefer: str, attempts: str) -> None:
    install_presets(tmp_path, "aaa", "placement/twin", "preset/both", value=7)
    install_presets(tmp_path, "bbb", "placement/twin", "preset/both", value=8)
    install_stages(tmp_path, "ccc")
    for word in ("placement=twin", "+preset=both"):
        refused = run_with_plugins(tmp_path, "depthmask", word, "--cfg", "job")
        assert f"error: {word.lstrip('+')} is in aaa 1.2 and in bbb 1.2" in refused.stderr
        assert refused.returncode == 2
    words = ("placement=twin", "--cfg", "job")
    assert (
        attempts in run_with_plugins(tmp_path, "depthmask", *words, DEPTHMASK_PREFER=prefer).stdout
    )


def test_presets_show_their_package(tmp_path: Path) -> None:
    install_presets(tmp_path, "aaa", "placement/far", "preset/both")
    for command in (["plugins"], ["--help"]):
        listing = run_with_plugins(tmp_path, "depthmask", *command).stdout
        assert "\n  placement=far  (aaa 1.2)  Of aaa.\n" in listing
        assert "\n  +preset=both  (aaa 1.2)  Of aaa.\n" in listing
        assert "\n  +preset=pairs  (built-in)  Only images and masks" in listing


def test_a_class_of_a_script_with_the_name_of_a_preset(tmp_path: Path) -> None:
    code = STAGES.format(name="original", package="x")
    main = "\nimport sys\nfrom depthmask.cli.main import main\n"
    (tmp_path / "script.py").write_text(code + main + "sys.exit(main())\n")
    install_presets(tmp_path, "aaa", "placement/far")
    done = run_with_plugins(tmp_path, "script", "placement=original", *ROOMS)
    assert done.returncode == 2
    assert "placement=original is the name of __main__.Mine (script.py sha256:" in done.stderr
    assert "and of a preset (built-in); give the class another name in @stage" in done.stderr
    assert run_with_plugins(tmp_path, "script", "placement=far", "--cfg", "job").returncode == 0


def test_new_plugins_get_no_name_of_a_preset(tmp_path: Path) -> None:
    done = run_with_plugins(tmp_path, "depthmask", "new-plugin", "placement", "original")
    assert done.stderr == (
        "error: new-plugin placement original: placement=original is taken by built-in\n"
    )
