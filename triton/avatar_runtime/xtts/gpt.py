"""The GPT in ONNX Runtime: a prefix once, then one code a step for every utterance that is being spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from avatar_runtime.xtts import device
from avatar_runtime.xtts.cache import Cache
from avatar_runtime.xtts.device import DeviceCache
from avatar_runtime.xtts.graphs import EMBEDS, HIDDEN, KEYS, LENGTHS, LOGITS, VALUES, past_names

Floats = NDArray[np.float32]
OUTPUTS = [LOGITS, HIDDEN, KEYS, VALUES]


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the manifest tells of the networks."""

    layers: int
    width: int
    heads: int
    codes: int
    start_code: int
    stop_code: int
    start_text: int
    stop_text: int
    most_text: int
    most_generated: int
    speaker: int
    reference_seconds: int
    chunk_seconds: int


class Tables:
    """The embeddings of text and codes, with their positions."""

    def __init__(self, arrays: Any, sizes: Sizes) -> None:
        """arrays: text, text_positions, codes, code_positions, f32 [n, w] each."""
        self._text, self._text_positions = arrays["text"], arrays["text_positions"]
        self._codes, self._code_positions = arrays["codes"], arrays["code_positions"]
        self._sizes = sizes

    def prefix(self, latents: Floats, text: list[int]) -> Floats:
        """A voice's latents [32, w] and text ids -> EMBEDS [32 + t + 3, w], up to the code that begins."""
        ids = [self._sizes.start_text, *text, self._sizes.stop_text]
        spoken = self._text[ids] + self._text_positions[: len(ids)]
        return np.concatenate([latents, spoken, self.code(self._sizes.start_code, 0)[None]])

    def code(self, code: int, position: int) -> Floats:
        """A code at its position (the beginning is 0) -> [w]."""
        return np.asarray(self._codes[code] + self._code_positions[position], np.float32)


class Gpt:
    """Rows of a batch, each an utterance: `add` one, `step` them all, `remove` one (the last moves into its place)."""

    def __init__(self, session: ort.InferenceSession, sizes: Sizes, resident: str = "") -> None:
        """`resident`: the provider on whose device the cache stays; "" keeps it in this process's memory."""
        self._session = session
        kinds = {end.name: end.type for end in session.get_inputs()}
        self._type = np.float16 if kinds[EMBEDS] == "tensor(float16)" else np.float32
        head = sizes.width // sizes.heads
        shape = (sizes.layers, sizes.heads, head, self._type)
        self.cache: Cache | DeviceCache = Cache(*shape)
        if resident:
            self.cache = DeviceCache(*shape, resident, device.RECORDED_ROWS[-1], device.RECORDED_ROOM)
            self._steps = device.Steps(session, self.cache, sizes.width, sizes.codes)
        nothing = np.zeros((1, sizes.heads, 1, head), self._type)
        self._nothing = dict.fromkeys(past_names(sizes.layers), nothing)

    def add(self, prefix: Floats) -> tuple[Floats, Floats]:
        """A new row from EMBEDS [m, w] -> logits [codes] of the first code and the hidden state [w] behind it."""
        embeds = prefix[None].astype(self._type)
        if isinstance(self.cache, DeviceCache):
            logits, hidden = device.begin(self._session, self.cache, embeds)
            return logits[0], hidden[0]
        given = {EMBEDS: embeds, LENGTHS: np.zeros(1, np.int64), **self._nothing}
        logits, hidden, keys, values = self._session.run(OUTPUTS, given)
        self.cache.add(keys, values)
        return logits[0], hidden[0]

    def step(self, codes: Floats) -> tuple[Floats, Floats]:
        """The embedded last code of each row [n, w] -> logits [n, codes] and hidden states [n, w]."""
        embeds, lengths = codes[:, None].astype(self._type), self.cache.lengths[: self.cache.count]
        if isinstance(self.cache, DeviceCache):
            return self._steps(embeds) if self._steps.fit() else device.step(self._session, self.cache, embeds)
        given = {EMBEDS: embeds, LENGTHS: lengths, **self.cache.feed()}
        logits, hidden, keys, values = self._session.run(OUTPUTS, given)
        self.cache.append(keys, values)
        return logits, hidden
