from __future__ import annotations

import pytest

from avatar_runtime.contracts import AvatarError, Code
from gateway.transcript import Transcript


def asked(inference) -> tuple:
    """What the ear was asked last: samples, language, task, prompt."""
    return [what for method, what in inference.asked if method == "transcribe"][-1]


def test_transcribe(client, inference, recording):
    answer = client.post(
        "/api/transcribe", files={"file": recording(2.0)}, data={"language": "EN", "task": "translate"}
    )
    assert answer.status_code == 200
    said = answer.json()
    assert said["text"] == "Hello there. How are you?" and said["language"] == "en" and said["duration"] == 2.0
    assert said["words"][0] == {"word": "Hello", "start": 0.1, "end": 0.4}
    assert asked(inference) == (32_000, "en", "translate", "")


@pytest.mark.parametrize("language", ["", "auto", None])
def test_the_language_may_be_left_to_the_engine(client, inference, recording, language):
    data = {} if language is None else {"language": language}
    assert client.post("/api/transcribe", files={"file": recording()}, data=data).status_code == 200
    assert asked(inference)[1:] == ("", "transcribe", "")


def test_silence_is_no_error(client, inference, recording):
    inference.transcript = Transcript("", "en", [])
    answer = client.post("/api/transcribe", files={"file": recording(1.0, 0.0)})
    assert answer.status_code == 200 and answer.json()["text"] == "" and answer.json()["words"] == []


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"language": "klingon"}, 422, "unknown_language"),
        ({"task": "sing"}, 400, "invalid_request"),
        ({"tempo": "1"}, 400, "invalid_request"),
        ({"language": "x" * 70_000}, 400, "invalid_request"),
    ],
)
def test_refused_fields(client, inference, recording, data, status, code):
    answer = client.post("/api/transcribe", files={"file": recording()}, data=data)
    assert answer.status_code == status and answer.json()["error"]["code"] == code, answer.text
    assert inference.asked == []


@pytest.mark.parametrize("path", ["/api/transcribe", "/v1/audio/transcriptions"])
@pytest.mark.parametrize("body", [b"", b"not sound", b"\x1a\x45\xdf\xa3" + bytes(500), b"ID3" + bytes(3000)])
def test_what_is_no_recording(client, path, body):
    answer = client.post(path, files={"file": ("a.wav", body, "audio/wav")})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "invalid_audio", answer.text


def test_an_hour_is_too_long(client, inference):
    hour = b"RIFF" + (2**31).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data"
    hour += (8000 * 3600).to_bytes(4, "little") + bytes(8000 * 3600)
    answer = client.post("/api/transcribe", files={"file": hour})
    assert answer.status_code == 422 and "longer than" in answer.json()["error"]["message"]
    answer = client.post("/api/transcribe", files={"file": bytes(65 * 2**20)})
    assert answer.status_code == 413
    assert inference.asked == []


@pytest.mark.parametrize(
    ("content", "status"), [({"json": {"file": "x"}}, 415), ({"data": {"file": "x"}}, 415), ({"content": b""}, 415)]
)
def test_a_body_that_is_no_form(client, content, status):
    assert client.post("/api/transcribe", **content).status_code == status


def test_a_form_without_a_file_or_with_two(client, recording):
    assert client.post("/api/transcribe", files={"other": recording()}).status_code == 400
    both = [("file", recording()), ("file", recording())]
    assert client.post("/api/transcribe", files=both).status_code == 400


@pytest.mark.parametrize(("failure", "status"), [(Code.ENGINE_UNAVAILABLE, 503), (Code.TIMEOUT, 504)])
def test_the_ear_is_gone(client, inference, recording, failure, status):
    inference.failures["transcribe"] = AvatarError(failure, "Not now.")
    for path in ("/api/transcribe", "/v1/audio/transcriptions"):
        assert client.post(path, files={"file": recording()}).status_code == status


def test_openai_formats(client, inference, recording):
    def get(kind: str):
        data = {"model": "whisper-1", "response_format": kind, "prompt": "Names: Ada.", "temperature": "0"}
        answer = client.post("/v1/audio/transcriptions", files={"file": recording(2.0)}, data=data)
        assert answer.status_code == 200, answer.text
        return answer

    assert get("json").json() == {"text": "Hello there. How are you?"}
    assert get("text").text == "Hello there. How are you?\n"
    srt = "1\n00:00:00,100 --> 00:00:00,800\nHello there.\n\n2\n00:00:01,200 --> 00:00:01,900\nHow are you?\n"
    assert get("srt").text == srt
    vtt = "WEBVTT\n\n00:00:00.100 --> 00:00:00.800\nHello there.\n\n00:00:01.200 --> 00:00:01.900\nHow are you?\n"
    assert get("vtt").text == vtt and get("vtt").headers["content-type"].startswith("text/vtt")
    verbose = get("verbose_json").json()
    assert verbose["language"] == "en" and verbose["duration"] == 2.0 and len(verbose["words"]) == 5
    assert [part["text"] for part in verbose["segments"]] == ["Hello there.", "How are you?"]
    assert asked(inference)[3] == "Names: Ada."


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"model": "gpt-9"}, 422, "unknown_engine"),
        ({"response_format": "pdf"}, 400, "invalid_request"),
        ({"stream": "true"}, 400, "invalid_request"),
        ({"prompt": "a\0b"}, 400, "invalid_request"),
        ({"prompt": "x" * 2001}, 400, "invalid_request"),
        ({"language": "klingon"}, 422, "unknown_language"),
    ],
)
def test_openai_refusals(client, recording, data, status, code):
    answer = client.post("/v1/audio/transcriptions", files={"file": recording()}, data=data)
    assert answer.status_code == status and answer.json()["error"]["code"] == code, answer.text


@pytest.mark.parametrize("model", ["whisper-1", "stt_whisper", "whisper"])
def test_openai_models(client, recording, model):
    answer = client.post("/v1/audio/transcriptions", files={"file": recording()}, data={"model": model})
    assert answer.status_code == 200


@pytest.mark.parametrize(("charset", "text"), [("utf-7", b"+2AA-"), ("undefined", b"x"), ("zlib", b"x")])
def test_text_that_is_no_unicode(client, recording, charset, text):
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n' + text,
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + recording(),
        b"--x--\r\n",
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    answer = client.post("/v1/audio/transcriptions", content=b"\r\n".join(parts), headers=headers)
    assert answer.status_code == (200 if charset == "zlib" else 400), answer.text
