"""Hearing while it is spoken: a window of sound that follows the speaker, looked at again and again.

What is certain (`commitment`) is never changed: the decoder is made to begin with it. The window begins where speech
began, and is shortened behind certain words, so that a look costs the same however long one speaks.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from avatar_runtime.contracts import LISTENING_RATE, VAD_WINDOW
from avatar_runtime.vad import SpeechStream
from avatar_runtime.whisper.commitment import agreed, settled
from avatar_runtime.whisper.decoding import SURE_LANGUAGE, TEMPERATURES, Array, Decoded, DecodingOptions, decode
from avatar_runtime.whisper.features import FRAMES_PER_POSITION, FRAMES_PER_SECOND, POSITIONS_PER_SECOND, LogMel
from avatar_runtime.whisper.segments import KEPT_SILENCE, OFF, ON, SHORTEST_WINDOWS
from avatar_runtime.whisper.transcribe import PADDING, Transcriber, Transcript, Word, joined, stripped

SENTENCE_ENDS = (".", "?", "!", "\u3002", "\uff1f", "\uff01")
WINDOW_SECONDS = VAD_WINDOW / LISTENING_RATE
SETTLED_LANGUAGE = 0.8  # probability of a language in which words may be certain
FIRST_SECONDS = 1.2  # of a window, with the silence before the speech
#: What comes late and all at once is looked at in parts: twice `longest` and this stay below the encoder's 30 s.
MOST_SAMPLES = 5 * LISTENING_RATE


@dataclass(frozen=True)
class StreamingOptions:
    """Seconds."""

    look: float = 0.25  # of new sound between two looks …
    first_looks: float = 0.12  # … and within the first second: the first words are waited for
    padding: float = 2.0  # of silence after the sound of a look
    least: float = 8.0  # of context when all is heard: somebody waits for it, and most was understood before
    margin: float = 0.8  # of the newest sound, which makes nothing certain that looks at it; 0: LocalAgreement alone
    agree: bool = True  # whether two looks have to agree as well
    pause: float = 1.0  # a silence that ends a part: all that was said in it is certain
    longest: float = 12.0  # of a window; then it is shortened …
    kept: float = 5.0  # … to about this
    unsure: float = 3.0  # after so much speech a language is settled, sure or not


class Stream:
    """One speaker, from the first sample to the last. Times are seconds of the stream."""

    def __init__(self, transcriber: Transcriber, options: StreamingOptions | None = None) -> None:
        self._transcriber, self._options = transcriber, options or StreamingOptions()
        self._speech = SpeechStream(transcriber.gate)
        self._mel = LogMel(transcriber.networks.bands)
        self._origin = 0  # frames dropped: where the window begins
        self._windows = 0  # of voice activity, heard since the start
        self._recent: deque[bool] = deque(maxlen=SHORTEST_WINDOWS)
        self._open = False  # whether somebody speaks, or has just spoken
        self._spoken = 0.0  # the end of the last speech
        self._looked = 0.0  # where the last look ended
        self._words: list[Word] = []  # certain, and before the window
        self._said: list[int] = []  # certain, in the window
        self._guess: list[int] = []  # probable, behind it
        self._seen: list[Word] = []  # the words of both
        self._certain = 0  # of those
        self._language = ""
        self._whole: Decoded | None = None  # what a flush heard, while no speech has come since

    @property
    def window(self) -> float:
        """Seconds of sound that are kept: what a look costs."""
        return self._now - self._begin

    # --- sound in -----------------------------------------------------------------------------------------
    def add(self, audio: Array, options: DecodingOptions) -> None:
        """The next sound (16 kHz, any length); looks at it when there is enough that is new."""
        for start in range(0, len(audio), MOST_SAMPLES):
            self._add(audio[start : start + MOST_SAMPLES], options)

    def _add(self, audio: Array, options: DecodingOptions) -> None:
        self._mel.push(audio)
        for probability in self._speech.feed(audio):
            self._window(float(probability), options)
        look = self._options.look if self.window > FIRST_SECONDS else self._options.first_looks
        if self._open and self._now - self._looked >= look and self._spoken > self._looked:
            self._look(options)

    def heard(self) -> Transcript:
        """What is certain and what is probable at the moment."""
        words = [*self._words, *self._seen]
        certain = len(self._words) + self._certain
        text = joined(words[:certain])
        partial = joined(words)[len(text) :].strip()
        return Transcript(text, self._language, stripped(words), partial)

    def flush(self, options: DecodingOptions) -> Transcript:
        """As `heard`, of everything that was said until now."""
        if self._open and self._whole is None:
            self._whole = self._hear_all(options)
            self._looked = self._now
        return self.heard()

    def finish(self, options: DecodingOptions) -> Transcript:
        """The end: all of it is certain."""
        self.flush(options)
        self._close()
        return self.heard()

    # --- voice activity -----------------------------------------------------------------------------------
    @property
    def _now(self) -> float:
        """The end of the sound that voice activity has been told of."""
        return self._windows * WINDOW_SECONDS

    @property
    def _begin(self) -> float:
        return self._origin / FRAMES_PER_SECOND

    def _window(self, probability: float, options: DecodingOptions) -> None:
        self._windows += 1
        self._recent.append(probability >= ON)
        if self._open:
            if probability >= OFF:
                self._spoken = self._now
                self._whole = None
            elif self._now - self._spoken >= self._options.pause:
                self.flush(options)
                self._close()
        elif len(self._recent) == SHORTEST_WINDOWS and all(self._recent):
            self._open, self._spoken = True, self._now
            self._drop(self._now - SHORTEST_WINDOWS * WINDOW_SECONDS - KEPT_SILENCE)
            self._looked = self._begin
        else:
            self._drop(self._now - KEPT_SILENCE - (SHORTEST_WINDOWS + 1) * WINDOW_SECONDS)

    def _close(self) -> None:
        """The part is over: its words are certain, and silence follows."""
        self._words += self._seen
        self._said, self._guess, self._seen, self._certain = [], [], [], 0
        self._open, self._whole = False, None
        self._recent.clear()
        self._drop(self._now - KEPT_SILENCE)

    def _drop(self, before: float) -> None:
        """Forget the sound before a moment, as far as it is known."""
        frames = min(math.floor(before * FRAMES_PER_SECOND) - self._origin, self._mel.frames)
        if frames > 0:
            self._mel.drop(frames)
            self._origin += frames

    # --- looking ------------------------------------------------------------------------------------------
    def _look(self, options: DecodingOptions) -> None:
        """Hear the window once, quickly; what cannot be trusted changes nothing."""
        self._looked = self._now
        seconds = self.window
        networks = self._transcriber.networks
        positions = self._transcriber.context(seconds + self._options.padding)
        mel = self._mel.spectrogram(positions * FRAMES_PER_POSITION)
        steered = self._steered(options)
        heard = decode(networks, self._transcriber.vocabulary, networks.understand(mel), seconds, steered, (0.0,))
        if steered.language is None and heard.language_probability < SURE_LANGUAGE and seconds < self._options.unsure:
            return
        if heard.said and not heard.repeats:
            self._language = heard.language
            self._take(heard, seconds)
        if seconds > self._options.longest:
            self._shorten(options)

    def _steered(self, options: DecodingOptions) -> DecodingOptions:
        # Half a second of sound can be any language: only what is certain has one.
        settled = self._language if self._said or self._words else ""
        language = options.language or settled or None
        return replace(options, language=language, said=tuple(self._said), guess=tuple(self._guess))

    def _take(self, heard: Decoded, seconds: float) -> None:
        guess = heard.tokens[len(self._said) :]
        count = len(guess)
        if heard.language_probability < SETTLED_LANGUAGE and seconds < self._options.unsure:
            count = 0
        if self._options.margin:
            positions = math.ceil(seconds * POSITIONS_PER_SECOND)
            margin = round(self._options.margin * POSITIONS_PER_SECOND)
            count = min(count, settled(heard.attention[len(self._said) :], positions, margin))
        if self._options.agree or not self._options.margin:
            count = min(count, agreed(self._guess, guess))
        self._seen = self._transcriber.words(heard, self._begin, seconds)
        # Whole words only: one is whole when the next has begun.
        _, groups = self._transcriber.vocabulary.words(heard.tokens, heard.language)
        whole = np.cumsum([len(group) for group in groups])[:-1]
        known = len(self._said) + count
        self._certain = int(np.searchsorted(whole, known, side="right")) if len(whole) else 0
        tokens = int(whole[self._certain - 1]) if self._certain else 0
        self._said, self._guess = heard.tokens[:tokens], heard.tokens[tokens:]

    def _shorten(self, options: DecodingOptions) -> None:
        """Drop what is certain and long ago; where nothing is, the part ends here."""
        _, groups = self._transcriber.vocabulary.words(self._said, self._language)
        latest = self._now - self._options.kept
        count = sum(word.end <= latest for word in self._seen[: self._certain])
        count = min(count, len(groups))
        if not count:
            if self.window > 2 * self._options.longest:
                self.flush(options)
                self._close()
            return
        # A sentence that begins in the window is better heard than the rest of one.
        sentences = [
            index for index in range(1, count + 1) if self._seen[index - 1].text.rstrip()[-1:] in SENTENCE_ENDS
        ]
        early = self._begin + self._options.kept / 2
        cut = sentences[-1] if sentences and self._seen[sentences[-1] - 1].end > early else count
        self._words += self._seen[:cut]
        self._seen, self._certain = self._seen[cut:], self._certain - cut
        self._said = self._said[sum(len(group) for group in groups[:cut]) :]
        self._drop(self._words[-1].end)

    def _hear_all(self, options: DecodingOptions) -> Decoded:
        """The window with the care that a whole recording gets."""
        seconds = min(self._now, self._spoken + KEPT_SILENCE) - self._begin
        until = round(seconds * FRAMES_PER_SECOND)
        steered = self._steered(options)
        if steered.language is None and self._language and self._language == options.likely:
            # The looks heard the language that was expected: a doubt about it is not worth hearing all again.
            steered = replace(steered, language=self._language)
        heard = self._transcriber.hear(
            lambda frames: self._mel.spectrogram(frames, until),
            seconds,
            steered,
            max(seconds + PADDING, self._options.least),
            TEMPERATURES[:2],  # somebody waits
        )
        if heard.said:
            self._language = heard.language
            self._seen = self._transcriber.words(heard, self._begin, seconds)
            self._guess = heard.tokens[len(self._said) :]
        else:
            self._seen, self._guess = self._seen[: self._certain], []
        return heard
