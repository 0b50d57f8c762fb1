"""A SQLite database for each shard: `writer=sqlite`.

    SELECT data FROM members WHERE key = '000000007' AND name = 'mask.png'

The same samples give the same bytes with one version of SQLite, whose number is in the file.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from depthmask import (
    DepthmaskError,
    Encoded,
    Members,
    Record,
    SettingError,
    ShardKind,
    ShardReader,
    StorePath,
    Writer,
    open_published,
    setting,
    stage,
    untrusted,
)

_TABLE = """
CREATE TABLE members (
    id INTEGER PRIMARY KEY, sample INTEGER NOT NULL,
    key TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL
)"""


@stage("sqlite")
class Sqlite(Writer):
    """One SQLite database for each shard, with a row for each member of each sample."""

    # An open shard is in memory as a whole.
    open_shards = 8
    reads_arrays = False
    shard_kind = ShardKind.table

    page_size: int = setting(4096, ge=512, le=65536, help="bytes of a page, a power of two")

    def __post_init__(self) -> None:
        if self.page_size.bit_count() != 1:
            raise SettingError("page_size", self.page_size, "must be a power of two")

    def write(self, folder: Path, shard: str, count: int, samples: Iterable[Encoded]) -> Members:
        """Write `SHARD.sqlite`; members of any name keep their order."""
        with closing(sqlite3.connect(folder / f"{shard}.sqlite", isolation_level=None)) as database:
            # depthmask syncs the file, and removes it after an error.
            _execute(database, f"PRAGMA page_size = {self.page_size}")
            _execute(database, "PRAGMA journal_mode = OFF")
            _execute(database, "PRAGMA synchronous = OFF")
            _execute(database, "BEGIN")
            _execute(database, _TABLE)
            for number, sample in enumerate(samples):
                for name, data in sample.members.items():
                    _execute(
                        database,
                        "INSERT INTO members (sample, key, name, data) VALUES (?, ?, ?, ?)",
                        (number, sample.key, name, data),
                    )
            _execute(database, "CREATE INDEX of_sample ON members (sample)")
            _execute(database, "COMMIT")
        return {}

    def read(self, folder: StorePath, record: Record) -> ShardReader:
        return SqliteReader(folder, record)


class SqliteReader:
    """Reads samples of a database in memory, so that it may lie in an object store as well."""

    def __init__(self, folder: StorePath, record: Record) -> None:
        self._folder = folder
        self._record = record
        self._database: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def read(self, number: int, key: str) -> Encoded:
        with untrusted(f"{self._record.files[0].name}: {key}"), self._lock:
            if self._database is None:
                self._database = self._open()
            rows = self._database.execute(
                "SELECT key, name, data FROM members WHERE sample = ? ORDER BY id", (number,)
            ).fetchall()
        if {row[0] for row in rows} != {key}:
            raise DepthmaskError(f"{self._record.files[0].name}: {key} is not sample {number}")
        return Encoded(key, {name: data for _, name, data in rows}, {})

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None

    def _open(self) -> sqlite3.Connection:
        with open_published(self._folder, self._record.files[0]) as file:
            content = file.read()
        database = sqlite3.connect(":memory:", check_same_thread=False)
        database.deserialize(content)
        return database


def _execute(database: sqlite3.Connection, statement: str, values: tuple[object, ...] = ()) -> None:
    """Run a statement; `OSError` if the disk is full, `DepthmaskError` for any other error."""
    try:
        database.execute(statement, values)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, f"SQLite: {error}") from error
        raise DepthmaskError(f"SQLite: {error}") from None
