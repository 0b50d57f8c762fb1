"""Pickles hold plain data, arrays and classes of depthmask; the task function needs neither."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

from depthmask import Progress, make_shard
from depthmask.testing.job import small_job
from ray import cloudpickle

from depthmask_ray._remote import task_function

OURS = {"depthmask", "numpy"}


class Reader(pickle.Unpickler):
    """Collects the packages whose code a pickle needs."""

    def __init__(self, pickled: bytes) -> None:
        super().__init__(io.BytesIO(pickled))
        self.packages: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.packages.add(module.split(".")[0])
        return super().find_class(module, name)


def packages(pickled: bytes) -> set[str]:
    reader = Reader(pickled)
    reader.load()
    return reader.packages


def test_job_shard_and_record_are_made_of_our_own(tmp_path: Path) -> None:
    job = small_job(tmp_path / "out")
    shard = job.plan.shard(0)
    record = make_shard(job, shard, Progress())
    # Python 3.11.0 to 3.11.3 pickles enums by `getattr`.
    assert packages(pickle.dumps((job, shard, record))) - {"builtins"} == OURS


def test_the_task_speaks_for_itself() -> None:
    """The function is pickled by value, so that it runs on machines without these packages."""
    needed = packages(cloudpickle.dumps(task_function()))
    assert not any(name.startswith("depthmask") for name in needed)
    assert needed <= {"ray", "builtins", "types", "typing", "collections", "_operator"}
