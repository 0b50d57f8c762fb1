"""Makes the dataset of a job, or with `--dry-run` says what it would make."""

from __future__ import annotations

from depthmask.cli import dry_run
from depthmask.cli.lines import show_path
from depthmask.cli.screen import Screen
from depthmask.cli.summary import show_result
from depthmask.engine.job import Job
from depthmask.engine.run import run_job


def make(job: Job, screen: Screen, *, extendable: bool = False) -> None:
    """Make the dataset and show the result; its path alone goes to stdout.

    extendable: as in `show_result`.
    """
    if dry_run.is_used():
        # Imported here, since a run does not need it.
        from depthmask.cli.forecast import show_forecast

        show_forecast(job, screen)
    else:
        show_result(run_job(job, screen), screen, extendable=extendable)
    show_path(job.output)
