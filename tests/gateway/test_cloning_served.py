"""The whole way of a voice sample: the gateway's application, a real tritonserver, XTTS's small twin behind it."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hibari import Hibari
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.media import encode
from gateway.settings import Settings
from triton_launch.server import Server

pytestmark = pytest.mark.server

TEXT = "My favourite picture hangs in a small museum. It is not large, and hardly anybody stops in front of it."
SAMPLE = "/api/characters/mona-lisa/voice-sample"


@pytest.fixture(scope="module")
def sample() -> bytes:
    return encode(np.asarray(Hibari()(TEXT, seed=0), np.float32).reshape(-1), "opus")


@pytest.fixture
def client(triton: Server, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data=tmp_path, triton=triton.address)), "http://localhost:8080") as client:
        yield client


def seconds(sound: bytes) -> float:
    with av.open(io.BytesIO(sound)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def test_voice_xtts_learns_and_forgets(client: TestClient, tmp_path: Path, sample: bytes) -> None:
    roles = client.get("/api/engines").json()["roles"]
    assert roles["voice"]["ready"] and "CPML" in roles["voice"]["engines"][0]["licence"]
    answer = client.put(SAMPLE, content=sample)
    assert answer.status_code == 200, answer.text
    with sqlite3.connect(tmp_path / "characters.db") as database:
        engine, size = database.execute(
            "SELECT voice_latents_engine, asset.size FROM character JOIN asset ON sha256 = voice_latents"
        ).fetchone()
    assert engine == "tts_xtts" and size > 1_000
    tone = encode(np.sin(np.arange(24_000 * 5) / 9).astype(np.float32) * 0.3, "wav")
    refused = client.put(SAMPLE, content=tone)
    assert refused.status_code == 422 and "Nobody is heard speaking" in refused.json()["error"]["message"]
    assert client.get(SAMPLE).content == sample, "what was there stays"
    assert client.delete(SAMPLE).json()["voice"]["sample"] is None
    assert len([path for path in (tmp_path / "assets").rglob("*") if path.is_file()]) == 3


def test_voice_xtts_lends_a_voice_once(client: TestClient, tmp_path: Path, sample: bytes) -> None:
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "assets").rglob("*")}
    fields = {"text": "Guten Morgen.", "language": "de", "format": "mp3"}
    answer = client.post("/api/synthesize-with-voice-clone", files={"sample": sample}, data=fields)
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/mpeg"
    assert seconds(answer.content) > 0.3
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "assets").rglob("*")} == before
