"""A character's voice sample: what is learned from it when it is uploaded, and when it is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from scripted_inference import cloning_catalogue

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from gateway.cloning import Clone

ADDRESS = "/api/characters/mona-lisa/voice-sample"


def files(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "assets").rglob("*") if path.is_file())


def asked(inference, method: str) -> list[tuple]:
    return [what for name, what in inference.asked if name == method]


@pytest.fixture
def store(client):
    return client.app.state.store


def test_latents_are_learned_once_and_kept_beside_the_sample(client, inference, sessions, store, recording, data_dir):
    inference.roles = cloning_catalogue()
    answer = client.put(ADDRESS, content=recording(4.0))
    assert answer.status_code == 200, answer.text
    assert asked(inference, "clone") == [(4 * SPEAKING_RATE, "voice_xtts")]
    assert store.voice_latents("mona-lisa") == ("tts_xtts", b"latents of voice_xtts")
    assert set(answer.json()["voice"]) == {"engine", "id", "sample"}, "latents stay in the house"
    assert len(files(data_dir)) == 3 + 2 and sessions.told == [("changed", "mona-lisa")]


def test_without_a_cloning_engine_the_sample_is_kept_for_later(client, inference, store, recording):
    assert client.put(ADDRESS, content=recording()).status_code == 200
    assert store.voice_latents("mona-lisa") is None and store.voice_sample("mona-lisa") is not None
    assert not asked(inference, "clone")


@pytest.mark.parametrize("code", [Code.ENGINE_UNAVAILABLE, Code.TIMEOUT, Code.INTERNAL])
def test_an_engine_in_trouble_does_not_lose_the_sample(client, inference, store, recording, code):
    inference.roles = cloning_catalogue()
    inference.failures["clone"] = AvatarError(code, "Not now.")
    assert client.put(ADDRESS, content=recording()).status_code == 200
    assert store.voice_latents("mona-lisa") is None and store.voice_sample("mona-lisa") is not None


def test_what_the_engine_refuses_is_not_stored(client, inference, store, recording, sessions, data_dir):
    before = files(data_dir)
    inference.roles = cloning_catalogue()
    inference.failures["clone"] = AvatarError(Code.INVALID_AUDIO, "Nobody is heard speaking: record one person.")
    answer = client.put(ADDRESS, content=recording())
    assert answer.status_code == 422 and answer.json()["error"]["message"].startswith("Nobody is heard")
    assert files(data_dir) == before and store.voice_sample("mona-lisa") is None and sessions.told == []


def test_another_sample_replaces_latents_and_removing_it_removes_them(client, inference, store, recording, data_dir):
    inference.roles = cloning_catalogue()
    client.put(ADDRESS, content=recording(3.5))
    inference.roles["voice"]["engines"][0]["ready"] = False
    client.put(ADDRESS, content=recording(4.0))
    assert store.voice_latents("mona-lisa") is None, "those of the voice before would speak"
    assert len(files(data_dir)) == 4

    inference.roles = cloning_catalogue()
    client.put(ADDRESS, content=recording(3.5))
    removed = client.delete(ADDRESS)
    assert removed.status_code == 200 and removed.json()["voice"]["sample"] is None
    assert store.voice_latents("mona-lisa") is None and len(files(data_dir)) == 3
    assert client.delete(ADDRESS).status_code == 200, "what is gone may be removed again"

    client.put(ADDRESS, content=recording(3.5))
    client.patch("/api/characters/mona-lisa", json={"voice": {"sample": None}})
    assert store.voice_latents("mona-lisa") is None and len(files(data_dir)) == 3
    client.put(ADDRESS, content=recording(3.5))
    client.delete("/api/characters/mona-lisa")
    assert len(files(data_dir)) == 2


def test_the_characters_own_engine_learns_if_it_can(client, inference, recording):
    inference.roles = cloning_catalogue()
    for role in ("tts", "voice"):
        inference.roles[role]["engines"].append({**inference.roles[role]["engines"][-1], "name": f"{role}_other"})
    client.patch("/api/characters/mona-lisa", json={"voice": {"engine": "tts_other", "id": ""}})
    client.put(ADDRESS, content=recording())
    assert asked(inference, "clone")[-1][1] == "voice_other"


def test_the_same_recording_sent_again_is_heard_once_the_engine_is_repaired(client, inference, store, recording):
    clones, sample = client.app.state.clones, recording()
    inference.roles = cloning_catalogue()
    inference.failures["clone"] = AvatarError(Code.INTERNAL, "Something went wrong.")
    client.put(ADDRESS, content=sample)
    mona = store.get("mona-lisa")
    deadline = time.monotonic() + 5
    while clones.trouble(mona) is None:
        assert client.portal.call(clones.of, mona) is None and time.monotonic() < deadline
    del inference.failures["clone"]
    client.put(ADDRESS, content=sample)
    assert client.portal.call(clones.of, mona) == Clone("tts_xtts", b"latents of voice_xtts")


def test_too_large(client):
    answer = client.put(ADDRESS, content=b"RIFF" + bytes(20 * 2**20))
    assert answer.status_code == 413


def test_a_character_that_is_not_there(client):
    assert client.delete("/api/characters/nobody/voice-sample").status_code == 404
