from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1]))  # scripted_inference.py, which the tests of this folder share

from scripted_inference import ScriptedInference

from characters import CharacterStore
from gateway.cloning import Clones
from gateway.errors import HANDLERS
from gateway.rest import routes


@dataclass
class Sessions:
    """The running sessions' two verbs, remembered."""

    told: list[tuple[str, str]] = field(default_factory=list)

    async def character_changed(self, character_id: str) -> None:
        self.told.append(("changed", character_id))

    async def activate(self, character_id: str) -> None:
        self.told.append(("activate", character_id))


@pytest.fixture
def inference() -> ScriptedInference:
    return ScriptedInference()


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the default characters, made once: durable writes are slow."""
    folder = tmp_path_factory.mktemp("fresh")
    CharacterStore(folder)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path, fresh: Path) -> Path:
    return Path(shutil.copytree(fresh, tmp_path / "data"))


@pytest.fixture
def client(inference: ScriptedInference, sessions: Sessions, data_dir: Path) -> Iterator[TestClient]:
    app = Starlette(routes=routes(), exception_handlers=HANDLERS)
    app.state.store = CharacterStore(data_dir)
    app.state.inference = inference
    app.state.clones = Clones(inference, app.state.store)
    app.state.sessions = sessions
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """An encoded picture of some texture."""

    def make(kind: str = ".jpg", width: int = 300, height: int = 400) -> bytes:
        texture = np.random.default_rng(7).integers(0, 255, (height // 10, width // 10, 3), np.uint8)
        return cv2.imencode(kind, cv2.resize(texture, (width, height)))[1].tobytes()

    return make


@pytest.fixture
def recording() -> Callable[..., bytes]:
    """A WAV of a tone, stereo."""

    def make(seconds: float = 3.5, level: float = 0.3, rate: int = 48_000) -> bytes:
        times = np.arange(int(rate * seconds)) / rate
        tone = (level * 32767 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        file = io.BytesIO()
        with av.open(file, "w", format="wav") as container:
            stream = container.add_stream("pcm_s16le", rate=rate, layout="stereo")
            frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return file.getvalue()

    return make
