# ruff: noqa: RUF001 (IPA and typographic signs are meant)
"""`antlitz bench roundtrip`: sentences spoken by each voice engine and heard again by Whisper; the word error rate.

The engines run in this process, without a server. Target: English below 5 %, German below 15 %.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE, SPEAKING_RATE, AvatarError
from avatar_runtime.voices import Engine
from avatar_runtime.voices.hibari import Hibari
from avatar_runtime.voices.kokoro import FOLDER, Kokoro
from avatar_runtime.whisper.folder import SIZE, open_transcriber
from avatar_runtime.whisper.transcribe import Transcriber
from gateway.settings import Settings

TARGETS = {"en": 0.05, "de": 0.15}

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "Good morning, did you sleep well last night?",
        "I have been thinking about what you told me yesterday.",
        "The weather is lovely today, so let us go for a walk.",
        "Could you tell me how to get to the station, please?",
        "My sister lives in a small house near the river.",
        "We had dinner at the new restaurant around the corner.",
        "I am not sure whether that is a good idea.",
        "She has been playing the piano since she was a child.",
        "Please close the window before you leave the room.",
        "What would you like to drink with your meal?",
        "The children are playing in the garden with the dog.",
        "I forgot my umbrella on the train this morning.",
        "It takes a long time to learn a new language.",
        "He told me a funny story about his first job.",
        "Thank you very much for your help with the boxes.",
        "There is a beautiful painting on the wall behind you.",
        "If you want, we can talk about it again tomorrow.",
        "The museum is open every day except on Monday.",
        "I like to read a book before I go to sleep.",
        "Nobody knows why the lady in the picture is smiling.",
    ),
    "de": (
        "Guten Morgen, haben Sie gut geschlafen?",
        "Ich habe lange über deine Frage nachgedacht.",
        "Das Wetter ist heute schön, lass uns spazieren gehen.",
        "Können Sie mir bitte sagen, wie ich zum Bahnhof komme?",
        "Meine Schwester wohnt in einem kleinen Haus am Fluss.",
        "Wir haben gestern Abend in einem neuen Restaurant gegessen.",
        "Ich bin mir nicht sicher, ob das eine gute Idee ist.",
        "Sie spielt seit ihrer Kindheit Klavier.",
        "Bitte mach das Fenster zu, bevor du gehst.",
        "Was möchten Sie zum Essen trinken?",
        "Die Kinder spielen mit dem Hund im Garten.",
        "Heute Morgen habe ich meinen Regenschirm im Zug vergessen.",
        "Es dauert lange, eine neue Sprache zu lernen.",
        "Er hat mir eine lustige Geschichte von seiner Arbeit erzählt.",
        "Vielen Dank für deine Hilfe mit den schweren Kisten.",
        "An der Wand hinter dir hängt ein schönes Bild.",
        "Wenn du willst, können wir morgen noch einmal darüber sprechen.",
        "Das Museum ist jeden Tag außer am Montag geöffnet.",
        "Ich lese gern ein Buch, bevor ich schlafen gehe.",
        "Niemand weiß, warum die Frau auf dem Bild lächelt.",
    ),
}

_DIGITS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve".split(),
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split(),
}


@dataclass
class Score:
    """Word errors and times of one engine, voice and language."""

    errors: int = 0
    words: int = 0
    spoken: float = 0.0  # s of audio
    took: float = 0.0  # s to make it
    first: float = 0.0  # s to the first chunk, summed

    @property
    def rate(self) -> float:
        return self.errors / max(self.words, 1)


def normalized(text: str, language: str) -> list[str]:
    """The words of `text` to compare: lower case, no punctuation, ß as ss, small numbers as words."""
    plain = unicodedata.normalize("NFC", text).lower().replace("ß", "ss").replace("’", "'").replace("-", " ")
    found = re.findall(r"[^\W_]+(?:'[^\W_]+)?", plain)
    digits = _DIGITS[language]
    return [digits[int(w)] if w.isdecimal() and int(w) < len(digits) else w for w in found]


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Insertions, deletions and substitutions between two lists of words (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def measure(
    engine: Engine, ear: Transcriber, language: str, voice: str, speed: float = 1.0, verbose: bool = False
) -> Score:
    """Every sentence of `language` spoken by `voice` and heard by `ear`."""
    score = Score()
    for sentence in SENTENCES[language]:
        start = time.perf_counter()
        chunks: list[NDArray[np.float32]] = []
        for chunk in engine.speak(sentence, language, voice, speed):
            if not chunks:
                score.first += time.perf_counter() - start
            chunks.append(chunk.audio)
        score.took += time.perf_counter() - start
        audio = np.concatenate(chunks)
        score.spoken += len(audio) / SPEAKING_RATE
        heard = ear.transcribe(
            soxr.resample(audio, SPEAKING_RATE, LISTENING_RATE).astype(np.float32), ear.options(language)
        ).text
        wanted = normalized(sentence, language)
        errors = word_errors(wanted, normalized(heard, language))
        score.words += len(wanted)
        score.errors += errors
        if verbose and errors:
            sys.stdout.write(f"    {errors}  {sentence}\n       {heard.strip()}\n")
    return score


def main(args: list[str]) -> int:
    """Prints a line for each engine and language; 1 when an engine's default voice misses its target."""
    parser = argparse.ArgumentParser(prog="antlitz bench roundtrip", description=__doc__)
    parser.add_argument("--ear", default=SIZE, metavar="SIZE", help="of Whisper: base, small, …")
    parser.add_argument("--engine", choices=("tts_hibari", "tts_kokoro"), action="append")
    parser.add_argument("--language", choices=tuple(SENTENCES), action="append")
    parser.add_argument("--voice", action="append", help="voices instead of each language's default")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was misheard")
    options = parser.parse_args(args)
    models = _models()
    try:
        ear = open_transcriber(models, options.ear)
    except AvatarError as error:
        sys.stderr.write(f"antlitz: {error.message}\n")
        return 2
    missed = False
    for name in options.engine or ("tts_hibari", "tts_kokoro"):
        engine: Engine = Hibari() if name == "tts_hibari" else Kokoro(models / FOLDER)
        for language in options.language or tuple(SENTENCES):
            if language not in engine.languages:
                continue
            for voice in options.voice or (engine.voices[language][0],):
                list(engine.speak("Hallo.", language, voice))  # the first call loads lexicons
                score = measure(engine, ear, language, voice, options.speed, options.verbose)
                missed |= score.rate >= TARGETS[language]
                count = len(SENTENCES[language])
                sys.stdout.write(
                    f"{name:<11} {language} {voice:<10} ear {options.ear:<5}  word error rate {score.rate:6.1%} "
                    f"(target < {TARGETS[language]:.0%})  real-time factor {score.took / score.spoken:.3f}  "
                    f"first sound {score.first / count * 1000:5.0f} ms\n"
                )
                sys.stdout.flush()
    return int(missed)


def _models() -> Path:
    given = os.environ.get("ANTLITZ_MODELS")
    return Path(given) if given else Settings.from_environment().models
