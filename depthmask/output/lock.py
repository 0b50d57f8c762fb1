"""One run at a time in a dataset."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from depthmask.location import Location
from depthmask.output.store import LOCK, store_of

__all__ = ["LOCK", "locked"]


def locked(output: Location) -> AbstractContextManager[Callable[[], None]]:
    """Hold it, by whatever its store has for that; UsageError if another run has it.

    Gives what raises once the lock is lost: a run calls it before it goes on.
    """
    return store_of(output).locked(output)
