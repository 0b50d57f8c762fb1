"""`depthmask [run] [NAME=VALUE ...]`: Hydra composes the config, the run makes the dataset."""

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
from depthmask.cli.summary import show_result
from depthmask.config import hydra_source
from depthmask.config.build import from_config
from depthmask.config.explain import explain
from depthmask.config.location import config_folder
from depthmask.config.registry import registry
from depthmask.config.root import Root
from depthmask.engine.run import run
from depthmask.errors import DepthmaskError, UsageError, in_one_line

_VALUED = ("--cfg", "-c", "--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp",
           "--package", "-p", "--info", "-i")  # fmt: skip
"""Hydra's options that a value follows."""
Task: TypeAlias = Callable[[Root, Screen, Sequence[str]], None]
"""What is done with a live config; it is also told the overrides that the user gave."""


def main(arguments: Sequence[str]) -> int:
    """Run Hydra's command line over `conf/` and the registered stages."""
    if {"-m", "--multirun"} & set(arguments):
        from depthmask.cli import sweep

        _warn_of_plugins()
        return sweep.main(arguments)
    return single(_generate, arguments)


def single(task: Task, arguments: Sequence[str]) -> int:
    """Have Hydra compose one config, and the task do what it says; returns the exit code."""
    _warn_of_plugins()
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
    """Have Hydra compose the config, or those of a sweep, and call the task; raises what it says.

    task: a function of a module if other processes are to run it.
    """
    hydra_source.register()
    # Hydra would print its own traceback and exit with 1; this makes it raise.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    command = hydra.main(
        version_base="1.3", config_path=str(config_folder()), config_name="config"
    )(task)
    # What is there now stays. A collection that looked at it each time took 0.6 s of the 1.3 s in
    # which the records of 400,000 samples are read.
    gc.freeze()
    with patch.object(sys, "argv", ["depthmask", *flags_first(arguments)]):
        command()


def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Where Hydra may leave its notes: it would make a folder of its own."""
    try:
        return tempfile.TemporaryDirectory(prefix="depthmask-")
    except OSError as error:
        raise DepthmaskError(
            f"no folder for temporary files ({error.strerror or error}): make room, "
            "or name another one with TMPDIR=FOLDER"
        ) from None


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Options with their values, then overrides: Hydra's argparse takes them in no other order."""
    options, overrides = options_and_overrides(arguments)
    return [*options, *overrides]


def options_and_overrides(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's options, each followed by its value, and the overrides."""
    options, overrides = [], []
    takes_value = False
    for word in arguments:
        if takes_value or word.startswith("-"):
            options.append(word)
            takes_value = word in _VALUED
        else:
            overrides.append(word)
    return options, overrides


def _generate(root: Root, screen: Screen, overrides: Sequence[str]) -> None:
    show_result(run(root, screen), screen, overrides)


def _warn_of_plugins() -> None:
    for problem in registry().problems:
        print(f"warning: {problem}", file=sys.stderr)


class _Single:
    """Runs the one job that Hydra hands out, and keeps what went wrong.

    A job that raised would make Hydra print lines of its own.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.failure: DepthmaskError | None = None

    def run(self, config: DictConfig) -> None:
        """Hydra's task function."""
        screen = Screen()
        try:
            if HydraConfig.get().mode is RunMode.MULTIRUN:
                raise UsageError("hydra.mode=MULTIRUN: a sweep is asked for by -m")
            self._task(from_config(config), screen, HydraConfig.get().overrides.task)
        except Exception as error:
            self.failure = as_one_line(error)
        finally:
            screen.close()


def as_one_line(error: Exception) -> DepthmaskError:
    """A stage of a plugin may raise anything, as early as when it is made."""
    return error if isinstance(error, DepthmaskError) else DepthmaskError(in_one_line(error))
