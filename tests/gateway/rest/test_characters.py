from __future__ import annotations

from pathlib import Path

import pytest

from avatar_runtime.contracts import AvatarError, Code

FIELDS = {
    "id", "name", "display_name", "description", "personality", "language", "voice", "renderer", "portrait", "active",
    "created", "updated",
}  # fmt: skip


def refused(response, status: int, code: str) -> str:
    """The sentence of a refusal with this status and code."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"].endswith(".") and "\n" not in error["message"] and len(error["message"]) < 300
    return error["message"]


def new(client, **fields) -> dict:
    response = client.post("/api/characters", json={"name": "ada", **fields})
    assert response.status_code == 201, response.text
    return response.json()


def files(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "assets").rglob("*") if path.is_file())


def test_three_defaults_speak_three_languages(client):
    found = client.get("/api/characters").json()["characters"]
    assert [character["language"] for character in found] == ["en", "de", "it"]
    assert [character["active"] for character in found] == [True, False, False]
    assert all(set(character) == FIELDS for character in found)
    for character in found:
        portrait = client.get(character["portrait"])
        assert portrait.headers["content-type"] == "image/jpeg" and len(portrait.content) > 10_000


def test_create_read_change_delete(client, sessions):
    created = new(client, language="de", voice={"engine": "tts_kokoro", "id": "ef_dora"}, personality="Kurz.")
    assert created["display_name"] == "Ada" and created["portrait"] is None and created["voice"]["sample"] is None
    address = f"/api/characters/{created['id']}"
    assert client.get(address).json() == created

    changed = client.patch(address, json={"display_name": "Ada L.", "voice": {"id": "ef_dora"}}).json()
    assert changed["display_name"] == "Ada L." and changed["voice"]["engine"] == "tts_kokoro"
    assert changed["personality"] == "Kurz." and changed["updated"] > created["updated"]

    assert client.delete(address).status_code == 204
    refused(client.get(address), 404, "unknown_character")
    assert sessions.told == [("changed", created["id"]), ("changed", created["id"])]


def test_activate_tells_running_sessions(client, sessions):
    answer = client.post("/api/characters/donna-velata/activate")
    assert answer.status_code == 200 and answer.json()["active"]
    active = [item["id"] for item in client.get("/api/characters").json()["characters"] if item["active"]]
    assert active == ["donna-velata"] and sessions.told == [("activate", "donna-velata")]


def test_trouble_in_a_session_does_not_undo_what_is_stored(client, sessions):
    async def broken(character_id: str) -> None:
        raise RuntimeError

    sessions.activate = broken
    assert client.post("/api/characters/donna-velata/activate").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/activate"), ("GET", "/portrait"), ("PUT", "/portrait"),
        ("GET", "/voice-sample"), ("PUT", "/voice-sample"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ident", ["nobody", "%00", "%ff%fe", "..%2f..%2fetc", "x" * 3000])
def test_unknown_character(client, method, path, ident):
    response = client.request(method, f"/api/characters/{ident}{path}", json={} if method == "PATCH" else None)
    assert response.status_code == 404
    assert set(response.json()["error"]) == {"code", "message", "retryable"}


def test_a_name_is_unique(client):
    ada = new(client)
    refused(client.post("/api/characters", json={"name": "ada"}), 409, "name_taken")
    refused(client.patch(f"/api/characters/{ada['id']}", json={"name": "mona_lisa"}), 409, "name_taken")
    assert client.patch(f"/api/characters/{ada['id']}", json={"name": "ada"}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"name": ""}, 400, "invalid_request"),
        ({"name": "Ada"}, 400, "invalid_request"),
        ({"name": "a" * 65}, 400, "invalid_request"),
        ({"name": "../ada"}, 400, "invalid_request"),
        ({"name": "ada\n"}, 400, "invalid_request"),
        ({"name": 7}, 400, "invalid_request"),
        ({"name": None}, 400, "invalid_request"),
        ({"display_name": "a\u0000b"}, 400, "invalid_request"),
        ({"display_name": " "}, 400, "invalid_request"),
        ({"description": "x" * 1001}, 400, "invalid_request"),
        ({"personality": "x" * 8001}, 400, "invalid_request"),
        ({"personality": ["x"]}, 400, "invalid_request"),
        ({"id": "own"}, 400, "invalid_request"),
        ({"voice": {"engine": "tts_hibari", "pitch": 2}}, 400, "invalid_request"),
        ({"voice": None}, 400, "invalid_request"),
        ({"language": 10**400}, 400, "invalid_request"),
        ({"language": "klingon"}, 422, "unknown_language"),
        ({"language": "fi"}, 422, "unknown_language"),
        ({"voice": {"engine": "tts_nobody"}}, 422, "unknown_engine"),
        ({"voice": {"engine": "stt_whisper"}}, 422, "unknown_engine"),
        ({"voice": {"id": "nobody"}}, 422, "unknown_voice"),
        ({"voice": {"engine": "tts_hibari", "id": "if_sara"}}, 422, "unknown_voice"),
        ({"voice": {"engine": "tts_hibari"}, "language": "de"}, 422, "unknown_language"),
        ({"renderer": "render_nobody"}, 422, "unknown_engine"),
    ],
)
def test_what_a_character_cannot_be(client, fields, status, code):
    before = client.get("/api/characters").json()
    refused(client.post("/api/characters", json={"name": "ada", **fields}), status, code)
    if "id" not in fields and fields.get("voice", "") is not None and fields.get("name", "") is not None:
        refused(client.patch("/api/characters/mona-lisa", json=fields), status, code)
    assert client.get("/api/characters").json() == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"ada"', b"null", b"\xff\xfe", b'{"name": "\xff"}',
        b'{"name": "ada", "display_name": "\\ud800"}',
        b"[" * 100_000, b'{"name": "ada", "x": ' + b"9" * 10_000 + b"}", b'{"name": NaN}', b"\x00" * 100,
        b'{"name": "ada", "name\\u0000": 1}',
    ],
)  # fmt: skip
def test_garbage_for_json(client, body):
    response = client.post("/api/characters", content=body, headers={"Content-Type": "application/json"})
    refused(response, 400, "invalid_request")
    response = client.patch("/api/characters/mona-lisa", content=body, headers={"Content-Type": "application/json"})
    refused(response, 400, "invalid_request")
    assert len(client.get("/api/characters").json()["characters"]) == 3


def test_a_body_of_another_kind_or_size(client):
    response = client.post("/api/characters", content=b'{"name": "ada"}', headers={"Content-Type": "text/plain"})
    refused(response, 415, "unsupported_media_type")
    response = client.post("/api/characters", json={"name": "ada", "personality": "x" * 300_000})
    refused(response, 413, "too_large")


def test_wrong_method_and_address(client):
    response = client.put("/api/characters/mona-lisa", json={})
    refused(response, 405, "method_not_allowed")
    assert set(response.headers["allow"].replace(" ", "").split(",")) >= {"GET", "PATCH", "DELETE"}
    refused(client.get("/api/nothing"), 404, "not_found")


def test_characters_can_be_edited_while_triton_is_away(client, inference):
    inference.failures["catalogue"] = AvatarError(Code.ENGINE_UNAVAILABLE, "Triton is gone.")
    new(client, language="fi", voice={"engine": "tts_later", "id": "x"})
    assert client.patch("/api/characters/mona-lisa", json={"renderer": "render_later"}).status_code == 200


def test_a_portrait_is_stored_and_served(client, inference, sessions, picture, data_dir):
    ada = new(client)
    for kind, media_type in ((".jpg", "image/jpeg"), (".png", "image/png"), (".webp", "image/webp")):
        image = picture(kind)
        answer = client.put(f"/api/characters/{ada['id']}/portrait", content=image)
        assert answer.status_code == 200, answer.text
        portrait = client.get(answer.json()["portrait"])
        assert portrait.content == image and portrait.headers["content-type"] == media_type
        assert portrait.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in portrait.headers["cache-control"]
        assert len(files(data_dir)) == 4  # the one before is gone
    assert sessions.told == [("changed", ada["id"])] * 3
    tag = portrait.headers["etag"]
    again = client.get(f"/api/characters/{ada['id']}/portrait", headers={"If-None-Match": f'"other", W/{tag}'})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == tag
    fresh = client.get(f"/api/characters/{ada['id']}/portrait", headers={"If-None-Match": '"other"'})
    assert fresh.status_code == 200 and fresh.headers["cache-control"] == "no-cache"


def test_a_form_works_as_well(client, picture, recording):
    image = picture()
    files = {"file": ("../../etc/passwd\x00.html", image, "text/html")}
    assert client.put("/api/characters/mona-lisa/portrait", files=files).status_code == 200
    portrait = client.get("/api/characters/mona-lisa/portrait")
    assert portrait.content == image and portrait.headers["content-type"] == "image/jpeg"
    sample = {"file": ("voice", recording())}
    assert client.put("/api/characters/mona-lisa/voice-sample", files=sample).status_code == 200


@pytest.mark.parametrize(
    ("faces", "code"),
    [
        ([], "no_face"),
        ([(0, 0, 200, 200), (300, 0, 480, 200)], "several_faces"),
        ([(0, 0, 63, 80)], "face_too_small"),
    ],
)
def test_a_portrait_needs_one_face(client, inference, sessions, picture, data_dir, faces, code):
    before = client.get("/api/characters/mona-lisa").json(), files(data_dir)
    inference.faces = faces
    refused(client.put("/api/characters/mona-lisa/portrait", content=picture()), 422, code)
    assert (client.get("/api/characters/mona-lisa").json(), files(data_dir)) == before
    assert sessions.told == []


def test_a_bystander_in_the_background_is_no_second_face(client, inference, picture):
    inference.faces = [(0, 0, 200, 200), (300, 0, 330, 30)]
    assert client.put("/api/characters/mona-lisa/portrait", content=picture()).status_code == 200


@pytest.mark.parametrize("failure", [Code.ENGINE_UNAVAILABLE, Code.TIMEOUT])
def test_without_landmarks_no_portrait_is_stored(client, inference, picture, data_dir, failure):
    before = files(data_dir)
    inference.failures["landmarks"] = AvatarError(failure, "Not now.")
    answer = client.put("/api/characters/mona-lisa/portrait", content=picture())
    refused(answer, 503 if failure is Code.ENGINE_UNAVAILABLE else 504, failure)
    assert answer.json()["error"]["retryable"] and answer.headers["retry-after"]
    assert files(data_dir) == before


def test_a_portrait_over_the_limit(client, data_dir):
    before = files(data_dir)
    big = b"\xff\xd8\xff" + bytes(20 * 2**20)
    refused(client.put("/api/characters/mona-lisa/portrait", content=big), 413, "too_large")

    refused(client.put("/api/characters/mona-lisa/portrait", files={"file": big}), 413, "too_large")
    assert files(data_dir) == before


async def test_an_endless_body_is_cut_off(client):
    """A sender that says no length gets its refusal while it still sends."""
    sent = 0

    async def receive():
        nonlocal sent
        sent += 2**20
        assert sent < 40 * 2**20
        return {"type": "http.request", "body": b"\xff\xd8\xff" + bytes(2**20), "more_body": True}

    answers = []

    async def send(message):
        answers.append(message)

    path = "/api/characters/mona-lisa/portrait"
    scope = {
        "type": "http",
        "method": "PUT",
        "path": path,
        "raw_path": path.encode(),
        "headers": [],
        "query_string": b"",
    }
    await client.app({**scope, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    assert answers[0]["status"] == 413 and sent <= 22 * 2**20


def test_a_voice_sample(client, recording, data_dir, sessions):
    sound = recording()
    answer = client.put("/api/characters/mona-lisa/voice-sample", content=sound)
    assert answer.status_code == 200
    address = answer.json()["voice"]["sample"]
    served = client.get(address)
    assert served.content == sound and served.headers["content-type"] == "audio/wav"
    assert served.headers["x-content-type-options"] == "nosniff"
    whole = answer.json()["voice"]
    assert client.patch("/api/characters/mona-lisa", json={"voice": whole}).json()["voice"] == whole
    refused(
        client.patch("/api/characters/mona-lisa", json={"voice": {"sample": "/etc/passwd"}}), 400, "invalid_request"
    )
    removed = client.patch("/api/characters/mona-lisa", json={"voice": {"sample": None}}).json()
    assert removed["voice"]["sample"] is None and len(files(data_dir)) == 3
    refused(client.get(address), 404, "not_found")


@pytest.mark.parametrize(
    ("seconds", "level"), [(2.5, 0.3), (3.5, 0.0), (61.5, 0.3)], ids=["too short", "silent", "too long"]
)
def test_a_voice_sample_that_is_no_use(client, recording, data_dir, seconds, level):
    before = files(data_dir)
    sound = recording(seconds, level, 16_000)
    refused(client.put("/api/characters/mona-lisa/voice-sample", content=sound), 422, "invalid_audio")
    assert files(data_dir) == before


@pytest.mark.parametrize("body", [b"", b"<html>", b"RIFF\x00\x00\x00\x00WAVE", b"OggS" + bytes(1000)])
def test_a_voice_sample_that_is_none(client, body):
    refused(client.put("/api/characters/mona-lisa/voice-sample", content=body), 422, "invalid_audio")


@pytest.mark.parametrize(
    "content",
    [b"", b"--x", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--x--\r\n'],
)
def test_a_broken_form(client, content):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(client.put("/api/characters/mona-lisa/portrait", content=content, headers=headers), 400, "invalid_request")


@pytest.mark.parametrize(
    "kind", ["", "; boundary=", "; boundary=" + "x" * 5000, "; boundary=x; charset=idna", "; boundary=\x80"]
)
def test_a_broken_form_header(client, kind):
    content = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff..\xfe\r\n--x--\r\n'
    headers = {"Content-Type": f"multipart/form-data{kind}".encode("latin-1")}
    refused(client.put("/api/characters/mona-lisa/portrait", content=content, headers=headers), 400, "invalid_request")
