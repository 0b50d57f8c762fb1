"""Completion of verbs, groups, stages and settings, and the scripts in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from depthmask.cli.complete.candidates import candidates
from depthmask.cli.main import main


def test_candidates() -> None:
    assert candidates("depthmask plu") == ["plugins"]
    assert candidates("depthmask plugins plu") == []
    assert candidates("depthmask placement=") == [
        "placement=",
        "placement=grid",
        "placement=ground",
        "placement=random",
    ]
    assert "writer=webdataset" in candidates("depthmask placement=grid wri")
    assert candidates("depthmask encode.image=") == [
        "encode.image=", "encode.image=jpeg", "encode.image=png"
    ]  # fmt: skip
    assert "placement.rows=" in candidates("depthmask placement=grid placement.")
    assert "placement.rows=" not in candidates("depthmask placement=random placement.")
    assert "samples=" in candidates("depthmask sa")


def test_bash_completes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    command = tmp_path / "depthmask"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m depthmask "$@"\n')
    command.chmod(0o755)
    line = "depthmask placement=r"
    done = subprocess.run(
        ["bash", "-c", script + f'COMP_LINE="{line}" COMP_POINT={len(line)}\n'
         "_depthmask\nprintf '%s\\n' \"${COMPREPLY[@]}\""],
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["random"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_parse(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "depthmask completion words" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", "-c", script], check=True)


def test_an_unknown_shell_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "completion needs the name of a shell: bash, zsh or fish" in capsys.readouterr().err
