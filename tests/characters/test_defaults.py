from __future__ import annotations

import re
from pathlib import Path

from characters import CharacterChange, CharacterStore, NewCharacter
from characters.defaults import default_characters


def test_three_with_portraits_of_their_own():
    found = default_characters()
    assert [item.id for item in found] == ["mona-lisa", "maedchen-mit-perlenohrring", "donna-velata"]
    assert [item.fields.language for item in found] == ["en", "de", "it"]
    assert len({item.portrait_sha256 for item in found}) == 3
    assert all(item.portrait.startswith(b"\xff\xd8\xff") and len(item.fields.personality) > 100 for item in found)


def test_edits_stay_and_the_deleted_come_back(tmp_path):
    store = CharacterStore(tmp_path)
    image = b"\x89PNG\r\n\x1a\n"
    store.update("mona-lisa", CharacterChange(display_name="Lisa", name="lisa"))
    store.activate("maedchen-mit-perlenohrring")
    edited = store.set_portrait("mona-lisa", image)
    store.delete("donna-velata")

    again = CharacterStore(tmp_path)
    assert again.get("mona-lisa") == edited and again.portrait("mona-lisa").data == image
    assert again.active().id == "maedchen-mit-perlenohrring"
    assert again.get("donna-velata").display_name == "La donna velata"
    assert again.portrait("donna-velata").media_type == "image/jpeg"
    assert len(again.list()) == 3


def test_a_default_whose_name_is_taken_gets_another(tmp_path):
    store = CharacterStore(tmp_path)
    store.delete("mona-lisa")
    for name in ("mona_lisa", "mona_lisa_2"):
        store.create(NewCharacter(name=name))
    assert CharacterStore(tmp_path).get("mona-lisa").name == "mona_lisa_3"


def test_a_lost_file_of_a_default_is_put_back(tmp_path: Path):
    store = CharacterStore(tmp_path)
    for path in (tmp_path / "assets").glob("??/*"):
        path.write_bytes(b"")
    assert all(CharacterStore(tmp_path).portrait(character.id).data for character in store.list())


def test_their_engines_and_voices_are_in_the_model_repository():
    repository = Path(__file__).parents[2] / "model_repository"
    for item in default_characters():
        voice = item.fields.voice
        config = (repository / voice.engine / "config.pbtxt").read_text("utf-8")
        assert re.search(rf"\b{re.escape(voice.id)}:{item.fields.language}\b", config)
        assert (repository / item.fields.renderer / "config.pbtxt").is_file()
