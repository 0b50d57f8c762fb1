"""The connection to a cluster, and the room that it has."""

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
"""Of shared memory; the record of 4,000 samples has 0.2 MB. Ray would take 30 % of the memory."""
CONNECT_SECONDS = 5.0
"""Ray itself tries for two minutes, and then ends the process."""
LOOPBACK = "127.0.0.1"
_LOOPBACK_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Elsewhere Ray binds to all interfaces; this is its switch for the platforms where it does not."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to the cluster of this address, or as the program has been before.

    UsageError if that cannot be. What was started here has ended afterwards, and left no files.
    """
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield
        return
    # Not TMPDIR, which is long on many clusters: paths of sockets may have 107 bytes.
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
    """A cluster of this machine's cores, for this process alone."""
    environment = {
        **_LOOPBACK_ALONE,
        **_token(),
        "RAY_USAGE_STATS_ENABLED": "0",
        # As the workers of runner=local; Ray would let everything else on the machine go first.
        "RAY_worker_niceness": "0",
    }
    with patch.dict(os.environ, environment):
        _init(
            "local",
            num_cpus=len(os.sched_getaffinity(0)),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            # Below ours: Ray opens its folder to everybody.
            _temp_dir=f"{scratch}/ray",
        )
    import ray

    if ray.util.get_node_ip_address() != LOOPBACK:
        raise UsageError(
            "runner.address=local: Ray was imported before and would listen on all interfaces; "
            "import it later, or connect it yourself"
        )


def _token() -> dict[str, str]:
    """Others on this machine reach the loopback, too: they are asked for a password."""
    if "RAY_AUTH_MODE" in os.environ:
        return {}
    # Read when Ray is imported; afterwards it can only be left to Ray, which asks by default.
    mode = {} if "ray" in sys.modules else {"RAY_AUTH_MODE": "token"}
    return {**mode, "RAY_AUTH_TOKEN": _password()}


@cache
def _password() -> str:
    """One for the process, since Ray remembers it."""
    return secrets.token_hex(32)


def _connect(address: str) -> None:
    """The cluster at HOST:PORT, or the one that `ray start` noted down on this machine."""
    named = _noted() if address == "auto" else address
    environment = {}
    if named:
        host, _, port = named.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as there:
                if there.getpeername()[0] in (LOOPBACK, "::1"):
                    # Ray would look for it at this machine's outer address.
                    environment = _LOOPBACK_ALONE
        except (OSError, OverflowError, ValueError) as error:
            raise UsageError(
                f"runner.address={address}: nobody answers at {named} ({error})"
            ) from None
    with patch.dict(os.environ, environment):
        _init(address)


def _noted() -> str:
    """Where Ray will look for `auto`; empty if it has to say itself that there is nothing."""
    with suppress(OSError):
        note = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
        return os.environ.get("RAY_ADDRESS") or note.read_text().strip()
    return ""


def _init(address: str, **options: Any) -> None:
    """`ray.init`, with its errors in one line, and without its answer to SIGTERM."""
    with signals_held():
        import ray

        try:
            with patch("signal.signal"):
                ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:
            text = " ".join(str(error).split())[:500]
            raise UsageError(f"runner.address={address}: {type(error).__name__}: {text}") from None


def nodes() -> dict[str, Mapping[str, float]]:
    """What each living node has, by its id: cores, bytes of memory and so on."""
    import ray

    return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}


def room(there: Iterable[Mapping[str, float]], wanted: Mapping[str, float]) -> int:
    """How many tasks that want so much these nodes could work at, were nobody else there."""
    return sum(
        min(int(node.get(name, 0) / amount) for name, amount in wanted.items()) for node in there
    )
