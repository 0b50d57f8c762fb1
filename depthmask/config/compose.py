"""Composes one config, for commands that need stages but make no dataset."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose, initialize_config_dir

from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.hydra_internals import HYDRA_SERIES, hydra_state_cleared
from depthmask.config.root import Root
from depthmask.config.yaml_folders import config_folder


def compose_root(overrides: Sequence[str]) -> Root:
    """The root of a run with these overrides; raises `UsageError` for a bad override."""
    hydra_source.register()
    try:
        with (
            hydra_state_cleared(),
            initialize_config_dir(str(config_folder()), version_base=HYDRA_SERIES),
        ):
            config = compose("config", list(overrides))
    except Exception as error:
        raise explain(error, overrides) from error
    return from_config(config, overrides)
