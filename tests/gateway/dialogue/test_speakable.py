# ruff: noqa: RUF001 (typographic signs and other scripts are meant)
"""`gateway.dialogue.speakable`: signs and units become words, and the voices read what is left, once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue.apology import LANGUAGES
from gateway.dialogue.signs import SIGNS
from gateway.dialogue.speakable import spoken


@pytest.mark.parametrize(
    ("language", "shown", "said"),
    [
        ("en", "See example.com or mail a@b.de.", "See example dot com or mail a@b.de."),
        ("en", "10am–5pm, 5–6 km", "10am to 5pm, 5 to 6 kilometers"),
        ("en", "$1.5M, $2bn, 10k people", "$1.5 million, $2 billion, 10 thousand people"),
        ("en", "1 km, 3.5 km/h, 5 m², -5 °C, 2.5 GB", "1 kilometer, 3.5 kilometers per hour, 5 square meters, "
         "minus 5 degrees Celsius, 2.5 gigabytes"),
        ("en", "1,234.56789 kg", "1,234.56789 kilograms"),
        ("en", "on 2025-12-24", "on December 24, 2025"),
        ("en", "3×4=12, x ≤ 4 → done, a * b, 2*3", "3 times 4 equals 12, x at most 4, done, a times b, 2 times 3"),
        ("en", "x >= 3 != y", "x at least 3 is not y"),
        ("en", "CHF 500, 500 USD, ¥1,000", "500 Swiss francs, 500 US dollars, 1,000 Japanese yen"),
        ("en", "C# and snake_case", "C sharp and snake case"),
        ("de", "1495 malte er sie; die 1990er", "vierzehnhundertfünfundneunzig malte er sie; "
         "die neunzehnhundertneunziger"),
        ("de", "3. Mai 1503", "dritter Mai fünfzehnhundertdrei"),
        ("de", "1.250,5 km, 3.5 km/h, −5 °C", "1.250,5 Kilometer, 3,5 Kilometer pro Stunde, minus 5 Grad Celsius"),
        ("de", "$1.5M", "1,5 Millionen US-Dollar"),
        ("fr", "-5 °C, 2,5 km", "moins 5 degrés Celsius, 2,5 kilomètres"),
        ("pl", "5 km, 2025-12-24", "5 kilometrów, 24 grudnia 2025"),
        ("ru", "2025-12-24", "24 декабря 2025"),
        ("zh", "今天有5km", "今天有5公里"),
        ("nl", "2 h", "2 uur"),
        ("ar", "2 h", "ساعتان"),
        ("ja", "5 km", "5 キロメートル"),
        ("pt-BR", "5 km", "5 quilômetros"),
        ("sw", "5 km → 3×4", "5 km → 3×4"),
    ],
)  # fmt: skip
def test_said(language: str, shown: str, said: str) -> None:
    assert spoken(shown, language) == said


@pytest.mark.parametrize(
    "shown",
    [
        "It costs $3.50 or €500, 20% at 7:30 pm on the 3rd, No. 5.",
        "Well-known - it is so, e.g. this one. U.S. and 24/7, version 1.2.3.",
        "a.b@example.com",
        "2025-13-45 is no day.",
        "The 1990s, 1503 and 1/2.",
    ],
)
def test_what_the_voices_read_themselves_is_left_to_them(shown: str) -> None:
    assert spoken(shown, "en") == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_the_voices_has_words_for_every_sign(language: str) -> None:
    said = spoken("3 × 4 = 12, 5 km, 2 kg, -3 °C, 2025-12-24, 500 CHF, $1.5M", language)
    for sign in ("×", "=", "km", "kg", "°", "-12-", "CHF", "$" if language != "en" else "×"):
        assert sign not in said
    assert len(SIGNS[language]) == len(SIGNS["en"]) and all(SIGNS[language].values())


@given(st.text(max_size=120), st.sampled_from([*LANGUAGES, "xx", ""]))
def test_any_text_is_said_and_saying_it_twice_changes_nothing_more(text: str, language: str) -> None:
    said = spoken(text, language)
    assert not any(map(str.isalnum, text)) or any(map(str.isalnum, said))


@given(st.text(alphabet="0123456789.,-–/:€$£%kmMh °×=²eEUR ", max_size=40), st.sampled_from(LANGUAGES))
def test_any_figures_are_said(text: str, language: str) -> None:
    assert spoken(text, language) or not text.strip(" _")


@pytest.mark.parametrize(
    "part", ["1", "1,", "1.1", "a.", "-", "a-", "$1", "1 k", "=1", "× ", "1–", "12-", "EUR", "~", "11 "]
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_hundred_thousand_of_anything_take_no_time(part: str, language: str) -> None:
    text, begun = part * (100_000 // len(part)), time.process_time()
    spoken(text, language)
    assert time.process_time() - begun < 20  # quadratic would be minutes
