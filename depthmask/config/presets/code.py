"""Refuses what would have Hydra run code that a config names.

Hydra calls whatever `_target_` and `()` name, and some of its settings write files or set
environment variables. Of these depthmask uses only registered launchers and sweepers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, OmegaConf

from depthmask.errors import UsageError

_CALLS = ("_target_", "()")
"""The keys whose values name what Hydra, or Python's `logging.config`, calls."""
_UNUSED: Mapping[str, object] = {
    "hydra.callbacks": {},
    "hydra.job_logging.root": None,
    "hydra.hydra_logging.root": None,
    "hydra.output_subdir": None,
    "hydra.run.dir": ".",
    "hydra.job.chdir": False,
}
"""Settings of Hydra -> their values in depthmask, with which Hydra calls and writes nothing."""
_ONLY_BY_WORDS = (
    "hydra.searchpath",  # Imports the packages in it.
    "hydra.job.env_set",  # Python runs code in the folders of PYTHONPATH.
    "hydra.launcher.setup",  # Lines of a shell script.
    "hydra.launcher.additional_parameters",
    "hydra.sweeper.custom_search_space",  # An import path.
)
_NOT_IN_FILES = re.compile(
    r"hydra\.(callbacks|job_logging|hydra_logging|output_subdir|run|sweeper\.params\.\W*hydra)\b"
)
_REASON = "a config chooses by registered names, and names no code; remove it"
_UNUSED_REASON = "depthmask does not use this setting of Hydra; remove it"
_FILE_REASON = "a file cannot set it; write it on the command line"


class CodeError(UsageError):
    """A config names code that would be run, or a file that would be written.

    name: the setting that does.
    """

    def __init__(self, name: str, reason: str = _REASON) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def refuse_in_file(name: str, value: object) -> None:
    """Raise `CodeError` for a setting that no YAML file may have.

    name: from the top of the whole config, such as `hydra.launcher.n_jobs`. value: the text of it.
    """
    if name.rpartition(".")[2] in _CALLS and not _is_registered(name, value):
        raise CodeError(name)
    if _NOT_IN_FILES.match(name):
        raise CodeError(name, _UNUSED_REASON)
    if any(_is_in(name, one) for one in _ONLY_BY_WORDS):
        raise CodeError(name, _FILE_REASON)


def refuse_in_config(config: DictConfig, words: Sequence[str]) -> None:
    """Raise `CodeError` for a whole config that would have Hydra run code, however it got there.

    A defaults list can put a file in any place, and Hydra reads the folders of `hydra.searchpath`
    by itself, so what the files have is not all. words: those of the command line.
    """
    hydra = {"hydra": OmegaConf.to_container(config.hydra, resolve=False)}
    for name, value in _UNUSED.items():
        if _value(hydra, name) != value:
            raise CodeError(name.removesuffix(".root"), _UNUSED_REASON)
    for name in _ONLY_BY_WORDS:
        if _value(hydra, name) and not any(_is_in(_name_of(word), name) for word in words):
            raise CodeError(name, _FILE_REASON)


def refuse_in_plugin(config: DictConfig) -> None:
    """Raise `CodeError` if a launcher or sweeper would be made with more than registered classes.

    config: that of the launcher or sweeper; Hydra calls each `_target_` in it.
    """
    for name, value in _settings(OmegaConf.to_container(config, resolve=True), ""):
        if name.rpartition(".")[2] in _CALLS and value not in _registered_targets():
            raise CodeError(f"{name}={value}")


def _value(config: Any, name: str) -> Any:
    """The value of a setting; that of its group if this is no mapping, and None without either."""
    for key in name.split("."):
        config = config.get(key) if isinstance(config, dict) else config
    return config


def _is_registered(name: str, value: object) -> bool:
    return name.startswith(("hydra.launcher.", "hydra.sweeper.")) and (
        value in _registered_targets()
    )


def _registered_targets() -> set[object]:
    """What the launchers and sweepers call that are registered with Hydra, as import paths."""
    Plugins.instance()  # Has them register.
    groups = ConfigStore.instance().repo["hydra"]
    return {target for kind in ("launcher", "sweeper") for target in _targets(groups[kind])}


def _targets(group: Mapping[str, Any]) -> Iterator[object]:
    for entry in group.values():
        if isinstance(entry, ConfigNode):
            plain = OmegaConf.to_container(entry.node, resolve=False)
            yield from (value for name, value in _settings(plain, "") if name == _CALLS[0])
        else:
            yield from _targets(entry)


def _settings(value: Any, above: str) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of each setting below a value, those in lists too."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        name = f"{above}{key}"
        yield name, inner
        if isinstance(inner, dict | list):
            yield from _settings(inner, f"{name}.")


def _name_of(word: str) -> str:
    return word.lstrip("+~").partition("=")[0].partition("@")[0]


def _is_in(name: str, group: str) -> bool:
    """Whether a setting is the group, or below it."""
    return f"{name}.".startswith(f"{group}.")
