"""The exported Whisper in ONNX Runtime: an encoder over any length, a decoder whose cache is read where it lies.

It answers to what `avatar_runtime.whisper.model.WhisperModel` does, so that `decoding` runs with either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from avatar_runtime.whisper import exported as names
from avatar_runtime.whisper.features import FRAMES_PER_POSITION, log_mel

Array = NDArray[np.float32]
Memory = dict[str, NDArray[Any]]  # keys and values of the encoder's states by the decoder's input name

CAPACITY = 64  # tokens that a cache holds at first; it doubles when it is full


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the manifest tells of the networks."""

    bins: int
    width: int
    decoder_layers: int
    decoder_heads: int
    tokens: int
    positions: int
    length: int


@dataclass
class Text:
    """What the decoder remembers of one text."""

    memory: Memory
    past: dict[str, NDArray[Any]]  # [1, h, capacity, d] each
    attention: list[Array] = field(default_factory=list)  # each [heads, n, t] for the n tokens fed at once
    length: int = 0


class Networks:
    """The three graphs, one utterance at a time."""

    def __init__(self, session: Callable[[str], ort.InferenceSession], sizes: Sizes) -> None:
        """`session` opens a graph by its name."""
        self.sizes, self.bands = sizes, sizes.bins
        self.max_length, self.positions, self.least_positions = sizes.length, sizes.positions, 0
        self._encoder, self._cross, self._decoder = (session(name) for name in names.GRAPHS)
        self._past = names.past_names(sizes.decoder_layers)
        self._memory = names.cross_names(sizes.decoder_layers)
        kinds = {end.name: end.type for end in self._decoder.get_inputs()}
        self._type = np.float16 if kinds[self._past[0]] == "tensor(float16)" else np.float32

    def encode(self, audio: Array, positions: int) -> Memory:
        """What the decoder attends to in `audio` (16 kHz), padded or cut to `positions` of 20 ms."""
        return self.understand(log_mel(audio, positions * FRAMES_PER_POSITION, self.bands))

    def understand(self, mel: Array) -> Memory:
        """What the decoder attends to in a spectrogram [bins, n]."""
        return self.remember(self.states(mel[None]))

    def states(self, mel: Array) -> NDArray[Any]:
        """mel [1, bins, n] -> [1, ceil(n / 2), w]."""
        return self._encoder.run([names.STATES], {names.MEL: mel})[0]  # type: ignore[no-any-return]

    def remember(self, states: NDArray[Any]) -> Memory:
        """The encoder's states as the decoder reads them."""
        return dict(zip(self._memory, self._cross.run(self._memory, {names.STATES: states}), strict=True))

    def begin(self, memory: Memory) -> Text:
        """The state before the first token of a text about `memory`."""
        head = self.sizes.width // self.sizes.decoder_heads
        shape = (1, self.sizes.decoder_heads, CAPACITY, head)
        return Text(memory, {name: np.zeros(shape, self._type) for name in self._past})

    def feed(self, text: Text, tokens: list[int]) -> Array:
        """Append `tokens` to `text`: the logits [n, vocabulary] after each."""
        given = {
            names.TOKENS: np.array([tokens], np.int64),
            names.LENGTHS: np.array([text.length], np.int64),
            names.HEARD: np.array([text.memory[self._memory[0]].shape[2]], np.int64),
        }
        outputs = [names.LOGITS, names.KEYS, names.VALUES, names.ATTENTION]
        logits, keys, values, attention = self._decoder.run(outputs, given | text.past | text.memory)
        self._append(text, keys, values)
        text.attention.append(attention[0])
        return logits[0]  # type: ignore[no-any-return]

    def _append(self, text: Text, keys: NDArray[Any], values: NDArray[Any]) -> None:
        """keys, values [layers, 1, h, m, d] behind what is there."""
        start, end = text.length, text.length + keys.shape[3]
        capacity = text.past[self._past[0]].shape[2]
        if end > capacity:
            more = max(end, 2 * capacity) - capacity
            text.past = {name: np.pad(each, ((0, 0), (0, 0), (0, more), (0, 0))) for name, each in text.past.items()}
        for index, name in enumerate(self._past):
            text.past[name][:, :, start:end] = (values if index % 2 else keys)[index // 2]
        text.length = end
