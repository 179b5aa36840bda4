# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""What is written becomes what is said: no markup, emoji, addresses; abbreviations, units, dates, money as words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from avatar_runtime.contracts import MAX_TEXT_CHARACTERS, AvatarError, Code
from avatar_runtime.voices import words

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>()\"“”]+", re.IGNORECASE)
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_TAG = re.compile(r"</?[A-Za-z][^>\n]{0,80}>")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}|>+|[-*+•·▪]|\d{1,2}[.)](?=[ \t]+\D))[ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}|\|")
_CJK = str.maketrans("。！？，、；：（）「」『』【】…‥", ".!?,,;:()“”“”()……")
_SPACE = re.compile(r"[^\S\n]+")
_NUMBER = r"\d+(?:[.,]\d+)*"
_RANGE = re.compile(r"(?<![\w.,-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?![\w-])")
_DASH = re.compile(r"\s+[-–]\s+|(?<=[^\W\d])[–](?=[^\W\d])|--+")
_TIME = re.compile(r"\b([01]?\d|2[0-4])[:h]([0-5]\d)(?:\s*Uhr)?\b")
_GERMAN_ORDINAL = re.compile(r"(?:\b(der|die|das|Der|Die|Das)\s+)?\b(\d{1,2})\.\s?(?=[^\W\d_])")
_GERMAN_NUMERIC_DATE = re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.(\d{4}|\d{2}\b)?")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:[.\u202f\u00a0']\d{3})+(?![\d])")
_ACRONYM = re.compile(r"\b[A-ZÄÖÜ]{2,3}\b")


def check_length(text: str) -> None:
    """`invalid_text` for text that is empty or longer than the contract allows."""
    if not text.strip():
        raise AvatarError(Code.INVALID_TEXT, "The text is empty.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise AvatarError(
            Code.INVALID_TEXT,
            f"The text has {len(text)} characters; at most {MAX_TEXT_CHARACTERS} can be spoken at once.",
        )


def check_sayable(text: str) -> None:
    """`invalid_text` for text without a letter or a figure."""
    if not any(c.isalnum() for c in text):
        raise AvatarError(Code.INVALID_TEXT, "The text has nothing that can be spoken.")


def plain(text: str, language: str, signs: str = "&@+=§%€$£°~²") -> str:
    """`text` without markup, addresses spelled, no emoji or control characters; `signs` and lines are kept.

    Raises `invalid_text` when it is empty or too long. What is left may be nothing to say: see `check_sayable`.
    """
    check_length(text)
    said = unicodedata.normalize("NFC", text)
    said = _FENCE.sub(" ", said)
    said = _LINK.sub(r"\1", said)
    said = _TAG.sub(" ", said)
    said = _EMAIL.sub(lambda m: _address(m.group(), language), said)
    said = _URL.sub(lambda m: _address(_host(m.group()), language), said)
    said = _LINE_MARK.sub("", said)
    said = _EMPHASIS.sub("", said)
    return "".join(_kept(c, signs) for c in said)


def speakable(text: str, language: str) -> str:
    """`text` as it would be read aloud in `language`: letters, digits, spaces and punctuation; lines are kept.

    Raises `invalid_text` when it is empty, too long, or has nothing to say (only emoji or signs).
    """
    said = plain(text.translate(_CJK), language)
    if language == "de":
        said = _german(said)
    if language != "en":  # hibari's phonemizer does these for English
        said = _numbers(said, language)
    for sign, word in words.SYMBOLS.get(language, {}).items():
        said = said.replace(sign, f" {word} ")
    said = _expand(said, language)
    said = _DASH.sub(" — ", said)
    said = re.sub(r"\s+([,.;:!?…])", r"\1", _SPACE.sub(" ", said))
    said = re.sub(r"([,;:])(?=[,;:.!?])", "", said).strip()
    check_sayable(said)
    return said


def _host(url: str) -> str:
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", url, flags=re.IGNORECASE)
    return re.split(r"[/?#]", bare)[0].rstrip(".,;:!")


def _address(address: str, language: str) -> str:
    sign = words.SYMBOLS.get(language, {}).get("@", "@")
    return address.replace("@", f" {sign} ").replace(".", f" {words.DOT.get(language, 'dot')} ")


def _kept(character: str, signs: str) -> str:
    """A character that can be read, or a space: no emoji, pictographs, control characters, joiners."""
    if character == "\n" or character in signs:
        return character
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        emoji_style = 0xFE00 <= ord(character) <= 0xFE0F or character == "\u20e3"
        return character if category == "Mn" and not emoji_style else ""
    if category[0] in "LNM" or (category[0] == "P" and character not in "\\#*_|{}[]"):
        return character
    return " "


def german_dates(text: str) -> str:
    """German dates and ordinals up to 31 as words: `am 3.5.` is `am dritten Mai `, `der 1. Zug` is `der erste Zug`."""

    def numeric_date(m: re.Match[str]) -> str:
        day, month = int(m[1]), int(m[2])
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return m[0]
        return f"{day}. {words.GERMAN_MONTHS[month - 1]}" + (f" {m[3]}" if m[3] else "")

    def ordinal(m: re.Match[str]) -> str:
        number = int(m[2])
        if not 1 <= number <= 31:
            return m[0]
        ending = "e" if m[1] else "en"
        return f"{m[1] + ' ' if m[1] else ''}{words.GERMAN_ORDINALS[number - 1]}{ending} "

    return _GERMAN_ORDINAL.sub(ordinal, _GERMAN_NUMERIC_DATE.sub(numeric_date, text))


def _german(text: str) -> str:
    text = german_dates(text)
    if not text.isupper():  # espeak-ng reads USA and ICE as words
        text = _ACRONYM.sub(lambda m: " ".join(m[0]), text)
    return text


@lru_cache(maxsize=16)
def _unit_pattern(language: str) -> re.Pattern[str]:
    units = "|".join(re.escape(u) for u in sorted(words.UNITS[language], key=len, reverse=True))
    return re.compile(rf"(?<![\w.,])({_NUMBER})\s?({units})(?!\w)|([€$£])\s?({_NUMBER})")


def _numbers(text: str, language: str) -> str:
    hour = {"de": " Uhr ", "fr": " heures "}.get(language, " ")
    text = _TIME.sub(lambda m: f"{int(m[1])}{hour}{int(m[2]) or ''}", text)
    text = _THOUSANDS.sub(lambda m: re.sub(r"\D", "", m[0]), text)
    text = _RANGE.sub(rf"\1 {words.RANGE.get(language, '-')} \2", text)
    if language not in words.UNITS:
        return text

    def unit(m: re.Match[str]) -> str:
        number, sign = (m[1], m[2]) if m[1] else (m[4], m[3])
        word = words.UNITS[language][sign][number != "1"]
        whole, _, cents = number.partition(",")
        if sign in words.CURRENCIES and len(cents) == 2:  # 3,50 € is three euros fifty
            return f"{whole} {word} {int(cents) or ''}"
        return f"{number} {word}"

    return _unit_pattern(language).sub(unit, text)


@lru_cache(maxsize=16)
def _abbreviation_pattern(language: str) -> re.Pattern[str] | None:
    said = [short for short, full in words.ABBREVIATIONS.get(language, {}).items() if full]
    if not said:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(s) for s in sorted(said, key=len, reverse=True))})(?!\w)")


def _expand(text: str, language: str) -> str:
    pattern = _abbreviation_pattern(language)
    if pattern is None:
        return text
    table = words.ABBREVIATIONS[language]

    def full(m: re.Match[str]) -> str:
        rest = text[m.end() :].lstrip(" ")
        # "usw." at the end keeps the sentence's full stop, a title before a name does not
        return (table[m[0]] or m[0]) + ("." if m[0].endswith(".") and (not rest or rest[0] == "\n") else "")

    return pattern.sub(full, text)
