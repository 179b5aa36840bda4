"""The `capture` contract, over every engine, through the real server: a portrait is drawn, and its motion read back."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
import pytest

from avatar_runtime.contracts import CHANNEL, AvatarError, Code
from gateway.inference import Inference

pytestmark = pytest.mark.server

PORTRAIT = Path(__file__).parents[2] / "characters" / "defaults" / "portraits" / "elizabeth_winthrop_chanler.jpg"
POSE = ["headPitch", "headYaw", "headRoll", "headX", "headY", "headScale"]


def rest() -> np.ndarray:
    motion = np.zeros(len(CHANNEL), np.float32)
    motion[CHANNEL["headScale"]] = 1
    return motion


async def drawn(inference: Inference, **channels: float) -> np.ndarray:
    """RGB [512, 512, 3] of the portrait with these channels added to rest."""
    motion = rest()
    for name, value in channels.items():
        motion[CHANNEL[name]] += value
    return (await inference.render_once(PORTRAIT.read_bytes(), motion[None], "rgb"))[0]


async def captured(inference: Inference, *frames: np.ndarray) -> tuple[np.ndarray, float]:
    async with inference.capture() as stream:
        for frame in frames:
            found = await stream.push(frame)
    return found


async def test_the_first_face_is_rest(inference: Inference, capture_engine: str) -> None:
    assert inference._settings.capture == capture_engine
    motion, score = await captured(inference, await drawn(inference))
    assert motion.shape == (len(CHANNEL),) and score > 0.5
    assert np.abs(motion - rest()).max() < 0.15


@pytest.mark.parametrize(
    ("channel", "value", "low", "high"),
    [
        ("jawOpen", 0.6, 0.3, 0.9), ("mouthPucker", 0.8, 0.3, 1.0), ("browInnerUp", 0.8, 0.3, 1.0),
        ("headRoll", 5.0, 3.0, 7.0), ("headRoll", -5.0, -7.0, -3.0), ("headX", 0.05, 0.03, 0.07),
        ("headY", 0.05, 0.03, 0.07),
    ],
)  # fmt: skip
async def test_motion_is_read_with_its_sign(
    inference: Inference, capture_engine: str, channel: str, value: float, low: float, high: float
) -> None:
    moved = await drawn(inference, **{channel: value})
    motion, _ = await captured(inference, await drawn(inference), *[moved] * 10)
    assert low < motion[CHANNEL[channel]] < high
    assert 0 <= motion[: CHANNEL["headPitch"]].min() and motion[: CHANNEL["headPitch"]].max() <= 1


async def test_no_face_is_an_answer_and_holds(inference: Inference, capture_engine: str) -> None:
    empty = np.full((512, 512, 3), 120, np.uint8)
    motion, score = await captured(inference, empty)
    assert score == 0 and (motion == rest()).all()
    smile = await drawn(inference, jawOpen=0.6)
    async with inference.capture() as stream:
        for frame in [await drawn(inference), *[smile] * 8]:
            before, _ = await stream.push(frame)
        after, score = await stream.push(empty)
        assert score == 0 and np.array_equal(before, after)
        scores = [(await stream.push(smile))[1] for _ in range(25)]
        assert scores[-1] > 0.5, "within a second it is found again"


async def test_odd_sizes(inference: Inference, capture_engine: str) -> None:
    face = await drawn(inference)
    wide = np.full((301, 777, 3), 60, np.uint8)
    wide[1:, 333 : 333 + 300] = face[:600:2, :600:2][:300, :300] if face.shape[0] > 600 else face[106:406, 106:406]
    for frame, sees in ((wide, True), (np.zeros((1, 1, 3), np.uint8), False), (np.zeros((3, 900, 3), np.uint8), False)):
        motion, score = await captured(inference, frame)
        assert (score > 0.5) is sees and np.isfinite(motion).all()


async def test_bad_frames_are_refused_in_one_sentence(inference: Inference, capture_engine: str) -> None:
    async with inference.capture() as stream:
        with pytest.raises(AvatarError) as caught:
            await stream.push(np.zeros((0, 0, 3), np.uint8))
        assert caught.value.code is Code.INVALID_IMAGE and caught.value.message.endswith(".")
    async with inference.capture() as stream:
        await stream.push(np.zeros((40, 40, 3), np.uint8))
        with pytest.raises(AvatarError) as caught:
            await stream.push(np.zeros((40, 41, 3), np.uint8))
        assert caught.value.code is Code.INVALID_IMAGE and "one size" in caught.value.message
    for shape in ((40, 40), (40, 40, 4)):
        with pytest.raises(AvatarError) as caught:
            await captured(inference, np.zeros(shape, np.uint8))
        assert caught.value.code is Code.INVALID_REQUEST


async def test_a_sequence_has_to_be_started(inference: Inference, capture_engine: str) -> None:
    with pytest.raises(AvatarError):
        await inference.call(
            capture_engine, {"IMAGE": np.zeros((40, 40, 3), np.uint8)}, sequence_id=secrets.randbits(40)
        )


async def test_sequences_do_not_mix(inference: Inference, capture_engine: str) -> None:
    still, moved = await drawn(inference), await drawn(inference, jawOpen=0.7)
    async with inference.capture() as one, inference.capture() as other:
        await one.push(still)
        await other.push(moved)
        for _ in range(6):
            opened, _ = await one.push(moved)
            same, _ = await other.push(moved)
    assert opened[CHANNEL["jawOpen"]] > 0.3 and same[CHANNEL["jawOpen"]] < 0.15
