"""Commands that a run prints do in bash what they say, whatever the folder is called."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.storage.location import location
from depthmask.storage.shell import command, path_word, setting
from tests.storage.test_shell import pasted
from tests.support import tiny

SMALL = ("samples=2", "source.rooms=1", "source.furniture=2", "size=[16,16]", "depth=none",
         "geometry=none", "runner.workers=1")  # fmt: skip
ALL_AT_ONCE = "a,b (1)=ü's \"$HOME` !\\\t~"


def extend_line(err: str) -> str:
    return re.findall(r"^extend +(.*)$", err, re.MULTILINE)[0]


@pytest.mark.parametrize(
    "name",
    [
        "a(1)",
        "ü中",
        "a=b",
        "2024_01_15",
        "-x",
        "~x",
        "s3:x",
        "\u00a0",
        "extend",
        "a\\",
        ALL_AT_ONCE,
    ],
)
def test_the_line_of_a_run_extends_its_dataset(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, setting("output", path_word(name))]) == 0
    (words,) = pasted([extend_line(capsys.readouterr().err)])
    assert words[:3] == ["python", "-m", "depthmask"]
    assert main([*words[3:], "runner.workers=1"]) == 0
    assert os.listdir(tmp_path) == [name]
    assert len(depthmask.open(tmp_path / name)) == 4


def test_a_run_by_a_config_of_the_user_is_extended_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my configs" / "preset" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# @package _global_\nseed: 7\n")
    out = tmp_path / "OUT"
    words = ["--config-dir", str(file.parent.parent), "+preset=mine", f"output={out}"]
    assert main([*SMALL, *words]) == 0
    file.unlink()
    (words,) = pasted([extend_line(capsys.readouterr().err)])
    assert main([*words[3:], "runner.workers=1"]) == 0
    ds = depthmask.open(out)
    assert len(ds) == 4
    assert '"seed":7' in (out / "plan.json").read_text()


def test_bash_runs_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, setting("output", str(tmp_path / ALL_AT_ONCE))]) == 0
    line = extend_line(capsys.readouterr().err)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["bash", "-c", line], env={**os.environ, "PATH": path}, check=True)
    assert len(depthmask.open(tmp_path / ALL_AT_ONCE)) == 4


def test_a_sweep_into_a_folder_like_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", *SMALL, "output=2024_01_15", "seed=0,1"]) == 0
    assert capsys.readouterr().out == "2024_01_15\n"
    assert os.listdir(tmp_path) == ["2024_01_15"]
    page = (tmp_path / "2024_01_15" / "sweep.html").read_text()
    assert command("-m", *SMALL, "output=2024_01_15", "seed=0,1") in page.replace("&#39;", "'")
    # A value of each job, too.
    assert main(["-m", *SMALL, "output=1e3,007", "--dry-run"]) == 0
    made = re.findall(r", into (\S+)/rooms-", capsys.readouterr().err)
    assert made == ["1e3", "007"]


def test_a_tilde_is_the_home_folder_in_every_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    tiny.make_assets(tmp_path / "assets")
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    monkeypatch.chdir(cwd)
    words = ["source=assets", "source.root=~/assets", "depth=none", "samples=1", "size=[16,16]"]
    assert main([*words, "output=~/OUT", "runner.workers=1"]) == 0
    assert len(depthmask.open("~/OUT")) == 1
    assert main(["verify", "~/OUT"]) == 0
    assert not os.listdir(cwd)


@pytest.mark.parametrize("words", [[], ["-m"]])
def test_what_only_an_accident_makes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, *SMALL, "output="]) == 2
    assert main([*words, *SMALL, "output=s3:/bucket/x"]) == 2
    err = capsys.readouterr().err
    assert "error: output=: the value is empty, as with a variable that is not set" in err
    assert "error: s3:/bucket/x: a URL is written s3://bucket/x" in err


@pytest.mark.parametrize("mode", [[], ["-m", "seed=0,1"]])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("${oc.env:NOT_SET_HERE}", "the environment variable NOT_SET_HERE is not set"),
        ("${nosuch}", "${nosuch}: no such setting"),
        ("${nosuch:1}", "${nosuch:...}: no such resolver"),
        ("${output}", "refers to itself"),
    ],
)
def test_interpolations_that_lead_nowhere(
    mode: list[str], value: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*mode, *SMALL, f"output={value}"]) == 2
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "error: " in one]
    assert line.startswith("error: output")
    assert reason in line


def test_jobs_stay_in_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-m", *SMALL, "output=OUT", "seed=0,1", "hydra.job.chdir=true"]) == 2
    line = "error: hydra.job.chdir: depthmask does not use this setting of Hydra; remove it\n"
    assert capsys.readouterr().err == line


def test_a_config_that_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The words that a message gives choose the file, whatever it is called."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a (1)" / "preset" / "2024 ü.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# @package _global_\nseed: 7\n")
    assert main([str(file.relative_to(tmp_path))]) == 2
    (words,) = pasted([capsys.readouterr().err.rstrip().rpartition("; write ")[2]])
    assert main([*words, "--cfg", "job"]) == 0
    assert "seed: 7" in capsys.readouterr().out
    assert location(path_word("~x")) == location(tmp_path / "~x")
