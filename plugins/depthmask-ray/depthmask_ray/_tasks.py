"""Keeps as many tasks in flight as the cluster can run, and collects their results.

Shards are tasks and not actors: Ray gives the next task to a process that has finished one and
keeps its job and the loaded assets, so actors are no faster; and tasks also use nodes that join
later.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import logging
import os
import pickle
import platform
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from depthmask import DepthmaskError, Failures, Job, Record, Refusal, Shard, versions

from depthmask_ray._cluster import capacity, nodes
from depthmask_ray._remote import task_function
from depthmask_ray._signals import signals_held
from depthmask_ray._task_input import TaskInput
from depthmask_ray._worker import Heartbeat

POLL_SECONDS = 0.2
"""Time to wait for results between checks for hung tasks."""
UPDATE_SECONDS = 5.0
"""Time between updates of the list of nodes."""
CANCEL_SECONDS = 10.0
"""Time to wait for the end of cancelled tasks; a lost node does not answer."""
_VARIABLES = ("DEPTHMASK_BLOCK", "DEPTHMASK_CACHE", "DEPTHMASK_PREFER")
"""What a worker needs from the environment of the run, to load the same plugins and depth."""

_log = logging.getLogger("depthmask.ray")  # below depthmask's, which the screen and run.log show


@dataclass(eq=False)
class _Task:
    """A shard in flight, and the last heartbeat of its task."""

    shard: Shard
    heartbeat: Heartbeat
    since: float | None = None
    """Time of that heartbeat; None while the task waits for a core."""


class Tasks:
    """The shards of a job as tasks, a bounded number of them at a time."""

    def __init__(
        self,
        job: Job,
        shards: Iterable[Shard],
        needs: Mapping[str, float],
        most: int,
        timeout: float,
    ) -> None:
        self._job = job
        self._shards = iter(shards)
        self._needs = needs
        self._most = most
        self._timeout = timeout
        self._retries: list[Shard] = []
        self._failures = Failures()
        self._busy: dict[Any, _Task] = {}
        self._task_input = ray.put(_task_input(job, max(1, int(needs.get("CPU", 1)))))
        self._make = _remote(needs)
        self._nodes: set[str] = set()
        self._capacity = 0
        self._updated = float("-inf")

    def run(self, made: Callable[[int], None]) -> Iterator[Record]:
        """Yield records as they arrive; raises at the end if a shard could not be made."""
        try:
            while True:
                with signals_held():
                    at_work = self._submit_tasks()
                    records = self._arrived_records(made) if at_work else []
                yield from records
                if not at_work:
                    break
        finally:
            with signals_held():
                self._cancel()
        self._failures.settle()

    def _submit_tasks(self) -> bool:
        """Start as many tasks as may be in flight; returns whether any is."""
        if time.monotonic() - self._updated > UPDATE_SECONDS:
            self._update_nodes()
        # Twice the capacity, so that no core waits for a task and an autoscaler sees demand.
        limit = self._most or max(2, 2 * self._capacity)
        while len(self._busy) < limit:
            shard = self._retries.pop() if self._retries else next(self._shards, None)
            if shard is None:
                break
            stream = self._make.remote(self._task_input, pickle.dumps(shard))
            self._busy[stream] = _Task(shard, Heartbeat("", self._job.plan.indices(shard)[0], 0))
        return bool(self._busy)

    def _update_nodes(self) -> None:
        """Update the list of nodes, and give up the tasks of lost nodes."""
        alive = nodes()
        self._capacity, before = capacity(alive.values(), self._needs), self._updated
        self._updated = time.monotonic()
        if not self._capacity and before < 0:
            _log.warning("no node has %s yet, waiting for one", _as_text(self._needs))
        lost, self._nodes = self._nodes - alive.keys(), set(alive)
        if lost:
            # A new function, since Ray lets tasks of the old one wait for its requests to the lost
            # node.
            self._make = _remote(self._needs)
        # Ray waits for ever if the connection stays open, as with a stopped machine or a cut cable.
        for stream, task in list(self._busy.items()):
            if task.heartbeat.node and task.heartbeat.node not in alive:
                self._give_up(stream, f"node {task.heartbeat.node[:8]} is lost")
            elif lost and not task.heartbeat.node:
                # The task may be on its way to the lost node.
                self._withdraw(stream)

    def _arrived_records(self, made: Callable[[int], None]) -> list[Record]:
        """The records that arrive within `POLL_SECONDS`."""
        answers = [self._collect(stream, made) for stream in self._ready()]
        self._give_up_hung()
        return [record for record in answers if record is not None]

    def _ready(self) -> list[Any]:
        """The tasks with a new heartbeat or result."""
        ready, others = ray.wait(list(self._busy), num_returns=1, timeout=POLL_SECONDS)
        if ready and others:
            more, _ = ray.wait(others, num_returns=len(others), timeout=0)
            ready += more
        return list(ready)

    def _collect(self, stream: Any, made: Callable[[int], None]) -> Record | None:
        """Handle the next heartbeat or result of a task; returns its record, if it has one."""
        task = self._busy[stream]
        try:
            answer = ray.get(next(stream))
        except ray.exceptions.RayError as error:
            answer = self._lost(task, f"{type(error).__name__}: {_first_sentence(error)}")
        if isinstance(answer, Heartbeat):
            made(answer.made - task.heartbeat.made)
            self._note_heartbeat(task, answer)
            return None
        del self._busy[stream]
        if isinstance(answer, str):
            raise DepthmaskError(answer)
        if isinstance(answer, Record):
            made(len(answer) - task.heartbeat.made)
            self._failures.note_made()
            return answer
        self._refused(task, answer)
        return None

    def _note_heartbeat(self, task: _Task, heartbeat: Heartbeat) -> None:
        now = time.monotonic()
        if task.since is None:
            # Tasks that were submitted earlier have begun as well.
            for before in itertools.takewhile(lambda one: one is not task, self._busy.values()):
                before.since = before.since or now
        if task.since is None or heartbeat != task.heartbeat:
            task.since = now
        task.heartbeat = heartbeat

    def _give_up_hung(self) -> None:
        for stream, task in list(self._busy.items()):
            if task.since is not None and time.monotonic() - task.since > self._timeout:
                self._give_up(stream, f"no sample in runner.timeout={self._timeout:g} s")

    def _give_up(self, stream: Any, why: str) -> None:
        """Count a task as failed. If it goes on, the shard is made twice, with the same bytes."""
        task = self._busy.pop(stream)
        ray.cancel(stream, force=True)
        self._refused(task, self._lost(task, why))

    def _withdraw(self, stream: Any) -> None:
        """Cancel a task that has not begun, and submit its shard again."""
        self._retries.append(self._busy.pop(stream).shard)
        ray.cancel(stream, force=True)

    def _refused(self, task: _Task, refusal: Refusal) -> None:
        if self._failures.note(task.shard, refusal):
            self._retries.append(task.shard)

    def _lost(self, task: _Task, how: str) -> Refusal:
        # Its last heartbeat may be a second old.
        sample = f"{self._job.named(task.heartbeat.begun)} or one after it"
        return Refusal(f"{task.shard.name}: {sample}: {how}", final=False)

    def _cancel(self) -> None:
        """Cancel all tasks in flight, and wait until none writes any more."""
        for stream in self._busy:
            ray.cancel(stream, force=True)
        ends = [stream.completed() for stream in self._busy]
        if ends:
            ray.wait(ends, num_returns=len(ends), timeout=CANCEL_SECONDS)


def _remote(needs: Mapping[str, float]) -> Any:
    return ray.remote(
        num_cpus=needs.get("CPU", 0),
        num_gpus=needs.get("GPU", 0),
        memory=int(needs.get("memory", 0)) or None,
        num_returns="streaming",
        # Retries are counted here, where they are reported.
        max_retries=0,
    )(task_function())


def _task_input(job: Job, cores: int) -> TaskInput:
    own = {"depthmask-ray": importlib.metadata.version("depthmask-ray")}
    # A stage that belongs to no distribution has no version.
    needs = {name: version for name, version in versions(job.root).items() if version}
    return TaskInput(
        needs={**needs, **own},
        folder=os.getcwd(),
        environment={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        host=platform.node(),
        cores=cores,
        job=pickle.dumps(job),
        token=secrets.token_hex(8),
    )


def _as_text(needs: Mapping[str, float]) -> str:
    return ", ".join(f"{amount:g} {name}" for name, amount in needs.items())


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).partition(". ")[0][:300]
