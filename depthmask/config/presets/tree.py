"""Finds the YAML configs that a command line reaches, and the line in them that sets a value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import OmegaConf

from depthmask.config.command_line import CONFIG, CommandLine
from depthmask.config.hydra_internals import merge_order
from depthmask.config.hydra_source import ROOT
from depthmask.config.plugins import registry
from depthmask.config.presets.defaults import Default
from depthmask.config.presets.file import YamlFile, keys_of, read_yaml
from depthmask.config.presets.folders import config_folder, shown
from depthmask.config.presets.source import USER, plugin_folders
from depthmask.config.registry import KINDS
from depthmask.errors import UsageError


class YamlTree:
    """The YAML configs of a command line: those that its words choose, and those that these choose.

    All methods raise `UsageError` for a file that cannot be read.
    """

    def __init__(self, line: CommandLine) -> None:
        self.line = line
        user = [] if line.folder is None else [line.folder]
        self._folders = [config_folder(), *plugin_folders(), *user, *_searched(line)]

    def file(self, config_path: str) -> YamlFile | None:
        """The file of a config such as `preset/mine`; None if no folder has one."""
        for folder in self._folders:
            # Unlike that of `Path`, this function takes a name that is too long for a file.
            if os.path.isfile(folder / f"{config_path}.yaml"):
                return read_yaml(folder, config_path)
        return None

    def names(self, group: str) -> list[str]:
        """The configs and stages of a group, such as `preset` or `placement`, sorted."""
        paths = [path for folder in self._folders for path in (folder / group).glob("*.yaml")]
        files = [path.stem for path in paths if path.is_file()]
        kind = group.removeprefix("schema/")
        return sorted({*files, *(one.stage.name for one in registry().offered(kind))})

    def word(self, config_path: str) -> str | None:
        """The word of the command line that chooses a config; None if none does."""
        return next((word for word, paths in self._words() if config_path in paths), None)

    def entries(self) -> Iterator[tuple[YamlFile, Default]]:
        """Yield the entries of the defaults lists of all files; `UsageError` for a circle."""
        for file in self.files():
            for entry in file.defaults:
                yield file, entry

    def chooser(self, config_path: str) -> tuple[YamlFile, Default] | None:
        """The file and its entry that choose a config; None if no entry does."""
        for file, entry in self.entries():
            if config_path in entry.config_paths(file.group):
                return file, entry
        return None

    def without_base(self) -> UsageError | None:
        """The error if the config of `--config-name` has not the settings of a run, or None."""
        name = self.line.config_name
        file = None if name == CONFIG else self.file(name)
        if file is None or self.chooser(ROOT):
            return None
        text = f"for the settings of a run, begin it with `defaults: [{CONFIG}, _self_]`"
        return file.at(1, f"{text}; or move it into preset/, to be chosen by +preset={name}")

    def swept(self, name: str) -> str:
        """`FILE:LINE: ` of a file with a sweep over a setting; empty if there is none."""
        for file in self.files():
            if number := file.line(["hydra", "sweeper", "params", name]):
                return f"{shown(file.path)}:{number}: "
        return ""

    def _words(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each word, and the configs that it chooses if its name is that of a group."""
        for word in self.line.overrides:
            name, _, value = word.lstrip("+").partition("=")
            group = name.partition("@")[0].strip("/") or "."
            yield word, [f"{group}/{one}" for one in re.split(r"[\[\],]", value) if one]

    def files(self) -> Iterator[YamlFile]:
        """Yield each file once, in the order of the words; `UsageError` for a circle."""
        paths = [path for _, some in self._words() for path in some]
        read: set[str] = set()
        for path in [self.line.config_name, *paths]:
            yield from self._below(path, (), read)

    def _below(self, path: str, above: tuple[YamlFile, ...], read: set[str]) -> Iterator[YamlFile]:
        file = None if path in read else self.file(path)
        if file is None:
            return
        yield file
        for entry in file.defaults:
            for chosen in entry.config_paths(file.group):
                if chosen in [one.config_path for one in (*above, file)]:
                    raise file.at(
                        entry.line, f"{chosen} is chosen in a circle, since it leads here"
                    )
                yield from self._below(chosen, (*above, file), read)
        read.add(path)


def add_position(error: Exception, line: CommandLine) -> None:
    """Put `FILE:LINE` before the text of an error if a YAML config sets the value that is wrong.

    error: any; a `UsageError` about settings begins with their names, as in `NAME=VALUE: TEXT`, or
    has one as `name`.
    """
    if not isinstance(error, UsageError):
        return
    try:
        if base := YamlTree(line).without_base():
            error.args = base.args
        elif at := _position(_names(error), line):
            error.args = (f"{at}: {error}",)
    except (UsageError, HydraException):
        # A file has changed since the config was composed.
        return


def _names(error: UsageError) -> list[str]:
    """The settings that an error is about, the first before all others."""
    about, _, text = str(error).partition(": ")
    names = [name] if isinstance(name := getattr(error, "name", None), str) else []
    names += re.findall(r"(?:^|\s)([\w.]+)=", about)
    # A value may contradict another of its group, as in `must be at least min_scale=2`.
    group, dot, _ = names[0].rpartition(".") if names else ("", "", "")
    others = re.findall(r"(?:^|\s)(\w+)=", text) if names else []
    return [*names, *(f"{group}{dot}{other}" for other in others)]


def line_of_task() -> CommandLine:
    """The command line of the task that Hydra runs now."""
    hydra = HydraConfig.get()
    # Iterated, the list would resolve the interpolations in its words.
    words = OmegaConf.to_container(hydra.overrides, resolve=False)
    assert isinstance(words, dict)
    users = [source.path for source in hydra.runtime.config_sources if source.provider == USER]
    return CommandLine(
        overrides=(*words["hydra"], *words["task"]),
        folder=Path(users[0]) if users else None,
        config_name=hydra.job.config_name or CONFIG,
    )


def keys_inside(key: str, package: str) -> list[str] | None:
    """The keys of a setting in a file whose place is `package`; None if it is elsewhere."""
    keys, places = keys_of(key), keys_of(package)
    return keys[len(places) :] if keys[: len(places)] == places else None


def _position(names: Sequence[str], line: CommandLine) -> str | None:
    """`FILE:LINE` that decides the first of these settings that a file sets; None if none does.

    A setting on the command line has precedence over all files. A word like `placement=sparse`
    chooses a file.
    """
    words = {word.lstrip("+~").partition("=")[0] for word in line.overrides}
    if not names or names[0] in words - set(KINDS):
        return None
    tree = YamlTree(line)
    merged = [(tree.file(path), package) for path, package in reversed(merge_order(line))]
    for name in names:
        for file, package in merged:
            keys = keys_inside(name, package)
            if file is not None and keys is not None and (number := file.line(keys)):
                return f"{shown(file.path)}:{number}"
    for file, entry in reversed(list(tree.entries())):
        if entry.group_path(file.group) in set(names) - words and file.config_path != CONFIG:
            return f"{shown(file.path)}:{entry.line}"
    return None


def _searched(line: CommandLine) -> list[Path]:
    """The folders that the word `hydra.searchpath=[file://FOLDER]` adds."""
    words = [word for word in line.overrides if word.lstrip("+").startswith("hydra.searchpath=")]
    return [Path(path) for word in words for path in re.findall(r"file://([^,\]'\"]+)", word)]
