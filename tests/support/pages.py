"""Pages of the documentation: their blocks, and whether a block prints what its page says.

A block of `sh` or `python` may be followed by a block of `text`, which is what it prints: stderr,
then stdout. `...` stands for anything, and runs of spaces and line ends are equal, as in doctest.
"""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FENCE_OR_COMMAND = re.compile(rf"{FENCE.pattern}|`(python [^`]+)`", FENCE.flags)
_OUTPUT = re.compile(r"\n\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RULES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A block of a page, or a command within a sentence; output: what the page says it prints."""

    page: Path
    line: int
    language: str
    text: str
    output: str | None = None

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, without comments and with continued lines joined."""
        lines = self.text.replace("\\\n", " ").splitlines()
        plain = (re.sub(r"(^|\s+)# .*", "", line).strip() for line in lines)
        return [command for command in plain if command]

    @property
    def fails(self) -> bool:
        """Whether the page shows an error, or a job of a sweep that failed."""
        return re.search("^error: | failed: ", self.output or "", re.MULTILINE) is not None


def blocks(page: Path) -> list[Block]:
    """Blocks of `sh` and `python`, and commands within a sentence, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    result = []
    for match in _FENCE_OR_COMMAND.finditer(text):
        language, code, command = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if command:
            result.append(Block(page, line, "sh", " ".join(command.split())))
        elif language in ("sh", "python"):
            output = _OUTPUT.match(text, match.end())
            result.append(Block(page, line, language, code, output[1] if output else None))
    return result


def require_output(block: Block, printed: str) -> None:
    """Compare what a block has printed with its page; AssertionError if it is something else."""
    if block.output is not None:
        same = doctest.OutputChecker().check_output(block.output, printed, _RULES)
        assert same, f"the page says\n{block.output}\nand the block prints\n{printed}"
