"""Composes one config, for commands that need stages but make no dataset."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose

from depthmask.config.build import from_config
from depthmask.config.command_line import CommandLine
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import hydra_initialized
from depthmask.config.presets.tree import add_position
from depthmask.config.root import Root
from depthmask.errors import UsageError


def compose_root(words: Sequence[str]) -> Root:
    """The root of a run with these words; raises `UsageError` for a bad one.

    words: overrides, and the options `--config-dir` and `--config-name` with their values.
    """
    line = CommandLine.parse(words)
    if line.options:
        raise UsageError(
            f"{line.options[0]}: no such option here; available: --config-dir, --config-name"
        )
    try:
        with hydra_initialized(line):
            config = compose(line.config_name, list(line.overrides))
    except Exception as error:
        raise explain(error, words) from error
    try:
        return from_config(config, line.overrides)
    except UsageError as error:
        add_position(error, line)
        raise
