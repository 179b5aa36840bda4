"""Checkpoint folders are read strictly: what does not fit is named, and no code in a file is run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from export.xtts import checkpoint
from export.xtts.checkpoint import CONFIG, MODEL, SPEAKERS, VOCABULARY, CheckpointError, load
from export.xtts.command import digest
from export.xtts.model import Xtts


class Config(dict):
    """Stands for the objects of coqui's that published files carry."""


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    return str(caught.value)


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    found = torch.load(folder / MODEL, weights_only=True)
    change(found["model"])
    torch.save(found, folder / MODEL)


def test_what_is_saved_is_loaded(folder: Path, model: Xtts) -> None:
    found = load(folder)
    assert digest(found.model) == digest(model)
    assert len(found.voices) == 58 and found.vocabulary == folder / VOCABULARY


def test_weight_norms_of_both_spellings_are_folded(folder: Path, model: Xtts) -> None:
    """The published file has the older one, what newer coqui saves the other."""
    for v, g in checkpoint.NORMS:

        def split(state: dict[str, Any], v: str = v, g: str = g) -> None:
            for key in [each for each in state if "waveform_decoder" in each and each.endswith(".weight")]:
                weight = state.pop(key)
                stem = key.removesuffix(".weight")
                shape = (-1, *[1] * (weight.ndim - 1))
                state[stem + v], state[stem + g] = weight * 3, weight.flatten(1).norm(dim=1).view(shape)

        changed(folder, split)
        found = load(folder).model.hifigan_decoder.waveform_decoder.conv_pre.weight
        assert torch.allclose(found, model.hifigan_decoder.waveform_decoder.conv_pre.weight, atol=1e-6)
        torch.save({"model": model.state_dict()}, folder / MODEL)


def test_what_training_leaves_behind_is_ignored(folder: Path, model: Xtts) -> None:
    def more(state: dict[str, Any]) -> None:
        for key in ("gpt.gpt.wte.weight", "gpt.gpt_inference.lm_head.0.weight", "dvae.x", "gpt.gpt.h.0.attn.bias"):
            state[key] = torch.zeros(3)

    changed(folder, more)
    assert digest(load(folder).model) == digest(model)


def test_objects_of_other_classes_are_left_empty(folder: Path, model: Xtts, tmp_path: Path) -> None:
    """The published model.pth holds coqui's config; ours reads it without coqui, and nothing in it runs."""

    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[Any]]:
            return Path.touch, (tmp_path / "touched",)

    found = torch.load(folder / MODEL, weights_only=True)
    torch.save({**found, "config": Config(a=[1, 2]), "evil": Evil()}, folder / MODEL)
    assert digest(load(folder).model) == digest(model)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("name", [CONFIG, MODEL, VOCABULARY, SPEAKERS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing" in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, MODEL, VOCABULARY, SPEAKERS])
@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_truncated_file_is_named(folder: Path, name: str, kept: float) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * kept)])
    assert name in refused(folder)


def test_tensors_that_do_not_fit_are_named(folder: Path, model: Xtts) -> None:
    for change, said in (
        (lambda state: state.pop("gpt.mel_head.bias"), "lacks the tensor gpt.mel_head.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "has a tensor extra"),
        (lambda state: state.update({"gpt.mel_head.bias": torch.zeros(3)}), "gpt.mel_head.bias has the shape [3]"),
        (lambda state: state["gpt.mel_head.bias"].fill_(float("inf")), "not finite"),
        (lambda state: state.update({"a.weight_v": torch.zeros(1, 2)}), "half of a weight norm"),
    ):
        changed(folder, change)
        assert said in refused(folder)
        torch.save({"model": model.state_dict()}, folder / MODEL)


def test_xtts_v1_is_told_apart(folder: Path) -> None:
    told = json.loads((folder / CONFIG).read_text("utf-8"))
    told["model_args"]["gpt_use_perceiver_resampler"] = False
    (folder / CONFIG).write_text(json.dumps(told), "utf-8")
    assert "XTTS v1" in refused(folder)


def test_voices_of_another_model_are_refused(folder: Path) -> None:
    voices = {"Ada": {"gpt_cond_latents": torch.zeros(1, 32, 7), "speaker_embedding": torch.zeros(1, 5, 1)}}
    torch.save(voices, folder / SPEAKERS)
    assert "'Ada' has other sizes" in refused(folder)


def test_other_pickles_are_refused(folder: Path) -> None:
    torch.save(["a", "list"], folder / MODEL)
    assert "holds no model" in refused(folder)
    torch.save({"model": 3}, folder / MODEL)
    assert "holds no model" in refused(folder)


def test_no_folder(tmp_path: Path) -> None:
    assert "There is no folder" in refused(tmp_path / "nowhere")
