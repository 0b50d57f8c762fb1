"""`depthmask [run] [NAME=VALUE ...]`: Hydra composes the config, the run makes the dataset."""

from __future__ import annotations

import os
import sys
import tempfile
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
from depthmask.pipeline import in_one_line
from depthmask.run import run

_VALUED = ("--cfg", "-c", "--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp",
           "--package", "-p", "--info", "-i")  # fmt: skip
"""Hydra's options that a value follows."""


def main(arguments: Sequence[str]) -> int:
    """Run Hydra's command line over `conf/` and the registered stages."""
    for problem in registry().problems:
        print(f"warning: {problem}", file=sys.stderr)
    hydra_source.register()
    # Hydra would print its own traceback and exit with 1; this makes it raise.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    jobs = _Jobs()
    command = hydra.main(
        version_base="1.3", config_path=str(config_folder()), config_name="config"
    )(jobs.run)
    with _scratch_folder() as scratch:
        words = ["depthmask", *_flags_first(arguments), f"hydra.sweep.dir={scratch}"]
        with patch.object(sys, "argv", words):
            try:
                command()
            except Exception as error:
                raise explain(error, arguments) from error
    return jobs.exit_code()


def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Where Hydra leaves its notes on a sweep."""
    try:
        return tempfile.TemporaryDirectory(prefix="depthmask-")
    except OSError as error:
        raise DepthmaskError(
            f"no folder for temporary files ({error.strerror or error}): make room, "
            "or name another one with TMPDIR=FOLDER"
        ) from None


def _flags_first(arguments: Sequence[str]) -> list[str]:
    """Options with their values, then overrides: Hydra's argparse takes them in no other order."""
    options, overrides = [], []
    takes_value = False
    for word in arguments:
        if takes_value or word.startswith("-"):
            options.append(word)
            takes_value = word in _VALUED
        else:
            overrides.append(word)
    return [*options, *overrides]


class _Jobs:
    """Runs the jobs that Hydra hands out, one or a sweep of them, and keeps what went wrong.

    A job that raised would make Hydra print lines of its own, and end a sweep.
    """

    def __init__(self) -> None:
        self._failures: list[Exception] = []
        self._sweep = False

    def run(self, config: DictConfig) -> None:
        """Hydra's task function."""
        self._sweep = HydraConfig.get().mode is RunMode.MULTIRUN
        overrides = HydraConfig.get().overrides.task
        screen = Screen()
        try:
            result = run(from_config(config), screen, sweep=self._sweep)
            show_result(result, screen, overrides)
        except Exception as unforeseen:
            error = _as_one_line(unforeseen)
            self._failures.append(error)
            if self._sweep:
                screen.line(f"error: {' '.join(overrides)}: {error}")
        finally:
            screen.close()

    def exit_code(self) -> int:
        """0 if all went well; the failure of a single run is raised."""
        if self._failures and not self._sweep:
            raise self._failures[0]
        return DepthmaskError.exit_code if self._failures else 0


def _as_one_line(error: Exception) -> DepthmaskError:
    """A stage of a plugin may raise anything, as early as when it is made."""
    return error if isinstance(error, DepthmaskError) else DepthmaskError(in_one_line(error))
