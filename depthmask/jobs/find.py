"""Which origin the paths on a command line are."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.errors import UsageError
from depthmask.jobs.made import Made
from depthmask.jobs.origin import Origin


def origin(paths: Sequence[str]) -> Origin:
    """What lies there; UsageError if it is nothing that can be read."""
    if len(paths) > 1:
        raise UsageError(f"{', '.join(paths)}: one dataset at a time")
    return Made(paths[0])
