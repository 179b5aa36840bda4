from __future__ import annotations

import io
import logging

import av
import pytest
from scripted_inference import engine

from avatar_runtime.contracts import AvatarError, Code


def seconds(sound: bytes) -> float:
    """The length of an encoded sound."""
    with av.open(io.BytesIO(sound)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def asked(inference) -> tuple:
    """What the voice was asked last: text, language, voice, engine, speed."""
    return [what for method, what in inference.asked if method == "synthesize"][-1]


@pytest.mark.parametrize("stream", [False, True])
def test_synthesize_is_a_wav_of_all_clauses(client, inference, stream):
    answer = client.post("/api/synthesize", json={"text": " Good morning. ", "stream": stream})
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/wav"
    assert seconds(answer.content) == pytest.approx(1.0)
    assert asked(inference) == ("Good morning.", "en", "", "tts_hibari", 1.0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"voice": "ef_dora"}, ("de", "ef_dora", "tts_kokoro")),
        ({"language": "de-DE"}, ("de", "", "tts_kokoro")),
        ({"language": "en"}, ("en", "", "tts_hibari")),
        ({"language": "en", "engine": "tts_kokoro"}, ("en", "", "tts_kokoro")),
        ({"language": "it", "voice": "ef_dora"}, ("it", "ef_dora", "tts_kokoro")),
    ],
)
def test_who_speaks(client, inference, fields, expected):
    assert client.post("/api/synthesize", json={"text": "Ja.", "speed": 2, **fields}).status_code == 200
    assert asked(inference) == ("Ja.", *expected, 2.0)


def test_a_voice_that_speaks_every_language_reads_the_texts(client, inference):
    inference.roles["tts"]["engines"].append(engine("tts_any", "en de it", "ana:"))
    client.post("/api/synthesize", json={"text": "Guten Morgen, wie ist das Wetter?", "voice": "ana"})
    assert asked(inference) == ("Guten Morgen, wie ist das Wetter?", "de", "ana", "tts_any", 1.0)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"text": ""}, 422, "invalid_text"),
        ({"text": " \n"}, 422, "invalid_text"),
        ({"text": "x" * 5001}, 422, "invalid_text"),
        ({"text": "x" * 100_000}, 422, "invalid_text"),
        ({"text": "😀🎉👩‍👩‍👧"}, 422, "invalid_text"),
        ({"text": "..."}, 422, "invalid_text"),
        ({"text": "a\u0000b"}, 422, "invalid_text"),
        ({"text": "x" * 300_000}, 413, "too_large"),
        ({"text": 7}, 400, "invalid_request"),
        ({"text": None}, 400, "invalid_request"),
        ({"language": "klingon"}, 422, "unknown_language"),
        ({"language": "fi"}, 422, "unknown_language"),
        ({"language": "it", "engine": "tts_hibari"}, 422, "unknown_language"),
        ({"voice": "nobody"}, 422, "unknown_voice"),
        ({"engine": "tts_nobody"}, 422, "unknown_engine"),
        ({"engine": "render_meshwarp"}, 422, "unknown_engine"),
        ({"speed": 0.1}, 400, "invalid_request"),
        ({"speed": 10**400}, 400, "invalid_request"),
        ({"speed": "fast"}, 400, "invalid_request"),
        ({"pitch": 1}, 400, "invalid_request"),
    ],
)
def test_what_cannot_be_spoken(client, inference, fields, status, code):
    answer = client.post("/api/synthesize", json={"text": "Hello.", **fields})
    assert answer.status_code == status and answer.json()["error"]["code"] == code, answer.text
    assert not any(method == "synthesize" for method, _ in inference.asked)


@pytest.mark.parametrize(
    ("failure", "status"), [(Code.ENGINE_UNAVAILABLE, 503), (Code.TIMEOUT, 504), (Code.INVALID_TEXT, 422)]
)
def test_failures_before_the_first_sound_have_their_status(client, inference, failure, status):
    inference.failures["synthesize"] = AvatarError(failure, "Not now.")
    for path, body in (("/api/synthesize", {"text": "Hi.", "stream": True}), ("/v1/audio/speech", {"input": "Hi."})):
        answer = client.post(path, json=body)
        assert answer.status_code == status and answer.json()["error"]["code"] == failure


def test_nothing_spoken_is_no_empty_file(client, inference):
    inference.clauses = []
    assert client.post("/api/synthesize", json={"text": "Hm."}).status_code == 422


def test_a_failure_between_clauses_spoils_the_whole(client, inference):
    inference.fails_after, inference.failures["speech"] = 1, AvatarError(Code.ENGINE_UNAVAILABLE, "Gone.")
    assert client.post("/api/synthesize", json={"text": "Hi."}).status_code == 503


@pytest.mark.parametrize("after", [0, 1])
def test_a_voice_that_hangs_is_given_up(client, inference, monkeypatch, after):
    monkeypatch.setattr("gateway.rest.speech.CLAUSE_TIMEOUT", 0.05)
    inference.fails_after = after
    answer = client.post("/api/synthesize", json={"text": "Hi."})
    assert answer.status_code == 504 and answer.json()["error"]["code"] == "timeout"
    assert inference.cancelled == 1


@pytest.mark.parametrize(
    ("kind", "media_type", "start"),
    [
        ("mp3", "audio/mpeg", b"ID3"),
        ("opus", "audio/ogg", b"OggS"),
        ("aac", "audio/aac", b"\xff\xf1"),
        ("flac", "audio/flac", b"fLaC"),
        ("wav", "audio/wav", b"RIFF"),
        ("pcm", "audio/pcm", b""),
    ],
)
def test_openai_formats(client, kind, media_type, start):
    body = {"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": kind}
    answer = client.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200 and answer.headers["content-type"] == media_type
    assert answer.content.startswith(start)
    if kind == "pcm":
        assert len(answer.content) == 24_000 * 2
    else:
        assert seconds(answer.content) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("en", "", "tts_hibari")),
        ({"model": "gpt-4o-mini-tts", "voice": "nova", "instructions": "Whisper."}, ("en", "", "tts_hibari")),
        ({"voice": "if_sara"}, ("de", "if_sara", "tts_kokoro")),
        ({"voice": "if_sara", "input": "Non è vero."}, ("it", "if_sara", "tts_kokoro")),
        ({"voice": "if_sara", "language": "it"}, ("it", "if_sara", "tts_kokoro")),
        ({"voice": "alloy", "input": "Das ist nicht wahr."}, ("de", "", "tts_kokoro")),
        ({"model": "tts_kokoro", "voice": "alloy"}, ("en", "", "tts_kokoro")),
        ({"model": "kokoro", "voice": "ef_dora"}, ("de", "ef_dora", "tts_kokoro")),
    ],
)
def test_openai_language_comes_from_voice_and_text(client, inference, fields, expected):
    assert client.post("/v1/audio/speech", json={"input": "42 km", **fields}).status_code == 200
    assert asked(inference)[1:4] == expected


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"model": "gpt-9"}, 422, "unknown_engine"),
        ({"voice": "nobody"}, 422, "unknown_voice"),
        ({"model": "tts_hibari", "voice": "if_sara"}, 422, "unknown_voice"),
        ({"response_format": "midi"}, 400, "invalid_request"),
        ({"stream_format": "sse"}, 400, "invalid_request"),
        ({"speed": 9}, 400, "invalid_request"),
        ({"input": "👍"}, 422, "invalid_text"),
    ],
)
def test_openai_refusals(client, fields, status, code):
    answer = client.post("/v1/audio/speech", json={"input": "Ciao.", **fields})
    assert answer.status_code == status and answer.json()["error"]["code"] == code, answer.text


async def test_a_listener_who_leaves_cancels_the_voice(client, inference):
    inference.clauses = ["on and on"] * 1000
    body, left = b'{"text": "On.", "stream": true}', 0

    async def receive():
        nonlocal left
        left += 1
        return {"type": "http.request", "body": body} if left == 1 else {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.body" and left > 1:
            raise OSError

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/synthesize", "headers": headers, "query_string": b""}
    await client.app({**scope, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    assert inference.cancelled == 1


def test_words_are_never_logged(client, inference, caplog):
    caplog.set_level(logging.DEBUG)
    inference.failures["synthesize"] = RuntimeError("geheimnis")
    client.post("/api/synthesize", json={"text": "geheimnis"})
    client.post("/api/synthesize", json={"text": "geheimnis", "geheimnis": 1, "speed": "geheimnis"})
    client.post("/v1/audio/speech", json={"input": "geheimnis", "voice": "nobody"})
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert "geheimnis" not in "\n".join(logged)
