"""Plugins as real distributions on the path: the good ones serve, the others disturb nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.plugins import install_module as install
from tests.support.plugins import registry_of

STAGE = """
from depthmask import Placement, stage, setting
from depthmask.stages.placement.base import scaled_layer

@stage("{name}")
class Mine(Placement):
    "Always in the corner."
    shift: int = setting(3, ge=0, help="pixels")

    def place(self, scene, foreground, flip, random):
        return scaled_layer(foreground, top=self.shift, left=self.shift, scale=1.0, flip=flip)
"""


def depthmask(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "depthmask", *words],
        env={**os.environ, "PYTHONPATH": path, **env},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_module_with_a_stage(tmp_path: Path) -> None:
    install(tmp_path, "corner", STAGE.format(name="corner"))
    listing = depthmask(tmp_path, "plugins").stdout
    assert "placement=corner  (corner 1.2)  Always in the corner." in listing
    assert "placement.shift=3" in listing
    run = depthmask(
        tmp_path, "placement=corner", "placement.shift=7", "+preset=pairs", "samples=2",
        "source.rooms=1", "source.furniture=1", "output=out",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    stats = depthmask(tmp_path, "stats", "out")
    assert "2 samples" in stats.stdout


def test_class_as_entry_point(tmp_path: Path) -> None:
    install(tmp_path, "one", STAGE.format(name="one"), "one:Mine")
    assert "placement=one  (one 1.2)" in depthmask(tmp_path, "plugins").stdout


def test_hook_module_with_presets(tmp_path: Path) -> None:
    code = STAGE.format(name="hooked") + (
        "\nfrom depthmask import hookimpl\n\n"
        "@hookimpl\ndef depthmask_stages():\n    return [Mine]\n\n"
        "@hookimpl\ndef depthmask_config_paths():\n    return ['pkg://hooked_conf']\n"
    )
    install(tmp_path, "hooked", code)
    (tmp_path / "hooked_conf" / "placement").mkdir(parents=True)
    (tmp_path / "hooked_conf" / "__init__.py").touch()
    (tmp_path / "hooked_conf" / "placement" / "far.yaml").write_text(
        "defaults:\n  - /schema/placement/hooked@_here_\n  - _self_\nshift: 50\n"
    )
    assert "placement=hooked  (hooked 1.2)" in depthmask(tmp_path, "plugins").stdout
    config = depthmask(tmp_path, "placement=far", "--cfg", "job")
    assert "shift: 50" in config.stdout


BROKEN = {
    "raises": ("raise RuntimeError('boom')", "RuntimeError: boom"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "lacks": ("import nosuchmodule", "No module named 'nosuchmodule'"),
    "misspelt": (
        "from depthmask import hookimpl\n@hookimpl\ndef depthmask_stagez():\n    return []",
        "no such hook depthmask_stagez; did you mean depthmask_stages? Available: depthmask_c",
    ),
    "bare": ("def depthmask_stages():\n    return []", "lacks the decorator @depthmask.hookimpl"),
    "empty": ("x = 1", "defines neither stage classes nor hooks"),
    "half": (
        "from depthmask import Blend, stage\n@stage('half')\nclass Half(Blend):\n    'Half.'",
        "stage half lacks blend",
    ),
}

OUTDATED = {
    "moved": (
        "from depthmask.placement.base import layer",
        "there is no module depthmask.placement; import names from depthmask itself, "
        "as in `from depthmask import stage`",
    ),
    "submodule": (
        "import depthmask.stages.nosuch",
        "there is no module depthmask.stages.nosuch; import names from depthmask itself",
    ),
    "inner": (
        "from depthmask.stage import Stages",
        "depthmask.stage has no name Stages (did you mean Stage?); import names from depthmask",
    ),
    "near": (
        "from depthmask import Placment",
        "depthmask has no name Placment (did you mean Placement?); import names from depthmask",
    ),
    "gone": (
        "from depthmask import Zyxw",
        "depthmask has no name Zyxw; import names from depthmask itself",
    ),
    "attribute": (
        "import depthmask\nclass Mine(depthmask.Wrter):\n    pass",
        "depthmask has no name Wrter (did you mean Writer?); import names from depthmask",
    ),
}
"""Plugins for another version of depthmask."""
BROKEN |= OUTDATED


def test_broken_plugins_are_named_and_the_run_goes_on(tmp_path: Path) -> None:
    for name, (code, _) in BROKEN.items():
        install(tmp_path, name, code)
    install(tmp_path, "corner", STAGE.format(name="corner"))
    for words in (["plugins"], ["--help"]):
        listing = depthmask(tmp_path, *words)
        assert listing.returncode == 0, listing.stderr
        for name, (_, reason) in BROKEN.items():
            lines = [
                line for line in listing.stdout.splitlines()
                if f"plugin {name} ({name} 1.2) is disabled: " in line
            ]  # fmt: skip
            assert len(lines) == 1
            assert reason in lines[0]
        assert "placement=corner  (corner 1.2)" in listing.stdout
        assert "placement=grid  (built-in)" in listing.stdout
    run = depthmask(
        tmp_path, "placement=corner", "+preset=pairs", "samples=1", "source.rooms=1",
        "source.furniture=1",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("warning: plugin ") == len(BROKEN)
    assert "Traceback" not in run.stderr


def test_blocked_and_strict(tmp_path: Path) -> None:
    install(tmp_path, "bad", "raise RuntimeError('boom')")
    assert "bad 1.2" not in depthmask(tmp_path, "plugins", DEPTHMASK_BLOCK="bad").stdout
    strict = depthmask(tmp_path, "plugins", DEPTHMASK_STRICT_PLUGINS="1")
    assert strict.returncode == 1
    assert strict.stderr.startswith("error: plugin bad (bad 1.2) is disabled: RuntimeError: boom")


def test_load_times_and_slow_plugins(tmp_path: Path) -> None:
    install(tmp_path, "quick", STAGE.format(name="quick"))
    install(tmp_path, "sleepy", "import time\ntime.sleep(0.4)\n" + STAGE.format(name="sleepy"))
    listing = depthmask(tmp_path, "plugins", "-v").stdout
    packages = listing.partition("plugin packages:\n")[2]
    assert "  quick  loaded in " in packages
    assert "  sleepy  loaded in 4" in packages
    slow = depthmask(tmp_path, "plugins").stdout.partition("slow to import:\n")[2]
    assert "  sleepy  0.4 s; import heavy packages in the functions that use them" in slow
    assert "quick" not in slow


def test_a_preset_of_a_plugin(tmp_path: Path) -> None:
    code = STAGE.format(name="hooked") + (
        "\nfrom depthmask import hookimpl\n\n"
        "@hookimpl\ndef depthmask_stages():\n    return [Mine]\n\n"
        "@hookimpl\ndef depthmask_config_paths():\n    return ['pkg://hooked_conf']\n"
    )
    install(tmp_path, "hooked", code)
    (tmp_path / "hooked_conf" / "preset").mkdir(parents=True)
    (tmp_path / "hooked_conf" / "__init__.py").touch()
    (tmp_path / "hooked_conf" / "preset" / "cornered.yaml").write_text(
        "# @package _global_\n# All in one corner.\n"
        "defaults:\n  - override /placement: hooked\n  - _self_\nsamples: 7\n"
    )
    assert (
        "+preset=cornered  (hooked 1.2)  All in one corner."
        in depthmask(tmp_path, "plugins").stdout
    )
    config = depthmask(tmp_path, "+preset=cornered", "--cfg", "job").stdout
    assert "samples: 7" in config
    assert "shift: 3" in config
    assert (
        "available: cornered, depthmaskdataset, depthmaskdataset224, pairs"
        in depthmask(tmp_path, "+preset=nosuch").stderr
    )


def test_a_label_whose_name_has_a_dot_is_left_out(tmp_path: Path) -> None:
    code = (
        "import depthmask\n"
        "@depthmask.stage('a.b')\n"
        "class Dotted(depthmask.Labels):\n"
        "    '''Dotted.'''\n"
        "    def outputs(self, size, contract): return []\n"
        "    def label(self, sample, rng): return {}\n"
    )
    install(tmp_path, "dotted", code)
    listing = depthmask(tmp_path, "plugins").stdout
    assert "the name of a labels stage cannot have a dot" in listing


LOOSE = """
from depthmask import Placement, setting, stage

class {cls}(Placement):
    "Lacks a decorator."
    {field}

    def place(self, scene, foreground, flip, rng):
        raise AssertionError
"""


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        (
            LOOSE.format(cls="Mine", field=""),
            "mine",
            'mine.Mine lacks the decorator @depthmask.stage("NAME")',
        ),
        (
            LOOSE.format(cls="Mine", field=""),
            "mine:Mine",
            "<class 'mine.Mine'> is not a stage; derive it from a stage class and add @stage",
        ),
        (
            LOOSE.format(cls="Mine", field="name = 'mine'; size: int = setting(3, help='pixels')"),
            "mine",
            "<class 'mine.Mine'> has a name of its own; name it by @stage('mine')",
        ),
        (
            "import dataclasses\n"
            + LOOSE.format(cls="Mine", field="name = 'mine'; size: int = 3").replace(
                "class Mine", "@dataclasses.dataclass\nclass Mine"
            ),
            "mine",
            "<class 'mine.Mine'> has a name of its own; name it by @stage('mine')",
        ),
    ],
)
def test_classes_without_a_decorator(tmp_path: Path, code: str, value: str, said: str) -> None:
    install(tmp_path, "mine", code, value)
    with registry_of(tmp_path) as known:
        assert [str(one) for one in known.problems] == [
            f"plugin mine (mine 1.2) is disabled: {said}"
        ]


def test_a_derived_class_may_name_itself(tmp_path: Path) -> None:
    code = STAGE.format(name="mine") + "\nclass Other(Mine):\n    'Other.'\n    name = 'other'\n"
    install(tmp_path, "mine", code)
    with registry_of(tmp_path) as known:
        assert known.problems == []
        assert {"mine", "other"} <= known.stages["placement"].keys()


def test_a_class_without_a_docstring_shows_none(tmp_path: Path) -> None:
    install(tmp_path, "mine", STAGE.format(name="mine").replace('"Always in the corner."', ""))
    listing = depthmask(tmp_path, "plugins").stdout
    assert "  placement=mine  (mine 1.2)  \n" in listing


HOOK = "from depthmask import hookimpl\n@hookimpl\ndef depthmask_run_finished():\n    pass\n"


def test_a_module_with_other_hooks_keeps_its_stages(tmp_path: Path) -> None:
    install(tmp_path, "mine", STAGE.format(name="mine") + HOOK)
    with registry_of(tmp_path) as known:
        assert "mine" in known.stages["placement"]
        assert [one.plugin for one in known.hooks("depthmask_run_finished")] == ["mine:mine"]
    listed = "@hookimpl\ndef depthmask_stages():\n    return []\n"
    install(tmp_path, "none", STAGE.format(name="none") + HOOK + listed)
    with registry_of(tmp_path) as known:
        assert "none" not in known.stages["placement"]
