"""`depthmask [run] [NAME=VALUE ...]`: Hydra composes the config, the run makes the dataset."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from unittest.mock import patch

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from depthmask.cli.screen import Screen
from depthmask.cli.summary import show_result
from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.location import config_folder
from depthmask.config.registry import registry
from depthmask.errors import DepthmaskError
from depthmask.run import run


def main(arguments: Sequence[str]) -> int:
    """Run Hydra's command line over `conf/` and the registered stages."""
    for problem in registry().problems:
        print(f"warning: {problem}", file=sys.stderr)
    hydra_source.register()
    # Hydra would print its own traceback and exit with 1; this makes it raise.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    command = hydra.main(
        version_base="1.3", config_path=str(config_folder()), config_name="config"
    )(_task)
    # Hydra reads sys.argv.
    with patch.object(sys, "argv", ["depthmask", *arguments]):
        try:
            command()
        except DepthmaskError:
            raise
        except Exception as error:
            raise explain(error) from error
    return 0


def _task(config: DictConfig) -> None:
    screen = Screen()
    try:
        sweep = HydraConfig.get().mode is RunMode.MULTIRUN
        result = run(from_config(config), screen, sweep=sweep)
        show_result(result, screen, HydraConfig.get().overrides.task)
    finally:
        screen.close()
