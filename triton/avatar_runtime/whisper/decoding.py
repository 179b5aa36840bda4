"""From sound to tokens: greedy or sampled, with the guards against text that nobody said.

Thresholds as in openai/whisper ``transcribe.py`` and Radford et al. 2022, section 4.5.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.whisper.model import Array, DecoderState, Memory, WhisperModel
from avatar_runtime.whisper.tokens import Vocabulary

NO_SPEECH = 0.6  # probability of the no-speech token above which an unsure text is dropped
MEAN_LOG_PROBABILITY = -1.0  # below it a text is not trusted
COMPRESSION_RATIO = 2.4  # above it a text repeats itself
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TOKENS_PER_SECOND = 25  # nobody speaks faster, in any script
TOKENS_MARGIN = 20
LOOP_TOKENS = 12  # a phrase said again and again over this many tokens …
LOOP_TIMES = 4  # … and this often is a loop


@dataclass(frozen=True)
class DecodingOptions:
    language: str | None = None  # None detects
    task: str = "transcribe"
    prompt: tuple[int, ...] = ()


@dataclass
class Decoded:
    """Text tokens of one window, and how much to trust them."""

    tokens: list[int]
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
    def silent(self) -> bool:
        return self.no_speech > NO_SPEECH and self.mean_log_probability < MEAN_LOG_PROBABILITY


def decode(
    model: WhisperModel,
    vocabulary: Vocabulary,
    memory: Memory,
    seconds: float,
    options: DecodingOptions,
    temperatures: tuple[float, ...] = TEMPERATURES,
) -> Decoded:
    """The best text for `memory`, spoken in `seconds`: hotter and hotter until one can be trusted."""
    random = np.random.default_rng(0)  # the same sound gives the same text
    best: Decoded | None = None
    for temperature in temperatures:
        found = _decode_once(model, vocabulary, memory, seconds, options, temperature, random)
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
    model: WhisperModel,
    vocabulary: Vocabulary,
    memory: Memory,
    seconds: float,
    options: DecodingOptions,
    temperature: float,
    random: np.random.Generator,
) -> Decoded:
    logits, state, language, sure, no_speech = _begin(model, vocabulary, memory, options)
    logits[vocabulary.suppressed_first] = -np.inf
    limit = min(model.max_length - state.length - 1, int(seconds * TOKENS_PER_SECOND) + TOKENS_MARGIN)
    first = len(state.attention)
    tokens: list[int] = []
    total = 0.0
    looped = False
    while True:
        logits[vocabulary.suppressed] = -np.inf
        logits[vocabulary.first_timestamp :] = -np.inf
        logits[vocabulary.end + 1 : vocabulary.first_timestamp] = -np.inf
        token, log_probability = _choose(logits, temperature, random)
        total += log_probability
        looped = is_loop([*tokens[-4 * LOOP_TOKENS :], token])
        if token == vocabulary.end or looped or len(tokens) >= limit:
            break
        tokens.append(token)
        logits = model.feed(state, [token])[0]
    return Decoded(
        tokens=tokens,
        language=language,
        language_probability=sure,
        mean_log_probability=total / (len(tokens) + 1),
        no_speech=no_speech,
        compression_ratio=compression_ratio(vocabulary.decode(tokens)),
        looped=looped or len(tokens) >= limit,
        attention=[state.attention[first - 1][:, -1:], *state.attention[first:]],
    )


def _begin(
    model: WhisperModel, vocabulary: Vocabulary, memory: Memory, options: DecodingOptions
) -> tuple[Array, DecoderState, str, float, float]:
    """Feed what steers the decoder: (logits of the first text token, state, language, its probability, no speech's)."""
    state = model.begin(memory)
    language, sure = options.language, 1.0
    if language is None:
        start = model.feed(state, [vocabulary.start])[0]
        candidates = list(vocabulary.languages.values())
        likely = _softmax(start[candidates])
        language, sure = vocabulary.language_of(candidates[int(np.argmax(likely))]), float(likely.max())
        state = model.begin(memory)
    before = [vocabulary.previous, *options.prompt] if options.prompt else []
    steer = [vocabulary.start, vocabulary.languages[language], vocabulary.tasks[options.task], vocabulary.no_timestamps]
    logits = model.feed(state, [*before, *steer])
    no_speech = float(_softmax(logits[len(before)])[vocabulary.no_speech])
    return logits[-1].copy(), state, language, sure, no_speech


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
