"""Runs tasks under Hydra, which composes their configs from the words of a command line."""

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

from depthmask.cli.screen import Screen
from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.hydra_internals import SERIES
from depthmask.config.location import config_folder
from depthmask.config.plugins import registry
from depthmask.config.root import Root
from depthmask.errors import DepthmaskError, UsageError, in_one_line

_VALUED = ("--cfg", "-c", "--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp",
           "--package", "-p", "--info", "-i")  # fmt: skip
"""Hydra's options that take a value."""
Task: TypeAlias = Callable[[Root, Screen, Sequence[str]], None]
"""What a command does with its live config. The last argument: the user's overrides."""


def single(task: Task, arguments: Sequence[str]) -> int:
    """Have Hydra compose one config and call the task with it; returns the exit code."""
    warn_of_plugins()
    single = _Single(task)
    with _scratch_folder() as scratch:
        try:
            hydra_main(single.run, [*arguments, f"hydra.sweep.dir={scratch}"])
        except Exception as error:
            raise explain(error, arguments) from error
    if single.failure:
        raise single.failure
    return 0


def hydra_main(task: Callable[[DictConfig], object], arguments: Sequence[str]) -> None:
    """Have Hydra compose the config, or all configs of a sweep, and call the task with each.

    task: a function of a module if other processes are to run it. Raises Hydra's own errors.
    """
    hydra_source.register()
    # Hydra would print its own traceback and exit with 1; this makes it raise.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    command = hydra.main(
        version_base=SERIES, config_path=str(config_folder()), config_name="config"
    )(task)
    # Freeze objects created by imports so that the collector skips them: visiting them in each
    # collection took 0.6 s of the 1.3 s in which the records of 400,000 samples are read.
    gc.freeze()
    with patch.object(sys, "argv", ["depthmask", *flags_first(arguments)]):
        command()


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Options with their values, then overrides: Hydra's argparse accepts no other order."""
    options, overrides = options_and_overrides(arguments)
    return [*options, *overrides]


def options_and_overrides(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into Hydra's options, each followed by its value, and overrides."""
    options, overrides = [], []
    takes_value = False
    for word in arguments:
        if takes_value or word.startswith("-"):
            options.append(word)
            takes_value = word in _VALUED
        else:
            overrides.append(word)
    return options, overrides


def as_depthmask_error(error: Exception) -> DepthmaskError:
    """An error for the user; a stage of a plugin may raise anything, even when it is created."""
    return error if isinstance(error, DepthmaskError) else DepthmaskError(in_one_line(error))


def warn_of_plugins() -> None:
    """Print a warning for each plugin that is left out."""
    for problem in registry().problems:
        print(f"warning: {problem}", file=sys.stderr)


def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the files that Hydra writes; without it Hydra would create its own."""
    try:
        return tempfile.TemporaryDirectory(prefix="depthmask-")
    except OSError as error:
        raise DepthmaskError(
            f"cannot create a folder for temporary files ({error.strerror or error}); free some "
            "disk space, or name another folder with TMPDIR=FOLDER"
        ) from None


class _Single:
    """Runs the one job of a command and keeps its error.

    Hydra would print lines of its own if the job raised it.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.failure: DepthmaskError | None = None

    def run(self, config: DictConfig) -> None:
        """Hydra's task function."""
        screen = Screen()
        try:
            if HydraConfig.get().mode is RunMode.MULTIRUN:
                raise UsageError("hydra.mode=MULTIRUN is not supported; use -m for a sweep")
            self._task(from_config(config), screen, HydraConfig.get().overrides.task)
        except Exception as error:
            self.failure = as_depthmask_error(error)
        finally:
            screen.close()
