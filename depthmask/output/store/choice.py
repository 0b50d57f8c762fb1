"""Which store a location belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depthmask.location import Location
from depthmask.output.store.base import Store
from depthmask.output.store.local import LocalStore
from depthmask.output.store.remote import RemoteStore

_LOCAL, _REMOTE = LocalStore(), RemoteStore()


def store_of(location: Location) -> Store[Any]:
    """The store that holds what lies there."""
    return _LOCAL if isinstance(location, Path) else _REMOTE
