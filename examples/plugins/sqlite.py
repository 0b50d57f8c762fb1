"""A writer whose files have an index of their own, so that it reads them as well."""

from __future__ import annotations

import errno
import sqlite3
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
)


@stage("sqlite")
class Sqlite(Writer):
    """One SQLite file for each shard, with a row for each member of a sample."""

    reads_arrays = False
    shard_kind = ShardKind.table

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write one file; {} says that `read` needs no byte ranges."""
        with closing(sqlite3.connect(folder / f"{shard}.sqlite")) as database:
            try:
                database.execute("CREATE TABLE member (sample INTEGER, name TEXT, content BLOB)")
                for number, sample in enumerate(samples):
                    rows = [(number, *member) for member in sample.members.items()]
                    database.executemany("INSERT INTO member VALUES (?, ?, ?)", rows)
                database.commit()
            except sqlite3.Error as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise OSError(errno.ENOSPC, f"SQLite: {error}") from error
                raise
        return {}

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        """Open a published shard."""
        return SqliteReader(folder, record)


class SqliteReader:
    """A shard in memory, so that it can be read from an object store as well."""

    def __init__(self, folder: StorePath, record: Record) -> None:
        with open_published(folder, record.files[0]) as file:
            content = file.read()
        # SQLite itself lets one thread in at a time.
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.deserialize(content)

    def read(self, number: int, key: str) -> Encoded:
        """The members of sample `number` of the shard, counted from 0."""
        query = "SELECT name, content FROM member WHERE sample = ?"
        return Encoded(key, dict(self._database.execute(query, [number]).fetchall()), {})

    def close(self) -> None:
        """Free the memory."""
        self._database.close()
