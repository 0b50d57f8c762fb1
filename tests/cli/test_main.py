"""What an interruption of a command says: that the same command resumes, or nothing of it."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from depthmask.cli.main import Terminated, main
from depthmask.cli.usage.commands import COMMANDS, RESUMED

RESUME = "interrupted; run the same command again to resume"


def interrupted(
    words: Sequence[str], error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> int:
    is_run = not words or words[0] not in COMMANDS
    name = "run" if is_run else words[0].replace("-", "_")

    def stop(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(importlib.import_module(f"depthmask.cli.commands.{name}"), "main", stop)
    return main(words)


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
@pytest.mark.parametrize(
    "words",
    [
        [], ["run"], ["samples=3"], ["-m", "seed=1,2"], ["+preset=pairs"], ["annotate", "OUT"],
        ["convert", "OUT"], ["verify", "OUT", "--repair"],
    ],
)  # fmt: skip
def test_commands_that_resume(
    words: list[str],
    error: type[BaseException],
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
    assert interrupted([name, "OUT"], KeyboardInterrupt, monkeypatch) == 130
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
