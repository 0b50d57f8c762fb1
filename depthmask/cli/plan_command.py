"""What `resume`, `extend` and `repeat` share: the dataset that words name, and its plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from depthmask.config.command_line import options_and_overrides
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reading.dataset import datasets_in, no_dataset
from depthmask.storage import shell
from depthmask.storage.location import SCHEMES, location
from depthmask.storage.path import StorePath
from depthmask.storage.publish import read_sealed

_MOST_NAMED = 20
"""The most datasets in a folder that an error names."""


def dataset_and_words(command: str, arguments: Sequence[str]) -> tuple[StorePath, list[str]]:
    """The dataset that the words name, and the other words.

    Raises `UsageError` if none of the words is a folder, or more than one.
    """
    _, words = options_and_overrides(arguments)
    folders = [word for word in words if _is_folder(word)]
    if len(folders) != 1:
        example = f"as in `python -m depthmask {command} OUT`"
        if not folders:
            before = f", before {words[0]}" if words else ""
            raise UsageError(f"{command} needs the folder of a dataset{before}, {example}")
        hint = _meant_by_second(command, folders[1])
        raise UsageError(f"{' '.join(folders)}: {command} needs one folder, {hint or example}")
    if {"-m", "--multirun"} & set(arguments):
        raise UsageError(f"{command} does not accept -m; it makes one dataset at a time")
    others = list(arguments)
    others.remove(folders[0])
    return location(folders[0]), others


def _meant_by_second(command: str, word: str) -> str:
    """What to write for a word after the folder; empty if nothing is likely."""
    if command == "extend" and word.isdecimal():
        return f"and the number of samples is written samples={word}"
    if command == "repeat":
        output = shell.setting("output", shell.path_word(word))
        return f"and the other is written {shell.word(output)}"
    return ""


def plan_of(dataset: StorePath) -> dict[str, Any]:
    """The content of `plan.json`; raises `DepthmaskError` if the folder holds no dataset."""
    if not (dataset / "plan.json").has_name():
        raise _not_a_dataset(dataset)
    plan = read_sealed(dataset / "plan.json")
    if plan is None:
        raise DepthmaskError(
            f"{dataset}: plan.json is damaged, so the settings of the dataset are unknown; give "
            "the whole command, with another output"
        )
    return plan


def _is_folder(word: str) -> bool:
    if word.startswith(("+", "~")):
        return word.startswith("~/")
    is_url = word.startswith(tuple(f"{scheme}://" for scheme in (*SCHEMES, "file")))
    return "=" not in word or is_url or Path(word).is_dir()


def _not_a_dataset(folder: StorePath) -> UsageError:
    """The error for a folder without a plan: what it is, and what to do instead."""
    if (folder / "jobs" / "sweep.json").is_file():
        return UsageError(
            f"{folder} is the folder of a sweep; {'; or '.join(_ways_of_sweep(folder))}"
        )
    if (folder / "assets.csv").is_file():
        root = shell.setting("source.root", shell.path_word(folder))
        return UsageError(
            f"{folder} holds assets and no dataset; `prepare` writes all of them or none, and "
            f"`{shell.command('source=assets', root, 'output=OUT')}` makes a dataset from them"
        )
    return no_dataset(folder)


def _ways_of_sweep(folder: StorePath) -> Iterator[str]:
    """Yield the command of a sweep, and its datasets."""
    try:
        arguments = json.loads((folder / "jobs" / "sweep.json").read_bytes())["arguments"]
        yield f"give its command again: `{shell.command(*arguments)}`"
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        pass  # The datasets can be resumed without it.
    if datasets := _first_datasets(folder):
        yield f"give one of its datasets: {datasets}"


def _first_datasets(folder: StorePath) -> str:
    names = [shell.word(shell.path_word(folder / name)) for name in datasets_in(folder)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
