"""What an interruption of a command says: that the same command resumes, or nothing of it."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from depthmask.cli.main import Terminated, main
from depthmask.cli.usage.commands import COMMANDS, RESUMED

RESUME = "interrupted; run the same command again to resume"


def interrupted(words: Sequence[str], error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    is_run = not words or words[0] not in COMMANDS
    name = "run" if is_run else words[0].replace("-", "_")

    def stop(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(importlib.import_module(f"depthmask.cli.commands.{name}"), "main", stop)
    return main(words)


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (Terminated(), 143), (Terminated(signal.SIGHUP), 129)],
)
@pytest.mark.parametrize(
    "words",
    [
        [], ["run"], ["samples=3"], ["-m", "seed=1,2"], ["+preset=pairs"], ["annotate", "OUT"],
        ["convert", "OUT"], ["verify", "OUT", "--repair"],
    ],
)  # fmt: skip
def test_commands_that_resume(
    words: list[str],
    error: BaseException,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert interrupted(words, error, monkeypatch) == code
    assert capsys.readouterr().err == f"{RESUME}\n"


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {*RESUMED}))
def test_commands_that_do_not_resume(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert interrupted([name, "OUT"], KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    ("words", "line"), [(["tune"], "interrupted\n"), (["samples=3"], f"{RESUME}\n")]
)
def test_an_interruption_before_any_work(words: list[str], line: str) -> None:
    """The process is still importing modules when the signal comes."""
    code = (
        "import os, signal, sys\nfrom depthmask.cli import main\n"
        "main._dispatch = lambda words: os.kill(os.getpid(), signal.SIGINT)\n"
        f"main.main({words!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == line


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["output="], "output=: the value is empty, as with a variable that is not set"),
        (["source=assets", "source.root="], "source.root=: the value is empty"),
        (["-m", "seed=1,2", "output="], "output=: the value is empty"),
        (["verify", ""], "a word of the command line is empty: a variable in quotes is not set"),
        (["render", "OUT", "--into", "", "--index", "1"], "a word of the command line is empty"),
        (["samples=5", " "], "or a space follows the backslash at the end of a line"),
        (["samples=5\r"], "samples=5\\r: ends with a carriage return, since the script has the "),
        (["verify", "OUT\r"], r"remove them with sed -i 's/\r$//' SCRIPT"),
        (["samples=5", "\r"], "ends with a carriage return"),
    ],
)
def test_accidents_of_scripts(
    words: list[str],
    text: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    line = capsys.readouterr().err
    assert text in line
    assert line.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {"help"}))
def test_errors_of_the_system(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = PermissionError(errno.EACCES, "Permission denied", "OUT/plan.json")
    assert interrupted([name, "OUT"], failure, monkeypatch) == 1
    assert capsys.readouterr().err == (
        "error: OUT/plan.json: Permission denied; its owner must give this user the right to it\n"
    )
