"""The connection to SQLite, and transactions that hold the write lock from their start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from peewee import IntegrityError, SqliteDatabase

from avatar_runtime.contracts import AvatarError, Code

BUSY_TIMEOUT: Final = 10  # s to wait for another writer


def open_database(path: Path) -> SqliteDatabase:
    """SQLite at `path` in WAL mode: readers never wait, and a commit is on the disk when it returns."""
    pragmas = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": "full"}
    return SqliteDatabase(str(path), pragmas=pragmas, timeout=BUSY_TIMEOUT)


@contextmanager
def writing(database: SqliteDatabase) -> Iterator[None]:
    """A connection and one transaction; what it raises rolls everything back. A name used twice is `name_taken`."""
    with database.connection_context():
        try:
            with database.atomic("IMMEDIATE"):
                yield
        except IntegrityError as error:
            if "character.name" in str(error):
                raise AvatarError(Code.NAME_TAKEN, "Another character has this name already.") from error
            raise
