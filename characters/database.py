"""The connection to SQLite, transactions that hold the write lock from their start, and disks that are full."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from peewee import IntegrityError, OperationalError, SqliteDatabase

from avatar_runtime.contracts import AvatarError, Code

BUSY_TIMEOUT: Final = 10  # s to wait for another writer
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def open_database(path: Path) -> SqliteDatabase:
    """SQLite at `path` in WAL mode: readers never wait, and a commit is on the disk when it returns."""
    pragmas = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": "full"}
    return SqliteDatabase(str(path), pragmas=pragmas, timeout=BUSY_TIMEOUT)


class StorageFailed(Exception):
    """The disk takes no more. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("The gateway cannot write to its disk, which may be full; nothing was changed.")


def hold_open(database: SqliteDatabase) -> Callable[[], None]:
    """Keep `database`'s write-ahead log there until the result is called.

    SQLite removes the log with the last connection and makes it anew with the next; on a full disk it could not, and
    nothing could be read any more.
    """
    connection = sqlite3.connect(database.database, timeout=BUSY_TIMEOUT, check_same_thread=False)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the log is made with the first look
    return connection.close


@contextmanager
def writing(database: SqliteDatabase) -> Iterator[None]:
    """A connection and one transaction; what it raises rolls everything back.

    A name used twice is `name_taken`, a disk that takes no more `StorageFailed`.
    """
    try:
        with database.connection_context(), database.atomic("IMMEDIATE"):
            yield
    except IntegrityError as error:
        if "character.name" in str(error):
            raise AvatarError(Code.NAME_TAKEN, "Another character has this name already.") from error
        raise
    except (OperationalError, OSError) as error:
        if disk_is_full(error):
            raise StorageFailed from error
        raise


def disk_is_full(error: BaseException | None) -> bool:
    """Whether this is what a write says when there is no room, in a file or in SQLite.

    SQLite has then rolled back by itself, so that peewee's rollback fails: the cause stands behind that error.
    """
    while error is not None:
        if isinstance(error, OSError):
            return error.errno in _NO_ROOM
        if any(words in str(error) for words in ("database or disk is full", "disk I/O error")):
            return True
        error = error.__context__
    return False
