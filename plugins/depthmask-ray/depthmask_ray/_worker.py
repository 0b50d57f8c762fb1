"""On a worker: make a shard in a thread, while the task reports progress."""

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

from depthmask_ray._order import Order

SIGN_SECONDS = 1.0
"""Time between signs of a task."""


class Sign(NamedTuple):
    """The progress of a task.

    node: id of its node. begun: number of the current sample. made: number of finished samples.
    """

    node: str
    begun: int
    made: int


_jobs: dict[str, Job] = {}
"""Token -> job of this process, with its loaded assets and models."""


def job(order: Order) -> Job:
    """The job of an order, kept between tasks; sets the working directory of the run."""
    if os.getcwd() != order["folder"]:
        try:
            os.chdir(order["folder"])
        except OSError as error:
            raise OSError(
                f"no folder {order['folder']}, where the run began ({error.strerror})"
            ) from None
    if order["cache"] is not None:
        os.environ["DEPTHMASK_CACHE"] = order["cache"]
    if order["token"] not in _jobs:
        # As in the workers of runner=local: more threads would only compete with other tasks.
        cv2.setNumThreads(order["cores"])
        _jobs.clear()
        _jobs[order["token"]] = pickle.loads(order["job"])  # noqa: S301 (our own, sent by Ray)
    return _jobs[order["token"]]


def make(job: Job, pickled: bytes, where: str) -> Iterator[Sign | Record | Refusal]:
    """Yield signs of progress, and finally the record or the refusal of the shard.

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
        yield Sign(node, progress.begun, count)
        while not wait([answer], SIGN_SECONDS).done:
            yield Sign(node, progress.begun, count)
    result = answer.result()
    if isinstance(result, Refusal) and where:
        result = replace(result, reason=f"{result.reason} ({where})")
    yield result
