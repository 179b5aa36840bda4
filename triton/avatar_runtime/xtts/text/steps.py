"""The steps by which XTTS's training text was read: quotes, case, numbers, abbreviations, symbols, spaces, letters.

Their order and effect are those of coqui-tts 0.28 (`VoiceBpeTokenizer.preprocess_text`), with which the published
voice was trained: another reading of the same text would be letters in an order it has never heard.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import Any, Final

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.xtts.text import chinese, numbers, tables

_CAPITALS: Final = {"tr": str.maketrans("İÖÜ", "iöü")}  # else lower() leaves a combining dot behind the i
#: Thousands are grouped by commas here, by full stops everywhere else.
_COMMA_GROUPS: Final = frozenset({"en", "ru"})
_GROUPED: Final = {
    ",": re.compile(r"\b\d{1,3}(?:,\d{3})+(?:\.\d+)?\b"),
    ".": re.compile(r"\b\d{1,3}(?:\.\d{3})+(?:,\d+)?\b"),
}
_DECIMAL: Final = re.compile(r"[0-9]+[.,][0-9]+")
_NO_DECIMALS: Final = frozenset({"tr"})
_NUMBER: Final = re.compile(r"[0-9]+")
_SPACES: Final = re.compile(r"\s+")


def read(text: str, language: str) -> str:
    """`text` as the network was taught to see it; `language` is one of the 17 codes."""
    if language == "ja":
        return romaji(text).lower()
    said = text.replace('"', "").translate(_CAPITALS.get(language, {})).lower()
    said = chinese.numbers(said) if language == "zh" else spell_numbers(said, language)
    said = expand_abbreviations(said, language)
    said = expand_symbols(said, language)
    said = _SPACES.sub(" ", said).strip()
    if language == "zh":
        return chinese.pinyin(said)
    if language == "ko":
        return str(_romanizer().translit(said))
    return said


def spell_numbers(text: str, language: str) -> str:
    """Thousands joined, then money, decimals, ordinals and what is left, each as words."""
    separator = "," if language in _COMMA_GROUPS else "."
    said = _GROUPED[separator].sub(lambda m: m[0].replace(separator, ""), text)
    for sign, currency in tables.CURRENCIES.items():
        said = _amounts(sign).sub(partial(_money, currency=currency, language=language), said)
    if language not in _NO_DECIMALS:
        said = _DECIMAL.sub(lambda m: numbers.decimal(m[0], language), said)
    said = _ordinals(language).sub(lambda m: numbers.ordinal(m[1], language), said)
    return _NUMBER.sub(lambda m: numbers.cardinal(m[0], language), said)


def expand_abbreviations(text: str, language: str) -> str:
    for short, word in tables.ABBREVIATIONS.get(language, {}).items():
        text = _whole(short, r"\.").sub(word, text)
    for short, word in tables.HYPHENATED.get(language, {}).items():
        text = _whole(short, r"\b").sub(word, text)
    return text


def expand_symbols(text: str, language: str) -> str:
    for sign, word in tables.SYMBOLS[language].items():
        text = text.replace(sign, f" {word} ").replace("  ", " ")
    return text.strip()


def romaji(text: str) -> str:
    """Japanese in Latin letters (Hepburn), by cutlet with UniDic lite. Raises `invalid_text`."""
    try:
        return str(_cutlet().romaji(text))
    except LookupError as error:  # cutlet 0.5 on marks without their kana, as in っゞ
        raise AvatarError(Code.INVALID_TEXT, "The text has signs that cannot be read as Japanese.") from error


def _money(m: re.Match[str], currency: str, language: str) -> str:
    digits = re.sub(r"[^\d.]", "", m[0].replace(",", "."))
    try:
        return numbers.money(float(digits), currency, language) or m[0]
    except ValueError:  # 1.2.3 is no amount
        return m[0]


@lru_cache(maxsize=8)
def _amounts(sign: str) -> re.Pattern[str]:
    sign = re.escape(sign)
    return re.compile(rf"{sign}[0-9.,]*[0-9]|[0-9.,]*[0-9]{sign}")


@lru_cache(maxsize=32)
def _ordinals(language: str) -> re.Pattern[str]:
    return re.compile(rf"([0-9]+)(?:{tables.ORDINAL_ENDINGS[language]})")


@lru_cache(maxsize=256)
def _whole(word: str, after: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word)}{after}")


@lru_cache(maxsize=1)
def _romanizer() -> Any:
    from hangul_romanize import Transliter
    from hangul_romanize.rule import academic

    return Transliter(academic)


@lru_cache(maxsize=1)
def _cutlet() -> Any:
    try:
        from cutlet import Cutlet

        return Cutlet()
    except (ImportError, RuntimeError) as missing:  # fugashi raises the latter when it finds no dictionary
        raise AvatarError(
            Code.UNKNOWN_LANGUAGE, "Japanese needs a dictionary that is not installed here: pip install 'antlitz[ja]'."
        ) from missing
