from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from peewee import IntegrityError

from avatar_runtime.contracts import AvatarError, Code
from characters import CharacterChange, CharacterStore, NewCharacter
from characters.database import open_database, writing
from characters.models import CharacterRow

PNG = b"\x89PNG\r\n\x1a\n"  # the store looks no further; the gateway does


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "assets").rglob("*") if path.is_file()}


def refusal(code: Code):
    return pytest.raises(AvatarError, match=f"^{code}: ")


def test_what_is_created_is_there_after_a_restart(store, tmp_path, open_store):
    ada = store.create(NewCharacter(name="ada_l", language="de-AT", personality="Knapp.\nGenau."))
    assert (ada.display_name, ada.language, ada.voice.engine, ada.portrait) == ("Ada L", "de", "", None)
    assert open_store(tmp_path).get(ada.id) == ada
    assert ada.created == ada.updated and ada.created.endswith("Z")


def test_a_file_is_in_wal_mode(tmp_path):
    CharacterStore(tmp_path, lambda: [])
    assert sqlite3.connect(tmp_path / "characters.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_unknown_ids(store):
    change = CharacterChange(description="x")
    for use in (
        lambda: store.get("nobody"),
        lambda: store.update("nobody", change),
        lambda: store.delete("nobody"),
        lambda: store.activate("nobody"),
        lambda: store.portrait("nobody"),
        lambda: store.set_portrait("nobody", PNG),
        lambda: store.voice_sample("a\0b"),
    ):
        with refusal(Code.UNKNOWN_CHARACTER):
            use()


def test_names_are_unique(store):
    store.create(NewCharacter(name="ada"))
    bob = store.create(NewCharacter(name="bob"))
    with refusal(Code.NAME_TAKEN):
        store.create(NewCharacter(name="ada"))
    with refusal(Code.NAME_TAKEN):
        store.update(bob.id, CharacterChange(name="ada"))
    assert [character.name for character in store.list()] == ["ada", "bob"]


def test_an_unknown_language(store):
    with refusal(Code.UNKNOWN_LANGUAGE):
        store.create(NewCharacter(name="ada", language="xx"))
    assert store.list() == []
    ada = store.create(NewCharacter(name="ada"))
    with refusal(Code.UNKNOWN_LANGUAGE):
        store.update(ada.id, CharacterChange(language="xx"))
    assert store.update(ada.id, CharacterChange(language="IT")).language == "it"


def test_a_change_changes_what_it_names(store):
    ada = store.create(NewCharacter.model_validate({"name": "ada", "voice": {"engine": "tts_a", "id": "v"}}))
    after = store.update(ada.id, CharacterChange.model_validate({"voice": {"id": ""}, "display_name": "A"}))
    assert (after.voice.engine, after.voice.id, after.display_name, after.name) == ("tts_a", "", "A", "ada")
    assert after.updated > ada.updated and after.created == ada.created
    assert store.update(ada.id, CharacterChange()).updated == after.updated


def test_one_character_is_active(store):
    assert store.active() is None
    ada, bob = (store.create(NewCharacter(name=name)) for name in ("ada", "bob"))
    assert store.active() == ada and ada.active and not bob.active
    assert store.activate(bob.id).active and store.active().id == bob.id and not store.get(ada.id).active
    store.delete(bob.id)
    assert store.active().id == ada.id
    store.delete(ada.id)
    assert store.active() is None


def test_the_database_itself_refuses_two_active_ones(store, tmp_path, database):
    for name in ("ada", "bob"):
        store.create(NewCharacter(name=name))
    opened = open_database(database or tmp_path / "characters.db")
    with pytest.raises(IntegrityError), writing(opened):
        CharacterRow.update(active=True).execute(opened)


def test_files_live_as_long_as_somebody_uses_them(store, tmp_path):
    ada, bob = (store.create(NewCharacter(name=name)) for name in ("ada", "bob"))
    first = store.set_portrait(ada.id, PNG).portrait
    assert store.set_portrait(bob.id, PNG).portrait == first and files(tmp_path) == {first}
    second = store.set_portrait(ada.id, PNG + b"2").portrait
    assert files(tmp_path) == {first, second}
    store.set_portrait(ada.id, PNG)
    assert files(tmp_path) == {first}
    store.delete(ada.id)
    assert files(tmp_path) == {first} and store.portrait(bob.id).data == PNG
    store.delete(bob.id)
    assert files(tmp_path) == set()


def test_a_voice_sample_comes_and_goes(store, tmp_path):
    ada = store.create(NewCharacter(name="ada"))
    assert store.voice_sample(ada.id) is None
    sound = b"fLaC...."
    kept = store.set_voice_sample(ada.id, sound).voice.sample
    asset = store.voice_sample(ada.id)
    assert (asset.data, asset.media_type, asset.sha256) == (sound, "audio/flac", kept)
    store.update(ada.id, CharacterChange.model_validate({"voice": {"sample": None}}))
    assert store.voice_sample(ada.id) is None and files(tmp_path) == set()


def test_what_is_no_picture_or_sound_is_not_stored(store, tmp_path):
    ada = store.create(NewCharacter(name="ada"))
    with refusal(Code.INVALID_IMAGE):
        store.set_portrait(ada.id, b"<html>")
    with refusal(Code.INVALID_AUDIO):
        store.set_voice_sample(ada.id, PNG)
    assert files(tmp_path) == set() and store.get(ada.id) == ada


def test_a_file_that_somebody_removed_is_no_portrait(store, tmp_path):
    ada = store.create(NewCharacter(name="ada"))
    store.set_portrait(ada.id, PNG)
    next((tmp_path / "assets").glob("??/*")).unlink()
    assert store.portrait(ada.id) is None
    store.set_portrait(ada.id, PNG)
    assert store.portrait(ada.id).data == PNG


def test_many_threads(store, tmp_path):
    ada, bob = (store.create(NewCharacter(name=name)) for name in ("ada", "bob"))
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(6):
            character = (ada, bob)[(number + turn) % 2]
            store.set_portrait(character.id, PNG + bytes([turn % 3]))
            store.update(character.id, CharacterChange(description=str(turn)))
            store.list()
            new = store.create(NewCharacter(name=f"n{number}-{turn}"))
            store.activate(new.id)
            store.delete(new.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert {character.name for character in store.list()} == {"ada", "bob"}
    used = {store.get(character.id).portrait for character in (ada, bob)}
    assert files(tmp_path) == used and all(store.portrait(character.id) for character in (ada, bob))
    assert sum(character.active for character in store.list()) == 1


def test_two_with_one_name_at_once(store):
    start = threading.Barrier(4)

    def create(_: int) -> str:
        start.wait()
        try:
            return store.create(NewCharacter(name="ada")).name
        except AvatarError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == ["ada", *["name_taken"] * 3]


WAV = b"RIFF\0\0\0\0WAVE"


def test_latents_live_and_die_with_their_sample(store, tmp_path, open_store):
    ada = store.set_voice_sample(store.create(NewCharacter(name="ada")).id, WAV + b"1", b"latents", "tts_xtts")
    assert ada.voice.latents_engine == "tts_xtts" and store.voice_latents(ada.id) == ("tts_xtts", b"latents")
    assert len(files(tmp_path)) == 2
    other = store.set_voice_sample(ada.id, WAV + b"2")
    assert other.voice.latents is None and store.voice_latents(ada.id) is None and len(files(tmp_path)) == 1
    assert store.set_voice_latents(ada.id, ada.voice.sample, b"late", "tts_xtts") is None, "of the sample before"
    learned = store.set_voice_latents(ada.id, other.voice.sample, b"new", "tts_xtts")
    assert learned.updated == other.updated and store.voice_latents(ada.id) == ("tts_xtts", b"new")
    store.set_voice_latents(ada.id, other.voice.sample, b"newer", "tts_other")
    assert store.voice_latents(ada.id) == ("tts_other", b"newer") and len(files(tmp_path)) == 2
    assert open_store(tmp_path).voice_latents(ada.id) == ("tts_other", b"newer"), "the sweep leaves them"
    removed = store.remove_voice_sample(ada.id)
    assert removed.voice.sample is None and removed.voice.latents_engine == "" and not files(tmp_path)


def test_latents_that_two_characters_share_stay_until_the_last_goes(store, tmp_path):
    one, two = (store.create(NewCharacter(name=name)).id for name in ("one", "two"))
    for ident in (one, two):
        store.set_voice_sample(ident, WAV, b"latents", "tts_xtts")
    assert len(files(tmp_path)) == 2
    store.delete(one)
    assert store.voice_latents(two) == ("tts_xtts", b"latents")
    store.update(two, CharacterChange.model_validate({"voice": {"sample": None}}))
    assert not files(tmp_path)


@pytest.mark.parametrize("size", [0, 4 * 2**20 + 1])
def test_latents_of_an_impossible_size(store, tmp_path, size):
    ada = store.create(NewCharacter(name="ada"))
    with pytest.raises(ValueError):
        store.set_voice_sample(ada.id, WAV, bytes(size), "tts_xtts")
    assert store.get(ada.id) == ada and not files(tmp_path)


def test_latents_of_nobody(store):
    for use in (
        lambda: store.voice_latents("nobody"),
        lambda: store.remove_voice_sample("nobody"),
        lambda: store.set_voice_latents("nobody", "ab", b"x", "tts_xtts"),
    ):
        with refusal(Code.UNKNOWN_CHARACTER):
            use()
