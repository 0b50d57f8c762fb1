"""Errors of the operating system end a command with one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tiny


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("full")
    return tiny.words(tiny.make_assets(folder / "assets"), folder / "out", "samples=2")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["run", "verify", "stats", "help"])
def test_stdout_that_takes_nothing(words: list[str], command: str, unbuffered: str) -> None:
    out = str(next(word for word in words if word.startswith("output="))).partition("=")[2]
    arguments = {"run": [*words, "progress=none"], "help": ["help"]}.get(command, [command, out])
    if command in ("verify", "stats") and not Path(out).exists():
        assert tiny.start(words).wait(60) == 0
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "depthmask", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    line = "error: stdout: No space left on device; what the command prints is incomplete\n"
    assert done.stderr == line
