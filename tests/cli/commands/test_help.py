"""`--help` and `plugins`: complete, and served without hydra or TensorFlow."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from depthmask.cli.main import main
from depthmask.cli.usage.commands import COMMANDS
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, place_of
from depthmask.config.root import BLOCKS, Root

HEAVY = ("hydra", "omegaconf", "tensorflow", "keras", "rich", "webdataset")


@pytest.mark.parametrize("words", [["--help"], ["plugins"]])
def test_lists_every_stage_with_its_settings(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 0
    text = capsys.readouterr().out
    for kind in KINDS:
        for name, registered in registry().stages[kind].items():
            choice = f"{kind}=[{name}]" if kind in LISTS else f"{kind}={name}"
            assert f"{choice}  ({registered.provider})  " in text
            for field in dataclasses.fields(registered.stage):  # type: ignore[arg-type]
                assert f"{place_of(kind, name)}.{field.name}=" in text
                assert field.metadata["help"] in text


def test_help_lists_commands_and_root_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n  {command} " in text
    for field in dataclasses.fields(Root):
        if field.name not in (*KINDS, *BLOCKS):
            assert f"\n  {field.name}=" in text
    assert " object at 0x" not in text
    assert "<class" not in text


@pytest.mark.parametrize("words", [["--help"], ["plugins"], ["--version"]])
def test_help_imports_no_heavy_library(words: list[str]) -> None:
    code = (
        "import sys; from depthmask.cli.main import main; "
        f"assert main({words!r}) == 0; "
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("depthmask 0.")


@pytest.mark.parametrize(
    ("topic", "lines"),
    [
        ("placement.heights", ["placement=ground", "  placement.heights=null"]),
        ("rows", ["placement=grid", "  placement.rows="]),
        ("split.val", ["split", "  split.val=0.0"]),
    ],
)
def test_a_setting_of_a_stage_is_a_topic(
    topic: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", topic]) == 0
    title, setting, *_ = capsys.readouterr().out.splitlines()
    assert title == lines[0]
    assert setting.startswith(lines[1])


def test_a_setting_of_several_stages_is_explained_for_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["help", "placement.min_visible"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"placement=random", "placement=grid", "placement=ground"} <= {*lines}


@pytest.mark.parametrize("command", ["annotate", "convert"])
def test_commands_over_photographs_do_not_claim_a_size(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("  size=")]
    assert line.startswith("  size=[H,W] ")
    assert "without it each keeps its own size" in line
