"""Options of Hydra: each shows what it promises, or gets one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from depthmask.cli.main import main
from tests.support import tiny
from tests.support.paths import ROOT


def test_the_config_makes_the_same_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.make_assets(tmp_path / "assets")
    words = tiny.words(tmp_path / "assets", tmp_path / "one", "samples=3", "labels=[coco]")
    assert main([*words, "runner.workers=1"]) == 0
    capsys.readouterr()
    assert main([*words, "runner.workers=1", "--cfg", "job"]) == 0
    (tmp_path / "mine.yaml").write_text(capsys.readouterr().out)
    other = ["--config-dir", str(tmp_path), "--config-name", "mine", f"output={tmp_path}/other"]
    assert main(other) == 0
    assert tiny.sha256s(tmp_path / "other") == tiny.sha256s(tmp_path / "one")


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["--cfg", "job"], "geometry"),
        (["-c", "job", "--resolve"], "geometry"),
        (["--cfg=job", "placement=grid"], "placement"),
        (["--cfg", "job", "-p", "placement"], "attempts"),
        (["--cfg", "job", "--package=encode"], "quality"),
        (["--cfg", "hydra"], "hydra"),
        (["--cfg", "hydra", "-p", "hydra.launcher"], "_target_"),
        (["--cfg", "all"], "hydra"),
    ],
)
def test_it_is_yaml(capsys: pytest.CaptureFixture[str], words: list[str], key: str) -> None:
    assert main(words) == 0
    content = yaml.safe_load(capsys.readouterr().out)
    choices = [name for one in content.get("defaults", []) for name in one if isinstance(one, dict)]
    assert key in [*content, *(name.removeprefix("override /") for name in choices)]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--info"], "Config search path"),
        (["--info", "samples=3"], "Config search path"),
        (["-i", "searchpath"], "depthmask://"),
        (["--info=plugins"], "Installed Hydra Plugins"),
        (["--info", "defaults", "placement=grid"], "placement/grid"),
    ],
)
def test_what_hydra_shows(words: list[str], text: str) -> None:
    """In a process of its own: Hydra configures logging to a stream that this test would close."""
    command = [sys.executable, "-m", "depthmask", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert text in done.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--shell-completion"], 'eval "$(python -m depthmask completion bash)"'),
        (["-sc", "install=bash"], 'eval "$(python -m depthmask completion bash)"'),
        (["--hydra-help", "samples=3"], "`python -m depthmask run --help` has the options"),
        (["--experimental-rerun", "x"], "`python -m depthmask repeat OUT output=OUT2`"),
        (["--config-path", "x"], "--config-dir FOLDER"),
        (["-cp=x"], "--config-dir FOLDER"),
        (["--resolve"], "--resolve belongs to --cfg"),
        (["--package", "placement"], "--package belongs to --cfg, as in `--cfg job --package pl"),
        (["--cfg"], "--cfg: give a value"),
        (["--cfg", "nosuch"], "--cfg nosuch: must be "),
        (["--cfg", "job", "-m", "seed=1,2"], "--cfg prints one config; leave out -m"),
        (["--cfg", "job", "-p", "encod"], "--package encod: no such group; did you mean encode?"),
        (["--cfg", "hydra", "-p", "hydra.x"], "--package hydra.x: no such group"),
        (["--cfg", "job", "placement=gird"], "placement=gird: no such placement; did you mean"),
        (["--cfg", "hydra", "placement=gird"], "placement=gird: no such placement; did you mean"),
    ],
)
def test_what_gets_a_line(capfd: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
    assert main(words) == 2
    text = capfd.readouterr().err
    assert line in text
    assert text.startswith("error: ")
    assert text.count("\n") == 1


def test_run_is_what_happens_anyway(tmp_path: Path) -> None:
    words = ["source.rooms=1", "source.furniture=1", "samples=1", f"output={tmp_path / 'out'}"]
    assert main(["--run", *words, "runner.workers=1"]) == 0
    assert (tmp_path / "out" / "dataset.json").exists()
