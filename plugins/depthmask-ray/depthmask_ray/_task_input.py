"""The common input of the tasks of a run."""

from __future__ import annotations

from typing import TypedDict


class TaskInput(TypedDict):
    """The common input of all tasks of a run, as plain data that any Python can read.

    needs: the version of each distribution that the bytes depend on. folder: the working directory
    of the run. environment: the variables of depthmask that the run has. host: name of the run's
    machine. cores: cores of a task. job: the pickled job. token: identifies the job.
    """

    needs: dict[str, str]
    folder: str
    environment: dict[str, str]
    host: str
    cores: int
    job: bytes
    token: str
