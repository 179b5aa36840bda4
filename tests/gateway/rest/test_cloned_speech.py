"""Speaking once with the voice of a recording that is kept nowhere."""

from __future__ import annotations

import io
import logging
import tempfile
from pathlib import Path

import av
import pytest
from scripted_inference import cloning_catalogue

from avatar_runtime.contracts import AvatarError, Code

ADDRESS = "/api/synthesize-with-voice-clone"


@pytest.fixture
def cloning(inference):
    inference.roles = cloning_catalogue()
    return inference


def post(client, sample: bytes, **fields: object):
    return client.post(ADDRESS, files={"sample": ("../me.wav", sample)}, data={"text": "Good morning.", **fields})


def seconds(sound: bytes) -> float:
    with av.open(io.BytesIO(sound)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def test_it_speaks_with_the_voice_of_the_recording(client, cloning, recording):
    answer = post(client, recording(), language="de-DE", speed="1.5")
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/wav", answer.text
    assert seconds(answer.content) == pytest.approx(1.0)
    assert cloning.asked[-1] == (
        "synthesize", ("Good morning.", "de", "", "tts_xtts", 1.5, b"latents of voice_xtts"),
    )  # fmt: skip


@pytest.mark.parametrize("language", ["", "auto"])
def test_the_language_is_guessed_among_those_the_engine_has(client, cloning, recording, language):
    post(client, recording(), text="Guten Morgen, wie ist das Wetter?", language=language)
    assert cloning.asked[-1][1][1] == "de"


@pytest.mark.parametrize(("kind", "media_type"), [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("pcm", "audio/pcm")])
def test_other_formats(client, cloning, recording, kind, media_type):
    answer = post(client, recording(), format=kind)
    assert answer.headers["content-type"] == media_type and len(answer.content) > 1000


def test_nothing_is_kept(client, cloning, recording, data_dir: Path, caplog, monkeypatch):
    """Neither in the database nor in a file, not even a temporary one; nor is a word in the log."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda self: pytest.fail("written to the disk"))
    before = {path: path.stat().st_mtime_ns for path in data_dir.rglob("*")}
    large = recording(20.0)
    assert len(large) > 3 * 2**20
    answer = post(client, large, text="A secret sentence")
    assert answer.status_code == 200
    cloning.failures["clone"] = RuntimeError("secret")
    assert post(client, large, text="A secret sentence").status_code == 500
    assert {path: path.stat().st_mtime_ns for path in data_dir.rglob("*")} == before
    assert "secret" not in caplog.text.lower() and "me.wav" not in caplog.text


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"text": ""}, 422, "invalid_text"),
        ({"text": "x" * 5001}, 422, "invalid_text"),
        ({"text": "x" * 70_000}, 400, "invalid_request"),
        ({"text": "🎉"}, 422, "invalid_text"),
        ({"language": "klingon"}, 422, "unknown_language"),
        ({"language": "sv"}, 422, "unknown_language"),
        ({"speed": "0.1"}, 400, "invalid_request"),
        ({"speed": "nan"}, 400, "invalid_request"),
        ({"format": "exe"}, 400, "invalid_request"),
        ({"voice": "ana"}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_asked(client, cloning, recording, fields, status, code):
    answer = post(client, recording(), **fields)
    assert answer.status_code == status and answer.json()["error"]["code"] == code, answer.text
    assert not any(method in ("clone", "synthesize") for method, _ in cloning.asked)


@pytest.mark.parametrize(
    "sample", [b"", b"<html>", b"RIFF\x00\x00\x00\x00WAVE", b"OggS" + bytes(1000)], ids=["empty", "page", "wav", "ogg"]
)
def test_what_is_no_recording(client, cloning, sample):
    answer = post(client, sample)
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "invalid_audio"


@pytest.mark.parametrize(("length", "level"), [(2.0, 0.3), (61.0, 0.3), (4.0, 0.0)])
def test_what_no_voice_can_be_made_of(client, cloning, recording, length, level):
    answer = post(client, recording(length, level, 16_000))
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "invalid_audio"
    assert not any(method == "clone" for method, _ in cloning.asked)


def test_the_sample_is_needed_and_bounded(client, cloning):
    answer = client.post(ADDRESS, files={"file": ("x", b"x")}, data={"text": "Hi"})
    assert answer.status_code == 400 and "sample" in answer.json()["error"]["message"]
    assert post(client, bytes(20 * 2**20 + 1)).status_code == 413
    assert client.post(ADDRESS, json={"text": "Hi"}).status_code == 415


def test_without_an_engine_it_says_so(client, inference, recording):
    answer = post(client, recording())
    assert answer.status_code == 503 and "clones a voice" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "code", "status"),
    [
        ("clone", Code.INVALID_AUDIO, 422), ("clone", Code.TIMEOUT, 504), ("synthesize", Code.ENGINE_UNAVAILABLE, 503),
        ("synthesize", Code.UNKNOWN_VOICE, 422),
    ],
)  # fmt: skip
def test_failures_have_their_status(client, cloning, recording, method, code, status):
    cloning.failures[method] = AvatarError(code, "Not now.")
    answer = post(client, recording())
    assert answer.status_code == status and answer.json()["error"]["code"] == code
