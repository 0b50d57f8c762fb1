"""Gives Hydra the YAML configs of plugins and of the user, each checked when it is read.

Hydra's own source reads the same files, and its errors name neither file nor line.
"""

from __future__ import annotations

import os
from pathlib import Path

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource

from depthmask.config.command_line import CONFIG
from depthmask.config.plugins import registry
from depthmask.config.presets.code import CodeError, refuse_in_file
from depthmask.config.presets.file import YamlFile, read_yaml
from depthmask.config.presets.folders import folders_of, shown
from depthmask.config.provider import Provider
from depthmask.errors import UsageError
from depthmask.stage import describe_settings

SCHEME = "yaml"
USER = "command-line"
"""The provider of the user's folder. It stands before the others in the search path, to refuse a
file that would hide behind one of theirs."""
_ENDING = ".yaml"


class YamlSource(ConfigSource):
    """A config source of Hydra: a folder whose files are checked."""

    @staticmethod
    def scheme() -> str:
        """The scheme of this source in the search path."""
        return SCHEME

    @property
    def _folder(self) -> Path:
        return Path(self.path)

    def available(self) -> bool:
        """Whether the folder exists."""
        return self._folder.is_dir()

    def load_config(self, config_path: str) -> ConfigResult:
        """The content of a file; raises `UsageError` with file and line for a mistake in it."""
        if not self.is_config(config_path):
            raise ConfigLoadError(f"no {config_path} in {self.path}")
        file = read_yaml(self._folder, _without_ending(config_path))
        _refuse_values(file)
        return ConfigResult(
            provider=self.provider,
            path=self.full_path(),
            config=file.config(),
            header={"package": file.package},
        )

    def is_group(self, config_path: str) -> bool:
        """Whether the path is a folder."""
        return (self._folder / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        """Whether the path is a file; raises `UsageError` for one of the user with a taken name.

        A `config.yaml` of the user is passed over: the folder may be that of another program.
        """
        name = _without_ending(config_path)
        path = self._folder / f"{name}{_ENDING}"
        # Unlike that of `Path`, this function takes a name that is too long for a file.
        if not os.path.isfile(path) or (self.provider == USER and name == CONFIG):
            return False
        if self.provider == USER:
            _refuse_taken(name, path)
        return True

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """The groups and configs in a folder, sorted."""
        names = set()
        for path in (self._folder / config_path).iterdir():
            if path.is_dir() and results_filter is not ObjectType.CONFIG:
                names.add(path.name)
            if path.suffix == _ENDING and results_filter is not ObjectType.GROUP:
                names.add(path.stem)
        return sorted(names - {"__pycache__"})


def plugin_folders() -> list[Path]:
    """The folders with presets of plugins, in the order of precedence."""
    paths = registry().names.by_preference(registry().config_paths)
    return [folder for one in paths for folder in folders_of(one.path)]


def _refuse_values(file: YamlFile) -> None:
    """Raise `UsageError` for a setting that names code, or has no value.

    `samples: ???` would leave the value that was set before. It has a meaning for a setting without
    a default only.
    """
    for name, line, value in file.settings():
        try:
            refuse_in_file(name, value)
        except CodeError as error:
            raise file.at(line, str(error)) from None
        if value == "???" and not name.startswith("hydra.") and not _may_be_required(name):
            raise file.at(line, f"{name}: ??? is no value; write one, or remove the line")


def _may_be_required(name: str) -> bool:
    """Whether any stage has a setting of this name that has no default."""
    kind, key = name.partition(".")[0], name.rpartition(".")[2]
    settings = [item for one in registry().offered(kind) for item in describe_settings(one.stage)]
    return any(item.name == key and item.default == "(required)" for item in settings)


def _refuse_taken(config_path: str, path: Path) -> None:
    """Raise `UsageError` for a file of the user with the name of a stage, or of another file."""
    group, _, name = config_path.rpartition("/")
    if owner := _owner(group, name):
        raise UsageError(f"{shown(path)}: {group}={name} is taken by {owner}; rename the file")


def _owner(group: str, name: str) -> Provider | None:
    """What has a stage or preset of this name beside the user; None if nothing has."""
    stages = (one.provider for one in registry().offered(group) if one.stage.name == name)
    return registry().owner(f"{group}={name}") or next(stages, None)


def _without_ending(config_path: str) -> str:
    return config_path.strip("/").removesuffix(_ENDING)
