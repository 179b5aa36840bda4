"""`avatar_runtime.voices.espeak`: IPA by the real espeak-ng."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_runtime.voices.espeak import ipa
from avatar_runtime.voices.kokoro import VOICES, espeak_tokens


def test_punctuation_and_quotes_survive() -> None:
    said = ipa("Guten Tag, „Anna“! Wie geht's?", "de")
    assert [c for c in said if c in ",!?"] == [",", "!", "?"]
    assert "(" not in said


def test_an_english_word_in_german_leaves_no_flag() -> None:
    said = espeak_tokens(ipa("Das E-Mail kam.", "de"), "de")
    assert "en" not in said.replace("ən", "") and "(" not in said and "-" not in said and "^" not in said


def test_affricates_become_single_letters() -> None:
    said = espeak_tokens(ipa("Deutsch, zwei Leute", "de"), "de")
    assert "ʧ" in said and "ʦ" in said and "ɔi" in said


def test_an_unknown_language_is_a_programming_error() -> None:
    with pytest.raises(RuntimeError):
        ipa("x", "not-a-language")


@pytest.mark.models
@pytest.mark.parametrize("language", [code for code in VOICES if code != "en"])
def test_every_sound_is_in_the_vocabulary(language: str, models: Path) -> None:
    vocabulary = json.loads((models / "kokoro" / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    text = {
        "de": "Guten Morgen, die Züge fahren heute nicht pünktlich, Kätzchen, Pferde, Garage, schön, Hölle, Bäume.",
        "fr": "Bonjour, un bon vin blanc, peut-être aujourd'hui, la fille mange une huître.",
        "es": "Buenos días, ¿cómo estás? Me llamo Mónica, perro, niño, jamón, chico, guitarra.",
        "it": "Ciao, come stai? Gli gnocchi sono buoni. Che cosa dici, ragazzo?",
        "pt": "Olá, tudo bem? Eu não sei, muito obrigado, coração, filho.",
    }[language]
    tokens = espeak_tokens(ipa(text, language), language)
    assert {c for c in tokens if c not in vocabulary} <= set("¿¡\u032a\u0361")
