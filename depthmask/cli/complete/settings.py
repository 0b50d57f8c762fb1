"""Completes `NAME=VALUE`: config groups, stages, settings, presets, launchers and sweepers."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from depthmask.cli.complete.paths import files, folders
from depthmask.cli.usage.page import ANY
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import config_folder, preset_files
from depthmask.config.registry import KINDS, LISTS, place_of
from depthmask.config.root import BLOCKS, Root
from depthmask.stage import SettingInfo, describe_settings

_ADDED = ("preset", "experiment")
"""Groups from which nothing is chosen at first, so that a choice begins with `+`."""
_HYDRA = ("hydra/launcher", "hydra/sweeper")
_PATH_NAMES = ("output", "source.root")
_SEVERAL = {"submitit": ("submitit_local", "submitit_slurm"), "ray": ("ray", "ray_aws")}
"""Package of a launcher -> the names in it, where they are not the name of the package."""


def setting_words(earlier: Sequence[str], typed: str, accepted: Collection[str]) -> list[str]:
    """The words that a typed one may become.

    accepted: the names of root settings and config groups, or `ANY`. With `-m` among the earlier
    words, or inside brackets, values are separated by commas.
    """
    name, equals, value = typed.partition("=")
    is_accepted = ANY in accepted or name.lstrip("+~").partition(".")[0] in accepted
    if not equals:
        return [f"{one}=" for one in _names(earlier, accepted)]
    return list(_words(earlier, name, value)) if is_accepted else []


def _words(earlier: Sequence[str], name: str, value: str) -> Iterator[str]:
    if name in LISTS:
        chosen = re.split(r"[\[,]", value)
        values = [one for one in _values(earlier, name) if one not in chosen[:-1]]
        head = "".join(f"{one}," for one in chosen[1:-1])
        yield from (f"{name}=[{head}{one}]" for one in values)
    elif _is_path(earlier, name):
        offered = folders(value) if name in _PATH_NAMES else files(value)
        yield from (f"{name}={path}" for path in offered)
    else:
        head, comma, _ = value.rpartition(",")
        is_sweep = bool({"-m", "--multirun"} & {*earlier})
        values = _values(earlier, name) if is_sweep or not comma else []
        chosen = head.split(",")
        yield from (f"{name}={head}{comma}{one}" for one in values if one not in chosen)


def _names(earlier: Sequence[str], accepted: Collection[str]) -> Iterator[str]:
    """Yield the names that can stand before `=`."""
    for setting in describe_settings(Root):
        is_accepted = ANY in accepted or setting.name in accepted
        if is_accepted and setting.name not in BLOCKS:
            yield setting.name
        if is_accepted and setting.name in BLOCKS:
            block = describe_settings(BLOCKS[setting.name])
            yield from (f"{setting.name}.{one.name}" for one in block)
        if is_accepted and setting.name in KINDS:
            yield from _settings(earlier, setting.name)
    if ANY in accepted:
        yield from (f"+{group}" for group in _ADDED)
        yield from _HYDRA


def _settings(earlier: Sequence[str], kind: str) -> dict[str, SettingInfo]:
    """The settings of the chosen stages of a group; of all stages where none is chosen."""
    stages = {one.stage.name: one.stage for one in registry().offered(kind)}
    words = [word for word in earlier if word.startswith(f"{kind}=")]
    chosen = {name for word in words for name in re.split(r"[=\[\],]", word) if name in stages}
    return {
        f"{place_of(kind, name)}.{setting.name}": setting
        for name in sorted(chosen or stages)
        for setting in describe_settings(stages[name])
    }


def _values(earlier: Sequence[str], name: str) -> list[str]:
    """The values that a setting, or a group, can have; nothing if there are too many."""
    bare = name.lstrip("+")
    if bare in KINDS:
        stages = [one.stage.name for one in registry().offered(bare)]
        return sorted({*stages, *_presets(earlier, bare)})
    if bare in _ADDED:
        return _presets(earlier, bare)
    if bare in _HYDRA:
        return _installed(bare.removeprefix("hydra/"))
    setting = _setting(earlier, bare)
    return list(setting.choices) if setting else []


def _setting(earlier: Sequence[str], name: str) -> SettingInfo | None:
    group, _, key = name.rpartition(".")
    kind = group.partition(".")[0]
    if kind in KINDS:
        return _settings(earlier, kind).get(name)
    settings = describe_settings(BLOCKS.get(group, Root))
    return next((one for one in settings if one.name == key), None)


def _is_path(earlier: Sequence[str], name: str) -> bool:
    setting = _setting(earlier, name)
    is_path = setting is not None and setting.type.startswith("path")
    return name in _PATH_NAMES or name.endswith(".weights") or is_path


def _presets(earlier: Sequence[str], group: str) -> list[str]:
    """The YAML files of a group: of depthmask, of plugins, and in the folder of the user."""
    own = preset_files(config_folder())
    plugins = [preset.path for preset in registry().presets.values()]
    users = [path for folder in _user_folders(earlier) for path in preset_files(folder)]
    paths = [*own, *plugins, *users]
    return sorted({path.stem for path in paths if path.parent.name == group})


def _user_folders(earlier: Sequence[str]) -> Iterator[Path]:
    """Yield the folders of `--config-dir`."""
    for word, following in zip(earlier, [*earlier[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in ("--config-dir", "-cd"):
            yield Path(value if equals else following).expanduser()


def _installed(kind: str) -> list[str]:
    """The launchers or sweepers of installed packages, by their folders: Hydra is slow to load."""
    spec = importlib.util.find_spec("hydra_plugins")
    folders = spec.submodule_search_locations if spec else None
    packages = [name for folder in folders or () for name in os.listdir(folder)]
    matches = [re.fullmatch(rf"hydra_(\w+)_{kind}", name) for name in packages]
    names = [match[1] for match in matches if match]
    return sorted({"basic", *(one for name in names for one in _SEVERAL.get(name, (name,)))})
