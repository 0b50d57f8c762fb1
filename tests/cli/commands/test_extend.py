"""`extend OUT samples=N`: more samples from the folder alone, and the line that a run prints."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import depthmask
from depthmask.cli.main import main
from tests.cli.commands.test_resume import NAMES, make, said
from tests.support import tiny
from tests.support.paths import ROOT


def test_more_samples_keep_the_first(tmp_path: Path) -> None:
    out = make(tmp_path, "OUT", "placement=grid", "placement.rows=3")
    before = tiny.sha256s(out)
    assert main(["extend", str(out), "samples=7", "runner.workers=1"]) == 0
    assert before.items() <= tiny.sha256s(out).items()
    assert len(depthmask.open(out)) == 7
    whole = tmp_path / "whole"
    words = ["samples=7", "shard_size=2", "placement=grid", "placement.rows=3", "runner.workers=1"]
    assert main(tiny.words(tmp_path / "assets", whole, *words)) == 0
    assert tiny.sha256s(whole) == tiny.sha256s(out)


def test_the_same_number_is_a_resumed_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make(tmp_path)
    assert main(["extend", str(out), "samples=4"]) == 0
    assert "nothing is left to do" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_command_can_be_pasted_into_bash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    make(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    word = f"./{name}" if name.startswith("-") else name
    capsys.readouterr()
    assert main(["resume", word]) == 0
    lines = [line.partition("extend    ") for line in capsys.readouterr().err.splitlines()]
    (command,) = [after for _, mark, after in lines if mark]
    # In bash the words are as `shlex` reads them; the last test of the page runs it there.
    assert main(shlex.split(command)[3:]) == 0
    assert len(depthmask.open(tmp_path / name)) == 8
    python = command.replace("python", shlex.quote(sys.executable), 1)
    show = ["bash", "-c", f"echo() {{ printf '%s\\n' \"$@\"; }}; echo {python}"]
    done = subprocess.run(show, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == shlex.split(python)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "extend needs samples=N, a whole number, as in `python -m depthmask extend OUT "
         "samples=8`"),
        (["500"], "OUT 500: extend needs one folder, and the number of samples is writ"),
        (["--samples", "500"], "OUT 500: extend needs one folder, and the number of samples is w"),
        (["samples=null"], "extend needs samples=N"),
        (["samples=x"], "samples=x: must be a whole number"),
        (["samples=0"], "samples=0: must be at least 1"),
        (["samples=3"], "samples=3: OUT is planned with 4 samples, and `extend` adds some; ds[:3] "
         "reads the first 3"),
        (["samples=9", "runner.wrkers=1"], "runner.wrkers=1: no such setting; did you mean runn"),
        (["samples=9", "seed=1"], "extend changes nothing but samples, runner.* and progress; "),
    ],
)  # fmt: skip
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    line: str,
) -> None:
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["extend", "OUT", *words]) == 2
    assert said(capsys).startswith(f"error: {line}")


def test_a_converted_dataset_is_as_long_as_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, converted = make(tmp_path), tmp_path / "npz"
    assert main(["convert", str(out), "writer=npz", f"output={converted}"]) == 0
    capsys.readouterr()
    assert main(["extend", str(converted), "samples=9"]) == 2
    assert f"was made by `convert` and has the samples of {out}; extend that, then" in said(capsys)
    assert main(["extend", str(out), "samples=9", "runner.workers=1"]) == 0
    capsys.readouterr()
    assert main(["resume", str(converted)]) == 2
    line = capsys.readouterr().err.partition("\n")[0]
    repeat = f"python -m depthmask repeat {converted} output=OUT2"
    assert f"`{repeat}` makes a dataset with the settings of this" in line
    assert "resume" not in line
