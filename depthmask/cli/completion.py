"""`depthmask completion bash|zsh|fish`: complete commands, config groups, stages and settings.

Hydra's own completion can complete neither the commands nor the console script `depthmask`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depthmask.cli.commands import COMMANDS
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, place_of
from depthmask.config.root import BLOCKS, Root
from depthmask.errors import UsageError
from depthmask.stage import describe_settings

_SCRIPTS = {
    # COMP_WORDBREAKS contains "=", so the last word that the shell gives starts after a "=". Take
    # the last word of the line instead.
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
    """Print the script for a shell; the scripts call `words LINE`, which prints the candidates."""
    if len(arguments) == 2 and arguments[0] == "words":
        print("\n".join(candidates(arguments[1])))
        return 0
    if len(arguments) != 1 or arguments[0] not in _SCRIPTS:
        instead = f", not {' '.join(arguments)}" if arguments else ""
        raise UsageError(
            f"completion needs the name of a shell: bash, zsh or fish{instead}; "
            'for bash: eval "$(depthmask completion bash)"'
        )
    print(_SCRIPTS[arguments[0]], end="")
    return 0


def candidates(line: str) -> list[str]:
    """The completions of the last word of a command line. The first word is the program."""
    earlier, word = line.split(" ")[1:-1], line.split(" ")[-1]
    offered = _all_words({*earlier})
    if not any(earlier):
        offered = [*COMMANDS, *registry().commands, *offered]
    return sorted({candidate for candidate in offered if candidate.startswith(word)})


def _all_words(earlier: set[str]) -> list[str]:
    return [*_root_words(), *_stage_words(earlier)]


def _root_words() -> Iterator[str]:
    for setting in describe_settings(Root):
        if setting.name not in (*KINDS, *BLOCKS):
            yield f"{setting.name}="
    for name, block in BLOCKS.items():
        for setting in describe_settings(block):
            yield f"{name}.{setting.name}="
            yield from (f"{name}.{setting.name}={value}" for value in setting.choices)


def _stage_words(earlier: set[str]) -> Iterator[str]:
    """All stages, and the settings of the chosen ones; of all in a group where none is chosen."""
    for kind in KINDS:
        stages = {one.stage.name: one.stage for one in registry().offered(kind)}
        yield f"{kind}="
        choices = {
            name: f"{kind}=[{name}]" if kind in LISTS else f"{kind}={name}" for name in stages
        }
        yield from choices.values()
        chosen = [name for name in stages if choices[name] in earlier]
        for name in chosen or stages:
            place = place_of(kind, name)
            for setting in describe_settings(stages[name]):
                yield f"{place}.{setting.name}="
                yield from (f"{place}.{setting.name}={value}" for value in setting.choices)
