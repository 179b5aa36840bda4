# ruff: noqa: RUF001 (other alphabets are meant)
"""`avatar_runtime.xtts.text.readings`: what coqui would misread is put into words first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.xtts.text.languages import LANGUAGES
from avatar_runtime.xtts.text.readings import prepare


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("de", "um 14:00 Uhr", "um 14 Uhr"),
        ("de", "um 14:05 Uhr", "um 14 Uhr 5"),
        ("de", "der 1. Test", "der erste Test"),
        ("de", "1500€ und 1990", "1500€ und neunzehnhundertneunzig"),
        ("de", "Es kam 1250.", "Es kam zwölfhundertfünfzig."),
        ("de", "Version 1234.5", "Version 1234.5"),
        ("en", "in 1999, 1999 people", "in nineteen ninety-nine, 1999 people"),
        ("en", "on March 3rd, 2024", "on March 3rd, twenty twenty-four"),
        ("en", "€ 5 or 5 $", "5€ or 5$"),
        ("en", "say [de] now", "say  de  now"),
        ("fr", "1\u202f250\u202f000 €", "1250000€"),
        ("cs", "24.12.2025 a 25 $", "dvacátého čtvrtého prosince 2025 a 25 dolarů"),
        ("cs", "Je 12. Byl 5. den.", "Je dvanáct. Byl 5. den."),
        ("cs", "v roce 2025 $20", "v roce 2025 20 dolarů"),
        ("tr", "20.00 ve 1. Dünya Savaşı", "20 ve 1. Dünya Savaşı"),
        ("hi", "१२,३४,५६७", "1234567"),
        ("ar", "١٢٫٥٪", "12.5%"),
        ("ja", "１２.５%", "十二点五パーセント"),
        ("zh", "$2.50和¥1,250", "二点五零美元和一千两百五十元"),
        ("it", "20° secolo, 20 °C", "20° secolo, 20 gradi C"),
    ],
)
def test_prepare(language: str, text: str, said: str) -> None:
    assert prepare(text, language) == said


@given(st.text("abÄé ,.:;€$£%°°12345[]年円\u00a0٣५", max_size=60), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_can_be_prepared_and_no_letter_is_lost(text: str, language: str) -> None:
    prepared = prepare(text, language)
    assert sum(prepared.count(letter) >= text.count(letter) for letter in "Äé") == 2
    assert "[" not in prepared
