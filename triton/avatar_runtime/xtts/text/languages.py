"""The 17 languages of XTTS-v2: their codes, names, alphabets, and how much of each fits into one call."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from avatar_runtime.contracts import AvatarError, Code


@dataclass(frozen=True, slots=True)
class Language:
    """`limit` is in characters, the length from which coqui-tts 0.28 warns of truncated audio (its `char_limits`).

    `scripts` are first words of Unicode character names; Latin letters may stand in any text. `digit` is how many
    characters a digit counts: "1990" is read as 28 letters of German, but as four or five signs of Chinese.
    """

    name: str
    limit: int
    scripts: tuple[str, ...] = ("LATIN",)
    digit: int = 7
    token: str = ""  # in the vocabulary, where it is not the code itself


_HAN = ("CJK", "IDEOGRAPHIC")

LANGUAGES: Final[dict[str, Language]] = {
    "ar": Language("Arabic", 166, ("ARABIC",)),
    "cs": Language("Czech", 186),
    "de": Language("German", 253),
    "en": Language("English", 250),
    "es": Language("Spanish", 239),
    "fr": Language("French", 273),
    "hi": Language("Hindi", 150, ("DEVANAGARI",)),
    "hu": Language("Hungarian", 224),
    "it": Language("Italian", 213),
    "ja": Language("Japanese", 71, ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", *_HAN), digit=2),
    "ko": Language("Korean", 95, ("HANGUL", *_HAN), digit=2),
    "nl": Language("Dutch", 251),
    "pl": Language("Polish", 224),
    "pt": Language("Portuguese", 203),
    "ru": Language("Russian", 182, ("CYRILLIC",)),
    "tr": Language("Turkish", 226),
    "zh": Language("Chinese", 82, ("BOPOMOFO", *_HAN), digit=2, token="zh-cn"),
}

#: What people also write: ISO 639-2 and -3, and older or narrower codes.
_ALIASES: Final = {
    "ara": "ar", "ces": "cs", "cze": "cs", "cz": "cs", "deu": "de", "ger": "de", "eng": "en", "spa": "es", "fra": "fr",
    "fre": "fr", "hin": "hi", "hun": "hu", "ita": "it", "jpn": "ja", "jp": "ja", "kor": "ko", "nld": "nl", "dut": "nl",
    "pol": "pl", "por": "pt", "rus": "ru", "tur": "tr", "zho": "zh", "chi": "zh", "cmn": "zh", "cn": "zh",
}  # fmt: skip


def resolve(language: str) -> str:
    """One of the 17 codes for a code as people write it (`zh-cn`, `pt-BR`, `de_DE.UTF-8`), else `unknown_language`."""
    code = language.strip().replace("_", "-").split("-")[0].split(".")[0].lower()
    code = _ALIASES.get(code, code)
    if code not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise AvatarError(Code.UNKNOWN_LANGUAGE, f"XTTS does not speak {language[:40]!r}; it speaks {known}.")
    return code


def check_script(text: str, code: str) -> None:
    """`invalid_text` when most letters of `text` belong to a script that the language is not written in."""
    language = LANGUAGES[code]
    scripts = [script for script in map(_script, text) if script]
    foreign = sum(script not in ("LATIN", "FULLWIDTH", *language.scripts) for script in scripts)
    if foreign * 2 > len(scripts):
        raise AvatarError(
            Code.INVALID_TEXT, f"Most of this text is not in the letters of {language.name}; choose its own language."
        )


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """The script of a letter (`LATIN`, `CYRILLIC`, …), "" for anything else."""
    if not character.isalpha():
        return ""
    return unicodedata.name(character, "UNKNOWN").removeprefix("HALFWIDTH ").split()[0]
