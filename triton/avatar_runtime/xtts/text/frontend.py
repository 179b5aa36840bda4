"""From what is written to XTTS's token ids."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.voices.normalize import check_sayable, plain
from avatar_runtime.xtts.text import cutting, readings, steps
from avatar_runtime.xtts.text.languages import LANGUAGES, check_script, resolve

#: Ids of one call. XTTS-v2's `gpt_max_text_tokens` is 402, from which coqui refuses; two are kept for [START], [STOP].
MAX_TEXT_TOKENS: Final = 400
_SIGNS: Final = "&@%#€$£°₹₺₽₩¥￥+=§"  # kept when emoji and markup go
#: MeCab's words point into its last answer, and num2words counts decimals in its converters: one text at a time.
_READING: Final = threading.Lock()


class Frontend:
    """Text for one XTTS checkpoint, whose vocabulary (`vocab.json`, Hugging Face tokenizers) it reads once."""

    languages: Final = tuple(LANGUAGES)

    def __init__(self, vocabulary: Path | str) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(vocabulary))
        except Exception as error:  # tokenizers raises Exception itself
            raise AvatarError(
                Code.ENGINE_UNAVAILABLE,
                f"{vocabulary} is missing or broken; make it anew: antlitz export xtts --checkpoint DIR",
            ) from error

    def ids(self, text: str, language: str) -> list[int]:
        """Token ids of `text` as coqui's `encode` gives them: the language first, no start, no stop; any length."""
        code = resolve(language)
        tagged = f"[{LANGUAGES[code].token or code}]{self.normalise(text, code)}"
        return list(self._tokenizer.encode(tagged.replace(" ", "[SPACE]")).ids)

    def pieces(self, text: str, language: str) -> list[str]:
        """`text` without markup, in pieces for one call each: sentences where they fit.

        Raises `invalid_text` for nothing to say, too much of it, or the letters of another language.
        """
        code = resolve(language)
        clean = plain(text, code, _SIGNS)
        check_sayable(clean)
        check_script(clean, code)
        return [short for piece in cutting.pieces(clean, code) for short in self._fitting(piece, code)]

    @staticmethod
    def normalise(text: str, language: str) -> str:
        """`text` as the network reads it: small letters, numbers as words, Chinese as pinyin. Any thread may ask."""
        code = resolve(language)
        with _READING:
            return steps.read(readings.prepare(text, code), code)

    def _fitting(self, piece: str, code: str) -> list[str]:
        """`piece`, or its parts where it has more ids than the network has places."""
        if len(piece) < 2 or len(self.ids(piece, code)) <= MAX_TEXT_TOKENS:
            return [piece]
        half = max(cutting.weight(piece, code) // 2, 1)
        return [short for part in cutting.pieces(piece, code, half) for short in self._fitting(part, code)]
