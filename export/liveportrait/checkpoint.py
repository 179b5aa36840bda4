"""The published checkpoint files: read strictly, and written for tests. Plain state dicts, no code is unpickled."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from export.liveportrait.model import LivePortrait
from export.liveportrait.widths import PUBLISHED, Widths

#: network -> its file; the folders are those of the published `pretrained_weights/liveportrait`.
BASE = {
    "appearance": "base_models/appearance_feature_extractor.pth",
    "motion": "base_models/motion_extractor.pth",
    "warping": "base_models/warping_module.pth",
    "generator": "base_models/spade_generator.pth",
}
RETARGETING = "retargeting_models/stitching_retargeting_module.pth"
#: network of `Retargeting` -> its key in that file
PARTS = {"stitching": "retarget_shoulder", "lip": "retarget_mouth", "eye": "retarget_eye"}
PREFIX = "module."  # left in that file by DistributedDataParallel
FILES = (*BASE.values(), RETARGETING)


class CheckpointError(Exception):
    """A checkpoint that cannot be used; one sentence."""


def locate(folder: Path, name: str) -> Path:
    """The file `name`, below `folder` as published or directly in it."""
    for path in (folder / name, folder / Path(name).name):
        if path.is_file():
            return path
    raise CheckpointError(f"{Path(name).name} is missing in {folder}: give the folder that holds the published files.")


def _read(path: Path) -> Mapping[str, object]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that torch did not write: they are refused below
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path.name} cannot be read: it is cut off or no PyTorch checkpoint.") from error
    if not isinstance(found, Mapping):
        raise CheckpointError(f"{path.name} does not hold a state dict.")
    return found


def _fill(network: nn.Module, state: Mapping[str, object], where: str) -> None:
    """Loads `state`; a missing, surplus or misshapen tensor is an error that names it."""
    wanted = network.state_dict()
    for key in wanted:
        if key not in state:
            raise CheckpointError(f"{where} lacks the tensor {key}: it is of another model or version.")
    for key, value in state.items():
        if key not in wanted:
            raise CheckpointError(f"{where} has a tensor {key} that this network does not: it is of another model.")
        if not isinstance(value, Tensor):
            raise CheckpointError(f"{where}: {key} is no tensor.")
        if value.shape != wanted[key].shape:
            shapes = f"{list(value.shape)} instead of {list(wanted[key].shape)}"
            raise CheckpointError(f"{where}: {key} has the shape {shapes}.")
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{where}: {key} holds numbers that are not finite.")
    network.load_state_dict(dict(state))  # type: ignore[arg-type]


def load(folder: Path, widths: Widths = PUBLISHED) -> LivePortrait:
    """The networks of a checkpoint folder. Raises `CheckpointError`."""
    if not folder.is_dir():
        raise CheckpointError(f"There is no folder {folder}.")
    paths = {name: locate(folder, name) for name in FILES}  # all are looked for before one is read
    model = LivePortrait(widths)
    for attribute, name in BASE.items():
        _fill(getattr(model, attribute), _read(paths[name]), Path(name).name)
    parts = _read(paths[RETARGETING])
    where = Path(RETARGETING).name
    for attribute, key in PARTS.items():
        state = parts.get(key)
        if not isinstance(state, Mapping):
            raise CheckpointError(f"{where} lacks the part {key}.")
        stripped = {str(name).removeprefix(PREFIX): value for name, value in state.items()}
        _fill(getattr(model.retargeting, attribute), stripped, f"{where} ({key})")
    return model


def save(model: LivePortrait, folder: Path) -> None:
    """Writes the five files as they are published."""
    for attribute, name in BASE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(getattr(model, attribute).state_dict(), path)
    path = folder / RETARGETING
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = {
        key: {PREFIX + name: value for name, value in getattr(model.retargeting, attribute).state_dict().items()}
        for attribute, key in PARTS.items()
    }
    torch.save(parts, path)
