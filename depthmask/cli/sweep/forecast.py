"""Shows what a sweep would make, for `-m --dry-run`: a line for each job."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from depthmask.cli.forecast import state_of
from depthmask.cli.hydra_run import hydra_main
from depthmask.cli.lines import show_path
from depthmask.cli.screen import Screen
from depthmask.cli.system_error import as_depthmask_error
from depthmask.config.build import from_config
from depthmask.config.explain.error import explain
from depthmask.config.presets.tree import add_position, line_of_task
from depthmask.engine.display import checking_assets
from depthmask.engine.forecast import forecast
from depthmask.engine.from_config import job_from_config
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reports.units import size
from depthmask.storage.path import StorePath

_LAUNCHERS = ("hydra/launcher=", "hydra.launcher.")


def show(config: DictConfig, folder: StorePath, arguments: Sequence[str]) -> int:
    """Show the jobs, one after the other and in this process; returns 1 if one would fail.

    config: the settings that all jobs share. folder: of the sweep.
    """
    if config.hydra.runtime.choices["hydra/sweeper"] == "optuna":
        raise UsageError(
            "--dry-run: hydra/sweeper=optuna chooses each job by the results of those before; "
            "give the settings of one job, without -m"
        )
    words = [word for word in arguments if not word.lstrip("+").startswith(_LAUNCHERS)]
    failed: list[str] = []

    def job(config: DictConfig) -> None:
        with Screen(config.progress) as screen:
            try:
                screen.line(_text(config, screen), "job")
            except Exception as error:
                add_position(error, line_of_task())
                failed.append(_named(str(as_depthmask_error(error))))
                screen.line(failed[-1], "job")

    with tempfile.TemporaryDirectory(prefix="depthmask-") as scratch:
        try:
            hydra_main(job, [*words, f"hydra.sweep.dir={scratch}", "hydra.sweep.subdir=."])
        except Exception as error:
            raise explain(error, arguments) from error
    with Screen(config.progress) as screen:
        screen.line("nothing was written (--dry-run)", "dry-run", output=str(folder))
    show_path(folder)
    return DepthmaskError.exit_code if failed else 0


def _text(config: DictConfig, screen: Screen) -> str:
    root = from_config(config)
    with checking_assets(screen):
        job = job_from_config(root, sweep=True)
    result = forecast(job, screen, measure=False)
    made = f"{result.missing.samples:,} samples to make, about {size(result.bytes)}"
    return _named(f"{made}, into {result.job.output}, {state_of(result)}")


def _named(text: str) -> str:
    hydra = HydraConfig.get()
    return f"job {hydra.job.num}  {' '.join(hydra.overrides.task)}  {text}"
