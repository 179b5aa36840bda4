"""From sound to tokens: greedy or sampled, with the guards against text that nobody said.

Thresholds as in openai/whisper ``transcribe.py`` and Radford et al. 2022, section 4.5.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.whisper.tokens import Vocabulary

Array = NDArray[np.float32]

NO_SPEECH = 0.6  # probability of the no-speech token above which an unsure text is dropped
MEAN_LOG_PROBABILITY = -1.0  # below it a text is not trusted
COMPRESSION_RATIO = 2.4  # above it a text repeats itself
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TOKENS_PER_SECOND = 25  # nobody speaks faster, in any script
TOKENS_MARGIN = 20
LOOP_TOKENS = 12  # a phrase said again and again over this many tokens …
LOOP_TIMES = 4  # … and this often is a loop
#: A short greeting in German is Latin (0.39) to ten seconds of context and German (0.63) to thirty: below this
#: probability a language is not settled.
SURE_LANGUAGE = 0.6
#: How much more probable an expected language is than any other, before anything is heard: enough for a single word
#: that could be anything, too little for a sentence in another language.
LIKELY_ODDS = 20.0


class Text(Protocol):
    """What a decoder remembers of one text."""

    attention: list[Array]  # each [heads, n, t] for the n tokens fed at once: what the alignment heads look at
    length: int  # tokens fed


class Networks(Protocol):
    """Encoder and decoder of a Whisper, whoever made their graphs."""

    bands: int  # of the spectrogram
    max_length: int  # tokens of a text
    positions: int  # 20 ms each, that the encoder was trained on
    least_positions: int  # that it hears at least

    def understand(self, mel: Array) -> Any:
        """What the decoder attends to in a spectrogram [bins, n]."""

    def begin(self, memory: Any) -> Any:
        """The `Text` before its first token."""

    def feed(self, text: Any, tokens: list[int]) -> Array:
        """Append `tokens` to the text: the logits [n, vocabulary] after each."""


@dataclass(frozen=True)
class DecodingOptions:
    language: str | None = None  # None detects
    likely: str | None = None  # the language that is expected
    task: str = "transcribe"
    prompt: tuple[int, ...] = ()
    said: tuple[int, ...] = ()  # text tokens that are certain: the text begins with them
    guess: tuple[int, ...] = ()  # text tokens that probably follow: read at once, kept as far as they are chosen


@dataclass
class Decoded:
    """Text tokens of one window, and how much to trust those that were not certain before."""

    tokens: list[int]  # the certain ones first
    language: str
    language_probability: float  # 1 where the language was given
    mean_log_probability: float
    no_speech: float
    compression_ratio: float
    looped: bool
    attention: list[Array] = field(repr=False)  # for each text token and the end: [heads, 1, t]

    @property
    def repeats(self) -> bool:
        return self.looped or self.compression_ratio > COMPRESSION_RATIO

    @property
    def trusted(self) -> bool:
        return not self.repeats and self.mean_log_probability >= MEAN_LOG_PROBABILITY

    @property
    def kept(self) -> bool:
        """Good enough when nothing better was found: people do repeat themselves, but not word for word for ever."""
        return not self.looped and self.mean_log_probability >= MEAN_LOG_PROBABILITY

    @property
    def said(self) -> bool:
        """Whether somebody said this, as far as one can tell."""
        return self.kept and not self.silent

    @property
    def silent(self) -> bool:
        return self.no_speech > NO_SPEECH and self.mean_log_probability < MEAN_LOG_PROBABILITY


def decode(
    networks: Networks,
    vocabulary: Vocabulary,
    memory: Any,
    seconds: float,
    options: DecodingOptions,
    temperatures: tuple[float, ...] = TEMPERATURES,
) -> Decoded:
    """The best text for `memory`, spoken in `seconds`: hotter and hotter until one can be trusted."""
    random = np.random.default_rng(0)  # the same sound gives the same text
    best: Decoded | None = None
    for temperature in temperatures:
        found = _decode_once(networks, vocabulary, memory, seconds, options, temperature, random)
        if best is None or _preference(found) > _preference(best):
            best = found
        if found.trusted or found.silent:
            break
    assert best is not None
    return best


def _preference(found: Decoded) -> tuple[bool, bool, float]:
    return found.kept, not found.repeats, found.mean_log_probability


def compression_ratio(text: str) -> float:
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def is_loop(tokens: list[int]) -> bool:
    """Whether `tokens` end in one phrase repeated `LOOP_TIMES` over at least `LOOP_TOKENS`."""
    for size in range(1, len(tokens) // LOOP_TIMES + 1):
        times = max(LOOP_TIMES, -(-LOOP_TOKENS // size))
        tail = tokens[-size * times :]
        if len(tail) == size * times and tail == tail[:size] * times:
            return True
    return False


def _decode_once(
    networks: Networks,
    vocabulary: Vocabulary,
    memory: Any,
    seconds: float,
    options: DecodingOptions,
    temperature: float,
    random: np.random.Generator,
) -> Decoded:
    begun = _begin(networks, vocabulary, memory, options)
    text, logits, language, sure, no_speech = begun.text, begun.logits, begun.language, begun.sure, begun.no_speech
    del begun  # with it a text would stay that is not needed any more
    tokens = list(options.said)
    if not tokens:
        logits[vocabulary.suppressed_first] = -np.inf
    most = int(seconds * TOKENS_PER_SECOND) + TOKENS_MARGIN - len(tokens)
    limit = max(1, min(networks.max_length - text.length - 1, most))
    total = 0.0
    fresh = 0
    ahead = _Ahead(networks, text, options.guess[:limit] if temperature == 0 else ())
    while True:
        logits[vocabulary.suppressed] = -np.inf
        logits[vocabulary.first_timestamp :] = -np.inf
        logits[vocabulary.end + 1 : vocabulary.first_timestamp] = -np.inf
        token, log_probability = _choose(logits, temperature, random)
        total += log_probability
        looped = is_loop([*tokens[-4 * LOOP_TOKENS :], token])
        if token == vocabulary.end or looped or fresh >= limit:
            break
        tokens.append(token)
        fresh += 1
        read = ahead.after(token)
        if read is None and ahead.left:  # the guess was wrong here: what follows of it has to go out of the text
            del text
            said = tuple(tokens[:-1])
            text = _begin(networks, vocabulary, memory, replace(options, language=language, said=said)).text
            ahead = _Ahead(networks, text, ())
        logits = networks.feed(text, [token])[0] if read is None else read
    return Decoded(
        tokens=tokens,
        language=language,
        language_probability=sure,
        mean_log_probability=total / (fresh + 1),
        no_speech=no_speech,
        compression_ratio=compression_ratio(vocabulary.decode(tokens)),
        looped=looped or fresh >= limit,
        attention=_predicting(text.attention, len(tokens) + 1, ahead.left),
    )


class _Ahead:
    """Tokens that were guessed, and read in one step: it costs hardly more for ten tokens than for one."""

    def __init__(self, networks: Networks, text: Text, guess: tuple[int, ...]) -> None:
        self._guess = guess
        self._logits = networks.feed(text, list(guess)) if guess else None
        self._count = 0

    @property
    def left(self) -> int:
        """How many tokens of the guess are in the text that were not chosen (yet)."""
        return len(self._guess) - self._count

    def after(self, token: int) -> Array | None:
        """The logits after `token`; None when it is not the next of the guess."""
        if self._logits is None or not self.left or self._guess[self._count] != token:
            return None
        self._count += 1
        logits: Array = self._logits[self._count - 1].copy()
        return logits


@dataclass
class _Begun:
    """A text after what steers it and what is certain of it."""

    text: Text
    logits: Array  # of the next token
    language: str
    sure: float  # the probability of the language
    no_speech: float


def _begin(networks: Networks, vocabulary: Vocabulary, memory: Any, options: DecodingOptions) -> _Begun:
    text = networks.begin(memory)
    language, sure = options.language, 1.0
    if language is None:
        start = networks.feed(text, [vocabulary.start])[0]
        candidates = list(vocabulary.languages.values())
        odds = _softmax(start[candidates])
        if options.likely is not None:
            odds[candidates.index(vocabulary.languages[options.likely])] *= LIKELY_ODDS
            odds /= odds.sum()
        language, sure = vocabulary.language_of(candidates[int(np.argmax(odds))]), float(odds.max())
        text = networks.begin(memory)
    before = [vocabulary.previous, *options.prompt] if options.prompt else []
    steer = [vocabulary.start, vocabulary.languages[language], vocabulary.tasks[options.task], vocabulary.no_timestamps]
    logits = networks.feed(text, [*before, *steer, *options.said])
    no_speech = float(_softmax(logits[len(before)])[vocabulary.no_speech])
    return _Begun(text, logits[-1].copy(), language, sure, no_speech)


def _predicting(attention: list[Array], count: int, spare: int) -> list[Array]:
    """The attention [heads, 1, t] that chose each of the last `count` tokens, before `spare` that were not chosen."""
    rows = [part[:, index : index + 1] for part in attention for index in range(part.shape[1])]
    end = len(rows) - spare
    return rows[end - count : end]


def _choose(logits: Array, temperature: float, random: np.random.Generator) -> tuple[int, float]:
    """A token and its log probability (at temperature 1, so that temperatures compare)."""
    scores = logits - logits.max()
    log_total = float(np.log(np.exp(scores).sum()))
    if temperature == 0:
        token = int(np.argmax(scores))
    else:
        token = int(random.choice(len(scores), p=_softmax(scores / temperature).astype(np.float64, copy=False)))
    return token, float(scores[token]) - log_total


def _softmax(logits: Array) -> NDArray[np.float64]:
    exponents = np.exp((logits - logits.max()).astype(np.float64))
    return exponents / exponents.sum()  # type: ignore[no-any-return]
