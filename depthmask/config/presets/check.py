"""Finds the presets that cannot be used, by composing a config with each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from depthmask.config.build import RequiredError
from depthmask.config.command_line import CONFIG
from depthmask.config.compose import compose_root
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import shown
from depthmask.config.registry import KINDS, LISTS
from depthmask.errors import UsageError


def problems_of_plugins() -> Iterator[str]:
    """Yield a line for each preset of a plugin that cannot be used; each takes 0.1 s."""
    for preset in registry().presets.values():
        yield from _problem([choice(preset.path)])


def problems_of_folder(folder: Path) -> Iterator[str]:
    """Yield a line for each file in a folder of the user that cannot be used as a preset."""
    for path in sorted({*folder.glob("[!.]*.y*ml"), *folder.glob("[!.]*/*.y*ml")}):
        if path.is_file():
            yield from _problem_of_file(path, folder)


def choice(path: Path) -> str:
    """The word that chooses the preset in a file, such as `+preset=mine` or `placement=sparse`."""
    group, name = path.parent.name, path.stem
    plus = "" if group in KINDS else "+"
    return f"{plus}{group}=[{name}]" if group in LISTS else f"{plus}{group}={name}"


def _problem_of_file(path: Path, folder: Path) -> Iterator[str]:
    options = ["--config-dir", str(folder)]
    if path.suffix != ".yaml":
        yield f"{shown(path)}: not read; rename it to {path.stem}.yaml"
    elif path.parent != folder:
        yield from _problem([choice(path), *options])
    elif path.stem == CONFIG:
        yield f"{shown(path)}: not read, since depthmask has a config of this name; rename it"
    else:
        yield from _problem(["--config-name", path.stem, *options])


def _problem(words: list[str]) -> Iterator[str]:
    try:
        compose_root(words)
    except RequiredError:
        # A setting without a default, such as source.root, is for the user to give.
        return
    except UsageError as error:
        yield str(error)
