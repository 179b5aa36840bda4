"""Sizes of XTTS's networks: as the published `config.json` gives them, or narrow for tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

#: config.json's `model_args` -> our field; everything else of the architecture is fixed in coqui's code.
FIELDS = {
    "gpt_layers": "layers",
    "gpt_n_model_channels": "width",
    "gpt_n_heads": "heads",
    "gpt_max_audio_tokens": "most_codes",
    "gpt_max_text_tokens": "most_text",
    "gpt_num_audio_tokens": "codes",
    "gpt_start_audio_token": "start_code",
    "gpt_stop_audio_token": "stop_code",
    "d_vector_dim": "speaker",
}


LARGEST = 1 << 16  # of any size: a vocabulary's, at most


class ConfigError(ValueError):
    """A config.json that is not XTTS-v2's; one sentence."""


@dataclass(frozen=True, slots=True)
class Config:
    """The defaults are the published XTTS-v2's; `text_tokens` depends on the vocabulary."""

    text_tokens: int = 6681
    start_text: int = 261
    stop_text: int = 0
    layers: int = 30
    width: int = 1024
    heads: int = 16
    most_codes: int = 605
    most_text: int = 402
    codes: int = 1026
    start_code: int = 1024
    stop_code: int = 1025
    speaker: int = 512  # d-vector
    # Fixed in coqui's code, and made smaller for tests alone:
    perceiver_heads: int = 8
    perceiver_head: int = 64
    conditioning_blocks: int = 6
    vocoder: int = 512  # channels of the vocoder before its first upsampling
    speaker_filters: tuple[int, ...] = (32, 64, 128, 256)
    speaker_blocks: tuple[int, ...] = (3, 4, 6, 3)
    # How a reference is heard; config.json's gpt_cond_len, gpt_cond_chunk_len.
    reference_seconds: int = 30
    chunk_seconds: int = 4

    @property
    def code_positions(self) -> int:
        return self.most_codes + 3

    @property
    def text_positions(self) -> int:
        return self.most_text + 2

    @property
    def most_generated(self) -> int:
        """Codes that one utterance may have, its stop included."""
        return self.most_codes - 3


def narrow(text_tokens: int, start_text: int = 1, stop_text: int = 0) -> Config:
    """The same networks, small."""
    return Config(
        text_tokens=text_tokens,
        start_text=start_text,
        stop_text=stop_text,
        layers=2,
        width=64,
        heads=4,
        perceiver_heads=2,
        perceiver_head=16,
        conditioning_blocks=1,
        vocoder=32,
        speaker=32,
        speaker_filters=(8, 8, 16, 16),
        speaker_blocks=(1, 1, 1, 1),
        chunk_seconds=4,
    )


def read(path: Path, text_tokens: int, start_text: int, stop_text: int) -> Config:
    """The config of a checkpoint folder's `config.json`. Raises `ConfigError`."""
    try:
        told = json.loads(path.read_text("utf-8"))
        arguments: dict[str, Any] = dict(told["model_args"])
        narrowed: dict[str, Any] = dict(told.get("antlitz_twin", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path.name} cannot be read, or is not the one of an XTTS checkpoint.") from error
    if not arguments.get("gpt_use_perceiver_resampler"):
        raise ConfigError(f"{path.name} is of XTTS v1, which sounds worse: take the files of XTTS-v2.")
    values = {ours: arguments[theirs] for theirs, ours in FIELDS.items() if theirs in arguments}
    values |= narrowed  # our tests' narrow networks
    for theirs, ours in (("gpt_cond_len", "reference_seconds"), ("gpt_cond_chunk_len", "chunk_seconds")):
        if theirs in told:
            values[ours] = told[theirs]
    known = {item.name: item.default for item in fields(Config)}
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known
    }
    for name, value in values.items():
        sizes = value if isinstance(known[name], tuple) and isinstance(value, tuple) else (value,)
        if not all(type(size) is int and 0 <= size <= LARGEST for size in sizes):
            raise ConfigError(f"{path.name}: {name} should be a size, and is {str(value)[:40]}.")
    return Config(**{**values, "text_tokens": text_tokens, "start_text": start_text, "stop_text": stop_text})
