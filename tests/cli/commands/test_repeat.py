"""`repeat OUT output=OUT2`: a dataset by the plan of another, with some changes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from depthmask.cli.main import main
from depthmask.config.command_from_plan import command_from_plan
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed
from tests.cli.commands.test_resume import make, said
from tests.support import tiny

GRID = ("placement=grid", "placement.rows=3", "labels=[coco,instances]")


def config(out: Path) -> Any:
    return require_sealed(location(out) / "plan.json")["config"]


def repeat(out: Path, *words: str) -> Path:
    new = out.with_name("new")
    assert main(["repeat", str(out), f"output={new}", "runner.workers=1", *words]) == 0
    return new


def test_the_same_samples(tmp_path: Path) -> None:
    out = make(tmp_path, "OUT", *GRID)
    new = repeat(out)
    assert tiny.sha256s(new) == tiny.sha256s(out)
    assert config(new) == config(out)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["samples=3"], {"samples": 3}),
        (["placement.rows=2"], {"placement": {"rows": 2}}),
        # Another stage has its own defaults, and settings of the earlier one are no mistake.
        (["placement=random"], {"placement": {"stage": "random"}}),
        (["placement=grid"], {"placement": {"stage": "grid", "rows": 2}}),
        (["labels=[coco]"], {"labels": {"coco": {"stage": "coco"}}}),
        (["writer=zip", "encode.quality=50"], {"writer": {"stage": "zip"}}),
        (["+preset=pairs"], {"depth": {"stage": "none"}, "shard_size": 2, "samples": 4}),
    ],
)
def test_changes(tmp_path: Path, words: list[str], changed: dict[str, Any]) -> None:
    out = make(tmp_path, "OUT", *GRID)
    new = config(repeat(out, *words))
    for name, value in changed.items():
        if isinstance(value, dict) and name != "labels":
            assert new[name].items() >= value.items()
        else:
            assert new[name] == value
    if words[0] == "labels=[coco]":
        assert list(new["labels"]) == ["coco"]
    assert new["source"] == config(out)["source"]
    if "placement" not in words[0]:
        assert new["placement"] == config(out)["placement"]


def test_a_preset_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    out = make(tmp_path, "OUT", *GRID)
    (tmp_path / "own" / "placement").mkdir(parents=True)
    text = "defaults: [/schema/placement/grid@_here_, _self_]\ncolumns: 4\n"
    (tmp_path / "own" / "placement" / "wide.yaml").write_text(text)
    new = config(repeat(out, "--config-dir", str(tmp_path / "own"), "placement=wide"))
    assert (new["placement"]["rows"], new["placement"]["columns"]) == (2, 4)


def test_jobs_over_existing_samples(tmp_path: Path) -> None:
    out = make(tmp_path)
    converted = tmp_path / "converted"
    words = ["writer=zip", "encode.quality=50", "shard_size=3", "runner.workers=1"]
    assert main(["convert", str(out), *words, f"output={converted}"]) == 0
    new = repeat(converted)
    assert tiny.sha256s(new) == tiny.sha256s(converted)
    other = tmp_path / "other"
    assert main(["repeat", str(converted), f"output={other}", "writer=npz"]) == 0
    assert (config(other)["writer"]["stage"], config(other)["encode"]["quality"]) == ("npz", 50)


def test_annotated_ones(tmp_path: Path) -> None:
    out, deep = make(tmp_path), tmp_path / "deep"
    words = ["depth=fastdepth", "depth.batch=2", "encode.depth=npz", "runner.workers=1"]
    assert main(["annotate", str(out), *words, f"output={deep}"]) == 0
    assert tiny.sha256s(repeat(deep)) == tiny.sha256s(deep)


def test_annotated_photographs_of_another_size(tmp_path: Path) -> None:
    tiny.make_assets(tmp_path / "assets")
    (tmp_path / "assets" / "bg" / "broken.jpg").write_bytes(b"no picture")
    deep = tmp_path / "deep"
    words = ["--skip-damaged", "depth=fastdepth", "size=[48,64]", "runner.workers=1"]
    assert main(["annotate", f"{tmp_path}/assets/bg", *words, f"output={deep}"]) == 0
    assert tiny.sha256s(repeat(deep)) == tiny.sha256s(deep)
    command = str(command_from_plan(require_sealed(location(deep) / "plan.json")))
    assert main([*shlex.split(command)[3:], f"output={tmp_path}/other", "runner.workers=1"]) == 0
    assert tiny.sha256s(tmp_path / "other") == tiny.sha256s(deep)
    (deep / "dataset.json").unlink()
    assert main(["resume", str(deep)]) == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            [],
            "repeat needs output=FOLDER for the new dataset, as in `python -m depthmask repeat OU",
        ),
        (["output=OUT"], "output=OUT: is the dataset to repeat; choose another folder, as in"),
        (
            ["my copy"],
            "OUT my copy: repeat needs one folder, and the other is written \"output='my",
        ),
        (["output=./OUT/"], "output=./OUT/: is the dataset to repeat"),
        (["output=link"], "output=link: is the dataset to repeat"),
        (["output=new", "placement=gird"], "placement=gird: no such placement; did you mean "),
        (["output=new", "placement.rows=2"], "placement.rows=2: belongs to placement=grid"),
        (["output=new", "--config-name", "mine"], "repeat starts from the plan of the dataset"),
        (["output=new", "-m", "seed=1,2"], "repeat does not accept -m"),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    line: str,
) -> None:
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("OUT")
    capsys.readouterr()
    assert main(["repeat", "OUT", *words]) == 2
    assert said(capsys).startswith(f"error: {line}")
    assert not Path("new").exists()


def test_a_setting_that_the_job_has_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, converted = make(tmp_path), tmp_path / "npz"
    assert main(["convert", str(out), "writer=npz", f"output={converted}"]) == 0
    capsys.readouterr()
    assert main(["repeat", str(converted), f"output={tmp_path / 'new'}", "seed=1"]) == 2
    assert "repeat of a dataset by convert does not accept seed; accepted: output" in said(capsys)


def test_the_card_and_the_log_have_the_command(tmp_path: Path) -> None:
    out = make(tmp_path, "OUT", *GRID)
    log = (out / "run.log").read_text()
    (command,) = [
        line.partition("command: ")[2] for line in log.splitlines() if "command: " in line
    ]
    card = (out / "README.md").read_text()
    assert command.startswith("python -m depthmask source=assets source.root=/")
    assert command.endswith(f"output={tmp_path / 'made'}")
    assert "python -m depthmask source=assets source.root=assets geometry=source" in card
    assert "'labels=[coco,instances]'" in card
    assert "python -m depthmask repeat FOLDER output=OUT2" in card
