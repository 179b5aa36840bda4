from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from avatar_runtime.contracts import AvatarError
from characters import CharacterChange, NewCharacter
from characters.languages import LANGUAGES, known_language
from characters.media_types import AUDIO_TYPES, IMAGE_TYPES, audio_type, image_type


@pytest.mark.parametrize("name", ["a", "7", "mona_lisa", "a-b", "a" * 64])
def test_names(name):
    assert NewCharacter(name=name).name == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "_a", "A", "a b", "a/b", "..", "ä", "a\n", "a\0", "a" * 65, "\u0661"])
def test_what_is_no_name(name):
    with pytest.raises(ValidationError):
        NewCharacter(name=name)


def test_errors_do_not_repeat_what_was_given():
    with pytest.raises(ValidationError) as caught:
        NewCharacter.model_validate({"name": "Geheim", "personality": 7})
    assert "Geheim" not in str(caught.value)


def test_text():
    NewCharacter(name="a", display_name="Ада 👩‍🎨 «x»", personality="one\ntwo\tthree")
    for wrong in (
        {"display_name": "a\nb"},
        {"display_name": "\u2028"},
        {"personality": "\x1b[0m"},
        {"description": "\0"},
    ):
        with pytest.raises(ValidationError):
            CharacterChange.model_validate(wrong)


@given(
    st.dictionaries(
        st.sampled_from([*CharacterChange.model_fields, "id"]),
        st.none() | st.text("a-\0\n\u00e9", max_size=9) | st.integers(),
    )
)
def test_any_json_is_accepted_or_refused(content):
    for model in (NewCharacter, CharacterChange):
        try:
            model.model_validate(content)
        except ValidationError:
            pass


def test_languages():
    assert len(LANGUAGES) == 100
    assert [known_language(value) for value in ("de", "DE", "pt-BR", "zh_CN", " it ")] == ["de", "de", "pt", "zh", "it"]
    for value in ("", "xx", "auto", "-", "\0", "english"):
        with pytest.raises(AvatarError, match="unknown_language"):
            known_language(value)


@given(st.binary(max_size=64))
def test_kinds_of_files_are_known_or_none(data):
    assert image_type(data) in (*IMAGE_TYPES, None)
    assert audio_type(data) in (*AUDIO_TYPES, None)
    assert image_type(b"<" + data) is None and (audio_type(b"<!DOCTYPE html>" + data) is None)
