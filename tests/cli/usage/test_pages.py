"""`COMMAND --help`: about that command, in one look for all, with examples that are right."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.page import ANY
from depthmask.cli.usage.pages import PAGES
from depthmask.cli.usage.parser import parse
from depthmask.config.registry import KINDS
from depthmask.config.root import Root
from depthmask.errors import UsageError
from depthmask.stage import describe_settings


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_every_command_has_a_page() -> None:
    assert list(PAGES) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_a_command(capsys: pytest.CaptureFixture[str], command: str) -> None:
    text, page = said(capsys, command, "--help"), PAGES[command]
    assert text.startswith(f"usage: python -m depthmask {page.usage(command)}\n\n")
    assert len(text.splitlines()) < 40, "it is about this command alone"
    parts = text.split("\n\n")
    for name in [word.name for word in page.words] + [option.shown for option in page.options]:
        assert f"\n  {name}  " in text
    if page.settings and page.settings != (ANY,):
        assert all(f"\n  {name}" in text for name in page.settings)
    assert parts[-1].startswith("examples:\n")
    assert len(page.examples) == 2
    assert all(f"  python -m depthmask {example}" in parts[-1] for example in page.examples)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"run"}))
def test_examples_begin_with_the_command(command: str) -> None:
    for example in PAGES[command].examples:
        assert shlex.split(example)[0] == command


def test_settings_and_kinds_that_pages_name_exist() -> None:
    known = {setting.name for setting in describe_settings(Root)}
    for page in PAGES.values():
        assert known.issuperset({*page.settings} - {ANY})
    assert PAGES["new-plugin"].words[0].choices == KINDS


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "OUT", "--help"],
        ["verify", "-h"],
        ["verify", "OUT", "--repair", "-h"],
        ["--help", "verify"],
        ["-h", "verify", "OUT"],
        ["help", "verify"],
        ["help", "verify", "--help"],
    ],
)
def test_wherever_the_option_stands(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert said(capsys, *words) == said(capsys, "verify", "--help")


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["help"], ["samples=3", "--help"], ["-m", "--help"]]
)
def test_the_general_page(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert said(capsys, *words).startswith("depthmask makes labelled image datasets")


def test_other_topics(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "help", "placement")
    assert text.startswith("placement\n")
    assert "\n  placement=grid  (built-in)  " in text
    assert "\n  placement=ground  (built-in)  " in text
    assert "placement.rows=2" in said(capsys, "--help", "placement=grid")
    assert "placement.rows" not in said(capsys, "help", "placement=random")
    assert "labels=[coco]" in said(capsys, "help", "labels=[coco]")
    assert said(capsys, "help", "samples").startswith("samples=400  ")
    assert "encode.quality=95" in said(capsys, "help", "encode")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["verfy", "OUT"], "verfy: no such command; did you mean verify? Available: run, resume"),
        (["verfy", "--help"], "verfy: no such command; did you mean verify?"),
        (["reusme", "OUT"], "reusme: no such command; did you mean resume?"),
        (["help", "verfy"], "help verfy: no such topic; did you mean verify?"),
        (["help", "placement=gird"], "placement=gird: no such placement; did you mean placement="),
        (["/nosuch/OUT"], "/nosuch/OUT: no such command; available: run"),
        (["verify"], "verify needs OUT, folder of a dataset, or its address in an object store; "
         "usage: python -m depthmask verify OUT [--repair]"),
        (["verify", "a", "b"], "b is one word too many in `verify a b`; usage: "),
        (["verify", "samples=3"], "samples=3: verify takes no settings; usage: "),
        (["verify", "a", "--repare"], "--repare: verify has no such option; did you mean --repair? "
         "Usage: "),
        (["verify", "a", "--repair=1"], "--repair=1: --repair takes no value"),
        (["render", "a"], "render needs --index N, number of the sample; usage: "),
        (["render", "a", "--index"], "--index needs a value: --index N, number of the sample"),
        (["render", "a", "--index", "x"], "--index x: must be a whole number"),
        (["pictures", "a", "--near=x"], "--near x: must be a number"),
        (["stats"], "stats needs OUT"),
        (["report", "a", "--outo", "x"], "--outo: report has no such option; did you mean --into?"),
        (["new-plugin", "depth"], "new-plugin needs NAME, name of the stage"),
        (["completion"], "completion needs SHELL, bash, zsh or fish"),
    ],
)  # fmt: skip
def test_mistakes_get_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    assert main(words) == 2
    text = capsys.readouterr().err
    assert text.startswith(f"error: {line}")
    assert text.count("\n") == 1


def test_a_folder_of_a_dataset_is_no_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "plan.json").touch()
    assert main([str(tmp_path)]) == 2
    assert f"such as `python -m depthmask resume {tmp_path}`" in capsys.readouterr().err


def test_options_in_any_order() -> None:
    wanted = {"OUT": "a", "index": -3, "into": "b c", "source.root": None}
    assert parse("render", ["--into=b c", "a", "--index", "-3"]) == wanted
    assert parse("render", ["a", "--index=-3", "--into", "b c"]) == wanted
    with pytest.raises(UsageError, match=r"^-x: render has no such option; usage"):
        parse("render", ["-x"])


@pytest.mark.parametrize("words", [["verify", "--help"], ["help", "depth"], ["help", "annotate"]])
def test_no_heavy_library_is_imported(words: list[str]) -> None:
    code = (
        "import sys; from depthmask.cli.main import main; "
        f"assert main({words!r}) == 0; "
        "print([name for name in ('hydra', 'omegaconf', 'rich') if name in sys.modules], "
        "file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
