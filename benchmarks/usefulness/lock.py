"""The lock of OUT: two commands at once would make the same runs, and mix their lines."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock of a folder; one line where another process has it."""
    out.mkdir(parents=True, exist_ok=True)
    # No child inherits it, so it is free once this process ends, however it ends.
    handle = os.open(out / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _take(handle, out)
        yield
    finally:
        os.close(handle)


def _take(handle: int, out: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(
            f"{out}: another run is at work there; wait for it, or choose another --out"
        ) from None
