# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""`avatar_runtime.voices.normalize`: what is written becomes what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.contracts import MAX_TEXT_CHARACTERS, AvatarError, Code
from avatar_runtime.voices.normalize import speakable


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "**Hello** 😀 _there_!", "Hello there!"),
        ("en", "See [my page](https://example.com/a?b=c).", "See my page."),
        ("en", "See https://www.example.com/a?b=c now.", "See example dot com now."),
        ("en", "# Title\n- one\n- two", "Title\none\ntwo"),
        ("en", "It's 3.5 km, e.g. for $3.50.", "It's 3.5 km, e.g. for $3.50."),
        ("en", "Tom & Jerry", "Tom and Jerry"),
        ("de", "Um 7:30 Uhr für 3,50 €", "Um 7 Uhr 30 für 3 Euro 50"),
        ("de", "50 € oder 20%", "50 Euro oder 20 Prozent"),
        ("de", "am 3. Mai, z. B. 5-6 km", "am dritten Mai, zum Beispiel 5 bis 6 Kilometer"),
        ("de", "der 24.12.2025", "der vierundzwanzigste Dezember 2025"),
        ("de", "1.250.000 Leute aus den USA usw.", "1250000 Leute aus den U S A und so weiter."),
        ("fr", "M. Dupont, 5 km", "Monsieur Dupont, 5 kilomètres"),
        ("es", "1 km y 20 %", "1 kilómetro y 20 por ciento"),
        ("de", "a.b@c.de", "a Punkt b ät c Punkt de"),
        ("en", "你好。Hi", "你好.Hi"),
        ("de", "Wort – Wort", "Wort — Wort"),
    ],
)
def test_said(language: str, text: str, said: str) -> None:
    assert speakable(text, language) == said


@pytest.mark.parametrize("text", ["", " \n ", "😀🎉👍🏽", "…!?", "***", "🇩🇪 👨‍👩‍👧", "x" * (MAX_TEXT_CHARACTERS + 1)])
def test_nothing_to_say_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(AvatarError) as caught:
        speakable(text, "de")
    assert caught.value.code is Code.INVALID_TEXT
    assert caught.value.message.endswith(".") and caught.value.message.count(".") == 1


@given(st.text(max_size=200), st.sampled_from(["en", "de", "fr", "es", "it", "pt"]))
def test_any_text_is_said_or_refused(text: str, language: str) -> None:
    try:
        said = speakable(text, language)
    except AvatarError as error:
        assert error.code is Code.INVALID_TEXT
    else:
        assert any(c.isalnum() for c in said)
