from __future__ import annotations

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import AvatarError, Code


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff")])
def test_render(client, inference, picture, kind, start):
    data = {"emotion": "happy", "intensity": "0.8", "format": kind}
    answer = client.post("/api/render", files={"image": picture()}, data=data)
    assert answer.status_code == 200 and answer.headers["content-type"] == f"image/{kind}"
    assert answer.content.startswith(start)
    pixels = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (512, 512, 3) and pixels[0, 0, 2] > 240 and pixels[0, 0, 0] < 10  # red, in BGR
    assert inference.asked[-2] == ("motion_once", ("happy", 0.8, 25))
    assert inference.asked[-1][1][1:] == ((1, 58), "rgb", None)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"emotion": "hangry"}, 422, "unknown_emotion"),
        ({"intensity": "2"}, 400, "invalid_request"),
        ({"intensity": "nan"}, 400, "invalid_request"),
        ({"intensity": "much"}, 400, "invalid_request"),
        ({"intensity": "9" * 5000}, 400, "invalid_request"),
        ({"format": "gif"}, 400, "invalid_request"),
        ({"size": "9"}, 400, "invalid_request"),
    ],
)
def test_refused_fields(client, picture, data, status, code):
    answer = client.post("/api/render", files={"image": picture()}, data=data)
    assert answer.status_code == status and answer.json()["error"]["code"] == code, answer.text


@pytest.mark.parametrize(
    ("method", "failure", "status"),
    [
        ("landmarks", Code.ENGINE_UNAVAILABLE, 503),
        ("motion_once", Code.TIMEOUT, 504),
        ("render_once", Code.NO_FACE, 422),
    ],
)
def test_an_engine_fails(client, inference, picture, method, failure, status):
    inference.failures[method] = AvatarError(failure, "No.")
    answer = client.post("/api/render", files={"image": picture()})
    assert answer.status_code == status and answer.json()["error"]["code"] == failure


def test_no_face_and_no_picture(client, inference, picture):
    inference.faces = []
    answer = client.post("/api/render", files={"image": picture()})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "no_face"
    answer = client.post("/api/render", files={"image": b"GIF89a" + bytes(100)})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "invalid_image"
    assert client.post("/api/render", data={"emotion": "sad"}, files={"file": picture()}).status_code == 400


def test_a_renderer_can_be_named(client, inference, picture):
    inference.roles["render"]["engines"].append({"name": "render_other", "ready": True})
    answer = client.post("/api/render", files={"image": picture()}, data={"renderer": "render_other"})
    assert answer.status_code == 200 and inference.asked[-1][1][-1] == "render_other"
    answer = client.post("/api/render", files={"image": picture()}, data={"renderer": "render_none"})
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "unknown_engine"
    assert "render_meshwarp" in answer.json()["error"]["message"]
