"""A published XTTS-v2 folder: config.json, model.pth, vocab.json, speakers_xtts.pth. Read strictly, without coqui.

`model.pth` was pickled with coqui's own config objects in it. An unpickler of ours builds tensors and plain containers
and leaves everything else an empty shell, so neither coqui nor any other code of the file's choosing runs. torch reads
three kinds of file besides; two of them hold several pickles or a program, so only the zip it has written since 1.6,
without a program in it, is opened.
"""

from __future__ import annotations

import collections
import pickle
import types
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from avatar_runtime.xtts.graphs import CONDITIONING_LATENTS
from export.xtts.config import Config, ConfigError, read
from export.xtts.model import Xtts

ZIP = b"PK\3\4"
CONFIG, MODEL, VOCABULARY, SPEAKERS = "config.json", "model.pth", "vocab.json", "speakers_xtts.pth"
#: What training leaves in a checkpoint, transformers' buffers and copies, and what we compute ourselves.
IGNORED = (
    "torch_mel_spectrogram_style_encoder.", "torch_mel_spectrogram_dvae.", "dvae.", "gpt.gpt_inference.",
    "gpt.gpt.wte.", "hifigan_decoder.speaker_encoder.torch_spec.",
)  # fmt: skip
BUFFERS = (".attn.bias", ".attn.masked_bias")
#: Both spellings of torch's weight norm: direction and length.
NORMS = ((".weight_v", ".weight_g"), (".parametrizations.weight.original1", ".parametrizations.weight.original0"))


class CheckpointError(Exception):
    """A checkpoint that cannot be used; one sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """The networks, the vocabulary's file, and the voices that came with them: name -> ([32, w], [s])."""

    model: Xtts
    vocabulary: Path
    voices: dict[str, tuple[Tensor, Tensor]]


class _Shell:
    """Stands for an object of a class that is not built."""

    def __new__(cls, *_: Any, **__: Any) -> _Shell:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __call__(self, *_: Any, **__: Any) -> _Shell:
        return self

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, *_: Any) -> None: ...

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "collections" and name == "OrderedDict":
            return collections.OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
            return getattr(torch._utils, name)
        if module == "torch" and (name.endswith("Storage") or name in ("float32", "float16", "Size", "device")):
            return getattr(torch, name)
        if module == "torch.storage" and name in ("UntypedStorage", "TypedStorage"):
            return getattr(torch.storage, name)
        return _Shell


def _unpickled(file: IO[bytes], **how: Any) -> Any:
    return _Unpickler(file, **how).load()


def _load(path: Path) -> Any:
    ours = types.SimpleNamespace(Unpickler=_Unpickler, load=_unpickled, __name__="pickle")
    try:
        with path.open("rb") as file:
            if file.read(len(ZIP)) != ZIP:  # by which torch, too, tells it from its older kinds
                raise ValueError("not torch's zip")
        if "constants.pkl" in torch._C.PyTorchFileReader(str(path)).get_all_records():
            raise ValueError("TorchScript: torch.load would run it")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=False, pickle_module=ours)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path.name} cannot be read: it is cut off or no PyTorch checkpoint.") from error
    except (AttributeError, TypeError, LookupError, AssertionError) as error:  # a pickle of something else
        raise CheckpointError(f"{path.name} is no checkpoint of XTTS.") from error


def _folded(state: Mapping[str, Any]) -> dict[str, Any]:
    """Weight norms multiplied out: w = v * g / |v|, the length over all axes but the first."""
    plain = dict(state)
    for direction, length in NORMS:
        for key in [name for name in plain if name.endswith(direction)]:
            v, g = plain.pop(key), plain.pop(key.removesuffix(direction) + length, None)
            if not isinstance(v, Tensor) or not isinstance(g, Tensor):
                raise CheckpointError(f"{MODEL} has half of a weight norm: {key}.")
            size = v.flatten(1).norm(dim=1).view(-1, *[1] * (v.ndim - 1))
            plain[key.removesuffix(direction) + ".weight"] = v * (g.reshape(size.shape) / size)
    return plain


def fill(model: Xtts, state: Mapping[str, Any]) -> None:
    """Loads a state dict; a missing, surplus or misshapen tensor is an error that names it."""
    named = {str(key).removeprefix("xtts."): value for key, value in state.items()}
    kept = {key: value for key, value in named.items() if not key.startswith(IGNORED) and not key.endswith(BUFFERS)}
    plain, wanted = _folded(kept), model.state_dict()
    for key in wanted:
        if key not in plain:
            raise CheckpointError(f"{MODEL} lacks the tensor {key}: it is of another model or version.")
    for key, value in plain.items():
        if key not in wanted:
            raise CheckpointError(f"{MODEL} has a tensor {key} that XTTS-v2 does not: it is of another model.")
        if not isinstance(value, Tensor) or value.shape != wanted[key].shape:
            shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise CheckpointError(f"{MODEL}: {key} has the shape {shape} instead of {list(wanted[key].shape)}.")
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{MODEL}: {key} holds numbers that are not finite.")
    model.load_state_dict(plain)


def _voices(path: Path, config: Config) -> dict[str, tuple[Tensor, Tensor]]:
    found = _load(path)
    if not isinstance(found, Mapping):
        raise CheckpointError(f"{path.name} holds no voices.")
    voices = {}
    for name, entry in found.items():
        tensors = list(entry.values()) if isinstance(entry, Mapping) else []
        sizes = [value.numel() if isinstance(value, Tensor) else 0 for value in tensors]
        if sizes != [CONDITIONING_LATENTS * config.width, config.speaker]:
            raise CheckpointError(f"{path.name}: the voice {str(name)[:40]!r} has other sizes than this model's.")
        latents, speaker = (value.detach().float() for value in tensors)
        voices[str(name)] = (latents.reshape(CONDITIONING_LATENTS, config.width), speaker.reshape(config.speaker))
    return voices


def vocabulary_config(folder: Path) -> Config:
    """The sizes that config.json and vocab.json give."""
    path = folder / VOCABULARY
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise CheckpointError(f"{VOCABULARY} is missing in {folder}, or is no vocabulary.") from error
    start, stop = tokenizer.token_to_id("[START]"), tokenizer.token_to_id("[STOP]")
    if start is None or stop is None:
        raise CheckpointError(f"{VOCABULARY} has no [START] or [STOP]: it is not that of XTTS.")
    try:
        return read(folder / CONFIG, max(tokenizer.get_vocab().values()) + 1, start, stop)
    except ConfigError as error:
        raise CheckpointError(str(error)) from error


def load(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`. Raises `CheckpointError`."""
    if not folder.is_dir():
        raise CheckpointError(f"There is no folder {folder}.")
    for name in (CONFIG, VOCABULARY, MODEL, SPEAKERS):  # all are looked for before one is read
        if not (folder / name).is_file():
            raise CheckpointError(f"{name} is missing in {folder}: give the folder that holds the published files.")
    config = vocabulary_config(folder)
    model, found = Xtts(config), _load(folder / MODEL)
    state = found.get("model") if isinstance(found, Mapping) else None
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{MODEL} holds no model.")
    fill(model, state)
    return Checkpoint(model, folder / VOCABULARY, _voices(folder / SPEAKERS, config))
