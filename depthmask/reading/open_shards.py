"""Keeps the shards of a dataset open, for any number of threads and forked processes."""

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

OpenShard: TypeAlias = tuple[Record, ShardReader]

KEPT_BYTES = 64 << 20
"""The size to which records of closed shards are kept in memory, in bytes.

It suffices for 1.4 million samples of four members. Reading the record of a large shard takes far
longer than reopening its files."""


@dataclass(slots=True, eq=False)
class _Shard:
    opened: OpenShard
    users: int = 0

    @property
    def bytes(self) -> int:
        """The approximate size of its record in memory."""
        record = self.opened[0]
        ranges = sum(ranges.nbytes for ranges in record.members.values())
        return 4096 + 300 * len(record.files) + ranges

    def close_unused(self) -> None:
        """Close its files, unless a thread reads them."""
        if not self.users:
            self.opened[1].close()


class OpenShards:
    """Keeps the shards used last open and remembers the records of others.

    No shard is closed while a thread reads it. A forked process begins with all of them closed:
    readers may hold files whose position the processes would share.
    """

    def __init__(self) -> None:
        self._lock = forks.Lock(self._forked)
        self._open: OrderedDict[str, _Shard] = OrderedDict()
        self._closed: OrderedDict[str, _Shard] = OrderedDict()
        self._closed_bytes = 0
        # Files are closed even if nobody calls `close`.
        weakref.finalize(self, _close_all, self._open)

    @contextmanager
    def using(
        self, name: str, open_shard: Callable[[], OpenShard], most_open: int
    ) -> Iterator[OpenShard]:
        """Give the shard of this name, opened if necessary.

        most_open: how many shards may stay open.
        """
        shard = self._acquire(name, None, most_open) or self._acquire(name, open_shard(), most_open)
        assert shard is not None, "it has just been opened"
        try:
            yield shard.opened
        finally:
            self._release(name, shard)

    def close(self) -> None:
        """Close all shards; one that a thread reads is closed when the thread is done."""
        with self._lock:
            self._close_beyond(0)

    def _acquire(self, name: str, new: OpenShard | None, most_open: int) -> _Shard | None:
        """Return the known shard, else the new one; None without either."""
        with self._lock:
            shard = self._open.get(name) or self._take_closed(name)
            if shard is None:
                if new is None:
                    return None
                shard = _Shard(new)
            elif new is not None:
                # It was opened without the lock, as that may take long; another thread was first.
                new[1].close()
            self._open[name] = shard
            self._open.move_to_end(name)
            shard.users += 1
            self._close_beyond(most_open)
            return shard

    def _release(self, name: str, shard: _Shard) -> None:
        with self._lock:
            shard.users -= 1
            if self._open.get(name) is not shard:
                shard.close_unused()

    def _take_closed(self, name: str) -> _Shard | None:
        """Remove a closed shard from memory and return it; None if it is not there."""
        shard = self._closed.pop(name, None)
        if shard is not None:
            self._closed_bytes -= shard.bytes
        return shard

    def _close_beyond(self, most_open: int) -> None:
        """Close the shards that were used longest ago until at most `most_open` are open."""
        while len(self._open) > most_open:
            name, shard = self._open.popitem(last=False)
            shard.close_unused()
            self._closed[name] = shard
            self._closed_bytes += shard.bytes
        while self._closed_bytes > KEPT_BYTES:
            self._closed_bytes -= self._closed.popitem(last=False)[1].bytes

    def _forked(self) -> None:
        # Threads of the parent may have been in the middle of reading these: they are dropped
        # unclosed.
        for shards in (self._open, self._closed):
            for name in [name for name, shard in shards.items() if shard.users]:
                del shards[name]
        self._closed_bytes = sum(shard.bytes for shard in self._closed.values())
        self._close_beyond(0)


def _close_all(shards: OrderedDict[str, _Shard]) -> None:
    while shards:
        shards.popitem()[1].close_unused()
