"""Command lines, split into overrides, options of Hydra, and the configs to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.config.command_line import CommandLine, options_and_overrides
from depthmask.config.compose import compose_root
from depthmask.errors import UsageError


def test_the_words_of_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dir").mkdir()
    for words in (
        ["a=1", "--config-dir", "dir", "-m", "--config-name", "mine", "b=2", "--cfg", "job"],
        ["-cd", "dir", "a=1", "-cn=mine", "-m", "--cfg", "job", "b=2"],
        ["--config-dir", "other", "--config-dir=dir", "-m", "--cfg", "job", "a=1", "b=2",
         "--config-name=x", "--config-name=mine"],
    ):  # fmt: skip
        line = CommandLine.parse(words)
        assert line.overrides == ("a=1", "b=2")
        assert line.options == ("-m", "--cfg", "job")
        assert (line.folder, line.config_name) == (tmp_path / "dir", "mine")
        assert line.hydra_words() == ["-m", "--cfg", "job", "a=1", "b=2"]


def test_a_value_may_begin_with_a_dash() -> None:
    assert options_and_overrides(["--package", "-x", "a=1"]) == (["--package", "-x"], ["a=1"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--config-dir", "nosuch"], "--config-dir nosuch: no such folder"),
        (["--config-dir", "a=1"], "--config-dir a=1: no such folder"),
        (["--config-dir=file"], "--config-dir file: this is a file; give the folder that holds"),
        (["--config-dir"], "--config-dir: give a value, as in --config-dir NAME"),
        (["--config-name"], "--config-name: give a value, as in --config-name NAME"),
        (["--config-dir="], "--config-dir: give a value"),
    ],
)
def test_folders_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(UsageError) as caught:
        CommandLine.parse(words)
    assert str(caught.value).startswith(line)


def test_compose_root_makes_no_sweep() -> None:
    with pytest.raises(UsageError, match=r"^-m: no such option here; available: --config"):
        compose_root(["-m", "seed=1,2"])
