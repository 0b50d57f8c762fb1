"""The command of a dataset has the dataset's own plan."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from depthmask.config.build import to_plain
from depthmask.config.command_from_plan import command_from_plan, overrides_of, program_of
from depthmask.config.compose import compose_root
from depthmask.storage.identity import NOT_IN_PLAN
from depthmask.storage.packages import FILE_HASH


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["+preset=pairs", "placement=original", "encode.quality=50", "samples=400000"],
        ["source=assets", "source.root='/a/b c/it\\'s, [x]=1'", "source.foreground_scale=null"],
        ["source=assets", "source.root='C:\\\\'"],
        ["source=assets", "source.root='null'"],
        ["objects=[1,3]", "size=[240,320]", "split.train=0.5", "split.val=0.5", "flips=false"],
        ["placement=ground", "placement.heights={person:[1.5,1.9],office\\ chair:1}"],
        ["writer=npz", "writer.images=raw", "encode.image=png", "encode.labels=coco", "depth=none"],
    ],
)
def test_the_command_has_the_same_plan(overrides: list[str]) -> None:
    wanted = to_plain(compose_root(overrides))
    config = {name: value for name, value in wanted.items() if name not in NOT_IN_PLAN}
    again = to_plain(compose_root(overrides_of(config)))
    assert again == wanted
    # Through a shell, too.
    assert shlex.split(command_from_plan({"job": "generate", "config": config}) or "") == [
        "python",
        "-m",
        "depthmask",
        *overrides_of(config),
    ]


def test_defaults_are_left_out() -> None:
    config = to_plain(compose_root(["seed=3"]))
    given = [word for word in overrides_of(config) if not word.startswith("runner")]
    assert given == [
        "source=rooms", "geometry=auto", "placement=random", "blend=alpha", "depth=layered",
        "writer=webdataset", "seed=3",
    ]  # fmt: skip


def test_single_quotes_stay_readable_in_a_shell() -> None:
    config = to_plain(compose_root(["source=assets", "source.root='null'"]))
    command = command_from_plan({"job": "generate", "config": config}) or ""
    assert """ "source.root='null'" """ in command


def test_the_script_that_has_a_stage_runs_the_command() -> None:
    assert program_of({"versions": {"depthmask": "1"}}) == ("python", "-m", "depthmask")
    versions = {"depthmask": "1", "-my stage.py": f"{FILE_HASH}0"}
    assert program_of({"versions": versions}) == ("python", "./-my stage.py")


@pytest.mark.parametrize("name", ["a'b $HOME", "it's `id`", "'\"x", "'\\\\'", "'!'"])
def test_special_characters_reach_the_program_as_they_are(name: str) -> None:
    config = to_plain(compose_root(["source=assets", "source.root=x"]))
    config["source"]["root"] = name
    command = command_from_plan({"job": "generate", "config": config}) or ""
    words = subprocess.check_output(["bash", "-c", f"printf '%s\\n' {command}"], text=True)
    assert words.splitlines()[3:] == overrides_of(config)
