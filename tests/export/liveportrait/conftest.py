"""The small twin: every network of LivePortrait, narrow, with seeded random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from export.liveportrait import checkpoint
from export.liveportrait.model import LivePortrait, seeded
from export.liveportrait.widths import Widths, narrow


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def widths() -> Widths:
    return narrow(16)


@pytest.fixture(scope="session")
def twin(widths: Widths) -> LivePortrait:
    return seeded(widths)


@pytest.fixture
def folder(twin: LivePortrait, tmp_path: Path) -> Path:
    """The twin's checkpoint files."""
    checkpoint.save(twin, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"
