"""Ends worker processes whose parent was killed: they are of no use, and keep cores and memory."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
"""The constant of linux/prctl.h."""
_POLL_S = 0.5


def end_with_parent() -> None:
    """End this process when its parent is killed, even in the middle of a shard.

    The next run gets the lock at once, and may make another dataset in the same folder.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return
    if sys.platform == "linux":
        # This ends the worker even if it is stopped or hangs in a library. But it has no effect if
        # the parent is already dead, and it sees only the end of the thread that started the
        # worker.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_await_end, args=[parent.pid], daemon=True).start()


def _await_end(parent: int) -> None:
    # Not by the parent's sentinel, which the workers of joblib do not have.
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)
