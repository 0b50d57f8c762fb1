"""Each command that is printed works when it is pasted into bash."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator, Sequence

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from depthmask.storage.local import LocalPath
from depthmask.storage.location import location
from depthmask.storage.shell import command, path_word, setting, text_value, word
from tests.support.awkward import NAMES
from tests.support.paths import ROOT

PLACES = {
    # After a run, and where a dataset is unfinished.
    "cli/make.py: _extend",
    "reading/dataset.py: open_summary",
    "storage/verify.py: inspected",
    # Examples of commands that lack a word, and other ways on.
    "cli/commands/extend.py: main",
    "cli/commands/extend.py: _require_generated",
    "cli/commands/resume.py: refuse_others",
    "cli/commands/repeat.py: _require_new_output",
    "cli/dispatch.py: _no_such_command",
    "cli/plan_command.py: _not_a_dataset",
    "cli/plan_command.py: _ways_of_sweep",
    "reading/dataset.py: _why_none",
    "storage/identity.py: _ways_on",
    "cli/commands/new_plugin.py: main",
    # Damage.
    "cli/commands/verify.py: main",
    "engine/finish.py: _write_cards",
    "engine/inputs/dataset.py: __init__",
    "engine/inputs/dataset.py: check_shard",
    "engine/restore.py: refusal",
    "engine/run.py: _say_beginning",
    "engine/self_test.py: _refusal",
    "storage/path.py: not_as_published",
    "storage/records.py: require",
    # The log, the card, the report and the page of a sweep.
    "config/command_from_plan.py: command_from_plan",
    "cli/sweep/main.py: _show",
}
"""Every function that prints a command with words of the user in it."""
WRITERS = {"path_word", "setting", "command"}
"""What a word of a command comes from, beside texts of our own."""
OTHERS = {
    # Words that the user has typed, and overrides whose values `text_of` has quoted.
    *("config/command_from_plan.py: command_from_plan", "cli/sweep/main.py: _show"),
    *("cli/plan_command.py: _ways_of_sweep", "cli/make.py: _extend"),
    "cli/commands/new_plugin.py: main",
}
"""The functions whose commands have words that they name in variables."""
EXAMPLES = re.compile(
    r"(python -m depthmask|`(resume|extend|repeat|verify|annotate|convert|stats|report)) [^`;]*\0"
)
"""A command in a text; a null byte stands for a value in it."""
FIXED = {
    "cli/usage/parser.py": {"usage: python -m depthmask \0"},
    "cli/usage/text.py": {
        "usage: python -m depthmask \0", "  python -m depthmask \0",
        "\0; see `python -m depthmask help \0`",
    },
    "cli/dataset_command.py": {
        "\0 needs a dataset first\0, or a folder of photographs, as in `python -m depthmask \0`"
    },
    "cli/plan_command.py": {"as in `python -m depthmask \0 OUT`"},
    "config/dump.py": {"# python -m depthmask --config-dir FOLDER --config-name NAME \0"},
}  # fmt: skip
"""The texts with a command whose values are names of our own commands and examples."""


def pasted(commands: Sequence[str]) -> list[list[str]]:
    """The words that bash makes of each command."""
    lines = [f"show {one}" for one in commands]
    script = "\n".join(["show() { printf '%s\\0' \"$@\"; printf '\\0'; }", *lines])
    out = subprocess.run(["bash"], input=os.fsencode(script), capture_output=True, check=True)
    assert not out.stderr
    return [os.fsdecode(one).split("\0") for one in out.stdout.split(b"\0\0")[:-1]]


def test_bash_reads_every_word_as_it_is() -> None:
    commands = [command("extend", name, setting("output", name)) for name in NAMES]
    head = ["python", "-m", "depthmask", "extend"]
    expected = [[*head, name, setting("output", name)] for name in NAMES]
    assert pasted(commands) == expected
    assert not any("\n" in one or "\t" in one or "\x1b" in one for one in commands)


@pytest.mark.parametrize(
    "text", [*NAMES, "", "plain/a b", "\\${x}", "\\\\${x}'\\", '"${{', "a, b=[1]", "./a", "../a"]
)
def test_hydra_reads_every_text_as_it_is(text: str) -> None:
    value = OverridesParser.create().parse_override(setting("output", text)).value()
    read = getattr(value, "text", value)
    assert OmegaConf.create({"output": read}).output == text


@pytest.mark.parametrize("name", NAMES)
def test_our_commands_read_every_path_as_it_is(name: str) -> None:
    path = LocalPath(name)
    assert os.path.abspath(str(location(path_word(path)))) == os.path.abspath(name)
    assert path_word(path)[:1] not in ("-", "+", "~")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out/a-1", "out/a-1"), ("s3://b/a", "s3://b/a"), ("size=[8,8]", "'size=[8,8]'"),
        ("output='a b'", "\"output='a b'\""), ("a\tb", r"$'a\x09b'"), ("", "''"),
    ],
)  # fmt: skip
def test_words_are_as_plain_as_they_can_be(text: str, expected: str) -> None:
    assert word(text) == expected


def test_texts_without_quotes() -> None:
    plain = ["out", "./out", "../a.b/c-1", "/a:b", "s3://bucket/a"]
    assert [text_value(text) for text in plain] == plain


def test_every_place_is_known() -> None:
    """Each text with a command is written by `command`, of words that are quoted for Hydra."""
    calls = list(_calls())
    assert {place for place, _ in calls} == PLACES
    for place, call in calls:
        for one in call.args:
            assert place in OTHERS or _is_quoted(one), f"{place}: {ast.unparse(one)}"


def test_no_command_is_written_by_hand() -> None:
    for path, tree in _modules():
        texts = {text for text in _texts(tree) if "\0" in text and EXAMPLES.search(text)}
        assert texts == FIXED.get(path, set()), path


def test_pip_gets_constants_alone() -> None:
    texts = {
        (path, text) for path, tree in _modules() for text in _texts(tree)
        if re.search(r"pip install [^`;]*\0", text)
    }  # fmt: skip
    assert {path for path, _ in texts} == {
        "adapters/_library.py", "networks/runtime.py", "config/not_installed.py",
        "storage/packages.py", "storage/object_store.py", "cli/commands/new_plugin.py",
    }  # fmt: skip


def _modules() -> Iterator[tuple[str, ast.Module]]:
    package = ROOT / "depthmask"
    for path in sorted(package.rglob("*.py")):
        if path.name != "shell.py":
            yield str(path.relative_to(package)), ast.parse(path.read_text())


def _calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of `command`, and the function that has it."""
    for path, tree in _modules():
        if "depthmask.storage" not in ast.unparse(tree) or "shell" not in ast.unparse(tree):
            continue
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                        "command", "shell.command",
                    ):  # fmt: skip
                        yield f"{path}: {function.name}", node


def _is_quoted(argument: ast.expr) -> bool:
    """Whether a word of a command is our own, or comes from `path_word` or `setting`."""
    if isinstance(argument, ast.Constant):
        return True
    if isinstance(argument, ast.JoinedStr):  # A number.
        return str(ast.unparse(argument)).startswith("f'samples=")
    if isinstance(argument, ast.Name):
        return argument.id in ("root", "folder")
    return isinstance(argument, ast.Call) and ast.unparse(argument.func) in WRITERS


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module, with a null byte for each value in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values
            )
