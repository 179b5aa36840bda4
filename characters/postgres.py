"""Characters that several gateways share: PostgreSQL, through psycopg 3 (`pip install 'antlitz[postgres]'`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from peewee import PostgresqlDatabase

CONNECT_TIMEOUT: Final = 5  # s
#: Who writes holds this lock, one at a time as with SQLite: no gateway removes a file that another has just stored.
_LOCK: Final = int.from_bytes(b"Antlitz", "big")
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_FULL: Final = ("53100",)  # disk_full
_AWAY: Final = ("08", "57P", "53300")  # connection exceptions, shutdown and start-up, too many connections
#: The migrations are written for SQLite, which has no type for a truth value.
_WORDS: Final = {"active INTEGER NOT NULL DEFAULT 0": "active BOOLEAN NOT NULL DEFAULT FALSE", "active = 1": "active"}


class PostgresServer(PostgresqlDatabase):
    """A database of a PostgreSQL server (12 or later), by its URL. Every task has a connection of its own."""

    def __init__(self, url: str) -> None:
        super().__init__(url, prefer_psycopg3=True, connect_timeout=CONNECT_TIMEOUT)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A transaction that no other writer of these characters runs beside."""
        with self.atomic():
            self.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))  # type: ignore[no-untyped-call]
            yield

    def hold_open(self) -> Callable[[], None]:
        """Nothing has to be held open: the server is."""
        return lambda: None

    def is_full(self, error: BaseException) -> bool:
        """Whether `error` is what a write says when there is no room."""
        return _state(error) in _FULL

    def is_away(self, error: BaseException) -> bool:
        """Whether `error` says that there is no database to talk to. A connection that never came has no state."""
        return _state(error).startswith(_AWAY) or "connection" in str(error)

    def dialect(self, statement: str) -> str:
        """A statement of the migrations as PostgreSQL understands it."""
        for ours, theirs in _WORDS.items():
            statement = statement.replace(ours, theirs)
        return statement

    def version(self) -> int:
        """The schema's version; 0 is an empty database."""
        if not self.table_exists("schema_version"):
            return 0
        return int(self.execute_sql("SELECT version FROM schema_version").fetchone()[0])  # type: ignore[no-untyped-call]

    def set_version(self, version: int) -> None:
        self.execute_sql("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")  # type: ignore[no-untyped-call]
        self.execute_sql("DELETE FROM schema_version")  # type: ignore[no-untyped-call]
        self.execute_sql("INSERT INTO schema_version VALUES (%s)", (version,))  # type: ignore[no-untyped-call]


def _state(error: BaseException) -> str:
    """The SQLSTATE that psycopg's error carries; peewee's stands around it."""
    return str(getattr(error, "sqlstate", None) or "")
