"""The shards that a dataset reads from, for any number of threads and forked processes."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from depthmask import forks
from depthmask.stages.writer.reader import ShardReader
from depthmask.storage.record import Record

Opened: TypeAlias = tuple[Record, ShardReader]

KEPT_BYTES = 64 << 20
"""Of the records of shards that are closed: the places of 1.4 million samples with four members. A
shard of 4,000 is opened again in 20 us, to read its record takes 5 ms."""


@dataclass(slots=True, eq=False)
class _Shard:
    opened: Opened
    users: int = 0

    @property
    def bytes(self) -> int:
        """Of its record, about."""
        record = self.opened[0]
        places = sum(places.nbytes for places in record.members.values())
        return 4096 + 300 * len(record.files) + places

    def close_unused(self) -> None:
        """Give back its files, unless a thread reads them."""
        if not self.users:
            self.opened[1].close()


class OpenShards:
    """Keeps those used last open, closes none while a thread reads it, and remembers records.

    A forked process begins with all of them closed: readers may hold files whose position the
    processes would share.
    """

    def __init__(self) -> None:
        self._lock = forks.Lock(self._forked)
        self._open: OrderedDict[str, _Shard] = OrderedDict()
        self._closed: OrderedDict[str, _Shard] = OrderedDict()
        self._closed_bytes = 0
        # Files are given back also where nobody calls `close`.
        weakref.finalize(self, _close_all, self._open)

    @contextmanager
    def using(self, name: str, open_it: Callable[[], Opened], most: int) -> Iterator[Opened]:
        """The shard of this name, opened now if it is not open; no more than `most` stay open."""
        shard = self._taken(name, None, most) or self._taken(name, open_it(), most)
        assert shard is not None, "it has just been opened"
        try:
            yield shard.opened
        finally:
            self._given_back(name, shard)

    def close(self) -> None:
        """Close all; those that are read just now, when that is done."""
        with self._lock:
            self._close_beyond(0)

    def _taken(self, name: str, new: Opened | None, most: int) -> _Shard | None:
        """The shard that is known, or else the new one, which may be too late."""
        with self._lock:
            shard = self._open.get(name) or self._remembered(name)
            if shard is None:
                if new is None:
                    return None
                shard = _Shard(new)
            elif new is not None:
                # It was opened without the lock, as that may take long; another was first.
                new[1].close()
            self._open[name] = shard
            self._open.move_to_end(name)
            shard.users += 1
            self._close_beyond(most)
            return shard

    def _given_back(self, name: str, shard: _Shard) -> None:
        with self._lock:
            shard.users -= 1
            if self._open.get(name) is not shard:
                shard.close_unused()

    def _remembered(self, name: str) -> _Shard | None:
        shard = self._closed.pop(name, None)
        if shard is not None:
            self._closed_bytes -= shard.bytes
        return shard

    def _close_beyond(self, most: int) -> None:
        while len(self._open) > most:
            name, shard = self._open.popitem(last=False)
            shard.close_unused()
            self._closed[name] = shard
            self._closed_bytes += shard.bytes
        while self._closed_bytes > KEPT_BYTES:
            self._closed_bytes -= self._closed.popitem(last=False)[1].bytes

    def _forked(self) -> None:
        # What other threads of the parent were reading is left alone: it may be half changed.
        for shards in (self._open, self._closed):
            for name in [name for name, shard in shards.items() if shard.users]:
                del shards[name]
        self._closed_bytes = sum(shard.bytes for shard in self._closed.values())
        self._close_beyond(0)


def _close_all(shards: OrderedDict[str, _Shard]) -> None:
    while shards:
        shards.popitem()[1].close_unused()
