"""On a worker: a shard in a thread of its own, while the task says how far it is."""

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

from depthmask_ray._remote import Order

SIGN_SECONDS = 1.0
"""How often a task says how far it is."""


class Sign(NamedTuple):
    """How far a task is: on which node, at which sample, and how many it has made."""

    node: str
    begun: int
    made: int


_jobs: dict[str, Job] = {}
"""The job of this process, by its token: with the assets and models that it has loaded."""


def job(order: Order) -> Job:
    """The job, as the tasks before left it; the working directory is the asker's."""
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
        # As the workers of runner=local: its threads would only wait for other tasks, busily.
        cv2.setNumThreads(order["cores"])
        _jobs.clear()
        _jobs[order["token"]] = pickle.loads(order["job"])  # noqa: S301 (our own, by way of Ray)
    return _jobs[order["token"]]


def make(job: Job, pickled: bytes, where: str) -> Iterator[Sign | Record | Refusal]:
    """How far it is, now and then, and in the end what came of the shard.

    where: named in what went wrong.
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
