"""The function that Ray runs on a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from depthmask_ray._task_input import TaskInput


def task_function() -> Callable[[TaskInput, bytes], Iterator[Any]]:
    """A generator function that makes a shard, or says what its machine lacks.

    It is a nested function, which Ray sends by value. It uses no name from outside of it, since it
    has to run on machines without this package.
    """
    fit: list[bool] = []

    def lacking(needs: dict[str, str]) -> str:
        import importlib.metadata
        import zlib

        for name, required in needs.items():
            try:
                # zlib is a C library and has no distribution.
                installed = zlib.ZLIB_RUNTIME_VERSION if name == "zlib" else None
                installed = installed or importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                return f"{name} {required} is not installed there"
            if installed != required:
                return f"{name} {installed} is installed there, and {required} here"
        return ""

    def make(task_input: TaskInput, shard: bytes) -> Iterator[Any]:
        """Yield heartbeats, then a record or a refusal; or a text about what this node lacks."""
        import platform

        import ray

        where = f"node {platform.node()} ({ray.util.get_node_ip_address()})"
        # Checked once in a process, since it takes 5 ms.
        problem = "" if fit else lacking(task_input["needs"])
        if problem:
            yield f"{where}: {problem}"
            return
        fit.append(True)
        try:
            from depthmask_ray import _worker

            job = _worker.job(task_input)
        except (ImportError, AttributeError, OSError) as error:
            # A stage of this job may come from a module that belongs to no distribution.
            yield f"{where}: {error}"
            return
        yield from _worker.make(job, shard, where if platform.node() != task_input["host"] else "")

    return make
