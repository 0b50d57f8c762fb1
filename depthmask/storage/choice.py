"""Which store a location belongs to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from depthmask.storage.local import LocalStore
from depthmask.storage.location import Location
from depthmask.storage.remote import RemoteStore
from depthmask.storage.store import Store

_LOCAL, _REMOTE = LocalStore(), RemoteStore()


def store_of(location: Location) -> Store[Any]:
    """The store that holds what lies there."""
    return _LOCAL if isinstance(location, Path) else _REMOTE


def locked(output: Location) -> AbstractContextManager[Callable[[], None]]:
    """Hold it, by whatever its store has for that; UsageError if another run has it.

    Gives what raises once the lock is lost: a run calls it before it goes on.
    """
    return store_of(output).locked(output)
