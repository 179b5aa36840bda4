"""The tables, as peewee sees them. They are bound to no database: the store says which one, query by query."""

from __future__ import annotations

from typing import Any

from peewee import BooleanField, ForeignKeyField, IntegerField, Model, TextField

from characters.record import Character, Voice


class AssetRow(Model):
    """A file below ``assets/`` that at least one character uses."""

    sha256 = TextField(primary_key=True)
    media_type = TextField()
    size = IntegerField()  # bytes

    class Meta:
        table_name = "asset"


class CharacterRow(Model):
    """One character; `active` is true in at most one row, which the database enforces."""

    id = TextField(primary_key=True)
    name = TextField(unique=True)
    display_name = TextField()
    description = TextField()
    personality = TextField()
    language = TextField()
    voice_engine = TextField()
    voice_id = TextField()
    voice_sample = ForeignKeyField(AssetRow, column_name="voice_sample", null=True, backref="+")
    voice_latents = ForeignKeyField(AssetRow, column_name="voice_latents", null=True, backref="+")
    voice_latents_engine = TextField()
    renderer = TextField()
    portrait = ForeignKeyField(AssetRow, column_name="portrait", null=True, backref="+")
    active = BooleanField()
    created = TextField()
    updated = TextField()

    class Meta:
        table_name = "character"


def record(row: Any) -> Character:
    """The plain values of a `CharacterRow`."""
    return Character(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        description=row.description,
        personality=row.personality,
        language=row.language,
        voice=Voice(
            row.voice_engine, row.voice_id, row.voice_sample_id, row.voice_latents_id, row.voice_latents_engine
        ),
        renderer=row.renderer,
        portrait=row.portrait_id,
        active=bool(row.active),
        created=row.created,
        updated=row.updated,
    )
