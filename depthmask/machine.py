"""The machine that a run has."""

from __future__ import annotations

import os
import platform


def cores() -> int:
    """How many cores this process may use; a container often has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """Python and processor, for the log."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
