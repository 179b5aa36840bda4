"""espeak-ng's phonemes (IPA) through its C library, as `espeakng-loader` brings it."""

from __future__ import annotations

import ctypes
import threading

import espeakng_loader

AUDIO_OUTPUT_SYNCHRONOUS = 2  # speak_lib.h: espeak_AUDIO_OUTPUT; no sound is made
CHARS_UTF8 = 1
PHONEMES_IPA = 2

_lock = threading.Lock()  # the library has one state for the process
_library: ctypes.CDLL | None = None


def _loaded() -> ctypes.CDLL:
    global _library
    if _library is None:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        if library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0) < 0:
            raise RuntimeError("espeak-ng could not be initialised")
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        _library = library
    return _library


def phonemes(text: str, voice: str) -> str:
    """IPA of `text` in espeak-ng's `voice` ("de", "en-us", …); marks are dropped, words are separated by spaces."""
    with _lock:
        library = _loaded()
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        rest = ctypes.c_char_p(text.encode("utf-8"))
        found = []
        while rest.value:
            piece = library.espeak_TextToPhonemes(ctypes.byref(rest), CHARS_UTF8, PHONEMES_IPA)
            found.append((piece or b"").decode("utf-8"))
        return " ".join(filter(None, found))
