"""Characters in a file of this machine: SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from peewee import SqliteDatabase

BUSY_TIMEOUT: Final = 10  # s to wait for another writer
_FULL: Final = ("database or disk is full", "disk I/O error")


class SqliteFile(SqliteDatabase):
    """SQLite in WAL mode: readers never wait, and a commit is on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        pragmas = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": "full"}
        super().__init__(str(path), pragmas=pragmas, timeout=BUSY_TIMEOUT)

    def exclusive(self) -> AbstractContextManager[Any]:
        """A transaction that holds the write lock from its start."""
        return self.atomic("IMMEDIATE")

    def hold_open(self) -> Callable[[], None]:
        """Keep the write-ahead log there until the result is called.

        SQLite removes the log with the last connection and makes it anew with the next; on a full disk it could not,
        and nothing could be read any more.
        """
        connection = sqlite3.connect(self.database, timeout=BUSY_TIMEOUT, check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the log is made with the first look
        return connection.close

    def is_full(self, error: BaseException) -> bool:
        """Whether `error` is what a write says when there is no room."""
        return any(words in str(error) for words in _FULL)

    def is_away(self, error: BaseException) -> bool:
        """Whether `error` says that there is no database to talk to: never of a file."""
        return False

    def dialect(self, statement: str) -> str:
        """A statement of the migrations as SQLite understands it."""
        return statement

    def version(self) -> int:
        """The schema's version; 0 is an empty database."""
        return int(self.execute_sql("PRAGMA user_version").fetchone()[0])  # type: ignore[no-untyped-call]

    def set_version(self, version: int) -> None:
        self.execute_sql(f"PRAGMA user_version = {version:d}")  # type: ignore[no-untyped-call]
