"""The characters' database, a file or a server: reading and writing, and what both say when they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from peewee import IntegrityError, InterfaceError, OperationalError

from avatar_runtime.contracts import AvatarError, Code
from characters.failures import NO_ROOM, StorageAway, StorageFailed
from characters.postgres import PostgresServer
from characters.sqlite import SqliteFile

Database = SqliteFile | PostgresServer

SCHEMES: Final = ("postgresql", "postgres")
#: SQLite names the column, PostgreSQL the constraint.
_TAKEN: Final = ("character.name", "character_name_key")


def open_database(place: Path | str) -> Database:
    """SQLite at a path, or PostgreSQL at a URL; nothing is asked of either yet."""
    return SqliteFile(place) if isinstance(place, Path) else PostgresServer(place)


def is_database_url(text: str) -> bool:
    """Whether it is an address that `open_database` takes."""
    return urlsplit(text).scheme in SCHEMES


@contextmanager
def reading(database: Database) -> Iterator[None]:
    """A connection. `StorageAway` when there is none to be had."""
    with _told(database), database.connection_context():
        yield


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """A connection and one transaction; what it raises rolls everything back.

    A name used twice is `name_taken`, a disk that takes no more `StorageFailed`, no server `StorageAway`.
    """
    with _told(database), database.connection_context(), database.exclusive():
        yield


@contextmanager
def _told(database: Database) -> Iterator[None]:
    """What the database says, in our words."""
    try:
        yield
    except IntegrityError as error:
        if any(name in str(error) for name in _TAKEN):
            raise AvatarError(Code.NAME_TAKEN, "Another character has this name already.") from error
        raise
    except (OperationalError, InterfaceError, OSError) as error:
        # SQLite rolls back by itself, so that peewee's rollback fails: the cause stands behind that error.
        for cause in _chain(error):
            if database.is_full(cause) or (isinstance(cause, OSError) and cause.errno in NO_ROOM):
                raise StorageFailed from error
        if any(database.is_away(cause) for cause in _chain(error)):
            raise StorageAway from error
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those it was raised over."""
    while error is not None:
        yield error
        error = error.__context__
