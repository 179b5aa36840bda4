"""Which language a text is in, among a few: enough to choose how a voice that has several reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: The words that make up a third of any text, less those that two of these languages share.
_FUNCTION_WORDS: Final = {
    "en": "the and of to is you that it was for are with his they be this have from or had by but what were we your "
    "can said there each which she do how if will up about out then them these some would my i'm it's hello",
    "de": "der die das und ist nicht ich sie wir ihr mit auf für von dem den ein eine einen auch wie aber oder wenn "
    "sind haben hat wird zu zum zur bei noch nach über sich dass nur kann guten hallo danke mir dir bin bist",
    "es": "el los las y que es en un por con para una su del está pero más muy hay como yo tú usted gracias hola "
    "buenos soy eres son también porque cuando este esta",
    "fr": "le les et est que dans un une pour pas qui sur au avec ce il elle nous vous je ne du des mais ou où très "
    "bonjour merci suis êtes sont aussi c'est j'ai plus comme",
    "it": "il gli e è che di un una per non con sono del della nel ma più molto ho hai come io tu lei grazie ciao "
    "buongiorno anche perché quando questo questa lo alla",
    "pt": "o os as e é que em um uma para não com do da no na mas mais muito eu você obrigado olá bom dia sou são "
    "também porque quando este esta isso",
}
_SETS: Final = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
#: Letters that only one of the languages here is written in. Japanese comes before Chinese: it has both.
_OWN_LETTERS: Final = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
}
_OWN_SHARE: Final = 0.2  # of the letters: a name in other letters does not make the language
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def guess_language(text: str, candidates: Sequence[str]) -> str:
    """The candidate in whose own letters `text` is, else the one whose function words are most frequent in it.

    The first one where both say nothing.
    """
    if not candidates:
        return ""
    letters = sum(character.isalpha() for character in text)
    for language, own in _OWN_LETTERS.items():
        if language in candidates and len(own.findall(text)) > _OWN_SHARE * letters:
            return language
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    return max(candidates, key=lambda language: sum(word in _SETS.get(language, ()) for word in words))
