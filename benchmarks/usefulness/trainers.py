"""Processes that train, as many at once as there are processors, each with one thread.

Two of them did 1.6 times as many steps a second on two cores as one with two threads did.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmarks.usefulness.composites import Workshop
from benchmarks.usefulness.recipes_file import Recipe
from benchmarks.usefulness.runs import Run
from benchmarks.usefulness.sets import Picture
from depthmask.concurrency import cores, memory, running
from depthmask.engine.runner._workers import limit_opencv
from depthmask.engine.runner.orphans import end_with_parent
from depthmask.stages.depth._keras import native_log_muted

if TYPE_CHECKING:
    from benchmarks.usefulness.experiment import Experiment

BYTES = 4 << 30
"""The memory of a process that trains on 5,000 samples."""
Order: TypeAlias = tuple[Run, Recipe]
"""A run, and the recipe that it is of."""
Message: TypeAlias = dict[str, Any] | str | None
"""None: a step is done; else how a run ended: what its line keeps, or why it could not be made."""


@dataclass(frozen=True)
class Place:
    """What all runs have in common: the photographs, and the folders of data and of the output."""

    sets: Mapping[str, list[Picture]]
    data: Path
    out: Path
    device: str

    def workshop(self) -> Workshop:
        """The maker of datasets."""
        return Workshop(self.data, self.out / "data")


def usual_jobs(device: str) -> int:
    """How many trainings at once: one on a GPU, else as processors and memory allow."""
    return 1 if device == "cuda" else max(1, min(cores(), memory() // BYTES))


def results(orders: Sequence[Order], place: Place, jobs: int) -> Iterator[tuple[Run, Message]]:
    """Yield each run with the message that ends it, in the order in which they end.

    Before that, yield it with None for each step. Raises `SystemExit` with one line if a process
    cannot begin, or ends by itself; the other processes end then.
    """
    waiting = deque(orders)
    at_work: dict[Connection, Run] = {}
    with ExitStack() as ending:
        for _ in range(min(jobs, len(orders))):
            connection = _started(place, ending)
            at_work[connection] = _assign(connection, waiting)
        while at_work:
            for ready in wait([*at_work]):
                assert isinstance(ready, Connection)
                run = at_work[ready]
                message = _received(ready, run)
                yield run, message
                if message is not None:
                    del at_work[ready]
                    if waiting:
                        at_work[ready] = _assign(ready, waiting)


def _started(place: Place, ending: ExitStack) -> Connection:
    """The connection to a new process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_train, args=(theirs, place), daemon=True)
    ending.enter_context(running(process))
    # So that its end is the end of the connection.
    theirs.close()
    return ours


def _assign(connection: Connection, waiting: deque[Order]) -> Run:
    order = waiting.popleft()
    connection.send(order)
    return order[0]


def _received(connection: Connection, run: Run) -> Message:
    """The next message of a process; raises the `SystemExit` of one that cannot begin."""
    try:
        message = connection.recv()
    except (EOFError, ConnectionError):
        raise SystemExit(
            f"{run.task}/{run.recipe}: its process has ended, and if it printed no reason, most "
            "likely for want of memory; run the command again, then with a smaller --jobs"
        ) from None
    if isinstance(message, SystemExit):
        raise message
    assert message is None or isinstance(message, dict | str)
    return message


def _train(connection: Connection, place: Place) -> None:
    """Carry out runs as they come; runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    limit_opencv(1)
    try:
        with native_log_muted():
            # TensorFlow takes seconds to import.
            from benchmarks.usefulness.experiment import Experiment
            from benchmarks.usefulness.training import use_device

            use_device(place.device)
    except SystemExit as error:
        connection.send(error)
        return
    experiment = Experiment(place.sets, place.workshop(), place.out)
    while True:
        try:
            run, recipe = connection.recv()
        except EOFError:
            return
        connection.send(_ended(experiment, run, recipe, partial(connection.send, None)))


def _ended(
    experiment: Experiment, run: Run, recipe: Recipe, step_done: Callable[[], None]
) -> Message:
    """What ends a run; data that cannot be made are no reason to leave out other runs."""
    try:
        return experiment.carry_out(run, recipe, step_done)
    except SystemExit as error:
        return str(error)
