"""The shards that a dataset has open, for any number of threads and forked processes."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from depthmask import forks
from depthmask.output.record import Record
from depthmask.writer.base import ShardReader

Opened: TypeAlias = tuple[Record, ShardReader]


@dataclass(slots=True, eq=False)
class _Shard:
    opened: Opened
    users: int = 0


class OpenShards:
    """Keeps those used last open, and closes none while a thread reads it.

    A forked process begins with none: readers may hold files whose position the processes would
    share.
    """

    def __init__(self) -> None:
        self._lock = forks.Lock(self._forked)
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        # Files are given back also where nobody calls `close`.
        weakref.finalize(self, _close_all, self._shards)

    @contextmanager
    def using(self, name: str, open_it: Callable[[], Opened], most: int) -> Iterator[Opened]:
        """The shard of this name, opened now if it is not open; more than `most` are not kept."""
        shard = self._taken(name) or self._added(name, open_it(), most)
        try:
            yield shard.opened
        finally:
            self._given_back(name, shard)

    def close(self) -> None:
        """Close all; those that are read just now, when that is done."""
        with self._lock:
            _close_all(self._shards)

    def _taken(self, name: str) -> _Shard | None:
        with self._lock:
            shard = self._shards.get(name)
            if shard is not None:
                self._shards.move_to_end(name)
                shard.users += 1
            return shard

    def _added(self, name: str, opened: Opened, most: int) -> _Shard:
        # Opened before the lock was taken, as that may take long: of two that did, one counts.
        with self._lock:
            shard = self._shards.setdefault(name, _Shard(opened))
            shard.users += 1
            if shard.opened is not opened:
                opened[1].close()
            while len(self._shards) > most:
                _close_unused(self._shards.popitem(last=False)[1])
            return shard

    def _given_back(self, name: str, shard: _Shard) -> None:
        with self._lock:
            shard.users -= 1
            if self._shards.get(name) is not shard:
                _close_unused(shard)

    def _forked(self) -> None:
        # What another thread was reading stays as it is: its reader may be half changed.
        _close_all(self._shards)


def _close_all(shards: OrderedDict[str, _Shard]) -> None:
    while shards:
        _close_unused(shards.popitem()[1])


def _close_unused(shard: _Shard) -> None:
    if not shard.users:
        shard.opened[1].close()
