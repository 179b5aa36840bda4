# ruff: noqa: RUF001 (other alphabets are meant)
"""What coqui's steps would misread is put into words before them: dates, times, years, money, foreign digits.

Everything here is a deliberate difference from coqui-tts; `DELIBERATELY_BETTER` in the tests shows an example of each.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from avatar_runtime.voices.normalize import german_dates
from avatar_runtime.xtts.text import chinese, numbers, tables

_SPACE: Final = "[ \u00a0\u202f]"
_SIGNS: Final = str.maketrans({"[": " ", "]": " ", "٫": ".", "٬": ",", "٪": "%"})  # [en] would become a token
_NARROW_GROUPS: Final = re.compile(r"(?<=\d)[\u00a0\u202f\u2009'’](?=\d{3}(?!\d))")
_SPACE_GROUPS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?!\d)")
_COMMA_GROUPS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)")
_GROUPS: Final = {
    **dict.fromkeys(("cs", "fr", "hu", "pl", "ru"), _SPACE_GROUPS),
    **dict.fromkeys(("ar", "hi", "ja", "ko", "zh"), _COMMA_GROUPS),
}
_DOTTED_DATE: Final = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?!\d)")
_GERMAN_TIME: Final = re.compile(r"\b([01]?\d|2[0-4])[:.]([0-5]\d)\s*Uhr\b")
_TURKISH_TIME: Final = re.compile(r"(?<![\d.,])([01]?\d|2[0-4])\.([0-5]\d)(?![\d.,]*\d)")
#: Numbers with a full stop are ordinals in these languages, unless it is the sentence's.
_ORDINALS_WITH_STOP: Final = frozenset({"cs", "de", "hu", "tr"})
_BEFORE_STOP: Final = re.compile(r"(?<![\d.,])(\d+)\.(?=(\s*)(\S?))")
_YEAR: Final = r"(1[1-9]\d\d)(?![.,]?\d|\s?[€$£%])"
_GERMAN_YEAR: Final = re.compile(rf"(?<![\d.,€$£]){_YEAR}(?=[\s.,;:!?)]|$)")
_ENGLISH_YEAR: Final = re.compile(
    r"\b((?:in|since|by|until|before|after|year|January|February|March|April|May|June|July|August|September|October"
    r"|November|December)(?: \d{1,2}(?:st|nd|rd|th)?)?,? )(1[1-9]\d\d|20[1-9]\d)\b(?![.,]?\d|\s?[€$£%])",
    re.IGNORECASE,
)
_JAPANESE_NUMBER: Final = re.compile(r"(\d+)(?:\.(\d+))?")


def prepare(text: str, language: str) -> str:
    """`text` for `steps.read`; `language` is one of the 17 codes."""
    said = _ascii_digits(text.translate(_SIGNS))
    said = _NARROW_GROUPS.sub("", said)
    if language in _GROUPS:
        said = _GROUPS[language].sub(lambda m: re.sub(r"\D", "", m[0]), said)
    said = _amounts(said, language)
    said = _dates(said, language)
    match language:
        case "de":
            said = _GERMAN_TIME.sub(lambda m: f"{int(m[1])} Uhr{f' {int(m[2])}' if int(m[2]) else ''}", said)
            said = _GERMAN_YEAR.sub(lambda m: numbers.year(m[1], language), said)
        case "en":
            said = _ENGLISH_YEAR.sub(lambda m: m[1] + numbers.year(m[2], language), said)
        case "it":  # else the ordinal 20° swallows the sign of 20°C
            said = re.sub(r"(?<=\d)\s?°\s?(?=[CFcf]\b)", " gradi ", said)
        case "ja":
            said = _JAPANESE_NUMBER.sub(_japanese, said).replace("%", "パーセント")
        case "tr":
            said = _TURKISH_TIME.sub(lambda m: f"{int(m[1])} {m[2] if int(m[2]) else ''}".strip(), said)
    if language in _ORDINALS_WITH_STOP:
        said = _BEFORE_STOP.sub(lambda m: _number_before_stop(m, language), said)
    return said


def _ascii_digits(text: str) -> str:
    return "".join(str(int(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def _amounts(text: str, language: str) -> str:
    """`5 €` and `€ 5` become `5€`, which the steps can read; what they cannot say becomes `5 dollars`."""
    words = tables.MONEY.get(language, {})
    signs, amount = _money_patterns("".join(dict.fromkeys([*tables.CURRENCIES, *words])))

    def said(m: re.Match[str]) -> str:
        number, sign = (m[2], m[1]) if m[1] else (m[3], m[4])
        if sign not in words:
            return f"{number}{sign}"
        if language == "zh" and number.count(".") < 2 and "," not in number:
            return chinese.cardinal(number) + words[sign]
        return f"{number}{'' if language in ('ja', 'zh') else ' '}{words[sign]}"

    return amount.sub(said, text) if signs.search(text) else text


@lru_cache(maxsize=32)
def _money_patterns(signs: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    number, sign = r"\d[\d.,]*(?<=\d)", f"[{signs}]"
    return re.compile(sign), re.compile(rf"({sign}){_SPACE}?({number})|(?<![\d.,])({number}){_SPACE}?({sign})(?!\d)")


def _dates(text: str, language: str) -> str:
    if language == "de":
        return german_dates(text)
    if language not in tables.MONTHS:
        return text
    months = tables.MONTHS[language]

    def date(m: re.Match[str]) -> str:
        day, month = int(m[1]), int(m[2])
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return m[0]
        stop = "." if language == "cs" else ""
        return f"{day}{stop} {months[month - 1]} {m[3]}"

    text = _DOTTED_DATE.sub(date, text)
    if language == "cs":
        day_before_month = rf"(?<![\d.,])(\d{{1,2}})\.\s?(?={'|'.join(months)})"
        text = re.sub(day_before_month, lambda m: numbers.czech_genitive(numbers.ordinal(m[1], "cs")) + " ", text)
    return text


def _number_before_stop(m: re.Match[str], language: str) -> str:
    """An ordinal keeps its stop for the steps; at a sentence's end the number is spelled here and the stop stays."""
    ends = not m[3] or (m[2] and m[3].isupper() and (int(m[1][:9]) > 31 or language in ("cs", "hu")))
    return f"{numbers.cardinal(m[1], language)}." if ends else m[0]


def _japanese(m: re.Match[str]) -> str:
    point = f"点{''.join(numbers.cardinal(digit, 'ja') for digit in m[2])}" if m[2] else ""
    return numbers.cardinal(m[1], "ja") + point
