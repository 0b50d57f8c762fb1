"""Makes the dataset of a job, or with `--dry-run` says what it would make."""

from __future__ import annotations

from depthmask.cli import dry_run
from depthmask.cli.lines import show_path
from depthmask.cli.screen import Screen
from depthmask.config.command_from_plan import program_of
from depthmask.engine.job import Job
from depthmask.engine.run import run_job
from depthmask.engine.summary import show_result
from depthmask.reading.dataset import Dataset
from depthmask.storage.shell import command, path_word


def make(job: Job, screen: Screen, *, extendable: bool = False) -> None:
    """Make the dataset, show the result and what to do with it; its path alone goes to stdout.

    extendable: whether samples can be added, so that the command for that is shown.
    """
    if dry_run.is_used():
        # Imported here, since a run does not need it.
        from depthmask.cli.forecast import show_forecast

        show_forecast(job, screen)
    else:
        result = run_job(job, screen)
        show_result(result, screen)
        screen.line(f"open      depthmask.open({str(result.dataset.path)!r})")
        if extendable:
            screen.line(f"extend    {_extend(result.dataset, job)}")
    show_path(job.output)


def _extend(dataset: Dataset, job: Job) -> str:
    """The command that doubles the number of samples."""
    words = ("extend", path_word(dataset.path), f"samples={2 * len(dataset)}")
    return command(*words, program=program_of(job.identity.description))
