from __future__ import annotations

import pytest
from peewee import OperationalError

from characters import CharacterStore, NewCharacter
from characters.database import open_database
from characters.migrations import MIGRATIONS, SchemaError, migrate, version
from characters.models import AssetRow, CharacterRow


@pytest.fixture
def database(tmp_path):
    database = open_database(tmp_path / "characters.db")
    with database.connection_context():
        yield database


def columns(database, table: str) -> list[str]:
    return [column.name for column in database.get_columns(table)]


def test_from_nothing_to_the_newest(database):
    assert version(database) == 0
    assert migrate(database) == len(MIGRATIONS) == version(database)
    for model in (AssetRow, CharacterRow):
        names = [field.column_name for field in model._meta.sorted_fields]
        assert sorted(columns(database, model._meta.table_name)) == sorted(names)
    assert migrate(database) == len(MIGRATIONS)


def test_step_by_step_with_data(database):
    migrate(database, MIGRATIONS[:1])
    database.execute_sql(
        "INSERT INTO character (id, name, display_name, description, personality, language, voice_engine, voice_id,"
        " renderer, created, updated) VALUES ('1', 'ada', 'Ada', '', '', 'en', '', '', '', 'then', 'then')"
    )
    later = (*MIGRATIONS, ("ALTER TABLE character ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'",))
    assert migrate(database, later) == len(later)
    assert database.execute_sql("SELECT name, mood FROM character").fetchall() == [("ada", "calm")]


def test_a_step_that_fails_leaves_the_version_before(database):
    migrate(database)
    broken = (*MIGRATIONS, ("CREATE TABLE half (x)", "this is no SQL"))
    with pytest.raises(OperationalError):
        migrate(database, broken)
    assert version(database) == len(MIGRATIONS) and "half" not in database.get_tables()


def test_a_newer_database_is_left_alone(tmp_path, database):
    migrate(database)
    CharacterStore(tmp_path, lambda: []).create(NewCharacter(name="ada"))
    database.execute_sql("PRAGMA user_version = 99")
    with pytest.raises(SchemaError, match="update the program"):
        CharacterStore(tmp_path)
    assert database.execute_sql("SELECT name FROM character").fetchall() == [("ada",)]


def test_a_database_from_before_cloning_keeps_its_samples(database):
    migrate(database, MIGRATIONS[:1])
    database.execute_sql("INSERT INTO asset VALUES ('ab', 'audio/wav', 1)")
    database.execute_sql(
        "INSERT INTO character (id, name, display_name, description, personality, language, voice_engine, voice_id,"
        " voice_sample, renderer, created, updated)"
        " VALUES ('1', 'ada', 'Ada', '', '', 'en', '', '', 'ab', '', 'then', 'then')"
    )
    migrate(database)
    found = database.execute_sql("SELECT voice_sample, voice_latents, voice_latents_engine FROM character").fetchall()
    assert found == [("ab", None, "")]
