"""Checkpoints are read strictly: what does not fit is named, and no code in a file is run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from avatar_runtime.whisper.exported import VOCABULARY
from export.whisper.checkpoint import CONFIG, PICKLED, SHARDS, TENSORS, CheckpointError, load, renamed
from export.whisper.command import digest
from export.whisper.config import DIMS
from export.whisper.model import Whisper

TABLE = "model.decoder.embed_tokens.weight"


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    state = {name: value.clone() for name, value in load_file(folder / TENSORS).items()}
    change(state)
    save_file(state, folder / TENSORS)


def told(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def test_what_is_saved_is_loaded(folder: Path, model: Whisper) -> None:
    found = load(folder)
    assert digest(found.model) == digest(model)
    assert found.heads == [(1, 0), (1, 3)] and found.vocabulary == folder
    assert found.ids == {"end": 256, "start": 257, "previous": 263, "no_speech": 264, "no_timestamps": 265}


def test_halves_become_floats(folder: Path, model: Whisper) -> None:
    """large-v3 and turbo are published in f16."""
    changed(folder, lambda state: state.update({name: value.half() for name, value in state.items()}))
    found = load(folder).model.state_dict()
    assert all(
        value.dtype == torch.float32 and torch.allclose(value, model.state_dict()[name], atol=2e-3)
        for name, value in found.items()
    )


def test_shards(folder: Path, model: Whisper) -> None:
    state = load_file(folder / TENSORS)
    placed = {name: f"model-{index % 2}.safetensors" for index, name in enumerate(state)}
    for shard in set(placed.values()):
        save_file({name: value for name, value in state.items() if placed[name] == shard}, folder / shard)
    (folder / SHARDS).write_text(json.dumps({"weight_map": placed}))
    (folder / TENSORS).unlink()
    assert digest(load(folder).model) == digest(model)
    (folder / "model-1.safetensors").unlink()
    assert "model-1.safetensors is missing" in refused(folder)
    (folder / SHARDS).write_text(json.dumps({"weight_map": {"x": "../elsewhere"}}))
    assert "elsewhere is missing" in refused(folder)


def test_pickled_tensors_and_nothing_else(folder: Path, model: Whisper, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[Any]]:
            return Path.touch, (tmp_path / "touched",)

    state = load_file(folder / TENSORS)
    (folder / TENSORS).unlink()
    torch.save(state, folder / PICKLED)
    assert digest(load(folder).model) == digest(model)
    torch.save({**state, "evil": Evil()}, folder / PICKLED)
    assert "holds more than tensors" in refused(folder)
    assert not (tmp_path / "touched").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what writes such files is going away, they stay
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), folder / PICKLED)
    assert PICKLED in refused(folder)


def openai(model: Whisper) -> dict[str, Any]:
    """`model` as OpenAI's files have it: their names written out."""
    state = {}
    names = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out"}
    for name, value in model.state_dict().items():
        parts = name.removeprefix("model.").split(".")
        side = parts[0]
        if parts[1] == "layers":
            layer, part, rest = parts[2], parts[3], parts[4:]
            attention = {"self_attn": "attn", "encoder_attn": "cross_attn"}
            plain = {"fc1": "mlp.0", "fc2": "mlp.2", "final_layer_norm": "mlp_ln"}
            plain |= {f"{ours}_layer_norm": f"{theirs}_ln" for ours, theirs in attention.items()}
            middle = f"{attention[part]}.{names[rest.pop(0)]}" if part in attention else plain[part]
            key = f"{side}.blocks.{layer}.{middle}.{rest[0]}"
        else:
            last = {"encoder": "ln_post", "decoder": "ln"}[side]
            key = {
                "embed_tokens": "decoder.token_embedding.weight",
                "embed_positions": f"{side}.positional_embedding",
                "layer_norm": f"{side}.{last}.{parts[-1]}",
            }.get(parts[1], ".".join(parts))
        state[key] = value
    return state


def test_openais_files(folder: Path, model: Whisper) -> None:
    told = {theirs: getattr(model.config, ours) for theirs, ours in DIMS.items()}
    told["n_text_state"] = model.config.width
    path = folder / "base.pt"
    torch.save({"dims": told, "model_state_dict": openai(model)}, path)
    assert digest(load(path).model) == digest(model)
    for name in VOCABULARY:
        (folder / name).rename(folder.parent / name)
    assert "--vocabulary" in refused(path)
    assert digest(load(path, folder.parent).model) == digest(model)
    torch.save({"dims": {**told, "n_text_state": 3}, "model_state_dict": {}}, path)
    assert "different widths" in refused(path)
    torch.save({"model_state_dict": {}}, path)
    assert "no dims" in refused(path)


def test_openais_names() -> None:
    assert renamed("decoder.blocks.3.cross_attn.out.bias") == "model.decoder.layers.3.encoder_attn.out_proj.bias"
    assert renamed("encoder.ln_post.weight") == "model.encoder.layer_norm.weight"


def test_a_copy_of_the_table_is_the_table(folder: Path, model: Whisper) -> None:
    changed(folder, lambda state: state.update({"proj_out.weight": state[TABLE].clone()}))
    assert digest(load(folder).model) == digest(model)
    changed(folder, lambda state: state.update({"proj_out.weight": state[TABLE] * 2}))
    assert "is not the table of tokens" in refused(folder)


def test_tensors_that_do_not_fit_are_named(folder: Path) -> None:
    whole = (folder / TENSORS).read_bytes()
    for change, said in (
        (lambda state: state.pop("model.encoder.conv1.bias"), "lacks the tensor model.encoder.conv1.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "has a tensor extra"),
        (lambda state: state.update({TABLE: torch.zeros(3)}), f"{TABLE} has the shape [3]"),
        (lambda state: state[TABLE].fill_(float("nan")), "not finite"),
        (lambda state: state.update({TABLE: state[TABLE].int()}), "whole ones"),
    ):
        changed(folder, change)
        assert said in refused(folder)
        (folder / TENSORS).write_bytes(whole)


@pytest.mark.parametrize("name", [CONFIG, TENSORS, *VOCABULARY])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, TENSORS, VOCABULARY[1]])
@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_truncated_file_is_named(folder: Path, name: str, kept: float) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * kept)])
    assert name in refused(folder)


def test_other_models_are_told_apart(folder: Path) -> None:
    whole = (folder / CONFIG).read_text("utf-8")
    for values, said in (
        ({"model_type": "bart"}, "not that of a Whisper"),
        ({"activation_function": "relu"}, "built otherwise"),
        ({"d_model": "wide"}, "d_model should be a size"),
        ({"d_model": 10**9}, "d_model should be a size"),
        ({"decoder_attention_heads": 5}, "cannot be shared"),
        ({"vocab_size": 200}, "more tokens than"),
    ):
        told(folder / CONFIG, **values)
        assert said in refused(folder)
        (folder / CONFIG).write_text(whole, "utf-8")


def test_heads(folder: Path) -> None:
    generation = folder / VOCABULARY[1]
    told(generation, alignment_heads=None)
    assert load(folder).heads == [(1, head) for head in range(4)]
    for wrong in ([[9, 0]], [[0, 4]], [], [1, 2]):
        told(generation, alignment_heads=wrong)
        assert "alignment_heads" in refused(folder)


def test_english_only_is_refused(folder: Path) -> None:
    found = json.loads((folder / VOCABULARY[1]).read_text("utf-8"))
    del found["lang_to_id"]
    (folder / VOCABULARY[1]).write_text(json.dumps(found), "utf-8")
    assert "English-only" in refused(folder)


def test_nowhere(tmp_path: Path) -> None:
    assert "There is no" in refused(tmp_path / "nowhere")
