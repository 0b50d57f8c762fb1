"""What Ray runs on a worker, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypedDict


class Order(TypedDict):
    """What is the same for all tasks of a run; plain, so that any Python can read it.

    needs: the version of each distribution that decides what the bytes are. folder: where relative
    paths begin. cache: `DEPTHMASK_CACHE`. host: who asks. cores: of a task.
    job: pickled. token: names the job.
    """

    needs: dict[str, str]
    folder: str
    cache: str | None
    host: str
    cores: int
    job: bytes
    token: str


def task_function() -> Callable[[Order, bytes], Iterator[Any]]:
    """A generator function that says what this machine lacks, or makes a shard.

    Within a function, since Ray sends such a one by value: it has to speak for itself where this
    package is absent, so it uses nothing from outside.
    """
    fit: list[bool] = []

    def lacking(needs: dict[str, str]) -> str:
        import importlib.metadata
        import zlib

        for name, wanted in needs.items():
            try:
                # The C library has no distribution.
                found = zlib.ZLIB_RUNTIME_VERSION if name == "zlib" else None
                found = found or importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                return f"{name} {wanted} is not installed there"
            if found != wanted:
                return f"{name} {found} is installed there, and {wanted} here"
        return ""

    def make(order: Order, shard: bytes) -> Iterator[Any]:
        """Yields signs, then a record or a refusal; or a text: what is lacking."""
        import platform

        import ray

        where = f"node {platform.node()} ({ray.util.get_node_ip_address()})"
        # Once in a process: it takes 5 ms.
        problem = "" if fit else lacking(order["needs"])
        if problem:
            yield f"{where}: {problem}"
            return
        fit.append(True)
        try:
            from depthmask_ray import _worker

            job = _worker.job(order)
        except (ImportError, AttributeError, OSError) as error:
            # A stage of this job may come from a module that belongs to no distribution.
            yield f"{where}: {error}"
            return
        yield from _worker.make(job, shard, where if platform.node() != order["host"] else "")

    return make
