"""Allows one run at a time in an object store, by a lock object that is put only if there is none.

The lock names its holder, who renews it every few seconds. A run that finds a lock does not compare
clocks, which differ between machines: if the holder is on this machine, the run looks whether its
process is alive; otherwise it gives the holder `LEASE_S` to renew the lock.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage import object_store

LEASE_S = 30.0
"""How long a lock of another machine must stay unchanged before its holder counts as dead.

Three renewals may be late or lost. A run that resumes on another machine after a crash waits that
long.
"""
RENEW_S = 8.0
"""How often the holder renews its lock."""
_POLL_S = 1.0

_HELD: set[str] = set()
"""Tokens of the locks that this process holds. A lock of this process with another token is void:
it could not be deleted, because the store was unreachable."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    token: what only this holder's lock has in it. is_conditional: whether the store puts an object
    only in place of the version that the request names.
    """

    token: str
    is_conditional: bool


@contextmanager
def leased(root: str, key: str, output: str) -> Iterator[Holder]:
    """Hold the lock object `key`; UsageError if another run holds it.

    output: the dataset that it locks, for messages.
    """
    lease, ended = _Lease(root, key, output), threading.Event()
    renewing = threading.Thread(target=lease.renew, args=[ended], daemon=True)
    # Callbacks run in reverse order.
    with ExitStack() as at_end:
        _HELD.add(lease.token)
        at_end.callback(_HELD.discard, lease.token)
        lease.take()
        at_end.callback(lease.end)
        renewing.start()
        # Wait no longer: if the store is unreachable, the thread may retry for minutes.
        at_end.callback(renewing.join, RENEW_S)
        at_end.callback(ended.set)
        yield Holder(lease.token, lease.is_conditional)


class _Lease:
    def __init__(self, root: str, key: str, output: str) -> None:
        self._root = root
        self._key = key
        self._output = output
        self.token = uuid.uuid4().hex
        self._holder = {**_this_process(), "token": self.token}
        self._version = object_store.NOTHING
        self.is_conditional = True

    def take(self) -> None:
        """Put the lock if there is none, or replace that of a dead run."""
        existing = None
        while not self._put(object_store.NOTHING if existing is None else existing[0]):
            existing = self._read()
            if existing is None or _is_dead(existing[1]):
                continue
            self._wait(*existing)
        self.is_conditional = self._probe()
        if not self.is_conditional:
            _log.warning(
                "%s: this store ignores If-None-Match or If-Match, so a second run may go "
                "unnoticed, and one that was suspended may overwrite what another has made; see to "
                "it that only one writes there", self._output,
            )  # fmt: skip

    def _probe(self) -> bool:
        """Whether the store refuses to put the lock in place of versions that it has not."""
        content = json.dumps(self._holder).encode()
        for other in (object_store.NOTHING, object_store.Version('"0-depthmask"', "1")):
            with suppress(object_store.TakenError):
                self._version = object_store.put(self._root, self._key, content, other)
                return False
        return True

    def renew(self, ended: threading.Event) -> None:
        """Renew the lock until `ended`, or until another run has it; runs in a thread.

        Whatever writes reads the lock before (see `Fence`), so this tells nobody that it is lost.
        """
        while not ended.wait(RENEW_S):
            # The store may be unreachable for a while.
            with suppress(DepthmaskError):
                if not (self.is_conditional or self._is_ours()) or not self._put(self._version):
                    return

    def end(self) -> None:
        """Delete the lock if this run still holds it and the store is reachable."""
        with suppress(DepthmaskError):
            if self._is_ours():
                object_store.delete(self._root, [self._key])

    def _is_ours(self) -> bool:
        existing = self._read()
        return existing is not None and existing[1].get("token") == self.token

    def _put(self, instead_of: object_store.Version) -> bool:
        """Put the lock in place of that version; returns False if the store has another one."""
        # The count makes the content new each time, so that each lock has a new etag.
        self._holder["count"] = self._holder.get("count", 0) + 1
        content = json.dumps(self._holder).encode()
        try:
            self._version = object_store.put(self._root, self._key, content, instead_of)
        except object_store.TakenError:
            # A put whose answer was lost is retried, and then finds its own lock.
            existing = self._read()
            if existing is None or existing[1] != self._holder:
                return False
            self._version = existing[0]
        return True

    def _read(self) -> tuple[object_store.Version, dict[str, Any]] | None:
        """Return the lock's version and its holder; None if there is no lock."""
        try:
            info, content = object_store.get(self._root, self._key)
        except FileNotFoundError:
            return None
        try:
            holder = json.loads(content)
        except ValueError:
            holder = None
        return info.version, holder if isinstance(holder, dict) else {}

    def _wait(self, version: object_store.Version, holder: dict[str, Any]) -> None:
        """Return when the lock stayed unchanged for `LEASE_S`; UsageError once it is renewed."""
        begun = time.monotonic()
        host, warned = holder.get("host"), False
        same_machine = _machine(holder) == _machine(self._holder)
        while time.monotonic() - begun < LEASE_S:
            info = None if same_machine else object_store.head(self._root, self._key)
            if same_machine or (info is not None and info.version != version):
                raise UsageError(
                    f"output={self._output}: another run is at work there (process "
                    f"{holder.get('pid')} on {host}); "
                    "wait for it or choose another output"
                )
            if info is None:
                return
            if not warned:
                _log.warning(
                    "waiting %g s to see whether the run on %s is still alive", LEASE_S, host
                )
                warned = True
            time.sleep(_POLL_S)


def _this_process() -> dict[str, Any]:
    return {
        "host": platform.node(),
        "boot": _text("/proc/sys/kernel/random/boot_id"),
        # Containers number their processes alike.
        "processes": os.readlink("/proc/self/ns/pid"),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
    }


def _machine(holder: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(holder.get(key) for key in ("host", "boot", "processes"))


def _is_dead(holder: dict[str, Any]) -> bool:
    """Return whether the holder was a run on this machine that has ended.

    Its process id may have been reused, so the start times are compared as well.
    """
    ours = _this_process()
    if _machine(holder) != _machine(ours) or type(holder.get("pid")) is not int:
        return False
    if (holder["pid"], holder.get("started")) == (ours["pid"], ours["started"]):
        return holder.get("token") not in _HELD
    return _started(holder["pid"]) != holder.get("started")


def _started(process: int) -> str | None:
    """Return when the process began, in ticks since the boot; None if it ended or is a zombie."""
    text = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
    return text[19] if text and text[0] != "Z" else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
