"""Which store a location belongs to."""

from __future__ import annotations

from depthmask.location import Location
from depthmask.output.store.base import Store
from depthmask.output.store.local import LocalStore

_LOCAL = LocalStore()


def store_of(location: Location) -> Store:
    """The store that holds what lies there."""
    return _LOCAL
