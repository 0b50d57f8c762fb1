"""The function that Ray runs on a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from depthmask_ray._order import Order


def task_function() -> Callable[[Order, bytes], Iterator[Any]]:
    """A generator function that makes a shard, or says what its machine lacks.

    It is a nested function, which Ray sends by value: it must work on machines without this
    package, so it uses nothing from outside.
    """
    fit: list[bool] = []

    def lacking(needs: dict[str, str]) -> str:
        import importlib.metadata
        import zlib

        for name, required in needs.items():
            try:
                # The C library has no distribution.
                installed = zlib.ZLIB_RUNTIME_VERSION if name == "zlib" else None
                installed = installed or importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                return f"{name} {required} is not installed there"
            if installed != required:
                return f"{name} {installed} is installed there, and {required} here"
        return ""

    def make(order: Order, shard: bytes) -> Iterator[Any]:
        """Yield signs, then a record or a refusal; or a text that says what is missing."""
        import platform

        import ray

        where = f"node {platform.node()} ({ray.util.get_node_ip_address()})"
        # Checked once in a process, since it takes 5 ms.
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
