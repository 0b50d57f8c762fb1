"""Runs depthmask in a process that ends with its parent.

    python -m benchmarks.usefulness.child PARENT WORDS

A child that outlived a killed harness would hold the lock of the dataset that the next one makes.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
"""The constant of linux/prctl.h."""
_POLL_S = 0.2


def main() -> None:
    """Run the words of depthmask as long as the parent lives."""
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # On other systems, and where the parent was dead before.
    threading.Thread(target=_await_end, args=[parent], daemon=True).start()
    sys.argv = ["depthmask", *sys.argv[2:]]
    runpy.run_module("depthmask", run_name="__main__", alter_sys=True)


def _await_end(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)


if __name__ == "__main__":
    main()
