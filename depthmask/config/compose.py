"""Composes one config, for commands that need stages but make no dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf, open_dict

from depthmask.config.build import from_config
from depthmask.config.command_line import CommandLine
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import hydra_initialized
from depthmask.config.literal import literal
from depthmask.config.presets.tree import add_position
from depthmask.config.root import Root
from depthmask.errors import UsageError


def compose_root(words: Sequence[str], mappings: Mapping[str, Any] = MappingProxyType({})) -> Root:
    """The root of a run with these words; raises `UsageError` for a bad one.

    words: overrides, and the options `--config-dir` and `--config-name` with their values.
    mappings: values for settings that the words set to something empty.
    """
    line = CommandLine.parse(words)
    if line.options:
        sweep = "; for a sweep, write a loop" if line.options[0] in ("-m", "--multirun") else ""
        raise UsageError(
            f"{line.options[0]}: no such option here; available: --config-dir, --config-name{sweep}"
        )
    try:
        with hydra_initialized(line):
            config = compose(line.config_name, list(line.overrides), return_hydra_config=True)
        with open_dict(config):
            refuse_unused_sweep(words, config.pop("hydra"))
    except Exception as error:
        raise explain(error, words) from error
    try:
        _set(config, mappings)
        return from_config(config)
    except UsageError as error:
        add_position(error, line)
        raise


def refuse_unused_sweep(words: Sequence[str], hydra: Any) -> None:
    """Raise `UsageError` if a preset lists values of a sweep, which only a sweep would use.

    hydra: the settings of Hydra.
    """
    if swept := hydra.sweeper.get("params"):
        chosen = [word for word in words if word.startswith("+experiment=")]
        raise UsageError(
            f"{' '.join(chosen) or 'the config'} is a sweep over {', '.join(map(str, swept))}; "
            "add -m to make a dataset with each combination"
        )


def _set(config: DictConfig, mappings: Mapping[str, Any]) -> None:
    for name, value in mappings.items():
        OmegaConf.update(config, name, literal(value), merge=False)
