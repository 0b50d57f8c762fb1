"""`depthmask completion bash|zsh|fish`: complete commands, folders, options and settings.

Hydra's own completion can complete neither the commands nor the console script `depthmask`.
"""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.complete.candidates import candidates, candidates_of
from depthmask.cli.complete.line import TypedLine, for_bash
from depthmask.cli.complete.scripts import SCRIPTS
from depthmask.cli.lines import show_exactly
from depthmask.cli.usage.parser import parse
from depthmask.errors import UsageError


def main(arguments: Sequence[str]) -> int:
    """Print the script for a shell; the scripts call `words LINE`, which prints the candidates.

    bash adds the characters at which it breaks words, and gets what comes after the last of them.
    """
    if arguments[:1] == ["words"]:
        _print_words(*arguments[1:])
        return 0
    shell = parse("completion", arguments)["SHELL"]
    if shell not in SCRIPTS:
        raise UsageError(
            f"completion {shell}: needs the name of a shell: bash, zsh or fish; "
            'for bash: eval "$(python -m depthmask completion bash)"'
        )
    show_exactly(SCRIPTS[shell].removesuffix("\n"))
    return 0


def _print_words(text: str, breaks: str | None = None) -> None:
    if breaks is None:
        words = candidates(text)
    else:
        line = TypedLine.parse(text)
        words = [for_bash(line, candidate, breaks) for candidate in candidates_of(line)]
    for word in words:
        show_exactly(word)
