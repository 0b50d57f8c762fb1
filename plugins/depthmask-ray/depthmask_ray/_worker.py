"""Makes a shard on a worker, in a thread, while the task reports its progress."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import NamedTuple

import cv2
import ray
from depthmask import Job, Progress, Record, Refusal, Shard, attempt

from depthmask_ray._task_input import TaskInput

HEARTBEAT_SECONDS = 1.0
"""Time between heartbeats of a task."""


class Heartbeat(NamedTuple):
    """The progress of a task.

    node: id of its node. begun: number of the current sample. made: number of finished samples.
    """

    node: str
    begun: int
    made: int


_jobs: dict[str, Job] = {}
"""Token -> job of this process, with its loaded assets and models."""


def job(task_input: TaskInput) -> Job:
    """The job of a task, kept between tasks; sets the working directory of the run."""
    if os.getcwd() != task_input["folder"]:
        try:
            os.chdir(task_input["folder"])
        except OSError as error:
            raise OSError(
                f"no folder {task_input['folder']}, where the run began ({error.strerror})"
            ) from None
    os.environ.update(task_input["environment"])
    if task_input["token"] not in _jobs:
        # As in the workers of runner=local: more threads would only compete with other tasks.
        cv2.setNumThreads(task_input["cores"])
        _jobs.clear()
        _jobs[task_input["token"]] = pickle.loads(task_input["job"])  # noqa: S301 (sent by our own runner)
    return _jobs[task_input["token"]]


def make(job: Job, pickled: bytes, where: str) -> Iterator[Heartbeat | Record | Refusal]:
    """Yield heartbeats, and finally the record or the refusal of the shard.

    where: the machine, for the reason of a refusal.
    """
    node = ray.get_runtime_context().get_node_id()
    shard: Shard = pickle.loads(pickled)  # noqa: S301
    count = 0

    def made(samples: int) -> None:
        nonlocal count
        count += samples

    progress = Progress(made)
    progress.at(job.plan.indices(shard)[0])
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(attempt, job, shard, progress)
        yield Heartbeat(node, progress.begun, count)
        while not wait([answer], HEARTBEAT_SECONDS).done:
            yield Heartbeat(node, progress.begun, count)
    result = answer.result()
    if isinstance(result, Refusal) and where:
        result = replace(result, reason=f"{result.reason} ({where})")
    yield result
