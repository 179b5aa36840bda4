from __future__ import annotations

import pytest
from peewee import OperationalError, ProgrammingError

from characters import CharacterStore, NewCharacter
from characters.database import open_database
from characters.migrations import MIGRATIONS, SchemaError, migrate
from characters.models import AssetRow, CharacterRow


@pytest.fixture
def place(database, tmp_path):
    """Where the database is, for a store."""
    return database


@pytest.fixture
def opened(database, tmp_path):
    found = open_database(database or tmp_path / "characters.db")
    with found.connection_context():
        yield found


def columns(opened, table: str) -> list[str]:
    return [column.name for column in opened.get_columns(table)]


def test_from_nothing_to_the_newest(opened):
    assert opened.version() == 0
    assert migrate(opened) == len(MIGRATIONS) == opened.version()
    for model in (AssetRow, CharacterRow):
        names = [field.column_name for field in model._meta.sorted_fields]
        assert sorted(columns(opened, model._meta.table_name)) == sorted(names)
    assert migrate(opened) == len(MIGRATIONS)


def test_step_by_step_with_data(opened):
    migrate(opened, MIGRATIONS[:1])
    opened.execute_sql(
        "INSERT INTO character (id, name, display_name, description, personality, language, voice_engine, voice_id,"
        " renderer, created, updated) VALUES ('1', 'ada', 'Ada', '', '', 'en', '', '', '', 'then', 'then')"
    )
    later = (*MIGRATIONS, ("ALTER TABLE character ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'",))
    assert migrate(opened, later) == len(later)
    assert opened.execute_sql("SELECT name, mood FROM character").fetchall() == [("ada", "calm")]


def test_a_step_that_fails_leaves_the_version_before(opened):
    migrate(opened)
    broken = (*MIGRATIONS, ("CREATE TABLE half (x TEXT)", "this is no SQL"))
    with pytest.raises((OperationalError, ProgrammingError)):
        migrate(opened, broken)
    assert opened.version() == len(MIGRATIONS) and "half" not in opened.get_tables()


def test_a_newer_database_is_left_alone(tmp_path, opened, place):
    migrate(opened)
    CharacterStore(tmp_path, lambda: [], place).create(NewCharacter(name="ada"))
    opened.set_version(99)
    with pytest.raises(SchemaError, match="update the program"):
        CharacterStore(tmp_path, database=place)
    assert opened.execute_sql("SELECT name FROM character").fetchall() == [("ada",)]


def test_a_database_from_before_cloning_keeps_its_samples(opened):
    migrate(opened, MIGRATIONS[:1])
    opened.execute_sql("INSERT INTO asset VALUES ('ab', 'audio/wav', 1)")
    opened.execute_sql(
        "INSERT INTO character (id, name, display_name, description, personality, language, voice_engine, voice_id,"
        " voice_sample, renderer, created, updated)"
        " VALUES ('1', 'ada', 'Ada', '', '', 'en', '', '', 'ab', '', 'then', 'then')"
    )
    migrate(opened)
    found = opened.execute_sql("SELECT voice_sample, voice_latents, voice_latents_engine FROM character").fetchall()
    assert found == [("ab", None, "")]
