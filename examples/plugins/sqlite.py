"""A writer whose files have an index of their own, so that it reads them as well."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from depthmask import (
    Encoded,
    Members,
    Record,
    ShardKind,
    ShardReader,
    StorePath,
    Writer,
    open_published,
    stage,
    untrusted,
)


@stage("sqlite")
class Sqlite(Writer):
    """One SQLite file for each shard, with a row for each member of a sample."""

    open_shards = 8  # Each is in memory as a whole.
    reads_arrays = False
    shard_kind = ShardKind.table

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write one file; {} says that `read` needs no byte ranges."""
        with closing(sqlite3.connect(folder / f"{shard}.sqlite")) as database:
            try:
                # The framework removes the file after an error.
                database.execute("PRAGMA journal_mode = OFF")
                database.execute("CREATE TABLE member (sample INTEGER, name TEXT, content BLOB)")
                for number, sample in enumerate(samples):
                    rows = [(number, *member) for member in sample.members.items()]
                    database.executemany("INSERT INTO member VALUES (?, ?, ?)", rows)
                database.commit()
            except sqlite3.Error as error:
                if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
                    raise OSError(errno.ENOSPC, f"SQLite: {error}") from error
                raise
        return {}

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open a published shard."""
        return SqliteReader(folder, record)


class SqliteReader:
    """Reads a shard in memory, so that it may lie in an object store as well."""

    def __init__(self, folder: StorePath, record: Record) -> None:
        self._folder, self._file = folder, record.files[0]
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def read(self, number: int, key: str) -> Encoded:
        """The members of sample `number` of the shard, counted from 0."""
        query = "SELECT name, content FROM member WHERE sample = ? ORDER BY rowid"
        with untrusted(f"{self._file.name}: {key}"), self._lock:
            if self._database is None:
                self._database = self._opened()
            return Encoded(key, dict(self._database.execute(query, [number]).fetchall()), {})

    def close(self) -> None:
        """Free the memory; the next `read` opens the shard again."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def _opened(self) -> sqlite3.Connection:
        with open_published(self._folder, self._file) as file:
            content = file.read()
        database = sqlite3.connect(":memory:", check_same_thread=False)
        database.deserialize(content)
        return database
