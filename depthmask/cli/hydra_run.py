"""Runs a task under Hydra, which composes its config from the words of a command line."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import TypeAlias
from unittest.mock import patch

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from depthmask.cli.lines import say
from depthmask.cli.screen import Screen
from depthmask.cli.system_error import as_depthmask_error
from depthmask.concurrency import keep_freed_memory
from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.command_line import CommandLine
from depthmask.config.compose import refuse_unused_sweep
from depthmask.config.explain.error import explain
from depthmask.config.hydra_internals import HYDRA_SERIES, no_code_of_configs
from depthmask.config.options import check_options, refuse_folders_of_hydra
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import config_folder, user_folder
from depthmask.config.presets.tree import add_position, line_of_task
from depthmask.config.root import Root
from depthmask.errors import DepthmaskError, UsageError

Task: TypeAlias = Callable[[Root, Screen, Sequence[str]], None]
"""The work of a command, called with the config, the screen and the user's overrides."""


def run_task(task: Task, arguments: Sequence[str]) -> int:
    """Have Hydra compose one config, and call the task with it; returns the exit code."""
    check_options(arguments)
    refuse_folders_of_hydra(arguments)
    warn_of_disabled_plugins()
    runner = _TaskRunner(task)
    with _scratch_folder() as scratch:
        try:
            hydra_main(runner.run, [*arguments, f"hydra.sweep.dir={scratch}"])
        except Exception as error:
            raise explain(error, arguments) from error
    if runner.failure:
        raise runner.failure
    return 0


def hydra_main(task: Callable[[DictConfig], object], arguments: Sequence[str]) -> None:
    """Have Hydra compose the config, or all configs of a sweep, and call the task with each.

    task: if other processes run it, a function at the top of a module. Raises Hydra's own errors.
    """
    line = CommandLine.parse(arguments)
    hydra_source.register()
    # Without this, Hydra prints a traceback and exits with 1; with it, Hydra raises the error.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    command = hydra.main(
        version_base=HYDRA_SERIES, config_path=str(config_folder()), config_name=line.config_name
    )(task)
    # Freeze the objects created by imports, so that the garbage collector skips them. Visiting them
    # took half of the time in which the records of 400,000 samples are read.
    gc.freeze()
    keep_freed_memory()
    with (
        user_folder(line.folder),
        no_code_of_configs(line.overrides),
        patch.object(sys, "argv", ["depthmask", *line.hydra_words()]),
    ):
        command()


def warn_of_disabled_plugins() -> None:
    """Print a warning for each plugin that could not be loaded, and for what else is wrong."""
    for warning in (*registry().problems, *registry().warnings):
        say(str(warning), "warning")


def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder for the files that Hydra writes, so that it creates no other."""
    try:
        return tempfile.TemporaryDirectory(prefix="depthmask-")
    except OSError as error:
        raise DepthmaskError(
            f"cannot create a folder for temporary files ({error.strerror or error}); free some "
            "disk space, or name another folder with TMPDIR=FOLDER"
        ) from None


class _TaskRunner:
    """Runs the task of a command, and keeps its error instead of raising it.

    Hydra would print lines of its own for a raised error.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.failure: DepthmaskError | None = None

    def run(self, config: DictConfig) -> None:
        """Run the task; Hydra calls this with the composed config."""
        try:
            if HydraConfig.get().mode is RunMode.MULTIRUN:
                raise UsageError("hydra.mode=MULTIRUN is not supported; use -m for a sweep")
            refuse_unused_sweep(HydraConfig.get().overrides.task, HydraConfig.get())
            root = from_config(config)
            with Screen(root.progress) as screen:
                self._task(root, screen, HydraConfig.get().overrides.task)
        except Exception as error:
            add_position(error, line_of_task())
            self.failure = as_depthmask_error(error)
