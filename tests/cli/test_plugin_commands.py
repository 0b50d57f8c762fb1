"""Commands of plugins: listed, completed and run as built-in ones, with errors of one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depthmask import Command, DepthmaskError, UsageError
from depthmask.cli.complete.candidates import candidates
from depthmask.cli.main import main
from tests.support.plugins import install_module, loaded, run_with_plugins


class Recorder:
    """Stands for the function of a command."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.result: Any = None

    def __call__(self, words: list[str]) -> int | None:
        self.words.append(words)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    command = Command("upload-all", "Upload a dataset.", recorder)
    with loaded("mine", depthmask_commands=lambda: [command]):
        yield recorder


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (7, 7), (True, 1)])
def test_words_and_exit_code(recorder: Recorder, result: Any, code: int) -> None:
    recorder.result = result
    assert main(["upload-all", "OUT", "-v", "a=b"]) == code
    assert recorder.words == [["OUT", "-v", "a=b"]]


def test_options_of_depthmask_after_the_name_belong_to_the_command(
    recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--help", "-h", "--version"):
        assert main(["upload-all", option]) == 0
    assert recorder.words == [["--help"], ["-h"], ["--version"]]
    # So does the option before the name: the page of a command is its own.
    for words in (["--help", "upload-all"], ["help", "upload-all"]):
        assert main(words) == 0
        assert recorder.words.pop() == ["--help"]
    assert capsys.readouterr().out == ""


def test_help_and_completion(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "\n  upload-all  Upload a dataset. (mine 1.2)\n" in capsys.readouterr().out
    assert candidates("depthmask upl") == ["upload-all"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("give OUT"), 2, "error: give OUT\n"),
        (DepthmaskError("no network"), 1, "error: no network\n"),
        (
            KeyError("token"),
            1,
            "error: command upload-all of mine 1.2: KeyError: 'token' (in __call__, "
            "test_plugin_commands.py:",
        ),
    ],
)
def test_errors(
    recorder: Recorder, capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str
) -> None:
    recorder.result = error
    assert main(["upload-all"]) == code
    text = capsys.readouterr().err
    assert text.startswith(said)
    assert text.count("\n") == 1


def test_a_result_that_is_no_exit_code(
    recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.result = "done"
    assert main(["upload-all"]) == 1
    assert "command upload-all of mine 1.2 returned 'done'" in capsys.readouterr().err


def test_ctrl_c_and_exits(recorder: Recorder) -> None:
    recorder.result = KeyboardInterrupt()
    assert main(["upload-all"]) == 130
    recorder.result = SystemExit(3)
    with pytest.raises(SystemExit):
        main(["upload-all"])


def test_passwords_are_refused(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upload-all", "s3://me:secret@bucket/x"]) == 2
    assert "secret" not in capsys.readouterr().err
    assert recorder.words == []


def test_an_unknown_command_names_all_and_the_plugins_that_are_left_out(tmp_path: Path) -> None:
    install_module(
        tmp_path, "good", "import depthmask\n@depthmask.hookimpl\ndef depthmask_commands():\n"
        "    return [depthmask.Command('greet', 'Greet.', print)]\n",
    )  # fmt: skip
    install_module(tmp_path, "bad", "raise RuntimeError('boom')")
    done = run_with_plugins(tmp_path, "depthmask", "gret")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: gret: no such command; did you mean greet? Available: run"
    )
    assert "completion, help, greet; settings are written NAME=VALUE" in done.stderr
    assert "plugin bad (bad 1.2) is disabled: RuntimeError: boom" in done.stderr
    assert done.stderr.count("\n") == 1
    assert run_with_plugins(tmp_path, "depthmask", "greet", "you").stdout == "['you']\n"
    assert run_with_plugins(tmp_path, "depthmask", "greet", DEPTHMASK_BLOCK="good").returncode == 2


def test_built_in_commands_load_no_plugin(tmp_path: Path) -> None:
    """A slow plugin does not delay `verify`, which needs none."""
    install_module(tmp_path, "noisy", "import sys\nprint('loaded', file=sys.stderr)\n")
    done = run_with_plugins(tmp_path, "depthmask", "verify", "nothing")
    assert "nothing: no dataset here (there is no such folder)" in done.stderr
    assert "loaded" not in done.stderr


def test_no_heavy_library_is_imported_for_a_command(tmp_path: Path) -> None:
    code = (
        "import sys, depthmask\n"
        "def show(words):\n    print([name for name in words if name in sys.modules])\n"
        "@depthmask.hookimpl\ndef depthmask_commands():\n"
        "    return [depthmask.Command('show', 'Show.', show)]\n"
    )
    install_module(tmp_path, "light", code)
    done = run_with_plugins(tmp_path, "depthmask", "show", "hydra", "tensorflow", "rich", "sys")
    assert done.stdout == "['sys']\n", done.stderr
