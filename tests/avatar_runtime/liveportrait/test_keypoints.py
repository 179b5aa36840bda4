"""`avatar_runtime.liveportrait.keypoints`: rotations and signs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_runtime.liveportrait.keypoints import rotation, transform

angles = st.floats(-80, 80, allow_nan=False)
NOSE, RIGHT = np.array([0, 0, -1.0], np.float32), np.array([1, 0, 0], np.float32)  # the nose lies before the picture


def turned(point: np.ndarray, pitch: float = 0, yaw: float = 0, roll: float = 0) -> np.ndarray:
    return point @ rotation(np.array([pitch, yaw, roll], np.float32))


@given(angles, angles, angles)
def test_it_is_a_rotation(pitch: float, yaw: float, roll: float) -> None:
    found = rotation(np.array([pitch, yaw, roll], np.float32))
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-5)
    assert np.linalg.det(found) == pytest.approx(1, abs=1e-5)


@given(angles, angles, angles)
def test_order_is_pitch_then_yaw_then_roll(pitch: float, yaw: float, roll: float) -> None:
    point = np.array([0.3, -0.2, 0.7], np.float32)
    steps = turned(turned(turned(point, pitch=pitch), yaw=yaw), roll=roll)
    assert turned(point, pitch, yaw, roll) == pytest.approx(steps, abs=1e-5)


def test_signs() -> None:
    assert turned(NOSE, pitch=30)[1] == pytest.approx(0.5)  # down
    assert turned(NOSE, yaw=30)[0] == pytest.approx(-0.5)  # to the picture's left
    assert turned(RIGHT, roll=30) == pytest.approx([np.sqrt(0.75), 0.5, 0])  # clockwise


def test_transform_has_no_depth_in_its_shift() -> None:
    canonical = np.eye(3, dtype=np.float32).repeat(7, 0)
    zeros = np.zeros((2, 3), np.float32)
    shift = np.array([[0.1, 0.2, 9], [0, 0, 0]], np.float32)
    found = transform(canonical, zeros, np.full((2, 21, 3), 0.5, np.float32), shift, np.array([2, 1], np.float32))
    assert found.shape == (2, 21, 3)
    assert found[0] == pytest.approx(2 * (canonical + 0.5) + [0.1, 0.2, 0])
    assert found[1] == pytest.approx(canonical + 0.5)
