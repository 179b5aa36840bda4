"""`avatar_runtime.xtts.text.numbers`: figures as words, also where num2words has none."""

from __future__ import annotations

import pytest

from avatar_runtime.xtts.text import numbers
from avatar_runtime.xtts.text.languages import LANGUAGES


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("0", "शून्य"), ("7", "सात"), ("40", "चालीस"), ("99", "निन्यानवे"), ("100", "एक सौ"), ("305", "तीन सौ पाँच"),
        ("1990", "एक हज़ार नौ सौ नब्बे"), ("2500000", "पच्चीस लाख"), ("10000000", "एक करोड़"),
        ("12345678901", "बारह अरब चौंतीस करोड़ छप्पन लाख अठहत्तर हज़ार नौ सौ एक"),
    ],
)  # fmt: skip
def test_hindi(digits: str, said: str) -> None:
    assert numbers.cardinal(digits, "hi") == said


@pytest.mark.parametrize(
    ("digits", "said"),
    [("1", "první"), ("19", "devatenáctý"), ("20", "dvacátý"), ("31", "třicátý první"), ("100", "sto")],
)
def test_czech_ordinals(digits: str, said: str) -> None:
    assert numbers.ordinal(digits, "cs") == said


def test_a_czech_day_stands_in_the_genitive() -> None:
    assert numbers.czech_genitive("třicátý první") == "třicátého prvního"


@pytest.mark.parametrize(
    ("amount", "currency", "language", "said"),
    [
        (21.0, "EUR", "pt", "vinte e um euros"),
        (3.0, "GBP", "pt", "três libras"),
        (20.15, "EUR", "de", "zwanzig Euro und fünfzehn Cent"),
        (101.0, "EUR", "de", "einhundertein Euro"),
        (20.0, "USD", "ko", "이십달러"),
        (21.0, "EUR", "fr", "vingt et un euros"),
        (5.0, "GBP", "cs", None),
        (5.0, "USD", "tr", None),
    ],
)
def test_money(amount: float, currency: str, language: str, said: str | None) -> None:
    assert numbers.money(amount, currency, language) == said


@pytest.mark.parametrize("language", sorted(LANGUAGES.keys() - {"zh"}))
@pytest.mark.parametrize("digits", ["0", "00", "007", "9" * 30, "9" * 41, "1" * 5000])
def test_any_number_can_be_said(digits: str, language: str) -> None:
    for how in (numbers.cardinal, numbers.ordinal):
        said = how(digits, language)
        assert said and not any(c.isdigit() for c in said)
    assert numbers.decimal(f"{digits},5", language)
