"""Sizes of Whisper's networks, as `config.json` (transformers) or `dims` (OpenAI's files) give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: transformers' config.json -> our field.
PUBLISHED = {
    "num_mel_bins": "bins",
    "d_model": "width",
    "encoder_layers": "encoder_layers",
    "encoder_attention_heads": "encoder_heads",
    "encoder_ffn_dim": "encoder_inner",
    "decoder_layers": "decoder_layers",
    "decoder_attention_heads": "decoder_heads",
    "decoder_ffn_dim": "decoder_inner",
    "vocab_size": "tokens",
    "max_source_positions": "positions",
    "max_target_positions": "length",
}
#: `dims` in OpenAI's files -> our field; the inner width is four times the width there.
DIMS = {
    "n_mels": "bins",
    "n_audio_state": "width",
    "n_audio_layer": "encoder_layers",
    "n_audio_head": "encoder_heads",
    "n_text_layer": "decoder_layers",
    "n_text_head": "decoder_heads",
    "n_vocab": "tokens",
    "n_audio_ctx": "positions",
    "n_text_ctx": "length",
}
#: Width, layers of the encoder and the decoder, bands -> name. large and large-v2 have the same measures.
NAMES = {
    (384, 4, 4, 80): "tiny",
    (512, 6, 6, 80): "base",
    (768, 12, 12, 80): "small",
    (1024, 24, 24, 80): "medium",
    (1280, 32, 32, 80): "large-v2",
    (1280, 32, 32, 128): "large-v3",
    (1280, 32, 4, 128): "turbo",
}
LARGEST = 1 << 17  # of any size: a vocabulary's, at most


class ConfigError(ValueError):
    """Sizes that are not those of a Whisper; one sentence."""


@dataclass(frozen=True, slots=True)
class Config:
    """The defaults are the multilingual base's."""

    bins: int = 80  # of the log-mel spectrogram
    width: int = 512
    encoder_layers: int = 6
    encoder_heads: int = 8
    encoder_inner: int = 2048
    decoder_layers: int = 6
    decoder_heads: int = 8
    decoder_inner: int = 2048
    tokens: int = 51865
    positions: int = 1500  # that the encoder makes of 30 s
    length: int = 448  # tokens that a text may have, what steers it included

    @property
    def size(self) -> str:
        """What this size is called: base, large-v3, turbo, …; of none that was published, its measures."""
        measures = self.width, self.encoder_layers, self.decoder_layers, self.bins
        return NAMES.get(measures, f"{self.width}x{self.encoder_layers}x{self.decoder_layers}")


def named(size: str) -> Config:
    """The config of a published size: tiny, base, large-v3, turbo, …. Raises `ConfigError`."""
    for (width, heard, said, bins), name in NAMES.items():
        if name == size:
            heads, inner, tokens = width // 64, 4 * width, 51866 if bins == 128 else 51865
            return Config(bins, width, heard, heads, inner, said, heads, inner, tokens)
    raise ConfigError(f"There is no Whisper called {size[:40]}: one of {', '.join(NAMES.values())}.")


def published(told: Mapping[str, Any]) -> Config:
    """The config that transformers' config.json gives. Raises `ConfigError`."""
    if told.get("model_type") != "whisper":
        raise ConfigError("config.json is not that of a Whisper.")
    if told.get("activation_function", "gelu") != "gelu" or told.get("scale_embedding"):
        raise ConfigError("config.json tells of a Whisper that is built otherwise than OpenAI's.")
    return _checked({"num_mel_bins": 80, **told}, PUBLISHED)  # older files leave it out


def dims(told: Mapping[str, Any]) -> Config:
    """The config of the `dims` in one of OpenAI's files. Raises `ConfigError`."""
    found = _checked(told, DIMS)
    if told.get("n_text_state") != found.width:
        raise ConfigError("dims: encoder and decoder have different widths.")
    return found


def _checked(told: Mapping[str, Any], fields: Mapping[str, str]) -> Config:
    values: dict[str, int] = {}
    for theirs, ours in fields.items():
        value = told.get(theirs)
        if type(value) is not int or not 0 < value <= LARGEST:
            raise ConfigError(f"{theirs} should be a size, and is {str(value)[:40]}.")
        values[ours] = value
    inner = 4 * values["width"]
    config = Config(**{"encoder_inner": inner, "decoder_inner": inner, **values})
    if config.width % config.encoder_heads or config.width % config.decoder_heads:
        raise ConfigError(f"A width of {config.width} cannot be shared by the heads that are told.")
    return config
