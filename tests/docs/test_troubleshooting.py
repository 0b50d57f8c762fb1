"""docs/troubleshooting.md quotes the program's own messages, so that a search finds them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE)


def texts() -> Iterator[str]:
    """The texts of the package, with `...` for what is filled in."""
    for path in (ROOT / "depthmask").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", "") for part in node.values)
                yield "...".join(part for part in parts if isinstance(part, str))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def quotes(text: str, message: str) -> bool:
    """Whether a message, in which `...` stands for anything, is in the text."""
    return re.search(".*".join(map(re.escape, message.split("..."))), text) is not None


def test_messages_are_those_of_the_program() -> None:
    known = list(texts())
    missing = [one for one in MESSAGES if not any(quotes(text, one) for text in known)]
    assert len(MESSAGES) >= 20
    assert missing == []


def test_a_message_that_nobody_says_is_missed() -> None:
    assert quotes("output=...: is a file; choose a folder", "is a file; ... folder")
    assert not quotes("output=...: is a file; choose a folder", "is a folder")
