"""A Whisper as it is published, read strictly and without running any code that a file holds.

Either a folder as transformers writes it (config.json, model.safetensors or its shards or pytorch_model.bin,
tokenizer.json, generation_config.json), or one of OpenAI's .pt files or CTranslate2's .bin files, whose vocabulary is
another folder's.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from avatar_runtime.whisper.exported import VOCABULARY
from avatar_runtime.whisper.tokens import Vocabulary
from export.whisper import ctranslate2
from export.whisper.config import Config, ConfigError, dims, published
from export.whisper.model import Whisper

CONFIG, TENSORS, PICKLED = "config.json", "model.safetensors", "pytorch_model.bin"
SHARDS = "model.safetensors.index.json"
TABLE, PROJECTION = "model.decoder.embed_tokens.weight", "proj_out.weight"
#: OpenAI's names -> transformers'; in order, each wherever it fits.
RENAMED = (
    (r"\.blocks\.", ".layers."),
    (r"\.cross_attn_ln\.", ".encoder_attn_layer_norm."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.cross_attn\.", ".encoder_attn."),
    (r"\.attn\.", ".self_attn."),
    (r"\.query\.", ".q_proj."),
    (r"\.key\.", ".k_proj."),
    (r"\.value\.", ".v_proj."),
    (r"attn\.out\.", "attn.out_proj."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"^encoder\.ln_post\.", "encoder.layer_norm."),
    (r"^decoder\.ln\.", "decoder.layer_norm."),
    (r"\.token_embedding\.", ".embed_tokens."),
    (r"\.positional_embedding$", ".embed_positions.weight"),
    (r"^", "model."),
)


class CheckpointError(Exception):
    """A checkpoint that cannot be used; one sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """The networks, the folder of the vocabulary's files, and (layer, head) of the heads that tell when."""

    model: Whisper
    vocabulary: Path
    heads: list[tuple[int, int]]
    ids: dict[str, int]  # of the tokens that steer


def load(path: Path, vocabulary: Path | None = None) -> Checkpoint:
    """The checkpoint at `path`, its vocabulary beside it or in `vocabulary`. Raises `CheckpointError`."""
    if not path.exists():
        raise CheckpointError(f"There is no {path}.")
    read = _folder if path.is_dir() else _ctranslate2 if path.suffix == ".bin" else _openai
    config, state, name = read(path)
    folder = vocabulary or (path.parent if path.is_file() else path)
    words, told = _vocabulary(folder)
    if words.first_timestamp >= config.tokens:
        raise CheckpointError(f"The vocabulary in {folder} has more tokens than the model's {config.tokens}.")
    with torch.device("meta"):
        model = Whisper(config)
    fill(model, state, name)
    ids = {key: getattr(words, key) for key in ("start", "end", "no_timestamps", "no_speech", "previous")}
    return Checkpoint(model, folder, _heads(told, config), ids)


def fill(model: Whisper, state: Mapping[str, Any], name: str) -> None:
    """Gives `model` the tensors of `state`; a missing, surplus or misshapen one is an error that names it and `name`.

    The projection to the vocabulary is the table of tokens: a copy of it is accepted, another one is not.
    """
    wanted, plain = model.state_dict(), dict(state)
    projection = plain.pop(PROJECTION, None)
    for key in wanted:
        if key not in plain:
            raise CheckpointError(f"{name} lacks the tensor {key}: it is of another model or size.")
    for key, value in plain.items():
        if key not in wanted:
            raise CheckpointError(f"{name} has a tensor {key} that this Whisper does not: it is of another model.")
        if not isinstance(value, Tensor) or value.shape != wanted[key].shape:
            shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise CheckpointError(f"{name}: {key} has the shape {shape} instead of {list(wanted[key].shape)}.")
        if not value.is_floating_point() or not torch.isfinite(value).all():
            raise CheckpointError(f"{name}: {key} holds numbers that are not finite, or whole ones.")
    if projection is not None and not (isinstance(projection, Tensor) and torch.equal(projection, plain[TABLE])):
        raise CheckpointError(f"{name}: {PROJECTION} is not the table of tokens, as it is in every Whisper.")
    model.load_state_dict({key: value.float() for key, value in plain.items()}, assign=True)
    model.requires_grad_(False)


def _folder(folder: Path) -> tuple[Config, Mapping[str, Any], str]:
    try:
        config = published(_told(folder / CONFIG))
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    for name, read in ((TENSORS, _tensors), (SHARDS, _shards), (PICKLED, _pickled)):
        if (folder / name).is_file():
            return config, read(folder / name), name
    raise CheckpointError(f"{TENSORS} is missing in {folder}: give the folder that holds the published files.")


def _openai(path: Path) -> tuple[Config, Mapping[str, Any], str]:
    found = _pickled(path)
    told, state = found.get("dims"), found.get("model_state_dict")
    if not isinstance(told, Mapping) or not isinstance(state, Mapping):
        raise CheckpointError(f"{path.name} is not one of OpenAI's Whisper files: it has no dims or no tensors.")
    try:
        config = dims(told)
    except ConfigError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    return config, {renamed(str(key)): value for key, value in state.items()}, path.name


def _ctranslate2(path: Path) -> tuple[Config, Mapping[str, Any], str]:
    try:
        state = ctranslate2.load(path)
        return dims(ctranslate2.dims(state)), state, path.name
    except (ctranslate2.FormatError, ConfigError, OSError) as error:
        raise CheckpointError(str(error)) from error


def renamed(name: str) -> str:
    """transformers' name of a tensor that OpenAI calls `name`."""
    for pattern, ours in RENAMED:
        name = re.sub(pattern, ours, name)
    return name


def _told(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.name} is missing in {path.parent}.") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path.name} cannot be read.") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path.name} cannot be read.")
    return found


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} cannot be read: it is cut off or no safetensors file.") from error


def _shards(path: Path) -> dict[str, Tensor]:
    placed = _told(path).get("weight_map")
    if not isinstance(placed, dict) or not all(isinstance(each, str) for each in placed.values()):
        raise CheckpointError(f"{path.name} does not tell where the tensors are.")
    state: dict[str, Tensor] = {}
    for name in sorted(set(placed.values())):
        if Path(name).name != name or not (path.parent / name).is_file():
            raise CheckpointError(f"{name[:80]} is missing in {path.parent}, though {path.name} tells of it.")
        state |= _tensors(path.parent / name)
    return state


def _pickled(path: Path) -> Mapping[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of, it refuses
            found = torch.load(path, map_location="cpu", weights_only=True)  # tensors and plain containers alone
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path.name} cannot be read: it is cut off, or holds more than tensors.") from error
    if not isinstance(found, Mapping):
        raise CheckpointError(f"{path.name} holds no model.")
    return found


def _vocabulary(folder: Path) -> tuple[Vocabulary, dict[str, Any]]:
    for name in VOCABULARY:
        if not (folder / name).is_file():
            raise CheckpointError(f"{name} is missing in {folder}: --vocabulary DIR names the folder that has it.")
    told = _told(folder / VOCABULARY[1])
    if "lang_to_id" not in told:
        raise CheckpointError(f"{VOCABULARY[1]} knows no languages: this is an English-only Whisper.")
    try:
        return Vocabulary(folder), told
    except Exception as error:  # tokenizers raises plain Exception
        raise CheckpointError(f"The vocabulary in {folder} cannot be read, or is not that of a Whisper.") from error


def _heads(told: Mapping[str, Any], config: Config) -> list[tuple[int, int]]:
    """The published alignment heads; without any, all in the upper half of the decoder, as OpenAI's code has it."""
    found = told.get("alignment_heads")
    if found is None:
        upper = range(config.decoder_layers // 2, config.decoder_layers)
        return [(layer, head) for layer in upper for head in range(config.decoder_heads)]
    sizes = config.decoder_layers, config.decoder_heads
    try:
        heads = [(int(layer), int(head)) for layer, head in found]
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{VOCABULARY[1]}: alignment_heads are not pairs of layer and head.") from error
    if not heads or not all(0 <= layer < sizes[0] and 0 <= head < sizes[1] for layer, head in heads):
        raise CheckpointError(f"{VOCABULARY[1]}: alignment_heads are of a Whisper of another size.")
    return heads
