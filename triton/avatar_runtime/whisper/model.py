"""Whisper's networks in ONNX Runtime: the encoder over any length, the decoder with its cache."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto

from avatar_runtime.prepared import prepared_session
from avatar_runtime.whisper import graphs
from avatar_runtime.whisper.graphs import ENCODER_INPUT, HIDDEN, MASK, load_decoder, load_encoder

Array = NDArray[np.float32]
Memory = dict[str, Array]  # keys and values of the encoder's states by the decoder's input name

ENCODER_FILE = Path("onnx/encoder_model_quantized.onnx")
DECODER_FILE = Path("onnx/decoder_model_merged_quantized.onnx")
THREADS = 2


@dataclass
class DecoderState:
    """What the decoder remembers of one text."""

    past: dict[str, Array]  # all keys and values by input name
    attention: list[Array] = field(default_factory=list)  # each [heads, n, t] for the n tokens fed at once
    length: int = 0


class WhisperModel:
    """A Whisper of any size, from a folder in the hub's layout."""

    def __init__(self, folder: Path, threads: int = THREADS) -> None:
        self.folder = folder
        config = json.loads((folder / "config.json").read_text())
        generation = json.loads((folder / "generation_config.json").read_text())
        self.bands: int = config.get("num_mel_bins", 80)
        self.max_length: int = config["max_target_positions"]  # 448
        self.positions: int = config["max_source_positions"]  # 1500
        self.least_positions = 0
        heads: list[list[int]] = generation["alignment_heads"]
        self._layers = sorted({layer for layer, _ in heads})
        self._heads = {layer: [head for of, head in heads if of == layer] for layer in self._layers}
        encoder, decoder = folder / ENCODER_FILE, folder / DECODER_FILE

        def session(file: Path, name: str, make: Callable[[], ModelProto]) -> ort.InferenceSession:
            # Half a minute of speech needs 0.3 GB more than a greeting; an arena would never give them back.
            return prepared_session(file, name, make, threads, graphs, arena=False)

        self._encoder = session(encoder, "encoder", lambda: load_encoder(encoder))
        self._memory = session(decoder, "memory", lambda: load_decoder(decoder, self._layers)[0])
        self._decoder = session(decoder, "decoder", lambda: load_decoder(decoder, self._layers)[1])
        self._memory_outputs = [output.name for output in self._memory.get_outputs()]
        self._decoder_outputs = [output.name for output in self._decoder.get_outputs()]
        width = config["d_model"] // config["decoder_attention_heads"]
        empty = np.zeros((1, config["decoder_attention_heads"], 0, width), dtype=np.float32)
        self._empty = {_past(name): empty for name in self._decoder_outputs if name.startswith("present.")}

    def understand(self, mel: Array) -> Memory:
        """What the decoder attends to in a spectrogram [bins, n]."""
        hidden = self._encoder.run([HIDDEN], {"input_features": mel[None]})[0]
        # The tokens give the graph its batch size, and nothing else.
        values = self._memory.run(None, {ENCODER_INPUT: hidden, "input_ids": np.zeros((1, 1), dtype=np.int64)})
        return {_past(name): value for name, value in zip(self._memory_outputs, values, strict=True)}

    def begin(self, memory: Memory) -> DecoderState:
        """The state before the first token of a text about `memory`."""
        return DecoderState(memory | self._empty)

    def feed(self, state: DecoderState, tokens: list[int]) -> Array:
        """Append `tokens` to `state`: the logits [n, vocabulary] after each."""
        count = len(tokens)
        mask = np.triu(np.full((count, state.length + count), -np.inf, dtype=np.float32), state.length + 1)
        outputs = self._decoder.run(None, {"input_ids": np.array([tokens]), MASK: mask, **state.past})
        named = dict(zip(self._decoder_outputs, outputs, strict=True))
        state.past.update((_past(name), value) for name, value in named.items() if name.startswith("present."))
        state.attention.append(self._attention(named))
        state.length += count
        return named["logits"][0]  # type: ignore[no-any-return]

    def _attention(self, named: dict[str, Any]) -> Array:
        parts = [named[f"cross_attentions.{layer}"][0, self._heads[layer]] for layer in self._layers]
        return np.concatenate(parts)


def _past(present: str) -> str:
    return "past_key_values." + present.removeprefix("present.")
