"""Numbers, ordinals and amounts of money as words, with num2words, whose wording XTTS was trained on.

num2words 0.5.14 knows no Hindi and no Czech ordinals: those are here. Where it fails (numbers beyond its names,
currencies a language lacks) `None` says so, or the digits are read one by one.
"""

from __future__ import annotations

from typing import Any, Final

from num2words import num2words

_FAILURES: Final = (ArithmeticError, LookupError, NotImplementedError, TypeError, ValueError)
_LONGEST: Final = 40  # digits; beyond, nobody follows a number

# 0 to 99, which have no rule.
_HINDI: Final = (
    "शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस बीस इक्कीस बाईस तेईस चौबीस "
    "पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस चालीस इकतालीस "
    "बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन "
    "उनसठ साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर "
    "सतहत्तर अठहत्तर उन्यासी अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी नब्बे इक्यानवे बानवे तिरानवे "
    "चौरानवे पचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे"
).split()
_HINDI_UNITS: Final = ((10**9, "अरब"), (10**7, "करोड़"), (10**5, "लाख"), (1000, "हज़ार"), (100, "सौ"))
_HINDI_ORDINALS: Final = {1: "पहला", 2: "दूसरा", 3: "तीसरा", 4: "चौथा", 6: "छठा"}
_CZECH_ORDINALS: Final = (
    "nultý první druhý třetí čtvrtý pátý šestý sedmý osmý devátý desátý jedenáctý dvanáctý třináctý čtrnáctý patnáctý "
    "šestnáctý sedmnáctý osmnáctý devatenáctý"
).split()
_CZECH_TENS: Final = "dvacátý třicátý čtyřicátý padesátý šedesátý sedmdesátý osmdesátý devadesátý".split()

#: What num2words puts between whole amounts and cents (elsewhere a comma).
_BEFORE_CENTS: Final = {"de": " und ", "es": " con ", "fr": " et ", "it": " e ", "ko": " ", "pt": " e "}


def cardinal(digits: str, language: str) -> str:
    """`digits` read as a number."""
    if len(digits) <= _LONGEST:
        if language == "hi":
            return _hindi(int(digits))
        words = _num2words(int(digits), language)
        if words is not None:
            return words
    return " ".join(cardinal(digit, language) for digit in digits)


def ordinal(digits: str, language: str) -> str:
    """`digits` read as a place in a row; as a number where the language's words end."""
    if len(digits) <= _LONGEST:
        number = int(digits)
        if language == "hi":
            return _HINDI_ORDINALS.get(number, f"{_hindi(number)}वाँ")
        if language == "cs":
            return _czech_ordinal(number) or cardinal(digits, language)
        words = _num2words(number, language, ordinal=True)
        if words is not None:
            return words
    return cardinal(digits, language)


def decimal(amount: str, language: str) -> str:
    """A number with a decimal point or comma."""
    whole, _, fraction = amount.replace(",", ".").partition(".")
    if language == "hi":
        return f"{cardinal(whole, language)} दशमलव {' '.join(_HINDI[int(digit)] for digit in fraction)}"
    words = _num2words(float(f"{whole}.{fraction}"), language) if len(amount) <= _LONGEST else None
    return words or f"{cardinal(whole, language)} {cardinal(fraction, language)}"


def year(digits: str, language: str) -> str:
    """A year: 1990 in hundreds where the language says it so."""
    return _num2words(int(digits), language, to="year") or cardinal(digits, language)


def money(amount: float, currency: str, language: str) -> str | None:
    """`amount` of `currency` (ISO 4217), without "and zero cents"; None where num2words cannot name it."""
    words = _num2words(amount, language, to="currency", currency=currency)
    if words is None:
        return None
    whole, _, cents = words.rpartition(_BEFORE_CENTS.get(language, ", "))
    return whole if whole and amount.is_integer() and cents.startswith(cardinal("0", language)) else words


def czech_genitive(ordinal_words: str) -> str:
    """`první máj` is `prvního máje`: the case of a day before its month."""
    return " ".join(w[:-1] + "ého" if w.endswith("ý") else w + "ho" for w in ordinal_words.split())


def _num2words(number: float, language: str, **how: Any) -> str | None:
    try:
        return str(num2words(number, lang=language, **how)) or None  # no ordinal of nought in some languages
    except _FAILURES:
        return None


def _hindi(number: int) -> str:
    if number < 100:
        return _HINDI[number]
    unit, name = next(each for each in _HINDI_UNITS if number >= each[0])
    rest = f" {_hindi(number % unit)}" if number % unit else ""
    return f"{_hindi(number // unit)} {name}{rest}"


def _czech_ordinal(number: int) -> str | None:
    if number < 20:
        return _CZECH_ORDINALS[number]
    if number < 100:
        unit = f" {_CZECH_ORDINALS[number % 10]}" if number % 10 else ""
        return _CZECH_TENS[number // 10 - 2] + unit
    return None
