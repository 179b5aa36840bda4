"""What CTranslate2's own writer makes of a Whisper is read back, tensor for tensor."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from export.whisper import ctranslate2
from export.whisper.checkpoint import CheckpointError, load
from export.whisper.command import digest
from export.whisper.config import DIMS, PUBLISHED, Config
from export.whisper.model import Whisper
from export.whisper.twin import write

KINDS = {"float32": 0, "int8": 1, "float16": 4}


@pytest.fixture(scope="module")
def small() -> Config:
    """Heads as wide as every published Whisper's, which is all that the format does not tell."""
    return Config(
        width=256, encoder_layers=1, encoder_heads=4, encoder_inner=1024, decoder_layers=2, decoder_heads=4,
        decoder_inner=1024, tokens=300, positions=50, length=32,
    )  # fmt: skip


def theirs(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The tensors by CTranslate2's names: attention's matrices joined, its missing bias zeros, constants as scalars."""
    found: dict[str, np.ndarray] = {"num_heads": np.array(1, np.int16)}
    plain = {name.removeprefix("model."): value.numpy() for name, value in state.items()}
    for name, value in plain.items():
        side, _, rest = name.partition(".")
        if rest.startswith("layers."):
            _, number, rest = rest.split(".", 2)
            stem = f"{side}/layer_{number}/"
            module, _, kind = rest.rpartition(".")
            if module.endswith((".k_proj", ".v_proj")) or module == "self_attn.q_proj":
                continue
            where = {
                "self_attn.out_proj": "self_attention/linear_1", "self_attn_layer_norm": "self_attention/layer_norm",
                "encoder_attn.q_proj": "attention/linear_0", "encoder_attn.out_proj": "attention/linear_2",
                "encoder_attn_layer_norm": "attention/layer_norm", "final_layer_norm": "ffn/layer_norm",
                "fc1": "ffn/linear_0", "fc2": "ffn/linear_1",
            }[module]  # fmt: skip
            if "norm" in where:
                kind = {"weight": "gamma", "bias": "beta"}[kind]
            found[f"{stem}{where}/{kind}"] = value
        elif rest == "embed_positions.weight":
            found[f"{side}/position_encodings/encodings"] = value
        elif rest == "embed_tokens.weight":
            found[f"{side}/embeddings/weight"] = value
        else:
            module, kind = rest.split(".")
            if module == "layer_norm":
                kind = {"weight": "gamma", "bias": "beta"}[kind]
            found[f"{side}/{module}/{kind}"] = value
    for side, kind, number, letters, where in _joined(plain):
        parts = [plain[f"{side}.layers.{number}.{kind}.{letter}_proj.weight"] for letter in letters]
        found[f"{side}/layer_{number}/{where}/weight"] = np.concatenate(parts)
        zeros = np.zeros(len(parts[0]), np.float32)
        biases = [plain.get(f"{side}.layers.{number}.{kind}.{letter}_proj.bias", zeros) for letter in letters]
        found[f"{side}/layer_{number}/{where}/bias"] = np.concatenate(biases)
    return found


def _joined(plain: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    numbers = sorted({(name.split(".")[0], name.split(".")[2]) for name in plain if ".layers." in name})
    own = [(side, "self_attn", number, "qkv", "self_attention/linear_0") for side, number in numbers]
    said = [number for side, number in numbers if side == "decoder"]
    return own + [("decoder", "encoder_attn", number, "kv", "attention/linear_1") for number in said]


def written(path: Path, tensors: dict[str, np.ndarray], specification: str = "WhisperSpec") -> Path:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    data = struct.pack("<I", 6) + text(specification) + struct.pack("<II", 3, len(tensors))
    for name, value in tensors.items():
        kind = KINDS.get(value.dtype.name, 2)
        data += text(name) + struct.pack("<B", value.ndim) + b"".join(struct.pack("<I", side) for side in value.shape)
        data += struct.pack("<BI", kind, value.nbytes) + value.tobytes()
    data += struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight")
    path.write_bytes(data)
    return path


def test_every_tensor_comes_back(small: Config, tmp_path: Path) -> None:
    model = write(tmp_path / "published", small)
    path = written(tmp_path / "model.bin", theirs(model.state_dict()))
    found = load(path, tmp_path / "published")
    assert digest(found.model) == digest(model)


def test_halves_too(small: Config, tmp_path: Path) -> None:
    model = write(tmp_path / "published", small)
    halves = {name: value.astype(np.float16) for name, value in theirs(model.state_dict()).items()}
    found = load(written(tmp_path / "model.bin", halves), tmp_path / "published").model.state_dict()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(found[name], value.half().float(), msg=name)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: data[:3], "cut off"),
        (lambda data: b"", "cut off"),
        (lambda data: data.replace(b"WhisperSpec", b"MarianSpec!"), "no Whisper"),
        (lambda data: b"\0\0\0\0\5\0\xff\xff\xff\xff\xff" + data, "no file of CTranslate2"),
    ],
)
def test_what_is_damaged_or_foreign(small: Config, tmp_path: Path, damage: Any, sentence: str) -> None:
    model = write(tmp_path / "published", small)
    path = written(tmp_path / "model.bin", theirs(model.state_dict()))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=sentence):
        load(path, tmp_path / "published")


def test_a_quantised_one_is_refused(small: Config, tmp_path: Path) -> None:
    write(tmp_path / "published", small)
    path = written(tmp_path / "model.bin", {"encoder/conv1/weight": np.zeros((4, 4), np.int8)})
    with pytest.raises(CheckpointError, match="quantised"):
        load(path, tmp_path / "published")


def test_one_of_another_size_names_the_tensor(small: Config, tmp_path: Path) -> None:
    model = write(tmp_path / "published", small)
    tensors = theirs(model.state_dict())
    del tensors["decoder/layer_1/ffn/linear_0/bias"]
    with pytest.raises(CheckpointError, match=r"lacks the tensor model.decoder.layers.1.fc1.bias"):
        load(written(tmp_path / "model.bin", tensors), tmp_path / "published")


def test_sizes_are_told_as_openai_does() -> None:
    assert set(DIMS.values()) <= set(PUBLISHED.values())
    state = {"model.encoder.conv1.weight": torch.zeros(64, 80, 3)}
    with pytest.raises(ctranslate2.FormatError, match="lacks tensors"):
        ctranslate2.dims(state)


def test_whisper_has_that_many_layers(small: Config) -> None:
    with torch.device("meta"):
        state = Whisper(small).state_dict()
    assert ctranslate2.dims(state)["n_text_layer"] == 2
