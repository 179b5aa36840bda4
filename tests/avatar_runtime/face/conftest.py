"""The four portraits and what the networks find in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avatar_runtime.face.landmarks import FaceFinder
from avatar_runtime.face.meshwarp import Portrait
from avatar_runtime.face.picture import decode
from avatar_runtime.face.renderer import Renderer

PORTRAITS = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"
NAMES = ("mona_lisa", "la_donna_velata", "girl_with_a_pearl_earring", "elizabeth_winthrop_chanler")


def encoded(name: str) -> bytes:
    return (PORTRAITS / f"{name}.jpg").read_bytes()


@pytest.fixture(scope="session")
def finder(models: Path) -> FaceFinder:
    return FaceFinder(models / "mediapipe")


@pytest.fixture(scope="session")
def renderer(models: Path) -> Renderer[Portrait]:
    return Renderer(models / "mediapipe", Portrait.of)


@pytest.fixture(scope="session")
def pictures() -> dict[str, np.ndarray]:
    return {name: decode(encoded(name)) for name in NAMES}


@pytest.fixture(scope="session")
def portraits(renderer: Renderer[Portrait]) -> dict[str, Portrait]:
    return {name: renderer.portrait(picture=encoded(name)) for name in NAMES}
