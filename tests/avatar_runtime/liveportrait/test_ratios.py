"""`avatar_runtime.liveportrait.ratios` on MediaPipe's points."""

from __future__ import annotations

import numpy as np
import pytest

from avatar_runtime.face.landmarks import Face
from avatar_runtime.liveportrait import ratios


def test_a_drawn_face() -> None:
    points = np.zeros((468, 3), np.float32)
    points[[33, 133, 159, 145], :2] = [(0, 0), (10, 0), (5, -2), (5, 1)]
    points[[362, 263, 386, 374], :2] = [(20, 0), (30, 0), (25, -1), (25, 1)]
    points[[61, 291, 13, 14], :2] = [(5, 20), (25, 20), (15, 19), (15, 24)]
    assert ratios.eyes(points) == pytest.approx([0.3, 0.2], abs=1e-5)
    assert ratios.lips(points) == pytest.approx(0.25, abs=1e-5)
    assert ratios.lips(points * 7 + 3) == pytest.approx(0.25, abs=1e-5)


def test_a_face_of_one_point() -> None:
    assert ratios.eyes(np.zeros((468, 3), np.float32)) == pytest.approx([0, 0])


@pytest.mark.models
def test_the_default_portraits_look_at_us_with_shut_lips(faces: dict[str, Face]) -> None:
    for name, face in faces.items():
        assert (ratios.eyes(face.landmarks) > 0.25).all() and (ratios.eyes(face.landmarks) < 0.7).all(), name
        assert ratios.lips(face.landmarks) < 0.15, name
