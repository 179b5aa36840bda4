"""The `render`, `landmarks` and `motion` contracts, over every engine, through the real server."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import CHANNEL, EMOTIONS, FRAME_SIZE, I420_ROWS, MOTION_SAMPLES, AvatarError, Code
from gateway.inference import Inference

pytestmark = pytest.mark.server

PORTRAITS = sorted(Path(__file__).parents[2].glob("characters/defaults/portraits/*.jpg"))
NOTHING = np.zeros((0, 2), np.float32)


def still(frames: int) -> np.ndarray:
    motion = np.zeros((frames, len(CHANNEL)), np.float32)
    motion[:, CHANNEL["headScale"]] = 1.0
    return motion


def picture(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.fixture(scope="module")
def portrait() -> bytes:
    return next(path for path in PORTRAITS if "mona" in path.name).read_bytes()


async def test_frames_are_i420(inference: Inference, render_engine: str, portrait: bytes) -> None:
    async with inference.render(portrait, render_engine) as stream:
        frames = await stream.push(still(3))
        assert frames.shape == (3, I420_ROWS, FRAME_SIZE) and frames.dtype == np.uint8
        assert (frames[0] == frames[2]).all(), "the same motion makes the same frame"
        assert frames[0].std() > 10


async def test_i420_and_rgb_show_the_same(inference: Inference, render_engine: str, portrait: bytes) -> None:
    planar = await inference.render_once(portrait, still(1), "i420", render_engine)
    rgb = await inference.render_once(portrait, still(1), "rgb", render_engine)
    assert rgb.shape == (1, FRAME_SIZE, FRAME_SIZE, 3)
    back = cv2.cvtColor(planar[0], cv2.COLOR_YUV2RGB_I420)
    assert np.abs(back.astype(int) - rgb[0]).mean() < 3


async def test_motion_moves_the_picture(inference: Inference, render_engine: str, portrait: bytes) -> None:
    motion = still(3)
    motion[1, CHANNEL["jawOpen"]] = 0.6
    motion[2, [CHANNEL["eyeBlinkLeft"], CHANNEL["eyeBlinkRight"]]] = 1.0
    async with inference.render(portrait, render_engine) as stream:
        rest, open_mouth, blink = (await stream.push(motion))[:, :FRAME_SIZE].astype(int)
    assert np.abs(open_mouth - rest).max() > 40 and np.abs(blink - rest).max() > 40
    mouth, eyes = (np.abs(frame - rest).sum(axis=1).argmax() for frame in (open_mouth, blink))
    assert eyes < mouth, "eyes are above the mouth"


async def test_an_unknown_picture_is_asked_for(inference: Inference, render_engine: str) -> None:
    with pytest.raises(AvatarError) as caught:
        await inference.call(
            render_engine,
            {"MOTION": still(1), "PORTRAIT_SHA256": hashlib.sha256(secrets.token_bytes(8)).hexdigest()},
            sequence_id=secrets.randbits(40),
            sequence_start=True,
            sequence_end=True,
        )
    assert caught.value.code is Code.UNKNOWN_PORTRAIT


async def test_pictures_that_cannot_be_animated(inference: Inference, render_engine: str, portrait: bytes) -> None:
    face = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    cases = {
        Code.NO_FACE: picture(np.full((300, 300, 3), 128, np.uint8)),
        Code.SEVERAL_FACES: picture(np.hstack([face, face])),
        Code.FACE_TOO_SMALL: picture(cv2.resize(face, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)),
    }
    for code, image in cases.items():
        with pytest.raises(AvatarError) as caught:
            await inference.render_once(image, still(1), "rgb", render_engine)
        assert caught.value.code is code
    for broken in (b"no picture at all", portrait[: len(portrait) // 2], b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(AvatarError) as caught:
            await inference.render_once(broken, still(1), "rgb", render_engine)
        assert caught.value.code is Code.INVALID_IMAGE


async def test_motion_must_be_finite(inference: Inference, render_engine: str, portrait: bytes) -> None:
    motion = still(1)
    motion[0, 0] = np.nan
    with pytest.raises(AvatarError) as caught:
        await inference.render_once(portrait, motion, "rgb", render_engine)
    assert caught.value.code is Code.INVALID_REQUEST


async def test_landmarks_find_each_default_face(inference: Inference) -> None:
    for path in PORTRAITS:
        faces = await inference.landmarks(path.read_bytes())
        assert len(faces.boxes) == 1, path.name
        x0, y0, x1, y1 = faces.boxes[0]
        inside = (faces.landmarks[0, :, 0] > x0 - (x1 - x0) / 2) & (faces.landmarks[0, :, 0] < x1 + (x1 - x0) / 2)
        assert inside.all() and y0 < y1


async def test_no_face_is_an_answer_not_an_error(inference: Inference) -> None:
    faces = await inference.landmarks(picture(np.full((300, 300, 3), 128, np.uint8)))
    assert faces.landmarks.shape == (0, 468, 3) and len(faces.scores) == 0


async def test_silence_keeps_the_lips_shut_under_every_emotion(inference: Inference, motion_engine: str) -> None:
    assert inference._settings.motion == motion_engine
    for emotion in EMOTIONS:
        motion = await inference.motion_once(emotion, 1.0, 50)
        assert motion.shape == (50, len(CHANNEL)) and np.isfinite(motion).all()
        # A surprised mouth may part a little; nobody else's does.
        assert motion[:, CHANNEL["jawOpen"]].max() < (0.4 if emotion in ("surprised", "fearful") else 0.15), emotion


async def test_motion_refuses_what_it_cannot_use(inference: Inference, motion_engine: str) -> None:
    second = np.zeros(25 * MOTION_SAMPLES, np.float32)
    for audio, emotion, intensity, code in (
        (second, "bored", 1.0, Code.UNKNOWN_EMOTION),
        (second, "happy", 7.0, Code.INVALID_REQUEST),
        (second[:-1], "happy", 1.0, Code.INVALID_AUDIO),
        (second * np.nan, "happy", 1.0, Code.INVALID_AUDIO),
    ):
        async with inference.motion() as stream:
            with pytest.raises(AvatarError) as caught:
                await stream.push(audio, [], NOTHING, emotion, intensity)
            assert caught.value.code is code or caught.value.code is Code.INVALID_REQUEST


async def test_a_stream_goes_on_where_it_was(inference: Inference, motion_engine: str) -> None:
    audio = (np.random.default_rng(1).normal(size=50 * MOTION_SAMPLES) * 0.1).astype(np.float32)
    async with inference.motion(7) as whole, inference.motion(7) as cut:
        once = await whole.push(audio, [], NOTHING)
        parts = [await cut.push(part, [], NOTHING) for part in np.split(audio, 5)]
    assert once.shape == np.concatenate(parts).shape
    assert np.abs(once - np.concatenate(parts))[:, : CHANNEL["eyeBlinkLeft"]].max() < 0.3
