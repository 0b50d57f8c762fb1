"""The connection to a cluster, and its capacity."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from depthmask import UsageError

from depthmask_ray._signals import signals_held

OBJECT_STORE_BYTES = 100 << 20
"""Shared memory of the object store; Ray's default is 30 % of all. A record of 4,000 samples has
0.2 MB."""
CONNECT_SECONDS = 5.0
"""Time to connect; Ray itself tries for two minutes and then ends the process."""
LOOPBACK = "127.0.0.1"
_LOOPBACK_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes Ray bind only to the loopback interface; meant for other platforms than Linux."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to the cluster at `address`, unless the program is already connected to one.

    Raises `UsageError` if that fails. A cluster started here is stopped and leaves no files.
    """
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield
        return
    # Not TMPDIR, which is long on many clusters: paths of sockets have at most 107 bytes.
    folder = os.environ.get("RAY_TMPDIR", "/tmp")
    with tempfile.TemporaryDirectory(
        prefix="depthmask-", dir=folder, ignore_cleanup_errors=True
    ) as scratch:
        try:
            if address == "local":
                _start(scratch)
            else:
                _connect(address)
            yield
        finally:
            with signals_held():
                import ray

                ray.shutdown()


def _start(scratch: str) -> None:
    """Start a cluster with the cores of this machine, for this process alone."""
    environment = {
        **_LOOPBACK_ALONE,
        **_token(),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Workers get the normal priority, as those of runner=local; Ray's default is a lower one.
        "RAY_worker_niceness": "0",
    }
    with patch.dict(os.environ, environment):
        _init(
            "local",
            num_cpus=len(os.sched_getaffinity(0)),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            # Inside of our folder, since everybody can read Ray's.
            _temp_dir=f"{scratch}/ray",
        )
    import ray

    if ray.util.get_node_ip_address() != LOOPBACK:
        raise UsageError(
            "runner.address=local: Ray was imported before and would listen on all interfaces; "
            "import it later, or connect it yourself"
        )


def _token() -> dict[str, str]:
    """Variables that make Ray require a password, since other users can reach the loopback."""
    if "RAY_AUTH_MODE" in os.environ:
        return {}
    # Ray reads RAY_AUTH_MODE when it is imported; by default it also requires a password.
    mode = {} if "ray" in sys.modules else {"RAY_AUTH_MODE": "token"}
    return {**mode, "RAY_AUTH_TOKEN": _password()}


@cache
def _password() -> str:
    """The password of this process; it never changes, since Ray remembers it."""
    return secrets.token_hex(32)


def _connect(address: str) -> None:
    """Connect to the cluster at HOST:PORT, or to the one of `ray start` on this machine."""
    target = _current_cluster() if address == "auto" else address
    environment = {}
    if target:
        host, _, port = target.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as peer:
                if peer.getpeername()[0] in (LOOPBACK, "::1"):
                    # Otherwise Ray tries the outer address of this machine.
                    environment = _LOOPBACK_ALONE
        except (OSError, OverflowError, ValueError) as error:
            raise UsageError(
                f"runner.address={address}: no answer from {target} ({error})"
            ) from None
    with patch.dict(os.environ, environment):
        _init(address)


def _current_cluster() -> str:
    """The address that Ray uses for `auto`; empty if there is none, which Ray reports itself."""
    with suppress(OSError):
        note = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
        return os.environ.get("RAY_ADDRESS") or note.read_text().strip()
    return ""


def _init(address: str, **options: Any) -> None:
    """Call `ray.init`, with its errors in one line and without its handler of SIGTERM."""
    with signals_held():
        import ray

        try:
            with patch("signal.signal"):
                ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:
            text = " ".join(str(error).split())[:500]
            raise UsageError(f"runner.address={address}: {type(error).__name__}: {text}") from None


def nodes() -> dict[str, Mapping[str, float]]:
    """Id of each living node -> its resources: cores, bytes of memory and so on."""
    import ray

    return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}


def capacity(nodes: Iterable[Mapping[str, float]], needs: Mapping[str, float]) -> int:
    """The number of tasks with these needs that idle nodes can run at a time."""
    return sum(
        min(int(node.get(name, 0) / amount) for name, amount in needs.items()) for node in nodes
    )
