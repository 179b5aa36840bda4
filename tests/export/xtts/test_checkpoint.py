"""Checkpoint folders are read strictly: what does not fit is named, and no code in a file is run."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
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
    found = torch.load(folder / MODEL, weights_only=True)
    torch.save({**found, "config": Config(a=[1, 2]), "evil": Touches(tmp_path / "touched")}, folder / MODEL)
    assert digest(load(folder).model) == digest(model)
    assert not (tmp_path / "touched").exists()


class Touches:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", [MODEL, SPEAKERS])
def test_older_kinds_of_file_run_nothing(folder: Path, tmp_path: Path, name: str) -> None:
    """torch's kinds before its zip are pickles one after the other, and not all of them go through an unpickler."""
    evil = Touches(tmp_path / "touched")
    for write in (
        lambda path: path.write_bytes(pickle.dumps(evil)),
        lambda path: path.write_bytes(pickle.dumps(evil) + (folder / VOCABULARY).read_bytes()),
        lambda path: torch.save({"model": evil}, path, _use_new_zipfile_serialization=False),
    ):
        write(folder / name)
        assert f"{name} cannot be read" in refused(folder)
        assert not (tmp_path / "touched").exists()


def test_no_pickle_is_read_by_another_unpickler(tmp_path: Path) -> None:
    """What torch.load is handed in pickle's place has one way in only."""
    data = io.BytesIO(pickle.dumps(Touches(tmp_path / "touched")))
    assert isinstance(checkpoint._unpickled(data), checkpoint._Shell)
    assert not (tmp_path / "touched").exists()


def test_a_program_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.load hands an archive with constants.pkl to torch.jit.load, which runs what is in it."""
    ran: list[object] = []
    monkeypatch.setattr(torch.jit, "load", lambda *given, **_: ran.append(given))
    with zipfile.ZipFile(folder / MODEL) as archive:
        top = archive.namelist()[0].partition("/")[0]
    with zipfile.ZipFile(folder / MODEL, "a") as archive:
        archive.writestr(f"{top}/constants.pkl", b"")
    assert f"{MODEL} cannot be read" in refused(folder)
    assert not ran


@pytest.mark.parametrize("opcodes", [b"N.", b"Q.", b"NQ.", b"].", b"}(\x8c\x01a", b"\x80\x02(."])
def test_pickles_that_make_no_sense(folder: Path, opcodes: bytes) -> None:
    with zipfile.ZipFile(folder / MODEL) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / MODEL, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, opcodes if name.endswith("data.pkl") else data)
    assert MODEL in refused(folder)


def test_keys_that_are_no_names(folder: Path) -> None:
    changed(folder, lambda state: state.update({3: torch.zeros(1)}))
    assert "has a tensor 3" in refused(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gpt_layers": "30"}, "layers should be a size"),
        ({"gpt_layers": -1}, "layers should be a size"),
        ({"gpt_n_model_channels": 10**9}, "width should be a size"),
        ({"gpt_n_heads": None}, "heads should be a size"),
        ({"d_vector_dim": [512]}, "speaker should be a size"),
    ],
)
def test_sizes_that_are_none(folder: Path, change: dict[str, Any], said: str) -> None:
    told = json.loads((folder / CONFIG).read_text("utf-8"))
    told["model_args"] |= change
    del told["antlitz_twin"]  # which would set the same sizes
    (folder / CONFIG).write_text(json.dumps(told), "utf-8")
    assert said in refused(folder)


@pytest.mark.parametrize("told", [[], {"model_args": []}, {"model_args": 3}, {"model_args": {}, "antlitz_twin": 3}])
def test_another_config(folder: Path, told: object) -> None:
    (folder / CONFIG).write_text(json.dumps(told), "utf-8")
    assert CONFIG in refused(folder)


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
