"""What perf_analyzer is asked to send."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from avatar_runtime.contracts import LISTENING_RATE, MOTION_SAMPLES, MOTION_SIZE, SPEAKING_RATE, Role
from gateway.perf import inputs

MATERIAL = inputs.Material(
    spoken=np.arange(4.1 * SPEAKING_RATE, dtype=np.float32),
    heard=np.arange(4.1 * LISTENING_RATE, dtype=np.float32),
    portrait=b"\xff\xd8 a portrait",
    frame=np.full((*inputs.CAPTURE_SIZE, 3), 7, np.uint8),
)


def values(tensor: dict[str, object], kind: type[np.generic]) -> np.ndarray:
    content = tensor["content"]
    assert isinstance(content, dict)
    return np.frombuffer(base64.b64decode(content["b64"]), kind).reshape(tensor["shape"])  # type: ignore[arg-type]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_requests_that_are_json(role: Role) -> None:
    streams = inputs.streams(role, MATERIAL)
    document = json.loads(json.dumps(inputs.document(streams, role)))
    assert document["data"] and inputs.WHAT[role]
    assert isinstance(document["data"][0], list) == (role in inputs.SEQUENCES)


def test_sound_comes_in_equal_pieces_in_its_order() -> None:
    (stream,) = inputs.streams(Role.VAD, MATERIAL)
    heard = np.concatenate([values(request["AUDIO"], np.float32) for request in stream])
    assert [request["AUDIO"]["shape"] for request in stream] == [[LISTENING_RATE]] * 4
    np.testing.assert_array_equal(heard, MATERIAL.heard[: len(heard)])
    (stream,) = inputs.streams(Role.MOTION, MATERIAL)
    assert all(request["AUDIO"]["shape"][0] % MOTION_SAMPLES == 0 for request in stream)


def test_the_portrait_is_sent_once_and_the_face_moves() -> None:
    (stream,) = inputs.streams(Role.RENDER, MATERIAL)
    assert ["PORTRAIT" in request for request in stream] == [True] + [False] * (len(stream) - 1)
    motion = np.concatenate([values(request["MOTION"], np.float32) for request in stream])
    assert motion.shape[1] == MOTION_SIZE and len(np.unique(motion, axis=0)) == len(motion)
