"""Whisper's networks in ONNX Runtime: the encoder over any length, the decoder with its cache."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto

from avatar_runtime.whisper.features import FRAMES_PER_POSITION, log_mel
from avatar_runtime.whisper.graphs import ENCODER_INPUT, HIDDEN, load_decoder, load_encoder

Array = NDArray[np.float32]

ENCODER_FILE = Path("onnx/encoder_model_quantized.onnx")
DECODER_FILE = Path("onnx/decoder_model_merged_quantized.onnx")
THREADS = 2


@dataclass
class DecoderState:
    """What the decoder remembers of one utterance: keys and values by input name, attention by step."""

    past: dict[str, Array]
    attention: list[Array]  # each [heads, n, t] for the n tokens fed at once
    length: int


class WhisperModel:
    """A Whisper of any size from a folder in the hub's layout (``onnx/``, ``config.json``, ``generation_config.json``)."""

    def __init__(self, folder: Path, threads: int = THREADS) -> None:
        self.folder = folder
        config = json.loads((folder / "config.json").read_text())
        generation = json.loads((folder / "generation_config.json").read_text())
        self.bands: int = config.get("num_mel_bins", 80)
        self.max_length: int = config["max_target_positions"]  # 448
        self.positions: int = config["max_source_positions"]  # 1500
        heads: list[list[int]] = generation["alignment_heads"]
        self._layers = sorted({layer for layer, _ in heads})
        self._heads = {layer: [head for of, head in heads if of == layer] for layer in self._layers}
        self._encoder = _session(load_encoder(folder / ENCODER_FILE), threads)
        prefill, step = load_decoder(folder / DECODER_FILE, self._layers)
        self._prefill, self._step = _session(prefill, threads), _session(step, threads)
        self._prefill_outputs = [output.name for output in self._prefill.get_outputs()]
        self._step_outputs = [output.name for output in self._step.get_outputs()]

    def encode(self, audio: Array, positions: int) -> Array:
        """Hidden states [1, positions, d] of `audio` (16 kHz), padded or cut to `positions` of 20 ms."""
        mel = log_mel(audio, positions * FRAMES_PER_POSITION, self.bands)
        return self._encoder.run([HIDDEN], {"input_features": mel[None]})[0]  # type: ignore[no-any-return]

    def prefill(self, hidden: Array, tokens: list[int]) -> tuple[Array, DecoderState]:
        """Start a text with `tokens`: logits [n, vocabulary] after each, and the state to go on from."""
        outputs = self._prefill.run(None, {"input_ids": np.array([tokens]), ENCODER_INPUT: hidden})
        named = dict(zip(self._prefill_outputs, outputs, strict=True))
        past = {_past(name): value for name, value in named.items() if name.startswith("present.")}
        return named["logits"][0], DecoderState(past, [self._attention(named)], len(tokens))

    def step(self, state: DecoderState, token: int) -> Array:
        """Append `token` to `state`: the logits [vocabulary] after it."""
        outputs = self._step.run(None, {"input_ids": np.array([[token]]), **state.past})
        named = dict(zip(self._step_outputs, outputs, strict=True))
        state.past.update((_past(name), value) for name, value in named.items() if name.startswith("present."))
        state.attention.append(self._attention(named))
        state.length += 1
        return named["logits"][0, -1]  # type: ignore[no-any-return]

    def _attention(self, named: dict[str, Any]) -> Array:
        parts = [named[f"cross_attentions.{layer}"][0, self._heads[layer]] for layer in self._layers]
        return np.concatenate(parts)


def _past(present: str) -> str:
    return "past_key_values." + present.removeprefix("present.")


def _session(model: ModelProto, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting threads must not burn the cores that the video needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
