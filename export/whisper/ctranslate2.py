"""A Whisper as CTranslate2 keeps it (faster-whisper's `model.bin`), back under transformers' names.

The format is that of CTranslate2's ``python/ctranslate2/specs/model_spec.py``: a version, the specification's name and
revision, then the tensors (name, shape, type, bytes) and the aliases among them, little-endian.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

SPECIFICATION = "WhisperSpec"
KINDS = {0: np.float32, 4: np.float16}  # those that hold what was published; the others are quantised
HEAD = 64  # the width of a head in every Whisper
#: CTranslate2's names -> transformers'; in order, each wherever it fits.
RENAMED = (
    (r"/layer_(\d+)/", r".layers.\1."),
    (r"self_attention/layer_norm/", "self_attn_layer_norm."),
    (r"self_attention/linear_0/", "self_attn.qkv."),
    (r"self_attention/linear_1/", "self_attn.out_proj."),
    (r"attention/layer_norm/", "encoder_attn_layer_norm."),
    (r"attention/linear_0/", "encoder_attn.q_proj."),
    (r"attention/linear_1/", "encoder_attn.kv."),
    (r"attention/linear_2/", "encoder_attn.out_proj."),
    (r"ffn/layer_norm/", "final_layer_norm."),
    (r"ffn/linear_0/", "fc1."),
    (r"ffn/linear_1/", "fc2."),
    (r"/layer_norm/", ".layer_norm."),
    (r"/conv(\d)/", r".conv\1."),
    (r"/position_encodings/encodings$", ".embed_positions.weight"),
    (r"/embeddings/weight$", ".embed_tokens.weight"),
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
    (r"^", "model."),
)
PROJECTION = "decoder/projection/"  # the table of tokens once more


class FormatError(ValueError):
    """A file that is not this format, is cut off, or is quantised; one sentence."""


def load(path: Path) -> dict[str, Tensor]:
    """The tensors of `path` by transformers' names. Raises `FormatError`."""
    state: dict[str, Tensor] = {}
    for name, value in _tensors(path).items():
        if name.startswith(PROJECTION) or value.ndim == 0:
            continue  # scalars are settings of the specification
        for pattern, theirs in RENAMED:
            name = re.sub(pattern, theirs, name)
        for ours, part in _split(name, value):
            state[ours] = torch.from_numpy(np.array(part))  # of its own, not the file's
    return state


def dims(state: dict[str, Tensor]) -> dict[str, int]:
    """The sizes that the tensors have, as OpenAI's files tell them. Raises `FormatError`."""
    try:
        width, bins = state["model.encoder.conv1.weight"].shape[:2]
        tokens = state["model.decoder.embed_tokens.weight"].shape[0]
        heard, said = (state[f"model.{side}.embed_positions.weight"].shape[0] for side in ("encoder", "decoder"))
    except (KeyError, ValueError) as error:
        raise FormatError("The file lacks tensors that every Whisper has.") from error
    layers = {side: _layers(state, side) for side in ("encoder", "decoder")}
    return {
        "n_mels": bins, "n_vocab": tokens, "n_audio_ctx": heard, "n_text_ctx": said,
        "n_audio_state": width, "n_audio_head": width // HEAD, "n_audio_layer": layers["encoder"],
        "n_text_state": width, "n_text_head": width // HEAD, "n_text_layer": layers["decoder"],
    }  # fmt: skip


def _layers(state: dict[str, Tensor], side: str) -> int:
    return len({name.split(".")[3] for name in state if name.startswith(f"model.{side}.layers.")})


def _split(name: str, value: Any) -> list[tuple[str, Any]]:
    """Query, key and value apart. Whisper's keys have no bias: CTranslate2 writes zeros for it."""
    found = re.fullmatch(r"(.*_attn\.)(qkv|kv)\.(weight|bias)", name)
    if not found:
        return [(name, value)]
    stem, letters, kind = found.groups()
    parts = zip(letters, np.split(value, len(letters)), strict=True)
    return [(f"{stem}{letter}_proj.{kind}", part) for letter, part in parts if (letter, kind) != ("k", "bias")]


def _tensors(path: Path) -> dict[str, Any]:
    reader = _Reader(path.read_bytes(), path.name)
    reader.number("I")
    if reader.text() != SPECIFICATION:
        raise FormatError(f"{path.name} is no Whisper of CTranslate2.")
    reader.number("I")
    found: dict[str, Any] = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind, size = reader.number("B"), reader.number("I")
        data = reader.take(size)
        if kind not in KINDS:
            if shape:
                raise FormatError(f"{path.name} is quantised: take one in float16 or float32.")
            continue
        dtype = np.dtype(KINDS[kind])
        if int(np.prod(shape)) * dtype.itemsize != size:
            raise FormatError(f"{path.name} is damaged at {name[:80]}.")
        found[name] = np.frombuffer(data, dtype).reshape(shape)
    for _ in range(reader.number("I")):
        alias, name = reader.text(), reader.text()
        if name in found:
            found[alias] = found[name]
    return found


class _Reader:
    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._at, self._name = memoryview(data), 0, name

    def take(self, size: int) -> memoryview:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise FormatError(f"{self._name} is cut off, or no file of CTranslate2.")
        self._at += size
        return part

    def number(self, kind: str) -> int:
        return int(struct.unpack(f"<{kind}", self.take(struct.calcsize(kind)))[0])

    def text(self) -> str:
        try:
            return bytes(self.take(self.number("H"))).rstrip(b"\0").decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"{self._name} is no file of CTranslate2.") from error
