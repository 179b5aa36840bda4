"""The schema's versions. A database is brought to the newest one step by step when the store opens it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from peewee import SqliteDatabase

#: Statements that lead from version n to n + 1. Never edit one that was released: append.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE asset (
            sha256 TEXT NOT NULL PRIMARY KEY,
            media_type TEXT NOT NULL,
            size INTEGER NOT NULL
        )""",
        """CREATE TABLE character (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            display_name TEXT NOT NULL,
            description TEXT NOT NULL,
            personality TEXT NOT NULL,
            language TEXT NOT NULL,
            voice_engine TEXT NOT NULL,
            voice_id TEXT NOT NULL,
            voice_sample TEXT REFERENCES asset (sha256),
            renderer TEXT NOT NULL,
            portrait TEXT REFERENCES asset (sha256),
            active INTEGER NOT NULL DEFAULT 0,
            created TEXT NOT NULL,
            updated TEXT NOT NULL
        )""",
        "CREATE UNIQUE INDEX character_active ON character (active) WHERE active = 1",
        "CREATE INDEX character_portrait ON character (portrait)",
        "CREATE INDEX character_voice_sample ON character (voice_sample)",
    ),
    (
        "ALTER TABLE character ADD COLUMN voice_latents TEXT REFERENCES asset (sha256)",
        "ALTER TABLE character ADD COLUMN voice_latents_engine TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX character_voice_latents ON character (voice_latents)",
    ),
)


class SchemaError(Exception):
    """The database was written by a newer version of this program."""


def version(database: SqliteDatabase) -> int:
    """The schema version of `database`; 0 is an empty one."""
    return int(_execute(database, "PRAGMA user_version").fetchone()[0])


def migrate(database: SqliteDatabase, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> int:
    """Bring `database` to the newest version and say which that is. A step happens wholly or not at all."""
    while True:
        with database.atomic("IMMEDIATE"):
            current = version(database)
            if current > len(migrations):
                raise SchemaError(
                    f"The database is of version {current}, this program knows {len(migrations)}: update the program."
                )
            if current == len(migrations):
                return current
            for statement in migrations[current]:
                _execute(database, statement)
            _execute(database, f"PRAGMA user_version = {current + 1:d}")


def _execute(database: SqliteDatabase, statement: str) -> Any:
    return database.execute_sql(statement)  # type: ignore[no-untyped-call]  # peewee's stubs leave it untyped
