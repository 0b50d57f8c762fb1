"""One run at a time in a folder, by the kernel's lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from depthmask.errors import UsageError
from depthmask.storage.store import LOCK


def _held() -> None:
    """Always, while its process lives."""


@contextmanager
def flocked(output: Path) -> Iterator[Callable[[], None]]:
    """Hold the folder; UsageError if another run has it.

    The kernel's lock, so it ends with its process however that ends: the file that stays behind,
    and the process id in it, mean nothing.
    """
    handle = os.open(output / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
            raise UsageError(
                f"output={output}: another run is at work there (process {holder}); "
                "wait for it or choose another output"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield _held
    finally:
        os.close(handle)
