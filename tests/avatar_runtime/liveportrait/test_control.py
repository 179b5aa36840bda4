"""`control` and `opening`: every blend shape goes somewhere, to the right side, in the right direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from avatar_runtime.contracts import BLEND_SHAPES, CHANNEL, MOTION_SIZE
from avatar_runtime.face.meshwarp import rest
from avatar_runtime.liveportrait import opening
from avatar_runtime.liveportrait.control import DELTAS, LEFT_OUT, LIMITS, RETARGETED, TABLE, Source, controlled
from avatar_runtime.motion.emotion import EXPRESSIONS

RNG = np.random.default_rng(3)
CANONICAL = RNG.uniform(-0.4, 0.4, (21, 3)).astype(np.float32)
CANONICAL[0] = (0, 0, -0.5)  # a nose
EXPRESSION = RNG.normal(0, 0.01, (21, 3)).astype(np.float32)
MEASURED = np.array([0.35, 0.33], np.float32)


def source(pose: tuple[float, float, float] = (0, 0, 0), shift: np.ndarray | None = None) -> Source:
    return Source(
        canonical=CANONICAL,
        expression=EXPRESSION,
        keypoints=CANONICAL,
        pose=np.array(pose, np.float32),
        translation=np.array([0.05, -0.02, 3], np.float32),
        scale=1.4,
        shift=np.eye(2, dtype=np.float32) if shift is None else shift,
    )


def motion(**values: float) -> np.ndarray:
    found = rest()[None].copy()
    for name, value in values.items():
        found[0, CHANNEL[name]] = value
    return found


def moved(**values: float) -> np.ndarray:
    """What a motion changes of the keypoints, [21, 3]."""
    return (controlled(motion(**values), source()) - controlled(motion(), source()))[0]


def test_every_blend_shape_has_one_place() -> None:
    assert sorted([*TABLE, *RETARGETED, *LEFT_OUT]) == sorted(BLEND_SHAPES)


def test_rest_is_the_portrait_itself() -> None:
    own = source(pose=(4, -7, 2))
    found = controlled(motion(), own)[0]
    turned = controlled(motion(headYaw=1e-6), own)[0]
    assert found == pytest.approx(turned, abs=1e-5)
    assert np.abs(DELTAS[CHANNEL["jawOpen"]]).max() == 0
    assert opening.winks(motion()) == pytest.approx(0)
    assert opening.eyes(motion(), MEASURED)[0] == pytest.approx([0.35, 0.33, 0.34])
    assert opening.lips(motion(), 0.04)[0] == pytest.approx([0.04, 0.04])


@pytest.mark.parametrize("emotion", [name for name in EXPRESSIONS if name != "neutral"])
def test_whatever_an_emotion_uses_does_something(emotion: str) -> None:
    for name, value in EXPRESSIONS[emotion].items():
        for channel in (name, f"{name}Left", f"{name}Right"):
            if channel not in CHANNEL:
                continue
            given = motion(**{channel: value + (channel == "headScale")})
            keypoints = np.abs(controlled(given, source()) - controlled(motion(), source())).max()
            lids = np.abs(opening.lids(given) - 1).max()
            gap = np.abs(opening.lips(given, 0.05) - opening.lips(motion(), 0.05)).max()
            assert keypoints > 1e-4 or lids > 1e-2 or gap > 1e-2, channel


def test_the_published_sliders_bound_the_sum_of_both_sides() -> None:
    smile = DELTAS.reshape(-1, 21, 3)[[CHANNEL["mouthSmileLeft"], CHANNEL["mouthSmileRight"]]].sum(0)
    assert smile[14, 1] == pytest.approx(-0.02) and smile[20, 1] == pytest.approx(-0.01)  # slider 1 of 1.3
    assert smile[[13, 16], 1] == pytest.approx([-0.00275] * 2) and smile[[3, 7], 1] == pytest.approx([-0.0035] * 2)


def test_sides() -> None:
    """The person's right is the picture's left: keypoints 11 and 13."""
    right, left = moved(eyeLookUpRight=1.0), moved(eyeLookUpLeft=1.0)
    assert right[11, 1] < 0 and right[15, 1] == pytest.approx(0, abs=1e-6)
    assert left[15, 1] < 0 and left[11, 1] == pytest.approx(0, abs=1e-6)


def test_gaze_goes_where_both_eyes_look() -> None:
    to_the_pictures_right = moved(eyeLookInRight=1.0, eyeLookOutLeft=1.0)
    assert to_the_pictures_right[11, 0] > 0.005 and to_the_pictures_right[15, 0] > 0.005
    to_the_pictures_left = moved(eyeLookOutRight=1.0, eyeLookInLeft=1.0)
    assert to_the_pictures_left[11, 0] < -0.005 and to_the_pictures_left[15, 0] < -0.005
    assert moved(eyeLookDownLeft=1.0, eyeLookDownRight=1.0)[[11, 15], 1].min() > 0.005


def test_the_mouth_goes_aside_to_the_persons_side() -> None:
    assert moved(mouthLeft=1.0)[19, 0] > 0 > moved(mouthRight=1.0)[19, 0]
    assert moved(jawLeft=1.0)[19, 0] > 0 > moved(jawRight=1.0)[19, 0]


def test_smiles_raise_and_frowns_lower_the_corners() -> None:
    assert moved(mouthSmileLeft=1, mouthSmileRight=1)[14, 1] < 0 < moved(mouthFrownLeft=1, mouthFrownRight=1)[14, 1]


def test_head_pose_signs() -> None:
    nose = 0
    assert moved(headPitch=5.0)[nose, 1] > 0.03  # nods down
    assert moved(headYaw=5.0)[nose, 0] > 0.03  # to the picture's right
    right_of_it = CANONICAL[:, 0].argmax()
    assert moved(headRoll=5.0)[right_of_it, 1] > 0  # clockwise: what is at the right goes down
    assert moved(headX=0.02)[:, 0] == pytest.approx(0.02, abs=1e-3)
    assert moved(headY=0.02)[:, 1] == pytest.approx(0.02, abs=1e-3)
    grown = controlled(motion(headScale=1.05), source())[0] - [0.05, -0.02, 0]
    still = controlled(motion(), source())[0] - [0.05, -0.02, 0]
    assert grown == pytest.approx(still * 1.05, abs=5e-3)


def test_a_turned_crop_turns_the_shift() -> None:
    turn = np.array([[0, 0.8], [-0.8, 0]], np.float32)
    found = controlled(motion(headX=0.05), source(shift=turn)) - controlled(motion(), source(shift=turn))
    assert found[0, :, 0] == pytest.approx(0, abs=1e-6)
    assert found[0, :, 1] == pytest.approx(-0.04, abs=2e-3)


@given(arrays.arrays(np.float32, (3, MOTION_SIZE), elements=st.floats(-1e4, 1e4, width=32)))
@settings(max_examples=50)
def test_any_motion_stays_within_bounds(values: np.ndarray) -> None:
    values[:, : len(BLEND_SHAPES)] = np.clip(values[:, : len(BLEND_SHAPES)], 0, 1)
    found = controlled(values, source(), opening.winks(values))
    assert np.isfinite(found).all() and np.abs(found).max() < 3
    assert found.dtype == np.float32
    assert (opening.eyes(values, MEASURED)[:, 2] <= opening.WIDEST).all()
    lips = opening.lips(values, 0.05)[:, 1]
    assert (lips >= 0).all() and (lips <= opening.WIDEST).all()


def test_limits_are_soft() -> None:
    half = LIMITS["headYaw"] / 2
    nearly = moved(headYaw=half)[0, 0] / moved(headYaw=1.0)[0, 0]
    assert 0.85 * half < nearly <= half


def test_a_blink_of_both_eyes_is_the_networks_and_the_rest_a_wink() -> None:
    both = motion(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    assert opening.eyes(both, MEASURED)[0, 2] == pytest.approx(0, abs=1e-6)
    assert opening.winks(both) == pytest.approx(0)
    one = motion(eyeBlinkRight=1.0)
    assert opening.eyes(one, MEASURED)[0, 2] == pytest.approx(0.34)
    wink = opening.winks(one).reshape(21, 3)
    assert wink[11, 1] == pytest.approx(0.039) and wink[15, 1] == 0
    other = opening.winks(motion(eyeBlinkLeft=1.0)).reshape(21, 3)
    assert other[15, 1] == pytest.approx(0.039) and other[11, 1] == 0


def test_wide_and_narrow_eyes() -> None:
    assert opening.eyes(motion(eyeWideLeft=1, eyeWideRight=1), MEASURED)[0, 2] > 0.4
    assert opening.eyes(motion(eyeSquintLeft=1, eyeSquintRight=1), MEASURED)[0, 2] < 0.25


def test_the_jaw_opens_the_lips_and_mouth_close_keeps_them_shut() -> None:
    assert opening.lips(motion(jawOpen=0.6), 0.0)[0, 1] == pytest.approx(0.3)
    assert opening.lips(motion(jawOpen=0.6, mouthClose=0.6), 0.0)[0, 1] == pytest.approx(0)
    assert opening.lips(motion(mouthPressLeft=0.5, mouthPressRight=0.5), 0.1)[0, 1] < 0.01
