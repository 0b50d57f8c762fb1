"""`depthmask completion bash|zsh|fish`: completion of commands, groups, stages and settings.

Hydra's own completion knows neither the commands nor the console script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depthmask.cli.commands import COMMANDS
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS
from depthmask.config.root import BLOCKS, Root
from depthmask.errors import UsageError
from depthmask.stage import describe_settings

_SCRIPTS = {
    # COMP_WORDBREAKS contains "=", so the shell's own last word starts after it. Take the last word
    # of the line instead.
    "bash": """\
_depthmask() {
    local line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##* }"
    COMPREPLY=($(compgen -W "$(depthmask completion words "$line")" -- "$word"))
    if [[ "$word" == *=* ]]; then COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}"); fi
}
complete -o nospace -o default -F _depthmask depthmask
""",
    "zsh": """\
#compdef depthmask
_depthmask() {
    compadd -S '' -- ${(f)"$(depthmask completion words "$LBUFFER")"}
}
compdef _depthmask depthmask
""",
    "fish": """\
complete -c depthmask -a '(depthmask completion words (commandline -cp))'
""",
}


def main(arguments: Sequence[str]) -> int:
    """Print the script for a shell, or for `words LINE`, which the scripts call, the candidates."""
    if len(arguments) == 2 and arguments[0] == "words":
        print("\n".join(candidates(arguments[1])))
        return 0
    if len(arguments) != 1 or arguments[0] not in _SCRIPTS:
        raise UsageError(
            "completion needs the name of a shell: bash, zsh or fish; "
            'for bash: eval "$(depthmask completion bash)"'
        )
    print(_SCRIPTS[arguments[0]], end="")
    return 0


def candidates(line: str) -> list[str]:
    """Completions of the last word of a command line, whose first word is the program."""
    earlier, word = line.split(" ")[1:-1], line.split(" ")[-1]
    offered = _all_words({*earlier})
    if not [one for one in earlier if one]:
        offered = [*COMMANDS, *offered]
    return sorted({one for one in offered if one.startswith(word)})


def _all_words(earlier: set[str]) -> list[str]:
    return [*_root_words(), *_stage_words(earlier)]


def _root_words() -> Iterator[str]:
    for one in describe_settings(Root):
        if one.name not in (*KINDS, *BLOCKS):
            yield f"{one.name}="
    for name, block in BLOCKS.items():
        for one in describe_settings(block):
            yield f"{name}.{one.name}="
            yield from (f"{name}.{one.name}={value}" for value in one.choices)


def _stage_words(earlier: set[str]) -> Iterator[str]:
    """All stages, and the settings of those on the line, or of all in a group without one."""
    for kind in KINDS:
        stages = registry().stages[kind]
        yield f"{kind}="
        yield from (f"{kind}={name}" for name in stages)
        chosen = [name for name in stages if f"{kind}={name}" in earlier]
        for name in chosen or stages:
            for one in describe_settings(stages[name].stage):
                yield f"{kind}.{one.name}="
                yield from (f"{kind}.{one.name}={value}" for value in one.choices)
