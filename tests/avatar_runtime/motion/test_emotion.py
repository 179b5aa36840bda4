import numpy as np
import pytest

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, EMOTIONS, MOTION_RATE, AvatarError, Code
from avatar_runtime.motion.emotion import BLEND_SECONDS, EXPRESSIONS, TABLE, Mood

TIME = (np.arange(50) + 0.5) / MOTION_RATE


def shown(emotion: str, intensity: float) -> np.ndarray:
    mood = Mood()
    mood.turn(emotion, intensity, 0.0)
    return mood.channels(TIME)[0]


def test_the_table_is_complete_and_in_range() -> None:
    assert set(EXPRESSIONS) == set(EMOTIONS)
    shapes = TABLE[:, : len(BLEND_SHAPES)]
    assert shapes.min() >= 0 and shapes.max() <= 1
    for emotion, curves in EXPRESSIONS.items():
        for name in curves:
            assert any(name + side in CHANNEL for side in ("", "Left", "Right")), (emotion, name)


def test_every_two_emotions_look_different() -> None:
    for i in range(len(EMOTIONS)):
        for j in range(i):
            assert np.abs(TABLE[i] - TABLE[j])[: len(BLEND_SHAPES)].max() > 0.35, (EMOTIONS[i], EMOTIONS[j])


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_more_intensity_is_more_of_everything(emotion: str) -> None:
    steps = [shown(emotion, x)[-1] for x in np.linspace(0, 1, 11)]
    assert (np.diff(steps, axis=0) >= -1e-12).all()
    assert not steps[0].any()


def test_an_emotion_arrives_smoothly_in_its_time() -> None:
    smile = shown("happy", 1.0)[:, CHANNEL["mouthSmileLeft"]]
    goal = EXPRESSIONS["happy"]["mouthSmile"]
    assert (np.diff(smile) >= 0).all()
    assert smile[TIME < 0.5 * BLEND_SECONDS - 0.02].max() < 0.5 * goal
    np.testing.assert_allclose(smile[TIME >= BLEND_SECONDS], goal)
    assert np.diff(smile).max() < 1.6 * goal / (BLEND_SECONDS * MOTION_RATE)


def test_a_change_on_the_way_starts_from_where_the_face_is() -> None:
    mood = Mood()
    mood.turn("happy", 1.0, 0.0)
    before = mood.channels(np.array([0.14]))[0]
    mood.turn("angry", 1.0, 0.14)
    np.testing.assert_allclose(mood.channels(np.array([0.14]))[0], before)
    angry = TABLE[EMOTIONS.index("angry"), : len(BLEND_SHAPES)]
    np.testing.assert_allclose(mood.channels(np.array([1.0]))[0][0], angry)


@pytest.mark.parametrize("intensity", [-0.1, 1.1, float("nan"), float("inf")])
def test_intensity_out_of_range_is_refused(intensity: float) -> None:
    with pytest.raises(AvatarError) as caught:
        Mood().turn("happy", intensity, 0.0)
    assert caught.value.code == Code.INVALID_REQUEST


def test_unknown_emotion_is_refused() -> None:
    with pytest.raises(AvatarError) as caught:
        Mood().turn("bored", 1.0, 0.0)
    assert caught.value.code == Code.UNKNOWN_EMOTION
