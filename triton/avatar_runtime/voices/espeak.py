# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""IPA by espeak-ng (GPL-3), loaded from the package espeakng-loader and called through its C interface.

One process has one espeak-ng with one language at a time, so calls hold a lock.
"""

from __future__ import annotations

import ctypes
import re
import threading
from functools import cache

import espeakng_loader

_VOICES = {"en": "en-us", "pt": "pt-br"}  # where espeak's name is not the language's
_SYNCHRONOUS, _UTF8, _IPA_WITH_TIES = 2, 1, 0x02 | 0x80 | ord("^") << 8  # speak_lib.h: espeak_AUDIO_OUTPUT, phonememode
_LANGUAGE_FLAG = re.compile(r"\(\^?[a-z](?:\^?[a-z-])+\)")  # "(en)" before an English word in German, tied or not
_MARK = re.compile(
    r"\s*((?:[;:,.!?—…\"()“”«»„¿¡]|(?<!\w)['’‘]|['’‘](?!\w))+)(?=\s|$|[^\W\d])\s*"
    r"|(?:^|(?<=\s))([\"(“«„¿¡]+)"
)
_lock = threading.Lock()


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        raise RuntimeError("espeak-ng found no voice data")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    return library


def ipa(text: str, language: str) -> str:
    """`text` as IPA with stress marks, its punctuation kept; two-letter sounds are tied with ``^`` (``t^s``)."""
    pieces: list[str] = []
    at = 0
    with _lock:
        library = _library()
        if library.espeak_SetVoiceByName(_VOICES.get(language, language).encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice for {language}")
        for match in _MARK.finditer(text):
            pieces += [_words(library, text[at : match.start()]), match[1] or match[2], "" if match[2] else " "]
            at = match.end()
        pieces.append(_words(library, text[at:]))
    return re.sub(r" +", " ", "".join(pieces)).strip()


def _words(library: ctypes.CDLL, text: str) -> str:
    if not text.strip():
        return ""
    rest = ctypes.c_char_p(text.encode())
    said = []
    while rest.value:
        said.append(library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_WITH_TIES).decode())
    leading = " " if text[0].isspace() else ""
    return leading + _LANGUAGE_FLAG.sub("", " ".join(said)).strip()
