"""Makes the job of `annotate` or `convert` over the input at some paths."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

from depthmask.config.root import Root
from depthmask.engine.annotate import annotate
from depthmask.engine.convert import convert
from depthmask.engine.display import Display
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.job import InputJob
from depthmask.engine.inputs.open import open_input

JobMaker: TypeAlias = Callable[[JobInput, Root, Collection[str]], InputJob]
"""A function that makes the job from the input, the config and the names of the overrides."""
MAKERS: dict[str, JobMaker] = {"annotate": annotate, "convert": convert}


def input_job(
    command: str,
    paths: Sequence[str],
    root: Root,
    overridden: Collection[str],
    display: Display,
    *,
    skip_damaged: bool,
) -> InputJob:
    """The job of a command, with what its input says about itself shown.

    overridden: the names of the settings that the user gave. skip_damaged: as in `open_input`.
    """
    with display.waiting("reading the input"):
        job_input = open_input(paths, skip_damaged=skip_damaged, display=display)
        job = MAKERS[command](job_input, root, frozenset(overridden))
    for line in job.input.lines:
        display.line(line)
    return job
