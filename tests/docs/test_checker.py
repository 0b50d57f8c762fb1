"""The check of the documentation notices a page that shows another output than its blocks have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.test_words import run
from tests.support.pages import Block, blocks


def block(folder: Path, language: str, code: str, output: str) -> Block:
    """The one block of a page."""
    page = folder / "page.md"
    page.write_text(f"Text.\n\n```{language}\n{code}\n```\n\n```text\n{output}\n```\n\nText.\n")
    (result,) = blocks(page)
    return result


RIGHT = [
    ("python", "print(1 + 1)\nprint(3 / 7)", "2\n0.42..."),
    ("python", "print([1, 2],\n      [3])", "[1, 2] [3]"),
    ("python", "print('one')\nprint('two')\nprint('three')", "one\n...\nthree"),
    ("sh", "echo one  # a comment\necho two \\\n  three", "one\ntwo three"),
    ("sh", "python -m depthmask placment=ground", "error: placment=...: no such setting; ..."),
    ("sh", "python -m depthmask help stats", "...\n  --json ... as JSON\n..."),
]
WRONG = [
    ("python", "print(1 + 1)", "3"),
    ("python", "print(3 / 7)", "0.43..."),
    ("python", "print('one')\nprint('two')", "one"),
    ("python", "1 + 1", "2"),
    ("sh", "echo one", "two"),
    ("sh", "python -m depthmask placment=ground", "...no such setting; ..."),
    ("sh", "python -m depthmask help stats", "error: ..."),
    ("sh", "false", "..."),
]


@pytest.mark.parametrize(("language", "code", "output"), RIGHT)
def test_right(
    language: str, code: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(block(tmp_path, language, code, output), {}, capsys)


@pytest.mark.parametrize(("language", "code", "output"), WRONG)
def test_wrong(
    language: str, code: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        run(block(tmp_path, language, code, output), {}, capsys)


def test_what_a_page_has(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Run `python -m depthmask\nstats OUT`.\n\n```python\nx = 1\n```\n\nThen:\n\n"
        "```text\nalone\n```\n\n```sh\npwd\n```\n\n```text\n/\n```\n"
    )
    assert [(one.line, one.language, one.text, one.output) for one in blocks(page)] == [
        (1, "sh", "python -m depthmask stats OUT", None),
        (4, "python", "x = 1\n", None),
        (14, "sh", "pwd\n", "/\n"),
    ]
