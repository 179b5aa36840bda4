"""Checkpoints are read strictly: what does not fit is named, and no code in a file is run."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from export.liveportrait.checkpoint import BASE, FILES, RETARGETING, CheckpointError, load, save
from export.liveportrait.model import LivePortrait
from export.liveportrait.widths import PUBLISHED, Widths, narrow
from export.weights import digest


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)


def refused(folder: Path, widths: Widths) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(folder, widths)
    return str(caught.value)


def test_what_is_saved_is_loaded(folder: Path, twin: LivePortrait, widths: Widths) -> None:
    assert digest(load(folder, widths)) == digest(twin)


def test_files_may_lie_beside_one_another(folder: Path, twin: LivePortrait, widths: Widths) -> None:
    for name in FILES:
        (folder / name).rename(folder / Path(name).name)
    assert digest(load(folder, widths)) == digest(twin)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, widths: Widths, name: str) -> None:
    (folder / name).unlink()
    assert Path(name).name in refused(folder, widths)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(folder: Path, widths: Widths, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert f"{path.name} cannot be read" in refused(folder, widths)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", pickle.dumps(["a", "list"])])
def test_other_files_are_refused(folder: Path, widths: Widths, content: bytes) -> None:
    (folder / BASE["warping"]).write_bytes(content)
    assert "warping_module.pth" in refused(folder, widths)


def test_code_in_a_file_is_not_run(folder: Path, widths: Widths, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "touched",)  # type: ignore[return-value]

    torch.save({"first.conv.weight": Evil()}, folder / BASE["appearance"])
    refused(folder, widths)
    assert not (tmp_path / "touched").exists()


def test_a_missing_tensor_is_named(folder: Path, widths: Widths) -> None:
    changed(folder / BASE["generator"], lambda state: state.pop("up_0.conv_s.weight_orig"))
    assert "lacks the tensor up_0.conv_s.weight_orig" in refused(folder, widths)


def test_a_surplus_tensor_is_named(folder: Path, widths: Widths) -> None:
    changed(folder / BASE["motion"], lambda state: state.update(head=torch.zeros(1)))
    assert "has a tensor head" in refused(folder, widths)


def test_a_misshapen_tensor_is_named(folder: Path, widths: Widths) -> None:
    changed(folder / BASE["appearance"], lambda state: state.update({"second.bias": torch.zeros(3)}))
    assert "second.bias has the shape [3] instead of" in refused(folder, widths)


def test_numbers_that_are_none_are_named(folder: Path, widths: Widths) -> None:
    changed(folder / BASE["appearance"], lambda state: state["second.bias"].fill_(float("nan")))
    assert "second.bias holds numbers that are not finite" in refused(folder, widths)


def test_a_checkpoint_of_another_model_is_refused(folder: Path, widths: Widths) -> None:
    (folder / BASE["generator"]).write_bytes((folder / BASE["warping"]).read_bytes())
    assert "spade_generator.pth lacks the tensor" in refused(folder, widths)


def test_a_checkpoint_of_another_width_is_refused(folder: Path) -> None:
    assert "has the shape" in refused(folder, narrow(8))


def test_a_missing_part_is_named(folder: Path, widths: Widths) -> None:
    changed(folder / RETARGETING, lambda parts: parts.pop("retarget_mouth"))
    assert "lacks the part retarget_mouth" in refused(folder, widths)


def test_parts_without_the_prefix_are_read_too(folder: Path, twin: LivePortrait, widths: Widths) -> None:
    def strip(parts: dict[str, Any]) -> None:
        for key, state in parts.items():
            parts[key] = {name.removeprefix("module."): value for name, value in state.items()}

    changed(folder / RETARGETING, strip)
    assert digest(load(folder, widths)) == digest(twin)


def test_no_folder(tmp_path: Path, widths: Widths) -> None:
    assert "There is no folder" in refused(tmp_path / "nowhere", widths)


def test_sizes_are_the_published_ones() -> None:
    """Parameters in millions, as published: F 0.84, M 28.1, W 45.5, G 55.4; and the shapes at the ends."""
    with torch.device("meta"):
        model = LivePortrait(PUBLISHED)
    millions = {
        name: round(sum(each.numel() for each in getattr(model, name).parameters()) / 1e6, 2)
        for name in ("appearance", "motion", "warping", "generator")
    }
    assert millions == {"appearance": 0.84, "motion": 28.12, "warping": 45.53, "generator": 55.37}


def test_a_saved_checkpoint_looks_as_published(folder: Path) -> None:
    parts = torch.load(folder / RETARGETING, weights_only=True)
    assert set(parts) == {"retarget_shoulder", "retarget_mouth", "retarget_eye"}
    assert all(name.startswith("module.mlp.") for state in parts.values() for name in state)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.pth")} == set(FILES)


def test_save_does_not_change_the_model(twin: LivePortrait, tmp_path: Path) -> None:
    before = digest(twin)
    save(twin, tmp_path)
    assert digest(twin) == before
