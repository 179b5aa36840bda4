"""The schema's versions. A database is brought to the newest one step by step when the store opens it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from characters.database import Database

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


def migrate(database: Database, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> int:
    """Bring `database` to the newest version and say which that is. A step happens wholly or not at all."""
    while True:
        with database.exclusive():
            current = database.version()
            if current > len(migrations):
                raise SchemaError(
                    f"The database is of version {current}, this program knows {len(migrations)}: update the program."
                )
            if current == len(migrations):
                return current
            for statement in migrations[current]:
                database.execute_sql(database.dialect(statement))  # type: ignore[no-untyped-call]  # peewee's stubs
            database.set_version(current + 1)
