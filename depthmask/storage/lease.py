"""One run at a time in an object store: a lock object, put only where there is none.

It says who holds it, and is put again every few seconds. Who finds one does not compare clocks,
which differ between machines: a holder on this machine is alive or it is not, and another one has
`LEASE_S` to renew it before our eyes.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage import object_store
from depthmask.storage.location import Address

LEASE_S = 30.0
"""How long a lock of another machine has to stay as it is before its holder counts as dead.

Three renewals may be late or lost; whoever resumes elsewhere after a crash waits for so long.
"""
RENEW_S = 8.0
_LOOK_S = 1.0

_HELD: set[str] = set()
"""Tokens of the locks of this process: one that the store was too far away to delete is over."""
_log = logging.getLogger(__name__)


@contextmanager
def leased(lock: Address, output: Address) -> Iterator[Callable[[], None]]:
    """Hold the lock; UsageError if another run has it. Yields what raises once it is lost."""
    lease, ended = _Lease(lock, output), threading.Event()
    renewing = threading.Thread(target=lease.renew, args=[ended], daemon=True)
    # In the end, the last one first.
    with ExitStack() as at_end:
        _HELD.add(lease.token)
        at_end.callback(_HELD.discard, lease.token)
        lease.take()
        at_end.callback(lease.end)
        renewing.start()
        # Not longer: where the store is away, it may try for minutes, and then finds no lock.
        at_end.callback(renewing.join, RENEW_S)
        at_end.callback(ended.set)
        yield lease.require


class _Lease:
    def __init__(self, lock: Address, output: Address) -> None:
        self._lock = lock
        self._output = output
        self.token = uuid.uuid4().hex
        self._holder = {**_this_process(), "token": self.token}
        self._version = object_store.NOTHING
        self._renewed = 0.0
        self._is_lost = False

    def take(self) -> None:
        """Put the lock where there is none, or in the place of a dead run's."""
        there = None
        while not self._put(object_store.NOTHING if there is None else there[0]):
            there = self._look()
            if there is None or _is_dead(there[1]):
                continue
            self._wait(*there)

    def renew(self, ended: threading.Event) -> None:
        """In a thread: put it again until the end, or until it is another's."""
        while not ended.wait(RENEW_S):
            try:
                if not self._put(self._version):
                    self._is_lost = True
                    return
            except DepthmaskError:
                # The store is away; whether that was too long is seen when it counts.
                continue

    def require(self) -> None:
        """Raise if another run may have taken it."""
        if self._is_lost or time.monotonic() - self._renewed > LEASE_S:
            raise DepthmaskError(
                f"output={self._output}: the lock was not renewed for {LEASE_S:g} s, so another "
                "run may be at work there; run the same command again"
            )

    def end(self) -> None:
        """Delete it, if it is still ours and the store is there."""
        with suppress(DepthmaskError):
            there = None if self._is_lost else self._look()
            if there is not None and there[1].get("token") == self.token:
                object_store.delete(self._lock.root, [self._lock.key])

    def _put(self, instead_of: object_store.Version) -> bool:
        begun = time.monotonic()
        # Another content each time, and so another etag.
        self._holder["count"] = self._holder.get("count", 0) + 1
        content = json.dumps(self._holder).encode()
        try:
            self._version = object_store.put(self._lock.root, self._lock.key, content, instead_of)
        except object_store.TakenError:
            # A put whose answer was lost is tried again, and then finds itself.
            there = self._look()
            if there is None or there[1] != self._holder:
                return False
            self._version = there[0]
        self._renewed = begun
        return True

    def _look(self) -> tuple[object_store.Version, dict[str, Any]] | None:
        try:
            found, content = object_store.get(self._lock.root, self._lock.key)
        except FileNotFoundError:
            return None
        try:
            holder = json.loads(content)
        except ValueError:
            holder = None
        return found.version, holder if isinstance(holder, dict) else {}

    def _wait(self, version: object_store.Version, holder: dict[str, Any]) -> None:
        """Until the lock has been as it is for long enough; UsageError once it is renewed."""
        begun = time.monotonic()
        host, told = holder.get("host"), False
        is_here = _machine(holder) == _machine(self._holder)
        while time.monotonic() - begun < LEASE_S:
            now = None if is_here else object_store.head(self._lock.root, self._lock.key)
            if is_here or (now is not None and now.version != version):
                raise UsageError(
                    f"output={self._output}: another run is at work there (process "
                    f"{holder.get('pid')} on {host}); "
                    "wait for it or choose another output"
                )
            if now is None:
                return
            if not told:
                _log.warning("a run on %s was here; %g s will tell if it lives", host, LEASE_S)
                told = True
            time.sleep(_LOOK_S)


def _this_process() -> dict[str, Any]:
    return {
        "host": platform.node(),
        "boot": _text("/proc/sys/kernel/random/boot_id"),
        # Processes of two containers have the same numbers.
        "processes": os.readlink("/proc/self/ns/pid"),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
    }


def _machine(holder: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(holder.get(key) for key in ("host", "boot", "processes"))


def _is_dead(holder: dict[str, Any]) -> bool:
    """Whether it was a run of this machine that has ended; its number may be another's now."""
    ours = _this_process()
    if _machine(holder) != _machine(ours) or type(holder.get("pid")) is not int:
        return False
    if (holder["pid"], holder.get("started")) == (ours["pid"], ours["started"]):
        return holder.get("token") not in _HELD
    return _started(holder["pid"]) != holder.get("started")


def _started(process: int) -> str | None:
    """When the process began, in ticks since the boot; None if there is none, or a zombie."""
    text = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
    return text[19] if text and text[0] != "Z" else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
