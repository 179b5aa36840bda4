# ruff: noqa: RUF001 (typographic signs are meant)
"""What a clause shows becomes what the voice reads, in the languages of `signs`; in others it stays as it is.

The voices read figures, times, prices in €, $ and £, per cent, ordinals and e-mail addresses themselves, each as its
phonemizer or its training wants them. Here is done what none of them does, or not in every language: addresses of
pages, units, other currencies, amounts in thousands and millions, ISO dates, ranges, signs of arithmetic. What has
become words here has no figures left beside a sign, so that nothing is read twice.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Final, NamedTuple

from num2words import num2words

from gateway.dialogue.signs import SIGNS

_FIGURES: Final = r"\d{1,15}(?:[.,\u00a0\u202f']\d{1,15}){0,6}"
_ENDS: Final = (
    "com|org|net|edu|gov|info|io|ai|app|dev|eu|de|at|ch|fr|es|it|pt|pl|tr|ru|nl|be|cz|hu|jp|kr|cn|in|uk|us|ca|au|br|mx"
)
_ADDRESS: Final = re.compile(rf"(?<![@\w.-])(?:[A-Za-z0-9-]{{1,63}}\.){{1,4}}(?:{_ENDS})\b(?![\w@-]|\.\w)")
_ISO_DATE: Final = re.compile(r"(?<![\w./-])(\d{4})-(\d{2})-(\d{2})(?![\w/-]|\.\d)")
_RANGE: Final = re.compile(r"(\d\s?(?:am|pm|a\.m\.|p\.m\.|Uhr|h|%|°C?|€|\$|£)?)\s?–\s?(?=[$€£]?\d)")
_CODES: Final = "EUR|USD|GBP|CHF|JPY|CNY|INR|KRW|RUB|TRY|PLN|CZK|HUF|BRL|CAD|AUD|SEK|NOK|DKK|MXN"
_MONEY_SIGNS: Final = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY"}
_SCALES: Final = {
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "m": 1e6,
    "mn": 1e6,
    "bn": 1e9,
    "B": 1e9,
    "b": 1e9,
    "T": 1e12,
    "tn": 1e12,
}
_SCALED: Final = re.compile(
    rf"([€$£¥₹₩])\s?(\d{{1,6}}(?:[.,]\d{{1,3}})?)\s?({'|'.join(sorted(_SCALES, key=len, reverse=True))})\b"
)
_THOUSANDS: Final = re.compile(r"(?<![\w.,])(\d{1,4})k\b(?!/)")
_MONEY: Final = re.compile(
    rf"(?P<before>{_CODES}|[¥₹₩₽₺])\s?(?P<after_it>{_FIGURES})(?![\d.,]*\d)"
    rf"|(?<![A-Za-z0-9_.,])(?P<before_it>{_FIGURES})\s?(?P<after>{_CODES}|[¥₹₩₽₺])(?!\w)"
)
_UNITS: Final = {
    "km/h": "kilometer-per-hour", "mph": "mile-per-hour", "m/s": "meter-per-second", "km²": "square-kilometer",
    "m²": "square-meter", "m³": "cubic-meter", "cm²": "square-centimeter", "km": "kilometer", "cm": "centimeter",
    "mm": "millimeter", "kg": "kilogram", "mg": "milligram", "lb": "pound", "lbs": "pound", "oz": "ounce", "ft": "foot",
    "g": "gram", "m": "meter", "l": "liter", "L": "liter", "ml": "milliliter", "°C": "celsius", "°F": "fahrenheit",
    "kWh": "kilowatt-hour", "kW": "kilowatt", "W": "watt", "Hz": "hertz", "GHz": "gigahertz", "MHz": "megahertz",
    "TB": "terabyte", "GB": "gigabyte", "MB": "megabyte", "kB": "kilobyte", "KB": "kilobyte", "min": "minute",
    "ms": "millisecond", "h": "hour",
}  # fmt: skip
_UNIT_NAMES: Final = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_UNIT: Final = re.compile(rf"(?<![A-Za-z0-9_.,])(-?)({_FIGURES})\s?({_UNIT_NAMES})(?![\w²³/])")
_SHORT: Final = frozenset({"zh", "ja", "ko"})
_MINUS: Final = re.compile(r"(?:(?<=[\s(])|^)[-−](?=\d)|−")
_SIGN: Final = re.compile(
    r"(?<=[\w)²³%°])\s?([×÷±≈≠≤≥=+])\s?(?=[\w(√-])|(?<=[\w)])\s([<>*])\s(?=[\w(])"
    r"|(?<=\d)\*(?=\d)|([√±≈≤≥~])\s?(?=[\w.])"
)
_COMPARISONS: Final = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
_COMPARISON: Final = re.compile("|".join(_COMPARISONS))
_ARROW: Final = re.compile(r"\s?(?:[→⇒➜]|[-=]>)\s?")
_SHARP: Final = re.compile(r"\b([A-G])#(?!\w)")
_GERMAN_YEAR: Final = re.compile(r"(?<![\w.,:/-])(1[1-9]\d\d)(er|ern)?(?![\w:/-]|[.,]\d|\s?[€$£%])")
_GERMAN_FIRST_DATE: Final = re.compile(
    r"^(\d{1,2})\.\s?(?=Januar|Februar|März|April|Mai\b|Juni|Juli|August|September|Oktober|November|Dezember)"
)
_SPACES: Final = re.compile(r"\s{2,}")


def spoken(text: str, language: str) -> str:
    """`text` as it would be read aloud in `language` (ISO 639-1)."""
    code = language.lower().replace("_", "-").split("-")[0]
    signs = SIGNS.get(code)
    if signs is None:
        return text
    said = _ADDRESS.sub(lambda m: m[0].replace(".", f" {signs['.']} "), text)
    if any(map(str.isdecimal, said)):
        said = _ISO_DATE.sub(lambda m: _date(m, code), said)
        said = _RANGE.sub(rf"\1 {signs['–']} ", said)
        said = _SCALED.sub(lambda m: _scaled(m, code), said)
        said = _THOUSANDS.sub(lambda m: _compact(float(m[1]) * 1e3, code), said)
        said = _MONEY.sub(lambda m: _money(m, code), said)
        said = _UNIT.sub(lambda m: _unit(m, code), said)
        said = _MINUS.sub(f"{signs['-']} ", said)
        if code == "de":
            said = _GERMAN_FIRST_DATE.sub(lambda m: num2words(int(m[1]), lang="de", to="ordinal") + "r ", said)
            said = _GERMAN_YEAR.sub(lambda m: num2words(int(m[1]), lang="de", to="year") + (m[2] or ""), said)
    said = _COMPARISON.sub(lambda m: _COMPARISONS[m[0]], said)
    said = _ARROW.sub(", ", said)
    said = _SIGN.sub(lambda m: _sign(m, signs), said)
    said = _SHARP.sub(r"\1 sharp", said)
    return _SPACES.sub(" ", said.replace("_", " ")).strip()


def _sign(m: re.Match[str], signs: dict[str, str]) -> str:
    sign = m[1] or m[2] or m[3] or "*"
    return f" {signs[{'*': '×', '~': '≈'}.get(sign, sign)]} "


def _date(m: re.Match[str], code: str) -> str:
    from babel.dates import format_date

    try:
        date = datetime.date(int(m[1]), int(m[2]), int(m[3]))
    except ValueError:
        return m[0]
    return _spaced(format_date(date, "long", locale=code)).removesuffix(" г.")  # Russian: of the year


def _scaled(m: re.Match[str], code: str) -> str:
    amount = _compact(float(m[2].replace(",", ".")) * _SCALES[m[3]], code)
    # The English voices read the sign themselves, as people do: dollars, not US dollars.
    return f"{m[1]}{amount}" if code == "en" else f"{amount} {_currency(_MONEY_SIGNS[m[1]], 1e6, code)}"


def _money(m: re.Match[str], code: str) -> str:
    sign = m["before"] or m["after"]
    number = _number(m["after_it"] or m["before_it"], code)
    return f"{number.figures} {_currency(_MONEY_SIGNS.get(sign, sign), number.value, code)}" if number else m[0]


def _unit(m: re.Match[str], code: str) -> str:
    from babel.units import format_unit

    sign, figures = m[1], m[2]
    number = _number(figures, code)
    if number is None:
        return m[0]
    words = format_unit(number.value, _UNITS[m[3]], locale=code)
    if (code in _SHORT or (code, m[3]) == ("nl", "h")) and _UNITS[m[3]] in words:  # babel has no long form
        words = format_unit(number.value, _UNITS[m[3]], "short", locale=code)
    # The figures stay as they were written: babel would round them.
    rounded = re.search(r"\d(?:[\d.,\u00a0\u202f']*\d)?", words)
    if rounded is None:
        return words  # Arabic says two hours in one word
    return f"{_spaced(words[: rounded.start()])}{sign}{number.figures}{_spaced(words[rounded.end() :])}"


class _Number(NamedTuple):
    value: float
    figures: str  # as this language writes them


def _number(figures: str, code: str) -> _Number | None:
    """What `figures` mean in this language; a model may also write them as in English. None: they are no number."""
    from babel.numbers import NumberFormatError, format_decimal, parse_decimal

    for locale in (code, "en"):
        try:
            value = parse_decimal(figures, locale=locale, strict=True)
        except (NumberFormatError, ValueError):
            continue
        written = figures if locale == code else format_decimal(value, locale=code, decimal_quantization=False)
        return _Number(float(value), written)
    return None


def _compact(number: float, code: str) -> str:
    from babel.numbers import format_compact_decimal

    try:
        return _spaced(format_compact_decimal(number, format_type="long", locale=code, fraction_digits=2))
    except KeyError:  # a locale that has no long form, as Japanese
        return _spaced(format_compact_decimal(number, format_type="short", locale=code, fraction_digits=2))


def _spaced(words: str) -> str:
    """babel's words with plain spaces: some voices do not know the others."""
    return words.replace("\u00a0", " ").replace("\u202f", " ")


@lru_cache(maxsize=256)
def _currency(sign: str, number: float, code: str) -> str:
    from babel.numbers import get_currency_name

    return str(get_currency_name(sign, count=number, locale=code))
