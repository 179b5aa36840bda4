"""Whisper's small twin as a checkpoint folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from export.whisper import checkpoint, command
from export.whisper.model import Whisper


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> checkpoint.Checkpoint:
    """The twin, written as it is published and read again."""
    return command.made(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="session")
def model(made: checkpoint.Checkpoint) -> Whisper:
    return made.model


@pytest.fixture
def folder(made: checkpoint.Checkpoint, tmp_path: Path) -> Path:
    """A copy of the checkpoint folder that a test may break."""
    copy = tmp_path / "checkpoint"
    copy.mkdir()
    for path in made.vocabulary.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy
