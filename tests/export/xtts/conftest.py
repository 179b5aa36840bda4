"""XTTS's small twin as a checkpoint folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from export.xtts import checkpoint, command
from export.xtts.model import Xtts


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> checkpoint.Checkpoint:
    """The twin, written as it is published and read again."""
    return command.made("twin", tmp_path_factory.mktemp("xtts"))


@pytest.fixture(scope="session")
def model(made: checkpoint.Checkpoint) -> Xtts:
    return made.model


@pytest.fixture
def folder(made: checkpoint.Checkpoint, tmp_path: Path) -> Path:
    """A copy of the checkpoint folder that a test may break."""
    for path in made.vocabulary.parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path
